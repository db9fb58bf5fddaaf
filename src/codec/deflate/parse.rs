//! From bytes to blocks: which finder takes a stretch, and where one block ends and the next begins.

use super::Layout;
use super::block::{BlockWriter, Stream};
use super::chains::{Chains, Effort};
use super::costs::{self, Costs};
use super::fast;
use super::select::{Promise, Sampler};
use super::short::Short;
use super::split::{Rows, Splitter};
use super::symbols::{Counts, Match};

/// Bytes that are parsed under the same costs. Blocks are made of whole units.
const UNIT: usize = 32 << 10;
/// Bytes that one choice of a finder holds for.
const SECTION: usize = 256 << 10;
/// Bytes of a unit that two finders take for comparison.
const TRIAL: usize = 8 << 10;
/// A block takes in units as long as it has at most so many literals and matches.
const MOST_SYMBOLS: u32 = 1 << 18;

/// Which finder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Finder {
    Fast,
    /// Short matches, with a look at the next place or without.
    Short(bool),
    Thorough(Effort),
}

/// How the finder is chosen at a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Policy {
    /// The thorough finder's effort.
    effort: Effort,
    /// Whether the finder of short matches looks at the next place too.
    lazy: bool,
    /// Whether both finders take every unit, and the better one is kept.
    both: bool,
}

impl Policy {
    /// The policy of a level from 1 to 9.
    pub(super) const fn new(level: u8) -> Self {
        const fn made(depth: u32, nice: usize, lazy: usize, least: usize, skip: u32, sparse: usize) -> Effort {
            Effort { depth, nice, lazy, least, skip, sparse }
        }
        let effort = match level {
            0 | 1 => made(1, 32, 0, 8, 4, 16),
            2 => made(1, 32, 0, 8, 5, 8),
            3 => made(2, 48, 0, 8, 5, 8),
            4 => made(2, 64, 16, 8, 5, 8),
            5 => made(3, 64, 16, 8, 5, 8),
            6 => made(6, 128, 0, 8, 5, 16),
            7 => made(12, 96, 32, 4, 6, 4),
            8 => made(32, 258, 64, 3, 8, 1),
            _ => made(128, 258, 258, 3, 10, 1),
        };
        Self { effort, lazy: level >= 5, both: level >= 7 }
    }
}

/// A block that units may still be added to.
#[derive(Default)]
struct Pending {
    start: usize,
    end: usize,
    matches: Vec<Match>,
    /// Literals behind the last match.
    literals: usize,
    counts: Counts,
    bits: u64,
}

impl Pending {
    /// Starts anew at `start`.
    fn restart(&mut self, start: usize) {
        self.start = start;
        self.end = start;
        self.matches.clear();
        self.literals = 0;
        self.counts = Counts::default();
        self.bits = 0;
    }

    /// Takes a unit in.
    fn append(&mut self, matches: &[Match], length: usize) {
        let mut covered = 0;
        for found in matches {
            covered += found.literals as usize + usize::from(found.length);
            self.matches.push(Match { literals: found.literals + self.literals as u32, ..*found });
            self.literals = 0;
        }
        self.literals += length - covered;
        self.end += length;
    }
}

/// What one finder made of a unit.
#[derive(Default)]
struct Parsed {
    matches: Vec<Match>,
    counts: Counts,
    bits: u64,
}

/// Parses and writes; keeps memory from stream to stream.
#[derive(Default)]
pub(super) struct Parser {
    chains: Chains,
    short: Short,
    sampler: Sampler,
    pending: Pending,
    parsed: Parsed,
    other: Parsed,
    writer: BlockWriter,
    splitter: Splitter,
}

impl Parser {
    /// Encodes all of `input`.
    pub(super) fn encode(&mut self, input: &[u8], layout: Layout, policy: Policy, stream: &mut Stream<'_>) {
        self.chains.reset();
        self.short.reset();
        // Bytes that no split took, up to `at`.
        let mut plain = 0;
        let mut at = 0;
        if let Some(rows) = Rows::new(layout.row_bytes, layout.planes) {
            while at + layout.row_bytes <= input.len() {
                let end = at + rows.group().min((input.len() - at) / layout.row_bytes * layout.row_bytes);
                let bytes = &input[at..end];
                let promise = || self.sampler.promise(bytes, layout.row_bytes);
                if let Some(coded) = rows.coded(bytes, promise) {
                    if plain < at {
                        self.stretch(input, (plain, at), layout, policy, stream);
                        self.close(input, false, stream);
                    }
                    self.splitter.write(input, (at, end), (rows, coded), stream);
                    plain = end;
                }
                at = end;
            }
        }
        if plain < input.len() || input.is_empty() {
            self.stretch(input, (plain, input.len()), layout, policy, stream);
            self.close(input, true, stream);
        }
    }

