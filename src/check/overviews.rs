//! Whether overviews can be of the image: what every kernel has in common.
//!
//! Nearest and mode take a pixel that is there; average, median, smallest and largest value and the smooth kernels stay
//! within what is under them; bilinear, cubic and Lanczos overshoot by no more than the range of what is under them. All
//! look no further than three pixels of the overview, and give no data where there are none. So a place of 16x16 pixels is
//! compared with the range of what lies under it and four pixels around, widened on both sides by that range; it is wrong
//! only where no pixel of it fits. That leaves rounding, nodata that is stepped over, drift of odd sizes, and lossy
//! codecs far inside, and finds overviews that are empty, of another image, or garbled.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use crate::error::Result;
use crate::sample::DataType;

use super::image::Image;
use super::layout::Pyramid;
use super::parse::{Array, Tiff};
use super::report::{Place, Report};
use super::{CheckOptions, Depth, rules, tiles};

/// Columns and rows of a place, in pixels of the overview.
const CELL: u64 = 16;
/// How far beyond the place a kernel may look, in pixels of the overview: Lanczos three, and one of drift.
const MARGIN: u64 = 4;
/// Bands that are compared: all pixels are decoded anyway, but not all bands say more.
const MOST_BANDS: u64 = 8;
/// Tiles of an overview that are looked at in full checks, spread evenly.
const MOST_TILES: u64 = 4096;
/// As many in quick checks.
const SAMPLE: u64 = 6;
/// Bytes of decoded tiles that are kept.
const CACHE_BYTES: usize = 64 << 20;
/// Numbers that a kernel may add up: floats are compared where as many have a finite sum.
const SUMMED: f64 = 1e6;
/// Pixels of a level that are read for one place; very uneven sizes need more, and are left out.
const MOST_PIXELS: u64 = 1 << 20;

/// Compares every overview with the level before it.
pub(super) fn check(tiff: &Tiff<'_>, images: &[Image], options: &CheckOptions, report: &mut Report) -> Result<()> {
    let pyramid = Pyramid::of(images);
    let mut budget = options.limit_for(tiff.length);
    for pair in pyramid.levels.windows(2) {
        let [finer, coarser] = pair else { continue };
        let Some(full) = pyramid.levels.first() else { continue };
        if ![full, finer, coarser].iter().all(|level| comparable(level, full)) || coarser.width > finer.width {
            continue;
        }
        let level = |image: &'_ Image| -> Option<Level<'_>> {
            Level::new(tiff, pyramid.levels.iter().find(|level| level.directory == image.directory)?, &pyramid)
        };
        let (Some(mut coarse), Some(mut fine), Some(mut base)) = (level(coarser), level(finer), level(full)) else {
            continue;
        };
        compare(&mut [&mut coarse, &mut fine, &mut base], options, &mut budget, report)?;
    }
    Ok(())
}

fn comparable(level: &Image, full: &Image) -> bool {
    level.sound
        && level.format.is_ok()
        && level.tiles() > 0
        && (level.samples, level.data_type) == (full.samples, full.data_type)
        && level.data_type.is_some_and(|data_type| !data_type.is_complex())
        && level.bits == full.bits
}

