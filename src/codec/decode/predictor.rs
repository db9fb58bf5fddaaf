//! Reverses predictors 2 and 3 (TIFF 6.0 section 14, Adobe TIFF Technical Note 3).

use super::{ChunkFormat, DecodeError, DecodeResult, SampleFormat};

/// Reverses a predictor in every row of `rows`. Samples are in native order, those of predictor 3 in file order.
pub(crate) fn undo(predictor: u16, rows: &mut [u8], row_bytes: usize, format: &ChunkFormat) -> DecodeResult<()> {
    let step = format.samples;
    let rows = rows.chunks_exact_mut(row_bytes.max(1));
    match (predictor, format.bits) {
        (1, _) => {}
        (2, _) if format.data_type.is_complex() => {
            return Err(DecodeError::Unsupported("predictor 2 of complex samples".to_owned()));
        }
        (2, 8) => rows.for_each(|row| horizontal::<1>(row, step, |[a], [b]| [a.wrapping_add(b)])),
        (2, 16) => rows.for_each(|row| {
            horizontal::<2>(row, step, |a, b| u16::from_ne_bytes(a).wrapping_add(u16::from_ne_bytes(b)).to_ne_bytes());
        }),
        (2, 32) => rows.for_each(|row| {
            horizontal::<4>(row, step, |a, b| u32::from_ne_bytes(a).wrapping_add(u32::from_ne_bytes(b)).to_ne_bytes());
        }),
        (2, 64) => rows.for_each(|row| {
            horizontal::<8>(row, step, |a, b| u64::from_ne_bytes(a).wrapping_add(u64::from_ne_bytes(b)).to_ne_bytes());
        }),
        (3, 16 | 24 | 32 | 64) if format.sample_format == SampleFormat::Float => {
            let mut scratch = Vec::new();
            rows.for_each(|row| floating_point(row, step, usize::from(format.bits / 8), &mut scratch));
        }
        (2 | 3, bits) => {
            return Err(DecodeError::Unsupported(format!(
                "predictor {predictor} of {bits}-bit samples of format {:?}",
                format.sample_format
            )));
        }
        _ => return Err(format!("unknown predictor {predictor} (expected 1, 2 or 3)").into()),
    }
    Ok(())
}

/// Adds to every sample the one `step` samples before it.
fn horizontal<const N: usize>(row: &mut [u8], step: usize, add: impl Fn([u8; N], [u8; N]) -> [u8; N]) {
    let (samples, _) = row.as_chunks_mut::<N>();
    match step {
        1 => accumulate::<N, 1>(samples, add),
        3 => accumulate::<N, 3>(samples, add),
        4 => accumulate::<N, 4>(samples, add),
        _ => {
            for index in step..samples.len() {
                if let (Some(before), Some(difference)) = (index.checked_sub(step), samples.get(index).copied())
                    && let Some(before) = samples.get(before).copied()
                    && let Some(sample) = samples.get_mut(index)
                {
                    *sample = add(before, difference);
                }
            }
        }
    }
}

/// Does the same for a fixed step, with the sums in registers.
fn accumulate<const N: usize, const STEP: usize>(samples: &mut [[u8; N]], add: impl Fn([u8; N], [u8; N]) -> [u8; N]) {
    let mut sums = [[0; N]; STEP];
    for pixel in samples.as_chunks_mut::<STEP>().0 {
        for (sum, sample) in sums.iter_mut().zip(pixel) {
            *sum = add(*sum, *sample);
            *sample = *sum;
        }
    }
}

/// Reverses differences of bytes `step` bytes apart, then interleaves the byte planes, which are ordered from the most
/// significant byte to the least significant one.
fn floating_point(row: &mut [u8], step: usize, size: usize, scratch: &mut Vec<u8>) {
    horizontal::<1>(row, step, |[a], [b]| [a.wrapping_add(b)]);
    scratch.clear();
    scratch.extend_from_slice(row);
    let count = row.len() / size;
    for (significance, plane) in scratch.chunks_exact(count.max(1)).take(size).enumerate() {
        let place = if cfg!(target_endian = "big") { significance } else { size - 1 - significance };
        for (sample, byte) in row.chunks_exact_mut(size).zip(plane) {
            if let Some(target) = sample.get_mut(place) {
                *target = *byte;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn horizontal_differences_add_up_by_band() {
        for step in 1..6usize {
            let samples: Vec<u16> = (0..60u16).map(|index| index.wrapping_mul(31_337)).collect();
            let mut differences = samples.clone();
            for index in (step..samples.len()).rev() {
                differences[index] = samples[index].wrapping_sub(samples[index - step]);
            }
            let mut bytes: Vec<u8> = bytemuck::cast_slice(&differences).to_vec();
            horizontal::<2>(&mut bytes, step, |a, b| {
                u16::from_ne_bytes(a).wrapping_add(u16::from_ne_bytes(b)).to_ne_bytes()
            });
            assert_eq!(bytes, bytemuck::cast_slice::<u16, u8>(&samples), "step {step}");
        }
    }

    #[test]
    fn floating_point_bytes_return_to_their_samples() {
        let samples = [1.5f32, -2.25, 1e30, 7.0];
        let mut planes: Vec<u8> = (0..4).flat_map(|place| samples.map(|sample| sample.to_be_bytes()[place])).collect();
        for index in (2..planes.len()).rev() {
            planes[index] = planes[index].wrapping_sub(planes[index - 2]);
        }
        floating_point(&mut planes, 2, 4, &mut Vec::new());
        assert_eq!(planes, samples.map(f32::to_ne_bytes).concat());
    }
}
