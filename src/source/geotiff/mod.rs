//! Reader for GeoTIFF files of all kinds.
//!
//! Supports strips and tiles, pixel and band interleave, both byte orders, classic TIFF and BigTIFF, samples of 1 to 64
//! bits and complex samples, internal masks, and files next to the raster that georeference it.

mod georeference;
mod image;
mod layout;
mod level;
#[cfg(feature = "mosaic")]
mod level_window;
mod metadata;
mod overrides;
mod overviews;
mod rows;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub(super) use self::image::widen;
use self::layout::ImageLayout;
#[cfg(feature = "mosaic")]
pub(crate) use self::level::LevelSource;
pub(crate) use self::metadata::all_items as metadata_items;
use self::rows::{RowReader, Run};

use super::file::{Addresses, DiskFile, Folders, ReadAt};
use super::sidecar::Sidecars;
use super::{RasterSource, pam};
use crate::codec::decode::Compression;
use crate::error::{Error, OptionField, Result};
use crate::executor::Executor;
use crate::geo::{GeoRef, Metadata};
use crate::options::{LEAVES_OUT_TILES, READS_OVERVIEWS};
use crate::spec::ImageSpec;
use crate::tiff::Tag;
use crate::tiff::file::{Directory, TiffFile};
use crate::view::{PixelSource, Stripe, StripeWindow};

/// Endings of the world file of a TIFF.
const WORLD_FILES: &[&str] = &[".tfw", ".tifw", ".tiffw", ".wld"];

/// Options for reading a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub struct ReadOptions {
    /// Full-resolution image to read, counted from 0. Default: `None`, which reads the first image, with a warning if
    /// there are more.
    pub image: Option<usize>,
    /// True to ignore GDAL's auxiliary metadata, the `.aux.xml` file next to the raster. Default: `false`; as in GDAL,
    /// it takes precedence over the raster itself.
    pub ignore_aux: bool,
    /// True to find the overviews of the file, and those in the `.ovr` file next to it, for
    /// [`Overviews::Existing`](crate::Overviews::Existing). Default: `false`.
    pub overviews: bool,
    /// Folder below which the files named in a VRT file may be. Default: `None`, the folder of the VRT file, and names
    /// must be relative to it.
    pub vrt_root: Option<PathBuf>,
    /// The way to open inputs that are addresses, such as `s3://bucket/scene.tif`. Default: `None`, which reads files only.
    pub addresses: Option<Addresses>,
}

/// Each method sets one option and returns the options, so that they can be chained.
impl ReadOptions {
    /// Returns the default options.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the full-resolution image to read, counted from 0. Default (`None`): the first.
    pub fn image(mut self, image: impl Into<Option<usize>>) -> Self {
        self.image = image.into();
        self
    }

    /// Sets whether GDAL's auxiliary metadata, the `.aux.xml` file, is ignored. Default: `false`.
    pub fn ignore_aux(mut self, ignore_aux: bool) -> Self {
        self.ignore_aux = ignore_aux;
        self
    }

    /// Sets whether the overviews of the file, and those in the `.ovr` file next to it, are found. Default: `false`.
    pub fn overviews(mut self, overviews: bool) -> Self {
        self.overviews = overviews;
        self
    }

    /// Sets the folder below which the files named in a VRT file may be. Default (`None`): the folder of the VRT file, and
    /// names must be relative to it.
    pub fn vrt_root(mut self, vrt_root: impl Into<Option<PathBuf>>) -> Self {
        self.vrt_root = vrt_root.into();
        self
    }

    /// Sets the way to open inputs that are addresses. Default (`None`): files only. The files next to such an input
    /// (`.aux.xml`, `.ovr`, `.msk`, world files, `.prj`) are not looked for, since each would take a request.
    pub fn addresses(mut self, addresses: impl Into<Option<Addresses>>) -> Self {
        self.addresses = addresses.into();
        self
    }

    /// Announces files that will be opened soon.
    #[cfg(feature = "mosaic")]
    pub(crate) fn announce(&self, paths: &[PathBuf]) {
        if let Some(addresses) = &self.addresses {
            addresses.announce(paths.iter().map(PathBuf::as_path));
        }
    }

    /// Opens the bytes at an address; `None` if the path is not one, or addresses are not opened.
    pub(crate) fn open_address(&self, path: &Path) -> Option<Result<Arc<dyn ReadAt>>> {
        self.addresses.as_ref()?.open(path)
    }
}

/// A GeoTIFF file as a raster source.
///
/// Pixels are decoded on demand; the file is never in memory as a whole. A strip as tall as the image takes no more
/// memory than a strip of a few rows. Rows may be read in any order, but going back in a compressed strip of more than
/// 8 MiB of pixels decodes the strip again from its start.
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
    overviews: Vec<overviews::OverviewSource>,
}

/// The mask of an image, with its own tiles or strips.
struct MaskReader {
    rows: RowReader,
    /// Size of a mask sample in bytes.
    sample_size: usize,
    /// Samples per pixel: old files have one per band.
    samples: usize,
}

