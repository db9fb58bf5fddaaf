//! Several files as the input of one COG: [`InputOptions`], [`mosaic`], and [`stack`].

use std::path::Path;
use std::sync::Arc;

use crate::encode::Summary;
use crate::error::{Error, OptionField, Result};
use crate::executor::Executor;
use crate::geo::{Crs, Overrides};
use crate::pixels::PixelOptions;
use crate::redact::redact;
use crate::sample::Nodata;
use crate::source::file::Folders;
use crate::source::geotiff::ReadOptions;
use crate::source::mosaic::{MosaicOptions, MosaicSource, SourceInput, StackSource};
use crate::source::paths::InputFiles;
use crate::source::{OverriddenSource, RasterSource};
use crate::spec::ImageSpec;
use crate::view::PixelSource;
use crate::vrt;

use super::{CogOptions, write_source};

/// Options that apply to each of several files before they become one image, so that files that differ can fit together.
/// By default, files are taken as they are.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
#[must_use]
pub struct InputOptions {
    read: ReadOptions,
    nodata: Option<Option<Nodata>>,
    widen: bool,
    bits: Option<u16>,
    crs: Option<Crs>,
    pixels: PixelOptions,
    overrides: Overrides,
}

/// Each method sets one option and returns the options, so that they can be chained.
impl InputOptions {
    /// Returns the default options.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how each file is read.
    pub fn read_options(mut self, read: ReadOptions) -> Self {
        self.read = read;
        self
    }

    /// Sets the nodata value of the image. A file with another one is converted: its nodata pixels get this value, and no
    /// other pixel does (one that would is moved by one step). A file without nodata has this value as its own. `None`
    /// makes all pixels of all files data. Default: that of the files, which must be the same.
    pub fn nodata(mut self, nodata: Option<Nodata>) -> Self {
        self.nodata = Some(nodata);
        self
    }

    /// Sets whether samples with an unusual number of bits are widened: [`GeoTiffSource::widen`](crate::GeoTiffSource::widen). Default: `false`.
    pub fn widen(mut self, widen: bool) -> Self {
        self.widen = widen;
        self
    }

    /// Sets the bits per sample: [`PixelOptions::bits_of`].
    pub fn bits(mut self, bits: u16) -> Self {
        self.bits = Some(bits);
        self
    }

    /// Sets the coordinate reference system of all files.
    pub fn crs(mut self, crs: Crs) -> Self {
        self.crs = Some(crs);
        self
    }

    /// Sets the choice of pixels. Bands, colors, data type, and values apply to each file; window and size to the image.
    pub fn pixels(mut self, pixels: PixelOptions) -> Self {
        self.pixels = pixels;
        self
    }

    /// Sets metadata that replace those of the files, so far as they say what the pixels mean: scale, offset, unit, and
    /// color interpretation. What else the overrides contain is left to the image.
    pub fn overrides(mut self, overrides: Overrides) -> Self {
        self.overrides = Overrides::new()
            .scale(overrides.scale)
            .offset(overrides.offset)
            .unit(overrides.unit)
            .color_interpretation(overrides.color_interpretation)
            .strip_metadata(overrides.strip_metadata)
            .strip_statistics(overrides.strip_statistics);
        self
    }

