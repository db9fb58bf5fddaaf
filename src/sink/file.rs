//! Atomic file output: [`OutputFile`].

use std::collections::hash_map::RandomState;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::hash::BuildHasher;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, OptionField, Result};
use crate::recognize::Address;

/// Small writes (headers, tile leaders and trailers) are combined up to this many bytes.
const BUFFER_BYTES: usize = 256 * 1024;
/// The longest file name on common file systems, in bytes.
const LONGEST_NAME: usize = 255;
/// Maximum number of symbolic links followed, as in Linux.
const MOST_LINKS: usize = 40;
/// Random names tried before giving up; a second one is almost never needed.
const MOST_NAMES: usize = 16;

/// Options for an [`OutputFile`]. The defaults are safe and fast: nothing is replaced, and nothing is synced to disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
#[must_use]
pub struct FileOptions {
    /// True to replace an existing file. Default: false, an existing file is an error. No effect if the target is not a
    /// regular file.
    pub overwrite: bool,
    /// True to make [`commit`](OutputFile::commit) wait until file and directory are on disk. Default: false, because
    /// it can take seconds; after a power failure the file may then be missing or empty. Also needed for network file
    /// systems that report a failed write only on sync.
    pub sync: bool,
}

/// Each method sets one option and returns the options, so that they can be chained.
impl FileOptions {
    /// Returns the default options.
    pub const fn new() -> Self {
        Self { overwrite: false, sync: false }
    }

    /// Sets whether an existing file is replaced. Default: `false`, it is an error.
    pub const fn overwrite(mut self, overwrite: bool) -> Self {
        self.overwrite = overwrite;
        self
    }

    /// Sets whether [`commit`](OutputFile::commit) waits until the file is on disk. Default: `false`.
    pub const fn sync(mut self, sync: bool) -> Self {
        self.sync = sync;
        self
    }

    /// Checks the options of an output that is not a file, such as a stream or memory: there is nothing to replace or to
    /// sync.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidOption`] for an option that is set, since it has no effect.
    pub fn check_for_stream(&self) -> Result<()> {
        let refuse = |option| Err(Error::option(option, "has no effect if the output is not a file; leave it out"));
        match self {
            Self { overwrite: true, .. } => refuse(OptionField::Overwrite),
            Self { sync: true, .. } => refuse(OptionField::Sync),
            _ => Ok(()),
        }
    }
}

/// A file that appears complete or not at all.
///
/// Bytes go to a hidden temporary file next to the target, named `.NAME.cogsmith-PID-RANDOM.tmp`.
/// [`commit`](Self::commit) renames it to the target. Dropping it without a commit removes it and leaves the target
/// unchanged. Only a process that is killed leaves the temporary file behind.
///
/// - Symbolic links are followed: the file they point to is created or replaced, and the link stays.
/// - A new file gets the permissions given by the umask; a file that replaces another keeps that file's permissions.
/// - An existing target that is not a regular file (a device, a FIFO) is opened and written directly; bytes written
///   before an error stay there.
///
/// ```
/// use cogsmith::{FileOptions, OutputFile};
/// use std::io::Write;
/// # let directory = std::env::temp_dir().join(format!("cogsmith-doc-{}", std::process::id()));
/// # std::fs::create_dir_all(&directory)?;
/// # let path = directory.join("out.tif");
/// let mut output = OutputFile::create(&path, &FileOptions::default())?;
/// output.write_all(b"II*\0")?;
/// assert!(!path.exists());
/// output.commit()?;
/// assert!(path.exists());
/// # std::fs::remove_dir_all(&directory)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "the file only appears on `commit`"]
pub struct OutputFile {
    /// The requested path, for messages.
    path: PathBuf,
    /// The final path: `path` with symbolic links followed.
    target: PathBuf,
    directory: PathBuf,
    /// `None` once committed.
    writer: Option<BufWriter<File>>,
    /// `None` if the target is written directly, and after the rename.
    temporary: Option<PathBuf>,
    options: FileOptions,
}

