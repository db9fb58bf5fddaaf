//! Alpha: transparent pixels are invalid, and the others are weighted by their opacity.
//!
//! Kernels treat a pixel whose alpha is 0 as masked, in all bands. That is enough if alpha is 0 or one other value, as
//! in most rasters, and if colors are premultiplied. If colors are not premultiplied and opaque pixels are next to
//! half-transparent ones, [`weight`] recomputes means with alpha as a weight, so that invisible colors do not bleed
//! into visible ones. GDAL 3.13 does this only for convolutions, and only along rows.

use std::ops::Range;

use crate::options::Resampling;
use crate::plan::window::Axis;
use crate::sample::Value;
use crate::validity::{is_masked, is_transparent, lacks_data};

use super::filter;
use super::real::{Place, Real};
use super::rows::Rows;
use super::{Kernel, Piece};

/// The opacity of pixels: one sample per pixel of some rows.
#[derive(Clone, Copy)]
pub(super) struct Opacity<'a, T> {
    pub(super) rows: &'a Rows<'a, T>,
    pub(super) sample: usize,
}

impl<'a, T: Value> Opacity<'a, T> {
    /// Returns the alpha of some columns of a row.
    fn row(&self, row: u32, columns: Range<usize>) -> impl Iterator<Item = T> + use<'a, T> {
        let (samples, sample) = (self.rows.samples, self.sample);
        let pixels = &self.rows.row(row)[columns.start * samples..columns.end * samples];
        pixels.chunks_exact(samples).map(move |pixel| pixel[sample])
    }

    /// Returns the validity of pixels (neither transparent nor masked) as 255 or 0, for [`Rows::mask`].
    pub(super) fn validity(&self, rows: Range<u32>) -> Vec<u8> {
        let mut validity = Vec::with_capacity(rows.len() * self.rows.width);
        for row in rows {
            let start = validity.len();
            let alpha = self.row(row, 0..self.rows.width);
            validity.extend(alpha.map(|value| if is_transparent(value) { 0 } else { u8::MAX }));
            if let Some(mask) = self.rows.mask_row(row) {
                for (valid, &mask) in validity[start..].iter_mut().zip(mask) {
                    *valid = if is_masked(mask) { 0 } else { *valid };
                }
            }
        }
        validity
    }
}

impl<T: Real + PartialOrd> Opacity<'_, T> {
    /// Returns whether the valid pixels of a window differ in alpha.
    fn differs(&self, source: &Rows<'_, T>, rows: Range<u32>, columns: Range<usize>) -> bool {
        let mut first = None;
        rows.into_iter().any(|row| {
            let valid = source.mask_row(row).into_iter().flat_map(|mask| &mask[columns.clone()]);
            let mut alpha = self.row(row, columns.clone()).zip(valid).filter(|(_, valid)| !is_masked(**valid));
            alpha.any(|(value, _)| *first.get_or_insert(value) != value)
        })
    }
}

/// The weights of the source pixels of one output pixel along an axis.
#[derive(Default)]
struct Weights {
    start: u32,
    weights: Vec<f64>,
}

impl Weights {
    fn set(&mut self, axis: &Axis, resampling: Resampling, target: u32) {
        self.weights.clear();
        if resampling == Resampling::Gauss {
            let (side, range, skipped) = axis.gauss(target);
            self.start = range.start;
            let binomials = super::gauss::weights(side)[skipped as usize..].iter().take(range.len());
            self.weights.extend(binomials.map(|&weight| f64::from(weight)));
        } else if resampling.radius().is_some() {
            (self.start, _) = filter::weights(axis, resampling, target, false, &mut self.weights);
        } else {
            let window = axis.covered(target);
            self.start = window.start;
            self.weights.extend((0..window.len()).map(|index| window.weight(index)));
        }
    }

    /// Returns the source pixels.
    fn range(&self) -> Range<u32> {
        // Rows and columns are numbered with 32 bits.
        self.start..self.start.saturating_add(u32::try_from(self.weights.len()).unwrap_or(u32::MAX))
    }
}

/// Recomputes the means of a piece wherever the valid pixels under the kernel differ in alpha.
///
/// `source` has the bands of the piece and the validity of their pixels.
pub(super) fn weight<T: Real + PartialOrd>(
    kernel: &Kernel,
    source: &Rows<'_, T>,
    opacity: &Opacity<'_, T>,
    place: Place<T>,
    resampling: Resampling,
    piece: &mut Piece<'_, T>,
) {
    let mut across: Vec<Weights> = Vec::new();
    let mut down = Weights::default();
    for (row, target) in (piece.first..).zip(piece.pixels.chunks_exact_mut(kernel.width * source.samples)) {
        down.set(&kernel.rows, resampling, row);
        if !opacity.differs(source, down.range(), 0..source.width) {
            continue;
        }
        if across.is_empty() {
            // Columns are numbered with 32 bits.
            across.extend((0u32..).take(kernel.width).map(|column| {
                let mut weights = Weights::default();
                weights.set(&kernel.columns, resampling, column);
                weights
            }));
        }
        for (target, across) in target.chunks_exact_mut(source.samples).zip(&across) {
            let columns = across.range();
            if !opacity.differs(source, down.range(), columns.start as usize..columns.end as usize) {
                continue;
            }
            for sample in piece.bands.clone() {
                let there = !lacks_data(target[sample], source.nodata);
                let mean = mean(source, opacity, &down, across, sample, resampling == Resampling::Rms);
                if let (true, Some(mean)) = (there, mean) {
                    target[sample] = place.value(match resampling {
                        Resampling::Average | Resampling::Rms => T::from_mean(mean),
                        Resampling::Gauss => T::from_f64(mean),
                        _ => T::from_filtered(mean),
                    });
                }
            }
        }
    }
}

/// Returns the mean of the valid pixels, or the root of the mean of their squares, weighted by the kernel and by alpha.
/// The result is clamped to the range of those pixels, so that negative weights do not amplify small alpha values.
/// `None` if the sum of the weights is not positive.
fn mean<T: Real>(
    source: &Rows<'_, T>,
    opacity: &Opacity<'_, T>,
    down: &Weights,
    across: &Weights,
    sample: usize,
    rms: bool,
) -> Option<f64> {
    let (mut total, mut total_weight) = (0.0, 0.0);
    let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
    for (row, &down) in (down.start..).zip(&down.weights) {
        for (column, &across) in across.range().zip(&across.weights) {
            let column = column as usize;
            let Some(value) = source.valid(row, column, sample, &mut super::rows::Fill::default()) else { continue };
            let value = if rms { value.to_f64() * value.to_f64() } else { value.to_f64() };
            let alpha = opacity.rows.row(row)[column * opacity.rows.samples + opacity.sample];
            let weight = down * across * alpha.to_f64();
            total += value * weight;
            total_weight += weight;
            (least, most) = (least.min(value), most.max(value));
        }
    }
    if total_weight <= 0.0 || total_weight.is_nan() || least > most {
        return None;
    }
    let mean = (total / total_weight).clamp(least, most);
    let mean = if rms { mean.sqrt() } else { mean };
    (!mean.is_nan()).then_some(mean)
}
