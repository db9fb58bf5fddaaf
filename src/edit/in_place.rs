//! Edits in place, in the free bytes between the directories and the arrays of tiles.
//!
//! The steps keep the file readable after each of them, and the next edit completes one that was interrupted:
//! 1. the old directories are copied to the end of the free bytes;
//! 2. the file header points to the copy;
//! 3. the new directories replace the old ones;
//! 4. the file header points to them;
//! 5. the copy is overwritten with zeros.
//!
//! Each step is on disk before the next one starts. Until step 4 the file has all old tags, from then on all new ones. The
//! arrays of tiles stay where they are, so the free bytes needed do not depend on the number of tiles.

use crate::error::{Error, Result};
use crate::read::read_full;
use crate::tiff::file::{ByteOrder, TiffFile};
use crate::tiff::ghost::LEADER_LEN;
use crate::tiff::ifd::encode_directories;
use crate::tiff::stored::StoredImage;
use crate::tiff::variant::Variant;

use super::layout;
use super::pyramid::Pyramid;

/// Bytes to write at an offset; they are on disk before the next step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) offset: u64,
    pub(super) bytes: Vec<u8>,
}

/// The part of a header that directories may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct HeaderSpace {
    /// Offset of the first directory in GDAL's layout.
    first: u64,
    /// Start of the arrays of tiles, or of the tiles if there are none.
    end: u64,
    /// Bytes that the directories in use take, from the first to the last.
    live: (u64, u64),
}

impl HeaderSpace {
    /// Returns the space of a file; `None` if the file is not in GDAL's layout, or has more than directories there.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::ErrorKind::Io).
    pub(super) fn of(pyramid: &Pyramid) -> Result<Option<Self>> {
        let [file] = pyramid.files.as_slice() else { return Ok(None) };
        let variant = file.variant();
        // Sparse files have either.
        let [mut start, other] = [true, false].map(|promises_masks| layout::start(pyramid, variant, promises_masks));
        if !starts_with(file, variant, &start)? {
            start = other;
        }
        // What is left out may be in the header, too.
        if file.order != ByteOrder::Little || !pyramid.warnings.is_empty() || !starts_with(file, variant, &start)? {
            return Ok(None);
        }
        let first = start.len() as u64;
        let images: Vec<&StoredImage> =
            layout::order(pyramid).map(|(level, plane)| pyramid.levels[level].plane(plane)).collect();
        let arrays = images.iter().flat_map(|image| image.outer_arrays(variant)).map(|array| array.position);
        let tiles = images.iter().flat_map(|image| &image.offsets).filter(|offset| **offset > 0);
        let tiles = tiles.map(|offset| offset.saturating_sub(LEADER_LEN as u64));
        let end = arrays.chain(tiles).min().unwrap_or(file.length);
        let live = images.iter().map(|image| &image.extent);
        let live = live.fold((u64::MAX, 0), |(start, end), extent| (start.min(extent.start), end.max(extent.end)));
        let is_inside = first <= live.0 && live.1 <= end;
        Ok(is_inside.then_some(Self { first, end, live }))
    }

    /// Returns whether an edit was interrupted: the file header points to a copy of the directories.
    pub(super) fn is_interrupted(&self) -> bool {
        self.live.0 != self.first
    }

    /// Returns the number of free bytes after the directories. One more may be there to make offsets even.
    pub(super) fn room(&self) -> u32 {
        let start = if self.is_interrupted() { self.first } else { self.live.1 };
        u32::try_from(self.end.saturating_sub(start) & !1).unwrap_or(u32::MAX)
    }

    /// Returns the steps that replace the directories, `None` if there is not enough room.
    ///
    /// # Errors
    /// Those of encoding the directories.
    pub(super) fn steps(&self, before: &Pyramid, after: &Pyramid) -> Result<Option<Vec<Step>>> {
        let Some(variant) = before.files.first().map(TiffFile::variant) else { return Ok(None) };
        let Some(new) = encode(after, variant, self.first)? else { return Ok(None) };
        let new_end = self.first + new.len() as u64;
        let pointer = |target: u64| {
            let offset = (variant.header_len() - variant.offset_len()) as u64;
            Step { offset, bytes: target.to_le_bytes()[..variant.offset_len()].to_vec() }
        };
        let mut steps = Vec::new();
        if self.is_interrupted() {
            if new_end > self.live.0 {
                return Ok(None);
            }
        } else {
            let Some(old) = encode(before, variant, self.first)? else { return Ok(None) };
            let Some(place) = self.end.checked_sub(old.len() as u64).map(|place| place & !1) else { return Ok(None) };
            if new_end > place {
                return Ok(None);
            }
            let Some(copy) = encode(before, variant, place)? else { return Ok(None) };
            steps.extend([Step { offset: place, bytes: copy }, pointer(place)]);
        }
        let free = usize::try_from(self.end - new_end).unwrap_or(0);
        steps.extend([
            Step { offset: self.first, bytes: new },
            pointer(self.first),
            Step { offset: new_end, bytes: vec![0; free] },
        ]);
        Ok(Some(steps))
    }
}

/// Returns the directories at an offset, with the arrays of tiles where they are.
fn encode(pyramid: &Pyramid, variant: Variant, offset: u64) -> Result<Option<Vec<u8>>> {
    let directories =
        layout::order(pyramid).map(|(level, plane)| pyramid.levels[level].plane(plane).directory_in_place(variant));
    let Some(directories) = directories.collect::<Result<Option<Vec<_>>>>()? else { return Ok(None) };
    let Ok(offset) = usize::try_from(offset) else { return Ok(None) };
    Ok(Some(encode_directories(variant, offset, &directories, &[], 0)))
}

