//! Lossy codecs: nodata stays exact, the bytes are the same on every way, and what is lost is measured.

#![cfg(all(feature = "geotiff", feature = "jpeg"))]

mod support;

use std::ops::ControlFlow;

use cogsmith::{
    CogOptions, CogPlan, CogWriter, Compression, DataType, EncodeOptions, ErrorKind, Executor, ExtraSample,
    FileOptions, GeoRef, GeoTiffSource, ImageSpec, Interleave, MaskPolicy, MaskedSource, Metadata, Nodata, OutputFile,
    Overviews, Photometric, PixelSource, Predictor, ReadOptions, Resampling, SliceSource, StoreOptions, Stripe,
    StripeLayout, Summary, TileSize, encode_to_output, encode_to_vec,
};
use support::parse::Tiff;

/// An image of bytes, (row, column, band), with nodata in holes, specks, and along an edge.
struct Image {
    spec: ImageSpec,
    pixels: Vec<u8>,
    /// The pixels that are nodata in every band.
    holes: Vec<bool>,
}

impl Image {
    fn new(width: usize, height: usize, bands: usize, nodata: u8) -> Self {
        let mut spec = ImageSpec::new(width as u32, height as u32, u16::try_from(bands).unwrap(), DataType::U8);
        spec.nodata = Some(Nodata::from(u64::from(nodata)));
        let (mut pixels, mut holes) = (Vec::new(), Vec::new());
        for (row, column) in (0..height).flat_map(|row| (0..width).map(move |column| (row, column))) {
            let (x, y) = (column as f64 - width as f64 / 3.0, row as f64 - height as f64 / 2.0);
            let speck = (row * 31 + column * 17) % 97 == 0;
            let hole = x.hypot(y) < width as f64 / 5.0 || speck || column + row / 2 > width - 4;
            holes.push(hole);
            for band in 0..bands {
                let value = 130.0 + 90.0 * (x / (9.0 + band as f64)).sin() * (y / 13.0).cos();
                let value = value as u8 ^ ((row * 7 + column * 5) % 3) as u8;
                // Valid samples are near nodata, but never equal to it.
                let value = if value == nodata { value ^ 1 } else { value };
                pixels.push(if hole { nodata } else { value });
            }
        }
        Self { spec, pixels, holes }
    }

    fn source(&self) -> SliceSource<'_> {
        SliceSource::new(self.spec.clone(), &self.pixels).unwrap()
    }

    fn plan(&self, options: &EncodeOptions) -> CogPlan {
        CogPlan::new(&self.spec, &GeoRef::default(), &Metadata::default(), options).unwrap()
    }

    fn file(&self, options: &EncodeOptions) -> Vec<u8> {
        encode_to_vec(&mut self.source(), &self.plan(options)).unwrap()
    }
}

fn jpeg(quality: u8) -> Compression {
    Compression::JPEG.with_parameter("quality", quality).unwrap()
}

fn options(compression: Compression) -> EncodeOptions {
    EncodeOptions::new().compression(compression).tile_size(TileSize::square(64))
}

/// A decoded level.
struct Level {
    spec: ImageSpec,
    pixels: Vec<u8>,
    valid: Vec<bool>,
}

/// Decodes all levels, full resolution first.
fn read(file: &[u8]) -> Vec<Level> {
    let count = Tiff::parse(file).ifds.iter().filter(|ifd| ifd.is_overview() && !ifd.is_mask()).count();
    let open = |level: usize| {
        let (bytes, options) = (file.to_vec(), ReadOptions::default());
        match level.checked_sub(1) {
            None => GeoTiffSource::from_reader(bytes, &options),
            Some(overview) => GeoTiffSource::overview(bytes, &options, overview),
        }
    };
    (0..=count)
        .map(|level| {
            let mut source = open(level).unwrap();
            let spec = source.spec().clone();
            let (width, rows, bands) = (spec.width as usize, spec.height as usize, usize::from(spec.bands));
            let (mut pixels, mut mask) = (vec![0; width * rows * bands], vec![255; width * rows]);
            let mask_rows = spec.mask.then_some(&mut mask[..]);
            let mut stripe = Stripe::new(&spec, rows, StripeLayout::Chunky, vec![&mut pixels[..]], mask_rows).unwrap();
            source.read_rows(0, &mut stripe, &Executor::serial()).unwrap();
            Level { spec, pixels, valid: mask.iter().map(|byte| *byte != 0).collect() }
        })
        .collect()
}

