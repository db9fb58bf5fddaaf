//! Target of the bytes of a file: any writer, or a file, which supports faster copies.

#[cfg(feature = "spool")]
use std::fs::File;
use std::io::{self, BufWriter, Write};
#[cfg(feature = "spool")]
use std::io::{Read, Seek, SeekFrom};

use crate::error::{Error, Result};

use super::file::OutputFile;

/// Bytes passed on at once.
pub(super) const BLOCK: usize = 1 << 20;

/// Takes the bytes of a file in order.
pub(super) trait Target {
    /// Writes bytes.
    fn write(&mut self, bytes: &[u8]) -> Result<()>;

    /// Writes `length` bytes from `offset` of another file. `lost` makes an error of what went wrong there.
    #[cfg(feature = "spool")]
    fn copy(&mut self, from: &File, offset: u64, length: u64, lost: &dyn Fn(io::Error) -> Error) -> Result<()>;

    /// Hands over what is still held back.
    fn flush(&mut self) -> Result<()>;
}

impl<W: Write> Target for BufWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.write_all(bytes).map_err(failed)
    }

    #[cfg(feature = "spool")]
    fn copy(&mut self, mut from: &File, offset: u64, length: u64, lost: &dyn Fn(io::Error) -> Error) -> Result<()> {
        from.seek(SeekFrom::Start(offset)).map_err(lost)?;
        let mut block = vec![0; BLOCK];
        let mut left = length;
        while left > 0 {
            let count = usize::try_from(left).unwrap_or(BLOCK).min(BLOCK);
            from.read_exact(&mut block[..count]).map_err(lost)?;
            self.write_all(&block[..count]).map_err(failed)?;
            left -= count as u64;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        Write::flush(self).map_err(failed)
    }
}

/// Lets the system copy from other files, by `copy_file_range` on Linux.
impl Target for OutputFile {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.write_all(bytes).map_err(failed)
    }

    #[cfg(feature = "spool")]
    fn copy(&mut self, mut from: &File, offset: u64, length: u64, lost: &dyn Fn(io::Error) -> Error) -> Result<()> {
        from.seek(SeekFrom::Start(offset)).map_err(lost)?;
        let short = || lost(io::Error::new(io::ErrorKind::UnexpectedEof, "it has become shorter"));
        let (mut at, end) = (offset, offset + length);
        while at < end {
            match self.copy_from(&mut from.take(end - at)) {
                Ok(0) => return Err(short()),
                Ok(count) => at += count,
                // What was copied before has moved both files on.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                    at = from.stream_position().map_err(lost)?
                }
                Err(error) => return Err(failed(error)),
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        Write::flush(self).map_err(failed)
    }
}

/// A writer that gets large blocks.
pub(super) fn buffered<W: Write>(writer: W) -> BufWriter<W> {
    BufWriter::with_capacity(BLOCK, writer)
}

pub(super) fn failed(error: io::Error) -> Error {
    Error::io("write the output", error)
}
