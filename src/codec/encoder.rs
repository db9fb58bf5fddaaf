//! Encoders: one trait for byte codecs, one for sample codecs. Their state is scratch memory.

use super::compression::Compression;
use super::{TileFormat, deflate, lzw, zstd};

/// The rows and planes of a tile's bytes. They only guide a codec's match finder: any layout gives valid output.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Bytes per row; 0 if there are no rows.
    pub(crate) row_bytes: usize,
    /// Planes per row, one after the other: the bytes per sample after TIFF's floating-point predictor, otherwise 0 or
    /// 1.
    pub(crate) planes: usize,
}

/// Encodes the bytes of tiles.
pub(crate) trait ByteEncoder: Send {
    /// Appends the encoded `bytes` to `out`. The result depends on the arguments alone, not on earlier tiles.
    ///
    /// # Errors
    /// Returns the reason if the codec fails.
    fn encode(
        &mut self,
        compression: Compression,
        layout: Layout,
        bytes: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), String>;
}

/// The samples of a whole tile.
#[derive(Debug)]
#[cfg_attr(not(feature = "jpeg"), allow(dead_code, reason = "JPEG takes all of them"))]
pub(crate) struct TileSamples<'a> {
    /// The size of the tile, its bands and their type.
    pub(crate) format: &'a TileFormat,
    /// Row by row, with the bands of a pixel together, padded, in native byte order; aligned for any type.
    pub(crate) samples: &'a mut [u8],
    /// Columns and rows inside the image.
    pub(crate) inside: (usize, usize),
    /// One byte per pixel, 0 = invalid, which padding is too. `None` if the image has no mask.
    pub(crate) mask: Option<&'a [u8]>,
    /// The bytes of a nodata pixel, if the image has nodata.
    pub(crate) nodata: Option<&'a [u8]>,
}

/// The decoded samples of a tile of a sample codec, and other sizes that it could have.
#[derive(Debug, Default)]
pub(crate) struct Decoded {
    /// The samples that decoders return.
    pub(crate) samples: Vec<u8>,
    /// True to also encode the tile with NaN as nodata, which a codec may keep apart from the values.
    pub(crate) tries_nan: bool,
    /// The encoded size with NaN as nodata, if the codec has tried it.
    pub(crate) len_with_nan: Option<usize>,
}

/// Encodes the samples of tiles.
pub(crate) trait SampleEncoder: Send {
    /// Appends the encoded `tile` to `out`, and describes it in `decoded`, which has no samples before. The result depends on the
    /// arguments alone, not on earlier tiles.
    ///
    /// # Errors
    /// Returns the reason if the codec fails.
    fn encode(
        &mut self,
        compression: Compression,
        tile: TileSamples<'_>,
        out: &mut Vec<u8>,
        decoded: Option<&mut Decoded>,
    ) -> Result<(), String>;
}

/// Repeats the last column and row of the image to the edges of the tile, as GDAL does. A pixel has `pixel` bytes.
#[cfg(any(feature = "jpeg", feature = "lerc", feature = "webp-c"))]
pub(super) fn repeat_edges(samples: &mut [u8], pixel: usize, size: (usize, usize), inside: (usize, usize)) {
    let row_len = size.0 * pixel;
    if inside.0 < size.0 {
        let filled = inside.0 * pixel;
        for row in samples.chunks_exact_mut(row_len).take(inside.1) {
            for start in (filled..row_len).step_by(pixel) {
                row.copy_within(filled - pixel..filled, start);
            }
        }
    }
    for row in inside.1..size.1 {
        samples.copy_within((inside.1 - 1) * row_len..inside.1 * row_len, row * row_len);
    }
}

/// The encoder of builds without the feature of a codec; it reports the missing feature.
#[cfg(not(all(feature = "jpeg", feature = "lerc", feature = "webp")))]
pub(super) struct Missing(pub(super) &'static str);

#[cfg(not(all(feature = "jpeg", feature = "lerc", feature = "webp")))]
impl SampleEncoder for Missing {
    fn encode(
        &mut self,
        _: Compression,
        _: TileSamples<'_>,
        _: &mut Vec<u8>,
        _: Option<&mut Decoded>,
    ) -> Result<(), String> {
        Err(self.0.to_owned())
    }
}

/// The input of a codec, and the constructor of its encoder.
#[derive(Debug, Clone, Copy)]
pub(crate) enum EncoderKind {
    /// Tiles are stored uncompressed.
    Stored,
    /// Bytes: predicted, packed, and little-endian.
    Bytes(fn() -> Box<dyn ByteEncoder>),
    /// Samples and mask.
    Samples(fn() -> Box<dyn SampleEncoder>),
}

/// Compresses tiles with any codec; creates a codec's encoder on first use.
#[derive(Default)]
pub(crate) struct Compressor {
    bytes: Vec<(u16, Box<dyn ByteEncoder>)>,
    samples: Vec<(u16, Box<dyn SampleEncoder>)>,
}

impl std::fmt::Debug for Compressor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Compressor").finish_non_exhaustive()
    }
}

