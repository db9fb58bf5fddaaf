//! Minimum, maximum, and median.

use crate::options::Resampling;
use crate::plan::window::Window;
use crate::sample::Value;

use super::rows::{Fill, Rows};
use super::{Kernel, Piece, small};

/// Fills a piece.
pub(super) fn compute<T: Value + PartialOrd>(
    kernel: &Kernel,
    source: &Rows<'_, T>,
    resampling: Resampling,
    piece: &mut Piece<'_, T>,
) {
    let mut values = Vec::new();
    let any = |row: u32, window: &Window, sample: usize| {
        values.clear();
        let mut fill = Fill::default();
        let rows = kernel.rows.covered(row);
        for source_row in rows.start..rows.end {
            for source_column in window.range() {
                values.extend(source.valid(source_row, source_column, sample, &mut fill));
            }
        }
        let picked = if values.is_empty() { None } else { Some(pick(resampling, &values)) };
        picked.unwrap_or_else(|| fill.value(source.void))
    };
    if !T::MAY_BE_NAN && !source.has_gaps() && resampling != Resampling::Median {
        return extremes(kernel, source, resampling, piece);
    }
    if cfg!(target_family = "wasm") {
        // The browser module has to stay small, so the methods share their code there.
        return small::compute(kernel, source, piece, |values| pick(resampling, values), any);
    }
    match resampling {
        Resampling::Min => small::compute(kernel, source, piece, |values| pick(Resampling::Min, values), any),
        Resampling::Max => small::compute(kernel, source, piece, |values| pick(Resampling::Max, values), any),
        _ => small::compute(kernel, source, piece, |values| pick(Resampling::Median, values), any),
    }
}

/// Computes minima or maxima if no value is invalid and equal values are identical: down the columns first, in
/// parallel.
fn extremes<T: Value + PartialOrd>(
    kernel: &Kernel,
    source: &Rows<'_, T>,
    resampling: Resampling,
    piece: &mut Piece<'_, T>,
) {
    let samples = source.samples;
    let least = resampling == Resampling::Min;
    let better = |a: T, b: T| if (b < a) == least { b } else { a };
    let mut best = source.row(kernel.rows.covered(piece.first).start).to_vec();
    for (row, target) in (piece.first..).zip(piece.pixels.chunks_exact_mut(kernel.width * samples)) {
        let rows = kernel.rows.covered(row);
        best.copy_from_slice(source.row(rows.start));
        for row in rows.start + 1..rows.end {
            best.iter_mut().zip(source.row(row)).for_each(|(best, &value)| *best = better(*best, value));
        }
        for (target, window) in target.chunks_exact_mut(samples).zip(&kernel.covered) {
            let pixels = &best[window.start as usize * samples..window.end as usize * samples];
            for sample in piece.bands.clone() {
                let others = pixels[samples..].iter().skip(sample).step_by(samples);
                target[sample] = others.fold(pixels[sample], |a, &b| better(a, b));
            }
        }
    }
}

/// Returns the minimum, maximum, or median; among equal values, the first.
fn pick<T: Value + PartialOrd>(resampling: Resampling, values: &[T]) -> T {
    match resampling {
        Resampling::Min => values[1..].iter().fold(values[0], |a, &b| if b < a { b } else { a }),
        Resampling::Max => values[1..].iter().fold(values[0], |a, &b| if b > a { b } else { a }),
        _ => {
            let middle = middle_of_few(values);
            // Two zeros of a float are equal, but not identical.
            middle
                .filter(|&middle| !T::MAY_BE_NAN || middle != T::ZERO)
                .unwrap_or_else(|| lower_median(&mut values.to_vec()))
        }
    }
}

/// Returns the median of four or nine values, which most windows have.
fn middle_of_few<T: Value + PartialOrd>(values: &[T]) -> Option<T> {
    let least = |a: T, b: T| if b < a { b } else { a };
    let most = |a: T, b: T| if b < a { a } else { b };
    if let &[a, b, c, d] = values {
        return Some(least(most(least(a, b), least(c, d)), least(most(a, b), most(c, d))));
    }
    let mut values: [T; 9] = values.try_into().ok()?;
    // J. L. Smith, "Implementing median filters in XC4000E FPGAs" (1996): exchanges after which the fifth is the
    // median.
    for (a, b) in [
        (1, 2),
        (4, 5),
        (7, 8),
        (0, 1),
        (3, 4),
        (6, 7),
        (1, 2),
        (4, 5),
        (7, 8),
        (0, 3),
        (5, 8),
        (4, 7),
        (3, 6),
        (1, 4),
        (2, 5),
        (4, 7),
        (4, 2),
        (6, 4),
        (4, 2),
    ] {
        (values[a], values[b]) = (least(values[a], values[b]), most(values[a], values[b]));
    }
    Some(values[4])
}

/// Returns the median, the lower one of an even count. There is no NaN among the values.
fn lower_median<T: Value + PartialOrd>(values: &mut [T]) -> T {
    let middle = (values.len() - 1) / 2;
    let order = |a: &T, b: &T| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal);
    *values.select_nth_unstable_by(middle, order).1
}
