//! The options of the usual ways to write a COG.

use std::fmt;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::encode::{Summary, TileSink};
use crate::error::{Error, OptionField, Result};
use crate::executor::Executor;
use crate::geo::{Crs, GeoRef, Metadata, Overrides, Transform};
use crate::options::{
    BigTiff, Compression, EncodeOptions, Interleave, MaskPolicy, Overviews, Predictor, Resampling, Sparse, TileSize,
};
use crate::pixels::PixelOptions;
use crate::plan::CogPlan;
use crate::sample::Nodata;
use crate::sink::writer::{Progress, encode_to_sink};
use crate::sink::{FileOptions, OutputFile, StoreOptions};
#[cfg(feature = "geotiff")]
use crate::source::geotiff::ReadOptions;
use crate::source::{MaskedSource, OverriddenSource, RasterSource};
use crate::view::PixelSource;

/// Reports progress, and may stop the encoding.
type Report = dyn Fn(Progress) -> ControlFlow<()> + Send + Sync;

/// A source as the options say.
pub(super) type PlannedSource<'a> = MaskedSource<OverriddenSource<Box<dyn RasterSource + 'a>>>;

/// Options for writing a COG: georeferencing and metadata, encoding, and resources. Each method sets one option and
/// returns the options, so that they can be chained; options that are not set have the defaults given there.
///
/// [`convert`](crate::convert), [`write()`](crate::write()), [`write_to`](crate::write_to), [`to_vec`](crate::to_vec), and
/// [`CogWriter::create`](crate::CogWriter::create) take them.
///
/// ```
/// use cogsmith::{CogOptions, Compression, Crs, Transform};
/// let options = CogOptions::new()
///     .crs(Crs::epsg(32633)?)
///     .transform(Transform::north_up(300_000.0, 5_000_000.0, 10.0, 10.0)?)
///     .nodata(0u64)
///     .compression(Compression::ZSTD);
/// # Ok::<(), cogsmith::Error>(())
/// ```
#[derive(Clone, Default)]
#[must_use]
pub struct CogOptions {
    crs: Option<Crs>,
    /// Set, or set to none.
    nodata: Option<Option<Nodata>>,
    pub(super) pixels: PixelOptions,
    geo: Option<GeoRef>,
    metadata: Option<Metadata>,
    transform: Option<Transform>,
    overrides: Overrides,
    pub(super) encode: EncodeOptions,
    #[cfg(feature = "geotiff")]
    pub(super) read: ReadOptions,
    file: FileOptions,
    pub(super) store: StoreOptions,
    threads: Option<usize>,
    executor: Option<Executor>,
    cancel: Option<Arc<AtomicBool>>,
    progress: Option<Arc<Report>>,
}

impl fmt::Debug for CogOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CogOptions")
            .field("crs", &self.crs)
            .field("nodata", &self.nodata)
            .field("pixels", &self.pixels)
            .field("geo", &self.geo)
            .field("transform", &self.transform)
            .field("overrides", &self.overrides)
            .field("encode", &self.encode)
            .field("file", &self.file)
            .field("store", &self.store)
            .field("threads", &self.threads)
            .finish_non_exhaustive()
    }
}

/// Georeferencing and metadata. By default those of the source are kept.
impl CogOptions {
    /// Returns the default options.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the coordinate reference system.
    pub fn crs(mut self, crs: Crs) -> Self {
        self.crs = Some(crs);
        self
    }

    /// Sets the transform from pixels to the coordinates of the CRS.
    pub fn transform(mut self, transform: Transform) -> Self {
        self.transform = Some(transform);
        self
    }

    /// Replaces all georeferencing, before [`crs`](Self::crs) and [`transform`](Self::transform) apply.
    pub fn geo(mut self, geo: GeoRef) -> Self {
        self.geo = Some(geo);
        self
    }

    /// Sets the value of pixels without data, in all bands. Pixel values are unchanged.
    pub fn nodata(mut self, nodata: impl Into<Nodata>) -> Self {
        self.nodata = Some(Some(nodata.into()));
        self
    }

