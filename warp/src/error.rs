//! Errors of this crate.

use std::fmt;

/// The reason that coordinates or a grid cannot be computed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum WarpError {
    /// A CRS is unknown, or there is no transformation between two CRSs.
    Crs(String),
    /// The requested grid does not exist: a zoom level or an extent outside of the tiling scheme, or a size out of range.
    Grid(String),
    /// No point, or hardly any point, of the source has coordinates in the target CRS.
    OutOfArea(String),
}

impl fmt::Display for WarpError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Crs(text) | Self::Grid(text) | Self::OutOfArea(text) => formatter.write_str(text),
        }
    }
}

impl std::error::Error for WarpError {}
