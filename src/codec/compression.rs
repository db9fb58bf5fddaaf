//! A codec and its parameters: [`Compression`].

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, ErrorKind, OptionField, Result};
use crate::names::{self, named};

use super::parameter::{CodecParameter, ParameterValue};
use super::table::{self, Codec};

/// The default DEFLATE level.
pub const DEFAULT_DEFLATE_LEVEL: u8 = 6;
/// The default ZSTD level, the same as GDAL's.
pub const DEFAULT_ZSTD_LEVEL: u8 = 9;
/// The default JPEG quality, the same as GDAL's.
pub const DEFAULT_JPEG_QUALITY: u8 = 75;

/// Chroma subsampling of JPEG (tag 530): pixels that share one value of Cb and Cr.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Subsampling {
    /// 4:2:0 for YCbCr, as in GDAL; other components are never subsampled.
    #[default]
    Auto,
    /// 4:2:0: two columns and two rows. Smaller files; fine colored detail is blurred. Only for YCbCr.
    S420,
    /// 4:4:4: none.
    S444,
}

named!(Subsampling, JpegSubsampling, { Auto => "auto", S420 => "420", S444 => "444" });

/// Color space in which JPEG stores three bands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum JpegPhotometric {
    /// YCbCr for red, green, and blue with pixel interleave, as in GDAL. Other bands are stored as they are: converting
    /// bands that are not colors mixes them.
    #[default]
    Auto,
    /// YCbCr, whatever the three bands are. Readers then see them as red, green, and blue.
    Ycbcr,
}

named!(JpegPhotometric, Photometric, { Auto => "auto", Ycbcr => "ycbcr" });

/// Error bound of LERC, in the units of the samples: a finite number of at least 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct MaxError(u64);

impl MaxError {
    /// No error.
    pub const ZERO: Self = Self(0);

    /// Makes a bound.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidOption`] for negative numbers and those that are not finite.
    pub fn new(value: f64) -> Result<Self> {
        if value.is_finite() && value >= 0.0 {
            return Ok(Self((value + 0.0).to_bits()));
        }
        Err(Error::option(OptionField::MaxZError, format!("{value} is not a finite number of at least 0")))
    }

    /// Returns the number.
    #[must_use]
    pub const fn value(self) -> f64 {
        f64::from_bits(self.0)
    }
}

/// Compression of LERC data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LercCompression {
    /// None.
    None,
    /// DEFLATE.
    Deflate {
        /// 1 (fastest) to 9 (smallest).
        level: u8,
    },
    /// Zstandard.
    Zstd {
        /// 1 (fastest) to 22 (smallest).
        level: u8,
    },
}

/// Tile compression (tag 259) and its parameters. [`codec`](Self::codec) describes each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Compression {
    /// Code 1: uncompressed.
    None,
    /// Code 5: LZW (TIFF 6.0 section 13). Supported by every reader; fast, but files are larger than with DEFLATE.
    Lzw,
    /// Code 32773: PackBits, runs of equal bytes (TIFF 6.0 section 9). Supported by every reader; hardly smaller than
    /// uncompressed files, except for masks and drawings.
    PackBits,
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
    /// Code 7: JPEG (Adobe TIFF Technical Note 2). Lossy; for `u8` imagery. The bytes of a tile are those of GDAL with
    /// libjpeg-turbo.
    Jpeg {
        /// 1 (smallest) to 100 (most similar to the source).
        quality: u8,
        /// Chroma subsampling.
        subsampling: Subsampling,
        /// Color space.
        photometric: JpegPhotometric,
    },
    /// Code 50001: WebP (RFC 9649), for three or four bands of `u8` without loss, and for three bands with loss in
    /// builds with the feature `webp-c`.
    WebP {
        /// 100, which is lossless, or less in builds with the feature `webp-c`.
        quality: u8,
    },
    /// Code 34887: LERC (Esri, codec version 4), samples within an error bound. The bytes of a tile are those of GDAL with
    /// libLerc. NaN is in the mask of LERC; pixels become nodata, or stop to be, in no tile, whose error is smaller where
    /// that needs it.
    Lerc {
        /// The largest error of a sample. For integers, values below 1 mean none.
        max_error: MaxError,
        /// Compression of the LERC data.
        compression: LercCompression,
    },
}

