//! Packing of samples with fewer bits than their type, and of masks: most significant bit first, rows padded to whole
//! bytes.

use crate::grid::TileSize;

use super::{TileFormat, TileView};

/// Packs the samples of a tile to `format.bits` bits each (TIFF 6.0 section 8, FillOrder 1). This also applies to 24
/// bits, whose bytes are then most significant first even in a little-endian file, as in GDAL.
pub(super) fn pack_tile(format: &TileFormat, raw: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
    out.clear();
    let size = format.data_type.size();
    let row_len = format.tile_size.width as usize * format.samples * size;
    let largest = (1u32 << format.bits) - 1;
    for row in raw.chunks_exact(row_len) {
        let samples =
            row.chunks_exact(size).map(|bytes| bytes.iter().rev().fold(0, |word, &byte| (word << 8) | u32::from(byte)));
        let mut largest_seen = 0;
        let samples = samples.inspect(|&sample| largest_seen = sample.max(largest_seen));
        pack_row(samples, format.bits.into(), out);
        if largest_seen > largest {
            return Err(format!("value {largest_seen} does not fit in {} bits per sample", format.bits));
        }
    }
    Ok(())
}

fn pack_row(samples: impl Iterator<Item = u32>, bits: u32, out: &mut Vec<u8>) {
    let mut waiting: u64 = 0;
    let mut count = 0;
    for sample in samples {
        waiting = (waiting << bits) | u64::from(sample);
        count += bits;
        while count >= 8 {
            count -= 8;
            out.push(low_byte(waiting >> count));
        }
    }
    if count > 0 {
        out.push(low_byte(waiting << (8 - count)));
    }
}

const fn low_byte(value: u64) -> u8 {
    value.to_le_bytes()[0]
}

/// Packs a mask from one byte to one bit per pixel, 1 = valid; padding is invalid.
pub(super) fn pack_mask(tile_size: TileSize, view: TileView<'_>, out: &mut Vec<u8>) {
    out.clear();
    let row_len = tile_size.width as usize / 8;
    for row in 0..view.height {
        let source = view.row(row, view.width);
        out.extend((0..row_len).map(|byte| {
            (0..8).fold(0, |packed, bit| {
                let valid = source.get(byte * 8 + bit).is_some_and(|valid| *valid != 0);
                (packed << 1) | u8::from(valid)
            })
        }));
    }
    out.resize(row_len * tile_size.height as usize, 0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{Components, Compression, Padding, Predictor};
    use crate::sample::DataType;

    #[test]
    fn samples_are_packed_most_significant_bit_first() {
        let mut out = Vec::new();
        pack_row([1, 2, 3].into_iter(), 4, &mut out);
        assert_eq!(out, [0x12, 0x30]);
        out.clear();
        pack_row([0xABC, 0xDEF].into_iter(), 12, &mut out);
        assert_eq!(out, [0xAB, 0xCD, 0xEF]);
        out.clear();
        pack_row([0x7FFF_FFFF, 0].into_iter(), 31, &mut out);
        assert_eq!(out, [0xFF, 0xFF, 0xFF, 0xFE, 0, 0, 0, 0]);
    }

    #[test]
    fn a_value_that_does_not_fit_is_an_error() {
        let format = TileFormat {
            tile_size: TileSize::square(16),
            samples: 1,
            data_type: DataType::U8,
            bits: 4,
            predictor: Predictor::None,
            compression: Compression::None,
            components: Components::Bands,
        };
        assert!(pack_tile(&format, &[15; 256], &mut Vec::new()).is_ok());
        assert!(pack_tile(&format, &[16; 256], &mut Vec::new()).unwrap_err().contains("16"));
    }

    #[test]
    fn masks_have_one_bit_a_pixel() {
        let rows = [255, 0, 1];
        let padding = &Padding::Any;
        let view = TileView { rows: &rows, row_stride: 3, row_start: 0, width: 3, height: 1, padding, mask: None };
        let mut out = Vec::new();
        pack_mask(TileSize::square(16), view, &mut out);
        assert_eq!(out.len(), 32);
        assert_eq!(out[..2], [0b1010_0000, 0]);
        assert!(out[2..].iter().all(|byte| *byte == 0));
    }
}
