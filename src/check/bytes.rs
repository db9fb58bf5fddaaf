//! The bytes of a file: regions by what they hold, and what reading them costs.

use crate::error::{Error, Result};
use crate::read::ReadAt;

use super::cost::{GDAL, GEOTIFF_JS, Requests, SCREEN, Visit};
use super::image::Image;
use super::layout::Pyramid;
use super::parse::{Directory, Tiff};
use super::report::Report;
use super::tags as tag;

/// Most tiles whose place is looked at; a file with more is described without its regions.
const MOST_TILES: u64 = 1 << 22;
/// Bytes of a leader or a trailer of GDAL's layout.
const FRAME: u64 = 4;

/// The content of a region of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Content {
    /// File header, structural metadata, directories, and their values.
    Header,
    /// Arrays of the offsets and byte counts of tiles.
    Index,
    /// Tiles of a level, with their leaders and trailers.
    Tiles {
        /// Index of the level; 0 is full resolution.
        level: usize,
    },
    /// Mask tiles of a level.
    Mask {
        /// Index of the level; 0 is full resolution.
        level: usize,
    },
    /// Tiles of other images in the file.
    Other,
    /// Bytes that nothing refers to.
    Unused,
}

impl Content {
    /// Returns the name in JSON, without the level.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::Index => "index",
            Self::Tiles { .. } => "tiles",
            Self::Mask { .. } => "mask",
            Self::Other => "other",
            Self::Unused => "unused",
        }
    }

    /// Returns the level, of tiles and masks.
    #[must_use]
    pub const fn level(self) -> Option<usize> {
        match self {
            Self::Tiles { level } | Self::Mask { level } => Some(level),
            _ => None,
        }
    }
}

/// A region of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Region {
    /// Offset of the first byte.
    pub start: u64,
    /// Offset after the last byte.
    pub end: u64,
    /// The content of most of the region.
    pub content: Content,
}

/// Cost of reading a file with one reader.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReaderCost {
    /// Name of the reader.
    pub reader: &'static str,
    /// Bytes of the blocks that it fetches.
    pub block: u64,
    /// Cost of opening the file.
    pub open: Requests,
    /// Cost, after opening, of the 1024x1024 pixels in the middle of each level, or of all pixels of a smaller one; full
    /// resolution first.
    pub views: Vec<Requests>,
}

/// The bytes of a file, returned by [`map_bytes`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ByteMap {
    /// Regions in the order of the file, without gaps, at most the number asked for: neighbors of different content are
    /// joined to the larger one where there would be more. Empty for a file with more than 4,194,304 tiles.
    pub regions: Vec<Region>,
    /// Bytes by content, exact, in the order of [`Content`].
    pub totals: Vec<(Content, u64)>,
    /// Bytes of tiles beyond the edges of the image, before compression, in all levels.
    pub padding: u64,
    /// Costs with GDAL and with geotiff.js.
    pub readers: Vec<ReaderCost>,
}

/// Returns what the bytes of a TIFF file hold, and the cost of reading them over HTTP.
///
/// # Errors
/// Those of [`inspect`](super::inspect).
pub fn map_bytes(reader: &dyn ReadAt, max_regions: usize) -> Result<ByteMap> {
    let mut report = Report::default();
    let tiff = Tiff::open(reader, &mut report)?;
    let (directories, images) = super::read(&tiff, &mut report)?;
    let pyramid = Pyramid::of(&images);
    if pyramid.levels.is_empty() {
        return Err(Error::corrupt("first directory", "it cannot be read; validate the file for details"));
    }
    let mut readers = Vec::new();
    for model in [GDAL, GEOTIFF_JS] {
        let (visit, open) = Visit::open(&tiff, &directories, &model);
        let views = pyramid.levels.iter().map(|level| visit.view(&tiff, level, [SCREEN, SCREEN]));
        let views = views.collect::<Result<_>>()?;
        readers.push(ReaderCost { reader: model.name, block: model.block, open, views });
    }
    let padding = pyramid.levels.iter().map(|level| padding(level)).fold(0, u64::saturating_add);
    let tiles = images.iter().map(Image::tiles).fold(0, u64::saturating_add);
    let (regions, totals) = if tiles > MOST_TILES {
        (Vec::new(), Vec::new())
    } else {
        let regions = regions(&tiff, &directories, &images, &pyramid)?;
        let totals = totals(&regions);
        (joined(regions, max_regions.max(1)), totals)
    };
    Ok(ByteMap { regions, totals, padding, readers })
}

