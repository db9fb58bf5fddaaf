//! Rasters that can be encoded: pixels, and what is known about them.

#[cfg(feature = "geotiff")]
mod file;
#[cfg(feature = "geotiff")]
pub mod geotiff;
mod mask;

use crate::geo::{GeoRef, Metadata};
use crate::view::PixelSource;

pub use mask::MaskedSource;

/// A raster: pixels from top to bottom, where they lie, and what is said about them.
pub trait RasterSource: PixelSource {
    /// Where the raster lies.
    fn geo(&self) -> &GeoRef;

    /// What is said about it.
    fn metadata(&self) -> &Metadata;
}
