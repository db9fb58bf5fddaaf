//! Cloud Optimized GeoTIFF (COG) writer: one pass, pure Rust, no GDAL.
//!
//! A COG holds its directories first, then its overviews from the smallest up, full resolution last. This library
//! writes it while reading every pixel once: overviews are computed as rows stream in, tiles are compressed on a pool of
//! threads, and the header is made last and placed first.
//!
//! # Ways in
//! - [`ArraySource`] (`ndarray` views of any strides) and [`SliceSource`], with [`encode()`], [`encode_to_file`] or
//!   [`encode_to_vec`];
//! - [`CogWriter`]: rows pushed as they come; memory doesn't grow with the height of the image;
//! - [`GeoTiffSource`]: a file of any flavour of TIFF.
//!
//! Whatever implements [`PixelSource`] is a source too. All of them drive one [`CogEncoder`] and give the same bytes.
//!
//! [`ShardPlan`] cuts an image into shards, which are encoded on any machine and in any order
//! ([`encode::encode_shard`]), and put together to the same bytes again ([`encode::Assembler`], [`sink::fragments`]).
//!
//! # Ways out
//! Anything that implements [`std::io::Write`]; no `Seek`. [`OutputFile`] is a file that appears whole or not at all.
//!
//! # Checks
//! [`check::validate`] judges a file by the rules of TIFF, GeoTIFF, OGC 21-026, GDAL and rio-cogeo, and by its pixels;
//! [`check::inspect`] says what it is.
//!
//! # Features
//! | feature | default | adds |
//! |---|---|---|
//! | `parallel` | yes | a pool of threads; without it everything runs on the caller's thread |
//! | `geotiff` | yes | reading: [`GeoTiffSource`] and the checks |
//! | `ndarray` | yes | [`ArraySource`] |
//! | `spool` | yes | finished tiles wait in a temporary file beyond a memory budget |
//! | `zstd` | yes | writing ZSTD; reading it comes with `geotiff` |
//! | `zstd-c` | no | ZSTD through the C library; needs a C compiler |
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
// Data and IO must never panic: an error says what, where and what to do.
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
pub mod encode;
pub mod error;
pub mod executor;
pub mod geo;
pub mod grid;
mod message;
mod names;
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
// No part of the API: fuzz/ gives the codecs bytes of any length and layout.
#[doc(hidden)]
pub use codec::{Compressor, Layout};
// No part of the API: wasm/ loads the ZSTD encoder as a module of its own, when it is asked for.
#[doc(hidden)]
pub use codec::{ZstdEncoder, provide_zstd, zstd_frame};
pub use encode::CogEncoder;
pub use error::{Error, ErrorKind, Result};
pub use executor::Executor;
pub use geo::{
    Bounds, ColorInterpretation, Crs, CrsKind, CrsUnit, Gcp, GeoKeys, GeoRef, Metadata, MetadataItem, PixelIs,
    Placement, Rpc, Transform,
};
pub use options::{
    BigTiff, Codec, CodecParameter, Compression, EncodeOptions, Interleave, MaskPolicy, Overviews, Predictor,
    Resampling, TileSize,
};
pub use plan::{CogPlan, ShardId, ShardOptions, ShardPlan};
// No part of the API: benches/pyramid.rs measures the kernels by themselves.
#[doc(hidden)]
pub use pyramid::Cascade;
#[cfg(feature = "geotiff")]
pub use read::{DiskFile, ReadAt};
pub use recognize::{Address, FileFamily, FileKind};
pub use sample::{DataType, Nodata, Sample, SampleKind};
pub use sink::writer::{
    CogWriter, LevelSummary, Progress, Summary, encode, encode_levels, encode_levels_to_output, encode_to_file,
    encode_to_output, encode_to_vec,
};
pub use sink::{FileOptions, OutputFile, StoreOptions};
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

/// The page's example, likewise.
#[cfg(doctest)]
#[doc = include_str!("../docs/crs.md")]
struct CrsPage;
