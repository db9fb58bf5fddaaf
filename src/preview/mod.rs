//! Previews: small pictures of rasters, as PNG or JPEG.

mod picture;
mod stretch;

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::error::{Error, OptionField, Result};
use crate::executor::Executor;
use crate::geo::{ColorInterpretation, GeoRef, Metadata, colors};
use crate::options::Resampling;
use crate::pixels::{BandChoice, PaletteColors, PixelOptions, RowBuffer};
use crate::sample::DataType;
use crate::sink::{FileOptions, OutputFile};
use crate::source::RasterSource;
use crate::source::geotiff::ReadOptions;
use crate::spec::{ImageSpec, Photometric};
use crate::view::{PixelSource, Stripe, StripeLayout};
use crate::vrt;

pub use picture::PreviewFormat;

/// Side of a preview unless set, in pixels.
const DEFAULT_SIZE: u32 = 512;
/// Longest side of a preview, in pixels. It bounds the memory that one takes.
pub(crate) const MAX_SIZE: u32 = 8192;

/// Options for [`Preview::read`] and [`preview`](fn@preview).
#[derive(Debug, Clone)]
#[non_exhaustive]
#[must_use]
pub struct PreviewOptions {
    size: u32,
    bands: Vec<BandChoice>,
    read: ReadOptions,
    file: FileOptions,
    cancel: Option<Arc<AtomicBool>>,
}

impl Default for PreviewOptions {
    fn default() -> Self {
        Self { size: DEFAULT_SIZE, bands: Vec::new(), read: ReadOptions::new(), file: FileOptions::new(), cancel: None }
    }
}

/// Each method sets one option and returns the options, so that they can be chained.
impl PreviewOptions {
    /// Returns the default options.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the longer side of the picture in pixels, 1 to 8192. Smaller images are not enlarged. Default: 512.
    pub fn size(mut self, size: u32) -> Self {
        self.size = size;
        self
    }

    /// Sets the bands to show: one as gray, or three as red, green, and blue. Default: the bands whose color
    /// interpretation is red, green, and blue, otherwise the first band.
    pub fn bands(mut self, bands: impl Into<Vec<BandChoice>>) -> Self {
        self.bands = bands.into();
        self
    }

    /// Sets how the file is read: which image, and how addresses are opened.
    pub fn read_options(mut self, read: ReadOptions) -> Self {
        self.read = read;
        self
    }

    /// Sets how the output file is created.
    pub fn file(mut self, file: FileOptions) -> Self {
        self.file = file;
        self
    }

    /// Sets a flag that cancels the work when it becomes `true`.
    pub fn cancel(mut self, flag: Arc<AtomicBool>) -> Self {
        self.cancel = Some(flag);
        self
    }
}

/// A small picture of a raster.
///
/// It is made from the smallest overview that is at least as large, by averaging; only the tiles of that overview are read.
/// Eight-bit colors and palette colors are shown as they are. Other values are stretched, each band on its own: the range
/// from the 2nd to the 98th percentile of the valid pixels becomes 0 to 255. Masked, nodata, and NaN pixels are
/// transparent; alpha is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Preview {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Samples per pixel: gray, gray and alpha, red, green, and blue, or these and alpha.
    pub channels: u8,
    /// Samples: (row, column, channel). Alpha is not premultiplied.
    pub pixels: Vec<u8>,
    /// Columns and rows of the level that was read.
    pub level: (u32, u32),
    /// Warnings about what was doubtful in the file or ignored, one sentence each.
    pub warnings: Vec<String>,
}

impl Preview {
    /// Makes a preview of a file or an address: a GeoTIFF with or without overviews, VRT, PNG, or JPEG.
    ///
    /// # Errors
    /// The errors of [`open`](crate::open); [`ErrorKind::InvalidOption`](crate::ErrorKind::InvalidOption) for a size out of
    /// range and for bands that the image does not have or that are neither one nor three;
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) for complex samples;
    /// [`ErrorKind::Cancelled`](crate::ErrorKind::Cancelled).
    pub fn read(path: impl AsRef<Path>, options: &PreviewOptions) -> Result<Self> {
        check(options)?;
        let source = vrt::open(path, &options.read.clone().overviews(true))?;
        Self::of(source, options)
    }

    /// Makes a preview of any source, from the overviews that it delivers. The options for reading and writing files do not
    /// apply.
    ///
    /// # Errors
    /// The errors of [`read`](Self::read), except those of opening a file.
    pub fn of(mut source: impl RasterSource, options: &PreviewOptions) -> Result<Self> {
        check(options)?;
        if source.spec().data_type.is_complex() {
            return Err(Error::unsupported("a preview of complex samples"));
        }
        let choice = Choice::of(&source, &options.bands)?;
        let warnings = source.warnings().to_vec();
        match nearest(&source.spec().overviews, options.size) {
            Some(index) => {
                let (geo, metadata) = (source.geo().clone(), source.metadata().clone());
                let mut overviews = source.take_overviews()?;
                if index >= overviews.len() {
                    return Err(Error::image("the source does not deliver the overviews that it lists"));
                }
                let level = LevelSource { pixels: overviews.swap_remove(index), geo, metadata };
                choice.show(level, warnings, options)
            }
            None => choice.show(source, warnings, options),
        }
    }

    /// Returns the picture as a file in a format.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) if it cannot be encoded.
    pub fn encode(&self, format: PreviewFormat) -> Result<Vec<u8>> {
        picture::encode(self, format)
    }
}

