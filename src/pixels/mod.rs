//! Choice of pixels: a window, bands, another data type, palette colors, a smaller size.

mod buffer;
mod convert;
mod options;
mod palette;
mod reduce;
mod subset;

pub use options::{BandChoice, PaletteColors, PixelOptions, Rescale};
