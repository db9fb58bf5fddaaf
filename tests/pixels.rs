//! Chosen and converted pixels: what arithmetic says, whatever the layout of the stripe and the order of the options.

use cogsmith::{
    ArraySource, BandChoice, Bounds, CogOptions, ColorInterpretation, DataType, ErrorKind, Executor, ImageSpec,
    Metadata, Nodata, OverriddenSource, PaletteColors, Photometric, PixelOptions, PixelSource, RasterSource, Rectangle,
    Resampling, Rescale, SliceSource, Stripe, StripeLayout, Transform,
};
use ndarray::{Array3, s};

fn pixels() -> Array3<u16> {
    Array3::from_shape_fn((3, 40, 50), |(band, row, column)| (band * 10_000 + row * 100 + column) as u16)
}

/// All samples of a source as (band, row, column), and its mask, read in stripes of several rows.
fn read<T: cogsmith::Sample + Default>(source: &mut dyn RasterSource, layout: StripeLayout) -> (Array3<T>, Vec<u8>) {
    let spec = source.spec().clone();
    let (width, height, bands) = (spec.width as usize, spec.height as usize, usize::from(spec.bands));
    let mut all = Array3::from_elem((bands, height, width), T::default());
    let mut masks = Vec::new();
    for first in (0..height).step_by(7) {
        let rows = 7.min(height - first);
        let mut samples = vec![T::default(); rows * width * bands];
        let mut mask = vec![9; rows * width];
        let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut samples);
        let plane = bytes.len() / bands;
        let planes = match layout {
            StripeLayout::Chunky => vec![bytes],
            StripeLayout::Planar => bytes.chunks_mut(plane).collect(),
        };
        let mask_rows = spec.mask.then_some(&mut mask[..]);
        let mut stripe = Stripe::new(&spec, rows, layout, planes, mask_rows).unwrap();
        source.read_rows(first as u32, &mut stripe, &Executor::serial()).unwrap();
        let shape = match layout {
            StripeLayout::Chunky => (rows, width, bands),
            StripeLayout::Planar => (bands, rows, width),
        };
        let read = Array3::from_shape_vec(shape, samples).unwrap();
        let read = if layout == StripeLayout::Chunky { read.permuted_axes([2, 0, 1]) } else { read };
        all.slice_mut(s![.., first..first + rows, ..]).assign(&read);
        masks.extend(mask);
    }
    (all, masks)
}

fn number(band: u16) -> BandChoice {
    BandChoice::Number(band)
}

fn window(columns: std::ops::Range<u32>, rows: std::ops::Range<u32>) -> Rectangle {
    Rectangle { columns, rows }
}

fn refused(options: &PixelOptions, source: impl RasterSource, words: &str) {
    let error = options.apply(source).err().unwrap_or_else(|| panic!("{words}"));
    assert!(matches!(error.kind(), ErrorKind::InvalidOption { .. }));
    assert!(error.to_string().contains(words), "{error}");
}

#[test]
fn windows_and_bands_are_slices() {
    let pixels = pixels();
    for layout in [StripeLayout::Chunky, StripeLayout::Planar] {
        for bands in [vec![], vec![2, 0], vec![1], vec![0, 0, 1, 2]] {
            for (columns, rows) in [(0..50, 0..40), (3..20, 5..31), (0..50, 8..9), (49..50, 0..40)] {
                let choices: Vec<_> = bands.iter().copied().map(number).collect();
                let options = PixelOptions::new().bands(choices).window(window(columns.clone(), rows.clone()));
                let mut source = options.apply(ArraySource::bands_first(pixels.view()).unwrap()).unwrap();
                let (got, _) = read::<u16>(source.as_mut(), layout);
                let bands = if bands.is_empty() { vec![0, 1, 2] } else { bands.clone() };
                let bands: Vec<_> = bands.iter().map(|band| usize::from(*band)).collect();
                let expected = pixels.select(ndarray::Axis(0), &bands);
                let columns = columns.start as usize..columns.end as usize;
                let rows = rows.start as usize..rows.end as usize;
                assert_eq!(got, expected.slice(s![.., rows, columns]));
            }
        }
    }
}