/// Writes a small picture of a file, or of a file at an address. The ending of the output selects the format: `.png`, or
/// `.jpg` and `.jpeg` with quality 85, in which transparent pixels are white. The output appears whole or not at all.
///
/// ```no_run
/// use cogsmith::PreviewOptions;
/// cogsmith::preview("scene.tif", "scene.png", &PreviewOptions::new().size(1024))?;
/// # Ok::<(), cogsmith::Error>(())
/// ```
///
/// # Errors
/// The errors of [`Preview::read`]; [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) for another ending;
/// [`ErrorKind::TargetExists`](crate::ErrorKind::TargetExists) for an existing output, unless it is to be overwritten;
/// [`ErrorKind::Io`](crate::ErrorKind::Io).
pub fn preview(path: impl AsRef<Path>, output: impl AsRef<Path>, options: &PreviewOptions) -> Result<Preview> {
    let output = output.as_ref();
    let format = PreviewFormat::of(output)?;
    let mut file = OutputFile::create(output, &options.file)?;
    let preview = Preview::read(path, options)?;
    let bytes = preview.encode(format)?;
    file.write_all(&bytes).map_err(|error| Error::io_at("write", output, error))?;
    file.commit()?;
    Ok(preview)
}

/// Checks what needs no source.
fn check(options: &PreviewOptions) -> Result<()> {
    if !(1..=MAX_SIZE).contains(&options.size) {
        let reason = format!("{} is out of range (1 to {MAX_SIZE})", options.size);
        return Err(Error::option(OptionField::Size, reason));
    }
    if !matches!(options.bands.len(), 0 | 1 | 3) {
        let reason = format!("a preview shows one band or three, not {}", options.bands.len());
        return Err(Error::option(OptionField::Bands, reason));
    }
    Ok(())
}

/// Returns the size of a level whose longer side is reduced to `longest`.
fn reduced((width, height): (u32, u32), longest: u32) -> (u32, u32) {
    let longer = width.max(height);
    let side = |side: u32| {
        // Rounded to the nearest pixel.
        let scaled = (u64::from(side) * u64::from(longest) * 2 + u64::from(longer)) / (2 * u64::from(longer).max(1));
        u32::try_from(scaled).unwrap_or(u32::MAX).max(1)
    };
    if longer <= longest { (width, height) } else { (side(width), side(height)) }
}

/// Returns the smallest of some levels whose longer side is at least `longest`.
fn nearest(levels: &[(u32, u32)], longest: u32) -> Option<usize> {
    let fits = levels.iter().enumerate().filter(|(_, level)| level.0.max(level.1) >= longest);
    fits.min_by_key(|(_, level)| u64::from(level.0) * u64::from(level.1)).map(|(index, _)| index)
}

/// The bands to show, and how.
struct Choice {
    pixels: PixelOptions,
    /// Bands of color, before alpha: 1 or 3.
    colors: usize,
    /// `true` if there is alpha after the colors.
    alpha: bool,
    /// `true` for 8-bit colors, whose values need no stretch.
    is_color: bool,
    /// `true` if the smallest value is white.
    inverted: bool,
}

impl Choice {
    /// Chooses bands of a source.
    fn of(source: &impl RasterSource, bands: &[BandChoice]) -> Result<Self> {
        use ColorInterpretation::{Alpha, Blue, Green, Red};
        let spec = source.spec();
        let interpretations = colors::of(spec, source.metadata());
        let find =
            |color| interpretations.iter().position(|one| *one == color).and_then(|band| u16::try_from(band).ok());
        let alpha = find(Alpha);
        let is_byte = spec.data_type == DataType::U8 && spec.bits() == 8;
        let (mut chosen, is_color) = match (bands, find(Red), find(Green), find(Blue)) {
            ([], ..) if spec.has_color_map() => {
                let first = if spec.bands > 1 { vec![BandChoice::Number(0)] } else { Vec::new() };
                let pixels = PixelOptions::new().bands(first).expand_palette(PaletteColors::Rgba);
                return Ok(Self { pixels, colors: 3, alpha: true, is_color: true, inverted: false });
            }
            ([], Some(red), Some(green), Some(blue)) => ([red, green, blue].map(BandChoice::Number).to_vec(), is_byte),
            ([], ..) => (vec![BandChoice::Number(0)], false),
            (bands, ..) => (bands.to_vec(), false),
        };
        let colors = chosen.len();
        let alpha = alpha.filter(|alpha| !chosen.contains(&BandChoice::Number(*alpha)));
        chosen.extend(alpha.map(BandChoice::Number));
        let inverted = colors == 1 && spec.photometric == Photometric::MinIsWhite;
        let pixels = PixelOptions::new().bands(chosen);
        Ok(Self { pixels, colors, alpha: alpha.is_some(), is_color, inverted })
    }

