//! VRT files as sources, and [`open`] for files of any kind.
//!
//! A VRT comes from anywhere and says what to open, so it is not trusted: entities are rejected, files are those below its
//! folder, nesting is limited, and its sizes decide about no memory.

mod parse;
mod values;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::{Error, ErrorKind, OptionField, Result};
use crate::executor::Executor;
use crate::geo::{GeoRef, Metadata};
use crate::grid::Rectangle;
use crate::pixels::{PixelOptions, RowBuffer};
use crate::read::{DiskFile, ReadAt, read_full};
use crate::sample::{DataType, Nodata};
use crate::source::describe;
use crate::source::file::{Folders, bounded_text};
use crate::source::geotiff::{GeoTiffSource, ReadOptions};
use crate::source::mosaic::{Cover, MosaicSource, PlacedInput, SourceInput};
use crate::source::paths::Confined;
#[cfg(feature = "pictures")]
use crate::source::picture::{PictureFormat, PictureSource};
use crate::source::{OverriddenSource, RasterSource};
use crate::spec::{ImageSpec, Photometric};
use crate::view::{PixelSource, Stripe, StripeLayout};

use self::parse::{Band, Part, Refusal, Source, Values, Vrt};
use self::values::{Changed, MaskBand, Taken};

/// Bytes at the start of a file that tell its kind.
const HEAD_LEN: usize = 512;
/// Largest VRT file in bytes: ten thousand sources of four bands take about 20 MB.
const MAX_LEN: usize = 64 << 20;
/// Largest depth of nested VRT files.
const MAX_DEPTH: usize = 8;
/// Most files that are opened to read the headers of a VRT and those nested in it.
const MAX_OPENED: usize = 200_000;
/// Most sources of a VRT, with those of each VRT file among them: some tens of thousands of tiles of four bands.
const MAX_SOURCES: u64 = 200_000;
/// Inputs that are open at once, for a VRT and for those nested in it.
const MAX_OPEN: [usize; 2] = [120, 8];

/// Opens a file: a GeoTIFF, a VRT file, whose sources are such files, or with the feature `pictures` a PNG or JPEG file.
///
/// A PNG or JPEG is georeferenced by the files next to it: `.aux.xml`, a world file (`.pgw`, `.jgw`, `.wld`), and `.prj`. A
/// JPEG and an interlaced PNG are decoded as a whole, up to 1 GiB.
///
/// Of a VRT, simple and complex sources are supported (nodata, scale, offset, table, mask), with rectangles of equal size in
/// the file and in the VRT, and a mask of all bands. Everything else is an error that names it.
///
/// A VRT is not trusted: the files that it names must be relative to its folder and below it, symbolic links resolved, or
/// below [`ReadOptions::vrt_root`]; VRT files nest at most eight deep.
///
/// ```no_run
/// use cogsmith::{PixelSource, ReadOptions};
/// let source = cogsmith::open("tiles.vrt", &ReadOptions::default())?;
/// println!("{} x {} pixels", source.spec().width, source.spec().height);
/// # Ok::<(), cogsmith::Error>(())
/// ```
///
/// # Errors
/// The errors of [`GeoTiffSource::open`]; for a VRT [`ErrorKind::Confined`] for a file that it may not name,
/// [`ErrorKind::Corrupt`] if it is damaged, and [`ErrorKind::Unsupported`].
pub fn open(path: impl AsRef<Path>, options: &ReadOptions) -> Result<Box<dyn RasterSource>> {
    open_among(path.as_ref(), options, &Arc::new(Folders::default()))
}

/// Opens one of several files, for which folders are read once.
pub(crate) fn open_among(path: &Path, options: &ReadOptions, folders: &Arc<Folders>) -> Result<Box<dyn RasterSource>> {
    let opener = Opener {
        options: options.clone(),
        folders: Arc::clone(folders),
        chain: Vec::new(),
        opened: Arc::default(),
        sources: Arc::default(),
    };
    opener.open(path)
}

