//! Fragments of shards, and files assembled from them.

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

/// Maximum number of fragments kept open.
const OPEN: usize = 128;

/// Storage for the tiles of shards until the file is written.
pub trait Fragments {
    /// Fills `bytes` from a shard's fragment, starting at `start`.
    ///
    /// # Errors
    /// Any error that prevents them from being read.
    fn read(&mut self, record: &ShardRecord, start: u64, bytes: &mut [u8]) -> Result<()>;
}

/// Fragments in memory.
impl Fragments for BTreeMap<ShardId, Vec<u8>> {
    fn read(&mut self, record: &ShardRecord, start: u64, bytes: &mut [u8]) -> Result<()> {
        let held = self.get(&record.id()).and_then(|held| held.get(usize::try_from(start).ok()?..)?.get(..bytes.len()));
        let lost = || Error::shards(format!("shard {}", record.id()), "its fragment is missing or too short");
        bytes.copy_from_slice(held.ok_or_else(lost)?);
        Ok(())
    }
}

/// Fragments as files in a folder shared by workers and finalizer.
///
/// A fragment appears complete or not at all, under a name derived from its content:
/// `cogsmith-TIER-ROW-COLUMN-DIGEST.tiles`. So tasks that run twice, even at the same time, don't interfere.
#[derive(Debug)]
pub struct FragmentFolder {
    folder: PathBuf,
    /// Recently read fragments, by shard.
    open: BTreeMap<ShardId, (PathBuf, File)>,
}

impl FragmentFolder {
    /// Uses an existing folder. Each output file needs a separate folder.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.into(), open: BTreeMap::new() }
    }

    /// Stores the fragment of a shard. The finalizer finds it by the shard's record.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] if the system refuses.
    pub fn store(&self, output: &ShardOutput) -> Result<()> {
        let options = FileOptions { overwrite: true, ..FileOptions::default() };
        let mut file = OutputFile::create(&self.path(&output.record), &options)?;
        file.write_all(&output.fragment).map_err(|error| Error::io_at("write", self.path(&output.record), error))?;
        file.commit()
    }

    /// Removes all fragments in the folder, including those of repeated attempts, and the folder if it contains nothing
    /// else.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] if the system refuses.
    pub fn remove(mut self) -> Result<()> {
        // Windows cannot remove an open file.
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

/// Writes a file from the fragments of its shards, front to back. Checks every byte against the shards' records. Keeps
/// one row of a shard's tiles in memory at a time.
///
/// Calls `progress` repeatedly with the number of bytes written so far; [`ControlFlow::Break`] stops.
///
/// # Errors
/// [`ErrorKind::Corrupt`] if a fragment differs from what the shard produced, [`ErrorKind::Cancelled`] after
/// [`ControlFlow::Break`], the errors of `fragments`, and [`ErrorKind::Io`] if writing fails.
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
    Ok(Summary::new(assembly.plan(), assembly.statistics().to_vec(), assembly.losses(), assembly.made()))
}

fn read(assembly: &Assembly, fragments: &mut dyn Fragments, piece: &Piece, bytes: &mut Vec<u8>) -> Result<()> {
    let lost = || Error::shards(format!("shard {}", piece.shard), "it has no record");
    let record = assembly.record(piece.shard).ok_or_else(lost)?;
    let count = usize::try_from(piece.len())
        .map_err(|_| Error::limit("the size of a row of a shard's tiles, in bytes,", piece.len(), usize::MAX as u64))?;
    bytes.clear();
    let out_of_memory = |_| ErrorKind::OutOfMemory { what: "a row of a shard's tiles", bytes: piece.len() };
    bytes.try_reserve_exact(count).map_err(out_of_memory)?;
    bytes.resize(count, 0);
    fragments.read(record, piece.range.start, bytes)?;
    piece.check(bytes)
}

/// Assembles a file in memory, as [`assemble`] does.
///
/// # Errors
/// The errors of [`assemble`].
pub fn assemble_to_vec(assembly: &Assembly, fragments: &mut dyn Fragments) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    assemble(assembly, fragments, &mut bytes, &mut |_| ControlFlow::Continue(()))?;
    Ok(bytes)
}

/// Assembles a file as [`assemble`] does, at a path where it appears complete or not at all; see [`OutputFile`].
///
/// # Errors
/// The errors of [`assemble`], [`OutputFile::create`], and [`OutputFile::commit`].
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
