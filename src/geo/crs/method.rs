//! Projection methods that GeoTIFF can express (GeoTIFF 1.1 section 7.5.2 and annex C; GDAL's additions are marked).

use super::table::letters;

/// Indices of the parameters: latitude and longitude of origin, scale there, easting and northing, standard parallels,
/// azimuth of the initial line, angle from the rectified to the skew grid. Angles are in degrees, lengths in meters.
pub(super) const LATITUDE: usize = 0;
pub(super) const LONGITUDE: usize = 1;
pub(super) const SCALE: usize = 2;
pub(super) const EASTING: usize = 3;
pub(super) const NORTHING: usize = 4;
pub(super) const PARALLEL_1: usize = 5;
pub(super) const PARALLEL_2: usize = 6;
pub(super) const AZIMUTH: usize = 7;
pub(super) const ANGLE: usize = 8;
/// The number of parameters.
pub(super) const PARAMETERS: usize = 9;

/// A projection method.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Method {
    /// Value of ProjMethodGeoKey (3075); 0: none, the method can only be part of an EPSG code.
    pub(super) code: u16,
    pub(super) name: &'static str,
    /// The GeoKey of each parameter; 0 if the method does not have it.
    pub(super) keys: [u16; PARAMETERS],
    /// For spheres only: on an ellipsoid, the code means another method.
    sphere_alone: bool,
}

/// A method with the values of its parameters; `None` for those that the method does not have.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Conversion {
    pub(super) method: &'static Method,
    pub(super) values: [Option<f64>; PARAMETERS],
}

const fn method(code: u16, name: &'static str, keys: [u16; PARAMETERS]) -> Method {
    Method { code, name, keys, sphere_alone: false }
}

// Keys shared by several methods: natural origin with and without scale, center, center with longitude only.
const NATURAL: [u16; PARAMETERS] = [3081, 3080, 3092, 3082, 3083, 0, 0, 0, 0];
const UNSCALED: [u16; PARAMETERS] = [3081, 3080, 0, 3082, 3083, 0, 0, 0, 0];
const CONIC: [u16; PARAMETERS] = [3081, 3080, 0, 3082, 3083, 3078, 3079, 0, 0];
const CENTRE: [u16; PARAMETERS] = [3089, 3088, 0, 3082, 3083, 0, 0, 0, 0];
const MERIDIAN: [u16; PARAMETERS] = [0, 3088, 0, 3082, 3083, 0, 0, 0, 0];
const HOTINE: [u16; PARAMETERS] = [3089, 3088, 3093, 3082, 3083, 0, 0, 3094, 3096];
const EQUAL_AREA: [u16; PARAMETERS] = [0, 3080, 0, 3082, 3083, 3078, 0, 0, 0];
const EQUIDISTANT: [u16; PARAMETERS] = [3089, 3088, 0, 3082, 3083, 3078, 0, 0, 0];

static TRANSVERSE_MERCATOR: Method = method(1, "Transverse Mercator", NATURAL);
static SOUTH_ORIENTATED: Method = method(27, "Transverse Mercator (South Orientated)", NATURAL);
static HOTINE_A: Method = method(3, "Hotine Oblique Mercator (variant A)", HOTINE);
/// A GDAL code: GeoTIFF 1.1 has one code for both variants.
static HOTINE_B: Method = method(9815, "Hotine Oblique Mercator (variant B)", HOTINE);
static LABORDE: Method = method(4, "Laborde Oblique Mercator", [3089, 3088, 3093, 3082, 3083, 0, 0, 3094, 0]);
static MERCATOR_A: Method = method(7, "Mercator (variant A)", NATURAL);
static MERCATOR_B: Method = method(7, "Mercator (variant B)", [3081, 3080, 0, 3082, 3083, 3078, 0, 0, 0]);
static LAMBERT_2SP: Method = method(8, "Lambert Conic Conformal (2SP)", [3085, 3084, 0, 3086, 3087, 3078, 3079, 0, 0]);
static LAMBERT_1SP: Method = method(9, "Lambert Conic Conformal (1SP)", NATURAL);
static LAMBERT_AZIMUTHAL: Method = method(10, "Lambert Azimuthal Equal Area", CENTRE);
static LAMBERT_AZIMUTHAL_SPHERICAL: Method =
    Method { code: 10, name: "Lambert Azimuthal Equal Area (Spherical)", keys: CENTRE, sphere_alone: true };
