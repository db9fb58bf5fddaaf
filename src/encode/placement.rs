//! The order of a file's bytes by shards, which follows from the plan alone: sizes are known only from the records.

use crate::error::Result;
use crate::grid::SectionId;
use crate::plan::{ShardId, ShardPlan};

use super::shard::{Run, ShardRecord, runs};

/// The tiles of a shard in one row of a section, at their place in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlannedRun {
    /// The section of the tiles.
    pub section: SectionId,
    /// The shard that encodes the tiles.
    pub shard: ShardId,
    /// The position of the run among those of the shard's fragment; [`ShardRecord::run_starts`] gives its bytes.
    pub index: usize,
    /// An upper bound of its size in bytes, which follows from the size before compression.
    pub max_bytes: u64,
}

impl ShardPlan {
    /// Returns all runs in file order. The pieces of an [`Assembly`](super::Assembly) have the same order, so tasks that
    /// place or send bytes can be divided before anything is encoded.
    pub fn runs(&self) -> impl Iterator<Item = PlannedRun> {
        self.plan().sections().flat_map(move |section| {
            let (tier, rows, columns) = self.tier_of(section.level);
            rows.flat_map(move |row| {
                let columns = columns.clone();
                self.row_of_shards(section, columns.map(move |column| ShardId { tier, row, column }).collect())
            })
        })
    }

    /// Returns the runs of a section from a row of shards.
    fn row_of_shards(&self, section: SectionId, ids: Vec<ShardId>) -> impl Iterator<Item = PlannedRun> {
        // The rows of tiles are the same in the whole row of shards.
        let first = ids.first().and_then(|id| self.shard_tiles(*id, section.level).ok());
        let rows = first.map_or(0..0, |tiles| tiles.rows);
        let places: Vec<_> = ids
            .into_iter()
            .filter_map(|id| {
                let columns = self.shard_tiles(id, section.level).ok()?.columns;
                (!columns.is_empty()).then_some((id, columns.len() as u64, self.runs_before(id, section).ok()?))
            })
            .collect();
        // Tiles of a plane have the same bound in all places.
        let place = Run { section, row: 0, columns: 0..1 }.tiles(self.plan());
        let place_bytes = place.map(|tile| self.plan().max_tile_len(tile).framed_len()).fold(0, u64::saturating_add);
        (0..rows.len()).flat_map(move |row| {
            let run = move |(shard, columns, before): (ShardId, u64, usize)| PlannedRun {
                section,
                shard,
                index: before + row,
                max_bytes: place_bytes.saturating_mul(columns),
            };
            places.clone().into_iter().map(run)
        })
    }

    /// Returns the number of runs of a shard before those of a section.
    fn runs_before(&self, id: ShardId, section: SectionId) -> Result<usize> {
        let grid = self.plan().grid();
        let mut before = 0;
        for level in self.levels_of(id)?.take_while(|&level| level <= section.level) {
            let rows = self.shard_tiles(id, level)?.rows.len();
            before += grid.sections(level).take_while(|other| *other < section).count() * rows;
        }
        Ok(before)
    }
}

impl ShardRecord {
    /// Returns the start of each run of the shard in its fragment, and the end of the last one.
    ///
    /// # Errors
    /// [`ErrorKind::Shards`](crate::ErrorKind::Shards) if the plan has no such shard.
    pub fn run_starts(&self, shards: &ShardPlan) -> Result<Vec<u64>> {
        let mut sizes = self.sizes.iter();
        let (mut starts, mut end) = (vec![0], 0);
        for run in runs(shards, self.id)? {
            let tiles = run.tiles(shards.plan()).zip(&mut sizes);
            end += tiles.map(|(_, size)| size.framed_len()).sum::<u64>();
            starts.push(end);
        }
        Ok(starts)
    }
}
