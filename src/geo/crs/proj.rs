//! PROJ strings of common projections, converted to equivalent WKT 2.

use super::unit::{Unit, length_of_proj};

/// Ellipsoids: PROJ's name, EPSG's name, semi-major axis in meters, inverse flattening.
const ELLIPSOIDS: &[(&str, &str, f64, f64)] = &[
    ("WGS84", "WGS 84", 6_378_137.0, 298.257_223_563),
    ("GRS80", "GRS 1980", 6_378_137.0, 298.257_222_101),
    ("WGS72", "WGS 72", 6_378_135.0, 298.26),
    ("GRS67", "GRS 1967", 6_378_160.0, 298.247_167_427),
    ("intl", "International 1924 (Hayford 1909, 1910)", 6_378_388.0, 297.0),
    ("bessel", "Bessel 1841", 6_377_397.155, 299.152_812_8),
    ("bess_nam", "Bessel 1841 (Namibia)", 6_377_483.865, 299.152_812_8),
    ("clrk66", "Clarke 1866", 6_378_206.4, 6_378_206.4 / (6_378_206.4 - 6_356_583.8)),
    ("clrk80", "Clarke 1880 mod.", 6_378_249.145, 293.4663),
    ("clrk80ign", "Clarke 1880 (IGN).", 6_378_249.2, 6_378_249.2 / (6_378_249.2 - 6_356_515.0)),
    ("krass", "Krassovsky, 1942", 6_378_245.0, 298.3),
    ("airy", "Airy 1830", 6_377_563.396, 299.324_964_6),
    ("mod_airy", "Modified Airy", 6_377_340.189, 6_377_340.189 / (6_377_340.189 - 6_356_034.446)),
    ("aust_SA", "Australian Natl & S. Amer. 1969", 6_378_160.0, 298.25),
    ("helmert", "Helmert 1906", 6_378_200.0, 298.3),
    ("evrst30", "Everest 1830", 6_377_276.345, 300.8017),
    ("evrstSS", "Everest (Sabah & Sarawak)", 6_377_298.556, 300.8017),
    ("sphere", "Normal Sphere (r=6370997)", 6_370_997.0, 0.0),
];

/// Datums: PROJ's name, EPSG's name and code, PROJ's name of the ellipsoid.
const DATUMS: &[(&str, &str, u16, &str)] = &[
    ("WGS84", "World Geodetic System 1984", 6326, "WGS84"),
    ("NAD83", "North American Datum 1983", 6269, "GRS80"),
    ("NAD27", "North American Datum 1927", 6267, "clrk66"),
];

/// Prime meridians: PROJ's name, EPSG's name, degrees.
const MERIDIANS: &[(&str, &str, f64)] = &[
    ("greenwich", "Greenwich", 0.0),
    ("lisbon", "Lisbon", -9.131_906_111_111),
    ("paris", "Paris", 2.337_229_166_667),
    ("bogota", "Bogota", -74.080_916_666_667),
    ("madrid", "Madrid", -3.687_938_888_889),
    ("rome", "Rome", 12.452_333_333_333),
    ("bern", "Bern", 7.439_583_333_333),
    ("jakarta", "Jakarta", 106.807_719_444_444),
    ("ferro", "Ferro", -17.666_666_666_667),
    ("brussels", "Brussels", 4.367_975),
    ("stockholm", "Stockholm", 18.058_277_777_778),
    ("athens", "Athens", 23.716_337_5),
    ("oslo", "Oslo", 10.722_916_666_667),
];

/// The words of a string: keys with their values, which are empty for bare keys.
struct Words<'a> {
    words: Vec<(&'a str, &'a str)>,
    used: Vec<bool>,
}

impl<'a> Words<'a> {
    /// Returns the value of a key and marks it as used.
    fn take(&mut self, key: &str) -> Option<&'a str> {
        let place = self.words.iter().position(|(word, _)| *word == key)?;
        self.used[place] = true;
        Some(self.words[place].1)
    }

    fn number(&mut self, key: &str) -> Result<Option<f64>, String> {
        let Some(text) = self.take(key) else { return Ok(None) };
        let number = text.parse().ok().filter(|number: &f64| number.is_finite());
        number.map(Some).ok_or_else(|| format!("'+{key}={text}' is not a number"))
    }

    /// Returns the number of the first key that is present.
    fn first(&mut self, keys: &[&str], default: f64) -> Result<f64, String> {
        for key in keys {
            if let Some(number) = self.number(key)? {
                return Ok(number);
            }
        }
        Ok(default)
    }
}

