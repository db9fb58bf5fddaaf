//! Golden files: the SHA-256 and the header of what is written for a grid of images and options, compared with
//! tests/golden. `UPDATE_GOLDEN=1 cargo test --test golden` renews them; the difference must show only what a change is
//! meant to change.
//!
//! Pixels are computed with integers, so the files are the same on every machine. Each case of the grid is written in one
//! more way (stream, file, shards, another GeoTIFF as the source), which has to give the same bytes.

#![cfg(all(feature = "geotiff", feature = "zstd", not(feature = "zstd-c")))]

mod support;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::path::Path;

use cogsmith::Rectangle;
use cogsmith::distributed::assemble_to_vec;
use cogsmith::distributed::{Assembler, Mosaic, ShardPixels, encode_shard};
use cogsmith::distributed::{ShardOptions, ShardPlan};
use cogsmith::{
    BigTiff, CogPlan, Compression, DataType, EncodeOptions, Executor, ExtraSample, FileOptions, GeoKeys, GeoRef,
    GeoTiffSource, ImageSpec, Interleave, MaskPolicy, Metadata, Nodata, Overviews, PixelSource, Predictor,
    RasterSource, ReadOptions, Resampling, SampleKind, StoreOptions, TileSize, Transform,
};
use sha2::{Digest, Sha256};
use support::golden::{compare, dump};
use support::images::Computed;
use support::window::Part;

const WIDTH: u32 = 120;
const HEIGHT: u32 = 90;

/// The choices of a case, in the order of [`LENGTHS`].
const TYPES: &[DataType] = DataType::ALL;
const CODECS: [Compression; 6] = [
    Compression::DEFLATE,
    Compression::None,
    Compression::Lzw,
    Compression::ZSTD,
    Compression::Deflate { level: 1 },
    Compression::Deflate { level: 9 },
];
const PREDICTORS: [Predictor; 4] = [Predictor::Auto, Predictor::None, Predictor::Horizontal, Predictor::FloatingPoint];
const INTERLEAVES: [Interleave; 3] = [Interleave::Pixel, Interleave::Band, Interleave::Tile];
const BANDS: [u16; 3] = [1, 3, 4];
/// Masks and alpha.
const COVERS: [&str; 3] = ["", "mask", "alpha"];
const NODATA: [&str; 3] = ["", "0", "nan"];
const LEVELS: [&str; 5] = ["auto", "none", "count 2", "factors 3,7", "finished"];
const TILES: [&str; 4] = ["64x64", "128x32", "64x64, overviews 32x32", "512x512"];
const EXTRAS: [&str; 4] = ["", "statistics", "BigTIFF", "georeference"];
const WAYS: [&str; 5] = ["array", "stream", "file", "shards", "GeoTIFF"];
/// The number of choices of each kind; kernels come last but one.
const LENGTHS: [usize; 12] = [15, 6, 4, 3, 3, 3, 3, 5, 4, 4, 12, 5];

/// A choice of each.
type Row = [usize; LENGTHS.len()];

/// Returns whether choices can be combined. Others are left out here, and rejected by the plan.
fn goes_together(row: &Row) -> bool {
    let [data_type, codec, predictor, _, bands, cover, nodata, levels, _, extra, kernel, way] = *row;
    let (data_type, kernel) = (TYPES[data_type], Resampling::ALL[kernel]);
    let is_float = data_type.kind() == SampleKind::Float;
    let is_complex = data_type.is_complex();
    let averaged = matches!(kernel, Resampling::Nearest | Resampling::Average | Resampling::Rms);
    let predicted = match PREDICTORS[predictor] {
        Predictor::FloatingPoint => is_float && CODECS[codec] != Compression::None,
        Predictor::Horizontal => !is_complex && CODECS[codec] != Compression::None,
        _ => true,
    };
    predicted
        && (!is_complex || (averaged && EXTRAS[extra] != "statistics" && NODATA[nodata].is_empty()))
        && (NODATA[nodata] != "nan" || is_float)
        && (COVERS[cover] != "alpha" || (BANDS[bands] == 4 && !is_complex))
        && (LEVELS[levels] != "finished" || matches!(WAYS[way], "array"))
        && (WAYS[way] != "shards" || (!matches!(LEVELS[levels], "none" | "finished") && EXTRAS[extra] != "statistics"))
        && (WAYS[way] != "GeoTIFF" || COVERS[cover] != "mask" || !is_complex)
}

