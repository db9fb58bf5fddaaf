//! The thorough match finder: hash tables of previous positions, and a parse that compares the savings of matches.
//!
//! Three tables map the next three, four, and eight bytes to their last position; positions with equal eight bytes are
//! chained. In rasters, most repeats are long, and chains of four bytes would be full of short matches.

use super::costs::Costs;
use super::fast::{equal, load4, load8, push, push_row};
use super::places::{Found, MASK, Sums, back, hash3, hash4};
use super::symbols::{MAX_MATCH, MIN_MATCH, Match, WINDOW};

const THREE_BITS: u32 = 15;
const FOUR_BITS: u32 = 15;
const EIGHT_BITS: u32 = 15;
/// Runs of at least this length are accepted without a search, and only their ends are inserted.
const LONG_RUN: usize = 16;

/// Inside matches of at least this length, only some positions are inserted.
const LONG_MATCH: usize = 32;

/// Search effort.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Effort {
    /// Maximum number of positions with eight equal bytes to compare.
    pub(super) depth: u32,
    /// A match of this length is accepted without further comparisons.
    pub(super) nice: usize,
    /// A match shorter than this is accepted only if the next position has no better one; 0 accepts any.
    pub(super) lazy: usize,
    /// The shortest match to search for: 3, 4, or 8.
    pub(super) least: usize,
    /// After `1 << skip` literals in a row, one more position is skipped.
    pub(super) skip: u32,
    /// Inside long matches, one in this many positions is inserted.
    pub(super) sparse: usize,
}

/// Hash tables of previous positions, stored by their lowest 16 bits, so an entry may be wrong and is always compared.
pub(super) struct Chains {
    threes: Box<[u16; 1 << THREE_BITS]>,
    fours: Box<[u16; 1 << FOUR_BITS]>,
    eights: Box<[u16; 1 << EIGHT_BITS]>,
    /// The previous position with the same eight bytes.
    previous: Box<[u16; WINDOW]>,
    /// The first position that is not inserted yet.
    entered: usize,
    /// True if the tables still hold positions of another stream.
    stale: bool,
    /// Average savings of matches per byte so far.
    rate: i32,
    sums: Sums,
}

impl Default for Chains {
    fn default() -> Self {
        Self {
            threes: boxed(),
            fours: boxed(),
            eights: boxed(),
            previous: boxed(),
            entered: 0,
            stale: true,
            rate: 0,
            sums: Sums::default(),
        }
    }
}

fn boxed<const N: usize>() -> Box<[u16; N]> {
    let slice = vec![0u16; N].into_boxed_slice();
    slice.try_into().unwrap_or_else(|_| Box::new([0; N]))
}

#[inline(always)]
fn hash8(bytes: u64) -> usize {
    (bytes.wrapping_mul(0x9E37_79B1_85EB_CA87) >> (64 - EIGHT_BITS)) as usize
}

/// Distances to the previous positions with the same bytes, according to the tables.
struct Candidates {
    bytes: u64,
    three: usize,
    four: usize,
    eight: usize,
}

/// The input of a search, apart from the position.
struct Piece<'a> {
    input: &'a [u8],
    from: usize,
    to: usize,
    row: usize,
    /// True if rows consist of planes.
    planes: bool,
    costs: &'a Costs,
}

impl Chains {
    /// Forgets all positions.
    pub(super) fn reset(&mut self) {
        self.entered = 0;
        self.rate = 0;
        self.stale = true;
    }

    /// Clears the tables if they hold another stream's positions, and not before they are needed.
    fn clear(&mut self) {
        if !std::mem::take(&mut self.stale) {
            return;
        }
        self.threes.fill(0);
        self.fours.fill(0);
        self.eights.fill(0);
        self.previous.fill(0);
    }

    /// Inserts a position and returns the previous table entries; without `SHORT`, only that of eight bytes.
    #[inline(always)]
    fn swap<const SHORT: bool>(&mut self, input: &[u8], at: usize) -> Candidates {
        let bytes = load8(input, at);
        let place = at as u16;
        let (mut three, mut four) = (place, place);
        if SHORT {
            three = std::mem::replace(&mut self.threes[hash3::<THREE_BITS>(bytes as u32)], place);
            four = std::mem::replace(&mut self.fours[hash4::<FOUR_BITS>(bytes as u32)], place);
        }
        let eight = std::mem::replace(&mut self.eights[hash8(bytes)], place);
        self.previous[at & MASK] = eight;
        Candidates { bytes, three: back(at, three), four: back(at, four), eight: back(at, eight) }
    }

    /// Inserts all positions before `to`.
    #[inline(always)]
    fn enter<const SHORT: bool>(&mut self, input: &[u8], to: usize) {
        while self.entered < to {
            self.swap::<SHORT>(input, self.entered);
            self.entered += 1;
        }
    }

    /// Inserts some positions before `to`; the last ones are left to `enter`.
    #[inline(always)]
    fn enter_sparse<const SHORT: bool>(&mut self, input: &[u8], to: usize, sparse: usize) {
        while self.entered + 4 < to {
            self.swap::<SHORT>(input, self.entered);
            self.entered += sparse;
        }
    }