/// Compares an overview (first) with the level before (second), and full resolution (third) where that is in doubt.
fn compare(
    levels: &mut [&mut Level<'_>; 3],
    options: &CheckOptions,
    budget: &mut u64,
    report: &mut Report,
) -> Result<()> {
    let image = levels[0].image;
    let wanted = if options.depth == Depth::Quick { SAMPLE } else { MOST_TILES };
    let per_plane = image.per_plane();
    let step = per_plane.div_ceil(wanted).max(1);
    let mut wrong: Vec<(u64, String)> = Vec::new();
    let (mut compared, mut bad) = (0u64, 0u64);
    let mut tile = 0;
    while tile < per_plane {
        for cell in cells(image, tile) {
            let cost = levels[1].cost(&cell, image).saturating_add(tiles::decoded_bytes(image, tile));
            if cost > *budget {
                report.cells_compared += compared;
                return Ok(());
            }
            *budget -= cost;
            for band in 0..image.samples.min(MOST_BANDS) {
                let Some(verdict) = judge(levels, &cell, band, budget)? else { continue };
                compared += 1;
                if let Some(reason) = verdict {
                    bad += 1;
                    if wrong.len() < 3 {
                        wrong.push((tile, format!("band {}: {reason}", band + 1)));
                    }
                    break;
                }
            }
        }
        tile += step;
    }
    report.cells_compared += compared;
    if let Some((tile, reason)) = wrong.first() {
        let message = format_args!("{bad} of {compared} places don't fit; the first: {reason}");
        report.add(&rules::OVERVIEW_CONTENT, Place::tile(image.directory, *tile), message);
    }
    Ok(())
}

/// A rectangle of pixels.
#[derive(Debug, Clone, Copy)]
struct Window {
    left: u64,
    top: u64,
    width: u64,
    height: u64,
}

/// Four places of a tile, fewer where the image ends in it.
fn cells(image: &Image, tile: u64) -> Vec<Window> {
    let across = image.across().max(1);
    let (left, top) = (tile % across * image.tile_width, tile / across * image.tile_height);
    let width = image.tile_width.min(image.width.saturating_sub(left));
    let height = image.tile_height.min(image.height.saturating_sub(top));
    let starts = |from: u64, length: u64| {
        let size = length.min(CELL);
        let quarter = |part: u64| from + (length * part / 4).saturating_sub(size / 2).min(length - size);
        if length <= 2 * CELL {
            vec![(from + (length - size) / 2, size)]
        } else {
            vec![(quarter(1), size), (quarter(3), size)]
        }
    };
    let mut cells = Vec::new();
    for &(top, height) in &starts(top, height) {
        cells.extend(starts(left, width).iter().map(|&(left, width)| Window { left, top, width, height }));
    }
    cells
}

/// The pixels of a finer level that a place can come from.
fn under(cell: &Window, coarse: &Image, fine: &Image) -> Window {
    let span = |start: u64, length: u64, coarse: u64, fine: u64| {
        let scale =
            |at: u64| u64::try_from(u128::from(at) * u128::from(fine) / u128::from(coarse.max(1))).unwrap_or(fine);
        let from = scale(start.saturating_sub(MARGIN));
        let to = scale(start + length + MARGIN).saturating_add(1).min(fine);
        (from, to.saturating_sub(from))
    };
    let (left, width) = span(cell.left, cell.width, coarse.width, fine.width);
    let (top, height) = span(cell.top, cell.height, coarse.height, fine.height);
    Window { left, top, width, height }
}

/// What a window holds of a band.
#[derive(Debug, Clone)]
struct Content {
    valid: Vec<Option<f64>>,
}

impl Content {
    /// Smallest and largest valid value.
    fn range(&self) -> Option<(f64, f64)> {
        self.valid.iter().flatten().fold(None, |range, value| match range {
            None => Some((*value, *value)),
            Some((low, high)) => Some((f64::min(low, *value), f64::max(high, *value))),
        })
    }

    fn all_valid(&self) -> bool {
        self.valid.iter().all(Option::is_some)
    }
}

/// Judges a place of a band: `None` where it can't be, `Some(Some(reason))` where it is wrong.
fn judge(
    levels: &mut [&mut Level<'_>; 3],
    cell: &Window,
    band: u64,
    budget: &mut u64,
) -> Result<Option<Option<String>>> {
    let [coarse, fine, base] = levels;
    let Some(here) = coarse.read(cell, band)? else { return Ok(None) };
    let Some(there) = fine.read(&under(cell, coarse.image, fine.image), band)? else { return Ok(None) };
    // Where masks differ in kind, or values come and go with the codec, what is valid says nothing.
    let gaps = coarse.mask.is_some() == fine.mask.is_some() && (!coarse.image.is_lossy() || coarse.mask.is_some());
    let tolerance = Tolerance { image: coarse.image };
    if misfit(&here, &there, gaps, tolerance).is_none() {
        return Ok(Some(None));
    }
    // Kernels that start from full resolution each time may find there what the level before has lost.
    let cost = base.cost(cell, coarse.image);
    if cost > *budget {
        return Ok(None);
    }
    *budget -= cost;
    let Some(whole) = base.read(&under(cell, coarse.image, base.image), band)? else { return Ok(None) };
    let both = Content { valid: there.valid.iter().chain(&whole.valid).copied().collect() };
    let gaps = gaps && base.mask.is_some() == coarse.mask.is_some();
    Ok(Some(misfit(&here, &both, gaps, tolerance)))
}

#[derive(Clone, Copy)]
struct Tolerance<'a> {
    image: &'a Image,
}

impl Tolerance<'_> {
    /// By how much a value may leave the range.
    fn of(self, low: f64, high: f64) -> f64 {
        let magnitude = low.abs().max(high.abs());
        let rounding = match self.image.data_type {
            Some(DataType::F16) => magnitude * 4e-3 + 1e-6,
            Some(DataType::F32) => magnitude * 1e-5 + f64::from(f32::MIN_POSITIVE),
            Some(DataType::F64) => magnitude * 1e-5 + f64::MIN_POSITIVE,
            // Half for rounding, one for a value that steps out of nodata's way; doubles hold 64 bits with an error.
            _ => 2.0 + magnitude * 1e-6,
        };
        let lossy = if self.image.is_lossy() { 32f64.max(magnitude / 8.0) } else { 0.0 };
        high - low + rounding + lossy
    }
}

