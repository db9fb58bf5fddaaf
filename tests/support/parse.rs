//! A small TIFF parser that shares no code with the writer: it panics on whatever is wrong, since it judges tests.

use std::collections::BTreeMap;

/// A directory: where it starts, and its tags.
#[derive(Debug)]
pub struct Ifd {
    pub start: usize,
    /// Bytes of the directory itself, without values.
    pub end: usize,
    pub tags: BTreeMap<u16, Value>,
}

/// A tag's value.
#[derive(Debug, Clone)]
pub struct Value {
    pub field_type: u16,
    pub count: usize,
    pub bytes: Vec<u8>,
    /// The offset of an out-of-line value.
    pub start: Option<usize>,
}

impl Value {
    pub fn numbers(&self) -> Vec<u64> {
        let size = match self.field_type {
            1 | 2 | 6 | 7 => 1,
            3 | 8 => 2,
            4 | 9 => 4,
            16 => 8,
            other => panic!("no whole numbers in field type {other}"),
        };
        self.bytes
            .chunks(size)
            .map(|item| item.iter().rev().fold(0, |value, &byte| value << 8 | u64::from(byte)))
            .collect()
    }

    pub fn text(&self) -> String {
        assert_eq!(self.field_type, 2);
        let (last, text) = self.bytes.split_last().expect("text has a closing NUL");
        assert_eq!(*last, 0);
        String::from_utf8(text.to_vec()).expect("text is UTF-8")
    }
}

impl Ifd {
    pub fn number(&self, tag: u16) -> u64 {
        let numbers = self.tags.get(&tag).unwrap_or_else(|| panic!("tag {tag} is missing")).numbers();
        numbers[0]
    }

    pub fn numbers(&self, tag: u16) -> Vec<u64> {
        self.tags.get(&tag).unwrap_or_else(|| panic!("tag {tag} is missing")).numbers()
    }

    pub fn is_mask(&self) -> bool {
        self.tags.get(&254).is_some_and(|value| value.numbers()[0] & 4 != 0)
    }

    pub fn is_overview(&self) -> bool {
        self.tags.get(&254).is_some_and(|value| value.numbers()[0] & 1 != 0)
    }
}

/// A parsed file.
#[derive(Debug)]
pub struct Tiff<'a> {
    pub bytes: &'a [u8],
    pub big: bool,
    pub ghost: Option<String>,
    pub ifds: Vec<Ifd>,
}

fn number(bytes: &[u8], start: usize, length: usize) -> usize {
    bytes[start..start + length].iter().rev().fold(0, |value, &byte| value << 8 | usize::from(byte))
}

impl<'a> Tiff<'a> {
    pub fn parse(bytes: &'a [u8]) -> Self {
        assert_eq!(&bytes[..2], b"II", "little-endian");
        let big = match number(bytes, 2, 2) {
            42 => false,
            43 => {
                assert_eq!(number(bytes, 4, 4), 8);
                true
            }
            other => panic!("version {other}"),
        };
        let (width, header, entry) = if big { (8, 16, 20) } else { (4, 8, 12) };
        let mut next = number(bytes, header - width, width);
        let ghost = bytes[header..].starts_with(b"GDAL_STRUCTURAL_METADATA_SIZE=").then(|| {
            let size: usize = std::str::from_utf8(&bytes[header + 30..header + 36]).unwrap().parse().unwrap();
            assert_eq!(&bytes[header + 36..header + 43], b" bytes\n");
            String::from_utf8(bytes[header + 43..header + 43 + size].to_vec()).unwrap()
        });
        let mut ifds = Vec::new();
        while next != 0 {
            assert_eq!(next % 2, 0, "a directory starts at a word boundary");
            let count_width = if big { 8 } else { 2 };
            let count = number(bytes, next, count_width);
            let mut tags = BTreeMap::new();
            let mut last = 0;
            for index in 0..count {
                let at = next + count_width + index * entry;
                let tag = number(bytes, at, 2);
                assert!(tag > last, "tag {tag} after {last}: tags are sorted and none occurs twice");
                last = tag;
                let field_type = number(bytes, at + 2, 2);
                let items = number(bytes, at + 4, width);
                let size = items * [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8][field_type];
                let value_at = at + 4 + width;
                let start = (size > width).then(|| number(bytes, value_at, width));
                let from = start.unwrap_or(value_at);
                let value = Value {
                    field_type: u16::try_from(field_type).unwrap(),
                    count: items,
                    bytes: bytes[from..from + size].to_vec(),
                    start,
                };
                tags.insert(u16::try_from(tag).unwrap(), value);
            }
            let end = next + count_width + count * entry + width;
            ifds.push(Ifd { start: next, end, tags });
            next = number(bytes, end - width, width);
        }
        Self { bytes, big, ghost, ifds }
    }

