//! Cloud Optimized GeoTIFF (COG) writer: one pass, pure Rust, no GDAL.

pub mod error;
pub mod executor;
pub mod geo;
pub mod options;
pub mod sample;
pub mod sink;
pub mod source;
pub mod spec;
pub mod tiff;
pub mod view;

pub use error::{Error, ErrorKind, Result};
pub use executor::Executor;
pub use geo::{GeoKeys, GeoRef, Metadata, MetadataItem, Placement};
pub use options::{BigTiff, Compression, EncodeOptions, Interleave, Overviews, Predictor, Resampling, TileSize};
pub use sample::{DataType, Nodata, Sample, SampleKind};
pub use sink::{FileOptions, OutputFile};
pub use source::RasterSource;
pub use spec::{ExtraSample, ImageSpec, Photometric};
pub use view::{PixelSource, SliceSource, Stripe, StripeLayout};
