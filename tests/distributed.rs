//! Files made of shards are those that one encoder writes, byte for byte.

mod support;

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use cogsmith::Rectangle;
use cogsmith::Tag;
use cogsmith::distributed::FragmentFolder;
use cogsmith::distributed::{
    Assembler, Mosaic, ShardOutput, ShardPixels, ShardRecord, encode_shard, predictor_windows, settle_predictor,
    settle_predictor_from_windows,
};
use cogsmith::distributed::{ShardId, ShardOptions, ShardPlan};
use cogsmith::distributed::{assemble, assemble_to_file, assemble_to_vec};
use cogsmith::{
    BigTiff, CogPlan, ColorInterpretation, Compression, DataType, EncodeOptions, ErrorKind, Executor, ExtraSample,
    FileOptions, Gcp, GeoKeys, GeoRef, ImageSpec, Interleave, MaskPolicy, Metadata, Nodata, OptionField, Overviews,
    Photometric, PixelSource, Predictor, Resampling, Rpc, SampleKind, TileSize, Transform,
};
use support::images::Computed;
use support::window::Part;

/// An image in memory: (row, column, band), and a mask.
struct Raster {
    spec: ImageSpec,
    pixels: Vec<u8>,
    mask: Vec<u8>,
}

impl Raster {
    /// Noise with whatever makes its pixels missing: holes of nodata, NaN, a mask, alpha of several shades.
    fn new(spec: &ImageSpec) -> Self {
        let (width, height, bands) = (spec.width as usize, spec.height as usize, usize::from(spec.bands));
        let size = spec.data_type.size();
        let alpha = spec.extra_samples.iter().position(|kind| *kind != ExtraSample::Unspecified);
        let alpha = alpha.map(|index| index + usize::from(spec.photometric.color_bands()));
        let nan = spec.data_type.kind() == SampleKind::Float;
        let mut pixels = Vec::with_capacity(width * height * bands * size);
        for (row, column) in (0..height).flat_map(|row| (0..width).map(move |column| (row, column))) {
            let hole = (row / 9 + column / 11) % 4 == 0 || (row * 31 + column * 17) % 41 == 0;
            for band in 0..bands {
                let bytes: Vec<u8> = (0..size).map(|index| Computed::byte(row, column, band, index)).collect();
                let start = pixels.len();
                pixels.extend_from_slice(&bytes);
                let sample = &mut pixels[start..];
                match spec.nodata {
                    // Nodata is 0 in these tests, or NaN.
                    Some(Nodata::Integer(_)) if hole && (row + band) % 3 != 0 => sample.fill(0),
                    _ if nan && hole && (column + band) % 3 != 0 => sample.fill(0xFF),
                    _ => {}
                }
                if alpha == Some(band) {
                    let shade = [0, 0, 255, 128][(row / 13 + column / 7) % 4];
                    sample.fill(0);
                    sample[size - 1] = if nan { shade & 0x3F } else { shade };
                }
                if let Some(bits) = spec.bits_per_sample {
                    for (index, byte) in sample.iter_mut().enumerate() {
                        let left = usize::from(bits).saturating_sub(8 * index).min(8);
                        *byte &= ((1u16 << left) - 1) as u8;
                    }
                }
            }
        }
        let places = (0..height).flat_map(|row| (0..width).map(move |column| (row, column)));
        let mask = places.map(|(row, column)| u8::from(Computed::is_valid(row, column))).collect();
        Self { spec: spec.clone(), pixels, mask }
    }

    fn whole(&self) -> Part<'_> {
        self.part(&Rectangle { columns: 0..self.spec.width, rows: 0..self.spec.height })
    }

    fn part(&self, window: &Rectangle) -> Part<'_> {
        Part::new(&self.spec, &self.pixels, &self.mask, window.clone())
    }
}

/// Numbers without order, the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for index in (1..items.len()).rev() {
            let other = self.below(index + 1);
            items.swap(index, other);
        }
    }
}

fn plan(spec: &ImageSpec, options: &EncodeOptions) -> CogPlan {
    CogPlan::new(spec, &GeoRef::default(), &Metadata::default(), options).expect("a valid plan")
}

