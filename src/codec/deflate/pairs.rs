//! Match finder for two-byte samples: short matches of five bytes or a little more.
//!
//! If the upper bytes are nearly constant, much repeats, but only briefly, so the work per position has to be small.
//! First, every sample is looked up without branching on the result. Then the best combination of all matches is chosen
//! from the end to the start. Matches pay best if they start and end with a byte of low entropy, so only every second
//! byte is looked up.

use super::costs::Costs;
use super::fast::{equal, load8};
use super::places::back;
use super::symbols::{MAX_MATCH, Match, WINDOW, distance_code};

/// Distance between the positions that are looked up.
const STEP: usize = 2;
const BITS: u32 = 14;
/// Bytes in a hash key.
const KEY: usize = 5;

/// A position with a match.
#[derive(Debug, Clone, Copy, Default)]
struct Hit {
    at: u32,
    distance: u16,
    /// Equal bytes; at most 8 until the full length is counted.
    length: u16,
}

/// The best choice from a hit to the end.
#[derive(Debug, Clone, Copy, Default)]
struct Plan {
    /// Savings from this hit on.
    saved: i32,
    /// The next hit to use.
    taken: u32,
}

/// Looks up and chooses matches; reuses its memory across streams.
pub(super) struct Pairs {
    /// Positions by their lowest 16 bits, so an entry may be wrong and is always compared.
    table: Box<[u16; 1 << BITS]>,
    /// True if the table still holds positions of another stream.
    stale: bool,
    hits: Vec<Hit>,
    plans: Vec<Plan>,
    /// Number of hits before each position, from the start of the chunk.
    before: Vec<u32>,
}

impl Default for Pairs {
    fn default() -> Self {
        let table = Box::new([0; 1 << BITS]);
        Self { table, stale: false, hits: Vec::new(), plans: Vec::new(), before: Vec::new() }
    }
}

/// The positions of a chunk that are looked up.
#[derive(Clone, Copy)]
struct Places {
    from: usize,
    first: usize,
}

impl Places {
    /// Returns the index of the first position at or after `at`.
    #[inline(always)]
    fn at(self, at: usize) -> usize {
        (at - self.from + self.first - self.from).div_ceil(STEP)
    }
}

impl Pairs {
    /// Forgets all positions.
    pub(super) fn reset(&mut self) {
        self.stale = true;
    }

    /// Inserts positions without searching.
    pub(super) fn enter(&mut self, input: &[u8], (from, to): (usize, usize), odd: bool) {
        self.clear();
        for at in (first(from, odd)..to).step_by(STEP) {
            self.table[hash(load8(input, at))] = at as u16;
        }
    }

    fn clear(&mut self) {
        if std::mem::take(&mut self.stale) {
            self.table.fill(0);
        }
    }

    /// Finds matches in `input[from..to]` that start at even or odd positions; they may refer to bytes before `from`.
    pub(super) fn find(
        &mut self,
        input: &[u8],
        (from, to): (usize, usize),
        odd: bool,
        costs: &Costs,
        matches: &mut Vec<Match>,
    ) {
        self.clear();
        // A lookup loads eight bytes, and every match ends before `to`.
        let end = to.min(input.len().saturating_sub(8)).saturating_sub(8);
        let first = first(from, odd);
        let all = end.saturating_sub(first).div_ceil(STEP);
        self.hits.resize(all + 1, Hit::default());
        self.before.clear();
        // If the positions do not start at `from`, one extra entry lets every position round up.
        self.before.resize(all + first - from, 0);
        let hits = look_up(&mut self.table, input, first, &mut self.before[first - from..], &mut self.hits);
        self.hits.truncate(hits);
        self.choose(input, (from, to), odd, costs, matches);
    }

