//! Row splitting for floating-point planes: ordered bytes are coded, the others stored.
//!
//! TIFF's floating-point predictor puts the first bytes of all samples of a row before all second bytes, and so on. In
//! measured values, the last bytes are noise, which flattens a shared code and wastes bits on the ordered bytes. So a
//! row becomes a dynamic block and a stored block. To make up for the header in every row, many rows share one code,
//! which is chosen with the header in mind.

use super::block::{self, Codes, Stream};
use super::costs::{self, BIT, Costs};
use super::fast;
use super::header::{Header, Lengths, Packed};
use super::select::Promise;
use super::symbols::{Counts, END_OF_BLOCK, Match, Tally};

/// Approximate number of bytes in a group of rows that share a code.
const GROUP: usize = 256 << 10;
/// One in this many rows is examined before any decision.
const SAMPLED: usize = 8;
/// One in this many rows is parsed before the decision.
const TRIED: usize = 16;
/// A plane shorter than this does not pay for blocks of its own.
const NARROWEST: usize = 96;
/// This many equal bytes within noise get a coded block.
const RUN: usize = 128;
/// Assumed header size of a row for the decision, in bits.
const HEADER: u64 = 360;

/// Bytes that are either coded or stored.
#[derive(Debug, Clone, Copy)]
struct Segment {
    coded: bool,
    from: usize,
    to: usize,
    /// Number of matches in a coded segment.
    matches: usize,
}

/// The layout of rows that can be split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rows {
    /// Bytes per row.
    row: usize,
    /// Bytes per plane.
    plane: usize,
}

impl Rows {
    /// Returns the layout if the bytes can be rows of planes.
    pub(super) fn new(row: usize, sample: usize) -> Option<Self> {
        let plane = row.checked_div(sample)?;
        (matches!(sample, 4 | 8) && plane >= NARROWEST && plane * sample == row).then_some(Self { row, plane })
    }

    /// Returns the size of a group of whole rows in bytes.
    pub(super) fn group(self) -> usize {
        self.row * (GROUP / self.row).max(1)
    }

    /// Returns the number of bytes of each row to code if storing the others pays; `promise` estimates the gain of
    /// matches.
    pub(super) fn coded(self, bytes: &[u8], promise: impl FnOnce() -> Promise) -> Option<usize> {
        let planes = self.row / self.plane;
        let mut counts = vec![Counts::default(); planes];
        let mut sampled = 0;
        for row in bytes.chunks_exact(self.row).step_by(SAMPLED) {
            for (counts, plane) in counts.iter_mut().zip(row.chunks_exact(self.plane)) {
                counts.literals(plane);
            }
            sampled += 1;
        }
        let mut together = Counts::default();
        counts.iter().for_each(|counts| together.merge(counts));
        let whole = costs::block_bits(&together);
        let mut head = Counts::default();
        let mut best = (whole - whole / 64, None);
        for split in 1..planes {
            head.merge(&counts[split - 1]);
            let stored = (planes - split) * self.plane * 8 + 48;
            let bits = costs::block_bits(&head) + sampled * (stored as u64 + HEADER) * u64::from(BIT);
            if bits < best.0 {
                best = (bits, Some(split * self.plane));
            }
        }
        self.holds(bytes, best.1?, promise)
    }

    /// Returns `coded` if splitting rows beats the match finders, which some rows are tried for.
    fn holds(self, bytes: &[u8], coded: usize, promise: impl FnOnce() -> Promise) -> Option<usize> {
        let guess = Costs::guess(&bytes[..self.row]);
        let (mut whole, mut heads) = (Tally::default(), Tally::default());
        let mut matches = Vec::new();
        let mut tried = 0;
        for row in (0..bytes.len() / self.row).skip(1).step_by(TRIED) {
            let from = row * self.row;
            for (tally, to) in [(&mut whole, from + self.row), (&mut heads, from + coded)] {
                matches.clear();
                fast::find(bytes, from, to, self.row, &guess, &mut matches);
                tally.piece(&bytes[from..to], &matches);
            }
            tried += 1;
        }
        let stored = ((self.row - coded) * 8 + 48) as u64;
        let split = costs::block_bits(&heads.counts()) + tried * (stored + HEADER) * u64::from(BIT);
        let whole = costs::block_bits(&whole.counts());
        // The split has to make up for the matches it prevents; short ones save more than the sample shows.
        let holds = |short: u64, long: u64| split + whole * (18 + 3 * short + long / 2) / 2048 <= whole;
        // The estimate takes time, so it is skipped if it cannot change the result.
        let holds = holds(0, 0) && {
            let Promise { short, long, .. } = promise();
            holds(short, long)
        };
        holds.then_some(coded)
    }
}

/// Writes split rows; reuses its memory across groups.
#[derive(Default)]
pub(super) struct Splitter {
    segments: Vec<Segment>,
    matches: Vec<Match>,
    lengths: Lengths,
    trial: Lengths,
    header: Header,
    packed: Packed,
    codes: Codes,
}

