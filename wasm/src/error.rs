//! Errors as JavaScript objects, which become a `CogError`: `kind`, `message`, and the fields of the kind.

use cogsmith::{Error, ErrorKind, OptionField};
use wasm_bindgen::JsValue;

use crate::object::{Out, number};
use crate::options::property;
use crate::reader;

/// An error of the library, or one about a value from JavaScript.
#[derive(Debug)]
pub(crate) enum Failure {
    Library(Error),
    /// A value that cannot be read, or an option that only JavaScript has.
    Option {
        /// The property of the options, or the argument.
        option: &'static str,
        /// The problem, and what would be valid.
        reason: String,
    },
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Library(error)
    }
}

impl From<ErrorKind> for Failure {
    fn from(kind: ErrorKind) -> Self {
        Self::Library(kind.into())
    }
}

/// Returns the object to throw.
pub(crate) fn thrown(failure: impl Into<Failure>) -> JsValue {
    if let Some(failure) = reader::take_failure() {
        return Out::default().with("kind", "Io").with("message", format!("cannot read the input: {failure}")).into();
    }
    let named = |kind: &str| Out::default().with("kind", kind);
    let of_option =
        |option: &str, message: String| named("InvalidOption").with("option", option).with("message", message).into();
    let error = match failure.into() {
        Failure::Library(error) => error,
        Failure::Option { option, reason } => return of_option(option, format!("option '{option}': {reason}")),
    };
    let name = |option: OptionField| property(option).unwrap_or(option.name());
    let out = match error.kind() {
        ErrorKind::InvalidOption { option, other, reason } => {
            let contradicts = other.map_or_else(String::new, |other| format!(" contradicts '{}'", name(other)));
            let hint = match option {
                OptionField::Nodata => "; pass 'none', or a value that samples can have",
                _ => "",
            };
            let option = name(*option);
            return of_option(option, format!("option '{option}'{contradicts}: {reason}{hint}"));
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