    /// Reads the pixels of a level, and makes them visible.
    fn show(&self, level: impl RasterSource, warnings: Vec<String>, options: &PreviewOptions) -> Result<Preview> {
        let size = (level.spec().width, level.spec().height);
        let (width, height) = reduced(size, options.size);
        let pixels = self.pixels.clone().size(width, height).size_resampling(Resampling::Average);
        let mut source = pixels.apply(level)?;
        let mut executor = Executor::all_cores()?;
        if let Some(flag) = &options.cancel {
            executor = executor.cancelled_by(Arc::clone(flag));
        }
        let spec = source.spec().clone();
        let mut rows = RowBuffer::default();
        let mut stripe = rows.stripe(&spec, StripeLayout::Planar, height as usize)?;
        source.read_rows(0, &mut stripe, &executor)?;
        let shown = stretch::show(&spec, &stripe, self);
        Ok(Preview { width, height, channels: shown.channels, pixels: shown.pixels, level: size, warnings })
    }
}

/// An overview, with what is known of the whole image.
struct LevelSource {
    pixels: Box<dyn PixelSource + Send>,
    geo: GeoRef,
    metadata: Metadata,
}

impl PixelSource for LevelSource {
    fn spec(&self) -> &ImageSpec {
        self.pixels.spec()
    }

    fn can_skip_rows(&self) -> bool {
        self.pixels.can_skip_rows()
    }

    fn read_rows(&mut self, first_row: u32, stripe: &mut Stripe<'_>, executor: &Executor) -> Result<()> {
        self.pixels.read_rows(first_row, stripe, executor)
    }
}

impl RasterSource for LevelSource {
    fn geo(&self) -> &GeoRef {
        &self.geo
    }

    fn metadata(&self) -> &Metadata {
        &self.metadata
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::SliceSource;

    #[test]
    fn the_longer_side_is_reduced_and_never_enlarged() {
        assert_eq!(reduced((4000, 2000), 512), (512, 256));
        assert_eq!(reduced((300, 200), 512), (300, 200));
        assert_eq!(reduced((1, 100_000), 512), (1, 512));
        assert_eq!(reduced((u32::MAX, 3), 512), (512, 1));
    }

    #[test]
    fn the_smallest_level_that_is_large_enough_is_read() {
        let levels = [(2000, 1000), (1000, 500), (500, 250)];
        assert_eq!(nearest(&levels, 512), Some(1));
        assert_eq!(nearest(&levels, 500), Some(2));
        assert_eq!(nearest(&levels, 2001), None);
    }

    #[test]
    fn values_are_stretched_between_percentiles_and_nodata_is_transparent() {
        let mut values: Vec<i16> = (0..10_000).collect();
        values[0] = -9999;
        let spec = ImageSpec::new(100, 100, 1, DataType::I16).nodata(-9999i64);
        let preview = Preview::of(SliceSource::new(spec, &values).unwrap(), &PreviewOptions::new()).unwrap();
        assert_eq!((preview.width, preview.height, preview.channels), (100, 100, 2));
        assert_eq!(preview.pixels[..4], [0, 0, 0, 255]);
        assert_eq!(preview.pixels[2 * 9_999..], [255, 255]);
        // Half of the range.
        assert!((126..=129).contains(&preview.pixels[2 * 5_000]));
    }

    #[test]
    fn colors_of_bytes_are_shown_as_they_are() {
        let values: Vec<u8> = (0..60).collect();
        let spec = ImageSpec::new(5, 4, 3, DataType::U8);
        let preview = Preview::of(SliceSource::new(spec, &values).unwrap(), &PreviewOptions::new()).unwrap();
        assert_eq!((preview.channels, preview.pixels), (3, values));
    }

    #[test]
    fn wrong_options_are_refused() {
        let values = [0u8; 4];
        let source = || SliceSource::new(ImageSpec::new(2, 2, 1, DataType::U8), &values).unwrap();
        let message = |options| Preview::of(source(), &options).unwrap_err().to_string();
        assert!(message(PreviewOptions::new().size(0)).contains("0 is out of range (1 to 8192)"));
        let two = [BandChoice::Number(0), BandChoice::Number(0)];
        assert!(message(PreviewOptions::new().bands(two)).contains("one band or three, not 2"));
        assert!(message(PreviewOptions::new().bands([BandChoice::Number(4)])).contains('5'));
    }
}
