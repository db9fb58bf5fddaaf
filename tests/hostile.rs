//! Files that are made to make the checks slow, or to take memory: each ends soon, and takes little.

#![cfg(feature = "geotiff")]

mod support;

use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use cogsmith::check::{self, CheckOptions, Depth};
use cogsmith::{Executor, ReadAt};
use support::allocator::{Counting, LIVE, PEAK};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Tag, field type, count, value or offset.
type Entry = (u16, u16, u64, u64);

/// The offset of the first values: after the header of a BigTIFF.
const POOL: u64 = 16;

/// A BigTIFF: values at [`POOL`], then a chain of directories.
fn file(pool: &[u8], directories: &[Vec<Entry>]) -> Vec<u8> {
    let mut at = (POOL + pool.len() as u64).next_multiple_of(2);
    let mut bytes = b"II\x2B\0\x08\0\0\0".to_vec();
    bytes.extend(at.to_le_bytes());
    bytes.extend(pool);
    bytes.resize(usize::try_from(at).unwrap(), 0);
    for (number, entries) in directories.iter().enumerate() {
        at += 16 + 20 * entries.len() as u64;
        let next = if number + 1 == directories.len() { 0 } else { at };
        bytes.extend((entries.len() as u64).to_le_bytes());
        for (tag, kind, count, value) in entries {
            bytes.extend(tag.to_le_bytes());
            bytes.extend(kind.to_le_bytes());
            bytes.extend(count.to_le_bytes());
            bytes.extend(value.to_le_bytes());
        }
        bytes.extend(next.to_le_bytes());
    }
    bytes
}

/// An image of bytes without compression.
fn image(kind: u64, [width, height]: [u64; 2], tile: [u64; 2], arrays: [Entry; 2]) -> Vec<Entry> {
    let [offsets, counts] = arrays;
    let long = |tag, value| (tag, 4, 1, value);
    let short = |tag, value| (tag, 3, 1, value);
    vec![
        long(254, kind),
        long(256, width),
        long(257, height),
        short(258, 8),
        short(259, 1),
        short(262, 1),
        short(277, 1),
        long(322, tile[0]),
        long(323, tile[1]),
        offsets,
        counts,
    ]
}

/// The same with other entries, in the order of tags.
fn with(mut image: Vec<Entry>, others: &[Entry]) -> Vec<Entry> {
    image.retain(|(tag, ..)| !others.iter().any(|(other, ..)| other == tag));
    image.extend(others);
    image.sort_unstable_by_key(|(tag, ..)| *tag);
    image
}

fn one_tile(offset: u64, count: u64) -> [Entry; 2] {
    [(324, 16, 1, offset), (325, 16, 1, count)]
}

/// Thousands of levels whose arrays are the same million tiles, all left out.
fn sparse_arrays_that_are_shared() -> Vec<u8> {
    let arrays = [(324, 4, 1 << 20, POOL), (325, 4, 1 << 20, POOL)];
    let levels: Vec<_> = (0..5000).map(|number| image(1, [16_000 - number; 2], [16, 16], arrays)).collect();
    file(&vec![0; 4 << 20], &levels)
}

/// As many bands as 63 bits can count, and no columns.
fn bands_without_end() -> Vec<u8> {
    let image = image(0, [0, 2000], [16, 16], one_tile(POOL, 10));
    file(&[0; 64], &[with(image, &[(277, 16, 1, i64::MAX as u64), (284, 3, 1, 2)])])
}

/// Bands tile by tile, as the metadata have it, of an image of a million times a million tiles.
fn places_without_end() -> Vec<u8> {
    let mut pool = b"GDAL_STRUCTURAL_METADATA_SIZE=000022 bytes\nBLOCK_ORDER=ROW_MAJOR\n".to_vec();
    let text = b"<GDALMetadata>\n<Item name=\"INTERLEAVE\">TILE</Item>\n</GDALMetadata>\0";
    let at = POOL + pool.len() as u64;
    pool.extend(text);
    let side = i64::from(i32::MAX) as u64;
    let image = image(0, [side; 2], [16, 16], one_tile(POOL, 10));
    file(&pool, &[with(image, &[(277, 3, 1, 3), (284, 3, 1, 2), (42112, 2, text.len() as u64, at)])])
}

/// Sixteen thousand GeoKeys, each with all numbers or the whole text there is.
fn keys_that_share_their_values() -> Vec<u8> {
    let mut pool = vec![b'a'; 1 << 16];
    let doubles_at = POOL + pool.len() as u64;
    pool.resize(pool.len() + 8 * 65_535, 0);
    let keys_at = POOL + pool.len() as u64;
    let mut keys = vec![1u16, 1, 0, 16_000];
    for id in 0..16_000 {
        keys.extend([id, if id % 2 == 0 { 34_736 } else { 34_737 }, 65_535, 0]);
    }
    pool.extend(keys.iter().flat_map(|number| number.to_le_bytes()));
    let image = image(0, [16, 16], [16, 16], one_tile(POOL, 256));
    let geo = [(34_735, 3, keys.len() as u64, keys_at), (34_736, 12, 65_535, doubles_at), (34_737, 2, 1 << 16, POOL)];
    file(&pool, &[with(image, &geo)])
}

