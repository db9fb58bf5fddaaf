//! The tiles that updates touch.

use std::collections::BTreeSet;

use crate::plan::{CogPlan, Share};

use super::super::pyramid::Pyramid;
use super::options::PatchedLevel;

/// The places of the tiles that are encoded, level by level.
pub(super) struct Touched {
    /// Row and column.
    places: Vec<BTreeSet<(u32, u32)>>,
}

impl Touched {
    pub(super) fn new(plan: &CogPlan) -> Self {
        Self { places: vec![BTreeSet::new(); plan.levels().len()] }
    }

    /// Adds the tiles of a share.
    pub(super) fn add(&mut self, share: &Share) {
        for level in &share.levels {
            if let Some(places) = self.places.get_mut(level.level.index) {
                let columns = level.tiles.columns.clone();
                places
                    .extend(level.tiles.rows.clone().flat_map(|row| columns.clone().map(move |column| (row, column))));
            }
        }
    }

    /// Returns the numbers of tiles of each level, once they are in the pyramid.
    pub(super) fn levels(&self, pyramid: &Pyramid) -> Vec<PatchedLevel> {
        let mut levels: Vec<PatchedLevel> = pyramid
            .levels
            .iter()
            .map(|one| PatchedLevel { width: one.level.width, height: one.level.height, encoded: 0, copied: 0 })
            .collect();
        for tile in pyramid.tiles() {
            let (Some(level), Some(places)) = (levels.get_mut(tile.level), self.places.get(tile.level)) else {
                continue;
            };
            if places.contains(&(tile.row, tile.column)) {
                level.encoded += 1;
            } else if pyramid.tile(tile).2 > 0 {
                level.copied += 1;
            }
        }
        levels
    }
}
