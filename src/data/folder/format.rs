//! Which picture format bytes are of: by how they begin, never by a name.

/// A picture format that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// Portable Network Graphics; of an animated one the still picture.
    Png,
    /// JPEG, baseline or progressive.
    Jpeg,
    /// Windows bitmap.
    Bmp,
    /// WebP, lossy or lossless; of an animation the first frame.
    WebP,
    /// GIF; the first frame.
    Gif,
    /// TIFF; the first page.
    Tiff,
    /// PBM, PGM, PPM, PAM.
    Pnm,
}

/// Endings of the names of pictures, of formats that are read and of others that people have.
const ENDINGS: [&str; 30] = [
    "png", "apng", "jpg", "jpeg", "jpe", "jfif", "bmp", "dib", "webp", "gif", "tif", "tiff", "pbm", "pgm", "ppm",
    "pnm", "pam", "heic", "heif", "avif", "jxl", "jp2", "j2k", "tga", "ico", "qoi", "exr", "dds", "hdr", "svg",
];

impl Format {
    /// So many bytes of a file's beginning are enough for [`Format::of`].
    pub const START: usize = 32;

    /// The format of a file that begins with `start`.
    pub fn of(start: &[u8]) -> Option<Self> {
        let at = |range: std::ops::Range<usize>| start.get(range).unwrap_or_default();
        match start {
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(Self::Png),
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(Self::Gif),
            [b'R', b'I', b'F', b'F', ..] if at(8..12) == b"WEBP" => Some(Self::WebP),
            [b'I', b'I', 42, 0, ..] | [b'M', b'M', 0, 42, ..] => Some(Self::Tiff),
            // Two letters begin texts too. The size of a bitmap's second header is one of a few.
            [b'B', b'M', ..] if matches!(at(14..18), [12 | 16 | 40 | 52 | 56 | 64 | 108 | 124, 0, 0, 0]) => {
                Some(Self::Bmp)
            }
            [b'P', b'1'..=b'6', space, next, ..]
                if space.is_ascii_whitespace()
                    && (next.is_ascii_digit() || next.is_ascii_whitespace() || *next == b'#') =>
            {
                Some(Self::Pnm)
            }
            [b'P', b'7', b'\n', ..] => Some(Self::Pnm),
            _ => None,
        }
    }

    /// Its name, for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Png => "PNG",
            Self::Jpeg => "JPEG",
            Self::Bmp => "BMP",
            Self::WebP => "WebP",
            Self::Gif => "GIF",
            Self::Tiff => "TIFF",
            Self::Pnm => "PNM",
        }
    }

    /// Whether a file's name promises a picture, be it one that cannot be read.
    pub fn promised_by(name: &str) -> bool {
        name.rsplit_once('.').is_some_and(|(_, ending)| ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known)))
    }

    /// Endings of the names of pictures.
    pub fn endings() -> &'static [&'static str] {
        &ENDINGS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_begin_like_a_picture_are_none() {
        for text in ["BMW and others", "P1 is the first", "P5: see below", "RIFFraff", "", "P7", "GIF is", "II*"] {
            assert_eq!(Format::of(text.as_bytes()), None, "{text}");
        }
        assert_eq!(Format::of(b"P2\n# made by hand\n1 1\n15\n3"), Some(Format::Pnm));
        assert_eq!(Format::of(b"P6 2 2 255\n"), Some(Format::Pnm));
    }

    #[test]
    fn a_name_promises_a_picture_by_its_ending() {
        assert!(Format::promised_by("a.b.JPeG") && Format::promised_by("IMG_1.HEIC"));
        assert!(!Format::promised_by("png") && !Format::promised_by("notes.txt"));
    }
}
