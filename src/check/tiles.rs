//! Tiles one by one: bounds, order, frames, and whether they can be decoded.

use crate::codec::decode::DecodeError;
use crate::error::Result;
use crate::executor::Executor;

use super::image::Image;
use super::layout::Pyramid;
use super::parse::{Array, Directory, Tiff};
use super::report::{Place, Report};
use super::{CheckOptions, Depth, rules};

/// The largest tile that is decoded, in bytes before and after.
pub(super) const MOST_TILE_BYTES: u64 = 256 << 20;
/// Bytes of tiles that are held at once, unless a single one has more.
const BATCH_BYTES: u64 = 64 << 20;
/// Tiles whose places are held in memory to find overlaps: 24 bytes each.
const MOST_RANGES: usize = 1 << 22;
/// Tiles of a directory that quick checks decode.
const SAMPLE: u64 = 12;

/// Bands whose order at each place is checked with tile interleave: a page of 64 KiB each.
const MOST_BANDS: u64 = 256;

/// What GDAL's structural metadata promises of tiles.
#[derive(Debug, Clone, Copy, Default)]
struct Promises {
    row_major: bool,
    leader: bool,
    trailer: bool,
    mask_interleaved: bool,
}

/// Checks all tiles of all directories.
pub(super) fn check(
    tiff: &Tiff<'_>,
    directories: &[Directory],
    images: &[Image],
    options: &CheckOptions,
    executor: &Executor,
    report: &mut Report,
) -> Result<()> {
    let says = |line| tiff.ghost.as_ref().is_some_and(|ghost| ghost.says(line));
    let promises = Promises {
        row_major: says("BLOCK_ORDER=ROW_MAJOR"),
        leader: says("BLOCK_LEADER=SIZE_AS_UINT4"),
        trailer: says("BLOCK_TRAILER=LAST_4_BYTES_REPEATED"),
        mask_interleaved: says("MASK_INTERLEAVED_WITH_IMAGERY=YES"),
    };
    let mut sweep = Sweep { tiff, promises, ranges: Ranges::of(tiff, directories), report };
    let mut budget = options.limit_for(tiff.length);
    let by_tile = is_tile_interleaved(tiff, directories)?;
    let mut work = Vec::new();
    for image in images {
        let Some((mut offsets, mut counts)) = image.arrays(tiff) else { continue };
        let tiles = image.tiles().min(offsets.count).min(counts.count);
        sweep.report.tiles += tiles;
        sweep.places(image, tiles, by_tile, (&mut offsets, &mut counts))?;
        work.push((image, tiles));
    }
    sweep.ranges.check(sweep.report);
    if promises.mask_interleaved {
        sweep.masks(images)?;
    }
    for (image, tiles) in work {
        sweep.contents(image, tiles, options, executor, &mut budget)?;
    }
    Ok(())
}

/// GDAL says so in its metadata, not in the structural ones.
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

/// A tile to be looked at.
#[derive(Debug, Clone, Copy)]
struct Item {
    tile: u64,
    offset: u64,
    count: u64,
    decode: bool,
}

/// What was found in the bytes of a tile.
#[derive(Debug, Default)]
struct Judged {
    leader: Option<u64>,
    trailer: bool,
    decoded: bool,
    short: bool,
    damage: Option<String>,
    unjudged: Option<String>,
}

impl Sweep<'_, '_> {
    fn sound(&self, offset: u64, count: u64) -> bool {
        offset >= self.tiff.header_bytes() && count > 0 && self.tiff.holds(offset, count)
    }

    /// Bounds and order of the tiles of a directory.
    fn places(
        &mut self,
        image: &Image,
        tiles: u64,
        by_tile: bool,
        (offsets, counts): (&mut Array<'_>, &mut Array<'_>),
    ) -> Result<()> {
        let (mut sparse, mut last, per_plane) = (0u64, 0, image.per_plane().max(1));
        for tile in 0..tiles {
            let (offset, count) = (offsets.at(tile)?, counts.at(tile)?);
            let place = Place::tile(image.directory, tile).at(offset);
            match (offset, count) {
                (0, 0) => {
                    sparse += 1;
                    continue;
                }
                (0, _) | (_, 0) => {
                    let message = format_args!("its offset is {offset}, its size {count}");
                    self.report.add(&rules::TILE_EMPTY, place, message);
                    continue;
                }
                _ if !self.sound(offset, count) => {
                    let message = format_args!(
                        "its {count} bytes from byte {offset} on are not in the file of {}",
                        self.tiff.length
                    );
                    self.report.add(&rules::TILE_BOUNDS, place, message);
                    continue;
                }
                _ => {}
            }
            self.ranges.add(offset, count, Some((image.directory, tile)));
            // With tile interleave, the next band starts at the first place again.
            if by_tile && tile % per_plane == 0 {
                last = 0;
            }
            if self.promises.row_major && offset < last {
                let message = format_args!("it starts at byte {offset}, the one before at byte {last}");
                self.report.add(&rules::TILE_ORDER, place, message);
            }
            last = offset;
        }
        if by_tile && self.promises.row_major && image.planes() > 1 {
            self.across_bands(image, tiles)?;
        }
        if sparse > 0 {
            let message = format_args!("{sparse} of {tiles} tiles are left out");
            self.report.add(&rules::TILE_SPARSE, Place::directory(image.directory), message);
        }
        Ok(())
    }

