//! cogsmith for browsers and Node: the functions that `wasm/ts` calls in its workers. The public API is there; a module
//! runs on one thread, and throws objects that `wasm/ts` turns into errors.

#![deny(unsafe_code)]
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![warn(clippy::cast_possible_truncation, clippy::cast_possible_wrap, clippy::cast_sign_loss)]

mod codecs;
mod encoding;
mod error;
mod object;
mod options;
#[cfg_attr(not(feature = "full"), path = "no_pixels.rs")]
mod pixels;
mod preview;
mod reader;
mod report;
mod results;
mod source;

use std::cell::RefCell;

use wasm_bindgen::prelude::wasm_bindgen;

thread_local! {
    /// The message of the panic that made the module unusable.
    static PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Stores the message of a panic: the trap that follows has none.
#[wasm_bindgen(start)]
fn start() {
    std::panic::set_hook(Box::new(|panic| PANIC.set(Some(panic.to_string()))));
}

/// Returns the message of the panic that ended the module; none if memory ran out.
#[wasm_bindgen(js_name = panicMessage)]
#[must_use]
pub fn panic_message() -> Option<String> {
    PANIC.take()
}
