//! Colours: the Okabe–Ito palette, told apart by readers with any colour vision.

use super::Kind;
use crate::export::markup::printable;

/// The three tones of one colour, as `#rrggbb`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tone {
    /// For lines.
    pub line: &'static str,
    /// A light tint, for backgrounds.
    pub fill: &'static str,
    /// Dark enough for text on the tint (contrast of at least 4.5 to 1).
    pub text: &'static str,
}

pub(super) const INK: &str = "#1f2933";
pub(super) const MUTED: &str = "#52606d";
pub(super) const PAPER: &str = "#ffffff";
pub(super) const FONT: &str = "Inter, Helvetica Neue, Helvetica, Arial, Liberation Sans, DejaVu Sans, sans-serif";

/// Colours of series that stand for nothing in particular, most distinct first.
pub(super) const SERIES: [&str; 8] =
    ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#8a8a8a"];

impl Kind {
    /// Its colour. Never the only sign: edges carry labels, and skip and none are dashed.
    pub fn tone(self) -> Tone {
        let (line, fill, text) = match self {
            Self::Input => ("#7b8794", "#eef1f4", INK),
            Self::Output => ("#7b8794", "#e1e6eb", INK),
            Self::State => ("#52606d", "#ffffff", INK),
            Self::Flow => ("#a3adb8", "#f5f7f9", MUTED),
            Self::Convolution => ("#56b4e9", "#e6f4fc", "#0b5c8a"),
            Self::Separable => ("#0072b2", "#dcecf7", "#00476f"),
            Self::Dilated => ("#d55e00", "#fbe6d9", "#8a3b00"),
            Self::Pooling => ("#009e73", "#daf1ea", "#005c43"),
            Self::Skip => ("#cc79a7", "#f8e6ef", "#86345f"),
            Self::None => ("#999999", "#f0f0f0", "#595959"),
            Self::Linear => ("#8a6fb0", "#eee9f6", "#523a7a"),
            Self::Elementwise => ("#9aa5b1", "#f7f8fa", "#3e4c59"),
            Self::Group => ("#0072b2", "#e6f0f8", "#00476f"),
            Self::Reduction => ("#009e73", "#daf1ea", "#005c43"),
            Self::Choice => ("#e69f00", "#fcf0d6", "#7a5400"),
        };
        Tone { line, fill, text }
    }

    /// The dash pattern of its lines, drawn and not drawn, in pixels; `None` for solid lines.
    pub(super) fn dashes(self) -> Option<[f64; 2]> {
        match self {
            Self::Skip => Some([6.0, 3.5]),
            Self::None => Some([1.5, 3.5]),
            _ => None,
        }
    }
}

/// Width of a text in ems, a little more than the widest of the fonts asked for needs: no font is at
/// hand to measure with, and a box too wide reads better than one too narrow.
pub(super) fn text_width(text: &str) -> f64 {
    text.chars()
        .map(|c| match c {
            'i' | 'j' | 'l' | '\'' | '.' | ',' | ':' | ';' | '|' | '!' => 0.33,
            'f' | 't' | 'r' | ' ' | '(' | ')' | '[' | ']' | '-' | '/' | '{' | '}' => 0.41,
            'm' | 'w' | 'M' | 'W' | '@' | '%' | '→' => 0.98,
            'A'..='Z' | '×' | '+' | '=' | '<' | '>' | '&' | '~' => 0.74,
            '\u{1100}'.. => 1.05,
            _ => 0.62,
        })
        .sum()
}

/// A text as XML character data or an attribute's value. Characters that XML 1.0 cannot hold become
/// U+FFFD, line breaks and tabs become spaces.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(printable(c)),
        }
    }
    escaped
}
