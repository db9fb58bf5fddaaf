//! The pixels of a level with its mask.

use std::fmt;

use crate::error::Result;
use crate::executor::Executor;
use crate::view::Stripe;

use super::MaskReader;
use super::rows::RowReader;

/// The pixels of a level.
pub(crate) struct LevelSource {
    pub(super) pixels: RowReader,
    pub(super) mask: Option<MaskReader>,
}

impl fmt::Debug for LevelSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LevelSource").field("size", &self.pixels.size()).finish_non_exhaustive()
    }
}

impl LevelSource {
    /// Fills a stripe with the rows from `first_row` on.
    ///
    /// # Errors
    /// Any error that prevents the rows from being read.
    pub(crate) fn read_rows(&mut self, first_row: u32, stripe: &mut Stripe<'_>, executor: &Executor) -> Result<()> {
        self.pixels.read(first_row, stripe, executor, None)?;
        self.mask.as_mut().map_or(Ok(()), |mask| mask.read(first_row, stripe, executor, false))
    }
}
