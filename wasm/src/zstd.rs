//! The ZSTD encoder, a separate module.

use std::cell::RefCell;

use js_sys::{Function, Uint8Array};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};

thread_local! {
    static ENCODER: RefCell<Option<Function>> = const { RefCell::new(None) };
}

/// Sets the encoder, `(level, bytes) => bytes`; without it, ZSTD is rejected.
#[wasm_bindgen(js_name = provideZstd)]
pub fn provide(encoder: Function) {
    ENCODER.set(Some(encoder));
    cogsmith::provide_zstd(encode);
}

fn encode(level: u8, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
    let encoder = ENCODER.with_borrow(Clone::clone).ok_or("the ZSTD encoder is not loaded")?;
    let frame = encoder.call2(&JsValue::NULL, &level.into(), &Uint8Array::from(bytes).into());
    let frame: Uint8Array =
        frame.and_then(JsCast::dyn_into).map_err(|_| "the ZSTD encoder failed, possibly out of memory")?;
    out.extend_from_slice(&frame.to_vec());
    Ok(())
}