impl MaskReader {
    /// Fills the mask of a stripe; if `skips`, the parts that are not stored are left blank.
    fn read(&mut self, first_row: u32, stripe: &mut Stripe<'_>, executor: &Executor, skips: bool) -> Result<()> {
        let (size, pixel) = (self.sample_size, self.sample_size * self.samples);
        let bands_differ = AtomicBool::new(false);
        let put = |window: &mut StripeWindow<'_>, run: Run<'_>| {
            let pixels = run.samples.chunks_exact(pixel);
            for (to, pixel) in window.mask_row(run.row).into_iter().flatten().zip(pixels) {
                let valid = pixel.iter().any(|byte| *byte != 0);
                *to = if valid { 255 } else { 0 };
                if pixel.len() > size && pixel.chunks_exact(size).any(|one| one.iter().any(|b| *b != 0) != valid) {
                    bands_differ.store(true, Ordering::Relaxed);
                }
            }
        };
        let areas = self.rows.read_stored(first_row, stripe, executor, Some(&put), skips)?;
        stripe.leave_mask_blank(areas);
        if bands_differ.into_inner() {
            let rows = format!("rows {first_row} to {}", first_row as usize + stripe.rows - 1);
            return Err(Error::unsupported(format!("a mask that differs between bands ({rows})")));
        }
        Ok(())
    }
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
    /// Unless the options ignore it, an `.aux.xml` file next to the raster takes precedence for the CRS, transform,
    /// ground control points, nodata value, color table and interpretation, descriptions, scales, offsets, units, and
    /// metadata. GDAL stores there what a user has set and a GeoTIFF cannot hold, or what was set on a file opened for
    /// reading. It is read only for the first image. A missing transform is read from a world file next to the raster,
    /// and a missing CRS from a `.prj` file.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) if the file cannot be read,
    /// [`ErrorKind::NotTiff`](crate::ErrorKind::NotTiff) if it is not a TIFF file,
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) if it is damaged,
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) for unsupported features, and
    /// [`ErrorKind::InvalidOption`](crate::ErrorKind::InvalidOption) for an image that the file does not have.
    pub fn open(path: impl AsRef<Path>, options: &ReadOptions) -> Result<Self> {
        Self::open_among(path.as_ref(), options, &Folders::default())
    }

    /// Opens a file, one of several for which folders are read once.
    pub(crate) fn open_among(path: &Path, options: &ReadOptions, folders: &Folders) -> Result<Self> {
        if let Some(reader) = options.open_address(path) {
            return Self::read(reader?, options, None);
        }
        let mut source = Self::from_reader(DiskFile::open(path)?, options)?;
        if !options.ignore_aux && options.image.unwrap_or(0) == 0 {
            let Self { spec, geo, metadata, warnings, .. } = &mut source;
            pam::read_aux(path, (spec, geo, metadata), warnings);
            source.fill_with_nodata();
        }
        let sidecars = Sidecars::of(path, folders);
        sidecars.apply(WORLD_FILES, options.overviews, &mut source.geo, &mut source.warnings);
        if let Some(mask) = sidecars.mask()
            && source.mask.is_none()
        {
            source.mask = source.mask_beside(&mask).unwrap_or_else(|error| {
                source.warnings.push(format!("mask '{}' is ignored: {error}", mask.display()));
                None
            });
            source.spec.mask = source.mask.is_some();
            // Those of the file itself have no mask.
            source.overviews.clear();
            source.spec.overviews.clear();
        }
        if options.overviews
            && let Some(path) = sidecars.overviews()
            && let Err(error) = source.add_overviews_beside(&path)
        {
            source.warnings.push(format!("overviews '{}' are ignored: {error}", path.display()));
        }
        Ok(source)
    }

    /// Opens the mask in a separate TIFF file next to the raster.
    fn mask_beside(&mut self, path: &Path) -> Result<Option<MaskReader>> {
        let file = TiffFile::open(Arc::new(DiskFile::open(path)?))?;
        let directories = file.directories(&mut self.warnings)?;
        let Some(directory) = directories.first() else { return Ok(None) };
        let mask = mask_reader(&file, directory, 0)?;
        let (width, height) = mask.rows.size();
        if (width, height) != (self.spec.width, self.spec.height) {
            self.warnings.push(format!(
                "mask '{}' is ignored: its size {width}x{height} differs from the raster's",
                path.display()
            ));
            return Ok(None);
        }
        Ok(Some(mask))
    }

    /// Opens a file from any reader, without the files next to it.
    ///
    /// # Errors
    /// The errors of [`open`](Self::open).
    pub fn from_reader(reader: impl ReadAt + 'static, options: &ReadOptions) -> Result<Self> {
        Self::read(Arc::new(reader), options, None)
    }

    /// Opens an overview of an image, for previews. Overview 0 is the first after the image in the file, usually the
    /// largest. Its georeferencing does not apply to its pixels: overviews have none of their own.
    ///
    /// # Errors
    /// The errors of [`open`](Self::open), and [`ErrorKind::InvalidOption`](crate::ErrorKind::InvalidOption) for an
    /// overview that the file does not have.
    pub fn overview(reader: impl ReadAt + 'static, options: &ReadOptions, overview: usize) -> Result<Self> {
        Self::read(Arc::new(reader), options, Some(overview))
    }

    pub(crate) fn read(reader: Arc<dyn ReadAt>, options: &ReadOptions, overview: Option<usize>) -> Result<Self> {
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
        let pixels = RowReader::new(file.clone(), Arc::new(layout), Vec::new());
        let image_count = images.full.len();
        let mut source =
            Self { spec, geo, metadata, warnings, image_count, flavour, pixels, mask, overviews: Vec::new() };
        source.fill_with_nodata();
        if options.overviews {
            if !READS_OVERVIEWS {
                return Err(Error::unsupported("taking the overviews of a file in WebAssembly"));
            }
            source.add_own_overviews(&file, &images, number);
        }
        Ok(source)
    }

    /// Fills tiles and strips that are not stored with nodata, as in GDAL.
    pub(crate) fn fill_with_nodata(&mut self) {
        let spec = &mut self.spec;
        if spec.nodata != spec.nodata_in_range() && self.pixels.layout().is_sparse() {
            self.warnings.push(format!(
                "tiles or strips that are not stored are nodata, which {} bits cannot hold; samples are widened to {}",
                spec.bits(),
                spec.data_type.bits()
            ));
            image::widen(spec);
        }
        self.pixels.set_fill(image::fill_sample(spec));
    }

    /// Returns the number of full-resolution images in the file, which excludes overviews and masks.
    #[must_use]
    pub fn image_count(&self) -> usize {
        self.image_count
    }

    /// Returns a short description of the pixel storage, such as `DEFLATE u16 tiles chunky`.
    #[must_use]
    pub fn flavour(&self) -> &str {
        &self.flavour
    }
}

