//! Decoding of tiles, in pieces of rows if the codec allows it.

use std::io::{self, BufRead};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use crate::codec::decode::{self, ChunkFormat, DecodeError, DecodeResult, stream};
use crate::error::{Error, Result};
use crate::read::RangeReader;

use super::image::Image;
use super::parse::Tiff;

/// Limit in bytes for a tile that is decoded as a whole, before and after decoding, and for a row of other tiles.
pub(super) const MAX_TILE_BYTES: u64 = 256 << 20;
/// Bytes of rows that are decoded at once by streaming codecs; at least one row.
const PIECE_BYTES: usize = 8 << 20;
/// Maximum compressed size of a tile that is read at once; larger tiles are read while they are decoded.
const MAX_INPUT_BYTES: u64 = 8 << 20;
/// Bytes that are read at once in that case.
const INPUT_BYTES: u64 = 1 << 20;

/// The location of a tile in the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct TilePlace {
    pub(super) tile: u64,
    pub(super) offset: u64,
    pub(super) count: u64,
}

/// Returns the size of a tile's pixels in bytes, packed or unpacked, whichever is larger.
pub(super) fn decoded_bytes(image: &Image, tile: u64) -> u64 {
    let Ok(format) = &image.format else { return u64::MAX };
    let Ok(rows) = usize::try_from(image.rows(tile).0) else { return u64::MAX };
    let unpacked = format.row_bytes().and_then(|bytes| bytes.checked_mul(rows));
    match (format.packed_bytes(rows), unpacked) {
        (Some(packed), Some(unpacked)) => packed.max(unpacked) as u64,
        _ => u64::MAX,
    }
}

fn row_bytes(format: &ChunkFormat) -> Option<usize> {
    Some(format.packed_bytes(1)?.max(format.row_bytes()?))
}

/// Returns true if tiles are decoded in pieces.
pub(super) fn is_streamed(image: &Image) -> bool {
    image.format.as_ref().is_ok_and(|format| format.compression.streams() && format.ycbcr.is_none())
}

/// Returns the memory that decoding a tile takes, in bytes; `None` if it is over the limit.
pub(super) fn memory(image: &Image, place: TilePlace) -> Option<u64> {
    let decoded = decoded_bytes(image, place.tile);
    let format = image.format.as_ref().ok()?;
    if is_streamed(image) {
        let row = row_bytes(format)? as u64;
        let piece = decoded.min(row.max(PIECE_BYTES as u64)).saturating_mul(2);
        (row <= MAX_TILE_BYTES).then(|| piece.saturating_add(place.count.min(MAX_INPUT_BYTES)))
    } else {
        (decoded <= MAX_TILE_BYTES && place.count <= MAX_TILE_BYTES).then(|| decoded.saturating_add(place.count))
    }
}

