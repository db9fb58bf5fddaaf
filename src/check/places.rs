//! Locations of tiles: bounds, order, and overlaps.

use crate::error::Result;

use super::image::Image;
use super::layout::Pyramid;
use super::parse::{Array, Directory, Tiff};
use super::report::{Place, Report};
use super::rules;
use super::tiles::Promises;

/// Maximum number of ranges held in memory to find overlaps: 24 bytes each.
const MOST_RANGES: usize = 1 << 22;
/// Maximum number of bands whose order is checked with tile interleave: a page of 64 KiB each.
const MOST_BANDS: u64 = 256;

/// Checks the locations of all tiles of all directories.
pub(super) fn check(
    tiff: &Tiff<'_>,
    directories: &[Directory],
    images: &[Image],
    promises: Promises,
    report: &mut Report,
) -> Result<()> {
    let mut sweep = Sweep { tiff, promises, ranges: Ranges::of(tiff, directories), report };
    let by_tile = is_tile_interleaved(tiff, directories)?;
    for image in images {
        let Some((mut offsets, mut counts)) = image.arrays(tiff) else { continue };
        let tiles = image.tiles().min(offsets.count).min(counts.count);
        sweep.report.tiles += tiles;
        sweep.places(image, tiles, by_tile, (&mut offsets, &mut counts))?;
    }
    sweep.ranges.check(sweep.report);
    if promises.mask_interleaved {
        sweep.masks(images)?;
    }
    Ok(())
}

/// Returns true for tile interleave, which GDAL records in its metadata, not in the structural metadata.
fn is_tile_interleaved(tiff: &Tiff<'_>, directories: &[Directory]) -> Result<bool> {
    let Some(entry) = directories.first().and_then(|directory| directory.sound(super::tags::GDAL_METADATA)) else {
        return Ok(false);
    };
    let text = tiff.text(entry)?.unwrap_or_default();
    Ok(text.lines().any(|line| line.contains("\"INTERLEAVE\"") && line.contains(">TILE<")))
}

struct Sweep<'a, 'b> {
    tiff: &'a Tiff<'a>,
    promises: Promises,
    ranges: Ranges,
    report: &'b mut Report,
}

impl Sweep<'_, '_> {
    /// Checks the bounds and order of the tiles of a directory.
    fn places(
        &mut self,
        image: &Image,
        tiles: u64,
        by_tile: bool,
        (offsets, counts): (&mut Array<'_>, &mut Array<'_>),
    ) -> Result<()> {
        let (mut sparse, mut last, per_plane) = (0u64, 0, image.per_plane().max(1));
        for tile in 0..tiles {
            // With tile interleave, the next band starts again at the first tile.
            if by_tile && tile % per_plane == 0 {
                last = 0;
            }
            let (offset, count) = (offsets.at(tile)?, counts.at(tile)?);
            let place = Place::tile(image.directory, tile).at(offset);
            match (offset, count) {
                (0, 0) => {
                    sparse += 1;
                    continue;
                }
                (0, _) | (_, 0) => {
                    let message = format_args!("its offset is {offset}, its byte count {count}");
                    self.report.add(&rules::TILE_EMPTY, place, message);
                    continue;
                }
                _ if !self.tiff.holds_tile(offset, count) => {
                    let message = format_args!(
                        "its {count} bytes at byte {offset} are in the header or extend beyond the file of {} bytes",
                        self.tiff.length
                    );
                    self.report.add(&rules::TILE_BOUNDS, place, message);
                    continue;
                }
                _ => {}
            }
            self.ranges.add(offset, count, Some((image.directory, tile)));
            if self.promises.row_major && offset < last {
                let message = format_args!("it starts at byte {offset}, the previous tile at byte {last}");
                self.report.add(&rules::TILE_ORDER, place, message);
            }
            last = offset;
        }
        if by_tile && self.promises.row_major && image.planes() > 1 {
            self.across_bands(image, tiles)?;
        }
        if sparse > 0 {
            let message = format_args!("{sparse} of {tiles} tiles are not stored");
            self.report.add(&rules::TILE_SPARSE, Place::directory(image.directory), message);
        }
        Ok(())
    }

    /// Checks the order of the tiles of all bands at the same position; of many bands only the first ones, because each
    /// band's array is paged separately.
    fn across_bands(&mut self, image: &Image, tiles: u64) -> Result<()> {
        let mut bands: Vec<_> = (0..image.planes().min(MOST_BANDS)).filter_map(|_| image.arrays(self.tiff)).collect();
        let mut last = 0;
        for place in 0..image.per_plane().min(tiles) {
            for (plane, (offsets, _)) in (0..).zip(&mut bands) {
                let tile = plane * image.per_plane() + place;
                let offset = if tile < tiles { offsets.at(tile)? } else { 0 };
                if offset > 0 && offset < last {
                    let message =
                        format_args!("it starts at byte {offset}, the tile of the previous band at byte {last}");
                    self.report.add(&rules::TILE_ORDER, Place::tile(image.directory, tile).at(offset), message);
                }
                last = if offset > 0 { offset } else { last };
            }
        }
        Ok(())
    }

