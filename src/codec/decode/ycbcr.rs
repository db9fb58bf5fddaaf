//! YCbCr to RGB (TIFF 6.0 section 21), with the arithmetic of libtiff's `TIFFYCbCrToRGBInit`, for equal pixels.

use super::{DecodeResult, short};

/// YCbCr subsampling and the tables for its conversion.
#[derive(Debug, Clone)]
pub(crate) struct YCbCr {
    /// Columns and rows that share one Cb and Cr value.
    subsampling: [usize; 2],
    luma: Vec<i32>,
    red_of_cr: Vec<i32>,
    green_of_cr: Vec<i32>,
    green_of_cb: Vec<i32>,
    blue_of_cb: Vec<i32>,
}

const SHIFT: u32 = 16;
const HALF: i32 = 1 << (SHIFT - 1);

impl YCbCr {
    /// Builds the tables for coefficients (tag 529), reference black and white (tag 532), and subsampling (tag 530).
    #[expect(clippy::cast_possible_truncation, reason = "clamped to ±4096 as in libtiff before truncation")]
    pub(crate) fn new(subsampling: [usize; 2], [red, green, blue]: [f32; 3], reference: [f32; 6]) -> Self {
        let fixed = |value: f32| (f64::from(value.clamp(0.0, 2.0)) * f64::from(1 << SHIFT) + 0.5) as i32;
        let level = |code: f32, black: f32, white: f32, range: f32| {
            let width = if white - black == 0.0 { 1.0 } else { white - black };
            let value = (code - black) * range / width;
            // NaN becomes 0 in the conversion to an integer.
            value.clamp(-128.0 * 32.0, 128.0 * 32.0) as i32
        };
        let (red_factor, blue_factor) = (2.0 - 2.0 * red, 2.0 - 2.0 * blue);
        let d1 = fixed(red_factor);
        let d2 = -fixed(red * red_factor / green);
        let d3 = fixed(blue_factor);
        let d4 = -fixed(blue * blue_factor / green);
        let [black, white, cb_black, cb_white, cr_black, cr_white] = reference;
        let codes = || (0..=255u8).map(f32::from);
        let chroma = |black: f32, white: f32| {
            codes().map(move |code| level(code - 128.0, black - 128.0, white - 128.0, 127.0)).collect::<Vec<_>>()
        };
        let (cb, cr) = (chroma(cb_black, cb_white), chroma(cr_black, cr_white));
        let times = |factor: i32, add: i32, shift: u32| move |code: &i32| (factor * code + add) >> shift;
        Self {
            subsampling,
            luma: codes().map(|code| level(code, black, white, 255.0)).collect(),
            red_of_cr: cr.iter().map(times(d1, HALF, SHIFT)).collect(),
            green_of_cr: cr.iter().map(times(d2, 0, 0)).collect(),
            green_of_cb: cb.iter().map(times(d4, HALF, 0)).collect(),
            blue_of_cb: cb.iter().map(times(d3, HALF, SHIFT)).collect(),
        }
    }

    /// Returns the size in bytes of `rows` rows: units of all Y values, then one Cb and one Cr.
    pub(crate) fn packed_bytes(&self, width: usize, rows: usize) -> Option<usize> {
        let [across, down] = self.subsampling;
        let units = width.div_ceil(across).checked_mul(rows.div_ceil(down))?;
        units.checked_mul(across * down + 2)
    }

    /// Converts `rows` rows into `out`, three bytes per pixel.
    pub(crate) fn to_rgb(&self, packed: &[u8], width: usize, rows: usize, mut out: Vec<u8>) -> DecodeResult<Vec<u8>> {
        let [across, down] = self.subsampling;
        let expected = self.packed_bytes(width, rows).unwrap_or(usize::MAX);
        if packed.len() < expected {
            return Err(short(packed.len(), expected));
        }
        let units_across = width.div_ceil(across).max(1);
        for (index, unit) in packed.chunks_exact(across * down + 2).enumerate() {
            let (left, top) = (index % units_across * across, index / units_across * down);
            let Some((luma, &[cb, cr])) = unit.split_last_chunk::<2>() else { continue };
            for (place, y) in luma.iter().enumerate() {
                let (column, row) = (left + place % across, top + place / across);
                if column < width
                    && let Some(pixel) = out.get_mut((row * width + column) * 3..).and_then(<[u8]>::first_chunk_mut)
                {
                    *pixel = self.rgb(*y, cb, cr);
                }
            }
        }
        Ok(out)
    }

    fn rgb(&self, y: u8, cb: u8, cr: u8) -> [u8; 3] {
        let at = |table: &[i32], code: u8| table.get(usize::from(code)).copied().unwrap_or(0);
        let luma = at(&self.luma, y);
        let byte = |value: i32| u8::try_from(value.clamp(0, 255)).unwrap_or(0);
        [
            byte(luma + at(&self.red_of_cr, cr)),
            byte(luma + ((at(&self.green_of_cb, cb) + at(&self.green_of_cr, cr)) >> SHIFT)),
            byte(luma + at(&self.blue_of_cb, cb)),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grey_stays_grey_and_units_are_spread() {
        let ycbcr = YCbCr::new([2, 2], [0.299, 0.587, 0.114], [0.0, 255.0, 128.0, 255.0, 128.0, 255.0]);
        assert_eq!(ycbcr.packed_bytes(3, 3), Some(4 * 6));
        let packed = [1, 2, 3, 4, 128, 128, 5, 0, 6, 0, 128, 128, 7, 8, 0, 0, 128, 128, 9, 0, 0, 0, 128, 128];
        let out = ycbcr.to_rgb(&packed, 3, 3, vec![0; 27]).unwrap();
        let grey: Vec<u8> = out.chunks(3).map(|pixel| pixel[0]).collect();
        assert_eq!(grey, [1, 2, 5, 3, 4, 6, 7, 8, 9]);
        assert_eq!(ycbcr.rgb(76, 85, 255), [254, 0, 0]);
    }
}