/// Returns whether a file starts with a header and GDAL's structural metadata, wherever the header points to.
pub(super) fn starts_with(file: &TiffFile, variant: Variant, start: &[u8]) -> Result<bool> {
    let mut bytes = vec![0; start.len()];
    let filled = read_full(&*file.reader, 0, &mut bytes).map_err(|source| Error::io("read the header", source))?;
    let pointer = variant.header_len() - variant.offset_len()..variant.header_len();
    let same = |range: std::ops::Range<usize>| bytes.get(range.clone()) == start.get(range);
    Ok(filled == start.len() && same(0..pointer.start) && same(pointer.end..start.len()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::geo::{GeoRef, Metadata};
    use crate::grid::TileSize;
    use crate::options::{BigTiff, EncodeOptions};
    use crate::plan::CogPlan;
    use crate::sample::DataType;
    use crate::sink::writer;
    use crate::spec::ImageSpec;
    use crate::tiff::{Tag, TagValue};
    use crate::view::SliceSource;

    fn cog(big_tiff: BigTiff, header_room: u32) -> Vec<u8> {
        let spec = ImageSpec::new(100, 70, 1, DataType::U8).nodata(crate::sample::Nodata::Integer(0));
        let tile_size = TileSize::square(32);
        let options = EncodeOptions { tile_size, big_tiff, header_room, ..EncodeOptions::default() };
        let mut metadata = Metadata::default();
        metadata.set_item(None, "A", "old").unwrap();
        let plan = CogPlan::new(&spec, &GeoRef::default(), &metadata, &options).unwrap();
        let pixels: Vec<u8> = (0..7000u32).map(|index| (index % 251) as u8).collect();
        let mut source = SliceSource::new(spec, &pixels).unwrap();
        writer::encode_to_vec(&mut source, &plan).unwrap()
    }

    fn read(bytes: &[u8]) -> Pyramid {
        Pyramid::read(TiffFile::open(Arc::new(bytes.to_vec())).unwrap(), None).unwrap()
    }

    fn changed(pyramid: &Pyramid, text: &str) -> Pyramid {
        let mut after = pyramid.clone();
        after.levels[0].image.set(Tag::GDAL_METADATA, Some(TagValue::Ascii(text.as_bytes().to_vec())));
        after.levels.iter_mut().for_each(|level| level.image.set(Tag::GDAL_NODATA, None));
        after
    }

    fn tags(pyramid: &Pyramid) -> Vec<std::collections::BTreeMap<Tag, TagValue>> {
        pyramid.levels.iter().map(|level| level.image.tags.clone()).collect()
    }

    fn write(bytes: &mut [u8], step: &Step, count: usize) {
        let start = usize::try_from(step.offset).unwrap();
        bytes[start..start + count].copy_from_slice(&step.bytes[..count]);
    }

    #[test]
    fn a_stop_at_any_write_leaves_all_old_or_all_new_tags() {
        for big_tiff in [BigTiff::No, BigTiff::Yes] {
            let original = cog(big_tiff, 4096);
            let before = read(&original);
            let after = changed(&before, "new, and longer than the old text by far");
            let space = HeaderSpace::of(&before).unwrap().unwrap();
            let steps = space.steps(&before, &after).unwrap().unwrap();
            assert_eq!(steps.len(), 5);
            let (old, new) = (tags(&before), tags(&after));
            assert_ne!(old, new);
            let mut bytes = original.clone();
            for (index, step) in steps.iter().enumerate() {
                let is_pointer = step.bytes.len() <= 8;
                // A write of directories may also stop half way; one of a pointer is within a sector.
                let stops = [0, step.bytes.len() / 3, step.bytes.len() - 1, step.bytes.len()];
                for stop in stops.into_iter().filter(|stop| !is_pointer || [0, step.bytes.len()].contains(stop)) {
                    let mut torn = bytes.clone();
                    write(&mut torn, step, stop);
                    let found = read(&torn);
                    let expected = if index > 3 || index == 3 && stop > 0 { &new } else { &old };
                    assert_eq!(&tags(&found), expected, "step {index}, {stop} bytes");
                    assert_eq!(found.levels[0].image.offsets, before.levels[0].image.offsets);
                    // The next edit completes the file, whatever was left.
                    let next = changed(&found, "next");
                    let space = HeaderSpace::of(&found).unwrap().unwrap();
                    for step in space.steps(&found, &next).unwrap().unwrap() {
                        write(&mut torn, &step, step.bytes.len());
                    }
                    let done = read(&torn);
                    assert_eq!(tags(&done), tags(&next));
                    assert!(!HeaderSpace::of(&done).unwrap().unwrap().is_interrupted());
                }
                write(&mut bytes, step, step.bytes.len());
            }
            // Tiles have not moved, and room was only used.
            assert_eq!(bytes.len(), original.len());
            let layout = layout::lay_out(&after, big_tiff, HeaderSpace::of(&read(&bytes)).unwrap().unwrap().room());
            assert!(bytes.starts_with(&layout.unwrap().header));
        }
    }

    #[test]
    fn without_room_there_are_no_steps() {
        let before = read(&cog(BigTiff::Auto, 0));
        let space = HeaderSpace::of(&before).unwrap().unwrap();
        assert_eq!(space.room(), 0);
        assert_eq!(space.steps(&before, &changed(&before, "new")).unwrap(), None);
    }

    #[test]
    fn only_the_layout_of_gdal_has_known_free_bytes() {
        let mut bytes = cog(BigTiff::Auto, 4096);
        assert!(HeaderSpace::of(&read(&bytes)).unwrap().is_some());
        bytes[60] ^= 1;
        assert!(HeaderSpace::of(&read(&bytes)).unwrap().is_none());
    }
}