impl PixelSource for GeoTiffSource {
    fn spec(&self) -> &ImageSpec {
        &self.spec
    }

    fn can_skip_rows(&self) -> bool {
        true
    }

    fn read_rows(&mut self, first_row: u32, stripe: &mut Stripe<'_>, executor: &Executor) -> Result<()> {
        self.pixels.read(first_row, stripe, executor, None)?;
        self.mask.as_mut().map_or(Ok(()), |mask| mask.read(first_row, stripe, executor, false))
    }

    fn read_sparse_rows(&mut self, first_row: u32, stripe: &mut Stripe<'_>, executor: &Executor) -> Result<()> {
        if !LEAVES_OUT_TILES || stripe.blank_sample() != Some(self.pixels.fill()) {
            return self.read_rows(first_row, stripe, executor);
        }
        let areas = self.pixels.read_stored(first_row, stripe, executor, None, true)?;
        stripe.leave_image_blank(areas);
        self.mask.as_mut().map_or(Ok(()), |mask| mask.read(first_row, stripe, executor, true))
    }

    fn take_overviews(&mut self) -> Result<Vec<Box<dyn PixelSource + Send>>> {
        if READS_OVERVIEWS { Ok(self.described_overviews()) } else { Ok(Vec::new()) }
    }
}

impl RasterSource for GeoTiffSource {
    fn geo(&self) -> &GeoRef {
        &self.geo
    }

    fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

/// The directories of a file by their role (tags 254 and 255, TIFF 6.0 section 8).
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
            // The first directory is the image whatever its tags say, as in GDAL.
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
                "the file has {count} full-resolution images; only the first is read (option 'image' selects another)"
            ));
        }
        let wanted = options.image.unwrap_or(0);
        self.full.get(wanted).copied().ok_or_else(|| {
            Error::option(OptionField::Image, format!("no such image; the file has {count} of full resolution"))
        })
    }

    /// Returns an overview of an image by its index.
    fn overview(&self, image: usize, overview: usize) -> Result<(usize, &'a Directory)> {
        let mut all = self.overviews_of(image);
        all.nth(overview).copied().ok_or_else(|| {
            let count = self.overviews_of(image).count();
            let reason = format!("there is no overview {overview}; the image has {count}, counted from 0");
            Error::option(OptionField::Overviews, reason)
        })
    }

    /// Returns the overviews of an image: those between it and the next one.
    fn overviews_of(&self, image: usize) -> impl Iterator<Item = &(usize, &'a Directory)> {
        let behind = image..self.next(image);
        self.overviews.iter().filter(move |(number, _)| behind.contains(number))
    }

    /// Returns the directory number of the next image.
    fn next(&self, image: usize) -> usize {
        self.full.iter().map(|(number, _)| *number).find(|number| *number > image).unwrap_or(usize::MAX)
    }

    /// Returns the mask of the same size between an image (or an overview of it) and the next image.
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
        return Err(Error::unsupported(format!("a mask with {samples} planes (image {number})")));
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
pub(super) mod tests;
