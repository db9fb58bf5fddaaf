//! Code shared by several tests. Nothing here uses the library's own reading or writing of TIFF.

#![allow(dead_code, reason = "every test takes its own part")]

pub mod allocator;
pub mod golden;
pub mod images;
pub mod parse;
pub mod raster;
pub mod window;
