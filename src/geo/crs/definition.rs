//! Reading of CRS definitions from a WKT tree.

use super::CrsUnit;
use super::geodetic::{Geodetic, geodetic};
use super::method::{self, Conversion, PARAMETERS, POLAR_A, POLAR_B, WEB_MERCATOR};
use super::table::{self, Axes, Kind, System, letters};
use super::unit::Unit;
use super::wkt::{Node, Value};

/// Reason why a definition is rejected.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Problem {
    /// It is inconsistent or incomplete.
    Broken(String),
    /// It is valid, but GeoKeys cannot express it.
    Unsayable(String),
}

/// A CRS in the terms of GeoTIFF.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Definition {
    Geodetic(Geodetic),
    Projected(Box<Projected>),
    Vertical(Vertical),
    Compound { name: String, horizontal: Box<Definition>, vertical: Vertical },
}

/// A projected CRS.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Projected {
    pub(super) name: String,
    pub(super) system: Option<System>,
    pub(super) base: Geodetic,
    /// Or the reason why GeoKeys cannot express it.
    pub(super) conversion: Result<Conversion, String>,
    pub(super) unit: Unit,
}

/// A vertical CRS.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Vertical {
    pub(super) name: String,
    pub(super) system: Option<System>,
    pub(super) datum_name: String,
    pub(super) datum_code: Option<u16>,
    pub(super) unit: Unit,
    pub(super) unsayable: Option<String>,
}

const GEOGRAPHIC: &[&str] = &["GEOGCS", "GEOGCRS", "GEOGRAPHICCRS", "BASEGEOGCRS"];
const GEODETIC: &[&str] = &["GEODCRS", "GEODETICCRS", "BASEGEODCRS", "GEOCCS"];
const PROJECTED: &[&str] = &["PROJCS", "PROJCRS", "PROJECTEDCRS"];
const VERTICAL: &[&str] = &["VERT_CS", "VERTCS", "VERTCRS", "VERTICALCRS"];
const COMPOUND: &[&str] = &["COMPD_CS", "COMPOUNDCRS"];
const UNITS: &[&str] = &["UNIT", "LENGTHUNIT", "ANGLEUNIT", "SCALEUNIT"];
/// Valid kinds of CRS that GeoKeys cannot express.
const OTHERS: &[&str] =
    &["LOCAL_CS", "ENGCRS", "ENGINEERINGCRS", "DERIVEDPROJCRS", "FITTED_CS", "PARAMETRICCRS", "TIMECRS", "IMAGECRS"];

/// Reads the tree of a CRS.
pub(super) fn read(node: &Node) -> Result<Definition, Problem> {
    let keyword = node.keyword.as_str();
    if node.child(&["DERIVINGCONVERSION"]).is_some() {
        return Err(Problem::Unsayable(format!("GeoKeys cannot express a derived CRS ({keyword})")));
    }
    if PROJECTED.contains(&keyword) {
        projected(node).map(|projected| Definition::Projected(Box::new(projected)))
    } else if GEOGRAPHIC.contains(&keyword) || GEODETIC.contains(&keyword) {
        geodetic(node).map(Definition::Geodetic)
    } else if VERTICAL.contains(&keyword) {
        vertical(node).map(Definition::Vertical)
    } else if COMPOUND.contains(&keyword) {
        compound(node)
    } else if keyword == "BOUNDCRS" {
        bound(node)
    } else if OTHERS.contains(&keyword) {
        Err(Problem::Unsayable(format!("GeoKeys cannot express a CRS of the kind {keyword}")))
    } else {
        Err(Problem::Broken(format!("'{keyword}' is not a coordinate reference system")))
    }
}

/// Returns whether a keyword starts a CRS.
fn is_system(node: &Node) -> bool {
    [GEOGRAPHIC, GEODETIC, PROJECTED, VERTICAL, COMPOUND, OTHERS, &["BOUNDCRS"]]
        .iter()
        .any(|known| known.contains(&node.keyword.as_str()))
}

pub(super) fn broken<T>(reason: impl Into<String>) -> Result<T, Problem> {
    Err(Problem::Broken(reason.into()))
}