static ALBERS: Method = method(11, "Albers Equal Area", CONIC);
static AZIMUTHAL_EQUIDISTANT: Method = method(12, "Azimuthal Equidistant", CENTRE);
static EQUIDISTANT_CONIC: Method = method(13, "Equidistant Conic", CONIC);
static STEREOGRAPHIC: Method = method(14, "Stereographic", [3089, 3088, 3092, 3082, 3083, 0, 0, 0, 0]);
pub(super) static POLAR_A: Method =
    method(15, "Polar Stereographic (variant A)", [3081, 3095, 3092, 3082, 3083, 0, 0, 0, 0]);
/// Readers distinguish it from variant A by a latitude of origin that is not a pole.
pub(super) static POLAR_B: Method =
    method(15, "Polar Stereographic (variant B)", [0, 3095, 0, 3082, 3083, 3081, 0, 0, 0]);
static OBLIQUE_STEREOGRAPHIC: Method = method(16, "Oblique Stereographic", NATURAL);
static EQUIDISTANT_CYLINDRICAL: Method = method(17, "Equidistant Cylindrical", EQUIDISTANT);
static EQUIDISTANT_CYLINDRICAL_SPHERICAL: Method =
    Method { code: 17, name: "Equidistant Cylindrical (Spherical)", keys: EQUIDISTANT, sphere_alone: true };
static CASSINI: Method = method(18, "Cassini-Soldner", UNSCALED);
static GNOMONIC: Method = method(19, "Gnomonic", CENTRE);
static MILLER: Method = method(20, "Miller Cylindrical", CENTRE);
static ORTHOGRAPHIC: Method = method(21, "Orthographic", CENTRE);
static POLYCONIC: Method = method(22, "American Polyconic", UNSCALED);
static ROBINSON: Method = method(23, "Robinson", MERIDIAN);
static SINUSOIDAL: Method = method(24, "Sinusoidal", MERIDIAN);
static VAN_DER_GRINTEN: Method = method(25, "Van Der Grinten", MERIDIAN);
static NEW_ZEALAND: Method = method(26, "New Zealand Map Grid", UNSCALED);
/// A GDAL code.
static CYLINDRICAL_EQUAL_AREA: Method = method(28, "Lambert Cylindrical Equal Area", EQUAL_AREA);
static CYLINDRICAL_EQUAL_AREA_SPHERICAL: Method =
    Method { code: 28, name: "Lambert Cylindrical Equal Area (Spherical)", keys: EQUAL_AREA, sphere_alone: true };
pub(super) static WEB_MERCATOR: Method =
    method(0, "Popular Visualisation Pseudo Mercator", [3081, 3080, 0, 3082, 3083, 3078, 0, 0, 0]);

/// Returns the method of a definition: by EPSG's code if it has one, otherwise by its name in WKT 1, WKT 2, Esri's WKT,
/// or PROJJSON.
pub(super) fn conversion(
    name: &str,
    code: Option<u16>,
    mut values: [Option<f64>; PARAMETERS],
    sphere: bool,
) -> Result<Conversion, String> {
    let method = match code.and_then(of_code) {
        Some(method) => method,
        None => of_name(name, &mut values)?.ok_or_else(|| {
            format!("GeoKeys have no code for the projection method '{name}', as they have for 'Transverse Mercator'")
        })?,
    };
    if method.sphere_alone && !sphere {
        return Err(format!("GeoKeys cannot express '{}' on an ellipsoid, only on a sphere", method.name));
    }
    if method.keys[ANGLE] != 0 && values[ANGLE].is_none() {
        values[ANGLE] = values[AZIMUTH];
    }
    for (place, key) in method.keys.into_iter().enumerate() {
        let default = match place {
            SCALE => Some(1.0),
            // Defaults to the equator for the cylindrical methods except Mercator.
            PARALLEL_1 if !matches!(method.code, 0 | 17 | 28) => None,
            PARALLEL_2 | AZIMUTH | ANGLE => None,
            _ => Some(0.0),
        };
        if key == 0 {
            // A value without effect can be dropped.
            if values[place].is_some_and(|value| default != Some(value)) {
                return Err(format!("'{}' in GeoKeys has no {}", method.name, described(place)));
            }
            values[place] = None;
        } else if values[place].is_none() {
            values[place] = Some(default.ok_or_else(|| format!("'{}' needs its {}", method.name, described(place)))?);
        }
    }
    Ok(Conversion { method, values })
}