#[test]
fn nodata_is_exact_at_every_level() {
    let kernels = [Resampling::Nearest, Resampling::Average, Resampling::Cubic, Resampling::Mode, Resampling::Lanczos];
    let layouts = [(1, Interleave::Pixel), (3, Interleave::Pixel), (2, Interleave::Band), (5, Interleave::Tile)];
    for (case, resampling) in kernels.into_iter().enumerate() {
        for (bands, interleave) in layouts {
            // Below, within, and above the values.
            for nodata in [0, 131, 255] {
                let image = Image::new(150 + 13 * case, 131, bands, nodata);
                let shared = options(jpeg(60)).interleave(interleave).resampling(resampling);
                let exact = shared.clone().compression(Compression::DEFLATE).mask(MaskPolicy::Nodata);
                let (lossy, exact) = (read(&image.file(&shared)), read(&image.file(&exact)));
                assert_eq!(lossy.len(), exact.len());
                assert!(lossy.len() > 1);
                for (index, (level, expected)) in lossy.iter().zip(&exact).enumerate() {
                    assert_eq!(level.spec.nodata, None);
                    let same = level.valid == expected.valid;
                    assert!(same, "{resampling:?}, {bands} bands, nodata {nodata}, level {index}");
                }
                let holes: Vec<_> = image.holes.iter().map(|hole| !hole).collect();
                assert!(lossy[0].valid == holes, "{bands} bands, nodata {nodata}");
            }
        }
    }
}

#[cfg(feature = "webp-c")]
#[test]
fn lossy_webp_keeps_nodata_exact_at_every_level() {
    let webp = |quality: u8| Compression::WEBP_LOSSLESS.with_parameter("quality", quality).unwrap();
    for nodata in [0, 131, 255] {
        let image = Image::new(163, 131, 3, nodata);
        let exact = options(Compression::DEFLATE).mask(MaskPolicy::Nodata);
        let expected = read(&image.file(&exact));
        for quality in [1, 75, 99] {
            let (summary, file) = write(&image, &options(webp(quality)), true);
            assert!(summary.levels.iter().all(|level| level.loss.is_some_and(|loss| loss.max_error > 0.0)));
            for (level, expected) in read(&file).iter().zip(&expected) {
                assert_eq!(level.spec.nodata, None);
                assert!(level.valid == expected.valid, "nodata {nodata}, quality {quality}");
            }
        }
    }
    let four = Image::new(64, 64, 4, 0);
    let refused = CogPlan::new(&four.spec, &GeoRef::default(), &Metadata::default(), &options(webp(80)));
    assert!(refused.unwrap_err().to_string().contains("three bands"));
}

#[test]
fn pixels_under_the_mask_do_not_damage_their_neighbors() {
    let error = |file: &[u8], image: &Image| {
        let level = read(file).swap_remove(0);
        let samples =
            level.pixels.chunks(usize::from(level.spec.bands)).zip(image.pixels.chunks(level.spec.bands.into()));
        let valid = samples.zip(&image.holes).filter(|(_, hole)| !**hole);
        let errors = valid.flat_map(|((after, before), _)| after.iter().zip(before));
        let squares: Vec<f64> =
            errors.map(|(after, before)| f64::from(i16::from(*after) - i16::from(*before)).powi(2)).collect();
        squares.iter().sum::<f64>() / squares.len() as f64
    };
    let image = Image::new(300, 200, 1, 0);
    let masked = error(&image.file(&options(jpeg(75))), &image);
    // The same pixels without nodata: what the codec does to a file whose nodata tag is kept, as in GDAL.
    let mut spec = image.spec.clone();
    spec.nodata = None;
    let plain = Image { spec, pixels: image.pixels.clone(), holes: image.holes.clone() };
    let plain = error(&plain.file(&options(jpeg(75))), &image);
    assert!(masked < plain / 2.0, "{masked} with the mask, {plain} without");
}

