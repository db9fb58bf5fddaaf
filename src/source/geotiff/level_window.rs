//! Levels of which windows are read, and whose tiles can be replaced.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::grid::Plane;
use crate::spec::ImageSpec;
use crate::tiff::file::{Directory, TiffFile};

use super::layout::ImageLayout;
use super::level::LevelSource;
use super::rows::RowReader;
use super::{image, mask_reader};

impl LevelSource {
    /// Opens the level with these directories, the mask's second. `spec` gives the value of tiles that are not stored.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) and [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) if
    /// its pixels cannot be read.
    pub(crate) fn open(
        file: &TiffFile,
        directories: &[Directory],
        (image, mask): (usize, Option<usize>),
        spec: &ImageSpec,
    ) -> Result<Self> {
        let directory = |number: usize| {
            let directory = directories.get(number);
            directory.ok_or_else(|| Error::corrupt(format!("image {number}"), "its directory is not in the main chain"))
        };
        let layout = ImageLayout::read(file, directory(image)?, image)?;
        let mask = mask.map(|number| mask_reader(file, directory(number)?, number)).transpose()?;
        Ok(Self { pixels: RowReader::new(file.clone(), Arc::new(layout), image::fill_sample(spec)), mask })
    }

    /// Limits reading to the columns from the left edge of a tile on. Stripes end at the edge of a tile, too, or of the level.
    pub(crate) fn start_at(&mut self, column: u32) {
        self.pixels.start_at(column);
        if let Some(mask) = &mut self.mask {
            mask.rows.start_at(column);
        }
    }

    /// Replaces a tile, by its index in the array of its plane.
    pub(crate) fn replace(&mut self, plane: Plane, index: usize, offset: u64, count: u64) {
        match (plane, &mut self.mask) {
            (Plane::Mask, Some(mask)) => mask.rows.replace_chunk(index, offset, count),
            (Plane::Mask, None) => {}
            (Plane::Image(_), _) => self.pixels.replace_chunk(index, offset, count),
        }
    }
}