    /// Returns files as one image, a mosaic. Headers are read on the threads of `executor`.
    ///
    /// # Errors
    /// The errors of [`open`](crate::open), [`PixelOptions::apply`], and [`MosaicSource::new`].
    pub fn mosaic(
        &self,
        files: &InputFiles,
        options: &MosaicOptions,
        executor: &Executor,
    ) -> Result<Box<dyn RasterSource + 'static>> {
        let mosaic = MosaicSource::new(self.inputs(files), options, executor)?;
        self.pixels.of_all().apply(mosaic)
    }

    /// Returns the bands of files as those of one image. Headers are read on the threads of `executor`.
    ///
    /// # Errors
    /// The errors of [`open`](crate::open), [`PixelOptions::apply`], and [`StackSource::new`].
    pub fn stack(&self, files: &InputFiles, executor: &Executor) -> Result<Box<dyn RasterSource + 'static>> {
        // Bands of the overrides are those of the stack.
        let overrides = Overrides::new().strip_metadata(self.overrides.strip_metadata);
        let each = Self { overrides: overrides.strip_statistics(self.overrides.strip_statistics), ..self.clone() };
        let stack = StackSource::new(each.inputs(files), &MosaicOptions::new(), executor)?;
        self.pixels.of_all().apply(stack)
    }

    /// Returns files as inputs that are opened on demand.
    fn inputs(&self, files: &InputFiles) -> Vec<SourceInput<'static>> {
        let shared = Arc::new((self.clone(), Arc::<Folders>::default()));
        self.read.announce(files.paths());
        let input = |path: &std::path::PathBuf| {
            let (shared, path, name) = (Arc::clone(&shared), path.clone(), redact(&path.to_string_lossy()));
            SourceInput::new(name, move || shared.0.open(&path, &shared.1))
        };
        files.paths().iter().map(input).collect()
    }

    /// Opens a file.
    fn open(&self, path: &Path, folders: &Arc<Folders>) -> Result<Box<dyn RasterSource>> {
        let mut source = OverriddenSource::new(vrt::open_among(path, &self.read, folders)?);
        let mut pixels = self.pixels.of_each();
        match self.nodata {
            None => {}
            Some(Some(nodata)) if pixels.converts() => pixels = pixels.converted_nodata(nodata),
            Some(Some(nodata)) if differs(source.spec(), nodata)? => {
                pixels = pixels.data_type(source.spec().data_type).converted_nodata(nodata);
            }
            Some(nodata) => source.set_nodata(nodata)?,
        }
        if self.widen {
            source.widen();
        }
        if let Some(bits) = self.bits {
            pixels = pixels.bits_of(bits, source.spec().data_type);
        }
        let mut source = OverriddenSource::new(pixels.apply(source)?);
        if let Some(crs) = &self.crs {
            source.set_crs(crs)?;
        }
        let (size, bands) = ((source.spec().width, source.spec().height), source.spec().bands);
        let mut overrides = self.overrides.clone();
        if overrides.color_interpretation.len() != usize::from(bands) {
            // They may be those of the image without the alpha band that becomes its mask.
            overrides.color_interpretation.clear();
        }
        if overrides != Overrides::new() {
            let mut metadata = source.metadata().clone();
            let geo = overrides.apply(source.geo().clone(), &mut metadata, size, bands)?;
            source.set_geo(geo);
            source.set_metadata(metadata);
        }
        Ok(Box::new(source))
    }
}

/// Returns whether an image has another nodata value, so that its pixels have to be converted.
fn differs(spec: &ImageSpec, nodata: Nodata) -> Result<bool> {
    let Some(own) = spec.nodata_in_range() else { return Ok(false) };
    let is_same = own.rounded_to(spec.data_type).to_bits() == nodata.rounded_to(spec.data_type).to_bits();
    if !is_same && (spec.has_color_map() || spec.data_type.is_complex()) {
        let kind = if spec.data_type.is_complex() { "complex samples" } else { "indices of a palette" };
        let reason = format!("the file has {}, and {kind} are not converted to another one", own.as_f64());
        return Err(Error::option(OptionField::Nodata, reason));
    }
    Ok(!is_same)
}

/// Joins files on one grid into a COG, which appears complete or not at all. See [`MosaicSource`] for what files must have
/// in common, and [`InputOptions`] for what the options do to each of them.
///
/// ```no_run
/// use cogsmith::{CogOptions, InputFiles, MosaicOptions};
/// let files = InputFiles::find(["tiles/"], None)?;
/// cogsmith::mosaic(&files, "mosaic.tif", &MosaicOptions::new(), &CogOptions::new())?;
/// # Ok::<(), cogsmith::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::OutputIsInput`](crate::ErrorKind::OutputIsInput) if the output is one of the files, and the errors of
/// [`InputOptions::mosaic`] and [`write()`](crate::write()).
pub fn mosaic(
    files: &InputFiles,
    output: impl AsRef<Path>,
    mosaic: &MosaicOptions,
    options: &CogOptions,
) -> Result<Summary> {
    files.check_output(output.as_ref())?;
    let executor = options.make_executor()?;
    let source = options.input_options().mosaic(files, mosaic, &executor)?;
    write_source(output, source, &options.for_chosen_pixels(executor))
}

/// Writes the bands of files of one size and place as the bands of one COG, which appears complete or not at all. See
/// [`StackSource`] for what files must have in common.
///
/// ```no_run
/// use cogsmith::{CogOptions, InputFiles};
/// let files = InputFiles::find(["B02.tif", "B03.tif", "B04.tif"], None)?;
/// cogsmith::stack(&files, "bands.tif", &CogOptions::new())?;
/// # Ok::<(), cogsmith::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::OutputIsInput`](crate::ErrorKind::OutputIsInput) if the output is one of the files, and the errors of
/// [`InputOptions::stack`] and [`write()`](crate::write()).
pub fn stack(files: &InputFiles, output: impl AsRef<Path>, options: &CogOptions) -> Result<Summary> {
    files.check_output(output.as_ref())?;
    let executor = options.make_executor()?;
    let source = options.input_options().stack(files, &executor)?;
    write_source(output, source, &options.for_chosen_pixels(executor))
}
