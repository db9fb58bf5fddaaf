#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod block;
mod checksum;
mod encoder;
mod error;
mod histogram;
mod huffman;
mod mask;
mod pack;
mod raise;
mod sample;
mod simd;
mod tiles;

pub use encoder::{Encoder, Image, max_encoded_len};
pub use error::{Error, MAX_BYTES};
pub use sample::Sample;
