//! Shared parts of the table-based match finders: positions stored in 16 bits, and the bits saved by a match.

use super::costs::Costs;
use super::symbols::{WINDOW, distance_code};

/// Mask that reduces a position to its offset in the window.
pub(super) const MASK: usize = WINDOW - 1;

/// Returns the distance from `at` back to `place`, both known by their lowest 16 bits: 1 to 65536. The bytes there
/// still have to be compared.
#[inline(always)]
pub(super) fn back(at: usize, place: u16) -> usize {
    usize::from((at as u16).wrapping_sub(place).wrapping_sub(1)) + 1
}

/// Returns the slot of the first three of four bytes in a table with `1 << BITS` entries.
#[inline(always)]
pub(super) fn hash3<const BITS: u32>(bytes: u32) -> usize {
    hash4::<BITS>(bytes << 8)
}

/// Returns the slot of four bytes.
#[inline(always)]
pub(super) fn hash4<const BITS: u32>(bytes: u32) -> usize {
    (bytes.wrapping_mul(0x9E37_79B1) >> (32 - BITS)) as usize
}

/// Prefix sums of literal costs: the cost of all literals before each position, from the start of a chunk.
#[derive(Default)]
pub(super) struct Sums(Vec<u32>);

impl Sums {
    /// Computes the sums for a chunk.
    pub(super) fn set(&mut self, piece: &[u8], costs: &Costs) {
        self.0.clear();
        self.0.push(0);
        let mut sum = 0;
        self.0.extend(piece.iter().map(|&byte| {
            sum += costs.literals[byte as usize];
            sum
        }));
    }

    /// Returns the sums from a position of the chunk on.
    #[inline(always)]
    pub(super) fn from(&self, place: usize) -> &[u32] {
        &self.0[place..]
    }
}

/// A match, and its savings compared with literals, in fractions of a bit.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Found {
    pub(super) length: usize,
    pub(super) distance: usize,
    pub(super) saved: i32,
}

impl Found {
    /// Replaces this match by another one if that saves more; `sums` starts at the position of the match.
    #[inline(always)]
    pub(super) fn weigh(&mut self, length: usize, distance: usize, sums: &[u32], costs: &Costs) {
        let literals = sums[length] - sums[0];
        let saved = literals as i32 - (costs.lengths[length] + costs.distances[distance_code(distance)]) as i32;
        if saved > self.saved {
            *self = Self { length, distance, saved };
        }
    }
}
