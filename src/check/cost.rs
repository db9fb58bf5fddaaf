//! Costs of reading a file over HTTP, by models of readers.

use std::collections::BTreeMap;

use crate::error::Result;

use super::image::Image;
use super::parse::{Directory, Entry, Tiff};
use super::tags as tag;

/// Width and height of a screen, in pixels.
pub(super) const SCREEN: u64 = 1024;
/// Maximum number of tiles of a screen that are located; with tiles of 16 pixels, a screen has 4225 per band.
const MOST_TILES: usize = 1 << 20;

/// A reader that fetches aligned blocks, requests adjacent blocks together, and keeps what it has fetched.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader {
    pub(super) name: &'static str,
    /// Bytes of a block.
    pub(super) block: u64,
    /// True if the arrays of tiles are read when the file is opened, rather than the items that a view needs.
    pub(super) reads_arrays: bool,
}

/// GDAL's `/vsicurl/`: the default of `CPL_VSIL_CURL_CHUNK_SIZE`; items of arrays are read on demand.
pub(super) const GDAL: Reader = Reader { name: "GDAL", block: 16_384, reads_arrays: false };
/// geotiff.js 2: the default of `BlockedSource`; `parseFileDirectoryAt` reads all values.
pub(super) const GEOTIFF_JS: Reader = Reader { name: "geotiff.js", block: 65_536, reads_arrays: true };

/// Cost of reading over HTTP. The model is a reader that fetches aligned blocks, for GDAL of 16 KiB, requests
/// adjacent blocks together, and keeps what it has fetched. When opening the file, it first requests the first block on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Requests {
    /// Number of requests.
    pub requests: u64,
    /// Bytes requested.
    pub bytes: u64,
    /// Tiles needed.
    pub tiles: u64,
}

/// The blocks of a file that a reader has fetched, as runs: start and end in blocks.
#[derive(Debug, Clone)]
struct Pieces {
    length: u64,
    block: u64,
    held: BTreeMap<u64, u64>,
}

impl Pieces {
    /// Returns the run that contains a block.
    fn run_of(&self, piece: u64) -> Option<(u64, u64)> {
        self.held.range(..=piece).next_back().map(|(from, to)| (*from, *to)).filter(|(_, to)| piece < *to)
    }

    /// Fetches byte ranges together and returns the cost.
    fn fetch(&mut self, ranges: impl IntoIterator<Item = (u64, u64)>) -> Requests {
        let mut wanted: Vec<(u64, u64)> = ranges
            .into_iter()
            .filter(|(start, count)| *count > 0 && *start < self.length)
            .map(|(start, count)| {
                (start / self.block, start.saturating_add(count).min(self.length).div_ceil(self.block))
            })
            .collect();
        wanted.sort_unstable();
        let mut cost = Requests::default();
        let mut run: Option<(u64, u64)> = None;
        for (mut start, mut end) in wanted {
            // Runs that are held don't touch each other: the block at the end of a run is not held.
            if let Some((_, to)) = self.run_of(start) {
                start = to;
            }
            if let Some((from, _)) = end.checked_sub(1).and_then(|last| self.run_of(last)) {
                end = from;
            }
            if start >= end {
                continue;
            }
            run = match run {
                Some((from, to)) if start <= to => Some((from, to.max(end))),
                Some(run) => {
                    self.take(run, &mut cost);
                    Some((start, end))
                }
                None => Some((start, end)),
            };
        }
        if let Some(run) = run {
            self.take(run, &mut cost);
        }
        cost
    }

    fn take(&mut self, (start, end): (u64, u64), cost: &mut Requests) {
        cost.requests += 1;
        cost.bytes += (end * self.block).min(self.length) - start * self.block;
        // Runs inside the new one, and those that it touches, become part of it.
        let before = start.checked_sub(1).and_then(|piece| self.run_of(piece)).map_or(start, |(from, _)| from);
        let inside: Vec<_> = self.held.range(before..=end).map(|(from, to)| (*from, *to)).collect();
        let end = inside.iter().map(|(_, to)| *to).fold(end, u64::max);
        for (from, _) in inside {
            self.held.remove(&from);
        }
        self.held.insert(before, end);
    }
}

/// A file that a reader has opened.
#[derive(Debug)]
pub(super) struct Visit {
    pieces: Pieces,
}

impl Visit {
    /// Opens a file; the cost is that of all directories and their values, with or without the arrays of tiles.
    pub(super) fn open(tiff: &Tiff<'_>, directories: &[Directory], reader: &Reader) -> (Self, Requests) {
        let mut pieces = Pieces { length: tiff.length, block: reader.block, held: BTreeMap::new() };
        let first = pieces.fetch([(0, reader.block)]);
        let arrays = [tag::TILE_OFFSETS, tag::TILE_BYTE_COUNTS, tag::STRIP_OFFSETS, tag::STRIP_BYTE_COUNTS];
        let ranges = directories.iter().flat_map(|directory| {
            let values = directory.entries.iter().filter(|entry| entry.outside && entry.sound);
            let values = values.filter(|entry| reader.reads_arrays || !arrays.contains(&entry.tag));
            let values = values.map(|entry| (entry.at, entry.bytes));
            values.chain([(directory.offset, directory.end - directory.offset)])
        });
        let rest = pieces.fetch(ranges.chain([(0, tiff.header_bytes())]));
        let cost = Requests { requests: first.requests + rest.requests, bytes: first.bytes + rest.bytes, tiles: 0 };
        (Self { pieces }, cost)
    }

    /// Returns the cost of showing the given columns and rows in the middle of a level.
    pub(super) fn view(&self, tiff: &Tiff<'_>, image: &Image, [columns, rows]: [u64; 2]) -> Result<Requests> {
        let mut pieces = self.pieces.clone();
        let (Some(offsets), Some(counts)) = (image.offsets, image.counts) else { return Ok(Requests::default()) };
        let Some((mut offset_of, mut count_of)) = image.arrays(tiff) else { return Ok(Requests::default()) };
        if image.tiles() == 0 {
            return Ok(Requests::default());
        }
        let span = |side: u64, wanted: u64, tile: u64| {
            let from = (side - side.min(wanted)) / 2;
            from / tile..(from + side.min(wanted)).div_ceil(tile)
        };
        let mut tiles = Vec::new();
        // Tiles without an entry in the arrays cost nothing.
        'all: for plane in 0..image.planes().min(image.listed()) {
            for row in span(image.height, rows, image.tile_height) {
                for column in span(image.width, columns, image.tile_width) {
                    if tiles.len() == MOST_TILES {
                        break 'all;
                    }
                    tiles.push(plane * image.per_plane() + row * image.across() + column);
                }
            }
        }
        let items = |entry: &Entry, tile: u64| {
            let width = entry.bytes / entry.count.max(1);
            (entry.at.saturating_add(tile.saturating_mul(width)), if tile < entry.count { width } else { 0 })
        };
        let places = tiles.iter().flat_map(|tile| [items(&offsets, *tile), items(&counts, *tile)]);
        let arrays = pieces.fetch(places);
        let mut ranges = Vec::with_capacity(tiles.len());
        for tile in &tiles {
            let (offset, count) = (offset_of.at(*tile)?, count_of.at(*tile)?);
            if offset > 0 && count > 0 {
                ranges.push((offset, count));
            }
        }
        let count = ranges.len() as u64;
        let data = pieces.fetch(ranges);
        Ok(Requests { requests: arrays.requests + data.requests, bytes: arrays.bytes + data.bytes, tiles: count })
    }
}
