//! Cloud Optimized GeoTIFF (COG) writer: one pass, pure Rust, no GDAL.
//!
//! A COG stores its directories first, then its overviews from smallest to largest, then full resolution. This library
//! writes one while reading every pixel once: overviews are computed as rows stream in, tiles are compressed on a
//! thread pool, and the header is built last and placed first.
//!
//! ```
//! use cogsmith::{CogOptions, Crs, Transform};
//! # let path = std::env::temp_dir().join(format!("cogsmith-lib-{}.tif", std::process::id()));
//! let pixels = ndarray::Array2::<u16>::zeros((600, 800)); // rows, columns
//! let options = CogOptions::new()
//!     .crs(Crs::epsg(32633)?)
//!     .transform(Transform::north_up(300_000.0, 5_000_000.0, 10.0, 10.0)?)
//!     .nodata(0u64);
//! cogsmith::write(&path, &pixels, &options)?;
//! # std::fs::remove_file(path).unwrap();
//! # Ok::<(), cogsmith::Error>(())
//! ```
//!
//! # The usual tasks
//! | from | to | call |
//! |---|---|---|
//! | a GeoTIFF file | a file | [`convert`] |
//! | an array, or any [`RasterSource`] | a file | [`write()`] |
//! | the same | bytes | [`to_vec`] |
//! | the same | any [`std::io::Write`]; `Seek` is not needed | [`write_to`] |
//! | the same | any [`TileSink`], such as an upload to an object store (crate `cogsmith-store`) | [`write_to_sink`] |
//! | rows as they arrive | a file | [`CogWriter::create`] |
//! | a tiled TIFF file | a file, with the same tiles | [`repack`] |
//! | a COG | the same file, with other georeferencing or metadata | [`edit`](fn@edit) |
//! | a raster | a small picture, PNG or JPEG | [`preview`](fn@preview) |
//! | a COG | where its bytes are, and what would make it better | [`explain`](fn@explain) |
//! | a COG, and rasters on its grid | the same file, with their pixels in it | [`patch`] |
//!
//! [`CogOptions`] has all options. Files appear whole or not at all, all cores are used, and memory use does not depend on
//! image height, apart from four bytes per tile.
//!
//! # Building blocks
//! - Sources: [`ArraySource`] (`ndarray` views of any strides), [`SliceSource`], [`GeoTiffSource`] (a TIFF file of any
//!   flavor), [`MaskedSource`], [`OverriddenSource`], and any other type that implements [`PixelSource`].
//! - [`CogPlan`]: all decisions about a file, made and checked before the first pixel is read.
//! - [`CogEncoder`]: rows in, compressed tiles out, without I/O.
//! - [`TileSink`]: where tiles go; [`MemorySink`], [`SpooledSink`], and [`file_sink`] implement it.
//!   [`encode_to_sink`], [`encode_to_file`], and [`encode_levels`] drive an encoder from a source to a sink.
//! - [`distributed`]: shards of one image, encoded on any machine and in any order, and assembled into the same bytes.
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
//! | `mosaic` | yes | many inputs as one image: [`MosaicSource`] |
//! | `ndarray` | yes | [`ArraySource`] |
//! | `pictures` | yes | reading PNG and JPEG files ([`open`]), and writing small ones ([`Preview`]) |
//! | `spool` | yes | spilling compressed tiles to a temporary file beyond a memory limit |
//! | `jpeg` | yes | JPEG compression (part of `geotiff`) |
//! | `zstd` | yes | ZSTD compression (`geotiff` includes decompression) |
//! | `warp` | no | warps to other CRSs and to tiling schemes: `WarpOptions` |
//! | `serde` | no | `Serialize` for [`Summary`] and for the results of [`check`]: the JSON of `cogsmith --json` |
//! | `zstd-c` | no | ZSTD through the C library; requires a C compiler |

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
mod array;
mod buffer;
#[cfg(feature = "geotiff")]
pub mod check;
mod checksum;
mod codec;
pub mod conformance;
mod creation;
pub mod distributed;
#[cfg(feature = "geotiff")]
mod edit;
mod encode;
mod error;
mod executor;
#[cfg(feature = "geotiff")]
mod explain;
mod front;
mod geo;
mod grid;
#[cfg(feature = "serde")]
mod json;
mod message;
mod names;
mod options;
mod pixels;
mod plan;
#[cfg(feature = "pictures")]
mod preview;
mod processor;
mod pyramid;
#[cfg(feature = "geotiff")]
mod read;
mod recognize;
mod redact;
mod sample;
mod sink;
mod source;
mod spec;
mod statistics;
mod tiff;
mod validity;
mod view;
#[cfg(all(feature = "geotiff", feature = "mosaic"))]
mod vrt;
#[cfg(feature = "warp")]
mod warp;
#[cfg(feature = "geotiff")]
mod xml;

