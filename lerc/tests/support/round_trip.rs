//! Decodes blobs with lerc-rs, which shares nothing with the encoder, and compares them with the image. Also a part of the
//! fuzz target.

use cogsmith_lerc::{Encoder, Image, Sample, max_encoded_len};

/// Encodes an image and decodes the blob; panics unless each sample is within the bound and each mask is exact.
pub fn check<T>(encoder: &mut Encoder, image: &Image<'_, T>, mask: Option<&[u8]>, max_z_error: f64)
where
    T: Sample + lerc::Sample + Into<f64> + std::fmt::Display,
{
    let mut blob = vec![7];
    encoder.encode(image, mask, max_z_error, &mut blob).expect("a blob");
    let blob = &blob[1..];
    let mut again = Vec::new();
    Encoder::new().encode(image, mask, max_z_error, &mut again).expect("a blob");
    assert!(blob == again, "a used encoder makes other bytes than a new one");

    let &Image { width, height, bands, samples } = image;
    assert!(blob.len() <= max_encoded_len(width, height, bands, size_of::<T>()), "{} bytes", blob.len());
    let pixels = width * height;
    let mut decoded = vec![T::default(); samples.len()];
    let result = lerc::decode_into(blob, &mut decoded).expect("lerc-rs decodes");
    assert_eq!([result.width, result.height].map(|size| size as usize), [width, height]);
    let blobs = result.bands as usize;
    assert_eq!(result.depth as usize * blobs, bands);
    // Floats are computed from the smallest value of a block, which may be larger than they are.
    let largest = samples.iter().map(|&value| value.into().abs()).filter(|value| value.is_finite()).fold(0.0, f64::max);
    let epsilon = if size_of::<T>() == 4 { f64::from(f32::EPSILON) } else { f64::EPSILON };
    let rounding = if is_float::<T>() { largest * 2.0 * epsilon } else { 0.0 };
    // Integers take a bound of 0 as one of less than 1.
    let bound = if is_float::<T>() { max_z_error } else { max_z_error.floor() };
    for pixel in 0..pixels {
        let is_masked = mask.is_some_and(|mask| mask[pixel] == 0);
        for band in 0..bands {
            let value: f64 = samples[pixel * bands + band].into();
            let (blob, position) = if blobs > 1 { (band, band * pixels + pixel) } else { (0, pixel * bands + band) };
            let is_valid = result.valid_masks[blob].is_valid(pixel);
            assert_eq!(is_valid, !is_masked && !value.is_nan(), "mask of pixel {pixel}, band {band}: {value}");
            if !is_valid {
                continue;
            }
            let back: f64 = decoded[position].into();
            assert!(
                (back - value).abs() <= bound + rounding || back == value,
                "pixel {pixel}, band {band}: {value} became {back}, bound {bound}"
            );
        }
    }
}

fn is_float<T: lerc::Sample>() -> bool {
    T::from_f64(0.5).to_f64() == 0.5
}