/// Opens files for a VRT.
#[derive(Clone)]
struct Opener {
    options: ReadOptions,
    folders: Arc<Folders>,
    /// The VRT files that lead here, outermost first, without symbolic links.
    chain: Vec<PathBuf>,
    /// Number of files whose headers were read so far.
    opened: Arc<AtomicUsize>,
    /// Number of sources of VRT files that were read, nested ones included.
    sources: Arc<Mutex<HashMap<PathBuf, u64>>>,
}

impl Opener {
    fn open(&self, path: &Path) -> Result<Box<dyn RasterSource>> {
        if let Some(reader) = self.options.open_address(path) {
            let reader = reader?;
            let head = head(&*reader, path)?;
            #[cfg(feature = "pictures")]
            if let Some(format) = PictureFormat::of(&head) {
                return Ok(Box::new(PictureSource::read(reader, format, &self.options)?));
            }
            if is_vrt(&head) {
                return Err(Error::unsupported("a VRT at an address; copy the VRT file to a folder"));
            }
            return Ok(Box::new(GeoTiffSource::read(reader, &self.options, None)?));
        }
        let head = head(&DiskFile::open(path)?, path)?;
        #[cfg(feature = "pictures")]
        if let Some(format) = PictureFormat::of(&head) {
            return Ok(Box::new(PictureSource::open_among(path, format, &self.options, &self.folders)?));
        }
        if !is_vrt(&head) {
            let source = GeoTiffSource::open_among(path, &self.options, &self.folders)?;
            return Ok(Box::new(source));
        }
        if self.options.image.is_some_and(|image| image > 0) {
            return Err(Error::option(OptionField::Image, "no such image; a VRT file has one"));
        }
        let confined = Confined::to(path, self.options.vrt_root.as_deref())?;
        let real = confined.real(path)?;
        if self.chain.contains(&real) {
            let (file, name) = (path.to_owned(), path.to_string_lossy().into_owned());
            return Err(ErrorKind::Confined { file, name, reason: "which contains it again".into() }.into());
        }
        if self.chain.len() >= MAX_DEPTH {
            return Err(Error::limit("depth of VRT files", self.chain.len() as u64 + 1, MAX_DEPTH as u64));
        }
        let text = bounded_text(path, MAX_LEN).map_err(|reason| Error::corrupt("the VRT file", reason))?;
        let text = text.unwrap_or_default();
        let text = text.trim_start_matches('\u{feff}');
        let document = crate::xml::parse(text).map_err(|reason| Error::corrupt("the VRT file", reason))?;
        let vrt = Vrt::parse(document.root_element()).map_err(refused)?;
        let mut inside = self.clone();
        inside.chain.push(real.clone());
        let (mut spec, mut geo, mut metadata) = (vrt.spec()?, GeoRef::default(), Metadata::default());
        let unusable = describe(document.root_element(), &mut spec, &mut geo, &mut metadata);
        let warnings: Vec<String> =
            unusable.map(|what| format!("the VRT file is only partly used; left out: {what}")).into_iter().collect();
        let mut builder =
            Builder { vrt: &vrt, opener: &inside, confined: &confined, files: HashMap::new(), sources: 0 };
        let (groups, mask) = builder.build()?;
        self.sources.lock().unwrap_or_else(PoisonError::into_inner).insert(real, builder.sources);
        spec.mask = mask.is_some();
        Ok(Box::new(VrtSource { spec, geo, metadata, warnings, groups, mask, rows: RowBuffer::default() }))
    }
}

impl Opener {
    /// Returns the number of sources of a file that was opened.
    fn sources_of(&self, path: &Path) -> u64 {
        let known = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        let real = Confined::to(path, None).and_then(|confined| confined.real(path));
        real.ok().and_then(|real| known.get(&real).copied()).unwrap_or(1).max(1)
    }
}

/// Returns the first bytes of a file.
fn head(file: &dyn ReadAt, path: &Path) -> Result<Vec<u8>> {
    let mut head = vec![0; HEAD_LEN];
    let filled = read_full(file, 0, &mut head).map_err(|source| Error::io_at("read", path, source))?;
    head.truncate(filled);
    Ok(head)
}

