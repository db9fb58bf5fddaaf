//! LERC in files: no valid sample is off by more than the bound, at any level, and nodata stays exact.

#![cfg(all(feature = "geotiff", feature = "lerc"))]

use cogsmith::{
    CogOptions, Compression, DataType, ErrorKind, Executor, GeoTiffSource, Interleave, MaxError, Nodata,
    OverriddenSource, PixelSource, ReadOptions, Resampling, Sample, SliceSource, Stripe, StripeLayout, TileSize,
};
use cogsmith::{ImageSpec, LercCompression};

const WIDTH: usize = 150;
const HEIGHT: usize = 130;

/// Values between -120 and 120, and which of them are holes.
fn picture() -> Vec<(f64, bool)> {
    let pixels = (0..HEIGHT).flat_map(|row| (0..WIDTH).map(move |column| (row, column)));
    pixels
        .map(|(row, column)| {
            let (x, y) = (column as f64 - 50.0, row as f64 - 65.0);
            let value = 118.0 * (x / 11.0).sin() * (y / 17.0).cos() + ((row * 31 + column * 17) % 7) as f64 * 0.13;
            let hole = x.hypot(y) < 30.0 || (row * 29 + column * 13) % 101 == 0;
            (value, hole)
        })
        .collect()
}

/// Samples of all levels, full resolution first.
fn levels<T: Sample + Default>(file: &[u8], count: usize) -> Vec<Vec<T>> {
    let read = |level: usize| {
        let (bytes, options) = (file.to_vec(), ReadOptions::new());
        let source = match level.checked_sub(1) {
            None => GeoTiffSource::from_reader(bytes, &options),
            Some(overview) => GeoTiffSource::overview(bytes, &options, overview),
        };
        let mut source = source.unwrap();
        let spec = source.spec().clone();
        let mut samples = vec![T::default(); spec.width as usize * spec.height as usize * usize::from(spec.bands)];
        let planes = vec![bytemuck::cast_slice_mut(&mut samples)];
        let mut stripe = Stripe::new(&spec, spec.height as usize, StripeLayout::Chunky, planes, None).unwrap();
        source.read_rows(0, &mut stripe, &Executor::serial()).unwrap();
        samples
    };
    (0..count).map(read).collect()
}

fn lerc(max_error: f64, compression: LercCompression) -> Compression {
    Compression::Lerc { max_error: MaxError::new(max_error).unwrap(), compression }
}

/// Compares a file in LERC with the same file without loss.
fn check<T: Sample + Default + Into<f64>>(
    convert: fn(f64) -> T,
    (nodata, bound): (Option<f64>, f64),
    compression: LercCompression,
    kernel: Resampling,
) {
    let hole = nodata.unwrap_or(0.0);
    let pixels: Vec<T> = picture()
        .into_iter()
        .flat_map(|(value, is_hole)| {
            let value = if is_hole && nodata.is_some() { hole } else { value };
            // Valid samples come close to nodata, but are not equal to it.
            let near = if !is_hole && value == hole { value + 1.0 } else { value };
            [near, near].map(convert)
        })
        .collect();
    let spec = ImageSpec::new(WIDTH as u32, HEIGHT as u32, 2, T::DATA_TYPE);
    let file = |compression: Compression| {
        let mut source = OverriddenSource::new(SliceSource::new(spec.clone(), &pixels).unwrap());
        source.set_nodata(nodata.map(Nodata::from)).unwrap();
        let options = CogOptions::new().tile_size(TileSize::square(64)).resampling(kernel).compression(compression);
        cogsmith::to_vec(source, &options).unwrap()
    };
    let (exact, lossy) = (levels::<T>(&file(Compression::DEFLATE), 3), levels::<T>(&file(lerc(bound, compression)), 3));
    let case = format!("{} nodata {nodata:?} bound {bound} {kernel}", T::DATA_TYPE);
    for (level, (exact, lossy)) in exact.iter().zip(&lossy).enumerate() {
        for (before, after) in exact.iter().zip(lossy) {
            let (before, after): (f64, f64) = ((*before).into(), (*after).into());
            let is_nodata = |value: f64| nodata.is_some_and(|nodata| value == nodata) || value.is_nan();
            assert_eq!(is_nodata(before), is_nodata(after), "{case}, level {level}: {before} and {after}");
            // Rounding of single precision comes on top.
            let error = (before - after).abs();
            assert!(is_nodata(before) || error <= bound + 2e-5, "{case}, level {level}: {before} and {after}");
        }
    }
}

