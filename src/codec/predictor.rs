//! From image rows to the samples of a tile: gathering, padding, prediction, and byte order.
//!
//! Horizontal differencing follows TIFF 6.0 section 14, extended to samples of 16 to 64 bits as in libtiff. The
//! floating-point predictor follows Adobe Photoshop TIFF Technical Note 3.

use crate::names::named;
use crate::processor::newest;

use super::{Padding, TileFormat, TileView};

/// Lossless transform of samples before compression that makes them compress better (tag 317).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Predictor {
    /// Floating-point for floats; none for palettes, complex samples, other sample widths, and uncompressed files. For
    /// integers of 8 to 64 bits, either horizontal or none (better for classes), whichever compresses up to four tiles
    /// of the first tile row of full resolution better. That predictor then applies to all levels.
    #[default]
    Auto,
    /// 1: no predictor.
    None,
    /// 2: the difference from the sample to the left (TIFF 6.0 section 14). For integers of 8 to 64 bits, and for
    /// floats, whose bits are then treated as integers.
    Horizontal,
    /// 3: floats are split into bytes of equal significance (Adobe Photoshop TIFF Technical Note 3).
    FloatingPoint,
}

named!(Predictor, Predictor, { Auto => "auto", None => "none", Horizontal => "horizontal", FloatingPoint => "float" });

impl Predictor {
    /// Returns the value of tag 317.
    pub(crate) const fn code(self) -> u16 {
        match self {
            Self::Auto | Self::None => 1,
            Self::Horizontal => 2,
            Self::FloatingPoint => 3,
        }
    }
}

/// Fills `raw`, the samples of a whole tile, from the rectangle in `view`. The samples keep the machine's byte order,
/// except after floating-point prediction, which defines its own.
///
/// `view.padding` defines the samples outside the rectangle. With [`Padding::Any`], the last column is repeated, so its
/// differences are zero, and rows below the last one are zeros after prediction, whatever the predictor. `scratch` is
/// reused across calls.
pub(super) fn gather(format: &TileFormat, view: TileView<'_>, raw: &mut [u8], scratch: &mut Vec<u8>) {
    newest(
        #[inline(always)]
        || gather_rows(format, view, raw, scratch),
    );
}

/// The inlined body of [`gather`].
#[inline(always)]
fn gather_rows(format: &TileFormat, view: TileView<'_>, raw: &mut [u8], scratch: &mut Vec<u8>) {
    let size = format.data_type.size();
    let pixel = format.samples * size;
    let row_len = format.tile_size.width as usize * pixel;
    let filled = view.width * pixel;
    // Use a whole number of 8-byte words, so that samples of any type are aligned.
    let mut aligned = vec![0u64; if *view.padding == Padding::Any { 0 } else { (filled + pixel).div_ceil(8) }];
    let aligned: &mut [u8] = bytemuck::cast_slice_mut(&mut aligned);
    for row in 0..view.height {
        let source = view.row(row, filled);
        let target = &mut raw[row * row_len..][..row_len];
        match view.padding {
            _ if filled == row_len => predict(format, source, target, scratch),
            Padding::Any => predict(format, source, target, scratch),
            padding => {
                // One extra pixel, which the remaining columns repeat.
                let padded = &mut aligned[..filled + pixel];
                let (inside, outside) = padded.split_at_mut(filled);
                inside.copy_from_slice(source);
                match padding {
                    Padding::Pixel(bytes) => outside.copy_from_slice(bytes),
                    _ => outside.copy_from_slice(&source[filled - pixel..]),
                }
                if let Padding::Transparent(sample) = padding {
                    outside[sample * size..][..size].fill(0);
                }
                predict(format, padded, target, scratch);
            }
        }
    }
    let below = &mut raw[view.height * row_len..];
    match view.padding {
        Padding::Pixel(bytes) if bytes.iter().any(|byte| *byte != 0) && !below.is_empty() => {
            // All padding rows are identical.
            let (first, others) = below.split_at_mut(row_len);
            aligned[..pixel].copy_from_slice(bytes);
            predict(format, &aligned[..pixel], first, scratch);
            others.chunks_exact_mut(row_len).for_each(|row| row.copy_from_slice(first));
        }
        _ => below.fill(0),
    }
}

/// Predicts a row of a tile; its last pixel is repeated to the end of the row.
#[inline(always)]
fn predict(format: &TileFormat, source: &[u8], target: &mut [u8], scratch: &mut Vec<u8>) {
    let size = format.data_type.size();
    match format.predictor {
        Predictor::Auto | Predictor::None => {
            pad_row(source, target, format.samples * size);
        }
        Predictor::Horizontal => {
            difference(source, &mut target[..source.len()], size, format.samples);
            // Columns that repeat the last one have a difference of zero.
            target[source.len()..].fill(0);
        }
        Predictor::FloatingPoint => {
            scratch.resize(target.len(), 0);
            floating_point(source, scratch, target, size, format.samples);
        }
    }
}

fn pad_row(source: &[u8], target: &mut [u8], pixel: usize) {
    let (filled, padding) = target.split_at_mut(source.len());
    filled.copy_from_slice(source);
    let last = &source[source.len() - pixel..];
    for target in padding.chunks_exact_mut(pixel) {
        target.copy_from_slice(last);
    }
}

/// Converts gathered samples to the byte order of the file.
pub(super) fn to_little_endian(format: &TileFormat, raw: &mut [u8]) {
    let size = format.data_type.size();
    // A complex sample has two components.
    let size = if format.data_type.is_complex() { size / 2 } else { size };
    if cfg!(target_endian = "big") && size > 1 && format.predictor != Predictor::FloatingPoint {
        raw.chunks_exact_mut(size).for_each(<[u8]>::reverse);
    }
}

