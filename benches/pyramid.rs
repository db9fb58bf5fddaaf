//! The pyramid alone: every kernel, without compression, on one thread.

mod support;

use cogsmith::{Compression, EncodeOptions, Executor, Resampling};
use divan::Bencher;
use divan::counter::BytesCount;
use support::Held;

fn main() {
    divan::main();
}

#[divan::bench(args = ["nearest", "average", "mode"], sample_count = 5)]
fn kernel(bencher: Bencher<'_, '_>, name: &str) {
    let resampling = match name {
        "nearest" => Resampling::Nearest,
        "average" => Resampling::Average,
        _ => Resampling::Mode,
    };
    let image = Held::terrain(2049, 2047, 1);
    let options =
        EncodeOptions { compression: Compression::None, resampling: Some(resampling), ..EncodeOptions::default() };
    bencher.counter(BytesCount::new(image.bytes())).bench(|| image.encode(&options, &Executor::serial()));
}
