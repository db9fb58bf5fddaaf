//! The codecs that this build writes.

use cogsmith::{Compression, EncodeOptions, ParameterRange, ParameterValue};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::object::{Out, list};

/// Describes the codecs, by the library's codec table.
#[wasm_bindgen]
#[must_use]
pub fn codecs() -> JsValue {
    let default = EncodeOptions::default().compression;
    let described = Compression::ALL.iter().filter(|compression| compression.is_available()).map(|compression| {
        let codec = compression.codec();
        let parameter = codec.parameters.iter().find_map(|parameter| match (parameter.range, parameter.default) {
            (ParameterRange::Integers { min, max }, ParameterValue::Integer(default)) => Some(
                Out::default().with("name", parameter.name).with("min", min).with("max", max).with("default", default),
            ),
            _ => None,
        });
        Out::default()
            .with("name", codec.name)
            .with("isDefault", *compression == default)
            .with_option("parameter", parameter)
            .with("takesPredictor", codec.takes_predictor)
            .with("missingIn", list(codec.missing_in.iter().copied()))
    });
    list(described).into()
}