/// Subtracts from each sample the one of the same band one pixel to the left, with wrapping arithmetic.
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

/// Splits samples into byte planes and subtracts from each byte the one of the same band one pixel to the left, or for
/// the first pixel the one in the plane before: across the whole row and all its planes, as in libtiff.
#[inline(always)]
fn floating_point(source: &[u8], differences: &mut [u8], target: &mut [u8], size: usize, samples: usize) {
    let pixel = samples * size;
    let (first, rest) = differences.split_at_mut(pixel);
    first.copy_from_slice(&source[..pixel]);
    let (rest, padding) = rest.split_at_mut(source.len() - pixel);
    for ((target, &right), &left) in rest.iter_mut().zip(&source[pixel..]).zip(source) {
        *target = right.wrapping_sub(left);
    }
    // Columns that repeat the last one have a difference of zero.
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

/// Returns the index, in a native-endian sample, of the byte that belongs to a plane.
const fn place_of(plane: usize, size: usize) -> usize {
    if cfg!(target_endian = "little") { size - 1 - plane } else { plane }
}

/// Writes the first (most significant) bytes of all samples, then all second bytes, and so on.
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
    use crate::codec::{Components, Compression};
    use crate::grid::TileSize;
    use crate::sample::DataType;

    fn format(predictor: Predictor, data_type: DataType, samples: usize) -> TileFormat {
        TileFormat {
            tile_size: TileSize::square(16),
            samples,
            data_type,
            bits: data_type.bits(),
            predictor,
            compression: Compression::None,
            components: Components::Bands,
        }
    }

    fn gathered(format: &TileFormat, rows: &[u8], width: usize, height: usize) -> Vec<u8> {
        padded(format, rows, (width, height), &Padding::Any)
    }

    fn padded(format: &TileFormat, rows: &[u8], (width, height): (usize, usize), padding: &Padding) -> Vec<u8> {
        let pixel = format.samples * format.data_type.size();
        let mut raw = crate::buffer::AlignedBytes::default();
        raw.grow(256 * pixel, "test").unwrap();
        let view = TileView { rows, row_stride: width * pixel, row_start: 0, width, height, padding, mask: None };
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

    /// The samples of a tile after prediction, from the definitions of the predictors.
    fn restored(format: &TileFormat, raw: &[u8]) -> Vec<u8> {
        let (size, samples) = (format.data_type.size(), format.samples);
        let row_len = 16 * samples * size;
        let rows = raw.chunks_exact(row_len).map(|row| match format.predictor {
            Predictor::FloatingPoint => {
                let mut bytes = row.to_vec();
                (samples..row_len).for_each(|at| bytes[at] = bytes[at].wrapping_add(bytes[at - samples]));
                let planes: Vec<&[u8]> = bytes.chunks_exact(row_len / size).collect();
                (0..16 * samples).flat_map(|at| (0..size).map(move |byte| (at, byte))).fold(
                    Vec::new(),
                    |mut out, (at, byte)| {
                        out.push(planes[place_of(byte, size)][at]);
                        out
                    },
                )
            }
            Predictor::Horizontal => {
                // Samples of one or two bytes.
                let mut values: Vec<u16> = if size == 1 {
                    row.iter().map(|&byte| byte.into()).collect()
                } else {
                    row.chunks_exact(2).map(|bytes| u16::from_ne_bytes([bytes[0], bytes[1]])).collect()
                };
                (samples..values.len()).for_each(|at| values[at] = values[at].wrapping_add(values[at - samples]));
                values.iter().flat_map(|value| value.to_ne_bytes()[..size].to_vec()).collect()
            }
            _ => row.to_vec(),
        });
        rows.flatten().collect()
    }

    #[test]
    fn padding_is_nodata_and_transparent() {
        use Predictor::{FloatingPoint, Horizontal, None};
        for (predictor, data_type) in [
            (None, DataType::U8),
            (Horizontal, DataType::U8),
            (None, DataType::I16),
            (Horizontal, DataType::I16),
            (None, DataType::F32),
            (FloatingPoint, DataType::F16),
            (FloatingPoint, DataType::F32),
            (FloatingPoint, DataType::F64),
        ] {
            let size = data_type.size();
            let format = format(predictor, data_type, 2);
            let pixel = 2 * size;
            for (width, height) in [(3, 2), (16, 5), (5, 16), (16, 16)] {
                let rows: Vec<u8> = (0..width * height * pixel).map(|at| (at * 7 % 251 + 1) as u8).collect();
                let nodata: Vec<u8> = (0..size).map(|byte| 200 + byte as u8).chain(vec![0; size]).collect();
                for padding in [Padding::Pixel(nodata.clone()), Padding::Transparent(1)] {
                    let tile = restored(&format, &padded(&format, &rows, (width, height), &padding));
                    for (at, found) in tile.chunks_exact(pixel).enumerate() {
                        let (row, column) = (at / 16, at % 16);
                        let last = &rows[(row.min(height - 1) * width + column.min(width - 1)) * pixel..][..pixel];
                        let expected = match &padding {
                            _ if row < height && column < width => last.to_vec(),
                            Padding::Pixel(nodata) => nodata.clone(),
                            _ if row < height => [&last[..size], &vec![0; size]].concat(),
                            _ => vec![0; pixel],
                        };
                        assert_eq!(found, expected, "{predictor:?} {data_type} {width}x{height}: {row}, {column}");
                    }
                }
            }
        }
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
