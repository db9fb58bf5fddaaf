//! The finder of short matches: three to seven bytes that stood somewhere before.
//!
//! Pixels whose bands change alike and small steps in samples of two bytes repeat so: often, but never for long. Then
//! the chains of eight bytes find nothing, and what counts is how little is done for a byte.

use super::costs::Costs;
use super::fast::{equal, load8, push};
use super::symbols::{MAX_MATCH, Match, WINDOW, distance_code};

const THREE_BITS: u32 = 14;
const FOUR_BITS: u32 = 14;

/// Places told by their lowest 16 bits, so what is found may be wrong and is compared.
pub(super) struct Short {
    threes: Box<[u16; 1 << THREE_BITS]>,
    fours: Box<[u16; 1 << FOUR_BITS]>,
    /// The tables hold places of another stream.
    stale: bool,
}

impl Default for Short {
    fn default() -> Self {
        Self { threes: Box::new([0; 1 << THREE_BITS]), fours: Box::new([0; 1 << FOUR_BITS]), stale: false }
    }
}

impl Short {
    /// Forgets all places.
    pub(super) fn reset(&mut self) {
        self.stale = true;
    }

    /// How far back the last places with the same three and four bytes lie; `at` becomes the last one.
    #[inline(always)]
    fn swap(&mut self, bytes: u64, at: usize) -> (usize, usize) {
        let three = ((bytes as u32) << 8).wrapping_mul(0x9E37_79B1) >> (32 - THREE_BITS);
        let four = (bytes as u32).wrapping_mul(0x9E37_79B1) >> (32 - FOUR_BITS);
        let place = at as u16;
        let three = std::mem::replace(&mut self.threes[three as usize], place);
        let four = std::mem::replace(&mut self.fours[four as usize], place);
        let back = |before: u16| usize::from(place.wrapping_sub(before).wrapping_sub(1)) + 1;
        (back(three), back(four))
    }

    /// Finds matches in `input[from..to]`; what lies before `from` may be repeated.
    pub(super) fn find(
        &mut self,
        input: &[u8],
        (from, to): (usize, usize),
        lazy: bool,
        costs: &Costs,
        matches: &mut Vec<Match>,
    ) {
        if std::mem::take(&mut self.stale) {
            self.threes.fill(0);
            self.fours.fill(0);
        }
        let search_end = to.min(input.len().saturating_sub(8)).saturating_sub(8);
        let (mut anchor, mut at) = (from, from);
        while at < search_end {
            let bytes = load8(input, at);
            let (mut length, mut distance, mut saved) = self.look(input, at, bytes, costs);
            if saved <= 0 {
                at += 1;
                continue;
            }
            while lazy && length < 8 && at + 1 < search_end {
                let (next, far, more) = self.look(input, at + 1, load8(input, at + 1), costs);
                if more <= saved {
                    break;
                }
                (length, distance, saved) = (next, far, more);
                at += 1;
            }
            if length == 8 {
                length += equal(input, at + 8 - distance, at + 8, to.min(at + MAX_MATCH));
            }
            let entered = at + 1;
            anchor = at + push(matches, at - anchor, length, distance);
            at = anchor;
            for place in entered..at.min(search_end) {
                self.swap(load8(input, place), place);
            }
        }
    }

    /// Length (at most 8), distance and what the match at `at` saves in parts of a bit.
    #[inline(always)]
    fn look(&mut self, input: &[u8], at: usize, bytes: u64, costs: &Costs) -> (usize, usize, i32) {
        let (three, four) = self.swap(bytes, at);
        let valid = four <= WINDOW && four <= at;
        let same = ((bytes ^ load8(input, if valid { at - four } else { at })).trailing_zeros() / 8) as usize;
        let (length, distance) = if valid && same >= 4 {
            (same, four)
        } else {
            let valid = three <= WINDOW && three <= at;
            let same = ((bytes ^ load8(input, if valid { at - three } else { at })).trailing_zeros() / 8) as usize;
            if !valid || same < 3 {
                return (0, 0, 0);
            }
            (3, three)
        };
        let literals: u32 = bytes.to_le_bytes()[..length].iter().map(|&byte| costs.literals[byte as usize]).sum();
        let cost = costs.lengths[length] + costs.distances[distance_code(distance) % 32];
        (length, distance, literals as i32 - cost as i32)
    }
}
