//! Conversion of a GeoTIFF file to a COG, as in the command.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use cogsmith::{
    BandChoice, BigTiff, Bounds, CogPlan, ColorInterpretation, Crs, FileOptions, Gcp, ImageSpec, InputFiles,
    InputOptions, MaskedSource, MosaicOptions, Nodata, OutputFile, Overlap, OverriddenSource, PixelIs, PixelOptions,
    PixelSource, RasterSource, ReadOptions, Rectangle, Rescale, Transform, encode_to_output, encode_to_sink,
};
use cogsmith::{BandValue, MetadataOverride, Overrides};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::encode::Work;
use crate::error::{raise, raise_for_create};
use crate::plan::{Options, nodata, summary};
use crate::remote::Remote;
use crate::store;
use crate::supervise::{Audience, supervise_by};

/// Options for reading the input: `_plan.Input`.
#[derive(FromPyObject)]
pub(crate) struct Input {
    /// Counted from 1.
    image: Option<usize>,
    /// A number, or `none`.
    pub(crate) nodata: Option<String>,
    pub(crate) crs: Option<String>,
    /// True if a `crs` that GeoKeys cannot express is written as WKT.
    pub(crate) crs_wkt: bool,
    widen: bool,
    /// True if an `.aux.xml` file next to the input is ignored.
    ignore_aux: bool,
    /// The folder below which the files named in a VRT file or a list may be.
    vrt_root: Option<PathBuf>,
}

/// A band: a number counted from 0, or a description.
#[derive(FromPyObject)]
pub(crate) enum Band {
    Number(u16),
    Description(String),
}

impl From<Band> for BandChoice {
    fn from(band: Band) -> Self {
        match band {
            Band::Number(number) => Self::Number(number),
            Band::Description(text) => Self::Description(text),
        }
    }
}

/// Two values, and what they become.
type Mapping = (f64, f64, Option<(f64, f64)>);

/// The pixels to write: `_plan.PixelChoice`.
#[derive(FromPyObject)]
pub(crate) struct Pixels {
    wrap_longitude: Option<f64>,
    /// Column, row, width, height.
    window: Option<[u32; 4]>,
    /// Left, bottom, right, top.
    bbox: Option<[f64; 4]>,
    bands: Vec<Band>,
    expand_palette: Option<String>,
    unscale: bool,
    rescale: Vec<Mapping>,
    data_type: Option<String>,
    bits: Option<u16>,
    size: Option<(u32, u32)>,
    size_resampling: Option<String>,
}

impl Pixels {
    pub(crate) fn options(self) -> PyResult<PixelOptions> {
        let mappings = self.rescale.into_iter().map(|(low, high, to)| Rescale { from: (low, high), to });
        let mut options = PixelOptions::new()
            .bands(self.bands.into_iter().map(BandChoice::from).collect::<Vec<_>>())
            .rescale(mappings.collect::<Vec<_>>())
            .unscale(self.unscale);
        if let Some(longitude) = self.wrap_longitude {
            options = options.wrap_longitude(longitude);
        }
        if let Some([column, row, width, height]) = self.window {
            let (right, bottom) = (column.saturating_add(width), row.saturating_add(height));
            options = options.window(Rectangle { columns: column..right, rows: row..bottom });
        }
        if let Some([left, bottom, right, top]) = self.bbox {
            options = options.bbox(Bounds { left, bottom, right, top });
        }
        if let Some(name) = self.expand_palette {
            options = options.expand_palette(name.parse().map_err(raise_for_create)?);
        }
        if let Some(name) = self.data_type {
            options = options.data_type(name.parse().map_err(raise_for_create)?);
        }
        if let Some((width, height)) = self.size {
            options = options.size(width, height);
        }
        if let Some(name) = self.size_resampling {
            options = options.size_resampling(name.parse().map_err(raise_for_create)?);
        }
        Ok(options)
    }
}

/// Overrides of the georeference and metadata of the input: `_plan.FileOverrides`. Bands count from 0; `None` means all
/// bands.
#[derive(FromPyObject)]
pub(crate) struct FileOverrides {
    /// In the order of `affine.Affine`.
    transform: Option<[f64; 6]>,
    /// Left, bottom, right, top.
    bounds: Option<[f64; 4]>,
    gcps: Vec<[f64; 5]>,
    point: Option<bool>,
    strip_metadata: bool,
    description: Vec<(Option<u16>, String)>,
    scale: Vec<(Option<u16>, f64)>,
    offset: Vec<(Option<u16>, f64)>,
    unit: Vec<(Option<u16>, String)>,
    color_interpretation: Vec<String>,
    /// Domain, name, and text.
    items: Vec<(Option<String>, String, String)>,
}

