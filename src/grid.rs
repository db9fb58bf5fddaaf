//! Levels, tiles, and the only definition of their order in the file.

use std::ops::Range;

use crate::error::{Error, OptionField, Result};
use crate::names::named;

/// Tile size in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TileSize {
    /// Width in pixels, a multiple of 16.
    pub width: u32,
    /// Height in pixels, a multiple of 16.
    pub height: u32,
}

impl TileSize {
    /// Returns a square tile size.
    #[must_use]
    pub const fn square(side: u32) -> Self {
        Self { width: side, height: side }
    }

    /// Checks that both sides are positive multiples of 16 (TIFF 6.0 section 15).
    pub(crate) fn validate(self, option: OptionField) -> Result<()> {
        for side in [self.width, self.height] {
            if side == 0 || side % 16 != 0 || side > MAX_TILE_SIDE {
                return Err(Error::option(
                    option,
                    format!("tile side {side} is not a multiple of 16 from 16 to {MAX_TILE_SIDE}"),
                ));
            }
        }
        Ok(())
    }
}

/// The longest tile side: the largest multiple of 16 that fits a SHORT.
pub const MAX_TILE_SIDE: u32 = 65_520;

/// Layout of the bands in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Interleave {
    /// All bands of a pixel in one tile.
    #[default]
    Pixel,
    /// One band per tile; all tiles of one band, then those of the next.
    Band,
    /// One band per tile; the tiles of all bands at one position, then those at the next.
    Tile,
}

named!(Interleave, Interleave, { Pixel => "pixel", Band => "band", Tile => "tile" });

/// A rectangle of pixels or of tiles in a level.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Rectangle {
    /// Columns, counted from the left edge of the level.
    pub columns: Range<u32>,
    /// Rows, counted from the top edge of the level.
    pub rows: Range<u32>,
}

impl Rectangle {
    /// Returns the number of columns.
    #[must_use]
    pub fn width(&self) -> u32 {
        self.columns.end.saturating_sub(self.columns.start)
    }

    /// Returns the number of rows.
    #[must_use]
    pub fn height(&self) -> u32 {
        self.rows.end.saturating_sub(self.rows.start)
    }

    /// Returns whether the rectangle is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty() || self.rows.is_empty()
    }

    /// Returns the smallest rectangle that contains both; if one is empty, the other.
    pub(crate) fn hull(&self, other: &Self) -> Self {
        if self.is_empty() || other.is_empty() {
            return if self.is_empty() { other.clone() } else { self.clone() };
        }
        let join = |a: &Range<u32>, b: &Range<u32>| a.start.min(b.start)..a.end.max(b.end);
        Self { columns: join(&self.columns, &other.columns), rows: join(&self.rows, &other.rows) }
    }

    /// Returns the intersection.
    pub(crate) fn common(&self, other: &Self) -> Self {
        let meet = |a: &Range<u32>, b: &Range<u32>| a.start.max(b.start)..a.end.min(b.end);
        Self { columns: meet(&self.columns, &other.columns), rows: meet(&self.rows, &other.rows) }
    }
}

/// A level of the pyramid and its tile grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Level {
    /// 0 = full resolution; coarser levels have higher indices.
    pub index: usize,
    /// Columns in pixels.
    pub width: u32,
    /// Rows in pixels.
    pub height: u32,
    /// Tile size.
    pub tile_size: TileSize,
}

impl Level {
    /// Returns the number of tile columns.
    #[must_use]
    pub const fn tile_columns(&self) -> u32 {
        self.width.div_ceil(self.tile_size.width)
    }

    /// Returns the number of tile rows.
    #[must_use]
    pub const fn tile_rows(&self) -> u32 {
        self.height.div_ceil(self.tile_size.height)
    }

    /// Returns the number of tiles per plane.
    #[must_use]
    pub fn tiles_per_plane(&self) -> u64 {
        u64::from(self.tile_columns()) * u64::from(self.tile_rows())
    }
}

/// Content of a tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Plane {
    /// Samples: all bands (plane 0 of pixel interleave), or one band.
    Image(u16),
    /// The mask, one bit per pixel.
    Mask,
}

/// Identifies a tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TileId {
    /// The level, 0 = full resolution.
    pub level: usize,
    /// The content of the tile.
    pub plane: Plane,
    /// Row, in tiles from the top.
    pub row: u32,
    /// Column, in tiles from the left.
    pub column: u32,
}

/// A contiguous run of tiles in the file that only grows at its end while rows arrive.
///
/// Pixel and tile interleave have one section per level. Band interleave has one per band and one for the mask: bands
/// are stored one after the other, but rows arrive with all bands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SectionId {
    /// The level, 0 = full resolution.
    pub level: usize,
    /// The index of the section within its level, in file order.
    pub part: u16,
}

/// The planes of an image and their order. Together with [`Level`], this determines the position of every tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct TileGrid {
    /// The layout of bands.
    pub interleave: Interleave,
    /// Image planes: 1 for pixel interleave, otherwise the number of bands.
    pub planes: u16,
    /// `true` if every level has a mask.
    pub mask: bool,
}

