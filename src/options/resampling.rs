//! Kernels by name: [`Resampling`].

use crate::names::named;

/// Kernel that computes the pixels of an overview from the previous level.
///
/// The ratio of a kernel is the size of the source level divided by the size of the overview, along each axis. A pixel
/// that is masked, equals nodata, or is NaN is invalid and never contributes to an overview pixel. An overview pixel
/// without a valid source pixel is nodata; without a nodata value, it is NaN if NaN is the cause, and otherwise 0 under
/// the mask. A computed value that happens to equal nodata is moved by the smallest possible step. `docs/resampling.md`
/// lists every rule and compares it with GDAL's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Resampling {
    /// The pixel at `floor(0.5 + position * ratio)` along each axis, with its own validity; at a ratio of 2, the
    /// upper-left one of four. Works with any type.
    Nearest,
    /// The mean of the valid pixels that the overview pixel covers, weighted by covered area; valid if any of them is.
    /// Integers are rounded, halves away from zero. For palettes, the entry nearest to the mean color (the first one if
    /// several are equally near). For complex samples, the mean of each part over whole pixels.
    Average,
    /// The square root of the mean of squares over the same pixels as [`Average`](Self::Average), with the same
    /// validity. Integers are rounded. Palettes and complex samples work as with `Average`.
    Rms,
    /// A triangle that extends one ratio to either side; valid if the weights of the valid pixels add up to more than
    /// zero. Not for palettes and complex samples, like the next three kernels.
    Bilinear,
    /// Catmull-Rom (a = -0.5), two ratios to either side; valid if, along each axis, at least half of the pixels under
    /// the kernel are valid in one contiguous run. Values may overshoot; they are clamped to the type.
    Cubic,
    /// Cubic B-spline, two ratios to either side: smooth, and never outside the range of its inputs. Validity as with
    /// [`Bilinear`](Self::Bilinear).
    CubicSpline,
    /// Sinc windowed by a sinc, three ratios to either side. Validity as with [`Cubic`](Self::Cubic).
    Lanczos,
    /// The most frequent value of the valid pixels that the overview pixel touches; ties go to the value that reaches
    /// the count first, row by row. Valid if any of them is. Not for complex samples.
    Mode,
    /// Binomial weights over 3x3 pixels up to a ratio of 2, 5x5 up to 4, 7x7 beyond. At whole ratios the weights start
    /// at the upper-left covered pixel, so they are not symmetric. Valid if any of them is. Not for palettes and
    /// complex samples, like the next three kernels.
    Gauss,
    /// The smallest valid value that the overview pixel touches. Valid if any of them is.
    Min,
    /// The largest valid value that the overview pixel touches. Valid if any of them is.
    Max,
    /// The median of the valid values that the overview pixel touches; of an even count, the lower of the middle two,
    /// so that it is always a value of the source. Valid if any of them is.
    Median,
}

named!(Resampling, Resampling, {
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
    /// Returns the first kernel with the same mask rule, which computes the same mask from a mask.
    #[must_use]
    pub(crate) const fn mask_rule(self) -> Self {
        match self {
            Self::Average | Self::Rms | Self::Mode | Self::Min | Self::Max | Self::Median => Self::Average,
            other => other,
        }
    }

    /// Returns whether values are weighted means rather than selected ones.
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

    /// Returns the reach of a convolution to either side at a ratio of 1, in pixels of the source level (GDAL
    /// `GWKGetFilterRadius`). `None` for other kernels.
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
