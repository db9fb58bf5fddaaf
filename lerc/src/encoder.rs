//! The encoder: from an image to one blob, or to one per band.

use crate::block::Bound;
use crate::checksum::fletcher32;
use crate::error::{Error, MAX_BYTES};
use crate::histogram::{Bins, Coding};
use crate::mask::{self, Nan};
use crate::raise::raised;
use crate::sample::Sample;
use crate::tiles::{self, Ranges, Raster, TileScratch};

/// First bytes of every blob, and the version of the codec.
const MAGIC: &[u8; 6] = b"Lerc2 ";
const VERSION: i32 = 4;

/// Bytes before those that the checksum covers: magic, version, and the checksum itself.
const UNCHECKED: usize = 14;

/// Bytes before the mask.
const HEADER_LEN: usize = 66;

/// Position of the blob's length, known last.
const LEN_POSITION: usize = 34;

/// The error bound that loses nothing of integers.
const LOSSLESS_INTEGER: f64 = 0.5;

/// Average bits per sample below which blocks of 16 x 16 are tried.
const MAX_BITS_OF_LARGE_BLOCKS: f64 = 1.5;

/// An image to encode.
#[derive(Debug, Clone, Copy)]
pub struct Image<'a, T> {
    /// The width in pixels.
    pub width: usize,
    /// The height in pixels.
    pub height: usize,
    /// The number of samples per pixel, which LERC calls depth.
    pub bands: usize,
    /// Rows from top to bottom, pixels from left to right, all samples of a pixel together.
    pub samples: &'a [T],
}

/// A LERC encoder. It keeps its buffers, so one encoder per thread is faster than one per image. They take one to four times
/// the bytes of the largest image's samples: one for most images, another for those that compress well, and two for 8-bit
/// images without loss.
#[derive(Debug, Default)]
pub struct Encoder {
    /// Blocks of 8 x 8 and of 16 x 16 pixels.
    small: Vec<u8>,
    large: Vec<u8>,
    tiles: TileScratch,
    ranges: Ranges,
    large_ranges: Ranges,
    bins: Bins,
    valid: Vec<u8>,
    bits: Vec<u8>,
    /// Samples whose blocks lose nothing.
    exact: Option<(f64, f64)>,
}

/// A blob in the making.
#[derive(Debug, Clone, Copy)]
struct Header {
    max_z_error: f64,
    min: f64,
    max: f64,
    block_side: i32,
}

impl Encoder {
    /// Creates an encoder. It allocates nothing before the first image.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends the image to `out` as a blob of LERC2, codec version 4.
    ///
    /// `mask` has a byte per pixel, row by row: 0 for invalid pixels, anything else for valid ones; `None` if all are
    /// valid. Samples of invalid pixels are not stored. Pixels whose samples are all NaN are invalid too. If a valid pixel
    /// has NaN in some bands only, each band becomes a blob of its own with a mask of its own, one after the other, as
    /// GDAL writes them.
    ///
    /// Decoded samples differ from those of `image` by at most `max_z_error`. For integers it is rounded down, so that
    /// values below 1 mean lossless; for floats, 0 means lossless, without compression. Floats that are all within half of
    /// it of multiples of 1, 0.5, 0.1, …, 0.0001 are stored as such multiples, in fewer bits. The header then contains half
    /// that step as the error, which is more than `max_z_error`; decoded samples keep to `max_z_error` all the same.
    ///
    /// Arithmetic on floats may exceed the bound by their rounding: a few units in the last place of the largest sample.
    ///
    /// The bytes depend on the arguments alone. `out` is unchanged if an error is returned.
    ///
    /// # Errors
    /// [`Error::Empty`] and [`Error::TooLarge`] for the size of the image, [`Error::SampleCount`] and [`Error::MaskLen`]
    /// if a slice does not match it, and [`Error::MaxZError`].
    pub fn encode<T: Sample>(
        &mut self,
        image: &Image<'_, T>,
        mask: Option<&[u8]>,
        max_z_error: f64,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        self.encode_with_exact(image, mask, max_z_error, None, out)
    }

