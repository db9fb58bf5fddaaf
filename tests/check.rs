//! The checks: what is sound passes, what is hostile ends soon and without a panic, what was changed is found.

#![cfg(feature = "geotiff")]

mod support;

use std::time::{Duration, Instant};

use cogsmith::check::{self, CheckOptions, Report, Severity};
use cogsmith::{
    BigTiff, CogPlan, Compression, DataType, EncodeOptions, Executor, ExtraSample, GeoRef, ImageSpec, Interleave,
    Metadata, Overviews, Photometric, ReadAt, Resampling, SliceSource, TileSize,
};
use support::images::encode;
use support::parse::Tiff;

fn judge(bytes: &[u8]) -> cogsmith::Result<Report> {
    check::validate(&bytes, &CheckOptions::default(), &Executor::serial())
}

fn ids(report: &Report) -> Vec<&'static str> {
    report.counts.keys().copied().collect()
}

/// Rules that images without georeference or with odd tile sizes violate.
fn is_expected(id: &str) -> bool {
    matches!(id, "ogc-georeference" | "ogc-tile-power" | "ogc-square-tiles" | "ogc-compression" | "ogc-classic-tiff")
}

fn small_tiles() -> EncodeOptions {
    EncodeOptions::new().tile_size(TileSize::square(64))
}

fn sample() -> Vec<u8> {
    let spec = ImageSpec::new(211, 157, 3, DataType::U16).mask(true);
    encode(&spec, &small_tiles(), &Executor::serial())
}

#[test]
fn everything_that_can_be_written_is_sound() {
    for &data_type in DataType::ALL {
        for (mask, bands) in [(false, 1), (true, 3)] {
            for interleave in [Interleave::Pixel, Interleave::Band, Interleave::Tile] {
                for (compression, big_tiff) in [(Compression::None, BigTiff::Yes), (Compression::ZSTD, BigTiff::Auto)] {
                    let spec = ImageSpec::new(211, 157, bands, data_type).mask(mask);
                    let options = small_tiles().interleave(interleave).compression(compression).big_tiff(big_tiff);
                    let report = judge(&encode(&spec, &options, &Executor::serial())).unwrap();
                    let found: Vec<_> = ids(&report).into_iter().filter(|id| !is_expected(id)).collect();
                    assert!(
                        found.is_empty(),
                        "{data_type} {interleave:?} {compression:?} {mask}: {:?}",
                        report.findings
                    );
                    assert_eq!(report.tiles_decoded, report.tiles);
                }
            }
        }
    }
}

#[test]
fn no_kernel_is_called_wrong() {
    for &resampling in Resampling::ALL {
        for data_type in [DataType::U8, DataType::I16, DataType::F32] {
            for overviews in [Overviews::Auto, Overviews::Factors(vec![3, 7, 20])] {
                let spec = ImageSpec::new(301, 257, 2, data_type);
                let options = small_tiles().resampling(resampling).overviews(overviews);
                let report = judge(&encode(&spec, &options, &Executor::serial())).unwrap();
                assert_eq!(report.count(Severity::Error), 0, "{resampling:?} {data_type}: {:?}", report.findings);
                assert!(report.cells_compared > 0);
            }
        }
    }
}

#[test]
fn threads_and_depth_do_not_change_what_is_found() {
    let mut bytes = sample();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 50].fill(0);
    let serial = judge(&bytes).unwrap();
    let parallel = check::validate(&bytes, &CheckOptions::full(), &Executor::threads(3).unwrap()).unwrap();
    assert_eq!(serial.counts, parallel.counts);
    assert!(!serial.is_valid(false));
    let many = EncodeOptions::new().tile_size(TileSize::square(16));
    let many = encode(&ImageSpec::new(400, 300, 1, DataType::U8), &many, &Executor::serial());
    let quick = check::validate(&many, &CheckOptions::quick(), &Executor::serial()).unwrap();
    assert!(quick.is_valid(false) && quick.tiles_decoded < quick.tiles);
}

