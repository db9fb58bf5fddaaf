//! The LERC encoder against lerc-rs: samples within the bound, masks exact, the same bytes from a used encoder.

use cogsmith_lerc::{Encoder, Image, Sample};

use super::Choices;
use super::lerc_round_trip::check;

/// The largest number of samples.
const MAX_SAMPLES: usize = 20_000;

pub fn run(data: &[u8]) {
    let choices = &mut Choices::new(data);
    match choices.below(8) {
        0 => encode::<i8, 1>(choices, i8::from_le_bytes),
        1 => encode::<u8, 1>(choices, u8::from_le_bytes),
        2 => encode::<i16, 2>(choices, i16::from_le_bytes),
        3 => encode::<u16, 2>(choices, u16::from_le_bytes),
        4 => encode::<i32, 4>(choices, i32::from_le_bytes),
        5 => encode::<u32, 4>(choices, u32::from_le_bytes),
        6 => encode::<f32, 4>(choices, f32::from_le_bytes),
        _ => encode::<f64, 8>(choices, f64::from_le_bytes),
    }
}

/// Encodes two images, so that the second meets used buffers.
fn encode<T, const SIZE: usize>(choices: &mut Choices<'_>, value: fn([u8; SIZE]) -> T)
where
    T: Sample + lerc::Sample + Into<f64> + std::fmt::Display,
{
    let encoder = &mut Encoder::new();
    for _ in 0..2 {
        let bands = 1 + choices.below(5);
        let width = 1 + choices.below(200);
        let height = (1 + choices.below(200)).min(MAX_SAMPLES / (bands * width));
        let max_z_error = match choices.below(4) {
            0 => 0.0,
            1 => choices.pick(&[0.001, 0.01, 0.5, 1.0, 3.9]),
            2 => f64::from(choices.u32()) / 1000.0,
            _ => choices.f64().abs(),
        };
        // Errors of arguments are tested elsewhere.
        let max_z_error = if (max_z_error * 2.0).is_finite() { max_z_error } else { 1.0 };
        let mask = choices.flag().then(|| choices.filled(width * height));
        let mask = mask.map(|mask| mask.into_iter().map(|byte| byte & 1).collect::<Vec<_>>());
        let bytes = choices.filled(width * height * bands * SIZE);
        let samples: Vec<T> = if choices.flag() {
            // Numbers of a few digits; bytes make mostly huge and tiny floats.
            bytes.chunks_exact(SIZE).map(|bytes| T::from_f64(f64::from(bytes[0]) / 20.0 - 4.0)).collect()
        } else {
            bytes.as_chunks().0.iter().map(|bytes| value(*bytes)).collect()
        };
        check(encoder, &Image { width, height, bands, samples: &samples }, mask.as_deref(), max_z_error);
    }
}
