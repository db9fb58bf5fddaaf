//! A file with more bytes after its end, which are elsewhere.

#[cfg(feature = "spool")]
use std::fs::File;
use std::io;
#[cfg(feature = "spool")]
use std::io::Write;
use std::path::PathBuf;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

#[cfg(feature = "spool")]
use crate::error::Error;
use crate::error::Result;
use crate::read::{DiskFile, ReadAt};

use super::file::OutputFile;

/// Bytes that wait in memory; more are in a temporary file.
#[cfg(feature = "spool")]
const MEMORY: usize = 16 << 20;

/// A file that can be read as if bytes had been appended to it. The file itself does not change: the bytes are in memory up to
/// 16 MiB, and beyond it in an unnamed temporary file.
pub(crate) struct AppendedFile {
    file: DiskFile,
    #[cfg_attr(not(feature = "spool"), expect(dead_code, reason = "there is no temporary file"))]
    directory: PathBuf,
    more: RwLock<More>,
}

#[derive(Default)]
struct More {
    /// Bytes in the temporary file.
    spooled: u64,
    #[cfg(feature = "spool")]
    spool: Option<(File, DiskFile)>,
    /// The bytes after them.
    memory: Vec<u8>,
}

impl AppendedFile {
    /// Takes a file, and the directory of a temporary one.
    pub(crate) fn new(file: DiskFile, directory: PathBuf) -> Self {
        Self { file, directory, more: RwLock::default() }
    }

    /// Appends bytes; returns their offset.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) if the temporary file cannot be written.
    pub(crate) fn append(&self, bytes: &[u8]) -> Result<u64> {
        let mut more = self.more.write().unwrap_or_else(PoisonError::into_inner);
        let offset = self.file.len() + more.spooled + more.memory.len() as u64;
        more.memory.extend_from_slice(bytes);
        #[cfg(feature = "spool")]
        if more.memory.len() > MEMORY {
            let failed = |error| Error::io_at("use the temporary file in", &self.directory, error);
            more.spill(&self.directory).map_err(failed)?;
        }
        Ok(offset)
    }

    /// Returns the file itself.
    pub(crate) fn file(&self) -> &DiskFile {
        &self.file
    }

    fn more(&self) -> RwLockReadGuard<'_, More> {
        self.more.read().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(feature = "spool")]
impl More {
    /// Moves the bytes in memory to the temporary file.
    fn spill(&mut self, directory: &std::path::Path) -> io::Result<()> {
        let (file, _) = match &mut self.spool {
            Some(spool) => spool,
            slot => {
                let file = tempfile::tempfile_in(directory)?;
                let reader = DiskFile::growing(file.try_clone()?);
                slot.insert((file, reader))
            }
        };
        file.write_all(&self.memory)?;
        self.spooled += self.memory.len() as u64;
        self.memory.clear();
        Ok(())
    }
}

impl ReadAt for AppendedFile {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(after) = offset.checked_sub(self.file.len()) else {
            let rest = usize::try_from(self.file.len() - offset).unwrap_or(usize::MAX);
            let count = rest.min(buffer.len());
            return self.file.read_at(offset, buffer.get_mut(..count).unwrap_or_default());
        };
        let more = self.more();
        #[cfg(feature = "spool")]
        if let (Some((_, reader)), true) = (&more.spool, after < more.spooled) {
            let rest = usize::try_from(more.spooled - after).unwrap_or(usize::MAX);
            let count = rest.min(buffer.len());
            return reader.read_at(after, buffer.get_mut(..count).unwrap_or_default());
        }
        more.memory.as_slice().read_at(after - more.spooled, buffer)
    }

    fn len(&self) -> u64 {
        let more = self.more();
        self.file.len() + more.spooled + more.memory.len() as u64
    }
}

/// The fewest bytes that the system copies; fewer are faster through memory.
const COPIED: u64 = 256 << 10;

/// Appends bytes of a file to an output, inside the kernel if the system supports it. False if there are few, or if the system
/// does not.
///
/// # Errors
/// [`ErrorKind::Io`](crate::ErrorKind::Io).
pub(crate) fn copy_range(from: &DiskFile, offset: u64, length: u64, output: &mut OutputFile) -> Result<bool> {
    #[cfg(all(unix, feature = "spool"))]
    if length >= COPIED {
        use super::target::Target;
        output.copy(from.file(), offset, length, &|error| Error::io("read the tiles", error))?;
        return Ok(true);
    }
    let _ = (from, offset, output, length >= COPIED);
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::read_full;

    #[test]
    fn appended_bytes_follow_those_of_the_file() {
        let path = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(path.path(), [1, 2, 3]).unwrap();
        let file = AppendedFile::new(DiskFile::open(path.path()).unwrap(), std::env::temp_dir());
        let mut expected = vec![1, 2, 3];
        // More than is kept in memory.
        for value in 0..20u8 {
            assert_eq!(file.append(&vec![value; 1 << 20]).unwrap(), expected.len() as u64);
            expected.resize(expected.len() + (1 << 20), value);
        }
        assert_eq!(file.len(), expected.len() as u64);
        for start in [0, 2, 3, 4, (5 << 20) - 7, (16 << 20) - 2, (17 << 20) + 1, expected.len() - 3, expected.len()] {
            let mut bytes = vec![0; 3 << 20];
            let filled = read_full(&file, start as u64, &mut bytes).unwrap();
            let end = expected.len().min(start + bytes.len());
            assert!(bytes[..filled] == expected[start..end], "{start}");
        }
    }
}
