//! Directories of a TIFF file, classic or BigTIFF, in either byte order: entries and their values.
//!
//! Every count and offset is checked against the length of the file before anything is allocated.

use std::collections::{BTreeMap, HashSet};
use std::io::{self, IoSliceMut};
use std::sync::Arc;

use super::variant::Variant;
use super::{Tag, TagValue};
use crate::error::{Error, ErrorKind, Result};
use crate::read::{ReadAt, not_tiff, read_full, read_scattered};

/// The byte order of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ByteOrder {
    /// `II`.
    Little,
    /// `MM`.
    Big,
}

impl ByteOrder {
    /// The byte order of this machine.
    pub(crate) const NATIVE: Self = if cfg!(target_endian = "big") { Self::Big } else { Self::Little };

    /// Decodes a number of up to eight bytes.
    fn number(self, bytes: &[u8]) -> u64 {
        let fold = |number: u64, byte: &u8| (number << 8) | u64::from(*byte);
        match self {
            Self::Little => bytes.iter().rev().fold(0, fold),
            Self::Big => bytes.iter().fold(0, fold),
        }
    }
}

/// A TIFF file: its bytes, their order, and the width of offsets.
#[derive(Clone)]
pub(crate) struct TiffFile {
    pub(crate) reader: Arc<dyn ReadAt>,
    pub(crate) order: ByteOrder,
    pub(crate) length: u64,
    big: bool,
    pub(crate) first_directory: u64,
}

/// An entry whose type is known and whose values lie within the file.
#[derive(Debug, Clone, Copy)]
struct Entry {
    field_type: u16,
    count: u64,
    /// Offset of the values, in the entry itself or elsewhere.
    position: u64,
}

/// One image file directory.
#[derive(Debug, Clone, Default)]
pub(crate) struct Directory {
    entries: BTreeMap<u16, Entry>,
    /// Tags whose entries cannot be used, and the reasons.
    broken: BTreeMap<u16, String>,
    /// Offset of the directory.
    pub(crate) position: u64,
    /// End of its last entry.
    pub(crate) end: u64,
}

/// Returns the size of an item of a field type in bytes (TIFF 6.0 section 2; BigTIFF: 13, 16 to 18); 0 if unknown.
fn item_size(field_type: u16) -> u64 {
    match field_type {
        1 | 2 | 6 | 7 => 1,
        3 | 8 => 2,
        4 | 9 | 11 | 13 => 4,
        5 | 10 | 12 | 16 | 17 | 18 => 8,
        _ => 0,
    }
}

impl TiffFile {
    /// Reads the header of the file.
    pub(crate) fn open(reader: Arc<dyn ReadAt>) -> Result<Self> {
        let length = reader.len();
        let mut file = Self { reader, order: ByteOrder::Little, length, big: false, first_directory: 0 };
        let mut header = [0; 16];
        let filled = read_full(&*file.reader, 0, &mut header).map_err(|source| Error::io("read the header", source))?;
        let damaged = |reason: &str| Error::corrupt("file header", reason.to_owned());
        file.order = match &header[..2] {
            b"II" => ByteOrder::Little,
            b"MM" => ByteOrder::Big,
            _ => return Err(not_tiff(&*file.reader, "no II or MM byte-order mark")),
        };
        let version = file.order.number(&header[2..4]);
        if filled >= 4 && !matches!(version, 42 | 43) {
            return Err(not_tiff(&*file.reader, format!("the version is {version}, not 42 (TIFF) or 43 (BigTIFF)")));
        }
        if filled < 8 {
            return Err(damaged(&format!("a TIFF file has at least 8 bytes; this one has {filled}")));
        }
        if version == 42 {
            file.first_directory = file.order.number(&header[4..8]);
            return Ok(file);
        }
        if filled < 16 {
            return Err(damaged("a BigTIFF file has at least 16 bytes; this file is shorter"));
        }
        if file.order.number(&header[4..6]) != 8 {
            return Err(damaged("the BigTIFF offset size is not 8"));
        }
        file.big = true;
        file.first_directory = file.order.number(&header[8..16]);
        Ok(file)
    }