/// A large multi-band file is decoded once, however many bands and levels there are; and its tiles in pieces.
#[test]
fn every_tile_is_decoded_once() {
    let alpha = |spec: ImageSpec| {
        let (photometric, extra_samples) = (Photometric::Rgb, vec![ExtraSample::UnassociatedAlpha]);
        spec.photometric(photometric).extra_samples(extra_samples)
    };
    let specs = [
        (Interleave::Pixel, ImageSpec::new(301, 257, 130, DataType::I16)),
        (Interleave::Band, ImageSpec::new(301, 257, 17, DataType::F32)),
        (Interleave::Tile, ImageSpec::new(301, 257, 5, DataType::U8).mask(true)),
        (Interleave::Band, alpha(ImageSpec::new(301, 257, 4, DataType::U8))),
        (Interleave::Pixel, alpha(ImageSpec::new(301, 257, 4, DataType::U16))),
    ];
    for (interleave, spec) in specs {
        let options = small_tiles().interleave(interleave);
        let bytes = encode(&spec, &options, &Executor::serial());
        let report = judge(&bytes).unwrap();
        assert_eq!(report.count(Severity::Error), 0, "{:?}", report.findings);
        assert_eq!((report.decodes, report.tiles_decoded), (report.tiles, report.tiles), "{interleave:?} {spec:?}");
        // Four cells in a tile of 64 pixels, and one in what is left of it at the edges.
        assert!(report.cells_compared > 20, "{interleave:?} {spec:?}: {}", report.cells_compared);
        assert!(!report.counts.contains_key("overview-unjudged"));
        let quick = check::validate(&bytes, &CheckOptions::quick(), &Executor::serial()).unwrap();
        assert!(quick.cells_compared > 0 && quick.decodes < report.decodes);
    }
    // One tile of 16 MiB, which is decoded in two pieces.
    let spec = ImageSpec::new(200, 150, 64, DataType::U8);
    let options = EncodeOptions::new().tile_size(TileSize::square(512));
    let report = judge(&encode(&spec, &options, &Executor::serial())).unwrap();
    assert!(report.is_valid(false) && report.decodes == report.tiles, "{:?}", report.findings);
}

#[test]
fn quick_checks_decode_a_few_tiles_of_a_level() {
    for interleave in [Interleave::Pixel, Interleave::Band] {
        let spec = ImageSpec::new(900, 700, 40, DataType::U8);
        let options = EncodeOptions::new().tile_size(TileSize::square(16)).interleave(interleave);
        let bytes = encode(&spec, &options, &Executor::serial());
        let report = check::validate(&bytes, &CheckOptions::quick(), &Executor::serial()).unwrap();
        let levels = report.directories as u64;
        assert!(report.is_valid(false) && report.tiles > 2000 && levels == 7, "{:?}", report.findings);
        assert!(report.decodes <= 23 * levels, "{} tiles of {levels} levels", report.decodes);
        assert!((6..=12).contains(&report.cells_compared), "{} cells", report.cells_compared);
        // Larger tiles, fewer of them.
        let options = options.tile_size(TileSize::square(128));
        let bytes = encode(&spec, &options, &Executor::serial());
        let report = check::validate(&bytes, &CheckOptions::quick(), &Executor::serial()).unwrap();
        let levels = report.directories as u64;
        assert!(report.decodes <= 7 * levels, "{} tiles of {levels} levels", report.decodes);
    }
}

