//! How the files of a dataset are read, and what is too much.

use crate::data::{Fit, Reading};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// Settings of reading: group `data` of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ImagesConfig {
    /// The largest picture that is decoded, in pixels.
    pub most_pixels: u64,
    /// The largest file that is unpacked from an archive, in bytes.
    pub most_bytes: u64,
    /// The size that pictures are brought to: `none`, `32` or height and width as in `32x48`.
    pub resize: Resize,
    /// How a picture of another shape is brought to that size: `crop`, `pad` or `stretch`.
    pub fit: Fit,
    /// What lies behind transparent pixels and beside padded pictures: `white`, `black`, `grey` or `#rrggbb`.
    pub background: Background,
    /// Whether pictures that cannot be read are left out, and counted, instead of refused.
    pub skip_bad: bool,
    /// The most training images that are used: of each class its first ones, in proportion. 0: all, and not written down.
    #[serde(skip_serializing_if = "is_all")]
    pub limit: u32,
}

fn is_all(limit: &u32) -> bool {
    *limit == 0
}

impl Default for ImagesConfig {
    fn default() -> Self {
        Self {
            most_pixels: 4096 * 4096,
            most_bytes: 4 << 30,
            resize: Resize(None),
            fit: Fit::Crop,
            background: Background([255; 3]),
            skip_bad: false,
            limit: 0,
        }
    }
}

impl ImagesConfig {
    /// How one picture is read.
    pub fn reading(&self) -> Reading {
        let (Resize(resize), Background(background)) = (self.resize, self.background);
        Reading { most_pixels: self.most_pixels, background, resize, fit: self.fit }
    }
}

/// The largest side that pictures are brought to.
const MAX_SIDE: u32 = 65_535;

/// Height and width that pictures are brought to, if they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resize(pub Option<[u32; 2]>);

impl FromStr for Resize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.eq_ignore_ascii_case("none") {
            return Ok(Self(None));
        }
        let wrong = || {
            format!(
                "data.resize `{text}`: write one side in pixels, 1 to {MAX_SIDE}, or HEIGHTxWIDTH as in 32x48, or none"
            )
        };
        let side = |text: &str| text.trim().parse().ok().filter(|side| (1..=MAX_SIDE).contains(side)).ok_or_else(wrong);
        Ok(Self(Some(match text.split_once(['x', 'X', '×']) {
            Some((height, width)) => [side(height)?, side(width)?],
            None => [side(text)?; 2],
        })))
    }
}

impl fmt::Display for Resize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some([height, width]) => write!(f, "{height}x{width}"),
            None => f.write_str("none"),
        }
    }
}

/// A colour: red, green, blue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Background(pub [u8; 3]);

const COLOURS: [(&str, [u8; 3]); 4] = [("white", [255; 3]), ("black", [0; 3]), ("grey", [128; 3]), ("gray", [128; 3])];

impl FromStr for Background {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some((_, colour)) = COLOURS.iter().find(|(name, _)| text.eq_ignore_ascii_case(name)) {
            return Ok(Self(*colour));
        }
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6 && digits.is_ascii());
        let channel = |at: usize| digits.and_then(|digits| u8::from_str_radix(&digits[at..at + 2], 16).ok());
        match [channel(0), channel(2), channel(4)] {
            // A sign before a digit would be taken for a number too.
            [Some(r), Some(g), Some(b)] if !text.contains('+') => Ok(Self([r, g, b])),
            _ => Err(format!("data.background `{text}`: write white, black, grey or #rrggbb as in #ff8000")),
        }
    }
}

impl fmt::Display for Background {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [r, g, b] = self.0;
        match COLOURS.iter().find(|(_, colour)| *colour == self.0) {
            Some((name, _)) => f.write_str(name),
            None => write!(f, "#{r:02x}{g:02x}{b:02x}"),
        }
    }
}

impl Serialize for Resize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Resize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// One side may be a number.
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "data.resize is a side in pixels, a text as \"32x48\", or \"none\"")]
        enum Given {
            Side(i64),
            Text(String),
        }
        let text = match Given::deserialize(deserializer)? {
            Given::Side(side) => side.to_string(),
            Given::Text(text) => text,
        };
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl Serialize for Background {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Background {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_colours_are_read_as_they_are_written() {
        for (text, size) in
            [("none", None), ("32", Some([32, 32])), ("24x48", Some([24, 48])), ("24 × 48", Some([24, 48]))]
        {
            let resize: Resize = text.parse().unwrap();
            assert_eq!((resize, resize.to_string().parse()), (Resize(size), Ok(Resize(size))), "{text}");
        }
        for text in ["0", "32x", "-3", "x", "70000", "32x0", "1.5", ""] {
            assert!(text.parse::<Resize>().unwrap_err().contains("HEIGHTxWIDTH"), "{text}");
        }
        for (text, colour) in [("White", [255; 3]), ("gray", [128; 3]), ("#FF8001", [255, 128, 1])] {
            let background: Background = text.parse().unwrap();
            assert_eq!((background, background.to_string().parse()), (Background(colour), Ok(background)), "{text}");
        }
        for text in ["red", "#fff", "#ff80zz", "#+1+1+1", "#éé12", ""] {
            assert!(text.parse::<Background>().unwrap_err().contains("#rrggbb"), "{text}");
        }
    }

    #[test]
    fn settings_are_read_from_toml_and_written_back() {
        let read = |text: &str| toml::from_str::<ImagesConfig>(text);
        let config = read("resize = 32\nfit = \"pad\"\nbackground = \"black\"\nskip_bad = true").unwrap();
        assert_eq!(config.reading().resize, Some([32, 32]));
        assert_eq!((config.fit, config.background, config.skip_bad), (Fit::Pad, Background([0; 3]), true));
        assert_eq!(read(&toml::to_string(&config).unwrap()).unwrap(), config);
        assert_eq!(read("").unwrap(), ImagesConfig::default());
        assert_eq!(ImagesConfig::default().reading(), Reading::default());
        assert!(read("resize = true").unwrap_err().to_string().contains("data.resize"));
        assert!(read("fit = \"cut\"").unwrap_err().to_string().contains("crop"));
    }
}
