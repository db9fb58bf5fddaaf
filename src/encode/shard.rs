//! Encoding of one shard: takes the pixels of its window; returns finished tiles, their sizes, and the pixels for the
//! next tier.
//!
//! The output depends only on the plan and the pixels: not on threads, on how often a shard is encoded, or on other
//! shards.

use std::collections::BTreeMap;

use crate::codec::TileLoss;
use crate::error::{Error, Result};
use crate::executor::Executor;
use crate::grid::{Rectangle, SectionId, TileId};
use crate::message::{Kind, Message, Reader, checksum, digest};
use crate::plan::{CogPlan, Losses, ShardId, ShardPlan, TileLen, TileLens};
use crate::pyramid::LevelRows;
use crate::spec::ImageSpec;
use crate::statistics::pack;
use crate::view::PixelSource;

use super::BATCH_BYTES;
use super::drive::{Backlog, Event, encode_batch};
use super::pixels::ShardPixels;
use super::rows::RowEncoder;

const RECORD: Kind = Kind { code: 3, name: "the record of a shard" };

/// The result of encoding a shard.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ShardOutput {
    /// The input of the file's header: sizes and checksums of the tiles, and with statistics the sums of the pixels.
    /// Small: four bytes per tile, a few for each row of tiles, and for statistics 0.1 KiB per band (at most 0.9 KiB
    /// for f64).
    pub record: ShardRecord,
    /// The finished tiles, section by section and row by row, to be stored where [`Piece`](super::Piece) can refer to
    /// them.
    pub fragment: Vec<u8>,
    /// The pixels of the first level of the next tier; `None` in the last tier.
    pub pixels: Option<ShardPixels>,
}

/// The sizes and checksums of a shard's tiles, and the sums for statistics.
#[derive(Debug, Clone, PartialEq)]
pub struct ShardRecord {
    pub(super) id: ShardId,
    /// The digest of the shard plan.
    pub(super) plan: u64,
    /// The payload size of each tile, in the order of the fragment.
    pub(super) sizes: TileLens,
    /// The checksum of each run: the tiles of a section in one row of tiles.
    pub(super) checksums: Vec<u32>,
    /// The packed sums of the shard's own full-resolution pixels; empty in later tiers and without statistics.
    pub(super) sums: Vec<u8>,
    /// The losses of lossy codecs.
    pub(super) losses: Losses,
}

impl ShardRecord {
    /// Returns the shard.
    #[must_use]
    pub fn id(&self) -> ShardId {
        self.id
    }

    /// Returns the size of the fragment in bytes.
    #[must_use]
    pub fn fragment_bytes(&self) -> u64 {
        self.sizes.iter().map(TileLen::framed_len).sum()
    }

    /// Returns a number that distinguishes fragments of one shard, in case two attempts at it ever differ.
    #[must_use]
    pub fn digest(&self) -> u64 {
        digest(&self.to_bytes())
    }

    /// Serializes the record, for another process or machine.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut message = Message::new(RECORD);
        self.put(&mut message);
        message.seal()
    }

    /// Deserializes the output of [`to_bytes`](Self::to_bytes).
    ///
    /// # Errors
    /// Returns [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) if the bytes are incomplete, damaged, or from another
    /// version of this library.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::open(RECORD, bytes)?;
        let record = Self::take(&mut reader)?;
        reader.end()?;
        Ok(record)
    }

    pub(super) fn put(&self, message: &mut Message) {
        put_id(message, self.id);
        message.u64(self.plan);
        self.sizes.put(message);
        message.list(&self.checksums, |message, checksum| message.u32(*checksum));
        message.bytes(&self.sums);
        message.list(&self.losses.levels, |message, loss| {
            message.u64(loss.tiles);
            message.u64(loss.samples);
            message.f64(loss.squared);
            message.f64(loss.max);
            message.u64(loss.bytes);
            message.u64(loss.bytes_with_nan);
        });
        message.u64(self.losses.nodata_samples);
        message.u64(self.losses.masked_tiles);
    }

    pub(super) fn take(reader: &mut Reader<'_>) -> Result<Self> {
        Ok(Self {
            id: take_id(reader)?,
            plan: reader.u64()?,
            sizes: TileLens::take(reader)?,
            checksums: reader.list(Reader::u32)?,
            sums: reader.bytes()?.to_vec(),
            losses: Losses {
                levels: reader.list(|reader| {
                    let (tiles, samples) = (reader.u64()?, reader.u64()?);
                    let (squared, max) = (reader.f64()?, reader.f64()?);
                    Ok(TileLoss { tiles, samples, squared, max, bytes: reader.u64()?, bytes_with_nan: reader.u64()? })
                })?,
                nodata_samples: reader.u64()?,
                masked_tiles: reader.u64()?,
            },
        })
    }
}

