//! Options: names, values, and defaults are those of the command, in camel case.

use cogsmith::{
    BandValue, BigTiff, Bounds, ColorInterpretation, Compression, Crs, EncodeOptions, Gcp, Interleave, MaskPolicy,
    MetadataOverride, Nodata, OptionField, Overrides, Overviews, ParameterValue, PixelIs, Predictor, ReadOptions,
    Resampling, TileSize, Transform,
};
use js_sys::Object;
use wasm_bindgen::{JsCast, JsValue};

use crate::object::{Given, Result, entries, refused};
use crate::pixels::{self, PixelChoice};

/// Names of all options except those that choose pixels, in the order of docs/command.md.
const NAMES: [&str; 38] = [
    "compress",
    "level",
    "quality",
    "lossless",
    "maxZError",
    "jpegSubsampling",
    "photometric",
    "predictor",
    "blocksize",
    "interleave",
    "bigtiff",
    "overviews",
    "overviewCount",
    "overviewResampling",
    "overviewBlocksize",
    "overviewCompress",
    "overviewLevel",
    "overviewQuality",
    "overviewMaxZError",
    "overviewPredictor",
    "image",
    "nodata",
    "mask",
    "nbits",
    "crs",
    "crsWkt",
    "transform",
    "bounds",
    "gcp",
    "pixelIs",
    "bandDescription",
    "bandScale",
    "bandOffset",
    "bandUnit",
    "colorInterpretation",
    "stats",
    "metadata",
    "stripMetadata",
];

/// Returns the property of an option of the library; `None` if JavaScript does not have it.
pub(crate) const fn property(option: OptionField) -> Option<&'static str> {
    Some(match option {
        OptionField::Compression => "compress",
        OptionField::Level => "level",
        OptionField::Quality => "quality",
        OptionField::MaxZError => "maxZError",
        OptionField::JpegSubsampling => "jpegSubsampling",
        OptionField::Photometric => "photometric",
        OptionField::OverviewCompression => "overviewCompress",
        OptionField::OverviewLevel => "overviewLevel",
        OptionField::OverviewQuality => "overviewQuality",
        OptionField::OverviewMaxZError => "overviewMaxZError",
        OptionField::OverviewPredictor => "overviewPredictor",
        OptionField::Predictor => "predictor",
        OptionField::TileSize => "blocksize",
        OptionField::OverviewTileSize => "overviewBlocksize",
        OptionField::Interleave => "interleave",
        OptionField::BigTiff => "bigtiff",
        OptionField::Overviews => "overviews",
        OptionField::OverviewCount => "overviewCount",
        OptionField::Resampling | OptionField::BandResampling => "overviewResampling",
        OptionField::Statistics => "stats",
        OptionField::Image => "image",
        OptionField::Nodata => "nodata",
        OptionField::Mask => "mask",
        OptionField::Crs => "crs",
        OptionField::CrsWkt => "crsWkt",
        OptionField::Transform => "transform",
        OptionField::Bounds => "bounds",
        OptionField::Gcps => "gcp",
        OptionField::Description => "bandDescription",
        OptionField::Scale => "bandScale",
        OptionField::Offset => "bandOffset",
        OptionField::Unit => "bandUnit",
        OptionField::ColorInterpretation => "colorInterpretation",
        OptionField::Metadata => "metadata",
        OptionField::StripMetadata => "stripMetadata",
        option => return pixels::property(option),
    })
}

/// Returns whether JavaScript does not have an option: a module has no files, threads are workers, and the rest is for other
/// programs.
const fn is_absent(option: OptionField) -> bool {
    matches!(
        option,
        OptionField::IgnoreAux
            | OptionField::Rpc
            | OptionField::IccProfile
            | OptionField::BitsPerSample
            | OptionField::CreationOption
            | OptionField::TilingScheme
            | OptionField::ZoomLevel
            | OptionField::ZoomStrategy
            | OptionField::AlignedLevels
            | OptionField::WarpResampling
            | OptionField::TargetCrs
            | OptionField::Resolution
            | OptionField::Extent
            | OptionField::Pixels
            | OptionField::Overlap
            | OptionField::Threads
            | OptionField::Verify
            | OptionField::Overwrite
            | OptionField::HeaderRoom
            | OptionField::Sparse
            | OptionField::Sync
            | OptionField::Shards
    ) || pixels::is_absent(option)
}

