//! Rasters that can be encoded: pixels, and what is known about them.

pub mod file;
#[cfg(feature = "geotiff")]
pub mod geotiff;

use crate::geo::{GeoRef, Metadata};
use crate::view::PixelSource;

pub use file::ReadAt;

/// A raster: pixels from top to bottom, where they lie, and what is said about them.
pub trait RasterSource: PixelSource {
    /// Where the raster lies.
    fn geo(&self) -> &GeoRef;

    /// What is said about it.
    fn metadata(&self) -> &Metadata;
}
