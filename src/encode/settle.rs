//! The choice of the predictor by the pixels: a step of its own, before the first tile is encoded.

use crate::codec::{TileView, choice};
use crate::error::{Error, ErrorKind, Result};
use crate::executor::Executor;
use crate::grid::{Plane, Rectangle, TileId};
use crate::plan::{CogPlan, Share};
use crate::view::PixelSource;

use super::rows::RowEncoder;
use super::{BATCH_BYTES, shard};

/// Number of tiles, and of bands, from which the predictor is chosen.
const TILES_TRIED: u32 = 4;

/// Settles [`Predictor::Auto`](crate::Predictor::Auto) from the pixels, exactly as [`CogEncoder`](crate::CogEncoder) does:
/// shards of the returned plan give the bytes of the local encoder. `source` provides the whole image, but only its first
/// row of tiles is read. If the predictor is already settled, returns the plan unchanged and reads nothing.
///
/// # Errors
/// Returns [`ErrorKind::InvalidImage`] if the source does not match the plan, [`ErrorKind::OutOfMemory`] if a row of
/// tiles does not fit in memory, and any error of the source.
pub fn settle_predictor(plan: &CogPlan, source: &mut dyn PixelSource, executor: &Executor) -> Result<CogPlan> {
    if !plan.predictor_is_open() {
        return Ok(plan.clone());
    }
    let spec = plan.spec();
    shard::check_source(plan.source_spec(), (spec.width, spec.height), "the image", source)?;
    let rows = read(plan, Share::first_tiles(plan, 0..plan.levels()[0].tile_columns()), source, executor)?;
    let views: Vec<_> = sampled_tiles(plan).filter_map(|tile| rows.view(&plan.levels()[0], tile)).collect();
    choose(plan, &views)
}

/// Returns the parts of full resolution, in pixels, that settle the predictor: at most four tiles of the first row of tiles,
/// from left to right. None if the predictor is already settled.
#[must_use]
pub fn predictor_windows(plan: &CogPlan) -> Vec<Rectangle> {
    sampled_columns(plan).into_iter().map(|column| tile_share(plan, column).levels.swap_remove(0).window).collect()
}

/// Settles the predictor as [`settle_predictor`] does, from the pixels of [`predictor_windows`] alone: one source for each,
/// of just that width and height.
///
/// # Errors
/// Returns [`ErrorKind::InvalidImage`] if there is not one source for each window or one does not match the plan, and any
/// error of the sources.
pub fn settle_predictor_from_windows(
    plan: &CogPlan,
    sources: &mut [&mut dyn PixelSource],
    executor: &Executor,
) -> Result<CogPlan> {
    let columns = sampled_columns(plan);
    if sources.len() != columns.len() {
        let (given, needed) = (sources.len(), columns.len());
        return Err(Error::image(format!("{given} sources for {needed} windows: each window needs one")));
    }
    if columns.is_empty() {
        return Ok(plan.clone());
    }
    let mut windows = Vec::new();
    for (&column, source) in columns.iter().zip(sources) {
        let share = tile_share(plan, column);
        let window = &share.levels[0].window;
        let size = (window.width(), window.height());
        shard::check_source(plan.source_spec(), size, &format!("the window of tile {column}"), *source)?;
        windows.push((column, read(plan, share, *source, executor)?));
    }
    let views = sampled_tiles(plan).filter_map(|tile| {
        let (_, rows) = windows.iter().find(|(column, _)| *column == tile.column)?;
        rows.view(&plan.levels()[0], tile)
    });
    choose(plan, &views.collect::<Vec<_>>())
}

/// Reads the pixels of a share.
fn read(plan: &CogPlan, share: Share, source: &mut dyn PixelSource, executor: &Executor) -> Result<RowEncoder> {
    // These rows are only looked at: nothing is left to settle.
    let plan = plan.clone().with_predictor_by_type();
    let mut rows = RowEncoder::new(plan, share, executor.clone(), BATCH_BYTES)?;
    while rows.rows_left() > 0 {
        rows.take_rows_from(source, rows.rows_wanted())?;
    }
    rows.level(0);
    Ok(rows)
}

/// Returns the share of one tile of the first row, all planes.
fn tile_share(plan: &CogPlan, column: u32) -> Share {
    Share::first_tiles(plan, column..column + 1)
}

/// Returns the columns of the sampled tiles, from left to right.
fn sampled_columns(plan: &CogPlan) -> Vec<u32> {
    if !plan.predictor_is_open() {
        return Vec::new();
    }
    let mut columns: Vec<_> = sampled_tiles(plan).map(|tile| tile.column).collect();
    columns.dedup();
    columns
}

/// Returns the tiles from which the predictor is chosen: spread over the first row of tiles and the first bands.
pub(super) fn sampled_tiles(plan: &CogPlan) -> impl Iterator<Item = TileId> + use<> {
    let planes = u32::from(plan.grid().planes).min(TILES_TRIED);
    let count = plan.levels()[0].tile_columns() * planes;
    let tried = count.min(TILES_TRIED);
    (0..tried).map(move |index| {
        let place = index * count / tried;
        let plane = u16::try_from(place % planes).unwrap_or(0);
        TileId { level: 0, plane: Plane::Image(plane), row: 0, column: place / planes }
    })
}

/// Settles the predictor from the pixels of the sampled tiles.
pub(super) fn choose(plan: &CogPlan, views: &[TileView<'_>]) -> Result<CogPlan> {
    let format = plan.tile_format(&plan.levels()[0], Plane::Image(0));
    let predictor = choice::predictor(&format, views)
        .map_err(|reason| Error::from(ErrorKind::TileEncode { level: 0, row: 0, column: 0, reason }))?;
    Ok(plan.clone().with_predictor(predictor))
}
