//! Placement of encoded tiles while the rest of an image is encoded.

use std::io::Write;

use crate::encode::{Chunk, OVERVIEWS_FIRST, TakeChunks};
use crate::error::{Error, Result};
use crate::executor::Beside;
use crate::options::BigTiff;
use crate::plan::{CogPlan, Header};
use crate::tiff::variant::Variant;

use super::ahead::Ahead;
use super::direct::DirectFile;
use super::file::OutputFile;
use super::store::SectionStore;

/// Number of tiles between progress reports.
const TILES_PER_PROGRESS: usize = 16;

/// Waiting bytes that keep a thread busy for a while.
const MUCH: u64 = 16 << 20;

/// The output of an encoding.
pub(super) enum Output<'a> {
    Writer(&'a mut dyn Write),
    File(&'a mut OutputFile),
}

/// The destination of encoded tiles.
pub(super) enum Place {
    /// The store: the offsets of sections are not known.
    Store,
    /// Their final positions.
    Direct((DirectFile, Header)),
    /// The store, and from there, from time to time, their final positions.
    Ahead(Ahead),
}

/// Sends encoded tiles to their destination.
pub(super) struct Kept<'a, 'o, F> {
    pub(super) plan: &'a CogPlan,
    pub(super) place: &'a mut Place,
    pub(super) output: &'a mut Output<'o>,
    pub(super) store: &'a mut SectionStore,
    pub(super) stored: &'a mut u64,
    /// Reports progress to the caller, who may stop the encoding.
    pub(super) go_on: F,
    pub(super) tiles: usize,
}

impl<F: FnMut() -> Result<()>> TakeChunks for Kept<'_, '_, F> {
    fn take(&mut self, chunk: Chunk, header_bytes: Option<u64>) -> Result<Option<Vec<u8>>> {
        *self.stored += chunk.bytes.len() as u64;
        check_stored(self.plan, *self.stored)?;
        if OVERVIEWS_FIRST
            && let (Some(header_bytes), Place::Store, Output::File(file)) =
                (header_bytes, &self.place, &mut self.output)
        {
            *self.place = Ahead::begin(header_bytes, file)?.map_or(Place::Store, Place::Ahead);
        }
        match self.place {
            Place::Direct((file, _)) => file.append(chunk.section, &chunk.bytes)?,
            Place::Store | Place::Ahead(_) => self.store.append(chunk.section, &chunk.bytes)?,
        }
        self.tiles += 1;
        if self.tiles.is_multiple_of(TILES_PER_PROGRESS) {
            (self.go_on)()?;
        }
        Ok(Some(chunk.bytes))
    }

    fn idle(&mut self) -> Result<Beside> {
        // Tiles in memory stay there: whether anything is spooled must not depend on the speed of the threads.
        let is_spooled = OVERVIEWS_FIRST && self.store.spooled() > 0;
        let (true, Place::Ahead(ahead), Output::File(file)) = (is_spooled, &mut self.place, &mut self.output) else {
            return Ok(Beside::Nothing);
        };
        let any = ahead.go_on(self.plan, self.store, file)?;
        let much = self.store.waiting() > MUCH;
        Ok(if much {
            Beside::Much
        } else if any {
            Beside::Something
        } else {
            Beside::Nothing
        })
    }
}

/// Checks that tiles of `bytes` in total fit in a classic TIFF, if one was requested.
pub(super) fn check_stored(plan: &CogPlan, bytes: u64) -> Result<()> {
    let limit = Variant::Classic.max_offset();
    if plan.big_tiff() == BigTiff::No && bytes > limit {
        return Err(Error::limit("the size so far of the requested classic TIFF, in bytes,", bytes, limit));
    }
    Ok(())
}
