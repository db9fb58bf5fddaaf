//! Parsing of bytes into blocks: the match finder for each section, and the boundaries of blocks.

use super::Layout;
use super::block::{BlockWriter, Stream};
use super::chains::{Chains, Effort};
use super::costs::{self, Costs};
use super::fast;
use super::pairs::Pairs;
use super::select::{Promise, Sampler};
use super::short::{Depth, Short};
use super::split::{Rows, Splitter};
use super::symbols::{Counts, Match, Tally};

/// Bytes that are parsed with the same costs. Blocks consist of whole units.
const UNIT: usize = 32 << 10;
/// Bytes covered by one choice of a match finder.
const SECTION: usize = 256 << 10;
/// Bytes that are sampled before anything is parsed.
const SAMPLE: usize = 12 << 10;
/// Bytes of a section that are parsed by several finders for comparison.
const TRIAL: usize = 4 << 10;
/// Bytes before a trial that are inserted into the table of pairs.
const BEFORE: usize = 24 << 10;
/// Minimum estimated gain for trying pairs.
const LEAST_FOR_PAIRS: u64 = 4;
/// A finder is useful for a unit if it saves at least one part in this many.
const LEAST_USE: u64 = 256;
/// If the thorough finder saves less than one part in this many, its depth is reduced.
const MUCH: u64 = 8;
/// The reduced depth.
const LITTLE_DEPTH: u32 = 2;
/// log2 of the literals in a row after which one more position is skipped, for rows of planes.
const SKIP_IN_PLANES: u32 = 2;
/// Maximum number of literals and matches in a block that takes in more units.
const MOST_SYMBOLS: u32 = 1 << 18;

/// A match finder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Finder {
    Fast,
    /// Short matches.
    Short(Depth),
    /// Short matches that start at even or odd positions.
    Pairs(bool),
    Thorough(Effort),
}

/// The choice of match finders at a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Policy {
    /// The effort of the thorough finder.
    effort: Effort,
    /// The effort of the short finder.
    short: Depth,
    /// True to try the finder of pairs.
    pairs: bool,
    /// If set, finders are chosen for each unit by their results for the whole unit, instead of by trials.
    by_unit: Option<ByUnit>,
}

/// Limits for the slow finders if finders are chosen unit by unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct ByUnit {
    /// Minimum estimated gain of a unit.
    promise: u64,
    /// Maximum number of units to skip after a finder was of no use.
    rest: u32,
}

impl Policy {
    /// Returns the policy of a level from 1 to 9.
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
        let short = match level {
            0..=4 => Depth { places: 4, nice: 4 },
            5 | 6 => Depth { places: 6, nice: 24 },
            7 => Depth { places: 12, nice: 32 },
            8 => Depth { places: 24, nice: 64 },
            _ => Depth { places: 64, nice: 128 },
        };
        let by_unit = match level {
            0..=6 => None,
            7 => Some(ByUnit { promise: 2, rest: 7 }),
            8 => Some(ByUnit { promise: 1, rest: 1 }),
            _ => Some(ByUnit { promise: 0, rest: 1 }),
        };
        Self { effort, short, pairs: level == 6, by_unit }
    }
}

/// Back-off of a finder that is chosen unit by unit.
#[derive(Debug, Clone, Copy, Default)]
struct Turn {
    /// Units left to skip.
    left: u32,
    /// Units skipped last time.
    rest: u32,
}

impl Turn {
    /// Returns whether the finder takes this unit.
    fn is_due(&mut self) -> bool {
        let due = self.left == 0;
        self.left = self.left.saturating_sub(1);
        due
    }

    /// Records the result: a finder that is repeatedly of no use skips more and more units.
    fn settle(&mut self, useful: bool, most: u32) {
        self.rest = if useful { 0 } else { (self.rest * 2 + 1).min(most) };
        self.left = self.rest;
    }
}

/// A block that can still take in units.
#[derive(Default)]
struct Pending {
    start: usize,
    end: usize,
    matches: Vec<Match>,
    /// Literals after the last match.
    literals: usize,
    counts: Counts,
    bits: u64,
}

impl Pending {
    /// Restarts at `start`.
    fn restart(&mut self, start: usize) {
        self.start = start;
        self.end = start;
        self.matches.clear();
        self.literals = 0;
        self.counts = Counts::default();
        self.bits = 0;
    }