fn projected(node: &Node) -> Result<Projected, Problem> {
    let name = node.name().to_owned();
    let Some(base) = node.nodes().find(|child| {
        [GEOGRAPHIC, GEODETIC].concat().contains(&child.keyword.as_str()) || child.keyword == "BASEPROJCRS"
    }) else {
        return broken(format!("'{name}' has no geographic CRS"));
    };
    if base.keyword == "BASEPROJCRS" {
        return Err(Problem::Unsayable("GeoKeys cannot express a CRS derived from a projected one".to_owned()));
    }
    let base = geodetic(base)?;
    let Some(unit) = unit_of(node)? else { return broken(format!("'{name}' has no unit of length")) };
    let conversion = conversion(node, &base, &unit)?;
    let conversion = conversion.and_then(|conversion| match (&base.unsayable, dimensions(node)) {
        (Some(reason), _) => Err(reason.clone()),
        (None, Some(3)) => Err("GeoKeys cannot express a projected CRS with ellipsoidal heights".to_owned()),
        _ => directions(node, &conversion).map(|()| conversion),
    });
    let mut read = Projected { name, system: None, base, conversion, unit };
    read.system = node.epsg().and_then(table::system).filter(|system| read.agrees(*system, dimensions(node)));
    Ok(read)
}

impl Projected {
    /// Returns whether EPSG's CRS has the unit, the datum, and, as far as the table shows, the projection of the
    /// definition.
    fn agrees(&self, system: System, dimensions: Option<usize>) -> bool {
        let base = table::system(system.part);
        let base = match base {
            Some(base) if base.kind == Kind::Geographic3D => table::system(base.part),
            other => other,
        };
        system.kind == Kind::Projected
            && (dimensions == Some(3)) == system.has_height
            && self.unit.is(system.unit)
            && base.is_none_or(|base| base.kind != Kind::Geographic2D || self.base.datum.is(base.part))
            && match &self.conversion {
                Ok(conversion) if system.fingerprint != 0 && conversion.method.code != 0 => {
                    table::fingerprint(conversion.method.code, conversion.for_fingerprint()) == system.fingerprint
                }
                _ => true,
            }
    }
}

/// Reads the projection: `Ok(Err(…))` if GeoKeys cannot express it.
fn conversion(node: &Node, base: &Geodetic, unit: &Unit) -> Result<Result<Conversion, String>, Problem> {
    let (holder, method) = match node.child(&["CONVERSION"]) {
        Some(conversion) => (conversion, conversion.child(&["METHOD", "PROJECTION"])),
        None => (node, node.child(&["PROJECTION"])),
    };
    let Some(method) = method else { return broken(format!("'{}' has no projection", node.name())) };
    let sphere = base.datum.ellipsoid.inverse_flattening == 0.0;
    if let Some(extension) = node.child(&["EXTENSION"]) {
        let text = extension.values.get(1).map_or("", |value| if let Value::Text(text) = value { text } else { "" });
        let is_web = text.starts_with("+proj=merc +a=6378137 +b=6378137 ")
            && text.contains("+nadgrids=@null")
            && text.split_whitespace().skip(3).all(|word| {
                let zeros = ["+lat_ts=0", "+lon_0=0", "+x_0=0", "+y_0=0", "+k=1"];
                let idle = ["+units=m", "+nadgrids=@null", "+wktext", "+no_defs", "+type=crs"];
                idle.contains(&word) || zeros.contains(&word.strip_suffix(".0").unwrap_or(word))
            });
        let zero = [None; PARAMETERS];
        return Ok(if is_web {
            method::conversion(WEB_MERCATOR.name, None, zero, sphere)
        } else {
            Err(format!("GeoKeys cannot express an EXTENSION of a projection ('{text}')"))
        });
    }
    let mut values = [None; PARAMETERS];
    for parameter in holder.children(&["PARAMETER"]) {
        let name = parameter.name();
        let Some(value) = parameter.number(1) else { return broken(format!("the parameter '{name}' has no number")) };
        let Some(place) = method::place(name, parameter.epsg()) else {
            // Esri's marker of the sphere in Web Mercator.
            if letters(name) == "auxiliaryspheretype" && value == 0.0 {
                continue;
            }
            return Ok(Err(format!("GeoKeys cannot express the parameter '{name}' of '{}'", method.name())));
        };
        let size = unit_of(parameter)?.map_or_else(
            || match place {
                method::SCALE => 1.0,
                method::EASTING | method::NORTHING => unit.size,
                _ => base.unit.size,
            },
            |unit| unit.size,
        );
        let value = match place {
            method::SCALE | method::EASTING | method::NORTHING => value * size,
            // Degrees keep their exact values.
            _ if Unit::degree().size.to_bits() == size.to_bits() || Unit { name: String::new(), size }.is(9102) => {
                value
            }
            _ => value * size.to_degrees(),
        };
        if values[place].replace(value).is_some() {
            return Ok(Err(format!("GeoKeys cannot express '{}' with two values for '{name}'", method.name())));
        }
    }
    Ok(method::conversion(method.name(), method.epsg(), values, sphere))
}

