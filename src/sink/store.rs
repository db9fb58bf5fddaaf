//! Sections of finished tiles, kept until they can be put in order.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;

use crate::encode::BATCH_BYTES;
#[cfg(not(feature = "spool"))]
use crate::error::Error;
use crate::error::Result;
use crate::grid::SectionId;

#[cfg(feature = "spool")]
use super::spool::Spool;
use super::target::{BLOCK, Target};

/// What an encoding may take of memory, and where it puts what doesn't fit.
///
/// Finished tiles must wait until the header can be written: sections of coarse levels come first in the file but are
/// complete last. Without compression their places are known from the start: then tiles go there at once, if the
/// output is a file, and nothing waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreOptions {
    /// Bytes of finished tiles that are kept in memory; what is beyond goes to a temporary file (with the feature
    /// `spool`, otherwise it is an error). Default: 16 MiB; without the feature `spool`, no limit.
    pub memory: u64,
    /// Bytes of pixels that are read at once, so that all threads have work, unless a single row of tiles has more. With
    /// threads, as much is read ahead, unless that is more than one and a half times as many bytes. Default: 16 MiB.
    pub batch: u64,
    /// Where the temporary file is made; it has no name and vanishes with the process. Default: the system's folder
    /// for temporary files.
    pub directory: Option<PathBuf>,
    /// Whether the finished file is read back before it [appears](super::OutputFile::commit), and the pixels of every
    /// tile of every level are compared, by checksums, with those that were encoded; a difference is an
    /// [`ErrorKind::Verification`](crate::ErrorKind::Verification). Takes eight bytes a tile, and about as long as
    /// decoding the file. Only an [`OutputFile`](super::OutputFile) that is a regular file can be read back: other
    /// outputs refuse it. Needs the feature `geotiff`. Default: no.
    pub verify: bool,
}

impl Default for StoreOptions {
    fn default() -> Self {
        let memory = if cfg!(feature = "spool") { 16 << 20 } else { u64::MAX };
        Self { memory, batch: BATCH_BYTES, directory: None, verify: false }
    }
}

impl StoreOptions {
    /// Keeps all finished tiles in memory: for outputs that are in memory themselves.
    #[must_use]
    pub fn in_memory() -> Self {
        Self { memory: u64::MAX, ..Self::default() }
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
    sections: BTreeMap<SectionId, VecDeque<Piece>>,
    in_memory: u64,
    /// Bytes that wait, wherever they are.
    waiting: u64,
    #[cfg(feature = "spool")]
    spool: Option<Spool>,
}

impl SectionStore {
    pub(crate) fn new(options: StoreOptions) -> Self {
        Self {
            options,
            sections: BTreeMap::new(),
            in_memory: 0,
            waiting: 0,
            #[cfg(feature = "spool")]
            spool: None,
        }
    }

    /// Bytes that wait in the temporary file.
    pub(crate) fn spooled(&self) -> u64 {
        #[cfg(feature = "spool")]
        return self.spool.as_ref().map_or(0, Spool::end);
        #[cfg(not(feature = "spool"))]
        return 0;
    }

    /// Bytes that wait, in memory and in the temporary file.
    pub(super) fn waiting(&self) -> u64 {
        self.waiting
    }

    /// Appends bytes to a section.
    pub(crate) fn append(&mut self, section: SectionId, bytes: &[u8]) -> Result<()> {
        let length = bytes.len() as u64;
        self.waiting += length;
        if length > self.options.memory.saturating_sub(self.in_memory) {
            return self.spill(section, bytes);
        }
        self.in_memory += length;
        let pieces = self.sections.entry(section).or_default();
        match pieces.back_mut() {
            // Small tiles share a piece: their bookkeeping would take more than they do.
            Some(Piece::Memory(held)) if bytes.len() < BLOCK / 16 && held.len() + bytes.len() <= BLOCK => {
                held.extend_from_slice(bytes);
            }
            _ => pieces.push_back(Piece::Memory(bytes.to_vec())),
        }
        Ok(())
    }

    /// Writes what there is of a section, at most about so many bytes, and forgets it; tells how many bytes it was.
    /// `step` is called after every piece.
    pub(super) fn write_section(
        &mut self,
        section: SectionId,
        most: u64,
        target: &mut dyn Target,
        step: &mut dyn FnMut() -> Result<()>,
    ) -> Result<u64> {
        #[cfg(feature = "spool")]
        if let Some(spool) = &mut self.spool {
            spool.flush()?;
        }
        let mut written = 0;
        let Some(pieces) = self.sections.get_mut(&section) else { return Ok(0) };
        while written < most
            && let Some(piece) = pieces.pop_front()
        {
            match piece {
                Piece::Memory(bytes) => {
                    target.write(&bytes)?;
                    self.in_memory -= bytes.len() as u64;
                    written += bytes.len() as u64;
                }
                #[cfg(feature = "spool")]
                Piece::Spooled { offset, length } => {
                    let count = length.min(most - written);
                    if let Some(spool) = &mut self.spool {
                        spool.copy(offset, count, target, step)?;
                    }
                    if count < length {
                        pieces.push_front(Piece::Spooled { offset: offset + count, length: length - count });
                    }
                    written += count;
                }
            }
            step()?;
        }
        self.waiting -= written;
        Ok(written)
    }

    /// Appends bytes to a section in the spool file.
    #[cfg(feature = "spool")]
    fn spill(&mut self, section: SectionId, bytes: &[u8]) -> Result<()> {
        let spool = match &mut self.spool {
            Some(spool) => spool,
            slot => slot.insert(Spool::new(self.options.directory.clone())?),
        };
        let start = spool.end();
        spool.append(bytes)?;
        let pieces = self.sections.entry(section).or_default();
        match pieces.back_mut() {
            Some(Piece::Spooled { offset, length }) if *offset + *length == start => *length += bytes.len() as u64,
            _ => pieces.push_back(Piece::Spooled { offset: start, length: bytes.len() as u64 }),
        }
        Ok(())
    }

    #[cfg(not(feature = "spool"))]
    fn spill(&mut self, _section: SectionId, bytes: &[u8]) -> Result<()> {
        let needed = self.in_memory.saturating_add(bytes.len() as u64);
        Err(Error::limit("the size of finished tiles in memory, in bytes,", needed, self.options.memory))
    }
}