fn shard_plan(plan: &CogPlan, width: u32, height: u32) -> ShardPlan {
    ShardPlan::new(plan.clone().with_predictor_by_type(), &ShardOptions::new().width(width).height(height))
        .expect("a valid plan of shards")
}

/// Encodes all shards, each tier in an order of its own; plan, pixels and records travel as bytes.
fn encode_all(raster: &Raster, shards: &ShardPlan, executor: &Executor) -> Vec<ShardOutput> {
    let shards = ShardPlan::from_bytes(&shards.to_bytes()).unwrap();
    let mut random = Random(7);
    let mut outputs = Vec::new();
    let mut pixels: Vec<ShardPixels> = Vec::new();
    for tier in 0..shards.tiers() {
        let mut ids: Vec<ShardId> = shards.shards(tier).collect();
        random.shuffle(&mut ids);
        let mut given = Vec::new();
        for id in ids {
            let shard = shards.shard(id).unwrap();
            let output = if tier == 0 {
                encode_shard(&shards, id, &mut raster.part(&shard.source()), executor)
            } else {
                encode_shard(&shards, id, &mut Mosaic::new(&shards, id, &pixels).unwrap(), executor)
            };
            let output = output.unwrap_or_else(|error| panic!("{id}: {error}"));
            assert_eq!(output.pixels.is_some(), tier + 1 < shards.tiers());
            given.extend(output.pixels.iter().map(|pixels| ShardPixels::from_bytes(&pixels.to_bytes()).unwrap()));
            outputs.push(output);
        }
        pixels = given;
    }
    outputs
}

/// A file from the outputs of all shards, whose records are merged from two halves.
fn put_together(shards: &ShardPlan, outputs: &[ShardOutput]) -> Vec<u8> {
    let (mut first, mut second) = (Assembler::new(shards), Assembler::new(shards));
    for (index, output) in outputs.iter().enumerate() {
        let record = ShardRecord::from_bytes(&output.record.to_bytes()).unwrap();
        let half = if index % 2 == 0 { &mut first } else { &mut second };
        assert!(half.add(record).unwrap());
    }
    let mut all = Assembler::from_bytes(shards, &second.to_bytes()).unwrap();
    all.merge(first).unwrap();
    let mut fragments: BTreeMap<_, _> =
        outputs.iter().map(|output| (output.record.id(), output.fragment.clone())).collect();
    assemble_to_vec(&all.finish().unwrap(), &mut fragments).unwrap()
}

/// Checks that the file of shards is the one that the local encoder makes, statistics included.
fn check(spec: &ImageSpec, options: &EncodeOptions, sides: &[(u32, u32)]) {
    let raster = Raster::new(spec);
    let options = &options.clone().statistics(!spec.data_type.is_complex());
    let plan = plan(spec, options).with_predictor_by_type();
    let local = cogsmith::encode_to_vec(&mut raster.whole(), &plan).unwrap();
    for &(width, height) in sides {
        let shards = shard_plan(&plan, width, height);
        let made = put_together(&shards, &encode_all(&raster, &shards, &Executor::serial()));
        let size = (spec.width, spec.height);
        assert!(made == local, "shards of {width}x{height}: {size:?}, {:?}, {options:?}", spec.data_type);
    }
}

fn tiles(side: u32) -> EncodeOptions {
    let compression = Compression::Lzw;
    EncodeOptions::new().tile_size(TileSize::square(side)).compression(compression)
}

fn overviews() -> Vec<Overviews> {
    let factors = [vec![2, 4, 8], vec![3, 9, 27], vec![5, 7, 40]].map(Overviews::Factors);
    [Overviews::Auto, Overviews::Count(20)].into_iter().chain(factors).collect()
}

