//! Georeferencing: the tags of GeoTIFF (OGC 19-008), and GDAL's metadata.

use crate::error::Result;

use super::parse::{Directory, Tiff};
use super::report::{Place, Report};
use super::rules;
use super::tags as tag;

/// A GeoKey, and its value as far as it can be read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Key {
    pub(super) id: u64,
    pub(super) value: KeyValue,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum KeyValue {
    Short(u64),
    Text(String),
    /// Numbers, and missing values.
    Other,
}

pub(super) const MODEL_TYPE: u64 = 1024;
pub(super) const RASTER_TYPE: u64 = 1025;
pub(super) const CITATION: u64 = 1026;
pub(super) const GEODETIC_CRS: u64 = 2048;
pub(super) const GEODETIC_CITATION: u64 = 2049;
pub(super) const PROJECTED_CRS: u64 = 3072;
pub(super) const PROJECTED_CITATION: u64 = 3073;
pub(super) const VERTICAL_CRS: u64 = 4096;
/// Keys that define a datum, an ellipsoid, or a projection instead of naming a CRS.
const OWN_DEFINITION: [u64; 4] = [2050, 2056, 3074, 3075];

/// The georeferencing of a directory.
#[derive(Debug, Clone, Default)]
pub(super) struct GeoReference {
    pub(super) keys: Vec<Key>,
    pub(super) scale: Vec<f64>,
    pub(super) tiepoints: Vec<f64>,
    pub(super) matrix: Vec<f64>,
}

impl GeoReference {
    pub(super) fn short(&self, id: u64) -> Option<u64> {
        self.keys.iter().find(|key| key.id == id).and_then(|key| match key.value {
            KeyValue::Short(value) => Some(value),
            _ => None,
        })
    }

    pub(super) fn text(&self, id: u64) -> Option<&str> {
        self.keys.iter().find(|key| key.id == id).and_then(|key| match &key.value {
            KeyValue::Text(text) => Some(text.as_str()),
            _ => None,
        })
    }

    /// Returns the transform from column and row to coordinates, with pixels as areas: x = a·column + b·row + c,
    /// y = d·column + e·row + f. As in GDAL for the precedence of tags, and in that rows always go down, whatever the
    /// sign of the scale.
    pub(super) fn transform(&self) -> Option<[f64; 6]> {
        let [a, b, c, d, e, f] = match (self.scale.as_slice(), self.tiepoints.as_slice(), self.matrix.as_slice()) {
            (&[x, y, ..], &[column, row, _, east, north, _, ..], _) if x != 0.0 && y != 0.0 => {
                [x, 0.0, east - column * x, 0.0, -y.abs(), north + row * y.abs()]
            }
            (_, _, &[a, b, _, c, d, e, _, f, ..]) => [a, b, c, d, e, f],
            _ => return None,
        };
        let half = if self.short(RASTER_TYPE) == Some(2) { 0.5 } else { 0.0 };
        Some([a, b, c - half * (a + b), d, e, f - half * (d + e)])
    }
}

/// Reads and checks the georeferencing of a directory.
pub(super) fn read(tiff: &Tiff<'_>, directory: &Directory, report: &mut Report) -> Result<GeoReference> {
    let place = Place::directory(directory.index).at(directory.offset);
    let doubles = |tag| -> Result<Vec<f64>> {
        let Some(entry) = directory.sound(tag) else { return Ok(Vec::new()) };
        Ok(tiff.doubles(entry)?.unwrap_or_default())
    };
    let mut geo = GeoReference {
        keys: Vec::new(),
        scale: doubles(tag::MODEL_PIXEL_SCALE)?,
        tiepoints: doubles(tag::MODEL_TIEPOINT)?,
        matrix: doubles(tag::MODEL_TRANSFORMATION)?,
    };
    check_transform(&geo, place, report);
    if let Some(entry) = directory.sound(tag::GEO_KEY_DIRECTORY)
        && let Some(shorts) = tiff.numbers(entry, 1 << 16)?
    {
        let ascii = match directory.sound(tag::GEO_ASCII_PARAMS) {
            Some(entry) => tiff.value(entry)?.unwrap_or_default(),
            None => Vec::new(),
        };
        let params = Params { shorts: &shorts, doubles: doubles(tag::GEO_DOUBLE_PARAMS)?, ascii };
        geo.keys = keys(&params, place, report);
        check_crs(&geo, place, report);
    }
    Ok(geo)
}

fn check_transform(geo: &GeoReference, place: Place, report: &mut Report) {
    let finite = |numbers: &[f64]| numbers.iter().all(|number| number.is_finite());
    let add = |report: &mut Report, name: &str, numbers: &[f64]| {
        let some: Vec<_> = numbers.iter().take(16).collect();
        report.add(&rules::GEO_TRANSFORM, place, format_args!("{name} has {} values: {some:?}", numbers.len()));
    };
    if !geo.scale.is_empty() {
        let sound = matches!(geo.scale.as_slice(), &[x, y, _] if x != 0.0 && y != 0.0) && finite(&geo.scale);
        if !sound {
            add(report, "ModelPixelScale", &geo.scale);
        }
    }
    if !geo.tiepoints.len().is_multiple_of(6) || !finite(&geo.tiepoints) {
        add(report, "ModelTiepoint", &geo.tiepoints);
    }
    if !geo.matrix.is_empty() {
        if geo.matrix.len() != 16 || !finite(&geo.matrix) {
            add(report, "ModelTransformation", &geo.matrix);
        }
        if !geo.scale.is_empty() {
            let message = format_args!("both are present");
            report.add(&rules::GEO_TRANSFORM_CONFLICT, place, message);
        }
    }
}

