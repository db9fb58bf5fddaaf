//! JPEG (Adobe TIFF Technical Note 2): streams whose tables may stand in tag 347.

use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use super::{ChunkFormat, DecodeError, DecodeResult, allocate_rows, short};

const SOI: u8 = 0xD8;
const EOI: u8 = 0xD9;
const SOS: u8 = 0xDA;
const DQT: u8 = 0xDB;
const DHT: u8 = 0xC4;
const DRI: u8 = 0xDD;

/// Decodes a chunk. YCbCr becomes RGB where the image is YCbCr; other components stay as they are, whatever the stream
/// says about its colours, as in libtiff.
pub(crate) fn decode(format: &ChunkFormat, input: &[u8], rows: usize) -> DecodeResult<Vec<u8>> {
    if format.bits != 8 {
        return Err(DecodeError::Unsupported(format!("JPEG of {} bits per sample", format.bits)));
    }
    let to_rgb = format.ycbcr.is_some() && format.samples == 3;
    let stream = assemble(&format.jpeg_tables, input, to_rgb)?;
    let output = match (format.samples, to_rgb) {
        (1, _) => ColorSpace::Luma,
        (2, _) => ColorSpace::LumaA,
        (3, _) => ColorSpace::RGB,
        (4, _) => ColorSpace::CMYK,
        (samples, _) => return Err(DecodeError::Unsupported(format!("JPEG of {samples} bands"))),
    };
    // Strictness is off as libtiff goes on at warnings; dimensions are bounded by those of the image.
    let options = DecoderOptions::default()
        .set_strict_mode(false)
        .set_max_width(usize::from(u16::MAX))
        .set_max_height(usize::from(u16::MAX))
        .jpeg_set_out_colorspace(output);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(&stream[..]), options);
    decoder.decode_headers().map_err(|error| format!("JPEG: {error}"))?;
    let (Some(info), Some(size)) = (decoder.info(), decoder.output_buffer_size()) else {
        return Err("JPEG: the stream has no frame".into());
    };
    let (width, height) = (usize::from(info.width), usize::from(info.height));
    if usize::from(info.components) != format.samples {
        let components = info.components;
        return Err(format!("JPEG: the stream has {components} components, the image {}", format.samples).into());
    }
    if width < format.width || height < rows {
        return Err(format!("JPEG: the stream is {width}x{height}, the chunk {}x{rows}", format.width).into());
    }
    if size != width * height * format.samples {
        return Err(short(size, width * height * format.samples));
    }
    let mut decoded = super::allocate(size)?;
    decoder.decode_into(&mut decoded).map_err(|error| format!("JPEG: {error}"))?;
    if width == format.width && height == rows {
        return Ok(decoded);
    }
    // libtiff takes a stream that is larger than its chunk, and leaves out what is over.
    let mut out = allocate_rows(format, rows)?;
    for (to, from) in out.chunks_mut(format.width * format.samples).zip(decoded.chunks(width * format.samples)) {
        to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
    }
    Ok(out)
}

/// A stream that stands alone: the shared tables behind SOI, and of the stream what is needed for decoding. An Adobe
/// marker says whether the colours are to be converted, since decoders guess from component numbers otherwise.
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

/// Copies the segments before the first scan that `wanted` picks; gives what follows from the scan on, if anything.
fn copy_segments<'a>(input: &'a [u8], stream: &mut Vec<u8>, wanted: impl Fn(u8) -> bool) -> &'a [u8] {
    let mut rest = input;
    loop {
        let (marker, tail) = match rest {
            [0xFF, 0xFF, ..] => {
                rest = rest.get(1..).unwrap_or(&[]);
                continue;
            }
            [0xFF, marker, tail @ ..] => (*marker, tail),
            // Bytes between segments mean nothing; decoders skip them.
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
