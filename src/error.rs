//! Errors: what is wrong, where, and what to do about it.

mod field;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::recognize::{Address, FileFamily, FileKind};
use crate::redact::redact;

pub use field::OptionField;

/// The result of every fallible call in this library.
pub type Result<T> = std::result::Result<T, Error>;

/// An error: what is wrong, where, and what to do about it.
///
/// [`kind`](Error::kind) gives programs what the message gives people.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    /// The name of the input that it is about, if there are several.
    input: Option<String>,
}

/// The kinds of [`Error`].
#[derive(Debug)]
#[non_exhaustive]
pub enum ErrorKind {
    /// An option is out of range, or contradicts the image or another option.
    InvalidOption {
        /// The option.
        option: OptionField,
        /// Another option that it contradicts, or that keeps it from having an effect; `None` if its own value is the
        /// problem.
        other: Option<OptionField>,
        /// The problem, and what would be valid.
        reason: String,
    },
    /// The description of the image is inconsistent.
    InvalidImage {
        /// The problem.
        reason: String,
    },
    /// The input uses a feature that this library does not support.
    Unsupported {
        /// The feature, such as `compression 34712 (JPEG 2000)`.
        feature: String,
    },
    /// The input is not a TIFF file.
    NotTiff {
        /// The evidence.
        reason: String,
        /// The kind of file it looks like, judging by its first bytes.
        found: Option<FileKind>,
    },
    /// A path looks like a URL or a GDAL dataset name, and no such file exists.
    Address {
        /// The path.
        path: PathBuf,
        /// The kind of address.
        address: Address,
    },
    /// The input is damaged or inconsistent.
    Corrupt {
        /// The damaged part of the input, such as `tile 17 of image 0`.
        place: String,
        /// The problem.
        reason: String,
    },
    /// A size or count exceeds what the format or this machine can hold.
    Limit {
        /// The name of the size or count.
        what: String,
        /// Its value.
        value: u64,
        /// The largest allowed value.
        limit: u64,
    },
    /// Memory could not be allocated.
    OutOfMemory {
        /// The purpose of the memory.
        what: &'static str,
        /// The number of bytes requested.
        bytes: u64,
    },
    /// A tile could not be encoded.
    TileEncode {
        /// Pyramid level, 0 = full resolution.
        level: usize,
        /// Row of the tile in its level, in tiles from the top.
        row: u32,
        /// Column of the tile in its level, in tiles from the left.
        column: u32,
        /// The problem.
        reason: String,
    },
    /// Verification failed: what was read back differs from what was written.
    Verification {
        /// Pyramid level, 0 = full resolution.
        level: usize,
        /// Row and column of the tile in its level, if a single tile is wrong.
        tile: Option<(u64, u64)>,
        /// The problem.
        reason: String,
    },
    /// Two inputs do not fit together.
    Mismatch {
        /// The first input.
        first: String,
        /// The other input.
        second: String,
        /// The difference, such as `data types u8 and u16`.
        reason: String,
        /// The option that settles it, if there is one.
        option: Option<OptionField>,
    },
    /// A folder, a pattern, or a list has no input files.
    NoInputs {
        /// The folder, pattern, or list; empty if there was none.
        path: PathBuf,
    },
    /// The output is also one of the inputs, perhaps under another name.
    OutputIsInput {
        /// The output.
        path: PathBuf,
    },
    /// A list or a VRT file names a file that it may not name.
    Confined {
        /// The list or the VRT file.
        file: PathBuf,
        /// The name in it.
        name: String,
        /// The reason, such as `which is not below its folder`.
        reason: String,
    },
    /// Pixels were passed in the wrong number or shape.
    PixelCount {
        /// The kind of value that was passed.
        what: &'static str,
        /// The number that was expected.
        expected: u64,
        /// The number that was passed.
        got: u64,
    },
    /// Reading or writing failed.
    Io {
        /// The attempted action, such as `write`.
        action: &'static str,
        /// The file, if there is one.
        path: Option<PathBuf>,
        /// The system's error.
        source: io::Error,
    },
    /// The target exists and overwriting is off.
    TargetExists {
        /// The target.
        path: PathBuf,
    },
    /// Shards of a distributed encoding are missing, or do not belong together.
    Shards {
        /// The shards, such as `shard 0/3/4` (tier, row, column).
        shards: String,
        /// The problem with them.
        reason: String,
    },
    /// The caller canceled the operation.
    Cancelled,
}

impl Error {
    /// Returns the kind of error, for programs.
    #[must_use]
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// Returns the name of the input that the error is about, if there are several inputs; the message starts with it.
    #[must_use]
    pub fn input(&self) -> Option<&str> {
        self.0.input.as_deref()
    }

    /// Returns the message without the name of the option that it is about.
    #[cfg(any(feature = "geotiff", feature = "warp"))]
    pub(crate) fn reason(&self) -> String {
        match self.kind() {
            ErrorKind::InvalidOption { reason, .. } => reason.clone(),
            _ => self.to_string(),
        }
    }

    /// Makes an [`ErrorKind::InvalidOption`].
    pub(crate) fn option(option: OptionField, reason: impl Into<String>) -> Self {
        ErrorKind::InvalidOption { option, other: None, reason: reason.into() }.into()
    }