/// Rejects axes that readers of GeoKeys would misinterpret. Axes point east and north; on polar maps, along meridians;
/// and for the south-orientated methods, west and south. Their order does not matter.
fn directions(node: &Node, conversion: &Conversion) -> Result<(), String> {
    let mut found: Vec<&str> = node.children(&["AXIS"]).map(direction).collect();
    found.sort_unstable();
    let is_polar = [POLAR_A.name, POLAR_B.name].contains(&conversion.method.name);
    let fits = match found[..] {
        [] | ["", ""] => true,
        ["east", "north"] => conversion.method.code != 27,
        ["south", "west"] => conversion.method.code == 27,
        ["north", "north"] | ["south", "south"] => is_polar,
        _ => false,
    };
    // GDAL's WKT 1 keeps the default axes for this method.
    if fits || conversion.method.code == 27 && node.keyword == "PROJCS" {
        return Ok(());
    }
    Err(format!("GeoKeys cannot express that the axes of '{}' point {}", node.name(), found.join(" and ")))
}

fn vertical(node: &Node) -> Result<Vertical, Problem> {
    let name = node.name().to_owned();
    let datum = node.child(&["VERT_DATUM", "VDATUM", "VRF", "VERTICALDATUM", "ENSEMBLE"]);
    let Some(datum) = datum else {
        return match node.child(&["DATUM"]) {
            Some(_) => Err(Problem::Unsayable(format!("GeoKeys cannot express the ellipsoidal heights of '{name}'"))),
            None => broken(format!("'{name}' has no vertical datum")),
        };
    };
    let mut unsayable = None;
    for parameter in node.children(&["PARAMETER"]) {
        let normal = if letters(parameter.name()) == "direction" { 1.0 } else { 0.0 };
        if parameter.number(1) != Some(normal) {
            unsayable = Some(format!("GeoKeys cannot express the parameter '{}' of '{name}'", parameter.name()));
        }
    }
    let mut down = false;
    for axis in node.children(&["AXIS"]) {
        match direction(axis) {
            "up" | "" => {}
            "down" => down = true,
            other => return broken(format!("the axis of '{name}' points {other}")),
        }
    }
    if down {
        unsayable = Some(format!("GeoKeys can express a downward axis only by an EPSG code, and '{name}' has none"));
    }
    let unit = unit_of(node)?.unwrap_or_else(Unit::metre);
    let known = |code: &u16| table::systems().any(|system| system.kind == Kind::Vertical && system.part == *code);
    let datum_code = [datum.epsg(), table::datum_by_name(datum.name())].into_iter().flatten().find(known);
    let mut read = Vertical { name, system: None, datum_name: datum.name().to_owned(), datum_code, unit, unsayable };
    read.system = node.epsg().and_then(table::system).filter(|system| read.agrees(*system, down));
    // Esri's text has no codes: use EPSG's CRS for the datum.
    if read.system.is_none() && read.datum_code.is_some() && read.unsayable.is_none() {
        read.system = table::systems().find(|system| !system.deprecated && read.agrees(*system, down));
    }
    Ok(read)
}