#[test]
fn georeferencing_and_descriptions_go_with_the_pixels() {
    let pixels = pixels();
    let transform = Transform::north_up(1000.0, 2000.0, 10.0, 20.0).unwrap();
    let source = || {
        let mut source = OverriddenSource::new(ArraySource::bands_first(pixels.view()).unwrap());
        source.set_geo(cogsmith::GeoRef::default().with_transform(transform));
        let mut metadata = Metadata::default();
        for (band, name) in (0..).zip(["blue", "green", "red"]) {
            metadata.set_description(band, name).unwrap();
            metadata.set_band_item(band, "STATISTICS_MINIMUM", "0").unwrap();
        }
        metadata.set_color_interpretation(2, ColorInterpretation::Red);
        source.set_metadata(metadata);
        source
    };
    let bounds = Bounds { left: 1030.0, bottom: 1401.0, right: 1199.9, top: 1900.0 };
    let names = vec![BandChoice::Description("RED".into()), number(0)];
    let chosen = PixelOptions::new().bbox(bounds).bands(names).apply(source()).unwrap();
    assert_eq!((chosen.spec().width, chosen.spec().height, chosen.spec().bands), (17, 25, 2));
    let expected = Transform::north_up(1030.0, 1900.0, 10.0, 20.0).unwrap();
    assert_eq!(chosen.geo().transform(), Some(expected));
    assert_eq!(chosen.metadata().description(0).as_deref(), Some("red"));
    assert_eq!(chosen.metadata().description(1).as_deref(), Some("blue"));
    assert!(chosen.metadata().items().iter().all(|item| !item.name.starts_with("STATISTICS")));
    let half = PixelOptions::new().size(25, 10).size_resampling(Resampling::Average).apply(source()).unwrap();
    assert_eq!(half.geo().transform(), Some(Transform::north_up(1000.0, 2000.0, 20.0, 80.0).unwrap()));
    let at = |bands: Vec<BandChoice>| PixelOptions::new().bands(bands);
    refused(&at(vec![number(3)]), source(), "there is no band 4, only 3");
    refused(&at(vec![BandChoice::Description("nir".into())]), source(), "the bands are blue, green, red");
    let outside = Bounds { left: 0.0, ..bounds };
    refused(&PixelOptions::new().bbox(outside), source(), "whose bounds are 1000, 1200, 1500, 2000");
    refused(&PixelOptions::new().window(window(0..51, 0..40)), source(), "within the image of 50x40 pixels");
    refused(&PixelOptions::new().size(51, 40), source(), "between 1x1 and 50x40");
}

#[test]
fn a_reduced_image_is_an_overview() {
    let pixels = Array3::from_shape_fn((1, 40, 50), |(_, row, column)| (row / 2 * 25 + column / 2) as u16);
    let options = PixelOptions::new().size(25, 20).size_resampling(Resampling::Average);
    for layout in [StripeLayout::Chunky, StripeLayout::Planar] {
        let mut source = options.apply(ArraySource::bands_first(pixels.view()).unwrap()).unwrap();
        let (got, _) = read::<u16>(source.as_mut(), layout);
        assert_eq!(got, pixels.slice(s![.., ..;2, ..;2]));
    }
}

