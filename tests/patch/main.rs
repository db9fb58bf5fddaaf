//! `patch`: a patched file has the bytes of one that is written as a whole with the changed pixels, which are computed here.
//! `COGSMITH_PATCH_CASES` sets the number of random cases.

mod image;

use std::ops::Range;
use std::path::{Path, PathBuf};

use cogsmith::{
    CogOptions, Compression, Crs, DataType, EncodeOptions, ErrorKind, ExtraSample, FileOptions, GeoRef, ImageSpec,
    Nodata, OverriddenSource, Overviews, PatchOptions, Predictor, Resampling, SliceSource, SourceInput, TileSize,
    Transform,
};
use tempfile::TempDir;

use image::{Image, Random, assert_valid, geo_options, options, sha, transform, window};

/// Patches a random file, and compares it with one that is written as a whole.
fn random_case(seed: u64) {
    let mut random = Random(seed);
    let data_type = random.of(&[DataType::U8, DataType::I16, DataType::U16, DataType::F32, DataType::F64]);
    let sides = [1, 17, 64, 100, 130, 257];
    let mut side = || random.of(&sides) + random.within(0..40);
    let mut spec = ImageSpec::new(side(), side(), random.within(1..5) as u16, data_type).mask(random.chance(3));
    let nodata = random.of(&[None, Some(7.0), Some(100.0), Some(f64::NAN)]);
    spec.nodata = nodata.filter(|nodata| !nodata.is_nan() || data_type.is_float()).map(Nodata::from);
    if spec.bands > 1 && data_type == DataType::U8 && random.chance(4) {
        let colors = spec.photometric.color_bands();
        spec.extra_samples = vec![ExtraSample::Unspecified; usize::from(spec.bands - colors)];
        if let Some(last) = spec.extra_samples.last_mut() {
            *last = ExtraSample::UnassociatedAlpha;
        }
    }
    let options = options(&mut random, &spec);
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let mut image = Image::random(&mut random, spec.clone(), (0, 0));
    image.write(&path("big.tif"), &options);
    let replace_all = random.chance(4);
    let mut updates = Vec::new();
    for number in 0..random.within(1..4) {
        let (columns, rows) = window(&mut random, (spec.width, spec.height));
        let (width, height) = (columns.end - columns.start, rows.end - rows.start);
        let mut own = spec.clone().width(width).height(height).mask(random.chance(3) && (spec.mask || !replace_all));
        if spec.nodata.is_none() && !replace_all && random.chance(2) {
            own.nodata = Some(Nodata::from(50u64));
        } else if random.chance(3) {
            own.nodata = None;
        }
        let mut update = Image::random(&mut random, own, (columns.start, rows.start));
        let file = path(&format!("update{number}.tif"));
        update.write(&file, &EncodeOptions::new().tile_size(TileSize::square(32)));
        image.put(&mut update, replace_all);
        updates.push(file);
    }
    image.write(&path("whole.tif"), &options);
    // Small images may have the same bytes at several levels.
    let level = match options.compression {
        Compression::DEFLATE | Compression::ZSTD => None,
        Compression::Deflate { level } | Compression::Zstd { level } => Some(level),
        codec if codec.name() == "lerc_deflate" => Some(2),
        _ => None,
    };
    let patch = PatchOptions::new().level(level).replace_all(replace_all).statistics(options.statistics).threads(2);
    let before = sha(&path("big.tif"));
    let planned = cogsmith::patch(path("big.tif"), &updates, &patch.clone().dry_run(true)).unwrap();
    let summary = cogsmith::patch(path("big.tif"), &updates, &patch.output(path("out.tif"))).unwrap();
    assert_eq!(sha(&path("big.tif")), before, "seed {seed}");
    let text = format!("seed {seed}: {spec:?} {options:?} {updates:?} {summary:?}");
    assert_eq!(sha(&path("out.tif")), sha(&path("whole.tif")), "{text}");
    assert_eq!((planned.levels, planned.windows), (summary.levels, summary.windows), "{text}");
    assert!(summary.warnings.is_empty(), "{text}");
}

