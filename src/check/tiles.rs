//! Checks of single tiles: leaders and trailers, and decoding; the pixels go to the comparison of overviews.

use crate::codec::decode::DecodeError;
use crate::error::Result;
use crate::executor::Executor;

use super::footprint::Piece;
use super::image::Image;
use super::layout::Pyramid;
use super::overviews::{Overviews, Seen};
use super::parse::{Directory, Tiff};
use super::pieces::{self, MAX_TILE_BYTES, TilePlace};
use super::report::{Place, Report};
use super::{CheckOptions, Depth, places, rules};

/// Maximum memory for tiles that are decoded at once, in bytes, unless a single tile takes more.
const BATCH_BYTES: u64 = 64 << 20;
/// Maximum number of tiles that are decoded at once.
const BATCH_TILES: usize = 1024;
/// Minimum cost of a tile, in bytes.
const TILE_COST: u64 = 4096;

/// Properties of tiles promised by GDAL's structural metadata.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Promises {
    pub(super) row_major: bool,
    pub(super) leader: bool,
    pub(super) trailer: bool,
    pub(super) mask_interleaved: bool,
}

/// Checks all tiles of all directories, and compares overviews.
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
    places::check(tiff, directories, images, promises, report)?;
    let pyramid = Pyramid::of(images);
    let levels: Vec<_> = pyramid.levels.iter().map(|level| (*level, pyramid.mask_of(level))).collect();
    // Damaged or overlapping tiles are findings of their own; comparing them adds nothing.
    let is_damaged = |report: &Report| {
        let rules = [&rules::TILE_DECODE, &rules::TILE_OVERLAP, &rules::OVERVIEW_SIZE, &rules::NODATA_DIFFERS];
        rules.iter().any(|rule| report.has(rule))
    };
    let sample_bytes = options.sample_bytes.filter(|_| options.depth == Depth::Quick);
    let compared = if is_damaged(report) || sample_bytes.is_some() { &[][..] } else { &levels };
    let budget = options.limit_for(tiff.length);
    let mut overviews = Overviews::new(compared, options, budget);
    let pass = if options.depth == Depth::Quick { Pass::Sample } else { Pass::All };
    let sample_bytes = sample_bytes.unwrap_or(u64::MAX);
    let mut sweep = Sweep { tiff, promises, pass, executor, budget, sample_bytes, report };
    if sample_bytes < u64::MAX {
        // A COG has the smallest overview right after its header.
        for image in images.iter().rev() {
            sweep.contents(image, &mut overviews)?;
        }
        return Ok(());
    }
    let mut done = vec![false; directories.len()];
    for (index, (level, mask)) in levels.iter().enumerate() {
        overviews.begin(index);
        for image in [*mask, Some(*level)].into_iter().flatten() {
            if !done.get(image.directory).is_some_and(|done| *done) {
                sweep.contents(image, &mut overviews)?;
            }
            done.iter_mut().skip(image.directory).take(1).for_each(|done| *done = true);
        }
        overviews.end();
    }
    for image in images.iter().filter(|image| done.get(image.directory) == Some(&false)) {
        sweep.contents(image, &mut overviews)?;
    }
    if is_damaged(report) {
        return Ok(());
    }
    // Short tiles take some codecs a second attempt; a third would be one too many.
    let is_once = |image: &Image| pieces::is_streamed(image) || !report.has(&rules::TILE_SHORT);
    if let Some((full, mask)) = levels.first()
        && is_once(full)
        && overviews.begin_again()
    {
        // Everything about these tiles has been reported already.
        let (promises, known) = (Promises::default(), &mut Report::default());
        let mut sweep = Sweep { tiff, promises, pass: Pass::Again, executor, budget, sample_bytes, report: known };
        for image in [*mask, Some(*full)].into_iter().flatten() {
            sweep.contents(image, &mut overviews)?;
        }
    }
    overviews.finish(report);
    Ok(())
}

/// The tiles to decode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pass {
    All,
    /// Three per directory, and those needed to compare overviews.
    Sample,
    /// Those needed a second time to compare overviews.
    Again,
}