#[test]
fn blocks_without_valid_pixels_hold_nodata() {
    let mut image = Image::new(64, 64, 3, 40);
    for row in 0..32 {
        image.pixels[row * 64 * 3..][..64 * 3].fill(40);
    }
    let levels = read(&image.file(&options(jpeg(90)).overviews(Overviews::None)));
    // Readers that ignore masks see the nodata color, as exactly as the codec can store it.
    assert!(levels[0].pixels[..16 * 64 * 3].iter().all(|sample| sample.abs_diff(40) <= 1));
}

#[test]
fn files_without_nodata_have_no_mask() {
    let image = Image::new(100, 80, 3, 7);
    let mut spec = image.spec.clone();
    spec.nodata = None;
    let image = Image { spec, ..image };
    let level = read(&image.file(&options(jpeg(75)))).swap_remove(0);
    assert!(!level.spec.mask && level.spec.photometric == Photometric::Rgb);
}

/// Changes one band of a pixel to nodata.
fn disagreeing() -> Image {
    let mut image = Image::new(90, 70, 3, 0);
    let place = 20 * 90 + 50;
    assert!(!image.holes[place]);
    image.pixels[place * 3 + 1] = 0;
    image
}

#[test]
fn bands_that_disagree_about_nodata_need_a_policy() {
    let image = disagreeing();
    let error = encode_to_vec(&mut image.source(), &image.plan(&options(jpeg(75)))).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("column 50, row 20") && text.contains("any-nodata"), "{text}");
    let masked = |mask| {
        let options = options(jpeg(75)).mask(mask);
        let valid = read(&image.file(&options)).swap_remove(0).valid;
        valid.iter().zip(&image.holes).map(|(valid, hole)| i32::from(!valid) - i32::from(*hole)).sum::<i32>()
    };
    assert_eq!(masked(MaskPolicy::Nodata), 0);
    assert_eq!(masked(MaskPolicy::AnyNodata), 1);
    let file = write(&image, &options(jpeg(75)).mask(MaskPolicy::Nodata), false);
    assert_eq!(file.0.nodata_samples, 1);
    assert!(
        file.0.warnings.iter().any(|warning| warning.contains("samples that equal nodata")),
        "{:?}",
        file.0.warnings
    );
    let exact = options(Compression::DEFLATE).mask(MaskPolicy::AnyNodata);
    let level = read(&image.file(&exact)).swap_remove(0);
    assert!(!level.valid[20 * 90 + 50] && level.spec.nodata.is_some(), "any-nodata works with lossless codecs too");
}

/// Writes a file; returns the summary and the bytes.
fn write(image: &Image, options: &EncodeOptions, verify: bool) -> (Summary, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.tif");
    let store = StoreOptions::new().verify(verify);
    let mut output = OutputFile::create(&path, &FileOptions::default()).unwrap();
    let executor = Executor::threads(2).unwrap();
    let (mut source, plan) = (image.source(), image.plan(options));
    let go_on = &mut |_| ControlFlow::Continue(());
    let summary = encode_to_output(&mut source, &plan, &executor, &store, &mut output, go_on).unwrap();
    output.commit().unwrap();
    (summary, std::fs::read(path).unwrap())
}

#[test]
fn the_summary_measures_the_loss() {
    let image = Image::new(400, 300, 3, 0);
    let options = options(jpeg(70)).mask(MaskPolicy::Auto);
    let (summary, file) = write(&image, &options, true);
    let levels = read(&file);
    let loss = summary.levels[0].loss.unwrap();
    assert_eq!(loss.tiles, summary.levels[0].tiles, "verification compares all tiles");
    let differences = levels[0].pixels.iter().zip(&image.pixels).enumerate();
    let valid = differences.filter(|(index, _)| !image.holes[index / 3]);
    let errors: Vec<f64> = valid.map(|(_, (after, before))| f64::from(after.abs_diff(*before))).collect();
    let largest = errors.iter().copied().fold(0.0, f64::max);
    let mean = errors.iter().map(|error| error * error).sum::<f64>() / errors.len() as f64;
    let psnr = 10.0 * (255.0 * 255.0 / mean).log10();
    assert_eq!(loss.max_error, largest);
    assert!((loss.psnr.unwrap() - psnr).abs() < 1e-9);
    let (sampled, same) = write(&image, &options, false);
    let tiles: Vec<_> = sampled.levels.iter().map(|level| (level.loss.unwrap().tiles, level.tiles)).collect();
    assert!(tiles.iter().all(|(compared, all)| *compared >= 1 && (*compared < *all || *all == 1)), "{tiles:?}");
    assert!(same == file);
    let (lossless, _) = write(&image, &EncodeOptions::new().tile_size(TileSize::square(64)), true);
    assert!(lossless.levels.iter().all(|level| level.loss.is_none()));
}

