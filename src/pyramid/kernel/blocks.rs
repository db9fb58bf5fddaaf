//! Convolutions of several columns side by side: the additions of every column in the same order as one by one, so the
//! same bits, but as many at a time as the processor likes.
//!
//! Columns go together where their source pixels start two apart, which is where a level halves: nearly everywhere.

use crate::error::Result;

use super::filter::Taps;
use super::reserve;

/// Columns of a block.
pub(super) const BLOCK: usize = 8;

/// A value for each column of a block.
pub(super) type Values = [f64; BLOCK];

/// The order in which the products of a pixel are added up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Order {
    /// One after the other.
    OneSum,
    /// Of each four, the first two to one sum, the others to a second; what is left at the end to the first.
    Pairs,
    /// Four sums in turn for the first so many, added up as (1 + 3) + (2 + 4); then what is left, one after the other.
    Lanes(usize),
}

/// What is added up for each column of a block.
pub(super) trait Products {
    /// Adds the product with a number to the sums of all columns.
    fn add(&self, index: usize, sums: &mut Values);
}

impl Order {
    /// Adds up the first `count` products.
    pub(super) fn sum(self, count: usize, products: &impl Products) -> Values {
        let add = |index, sums: &mut Values| products.add(index, sums);
        let mut first = [0.0; BLOCK];
        let mut second = [0.0; BLOCK];
        let join = |first: &mut Values, second: &Values| {
            for (first, second) in first.iter_mut().zip(second) {
                *first += second;
            }
        };
        match self {
            Self::OneSum => (0..count).for_each(|index| add(index, &mut first)),
            Self::Pairs => {
                let whole = count - count % 4;
                for four in (0..whole).step_by(4) {
                    add(four, &mut first);
                    add(four + 1, &mut first);
                    add(four + 2, &mut second);
                    add(four + 3, &mut second);
                }
                (whole..count).for_each(|index| add(index, &mut first));
                join(&mut first, &second);
            }
            Self::Lanes(whole) => {
                // Two sums at a time: four don't fit into the registers.
                let (mut third, mut fourth) = ([0.0; BLOCK], [0.0; BLOCK]);
                for four in (0..whole).step_by(4) {
                    add(four, &mut first);
                    add(four + 2, &mut third);
                }
                join(&mut first, &third);
                for four in (0..whole).step_by(4) {
                    add(four + 1, &mut second);
                    add(four + 3, &mut fourth);
                }
                join(&mut second, &fourth);
                join(&mut first, &second);
                (whole..count).for_each(|index| add(index, &mut first));
            }
        }
        first
    }
}

/// The weights of the columns that go together.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    /// For each eight columns, if they go together.
    blocks: Vec<Option<Block>>,
    /// First the weights of all columns for their first pixel, then for their second, and so on; then their totals, where
    /// pixels may be missing.
    weights: Vec<Values>,
    /// Whether pixels may be missing.
    gaps: bool,
}

/// Columns that go together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block {
    /// The first source column of the first one; those of the others follow two by two.
    pub(super) start: usize,
    /// Where the weights start.
    pub(super) offset: usize,
    /// Source columns of each.
    pub(super) count: usize,
}

impl Block {
    /// The source columns of all.
    pub(super) fn range(&self) -> std::ops::Range<usize> {
        self.start..self.start + 2 * (BLOCK - 1) + self.count
    }
}

impl Blocks {
    /// `total` adds up the weights of a column.
    pub(super) fn new(taps: &Taps, gaps: bool, total: impl Fn(&[f64]) -> f64) -> Result<Self> {
        let mut found = Self { gaps, ..Self::default() };
        reserve(&mut found.blocks, taps.columns.len() / BLOCK)?;
        let mut last: Option<Block> = None;
        let mut values = Vec::new();
        for columns in taps.columns.chunks_exact(BLOCK) {
            let (start, count) = (columns[0].start, columns[0].count);
            let together =
                (start..).step_by(2).zip(columns).all(|(start, column)| (column.start, column.count) == (start, count));
            if !together {
                found.blocks.push(None);
                continue;
            }
            let weights = |column| if gaps { taps.open(column) } else { taps.plain(column) };
            values.clear();
            values.extend((0..count).map(|index| std::array::from_fn(|lane| weights(&columns[lane])[index])));
            if gaps {
                values.push(std::array::from_fn(|lane| total(taps.open(&columns[lane]))));
            }
            // At even sizes all blocks but the outermost are the same.
            let same = last.filter(|last| last.count == count && found.weights[last.offset..] == values[..]);
            let offset = same.map_or(found.weights.len(), |same| same.offset);
            if same.is_none() {
                reserve_more(&mut found.weights, values.len())?;
                found.weights.extend_from_slice(&values);
            }
            let block = Block { start, offset, count };
            last = Some(block);
            found.blocks.push(Some(block));
        }
        Ok(found)
    }

