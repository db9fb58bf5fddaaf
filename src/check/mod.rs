//! Validation of Cloud Optimized GeoTIFFs, and description of any TIFF.
//!
//! This module shares no code with the writer: it has its own TIFF parser, and reuses only the decoders. It works on
//! files larger than memory, on bytes in memory, and on anything that implements [`ReadAt`]. A hostile file can cost at
//! most the memory of 256 MiB tiles and some lists of limited length, and the time that its own length and
//! [`CheckOptions::decode_limit`] allow. [`RULES`] lists all rules; docs/validation.md describes them one by one.
//!
//! ```
//! use cogsmith::check::{self, CheckOptions};
//! use cogsmith::{ArraySource, CogPlan, EncodeOptions, Executor, GeoRef, Metadata, PixelSource};
//! let pixels = ndarray::Array2::<u16>::zeros((600, 800));
//! let mut source = ArraySource::new(pixels.view())?;
//! let plan = CogPlan::new(source.spec(), &GeoRef::default(), &Metadata::default(), &EncodeOptions::default())?;
//! let bytes = cogsmith::encode_to_vec(&mut source, &plan)?;
//! let report = check::validate(&bytes, &CheckOptions::default(), &Executor::serial())?;
//! assert!(report.is_valid(false));
//! assert_eq!(check::inspect(&bytes)?.levels.len(), 2);
//! # Ok::<(), cogsmith::Error>(())
//! ```

mod bytes;
mod cells;
mod cost;
mod fit;
mod footprint;
mod geo;
mod ghost;
mod image;
mod info;
mod layout;
mod overviews;
mod pair;
mod parse;
mod pieces;
mod places;
mod report;
mod rules;
mod tags;
mod tiles;
mod verify;

use std::sync::atomic::Ordering;

use crate::error::Result;
use crate::executor::Executor;
use crate::read::ReadAt;

pub(crate) use bytes::stored_bytes;
pub use bytes::{ByteMap, Content, ReaderCost, Region, map_bytes};
pub use cost::Requests;
pub use geo::MetadataEntry;
pub use info::{Bounds, Info, LevelInfo, inspect};
pub use report::{Finding, Place, Report, Severity};
pub use rules::{Class, RULES, Rule};
pub(crate) use verify::{Expected, verify};

use image::Image;
use parse::{Directory, Tiff};

/// Maximum bytes of values held for all directories: color tables, JPEG tables.
const MOST_HELD: usize = 128 << 20;

/// Extent of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Depth {
    /// Decodes every tile. For overviews with more than 4096 tiles, or with very many bands, compares fewer of them,
    /// spread evenly. The default.
    #[default]
    Full,
    /// Reads the header, all directories, and the locations of all tiles; decodes a few tiles of each directory.
    Quick,
}

/// Options for [`validate`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
#[must_use]
pub struct CheckOptions {
    /// Extent of the check. Default: [`Depth::Full`].
    pub depth: Depth,
    /// True if there is a file `NAME.ovr` next to this one, which only the caller can know. Default: false.
    pub external_overviews: bool,
    /// Limit on the bytes of tiles, compressed plus decoded; beyond it, tiles are not decoded, and a warning says so.
    /// Default: `None`, which means 16 GiB plus 2000 times the file length; only a decompression bomb reaches that.
    pub decode_limit: Option<u64>,
    /// Limit on the bytes of tiles that a quick check reads, smallest overview first; overviews are then not compared.
    /// Default: `None`. For files that are read over a network: [`REMOTE_SAMPLE`](Self::REMOTE_SAMPLE).
    pub sample_bytes: Option<u64>,
}

/// Each method sets one option and returns the options, so that they can be chained.
impl CheckOptions {
    /// Bytes of tiles for a quick check of a file that is read over a network: 256 KiB.
    pub const REMOTE_SAMPLE: u64 = 256 << 10;

    /// Returns the options of a full check.
    pub fn full() -> Self {
        Self::default()
    }

