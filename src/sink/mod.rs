//! Output: storage for encoded tiles, and files.

mod ahead;
mod direct;
pub mod file;
pub mod fragments;
mod place;
#[cfg(feature = "spool")]
mod spool;
mod store;
mod target;
mod verify;
pub mod writer;

pub use file::{FileOptions, OutputFile};
pub use fragments::{FragmentFolder, Fragments};
pub use store::StoreOptions;
