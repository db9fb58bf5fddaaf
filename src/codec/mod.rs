//! Codecs: how the bytes of a tile or strip hold its pixels.

#[cfg(feature = "geotiff")]
pub(crate) mod decode;
