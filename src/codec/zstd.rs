//! ZSTD: the encoder that is built in, or one that somebody brings.

use std::sync::OnceLock;

/// Appends the compressed bytes to a vector: level, bytes, output.
pub type ZstdEncoder = fn(u8, &[u8], &mut Vec<u8>) -> Result<(), String>;

static PROVIDED: OnceLock<ZstdEncoder> = OnceLock::new();

/// Brings an encoder to a build without the features `zstd` and `zstd-c`, once for all; later ones are left aside.
pub fn provide_zstd(encoder: ZstdEncoder) {
    PROVIDED.get_or_init(|| encoder);
}

/// Whether there is an encoder.
pub(crate) fn is_available() -> bool {
    cfg!(any(feature = "zstd", feature = "zstd-c")) || PROVIDED.get().is_some()
}

/// Appends a Zstandard frame (RFC 8878) as libtiff writes it: with the size of the content, without a checksum.
///
/// The encoder's state is made anew for every tile: it cannot move between threads, and making it costs little beside
/// the search.
pub fn zstd_frame(level: u8, bytes: &[u8], out: &mut Vec<u8>) {
    use structured_zstd::encoding::{CompressionLevel, FrameCompressor};
    let mut compressor: FrameCompressor = FrameCompressor::new(CompressionLevel::from_level(level.into()));
    compressor.set_content_checksum(false);
    out.extend_from_slice(&compressor.compress_independent_frame(bytes));
}

/// Appends a frame by the encoder that there is.
#[cfg(all(feature = "zstd", not(feature = "zstd-c")))]
#[expect(clippy::unnecessary_wraps, reason = "other encoders can fail")]
pub(super) fn compress(level: u8, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
    zstd_frame(level, bytes, out);
    Ok(())
}

/// Appends a frame by the encoder that there is.
#[cfg(not(any(feature = "zstd", feature = "zstd-c")))]
pub(super) fn compress(level: u8, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
    let encoder = PROVIDED.get().ok_or("this build has no ZSTD encoder")?;
    encoder(level, bytes, out)
}

/// As the pure-Rust encoder, through the C library.
#[cfg(feature = "zstd-c")]
pub(super) fn compress(level: u8, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
    let frame = ::zstd::bulk::compress(bytes, level.into()).map_err(|error| format!("ZSTD: {error}"))?;
    out.extend_from_slice(&frame);
    Ok(())
}
