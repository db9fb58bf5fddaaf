//! Convolutions of several columns at once. Additions for every column are in the same order as one by one, so results
//! are bit-identical, but run in as many SIMD lanes as the processor has.
//!
//! Columns form a block if their source pixels start two apart, which is the case where a level halves: nearly
//! everywhere.

use crate::error::Result;

use super::filter::Taps;
use super::reserve;

/// Columns per block.
pub(super) const BLOCK: usize = 8;

/// A value for each column of a block.
pub(super) type Values = [f64; BLOCK];

/// The order in which the products of a pixel are summed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Order {
    /// One after the other.
    OneSum,
    /// Of each four, the first two go to one sum and the others to a second; the remainder goes to the first.
    Pairs,
    /// The first `n` products go to four sums in turn, which are combined as (1 + 3) + (2 + 4); the remainder follows
    /// one by one.
    Lanes(usize),
}

/// The products to sum for each column of a block.
pub(super) trait Products {
    /// Adds the products with index `index` to the sums of all columns.
    fn add(&self, index: usize, sums: &mut Values);
}

impl Order {
    /// Sums the first `count` products.
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
                // Two sums at a time: four do not fit in the registers.
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

/// The weights of columns that form blocks.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    /// One entry for every eight columns; `None` if they do not form a block.
    blocks: Vec<Option<Block>>,
    /// The weights of all columns for their first pixel, then for their second, and so on; then their totals, if pixels
    /// may be invalid.
    weights: Vec<Values>,
    /// True if pixels may be invalid.
    gaps: bool,
}

/// Columns that form a block.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block {
    /// The first source column of the first column; those of the others follow in steps of two.
    pub(super) start: usize,
    /// The start of the weights.
    pub(super) offset: usize,
    /// Source columns per column.
    pub(super) count: usize,
}

impl Block {
    /// Returns the source columns of the whole block.
    pub(super) fn range(&self) -> std::ops::Range<usize> {
        self.start..self.start + 2 * (BLOCK - 1) + self.count
    }
}

impl Blocks {
    /// Builds the blocks; `total` sums the weights of a column.
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
            // At even sizes, all blocks except the outermost ones are identical.
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

    /// Returns the block that starts at this column, for sums that do (`gaps`) or do not skip invalid pixels.
    pub(super) fn at(&self, column: usize, gaps: bool) -> Option<Block> {
        if gaps != self.gaps || !column.is_multiple_of(BLOCK) {
            return None;
        }
        self.blocks.get(column / BLOCK).copied().flatten()
    }

    /// Returns the weights of all blocks, one after the other.
    pub(super) fn weights(&self) -> &[Values] {
        &self.weights
    }

    /// Returns the sums of a block of a row. With gaps, they are divided by the weights of all pixels, so a NaN stays
    /// NaN.
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
    // Inlined: a call for every few products would cost more than they do.
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

/// The pixels of a row, split into even and odd columns: if starts are two apart, they become adjacent.
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

    /// Returns every second pixel, starting at a column and at the next one.
    pub(super) fn from(&self, column: usize) -> [&[F]; 2] {
        let (even, odd) = (&self.even[column.div_ceil(2)..], &self.odd[column / 2..]);
        if column.is_multiple_of(2) { [even, odd] } else { [odd, even] }
    }
}

/// Returns whether all values are finite; checking every one is faster than stopping at the first.
pub(super) fn all_finite(values: &Values) -> bool {
    let [a, b, c, d, e, f, g, h] = values.map(|value| value * 0.0);
    ((a + b) + (c + d)) + ((e + f) + (g + h)) == 0.0
}

fn reserve_more(table: &mut Vec<Values>, count: usize) -> Result<()> {
    // Grows by half, to avoid a copy each time.
    if table.capacity() - table.len() >= count { Ok(()) } else { reserve(table, count.max(table.len() / 2)) }
}
