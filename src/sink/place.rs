//! Where finished tiles go while the rest of an image is encoded.

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

/// Tiles after which the caller is told how far the encoding is.
const TILES_PER_PROGRESS: usize = 16;

/// Bytes to put in place that keep a thread busy for a while.
const MUCH: u64 = 16 << 20;

/// Where the bytes of a whole encoding go.
pub(super) enum Output<'a> {
    Writer(&'a mut dyn Write),
    File(&'a mut OutputFile),
}

/// Where finished tiles go.
pub(super) enum Place {
    /// To the store: the places of sections are not known.
    Store,
    /// To their places.
    Direct((DirectFile, Header)),
    /// To the store, and from there to their places, now and then.
    Ahead(Ahead),
}

/// Puts finished tiles where they go.
pub(super) struct Kept<'a, 'o, F> {
    pub(super) plan: &'a CogPlan,
    pub(super) place: &'a mut Place,
    pub(super) output: &'a mut Output<'o>,
    pub(super) store: &'a mut SectionStore,
    pub(super) stored: &'a mut u64,
    /// Tells the caller how far the encoding is, who may stop it.
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
        // Memory can hold what it holds: whether anything is spooled must not depend on how quick the threads are.
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

/// Checks that tiles of so many bytes are not more than a file that was asked for can hold.
pub(super) fn check_stored(plan: &CogPlan, bytes: u64) -> Result<()> {
    let limit = Variant::Classic.max_offset();
    if plan.big_tiff() == BigTiff::No && bytes > limit {
        return Err(Error::limit("the size of the classic TIFF asked for, in bytes so far,", bytes, limit));
    }
    Ok(())
}
