//! Reading at offsets: files, buffers, and any other source of bytes at a position.

use std::io::{self, BufRead, IoSliceMut, Read};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::recognize::{Address, FileKind};

/// Bytes that can be read at any offset, by many threads at once.
pub trait ReadAt: Send + Sync {
    /// Reads bytes at `offset` into `buffer` and returns how many; 0 means the end.
    ///
    /// # Errors
    /// Any error of the underlying source.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;

    /// Like [`read_at`](Self::read_at), but fills several buffers in order. `None`, the default, if that takes more
    /// than one read.
    fn read_scattered_at(&self, offset: u64, buffers: &mut [IoSliceMut<'_>]) -> Option<io::Result<usize>> {
        let _ = (offset, buffers);
        None
    }

    /// Announces ranges that will be read soon, in this order, so that a reader for which requests are slow can fetch them
    /// together and in advance. It takes as many as it has room for. Does nothing by default.
    fn read_ahead(&self, ranges: &mut dyn Iterator<Item = Range<u64>>) {
        let _ = ranges;
    }

    /// Returns the number of bytes.
    fn len(&self) -> u64;

    /// Returns whether there are no bytes.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Opens inputs that are addresses, such as `https://host/scene.tif` or `s3://bucket/scene.tif`, instead of paths.
/// The crate `cogsmith-store` implements it.
pub trait OpenAddress: Send + Sync {
    /// Opens the bytes at an address.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] with the address if it cannot be read, and [`ErrorKind::Address`] if it is not one of those that can
    /// be opened.
    fn open_address(&self, address: &str) -> Result<Arc<dyn ReadAt>>;

    /// Announces addresses that will be opened soon, so that several can be requested at once. Does nothing by default.
    fn announce(&self, addresses: &mut dyn Iterator<Item = &str>) {
        let _ = addresses;
    }
}

/// A way to open addresses, as part of options. Two are equal if they are the same object.
#[derive(Clone)]
pub struct Addresses(Arc<dyn OpenAddress>);

impl Addresses {
    /// Wraps a way to open addresses.
    pub fn new(open: Arc<dyn OpenAddress>) -> Self {
        Self(open)
    }

    /// Announces paths that will be opened soon, of which some may be addresses.
    #[cfg(feature = "mosaic")]
    pub(crate) fn announce<'a>(&self, paths: impl Iterator<Item = &'a Path>) {
        self.0.announce(&mut paths.filter(|path| Address::of(path).is_some()).filter_map(Path::to_str));
    }

    /// Opens the bytes at an address; `None` if the path is not one.
    pub(crate) fn open(&self, path: &Path) -> Option<Result<Arc<dyn ReadAt>>> {
        Address::of(path)?;
        // A file or folder of such a name is meant if there is one.
        let text = path.to_str().filter(|_| !path.exists())?;
        Some(self.0.open_address(text))
    }
}

impl std::fmt::Debug for Addresses {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Addresses")
    }
}

impl PartialEq for Addresses {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Addresses {}

impl ReadAt for Vec<u8> {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.as_slice().read_at(offset, buffer)
    }

    fn read_scattered_at(&self, offset: u64, buffers: &mut [IoSliceMut<'_>]) -> Option<io::Result<usize>> {
        self.as_slice().read_scattered_at(offset, buffers)
    }

    fn len(&self) -> u64 {
        Self::len(self) as u64
    }
}

impl ReadAt for &[u8] {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(offset).ok().and_then(|offset| self.get(offset..)).unwrap_or(&[]);
        let count = rest.len().min(buffer.len());
        for (to, from) in buffer.iter_mut().zip(rest) {
            *to = *from;
        }
        Ok(count)
    }

