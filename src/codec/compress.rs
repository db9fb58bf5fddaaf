//! Byte codecs that append to a vector. Their state is scratch memory that is reset before every tile.

use crate::options::Compression;

use super::{deflate, lzw, zstd};

/// Compresses tiles with any codec; creates a codec's state on first use.
#[derive(Default)]
pub struct Compressor {
    deflate: Option<(u8, deflate::Encoder)>,
    lzw: Option<lzw::Encoder>,
}

impl std::fmt::Debug for Compressor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Compressor").finish_non_exhaustive()
    }
}

impl Compressor {
    /// Appends the compressed `bytes` to `out`. Only DEFLATE uses `layout`.
    ///
    /// # Errors
    /// Returns the reason if the codec fails.
    pub fn compress(
        &mut self,
        compression: Compression,
        layout: deflate::Layout,
        bytes: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), String> {
        match compression {
            Compression::None => {
                out.extend_from_slice(bytes);
                Ok(())
            }
            Compression::Lzw => {
                self.lzw.get_or_insert_default().encode(bytes, out);
                Ok(())
            }
            Compression::Deflate { level } => self.deflate(level, layout, bytes, out),
            Compression::Zstd { level } => zstd::compress(level, bytes, out),
        }
    }

    /// Compresses to the zlib format (RFC 1950), as TIFF compression 8 requires.
    fn deflate(&mut self, level: u8, layout: deflate::Layout, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
        let encoder = match &mut self.deflate {
            Some((made_for, encoder)) if *made_for == level => encoder,
            slot => {
                let encoder = deflate::Encoder::new(level).ok_or_else(|| format!("DEFLATE has no level {level}"))?;
                &mut slot.insert((level, encoder)).1
            }
        };
        encoder.zlib(bytes, layout, out);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use weezl::BitOrder;

    const LAYOUT: deflate::Layout = deflate::Layout { row_bytes: 512, planes: 1 };

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
