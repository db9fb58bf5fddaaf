//! Conversion of a definition to GeoKeys (GeoTIFF 1.1 sections 7.2 to 7.5), in the way GDAL does it.

use super::definition::{Definition, Projected, Vertical};
use super::geodetic::{Datum, Geodetic};
use super::method::{self, Conversion, WEB_MERCATOR};
use super::table::{self, Kind, System, letters};
use super::unit::{Unit, plain};
use super::wkt::{Node, Value};
use crate::geo::keys::{GeoKeys, KeyWriter};

// GeoTIFF 1.1 annex D.
const MODEL_TYPE: u16 = 1024;
const RASTER_TYPE: u16 = 1025;
const CITATION: u16 = 1026;
const GEODETIC_CRS: u16 = 2048;
const GEODETIC_CITATION: u16 = 2049;
const GEODETIC_DATUM: u16 = 2050;
const PRIME_MERIDIAN: u16 = 2051;
const GEOCENTRIC_UNIT: u16 = 2052;
const ANGLE_UNIT: u16 = 2054;
const ANGLE_UNIT_SIZE: u16 = 2055;
const ELLIPSOID: u16 = 2056;
const SEMI_MAJOR: u16 = 2057;
const SEMI_MINOR: u16 = 2058;
const INVERSE_FLATTENING: u16 = 2059;
const AZIMUTH_UNIT: u16 = 2060;
const MERIDIAN_LONGITUDE: u16 = 2061;
/// A GDAL key, `GeogTOWGS84GeoKey`.
const TO_WGS84: u16 = 2062;
const PROJECTED_CRS: u16 = 3072;
const PROJECTED_CITATION: u16 = 3073;
const PROJECTION: u16 = 3074;
const METHOD: u16 = 3075;
const LENGTH_UNIT: u16 = 3076;
const LENGTH_UNIT_SIZE: u16 = 3077;
const SCALE_AT_ORIGIN: u16 = 3092;
const VERTICAL: u16 = 4096;
const VERTICAL_CITATION: u16 = 4097;
const VERTICAL_DATUM: u16 = 4098;
const VERTICAL_UNIT: u16 = 4099;
/// A GDAL key, `CoordinateEpochGeoKey`.
const EPOCH: u16 = 5120;
/// "User-defined" (GeoTIFF 1.1 section 7.1).
const USER_DEFINED: u16 = 32767;
const WGS_84: u16 = 4326;
const NAD_83: u16 = 4269;
const NAD_27: u16 = 4267;
/// GDAL does not read longer text (`gt_wkt_srs.cpp`, `szPeStr`).
const LONGEST_WKT: usize = 2380;

/// Values of GTModelTypeGeoKey.
const MODEL_PROJECTED: u16 = 1;
const MODEL_GEOGRAPHIC: u16 = 2;
const MODEL_GEOCENTRIC: u16 = 3;

fn start(model: u16, epoch: Option<f64>) -> KeyWriter {
    let mut keys = KeyWriter::default();
    keys.short(MODEL_TYPE, model);
    keys.short(RASTER_TYPE, 1);
    if let Some(epoch) = epoch {
        keys.double(EPOCH, epoch);
    }
    keys
}

/// Returns the keys of an EPSG code.
pub(super) fn code(system: System, epoch: Option<f64>) -> Result<GeoKeys, String> {
    let missing = |code: u16| format!("EPSG:{} has a part EPSG:{code} that is not in the table", system.code);
    let mut keys = start(model(system), epoch);
    if system.kind == Kind::Compound {
        let horizontal = table::system(system.part).ok_or_else(|| missing(system.part))?;
        let vertical = table::system(system.vertical).ok_or_else(|| missing(system.vertical))?;
        keys = start(model(horizontal), epoch);
        coded(horizontal, &mut keys);
        keys.short(VERTICAL, vertical.code);
        return keys.finish(1);
    }
    if matches!(system.kind, Kind::Vertical | Kind::Other) {
        return Err(match system.kind {
            Kind::Vertical => vertical_alone(&format!("EPSG:{}", system.code)),
            _ => format!("EPSG:{} is an engineering CRS, which GeoKeys cannot express", system.code),
        });
    }
    coded(system, &mut keys);
    keys.finish(u16::from(matches!(system.kind, Kind::Geographic3D | Kind::Geocentric)))
}

/// Returns the error for a vertical CRS without a horizontal one.
fn vertical_alone(name: &str) -> String {
    format!(
        "{name} is a vertical CRS, and a raster also needs a horizontal one; give a compound CRS such as EPSG:9518 \
         (WGS 84 + EGM2008 height) or COMPOUNDCRS in WKT"
    )
}

fn model(system: System) -> u16 {
    match system.kind {
        Kind::Projected => MODEL_PROJECTED,
        Kind::Geocentric => MODEL_GEOCENTRIC,
        _ => MODEL_GEOGRAPHIC,
    }
}

