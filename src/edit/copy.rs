//! Copies tiles as they are, with a leader and a trailer around each.

use std::io::Write;

use crate::error::{Error, Result};
use crate::grid::TileId;
use crate::read::read_full;
#[cfg(feature = "mosaic")]
use crate::read::{DiskFile, ReadAt};
#[cfg(feature = "mosaic")]
use crate::sink::{OutputFile, copy_range};
use crate::tiff::file::TiffFile;
#[cfg(feature = "mosaic")]
use crate::tiff::ghost::LEADER_LEN;
use crate::tiff::ghost::{TRAILER_LEN, trailer};

use super::pyramid::Pyramid;

/// Bytes read at once. Tiles that follow one another in the source are read together.
const RUN: u64 = 4 << 20;
/// Bytes between two tiles that are read along with them rather than skipped: a page.
const GAP: u64 = 4096;

/// Copies all tiles in the order of the new file. Calls `step` between runs, which stops the copy by an error.
///
/// # Errors
/// [`ErrorKind::Io`](crate::ErrorKind::Io), [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) if the source has become
/// shorter, and those of `step`.
pub(super) fn copy_tiles(
    pyramid: &Pyramid,
    output: &mut dyn Write,
    step: &mut dyn FnMut() -> Result<()>,
) -> Result<()> {
    let mut copier = Copier { output, buffer: Vec::new() };
    let mut tiles = pyramid.tiles().filter(|tile| pyramid.tile(*tile).2 > 0).peekable();
    while let Some(first) = tiles.next() {
        let (file, start, count) = pyramid.tile(first);
        let mut end = start + u64::from(count);
        let mut run = vec![(start, count)];
        // The run goes on while tiles are close behind one another in the same file.
        let follows = |tile: &TileId, end: u64| {
            let (other, offset, count) = pyramid.tile(*tile);
            let next = offset + u64::from(count);
            std::ptr::eq(other, file) && offset >= end && offset - end <= GAP && next - start <= RUN
        };
        while let Some(tile) = tiles.next_if(|tile| follows(tile, end)) {
            let (_, offset, count) = pyramid.tile(tile);
            end = offset + u64::from(count);
            run.push((offset, count));
        }
        match run.as_slice() {
            [(offset, count)] => copier.copy_one(file, *offset, *count)?,
            run => copier.copy_run(file, start, end, run)?,
        }
        step()?;
    }
    Ok(())
}

/// Copies all tiles as [`copy_tiles`] does. Tiles of `disk`, the first file, that are between their leaders and trailers already
/// are copied in long runs, by the system where it can.
///
/// # Errors
/// Those of [`copy_tiles`].
#[cfg(feature = "mosaic")]
pub(super) fn copy_framed(
    pyramid: &Pyramid,
    disk: &DiskFile,
    output: &mut OutputFile,
    step: &mut dyn FnMut() -> Result<()>,
) -> Result<()> {
    let mut run = 0..0;
    for tile in pyramid.tiles() {
        let (file, offset, count) = pyramid.tile(tile);
        if count == 0 {
            continue;
        }
        let framed = offset.saturating_sub(LEADER_LEN as u64)..offset + u64::from(count) + TRAILER_LEN as u64;
        let is_framed = has_frame(disk, offset, count)?;
        if is_framed && framed.start == run.end {
            run.end = framed.end;
            continue;
        }
        copy_run(disk, &std::mem::take(&mut run), output, step)?;
        if is_framed {
            run = framed;
        } else {
            Copier { output, buffer: Vec::new() }.copy_one(file, offset, count)?;
        }
    }
    copy_run(disk, &run, output, step)
}