    fn read_scattered_at(&self, offset: u64, buffers: &mut [IoSliceMut<'_>]) -> Option<io::Result<usize>> {
        let mut filled = 0;
        for buffer in buffers {
            match self.read_at(offset.saturating_add(filled as u64), buffer) {
                Ok(count) => filled += count,
                Err(error) => return Some(Err(error)),
            }
        }
        Some(Ok(filled))
    }

    fn len(&self) -> u64 {
        <[u8]>::len(self) as u64
    }
}

/// Fills `buffer` from `offset`, however few bytes each read returns. Returns the number of bytes before the end.
pub(crate) fn read_full(reader: &dyn ReadAt, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match reader.read_at(offset.saturating_add(filled as u64), rest) {
            Ok(0) => break,
            Ok(count) => filled += count.min(rest.len()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// A byte range that is read in order, in pieces.
pub(crate) struct RangeReader<R> {
    position: u64,
    end: u64,
    piece: u64,
    read: R,
    buffer: Vec<u8>,
    consumed: usize,
}

impl<R: FnMut(u64, &mut [u8]) -> io::Result<usize>> RangeReader<R> {
    /// Reads `range` in pieces of at most `piece` bytes; `read` fills a buffer from an offset and returns the number of
    /// bytes it wrote.
    pub(crate) fn new(range: Range<u64>, piece: u64, read: R) -> Self {
        Self { position: range.start, end: range.end, piece, read, buffer: Vec::new(), consumed: 0 }
    }
}

impl<R: FnMut(u64, &mut [u8]) -> io::Result<usize>> BufRead for RangeReader<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.consumed >= self.buffer.len() {
            let count = self.end.saturating_sub(self.position).min(self.piece);
            self.buffer.resize(usize::try_from(count).unwrap_or(0), 0);
            self.consumed = 0;
            let filled = (self.read)(self.position, &mut self.buffer);
            self.buffer.truncate(*filled.as_ref().unwrap_or(&0));
            self.position += filled? as u64;
        }
        Ok(self.buffer.get(self.consumed..).unwrap_or(&[]))
    }

    fn consume(&mut self, count: usize) {
        self.consumed += count;
    }
}

impl<R: FnMut(u64, &mut [u8]) -> io::Result<usize>> Read for RangeReader<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let count = available.len().min(out.len());
        out.iter_mut().zip(available).for_each(|(to, from)| *to = *from);
        self.consume(count);
        Ok(count)
    }
}

/// Buffers that the system fills in one call.
const SCATTERED: usize = 1024;

/// Like [`read_full`], but fills several non-empty buffers in order; `None` if they are better filled one by one.
pub(crate) fn read_scattered(
    reader: &dyn ReadAt,
    offset: u64,
    mut buffers: &mut [IoSliceMut<'_>],
) -> Option<io::Result<usize>> {
    let mut filled = 0;
    while !buffers.is_empty() {
        let most = buffers.len().min(SCATTERED);
        match reader.read_scattered_at(offset.saturating_add(filled as u64), &mut buffers[..most])? {
            Ok(0) => break,
            Ok(count) => {
                filled += count;
                IoSliceMut::advance_slices(&mut buffers, count);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Some(Err(error)),
        }
    }
    Some(Ok(filled))
}

/// Makes the error for a file that is not a TIFF, with the kind of file that it looks like.
pub(crate) fn not_tiff(reader: &dyn ReadAt, reason: impl Into<String>) -> Error {
    let mut head = [0; FileKind::HEAD_LEN];
    let filled = read_full(reader, 0, &mut head).unwrap_or(0);
    ErrorKind::NotTiff { reason: reason.into(), found: FileKind::of(head.get(..filled).unwrap_or(&head)) }.into()
}

/// A file in the file system.
#[derive(Debug)]
pub struct DiskFile {
    #[cfg(unix)]
    file: std::fs::File,
    #[cfg(not(unix))]
    file: std::sync::Mutex<std::fs::File>,
    len: u64,
}

impl DiskFile {
    /// Opens a regular file for reading. Its contents are not loaded into memory.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] if the file does not exist, cannot be read, or is not a regular file; [`ErrorKind::Address`]
    /// if it does not exist and the path is an address.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let fail = |source: io::Error| match Address::of(path).filter(|_| source.kind() == io::ErrorKind::NotFound) {
            Some(address) => ErrorKind::Address { path: path.into(), address }.into(),
            None => Error::io_at("read", path, source),
        };
        // Check before opening: opening a FIFO would block until something writes to it.
        let metadata = std::fs::metadata(path).map_err(fail)?;
        if metadata.is_dir() {
            return Err(fail(io::Error::new(io::ErrorKind::IsADirectory, "it is a directory, not a file")));
        }
        if !metadata.is_file() {
            let reason = "it is not a regular file, and TIFF requires random access";
            return Err(fail(io::Error::new(io::ErrorKind::InvalidInput, reason)));
        }
        let file = std::fs::File::open(path).map_err(fail)?;
        #[cfg(not(unix))]
        let file = std::sync::Mutex::new(file);
        Ok(Self { file, len: metadata.len() })
    }

    /// Returns the file, whose own position is not used.
    #[cfg(all(unix, feature = "mosaic", feature = "spool"))]
    pub(crate) fn file(&self) -> &std::fs::File {
        &self.file
    }

    /// Reads from a file of this process that still grows.
    #[cfg(all(feature = "mosaic", feature = "spool"))]
    pub(crate) fn growing(file: std::fs::File) -> Self {
        #[cfg(not(unix))]
        let file = std::sync::Mutex::new(file);
        Self { file, len: 0 }
    }
}

