//! The value of one target pixel.

use cogsmith_warp::{Leaf, SUBPIXELS, SourcePoint};

use crate::options::Resampling;
use crate::sample::{NodataRange, Number};
use crate::spec::ImageSpec;
use crate::validity::{Validity, is_masked, is_transparent, lacks_data};

use super::kernel::{Kernel, Taps};

/// Rows of the source that are in memory. Rows are in a ring: row `r` is in place `r` modulo the number of places.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rows<'a, T> {
    pub(super) samples: &'a [T],
    /// Empty without a mask.
    pub(super) mask: &'a [u8],
    pub(super) places: usize,
    pub(super) width: usize,
    pub(super) bands: usize,
}

impl<T> Rows<'_, T> {
    /// Returns the samples of a row.
    fn row(&self, row: usize) -> &[T] {
        let len = self.width * self.bands;
        &self.samples[row % self.places * len..][..len]
    }

    fn is_masked(&self, column: usize, row: usize) -> bool {
        self.mask.get(row % self.places * self.width + column).is_some_and(|mask| is_masked(*mask))
    }
}

/// The rules for samples, in the type of the samples.
#[derive(Debug, Clone)]
pub(super) struct Rules<T> {
    resampling: Resampling,
    /// True if bilinear and cubic are widened.
    widens: bool,
    nodata: Option<NodataRange<T>>,
    /// The value of samples without data.
    pub(super) fill: T,
    alpha: Option<usize>,
    /// True if alpha weighs colors.
    weighs: bool,
    has_mask: bool,
    largest: T,
    size: [i64; 2],
}

impl<T: Number> Rules<T> {
    pub(super) fn of(spec: &ImageSpec, resampling: Resampling, widens: bool) -> Self {
        let validity = Validity::of_image(spec);
        Self {
            resampling,
            widens,
            nodata: validity.nodata(),
            fill: spec.nodata_in_range().as_ref().and_then(T::from_nodata).unwrap_or(T::ZERO),
            alpha: validity.alpha(),
            weighs: spec.alpha_weighs,
            has_mask: validity.has_mask(),
            largest: T::largest(spec.bits()),
            size: [i64::from(spec.width), i64::from(spec.height)],
        }
    }

    /// Returns whether a sample is valid, its pixel aside.
    fn has_data(&self, value: T) -> bool {
        !lacks_data(value, self.nodata)
    }

    /// Returns whether mask and alpha make a pixel valid.
    fn is_opaque(&self, rows: &Rows<'_, T>, column: usize, row: usize) -> bool {
        !(self.has_mask && rows.is_masked(column, row))
            && self.alpha.is_none_or(|band| !is_transparent(rows.row(row)[column * rows.bands + band]))
    }

    /// Returns the sample for a computed value.
    fn sample(&self, value: f64) -> T {
        let [low, high] = T::LIMITS.map(|limit| limit.as_f64());
        let value = if T::MAY_BE_NAN && value.is_finite() { value.clamp(low, high) } else { value };
        let sample = T::from_f64(value);
        let sample = if sample > self.largest { self.largest } else { sample };
        match self.nodata {
            Some(nodata) if nodata.contains(sample) => sample.off_nodata(nodata, self.largest),
            _ => sample,
        }
    }
}

/// Memory of one thread.
#[derive(Debug)]
pub(super) struct Scratch<T> {
    taps: [Taps; 2],
    sums: Vec<f64>,
    weights: Vec<f64>,
    values: Vec<T>,
}

impl<T> Default for Scratch<T> {
    fn default() -> Self {
        Self { taps: Default::default(), sums: Vec::new(), weights: Vec::new(), values: Vec::new() }
    }
}

/// Computes the bands of a target pixel; returns whether it is valid. Bands without data keep their value.
pub(super) fn pixel<T: Number>(
    rules: &Rules<T>,
    rows: &Rows<'_, T>,
    leaf: &Leaf,
    point: SourcePoint,
    scratch: &mut Scratch<T>,
    target: &mut [T],
) -> bool {
    let place = [point.x as f64 / SUBPIXELS, point.y as f64 / SUBPIXELS];
    let kernel = Kernel::of(rules.resampling);
    if kernel.is_none() && rules.resampling != Resampling::Nearest {
        return selected(rules, rows, place, leaf.footprint(), scratch, target);
    }
    // The pixel that the place is in decides on validity.
    let [column, row] = [point.x >> 16, point.y >> 16];
    if column < 0 || row < 0 || column >= rules.size[0] || row >= rules.size[1] {
        return false;
    }
    let [column, row] = [column, row].map(|pixel| usize::try_from(pixel).unwrap_or(0));
    let center = &rows.row(row)[column * rows.bands..][..rows.bands];
    if !rules.is_opaque(rows, column, row) || !center.iter().any(|sample| rules.has_data(*sample)) {
        return false;
    }
    match kernel {
        Some(kernel) => {
            let scale = if rules.widens || kernel.always_widens() { leaf.scale() } else { [1.0; 2] };
            weighted(rules, rows, kernel, (place, scale), scratch, target);
        }
        None => target.copy_from_slice(center),
    }
    true
}