/// Returns whether a name is among `names`.
const fn is_name(name: &str, names: &[&str]) -> bool {
    let mut index = 0;
    while index < names.len() {
        // Slices cannot be compared in constants.
        let (known, name) = (names[index].as_bytes(), name.as_bytes());
        let mut at = 0;
        while at < known.len() && at < name.len() && known[at] == name[at] {
            at += 1;
        }
        if at == known.len() && at == name.len() {
            return true;
        }
        index += 1;
    }
    false
}

/// A module for which an option of the library has no property does not compile.
const _: () = {
    let mut index = 0;
    while index < OptionField::ALL.len() {
        let option = OptionField::ALL[index];
        match property(option) {
            Some(name) => assert!(
                is_name(name, &NAMES) || is_name(name, &pixels::NAMES),
                "the property of an option does not exist"
            ),
            None => assert!(is_absent(option), "an option has no property"),
        }
        index += 1;
    }
};

/// The options of an encoding.
#[derive(Debug, Default)]
pub(crate) struct Options {
    pub(crate) read: ReadOptions,
    /// `Some(None)`: no nodata value.
    pub(crate) nodata: Option<Option<Nodata>>,
    pub(crate) widen: bool,
    pub(crate) crs: Option<Crs>,
    pub(crate) overrides: Overrides,
    pub(crate) encode: EncodeOptions,
    pub(crate) pixels: PixelChoice,
}

/// The value of a codec's parameter.
enum Parameter {
    Whole(u32),
    Number(f64),
    Name(String),
}

impl Parameter {
    fn value(&self) -> ParameterValue<'_> {
        match self {
            Self::Whole(value) => (*value).into(),
            Self::Number(value) => (*value).into(),
            Self::Name(name) => name.as_str().into(),
        }
    }
}

