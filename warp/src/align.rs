//! Target grids whose tiles are those of a tiling scheme, by the rules of GDAL's COG driver.

use crate::affine::{Affine, Grid};
use crate::error::WarpError;
use crate::scheme::TilingScheme;
use crate::suggest::Suggestion;

/// The zoom level when the resolution is between two of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum ZoomStrategy {
    /// The closer one, by the ratio of the resolutions.
    #[default]
    Auto,
    /// The coarser one.
    Lower,
    /// The finer one.
    Upper,
}

/// The number of levels, full resolution included, whose tiles are those of the scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum AlignedLevels {
    /// All levels; the pyramid ends with the first that has at most two tiles across and down. Fewer levels are aligned where the
    /// extent would grow to more than four times that of the raster.
    #[default]
    All,
    /// This many, as with GDAL's `ALIGNED_LEVELS`: at most 10, and at most the zoom level.
    Count(u32),
}

/// Limit of the growth of the area by [`AlignedLevels::All`].
const MAX_GROWTH: f64 = 4.0;
/// GDAL's limit of `ALIGNED_LEVELS`.
const MAX_ALIGNED: u32 = 10;
/// Relative difference of resolutions that does not count, in GDAL's COG driver.
const SAME_RESOLUTION: f64 = 1e-8;
/// Part of a pixel by which a raster may extend beyond a tile, in GDAL's COG driver.
const TOLERANCE: f64 = 0.499;

/// Options of [`align`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AlignOptions {
    /// The zoom level of full resolution; `None` follows from the resolution.
    pub zoom_level: Option<u32>,
    /// The choice of the zoom level.
    pub strategy: ZoomStrategy,
    /// The number of aligned levels.
    pub aligned_levels: AlignedLevels,
    /// Side of a tile in pixels; `None` is the scheme's. Twice the scheme's side has half its pixel size at the same zoom level.
    pub tile_size: Option<u32>,
}

/// A target grid made of tiles of a scheme.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct AlignedGrid {
    /// Size and place.
    pub grid: Grid,
    /// Zoom level of full resolution.
    pub zoom_level: u32,
    /// Side of a tile in pixels.
    pub tile_size: u32,
    /// Number of aligned levels; GDAL records it if it is not 0.
    pub aligned_levels: u32,
    /// Number of overviews; `None` if the pyramid goes on until one tile contains it.
    pub overviews: Option<u32>,
    /// True if fewer levels are aligned than [`AlignedLevels::All`] asks for.
    pub is_limited: bool,
    /// True if the raster extends beyond the scheme, and the grid does not.
    pub is_clipped: bool,
    /// Area of the grid compared with that of the raster.
    pub growth: f64,
}

/// Numbers of the first and last tiles across, and down: left, top, right, bottom; the last ones excluded.
type Tiles = [i64; 4];

