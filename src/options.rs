//! How to write: [`EncodeOptions`].

use crate::error::{Error, Result};
use crate::names::{any_of, named};

pub use crate::codec::{Codec, CodecParameter, Compression, DEFAULT_DEFLATE_LEVEL, DEFAULT_ZSTD_LEVEL, Predictor};
pub use crate::grid::{Interleave, MAX_TILE_SIDE, TileSize};

/// Which overviews are made.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Overviews {
    /// Each level half the one before (whole-number division, at least 1), until both sides fit one tile of full
    /// resolution: the rule of GDAL's COG driver.
    #[default]
    Auto,
    /// None.
    None,
    /// This many levels by the rule of [`Auto`](Self::Auto), fewer where a level is already 1x1.
    Count(u32),
    /// Shrink factors relative to full resolution, growing, each at least 2; sizes are rounded up, as `gdaladdo` does.
    /// Factors that would give a level no smaller than the one before are left out.
    Factors(Vec<u32>),
    /// None is made: they are finished already, and [`encode_levels`](crate::encode_levels) gets them. Columns and rows
    /// of each, no more of either than the level before it has, and fewer of one of them. A kernel that is given says how
    /// they were made.
    Finished(Vec<(u32, u32)>),
}

/// How pixels of an overview are computed from the level before it.
///
/// The ratio of a kernel is the size of the source level divided by the size of the overview, along each axis. A pixel
/// that is masked, equals nodata or is NaN is missing: it never contributes to an overview pixel. Where an overview
/// pixel has no valid source pixel, it is nodata; without a nodata value it is NaN if NaN is why, and 0 under the mask
/// otherwise. A computed value that happens to equal nodata moves by the smallest step. Every rule, and how it compares
/// with GDAL's, stands in `docs/resampling.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Resampling {
    /// The pixel at `floor(0.5 + position * ratio)` along each axis, with its own validity: at a ratio of 2 the upper
    /// left one of four. Takes any type.
    Nearest,
    /// The mean of the valid pixels that the overview pixel covers, weighted by the covered area; valid if any of them
    /// is. Whole numbers are rounded, halves away from zero. On palettes the entry nearest to the mean colour, the
    /// first of equally near ones. On complex samples the mean of both parts, of whole pixels.
    Average,
    /// The square root of the mean of squares over the same pixels as [`Average`](Self::Average), with the same
    /// validity. Whole numbers are rounded. On palettes and complex samples as there.
    Rms,
    /// A triangle of the ratio's width on either side; valid if the weights of the valid pixels add up to more than
    /// zero. Not for palettes and complex samples, like the next three.
    Bilinear,
    /// Catmull-Rom (a = -0.5), twice the ratio wide on either side; valid where, along each axis, at least half of the
    /// pixels that the kernel looks at are valid in one run. Values may overshoot; they are clamped to the type.
    Cubic,
    /// The cubic B-spline, twice the ratio wide on either side: smooth, and never beyond the values it is made from.
    /// Validity as [`Bilinear`](Self::Bilinear).
    CubicSpline,
    /// The sinc function windowed by a sinc, three times the ratio wide on either side. Validity as
    /// [`Cubic`](Self::Cubic).
    Lanczos,
    /// The most frequent value of the valid pixels that the overview pixel touches; of equally frequent ones, the
    /// first to reach the count, row by row. Valid if any of them is. Not for complex samples.
    Mode,
    /// Binomial weights over 3x3 pixels up to a ratio of 2, 5x5 up to 4, 7x7 beyond, starting at the upper left pixel
    /// that is covered at whole ratios: so it is not symmetric. Valid if any of them is. Not for palettes and complex
    /// samples, like the next three.
    Gauss,
    /// The smallest valid value that the overview pixel touches. Valid if any is.
    Min,
    /// The largest valid value that the overview pixel touches. Valid if any is.
    Max,
    /// The median of the valid values that the overview pixel touches, the lower one of the two in the middle of an
    /// even count: always a value of the source. Valid if any is.
    Median,
}

named!(Resampling, "overview-resampling", {
    Nearest => "nearest",
    Average => "average",
    Rms => "rms",
    Bilinear => "bilinear",
    Cubic => "cubic",
    CubicSpline => "cubicspline",
    Lanczos => "lanczos",
    Mode => "mode",
    Gauss => "gauss",
    Min => "min",
    Max => "max",
    Median => "median",
});

impl Resampling {
    /// A kernel that makes the same mask from a mask: the first of those with the same rule.
    #[must_use]
    pub(crate) const fn mask_rule(self) -> Self {
        match self {
            Self::Average | Self::Rms | Self::Mode | Self::Min | Self::Max | Self::Median => Self::Average,
            other => other,
        }
    }

    /// Whether values are weighted means, rather than picked ones.
    pub(crate) const fn is_mean(self) -> bool {
        match self {
            Self::Nearest | Self::Mode | Self::Min | Self::Max | Self::Median => false,
            Self::Average
            | Self::Rms
            | Self::Gauss
            | Self::Bilinear
            | Self::Cubic
            | Self::CubicSpline
            | Self::Lanczos => true,
        }
    }

    /// How many pixels of the source level the kernel reaches to either side at a ratio of 1, for the kernels that
    /// are convolutions (GDAL `GWKGetFilterRadius`).
    #[must_use]
    pub(crate) const fn radius(self) -> Option<u8> {
        match self {
            Self::Bilinear => Some(1),
            Self::Cubic | Self::CubicSpline => Some(2),
            Self::Lanczos => Some(3),
            _ => None,
        }
    }
}

