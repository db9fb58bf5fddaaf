//! Cloud Optimized GeoTIFF (COG) writer: one pass, pure Rust, no GDAL.

mod codec;
pub mod error;
pub mod executor;
pub mod geo;
pub mod sample;
pub mod source;
pub mod spec;
pub mod tiff;
pub mod view;

pub use error::{Error, ErrorKind, Result};
pub use executor::Executor;
pub use geo::{GeoKeys, GeoRef, Metadata, MetadataItem, Placement};
pub use sample::{DataType, Nodata, Sample, SampleKind};
pub use source::RasterSource;
#[cfg(feature = "geotiff")]
pub use source::ReadAt;
#[cfg(feature = "geotiff")]
pub use source::geotiff::{GeoTiffSource, ReadOptions};
pub use spec::{ExtraSample, ImageSpec, Photometric};
pub use view::{PixelSource, SliceSource, Stripe, StripeLayout};
