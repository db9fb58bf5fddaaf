//! Leader and trailer around encoded tiles.

use crate::plan::TileLen;
use crate::tiff::ghost;

/// Appends an encoded tile to `bytes`, framed in place by leader and trailer. Returns the payload length.
pub(super) fn framed(
    bytes: &mut Vec<u8>,
    encode: impl FnOnce(&mut Vec<u8>) -> Result<(), String>,
) -> Result<TileLen, String> {
    let start = bytes.len();
    bytes.extend_from_slice(&[0; ghost::LEADER_LEN]);
    encode(bytes)?;
    match ghost::frame(bytes, start) {
        Some(0) => Err("the codec returned no bytes".to_owned()),
        size => {
            let len = size.and_then(TileLen::new);
            len.ok_or_else(|| "the compressed tile is larger than 4 GiB; use smaller tiles".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_are_framed_where_they_are() {
        let mut bytes = vec![9];
        let len = framed(&mut bytes, |bytes| {
            bytes.extend([1, 2, 3, 4, 5]);
            Ok(())
        });
        assert_eq!(len, Ok(TileLen::new(5).unwrap()));
        assert_eq!(bytes, [9, 5, 0, 0, 0, 1, 2, 3, 4, 5, 2, 3, 4, 5]);
        assert_eq!(bytes.len() as u64 - 1, TileLen::new(5).unwrap().framed_len());
        assert!(framed(&mut bytes, |_| Ok(())).unwrap_err().contains("no bytes"));
        assert_eq!(framed(&mut bytes, |_| Err("refused".to_owned())), Err("refused".to_owned()));
    }
}
