//! GeoTIFF files of any flavour as the source.
//!
//! Strips and tiles, bands together or apart, either byte order, classic and BigTIFF, samples of 1 to 64 bits and
//! complex ones, internal masks, and the files beside a raster that say where it lies.

mod directory;
mod georeference;
mod image;
mod layout;
mod metadata;
mod overrides;
mod pam;
mod rows;
mod sidecar;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use self::directory::{Directory, TiffFile};
use self::layout::ImageLayout;
use self::rows::{RowReader, Run};
use self::sidecar::Sidecars;
use super::RasterSource;
use super::file::{DiskFile, ReadAt};
use crate::codec::decode::Compression;
use crate::error::{Error, Result};
use crate::executor::Executor;
use crate::geo::{GeoRef, Metadata};
use crate::spec::ImageSpec;
use crate::tiff::Tag;
use crate::view::{PixelSource, Stripe, Window};

/// How a file is read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// The full-resolution image to read, counted from 0. Default: `None`, the first one, with a warning if there are
    /// more.
    pub image: Option<usize>,
    /// Whether to leave out the `.aux.xml` file next to the raster, GDAL's auxiliary metadata. Default: `false`, what it
    /// says wins over what the raster itself says, as in GDAL.
    pub ignore_aux: bool,
}

/// A GeoTIFF file as the source of an encoding.
///
/// Pixels are decoded when they are asked for; the file is never held in memory as a whole. A strip of the height of
/// the image takes no more memory than one of few rows. Rows may be read in any order; those of a compressed strip of more
/// than 8 MiB are decoded from its start again where one is asked for that lies before the last.
///
/// ```no_run
/// use cogsmith::{GeoTiffSource, PixelSource, ReadOptions};
/// let source = GeoTiffSource::open("elevation.tif", &ReadOptions::default())?;
/// println!("{} x {} pixels", source.spec().width, source.spec().height);
/// # Ok::<(), cogsmith::Error>(())
/// ```
pub struct GeoTiffSource {
    spec: ImageSpec,
    geo: GeoRef,
    metadata: Metadata,
    warnings: Vec<String>,
    image_count: usize,
    flavour: String,
    pixels: RowReader,
    mask: Option<MaskReader>,
}

/// The mask of an image, with chunks of its own.
struct MaskReader {
    rows: RowReader,
    /// Bytes of a sample of the mask.
    sample_size: usize,
    /// Samples of a pixel: old files have one for each band.
    samples: usize,
}

impl std::fmt::Debug for GeoTiffSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GeoTiffSource")
            .field("spec", &self.spec)
            .field("geo", &self.geo)
            .field("flavour", &self.flavour)
            .finish_non_exhaustive()
    }
}

