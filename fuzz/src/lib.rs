//! Fuzz targets: each takes bytes, turns them into a job, and panics if a guarantee is broken.
//!
//! `fuzz_targets` gives these functions to libFuzzer; `tests/fuzz_replay.rs` runs them over `fuzz/corpus` and
//! `fuzz/crashes` as an ordinary test. Jobs are made by arithmetic of their own ([`Choices`]), so that a corpus stays
//! valid whatever libraries change.

mod choices;
pub mod deflate;
pub mod image;
pub mod lerc;
#[path = "../../lerc/tests/support/round_trip.rs"]
mod lerc_round_trip;
pub mod lzw;
#[path = "../../tests/support/parse.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod parse;
pub mod plan;
pub mod predictor;
pub mod reader;
pub mod repack;
pub mod round_trip;
pub mod shards;
pub mod validate;
pub mod vrt;
#[path = "../../tests/support/window.rs"]
mod window;
pub mod zstd;

pub use choices::Choices;

/// A function that runs a target on some bytes.
pub type Run = fn(&[u8]);

/// All targets by name.
pub const TARGETS: [(&str, Run); 12] = [
    ("deflate", deflate::run),
    ("lerc", lerc::run),
    ("lzw", lzw::run),
    ("plan", plan::run),
    ("predictor", predictor::run),
    ("reader", reader::run),
    ("repack", repack::run),
    ("round_trip", round_trip::run),
    ("shards", shards::run),
    ("validate", validate::run),
    ("vrt", vrt::run),
    ("zstd", zstd::run),
];
