//! Cloud Optimized GeoTIFF (COG) writer: one pass, pure Rust, no GDAL.

#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![warn(unreachable_pub, clippy::print_stdout, clippy::print_stderr)]
// Data and IO must never panic: an error says what, where and what to do.
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::unimplemented)]
// Truncated sizes and offsets are how writers corrupt files.
#![warn(clippy::cast_possible_truncation, clippy::cast_possible_wrap, clippy::cast_sign_loss)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking"))]

mod buffer;
mod codec;
pub mod encode;
pub mod error;
pub mod executor;
pub mod geo;
pub mod grid;
#[cfg(feature = "ndarray")]
pub mod array;
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
#[cfg(feature = "ndarray")]
pub use array::ArraySource;
pub use options::{
    BigTiff, Compression, EncodeOptions, Interleave, Overviews, Predictor, Resampling, TileSize,
};
pub use plan::CogPlan;
pub use sample::{DataType, Nodata, Sample, SampleKind};
pub use sink::{FileOptions, OutputFile, StoreOptions};
pub use sink::writer::{CogWriter, LevelSummary, Progress, Summary, encode, encode_to_vec};
pub use source::RasterSource;
#[cfg(feature = "geotiff")]
pub use source::geotiff::{GeoTiffSource, ReadOptions};
pub use spec::{ExtraSample, ImageSpec, Photometric};
pub use view::{PixelSource, SliceSource, Stripe, StripeLayout};
