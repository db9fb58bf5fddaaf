//! Bits in the order of DEFLATE: the least significant bit of a byte first (RFC 1951 section 3.1.1).

/// Bits that belong together, a code for instance, at most 24: how many they are in the lowest byte, they above it. So
/// the counts of several add up in one addition, and one such number serves as the width of a shift.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Code(u32);

impl Code {
    /// `count` bits.
    pub(super) const fn new(bits: u32, count: u32) -> Self {
        Self(bits << 8 | count)
    }

    /// The bits.
    #[inline(always)]
    pub(super) const fn bits(self) -> u32 {
        self.0 >> 8
    }

    /// How many they are.
    #[inline(always)]
    pub(super) const fn count(self) -> u32 {
        self.0 & 0xFF
    }
}

/// Writes bits into bytes that are there already; the caller says beforehand how many bytes a block takes.
pub(super) struct BitWriter<'a> {
    /// What is not written yet.
    out: &'a mut [u8],
    bits: u64,
    count: u32,
}

/// Bits that are left of the last byte: a block need not end at a byte.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Rest {
    bits: u64,
    count: u32,
}

impl Rest {
    /// How many bits wait.
    pub(super) const fn count(self) -> u32 {
        self.count
    }
}

/// A flush stores eight bytes, whatever of them counts: so much room is needed behind the last byte.
pub(super) const SLACK: usize = 8;

impl<'a> BitWriter<'a> {
    /// Goes on behind `rest`, at the start of `out`.
    pub(super) fn new(out: &'a mut [u8], rest: Rest) -> Self {
        Self { out, bits: rest.bits, count: rest.count }
    }

    /// The writer, out of its place: it has to be put back.
    #[inline(always)]
    pub(super) fn take(&mut self) -> Self {
        std::mem::replace(self, Self::new(&mut [], Rest::default()))
    }

    /// Appends `count` bits. Between two flushes there is room for 56.
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
        // Of the width of a shift the lowest six bits count, which is as far as the sum of two counts goes.
        let lower = u64::from(first.bits()) | u64::from(second.bits()).wrapping_shl(first.0);
        let upper = u64::from(third.bits()) | u64::from(fourth.bits()).wrapping_shl(third.0);
        let half = first.0.wrapping_add(second.0);
        self.bits |= (lower | upper.wrapping_shl(half)) << self.count;
        self.count += half.wrapping_add(third.0).wrapping_add(fourth.0) & 0xFF;
    }

    /// Stores the whole bytes; at most 7 bits stay.
    #[inline(always)]
    pub(super) fn flush(&mut self) {
        let out = std::mem::take(&mut self.out);
        let whole = (self.count / 8 % 8) as usize;
        self.out = match out.first_chunk_mut::<SLACK>() {
            Some(target) => {
                *target = self.bits.to_le_bytes();
                &mut out[whole..]
            }
            // Never: whoever made the room looks at what is left of it.
            None => out,
        };
        self.bits >>= self.count & 56;
        self.count &= 7;
    }

    /// Fills the last byte with zeros.
    pub(super) fn align(&mut self) {
        self.count = self.count.next_multiple_of(8);
        self.flush();
    }

    /// How many bytes are left behind the whole ones that were written, and which bits.
    pub(super) fn finish(mut self) -> (usize, Rest) {
        self.flush();
        (self.out.len(), Rest { bits: self.bits, count: self.count })
    }
}
