//! The loop of an encoding: while threads encode the tiles of a batch, the caller's thread reads the next rows, takes
//! finished tiles to the sink, and lets the sink move what waits.

use std::path::Path;

use crate::error::Result;
use crate::executor::{Executor, Poll, Results};
use crate::grid::SectionId;
use crate::pyramid::RowsAhead;
use crate::view::PixelSource;

use super::finished::FinishedFile;
use super::rows::{Batch, EncodedTile, RowEncoder};

/// Takes the finished tiles of a file, section by section, and makes the file of them.
///
/// A file is a header followed by its sections ([`SectionLayout::sections`] gives their order). Tiles arrive in file
/// order within a section, but sections arrive interleaved, and the header is known last. A sink decides where tiles wait
/// until then: in memory, in a temporary file, in the target itself, or in the parts of an upload.
/// [`conformance::check_sink`](crate::conformance::check_sink) tests an implementation.
///
/// Calls come in this order: any number of [`append`](Self::append) and [`advance`](Self::advance), with at most one
/// [`settle`](Self::settle) among them; [`finish`](Self::finish) once; [`commit`](Self::commit) once. After an error no
/// further call is made. Dropping a sink before `commit` must leave the target as it was.
pub trait TileSink {
    /// Appends a finished tile, with its leader and trailer, to its section.
    ///
    /// # Errors
    /// Whatever keeps the bytes from being stored.
    fn append(&mut self, section: SectionId, tile: &[u8]) -> Result<()>;

    /// Called once the place of everything but the end of full resolution is known: all overviews have been appended,
    /// and the length of the header no longer depends on the tiles to come. It is not called where it is never so: with
    /// band interleave, or while the file may turn out to need BigTIFF. The default does nothing.
    ///
    /// # Errors
    /// As [`append`](Self::append).
    fn settle(&mut self, _layout: &SectionLayout) -> Result<()> {
        Ok(())
    }

    /// Moves a part of what waits closer to its place; called while no tile is ready. A few milliseconds of work at a
    /// time keep the threads supplied. The default has nothing to move.
    ///
    /// # Errors
    /// As [`append`](Self::append).
    fn advance(&mut self) -> Result<Backlog> {
        Ok(Backlog::Empty)
    }

    /// Writes what is left of the file: all tiles have been appended. `step` is to be called after every few megabytes;
    /// its errors stop the work.
    ///
    /// # Errors
    /// As [`append`](Self::append), and those of `step`.
    fn finish(&mut self, file: &FinishedFile, step: &mut dyn FnMut() -> Result<()>) -> Result<()>;

    /// Makes the finished file visible: renames it, completes an upload. The default does nothing.
    ///
    /// # Errors
    /// Whatever keeps the file from appearing; the target is then as it was.
    fn commit(&mut self) -> Result<()> {
        Ok(())
    }

    /// The path at which the finished file can be read back before [`commit`](Self::commit), if there is one.
    fn readable(&self) -> Option<&Path> {
        None
    }

    /// Bytes of tiles that have waited in a temporary file.
    fn spooled(&self) -> u64 {
        0
    }
}

impl<S: TileSink + ?Sized> TileSink for Box<S> {
    fn append(&mut self, section: SectionId, tile: &[u8]) -> Result<()> {
        (**self).append(section, tile)
    }

    fn settle(&mut self, layout: &SectionLayout) -> Result<()> {
        (**self).settle(layout)
    }

    fn advance(&mut self) -> Result<Backlog> {
        (**self).advance()
    }

    fn finish(&mut self, file: &FinishedFile, step: &mut dyn FnMut() -> Result<()>) -> Result<()> {
        (**self).finish(file, step)
    }

    fn commit(&mut self) -> Result<()> {
        (**self).commit()
    }

    fn readable(&self) -> Option<&Path> {
        (**self).readable()
    }

    fn spooled(&self) -> u64 {
        (**self).spooled()
    }
}

/// The parts of a file whose place is known.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SectionLayout {
    /// Bytes of the header, which comes first.
    pub header_len: u64,
    /// All sections in the order of the file; the last one is full resolution.
    pub sections: Vec<SectionId>,
}

/// The outcome of [`TileSink::advance`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Backlog {
    /// Nothing was moved.
    Empty,
    /// Something was moved.
    Some,
    /// Something was moved, and so much is left that the caller's thread counts as one of those that work.
    Large,
}

/// An event of [`encode_batch`].
pub(super) enum Event<'a> {
    /// The next tile is finished. Bytes that the handler leaves in it are used again.
    Tile(&'a mut EncodedTile),
    /// No tile is ready: there is time for something else.
    Idle,
}

/// Encodes the waiting tiles of `rows` and tells `handle` of each, in order; meanwhile the next rows are read from
/// `source`, if there is one, and room for them. `handle` returns what it has left to do after [`Event::Idle`].
pub(super) fn encode_batch(
    rows: &mut RowEncoder,
    mut source: Option<&mut (dyn PixelSource + '_)>,
    handle: &mut dyn FnMut(&RowEncoder, Event<'_>) -> Result<Backlog>,
) -> Result<()> {
    let Batch { tiles, limit, mut ahead } = rows.begin_batch();
    let this = &*rows;
    let take = |results: &mut dyn Results<Result<EncodedTile>>| -> Result<()> {
        loop {
            match results.poll() {
                Poll::Ready(tile) => {
                    let mut tile = tile?;
                    handle(this, Event::Tile(&mut tile))?;
                    this.recycle(tile.bytes);
                }
                // Rows are read late: what threads have to do then is in small pieces, so that none waits for another's
                // last tile.
                Poll::Pending { all_begun: true } if read_ahead(this, source.as_deref_mut(), ahead.as_mut())? => {}
                Poll::Pending { .. } => {
                    let backlog = handle(this, Event::Idle)?;
                    results.set_caller_busy(backlog == Backlog::Large);
                    if backlog == Backlog::Empty {
                        results.wait();
                    }
                }
                Poll::Done => return Ok(()),
            }
        }
    };
    this.executor.produce(tiles, limit, |tile| this.encode_tile(tile), take)?;
    if this.executor.thread_count() == 1 {
        // On the caller's thread alone no tile is ever pending.
        while handle(this, Event::Idle)? != Backlog::Empty {}
    }
    rows.end_batch(ahead);
    Ok(())
}

/// Reads the next rows while those that are here are still in use. Tells whether it did: not where there is no source, no
/// room, or they are there already.
fn read_ahead(
    rows: &RowEncoder,
    source: Option<&mut (dyn PixelSource + '_)>,
    ahead: Option<&mut RowsAhead>,
) -> Result<bool> {
    match (source, ahead) {
        (Some(source), Some(ahead)) if Executor::PARALLEL && rows.rows_wanted() > 0 && ahead.count() == 0 => {
            rows.read_ahead(ahead, source)?;
            Ok(true)
        }
        _ => Ok(false),
    }
}
