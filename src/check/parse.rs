//! The TIFF parser of the checks: header, structural metadata, directories, values. Trusts nothing, keeps little.

use std::collections::HashSet;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Error, Result};
use crate::read::{ReadAt, not_tiff, read_full};

use super::ghost::{self, Ghost};
use super::report::{Place, Report};
use super::rules;

/// Maximum number of directories, as in libtiff.
const MOST_DIRECTORIES: usize = 65_536;
/// Maximum number of entries in a directory; libtiff considers larger ones damaged.
const MOST_ENTRIES: u64 = 4096;
/// Maximum number of entries in all directories; each takes 32 bytes of memory.
const MOST_ENTRIES_IN_ALL: usize = 1 << 20;
/// Maximum number of SubIFDs that are read per directory.
const MOST_SUB_DIRECTORIES: u64 = 16;
/// Bytes of an array that are read at once.
const PAGE: u64 = 1 << 16;
/// The longest value that is read as a whole, such as an ICC profile or metadata; tile arrays are read page by page.
pub(super) const LONGEST_VALUE: u64 = 16 << 20;
/// Bytes of values allowed in any file, in addition to 16 times its length.
const VALUES: u64 = 64 << 20;

/// A file with a TIFF header.
pub(super) struct Tiff<'a> {
    pub(super) reader: &'a dyn ReadAt,
    pub(super) length: u64,
    pub(super) big: bool,
    pub(super) big_endian: bool,
    /// Offset of the first directory.
    pub(super) first: u64,
    /// GDAL's structural metadata, if present.
    pub(super) ghost: Option<Ghost>,
    /// Remaining bytes of values that may be read: shared values must not make a small file expensive.
    budget: AtomicU64,
    /// Number of times a tile was decoded.
    pub(super) decodes: AtomicU64,
}

/// An entry of a directory.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub(super) tag: u16,
    pub(super) kind: u16,
    pub(super) count: u64,
    /// Offset of the value, in the entry or elsewhere.
    pub(super) at: u64,
    /// True if the value is stored elsewhere.
    pub(super) outside: bool,
    /// Size of the value in bytes; 0 for unknown types.
    pub(super) bytes: u64,
    /// True if the value can be read: its type is known, and it lies within the file.
    pub(super) sound: bool,
}

/// A directory.
#[derive(Debug, Clone)]
pub(super) struct Directory {
    pub(super) index: usize,
    pub(super) offset: u64,
    /// End of the directory itself, without values.
    pub(super) end: u64,
    pub(super) entries: Vec<Entry>,
}

impl Directory {
    /// Returns the first entry of a tag, sound or not.
    pub(super) fn entry(&self, tag: u16) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.tag == tag)
    }

    /// Returns the first entry of a tag, if its value can be read.
    pub(super) fn sound(&self, tag: u16) -> Option<&Entry> {
        self.entry(tag).filter(|entry| entry.sound)
    }
}

/// Returns the size of an item of a field type in bytes (TIFF 6.0 section 2; 13 is IFD, 16 to 18 are BigTIFF's).
pub(super) fn width_of(kind: u16) -> Option<u64> {
    match kind {
        1 | 2 | 6 | 7 => Some(1),
        3 | 8 => Some(2),
        4 | 9 | 11 | 13 => Some(4),
        5 | 10 | 12 | 16..=18 => Some(8),
        _ => None,
    }
}

impl<'a> Tiff<'a> {
    /// Reads the header. A file that is not a TIFF is an error: there is nothing to check.
    pub(super) fn open(reader: &'a dyn ReadAt, report: &mut Report) -> Result<Self> {
        let length = reader.len();
        let mut header = [0; 16];
        let filled = read_full(reader, 0, &mut header).map_err(|error| Error::io("read", error))?;
        let (big_endian, version) = match header {
            [b'I', b'I', low, high, ..] => (false, u16::from_le_bytes([low, high])),
            [b'M', b'M', high, low, ..] => (true, u16::from_be_bytes([high, low])),
            _ => (false, 0),
        };
        if !matches!(&header[..2], b"II" | b"MM") {
            return Err(not_tiff(reader, "no II or MM byte-order mark"));
        }
        if filled >= 4 && !(version == 42 || version == 43) {
            return Err(not_tiff(reader, format!("the version is {version}, not 42 (TIFF) or 43 (BigTIFF)")));
        }
        if filled < 8 {
            return Err(Error::corrupt("file header", "a TIFF file has at least 8 bytes; this one is shorter"));
        }
        let big = version == 43;
        let budget = AtomicU64::new(length.saturating_mul(16).saturating_add(VALUES));
        let mut tiff =
            Self { reader, length, big, big_endian, first: 0, ghost: None, budget, decodes: AtomicU64::new(0) };
        let [_, _, _, _, rest @ ..] = &header;
        if big {
            let [size, zero, first @ ..] = rest.as_chunks::<2>().0 else { return Ok(tiff) };
            if filled < 16 || tiff.number(size) != 8 || tiff.number(zero) != 0 {
                let message = format_args!(
                    "the bytes of the offset size and the next field are {size:?} and {zero:?}, not 8 and 0"
                );
                report.add(&rules::TIFF_HEADER, Place::byte(4), message);
            }
            tiff.first = tiff.number(first.as_flattened());
        } else if let Some(first) = rest.get(..4) {
            tiff.first = tiff.number(first);
        }
        tiff.ghost = ghost::read(&tiff, report)?;
        Ok(tiff)
    }