/// Returns whether a file is a VRT, by its first bytes.
fn is_vrt(head: &[u8]) -> bool {
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let head = head.trim_start_matches('\u{feff}').trim_start();
    // A declaration or a comment may precede the root element.
    head.starts_with("<vrtdataset") || head.starts_with('<') && head.contains("<vrtdataset")
}

fn refused(refusal: Refusal) -> Error {
    match refusal {
        Refusal::Damaged(reason) => Error::corrupt("the VRT file", reason),
        Refusal::Unsupported(feature) => Error::unsupported(feature),
    }
}

impl Vrt {
    /// Returns the description of the image without nodata and colors.
    fn spec(&self) -> Result<ImageSpec> {
        let bands = self.bands.len();
        let bands = u16::try_from(bands).map_err(|_| Error::limit("bands of the VRT", bands as u64, 65535))?;
        let spec = ImageSpec::new(self.width, self.height, bands, self.data_type);
        Ok(spec.photometric(Photometric::MinIsBlack))
    }
}

/// The facts that the header of a file in a VRT gives.
#[derive(Clone)]
struct FileFacts {
    size: (u32, u32),
    bands: u16,
    data_type: DataType,
    has_mask: bool,
    nodata: Option<Nodata>,
    /// Number of sources if it is a VRT, nested ones included; otherwise 1.
    sources: u64,
}

/// Makes the sources of a VRT.
struct Builder<'a> {
    vrt: &'a Vrt,
    opener: &'a Opener,
    confined: &'a Confined,
    files: HashMap<PathBuf, FileFacts>,
    sources: u64,
}

/// Sources of some bands, and the first band.
type Groups = Vec<(usize, Box<dyn RasterSource>)>;

