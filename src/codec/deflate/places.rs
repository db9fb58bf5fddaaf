//! What finders with tables share: places told by 16 bits, and what a match there saves.

use super::costs::Costs;
use super::symbols::{WINDOW, distance_code};

/// The part of a place that tells it within the window.
pub(super) const MASK: usize = WINDOW - 1;

/// How far `place` lies before `at`, both told by their lowest 16 bits: 1 to 65536. What stands there has to be compared.
#[inline(always)]
pub(super) fn back(at: usize, place: u16) -> usize {
    usize::from((at as u16).wrapping_sub(place).wrapping_sub(1)) + 1
}

/// The entry of the first three of four bytes in a table of 2 to the power of `BITS` entries.
#[inline(always)]
pub(super) fn hash3<const BITS: u32>(bytes: u32) -> usize {
    hash4::<BITS>(bytes << 8)
}

/// The entry of four bytes.
#[inline(always)]
pub(super) fn hash4<const BITS: u32>(bytes: u32) -> usize {
    (bytes.wrapping_mul(0x9E37_79B1) >> (32 - BITS)) as usize
}

/// What all literals before a place cost, from the start of a piece on.
#[derive(Default)]
pub(super) struct Sums(Vec<u32>);

impl Sums {
    /// Adds up a piece.
    pub(super) fn set(&mut self, piece: &[u8], costs: &Costs) {
        self.0.clear();
        self.0.push(0);
        let mut sum = 0;
        self.0.extend(piece.iter().map(|&byte| {
            sum += costs.literals[byte as usize];
            sum
        }));
    }

    /// The sums from a place of the piece on.
    #[inline(always)]
    pub(super) fn from(&self, place: usize) -> &[u32] {
        &self.0[place..]
    }
}

/// A match that was found, and what it saves against literals, in parts of a bit.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Found {
    pub(super) length: usize,
    pub(super) distance: usize,
    pub(super) saved: i32,
}

impl Found {
    /// Takes another match in its place if that saves more; `sums` are those from there on.
    #[inline(always)]
    pub(super) fn weigh(&mut self, length: usize, distance: usize, sums: &[u32], costs: &Costs) {
        let literals = sums[length] - sums[0];
        let saved = literals as i32 - (costs.lengths[length] + costs.distances[distance_code(distance)]) as i32;
        if saved > self.saved {
            *self = Self { length, distance, saved };
        }
    }
}
