//! Binomial weights (GDAL `GDALResampleChunk_Gauss`).

use super::real::{Place, Real};
use super::rows::{Fill, Rows};
use super::{Kernel, Piece};

/// Returns the weights along one axis; the matrix consists of their products.
pub(super) fn weights(side: u32) -> &'static [u32] {
    match side {
        3 => &[1, 2, 1],
        5 => &[1, 4, 6, 4, 1],
        _ => &[1, 6, 15, 20, 15, 6, 1],
    }
}

/// Fills a piece.
pub(super) fn compute<T: Real + PartialOrd>(
    kernel: &Kernel,
    source: &Rows<'_, T>,
    place: Place<T>,
    piece: &mut Piece<'_, T>,
) {
    let samples = source.samples;
    for (row, target) in (piece.first..).zip(piece.pixels.chunks_exact_mut(kernel.width * samples)) {
        let (side, rows, above) = kernel.rows.gauss(row);
        let vertical = &weights(side)[above as usize..];
        for (column, target) in (0u32..).zip(target.chunks_exact_mut(samples)) {
            let (side, columns, before) = kernel.columns.gauss(column);
            let horizontal = &weights(side)[before as usize..];
            for sample in piece.bands.clone() {
                let mut fill = Fill::default();
                let (mut total, mut total_weight) = (0.0, 0);
                for (source_row, &down) in rows.clone().zip(vertical) {
                    for (source_column, &across) in columns.clone().zip(horizontal) {
                        if let Some(value) = source.valid(source_row, source_column as usize, sample, &mut fill) {
                            total += value.to_f64() * f64::from(down * across);
                            total_weight += down * across;
                        }
                    }
                }
                target[sample] = match total_weight {
                    0 => fill.value(source.void),
                    weight => place.value(T::from_f64(total / f64::from(weight))),
                };
            }
        }
    }
}
