//! Bits in the order of DEFLATE: the least significant bit of a byte first (RFC 1951 section 3.1.1).

/// Writes bits into bytes that are there already; the caller says beforehand how many bytes a block takes.
pub(super) struct BitWriter<'a> {
    out: &'a mut [u8],
    at: usize,
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
        Self { out, at: 0, bits: rest.bits, count: rest.count }
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

    /// Stores the whole bytes; at most 7 bits stay.
    #[inline(always)]
    pub(super) fn flush(&mut self) {
        if let Some(target) = self.out.get_mut(self.at..).and_then(|rest| rest.first_chunk_mut::<8>()) {
            *target = self.bits.to_le_bytes();
        }
        self.at += (self.count / 8) as usize;
        self.bits >>= self.count & 56;
        self.count &= 7;
    }

    /// Fills the last byte with zeros.
    pub(super) fn align(&mut self) {
        self.count = self.count.next_multiple_of(8);
        self.flush();
    }

    /// Appends whole bytes; only after `align`.
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        debug_assert_eq!(self.count, 0);
        self.out[self.at..][..bytes.len()].copy_from_slice(bytes);
        self.at += bytes.len();
    }

    /// How many whole bytes were written, and what is left.
    pub(super) fn finish(mut self) -> (usize, Rest) {
        self.flush();
        (self.at, Rest { bits: self.bits, count: self.count })
    }
}
