//! Resampling kernels: compute the pixels of a level from those of the level before it.
//!
//! The rules come from GDAL 3.13, `gcore/overview.cpp`. Intentional deviations are listed in `docs/resampling.md`.
//! Above all, NaN never counts as a value, and masked pixels never contribute to a valid one, for every kernel.

mod alpha;
mod area;
mod blocks;
mod complex;
mod convolution;
mod estimate;
mod filter;
mod gauss;
mod mode;
mod order;
mod palette;
mod real;
mod rows;
mod small;

use std::ops::Range;
use std::sync::Arc;

use crate::buffer::Pool;
use crate::error::{ErrorKind, Result};
use crate::options::Resampling;
use crate::plan::CogPlan;
use crate::plan::LevelShare;
use crate::plan::window::{Axis, Window};
use crate::sample::{DataType, Nodata, NodataRange, Value, dispatch};
use crate::spec::ExtraSample;
use crate::validity::{self, Validity};

use super::LevelRows;
use alpha::Opacity;
use estimate::Lines;
use filter::Taps;
use palette::Palette;
use real::{Place, Real};
use rows::Rows;

/// The kernel from one level to the next.
#[derive(Debug)]
pub(super) struct Kernel {
    /// One for all bands, or one per band.
    methods: Vec<Resampling>,
    data_type: DataType,
    bits: u16,
    nodata: Option<Nodata>,
    validity: Validity,
    columns: Axis,
    rows: Axis,
    /// The window of every column, if a method needs it. Like the weights, it is empty until there are rows to compute
    /// from: the claims of a header must not decide how much memory is taken.
    covered: Vec<Window>,
    /// The weights of every column, for each method that is a convolution.
    taps: Vec<(Resampling, Taps)>,
    /// The value of a valid pixel of the finer level in GDAL's mask.
    valid: f64,
    palette: Option<Palette>,
    /// The alpha band, and whether colors still have to be weighted by it.
    alpha: Option<(usize, bool)>,
    /// Buffered columns of the finer level.
    source_width: usize,
    /// Computed columns of the coarser level.
    width: usize,
    /// The first computed row of the coarser level, and the row after the last one.
    start: u32,
    end: u32,
    /// Buffers for convolutions of bytes: one per thread for all levels. To be cleared after the last one.
    pub(super) lines: Arc<Pool<Lines>>,
}

/// Returns the kernels from each level to the next.
pub(super) fn between(plan: &CogPlan, levels: &[LevelShare]) -> Vec<Kernel> {
    let lines = Arc::default();
    levels.windows(2).map(|pair| Kernel::new(plan, &pair[0], &pair[1], Arc::clone(&lines))).collect()
}

/// Rows of the coarser level that are computed together.
struct Piece<'a, T> {
    pixels: &'a mut [T],
    /// The first row.
    first: u32,
    /// The samples of a pixel to compute.
    bands: Range<usize>,
}

impl<T> Piece<'_, T> {
    /// Returns the number of rows.
    fn rows(&self, row_len: usize) -> u32 {
        // A piece lies within a level, whose rows are numbered with 32 bits.
        u32::try_from(self.pixels.len() / row_len).unwrap_or(u32::MAX)
    }
}

impl Kernel {
    pub(super) fn new(plan: &CogPlan, source: &LevelShare, target: &LevelShare, lines: Arc<Pool<Lines>>) -> Self {
        let spec = plan.spec();
        let methods = plan.resampling().to_vec();
        let [columns, rows] = source.level.axes_to(&target.level);
        let columns = columns.within(source.window.columns.start, target.computed.columns.start);
        // GDAL's masks are 0 and 255, but 0 and 1 if the source is an overview with an internal mask.
        let valid = if spec.mask && source.level.index > 0 { 1.0 } else { 255.0 };
        let means = methods.iter().any(|method| matches!(method, Resampling::Average | Resampling::Rms));
        let palette = if means { Palette::new(spec) } else { None };
        Self {
            methods,
            data_type: spec.data_type,
            bits: spec.bits(),
            nodata: spec.nodata_in_range(),
            validity: Validity::of_image(spec),
            columns,
            rows,
            covered: Vec::new(),
            taps: Vec::new(),
            valid,
            alpha: spec
                .alpha_band()
                .map(|(band, kind)| (band, kind == ExtraSample::UnassociatedAlpha && palette.is_none())),
            palette,
            source_width: source.window.width() as usize,
            width: target.computed.width() as usize,
            start: target.computed.rows.start,
            end: target.computed.rows.end,
            lines,
        }
    }

