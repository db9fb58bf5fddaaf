//! The bytes depend on the pixels and the plan alone.

mod support;

use cogsmith::{
    ArraySource, CogPlan, CogWriter, Compression, DataType, EncodeOptions, Executor, GeoRef, ImageSpec, Interleave,
    Metadata, Nodata, PixelSource, Resampling, SliceSource, StoreOptions, Stripe, StripeLayout, TileSize,
};
use support::images::{Computed, encode};

fn cases() -> Vec<(ImageSpec, EncodeOptions)> {
    let mut cases = Vec::new();
    // Kernels that look beyond what a pixel covers, and some that don't.
    let kernels = [Some(Resampling::Cubic), None, Some(Resampling::Lanczos), Some(Resampling::Bilinear)];
    let kernels = [&kernels[..], &[Some(Resampling::Gauss), Some(Resampling::Median)]].concat();
    let codecs = [Compression::DEFLATE, Compression::Lzw, Compression::ZSTD, Compression::None];
    for (index, interleave) in [Interleave::Pixel, Interleave::Band, Interleave::Tile].into_iter().enumerate() {
        for (data_type, mask) in [(DataType::U16, false), (DataType::U8, true)] {
            let spec = ImageSpec::new(333, 517, 3, data_type).mask(mask).nodata(Nodata::Integer(7));
            let options = EncodeOptions::new()
                .tile_size(TileSize { width: 64, height: 32 })
                .interleave(interleave)
                .compression(codecs[(index + usize::from(mask)) % codecs.len()])
                .resampling(kernels[2 * index + usize::from(mask)])
                .statistics(index != 1);
            cases.push((spec, options));
        }
    }
    cases
}

/// All pixels (row, column, band) and the mask of a computed image.
fn pixels<T: cogsmith::Sample>(spec: &ImageSpec) -> (Vec<T>, Vec<u8>) {
    let (width, height) = (spec.width as usize, spec.height as usize);
    let mut pixels: Vec<T> = vec![bytemuck::Zeroable::zeroed(); width * height * usize::from(spec.bands)];
    let mut mask = vec![0; width * height];
    let planes = vec![bytemuck::cast_slice_mut(&mut pixels)];
    let mut stripe = Stripe::new(spec, height, StripeLayout::Chunky, planes, Some(&mut mask)).unwrap();
    Computed { spec: spec.clone() }.read_rows(0, &mut stripe, &Executor::serial()).unwrap();
    (pixels, mask)
}

#[test]
fn threads_change_nothing() {
    for (spec, options) in cases() {
        let serial = encode(&spec, &options, &Executor::serial());
        for threads in [2, 3, 8] {
            assert!(encode(&spec, &options, &Executor::threads(threads).unwrap()) == serial, "{threads}: {options:?}");
        }
    }
}

#[test]
fn rows_read_ahead_change_nothing() {
    for (spec, options) in cases() {
        let serial = encode(&spec, &options, &Executor::serial());
        let plan = CogPlan::new(&spec, &GeoRef::default(), &Metadata::default(), &options).unwrap();
        for threads in [2, 3] {
            // Batches of one row of tiles, of several, of half of the image, and none to read ahead.
            for batch in [44 << 10, 200 << 10, 600 << 10, 64 << 20] {
                let executor = Executor::threads(threads).unwrap();
                let store = StoreOptions::in_memory().batch(batch);
                let mut bytes = Vec::new();
                let go_on = &mut |_| std::ops::ControlFlow::Continue(());
                let mut source = Computed { spec: spec.clone() };
                cogsmith::encode(&mut source, &plan, &executor, &store, &mut bytes, go_on).unwrap();
                assert!(bytes == serial, "{threads} threads, batches of {batch}: {options:?}");
            }
        }
    }
}

