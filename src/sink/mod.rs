//! Output: storage for encoded tiles, and files.

mod direct;
pub mod file;
pub mod fragments;
mod in_place;
mod memory;
#[cfg(feature = "spool")]
mod spool;
mod spooled;
mod store;
mod target;
mod verify;
pub mod writer;

pub use file::{FileOptions, OutputFile};
pub use fragments::{FragmentFolder, Fragments};
pub use memory::MemorySink;
pub use spooled::SpooledSink;
pub use store::StoreOptions;
pub use writer::file_sink;