#[test]
fn random_patches_give_the_bytes_of_a_whole_file() {
    let count = std::env::var("COGSMITH_PATCH_CASES").map_or(30, |count| count.parse().unwrap());
    (0..count).for_each(random_case);
}

/// A folder with a COG of 257x131 pixels in tiles of 64.
struct Case {
    folder: TempDir,
    image: Image,
    options: EncodeOptions,
}

fn spec() -> ImageSpec {
    ImageSpec::new(257, 131, 2, DataType::U16).nodata(7u64)
}

impl Case {
    fn new(spec: ImageSpec, options: EncodeOptions) -> Self {
        let options = options.tile_size(TileSize::square(64));
        let case =
            Self { folder: tempfile::tempdir().unwrap(), image: Image::random(&mut Random(1), spec, (0, 0)), options };
        case.image.write(&case.path("big.tif"), &case.options);
        case
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes an update, and applies it to the image too.
    fn update(&mut self, columns: Range<u32>, rows: Range<u32>) -> PathBuf {
        let spec = self.image.spec.clone().width(columns.end - columns.start).height(rows.end - rows.start);
        let mut update = Image::random(&mut Random(columns.start.into()), spec, (columns.start, rows.start));
        let path = self.path("update.tif");
        update.write(&path, &EncodeOptions::new());
        self.image.put(&mut update, false);
        path
    }

    fn patch(&self, update: &Path, options: &PatchOptions) -> cogsmith::Result<cogsmith::PatchSummary> {
        cogsmith::patch(self.path("big.tif"), [update], options)
    }

    fn refusal(&self, update: &Path, options: &PatchOptions) -> cogsmith::Error {
        let before = sha(&self.path("big.tif"));
        let error = self.patch(update, options).unwrap_err();
        assert_eq!(sha(&self.path("big.tif")), before);
        // No temporary file is left either.
        let hidden = std::fs::read_dir(self.folder.path()).unwrap();
        assert!(hidden.flatten().all(|entry| !entry.file_name().to_string_lossy().starts_with('.')));
        error
    }

    /// Checks that the patched file is the one that is written as a whole.
    fn assert_whole(&self) {
        self.image.write(&self.path("whole.tif"), &self.options);
        assert_eq!(sha(&self.path("big.tif")), sha(&self.path("whole.tif")));
    }
}

#[test]
fn only_touched_tiles_and_their_ancestors_are_encoded() {
    for resampling in [Resampling::Nearest, Resampling::Average, Resampling::Cubic] {
        let mut case = Case::new(spec(), EncodeOptions::new().predictor(Predictor::Horizontal).resampling(resampling));
        // The upper-left corner of the last tile; halves of two tiles; the corners; tiles that touch at one pixel.
        for (columns, rows, expected) in [
            (256..257, 128..131, 1),
            (60..68, 3..5, 2),
            (0..1, 0..1, 1),
            (250..257, 0..9, 2),
            (0..9, 127..131, 2),
            (127..129, 63..65, 4),
        ] {
            let update = case.update(columns, rows);
            let summary = case.patch(&update, &PatchOptions::new()).unwrap();
            assert_eq!((summary.levels[0].encoded, summary.levels[0].copied), (expected, 15 - expected));
            // 128x65 and 64x32 pixels.
            let most = if resampling == Resampling::Cubic { 4 } else { 2 };
            assert!(summary.levels[1].encoded <= most && summary.levels[2].encoded <= 1, "{summary:?}");
            assert_eq!(summary.levels[1].encoded + summary.levels[1].copied, 4);
            case.assert_whole();
            assert_valid(&case.path("big.tif"));
        }
    }
}

#[test]
fn an_update_of_everything_and_one_of_nothing() {
    let mut case = Case::new(spec(), EncodeOptions::new().predictor(Predictor::Horizontal));
    let update = case.update(0..257, 0..131);
    let summary = case.patch(&update, &PatchOptions::new()).unwrap();
    assert_eq!((summary.encoded(), summary.copied()), (15 + 4 + 1, 0));
    case.assert_whole();
    // All pixels are nodata.
    let before = sha(&case.path("big.tif"));
    let (width, height) = (80, 90);
    let spec = case.image.spec.clone().width(width).height(height);
    let samples = vec![7.0; (width * height * 2) as usize];
    let empty = Image { spec, samples, mask: Vec::new(), at: (10, 20) };
    empty.write(&case.path("empty.tif"), &EncodeOptions::new());
    case.patch(&case.path("empty.tif"), &PatchOptions::new()).unwrap();
    assert_eq!(sha(&case.path("big.tif")), before);
    case.patch(&case.path("empty.tif"), &PatchOptions::new().replace_all(true)).unwrap();
    case.image.put(&mut empty.clone(), true);
    case.assert_whole();
}

#[test]
fn palettes_and_complex_samples_keep_their_kernels() {
    let colors: Vec<u16> = (0..768u32).map(|index| (index * 77 % 65_536) as u16).collect();
    for resampling in [Resampling::Nearest, Resampling::Mode, Resampling::Average] {
        let spec = ImageSpec::new(257, 131, 1, DataType::U8).photometric(cogsmith::Photometric::Palette);
        let mut case = Case::new(spec.color_map(colors.clone()), EncodeOptions::new().resampling(resampling));
        let update = case.update(50..140, 20..100);
        case.patch(&update, &PatchOptions::new()).unwrap();
        case.assert_whole();
    }
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let mut all = ndarray::Array2::from_shape_fn((131, 257), |(row, column)| {
        cogsmith::num_complex::Complex::new(row as f32, (column * row) as f32)
    });
    let options = geo_options((0, 0)).tile_size(TileSize::square(64)).resampling(Resampling::Average);
    cogsmith::write(path("big.tif"), &all, &options).unwrap();
    let part = all.slice(ndarray::s![30..90, 40..120]).mapv(|value| value * 2.0);
    cogsmith::write(path("update.tif"), &part, &geo_options((40, 30))).unwrap();
    all.slice_mut(ndarray::s![30..90, 40..120]).assign(&part);
    cogsmith::patch(path("big.tif"), [path("update.tif")], &PatchOptions::new()).unwrap();
    cogsmith::write(path("whole.tif"), &all, &options).unwrap();
    assert_eq!(sha(&path("big.tif")), sha(&path("whole.tif")));
}

#[test]
fn the_level_is_found_in_the_tiles() {
    for codec in [Compression::Deflate { level: 1 }, Compression::Deflate { level: 9 }, Compression::Zstd { level: 3 }]
    {
        let spec = ImageSpec::new(700, 600, 1, DataType::U16);
        let options = EncodeOptions::new().compression(codec).predictor(Predictor::Horizontal);
        let mut case = Case::new(spec, options.overview_compression(codec));
        let update = case.update(100..200, 300..460);
        let summary = case.patch(&update, &PatchOptions::new()).unwrap();
        assert!(summary.warnings.is_empty(), "{summary:?}");
        case.assert_whole();
    }
    // Tiles of another encoder: the same DEFLATE data, one byte longer.
    let mut case = Case::new(spec(), EncodeOptions::new().predictor(Predictor::Horizontal));
    let update = case.update(0..9, 0..9);
    let summary = case.patch(&update, &PatchOptions::new().level(2)).unwrap();
    assert!(summary.warnings.is_empty());
    let summary = case.patch(&update, &PatchOptions::new()).unwrap();
    assert!(summary.warnings[0].contains("the DEFLATE level of the file is unknown"), "{summary:?}");
}

#[test]
fn sources_in_memory_are_updates_too() {
    let mut case = Case::new(spec(), EncodeOptions::new().predictor(Predictor::Horizontal));
    let update = case.update(30..99, 100..131);
    std::fs::remove_file(update).unwrap();
    let part: Vec<u16> = (0..2usize)
        .flat_map(|band| (100..131usize).flat_map(move |row| (30..99usize).map(move |column| (band, row, column))))
        .map(|(band, row, column)| *case.image.sample(band, row, column) as u16)
        .collect();
    let own = case.image.spec.clone().width(69).height(31);
    let geo = GeoRef::default().with_crs(&Crs::epsg(32633).unwrap()).unwrap().with_transform(transform((30, 100)));
    let input = SourceInput::new("array", || {
        let mut source = OverriddenSource::new(SliceSource::planar(own.clone(), &part)?);
        source.set_geo(geo.clone());
        Ok(Box::new(source))
    });
    cogsmith::patch_from(case.path("big.tif"), vec![input], &PatchOptions::new()).unwrap();
    case.assert_whole();
}

#[test]
fn outputs_appear_where_they_are_wanted() {
    let mut case = Case::new(spec(), EncodeOptions::new().predictor(Predictor::Horizontal));
    let (before, out) = (sha(&case.path("big.tif")), case.path("out.tif"));
    let update = case.update(0..50, 0..50);
    let to_out = PatchOptions::new().output(out.clone());
    let planned = case.patch(&update, &to_out.clone().dry_run(true)).unwrap();
    assert!(!out.exists());
    let summary = case.patch(&update, &to_out).unwrap();
    assert_eq!((planned.levels, sha(&case.path("big.tif"))), (summary.levels.clone(), before));
    assert_eq!(summary.bytes, std::fs::metadata(&out).unwrap().len());
    let error = case.refusal(&update, &to_out);
    assert!(matches!(error.kind(), ErrorKind::TargetExists { .. }), "{error}");
    case.patch(&update, &to_out.file(FileOptions::new().overwrite(true))).unwrap();
    let error = case.refusal(&update, &PatchOptions::new().file(FileOptions::new().overwrite(true)));
    assert!(error.to_string().contains("no effect without an output"), "{error}");
    let none: [&Path; 0] = [];
    let error = cogsmith::patch(&out, none, &PatchOptions::new()).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::NoInputs { .. }), "{error}");
}

