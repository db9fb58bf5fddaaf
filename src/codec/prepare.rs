//! Preparation of tiles for their codec: gathering, padding, and, for byte codecs, prediction and packing.

use crate::buffer::AlignedBytes;

use super::encoder::TileSamples;
use super::predictor::{self, Predictor};
use super::{Padding, TileFormat, TileView, pack};

/// Prepares tiles. Keeps only scratch memory from one tile to the next.
#[derive(Debug, Default)]
pub(super) struct Preparation {
    raw: AlignedBytes,
    packed: Vec<u8>,
    row: Vec<u8>,
    mask: Vec<u8>,
}

impl Preparation {
    /// Returns the bytes of a tile: predicted, packed, and little-endian.
    pub(super) fn bytes(&mut self, format: &TileFormat, view: TileView<'_>) -> Result<&[u8], String> {
        let len = format.tile_len()?;
        let raw = gather(&mut self.raw, format, view, &mut self.row)?;
        predictor::to_little_endian(format, raw);
        let bytes = if format.packs() {
            pack::pack_tile(format, raw, &mut self.packed)?;
            &self.packed
        } else {
            &*raw
        };
        debug_assert_eq!(bytes.len(), len);
        Ok(bytes)
    }

    /// Appends the bytes of a tile to `out` without an intermediate copy. The samples must have the full width of their
    /// type, and no predictor.
    pub(super) fn store(format: &TileFormat, view: TileView<'_>, out: &mut Vec<u8>) -> Result<(), String> {
        debug_assert!(!format.packs() && format.predictor == Predictor::None);
        let start = out.len();
        out.resize(start + format.tile_len()?, 0);
        let raw = &mut out[start..];
        predictor::gather(format, view, raw, &mut Vec::new());
        predictor::to_little_endian(format, raw);
        Ok(())
    }

    /// Returns the samples of a tile and its mask.
    pub(super) fn samples<'a>(
        &'a mut self,
        format: &'a TileFormat,
        view: TileView<'a>,
    ) -> Result<TileSamples<'a>, String> {
        debug_assert_eq!(format.predictor, Predictor::None);
        let samples = gather(&mut self.raw, format, view, &mut self.row)?;
        let mask = view.mask.map(|mask| {
            let pixel = format.pixel_len();
            let (stride, start) = (view.row_stride / pixel, view.row_start / pixel);
            let width = format.tile_size.width as usize;
            self.mask.clear();
            for row in 0..view.height {
                self.mask.extend_from_slice(&mask[row * stride + start..][..view.width]);
                self.mask.resize((row + 1) * width, 0);
            }
            self.mask.resize(format.tile_size.height as usize * width, 0);
            &*self.mask
        });
        let nodata = match view.padding {
            Padding::Pixel(pixel) => Some(pixel.as_slice()),
            _ => None,
        };
        Ok(TileSamples { format, samples, inside: (view.width, view.height), mask, nodata })
    }

    /// Returns the bytes of a mask tile, one bit per pixel.
    pub(super) fn mask_bytes(&mut self, format: &TileFormat, view: TileView<'_>) -> &[u8] {
        pack::pack_mask(format.tile_size, view, &mut self.packed);
        &self.packed
    }
}

/// Gathers the samples of a tile.
fn gather<'a>(
    raw: &'a mut AlignedBytes,
    format: &TileFormat,
    view: TileView<'_>,
    row: &mut Vec<u8>,
) -> Result<&'a mut [u8], String> {
    let len = format.tile_size.width as usize * format.pixel_len() * format.tile_size.height as usize;
    raw.grow(len, "a tile").map_err(|error| error.to_string())?;
    let raw = &mut raw.bytes_mut()[..len];
    predictor::gather(format, view, raw, row);
    Ok(raw)
}

#[cfg(test)]
mod tests {
    use crate::codec::encoder::{Decoded, EncoderKind, SampleEncoder, TileSamples};
    use crate::codec::{Codec, Components, Compression, Padding, Predictor, TileEncoder, TileFormat, TileView};
    use crate::grid::TileSize;
    use crate::sample::DataType;

    /// A sample codec that writes the valid samples.
    #[derive(Default)]
    struct Valid;

    impl SampleEncoder for Valid {
        fn encode(
            &mut self,
            _: Compression,
            tile: TileSamples<'_>,
            out: &mut Vec<u8>,
            _: Option<&mut Decoded>,
        ) -> Result<(), String> {
            assert_eq!(tile.inside, (3, 2));
            let pixels = tile.samples.chunks_exact(tile.format.pixel_len());
            let mask = tile.mask.ok_or("no mask")?;
            assert_eq!((pixels.len(), mask.len()), (256, 256));
            out.extend(pixels.zip(mask).filter(|(_, valid)| **valid != 0).flat_map(|(pixel, _)| pixel));
            Ok(())
        }
    }

    #[test]
    fn sample_codecs_get_the_samples_and_the_mask_of_the_tile() {
        let format = TileFormat {
            tile_size: TileSize::square(16),
            samples: 2,
            data_type: DataType::U16,
            bits: 16,
            predictor: Predictor::None,
            compression: Compression::None,
            components: Components::Bands,
        };
        // Two rows of four pixels; the tile covers the last three columns.
        let samples: Vec<u16> = (1..=16).collect();
        let view = TileView {
            rows: bytemuck::cast_slice(&samples),
            row_stride: 16,
            row_start: 4,
            width: 3,
            height: 2,
            padding: &Padding::Any,
            mask: Some(&[9, 1, 0, 1, 9, 0, 0, 1]),
        };
        let codec = Codec { encoder: EncoderKind::Samples(|| Box::new(Valid)), ..Compression::None.codec().clone() };
        let mut out = vec![77; 2];
        TileEncoder::default().encode_with(&codec, &format, view, &mut out).unwrap();
        let valid: Vec<u8> = [3u16, 4, 7, 8, 15, 16].iter().flat_map(|sample| sample.to_ne_bytes()).collect();
        assert_eq!(out, [vec![77; 2], valid].concat());
        let without = TileEncoder::default().encode_with(&codec, &format, TileView { mask: None, ..view }, &mut out);
        assert_eq!(without, Err("no mask".to_owned()));
    }
}
