//! Overviews that a file has already, in itself or in the `.ovr` file next to it.

use std::path::Path;
use std::sync::Arc;

use crate::error::Result;
use crate::executor::Executor;
use crate::source::file::DiskFile;
use crate::spec::ImageSpec;
use crate::view::{PixelSource, Stripe};

use super::layout::ImageLayout;
use super::level::LevelSource;
use super::rows::RowReader;
use super::{GeoTiffSource, Images, image, mask_reader};
use crate::tiff::file::{Directory, TiffFile};

/// An overview with its own tiles or strips.
pub(super) struct OverviewSource {
    spec: ImageSpec,
    level: LevelSource,
}

impl PixelSource for OverviewSource {
    fn spec(&self) -> &ImageSpec {
        &self.spec
    }

    fn can_skip_rows(&self) -> bool {
        true
    }

    fn read_rows(&mut self, first_row: u32, stripe: &mut Stripe<'_>, executor: &Executor) -> Result<()> {
        self.level.read_rows(first_row, stripe, executor)
    }
}

impl GeoTiffSource {
    /// Adds the overviews of an image in the same file.
    pub(super) fn add_own_overviews(&mut self, file: &TiffFile, images: &Images<'_>, image: usize) {
        for &(number, directory) in images.overviews_of(image) {
            self.add_overview(file, images, number, directory);
        }
    }

    /// Adds the overviews in a separate TIFF file next to the raster, as `gdaladdo -ro` writes it.
    ///
    /// # Errors
    /// The errors of opening the file; those of a single overview are warnings.
    pub(super) fn add_overviews_beside(&mut self, path: &Path) -> Result<()> {
        let file = TiffFile::open(Arc::new(DiskFile::open(path)?))?;
        let directories = file.directories(&mut self.warnings)?;
        let images = Images::find(&file, &directories)?;
        for &(number, directory) in images.full.iter().chain(&images.overviews) {
            self.add_overview(&file, &images, number, directory);
        }
        Ok(())
    }

    /// Adds an overview, or warns if it differs from the image in more than its size.
    fn add_overview(&mut self, file: &TiffFile, images: &Images<'_>, number: usize, directory: &Directory) {
        match self.overview_source(file, images, number, directory) {
            Ok(Ok(overview)) => {
                self.spec.overviews.push((overview.spec.width, overview.spec.height));
                self.overviews.push(overview);
            }
            Ok(Err(reason)) => self.warnings.push(format!("the overview in image {number} is not used: {reason}")),
            Err(error) => self.warnings.push(format!("the overview in image {number} is not used: {error}")),
        }
    }

    /// Opens an overview; the inner error is the reason that it does not fit the image.
    fn overview_source(
        &self,
        file: &TiffFile,
        images: &Images<'_>,
        number: usize,
        directory: &Directory,
    ) -> Result<std::result::Result<OverviewSource, &'static str>> {
        let layout = ImageLayout::read(file, directory, number)?;
        let mut spec = image::spec(file, directory, &layout, &mut Vec::new())?;
        let full = &self.spec;
        if (spec.bands, spec.data_type, spec.bits_per_sample) != (full.bands, full.data_type, full.bits_per_sample) {
            return Ok(Err("its bands or samples differ from full resolution"));
        }
        if (spec.photometric, &spec.color_map) != (full.photometric, &full.color_map) {
            return Ok(Err("its colors differ from full resolution"));
        }
        let mask = match images.mask_of(file, number, &spec)? {
            Some((number, directory)) if full.mask => Some(mask_reader(file, directory, number)?),
            _ if full.mask => return Ok(Err("it has no mask, but full resolution does")),
            _ => None,
        };
        (spec.nodata, spec.mask) = (full.nodata, full.mask);
        let pixels = RowReader::new(file.clone(), Arc::new(layout), image::fill_sample(&spec));
        Ok(Ok(OverviewSource { spec, level: LevelSource { pixels, mask } }))
    }

    /// Takes the overviews, described as full resolution is by now.
    pub(super) fn described_overviews(&mut self) -> Vec<Box<dyn PixelSource + Send>> {
        let described = std::mem::take(&mut self.overviews).into_iter().map(|overview| {
            let (width, height) = (overview.spec.width, overview.spec.height);
            let spec = self.spec.clone().width(width).height(height).overviews([]);
            Box::new(OverviewSource { spec, ..overview }) as Box<dyn PixelSource + Send>
        });
        described.collect()
    }
}
