//! CCITT fax codes of bilevel images (TIFF 6.0 sections 10 and 11; ITU-T T.4 and T.6).

use std::convert::Infallible;

use fax::decoder::{DecodeStatus, Group4Decoder};
use fax::maps::{Mode, black, mode, white};
use fax::{BitReader, ByteReader};

use super::{DecodeError, DecodeResult};

/// The kinds of fax codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Options {
    /// Compression 2: run lengths; every row starts at a byte boundary.
    Modified,
    /// Compression 3: every row ends with a code.
    Group3 {
        /// Bit 0 of tag 292: rows may encode only the difference from the row before.
        two_dimensional: bool,
    },
    /// Compression 4: every row encodes the difference from the row before.
    Group4,
}

/// Fills `out` with rows of one bit per pixel (0 = white), each padded to whole bytes.
pub(crate) fn decode(options: Options, input: &[u8], width: usize, rows: usize, out: &mut [u8]) -> DecodeResult<()> {
    let columns = u32::try_from(width).map_err(|_| "fax image is too wide")?;
    let row_bytes = width.div_ceil(8).max(1);
    // Zeros at the end, because a lookup reads more bits than the last code may have.
    let bytes = input.iter().chain(&[0; 4]).map(|byte| Ok::<u8, Infallible>(*byte));
    let damaged = |row: usize| DecodeError::Damaged(format!("fax codes end or are invalid in row {row} of {rows}"));
    let lines = out.chunks_exact_mut(row_bytes).enumerate();
    if options == Options::Group4 {
        let mut decoder = Group4Decoder::new(bytes, columns).map_err(|_| damaged(0))?;
        for (row, line) in lines {
            match decoder.advance() {
                Ok(DecodeStatus::Incomplete) => draw(decoder.transition(), width, line),
                Ok(DecodeStatus::End) | Err(_) => return Err(damaged(row)),
            }
        }
        return Ok(());
    }
    let mut reader = ByteReader::new(bytes).map_err(|_| damaged(0))?;
    let mut before = Vec::new();
    for (row, line) in lines {
        let two_dimensional = match options {
            Options::Group3 { two_dimensional } => {
                let ended = skip_row_end(&mut reader);
                // The bit after the end-of-row code says how the row is coded.
                two_dimensional && ended && take_bit(&mut reader) == Some(0)
            }
            _ => {
                let padding = reader.bits_to_byte_boundary();
                reader.consume(padding).map_err(|_| damaged(row))?;
                false
            }
        };
        let changes =
            if two_dimensional { differing_row(&mut reader, &before, columns) } else { runs(&mut reader, columns) };
        let changes = changes.ok_or_else(|| damaged(row))?;
        draw(&changes, width, line);
        before = changes;
    }
    Ok(())
}

/// Skips the end-of-row code (at least eleven zeros, then a one) if it comes next, and returns whether it did.
fn skip_row_end(reader: &mut impl BitReader) -> bool {
    // No run-length code starts with more than seven zeros (ITU-T T.4 tables 2 and 3).
    if reader.peek(9) != Some(0) {
        return false;
    }
    while let Some(bit) = take_bit(reader) {
        if bit == 1 {
            return true;
        }
    }
    false
}

fn take_bit(reader: &mut impl BitReader) -> Option<u16> {
    let bit = reader.peek(1)?;
    reader.consume(1).ok()?;
    Some(bit)
}

/// Reads the length of a run: any number of make-up codes of 64 or more, then a terminating code.
fn run(reader: &mut impl BitReader, is_black: bool) -> Option<u32> {
    let mut length = 0u32;
    loop {
        let part = if is_black { black::decode(reader) } else { white::decode(reader) }?;
        length = length.checked_add(part.into())?;
        if part < 64 {
            return Some(length);
        }
    }
}

/// Returns the columns where the color changes in a row of runs that starts with white.
fn runs(reader: &mut impl BitReader, width: u32) -> Option<Vec<u32>> {
    let (mut changes, mut column, mut is_black) = (Vec::new(), 0u32, false);
    while column < width {
        column = column.checked_add(run(reader, is_black)?).filter(|column| *column <= width)?;
        changes.push(column);
        is_black = !is_black;
    }
    Some(changes)
}

/// Returns the columns where the color changes in a row coded as a difference from the row before (ITU-T T.4 section
/// 4.2).
fn differing_row(reader: &mut impl BitReader, before: &[u32], width: u32) -> Option<Vec<u32>> {
    let (mut changes, mut column, mut is_black, mut started) = (Vec::new(), 0u32, false, false);
    while column < width {
        // The first change of the row before that is to the right and to the opposite color, and the one after it.
        let opposite = before.iter().enumerate().skip(usize::from(is_black)).step_by(2);
        let first = opposite
            .map(|(index, change)| (index, *change))
            .find(|(_, change)| *change > column || (!started && *change == 0));
        let at = first.map_or(width, |(_, change)| change.min(width));
        match mode::decode(reader)? {
            Mode::Pass => {
                column =
                    first.and_then(|(index, _)| before.get(index + 1)).map_or(width, |change| (*change).min(width));
            }
            Mode::Vertical(shift) => {
                let change = at.checked_add_signed(shift.into()).filter(|change| (column..=width).contains(change))?;
                changes.push(change);
                (column, is_black) = (change, !is_black);
            }
            Mode::Horizontal => {
                for color in [is_black, !is_black] {
                    column = column.checked_add(run(reader, color)?).filter(|column| *column <= width)?;
                    changes.push(column);
                }
            }
            Mode::Extension | Mode::EOF => return None,
        }
        started = true;
    }
    Some(changes)
}

/// Sets the bits of the black runs; `changes` are the columns where the color changes, starting from white.
fn draw(changes: &[u32], width: usize, line: &mut [u8]) {
    for run in changes.chunks(2) {
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
        assert!(decode(Options::Group4, &[], 10, 2, &mut [0; 4]).is_err());
    }

    #[test]
    fn rows_of_run_lengths_start_at_bytes() {
        // White 2 (0111), black 3 (10), white 3 (1000); then white 8 (10011).
        let input = [0b0111_1010, 0b0000_0000, 0b1001_1000];
        let mut out = [0; 2];
        decode(Options::Modified, &input, 8, 2, &mut out).unwrap();
        assert_eq!(out, [0b0011_1000, 0]);
        assert!(decode(Options::Modified, &input[..1], 8, 2, &mut [0; 2]).is_err());
    }
}