/// Rows in which every two choices that go together meet: each is the best of some that are drawn.
fn grid() -> Vec<Row> {
    let mut state = 20u64;
    let mut draw = |limit: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % limit
    };
    let pairs = |row: &Row| {
        let mut pairs = Vec::new();
        for (first, one) in row.iter().enumerate() {
            pairs.extend(row.iter().enumerate().skip(first + 1).map(|(second, other)| [first, *one, second, *other]));
        }
        pairs
    };
    let mut met: std::collections::BTreeSet<[usize; 4]> = std::collections::BTreeSet::new();
    let mut rows = Vec::new();
    let mut vain = 0;
    while vain < 40 {
        let mut best = (0, Row::default());
        for _ in 0..60 {
            let row: Row = std::array::from_fn(|index| draw(LENGTHS[index]));
            if goes_together(&row) {
                let new = pairs(&row).iter().filter(|pair| !met.contains(*pair)).count();
                best = best.max((new, row));
            }
        }
        if best.0 == 0 {
            vain += 1;
            continue;
        }
        met.extend(pairs(&best.1));
        rows.push(best.1);
    }
    rows
}

/// An image of the grid, and how it is written.
struct Case {
    name: String,
    way: &'static str,
    spec: ImageSpec,
    geo: GeoRef,
    metadata: Metadata,
    options: EncodeOptions,
}

impl Case {
    fn new(row: &Row) -> Self {
        let [data_type, codec, predictor, interleave, bands, cover, nodata, levels, tiles, extra, kernel, way] = *row;
        let mut spec = ImageSpec::new(WIDTH, HEIGHT, BANDS[bands], TYPES[data_type]);
        spec.mask = COVERS[cover] == "mask";
        spec.photometric = if BANDS[bands] == 1 { spec.photometric } else { cogsmith::Photometric::Rgb };
        spec.extra_samples = match (BANDS[bands], COVERS[cover]) {
            (4, "alpha") => vec![ExtraSample::UnassociatedAlpha],
            (4, _) => vec![ExtraSample::Unspecified],
            _ => Vec::new(),
        };
        spec.nodata = match NODATA[nodata] {
            "0" => Some(Nodata::Integer(0)),
            "nan" => Some(Nodata::Float(f64::NAN)),
            _ => None,
        };
        let overviews = match LEVELS[levels] {
            "auto" => Overviews::Auto,
            "none" => Overviews::None,
            "count 2" => Overviews::Count(2),
            "factors 3,7" => Overviews::Factors(vec![3, 7]),
            _ => Overviews::Finished(vec![(60, 45)]),
        };
        let has_overviews = overviews != Overviews::None;
        let (tile_size, overview_tile_size) = match TILES[tiles] {
            "128x32" => (TileSize { width: 128, height: 32 }, None),
            "64x64, overviews 32x32" => (TileSize::square(64), Some(TileSize::square(32))),
            "512x512" => (TileSize::square(512), None),
            _ => (TileSize::square(64), None),
        };
        let (mut geo, mut metadata) = (GeoRef::default(), Metadata::default());
        if EXTRAS[extra] == "georeference" {
            let keys = GeoKeys {
                directory: vec![1, 1, 0, 3, 1024, 0, 1, 1, 1025, 0, 1, 1, 3072, 0, 1, 32633],
                doubles: Vec::new(),
                ascii: Vec::new(),
            };
            let transform = Transform::from_affine([10.0, 0.0, 500_000.0, 0.0, -10.0, 4_500_000.0]).unwrap();
            geo = geo.with_keys(keys).unwrap().with_transform(transform);
            metadata.set_item(None, "SOURCE", "computed").unwrap();
            metadata.set_item(Some("DOMAIN"), "NAME", "a < b").unwrap();
        }
        let options = EncodeOptions::new()
            .tile_size(tile_size)
            .overview_tile_size(overview_tile_size.filter(|_| has_overviews))
            .compression(CODECS[codec])
            .predictor(PREDICTORS[predictor])
            .interleave(INTERLEAVES[interleave])
            .overviews(overviews)
            // Options of overviews are an error without them.
            .resampling(has_overviews.then_some(Resampling::ALL[kernel]))
            .big_tiff(if EXTRAS[extra] == "BigTIFF" { BigTiff::Yes } else { BigTiff::Auto })
            .statistics(EXTRAS[extra] == "statistics");
        let level = match CODECS[codec] {
            Compression::Deflate { level } if level != 6 => format!(" {level}"),
            _ => String::new(),
        };
        let or_not = |word: &str, text: &str| if text.is_empty() { String::new() } else { format!(", {word}{text}") };
        let name = format!(
            "{}x{}{}{}, {}{level}, predictor {:?}, {}, levels {} {}, tiles {}{}, {}",
            TYPES[data_type],
            BANDS[bands],
            or_not("", COVERS[cover]),
            or_not("nodata ", NODATA[nodata]),
            CODECS[codec].name(),
            PREDICTORS[predictor],
            INTERLEAVES[interleave].name(),
            LEVELS[levels],
            Resampling::ALL[kernel].name(),
            TILES[tiles],
            or_not("", EXTRAS[extra]),
            WAYS[way],
        );
        Self { name, way: WAYS[way], spec, geo, metadata, options }
    }

