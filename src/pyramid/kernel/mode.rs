//! The most frequent value (GDAL `GDALResampleChunk_ModeT`).

use std::collections::HashMap;

use crate::plan::window::Window;
use crate::sample::Value;

use super::rows::{Fill, Rows};
use super::{Kernel, Piece, small};

/// Distinct values are counted in a list for windows of at most this many pixels, and in a map for larger ones.
const LIST_WINDOW: usize = 64;

/// Fills a piece.
pub(super) fn compute<T: Value>(kernel: &Kernel, source: &Rows<'_, T>, piece: &mut Piece<'_, T>) {
    let mut counter = Counter::default();
    let any = |row: u32, window: &Window, sample: usize| {
        let rows = kernel.rows.covered(row);
        counter.start(rows.len() * window.len());
        let mut fill = Fill::default();
        for source_row in rows.start..rows.end {
            for source_column in window.range() {
                if let Some(value) = source.valid(source_row, source_column, sample, &mut fill) {
                    counter.count(value);
                }
            }
        }
        counter.winner().unwrap_or_else(|| fill.value(source.void))
    };
    small::compute(kernel, source, piece, of_few, any);
}

/// Returns the first of at most nine values to reach the highest count.
fn of_few<T: Value>(values: &[T]) -> T {
    let first = values[0];
    if values.iter().fold(true, |same, value| same & (*value == first)) {
        return first;
    }
    if let &[a, b, c, d] = values {
        // From the last candidate to the first: the value that appears twice first wins.
        let answers = [(c, d), (b, d), (a, d), (b, c), (a, c), (a, b)];
        return answers.into_iter().fold(a, |mode, (seen, value)| if seen == value { seen } else { mode });
    }
    let mut best = (first, 1);
    for (index, value) in values.iter().enumerate().skip(1) {
        let count = 1 + values[..index].iter().fold(0, |count, seen| count + usize::from(seen == value));
        if count > best.1 {
            // Of the two zeros of a float, take the first one seen.
            best = (*values.iter().find(|seen| *seen == value).unwrap_or(value), count);
        }
    }
    best.0
}

/// Counts values and remembers the one that first reached the highest count.
struct Counter<T> {
    list: Vec<(T, u32)>,
    map: HashMap<Vec<u8>, u32>,
    use_map: bool,
    best: Option<(T, u32)>,
}

impl<T> Default for Counter<T> {
    fn default() -> Self {
        Self { list: Vec::new(), map: HashMap::new(), use_map: false, best: None }
    }
}

impl<T: Value> Counter<T> {
    fn start(&mut self, window: usize) {
        self.list.clear();
        self.map.clear();
        self.use_map = window > LIST_WINDOW;
        self.best = None;
    }

    fn count(&mut self, mut value: T) {
        let count = if self.use_map {
            // Both zeros of a float are one value.
            let key = if value == T::ZERO { T::ZERO } else { value };
            let count = self.map.entry(bytemuck::bytes_of(&key).to_vec()).or_default();
            *count += 1;
            *count
        } else if let Some((seen, count)) = self.list.iter_mut().find(|(seen, _)| *seen == value) {
            // Of the two zeros, take the first one seen.
            value = *seen;
            *count += 1;
            *count
        } else {
            self.list.push((value, 1));
            1
        };
        if self.best.is_none_or(|(_, best)| count > best) {
            self.best = Some((value, count));
        }
    }

    fn winner(&self) -> Option<T> {
        self.best.map(|(value, _)| value)
    }
}
