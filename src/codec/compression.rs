//! A codec and its parameter: [`Compression`].

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};
use crate::names;

use super::table::{self, Codec};

/// The default DEFLATE level.
pub const DEFAULT_DEFLATE_LEVEL: u8 = 6;
/// The default ZSTD level, the same as GDAL's.
pub const DEFAULT_ZSTD_LEVEL: u8 = 9;

/// Tile compression (tag 259) and its parameter. All codecs are lossless. [`codec`](Self::codec) describes each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Compression {
    /// Code 1: uncompressed.
    None,
    /// Code 5: LZW (TIFF 6.0 section 13). Supported by every reader; fast, but files are larger than with DEFLATE.
    Lzw,
    /// Code 8: DEFLATE in zlib format (Adobe Photoshop TIFF Technical Notes). Supported by every reader.
    Deflate {
        /// 1 (fastest) to 9 (smallest). At level 6, images of up to 1 MiB are compressed at level 7, which adds a few
        /// milliseconds.
        level: u8,
    },
    /// Code 50000: Zstandard. Smaller and faster than DEFLATE, but not supported by browsers and readers older than
    /// GDAL 2.3.
    Zstd {
        /// 1 (fastest) to 22 (smallest).
        level: u8,
    },
}

impl Compression {
    /// DEFLATE at [`DEFAULT_DEFLATE_LEVEL`].
    pub const DEFLATE: Self = Self::Deflate { level: DEFAULT_DEFLATE_LEVEL };
    /// ZSTD at [`DEFAULT_ZSTD_LEVEL`].
    pub const ZSTD: Self = Self::Zstd { level: DEFAULT_ZSTD_LEVEL };
    /// All codecs, with the default values of their parameters.
    pub const ALL: &'static [Self] = &[Self::None, Self::Lzw, Self::DEFLATE, Self::ZSTD];

    /// Returns the row of the codec table, and the value of the parameter; 0 if the codec has none.
    const fn row(self) -> (&'static Codec, u8) {
        match self {
            Self::None => (&table::NONE, 0),
            Self::Lzw => (&table::LZW, 0),
            Self::Deflate { level } => (&table::DEFLATE, level),
            Self::Zstd { level } => (&table::ZSTD, level),
        }
    }

    /// Returns the description of the codec.
    #[must_use]
    pub const fn codec(self) -> &'static Codec {
        self.row().0
    }

    /// Returns the value of tag 259.
    #[must_use]
    pub const fn code(self) -> u16 {
        self.codec().code
    }

    /// Returns the name of the codec, such as `deflate`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.codec().name
    }

    /// Returns the names of all codecs, in the order of [`ALL`](Self::ALL).
    pub fn names() -> impl ExactSizeIterator<Item = &'static str> + Clone {
        Self::ALL.iter().map(|compression| compression.name())
    }

    /// Returns the value of the codec's parameter; `None` if it has none.
    #[must_use]
    pub const fn parameter(self) -> Option<u8> {
        let (codec, value) = self.row();
        if codec.parameter.is_some() { Some(value) } else { None }
    }

    /// Sets a parameter by its name, such as `level`.
    ///
    /// ```
    /// use cogsmith::Compression;
    /// assert_eq!(Compression::ZSTD.with_parameter("level", 15)?, Compression::Zstd { level: 15 });
    /// assert!(Compression::Lzw.with_parameter("level", 15).is_err());
    /// # Ok::<(), cogsmith::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::InvalidOption`](crate::ErrorKind::InvalidOption) if the codec has no such parameter, or the value is
    /// out of range.
    pub fn with_parameter(self, name: &str, value: u32) -> Result<Self> {
        let parameter = |compression: &Self| compression.codec().parameter.filter(|parameter| parameter.name == name);
        let Some(known) = Self::ALL.iter().find_map(parameter) else {
            return Err(Error::option("compress", format!("no codec has a parameter '{name}'")));
        };
        let Some(own) = parameter(&self) else {
            let others = Self::ALL.iter().filter(|other| parameter(other).is_some());
            let others: Vec<_> = others.map(|other| other.name()).collect();
            let reason = format!("has no effect with codec {self}; leave it out, or use {}", names::any_of(&others));
            return Err(Error::option(known.name, reason));
        };
        Ok(self.with_value(own.check(self.codec(), value)?))
    }

    /// Returns the codec with another value of its parameter, which is ignored if it has none.
    pub(crate) fn with_value(self, value: u8) -> Self {
        (self.codec().compression)(value)
    }

    /// Checks the range of the parameter.
    pub(crate) fn validate(self) -> Result<()> {
        let (codec, value) = self.row();
        codec.parameter.map_or(Ok(()), |parameter| parameter.check(codec, value.into()).map(drop))
    }

    /// Checks that this build has an encoder.
    pub(crate) fn check_available(self) -> Result<()> {
        self.codec().unavailable.map_or(Ok(()), |reason| Err(Error::option("compress", reason)))
    }

    /// Returns the codec with the effort for small images: the default value of the parameter is raised.
    pub(crate) fn for_small_image(self) -> Self {
        let (codec, value) = self.row();
        match (codec.parameter, codec.small_image) {
            (Some(parameter), Some(more)) if value == parameter.default => self.with_value(more),
            _ => self,
        }
    }

    /// Returns the codec with the effort at which predictors are compared.
    pub(crate) fn for_trial(self) -> Self {
        let (codec, value) = self.row();
        self.with_value(value.min(codec.trial_max))
    }
}