    fn plan(&self) -> CogPlan {
        CogPlan::new(&self.spec, &self.geo, &self.metadata, &self.options)
            .unwrap_or_else(|error| panic!("{}: {error}", self.name))
            .with_predictor_by_type()
    }

    /// The file, written as an array; and in the way of the case, which must not change it.
    fn write(&self) -> Vec<u8> {
        let plan = self.plan();
        let image = Image::new(&self.spec);
        if let Overviews::Finished(sizes) = &self.options.overviews {
            return self.write_finished(&plan, &image, sizes);
        }
        let bytes = cogsmith::encode_to_vec(&mut image.whole(), &plan).unwrap();
        let other = match self.way {
            "stream" => encode(&mut image.whole(), &plan, 20 << 10),
            "file" => written_to_file(&image, &plan),
            "shards" => of_shards(&image, &plan),
            "GeoTIFF" => self.write_geotiff(&image),
            _ => return bytes,
        };
        assert!(other == bytes, "{}: another file than from an array", self.name);
        bytes
    }

    /// The image and a smaller one as its overview.
    fn write_finished(&self, plan: &CogPlan, image: &Image, sizes: &[(u32, u32)]) -> Vec<u8> {
        let specs = sizes.iter().map(|(width, height)| self.spec.clone().width(*width).height(*height));
        let smaller: Vec<_> = specs.map(|spec| Image::new(&spec)).collect();
        let (mut whole, mut parts) = (image.whole(), smaller.iter().map(Image::whole).collect::<Vec<_>>());
        let mut sources: Vec<&mut dyn PixelSource> = vec![&mut whole];
        sources.extend(parts.iter_mut().map(|part| part as &mut dyn PixelSource));
        let mut bytes = Vec::new();
        let go_on = &mut |_| ControlFlow::Continue(());
        let store = StoreOptions::default();
        cogsmith::encode_levels(&mut sources, plan, &Executor::serial(), &store, &mut bytes, go_on).unwrap();
        bytes
    }

    /// From a GeoTIFF with tiles, bands and codec of its own.
    fn write_geotiff(&self, image: &Image) -> Vec<u8> {
        let options = EncodeOptions::new()
            .tile_size(TileSize { width: 48, height: 80 })
            .compression(Compression::Lzw)
            .interleave(Interleave::Band)
            .overviews(Overviews::None);
        let plan = CogPlan::new(&self.spec, &self.geo, &self.metadata, &options).unwrap();
        let file = cogsmith::encode_to_vec(&mut image.whole(), &plan).unwrap();
        let mut source = GeoTiffSource::from_reader(file, &ReadOptions::default()).unwrap();
        let plan = CogPlan::new(PixelSource::spec(&source), source.geo(), source.metadata(), &self.options).unwrap();
        encode(&mut source, &plan.with_predictor_by_type(), StoreOptions::default().batch)
    }
}

