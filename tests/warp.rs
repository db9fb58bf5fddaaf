//! Warps: rows do not depend on how they are read, and what cannot be warped is refused.
#![cfg(feature = "warp")]
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "tests fail by panicking, and make small numbers"
)]

use cogsmith::{
    AlignedLevels, Bounds, Crs, DataType, ErrorKind, Executor, GeoRef, ImageSpec, OptionField, OverriddenSource,
    PixelSource, RasterSource, Resampling, SliceSource, Stripe, StripeLayout, TilingScheme, Transform, WarpOptions,
    ZoomStrategy,
};

const WIDTH: u32 = 300;
const HEIGHT: u32 = 260;

fn pixels() -> Vec<u16> {
    (0..WIDTH * HEIGHT * 2).map(|index| (index.wrapping_mul(2_654_435_761) >> 18) as u16 + 1).collect()
}

fn source(pixels: &[u16], code: Option<u32>) -> OverriddenSource<SliceSource<'_>> {
    let spec = ImageSpec::new(WIDTH, HEIGHT, 2, DataType::U16);
    let mut source = OverriddenSource::new(SliceSource::new(spec, pixels).unwrap());
    let transform = Transform::north_up(400_000.0, 5_000_000.0, 10.0, 10.0).unwrap();
    let geo = GeoRef::default().with_transform(transform);
    source.set_geo(match code {
        Some(code) => geo.with_crs(&Crs::epsg(code).unwrap()).unwrap(),
        None => geo,
    });
    source
}

fn web() -> WarpOptions {
    WarpOptions::new().tiling_scheme(TilingScheme::find("WebMercatorQuad").unwrap())
}

/// Reads all rows, `at_once` at a time.
fn read(options: &WarpOptions, layout: StripeLayout, at_once: usize, executor: &Executor) -> (Vec<u16>, Vec<u8>) {
    let pixels = pixels();
    let mut warped = options.apply(source(&pixels, Some(32633)), executor).unwrap();
    let spec = warped.spec().clone();
    assert!(spec.mask, "pixels outside of the source are masked");
    let (width, bands) = (spec.width as usize, usize::from(spec.bands));
    let (mut samples, mut mask) = (Vec::new(), Vec::new());
    for first in (0..spec.height as usize).step_by(at_once) {
        let rows = at_once.min(spec.height as usize - first);
        let mut bytes = vec![0u64; (rows * width * bands * 2).div_ceil(8)];
        let bytes: &mut [u8] = &mut bytemuck::cast_slice_mut(&mut bytes)[..rows * width * bands * 2];
        let mut valid = vec![0; rows * width];
        let planes = match layout {
            StripeLayout::Chunky => vec![&mut *bytes],
            StripeLayout::Planar => bytes.chunks_mut(rows * width * 2).collect(),
        };
        let mut stripe = Stripe::new(&spec, rows, layout, planes, Some(&mut valid)).unwrap();
        warped.read_rows(first as u32, &mut stripe, executor).unwrap();
        let read: &[u16] = bytemuck::cast_slice(bytes);
        match layout {
            StripeLayout::Chunky => samples.extend_from_slice(read),
            StripeLayout::Planar => {
                let plane = rows * width;
                samples.extend((0..plane).flat_map(|pixel| (0..bands).map(move |band| read[band * plane + pixel])));
            }
        }
        mask.extend(valid);
    }
    (samples, mask)
}

#[test]
fn pixels_do_not_depend_on_how_rows_are_read() {
    for kernel in [Resampling::Nearest, Resampling::Cubic, Resampling::Lanczos, Resampling::Average, Resampling::Median]
    {
        let options = web().resampling(kernel);
        let expected = read(&options, StripeLayout::Chunky, 1 << 16, &Executor::serial());
        assert!(expected.1.contains(&0) && expected.1.contains(&255));
        for (layout, at_once, threads) in [
            (StripeLayout::Chunky, 1, 2),
            (StripeLayout::Planar, 17, 3),
            (StripeLayout::Chunky, 64, 2),
            (StripeLayout::Planar, 200, 1),
        ] {
            let executor = Executor::threads(threads).unwrap();
            assert!(
                read(&options, layout, at_once, &executor) == expected,
                "{kernel:?}, {at_once} rows, {threads} threads"
            );
        }
    }
}

#[test]
fn the_same_grid_gives_the_same_pixels() {
    let pixels = pixels();
    let options = WarpOptions::new().crs("EPSG:32633").resolution(10.0, 10.0);
    for kernel in [Resampling::Nearest, Resampling::Bilinear, Resampling::Cubic, Resampling::Average, Resampling::Mode]
    {
        let (samples, mask) = read(&options.clone().resampling(kernel), StripeLayout::Chunky, 100, &Executor::serial());
        assert!(samples == pixels && mask.iter().all(|valid| *valid == 255), "{kernel:?}");
    }
}

#[test]
fn reports_say_what_the_grid_is() {
    let pixels = pixels();
    let warped = web().apply(source(&pixels, Some(32633)), &Executor::serial()).unwrap();
    let report = warped.report();
    assert_eq!((report.tiling_scheme, report.tile_size), (Some("GoogleMapsCompatible"), Some(256)));
    assert_eq!(report.aligned_levels, report.overviews.map(|overviews| overviews + 1));
    let items: Vec<_> = warped.metadata().items().iter().map(cogsmith::MetadataItem::text).collect();
    assert_eq!(items[0], "GoogleMapsCompatible");
}

#[test]
fn contradictions_and_bad_inputs_are_refused() {
    let pixels = pixels();
    let field = |options: &WarpOptions, code: Option<u32>| {
        let error = options.apply(source(&pixels, code), &Executor::serial()).err().unwrap();
        match error.kind() {
            ErrorKind::InvalidOption { option, .. } => Some(*option),
            ErrorKind::InvalidImage { .. } => None,
            _ => panic!("{error}"),
        }
    };
    let utm = Some(32633);
    let far = Bounds { left: 0.0, bottom: 0.0, right: 10.0, top: 10.0 };
    for (options, code, expected) in [
        (web(), None, Some(OptionField::TilingScheme)),
        (web().crs("EPSG:3857"), utm, Some(OptionField::TargetCrs)),
        (web().zoom_level(99), utm, Some(OptionField::ZoomLevel)),
        (web().zoom_level(9).zoom_strategy(ZoomStrategy::Upper), utm, Some(OptionField::ZoomStrategy)),
        (WarpOptions::new().aligned_levels(AlignedLevels::Count(2)), utm, Some(OptionField::AlignedLevels)),
        (WarpOptions::new().crs("EPSG:3857").resolution(0.0, 1.0), utm, Some(OptionField::Resolution)),
        (WarpOptions::new().crs("nonsense"), utm, Some(OptionField::TargetCrs)),
        (WarpOptions::new().crs("EPSG:3857").extent(far), utm, None),
        (web().resampling(Resampling::Gauss), utm, Some(OptionField::WarpResampling)),
    ] {
        assert_eq!(field(&options, code), expected, "{options:?}");
    }
}