impl Splitter {
    /// Writes whole rows, `input[from..to]`, with the first `coded` bytes of each row coded.
    pub(super) fn write(
        &mut self,
        input: &[u8],
        (from, to): (usize, usize),
        (rows, coded): (Rows, usize),
        stream: &mut Stream<'_>,
    ) {
        let last = to == input.len();
        self.cut(input, (from, to), (rows, coded));
        let mut costs = Costs::guess(&input[from..from + coded]);
        let mut counts = Counts::default();
        // The first pass learns the cost of matches.
        for pass in 0..2 {
            let mut tally = Tally::default();
            let mut blocks = 0;
            self.matches.clear();
            let sampled = if pass == 0 { 16 } else { usize::MAX };
            for segment in self.segments.iter_mut().filter(|segment| segment.coded).take(sampled) {
                let before = self.matches.len();
                fast::find(input, segment.from, segment.to, rows.row, &costs, &mut self.matches);
                segment.matches = self.matches.len() - before;
                tally.piece(&input[segment.from..segment.to], &self.matches[before..]);
                blocks += 1;
            }
            counts = tally.counts();
            counts.literals[END_OF_BLOCK] = blocks;
            costs = Costs::new(&counts);
        }
        self.choose(&counts);
        let mut matches = &self.matches[..];
        let end = self.segments.len();
        for (index, segment) in self.segments.iter().enumerate() {
            let bytes = &input[segment.from..segment.to];
            let last = last && index + 1 == end;
            if !segment.coded {
                stream.stored(bytes, last);
                continue;
            }
            let (here, rest) = matches.split_at(segment.matches);
            matches = rest;
            // No literal code is longer than 15 bits, and no match takes more than six bytes.
            let most = self.header.bits + 64 + 16 * bytes.len() as u64 + 48 * here.len() as u64;
            stream.write(most, |writer| {
                self.packed.write(last, writer);
                self.codes.write(bytes, here, writer);
            });
        }
    }

    /// Cuts rows into segments. Adjacent segments of the same kind are merged.
    fn cut(&mut self, input: &[u8], (from, to): (usize, usize), (rows, coded): (Rows, usize)) {
        self.segments.clear();
        let segments = &mut self.segments;
        let mut push = |coded: bool, from: usize, to: usize| match segments.last_mut() {
            Some(before) if before.coded == coded => before.to = to,
            _ if from < to => segments.push(Segment { coded, from, to, matches: 0 }),
            _ => {}
        };
        for row in (from..to).step_by(rows.row) {
            let (mut at, end) = (row + coded, row + rows.row);
            push(true, row, at);
            let mut stored = at;
            while at + RUN <= end {
                let byte = input[at];
                if input[at..at + 8] != [byte; 8] {
                    at += RUN / 4;
                    continue;
                }
                let begin = at - input[stored..at].iter().rev().take_while(|&&other| other == byte).count();
                let behind = at + input[at..end].iter().take_while(|&&other| other == byte).count();
                if behind - begin >= RUN {
                    push(false, stored, begin);
                    push(true, begin, behind);
                    stored = behind;
                }
                at = behind.max(at + RUN / 4);
            }
            push(false, stored, end);
        }
    }

    /// Chooses the code that minimizes the total size of all headers and bodies.
    fn choose(&mut self, counts: &Counts) {
        /// Maximum deviation of counts from the mean of their neighbors to be treated as equal, in eighths.
        const TOLERANCES: [u64; 5] = [0, 1, 2, 4, 7];
        let times = u64::from(counts.literals[END_OF_BLOCK]);
        let mut best = u64::MAX;
        for tolerance in TOLERANCES {
            let mut smooth = counts.clone();
            even_out(&mut smooth.literals[..256], tolerance);
            block::lengths(&smooth, &mut self.trial);
            self.header.plan(&self.trial);
            let bits = times * self.header.bits + block::body_bits(counts, &self.trial);
            if bits < best {
                best = bits;
                self.lengths.clone_from(&self.trial);
            }
        }
        self.header.plan(&self.lengths);
        self.packed.set(&self.header);
        self.codes.set(&self.lengths);
    }
}

/// Replaces runs of similar counts by their mean: equal adjacent lengths take few bits in the header.
fn even_out(counts: &mut [u32], tolerance: u64) {
    let mut start = 0;
    while start < counts.len() {
        let mut sum = u64::from(counts[start]);
        let mut end = start + 1;
        while end < counts.len() {
            let count = u64::from(counts[end]);
            let many = (end - start) as u64;
            if (count * many).abs_diff(sum) * 8 > sum * tolerance {
                break;
            }
            sum += count;
            end += 1;
        }
        let mean = sum.div_ceil((end - start) as u64) as u32;
        counts[start..end].fill(mean);
        start = end;
    }
}
