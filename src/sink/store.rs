//! Storage for sections of encoded tiles, until they can be put in order.

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

/// Memory limits of an encoding, temporary files, and verification.
///
/// Encoded tiles wait until the header can be written: the sections of coarse levels come first in the file, but are
/// complete last. Without compression, their offsets are known from the start; if the output is a file, tiles are then
/// written directly to their positions, and nothing waits.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub struct StoreOptions {
    /// Memory limit for encoded tiles, in bytes; the rest spills to a temporary file, or is an error without the
    /// feature `spool`. Default: 16 MiB; without the feature `spool`, no limit.
    pub memory: u64,
    /// Bytes of pixels that are read at once, to keep all threads busy; at least one row of tiles. With several
    /// threads, the next batch is read ahead, unless it is larger than one and a half times this size. Default: 16 MiB.
    pub batch: u64,
    /// Directory of the temporary file, which is unnamed and vanishes with the process. Default: the system's temporary
    /// directory.
    pub directory: Option<PathBuf>,
    /// True to read back the finished file before it [appears](super::OutputFile::commit), and compare the pixels of
    /// every tile of every level with those that were encoded, by checksums; a difference is an
    /// [`ErrorKind::Verification`](crate::ErrorKind::Verification). Takes eight bytes per tile, and about as long as
    /// decoding the file. Only an [`OutputFile`](super::OutputFile) that is a regular file can be read back; for other
    /// outputs, this is an error. Needs the feature `geotiff`. Default: false.
    pub verify: bool,
}

impl Default for StoreOptions {
    fn default() -> Self {
        let memory = if cfg!(feature = "spool") { 16 << 20 } else { u64::MAX };
        Self { memory, batch: BATCH_BYTES, directory: None, verify: false }
    }
}

/// Each method sets one option and returns the options, so that they can be chained.
impl StoreOptions {
    /// Returns the default options.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns options that keep all encoded tiles in memory, for outputs that are in memory themselves.
    pub fn in_memory() -> Self {
        Self { memory: u64::MAX, ..Self::default() }
    }

    /// Sets the memory limit for encoded tiles in bytes. Default: 16 MiB; without the feature `spool`, no limit.
    pub fn memory(mut self, bytes: u64) -> Self {
        self.memory = bytes;
        self
    }

    /// Sets the size in bytes of the rows that are read at once, if a row of tiles is not larger. Default: 16 MiB.
    pub fn batch(mut self, bytes: u64) -> Self {
        self.batch = bytes;
        self
    }

    /// Sets the directory of the temporary file. Default: the system's temporary directory.
    pub fn directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// Sets whether the finished file is read back and all pixels are compared before it appears. Default: `false`.
    pub fn verify(mut self, verify: bool) -> Self {
        self.verify = verify;
        self
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

/// Append-only sections: in memory up to a limit, beyond it in a temporary file.
#[derive(Debug)]
pub(crate) struct SectionStore {
    options: StoreOptions,
    sections: BTreeMap<SectionId, VecDeque<Piece>>,
    in_memory: u64,
    /// Bytes that wait, in memory or in the temporary file.
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

    /// Returns the number of bytes that went to the temporary file.
    pub(crate) fn spooled(&self) -> u64 {
        #[cfg(feature = "spool")]
        return self.spool.as_ref().map_or(0, Spool::end);
        #[cfg(not(feature = "spool"))]
        return 0;
    }

    /// Returns the number of bytes that wait, in memory and in the temporary file.
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
            // Small tiles share a piece: separate pieces would take more memory than the tiles.
            Some(Piece::Memory(held)) if bytes.len() < BLOCK / 16 && held.len() + bytes.len() <= BLOCK => {
                held.extend_from_slice(bytes);
            }
            _ => pieces.push_back(Piece::Memory(bytes.to_vec())),
        }
        Ok(())
    }

    /// Writes waiting bytes of a section, at most about `most`, and removes them; returns how many there were. Calls
    /// `step` after every piece.
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

    /// Appends bytes to a section in the temporary file.
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
        Err(Error::limit("the size of encoded tiles in memory, in bytes,", needed, self.options.memory))
    }
}
