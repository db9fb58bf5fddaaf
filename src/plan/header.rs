//! The header: a function of the plan and of the sizes of tiles. It is made last and placed first.

use crate::error::{Error, Result};
use crate::grid::SectionId;
use crate::options::BigTiff;
use crate::tiff::ghost::{Ghost, LEADER_LEN, TRAILER_LEN};
use crate::tiff::ifd::{encode_directories, even};
use crate::tiff::variant::Variant;

use super::directory::{self, TileArrays};
use super::{CogPlan, TileIndex};

/// The bytes before the first tile, and what was decided in making them.
#[derive(Debug)]
pub(crate) struct Header {
    /// The bytes.
    pub(crate) bytes: Vec<u8>,
    /// Classic TIFF or BigTIFF.
    pub(crate) variant: Variant,
    /// Bytes of each level's tiles with their frames, full resolution first.
    pub(crate) level_bytes: Vec<u64>,
}

impl CogPlan {
    /// The header of a file with these tiles. Classic TIFF unless the file is too large for it, or asked otherwise.
    ///
    /// # Errors
    /// [`ErrorKind::Limit`](crate::ErrorKind::Limit) where classic TIFF is forced but the file is larger than 4 GiB.
    pub(crate) fn header(&self, index: &TileIndex) -> Result<Header> {
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
        Err(Error::limit("the size of the file", self.data_bytes(index), variant.max_offset()))
    }

    /// The header in a given variant, `None` if that variant can't hold the file.
    fn header_as(&self, variant: Variant, index: &TileIndex) -> Result<Option<Header>> {
        // The length depends on types and counts alone: offsets of zero give it.
        let length = self.encode_header(variant, index, None).len();
        let mut position = length as u64;
        let mut arrays: Vec<TileArrays> =
            self.levels().iter().map(|level| TileArrays::new(index, level.index)).collect();
        let mut level_bytes = vec![0; self.levels().len()];
        for section in self.sections() {
            let start = position;
            for tile in self.inner.grid.section_tiles(&self.levels()[section.level], section) {
                position += LEADER_LEN as u64;
                arrays[section.level].set_offset(index.array_place(tile), tile.plane, position);
                position += u64::from(index.size(tile)) + TRAILER_LEN as u64;
            }
            level_bytes[section.level] += position - start;
        }
        // The last byte must be reachable; GDAL and libtiff stop at 2^32 as well.
        if position > variant.max_offset() {
            return Ok(None);
        }
        let bytes = self.encode_header(variant, index, Some(&arrays));
        debug_assert_eq!(bytes.len(), length);
        Ok(Some(Header { bytes, variant, level_bytes }))
    }

    /// The length of the header, if it and the place of full resolution don't depend on the tiles of full resolution whose
    /// sizes the index does not hold: those of all others it does.
    pub(crate) fn settled_header_bytes(&self, index: &TileIndex) -> Option<u64> {
        let mut sections = self.inner.grid.sections(0);
        let (section, None) = (sections.next()?, sections.next()) else { return None };
        let tiles = self.inner.grid.section_tiles(&self.levels()[0], section);
        let missing = tiles.filter(|&tile| index.size(tile) == 0).map(|tile| self.max_tile_bytes(tile));
        let missing = missing.fold(0, u64::saturating_add);
        let length = |variant| self.encode_header(variant, index, None).len() as u64;
        let (least, limit) = (length(Variant::Classic) + self.data_bytes(index), Variant::Classic.max_offset());
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
            mask_interleaved: self.is_chunky() && self.spec().mask,
        };
        let mut bytes = variant.signature().to_vec();
        let ghost = ghost.encode();
        let first_directory = even(variant.header_len() + ghost.len());
        let offset = (first_directory as u64).to_le_bytes();
        bytes.extend_from_slice(&offset[..variant.offset_len()]);
        bytes.extend_from_slice(&ghost);
        bytes.resize(first_directory, 0);
        let directories = directory::directories(self, variant, index, arrays);
        let order = directory::array_order(self.levels().len(), self.spec().mask);
        bytes.extend(encode_directories(variant, first_directory, &directories, &order));
        bytes
    }

    /// All sections in file order: the coarsest level first, full resolution last.
    pub(crate) fn sections(&self) -> impl Iterator<Item = SectionId> {
        let grid = self.inner.grid;
        (0..self.levels().len()).rev().flat_map(move |level| grid.sections(level))
    }

    /// Bytes of a tile with its frame.
    pub(crate) fn framed_bytes(size: u32) -> u64 {
        u64::from(size) + (LEADER_LEN + TRAILER_LEN) as u64
    }

    /// Bytes of the tiles of a section with their frames.
    pub(crate) fn section_bytes(&self, index: &TileIndex, section: SectionId) -> u64 {
        let tiles = self.inner.grid.section_tiles(&self.levels()[section.level], section);
        tiles.map(|tile| Self::framed_bytes(index.size(tile))).sum()
    }

    /// Bytes of all tiles with their frames.
    fn data_bytes(&self, index: &TileIndex) -> u64 {
        (0..self.levels().len())
            .flat_map(|level| [false, true].map(|mask| index.sizes(level, mask)))
            .flatten()
            .map(|&size| Self::framed_bytes(size))
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::geo::{GeoRef, Metadata};
    use crate::grid::{Plane, TileId};
    use crate::options::{EncodeOptions, Overviews};
    use crate::sample::DataType;
    use crate::spec::ImageSpec;

    /// A plan for 100x80 tiles of 512 KiB before compression (4 GiB and a bit), and an index in which each has `size`
    /// bytes.
    fn planned(big_tiff: BigTiff, size: u32) -> (CogPlan, TileIndex) {
        let spec = ImageSpec::new(51_200, 40_960, 1, DataType::U16);
        let options = EncodeOptions { big_tiff, overviews: Overviews::None, ..EncodeOptions::default() };
        let plan = CogPlan::new(&spec, &GeoRef::default(), &Metadata::default(), &options).unwrap();
        let mut index = TileIndex::new(&plan).unwrap();
        for section in plan.sections() {
            for tile in plan.grid().section_tiles(&plan.levels()[0], section) {
                index.set(tile, size);
            }
        }
        (plan, index)
    }

    /// The largest tiles with which 8000 of them, their frames and the header still fit 4 GiB.
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
            // Too large for classic TIFF already, or as large as it can be.
            (BigTiff::Auto, LARGEST + 100, true),
            (BigTiff::Auto, LARGEST, false),
            (BigTiff::No, LARGEST, false),
            (BigTiff::Yes, LARGEST, true),
        ] {
            let (plan, mut index) = planned(big_tiff, size);
            let expected = plan.header(&index).unwrap().bytes.len() as u64;
            index.set(TileId { level: 0, plane: Plane::Image(0), row: 79, column: 99 }, 0);
            assert_eq!(plan.settled_header_bytes(&index), settled.then_some(expected), "{big_tiff:?} {size}");
        }
        let (plan, index) = planned(BigTiff::Auto, 0);
        assert_eq!(plan.settled_header_bytes(&index), None);
    }

    #[test]
    fn classic_tiff_that_was_asked_for_is_an_error_beyond_its_limit() {
        let (plan, index) = planned(BigTiff::No, LARGEST);
        assert_eq!(plan.header(&index).unwrap().variant, Variant::Classic);
        let (plan, index) = planned(BigTiff::No, LARGEST + 1);
        assert!(matches!(plan.header(&index).unwrap_err().kind(), ErrorKind::Limit { .. }));
    }
}
