//! The functions that take [`CogOptions`]: the bytes of the lower layers, and errors before anything is written.

mod support;

use std::fs;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use cogsmith::{
    ArraySource, CogOptions, CogPlan, CogWriter, Compression, Crs, EncodeOptions, ErrorKind, Executor, GeoRef,
    MaskPolicy, Metadata, Nodata, OptionField, Overviews, PixelSource, RasterSource, ReadOptions, Resampling, TileSize,
    Transform, encode_to_vec,
};
use cogsmith::{BandValue, Overrides};
use ndarray::{Array2, Array3};

fn pixels() -> Array3<u16> {
    Array3::from_shape_fn((2, 150, 200), |(band, row, column)| (row * column / 5 + band) as u16 % 1000)
}

fn transform() -> Transform {
    Transform::north_up(300_000.0, 5_000_000.0, 10.0, 10.0).unwrap()
}

fn options() -> CogOptions {
    let options = CogOptions::new().crs(Crs::epsg(32633).unwrap()).transform(transform()).nodata(0u64);
    options
        .tile_size(TileSize::square(64))
        .compression(Compression::Lzw)
        .resampling(Resampling::Average)
        .statistics(true)
}

/// The same file by hand.
fn expected() -> Vec<u8> {
    let pixels = pixels();
    let mut source = ArraySource::bands_first(pixels.view()).unwrap();
    let spec = source.spec().clone().nodata(0u64);
    let geo = GeoRef::default().with_crs(&Crs::epsg(32633).unwrap()).unwrap().with_transform(transform());
    let options = EncodeOptions::new()
        .tile_size(TileSize::square(64))
        .compression(Compression::Lzw)
        .resampling(Resampling::Average)
        .statistics(true);
    let plan = CogPlan::new(&spec, &geo, &Metadata::default(), &options).unwrap();
    encode_to_vec(&mut source, &plan).unwrap()
}

#[test]
fn every_way_gives_the_bytes_of_the_lower_layers() {
    let (expected, pixels, folder) = (expected(), pixels(), tempfile::tempdir().unwrap());
    let path = folder.path().join("out.tif");
    assert!(cogsmith::to_vec(&pixels, &options()).unwrap() == expected);
    assert!(cogsmith::to_vec(pixels.view(), &options().threads(1)).unwrap() == expected);
    let mut written = Vec::new();
    let summary = cogsmith::write_to(&mut written, &pixels, &options().executor(Executor::serial())).unwrap();
    assert!(written == expected);
    assert_eq!(summary.bytes, expected.len() as u64);
    let spilling = options().tile_memory(1000).row_memory(1).verify(true).sync(true);
    let summary = cogsmith::write(&path, &pixels, &spilling).unwrap();
    assert!(fs::read(&path).unwrap() == expected);
    assert!(summary.spooled > 0);
    let mut writer = CogWriter::create::<u16>(&path, 200, 150, 2, &options().overwrite(true)).unwrap();
    for row in 0..150 {
        let row: Vec<u16> = pixels.slice(ndarray::s![.., row, ..]).t().iter().copied().collect();
        writer.push_rows(&row, None).unwrap();
    }
    writer.finish().unwrap();
    assert!(fs::read(&path).unwrap() == expected);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");
}

#[test]
fn a_converted_file_keeps_what_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let (input, output) = (folder.path().join("in.tif"), folder.path().join("out.tif"));
    let names = vec![BandValue { band: Some(0), value: "red".to_owned() }];
    let overrides = Overrides::new().description(names).transform(transform());
    let named = CogOptions::new().crs(Crs::epsg(32633).unwrap()).nodata(0u64).overrides(overrides);
    cogsmith::write(&input, &pixels(), &named).unwrap();
    let source = || cogsmith::GeoTiffSource::open(&output, &cogsmith::ReadOptions::default()).unwrap();

    cogsmith::convert(&input, &output, &CogOptions::new()).unwrap();
    let kept = source();
    assert_eq!(kept.geo().transform(), Some(transform()));
    assert_eq!(kept.metadata().description(0), Some("red".to_owned()));
    assert_eq!(kept.spec().nodata, Some(Nodata::from(0u64)));

    let changed = CogOptions::new().crs(Crs::epsg(3857).unwrap()).without_nodata().overwrite(true);
    cogsmith::convert(&input, &output, &changed).unwrap();
    assert_eq!(source().spec().nodata, None);
    assert_eq!(source().geo().keys(), Some(&Crs::epsg(3857).unwrap().geo_keys().unwrap()));

    let replaced = CogOptions::new().geo(GeoRef::default()).metadata(Metadata::default()).overwrite(true);
    cogsmith::convert(&input, &output, &replaced).unwrap();
    assert_eq!(source().geo().transform(), None);
    assert_eq!(source().metadata().description(0), None);
}

#[test]
fn a_mask_is_made_from_the_nodata_value_of_an_array() {
    let pixels = Array2::from_shape_fn((64, 64), |(row, _)| if row < 10 { 0u8 } else { 7 });
    let bytes = cogsmith::to_vec(&pixels, &CogOptions::new().nodata(0u64).mask(MaskPolicy::Nodata)).unwrap();
    let file = support::parse::Tiff::parse(&bytes);
    assert!(file.ifds.iter().any(|ifd| ifd.is_mask()), "there is a mask");
}