    /// Reads all directories of the main chain. From the first damaged one on, they are ignored with a warning.
    pub(crate) fn directories(&self, warnings: &mut Vec<String>) -> Result<Vec<Directory>> {
        let mut directories = Vec::new();
        let mut seen = HashSet::new();
        let mut position = self.first_directory;
        // Directories that don't overlap can't have more bytes than the file: this bounds the cost of hostile chains.
        let mut budget = self.length;
        while position != 0 {
            if !seen.insert(position) {
                warnings.push(format!("the directory at byte {position} is linked twice; reading stops there"));
                break;
            }
            let read = self.directory(position).and_then(|(directory, next)| {
                budget = budget.checked_sub(directory.end - directory.position).ok_or_else(|| {
                    Error::corrupt(format!("directory at byte {position}"), "directories overlap one another")
                })?;
                Ok((directory, next))
            });
            match read {
                Ok((directory, next)) => {
                    directories.push(directory);
                    position = next;
                }
                Err(error) if directories.is_empty() => return Err(error),
                Err(error) => {
                    warnings.push(format!("directories from index {} on are ignored: {error}", directories.len()));
                    break;
                }
            }
        }
        if directories.is_empty() {
            return Err(Error::corrupt("file header", "there is no directory, so there is no image"));
        }
        Ok(directories)
    }

    /// Returns the variant of the file.
    pub(crate) fn variant(&self) -> Variant {
        if self.big { Variant::Big } else { Variant::Classic }
    }

    /// Reads the directory at an offset; also returns the offset of the next one, 0 after the last.
    pub(crate) fn directory(&self, position: u64) -> Result<(Directory, u64)> {
        let place = || format!("directory at byte {position}");
        let (count_len, entry_len, offset_len) = if self.big { (8, 20, 8) } else { (2, 12, 4) };
        let count = self.order.number(&self.bytes(position, count_len, place)?);
        if count == 0 || count > u64::from(u16::MAX) {
            return Err(Error::corrupt(place(), format!("it has {count} entries; 1 to 65535 are allowed")));
        }
        let entries_start = position + count_len;
        let table = self.bytes(entries_start, count * entry_len, place)?;
        let end = entries_start + count * entry_len;
        // A file that ends after the last entry has no further directory, as in libtiff.
        let next = self.bytes(end, offset_len, place).map_or(0, |bytes| self.order.number(&bytes));
        let mut directory = Directory { position, end, ..Directory::default() };
        let entry_width = usize::from(if self.big { 20_u8 } else { 12 });
        let mut entry_position = entries_start;
        for raw in table.chunks_exact(entry_width) {
            self.entry(raw, entry_position, &mut directory);
            entry_position += entry_len;
        }
        Ok((directory, next))
    }

    fn entry(&self, raw: &[u8], position: u64, directory: &mut Directory) {
        let field = |from: usize, to: usize| self.order.number(raw.get(from..to).unwrap_or(&[]));
        let narrow = |value: u64| u16::try_from(value).unwrap_or(u16::MAX);
        let (tag, field_type) = (narrow(field(0, 2)), narrow(field(2, 4)));
        // If a tag occurs twice, the first one counts, as in libtiff.
        if directory.entries.contains_key(&tag) {
            return;
        }
        let (count, inline, inline_start) = if self.big { (field(4, 12), 8, 12) } else { (field(4, 8), 4, 8) };
        let size = item_size(field_type);
        let bytes = count.checked_mul(size);
        let result = match bytes {
            _ if size == 0 => Err(format!("field type {field_type} is unknown")),
            Some(bytes) if bytes <= inline => Ok(position + inline_start),
            Some(bytes) => {
                let start = if self.big { field(12, 20) } else { field(8, 12) };
                match start.checked_add(bytes) {
                    Some(end) if end <= self.length => Ok(start),
                    _ => Err(format!("{count} items at byte {start} extend beyond the file of {} bytes", self.length)),
                }
            }
            None => Err(format!("{count} items do not fit in any file")),
        };
        match result {
            Ok(position) => {
                directory.entries.insert(tag, Entry { field_type, count, position });
            }
            Err(reason) => {
                directory.broken.entry(tag).or_insert(reason);
            }
        }
    }

