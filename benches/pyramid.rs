//! The pyramid alone: every kernel and the commonest types, without compression, on one thread. The sides are odd, which
//! is the normal case, or even. `none` is what remains without overviews.

mod support;

use std::ops::ControlFlow;

use cogsmith::{
    CogPlan, Compression, EncodeOptions, Executor, GeoRef, ImageSpec, Metadata, Nodata, Overviews, Predictor,
    Resampling, Sample, SliceSource, StoreOptions,
};
use divan::Bencher;
use divan::counter::BytesCount;
use support::Terrain;

fn main() {
    divan::main();
}

/// A type that the terrain is made of.
trait Height: Sample {
    fn from_terrain(height: u16) -> Self;
}

impl Height for u8 {
    fn from_terrain(height: u16) -> Self {
        (height >> 4) as u8
    }
}

impl Height for u16 {
    fn from_terrain(height: u16) -> Self {
        height
    }
}

impl Height for f32 {
    fn from_terrain(height: u16) -> Self {
        f32::from(height) * 0.1
    }
}

fn run<T: Height>(bencher: Bencher<'_, '_>, side: u32, bands: u16, nodata: bool, resampling: Option<Resampling>) {
    let mut spec = ImageSpec::new(side, side, bands, T::DATA_TYPE);
    spec.nodata = nodata.then_some(Nodata::Integer(3));
    let bands = u32::from(bands);
    let pixels: Vec<T> = (0..side)
        .flat_map(|row| (0..side * bands).map(move |index| Terrain::sample(row, index / bands, index % bands)))
        .map(T::from_terrain)
        .collect();
    let options = EncodeOptions {
        compression: Compression::None,
        predictor: Predictor::None,
        overviews: if resampling.is_some() { Overviews::Count(1) } else { Overviews::None },
        resampling,
        ..EncodeOptions::default()
    };
    let plan = CogPlan::new(&spec, &GeoRef::default(), &Metadata::default(), &options).expect("a valid plan");
    let store = StoreOptions { memory: u64::MAX, ..StoreOptions::default() };
    bencher.counter(BytesCount::of_slice(&pixels)).bench_local(|| {
        let mut source = SliceSource::new(spec.clone(), &pixels).expect("all pixels");
        let go_on = &mut |_| ControlFlow::Continue(());
        let executor = Executor::serial();
        cogsmith::encode(&mut source, &plan, &executor, &store, &mut std::io::sink(), go_on).expect("encodes").bytes
    });
}

#[divan::bench(types = [u8, u16, f32], sample_count = 5)]
fn none<T: Height>(bencher: Bencher<'_, '_>) {
    run::<T>(bencher, 4096, 1, false, None);
}

#[divan::bench(types = [u8, u16, f32], args = Resampling::ALL, sample_count = 3)]
fn even<T: Height>(bencher: Bencher<'_, '_>, resampling: Resampling) {
    run::<T>(bencher, 4096, 1, false, Some(resampling));
}

#[divan::bench(types = [u8, u16, f32], args = Resampling::ALL, sample_count = 3)]
fn odd<T: Height>(bencher: Bencher<'_, '_>, resampling: Resampling) {
    run::<T>(bencher, 4095, 1, false, Some(resampling));
}

#[divan::bench(types = [u8, f32], args = Resampling::ALL, sample_count = 3)]
fn nodata<T: Height>(bencher: Bencher<'_, '_>, resampling: Resampling) {
    run::<T>(bencher, 4096, 1, true, Some(resampling));
}

#[divan::bench(types = [u8, u16], args = Resampling::ALL, sample_count = 3)]
fn three_bands<T: Height>(bencher: Bencher<'_, '_>, resampling: Resampling) {
    run::<T>(bencher, 2048, 3, false, Some(resampling));
}