#[test]
fn valid_pixels_never_become_nodata() {
    let samples = [f32::NAN, -9999.0, -3.0, 0.0, 0.4, 0.6, 254.6, 255.0, 1e9, 7.0];
    let spec = ImageSpec::new(10, 1, 1, DataType::F32);
    let source = || {
        let mut source = OverriddenSource::new(SliceSource::new(spec.clone(), &samples).unwrap());
        source.set_nodata(Some(Nodata::from(-9999i64))).unwrap();
        source
    };
    let to_u8 = PixelOptions::new().data_type(DataType::U8);
    refused(&to_u8, source(), "nodata value -9999 is out of range for u8 (0 to 255); set one that the type can hold");
    let mut low = to_u8.clone().converted_nodata(0u64).apply(source()).unwrap();
    assert_eq!(low.spec().nodata, Some(Nodata::from(0u64)));
    let (got, _) = read::<u8>(low.as_mut(), StripeLayout::Chunky);
    assert_eq!(got.into_raw_vec_and_offset().0, [0, 0, 1, 1, 1, 1, 255, 255, 255, 7]);
    let mut high = to_u8.clone().converted_nodata(255u64).apply(source()).unwrap();
    let (got, _) = read::<u8>(high.as_mut(), StripeLayout::Chunky);
    assert_eq!(got.into_raw_vec_and_offset().0, [255, 255, 0, 0, 0, 1, 254, 254, 254, 7]);
    // No integer is NaN.
    let mut plain = to_u8.apply(SliceSource::new(spec.clone(), &samples).unwrap()).unwrap();
    let mut bytes = [0; 10];
    let planes = vec![&mut bytes[..]];
    let mut stripe = Stripe::new(&plain.spec().clone(), 1, StripeLayout::Chunky, planes, None).unwrap();
    let error = plain.read_rows(0, &mut stripe, &Executor::serial()).unwrap_err();
    assert!(error.to_string().contains("row 0 has NaN"), "{error}");
}

#[test]
fn integers_of_64_bits_are_exact() {
    let samples = [i64::MIN, -1, 0, (1 << 53) + 1, i64::MAX];
    let source = SliceSource::new(ImageSpec::new(5, 1, 1, DataType::I64), &samples).unwrap();
    let mut converted = PixelOptions::new().data_type(DataType::U64).apply(source).unwrap();
    let (got, _) = read::<u64>(converted.as_mut(), StripeLayout::Chunky);
    assert_eq!(got.into_raw_vec_and_offset().0, [0, 0, 0, (1 << 53) + 1, i64::MAX as u64]);
}

#[test]
fn quantities_stay_the_same() {
    let samples = [100u16, 200, 300];
    let mut source = OverriddenSource::new(SliceSource::new(ImageSpec::new(3, 1, 1, DataType::U16), &samples).unwrap());
    let mut metadata = Metadata::default();
    metadata.set_scale(0, 0.5).unwrap();
    metadata.set_offset(0, -10.0).unwrap();
    source.set_metadata(metadata);
    let rescale = Rescale { from: (100.0, 300.0), to: Some((0.0, 250.0)) };
    let mut rescaled = PixelOptions::new().rescale([rescale]).data_type(DataType::U8).apply(&mut source).unwrap();
    let (got, _) = read::<u8>(rescaled.as_mut(), StripeLayout::Chunky);
    let quantity = |metadata: &Metadata, value: f64| value * metadata.scale(0) + metadata.offset(0);
    let quantities: Vec<_> = got.iter().map(|value| quantity(rescaled.metadata(), (*value).into())).collect();
    assert_eq!(quantities, [40.0, 90.0, 140.0]);
    drop(rescaled);
    let mut plain = PixelOptions::new().unscale(true).apply(&mut source).unwrap();
    let (got, _) = read::<f32>(plain.as_mut(), StripeLayout::Chunky);
    assert_eq!(got.into_raw_vec_and_offset().0, [40.0, 90.0, 140.0]);
    assert_eq!((plain.metadata().scale(0), plain.metadata().offset(0)), (1.0, 0.0));
    drop(plain);
    let both = PixelOptions::new().unscale(true).rescale([rescale]);
    refused(&both, source, "contradicts");
}