#[test]
fn full_resolution_is_decoded_again_where_an_overview_is_in_doubt() {
    // Columns by turns 257 and 0: the nearest pixels of levels that halve are all of one kind.
    let pixels: Vec<u16> = (0..256 * 256).map(|index| if index % 2 == 0 { 257 } else { 0 }).collect();
    let spec = ImageSpec::new(256, 256, 1, DataType::U16);
    let options = small_tiles().compression(Compression::None).resampling(Resampling::Nearest);
    let plan = CogPlan::new(&spec, &GeoRef::default(), &Metadata::default(), &options).unwrap();
    let bytes = cogsmith::encode_to_vec(&mut SliceSource::new(spec, &pixels).unwrap(), &plan).unwrap();
    let smallest = Tiff::parse(&bytes).ifds.last().unwrap().number(324) as usize;
    let of_level = bytes[smallest];
    // The tile and the bytes behind it that repeat its last ones.
    let filled = |byte: u8| {
        let mut changed = bytes.clone();
        changed[smallest..smallest + 64 * 64 * 2 + 4].fill(byte);
        judge(&changed).unwrap()
    };
    let is_sound = |report: &Report| ids(report).into_iter().all(is_expected);
    let sound = filled(of_level);
    assert!(is_sound(&sound) && sound.decodes == sound.tiles, "{:?}", sound.findings);
    // A kernel that starts from full resolution each time may find the other kind there.
    let other = filled(1 - of_level);
    assert!(is_sound(&other) && other.cells_compared == sound.cells_compared, "{:?}", other.findings);
    assert!(other.decodes > other.tiles && other.decodes <= 2 * other.tiles, "{} decodings", other.decodes);
    // Neither has such values.
    let wrong = filled(0xFF);
    assert_eq!(wrong.counts["overview-content"], 1);
    assert_eq!((wrong.decodes, wrong.cells_compared), (other.decodes, sound.cells_compared));
    let quick = |bytes: &[u8]| check::validate(&bytes, &CheckOptions::quick(), &Executor::serial()).unwrap();
    let mut changed = bytes.clone();
    changed[smallest..smallest + 64 * 64 * 2 + 4].fill(0xFF);
    assert!(quick(&changed).counts.contains_key("overview-unjudged"));
    assert!(is_sound(&quick(&bytes)));
}

#[test]
fn what_is_no_tiff_is_an_error_and_not_a_verdict() {
    for bytes in [&b""[..], b"II*", b"PK\x03\x04aaaaaaaaaaaa", b"II\x2C\0\x08\0\0\0\0\0\0\0"] {
        assert!(judge(bytes).is_err(), "{bytes:?}");
        assert!(check::inspect(&bytes).is_err(), "{bytes:?}");
    }
    assert!(!judge(b"II*\0\xFF\0\0\0").unwrap().is_valid(false));
}

#[test]
fn every_cut_is_found() {
    let bytes = sample();
    for end in (8..bytes.len()).step_by(if cfg!(debug_assertions) { 61 } else { 7 }) {
        let report = judge(&bytes[..end]).unwrap();
        assert!(!report.is_valid(false), "cut at {end} of {}", bytes.len());
        let _ = check::inspect(&&bytes[..end]);
    }
}

#[test]
fn every_flipped_bit_of_the_structural_metadata_is_found() {
    let small = |mask, interleave, big_tiff| {
        let spec = ImageSpec::new(40, 30, 3, DataType::U8).mask(mask);
        encode(&spec, &small_tiles().interleave(interleave).big_tiff(big_tiff), &Executor::serial())
    };
    let files = [
        (8, 140, small(false, Interleave::Pixel, BigTiff::No)),
        (8, 174, small(true, Interleave::Pixel, BigTiff::No)),
        (8, 156, small(false, Interleave::Band, BigTiff::No)),
        (16, 156, small(true, Interleave::Tile, BigTiff::Yes)),
    ];
    for (start, size, bytes) in files {
        let strict = |bytes: &[u8]| ids(&judge(bytes).unwrap()).into_iter().filter(|id| !is_expected(id)).count();
        assert_eq!(strict(&bytes), 0);
        for bit in start * 8..(start + 43 + size) * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(strict(&changed) > 0, "bit {} of byte {} of {size}", bit % 8, bit / 8);
        }
    }
}