#[test]
fn every_kernel_at_odd_sizes() {
    for &resampling in Resampling::ALL {
        for (width, height) in [(127, 129), (128, 65), (211, 97), (1, 130), (64, 64)] {
            for overviews in overviews() {
                let options = tiles(16).overviews(overviews).resampling(resampling);
                for (data_type, nodata) in [
                    (DataType::U8, None),
                    (DataType::F32, None),
                    (DataType::U16, Some(Nodata::Integer(0))),
                    (DataType::F64, Some(Nodata::Float(f64::NAN))),
                ] {
                    let mut spec = ImageSpec::new(width, height, 1, data_type);
                    spec.nodata = nodata;
                    check(&spec, &options, &[(32, 64)]);
                }
            }
        }
    }
}

#[test]
fn large_and_slim_images() {
    for (width, height) in [(1023, 70), (1025, 1025), (2049, 130), (130, 2049), (10_981, 20), (33, 10_981)] {
        for (resampling, overviews) in [
            (Resampling::Cubic, Overviews::Auto),
            (Resampling::Lanczos, Overviews::Factors(vec![2, 4, 8, 16])),
            (Resampling::Average, Overviews::Auto),
            (Resampling::Gauss, Overviews::Factors(vec![3, 9, 27])),
            (Resampling::Rms, Overviews::Factors(vec![2, 4, 8])),
        ] {
            let options = tiles(64).overviews(overviews).resampling(resampling);
            check(&ImageSpec::new(width, height, 1, DataType::U16), &options, &[(256, 128)]);
            // Even sides, where the windows of all columns are alike, with sums of several columns at once.
            let spec = ImageSpec::new(width & !1, height & !1, 1, DataType::F32);
            check(&spec, &options.predictor(Predictor::None), &[(192, 320)]);
        }
    }
}

#[test]
fn every_type_interleave_and_codec() {
    let codecs = [
        Compression::None,
        Compression::Lzw,
        Compression::Deflate { level: 1 },
        Compression::DEFLATE,
        Compression::Zstd { level: 1 },
    ];
    for (index, &data_type) in DataType::ALL.iter().enumerate() {
        for (place, interleave) in [Interleave::Pixel, Interleave::Band, Interleave::Tile].into_iter().enumerate() {
            for mask in [false, true] {
                let compression = codecs[(index + place + usize::from(mask)) % codecs.len()];
                let nodata = ((index + place) % 2 == 0).then_some(Nodata::Integer(0));
                let mut spec = ImageSpec::new(117, 101, 3, data_type).mask(mask);
                spec.nodata = nodata;
                let tile_size = TileSize { width: 32, height: 16 };
                let overview_tile_size = (index % 3 == 0).then_some(TileSize { width: 16, height: 48 });
                let options = tiles(16)
                    .compression(compression)
                    .interleave(interleave)
                    .overview_tile_size(overview_tile_size)
                    .tile_size(tile_size);
                check(&spec, &options, &[(64, 32)]);
                let resampling = Some(if mask { Resampling::Average } else { Resampling::Rms });
                check(&spec, &options.resampling(resampling).big_tiff(BigTiff::Yes), &[(32, 64)]);
            }
        }
    }
}

#[test]
fn masks_by_every_kernel() {
    for &resampling in Resampling::ALL {
        for interleave in [Interleave::Pixel, Interleave::Band] {
            for (width, height) in [(128, 128), (131, 97)] {
                let spec = ImageSpec::new(width, height, 2, DataType::F32).mask(true);
                let options = tiles(16).resampling(resampling).interleave(interleave);
                check(&spec, &options, &[(32, 32)]);
            }
        }
    }
}

#[test]
fn alpha_of_both_kinds() {
    for kind in [ExtraSample::AssociatedAlpha, ExtraSample::UnassociatedAlpha] {
        for (data_type, interleave) in
            [(DataType::U8, Interleave::Pixel), (DataType::U16, Interleave::Band), (DataType::F32, Interleave::Tile)]
        {
            for &resampling in Resampling::ALL {
                let spec = ImageSpec::new(117, 90, 4, data_type).photometric(Photometric::Rgb).extra_samples([kind]);
                let options = tiles(16).resampling(resampling).interleave(interleave);
                check(&spec, &options, &[(32, 48)]);
            }
        }
    }
}

