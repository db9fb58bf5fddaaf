//! Changes to a file in place.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

use super::file::Positioned;

/// A file whose bytes are replaced in place.
#[derive(Debug)]
pub(crate) struct UpdatedFile {
    path: PathBuf,
    file: File,
    positioned: Positioned,
}

impl UpdatedFile {
    /// Opens an existing file for writing.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) if the system refuses.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let file = OpenOptions::new().write(true).open(path).map_err(|error| Error::io_at("write", path, error))?;
        let positioned = Positioned::of(&file).map_err(|error| Error::io_at("write", path, error))?;
        Ok(Self { path: path.to_owned(), file, positioned })
    }

    /// Writes bytes at an offset, and waits until they are on disk.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::ErrorKind::Io).
    pub(crate) fn write_synced(&self, bytes: &[u8], offset: u64) -> Result<()> {
        let written = self.positioned.write_at(bytes, offset).and_then(|()| self.file.sync_data());
        written.map_err(|error| Error::io_at("write", &self.path, error))
    }
}
