//! Rows of floating-point planes: codes for the bytes that have an order, the others stored as they are.
//!
//! TIFF's floating-point predictor lays the first bytes of all samples of a row before all second ones, and so on.
//! The last bytes of measured values are noise. One code for both wastes bits on either: the noise flattens the code of
//! the rest. So a row becomes a dynamic block and a stored one. What a header costs in every row is won back by giving
//! many rows the same code, chosen with the header in mind.

use super::block::{self, Codes, Stream};
use super::costs::{self, BIT, Costs};
use super::fast;
use super::header::{Header, Lengths, Packed};
use super::select::Promise;
use super::symbols::{Counts, END_OF_BLOCK, Match, Tally};

/// Rows that share a code hold about so many bytes.
const GROUP: usize = 256 << 10;
/// One row of so many is looked at before anything is decided.
const SAMPLED: usize = 8;
/// One row of so many is parsed before the choice.
const TRIED: usize = 16;
/// A plane shorter than this does not pay for blocks of its own.
const NARROWEST: usize = 96;
/// So many equal bytes within noise get a coded block.
const RUN: usize = 128;
/// What the header of a row is taken to cost when the choice is made, in bits.
const HEADER: u64 = 360;

/// Bytes that are coded or stored.
#[derive(Debug, Clone, Copy)]
struct Segment {
    coded: bool,
    from: usize,
    to: usize,
    /// How many matches stand in a coded one.
    matches: usize,
}

/// Where a row is split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rows {
    /// Bytes of a row.
    row: usize,
    /// Bytes of a plane.
    plane: usize,
}

impl Rows {
    /// Rows of planes, if that is what the bytes can be.
    pub(super) fn new(row: usize, sample: usize) -> Option<Self> {
        let plane = row.checked_div(sample)?;
        (matches!(sample, 4 | 8) && plane >= NARROWEST && plane * sample == row).then_some(Self { row, plane })
    }

    /// Bytes of a group of whole rows.
    pub(super) fn group(self) -> usize {
        self.row * (GROUP / self.row).max(1)
    }

    /// How many bytes of each row to code, if the others are better stored; `promise` tells what matches may save.
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

    /// Whether a split of rows is worth it beside what the finders would make of them: some rows are tried.
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
        // What matches may save must be saved by the split too; short matches save more than the sample tells.
        let holds = |short: u64, long: u64| split + whole * (18 + 3 * short + long / 2) / 2048 <= whole;
        // A promise takes time, and is not asked for where it can't change anything.
        let holds = holds(0, 0) && {
            let Promise { short, long, .. } = promise();
            holds(short, long)
        };
        holds.then_some(coded)
    }
}

/// Writes split rows; keeps memory from group to group.
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
    /// Writes whole rows, `input[from..to]`, the first `coded` bytes of each row in codes.
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
        // The first pass learns what matches cost.
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
            // No code of a literal is longer than 15 bits, and no match takes more than six bytes.
            let most = self.header.bits + 64 + 16 * bytes.len() as u64 + 48 * here.len() as u64;
            stream.write(most, |writer| {
                self.packed.write(last, writer);
                self.codes.write(bytes, here, writer);
            });
        }
    }

    /// Cuts rows into segments. Neighbours of one kind become one.
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

    /// Chooses the code that makes all headers and bodies together shortest.
    fn choose(&mut self, counts: &Counts) {
        /// How far counts may lie from the mean of their neighbours to be taken for equal, in eighths.
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

/// Gives neighbours with similar counts the same: equal lengths in a row are told in few bits.
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