impl Options {
    /// Reads an object; rejects unknown names and invalid values, and makes the library's checks that need no raster.
    pub(crate) fn read(object: &JsValue) -> Result<Self> {
        let mut options = Self::default();
        let (mut parameters, mut of_overviews): (Vec<(&str, Parameter)>, Vec<(&str, Parameter)>) = Default::default();
        let (mut other, mut count) = (None, None);
        let (mut crs, mut crs_wkt) = (None, false);
        for given in entries(object, "options", &[&NAMES[..], &pixels::NAMES].concat())? {
            let (encode, overrides) = (&mut options.encode, &mut options.overrides);
            match given.option() {
                "compress" => encode.compression = codec(&given)?,
                "level" => parameters.push(("level", Parameter::Whole(given.whole()?))),
                "quality" => parameters.push(("quality", Parameter::Whole(given.whole()?))),
                "lossless" => {
                    if given.flag()? {
                        parameters.push(("quality", Parameter::Whole(100)));
                    }
                }
                "maxZError" => parameters.push(("max-z-error", Parameter::Number(given.finite()?))),
                "jpegSubsampling" => parameters.push(("jpeg-subsampling", Parameter::Name(given.text()?))),
                "photometric" => parameters.push(("photometric", Parameter::Name(given.text()?))),
                "predictor" => encode.predictor = given.named(Predictor::names())?,
                "blocksize" => encode.tile_size = tile_size(&given)?,
                "interleave" => encode.interleave = given.named(Interleave::names())?,
                "bigtiff" => encode.big_tiff = given.named(BigTiff::names())?,
                "overviews" => encode.overviews = overviews(&given)?,
                "overviewCount" => count = Some(given.whole()?),
                "overviewResampling" => resampling(&given, encode)?,
                "overviewBlocksize" => encode.overview_tile_size = Some(tile_size(&given)?),
                "overviewCompress" => other = Some(codec(&given)?),
                "overviewLevel" => of_overviews.push(("level", Parameter::Whole(given.whole()?))),
                "overviewQuality" => of_overviews.push(("quality", Parameter::Whole(given.whole()?))),
                "overviewMaxZError" => of_overviews.push(("max-z-error", Parameter::Number(given.finite()?))),
                "overviewPredictor" => encode.overview_predictor = Some(given.named(Predictor::names())?),
                "image" => {
                    // People count images from 1, the library from 0.
                    let number = (given.whole()? as usize).checked_sub(1);
                    let number =
                        number.map_or_else(|| given.refuse("expected an image number, counting from 1"), Ok)?;
                    options.read.image = Some(number);
                }
                "nodata" => options.nodata = Some(nodata(&given)?),
                "mask" => encode.mask = given.named(MaskPolicy::names())?,
                "nbits" => options.widen = given.one_of(&[("keep", false), ("widen", true)])?,
                "crs" => crs = Some(crs_text(&given)?),
                "crsWkt" => crs_wkt = given.flag()?,
                "transform" => {
                    let expected = "expected six numbers in GDAL's order, such as [500000, 10, 0, 5000000, 0, -10]";
                    overrides.transform = Some(Transform::from_gdal(given.numbers(expected)?)?);
                }
                "bounds" => {
                    let expected = "expected left, bottom, right, top, such as [-180, -90, 180, 90]";
                    let [left, bottom, right, top] = given.numbers(expected)?;
                    overrides.bounds = Some(Bounds { left, bottom, right, top });
                }
                "gcp" => overrides.gcps = gcps(&given)?,
                "pixelIs" => {
                    let pixel_is = given.one_of(&[("area", PixelIs::Area), ("point", PixelIs::Point)])?;
                    overrides.pixel_is = Some(pixel_is);
                }
                "bandDescription" => overrides.description = for_bands(&given, Given::text)?,
                "bandScale" => overrides.scale = for_bands(&given, Given::finite)?,
                "bandOffset" => overrides.offset = for_bands(&given, Given::finite)?,
                "bandUnit" => overrides.unit = for_bands(&given, Given::text)?,
                "colorInterpretation" => overrides.color_interpretation = colors(&given)?,
                "stats" => encode.statistics = given.flag()?,
                "metadata" => overrides.items = items(&given)?,
                "stripMetadata" => overrides.strip_metadata = given.flag()?,
                _ => options.pixels.take(&given)?,
            }
        }
        let encode = &mut options.encode;
        for (name, value) in &parameters {
            encode.compression = encode.compression.with_parameter(name, value.value())?;
        }
        let of_overviews = of_overviews.iter().map(|(name, value)| (*name, value.value()));
        encode.overview_compression = encode.compression.for_overviews(other, of_overviews)?;
        if let Some(count) = count {
            encode.overviews = std::mem::take(&mut encode.overviews).with_count(count)?;
        }
        options.crs = Crs::parse_option(crs.as_deref(), crs_wkt)?;
        options.encode.validate()?;
        options.overrides.check()?;
        options.pixels.validate()?;
        Ok(options)
    }
}

/// Reads a codec, which this module must contain.
fn codec(given: &Given) -> Result<Compression> {
    let codec: Compression = given.named(Compression::names())?;
    if codec.is_available() {
        return Ok(codec);
    }
    given.refuse(format!("{} is in the module with every codec: import from 'cogsmith/full'", codec.codec().name))
}

/// Reads a value for all bands, or an array with one per band.
fn for_bands<T>(given: &Given, read: impl Fn(&Given) -> Result<T>) -> Result<Vec<BandValue<T>>> {
    match given.items() {
        None => Ok(vec![BandValue { band: None, value: read(given)? }]),
        // More values than any image has bands are an error of the library, for the last of them.
        Some(items) => {
            let bands = items.iter().enumerate();
            let value = |(band, item)| {
                Ok(BandValue { band: Some(u16::try_from(band).unwrap_or(u16::MAX)), value: read(item)? })
            };
            bands.map(value).collect()
        }
    }
}

fn colors(given: &Given) -> Result<Vec<ColorInterpretation>> {
    let items = given.items().filter(|items| !items.is_empty());
    let Some(items) = items else { return given.refuse("expected an array with a color for each band") };
    let color = |item: &Given| {
        let names = || {
            ColorInterpretation::ALL
                .iter()
                .map(|color| color.name().to_ascii_lowercase())
                .collect::<Vec<_>>()
                .join(", ")
        };
        let color = ColorInterpretation::parse(&item.text()?);
        color.map_or_else(|| given.refuse(format!("expected one of {}", names())), Ok)
    };
    items.iter().map(color).collect()
}

