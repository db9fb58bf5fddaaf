//! Cloud Optimized GeoTIFF (COG) writer: one pass, pure Rust, no GDAL.

mod buffer;
mod codec;
pub mod encode;
pub mod error;
pub mod executor;
pub mod geo;
pub mod grid;
pub mod options;
pub mod plan;
mod pyramid;
pub mod sample;
pub mod sink;
pub mod source;
pub mod spec;
pub mod tiff;
pub mod view;

pub use encode::CogEncoder;
pub use error::{Error, ErrorKind, Result};
pub use executor::Executor;
pub use geo::{GeoKeys, GeoRef, Metadata, MetadataItem, Placement};
pub use options::{
    BigTiff, Compression, EncodeOptions, Interleave, Overviews, Predictor, Resampling, TileSize,
};
pub use plan::CogPlan;
pub use sample::{DataType, Nodata, Sample, SampleKind};
pub use sink::StoreOptions;
pub use sink::writer::{CogWriter, LevelSummary, Progress, Summary, encode, encode_to_vec};
pub use source::RasterSource;
pub use spec::{ExtraSample, ImageSpec, Photometric};
pub use view::{PixelSource, SliceSource, Stripe, StripeLayout};
