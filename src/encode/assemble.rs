//! Assembly of shards: collects their records in any order, then makes the header and the list of which bytes of which
//! fragment go where. To finish a file, a caller only has to place bytes.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::error::{Error, Result};
use crate::grid::SectionId;
use crate::message::{Kind, Message, Reader, checksum};
use crate::plan::{CogPlan, Header, Losses, ShardId, ShardPlan, TileIndex, TileLen};
use crate::statistics::{BandStatistics, BandSums, unpack};

use super::shard::{Run, ShardRecord, runs};

const ASSEMBLER: Kind = Kind { code: 5, name: "records of shards" };
/// The reason for rejecting a record whose tiles are not those of its shard.
const OTHER_TILES: &str = "it does not have the tiles that the plan requires";
/// Maximum number of missing shards that an error lists.
const NAMED: usize = 8;

/// Collects the records of shards. Records may be added and merged in any order and grouping, and repeatedly; the
/// result is the same. Holds four bytes per tile, and a few for each row of tiles of a shard.
#[derive(Debug, Clone)]
pub struct Assembler {
    shards: ShardPlan,
    digest: u64,
    records: BTreeMap<ShardId, ShardRecord>,
}

impl Assembler {
    /// Creates an assembler without records.
    #[must_use]
    pub fn new(shards: &ShardPlan) -> Self {
        Self { digest: shards.digest(), shards: shards.clone(), records: BTreeMap::new() }
    }

    /// Adds a record and returns whether it is new. A repeated record, from a task that ran twice, has no effect.
    ///
    /// # Errors
    /// Returns [`ErrorKind::Shards`](crate::ErrorKind::Shards) if the record belongs to another plan, does not have the
    /// tiles or statistics that the plan requires, has a tile that is larger than its pixels can be, or differs from an
    /// existing record of the same shard.
    pub fn add(&mut self, record: ShardRecord) -> Result<bool> {
        let id = record.id;
        let wrong = |reason: &str| Err(Error::shards(format!("shard {id}"), reason));
        if record.plan != self.digest {
            return wrong("it belongs to another plan");
        }
        if let Some(known) = self.records.get(&id) {
            if *known == record {
                return Ok(false);
            }
            return wrong("two attempts gave different tiles; the source or a machine is unreliable");
        }
        self.check_tiles(&record)?;
        self.check_sums(&record)?;
        self.records.insert(id, record);
        Ok(true)
    }

    /// Checks that a record has the tiles of its shard. The amount read into memory later must follow from the plan, not
    /// from the claims of a record.
    fn check_tiles(&self, record: &ShardRecord) -> Result<()> {
        let wrong = |reason: &str| Err(Error::shards(format!("shard {}", record.id), reason));
        let runs = runs(&self.shards, record.id)?;
        let tiles: u64 = runs.iter().map(|run| tile_count(&self.shards, run)).sum();
        if (record.checksums.len(), record.sizes.len() as u64) != (runs.len(), tiles) {
            return wrong(OTHER_TILES);
        }
        let plan = self.shards.plan();
        if record.losses.levels.len() > plan.levels().len() {
            return wrong(OTHER_TILES);
        }
        let mut sizes = record.sizes.iter();
        for run in &runs {
            for (tile, size) in run.tiles(plan).zip(&mut sizes) {
                match size {
                    TileLen::Bytes(_) if size.framed_len() <= plan.max_tile_len(tile).framed_len() => {}
                    TileLen::Bytes(_) => return wrong("one of its tiles is larger than its pixels can be"),
                    TileLen::Sparse if plan.absent_sample().is_some() => {}
                    TileLen::Unknown | TileLen::Sparse => return wrong(OTHER_TILES),
                }
            }
        }
        Ok(())
    }

    /// Checks that a record has the sums of all pixels of its shard, if the plan asks for statistics.
    fn check_sums(&self, record: &ShardRecord) -> Result<()> {
        let wrong = |reason: String| Error::shards(format!("shard {}", record.id), reason);
        let Some(own) = self.measured_pixels(record.id)? else {
            return if record.sums.is_empty() {
                Ok(())
            } else {
                Err(wrong("it has statistics, which the plan does not ask for".into()))
            };
        };
        let sums = unpack(&record.sums, self.shards.plan().spec()).map_err(|error| wrong(error.to_string()))?;
        let counted = sums.iter().find(|band| band.pixels() != own).map(BandSums::pixels);
        counted.map_or(Ok(()), |counted| {
            Err(wrong(format!("its statistics count {counted} pixels, but the shard has {own}")))
        })
    }

    /// Returns the number of pixels in the statistics of a shard; `None` if it has no statistics.
    fn measured_pixels(&self, id: ShardId) -> Result<Option<u64>> {
        let plan = self.shards.plan();
        let Some(level) = plan.levels().first().filter(|_| plan.statistics() && id.tier == 0) else { return Ok(None) };
        let own = level.pixels_of(&self.shards.shard_tiles(id, 0)?);
        Ok(Some(u64::from(own.width()) * u64::from(own.height())))
    }

