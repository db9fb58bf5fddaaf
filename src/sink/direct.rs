//! Tiles of known size, written directly to their final positions.

use std::borrow::BorrowMut;
use std::collections::BTreeMap;
use std::path::Path;

use crate::encode::{FinishedFile, TileSink};
use crate::error::{Error, ErrorKind, Result};
use crate::grid::SectionId;
use crate::plan::{CogPlan, TileIndex};

use super::file::{OutputFile, Positioned};
use super::target::failed;

/// A file whose header is written first; its sections are then filled in any order.
#[derive(Debug)]
pub(super) struct DirectSink<F> {
    output: F,
    file: Positioned,
    /// Offset of the next tile of a section, and end of the section.
    next: BTreeMap<SectionId, (u64, u64)>,
    header: Vec<u8>,
}

impl<F: BorrowMut<OutputFile>> DirectSink<F> {
    /// Writes the header. Returns the output if sizes are not known in advance, or it cannot be written out of order.
    pub(super) fn begin(plan: &CogPlan, output: F) -> Result<std::result::Result<Self, F>> {
        let Some(sizes) = TileIndex::uncompressed(plan)? else { return Ok(Err(output)) };
        let Some(file) = output.borrow().positioned() else { return Ok(Err(output)) };
        let header = plan.header(&sizes)?.bytes;
        let mut position = header.len() as u64;
        let mut next = BTreeMap::new();
        for section in plan.sections() {
            let start = position;
            position += plan.section_bytes(&sizes, section);
            next.insert(section, (start, position));
        }
        file.write_at(&header, 0).map_err(failed)?;
        Ok(Ok(Self { output, file, next, header }))
    }
}

impl<F: BorrowMut<OutputFile>> TileSink for DirectSink<F> {
    fn append(&mut self, section: SectionId, tile: &[u8]) -> Result<()> {
        let outgrown = |expected, got| {
            Error::from(ErrorKind::PixelCount { what: "bytes of an uncompressed section", expected, got })
        };
        let Some((next, end)) = self.next.get_mut(&section) else { return Err(outgrown(0, tile.len() as u64)) };
        let at = *next;
        *next += tile.len() as u64;
        if *next > *end {
            return Err(outgrown(*end, *next));
        }
        self.file.write_at(tile, at).map_err(failed)
    }

    /// Checks that every section is complete, and rewrites the header if it includes statistics, which depend on the
    /// pixels and for which it has reserved space.
    fn finish(&mut self, file: &FinishedFile, _step: &mut dyn FnMut() -> Result<()>) -> Result<()> {
        if let Some(&(got, expected)) = self.next.values().find(|(next, end)| next != end) {
            return Err(ErrorKind::PixelCount { what: "bytes of the file", expected, got }.into());
        }
        if file.header != self.header {
            self.file.write_header(&file.header, self.header.len() as u64)?;
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<()> {
        self.output.borrow_mut().appear()
    }

    fn readable(&self) -> Option<&Path> {
        self.output.borrow().readable()
    }
}