impl OutputFile {
    /// Opens a file that will appear at `path` on [`commit`](Self::commit).
    ///
    /// # Errors
    /// [`ErrorKind::TargetExists`] if a regular file exists at `path` and `overwrite` is false;
    /// [`ErrorKind::Address`] if `path` is an address and its directory does not exist;
    /// [`ErrorKind::Io`] if `path` is a directory, its directory does not exist, or the system refuses.
    pub fn create(path: &Path, options: &FileOptions) -> Result<Self> {
        let existing = match fs::metadata(path) {
            Ok(metadata) => Some(metadata),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(Error::io_at("create", path, error)),
        };
        if existing.as_ref().is_some_and(fs::Metadata::is_dir) || ends_with_separator(path) {
            let reason = io::Error::new(io::ErrorKind::IsADirectory, "it is a directory; add a file name");
            return Err(Error::io_at("create", path, reason));
        }
        if existing.as_ref().is_some_and(|metadata| !metadata.is_file()) {
            return Self::open_directly(path, options);
        }
        if existing.is_some() && !options.overwrite {
            return Err(ErrorKind::TargetExists { path: path.into() }.into());
        }
        let target = follow_links(path)?;
        let Some(name) = target.file_name() else {
            let reason = io::Error::new(io::ErrorKind::InvalidInput, "the path has no file name");
            return Err(Error::io_at("create", path, reason));
        };
        let directory = match target.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
            _ => PathBuf::from("."),
        };
        let created = create_temporary(&directory, name, existing.as_ref());
        let (file, temporary) = created.map_err(|error| match (error.kind(), Address::of(path)) {
            (ErrorKind::Io { source, .. }, Some(address)) if source.kind() == io::ErrorKind::NotFound => {
                ErrorKind::Address { path: path.into(), address }.into()
            }
            _ => error,
        })?;
        Ok(Self {
            path: path.into(),
            target,
            directory,
            writer: Some(BufWriter::with_capacity(BUFFER_BYTES, file)),
            temporary: Some(temporary),
            options: *options,
        })
    }

    /// Opens a device or a FIFO: renaming over it would replace it with a regular file, which is never intended.
    fn open_directly(path: &Path, options: &FileOptions) -> Result<Self> {
        let file = OpenOptions::new().write(true).open(path).map_err(|error| Error::io_at("open", path, error))?;
        Ok(Self {
            path: path.into(),
            target: path.into(),
            directory: std::env::temp_dir(),
            writer: Some(BufWriter::with_capacity(BUFFER_BYTES, file)),
            temporary: None,
            options: *options,
        })
    }

    /// Returns the directory for other temporary files of the same job: the file's own directory, which needs space for
    /// the file anyway, or the system's temporary directory if the target is not a regular file.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Returns a second handle of the file for writing at any offset; `None` if the target is written directly, because
    /// it may not have offsets, or if the system does not support it.
    pub(super) fn positioned(&self) -> Option<Positioned> {
        self.temporary.as_ref().filter(|_| cfg!(any(unix, windows)))?;
        self.writer.as_ref()?.get_ref().try_clone().ok().map(Positioned)
    }

    /// Returns the path for reading back the file before it appears; `None` if the target is written directly.
    pub(super) fn readable(&self) -> Option<&Path> {
        self.temporary.as_deref()
    }

    /// Copies from another file, inside the kernel if the system supports it.
    #[cfg(feature = "spool")]
    pub(super) fn copy_from(&mut self, from: &mut io::Take<&File>) -> io::Result<u64> {
        match &mut self.writer {
            Some(writer) => io::copy(from, writer),
            None => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// Makes the file appear at its target.
    ///
    /// # Errors
    /// [`ErrorKind::TargetExists`] if a file has appeared at the target in the meantime and `overwrite` is false;
    /// [`ErrorKind::Io`] if the last bytes cannot be written, or the system refuses the rename. The temporary file is
    /// then removed and the target is unchanged. The exception is a failure to sync the directory: the file is then in
    /// place, but may not survive a power failure.
    pub fn commit(mut self) -> Result<()> {
        self.appear()
    }

    /// As [`commit`](Self::commit); after an error the temporary file is removed when the output is dropped.
    pub(super) fn appear(&mut self) -> Result<()> {
        let Some(writer) = self.writer.take() else { return Ok(()) };
        let file = match writer.into_inner() {
            Ok(file) => file,
            Err(error) => {
                // Drop the writer without another attempt to write the failed bytes.
                let (error, writer) = error.into_parts();
                drop(writer.into_parts());
                return Err(Error::io_at("write", &self.path, error));
            }
        };
        if self.options.sync {
            self.sync_file(&file)?;
        }
        // Windows cannot rename an open file.
        drop(file);
        let Some(temporary) = self.temporary.as_deref() else { return Ok(()) };
        if self.options.overwrite {
            self.replace(temporary)?
        } else {
            self.place(temporary)?
        }
        self.temporary = None;
        if self.options.sync { sync_directory(&self.directory) } else { Ok(()) }
    }

    fn sync_file(&self, file: &File) -> Result<()> {
        match file.sync_all() {
            // Pipes and many devices cannot be synced.
            Err(error) if self.temporary.is_none() && error.kind() == io::ErrorKind::InvalidInput => Ok(()),
            result => result.map_err(|error| Error::io_at("sync", &self.path, error)),
        }
    }

    /// Renames to the target, replacing any file.
    fn replace(&self, temporary: &Path) -> Result<()> {
        if fs::symlink_metadata(&self.target).is_ok_and(|metadata| !metadata.is_file()) {
            let reason = io::Error::new(io::ErrorKind::AlreadyExists, "it is no longer a regular file");
            return Err(Error::io_at("replace", &self.path, reason));
        }
        fs::rename(temporary, &self.target).map_err(|error| Error::io_at("replace", &self.path, error))
    }

    /// Renames to a target that must not exist: a rename would replace it silently, a hard link does not.
    fn place(&self, temporary: &Path) -> Result<()> {
        let exists = || Error::from(ErrorKind::TargetExists { path: self.path.clone() });
        match fs::hard_link(temporary, &self.target) {
            Ok(()) => fs::remove_file(temporary)
                .map_err(|error| Error::io_at("remove (although the output is complete)", temporary, error)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(exists()),
            // No hard links (FAT, some network file systems): a gap between check and rename is unavoidable.
            Err(_) if fs::symlink_metadata(&self.target).is_ok() => Err(exists()),
            Err(_) => fs::rename(temporary, &self.target).map_err(|error| Error::io_at("create", &self.path, error)),
        }
    }
}

/// A handle for writing at any offset.
#[derive(Debug)]
pub(super) struct Positioned(File);

impl Positioned {
    /// Returns a second handle of a file.
    #[cfg(feature = "geotiff")]
    pub(super) fn of(file: &File) -> io::Result<Self> {
        file.try_clone().map(Self)
    }

    /// Writes a header into the space of `room` bytes reserved for it.
    pub(super) fn write_header(&self, header: &[u8], room: u64) -> Result<()> {
        let got = header.len() as u64;
        if got != room {
            return Err(ErrorKind::PixelCount { what: "bytes of the header", expected: room, got }.into());
        }
        self.write_at(header, 0).map_err(super::target::failed)
    }

    #[cfg(unix)]
    pub(super) fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        std::os::unix::fs::FileExt::write_all_at(&self.0, bytes, offset)
    }

    #[cfg(windows)]
    pub(super) fn write_at(&self, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
        while !bytes.is_empty() {
            let count = std::os::windows::fs::FileExt::seek_write(&self.0, bytes, offset)?;
            if count == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            (bytes, offset) = (&bytes[count..], offset + count as u64);
        }
        Ok(())
    }

    #[cfg(not(any(unix, windows)))]
    pub(super) fn write_at(&self, _bytes: &[u8], _offset: u64) -> io::Result<()> {
        let _ = &self.0;
        Err(io::ErrorKind::Unsupported.into())
    }
}

impl Write for OutputFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.writer {
            Some(writer) => writer.write(bytes),
            None => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.as_mut().map_or(Ok(()), BufWriter::flush)
    }
}

