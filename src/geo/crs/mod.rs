//! Coordinate reference systems: from an EPSG code, WKT, PROJJSON, a PROJ string, or raw keys to GeoKeys.
//!
//! GeoTIFF 1.1 identifies a CRS by EPSG codes or by its parts: datum, ellipsoid, prime meridian, units, projection
//! method, and parameters. A definition is written as its code if it has one that agrees with it, otherwise by its
//! parts. A definition that neither can express is rejected, never approximated.

mod definition;
mod geodetic;
mod json;
mod method;
mod proj;
mod table;
mod unit;
mod wkt;
mod write;

use std::fmt;

use crate::error::{Error, OptionField, Result};
use crate::geo::keys::GeoKeys;

use definition::{Definition, Problem};
use table::{Kind, System};
use unit::Unit;
use wkt::{Node, Value};

/// A coordinate reference system that can be converted to [`GeoKeys`].
///
/// Coordinates in a GeoTIFF are always x (or longitude) first, then y (or latitude), whatever the axis order of the
/// definition: it is read, but not kept.
///
/// A grid in degrees:
/// ```
/// use cogsmith::{Bounds, Crs, CrsKind, GeoRef};
/// let crs = Crs::epsg(4326)?;
/// assert_eq!(crs.kind(), CrsKind::Geographic2D);
/// let world = Bounds { left: -180.0, bottom: -90.0, right: 180.0, top: 90.0 };
/// let geo = GeoRef::default().with_crs(&crs)?.with_bounds(&world, 1440, 720)?; // pixels of a quarter of a degree
/// # assert!(!geo.is_empty());
/// # Ok::<(), cogsmith::Error>(())
/// ```
///
/// A Lambert azimuthal equal-area projection that is in no registry:
/// ```
/// use cogsmith::Crs;
/// let crs = Crs::parse("+proj=laea +lat_0=10 +lon_0=25 +x_0=4321000 +y_0=3210000 +ellps=GRS80 +units=m")?;
/// assert_eq!(crs.code(), None);
/// let keys = crs.geo_keys()?;
/// // ProjectedCRS is user-defined, the method is CT_LambertAzimEqualArea.
/// assert!(keys.directory.chunks(4).any(|key| key == [3072, 0, 1, 32767]));
/// assert!(keys.directory.chunks(4).any(|key| key == [3075, 0, 1, 10]));
/// # Ok::<(), cogsmith::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Crs {
    source: Source,
    epoch: Option<f64>,
    wkt_citation: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum Source {
    Code(System),
    /// The definition in the tree, or the reason why GeoKeys cannot express it.
    Tree {
        node: Node,
        definition: std::result::Result<Box<Definition>, String>,
    },
    Keys(GeoKeys),
}

/// Kind of coordinates of a CRS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CrsKind {
    /// Longitude and latitude.
    Geographic2D,
    /// Longitude, latitude, and ellipsoidal height.
    Geographic3D,
    /// X, Y, and Z from the center of the Earth.
    Geocentric,
    /// Easting and northing on a map.
    Projected,
    /// Heights or depths only; a raster needs a horizontal CRS as well.
    Vertical,
    /// A horizontal and a vertical CRS.
    Compound,
    /// Engineering CRS, and everything else that GeoKeys cannot express.
    Other,
}

/// The unit of a CRS's horizontal coordinates, by its size.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum CrsUnit {
    /// A unit of length, in meters.
    Length(f64),
    /// A unit of angle, in radians.
    Angle(f64),
}

impl fmt::Display for CrsKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Geographic2D => "geographic 2D",
            Self::Geographic3D => "geographic 3D",
            Self::Geocentric => "geocentric",
            Self::Projected => "projected",
            Self::Vertical => "vertical",
            Self::Compound => "compound",
            Self::Other => "other",
        })
    }
}

impl From<Kind> for CrsKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Geographic2D => Self::Geographic2D,
            Kind::Geographic3D => Self::Geographic3D,
            Kind::Geocentric => Self::Geocentric,
            Kind::Projected => Self::Projected,
            Kind::Vertical => Self::Vertical,
            Kind::Compound => Self::Compound,
            Kind::Other => Self::Other,
        }
    }
}

