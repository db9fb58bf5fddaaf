//! Files on disk: the raster itself, and the files next to it.

use std::collections::HashMap;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::ErrorKind;

pub(crate) use crate::read::{Addresses, DiskFile, ReadAt, read_full};

/// Reads a text file next to the raster; `None` if there is no such file. Text that is not UTF-8 is read as Latin-1.
///
/// # Errors
/// If the file cannot be read, or is longer than `max_len` bytes.
pub(crate) fn bounded_text(path: &Path, max_len: usize) -> Result<Option<String>, String> {
    let file = match DiskFile::open(path) {
        Ok(file) => file,
        Err(error) => {
            return match error.kind() {
                ErrorKind::Io { source, .. } if source.kind() == io::ErrorKind::NotFound => Ok(None),
                _ => Err(error.to_string()),
            };
        }
    };
    let len = usize::try_from(file.len()).ok().filter(|len| *len <= max_len);
    let len = len.ok_or_else(|| format!("it has {} bytes, more than the limit of {max_len}", file.len()))?;
    let mut bytes = vec![0; len];
    let filled = read_full(&file, 0, &mut bytes).map_err(|error| error.to_string())?;
    bytes.truncate(filled);
    Ok(Some(
        String::from_utf8(bytes).unwrap_or_else(|error| error.as_bytes().iter().copied().map(char::from).collect()),
    ))
}

/// The names of files in folders, to find sidecar files regardless of case. Each folder is read once, so that opening all
/// files of a folder does not take time that grows with the square of their number.
#[derive(Debug, Default)]
pub(crate) struct Folders(Mutex<HashMap<PathBuf, Arc<Names>>>);

/// Names in lowercase, in order, and as they are.
type Names = Vec<(String, OsString)>;

impl Folders {
    /// Returns the names of the files in the directory of `path` that start with `start`, which is in lowercase.
    pub(crate) fn names(&self, path: &Path, start: &str) -> Vec<OsString> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let all = self.listing(folder);
        let first = all.partition_point(|(lower, _)| lower.as_str() < start);
        let mut names: Vec<_> = all[first..]
            .iter()
            .take_while(|(lower, _)| lower.starts_with(start))
            .map(|(_, name)| name.clone())
            .collect();
        names.sort();
        names
    }

    fn listing(&self, folder: &Path) -> Arc<Names> {
        let mut folders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = folders.get(folder) {
            return Arc::clone(known);
        }
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let lower = |name: &OsString| name.to_string_lossy().to_lowercase();
        let mut names: Vec<_> = entries.map(|entry| entry.file_name()).map(|name| (lower(&name), name)).collect();
        names.sort();
        let names = Arc::new(names);
        folders.insert(folder.to_owned(), Arc::clone(&names));
        names
    }
}
