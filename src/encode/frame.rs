//! Tiles between leader and trailer.

use crate::tiff::ghost;

/// Encodes a tile behind the bytes that are there, between its leader and its trailer: in place, without a copy. Returns
/// the size of the payload.
pub(super) fn framed(
    bytes: &mut Vec<u8>,
    encode: impl FnOnce(&mut Vec<u8>) -> Result<(), String>,
) -> Result<u32, String> {
    let start = bytes.len();
    bytes.extend_from_slice(&[0; ghost::LEADER_LEN]);
    encode(bytes)?;
    ghost::frame(bytes, start).ok_or_else(|| "the compressed tile does not fit 4 GiB; use smaller tiles".to_owned())
}