    /// Makes an [`ErrorKind::InvalidOption`] for an option that contradicts another one.
    pub(crate) fn conflict(option: OptionField, other: OptionField, reason: impl Into<String>) -> Self {
        ErrorKind::InvalidOption { option, other: Some(other), reason: reason.into() }.into()
    }

    /// Makes an [`ErrorKind::InvalidImage`].
    pub(crate) fn image(reason: impl Into<String>) -> Self {
        ErrorKind::InvalidImage { reason: reason.into() }.into()
    }

    /// Makes an [`ErrorKind::Unsupported`].
    #[cfg_attr(not(feature = "geotiff"), expect(dead_code, reason = "only readers meet unsupported input"))]
    pub(crate) fn unsupported(feature: impl Into<String>) -> Self {
        ErrorKind::Unsupported { feature: feature.into() }.into()
    }

    /// Makes an [`ErrorKind::Corrupt`].
    pub(crate) fn corrupt(place: impl Into<String>, reason: impl Into<String>) -> Self {
        ErrorKind::Corrupt { place: place.into(), reason: reason.into() }.into()
    }

    /// Makes an [`ErrorKind::Limit`].
    pub(crate) fn limit(what: impl Into<String>, value: u64, limit: u64) -> Self {
        ErrorKind::Limit { what: what.into(), value, limit }.into()
    }

    /// Adds the name of the input that the error is about, unless it names a file already.
    #[cfg(feature = "mosaic")]
    pub(crate) fn in_input(mut self, name: &str) -> Self {
        let is_named = matches!(
            self.0.kind,
            ErrorKind::Io { path: Some(_), .. } | ErrorKind::Address { .. } | ErrorKind::Confined { .. }
        );
        if !is_named && self.0.input.is_none() {
            self.0.input = Some(name.to_owned());
        }
        self
    }

    /// Makes an [`ErrorKind::Shards`].
    pub(crate) fn shards(shards: impl Into<String>, reason: impl Into<String>) -> Self {
        ErrorKind::Shards { shards: shards.into(), reason: reason.into() }.into()
    }

    /// Makes an [`ErrorKind::Io`] without a path.
    pub(crate) fn io(action: &'static str, source: io::Error) -> Self {
        ErrorKind::Io { action, path: None, source }.into()
    }

    /// Makes an [`ErrorKind::Io`] with a path.
    pub(crate) fn io_at(action: &'static str, path: impl Into<PathBuf>, source: io::Error) -> Self {
        ErrorKind::Io { action, path: Some(path.into()), source }.into()
    }
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self(Box::new(Inner { kind, input: None }))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(input) = &self.0.input {
            write!(f, "'{input}': ")?;
        }
        match &self.0.kind {
            ErrorKind::InvalidOption { option, other: None, reason } => write!(f, "option '{option}': {reason}"),
            ErrorKind::InvalidOption { option, other: Some(other), reason } => {
                write!(f, "option '{option}' contradicts '{other}': {reason}")
            }
            ErrorKind::InvalidImage { reason } => write!(f, "invalid image: {reason}"),
            ErrorKind::Unsupported { feature } => write!(f, "not supported: {feature}"),
            ErrorKind::NotTiff { found: Some(kind), .. } if kind.family() == FileFamily::Incomplete => {
                write!(f, "not a TIFF file, but {kind}")
            }
            ErrorKind::NotTiff { reason, found: None } => write!(f, "not a TIFF file ({reason})"),
            ErrorKind::NotTiff { reason, found: Some(kind) } => {
                write!(f, "not a TIFF file ({reason}); looks like {kind}")
            }
            ErrorKind::Address { path, address } => {
                write!(f, "'{}' is {address}, not the path of a file", shown(path))
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
                write!(f, "verification failed: level {level}")?;
                if let Some((row, column)) = tile {
                    write!(f, ", row {row}, column {column}")?;
                }
                write!(f, ": {reason}; memory or disk may be faulty")
            }
            ErrorKind::Mismatch { first, second, reason, .. } => write!(f, "'{first}' and '{second}' differ: {reason}"),
            ErrorKind::NoInputs { path } if path.as_os_str().is_empty() => write!(f, "there are no inputs"),
            ErrorKind::NoInputs { path } => write!(f, "'{}' has no GeoTIFF files", shown(path)),
            ErrorKind::OutputIsInput { path } => write!(f, "the output '{}' is one of the inputs", shown(path)),
            ErrorKind::Confined { file, name, reason } => {
                write!(f, "'{}' names '{}', {reason}", shown(file), redact(name))
            }
            ErrorKind::PixelCount { what, expected, got } => write!(f, "{what}: expected {expected}, got {got}"),
            ErrorKind::Io { action, path: Some(path), source } => {
                write!(f, "cannot {action} '{}': {source}", shown(path))
            }
            ErrorKind::Io { action, path: None, source } => write!(f, "cannot {action}: {source}"),
            ErrorKind::TargetExists { path } => {
                write!(f, "'{}' already exists", shown(path))
            }
            ErrorKind::Shards { shards, reason } => write!(f, "{shards}: {reason}"),
            ErrorKind::Cancelled => write!(f, "cancelled"),
        }
    }
}

/// Returns a path or an address for messages, without secrets.
fn shown(path: &Path) -> String {
    redact(&path.to_string_lossy())
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0.kind {
            ErrorKind::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}