    /// Returns the size of the header in bytes.
    pub(super) const fn header_bytes(&self) -> u64 {
        if self.big { 16 } else { 8 }
    }

    /// Decodes a number in the file's byte order.
    pub(super) fn number(&self, bytes: &[u8]) -> u64 {
        let push = |number: u64, byte: &u8| (number << 8) | u64::from(*byte);
        if self.big_endian { bytes.iter().fold(0, push) } else { bytes.iter().rev().fold(0, push) }
    }

    /// Reads `count` bytes at an offset; an error if the file has become shorter.
    pub(super) fn bytes(&self, offset: u64, count: u64) -> Result<Vec<u8>> {
        let size = usize::try_from(count).unwrap_or(usize::MAX);
        let mut bytes = Vec::new();
        let memory = |_| crate::error::ErrorKind::OutOfMemory { what: "a part of the file", bytes: count };
        bytes.try_reserve_exact(size).map_err(memory)?;
        bytes.resize(size, 0);
        let filled = read_full(self.reader, offset, &mut bytes).map_err(|error| Error::io("read", error))?;
        if filled < size {
            let reason = format!("the file ends at byte {}", offset.saturating_add(filled as u64));
            return Err(Error::io("read", io::Error::new(io::ErrorKind::UnexpectedEof, reason)));
        }
        Ok(bytes)
    }

    /// Returns true if the bytes lie within the file.
    pub(super) fn holds(&self, offset: u64, count: u64) -> bool {
        offset.checked_add(count).is_some_and(|end| end <= self.length)
    }

    /// Returns true if the bytes of a tile lie within the file, after its header.
    pub(super) fn holds_tile(&self, offset: u64, count: u64) -> bool {
        offset >= self.header_bytes() && count > 0 && self.holds(offset, count)
    }

    /// Takes bytes of values from the budget; false if there are not enough left.
    fn afford(&self, bytes: u64) -> bool {
        let left = self.budget.load(Ordering::Relaxed);
        self.budget.store(left.saturating_sub(bytes), Ordering::Relaxed);
        left >= bytes
    }

    /// Returns true if the budget is used up, because directories share too many values.
    pub(super) fn is_exhausted(&self) -> bool {
        self.budget.load(Ordering::Relaxed) == 0
    }

    /// Reads all directories in the order of the chain; SubIFDs of the first directory come right after it.
    pub(super) fn directories(&self, report: &mut Report) -> Result<Vec<Directory>> {
        let mut directories = Vec::new();
        let (mut seen, mut entries) = (HashSet::new(), 0);
        let mut next = self.first;
        if next == 0 {
            report.add(&rules::DIRECTORY_BOUNDS, Place::byte(4), format_args!("the file has no directories"));
        }
        while next != 0 {
            let index = directories.len();
            if !seen.insert(next) {
                let message = format_args!("after {index} directories, the chain returns to an earlier one");
                report.add(&rules::DIRECTORY_CYCLE, Place::byte(next), message);
                break;
            }
            if seen.len() > MOST_DIRECTORIES || entries > MOST_ENTRIES_IN_ALL {
                let message = format_args!("there are more than {index} directories with {entries} entries");
                report.add(&rules::DIRECTORY_COUNT, Place::byte(next), message);
                break;
            }
            let Some((directory, after)) = self.directory(index, next, report)? else { break };
            entries += directory.entries.len();
            // Nothing more can be said about a directory without entries.
            if !directory.entries.is_empty() {
                directories.push(directory);
            }
            if index == 0 {
                self.sub_directories(&mut directories, &mut seen, report)?;
            }
            next = after;
        }
        report.directories = directories.len();
        Ok(directories)
    }