    /// Returns the options of a quick check: the header and a sample of tiles.
    pub fn quick() -> Self {
        Self { depth: Depth::Quick, ..Self::default() }
    }

    /// Sets the extent of the check. Default: [`Depth::Full`].
    pub fn depth(mut self, depth: Depth) -> Self {
        self.depth = depth;
        self
    }

    /// Sets whether there is a file `NAME.ovr` next to this one. Default: `false`.
    pub fn external_overviews(mut self, external_overviews: bool) -> Self {
        self.external_overviews = external_overviews;
        self
    }

    /// Sets the limit on the bytes of tiles, compressed plus decoded. Default (`None`): 16 GiB plus 2000 times the file
    /// length.
    pub fn decode_limit(mut self, bytes: impl Into<Option<u64>>) -> Self {
        self.decode_limit = bytes.into();
        self
    }

    /// Sets the limit on the bytes of tiles that a quick check reads. Default: `None`.
    pub fn sample_bytes(mut self, bytes: impl Into<Option<u64>>) -> Self {
        self.sample_bytes = bytes.into();
        self
    }

    fn limit_for(&self, length: u64) -> u64 {
        self.decode_limit.unwrap_or_else(|| length.saturating_mul(2000).saturating_add(16 << 30))
    }
}

/// Validates a file.
///
/// # Errors
/// Only if the file cannot be checked: [`ErrorKind::Io`](crate::ErrorKind::Io) if it cannot be read,
/// [`ErrorKind::NotTiff`](crate::ErrorKind::NotTiff) if it is not a TIFF file,
/// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) if it is shorter than a TIFF header, and
/// [`ErrorKind::OutOfMemory`](crate::ErrorKind::OutOfMemory). Everything else is a finding.
pub fn validate(reader: &dyn ReadAt, options: &CheckOptions, executor: &Executor) -> Result<Report> {
    let mut report = Report::default();
    let tiff = Tiff::open(reader, &mut report)?;
    let (directories, images) = read(&tiff, &mut report)?;
    if options.external_overviews {
        report.add(&rules::EXTERNAL_OVERVIEWS, Place::FILE, format_args!("there is an .ovr file next to it"));
    }
    for directory in &directories {
        geo::read(&tiff, directory, &mut report)?;
        geo::metadata(&tiff, directory, &mut report)?;
    }
    layout::check(&tiff, &directories, &images, &mut report)?;
    tiles::check(&tiff, &directories, &images, options, executor, &mut report)?;
    report.decodes = tiff.decodes.load(Ordering::Relaxed);
    #[cfg(feature = "serde")]
    {
        report.checked = true;
    }
    Ok(report)
}

/// Reads the directories of a file and their images.
fn read(tiff: &Tiff<'_>, report: &mut Report) -> Result<(Vec<Directory>, Vec<Image>)> {
    let directories = tiff.directories(report)?;
    let mut images = Vec::with_capacity(directories.len());
    let (mut held, mut claimed) = (0, 0u64);
    for directory in &directories {
        let errors = report.count(Severity::Error);
        let mut image = image::read(tiff, directory, report)?;
        image.sound = report.count(Severity::Error) == errors;
        held += image.held_bytes();
        claimed = claimed.saturating_add(image.listed());
        // Separate arrays take at least one byte per tile; shared arrays must not make a small file expensive.
        if claimed > tiff.length {
            let message = format_args!(
                "directories share arrays of tiles: they list {claimed} tiles, more than the file has bytes"
            );
            report.add(&rules::DIRECTORY_COUNT, Place::directory(directory.index), message);
            break;
        }
        images.push(image);
        if held > MOST_HELD || tiff.is_exhausted() {
            let message = format_args!("the values of all directories exceed the limit: {held} bytes held");
            report.add(&rules::DIRECTORY_COUNT, Place::directory(directory.index), message);
            break;
        }
    }
    Ok((directories, images))
}
