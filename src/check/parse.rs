//! The checks' own reading of TIFF: header, structural metadata, directories, values. Trusts nothing, keeps little.

use std::collections::HashSet;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Error, Result};
use crate::read::{ReadAt, not_tiff, read_full};

use super::ghost::{self, Ghost};
use super::report::{Place, Report};
use super::rules;

/// libtiff reads as many directories.
const MOST_DIRECTORIES: usize = 65_536;
/// libtiff takes directories with more entries for damaged.
const MOST_ENTRIES: u64 = 4096;
/// Entries of all directories that are held in memory: 32 bytes each.
const MOST_ENTRIES_IN_ALL: usize = 1 << 20;
/// SubIFDs of a directory that are looked at.
const MOST_SUB_DIRECTORIES: u64 = 16;
/// Bytes of an array that are read at once.
const PAGE: u64 = 1 << 16;
/// The longest value that is read as a whole: ICC profiles, metadata; arrays of tiles are read page by page.
pub(super) const LONGEST_VALUE: u64 = 16 << 20;
/// Bytes of values that any file may have; beyond it, 16 times its length.
const VALUES: u64 = 64 << 20;

/// A file with a header of a TIFF.
pub(super) struct Tiff<'a> {
    pub(super) reader: &'a dyn ReadAt,
    pub(super) length: u64,
    pub(super) big: bool,
    pub(super) big_endian: bool,
    /// Offset of the first directory.
    pub(super) first: u64,
    /// GDAL's structural metadata, where it is.
    pub(super) ghost: Option<Ghost>,
    /// Bytes of values that may still be read: directories that share values must not make a small file a long job.
    budget: AtomicU64,
    /// How often tiles were decoded.
    pub(super) decodes: AtomicU64,
}

/// An entry of a directory.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub(super) tag: u16,
    pub(super) kind: u16,
    pub(super) count: u64,
    /// Where the value stands, in the entry or elsewhere.
    pub(super) at: u64,
    /// Whether it stands elsewhere.
    pub(super) outside: bool,
    /// Bytes of the value; 0 for unknown types.
    pub(super) bytes: u64,
    /// Whether the value can be read: its type is known, and it lies in the file.
    pub(super) sound: bool,
}

/// A directory.
#[derive(Debug, Clone)]
pub(super) struct Directory {
    pub(super) index: usize,
    pub(super) offset: u64,
    /// Where its own bytes end, without values.
    pub(super) end: u64,
    pub(super) entries: Vec<Entry>,
}

impl Directory {
    /// The first entry of a tag, sound or not.
    pub(super) fn entry(&self, tag: u16) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.tag == tag)
    }

    /// The first entry of a tag whose value can be read.
    pub(super) fn sound(&self, tag: u16) -> Option<&Entry> {
        self.entry(tag).filter(|entry| entry.sound)
    }
}

