//! Whole files with default options, on one and on all threads.

mod support;

use cogsmith::{EncodeOptions, Executor, Interleave};
use divan::Bencher;
use divan::counter::BytesCount;
use support::Held;

fn main() {
    divan::main();
}

#[divan::bench(args = [1, 0], sample_count = 5)]
fn whole(bencher: Bencher<'_, '_>, threads: usize) {
    run(bencher, threads, Interleave::Pixel);
}

#[divan::bench(args = [1, 0], sample_count = 5)]
fn whole_by_band(bencher: Bencher<'_, '_>, threads: usize) {
    run(bencher, threads, Interleave::Band);
}

/// 0 threads means all cores.
fn run(bencher: Bencher<'_, '_>, threads: usize, interleave: Interleave) {
    let executor = if threads == 0 { Executor::all_cores() } else { Executor::threads(threads) };
    let executor = executor.expect("threads can be started");
    let image = Held::terrain(3000, 3000, 4);
    let options = EncodeOptions::new().interleave(interleave);
    bencher.counter(BytesCount::new(image.bytes())).bench(|| image.encode(&options, &executor));
}