/// Where the mask of a file comes from; see [`MaskedSource`](crate::MaskedSource).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum MaskPolicy {
    /// The mask that the source has; none where it has none.
    #[default]
    Auto,
    /// No mask: that of the source is left out.
    None,
    /// A pixel is masked where every band is nodata or NaN, or where the source's own mask says so. The nodata value
    /// stays, since single bands of a valid pixel may still have no data.
    Nodata,
    /// A pixel is masked where its alpha is 0, or where the source's own mask says so. The alpha band is left out; what
    /// is half transparent becomes opaque.
    Alpha,
}

named!(MaskPolicy, "mask", { Auto => "auto", None => "none", Nodata => "nodata", Alpha => "alpha" });

/// Whether the file is a BigTIFF, which has no limit of 4 GiB, but isn't read by very old software.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum BigTiff {
    /// Only if the finished file needs it.
    #[default]
    Auto,
    /// Always.
    Yes,
    /// Never: a file that would need it is an error.
    No,
}

named!(BigTiff, "bigtiff", { Auto => "auto", Yes => "yes", No => "no" });

/// The side of tiles unless asked otherwise, in pixels.
pub const DEFAULT_TILE_SIDE: u32 = 512;

/// How a COG is written. Start from the default and change what is needed:
///
/// ```
/// use cogsmith::{Compression, EncodeOptions, Resampling};
/// let options = EncodeOptions {
///     compression: Compression::ZSTD,
///     resampling: Some(Resampling::Nearest),
///     ..EncodeOptions::default()
/// };
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct EncodeOptions {
    /// The size of tiles in pixels. Default: 512x512.
    pub tile_size: TileSize,
    /// The size of the overviews' tiles. Default: that of full resolution.
    pub overview_tile_size: Option<TileSize>,
    /// The codec. Default: DEFLATE, level 6.
    pub compression: Compression,
    /// The predictor. Default: by data type.
    pub predictor: Predictor,
    /// The layout of bands. Default: pixel.
    pub interleave: Interleave,
    /// The overviews. Default: halves until one tile holds all.
    pub overviews: Overviews,
    /// The kernel of all bands. Default (`None`): cubic, as GDAL's COG driver has it; nearest for palettes and complex
    /// samples.
    pub resampling: Option<Resampling>,
    /// A kernel for each band, as many as the image has, instead of [`resampling`](Self::resampling). Default (empty):
    /// one for all. With a mask or alpha, which all bands share, only kernels with the same rule of validity go together.
    pub band_resampling: Vec<Resampling>,
    /// The TIFF variant. Default: by the size of the finished file.
    pub big_tiff: BigTiff,
    /// Whether statistics of every band are computed from the pixels, in the same pass, and written as GDAL's
    /// `STATISTICS_…` items ([`BandStatistics`](crate::BandStatistics)); those of the metadata give way. Not for complex
    /// samples. Default: no.
    pub statistics: bool,
}

impl Default for EncodeOptions {
    fn default() -> Self {
        Self {
            tile_size: TileSize::square(DEFAULT_TILE_SIDE),
            overview_tile_size: None,
            compression: Compression::DEFLATE,
            predictor: Predictor::Auto,
            interleave: Interleave::Pixel,
            overviews: Overviews::Auto,
            resampling: None,
            band_resampling: Vec::new(),
            big_tiff: BigTiff::Auto,
            statistics: false,
        }
    }
}

impl EncodeOptions {
    /// Checks what can be checked without an image: ranges, and options that contradict each other.
    /// [`CogPlan::new`](crate::CogPlan::new) checks it too.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidOption`](crate::ErrorKind::InvalidOption).
    pub fn validate(&self) -> Result<()> {
        self.tile_size.validate("blocksize")?;
        if let Some(tile_size) = self.overview_tile_size {
            tile_size.validate("overview-blocksize")?;
        }
        self.compression.validate()?;
        self.check_predictor()?;
        match &self.overviews {
            Overviews::Count(0) => Err(Error::option("overview-count", "0 overviews: ask for none instead")),
            Overviews::Factors(factors) if factors.is_empty() => {
                Err(Error::option("overviews", "an empty list of factors: ask for none instead"))
            }
            Overviews::Factors(factors) => {
                let mut last = 1;
                for &factor in factors {
                    if factor <= last {
                        return Err(Error::option(
                            "overviews",
                            format!("factor {factor} after {last}: factors start at 2 or more and must grow"),
                        ));
                    }
                    last = factor;
                }
                Ok(())
            }
            // Sizes are compared with the image's, by the plan.
            Overviews::Auto | Overviews::None | Overviews::Count(_) | Overviews::Finished(_) => Ok(()),
        }
    }

    /// Refuses a predictor that was asked for and the codec does not take.
    fn check_predictor(&self) -> Result<()> {
        let codec = self.compression.codec();
        if codec.takes_predictor || matches!(self.predictor, Predictor::Auto | Predictor::None) {
            return Ok(());
        }
        let others = Compression::ALL.iter().filter(|other| other.codec().takes_predictor);
        let others: Vec<_> = others.map(|other| other.name()).collect();
        let (predictor, codec) = (self.predictor, codec.name);
        let others = any_of(&others);
        Err(Error::option(
            "predictor",
            format!("{predictor} has no effect on codec {codec}; leave it out, or choose {others}"),
        ))
    }
}
