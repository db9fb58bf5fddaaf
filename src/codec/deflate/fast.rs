//! The fast finder: runs of a byte, and what stands one row back. No table, so noise costs nothing.

use crate::processor::{COMPARES_SIXTEEN, same_of_sixteen};

use super::costs::{BIT, Costs};
use super::symbols::{MAX_MATCH, MIN_MATCH, Match, WINDOW, distance_code};

/// A match one row back is worth a look from so many bytes on.
const SHORTEST_IN_ROW: usize = 16;
/// Bytes that are looked over at once where nothing was found for long.
const LEAP: usize = 32;
/// A literal counts for a little more than its bits: many of them take longer to decode than a match does.
const HANDICAP: u32 = BIT / 4;
/// Behind so many bytes without a match whole leaps are made.
const DULL: usize = 128;

/// No input is longer: the end of what is loaded can't overflow, and one comparison tells whether it is there.
const PLACES: usize = usize::MAX >> 1;

/// The bytes at a place, zeros where not all of them are there.
#[inline(always)]
fn load<const COUNT: usize>(input: &[u8], at: usize) -> [u8; COUNT] {
    let at = at & PLACES;
    input.get(at..at + COUNT).and_then(|bytes| bytes.first_chunk()).copied().unwrap_or([0; COUNT])
}

#[inline(always)]
pub(super) fn load4(input: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(load(input, at))
}

#[inline(always)]
pub(super) fn load8(input: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(load(input, at))
}

/// How many bytes from `at` to `end` equal those at `from`, which lies before.
#[inline(always)]
pub(super) fn equal(input: &[u8], from: usize, at: usize, end: usize) -> usize {
    let here = &input[at..end];
    let there = &input[from..][..here.len()];
    let ((here, here_rest), (there, there_rest)) = (here.as_chunks::<8>(), there.as_chunks::<8>());
    let mut length = 0;
    for (here, there) in here.iter().zip(there) {
        let differs = u64::from_le_bytes(*here) ^ u64::from_le_bytes(*there);
        if differs != 0 {
            return length + (differs.trailing_zeros() / 8) as usize;
        }
        length += 8;
    }
    length + here_rest.iter().zip(there_rest).take_while(|(here, there)| here == there).count()
}

/// Which of eight bytes are equal: a bit each, the first lowest.
#[inline(always)]
fn same(one: &[u8; 8], other: &[u8; 8]) -> u32 {
    const LOWER: u64 = 0x7F7F_7F7F_7F7F_7F7F;
    let differs = u64::from_le_bytes(*one) ^ u64::from_le_bytes(*other);
    // The top bit of each byte that has any bit, without a carry into the next.
    let differs = (((differs & LOWER) + LOWER) | differs) & !LOWER;
    // Those eight bits side by side.
    let bits = (differs >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56;
    !(bits as u32) & 0xFF
}

/// The next place at or behind `at` where four bytes equal the one before, or with `ROW` eight bytes stand one row back
/// too; `until` or a few bytes more if there is none, or where fewer than 16 bytes follow.
#[inline(always)]
fn scan<const ROW: bool>(input: &[u8], mut at: usize, row: usize, until: usize) -> usize {
    let length = input.len();
    if at + 8 > length {
        return at;
    }
    // A bit for each of eight bytes that equals the one before, and the one above.
    let eight = |at: usize| {
        let here = load(input, at);
        (same(&load(input, at - 1), &here), if ROW { same(&load(input, at - row), &here) } else { 0 })
    };
    let sixteen = |at: usize| {
        let here = load(input, at);
        let above = if ROW { same_of_sixteen(&load(input, at - row), &here) } else { 0 };
        (same_of_sixteen(&load(input, at - 1), &here), above)
    };
    // The same of a place worth a look: that three more, or with a row seven more, follow.
    let worth = |runs: u32, rows: u32| {
        let two = runs & runs >> 1;
        let mut found = two & two >> 2;
        if ROW {
            let two = rows & rows >> 1;
            let four = two & two >> 2;
            found |= four & four >> 4;
        }
        found
    };
    // Of the bytes from `at` on, as far as known: eight, and those behind them that are looked at next.
    let (mut runs, mut rows) = eight(at);
    while COMPARES_SIXTEEN && at + 8 < until && at + 24 <= length {
        let next = sixteen(at + 8);
        (runs, rows) = (runs | next.0 << 8, rows | next.1 << 8);
        let found = worth(runs, rows);
        if found & 0xFFFF != 0 {
            return at + found.trailing_zeros() as usize;
        }
        (runs, rows) = (runs >> 16, rows >> 16);
        at += 16;
    }
    while at < until && at + 16 <= length {
        let next = eight(at + 8);
        (runs, rows) = (runs | next.0 << 8, rows | next.1 << 8);
        let found = worth(runs, rows);
        if found & 0xFF != 0 {
            return at + found.trailing_zeros() as usize;
        }
        (runs, rows) = (runs >> 8, rows >> 8);
        at += 8;
    }
    at
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
    let input = &input[..to];
    while at + 8 <= to {
        at = match at - anchor {
            // Up to the first place that has a row before it.
            DULL.. if row > 0 && at < row => leap::<false>(&input[..to.min(row + LEAP)], at, row),
            DULL.. if row > 0 => leap::<true>(input, at, row),
            DULL.. => leap::<false>(input, at, row),
            _ if row > 0 && at < row => scan::<false>(input, at, row, row.min(anchor + DULL)),
            _ if row > 0 => scan::<true>(input, at, row, anchor + DULL),
            _ => scan::<false>(input, at, row, anchor + DULL),
        };
        if at + 8 > to {
            break;
        }
        let here = load8(input, at);
        let in_row = row > 0 && at >= row && here == load8(input, at - row);
        let in_run = here as u32 == load4(input, at - 1);
        if !in_row && !in_run {
            at += 1;
            continue;
        }
        let mut begin = at;
        let mut run_end = at;
        let mut row_end = at;
        if in_run {
            let byte = input[at];
            run_end = at + equal(input, at - 1, at, to);
            while begin > anchor && begin >= 2 && input[begin - 2] == byte {
                begin -= 1;
            }
        }
        // Beside a run a match one row back has to go on behind it: where it does not, there is nothing to compare.
        if in_row && (!in_run || load4(input, run_end) == load4(input, run_end - row)) {
            row_end = at + equal(input, at - row, at, to);
            let mut row_begin = at;
            while row_begin > anchor && row_begin > row && input[row_begin - 1] == input[row_begin - 1 - row] {
                row_begin -= 1;
            }
            let length = row_end - row_begin;
            if length >= SHORTEST_IN_ROW && row_end > run_end + 4 && pays(&input[row_begin..row_end], row_cost, costs) {
                anchor = row_begin + push_row(matches, row_begin - anchor, (input, row_begin), length, row);
                at = anchor.max(at + 1);
                continue;
            }
        }
        if in_run {
            let length = run_end - begin;
            let literal = (costs.literals[input[at] as usize] + HANDICAP) as usize;
            if length > 64 || length * literal > (costs.lengths[length.max(3)] + run_cost) as usize {
                anchor = begin + push(matches, begin - anchor, length, 1);
            }
            at = run_end.max(at + 1);
        } else {
            // What is left of that row match is shorter still.
            at = scan::<false>(input, at + 1, row, row_end.saturating_sub(7));
        }
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