    /// Finds matches in `input[from..to]`; they may refer to bytes before `from`.
    pub(super) fn find(
        &mut self,
        input: &[u8],
        (from, to): (usize, usize),
        (row, planes): (usize, usize),
        effort: Effort,
        costs: &Costs,
        matches: &mut Vec<Match>,
    ) {
        self.clear();
        self.sums.set(&input[from..to], costs);
        let row = if (8..=WINDOW).contains(&row) { row } else { usize::MAX };
        let piece = Piece { input, from, to, row, planes: planes > 1 && row < usize::MAX, costs };
        if effort.least < 8 {
            self.parse::<true>(&piece, effort, matches);
        } else {
            self.parse::<false>(&piece, effort, matches);
        }
    }

    /// Parses a chunk; with `SHORT`, also searches for matches of fewer than eight bytes.
    fn parse<const SHORT: bool>(&mut self, piece: &Piece<'_>, effort: Effort, matches: &mut Vec<Match>) {
        let &Piece { input, from, to, row, planes, .. } = piece;
        let search_end = to.min(input.len().saturating_sub(8));
        // After a segment of another finder, the window is inserted late.
        self.entered = self.entered.max(from.saturating_sub(WINDOW));
        self.enter::<SHORT>(input, from.min(search_end));
        let mut anchor = from;
        let mut at = from;
        // Noise ends at the end of a row of planes, so skipping restarts there.
        let (mut start, mut next_start) = (from, if planes { from } else { usize::MAX });
        // Average savings of matches per byte: a match that ends later has to save that much more.
        let (mut saved, mut covered) = (i64::from(self.rate) * 4096, 4096);
        while at < search_end {
            // Runs are frequent, long, and cheap to find; inserting all their positions would create chains of equal
            // entries.
            if at > 0 && load8(input, at) == load8(input, at - 1) {
                let length = equal(input, at - 1, at, to);
                let in_row = if length >= LONG_RUN && at >= row { equal(input, at - row, at, to) } else { 0 };
                if length >= MAX_MATCH || length >= LONG_RUN && in_row <= length + 4 {
                    self.enter::<SHORT>(input, at + 1);
                    if in_row > length + 4 {
                        // In full: otherwise empty areas would be compared again for every 258 bytes.
                        anchor = at + push_row(matches, at - anchor, (input, at), in_row, row);
                        self.enter_sparse::<SHORT>(input, anchor.min(search_end), effort.sparse);
                    } else {
                        anchor = at + push(matches, at - anchor, length, 1);
                    }
                    at = anchor;
                    self.entered = self.entered.max((at - 4).min(search_end));
                    continue;
                }
            }
            let mut found = self.best::<SHORT>(piece, at, effort);
            if found.saved <= 0 {
                // A long span without a match is most likely noise.
                if at >= next_start {
                    start = at - at % row;
                    next_start = start + row;
                }
                at = next_start.min(at + 1 + ((at - anchor.max(start)) >> effort.skip));
                continue;
            }
            while found.length < effort.lazy && at + 1 < search_end {
                let next = self.best::<SHORT>(piece, at + 1, effort);
                let later = (next.length + 1) as i64 - found.length as i64;
                if next.saved <= 0 || i64::from(next.saved - found.saved) * covered <= later * saved {
                    break;
                }
                found = next;
                at += 1;
            }
            saved += i64::from(found.saved);
            covered += (at - anchor + found.length) as i64;
            anchor = at + push(matches, at - anchor, found.length, found.distance);
            at = anchor;
            if found.length >= LONG_MATCH {
                self.enter_sparse::<SHORT>(input, at.min(search_end), effort.sparse);
            }
            self.enter::<SHORT>(input, at.min(search_end));
        }
        self.rate = (saved / covered) as i32;
    }

    /// Returns the match at `at` that saves most.
    #[inline]
    fn best<const SHORT: bool>(&mut self, piece: &Piece<'_>, at: usize, effort: Effort) -> Found {
        let &Piece { input, from, to, row, costs, .. } = piece;
        self.enter::<SHORT>(input, at);
        let candidates = self.swap::<SHORT>(input, at);
        self.entered = at + 1;
        let bytes = candidates.bytes;
        let end = to.min(at + MAX_MATCH);
        let sums = self.sums.from(at - from);
        let mut best = Found::default();
        let mut longest = 0;
        // In rasters, equal bytes are most likely one row back.
        if at >= row && load8(input, at - row) == bytes && end - at >= 8 {
            longest = equal(input, at - row, at, end);
            best.weigh(longest, row, sums, costs);
        }
        let mut distance = candidates.eight;
        let mut left = effort.depth;
        while left > 0 && longest < effort.nice && distance <= WINDOW && distance <= at {
            let other = at - distance;
            let reach = longest.max(8) - 8;
            if load8(input, other + reach) == load8(input, at + reach) {
                let length = equal(input, other, at, end);
                if length > longest && length >= MIN_MATCH {
                    longest = length;
                    best.weigh(length, distance, sums, costs);
                }
            }
            let next = back(at, self.previous[other & MASK]);
            if next <= distance {
                break;
            }
            distance = next;
            left -= 1;
        }
        if SHORT && longest < 8 && end - at >= 4 {
            let distance = candidates.four;
            if distance <= WINDOW && distance <= at && load4(input, at - distance) == bytes as u32 {
                let length = equal(input, at - distance, at, end);
                best.weigh(length, distance, sums, costs);
            } else if effort.least < 4 {
                let distance = candidates.three;
                if distance <= WINDOW && distance <= at && (load4(input, at - distance) ^ bytes as u32) << 8 == 0 {
                    best.weigh(3, distance, sums, costs);
                }
            }
        }
        best
    }
}
