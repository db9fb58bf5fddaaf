//! The header, which follows from the plan and the sizes of the tiles. It is built last and placed first.

use crate::error::{Error, Result};
use crate::grid::{SectionId, array_order};
use crate::options::BigTiff;
use crate::tiff::ghost::{Ghost, LEADER_LEN, file_start};
use crate::tiff::ifd::encode_directories;
use crate::tiff::variant::Variant;

use super::directory::{self, TileArrays};
use super::{CogPlan, TileIndex, TileLen};

/// The bytes before the first tile, and decisions made while building them.
#[derive(Debug)]
pub(crate) struct Header {
    /// The bytes.
    pub(crate) bytes: Vec<u8>,
    /// Classic TIFF or BigTIFF.
    pub(crate) variant: Variant,
    /// Size of each level's tiles with their frames in bytes, full resolution first.
    pub(crate) level_bytes: Vec<u64>,
    /// Number of each level's image tiles that have no bytes.
    pub(crate) sparse_tiles: Vec<u64>,
}

impl CogPlan {
    /// Returns the header of a file with these tiles: classic TIFF, unless the file is too large or the options say
    /// otherwise.
    ///
    /// # Errors
    /// [`ErrorKind::Limit`](crate::ErrorKind::Limit) if classic TIFF is required but the file is larger than 4 GiB;
    /// [`ErrorKind::PixelCount`](crate::ErrorKind::PixelCount) if tiles are missing.
    pub(crate) fn header(&self, index: &TileIndex) -> Result<Header> {
        index.check_complete()?;
        let variant = match self.inner.options.big_tiff {
            BigTiff::Yes => Variant::Big,
            BigTiff::Auto | BigTiff::No => Variant::Classic,
        };
        let header = self.header_as(variant, index)?;
        if let Some(header) = header {
            return Ok(header);
        }
        if self.inner.options.big_tiff == BigTiff::Auto
            && let Some(header) = self.header_as(Variant::Big, index)?
        {
            return Ok(header);
        }
        Err(Error::limit("the size of the file", Self::data_bytes(index), variant.max_offset()))
    }

    /// Returns the header in a given variant; `None` if that variant cannot hold the file.
    fn header_as(&self, variant: Variant, index: &TileIndex) -> Result<Option<Header>> {
        // The length only depends on types and counts, so zero offsets will do.
        let length = self.encode_header(variant, index, None).len();
        let mut position = length as u64;
        let mut arrays: Vec<TileArrays> =
            self.levels().iter().map(|level| TileArrays::new(index, level.index)).collect();
        let mut level_bytes = vec![0; self.levels().len()];
        for section in self.sections() {
            let start = position;
            for tile in self.inner.grid.section_tiles(&self.levels()[section.level], section) {
                let size = index.size(tile);
                if let TileLen::Bytes(_) = size {
                    let payload = position + LEADER_LEN as u64;
                    arrays[section.level].set_offset(index.array_place(tile), tile.plane, payload);
                }
                position += size.framed_len();
            }
            level_bytes[section.level] += position - start;
        }
        // The last byte must be addressable; GDAL and libtiff stop at 2^32 as well.
        if position > variant.max_offset() {
            return Ok(None);
        }
        let bytes = self.encode_header(variant, index, Some(&arrays));
        debug_assert_eq!(bytes.len(), length);
        let sparse = |level| index.sizes(level, false).iter().filter(|size| *size == TileLen::Sparse).count() as u64;
        let sparse_tiles = (0..level_bytes.len()).map(sparse).collect();
        Ok(Some(Header { bytes, variant, level_bytes, sparse_tiles }))
    }

    /// Returns the length of the header if it, and the position of full resolution, no longer depend on the
    /// full-resolution tiles whose sizes are missing from the index. The sizes of all other tiles must be there.
    pub(crate) fn settled_header_bytes(&self, index: &TileIndex) -> Option<u64> {
        let mut sections = self.inner.grid.sections(0);
        let (section, None) = (sections.next()?, sections.next()) else { return None };
        let tiles = self.inner.grid.section_tiles(&self.levels()[0], section);
        let unknown = tiles.filter(|&tile| index.size(tile) == TileLen::Unknown);
        let missing = unknown.map(|tile| self.max_tile_len(tile).framed_len()).fold(0, u64::saturating_add);
        let length = |variant| self.encode_header(variant, index, None).len() as u64;
        let (least, limit) = (length(Variant::Classic) + Self::data_bytes(index), Variant::Classic.max_offset());
        match self.inner.options.big_tiff {
            BigTiff::Yes => Some(length(Variant::Big)),
            _ if least.saturating_add(missing) <= limit => Some(length(Variant::Classic)),
            BigTiff::Auto if least > limit => Some(length(Variant::Big)),
            BigTiff::Auto | BigTiff::No => None,
        }
    }

