//! Codecs that can be read as a stream: LZW, DEFLATE, ZSTD, and none.

use std::io::{self, BufRead, Read};

use flate2::bufread::ZlibDecoder;
use structured_zstd::decoding::StreamingDecoder;
use weezl::{BitOrder, LzwStatus};

use super::{Compression, DecodeResult, short};

/// Fills `out`, which has the length of the pixels, from `input`, which must yield at least `needed` bytes. Trailing
/// input is ignored, as in libtiff.
pub(crate) fn decode(compression: Compression, input: &[u8], out: &mut [u8], needed: usize) -> DecodeResult<()> {
    let failed = |error: io::Error| format!("{compression:?}: {error}");
    let mut reader = open(compression, input).map_err(failed)?;
    let filled = fill(&mut *reader, out).map_err(failed)?;
    if filled < needed { Err(short(filled, needed)) } else { Ok(()) }
}

/// Returns a reader of the decoded bytes.
pub(crate) fn open<'a>(
    compression: Compression,
    mut input: impl BufRead + Send + 'a,
) -> io::Result<Box<dyn Read + Send + 'a>> {
    Ok(match compression {
        Compression::Lzw => {
            let decoder = if is_old_style(input.fill_buf()?) {
                weezl::decode::Decoder::new(BitOrder::Lsb, 8)
            } else {
                weezl::decode::Decoder::with_tiff_size_switch(BitOrder::Msb, 8)
            };
            Box::new(LzwReader { decoder, input })
        }
        Compression::Deflate => Box::new(ZlibDecoder::new(input)),
        Compression::Zstd => Box::new(PlainReader(StreamingDecoder::new(input))),
        _ => Box::new(input),
    })
}

/// Reads until `out` is full or the reader ends; returns the number of bytes read.
pub(crate) fn fill(reader: &mut dyn Read, out: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = out.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match reader.read(rest) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Returns whether libtiff before version 5 (1994) wrote the stream: those start with the clear code in reverse bit
/// order.
fn is_old_style(start: &[u8]) -> bool {
    matches!(start, [0, second, ..] if second & 1 == 1)
}

/// Hides every method but `read`: the decoder's `read_to_end` links a second decoder, for whole frames, which would take
/// 15 kB of the browser module.
struct PlainReader<R>(R);

impl<R: Read> Read for PlainReader<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.0.read(out)
    }
}

struct LzwReader<R> {
    decoder: weezl::decode::Decoder,
    input: R,
}

impl<R: BufRead> Read for LzwReader<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            let input = self.input.fill_buf()?;
            let at_end = input.is_empty();
            let result = self.decoder.decode_bytes(input, out);
            self.input.consume(result.consumed_in);
            if result.consumed_out > 0 {
                return Ok(result.consumed_out);
            }
            match result.status {
                Err(_) => return Err(io::Error::new(io::ErrorKind::InvalidData, "invalid LZW code")),
                Ok(LzwStatus::Done) => return Ok(0),
                Ok(LzwStatus::NoProgress) if at_end => return Ok(0),
                Ok(LzwStatus::NoProgress) if result.consumed_in == 0 => {
                    return Err(io::Error::new(io::ErrorKind::InvalidData, "the LZW stream makes no progress"));
                }
                Ok(_) if at_end => return Ok(0),
                Ok(_) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lzw_ends_cleanly_where_bytes_are_missing() {
        let data: Vec<u8> = (0..3000u32).map(|index| (index * index % 251) as u8).collect();
        let packed = weezl::encode::Encoder::with_tiff_size_switch(BitOrder::Msb, 8).encode(&data).unwrap();
        let mut out = vec![0; data.len()];
        decode(Compression::Lzw, &packed, &mut out, data.len()).unwrap();
        assert_eq!(out, data);
        for end in 0..packed.len() - 2 {
            assert!(decode(Compression::Lzw, &packed[..end], &mut out, data.len()).is_err(), "cut at {end}");
        }
    }
}
