//! Coordinates of raster warps. Nothing here knows pixels or files.
//!
//! - [`CoordinateTransform`]: arrays of points from one CRS to another and back; [`transform_between`] finds one. WGS 84, its
//!   UTM zones, and Web Mercator have closed forms; other CRSs need the feature `engine` (terrio-crs).
//! - [`TilingScheme`]: the tile matrix sets that GDAL's COG driver knows by name.
//! - [`suggest`] and [`align`]: the extent, resolution, and zoom level of a target grid, by GDAL's rules.
//! - [`Mapping`]: source pixels for the pixels of a target, from an approximation grid that depends on the target alone.
//!
//! ```
//! use cogsmith_warp::{Affine, Grid, Mapping, TilingScheme, align, suggest, transform_between, AlignOptions, AlignedLevels};
//! // A Sentinel-2 tile.
//! let source = Grid { width: 10980, height: 10980, affine: Affine([300_000.0, 10.0, 0.0, 5_000_040.0, 0.0, -10.0]) };
//! let scheme = TilingScheme::find("GoogleMapsCompatible").expect("it is built in");
//! let transform = transform_between("EPSG:32633", scheme.crs())?;
//! let suggested = suggest(&source, &*transform)?;
//! let options = AlignOptions { aligned_levels: AlignedLevels::All, ..AlignOptions::default() };
//! let target = align(&scheme, &suggested, &options)?;
//! assert_eq!((target.zoom_level, target.tile_size), (13, 256));
//! # Ok::<(), cogsmith_warp::WarpError>(())
//! ```

#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![warn(unreachable_pub, clippy::print_stdout, clippy::print_stderr)]
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::unimplemented)]
#![warn(clippy::cast_possible_truncation, clippy::cast_possible_wrap, clippy::cast_sign_loss)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking"))]

mod affine;
mod align;
mod closed;
#[cfg(feature = "engine")]
mod engine;
mod error;
mod mapping;
mod scheme;
mod suggest;
mod transform;

pub use affine::{Affine, Grid};
pub use align::{AlignOptions, AlignedGrid, AlignedLevels, ZoomStrategy, align};
pub use error::WarpError;
pub use mapping::{CELL, Leaf, Mapping, SUBPIXELS, SourcePoint};
pub use scheme::TilingScheme;
pub use suggest::{Suggestion, suggest, within_web_mercator};
pub use transform::{CoordinateTransform, Direction, Points, has_closed_form, transform_between};

/// Returns the sine of an angle in radians, the same on all platforms.
#[must_use]
pub fn sin(angle: f64) -> f64 {
    libm::sin(angle)
}
