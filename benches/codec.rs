//! Tiles alone: every codec, with its predictor, without overviews, on one thread.

mod support;

use cogsmith::{Compression, EncodeOptions, Executor, Overviews, Predictor};
use divan::Bencher;
use divan::counter::BytesCount;
use support::Held;

fn main() {
    divan::main();
}

const CASES: [(Compression, Predictor); 8] = [
    (Compression::None, Predictor::None),
    (Compression::Lzw, Predictor::Horizontal),
    (Compression::Deflate { level: 1 }, Predictor::Horizontal),
    (Compression::Deflate { level: 6 }, Predictor::None),
    (Compression::Deflate { level: 6 }, Predictor::Horizontal),
    (Compression::Zstd { level: 1 }, Predictor::Horizontal),
    (Compression::Zstd { level: 3 }, Predictor::Horizontal),
    (Compression::Zstd { level: 9 }, Predictor::Horizontal),
];

#[divan::bench(args = 0..CASES.len(), sample_count = 5)]
fn codec(bencher: Bencher<'_, '_>, case: usize) {
    let (compression, predictor) = CASES[case];
    let image = Held::terrain(2048, 2048, 1);
    let options = EncodeOptions::new().compression(compression).predictor(predictor).overviews(Overviews::None);
    let size = image.encode(&options, &Executor::serial());
    println!("case {case}: {compression:?}, {predictor:?}, ratio {:.3}", image.bytes() as f64 / size as f64);
    bencher.counter(BytesCount::new(image.bytes())).bench(|| image.encode(&options, &Executor::serial()));
}