impl GeoTiffSource {
    /// Opens a file.
    ///
    /// What the `.aux.xml` file next to it says wins, unless the options leave it out: CRS, transform, ground control
    /// points, nodata value, color table and interpretation, descriptions, scales, offsets, units and metadata. GDAL
    /// keeps there what a user has set and a GeoTIFF cannot hold, or what was set on a file opened for reading. It is
    /// read for the first image alone. Without any georeference, a world file and a `.prj` file next to the raster
    /// are read.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) where the file can't be read,
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) where it is no TIFF file or is damaged,
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) for features that are not read, and
    /// [`ErrorKind::InvalidOption`](crate::ErrorKind::InvalidOption) for an image that the file has not.
    pub fn open(path: impl AsRef<Path>, options: &ReadOptions) -> Result<Self> {
        let path = path.as_ref();
        let mut source = Self::from_reader(DiskFile::open(path)?, options)?;
        if !options.ignore_aux && options.image.unwrap_or(0) == 0 {
            source.read_aux(path);
        }
        let sidecars = Sidecars::of(path);
        sidecars.apply(&mut source.geo, &mut source.warnings);
        if let Some(mask) = sidecars.mask()
            && source.mask.is_none()
        {
            source.mask = source.mask_beside(&mask).unwrap_or_else(|error| {
                source.warnings.push(format!("the mask '{}' can't be read and is ignored: {error}", mask.display()));
                None
            });
            source.spec.mask = source.mask.is_some();
        }
        Ok(source)
    }

    /// The mask in a file beside the raster, which is a TIFF file of its own.
    fn mask_beside(&mut self, path: &Path) -> Result<Option<MaskReader>> {
        let file = TiffFile::open(Arc::new(DiskFile::open(path)?))?;
        let directories = file.directories(&mut self.warnings)?;
        let Some(directory) = directories.first() else { return Ok(None) };
        let mask = mask_reader(&file, directory, 0)?;
        let (width, height) = mask.rows.size();
        if (width, height) != (self.spec.width, self.spec.height) {
            self.warnings.push(format!("the mask '{}' is {width}x{height} and is ignored", path.display()));
            return Ok(None);
        }
        Ok(Some(mask))
    }

    /// Opens a file that some other means gives the bytes of.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn from_reader(reader: impl ReadAt + 'static, options: &ReadOptions) -> Result<Self> {
        Self::read(Arc::new(reader), options, None)
    }

    /// Opens an overview of an image, for a look at it: 0 is the first that the file has behind it, usually the largest.
    /// Its place on the earth is not that of the pixels: overviews have none of their own.
    ///
    /// # Errors
    /// As [`open`](Self::open), and [`ErrorKind::InvalidOption`](crate::ErrorKind::InvalidOption) for an overview that
    /// the file has not.
    pub fn overview(reader: impl ReadAt + 'static, options: &ReadOptions, overview: usize) -> Result<Self> {
        Self::read(Arc::new(reader), options, Some(overview))
    }

    fn read(reader: Arc<dyn ReadAt>, options: &ReadOptions, overview: Option<usize>) -> Result<Self> {
        let file = TiffFile::open(reader)?;
        let mut warnings = Vec::new();
        let directories = file.directories(&mut warnings)?;
        let images = Images::find(&file, &directories)?;
        let (mut number, mut directory) = images.choose(options, &mut warnings)?;
        if let Some(overview) = overview {
            (number, directory) = images.overview(number, overview)?;
        }
        let layout = ImageLayout::read(&file, directory, number)?;
        warnings.extend(layout.missing_offsets());
        let mut spec = image::spec(&file, directory, &layout, &mut warnings)?;
        let geo = georeference::read(&file, directory, &mut warnings)?;
        let metadata = metadata::read(&file, directory, &mut warnings)?;
        let mask = match images.mask_of(&file, number, &spec)? {
            Some((number, directory)) => Some(mask_reader(&file, directory, number)?),
            None => None,
        };
        spec.mask = mask.is_some();
        let flavour = flavour(&layout, &spec);
        let pixels = RowReader::new(file, Arc::new(layout), Vec::new());
        let image_count = images.full.len();
        let mut source = Self { spec, geo, metadata, warnings, image_count, flavour, pixels, mask };
        source.fill_with_nodata();
        Ok(source)
    }

    /// Lets chunks that are left out of the file be nodata, as in GDAL.
    fn fill_with_nodata(&mut self) {
        let spec = &mut self.spec;
        if spec.nodata != spec.nodata_in_range() && self.pixels.layout().is_sparse() {
            self.warnings.push(format!(
                "chunks that are left out stand for nodata, which {} bits can't hold; samples are widened to {}",
                spec.bits(),
                spec.data_type.bits()
            ));
            image::widen(spec);
        }
        self.pixels.set_fill(image::fill_sample(spec));
    }

    /// What was doubtful or left out, each as a sentence.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The number of full-resolution images in the file: neither overviews nor masks.
    #[must_use]
    pub fn image_count(&self) -> usize {
        self.image_count
    }

    /// How the pixels are stored, in a few words, such as `Deflate u16 tiles chunky`.
    #[must_use]
    pub fn flavour(&self) -> &str {
        &self.flavour
    }
}

impl PixelSource for GeoTiffSource {
    fn spec(&self) -> &ImageSpec {
        &self.spec
    }

    fn read_rows(&mut self, first_row: u32, stripe: &mut Stripe<'_>, executor: &Executor) -> Result<()> {
        self.pixels.read(first_row, stripe, executor, None)?;
        if let Some(mask) = &mut self.mask {
            let (size, pixel) = (mask.sample_size, mask.sample_size * mask.samples);
            let bands_differ = AtomicBool::new(false);
            let put = |window: &mut Window<'_>, run: Run<'_>| {
                let pixels = run.samples.chunks_exact(pixel);
                for (to, pixel) in window.mask_row(run.row).into_iter().flatten().zip(pixels) {
                    let valid = pixel.iter().any(|byte| *byte != 0);
                    *to = if valid { 255 } else { 0 };
                    if pixel.len() > size && pixel.chunks_exact(size).any(|one| one.iter().any(|b| *b != 0) != valid) {
                        bands_differ.store(true, Ordering::Relaxed);
                    }
                }
            };
            mask.rows.read(first_row, stripe, executor, Some(&put))?;
            if bands_differ.into_inner() {
                let rows = format!("rows {first_row} to {}", first_row as usize + stripe.rows - 1);
                return Err(Error::unsupported(format!("a mask that differs from band to band ({rows}); one for all")));
            }
        }
        Ok(())
    }
}

impl RasterSource for GeoTiffSource {
    fn geo(&self) -> &GeoRef {
        &self.geo
    }

