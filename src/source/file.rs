//! Files of the file system: the raster itself, and what stands beside it.

use std::path::Path;

pub(crate) use crate::read::{DiskFile, ReadAt, read_full, read_scattered};

/// The text of a small file beside the raster, `None` where there is no such file or it is over `limit` bytes.
pub(crate) fn small_text(path: &Path, limit: usize) -> Option<String> {
    let file = DiskFile::open(path).ok()?;
    let length = usize::try_from(file.len()).ok().filter(|length| *length <= limit)?;
    let mut bytes = vec![0; length];
    let filled = read_full(&file, 0, &mut bytes).ok()?;
    bytes.truncate(filled);
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// The names of the files in the folder of `path`, for finding sidecars whatever the case of their extensions.
pub(crate) fn neighbours(path: &Path) -> Vec<std::ffi::OsString> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<_> = entries.flatten().map(|entry| entry.file_name()).collect();
    names.sort();
    names
}