    fn encode_header(&self, variant: Variant, index: &TileIndex, arrays: Option<&[TileArrays]>) -> Vec<u8> {
        let ghost = Ghost {
            planar: !self.is_chunky() && self.spec().bands > 1,
            // With this promise, GDAL looks for a mask tile after each image tile when it reads from a web server.
            mask_interleaved: self.is_chunky() && self.spec().mask && self.absent_sample().is_none(),
        };
        let mut bytes = file_start(variant, ghost);
        let first_directory = bytes.len();
        let room = self.inner.options.header_room as usize;
        let directories = directory::directories(self, variant, index, arrays);
        let order = array_order(self.levels().len(), self.spec().mask);
        bytes.extend(encode_directories(variant, first_directory, &directories, &order, room));
        bytes
    }

    /// Returns an upper bound of the length of the header: that of a BigTIFF, whose fields are wider.
    ///
    /// # Errors
    /// [`ErrorKind::OutOfMemory`](crate::ErrorKind::OutOfMemory) if there are too many tiles.
    pub fn max_header_bytes(&self) -> Result<u64> {
        Ok(self.encode_header(Variant::Big, &TileIndex::new(self)?, None).len() as u64)
    }

    /// Returns an upper bound of the length of each section, with leaders and trailers, in file order: the coarsest level
    /// first, full resolution last. A sink that has to divide the file before its tiles are encoded needs these bounds.
    #[must_use]
    pub fn max_section_bytes(&self) -> Vec<(SectionId, u64)> {
        let bound = |section: SectionId| {
            let tiles = self.inner.grid.section_tiles(&self.levels()[section.level], section);
            tiles.map(|tile| self.max_tile_len(tile).framed_len()).fold(0, u64::saturating_add)
        };
        self.sections().map(|section| (section, bound(section))).collect()
    }

    /// Returns all sections in file order: the coarsest level first, full resolution last.
    pub(crate) fn sections(&self) -> impl Iterator<Item = SectionId> {
        let grid = self.inner.grid;
        (0..self.levels().len()).rev().flat_map(move |level| grid.sections(level))
    }

    /// Returns the size of a section's tiles with their frames.
    pub(crate) fn section_bytes(&self, index: &TileIndex, section: SectionId) -> u64 {
        let tiles = self.inner.grid.section_tiles(&self.levels()[section.level], section);
        tiles.map(|tile| index.size(tile).framed_len()).sum()
    }

