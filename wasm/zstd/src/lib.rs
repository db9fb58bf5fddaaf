//! The ZSTD encoder as a separate module: a quarter of all code, which most files do not need.

use wasm_bindgen::prelude::wasm_bindgen;

/// Returns a Zstandard frame, as the library writes it.
#[wasm_bindgen]
#[must_use]
pub fn compress(level: u8, bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    cogsmith::zstd_frame(level, bytes, &mut out);
    out
}