/// Reads metadata items: `KEY` or `DOMAIN:KEY`, and their texts.
fn items(given: &Given) -> Result<Vec<MetadataOverride>> {
    let expected = "expected an object such as { AREA: 'north', 'DOMAIN:KEY': 'value' }";
    let Some(object) = given.value().dyn_ref::<Object>() else { return given.refuse(expected) };
    let mut items = Vec::new();
    for entry in Object::entries(object).iter() {
        let entry: js_sys::Array = entry.unchecked_into();
        let (Some(name), Some(value)) = (entry.get(0).as_string(), entry.get(1).as_string()) else {
            return given.refuse(expected);
        };
        // Domains such as xml:NAME have a colon of their own.
        let (domain, key) = match name.rsplit_once(':') {
            Some((domain, key)) => (Some(domain.to_owned()), key.to_owned()),
            None => (None, name),
        };
        if key.is_empty() || domain.as_deref() == Some("") {
            return given.refuse(expected);
        }
        items.push(MetadataOverride::new(key, value).domain(domain));
    }
    Ok(items)
}

fn gcps(given: &Given) -> Result<Vec<Gcp>> {
    let expected = "expected points such as [[0.5, 0.5, 13.4, 52.5], …]: column, row, x, y, and optionally z";
    let Some(points) = given.items().filter(|points| !points.is_empty()) else { return given.refuse(expected) };
    let point = |point: &Given| match point.items().map(|items| items.len()) {
        Some(5) => {
            let [column, row, x, y, z] = point.numbers(expected)?;
            Ok(Gcp { column, row, x, y, z })
        }
        _ => {
            let [column, row, x, y] = point.numbers(expected)?;
            Ok(Gcp { column, row, x, y, z: 0.0 })
        }
    };
    points.iter().map(point).collect()
}

/// Returns the text of a coordinate reference system: a code such as `EPSG:32633` or its number, WKT, PROJJSON, or a PROJ
/// string.
fn crs_text(given: &Given) -> Result<String> {
    match given.value().as_f64() {
        Some(_) => Ok(format!("EPSG:{}", given.whole()?)),
        None => given.text(),
    }
}

/// Parses a coordinate reference system, in the same forms.
pub(crate) fn parse_crs(given: &Given) -> Result<Crs> {
    Ok(Crs::parse(&crs_text(given)?)?)
}

fn tile_size(given: &Given) -> Result<TileSize> {
    match given.items().as_deref() {
        None => Ok(TileSize::square(given.whole()?)),
        Some([width, height]) => Ok(TileSize { width: width.whole()?, height: height.whole()? }),
        Some(_) => given.refuse("expected a size in pixels, such as 512 or [512, 256]"),
    }
}

fn overviews(given: &Given) -> Result<Overviews> {
    match given.items() {
        Some(factors) => factors.iter().map(Given::whole).collect::<Result<_>>().map(Overviews::Factors),
        None if given.value().as_string().as_deref() == Some("auto") => Ok(Overviews::Auto),
        None if given.value().as_string().as_deref() == Some("none") => Ok(Overviews::None),
        None => given.refuse("expected 'auto', 'none', or ascending factors of at least 2, such as [2, 4, 8]"),
    }
}

fn resampling(given: &Given, encode: &mut EncodeOptions) -> Result<()> {
    match given.items() {
        Some(kernels) if !kernels.is_empty() => {
            encode.band_resampling =
                kernels.iter().map(|kernel| kernel.named(Resampling::names())).collect::<Result<_>>()?;
        }
        Some(_) => return given.refuse("an empty list; name a kernel for each band, or one for all"),
        None if given.value().as_string().as_deref() == Some("auto") => {}
        None => encode.resampling = Some(given.named(Resampling::names())?),
    }
    Ok(())
}

/// Parses a nodata value: a number, a `bigint`, or text as in the command.
pub(crate) fn nodata(given: &Given) -> Result<Option<Nodata>> {
    let value = given.value();
    let failed = || refused(given.option(), "expected a number, a bigint, 'nan', 'inf', '-inf', or 'none'");
    if let Some(number) = value.as_f64() {
        return Ok(Some(Nodata::from(number)));
    }
    let text = match value.dyn_ref::<js_sys::BigInt>() {
        Some(whole) => whole.to_string(10).map(String::from).map_err(|_| failed())?,
        None => value.as_string().ok_or_else(failed)?,
    };
    if text == "none" {
        return Ok(None);
    }
    Nodata::parse(&text).map(Some).ok_or_else(failed)
}
