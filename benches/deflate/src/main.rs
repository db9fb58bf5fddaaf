//! The library's DEFLATE and LZW encoders against libdeflate, zlib-rs and weezl, on the data sets of `sets.tsv`.
//!
//!     cargo run --release --manifest-path benches/deflate/Cargo.toml -- [--corpus RAW] [--group design|held]
//!         [--only WORD]… [--level N] [--rounds N] [--lzw]
//!
//! RAW is a folder that `corpus.py` filled; without it only the made sets run. Every stream is decoded by libdeflate
//! and zlib-rs (LZW: weezl) and compared. Times are CPU time of the thread, the best of N interleaved rounds.

#[path = "../../../src/codec/deflate/mod.rs"]
#[allow(dead_code)]
mod deflate;
#[path = "../../../src/codec/lzw.rs"]
mod lzw;
mod made;
#[path = "../../../src/processor.rs"]
#[allow(dead_code)]
mod processor;
mod report;
mod tiles;

use std::path::PathBuf;
use std::time::Duration;

use cpu_time::ThreadTime;
use made::Raster;
use tiles::Tile;

struct Arguments {
    corpus: Option<PathBuf>,
    group: Option<String>,
    only: Vec<String>,
    level: u8,
    rounds: usize,
    lzw: bool,
}

fn arguments() -> Arguments {
    let mut found = Arguments { corpus: None, group: None, only: Vec::new(), level: 6, rounds: 5, lzw: false };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().expect("a value after the option");
        match word.as_str() {
            "--corpus" => found.corpus = Some(value().into()),
            "--group" => found.group = Some(value()),
            "--only" => found.only.push(value()),
            "--level" => found.level = value().parse().expect("a level"),
            "--rounds" => found.rounds = value().parse().expect("a number"),
            "--lzw" => found.lzw = true,
            _ => panic!("unknown option {word}"),
        }
    }
    found
}

fn read_raw(path: &std::path::Path) -> Raster {
    let bytes = std::fs::read(path).expect("a readable raw file");
    let end = bytes.iter().position(|&byte| byte == b'\n').expect("a header");
    let header = std::str::from_utf8(&bytes[..end]).expect("a header of text");
    let numbers: Vec<usize> = header.split(' ').map(|word| word.parse().expect("a number")).collect();
    Raster {
        columns: numbers[0],
        rows: numbers[1],
        samples: numbers[2],
        sample_size: numbers[3],
        float: numbers[4] == 1,
        bytes: bytes[end + 1..].to_vec(),
    }
}

/// Runs `work` so often that the clock can be read, and returns the time of one run.
fn timed(mut work: impl FnMut()) -> Duration {
    let mut runs = 0;
    let start = ThreadTime::now();
    loop {
        work();
        runs += 1;
        let elapsed = start.elapsed();
        if elapsed > Duration::from_millis(20) {
            return elapsed / runs;
        }
    }
}

fn main() {
    let arguments = arguments();
    let mut lines = Vec::new();
    for line in include_str!("../sets.tsv").lines().skip(1) {
        let [group, name, class, source, predictor] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("sets.tsv: {line}")
        };
        let wanted = arguments.only.is_empty() || arguments.only.iter().any(|word| name.contains(word.as_str()));
        if arguments.group.as_deref().is_some_and(|asked| asked != group) || !wanted {
            continue;
        }
        let raster = match (source.strip_prefix("made:"), &arguments.corpus) {
            (Some(generator), _) => made::made(generator),
            (None, Some(folder)) => read_raw(&folder.join(format!("{name}.raw"))),
            (None, None) => continue,
        };
        let predictor: u8 = predictor.parse().expect("a predictor");
        assert!((predictor == 3) <= raster.float, "{name}");
        let tiles = tiles::tiles(&raster, predictor);
        let mut result = if arguments.lzw {
            lzws(&tiles, arguments.rounds)
        } else {
            deflates(&tiles, if predictor == 3 { raster.sample_size } else { 1 }, arguments.level, arguments.rounds)
        };
        (result.group, result.name, result.class) = (group.to_owned(), name.to_owned(), class.to_owned());
        report::line(&result);
        lines.push(result);
    }
    report::summary(&lines);
}