impl Drop for OutputFile {
    fn drop(&mut self) {
        if let Some(writer) = self.writer.take() {
            // Bytes still in the buffer are not worth writing, and a FIFO could block forever.
            drop(writer.into_parts());
        }
        if let Some(temporary) = self.temporary.take() {
            // The error cannot be reported; the name identifies the file.
            let _ = fs::remove_file(temporary);
        }
    }
}

fn ends_with_separator(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().last().is_some_and(|&byte| std::path::is_separator(char::from(byte)))
}

/// Follows symbolic links, the last of which may be dangling.
fn follow_links(path: &Path) -> Result<PathBuf> {
    let mut target = path.to_path_buf();
    for _ in 0..MOST_LINKS {
        match fs::read_link(&target) {
            Ok(link) => target = target.parent().unwrap_or(Path::new("")).join(link),
            // Not a link, or nothing there.
            Err(_) => return Ok(target),
        }
    }
    let reason = io::Error::other("too many symbolic links, possibly a cycle");
    Err(Error::io_at("create", path, reason))
}

/// Creates the temporary file in `directory` for the file `name`, with the permissions of the file that it will
/// replace.
fn create_temporary(directory: &Path, name: &OsStr, replaced: Option<&fs::Metadata>) -> Result<(File, PathBuf)> {
    let failed = |error: io::Error| {
        let error = match error.kind() {
            io::ErrorKind::NotFound => io::Error::new(error.kind(), "no such directory; create it first"),
            io::ErrorKind::NotADirectory => io::Error::new(error.kind(), "it is not a directory"),
            _ => error,
        };
        Error::io_at("create a file in", directory, error)
    };
    let mut name = name;
    let mut tries = 0;
    loop {
        tries += 1;
        let path = directory.join(temporary_name(name));
        match temporary_options(replaced).open(&path) {
            Ok(file) => {
                if let Err(error) = set_permissions(&file, replaced) {
                    drop(file);
                    let _ = fs::remove_file(&path);
                    return Err(Error::io_at("set the permissions of", path, error));
                }
                return Ok((file, path));
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && tries < MOST_NAMES => {}
            // Some file systems (encrypted ones) only allow shorter names; the target's own name may still fit.
            Err(error) if error.kind() == io::ErrorKind::InvalidFilename && !name.is_empty() => name = OsStr::new(""),
            Err(error) => return Err(failed(error)),
        }
    }
}

/// Returns a hidden name that identifies program and target, truncated to the limit of file systems.
fn temporary_name(name: &OsStr) -> OsString {
    // The only source of randomness in the standard library: the keys of its hash maps.
    let random = RandomState::new().hash_one(std::process::id());
    let suffix = format!(".cogsmith-{}-{random:016x}.tmp", std::process::id());
    let room = LONGEST_NAME - 1 - suffix.len();
    let mut temporary = OsString::from(".");
    if name.len() <= room {
        temporary.push(name);
    } else {
        let text = name.to_string_lossy();
        temporary.push(&text[..text.floor_char_boundary(room)]);
    }
    temporary.push(suffix);
    temporary
}

#[cfg(unix)]
fn temporary_options(replaced: Option<&fs::Metadata>) -> OpenOptions {
    use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
    let mut options = OpenOptions::new();
    // Never wider than those of the replaced file, so that private pixels aren't readable in the meantime.
    let mode = replaced.map_or(0o666, |metadata| metadata.mode() & 0o666);
    options.write(true).create_new(true).mode(mode);
    options
}

#[cfg(not(unix))]
fn temporary_options(_replaced: Option<&fs::Metadata>) -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    options
}