/// Converts a PROJ string to WKT 2.
pub(super) fn to_wkt(text: &str) -> Result<String, String> {
    let words: Vec<(&str, &str)> = text
        .split_whitespace()
        .map(|word| {
            let word = word.strip_prefix('+').unwrap_or(word);
            word.split_once('=').unwrap_or((word, ""))
        })
        .collect();
    let used = vec![false; words.len()];
    let mut words = Words { words, used };
    for (index, (key, _)) in words.words.iter().enumerate() {
        if words.words[..index].iter().any(|(other, _)| other == key) {
            return Err(format!("'+{key}' is given twice"));
        }
    }
    let Some(projection) = words.take("proj") else { return Err("the PROJ string has no '+proj='".to_owned()) };
    for idle in ["no_defs", "type", "wktext"] {
        words.take(idle);
    }
    let base = base(&mut words)?;
    let unit = unit(&mut words)?;
    if projection.starts_with("lat") | projection.starts_with("lon") && !unit.is(9001) {
        return Err(format!("'+proj={projection}' does not take a unit of length"));
    }
    let wkt = match projection {
        "longlat" | "latlong" | "lonlat" | "latlon" => format!(
            "GEOGCRS[\"unknown\",{base},CS[ellipsoidal,2],AXIS[\"longitude\",east],AXIS[\"latitude\",north],\
             ANGLEUNIT[\"degree\",0.0174532925199433]]"
        ),
        "geocent" | "cart" => format!(
            "GEODCRS[\"unknown\",{base},CS[Cartesian,3],AXIS[\"X\",geocentricX],AXIS[\"Y\",geocentricY],\
             AXIS[\"Z\",geocentricZ],LENGTHUNIT[\"{}\",{}]]",
            unit.name, unit.size
        ),
        _ => {
            let conversion = conversion(projection, &mut words)?;
            let axes = match words.take("axis") {
                Some("wsu") if projection == "tmerc" => "AXIS[\"w\",west],AXIS[\"s\",south]",
                None | Some("enu" | "neu") => "AXIS[\"e\",east],AXIS[\"n\",north]",
                Some(other) => return Err(format!("GeoKeys cannot express '+axis={other}'")),
            };
            let conversion = if axes.contains("west") {
                conversion.replace("Mercator", "Mercator (South Orientated)")
            } else {
                conversion
            };
            format!(
                "PROJCRS[\"unknown\",BASEGEOGCRS[\"unknown\",{base},ANGLEUNIT[\"degree\",0.0174532925199433]],{conversion},\
                 CS[Cartesian,2],{axes},LENGTHUNIT[\"{}\",{}]]",
                unit.name, unit.size
            )
        }
    };
    if let Some(place) = words.used.iter().position(|used| !used) {
        return Err(format!("'+{}' is not supported; give the definition as WKT", words.words[place].0));
    }
    Ok(wkt)
}