    /// Removes the nodata value of the source: all pixels have data.
    pub fn without_nodata(mut self) -> Self {
        self.nodata = Some(None);
        self
    }

    /// Selects the mask. Default: the source's mask, if it has one; see [`MaskPolicy::Auto`] for lossy codecs.
    pub fn mask(mut self, mask: MaskPolicy) -> Self {
        self.encode.mask = mask;
        self
    }

    /// Replaces all metadata, before [`overrides`](Self::overrides) apply.
    pub fn metadata(mut self, metadata: Metadata) -> Self {
        self.metadata = Some(metadata);
        self
    }

    /// Changes single parts of georeferencing and metadata, such as band descriptions, scale factors, or GCPs. A
    /// [`transform`](Self::transform) takes precedence over the one in `overrides`.
    pub fn overrides(mut self, overrides: Overrides) -> Self {
        self.overrides = overrides;
        self
    }
}

/// Encoding; see [`EncodeOptions`] for the defaults.
impl CogOptions {
    /// Selects and converts pixels: a window, bands, another data type. Other options refer to the chosen pixels. If values
    /// are converted, [`nodata`](Self::nodata) is their nodata value: the source's nodata pixels get it.
    pub fn pixels(mut self, pixels: PixelOptions) -> Self {
        self.pixels = pixels;
        self
    }

    /// Sets the codec. Default: DEFLATE, level 6.
    pub fn compression(mut self, compression: Compression) -> Self {
        self.encode.compression = compression;
        self
    }

    /// Sets the codec of the overviews. Default: that of full resolution.
    pub fn overview_compression(mut self, compression: Compression) -> Self {
        self.encode.overview_compression = Some(compression);
        self
    }

    /// Sets the predictor of the overviews. Default: that of full resolution.
    pub fn overview_predictor(mut self, predictor: Predictor) -> Self {
        self.encode.overview_predictor = Some(predictor);
        self
    }

    /// Sets the predictor. Default: the one that compresses better.
    pub fn predictor(mut self, predictor: Predictor) -> Self {
        self.encode.predictor = predictor;
        self
    }

    /// Sets the tile size in pixels. Default: 512x512.
    pub fn tile_size(mut self, tile_size: TileSize) -> Self {
        self.encode.tile_size = tile_size;
        self
    }

    /// Sets the tile size of the overviews in pixels. Default: that of full resolution.
    pub fn overview_tile_size(mut self, tile_size: TileSize) -> Self {
        self.encode.overview_tile_size = Some(tile_size);
        self
    }

    /// Sets the layout of the bands. Default: pixel.
    pub fn interleave(mut self, interleave: Interleave) -> Self {
        self.encode.interleave = interleave;
        self
    }

    /// Sets the overviews. Default: halve until one tile holds the level.
    pub fn overviews(mut self, overviews: Overviews) -> Self {
        self.encode.overviews = overviews;
        self
    }

    /// Sets the kernel of the overviews. Default: cubic; nearest for palettes and complex samples.
    pub fn resampling(mut self, resampling: Resampling) -> Self {
        self.encode.resampling = Some(resampling);
        self
    }

    /// Sets one kernel per band instead of one for all.
    pub fn band_resampling(mut self, resampling: impl Into<Vec<Resampling>>) -> Self {
        self.encode.band_resampling = resampling.into();
        self
    }

    /// Sets the TIFF variant. Default: BigTIFF only if the finished file needs it.
    pub fn big_tiff(mut self, big_tiff: BigTiff) -> Self {
        self.encode.big_tiff = big_tiff;
        self
    }

    /// Sets the tiles to leave out because readers fill them with the same pixels. Default: [`Sparse::No`].
    pub fn sparse(mut self, sparse: Sparse) -> Self {
        self.encode.sparse = sparse;
        self
    }

    /// Sets the number of free bytes after the directories, in which later changes of georeferencing and metadata fit
    /// ([`edit`](fn@crate::edit)). Default: 0.
    pub fn header_room(mut self, header_room: u32) -> Self {
        self.encode.header_room = header_room;
        self
    }