/// The tags that contain the values of keys.
struct Params<'a> {
    shorts: &'a [u64],
    doubles: Vec<f64>,
    ascii: Vec<u8>,
}

/// Reads the keys of a GeoKeyDirectory.
fn keys(params: &Params<'_>, place: Place, report: &mut Report) -> Vec<Key> {
    let (header, rest) = params.shorts.split_at_checked(4).unwrap_or((params.shorts, &[]));
    let count = match header {
        // A later minor revision only adds keys.
        &[1, 1, _, count] if rest.len() as u64 >= count * 4 => count,
        _ => {
            let held = rest.len() / 4;
            let message = format_args!("the header is {header:?}, and there are {held} keys");
            report.add(&rules::GEO_KEY_DIRECTORY, place, message);
            return Vec::new();
        }
    };
    let mut keys: Vec<Key> = Vec::new();
    let mut spare = params.ascii.len().saturating_mul(4);
    for item in rest.chunks_exact(4).take(usize::try_from(count).unwrap_or(0)) {
        let &[id, location, count, value] = item else { continue };
        if let Some(last) = keys.last().map(|key| key.id).filter(|last| *last >= id) {
            report.add(&rules::GEO_KEY_ORDER, place, format_args!("key {id} follows key {last}"));
        }
        let range = || {
            let from = usize::try_from(value).ok()?;
            Some(from..from.checked_add(usize::try_from(count).ok()?)?)
        };
        let value = match u16::try_from(location).unwrap_or(0) {
            0 => Some(KeyValue::Short(value)),
            tag::GEO_DOUBLE_PARAMS => range().and_then(|range| params.doubles.get(range)).map(|_| KeyValue::Other),
            tag::GEO_ASCII_PARAMS => range().and_then(|range| params.ascii.get(range)).map(|text| {
                // Keys that share a text must not multiply its memory.
                if text.len() > spare {
                    return KeyValue::Other;
                }
                spare -= text.len();
                let text = String::from_utf8_lossy(text);
                KeyValue::Text(text.trim_end_matches(['|', '\0']).to_owned())
            }),
            tag::GEO_KEY_DIRECTORY => range().and_then(|range| params.shorts.get(range)).map(|_| KeyValue::Other),
            _ => None,
        };
        if value.is_none() {
            let message =
                format_args!("key {id} refers to {count} missing items at index {} of tag {location}", item[3]);
            report.add(&rules::GEO_KEY_VALUE, place, message);
        }
        keys.push(Key { id, value: value.unwrap_or(KeyValue::Other) });
    }
    keys
}

fn check_crs(geo: &GeoReference, place: Place, report: &mut Report) {
    if report.has(&rules::GEO_KEY_DIRECTORY) {
        return;
    }
    let model = geo.short(MODEL_TYPE);
    if !matches!(model, Some(0..=3 | 32767)) {
        let model = model.map_or("missing".to_owned(), |model| model.to_string());
        report.add(&rules::GEO_MODEL_TYPE, place, format_args!("GTModelTypeGeoKey is {model}"));
    }
    let raster = geo.short(RASTER_TYPE);
    if !matches!(raster, Some(1 | 2)) {
        let raster = raster.map_or("missing".to_owned(), |raster| raster.to_string());
        report.add(&rules::GEO_RASTER_TYPE, place, format_args!("GTRasterTypeGeoKey is {raster}"));
    }
    let named = |id| geo.short(id).is_some_and(|code| code != 0);
    let described = OWN_DEFINITION.iter().any(|id| geo.keys.iter().any(|key| key.id == *id))
        || [CITATION, PROJECTED_CITATION].iter().any(|id| geo.text(*id).is_some_and(|text| text.contains("ESRI PE")));
    let (wanted, found) = match model {
        Some(1) => (PROJECTED_CRS, named(PROJECTED_CRS)),
        Some(2 | 3) => (GEODETIC_CRS, named(GEODETIC_CRS)),
        _ => return,
    };
    if !found && !described {
        let message = format_args!("the model type is {}, but key {wanted} is missing or 0", model.unwrap_or(0));
        report.add(&rules::GEO_CRS, place, message);
    }
}

/// A GDAL metadata item.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MetadataEntry {
    /// Name.
    pub name: String,
    /// Domain; empty for the default domain.
    pub domain: String,
    /// Band that the item describes, counted from 0; `None` for the whole dataset.
    pub band: Option<u32>,
    /// Role in GDAL, such as `scale`; empty for plain items.
    pub role: String,
    /// Value.
    pub value: String,
}

/// Reads the GDAL metadata of a directory.
pub(super) fn metadata(tiff: &Tiff<'_>, directory: &Directory, report: &mut Report) -> Result<Vec<MetadataEntry>> {
    let Some(entry) = directory.sound(tag::GDAL_METADATA) else { return Ok(Vec::new()) };
    let Some(text) = tiff.text(entry)? else { return Ok(Vec::new()) };
    let document = match crate::xml::parse(text.trim_end()) {
        Ok(document) => document,
        Err(error) => {
            let place = Place::directory(directory.index).at(entry.at);
            report.add(&rules::METADATA_TEXT, place, format_args!("{error}"));
            return Ok(Vec::new());
        }
    };
    let items = document.root_element().children().filter(|node| node.has_tag_name("Item"));
    Ok(items
        .map(|item| {
            let attribute = |name| item.attribute(name).unwrap_or_default().to_owned();
            MetadataEntry {
                name: attribute("name"),
                domain: attribute("domain"),
                band: item.attribute("sample").and_then(|sample| sample.parse().ok()),
                role: attribute("role"),
                // GDAL escapes twice.
                value: unescaped(item.text().unwrap_or_default()),
            }
        })
        .collect())
}

fn unescaped(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&apos;", "'").replace("&amp;", "&")
}