    /// Appends the image as [`encode`](Self::encode) does, but loses nothing of the blocks of 8 x 8 or 16 x 16 pixels with a
    /// sample from `exact.0` to `exact.1`, both included. A range from a value minus `max_z_error` to the value plus
    /// `max_z_error` keeps samples of this value, and lets no other sample become it.
    ///
    /// # Errors
    /// Those of [`encode`](Self::encode).
    pub fn encode_with_exact<T: Sample>(
        &mut self,
        image: &Image<'_, T>,
        mask: Option<&[u8]>,
        max_z_error: f64,
        exact: Option<(f64, f64)>,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        check(image, mask, max_z_error)?;
        self.exact = exact;
        let mut valid = std::mem::take(&mut self.valid);
        let nan = if mask.is_some() || T::IS_FLOAT {
            mask::find_valid(image.samples, image.bands, mask, &mut valid)
        } else {
            Nan::None
        };
        let &Image { width, height, bands: depth, samples } = image;
        if nan == Nan::Mixed {
            self.encode_bands(image, &valid, max_z_error, out);
        } else if mask.is_none() && nan == Nan::None {
            let valid_count = width * height;
            self.encode_blob(
                &Raster { width, height, depth, samples, valid: None, valid_count },
                true,
                max_z_error,
                out,
            );
        } else {
            self.encode_blob(&masked(image, &valid), true, max_z_error, out);
        }
        self.valid = valid;
        Ok(())
    }

    /// Appends a blob for each band. A mask that equals that of the band before is not written.
    fn encode_bands<T: Sample>(&mut self, image: &Image<'_, T>, valid: &[u8], max_z_error: f64, out: &mut Vec<u8>) {
        let mut before = Vec::new();
        for band in 0..image.bands {
            let samples: Vec<T> = image.samples.iter().skip(band).step_by(image.bands).copied().collect();
            let mut valid = valid.to_vec();
            mask::exclude_nan(&samples, &mut valid);
            let band = Image { bands: 1, samples: &samples, ..*image };
            let writes_mask = valid != before;
            self.encode_blob(&masked(&band, &valid), writes_mask, max_z_error, out);
            before = valid;
        }
    }