pub(super) fn put_id(message: &mut Message, id: ShardId) {
    message.u32(id.tier);
    message.u32(id.row);
    message.u32(id.column);
}

pub(super) fn take_id(reader: &mut Reader<'_>) -> Result<ShardId> {
    Ok(ShardId { tier: reader.u32()?, row: reader.u32()?, column: reader.u32()? })
}

/// The tiles of a section in one row of tiles of a shard: contiguous both in the fragment and in the file.
pub(super) struct Run {
    pub(super) section: SectionId,
    pub(super) row: u32,
    pub(super) columns: std::ops::Range<u32>,
}

impl Run {
    /// Returns the tiles, in file order.
    pub(super) fn tiles(&self, plan: &CogPlan) -> impl Iterator<Item = TileId> + use<> {
        plan.grid().section_row_tiles(self.section, self.row, self.columns.clone())
    }
}

/// Returns the runs of a shard, in the order of its fragment: level by level, section by section, row by row.
pub(super) fn runs(shards: &ShardPlan, id: ShardId) -> Result<Vec<Run>> {
    let grid = shards.plan().grid();
    let mut runs = Vec::new();
    for level in shards.levels_of(id)? {
        let Rectangle { rows, columns } = shards.shard_tiles(id, level)?;
        for section in grid.sections(level) {
            runs.extend(rows.clone().map(|row| Run { section, row, columns: columns.clone() }));
        }
    }
    Ok(runs)
}

