//! Match finder for short matches: hash chains of four bytes, and the last position with the same three.
//!
//! Pixels whose bands change alike, and small steps in two-byte samples, repeat often, but never for long. Chains of
//! eight bytes then find nothing, and the nearest position with the same four bytes rarely has the longest match.

use super::costs::Costs;
use super::fast::{equal, load4, push};
use super::places::{Found, MASK, Sums, back, hash3, hash4};
use super::symbols::{MAX_MATCH, Match, WINDOW};

const THREE_BITS: u32 = 14;
const FOUR_BITS: u32 = 15;
/// Inside matches of at least this length, only some positions are inserted.
const LONG_MATCH: usize = 64;

/// Search effort.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Depth {
    /// Maximum number of positions with the same four bytes to compare.
    pub(super) places: u32,
    /// A match of this length is accepted without further comparisons and without checking the next position.
    pub(super) nice: usize,
}

/// Positions are stored by their lowest 16 bits, so an entry may be wrong and is always compared.
pub(super) struct Short {
    threes: Box<[u16; 1 << THREE_BITS]>,
    fours: Box<[u16; 1 << FOUR_BITS]>,
    /// The previous position with the same four bytes.
    previous: Box<[u16; WINDOW]>,
    /// The first position that is not inserted yet.
    entered: usize,
    /// True if the tables still hold positions of another stream.
    stale: bool,
    sums: Sums,
}

impl Default for Short {
    fn default() -> Self {
        Self {
            threes: Box::new([0; 1 << THREE_BITS]),
            fours: Box::new([0; 1 << FOUR_BITS]),
            previous: Box::new([0; WINDOW]),
            entered: 0,
            stale: false,
            sums: Sums::default(),
        }
    }
}

impl Short {
    /// Forgets all positions.
    pub(super) fn reset(&mut self) {
        self.entered = 0;
        self.stale = true;
    }

    /// Returns the distances to the last positions with the same three and four bytes; `at` becomes the last one.
    #[inline(always)]
    fn swap(&mut self, bytes: u32, at: usize) -> (usize, usize) {
        let place = at as u16;
        let three = std::mem::replace(&mut self.threes[hash3::<THREE_BITS>(bytes)], place);
        let four = std::mem::replace(&mut self.fours[hash4::<FOUR_BITS>(bytes)], place);
        self.previous[at & MASK] = four;
        (back(at, three), back(at, four))
    }

    /// Finds matches in `input[from..to]`; they may refer to bytes before `from`.
    pub(super) fn find(
        &mut self,
        input: &[u8],
        (from, to): (usize, usize),
        depth: Depth,
        costs: &Costs,
        matches: &mut Vec<Match>,
    ) {
        if std::mem::take(&mut self.stale) {
            self.threes.fill(0);
            self.fours.fill(0);
            self.previous.fill(0);
        }
        self.sums.set(&input[from..to], costs);
        let end = to.saturating_sub(8);
        // After a segment of another finder, or a trial further on, the window is inserted late.
        let known = if self.entered <= from { self.entered } else { 0 };
        for place in known.max(from.saturating_sub(WINDOW))..from.min(end) {
            self.swap(load4(input, place), place);
        }
        let (mut anchor, mut at) = (from, from);
        while at < end {
            let mut found = self.look(input, (from, at, to), depth, costs);
            if found.saved <= 0 {
                at += 1;
                continue;
            }
            let mut entered = at + 1;
            while found.length < depth.nice && at + 1 < end {
                let next =
                    self.look(input, (from, at + 1, to), Depth { places: depth.places.div_ceil(2), ..depth }, costs);
                entered = at + 2;
                if next.saved <= found.saved {
                    break;
                }
                found = next;
                at += 1;
            }
            let step = if found.length < LONG_MATCH { 1 } else { 8 };
            anchor = at + push(matches, at - anchor, found.length, found.distance);
            at = anchor;
            for place in (entered..at.min(end)).step_by(step) {
                self.swap(load4(input, place), place);
            }
        }
        self.entered = at.max(end).max(from);
    }

    /// Returns the match at a position that saves most.
    #[inline(always)]
    fn look(&mut self, input: &[u8], (from, at, to): (usize, usize, usize), depth: Depth, costs: &Costs) -> Found {
        let bytes = load4(input, at);
        let (three, mut distance) = self.swap(bytes, at);
        let end = to.min(at + MAX_MATCH);
        let farthest = at.min(WINDOW);
        let sums = self.sums.from(at - from);
        let mut best = Found::default();
        let mut longest = 3;
        let mut left = depth.places;
        while distance <= farthest {
            let other = at - distance;
            if load4(input, other) == bytes && load4(input, other + longest - 3) == load4(input, at + longest - 3) {
                let length = 4 + equal(input, other + 4, at + 4, end);
                if length > longest || longest == 3 {
                    longest = length;
                    best.weigh(length, distance, sums, costs);
                    if length >= depth.nice {
                        break;
                    }
                }
            }
            left -= 1;
            let next = back(at, self.previous[other & MASK]);
            if left == 0 || next <= distance {
                break;
            }
            distance = next;
        }
        if longest == 3 && three <= farthest && (load4(input, at - three) ^ bytes) << 8 == 0 {
            best.weigh(3, three, sums, costs);
        }
        best
    }
}
