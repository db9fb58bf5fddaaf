//! Match finder selection: the estimated gain of each finder, from a sample of the bytes alone.

use crate::processor::newest;

use super::costs::{self, BIT, Costs};
use super::fast::load8;
use super::symbols::WINDOW;

/// Bytes of the sample that only fill the tables.
const BEFORE: usize = 8 << 10;
/// Bytes of the sample that are looked up.
const LOOKED_UP: usize = 4 << 10;
const HASH_BITS: u32 = 12;

/// The estimated gain of a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Promise {
    /// Possible savings of matches of four to seven bytes, in 1/1024 of the literal cost.
    pub(super) short: u64,
    /// Possible savings of matches of eight bytes, in the same unit.
    pub(super) long: u64,
    /// If samples seem to have two bytes, whether the upper ones, which repeat more often, are at odd positions.
    pub(super) odd: Option<bool>,
}

/// Hash tables for the sample.
pub(super) struct Sampler {
    fours: Box<[u16; 1 << HASH_BITS]>,
    eights: Box<[u16; 1 << HASH_BITS]>,
}

impl Default for Sampler {
    fn default() -> Self {
        Self { fours: Box::new([0; 1 << HASH_BITS]), eights: Box::new([0; 1 << HASH_BITS]) }
    }
}

impl Sampler {
    /// Looks up a sample from the middle of `bytes`, without branching on the result.
    ///
    /// Matches that the fast finder also sees, runs and repeats of the row above, do not count.
    pub(super) fn promise(&mut self, bytes: &[u8], row: usize) -> Promise {
        newest(
            #[inline(always)]
            || self.look_up(bytes, row),
        )
    }

    #[inline(always)]
    fn look_up(&mut self, bytes: &[u8], row: usize) -> Promise {
        let size = (BEFORE + LOOKED_UP).min(bytes.len());
        let sample = &bytes[(bytes.len() - size) / 2..][..size];
        if sample.len() < 64 {
            return Promise { short: 0, long: 0, odd: None };
        }
        let row = if (1..=WINDOW).contains(&row) { row } else { 1 };
        let costs = Costs::guess(sample);
        self.fours.fill(0);
        self.eights.fill(0);
        let first = sample.len().saturating_sub(LOOKED_UP).max(sample.len() / 3);
        for at in 1..first {
            self.swap(load8(sample, at), at);
        }
        // The literal cost of the byte at each position, and of the four bytes from there on.
        let mut each = [0u16; LOOKED_UP];
        for (cost, &byte) in each.iter_mut().zip(&sample[first..]) {
            *cost = costs.literals[byte as usize] as u16;
        }
        let places = sample.len() - 8 - first;
        let fours = sums(&sums(&each, 1), 2);
        let all = 1 + each[..places].iter().map(|&cost| u64::from(cost)).sum::<u64>();
        let (mut short, mut long) = (0u64, 0u64);
        for (offset, (&half, &next)) in fours.iter().zip(&fours[4..]).enumerate().take(places) {
            let at = first + offset;
            let bytes = load8(sample, at);
            let (four, eight) = self.swap(bytes, at);
            let known = bytes as u32 == load8(sample, at - 1) as u32 || at >= row && bytes == load8(sample, at - row);
            let (half, whole) = (u32::from(half), u32::from(half) + u32::from(next));
            let same = load8(sample, four) as u32 == bytes as u32 && !known;
            let match_cost = 8 * BIT + costs::logarithm((at - four) as u32);
            short += u64::from(if same { half.saturating_sub(match_cost) } else { 0 });
            let same = load8(sample, eight) == bytes && !known;
            let match_cost = 4 * BIT + costs::logarithm((at - eight) as u32) / 2;
            long += u64::from(if same { whole.saturating_sub(match_cost) } else { 0 });
        }
        let start = (bytes.len() - size) / 2;
        let odd = upper(sample).map(|odd| odd ^ (start % 2 == 1));
        Promise { short: short * 1024 / 4 / all, long: long * 1024 / 8 / all, odd }
    }

    #[inline(always)]
    fn swap(&mut self, bytes: u64, at: usize) -> (usize, usize) {
        let four = (bytes as u32).wrapping_mul(0x9E37_79B1) >> (32 - HASH_BITS);
        let eight = bytes.wrapping_mul(0x9E37_79B1_85EB_CA87) >> (64 - HASH_BITS);
        let four = std::mem::replace(&mut self.fours[four as usize], at as u16);
        let eight = std::mem::replace(&mut self.eights[eight as usize], at as u16);
        (four.into(), eight.into())
    }
}

/// Adds to each value the one `distance` positions later; meaningless where there is none.
#[inline(always)]
fn sums(of: &[u16; LOOKED_UP], distance: usize) -> [u16; LOOKED_UP] {
    let mut sums = *of;
    for (sum, &behind) in sums.iter_mut().zip(&of[distance..]) {
        *sum += behind;
    }
    sums
}

/// Returns whether the bytes at odd positions of a sample repeat the byte two positions before clearly more often than
/// those at even positions; `None` if there is no clear difference.
fn upper(sample: &[u8]) -> Option<bool> {
    let mut same = [0usize; 2];
    for pairs in sample.as_chunks::<2>().0.windows(2) {
        same[0] += usize::from(pairs[0][0] == pairs[1][0]);
        same[1] += usize::from(pairs[0][1] == pairs[1][1]);
    }
    let (more, less) = (same[0].max(same[1]), same[0].min(same[1]));
    // At least half of the upper bytes, but not if both halves repeat.
    (more * 8 > sample.len() && less * 3 < more).then_some(same[1] > same[0])
}
