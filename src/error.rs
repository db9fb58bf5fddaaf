//! What can go wrong, said so that a person can act on it.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::recognize::{Address, FileFamily, FileKind};

/// The result of every fallible call of this library.
pub type Result<T> = std::result::Result<T, Error>;

/// An error: what went wrong, where, and what to do about it.
///
/// Its [`kind`](Error::kind) tells programs what its text tells people.
#[derive(Debug)]
pub struct Error(Box<ErrorKind>);

/// The kinds of [`Error`].
#[derive(Debug)]
#[non_exhaustive]
pub enum ErrorKind {
    /// An option is out of its range, or contradicts the image or another option.
    InvalidOption {
        /// The option as users know it, such as `predictor`.
        option: &'static str,
        /// What is wrong with it, and what would be right.
        reason: String,
    },
    /// The description of the image contradicts itself.
    InvalidImage {
        /// What is wrong with it.
        reason: String,
    },
    /// The input uses a feature that this library does not read.
    Unsupported {
        /// The feature, such as `compression 34712 (JPEG 2000)`.
        feature: String,
    },
    /// The input is not a TIFF file.
    NotTiff {
        /// How that shows.
        reason: String,
        /// What it is instead, as far as its first bytes tell.
        found: Option<FileKind>,
    },
    /// A path has the form of an address, or of a name for GDAL, and there is no such file.
    Address {
        /// The path.
        path: PathBuf,
        /// The form.
        address: Address,
    },
    /// The input is damaged, or says things that cannot be true.
    Corrupt {
        /// The part of the input that is wrong, such as `tile 17 of image 0`.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A size or count is over what the format, or this machine, can hold.
    Limit {
        /// What is too large.
        what: String,
        /// Its value.
        value: u64,
        /// The largest value that works.
        limit: u64,
    },
    /// The memory that the plan needs could not be had.
    OutOfMemory {
        /// What the memory was for.
        what: &'static str,
        /// The number of bytes asked for.
        bytes: u64,
    },
    /// A tile could not be encoded.
    TileEncode {
        /// Pyramid level, 0 = full resolution.
        level: usize,
        /// Row of the tile in its level, counted in tiles from the top.
        row: u32,
        /// Column of the tile in its level, counted in tiles from the left.
        column: u32,
        /// What went wrong.
        reason: String,
    },
    /// What was written is not what was to be written: found when it was read back.
    Verification {
        /// Pyramid level, 0 = full resolution.
        level: usize,
        /// Row and column of the tile in its level, where it is a tile that is wrong.
        tile: Option<(u64, u64)>,
        /// What is wrong.
        reason: String,
    },
    /// Pixels were handed over in the wrong amount or shape.
    PixelCount {
        /// What was handed over.
        what: &'static str,
        /// The amount that was needed.
        expected: u64,
        /// The amount that came.
        got: u64,
    },
    /// Reading or writing failed.
    Io {
        /// What was being done, such as `write`.
        action: &'static str,
        /// The file it was done to, where there is one.
        path: Option<PathBuf>,
        /// The error of the system.
        source: io::Error,
    },
    /// The target exists and overwriting was not asked for.
    TargetExists {
        /// The target.
        path: PathBuf,
    },
    /// Shards of an encoding on several machines are missing, or don't fit together.
    Shards {
        /// Which, such as `shard 0/3/4` (tier, row, column).
        shards: String,
        /// What is wrong with them.
        reason: String,
    },
    /// The caller asked to stop.
    Cancelled,
}

impl Error {
    /// What went wrong, for programs.
    #[must_use]
    pub fn kind(&self) -> &ErrorKind {
        &self.0
    }

    /// An [`ErrorKind::InvalidOption`].
    pub(crate) fn option(option: &'static str, reason: impl Into<String>) -> Self {
        ErrorKind::InvalidOption { option, reason: reason.into() }.into()
    }

    /// An [`ErrorKind::InvalidImage`].
    pub(crate) fn image(reason: impl Into<String>) -> Self {
        ErrorKind::InvalidImage { reason: reason.into() }.into()
    }

