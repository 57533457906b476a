//! Reads a description of stages. The TOML reader checks keys and types; what the values must be to make a
//! network is checked here, each at its place in the text.

use super::error::LONGEST;
use super::operation::check_expansion;
use super::{DescriptionError, Operation, Stage, Stages, Stem};
use crate::space::SpaceError;
use crate::space::chain::{MOST_STRIDE, MOST_TIMES, MOST_UNITS, Width, check_kernel};
use crate::space::settings::within;
use serde::de::value::Error as ValueError;
use serde::de::{Deserialize, Deserializer, IntoDeserializer, SeqAccess, Visitor};
use std::fmt::{self, Display};
use std::marker::PhantomData;
use std::ops::Range;
use toml::Spanned;

const LONGEST_NAME: usize = 64;
const MOST_STAGES: usize = 100;
const MOST_DEPTH: usize = 100;
const MOST_BLOCKS: usize = 1000;
/// A mask over channels has no more widths, a mixed operation no more candidates.
const MOST_WIDTHS: usize = 8;
const MOST_OPERATIONS: usize = 32;

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSpace {
    name: Spanned<String>,
    stem: RawStem,
    #[serde(default)]
    stage: Vec<Spanned<RawStage>>,
    head: Option<RawHead>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStem {
    channels: Spanned<Channels>,
    kernel: Option<Spanned<usize>>,
    stride: Option<Spanned<usize>>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct RawHead {
    channels: Spanned<Channels>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStage {
    channels: Spanned<OneOrMore<Channels>>,
    depth: Spanned<OneOrMore<usize>>,
    stride: Option<Spanned<usize>>,
    operations: Option<Spanned<OneOrMore<String>>>,
    kernel: Option<Spanned<OneOrMore<usize>>>,
    expansion: Option<Spanned<OneOrMore<usize>>>,
}

/// A value, or a list of values with their places.
struct OneOrMore<T>(Vec<(T, Option<Range<usize>>)>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMore<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Values<T>(PhantomData<T>);

        fn only<'de, T: Deserialize<'de>, E: serde::de::Error>(
            value: impl IntoDeserializer<'de, ValueError>,
        ) -> Result<OneOrMore<T>, E> {
            Ok(OneOrMore(vec![(T::deserialize(value.into_deserializer()).map_err(E::custom)?, None)]))
        }

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Values<T> {
            type Value = OneOrMore<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("one value, or a list of values to choose from")
            }

            fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Self::Value, E> {
                only(value)
            }

            fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Self::Value, E> {
                only(value)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
                let mut all = Vec::new();
                while let Some(item) = items.next_element::<Spanned<T>>()? {
                    let span = item.span();
                    all.push((item.into_inner(), Some(span)));
                }
                Ok(OneOrMore(all))
            }
        }

        deserializer.deserialize_any(Values(PhantomData))
    }
}

/// A number of channels: `24`, or in multiples of the network's own, `"2C"`.
#[derive(Clone, Copy, PartialEq)]
struct Channels(Width);

impl<'de> Deserialize<'de> for Channels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;

        impl Visitor<'_> for Number {
            type Value = Channels;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of channels like 24, or a multiple of the network's own like \"2C\"")
            }

            fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Channels, E> {
                let units = usize::try_from(value);
                units.map(|units| Channels(Width::Units(units))).map_err(|_| {
                    E::custom(format!("{value} is no number of channels: give {self}", self = Describe(self)))
                })
            }

            fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Channels, E> {
                let factor = value.strip_suffix('C').and_then(|factor| factor.parse().ok());
                factor.map(|factor| Channels(Width::Times(factor))).ok_or_else(|| {
                    E::custom(format!("\"{value}\" is no number of channels: give {self}", self = Describe(self)))
                })
            }
        }

        struct Describe(Number);

        impl Display for Describe {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.expecting(f)
            }
        }

        deserializer.deserialize_any(Number)
    }
}