impl Conversion {
    /// Returns the parameters for [`super::table::fingerprint`]; those that all methods have are filled in with their
    /// defaults.
    pub(super) fn for_fingerprint(&self) -> [Option<f64>; PARAMETERS] {
        let mut values = self.values;
        for (place, value) in values.iter_mut().enumerate() {
            if matches!(place, LATITUDE | LONGITUDE | EASTING | NORTHING) {
                *value = value.or(Some(0.0));
            } else if place == SCALE {
                *value = value.or(Some(1.0));
            }
        }
        values
    }
}

fn of_code(code: u16) -> Option<&'static Method> {
    Some(match code {
        9807 => &TRANSVERSE_MERCATOR,
        9808 => &SOUTH_ORIENTATED,
        9812 => &HOTINE_A,
        9815 => &HOTINE_B,
        9813 => &LABORDE,
        9804 => &MERCATOR_A,
        9805 => &MERCATOR_B,
        9802 => &LAMBERT_2SP,
        9801 => &LAMBERT_1SP,
        9820 => &LAMBERT_AZIMUTHAL,
        1027 => &LAMBERT_AZIMUTHAL_SPHERICAL,
        9822 => &ALBERS,
        1125 => &AZIMUTHAL_EQUIDISTANT,
        1119 => &EQUIDISTANT_CONIC,
        9810 => &POLAR_A,
        9829 => &POLAR_B,
        9809 => &OBLIQUE_STEREOGRAPHIC,
        1028 => &EQUIDISTANT_CYLINDRICAL,
        1029 => &EQUIDISTANT_CYLINDRICAL_SPHERICAL,
        9806 => &CASSINI,
        9840 => &ORTHOGRAPHIC,
        9818 => &POLYCONIC,
        9811 => &NEW_ZEALAND,
        9835 => &CYLINDRICAL_EQUAL_AREA,
        9834 => &CYLINDRICAL_EQUAL_AREA_SPHERICAL,
        1024 => &WEB_MERCATOR,
        _ => return None,
    })
}