/// Compresses the tiles with ours, libdeflate and zlib-rs, and inflates what came out.
fn deflates(tiles: &[Tile], planes: usize, level: u8, rounds: usize) -> report::Result {
    let raw: usize = tiles.iter().map(|tile| tile.bytes.len()).sum();
    let mut ours = deflate::Encoder::new(level).expect("a level");
    let mut foreign = libdeflater::Compressor::new(libdeflater::CompressionLvl::new(6).expect("a level"));
    let mut zlib = flate2::Compress::new(flate2::Compression::new(6), true);
    let mut streams: [Vec<Vec<u8>>; 3] = std::array::from_fn(|_| vec![Vec::new(); tiles.len()]);
    let mut seconds = [f64::MAX; 3];
    let room = |tile: &Tile| tile.bytes.len() + tile.bytes.len() / 8 + 1000;
    for _ in 0..rounds {
        let time = timed(|| {
            for (tile, out) in tiles.iter().zip(&mut streams[0]) {
                out.clear();
                ours.zlib(&tile.bytes, deflate::Layout { row_bytes: tile.row_bytes, planes }, out);
            }
        });
        seconds[0] = seconds[0].min(time.as_secs_f64());
        let time = timed(|| {
            for (tile, out) in tiles.iter().zip(&mut streams[1]) {
                out.resize(room(tile), 0);
                let length = foreign.zlib_compress(&tile.bytes, out).expect("room");
                out.truncate(length);
            }
        });
        seconds[1] = seconds[1].min(time.as_secs_f64());
        let time = timed(|| {
            for (tile, out) in tiles.iter().zip(&mut streams[2]) {
                out.clear();
                out.reserve(room(tile));
                zlib.reset();
                zlib.compress_vec(&tile.bytes, out, flate2::FlushCompress::Finish).expect("room");
            }
        });
        seconds[2] = seconds[2].min(time.as_secs_f64());
    }
    let mut inflate_libdeflate = [f64::MAX; 2];
    let mut inflate_zlib = [f64::MAX; 2];
    let mut decoder = libdeflater::Decompressor::new();
    let longest = tiles.iter().map(|tile| tile.bytes.len()).max().unwrap_or(0);
    let mut back = vec![0; longest];
    for kind in 0..2 {
        for (tile, stream) in tiles.iter().zip(&streams[kind]) {
            back.fill(0x55);
            let length = decoder.zlib_decompress(stream, &mut back[..tile.bytes.len()]).expect("libdeflate decodes");
            assert!(back[..length] == tile.bytes[..], "libdeflate");
            back.fill(0x55);
            let mut inflate = flate2::Decompress::new(true);
            let status =
                inflate.decompress(stream, &mut back, flate2::FlushDecompress::Finish).expect("zlib-rs decodes");
            assert!(status == flate2::Status::StreamEnd && back[..tile.bytes.len()] == tile.bytes[..], "zlib-rs");
        }
    }
    for _ in 0..rounds {
        for kind in 0..2 {
            let time = timed(|| {
                for (tile, stream) in tiles.iter().zip(&streams[kind]) {
                    decoder.zlib_decompress(stream, &mut back[..tile.bytes.len()]).expect("decoded before");
                }
            });
            inflate_libdeflate[kind] = inflate_libdeflate[kind].min(time.as_secs_f64());
            let mut inflate = flate2::Decompress::new(true);
            let time = timed(|| {
                for stream in &streams[kind] {
                    inflate.reset(true);
                    inflate.decompress(stream, &mut back, flate2::FlushDecompress::Finish).expect("decoded before");
                }
            });
            inflate_zlib[kind] = inflate_zlib[kind].min(time.as_secs_f64());
        }
    }
    report::Result {
        raw,
        sizes: streams.map(|streams| streams.iter().map(Vec::len).sum()),
        seconds,
        inflate: [inflate_libdeflate[1] / inflate_libdeflate[0], inflate_zlib[1] / inflate_zlib[0]],
        ..report::Result::default()
    }
}

/// Compresses the tiles with our LZW and weezl's, and decodes what came out.
fn lzws(tiles: &[Tile], rounds: usize) -> report::Result {
    let raw: usize = tiles.iter().map(|tile| tile.bytes.len()).sum();
    let mut ours = lzw::Encoder::default();
    let order = weezl::BitOrder::Msb;
    let mut foreign = weezl::encode::Encoder::with_tiff_size_switch(order, 8);
    let mut streams: [Vec<Vec<u8>>; 2] = std::array::from_fn(|_| vec![Vec::new(); tiles.len()]);
    let mut seconds = [f64::MAX; 3];
    for _ in 0..rounds {
        let time = timed(|| {
            for (tile, out) in tiles.iter().zip(&mut streams[0]) {
                out.clear();
                ours.encode(&tile.bytes, out);
            }
        });
        seconds[0] = seconds[0].min(time.as_secs_f64());
        let time = timed(|| {
            for (tile, out) in tiles.iter().zip(&mut streams[1]) {
                out.clear();
                foreign.reset();
                foreign.into_vec(out).encode_all(&tile.bytes).status.expect("weezl encodes");
            }
        });
        seconds[1] = seconds[1].min(time.as_secs_f64());
    }
    for (tile, stream) in tiles.iter().zip(&streams[0]) {
        let back = weezl::decode::Decoder::with_tiff_size_switch(order, 8).decode(stream).expect("weezl decodes");
        assert!(back == tile.bytes, "LZW");
    }
    let [ours, theirs] = streams.map(|streams| streams.iter().map(Vec::len).sum());
    report::Result { raw, sizes: [ours, theirs, theirs], seconds, inflate: [1.0; 2], ..report::Result::default() }
}