impl Compression {
    /// DEFLATE at [`DEFAULT_DEFLATE_LEVEL`].
    pub const DEFLATE: Self = Self::Deflate { level: DEFAULT_DEFLATE_LEVEL };
    /// ZSTD at [`DEFAULT_ZSTD_LEVEL`].
    pub const ZSTD: Self = Self::Zstd { level: DEFAULT_ZSTD_LEVEL };
    /// JPEG at [`DEFAULT_JPEG_QUALITY`].
    pub const JPEG: Self = table::JPEG_DEFAULT;
    /// WebP at GDAL's default quality, which is lossy.
    const WEBP: Self = Self::WebP { quality: DEFAULT_JPEG_QUALITY };
    /// WebP without loss.
    pub const WEBP_LOSSLESS: Self = Self::WebP { quality: super::webp::LOSSLESS_QUALITY };
    /// LERC without an error.
    pub const LERC: Self = Self::Lerc { max_error: MaxError::ZERO, compression: LercCompression::None };
    /// LERC without an error, in DEFLATE at [`DEFAULT_DEFLATE_LEVEL`].
    pub const LERC_DEFLATE: Self = Self::Lerc {
        max_error: MaxError::ZERO,
        compression: LercCompression::Deflate { level: DEFAULT_DEFLATE_LEVEL },
    };
    /// LERC without an error, in ZSTD at [`DEFAULT_ZSTD_LEVEL`].
    pub const LERC_ZSTD: Self =
        Self::Lerc { max_error: MaxError::ZERO, compression: LercCompression::Zstd { level: DEFAULT_ZSTD_LEVEL } };
    /// All codecs, with the default values of their parameters.
    pub const ALL: &'static [Self] = &[
        Self::None,
        Self::Lzw,
        Self::PackBits,
        Self::DEFLATE,
        Self::ZSTD,
        Self::JPEG,
        Self::WEBP,
        Self::LERC,
        Self::LERC_DEFLATE,
        Self::LERC_ZSTD,
    ];

    /// Returns the description of the codec.
    #[must_use]
    pub const fn codec(self) -> &'static Codec {
        match self {
            Self::None => &table::NONE,
            Self::Lzw => &table::LZW,
            Self::PackBits => &table::PACKBITS,
            Self::Deflate { .. } => &table::DEFLATE,
            Self::Zstd { .. } => &table::ZSTD,
            Self::Jpeg { .. } => &table::JPEG,
            Self::WebP { quality } if super::webp::is_lossy(quality) => &table::WEBP_LOSSY,
            Self::WebP { .. } => &table::WEBP,
            Self::Lerc { compression: LercCompression::None, .. } => &table::LERC,
            Self::Lerc { compression: LercCompression::Deflate { .. }, .. } => &table::LERC_DEFLATE,
            Self::Lerc { compression: LercCompression::Zstd { .. }, .. } => &table::LERC_ZSTD,
        }
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

    /// Returns the codec's parameters and their values.
    pub fn parameters(self) -> impl Iterator<Item = (&'static CodecParameter, ParameterValue<'static>)> {
        self.codec().parameters.iter().filter_map(move |parameter| Some((parameter, (parameter.get)(self)?)))
    }

    /// Returns the value of a parameter, such as `level`; `None` if the codec does not have it.
    #[must_use]
    pub fn parameter(self, name: &str) -> Option<ParameterValue<'static>> {
        self.parameters().find(|(parameter, _)| parameter.name == name).map(|(_, value)| value)
    }

    /// Sets a parameter by its name, such as `level`.
    ///
    /// ```
    /// use cogsmith::Compression;
    /// assert_eq!(Compression::ZSTD.with_parameter("level", 15u32)?, Compression::Zstd { level: 15 });
    /// assert!(Compression::Lzw.with_parameter("level", 15u32).is_err());
    /// assert!(Compression::JPEG.with_parameter("jpeg-subsampling", "444").is_ok());
    /// # Ok::<(), cogsmith::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::InvalidOption`](crate::ErrorKind::InvalidOption) if the codec has no such parameter, or the value is
    /// out of range.
    pub fn with_parameter<'a>(self, name: &str, value: impl Into<ParameterValue<'a>>) -> Result<Self> {
        let value = value.into();
        let find = |codec: Self| codec.codec().parameters.iter().find(|parameter| parameter.name == name);
        let Some(own) = find(self) else {
            let others: Vec<_> = Self::ALL.iter().filter(|other| find(**other).is_some()).collect();
            let Some(known) = others.first().and_then(|other| find(**other)) else {
                return Err(Error::option(OptionField::Compression, format!("no codec has a parameter '{name}'")));
            };
            let others: Vec<_> = others.iter().map(|other| other.name()).collect();
            let reason = format!("has no effect with codec {self}; leave it out, or use {}", names::any_of(&others));
            return Err(Error::option(known.field, reason));
        };
        own.check(self.codec(), value)?;
        (own.set)(self, value).ok_or_else(|| Error::option(own.field, "the value is of another kind"))
    }

    /// Returns the codec of the overviews of a file whose full resolution has this codec: `other` if it is given, with
    /// parameters of its own, otherwise this one. `parameters` replace some of its parameters; `None` if nothing differs.
    ///
    /// ```
    /// use cogsmith::Compression;
    /// assert_eq!(Compression::Zstd { level: 3 }.for_overviews(None, [])?, None);
    /// let jpeg = Compression::DEFLATE.for_overviews(Some(Compression::JPEG), [("quality", 60u8.into())])?;
    /// assert_eq!(jpeg, Some(Compression::JPEG.with_parameter("quality", 60u8)?));
    /// # Ok::<(), cogsmith::Error>(())
    /// ```
    ///
    /// # Errors
    /// The errors of [`with_parameter`](Self::with_parameter), for the options of overviews.
    pub fn for_overviews<'a>(
        self,
        other: Option<Self>,
        parameters: impl IntoIterator<Item = (&'a str, ParameterValue<'a>)>,
    ) -> Result<Option<Self>> {
        // As in GDAL, the same codec has the same parameters.
        let other = other.map(|other| if other.name() == self.name() { self } else { other });
        let of_overviews = |option| match option {
            OptionField::Level => OptionField::OverviewLevel,
            OptionField::Quality => OptionField::OverviewQuality,
            OptionField::MaxZError => OptionField::OverviewMaxZError,
            other => other,
        };
        let chosen = parameters.into_iter().try_fold(other.unwrap_or(self), |codec, (name, value)| {
            codec.with_parameter(name, value).map_err(|error| match error.kind() {
                ErrorKind::InvalidOption { option, reason, .. } => Error::option(of_overviews(*option), reason.clone()),
                _ => error,
            })
        })?;
        Ok(Some(chosen).filter(|chosen| *chosen != self))
    }

    /// Checks the ranges of the parameters.
    pub(crate) fn validate(self) -> Result<()> {
        self.parameters().try_for_each(|(parameter, value)| parameter.check(self.codec(), value))
    }

    /// Returns the codec with other values of its parameters, as [`CodecParameter::code`] returns them and unchecked;
    /// `None` if one has no such value.
    pub(crate) fn with_codes(self, mut next: impl FnMut() -> Result<u64>) -> Result<Option<Self>> {
        let mut changed = self;
        for parameter in self.codec().parameters {
            let Some(value) = parameter.value_of(next()?) else { return Ok(None) };
            let Some(with) = (parameter.set)(changed, value) else { return Ok(None) };
            changed = with;
        }
        Ok(Some(changed))
    }

    /// Returns whether this build has an encoder.
    #[must_use]
    pub fn is_available(self) -> bool {
        self.codec().unavailable.is_none()
    }

    /// Checks that this build has an encoder.
    pub(crate) fn check_available(self) -> Result<()> {
        self.codec().unavailable.map_or(Ok(()), |reason| Err(Error::option(OptionField::Compression, reason)))
    }

    /// Returns the codec with the effort for small images. At the default level of DEFLATE it is one level higher: tiles
    /// of small images have little history to match against, and the additional effort takes milliseconds.
    pub(crate) const fn for_small_image(self) -> Self {
        match self {
            Self::DEFLATE => Self::Deflate { level: DEFAULT_DEFLATE_LEVEL + 1 },
            other => other,
        }
    }

    /// Returns the codec with the effort at which predictors are compared: higher levels of ZSTD take long and give the
    /// same answer.
    pub(crate) const fn for_trial(self) -> Self {
        match self {
            Self::Zstd { level: DEFAULT_ZSTD_LEVEL.. } => Self::ZSTD,
            other => other,
        }
    }
}