    /// Computes statistics of every band in the same pass and writes them. Default: `false`.
    pub fn statistics(mut self, statistics: bool) -> Self {
        self.encode.statistics = statistics;
        self
    }

    /// Replaces all encoding options at once.
    pub fn encode_options(mut self, options: EncodeOptions) -> Self {
        self.encode = options;
        self
    }
}

/// Files, threads, and memory.
impl CogOptions {
    /// Sets how input files are read.
    #[cfg(feature = "geotiff")]
    pub fn read_options(mut self, options: ReadOptions) -> Self {
        self.read = options;
        self
    }

    /// Replaces an existing output file. Default: `false`, it is an error.
    pub fn overwrite(mut self, overwrite: bool) -> Self {
        self.file.overwrite = overwrite;
        self
    }

    /// Waits until the output file is on the disk. Default: `false`.
    pub fn sync(mut self, sync: bool) -> Self {
        self.file.sync = sync;
        self
    }

    /// Reads the finished file back and compares all pixels before it appears. Default: `false`.
    pub fn verify(mut self, verify: bool) -> Self {
        self.store.verify = verify;
        self
    }

    /// Sets the number of threads. Default: one per core.
    pub fn threads(mut self, count: usize) -> Self {
        self.threads = Some(count);
        self
    }

    /// Uses an existing thread pool, instead of one with [`threads`](Self::threads) for this file alone.
    pub fn executor(mut self, executor: Executor) -> Self {
        self.executor = Some(executor);
        self
    }

    /// Sets the memory limit for compressed tiles in bytes; the rest spills to a temporary file. Default: 16 MiB.
    pub fn tile_memory(mut self, bytes: u64) -> Self {
        self.store.memory = bytes;
        self
    }

    /// Sets the size in bytes of the rows that are read at once, if a row of tiles is not larger. Default: 16 MiB.
    pub fn row_memory(mut self, bytes: u64) -> Self {
        self.store.batch = bytes;
        self
    }