    /// An [`ErrorKind::Unsupported`].
    #[cfg_attr(not(feature = "geotiff"), expect(dead_code, reason = "only readers meet unsupported input"))]
    pub(crate) fn unsupported(feature: impl Into<String>) -> Self {
        ErrorKind::Unsupported { feature: feature.into() }.into()
    }

    /// An [`ErrorKind::Corrupt`].
    pub(crate) fn corrupt(place: impl Into<String>, reason: impl Into<String>) -> Self {
        ErrorKind::Corrupt { place: place.into(), reason: reason.into() }.into()
    }

    /// An [`ErrorKind::Limit`].
    pub(crate) fn limit(what: impl Into<String>, value: u64, limit: u64) -> Self {
        ErrorKind::Limit { what: what.into(), value, limit }.into()
    }

    /// An [`ErrorKind::Shards`].
    pub(crate) fn shards(shards: impl Into<String>, reason: impl Into<String>) -> Self {
        ErrorKind::Shards { shards: shards.into(), reason: reason.into() }.into()
    }

    /// An [`ErrorKind::Io`] that names no file.
    pub(crate) fn io(action: &'static str, source: io::Error) -> Self {
        ErrorKind::Io { action, path: None, source }.into()
    }

    /// An [`ErrorKind::Io`] at a file.
    pub(crate) fn io_at(action: &'static str, path: impl Into<PathBuf>, source: io::Error) -> Self {
        ErrorKind::Io { action, path: Some(path.into()), source }.into()
    }
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self(Box::new(kind))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            ErrorKind::InvalidOption { option, reason } => write!(f, "option '{option}': {reason}"),
            ErrorKind::InvalidImage { reason } => write!(f, "image description: {reason}"),
            ErrorKind::Unsupported { feature } => write!(f, "not supported: {feature}"),
            ErrorKind::NotTiff { found: Some(kind), .. } if kind.family() == FileFamily::Incomplete => {
                write!(f, "not a TIFF file, but {kind}")
            }
            ErrorKind::NotTiff { reason, found: None } => write!(f, "not a TIFF file ({reason})"),
            ErrorKind::NotTiff { reason, found: Some(kind) } => {
                write!(f, "not a TIFF file ({reason}); looks like {kind}")
            }
            ErrorKind::Address { path, address } => {
                write!(f, "'{}' is {address}, not the path of a file", path.display())
            }
            ErrorKind::Corrupt { place, reason } => write!(f, "damaged input: {place}: {reason}"),
            ErrorKind::Limit { what, value, limit } => write!(f, "{what} is {value}, over the limit of {limit}"),
            ErrorKind::OutOfMemory { what, bytes } => {
                write!(f, "out of memory: {what} needs {bytes} bytes; try a smaller tile size or fewer threads")
            }
            ErrorKind::TileEncode { level, row, column, reason } => {
                write!(f, "tile at level {level}, row {row}, column {column}: {reason}")
            }
            ErrorKind::Verification { level, tile, reason } => {
                write!(f, "the output is not what was to be written: level {level}")?;
                if let Some((row, column)) = tile {
                    write!(f, ", row {row}, column {column}")?;
                }
                write!(f, ": {reason}; memory or disk may be faulty")
            }
            ErrorKind::PixelCount { what, expected, got } => write!(f, "{what}: expected {expected}, got {got}"),
            ErrorKind::Io { action, path: Some(path), source } => {
                write!(f, "cannot {action} '{}': {source}", path.display())
            }
            ErrorKind::Io { action, path: None, source } => write!(f, "cannot {action}: {source}"),
            ErrorKind::TargetExists { path } => {
                write!(f, "'{}' exists; ask for overwriting to replace it", path.display())
            }
            ErrorKind::Shards { shards, reason } => write!(f, "{shards}: {reason}"),
            ErrorKind::Cancelled => write!(f, "cancelled"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &*self.0 {
            ErrorKind::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}