/// Returns the method with a name. Parameters whose meaning depends on the method are moved to their index.
fn of_name(name: &str, values: &mut [Option<f64>; PARAMETERS]) -> Result<Option<&'static Method>, String> {
    Ok(Some(match letters(name).as_str() {
        "transversemercator" | "gausskruger" => &TRANSVERSE_MERCATOR,
        "transversemercatorsouthorientated" | "transversemercatorsouthoriented" => &SOUTH_ORIENTATED,
        "hotineobliquemercator"
        | "hotineobliquemercatorvarianta"
        | "hotineobliquemercatorazimuthnaturalorigin"
        | "rectifiedskeworthomorphicnaturalorigin" => &HOTINE_A,
        "hotineobliquemercatorvariantb" | "hotineobliquemercatorazimuthcenter" | "rectifiedskeworthomorphiccenter" => {
            &HOTINE_B
        }
        "swissobliquecylindrical" | "swissobliquemercator" => {
            (values[AZIMUTH], values[ANGLE]) = (Some(90.0), Some(90.0));
            &HOTINE_B
        }
        "labordeobliquemercator" => &LABORDE,
        "mercatorvarianta" | "mercator1sp" => &MERCATOR_A,
        "mercatorvariantb" | "mercator2sp" => &MERCATOR_B,
        "mercator" if values[PARALLEL_1].is_some() => &MERCATOR_B,
        "mercator" => &MERCATOR_A,
        "lambertconicconformal2sp" | "lambertconformalconic2sp" => &LAMBERT_2SP,
        "lambertconicconformal1sp" | "lambertconformalconic1sp" => &LAMBERT_1SP,
        "lambertconformalconic" if values[PARALLEL_2].is_some() => &LAMBERT_2SP,
        "lambertconformalconic" => {
            // Esri's form repeats the latitude of origin as the standard parallel.
            if values[PARALLEL_1] == values[LATITUDE] {
                values[PARALLEL_1] = None;
            }
            &LAMBERT_1SP
        }
        "lambertazimuthalequalarea" => &LAMBERT_AZIMUTHAL,
        "lambertazimuthalequalareaspherical" => &LAMBERT_AZIMUTHAL_SPHERICAL,
        "albersequalarea" | "albersconicequalarea" | "albers" => &ALBERS,
        "azimuthalequidistant" => &AZIMUTHAL_EQUIDISTANT,
        "equidistantconic" => &EQUIDISTANT_CONIC,
        "stereographic" if is_pole(values) => &POLAR_A,
        "stereographic" => &STEREOGRAPHIC,
        "polarstereographicvarianta" => &POLAR_A,
        "polarstereographicvariantb" => &POLAR_B,
        "polarstereographic" => polar(values),
        "stereographicnorthpole" | "stereographicsouthpole" => {
            let north = letters(name) == "stereographicnorthpole";
            if values[PARALLEL_1].is_none_or(|parallel| (parallel > 0.0) != north) {
                return Err(format!("the standard parallel of '{name}' is missing or in the other hemisphere"));
            }
            &POLAR_B
        }
        "obliquestereographic" | "doublestereographic" => &OBLIQUE_STEREOGRAPHIC,
        "equidistantcylindrical" | "equirectangular" | "platecarree" => &EQUIDISTANT_CYLINDRICAL,
        "equidistantcylindricalspherical" => &EQUIDISTANT_CYLINDRICAL_SPHERICAL,
        "cassinisoldner" | "cassini" => &CASSINI,
        "gnomonic" => &GNOMONIC,
        "millercylindrical" => &MILLER,
        "orthographic" => &ORTHOGRAPHIC,
        "polyconic" | "americanpolyconic" => &POLYCONIC,
        "robinson" => &ROBINSON,
        "sinusoidal" => &SINUSOIDAL,
        "vandergrinten" | "vandergrinteni" => &VAN_DER_GRINTEN,
        "newzealandmapgrid" => &NEW_ZEALAND,
        "lambertcylindricalequalarea" | "cylindricalequalarea" | "behrmann" => &CYLINDRICAL_EQUAL_AREA,
        "lambertcylindricalequalareaspherical" => &CYLINDRICAL_EQUAL_AREA_SPHERICAL,
        "popularvisualisationpseudomercator" | "mercatorauxiliarysphere" => &WEB_MERCATOR,
        _ => return Ok(None),
    }))
}

/// WKT 1 has one name for both variants: in variant B, the latitude of origin is the standard parallel.
fn polar(values: &mut [Option<f64>; PARAMETERS]) -> &'static Method {
    if is_pole(values) {
        return &POLAR_A;
    }
    if values[PARALLEL_1].is_none() {
        values[PARALLEL_1] = values[LATITUDE].take();
    }
    &POLAR_B
}

fn is_pole(values: &[Option<f64>; PARAMETERS]) -> bool {
    values[LATITUDE].is_some_and(|latitude| (latitude.abs() - 90.0).abs() < 1e-10)
}

