//! cogsmith for browsers and Node: what `wasm/ts` calls in its workers. The API that people use is made there; this
//! is what one module does, on one thread, and throws objects from which errors are made.

#![deny(unsafe_code)]
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![warn(clippy::cast_possible_truncation, clippy::cast_possible_wrap, clippy::cast_sign_loss)]

mod encoding;
mod error;
mod object;
mod options;
mod preview;
mod reader;
mod report;
mod source;
mod zstd;

use std::cell::RefCell;

use wasm_bindgen::prelude::wasm_bindgen;

thread_local! {
    /// What the panic said after which the module is of no further use.
    static PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Remembers what a panic says: the trap that follows says nothing.
#[wasm_bindgen(start)]
fn start() {
    std::panic::set_hook(Box::new(|panic| PANIC.set(Some(panic.to_string()))));
}

/// What the panic said that ended the module; nothing where memory ran out.
#[wasm_bindgen(js_name = panicMessage)]
#[must_use]
pub fn panic_message() -> Option<String> {
    PANIC.take()
}
