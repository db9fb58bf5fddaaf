//! Tiles of known size, written directly to their final positions.

use std::collections::BTreeMap;

use crate::error::{Error, ErrorKind, Result};
use crate::grid::SectionId;
use crate::plan::{CogPlan, Header, TileIndex};

use super::file::{OutputFile, Positioned};
use super::target::failed;

/// A file whose header is written first; its sections are then filled in any order.
#[derive(Debug)]
pub(super) struct DirectFile {
    file: Positioned,
    /// Offset of the next tile of a section, and end of the section.
    next: BTreeMap<SectionId, (u64, u64)>,
    header_bytes: u64,
}

impl DirectFile {
    /// Writes the header; `None` if sizes are not known in advance, or the file cannot be written out of order.
    pub(super) fn new(plan: &CogPlan, file: &OutputFile) -> Result<Option<(Self, Header)>> {
        let (Some(sizes), Some(file)) = (TileIndex::uncompressed(plan)?, file.positioned()) else { return Ok(None) };
        let header = plan.header(&sizes)?;
        let mut position = header.bytes.len() as u64;
        let mut next = BTreeMap::new();
        for section in plan.sections() {
            let start = position;
            position += plan.section_bytes(&sizes, section);
            next.insert(section, (start, position));
        }
        let direct = Self { file, next, header_bytes: header.bytes.len() as u64 };
        direct.file.write_at(&header.bytes, 0).map_err(failed)?;
        Ok(Some((direct, header)))
    }

    /// Writes the next tile of a section.
    pub(super) fn append(&mut self, section: SectionId, bytes: &[u8]) -> Result<()> {
        let outgrown = |expected, got| {
            Error::from(ErrorKind::PixelCount { what: "bytes of an uncompressed section", expected, got })
        };
        let Some((next, end)) = self.next.get_mut(&section) else { return Err(outgrown(0, bytes.len() as u64)) };
        let at = *next;
        *next += bytes.len() as u64;
        if *next > *end {
            return Err(outgrown(*end, *next));
        }
        self.file.write_at(bytes, at).map_err(failed)
    }

    /// Checks that every section is complete, and rewrites the header if it includes statistics, which depend on the
    /// pixels and for which it has reserved space.
    pub(super) fn finish(&self, plan: &CogPlan, index: &TileIndex) -> Result<()> {
        if let Some(&(got, expected)) = self.next.values().find(|(next, end)| next != end) {
            return Err(ErrorKind::PixelCount { what: "bytes of the file", expected, got }.into());
        }
        if plan.statistics() {
            self.file.write_header(&plan.header(index)?.bytes, self.header_bytes)?;
        }
        Ok(())
    }
}