#[test]
fn structural_metadata_that_contradict_the_directory_are_found() {
    let bytes = encode(&ImageSpec::new(40, 30, 3, DataType::U8), &small_tiles(), &Executor::serial());
    let swapped = |from: &str, to: &str| {
        assert_eq!(from.len(), to.len());
        let at = bytes.windows(from.len()).position(|window| window == from.as_bytes()).expect("a line of the text");
        let mut changed = bytes.clone();
        changed[at..at + to.len()].copy_from_slice(to.as_bytes());
        changed
    };
    // Fewer bytes than the text has, and as many as the padding has room for.
    found(&swapped("SIZE=000140", "SIZE=000139"), "layout-ghost-text");
    found(&swapped("SIZE=000140", "SIZE=000141"), "layout-ghost-text");
    found(&swapped("SIZE=000140", "SIZE=000138"), "layout-first-directory");
    found(&swapped("SIZE=000140", "SIZE=000142"), "layout-ghost-area");
    found(&swapped("SIZE=000140", "SIZE= 00140"), "layout-ghost-area");
    found(&swapped("BLOCK_ORDER=ROW_MAJOR\nB", "BLOCK_ORDER=COL_MAJOR\nB"), "layout-ghost-text");
    // The lines after the leader's have as many bytes as a line of INTERLEAVE and two of padding would.
    let chunky = swapped("BLOCK_LEADER=SIZE_AS_UINT4\n", "INTERLEAVE=BAND\n          \n");
    let report = judge(&chunky).unwrap();
    assert_eq!(report.counts["layout-ghost-text"], 2, "{:?}", report.findings);
    // What GDAL writes over it when an edit breaks the layout is an error by its own rule, and no damage.
    let edited = judge(&swapped("EDITION=NO\n ", "EDITION=YES\n")).unwrap();
    assert!(edited.counts.contains_key("layout-incompatible-edition"));
    assert!(!edited.counts.contains_key("layout-ghost-text"));
}

/// Numbers that are the same every time.
fn random(state: &mut u64) -> usize {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    usize::try_from(*state >> 33).unwrap()
}

#[test]
fn changed_bytes_neither_panic_nor_take_long() {
    let bytes = sample();
    let mut state = 7;
    let options = CheckOptions::full().decode_limit(64 << 20);
    for round in 0..1500 {
        let mut changed = bytes.clone();
        for _ in 0..1 + round % 4 {
            // Mostly where directories and arrays are.
            let at = random(&mut state) % if round % 3 == 0 { changed.len() } else { 2500 };
            changed[at] = [0, 0xFF, 1, u8::try_from(random(&mut state) % 256).unwrap()][random(&mut state) % 4];
        }
        let began = Instant::now();
        let _ = check::validate(&changed, &options, &Executor::serial());
        let _ = check::inspect(&changed);
        assert!(began.elapsed() < Duration::from_secs(20), "round {round}");
    }
}

/// A classic TIFF of one directory with these entries (tag, type, count, value), and nothing else.
fn directory(entries: &[(u16, u16, u32, u32)], next: u32, behind: &[u8]) -> Vec<u8> {
    let mut bytes = b"II*\0\x08\0\0\0".to_vec();
    bytes.extend(u16::try_from(entries.len()).unwrap().to_le_bytes());
    for (tag, kind, count, value) in entries {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(kind.to_le_bytes());
        bytes.extend(count.to_le_bytes());
        bytes.extend(value.to_le_bytes());
    }
    bytes.extend(next.to_le_bytes());
    bytes.extend(behind);
    bytes
}

fn found(bytes: &[u8], id: &str) {
    let began = Instant::now();
    let report = judge(bytes).unwrap();
    assert!(report.counts.contains_key(id), "{id} is not among {:?}", ids(&report));
    assert!(began.elapsed() < Duration::from_secs(5));
    let _ = check::inspect(&bytes);
}

