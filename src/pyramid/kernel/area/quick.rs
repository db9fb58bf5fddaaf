//! Means of u8 and u16 over windows that start two apart, estimated in single precision first.
//!
//! As with [convolutions](super::super::estimate), a mean is rounded to an integer, so an estimate suffices if it is
//! farther from a rounding boundary than its error bound. All terms are positive, so the error is proportional to the
//! sum; about one pixel in several thousand is recomputed. Columns of all bands are summed down first.

use std::ops::Range;

use crate::plan::window::Window;

use super::super::blocks::Halves;
use super::super::estimate::round;
use super::super::real::{Place, Real};
use super::super::rows::Rows;
use super::super::{Kernel, Piece};
use super::lines::Columns;

/// The largest relative error: in each of two sums, a weight and a product are rounded, and two additions; two more
/// cover higher orders.
const ERROR: f32 = 10.0 / 16_777_216.0;

/// Relative weights of every column's pixels: the first, an inner one, the last.
struct Weights {
    first: Vec<f32>,
    inside: Vec<f32>,
    last: Vec<f32>,
}

impl Weights {
    fn new(columns: &[Window]) -> Self {
        let part = |of: fn(&Window) -> f64| {
            columns.iter().map(|window| (of(window) / window.total_weight()).to_single()).collect()
        };
        Self {
            first: part(|window| window.first_weight),
            inside: part(|_| 1.0),
            last: part(|window| window.last_weight),
        }
    }
}

/// Fills a piece if no pixels may be invalid and all windows fit; returns whether it did. `other` computes a single
/// pixel: row, column, sample.
pub(super) fn compute<T: Real + PartialOrd>(
    kernel: &Kernel,
    source: &Rows<'_, T>,
    place: Place<T>,
    piece: &mut Piece<'_, T>,
    other: &mut impl FnMut(u32, usize, usize) -> T,
) -> bool {
    if !T::LANES || source.has_gaps() {
        return false;
    }
    let Some(columns) = Columns::find(&kernel.covered) else { return false };
    let samples = source.samples;
    let weights = Weights::new(&kernel.covered[columns.range.clone()]);
    let count = columns.range.len();
    let pixels = columns.start..columns.start + 2 * (count - 1) + columns.window;
    let mut sums = vec![0.0; pixels.len() * samples];
    let mut halves = Halves::default();
    let mut means = vec![0.0; count];
    for (row, target) in (piece.first..).zip(piece.pixels.chunks_exact_mut(kernel.width * samples)) {
        let rows = kernel.rows.covered(row);
        let quick = matches!(rows.len(), 2 | 3);
        if quick {
            down(source, &rows, &pixels, &mut sums);
        }
        for sample in piece.bands.clone() {
            let range = if quick { columns.range.clone() } else { 0..0 };
            if quick {
                halves.set_every(&sums, samples, sample);
                across(halves.from(0), &weights, columns.window, &mut means);
                let target = &mut target[range.start * samples + sample..];
                let exact = |index| other(row, range.start + index, sample);
                round(&means, |mean| mean * ERROR, place.largest, (target, samples), exact);
            }
            for column in (0..range.start).chain(range.end..kernel.width) {
                target[column * samples + sample] = other(row, column, sample);
            }
        }
    }
    true
}

/// Sums two or three rows times their relative weights.
fn down<T: Real>(source: &Rows<'_, T>, rows: &Window, pixels: &Range<usize>, sums: &mut [f32]) {
    let line = |row| &source.row(row)[pixels.start * source.samples..pixels.end * source.samples];
    let part = |weight: f64| (weight / rows.total_weight()).to_single();
    let (first, last) = (part(rows.first_weight), part(rows.last_weight));
    let outer = line(rows.start).iter().zip(line(rows.end - 1));
    if rows.len() == 2 {
        for (sum, (a, b)) in sums.iter_mut().zip(outer) {
            *sum = a.to_single() * first + b.to_single() * last;
        }
    } else {
        let inside = part(1.0);
        for ((sum, (a, c)), b) in sums.iter_mut().zip(outer).zip(line(rows.start + 1)) {
            *sum = a.to_single() * first + b.to_single() * inside + c.to_single() * last;
        }
    }
}

/// Sums two or three pixels times their weights.
fn across([first, second]: [&[f32]; 2], weights: &Weights, window: usize, means: &mut [f32]) {
    let outer = means.iter_mut().zip(weights.first.iter().zip(&weights.last));
    if window == 2 {
        for ((mean, (before, after)), (a, b)) in outer.zip(first.iter().zip(second)) {
            *mean = a * before + b * after;
        }
    } else {
        let pixels = first.iter().zip(second).zip(&first[1..]);
        for (((mean, (before, after)), inside), ((a, b), c)) in outer.zip(&weights.inside).zip(pixels) {
            *mean = a * before + b * inside + c * after;
        }
    }
}
