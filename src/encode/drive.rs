//! The loop of an encoding: while the pool encodes the tiles of a batch, the calling thread reads the next rows, passes
//! finished tiles to the sink, and lets the sink move waiting tiles.

use std::path::Path;

use crate::error::Result;
use crate::executor::{Executor, Poll, Results};
use crate::grid::SectionId;
use crate::pyramid::RowsAhead;
use crate::view::PixelSource;

use super::finished::FinishedFile;
use super::rows::{Batch, EncodedTile, RowEncoder};

/// Receives the finished tiles of a file and puts the file together.
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

    /// Called once the position of everything except the end of full resolution is known: all overviews have been
    /// appended, and the length of the header no longer depends on the remaining tiles. Not called if that never happens,
    /// as with band interleave, or if the file may still need BigTIFF. The default does nothing.
    ///
    /// # Errors
    /// The errors of [`append`](Self::append).
    fn settle(&mut self, _layout: &SectionLayout) -> Result<()> {
        Ok(())
    }

    /// Moves some waiting tiles toward their positions; called while no tile is ready. A call should take a few
    /// milliseconds, so that the pool does not run out of work. The default has nothing to move.
    ///
    /// # Errors
    /// The errors of [`append`](Self::append).
    fn advance(&mut self) -> Result<Backlog> {
        Ok(Backlog::Empty)
    }

    /// Writes the rest of the file, after all tiles have been appended. Call `step` after every few megabytes; its errors
    /// stop the work.
    ///
    /// # Errors
    /// The errors of [`append`](Self::append) and of `step`.
    fn finish(&mut self, file: &FinishedFile, step: &mut dyn FnMut() -> Result<()>) -> Result<()>;

    /// Makes the finished file visible, for example by a rename or by completing an upload. The default does nothing.
    ///
    /// # Errors
    /// Whatever keeps the file from appearing; the target is then as it was.
    fn commit(&mut self) -> Result<()> {
        Ok(())
    }

    /// Returns the path at which the finished file can be read back before [`commit`](Self::commit), if there is one.
    fn readable(&self) -> Option<&Path> {
        None
    }

    /// Returns the bytes of tiles that went through a temporary file.
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

/// Layout of a file: the positions of everything except the end of full resolution follow from it.
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
    /// So much is left to move that the calling thread counts as one of the working threads.
    Large,
}

/// An event of [`encode_batch`].
pub(super) enum Event<'a> {
    /// The next tile is finished. The buffer is reused if the handler leaves it in place.
    Tile(&'a mut EncodedTile),
    /// No tile is ready, so there is time for other work.
    Idle,
}

/// Encodes the queued tiles of `rows` and passes each to `handle`, in order. If there is a `source` and memory for it, the
/// next rows are read meanwhile. `handle` returns its backlog after [`Event::Idle`].
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
                // Rows are read late: the work that remains for the threads is in small pieces, so no thread waits for
                // another one's last tile.
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
        // Without a pool, no tile is ever pending.
        while handle(this, Event::Idle)? != Backlog::Empty {}
    }
    rows.end_batch(ahead);
    Ok(())
}

/// Reads the next rows while the current ones are still in use. Returns false if there is no source or no memory for them,
/// or if they have been read already.
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