    /// Reads bytes at a position; an error if the file ends before.
    pub(crate) fn bytes(&self, position: u64, count: u64, place: impl Fn() -> String) -> Result<Vec<u8>> {
        let mut buffer = Vec::new();
        self.bytes_into(&mut buffer, position, count, place)?;
        Ok(buffer)
    }

    /// Reads bytes as [`bytes`](Self::bytes) does, into a reused buffer with arbitrary contents.
    pub(crate) fn bytes_into(
        &self,
        buffer: &mut Vec<u8>,
        position: u64,
        count: u64,
        place: impl Fn() -> String,
    ) -> Result<()> {
        let end = position.checked_add(count).filter(|end| *end <= self.length);
        let (Some(_), Ok(size)) = (end, usize::try_from(count)) else {
            return Err(Error::corrupt(
                place(),
                format!("{count} bytes at byte {position} extend beyond the file of {} bytes", self.length),
            ));
        };
        resize(buffer, size, "a part of the file")?;
        check_read(read_full(&*self.reader, position, buffer), size, place)
    }

    /// Fills consecutive rows from a position in a single read; returns false if that is not possible. The caller has
    /// checked that the bytes lie within the file.
    pub(crate) fn rows_into(&self, rows: &mut [&mut [u8]], position: u64, place: impl Fn() -> String) -> Result<bool> {
        let size = rows.iter().map(|row| row.len()).sum();
        let mut rows: Vec<_> = rows.iter_mut().map(|row| IoSliceMut::new(row)).collect();
        let Some(read) = read_scattered(&*self.reader, position, &mut rows) else { return Ok(false) };
        check_read(read, size, place).map(|()| true)
    }
}

/// Checks that a read returned all bytes that were in the file when it was opened.
fn check_read(read: io::Result<usize>, size: usize, place: impl Fn() -> String) -> Result<()> {
    let filled = read.map_err(|source| Error::io("read the file", source))?;
    if filled != size {
        return Err(Error::corrupt(place(), "the file became shorter while it was read"));
    }
    Ok(())
}

/// Allocates a buffer of zeros; an error instead of an abort if there is not enough memory.
pub(crate) fn allocate(size: usize, what: &'static str) -> Result<Vec<u8>> {
    let mut buffer = Vec::new();
    resize(&mut buffer, size, what)?;
    Ok(buffer)
}

/// Resizes a buffer to `size` bytes; an error instead of an abort if there is not enough memory.
fn resize(buffer: &mut Vec<u8>, size: usize, what: &'static str) -> Result<()> {
    let more = size.saturating_sub(buffer.len());
    buffer.try_reserve_exact(more).map_err(|_| ErrorKind::OutOfMemory { what, bytes: size as u64 })?;
    buffer.resize(size, 0);
    Ok(())
}

impl Directory {
    /// Returns true if the directory has the tag, readable or not.
    pub(crate) fn contains(&self, tag: Tag) -> bool {
        self.entries.contains_key(&tag.0) || self.broken.contains_key(&tag.0)
    }

    /// Returns the tags with readable entries, in ascending order.
    pub(crate) fn tags(&self) -> impl Iterator<Item = Tag> {
        self.entries.keys().copied().map(Tag)
    }

    /// Returns the tags whose entries cannot be used, and the reasons.
    pub(crate) fn broken_tags(&self) -> impl Iterator<Item = (Tag, &str)> {
        self.broken.iter().map(|(tag, reason)| (Tag(*tag), reason.as_str()))
    }