/// Returns the index of a parameter, by EPSG's code or by name.
pub(super) fn place(name: &str, code: Option<u16>) -> Option<usize> {
    let by_code = code.and_then(|code| match code {
        8801 | 8811 | 8821 => Some(LATITUDE),
        8802 | 8812 | 8822 | 8833 => Some(LONGITUDE),
        8805 | 8815 => Some(SCALE),
        8806 | 8816 | 8826 => Some(EASTING),
        8807 | 8817 | 8827 => Some(NORTHING),
        8823 | 8832 => Some(PARALLEL_1),
        8824 => Some(PARALLEL_2),
        8813 => Some(AZIMUTH),
        8814 => Some(ANGLE),
        _ => None,
    });
    by_code.or_else(|| {
        let letters = letters(name).replace("center", "centre");
        Some(match letters.as_str() {
            "latitudeoforigin"
            | "latitudeofcentre"
            | "latitudeofnaturalorigin"
            | "latitudeofprojectioncentre"
            | "latitudeoffalseorigin" => LATITUDE,
            "centralmeridian"
            | "longitudeoforigin"
            | "longitudeofcentre"
            | "longitudeofnaturalorigin"
            | "longitudeofprojectioncentre"
            | "longitudeoffalseorigin" => LONGITUDE,
            "scalefactor"
            | "scalefactoratnaturalorigin"
            | "scalefactoroninitialline"
            | "scalefactoratprojectioncentre" => SCALE,
            "falseeasting" | "eastingatprojectioncentre" | "eastingatfalseorigin" => EASTING,
            "falsenorthing" | "northingatprojectioncentre" | "northingatfalseorigin" => NORTHING,
            "standardparallel1" | "latitudeof1ststandardparallel" | "latitudeofstandardparallel" => PARALLEL_1,
            "standardparallel2" | "latitudeof2ndstandardparallel" => PARALLEL_2,
            "azimuth" | "azimuthofinitialline" | "azimuthatprojectioncentre" => AZIMUTH,
            "rectifiedgridangle" | "anglefromrectifiedtoskewgrid" | "xyplanerotation" => ANGLE,
            _ => return None,
        })
    })
}

/// Returns the name of a parameter for errors.
fn described(place: usize) -> &'static str {
    match place {
        LATITUDE => "latitude of origin",
        LONGITUDE => "longitude of origin",
        SCALE => "scale factor",
        EASTING => "false easting",
        NORTHING => "false northing",
        PARALLEL_1 => "standard parallel",
        PARALLEL_2 => "second standard parallel",
        AZIMUTH => "azimuth",
        _ => "angle of the rectified grid",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(given: &[(usize, f64)]) -> [Option<f64>; PARAMETERS] {
        let mut values = [None; PARAMETERS];
        for (place, value) in given {
            values[*place] = Some(*value);
        }
        values
    }

    #[test]
    fn names_that_depend_on_parameters() {
        let method = |name: &str, given: &[(usize, f64)]| {
            conversion(name, None, values(given), false).map(|found| found.method.name)
        };
        assert_eq!(method("Polar_Stereographic", &[(LATITUDE, 90.0), (SCALE, 0.994)]), Ok(POLAR_A.name));
        assert_eq!(method("Polar_Stereographic", &[(LATITUDE, -71.0)]), Ok(POLAR_B.name));
        assert!(method("Polar_Stereographic", &[(LATITUDE, -71.0), (SCALE, 0.9)]).is_err());
        assert_eq!(method("Mercator", &[(PARALLEL_1, 30.0)]), Ok(MERCATOR_B.name));
        assert_eq!(method("Lambert_Conformal_Conic", &[(PARALLEL_1, 40.0), (LATITUDE, 40.0)]), Ok(LAMBERT_1SP.name));
        assert!(method("Lambert_Conformal_Conic", &[(PARALLEL_1, 40.0), (LATITUDE, 41.0)]).is_err());
        assert!(method("Mollweide", &[]).unwrap_err().contains("Mollweide"));
        assert!(method("Albers", &[(PARALLEL_1, 40.0)]).unwrap_err().contains("second standard parallel"));
        assert!(method("Sinusoidal", &[(LATITUDE, 3.0)]).unwrap_err().contains("latitude of origin"));
        assert!(method("Equidistant Cylindrical (Spherical)", &[]).unwrap_err().contains("sphere"));
    }
}
