//! Checks: whether a file is a valid Cloud Optimized GeoTIFF, and what it is.
//!
//! Shares no code with what writes: it reads TIFF by itself, and takes nothing but the decoders from elsewhere. Works on
//! files larger than memory, on bytes in memory, and on whatever is [`ReadAt`]; a hostile file costs no more memory than
//! tiles of 256 MiB and some lists of bounded length, and no more time than its own length and
//! `CheckOptions::decode_limit` allow. All rules stand in [`RULES`], and one by one in docs/validation.md.
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

mod cells;
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

pub use geo::MetadataEntry;
pub use info::{Bounds, Info, LevelInfo, Requests, inspect};
pub use report::{Finding, Place, Report, Severity};
pub use rules::{Class, RULES, Rule};
pub(crate) use verify::{Expected, verify};

use image::Image;
use parse::{Directory, Tiff};

/// Bytes of values of all directories that are held: colour tables, JPEG tables.
const MOST_HELD: usize = 128 << 20;

/// How much is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Depth {
    /// Every tile is decoded; of overviews with more than 4096 tiles, or with very many bands, fewer are compared, spread
    /// evenly. The default.
    #[default]
    Full,
    /// Header, all directories and the places of all tiles; a few tiles of each directory are decoded.
    Quick,
}

/// What is checked, and how much.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CheckOptions {
    /// How much is looked at. Default: everything.
    pub depth: Depth,
    /// Whether a file `NAME.ovr` stands beside this one, which the caller alone can know. Default: no.
    pub external_overviews: bool,
    /// Bytes of tiles, compressed and decoded, beyond which tiles are no longer decoded; a warning says so. Default:
    /// `None`, 16 GiB and 2000 times the length of the file, which no file reaches that is no decompression bomb.
    pub decode_limit: Option<u64>,
}

impl CheckOptions {
    /// Everything.
    #[must_use]
    pub fn full() -> Self {
        Self::default()
    }

    /// Header and a sample of tiles.
    #[must_use]
    pub fn quick() -> Self {
        Self { depth: Depth::Quick, ..Self::default() }
    }

    fn limit_for(&self, length: u64) -> u64 {
        self.decode_limit.unwrap_or_else(|| length.saturating_mul(2000).saturating_add(16 << 30))
    }
}

/// Judges a file.
///
/// # Errors
/// Where there is nothing to judge: [`ErrorKind::Io`](crate::ErrorKind::Io) where the file can't be read,
/// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) where it is no TIFF file at all,
/// [`ErrorKind::OutOfMemory`](crate::ErrorKind::OutOfMemory). Everything else is a finding.
pub fn validate(reader: &dyn ReadAt, options: &CheckOptions, executor: &Executor) -> Result<Report> {
    let mut report = Report::default();
    let tiff = Tiff::open(reader, &mut report)?;
    let (directories, images) = read(&tiff, &mut report)?;
    if options.external_overviews {
        report.add(&rules::EXTERNAL_OVERVIEWS, Place::FILE, format_args!("a file .ovr stands beside it"));
    }
    for directory in &directories {
        geo::read(&tiff, directory, &mut report)?;
        geo::metadata(&tiff, directory, &mut report)?;
    }
    layout::check(&tiff, &directories, &images, &mut report)?;
    tiles::check(&tiff, &directories, &images, options, executor, &mut report)?;
    report.decodes = tiff.decodes.load(Ordering::Relaxed);
    Ok(report)
}

/// The directories of a file, and their images.
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
        // Arrays of their own take a byte for each at least; shared ones must not make a small file a long job.
        if claimed > tiff.length {
            let message = format_args!("directories share arrays of tiles: {claimed} tiles are more than fit");
            report.add(&rules::DIRECTORY_COUNT, Place::directory(directory.index), message);
            break;
        }
        images.push(image);
        if held > MOST_HELD || tiff.is_exhausted() {
            let message = format_args!("their values are more than the file can hold: {held} bytes");
            report.add(&rules::DIRECTORY_COUNT, Place::directory(directory.index), message);
            break;
        }
    }
    Ok((directories, images))
}
