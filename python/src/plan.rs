//! The plan of a file, made from the data classes of `_plan.py`.

use std::str::FromStr;

use cogsmith::METADATA_NUMBERS as NUMBERS;
use cogsmith::METADATA_TEXTS as TEXTS;
use cogsmith::{
    BigTiff, CogPlan, ColorInterpretation, Compression, Crs, CrsUnit, DataType, EncodeOptions, ExtraSample, Gcp,
    GeoRef, ImageSpec, Interleave, MaskPolicy, Metadata, Nodata, Overrides, Overviews, ParameterValue, Photometric,
    PixelIs, Predictor, Resampling, Sparse, Summary, TileSize, Transform,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::error::raise;

/// Size, type, and interpretation of the pixels: `_plan.Image`.
#[derive(FromPyObject)]
struct Image {
    width: u32,
    height: u32,
    bands: u16,
    data_type: String,
    bits: Option<u16>,
    nodata: Option<String>,
    mask: bool,
    photometric: Option<String>,
    extra_samples: Option<Vec<String>>,
    alpha_weighs: bool,
    color_map: Vec<u16>,
}

/// Their georeference: `_plan.Georeference`.
#[derive(FromPyObject)]
pub(crate) struct Georeference {
    crs: Option<String>,
    transform: Option<[f64; 6]>,
    gcps: Vec<[f64; 5]>,
    point: bool,
}

/// A metadata item: `_plan.Item`.
#[derive(FromPyObject)]
struct Item {
    name: String,
    domain: Option<String>,
    band: Option<u16>,
    role: Option<String>,
    value: String,
}

/// Encoding options: `_plan.Options`.
#[derive(FromPyObject)]
pub(crate) struct Options {
    compression: String,
    level: Option<u32>,
    quality: Option<u32>,
    max_z_error: Option<f64>,
    jpeg_subsampling: Option<String>,
    jpeg_photometric: Option<String>,
    overview_compression: Option<String>,
    overview_level: Option<u32>,
    overview_quality: Option<u32>,
    overview_max_z_error: Option<f64>,
    overview_predictor: Option<String>,
    mask: String,
    /// May be `by type`, which `create` resolves.
    pub(crate) predictor: String,
    tile_size: (u32, u32),
    overview_tile_size: Option<(u32, u32)>,
    interleave: String,
    /// May be `safer`, which `create` resolves.
    pub(crate) big_tiff: String,
    sparse: String,
    header_room: u32,
    overviews: Option<Vec<u32>>,
    overview_count: Option<u32>,
    overview_sizes: Option<Vec<(u32, u32)>>,
    pub(crate) existing_overviews: bool,
    resampling: Vec<String>,
    statistics: bool,
}

/// All decisions about a file, made and checked before a pixel is read.
#[pyclass(frozen, module = "cogsmith._native")]
pub(crate) struct Plan {
    pub(crate) plan: CogPlan,
}

#[pymethods]
impl Plan {
    #[new]
    fn new(
        image: Bound<'_, PyAny>,
        georeference: Bound<'_, PyAny>,
        items: Vec<Bound<'_, PyAny>>,
        options: Bound<'_, PyAny>,
    ) -> PyResult<Self> {
        let spec = image.extract::<Image>()?.spec()?;
        let geo = georeference.extract::<Georeference>()?.geo()?;
        let items: PyResult<Vec<Item>> = items.iter().map(|item| item.extract::<Item>()).collect();
        let metadata = metadata(&items?)?;
        let options = options.extract::<Options>()?.encode_options()?;
        let plan = CogPlan::new(&spec, &geo, &metadata, &options).map_err(raise)?;
        Ok(Self { plan })
    }

    /// Returns width and height of every level, full resolution first.
    #[getter]
    fn levels(&self) -> Vec<(u32, u32)> {
        self.plan.levels().iter().map(|level| (level.width, level.height)).collect()
    }

    /// Returns what is left out or stored in another way, with the reasons.
    #[getter]
    fn warnings(&self) -> Vec<String> {
        self.plan.warnings().to_vec()
    }

    /// Returns the bytes of all pixels of full resolution.
    #[getter]
    fn uncompressed_bytes(&self) -> u64 {
        self.plan.uncompressed_bytes()
    }
}

/// Returns the EPSG code that a CRS is written as; `None` if it is written by parameters, or has a coordinate epoch.
#[pyfunction]
pub(crate) fn crs_code(text: &str) -> PyResult<Option<u16>> {
    let crs = Crs::parse(text).map_err(raise)?;
    Ok(crs.code().filter(|_| crs.coordinate_epoch().is_none()))
}

/// Returns the unit of a CRS's horizontal coordinates: "length" in meters or "angle" in radians, and its size.
#[pyfunction]
pub(crate) fn crs_unit(text: &str) -> PyResult<Option<(&'static str, f64)>> {
    let unit = Crs::parse(text).map_err(raise)?.unit();
    Ok(unit.and_then(|unit| match unit {
        CrsUnit::Length(size) => Some(("length", size)),
        CrsUnit::Angle(size) => Some(("angle", size)),
        _ => None,
    }))
}

/// Returns the summary as a Python dict, with the keys of the command's `--json`. Python gets warnings on their own.
pub(crate) fn summary(py: Python<'_>, mut summary: Summary) -> PyResult<Bound<'_, PyAny>> {
    summary.warnings.clear();
    Ok(pythonize::pythonize(py, &summary)?)
}

const PHOTOMETRICS: [(&str, Photometric); 7] = [
    ("miniswhite", Photometric::MinIsWhite),
    ("minisblack", Photometric::MinIsBlack),
    ("rgb", Photometric::Rgb),
    ("palette", Photometric::Palette),
    ("cmyk", Photometric::Separated),
    ("cielab", Photometric::CieLab),
    ("icclab", Photometric::IccLab),
];
const EXTRA_SAMPLES: [(&str, ExtraSample); 3] = [
    ("unspecified", ExtraSample::Unspecified),
    ("associated", ExtraSample::AssociatedAlpha),
    ("unassociated", ExtraSample::UnassociatedAlpha),
];

/// Returns the value of a name, or an error that lists the names.
fn named<T: Copy>(option: &str, name: &str, values: &[(&str, T)]) -> PyResult<T> {
    values.iter().find(|(known, _)| *known == name).map(|(_, value)| *value).ok_or_else(|| {
        let known: Vec<_> = values.iter().map(|(known, _)| *known).collect();
        PyValueError::new_err(format!("{option}={name:?}: expected one of {}", known.join(", ")))
    })
}

/// Parses the library's name of a value, or returns an error that lists the names.
pub(crate) fn parsed<T: FromStr>(option: &str, name: &str, names: impl Iterator<Item = &'static str>) -> PyResult<T> {
    name.parse().map_err(|_| {
        let known: Vec<_> = names.collect();
        PyValueError::new_err(format!("{option}={name:?}: expected one of {}", known.join(", ")))
    })
}

/// Returns a kernel by its name.
pub(crate) fn resampling(name: &str) -> PyResult<Resampling> {
    parsed("overview_resampling", name, Resampling::names())
}

/// Parses a nodata value; Python passes it as text, so that 64-bit integers stay exact.
pub(crate) fn nodata(text: &str) -> PyResult<Nodata> {
    Nodata::parse(text).ok_or_else(|| PyValueError::new_err(format!("nodata={text} is not a number")))
}

impl Image {
    fn spec(self) -> PyResult<ImageSpec> {
        let data_types = DataType::ALL.iter().map(|data_type| (data_type.name(), *data_type)).collect::<Vec<_>>();
        let data_type = named("dtype", &self.data_type, &data_types)?;
        let mut spec = ImageSpec::new(self.width, self.height, self.bands, data_type);
        spec.bits_per_sample = self.bits;
        spec.nodata = self.nodata.as_deref().map(nodata).transpose()?;
        spec.nodata.map_or(Ok(()), |nodata| nodata.check(data_type)).map_err(raise)?;
        spec.mask = self.mask;
        if let Some(photometric) = self.photometric {
            spec.photometric = named("photometric", &photometric, &PHOTOMETRICS)?;
            spec.extra_samples.clear();
        }
        if let Some(extras) = self.extra_samples {
            let extras: PyResult<_> = extras.iter().map(|name| named("alpha", name, &EXTRA_SAMPLES)).collect();
            spec.extra_samples = extras?;
        }
        spec.alpha_weighs = self.alpha_weighs;
        spec.color_map = self.color_map;
        Ok(spec)
    }
}

impl Georeference {
    pub(crate) fn geo(self) -> PyResult<GeoRef> {
        let mut geo = GeoRef::default();
        if let Some(crs) = &self.crs {
            // A CRS that GeoKeys cannot express is stored as WKT in their citation, which GDAL reads.
            let crs = Crs::parse(crs).map_err(raise)?.with_wkt_citation(true);
            geo = geo.with_crs(&crs).map_err(raise)?;
        }
        if self.point {
            geo = geo.with_pixel_is(PixelIs::Point);
        }
        let points = self.gcps.into_iter().map(|[column, row, x, y, z]| Gcp { column, row, x, y, z });
        let transform = self.transform.map(Transform::from_affine).transpose().map_err(raise)?;
        let position = Overrides::new().transform(transform).gcps(points.collect::<Vec<_>>());
        // No override depends on the size or the bands.
        position.apply(geo, &mut Metadata::default(), (1, 1), 1).map_err(raise)
    }
}

fn metadata(items: &[Item]) -> PyResult<Metadata> {
    let mut metadata = Metadata::default();
    for Item { name, domain, band, role, value } in items {
        let number = || {
            let parsed = value.parse::<f64>();
            parsed.map_err(|_| PyValueError::new_err(format!("{name}={value:?} is not a number")))
        };
        let text = TEXTS.iter().find(|(known, _)| name.eq_ignore_ascii_case(known));
        let (band, is_band) = (band.unwrap_or(0), band.is_some());
        match (band, role.as_deref(), text) {
            (band, Some("scale"), _) => metadata.set_scale(band, number()?),
            (band, Some("offset"), _) => metadata.set_offset(band, number()?),
            (band, Some("unittype"), _) => metadata.set_unit(band, value),
            (band, Some("description"), _) => metadata.set_description(band, value),
            (band, Some("colorinterp"), _) => {
                let color = ColorInterpretation::parse(value).ok_or_else(|| {
                    PyValueError::new_err(format!("colorinterp={value:?} is not a color interpretation of GDAL"))
                })?;
                metadata.set_color_interpretation(band, color);
                Ok(())
            }
            (band, _, _) if is_band => metadata.set_band_item(band, name, value),
            (_, _, Some((_, tag))) => metadata.set_text(*tag, value),
            (_, _, None) => match NUMBERS.iter().find(|(known, _)| name.eq_ignore_ascii_case(known)) {
                // GDAL displays units as `2 (pixels/inch)`.
                Some((_, tag)) => metadata.set_number(*tag, leading_number(value)),
                None => metadata.set_item(domain.as_deref(), name, value),
            },
        }
        .map_err(raise)?;
    }
    Ok(metadata)
}

/// Returns the number at the start of a text, as C's `atof` does; NaN if there is none.
fn leading_number(text: &str) -> f64 {
    text.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(f64::NAN)
}

impl Options {
    /// Returns the codecs of full resolution and of the overviews.
    fn codecs(&self) -> PyResult<(Compression, Option<Compression>)> {
        let codec = |option, name: &str| parsed(option, name, Compression::names());
        let names: [(_, Option<ParameterValue<'_>>); 5] = [
            ("level", self.level.map(Into::into)),
            ("quality", self.quality.map(Into::into)),
            ("max-z-error", self.max_z_error.map(Into::into)),
            ("jpeg-subsampling", self.jpeg_subsampling.as_deref().map(Into::into)),
            ("photometric", self.jpeg_photometric.as_deref().map(Into::into)),
        ];
        let mut full: Compression = codec("compress", &self.compression)?;
        for (name, value) in names {
            if let Some(value) = value {
                full = full.with_parameter(name, value).map_err(raise)?;
            }
        }
        let other = self.overview_compression.as_deref().map(|name| codec("overview_compress", name)).transpose()?;
        let of_overviews: [(_, Option<ParameterValue<'_>>); 3] = [
            ("level", self.overview_level.map(Into::into)),
            ("quality", self.overview_quality.map(Into::into)),
            ("max-z-error", self.overview_max_z_error.map(Into::into)),
        ];
        let of_overviews = of_overviews.into_iter().filter_map(|(name, value)| Some((name, value?)));
        Ok((full, full.for_overviews(other, of_overviews).map_err(raise)?))
    }

    pub(crate) fn encode_options(self) -> PyResult<EncodeOptions> {
        let (compression, overview_compression) = self.codecs()?;
        let predictor = |option, name: &str| parsed(option, name, Predictor::names());
        let size = |(width, height)| TileSize { width, height };
        let kernels: PyResult<Vec<_>> = self.resampling.iter().map(|name| resampling(name)).collect();
        let (one, several) = match kernels?.as_slice() {
            [] => (None, Vec::new()),
            [one] => (Some(*one), Vec::new()),
            several => (None, several.to_vec()),
        };
        let overviews = match (self.overview_sizes, self.overviews) {
            _ if self.existing_overviews => Overviews::Existing,
            (Some(sizes), _) => Overviews::Finished(sizes),
            (None, None) => Overviews::Auto,
            (None, Some(factors)) if factors.is_empty() => Overviews::None,
            (None, Some(factors)) => Overviews::Factors(factors),
        };
        let overview_predictor = self.overview_predictor.as_deref().map(|name| predictor("overview_predictor", name));
        Ok(EncodeOptions::new()
            .tile_size(size(self.tile_size))
            .overview_tile_size(self.overview_tile_size.map(size))
            .compression(compression)
            .overview_compression(overview_compression)
            .predictor(predictor("predictor", &self.predictor)?)
            .overview_predictor(overview_predictor.transpose()?)
            .mask(parsed("mask", &self.mask, MaskPolicy::names())?)
            .interleave(parsed("interleave", &self.interleave, Interleave::names())?)
            .big_tiff(parsed("bigtiff", &self.big_tiff, BigTiff::names())?)
            .sparse(parsed("sparse", &self.sparse, Sparse::names())?)
            .header_room(self.header_room)
            .overviews(match self.overview_count {
                Some(count) => overviews.with_count(count).map_err(raise)?,
                None => overviews,
            })
            .resampling(one)
            .band_resampling(several)
            .statistics(self.statistics))
    }
}
