//! Files in memory.

use crate::encode::{FinishedFile, TileSink};
use crate::error::{ErrorKind, Result};
use crate::grid::SectionId;

use super::spooled::write_in_order;
use super::store::{SectionStore, StoreOptions};
use super::target::buffered;

/// A sink that makes the bytes of a file. Holds each tile once, apart from a few megabytes while the file is put together.
#[derive(Debug)]
pub struct MemorySink {
    store: SectionStore,
    file: Vec<u8>,
}

impl Default for MemorySink {
    fn default() -> Self {
        Self { store: SectionStore::new(StoreOptions::in_memory()), file: Vec::new() }
    }
}

impl MemorySink {
    /// A sink without tiles.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The bytes of the finished file; empty before [`finish`](TileSink::finish).
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.file
    }
}

impl TileSink for MemorySink {
    fn append(&mut self, section: SectionId, tile: &[u8]) -> Result<()> {
        self.store.append(section, tile)
    }

    fn finish(&mut self, file: &FinishedFile, step: &mut dyn FnMut() -> Result<()>) -> Result<()> {
        let bytes = file.summary.bytes;
        let reserved = usize::try_from(bytes).ok().and_then(|bytes| self.file.try_reserve_exact(bytes).ok());
        reserved.ok_or(ErrorKind::OutOfMemory { what: "the file", bytes })?;
        write_in_order(file, &mut self.store, &mut buffered(&mut self.file), step)
    }
}