/// Reads datum and prime meridian.
fn base(words: &mut Words<'_>) -> Result<String, String> {
    let datum = words.take("datum");
    let towgs84 = words.take("towgs84");
    let known = match datum {
        None => None,
        Some(name) => Some(DATUMS.iter().find(|datum| datum.0 == name).ok_or_else(|| {
            format!("'+datum={name}' is not among WGS84, NAD83 and NAD27; give the definition as WKT or an EPSG code")
        })?),
    };
    let ellps = words.take("ellps").or(known.map(|datum| datum.3));
    let (mut name, mut a, mut inverse) = ("unknown", None, None);
    if let Some(ellps) = ellps {
        let ellipsoid = ELLIPSOIDS.iter().find(|ellipsoid| ellipsoid.0 == ellps).ok_or_else(|| {
            format!("'+ellps={ellps}' is not supported; give '+a=' and '+rf=', or the definition as WKT")
        })?;
        (name, a, inverse) = (ellipsoid.1, Some(ellipsoid.2), Some(ellipsoid.3));
    }
    for key in ["R", "a", "b", "rf", "f"] {
        let Some(number) = words.number(key)? else { continue };
        if known.is_some() {
            return Err(format!("'+{key}' contradicts '+datum'"));
        }
        name = "unknown";
        match key {
            "R" => (a, inverse) = (Some(number), Some(0.0)),
            "a" => a = Some(number),
            "b" => {
                let a = a.ok_or("'+b=' needs '+a='")?;
                #[expect(clippy::float_cmp, reason = "a sphere is told by equal axes")]
                let is_sphere = a == number;
                inverse = Some(if is_sphere { 0.0 } else { a / (a - number) });
            }
            "rf" => inverse = Some(number),
            _ => inverse = Some(if number == 0.0 { 0.0 } else { 1.0 / number }),
        }
    }
    // PROJ's default ellipsoid.
    let (a, inverse) = match (a, inverse) {
        (Some(a), Some(inverse)) => (a, inverse),
        (Some(a), None) => (a, 0.0),
        _ => {
            name = "GRS 1980";
            (6_378_137.0, 298.257_222_101)
        }
    };
    if !a.is_finite() || !inverse.is_finite() {
        return Err("the ellipsoid has an invalid size".to_owned());
    }
    let shifts = match towgs84 {
        None => String::new(),
        Some(text) => {
            let numbers: Option<Vec<f64>> = text.split(',').map(|number| number.parse().ok()).collect();
            let numbers = numbers
                .filter(|numbers| matches!(numbers.len(), 3 | 7) && numbers.iter().all(|number| number.is_finite()));
            let numbers = numbers.ok_or_else(|| format!("'+towgs84={text}' is not a list of 3 or 7 numbers"))?;
            let numbers: Vec<String> = numbers.iter().map(ToString::to_string).collect();
            format!(",TOWGS84[{}]", numbers.join(","))
        }
    };
    let datum = match (known, name) {
        (Some(datum), _) => datum.1.to_owned(),
        (None, "unknown") => "unknown".to_owned(),
        (None, name) => format!("Unknown based on {name} ellipsoid"),
    };
    let datum = match towgs84 {
        Some(text) if known.is_none() => format!("{datum} using towgs84={text}"),
        _ => datum,
    };
    let id = known.map_or_else(String::new, |datum| format!(",ID[\"EPSG\",{}]", datum.2));
    let (meridian, longitude) = match words.take("pm") {
        None => ("Greenwich", 0.0),
        Some(text) => match MERIDIANS.iter().find(|meridian| meridian.0 == text) {
            Some(meridian) => (meridian.1, meridian.2),
            None => (
                "unknown",
                text.parse()
                    .ok()
                    .filter(|number: &f64| number.is_finite())
                    .ok_or_else(|| format!("'+pm={text}' is neither a known prime meridian nor a number of degrees"))?,
            ),
        },
    };
    Ok(format!(
        "DATUM[\"{datum}\",ELLIPSOID[\"{name}\",{a},{inverse}]{shifts}{id}],\
         PRIMEM[\"{meridian}\",{longitude},ANGLEUNIT[\"degree\",0.0174532925199433]]"
    ))
}

fn unit(words: &mut Words<'_>) -> Result<Unit, String> {
    let named = words.take("units");
    let sized = words.number("to_meter")?;
    match (named, sized) {
        (Some(_), Some(_)) => Err("'+units' contradicts '+to_meter'".to_owned()),
        (Some(name), None) => length_of_proj(name).ok_or_else(|| format!("'+units={name}' is not supported")),
        (None, Some(size)) if size > 0.0 => Ok(Unit { name: "unknown".to_owned(), size }),
        (None, Some(size)) => Err(format!("'+to_meter={size}' is not a positive number")),
        (None, None) => Ok(Unit::metre()),
    }
}

/// WKT 1 names of parameters, which the WKT reader accepts for all methods.
const LATITUDE: &str = "latitude_of_origin";
const PARALLEL: &str = "standard_parallel_1";

