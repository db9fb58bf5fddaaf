//! Errors as JavaScript objects, which become a `CogError`: `kind`, `message`, and the fields of the kind.

use cogsmith::{Error, ErrorKind};
use wasm_bindgen::JsValue;

use crate::object::{Out, camel_case, number};
use crate::reader;

/// Returns the object to throw.
pub(crate) fn thrown(error: Error) -> JsValue {
    if let Some(failure) = reader::take_failure() {
        return Out::default().with("kind", "Io").with("message", format!("cannot read the input: {failure}")).into();
    }
    let named = |kind: &str| Out::default().with("kind", kind);
    let out = match error.kind() {
        ErrorKind::InvalidOption { option, reason } => {
            let option = camel_case(option, '-');
            let message = format!("option '{option}': {reason}");
            return named("InvalidOption").with("option", option).with("message", message).into();
        }
        ErrorKind::InvalidImage { .. } => named("InvalidImage"),
        ErrorKind::Unsupported { feature } => named("Unsupported").with("feature", feature.as_str()),
        ErrorKind::NotTiff { found: Some(kind), .. } => named("NotTiff").with("found", kind.name()),
        ErrorKind::NotTiff { found: None, .. } => named("NotTiff"),
        ErrorKind::Corrupt { place, .. } => named("Corrupt").with("place", place.as_str()),
        ErrorKind::Limit { value, limit, .. } => {
            named("Limit").with("value", number(*value)).with("limit", number(*limit))
        }
        ErrorKind::OutOfMemory { bytes, .. } => named("OutOfMemory").with("bytes", number(*bytes)),
        ErrorKind::TileEncode { level, row, column, .. } => {
            named("TileEncode").with("level", number(*level as u64)).with("row", *row).with("column", *column)
        }
        ErrorKind::PixelCount { expected, got, .. } => {
            named("PixelCount").with("expected", number(*expected)).with("got", number(*got))
        }
        ErrorKind::Cancelled => named("Cancelled"),
        ErrorKind::Io { .. } => named("Io"),
        // Mismatched shards, verification, and existing files: none of these can occur here.
        _ => named("Internal"),
    };
    out.with("message", error.to_string()).into()
}
