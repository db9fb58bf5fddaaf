//! An image as blocks of 8 x 8 or 16 x 16 pixels, each encoded separately.

use bytemuck::{cast_slice, cast_slice_mut};

use crate::block::{self, Bound, Range};
use crate::pack::Quantized;
use crate::sample::Sample;
use crate::simd::newest;

/// Samples of one blob, and which of their pixels are valid.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Raster<'a, T> {
    pub(crate) width: usize,
    pub(crate) height: usize,
    /// Samples per pixel.
    pub(crate) depth: usize,
    /// Rows from top to bottom, pixels from left to right, all samples of a pixel together.
    pub(crate) samples: &'a [T],
    /// 1 for each valid pixel, 0 for others; `None` if all are valid.
    pub(crate) valid: Option<&'a [u8]>,
    /// The number of valid pixels.
    pub(crate) valid_count: usize,
}

/// Ranges of the samples of each band.
#[derive(Debug, Default)]
pub(crate) struct Ranges {
    pub(crate) mins: Vec<f64>,
    pub(crate) maxs: Vec<f64>,
}

impl Ranges {
    fn clear(&mut self, depth: usize) {
        self.mins.clear();
        self.mins.resize(depth, f64::INFINITY);
        self.maxs.clear();
        self.maxs.resize(depth, f64::NEG_INFINITY);
    }

    #[inline(always)]
    fn add<T: Sample>(&mut self, band: usize, range: Range<T>) {
        let (min, max) = (range.min.to_f64(), range.max.to_f64());
        self.mins[band] = if min < self.mins[band] { min } else { self.mins[band] };
        self.maxs[band] = if max > self.maxs[band] { max } else { self.maxs[band] };
    }
}

/// Buffers of a pass, reused from one image to the next.
#[derive(Debug, Default)]
pub(crate) struct TileScratch {
    quantized: Quantized,
    /// Planes of one row of blocks, as `f64` for alignment.
    planes: Vec<f64>,
}

/// Side of the smaller blocks, whose code is made for their size.
pub(crate) const SMALL: usize = 8;

/// Side of the larger blocks.
pub(crate) const LARGE: usize = 16;

/// Encodes all blocks of `side` x `side` pixels; returns the number of bytes at the start of `out`, which grows as needed,
/// and sets `ranges`.
pub(crate) fn write<T: Sample>(
    side: usize,
    raster: &Raster<'_, T>,
    bound: Bound,
    ranges: &mut Ranges,
    scratch: &mut TileScratch,
    out: &mut Vec<u8>,
) -> usize {
    ranges.clear(raster.depth);
    let blocks = raster.width.div_ceil(side) * raster.height.div_ceil(side) * raster.depth;
    let max_len = raster.samples.len() * T::SIZE + blocks + block::max_len::<T>();
    if out.len() < max_len {
        out.resize(max_len, 0);
    }
    newest(
        #[inline(always)]
        || write_blocks::<T>(side, raster, bound, ranges, scratch, out),
    )
}

#[inline(always)]
fn write_blocks<T: Sample>(
    side: usize,
    raster: &Raster<'_, T>,
    bound: Bound,
    ranges: &mut Ranges,
    scratch: &mut TileScratch,
    out: &mut [u8],
) -> usize {
    let Raster { width, height, depth, samples, valid, .. } = *raster;
    let mut end = 0;
    let mut values = [T::default(); LARGE * LARGE];
    let plane_len = width * side;
    if depth > 1 {
        scratch.planes.resize((plane_len * depth * T::SIZE).div_ceil(size_of::<f64>()), 0.0);
    }
    for top in (0..height).step_by(side) {
        let rows = side.min(height - top);
        let row_samples = &samples[top * width * depth..][..rows * width * depth];
        let planes: &[T] = if depth > 1 {
            let planes = &mut cast_slice_mut(&mut scratch.planes)[..plane_len * depth];
            deinterleave(row_samples, depth, plane_len, 0, planes);
            planes
        } else {
            row_samples
        };
        let valid = valid.map(|valid| &valid[top * width..][..rows * width]);
        for left in (0..width).step_by(side) {
            let columns = side.min(width - left);
            let check = ((left >> 3) as u8 & 15) << 2;
            let is_full = side == SMALL && columns == SMALL && rows == SMALL;
            let mask = valid.filter(|valid| !is_all_valid(valid, width, left, columns));
            for band in 0..depth {
                let plane = &planes[band * plane_len..];
                let (len, range) = if is_full && mask.is_none() {
                    let mut values = [T::default(); SMALL * SMALL];
                    for (row, values) in values.as_chunks_mut::<SMALL>().0.iter_mut().enumerate() {
                        values.copy_from_slice(&plane[row * width + left..][..SMALL]);
                    }
                    block::write(&values, check, bound, valid.is_none(), &mut scratch.quantized, &mut out[end..])
                } else {
                    let count = gather(plane, mask, width, left, columns, rows, &mut values);
                    write_any(&values[..count], check, bound, valid.is_none(), &mut scratch.quantized, &mut out[end..])
                };
                end += len;
                if let Some(range) = range {
                    ranges.add(band, range);
                }
            }
        }
    }
    end
}

/// Encodes a block of any number of values: compiled once, unlike [`block::write`].
#[inline(never)]
fn write_any<T: Sample>(
    values: &[T],
    check: u8,
    bound: Bound,
    first_counts: bool,
    quantized: &mut Quantized,
    out: &mut [u8],
) -> (usize, Option<Range<T>>) {
    newest(
        #[inline(always)]
        || block::write(values, check, bound, first_counts, quantized, out),
    )
}

