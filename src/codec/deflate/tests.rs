//! Streams of all kinds of bytes, at every level, decoded by zlib-rs (through flate2) and miniz_oxide.

use std::io::Read;

use super::{Encoder, Layout};

const PLAIN: Layout = Layout { row_bytes: 0, planes: 0 };

struct Random(u64);

impl Random {
    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as u32
    }

    fn below(&mut self, limit: u32) -> u32 {
        self.next() % limit
    }

    fn bytes(&mut self, length: usize, limit: u32) -> Vec<u8> {
        (0..length).map(|_| self.below(limit) as u8).collect()
    }

    /// Noise, runs, copies of earlier bytes, and ramps, one after the other.
    fn structured(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        while bytes.len() < length {
            let magnitude = self.below(14);
            let many = 1 + self.below(1 << magnitude) as usize;
            let limit = 1 + self.below(256);
            match self.below(5) {
                0 => bytes.extend(self.bytes(many, limit)),
                1 => bytes.extend(vec![limit as u8; many]),
                2 if !bytes.is_empty() => {
                    let distance = 1 + self.below(bytes.len().min(40_000) as u32) as usize;
                    for _ in 0..many {
                        bytes.push(bytes[bytes.len() - distance]);
                    }
                }
                3 => bytes.extend((0..many).map(|index| (index as u32 * limit / 64) as u8)),
                _ => bytes.extend((0..many).map(|_| [0, 0, 0, 1, 255][self.below(5) as usize])),
            }
        }
        bytes.truncate(length);
        bytes
    }
}

fn encoded(encoder: &mut Encoder, input: &[u8], layout: Layout) -> Vec<u8> {
    let mut out = vec![9, 8, 7];
    encoder.zlib(input, layout, &mut out);
    assert_eq!(out[..3], [9, 8, 7]);
    out.split_off(3)
}

fn check(input: &[u8], layout: Layout, level: u8) -> usize {
    let stream = encoded(&mut Encoder::new(level).unwrap(), input, layout);
    let mut back = Vec::new();
    flate2::read::ZlibDecoder::new(stream.as_slice()).read_to_end(&mut back).unwrap();
    assert!(back == input, "zlib-rs, level {level}, {} bytes, {layout:?}", input.len());
    let back = miniz_oxide::inflate::decompress_to_vec_zlib(&stream).unwrap();
    assert!(back == input, "miniz_oxide, level {level}, {} bytes, {layout:?}", input.len());
    // In the worst case, the bytes are stored.
    assert!(stream.len() <= input.len() + 11 + input.len() / 30_000 * 5, "{} of {}", stream.len(), input.len());
    stream.len()
}

fn check_all(input: &[u8], layout: Layout) {
    for level in 1..=9 {
        check(input, layout, level);
    }
}

#[test]
fn levels_are_1_to_9() {
    assert!(Encoder::new(0).is_none());
    assert!(Encoder::new(10).is_none());
    assert!((1..=9).all(|level| Encoder::new(level).is_some()));
}

#[test]
fn small_inputs() {
    for length in 0..40 {
        check_all(&vec![7; length], PLAIN);
        check_all(&Random(3).bytes(length, 256), PLAIN);
        check_all(&Random(4).bytes(length, 3), Layout { row_bytes: 5, planes: 4 });
    }
}

#[test]
fn equal_bytes_take_next_to_nothing() {
    for length in [1000, 65_535, 65_536, 300_000, 1_200_000] {
        for level in [1, 6, 9] {
            let size = check(&vec![0; length], Layout { row_bytes: 512, planes: 1 }, level);
            assert!(size <= 40 + length / 900, "{size} of {length}, level {level}");
        }
    }
    // The mask of a tile of 512 x 512 pixels, one bit each.
    assert!(check(&[0xFF; 32_768], Layout { row_bytes: 64, planes: 1 }, 6) <= 60);
}

#[test]
fn wide_rows_that_are_nearly_empty_take_next_to_nothing() {
    // In pixels of six bytes that are all equal, a predictor leaves only the first one of each row.
    let mut row = vec![232, 3, 7, 1, 20, 9];
    row.resize(3072, 0);
    for level in [1, 6, 9] {
        let size = check(&row.repeat(512), Layout { row_bytes: 3072, planes: 1 }, level);
        assert!(size <= 2_700, "{size}, level {level}");
    }
}