    /// Computes the tables that the methods need, once, before the first row.
    pub(super) fn prepare(&mut self) -> Result<()> {
        // Columns are numbered with 32 bits.
        let columns = 0..u32::try_from(self.width).unwrap_or(u32::MAX);
        if self.covered.is_empty() && self.methods.iter().any(|&method| covers(method)) {
            reserve(&mut self.covered, self.width)?;
            self.covered.extend(columns.map(|column| self.columns.covered(column)));
        }
        for &method in self.methods.iter().filter(|method| method.radius().is_some()) {
            if self.taps.iter().all(|(known, _)| *known != method) {
                let mut taps = Taps::new(&self.columns, method, self.width, self.valid)?;
                convolution::set_blocks(&mut taps, self.data_type, self.validity.has_gaps())?;
                self.taps.push((method, taps));
            }
        }
        Ok(())
    }

    /// Returns the source pixels along an axis that decide the validity of an output pixel.
    fn looked_at(&self, axis: &Axis, resampling: Resampling, target: u32) -> Range<u32> {
        if self.data_type.is_complex() && resampling != Resampling::Nearest {
            axis.rounded(target)
        } else {
            axis.needed(resampling, target)
        }
    }

    /// Returns the rows of the finer level that a row needs, for all bands.
    pub(super) fn needed(&self, row: u32) -> Range<u32> {
        let needed = self.methods.iter().map(|&method| self.rows.needed(method, row));
        needed.reduce(|a, b| a.start.min(b.start)..a.end.max(b.end)).unwrap_or(0..0)
    }

    /// Returns how many rows from row `first` on can be computed once the finer level has all rows before row
    /// `available`.
    pub(super) fn computable(&self, available: u32, first: u32) -> u32 {
        let ready = |row: u32| self.needed(row).end <= available;
        // Rows become ready in order, so bisect for the end.
        let (mut low, mut high) = (first, self.end);
        while low < high {
            let middle = low + (high - low) / 2;
            if ready(middle) { low = middle + 1 } else { high = middle }
        }
        low - first
    }

    /// Returns the first row of the finer level that rows from `next` on need.
    pub(super) fn first_needed(&self, next: u32) -> u32 {
        if next < self.end { self.needed(next.max(self.start)).start } else { u32::MAX }
    }

    /// Returns the preferred minimum number of rows per piece: convolutions also resample the rows above and below each
    /// piece.
    pub(super) fn rows_of_a_piece(&self) -> usize {
        if self.methods.iter().any(|method| method.radius().is_some()) { 32 } else { 1 }
    }

    /// Returns the methods of some samples of a plane; adjacent samples with the same method are grouped.
    fn methods_of(&self, plane: usize, samples: Range<usize>) -> Vec<(Resampling, Range<usize>)> {
        let of = |band: usize| self.methods.get(band).or(self.methods.last()).copied().unwrap_or(Resampling::Nearest);
        let mut runs: Vec<(Resampling, Range<usize>)> = Vec::new();
        for sample in samples {
            let method = if self.methods.len() == 1 { of(0) } else { of(plane + sample) };
            match runs.last_mut() {
                Some((last, bands)) if *last == method => bands.end = sample + 1,
                _ => runs.push((method, sample..sample + 1)),
            }
        }
        runs
    }

    fn taps(&self, resampling: Resampling) -> Option<&Taps> {
        self.taps.iter().find(|(known, _)| *known == resampling).map(|(_, taps)| taps)
    }

