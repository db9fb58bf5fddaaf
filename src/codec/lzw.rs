//! TIFF's LZW (TIFF 6.0 section 13): most significant bit first, with code widths that grow one code early.
//!
//! The dictionary is one flat table with four bytes per entry, so most lookups end at the first probe, and codes are
//! stored without a branch. It is cleared where libtiff clears it, two codes before it is full, because some readers
//! follow the specification to the letter.

use crate::processor::newest;

/// The code that clears the dictionary.
const CLEAR: u32 = 256;
/// The code that ends the stream.
const END: u32 = 257;
/// The first code of the dictionary.
const FIRST: u32 = 258;
/// The dictionary is cleared when the next code would be this one.
const MOST: u32 = 4094;
/// Maximum code width in bits.
const WIDEST: u32 = 12;
/// log2 of the table size. The table has four times as many slots as the dictionary has codes, so few entries collide.
const TABLE_BITS: u32 = 14;
const SLOTS: u32 = 1 << TABLE_BITS;
const TABLE: usize = SLOTS as usize;
/// Inside the table, a string is identified by its code times this factor, modulo 4096. Neighboring codes are then far
/// apart, and a lookup does not wait for a multiplication.
const SPREAD: u32 = 0x9E5;
/// The inverse factor: turns the product back into the code.
const GATHER: u32 = {
    let mut inverse = SPREAD;
    let mut step = 0;
    while step < 4 {
        inverse = inverse.wrapping_mul(2u32.wrapping_sub(SPREAD.wrapping_mul(inverse)));
        step += 1;
    }
    inverse & 0xFFF
};
/// The contribution of a byte to the slot of its entry.
const SCATTER: [u32; 256] = {
    let mut scatter = [0; 256];
    let mut byte = 0u32;
    while byte < 256 {
        scatter[byte as usize] = byte.wrapping_mul(0x9E37_79B1) >> (32 - TABLE_BITS);
        byte += 1;
    }
    scatter
};
/// An empty slot: no entry has code 0 with code 0 as its prefix.
const FREE: u32 = 0;

/// Returns the identifier of a code.
#[inline(always)]
const fn spread(code: u32) -> u32 {
    code.wrapping_mul(SPREAD) & 0xFFF
}

/// Returns the code of an identifier.
#[inline(always)]
const fn gather(name: u32) -> u32 {
    name.wrapping_mul(GATHER) & 0xFFF
}

/// Encodes LZW streams. Reuses its buffers, but keeps no state between streams.
pub(crate) struct Encoder {
    /// Identifier of the prefix, next byte, identifier of the resulting string: 12, 8, and 12 bits.
    table: Box<[u32; TABLE]>,
    /// Worst-case buffer for the codes of a stream, so that `out` only grows by the bytes that are used.
    codes: Vec<u8>,
}

impl Default for Encoder {
    fn default() -> Self {
        Self { table: Box::new([FREE; TABLE]), codes: Vec::new() }
    }
}

/// Bit writer for codes.
struct Writer<'a> {
    out: &'a mut [u8],
    at: usize,
    /// Pending bits, the latest lowest; bits above `count` are already written.
    bits: u64,
    count: u32,
    width: u32,
}

impl Writer<'_> {
    #[inline(always)]
    fn put(&mut self, code: u32) {
        self.bits = self.bits << self.width | u64::from(code);
        self.count += self.width;
        let aligned = self.bits << (64 - self.count);
        if let Some(target) = self.out[self.at..].first_chunk_mut::<8>() {
            *target = aligned.to_be_bytes();
        }
        self.at += (self.count / 8) as usize;
        self.count &= 7;
    }

    /// Widens codes once the next one that the decoder may know requires it.
    #[inline(always)]
    fn widen(&mut self, next: u32) {
        self.width = (self.width + u32::from(next >= 1 << self.width)).min(WIDEST);
    }
}

