//! Descriptions and validation reports of files: the objects of the command's `--json`, in camel case.

use cogsmith::Executor;
use cogsmith::check::{self, CheckOptions, Report};
use js_sys::Function;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::thrown;
use crate::object::{Out, Result, entries};
use crate::reader::Reader;
use crate::results::value;

/// Describes a TIFF.
#[wasm_bindgen]
pub fn inspect(read: Function, length: f64) -> Result<JsValue, JsValue> {
    let info = check::inspect(&Reader::new(read, length)).map_err(thrown)?;
    value(&info)
}

/// Validates a file.
#[wasm_bindgen]
pub fn validate(read: Function, length: f64, options: &JsValue) -> Result<JsValue, JsValue> {
    let judge = || -> Result<(bool, bool, Report)> {
        let (mut strict, mut quick) = (false, false);
        for given in entries(options, "options", &["strict", "quick"])? {
            let flag = given.flag()?;
            match given.option() {
                "strict" => strict = flag,
                _ => quick = flag,
            }
        }
        let options = if quick { CheckOptions::quick() } else { CheckOptions::full() };
        Ok((strict, quick, check::validate(&Reader::new(read, length), &options, &Executor::serial())?))
    };
    let (strict, quick, report) = judge().map_err(thrown)?;
    let known = Out::default().with("valid", report.is_valid(strict)).with("strict", strict).with("quick", quick);
    Ok(known.with_all(&value(&report)?).into())
}