/// Returns the smallest grid of tiles around a raster.
///
/// # Errors
/// [`WarpError::Grid`] if the raster is outside of the scheme, the zoom level does not exist, or the grid has more than 2^31
/// columns or rows.
pub fn align(scheme: &TilingScheme, raster: &Suggestion, options: &AlignOptions) -> Result<AlignedGrid, WarpError> {
    let [left, bottom, right, top] = raster.bounds;
    let outside = || {
        let name = scheme.name();
        WarpError::Grid(format!("the raster is outside of {name}: {left}, {bottom} to {right}, {top}"))
    };
    if scheme
        .bounds()
        .is_some_and(|[west, south, east, north]| right < west || left > east || top < south || bottom > north)
    {
        return Err(outside());
    }
    let tile_size = options.tile_size.unwrap_or(scheme.tile_size());
    let ratio = f64::from(scheme.tile_size()) / f64::from(tile_size);
    let zoom_level = zoom_level(scheme, raster.resolution, ratio, options)?;
    let resolution = scheme.resolution(zoom_level) * ratio;
    let tile = resolution * f64::from(tile_size);
    let [x, y] = scheme.origin();
    let slack = TOLERANCE * resolution;
    #[expect(clippy::cast_possible_truncation, reason = "saturates")]
    let tiles = [
        ((left - x + slack) / tile).floor() as i64,
        ((y - top + slack) / tile).floor() as i64,
        ((right - x - slack) / tile).ceil() as i64,
        ((y - bottom - slack) / tile).ceil() as i64,
    ];
    let area = (right - left) * (top - bottom);
    let grown = |tiles: &Tiles| (tiles[2] - tiles[0]) as f64 * (tiles[3] - tiles[1]) as f64 * tile * tile / area;
    let matrix = scheme.matrix(zoom_level);
    let is_clipped = |tiles: &Tiles| tiles[0] < 0 || tiles[1] < 0 || tiles[2] > matrix[0] || tiles[3] > matrix[1];
    let (aligned, aligned_levels, overviews, is_limited) = match options.aligned_levels {
        AlignedLevels::Count(count) => {
            let count = count.min(MAX_ALIGNED).min(zoom_level);
            (multiples(tiles, count.saturating_sub(1)), count, None, false)
        }
        AlignedLevels::All => {
            let within = |halvings| clipped(multiples(tiles, halvings), matrix);
            // The first level with at most two tiles across and down.
            let is_last = |halvings: &u32| {
                let tiles = within(*halvings);
                let count = |first: i64, end: i64| (end - first) >> halvings;
                count(tiles[0], tiles[2]) <= 2 && count(tiles[1], tiles[3]) <= 2
            };
            let wanted = (0..=zoom_level).find(is_last).unwrap_or(zoom_level);
            let fits = (0..=wanted).rev().find(|halvings| grown(&within(*halvings)) <= MAX_GROWTH).unwrap_or(0);
            let overviews = (fits == wanted).then_some(wanted);
            (multiples(tiles, fits), fits + 1, overviews, fits < wanted)
        }
    };
    let kept = clipped(aligned, matrix);
    if kept[0] >= kept[2] || kept[1] >= kept[3] {
        return Err(outside());
    }
    let pixels = |first: i64, end: i64| {
        let size =
            (end - first).checked_mul(i64::from(tile_size)).filter(|size| (1..=i64::from(i32::MAX)).contains(size));
        let size = size.and_then(|size| u32::try_from(size).ok());
        size.ok_or_else(|| {
            WarpError::Grid(format!("the grid has {} tiles of {tile_size} pixels in a row", end - first))
        })
    };
    let affine = Affine([x + kept[0] as f64 * tile, resolution, 0.0, y - kept[1] as f64 * tile, 0.0, -resolution]);
    Ok(AlignedGrid {
        grid: Grid { width: pixels(kept[0], kept[2])?, height: pixels(kept[1], kept[3])?, affine },
        zoom_level,
        tile_size,
        aligned_levels,
        overviews,
        is_limited,
        is_clipped: is_clipped(&aligned),
        growth: grown(&kept),
    })
}

/// Returns the zoom level of full resolution.
fn zoom_level(scheme: &TilingScheme, wanted: f64, ratio: f64, options: &AlignOptions) -> Result<u32, WarpError> {
    let levels = scheme.levels();
    if let Some(level) = options.zoom_level {
        let is_there = level < levels;
        let reason = || format!("{} has no zoom level {level}, only 0 to {}", scheme.name(), levels - 1);
        return is_there.then_some(level).ok_or_else(|| WarpError::Grid(reason()));
    }
    let resolution = |level: u32| scheme.resolution(level) * ratio;
    let is_same = |level: u32| (wanted - resolution(level)).abs() / resolution(level) <= SAME_RESOLUTION;
    let Some(upper) = (0..levels).find(|level| wanted > resolution(*level) || is_same(*level)) else {
        let reason = format!("pixels of {wanted} are smaller than those of all zoom levels of {}", scheme.name());
        return Err(WarpError::Grid(reason));
    };
    if upper == 0 || is_same(upper) {
        return Ok(upper);
    }
    let is_lower = match options.strategy {
        ZoomStrategy::Lower => true,
        ZoomStrategy::Upper => false,
        ZoomStrategy::Auto => resolution(upper - 1) / wanted < wanted / resolution(upper),
    };
    Ok(upper - u32::from(is_lower))
}

