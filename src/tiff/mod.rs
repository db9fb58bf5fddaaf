//! Byte-level TIFF: tags, values, directories, file variants, and GDAL's structural metadata block.
//!
//! Independent of georeferencing, codecs, and pixels. Files are read in either byte order, and written in little-endian
//! order on any machine. Sources: TIFF 6.0 (Adobe, 1992); the BigTIFF design (AWare Systems, 2007); GDAL 3.12 for the
//! ghost area.

pub(crate) mod arrays;
#[cfg(feature = "geotiff")]
pub(crate) mod file;
pub(crate) mod ghost;
pub(crate) mod ifd;
mod order;
#[cfg(feature = "geotiff")]
pub(crate) mod stored;
pub(crate) mod tag;
pub(crate) mod value;
pub(crate) mod variant;

pub use tag::Tag;
pub use value::TagValue;
