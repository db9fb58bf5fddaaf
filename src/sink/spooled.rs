//! Sections that wait in memory, and beyond a budget in a temporary file, until they can be written in order.

use std::io::{BufWriter, Write};

use crate::encode::{FinishedFile, TileSink};
use crate::error::{ErrorKind, Result};
use crate::grid::SectionId;

use super::store::{SectionStore, StoreOptions};
use super::target::{Target, buffered};

/// A sink for anything that can be written to, without seeking.
///
/// Tiles wait in memory up to [`StoreOptions::memory`], beyond it in a temporary file (with the feature `spool`). The
/// header and all sections are written in order at the end.
#[derive(Debug)]
pub struct SpooledSink<W: Write> {
    store: SectionStore,
    writer: BufWriter<W>,
}

impl<W: Write> SpooledSink<W> {
    /// A sink that ends in a writer.
    #[must_use]
    pub fn new(writer: W, options: StoreOptions) -> Self {
        Self { store: SectionStore::new(options), writer: buffered(writer) }
    }
}

impl<W: Write> TileSink for SpooledSink<W> {
    fn append(&mut self, section: SectionId, tile: &[u8]) -> Result<()> {
        self.store.append(section, tile)
    }

    fn finish(&mut self, file: &FinishedFile, step: &mut dyn FnMut() -> Result<()>) -> Result<()> {
        write_in_order(file, &mut self.store, &mut self.writer, step)
    }

    fn spooled(&self) -> u64 {
        self.store.spooled()
    }
}

/// Writes a whole file: its header, then all sections.
pub(super) fn write_in_order(
    file: &FinishedFile,
    store: &mut SectionStore,
    target: &mut dyn Target,
    step: &mut dyn FnMut() -> Result<()>,
) -> Result<()> {
    target.write(&file.header)?;
    write_sections(file, 0, store, target, step)
}

/// Writes what waits of all sections in order, after `written` bytes of them.
pub(super) fn write_sections(
    file: &FinishedFile,
    mut written: u64,
    store: &mut SectionStore,
    target: &mut dyn Target,
    step: &mut dyn FnMut() -> Result<()>,
) -> Result<()> {
    for &(section, _) in &file.sections {
        written += store.write_section(section, u64::MAX, target, step)?;
    }
    target.flush()?;
    let (header, expected) = (file.header.len() as u64, file.summary.bytes);
    if header + written != expected {
        return Err(ErrorKind::PixelCount { what: "bytes of the file", expected, got: header + written }.into());
    }
    Ok(())
}