#[test]
fn rows_of_noise_that_repeat_are_found_from_the_second_on() {
    for width in [150, 1024, 3000] {
        let row = Random(14).bytes(width, 256);
        for level in [1, 6] {
            let size = check(&row.repeat(200_000 / width), Layout { row_bytes: width, planes: 1 }, level);
            assert!(size <= width + 2_500, "{size}, rows of {width}, level {level}");
        }
    }
}

#[test]
fn pixels_whose_bands_change_alike_repeat() {
    let mut random = Random(13);
    let bytes: Vec<u8> = (0..150_000).flat_map(|_| [random.below(40) as u8 * 5; 3]).collect();
    let size = check(&bytes, Layout { row_bytes: 1536, planes: 1 }, 6);
    // A pixel carries five and a third bits; as literals, it takes 16.
    assert!(size < bytes.len() * 50 / 100, "{size} of {}", bytes.len());
}

#[test]
fn noise_is_stored() {
    for length in [1, 100, 65_535, 65_536, 200_001] {
        check_all(&Random(5).bytes(length, 256), Layout { row_bytes: 1024, planes: 1 });
    }
}

#[test]
fn runs_and_copies_cross_the_borders_of_blocks() {
    let mut random = Random(6);
    let mut bytes = random.bytes(32_700, 256);
    bytes.extend(vec![1; 700]);
    bytes.extend(random.bytes(98_000, 50));
    bytes.extend(vec![2; 200_000]);
    bytes.extend_from_within(131_000..131_900);
    for _ in 0..4 {
        bytes.extend_from_within(0..32_768);
    }
    check_all(&bytes, Layout { row_bytes: 700, planes: 1 });
}

#[test]
fn the_worst_trees() {
    // Counts from Fibonacci's series create the deepest trees.
    let mut bytes = Vec::new();
    let (mut one, mut two) = (1usize, 1usize);
    for symbol in 0..26u8 {
        bytes.extend(vec![symbol.wrapping_mul(37); one]);
        (one, two) = (two, one + two);
    }
    let mut random = Random(7);
    for index in (1..bytes.len()).rev() {
        bytes.swap(index, random.below(index as u32 + 1) as usize);
    }
    for level in [1, 6, 7, 9] {
        check(&bytes, PLAIN, level);
    }
}

#[test]
fn layouts_decide_nothing_but_the_size() {
    let mut random = Random(8);
    for length in [300, 5_000, 70_000] {
        let bytes = random.structured(length);
        let rows = [0, 1, 2, 3, 7, 8, 9, 64, 385, 1024, 4096, 32_767, 32_768, 32_769, length, length + 1, usize::MAX];
        for row_bytes in rows {
            for planes in [0, 1, 3, 4, 8, usize::MAX] {
                check(&bytes, Layout { row_bytes, planes }, 6);
            }
        }
    }
}

#[test]
fn structured_bytes() {
    let mut random = Random(9);
    for round in 0..60u8 {
        let length = 1 + random.below(1 << (6 + round % 13)) as usize;
        let bytes = random.structured(length);
        let row_bytes = random.below(3000) as usize;
        check(&bytes, Layout { row_bytes, planes: random.below(9) as usize }, 1 + round % 9);
        check(&bytes, Layout { row_bytes, planes: 1 }, 6);
    }
}

/// Rows of planes, the first nearly empty and the last noise, with a nodata area at the end where `nodata` says so.
fn planes(random: &mut Random, planes: usize, width: usize, rows: usize, nodata: impl Fn(usize) -> usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for row in 0..rows {
        for plane in 0..planes {
            let limit = if 2 * plane < planes { 1 + 5 * plane as u32 } else { 256 };
            let valid = nodata(row).min(width);
            bytes.extend((0..valid).map(|_| random.below(limit) as u8));
            bytes.extend(vec![0; width - valid]);
        }
    }
    bytes
}

#[test]
fn noisy_planes_are_stored_row_by_row() {
    let mut random = Random(10);
    for (count, width, rows) in [(4, 512, 200), (8, 256, 70), (4, 96, 1000), (4, 95, 300), (8, 20_000, 3)] {
        let layout = Layout { row_bytes: count * width, planes: count };
        for nodata in [|_| usize::MAX, |row: usize| row * 5 % 600, |row: usize| if row % 9 < 3 { 0 } else { 1000 }] {
            let mut bytes = planes(&mut random, count, width, rows, nodata);
            check(&bytes, layout, 1);
            let size = check(&bytes, layout, 6);
            check(&bytes, layout, 9);
            if nodata(0) == usize::MAX && width >= 512 {
                // The noise, and at most about a third of the rest.
                assert!(size < bytes.len() * 70 / 100, "{size} of {}", bytes.len());
            }
            bytes.truncate(bytes.len() - 77);
            check(&bytes, layout, 6);
        }
    }
}

