//! Decoding of LERC blobs, for readers and for the comparison of encoded tiles.

/// The decoded samples of a tile or strip.
pub(crate) struct Blob<T> {
    /// Samples per pixel.
    pub(crate) depth: usize,
    /// Row by row, all samples of a pixel together.
    pub(crate) values: Vec<T>,
    /// The valid pixels, if some are not. Masks of single bands are in `values` already.
    #[cfg_attr(not(feature = "geotiff"), expect(dead_code, reason = "only readers ask"))]
    mask: Option<Vec<bool>>,
}

#[cfg(feature = "geotiff")]
impl<T> Blob<T> {
    /// Returns whether a pixel is valid.
    pub(crate) fn is_valid(&self, pixel: usize) -> bool {
        self.mask.as_ref().is_none_or(|mask| mask[pixel])
    }
}

/// Decodes a blob, or one per band, of `width` x `rows` pixels with at most `samples` samples. Invalid samples become
/// `invalid`, or what the decoder makes of them.
pub(crate) fn decode<T: lerc::Sample + bytemuck::Pod>(
    blob: &[u8],
    (width, rows): (usize, usize),
    samples: usize,
    invalid: Option<T>,
) -> Result<Blob<T>, String> {
    let failed = |error| format!("LERC: {error}");
    let info = lerc::decode_info(blob).map_err(failed)?;
    let (depth, bands) = (info.depth as usize, info.bands as usize);
    if info.width as usize != width || info.height as usize != rows {
        return Err(format!("LERC: the image is {}x{}, but the chunk is {width}x{rows}", info.width, info.height));
    }
    let all = depth.saturating_mul(bands);
    if all == 0 || all > samples || (bands > 1 && depth > 1) {
        return Err(format!("LERC: the image has {all} bands, but the chunk has {samples}"));
    }
    let count = width * rows;
    let mut values = Vec::new();
    values.try_reserve_exact(count * all).map_err(|_| format!("LERC: no memory for {} samples", count * all))?;
    values.resize(count * all, T::zeroed());
    let result = lerc::decode_into(blob, &mut values).map_err(failed)?;
    if bands > 1 {
        let is_valid = |band: usize, pixel: usize| result.valid_masks.get(band).is_none_or(|mask| mask.is_valid(pixel));
        let value = |pixel: usize, band: usize| {
            let value = values[band * count + pixel];
            invalid.filter(|_| !is_valid(band, pixel)).unwrap_or(value)
        };
        let together = (0..count).flat_map(|pixel| (0..bands).map(move |band| (pixel, band)));
        let values = together.map(|(pixel, band)| value(pixel, band)).collect();
        return Ok(Blob { depth: bands, values, mask: None });
    }
    let mask = result.valid_masks.first().filter(|mask| !mask.is_all_valid());
    let mask: Option<Vec<bool>> = mask.map(|mask| (0..count).map(|pixel| mask.is_valid(pixel)).collect());
    if let (Some(invalid), Some(mask)) = (invalid, &mask) {
        for (pixel, is_valid) in values.chunks_exact_mut(depth).zip(mask) {
            if !is_valid {
                pixel.fill(invalid);
            }
        }
    }
    Ok(Blob { depth, values, mask })
}
