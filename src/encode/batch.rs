//! Batches, the rows that are encoded together: their sizes, and how they are filled.

use crate::error::Result;
use crate::executor::Executor;
use crate::grid::Plane;
use crate::plan::{CogPlan, LevelShare};
use crate::view::{NodataRule, Stripe, mask_nodata};

/// Minimum tiles per thread in a batch, so that threads rarely wait for each other.
const TILES_PER_THREAD: u64 = 4;
/// Tiles per thread that are being encoded or waiting to be taken, doubled for small tiles. This bounds the compressed
/// tiles in memory.
const TILES_PER_THREAD_AT_ONCE: usize = 4;
/// Maximum bytes of pixels in a small tile.
const SMALL_TILE: u64 = 256 << 10;

/// Returns the rows of the first level per batch: whole rows of tiles, enough to keep all threads busy.
pub(super) fn batch_rows(plan: &CogPlan, base: &LevelShare, executor: &Executor, batch_bytes: u64) -> u32 {
    let tile_height = base.level.tile_size.height;
    let tiles_per_row = u64::from(base.tiles.width()) * u64::from(plan.grid().planes);
    let wanted = (executor.thread_count() as u64 * TILES_PER_THREAD).div_ceil(tiles_per_row.max(1));
    let affordable = batch_bytes / row_bytes(plan, base).saturating_mul(tile_height.into()).max(1);
    let tile_rows = wanted.min(affordable).clamp(1, u64::from(base.tiles.height()).max(1));
    u32::try_from(tile_rows.saturating_mul(tile_height.into())).unwrap_or(u32::MAX)
}

/// Returns whether the rows of the next batch are read while tiles of the current one are encoded: if there is more
/// than one thread, and two batches take no more memory than a wide image does anyway.
pub(super) fn reads_ahead(
    plan: &CogPlan,
    base: &LevelShare,
    executor: &Executor,
    batch_rows: u32,
    batch_bytes: u64,
) -> bool {
    let bytes = row_bytes(plan, base).saturating_mul(batch_rows.into());
    executor.thread_count() > 1 && bytes <= batch_bytes / 2 * 3 && batch_rows < base.window.height()
}

/// Returns the bytes in a row of the first level, all bands.
fn row_bytes(plan: &CogPlan, base: &LevelShare) -> u64 {
    let spec = plan.spec();
    u64::from(base.window.width()) * u64::from(spec.bands) * spec.data_type.size() as u64
}

/// Returns the tiles per thread that are being encoded or waiting to be taken.
pub(super) fn tiles_per_thread(plan: &CogPlan, base: &LevelShare) -> usize {
    let bytes = plan.tile_format(&base.level, Plane::Image(0)).tile_bytes();
    let small = bytes.is_some_and(|bytes| bytes <= SMALL_TILE);
    if small { 2 * TILES_PER_THREAD_AT_ONCE } else { TILES_PER_THREAD_AT_ONCE }
}

/// Fills a stripe at (column, row), and makes its mask from nodata if there is a rule.
pub(super) fn fill_stripe(
    plan: &CogPlan,
    rule: Option<NodataRule>,
    place: (u32, u32),
    stripe: &mut Stripe<'_>,
    fill: impl FnOnce(&mut Stripe<'_>) -> Result<()>,
) -> Result<()> {
    let Some(rule) = rule else { return fill(stripe) };
    // A source without a mask does not see this one, in which all pixels are valid at first.
    let own = if plan.source_spec().mask { None } else { stripe.mask.take() };
    fill(stripe)?;
    if let Some(mask) = own {
        mask.fill(u8::MAX);
        stripe.mask = Some(mask);
    }
    mask_nodata(plan.source_spec(), rule, place, stripe)
}
