//! What one encoder works on: for each level the tiles that it makes and the pixels that it holds. A whole image, or a
//! shard of one.

use crate::grid::{Level, Rectangle};

use super::CogPlan;
use super::window::{Axis, source_range};

/// Consecutive levels of an image, or of a part of it: pixels of the first one come in.
#[derive(Debug, Clone)]
pub(crate) struct Share {
    /// At least one level; a finer one holds all pixels that the next one needs.
    pub(crate) levels: Vec<LevelShare>,
}

/// The part of a level.
#[derive(Debug, Clone)]
pub(crate) struct LevelShare {
    /// The level.
    pub(crate) level: Level,
    /// The tiles that are made, counted in tiles.
    pub(crate) tiles: Rectangle,
    /// The pixels that are held.
    pub(crate) window: Rectangle,
}

impl Share {
    /// A whole image.
    pub(crate) fn whole(plan: &CogPlan) -> Self {
        let levels = plan.levels().iter();
        let whole = |level: &Level| LevelShare { level: *level, tiles: level.all_tiles(), window: level.all_pixels() };
        Self { levels: levels.map(whole).collect() }
    }

    /// A whole level, and nothing of those after it.
    pub(crate) fn level(plan: &CogPlan, index: usize) -> Self {
        let whole = |level: &Level| LevelShare { level: *level, tiles: level.all_tiles(), window: level.all_pixels() };
        Self { levels: plan.levels().iter().skip(index).take(1).map(whole).collect() }
    }

    /// The first row of tiles of full resolution, and nothing of its overviews.
    pub(crate) fn first_tiles(plan: &CogPlan) -> Self {
        let level = plan.levels()[0];
        let tiles = Rectangle { rows: 0..1, ..level.all_tiles() };
        let window = level.pixels_of(&tiles);
        Self { levels: vec![LevelShare { level, tiles, window }] }
    }

    /// The share that makes certain pixels of each level, from the one with the number `base` on: `made` are for each
    /// level the tiles to encode, and the pixels that those and whatever comes after it ask for.
    pub(super) fn of(plan: &CogPlan, base: usize, made: Vec<(Rectangle, Rectangle)>) -> Self {
        let mut levels: Vec<LevelShare> = Vec::with_capacity(made.len());
        for (level, (tiles, pixels)) in plan.levels()[base..].iter().zip(made).rev() {
            // Levels are gone through from the coarsest one; the one before this in the list is the next coarser.
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

    /// The number of the first level.
    pub(crate) fn base(&self) -> usize {
        self.levels.first().map_or(0, |share| share.level.index)
    }
}

impl Level {
    /// All tiles of a plane, counted in tiles.
    pub(crate) fn all_tiles(&self) -> Rectangle {
        Rectangle { columns: 0..self.tile_columns(), rows: 0..self.tile_rows() }
    }

    /// All pixels.
    pub(crate) fn all_pixels(&self) -> Rectangle {
        Rectangle { columns: 0..self.width, rows: 0..self.height }
    }

    /// The pixels of a rectangle of tiles.
    pub(crate) fn pixels_of(&self, tiles: &Rectangle) -> Rectangle {
        let part = |tiles: &std::ops::Range<u32>, side: u32, end: u32| {
            tiles.start.saturating_mul(side).min(end)..tiles.end.saturating_mul(side).min(end)
        };
        Rectangle {
            columns: part(&tiles.columns, self.tile_size.width, self.width),
            rows: part(&tiles.rows, self.tile_size.height, self.height),
        }
    }

    /// The mapping of columns, and that of rows, to the next coarser level.
    pub(crate) fn axes_to(&self, next: &Self) -> [Axis; 2] {
        let rows = Axis::new(self.height, next.height);
        [Axis::new(self.width, next.width).across(&rows), rows]
    }
}
