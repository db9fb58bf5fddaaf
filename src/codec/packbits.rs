//! PackBits (TIFF 6.0 section 9): runs of one byte, and literal bytes. Each row is packed separately, with the bytes of
//! libtiff.

use super::compression::Compression;
use super::encoder::{ByteEncoder, Layout};

/// The longest run, and the most literal bytes after one count.
const MAX_LEN: usize = 128;

/// PackBits; it needs no memory of its own.
pub(super) struct Encoder;

impl ByteEncoder for Encoder {
    fn encode(&mut self, _: Compression, layout: Layout, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
        for row in bytes.chunks(if layout.row_bytes == 0 { bytes.len().max(1) } else { layout.row_bytes }) {
            pack(row, out);
        }
        Ok(())
    }
}

/// The last thing that was written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    /// Nothing that can grow.
    Done,
    /// Literal bytes, whose count is at this index.
    Literals(usize),
    /// The literal bytes whose count is at this index, and a run.
    LiteralsAndRun(usize),
}

/// Appends a packed row.
fn pack(row: &[u8], out: &mut Vec<u8>) {
    let mut last = Last::Done;
    for run in row.chunk_by(|a, b| a == b) {
        let byte = run[0];
        let mut rest = run.len();
        while rest > 0 {
            let count = rest.min(MAX_LEN);
            if let Last::LiteralsAndRun(at) = last {
                // A run of two between literal bytes costs as much as two literal bytes, without the count after it.
                let is_pair = out[out.len() - 2] == repeat(2);
                last = if rest == 1 && is_pair && out[at] < literals(MAX_LEN - 1) {
                    let len = out.len();
                    out[len - 2] = out[len - 1];
                    out[at] += 2;
                    if out[at] == literals(MAX_LEN) { Last::Done } else { Last::Literals(at) }
                } else {
                    Last::Done
                };
            }
            last = match last {
                Last::Literals(at) if count == 1 => {
                    out[at] += 1;
                    out.push(byte);
                    if out[at] == literals(MAX_LEN) { Last::Done } else { last }
                }
                _ if count == 1 => {
                    out.extend_from_slice(&[literals(1), byte]);
                    Last::Literals(out.len() - 2)
                }
                _ => {
                    out.extend_from_slice(&[repeat(count), byte]);
                    match last {
                        Last::Literals(at) | Last::LiteralsAndRun(at) => Last::LiteralsAndRun(at),
                        Last::Done => Last::Done,
                    }
                }
            };
            rest -= count;
        }
    }
}

/// The code of a run of `count` equal bytes: 1 - `count` as a signed byte.
#[expect(clippy::cast_possible_truncation, reason = "counts are at most 128")]
const fn repeat(count: usize) -> u8 {
    (257 - count) as u8
}

/// The code of `count` literal bytes: `count` - 1.
#[expect(clippy::cast_possible_truncation, reason = "counts are at most 128")]
const fn literals(count: usize) -> u8 {
    (count - 1) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(row: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        pack(row, &mut out);
        out
    }

    #[test]
    fn the_example_of_the_specification_is_packed() {
        let row = [
            0xAA, 0xAA, 0xAA, 0x80, 0x00, 0x2A, 0xAA, 0xAA, 0xAA, 0xAA, 0x80, 0x00, 0x2A, 0x22, 0xAA, 0xAA, 0xAA, 0xAA,
            0xAA, 0xAA, 0xAA, 0xAA, 0xAA, 0xAA,
        ];
        let expected = [0xFE, 0xAA, 0x02, 0x80, 0x00, 0x2A, 0xFD, 0xAA, 0x03, 0x80, 0x00, 0x2A, 0x22, 0xF7, 0xAA];
        assert_eq!(packed(&row), expected);
    }

    #[test]
    fn pairs_between_literals_become_literals() {
        assert_eq!(packed(&[1, 2, 2, 3]), [3, 1, 2, 2, 3]);
        assert_eq!(packed(&[1, 2, 2, 2, 3]), [0, 1, 0xFE, 2, 0, 3]);
        assert_eq!(packed(&[1, 2, 2]), [0, 1, 0xFF, 2]);
    }

    #[test]
    fn long_runs_and_literals_are_split() {
        assert_eq!(packed(&[7; 129]), [0x81, 7, 0, 7]);
        let literal: Vec<u8> = (0..130).collect();
        let expected: Vec<u8> = [vec![127], (0..128).collect(), vec![1, 128, 129]].concat();
        assert_eq!(packed(&literal), expected);
    }

    #[test]
    fn rows_are_packed_separately() {
        let mut out = Vec::new();
        let layout = Layout { row_bytes: 2, planes: 1 };
        Encoder.encode(Compression::PackBits, layout, &[5; 4], &mut out).unwrap();
        assert_eq!(out, [0xFF, 5, 0xFF, 5]);
        Encoder.encode(Compression::PackBits, Layout::default(), &[], &mut out).unwrap();
    }
}