    /// Computes rows of an image plane, from row `first` on, as many as `target` holds.
    pub(super) fn compute_plane(&self, source: &LevelRows, plane: usize, first: u32, target: &mut [u8]) {
        let samples = source.samples();
        let held_from = self.needed(first).start;
        dispatch!(self.data_type, T => {
            let pixels: &mut [T] = bytemuck::cast_slice_mut(target);
            let void = self.nodata.as_ref().and_then(NodataRange::<T>::of);
            let rows_of = |plane| Rows {
                pixels: bytemuck::cast_slice(whole(source.plane_from(plane, held_from), size_of::<T>())),
                mask: source.mask_from(held_from),
                first: held_from,
                width: self.source_width,
                samples,
                nodata: self.validity.nodata(),
                void,
                alpha: None,
            };
            let rows = rows_of(plane);
            let Some((alpha_band, weighs)) = self.alpha else {
                for (resampling, bands) in self.methods_of(plane, 0..samples) {
                    T::resample(self, &rows, resampling, &mut Piece { pixels: &mut *pixels, first, bands });
                }
                return;
            };
            // The plane that has the alpha band, and the index of alpha among its samples.
            let (alpha_plane, alpha_sample) = if samples > 1 { (0, alpha_band) } else { (alpha_band, 0) };
            let transparent = Some(validity::transparent());
            let alpha = Rows { nodata: transparent, void: transparent, ..rows_of(alpha_plane) };
            let mut piece = Piece { pixels, first, bands: 0..0 };
            let last = first.saturating_add(piece.rows(self.width * samples)).saturating_sub(1);
            let opacity = Opacity { rows: &alpha, sample: alpha_sample };
            let opaque = opacity.validity(held_from..self.needed(last).end);
            let colors = Rows { mask: Some(&opaque), alpha: weighs.then_some(opacity), ..rows };
            let here = if plane == alpha_plane { alpha_sample..alpha_sample + 1 } else { samples..samples };
            for (resampling, bands) in self.methods_of(plane, here.clone()) {
                piece.bands = bands;
                T::resample(self, &alpha, resampling, &mut piece);
            }
            for part in [0..here.start, here.end..samples] {
                for (resampling, bands) in self.methods_of(plane, part) {
                    piece.bands = bands;
                    T::resample(self, &colors, resampling, &mut piece);
                }
            }
        });
    }

    /// Computes rows of the mask: a pixel is valid where its kernel yields a value.
    pub(super) fn compute_mask(&self, source: &LevelRows, first: u32, target: &mut [u8]) {
        // All methods of a file share the mask rule: the plan ensures that.
        let Some(&resampling) = self.methods.first() else { return };
        let held_from = self.needed(first).start;
        let Some(mask) = source.mask_from(held_from) else { return };
        if resampling.radius().is_some() {
            return convolution::compute_mask(self, resampling, mask, held_from, first, target);
        }
        // Whether columns have a valid pixel in any row of the window, then whether a run of two or of three columns
        // that starts there does.
        let mut runs = [vec![0; self.source_width], vec![0; self.source_width], vec![0; self.source_width]];
        let regular = self.regular(resampling);
        let filled = |valid: u8| if validity::is_masked(valid) { 0 } else { u8::MAX };
        let from_table = !self.data_type.is_complex() && covers(resampling);
        for (row, target) in (first..).zip(target.chunks_exact_mut(self.width)) {
            let needed = self.looked_at(&self.rows, resampling, row);
            let rows = &mask[(needed.start - held_from) as usize * self.source_width..];
            let [one, two, three] = &mut runs;
            one.fill(0);
            for row in rows.chunks(self.source_width).take(needed.len()) {
                one.iter_mut().zip(row).for_each(|(any, valid)| *any |= valid);
            }
            if resampling != Resampling::Nearest {
                two.iter_mut().zip(one.iter().zip(&one[1..])).for_each(|(two, (a, b))| *two = a | b);
                let third = &one[2.min(one.len())..];
                three.iter_mut().zip(two.iter().zip(third)).for_each(|(three, (a, b))| *three = a | b);
            }
            if let Some((start, length)) = regular {
                target
                    .iter_mut()
                    .zip(runs[length - 1][start..].chunks(2))
                    .for_each(|(target, run)| *target = filled(run[0]));
                continue;
            }
            for (column, target) in target.iter_mut().enumerate() {
                let columns = match self.covered.get(column) {
                    Some(window) if from_table => window.range(),
                    // Columns are numbered with 32 bits.
                    _ => {
                        let looked_at = |column| self.looked_at(&self.columns, resampling, column);
                        let range = looked_at(u32::try_from(column).unwrap_or(u32::MAX));
                        range.start as usize..range.end as usize
                    }
                };
                let valid = match columns.len() {
                    length @ 1..=3 => runs[length - 1][columns.start],
                    _ => runs[0][columns].iter().fold(0, |any, valid| any | valid),
                };
                *target = filled(valid);
            }
        }
    }

    /// Returns the first pixel's start column and the number of columns per pixel, if each pixel starts two columns
    /// after the previous one and takes at most three.
    fn regular(&self, resampling: Resampling) -> Option<(usize, usize)> {
        if resampling == Resampling::Nearest {
            return self.columns.start_of_twos().map(|start| (start, 1));
        }
        let first = self.covered.first()?;
        let (start, length) = (first.start, first.len());
        let same = |(start, window): (u32, &Window)| window.start == start && window.len() == length;
        let known = covers(resampling) && !self.data_type.is_complex() && length <= 3;
        (known && (start..).step_by(2).zip(&self.covered).all(same)).then_some((start as usize, length))
    }
}