    /// Returns the field type of a tag, the offset of its value, and its size in bytes.
    pub(crate) fn extent(&self, tag: Tag) -> Option<(u16, u64, u64)> {
        let entry = self.entries.get(&tag.0)?;
        // Checked when the entry was read.
        Some((entry.field_type, entry.position, entry.count.saturating_mul(item_size(entry.field_type))))
    }

    /// Returns the reason why the entry of a tag cannot be used, if so.
    pub(crate) fn broken(&self, tag: Tag) -> Option<&str> {
        self.broken.get(&tag.0).map(String::as_str)
    }

    /// Reads the tag's items as stored in the file, and their type; `None` if the tag is missing or unusable.
    fn raw(&self, file: &TiffFile, tag: Tag, limit: u64) -> Result<Option<(u16, Vec<u8>)>> {
        let Some(entry) = self.entries.get(&tag.0) else { return Ok(None) };
        let bytes = entry.count.min(limit).saturating_mul(item_size(entry.field_type));
        let place = || format!("tag {} ({})", tag.0, tag.name().unwrap_or("unknown"));
        Ok(Some((entry.field_type, file.bytes(entry.position, bytes, place)?)))
    }

    /// Reads integers of any integer type; negative values and other types are errors.
    pub(crate) fn integers(&self, file: &TiffFile, tag: Tag) -> Result<Option<Vec<u64>>> {
        self.integers_up_to(file, tag, u64::MAX)
    }

    /// Reads integers as [`integers`](Self::integers) does, but at most the first `limit`.
    pub(crate) fn integers_up_to(&self, file: &TiffFile, tag: Tag, limit: u64) -> Result<Option<Vec<u64>>> {
        let Some((field_type, bytes)) = self.raw(file, tag, limit)? else { return Ok(None) };
        let size = usize::try_from(item_size(field_type)).unwrap_or(1);
        let wrong =
            |reason: String| Error::corrupt(format!("tag {} ({})", tag.0, tag.name().unwrap_or("unknown")), reason);
        let signed = match field_type {
            1 | 2 | 3 | 4 | 7 | 13 | 16 | 18 => false,
            6 | 8 | 9 | 17 => true,
            _ => return Err(wrong(format!("field type {field_type} is not an integer type"))),
        };
        let mut numbers = Vec::new();
        numbers.try_reserve_exact(bytes.len() / size).map_err(|_| ErrorKind::OutOfMemory {
            what: "the values of a tag",
            bytes: (bytes.len() / size * 8) as u64,
        })?;
        for item in bytes.chunks_exact(size) {
            let number = file.order.number(item);
            let sign_bit = 1u64 << (size * 8 - 1);
            if signed && number & sign_bit != 0 {
                return Err(wrong("a value is negative".to_owned()));
            }
            numbers.push(number);
        }
        Ok(Some(numbers))
    }

    /// Reads the first integer of a tag.
    pub(crate) fn integer(&self, file: &TiffFile, tag: Tag) -> Result<Option<u64>> {
        Ok(self.integers_up_to(file, tag, 1)?.and_then(|numbers| numbers.first().copied()))
    }

