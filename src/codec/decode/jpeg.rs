//! JPEG (Adobe TIFF Technical Note 2): streams whose tables may be in tag 347.

use libjpeg_turbo_rs::precision::decompress_12bit_with_limits;
use libjpeg_turbo_rs::{DecodeLimits, Decoder, PixelFormat};

use super::{ChunkFormat, DecodeError, DecodeResult, short};

const SOI: u8 = 0xD8;
const EOI: u8 = 0xD9;
const SOS: u8 = 0xDA;
const DQT: u8 = 0xDB;
const DHT: u8 = 0xC4;
const DRI: u8 = 0xDD;

/// Decodes a chunk. YCbCr becomes RGB if the image is YCbCr; other components are unchanged, whatever the stream says
/// about its colors, as in libtiff.
pub(crate) fn decode(format: &ChunkFormat, input: &[u8], rows: usize) -> DecodeResult<Vec<u8>> {
    if !(format.bits == 8 || format.bits == 12) {
        return Err(DecodeError::Unsupported(format!("JPEG of {} bits per sample", format.bits)));
    }
    let to_rgb = format.ycbcr.is_some() && format.samples == 3;
    let stream = assemble(&format.jpeg_tables, input, to_rgb)?;
    if format.bits == 12 {
        return decode_12_bits(format, &stream, rows);
    }
    let output = match format.samples {
        1 => PixelFormat::Grayscale,
        3 => PixelFormat::Rgb,
        4 => PixelFormat::Cmyk,
        samples => return Err(DecodeError::Unsupported(format!("JPEG of {samples} bands"))),
    };
    let failed = |error: libjpeg_turbo_rs::JpegError| format!("JPEG: {error}");
    let mut decoder = Decoder::new_with_limits(&stream, DecodeLimits::default()).map_err(failed)?;
    let (width, height) = (usize::from(decoder.header().width), usize::from(decoder.header().height));
    let components = decoder.header().components.len();
    if components != format.samples {
        return Err(format!("JPEG: the stream has {components} components, the image has {}", format.samples).into());
    }
    // libtiff accepts strips that are higher than expected, but not wider or smaller ones.
    if width != format.width || height < rows {
        return Err(format!("JPEG: the stream is {width}x{height}, but the chunk is {}x{rows}", format.width).into());
    }
    decoder.set_output_format(output);
    // By default, the decoder fills missing or damaged parts with gray.
    decoder.set_stop_on_warning(true);
    let size = decoder.output_buffer_size().map_err(failed)?;
    if size != width * height * format.samples {
        return Err(short(size, width * height * format.samples));
    }
    format.compression.check_size(input.len() as u64, size as u64)?;
    let mut decoded = super::allocate(size)?;
    decoder.decode_image_into(&mut decoded).map_err(failed)?;
    decoded.truncate(width * rows * format.samples);
    Ok(decoded)
}

/// Decodes a stream with 12 bits per sample.
fn decode_12_bits(format: &ChunkFormat, stream: &[u8], rows: usize) -> DecodeResult<Vec<u8>> {
    let limits = DecodeLimits { max_width: format.width, max_height: rows, ..DecodeLimits::default() };
    let image = decompress_12bit_with_limits(stream, &limits).map_err(|error| format!("JPEG: {error}"))?;
    if image.width != format.width || image.height != rows || image.num_components != format.samples {
        let (width, height, components) = (image.width, image.height, image.num_components);
        return Err(format!("JPEG: the stream is {width}x{height} with {components} components").into());
    }
    Ok(image.data.iter().flat_map(|sample| sample.to_ne_bytes()).collect())
}

/// Builds a self-contained stream: SOI, the shared tables, and those parts of the stream that decoding needs. An Adobe
/// marker says whether to convert colors, because otherwise decoders guess from component numbers.
fn assemble(tables: &[u8], input: &[u8], to_rgb: bool) -> DecodeResult<Vec<u8>> {
    let mut stream = Vec::new();
    let size = tables.len().saturating_add(input.len()).saturating_add(32);
    stream.try_reserve_exact(size).map_err(|_| DecodeError::Memory(size as u64))?;
    stream.extend_from_slice(&[0xFF, SOI]);
    stream.extend_from_slice(b"\xFF\xEE\x00\x0EAdobe\x00\x64\x00\x00\x00\x00");
    stream.push(u8::from(to_rgb));
    if !tables.is_empty() {
        copy_segments(tables, &mut stream, |marker| matches!(marker, DQT | DHT | DRI));
    }
    let rest = copy_segments(input, &mut stream, |marker| !matches!(marker, 0xE0..=0xEF | 0xFE));
    if rest.is_empty() {
        return Err("JPEG: the stream has no scan".into());
    }
    stream.extend_from_slice(rest);
    Ok(stream)
}

/// Copies the segments before the first scan for which `wanted` returns true. Returns the rest, from the scan on, if
/// any.
fn copy_segments<'a>(input: &'a [u8], stream: &mut Vec<u8>, wanted: impl Fn(u8) -> bool) -> &'a [u8] {
    let mut rest = input;
    loop {
        let (marker, tail) = match rest {
            [0xFF, 0xFF, ..] => {
                rest = rest.get(1..).unwrap_or(&[]);
                continue;
            }
            [0xFF, marker, tail @ ..] => (*marker, tail),
            // Bytes between segments have no meaning; decoders skip them.
            [_, tail @ ..] => {
                rest = tail;
                continue;
            }
            [] => return &[],
        };
        match marker {
            SOI => rest = tail,
            EOI => return &[],
            SOS => return rest,
            0x00 | 0x01 | 0xD0..=0xD7 => rest = tail,
            _ => {
                let [high, low, ..] = tail else { return &[] };
                let length = usize::from(u16::from_be_bytes([*high, *low])) + 2;
                let Some((segment, after)) = rest.split_at_checked(length) else { return &[] };
                if wanted(marker) {
                    stream.extend_from_slice(segment);
                }
                rest = after;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_come_before_the_stream_and_comments_go() {
        let tables = b"\xFF\xD8\xFF\xDB\x00\x03A\xFF\xE1\x00\x03x\xFF\xD9";
        let input = b"\xFF\xD8\xFF\xFE\x00\x03c\xFF\xC0\x00\x03f\xFF\xDA\x00\x02data\xFF\xD9";
        let stream = assemble(tables, input, true).unwrap();
        assert_eq!(&stream[18..], b"\xFF\xDB\x00\x03A\xFF\xC0\x00\x03f\xFF\xDA\x00\x02data\xFF\xD9");
        assert_eq!(stream[17], 1);
        assert!(assemble(tables, b"\xFF\xD8\xFF\xC0\x00", true).is_err());
    }
}
