//! The finder of short matches: chains of four equal bytes, and the last place with the same three.
//!
//! Pixels whose bands change alike and small steps in samples of two bytes repeat so: often, but never for long. Then
//! chains of eight bytes find nothing, and the nearest place with the same four is rarely the one that goes on longest.

use super::costs::Costs;
use super::fast::{equal, load4, push};
use super::symbols::{MAX_MATCH, Match, WINDOW, distance_code};

const THREE_BITS: u32 = 14;
const FOUR_BITS: u32 = 15;
const MASK: usize = WINDOW - 1;
/// Inside of matches from this length on few places are entered.
const LONG_MATCH: usize = 64;

/// How hard to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Depth {
    /// Places with the same four bytes that are compared.
    pub(super) places: u32,
    /// A match of this length is taken without comparing more, and without a look at the next place.
    pub(super) nice: usize,
}

/// A match that was found, and what it saves against literals, in parts of a bit.
#[derive(Debug, Clone, Copy, Default)]
struct Found {
    length: usize,
    distance: usize,
    saved: i32,
}

/// Places told by their lowest 16 bits, so what is found may be wrong and is compared.
pub(super) struct Short {
    threes: Box<[u16; 1 << THREE_BITS]>,
    fours: Box<[u16; 1 << FOUR_BITS]>,
    /// The place before with the same four bytes.
    previous: Box<[u16; WINDOW]>,
    /// The first place that is not entered yet.
    entered: usize,
    /// The tables hold places of another stream.
    stale: bool,
    /// What all literals before a place cost, from the start of the piece on.
    sums: Vec<u32>,
}

impl Default for Short {
    fn default() -> Self {
        Self {
            threes: Box::new([0; 1 << THREE_BITS]),
            fours: Box::new([0; 1 << FOUR_BITS]),
            previous: Box::new([0; WINDOW]),
            entered: 0,
            stale: false,
            sums: Vec::new(),
        }
    }
}

/// How far `place` lies before `at`, both told by 16 bits: 1 to 65536.
#[inline(always)]
fn back(at: usize, place: u16) -> usize {
    usize::from((at as u16).wrapping_sub(place).wrapping_sub(1)) + 1
}

impl Short {
    /// Forgets all places.
    pub(super) fn reset(&mut self) {
        self.entered = 0;
        self.stale = true;
    }

    /// How far back the last places with the same three and four bytes lie; `at` becomes the last one.
    #[inline(always)]
    fn swap(&mut self, bytes: u32, at: usize) -> (usize, usize) {
        let three = (bytes << 8).wrapping_mul(0x9E37_79B1) >> (32 - THREE_BITS);
        let four = bytes.wrapping_mul(0x9E37_79B1) >> (32 - FOUR_BITS);
        let place = at as u16;
        let three = std::mem::replace(&mut self.threes[three as usize], place);
        let four = std::mem::replace(&mut self.fours[four as usize], place);
        self.previous[at & MASK] = four;
        (back(at, three), back(at, four))
    }

    /// Finds matches in `input[from..to]`; what lies before `from` may be repeated.
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
        self.sums.clear();
        self.sums.push(0);
        let mut sum = 0;
        self.sums.extend(input[from..to].iter().map(|&byte| {
            sum += costs.literals[byte as usize];
            sum
        }));
        let end = to.saturating_sub(8);
        // After a stretch that another finder took, and after a trial farther on, what lies in the window is entered late.
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

    /// The match at a place that saves most.
    #[inline(always)]
    fn look(&mut self, input: &[u8], (from, at, to): (usize, usize, usize), depth: Depth, costs: &Costs) -> Found {
        let bytes = load4(input, at);
        let (three, mut distance) = self.swap(bytes, at);
        let end = to.min(at + MAX_MATCH);
        let farthest = at.min(WINDOW);
        let sums = &self.sums[at - from..];
        let mut best = Found::default();
        let mut longest = 3;
        let mut left = depth.places;
        while distance <= farthest {
            let other = at - distance;
            if load4(input, other) == bytes && load4(input, other + longest - 3) == load4(input, at + longest - 3) {
                let length = 4 + equal(input, other + 4, at + 4, end);
                if length > longest || longest == 3 {
                    longest = length;
                    let saved = (sums[length] - sums[0]) as i32
                        - (costs.lengths[length] + costs.distances[distance_code(distance)]) as i32;
                    if saved > best.saved {
                        best = Found { length, distance, saved };
                    }
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
            let saved = (sums[3] - sums[0]) as i32 - (costs.lengths[3] + costs.distances[distance_code(three)]) as i32;
            if saved > best.saved {
                best = Found { length: 3, distance: three, saved };
            }
        }
        best
    }
}
