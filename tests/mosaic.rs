//! Mosaics: what arithmetic says for every rule, whatever the layout, the threads, and the number of open inputs; what does
//! not fit together is refused by name.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use cogsmith::{
    CogOptions, Crs, DataType, ErrorKind, Executor, ExtraSample, GeoRef, GeoTiffSource, ImageSpec, InputFiles,
    Metadata, MosaicOptions, MosaicSource, Nodata, OptionField, Overlap, OverriddenSource, PixelOptions, PixelSource,
    RasterSource, ReadOptions, Rectangle, Sample, SliceSource, SourceInput, StackSource, Stripe, StripeLayout,
    Transform,
};

/// An input in memory: its place in the mosaic, its samples with the bands of a pixel together, and its mask.
#[derive(Clone)]
struct Part<T> {
    column: u32,
    row: u32,
    spec: ImageSpec,
    samples: Vec<T>,
    mask: Option<Vec<u8>>,
}

impl<T: Sample> Part<T> {
    fn new(column: u32, row: u32, spec: ImageSpec, sample: impl Fn(usize) -> T) -> Self {
        let count = spec.width as usize * spec.height as usize * usize::from(spec.bands);
        Self { column, row, spec, samples: (0..count).map(sample).collect(), mask: None }
    }

    fn masked(mut self, mask: impl Fn(usize) -> bool) -> Self {
        let count = self.spec.width as usize * self.spec.height as usize;
        self.mask = Some((0..count).map(|pixel| if mask(pixel) { 255 } else { 0 }).collect());
        self
    }

    fn geo(&self) -> GeoRef {
        let (x, y) = (600_000.0 + 10.0 * f64::from(self.column), 5_000_000.0 - 20.0 * f64::from(self.row));
        GeoRef::default().with_transform(Transform::north_up(x, y, 10.0, 20.0).unwrap())
    }

    fn source(&self) -> Box<dyn RasterSource + '_> {
        let mut source = SliceSource::new(self.spec.clone(), &self.samples).unwrap();
        if let Some(mask) = &self.mask {
            source = source.with_mask(mask).unwrap();
        }
        let mut source = OverriddenSource::new(source);
        source.set_geo(self.geo());
        Box::new(source)
    }

    /// The sample of a band at a pixel of the mosaic, if the input has data there.
    fn data(&self, column: u32, row: u32, band: usize, is_void: &impl Fn(T) -> bool) -> Option<T> {
        let (column, row) = (column.checked_sub(self.column)?, row.checked_sub(self.row)?);
        if column >= self.spec.width || row >= self.spec.height {
            return None;
        }
        let pixel = row as usize * self.spec.width as usize + column as usize;
        let bands = usize::from(self.spec.bands);
        let sample = self.samples[pixel * bands + band];
        match &self.mask {
            Some(mask) => (mask[pixel] != 0).then_some(sample),
            None => (!is_void(sample)).then_some(sample),
        }
    }
}

fn inputs<T: Sample>(parts: &[Part<T>]) -> Vec<SourceInput<'_>> {
    parts
        .iter()
        .enumerate()
        .map(|(index, part)| SourceInput::new(format!("part {index}"), || Ok(part.source())))
        .collect()
}

/// All samples of a source with the bands of a pixel together, and its mask, read in stripes of several rows.
fn read<T: Sample + Default>(
    source: &mut dyn RasterSource,
    layout: StripeLayout,
    step: usize,
    executor: &Executor,
) -> cogsmith::Result<(Vec<T>, Vec<u8>)> {
    let spec = source.spec().clone();
    let (width, height, bands) = (spec.width as usize, spec.height as usize, usize::from(spec.bands));
    let (mut all, mut masks) = (Vec::new(), Vec::new());
    for first in (0..height).step_by(step) {
        let rows = step.min(height - first);
        let mut samples = vec![T::default(); rows * width * bands];
        let mut mask = vec![9; rows * width];
        let plane = rows * width;
        let planes = match layout {
            StripeLayout::Chunky => vec![bytemuck::cast_slice_mut(&mut samples)],
            StripeLayout::Planar => samples.chunks_mut(plane).map(bytemuck::cast_slice_mut).collect(),
        };
        let mask_rows = spec.mask.then_some(&mut mask[..]);
        let mut stripe = Stripe::new(&spec, rows, layout, planes, mask_rows)?;
        source.read_rows(first as u32, &mut stripe, executor)?;
        match layout {
            StripeLayout::Chunky => all.extend(samples),
            StripeLayout::Planar => {
                all.extend((0..plane * bands).map(|index| samples[index % bands * plane + index / bands]));
            }
        }
        masks.extend(mask);
    }
    Ok((all, masks))
}