/// Writes the keys of a horizontal CRS by its code only.
fn coded(system: System, keys: &mut KeyWriter) {
    match system.kind {
        Kind::Projected => {
            keys.short(PROJECTED_CRS, system.code);
            keys.short(LENGTH_UNIT, system.unit);
        }
        Kind::Geocentric => {
            keys.short(GEODETIC_CRS, system.code);
            keys.short(GEOCENTRIC_UNIT, system.unit);
        }
        // As GDAL does: the two-dimensional CRS, with the three-dimensional one as the vertical CRS. The spec allows
        // the latter without the former, but GDAL then ignores its heights. GeoTIFF 1.0 used some of these codes for
        // heights over other ellipsoids (its section 6.3.4.1), and GDAL reads them that way.
        Kind::Geographic3D if system.part != 0 && !(5001..=5033).contains(&system.code) => {
            keys.short(GEODETIC_CRS, system.part);
            keys.short(VERTICAL, system.code);
        }
        _ => {
            keys.short(GEODETIC_CRS, system.code);
            keys.short(ANGLE_UNIT, plain(system.unit));
        }
    }
}

/// Returns the keys of a definition: by code if EPSG has it, otherwise by its parts.
pub(super) fn definition(definition: &Definition, epoch: Option<f64>) -> Result<GeoKeys, String> {
    let (horizontal, vertical) = match definition {
        Definition::Compound { horizontal, vertical, .. } => (&**horizontal, Some(vertical)),
        Definition::Vertical(vertical) => return Err(vertical_alone(&format!("'{}'", vertical.name))),
        other => (other, None),
    };
    let mut keys;
    let mut minor = u16::from(vertical.is_some());
    match horizontal {
        Definition::Geodetic(geodetic) => {
            if matches!(geodetic.kind, Kind::Geographic3D | Kind::Geocentric) {
                minor = 1;
            }
            let is_geocentric = geodetic.kind == Kind::Geocentric;
            keys = start(if is_geocentric { MODEL_GEOCENTRIC } else { MODEL_GEOGRAPHIC }, epoch);
            match known(geodetic) {
                Some(system) => {
                    coded(system, &mut keys);
                    if vertical.is_none() && system.kind == Kind::Geographic2D {
                        citation(&mut keys, GEODETIC_CITATION, &geodetic.name);
                    }
                }
                None if geodetic.kind == Kind::Geographic3D => {
                    return Err(format!(
                        "GeoKeys can express ellipsoidal heights only by an EPSG code; '{}' has none that matches",
                        geodetic.name
                    ));
                }
                None => user_geodetic(geodetic, &mut keys)?,
            }
        }
        Definition::Projected(projected) => {
            keys = start(MODEL_PROJECTED, epoch);
            let name = if vertical.is_some() { PROJECTED_CITATION } else { CITATION };
            match system_of(projected) {
                Some(system) => {
                    coded(system, &mut keys);
                    if vertical.is_none() && projected.system.is_some() {
                        citation(&mut keys, name, &projected.name);
                    }
                }
                None => {
                    citation(&mut keys, name, &projected.name);
                    user_projected(projected, &mut keys)?;
                }
            }
        }
        _ => return Err("expected a horizontal CRS".to_owned()),
    }
    if let (Definition::Compound { name, .. }, Some(vertical)) = (definition, vertical) {
        citation(&mut keys, CITATION, name);
        user_vertical(vertical, &mut keys)?;
    }
    keys.finish(minor)
}

/// Returns EPSG's CRS for a geographic or geocentric definition.
fn known(geodetic: &Geodetic) -> Option<System> {
    geodetic
        .system
        .or_else(|| if geodetic.kind == Kind::Geographic2D { geodetic.flat() } else { None })
        .filter(|_| geodetic.unsayable.is_none() || geodetic.system.is_some())
}

/// Returns EPSG's CRS for a projected definition: by its code, or as Web Mercator or a UTM zone.
fn system_of(projected: &Projected) -> Option<System> {
    if projected.system.is_some() {
        return projected.system;
    }
    let conversion = projected.conversion.as_ref().ok()?;
    let base = projected.base.flat().filter(|_| projected.base.to_wgs84.is_empty())?;
    if !projected.unit.is(9001) {
        return None;
    }
    if conversion.method.name == WEB_MERCATOR.name && base.code == WGS_84 {
        return if conversion.values.iter().flatten().all(|value| *value == 0.0) { table::system(3857) } else { None };
    }
    let (zone, is_south) = utm_zone(conversion)?;
    let first = match (base.code, is_south) {
        (WGS_84, false) => 32600,
        (WGS_84, true) => 32700,
        (NAD_83, false) => 26900,
        (NAD_27, false) => 26700,
        _ => return None,
    };
    let found = table::system(first + zone)?;
    let print = table::fingerprint(conversion.method.code, conversion.for_fingerprint());
    (found.part == base.code && found.fingerprint == print && found.unit == 9001).then_some(found)
}

