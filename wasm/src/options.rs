//! Options: names, values, and defaults are those of the command, in camel case.

use cogsmith::{
    BigTiff, Bounds, ColorInterpretation, Compression, Crs, EncodeOptions, Error, Gcp, GeoKeys, GeoRef, ImageSpec,
    Interleave, MaskPolicy, Metadata, Nodata, Overviews, PixelIs, Predictor, ReadOptions, Resampling, Result, TileSize,
    Transform,
};
use js_sys::Object;
use wasm_bindgen::{JsCast, JsValue};

use crate::object::{Given, entries, refused};

/// All names, in the order of docs/command.md.
const NAMES: [&str; 28] = [
    "compress",
    "level",
    "predictor",
    "blocksize",
    "interleave",
    "bigtiff",
    "overviews",
    "overviewCount",
    "overviewResampling",
    "overviewBlocksize",
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

/// The options of an encoding.
#[derive(Debug, Default)]
pub(crate) struct Options {
    pub(crate) read: ReadOptions,
    /// `Some(None)`: no nodata value.
    pub(crate) nodata: Option<Option<Nodata>>,
    pub(crate) widen: bool,
    pub(crate) crs: Option<Crs>,
    pub(crate) mask: MaskPolicy,
    pub(crate) encode: EncodeOptions,
    place: Vec<Given>,
    describe: Vec<Given>,
}

impl Options {
    /// Reads an object; rejects unknown names, invalid values, and contradictions.
    pub(crate) fn read(object: &JsValue) -> Result<Self> {
        let mut options = Self::default();
        let mut level = None;
        let (mut count, mut of_overviews) = (None, None);
        let (mut crs, mut crs_wkt) = (None, false);
        for given in entries(object, "options", &NAMES)? {
            let encode = &mut options.encode;
            match given.option() {
                "compress" => encode.compression = given.named(Compression::names())?,
                "level" => level = Some(given.whole()?),
                "predictor" => encode.predictor = given.named(Predictor::names())?,
                "blocksize" => encode.tile_size = tile_size(&given)?,
                "interleave" => encode.interleave = given.named(Interleave::names())?,
                "bigtiff" => encode.big_tiff = given.named(BigTiff::names())?,
                "overviews" => encode.overviews = overviews(&given)?,
                "overviewCount" => count = Some(given),
                "overviewResampling" => {
                    resampling(&given, encode)?;
                    of_overviews.get_or_insert(given.option());
                }
                "overviewBlocksize" => {
                    encode.overview_tile_size = Some(tile_size(&given)?);
                    of_overviews.get_or_insert(given.option());
                }
                "image" => {
                    // People count images from 1, the library from 0.
                    let number = (given.whole()? as usize).checked_sub(1);
                    let number =
                        number.map_or_else(|| given.refuse("expected an image number, counting from 1"), Ok)?;
                    options.read.image = Some(number);
                }
                "nodata" => options.nodata = Some(nodata(&given)?),
                "mask" => options.mask = given.named(MaskPolicy::names())?,
                "nbits" => options.widen = given.one_of(&[("keep", false), ("widen", true)])?,
                "crs" => crs = Some(given),
                "crsWkt" => crs_wkt = given.flag()?,
                "stats" => encode.statistics = given.flag()?,
                "transform" | "bounds" | "gcp" | "pixelIs" => options.place.push(given),
                _ => options.describe.push(given),
            }
        }
        if let Some(level) = level {
            options.encode.compression = options.encode.compression.with_parameter("level", level)?;
        }
        match crs {
            Some(given) => options.crs = Some(parse_crs(&given)?.with_wkt_citation(crs_wkt)),
            None if crs_wkt => return Err(refused("crsWkt", "has no effect without crs; set that too")),
            None => {}
        }
        if let Some(given) = count {
            if options.encode.overviews != Overviews::Auto {
                return given.refuse("contradicts overviews 'none' or a list; leave one of them out");
            }
            options.encode.overviews = Overviews::Count(given.whole()?);
        }
        if let Some(option) = of_overviews.filter(|_| options.encode.overviews == Overviews::None) {
            return Err(refused(option, "has no effect with overviews 'none'; leave one of them out"));
        }
        let placed = options.place.iter().filter(|given| given.option() != "pixelIs");
        if let [first, second, ..] = placed.map(Given::option).collect::<Vec<_>>()[..] {
            let reason = format!("contradicts {second}: each sets the position of all pixels; use one of them");
            return Err(refused(first, reason));
        }
        Ok(options)
    }

    /// Returns the georeferencing of the output: the input's, with the options applied.
    pub(crate) fn place(&self, mut geo: GeoRef, spec: &ImageSpec) -> Result<GeoRef> {
        let mut pixel_is = None;
        for given in &self.place {
            geo = match given.option() {
                "transform" => {
                    let expected = "expected six numbers in GDAL's order, such as [500000, 10, 0, 5000000, 0, -10]";
                    geo.with_transform(Transform::from_gdal(given.numbers(expected)?)?)
                }
                "bounds" => {
                    let expected = "expected left, bottom, right, top, such as [-180, -90, 180, 90]";
                    let [left, bottom, right, top] = given.numbers(expected)?;
                    geo.with_bounds(&Bounds { left, bottom, right, top }, spec.width, spec.height)?
                }
                "gcp" => geo.with_gcps(&gcps(given)?)?,
                _ => {
                    pixel_is = Some(given.one_of(&[("area", PixelIs::Area), ("point", PixelIs::Point)])?);
                    geo
                }
            };
        }
        Ok(pixel_is.map_or(geo.clone(), |pixel_is| geo.with_pixel_is(pixel_is)))
    }

    /// Applies the options to the metadata, and scale and offset to the heights of a vertical CRS.
    pub(crate) fn describe(&self, metadata: &mut Metadata, geo: GeoRef, spec: &ImageSpec) -> Result<GeoRef> {
        let find = |name: &str| self.describe.iter().find(|given| given.option() == name);
        if let Some(given) = find("stripMetadata")
            && given.flag()?
        {
            metadata.strip();
        }
        if let Some(given) = find("bandDescription") {
            for (band, value) in for_bands(given, spec)? {
                metadata.set_description(band, &value.text()?)?;
            }
        }
        let (scale, offset) = (find("bandScale"), find("bandOffset"));
        if let Some(given) = scale {
            for (band, value) in for_bands(given, spec)? {
                metadata.set_scale(band, value.finite()?)?;
            }
        }
        if let Some(given) = offset {
            for (band, value) in for_bands(given, spec)? {
                metadata.set_offset(band, value.finite()?)?;
            }
        }
        if let Some(given) = find("bandUnit") {
            for (band, value) in for_bands(given, spec)? {
                metadata.set_unit(band, &value.text()?)?;
            }
        }
        if let Some(given) = find("colorInterpretation") {
            let Some(_) = given.items() else { return given.refuse("expected an array with a color for each band") };
            for (band, value) in for_bands(given, spec)? {
                let color = ColorInterpretation::parse(&value.text()?);
                let names = || {
                    let names = ColorInterpretation::ALL.iter().map(|color| color.name().to_ascii_lowercase());
                    names.collect::<Vec<_>>().join(", ")
                };
                let color = color.map_or_else(|| given.refuse(format!("expected one of {}", names())), Ok)?;
                metadata.set_color_interpretation(band, color);
            }
        }
        if let Some(given) = find("metadata") {
            items(given, metadata)?;
        }
        let vertical = geo.keys().is_some_and(GeoKeys::is_vertical);
        if (scale.is_some() || offset.is_some()) && vertical && spec.bands == 1 && geo.transform().is_some() {
            return geo.with_vertical_scale(metadata.scale(0), metadata.offset(0));
        }
        Ok(geo)
    }
}

/// Splits a value for all bands, or an array with one per band.
fn for_bands(given: &Given, spec: &ImageSpec) -> Result<Vec<(u16, Given)>> {
    match given.items() {
        None => Ok((0..spec.bands).map(|band| (band, given.clone())).collect()),
        Some(items) if items.len() == usize::from(spec.bands) => Ok((0..).zip(items).collect()),
        Some(items) => given.refuse(format!("{} values for {} bands; give one for each", items.len(), spec.bands)),
    }
}

/// Sets metadata items: `KEY` or `DOMAIN:KEY`, and their texts.
fn items(given: &Given, metadata: &mut Metadata) -> Result<()> {
    let expected = "expected an object such as { AREA: 'north', 'DOMAIN:KEY': 'value' }";
    let Some(object) = given.value().dyn_ref::<Object>() else { return given.refuse(expected) };
    for entry in Object::entries(object).iter() {
        let entry: js_sys::Array = entry.unchecked_into();
        let (Some(name), Some(value)) = (entry.get(0).as_string(), entry.get(1).as_string()) else {
            return given.refuse(expected);
        };
        // Domains such as xml:NAME have a colon of their own.
        let (domain, key) = match name.rsplit_once(':') {
            Some((domain, key)) => (Some(domain), key),
            None => (None, name.as_str()),
        };
        if key.is_empty() || domain == Some("") {
            return given.refuse(expected);
        }
        let text = cogsmith::METADATA_TEXTS.iter().find(|(name, _)| name.eq_ignore_ascii_case(key));
        match text.filter(|_| domain.is_none()) {
            Some((_, tag)) => metadata.set_text(*tag, &value)?,
            None => metadata.set_item(domain, key, &value)?,
        }
    }
    Ok(())
}

fn gcps(given: &Given) -> Result<Vec<Gcp>> {
    let expected = "expected points such as [[0.5, 0.5, 13.4, 52.5], …]: column, row, x, y, and optionally z";
    let Some(points) = given.items() else { return given.refuse(expected) };
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

/// Parses a coordinate reference system: a code such as `EPSG:32633` or its number, WKT, PROJJSON, or a PROJ string.
pub(crate) fn parse_crs(given: &Given) -> Result<Crs> {
    match given.value().as_f64() {
        Some(_) => Crs::parse(&format!("EPSG:{}", given.whole()?)),
        None => Crs::parse(&given.text()?),
    }
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
    let failed =
        || -> Error { refused(given.option(), "expected a number, a bigint, 'nan', 'inf', '-inf', or 'none'") };
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