    /// Reads the directories in the SubIFDs of the first one, which GDAL treats as overviews.
    fn sub_directories(
        &self,
        directories: &mut Vec<Directory>,
        seen: &mut HashSet<u64>,
        report: &mut Report,
    ) -> Result<()> {
        let Some(entry) = directories.first().and_then(|first| first.sound(super::tags::SUB_IFDS)) else {
            return Ok(());
        };
        for offset in self.numbers(entry, MOST_SUB_DIRECTORIES)?.unwrap_or_default() {
            if seen.insert(offset) {
                directories.extend(self.directory(directories.len(), offset, report)?.map(|(directory, _)| directory));
            }
        }
        Ok(())
    }

    /// Reads the directory at an offset, and the offset of the next; `None` if it cannot be read.
    fn directory(&self, index: usize, offset: u64, report: &mut Report) -> Result<Option<(Directory, u64)>> {
        let place = Place::directory(index).at(offset);
        let (count_width, entry_width, width) = if self.big { (8, 20, 8) } else { (2, 12, 4) };
        if offset < self.header_bytes() || !self.holds(offset, count_width) {
            let message =
                format_args!("it starts at byte {offset}, in the header or beyond the file of {} bytes", self.length);
            report.add(&rules::DIRECTORY_BOUNDS, place, message);
            return Ok(None);
        }
        let count = self.number(&self.bytes(offset, count_width)?);
        if count > MOST_ENTRIES {
            report.add(&rules::DIRECTORY_COUNT, place, format_args!("it has {count} entries"));
            return Ok(None);
        }
        let size = count_width + count * entry_width + width;
        if !self.holds(offset, size) {
            let message = format_args!("its {count} entries extend beyond the file of {} bytes", self.length);
            report.add(&rules::DIRECTORY_BOUNDS, place, message);
            return Ok(None);
        }
        if count == 0 {
            report.add(&rules::DIRECTORY_EMPTY, place, format_args!("it has no entries"));
        }
        if offset % 2 == 1 {
            report.add(&rules::WORD_BOUNDARY, place, format_args!("it starts at the odd byte {offset}"));
        }
        let bytes = self.bytes(offset, size)?;
        let (head, next) = bytes.split_at_checked(usize::try_from(size - width).unwrap_or(0)).unwrap_or_default();
        let items = head.get(usize::try_from(count_width).unwrap_or(0)..).unwrap_or_default();
        let mut entries = Vec::with_capacity(usize::try_from(count).unwrap_or(0));
        for (number, item) in (0u64..).zip(items.chunks_exact(usize::try_from(entry_width).unwrap_or(12))) {
            let at = offset + count_width + number * entry_width;
            let entry = self.entry(item, at);
            let at = place.at(at);
            let last: Option<&Entry> = entries.last();
            match last.map(|last| entry.tag.cmp(&last.tag)) {
                Some(std::cmp::Ordering::Less) => {
                    let last = last.map_or(0, |last| last.tag);
                    report.add(&rules::TAG_ORDER, at, format_args!("tag {} follows tag {last}", entry.tag));
                }
                Some(std::cmp::Ordering::Equal) => {
                    report.add(&rules::TAG_UNIQUE, at, format_args!("tag {} occurs twice", entry.tag));
                }
                _ => {}
            }
            if width_of(entry.kind).is_none() || (!self.big && entry.kind > 13) {
                let message = format_args!("tag {} has field type {}", entry.tag, entry.kind);
                report.add(&rules::FIELD_TYPE, at, message);
            } else if !entry.sound {
                let (tag, from, bytes) = (entry.tag, entry.at, entry.bytes);
                let message = format_args!("the {bytes} bytes of tag {tag} at byte {from} extend beyond the file");
                report.add(&rules::VALUE_BOUNDS, at, message);
            }
            entries.push(entry);
        }
        Ok(Some((Directory { index, offset, end: offset + size, entries }, self.number(next))))
    }