/// Returns whether all pixels in some columns of a row of blocks are valid.
#[inline(always)]
fn is_all_valid(valid: &[u8], width: usize, left: usize, columns: usize) -> bool {
    valid.chunks_exact(width).all(|row| row[left..left + columns].iter().all(|&valid| valid == 1))
}

/// Collects the valid values of a block, row by row; returns how many there are.
#[inline(always)]
fn gather<T: Sample>(
    plane: &[T],
    valid: Option<&[u8]>,
    width: usize,
    left: usize,
    columns: usize,
    rows: usize,
    values: &mut [T],
) -> usize {
    let mut count = 0;
    for row in 0..rows {
        let start = row * width + left;
        let samples = &plane[start..start + columns];
        if let Some(valid) = valid {
            for (&sample, &valid) in samples.iter().zip(&valid[start..start + columns]) {
                values[count] = sample;
                // Not all of them are valid, so the last place is never passed.
                count += usize::from(valid);
            }
        } else {
            values[count..count + columns].copy_from_slice(samples);
            count += columns;
        }
    }
    count
}

/// Separates the bands of rows: that of band `b` starts at `b * plane_len + at`.
pub(crate) fn deinterleave<T: Sample>(samples: &[T], depth: usize, plane_len: usize, at: usize, planes: &mut [T]) {
    // By size, so that types share the code.
    match T::SIZE {
        1 => separate::<u8>(cast_slice(samples), depth, plane_len, at, cast_slice_mut(planes)),
        2 => separate::<u16>(cast_slice(samples), depth, plane_len, at, cast_slice_mut(planes)),
        4 => separate::<u32>(cast_slice(samples), depth, plane_len, at, cast_slice_mut(planes)),
        _ => separate::<u64>(cast_slice(samples), depth, plane_len, at, cast_slice_mut(planes)),
    }
}

#[inline(never)]
fn separate<T: Copy>(samples: &[T], depth: usize, plane_len: usize, at: usize, planes: &mut [T]) {
    newest(
        #[inline(always)]
        || match depth {
            2 => separate_by::<T, 2>(samples, plane_len, at, planes),
            3 => separate_by::<T, 3>(samples, plane_len, at, planes),
            4 => separate_by::<T, 4>(samples, plane_len, at, planes),
            _ => {
                for (band, plane) in planes.chunks_exact_mut(plane_len).enumerate() {
                    for (out, pixel) in plane[at..].iter_mut().zip(samples.chunks_exact(depth)) {
                        *out = pixel[band];
                    }
                }
            }
        },
    );
}

#[inline(always)]
fn separate_by<T: Copy, const DEPTH: usize>(samples: &[T], plane_len: usize, at: usize, planes: &mut [T]) {
    let pixels = samples.as_chunks::<DEPTH>().0;
    for (band, plane) in planes.chunks_exact_mut(plane_len).enumerate() {
        for (out, pixel) in plane[at..].iter_mut().zip(pixels) {
            *out = pixel[band];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Encodes with whatever instructions there are, and with those that the crate is compiled for.
    fn both<T: Sample>(side: usize, samples: &[T], depth: usize, max_z_error: f64) -> [Vec<u8>; 2] {
        let raster = Raster { width: 50, height: 21, depth, samples, valid: None, valid_count: 50 * 21 };
        let bound = Bound::new::<T>(max_z_error);
        let (mut ranges, mut scratch) = (Ranges::default(), TileScratch::default());
        let (mut one, mut other) = (Vec::new(), Vec::new());
        let len = write(side, &raster, bound, &mut ranges, &mut scratch, &mut one);
        one.truncate(len);
        other.resize(samples.len() * T::SIZE * 2 + block::max_len::<T>(), 0);
        ranges.clear(depth);
        let len = write_blocks(side, &raster, bound, &mut ranges, &mut scratch, &mut other);
        other.truncate(len);
        [one, other]
    }

    #[test]
    fn bytes_do_not_depend_on_instructions() {
        let floats: Vec<f32> =
            (0..50 * 21 * 3).map(|index: i32| (index % 97 * index % 89) as f32 * 0.37 - 900.0).collect();
        let bytes: Vec<u8> = floats.iter().map(|&value| value as i32 as u8).collect();
        for max_z_error in [0.0, 0.01, 0.5, 3.0, 1000.0] {
            let [one, other] = both(SMALL, &floats, 3, max_z_error);
            assert_eq!(one, other);
            let [one, other] = both(LARGE, &floats[..50 * 21], 1, max_z_error);
            assert_eq!(one, other);
            let [one, other] = both(SMALL, &bytes, 3, f64::max(0.5, max_z_error));
            assert_eq!(one, other);
        }
    }

    #[test]
    fn ranges_are_those_of_each_band() {
        let samples: Vec<i16> = (0..50 * 21 * 2).map(|index| if index % 2 == 0 { index } else { -index }).collect();
        let raster = Raster { width: 50, height: 21, depth: 2, samples: &samples, valid: None, valid_count: 50 * 21 };
        let (mut ranges, mut out) = (Ranges::default(), Vec::new());
        write(SMALL, &raster, Bound::new::<i16>(0.5), &mut ranges, &mut TileScratch::default(), &mut out);
        assert_eq!((ranges.mins, ranges.maxs), (vec![0.0, -2099.0], vec![2098.0, -1.0]));
    }
}
