//! What the pixels are: [`ImageSpec`].

use crate::error::{Error, Result};
use crate::sample::{DataType, Nodata, SampleKind};

/// How samples are shown as colours (tag 262, TIFF 6.0 sections 3 to 23).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Photometric {
    /// 0: grey, the smallest value is white.
    MinIsWhite,
    /// 1: grey or no colour at all, the smallest value is black.
    MinIsBlack,
    /// 2: the first three bands are red, green and blue.
    Rgb,
    /// 3: the first band is an index into the colour map.
    Palette,
    /// 5: the first four bands are inks, usually cyan, magenta, yellow and black.
    Separated,
    /// 8: CIE L*a*b*, signed a* and b*.
    CieLab,
    /// 9: CIE L*a*b* as ICC encodes it.
    IccLab,
}

impl Photometric {
    /// The number of leading bands that carry the colour; further bands are extra samples.
    #[must_use]
    pub const fn color_bands(self) -> u16 {
        match self {
            Self::MinIsWhite | Self::MinIsBlack | Self::Palette => 1,
            Self::Rgb | Self::CieLab | Self::IccLab => 3,
            Self::Separated => 4,
        }
    }

    /// The value of tag 262.
    #[must_use]
    pub const fn code(self) -> u16 {
        match self {
            Self::MinIsWhite => 0,
            Self::MinIsBlack => 1,
            Self::Rgb => 2,
            Self::Palette => 3,
            Self::Separated => 5,
            Self::CieLab => 8,
            Self::IccLab => 9,
        }
    }
}

/// What a band beyond the colour bands means (tag 338, TIFF 6.0 section 18).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExtraSample {
    /// 0: no stated meaning.
    Unspecified,
    /// 1: alpha, colours are multiplied with it.
    AssociatedAlpha,
    /// 2: alpha, colours are not multiplied with it.
    UnassociatedAlpha,
}

impl ExtraSample {
    /// The value in tag 338.
    #[must_use]
    pub const fn code(self) -> u16 {
        match self {
            Self::Unspecified => 0,
            Self::AssociatedAlpha => 1,
            Self::UnassociatedAlpha => 2,
        }
    }
}

/// What the pixels of a raster are: size, bands, type, nodata, mask and colours.
///
/// Fields are public: an `ImageSpec` is a description that may be changed freely; it is checked once, when a
/// [`CogPlan`](crate::CogPlan) is made from it.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageSpec {
    /// Columns of full resolution, at least 1.
    pub width: u32,
    /// Rows of full resolution, at least 1.
    pub height: u32,
    /// Bands (samples per pixel), at least 1.
    pub bands: u16,
    /// The type of every sample.
    pub data_type: DataType,
    /// Bits of a sample in the file, where fewer than the type has: 1–7 for `u8`, 9–15 for `u16`, 17–31 for `u32`
    /// (GDAL's NBITS). `None`: all bits of the type.
    pub bits_per_sample: Option<u16>,
    /// The value of pixels without data (tag 42113), one for all bands.
    pub nodata: Option<Nodata>,
    /// Whether the source gives a mask: one byte per pixel, 0 = invalid, anything else = valid.
    pub mask: bool,
    /// How samples are shown as colours.
    pub photometric: Photometric,
    /// The meaning of the bands beyond the color bands, in order. Missing ones are [`ExtraSample::Unspecified`].
    pub extra_samples: Vec<ExtraSample>,
    /// Whether the band that is tagged as alpha is used as alpha: it weighs the colors in overviews, and pixels where it
    /// is 0 count neither there nor in statistics. `false` for a tag that serves readers alone, on a band of quantities.
    pub alpha_weighs: bool,
    /// The colour map of [`Photometric::Palette`]: all reds, then all greens, then all blues, each 2^bits values of
    /// 16 bits (TIFF 6.0 section 5). Empty without a palette. Grey images may have one too, which GDAL then takes for a
    /// palette.
    pub color_map: Vec<u16>,
}

impl ImageSpec {
    /// Returns a spec without nodata, mask, palette and alpha. Three bands of `u8` are red, green and blue, as in GDAL;
    /// any others have no color.
    #[must_use]
    pub fn new(width: u32, height: u32, bands: u16, data_type: DataType) -> Self {
        let is_rgb = data_type == DataType::U8 && bands == 3;
        let photometric = if is_rgb { Photometric::Rgb } else { Photometric::MinIsBlack };
        Self {
            width,
            height,
            bands,
            data_type,
            bits_per_sample: None,
            nodata: None,
            mask: false,
            photometric,
            extra_samples: Vec::new(),
            alpha_weighs: true,
            color_map: Vec::new(),
        }
    }