    /// Checks everything that can be said of the layout without decoding: order, bounds, frames, arrays, gaps.
    pub fn check_layout(&self) {
        let ghost = self.ghost.as_deref().expect("GDAL's structural block");
        assert!(self.ifds[0].start < 300, "GDAL and rio-cogeo want the first directory early");
        assert!(ghost.starts_with("LAYOUT=IFDS_BEFORE_DATA\nBLOCK_ORDER=ROW_MAJOR\nBLOCK_LEADER=SIZE_AS_UINT4\nBLOCK_TRAILER=LAST_4_BYTES_REPEATED\n"));
        assert!(ghost.contains("KNOWN_INCOMPATIBLE_EDITION=NO\n "));
        let full = &self.ifds[0];
        assert!(!full.is_mask() && !full.is_overview());
        // Full resolution, its mask, overviews from large to small, their masks.
        let kinds: Vec<_> = self.ifds.iter().map(|ifd| (ifd.is_overview(), ifd.is_mask())).collect();
        let mut sorted = kinds.clone();
        sorted.sort();
        assert_eq!(kinds, sorted, "order of directories");
        assert!(self.ifds.windows(2).all(|pair| pair[0].start < pair[1].start));
        let images: Vec<_> = self.ifds.iter().filter(|ifd| !ifd.is_mask()).collect();
        let masks: Vec<_> = self.ifds.iter().filter(|ifd| ifd.is_mask()).collect();
        assert!(masks.is_empty() || masks.len() == images.len());
        for (image, mask) in images.iter().zip(&masks) {
            for tag in [256, 257, 322, 323] {
                assert_eq!(image.number(tag), mask.number(tag));
            }
            for (tag, value) in [(258, 1), (259, 8), (262, 4), (277, 1)] {
                assert_eq!(mask.numbers(tag), [value]);
            }
        }
        for pair in images.windows(2) {
            assert!(pair[1].number(256) <= pair[0].number(256) && pair[1].number(257) <= pair[0].number(257));
            assert!(pair[1].number(256) * pair[1].number(257) < pair[0].number(256) * pair[0].number(257));
        }
        let mut last_value_end = 0;
        let mut first_array = usize::MAX;
        for ifd in &self.ifds {
            for (&tag, value) in &ifd.tags {
                if let Some(start) = value.start {
                    assert_eq!(start % 2, 0, "the value of tag {tag} starts at a word boundary");
                    if tag == 324 || tag == 325 {
                        first_array = first_array.min(start);
                    } else {
                        last_value_end = last_value_end.max(start + value.bytes.len());
                    }
                }
            }
            last_value_end = last_value_end.max(ifd.end);
        }
        assert!(last_value_end <= first_array, "arrays of tiles stand behind all directories");
        self.check_tiles(&images, &masks, ghost);
    }

    fn check_tiles(&self, images: &[&Ifd], masks: &[&Ifd], ghost: &str) {
        let interleaved_mask = ghost.contains("MASK_INTERLEAVED_WITH_IMAGERY=YES\n");
        let mut position = None;
        for (level, image) in images.iter().enumerate().rev() {
            let (offsets, sizes) = (image.numbers(324), image.numbers(325));
            let columns = image.number(256).div_ceil(image.number(322));
            let rows = image.number(257).div_ceil(image.number(323));
            let planes = if image.number(284) == 2 { image.number(277) } else { 1 };
            let per_plane = usize::try_from(columns * rows).unwrap();
            let planes = usize::try_from(planes).unwrap();
            assert_eq!(offsets.len(), per_plane * planes);
            assert_eq!(sizes.len(), offsets.len());
            let image_tile =
                |plane: usize, place: usize| (offsets[plane * per_plane + place], sizes[plane * per_plane + place]);
            let mask_tile = |place: usize| (masks[level].numbers(324)[place], masks[level].numbers(325)[place]);
            let by_tile = images[0].tags.get(&42112).is_some_and(|xml| xml.text().contains(">TILE<"));
            let mut order = Vec::new();
            if planes == 1 && interleaved_mask || by_tile {
                for place in 0..per_plane {
                    order.extend((0..planes).map(|plane| image_tile(plane, place)));
                    order.extend((!masks.is_empty()).then(|| mask_tile(place)));
                }
            } else {
                for plane in 0..planes {
                    order.extend((0..per_plane).map(|place| image_tile(plane, place)));
                }
                if !masks.is_empty() {
                    order.extend((0..per_plane).map(mask_tile));
                }
            }
            for (offset, size) in order {
                let (offset, size) = (usize::try_from(offset).unwrap(), usize::try_from(size).unwrap());
                assert!(size > 0);
                if let Some(position) = position {
                    assert_eq!(offset, position + 4, "tiles follow each other with nothing between their frames");
                } else {
                    let metadata_end = self.ifds.iter().flat_map(|ifd| {
                        let values = ifd.tags.values().filter_map(|value| Some(value.start? + value.bytes.len()));
                        values.chain([ifd.end])
                    });
                    assert_eq!(offset - 4, metadata_end.max().unwrap(), "data follow the metadata at once");
                }
                assert_eq!(number(self.bytes, offset - 4, 4), size, "the leader is the size");
                let payload = &self.bytes[offset..offset + size];
                let mut trailer = payload[size.saturating_sub(4)..].to_vec();
                trailer.resize(4, 0);
                assert_eq!(&self.bytes[offset + size..offset + size + 4], trailer, "the trailer repeats the end");
                position = Some(offset + size + 4);
            }
        }
        assert_eq!(position, Some(self.bytes.len()), "the file ends with the last trailer");
    }
}