    /// The order of the tiles of all bands at a place; of many bands the first ones, since each is read by itself.
    fn across_bands(&mut self, image: &Image, tiles: u64) -> Result<()> {
        let mut bands: Vec<_> = (0..image.planes().min(MOST_BANDS)).filter_map(|_| image.arrays(self.tiff)).collect();
        let mut last = 0;
        for place in 0..image.per_plane().min(tiles) {
            for (plane, (offsets, _)) in (0..).zip(&mut bands) {
                let tile = plane * image.per_plane() + place;
                let offset = if tile < tiles { offsets.at(tile)? } else { 0 };
                if offset > 0 && offset < last {
                    let message = format_args!("it starts at byte {offset}, the band before at byte {last}");
                    self.report.add(&rules::TILE_ORDER, Place::tile(image.directory, tile).at(offset), message);
                }
                last = if offset > 0 { offset } else { last };
            }
        }
        Ok(())
    }

    /// Whether tiles of masks follow those of their images.
    fn masks(&mut self, images: &[Image]) -> Result<()> {
        let pyramid = Pyramid::of(images);
        for level in pyramid.levels.iter().filter(|level| !level.planar) {
            let Some(mask) = pyramid.mask_of(level) else { continue };
            let place = Place::directory(mask.directory).at(mask.offset);
            if (mask.tile_width, mask.tile_height) != (level.tile_width, level.tile_height) {
                let message = format_args!(
                    "its tiles have {}x{} pixels, those of the image {}x{}",
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
                    let message = format_args!("it starts at byte {behind} instead of {expected}");
                    self.report.add(&rules::MASK_INTERLEAVE, Place::tile(mask.directory, tile).at(behind), message);
                }
            }
        }
        Ok(())
    }

    /// Frames and pixels of the tiles of a directory.
    fn contents(
        &mut self,
        image: &Image,
        tiles: u64,
        options: &CheckOptions,
        executor: &Executor,
        budget: &mut u64,
    ) -> Result<()> {
        let Some((mut offsets, mut counts)) = image.arrays(self.tiff) else { return Ok(()) };
        let unjudged = self.cannot_decode(image);
        let framed = self.promises.leader || self.promises.trailer;
        if !framed && unjudged {
            return Ok(());
        }
        let quick = options.depth == Depth::Quick;
        let step = if quick { (tiles / SAMPLE).max(1) } else { 1 };
        let mut batch: Vec<Item> = Vec::new();
        let (mut bytes, mut tile) = (0u64, 0);
        while tile < tiles {
            let (offset, count) = (offsets.at(tile)?, counts.at(tile)?);
            if offset > 0 && self.sound(offset, count) {
                let decoded = decoded_bytes(image, tile).max(1);
                let fits = count <= MOST_TILE_BYTES && decoded <= MOST_TILE_BYTES;
                let cost = count.saturating_add(decoded).saturating_add(4096);
                let mut decode = !unjudged;
                if decode && !(fits && cost <= *budget) {
                    let message = format_args!(
                        "it has {count} bytes and {decoded} decoded: beyond the limit of {MOST_TILE_BYTES}, or of the whole"
                    );
                    self.report.add(&rules::TILE_UNJUDGED, Place::tile(image.directory, tile).at(offset), message);
                    decode = false;
                }
                if decode {
                    *budget -= cost;
                    bytes = bytes.saturating_add(cost);
                }
                batch.push(Item { tile, offset, count, decode });
            }
            // The last tile is the one that lacks something where a file is cut short.
            tile =
                if quick && tile + step >= tiles && tile + 1 < tiles { tiles - 1 } else { tile.saturating_add(step) };
            if batch.len() >= 1024 || bytes >= BATCH_BYTES {
                self.judge(image, std::mem::take(&mut batch), executor)?;
                bytes = 0;
            }
        }
        self.judge(image, batch, executor)
    }

    /// Whether pixels of a directory can't be decoded here; says so, unless a fault has been found instead.
    fn cannot_decode(&mut self, image: &Image) -> bool {
        match &image.format {
            Ok(_) => !image.sound,
            Err(reason) => {
                if image.sound {
                    let place = Place::directory(image.directory).at(image.offset);
                    self.report.add(&rules::TILE_UNJUDGED, place, format_args!("its tiles are not decoded: {reason}"));
                }
                true
            }
        }
    }

