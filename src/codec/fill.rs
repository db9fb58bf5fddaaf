//! Pixels under the mask: samples that compress well next to valid ones and leave them alone.
//!
//! A lossy codec changes all samples of a block together, so an abrupt edge to nodata would damage the valid pixels next to
//! it. Integer arithmetic on the samples of the block itself makes the result the same on all machines.

/// The largest side of a block: an MCU with 4:2:0.
const MAX_SIDE: usize = 16;
/// Bits after the point.
const FRACTION: u32 = 4;
/// Sweeps of smoothing over a block, which is enough for the values to settle: more change no sample by more than a step or
/// two.
const SWEEPS: usize = 12;

/// The samples of a tile.
pub(super) struct Tile<'a> {
    pub(super) samples: &'a mut [u8],
    /// Samples per pixel.
    pub(super) pixel: usize,
    /// Columns of the tile.
    pub(super) width: usize,
    /// Columns and rows inside the image.
    pub(super) inside: (usize, usize),
}

impl Tile<'_> {
    /// Replaces the samples of invalid pixels, in blocks of `side` columns and rows: blocks without a valid pixel get the
    /// color `nodata`, or 0, and other blocks continue their valid pixels smoothly.
    pub(super) fn fill(&mut self, mask: &[u8], side: usize, nodata: Option<&[u8]>) {
        let mut valid = [[false; MAX_SIDE]; MAX_SIDE];
        for top in (0..self.inside.1).step_by(side) {
            for left in (0..self.inside.0).step_by(side) {
                let (width, height) = (side.min(self.inside.0 - left), side.min(self.inside.1 - top));
                let mut count = 0;
                for (row, valid) in valid.iter_mut().take(height).enumerate() {
                    let mask = &mask[(top + row) * self.width + left..][..width];
                    for (valid, byte) in valid.iter_mut().zip(mask) {
                        *valid = *byte != 0;
                        count += usize::from(*valid);
                    }
                }
                if count == 0 {
                    self.clear((left, top), (width, height), nodata);
                } else if count < width * height {
                    for band in 0..self.pixel {
                        self.smooth((left, top), (width, height), &valid, band);
                    }
                }
            }
        }
    }

    /// Sets all pixels of a block to a color.
    fn clear(&mut self, (left, top): (usize, usize), (width, height): (usize, usize), color: Option<&[u8]>) {
        for row in top..top + height {
            let row = &mut self.samples[(row * self.width + left) * self.pixel..][..width * self.pixel];
            match color {
                Some(color) => row.chunks_exact_mut(self.pixel).for_each(|pixel| pixel.copy_from_slice(color)),
                None => row.fill(0),
            }
        }
    }

    /// Fills the invalid pixels of a block in one band.
    fn smooth(
        &mut self,
        (left, top): (usize, usize),
        (width, height): (usize, usize),
        valid: &[[bool; MAX_SIDE]; MAX_SIDE],
        band: usize,
    ) {
        let index = |column: usize, row: usize| ((top + row) * self.width + left + column) * self.pixel + band;
        let mut values = [[0i32; MAX_SIDE]; MAX_SIDE];
        for (row, values) in values.iter_mut().take(height).enumerate() {
            for (column, value) in values.iter_mut().take(width).enumerate() {
                *value = i32::from(self.samples[index(column, row)]) << FRACTION;
            }
        }
        spread(&mut values, valid, (width, height));
        for sweep in 0..SWEEPS {
            relax(&mut values, valid, (width, height), sweep % 2 == 1);
        }
        for (row, values) in values.iter().take(height).enumerate() {
            for (column, value) in values.iter().take(width).enumerate() {
                if !valid[row][column] {
                    let rounded = (value + (1 << (FRACTION - 1))) >> FRACTION;
                    self.samples[index(column, row)] = u8::try_from(rounded).unwrap_or(u8::MAX);
                }
            }
        }
    }
}

