//! The ZSTD encoder in pure Rust against the C library.

use cogsmith::Compression;
use cogsmith::conformance::compress_tiles;

use super::Choices;

pub fn run(data: &[u8]) {
    let choices = &mut Choices::new(data);
    let level = 1 + choices.byte() % 22;
    // The strongest levels are slow.
    let most = if level > 12 { 2_000 } else { choices.pick(&[30_000, 5_000, 70_000, 300_000]) };
    let bytes = if choices.flag() { choices.bytes(most).to_vec() } else { choices.structured(most) };
    let frames = compress_tiles(Compression::Zstd { level }, 0, 0, &[&bytes]).expect("a level of ZSTD");
    let frame = &frames[0];
    let back = ::zstd::bulk::decompress(frame, bytes.len()).expect("the C library decodes");
    assert!(back == bytes, "{} bytes, level {level}", bytes.len());
    let size = ::zstd::zstd_safe::get_frame_content_size(frame).ok().flatten();
    assert_eq!(size, Some(bytes.len() as u64), "the frame says how long its content is");
}