    fn entry(&self, item: &[u8], at: u64) -> Entry {
        let width: usize = if self.big { 8 } else { 4 };
        let part = |from: usize, length: usize| item.get(from..from + length).map_or(0, |bytes| self.number(bytes));
        let short = |from| u16::try_from(part(from, 2)).unwrap_or(0);
        let (tag, kind, count) = (short(0), short(2), part(4, width));
        let bytes = width_of(kind).and_then(|size| size.checked_mul(count));
        let outside = bytes.is_none_or(|bytes| bytes > width as u64);
        let at = if outside && width_of(kind).is_some() { part(4 + width, width) } else { at + 4 + width as u64 };
        let sound = bytes.is_some_and(|bytes| self.holds(at, bytes)) && (self.big || kind <= 13);
        Entry { tag, kind, count, at, outside, bytes: bytes.unwrap_or(0), sound }
    }

    /// Reads the bytes of a value; `None` if it cannot be read, or is absurdly long.
    pub(super) fn value(&self, entry: &Entry) -> Result<Option<Vec<u8>>> {
        if !entry.sound || entry.bytes > LONGEST_VALUE || !self.afford(entry.bytes) {
            return Ok(None);
        }
        self.bytes(entry.at, entry.bytes).map(Some)
    }

    /// Reads the integers of a value, at most `most`; `None` if it has a different type, or cannot be read.
    pub(super) fn numbers(&self, entry: &Entry, most: u64) -> Result<Option<Vec<u64>>> {
        let Some(width) = whole(entry.kind).filter(|_| entry.sound) else { return Ok(None) };
        let size = entry.count.min(most).min(LONGEST_VALUE / 8) * width;
        if !self.afford(size) {
            return Ok(None);
        }
        let bytes = self.bytes(entry.at, size)?;
        let width = usize::try_from(width).unwrap_or(1);
        Ok(Some(bytes.chunks_exact(width).map(|item| self.number(item)).collect()))
    }

    /// Reads a value of doubles, floats, or rationals; `None` if it has a different type, or cannot be read.
    pub(super) fn doubles(&self, entry: &Entry) -> Result<Option<Vec<f64>>> {
        let Some(bytes) = self.value(entry)? else { return Ok(None) };
        let long = |item: &[u8]| u32::try_from(self.number(item)).unwrap_or(0);
        Ok(Some(match entry.kind {
            12 => bytes.chunks_exact(8).map(|item| f64::from_bits(self.number(item))).collect(),
            11 => bytes.chunks_exact(4).map(|item| f32::from_bits(long(item)).into()).collect(),
            5 => {
                let ratio = |(over, under): (&[u8], &[u8])| f64::from(long(over)) / f64::from(long(under));
                bytes.chunks_exact(8).map(|item| ratio(item.split_at(4))).collect()
            }
            _ => return Ok(None),
        }))
    }

    /// Reads the text of a value, up to the first NUL.
    pub(super) fn text(&self, entry: &Entry) -> Result<Option<String>> {
        let Some(bytes) = self.value(entry)? else { return Ok(None) };
        let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
        Ok(Some(String::from_utf8_lossy(text).into_owned()))
    }
}

/// Returns the size of an integer field type in bytes.
pub(super) fn whole(kind: u16) -> Option<u64> {
    matches!(kind, 1 | 3 | 4 | 13 | 16 | 18).then(|| width_of(kind)).flatten()
}

/// An array of integers that is read page by page.
pub(super) struct Array<'a> {
    tiff: &'a Tiff<'a>,
    at: u64,
    width: u64,
    pub(super) count: u64,
    page: Vec<u8>,
    first: u64,
}

impl<'a> Array<'a> {
    /// Creates the array of an entry; `None` if it does not contain integers, or cannot be read.
    pub(super) fn new(tiff: &'a Tiff<'a>, entry: &Entry) -> Option<Self> {
        let width = whole(entry.kind).filter(|_| entry.sound)?;
        Some(Self { tiff, at: entry.at, width, count: entry.count, page: Vec::new(), first: 0 })
    }

    /// Returns a number of the array; 0 beyond its end.
    pub(super) fn at(&mut self, index: u64) -> Result<u64> {
        if index >= self.count {
            return Ok(0);
        }
        let held = self.page.len() as u64 / self.width;
        if !(self.first..self.first + held).contains(&index) {
            let per_page = PAGE / self.width;
            self.first = index / per_page * per_page;
            let count = per_page.min(self.count - self.first);
            self.page = self.tiff.bytes(self.at + self.first * self.width, count * self.width)?;
        }
        let width = usize::try_from(self.width).unwrap_or(1);
        let from = usize::try_from(index - self.first).unwrap_or(0) * width;
        Ok(self.page.get(from..from + width).map_or(0, |bytes| self.tiff.number(bytes)))
    }
}