    /// Returns the size of all tiles with their frames.
    fn data_bytes(index: &TileIndex) -> u64 {
        index.all_sizes().map(TileLen::framed_len).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::geo::{GeoRef, Metadata};
    use crate::grid::{Plane, TileId};
    use crate::options::{EncodeOptions, Overviews, TileSize};
    use crate::sample::DataType;
    use crate::spec::ImageSpec;

    /// Returns a plan for 100x80 tiles of 512 KiB before compression (slightly over 4 GiB), and an index in which each
    /// tile has `size` bytes; 0 means that the size is unknown.
    fn planned(big_tiff: BigTiff, size: u32) -> (CogPlan, TileIndex) {
        let spec = ImageSpec::new(51_200, 40_960, 1, DataType::U16);
        let options = EncodeOptions { big_tiff, overviews: Overviews::None, ..EncodeOptions::default() };
        let plan = CogPlan::new(&spec, &GeoRef::default(), &Metadata::default(), &options).unwrap();
        let mut index = TileIndex::new(&plan).unwrap();
        for section in plan.sections() {
            for tile in plan.grid().section_tiles(&plan.levels()[0], section) {
                index.set(tile, TileLen::new(size).unwrap_or(TileLen::Unknown));
            }
        }
        (plan, index)
    }

    /// The largest size at which 8000 tiles, their frames, and the header still fit in 4 GiB.
    const LARGEST: u32 = 536_854;

    #[test]
    fn the_variant_follows_from_the_real_size() {
        for (size, expected) in [(1, Variant::Classic), (LARGEST, Variant::Classic), (LARGEST + 1, Variant::Big)] {
            let (plan, index) = planned(BigTiff::Auto, size);
            let header = plan.header(&index).unwrap();
            assert_eq!(header.variant, expected, "{size} bytes a tile");
            let end = header.bytes.len() as u64 + header.level_bytes.iter().sum::<u64>();
            assert_eq!(end > u64::from(u32::MAX), expected == Variant::Big);
        }
        let (plan, index) = planned(BigTiff::Yes, 1);
        assert_eq!(plan.header(&index).unwrap().variant, Variant::Big);
    }

    #[test]
    fn the_length_of_the_header_is_settled_before_all_sizes_are_known() {
        for (big_tiff, size, settled) in [
            (BigTiff::Auto, 1, true),
            (BigTiff::No, 1, true),
            // Too large for classic TIFF already, or as large as possible.
            (BigTiff::Auto, LARGEST + 100, true),
            (BigTiff::Auto, LARGEST, false),
            (BigTiff::No, LARGEST, false),
            (BigTiff::Yes, LARGEST, true),
        ] {
            let (plan, mut index) = planned(big_tiff, size);
            let expected = plan.header(&index).unwrap().bytes.len() as u64;
            index.set(TileId { level: 0, plane: Plane::Image(0), row: 79, column: 99 }, TileLen::Unknown);
            assert_eq!(plan.settled_header_bytes(&index), settled.then_some(expected), "{big_tiff:?} {size}");
        }
        let (plan, index) = planned(BigTiff::Auto, 0);
        assert_eq!(plan.settled_header_bytes(&index), None);
    }

    #[test]
    fn bounds_hold_for_every_variant_and_tile() {
        for big_tiff in [BigTiff::No, BigTiff::Yes] {
            let (plan, index) = planned(big_tiff, LARGEST);
            assert!(plan.header(&index).unwrap().bytes.len() as u64 <= plan.max_header_bytes().unwrap());
            for (section, bound) in plan.max_section_bytes() {
                assert!(plan.section_bytes(&index, section) <= bound);
            }
            // 8000 tiles of 512 KiB, which no codec makes more than twice as long, apart from a few bytes.
            let total: u64 = plan.max_section_bytes().iter().map(|(_, bound)| bound).sum();
            assert!((8000 << 19..8000 * ((1 << 20) + 2048)).contains(&total), "{total}");
        }
    }

    #[test]
    fn classic_tiff_that_was_asked_for_is_an_error_beyond_its_limit() {
        let (plan, index) = planned(BigTiff::No, LARGEST);
        assert_eq!(plan.header(&index).unwrap().variant, Variant::Classic);
        let (plan, index) = planned(BigTiff::No, LARGEST + 1);
        assert!(matches!(plan.header(&index).unwrap_err().kind(), ErrorKind::Limit { .. }));
    }

    /// Returns the values of a tag of type LONG in the first directory of a classic TIFF.
    fn longs(header: &[u8], tag: u16) -> Vec<u32> {
        let short = |at: usize| u16::from_le_bytes([header[at], header[at + 1]]);
        let long = |at: usize| u32::from_le_bytes(header[at..at + 4].try_into().unwrap());
        let directory = long(4) as usize;
        let mut entries = (0..usize::from(short(directory))).map(|entry| directory + 2 + 12 * entry);
        let entry = entries.find(|&at| short(at) == tag).unwrap();
        assert_eq!(short(entry + 2), 4);
        let (count, values) = (long(entry + 4) as usize, long(entry + 8) as usize);
        (0..count).map(|place| long(values + 4 * place)).collect()
    }

    #[test]
    fn sparse_tiles_have_neither_offset_nor_bytes() {
        let spec = ImageSpec { mask: true, ..ImageSpec::new(256, 64, 1, DataType::U16) };
        let options =
            EncodeOptions { tile_size: TileSize::square(64), overviews: Overviews::None, ..EncodeOptions::default() };
        let plan = CogPlan::new(&spec, &GeoRef::default(), &Metadata::default(), &options).unwrap();
        let tile = |plane, column| TileId { level: 0, plane, row: 0, column };
        let mut index = TileIndex::new(&plan).unwrap();
        for column in 0..4 {
            index.set(tile(Plane::Image(0), column), TileLen::new(100 + column).unwrap());
            index.set(tile(Plane::Mask, column), TileLen::new(10).unwrap());
        }
        let section = plan.sections().next().unwrap();
        let full = plan.header(&index).unwrap();
        assert_eq!(plan.section_bytes(&index, section), 4 * 18 + 108 + 109 + 110 + 111);
        // An inner tile with its mask, and the last mask.
        for (plane, column) in [(Plane::Image(0), 1), (Plane::Mask, 1), (Plane::Mask, 3)] {
            index.set(tile(plane, column), TileLen::Sparse);
        }
        let header = plan.header(&index).unwrap();
        let start = u32::try_from(header.bytes.len()).unwrap();
        assert_eq!(header.bytes.len(), full.bytes.len());
        let payloads = [4, 0, 4 + 108 + 18, 4 + 108 + 18 + 110 + 18];
        let expected = payloads.map(|payload| if payload == 0 { 0 } else { start + payload });
        assert_eq!(longs(&header.bytes, 324), expected);
        assert_eq!(longs(&header.bytes, 325), [100, 0, 102, 103]);
        assert_eq!(plan.section_bytes(&index, section), 108 + 18 + 110 + 18 + 111);
        assert_eq!(header.level_bytes, [108 + 18 + 110 + 18 + 111]);
    }

    #[test]
    fn files_without_any_bytes_of_tiles_have_a_header() {
        let (plan, mut index) = planned(BigTiff::Auto, 1);
        for section in plan.sections() {
            for tile in plan.grid().section_tiles(&plan.levels()[0], section) {
                index.set(tile, TileLen::Sparse);
            }
        }
        let header = plan.header(&index).unwrap();
        assert_eq!(header.level_bytes, [0]);
        assert!(longs(&header.bytes, 324).iter().chain(&longs(&header.bytes, 325)).all(|value| *value == 0));
        // No tile is missing either.
        assert_eq!(plan.settled_header_bytes(&index), Some(header.bytes.len() as u64));
    }

    #[test]
    fn unknown_tiles_have_no_header() {
        let (plan, mut index) = planned(BigTiff::Auto, 1);
        index.set(TileId { level: 0, plane: Plane::Image(0), row: 3, column: 4 }, TileLen::Unknown);
        let error = plan.header(&index).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::PixelCount { expected: 8000, got: 7999, .. }), "{error}");
    }
}
