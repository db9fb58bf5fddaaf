//! Description of an image's pixels: [`ImageSpec`].

use crate::error::{Error, Result};
use crate::sample::{DataType, Nodata, SampleKind};

/// Photometric interpretation: how samples are displayed as colors (tag 262, TIFF 6.0 sections 3 to 23).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Photometric {
    /// 0: grayscale, the smallest value is white.
    MinIsWhite,
    /// 1: grayscale or no color at all, the smallest value is black.
    MinIsBlack,
    /// 2: the first three bands are red, green, and blue.
    Rgb,
    /// 3: the first band is an index into the color map.
    Palette,
    /// 5: the first four bands are inks, usually cyan, magenta, yellow, and black.
    Separated,
    /// 8: CIE L*a*b*, signed a* and b*.
    CieLab,
    /// 9: CIE L*a*b* as ICC encodes it.
    IccLab,
}

impl Photometric {
    /// Returns the number of leading bands that hold the color; further bands are extra samples.
    #[must_use]
    pub const fn color_bands(self) -> u16 {
        match self {
            Self::MinIsWhite | Self::MinIsBlack | Self::Palette => 1,
            Self::Rgb | Self::CieLab | Self::IccLab => 3,
            Self::Separated => 4,
        }
    }

    /// Returns the value of tag 262.
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

/// Meaning of a band beyond the color bands (tag 338, TIFF 6.0 section 18).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ExtraSample {
    /// 0: unspecified.
    Unspecified,
    /// 1: alpha, premultiplied into the colors.
    AssociatedAlpha,
    /// 2: alpha, not premultiplied into the colors.
    UnassociatedAlpha,
}

impl ExtraSample {
    /// Returns the value in tag 338.
    #[must_use]
    pub const fn code(self) -> u16 {
        match self {
            Self::Unspecified => 0,
            Self::AssociatedAlpha => 1,
            Self::UnassociatedAlpha => 2,
        }
    }
}

/// Description of a raster's pixels: size, bands, type, nodata, mask, and colors.
///
/// Each field has a method that sets it, and can also be read and assigned. All are checked when a
/// [`CogPlan`](crate::CogPlan) is made from the spec.
///
/// ```
/// use cogsmith::{DataType, ImageSpec};
/// let spec = ImageSpec::new(10980, 10980, 4, DataType::U16).nodata(0u64).mask(true);
/// assert_eq!((spec.width, spec.bands), (10980, 4));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct ImageSpec {
    /// Columns at full resolution, at least 1.
    pub width: u32,
    /// Rows at full resolution, at least 1.
    pub height: u32,
    /// Bands (samples per pixel), at least 1.
    pub bands: u16,
    /// Type of all samples.
    pub data_type: DataType,
    /// Bits per sample in the file, if fewer than the type has: 1 to 7 for `u8`, 9 to 15 for `u16`, 17 to 31 for `u32`
    /// (GDAL's NBITS). `None`: all bits of the type.
    pub bits_per_sample: Option<u16>,
    /// Value of pixels without data (tag 42113), the same for all bands.
    pub nodata: Option<Nodata>,
    /// `true` if the source provides a mask: one byte per pixel, 0 = invalid, anything else = valid.
    pub mask: bool,
    /// Photometric interpretation.
    pub photometric: Photometric,
    /// Meaning of the bands beyond the color bands, in order. Missing entries are [`ExtraSample::Unspecified`].
    pub extra_samples: Vec<ExtraSample>,
    /// `true` if the band tagged as alpha acts as alpha: it weights the colors in overviews, and pixels where it is 0
    /// count neither there nor in statistics. Use `false` if a data band carries the tag for readers only.
    pub alpha_weighs: bool,
    /// Color map of [`Photometric::Palette`]: all reds, then all greens, then all blues, each 2^bits values of 16 bits
    /// (TIFF 6.0 section 5). Empty without a palette. Grayscale images may have one too; GDAL then treats them as
    /// palette images.
    pub color_map: Vec<u16>,
    /// Columns and rows of the overviews that the source can deliver besides full resolution, for
    /// [`Overviews::Existing`](crate::Overviews::Existing). Empty if it has none.
    pub overviews: Vec<(u32, u32)>,
}