/// Sets the permission bits of the file to be replaced, without set-user-ID and the like, because the owner may differ.
/// This happens first, so that a refusal costs no work.
#[cfg(unix)]
fn set_permissions(file: &File, replaced: Option<&fs::Metadata>) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let Some(replaced) = replaced else { return Ok(()) };
    let mode = replaced.mode() & 0o777;
    // File systems without permissions report one mode for all files and refuse to change it.
    if file.metadata()?.mode() & 0o777 == mode {
        return Ok(());
    }
    file.set_permissions(fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn set_permissions(_file: &File, _replaced: Option<&fs::Metadata>) -> io::Result<()> {
    Ok(())
}

/// Makes the rename durable.
#[cfg(unix)]
fn sync_directory(directory: &Path) -> Result<()> {
    File::open(directory).and_then(|file| file.sync_all()).map_err(|error| Error::io_at("sync", directory, error))
}

/// Other systems cannot open directories; syncing the file is all that is possible.
#[cfg(not(unix))]
fn sync_directory(_directory: &Path) -> Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn temporary_names_fit_and_differ() {
        for name in ["out.tif", &"x".repeat(255), &"ü".repeat(127)] {
            let temporary = temporary_name(OsStr::new(name));
            assert!(temporary.len() <= LONGEST_NAME, "{temporary:?}");
            assert_ne!(temporary, temporary_name(OsStr::new(name)));
        }
    }
}