/// An image in memory with all that makes pixels missing.
struct Image {
    spec: ImageSpec,
    pixels: Vec<u8>,
    mask: Vec<u8>,
}

impl Image {
    fn new(spec: &ImageSpec) -> Self {
        let size = spec.data_type.size();
        let is_float = spec.data_type.kind() == SampleKind::Float;
        let alpha = spec.extra_samples.contains(&ExtraSample::UnassociatedAlpha).then_some(3);
        let places =
            (0..spec.height as usize).flat_map(|row| (0..spec.width as usize).map(move |column| (row, column)));
        let mut pixels = Vec::new();
        for (row, column) in places.clone() {
            let is_hole = (row / 9 + column / 11) % 4 == 0 || (row * 31 + column * 17) % 41 == 0;
            for band in 0..usize::from(spec.bands) {
                let mut sample: Vec<u8> = (0..size).map(|index| Computed::byte(row, column, band, index)).collect();
                match spec.nodata {
                    Some(Nodata::Float(_)) if is_hole && is_float => sample.fill(0xFF),
                    Some(_) if is_hole => sample.fill(0),
                    _ => {}
                }
                if alpha == Some(band) {
                    let shade = [0, 0, 255, 128][(row / 13 + column / 7) % 4];
                    sample.fill(0);
                    sample[size - 1] = if is_float { shade & 0x3F } else { shade };
                }
                pixels.extend(sample);
            }
        }
        let mask = places.map(|(row, column)| u8::from(Computed::is_valid(row, column))).collect();
        Self { spec: spec.clone(), pixels, mask }
    }

    fn whole(&self) -> Part<'_> {
        self.part(Rectangle { columns: 0..self.spec.width, rows: 0..self.spec.height })
    }

    fn part(&self, window: Rectangle) -> Part<'_> {
        Part::new(&self.spec, &self.pixels, &self.mask, window)
    }
}

/// Writes with small batches and no memory for finished tiles.
fn encode(source: &mut dyn PixelSource, plan: &CogPlan, batch: u64) -> Vec<u8> {
    let store = StoreOptions::new().batch(batch).memory(0);
    let (mut bytes, go_on) = (Vec::new(), &mut |_| ControlFlow::Continue(()));
    cogsmith::encode(source, plan, &Executor::threads(2).unwrap(), &store, &mut bytes, go_on).unwrap();
    bytes
}

fn written_to_file(image: &Image, plan: &CogPlan) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.tif");
    let executor = Executor::threads(2).unwrap();
    cogsmith::encode_to_file(&mut image.whole(), plan, &executor, &path, &FileOptions::default()).unwrap();
    std::fs::read(path).unwrap()
}

fn of_shards(image: &Image, plan: &CogPlan) -> Vec<u8> {
    let shards = ShardPlan::new(plan.clone(), &ShardOptions::new().width(128).height(64)).unwrap();
    let mut assembler = Assembler::new(&shards);
    let mut fragments = BTreeMap::new();
    let mut pixels: Vec<ShardPixels> = Vec::new();
    for tier in 0..shards.tiers() {
        let mut given = Vec::new();
        for id in shards.shards(tier) {
            let window = shards.shard(id).unwrap().source();
            let output = if tier == 0 {
                encode_shard(&shards, id, &mut image.part(window), &Executor::serial())
            } else {
                encode_shard(&shards, id, &mut Mosaic::new(&shards, id, &pixels).unwrap(), &Executor::serial())
            };
            let output = output.unwrap();
            fragments.insert(output.record.id(), output.fragment);
            assembler.add(output.record).unwrap();
            given.extend(output.pixels);
        }
        pixels = given;
    }
    assemble_to_vec(&assembler.finish().unwrap(), &mut fragments).unwrap()
}

/// Name, SHA-256 and header of a file.
fn describe(name: &str, bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    });
    format!("# {name}\nsha256 {hash}, {} bytes\n{}\n", bytes.len(), dump(bytes))
}

#[test]
fn files_of_the_grid_are_those_of_before() {
    let cases: Vec<_> = grid().iter().map(Case::new).collect();
    let text: String = cases.iter().map(|case| describe(&case.name, &case.write())).collect();
    compare(Path::new("tests/golden/grid.txt"), &text);
}