#[test]
fn every_way_gives_the_same_bytes() {
    let image = disagreeing();
    for mask in [MaskPolicy::Nodata, MaskPolicy::AnyNodata] {
        let options = options(jpeg(80)).mask(mask);
        let expected = image.file(&options);
        let plan = CogPlan::from_bytes(&image.plan(&options).to_bytes()).unwrap();
        assert!(encode_to_vec(&mut image.source(), &plan).unwrap() == expected, "a plan that traveled");
        let mut masked = MaskedSource::new(image.source(), mask).unwrap();
        let plan = CogPlan::new(masked.spec(), &GeoRef::default(), &Metadata::default(), &options).unwrap();
        assert!(encode_to_vec(&mut masked, &plan).unwrap() == expected, "a source that made the mask");
        let cog = CogOptions::new().encode_options(options.clone());
        assert!(cogsmith::to_vec(image.source(), &cog).unwrap() == expected, "the front door");
        let mut bytes = Vec::new();
        let mut writer = CogWriter::to_writer(
            image.plan(&options),
            Executor::threads(3).unwrap(),
            StoreOptions::default(),
            &mut bytes,
        )
        .unwrap();
        image.pixels.chunks(90 * 3 * 11).for_each(|rows| writer.push_rows(rows, None).unwrap());
        writer.finish().unwrap();
        assert!(bytes == expected, "rows that are pushed");
    }
}

#[test]
fn alpha_becomes_the_mask() {
    let mut image = Image::new(80, 60, 4, 0);
    image.spec.nodata = None;
    image.spec.photometric = Photometric::Rgb;
    image.spec.extra_samples = vec![ExtraSample::UnassociatedAlpha];
    let transparent: Vec<bool> = image.pixels.chunks(4).map(|pixel| pixel[3] == 0).collect();
    let cog = CogOptions::new().compression(jpeg(75)).tile_size(TileSize::square(64));
    let level = read(&cogsmith::to_vec(image.source(), &cog).unwrap()).swap_remove(0);
    assert_eq!((level.spec.bands, level.spec.mask), (3, true));
    assert!(level.valid.iter().zip(&transparent).all(|(valid, transparent)| valid != transparent));
    let folder = tempfile::tempdir().unwrap();
    let summary = cogsmith::write(folder.path().join("a.tif"), image.source(), &cog).unwrap();
    assert!(summary.warnings.iter().any(|warning| warning.contains("alpha band became the mask")));
    let error = CogPlan::new(&image.spec, &GeoRef::default(), &Metadata::default(), &options(jpeg(75))).unwrap_err();
    assert!(error.to_string().contains("choose alpha"), "{error}");
}

#[test]
fn overviews_have_a_codec_of_their_own() {
    let image = Image::new(300, 200, 3, 0);
    let mixed = |full, overviews| {
        let options = options(full).overview_compression(overviews);
        let file = image.file(&options);
        let tiff = Tiff::parse(&file);
        let images = tiff.ifds.iter().filter(|ifd| !ifd.is_mask());
        let tags: Vec<_> = images.map(|ifd| (ifd.number(259), ifd.number(262))).collect();
        let (expected, levels) =
            (read(&image.file(&crate::options(Compression::DEFLATE).mask(MaskPolicy::Nodata))), read(&file));
        for (level, expected) in levels.iter().zip(expected) {
            assert!(level.valid == expected.valid && level.spec.nodata.is_none());
        }
        (tags, levels)
    };
    let (tags, _) = mixed(Compression::DEFLATE, jpeg(50));
    assert_eq!(tags[0], (8, 2));
    assert!(tags.len() > 2 && tags[1..].iter().all(|tags| *tags == (7, 6)));
    let (tags, levels) = mixed(jpeg(75), Compression::ZSTD);
    assert_eq!(tags[0], (7, 6));
    assert!(tags[1..].iter().all(|tags| *tags == (50_000, 2)));
    assert!(levels[0].pixels != image.pixels);
    let predictors = |overview_predictor| {
        let options = options(jpeg(75))
            .overview_compression(Compression::DEFLATE)
            .overview_predictor(overview_predictor)
            .predictor(Predictor::Auto);
        let file = image.file(&options);
        Tiff::parse(&file)
            .ifds
            .iter()
            .filter(|ifd| !ifd.is_mask() && ifd.is_overview())
            .map(|ifd| ifd.number(317))
            .max()
    };
    assert_eq!(predictors(None), Some(2));
    assert_eq!(predictors(Some(Predictor::None)), Some(1));
}