    fn judge(&mut self, image: &Image, batch: Vec<Item>, executor: &Executor) -> Result<()> {
        let (tiff, promises) = (self.tiff, self.promises);
        let judged = executor.map(batch, |item| judge(tiff, image, promises, item).map(|judged| (item, judged)));
        for result in judged {
            let (item, judged) = result?;
            let place = Place::tile(image.directory, item.tile).at(item.offset);
            if let Some(leader) = judged.leader {
                let message = format_args!("it says {leader}, the size is {}", item.count);
                self.report.add(&rules::TILE_LEADER, place, message);
            }
            if judged.trailer {
                self.report.add(&rules::TILE_TRAILER, place, format_args!("the 4 bytes behind it are others"));
            }
            if judged.short {
                self.report.add(&rules::TILE_SHORT, place, format_args!("it ends with the last row of the image"));
            }
            if let Some(reason) = judged.damage {
                self.report.add(&rules::TILE_DECODE, place, format_args!("{reason}"));
            }
            if let Some(reason) = judged.unjudged {
                self.report.add(&rules::TILE_UNJUDGED, place, format_args!("{reason}"));
            }
            self.report.tiles_decoded += u64::from(judged.decoded);
        }
        Ok(())
    }
}

/// Bytes of a tile's pixels, the larger of packed and unpacked.
pub(super) fn decoded_bytes(image: &Image, tile: u64) -> u64 {
    let Ok(format) = &image.format else { return u64::MAX };
    let Ok(rows) = usize::try_from(image.rows(tile).0) else { return u64::MAX };
    let unpacked = format.row_bytes().and_then(|bytes| bytes.checked_mul(rows));
    match (format.packed_bytes(rows), unpacked) {
        (Some(packed), Some(unpacked)) => packed.max(unpacked) as u64,
        _ => u64::MAX,
    }
}

/// Looks at the bytes of a tile.
fn judge(tiff: &Tiff<'_>, image: &Image, promises: Promises, item: Item) -> Result<Judged> {
    let mut judged = Judged::default();
    if promises.leader {
        // GDAL's leaders are little-endian in any file.
        let leader = tiff.bytes(item.offset - 4, 4)?;
        let leader = leader.iter().rev().fold(0, |number, byte| (number << 8) | u64::from(*byte));
        judged.leader = (leader != item.count).then_some(leader);
    }
    let end = item.offset + item.count;
    if promises.trailer && item.count >= 4 {
        judged.trailer = !tiff.holds(end, 4) || {
            let bytes = tiff.bytes(end - 4, 8)?;
            bytes.get(..4) != bytes.get(4..)
        };
    }
    if !item.decode {
        return Ok(judged);
    }
    let (rows, inside) = image.rows(item.tile);
    let whole = decode(tiff, image, &item, (rows, rows))?;
    let result = match whole {
        Err(DecodeError::Damaged(_)) if inside < rows => {
            let part = decode(tiff, image, &item, (rows, inside))?;
            judged.short = part.is_ok();
            part
        }
        whole => whole,
    };
    match result {
        Ok(_) => judged.decoded = true,
        Err(DecodeError::Damaged(reason)) => judged.damage = Some(reason),
        Err(DecodeError::Unsupported(feature)) => judged.unjudged = Some(format!("it is not decoded: {feature}")),
        Err(DecodeError::Memory(bytes)) => judged.unjudged = Some(format!("there is no memory for its {bytes} bytes")),
    }
    Ok(judged)
}

/// Decodes a tile of so many rows, of which some must be there.
fn decode(
    tiff: &Tiff<'_>,
    image: &Image,
    item: &Item,
    (rows, needed): (u64, u64),
) -> Result<std::result::Result<Vec<u8>, DecodeError>> {
    let mut input = tiff.bytes(item.offset, item.count)?;
    let mut out = Vec::new();
    let format = match &image.format {
        Ok(format) => format,
        Err(reason) => return Ok(Err(DecodeError::Unsupported(reason.clone()))),
    };
    let rows_of = |rows| usize::try_from(rows).unwrap_or(usize::MAX);
    Ok(format.decode(&mut input, &mut out, rows_of(rows), rows_of(needed)).map(|()| out))
}

/// The samples of a tile, in native order; `None` where it is not in the file, too large, or damaged.
pub(super) fn samples(
    tiff: &Tiff<'_>,
    image: &Image,
    tile: u64,
    (offset, count): (u64, u64),
) -> Result<Option<Vec<u8>>> {
    let sound = offset >= tiff.header_bytes() && count > 0 && tiff.holds(offset, count);
    if !sound || count > MOST_TILE_BYTES || decoded_bytes(image, tile) > MOST_TILE_BYTES {
        return Ok(None);
    }
    let (rows, inside) = image.rows(tile);
    let item = Item { tile, offset, count, decode: true };
    Ok(decode(tiff, image, &item, (rows, inside))?.ok())
}

/// Start, end, and directory and tile where it is a tile.
type Range = (u64, u64, Option<(usize, u64)>);

/// The places of all that is in the file.
struct Ranges {
    held: Vec<Range>,
    full: bool,
}

impl Ranges {
    /// Header, structural metadata, directories and values.
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
            let message =
                format_args!("there are more than {MOST_RANGES} tiles: those beyond were not checked for overlaps");
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
                        let message = format_args!("bytes {start} to {} belong to {with}, too", to.min(end));
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