#[test]
fn files_of_the_fixtures_are_those_of_before() {
    let mut paths: Vec<_> = std::fs::read_dir("fixtures").unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "tif"));
    paths.sort();
    let mut text = String::new();
    for path in paths {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        for (word, options) in [
            ("", EncodeOptions::default()),
            (
                ", 256x256, average",
                EncodeOptions::new().tile_size(TileSize::square(256)).resampling(Resampling::Average),
            ),
        ] {
            let mut source = GeoTiffSource::open(&path, &ReadOptions::default()).unwrap();
            let plan = CogPlan::new(PixelSource::spec(&source), source.geo(), source.metadata(), &options).unwrap();
            let bytes = encode(&mut source, &plan, StoreOptions::default().batch);
            text.push_str(&describe(&format!("{name}{word}"), &bytes));
        }
    }
    compare(Path::new("tests/golden/fixtures.txt"), &text);
}

/// Lossy codecs and PackBits, whose bytes are the same on every machine too: with SIMD, without it, and in WebAssembly.
#[cfg(feature = "jpeg")]
#[test]
fn files_of_newer_codecs_are_those_of_before() {
    let jpeg = |quality: u8| Compression::JPEG.with_parameter("quality", quality).unwrap();
    let all = jpeg(90).with_parameter("jpeg-subsampling", "444").unwrap();
    let forced = jpeg(50).with_parameter("photometric", "ycbcr").unwrap();
    let (pixel, band, tile) = (Interleave::Pixel, Interleave::Band, Interleave::Tile);
    let (auto, nodata, any) = (MaskPolicy::Auto, MaskPolicy::Nodata, MaskPolicy::AnyNodata);
    let mut text = String::new();
    for (name, bands, cover, nodata, interleave, mask, codecs, way) in [
        ("jpeg 75", 3, "", "", pixel, auto, (jpeg(75), None), "stream"),
        ("jpeg 75, mask", 3, "mask", "", pixel, auto, (jpeg(75), None), "shards"),
        ("jpeg 1, one band", 1, "", "", pixel, auto, (jpeg(1), None), "file"),
        ("jpeg 90, 4:4:4, nodata", 3, "", "0", pixel, nodata, (all, None), "shards"),
        ("jpeg 50, any nodata, by band", 4, "", "0", band, any, (jpeg(50), None), "shards"),
        ("jpeg 100, by tile", 3, "mask", "", tile, auto, (jpeg(100), None), "file"),
        ("jpeg 50, forced color", 3, "gray", "", pixel, auto, (forced, None), "stream"),
        ("jpeg 75, three bands", 3, "gray", "", pixel, auto, (jpeg(75), None), "stream"),
        ("deflate, overviews of jpeg 60", 3, "mask", "0", pixel, any, (Compression::DEFLATE, Some(jpeg(60))), "shards"),
        ("jpeg 75, overviews of zstd", 3, "", "", pixel, auto, (jpeg(75), Some(Compression::ZSTD)), "file"),
        ("packbits", 3, "mask", "0", pixel, auto, (Compression::PackBits, None), "shards"),
    ] {
        let mut spec = ImageSpec::new(WIDTH, HEIGHT, bands, DataType::U8);
        spec.mask = cover == "mask";
        if bands == 4 {
            (spec.photometric, spec.extra_samples) = (cogsmith::Photometric::Rgb, vec![ExtraSample::Unspecified]);
        }
        if cover == "gray" {
            spec.photometric = cogsmith::Photometric::MinIsBlack;
        }
        spec.nodata = (nodata == "0").then_some(Nodata::Integer(0));
        let options = EncodeOptions::new()
            .tile_size(TileSize::square(64))
            .compression(codecs.0)
            .overview_compression(codecs.1)
            .interleave(interleave)
            .mask(mask);
        let (geo, metadata) = (GeoRef::default(), Metadata::default());
        let case = Case { name: format!("{name}, {way}"), way, spec, geo, metadata, options };
        text.push_str(&describe(&case.name, &case.write()));
    }
    compare(Path::new("tests/golden/codecs.txt"), &text);
}
