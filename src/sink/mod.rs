//! Where a finished COG goes.

pub mod file;

pub use file::{FileOptions, OutputFile};
