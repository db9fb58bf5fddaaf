//! Coordinate reference systems of arrays.

use cogsmith::{GeoKeys, Result};

use crate::object::Given;

/// The GeoKeys of `EPSG:…`, or of its number.
pub(crate) fn keys(given: &Given) -> Result<GeoKeys> {
    let text = given.value().as_string();
    let code = match &text {
        Some(text) => text.strip_prefix("EPSG:").and_then(|code| code.parse::<u16>().ok()),
        None => u16::try_from(given.whole()?).ok(),
    };
    let Some(code) = code else { return given.refuse("expected a code such as 'EPSG:32633'") };
    let (model, key) = match code {
        4326 | 4258 | 4269 | 4267 => (2, 2048),
        // Web Mercator, ETRS89 LAEA, and UTM on WGS 84, ETRS89 and NAD83.
        3857 | 3035 | 32601..=32660 | 32701..=32760 | 25828..=25838 | 26901..=26923 => (1, 3072),
        _ => return given.refuse(format!("EPSG:{code} is not known here")),
    };
    let directory = vec![1, 1, 0, 3, 1024, 0, 1, model, 1025, 0, 1, 1, key, 0, 1, code];
    Ok(GeoKeys { directory, ..GeoKeys::default() })
}