    /// Appends a unit.
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

/// A finder's result for a unit.
#[derive(Default)]
struct Parsed {
    matches: Vec<Match>,
    counts: Counts,
    bits: u64,
}

/// The match finders that keep tables of positions.
#[derive(Default)]
struct Finders {
    chains: Chains,
    short: Short,
    pairs: Pairs,
}

impl Finders {
    /// Forgets all positions.
    fn reset(&mut self) {
        self.chains.reset();
        self.short.reset();
        self.pairs.reset();
    }
}

/// Parses and writes blocks; reuses its memory across streams.
#[derive(Default)]
pub(super) struct Parser {
    finders: Finders,
    sampler: Sampler,
    pending: Pending,
    parsed: Parsed,
    other: Parsed,
    writer: BlockWriter,
    splitter: Splitter,
    /// Back-off of the thorough and the short finder, if finders are chosen unit by unit.
    turns: [Turn; 2],
    /// True to check matches against the final code in every block.
    weighs_again: bool,
    /// True if the open block is the first of a segment.
    first: bool,
}

impl Parser {
    /// Encodes all of `input`.
    pub(super) fn encode(&mut self, input: &[u8], layout: Layout, policy: Policy, stream: &mut Stream<'_>) {
        self.finders.reset();
        self.weighs_again = policy.by_unit.is_some();
        // Bytes up to `at` that are not split.
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
        self.first = true;
        self.turns = Default::default();
        let mut costs = Costs::guess(&input[from..to.min(from + UNIT)]);
        let mut finder = Finder::Fast;
        let mut at = from;
        let mut chosen = from;
        while at < to {
            if at == chosen && policy.by_unit.is_none() {
                finder = self.choose(input, (at, to), layout, policy, &mut costs);
                chosen += SECTION;
            }
            let end = to.min(at + UNIT);
            self.parsed.run(&mut self.finders, finder, input, (at, end), layout, &costs);
            if let Some(by_unit) = policy.by_unit {
                self.take_turns(input, (at, end), layout, policy, by_unit, &costs);
            }
            costs = Costs::new(&self.parsed.counts);
            self.add(input, end - at, stream);
            at = end;
        }
    }

    /// Runs the slow finders that are due on a unit that the fast one has parsed; the smallest result is kept.
    fn take_turns(
        &mut self,
        input: &[u8],
        (from, to): (usize, usize),
        layout: Layout,
        policy: Policy,
        by_unit: ByUnit,
        costs: &Costs,
    ) {
        let due = self.turns.each_mut().map(Turn::is_due);
        if due == [false; 2] {
            return;
        }
        let Promise { short, long, .. } = self.sampler.promise(&input[from..to], layout.row_bytes);
        let takes = [due[0] && short.max(long) >= by_unit.promise, due[1] && short >= by_unit.promise];
        let slow = [Finder::Thorough(policy.effort), Finder::Short(policy.short)];
        let fast = self.parsed.bits;
        let mut best = slow.len();
        for index in (0..slow.len()).filter(|&index| takes[index]) {
            self.other.run(&mut self.finders, slow[index], input, (from, to), layout, costs);
            if self.other.bits < self.parsed.bits {
                std::mem::swap(&mut self.parsed, &mut self.other);
                best = index;
            }
        }
        let useful = self.parsed.bits + fast / LEAST_USE < fast;
        for index in (0..slow.len()).filter(|&index| takes[index]) {
            self.turns[index].settle(useful && best == index, by_unit.rest);
        }
    }

    /// Adds the parsed unit to the open block, or closes that block and starts another.
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
        // Matches of the first unit were found before any costs were known.
        let weighs_again = self.weighs_again || std::mem::take(&mut self.first) && *end - *start <= UNIT;
        self.writer.block(&input[*start..*end], (matches, counts), weighs_again, last, stream);
    }

