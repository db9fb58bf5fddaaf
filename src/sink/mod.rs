//! Output: storage for encoded tiles, and files.

#[cfg(all(feature = "geotiff", feature = "mosaic"))]
mod appended;
mod direct;
pub(crate) mod file;
pub(crate) mod fragments;
mod in_place;
mod memory;
#[cfg(feature = "spool")]
mod spool;
mod spooled;
mod store;
mod target;
#[cfg(feature = "geotiff")]
mod update;
mod verify;
pub(crate) mod writer;

#[cfg(all(feature = "geotiff", feature = "mosaic"))]
pub(crate) use appended::{AppendedFile, copy_range};
pub use file::{FileOptions, OutputFile};
pub use memory::MemorySink;
pub use spooled::SpooledSink;
pub use store::StoreOptions;
#[cfg(feature = "geotiff")]
pub(crate) use update::UpdatedFile;
