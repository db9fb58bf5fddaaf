//! The pure-Rust ZSTD encoder against the C library: every level, data of many kinds, every stream decoded.

use cogsmith::{CogPlan, Compression, DataType, EncodeOptions, GeoRef, ImageSpec, Metadata, Overviews, SliceSource};
use cogsmith::{Predictor, TileSize};

/// One 256x256 tile of bytes: its compressed payload.
fn compressed(pixels: &[u8], level: u8) -> Vec<u8> {
    let spec = ImageSpec::new(256, 256, 1, DataType::U8);
    let options = EncodeOptions::new()
        .compression(Compression::Zstd { level })
        .predictor(Predictor::None)
        .tile_size(TileSize::square(256))
        .overviews(Overviews::None);
    let plan = CogPlan::new(&spec, &GeoRef::default(), &Metadata::default(), &options).unwrap();
    let file = cogsmith::encode_to_vec(&mut SliceSource::new(spec, pixels).unwrap(), &plan).unwrap();
    // A single tile ends the file: its leader, at the end of the header, gives its length.
    let magic = [0x28, 0xB5, 0x2F, 0xFD];
    let start = file.windows(4).position(|bytes| bytes == magic).expect("a Zstandard frame");
    let size = u32::from_le_bytes(file[start - 4..start].try_into().unwrap()) as usize;
    assert_eq!(file.len(), start + size + 4);
    file[start..start + size].to_vec()
}

/// Tiles of 65536 bytes, of kinds that take different paths through an encoder.
fn tiles() -> Vec<Vec<u8>> {
    const LENGTH: u32 = 65_536;
    let mut state = 0x1234_5678u32;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state
    };
    let byte = |value: u32| value.to_le_bytes()[0];
    let mut tiles: Vec<Vec<u8>> = vec![
        vec![0; LENGTH as usize],
        (0..LENGTH).map(byte).collect(),
        (0..LENGTH).map(|index| byte(index / 700)).collect(),
        (0..LENGTH).map(|index| byte(index % 256 * (index / 256 % 3))).collect(),
        (0..LENGTH).map(|_| byte(random())).collect(),
        (0..LENGTH).map(|_| byte(random() % 4)).collect(),
        (0..LENGTH).map(|index| if index % 5000 < 4000 { 7 } else { byte(random()) }).collect(),
        (0..LENGTH).map(|index| byte((index % 256 / 9) ^ (index / 256 / 11)) & 0x1F).collect(),
    ];
    // Mixtures of runs, copies and noise.
    for _ in 0..24 {
        let mut tile: Vec<u8> = Vec::new();
        while tile.len() < LENGTH as usize {
            let length = (random() % 900) as usize + 1;
            match random() % 3 {
                0 => tile.extend(std::iter::repeat_n(byte(random()), length)),
                1 if !tile.is_empty() => {
                    let start = random() as usize % tile.len();
                    let end = (start + length).min(tile.len());
                    tile.extend_from_within(start..end);
                }
                _ => {
                    let noise: Vec<u8> = (0..length).map(|_| byte(random() % 61)).collect();
                    tile.extend(noise);
                }
            }
        }
        tile.truncate(LENGTH as usize);
        tiles.push(tile);
    }
    tiles
}

#[test]
fn the_c_library_decodes_every_frame_of_every_level() {
    let tiles = tiles();
    let (mut ours, mut theirs) = (0, 0);
    for level in 1..=22u8 {
        // The strongest levels are slow: fewer tiles do.
        let count = if level > 12 { 10 } else { tiles.len() };
        for (index, tile) in tiles.iter().take(count).enumerate() {
            let frame = compressed(tile, level);
            let decoded = zstd::bulk::decompress(&frame, tile.len());
            assert!(decoded.is_ok_and(|bytes| bytes == *tile), "level {level}, tile {index}");
            ours += frame.len();
            theirs += zstd::bulk::compress(tile, level.into()).unwrap().len();
        }
    }
    // As small as the C library, within a few per cent over all.
    let ratio = ours as f64 / theirs as f64;
    println!("{ours} bytes, the C library {theirs}: {ratio:.4}");
    assert!(ratio < 1.03, "{ratio}");
}

#[test]
fn levels_are_honoured() {
    let tiles = tiles();
    let total = |level| tiles.iter().map(|tile| compressed(tile, level).len()).sum::<usize>();
    let sizes = [1, 3, 9, 19].map(total);
    assert!(sizes.is_sorted_by(|weak, strong| weak > strong), "{sizes:?}");
    let tile = &tiles[9];
    let deflate = [1, 9].map(|level| {
        let spec = ImageSpec::new(256, 256, 1, DataType::U8);
        let options = EncodeOptions::new().compression(Compression::Deflate { level });
        let plan = CogPlan::new(&spec, &GeoRef::default(), &Metadata::default(), &options).unwrap();
        cogsmith::encode_to_vec(&mut SliceSource::new(spec, tile).unwrap(), &plan).unwrap().len()
    });
    assert!(deflate[1] < deflate[0], "{deflate:?}");
}