    /// Chooses among the hits of the last search, possibly with different costs.
    pub(super) fn choose(
        &mut self,
        input: &[u8],
        (from, to): (usize, usize),
        odd: bool,
        costs: &Costs,
        matches: &mut Vec<Match>,
    ) {
        let places = Places { from, first: first(from, odd) };
        let hits = &mut self.hits[..];
        self.plans.resize(hits.len() + 1, Plan::default());
        let plans = &mut self.plans[..];
        plan(input, to, places, &self.before, hits, plans, costs);
        matches.clear();
        let mut anchor = from;
        let mut next = 0;
        while let Some(hit) = hits.get(plans[next].taken as usize) {
            let at = hit.at as usize;
            matches.push(Match { literals: (at - anchor) as u32, length: hit.length, distance: hit.distance });
            anchor = at + usize::from(hit.length);
            next = self.before.get(places.at(anchor)).map_or(hits.len(), |&hit| hit as usize);
        }
    }
}

/// Returns the first even or odd position at or after `from`.
#[inline(always)]
fn first(from: usize, odd: bool) -> usize {
    from + (usize::from(odd) ^ from & 1)
}

#[inline(always)]
fn hash(bytes: u64) -> usize {
    ((bytes << (64 - 8 * KEY)).wrapping_mul(0x9E37_79B1_85EB_CA87) >> (64 - BITS)) as usize
}

/// Records all positions with a match; returns their number.
#[inline(always)]
fn look_up(table: &mut [u16; 1 << BITS], input: &[u8], first: usize, before: &mut [u32], hits: &mut [Hit]) -> usize {
    let mut count = 0;
    for (index, before) in before.iter_mut().enumerate() {
        let at = first + index * STEP;
        *before = count as u32;
        let bytes = load8(input, at);
        let place = std::mem::replace(&mut table[hash(bytes)], at as u16);
        let distance = back(at, place);
        let other = input.get(at.wrapping_sub(distance)..).and_then(|rest| rest.first_chunk::<8>());
        let unlike = other.map_or(u64::MAX, |other| u64::from_le_bytes(*other) ^ bytes);
        if let Some(hit) = hits.get_mut(count) {
            let length = unlike.trailing_zeros() / 8;
            *hit = Hit { at: at as u32, distance: distance as u16, length: length as u16 };
        }
        // If this is not a match, the next one overwrites it.
        count += usize::from((unlike << (64 - 8 * KEY) == 0) & (distance <= WINDOW));
    }
    count
}

/// Chooses among the hits, from the last one to the first.
#[inline(always)]
fn plan(input: &[u8], to: usize, places: Places, before: &[u32], hits: &mut [Hit], plans: &mut [Plan], costs: &Costs) {
    let all = hits.len();
    let mut behind = Plan { saved: 0, taken: all as u32 };
    plans[all] = behind;
    let mut later = Hit::default();
    for index in (0..all).rev() {
        let mut hit = hits[index];
        let at = hit.at as usize;
        let bytes = load8(input, at).to_le_bytes().map(|byte| costs.literals[byte as usize]);
        let length = usize::from(hit.length);
        let more = |from: usize| if length > from { bytes[from] } else { 0 };
        let mut literals = bytes[0] + bytes[1] + bytes[2] + bytes[3] + bytes[4] + more(5) + more(6) + more(7);
        if length == 8 {
            let distance = usize::from(hit.distance);
            let in_full = if later.distance == hit.distance && later.at as usize == at + STEP {
                // The next hit continues this match: there is no need to compare again.
                (usize::from(later.length) + STEP).min(MAX_MATCH)
            } else {
                8 + equal(input, at + 8 - distance, at + 8, to.min(at + MAX_MATCH))
            };
            hit.length = in_full as u16;
            hits[index].length = hit.length;
        }
        later = hit;
        let length = usize::from(hit.length);
        // Long matches pay whatever bytes they cover.
        literals += length.saturating_sub(8) as u32 * (literals / 8);
        let cost = costs.lengths[length % (MAX_MATCH + 1)] + costs.distances[distance_code(hit.distance.into()) % 32];
        let rest = before.get(places.at(at + length)).map_or(all, |&hit| hit as usize);
        let saved = literals as i32 - cost as i32 + plans.get(rest).map_or(0, |plan| plan.saved);
        let better = saved > behind.saved;
        behind.taken = if better { index as u32 } else { behind.taken };
        behind.saved = behind.saved.max(saved);
        plans[index] = behind;
    }
}