#[test]
fn palettes_and_few_bits() {
    for resampling in [Resampling::Nearest, Resampling::Mode, Resampling::Average, Resampling::Rms] {
        let color_map: Vec<u16> = (0..3 << 4).map(|index: u32| ((index * 7919) % 251 * 257) as u16).collect();
        let spec = ImageSpec::new(133, 99, 1, DataType::U8)
            .bits_per_sample(4)
            .photometric(Photometric::Palette)
            .nodata(Nodata::Integer(0))
            .color_map(color_map);
        check(&spec, &tiles(16).resampling(resampling), &[(32, 32)]);
    }
    for (data_type, bits) in [(DataType::U8, 1), (DataType::U16, 12), (DataType::U32, 17)] {
        let spec = ImageSpec::new(133, 99, 2, data_type).bits_per_sample(bits);
        check(&spec, &tiles(16), &[(64, 32)]);
    }
}

#[test]
fn a_kernel_for_each_band() {
    use Resampling::{Average, Bilinear, Cubic, Gauss, Lanczos, Max, Median, Min, Mode, Nearest, Rms};
    for (width, height) in [(128, 128), (121, 133)] {
        for interleave in [Interleave::Pixel, Interleave::Band, Interleave::Tile] {
            let bands = vec![Cubic, Average, Rms, Nearest, Lanczos, Mode, Gauss, Median, Min, Bilinear, Max];
            let spec = ImageSpec::new(width, height, bands.len() as u16, DataType::F32);
            let options = tiles(16).band_resampling(bands).interleave(interleave);
            check(&spec, &options, &[(32, 32)]);
        }
    }
}

#[test]
fn shards_of_any_size() {
    let mut random = Random(42);
    for _ in 0..60 {
        let mut side = |most| 1 + random.below(most) as u32;
        let (width, height) = (side(300), side(300));
        let (tile, overview) = (TileSize { width: 16 * side(4), height: 16 * side(4) }, 16 * side(3));
        let sides = [(side(400), side(400)), (16 * side(4), 16 * side(4))];
        let resampling = Resampling::ALL[random.below(12)];
        let overviews = overviews().swap_remove(random.below(5));
        let options = tiles(16)
            .tile_size(tile)
            .overview_tile_size(TileSize::square(overview))
            .overviews(overviews)
            .resampling(resampling);
        let nodata = (random.below(2) == 0).then_some(Nodata::Integer(0));
        let mut spec = ImageSpec::new(width, height, 1 + random.below(3) as u16, DataType::I16);
        spec.nodata = nodata;
        check(&spec, &options, &sides);
    }
}

#[cfg(feature = "jpeg")]
#[test]
fn masks_made_from_nodata() {
    for mask in [MaskPolicy::Nodata, MaskPolicy::AnyNodata] {
        for (bands, own) in [(1, false), (3, true), (3, false)] {
            for compression in [Compression::JPEG, Compression::DEFLATE] {
                let nodata = Some(Nodata::Integer(0));
                let mut spec = ImageSpec::new(201, 160, bands, DataType::U8).mask(own);
                spec.nodata = nodata;
                check(&spec, &tiles(16).compression(compression).mask(mask), &[(64, 48), (300, 32)]);
            }
        }
    }
}

#[test]
fn few_levels_a_tier_change_nothing() {
    let spec = ImageSpec::new(700, 430, 1, DataType::U16);
    let raster = Raster::new(&spec);
    let plan = plan(&spec, &tiles(16).overviews(Overviews::Count(20))).with_predictor_by_type();
    let local = cogsmith::encode_to_vec(&mut raster.whole(), &plan).unwrap();
    let mut tiers = Vec::new();
    for levels in [Some(1), Some(2), Some(3), None] {
        let shards = ShardPlan::new(plan.clone(), &ShardOptions::new().width(128).height(128).levels(levels)).unwrap();
        tiers.push(shards.tiers());
        assert!(put_together(&shards, &encode_all(&raster, &shards, &Executor::serial())) == local, "{levels:?}");
    }
    assert!(tiers.is_sorted_by(|a, b| a >= b) && tiers[0] > tiers[3], "{tiers:?}");
}