    /// Adds all records of another assembler.
    ///
    /// # Errors
    /// The same as for [`add`](Self::add).
    pub fn merge(&mut self, other: Self) -> Result<()> {
        other.records.into_values().try_for_each(|record| self.add(record).map(drop))
    }

    /// Returns the shards whose records are missing.
    pub fn missing(&self) -> impl Iterator<Item = ShardId> {
        self.shards.all_shards().filter(|id| !self.records.contains_key(id))
    }

    /// Serializes the records, for another process or machine.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut message = Message::new(ASSEMBLER);
        let records: Vec<_> = self.records.values().collect();
        message.list(&records, |message, record| record.put(message));
        message.seal()
    }

    /// Deserializes the output of [`to_bytes`](Self::to_bytes), for the same plan.
    ///
    /// # Errors
    /// Returns [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) if the bytes are incomplete, damaged, or from another
    /// version of this library; otherwise the same as [`add`](Self::add).
    pub fn from_bytes(shards: &ShardPlan, bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::open(ASSEMBLER, bytes)?;
        let records = reader.list(ShardRecord::take)?;
        reader.end()?;
        let mut assembler = Self::new(shards);
        records.into_iter().try_for_each(|record| assembler.add(record).map(drop))?;
        Ok(assembler)
    }

    /// Makes the header, once all records have been added.
    ///
    /// # Errors
    /// Returns [`ErrorKind::Shards`](crate::ErrorKind::Shards) with the names of missing shards,
    /// [`ErrorKind::Limit`](crate::ErrorKind::Limit) if classic TIFF was requested and the file is larger than 4 GiB,
    /// and [`ErrorKind::OutOfMemory`](crate::ErrorKind::OutOfMemory) if the tile index does not fit in memory.
    pub fn finish(self) -> Result<Assembly> {
        let absent: Vec<_> = self.missing().collect();
        if !absent.is_empty() {
            return Err(missing(&absent, "their tiles are missing"));
        }
        let plan = self.shards.plan();
        let mut index = TileIndex::new(plan)?;
        let mut parts = BTreeMap::new();
        for (&id, record) in &self.records {
            if self.measured_pixels(id)?.is_some() {
                index.add_sums(unpack(&record.sums, plan.spec())?);
            }
            index.add_losses(&record.losses);
            let mut sizes = record.sizes.iter();
            for run in runs(&self.shards, id)? {
                for (tile, size) in run.tiles(plan).zip(&mut sizes) {
                    index.set(tile, size);
                }
            }
            parts.insert(id, record.run_starts(&self.shards)?);
        }
        let header = plan.header(&index)?;
        let (statistics, losses) = (index.statistics(), index.losses().clone());
        Ok(Assembly { shards: self.shards, records: self.records, starts: parts, header, statistics, losses })
    }
}

/// A file whose header is complete and whose tiles are in fragments.
#[derive(Debug)]
pub struct Assembly {
    shards: ShardPlan,
    records: BTreeMap<ShardId, ShardRecord>,
    /// The start of each run of a shard in its fragment, and the end of the last one.
    starts: BTreeMap<ShardId, Vec<u64>>,
    header: Header,
    statistics: Vec<BandStatistics>,
    losses: Losses,
}

/// Bytes of a fragment that are copied to the file in one piece.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Piece {
    /// The section of the bytes.
    pub section: SectionId,
    /// The shard whose fragment contains the bytes.
    pub shard: ShardId,
    /// The position of the bytes in the fragment.
    pub range: Range<u64>,
    /// The offset of the bytes in the file.
    pub offset: u64,
    checksum: u32,
}

impl Piece {
    /// Returns the number of bytes: tiles of one row, at most as many as the shard is wide.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.range.end - self.range.start
    }

    /// Returns whether there is nothing to copy; never the case for pieces from [`Assembly::pieces`].
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.range.is_empty()
    }

    /// Checks that `bytes` are the ones that the shard produced.
    ///
    /// # Errors
    /// Returns [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) if they differ.
    pub fn check(&self, bytes: &[u8]) -> Result<()> {
        if bytes.len() as u64 == self.len() && checksum(bytes) == self.checksum {
            return Ok(());
        }
        let place = format!("fragment of shard {}, bytes {} to {}", self.shard, self.range.start, self.range.end);
        Err(Error::corrupt(place, "they differ from the shard's output; encode the shard again"))
    }
}

impl Assembly {
    /// Returns the plan of the file.
    #[must_use]
    pub fn plan(&self) -> &CogPlan {
        self.shards.plan()
    }

    /// Returns the bytes before the first tile.
    #[must_use]
    pub fn header(&self) -> &[u8] {
        &self.header.bytes
    }