    /// Parses `from..to` into blocks; the last one stays open.
    fn stretch(
        &mut self,
        input: &[u8],
        (from, to): (usize, usize),
        layout: Layout,
        policy: Policy,
        stream: &mut Stream<'_>,
    ) {
        self.pending.restart(from);
        let mut costs = Costs::guess(&input[from..to.min(from + UNIT)]);
        let mut finder = Finder::Fast;
        let mut at = from;
        let mut chosen = from;
        while at < to {
            if at == chosen {
                finder = self.choose(input, (at, to), layout, policy, &costs);
                chosen += SECTION;
            }
            let end = to.min(at + UNIT);
            self.parsed.run((&mut self.chains, &mut self.short), finder, input, (at, end), layout.row_bytes, &costs);
            if policy.both {
                let finder = Finder::Thorough(policy.effort);
                self.other.run((&mut self.chains, &mut self.short), finder, input, (at, end), layout.row_bytes, &costs);
                if self.other.bits < self.parsed.bits {
                    std::mem::swap(&mut self.parsed, &mut self.other);
                }
            }
            costs = Costs::new(&self.parsed.counts);
            self.add(input, end - at, stream);
            at = end;
        }
    }

    /// Adds the parsed unit to the block, or closes the block before it.
    fn add(&mut self, input: &[u8], length: usize, stream: &mut Stream<'_>) {
        let mut merged = self.pending.counts.clone();
        merged.merge(&self.parsed.counts);
        let merged_bits = costs::block_bits(&merged);
        let apart = self.pending.bits + self.parsed.bits + costs::header_bits(&self.parsed.counts);
        let symbols: u32 = merged.literals.iter().sum();
        if self.pending.start == self.pending.end || (merged_bits <= apart && symbols <= MOST_SYMBOLS) {
            self.pending.bits = merged_bits;
            self.pending.counts = merged;
        } else {
            self.close(input, false, stream);
            self.pending.restart(self.pending.end);
            self.pending.counts.merge(&self.parsed.counts);
            self.pending.bits = self.parsed.bits;
        }
        self.pending.append(&self.parsed.matches, length);
    }

    /// Writes the open block.
    fn close(&mut self, input: &[u8], last: bool, stream: &mut Stream<'_>) {
        let Pending { start, end, matches, counts, .. } = &mut self.pending;
        self.writer.block(&input[*start..*end], matches, counts, last, stream);
    }

    /// The finder for the section that starts at `from`.
    fn choose(
        &mut self,
        input: &[u8],
        (from, to): (usize, usize),
        layout: Layout,
        policy: Policy,
        costs: &Costs,
    ) -> Finder {
        if policy.both {
            return Finder::Fast;
        }
        let end = to.min(from + SECTION);
        let Promise { short, long } = self.sampler.promise(&input[from..end], layout.row_bytes);
        if long < 6 && short < 9 {
            return Finder::Fast;
        }
        // Where nothing repeats for long, chains of eight bytes are of no use.
        let thorough = if short > 4 * long {
            Finder::Short(policy.lazy)
        } else if short > long {
            Finder::Thorough(Effort { least: 3, lazy: policy.effort.lazy.max(8), depth: 1, ..policy.effort })
        } else {
            Finder::Thorough(policy.effort)
        };
        let middle = from + (end - from).saturating_sub(TRIAL) / 2;
        let range = (middle, end.min(middle + TRIAL));
        self.parsed.run((&mut self.chains, &mut self.short), Finder::Fast, input, range, layout.row_bytes, costs);
        self.other.run((&mut self.chains, &mut self.short), thorough, input, range, layout.row_bytes, costs);
        // It takes several times longer, so it has to save a share, and more than chance may.
        let worth = self.other.bits / 40 + 160 * u64::from(costs::BIT);
        if self.other.bits + worth < self.parsed.bits { thorough } else { Finder::Fast }
    }
}

impl Parsed {
    /// Finds matches in a range and counts.
    fn run(
        &mut self,
        (chains, short): (&mut Chains, &mut Short),
        finder: Finder,
        input: &[u8],
        (from, to): (usize, usize),
        row: usize,
        costs: &Costs,
    ) {
        self.matches.clear();
        match finder {
            Finder::Fast => fast::find(input, from, to, row, costs, &mut self.matches),
            Finder::Short(lazy) => short.find(input, (from, to), lazy, costs, &mut self.matches),
            Finder::Thorough(effort) => chains.find(input, (from, to), row, effort, costs, &mut self.matches),
        }
        self.counts = Counts::default();
        self.counts.piece(&input[from..to], &self.matches);
        self.bits = costs::block_bits(&self.counts);
    }
}