/// Returns the bytes that the tiles of windows of full resolution have, masks included: column, row, width, height. Tiles
/// that are partly in a window count in part.
///
/// # Errors
/// Those of [`inspect`](super::inspect).
pub(crate) fn stored_bytes(reader: &dyn ReadAt, windows: &[[u32; 4]]) -> Result<u64> {
    let mut report = Report::default();
    let tiff = Tiff::open(reader, &mut report)?;
    let (_, images) = super::read(&tiff, &mut report)?;
    let pyramid = Pyramid::of(&images);
    let Some(full) = pyramid.levels.first().copied() else { return Ok(0) };
    let mut bytes = 0;
    for image in [Some(full), pyramid.mask_of(full)].into_iter().flatten() {
        let Some((_, mut counts)) = image.arrays(&tiff) else { continue };
        let (tile_width, tile_height) = (image.tile_width.max(1), image.tile_height.max(1));
        for [column, row, width, height] in windows.iter().map(|window| window.map(u64::from)) {
            let (right, bottom) = (column + width, row + height);
            for tile_row in row / tile_height..bottom.div_ceil(tile_height) {
                for tile_column in column / tile_width..right.div_ceil(tile_width) {
                    // The part of the tile's pixels, without padding, that the window has.
                    let part = |start: u64, end: u64, side: u64, tile: u64, index: u64| {
                        let first = index.saturating_mul(tile);
                        let last = first.saturating_add(tile).min(side);
                        (last.min(end).saturating_sub(first.max(start)), last.saturating_sub(first).max(1))
                    };
                    let across = part(column, right, image.width, tile_width, tile_column);
                    let down = part(row, bottom, image.height, tile_height, tile_row);
                    for plane in 0..image.planes() {
                        let index = plane * image.per_plane() + tile_row * image.across() + tile_column;
                        if index < counts.count {
                            let count = u128::from(counts.at(index)?);
                            let share = count * u128::from(across.0 * down.0) / u128::from(across.1 * down.1);
                            bytes += u64::try_from(share).unwrap_or(u64::MAX);
                        }
                    }
                }
            }
        }
    }
    Ok(bytes)
}

/// Returns the bytes of pixels of a level beyond the edges of the image.
fn padding(image: &Image) -> u64 {
    let down = image.height.div_ceil(image.tile_height.max(1)).saturating_mul(image.tile_height);
    let across = image.across().saturating_mul(image.tile_width);
    let stored = if image.tiled { u128::from(down) * u128::from(across) } else { return 0 };
    let pixels = u128::from(image.width) * u128::from(image.height);
    let bits = stored.saturating_sub(pixels) * u128::from(image.samples) * u128::from(image.bits);
    u64::try_from(bits / 8).unwrap_or(u64::MAX)
}