/// A few different numbers.
fn noise(seed: usize) -> impl Fn(usize) -> usize {
    move |index| {
        let mixed = (index + 7919 * seed + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (mixed ^ (mixed >> 29)) >> 40
    }
}

/// Compares a mosaic with the definition of the rule, for every layout, number of threads, and number of open inputs.
fn check<T: Sample + Default + PartialOrd + std::fmt::Debug>(
    parts: &[Part<T>],
    overlap: Overlap,
    (is_void, gap): (impl Fn(T) -> bool, T),
    (to_f64, from_f64): (impl Fn(T) -> f64, impl Fn(f64) -> T),
) {
    let threads = Executor::threads(3).unwrap();
    let mut first: Option<(Vec<T>, Vec<u8>)> = None;
    for (layout, step, max_open, executor) in [
        (StripeLayout::Chunky, 7, 120, &Executor::serial()),
        (StripeLayout::Planar, 100, 120, &threads),
        (StripeLayout::Chunky, 1, 2, &threads),
        (StripeLayout::Planar, 9, 1, &Executor::serial()),
    ] {
        let options = MosaicOptions::new().overlap(overlap).max_open(max_open);
        let mut mosaic = MosaicSource::new(inputs(parts), &options, executor).unwrap();
        let spec = mosaic.spec().clone();
        let (samples, mask) = read::<T>(&mut mosaic, layout, step, executor).unwrap();
        let bands = usize::from(spec.bands);
        let (left, top) = (parts.iter().map(|p| p.column).min().unwrap(), parts.iter().map(|p| p.row).min().unwrap());
        for (index, sample) in samples.iter().enumerate() {
            let (pixel, band) = (index / bands, index % bands);
            let (column, row) = (left + pixel as u32 % spec.width, top + pixel as u32 / spec.width);
            let data: Vec<T> = parts.iter().filter_map(|part| part.data(column, row, band, &is_void)).collect();
            let expected = match (data.is_empty(), overlap) {
                (true, _) => gap,
                (_, Overlap::Last) => data[data.len() - 1],
                (_, Overlap::First) => data[0],
                (_, Overlap::Min) => data.iter().copied().reduce(|a, b| if b < a { b } else { a }).unwrap(),
                (_, Overlap::Max) => data.iter().copied().reduce(|a, b| if b > a { b } else { a }).unwrap(),
                (_, Overlap::Count) => from_f64(data.len() as f64),
                (_, rule) => {
                    let sum: f64 = data.iter().map(|value| to_f64(*value)).sum();
                    from_f64(if rule == Overlap::Sum { sum } else { sum / data.len() as f64 })
                }
            };
            assert_eq!(*sample, expected, "{overlap} at {column}, {row}, band {band}");
            if spec.mask {
                assert_eq!(mask[pixel] != 0, !data.is_empty(), "{overlap}: mask at {column}, {row}");
            }
        }
        // NaN would not equal itself, but none of the cases has it here.
        assert!(first.as_ref().is_none_or(|first| *first == (samples.clone(), mask.clone())));
        first = Some((samples, mask));
    }
}

const BY_ORDER: [Overlap; 4] = [Overlap::Last, Overlap::First, Overlap::Min, Overlap::Max];

#[test]
fn nodata_do_not_cover_data() {
    let spec = |width, height| ImageSpec::new(width, height, 2, DataType::I16).nodata(-3i64);
    let value = |seed| move |index| noise(seed)(index) as i16 % 12 - 3;
    let parts = [
        Part::new(10, 10, spec(20, 15), value(1)),
        Part::new(25, 12, spec(13, 30), value(2)),
        Part::new(12, 11, spec(9, 9), value(3)),
        Part::new(0, 40, spec(5, 1), value(4)),
    ];
    for overlap in BY_ORDER.into_iter().chain([Overlap::Count]) {
        check(&parts, overlap, (|value| value == -3, -3), (f64::from, |value| value as i16));
    }
    // Sums and means of values that cannot add up to nodata.
    let positive = parts.map(|mut part| {
        part.samples.iter_mut().for_each(|sample| *sample = if *sample == -3 { -3 } else { sample.abs() });
        part
    });
    for overlap in [Overlap::Sum, Overlap::Mean] {
        check(&positive, overlap, (|value| value == -3, -3), (f64::from, |value: f64| (value + 0.5).floor() as i16));
    }
}

#[test]
fn masks_decide_about_pixels_of_all_bands() {
    let spec = |width, height| ImageSpec::new(width, height, 3, DataType::U8);
    let value = |seed| move |index| (noise(seed)(index) % 60) as u8;
    let parts = [
        Part::new(0, 0, spec(20, 15), value(1)).masked(|pixel| pixel % 3 != 0),
        // Without a mask of its own, all of it is data.
        Part::new(15, 2, spec(13, 30), value(2)),
        Part::new(10, 9, spec(19, 9), value(3)).masked(|pixel| noise(5)(pixel).is_multiple_of(2)),
    ];
    for overlap in Overlap::ALL {
        check(&parts, *overlap, (|_| false, 0), (f64::from, |value: f64| (value + 0.5).floor() as u8));
    }
}

#[test]
fn gaps_are_nan_among_floats_and_masked_among_integers() {
    let floats = [
        Part::new(0, 0, ImageSpec::new(3, 3, 1, DataType::F32), |index| index as f32),
        Part::new(4, 1, ImageSpec::new(3, 3, 1, DataType::F32), |index| if index == 4 { f32::NAN } else { 1.0 }),
    ];
    let mut mosaic = MosaicSource::new(inputs(&floats), &MosaicOptions::new(), &Executor::serial()).unwrap();
    assert!(mosaic.spec().nodata.is_some_and(|nodata| nodata.as_f64().is_nan()) && !mosaic.spec().mask);
    let (samples, _) = read::<f32>(&mut mosaic, StripeLayout::Chunky, 2, &Executor::serial()).unwrap();
    assert_eq!(samples.iter().filter(|sample| sample.is_nan()).count(), 28 - 18 + 1);
    // A mosaic without gaps has neither.
    let whole = [
        Part::new(0, 0, ImageSpec::new(3, 3, 1, DataType::U16), |index| index as u16),
        Part::new(3, 0, ImageSpec::new(3, 3, 1, DataType::U16), |index| index as u16),
    ];
    let mosaic = MosaicSource::new(inputs(&whole), &MosaicOptions::new(), &Executor::serial()).unwrap();
    assert!(!mosaic.spec().mask && mosaic.spec().nodata.is_none());
    let mut apart = whole.clone();
    apart[1].column = 5;
    check(&apart, Overlap::Last, (|_| false, 0), (f64::from, |value| value as u16));
    let mosaic = MosaicSource::new(inputs(&apart), &MosaicOptions::new(), &Executor::serial()).unwrap();
    assert!(mosaic.spec().mask);
}

#[test]
fn transparent_pixels_do_not_cover_others() {
    let spec = ImageSpec::new(6, 4, 4, DataType::U8).extra_samples(vec![ExtraSample::UnassociatedAlpha]);
    let spec = spec.photometric(cogsmith::Photometric::Rgb);
    let value = |seed: usize| {
        move |index: usize| match (index % 4, noise(seed)(index / 4) % 3) {
            (3, 0) => 0u8,
            (3, other) => 100 * other as u8,
            (band, _) => (10 * band + seed) as u8,
        }
    };
    let parts = [Part::new(0, 0, spec.clone(), value(1)), Part::new(2, 1, spec, value(2))];
    let mut mosaic = MosaicSource::new(inputs(&parts), &MosaicOptions::new(), &Executor::serial()).unwrap();
    assert_eq!(mosaic.spec().bands, 4);
    let (samples, _) = read::<u8>(&mut mosaic, StripeLayout::Planar, 3, &Executor::serial()).unwrap();
    for (pixel, sample) in samples.chunks_exact(4).enumerate() {
        let (column, row) = (pixel as u32 % 8, pixel as u32 / 8);
        let of = |part: &Part<u8>| -> Option<Vec<u8>> {
            let all: Option<Vec<u8>> = (0..4).map(|band| part.data(column, row, band, &|_| false)).collect();
            all.filter(|pixel| pixel[3] != 0)
        };
        let expected = of(&parts[1]).or_else(|| of(&parts[0])).unwrap_or(vec![0; 4]);
        assert_eq!(sample, expected, "{column}, {row}");
    }
}

#[test]
fn sums_that_do_not_fit_are_errors() {
    let spec = ImageSpec::new(2, 1, 1, DataType::U8).nodata(9u64);
    let sum = |one: u8, two: u8, overlap| {
        let parts = [Part::new(0, 0, spec.clone(), |_| one), Part::new(0, 0, spec.clone(), |_| two)];
        let options = MosaicOptions::new().overlap(overlap);
        let mut mosaic = MosaicSource::new(inputs(&parts), &options, &Executor::serial())?;
        read::<u8>(&mut mosaic, StripeLayout::Chunky, 1, &Executor::serial())
    };
    assert_eq!(sum(200, 55, Overlap::Sum).unwrap().0, [255, 255]);
    let error = sum(200, 56, Overlap::Sum).unwrap_err().to_string();
    assert!(error.contains("a sum is 256, out of range for u8"), "{error}");
    let error = sum(4, 5, Overlap::Sum).unwrap_err().to_string();
    assert!(error.contains("a sum is 9, which is the nodata value"), "{error}");
    // A mean is rounded anyway.
    assert_eq!(sum(8, 10, Overlap::Mean).unwrap().0, [10, 10]);
}

#[test]
fn rules_without_a_meaning_are_refused() {
    let refused = |spec: ImageSpec, overlap| {
        let part = Part { column: 0, row: 0, samples: vec![0u8; 4], mask: None, spec };
        let parts = [part];
        let options = MosaicOptions::new().overlap(overlap);
        MosaicSource::new(inputs(&parts), &options, &Executor::serial()).map(|_| ()).unwrap_err().to_string()
    };
    let palette =
        ImageSpec::new(2, 2, 1, DataType::U8).photometric(cogsmith::Photometric::Palette).color_map(vec![0; 768]);
    assert!(refused(palette, Overlap::Mean).contains("expand the palette first"));
    let alpha = ImageSpec::new(1, 2, 2, DataType::U8).extra_samples(vec![ExtraSample::UnassociatedAlpha]);
    assert!(refused(alpha, Overlap::Sum).contains("alpha"));
}

#[test]
fn inputs_that_differ_are_refused_by_name() {
    let base = || ImageSpec::new(2, 2, 1, DataType::U8).nodata(0u64);
    let refused = |change: &dyn Fn(ImageSpec, GeoRef, Metadata) -> (ImageSpec, GeoRef, Metadata)| {
        let one = Part::new(0, 0, base(), |_| 1u8);
        let (spec, geo, metadata) = change(base(), one.geo(), Metadata::default());
        let pixels = vec![0u8; spec.width as usize * spec.height as usize * usize::from(spec.bands)];
        let wide = vec![0u16; pixels.len()];
        let second = || -> cogsmith::Result<Box<dyn RasterSource + '_>> {
            let source = match spec.data_type {
                DataType::U8 => SliceSource::new(spec.clone(), &pixels)?,
                _ => SliceSource::new(spec.clone(), &wide)?,
            };
            let mut source = OverriddenSource::new(source);
            source.set_geo(geo.clone());
            source.set_metadata(metadata.clone());
            Ok(Box::new(source))
        };
        let inputs = vec![SourceInput::new("one.tif", || Ok(one.source())), SourceInput::new("two.tif", second)];
        let error = MosaicSource::new(inputs, &MosaicOptions::new(), &Executor::serial()).map(|_| ()).unwrap_err();
        match error.kind() {
            ErrorKind::Mismatch { first, second, option, .. } => {
                assert_eq!((first.as_str(), second.as_str()), ("one.tif", "two.tif"));
                (error.to_string(), *option)
            }
            _ => panic!("{error}"),
        }
    };
    let scaled = |scale| {
        let mut metadata = Metadata::default();
        metadata.set_scale(0, scale).unwrap();
        metadata
    };
    let utm = Crs::epsg(32633).unwrap();
    type Change<'a> = &'a dyn Fn(ImageSpec, GeoRef, Metadata) -> (ImageSpec, GeoRef, Metadata);
    let cases: [(Change<'_>, &str, OptionField); 7] = [
        (&|spec, geo, meta| (spec.data_type(DataType::U16), geo, meta), "data types u8 and u16", OptionField::DataType),
        (&|spec, geo, meta| (spec.bands(2), geo, meta), "1 and 2 bands", OptionField::Bands),
        (&|spec, geo, meta| (spec.nodata(7u64), geo, meta), "nodata values 0 and 7", OptionField::Nodata),
        (
            &|spec, geo, meta| (spec.color_map(vec![0; 768]).photometric(cogsmith::Photometric::Palette), geo, meta),
            "one has a palette",
            OptionField::ExpandPalette,
        ),
        (&|spec, geo, meta| (spec, geo.with_crs(&utm).unwrap(), meta), "systems none and EPSG:32633", OptionField::Crs),
        (&|spec, geo, _| (spec, geo, scaled(0.5)), "scales 1 and 0.5 of band 1", OptionField::Scale),
        (
            &|spec, geo, meta| (spec.photometric(cogsmith::Photometric::MinIsWhite), geo, meta),
            "photometric",
            OptionField::ColorInterpretation,
        ),
    ];
    for (change, expected, option) in cases {
        let (message, settles) = refused(change);
        assert!(message.starts_with("'one.tif' and 'two.tif' differ: ") && message.contains(expected), "{message}");
        assert_eq!(settles, Some(option));
    }
}

#[test]
fn inputs_are_open_only_while_their_rows_are_read() {
    let opened = Arc::new(AtomicUsize::new(0));
    let parts: Vec<_> =
        (0..100).map(|row| Part::new(0, row * 4, ImageSpec::new(5, 4, 1, DataType::U8), move |_| row as u8)).collect();
    let inputs = parts.iter().map(|part| {
        let opened = Arc::clone(&opened);
        SourceInput::new("part", move || {
            opened.fetch_add(1, Ordering::Relaxed);
            Ok(part.source())
        })
    });
    let mut mosaic = MosaicSource::new(inputs.collect(), &MosaicOptions::new(), &Executor::serial()).unwrap();
    assert_eq!(opened.swap(0, Ordering::Relaxed), 100);
    let (samples, _) = read::<u8>(&mut mosaic, StripeLayout::Chunky, 3, &Executor::serial()).unwrap();
    assert_eq!(opened.load(Ordering::Relaxed), 100, "each is opened once for its header and once for its rows");
    assert!(samples.iter().enumerate().all(|(index, sample)| usize::from(*sample) == index / 20));
}

/// Files that differ are made to fit by the options, and the window is that of the mosaic.
#[test]
fn options_make_files_fit() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, part: &Part<u8>| {
        cogsmith::write(folder.path().join(name), part.source(), &CogOptions::new()).unwrap();
    };
    let spec = |nodata: u64| ImageSpec::new(4, 4, 1, DataType::U8).nodata(nodata);
    write("a.tif", &Part::new(0, 0, spec(0), |index| index as u8));
    write("b.tif", &Part::new(4, 0, spec(255), |index| if index == 3 { 255 } else { index as u8 }));
    let files = InputFiles::find([folder.path()], None).unwrap();
    let output = folder.path().join("out.tif");
    let error = cogsmith::mosaic(&files, &output, &MosaicOptions::new(), &CogOptions::new()).unwrap_err();
    assert!(error.to_string().contains("nodata values 0 and 255"), "{error}");
    let options = CogOptions::new()
        .nodata(Nodata::from(77u64))
        .pixels(PixelOptions::new().window(Rectangle { columns: 2..8, rows: 0..1 }));
    cogsmith::mosaic(&files, &output, &MosaicOptions::new(), &options).unwrap();
    let mut written = GeoTiffSource::open(&output, &ReadOptions::new()).unwrap();
    assert_eq!(written.spec().nodata, Some(Nodata::from(77u64)));
    let (samples, _) = read::<u8>(&mut written, StripeLayout::Chunky, 1, &Executor::serial()).unwrap();
    assert_eq!(samples, [2, 3, 0, 1, 2, 77]);
    let same = InputFiles::find([&output], None).unwrap();
    let error = cogsmith::mosaic(&same, &output, &MosaicOptions::new(), &CogOptions::new()).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::OutputIsInput { .. }));
    // A single file becomes what `convert` makes of it.
    let one = InputFiles::find([folder.path().join("a.tif")], None).unwrap();
    cogsmith::mosaic(&one, folder.path().join("one.tif"), &MosaicOptions::new(), &CogOptions::new()).unwrap();
    let bytes = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    assert_eq!(bytes("one.tif"), bytes("a.tif"));
}

