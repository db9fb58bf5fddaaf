//! Rational polynomial coefficients as items of GDAL's metadata domain `RPC`.

use super::parse::Item;
use crate::geo::Rpc;

/// The items in the order of tag 50844.
const NUMBERS: [&str; 10] = [
    "LINE_OFF",
    "SAMP_OFF",
    "LAT_OFF",
    "LONG_OFF",
    "HEIGHT_OFF",
    "LINE_SCALE",
    "SAMP_SCALE",
    "LAT_SCALE",
    "LONG_SCALE",
    "HEIGHT_SCALE",
];
/// The lists of 20 coefficients, in the same order.
const LISTS: [&str; 4] = ["LINE_NUM_COEFF", "LINE_DEN_COEFF", "SAMP_NUM_COEFF", "SAMP_DEN_COEFF"];

/// Builds the coefficients from the items of a domain.
///
/// # Errors
/// The name of an item that is missing or has invalid numbers.
pub(super) fn read(items: &[&Item]) -> Result<Rpc, &'static str> {
    let find = |name: &str| {
        let found = items.iter().find(|item| item.key.eq_ignore_ascii_case(name));
        found.map(|item| item.value.split_whitespace().filter_map(|number| number.parse::<f64>().ok()))
    };
    let first = |name: &str| find(name).and_then(|mut numbers| numbers.next());
    // GDAL writes -1 for an unknown error.
    let mut numbers = vec![first("ERR_BIAS").unwrap_or(-1.0), first("ERR_RAND").unwrap_or(-1.0)];
    for name in NUMBERS {
        numbers.push(first(name).ok_or(name)?);
    }
    for name in LISTS {
        let list: Vec<f64> = find(name).ok_or(name)?.collect();
        numbers.extend(<[f64; 20]>::try_from(list).map_err(|_| name)?);
    }
    let whole = <[f64; Rpc::NUMBERS]>::try_from(numbers).map_err(|_| "LINE_OFF")?;
    Ok(Rpc::from_numbers(&whole))
}