/// Why not a single pixel of a place fits what is under it; `None` where one does.
fn misfit(here: &Content, there: &Content, gaps: bool, tolerance: Tolerance<'_>) -> Option<String> {
    let range = there.range();
    let full = there.all_valid();
    // Sums of such numbers are infinite, and what becomes of infinities may be no number.
    let most = match tolerance.image.data_type {
        Some(DataType::F32) => f64::from(f32::MAX) / SUMMED,
        Some(DataType::F64) => f64::MAX / SUMMED,
        _ => f64::MAX,
    };
    if range.is_some_and(|(low, high)| !(low.abs() <= most && high.abs() <= most)) {
        return None;
    }
    let palette = tolerance.image.photometric == 3;
    let color = |value: f64| {
        let per_color = tolerance.image.color_map.len() / 3;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index of a palette")]
        let index = value.max(0.0) as usize;
        [0, 1, 2].map(|part| tolerance.image.color_map.get(part * per_color + index).copied())
    };
    let fits = |value: &Option<f64>| match (value, range) {
        (None, _) => !(gaps && full),
        (Some(_), None) => !gaps,
        // Averages of colours may have any index, but of one colour that one.
        (Some(value), Some((low, high))) if palette => low != high || *value == low || color(*value) == color(low),
        (Some(value), Some((low, high))) => {
            let tolerance = tolerance.of(low, high);
            // The root of the mean square has no sign.
            let rms = low < 0.0 && value.abs() <= low.abs().max(high.abs()) + tolerance;
            (low - tolerance..=high + tolerance).contains(value) || rms || !value.is_finite()
        }
    };
    if here.valid.is_empty() || here.valid.iter().any(fits) {
        return None;
    }
    Some(match (here.range(), range) {
        (None, _) => "the overview has no data, the level before has data all around".to_owned(),
        (Some((low, high)), None) => {
            format!("the overview has values from {low} to {high}, the level before has no data")
        }
        (Some((low, high)), Some((from, to))) => {
            format!("the overview has values from {low} to {high}, the level before from {from} to {to}")
        }
    })
}

/// A level whose pixels can be read.
struct Level<'a> {
    tiff: &'a Tiff<'a>,
    image: &'a Image,
    offsets: Array<'a>,
    counts: Array<'a>,
    mask: Option<Box<Level<'a>>>,
    /// The samples that are not valid. `None` if there is a mask, which decides alone.
    nodata: Option<RangeInclusive<f64>>,
    alpha: Option<u64>,
    held: HashMap<u64, Option<Arc<Vec<u8>>>>,
    held_bytes: usize,
}

impl<'a> Level<'a> {
    fn new(tiff: &'a Tiff<'a>, image: &'a Image, pyramid: &Pyramid<'a>) -> Option<Self> {
        let mask = match pyramid.mask_of(image) {
            _ if image.is_mask() => None,
            // A mask that can't be read makes what is valid unknown.
            Some(mask) if mask.sound && mask.format.is_ok() => Some(Box::new(Self::new(tiff, mask, pyramid)?)),
            Some(_) => return None,
            None => None,
        };
        let (offsets, counts) = image.arrays(tiff)?;
        let full = pyramid.levels.first()?;
        let alpha = if image.is_mask() { None } else { image.alpha() };
        let decides = !image.is_mask() && mask.is_none();
        let nodata = full.nodata().filter(|_| decides).zip(image.data_type);
        let nodata = nodata.and_then(|(nodata, data_type)| nodata.equal_samples(data_type));
        let held = HashMap::new();
        Some(Self { tiff, image, offsets, counts, mask, nodata, alpha, held, held_bytes: 0 })
    }

    /// What reading the pixels under a place costs.
    fn cost(&self, cell: &Window, coarse: &Image) -> u64 {
        let window = under(cell, coarse, self.image);
        let across = window.width / self.image.tile_width.max(1) + 1;
        let down = window.height / self.image.tile_height.max(1) + 1;
        tiles::decoded_bytes(self.image, 0).saturating_mul(across).saturating_mul(down)
    }

