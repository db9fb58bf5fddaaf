//! Errors: which argument is wrong, and what would be valid.

use std::fmt;

/// The largest number of bytes that the samples of one image may take: the limit of libLerc.
pub const MAX_BYTES: usize = i32::MAX as usize;

/// An argument that cannot be encoded.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// Width, height, or number of bands is zero.
    Empty {
        /// The width in pixels.
        width: usize,
        /// The height in pixels.
        height: usize,
        /// The number of samples per pixel.
        bands: usize,
    },
    /// The samples take more than [`MAX_BYTES`].
    TooLarge {
        /// The width in pixels.
        width: usize,
        /// The height in pixels.
        height: usize,
        /// The number of samples per pixel.
        bands: usize,
    },
    /// The number of samples is not width times height times bands.
    SampleCount {
        /// Width times height times bands.
        expected: usize,
        /// The length of the slice.
        found: usize,
    },
    /// The number of mask bytes is not width times height.
    MaskLen {
        /// Width times height.
        expected: usize,
        /// The length of the mask.
        found: usize,
    },
    /// The maximum error is negative, NaN, or so large that twice the error is infinite.
    MaxZError(f64),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Empty { width, height, bands } => {
                write!(f, "an image of {width} by {height} pixels and {bands} bands has no samples")
            }
            Self::TooLarge { width, height, bands } => {
                write!(f, "an image of {width} by {height} pixels and {bands} bands exceeds {MAX_BYTES} bytes")
            }
            Self::SampleCount { expected, found } => {
                write!(f, "the slice has {found} samples instead of {expected} (width x height x bands)")
            }
            Self::MaskLen { expected, found } => {
                write!(f, "the mask has {found} bytes instead of {expected} (width x height)")
            }
            Self::MaxZError(value) => write!(f, "max Z error {value} is not a number from 0 to {:e}", f64::MAX / 2.0),
        }
    }
}

impl std::error::Error for Error {}