impl Builder<'_> {
    fn build(&mut self) -> Result<(Groups, Option<Box<dyn RasterSource>>)> {
        let mut groups = Vec::new();
        let mut first = 0;
        while let Some(band) = self.vrt.bands.get(first) {
            let mut last = first;
            while let Some(other) = self.vrt.bands.get(last + 1)
                && self.is_like(band, other)?
            {
                last += 1;
            }
            let bands = &self.vrt.bands[first..=last];
            groups.push((first, self.group(bands, self.vrt.data_type)?));
            first += bands.len();
        }
        let mask = match &self.vrt.mask {
            Some(sources) => {
                let band = Band { nodata: None, sources: sources.clone() };
                Some(self.group(std::slice::from_ref(&band), DataType::U8)?)
            }
            None => None,
        };
        Ok((groups, mask))
    }

    /// Returns whether bands have the same parts of the same files, and can be read as one image.
    fn is_like(&mut self, one: &Band, other: &Band) -> Result<bool> {
        let same = |one: &Source, other: &Source| one.part == other.part && one.band.is_some() == other.band.is_some();
        let mut pairs = one.sources.iter().zip(&other.sources);
        if !same_value(one.nodata, other.nodata)
            || one.sources.len() != other.sources.len()
            || !pairs.all(|(one, other)| same(one, other))
        {
            return Ok(false);
        }
        for source in one.sources.iter().filter(|source| source.part.values.nodata.is_some()) {
            // Samples that are left out and not told by the nodata value of the band are masked, one band at a time.
            let path = self.confined.resolve(&source.part.name, source.part.is_relative)?;
            if !source.part.values.is_told_by(one.nodata, self.facts(&path)?.data_type, self.vrt.data_type) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Returns bands with the same sources as one image.
    fn group(&mut self, bands: &[Band], data_type: DataType) -> Result<Box<dyn RasterSource>> {
        let count = u16::try_from(bands.len()).unwrap_or(u16::MAX);
        let nodata = bands.first().and_then(|band| band.nodata);
        let mut inputs = Vec::new();
        let sources = bands.first().map_or(&[][..], |band| &band.sources);
        for (index, source) in sources.iter().enumerate() {
            let numbers: Option<Vec<u16>> =
                bands.iter().map(|band| band.sources.get(index).and_then(|source| source.band)).collect();
            inputs.extend(self.input(&source.part, numbers, data_type, nodata)?);
        }
        let mut spec = ImageSpec::new(self.vrt.width, self.vrt.height, count, data_type);
        spec.photometric = Photometric::MinIsBlack;
        spec.nodata = nodata;
        let max_open = MAX_OPEN[usize::from(self.opener.chain.len() > 1)];
        Ok(Box::new(MosaicSource::placed(spec, inputs, max_open)))
    }

    /// Returns a source at its place; `None` if it is outside of the VRT. `bands` is `None` for the file's mask.
    fn input(
        &mut self,
        part: &Part,
        bands: Option<Vec<u16>>,
        data_type: DataType,
        nodata: Option<Nodata>,
    ) -> Result<Option<PlacedInput<'static>>> {
        let path = self.confined.resolve(&part.name, part.is_relative)?;
        let facts = self.facts(&path)?;
        if let Some(band) = bands.iter().flatten().find(|band| **band >= facts.bands) {
            let reason = format!("a source is band {} of '{}', which has {}", band + 1, part.name, facts.bands);
            return Err(Error::corrupt("the VRT file", reason));
        }
        self.sources = self.sources.saturating_add(facts.sources);
        if self.sources > MAX_SOURCES {
            return Err(Error::limit("sources of a VRT and those nested in it", self.sources, MAX_SOURCES));
        }
        let vrt = (self.vrt.width, self.vrt.height);
        let Some((from, to)) = part.rectangles(facts.size, vrt).map_err(refused)? else { return Ok(None) };
        let taking = Taking { part: part.clone(), bands, from, data_type, nodata };
        let (has_mask, cover) = taking.cover(&facts);
        let (opener, name) = (self.opener.clone(), part.name.clone());
        let input = SourceInput::new(name, move || {
            // Headers were counted when they were read first.
            let opener = Opener { opened: Arc::default(), ..opener.clone() };
            taking.take(opener.open(&path)?)
        });
        Ok(Some(PlacedInput { input, rectangle: to, has_mask, cover }))
    }

    /// Returns what the header of a file says; each file is read once.
    fn facts(&mut self, path: &Path) -> Result<FileFacts> {
        if let Some(known) = self.files.get(path) {
            return Ok(known.clone());
        }
        let opened = self.opener.opened.fetch_add(1, Ordering::Relaxed) + 1;
        if opened > MAX_OPENED {
            return Err(Error::limit("files of a VRT and those nested in it", opened as u64, MAX_OPENED as u64));
        }
        let source = self.opener.open(path)?;
        let spec = source.spec();
        let facts = FileFacts {
            size: (spec.width, spec.height),
            bands: spec.bands,
            data_type: spec.data_type,
            has_mask: spec.mask || spec.alpha_band().is_some(),
            nodata: spec.nodata_in_range(),
            sources: self.opener.sources_of(path),
        };
        self.files.insert(path.to_owned(), facts.clone());
        Ok(facts)
    }
}

/// Returns whether nodata values are the same.
fn same_value(one: Option<Nodata>, other: Option<Nodata>) -> bool {
    let bits = |nodata: Option<Nodata>| nodata.map(|nodata| nodata.as_f64().to_bits());
    bits(one) == bits(other)
}

impl Values {
    /// Returns whether the samples that are left out are those that equal the nodata value of the band.
    fn is_told_by(&self, nodata: Option<Nodata>, from: DataType, to: DataType) -> bool {
        nodata.is_some() && same_value(self.nodata, nodata) && !self.changes() && from == to
    }
}

/// The way from a file to a source of a VRT.
struct Taking {
    part: Part,
    bands: Option<Vec<u16>>,
    from: Rectangle,
    data_type: DataType,
    nodata: Option<Nodata>,
}