    /// Checks that mask tiles follow the tiles of their images.
    fn masks(&mut self, images: &[Image]) -> Result<()> {
        let pyramid = Pyramid::of(images);
        for level in pyramid.levels.iter().filter(|level| !level.planar) {
            let Some(mask) = pyramid.mask_of(level) else { continue };
            let place = Place::directory(mask.directory).at(mask.offset);
            if (mask.tile_width, mask.tile_height) != (level.tile_width, level.tile_height) {
                let message = format_args!(
                    "its tiles have {}x{} pixels, those of the image have {}x{}",
                    mask.tile_width, mask.tile_height, level.tile_width, level.tile_height
                );
                self.report.add(&rules::MASK_INTERLEAVE, place, message);
                continue;
            }
            let (Some((mut offsets, mut counts)), Some((mut mask_offsets, _))) =
                (level.arrays(self.tiff), mask.arrays(self.tiff))
            else {
                continue;
            };
            let frame = if self.promises.leader { 4 } else { 0 } + if self.promises.trailer { 4 } else { 0 };
            for tile in 0..level.tiles().min(offsets.count).min(mask_offsets.count) {
                let (offset, behind) = (offsets.at(tile)?, mask_offsets.at(tile)?);
                let expected = offset.saturating_add(counts.at(tile)?).saturating_add(frame);
                if offset > 0 && behind > 0 && behind != expected {
                    let message = format_args!("it starts at byte {behind}, expected byte {expected}");
                    self.report.add(&rules::MASK_INTERLEAVE, Place::tile(mask.directory, tile).at(behind), message);
                }
            }
        }
        Ok(())
    }
}

/// Start and end; for a tile, also its directory and index.
type Range = (u64, u64, Option<(usize, u64)>);

/// The byte ranges of everything in the file.
struct Ranges {
    held: Vec<Range>,
    full: bool,
}

impl Ranges {
    /// Collects the ranges of the header, structural metadata, directories, and values.
    fn of(tiff: &Tiff<'_>, directories: &[Directory]) -> Self {
        let mut ranges = Self { held: Vec::new(), full: false };
        ranges.add(0, tiff.header_bytes(), None);
        if let Some(ghost) = tiff.ghost.as_ref().filter(|ghost| ghost.end > 0) {
            ranges.add(tiff.header_bytes(), ghost.end - tiff.header_bytes(), None);
        }
        for directory in directories {
            ranges.add(directory.offset, directory.end - directory.offset, None);
            for entry in directory.entries.iter().filter(|entry| entry.outside && entry.sound && entry.bytes > 0) {
                ranges.add(entry.at, entry.bytes, None);
            }
        }
        ranges
    }

    fn add(&mut self, start: u64, length: u64, tile: Option<(usize, u64)>) {
        if self.held.len() == MOST_RANGES {
            self.full = true;
        } else {
            self.held.push((start, start + length, tile));
        }
    }

    fn check(&mut self, report: &mut Report) {
        if self.full {
            let message = format_args!(
                "there are more than {MOST_RANGES} tiles; the remaining ones were not checked for overlaps"
            );
            report.add(&rules::TILE_UNJUDGED, Place::FILE, message);
        }
        self.held.sort_unstable();
        let mut reach = (0, 0, None);
        for &(start, end, tile) in &self.held {
            let (from, to, other) = reach;
            let same = (from, to) == (start, end) && tile.is_some() == other.is_some();
            if start < to && !same {
                match tile.or(other) {
                    Some((directory, number)) => {
                        let with = match (tile, other) {
                            (Some(_), Some((directory, number))) => format!("tile {number} of directory {directory}"),
                            _ => "a directory or a value".to_owned(),
                        };
                        let message = format_args!("bytes {start} to {} also belong to {with}", to.min(end));
                        report.add(&rules::TILE_OVERLAP, Place::tile(directory, number).at(start), message);
                    }
                    None => {
                        let message = format_args!("bytes {start} to {} are used twice", to.min(end));
                        report.add(&rules::VALUE_OVERLAP, Place::byte(start), message);
                    }
                }
            }
            if end > to {
                reach = (start, end, tile);
            }
        }
        self.held = Vec::new();
    }
}
