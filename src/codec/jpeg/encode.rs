//! The encoder of tiles.

use libjpeg_turbo_rs::encode::pipeline::compress_rgb_direct_with_params;
use libjpeg_turbo_rs::{CompressParams, Decoder, PixelFormat, Subsampling as Sampling, compress_with_params};

use crate::codec::Components;
use crate::codec::compression::Compression;
use crate::codec::encoder::{Decoded, SampleEncoder, TileSamples, not_for, repeat_edges};

use super::{parameters, subsampling, tables};
use crate::codec::fill::Tile;

/// Start of frame, baseline; the crate writes no other marker in its place.
const SOF0: u8 = 0xC0;
/// Start of frame, extended sequential.
const SOF1: u8 = 0xC1;
const DHT: u8 = 0xC4;
const SOI: u8 = 0xD8;
const SOS: u8 = 0xDA;

/// Encodes tiles.
#[derive(Default)]
pub(super) struct Encoder;

impl SampleEncoder for Encoder {
    fn encode(
        &mut self,
        compression: Compression,
        tile: TileSamples<'_>,
        out: &mut Vec<u8>,
        decoded: Option<&mut Decoded>,
    ) -> Result<(), String> {
        let (quality, chosen, _) = parameters(compression).ok_or_else(|| not_for(compression))?;
        let TileSamples { format, samples, inside, mask, nodata } = tile;
        let size = (format.tile_size.width as usize, format.tile_size.height as usize);
        let share = subsampling(format, chosen);
        if let Some(mask) = mask {
            // An MCU: its chroma blocks would mix an abrupt edge into valid pixels.
            let side = 8 * usize::from(share);
            Tile { samples, pixel: format.samples, width: size.0, inside }.fill(mask, side, nodata);
        }
        repeat_edges(samples, format.samples, size, inside);
        let pixel_format = if format.samples == 1 { PixelFormat::Grayscale } else { PixelFormat::Rgb };
        let sampling = if share == 2 { Sampling::S420 } else { Sampling::S444 };
        let quantization = tables::quantization(quality);
        let [luminance, chrominance] = quantization.map(Some);
        let custom = [luminance, chrominance, None, None];
        let parameters = CompressParams::new(samples, size.0, size.1, pixel_format, quality, sampling)
            .optimize_huffman(true)
            .custom_quant(&custom);
        let is_direct = format.samples == 3 && format.components != Components::YCbCr;
        let stream = if is_direct {
            compress_rgb_direct_with_params(&parameters, None)
        } else {
            compress_with_params(&parameters)
        };
        let failed = |error: libjpeg_turbo_rs::JpegError| format!("jpeg: {error}");
        let stream = stream.map_err(failed)?;
        if let Some(decoded) = decoded {
            let mut decoder = Decoder::new(&stream).map_err(failed)?;
            decoder.set_output_format(pixel_format);
            decoded.samples.resize(samples.len(), 0);
            decoder.decode_image_into(&mut decoded.samples).map_err(failed)?;
        }
        let frame = Frame {
            first_id: match format.components {
                Components::Bands if format.samples == 1 => 1,
                Components::YCbCr => 1,
                Components::Bands | Components::Plane => 0,
            },
            is_extended: quantization[..if is_direct { 1 } else { 2 }].iter().take(format.samples).any(tables::is_wide),
        };
        frame.abbreviate(&stream, out).ok_or_else(|| "jpeg: the stream has an unexpected structure".to_owned())
    }
}

/// The parts of a stream that libtiff decides.
struct Frame {
    /// The identifier of the first component; those of the others follow.
    first_id: u8,
    /// True for quantization tables of 16 bits.
    is_extended: bool,
}

impl Frame {
    /// Appends a stream without the segments that tag 347 or libtiff leave out. Returns `None` if it is not a stream as
    /// the crate writes it.
    fn abbreviate(&self, stream: &[u8], out: &mut Vec<u8>) -> Option<()> {
        out.extend_from_slice(&[0xFF, SOI]);
        let mut rest = stream.strip_prefix(&[0xFF, SOI])?;
        loop {
            let [0xFF, marker, high, low, ..] = *rest else { return None };
            let len = usize::from(u16::from_be_bytes([high, low])) + 2;
            let (segment, after) = rest.split_at_checked(len)?;
            let start = out.len();
            match marker {
                // Length, precision, height, width, and count come before the components.
                SOF0 => {
                    out.extend_from_slice(segment);
                    out[start + 1] = if self.is_extended { SOF1 } else { SOF0 };
                    self.number(out.get_mut(start + 10..)?, 3);
                }
                DHT => out.extend_from_slice(segment),
                SOS => {
                    out.extend_from_slice(rest);
                    let count = usize::from(*segment.get(4)?);
                    self.number(out.get_mut(start + 5..start + 5 + 2 * count)?, 2);
                    return Some(());
                }
                _ => {}
            }
            rest = after;
        }
    }

    /// Numbers components of `len` bytes each.
    fn number(&self, components: &mut [u8], len: usize) {
        let components = components.chunks_exact_mut(len).filter_map(<[u8]>::first_mut);
        (0..).zip(components).for_each(|(index, id)| *id = self.first_id.wrapping_add(index));
    }
}
