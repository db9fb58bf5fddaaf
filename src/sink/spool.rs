//! A temporary file for finished tiles.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

use crate::error::{Error, Result};

/// Bytes written or read at once.
const BLOCK: usize = 1 << 20;

/// A file without a name that vanishes with the process, even when that is killed.
#[derive(Debug)]
pub(super) struct Spool {
    directory: PathBuf,
    file: File,
    waiting: Vec<u8>,
    end: u64,
}

impl Spool {
    /// A new file in `directory`, by default the system's folder for temporary files.
    pub(super) fn new(directory: Option<PathBuf>) -> Result<Self> {
        let directory = directory.unwrap_or_else(std::env::temp_dir);
        let file = tempfile::tempfile_in(&directory)
            .map_err(|error| Error::io_at("make a temporary file in", &directory, error))?;
        Ok(Self { directory, file, waiting: Vec::with_capacity(BLOCK), end: 0 })
    }

    /// Where the next byte goes.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// Appends bytes.
    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.end += bytes.len() as u64;
        self.waiting.extend_from_slice(bytes);
        if self.waiting.len() >= BLOCK { self.flush() } else { Ok(()) }
    }

    /// Writes what waits.
    pub(super) fn flush(&mut self) -> Result<()> {
        let written = self.file.write_all(&self.waiting);
        self.waiting.clear();
        written.map_err(|error| self.failed(error))
    }

    /// Copies a run of bytes, after [`flush`](Self::flush).
    pub(super) fn copy(&mut self, offset: u64, length: u64, writer: &mut dyn Write) -> Result<()> {
        self.file.seek(SeekFrom::Start(offset)).map_err(|error| self.failed(error))?;
        let mut block = vec![0; BLOCK];
        let mut left = length;
        while left > 0 {
            let count = usize::try_from(left).unwrap_or(BLOCK).min(BLOCK);
            let block = &mut block[..count];
            self.file.read_exact(block).map_err(|error| self.failed(error))?;
            writer.write_all(block).map_err(|error| Error::io("write the output", error))?;
            left -= count as u64;
        }
        Ok(())
    }

    fn failed(&self, error: io::Error) -> Error {
        Error::io_at("use the temporary file in", &self.directory, error)
    }
}