impl ReadAt for DiskFile {
    #[cfg(unix)]
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(&self.file, buffer, offset)
    }

    #[cfg(target_os = "linux")]
    fn read_scattered_at(&self, offset: u64, buffers: &mut [IoSliceMut<'_>]) -> Option<io::Result<usize>> {
        Some(rustix::io::preadv(&self.file, buffers, offset).map_err(io::Error::from))
    }

    #[cfg(not(unix))]
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        use std::io::{Read, Seek, SeekFrom};
        let mut file = self.file.lock().map_err(|_| io::Error::other("another thread panicked while reading"))?;
        file.seek(SeekFrom::Start(offset))?;
        file.read(buffer)
    }

    fn len(&self) -> u64 {
        self.len
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns one byte per call.
    struct Trickle(Vec<u8>);

    impl ReadAt for Trickle {
        fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
            let end = buffer.len().min(1);
            self.0.read_at(offset, &mut buffer[..end])
        }

        /// Returns up to five bytes per call.
        fn read_scattered_at(&self, offset: u64, buffers: &mut [IoSliceMut<'_>]) -> Option<io::Result<usize>> {
            let some = &self.0[..self.0.len().min(usize::try_from(offset).ok()? + 5)];
            { some }.read_scattered_at(offset, buffers)
        }

        fn len(&self) -> u64 {
            ReadAt::len(&self.0)
        }
    }

    #[test]
    fn short_reads_are_continued() {
        let reader = Trickle((0..10).collect());
        let mut buffer = [0; 6];
        assert_eq!(read_full(&reader, 2, &mut buffer).unwrap(), 6);
        assert_eq!(buffer, [2, 3, 4, 5, 6, 7]);
        assert_eq!(read_full(&reader, 7, &mut buffer).unwrap(), 3);
        assert_eq!(read_full(&reader, 70, &mut buffer).unwrap(), 0);
    }

    #[test]
    fn scattered_reads_give_what_reads_in_one_piece_give() {
        let bytes: Vec<u8> = (0..40_000u32).map(|index| (index % 251) as u8).collect();
        let path = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(path.path(), &bytes).unwrap();
        let file = DiskFile::open(path.path()).unwrap();
        let trickle = Trickle(bytes.clone());
        // More buffers than the system fills at once; the file ends inside the last one, or before it.
        for (offset, sizes) in [(3, vec![13; 2500]), (0, vec![1, 20_000, 7, 60_000]), (39_990, vec![4, 4, 4, 4])] {
            let total: usize = sizes.iter().sum();
            let expected = &bytes[offset..(offset + total).min(bytes.len())];
            for reader in [&bytes as &dyn ReadAt, &trickle, &file] {
                let mut all = vec![0; total];
                let mut rest = &mut all[..];
                let mut buffers = Vec::new();
                for size in &sizes {
                    let (buffer, after) = rest.split_at_mut(*size);
                    buffers.push(IoSliceMut::new(buffer));
                    rest = after;
                }
                // Where the system does not support this, buffers are read one by one.
                let Some(filled) = read_scattered(reader, offset as u64, &mut buffers) else { continue };
                assert_eq!(filled.unwrap(), expected.len());
                assert!(all[..expected.len()] == *expected);
            }
        }
    }
}