impl ImageSpec {
    /// Returns a spec without nodata, mask, palette, and alpha. Three `u8` bands are red, green, and blue, as in GDAL;
    /// other images have no color.
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
            overviews: Vec::new(),
        }
    }

    /// Sets the number of columns.
    pub fn width(mut self, width: u32) -> Self {
        self.width = width;
        self
    }

    /// Sets the number of rows.
    pub fn height(mut self, height: u32) -> Self {
        self.height = height;
        self
    }

    /// Sets the number of bands.
    pub fn bands(mut self, bands: u16) -> Self {
        self.bands = bands;
        self
    }

    /// Sets the type of all samples.
    pub fn data_type(mut self, data_type: DataType) -> Self {
        self.data_type = data_type;
        self
    }

    /// Sets the bits per sample in the file. Default (`None`): all bits of the type.
    pub fn bits_per_sample(mut self, bits: impl Into<Option<u16>>) -> Self {
        self.bits_per_sample = bits.into();
        self
    }

    /// Sets the value of pixels without data, in all bands. Default: none.
    pub fn nodata(mut self, nodata: impl Into<Nodata>) -> Self {
        self.nodata = Some(nodata.into());
        self
    }

    /// Sets whether the source provides a mask. Default: `false`.
    pub fn mask(mut self, mask: bool) -> Self {
        self.mask = mask;
        self
    }

    /// Sets the photometric interpretation. Default: RGB for three `u8` bands, and otherwise no color.
    pub fn photometric(mut self, photometric: Photometric) -> Self {
        self.photometric = photometric;
        self
    }

    /// Sets the meaning of the bands beyond the color bands. Default: unspecified.
    pub fn extra_samples(mut self, extra_samples: impl Into<Vec<ExtraSample>>) -> Self {
        self.extra_samples = extra_samples.into();
        self
    }

    /// Sets whether the band tagged as alpha acts as alpha. Default: `true`.
    pub fn alpha_weighs(mut self, alpha_weighs: bool) -> Self {
        self.alpha_weighs = alpha_weighs;
        self
    }

    /// Sets the color map: all reds, then all greens, then all blues. Default: empty.
    pub fn color_map(mut self, color_map: impl Into<Vec<u16>>) -> Self {
        self.color_map = color_map.into();
        self
    }

    /// Sets the sizes of the overviews that the source can [deliver](crate::PixelSource::take_overviews). Default: none.
    pub fn overviews(mut self, sizes: impl Into<Vec<(u32, u32)>>) -> Self {
        self.overviews = sizes.into();
        self
    }

    /// Returns the bits per sample in the file.
    #[must_use]
    pub fn bits(&self) -> u16 {
        self.bits_per_sample.unwrap_or(self.data_type.bits())
    }

    /// Returns whether samples are indices into a color map rather than quantities.
    #[must_use]
    pub fn has_color_map(&self) -> bool {
        !self.color_map.is_empty()
    }

    /// Returns the nodata value if samples of this width can hold it: 65535 is out of range for 12 bits.
    pub(crate) fn nodata_in_range(&self) -> Option<Nodata> {
        let largest = self.bits_per_sample.map_or(f64::INFINITY, |bits| 2f64.powi(bits.into()) - 1.0);
        self.nodata.filter(|nodata| nodata.as_f64().is_nan() || nodata.as_f64() <= largest)
    }

    /// Checks that the description is consistent.
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
                    "{bits} bits per sample is out of range for {}: u8 takes 1 to 7, u16 9 to 15, u32 17 to 31",
                    self.data_type
                )));
            }
        }
        let color_bands = self.photometric.color_bands();
        if self.bands < color_bands {
            return Err(Error::image(format!(
                "photometric interpretation {:?} needs {color_bands} bands, but there are {}",
                self.photometric, self.bands
            )));
        }
        let extra = self.bands - color_bands;
        if self.extra_samples.len() > usize::from(extra) {
            return Err(Error::image(format!(
                "{} extra samples for {extra} bands beyond the color bands",
                self.extra_samples.len()
            )));
        }
        if self.photometric == Photometric::Palette || self.has_color_map() {
            let bits = self.bits();
            if self.photometric.color_bands() != 1 {
                return Err(Error::image(format!(
                    "a color map needs a single color band, but photometric interpretation {:?} has {}",
                    self.photometric,
                    self.photometric.color_bands()
                )));
            }
            if self.data_type.kind() != SampleKind::Unsigned || bits > 16 {
                return Err(Error::image(format!(
                    "a palette needs unsigned samples of at most 16 bits, not {bits}-bit {}",
                    self.data_type
                )));
            }
            let expected = 3usize << bits;
            if self.color_map.len() != expected {
                return Err(Error::image(format!(
                    "a palette of {bits} bits needs {expected} color map values, but there are {}",
                    self.color_map.len()
                )));
            }
        }
        Ok(())
    }

    /// Returns the index of the band that acts as alpha, counted from 0, and its kind.
    pub(crate) fn alpha_band(&self) -> Option<(usize, ExtraSample)> {
        self.tagged_alpha().filter(|_| self.alpha_weighs)
    }

    /// Returns the index of the first band tagged as alpha, counted from 0, and its kind.
    pub(crate) fn tagged_alpha(&self) -> Option<(usize, ExtraSample)> {
        let mut extras = self.extra_samples.iter().enumerate();
        let (index, kind) = extras.find(|(_, kind)| **kind != ExtraSample::Unspecified)?;
        Some((usize::from(self.photometric.color_bands()) + index, *kind))
    }

    /// Returns the meaning of every band beyond the color bands, with missing entries filled in.
    pub(crate) fn all_extra_samples(&self) -> Vec<ExtraSample> {
        let mut all = self.extra_samples.clone();
        all.resize(usize::from(self.bands - self.photometric.color_bands()), ExtraSample::Unspecified);
        all
    }
}