#[test]
fn threads_change_no_output() {
    let spec = ImageSpec::new(300, 500, 2, DataType::U16).mask(true);
    let raster = Raster::new(&spec);
    let plan = plan(&spec, &tiles(16).interleave(Interleave::Band));
    let shards = shard_plan(&plan, 256, 256);
    let serial = encode_all(&raster, &shards, &Executor::serial());
    for threads in [2, 7] {
        assert!(encode_all(&raster, &shards, &Executor::threads(threads).unwrap()) == serial, "{threads} threads");
    }
}

#[test]
fn a_plan_of_shards_needs_a_settled_predictor() {
    let by_type = |data_type| {
        let plan = plan(&ImageSpec::new(600, 600, 1, data_type), &EncodeOptions::default());
        plan.with_predictor_by_type().predictor()
    };
    assert_eq!(by_type(DataType::U8), Predictor::Horizontal);
    assert_eq!(by_type(DataType::F32), Predictor::FloatingPoint);
    assert_eq!(by_type(DataType::CF32), Predictor::None);
    let open = plan(&ImageSpec::new(600, 600, 1, DataType::U8), &EncodeOptions::default());
    assert_eq!(open.predictor(), Predictor::Auto);
    let error = ShardPlan::new(open, &ShardOptions::default()).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::InvalidOption { option: OptionField::Predictor, .. }), "{error}");
}

#[test]
fn a_predictor_settled_beforehand_is_that_of_the_local_encoder() {
    for (interleave, bands) in [(Interleave::Pixel, 1), (Interleave::Pixel, 3), (Interleave::Band, 5)] {
        for (height, classes) in [(40, false), (40, true), (300, false), (300, true)] {
            let spec = ImageSpec::new(700, height, bands, DataType::U16);
            let mut raster = Raster::new(&spec);
            let mut random = Random(3);
            for (index, sample) in raster.pixels.chunks_exact_mut(2).enumerate() {
                let value = if classes { [3, 9000, 17, 200][random.below(4)] } else { (index / 7) as u16 };
                sample.copy_from_slice(&value.to_ne_bytes());
            }
            let open = plan(&spec, &tiles(128).interleave(interleave));
            let settled = settle_predictor(&open, &mut raster.whole(), &Executor::serial()).unwrap();
            assert_eq!(settled.predictor() == Predictor::None, classes);
            // The same from some tiles alone.
            let windows = predictor_windows(&open);
            assert!(!windows.is_empty() && predictor_windows(&settled).is_empty());
            let mut parts: Vec<_> = windows.iter().map(|window| raster.part(window)).collect();
            let mut parts: Vec<_> = parts.iter_mut().map(|part| part as &mut dyn PixelSource).collect();
            let by_windows = settle_predictor_from_windows(&open, &mut parts, &Executor::serial()).unwrap();
            assert_eq!(by_windows.to_bytes(), settled.to_bytes());
            let error = settle_predictor_from_windows(&open, &mut parts[1..], &Executor::serial()).unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::InvalidImage { .. }), "{error}");
            let shards = shard_plan(&settled, 700, 128);
            let made = put_together(&shards, &encode_all(&raster, &shards, &Executor::serial()));
            assert!(made == cogsmith::encode_to_vec(&mut raster.whole(), &open).unwrap());
        }
    }
    // What is settled stays, and nothing is read for it; a source of another image is refused.
    let spec = ImageSpec::new(64, 64, 1, DataType::U8);
    let settled = plan(&spec, &EncodeOptions::new().predictor(Predictor::Horizontal));
    let other = Raster::new(&ImageSpec::new(60, 64, 1, DataType::U8));
    assert!(settle_predictor(&settled, &mut other.whole(), &Executor::serial()).is_ok());
    let open = plan(&spec, &EncodeOptions::default());
    let error = settle_predictor(&open, &mut other.whole(), &Executor::serial()).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::InvalidImage { .. }), "{error}");
}

