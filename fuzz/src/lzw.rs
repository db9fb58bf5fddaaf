//! The LZW encoder against weezl.

use cogsmith::Compression;
use cogsmith::conformance::compress_tiles;
use weezl::BitOrder;

use super::Choices;

pub fn run(data: &[u8]) {
    let choices = &mut Choices::new(data);
    // The dictionary is full after some ten thousand bytes of noise, and after far more that repeat.
    let most = choices.pick(&[20_000, 5_000, 40_000, 200_000]);
    let bytes = if choices.flag() { choices.bytes(most).to_vec() } else { choices.structured(most) };
    let streams = compress_tiles(Compression::Lzw, 0, 0, &[&bytes, &bytes]).expect("LZW takes any bytes");
    assert!(streams[0] == streams[1], "a used encoder");
    let back =
        weezl::decode::Decoder::with_tiff_size_switch(BitOrder::Msb, 8).decode(&streams[0]).expect("weezl decodes");
    assert!(back == bytes, "{} bytes", bytes.len());
    // The dictionary is emptied earlier than weezl does it: no more than that may be lost.
    let theirs = weezl::encode::Encoder::with_tiff_size_switch(BitOrder::Msb, 8).encode(&bytes).expect("weezl encodes");
    assert!(streams[0].len() <= theirs.len() + theirs.len() / 100 + 8, "{} of {}", streams[0].len(), theirs.len());
}