impl Display for Channels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Reads and checks a description.
pub(super) fn read(text: &str) -> Result<Stages, DescriptionError> {
    if text.len() > LONGEST {
        return Err(DescriptionError::TooLong { bytes: text.len() });
    }
    let raw: RawSpace = toml::from_str(text).map_err(|error| DescriptionError::of_toml(text, &error))?;
    let check = Check(text);
    check.name(&raw.name)?;
    let stem = Stem {
        channels: check.channels("stem.channels", *raw.stem.channels.get_ref(), &raw.stem.channels.span())?,
        kernel: check.number("stem.kernel", raw.stem.kernel.as_ref(), 3, check_kernel)?,
        stride: check.number("stem.stride", raw.stem.stride.as_ref(), 1, check_stride)?,
    };
    let head = raw.head.map(|head| check.channels("head.channels", *head.channels.get_ref(), &head.channels.span()));
    if raw.stage.is_empty() {
        let problem = "there is no [[stage]]: describe at least one";
        return check.wrong("stage", &raw.name.span(), problem);
    }
    let mut stages: Vec<Stage> = Vec::new();
    for entry in &raw.stage {
        if stages.len() == MOST_STAGES {
            return check.wrong("stage", &entry.span(), format!("is one stage too many: {MOST_STAGES} are the most"));
        }
        let before = stages.last().map_or(std::slice::from_ref(&stem.channels), |stage| &stage.channels);
        let stage = check.stage(entry, before)?;
        stages.push(stage);
        let blocks: usize = stages.iter().map(Stage::most_blocks).sum();
        if blocks > MOST_BLOCKS {
            let problem = format!("the stages have {blocks} blocks up to here: {MOST_BLOCKS} are the most");
            return check.wrong("stage.depth", &entry.get_ref().depth.span(), problem);
        }
    }
    Ok(Stages { name: raw.name.into_inner(), stem, stages, head: head.transpose()? })
}

fn check_stride(stride: usize) -> Result<(), SpaceError> {
    within("stride", stride, MOST_STRIDE)
}

/// The text that errors point into.
struct Check<'a>(&'a str);

