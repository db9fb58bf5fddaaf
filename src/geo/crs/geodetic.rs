//! Geographic and geocentric CRSs: datum, ellipsoid, prime meridian.

use super::definition::{Problem, broken, dimensions, direction, is_word, numbers, unit_of};
use super::table::{self, Ellipsoid, Kind, System, letters};
use super::unit::Unit;
use super::wkt::Node;

/// A geographic or geocentric CRS.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Geodetic {
    pub(super) name: String,
    /// EPSG's CRS, if the definition has its code and agrees with it.
    pub(super) system: Option<System>,
    pub(super) kind: Kind,
    pub(super) datum: Datum,
    /// Unit of angle; for a geocentric CRS, of length.
    pub(super) unit: Unit,
    /// Three or seven parameters of a transformation to WGS 84: meters, arc-seconds (position vector), parts per
    /// million.
    pub(super) to_wgs84: Vec<f64>,
    /// The reason why GeoKeys cannot express it.
    pub(super) unsayable: Option<String>,
}

/// A geodetic datum with its ellipsoid and prime meridian.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Datum {
    pub(super) name: String,
    /// EPSG's code, if ellipsoid and meridian are those of EPSG's datum.
    pub(super) code: Option<u16>,
    pub(super) is_ensemble: bool,
    pub(super) ellipsoid_name: String,
    pub(super) ellipsoid: Ellipsoid,
    pub(super) meridian_name: String,
    pub(super) meridian_code: Option<u16>,
    /// In degrees.
    pub(super) meridian: f64,
}

pub(super) fn geodetic(node: &Node) -> Result<Geodetic, Problem> {
    let name = node.name().to_owned();
    let axes: Vec<&Node> = node.children(&["AXIS"]).collect();
    let is_cartesian = node.child(&["CS"]).is_some_and(|system| is_word(system, "cartesian"));
    let count = dimensions(node).unwrap_or(axes.len());
    let kind = match (node.keyword.as_str(), is_cartesian, count) {
        ("GEOCCS", ..) | (_, true, _) => Kind::Geocentric,
        (.., 3) => Kind::Geographic3D,
        // Esri's three-dimensional CRSs have a unit of height.
        _ if node.child(&["LINUNIT"]).is_some() => Kind::Geographic3D,
        _ => Kind::Geographic2D,
    };
    let default = if kind == Kind::Geocentric { Unit::metre() } else { Unit::degree() };
    // The base of a projected CRS omits its unit; it is that of the code, or of the prime meridian, as in PROJ.
    let of_code = || node.epsg().and_then(table::system).and_then(|system| Unit::of(system.unit));
    let of_meridian = match node.child(&["PRIMEM", "PRIMEMERIDIAN"]) {
        Some(meridian) if kind != Kind::Geocentric => unit_of(meridian)?,
        _ => None,
    };
    let unit = unit_of(node)?.or_else(of_code).or(of_meridian).unwrap_or(default);
    let (mut unsayable, degree) = (None, Unit::degree());
    if kind != Kind::Geocentric {
        let odd = axes.iter().map(|axis| direction(axis)).find(|word| !matches!(*word, "north" | "east" | "up" | ""));
        unsayable = odd.map(|word| format!("GeoKeys cannot express that an axis of '{name}' points {word}"));
    }
    let datum = datum(node, if kind == Kind::Geocentric { &degree } else { &unit })?;
    let place = node.child(DATUMS);
    if place.is_some_and(|datum| datum.child(&["EXTENSION"]).is_some()) {
        unsayable = unsayable.or_else(|| Some("GeoKeys cannot express the grids of a datum (EXTENSION)".to_owned()));
    }
    let to_wgs84 = place.and_then(|datum| datum.child(&["TOWGS84"])).map(numbers).unwrap_or_default();
    if !matches!(to_wgs84.len(), 0 | 3 | 7) {
        return broken(format!("TOWGS84 of '{name}' has {} numbers, not 3 or 7", to_wgs84.len()));
    }
    // Zero rotations and scale add nothing to a translation. A translation of zeros is kept: it states that the shift
    // is known.
    let to_wgs84 = if to_wgs84.len() == 7 && to_wgs84[3..].iter().all(|number| *number == 0.0) {
        to_wgs84[..3].to_vec()
    } else {
        to_wgs84
    };
    let mut read = Geodetic { name, system: None, kind, datum, unit, to_wgs84, unsayable };
    read.system = node.epsg().and_then(table::system).filter(|system| read.agrees(*system));
    Ok(read)
}

impl Geodetic {
    /// Returns whether EPSG's CRS has the kind, datum, and unit of the definition.
    pub(super) fn agrees(&self, system: System) -> bool {
        let datum = match system.kind {
            Kind::Geographic3D => table::system(system.part).map(|flat| flat.part),
            _ => Some(system.part),
        };
        self.kind == system.kind && self.unit.is(system.unit) && datum.is_none_or(|datum| self.datum.is(datum))
    }