#[test]
fn stacks_have_the_bands_of_all_inputs() {
    let spec = |bands| ImageSpec::new(9, 11, bands, DataType::U16).nodata(0u64);
    let value = |seed| move |index| noise(seed)(index) as u16;
    let parts = [
        Part::new(3, 3, spec(1), value(1)),
        Part::new(3, 3, spec(2), value(2)),
        Part::new(3, 3, spec(1), value(3)).masked(|pixel| pixel % 5 != 0),
    ];
    for (layout, max_open) in [(StripeLayout::Chunky, 120), (StripeLayout::Planar, 1), (StripeLayout::Chunky, 2)] {
        let options = MosaicOptions::new().max_open(max_open);
        let threads = Executor::threads(2).unwrap();
        let mut stack = StackSource::new(inputs(&parts), &options, &threads).unwrap();
        assert_eq!((stack.spec().bands, stack.spec().mask), (4, true));
        let names: Vec<_> = (0..4).map(|band| stack.metadata().description(band).unwrap()).collect();
        assert_eq!(names, ["part 0", "part 1 1", "part 1 2", "part 2"]);
        let (samples, mask) = read::<u16>(&mut stack, layout, 4, &threads).unwrap();
        for (pixel, sample) in samples.chunks_exact(4).enumerate() {
            let [a, b, c] = [0, 1, 2].map(|part| &parts[part].samples);
            assert_eq!(sample, [a[pixel], b[2 * pixel], b[2 * pixel + 1], c[pixel]]);
            assert_eq!(mask[pixel] != 0, pixel % 5 != 0);
        }
    }
    let mut other = parts.clone();
    other[1] = other[1].clone().masked(|pixel| pixel != 50);
    let mut stack = StackSource::new(inputs(&other), &MosaicOptions::new(), &Executor::serial()).unwrap();
    let error = read::<u16>(&mut stack, StripeLayout::Chunky, 4, &Executor::serial()).unwrap_err().to_string();
    assert_eq!(&error[..60], "'part 1' and 'part 2' differ: masks at column 0, row 0, but ");
    let mut moved = parts.clone();
    moved[2].row = 4;
    let error = StackSource::new(inputs(&moved), &MosaicOptions::new(), &Executor::serial()).unwrap_err().to_string();
    assert!(error.contains("places; they are 0 columns and 1 rows apart"), "{error}");
}
