//! Levels of which only a part is computed: the other pixels of their windows are known already.

use std::fmt;

use crate::error::Result;
use crate::executor::Executor;
use crate::grid::Rectangle;
use crate::plan::{CogPlan, LevelShare, Share};
use crate::view::Stripe;

use super::{Cascade, LevelRows, compute};

/// The pixels of levels as they were before a change.
pub(crate) trait LevelPixels: Send + Sync + fmt::Debug {
    /// Fills a stripe with rows of the window of an overview, from row `first_row` of the level on. Rows increase from call
    /// to call.
    ///
    /// # Errors
    /// Any error that prevents the rows from being read.
    fn read(&mut self, level: usize, first_row: u32, stripe: &mut Stripe<'_>, executor: &Executor) -> Result<()>;
}

/// The source of pixels that are not computed, of a [share](Share::of_change), and buffers for those that are.
#[derive(Debug)]
pub(crate) struct PartialCascade {
    others: Box<dyn LevelPixels>,
    /// The parts of the levels from the second one on.
    parts: Vec<Part>,
}

/// The computed part of a level.
#[derive(Debug)]
struct Part {
    rows: LevelRows,
    /// Its pixels.
    place: Rectangle,
    /// The row after the last one of the level's window.
    window_end: u32,
}

impl PartialCascade {
    /// Takes the source of the pixels that are not computed.
    pub(crate) fn new(plan: &CogPlan, share: &Share, others: Box<dyn LevelPixels>) -> Self {
        let part = |level: &LevelShare| {
            let computed = level.with_window(level.computed.clone());
            Part {
                rows: LevelRows::new(plan, &computed),
                place: level.computed.clone(),
                window_end: level.window.rows.end,
            }
        };
        Self { others, parts: share.levels.iter().skip(1).map(part).collect() }
    }
}

impl Cascade {
    /// Computes or supplies all overview rows that have become known.
    pub(crate) fn advance_part(&mut self, partial: &mut PartialCascade, executor: &Executor) -> Result<()> {
        let PartialCascade { others, parts } = partial;
        for (index, (kernel, part)) in self.kernels.iter_mut().zip(parts).enumerate() {
            let Part { rows: part, place, window_end } = part;
            let (finer, coarser) = self.levels.split_at_mut(index + 1);
            let (Some(source), Some(target)) = (finer.last(), coarser.first_mut()) else { break };
            let first = target.end();
            let start = first.max(place.rows.start);
            let count = if start < place.rows.end { kernel.computable(source.end(), start) } else { 0 };
            // The rows after the last computed one are known.
            let end = if start + count >= place.rows.end { *window_end } else { start + count };
            if end <= first {
                break;
            }
            let mut stripe = target.stripe(end - first)?;
            others.read(self.base + index + 1, first, &mut stripe, executor)?;
            if count > 0 {
                kernel.prepare()?;
                part.restart(start);
                let mut computed = part.stripe(count)?;
                compute(kernel, source, &mut computed, start, executor);
                part.commit(count);
                let left = target.left();
                let mut stripe = target.stripe(end - first)?;
                part.copy_into(&mut stripe, left, first);
            }
            target.commit(end - first);
        }
        if let Some(kernel) = self.kernels.first() {
            kernel.lines.clear();
        }
        Ok(())
    }
}
