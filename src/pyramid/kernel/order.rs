//! The smallest, the largest and the middle value.

use crate::options::Resampling;
use crate::sample::Value;

use super::rows::{Fill, Rows};
use super::{Kernel, Piece};

/// Fills a piece.
pub(super) fn compute<T: Value + PartialOrd>(
    kernel: &Kernel,
    source: &Rows<'_, T>,
    resampling: Resampling,
    piece: &mut Piece<'_, T>,
) {
    let samples = source.samples;
    let mut values = Vec::new();
    for (row, target) in (piece.first..).zip(piece.pixels.chunks_exact_mut(kernel.width * samples)) {
        let rows = kernel.rows.covered(row);
        for (target, window) in target.chunks_exact_mut(samples).zip(&kernel.covered) {
            for sample in piece.bands.clone() {
                values.clear();
                let mut fill = Fill::default();
                for source_row in rows.start..rows.end {
                    for source_column in window.range() {
                        values.extend(source.valid(source_row, source_column, sample, &mut fill));
                    }
                }
                let picked = match resampling {
                    Resampling::Min => values.iter().copied().reduce(|a, b| if b < a { b } else { a }),
                    Resampling::Max => values.iter().copied().reduce(|a, b| if b > a { b } else { a }),
                    _ => lower_median(&mut values),
                };
                target[sample] = picked.unwrap_or_else(|| fill.value(source.nodata));
            }
        }
    }
}

/// The value in the middle, the lower one of an even count. There is no NaN among the values.
fn lower_median<T: Value + PartialOrd>(values: &mut [T]) -> Option<T> {
    let middle = values.len().checked_sub(1)? / 2;
    let order = |a: &T, b: &T| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal);
    Some(*values.select_nth_unstable_by(middle, order).1)
}
