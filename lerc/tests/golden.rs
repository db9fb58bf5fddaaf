//! Blobs are those of libLerc: `golden.txt` has the CRC-32 of what it makes of the same images, written by
//! `tests/judges/lerc.py --golden`.

mod support {
    pub mod rasters;
}

use cogsmith_lerc::{Encoder, Image};
use support::rasters::{KINDS, Value, cases};

const GOLDEN: &str = include_str!("golden.txt");

/// A line for each kind of image: its name, the type, the number of bytes, and their CRC-32.
fn lines<T: Value>(name: &str, encoder: &mut Encoder) -> Vec<String> {
    let line = |kind: &'static str| {
        let (mut len, mut crc, mut blob) = (0, 0, Vec::new());
        for case in cases(kind) {
            let samples: Vec<T> = case.samples();
            let image = Image { width: case.width, height: case.height, bands: case.bands, samples: &samples };
            blob.clear();
            encoder.encode(&image, case.mask.as_deref(), case.max_z_error, &mut blob).expect("a blob");
            len += blob.len();
            crc = crc32(crc, &blob);
        }
        format!("{name} {kind} {len} {crc:08x}")
    };
    KINDS.into_iter().map(line).collect()
}

/// CRC-32 as in zlib, continued from `crc`.
fn crc32(crc: u32, bytes: &[u8]) -> u32 {
    !bytes
        .iter()
        .fold(!crc, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xEDB8_8320 * (crc & 1))))
}

#[test]
fn blobs_are_those_of_liblerc() {
    let encoder = &mut Encoder::new();
    let found = [
        lines::<i8>("i8", encoder),
        lines::<u8>("u8", encoder),
        lines::<i16>("i16", encoder),
        lines::<u16>("u16", encoder),
        lines::<i32>("i32", encoder),
        lines::<u32>("u32", encoder),
        lines::<f32>("f32", encoder),
        lines::<f64>("f64", encoder),
    ]
    .concat();
    let expected: Vec<&str> = GOLDEN.lines().collect();
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(found, expected);
    }
    assert_eq!(found.len(), expected.len());
}