    /// The samples of a band in a window, `None` for pixels without data; `None` where not all can be read.
    fn read(&mut self, window: &Window, band: u64) -> Result<Option<Content>> {
        let Some(values) = self.values(window, band)? else { return Ok(None) };
        // Alpha has 0 where nothing is, whatever nodata is; lossy codecs lose that.
        let is_alpha = self.alpha == Some(band) && !self.image.is_lossy();
        let nodata = if is_alpha { Some(0.0..=0.0) } else { self.nodata.clone() };
        let is_nodata = |value: &f64| nodata.as_ref().is_some_and(|nodata| nodata.contains(value));
        let mut valid: Vec<_> =
            values.into_iter().map(|value| Some(value).filter(|value| !value.is_nan() && !is_nodata(value))).collect();
        let mut cover = Vec::new();
        if let Some(mask) = &mut self.mask {
            let Some(values) = mask.values(window, 0)? else { return Ok(None) };
            cover.push(values);
        }
        if let Some(alpha) = self.alpha.filter(|alpha| *alpha != band) {
            let Some(values) = self.values(window, alpha)? else { return Ok(None) };
            cover.push(values);
        }
        for values in cover {
            for (pixel, value) in valid.iter_mut().zip(values) {
                if value == 0.0 {
                    *pixel = None;
                }
            }
        }
        Ok(Some(Content { valid }))
    }

    fn values(&mut self, window: &Window, band: u64) -> Result<Option<Vec<f64>>> {
        let image = self.image;
        if window.width * window.height > MOST_PIXELS || image.tile_width == 0 || image.tile_height == 0 {
            return Ok(None);
        }
        let Some(data_type) = image.data_type else { return Ok(None) };
        let (plane, band) = if image.planar { (band, 0) } else { (0, band) };
        let samples = if image.planar { 1 } else { image.samples };
        let to_index = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let mut values = Vec::with_capacity(to_index(window.width * window.height));
        for row in window.top..window.top + window.height {
            let mut column = window.left;
            while column < window.left + window.width {
                let (tile_column, tile_row) = (column / image.tile_width, row / image.tile_height);
                let tile = plane * image.per_plane() + tile_row * image.across() + tile_column;
                let Some(bytes) = self.tile(tile)? else { return Ok(None) };
                let from = column - tile_column * image.tile_width;
                let count = (image.tile_width - from).min(window.left + window.width - column);
                let pixel = (row - tile_row * image.tile_height) * image.tile_width + from;
                for pixel in pixel..pixel + count {
                    let at =
                        to_index(pixel.saturating_mul(samples).saturating_add(band)).saturating_mul(data_type.size());
                    let Some(value) = bytes.get(at..).and_then(|bytes| number(data_type, bytes)) else {
                        return Ok(None);
                    };
                    values.push(value);
                }
                column += count;
            }
        }
        Ok(Some(values))
    }

    /// A decoded tile; of sparse ones nothing is known but that there is nothing.
    fn tile(&mut self, tile: u64) -> Result<Option<Arc<Vec<u8>>>> {
        if let Some(held) = self.held.get(&tile) {
            return Ok(held.clone());
        }
        let place = (self.offsets.at(tile)?, self.counts.at(tile)?);
        let bytes = tiles::samples(self.tiff, self.image, tile, place)?.map(Arc::new);
        let size = bytes.as_ref().map_or(0, |bytes| bytes.len()) + 64;
        if self.held_bytes + size > CACHE_BYTES {
            self.held.clear();
            self.held_bytes = 0;
        }
        self.held_bytes += size;
        self.held.insert(tile, bytes.clone());
        Ok(bytes)
    }
}

/// The number at the start of some bytes.
#[expect(clippy::cast_precision_loss, reason = "64-bit integers are compared with a tolerance")]
fn number(data_type: DataType, bytes: &[u8]) -> Option<f64> {
    macro_rules! read {
        ($type:ty) => {
            <$type>::from_ne_bytes(*bytes.first_chunk()?)
        };
    }
    Some(match data_type {
        DataType::U8 => read!(u8).into(),
        DataType::I8 => read!(i8).into(),
        DataType::U16 => read!(u16).into(),
        DataType::I16 => read!(i16).into(),
        DataType::U32 => read!(u32).into(),
        DataType::I32 => read!(i32).into(),
        DataType::U64 => read!(u64) as f64,
        DataType::I64 => read!(i64) as f64,
        DataType::F16 => half::f16::from_bits(read!(u16)).into(),
        DataType::F32 => read!(f32).into(),
        DataType::F64 => read!(f64),
        _ => return None,
    })
}