/// Outputs of some shards in two tiers.
fn some_outputs() -> (ShardPlan, Vec<ShardOutput>) {
    let spec = ImageSpec::new(200, 150, 1, DataType::U16);
    let shards = shard_plan(&plan(&spec, &tiles(16)), 64, 64);
    let outputs = encode_all(&Raster::new(&spec), &shards, &Executor::serial());
    assert_eq!(outputs.len(), 13);
    (shards, outputs)
}

fn gathered(shards: &ShardPlan, outputs: &[ShardOutput]) -> Assembler {
    let mut assembler = Assembler::new(shards);
    outputs.iter().for_each(|output| assert!(assembler.add(output.record.clone()).unwrap()));
    assembler
}

#[test]
fn shards_that_come_twice_are_harmless_if_equal() {
    let (shards, outputs) = some_outputs();
    let mut assembler = gathered(&shards, &outputs);
    assert!(!assembler.add(outputs[3].record.clone()).unwrap());
    assembler.merge(gathered(&shards, &outputs[5..])).unwrap();
    assert_eq!(assembler.to_bytes(), gathered(&shards, &outputs).to_bytes());

    // The same shard of another image.
    let spec = ImageSpec::new(200, 150, 1, DataType::U16);
    let mut raster = Raster::new(&spec);
    raster.pixels.iter_mut().for_each(|byte| *byte ^= 1);
    let id = outputs[3].record.id();
    let source = shards.shard(id).unwrap().source();
    let other = encode_shard(&shards, id, &mut raster.part(&source), &Executor::serial()).unwrap();
    let error = assembler.add(other.record).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Shards { .. }));
    assert!(error.to_string().starts_with(&format!("shard {id}: two attempts")), "{error}");
}

#[test]
fn missing_shards_are_named() {
    let (shards, mut outputs) = some_outputs();
    outputs.sort_by_key(|output| output.record.id());
    let removed = [outputs.remove(12), outputs.remove(6)].map(|output| output.record.id());
    let assembler = gathered(&shards, &outputs);
    let missing: Vec<_> = assembler.missing().collect();
    assert_eq!(missing, [removed[1], removed[0]]);
    let error = assembler.finish().unwrap_err().to_string();
    assert_eq!(error, "shards 0/1/2, 1/0/0: their tiles are missing");
    let error = Assembler::new(&shards).finish().unwrap_err().to_string();
    assert!(error.contains("and 5 more") || error.contains("5 more"), "{error}");

    // Pixels of one that the next tier needs.
    let pixels: Vec<_> = outputs.iter().filter_map(|output| output.pixels.clone()).collect();
    let id = ShardId { tier: 1, row: 0, column: 0 };
    let error = Mosaic::new(&shards, id, &pixels).unwrap_err().to_string();
    assert_eq!(error, "shard 0/1/2: pixels needed by shard 1/0/0 are missing");
}

#[test]
fn shards_of_another_plan_are_refused() {
    let (shards, outputs) = some_outputs();
    let spec = ImageSpec::new(200, 150, 1, DataType::U16);
    let others = shard_plan(&plan(&spec, &tiles(16).resampling(Resampling::Mode)), 64, 64);
    let error = Assembler::new(&others).add(outputs[0].record.clone()).unwrap_err().to_string();
    assert!(error.contains("another plan"), "{error}");
    let pixels: Vec<_> = outputs.iter().filter_map(|output| output.pixels.clone()).collect();
    let error = Mosaic::new(&others, ShardId { tier: 1, row: 0, column: 0 }, &pixels).unwrap_err().to_string();
    assert!(error.contains("another plan"), "{error}");
    let nowhere = ShardId { tier: 0, row: 3, column: 0 };
    assert!(shards.shard(nowhere).is_err());
    // A source of another size than the window.
    let id = ShardId { tier: 0, row: 0, column: 0 };
    let raster = Raster::new(&spec);
    let error = encode_shard(&shards, id, &mut raster.whole(), &Executor::serial()).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::InvalidImage { .. }), "{error}");
}

