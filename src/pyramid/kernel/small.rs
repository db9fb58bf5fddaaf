//! Windows of at most 3x3 pixels, which occur where a level halves, for methods that pick one of the values.

use crate::plan::window::Window;
use crate::sample::Value;
use crate::validity::{is_masked, lacks_data};

use super::rows::Rows;
use super::{Kernel, Piece};

/// Pixels in the largest window.
pub(super) const MOST: usize = 9;

/// Fills a piece: `pick` receives the valid values of a window row by row, at least one; `other` computes a pixel whose
/// window is larger or has no valid value.
pub(super) fn compute<T: Value>(
    kernel: &Kernel,
    source: &Rows<'_, T>,
    piece: &mut Piece<'_, T>,
    mut pick: impl FnMut(&[T]) -> T,
    mut other: impl FnMut(u32, &Window, usize) -> T,
) {
    let samples = source.samples;
    for (row, target) in (piece.first..).zip(piece.pixels.chunks_exact_mut(kernel.width * samples)) {
        let rows = kernel.rows.covered(row);
        if rows.len() > 3 {
            for (target, window) in target.chunks_exact_mut(samples).zip(&kernel.covered) {
                piece.bands.clone().for_each(|sample| target[sample] = other(row, window, sample));
            }
            continue;
        }
        // Repeat the last row if the window has fewer rows.
        let lines = [0, 1, 2].map(|index| {
            let row = (rows.start + index).min(rows.end - 1);
            (source.row(row), source.mask_row(row))
        });
        let lines = &lines[..rows.len()];
        for (target, window) in target.chunks_exact_mut(samples).zip(&kernel.covered) {
            for sample in piece.bands.clone() {
                let mut values = [T::ZERO; MOST];
                let count = match (window.len(), rows.len()) {
                    // Constants let the compiler unroll; the browser module has to stay small.
                    #[cfg(not(target_family = "wasm"))]
                    (2, 2) => gather::<T, 2>(source, &lines[..2], window, sample, &mut values),
                    #[cfg(not(target_family = "wasm"))]
                    (3, 3) => gather::<T, 3>(source, &lines[..3], window, sample, &mut values),
                    (2, _) => gather::<T, 2>(source, lines, window, sample, &mut values),
                    (3, _) => gather::<T, 3>(source, lines, window, sample, &mut values),
                    (1, _) => gather::<T, 1>(source, lines, window, sample, &mut values),
                    _ => 0,
                };
                target[sample] = if count == 0 { other(row, window, sample) } else { pick(&values[..count]) };
            }
        }
    }
}

/// Moves the valid values of a window to the front; returns their number.
fn gather<T: Value, const COLUMNS: usize>(
    source: &Rows<'_, T>,
    lines: &[(&[T], Option<&[u8]>)],
    window: &Window,
    sample: usize,
    values: &mut [T; MOST],
) -> usize {
    let (start, samples) = (window.start as usize, source.samples);
    let mut count = 0;
    for (pixels, mask) in lines {
        let pixels = &pixels[start * samples..(start + COLUMNS) * samples];
        let mask = mask.map(|mask| &mask[start..start + COLUMNS]);
        for column in 0..COLUMNS {
            let value = pixels[column * samples + sample];
            let there = !lacks_data(value, source.nodata) & mask.is_none_or(|mask| !is_masked(mask[column]));
            // Never out of range: the remainder shows that to the compiler.
            values[count % MOST] = value;
            count += usize::from(there);
        }
    }
    count
}