/// Computes sums of weights.
fn weighted<T: Number>(
    rules: &Rules<T>,
    rows: &Rows<'_, T>,
    kernel: Kernel,
    (place, scale): ([f64; 2], [f64; 2]),
    scratch: &mut Scratch<T>,
    target: &mut [T],
) {
    let Scratch { taps, sums, weights, .. } = scratch;
    for (axis, taps) in taps.iter_mut().enumerate() {
        kernel.taps(place[axis], scale[axis], taps);
    }
    let is_inside = (0..2).all(|axis| taps[axis].first >= 0 && taps[axis].end() <= rules.size[axis]);
    let may_lack = rules.has_mask || rules.alpha.is_some() || rules.nodata.is_some() || T::MAY_BE_NAN;
    sums.clear();
    sums.resize(rows.bands, 0.0);
    if is_inside && !may_lack {
        let total = all_taps(rows, taps, sums);
        for (target, sum) in target.iter_mut().zip(sums) {
            *target = rules.sample(*sum / total);
        }
        return;
    }
    weights.clear();
    weights.resize(rows.bands, 0.0);
    let complete = valid_taps(rules, rows, taps, sums, weights);
    if !complete && kernel == Kernel::Cubic && scale == [1.0; 2] {
        // Negative weights without their counterparts are of no use: as in GDAL, the kernel without them.
        return weighted(rules, rows, Kernel::Bilinear, (place, scale), scratch, target);
    }
    for ((target, sum), weight) in target.iter_mut().zip(sums).zip(weights) {
        if *weight > 1e-5 {
            *target = rules.sample(*sum / *weight);
        }
    }
}

/// Adds up all taps, which are within the image and valid; returns the sum of the weights.
fn all_taps<T: Number>(rows: &Rows<'_, T>, [across, down]: &[Taps; 2], sums: &mut [f64]) -> f64 {
    match rows.bands {
        1 => fixed_taps::<T, 1>(rows, across, down, sums),
        3 => fixed_taps::<T, 3>(rows, across, down, sums),
        _ => {
            let first = usize::try_from(across.first).unwrap_or(0);
            for (row, weight) in (down.first..).zip(&down.weights) {
                let samples = &rows.row(usize::try_from(row).unwrap_or(0))[first * rows.bands..];
                for (pixel, across) in samples.chunks_exact(rows.bands).zip(&across.weights) {
                    let weight = across * weight;
                    sums.iter_mut().zip(pixel).for_each(|(sum, sample)| *sum += weight * sample.to_f64());
                }
            }
        }
    }
    across.weights.iter().sum::<f64>() * down.weights.iter().sum::<f64>()
}

/// Does so for a number of bands that the compiler knows; row by row.
fn fixed_taps<T: Number, const BANDS: usize>(rows: &Rows<'_, T>, across: &Taps, down: &Taps, sums: &mut [f64]) {
    let first = usize::try_from(across.first).unwrap_or(0);
    let mut total = [0.0; BANDS];
    for (row, weight) in (down.first..).zip(&down.weights) {
        let samples = &rows.row(usize::try_from(row).unwrap_or(0))[first * BANDS..];
        let mut line = [0.0; BANDS];
        for (pixel, across) in samples.as_chunks::<BANDS>().0.iter().zip(&across.weights) {
            for band in 0..BANDS {
                line[band] += across * pixel[band].to_f64();
            }
        }
        for band in 0..BANDS {
            total[band] += weight * line[band];
        }
    }
    sums.copy_from_slice(&total);
}