#[test]
fn a_damaged_byte_anywhere_is_noticed() {
    let (shards, outputs) = some_outputs();
    let output = outputs.iter().find(|output| output.record.id().tier == 0).unwrap();
    let (record, pixels) = (output.record.to_bytes(), output.pixels.as_ref().unwrap().to_bytes());
    for index in 0..record.len() {
        let mut damaged = record.clone();
        damaged[index] ^= 0x40;
        assert!(ShardRecord::from_bytes(&damaged).is_err(), "byte {index} of a record");
    }
    for index in (0..pixels.len()).step_by(7) {
        let mut damaged = pixels.clone();
        damaged[index] ^= 0x40;
        assert!(ShardPixels::from_bytes(&damaged).is_err(), "byte {index} of pixels");
        assert!(ShardPixels::from_bytes(&pixels[..index]).is_err(), "pixels cut at {index}");
    }
    let plan = shards.to_bytes();
    assert!((0..plan.len()).all(|index| ShardPlan::from_bytes(&plan[..index]).is_err()));
    assert!(ShardPlan::from_bytes(&record).is_err(), "a record is not a plan");

    let assembly = gathered(&shards, &outputs).finish().unwrap();
    let whole: BTreeMap<_, _> = outputs.iter().map(|output| (output.record.id(), output.fragment.clone())).collect();
    let id = output.record.id();
    for index in (0..output.fragment.len()).step_by(11) {
        let mut damaged = whole.clone();
        damaged.get_mut(&id).unwrap()[index] ^= 1;
        let error = assemble_to_vec(&assembly, &mut damaged).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Corrupt { .. }), "{error}");
        assert!(error.to_string().contains(&format!("shard {id}")), "{error}");
    }
    let mut short = whole.clone();
    short.get_mut(&id).unwrap().pop();
    assert!(assemble_to_vec(&assembly, &mut short).unwrap_err().to_string().contains("too short"));
    short.remove(&id);
    assert!(assemble_to_vec(&assembly, &mut short).is_err());
}

#[test]
fn pieces_fill_the_file_without_gaps() {
    let (shards, outputs) = some_outputs();
    let assembly = gathered(&shards, &outputs).finish().unwrap();
    let mut end = assembly.header().len() as u64;
    let mut copied = BTreeMap::new();
    for piece in assembly.pieces() {
        assert_eq!(piece.offset, end);
        assert!(!piece.is_empty());
        end += piece.len();
        *copied.entry(piece.shard).or_insert(0) += piece.len();
    }
    assert_eq!(end, assembly.bytes());
    for output in &outputs {
        let bytes = output.fragment.len() as u64;
        assert_eq!(output.record.fragment_bytes(), bytes);
        assert_eq!(copied.get(&output.record.id()).copied().unwrap_or(0), bytes);
    }
}

#[test]
fn fragments_in_a_folder_become_a_file() {
    let (shards, outputs) = some_outputs();
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().join("fragments");
    std::fs::create_dir(&folder).unwrap();
    for output in outputs.iter().chain(&outputs[..2]) {
        FragmentFolder::new(&folder).store(output).unwrap();
    }
    let expected = put_together(&shards, &outputs);
    let assembly = gathered(&shards, &outputs).finish().unwrap();
    let path = directory.path().join("out.tif");
    let mut fragments = FragmentFolder::new(&folder);
    let summary = assemble_to_file(&assembly, &mut fragments, &path, &FileOptions::default()).unwrap();
    assert!(std::fs::read(&path).unwrap() == expected);
    assert_eq!(summary.bytes, expected.len() as u64);
    assert_eq!(summary.levels.len(), shards.plan().levels().len());

    // Stopped, or with a fragment that is gone, nothing appears.
    let mut sink = Vec::new();
    let stop = &mut |_| ControlFlow::Break(());
    let error = assemble(&assembly, &mut fragments, &mut sink, stop).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Cancelled));
    std::fs::write(folder.join("another"), b"not ours").unwrap();
    fragments.remove().unwrap();
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
    let other = directory.path().join("other.tif");
    let error = assemble_to_file(&assembly, &mut FragmentFolder::new(&folder), &other, &FileOptions::default());
    assert!(matches!(error.unwrap_err().kind(), ErrorKind::Io { .. }));
    assert!(!other.exists());
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 2);
}