/// Returns all regions, in order and without overlaps; the first content that claims a byte has it.
fn regions(tiff: &Tiff<'_>, directories: &[Directory], images: &[Image], pyramid: &Pyramid<'_>) -> Result<Vec<Region>> {
    let arrays = [tag::TILE_OFFSETS, tag::TILE_BYTE_COUNTS, tag::STRIP_OFFSETS, tag::STRIP_BYTE_COUNTS];
    let mut claims = vec![(0, tiff.header_bytes(), Content::Header)];
    if let Some(ghost) = &tiff.ghost {
        claims.push((0, ghost.end, Content::Header));
    }
    for directory in directories {
        claims.push((directory.offset, directory.end, Content::Header));
        for entry in directory.entries.iter().filter(|entry| entry.outside && entry.sound) {
            let content = if arrays.contains(&entry.tag) { Content::Index } else { Content::Header };
            claims.push((entry.at, entry.at.saturating_add(entry.bytes), content));
        }
    }
    let frame =
        if tiff.ghost.as_ref().is_some_and(|ghost| ghost.says("BLOCK_LEADER=SIZE_AS_UINT4")) { FRAME } else { 0 };
    for image in images {
        let level = pyramid.levels.iter().position(|level| level.directory == image.directory);
        let mask = || {
            pyramid
                .levels
                .iter()
                .position(|level| pyramid.mask_of(level).is_some_and(|mask| mask.directory == image.directory))
        };
        let content = match level {
            Some(level) => Content::Tiles { level },
            None => mask().map_or(Content::Other, |level| Content::Mask { level }),
        };
        let Some((mut offsets, mut counts)) = image.arrays(tiff) else { continue };
        for tile in 0..image.tiles().min(offsets.count).min(counts.count) {
            let (offset, count) = (offsets.at(tile)?, counts.at(tile)?);
            if offset > 0 && count > 0 {
                let end = offset.saturating_add(count).saturating_add(frame);
                claims.push((offset.saturating_sub(frame), end, content));
            }
        }
    }
    claims.sort_unstable();
    let mut regions: Vec<Region> = Vec::new();
    let mut put = |start: u64, end: u64, content: Content| match regions.last_mut() {
        Some(last) if last.content == content => last.end = end,
        _ => regions.push(Region { start, end, content }),
    };
    let mut position = 0;
    for (start, end, content) in claims {
        let end = end.min(tiff.length);
        if end <= position || end <= start {
            continue;
        }
        if start > position {
            put(position, start, Content::Unused);
        }
        put(start.max(position), end, content);
        position = end;
    }
    if position < tiff.length {
        put(position, tiff.length, Content::Unused);
    }
    Ok(regions)
}

/// Returns the bytes by content.
fn totals(regions: &[Region]) -> Vec<(Content, u64)> {
    let mut totals = std::collections::BTreeMap::new();
    for region in regions {
        *totals.entry(region.content).or_insert(0) += region.end - region.start;
    }
    totals.into_iter().collect()
}

/// Joins neighbors, the smallest first, until there are at most `max` regions.
fn joined(regions: Vec<Region>, max: usize) -> Vec<Region> {
    let mut regions = regions;
    let mut least = 64;
    while regions.len() > max {
        let mut kept: Vec<Region> = Vec::with_capacity(regions.len());
        for region in regions {
            let len = |region: &Region| region.end - region.start;
            match kept.last_mut() {
                Some(last) if last.content == region.content => last.end = region.end,
                Some(last) if len(last).min(len(&region)) < least => {
                    if len(&region) > len(last) {
                        last.content = region.content;
                    }
                    last.end = region.end;
                }
                _ => kept.push(region),
            }
        }
        regions = kept;
        least *= 2;
    }
    regions
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(start: u64, end: u64, level: usize) -> Region {
        Region { start, end, content: Content::Tiles { level } }
    }

    #[test]
    fn small_regions_join_their_neighbors() {
        let all = vec![region(0, 1000, 0), region(1000, 1010, 1), region(1010, 2000, 0), region(2000, 9000, 2)];
        assert_eq!(joined(all.clone(), 4), all);
        assert_eq!(joined(all.clone(), 3), [region(0, 2000, 0), region(2000, 9000, 2)]);
        assert_eq!(joined(all, 1).len(), 1);
        assert_eq!(
            totals(&[region(0, 7, 0), region(7, 9, 1), region(9, 10, 0)]),
            [(Content::Tiles { level: 0 }, 8), (Content::Tiles { level: 1 }, 2)]
        );
    }
}