impl FileOverrides {
    pub(crate) fn overrides(self) -> PyResult<Overrides> {
        fn of_bands<T>(values: Vec<(Option<u16>, T)>) -> Vec<BandValue<T>> {
            values.into_iter().map(|(band, value)| BandValue { band, value }).collect()
        }
        let color = |name: &String| {
            ColorInterpretation::parse(name).ok_or_else(|| {
                let known: Vec<_> =
                    ColorInterpretation::ALL.iter().map(|color| color.name().to_ascii_lowercase()).collect();
                let known = known.join(", ");
                PyValueError::new_err(format!("color_interpretation={name:?}: expected one of {known}"))
            })
        };
        let gcps = self.gcps.into_iter().map(|[column, row, x, y, z]| Gcp { column, row, x, y, z });
        let items =
            self.items.into_iter().map(|(domain, name, value)| MetadataOverride::new(name, value).domain(domain));
        Ok(Overrides::new()
            .transform(self.transform.map(Transform::from_affine).transpose().map_err(raise)?)
            .bounds(self.bounds.map(|[left, bottom, right, top]| Bounds { left, bottom, right, top }))
            .gcps(gcps.collect::<Vec<_>>())
            .pixel_is(self.point.map(|point| if point { PixelIs::Point } else { PixelIs::Area }))
            .strip_metadata(self.strip_metadata)
            .description(of_bands(self.description))
            .scale(of_bands(self.scale))
            .offset(of_bands(self.offset))
            .unit(of_bands(self.unit))
            .color_interpretation(self.color_interpretation.iter().map(color).collect::<PyResult<Vec<_>>>()?)
            .items(items.collect::<Vec<_>>()))
    }
}

/// Returns whether GDAL's IF_SAFER makes a BigTIFF: by the bytes of all levels before compression, where overviews add
/// about a third.
fn is_safer_big(spec: &ImageSpec) -> bool {
    const SAFER_BYTES: u128 = 2_000_000_000;
    let pixels = u128::from(spec.width) * u128::from(spec.height);
    pixels * u128::from(spec.bands) * spec.data_type.size() as u128 * 4 > SAFER_BYTES * 3
}

/// Converts the GeoTIFF `source` to the COG `target`. Returns the summary, and warnings about the input.
#[pyfunction]
pub(crate) fn create<'py>(
    py: Python<'py>,
    source: PathBuf,
    target: Bound<'py, PyAny>,
    input: Input,
    pixels: Pixels,
    overrides: FileOverrides,
    options: Options,
    work: Work,
) -> PyResult<(Bound<'py, PyAny>, Vec<String>)> {
    let request = Request::new(input, pixels, overrides)?;
    let Request { mut pixels, bits, .. } = request.clone();
    let nobody = Audience { callback: None, rows: 0 };
    let cancelled = Arc::<AtomicBool>::default();
    let (source, remote) = supervise_by(py, Some(1), &nobody, (&cancelled, raise), |_| {
        let remote = Remote::new([source.as_path()], &work.storage_options, Arc::clone(&cancelled))?;
        let read = request.read.clone().overviews(options.existing_overviews).addresses(remote.addresses());
        Ok((cogsmith::open(&source, &read)?, remote))
    })?;
    let mut source = OverriddenSource::new(source);
    match request.nodata {
        Some(Some(nodata)) if pixels.converts() => pixels = pixels.converted_nodata(nodata),
        Some(nodata) => source.set_nodata(nodata).map_err(raise_for_create)?,
        None => {}
    }
    if request.widen {
        source.widen();
    }
    if let Some(bits) = bits {
        pixels = pixels.bits_of(bits, source.spec().data_type);
    }
    let source = pixels.apply(source).map_err(raise_for_create)?;
    convert(py, source, &target, request, options, work, (&remote, &cancelled))
}

/// Joins the GeoTIFFs `sources` to the COG `target`: as a mosaic with the overlap rule `method`, or by their bands if it is
/// `None`. Returns the summary, and warnings about the inputs.
#[pyfunction]
pub(crate) fn join<'py>(
    py: Python<'py>,
    sources: Vec<PathBuf>,
    method: Option<String>,
    target: Bound<'py, PyAny>,
    input: Input,
    pixels: Pixels,
    overrides: FileOverrides,
    options: Options,
    work: Work,
) -> PyResult<(Bound<'py, PyAny>, Vec<String>)> {
    let request = Request::new(input, pixels, overrides)?;
    let overlap = method.map(|method| method.parse::<Overlap>()).transpose().map_err(raise_for_create)?;
    let mut each =
        InputOptions::new().widen(request.widen).pixels(request.pixels.clone()).overrides(request.overrides.clone());
    if let Some(nodata) = request.nodata {
        each = each.nodata(nodata);
    }
    if let Some(bits) = request.bits {
        each = each.bits(bits);
    }
    if let Some(crs) = &request.crs {
        each = each.crs(crs.clone());
    }
    let path = if store::object(&target)?.is_none() { Some(target.extract::<PathBuf>()?) } else { None };
    let nobody = Audience { callback: None, rows: 0 };
    let cancelled = Arc::<AtomicBool>::default();
    let (source, remote) = supervise_by(py, work.threads, &nobody, (&cancelled, raise_for_create), |supervisor| {
        let root = request.read.vrt_root.as_deref();
        let inputs = sources.iter().map(PathBuf::as_path).chain(root);
        let remote = Remote::new(inputs, &work.storage_options, Arc::clone(&cancelled))?;
        let each = each.read_options(request.read.clone().addresses(remote.addresses()));
        let files = InputFiles::find(&sources, root)?;
        path.map_or(Ok(()), |path| files.check_output(&path))?;
        let source = match overlap {
            Some(overlap) => each.mosaic(&files, &MosaicOptions::new().overlap(overlap), supervisor.executor()),
            None => each.stack(&files, supervisor.executor()),
        };
        Ok((source?, remote))
    })?;
    convert(py, source, &target, request, options, work, (&remote, &cancelled))
}