struct Sweep<'a, 'b> {
    tiff: &'a Tiff<'a>,
    promises: Promises,
    pass: Pass,
    executor: &'b Executor,
    /// Remaining bytes that may be decoded.
    budget: u64,
    /// Remaining bytes of tiles that may be read.
    sample_bytes: u64,
    report: &'b mut Report,
}

/// A tile to check.
#[derive(Debug, Clone, Copy)]
struct Item {
    place: TilePlace,
    decode: bool,
}

/// Results of checking the bytes of a tile.
#[derive(Default)]
struct Judged {
    leader: Option<u64>,
    trailer: bool,
    decoded: bool,
    short: bool,
    damage: Option<String>,
    unjudged: Option<String>,
    seen: Vec<Seen>,
}

impl Sweep<'_, '_> {
    /// Checks the leaders, trailers, and pixels of the tiles of a directory.
    fn contents(&mut self, image: &Image, overviews: &mut Overviews<'_>) -> Result<()> {
        let Some((mut offsets, mut counts)) = image.arrays(self.tiff) else { return Ok(()) };
        let tiles = image.tiles().min(offsets.count).min(counts.count);
        let unjudged = self.cannot_decode(image);
        if unjudged && !(self.promises.leader || self.promises.trailer) {
            return Ok(());
        }
        let is_sample = |tile| tile == 0 || tile == tiles / 2 || tile + 1 == tiles;
        let (mut batch, mut memory): (Vec<Item>, _) = (Vec::new(), 0u64);
        let alpha = alpha_tiles(image);
        let others = (0..tiles).filter(|tile| !alpha.contains(tile));
        for tile in alpha.clone().take_while(|tile| *tile < tiles).chain(others) {
            let wanted = match self.pass {
                Pass::All => true,
                Pass::Sample => is_sample(tile) || overviews.needs(image, tile),
                Pass::Again => overviews.needs(image, tile),
            };
            if !wanted && tile + 1 != alpha.end {
                continue;
            }
            let place = TilePlace { tile, offset: offsets.at(tile)?, count: counts.at(tile)? };
            // With the leader and the trailer.
            let bytes = place.count.saturating_add(8);
            if wanted && bytes <= self.sample_bytes && self.tiff.holds_tile(place.offset, place.count) {
                self.sample_bytes -= bytes;
                let cost = if unjudged { None } else { self.cost(image, place) };
                batch.push(Item { place, decode: cost.is_some() });
                memory = memory.saturating_add(cost.unwrap_or(0));
            }
            if batch.len() >= BATCH_TILES || memory >= BATCH_BYTES || tile + 1 == alpha.end {
                self.judge(image, std::mem::take(&mut batch), overviews)?;
                memory = 0;
            }
        }
        self.judge(image, batch, overviews)
    }

    /// Returns the memory that decoding a tile takes, in bytes; `None` if it is over a limit, which is reported.
    fn cost(&mut self, image: &Image, place: TilePlace) -> Option<u64> {
        let decoded = pieces::decoded_bytes(image, place.tile);
        let cost = place.count.saturating_add(decoded).saturating_add(TILE_COST);
        let at = Place::tile(image.directory, place.tile).at(place.offset);
        let Some(memory) = pieces::memory(image, place) else {
            let (count, codec) = (place.count, image.codec());
            let message = format_args!(
                "its {count} bytes decode to {decoded} bytes; {codec} is limited to {MAX_TILE_BYTES} bytes at once"
            );
            self.report.add(&rules::TILE_UNJUDGED, at, message);
            return None;
        };
        let Some(left) = self.budget.checked_sub(cost) else {
            let message =
                format_args!("the limit on decoded bytes for a file of {} bytes is reached", self.tiff.length);
            self.report.add(&rules::TILE_UNJUDGED, at, message);
            return None;
        };
        self.budget = left;
        Some(memory.saturating_add(TILE_COST))
    }