impl Vertical {
    fn agrees(&self, system: System, down: bool) -> bool {
        system.kind == Kind::Vertical
            && self.unit.is(system.unit)
            && down == (system.axes == Axes::Down)
            && self.datum_code.is_none_or(|code| code == system.part)
    }
}

fn compound(node: &Node) -> Result<Definition, Problem> {
    let parts: Vec<&Node> = node.nodes().filter(|part| is_system(part)).collect();
    let [horizontal, vertical_part] = parts[..] else {
        return broken(format!("'{}' has {} parts, not a horizontal and a vertical one", node.name(), parts.len()));
    };
    let mut horizontal = read(horizontal)?;
    if !matches!(
        &horizontal,
        Definition::Projected(_) | Definition::Geodetic(Geodetic { kind: Kind::Geographic2D, .. })
    ) {
        return broken(format!("the first part of '{}' is not horizontal", node.name()));
    }
    let mut vertical = match read(vertical_part)? {
        Definition::Vertical(vertical) => vertical,
        _ => return broken(format!("the second part of '{}' is not vertical", node.name())),
    };
    // Parts without codes of their own get those of the compound's code, if they agree.
    let whole = node.epsg().and_then(table::system).filter(|system| system.kind == Kind::Compound);
    if let Some(whole) = whole {
        let down = vertical.unsayable.is_some();
        vertical.system = vertical.system.or(table::system(whole.vertical).filter(|part| vertical.agrees(*part, down)));
        let part = table::system(whole.part);
        match &mut horizontal {
            Definition::Geodetic(own) => own.system = own.system.or(part.filter(|part| own.agrees(*part))),
            Definition::Projected(own) => own.system = own.system.or(part.filter(|part| own.agrees(*part, None))),
            _ => {}
        }
    }
    Ok(Definition::Compound { name: node.name().to_owned(), horizontal: Box::new(horizontal), vertical })
}

/// Reads a CRS with a transformation, which is kept if it goes to WGS 84 and WKT 1 can hold it as TOWGS84.
fn bound(node: &Node) -> Result<Definition, Problem> {
    let inner = |keyword| node.child(&[keyword]).and_then(|holder| holder.nodes().next());
    let (Some(source), Some(target)) = (inner("SOURCECRS"), inner("TARGETCRS")) else {
        return broken("BOUNDCRS has no source or target");
    };
    let Some(transformation) = node.child(&["ABRIDGEDTRANSFORMATION"]) else {
        return broken("BOUNDCRS has no transformation");
    };
    let mut definition = read(source)?;
    let unsayable = || Problem::Unsayable("GeoKeys cannot express the transformation of a BOUNDCRS".to_owned());
    let Definition::Geodetic(target) = read(target)? else { return Err(unsayable()) };
    let method = transformation.child(&["METHOD"]).ok_or_else(unsayable)?;
    let sign = match (method.epsg(), letters(method.name())) {
        (Some(9603 | 9606 | 1031 | 1033 | 1035 | 1037), _) => 1.0,
        (Some(9607 | 1032 | 1038), _) => -1.0,
        (_, name) if name.starts_with("positionvector") || name.starts_with("geocentrictranslations") => 1.0,
        (_, name) if name.starts_with("coordinateframe") => -1.0,
        _ => return Err(unsayable()),
    };
    if target.datum.code != Some(6326) {
        return Err(unsayable());
    }
    let mut numbers = vec![0.0; 7];
    for parameter in transformation.children(&["PARAMETER"]) {
        let place = match (parameter.epsg(), letters(parameter.name()).as_str()) {
            (Some(code @ 8605..=8611), _) => usize::from(code - 8605),
            (_, "xaxistranslation") => 0,
            (_, "yaxistranslation") => 1,
            (_, "zaxistranslation") => 2,
            (_, "xaxisrotation") => 3,
            (_, "yaxisrotation") => 4,
            (_, "zaxisrotation") => 5,
            (_, "scaledifference") => 6,
            _ => return Err(unsayable()),
        };
        let size = unit_of(parameter)?.map(|unit| unit.size);
        let (value, usual) = match (place, parameter.number(1)) {
            (_, None) => return broken(format!("the parameter '{}' has no number", parameter.name())),
            (0..=2, Some(value)) => (value, 1.0),
            (3..=5, Some(value)) => (sign * value, Unit::degree().size / 3600.0),
            // WKT holds the scale itself, near 1 and without a unit.
            (_, Some(value)) if size.is_none_or(|size| size == 1.0) => {
                if (value - 1.0).abs() > 0.1 {
                    return Err(unsayable());
                }
                numbers[place] = (value - 1.0) * 1e6;
                continue;
            }
            (_, Some(value)) => (value, 1e-6),
        };
        let ratio = size.map_or(1.0, |size| size / usual);
        numbers[place] = if (ratio - 1.0).abs() < 1e-9 { value } else { value * ratio };
    }
    if numbers[3..].iter().all(|number| *number == 0.0) {
        numbers.truncate(3);
    }
    match &mut definition {
        Definition::Geodetic(own) => own.to_wgs84 = numbers,
        Definition::Projected(own) => own.base.to_wgs84 = numbers,
        _ => return Err(unsayable()),
    }
    Ok(definition)
}