    /// Returns EPSG's two-dimensional CRS with the same datum and unit: by code, or by the datum.
    pub(super) fn flat(&self) -> Option<System> {
        let system = match self.system {
            Some(system) if system.kind == Kind::Geographic2D => Some(system),
            Some(system) if system.kind == Kind::Geographic3D => table::system(system.part),
            _ => None,
        };
        system.or_else(|| {
            let datum = self.datum.code.filter(|_| self.to_wgs84.is_empty() && self.kind != Kind::Geocentric)?;
            // A single realization is not the ensemble, except for WGS 84, where PROJ and GDAL treat both alike.
            if datum != 6326 && table::datum(datum).is_some_and(|datum| datum.is_ensemble) && !self.datum.is_ensemble {
                return None;
            }
            table::geographic(datum, |unit| self.unit.is(unit))
        })
    }
}

impl Datum {
    /// Returns whether this is EPSG's datum: by code, or without one, by ellipsoid and meridian.
    pub(super) fn is(&self, code: u16) -> bool {
        match self.code {
            Some(own) => own == code,
            None => letters(&self.name).starts_with("unknown") && self.fits(code),
        }
    }

    /// Returns whether ellipsoid and meridian are those of EPSG's datum.
    fn fits(&self, code: u16) -> bool {
        table::datum(code).is_some_and(|datum| {
            same_ellipsoid(&datum.ellipsoid, &self.ellipsoid) && (datum.meridian.longitude - self.meridian).abs() < 1e-7
        })
    }
}

fn same_ellipsoid(a: &Ellipsoid, b: &Ellipsoid) -> bool {
    let flattening = |ellipsoid: &Ellipsoid| match ellipsoid.inverse_flattening {
        0.0 => 0.0,
        inverse => 1.0 / inverse,
    };
    (a.semi_major - b.semi_major).abs() < 1e-3 && (flattening(a) - flattening(b)).abs() < 1e-11
}

const DATUMS: &[&str] = &["DATUM", "GEODETICDATUM", "TRF", "ENSEMBLE"];

fn datum(node: &Node, unit: &Unit) -> Result<Datum, Problem> {
    let system = node.name();
    let Some(datum) = node.child(DATUMS) else { return broken(format!("'{system}' has no datum")) };
    let Some(ellipsoid) = datum.child(&["ELLIPSOID", "SPHEROID"]) else {
        return broken(format!("the datum '{}' has no ellipsoid", datum.name()));
    };
    let size = unit_of(ellipsoid)?.map_or(1.0, |unit| unit.size);
    let (Some(semi_major), Some(inverse_flattening)) = (ellipsoid.number(1), ellipsoid.number(2)) else {
        return broken(format!("the ellipsoid '{}' has no size", ellipsoid.name()));
    };
    let semi_major = semi_major * size;
    if !semi_major.is_finite() || semi_major <= 0.0 || (inverse_flattening != 0.0 && inverse_flattening <= 1.0) {
        return broken(format!("the ellipsoid '{}' has an invalid size", ellipsoid.name()));
    }
    let mut shape = Ellipsoid { code: 0, semi_major, inverse_flattening };
    shape.code = table::ellipsoids().iter().find(|known| same_ellipsoid(known, &shape)).map_or(0, |known| known.code);
    let (meridian_name, meridian) = match node.child(&["PRIMEM", "PRIMEMERIDIAN"]) {
        Some(meridian) => (meridian.name().to_owned(), longitude(meridian, unit)?),
        None => ("Greenwich".to_owned(), 0.0),
    };
    let known = table::meridians().into_iter().find(|known| (known.longitude - meridian).abs() < 1e-7);
    let mut read = Datum {
        name: datum.name().to_owned(),
        code: None,
        is_ensemble: datum.keyword == "ENSEMBLE" || datum.name().ends_with(" ensemble"),
        ellipsoid_name: ellipsoid.name().to_owned(),
        ellipsoid: shape,
        meridian_name,
        meridian_code: known.map(|known| known.code),
        meridian: known.map_or(meridian, |known| known.longitude),
    };
    let codes = [datum.epsg(), table::datum_by_name(&read.name)];
    read.code = codes.into_iter().flatten().find(|code| read.fits(*code));
    Ok(read)
}

/// Returns the longitude of a prime meridian in degrees. In WKT 1 its unit is that of the CRS, but GDAL and Esri write
/// degrees; a well-known meridian is recognized in either.
fn longitude(node: &Node, unit: &Unit) -> Result<f64, Problem> {
    let Some(number) = node.number(1) else {
        return broken(format!("the prime meridian '{}' has no longitude", node.name()));
    };
    let own = unit_of(node)?;
    let size = own.as_ref().unwrap_or(unit);
    let degrees = if size.is(9102) { number } else { number * size.size.to_degrees() };
    if own.is_some() {
        return Ok(degrees);
    }
    let name = letters(node.name());
    let known = table::meridians().into_iter().find(|known| {
        letters(known.name) == name
            && ((known.longitude - number).abs() < 1e-6 || (known.longitude - degrees).abs() < 1e-6)
    });
    Ok(known.map_or(degrees, |known| known.longitude))
}