#[test]
fn stripes_change_nothing() {
    fn check<T: cogsmith::Sample>(spec: &ImageSpec, options: &EncodeOptions) {
        let expected = encode(spec, options, &Executor::serial());
        let (pixels, mask) = pixels::<T>(spec);
        let plan = CogPlan::new(spec, &GeoRef::default(), &Metadata::default(), options).unwrap();
        let row = spec.width as usize * usize::from(spec.bands);
        for rows in [1, 7, 31, 32, 100, 517] {
            let (executor, mut bytes) = (Executor::threads(2).unwrap(), Vec::new());
            let mut writer = CogWriter::to_writer(plan.clone(), executor, StoreOptions::default(), &mut bytes).unwrap();
            let masks = mask.chunks(rows * spec.width as usize);
            for (stripe, mask) in pixels.chunks(rows * row).zip(masks) {
                writer.push_rows(stripe, spec.mask.then_some(mask)).unwrap();
            }
            writer.finish().unwrap();
            assert!(bytes == expected, "stripes of {rows} rows: {options:?}");
        }
    }
    for (spec, options) in cases() {
        match spec.data_type {
            DataType::U8 => check::<u8>(&spec, &options),
            _ => check::<u16>(&spec, &options),
        }
    }
}

#[test]
fn arrays_of_any_stride_give_the_bytes_of_the_stream() {
    for (spec, options) in cases() {
        if spec.data_type != DataType::U16 {
            continue;
        }
        let expected = encode(&spec, &options, &Executor::serial());
        let plan = CogPlan::new(&spec, &GeoRef::default(), &Metadata::default(), &options).unwrap();
        let (pixels, _) = pixels::<u16>(&spec);
        let (height, width, bands) = (spec.height as usize, spec.width as usize, usize::from(spec.bands));

        let mut slice = SliceSource::new(spec.clone(), &pixels).unwrap();
        assert!(cogsmith::encode_to_vec(&mut slice, &plan).unwrap() == expected, "slice");

        let last = ndarray::Array3::from_shape_vec((height, width, bands), pixels).unwrap();
        let mut source = ArraySource::bands_last(last.view()).unwrap();
        assert!(cogsmith::encode_to_vec(&mut source, &plan).unwrap() == expected, "bands last");

        let first = last.view().permuted_axes([2, 0, 1]).as_standard_layout().to_owned();
        let mut source = ArraySource::bands_first(first.view()).unwrap();
        assert!(cogsmith::encode_to_vec(&mut source, &plan).unwrap() == expected, "bands first");

        let mut planar = SliceSource::planar(spec.clone(), first.as_slice().unwrap()).unwrap();
        assert!(cogsmith::encode_to_vec(&mut planar, &plan).unwrap() == expected, "planar slice");

        // Columns first in memory, and rows from bottom to top.
        let mut turned = last.view().permuted_axes([1, 0, 2]).as_standard_layout().to_owned();
        turned.invert_axis(ndarray::Axis(1));
        let turned = turned.as_standard_layout().to_owned();
        let mut view = turned.view().permuted_axes([1, 0, 2]);
        view.invert_axis(ndarray::Axis(0));
        let mut source = ArraySource::bands_last(view).unwrap();
        assert!(cogsmith::encode_to_vec(&mut source, &plan).unwrap() == expected, "odd strides");
    }
}

#[test]
fn the_store_changes_nothing() {
    for (spec, options) in cases() {
        let expected = encode(&spec, &options, &Executor::serial());
        let plan = CogPlan::new(&spec, &GeoRef::default(), &Metadata::default(), &options).unwrap();
        for memory in [0, 1000, 20_000] {
            let mut bytes = Vec::new();
            let store = StoreOptions::new().memory(memory);
            let mut source = Computed { spec: spec.clone() };
            let go_on = &mut |_| std::ops::ControlFlow::Continue(());
            cogsmith::encode(&mut source, &plan, &Executor::serial(), &store, &mut bytes, go_on).unwrap();
            assert!(bytes == expected, "{memory} bytes of memory: {options:?}");
        }
    }
}

#[test]
fn small_images_get_more_effort_by_default() {
    let encoded = |height, level| {
        let options = EncodeOptions::new().compression(Compression::Deflate { level });
        encode(&ImageSpec::new(1024, height, 1, DataType::U8), &options, &Executor::serial())
    };
    // Up to 1 MiB of pixels; a level that was not the default one stays what it is.
    assert!(encoded(1024, 6) == encoded(1024, 7));
    assert!(encoded(1025, 6) != encoded(1025, 7));
    assert!(encoded(1024, 5) != encoded(1024, 6));
}
