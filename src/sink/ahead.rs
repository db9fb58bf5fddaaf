//! Files that are started before their last tiles are encoded.
//!
//! Once all overviews are encoded, the offset of full resolution is known, although some of its tiles and the contents
//! of the header are not. So waiting tiles are copied into place while the rest is encoded, and the header comes last.

use crate::error::Result;
use crate::plan::{CogPlan, Header};

use super::file::{OutputFile, Positioned};
use super::store::SectionStore;
use super::target::Target;

/// Bytes that are copied into place before returning to other work.
const PART: u64 = 4 << 20;

/// A file with space for its header, followed by the bytes of sections that were ready.
#[derive(Debug)]
pub(super) struct Ahead {
    file: Positioned,
    header_bytes: u64,
    written: u64,
}

impl Ahead {
    /// Reserves space for a header of `header_bytes`; `None` if the file cannot be written out of order.
    pub(super) fn begin(header_bytes: u64, output: &mut OutputFile) -> Result<Option<Self>> {
        let Some(file) = output.positioned() else { return Ok(None) };
        let room = vec![0; usize::try_from(header_bytes).unwrap_or(usize::MAX)];
        Target::File(output).write(&room)?;
        Ok(Some(Self { file, header_bytes, written: 0 }))
    }

    /// Copies some waiting bytes into place; returns true if there were any.
    pub(super) fn go_on(&mut self, plan: &CogPlan, store: &mut SectionStore, output: &mut OutputFile) -> Result<bool> {
        let before = self.written;
        for section in plan.sections() {
            let left = PART.saturating_sub(self.written - before);
            if left == 0 {
                break;
            }
            self.written += store.write_section(section, left, &mut Target::File(output), &mut || Ok(()))?;
        }
        Ok(self.written > before)
    }

    /// Returns the number of bytes of sections that are in place.
    pub(super) fn written(&self) -> u64 {
        self.written
    }

    /// Writes the header, after everything else.
    pub(super) fn finish(&self, header: &Header) -> Result<()> {
        self.file.write_header(&header.bytes, self.header_bytes)
    }
}