fn conversion(projection: &str, words: &mut Words<'_>) -> Result<String, String> {
    let mut numbers: Vec<(&str, f64)> = Vec::new();
    let latitude = words.first(&["lat_0"], 0.0)?;
    let scale = |words: &mut Words<'_>| words.first(&["k_0", "k"], 1.0);
    let meridian_key = if projection == "omerc" { "lonc" } else { "lon_0" };
    let mut meridian = words.first(&[meridian_key], 0.0)?;
    let (mut easting, mut northing) = (words.first(&["x_0"], 0.0)?, words.first(&["y_0"], 0.0)?);
    let method = match projection {
        "tmerc" | "etmerc" => {
            words.take("approx");
            numbers.extend([(LATITUDE, latitude), ("scale_factor", scale(words)?)]);
            "Transverse Mercator"
        }
        "utm" => {
            let zone = words.number("zone")?.filter(|zone| zone.fract() == 0.0 && (1.0..=60.0).contains(zone));
            let zone = zone.ok_or("'+proj=utm' needs a '+zone=' of 1 to 60")?;
            let is_south = words.take("south").is_some();
            if (latitude, meridian, easting, northing) != (0.0, 0.0, 0.0, 0.0) {
                return Err("'+proj=utm' does not take an origin".to_owned());
            }
            (meridian, easting, northing) = (zone * 6.0 - 183.0, 500_000.0, if is_south { 1e7 } else { 0.0 });
            numbers.push(("scale_factor", 0.9996));
            "Transverse Mercator"
        }
        "lcc" => {
            let first = words.number("lat_1")?;
            let second = words.number("lat_2")?;
            let scale = scale(words)?;
            match (first, second) {
                #[expect(clippy::float_cmp, reason = "the two forms of one projection repeat the number")]
                (Some(first), None) if first == latitude => {
                    numbers.extend([(LATITUDE, latitude), ("scale_factor", scale)]);
                    "Lambert Conic Conformal (1SP)"
                }
                (None, None) => {
                    numbers.extend([(LATITUDE, latitude), ("scale_factor", scale)]);
                    "Lambert Conic Conformal (1SP)"
                }
                (Some(first), Some(second)) => {
                    numbers.extend([(LATITUDE, latitude), (PARALLEL, first), ("standard_parallel_2", second)]);
                    numbers.push(("scale_factor", scale));
                    "Lambert Conic Conformal (2SP)"
                }
                _ => return Err("'+proj=lcc' needs '+lat_1' and '+lat_2', or '+lat_1' equal to '+lat_0'".to_owned()),
            }
        }
        "aea" | "eqdc" => {
            let (first, second) = (words.number("lat_1")?, words.number("lat_2")?);
            let (Some(first), Some(second)) = (first, second) else {
                return Err(format!("'+proj={projection}' needs '+lat_1' and '+lat_2'"));
            };
            numbers.extend([(LATITUDE, latitude), (PARALLEL, first), ("standard_parallel_2", second)]);
            if projection == "aea" { "Albers Equal Area" } else { "Equidistant Conic" }
        }
        "stere" | "ups" => {
            let (latitude, scale) = if projection == "ups" {
                (easting, northing) = (2e6, 2e6);
                (if words.take("south").is_some() { -90.0 } else { 90.0 }, 0.994)
            } else {
                (latitude, scale(words)?)
            };
            let parallel = words.number("lat_ts")?;
            let is_pole = (latitude.abs() - 90.0).abs() < 1e-10;
            match parallel {
                Some(parallel) if is_pole && parallel.abs() < 90.0 && parallel * latitude > 0.0 => {
                    numbers.extend([(PARALLEL, parallel), ("scale_factor", scale)]);
                    "Polar Stereographic (variant B)"
                }
                Some(parallel) if !is_pole || (parallel - latitude).abs() > 1e-10 => {
                    return Err(format!("'+lat_ts={parallel}' contradicts '+lat_0={latitude}'"));
                }
                _ => {
                    numbers.extend([(LATITUDE, latitude), ("scale_factor", scale)]);
                    if is_pole { "Polar Stereographic (variant A)" } else { "Stereographic" }
                }
            }
        }
        "merc" | "cea" if latitude != 0.0 => {
            return Err(format!("'+proj={projection}' does not take '+lat_0={latitude}'"));
        }
        "merc" => match words.number("lat_ts")? {
            Some(parallel) if words.words.iter().all(|(key, _)| !matches!(*key, "k" | "k_0")) => {
                numbers.push((PARALLEL, parallel));
                "Mercator (variant B)"
            }
            Some(parallel) if parallel != 0.0 => return Err("'+lat_ts' contradicts '+k'".to_owned()),
            _ => {
                numbers.push(("scale_factor", scale(words)?));
                "Mercator (variant A)"
            }
        },
        "omerc" => {
            let Some(azimuth) = words.number("alpha")? else {
                return Err("GeoKeys cannot express '+proj=omerc' by two points; give '+alpha'".to_owned());
            };
            let angle = words.first(&["gamma"], azimuth)?;
            numbers.extend([(LATITUDE, latitude), ("azimuth", azimuth), ("rectified_grid_angle", angle)]);
            numbers.push(("scale_factor", scale(words)?));
            let is_natural = words.take("no_uoff").or(words.take("no_off")).is_some();
            if is_natural { "Hotine Oblique Mercator (variant A)" } else { "Hotine Oblique Mercator (variant B)" }
        }
        "somerc" => {
            numbers.extend([(LATITUDE, latitude), ("azimuth", 90.0), ("rectified_grid_angle", 90.0)]);
            numbers.push(("scale_factor", scale(words)?));
            "Hotine Oblique Mercator (variant B)"
        }
        "sterea" => {
            numbers.extend([(LATITUDE, latitude), ("scale_factor", scale(words)?)]);
            "Oblique Stereographic"
        }
        "eqc" => {
            numbers.extend([(LATITUDE, latitude), (PARALLEL, words.first(&["lat_ts"], 0.0)?)]);
            "Equidistant Cylindrical"
        }
        "cea" => {
            numbers.push((PARALLEL, words.first(&["lat_ts"], 0.0)?));
            "Lambert Cylindrical Equal Area"
        }
        _ => {
            let method = match projection {
                "laea" => "Lambert Azimuthal Equal Area",
                "aeqd" => "Azimuthal Equidistant",
                "gnom" => "Gnomonic",
                "ortho" => "Orthographic",
                "cass" => "Cassini-Soldner",
                "poly" => "American Polyconic",
                "nzmg" => "New Zealand Map Grid",
                "mill" => "Miller Cylindrical",
                "robin" => "Robinson",
                "sinu" => "Sinusoidal",
                "vandg" => "Van Der Grinten",
                "webmerc" => "Popular Visualisation Pseudo Mercator",
                _ => return Err(format!("'+proj={projection}' is not supported; give the definition as WKT")),
            };
            numbers.push((LATITUDE, latitude));
            method
        }
    };
    let mut text = format!("CONVERSION[\"unknown\",METHOD[\"{method}\"]");
    numbers.extend([("central_meridian", meridian), ("false_easting", easting), ("false_northing", northing)]);
    for (name, number) in numbers {
        let unit = match name {
            "scale_factor" => "SCALEUNIT[\"unity\",1]",
            "false_easting" | "false_northing" => "LENGTHUNIT[\"metre\",1]",
            _ => "ANGLEUNIT[\"degree\",0.0174532925199433]",
        };
        text.push_str(&format!(",PARAMETER[\"{name}\",{number},{unit}]"));
    }
    text.push(']');
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_understood_is_named() {
        for (text, word) in [
            ("+proj=utm", "zone"),
            ("+proj=utm +zone=61", "zone"),
            ("+proj=moll", "moll"),
            ("+proj=laea +lat_0=x", "lat_0"),
            ("+proj=laea +lat_1=3", "lat_1"),
            ("+proj=laea +datum=potsdam", "potsdam"),
            ("+proj=laea +lat_0=1 +lat_0=2", "twice"),
            ("+zone=3", "proj"),
            ("+proj=merc +nadgrids=@null", "nadgrids"),
            ("+proj=longlat +geoidgrids=x", "geoidgrids"),
        ] {
            let error = to_wkt(text).unwrap_err();
            assert!(error.contains(word), "{text}: {error}");
        }
    }
}