/// Adds up the taps with data, and their weights; returns whether all taps have data.
fn valid_taps<T: Number>(
    rules: &Rules<T>,
    rows: &Rows<'_, T>,
    [across, down]: &[Taps; 2],
    sums: &mut [f64],
    weights: &mut [f64],
) -> bool {
    let mut complete = true;
    for (row, down) in (down.first..).zip(&down.weights) {
        for (column, across) in (across.first..).zip(&across.weights) {
            let weight = across * down;
            if weight == 0.0 {
                continue;
            }
            let inside = (0..rules.size[0]).contains(&column) && (0..rules.size[1]).contains(&row);
            let [column, row] = [column, row].map(|pixel| usize::try_from(pixel).unwrap_or(0));
            if !inside || !rules.is_opaque(rows, column, row) {
                complete = false;
                continue;
            }
            let pixel = &rows.row(row)[column * rows.bands..][..rows.bands];
            let opacity = rules.alpha.filter(|_| rules.weighs).map_or(1.0, |band| pixel[band].to_f64());
            for (band, sample) in pixel.iter().enumerate() {
                if !rules.has_data(*sample) {
                    complete = false;
                    continue;
                }
                let weight = if rules.alpha == Some(band) { weight } else { weight * opacity };
                sums[band] += weight * sample.to_f64();
                weights[band] += weight;
            }
        }
    }
    complete
}

/// Computes the kernels that choose among, or average, the pixels that the target pixel touches; returns whether any is valid.
fn selected<T: Number>(
    rules: &Rules<T>,
    rows: &Rows<'_, T>,
    place: [f64; 2],
    half: [f64; 2],
    scratch: &mut Scratch<T>,
    target: &mut [T],
) -> bool {
    let edges = [0, 1].map(|axis| {
        let size = rules.size[axis] as f64;
        [(place[axis] - half[axis]).clamp(0.0, size), (place[axis] + half[axis]).clamp(0.0, size)]
    });
    // An edge that the rounding of coordinates has moved across that of a pixel does not touch that pixel.
    const SLACK: f64 = 2.0 / SUBPIXELS;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the image")]
    let [columns, lines] =
        edges.map(|[start, end]| (start + SLACK).floor() as usize..(end - SLACK).ceil().max(0.0) as usize);
    let share = |pixel: usize, [start, end]: [f64; 2]| {
        let (low, high) = (pixel as f64, pixel as f64 + 1.0);
        (high.min(end) - low.max(start)).clamp(1e-6, 1.0)
    };
    let mut is_valid = false;
    for (band, target) in target.iter_mut().enumerate() {
        scratch.values.clear();
        scratch.weights.clear();
        for row in lines.clone() {
            for column in columns.clone() {
                let pixel = &rows.row(row)[column * rows.bands..][..rows.bands];
                if !rules.is_opaque(rows, column, row) || !rules.has_data(pixel[band]) {
                    continue;
                }
                let opacity =
                    rules.alpha.filter(|alpha| rules.weighs && *alpha != band).map_or(1.0, |band| pixel[band].to_f64());
                scratch.values.push(pixel[band]);
                scratch.weights.push(share(column, edges[0]) * share(row, edges[1]) * opacity);
            }
        }
        if !scratch.values.is_empty() {
            *target = chosen(rules, &mut scratch.values, &scratch.weights);
            is_valid = true;
        }
    }
    is_valid
}

/// Returns the value of valid samples.
fn chosen<T: Number>(rules: &Rules<T>, values: &mut [T], weights: &[f64]) -> T {
    let order = |a: &T, b: &T| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal);
    match rules.resampling {
        Resampling::Min => values.iter().copied().reduce(|a, b| if b < a { b } else { a }).unwrap_or(rules.fill),
        Resampling::Max => values.iter().copied().reduce(|a, b| if b > a { b } else { a }).unwrap_or(rules.fill),
        Resampling::Median => {
            let middle = (values.len() - 1) / 2;
            *values.select_nth_unstable_by(middle, order).1
        }
        Resampling::Mode => {
            let area = |value: &T| -> f64 {
                values.iter().zip(weights).filter(|(other, _)| *other == value).map(|(_, weight)| weight).sum()
            };
            // The first of several.
            let best = values.iter().fold((0.0, rules.fill), |best, value| {
                let area = area(value);
                if area > best.0 { (area, *value) } else { best }
            });
            best.1
        }
        _ => {
            let sum: f64 = values.iter().zip(weights).map(|(value, weight)| value.to_f64() * weight).sum();
            rules.sample(sum / weights.iter().sum::<f64>())
        }
    }
}