/// The name of the codec, without its parameters.
impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Parses the name of a codec in either case. Its parameters get their default values.
impl FromStr for Compression {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        names::parse(OptionField::Compression, text, Self::ALL, Self::name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::parameter::ParameterRange;

    #[test]
    fn parameters_are_set_by_name_within_their_range() {
        for &compression in Compression::ALL {
            compression.validate().unwrap();
            let set = |name, value: ParameterValue<'_>| compression.with_parameter(name, value);
            for (parameter, value) in compression.parameters() {
                assert_eq!(value, parameter.default);
                match parameter.range {
                    ParameterRange::Integers { min, max } => {
                        for value in [min, max].map(ParameterValue::from) {
                            let changed = set(parameter.name, value).unwrap();
                            assert_eq!(changed.parameter(parameter.name), Some(value));
                            changed.validate().unwrap();
                        }
                        for value in [u32::from(min) - 1, u32::from(max) + 1, 1000] {
                            let error = set(parameter.name, value.into()).unwrap_err().to_string();
                            let range = format!("{value} is out of range for {compression} ({min} to {max})");
                            assert!(error.contains(&range), "{error}");
                        }
                        let outside = (parameter.set)(compression, (max + 1).into()).unwrap();
                        assert!(outside.validate().is_err());
                        assert!(set(parameter.name, "high".into()).unwrap_err().to_string().contains("not a number"));
                    }
                    ParameterRange::NotNegative => {
                        let changed = set(parameter.name, 0.25.into()).unwrap();
                        assert_eq!(changed.parameter(parameter.name), Some(0.25.into()));
                        assert_eq!(
                            set(parameter.name, 2u8.into()).unwrap().parameter(parameter.name),
                            Some(2.0.into())
                        );
                        for value in [-0.5, f64::NAN, f64::INFINITY] {
                            assert!(set(parameter.name, value.into()).is_err());
                        }
                    }
                    ParameterRange::Names(names) => {
                        for name in names {
                            let changed = set(parameter.name, name.to_ascii_uppercase().as_str().into()).unwrap();
                            assert_eq!(changed.parameter(parameter.name), Some((*name).into()));
                        }
                        assert!(set(parameter.name, "x".into()).unwrap_err().to_string().contains("not one of"));
                        assert!(set(parameter.name, 7u8.into()).unwrap_err().to_string().contains("7 is a number"));
                    }
                }
            }
        }
        let error = Compression::Lzw.with_parameter("level", 1u8).unwrap_err().to_string();
        assert!(
            error.contains("'level': has no effect with codec")
                && error.contains("deflate, zstd, lerc_deflate, or lerc_zstd"),
            "{error}"
        );
        assert!(Compression::DEFLATE.with_parameter("effort", 1u8).unwrap_err().to_string().contains("effort"));
    }

    #[test]
    fn rows_of_the_table_belong_to_their_codec() {
        let mut names: Vec<_> = Compression::names().collect();
        for &compression in Compression::ALL {
            let codes: Vec<_> = compression.parameters().map(|(parameter, value)| parameter.code(value)).collect();
            let mut codes = codes.into_iter();
            assert_eq!(compression.with_codes(|| Ok(codes.next().unwrap())).unwrap(), Some(compression));
        }
        assert_eq!(Compression::JPEG.with_codes(|| Ok(50)).unwrap(), None);
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Compression::ALL.len());
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