impl Encoder {
    /// Appends the codes of `input` to `out`.
    pub(crate) fn encode(&mut self, input: &[u8], out: &mut Vec<u8>) {
        newest(
            #[inline(always)]
            || self.append(input, out),
        );
    }

    /// The inlined body of [`encode`](Self::encode).
    #[inline(always)]
    fn append(&mut self, input: &[u8], out: &mut Vec<u8>) {
        // Every byte takes one code of at most 12 bits, one code in 3800 clears the dictionary, and a store writes 8
        // bytes.
        self.codes.resize(input.len() + input.len() / 2 + input.len() / 1000 + 32, 0);
        let mut writer = Writer { out: &mut self.codes, at: 0, bits: 0, count: 0, width: 9 };
        writer.put(CLEAR);
        self.table.fill(FREE);
        let mut next = FIRST;
        if let Some((&first, rest)) = input.split_first() {
            let mut string = spread(first.into());
            for &byte in rest {
                let key = string << 8 | u32::from(byte);
                let mut slot = (string << (TABLE_BITS - 12) ^ SCATTER[usize::from(byte)]) % SLOTS;
                let mut entry = self.table[slot as usize % TABLE];
                while entry >> 12 != key && entry != FREE {
                    slot = (slot + 1) % SLOTS;
                    entry = self.table[slot as usize];
                }
                if entry != FREE {
                    string = entry & 0xFFF;
                    continue;
                }
                self.table[slot as usize % TABLE] = key << 12 | spread(next);
                next += 1;
                writer.put(gather(string));
                string = spread(byte.into());
                writer.widen(next);
                if next == MOST {
                    writer.put(CLEAR);
                    writer.width = 9;
                    self.table.fill(FREE);
                    next = FIRST;
                }
            }
            writer.put(gather(string));
            // The decoder also adds an entry for this code, before it reads the end code.
            writer.widen(next + 1);
        }
        writer.put(END);
        let length = writer.at + usize::from(writer.count > 0);
        // Leave room for the tile's trailer: a vector that grows for it would double its capacity.
        out.reserve(length + 16);
        out.extend_from_slice(&self.codes[..length]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weezl::BitOrder;

    fn weezl(input: &[u8]) -> Vec<u8> {
        weezl::encode::Encoder::with_tiff_size_switch(BitOrder::Msb, 8).encode(input).unwrap()
    }

    fn check(input: &[u8]) {
        let mut out = vec![1, 2, 3];
        let mut encoder = Encoder::default();
        encoder.encode(b"something before", &mut Vec::new());
        encoder.encode(input, &mut out);
        assert_eq!(out[..3], [1, 2, 3]);
        // This encoder finds a few strings that weezl forgets, and clears its dictionary two codes earlier.
        assert!(out.len() - 3 <= weezl(input).len() * 1001 / 1000 + 2, "{} bytes", input.len());
        let back = weezl::decode::Decoder::with_tiff_size_switch(BitOrder::Msb, 8).decode(&out[3..]).unwrap();
        assert!(back == input, "{} bytes", input.len());
    }

    /// Bytes below `limit`, seeded.
    fn noise(length: usize, limit: u32) -> Vec<u8> {
        let mut state = 1u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) % limit
        };
        (0..length).map(|_| next() as u8).collect()
    }

    #[test]
    fn streams_come_back_and_are_no_longer_than_those_of_weezl() {
        for limit in [1, 2, 5, 40, 256] {
            for length in [0, 1, 2, 3, 100, 5000, 30_000, 300_000] {
                check(&noise(length, limit));
            }
        }
        let ramp: Vec<u8> = (0..200_000u32).map(|value| (value / 7) as u8).collect();
        check(&ramp);
    }

    #[test]
    fn the_width_changes_where_a_stream_ends() {
        // Noise adds one entry per byte: try every length around the width changes and the clearing.
        for change in [512, 1024, 2048, 4096] {
            let noise = noise(change + 20, 256);
            for length in change - 280..change + 20 {
                check(&noise[..length]);
            }
        }
    }
}