#[test]
fn statistics_are_removed_or_computed() {
    let options = EncodeOptions::new().predictor(Predictor::Horizontal);
    let mut case = Case::new(spec(), options.clone().statistics(true));
    let update = case.update(0..50, 0..50);
    let summary = case.patch(&update, &PatchOptions::new().statistics(true)).unwrap();
    assert!(summary.warnings.is_empty());
    case.assert_whole();
    let summary = case.patch(&update, &PatchOptions::new()).unwrap();
    assert!(summary.warnings[0].contains("statistics of the bands are removed"), "{summary:?}");
    assert_valid(&case.path("big.tif"));
    assert!(!String::from_utf8_lossy(&std::fs::read(case.path("big.tif")).unwrap()).contains("STATISTICS_"));
}

#[test]
fn updates_that_do_not_fit_are_refused_by_name() {
    let mut case = Case::new(spec(), EncodeOptions::new().predictor(Predictor::Horizontal));
    let fitting = case.update(0..50, 0..50);
    let own = case.image.spec.clone().width(50).height(50);
    let try_out = |spec: ImageSpec, options: CogOptions, patch: PatchOptions| {
        let update = Image::random(&mut Random(3), spec.clone(), (0, 0));
        let path = case.path("update.tif");
        let samples: Vec<u16> = update.samples.iter().map(|value| *value as u16).collect();
        let bytes: Vec<u8> = update.samples.iter().map(|value| *value as u8).collect();
        let options = options.overwrite(true);
        if spec.data_type == DataType::U8 {
            cogsmith::write(&path, SliceSource::planar(spec, &bytes).unwrap(), &options).unwrap();
        } else {
            let source = SliceSource::planar(spec.clone(), &samples).unwrap();
            let source = if spec.mask { source.with_mask(&update.mask).unwrap() } else { source };
            cogsmith::write(&path, source, &options).unwrap();
        }
        let error = case.refusal(&path, &patch);
        assert!(matches!(error.kind(), ErrorKind::Mismatch { .. }), "{error}");
        error.to_string()
    };
    let here = || geo_options((0, 0));
    let new = PatchOptions::new;
    for (spec, options, patch, expected) in [
        (own.clone().bands(1), here(), new(), "2 and 1 bands"),
        (own.clone().data_type(DataType::U8), here(), new(), "data types u16 and u8"),
        (own.clone().bits_per_sample(12), here(), new(), "16 and 12 bits per sample"),
        (own.clone(), here().crs(Crs::epsg(3857).unwrap()), new(), "EPSG:32633 and EPSG:3857"),
        (
            own.clone(),
            here().transform(Transform::north_up(5e5, 6e6, 20.0, 20.0).unwrap()),
            new(),
            "pixels of 10 x 10 and 20",
        ),
        (
            own.clone(),
            here().transform(Transform::north_up(500_004.0, 6e6, 10.0, 10.0).unwrap()),
            new(),
            "0.4000 columns",
        ),
        (
            own.clone(),
            geo_options((240, 20)),
            new(),
            "columns 240 to 290 and rows 20 to 70 of the first, which has 257 columns",
        ),
        (
            own.clone(),
            here().transform(Transform::north_up(499_990.0, 6e6, 10.0, 10.0).unwrap()),
            new(),
            "columns -1 to 49",
        ),
        (own.clone().nodata(9u64), here(), new(), "nodata values 7 and 9"),
        (own.clone().mask(true), here(), new().replace_all(true), "the second one has a mask, and the first does not"),
    ] {
        let message = try_out(spec, options, patch);
        assert!(message.contains(expected), "{message}");
    }
    let kernel = |name: Resampling| PatchOptions::new().overview_resampling([name]);
    let error = case.refusal(&fitting, &kernel(Resampling::Mode));
    assert!(error.to_string().contains("were computed by cubic"), "{error}");
}

