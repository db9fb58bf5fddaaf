//! A DEFLATE encoder made for rasters (RFC 1950, RFC 1951): bytes in, a zlib stream out.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "hashes and positions are truncated on purpose; lengths, distances and costs are small"
)]

mod bits;
mod block;
mod chains;
mod costs;
mod fast;
mod header;
mod huffman;
mod pairs;
mod parse;
mod places;
mod select;
mod short;
mod split;
mod symbols;

use bits::Rest;
use block::Stream;
use parse::{Parser, Policy};

/// Hints about the bytes. They direct the search, but never limit what can be encoded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Bytes per row; 0 if there are no rows.
    pub(crate) row_bytes: usize,
    /// Planes per row, one after the other: the bytes per sample after TIFF's floating-point predictor, otherwise 0 or
    /// 1.
    pub(crate) planes: usize,
}

/// Encodes zlib streams. Reuses its memory, but keeps no state between streams.
pub(crate) struct Encoder {
    policy: Policy,
    parser: Parser,
}

impl Encoder {
    /// Returns an encoder with an effort from 1 to 9; `None` for other numbers.
    pub(crate) fn new(level: u8) -> Option<Self> {
        (1..=9).contains(&level).then(|| Self { policy: Policy::new(level), parser: Parser::default() })
    }

    /// Appends `input` as a zlib stream to `out`.
    pub(crate) fn zlib(&mut self, input: &[u8], layout: Layout, out: &mut Vec<u8>) {
        out.extend([0x78, 0x9C]);
        let mut stream = Stream { out, rest: Rest::default() };
        self.parser.encode(input, layout, self.policy, &mut stream);
        stream.finish();
        out.extend(simd_adler32::adler32(&input).to_be_bytes());
    }
}

#[cfg(test)]
mod tests;