/// As many levels and masks as a file may have.
fn levels_and_masks_without_end() -> Vec<u8> {
    let tile = one_tile(POOL, 256);
    let level = |kind, number: u64| image(kind, [60_000 - number, 16], [60_000, 16], tile);
    let all: Vec<_> = (0..30_000).map(|number| level(1, number)).chain((0..30_000).map(|n| level(5, n))).collect();
    file(&[0; 256], &all)
}

/// Thousands of small overviews that do not fit what is before them, so that the large image is looked at.
fn overviews_that_are_in_doubt() -> Vec<u8> {
    let deflated = |byte: u8, count: usize| {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::new(6));
        encoder.write_all(&vec![byte; count]).unwrap();
        encoder.finish().unwrap()
    };
    let parts = [deflated(0, 16_384 * 8192), deflated(255, 3008 * 16), deflated(0, 3008 * 16)];
    let starts = [0, parts[0].len(), parts[0].len() + parts[1].len()];
    let deflate = (259, 3, 1, 8);
    let tile = |part: usize| one_tile(POOL + starts[part] as u64, parts[part].len() as u64);
    let mut all = vec![with(image(0, [16_384, 8192], [16_384, 8192], tile(0)), &[deflate])];
    for number in 0..2900 {
        let part = if number % 2 == 0 { 1 } else { 2 };
        all.push(with(image(1, [3000 - number, 16], [3008, 16], tile(part)), &[deflate]));
    }
    file(&parts.concat(), &all)
}

/// Metadata whose one element has a hundred thousand attributes.
fn attributes_without_end() -> Vec<u8> {
    let mut text = "<GDALMetadata".to_owned();
    for number in 0..100_000 {
        let _ = write!(text, " a{number}=''");
    }
    text.push_str("/>\0");
    let image = image(0, [16, 16], [16, 16], one_tile(POOL, 256));
    file(text.as_bytes(), &[with(image, &[(42112, 2, text.len() as u64, POOL)])])
}

/// A file of a terabyte of zeros behind its first bytes.
struct Sparse(Vec<u8>);

impl ReadAt for Sparse {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> std::io::Result<usize> {
        buffer.fill(0);
        if let Some(held) = usize::try_from(offset).ok().and_then(|offset| self.0.get(offset..)) {
            let count = held.len().min(buffer.len());
            buffer[..count].copy_from_slice(&held[..count]);
        }
        Ok(buffer.len())
    }

    fn len(&self) -> u64 {
        1 << 40
    }
}

/// A screen of two hundred thousand tiles of half a terabyte each, behind a value as large.
fn tiles_of_half_a_terabyte() -> Sparse {
    const TILES: usize = 64 * 64 * 50;
    let mut pool = Vec::new();
    pool.extend((0..TILES as u64).flat_map(|tile| ((1u64 << 30) + tile * 7).to_le_bytes()));
    pool.extend([1u64 << 39; TILES].iter().flat_map(|count| count.to_le_bytes()));
    let arrays = [(324, 16, TILES as u64, POOL), (325, 16, TILES as u64, POOL + 8 * TILES as u64)];
    let image = image(0, [1024, 1024], [16, 16], arrays);
    Sparse(file(&pool, &[with(image, &[(277, 3, 1, 50), (284, 3, 1, 2), (700, 1, 1 << 39, 1 << 29)])]))
}

/// Judges and inspects a file; says what that takes.
fn ends_soon(name: &str, file: &dyn ReadAt) {
    let held = LIVE.load(Ordering::Relaxed);
    for depth in [Depth::Full, Depth::Quick] {
        PEAK.store(held, Ordering::Relaxed);
        let began = Instant::now();
        let options = CheckOptions::full().depth(depth).decode_limit(128 << 20);
        let report = check::validate(file, &options, &Executor::serial()).unwrap();
        let (judged, began) = (began.elapsed(), Instant::now());
        let _ = check::inspect(file);
        let inspected = began.elapsed();
        let peak = PEAK.load(Ordering::Relaxed) - held;
        println!("{name}, {depth:?}: {judged:.2?} and {inspected:.2?}, {} MiB, {:?}", peak >> 20, report.counts);
        assert!(judged.max(inspected) < Duration::from_secs(20), "{name}, {depth:?}: {judged:?} and {inspected:?}");
        // The limit of decoding, and what directories and places of tiles take.
        assert!(peak < 256 << 20, "{name}, {depth:?}: {} MiB", peak >> 20);
        assert!(!report.is_valid(false), "{name}, {depth:?}");
    }
}

/// One test, since what is allocated is counted for the whole process.
#[test]
fn whatever_is_claimed_time_and_memory_are_bounded() {
    ends_soon("sparse arrays", &sparse_arrays_that_are_shared());
    ends_soon("bands", &bands_without_end());
    ends_soon("places", &places_without_end());
    ends_soon("keys", &keys_that_share_their_values());
    ends_soon("levels and masks", &levels_and_masks_without_end());
    ends_soon("overviews", &overviews_that_are_in_doubt());
    ends_soon("attributes", &attributes_without_end());
    ends_soon("giant tiles", &tiles_of_half_a_terabyte());
}
