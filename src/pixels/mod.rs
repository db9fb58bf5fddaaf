//! Choice of pixels: a window, bands, another data type, palette colors, a smaller size.

mod buffer;
mod convert;
mod options;
mod palette;
mod reduce;
mod subset;
mod wrap;

#[cfg(feature = "geotiff")]
pub(crate) use buffer::RowBuffer;
#[cfg(all(feature = "geotiff", feature = "mosaic"))]
pub(crate) use convert::scales_in_single;
pub use options::{BandChoice, PaletteColors, PixelOptions, Rescale};