/// Returns the tiles that begin and end at multiples of 2^`halvings`. Negative numbers are rounded as in C; they are outside of the
/// scheme and will be clipped.
fn multiples(tiles: Tiles, halvings: u32) -> Tiles {
    let step = 1i64 << halvings.min(62);
    let up = |tile: i64| (tile + step - 1).div_euclid(step) * step;
    [tiles[0] / step * step, tiles[1] / step * step, up(tiles[2]), up(tiles[3])]
}

/// Returns the tiles that the matrix has.
fn clipped(tiles: Tiles, [columns, rows]: [i64; 2]) -> Tiles {
    [tiles[0].max(0), tiles[1].max(0), tiles[2].min(columns), tiles[3].min(rows)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raster(bounds: [f64; 4], resolution: f64) -> Suggestion {
        Suggestion { bounds, resolution, size: [1, 1] }
    }

    #[test]
    fn strategies_choose_between_two_levels() {
        let web = TilingScheme::find("GoogleMapsCompatible").unwrap();
        let resolution = web.resolution(10) * 1.2;
        let raster = raster([0.0, 0.0, 1e5, 1e5], resolution);
        let level =
            |strategy| align(&web, &raster, &AlignOptions { strategy, ..AlignOptions::default() }).unwrap().zoom_level;
        assert_eq!([level(ZoomStrategy::Auto), level(ZoomStrategy::Lower), level(ZoomStrategy::Upper)], [10, 9, 10]);
    }

    #[test]
    fn all_levels_are_aligned_and_end_with_two_tiles() {
        let web = TilingScheme::find("GoogleMapsCompatible").unwrap();
        let tile = web.resolution(12) * 256.0;
        // Eleven tiles across, not at an even number.
        let [x, y] = [web.origin()[0] + 1001.0 * tile, web.origin()[1] - 1301.0 * tile];
        let raster = raster([x + 1.0, y - 10.5 * tile, x + 10.5 * tile, y - 1.0], web.resolution(12));
        let target = align(&web, &raster, &AlignOptions::default()).unwrap();
        let overviews = target.overviews.unwrap();
        assert_eq!(target.aligned_levels, overviews + 1);
        let step = 256 << overviews;
        assert_eq!((target.grid.width % step, target.grid.height % step), (0, 0));
        assert!(target.grid.width / step <= 2 && target.grid.height / step <= 2 && target.growth <= MAX_GROWTH);
    }

    #[test]
    fn a_small_raster_across_a_corner_is_not_padded_without_limit() {
        let web = TilingScheme::find("GoogleMapsCompatible").unwrap();
        // 3 tiles across the zero meridian, one of them to the west, which is 2^(z-1) tiles from the next multiple.
        let tile = web.resolution(14) * 256.0;
        let raster = raster([-1.5 * tile, 0.5 * tile, 1.5 * tile, 1.5 * tile], web.resolution(14));
        let target = align(&web, &raster, &AlignOptions::default()).unwrap();
        assert!(target.growth <= MAX_GROWTH);
    }

    #[test]
    fn what_is_outside_is_refused_or_clipped() {
        let web = TilingScheme::find("GoogleMapsCompatible").unwrap();
        let outside = raster([3e7, 0.0, 3.1e7, 1e5], 100.0);
        assert!(align(&web, &outside, &AlignOptions::default()).unwrap_err().to_string().contains("outside"));
        let world = raster([-3e7, -3e7, 3e7, 3e7], 100_000.0);
        let target = align(&web, &world, &AlignOptions::default()).unwrap();
        assert!(target.is_clipped && (target.grid.width, target.grid.height) == (512, 512));
        let options = AlignOptions { zoom_level: Some(31), ..AlignOptions::default() };
        assert!(align(&web, &world, &options).unwrap_err().to_string().contains("0 to 30"));
    }
}