    /// Sets the directory for the temporary file. Default: that of the output file, or the system's.
    pub fn temp_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.store.directory = Some(directory.into());
        self
    }

    /// Calls `report` after every few tiles; [`ControlFlow::Break`] stops the encoding with
    /// [`ErrorKind::Cancelled`](crate::ErrorKind::Cancelled).
    pub fn progress(mut self, report: impl Fn(Progress) -> ControlFlow<()> + Send + Sync + 'static) -> Self {
        self.progress = Some(Arc::new(report));
        self
    }

    /// Stops the encoding with [`ErrorKind::Cancelled`](crate::ErrorKind::Cancelled) soon after `flag` is set, from any
    /// thread.
    pub fn cancelled_by(mut self, flag: Arc<AtomicBool>) -> Self {
        self.cancel = Some(flag);
        self
    }

    /// Returns the options for reading an input file.
    #[cfg(feature = "geotiff")]
    pub(super) fn reading(&self) -> ReadOptions {
        let overviews = self.read.overviews || self.encode.overviews == Overviews::Existing;
        self.read.clone().overviews(overviews)
    }

    /// Rejects options for input files if the pixels come from a source that is open already.
    pub(super) fn check_read_options(&self) -> Result<()> {
        #[cfg(feature = "geotiff")]
        for (is_set, option) in
            [(self.read.image.is_some(), OptionField::Image), (self.read.ignore_aux, OptionField::IgnoreAux)]
        {
            if is_set {
                return Err(Error::option(option, "has no effect if the input is not a file to open; leave it out"));
            }
        }
        Ok(())
    }

    /// Rejects options for files if neither the input nor the output is one.
    pub(super) fn check_for_stream(&self) -> Result<()> {
        self.check_read_options()?;
        self.file.check_for_stream()
    }

    /// Returns the executor to use.
    pub(super) fn make_executor(&self) -> Result<Executor> {
        let executor = match (&self.executor, self.threads) {
            (Some(_), Some(_)) => {
                return Err(Error::option(
                    OptionField::Threads,
                    "an executor has threads of its own; set only one of them",
                ));
            }
            (Some(executor), None) => executor.clone(),
            (None, Some(count)) => Executor::threads(count)?,
            (None, None) => Executor::all_cores()?,
        };
        Ok(match &self.cancel {
            Some(flag) => executor.cancelled_by(Arc::clone(flag)),
            None => executor,
        })
    }

    /// Returns the options that apply to each of several input files.
    #[cfg(all(feature = "geotiff", feature = "mosaic"))]
    pub(super) fn input_options(&self) -> super::InputOptions {
        let mut options = super::InputOptions::new()
            .read_options(self.read.clone())
            .pixels(self.pixels.clone())
            .overrides(self.overrides.clone());
        if let Some(nodata) = self.nodata {
            options = options.nodata(nodata);
        }
        if let Some(crs) = &self.crs {
            options = options.crs(crs.clone());
        }
        options
    }

    /// Returns the options for a source whose pixels have been chosen.
    #[cfg(all(feature = "geotiff", feature = "mosaic"))]
    pub(super) fn for_chosen_pixels(&self, executor: Executor) -> Self {
        Self { pixels: PixelOptions::default(), threads: None, executor: Some(executor), ..self.clone() }
    }

    /// Returns the source with its pixels, nodata value, CRS, and mask as the options say, and the plan of the file.
    pub(super) fn plan<'a, S: RasterSource + 'a>(&self, source: S) -> Result<(PlannedSource<'a>, CogPlan)> {
        let mut pixels = self.pixels.clone();
        let mut source = OverriddenSource::new(source);
        match self.nodata {
            Some(Some(nodata)) if pixels.converts() => pixels = pixels.converted_nodata(nodata),
            Some(nodata) => source.set_nodata(nodata)?,
            None => {}
        }
        let mut source = OverriddenSource::new(pixels.apply(source)?);
        if let Some(geo) = &self.geo {
            source.set_geo(geo.clone());
        }
        if let Some(metadata) = &self.metadata {
            source.set_metadata(metadata.clone());
        }
        if let Some(crs) = &self.crs {
            source.set_crs(crs)?;
        }
        let source = MaskedSource::for_options(source, &self.encode)?;
        // Bands are those of the output: an alpha band that becomes the mask no longer counts.
        let (spec, mut metadata) = (source.spec(), source.metadata().clone());
        let size = (spec.width, spec.height);
        let mut overrides = self.overrides.clone();
        overrides.transform = self.transform.or(overrides.transform);
        let geo = overrides.apply(source.geo().clone(), &mut metadata, size, spec.bands)?;
        let plan = CogPlan::new(spec, &geo, &metadata, &self.encode)?;
        Ok((source, plan))
    }

    /// Encodes a source to a sink, which `make` makes once all options have been checked.
    pub(super) fn run<S: RasterSource, K: TileSink>(
        &self,
        source: S,
        make: impl FnOnce(&CogPlan) -> Result<K>,
    ) -> Result<(Summary, K)> {
        let executor = self.make_executor()?;
        let (mut source, plan) = self.plan(source)?;
        let mut sink = make(&plan)?;
        let progress = &mut |progress| match &self.progress {
            Some(report) => report(progress),
            None => ControlFlow::Continue(()),
        };
        let summary = encode_to_sink(&mut source, &plan, &executor, &self.store, &mut sink, progress)?;
        let warnings = [source.warnings(), &summary.warnings].concat();
        Ok((Summary { warnings, ..summary }, sink))
    }

    /// Creates the output file, and returns it with the store options that go with it.
    pub(super) fn create_file(&self, path: &Path) -> Result<(OutputFile, StoreOptions)> {
        let output = OutputFile::create(path, &self.file)?;
        let directory = self.store.directory.clone().or_else(|| Some(output.directory().to_path_buf()));
        Ok((output, StoreOptions { directory, ..self.store.clone() }))
    }
}
