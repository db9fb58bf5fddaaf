//! Where finished tiles wait, and where the file goes.

pub mod file;
#[cfg(feature = "spool")]
mod spool;
mod store;
pub mod writer;

pub use file::{FileOptions, OutputFile};
pub use store::StoreOptions;