/// Returns whether a method uses exactly the pixels in the footprint of an output pixel.
fn covers(resampling: Resampling) -> bool {
    use Resampling::{Average, Max, Median, Min, Mode, Rms};
    matches!(resampling, Average | Rms | Mode | Min | Max | Median)
}

/// Reserves memory for a table with one or a few entries per column.
fn reserve<T>(table: &mut Vec<T>, count: usize) -> Result<()> {
    let bytes = count.saturating_mul(size_of::<T>()) as u64;
    let out_of_memory = |_| ErrorKind::OutOfMemory { what: "the weights of an overview's columns", bytes };
    Ok(table.try_reserve_exact(count).map_err(out_of_memory)?)
}

/// Returns the bytes that form whole items.
fn whole(bytes: &[u8], size: usize) -> &[u8] {
    &bytes[..bytes.len() - bytes.len() % size]
}

/// A sample type that can be resampled.
trait Resample: Value {
    /// Fills the bands of a piece.
    fn resample(kernel: &Kernel, source: &Rows<'_, Self>, resampling: Resampling, piece: &mut Piece<'_, Self>);
}

fn nearest<T: Value>(kernel: &Kernel, source: &Rows<'_, T>, piece: &mut Piece<'_, T>) {
    let samples = source.samples;
    for (row, target) in (piece.first..).zip(piece.pixels.chunks_exact_mut(kernel.width * samples)) {
        let line = source.row(kernel.rows.nearest(row));
        if let (1, Some(start)) = (samples, kernel.columns.start_of_twos()) {
            // The last pair may lack its second pixel.
            let last = target.len() - 1;
            target[last] = line[start + 2 * last];
            line[start..].chunks_exact(2).zip(target).for_each(|(pair, target)| *target = pair[0]);
            continue;
        }
        for (column, target) in (0u32..).zip(target.chunks_exact_mut(samples)) {
            let start = kernel.columns.nearest(column) as usize * samples;
            target[piece.bands.clone()].copy_from_slice(&line[start..][piece.bands.clone()]);
        }
    }
}

fn real<T: Real + PartialOrd>(kernel: &Kernel, source: &Rows<'_, T>, resampling: Resampling, piece: &mut Piece<'_, T>) {
    let place = Place { void: source.void, largest: T::largest(kernel.bits) };
    // Palettes have at most 16 bits.
    if let (true, Some(palette), Resampling::Average | Resampling::Rms) = (T::LANES, &kernel.palette, resampling) {
        return palette::compute(kernel, palette, source, resampling == Resampling::Rms, piece);
    }
    match resampling {
        Resampling::Nearest => nearest(kernel, source, piece),
        Resampling::Average => area::compute(kernel, source, place, false, piece),
        Resampling::Rms => area::compute(kernel, source, place, true, piece),
        Resampling::Mode => mode::compute(kernel, source, piece),
        Resampling::Gauss => gauss::compute(kernel, source, place, piece),
        Resampling::Min | Resampling::Max | Resampling::Median => order::compute(kernel, source, resampling, piece),
        Resampling::Bilinear | Resampling::Cubic | Resampling::CubicSpline | Resampling::Lanczos => {
            convolution::compute(kernel, source, place, resampling, piece);
        }
    }
    if let (Some(opacity), true) = (&source.alpha, resampling.is_mean()) {
        alpha::weight(kernel, source, opacity, place, resampling, piece);
    }
}

macro_rules! resample_real {
    ($($type:ty),*) => {
        $(impl Resample for $type {
            fn resample(kernel: &Kernel, source: &Rows<'_, Self>, resampling: Resampling, piece: &mut Piece<'_, Self>) {
                real(kernel, source, resampling, piece);
            }
        })*
    };
}

resample_real!(u8, i8, u16, i16, u32, i32, u64, i64, half::f16, f32, f64);

macro_rules! resample_complex {
    ($($type:ty),*) => {
        $(impl Resample for num_complex::Complex<$type> {
            fn resample(kernel: &Kernel, source: &Rows<'_, Self>, resampling: Resampling, piece: &mut Piece<'_, Self>) {
                if resampling == Resampling::Nearest {
                    nearest(kernel, source, piece);
                } else {
                    // Means; the plan rejects everything else.
                    complex::compute(kernel, source, resampling, piece);
                }
            }
        })*
    };
}

resample_complex!(i16, i32, f32, f64);