    fn encode_blob<T: Sample>(
        &mut self,
        raster: &Raster<'_, T>,
        writes_mask: bool,
        max_z_error: f64,
        out: &mut Vec<u8>,
    ) {
        let max_z_error = if !T::IS_FLOAT {
            max_z_error.floor().max(LOSSLESS_INTEGER)
        } else if max_z_error > 0.0 {
            raised(raster, max_z_error)
        } else {
            max_z_error
        };
        let mut header = Header { max_z_error, min: 0.0, max: 0.0, block_side: 8 };
        let start = out.len();
        if raster.valid_count == 0 {
            self.write_head(raster, header, writes_mask, out);
            return finish(start, out);
        }

        let bound = Bound::new::<T>(max_z_error).with_exact(self.exact);
        let mut len = tiles::write(tiles::SMALL, raster, bound, &mut self.ranges, &mut self.tiles, &mut self.small);
        sign_zeros(raster, &mut self.ranges);
        header.min = first_of(&self.ranges.mins, |one, other| one < other);
        header.max = first_of(&self.ranges.maxs, |one, other| one > other);
        if header.min == header.max || same_bits(&self.ranges) {
            self.write_head(raster, header, writes_mask, out);
            if header.min != header.max {
                self.write_ranges::<T>(out);
            }
            return finish(start, out);
        }

        let is_eight_bit = T::SIZE == 1 && max_z_error == LOSSLESS_INTEGER;
        let coding = if is_eight_bit { self.bins.choose(raster) } else { None };
        let huffman_len = coding.as_ref().map_or(0, Coding::size);
        let coding = coding.filter(|_| huffman_len < len);
        let raw_len = raster.valid_count * raster.depth * T::SIZE;
        let mut data_len = if coding.is_some() { huffman_len } else { len };
        let mut is_huffman = coding.is_some();
        let bits = (len * 8) as f64;
        let pixels = raster.width * raster.height;
        if bits < (pixels * raster.depth) as f64 * MAX_BITS_OF_LARGE_BLOCKS
            && len < 4 * raw_len
            && (huffman_len == 0 || len < 2 * huffman_len)
            && (raster.width > 8 || raster.height > 8)
        {
            let large_len =
                tiles::write(tiles::LARGE, raster, bound, &mut self.large_ranges, &mut self.tiles, &mut self.large);
            if large_len <= data_len {
                std::mem::swap(&mut self.small, &mut self.large);
                (len, data_len, is_huffman) = (large_len, large_len, false);
                header.block_side = 16;
            }
        }

        let is_raw = raw_len <= data_len + usize::from(is_eight_bit);
        self.write_head(raster, header, writes_mask, out);
        self.write_ranges::<T>(out);
        out.push(u8::from(is_raw));
        if is_raw {
            write_raw(raster, out);
        } else if let Some(coding) = coding.filter(|_| is_huffman) {
            out.push(coding.mode());
            self.bins.write(&coding, out);
        } else {
            if is_eight_bit {
                out.push(0);
            }
            out.extend_from_slice(&self.small[..len]);
        }
        finish(start, out);
    }

    /// Appends header and mask. Checksum and length are filled in by [`finish`].
    fn write_head<T: Sample>(&mut self, raster: &Raster<'_, T>, header: Header, writes_mask: bool, out: &mut Vec<u8>) {
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&[0; 4]);
        let (height, width) = (raster.height as i32, raster.width as i32);
        let valid_count = raster.valid_count as i32;
        for value in [height, width, raster.depth as i32, valid_count, header.block_side, 0, T::CODE] {
            out.extend_from_slice(&value.to_le_bytes());
        }
        for value in [header.max_z_error, header.min, header.max] {
            out.extend_from_slice(&value.to_le_bytes());
        }
        let mask_start = out.len();
        out.extend_from_slice(&[0; 4]);
        let is_partial = raster.valid_count > 0 && raster.valid_count < raster.width * raster.height;
        if let Some(valid) = raster.valid.filter(|_| is_partial && writes_mask) {
            mask::write(valid, &mut self.bits, out);
            let len = (out.len() - mask_start - 4) as i32;
            out[mask_start..mask_start + 4].copy_from_slice(&len.to_le_bytes());
        }
    }

    /// Appends the smallest value of each band, then the largest of each.
    fn write_ranges<T: Sample>(&self, out: &mut Vec<u8>) {
        for &value in self.ranges.mins.iter().chain(&self.ranges.maxs) {
            T::push(value, out);
        }
    }
}

/// Returns the number of bytes that [`Encoder::encode`] appends at most, for samples of `sample_size` bytes.
pub const fn max_encoded_len(width: usize, height: usize, bands: usize, sample_size: usize) -> usize {
    let pixels = width.saturating_mul(height);
    let mask = pixels.div_ceil(8);
    // Counts of literals, the end of the mask, and its length.
    let mask = mask.saturating_add(mask / 0x7FFF * 2 + 8);
    // Each band may become a blob.
    let head = (HEADER_LEN + 1 + 2 * sample_size).saturating_add(mask);
    pixels.saturating_mul(sample_size).saturating_add(head).saturating_mul(bands)
}