#[test]
fn traps_are_told_by_name() {
    let square = |side: u32| {
        vec![(256, 4, 1, side), (257, 4, 1, side), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (277, 3, 1, 1)]
    };
    let tiled = |side: u32, tile: u32, offsets: (u16, u16, u32, u32), counts: (u16, u16, u32, u32)| {
        let mut entries = square(side);
        entries.extend([(322, 4, 1, tile), (323, 4, 1, tile), offsets, counts]);
        entries
    };
    // A directory that is its own next.
    found(&directory(&square(16), 8, &[]), "tiff-directory-cycle");
    // As many tiles as a header can claim.
    let claims = tiled(i32::MAX as u32, 16, (324, 4, u32::MAX, 200), (325, 4, u32::MAX, 200));
    found(&directory(&claims, 0, &[0; 400]), "tiff-value-bounds");
    // A tile of 4 EiB.
    let giant = tiled(64, 0x7FFF_FFF0, (324, 4, 1, 200), (325, 4, 1, 100));
    found(&directory(&giant, 0, &[0; 400]), "tile-unjudged");
    // All tiles except one have the same bytes.
    let overlapping = tiled(32, 16, (324, 4, 4, 150), (325, 4, 4, 166));
    let numbers: Vec<u8> = [200u32, 200, 200, 300, 256, 256, 256, 256].iter().flat_map(|n| n.to_le_bytes()).collect();
    let mut bytes = directory(&overlapping, 0, &[0; 800]);
    bytes[150..150 + numbers.len()].copy_from_slice(&numbers);
    found(&bytes, "tile-overlap");
    // Color tables of 65536 colors that a thousand directories share: more than the file could hold.
    let mut shared = b"II*\0\x08\0\0\0".to_vec();
    let mut chain: Vec<u8> = Vec::new();
    for number in 0..4000u32 {
        let mut entries = square(16);
        entries.extend([(320, 3, 196_608, 8)]);
        let next = if number == 3999 { 0 } else { 8 + (number + 1) * 90 };
        chain.extend(&directory(&entries, next, &[])[8..]);
    }
    assert_eq!(chain.len(), 4000 * 90);
    shared.extend(chain);
    shared.extend(vec![0; 200_000]);
    found(&shared, "tiff-directory-count");
}

/// A reader that fails where it is touched, as a network would.
struct Failing(Vec<u8>, u64);

impl ReadAt for Failing {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> std::io::Result<usize> {
        if offset + buffer.len() as u64 > self.1 {
            return Err(std::io::ErrorKind::ConnectionReset.into());
        }
        self.0.read_at(offset, buffer)
    }

    fn len(&self) -> u64 {
        ReadAt::len(&self.0)
    }
}

#[test]
fn a_file_that_cannot_be_read_is_not_judged() {
    let bytes = sample();
    for end in [0, 100, 1000, bytes.len() as u64 - 10] {
        let reader = Failing(bytes.clone(), end);
        assert!(check::validate(&reader, &CheckOptions::default(), &Executor::serial()).is_err(), "{end}");
    }
}

#[test]
fn inspection_says_what_was_written() {
    let bytes = sample();
    let info = check::inspect(&bytes).unwrap();
    assert_eq!((info.width, info.height, info.bands, info.data_type.as_str()), (211, 157, 3, "u16"));
    assert!(info.mask && info.gdal_layout && !info.big_tiff);
    let sizes: Vec<_> = info.levels.iter().map(|level| (level.width, level.height, level.tiles)).collect();
    assert_eq!(sizes, [(211, 157, 12), (105, 78, 4), (52, 39, 1)]);
    let pixels = info.levels.iter().map(|level| level.bytes + level.mask_bytes).sum::<u64>();
    // Each tile has a frame of eight bytes, of the image and of the mask.
    assert!(pixels + 17 * 2 * 8 < info.bytes && info.bytes < pixels + 17 * 2 * 8 + 4096);
    assert_eq!(info.levels[0].uncompressed_bytes, 211 * 157 * 3 * 2);
    assert_eq!((info.open.requests, info.open.bytes), (1, 16_384));
    assert_eq!(info.detail_view.tiles, 12);
    // Pieces that lie together are one request, and the first one has been read.
    assert_eq!((info.detail_view.requests, info.detail_view.bytes), (1, info.bytes - 16_384));
}
