//! Cloud Optimized GeoTIFF (COG) writer: one pass, pure Rust, no GDAL.
//!
//! A COG stores its directories first, then its overviews from smallest to largest, then full resolution. This library
//! writes one while reading every pixel once: overviews are computed as rows stream in, tiles are compressed on a
//! thread pool, and the header is built last and placed first.
//!
//! # Inputs
//! - [`ArraySource`] (`ndarray` views of any strides) and [`SliceSource`], with [`encode()`], [`encode_to_file`] or
//!   [`encode_to_vec`];
//! - [`CogWriter`]: rows pushed as they arrive; memory use does not depend on image height, apart from four bytes per
//!   tile;
//! - [`GeoTiffSource`]: a TIFF file of any flavor.
//!
//! Any type that implements [`PixelSource`] is a source too. All of them drive one [`CogEncoder`] and produce the same
//! bytes.
//!
//! [`ShardPlan`] cuts an image into shards, which can be encoded on any machine and in any order
//! ([`encode::encode_shard`]) and assembled into the same bytes ([`encode::Assembler`], [`sink::fragments`]).
//!
//! # Outputs
//! Any [`std::io::Write`]; `Seek` is not needed. [`OutputFile`] is a file that appears whole or not at all.
//!
//! # Validation
//! [`check::validate`] checks a file against the rules of TIFF, GeoTIFF, OGC 21-026, GDAL and rio-cogeo, and by its
//! pixels; [`check::inspect`] returns the file's metadata.
//!
//! # Features
//! | feature | default | adds |
//! |---|---|---|
//! | `parallel` | yes | a thread pool; without it, everything runs on the calling thread |
//! | `geotiff` | yes | reading: [`GeoTiffSource`] and validation |
//! | `ndarray` | yes | [`ArraySource`] |
//! | `spool` | yes | spilling compressed tiles to a temporary file beyond a memory limit |
//! | `zstd` | yes | ZSTD compression (`geotiff` includes decompression) |
//! | `zstd-c` | no | ZSTD through the C library; requires a C compiler |
//!
//! ```
//! use cogsmith::{ArraySource, CogPlan, EncodeOptions, GeoRef, Metadata, PixelSource};
//! let pixels = ndarray::Array2::<u16>::zeros((600, 800)); // rows, columns
//! let mut source = ArraySource::new(pixels.view())?;
//! let plan = CogPlan::new(source.spec(), &GeoRef::default(), &Metadata::default(), &EncodeOptions::default())?;
//! let bytes = cogsmith::encode_to_vec(&mut source, &plan)?;
//! assert_eq!(&bytes[..4], b"II*\0");
//! # Ok::<(), cogsmith::Error>(())
//! ```

#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![warn(unreachable_pub, clippy::print_stdout, clippy::print_stderr)]
// Data and I/O must never cause a panic: return an error that says what is wrong and where.
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::unimplemented)]
// Truncated sizes and offsets are how writers corrupt files.
#![warn(clippy::cast_possible_truncation, clippy::cast_possible_wrap, clippy::cast_sign_loss)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking"))]
#![cfg_attr(test, allow(clippy::cast_possible_truncation, reason = "tests make small numbers"))]

#[cfg(feature = "ndarray")]
pub mod array;
mod buffer;
#[cfg(feature = "geotiff")]
pub mod check;
mod checksum;
mod codec;
pub mod conformance;
pub mod encode;
pub mod error;
pub mod executor;
pub mod geo;
pub mod grid;
mod message;
pub mod options;
pub mod plan;
mod processor;
mod pyramid;
#[cfg(feature = "geotiff")]
mod read;
mod recognize;
pub mod sample;
pub mod sink;
pub mod source;
pub mod spec;
pub mod statistics;
pub mod tiff;
pub mod view;
#[cfg(feature = "geotiff")]
mod xml;

#[cfg(feature = "ndarray")]
pub use array::ArraySource;
// Not part of the API: fuzz/ passes bytes of any length and layout to the codecs.
#[doc(hidden)]
pub use codec::{Compressor, Layout};
// Not part of the API: wasm/ loads the ZSTD encoder on demand, as a module of its own.
#[doc(hidden)]
pub use codec::{ZstdEncoder, provide_zstd, zstd_frame};
pub use encode::{Backlog, Chunk, CogEncoder, FinishedFile, LevelSummary, SectionLayout, Summary, TileSink};
pub use error::{Error, ErrorKind, Result};
pub use executor::Executor;
pub use geo::{
    Bounds, ColorInterpretation, Crs, CrsKind, CrsUnit, Gcp, GeoKeys, GeoRef, Metadata, MetadataItem, PixelIs,
    Placement, Rpc, Transform,
};
pub use grid::SectionId;
pub use options::{
    BigTiff, Compression, EncodeOptions, Interleave, MaskPolicy, Overviews, Predictor, Resampling, TileSize,
};
pub use plan::{CogPlan, ShardId, ShardOptions, ShardPlan};
// Not part of the API: benches/pyramid.rs measures the kernels in isolation.
#[doc(hidden)]
pub use pyramid::Cascade;
#[cfg(feature = "geotiff")]
pub use read::{DiskFile, ReadAt};
pub use recognize::{Address, FileFamily, FileKind};
pub use sample::{DataType, Nodata, Sample, SampleKind};
pub use sink::writer::{
    CogWriter, Progress, encode, encode_levels, encode_levels_to_output, encode_to_file, encode_to_output,
    encode_to_sink, encode_to_vec,
};
pub use sink::{FileOptions, MemorySink, OutputFile, SpooledSink, StoreOptions};
#[cfg(feature = "geotiff")]
pub use source::geotiff::{GeoTiffSource, ReadOptions};
pub use source::{MaskedSource, RasterSource};
pub use spec::{ExtraSample, ImageSpec, Photometric};
pub use statistics::BandStatistics;
pub use tiff::{Tag, TagValue};
pub use view::{PixelSource, SliceSource, Stripe, StripeLayout};

/// The README's example, compiled and run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// The example in docs/crs.md, compiled and run as a test.
#[cfg(doctest)]
#[doc = include_str!("../docs/crs.md")]
struct CrsPage;
