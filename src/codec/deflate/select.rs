//! Which finder a stretch of bytes deserves: decided from the bytes alone, by a sample.

use crate::processor::newest;

use super::costs::{self, BIT, Costs};
use super::fast::load8;
use super::symbols::WINDOW;

/// Bytes of the sample that only fill the tables.
const BEFORE: usize = 8 << 10;
/// Bytes of the sample that are looked up.
const LOOKED_UP: usize = 4 << 10;
const HASH_BITS: u32 = 12;

/// What a sample promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Promise {
    /// What matches of four to seven bytes may save, in 1/1024 of the literals' cost.
    pub(super) short: u64,
    /// The same of matches of eight bytes.
    pub(super) long: u64,
    /// Where samples seem to have two bytes: whether the upper ones, which repeat more often, stand at odd places.
    pub(super) odd: Option<bool>,
}

/// Tables of the sample.
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
    /// Looks up a sample from the middle of `bytes`, without branching on what it finds.
    ///
    /// What the fast finder sees too, runs and what stands one row back, does not count.
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
        // What the byte at each place costs as a literal, and what four from there on do.
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

/// Of each place, the sum with what stands `distance` behind; meaningless where nothing does.
#[inline(always)]
fn sums(of: &[u16; LOOKED_UP], distance: usize) -> [u16; LOOKED_UP] {
    let mut sums = *of;
    for (sum, &behind) in sums.iter_mut().zip(&of[distance..]) {
        *sum += behind;
    }
    sums
}

/// Whether the bytes at odd places of a sample repeat the one two before clearly more often than those at even places,
/// or the other way round.
fn upper(sample: &[u8]) -> Option<bool> {
    let mut same = [0usize; 2];
    for pairs in sample.as_chunks::<2>().0.windows(2) {
        same[0] += usize::from(pairs[0][0] == pairs[1][0]);
        same[1] += usize::from(pairs[0][1] == pairs[1][1]);
    }
    let (more, less) = (same[0].max(same[1]), same[0].min(same[1]));
    // Half of the upper bytes at least, but not what is the same throughout.
    (more * 8 > sample.len() && less * 3 < more).then_some(same[1] > same[0])
}
