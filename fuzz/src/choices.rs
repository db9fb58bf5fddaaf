//! Decisions made from bytes; when they are used up, every further one is the first.

/// The bytes that are left.
#[derive(Debug, Clone)]
pub struct Choices<'a>(&'a [u8]);

impl<'a> Choices<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn byte(&mut self) -> u8 {
        let Some((&first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        first
    }

    pub fn u16(&mut self) -> u16 {
        u16::from_le_bytes([self.byte(), self.byte()])
    }

    pub fn u32(&mut self) -> u32 {
        u32::from(self.u16()) | u32::from(self.u16()) << 16
    }

    pub fn u64(&mut self) -> u64 {
        u64::from(self.u32()) | u64::from(self.u32()) << 32
    }

    /// Any double.
    pub fn f64(&mut self) -> f64 {
        f64::from_bits(self.u64())
    }

    pub fn flag(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    /// One of 0 to `limit` - 1.
    pub fn below(&mut self, limit: usize) -> usize {
        usize::from(if limit > 256 { self.u16() } else { self.byte().into() }) % limit
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// Up to `most` bytes as they stand.
    pub fn bytes(&mut self, most: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(self.0.len().min(most));
        self.0 = rest;
        taken
    }

    /// A text of any characters.
    pub fn text(&mut self) -> String {
        let length = self.below(12);
        String::from_utf8_lossy(self.bytes(length)).into_owned()
    }

    /// At most `most` bytes: noise, runs, copies, ramps, words and skewed counts, as the choices say.
    pub fn structured(&mut self, most: usize) -> Vec<u8> {
        let mut out: Vec<u8> = Vec::new();
        while out.len() < most && !self.is_empty() {
            let what = self.byte();
            let many = (1 + usize::from(self.byte())) << (what >> 3 & 15).min(10);
            let many = many.min(most - out.len());
            match what & 7 {
                0 => out.extend(self.bytes(many.min(64))),
                1 => {
                    let value = self.byte();
                    out.resize(out.len() + many, value);
                }
                2 if !out.is_empty() => {
                    let distance = (1 + usize::from(self.u16())).min(out.len());
                    for _ in 0..many {
                        out.push(out[out.len() - distance]);
                    }
                }
                3 => {
                    let (step, start) = (u32::from(self.byte()), out.len());
                    out.extend((0..many).map(|index| (index as u32 * step / 64) as u8));
                    // With a foreign byte now and then.
                    let every = 1 + usize::from(self.byte());
                    out[start..].iter_mut().step_by(every).for_each(|byte| *byte ^= step as u8);
                }
                4 => {
                    let (mut random, limit) = (self.random(), 1 + u32::from(self.byte()));
                    out.extend((0..many).map(|_| (random() % limit) as u8));
                }
                // Differences of words.
                5 => {
                    let (mut random, limit) = (self.random(), 1 + u32::from(self.byte()));
                    let word = |value: u32| (value as i16).wrapping_sub(limit as i16 / 2).to_le_bytes();
                    out.extend((0..many / 2).flat_map(|_| word(random() % limit)));
                }
                // Half of all bytes are the first kind, a quarter the second, and so on: deep Huffman trees.
                6 => {
                    let (mut random, factor) = (self.random(), self.byte() | 1);
                    out.extend((0..many).map(|_| (random().trailing_ones() as u8).wrapping_mul(factor)));
                }
                // The bytes one row before, with changes.
                _ => {
                    let (mut random, distance) = (self.random(), (1 + usize::from(self.u16())).min(out.len().max(1)));
                    for _ in 0..many {
                        let before = out.len().checked_sub(distance).map_or(0, |at| out[at]);
                        out.push(if random() % 16 == 0 { random() as u8 } else { before });
                    }
                }
            }
        }
        out
    }

    /// Exactly `length` bytes, in one of a few manners.
    pub fn filled(&mut self, length: usize) -> Vec<u8> {
        let manner = self.below(4);
        let mut out = match manner {
            0 => Vec::new(),
            1 => self.bytes(length).to_vec(),
            _ => self.structured(length),
        };
        let rest = length - out.len();
        if self.is_empty() && out.is_empty() {
            return vec![0; length];
        }
        let mut random = self.random();
        match (manner, out.len()) {
            (0, _) => out.extend((0..rest).map(|_| random() as u8)),
            (_, 0) => out.resize(length, random() as u8),
            (_, known) => (0..rest).for_each(|index| out.push(out[index % known])),
        }
        out
    }

    /// A series that looks random.
    fn random(&mut self) -> impl FnMut() -> u32 + use<> {
        let mut state = u64::from(self.u16());
        move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as u32
        }
    }
}
