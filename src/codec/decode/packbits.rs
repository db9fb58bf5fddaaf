//! PackBits (TIFF 6.0 section 9).

use super::{DecodeResult, short};

/// Fills `out`, which has the length of the pixels, from `input`, which must yield at least `needed` bytes.
pub(crate) fn decode(input: &[u8], out: &mut [u8], needed: usize) -> DecodeResult<()> {
    let mut rest = input;
    let mut filled = 0;
    while filled < out.len() {
        let Some((&head, tail)) = rest.split_first() else { break };
        // 0 to 127: copy that many bytes plus one; 129 to 255: repeat the next byte 257 minus that many times; 128:
        // nothing.
        let target = out.get_mut(filled..).unwrap_or(&mut []);
        if head < 128 {
            let count = (usize::from(head) + 1).min(target.len());
            let Some((bytes, after)) = tail.split_at_checked(count) else { break };
            target.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
            (rest, filled) = (after, filled + count);
        } else if head == 128 {
            rest = tail;
        } else {
            let Some((&byte, after)) = tail.split_first() else { break };
            let count = (257 - usize::from(head)).min(target.len());
            target.iter_mut().take(count).for_each(|to| *to = byte);
            (rest, filled) = (after, filled + count);
        }
    }
    if filled < needed { Err(short(filled, needed)) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_specification_unpacks() {
        let packed = [0xFE, 0xAA, 0x02, 0x80, 0x00, 0x2A, 0xFD, 0xAA, 0x03, 0x80, 0x00, 0x2A, 0x22, 0xF7, 0xAA];
        let expected = [
            0xAA, 0xAA, 0xAA, 0x80, 0x00, 0x2A, 0xAA, 0xAA, 0xAA, 0xAA, 0x80, 0x00, 0x2A, 0x22, 0xAA, 0xAA, 0xAA, 0xAA,
            0xAA, 0xAA, 0xAA, 0xAA, 0xAA, 0xAA,
        ];
        let mut out = [0; 24];
        decode(&packed, &mut out, 24).unwrap();
        assert_eq!(out, expected);
        assert!(decode(&packed[..14], &mut out, 24).is_err());
        assert!(decode(&packed, &mut [0; 25], 24).is_ok());
    }
}
