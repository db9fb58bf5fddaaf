//! The fast finder: runs of a byte, and what stands one row back. No table, so noise costs nothing.

use super::costs::{BIT, Costs};
use super::symbols::{MAX_MATCH, MIN_MATCH, Match, WINDOW, distance_code};

/// A match one row back is worth a look from so many bytes on.
const SHORTEST_IN_ROW: usize = 16;
/// Bytes that are looked over at once where nothing was found for long.
const LEAP: usize = 32;
/// A literal counts for a little more than its bits: many of them take longer to decode than a match does.
const HANDICAP: u32 = BIT / 4;
/// After so many misses the step grows, and after three times as many whole leaps are made.
const MISSES_A_STEP: usize = 24;

#[inline(always)]
pub(super) fn load4(input: &[u8], at: usize) -> u32 {
    input.get(at..).and_then(|rest| rest.first_chunk::<4>()).map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

#[inline(always)]
pub(super) fn load8(input: &[u8], at: usize) -> u64 {
    input.get(at..).and_then(|rest| rest.first_chunk::<8>()).map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

/// How many bytes from `at` to `end` equal those at `from`, which lies before.
#[inline(always)]
pub(super) fn equal(input: &[u8], from: usize, at: usize, end: usize) -> usize {
    let mut length = 0;
    while at + length + 8 <= end {
        let differs = load8(input, at + length) ^ load8(input, from + length);
        if differs != 0 {
            return length + (differs.trailing_zeros() / 8) as usize;
        }
        length += 8;
    }
    while at + length < end && input[at + length] == input[from + length] {
        length += 1;
    }
    length
}

/// Appends matches that cover `length` bytes, as far as whole matches do; returns how many bytes they cover.
pub(super) fn push(matches: &mut Vec<Match>, mut literals: usize, length: usize, distance: usize) -> usize {
    let mut left = length;
    while left >= MIN_MATCH {
        let piece = left.min(MAX_MATCH);
        matches.push(Match { literals: literals as u32, length: piece as u16, distance: distance as u16 });
        literals = 0;
        left -= piece;
    }
    length - left
}

/// As [`push`], for `length` bytes at `at` that stand one row back too. Whole matches within a run of a byte get the
/// distance 1: a row back takes ten bits more where rows are long, and empty rows are long runs.
pub(super) fn push_row(
    matches: &mut Vec<Match>,
    mut literals: usize,
    (input, mut at): (&[u8], usize),
    length: usize,
    row: usize,
) -> usize {
    let end = at + length;
    while end - at >= MIN_MATCH {
        let piece = (end - at).min(MAX_MATCH);
        let is_run = at > 0 && equal(input, at - 1, at, at + piece) == piece;
        let distance = if is_run { 1 } else { row };
        matches.push(Match { literals: literals as u32, length: piece as u16, distance: distance as u16 });
        literals = 0;
        at += piece;
    }
    length - (end - at)
}

/// Finds matches in `input[from..to]`; what lies before `from` may be repeated.
///
/// `row` is how far back a row is, 0 for none.
pub(super) fn find(input: &[u8], from: usize, to: usize, row: usize, costs: &Costs, matches: &mut Vec<Match>) {
    let row = if (8..=WINDOW).contains(&row) { row } else { 0 };
    let row_cost = if row > 0 { costs.distances[distance_code(row)] } else { 0 };
    let run_cost = costs.distances[0];
    let mut anchor = from;
    let mut at = from.max(1);
    let mut misses = 0;
    let input = &input[..to];
    while at + 8 <= to {
        if misses >= 3 * MISSES_A_STEP {
            at = if row > 0 && at < row {
                // Up to the first place that has a row before it.
                leap::<false>(&input[..to.min(row + LEAP)], at, row)
            } else if row > 0 {
                leap::<true>(input, at, row)
            } else {
                leap::<false>(input, at, row)
            };
            if at + 8 > to {
                break;
            }
        }
        let here = load8(input, at);
        let in_row = row > 0 && at >= row && here == load8(input, at - row);
        let in_run = here as u32 == load4(input, at - 1);
        if !in_row && !in_run {
            misses += 1;
            at += 1 + (misses / MISSES_A_STEP).min(3);
            continue;
        }
        let mut begin = at;
        let mut run_end = at;
        if in_run {
            let byte = input[at];
            run_end = at + equal(input, at - 1, at, to);
            while begin > anchor && begin >= 2 && input[begin - 2] == byte {
                begin -= 1;
            }
        }
        // Beside a run a match one row back has to go on behind it: where it does not, there is nothing to compare.
        if in_row && (!in_run || load4(input, run_end) == load4(input, run_end - row)) {
            let end = at + equal(input, at - row, at, to);
            let mut row_begin = at;
            while row_begin > anchor && row_begin > row && input[row_begin - 1] == input[row_begin - 1 - row] {
                row_begin -= 1;
            }
            if end - row_begin >= SHORTEST_IN_ROW && end > run_end + 4 && pays(&input[row_begin..end], row_cost, costs)
            {
                anchor = row_begin + push_row(matches, row_begin - anchor, (input, row_begin), end - row_begin, row);
                at = anchor.max(at + 1);
                misses = 0;
                continue;
            }
        }
        if in_run {
            let length = run_end - begin;
            let literal = (costs.literals[input[at] as usize] + HANDICAP) as usize;
            if length > 64 || length * literal > (costs.lengths[length.max(3)] + run_cost) as usize {
                anchor = begin + push(matches, begin - anchor, length, 1);
                misses = 0;
            }
            at = run_end.max(at + 1);
            continue;
        }
        misses += 1;
        at += 1;
    }
}

/// The next place at or behind `at` that is worth a look: a run is looked for at every fourth place, and with `ROW` what
/// stands one row back at every eighth, which finds every match there that is long enough. Stops short of the end.
#[inline(always)]
fn leap<const ROW: bool>(input: &[u8], mut at: usize, row: usize) -> usize {
    let last = input.len().saturating_sub(LEAP);
    while at <= last {
        let (before, here) = (&input[at - 1..][..LEAP], &input[at..][..LEAP]);
        let runs = before.as_chunks::<4>().0.iter().zip(here.as_chunks::<4>().0);
        let mut any = runs.fold(false, |any, (before, here)| any | (before == here));
        if ROW {
            let above = input[at - row..][..LEAP].as_chunks::<8>().0.iter();
            any |= above.zip(here.as_chunks::<8>().0).fold(false, |any, (above, here)| any | (above == here));
        }
        if any {
            let found = (0..LEAP).step_by(4).find(|&offset| {
                let place = at + offset;
                load4(input, place) == load4(input, place - 1)
                    || ROW && offset % 8 == 0 && load8(input, place) == load8(input, place - row)
            });
            return at + found.unwrap_or(0);
        }
        at += LEAP;
    }
    at
}

/// Whether a match is cheaper than its bytes as literals.
fn pays(bytes: &[u8], distance: u32, costs: &Costs) -> bool {
    let match_cost = costs.lengths[bytes.len().clamp(MIN_MATCH, MAX_MATCH)] + distance;
    let mut literals = 0;
    bytes.iter().any(|&byte| {
        literals += costs.literals[byte as usize] + HANDICAP;
        literals > match_cost
    })
}
