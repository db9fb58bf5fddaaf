//! Fragments of shards, and files made of them.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use crate::encode::{Assembly, Piece, ShardOutput, ShardRecord, Summary};
use crate::error::{Error, ErrorKind, Result};
use crate::plan::ShardId;

use super::file::{FileOptions, OutputFile};
use super::target::{Target, buffered};

/// Fragments that are kept open at once.
const OPEN: usize = 128;

/// Where the tiles of shards are kept until the file is written.
pub trait Fragments {
    /// Fills `bytes` with those of a shard's fragment from `start` on.
    ///
    /// # Errors
    /// Whatever keeps them from being read.
    fn read(&mut self, record: &ShardRecord, start: u64, bytes: &mut [u8]) -> Result<()>;
}

/// Fragments in memory.
impl Fragments for BTreeMap<ShardId, Vec<u8>> {
    fn read(&mut self, record: &ShardRecord, start: u64, bytes: &mut [u8]) -> Result<()> {
        let held = self.get(&record.id()).and_then(|held| held.get(usize::try_from(start).ok()?..)?.get(..bytes.len()));
        let lost = || Error::shards(format!("shard {}", record.id()), "its fragment is not there, or too short");
        bytes.copy_from_slice(held.ok_or_else(lost)?);
        Ok(())
    }
}

/// Fragments as files in a folder that workers and finalizer share.
///
/// A fragment appears whole or not at all, under a name that follows from its content:
/// `cogsmith-TIER-ROW-COLUMN-DIGEST.tiles`. So tasks that run twice, even at once, don't disturb each other.
#[derive(Debug)]
pub struct FragmentFolder {
    folder: PathBuf,
    /// Fragments that were read of last, to be found again by their shard.
    open: BTreeMap<ShardId, (PathBuf, File)>,
}

impl FragmentFolder {
    /// A folder that exists. Give each file that is written a folder of its own.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.into(), open: BTreeMap::new() }
    }

    /// Stores the fragment of a shard. The record is what the finalizer needs to find it again.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] where the system refuses.
    pub fn store(&self, output: &ShardOutput) -> Result<()> {
        let options = FileOptions { overwrite: true, ..FileOptions::default() };
        let mut file = OutputFile::create(&self.path(&output.record), &options)?;
        file.write_all(&output.fragment).map_err(|error| Error::io_at("write", self.path(&output.record), error))?;
        file.commit()
    }

    /// Removes the fragments of all shards that took part in a file, those of other attempts at them too, and the
    /// folder if nothing else is in it.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] where the system refuses.
    pub fn remove(mut self) -> Result<()> {
        // Windows removes no open file.
        self.open.clear();
        let failed = |error| Error::io_at("remove fragments in", &self.folder, error);
        let mut others = false;
        for entry in fs::read_dir(&self.folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.trim_start_matches('.').starts_with("cogsmith-") && name.contains(".tiles") {
                fs::remove_file(entry.path()).map_err(failed)?;
            } else {
                others = true;
            }
        }
        if others { Ok(()) } else { fs::remove_dir(&self.folder).map_err(failed) }
    }

    fn path(&self, record: &ShardRecord) -> PathBuf {
        let ShardId { tier, row, column } = record.id();
        self.folder.join(format!("cogsmith-{tier}-{row}-{column}-{:016x}.tiles", record.digest()))
    }
}

impl Fragments for FragmentFolder {
    fn read(&mut self, record: &ShardRecord, start: u64, bytes: &mut [u8]) -> Result<()> {
        let id = record.id();
        if !self.open.contains_key(&id) {
            if self.open.len() >= OPEN {
                self.open.clear();
            }
            let path = self.path(record);
            let file = File::open(&path).map_err(|error| Error::io_at("read", &path, error))?;
            self.open.insert(id, (path, file));
        }
        let Some((path, file)) = self.open.get_mut(&id) else {
            return Err(Error::io("read", io::ErrorKind::NotFound.into()));
        };
        let read = file.seek(SeekFrom::Start(start)).and_then(|_| file.read_exact(bytes));
        read.map_err(|error| Error::io_at("read", &*path, error))
    }
}

/// Writes a file from the fragments of its shards, front to back. Every byte is checked against what the shards said of
/// it. Holds one row of a shard's tiles at a time.
///
/// `progress` gets the bytes that are written so far, again and again; [`ControlFlow::Break`] stops.
///
/// # Errors
/// [`ErrorKind::Corrupt`] where a fragment is not what the shard made, [`ErrorKind::Cancelled`] after
/// [`ControlFlow::Break`], what `fragments` returns, and [`ErrorKind::Io`] where writing fails.
pub fn assemble(
    assembly: &Assembly,
    fragments: &mut dyn Fragments,
    writer: &mut dyn Write,
    progress: &mut dyn FnMut(u64) -> ControlFlow<()>,
) -> Result<Summary> {
    let mut target = buffered(writer);
    Target::write(&mut target, assembly.header())?;
    let mut written = assembly.header().len() as u64;
    let mut bytes = Vec::new();
    for piece in assembly.pieces() {
        read(assembly, fragments, &piece, &mut bytes)?;
        Target::write(&mut target, &bytes)?;
        written += piece.len();
        if progress(written).is_break() {
            return Err(ErrorKind::Cancelled.into());
        }
    }
    Target::flush(&mut target)?;
    if written != assembly.bytes() {
        let expected = assembly.bytes();
        return Err(ErrorKind::PixelCount { what: "bytes of the file", expected, got: written }.into());
    }
    Ok(Summary::new(assembly.plan(), assembly.statistics().to_vec(), assembly.made()))
}

fn read(assembly: &Assembly, fragments: &mut dyn Fragments, piece: &Piece, bytes: &mut Vec<u8>) -> Result<()> {
    let lost = || Error::shards(format!("shard {}", piece.shard), "it has no record");
    let record = assembly.record(piece.shard).ok_or_else(lost)?;
    let count = usize::try_from(piece.len())
        .map_err(|_| Error::limit("bytes of a row of a shard's tiles", piece.len(), usize::MAX as u64))?;
    bytes.clear();
    let out_of_memory = |_| ErrorKind::OutOfMemory { what: "a row of a shard's tiles", bytes: piece.len() };
    bytes.try_reserve_exact(count).map_err(out_of_memory)?;
    bytes.resize(count, 0);
    fragments.read(record, piece.range.start, bytes)?;
    piece.check(bytes)
}

/// As [`assemble`], to bytes.
///
/// # Errors
/// As [`assemble`].
pub fn assemble_to_vec(assembly: &Assembly, fragments: &mut dyn Fragments) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    assemble(assembly, fragments, &mut bytes, &mut |_| ControlFlow::Continue(()))?;
    Ok(bytes)
}

/// As [`assemble`], to a file that appears whole or not at all; see [`OutputFile`].
///
/// # Errors
/// As [`assemble`], [`OutputFile::create`] and [`OutputFile::commit`].
pub fn assemble_to_file(
    assembly: &Assembly,
    fragments: &mut dyn Fragments,
    path: &Path,
    options: &FileOptions,
) -> Result<Summary> {
    let mut file = OutputFile::create(path, options)?;
    let summary = assemble(assembly, fragments, &mut file, &mut |_| ControlFlow::Continue(()))?;
    file.commit()?;
    Ok(summary)
}