/// Returns the zone, and whether it is a southern one, if a transverse Mercator projection is a UTM zone.
fn utm_zone(conversion: &Conversion) -> Option<(u16, bool)> {
    let values: Vec<f64> = conversion.values.iter().flatten().copied().collect();
    let [latitude, meridian, scale, easting, northing] = values[..] else { return None };
    if conversion.method.code != 1 || (latitude, scale, easting) != (0.0, 0.9996, 500_000.0) {
        return None;
    }
    let is_south = northing == 1e7;
    if !is_south && northing != 0.0 {
        return None;
    }
    let zone = (1..=60u16).find(|zone| f64::from(*zone) * 6.0 - 183.0 == meridian)?;
    Some((zone, is_south))
}

fn citation(keys: &mut KeyWriter, key: u16, name: &str) {
    if !name.is_empty() {
        keys.text(key, &name.replace('|', "/"));
    }
}

/// Writes a geographic or geocentric CRS by its parts.
fn user_geodetic(geodetic: &Geodetic, keys: &mut KeyWriter) -> Result<(), String> {
    if let Some(reason) = &geodetic.unsayable {
        return Err(reason.clone());
    }
    let Datum { name, ellipsoid, ellipsoid_name, meridian_name, .. } = &geodetic.datum;
    if geodetic.datum.code.is_none() && (!name.is_ascii() || name.contains('|')) {
        return Err(format!("GeoKeys cannot hold the letters of the datum's name '{name}'"));
    }
    let angle = if geodetic.kind == Kind::Geocentric { Unit::degree() } else { geodetic.unit.clone() };
    keys.short(GEODETIC_CRS, USER_DEFINED);
    let mut text = format!("GCS Name = {}|", geodetic.name.replace('|', "/"));
    if geodetic.datum.code.is_none() {
        text.push_str(&format!("Datum = {name}|"));
    }
    text.push_str(&format!(
        "Ellipsoid = {}|Primem = {}|",
        ellipsoid_name.replace('|', "/"),
        meridian_name.replace('|', "/")
    ));
    let angle_code = angle.angle_code();
    if angle_code.is_none_or(|code| code != 9102) {
        text.push_str(&format!("AUnits = {}|", angle.name.replace('|', "/")));
    }
    keys.text(GEODETIC_CITATION, &text);
    keys.short(GEODETIC_DATUM, geodetic.datum.code.unwrap_or(USER_DEFINED));
    keys.short(ANGLE_UNIT, angle_code.unwrap_or(USER_DEFINED));
    if angle_code.is_none() {
        keys.double(ANGLE_UNIT_SIZE, angle.size);
    }
    if geodetic.datum.code.is_none() {
        keys.short(ELLIPSOID, if ellipsoid.code == 0 { USER_DEFINED } else { ellipsoid.code });
    }
    keys.double(SEMI_MAJOR, ellipsoid.semi_major);
    if ellipsoid.inverse_flattening == 0.0 {
        keys.double(SEMI_MINOR, ellipsoid.semi_major);
    } else {
        keys.double(INVERSE_FLATTENING, ellipsoid.inverse_flattening);
    }
    match geodetic.datum.meridian_code {
        Some(code) => keys.short(PRIME_MERIDIAN, code),
        None => {
            keys.short(PRIME_MERIDIAN, USER_DEFINED);
            keys.double(MERIDIAN_LONGITUDE, in_unit(geodetic.datum.meridian, &angle));
        }
    }
    if !geodetic.to_wgs84.is_empty() {
        keys.doubles(TO_WGS84, &geodetic.to_wgs84);
    }
    if geodetic.kind == Kind::Geocentric {
        citation(keys, CITATION, &geodetic.name);
        let code = geodetic.unit.length_code();
        keys.short(GEOCENTRIC_UNIT, code.ok_or("GeoKeys cannot express the unit of the geocentric axes")?);
    }
    Ok(())
}

/// Converts degrees to a unit; degrees keep their exact value.
fn in_unit(degrees: f64, unit: &Unit) -> f64 {
    if unit.is(9102) { degrees } else { degrees.to_radians() / unit.size }
}

