//! The codecs that this build writes.

use cogsmith::{Compression, EncodeOptions};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::object::{Out, list};

/// Describes the codecs, by the library's codec table.
#[wasm_bindgen]
#[must_use]
pub fn codecs() -> JsValue {
    let default = EncodeOptions::default().compression;
    let described = Compression::ALL.iter().map(|compression| {
        let codec = compression.codec();
        let parameter = codec.parameter.map(|parameter| {
            Out::default()
                .with("name", parameter.name)
                .with("min", parameter.min)
                .with("max", parameter.max)
                .with("default", parameter.default)
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
