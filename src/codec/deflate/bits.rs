//! Bit writer in DEFLATE's order: the least significant bit of a byte first (RFC 1951 section 3.1.1).

/// Up to 24 bits that belong together, such as a code: the bit count in the lowest byte, the bits above it. One
/// addition then sums the counts of several codes, and the packed value works directly as a shift width.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Code(u32);

impl Code {
    /// Creates a code of `count` bits.
    pub(super) const fn new(bits: u32, count: u32) -> Self {
        Self(bits << 8 | count)
    }

    /// Returns the bits.
    #[inline(always)]
    pub(super) const fn bits(self) -> u32 {
        self.0 >> 8
    }

    /// Returns the number of bits.
    #[inline(always)]
    pub(super) const fn count(self) -> u32 {
        self.0 & 0xFF
    }
}

/// Writes bits to an existing buffer; the caller computes the size of a block beforehand.
pub(super) struct BitWriter<'a> {
    /// The unwritten part of the buffer.
    out: &'a mut [u8],
    bits: u64,
    count: u32,
}

/// Leftover bits of the last byte: a block need not end at a byte boundary.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Rest {
    bits: u64,
    count: u32,
}

impl Rest {
    /// Returns the number of pending bits.
    pub(super) const fn count(self) -> u32 {
        self.count
    }
}

/// A flush always stores eight bytes, so this much space is needed after the last byte.
pub(super) const SLACK: usize = 8;

impl<'a> BitWriter<'a> {
    /// Continues after `rest`, at the start of `out`.
    pub(super) fn new(out: &'a mut [u8], rest: Rest) -> Self {
        Self { out, bits: rest.bits, count: rest.count }
    }

    /// Moves the writer out of its variable; the caller has to put it back.
    #[inline(always)]
    pub(super) fn take(&mut self) -> Self {
        std::mem::replace(self, Self::new(&mut [], Rest::default()))
    }

    /// Appends `count` bits. Up to 56 bits fit between two flushes.
    #[inline(always)]
    pub(super) fn put(&mut self, bits: u64, count: u32) {
        self.bits |= bits << self.count;
        self.count += count;
    }

    /// Appends a code.
    #[inline(always)]
    pub(super) fn code(&mut self, code: Code) {
        self.put(code.bits().into(), code.count());
    }

    /// Appends four codes of at most 14 bits, right after a flush.
    #[inline(always)]
    pub(super) fn four_codes(&mut self, [first, second, third, fourth]: [Code; 4]) {
        // Only the lowest six bits of a shift width count, which is enough for the sum of two counts.
        let lower = u64::from(first.bits()) | u64::from(second.bits()).wrapping_shl(first.0);
        let upper = u64::from(third.bits()) | u64::from(fourth.bits()).wrapping_shl(third.0);
        let half = first.0.wrapping_add(second.0);
        self.bits |= (lower | upper.wrapping_shl(half)) << self.count;
        self.count += half.wrapping_add(third.0).wrapping_add(fourth.0) & 0xFF;
    }

    /// Stores the whole bytes; at most 7 bits remain.
    #[inline(always)]
    pub(super) fn flush(&mut self) {
        let out = std::mem::take(&mut self.out);
        let whole = (self.count / 8 % 8) as usize;
        self.out = match out.first_chunk_mut::<SLACK>() {
            Some(target) => {
                *target = self.bits.to_le_bytes();
                &mut out[whole..]
            }
            // Unreachable: the caller that allocates the buffer checks the remaining length.
            None => out,
        };
        self.bits >>= self.count & 56;
        self.count &= 7;
    }

    /// Pads the last byte with zeros.
    pub(super) fn align(&mut self) {
        self.count = self.count.next_multiple_of(8);
        self.flush();
    }

    /// Returns the number of unused bytes after the last whole byte, and the leftover bits.
    pub(super) fn finish(mut self) -> (usize, Rest) {
        self.flush();
        (self.out.len(), Rest { bits: self.bits, count: self.count })
    }
}
