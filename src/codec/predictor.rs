//! From rows of an image to the samples of a tile: gathering, padding, prediction, little-endian order.
//!
//! Horizontal differencing is TIFF 6.0 section 14, widened to 16 to 64 bits as libtiff does; the floating-point
//! predictor is Adobe Photoshop TIFF Technical Note 3.

use crate::options::Predictor;
use crate::processor::newest;

use super::{TileFormat, TileView};

/// Fills `raw`, the samples of a whole tile, from the rectangle `view`.
///
/// Padding repeats the last column, whose differences are nothing, and fills what is below the last row with zeros: after
/// prediction, so that they are zeros whatever the predictor is. `scratch` is memory kept from call to call.
pub(super) fn gather(format: &TileFormat, view: TileView<'_>, raw: &mut [u8], scratch: &mut Vec<u8>) {
    newest(
        #[inline(always)]
        || gather_rows(format, view, raw, scratch),
    );
}

/// As [`gather`], where it is called from.
#[inline(always)]
fn gather_rows(format: &TileFormat, view: TileView<'_>, raw: &mut [u8], scratch: &mut Vec<u8>) {
    let size = format.data_type.size();
    let pixel = format.samples * size;
    let row_len = format.tile_size.width as usize * pixel;
    let filled = view.width * pixel;
    for row in 0..view.height {
        let source = view.row(row, filled);
        let target = &mut raw[row * row_len..][..row_len];
        match format.predictor {
            Predictor::Auto | Predictor::None => {
                pad_row(source, target, pixel);
                to_little_endian(target, component_size(format));
            }
            Predictor::Horizontal => {
                difference(source, &mut target[..filled], size, format.samples);
                // Columns that repeat the last one differ from it by nothing.
                target[filled..].fill(0);
                to_little_endian(target, size);
            }
            Predictor::FloatingPoint => {
                scratch.resize(row_len, 0);
                floating_point(source, scratch, target, size, format.samples);
            }
        }
    }
    raw[view.height * row_len..].fill(0);
}

/// Bytes of a number: a complex sample is two of them.
fn component_size(format: &TileFormat) -> usize {
    let size = format.data_type.size();
    if format.data_type.is_complex() { size / 2 } else { size }
}

fn pad_row(source: &[u8], target: &mut [u8], pixel: usize) {
    let (filled, padding) = target.split_at_mut(source.len());
    filled.copy_from_slice(source);
    let last = &source[source.len() - pixel..];
    for target in padding.chunks_exact_mut(pixel) {
        target.copy_from_slice(last);
    }
}

fn to_little_endian(bytes: &mut [u8], size: usize) {
    if cfg!(target_endian = "big") && size > 1 {
        bytes.chunks_exact_mut(size).for_each(<[u8]>::reverse);
    }
}

/// Each sample minus the sample of the same band one pixel to the left, modulo the width.
#[inline(always)]
fn difference(source: &[u8], target: &mut [u8], size: usize, samples: usize) {
    macro_rules! typed {
        ($type:ty) => {{
            let source: &[$type] = bytemuck::cast_slice(source);
            let target: &mut [$type] = bytemuck::cast_slice_mut(target);
            target[..samples].copy_from_slice(&source[..samples]);
            for ((target, &right), &left) in target[samples..].iter_mut().zip(&source[samples..]).zip(source) {
                *target = right.wrapping_sub(left);
            }
        }};
    }
    match size {
        1 => typed!(u8),
        2 => typed!(u16),
        4 => typed!(u32),
        _ => typed!(u64),
    }
}

/// The bytes of all samples apart, each minus the one of the same band one pixel to the left, or for the first pixel in
/// the plane before: through the whole row and across its planes, as libtiff does.
#[inline(always)]
fn floating_point(source: &[u8], differences: &mut [u8], target: &mut [u8], size: usize, samples: usize) {
    let pixel = samples * size;
    let (first, rest) = differences.split_at_mut(pixel);
    first.copy_from_slice(&source[..pixel]);
    let (rest, padding) = rest.split_at_mut(source.len() - pixel);
    for ((target, &right), &left) in rest.iter_mut().zip(&source[pixel..]).zip(source) {
        *target = right.wrapping_sub(left);
    }
    // Columns that repeat the last one differ from it by nothing.
    padding.fill(0);
    split_bytes(differences, target, size);
    let last = &source[source.len() - pixel..];
    let length = target.len() / size;
    for (before, plane) in target.chunks_exact_mut(length).skip(1).enumerate() {
        for (byte, sample) in plane.iter_mut().zip(last.chunks_exact(size)) {
            *byte = byte.wrapping_sub(sample[place_of(before, size)]);
        }
    }
}

