//! The pixels of a file and of its changes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::{Error, Result};
use crate::executor::Executor;
use crate::grid::Rectangle;
use crate::plan::Share;
use crate::pyramid::LevelPixels;
use crate::source::geotiff::LevelSource;
use crate::source::mosaic::MosaicSource;
use crate::spec::ImageSpec;
use crate::view::{PixelSource, Stripe};

/// The levels of a file, whose tiles change from one update to the next.
#[derive(Debug, Clone)]
pub(super) struct Levels(Arc<Vec<Mutex<LevelSource>>>);

impl Levels {
    pub(super) fn new(levels: Vec<LevelSource>) -> Self {
        Self(Arc::new(levels.into_iter().map(Mutex::new).collect()))
    }

    /// Returns a level.
    pub(super) fn level(&self, level: usize) -> Result<MutexGuard<'_, LevelSource>> {
        let source = self.0.get(level).ok_or_else(|| Error::corrupt(format!("level {level}"), "it is missing"))?;
        Ok(source.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Limits all levels to the windows of a share.
    pub(super) fn limit(&self, share: &Share) -> Result<()> {
        share.levels.iter().try_for_each(|level| {
            self.level(level.level.index)?.start_at(level.window.columns.start);
            Ok(())
        })
    }
}

impl LevelPixels for Levels {
    fn read(&mut self, level: usize, first_row: u32, stripe: &mut Stripe<'_>, executor: &Executor) -> Result<()> {
        self.level(level)?.read_rows(first_row, stripe, executor)
    }
}

/// A window of a level, with an update over it.
pub(super) struct WindowSource<'a> {
    spec: ImageSpec,
    levels: Levels,
    level: usize,
    /// The first row of the window.
    top: u32,
    update: Option<MosaicSource<'a>>,
}

impl<'a> WindowSource<'a> {
    /// Takes a window of a level, to which the level is [limited](Levels::limit). `spec` describes the image.
    pub(super) fn new(
        spec: &ImageSpec,
        levels: &Levels,
        (level, window): (usize, &Rectangle),
        update: Option<MosaicSource<'a>>,
    ) -> Self {
        let spec = spec.clone().width(window.width()).height(window.height());
        Self { spec, levels: levels.clone(), level, top: window.rows.start, update }
    }
}

impl PixelSource for WindowSource<'_> {
    fn spec(&self) -> &ImageSpec {
        &self.spec
    }

    fn can_skip_rows(&self) -> bool {
        true
    }

    fn read_rows(&mut self, first_row: u32, stripe: &mut Stripe<'_>, executor: &Executor) -> Result<()> {
        let row = self.top.saturating_add(first_row);
        self.levels.level(self.level)?.read_rows(row, stripe, executor)?;
        self.update.as_mut().map_or(Ok(()), |update| update.compose_over(first_row, stripe, executor))
    }
}