#[test]
fn what_jpeg_cannot_hold_is_refused_with_what_works() {
    let refused = |spec: &ImageSpec, options: EncodeOptions| {
        let error = CogPlan::new(spec, &GeoRef::default(), &Metadata::default(), &options).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::InvalidOption { .. }), "{error}");
        error.to_string()
    };
    let spec = |bands, data_type| ImageSpec::new(50, 50, bands, data_type);
    let plain = || options(jpeg(75));
    let with = |name: &str, value: &str| options(jpeg(75).with_parameter(name, value).unwrap());
    for (spec, options, expected) in [
        (spec(1, DataType::U16), plain(), "not u16; use deflate or zstd, or convert to u8"),
        (spec(1, DataType::CF32), plain(), "not cf32"),
        (spec(1, DataType::U8).bits_per_sample(4), plain(), "not 4-bit"),
        (spec(5, DataType::U8), plain(), "not 5; use band or tile interleave"),
        (spec(2, DataType::U8), plain(), "not 2; use band or tile interleave"),
        (spec(1, DataType::U8).photometric(Photometric::Palette).color_map(vec![0; 768]), plain(), "palette indices"),
        (spec(1, DataType::U8), with("photometric", "ycbcr"), "needs three bands"),
        (spec(1, DataType::U8), with("jpeg-subsampling", "420"), "leave jpeg-subsampling out"),
        (
            spec(1, DataType::U8).nodata(Nodata::from(0u64)),
            plain().mask(MaskPolicy::None),
            "would change the nodata value 0",
        ),
        (spec(1, DataType::U8), plain().mask(MaskPolicy::AnyNodata), "no nodata value"),
        (spec(1, DataType::U8), plain().predictor(Predictor::Horizontal), "no effect with codec jpeg"),
        (
            spec(5, DataType::U8),
            options(Compression::DEFLATE).overview_compression(jpeg(75)),
            "'overview_compression': jpeg takes",
        ),
        (spec(1, DataType::U8), options(Compression::JPEG), ""),
    ] {
        if expected.is_empty() {
            CogPlan::new(&spec, &GeoRef::default(), &Metadata::default(), &options).unwrap();
        } else {
            let text = refused(&spec, options);
            assert!(text.contains(expected), "{text}");
        }
    }
    for (bands, interleave) in [(5, Interleave::Band), (2, Interleave::Tile)] {
        let options = plain().interleave(interleave);
        CogPlan::new(&spec(bands, DataType::U8), &GeoRef::default(), &Metadata::default(), &options).unwrap();
    }
    let out_of_range = spec(1, DataType::U8).nodata(Nodata::from(-9999i64));
    let plan = CogPlan::new(&out_of_range, &GeoRef::default(), &Metadata::default(), &plain()).unwrap();
    assert!(!plan.spec().mask && plan.spec().nodata.is_some(), "no sample can be nodata");
}

#[test]
fn bands_that_are_not_colors_are_stored_as_they_are() {
    let image = Image::new(64, 64, 3, 0);
    let mut spec = image.spec.clone().photometric(Photometric::MinIsBlack);
    spec.nodata = None;
    let image = Image { spec, ..image };
    let plan = image.plan(&options(jpeg(75)));
    assert!(plan.warnings().iter().any(|warning| warning.contains("photometric ycbcr")), "{:?}", plan.warnings());
    let photometric = |compression| {
        let file = image.file(&options(compression));
        let tiff = Tiff::parse(&file);
        let ifd = &tiff.ifds[0];
        (ifd.number(262), ifd.tags.contains_key(&530))
    };
    assert_eq!(photometric(jpeg(75)), (1, false));
    let asked = jpeg(75).with_parameter("photometric", "ycbcr").unwrap();
    assert_eq!(photometric(asked), (6, true));
    assert!(image.plan(&options(asked)).warnings().is_empty());
}
