//! Raster sources: pixels, georeferencing, and metadata.

#[cfg(feature = "geotiff")]
mod file;
#[cfg(feature = "geotiff")]
pub mod geotiff;
mod mask;

use crate::geo::{GeoRef, Metadata};
use crate::view::PixelSource;

pub use mask::MaskedSource;

/// A raster: rows of pixels from top to bottom, with georeferencing and metadata.
pub trait RasterSource: PixelSource {
    /// Returns the georeferencing.
    fn geo(&self) -> &GeoRef;

    /// Returns the metadata.
    fn metadata(&self) -> &Metadata;
}