impl Compressor {
    /// Appends the compressed `bytes` to `out`.
    ///
    /// # Errors
    /// Returns the reason if the codec fails.
    pub(crate) fn compress(
        &mut self,
        compression: Compression,
        layout: Layout,
        bytes: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), String> {
        let codec = compression.codec();
        match codec.encoder {
            EncoderKind::Stored => {
                out.extend_from_slice(bytes);
                Ok(())
            }
            EncoderKind::Bytes(new) => {
                of_codec(&mut self.bytes, codec.code, new).encode(compression, layout, bytes, out)
            }
            EncoderKind::Samples(_) => Err(format!("{compression} encodes samples, not bytes")),
        }
    }

    /// Returns the encoder of a sample codec.
    pub(super) fn of_samples(
        &mut self,
        code: u16,
        new: fn() -> Box<dyn SampleEncoder>,
    ) -> &mut (dyn SampleEncoder + 'static) {
        of_codec(&mut self.samples, code, new)
    }
}

/// Returns the encoder of a codec, which is created on first use.
fn of_codec<T: ?Sized>(encoders: &mut Vec<(u16, Box<T>)>, code: u16, new: fn() -> Box<T>) -> &mut T {
    let index = encoders.iter().position(|(made_for, _)| *made_for == code).unwrap_or_else(|| {
        encoders.push((code, new()));
        encoders.len() - 1
    });
    &mut encoders[index].1
}

impl ByteEncoder for lzw::Encoder {
    fn encode(&mut self, _: Compression, _: Layout, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
        self.encode(bytes, out);
        Ok(())
    }
}

/// Returns the reason for rejecting the options of another codec.
pub(super) fn not_for(compression: Compression) -> String {
    format!("the encoder is not one for {compression}")
}

/// DEFLATE in the zlib format (RFC 1950), as TIFF compression 8 requires. Holds the encoder of one level at a time.
#[derive(Default)]
pub(super) struct Deflate(Option<(u8, deflate::Encoder)>);

impl Deflate {
    /// Appends the compressed bytes to `out`.
    pub(super) fn zlib(&mut self, level: u8, layout: Layout, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
        let encoder = match &mut self.0 {
            Some((made_for, encoder)) if *made_for == level => encoder,
            slot => {
                let encoder = deflate::Encoder::new(level).ok_or_else(|| format!("DEFLATE has no level {level}"))?;
                &mut slot.insert((level, encoder)).1
            }
        };
        let Layout { row_bytes, planes } = layout;
        encoder.zlib(bytes, deflate::Layout { row_bytes, planes }, out);
        Ok(())
    }
}

impl ByteEncoder for Deflate {
    fn encode(
        &mut self,
        compression: Compression,
        layout: Layout,
        bytes: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), String> {
        let Compression::Deflate { level } = compression else { return Err(not_for(compression)) };
        self.zlib(level, layout, bytes, out)
    }
}

/// ZSTD; its state is created for each tile.
pub(super) struct Zstd;

impl ByteEncoder for Zstd {
    fn encode(&mut self, compression: Compression, _: Layout, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
        let Compression::Zstd { level } = compression else { return Err(not_for(compression)) };
        zstd::compress(level, bytes, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use weezl::BitOrder;

    const LAYOUT: Layout = Layout { row_bytes: 512, planes: 1 };

    /// Bytes of several kinds: empty, repeated, smooth, noisy, short.
    fn samples() -> Vec<Vec<u8>> {
        let mut state = 1u32;
        let noise: Vec<u8> = (0..100_000)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                state.to_be_bytes()[0]
            })
            .collect();
        let smooth: Vec<u8> = (0..70_000u32).map(|value| (value / 300).to_le_bytes()[0]).collect();
        vec![vec![], vec![7], vec![0; 300_000], smooth, noise]
    }

    #[test]
    fn a_reused_compressor_gives_the_bytes_of_a_new_one() {
        let codecs = (1..=9).map(|level| Compression::Deflate { level }).chain([
            Compression::None,
            Compression::Lzw,
            Compression::Zstd { level: 1 },
            Compression::Zstd { level: 9 },
            Compression::Zstd { level: 19 },
        ]);
        for codec in codecs {
            let mut reused = Compressor::default();
            for bytes in samples() {
                let (mut first, mut second) = (vec![1, 2, 3], vec![1, 2, 3]);
                reused.compress(codec, LAYOUT, &bytes, &mut first).unwrap();
                Compressor::default().compress(codec, LAYOUT, &bytes, &mut second).unwrap();
                assert!(first == second, "{codec:?}, {} bytes", bytes.len());
                assert_eq!(first[..3], [1, 2, 3]);
            }
        }
    }

    #[test]
    fn other_decoders_give_the_bytes_back() {
        for bytes in samples() {
            let mut out = Vec::new();
            Compressor::default().compress(Compression::DEFLATE, LAYOUT, &bytes, &mut out).unwrap();
            let mut back = Vec::new();
            flate2::read::ZlibDecoder::new(out.as_slice()).read_to_end(&mut back).unwrap();
            assert!(back == bytes);
            out.clear();
            Compressor::default().compress(Compression::Lzw, LAYOUT, &bytes, &mut out).unwrap();
            let back = weezl::decode::Decoder::with_tiff_size_switch(BitOrder::Msb, 8).decode(&out).unwrap();
            assert!(back == bytes);
        }
    }
}