/// Returns whether a tile is in a file with the leader and the trailer that the new file has.
#[cfg(feature = "mosaic")]
fn has_frame(disk: &DiskFile, offset: u64, count: u32) -> Result<bool> {
    let (mut before, mut after) = ([0; LEADER_LEN], [0; 2 * TRAILER_LEN]);
    let end = offset + u64::from(count);
    let (Some(leader), Some(last)) = (offset.checked_sub(LEADER_LEN as u64), end.checked_sub(TRAILER_LEN as u64))
    else {
        return Ok(false);
    };
    if end + TRAILER_LEN as u64 > disk.len() || (count as usize) < TRAILER_LEN {
        return Ok(false);
    }
    let read = |offset: u64, bytes: &mut [u8]| {
        let filled = read_full(disk, offset, bytes).map_err(|source| Error::io("read the tiles", source))?;
        Ok::<_, Error>(filled == bytes.len())
    };
    let (one, two) = (read(leader, &mut before)?, read(last, &mut after)?);
    Ok(one && two && before == count.to_le_bytes() && after[..TRAILER_LEN] == after[TRAILER_LEN..])
}

/// Copies bytes of a file.
#[cfg(feature = "mosaic")]
fn copy_run(
    disk: &DiskFile,
    run: &std::ops::Range<u64>,
    output: &mut OutputFile,
    step: &mut dyn FnMut() -> Result<()>,
) -> Result<()> {
    let (mut at, mut buffer) = (run.start, Vec::new());
    while at < run.end {
        let piece = (run.end - at).min(8 * RUN);
        if !copy_range(disk, at, piece, output)? {
            // In memory.
            let piece = usize::try_from((run.end - at).min(RUN)).unwrap_or(usize::MAX);
            buffer.resize(piece, 0);
            let filled = read_full(disk, at, &mut buffer).map_err(|source| Error::io("read the tiles", source))?;
            if filled != piece {
                let place = format!("tiles at byte {at}");
                return Err(Error::corrupt(place, "the file became shorter while it was read"));
            }
            write(output, &buffer)?;
            at += piece as u64;
        } else {
            at += piece;
        }
        step()?;
    }
    Ok(())
}

struct Copier<'a> {
    output: &'a mut dyn Write,
    buffer: Vec<u8>,
}

impl Copier<'_> {
    /// Copies tiles that lie between two offsets, which are at most [`RUN`] apart.
    fn copy_run(&mut self, file: &TiffFile, start: u64, end: u64, run: &[(u64, u32)]) -> Result<()> {
        self.read(file, start, end - start)?;
        for &(offset, count) in run {
            let from = usize::try_from(offset - start).unwrap_or(usize::MAX);
            let tile = self.buffer.get(from..from.saturating_add(count as usize)).unwrap_or_default();
            write(self.output, &count.to_le_bytes())?;
            write(self.output, tile)?;
            write(self.output, &trailer(tile))?;
        }
        Ok(())
    }

    /// Copies a tile of any size, in pieces.
    fn copy_one(&mut self, file: &TiffFile, offset: u64, count: u32) -> Result<()> {
        write(self.output, &count.to_le_bytes())?;
        let (mut done, total) = (0, u64::from(count));
        let mut last = Vec::new();
        while done < total {
            let piece = (total - done).min(RUN);
            self.read(file, offset + done, piece)?;
            write(self.output, &self.buffer)?;
            last.extend_from_slice(
                self.buffer.get(self.buffer.len().saturating_sub(TRAILER_LEN)..).unwrap_or_default(),
            );
            last.drain(..last.len().saturating_sub(TRAILER_LEN));
            done += piece;
        }
        write(self.output, &trailer(&last))
    }

    fn read(&mut self, file: &TiffFile, offset: u64, count: u64) -> Result<()> {
        let size = usize::try_from(count).unwrap_or(usize::MAX);
        self.buffer.resize(size, 0);
        let filled = read_full(&*file.reader, offset, &mut self.buffer);
        let filled = filled.map_err(|source| Error::io("read the tiles", source))?;
        if filled != size {
            return Err(Error::corrupt(format!("tile at byte {offset}"), "the file became shorter while it was read"));
        }
        Ok(())
    }
}

fn write(output: &mut dyn Write, bytes: &[u8]) -> Result<()> {
    output.write_all(bytes).map_err(|source| Error::io("write the output", source))
}
