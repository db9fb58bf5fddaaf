//! Image file directories: sorted entries, values after them, and arrays after all directories.

use super::order::rank;
use super::tag::Tag;
use super::value::TagValue;
use super::variant::Variant;

/// One entry of a directory.
#[derive(Debug, Clone)]
struct Entry {
    tag: Tag,
    value: TagValue,
    location: Location,
}

/// The place of a value that does not fit in its entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Location {
    /// After its directory.
    Own,
    /// After all directories: tile offsets and byte counts.
    Deferred,
    /// At an offset where it is already.
    At(usize),
}

/// A directory. Values that don't fit in their entry are stored after the directory in the order in which GDAL writes
/// them; entries are sorted by tag.
#[derive(Debug, Clone, Default)]
pub(crate) struct Directory {
    entries: Vec<Entry>,
}

impl Directory {
    /// Adds a tag; each tag may be added only once.
    pub(crate) fn push(&mut self, tag: Tag, value: TagValue) {
        self.push_entry(tag, value, Location::Own);
    }

    /// Adds a tag whose value is stored after all directories.
    pub(crate) fn push_deferred(&mut self, tag: Tag, value: TagValue) {
        self.push_entry(tag, value, Location::Deferred);
    }

    /// Adds a tag whose value is in the file already, at an offset.
    #[cfg(feature = "geotiff")]
    pub(crate) fn push_at(&mut self, tag: Tag, value: TagValue, offset: usize) {
        self.push_entry(tag, value, Location::At(offset));
    }

    fn push_entry(&mut self, tag: Tag, value: TagValue, location: Location) {
        debug_assert!(self.entries.iter().all(|entry| entry.tag != tag), "tag {tag:?} added twice");
        let place = self.entries.partition_point(|entry| rank(entry.tag) < rank(tag));
        self.entries.insert(place, Entry { tag, value, location });
    }

    /// Returns true if the directory has the tag.
    pub(crate) fn contains(&self, tag: Tag) -> bool {
        self.entries.iter().any(|entry| entry.tag == tag)
    }
}

/// Rounds up to the next even number: directories and values start on word boundaries (TIFF 6.0 section 2).
pub(crate) const fn even(position: usize) -> usize {
    position + (position & 1)
}

/// Encodes all directories, the first at `start`, then `room` free bytes, then all deferred values, directory by directory
/// in `deferred_order`.
///
/// Directory *i* points to directory *i + 1*. The length of the result depends only on the tags, types, and counts,
/// never on numeric values.
pub(crate) fn encode_directories(
    variant: Variant,
    start: usize,
    directories: &[Directory],
    deferred_order: &[usize],
    room: usize,
) -> Vec<u8> {
    let placed = place(variant, start, directories, deferred_order, room);
    let mut out = Vec::with_capacity(placed.end - start);
    let pad_to = |out: &mut Vec<u8>, position: usize| out.resize(position - start, 0);
    for (index, (directory, places)) in directories.iter().zip(&placed.directories).enumerate() {
        pad_to(&mut out, places.start);
        let next = placed.directories.get(index + 1).map_or(0, |next| next.start);
        encode_directory(variant, directory, places, next, &mut out);
        for (entry, &value_start) in directory.entries.iter().zip(&places.values) {
            if let Some(value_start) = value_start
                && entry.location == Location::Own
            {
                pad_to(&mut out, value_start);
                entry.value.encode(&mut out);
            }
        }
    }
    for &index in deferred_order {
        for (entry, &value_start) in directories[index].entries.iter().zip(&placed.directories[index].values) {
            if let Some(value_start) = value_start
                && entry.location == Location::Deferred
            {
                pad_to(&mut out, value_start);
                entry.value.encode(&mut out);
            }
        }
    }
    // The room is at the end if no value is deferred.
    pad_to(&mut out, placed.end);
    out
}

/// Offsets of a directory and its values.
struct DirectoryPlace {
    start: usize,
    /// One per entry; `None` if the value is in the entry itself.
    values: Vec<Option<usize>>,
}

struct Placed {
    directories: Vec<DirectoryPlace>,
    end: usize,
}