/// Returns the unit of the horizontal coordinates of a CRS, for every kind that has one.
pub(super) fn horizontal_unit(node: &Node) -> Option<CrsUnit> {
    let keyword = node.keyword.as_str();
    if keyword == "BOUNDCRS" {
        return node.child(&["SOURCECRS"])?.nodes().find(|inner| is_system(inner)).and_then(horizontal_unit);
    }
    if COMPOUND.contains(&keyword) {
        return node.nodes().find(|inner| is_system(inner)).and_then(horizontal_unit);
    }
    let is_cartesian = node.child(&["CS"]).is_some_and(|system| is_word(system, "cartesian"));
    let is_angle = [GEOGRAPHIC, GEODETIC].concat().contains(&keyword) && keyword != "GEOCCS" && !is_cartesian;
    let unit = unit_of(node).ok()?;
    // A projected CRS states its unit; a geographic one is in degrees unless it states another.
    Some(match unit {
        Some(unit) if is_angle => CrsUnit::Angle(unit.size),
        Some(unit) => CrsUnit::Length(unit.size),
        None if is_angle => CrsUnit::Angle(Unit::degree().size),
        None => return None,
    })
}

/// Returns the unit of an element: its own, or that of its axes, which must agree; heights may differ.
pub(super) fn unit_of(node: &Node) -> Result<Option<Unit>, Problem> {
    if let Some(unit) = node.child(UNITS) {
        return read_unit(unit).map(Some);
    }
    let mut found: Option<Unit> = None;
    for axis in node.children(&["AXIS"]) {
        let is_height = matches!(direction(axis), "up" | "down");
        let Some(unit) = axis.child(UNITS) else { continue };
        let unit = read_unit(unit)?;
        match &found {
            _ if is_height && node.children(&["AXIS"]).count() > 1 => {}
            Some(other) if (other.size - unit.size).abs() > 1e-12 * other.size => {
                return Err(Problem::Unsayable(format!("GeoKeys cannot mix the axis units of '{}'", node.name())));
            }
            _ => found = Some(unit),
        }
    }
    Ok(found)
}

fn read_unit(node: &Node) -> Result<Unit, Problem> {
    match node.number(1) {
        Some(size) if size > 0.0 => Ok(Unit { name: node.name().to_owned(), size }),
        _ => broken(format!("the unit '{}' has no size", node.name())),
    }
}

/// Returns the direction of an axis, in lower case; empty if it has none.
pub(super) fn direction(axis: &Node) -> &str {
    match axis.values.get(1) {
        Some(Value::Word(word)) => word,
        _ => "",
    }
}

pub(super) fn dimensions(node: &Node) -> Option<usize> {
    match node.child(&["CS"])?.number(1)? {
        2.0 => Some(2),
        3.0 => Some(3),
        _ => Some(1),
    }
}

pub(super) fn is_word(node: &Node, wanted: &str) -> bool {
    matches!(node.values.first(), Some(Value::Word(word)) if word == wanted)
}

pub(super) fn numbers(node: &Node) -> Vec<f64> {
    (0..node.values.len()).filter_map(|place| node.number(place)).collect()
}