/// Where in a sample of native byte order the byte of a plane stands.
const fn place_of(plane: usize, size: usize) -> usize {
    if cfg!(target_endian = "little") { size - 1 - plane } else { plane }
}

/// All first (most significant) bytes of the samples, then all second ones, and so on.
#[inline(always)]
fn split_bytes(samples: &[u8], planes: &mut [u8], size: usize) {
    #[inline(always)]
    fn split<const N: usize>(samples: &[u8], planes: &mut [u8]) {
        let (samples, _) = samples.as_chunks::<N>();
        for (index, plane) in planes.chunks_exact_mut(samples.len()).enumerate() {
            let byte = place_of(index, N);
            for (target, sample) in plane.iter_mut().zip(samples) {
                *target = sample[byte];
            }
        }
    }
    match size {
        2 => split::<2>(samples, planes),
        4 => split::<4>(samples, planes),
        _ => split::<8>(samples, planes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::{Compression, TileSize};
    use crate::sample::DataType;

    fn format(predictor: Predictor, data_type: DataType, samples: usize) -> TileFormat {
        TileFormat {
            tile_size: TileSize::square(16),
            samples,
            data_type,
            bits: data_type.bits(),
            predictor,
            compression: Compression::None,
        }
    }

    fn gathered(format: &TileFormat, rows: &[u8], width: usize, height: usize) -> Vec<u8> {
        let pixel = format.samples * format.data_type.size();
        let mut raw = crate::buffer::AlignedBytes::default();
        raw.grow(256 * pixel, "test").unwrap();
        let view = TileView { rows, row_stride: width * pixel, row_start: 0, width, height };
        gather(format, view, raw.bytes_mut(), &mut Vec::new());
        raw.bytes().to_vec()
    }

    #[test]
    fn padding_repeats_the_last_column_above_rows_of_zeros() {
        let raw = gathered(&format(Predictor::None, DataType::U8, 1), &[1, 2, 3, 4, 5, 6], 3, 2);
        assert_eq!(raw[..5], [1, 2, 3, 3, 3]);
        assert_eq!(raw[16..20], [4, 5, 6, 6]);
        assert!(raw[2 * 16..].iter().all(|&byte| byte == 0));
    }

    #[test]
    fn differences_stay_within_a_band() {
        let raw = gathered(&format(Predictor::Horizontal, DataType::U8, 2), &[10, 100, 13, 90], 2, 1);
        assert_eq!(raw[..6], [10, 100, 3, 246, 0, 0]);
        assert!(raw[32..].iter().all(|&byte| byte == 0));
    }

    #[test]
    fn floats_are_taken_apart_most_significant_byte_first() {
        let pixels: Vec<u8> = [1.0f32, 2.0].iter().flat_map(|value| value.to_ne_bytes()).collect();
        let raw = gathered(&format(Predictor::FloatingPoint, DataType::F32, 1), &pixels, 2, 1);
        // 1.0 = 3F 80 00 00, 2.0 = 40 00 00 00: planes 3F 40 40…, 80 00 00…, then zeros.
        assert_eq!(raw[..3], [0x3F, 1, 0]);
        assert_eq!(raw[16..19], [0x80u8.wrapping_sub(0x40), 0x80, 0]);
        assert!(raw[33..64].iter().all(|&byte| byte == 0));
    }

    #[test]
    fn differences_of_floats_go_on_across_planes() {
        for (data_type, samples, width) in
            [(DataType::F16, 1, 16), (DataType::F32, 1, 7), (DataType::F32, 3, 16), (DataType::F64, 4, 1)]
        {
            let (size, pixel) = (data_type.size(), samples * data_type.size());
            let row: Vec<u8> = (0..width * pixel).map(|index| (index * index * 37 % 251) as u8).collect();
            let raw = gathered(&format(Predictor::FloatingPoint, data_type, samples), &row, width, 1);
            // Technical Note 3, word by word: planes of the padded row, then differences.
            let padded: Vec<&[u8]> = (0..16)
                .flat_map(|column| {
                    let start = column.min(width - 1) * pixel;
                    row[start..start + pixel].chunks_exact(size)
                })
                .collect();
            let planes: Vec<u8> =
                (0..size).flat_map(|plane| padded.iter().map(move |sample| sample[place_of(plane, size)])).collect();
            let before = |index: usize| index.checked_sub(samples).map_or(0, |before| planes[before]);
            let expected: Vec<u8> = (0..planes.len()).map(|index| planes[index].wrapping_sub(before(index))).collect();
            assert_eq!(raw[..planes.len()], expected, "{data_type}, {samples} samples, {width} columns");
        }
    }
}