/// Writes a projected CRS by its parts.
fn user_projected(projected: &Projected, keys: &mut KeyWriter) -> Result<(), String> {
    let conversion = projected.conversion.as_ref().map_err(Clone::clone)?;
    if conversion.method.code == 0 {
        return Err(format!(
            "GeoKeys can express '{}' only as EPSG:3857: on WGS 84, in meters, with all parameters 0",
            conversion.method.name
        ));
    }
    match projected.base.flat() {
        Some(system) if projected.base.to_wgs84.is_empty() && projected.base.unsayable.is_none() => {
            keys.short(GEODETIC_CRS, system.code);
            keys.short(ANGLE_UNIT, plain(system.unit));
        }
        _ => user_geodetic(&projected.base, keys)?,
    }
    keys.short(PROJECTED_CRS, USER_DEFINED);
    let length = projected.unit.length_code();
    keys.short(LENGTH_UNIT, length.unwrap_or(USER_DEFINED));
    if length.is_none() {
        keys.double(LENGTH_UNIT_SIZE, projected.unit.size);
    }
    // EPSG's codes for zones apply to meters.
    if let Some((zone, is_south)) = utm_zone(conversion)
        && length == Some(9001)
    {
        keys.short(PROJECTION, if is_south { 16100 } else { 16000 } + zone);
        return Ok(());
    }
    keys.short(PROJECTION, USER_DEFINED);
    keys.short(METHOD, conversion.method.code);
    for (place, (key, value)) in conversion.method.keys.into_iter().zip(conversion.values).enumerate() {
        let Some(value) = value else { continue };
        let number = match place {
            method::SCALE => value,
            method::EASTING | method::NORTHING => value / projected.unit.size,
            // Azimuths have a unit of their own; write degrees, which readers assume without checking.
            method::AZIMUTH => {
                if !projected.base.unit.is(9102) {
                    keys.short(AZIMUTH_UNIT, 9102);
                }
                value
            }
            _ => in_unit(value, &projected.base.unit),
        };
        keys.double(key, number);
    }
    // Variant B of the polar stereographic projection: readers require the scale.
    if conversion.method.name == method::POLAR_B.name {
        keys.double(SCALE_AT_ORIGIN, 1.0);
    }
    Ok(())
}

/// Writes the vertical part of a compound CRS.
fn user_vertical(vertical: &Vertical, keys: &mut KeyWriter) -> Result<(), String> {
    if let Some(system) = vertical.system {
        keys.short(VERTICAL, system.code);
        return Ok(());
    }
    if let Some(reason) = &vertical.unsayable {
        return Err(reason.clone());
    }
    if vertical.datum_code.is_none() && !letters(&vertical.datum_name).starts_with("unknown") {
        return Err(format!(
            "GeoKeys can express the vertical datum '{}' of '{}' only by an EPSG code, and it has none",
            vertical.datum_name, vertical.name
        ));
    }
    let unit = vertical.unit.length_code();
    let unit = unit.ok_or_else(|| format!("GeoKeys cannot express the unit '{}' of heights", vertical.unit.name))?;
    keys.short(VERTICAL, USER_DEFINED);
    citation(keys, VERTICAL_CITATION, &vertical.name);
    keys.short(VERTICAL_DATUM, vertical.datum_code.unwrap_or(USER_DEFINED));
    keys.short(VERTICAL_UNIT, unit);
    Ok(())
}

/// Returns keys with the definition as a citation, in the form that Esri introduced and GDAL reads.
pub(super) fn wkt_citation(node: &Node, epoch: Option<f64>) -> Result<GeoKeys, String> {
    if node.child(&["VERTCS"]).is_some() {
        return Err("GDAL does not read Esri's vertical CRSs from a citation".to_owned());
    }
    // Elements that do not affect coordinates take up space.
    let idle = ["USAGE", "SCOPE", "AREA", "BBOX", "REMARK", "ANCHOR"];
    let text = without(node, &idle).text();
    if !text.is_ascii() || text.contains('|') {
        return Err("its WKT contains characters that GeoKeys cannot hold".to_owned());
    }
    if text.len() > LONGEST_WKT {
        return Err(format!("its WKT has {} bytes, over the limit of {LONGEST_WKT}", text.len()));
    }
    let mut keys = start(USER_DEFINED, epoch);
    keys.text(PROJECTED_CITATION, &format!("ESRI PE String = {text}"));
    keys.finish(0)
}

fn without(node: &Node, keywords: &[&str]) -> Node {
    let values = node.values.iter().filter_map(|value| match value {
        Value::Node(inner) if keywords.contains(&inner.keyword.as_str()) => None,
        Value::Node(inner) => Some(Value::Node(without(inner, keywords))),
        other => Some(other.clone()),
    });
    Node { keyword: node.keyword.clone(), values: values.collect() }
}

/// Returns the EPSG code that a definition is written as, if it is a single one.
pub(super) fn code_of(definition: &Definition) -> Option<u16> {
    let system = match definition {
        Definition::Geodetic(geodetic) => known(geodetic),
        Definition::Projected(projected) => system_of(projected),
        Definition::Vertical(vertical) => vertical.system,
        Definition::Compound { .. } => None,
    };
    system.map(|system| system.code)
}
