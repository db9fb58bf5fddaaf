//! Checksums of pixels, computed when tiles are encoded and again when they are read back.

/// A 64-bit checksum of bytes added piece by piece. Detects damage, not tampering. Piece boundaries matter, so that
/// bytes moved from one row to another are noticed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Checksum(u64);

/// The golden ratio in 64 bits: odd, and without a pattern.
const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;

impl Checksum {
    pub(crate) const fn new() -> Self {
        Self(FACTOR)
    }

    /// Adds the next piece.
    pub(crate) fn add(&mut self, piece: &[u8]) {
        let (words, rest) = piece.as_chunks::<8>();
        for word in words {
            self.mix(u64::from_le_bytes(*word));
        }
        let mut last = [0; 8];
        last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        self.mix(u64::from_le_bytes(last));
        self.mix(piece.len() as u64);
    }

    /// Mixes in a word with an invertible step, so that different words never lead to the same state.
    fn mix(&mut self, word: u64) {
        let mixed = (self.0 ^ word).wrapping_mul(FACTOR);
        self.0 = mixed ^ (mixed >> 29);
    }

    pub(crate) const fn value(self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pieces: &[&[u8]]) -> u64 {
        let mut checksum = Checksum::new();
        pieces.iter().for_each(|piece| checksum.add(piece));
        checksum.value()
    }

    #[test]
    fn every_bit_and_every_cut_matters() {
        let bytes: Vec<u8> = (0..100u32).map(|index| (index * index % 251) as u8).collect();
        let whole = of(&[&bytes]);
        for bit in 0..bytes.len() * 8 {
            let mut other = bytes.clone();
            other[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(of(&[&other]), whole, "bit {bit}");
        }
        assert_ne!(of(&[&bytes[..40], &bytes[40..]]), whole);
        assert_ne!(of(&[&bytes[..99]]), whole);
        assert_ne!(of(&[&[0; 8]]), of(&[&[0; 9]]));
    }
}
