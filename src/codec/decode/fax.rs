//! CCITT fax codes of black-and-white images (TIFF 6.0 sections 10 and 11).

use std::convert::Infallible;

use fax::decoder::{DecodeStatus, Group3Decoder, Group4Decoder};

use super::{DecodeError, DecodeResult};

/// The kinds of fax codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Options {
    /// Compression 2: modified Huffman without line ends.
    Modified,
    /// Compression 3: lines that end with a code.
    Group3 {
        /// Bit 0 of tag 292: lines may tell only the difference to the line before.
        two_dimensional: bool,
    },
    /// Compression 4: every line tells the difference to the line before.
    Group4,
}

/// Fills `out`, rows of one bit a pixel (0 = white), each padded to whole bytes.
pub(crate) fn decode(
    options: Options,
    input: &[u8],
    width: usize,
    rows: usize,
    mut out: Vec<u8>,
) -> DecodeResult<Vec<u8>> {
    let row_bytes = width.div_ceil(8).max(1);
    let bytes = input.iter().map(|byte| Ok::<u8, Infallible>(*byte));
    let damaged = |row: usize| DecodeError::Damaged(format!("fax codes end or fail at row {row} of {rows}"));
    let lines = out.chunks_exact_mut(row_bytes).enumerate();
    match options {
        Options::Group4 => {
            let width = u32::try_from(width).map_err(|_| damaged(0))?;
            let mut decoder = Group4Decoder::new(bytes, width).map_err(|_| damaged(0))?;
            for (row, line) in lines {
                match decoder.advance() {
                    Ok(DecodeStatus::Incomplete) => draw(decoder.transition(), width as usize, line),
                    Ok(DecodeStatus::End) | Err(_) => return Err(damaged(row)),
                }
            }
        }
        Options::Group3 { two_dimensional: false } => {
            let mut decoder = Group3Decoder::new(bytes).map_err(|_| damaged(0))?;
            let mut ended = false;
            for (row, line) in lines {
                if ended {
                    return Err(damaged(row));
                }
                ended = match decoder.advance() {
                    Ok(status) => status == DecodeStatus::End,
                    // The last line need not be followed by the code of a line end.
                    Err(_) if row + 1 == rows => true,
                    Err(_) => return Err(damaged(row)),
                };
                let transitions = decoder.transitions();
                if transitions.last().is_none_or(|last| *last as usize != width) {
                    return Err(damaged(row));
                }
                draw(transitions, width, line);
            }
        }
        Options::Group3 { two_dimensional: true } => {
            return Err(DecodeError::Unsupported(
                "compression 3 (CCITT Group 3) with two-dimensional codes".to_owned(),
            ));
        }
        Options::Modified => {
            return Err(DecodeError::Unsupported("compression 2 (CCITT modified Huffman)".to_owned()));
        }
    }
    Ok(out)
}

/// Sets the bits of the black runs; `transitions` are the columns where the colour changes, starting from white.
fn draw(transitions: &[u32], width: usize, line: &mut [u8]) {
    for run in transitions.chunks(2) {
        let start = run.first().map_or(width, |start| *start as usize).min(width);
        let end = run.get(1).map_or(width, |end| *end as usize).min(width);
        for column in start..end {
            if let Some(byte) = line.get_mut(column / 8) {
                *byte |= 0x80 >> (column % 8);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_drawn_from_the_highest_bit_on() {
        let mut line = [0; 2];
        draw(&[1, 3, 8], 10, &mut line);
        assert_eq!(line, [0b0110_0000, 0b1100_0000]);
        assert!(decode(Options::Group4, &[], 10, 2, vec![0; 4]).is_err());
    }
}