impl TileGrid {
    /// Returns the sections of a level, in file order.
    pub fn sections(self, level: usize) -> impl Iterator<Item = SectionId> {
        let parts = match self.interleave {
            Interleave::Pixel | Interleave::Tile => 1,
            Interleave::Band => u32::from(self.planes) + u32::from(self.mask),
        };
        // There are at most 65535 bands and one mask.
        (0..parts).filter_map(move |part| Some(SectionId { level, part: u16::try_from(part).ok()? }))
    }

    /// Returns the section that contains the tiles of a plane.
    #[must_use]
    pub fn section(self, level: usize, plane: Plane) -> SectionId {
        let part = match (self.interleave, plane) {
            (Interleave::Pixel | Interleave::Tile, _) => 0,
            (Interleave::Band, Plane::Image(plane)) => plane,
            (Interleave::Band, Plane::Mask) => self.planes,
        };
        SectionId { level, part }
    }

    /// Returns the planes at one position of the image, in file order.
    pub fn all_planes(self) -> impl Iterator<Item = Plane> {
        (0..self.planes).map(Plane::Image).chain(self.mask.then_some(Plane::Mask))
    }

    /// Returns the planes of a section, in their order at one position of the image.
    fn section_planes(self, section: SectionId) -> impl Iterator<Item = Plane> {
        let (images, mask) = match self.interleave {
            Interleave::Pixel | Interleave::Tile => (0..self.planes, self.mask),
            Interleave::Band if section.part < self.planes => (section.part..section.part + 1, false),
            Interleave::Band => (0..0, self.mask),
        };
        images.map(Plane::Image).chain(mask.then_some(Plane::Mask))
    }

    /// Returns the tiles of a range of columns in one tile row of a section, in file order.
    pub(crate) fn section_row_tiles(
        self,
        section: SectionId,
        row: u32,
        columns: Range<u32>,
    ) -> impl Iterator<Item = TileId> {
        let level = section.level;
        columns
            .flat_map(move |column| self.section_planes(section).map(move |plane| TileId { level, plane, row, column }))
    }

    /// Returns the number of tiles that a section stores together for one position of the image.
    pub(crate) fn tiles_per_place(self) -> u32 {
        match self.interleave {
            Interleave::Pixel | Interleave::Tile => u32::from(self.planes) + u32::from(self.mask),
            Interleave::Band => 1,
        }
    }

    /// Returns all tiles of a section, in file order.
    pub fn section_tiles(self, level: &Level, section: SectionId) -> impl Iterator<Item = TileId> {
        let columns = 0..level.tile_columns();
        (0..level.tile_rows()).flat_map(move |row| self.section_row_tiles(section, row, columns.clone()))
    }

    /// Returns the tiles of a range of columns in one tile row, in the order in which they are appended to their
    /// sections.
    pub fn row_tiles(self, level: usize, row: u32, columns: Range<u32>) -> impl Iterator<Item = TileId> {
        self.sections(level).flat_map(move |section| self.section_row_tiles(section, row, columns.clone()))
    }
}

/// Returns the order of the tile arrays after the directories: level by level, the image's before the mask's.
pub(crate) fn array_order(levels: usize, mask: bool) -> Vec<usize> {
    if !mask {
        return (0..levels).collect();
    }
    // Directories: full resolution and its mask, then the other levels, then the other masks.
    let others = (1..levels).flat_map(|level| [1 + level, levels + level]);
    [0, 1].into_iter().chain(others).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(interleave: Interleave, planes: u16, mask: bool) -> Vec<(Plane, u32, u32)> {
        let level = Level { index: 0, width: 40, height: 20, tile_size: TileSize { width: 32, height: 16 } };
        let grid = TileGrid { interleave, planes, mask };
        grid.sections(0)
            .flat_map(|section| grid.section_tiles(&level, section).collect::<Vec<_>>())
            .map(|tile| (tile.plane, tile.row, tile.column))
            .collect()
    }

    #[test]
    fn pixel_interleave_puts_each_mask_tile_behind_its_image_tile() {
        let places = [(0, 0), (0, 1), (1, 0), (1, 1)];
        let expected: Vec<_> = places
            .into_iter()
            .flat_map(|(row, column)| [(Plane::Image(0), row, column), (Plane::Mask, row, column)])
            .collect();
        assert_eq!(order(Interleave::Pixel, 1, true), expected);
    }

    #[test]
    fn tile_interleave_puts_all_bands_of_a_place_together() {
        let tiles = order(Interleave::Tile, 2, true);
        assert_eq!(tiles[..3], [(Plane::Image(0), 0, 0), (Plane::Image(1), 0, 0), (Plane::Mask, 0, 0)]);
        assert_eq!(tiles.len(), 12);
    }

    #[test]
    fn band_interleave_puts_one_band_after_the_other_and_the_mask_last() {
        let tiles = order(Interleave::Band, 2, true);
        assert!(tiles[..4].iter().all(|tile| tile.0 == Plane::Image(0)));
        assert!(tiles[4..8].iter().all(|tile| tile.0 == Plane::Image(1)));
        assert!(tiles[8..].iter().all(|tile| tile.0 == Plane::Mask));
    }

    #[test]
    fn arrays_stand_level_by_level() {
        assert_eq!(array_order(3, false), [0, 1, 2]);
        // full, mask, overview 1, overview 2, mask 1, mask 2
        assert_eq!(array_order(3, true), [0, 1, 2, 4, 3, 5]);
    }
}