#[test]
fn files_that_cannot_be_patched_are_refused_by_name() {
    let spec = ImageSpec::new(257, 131, 3, DataType::U8);
    for (codec, expected) in [
        (Compression::JPEG, "lossy JPEG"),
        (Compression::LERC.with_parameter("max-z-error", 2.0).unwrap(), "lossy LERC"),
    ] {
        let mut case = Case::new(spec.clone(), EncodeOptions::new().compression(codec));
        let update = case.update(0..50, 0..50);
        let error = case.refusal(&update, &PatchOptions::new());
        assert!(error.to_string().contains(expected) && error.to_string().contains("'create'"), "{error}");
    }
    let mut case = Case::new(spec.clone(), EncodeOptions::new().compression(Compression::Lzw));
    let update = case.update(0..50, 0..50);
    let error = case.refusal(&update, &PatchOptions::new().level(3));
    assert!(error.to_string().contains("has no effect with codec lzw"), "{error}");
    let mut case = Case::new(spec, EncodeOptions::new().overviews(Overviews::None).predictor(Predictor::None));
    let update = case.update(0..50, 0..50);
    let error = case.refusal(&update, &PatchOptions::new().overview_resampling([Resampling::Cubic]));
    assert!(error.to_string().contains("has no overviews"), "{error}");
    case.patch(&update, &PatchOptions::new()).unwrap();
    case.assert_whole();
}

#[test]
fn the_kernel_has_to_be_known() {
    let mut case =
        Case::new(spec(), EncodeOptions::new().predictor(Predictor::Horizontal).resampling(Resampling::Mode));
    // A file whose metadata do not name the kernel.
    let mut bytes = std::fs::read(case.path("big.tif")).unwrap();
    let at = bytes.windows(19).position(|window| window == b"OVERVIEW_RESAMPLING").unwrap();
    bytes[at..at + 8].copy_from_slice(b"SOMEWHAT");
    std::fs::write(case.path("big.tif"), bytes).unwrap();
    let update = case.update(0..50, 0..50);
    let error = case.refusal(&update, &PatchOptions::new());
    assert!(error.to_string().contains("name the kernel (nearest, average"), "{error}");
    case.patch(&update, &PatchOptions::new().overview_resampling([Resampling::Mode])).unwrap();
    case.image.write(&case.path("whole.tif"), &case.options);
    let [ours, whole] = ["big.tif", "whole.tif"].map(|name| std::fs::read(case.path(name)).unwrap());
    assert_eq!(ours[4096..], whole[4096..]);
}
