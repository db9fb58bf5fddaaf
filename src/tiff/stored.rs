//! Images as they are stored: all tags of a directory, and the places of its tiles. They can be changed and written again.

use std::collections::BTreeMap;
use std::ops::Range;

use super::file::{Directory as DirectoryInFile, TiffFile};
use super::ifd::Directory;
use super::variant::Variant;
use super::{Tag, TagValue};
use crate::error::{Error, Result};

/// Tags that point to other directories, or describe how a file was laid out. They are not copied to another file.
const NOT_COPIED: [Tag; 11] = [
    Tag::SUBFILE_TYPE,
    Tag::STRIP_OFFSETS,
    Tag::ROWS_PER_STRIP,
    Tag::STRIP_BYTE_COUNTS,
    Tag(288), // FreeOffsets
    Tag(289), // FreeByteCounts
    Tag::TILE_OFFSETS,
    Tag::TILE_BYTE_COUNTS,
    Tag::SUB_IFDS,
    Tag::EXIF_IFD,
    Tag::GPS_IFD,
];

/// Field types of offsets of directories: IFD and IFD8.
const POINTERS: [u16; 2] = [13, 18];

/// An image as it is stored.
#[derive(Debug, Clone, Default)]
pub(crate) struct StoredImage {
    /// Index of the directory in its file, for messages.
    pub(crate) number: usize,
    /// All tags except those of the layout.
    pub(crate) tags: BTreeMap<Tag, TagValue>,
    /// Offsets of the tiles; 0 if a tile is not stored.
    pub(crate) offsets: Vec<u64>,
    /// Sizes of the tiles; 0 if a tile is not stored.
    pub(crate) counts: Vec<u32>,
    /// Bytes of the file that the directory and the values of its tags take, from the first to the last.
    pub(crate) extent: Range<u64>,
    /// The arrays of tiles in the file.
    pub(crate) arrays: Vec<ArrayPlace>,
}

/// An array of tiles in the file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ArrayPlace {
    pub(crate) tag: Tag,
    field_type: u16,
    /// Offset of the items, which are in the entry itself if they fit.
    pub(crate) position: u64,
    bytes: u64,
}

/// The bytes that the values of a file's tags may have in total. Values that don't overlap can't have more than the
/// file; small ones may be shared. This bounds the memory that hostile directories take.
#[derive(Debug)]
pub(crate) struct ValueBudget(u64);

impl ValueBudget {
    /// Returns the budget of a file.
    pub(crate) fn of(file: &TiffFile) -> Self {
        Self(file.length.saturating_add(1 << 20))
    }

    fn take(&mut self, bytes: u64) -> Result<()> {
        self.0 = self.0.checked_sub(bytes).ok_or_else(|| {
            Error::corrupt("the directories", "the values of their tags overlap, and have more bytes than the file")
        })?;
        Ok(())
    }
}

impl StoredImage {
    /// Reads the tags of a directory; tags that are left out are added to `left_out` with the reasons.
    pub(crate) fn read(
        file: &TiffFile,
        directory: &DirectoryInFile,
        number: usize,
        budget: &mut ValueBudget,
        left_out: &mut Vec<String>,
    ) -> Result<Self> {
        let extent = directory.position..directory.end.saturating_add(file.variant().offset_len() as u64);
        let mut image = Self { number, extent, ..Self::default() };
        let mut leave_out = |tag: Tag, reason: &str| {
            let name = tag.name().unwrap_or("unknown");
            left_out.push(format!("tag {} ({name}) of image {number} is left out: {reason}", tag.0));
        };
        for (tag, reason) in directory.broken_tags() {
            leave_out(tag, reason);
        }
        for tag in directory.tags() {
            let Some((field_type, position, bytes)) = directory.extent(tag) else { continue };
            if matches!(tag, Tag::EXIF_IFD | Tag::GPS_IFD) {
                leave_out(tag, "directories of EXIF metadata are not copied");
            } else if POINTERS.contains(&field_type) && !NOT_COPIED.contains(&tag) {
                leave_out(tag, "it points to another directory");
            } else if field_type == 17 {
                leave_out(tag, "its field type is SLONG8");
            } else if !NOT_COPIED.contains(&tag) && bytes > 0 {
                budget.take(bytes)?;
                let Range { start, end } = image.extent;
                image.extent = start.min(position)..end.max(position.saturating_add(bytes));
                if let Some(value) = directory.value(file, tag)? {
                    image.tags.insert(tag, value);
                }
            }
        }
        Ok(image)
    }

