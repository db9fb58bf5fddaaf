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
pub(super) enum Target<'a> {
    Writer(BufWriter<&'a mut dyn Write>),
    /// Lets the system copy from other files, with `copy_file_range` on Linux.
    File(&'a mut OutputFile),
}

impl<'a> Target<'a> {
    pub(super) fn writer(writer: &'a mut dyn Write) -> Self {
        Self::Writer(BufWriter::with_capacity(BLOCK, writer))
    }

    /// Returns the file, if the target is one.
    pub(super) fn file(&self) -> Option<&OutputFile> {
        match self {
            Self::Writer(_) => None,
            Self::File(file) => Some(file),
        }
    }

    /// Writes bytes.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let written = match self {
            Self::Writer(writer) => writer.write_all(bytes),
            Self::File(file) => file.write_all(bytes),
        };
        written.map_err(failed)
    }

    /// Copies `length` bytes at `offset` of another file. `lost` wraps read errors.
    #[cfg(feature = "spool")]
    pub(super) fn copy(
        &mut self,
        mut from: &File,
        offset: u64,
        length: u64,
        lost: impl Fn(io::Error) -> Error,
    ) -> Result<()> {
        from.seek(SeekFrom::Start(offset)).map_err(&lost)?;
        match self {
            Self::File(file) => {
                let short = || lost(io::Error::new(io::ErrorKind::UnexpectedEof, "it has become shorter"));
                let (mut at, end) = (offset, offset + length);
                while at < end {
                    match file.copy_from(&mut from.take(end - at)) {
                        Ok(0) => return Err(short()),
                        Ok(count) => at += count,
                        // Bytes copied before the interruption have advanced both files.
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                            at = from.stream_position().map_err(&lost)?;
                        }
                        Err(error) => return Err(failed(error)),
                    }
                }
                Ok(())
            }
            Self::Writer(writer) => {
                let mut block = vec![0; BLOCK];
                let mut left = length;
                while left > 0 {
                    let count = usize::try_from(left).unwrap_or(BLOCK).min(BLOCK);
                    from.read_exact(&mut block[..count]).map_err(&lost)?;
                    writer.write_all(&block[..count]).map_err(failed)?;
                    left -= count as u64;
                }
                Ok(())
            }
        }
    }

    /// Writes all buffered bytes.
    pub(super) fn flush(&mut self) -> Result<()> {
        match self {
            Self::Writer(writer) => writer.flush(),
            Self::File(file) => file.flush(),
        }
        .map_err(failed)
    }
}

pub(super) fn failed(error: io::Error) -> Error {
    Error::io("write the output", error)
}
