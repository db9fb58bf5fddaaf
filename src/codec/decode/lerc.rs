//! LERC (Esri), bare or wrapped in DEFLATE or ZSTD, as libtiff stores it.

use std::io::Read;

use super::{ChunkFormat, Compression, DecodeError, DecodeResult, allocate_rows, stream};
use crate::codec::lerc::blob;
use crate::sample::DataType;

/// Outer compression of the LERC bytes (second number of tag 50674).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wrapping {
    /// 0.
    None,
    /// 1.
    Deflate,
    /// 2.
    Zstd,
}

/// Decodes a chunk.
pub(crate) fn decode(format: &ChunkFormat, wrapping: Wrapping, input: Vec<u8>, rows: usize) -> DecodeResult<Vec<u8>> {
    let out = allocate_rows(format, rows)?;
    let blob = unwrap(wrapping, input, out.len())?;
    match format.data_type {
        DataType::U8 => pixels::<u8>(format, &blob, rows, out, None),
        DataType::I8 => pixels::<i8>(format, &blob, rows, out, None),
        DataType::U16 => pixels::<u16>(format, &blob, rows, out, None),
        DataType::I16 => pixels::<i16>(format, &blob, rows, out, None),
        DataType::U32 => pixels::<u32>(format, &blob, rows, out, None),
        DataType::I32 => pixels::<i32>(format, &blob, rows, out, None),
        // libtiff returns NaN where the mask of a float image marks a pixel as invalid.
        DataType::F32 => pixels::<f32>(format, &blob, rows, out, Some(f32::NAN)),
        DataType::F64 => pixels::<f64>(format, &blob, rows, out, Some(f64::NAN)),
        other => Err(DecodeError::Unsupported(format!("LERC of {other} samples"))),
    }
}

/// Returns the LERC bytes; they cannot be much longer than the pixels.
fn unwrap(wrapping: Wrapping, input: Vec<u8>, pixel_bytes: usize) -> DecodeResult<Vec<u8>> {
    let compression = match wrapping {
        Wrapping::None => return Ok(input),
        Wrapping::Deflate => Compression::Deflate,
        Wrapping::Zstd => Compression::Zstd,
    };
    let limit = (pixel_bytes as u64).saturating_mul(2).saturating_add(1 << 16);
    let mut blob = Vec::new();
    let reader = stream::open(compression, &input[..]).map_err(|error| error.to_string())?;
    reader.take(limit).read_to_end(&mut blob).map_err(|error| error.to_string())?;
    Ok(blob)
}

fn pixels<T: lerc::Sample + bytemuck::Pod>(
    format: &ChunkFormat,
    blob: &[u8],
    rows: usize,
    mut out: Vec<u8>,
    invalid: Option<T>,
) -> DecodeResult<Vec<u8>> {
    let blob = blob::decode::<T>(blob, (format.width, rows), format.samples, invalid)?;
    // libtiff stores the alpha band of 8-bit images as the LERC mask.
    let alpha = blob.depth + 1 == format.samples && format.data_type == DataType::U8;
    if blob.depth != format.samples && !alpha {
        return Err(format!("LERC: the image has {} bands, but the chunk has {}", blob.depth, format.samples).into());
    }
    let values = bytemuck::cast_slice::<T, u8>(&blob.values);
    if alpha {
        for (index, (to, from)) in out.chunks_exact_mut(format.samples).zip(values.chunks(blob.depth)).enumerate() {
            let opaque = if blob.is_valid(index) { 255 } else { 0 };
            to.iter_mut().zip(from.iter().chain(&[opaque])).for_each(|(to, from)| *to = *from);
        }
        return Ok(out);
    }
    out.iter_mut().zip(values).for_each(|(to, from)| *to = *from);
    Ok(out)
}