/// Decodes a tile, and passes its rows to `see` in pieces: the index of the first row in the tile, and the samples in
/// native byte order. Returns true if the tile has all its rows, false if it only has those that lie in the image.
pub(super) fn decode(
    tiff: &Tiff<'_>,
    image: &Image,
    place: TilePlace,
    see: &mut dyn FnMut(u64, &[u8]),
) -> Result<DecodeResult<bool>> {
    let format = match &image.format {
        Ok(format) => format,
        Err(reason) => return Ok(Err(DecodeError::Unsupported(reason.clone()))),
    };
    tiff.decodes.fetch_add(1, Ordering::Relaxed);
    let (rows, inside) = image.rows(place.tile);
    let [rows, inside] = [rows, inside].map(|rows| usize::try_from(rows).unwrap_or(usize::MAX));
    if !is_streamed(image) {
        let whole = decode_whole(tiff, format, place, (rows, rows))?;
        let (result, complete) = match whole {
            Err(DecodeError::Damaged(_)) if inside < rows => {
                tiff.decodes.fetch_add(1, Ordering::Relaxed);
                (decode_whole(tiff, format, place, (rows, inside))?, false)
            }
            whole => (whole, true),
        };
        return Ok(result.map(|samples| {
            see(0, &samples);
            complete
        }));
    }
    if place.count <= MAX_INPUT_BYTES {
        let mut input = tiff.bytes(place.offset, place.count)?;
        if format.reversed_bits {
            decode::bits::reverse(&mut input);
        }
        return Ok(decode_rows(format, place, (rows, inside), &input[..], see));
    }
    // A read error is not an error of the tile, although the decoder returns it as one.
    let failed: Arc<Mutex<Option<io::Error>>> = Arc::default();
    let failure = Arc::clone(&failed);
    let (reader, reversed) = (tiff.reader, format.reversed_bits);
    let input =
        RangeReader::new(place.offset..place.offset.saturating_add(place.count), INPUT_BYTES, move |at, buffer| {
            let read = crate::read::read_full(reader, at, buffer).and_then(|filled| {
                let short = || io::Error::new(io::ErrorKind::UnexpectedEof, "the file has become shorter");
                if filled < buffer.len() { Err(short()) } else { Ok(filled) }
            });
            if reversed {
                decode::bits::reverse(buffer);
            }
            read.map_err(|error| {
                let kind = error.kind();
                *failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                kind.into()
            })
        });
    let result = decode_rows(format, place, (rows, inside), input, see);
    let failure = failed.lock().unwrap_or_else(PoisonError::into_inner).take();
    failure.map_or(Ok(result), |error| Err(Error::io("read", error)))
}

/// Decodes rows piece by piece.
fn decode_rows<'a>(
    format: &ChunkFormat,
    place: TilePlace,
    (rows, inside): (usize, usize),
    input: impl BufRead + Send + 'a,
    see: &mut dyn FnMut(u64, &[u8]),
) -> DecodeResult<bool> {
    let too_many = || DecodeError::from("more pixels than fit in memory");
    let row_len = format.packed_row_bytes().ok_or_else(too_many)?;
    let needed = row_len.checked_mul(inside).ok_or_else(too_many)?;
    format.compression.check_size(place.count, needed as u64)?;
    let failed = |error: io::Error| DecodeError::from(format!("{:?}: {error}", format.compression));
    let mut reader = stream::open(format.compression, input).map_err(failed)?;
    let piece_rows = (PIECE_BYTES / row_len.max(1)).max(1);
    let mut row = 0;
    while row < rows {
        let mut packed = decode::allocate(piece_rows.min(rows - row) * row_len)?;
        let filled = stream::fill(&mut *reader, &mut packed).map_err(failed)?;
        let complete = filled == packed.len();
        if !complete && row * row_len + filled < needed {
            return Err(decode::short(row * row_len + filled, needed));
        }
        let count = filled / row_len.max(1);
        packed.truncate(count * row_len);
        see(row as u64, &format.unpack(packed, count)?);
        if !complete {
            return Ok(false);
        }
        row += count;
    }
    Ok(true)
}

/// Decodes a tile of `rows` rows, of which the first `needed` must be present.
fn decode_whole(
    tiff: &Tiff<'_>,
    format: &ChunkFormat,
    place: TilePlace,
    (rows, needed): (usize, usize),
) -> Result<DecodeResult<Vec<u8>>> {
    let mut input = tiff.bytes(place.offset, place.count)?;
    let mut out = Vec::new();
    Ok(format.decode(&mut input, &mut out, rows, needed).map(|()| out))
}

/// Returns the samples of a tile in native byte order; `None` if it is not in the file, too large, or damaged.
pub(super) fn samples(tiff: &Tiff<'_>, image: &Image, place: TilePlace) -> Result<Option<Vec<u8>>> {
    let fits = place.count <= MAX_TILE_BYTES && decoded_bytes(image, place.tile) <= MAX_TILE_BYTES;
    let Ok(format) = &image.format else { return Ok(None) };
    if !fits || !tiff.holds_tile(place.offset, place.count) {
        return Ok(None);
    }
    let (rows, inside) = image.rows(place.tile);
    let [rows, inside] = [rows, inside].map(|rows| usize::try_from(rows).unwrap_or(usize::MAX));
    Ok(decode_whole(tiff, format, place, (rows, inside))?.ok())
}