/// The options for the input, parsed and checked before it is opened.
#[derive(Clone)]
struct Request {
    read: ReadOptions,
    nodata: Option<Option<Nodata>>,
    widen: bool,
    bits: Option<u16>,
    crs: Option<Crs>,
    pixels: PixelOptions,
    overrides: Overrides,
}

impl Request {
    fn new(input: Input, pixels: Pixels, overrides: FileOverrides) -> PyResult<Self> {
        let image = match input.image {
            Some(0) => return Err(PyValueError::new_err("image=0: images are counted from 1")),
            image => image.map(|image| image - 1),
        };
        let nodata = match input.nodata.as_deref() {
            None => None,
            Some("none") => Some(None),
            Some(text) => Some(Some(nodata(text)?)),
        };
        let crs = Crs::parse_option(input.crs.as_deref(), input.crs_wkt).map_err(raise_for_create)?;
        let overrides = overrides.overrides()?;
        overrides.check().map_err(raise_for_create)?;
        let bits = pixels.bits;
        let pixels = pixels.options()?;
        pixels.validate().map_err(raise_for_create)?;
        let read = ReadOptions::new().image(image).ignore_aux(input.ignore_aux).vrt_root(input.vrt_root);
        Ok(Self { read, nodata, widen: input.widen, bits, crs, pixels, overrides })
    }
}

/// Writes a source with the chosen pixels.
fn convert<'py>(
    py: Python<'py>,
    source: Box<dyn RasterSource>,
    target: &Bound<'py, PyAny>,
    request: Request,
    mut options: Options,
    work: Work,
    (remote, cancelled): (&Remote, &Arc<AtomicBool>),
) -> PyResult<(Bound<'py, PyAny>, Vec<String>)> {
    let mut source = OverriddenSource::new(source);
    if let Some(crs) = &request.crs {
        source.set_crs(crs).map_err(raise_for_create)?;
    }
    let overrides = request.overrides;
    let by_type = options.predictor == "by type";
    if by_type {
        options.predictor = "auto".into();
    }
    let big_tiff = options.big_tiff.clone();
    if big_tiff == "safer" {
        options.big_tiff = "auto".into();
    }
    let mut options = options.encode_options()?;
    let mut source = MaskedSource::for_options(source, &options).map_err(raise_for_create)?;
    let mut warnings = source.warnings().to_vec();
    let (spec, mut metadata) = (source.spec(), source.metadata().clone());
    let size = (spec.width, spec.height);
    let geo = overrides.apply(source.geo().clone(), &mut metadata, size, spec.bands).map_err(raise_for_create)?;
    if big_tiff == "safer" && is_safer_big(spec) {
        options.big_tiff = BigTiff::Yes;
    }
    let mut plan = CogPlan::new(spec, &geo, &metadata, &options).map_err(raise_for_create)?;
    if by_type {
        plan = plan.with_predictor_by_type();
    }
    let audience = Audience { callback: work.progress.as_ref(), rows: plan.spec().height };
    let file_options: FileOptions = work.file_options();
    let object = store::object(target)?;
    let path = if object.is_none() { target.extract::<PathBuf>()? } else { PathBuf::new() };
    let written = supervise_by(py, work.threads, &audience, (cancelled, raise), |supervisor| {
        if let Some(object) = &object {
            let mut sink = work.object_sink(object, &plan, supervisor.flag())?;
            let (executor, store) = (supervisor.executor(), work.store(None));
            return encode_to_sink(&mut source, &plan, executor, &store, &mut sink, &mut supervisor.progress());
        }
        let mut output = OutputFile::create(&path, &file_options)?;
        let store = work.store(Some(output.directory().to_path_buf()));
        let progress = &mut supervisor.progress();
        let written = encode_to_output(&mut source, &plan, supervisor.executor(), &store, &mut output, progress)?;
        supervisor.check()?;
        output.commit()?;
        Ok(written)
    })?;
    warnings.extend_from_slice(&written.warnings);
    let summary = summary(py, written)?;
    remote.add_traffic(summary.cast()?)?;
    Ok((summary, warnings))
}