    /// Returns the size of the whole file in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.header.bytes.len() as u64 + self.header.level_bytes.iter().sum::<u64>()
    }

    /// Returns the statistics of every band; empty unless [enabled](crate::EncodeOptions::statistics).
    #[must_use]
    pub fn statistics(&self) -> &[BandStatistics] {
        &self.statistics
    }

    /// Returns the losses of lossy codecs.
    pub(crate) fn losses(&self) -> &Losses {
        &self.losses
    }

    /// Returns the record of a shard.
    #[must_use]
    pub fn record(&self, shard: ShardId) -> Option<&ShardRecord> {
        self.records.get(&shard)
    }

    /// Returns all pieces after the header, in file order and without gaps.
    pub fn pieces(&self) -> impl Iterator<Item = Piece> {
        let mut offset = self.header.bytes.len() as u64;
        let pieces = self.shards.runs().filter_map(|run| self.piece(run.section, run.shard, run.index));
        pieces.map(move |mut piece| {
            piece.offset = offset;
            offset += piece.len();
            piece
        })
    }

    /// Returns the header and its properties.
    pub(crate) fn made(&self) -> &Header {
        &self.header
    }

    /// Returns the bytes of a run; the offset in the file is filled in later.
    fn piece(&self, section: SectionId, shard: ShardId, run: usize) -> Option<Piece> {
        let starts = self.starts.get(&shard)?;
        let range = *starts.get(run)?..*starts.get(run + 1)?;
        let checksum = *self.records.get(&shard)?.checksums.get(run)?;
        (!range.is_empty()).then_some(Piece { section, shard, range, offset: 0, checksum })
    }
}

fn tile_count(shards: &ShardPlan, run: &Run) -> u64 {
    run.columns.len() as u64 * u64::from(shards.plan().grid().tiles_per_place())
}

/// Returns an error that lists missing shards.
pub(super) fn missing(shards: &[ShardId], reason: &str) -> Error {
    let mut names: Vec<_> = shards.iter().take(NAMED).map(ShardId::to_string).collect();
    if let Some(more @ 1..) = shards.len().checked_sub(NAMED) {
        names.push(format!("{more} more"));
    }
    let noun = if shards.len() == 1 { "shard" } else { "shards" };
    Error::shards(format!("{noun} {}", names.join(", ")), reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode::encode_shard;
    use crate::executor::Executor;
    use crate::geo::{GeoRef, Metadata};
    use crate::options::{EncodeOptions, TileSize};
    use crate::plan::ShardOptions;
    use crate::sample::DataType;
    use crate::spec::ImageSpec;
    use crate::statistics::{no_sums, pack};
    use crate::view::SliceSource;

    /// Returns a plan of one shard, and its record.
    fn one_shard(statistics: bool) -> (ShardPlan, ShardRecord) {
        let spec = ImageSpec::new(40, 20, 1, DataType::U8);
        let options = EncodeOptions { statistics, tile_size: TileSize::square(16), ..EncodeOptions::default() };
        let plan = CogPlan::new(&spec, &GeoRef::default(), &Metadata::default(), &options).unwrap();
        let sides = ShardOptions { width: 64, height: 64, levels: None };
        let shards = ShardPlan::new(plan.with_predictor_by_type(), &sides).unwrap();
        let pixels: Vec<u8> = (0..40u32 * 20).map(|pixel| pixel as u8).collect();
        let id = ShardId { tier: 0, row: 0, column: 0 };
        let mut source = SliceSource::new(spec, &pixels).unwrap();
        let record = encode_shard(&shards, id, &mut source, &Executor::serial()).unwrap().record;
        (shards, record)
    }

    #[test]
    fn records_with_other_tiles_are_refused() {
        let (shards, record) = one_shard(false);
        for (len, expected) in [
            (TileLen::Unknown, OTHER_TILES),
            (TileLen::Sparse, OTHER_TILES),
            (TileLen::new(2000).unwrap(), "larger than its pixels can be"),
        ] {
            let mut changed = record.clone();
            changed.sizes.set(1, len);
            let error = Assembler::new(&shards).add(changed).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        Assembler::new(&shards).add(record).unwrap();
    }

    #[test]
    fn records_with_other_sums_are_refused() {
        let spec = ImageSpec::new(40, 20, 1, DataType::U8);
        let (shards, record) = one_shard(true);
        Assembler::new(&shards).add(record.clone()).unwrap();
        let refusal = |sums: Vec<u8>| {
            let changed = ShardRecord { sums, ..record.clone() };
            Assembler::new(&shards).add(changed).unwrap_err().to_string()
        };
        let none = refusal(Vec::new());
        assert!(none.contains("shard 0/0/0") && none.contains("too short"), "{none}");
        let others = refusal(pack(no_sums(&spec)));
        assert!(others.contains("statistics count 0 pixels") && others.contains("has 800"), "{others}");
        let longer = refusal([record.sums.clone(), vec![0]].concat());
        assert!(longer.contains("too long"), "{longer}");
        // A record that was made without statistics has no sums.
        let (shards, plain) = one_shard(false);
        assert!(plain.sums.is_empty());
        let changed = ShardRecord { sums: record.sums, ..plain };
        let error = Assembler::new(&shards).add(changed).unwrap_err().to_string();
        assert!(error.contains("plan does not ask for"), "{error}");
    }
}