#[test]
fn palettes_become_colors_and_keep_nodata() {
    let mut color_map = vec![0; 768];
    for (part, values) in [[1u16, 2, 3], [4, 5, 6], [7, 8, 255]].iter().enumerate() {
        for (index, value) in values.iter().enumerate() {
            color_map[part * 256 + index] = value * 257;
        }
    }
    let spec = ImageSpec::new(3, 1, 1, DataType::U8)
        .photometric(Photometric::Palette)
        .color_map(color_map)
        .nodata(Nodata::from(1u64));
    let source = || SliceSource::new(spec.clone(), &[2u8, 1, 0]).unwrap();
    let mut rgb = PixelOptions::new().expand_palette(PaletteColors::Rgb).apply(source()).unwrap();
    assert_eq!((rgb.spec().bands, rgb.spec().photometric, rgb.spec().nodata), (3, Photometric::Rgb, None));
    let (got, mask) = read::<u8>(rgb.as_mut(), StripeLayout::Planar);
    assert_eq!(got.into_raw_vec_and_offset().0, [3, 2, 1, 6, 5, 4, 255, 8, 7]);
    assert_eq!(mask, [255, 0, 255]);
    let mut rgba = PixelOptions::new().expand_palette(PaletteColors::Rgba).apply(source()).unwrap();
    let (got, _) = read::<u8>(rgba.as_mut(), StripeLayout::Chunky);
    assert_eq!(got.slice(s![3, 0, ..]).to_vec(), [255, 0, 255]);
    refused(&PixelOptions::new().data_type(DataType::F32), source(), "expand the palette first");
    let gray = SliceSource::new(ImageSpec::new(1, 1, 1, DataType::U8), &[0u8]).unwrap();
    refused(&PixelOptions::new().expand_palette(PaletteColors::Rgb), gray, "has no palette");
}

#[test]
fn files_are_written_from_chosen_pixels() {
    let pixels = pixels();
    let chosen = PixelOptions::new().window(window(8..40, 4..36)).bands([number(1)]).data_type(DataType::F32);
    let got = cogsmith::to_vec(&pixels, &CogOptions::new().pixels(chosen)).unwrap();
    let expected = pixels.slice(s![1..2, 4..36, 8..40]).mapv(f32::from);
    assert!(got == cogsmith::to_vec(&expected, &CogOptions::new()).unwrap());
}

/// Columns of global grids, from other longitudes on.
#[test]
fn grids_are_turned_around_the_globe() {
    let grid = |left: f64, width: u32, across: f64| {
        let samples: Vec<u16> = (0..width * 3).map(|index| index as u16).collect();
        (samples, Transform::north_up(left, 90.0, across, 60.0).unwrap(), width)
    };
    let turned = |(samples, transform, width): &(Vec<u16>, Transform, u32), longitude: f64| {
        let source = SliceSource::new(ImageSpec::new(*width, 3, 1, DataType::U16), samples).unwrap();
        let mut source = OverriddenSource::new(source);
        source.set_geo(cogsmith::GeoRef::default().with_transform(*transform));
        let mut source = PixelOptions::new().wrap_longitude(longitude).apply(source)?;
        let (read, _) = read::<u16>(&mut source, StripeLayout::Chunky);
        let first: Vec<u16> = read.slice(s![0, .., 0]).to_vec();
        Ok::<_, cogsmith::Error>((source.geo().transform().unwrap().to_gdal()[0], first, read))
    };
    // Areas from 0 to 360, and points: the centers are at 0, 30, …
    let areas = grid(0.0, 12, 30.0);
    let (left, first, all) = turned(&areas, -180.0).unwrap();
    assert_eq!((left, first), (-180.0, vec![6, 18, 30]));
    assert_eq!(all.slice(s![0, 0, ..]).to_vec(), [6, 7, 8, 9, 10, 11, 0, 1, 2, 3, 4, 5]);
    let (left, first, _) = turned(&grid(-15.0, 12, 30.0), -180.0).unwrap();
    assert_eq!((left, first), (-195.0, vec![6, 18, 30]));
    // Back again, and where nothing moves.
    assert_eq!(turned(&grid(-180.0, 12, 30.0), 0.0).unwrap().1, [6, 18, 30]);
    let (left, first, _) = turned(&areas, 0.0).unwrap();
    assert_eq!((left, first), (0.0, vec![0, 12, 24]));
    let (left, first, _) = turned(&areas, -170.0).unwrap();
    assert_eq!((left, first), (-180.0, vec![6, 18, 30]), "the center is at -165");
    for (grid, longitude, words) in [(grid(0.0, 13, 30.0), -180.0, "390 degrees"), (areas, 400.0, "out of range")] {
        let error = turned(&grid, longitude).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::InvalidOption { .. }));
        assert!(error.to_string().contains(words), "{error}");
    }
}