fn check<T: Sample>(image: &Image<'_, T>, mask: Option<&[u8]>, max_z_error: f64) -> Result<(), Error> {
    let &Image { width, height, bands, samples } = image;
    if width == 0 || height == 0 || bands == 0 {
        return Err(Error::Empty { width, height, bands });
    }
    let pixels = width.checked_mul(height);
    let count = pixels.and_then(|pixels| pixels.checked_mul(bands));
    let bytes = count.and_then(|count| count.checked_mul(T::SIZE));
    let (Some(pixels), Some(count), Some(..=MAX_BYTES)) = (pixels, count, bytes) else {
        return Err(Error::TooLarge { width, height, bands });
    };
    if samples.len() != count {
        return Err(Error::SampleCount { expected: count, found: samples.len() });
    }
    if let Some(mask) = mask.filter(|mask| mask.len() != pixels) {
        return Err(Error::MaskLen { expected: pixels, found: mask.len() });
    }
    // Twice the error is the step between quantized values.
    if !((max_z_error * 2.0).is_finite() && max_z_error >= 0.0) {
        return Err(Error::MaxZError(max_z_error));
    }
    Ok(())
}

/// Returns an image with its mask, without it if all pixels are valid.
fn masked<'a, T>(image: &Image<'a, T>, valid: &'a [u8]) -> Raster<'a, T> {
    let &Image { width, height, bands: depth, samples } = image;
    let valid_count = mask::count(valid);
    let valid = Some(valid).filter(|_| valid_count < width * height);
    Raster { width, height, depth, samples, valid, valid_count }
}

/// Gives a smallest or largest value of zero the sign of the band's first zero, as if it had been found by comparing
/// samples in order.
fn sign_zeros<T: Sample>(raster: &Raster<'_, T>, ranges: &mut Ranges) {
    if !T::IS_FLOAT {
        return;
    }
    for band in 0..raster.depth {
        if ranges.mins[band] != 0.0 && ranges.maxs[band] != 0.0 {
            continue;
        }
        let samples = raster.samples.iter().skip(band).step_by(raster.depth).enumerate();
        let zero = samples
            .filter(|&(pixel, sample)| *sample == T::default() && raster.valid.is_none_or(|valid| valid[pixel] == 1))
            .map(|(_, sample)| sample.to_f64())
            .next();
        for value in [&mut ranges.mins[band], &mut ranges.maxs[band]] {
            *value = zero.filter(|_| *value == 0.0).unwrap_or(*value);
        }
    }
}

/// Returns the first value that no other one comes before.
fn first_of(values: &[f64], comes_before: impl Fn(f64, f64) -> bool) -> f64 {
    values.iter().copied().reduce(|best, value| if comes_before(value, best) { value } else { best }).unwrap_or(0.0)
}

/// Returns whether each band is constant.
fn same_bits(ranges: &Ranges) -> bool {
    ranges.mins.iter().map(|value| value.to_bits()).eq(ranges.maxs.iter().map(|value| value.to_bits()))
}

/// Appends the samples of all valid pixels as they are.
fn write_raw<T: Sample>(raster: &Raster<'_, T>, out: &mut Vec<u8>) {
    let start = out.len();
    let pixel = raster.depth * T::SIZE;
    out.resize(start + raster.valid_count * pixel, 0);
    let Some(valid) = raster.valid else { return T::write(raster.samples, &mut out[start..]) };
    let pixels = raster.samples.chunks_exact(raster.depth).zip(valid).filter(|(_, valid)| **valid != 0);
    for ((samples, _), out) in pixels.zip(out[start..].chunks_exact_mut(pixel)) {
        T::write(samples, out);
    }
}

/// Fills in the length and the checksum of the blob that begins at `start`.
fn finish(start: usize, out: &mut [u8]) {
    let blob = &mut out[start..];
    let len = blob.len() as i32;
    blob[LEN_POSITION..LEN_POSITION + 4].copy_from_slice(&len.to_le_bytes());
    let checksum = fletcher32(&blob[UNCHECKED..]);
    blob[UNCHECKED - 4..UNCHECKED].copy_from_slice(&checksum.to_le_bytes());
}
