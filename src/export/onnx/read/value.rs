//! What a name in a file stands for while the graph is made.

use super::constant::Constant;
use crate::graph::{Features, NodeId, Padding};
use std::rc::Rc;

/// A value of the file.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// It does not depend on the input.
    Constant(Rc<Constant>),
    /// `[batch, channels, height, width]`: a node's, or a part of it.
    Map(View),
    /// `[batch, channels · height · width]` of a node.
    Flat(NodeId),
    /// Integers some of which may be the batch's size: a shape or parts of one.
    Sizes(Sizes),
    /// A node's channels in groups, `[batch, groups, channels / groups, …]`: the first step of a shuffle.
    Groups {
        /// The node.
        of: NodeId,
        /// Number of groups.
        groups: usize,
        /// Whether groups and their channels have changed places: the second step.
        across: bool,
        /// Number of dimensions.
        rank: usize,
    },
}

/// Rows and columns of a node's map: padded with zeros or cut (negative), then each `stride`-th. The next convolution may do
/// both; else a node is made for it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct View {
    pub of: NodeId,
    pub padding: Padding,
    pub stride: [usize; 2],
}

impl View {
    /// All of a node's map.
    pub const fn whole(of: NodeId) -> Self {
        Self { of, padding: Padding::same(0), stride: [1; 2] }
    }

    pub fn is_whole(&self) -> bool {
        *self == Self::whole(self.of)
    }

    /// Shape of what is seen of a map of the given shape.
    pub fn shape(&self, of: Features) -> Option<Features> {
        let size = |size: usize, before: i32, after: i32, stride: usize| {
            let padded = i64::try_from(size).ok()? + i64::from(before) + i64::from(after);
            usize::try_from(padded).ok().filter(|size| *size > 0).map(|size| size.div_ceil(stride.max(1)))
        };
        let p = self.padding;
        let height = size(of.height, p.top, p.bottom, self.stride[0])?;
        Some(Features { height, width: size(of.width, p.left, p.right, self.stride[1])?, ..of })
    }

    /// The view with further padding, if that is one view: what was cut off does not come back as zeros, and rows that were
    /// left out are not there to be cut.
    pub fn padded(&self, more: Padding) -> Option<Self> {
        if self.stride != [1; 2] {
            return None;
        }
        let add = |a: i32, b: i32| if a < 0 && b > 0 { None } else { a.checked_add(b) };
        let p = self.padding;
        let padding = Padding {
            top: add(p.top, more.top)?,
            left: add(p.left, more.left)?,
            bottom: add(p.bottom, more.bottom)?,
            right: add(p.right, more.right)?,
        };
        Some(Self { padding, ..*self })
    }
}

/// A size that a file computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Size {
    /// That of the batch.
    Batch,
    /// A number.
    Fixed(i64),
}

/// Integers of a shape.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sizes {
    pub sizes: Vec<Size>,
    /// Whether it is a single number rather than a list of them.
    pub scalar: bool,
    /// The value whose shape it is.
    pub of: View,
}

/// Most sizes of a list: more dimensions nothing here has.
pub(super) const MOST_SIZES: usize = 8;
