//! Encoding of the tiles that a change of some pixels concerns.

use crate::error::Result;
use crate::executor::Executor;
use crate::grid::TileId;
use crate::plan::{CogPlan, Share};
use crate::pyramid::{LevelPixels, PartialCascade};
use crate::view::PixelSource;

use super::BATCH_BYTES;
use super::drive::{Backlog, Event, encode_batch};
use super::rows::RowEncoder;
use super::shard::check_source;

/// Encodes the tiles of a share of some tiles, and passes each to `take`, with leader and trailer. `source` provides the pixels
/// of the window of the first level, and `others` those of overviews that are not computed.
///
/// # Errors
/// [`ErrorKind::TileEncode`](crate::ErrorKind::TileEncode) if a tile cannot be encoded, and the errors of `source`,
/// `others`, and `take`.
pub(crate) fn encode_part(
    plan: &CogPlan,
    share: Share,
    source: &mut dyn PixelSource,
    others: Option<Box<dyn LevelPixels>>,
    executor: &Executor,
    take: &mut dyn FnMut(TileId, &[u8]) -> Result<()>,
) -> Result<()> {
    if let Some(first) = share.levels.first() {
        let size = (first.window.width(), first.window.height());
        check_source(plan.spec(), size, "the part", source)?;
    }
    let partial = others.map(|others| PartialCascade::new(plan, &share, others));
    let mut rows = RowEncoder::new(plan.clone(), share, executor.clone(), BATCH_BYTES)?;
    // Masks are finished.
    rows.take_masks();
    if let Some(partial) = partial {
        rows.set_partial(partial);
    }
    while rows.rows_left() > 0 {
        rows.take_rows_from(source, rows.rows_wanted())?;
        encode_batch(&mut rows, Some(&mut *source), &mut |_, event| {
            if let Event::Tile(tile) = event {
                take(tile.tile, &tile.bytes)?;
            }
            Ok(Backlog::Empty)
        })?;
    }
    Ok(())
}