impl Crs {
    /// Returns the version of the EPSG dataset used to look up codes, such as `v12.029`.
    #[must_use]
    pub fn epsg_version() -> &'static str {
        table::version()
    }

    /// Returns the CRS with an EPSG code.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidOption`](crate::ErrorKind::InvalidOption) for a code that is not in the EPSG dataset of
    /// [`Crs::epsg_version`], or that GeoKeys cannot hold (they take 1024 to 32766).
    pub fn epsg(code: u32) -> Result<Self> {
        let system = u16::try_from(code).ok().and_then(table::system).ok_or_else(|| {
            refused(format!(
                "EPSG:{code} is not a coordinate reference system in EPSG {}; give its definition as WKT instead",
                table::version()
            ))
        })?;
        Ok(Self::of(Source::Code(system)))
    }

    /// Parses the code or definition of a CRS:
    ///
    /// - `EPSG:32633`, `32633`, `urn:ogc:def:crs:EPSG::32633`, `http://www.opengis.net/def/crs/EPSG/0/32633`;
    ///   `EPSG:32633+5773` for a horizontal and a vertical CRS; `EPSG:9000@2021.3` with a coordinate epoch;
    /// - `OGC:CRS84`, which is `EPSG:4326` since x always comes first; likewise `OGC:CRS83` and `OGC:CRS27`;
    /// - WKT 1 as written by GDAL (OGC 01-009) and Esri, WKT 2 (ISO 19162:2015 and 2019), with a coordinate epoch in
    ///   `COORDINATEMETADATA`;
    /// - PROJJSON;
    /// - a PROJ string of a common projection, such as `+proj=laea +lat_0=52 +lon_0=10 +ellps=GRS80`.
    ///
    /// A definition with an EPSG code is treated as that code if kind, datum, unit, and, if GeoTIFF has the method, the
    /// projection parameters match those of the code; otherwise the definition itself applies.
    ///
    /// Codes of `ESRI` and `IAU` are rejected: GeoKeys can only hold EPSG codes, and this library does not include
    /// other definitions. Their WKT is accepted.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidOption`](crate::ErrorKind::InvalidOption) for any other text. A valid definition that
    /// GeoKeys cannot express is rejected only by [`Crs::geo_keys`].
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.is_empty() {
            return Err(refused("the coordinate reference system is empty; give a code such as EPSG:4326, or WKT"));
        }
        if let Some(code) = named(text) {
            return code;
        }
        let (format, node) = if text.starts_with('{') {
            ("PROJJSON", json::parse(text))
        } else if text.starts_with('+') || text.starts_with("proj=") {
            ("PROJ string", proj::to_wkt(text).and_then(|wkt| Node::parse(&wkt)))
        } else if text.contains(['[', '(']) {
            // Esri appends a vertical CRS to a horizontal one.
            let both = || Node::parse(&format!("COMPD_CS[\"\",{text}]"));
            ("WKT", Node::parse(text).or_else(|error| both().map_err(|_| error)))
        } else {
            let start: String = text.chars().take(40).collect();
            return Err(refused(format!(
                "'{start}' is not a CRS; give a code such as EPSG:4326, WKT, PROJJSON, or a PROJ string"
            )));
        };
        let node = node.map_err(|reason| refused(format!("cannot parse the {format}: {reason}")))?;
        Self::of_tree(node).map_err(|reason| refused(format!("cannot parse the {format}: {reason}")))
    }

    fn of_tree(node: Node) -> std::result::Result<Self, String> {
        if node.keyword == "COORDINATEMETADATA" {
            let epoch = node.child(&["EPOCH", "COORDEPOCH"]).and_then(|epoch| epoch.number(0));
            let inner = node.values.into_iter().find_map(|value| match value {
                Value::Node(inner) if !matches!(inner.keyword.as_str(), "EPOCH" | "COORDEPOCH") => Some(inner),
                _ => None,
            });
            let crs = Self::of_tree(inner.ok_or("COORDINATEMETADATA contains no CRS")?)?;
            return match epoch {
                Some(epoch) => crs.with_coordinate_epoch(epoch).map_err(|error| error.to_string()),
                None => Ok(crs),
            };
        }
        let definition = match definition::read(&node) {
            Ok(definition) => Ok(Box::new(definition)),
            Err(Problem::Unsayable(reason)) => Err(reason),
            Err(Problem::Broken(reason)) => return Err(reason),
        };
        Ok(Self::of(Source::Tree { node, definition }))
    }

    /// Makes a CRS from GeoKeys, which are written unchanged.
    #[must_use]
    pub fn from_geo_keys(keys: GeoKeys) -> Self {
        Self::of(Source::Keys(keys))
    }

    fn of(source: Source) -> Self {
        Self { source, epoch: None, wkt_citation: false }
    }

    /// Sets the coordinate epoch, in decimal years such as 2021.3. It matters for a CRS in which the Earth's crust
    /// moves, such as ITRF2014. Written as GeoKey 5120, as GDAL does.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidOption`](crate::ErrorKind::InvalidOption) for a number that is not a year, and for a CRS
    /// from raw keys, which include their own epoch.
    pub fn with_coordinate_epoch(mut self, epoch: f64) -> Result<Self> {
        if !(1800.0..2200.0).contains(&epoch) {
            return Err(refused(format!("the coordinate epoch {epoch} is not a decimal year, such as 2021.3")));
        }
        if matches!(self.source, Source::Keys(_)) {
            return Err(refused("raw GeoKeys include their own coordinate epoch (key 5120)"));
        }
        self.epoch = Some(epoch);
        Ok(self)
    }

    /// Parses an optional text, for callers whose options are a text and whether [a WKT
    /// citation](Self::with_wkt_citation) is allowed.
    ///
    /// # Errors
    /// As [`parse`](Self::parse), and [`ErrorKind::InvalidOption`](crate::ErrorKind::InvalidOption) for a permission
    /// without a text, since it has no effect.
    pub fn parse_option(text: Option<&str>, wkt_citation: bool) -> Result<Option<Self>> {
        match text {
            Some(text) => Self::parse(text).map(|crs| Some(crs.with_wkt_citation(wkt_citation))),
            None if wkt_citation => {
                let reason = "has no effect without a coordinate reference system; set one, or leave it out";
                Err(Error::option(OptionField::CrsWkt, reason))
            }
            None => Ok(None),
        }
    }

    /// Sets whether a definition that GeoKeys cannot express may be written as WKT in their citation, in the form
    /// `ESRI PE String = …`. GDAL reads it; to readers that only look at keys, the CRS is user-defined and unknown.
    /// Default: `false`.
    #[must_use]
    pub fn with_wkt_citation(mut self, allowed: bool) -> Self {
        self.wkt_citation = allowed;
        self
    }

    /// Returns the coordinate epoch in decimal years.
    #[must_use]
    pub fn coordinate_epoch(&self) -> Option<f64> {
        self.epoch
    }

    /// Returns the kind of CRS; for raw keys, that of GTModelTypeGeoKey.
    #[must_use]
    pub fn kind(&self) -> CrsKind {
        match &self.source {
            Source::Code(system) => system.kind.into(),
            Source::Tree { definition: Ok(definition), .. } => match &**definition {
                Definition::Geodetic(geodetic) => geodetic.kind.into(),
                Definition::Projected(_) => CrsKind::Projected,
                Definition::Vertical(_) => CrsKind::Vertical,
                Definition::Compound { .. } => CrsKind::Compound,
            },
            Source::Tree { .. } => CrsKind::Other,
            Source::Keys(keys) => match (keys.short(1024), keys.short(4096)) {
                (Some(1 | 2), Some(_)) => CrsKind::Compound,
                (Some(1), None) => CrsKind::Projected,
                (Some(2), None) => CrsKind::Geographic2D,
                (Some(3), _) => CrsKind::Geocentric,
                _ => CrsKind::Other,
            },
        }
    }

    /// Returns the EPSG code that the CRS is written as; `None` if it is written by its parts, is a compound of two codes
    /// or from a definition, or comes from raw keys.
    #[must_use]
    pub fn code(&self) -> Option<u16> {
        match &self.source {
            // A compound of two codes has none of its own.
            Source::Code(system) => Some(system.code).filter(|code| *code != 0),
            Source::Tree { definition: Ok(definition), .. } => write::code_of(definition),
            _ => None,
        }
    }

    /// Returns the name in the definition; `None` for codes and raw keys.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match &self.source {
            Source::Tree { node, .. } => Some(node.name()).filter(|name| !name.is_empty()),
            _ => None,
        }
    }

    /// Returns the unit of the horizontal coordinates; for a vertical CRS, that of its heights. `None` if the
    /// definition or the raw keys do not contain it.
    #[must_use]
    pub fn unit(&self) -> Option<CrsUnit> {
        let of_code = |code| {
            Unit::of(code)
                .map(|unit| if unit::is_angle(code) { CrsUnit::Angle(unit.size) } else { CrsUnit::Length(unit.size) })
        };
        match &self.source {
            Source::Code(System { kind: Kind::Compound, part, .. }) => {
                table::system(*part).and_then(|part| of_code(part.unit))
            }
            Source::Code(system) => of_code(system.unit),
            Source::Tree { node, .. } => definition::horizontal_unit(node),
            Source::Keys(keys) => match keys.short(1024) {
                Some(2) => keys.short(2054).and_then(of_code),
                _ => keys.short(3076).and_then(of_code),
            },
        }
    }

    /// Returns the GeoKeys. Pixels are areas; [`GeoRef::with_pixel_is`](super::GeoRef::with_pixel_is) changes that.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidOption`](crate::ErrorKind::InvalidOption) if GeoKeys cannot express the CRS, such as a
    /// vertical CRS without a horizontal one, a method that GeoTIFF does not have (Mollweide, Krovak, …), a vertical
    /// datum without an EPSG code, axes that point west, or heights over a user-defined ellipsoid.
    pub fn geo_keys(&self) -> Result<GeoKeys> {
        let (keys, node) = match &self.source {
            Source::Keys(keys) => return Ok(keys.clone()),
            Source::Code(system) => return write::code(*system, self.epoch).map_err(refused),
            Source::Tree { node, definition: Ok(definition) } => (write::definition(definition, self.epoch), node),
            Source::Tree { node, definition: Err(reason) } => (Err(reason.clone()), node),
        };
        let keys = match keys {
            Err(reason) if self.wkt_citation && self.kind() != CrsKind::Vertical => {
                write::wkt_citation(node, self.epoch).map_err(|other| format!("{reason}; and {other}"))
            }
            keys => keys,
        };
        keys.map_err(refused)
    }
}