impl Taking {
    /// Returns whether the source has a mask, and which of its pixels count.
    fn cover(&self, facts: &FileFacts) -> (bool, Cover) {
        let values = &self.part.values;
        let masked = values.use_mask && (self.bands.is_none() || facts.has_mask || facts.nodata.is_some());
        if masked {
            // GDAL's mask of a file without one is its nodata.
            return (true, Cover::Mask);
        }
        match values.nodata {
            None => (false, Cover::Whole),
            Some(_) if values.is_told_by(self.nodata, facts.data_type, self.data_type) => (false, Cover::Samples),
            Some(_) => (true, Cover::Mask),
        }
    }

    fn take(&self, source: Box<dyn RasterSource>) -> Result<Box<dyn RasterSource>> {
        let mut values = self.part.values.clone();
        let own_nodata = source.spec().nodata_in_range();
        let has_mask = source.spec().mask || source.spec().alpha_band().is_some();
        let source: Box<dyn RasterSource> = match &self.bands {
            None if !source.spec().mask && source.spec().alpha_band().is_some() => {
                let bands = (0..source.spec().bands).collect();
                Box::new(MaskBand::new(Taken::new(source, bands, true), values.use_mask))
            }
            None => Box::new(MaskBand::new(source, values.use_mask)),
            Some(bands) => Box::new(Taken::new(source, bands.clone(), values.use_mask)),
        };
        let window = PixelOptions::new().window(self.from.clone());
        let source = window.apply(source)?;
        if values.use_mask && !has_mask && values.nodata.is_none() && self.bands.is_some() {
            values.nodata = own_nodata;
        }
        let from = source.spec().data_type;
        let needs_mask = values.nodata.is_some() && !values.is_told_by(self.nodata, from, self.data_type);
        if !values.changes() && !needs_mask {
            if from == self.data_type {
                return Ok(source);
            }
            // As GDAL copies from one type to another.
            let mut plain = OverriddenSource::new(source);
            plain.set_nodata(None)?;
            return PixelOptions::new().data_type(self.data_type).apply(plain);
        }
        Ok(Box::new(Changed::new(source, values, self.data_type)?))
    }
}

/// The image of a VRT: bands from several sources, and a mask from another one.
struct VrtSource {
    spec: ImageSpec,
    geo: GeoRef,
    metadata: Metadata,
    warnings: Vec<String>,
    groups: Groups,
    mask: Option<Box<dyn RasterSource>>,
    rows: RowBuffer,
}

impl PixelSource for VrtSource {
    fn spec(&self) -> &ImageSpec {
        &self.spec
    }

    fn can_skip_rows(&self) -> bool {
        true
    }

    fn read_rows(&mut self, first_row: u32, stripe: &mut Stripe<'_>, executor: &Executor) -> Result<()> {
        let (rows, width) = (stripe.rows, stripe.width);
        let whole = self.groups.len() == 1;
        for (first, source) in &mut self.groups {
            let spec = source.spec().clone();
            if whole {
                let mask = stripe.mask.take();
                let read = source.read_rows(first_row, stripe, executor);
                stripe.mask = mask;
                read?;
                break;
            }
            let mut read = self.rows.stripe(&spec, StripeLayout::Planar, rows)?;
            source.read_rows(first_row, &mut read, executor)?;
            let row_bytes = read.row_bytes();
            stripe.fill(executor, |row, window, window_row| {
                for (band, plane) in read.planes.iter().enumerate() {
                    window.put_band(*first + band, window_row, &plane[row * row_bytes..][..row_bytes]);
                }
            });
        }
        let Some(mask) = &mut self.mask else { return Ok(()) };
        let spec = mask.spec().clone();
        let mut read = self.rows.stripe(&spec, StripeLayout::Planar, rows)?;
        mask.read_rows(first_row, &mut read, executor)?;
        stripe.fill(executor, |row, window, window_row| {
            if let Some(to) = window.mask_row(window_row) {
                to.copy_from_slice(&read.planes[0][row * width..][..width]);
            }
        });
        Ok(())
    }
}

impl RasterSource for VrtSource {
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