    fn metadata(&self) -> &Metadata {
        &self.metadata
    }
}

/// The directories of a file by what they are (tags 254 and 255, TIFF 6.0 section 8).
struct Images<'a> {
    full: Vec<(usize, &'a Directory)>,
    overviews: Vec<(usize, &'a Directory)>,
    masks: Vec<(usize, &'a Directory)>,
}

impl<'a> Images<'a> {
    fn find(file: &TiffFile, directories: &'a [Directory]) -> Result<Self> {
        let mut images = Self { full: Vec::new(), overviews: Vec::new(), masks: Vec::new() };
        for (number, directory) in directories.iter().enumerate() {
            let kind = directory.integer(file, Tag::NEW_SUBFILE_TYPE).unwrap_or_default().unwrap_or(0);
            let old_kind = directory.integer(file, Tag::SUBFILE_TYPE).unwrap_or_default().unwrap_or(0);
            let (reduced, mask) = (kind & 1 != 0 || old_kind == 2, kind & 4 != 0);
            // The first directory is the image whatever it claims, as in GDAL.
            if number == 0 || (!reduced && !mask) {
                images.full.push((number, directory));
            } else if mask {
                images.masks.push((number, directory));
            } else {
                images.overviews.push((number, directory));
            }
        }
        Ok(images)
    }

    fn choose(&self, options: &ReadOptions, warnings: &mut Vec<String>) -> Result<(usize, &'a Directory)> {
        let count = self.full.len();
        if options.image.is_none() && count > 1 {
            warnings.push(format!(
                "the file has {count} full-resolution images; the first is read, choose another with the option 'image'"
            ));
        }
        let wanted = options.image.unwrap_or(0);
        self.full.get(wanted).copied().ok_or_else(|| {
            Error::option("image", format!("there is no such image, the file has {count} of full resolution"))
        })
    }

    /// An overview of an image: one of those that stand behind it and before the next one.
    fn overview(&self, image: usize, overview: usize) -> Result<(usize, &'a Directory)> {
        let behind = image..self.next(image);
        let all: Vec<_> = self.overviews.iter().filter(|(number, _)| behind.contains(number)).collect();
        all.get(overview).map(|one| **one).ok_or_else(|| {
            let reason = format!("there is no overview {overview}, the image has {} (counted from 0)", all.len());
            Error::option("overview", reason)
        })
    }

    /// The number of the image behind an image.
    fn next(&self, image: usize) -> usize {
        self.full.iter().map(|(number, _)| *number).find(|number| *number > image).unwrap_or(usize::MAX)
    }

    /// The mask of the same size that stands behind an image (or an overview of it) and before the next one.
    fn mask_of(&self, file: &TiffFile, image: usize, spec: &ImageSpec) -> Result<Option<(usize, &'a Directory)>> {
        let next = self.next(image);
        for (number, directory) in self.masks.iter().filter(|(number, _)| (image..next).contains(number)) {
            let width = directory.integer(file, Tag::IMAGE_WIDTH)?;
            let height = directory.integer(file, Tag::IMAGE_LENGTH)?;
            if width == Some(spec.width.into()) && height == Some(spec.height.into()) {
                return Ok(Some((*number, directory)));
            }
        }
        Ok(None)
    }
}

fn mask_reader(file: &TiffFile, directory: &Directory, number: usize) -> Result<MaskReader> {
    let layout = ImageLayout::read(file, directory, number)?;
    let samples = usize::from(layout.samples);
    if layout.planar && samples != 1 {
        return Err(Error::unsupported(format!("a mask of {samples} planes (image {number}); one for all")));
    }
    let sample_size = layout.format.data_type.size();
    let fill = vec![0; sample_size * samples];
    Ok(MaskReader { rows: RowReader::new(file.clone(), Arc::new(layout), fill), sample_size, samples })
}

fn flavour(layout: &ImageLayout, spec: &ImageSpec) -> String {
    let compression = match layout.format.compression {
        Compression::None => "uncompressed",
        Compression::Lzw => "LZW",
        Compression::Deflate => "DEFLATE",
        Compression::Zstd => "ZSTD",
        Compression::PackBits => "PackBits",
        Compression::Jpeg => "JPEG",
        Compression::WebP => "WebP",
        Compression::Lerc(_) => "LERC",
        Compression::Fax(_) => "fax",
    };
    let chunks = if layout.tiled { "tiles" } else { "strips" };
    let bands = if layout.planar { "planar" } else { "chunky" };
    let bits = spec.bits_per_sample.map(|bits| format!(" of {bits} bits")).unwrap_or_default();
    format!("{compression} {}{bits} {chunks} {bands}", spec.data_type)
}

#[cfg(test)]
mod tests;