fn refused(reason: impl Into<String>) -> Error {
    Error::option(OptionField::Crs, reason)
}

/// Parses an authority name and a code.
fn named(text: &str) -> Option<Result<Crs>> {
    if let Some((name, epoch)) = text.split_once('@') {
        let number = epoch.trim().parse::<f64>().ok();
        let crs = named(name.trim())?;
        return Some(match number {
            Some(number) => crs.and_then(|crs| crs.with_coordinate_epoch(number)),
            None => Err(refused(format!("'{epoch}' is not a coordinate epoch; give decimal years, such as 2021.3"))),
        });
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(code(text));
    }
    let upper = text.to_ascii_uppercase();
    // URNs and URLs of several CRSs are spelled with commas or plus signs.
    let upper = upper
        .strip_prefix("URN:OGC:DEF:CRS:")
        .or_else(|| upper.strip_prefix("HTTP://WWW.OPENGIS.NET/DEF/CRS/"))
        .or_else(|| upper.strip_prefix("HTTPS://WWW.OPENGIS.NET/DEF/CRS/"))
        .or_else(|| upper.strip_prefix("+INIT="))
        .unwrap_or(&upper);
    let (authority, rest) = upper.split_once([':', '/'])?;
    let last = rest.rsplit([':', '/']).next().unwrap_or(rest).trim();
    if last.is_empty() || !last.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'_' | b'-')) {
        return None;
    }
    Some(match authority {
        "EPSG" => match last.split_once('+') {
            Some((horizontal, vertical)) => both(horizontal, vertical),
            None => code(last),
        },
        "OGC" | "CRS" => match last {
            "CRS84" | "84" => Crs::epsg(4326),
            "CRS83" | "83" => Crs::epsg(4269),
            "CRS27" | "27" => Crs::epsg(4267),
            "CRS84H" => Crs::epsg(4979),
            _ => Err(refused(format!("OGC:{last} is not supported; give its definition as WKT"))),
        },
        authority if authority.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') => {
            Err(refused(format!(
                "GeoKeys can only hold EPSG codes; give the definition of {authority}:{last} as WKT, \
             as printed by 'projinfo -o WKT2:2019 {authority}:{last}'"
            )))
        }
        _ => return None,
    })
}

fn code(text: &str) -> Result<Crs> {
    let code = text.parse().map_err(|_| refused(format!("'{text}' is not an EPSG code (1024 to 32766)")))?;
    Crs::epsg(code)
}

/// Makes a compound CRS from two codes.
fn both(horizontal: &str, vertical: &str) -> Result<Crs> {
    let (Source::Code(first), Source::Code(second)) = (code(horizontal)?.source, code(vertical)?.source) else {
        return Err(refused("expected EPSG codes on both sides of '+'"));
    };
    if !matches!(first.kind, Kind::Projected | Kind::Geographic2D) || second.kind != Kind::Vertical {
        return Err(refused(format!(
            "EPSG:{horizontal}+{vertical}: the first must be horizontal (it is {}), the second vertical (it is {})",
            CrsKind::from(first.kind),
            CrsKind::from(second.kind)
        )));
    }
    Ok(Crs::of(Source::Code(System {
        kind: Kind::Compound,
        code: 0,
        part: first.code,
        vertical: second.code,
        ..first
    })))
}

#[cfg(test)]
mod tests;
