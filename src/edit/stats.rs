//! Exact statistics of full resolution. They need the pixels, so tiles are decoded, but none is encoded.

use crate::error::{Error, ErrorKind, OptionField, Result};
use crate::executor::Executor;
use crate::geo::Metadata;
use crate::spec::ImageSpec;
use crate::statistics::{BandSums, MeasuredPixels, measure, no_sums, statistic_items};
use crate::view::{PixelSource, Stripe, StripeLayout};

/// Bytes of pixels that are read at once, at least a row of tiles.
const BATCH: usize = 16 << 20;

/// Computes the statistics of all bands, and puts them into the metadata in place of others.
///
/// # Errors
/// [`ErrorKind::InvalidOption`] for complex samples; those of reading the pixels; [`ErrorKind::Cancelled`].
pub(super) fn compute(
    source: &mut dyn PixelSource,
    spec: &ImageSpec,
    metadata: &mut Metadata,
    tile_height: u32,
    is_cancelled: &dyn Fn() -> bool,
) -> Result<()> {
    if spec.data_type.is_complex() {
        return Err(Error::option(OptionField::Statistics, "complex samples have no statistics"));
    }
    let executor = Executor::all_cores()?;
    let pixel_bytes = spec.data_type.size() * usize::from(spec.bands);
    let row_bytes = (spec.width as usize).saturating_mul(pixel_bytes);
    let tile_rows = tile_height.min(spec.height).max(1);
    let tiles = u32::try_from(BATCH / row_bytes.saturating_mul(tile_rows as usize).max(1)).unwrap_or(1).max(1);
    let batch = tile_rows.saturating_mul(tiles).min(spec.height);
    let mut pixels = zeros(row_bytes.saturating_mul(batch as usize))?;
    let mut mask = zeros(if spec.mask { (spec.width as usize).saturating_mul(batch as usize) } else { 0 })?;
    let mut all = no_sums(spec);
    let mut first = 0;
    while first < spec.height {
        if is_cancelled() {
            return Err(ErrorKind::Cancelled.into());
        }
        let rows = batch.min(spec.height - first) as usize;
        let (pixels, mask) =
            (&mut pixels[..rows * row_bytes], &mut mask[..if spec.mask { rows * spec.width as usize } else { 0 }]);
        let shown = spec.mask.then_some(&mut *mask);
        let mut stripe = Stripe::new(spec, rows, StripeLayout::Chunky, vec![&mut *pixels], shown)?;
        source.read_rows(first, &mut stripe, &executor)?;
        let piece = rows.div_ceil(executor.thread_count()).max(1);
        let pieces = (0..rows).step_by(piece).collect();
        let (pixels, mask): (&[u8], &[u8]) = (pixels, mask);
        let measured: Vec<Vec<BandSums>> = executor.map(pieces, |top: usize| {
            let end = rows.min(top + piece);
            let mut sums = no_sums(spec);
            let planes = vec![&pixels[top * row_bytes..end * row_bytes]];
            let mask = spec.mask.then(|| &mask[top * spec.width as usize..end * spec.width as usize]);
            measure(spec, &MeasuredPixels { planes, mask }, &mut sums);
            sums
        });
        for more in measured {
            all.iter_mut().zip(more).for_each(|(sums, more)| sums.merge(more));
        }
        first += batch.min(spec.height - first);
    }
    let statistics: Vec<_> = all.iter().map(BandSums::statistics).collect();
    metadata.drop_statistics();
    metadata.items.extend(statistic_items(&statistics));
    Ok(())
}

fn zeros(len: usize) -> Result<Vec<u8>> {
    crate::tiff::file::allocate(len, "rows of pixels")
}