#[test]
fn a_reused_encoder_gives_the_bytes_of_a_new_one() {
    for level in [1, 6, 9] {
        let mut random = Random(11);
        let mut reused = Encoder::new(level).unwrap();
        for round in 0..30 {
            let length = 1 + random.below(1 << (4 + round % 15)) as usize;
            let bytes = if round % 7 == 6 {
                planes(&mut random, 4, 128, length.div_ceil(512), |_| 100)
            } else {
                random.structured(length)
            };
            let layout = Layout { row_bytes: 512, planes: 1 + 3 * (round % 2) };
            let fresh = encoded(&mut Encoder::new(level).unwrap(), &bytes, layout);
            assert!(encoded(&mut reused, &bytes, layout) == fresh, "round {round}, level {level}");
        }
    }
}

#[test]
fn more_effort_is_not_larger() {
    let mut random = Random(12);
    let bytes = random.structured(400_000);
    let layout = Layout { row_bytes: 512, planes: 1 };
    let sizes = [1, 6, 9].map(|level| check(&bytes, layout, level));
    assert!(sizes[1] <= sizes[0] * 101 / 100 && sizes[2] <= sizes[1], "{sizes:?}");
}

#[test]
fn finders_that_rest_wake_up() {
    let mut random = Random(14);
    // At level 9, slow finders also run on noise: they back off, but return soon and find the matches.
    let noise = random.bytes(800_000, 256);
    let repeats: Vec<u8> = (0..200_000).flat_map(|_| [random.below(40) as u8 * 5; 3]).collect();
    let layout = Layout { row_bytes: 1536, planes: 1 };
    for level in 7..=9 {
        let apart = check(&noise, layout, level) + check(&repeats, layout, level);
        let together = check(&[&noise[..], &repeats].concat(), layout, level);
        assert!(together * 100 < apart * 102, "{together} of {apart}, level {level}");
    }
}

#[test]
fn short_repeats_are_found_by_more_effort_too() {
    let mut random = Random(15);
    // Pieces of four to seven bytes of few kinds: chains of eight bytes alone hardly find them.
    let kinds: Vec<Vec<u8>> = (0..400)
        .map(|_| {
            let length = 4 + random.below(4) as usize;
            random.bytes(length, 256)
        })
        .collect();
    let bytes: Vec<u8> = (0..60_000).flat_map(|_| kinds[random.below(400) as usize].clone()).collect();
    let layout = Layout { row_bytes: 512, planes: 1 };
    let sizes = [6, 7, 9].map(|level| check(&bytes, layout, level));
    assert!(sizes[1..].iter().all(|size| size * 100 < sizes[0] * 101), "{sizes:?}");
}

/// Differences of words: their upper bytes are 0 or 255, at odd positions or not.
fn words(random: &mut Random, many: usize, odd: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..many {
        let difference = (random.below(20) + random.below(20)) as i16 - 20;
        bytes.extend(if odd { difference.to_le_bytes() } else { difference.to_be_bytes() });
    }
    bytes
}

#[test]
fn words_repeat_in_pairs() {
    let mut random = Random(9);
    for odd in [true, false] {
        let bytes = words(&mut random, 200_000, odd);
        let layout = Layout { row_bytes: 2000, planes: 1 };
        let (without, with) = (check(&bytes, layout, 5), check(&bytes, layout, 6));
        assert!(with * 100 < without * 98, "{with} of {without}");
        // Positions wrap at 64 KiB, blocks end anywhere, and empty or long spans lie in between.
        let mut mixed = bytes[..150_001].to_vec();
        mixed.extend(vec![0; 70_000]);
        mixed.extend_from_within(140_000..149_000);
        mixed.extend(&bytes[100_000..]);
        check(&mixed, layout, 6);
        for length in [65_535, 65_549, 131_073, 262_150] {
            check(&bytes[..length], PLAIN, 6);
        }
    }
}
