//! Files on disk: the raster itself, and the files next to it.

use std::io;
use std::path::Path;

use crate::error::ErrorKind;

pub(crate) use crate::read::{DiskFile, ReadAt, not_tiff, read_full, read_scattered};

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

/// Returns the names of the files in the directory of `path`, to find sidecar files regardless of case.
pub(crate) fn neighbors(path: &Path) -> Vec<std::ffi::OsString> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<_> = entries.flatten().map(|entry| entry.file_name()).collect();
    names.sort();
    names
}