/// The name of the codec, without its parameter.
impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Parses the name of a codec in either case. The parameter gets its default value.
impl FromStr for Compression {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        names::parse("compress", text, Self::ALL, Self::name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_set_by_name_within_their_range() {
        for &compression in Compression::ALL {
            compression.validate().unwrap();
            let Some(parameter) = compression.codec().parameter else {
                assert_eq!(compression.parameter(), None);
                let error = compression.with_parameter("level", 1).unwrap_err().to_string();
                assert!(
                    error.contains("'level': has no effect with codec") && error.contains("deflate or zstd"),
                    "{error}"
                );
                continue;
            };
            assert_eq!(compression.parameter(), Some(parameter.default));
            for value in [parameter.min, parameter.max] {
                let set = compression.with_parameter(parameter.name, value.into()).unwrap();
                assert_eq!((set.codec().name, set.parameter()), (compression.name(), Some(value)));
                set.validate().unwrap();
            }
            for value in [u32::from(parameter.min) - 1, u32::from(parameter.max) + 1, 1000] {
                let error = compression.with_parameter(parameter.name, value).unwrap_err().to_string();
                let range =
                    format!("{value} is out of range for {compression} ({} to {})", parameter.min, parameter.max);
                assert!(error.contains(&range), "{error}");
            }
            assert!(compression.with_value(parameter.max + 1).validate().is_err());
        }
        assert!(Compression::DEFLATE.with_parameter("quality", 1).unwrap_err().to_string().contains("quality"));
    }

    #[test]
    fn rows_of_the_table_belong_to_their_codec() {
        let mut codes: Vec<_> = Compression::ALL.iter().map(|compression| compression.code()).collect();
        for compression in Compression::ALL {
            assert_eq!(compression.with_value(compression.parameter().unwrap_or(0)), *compression);
        }
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), Compression::ALL.len());
    }

    #[test]
    fn only_the_default_grows_for_small_images() {
        assert_eq!(Compression::DEFLATE.for_small_image(), Compression::Deflate { level: 7 });
        for other in [Compression::None, Compression::Lzw, Compression::Deflate { level: 5 }, Compression::ZSTD] {
            assert_eq!(other.for_small_image(), other);
        }
        assert_eq!(Compression::Zstd { level: 22 }.for_trial(), Compression::Zstd { level: 9 });
        assert_eq!(Compression::Deflate { level: 9 }.for_trial(), Compression::Deflate { level: 9 });
    }
}
