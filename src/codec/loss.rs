//! The loss of lossy codecs: how far decoded samples are from those that were encoded.

use crate::sample::{Nodata, NodataRange, Value, dispatch};

use super::{TileFormat, TileView};

/// False for builds without a lossy codec, which leave out what is here for the sake of their size.
const HAS_LOSSY_CODEC: bool = cfg!(any(feature = "jpeg", feature = "lerc", feature = "webp-c"));

/// Differences between the samples of tiles and what a decoder makes of them, where pixels are valid.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct TileLoss {
    /// Number of tiles.
    pub(crate) tiles: u64,
    /// Number of samples in valid pixels.
    pub(crate) samples: u64,
    /// The sum of squared differences; exact for integers of 8 bits.
    pub(crate) squared: f64,
    /// The largest difference.
    pub(crate) max: f64,
    /// Encoded size of the sampled tiles, and the one with NaN in place of nodata.
    pub(crate) bytes: u64,
    pub(crate) bytes_with_nan: u64,
}

impl TileLoss {
    /// Compares a tile with its reconstruction: all samples, padding included.
    pub(super) fn of(format: &TileFormat, view: TileView<'_>, reconstruction: &[u8]) -> Self {
        let mut loss = Self { tiles: 1, ..Self::default() };
        if !HAS_LOSSY_CODEC {
            return loss;
        }
        let (pixel, samples) = (format.pixel_len(), format.samples);
        let row_len = format.tile_size.width as usize * pixel;
        dispatch!(format.data_type, T => for row in 0..view.height {
            let before: &[T] = bytemuck::cast_slice(view.row(row, view.width * pixel));
            let after: Vec<T> = bytemuck::pod_collect_to_vec(&reconstruction[row * row_len..][..view.width * pixel]);
            let pixels = before.chunks_exact(samples).zip(after.chunks_exact(samples)).enumerate();
            let valid = pixels.filter(|(column, _)| view.is_valid(format, *column, row));
            for (before, after) in valid.flat_map(|(_, (before, after))| before.iter().zip(after)) {
                let difference = (before.to_f64() - after.to_f64()).abs();
                loss.samples += 1;
                loss.squared += difference * difference;
                loss.max = loss.max.max(difference);
            }
        });
        loss
    }

    /// Adds other tiles.
    pub(crate) fn merge(&mut self, other: &Self) {
        // Counts from other machines can be anything.
        self.tiles = self.tiles.saturating_add(other.tiles);
        self.samples = self.samples.saturating_add(other.samples);
        self.squared += other.squared;
        self.max = self.max.max(other.max);
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.bytes_with_nan = self.bytes_with_nan.saturating_add(other.bytes_with_nan);
    }

    /// Returns the peak signal-to-noise ratio in decibels, for samples with values from 0 to `peak`; `None` if all are
    /// equal.
    pub(crate) fn psnr(&self, peak: f64) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "a count of samples is below 2^53")]
        let mean = self.squared / self.samples as f64;
        (self.squared > 0.0).then(|| 10.0 * (peak * peak / mean).log10())
    }
}

/// Counts the samples of a tile's valid pixels that equal nodata.
pub(crate) fn count_nodata(format: &TileFormat, view: TileView<'_>, nodata: &Nodata) -> u64 {
    if !HAS_LOSSY_CODEC {
        return 0;
    }
    let (pixel, samples) = (format.pixel_len(), format.samples);
    dispatch!(format.data_type, T => {
        let Some(nodata) = NodataRange::<T>::of(nodata) else { return 0 };
        let rows = (0..view.height).map(|row| {
            let row_samples: &[T] = bytemuck::cast_slice(view.row(row, view.width * pixel));
            let pixels = row_samples.chunks_exact(samples).enumerate();
            let valid = pixels.filter(|(column, _)| view.is_valid(format, *column, row));
            valid.flat_map(|(_, pixel)| pixel).filter(|sample| nodata.contains(**sample)).count() as u64
        });
        rows.sum()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{Components, Compression, Padding, Predictor};
    use crate::grid::TileSize;
    use crate::sample::DataType;

    #[test]
    fn only_valid_pixels_inside_the_image_count() {
        let format = TileFormat {
            tile_size: TileSize::square(16),
            samples: 2,
            data_type: DataType::U8,
            bits: 8,
            predictor: Predictor::None,
            compression: Compression::JPEG,
            components: Components::Bands,
        };
        let rows = [10, 20, 30, 40, 50, 60, 70, 0];
        let view = TileView {
            rows: &rows,
            row_stride: 4,
            row_start: 0,
            width: 2,
            height: 2,
            padding: &Padding::Any,
            mask: Some(&[1, 0, 1, 1]),
        };
        let mut decoded = vec![0; 16 * 16 * 2];
        decoded[..4].copy_from_slice(&[13, 20, 99, 99]);
        decoded[32..36].copy_from_slice(&[50, 56, 70, 0]);
        let mut loss = TileLoss::of(&format, view, &decoded);
        assert_eq!(loss, TileLoss { tiles: 1, samples: 6, squared: 25.0, max: 4.0, ..TileLoss::default() });
        assert!((loss.psnr(255.0).unwrap() - 41.932).abs() < 0.001);
        loss.merge(&TileLoss { tiles: 1, samples: 2, squared: 1.0, max: 1.0, bytes: 9, bytes_with_nan: 7 });
        let sum = TileLoss { tiles: 2, samples: 8, squared: 26.0, max: 4.0, bytes: 9, bytes_with_nan: 7 };
        assert_eq!(loss, sum);
        assert_eq!(TileLoss::default().psnr(255.0), None);
        assert_eq!(count_nodata(&format, view, &Nodata::from(0u64)), 1);
        assert_eq!(count_nodata(&format, view, &Nodata::from(30u64)), 0, "its pixel is masked");
    }
}
