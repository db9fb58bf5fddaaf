//! The work on one shard: pixels of its window in; finished tiles, their sizes and the pixels of the next tier out.
//!
//! What comes out is a pure function of the plan and of the pixels: not of threads, nor of how often a shard is
//! encoded, nor of what became of other shards.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::executor::Executor;
use crate::grid::{Rectangle, SectionId, TileId};
use crate::message::{Kind, Message, Reader, checksum, digest};
use crate::plan::{CogPlan, ShardId, ShardPlan, TileLen, TileLens};
use crate::pyramid::LevelRows;
use crate::statistics::pack;
use crate::view::PixelSource;

use super::BATCH_BYTES;
use super::pixels::ShardPixels;
use super::rows::{EncodedTile, RowEncoder, TakeTiles};

const RECORD: Kind = Kind { code: 3, name: "the record of a shard" };

/// What comes of a shard.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ShardOutput {
    /// What the file's header needs: sizes and checksums of the tiles, and with statistics the sums of the pixels. Small:
    /// four bytes a tile, a few for each row of tiles, and for statistics 0.1 KiB a band (at most 0.9 KiB for f64).
    pub record: ShardRecord,
    /// The finished tiles, to be kept wherever [`Piece`](super::Piece) finds them again: section by section, each row
    /// by row.
    pub fragment: Vec<u8>,
    /// The pixels of the level that the next tier starts with; none in the last tier.
    pub pixels: Option<ShardPixels>,
}

/// The sizes and checksums of a shard's tiles, and the sums that statistics are computed from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardRecord {
    pub(super) id: ShardId,
    /// The plan of shards that it belongs to.
    pub(super) plan: u64,
    /// The payload's size of each tile, in the order of the fragment.
    pub(super) sizes: TileLens,
    /// The checksum of each run: the tiles of a section in one row of tiles.
    pub(super) checksums: Vec<u32>,
    /// The packed sums of the shard's own pixels of full resolution; empty in later tiers and without statistics.
    pub(super) sums: Vec<u8>,
}

impl ShardRecord {
    /// The shard.
    #[must_use]
    pub fn id(&self) -> ShardId {
        self.id
    }

    /// Bytes of the fragment.
    #[must_use]
    pub fn fragment_bytes(&self) -> u64 {
        self.sizes.iter().map(TileLen::framed_len).sum()
    }

    /// A number that tells fragments of one shard apart, should two attempts at it ever differ.
    #[must_use]
    pub fn digest(&self) -> u64 {
        digest(&self.to_bytes())
    }

    /// The record as bytes, for another process or machine.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut message = Message::new(RECORD);
        self.put(&mut message);
        message.seal()
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) where the bytes are not whole or come from another version of
    /// this library.
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
    }

    pub(super) fn take(reader: &mut Reader<'_>) -> Result<Self> {
        Ok(Self {
            id: take_id(reader)?,
            plan: reader.u64()?,
            sizes: TileLens::take(reader)?,
            checksums: reader.list(Reader::u32)?,
            sums: reader.bytes()?.to_vec(),
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

/// The tiles of a section in one row of tiles of a shard: what lies together in fragment and file.
pub(super) struct Run {
    pub(super) section: SectionId,
    pub(super) row: u32,
    pub(super) columns: std::ops::Range<u32>,
}

impl Run {
    /// The tiles, in file order.
    pub(super) fn tiles(&self, plan: &CogPlan) -> impl Iterator<Item = TileId> + use<> {
        plan.grid().section_row_tiles(self.section, self.row, self.columns.clone())
    }
}

/// The runs of a shard, in the order of its fragment: level by level, section by section, row by row.
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

/// Encodes a shard. `source` gives the pixels of [`Shard::source`](crate::plan::Shard::source): an image of just that
/// width and height, row by row from its top, with the bands, type and mask of the plan. For the first tier that is a part
/// of the image; for others, [`Mosaic`](super::Mosaic) puts it together.
///
/// # Memory
/// As [`CogEncoder`](crate::CogEncoder) for an image of the window's width, and what is returned.
///
/// # Errors
/// [`ErrorKind::Shards`](crate::ErrorKind::Shards) where the plan has no such shard;
/// [`ErrorKind::InvalidImage`](crate::ErrorKind::InvalidImage) where the source is not as the shard needs it; what the
/// source returns; [`ErrorKind::TileEncode`](crate::ErrorKind::TileEncode) for a tile that can't be encoded;
/// [`ErrorKind::OutOfMemory`](crate::ErrorKind::OutOfMemory).
pub fn encode_shard(
    shards: &ShardPlan,
    id: ShardId,
    source: &mut dyn PixelSource,
    executor: &Executor,
) -> Result<ShardOutput> {
    let shard = shards.shard(id)?;
    let plan = shards.plan();
    let window = shard.source();
    check_source(plan, (window.width(), window.height()), &format!("shard {id}"), source)?;
    let mut rows = RowEncoder::new(plan.clone(), shard.share().clone(), executor.clone(), BATCH_BYTES)?;
    let mut pixels = shard.result().map(|(level, part)| ShardPixels::empty(shards, id, (level, part.clone())));
    // Within a section tiles are finished in file order; which section comes first depends on batches.
    let mut sections = Sections::new();
    while rows.rows_left() > 0 {
        rows.take_rows_from(source, rows.rows_wanted())?;
        if let Some(pixels) = pixels.as_mut().filter(|pixels| !pixels.part().is_empty()) {
            pixels.append(rows.level(pixels.level()))?;
        }
        rows.encode_waiting(None, &mut sections)?;
    }
    let (mut fragment, mut sizes) = (Vec::new(), TileLens::default());
    for (bytes, of_section) in sections.into_values() {
        // The first is most of it: it is not copied.
        if fragment.is_empty() {
            fragment = bytes
        } else {
            fragment.extend_from_slice(&bytes)
        }
        sizes.append(&of_section);
    }
    let checksums = checksums(shards, id, &sizes, &fragment)?;
    let record = ShardRecord { id, plan: shards.digest(), sizes, checksums, sums: pack(rows.take_sums()) };
    Ok(ShardOutput { record, fragment, pixels })
}

/// The tiles of each section with their sizes.
type Sections = BTreeMap<SectionId, (Vec<u8>, TileLens)>;

impl TakeTiles for Sections {
    fn take(&mut self, rows: &RowEncoder, tile: EncodedTile) -> Result<()> {
        let (bytes, sizes) = self.entry(tile.section).or_default();
        bytes.extend_from_slice(&tile.bytes);
        sizes.push(tile.size);
        rows.buffers.give(tile.bytes);
        Ok(())
    }
}

/// The checksum of each run.
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

/// Checks that a source gives what a part of the image of a plan needs.
pub(super) fn check_source(
    plan: &CogPlan,
    (width, height): (u32, u32),
    part: &str,
    source: &dyn PixelSource,
) -> Result<()> {
    let (given, planned) = (source.spec(), plan.spec());
    let got = (given.width, given.height, given.bands, given.data_type, given.mask);
    let needed = (width, height, planned.bands, planned.data_type, planned.mask);
    if got == needed {
        return Ok(());
    }
    let say = |(width, height, bands, data_type, mask): (u32, u32, u16, crate::sample::DataType, bool)| {
        format!("{width}x{height}, {bands} bands, {data_type}, {} mask", if mask { "with" } else { "without" })
    };
    Err(Error::image(format!("the source gives {}, {part} needs {}", say(got), say(needed))))
}

impl ShardPixels {
    /// Takes the rows behind those it has.
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
