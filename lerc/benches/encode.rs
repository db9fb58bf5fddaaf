//! Tiles of 512 x 512, on one thread, by one encoder. `tests/judges/lerc.py --speed` compares with libLerc.

#[path = "../tests/support/rasters.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod rasters;

use cogsmith_lerc::{Encoder, Image};
use divan::Bencher;
use divan::counter::BytesCount;
use rasters::{Case, Value};

fn main() {
    divan::main();
}

const ERRORS: [f64; 3] = [0.0, 0.01, 2.0];

#[divan::bench(types = [u8, i16, u16, f32, f64], args = ERRORS)]
fn terrain<T: Value>(bencher: Bencher<'_, '_>, max_z_error: f64) {
    encode::<T>(bencher, "terrain", 1, max_z_error);
}

#[divan::bench(types = [u8, u16], args = ERRORS)]
fn terrain_of_three_bands<T: Value>(bencher: Bencher<'_, '_>, max_z_error: f64) {
    encode::<T>(bencher, "terrain", 3, max_z_error);
}

#[divan::bench(types = [u8, u16])]
fn classes<T: Value>(bencher: Bencher<'_, '_>) {
    encode::<T>(bencher, "classes", 1, 0.0);
}

fn encode<T: Value>(bencher: Bencher<'_, '_>, kind: &'static str, bands: usize, max_z_error: f64) {
    let case = Case { kind, width: 512, height: 512, bands, mask: None, max_z_error };
    let samples: Vec<T> = case.samples();
    let image = Image { width: 512, height: 512, bands, samples: &samples };
    let (mut encoder, mut out) = (Encoder::new(), Vec::new());
    bencher.counter(BytesCount::of_slice(&samples)).bench_local(|| {
        out.clear();
        encoder.encode(&image, None, max_z_error, &mut out).expect("a blob");
        out.len()
    });
}