    /// Chooses the finder for the section that starts at `from`.
    fn choose(
        &mut self,
        input: &[u8],
        (from, to): (usize, usize),
        layout: Layout,
        policy: Policy,
        costs: &mut Costs,
    ) -> Finder {
        let end = to.min(from + SECTION);
        // An even number of bytes before the sample keeps pairs aligned.
        let busy = from + busiest(&input[from..end]);
        let first = busy.saturating_sub(SAMPLE / 2).max(from) & !1;
        let sample = &input[first..end.min(busy + SAMPLE / 2)];
        let Promise { short, long, odd } = self.sampler.promise(sample, layout.row_bytes);
        let middle = busy.saturating_sub(TRIAL / 2).clamp(from, from.max(end.saturating_sub(TRIAL)));
        let range = (middle, end.min(middle + TRIAL));
        let pairs = odd.filter(|_| policy.pairs && short >= LEAST_FOR_PAIRS);
        // Chains of eight bytes are useless if nothing repeats for long, and short chains are if everything does.
        let eights = (long >= 6 || short >= 9) && short <= 4 * long;
        let effort = policy.effort;
        let eights = eights.then_some(Effort {
            // In rows of planes, matches are in the first planes, and the rest is noise.
            skip: if layout.planes > 1 { effort.skip.min(SKIP_IN_PLANES) } else { effort.skip },
            ..if short > long { Effort { least: 3, lazy: effort.lazy.max(16), depth: 3, ..effort } } else { effort }
        });
        // Pairs are a special kind of short match.
        let fours = (short >= 9 && long <= 4 * short && pairs.is_none()).then_some(policy.short);
        let slow = [eights.map(Finder::Thorough), fours.map(Finder::Short)];
        if slow == [None, None] && pairs.is_none() {
            return Finder::Fast;
        }
        self.parsed.run(&mut self.finders, Finder::Fast, input, range, layout, costs);
        let fast = self.parsed.bits;
        let mut best = (fast, Finder::Fast);
        let mut adapted = None;
        let mut compare = |parser: &mut Self, finder: Finder| {
            if let Finder::Pairs(odd) = finder {
                // The savings of short matches depend on their costs, and costs from where there were none are useless.
                let bytes = &input[range.0..range.1];
                parser.other.run(&mut parser.finders, finder, input, range, layout, &Costs::guess(bytes));
                for _ in 0..2 {
                    let costs = Costs::new(&parser.other.counts);
                    parser.finders.pairs.choose(input, range, odd, &costs, &mut parser.other.matches);
                    parser.other.count(bytes);
                }
            } else {
                parser.other.run(&mut parser.finders, finder, input, range, layout, costs);
            }
            // A slow finder takes several times longer, so it has to save a minimum share, and more than chance could.
            let share = match finder {
                Finder::Pairs(_) => 48,
                _ if layout.planes > 1 => 32,
                _ => 42,
            };
            let worth = parser.other.bits / share + 160 * u64::from(costs::BIT);
            let margin = if best.1 == Finder::Fast { 0 } else { fast / 128 };
            if parser.other.bits + worth < fast && parser.other.bits + margin < best.0 {
                best = (parser.other.bits, finder);
                // Costs from the fast finder's result know no short matches, which would then never be chosen.
                adapted = matches!(finder, Finder::Pairs(_)).then(|| Costs::new(&parser.other.counts));
            }
        };
        if let Some(odd) = pairs {
            self.finders.pairs.enter(input, (middle.saturating_sub(BEFORE).max(from), middle), odd);
            compare(self, Finder::Pairs(odd));
        }
        for finder in slow.into_iter().flatten() {
            compare(self, finder);
        }
        if let Some(adapted) = adapted {
            *costs = adapted;
        }
        let (bits, mut finder) = best;
        if let Finder::Thorough(effort) = &mut finder
            && fast - bits < fast / MUCH
        {
            effort.depth = effort.depth.min(LITTLE_DEPTH);
        }
        finder
    }
}

/// Returns the middle of the part of `bytes` with the most changes: an empty part says nothing about the others.
fn busiest(bytes: &[u8]) -> usize {
    const PARTS: usize = 9;
    const EACH: usize = 31;
    let part = bytes.len() / PARTS;
    let changes = |index: usize| -> usize {
        let part = &bytes[index * part..][..part];
        part.chunks_exact(EACH).map(|bytes| usize::from(bytes[0] != bytes[1])).sum()
    };
    // Prefer the middle part unless another one has clearly more.
    let middle = changes(PARTS / 2);
    let (most, index) = (0..PARTS).map(|index| (changes(index), index)).max().unwrap_or_default();
    (if most > 2 * middle { index } else { PARTS / 2 }) * part + part / 2
}

impl Parsed {
    /// Finds matches in a range and counts symbols.
    fn run(
        &mut self,
        finders: &mut Finders,
        finder: Finder,
        input: &[u8],
        (from, to): (usize, usize),
        Layout { row_bytes: row, planes }: Layout,
        costs: &Costs,
    ) {
        self.matches.clear();
        match finder {
            Finder::Fast => fast::find(input, from, to, row, costs, &mut self.matches),
            Finder::Short(depth) => finders.short.find(input, (from, to), depth, costs, &mut self.matches),
            Finder::Pairs(odd) => finders.pairs.find(input, (from, to), odd, costs, &mut self.matches),
            Finder::Thorough(effort) => {
                finders.chains.find(input, (from, to), (row, planes), effort, costs, &mut self.matches)
            }
        }
        self.count(&input[from..to]);
    }

    /// Counts the symbols of `bytes` with the current matches.
    fn count(&mut self, bytes: &[u8]) {
        let mut tally = Tally::default();
        tally.piece(bytes, &self.matches);
        self.counts = tally.counts();
        self.bits = costs::block_bits(&self.counts);
    }
}

#[cfg(test)]
mod tests {
    use super::Turn;

    #[test]
    fn what_was_of_no_use_rests_longer_and_longer_up_to_a_bound() {
        let mut turn = Turn::default();
        // Whether a unit was useful, and how many units are skipped after it.
        for (useful, rests) in [(false, 1), (false, 3), (false, 7), (false, 7), (true, 0), (false, 1)] {
            assert!(turn.is_due());
            turn.settle(useful, 7);
            assert!((0..rests).all(|_| !turn.is_due()), "{useful}, {rests}");
        }
    }
}
