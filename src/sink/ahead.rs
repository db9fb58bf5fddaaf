//! Files that are begun before their last tiles are encoded.
//!
//! Once all overviews are encoded, the place of full resolution is known, though not all of its tiles are, nor what the
//! header says of them. So what waits is put in place while the rest is encoded, and the header last.

use crate::error::Result;
use crate::plan::{CogPlan, Header};

use super::file::{OutputFile, Positioned};
use super::store::SectionStore;
use super::target::Target;

/// Bytes that are put in place before anything else is looked at.
const PART: u64 = 4 << 20;

/// A file that has room for its header, and behind it as many bytes of sections as were ready.
#[derive(Debug)]
pub(super) struct Ahead {
    file: Positioned,
    header_bytes: u64,
    written: u64,
}

impl Ahead {
    /// Keeps room for a header of so many bytes; `None` where the file can't be written out of order.
    pub(super) fn begin(header_bytes: u64, output: &mut OutputFile) -> Result<Option<Self>> {
        let Some(file) = output.positioned() else { return Ok(None) };
        let room = vec![0; usize::try_from(header_bytes).unwrap_or(usize::MAX)];
        Target::File(output).write(&room)?;
        Ok(Some(Self { file, header_bytes, written: 0 }))
    }

    /// Puts a part of what waits in place; whether there was any.
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

    /// Bytes of sections that are in place.
    pub(super) fn written(&self) -> u64 {
        self.written
    }

    /// Writes the header, after all else.
    pub(super) fn finish(&self, header: &Header) -> Result<()> {
        self.file.write_header(&header.bytes, self.header_bytes)
    }
}