    /// Returns true if the pixels of a directory cannot be decoded, and reports it unless the tags have errors.
    fn cannot_decode(&mut self, image: &Image) -> bool {
        match &image.format {
            Ok(_) => !image.sound,
            Err(reason) => {
                if image.sound {
                    let place = Place::directory(image.directory).at(image.offset);
                    self.report.add(
                        &rules::TILE_UNJUDGED,
                        place,
                        format_args!("its tiles cannot be decoded: {reason}"),
                    );
                }
                true
            }
        }
    }

    fn judge(&mut self, image: &Image, batch: Vec<Item>, overviews: &mut Overviews<'_>) -> Result<()> {
        let (tiff, promises, shared) = (self.tiff, self.promises, &*overviews);
        // With the leader and the trailer.
        let range =
            |item: &Item| item.place.offset.saturating_sub(4)..(item.place.offset + item.place.count).saturating_add(4);
        tiff.reader.read_ahead(&mut batch.iter().filter(|item| item.decode).map(range));
        let judged = self
            .executor
            .map(batch, |item| judge(tiff, image, promises, item, shared).map(|judged| (item.place, judged)));
        for result in judged {
            let (TilePlace { tile, offset, count }, judged) = result?;
            let place = Place::tile(image.directory, tile).at(offset);
            if let Some(leader) = judged.leader {
                let message = format_args!("the leader is {leader}, but the tile has {count} bytes");
                self.report.add(&rules::TILE_LEADER, place, message);
            }
            if judged.trailer {
                self.report.add(
                    &rules::TILE_TRAILER,
                    place,
                    format_args!("the 4 bytes after it differ from its last 4 bytes"),
                );
            }
            if judged.short {
                self.report.add(&rules::TILE_SHORT, place, format_args!("it ends at the last row of the image"));
            }
            if let Some(reason) = judged.damage {
                self.report.add(&rules::TILE_DECODE, place, format_args!("{reason}"));
            }
            if let Some(reason) = judged.unjudged {
                self.report.add(&rules::TILE_UNJUDGED, place, format_args!("{reason}"));
            }
            self.report.tiles_decoded += u64::from(judged.decoded);
            judged.seen.into_iter().for_each(|seen| overviews.take(seen));
        }
        Ok(())
    }
}

/// Returns the tiles of the alpha plane, which determines the validity of the others; none with pixel interleave.
fn alpha_tiles(image: &Image) -> std::ops::Range<u64> {
    let Some(alpha) = image.alpha().filter(|alpha| image.planar && *alpha < image.samples) else { return 0..0 };
    let first = alpha.saturating_mul(image.per_plane());
    first..first.saturating_add(image.per_plane())
}

/// Checks the bytes of a tile.
fn judge(tiff: &Tiff<'_>, image: &Image, promises: Promises, item: Item, overviews: &Overviews<'_>) -> Result<Judged> {
    let mut judged = Judged::default();
    let TilePlace { offset, count, .. } = item.place;
    if promises.leader {
        // GDAL's leaders are little-endian in any file.
        let leader = tiff.bytes(offset - 4, 4)?;
        let leader = leader.iter().rev().fold(0, |number, byte| (number << 8) | u64::from(*byte));
        judged.leader = (leader != count).then_some(leader);
    }
    let end = offset + count;
    if promises.trailer && count >= 4 {
        judged.trailer = !tiff.holds(end, 4) || {
            let bytes = tiff.bytes(end - 4, 8)?;
            bytes.get(..4) != bytes.get(4..)
        };
    }
    if !item.decode {
        return Ok(judged);
    }
    let mut seen = Vec::new();
    let see = &mut |row, samples: &[u8]| seen.push(overviews.look(&Piece::new(image, item.place.tile, row, samples)));
    match pieces::decode(tiff, image, item.place, see)? {
        Ok(complete) => (judged.decoded, judged.short, judged.seen) = (true, !complete, seen),
        Err(DecodeError::Damaged(reason)) => judged.damage = Some(reason),
        Err(DecodeError::Unsupported(feature)) => judged.unjudged = Some(format!("it cannot be decoded: {feature}")),
        Err(DecodeError::Memory(bytes)) => judged.unjudged = Some(format!("not enough memory for its {bytes} bytes")),
    }
    Ok(judged)
}
