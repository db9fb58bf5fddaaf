//! Quantization tables (ITU-T T.81 annex K), scaled by the quality as in libjpeg.

/// Table K.1, in rows.
const LUMINANCE: [u8; 64] = [
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51,
    87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101,
    72, 92, 95, 98, 112, 100, 103, 99,
];

/// Table K.2, in rows.
const CHROMINANCE: [u8; 64] = [
    17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99,
];

/// Figure A.6: the index in rows of each coefficient in zigzag order.
const ZIGZAG: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21,
    28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54,
    47, 55, 62, 63,
];

/// Returns the tables of luminance and chrominance. Values exceed 255 at qualities below 24, as in libtiff.
pub(super) fn quantization(quality: u8) -> [[u16; 64]; 2] {
    let quality = u32::from(quality.clamp(1, 100));
    let percent = if quality < 50 { 5000 / quality } else { 200 - 2 * quality };
    [LUMINANCE, CHROMINANCE].map(|table| {
        table.map(|step| u16::try_from((u32::from(step) * percent + 50) / 100).unwrap_or(u16::MAX).clamp(1, 32_767))
    })
}

/// Returns whether a table needs 16 bits per value, and the frame therefore the marker SOF1 (T.81 table B.4).
pub(super) fn is_wide(table: &[u16; 64]) -> bool {
    table.iter().any(|step| *step > 255)
}

/// Returns the value of tag 347: a stream of the quantization tables alone.
pub(super) fn stream(quality: u8, with_chrominance: bool) -> Vec<u8> {
    let mut stream = vec![0xFF, 0xD8];
    let tables = quantization(quality);
    for (index, table) in (0u8..).zip(&tables[..if with_chrominance { 2 } else { 1 }]) {
        let wide = is_wide(table);
        stream.extend_from_slice(&[0xFF, 0xDB, 0, if wide { 131 } else { 67 }, u8::from(wide) << 4 | index]);
        for step in ZIGZAG.map(|place| table[usize::from(place)].to_be_bytes()) {
            stream.extend_from_slice(if wide { &step } else { &step[1..] });
        }
    }
    stream.extend_from_slice(&[0xFF, 0xD9]);
    stream
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_follow_the_quality() {
        assert_eq!(quantization(50), [LUMINANCE, CHROMINANCE].map(|table| table.map(u16::from)));
        assert_eq!(quantization(100), [[1; 64]; 2]);
        assert_eq!(quantization(1)[1][63], 4950);
        assert_eq!(stream(75, true).len(), 142, "as in GDAL's files");
        assert_eq!(stream(75, false).len(), 73);
        assert_eq!(stream(1, true).len(), 2 + 2 * 133 + 2);
        assert!(!quantization(24).iter().any(is_wide) && is_wide(&quantization(23)[0]));
    }

    #[test]
    fn the_zigzag_visits_every_coefficient() {
        let mut places = ZIGZAG;
        places.sort_unstable();
        assert!((0..64).eq(places.map(usize::from)));
    }
}
