//! Cells: the parts of an overview that are compared, and the pixels of a finer level that they can come from.

use super::footprint::{Window, Windows};
use super::image::Image;

/// Columns and rows of a cell, in pixels of the overview.
const CELL: u64 = 16;
/// Reach of kernels beyond the cell, in overview pixels: three for Lanczos, and one for drift.
const MARGIN: u64 = 4;
/// Maximum number of overview tiles compared in full checks, spread evenly.
const MAX_TILES: u64 = 4096;
/// Maximum number of tiles of a level that quick checks decode for one cell.
const MAX_QUICK_TILES: usize = 9;

/// Returns a cell of the usual size.
pub(super) fn nominal(image: &Image) -> Window {
    let (width, height) = (image.width.min(CELL), image.height.min(CELL));
    Window { left: (image.width - width) / 2, top: (image.height - height) / 2, width, height }
}

/// Returns true if quick checks decode the tiles of a level under a window, because there are few enough.
pub(super) fn is_quick(image: &Image, window: &Window) -> bool {
    Windows::tiles(image, window).nth(MAX_QUICK_TILES).is_none()
}

/// Returns the cells of an overview to compare, row by row: four per tile, fewer where the image ends within it.
pub(super) fn cells(image: &Image, capacity: u64, quick: bool) -> Vec<Window> {
    let per_plane = image.per_plane();
    let step = per_plane.div_ceil((capacity / 4).clamp(1, MAX_TILES)).max(1);
    let mut tiles: Vec<u64> = Vec::new();
    if quick {
        tiles.extend([0, per_plane / 2]);
        tiles.dedup();
    } else {
        tiles.extend((0..per_plane).step_by(usize::try_from(step).unwrap_or(usize::MAX)));
    }
    // Columns and rows of cells per tile.
    let [columns, rows] = match capacity {
        0 => return Vec::new(),
        _ if quick => [1, 1],
        1 => [1, 1],
        2 | 3 => [2, 1],
        _ => [2, 2],
    };
    let across = image.across().max(1);
    let mut cells = Vec::new();
    for tiles in tiles.chunk_by(|one, next| one / across == next / across) {
        let row = tiles.first().map_or(0, |tile| tile / across);
        for (top, height) in starts(row * image.tile_height, image.tile_height, image.height).into_iter().take(rows) {
            for tile in tiles {
                let left = tile % across * image.tile_width;
                let starts = starts(left, image.tile_width, image.width).into_iter().take(columns);
                cells.extend(starts.map(|(left, width)| Window { left, top, width, height }));
            }
        }
    }
    cells
}

/// Returns the start and size of each cell of a tile along one axis.
fn starts(from: u64, tile: u64, side: u64) -> Vec<(u64, u64)> {
    let length = tile.min(side.saturating_sub(from));
    let size = length.min(CELL);
    let quarter = |part: u64| from + (length * part / 4).saturating_sub(size / 2).min(length - size);
    if length <= 2 * CELL {
        vec![(from + (length - size) / 2, size)]
    } else {
        vec![(quarter(1), size), (quarter(3), size)]
    }
}

/// Returns the pixels of a finer level that a cell can come from.
pub(super) fn under(cell: &Window, coarse: &Image, fine: &Image) -> Window {
    let span = |start: u64, length: u64, coarse: u64, fine: u64| {
        let scale =
            |at: u64| u64::try_from(u128::from(at) * u128::from(fine) / u128::from(coarse.max(1))).unwrap_or(fine);
        let from = scale(start.saturating_sub(MARGIN));
        let to = scale(start + length + MARGIN).saturating_add(1).min(fine);
        (from, to.saturating_sub(from))
    };
    let (left, width) = span(cell.left, cell.width, coarse.width, fine.width);
    let (top, height) = span(cell.top, cell.height, coarse.height, fine.height);
    Window { left, top, width, height }
}