    /// Reads numbers of any type as doubles.
    pub(crate) fn doubles(&self, file: &TiffFile, tag: Tag) -> Result<Option<Vec<f64>>> {
        let Some(value) = self.value(file, tag)? else { return Ok(None) };
        #[expect(clippy::cast_precision_loss, reason = "64-bit integers are not used as coordinates")]
        Ok(match value {
            TagValue::Double(items) => Some(items),
            TagValue::Float(items) => Some(items.into_iter().map(f64::from).collect()),
            TagValue::Short(items) => Some(items.into_iter().map(f64::from).collect()),
            TagValue::Long(items) => Some(items.into_iter().map(f64::from).collect()),
            TagValue::SShort(items) => Some(items.into_iter().map(f64::from).collect()),
            TagValue::SLong(items) => Some(items.into_iter().map(f64::from).collect()),
            TagValue::Long8(items) => Some(items.into_iter().map(|item| item as f64).collect()),
            TagValue::Rational(items) => {
                Some(items.into_iter().map(|[above, below]| f64::from(above) / f64::from(below)).collect())
            }
            TagValue::SRational(items) => {
                Some(items.into_iter().map(|[above, below]| f64::from(above) / f64::from(below)).collect())
            }
            TagValue::Byte(_) | TagValue::SByte(_) | TagValue::Ascii(_) | TagValue::Undefined(_) => None,
        })
    }

    /// Reads the bytes of a tag of any one-byte type.
    pub(crate) fn byte_string(&self, file: &TiffFile, tag: Tag) -> Result<Option<Vec<u8>>> {
        Ok(self.raw(file, tag, u64::MAX)?.map(|(_, bytes)| bytes))
    }

    /// Reads the text of a tag, up to the first NUL. Text that is not UTF-8 is read as Latin-1, so that no character is
    /// lost.
    pub(crate) fn text(&self, file: &TiffFile, tag: Tag) -> Result<Option<String>> {
        let Some(bytes) = self.byte_string(file, tag)? else { return Ok(None) };
        let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
        let text = bytes.get(..end).unwrap_or(&bytes);
        let latin = || text.iter().map(|byte| char::from(*byte)).collect();
        Ok(Some(std::str::from_utf8(text).map_or_else(|_| latin(), str::to_owned)))
    }

    /// Reads the value of a tag in its own type.
    pub(crate) fn value(&self, file: &TiffFile, tag: Tag) -> Result<Option<TagValue>> {
        let Some((field_type, bytes)) = self.raw(file, tag, u64::MAX)? else { return Ok(None) };
        let order = file.order;
        Ok(Some(match field_type {
            1 => TagValue::Byte(bytes),
            2 => {
                let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
                TagValue::Ascii(bytes.get(..end).unwrap_or(&[]).to_vec())
            }
            3 => TagValue::Short(items::<2, _>(&bytes, order, u16::from_ne_bytes)),
            4 | 13 => TagValue::Long(items::<4, _>(&bytes, order, u32::from_ne_bytes)),
            5 => TagValue::Rational(pairs(&items::<4, _>(&bytes, order, u32::from_ne_bytes))),
            6 => TagValue::SByte(items::<1, _>(&bytes, order, i8::from_ne_bytes)),
            8 => TagValue::SShort(items::<2, _>(&bytes, order, i16::from_ne_bytes)),
            9 => TagValue::SLong(items::<4, _>(&bytes, order, i32::from_ne_bytes)),
            10 => TagValue::SRational(pairs(&items::<4, _>(&bytes, order, i32::from_ne_bytes))),
            11 => TagValue::Float(items::<4, _>(&bytes, order, f32::from_ne_bytes)),
            12 => TagValue::Double(items::<8, _>(&bytes, order, f64::from_ne_bytes)),
            16 | 18 => TagValue::Long8(items::<8, _>(&bytes, order, u64::from_ne_bytes)),
            _ => TagValue::Undefined(bytes),
        }))
    }
}

fn items<const N: usize, T>(bytes: &[u8], order: ByteOrder, make: impl Fn([u8; N]) -> T) -> Vec<T> {
    let whole = bytes.chunks_exact(N).filter_map(|item| item.first_chunk::<N>());
    whole
        .map(|item| {
            let mut item = *item;
            if order != ByteOrder::NATIVE {
                item.reverse();
            }
            make(item)
        })
        .collect()
}

fn pairs<T: Copy>(numbers: &[T]) -> Vec<[T; 2]> {
    numbers.chunks_exact(2).filter_map(|pair| pair.first_chunk::<2>().copied()).collect()
}