    /// The block that starts with this column, in sums that do or don't leave out missing pixels.
    pub(super) fn at(&self, column: usize, gaps: bool) -> Option<Block> {
        if gaps != self.gaps || !column.is_multiple_of(BLOCK) {
            return None;
        }
        self.blocks.get(column / BLOCK).copied().flatten()
    }

    /// The weights of all blocks, one behind the other.
    pub(super) fn weights(&self) -> &[Values] {
        &self.weights
    }

    /// The sums of a block of a row; with gaps, divided by the weights of all pixels: NaN where one is missing.
    pub(super) fn row(&self, block: Block, line: &Halves, order: Order) -> Values {
        let weights = &self.weights[block.offset..];
        let mut values = order.sum(block.count, &Across { halves: line.from(block.start), weights });
        if self.gaps {
            for (value, total) in values.iter_mut().zip(&weights[block.count]) {
                *value = if *total > 0.0 { *value / total } else { f64::NAN };
            }
        }
        values
    }
}

/// Pixels of a row times the weights of the columns.
struct Across<'a> {
    halves: [&'a [f64]; 2],
    weights: &'a [Values],
}

impl Products for Across<'_> {
    // A call for every few products would cost more than they do.
    #[inline(always)]
    fn add(&self, index: usize, sums: &mut Values) {
        let pixels = &self.halves[index % 2][index / 2..][..BLOCK];
        for ((sum, pixel), weight) in sums.iter_mut().zip(pixels).zip(&self.weights[index]) {
            *sum += pixel * weight;
        }
    }
}

/// Values of rows times the weights of the rows.
pub(super) struct Down<'a> {
    pub(super) lines: &'a [&'a Vec<f64>],
    pub(super) weights: &'a [f64],
    /// The first column of the block.
    pub(super) first: usize,
}

impl Products for Down<'_> {
    #[inline(always)]
    fn add(&self, index: usize, sums: &mut Values) {
        let weight = self.weights[index];
        for (sum, value) in sums.iter_mut().zip(&self.lines[index][self.first..][..BLOCK]) {
            *sum += value * weight;
        }
    }
}

/// The pixels of a row, those in even columns and those in odd ones apart: where starts are two apart, neighbours.
#[derive(Debug)]
pub(super) struct Halves<F = f64> {
    even: Vec<F>,
    odd: Vec<F>,
}

impl<F> Default for Halves<F> {
    fn default() -> Self {
        Self { even: Vec::new(), odd: Vec::new() }
    }
}

impl<F: Copy> Halves<F> {
    pub(super) fn set(&mut self, line: &[F]) {
        self.set_every(line, 1, 0);
    }

    /// Takes one of the samples of each pixel.
    pub(super) fn set_every(&mut self, line: &[F], samples: usize, sample: usize) {
        let Some(&any) = line.first() else { return };
        let half = (line.len() / samples).div_ceil(2);
        self.even.resize(half, any);
        self.odd.resize(half, any);
        let pairs = line.chunks_exact(2 * samples);
        if let (Some(last), Some(even)) = (pairs.remainder().get(sample), self.even.last_mut()) {
            *even = *last;
        }
        let halves = self.even.iter_mut().zip(&mut self.odd);
        if samples == 1 {
            halves.zip(pairs).for_each(|((even, odd), pair)| (*even, *odd) = (pair[0], pair[1]));
        } else {
            let pairs = pairs.map(|pair| (pair[sample], pair[samples + sample]));
            halves.zip(pairs).for_each(|((even, odd), pair)| (*even, *odd) = pair);
        }
    }

    /// Every second pixel from a column on, and from the next one on.
    pub(super) fn from(&self, column: usize) -> [&[F]; 2] {
        let (even, odd) = (&self.even[column.div_ceil(2)..], &self.odd[column / 2..]);
        if column.is_multiple_of(2) { [even, odd] } else { [odd, even] }
    }
}

/// Whether all are finite; looks at each, which is quicker than to stop at the first.
pub(super) fn all_finite(values: &Values) -> bool {
    let [a, b, c, d, e, f, g, h] = values.map(|value| value * 0.0);
    ((a + b) + (c + d)) + ((e + f) + (g + h)) == 0.0
}

fn reserve_more(table: &mut Vec<Values>, count: usize) -> Result<()> {
    // Grows by halves, so that it isn't copied each time.
    if table.capacity() - table.len() >= count { Ok(()) } else { reserve(table, count.max(table.len() / 2)) }
}
