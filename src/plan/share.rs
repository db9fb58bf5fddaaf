//! The work of one encoder: for each level, the tiles to make and the pixels to hold, for a whole image or a shard.

use std::ops::Range;

#[cfg(all(feature = "geotiff", feature = "mosaic"))]
use crate::grid::TileId;
use crate::grid::{Level, Rectangle};
#[cfg(all(feature = "geotiff", feature = "mosaic"))]
use crate::options::Resampling;

use super::CogPlan;
#[cfg(all(feature = "geotiff", feature = "mosaic"))]
use super::window::dependent_range;
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
    /// The pixels of the window that are computed from the level before, or arrive if this is the first one. All of them,
    /// unless the others are supplied ([`Share::of_change`]).
    pub(crate) computed: Rectangle,
}

impl Share {
    /// Returns the share of a whole image.
    pub(crate) fn whole(plan: &CogPlan) -> Self {
        Self::levels(plan, 0..plan.levels().len())
    }

    /// Returns the share of consecutive whole levels.
    pub(crate) fn levels(plan: &CogPlan, indices: Range<usize>) -> Self {
        let whole = |level: &Level| LevelShare::new(*level, level.all_tiles(), level.all_pixels());
        Self { levels: plan.levels().iter().take(indices.end).skip(indices.start).map(whole).collect() }
    }

    /// Returns the share of some columns of the first tile row of full resolution, without its overviews.
    pub(crate) fn first_tiles(plan: &CogPlan, columns: Range<u32>) -> Self {
        let level = plan.levels()[0];
        let tiles = Rectangle { rows: 0..1, columns };
        let window = level.pixels_of(&tiles);
        Self { levels: vec![LevelShare::new(level, tiles, window)] }
    }

    /// Returns the share that encodes all tiles, of every level, that depend on certain pixels of full resolution. The
    /// windows consist of whole tiles; their other pixels have to be supplied.
    #[cfg(all(feature = "geotiff", feature = "mosaic"))]
    pub(crate) fn of_change(plan: &CogPlan, changed: &Rectangle) -> Self {
        let mut changed = changed.clone();
        let mut levels = Vec::new();
        for (index, level) in plan.levels().iter().enumerate() {
            if changed.is_empty() {
                break;
            }
            let tiles = level.tiles_of(&changed);
            let (mut held, mut dependent) = (level.pixels_of(&tiles), Rectangle { columns: 0..0, rows: 0..0 });
            if let Some(next) = plan.levels().get(index + 1) {
                let [columns, rows] = level.axes_to(next);
                let both = |of: fn(&Axis, &[Resampling], &Range<u32>) -> Range<u32>, from: &Rectangle| Rectangle {
                    columns: of(&columns, plan.resampling(), &from.columns),
                    rows: of(&rows, plan.resampling(), &from.rows),
                };
                dependent = both(dependent_range, &changed);
                if !dependent.is_empty() {
                    held = held.hull(&both(source_range, &dependent));
                }
            }
            let window = level.pixels_of(&level.tiles_of(&held));
            levels.push(LevelShare { level: *level, tiles, window, computed: changed });
            changed = dependent;
        }
        Self { levels }
    }

    /// Returns the share of one tile, without its overviews.
    #[cfg(all(feature = "geotiff", feature = "mosaic"))]
    pub(crate) fn tile(plan: &CogPlan, tile: TileId) -> Self {
        let level = plan.levels()[tile.level];
        let tiles = Rectangle { rows: tile.row..tile.row + 1, columns: tile.column..tile.column + 1 };
        let window = level.pixels_of(&tiles);
        Self { levels: vec![LevelShare::new(level, tiles, window)] }
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
                levels.push(LevelShare::new(*level, tiles, window));
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

impl LevelShare {
    /// Returns the share of the same tiles that computes a window of its own.
    pub(crate) fn with_window(&self, window: Rectangle) -> Self {
        Self::new(self.level, self.tiles.clone(), window)
    }

    /// Returns the share of a level whose pixels are all computed.
    fn new(level: Level, tiles: Rectangle, window: Rectangle) -> Self {
        Self { level, tiles, computed: window.clone(), window }
    }
}

impl Level {
    /// Returns the tiles that contain any of the pixels of a rectangle, which is not empty.
    #[cfg(all(feature = "geotiff", feature = "mosaic"))]
    pub(crate) fn tiles_of(&self, pixels: &Rectangle) -> Rectangle {
        let part = |pixels: &Range<u32>, side: u32| pixels.start / side..pixels.end.div_ceil(side);
        Rectangle {
            columns: part(&pixels.columns, self.tile_size.width),
            rows: part(&pixels.rows, self.tile_size.height),
        }
    }

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
