//! GeoKeys made from a coordinate reference system that stands elsewhere, such as in a `.prj` file.

use super::GeoKeys;

/// GeoTIFF 1.1 annex D: the keys that are written here.
const MODEL_TYPE: u16 = 1024;
const RASTER_TYPE: u16 = 1025;
const GEODETIC_CRS: u16 = 2048;
const PROJECTED_CRS: u16 = 3072;
const PROJECTED_CITATION: u16 = 3073;
/// "User-defined" (GeoTIFF 1.1 section 7.1).
const USER_DEFINED: u16 = 32767;
/// Tag 34737, where texts of keys stand.
const ASCII_PARAMS: u16 = 34737;
/// GDAL reads no longer text (`gt_wkt_srs.cpp`, `szPeStr`).
const LONGEST_WKT: usize = 2380;

impl GeoKeys {
    /// The keys of a CRS given as WKT, version 1 or 2: the EPSG code where the root has one, else the text itself in
    /// the form that Esri introduced and GDAL reads.
    ///
    /// # Errors
    /// Why the text can't be expressed.
    pub(crate) fn from_wkt(wkt: &str) -> Result<Self, String> {
        let wkt: String = wkt.split(['\r', '\n']).map(str::trim).collect();
        let (root, arguments) = split(&wkt).ok_or("it is no WKT")?;
        let projected = matches!(root.as_str(), "PROJCS" | "PROJCRS" | "PROJECTEDCRS");
        let geographic = matches!(root.as_str(), "GEOGCS" | "GEOGCRS" | "GEOGRAPHICCRS");
        if let Some(code) = epsg(&arguments) {
            if projected {
                return Ok(Self::from_entries(1, &[(PROJECTED_CRS, code)], None));
            }
            if geographic {
                return Ok(Self::from_entries(2, &[(GEODETIC_CRS, code)], None));
            }
        }
        let known = ["COMPD_CS", "COMPOUNDCRS", "BOUNDCRS", "GEODCRS", "GEODETICCRS", "LOCAL_CS", "ENGCRS"];
        if !projected && !geographic && !known.contains(&root.as_str()) {
            return Err(format!("its root '{root}' is no coordinate reference system of rasters"));
        }
        if !wkt.is_ascii() || wkt.contains('|') {
            return Err("it holds characters that GeoKeys can't".to_owned());
        }
        if wkt.len() > LONGEST_WKT {
            return Err(format!("its text has {} bytes; GeoKeys take {LONGEST_WKT}", wkt.len()));
        }
        Ok(Self::from_entries(USER_DEFINED, &[], Some(format!("ESRI PE String = {wkt}|"))))
    }

    fn from_entries(model: u16, entries: &[(u16, u16)], citation: Option<String>) -> Self {
        let mut keys = vec![[MODEL_TYPE, 0, 1, model], [RASTER_TYPE, 0, 1, 1]];
        keys.extend(entries.iter().map(|(key, value)| [*key, 0, 1, *value]));
        let ascii = citation.unwrap_or_default().into_bytes();
        if let Ok(length @ 1..) = u16::try_from(ascii.len()) {
            keys.push([PROJECTED_CITATION, ASCII_PARAMS, length, 0]);
        }
        let count = u16::try_from(keys.len()).unwrap_or(u16::MAX);
        let directory = [[1, 1, 0, count]].into_iter().chain(keys).flatten().collect();
        Self { directory, doubles: Vec::new(), ascii }
    }
}

/// The keyword of a WKT element, in upper case, and its arguments.
fn split(wkt: &str) -> Option<(String, Vec<&str>)> {
    let (keyword, rest) = wkt.trim().split_once(['[', '('])?;
    let inner = rest.trim_end().strip_suffix([']', ')'])?;
    let keyword = keyword.trim().to_ascii_uppercase();
    if keyword.is_empty() || !keyword.chars().all(|letter| letter.is_ascii_alphabetic() || letter == '_') {
        return None;
    }
    let (mut arguments, mut depth, mut quoted, mut start) = (Vec::new(), 0u32, false, 0);
    for (index, letter) in inner.char_indices() {
        match letter {
            '"' => quoted = !quoted,
            '[' | '(' if !quoted => depth += 1,
            ']' | ')' if !quoted => depth = depth.checked_sub(1)?,
            ',' if !quoted && depth == 0 => {
                arguments.push(inner.get(start..index)?.trim());
                start = index + 1;
            }
            _ => {}
        }
    }
    arguments.push(inner.get(start..)?.trim());
    (depth == 0 && !quoted).then_some((keyword, arguments))
}

/// The EPSG code among the arguments of an element: `AUTHORITY["EPSG","4326"]` or `ID["EPSG",4326]`.
fn epsg(arguments: &[&str]) -> Option<u16> {
    arguments.iter().find_map(|argument| {
        let (keyword, values) = split(argument)?;
        let (authority, code) = (values.first()?.trim_matches('"'), values.get(1)?.trim_matches('"'));
        let is_epsg = matches!(keyword.as_str(), "AUTHORITY" | "ID") && authority.eq_ignore_ascii_case("EPSG");
        // GeoTIFF 1.1 section 7.1: codes of EPSG are 1024 to 32766.
        if is_epsg { code.parse().ok().filter(|code| (1024..USER_DEFINED).contains(code)) } else { None }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_of_the_root_counts_and_no_other() {
        let wkt = "PROJCS[\"a, [b\",GEOGCS[\"c\",AUTHORITY[\"EPSG\",\"4326\"]],\n UNIT[\"m\",1],AUTHORITY[\"EPSG\",\"32633\"]]";
        let keys = GeoKeys::from_wkt(wkt).unwrap();
        assert_eq!(keys.directory, [1, 1, 0, 3, 1024, 0, 1, 1, 1025, 0, 1, 1, 3072, 0, 1, 32633]);
        let keys = GeoKeys::from_wkt("GEOGCRS[\"WGS 84\",ID[\"EPSG\",4326]]").unwrap();
        assert_eq!(keys.directory[12..], [2048, 0, 1, 4326]);
        let keys = GeoKeys::from_wkt("PROJCS[\"a\",GEOGCS[\"c\",AUTHORITY[\"EPSG\",\"4326\"]]]").unwrap();
        assert_eq!(keys.directory[4..8], [1024, 0, 1, 32767]);
        assert!(keys.ascii.starts_with(b"ESRI PE String = PROJCS["));
        assert_eq!(usize::from(keys.directory[14]), keys.ascii.len());
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "+proj=utm", "PROJCS[\"a\"", "VERT_CS[\"x\"]", "PROJCS[\"\u{e9}\"]"] {
            assert!(GeoKeys::from_wkt(text).is_err(), "{text}");
        }
    }
}
