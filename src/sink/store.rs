//! Sections of finished tiles, kept until they can be put in order.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use crate::error::{Error, Result};
use crate::grid::SectionId;

#[cfg(feature = "spool")]
use super::spool::Spool;

/// How finished tiles are kept until the header can be written: sections of coarse levels come first in the file but
/// are complete last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreOptions {
    /// Bytes that are kept in memory; what is beyond goes to a temporary file (with the feature `spool`, otherwise it
    /// is an error). Default: 64 MiB; without the feature `spool`, no limit.
    pub memory: u64,
    /// Where the temporary file is made; it has no name and vanishes with the process. Default: the system's folder
    /// for temporary files.
    pub directory: Option<PathBuf>,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self { memory: if cfg!(feature = "spool") { 64 << 20 } else { u64::MAX }, directory: None }
    }
}

/// A run of bytes of a section.
#[derive(Debug)]
enum Piece {
    Memory(Vec<u8>),
    #[cfg(feature = "spool")]
    Spooled {
        offset: u64,
        length: u64,
    },
}

/// Append-only sections: in memory up to a budget, beyond it in a spool file.
#[derive(Debug)]
pub(crate) struct SectionStore {
    options: StoreOptions,
    sections: BTreeMap<SectionId, Vec<Piece>>,
    in_memory: u64,
    #[cfg(feature = "spool")]
    spool: Option<Spool>,
}

impl SectionStore {
    pub(crate) fn new(options: StoreOptions) -> Self {
        Self {
            options,
            sections: BTreeMap::new(),
            in_memory: 0,
            #[cfg(feature = "spool")]
            spool: None,
        }
    }

    /// Appends bytes to a section.
    pub(crate) fn append(&mut self, section: SectionId, bytes: Vec<u8>) -> Result<()> {
        self.in_memory += bytes.len() as u64;
        self.sections.entry(section).or_default().push(Piece::Memory(bytes));
        if self.in_memory > self.options.memory {
            self.spill()?;
        }
        Ok(())
    }

    /// Writes a section and forgets it.
    pub(crate) fn write_section(&mut self, section: SectionId, writer: &mut dyn Write) -> Result<()> {
        for piece in self.sections.remove(&section).unwrap_or_default() {
            match piece {
                Piece::Memory(bytes) => {
                    writer.write_all(&bytes).map_err(|error| Error::io("write the output", error))?;
                }
                #[cfg(feature = "spool")]
                Piece::Spooled { offset, length } => {
                    if let Some(spool) = &mut self.spool {
                        spool.copy(offset, length, writer)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Moves all pieces from memory to the spool file.
    #[cfg(feature = "spool")]
    fn spill(&mut self) -> Result<()> {
        let spool = match &mut self.spool {
            Some(spool) => spool,
            slot => slot.insert(Spool::new(self.options.directory.clone())?),
        };
        for pieces in self.sections.values_mut() {
            let start = spool.end();
            let mut kept = Vec::new();
            for piece in pieces.drain(..) {
                match piece {
                    Piece::Memory(bytes) => spool.append(&bytes)?,
                    spooled @ Piece::Spooled { .. } => kept.push(spooled),
                }
            }
            if spool.end() > start {
                kept.push(Piece::Spooled { offset: start, length: spool.end() - start });
            }
            *pieces = kept;
        }
        spool.flush()?;
        self.in_memory = 0;
        Ok(())
    }

    #[cfg(not(feature = "spool"))]
    fn spill(&mut self) -> Result<()> {
        Err(Error::limit("the size of finished tiles in memory, in bytes,", self.in_memory, self.options.memory))
    }
}
