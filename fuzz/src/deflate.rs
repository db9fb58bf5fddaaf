//! The DEFLATE encoder: whatever the bytes, the layout and the level, other decoders give the bytes back.

use std::io::Read;

use cogsmith::Compression;
use cogsmith::conformance::compress_tiles;

use super::Choices;

/// Units are 32 KiB, samples 256 KiB: a few of the first, and at times of the second.
const MOST: [usize; 8] = [70_000, 10_000, 3_000, 70_000, 33_000, 140_000, 3_000, 600_000];

struct Job {
    level: u8,
    row_bytes: usize,
    planes: usize,
    bytes: Vec<u8>,
}

impl Job {
    fn new(data: &[u8]) -> Self {
        let choices = &mut Choices::new(data);
        let level = 1 + choices.byte() % 9;
        let row_bytes = match choices.byte() {
            0 => 0,
            1 => usize::MAX,
            small @ 2..100 => small.into(),
            _ => choices.u16().into(),
        };
        let planes = choices.pick(&[1, 0, 2, 3, 4, 8, 16, usize::MAX]);
        let most = choices.pick(&MOST);
        let bytes = if choices.flag() { choices.bytes(most).to_vec() } else { choices.structured(most) };
        Self { level, row_bytes, planes, bytes }
    }

    fn streams(&self, tiles: &[&[u8]]) -> Vec<Vec<u8>> {
        let deflate = Compression::Deflate { level: self.level };
        compress_tiles(deflate, self.row_bytes, self.planes, tiles).expect("a level of DEFLATE")
    }

    fn stream(&self) -> Vec<u8> {
        self.streams(&[&self.bytes]).remove(0)
    }

    /// Says what the stream was made of.
    fn name(&self) -> String {
        format!("{} bytes, level {}, rows {}, planes {}", self.bytes.len(), self.level, self.row_bytes, self.planes)
    }
}

/// zlib-rs and miniz_oxide.
pub fn run(data: &[u8]) {
    let job = Job::new(data);
    let stream = job.stream();
    let mut back = Vec::new();
    flate2::read::ZlibDecoder::new(stream.as_slice()).read_to_end(&mut back).expect("zlib-rs inflates");
    assert!(back == job.bytes, "zlib-rs: {}", job.name());
    let back = miniz_oxide::inflate::decompress_to_vec_zlib(&stream).expect("miniz_oxide inflates");
    assert!(back == job.bytes, "miniz_oxide: {}", job.name());
    // At worst the bytes are stored; the price of rows that are split is an estimate, which may err by a little.
    let (length, most) = (job.bytes.len(), job.bytes.len() + 16 + job.bytes.len() / 200);
    assert!(stream.len() <= most, "{} of {}", stream.len(), job.name());

    // An encoder that has seen other bytes gives the same stream.
    let again = job.streams(&[&job.bytes[length / 3..], &job.bytes]);
    assert!(again[1] == stream, "a used encoder: {}", job.name());
}

/// One more decoder: what gives the bytes of a stream, whose number is known.
#[allow(dead_code, reason = "the replay has no further decoder")]
pub fn inflates(data: &[u8], decoder: impl Fn(&[u8], usize) -> Vec<u8>) {
    let job = Job::new(data);
    assert!(decoder(&job.stream(), job.bytes.len()) == job.bytes, "{}", job.name());
}
