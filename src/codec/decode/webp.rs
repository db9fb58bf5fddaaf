//! WebP as libtiff stores it: one image per chunk, 8-bit RGB or RGBA.

use std::io::Cursor;

use image_webp::WebPDecoder;

use super::{ChunkFormat, DecodeError, DecodeResult, allocate, allocate_rows, short};

/// Decodes a chunk. If the image has an alpha band but the stream does not, all pixels are opaque.
pub(crate) fn decode(format: &ChunkFormat, input: &[u8], rows: usize) -> DecodeResult<Vec<u8>> {
    if format.bits != 8 || !(format.samples == 3 || format.samples == 4) {
        let (bits, samples) = (format.bits, format.samples);
        return Err(DecodeError::Unsupported(format!("WebP with {samples} bands of {bits} bits")));
    }
    let mut decoder = WebPDecoder::new(Cursor::new(input)).map_err(|error| format!("WebP: {error}"))?;
    let (width, height) = decoder.dimensions();
    if width as usize != format.width || height as usize != rows {
        return Err(format!("WebP: the image is {width}x{height}, but the chunk is {}x{rows}", format.width).into());
    }
    let stored = if decoder.has_alpha() { 4 } else { 3 };
    let size = decoder.output_buffer_size().ok_or("WebP: the image is too large")?;
    let expected = format.width * rows * stored;
    if size != expected {
        return Err(short(size, expected));
    }
    let mut decoded = allocate(size)?;
    decoder.read_image(&mut decoded).map_err(|error| format!("WebP: {error}"))?;
    if stored == format.samples {
        return Ok(decoded);
    }
    let mut out = allocate_rows(format, rows)?;
    for (to, from) in out.chunks_exact_mut(format.samples).zip(decoded.chunks_exact(stored)) {
        to.iter_mut().zip(from.iter().chain(&[255])).for_each(|(to, from)| *to = *from);
    }
    Ok(out)
}
