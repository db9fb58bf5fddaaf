//! Predictor choice: measured on a few pixels, with the codec of the file.

use super::{Predictor, TileEncoder, TileFormat, TileView};

/// Rows of a tile to try.
const ROWS: u32 = 128;
/// Minimum savings in bytes for dropping the predictor.
const LEAST_SAVED: u64 = 512;

/// Decides between horizontal differencing and no predictor, which wins where integers are classes. The views are parts
/// of tiles of `format`; only their first rows are tried.
///
/// The predictor is dropped only if that saves at least 2 % and a minimum number of bytes, so that small fluctuations
/// decide nothing.
pub(crate) fn predictor(format: &TileFormat, views: &[TileView<'_>]) -> Result<Predictor, String> {
    let mut encoder = TileEncoder::default();
    let mut out = Vec::new();
    let mut size = |predictor| {
        let mut format = TileFormat { predictor, compression: format.compression.for_trial(), ..*format };
        format.tile_size.height = format.tile_size.height.min(ROWS);
        views.iter().try_fold(0u64, |total, view| {
            out.clear();
            let height = view.height.min(format.tile_size.height as usize);
            encoder.encode(&format, TileView { height, ..*view }, &mut out)?;
            Ok::<_, String>(total + out.len() as u64)
        })
    };
    let (with, without) = (size(Predictor::Horizontal)?, size(Predictor::None)?);
    let saved = with.saturating_sub(without);
    Ok(if saved >= (with / 50).max(LEAST_SAVED) { Predictor::None } else { Predictor::Horizontal })
}
