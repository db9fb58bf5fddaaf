//! A DEFLATE encoder made for rasters (RFC 1950, RFC 1951): bytes in, a zlib stream out.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "hashes and places are cut on purpose; lengths, distances and costs are small"
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

/// What is known of the bytes: it directs the search and never decides what can be encoded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Bytes of a row, 0 where there are no rows.
    pub(crate) row_bytes: usize,
    /// How many planes a row consists of, one behind the other: the bytes of a sample after TIFF's floating-point
    /// predictor, else 0 or 1.
    pub(crate) planes: usize,
}

/// Encodes zlib streams. Keeps memory from stream to stream, nothing else.
pub(crate) struct Encoder {
    policy: Policy,
    parser: Parser,
}

impl Encoder {
    /// An encoder with an effort of 1 to 9; `None` for other numbers.
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
