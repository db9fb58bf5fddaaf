//! Files that are begun before their last tiles are encoded.
//!
//! Once all overviews are encoded, the place of full resolution is known, though not all of its tiles are, nor what the
//! header says of them. So the tiles that wait move to their place while the rest is encoded, and the header comes last.

use std::borrow::BorrowMut;
use std::path::Path;

use crate::encode::{Backlog, FinishedFile, SectionLayout, TileSink};
use crate::error::Result;
use crate::grid::SectionId;

use super::file::{OutputFile, Positioned};
use super::spooled::{write_in_order, write_sections};
use super::store::{SectionStore, StoreOptions};
use super::target::Target;

/// Bytes that are moved before anything else is looked at.
const PART: u64 = 4 << 20;
/// Bytes that keep a thread busy for a while when they are moved.
const LARGE_BACKLOG: u64 = 16 << 20;

/// A file. Tiles wait as in a [`SpooledSink`](super::SpooledSink), but those in the temporary file move to their place as
/// soon as it is known.
#[derive(Debug)]
pub(super) struct InPlaceSink<F> {
    store: SectionStore,
    output: F,
    /// Since the layout is known; `None` also where the file can't be written out of order.
    begun: Option<Begun>,
}

/// A file that has room for its header, followed by as many bytes of sections as have been moved.
#[derive(Debug)]
struct Begun {
    file: Positioned,
    layout: SectionLayout,
    written: u64,
}

impl<F> InPlaceSink<F> {
    pub(super) fn new(output: F, options: StoreOptions) -> Self {
        Self { store: SectionStore::new(options), output, begun: None }
    }
}

impl<F: BorrowMut<OutputFile>> TileSink for InPlaceSink<F> {
    fn append(&mut self, section: SectionId, tile: &[u8]) -> Result<()> {
        self.store.append(section, tile)
    }

    fn settle(&mut self, layout: &SectionLayout) -> Result<()> {
        let output = self.output.borrow_mut();
        let Some(file) = output.positioned() else { return Ok(()) };
        let room = vec![0; usize::try_from(layout.header_len).unwrap_or(usize::MAX)];
        Target::write(output, &room)?;
        self.begun = Some(Begun { file, layout: layout.clone(), written: 0 });
        Ok(())
    }

    fn advance(&mut self) -> Result<Backlog> {
        let Self { store, output, begun } = self;
        // Memory can hold what it holds: whether anything is spooled must not depend on how quick the threads are.
        let Some(begun) = begun.as_mut().filter(|_| store.spooled() > 0) else { return Ok(Backlog::Empty) };
        let mut moved = 0;
        for &section in &begun.layout.sections {
            if moved >= PART {
                break;
            }
            moved += store.write_section(section, PART - moved, output.borrow_mut(), &mut || Ok(()))?;
        }
        begun.written += moved;
        Ok(if store.waiting() > LARGE_BACKLOG {
            Backlog::Large
        } else if moved > 0 {
            Backlog::Some
        } else {
            Backlog::Empty
        })
    }

    fn finish(&mut self, file: &FinishedFile, step: &mut dyn FnMut() -> Result<()>) -> Result<()> {
        let output = self.output.borrow_mut();
        let Some(begun) = &self.begun else { return write_in_order(file, &mut self.store, output, step) };
        write_sections(file, begun.written, &mut self.store, output, step)?;
        begun.file.write_header(&file.header, begun.layout.header_len)
    }

    fn commit(&mut self) -> Result<()> {
        self.output.borrow_mut().appear()
    }

    fn readable(&self) -> Option<&Path> {
        self.output.borrow().readable()
    }

    fn spooled(&self) -> u64 {
        self.store.spooled()
    }
}