    /// Bits of a sample in the file.
    #[must_use]
    pub fn bits(&self) -> u16 {
        self.bits_per_sample.unwrap_or(self.data_type.bits())
    }

    /// Whether samples are indices into a colour map rather than quantities.
    #[must_use]
    pub fn has_color_map(&self) -> bool {
        !self.color_map.is_empty()
    }

    /// The nodata value, if samples of this width can have it at all: 65535 is no value of 12 bits.
    pub(crate) fn nodata_in_range(&self) -> Option<Nodata> {
        let largest = self.bits_per_sample.map_or(f64::INFINITY, |bits| 2f64.powi(bits.into()) - 1.0);
        self.nodata.filter(|nodata| nodata.as_f64().is_nan() || nodata.as_f64() <= largest)
    }

    /// Checks that the description does not contradict itself.
    pub(crate) fn validate(&self) -> Result<()> {
        if self.width == 0 || self.height == 0 || self.bands == 0 {
            return Err(Error::image(format!(
                "size {}x{} with {} bands: width, height and bands must be at least 1",
                self.width, self.height, self.bands
            )));
        }
        // GDAL and libtiff count pixels with signed 32-bit integers.
        let largest = self.width.max(self.height);
        if i32::try_from(largest).is_err() {
            return Err(Error::limit("image side in pixels", largest.into(), i32::MAX as u64));
        }
        if let Some(bits) = self.bits_per_sample {
            let fits = matches!(
                (self.data_type, bits),
                (DataType::U8, 1..=7) | (DataType::U16, 9..=15) | (DataType::U32, 17..=31)
            );
            if !fits {
                return Err(Error::image(format!(
                    "{bits} bits per sample with type {}: u8 takes 1-7, u16 9-15, u32 17-31",
                    self.data_type
                )));
            }
        }
        let color_bands = self.photometric.color_bands();
        if self.bands < color_bands {
            return Err(Error::image(format!(
                "photometric interpretation {:?} needs {color_bands} bands, there are {}",
                self.photometric, self.bands
            )));
        }
        let extra = self.bands - color_bands;
        if self.extra_samples.len() > usize::from(extra) {
            return Err(Error::image(format!(
                "{} extra samples are described, but only {extra} bands lie beyond the colours",
                self.extra_samples.len()
            )));
        }
        if self.photometric == Photometric::Palette || self.has_color_map() {
            let bits = self.bits();
            if self.photometric.color_bands() != 1 {
                return Err(Error::image(format!(
                    "a colour map needs one band of indices, photometric interpretation {:?} has {}",
                    self.photometric,
                    self.photometric.color_bands()
                )));
            }
            if self.data_type.kind() != SampleKind::Unsigned || bits > 16 {
                return Err(Error::image(format!(
                    "a palette needs unsigned samples of at most 16 bits, these are {bits}-bit {}",
                    self.data_type
                )));
            }
            let expected = 3usize << bits;
            if self.color_map.len() != expected {
                return Err(Error::image(format!(
                    "a palette of {bits} bits needs {expected} colour map values, there are {}",
                    self.color_map.len()
                )));
            }
        }
        Ok(())
    }

    /// Returns the band that is used as alpha, counted from 0, and its kind.
    pub(crate) fn alpha_band(&self) -> Option<(usize, ExtraSample)> {
        self.tagged_alpha().filter(|_| self.alpha_weighs)
    }

    /// Returns the first band that is tagged as alpha, counted from 0, and its kind.
    pub(crate) fn tagged_alpha(&self) -> Option<(usize, ExtraSample)> {
        let mut extras = self.extra_samples.iter().enumerate();
        let (index, kind) = extras.find(|(_, kind)| **kind != ExtraSample::Unspecified)?;
        Some((usize::from(self.photometric.color_bands()) + index, *kind))
    }

    /// The meaning of every band beyond the colours, missing ones filled in.
    pub(crate) fn all_extra_samples(&self) -> Vec<ExtraSample> {
        let mut all = self.extra_samples.clone();
        all.resize(usize::from(self.bands - self.photometric.color_bands()), ExtraSample::Unspecified);
        all
    }
}