/// Bytes of a value of a field type (TIFF 6.0 section 2; 13 is IFD, 16 to 18 are BigTIFF's).
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
    /// Reads the header. A file that is not a TIFF is an error: there is nothing to judge.
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
            return Err(not_tiff(reader, format!("its version is {version}; TIFF has 42, BigTIFF 43")));
        }
        if filled < 8 {
            return Err(Error::corrupt("header of the file", "a TIFF file has at least 8 bytes; this one is shorter"));
        }
        let big = version == 43;
        let budget = AtomicU64::new(length.saturating_mul(16).saturating_add(VALUES));
        let mut tiff =
            Self { reader, length, big, big_endian, first: 0, ghost: None, budget, decodes: AtomicU64::new(0) };
        let [_, _, _, _, rest @ ..] = &header;
        if big {
            let [size, zero, first @ ..] = rest.as_chunks::<2>().0 else { return Ok(tiff) };
            if filled < 16 || tiff.number(size) != 8 || tiff.number(zero) != 0 {
                let message = format_args!("a BigTIFF goes on with 8 and 0, here stand {size:?} and {zero:?}");
                report.add(&rules::TIFF_HEADER, Place::byte(4), message);
            }
            tiff.first = tiff.number(first.as_flattened());
        } else if let Some(first) = rest.get(..4) {
            tiff.first = tiff.number(first);
        }
        tiff.ghost = ghost::read(&tiff, report)?;
        Ok(tiff)
    }

    /// Bytes of the header.
    pub(super) const fn header_bytes(&self) -> u64 {
        if self.big { 16 } else { 8 }
    }

    /// A number in the file's byte order.
    pub(super) fn number(&self, bytes: &[u8]) -> u64 {
        let push = |number: u64, byte: &u8| (number << 8) | u64::from(*byte);
        if self.big_endian { bytes.iter().fold(0, push) } else { bytes.iter().rev().fold(0, push) }
    }

    /// So many bytes from an offset on; an error where the file has become shorter.
    pub(super) fn bytes(&self, offset: u64, count: u64) -> Result<Vec<u8>> {
        let size = usize::try_from(count).unwrap_or(usize::MAX);
        let mut bytes = Vec::new();
        let memory = |_| crate::error::ErrorKind::OutOfMemory { what: "a piece of the file", bytes: count };
        bytes.try_reserve_exact(size).map_err(memory)?;
        bytes.resize(size, 0);
        let filled = read_full(self.reader, offset, &mut bytes).map_err(|error| Error::io("read", error))?;
        if filled < size {
            let reason = format!("the file ends at byte {}", offset.saturating_add(filled as u64));
            return Err(Error::io("read", io::Error::new(io::ErrorKind::UnexpectedEof, reason)));
        }
        Ok(bytes)
    }

    /// Whether bytes lie in the file.
    pub(super) fn holds(&self, offset: u64, count: u64) -> bool {
        offset.checked_add(count).is_some_and(|end| end <= self.length)
    }

    /// Whether the bytes of a tile lie in the file, behind its header.
    pub(super) fn holds_tile(&self, offset: u64, count: u64) -> bool {
        offset >= self.header_bytes() && count > 0 && self.holds(offset, count)
    }

    /// Takes so many bytes of values from the budget; whether there are as many left.
    fn afford(&self, bytes: u64) -> bool {
        let left = self.budget.load(Ordering::Relaxed);
        self.budget.store(left.saturating_sub(bytes), Ordering::Relaxed);
        left >= bytes
    }

    /// Whether values were left out since directories share too many.
    pub(super) fn is_exhausted(&self) -> bool {
        self.budget.load(Ordering::Relaxed) == 0
    }

    /// All directories of the chain, in its order; SubIFDs of the first one stand behind it.
    pub(super) fn directories(&self, report: &mut Report) -> Result<Vec<Directory>> {
        let mut directories = Vec::new();
        let (mut seen, mut entries) = (HashSet::new(), 0);
        let mut next = self.first;
        if next == 0 {
            report.add(&rules::DIRECTORY_BOUNDS, Place::byte(4), format_args!("the file has no directory"));
        }
        while next != 0 {
            let index = directories.len();
            if !seen.insert(next) {
                let message = format_args!("behind {index} directories follows an earlier one");
                report.add(&rules::DIRECTORY_CYCLE, Place::byte(next), message);
                break;
            }
            if seen.len() > MOST_DIRECTORIES || entries > MOST_ENTRIES_IN_ALL {
                let message = format_args!("there are more than {index} directories, with more than {entries} entries");
                report.add(&rules::DIRECTORY_COUNT, Place::byte(next), message);
                break;
            }
            let Some((directory, after)) = self.directory(index, next, report)? else { break };
            entries += directory.entries.len();
            // Of one without entries there is nothing more to say.
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

    /// The directories that SubIFDs of the first one point at, which GDAL takes for overviews.
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

    /// The directory at an offset, and the offset of the next; `None` where it can't be read.
    fn directory(&self, index: usize, offset: u64, report: &mut Report) -> Result<Option<(Directory, u64)>> {
        let place = Place::directory(index).at(offset);
        let (count_width, entry_width, width) = if self.big { (8, 20, 8) } else { (2, 12, 4) };
        if offset < self.header_bytes() || !self.holds(offset, count_width) {
            let message = format_args!("it would start at byte {offset} of {}", self.length);
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
            let message = format_args!("its {count} entries end behind the file of {} bytes", self.length);
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
                    report.add(&rules::TAG_UNIQUE, at, format_args!("tag {} stands twice", entry.tag));
                }
                _ => {}
            }
            if width_of(entry.kind).is_none() || (!self.big && entry.kind > 13) {
                let message = format_args!("tag {} has field type {}", entry.tag, entry.kind);
                report.add(&rules::FIELD_TYPE, at, message);
            } else if !entry.sound {
                let (tag, from, bytes) = (entry.tag, entry.at, entry.bytes);
                let message = format_args!("the {bytes} bytes of tag {tag} at byte {from} end behind the file");
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

    /// The bytes of a value; `None` where it can't be read, or is absurdly long.
    pub(super) fn value(&self, entry: &Entry) -> Result<Option<Vec<u8>>> {
        if !entry.sound || entry.bytes > LONGEST_VALUE || !self.afford(entry.bytes) {
            return Ok(None);
        }
        self.bytes(entry.at, entry.bytes).map(Some)
    }

    /// The whole numbers of a value, at most `most` of them; `None` where it has none, or can't be read.
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

    /// The numbers of a value of doubles, floats or rationals; `None` where it has none, or can't be read.
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

    /// The text of a value: what stands before the first NUL.
    pub(super) fn text(&self, entry: &Entry) -> Result<Option<String>> {
        let Some(bytes) = self.value(entry)? else { return Ok(None) };
        let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
        Ok(Some(String::from_utf8_lossy(text).into_owned()))
    }
}

/// Bytes of a whole number of a field type.
pub(super) fn whole(kind: u16) -> Option<u64> {
    matches!(kind, 1 | 3 | 4 | 13 | 16 | 18).then(|| width_of(kind)).flatten()
}

/// An array of whole numbers that is read page by page.
pub(super) struct Array<'a> {
    tiff: &'a Tiff<'a>,
    at: u64,
    width: u64,
    pub(super) count: u64,
    page: Vec<u8>,
    first: u64,
}

impl<'a> Array<'a> {
    /// The array of an entry; `None` where it holds no whole numbers, or can't be read.
    pub(super) fn new(tiff: &'a Tiff<'a>, entry: &Entry) -> Option<Self> {
        let width = whole(entry.kind).filter(|_| entry.sound)?;
        Some(Self { tiff, at: entry.at, width, count: entry.count, page: Vec::new(), first: 0 })
    }

    /// A number of the array; 0 beyond its end.
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