impl Check<'_> {
    fn wrong<T>(&self, key: &str, span: &Range<usize>, problem: impl Into<String>) -> Result<T, DescriptionError> {
        Err(DescriptionError::at(self.0, span, Some(key), problem))
    }

    /// Says where a check failed, if it did.
    fn place(&self, key: &str, span: &Range<usize>, checked: Result<(), SpaceError>) -> Result<(), DescriptionError> {
        match checked {
            Ok(()) => Ok(()),
            // The key is said already.
            Err(SpaceError::Setting { value, problem, .. }) => self.wrong(key, span, format!("{value} {problem}")),
            Err(other) => self.wrong(key, span, other.to_string()),
        }
    }

    fn name(&self, name: &Spanned<String>) -> Result<(), DescriptionError> {
        let usable = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if !name.get_ref().is_empty() && name.get_ref().len() <= LONGEST_NAME && name.get_ref().chars().all(usable) {
            return Ok(());
        }
        // It becomes part of the name of a directory.
        let problem = format!("must be 1 to {LONGEST_NAME} letters, digits, hyphens and underscores");
        self.wrong("name", &name.span(), problem)
    }

    fn channels(&self, key: &str, channels: Channels, span: &Range<usize>) -> Result<Width, DescriptionError> {
        let (value, most) = match channels.0 {
            Width::Units(units) => (units, MOST_UNITS),
            Width::Times(factor) => (factor, MOST_TIMES),
        };
        self.place(key, span, within("channels", value, most))?;
        Ok(channels.0)
    }

    fn number(
        &self,
        key: &str,
        given: Option<&Spanned<usize>>,
        default: usize,
        check: fn(usize) -> Result<(), SpaceError>,
    ) -> Result<usize, DescriptionError> {
        let Some(given) = given else { return Ok(default) };
        self.place(key, &given.span(), check(*given.get_ref()))?;
        Ok(*given.get_ref())
    }

    /// The values of a list, of which there must be some, each once, with their places.
    fn list<T: Clone + PartialEq + Display>(
        &self,
        key: &str,
        given: &Spanned<OneOrMore<T>>,
        most: usize,
    ) -> Result<Vec<(T, Range<usize>)>, DescriptionError> {
        let items = &given.get_ref().0;
        if items.is_empty() {
            return self.wrong(key, &given.span(), "lists nothing: give at least one to choose");
        }
        if items.len() > most {
            let problem = format!("lists {} to choose from: {most} are the most", items.len());
            return self.wrong(key, &given.span(), problem);
        }
        let mut all: Vec<(T, Range<usize>)> = Vec::with_capacity(items.len());
        for (item, span) in items {
            let span = span.clone().unwrap_or_else(|| given.span());
            if all.iter().any(|(other, _)| other == item) {
                return self.wrong(key, &span, format!("lists {item} twice: once is enough"));
            }
            all.push((item.clone(), span));
        }
        Ok(all)
    }

    fn stage(&self, entry: &Spanned<RawStage>, before: &[Width]) -> Result<Stage, DescriptionError> {
        let raw = entry.get_ref();
        let channels = self.list("stage.channels", &raw.channels, MOST_WIDTHS)?;
        let channels = channels
            .into_iter()
            .map(|(channels, span)| self.channels("stage.channels", channels, &span))
            .collect::<Result<Vec<_>, _>>()?;
        let mut depths = Vec::new();
        for (depth, span) in self.list("stage.depth", &raw.depth, MOST_OPERATIONS)? {
            self.place("stage.depth", &span, within("depth", depth, MOST_DEPTH))?;
            depths.push(depth);
        }
        depths.sort_unstable();
        let stride = self.number("stage.stride", raw.stride.as_ref(), 1, check_stride)?;
        let operations = self.operations(entry)?;
        let stage = Stage { channels, depths, stride, operations };
        if stage.first_operations(before).is_empty() {
            let span = raw.operations.as_ref().map_or_else(|| entry.span(), Spanned::span);
            let problem = "`skip` is all there is to choose, but the stage's first block changes the number of \
                           channels or has a stride, which a skip cannot: give another operation beside it";
            return self.wrong("stage.operations", &span, problem);
        }
        Ok(stage)
    }

    /// The product of kernels and expansions, then the operations listed by name.
    fn operations(&self, entry: &Spanned<RawStage>) -> Result<Vec<Operation>, DescriptionError> {
        let raw = entry.get_ref();
        let mut found = Vec::new();
        match (&raw.kernel, &raw.expansion) {
            (Some(kernels), Some(expansions)) => {
                let kernels = self.list("stage.kernel", kernels, MOST_OPERATIONS)?;
                let expansions = self.list("stage.expansion", expansions, MOST_OPERATIONS)?;
                for (expansion, span) in &expansions {
                    self.place("stage.expansion", span, check_expansion(*expansion))?;
                }
                for (kernel, span) in kernels {
                    self.place("stage.kernel", &span, check_kernel(kernel))?;
                    found.extend(expansions.iter().map(|(e, _)| Operation::InvertedResidual { kernel, expansion: *e }));
                }
            }
            (Some(kernels), None) => {
                let problem = "needs `expansion` beside it, for instance expansion = [3, 6]";
                return self.wrong("stage.kernel", &kernels.span(), problem);
            }
            (None, Some(expansions)) => {
                let problem = "needs `kernel` beside it, for instance kernel = [3, 5]";
                return self.wrong("stage.expansion", &expansions.span(), problem);
            }
            (None, None) => {}
        }
        let key = "stage.operations";
        if let Some(names) = &raw.operations {
            for (name, span) in self.list(key, names, MOST_OPERATIONS)? {
                let operation: Operation = match name.parse() {
                    Ok(operation) => operation,
                    Err(error @ SpaceError::Unknown { .. }) => return self.wrong(key, &span, error.to_string()),
                    Err(error) => return self.wrong(key, &span, format!("in `{name}`, {error}")),
                };
                if found.contains(&operation) {
                    let problem = format!("lists {name}, which `kernel` and `expansion` give already");
                    return self.wrong(key, &span, problem);
                }
                found.push(operation);
            }
        }
        if found.is_empty() {
            let problem = "names no operation: give `operations`, or `kernel` and `expansion`";
            return self.wrong("stage", &entry.span(), problem);
        }
        if found.len() > MOST_OPERATIONS {
            let problem = format!("has {} operations to choose from: {MOST_OPERATIONS} are the most", found.len());
            return self.wrong("stage", &entry.span(), problem);
        }
        Ok(found)
    }
}
