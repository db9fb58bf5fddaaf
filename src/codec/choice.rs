//! Which predictor suits the pixels: measured on a few of them, with the codec that the file will have.

use super::{Predictor, TileEncoder, TileFormat, TileView};

/// Rows of a tile that are tried.
const ROWS: u32 = 128;
/// Bytes that are worth a decision.
const LEAST_SAVED: u64 = 512;

/// Whether differences of neighbours compress better than the values themselves: not so where integers are classes. The
/// views are pieces of tiles of `format`, of which the first rows are tried.
///
/// A predictor stays unless leaving it out saves at least 2 % and some bytes, so that small accidents decide nothing.
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
