//! A temporary file for encoded tiles.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::PathBuf;

use crate::error::{Error, Result};

use super::target::{BLOCK, Target};

/// Bytes that the system copies between opportunities to stop.
const COPIED_AT_ONCE: u64 = 32 << 20;

/// An unnamed file that vanishes with the process, even if it is killed.
#[derive(Debug)]
pub(super) struct Spool {
    directory: PathBuf,
    file: File,
    waiting: Vec<u8>,
    end: u64,
}

impl Spool {
    /// Creates a file in `directory`, by default the system's temporary directory.
    pub(super) fn new(directory: Option<PathBuf>) -> Result<Self> {
        let directory = directory.unwrap_or_else(std::env::temp_dir);
        let file = tempfile::tempfile_in(&directory)
            .map_err(|error| Error::io_at("create a temporary file in", &directory, error))?;
        Ok(Self { directory, file, waiting: Vec::with_capacity(BLOCK), end: 0 })
    }

    /// Returns the offset of the next byte.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// Appends bytes.
    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.end += bytes.len() as u64;
        let large = bytes.len() >= BLOCK / 8;
        // Buffered bytes come before bytes that are written directly.
        if large || self.waiting.len() + bytes.len() > BLOCK {
            self.flush()?;
        }
        if large {
            return self.file.write_all(bytes).map_err(|error| self.failed(error));
        }
        self.waiting.extend_from_slice(bytes);
        Ok(())
    }

    /// Writes buffered bytes.
    pub(super) fn flush(&mut self) -> Result<()> {
        let written = self.file.write_all(&self.waiting);
        self.waiting.clear();
        written.map_err(|error| self.failed(error))
    }

    /// Copies a run of bytes, after [`flush`](Self::flush). Calls `step` repeatedly.
    pub(super) fn copy(
        &mut self,
        mut offset: u64,
        mut length: u64,
        target: &mut dyn Target,
        step: &mut dyn FnMut() -> Result<()>,
    ) -> Result<()> {
        while length > 0 {
            let count = length.min(COPIED_AT_ONCE);
            target.copy(&self.file, offset, count, &|error| self.failed(error))?;
            (offset, length) = (offset + count, length - count);
            step()?;
        }
        // Appended bytes go to the end, not after the copied bytes.
        self.file.seek(SeekFrom::Start(self.end)).map_err(|error| self.failed(error))?;
        Ok(())
    }

    fn failed(&self, error: io::Error) -> Error {
        Error::io_at("use the temporary file in", &self.directory, error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back_in_the_order_in_which_they_were_appended() {
        let mut spool = Spool::new(None).unwrap();
        let mut all = Vec::new();
        for (value, length) in (0..).zip([10, BLOCK / 8, 7, BLOCK / 8 - 1, 3, 2 * BLOCK, 1, BLOCK, BLOCK / 9, 0, BLOCK])
        {
            spool.append(&vec![value; length]).unwrap();
            all.resize(all.len() + length, value);
            assert_eq!(spool.end(), all.len() as u64);
        }
        spool.flush().unwrap();
        let mut back = Vec::new();
        let mut steps = 0;
        let mut step = || {
            steps += 1;
            Ok(())
        };
        spool.copy(5, all.len() as u64 - 5, &mut super::super::target::buffered(&mut back), &mut step).unwrap();
        assert!(back == all[5..]);
        assert!(steps > 0);
    }
}