    /// Reads the places of the tiles, as many as there have to be.
    pub(crate) fn read_places(
        &mut self,
        file: &TiffFile,
        directory: &DirectoryInFile,
        tiles: u64,
        budget: &mut ValueBudget,
    ) -> Result<()> {
        let place = || format!("image {}", self.number);
        let has_tile_tags = directory.contains(Tag::TILE_OFFSETS);
        // If only the strip tags are present, libtiff uses them for tiles.
        let tags = match has_tile_tags {
            true => [Tag::TILE_OFFSETS, Tag::TILE_BYTE_COUNTS],
            false => [Tag::STRIP_OFFSETS, Tag::STRIP_BYTE_COUNTS],
        };
        let mut array = |tag: Tag| -> Result<Vec<u64>> {
            budget.take(directory.extent(tag).map_or(0, |(_, _, bytes)| bytes))?;
            let name = tag.name().unwrap_or_default();
            let numbers = directory.integers_up_to(file, tag, tiles)?.unwrap_or_default();
            if (numbers.len() as u64) < tiles {
                let reason = format!("{name} has {} values, but there are {tiles} tiles", numbers.len());
                return Err(Error::corrupt(place(), reason));
            }
            Ok(numbers)
        };
        self.offsets = array(tags[0])?;
        let counts = array(tags[1])?;
        self.arrays = tags
            .into_iter()
            .filter_map(|tag| {
                let (field_type, position, bytes) = directory.extent(tag)?;
                Some(ArrayPlace { tag, field_type, position, bytes })
            })
            .collect();
        self.counts = Vec::with_capacity(counts.len());
        for (index, (offset, count)) in self.offsets.iter_mut().zip(counts).enumerate() {
            // GDAL and libtiff take a size of 0 for a tile that is not stored, whatever its offset.
            if count == 0 || *offset == 0 {
                *offset = 0;
                self.counts.push(0);
                continue;
            }
            let place = || format!("tile {index} of {}", place());
            let fits = offset.checked_add(count).is_some_and(|end| end <= file.length);
            if !fits {
                let reason =
                    format!("its {count} bytes at byte {offset} extend beyond the file of {} bytes", file.length);
                return Err(Error::corrupt(place(), reason));
            }
            let count = u32::try_from(count)
                .map_err(|_| Error::limit(format!("the size of {}", place()), count, u32::MAX.into()))?;
            self.counts.push(count);
        }
        Ok(())
    }

    /// Returns the first number of a tag of any integer type.
    pub(crate) fn number(&self, tag: Tag) -> Option<u64> {
        match self.tags.get(&tag)? {
            TagValue::Byte(items) | TagValue::Undefined(items) => items.first().copied().map(u64::from),
            TagValue::Short(items) => items.first().copied().map(u64::from),
            TagValue::Long(items) => items.first().copied().map(u64::from),
            TagValue::Long8(items) => items.first().copied(),
            _ => None,
        }
    }

    /// Sets or removes a tag.
    pub(crate) fn set(&mut self, tag: Tag, value: Option<TagValue>) {
        match value {
            Some(value) => self.tags.insert(tag, value),
            None => self.tags.remove(&tag),
        };
    }

    /// Returns the directory to write in the same file, whose arrays of tiles stay where they are; `None` if they cannot.
    ///
    /// # Errors
    /// As [`directory`](Self::directory).
    pub(crate) fn directory_in_place(&self, variant: Variant) -> Result<Option<Directory>> {
        let mut directory = self.directory(variant)?;
        for array in &self.arrays {
            let Ok(position) = usize::try_from(array.position) else { return Ok(None) };
            if !matches!(array.tag, Tag::TILE_OFFSETS | Tag::TILE_BYTE_COUNTS) {
                return Ok(None);
            }
            let numbers: Vec<u64> = match array.tag {
                Tag::TILE_OFFSETS => self.offsets.clone(),
                _ => self.counts.iter().copied().map(u64::from).collect(),
            };
            let narrow = |items: &[u64]| items.iter().map(|item| u32::try_from(*item).unwrap_or(u32::MAX)).collect();
            let value = match array.field_type {
                3 => TagValue::Short(numbers.iter().map(|item| u16::try_from(*item).unwrap_or(u16::MAX)).collect()),
                4 => TagValue::Long(narrow(&numbers)),
                16 => TagValue::Long8(numbers),
                _ => return Ok(None),
            };
            if value.encoded_len() as u64 != array.bytes {
                return Ok(None);
            }
            if array.bytes > variant.offset_len() as u64 {
                directory.push_at(array.tag, value, position);
            } else {
                directory.push(array.tag, value);
            }
        }
        Ok(Some(directory))
    }

    /// Returns the arrays of tiles that are outside of their entries.
    pub(crate) fn outer_arrays(&self, variant: Variant) -> impl Iterator<Item = &ArrayPlace> {
        self.arrays.iter().filter(move |array| array.bytes > variant.offset_len() as u64)
    }

    /// Returns the directory to write, without the arrays of tiles.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) for 64-bit numbers that classic TIFF cannot hold.
    pub(crate) fn directory(&self, variant: Variant) -> Result<Directory> {
        let mut directory = Directory::default();
        for (tag, value) in &self.tags {
            let value = match (variant, value) {
                (Variant::Classic, TagValue::Long8(items)) => {
                    let narrow = items.iter().map(|item| u32::try_from(*item)).collect::<std::result::Result<_, _>>();
                    TagValue::Long(narrow.map_err(|_| {
                        let name = tag.name().unwrap_or("unknown");
                        Error::unsupported(format!("tag {} ({name}) of 64 bits in a classic TIFF", tag.0))
                    })?)
                }
                (_, value) => value.clone(),
            };
            directory.push(*tag, value);
        }
        Ok(directory)
    }
}