#[test]
fn nodata_is_exact_and_errors_are_bounded() {
    let plain = LercCompression::None;
    for kernel in [Resampling::Average, Resampling::Nearest] {
        // Within the data, next to it, and far away.
        for nodata in [Some(0.0), Some(3.0), Some(-121.0), Some(-9999.0), Some(f64::NAN), None] {
            for bound in [0.0, 0.01, 0.5, 20.0] {
                check(|value| value as f32, (nodata, bound), plain, kernel);
                check(|value| value, (nodata, bound), plain, kernel);
            }
        }
        for nodata in [Some(0.0), Some(7.0), Some(-121.0), None] {
            for bound in [0.0, 1.0, 4.0, 40.0] {
                check(|value| value.round() as i16, (nodata, bound), plain, kernel);
                check(|value| value.round() as i32, (nodata, bound), plain, kernel);
                check(|value| value.round() as i8, (nodata, bound), plain, kernel);
                let nodata = nodata.map(f64::abs);
                check(|value| (value.round() + 125.0) as u8, (nodata, bound), plain, kernel);
                check(|value| (value.round() + 125.0) as u16, (nodata, bound), plain, kernel);
                check(|value| (value.round() + 125.0) as u32, (nodata, bound), plain, kernel);
            }
        }
    }
}

#[test]
fn blobs_are_compressed_once_more() {
    for compression in [LercCompression::Deflate { level: 6 }, LercCompression::Zstd { level: 3 }] {
        check(|value| value as f32, (Some(0.0), 0.1), compression, Resampling::Average);
        check(|value| value.round() as i16, (Some(-121.0), 2.0), compression, Resampling::Average);
    }
}

#[test]
fn ways_and_layouts_agree() {
    let pixels: Vec<f32> =
        picture().into_iter().map(|(value, hole)| if hole { f32::NAN } else { value as f32 }).collect();
    let spec = ImageSpec::new(WIDTH as u32, HEIGHT as u32, 1, DataType::F32);
    let file = |options: CogOptions| {
        cogsmith::to_vec(
            SliceSource::new(spec.clone(), &pixels).unwrap(),
            &options.compression(lerc(0.1, LercCompression::None)),
        )
    };
    let one = file(CogOptions::new().threads(1)).unwrap();
    assert!(one == file(CogOptions::new().threads(3).interleave(Interleave::Pixel)).unwrap());
}

#[test]
fn what_lerc_cannot_hold_is_refused() {
    for data_type in [DataType::U64, DataType::F16, DataType::CF32] {
        let spec = ImageSpec::new(4, 4, 1, data_type);
        let options = cogsmith::EncodeOptions::new().compression(Compression::LERC);
        let plan =
            cogsmith::CogPlan::new(&spec, &cogsmith::GeoRef::default(), &cogsmith::Metadata::default(), &options);
        let error = plan.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::InvalidOption { .. }));
        assert!(error.to_string().contains("lerc takes no"), "{error}");
    }
    for bound in [-1.0, f64::NAN, f64::INFINITY] {
        assert!(MaxError::new(bound).is_err());
    }
}

#[test]
fn nan_is_suggested_where_it_saves_much() {
    let (width, height) = (256, 256);
    let file = |hole: f32| {
        let pixels: Vec<f32> = (0..width * height)
            .map(|index: usize| {
                let (column, row) = ((index % width) as f32, (index / width) as f32);
                if index.is_multiple_of(64) { hole } else { 500.0 + (column / 9.0).sin() + (row / 7.0).cos() }
            })
            .collect();
        let spec = ImageSpec::new(256, 256, 1, DataType::F32).nodata(f64::from(hole));
        let folder = tempfile::tempdir().unwrap();
        let options = CogOptions::new().compression(lerc(0.01, LercCompression::None));
        let source = SliceSource::new(spec, &pixels).unwrap();
        cogsmith::write(folder.path().join("file.tif"), source, &options).unwrap()
    };
    // Every 8 x 8 block in every 64th column has a hole.
    let [warning] = &file(500.5).warnings[..] else { panic!("a suggestion") };
    assert!(warning.contains("with NaN instead of 500.5 as nodata, lerc would need"), "{warning}");
    assert!(file(f32::NAN).warnings.is_empty());
}