/// Gives invalid pixels the mean of the valid ones in the smallest square around them that has any: of two by two pixels,
/// four by four, and so on.
fn spread(
    values: &mut [[i32; MAX_SIDE]; MAX_SIDE],
    valid: &[[bool; MAX_SIDE]; MAX_SIDE],
    (width, height): (usize, usize),
) {
    let mut known = *valid;
    let mut side = 2;
    while side <= MAX_SIDE {
        for top in (0..height).step_by(side) {
            for left in (0..width).step_by(side) {
                let (columns, rows) = (left..width.min(left + side), top..height.min(top + side));
                let (mut sum, mut count) = (0, 0);
                for row in rows.clone() {
                    for column in columns.clone().filter(|&column| valid[row][column]) {
                        sum += values[row][column];
                        count += 1;
                    }
                }
                if count == 0 {
                    continue;
                }
                for row in rows {
                    for column in columns.clone() {
                        if !known[row][column] {
                            values[row][column] = (sum + count / 2) / count;
                            known[row][column] = true;
                        }
                    }
                }
            }
        }
        side *= 2;
    }
}

/// Moves invalid pixels to the mean of their neighbors in the block, one after the other, from the first or the last on.
fn relax(
    values: &mut [[i32; MAX_SIDE]; MAX_SIDE],
    valid: &[[bool; MAX_SIDE]; MAX_SIDE],
    (width, height): (usize, usize),
    backward: bool,
) {
    for place in 0..width * height {
        let place = if backward { width * height - 1 - place } else { place };
        let (column, row) = (place % width, place / width);
        if valid[row][column] {
            continue;
        }
        let (mut sum, mut count) = (0, 0);
        let mut add = |value: i32| {
            sum += value;
            count += 1;
        };
        if column > 0 {
            add(values[row][column - 1]);
        }
        if column + 1 < width {
            add(values[row][column + 1]);
        }
        if row > 0 {
            add(values[row - 1][column]);
        }
        if row + 1 < height {
            add(values[row + 1][column]);
        }
        values[row][column] = (sum + count / 2) / count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(samples: &mut [u8], mask: &[u8], width: usize, inside: (usize, usize), nodata: Option<&[u8]>) {
        Tile { samples, pixel: 1, width, inside }.fill(mask, 8, nodata);
    }

    #[test]
    fn blocks_without_valid_pixels_get_the_color() {
        let mut samples = vec![9; 16 * 16];
        let mut mask = vec![1; 16 * 16];
        (0..8).for_each(|row| mask[row * 16..][..8].fill(0));
        filled(&mut samples, &mask, 16, (16, 16), Some(&[77]));
        for (index, sample) in samples.iter().enumerate() {
            assert_eq!(*sample, if index % 16 < 8 && index < 128 { 77 } else { 9 });
        }
        filled(&mut samples, &mask, 16, (16, 16), None);
        assert_eq!(samples[0], 0);
    }

    #[test]
    fn mixed_blocks_continue_their_valid_pixels() {
        // A ramp whose left half is valid, and specks of another value under the mask.
        let mut samples: Vec<u8> =
            (0..64).map(|index| if index % 8 < 4 { 100 + 5 * (index % 8) } else { 255 }).collect();
        let mask: Vec<u8> = (0..64).map(|index| u8::from(index % 8 < 4)).collect();
        let before = samples.clone();
        filled(&mut samples, &mask, 8, (8, 8), Some(&[0]));
        for (index, sample) in samples.iter().enumerate() {
            if mask[index] != 0 {
                assert_eq!(*sample, before[index], "valid pixels never change");
            } else {
                assert!((105..=116).contains(sample), "{index}: {sample}");
            }
        }
    }

    #[test]
    fn one_valid_pixel_fills_its_block_and_padding_is_left_alone() {
        let mut samples = vec![3; 64];
        samples[9] = 200;
        let mut mask = vec![0; 64];
        mask[9] = 1;
        filled(&mut samples, &mask, 8, (5, 3), None);
        for (index, sample) in samples.iter().enumerate() {
            assert_eq!(*sample, if index % 8 < 5 && index / 8 < 3 { 200 } else { 3 });
        }
    }
}
