//! Raster sources: pixels, georeferencing, and metadata.

#[cfg(feature = "geotiff")]
pub(crate) mod file;
#[cfg(feature = "geotiff")]
pub(crate) mod geotiff;
mod mask;
#[cfg(feature = "mosaic")]
pub(crate) mod mosaic;
mod overridden;
#[cfg(feature = "geotiff")]
mod pam;
#[cfg(all(feature = "geotiff", feature = "mosaic"))]
pub(crate) mod paths;
#[cfg(feature = "pictures")]
pub(crate) mod picture;
#[cfg(feature = "geotiff")]
mod sidecar;

use std::sync::LazyLock;

#[cfg(feature = "ndarray")]
use crate::array::ArraySource;
use crate::geo::{GeoRef, Metadata};
#[cfg(feature = "ndarray")]
use crate::sample::Sample;
use crate::view::{PixelSource, SliceSource};

#[cfg(all(feature = "geotiff", feature = "mosaic"))]
pub(crate) use pam::describe;

#[cfg(feature = "geotiff")]
pub(crate) use sidecar::files_beside;

pub use mask::MaskedSource;
pub use overridden::OverriddenSource;
#[cfg(feature = "geotiff")]
pub(crate) use overridden::set_nodata;

/// No georeferencing.
static NO_GEO: LazyLock<GeoRef> = LazyLock::new(GeoRef::default);
/// No metadata.
static NO_METADATA: LazyLock<Metadata> = LazyLock::new(Metadata::default);

/// A raster: rows of pixels from top to bottom, with georeferencing and metadata. By default there are none. It can move to
/// another thread, so that a caller need not wait for the encoding.
pub trait RasterSource: PixelSource + Send {
    /// Returns the georeferencing.
    fn geo(&self) -> &GeoRef {
        &NO_GEO
    }

    /// Returns the metadata.
    fn metadata(&self) -> &Metadata {
        &NO_METADATA
    }

    /// Returns warnings about what was doubtful or ignored, one sentence each.
    fn warnings(&self) -> &[String] {
        &[]
    }
}

impl RasterSource for SliceSource<'_> {}

#[cfg(feature = "ndarray")]
impl<T: Sample> RasterSource for ArraySource<'_, T> {}

impl<S: RasterSource + ?Sized> RasterSource for &mut S {
    fn geo(&self) -> &GeoRef {
        (**self).geo()
    }

    fn metadata(&self) -> &Metadata {
        (**self).metadata()
    }

    fn warnings(&self) -> &[String] {
        (**self).warnings()
    }
}

impl<S: RasterSource + ?Sized> RasterSource for Box<S> {
    fn geo(&self) -> &GeoRef {
        (**self).geo()
    }

    fn metadata(&self) -> &Metadata {
        (**self).metadata()
    }

    fn warnings(&self) -> &[String] {
        (**self).warnings()
    }
}