#[test]
fn a_plan_survives_the_journey() {
    let mut metadata = Metadata::default();
    metadata.set_item(None, "A", "é<&>").unwrap();
    metadata.set_item(Some("DOMAIN"), "B", "").unwrap();
    metadata.set_scale(1, 0.1).unwrap();
    metadata.set_description(2, "name").unwrap();
    metadata.set_text(Tag::SOFTWARE, "text").unwrap();
    metadata.set_color_interpretation(2, ColorInterpretation::Undefined);
    let keys = GeoKeys {
        directory: vec![1, 1, 0, 1, 1025, 0, 1, 1],
        doubles: vec![0.1, f64::MAX],
        ascii: b"WGS 84|".to_vec(),
    };
    let with_keys = || GeoRef::default().with_keys(keys.clone()).unwrap();
    let points = [1.0, 2.0, 3.0].map(|at| Gcp { column: at, row: 2.0 * at, x: -at, y: at * at, z: 0.0 });
    let rotated = Transform::from_gdal([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap();
    let geos = [
        GeoRef::default(),
        with_keys().with_transform(Transform::north_up(1.5, -2.5, 10.0, 10.0).unwrap()),
        with_keys().with_gcps(&points).unwrap().with_rpc(Rpc::from_numbers(&[1.0; Rpc::NUMBERS])).unwrap(),
        with_keys().with_transform(rotated),
    ];
    let nodata =
        [None, Some(Nodata::Float(f64::NAN)), Some(Nodata::Integer(i128::from(u64::MAX))), Some(Nodata::Float(-0.0))];
    for (index, geo) in geos.into_iter().enumerate() {
        for (place, &data_type) in DataType::ALL.iter().enumerate() {
            let mut spec = ImageSpec::new(90, 40, 3, data_type);
            spec.nodata = nodata[(index + place) % 4];
            let options = tiles(16)
                .overviews(overviews().swap_remove(place % 5))
                .interleave([Interleave::Pixel, Interleave::Band, Interleave::Tile][place % 3])
                .big_tiff([BigTiff::Auto, BigTiff::Yes, BigTiff::No][index % 3]);
            let plan = CogPlan::new(&spec, &geo, &metadata, &options).unwrap();
            let copy = CogPlan::from_bytes(&plan.to_bytes()).unwrap();
            assert_eq!(copy.to_bytes(), plan.to_bytes());
            let raster = Raster::new(&spec);
            let file = |plan| cogsmith::encode_to_vec(&mut raster.whole(), plan).unwrap();
            assert!(file(&copy) == file(&plan), "{data_type}");
        }
    }
}

#[test]
fn a_record_that_claims_giant_tiles_is_refused() {
    let spec = ImageSpec::new(16, 16, 1, DataType::U8);
    let shards = shard_plan(&plan(&spec, &tiles(16)), 16, 16);
    let outputs = encode_all(&Raster::new(&spec), &shards, &Executor::serial());
    // Its end: one size, the number of checksums, one checksum, the lengths of the sums and of the losses, the numbers of
    // nodata samples and of masked tiles, and the message's own checksum.
    let mut bytes = outputs[0].record.to_bytes();
    let at = bytes.len() - 52;
    bytes[at..at + 4].copy_from_slice(&0x7FFF_FFFFu32.to_le_bytes());
    let end = bytes.len() - 4;
    let mut sum = flate2::Crc::new();
    sum.update(&bytes[..end]);
    bytes.truncate(end);
    bytes.extend(sum.sum().to_le_bytes());
    let record = ShardRecord::from_bytes(&bytes).unwrap();
    assert_eq!(record.fragment_bytes(), 0x7FFF_FFFF + 8);
    let error = Assembler::new(&shards).add(record).unwrap_err();
    assert!(error.to_string().contains("larger than its pixels can be"), "{error}");
}