/// Assigns all offsets, in a single pass.
fn place(variant: Variant, start: usize, directories: &[Directory], deferred_order: &[usize], room: usize) -> Placed {
    let inline = variant.offset_len();
    let mut position = start;
    let mut placed = Vec::with_capacity(directories.len());
    for directory in directories {
        position = even(position);
        let directory_start = position;
        position += variant.directory_len(directory.entries.len());
        let values = directory
            .entries
            .iter()
            .map(|entry| {
                let length = entry.value.encoded_len();
                match entry.location {
                    Location::At(offset) => return Some(offset),
                    Location::Own if length > inline => {}
                    Location::Own | Location::Deferred => return None,
                }
                let value_start = even(position);
                position = value_start + length;
                Some(value_start)
            })
            .collect();
        placed.push(DirectoryPlace { start: directory_start, values });
    }
    position += room;
    for &index in deferred_order {
        for (entry, value) in directories[index].entries.iter().zip(&mut placed[index].values) {
            let length = entry.value.encoded_len();
            if entry.location == Location::Deferred && length > inline {
                let value_start = even(position);
                position = value_start + length;
                *value = Some(value_start);
            }
        }
    }
    Placed { directories: placed, end: position }
}

fn encode_directory(variant: Variant, directory: &Directory, places: &DirectoryPlace, next: usize, out: &mut Vec<u8>) {
    let mut order: Vec<usize> = (0..directory.entries.len()).collect();
    order.sort_by_key(|&index| directory.entries[index].tag);
    push_number(out, order.len() as u64, if variant == Variant::Classic { 2 } else { 8 });
    for index in order {
        let entry = &directory.entries[index];
        push_number(out, entry.tag.0.into(), 2);
        push_number(out, entry.value.field_type().into(), 2);
        push_number(out, entry.value.count() as u64, variant.offset_len());
        match places.values[index] {
            Some(value_start) => push_number(out, value_start as u64, variant.offset_len()),
            None => {
                let filled = out.len() + variant.offset_len();
                entry.value.encode(out);
                out.resize(filled, 0);
            }
        }
    }
    push_number(out, next as u64, variant.offset_len());
}

/// Appends the lowest `length` bytes of `value`, little-endian. The plan limits header positions to 32 bits.
fn push_number(out: &mut Vec<u8>, value: u64, length: usize) {
    out.extend_from_slice(&value.to_le_bytes()[..length]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_follow_their_directory_and_deferred_ones_follow_all() {
        let mut first = Directory::default();
        first.push(Tag::IMAGE_LENGTH, TagValue::Short(vec![7]));
        first.push(Tag::IMAGE_WIDTH, TagValue::Short(vec![9]));
        first.push_deferred(Tag::TILE_OFFSETS, TagValue::Long(vec![0x11, 0x22]));
        first.push(Tag::SOFTWARE, TagValue::Ascii(b"abcd".to_vec()));
        let mut second = Directory::default();
        second.push(Tag::IMAGE_WIDTH, TagValue::Short(vec![4]));
        let bytes = encode_directories(Variant::Classic, 8, &[first, second], &[0, 1], 0);

        let first_len = 2 + 4 * 12 + 4;
        assert_eq!(bytes[0..2], [4, 0]);
        assert_eq!(bytes[2..4], 256u16.to_le_bytes(), "entries are sorted");
        let text_start = 8 + first_len;
        assert_eq!(bytes[2 + 2 * 12 + 8..][..4], u32::try_from(text_start).unwrap().to_le_bytes());
        assert_eq!(&bytes[first_len..][..5], b"abcd\0");
        let second_start = text_start + 6;
        assert_eq!(bytes[first_len - 4..first_len], u32::try_from(second_start).unwrap().to_le_bytes());
        let arrays_start = second_start + 2 + 12 + 4;
        assert_eq!(bytes[2 + 3 * 12 + 8..][..4], u32::try_from(arrays_start).unwrap().to_le_bytes());
        assert_eq!(bytes[arrays_start - 8..], [0x11, 0, 0, 0, 0x22, 0, 0, 0]);
    }
}