/// Encodes a shard. `source` provides the pixels of [`Shard::source`](crate::distributed::Shard::source): an image of exactly
/// that width and height, row by row from its top, with the bands, type, and mask of the plan. In the first tier, that
/// is a part of the image; in other tiers, [`Mosaic`](super::Mosaic) assembles it.
///
/// # Memory
/// The same as [`CogEncoder`](crate::CogEncoder) for an image of the window's width, plus the result.
///
/// # Errors
/// Returns [`ErrorKind::Shards`](crate::ErrorKind::Shards) if the plan has no such shard,
/// [`ErrorKind::InvalidImage`](crate::ErrorKind::InvalidImage) if the source does not match the shard,
/// [`ErrorKind::TileEncode`](crate::ErrorKind::TileEncode) if a tile cannot be encoded,
/// [`ErrorKind::OutOfMemory`](crate::ErrorKind::OutOfMemory), or the error of the source.
pub fn encode_shard(
    shards: &ShardPlan,
    id: ShardId,
    source: &mut dyn PixelSource,
    executor: &Executor,
) -> Result<ShardOutput> {
    let shard = shards.shard(id)?;
    let plan = shards.plan();
    let window = shard.source();
    let is_first = id.tier == 0;
    let planned = if is_first { plan.source_spec() } else { plan.spec() };
    check_source(planned, (window.width(), window.height()), &format!("shard {id}"), source)?;
    let mut rows = RowEncoder::new(plan.clone(), shard.share().clone(), executor.clone(), BATCH_BYTES)?;
    if !is_first {
        // The mask was made from full resolution.
        rows.take_masks();
    }
    let mut pixels = shard.result().map(|(level, part)| ShardPixels::empty(shards, id, (level, part.clone())));
    // Within a section tiles are finished in file order; which section comes first depends on batches.
    let mut sections: BTreeMap<SectionId, (Vec<u8>, TileLens)> = BTreeMap::new();
    let mut losses = Losses::default();
    let mut keep = |_: &RowEncoder, event: Event<'_>| {
        if let Event::Tile(tile) = event {
            losses.merge(&tile.losses);
            let (bytes, sizes) = sections.entry(tile.section).or_default();
            bytes.extend_from_slice(&tile.bytes);
            sizes.push(tile.size);
        }
        Ok(Backlog::Empty)
    };
    while rows.rows_left() > 0 {
        rows.take_rows_from(source, rows.rows_wanted())?;
        if let Some(pixels) = pixels.as_mut().filter(|pixels| !pixels.part().is_empty()) {
            pixels.append(rows.level(pixels.level()))?;
        }
        encode_batch(&mut rows, None, &mut keep)?;
    }
    let (mut fragment, mut sizes) = (Vec::new(), TileLens::default());
    for (bytes, of_section) in sections.into_values() {
        // The first section has most of the bytes, so it is moved, not copied.
        if fragment.is_empty() {
            fragment = bytes
        } else {
            fragment.extend_from_slice(&bytes)
        }
        sizes.append(&of_section);
    }
    let checksums = checksums(shards, id, &sizes, &fragment)?;
    let record = ShardRecord { id, plan: shards.digest(), sizes, checksums, sums: pack(rows.take_sums()), losses };
    Ok(ShardOutput { record, fragment, pixels })
}

/// Computes the checksum of each run.
fn checksums(shards: &ShardPlan, id: ShardId, sizes: &TileLens, fragment: &[u8]) -> Result<Vec<u32>> {
    let failed = || Error::shards(format!("shard {id}"), "a tile was not encoded");
    let (mut sizes, mut rest) = (sizes.iter(), fragment);
    let mut checksums = Vec::new();
    for run in runs(shards, id)? {
        let tiles = run.tiles(shards.plan()).map(|_| sizes.next().map(TileLen::framed_len));
        let bytes = tiles.sum::<Option<u64>>().and_then(|bytes| usize::try_from(bytes).ok()).ok_or_else(failed)?;
        let (bytes, after) = rest.split_at_checked(bytes).ok_or_else(failed)?;
        checksums.push(checksum(bytes));
        rest = after;
    }
    if sizes.next().is_some() || !rest.is_empty() { Err(failed()) } else { Ok(checksums) }
}

/// Checks that a source matches a part of an image, whose pixels `planned` describes.
pub(crate) fn check_source(
    planned: &ImageSpec,
    (width, height): (u32, u32),
    part: &str,
    source: &dyn PixelSource,
) -> Result<()> {
    let given = source.spec();
    let got = (given.width, given.height, given.bands, given.data_type, given.mask);
    let needed = (width, height, planned.bands, planned.data_type, planned.mask);
    if got == needed {
        return Ok(());
    }
    let say = |(width, height, bands, data_type, mask): (u32, u32, u16, crate::sample::DataType, bool)| {
        format!("{width}x{height}, {bands} bands, {data_type}, {} mask", if mask { "with" } else { "without" })
    };
    Err(Error::image(format!("the source has {}, but {part} needs {}", say(got), say(needed))))
}

impl ShardPixels {
    /// Appends the rows after the ones it has.
    fn append(&mut self, rows: &LevelRows) -> Result<()> {
        let next = self.next_row();
        if rows.end() > next {
            let planes = (0..self.planes.len()).map(|plane| rows.plane_from(plane, next)).collect::<Vec<_>>();
            let mask = rows.mask_from(next);
            self.push(&planes, mask, (rows.end() - next) as usize)?;
        }
        Ok(())
    }
}
