//! Huffman coding of 8-bit images: which of values and differences takes fewer bytes.

use crate::huffman::{BINS, Codes, Histogram};
use crate::sample::Sample;
use crate::simd::newest;
use crate::tiles::{Raster, deinterleave};

/// Both sequences that may be coded, as bins, reused from one image to the next.
#[derive(Debug, Default)]
pub(crate) struct Bins {
    /// Values of valid pixels in order.
    values: Vec<u8>,
    /// Differences from the pixel to the left or above, band by band.
    differences: Vec<u8>,
    row: Vec<u8>,
}

/// Of the two sequences, the one whose codes take fewer bytes.
#[derive(Debug)]
pub(crate) struct Coding {
    codes: Codes,
    has_differences: bool,
}

impl Coding {
    /// Returns the number of bytes of code table and data.
    pub(crate) fn size(&self) -> usize {
        self.codes.size()
    }

    /// Returns the byte that tells decoders which sequence is coded; 0 would mean blocks.
    pub(crate) fn mode(&self) -> u8 {
        if self.has_differences { 1 } else { 2 }
    }
}

impl Bins {
    /// Returns the better coding, if there is one.
    pub(crate) fn choose<T: Sample>(&mut self, raster: &Raster<'_, T>) -> Option<Coding> {
        self.values.clear();
        self.differences.clear();
        match raster.valid {
            Some(valid) => self.collect_valid(raster, valid),
            None => newest(
                #[inline(always)]
                || self.collect(raster),
            ),
        }
        let values = Codes::new(&histogram(&self.values)).map(|codes| Coding { codes, has_differences: false });
        let differences =
            Codes::new(&histogram(&self.differences)).map(|codes| Coding { codes, has_differences: true });
        match (values, differences) {
            (Some(values), Some(differences)) if differences.size() < values.size() => Some(differences),
            (values, differences) => values.or(differences),
        }
    }

    /// Appends the code table and the codes.
    pub(crate) fn write(&self, coding: &Coding, out: &mut Vec<u8>) {
        coding.codes.write(if coding.has_differences { &self.differences } else { &self.values }, out);
    }

    /// Collects the bins of an image without mask.
    #[inline(always)]
    fn collect<T: Sample>(&mut self, raster: &Raster<'_, T>) {
        let &Raster { width, height, depth, samples, .. } = raster;
        let row_len = width * depth;
        self.values.extend(samples.iter().map(|sample| sample.bin()));
        self.differences.resize(samples.len(), 0);
        self.row.resize(row_len, 0);
        let mut above: &[T] = &[];
        for (index, row) in samples.chunks_exact(row_len).enumerate() {
            let at = index * width;
            let out = if depth == 1 { &mut self.differences[at..at + width] } else { &mut self.row[..row_len] };
            for (band, out) in out[..depth].iter_mut().enumerate() {
                *out = row[band].delta(above.get(band).copied().unwrap_or_default()).bin();
            }
            for (out, (sample, left)) in out[depth..].iter_mut().zip(row[depth..].iter().zip(row)) {
                *out = sample.delta(*left).bin();
            }
            if depth > 1 {
                deinterleave(&self.row, depth, width * height, at, &mut self.differences);
            }
            above = row;
        }
    }

    /// Collects the bins of valid pixels. The difference is taken from the pixel to the left, above, or the last valid one
    /// before, whichever is valid first.
    fn collect_valid<T: Sample>(&mut self, raster: &Raster<'_, T>, valid: &[u8]) {
        let &Raster { width, depth, samples, .. } = raster;
        for (pixel, _) in samples.chunks_exact(depth).zip(valid).filter(|(_, valid)| **valid != 0) {
            self.values.extend(pixel.iter().map(|sample| sample.bin()));
        }
        for band in 0..depth {
            let mut before = T::default();
            let pixels = samples[band..].iter().step_by(depth).zip(valid).enumerate();
            for (index, (&value, _)) in pixels.filter(|(_, (_, valid))| **valid != 0) {
                let has_left = index % width > 0 && valid[index - 1] != 0;
                if !has_left && index >= width && valid[index - width] != 0 {
                    before = samples[(index - width) * depth + band];
                }
                self.differences.push(value.delta(before).bin());
                before = value;
            }
        }
    }
}

/// Counts bins, in four tables so that equal neighbors do not wait for each other.
fn histogram(bins: &[u8]) -> Histogram {
    let mut tables = [[0_u32; BINS]; 4];
    let (groups, rest) = bins.as_chunks::<4>();
    for group in groups {
        for (table, &bin) in tables.iter_mut().zip(group) {
            table[usize::from(bin)] += 1;
        }
    }
    for &bin in rest {
        tables[0][usize::from(bin)] += 1;
    }
    std::array::from_fn(|bin| tables.iter().map(|table| table[bin]).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_of_a_mask_of_ones_are_those_without_mask() {
        let samples: Vec<i8> =
            (0..13 * 7 * 3_u32).map(|index| (index.wrapping_mul(2_654_435_761) >> 24) as i8).collect();
        for depth in [1, 2, 3] {
            let samples = &samples[..13 * 7 * depth];
            let raster = Raster { width: 13, height: 7, depth, samples, valid: None, valid_count: 91 };
            let (mut plain, mut masked) = (Bins::default(), Bins::default());
            plain.collect(&raster);
            masked.collect_valid(&raster, &[1; 91]);
            assert_eq!(plain.differences, masked.differences);
            assert_eq!(plain.values, masked.values);
        }
    }

    #[test]
    fn differences_are_from_left_above_or_the_last_one() {
        let raster = Raster {
            width: 3,
            height: 2,
            depth: 1,
            samples: &[10_u8, 99, 20, 99, 31, 30],
            valid: Some(&[1, 0, 1, 0, 1, 1]),
            valid_count: 4,
        };
        let mut bins = Bins::default();
        bins.collect_valid(&raster, &[1, 0, 1, 0, 1, 1]);
        assert_eq!(bins.values, [10, 20, 31, 30]);
        assert_eq!(bins.differences, [10, 10, 11, 255]);
    }

    #[test]
    fn histograms_count_all() {
        let bins: Vec<u8> = (0..1003_u32).map(|index| (index % 7) as u8).collect();
        let counts = histogram(&bins);
        assert_eq!((counts[0], counts[6], counts.iter().sum::<u32>()), (144, 143, 1003));
    }
}
