//! cogsmith for browsers and Node: what `wasm/ts` calls in its workers. The API that people use is made there; this
//! is what one module does, on one thread, and throws objects from which errors are made.

#![deny(unsafe_code)]
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![warn(clippy::cast_possible_truncation, clippy::cast_possible_wrap, clippy::cast_sign_loss)]

mod crs;
mod encoding;
mod error;
mod object;
mod options;
mod preview;
mod reader;
mod report;
mod source;