#[test]
fn an_error_comes_before_anything_is_written() {
    let (pixels, folder) = (pixels(), tempfile::tempdir().unwrap());
    let path = folder.path().join("out.tif");
    let cases = [
        (OptionField::Nodata, CogOptions::new().nodata(-1.0)),
        (OptionField::Level, CogOptions::new().compression(Compression::Deflate { level: 12 })),
        (OptionField::Threads, CogOptions::new().threads(0)),
        (OptionField::Threads, CogOptions::new().threads(2).executor(Executor::serial())),
        (OptionField::Mask, CogOptions::new().mask(MaskPolicy::Alpha)),
    ];
    for (name, options) in cases {
        let error = cogsmith::write(&path, &pixels, &options).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::InvalidOption { option, .. } if *option == name), "{name}: {error}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "{name}");
    }
    fs::write(&path, b"mine").unwrap();
    let error = cogsmith::write(&path, &pixels, &CogOptions::new()).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::TargetExists { .. }), "{error}");
    let error = CogWriter::create::<u8>(&path, 10, 10, 1, &CogOptions::new()).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::TargetExists { .. }), "{error}");
    assert_eq!(fs::read(&path).unwrap(), b"mine");
    let error = cogsmith::to_vec(&Array2::<u8>::zeros((0, 5)), &CogOptions::new()).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::InvalidImage { .. }), "{error}");
    let pushed = CogOptions::new().mask(MaskPolicy::Alpha).overwrite(true);
    let error = CogWriter::create::<u8>(&path, 10, 10, 1, &pushed).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::InvalidOption { option: OptionField::Mask, .. }), "{error}");
}

#[test]
fn the_caller_hears_of_progress_and_can_stop() {
    let (pixels, folder) = (pixels(), tempfile::tempdir().unwrap());
    let path = folder.path().join("out.tif");
    let last = Arc::new(AtomicU32::new(0));
    let heard = Arc::clone(&last);
    let heard = options().progress(move |progress| {
        heard.store(progress.rows_done, Ordering::Relaxed);
        ControlFlow::Continue(())
    });
    cogsmith::to_vec(&pixels, &heard).unwrap();
    assert_eq!(last.load(Ordering::Relaxed), 150);
    let flag = Arc::new(AtomicBool::new(true));
    for stopped in [options().progress(|_| ControlFlow::Break(())), options().cancelled_by(flag)] {
        let error = cogsmith::write(&path, &pixels, &stopped).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Cancelled), "{error}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

#[test]
fn warnings_of_the_plan_reach_the_summary() {
    let mut metadata = Metadata::default();
    metadata.set_item(Some("TILING_SCHEME"), "NAME", "GoogleMapsCompatible").unwrap();
    let mut out = Vec::new();
    let summary = cogsmith::write_to(&mut out, &pixels(), &CogOptions::new().metadata(metadata.clone())).unwrap();
    assert_eq!(summary.warnings.len(), 1, "{:?}", summary.warnings);
    let folder = tempfile::tempdir().unwrap();
    let pushed = CogOptions::new().metadata(metadata);
    let mut writer = CogWriter::create::<u16>(folder.path().join("out.tif"), 200, 150, 1, &pushed).unwrap();
    writer.push_rows(&[0u16; 200 * 150], None).unwrap();
    assert_eq!(writer.finish().unwrap().warnings, summary.warnings);
}

#[test]
fn a_transform_is_not_lost_to_other_overrides() {
    let other = Transform::north_up(0.0, 0.0, 1.0, 1.0).unwrap();
    let overrides = || Overrides::new().transform(other);
    let placed = |options: &CogOptions| {
        let bytes = cogsmith::to_vec(&pixels(), options).unwrap();
        cogsmith::GeoTiffSource::from_reader(bytes, &cogsmith::ReadOptions::default()).unwrap().geo().transform()
    };
    assert_eq!(placed(&CogOptions::new().transform(transform()).overrides(overrides())), Some(transform()));
    assert_eq!(placed(&CogOptions::new().overrides(overrides()).transform(transform())), Some(transform()));
    assert_eq!(placed(&CogOptions::new().overrides(overrides())), Some(other));
}

#[test]
fn options_without_any_effect_are_refused() {
    let (pixels, folder) = (pixels(), tempfile::tempdir().unwrap());
    let path = folder.path().join("out.tif");
    let option_of = |error: cogsmith::Error| match error.kind() {
        ErrorKind::InvalidOption { option, .. } => *option,
        _ => panic!("{error}"),
    };
    for (field, options) in
        [(OptionField::Overwrite, CogOptions::new().overwrite(true)), (OptionField::Sync, CogOptions::new().sync(true))]
    {
        assert_eq!(option_of(cogsmith::to_vec(&pixels, &options).unwrap_err()), field);
        assert_eq!(option_of(cogsmith::write_to(Vec::new(), &pixels, &options).unwrap_err()), field);
        cogsmith::write(&path, &pixels, &options.overwrite(true)).unwrap();
    }
    for (field, read) in [
        (OptionField::Image, ReadOptions::new().image(0)),
        (OptionField::IgnoreAux, ReadOptions::new().ignore_aux(true)),
    ] {
        let options = CogOptions::new().read_options(read).overwrite(true);
        assert_eq!(option_of(cogsmith::write(&path, &pixels, &options).unwrap_err()), field);
        assert_eq!(option_of(CogWriter::create::<u8>(&path, 10, 10, 1, &options).unwrap_err()), field);
        let copy = folder.path().join("copy.tif");
        cogsmith::convert(&path, &copy, &options).unwrap();
    }
    for (field, options) in [
        (OptionField::Resampling, CogOptions::new().resampling(Resampling::Mode)),
        (OptionField::BandResampling, CogOptions::new().band_resampling([Resampling::Mode; 3])),
        (OptionField::OverviewTileSize, CogOptions::new().overview_tile_size(TileSize::square(64))),
    ] {
        let options = options.overviews(Overviews::None);
        assert_eq!(option_of(cogsmith::to_vec(&pixels, &options).unwrap_err()), field);
    }
}
