//! The work of one encoder: for each level, the tiles to make and the pixels to hold, for a whole image or a shard.

use std::ops::Range;

use crate::grid::{Level, Rectangle};

use super::CogPlan;
use super::window::{Axis, source_range};

/// Consecutive levels of an image or of a part of it; the encoder receives pixels of the first one.
#[derive(Debug, Clone)]
pub(crate) struct Share {
    /// At least one level; each holds all pixels that the next coarser one needs.
    pub(crate) levels: Vec<LevelShare>,
}

/// The part of a level.
#[derive(Debug, Clone)]
pub(crate) struct LevelShare {
    /// The level.
    pub(crate) level: Level,
    /// The tiles to make, counted in tiles.
    pub(crate) tiles: Rectangle,
    /// The pixels to hold.
    pub(crate) window: Rectangle,
}

impl Share {
    /// Returns the share of a whole image.
    pub(crate) fn whole(plan: &CogPlan) -> Self {
        Self::levels(plan, 0..plan.levels().len())
    }

    /// Returns the share of consecutive whole levels.
    pub(crate) fn levels(plan: &CogPlan, indices: Range<usize>) -> Self {
        let whole = |level: &Level| LevelShare { level: *level, tiles: level.all_tiles(), window: level.all_pixels() };
        Self { levels: plan.levels().iter().take(indices.end).skip(indices.start).map(whole).collect() }
    }

    /// Returns the share of some columns of the first tile row of full resolution, without its overviews.
    pub(crate) fn first_tiles(plan: &CogPlan, columns: Range<u32>) -> Self {
        let level = plan.levels()[0];
        let tiles = Rectangle { rows: 0..1, columns };
        let window = level.pixels_of(&tiles);
        Self { levels: vec![LevelShare { level, tiles, window }] }
    }

    /// Returns the share that makes certain pixels of each level, starting with the level at index `base`. For each
    /// level, `made` has the tiles to encode and the pixels that the tiles and any later step need.
    pub(super) fn of(plan: &CogPlan, base: usize, made: Vec<(Rectangle, Rectangle)>) -> Self {
        let mut levels: Vec<LevelShare> = Vec::with_capacity(made.len());
        for (level, (tiles, pixels)) in plan.levels()[base..].iter().zip(made).rev() {
            // Levels are visited from the coarsest; the last one in the list is the next coarser level.
            let needed = levels.last().map(|next| {
                let [columns, rows] = level.axes_to(&next.level);
                Rectangle {
                    columns: source_range(&columns, plan.resampling(), &next.window.columns),
                    rows: source_range(&rows, plan.resampling(), &next.window.rows),
                }
            });
            let window = needed.map_or(pixels.clone(), |needed| pixels.hull(&needed));
            if !window.is_empty() {
                levels.push(LevelShare { level: *level, tiles, window });
            }
        }
        levels.reverse();
        Self { levels }
    }

    /// Returns the index of the first level.
    pub(crate) fn base(&self) -> usize {
        self.levels.first().map_or(0, |share| share.level.index)
    }
}

impl Level {
    /// Returns all tiles of a plane, counted in tiles.
    pub(crate) fn all_tiles(&self) -> Rectangle {
        Rectangle { columns: 0..self.tile_columns(), rows: 0..self.tile_rows() }
    }

    /// Returns all pixels.
    pub(crate) fn all_pixels(&self) -> Rectangle {
        Rectangle { columns: 0..self.width, rows: 0..self.height }
    }

    /// Returns the pixels of a rectangle of tiles.
    pub(crate) fn pixels_of(&self, tiles: &Rectangle) -> Rectangle {
        let part = |tiles: &Range<u32>, side: u32, end: u32| {
            tiles.start.saturating_mul(side).min(end)..tiles.end.saturating_mul(side).min(end)
        };
        Rectangle {
            columns: part(&tiles.columns, self.tile_size.width, self.width),
            rows: part(&tiles.rows, self.tile_size.height, self.height),
        }
    }

    /// Returns the mappings of columns and of rows to the next coarser level.
    pub(crate) fn axes_to(&self, next: &Self) -> [Axis; 2] {
        let rows = Axis::new(self.height, next.height);
        [Axis::new(self.width, next.width).across(&rows), rows]
    }
}