#[cfg(feature = "ndarray")]
pub use array::ArraySource;
pub use creation::CreationOption;
#[cfg(feature = "geotiff")]
pub use edit::{
    CopyPart, EditOptions, EditPart, EditSummary, RepackOptions, RepackSummary, TagChange, edit, repack, repack_from,
    repack_to,
};
#[cfg(all(feature = "geotiff", feature = "mosaic"))]
pub use edit::{PatchOptions, PatchSummary, PatchedLevel, patch, patch_from};
pub use encode::{Backlog, Chunk, CogEncoder, FinishedFile, LevelLoss, LevelSummary, SectionLayout, Summary, TileSink};
pub use error::{Error, ErrorKind, OptionField, Result};
pub use executor::Executor;
#[cfg(feature = "geotiff")]
pub use explain::{Advice, ExplainOptions, Explanation, Trial, TrialSample, explain};
#[cfg(feature = "geotiff")]
pub use front::convert;
pub use front::{CogOptions, IntoSource, to_vec, write, write_to, write_to_sink};
#[cfg(all(feature = "geotiff", feature = "mosaic"))]
pub use front::{InputOptions, mosaic, stack};
pub use geo::metadata::TEXTS as METADATA_TEXTS;
pub use geo::numbers::NUMBERS as METADATA_NUMBERS;
pub use geo::{
    BandValue, Bounds, ColorInterpretation, Crs, CrsKind, CrsUnit, Gcp, GeoKeys, GeoRef, Metadata, MetadataItem,
    MetadataOverride, Overrides, PixelIs, Placement, Rpc, Transform,
};
pub use grid::{Level, Plane, Rectangle, SectionId, TileGrid, TileId};
pub use options::{
    BigTiff, Codec, CodecParameter, Compression, DEFAULT_DEFLATE_LEVEL, DEFAULT_JPEG_QUALITY, DEFAULT_TILE_SIDE,
    DEFAULT_ZSTD_LEVEL, EncodeOptions, Interleave, JpegPhotometric, LercCompression, MAX_HEADER_ROOM, MAX_TILE_SIDE,
    MaskPolicy, MaxError, Overviews, ParameterRange, ParameterValue, Predictor, Resampling, Sparse, Subsampling,
    TileSize,
};
pub use pixels::{BandChoice, PaletteColors, PixelOptions, Rescale};
pub use plan::CogPlan;
#[cfg(feature = "pictures")]
pub use preview::{Preview, PreviewFormat, PreviewOptions, preview};
#[cfg(feature = "geotiff")]
pub use read::{Addresses, DiskFile, OpenAddress, ReadAt};
pub use recognize::{Address, FileFamily, FileKind};
pub use redact::redact;
pub use sample::{DataType, Nodata, Sample, SampleKind};
pub use sink::writer::{
    CogWriter, Progress, encode, encode_levels, encode_levels_to_output, encode_levels_to_sink, encode_to_file,
    encode_to_output, encode_to_sink, encode_to_vec, file_sink,
};
pub use sink::{FileOptions, MemorySink, OutputFile, SpooledSink, StoreOptions};
#[cfg(feature = "geotiff")]
pub use source::geotiff::{GeoTiffSource, ReadOptions};
#[cfg(feature = "mosaic")]
pub use source::mosaic::{MosaicOptions, MosaicSource, Overlap, SourceInput, StackSource};
#[cfg(all(feature = "geotiff", feature = "mosaic"))]
pub use source::paths::InputFiles;
pub use source::{MaskedSource, OverriddenSource, RasterSource};
pub use spec::{ExtraSample, ImageSpec, Photometric};
pub use statistics::BandStatistics;
pub use tiff::{Tag, TagValue};
pub use view::{PixelSource, SliceSource, Stripe, StripeLayout, StripeWindow};
#[cfg(all(feature = "geotiff", feature = "mosaic"))]
pub use vrt::open;
#[cfg(feature = "warp")]
pub use warp::{WarpOptions, WarpReport, WarpedSource};

#[cfg(feature = "warp")]
pub use cogsmith_warp::{AlignedLevels, TilingScheme, ZoomStrategy};
// The versions of crates whose types are in this API.
pub use half;
#[cfg(feature = "ndarray")]
pub use ndarray;
pub use num_complex;

/// The README's example, compiled and run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// The example in docs/crs.md, compiled and run as a test.
#[cfg(doctest)]
#[doc = include_str!("../docs/crs.md")]
struct CrsPage;
