//! The fast match finder: runs of a byte, and matches one row back. It has no table, so noise costs nothing.

use crate::processor::{COMPARES_SIXTEEN, same_of_sixteen};

use super::costs::{BIT, Costs};
use super::symbols::{MAX_MATCH, MIN_MATCH, Match, WINDOW, distance_code};

/// Minimum length of a match one row back.
const SHORTEST_IN_ROW: usize = 16;
/// Bytes scanned at once after a long span without a match.
const LEAP: usize = 32;
/// Surcharge of a literal over its bits: many literals take longer to decode than a match.
const HANDICAP: u32 = BIT / 4;
/// Number of bytes without a match after which the finder scans whole leaps.
const DULL: usize = 128;

/// No input is longer: the end of a load cannot overflow, so one comparison checks the bounds.
const PLACES: usize = usize::MAX >> 1;

/// Returns the bytes at a position, or zeros if not all of them exist.
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

/// Returns how many bytes from `at` to `end` equal those at `from`, which is before `at`.
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

/// Returns a mask of the equal bytes among eight: one bit each, the first lowest.
#[inline(always)]
fn same(one: &[u8; 8], other: &[u8; 8]) -> u32 {
    const LOWER: u64 = 0x7F7F_7F7F_7F7F_7F7F;
    let differs = u64::from_le_bytes(*one) ^ u64::from_le_bytes(*other);
    // Sets the top bit of each nonzero byte, without a carry into the next.
    let differs = (((differs & LOWER) + LOWER) | differs) & !LOWER;
    // Gathers those eight bits.
    let bits = (differs >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56;
    !(bits as u32) & 0xFF
}

/// Returns the next position at or after `at` where four bytes equal the byte before, or with `ROW` where eight bytes
/// equal those one row back. Returns `until` or slightly more if there is none, or a position followed by fewer than 16
/// bytes.
#[inline(always)]
fn scan<const ROW: bool>(input: &[u8], mut at: usize, row: usize, until: usize) -> usize {
    let length = input.len();
    if at + 8 > length {
        return at;
    }
    // Masks of the bytes, eight at a time, that equal the one before and the one in the row above.
    let eight = |at: usize| {
        let here = load(input, at);
        (same(&load(input, at - 1), &here), if ROW { same(&load(input, at - row), &here) } else { 0 })
    };
    let sixteen = |at: usize| {
        let here = load(input, at);
        let above = if ROW { same_of_sixteen(&load(input, at - row), &here) } else { 0 };
        (same_of_sixteen(&load(input, at - 1), &here), above)
    };
    // Reduces the masks to promising positions: those where three more equal bytes follow, or with a row seven more.
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
    // Masks from `at` on: eight known bytes, and those after them, which are compared next.
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

/// Appends matches that cover `length` bytes, as far as whole matches can; returns the number of bytes covered.
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

/// Does the same as [`push`] for `length` bytes at `at` that equal those one row back. Whole matches inside a run of a
/// byte get distance 1: the distance of a long row takes ten more bits, and empty rows are long runs.
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

/// Finds matches in `input[from..to]`; they may refer to bytes before `from`.
///
/// `row` is the distance to the row above, 0 if there is none.
pub(super) fn find(input: &[u8], from: usize, to: usize, row: usize, costs: &Costs, matches: &mut Vec<Match>) {
    let row = if (8..=WINDOW).contains(&row) { row } else { 0 };
    let row_cost = if row > 0 { costs.distances[distance_code(row)] } else { 0 };
    let run_cost = costs.distances[0];
    let mut anchor = from;
    let mut at = from.max(1);
    let input = &input[..to];
    while at + 8 <= to {
        at = match at - anchor {
            // Up to the first position that has a row above.
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
        // Next to a run, a match one row back has to extend past the run; otherwise there is nothing to compare.
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
            // The rest of that row match is even shorter.
            at = scan::<false>(input, at + 1, row, row_end.saturating_sub(7));
        }
    }
}

/// Returns the next promising position at or after `at`. Runs are checked at every fourth position, and with `ROW` the
/// row above at every eighth, which finds every match there that is long enough. Stops short of the end.
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

/// Returns whether a match is cheaper than its bytes as literals.
fn pays(bytes: &[u8], distance: u32, costs: &Costs) -> bool {
    let match_cost = costs.lengths[bytes.len().clamp(MIN_MATCH, MAX_MATCH)] + distance;
    let mut literals = 0;
    bytes.iter().any(|&byte| {
        literals += costs.literals[byte as usize] + HANDICAP;
        literals > match_cost
    })
}
