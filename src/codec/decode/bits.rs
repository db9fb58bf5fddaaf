//! Samples of unusual width, and byte and bit order.

/// Reverses the bits of every byte (tag 266, FillOrder 2).
pub(crate) fn reverse(bytes: &mut [u8]) {
    bytes.iter_mut().for_each(|byte| *byte = byte.reverse_bits());
}

/// Reverses every group of `unit` bytes.
pub(crate) fn swap(bytes: &mut [u8], unit: usize) {
    match unit {
        2 => bytes.chunks_exact_mut(2).for_each(<[u8]>::reverse),
        3 => bytes.chunks_exact_mut(3).for_each(<[u8]>::reverse),
        4 => bytes.chunks_exact_mut(4).for_each(<[u8]>::reverse),
        8 => bytes.chunks_exact_mut(8).for_each(<[u8]>::reverse),
        _ => {}
    }
}

/// Widens a row of integers of `bits` bits, packed from the highest bit of each byte, to samples of `size` bytes in
/// native order. The byte order of the file does not apply to them; GDAL reads 24-bit samples that way, too.
pub(crate) fn unpack(packed: &[u8], bits: u16, signed: bool, size: usize, out: &mut [u8]) {
    // Fewer than 8 bits are left when the next byte arrives, and samples have at most 32, so 64 bits are enough.
    let (mut buffer, mut filled) = (0u64, 0u32);
    let mask = (1u64 << bits.min(32)) - 1;
    let mut bytes = packed.iter();
    for target in out.chunks_exact_mut(size) {
        while filled < u32::from(bits) {
            let Some(byte) = bytes.next() else { return };
            buffer = (buffer << 8) | u64::from(*byte);
            filled += 8;
        }
        filled -= u32::from(bits);
        let mut value = (buffer >> filled) & mask;
        if signed && value & !(mask >> 1) != 0 {
            value |= !mask;
        }
        let value_bytes = value.to_le_bytes();
        target.iter_mut().zip(value_bytes).for_each(|(to, from)| *to = from);
        if cfg!(target_endian = "big") {
            target.reverse();
        }
    }
}

/// Widens floats of 24 bits (1 sign, 7 exponent, 16 mantissa bits; Adobe TIFF Technical Note 3) to single precision.
pub(crate) fn widen_float24(packed: &[u8], out: &mut [u8]) {
    for (from, to) in packed.chunks_exact(3).zip(out.chunks_exact_mut(4)) {
        if let (Some(from), Some(to)) = (from.first_chunk::<3>(), to.first_chunk_mut::<4>()) {
            *to = float24(triple(*from)).to_ne_bytes();
        }
    }
}

fn triple([first, second, third]: [u8; 3]) -> u32 {
    if cfg!(target_endian = "big") {
        u32::from_be_bytes([0, first, second, third])
    } else {
        u32::from_le_bytes([first, second, third, 0])
    }
}

fn float24(bits: u32) -> f32 {
    let sign = (bits >> 23) << 31;
    let exponent = (bits >> 16) & 0x7F;
    let mantissa = bits & 0xFFFF;
    let magnitude = match (exponent, mantissa) {
        (0, 0) => 0,
        (0, _) => {
            // A subnormal number: single precision can represent it as a normal one.
            let shift = mantissa.leading_zeros() - 15;
            ((1 + 127 - 63 - shift) << 23) | (((mantissa << shift) & 0xFFFF) << 7)
        }
        (0x7F, _) => 0x7F80_0000 | (mantissa << 7),
        _ => ((exponent + 127 - 63) << 23) | (mantissa << 7),
    };
    f32::from_bits(sign | magnitude)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_packed_from_the_highest_bit_on() {
        let mut out = [0; 3];
        unpack(&[0b1010_0110, 0b1000_0000], 3, false, 1, &mut out);
        assert_eq!(out, [0b101, 0b001, 0b101]);
        let mut out = [0; 4];
        unpack(&[0xAB, 0xCD, 0xEF], 12, false, 2, &mut out);
        assert_eq!(out, [0xABCu16, 0xDEF].map(u16::to_ne_bytes).concat()[..]);
        let mut out = [0; 8];
        unpack(&[0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0], 31, false, 4, &mut out);
        assert_eq!(out, [0x7FFF_FFFFu32, 0x4000_0000].map(u32::to_ne_bytes).concat()[..]);
    }

    #[test]
    fn signs_are_extended() {
        let mut out = [0; 2];
        unpack(&[0b1110_0110], 4, true, 1, &mut out);
        assert_eq!(out.map(|byte| byte.cast_signed()), [-2, 6]);
    }

    #[test]
    fn floats_of_24_bits_widen() {
        assert_eq!(float24(0x3F_0000), 1.0);
        assert_eq!(float24(0xBF_8000), -1.5);
        assert_eq!(float24(0x7F_0000), f32::INFINITY);
        assert_eq!(float24(0x00_0001), 2f32.powi(-62 - 16));
        assert_eq!(float24(0x00_8000), 2f32.powi(-63));
    }
}
