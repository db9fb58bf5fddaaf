//! `repack` and `edit`: tiles keep their bytes, a COG is its own copy, and changes are made whole or not at all.

use std::path::{Path, PathBuf};

use cogsmith::{
    BandValue, BigTiff, CogOptions, Crs, EditOptions, EditPart, ErrorKind, FileOptions, GeoTiffSource, Interleave,
    MetadataOverride, Nodata, Overrides, PixelSource, RasterSource, ReadOptions, RepackOptions, Tag, Transform, check,
};
use tempfile::TempDir;

/// A folder with a COG of two bands, in tiles of 32 pixels.
struct Case {
    folder: TempDir,
    cog: PathBuf,
}

fn options() -> CogOptions {
    CogOptions::new()
        .tile_size(cogsmith::TileSize::square(32))
        .crs(Crs::epsg(32633).unwrap())
        .transform(Transform::north_up(500_000.0, 6_000_000.0, 10.0, 10.0).unwrap())
        .overrides(Overrides::new().items([MetadataOverride::new("AREA", "north")]))
}

fn pixels() -> ndarray::Array3<u16> {
    ndarray::Array3::from_shape_fn((2, 90, 130), |(band, row, column)| (band * 1000 + row * 7 + column * 3) as u16)
}

fn case(options: &CogOptions) -> Case {
    let folder = tempfile::tempdir().unwrap();
    let cog = folder.path().join("cog.tif");
    cogsmith::write(&cog, &pixels(), options).unwrap();
    Case { folder, cog }
}

impl Case {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn bytes(&self) -> Vec<u8> {
        std::fs::read(&self.cog).unwrap()
    }

    fn source(&self) -> GeoTiffSource {
        GeoTiffSource::open(&self.cog, &ReadOptions::new()).unwrap()
    }

    fn edit(&self, options: &EditOptions) -> cogsmith::EditSummary {
        cogsmith::edit(&self.cog, options).unwrap()
    }
}

fn assert_valid(path: &Path) {
    let file = cogsmith::DiskFile::open(path).unwrap();
    let report = check::validate(&file, &check::CheckOptions::full(), &cogsmith::Executor::serial()).unwrap();
    assert!(report.is_valid(false), "{:?}", report.findings);
}

#[test]
fn a_cog_is_its_own_copy() {
    for interleave in [Interleave::Pixel, Interleave::Band, Interleave::Tile] {
        for big_tiff in [BigTiff::No, BigTiff::Yes] {
            for header_room in [0, 3000] {
                let options = options().interleave(interleave).big_tiff(big_tiff).header_room(header_room);
                let case = case(&options);
                let target = case.path("copy.tif");
                let summary = cogsmith::repack(
                    &case.cog,
                    &target,
                    &RepackOptions::new().big_tiff(big_tiff).header_room(header_room),
                )
                .unwrap();
                assert_eq!(std::fs::read(&target).unwrap(), case.bytes(), "{interleave} {big_tiff} {header_room}");
                assert_eq!(summary.levels, [(130, 90), (65, 45), (32, 22)]);
                assert_eq!((summary.big_tiff, summary.warnings.len()), (big_tiff == BigTiff::Yes, 0));
                let mut stream = Vec::new();
                let wanted = RepackOptions::new().big_tiff(big_tiff).header_room(header_room);
                cogsmith::repack_to(&case.cog, &mut stream, &wanted).unwrap();
                assert_eq!(stream, case.bytes());
            }
        }
    }
}

#[test]
fn masks_of_one_band_stay_where_they_are() {
    let pixels = ndarray::Array2::from_shape_fn((90, 130), |(row, column)| (row * column % 7) as u16);
    for interleave in [Interleave::Pixel, Interleave::Band, Interleave::Tile] {
        let folder = tempfile::tempdir().unwrap();
        let [cog, copy] = ["cog.tif", "copy.tif"].map(|name| folder.path().join(name));
        let options = options().nodata(0u64).mask(cogsmith::MaskPolicy::Nodata).interleave(interleave);
        cogsmith::write(&cog, &pixels, &options).unwrap();
        cogsmith::repack(&cog, &copy, &RepackOptions::new()).unwrap();
        assert_eq!(std::fs::read(&copy).unwrap(), std::fs::read(&cog).unwrap(), "{interleave}");
    }
}

#[test]
fn either_variant_becomes_the_other() {
    let case = case(&options());
    let (big, back) = (case.path("big.tif"), case.path("back.tif"));
    cogsmith::repack(&case.cog, &big, &RepackOptions::new().big_tiff(BigTiff::Yes)).unwrap();
    assert_eq!(std::fs::read(&big).unwrap()[2], 43);
    assert_valid(&big);
    cogsmith::repack(&big, &back, &RepackOptions::new()).unwrap();
    assert_eq!(std::fs::read(&back).unwrap(), case.bytes());
}

#[test]
fn edits_give_the_bytes_of_a_new_file() {
    let text = |name: &str| vec![BandValue { band: Some(1), value: name.to_owned() }];
    let overrides = Overrides::new()
        .items([MetadataOverride::new("AREA", "north"), MetadataOverride::new("TIFFTAG_SOFTWARE", "a & b")])
        .description(text("second"))
        .unit(text("m"));
    let transform = Transform::north_up(1.0, 2.0, 3.0, 4.0).unwrap();
    for header_room in [0, 8000] {
        let base = options().header_room(header_room);
        let expected =
            case(&base.clone().crs(Crs::epsg(3857).unwrap()).transform(transform).overrides(overrides.clone()));
        let case = case(&base);
        let edit = EditOptions::new().crs(Crs::epsg(3857).unwrap()).overrides(overrides.clone().transform(transform));
        let before = case.bytes();
        let planned = case.edit(&edit.clone().dry_run(true));
        assert_eq!(case.bytes(), before);
        let summary = case.edit(&edit);
        assert_eq!(summary, planned);
        assert_eq!((summary.is_written, summary.in_place), (true, header_room > 0));
        assert!(summary.changes.iter().any(|change| change.tag == Tag::SOFTWARE && change.before.is_none()));
        let (ours, theirs) = (case.bytes(), expected.bytes());
        if header_room == 0 {
            assert_eq!(ours, theirs);
        } else {
            // The tags have taken a part of the room.
            assert_eq!(ours.len(), before.len());
            let tiles = before.len() - 8000 - 4000;
            assert_eq!(ours[ours.len() - tiles..], before[before.len() - tiles..]);
        }
        assert_valid(&case.cog);
        let source = case.source();
        assert_eq!(source.geo().transform(), Some(transform));
        assert_eq!(source.metadata().description(1).as_deref(), Some("second"));
        // The same edit again has nothing to change.
        let again = case.edit(&edit);
        assert!(again.changes.is_empty() && !again.is_written);
        assert_eq!(case.bytes(), ours);
    }
}

#[test]
fn room_is_made_kept_and_used() {
    let case = case(&options());
    let nodata = |value: u64| EditOptions::new().nodata(Nodata::from(value));
    assert!(!case.edit(&nodata(1)).in_place);
    let summary = case.edit(&EditOptions::new().header_room(6000));
    assert!(summary.is_written && !summary.in_place && summary.changes.is_empty());
    for value in 2..5 {
        let summary = case.edit(&nodata(value));
        assert!(summary.in_place, "{value}");
        assert_eq!(case.source().spec().nodata, Some(Nodata::from(value)));
        assert_valid(&case.cog);
    }
    // Too large for the room: a new file, which keeps it.
    let long = "x".repeat(10_000);
    let items =
        |value: &str| EditOptions::new().overrides(Overrides::new().items([MetadataOverride::new("LONG", value)]));
    assert!(!case.edit(&items(&long)).in_place);
    assert_valid(&case.cog);
    assert!(case.edit(&EditOptions::new().remove_items([(None, "LONG".to_owned())])).is_written);
    assert!(case.edit(&nodata(9)).in_place);
}

#[test]
fn parts_are_removed() {
    let case = case(&options().nodata(7u64).overrides(Overrides::new().items([MetadataOverride::new("A", "1")])));
    let edit = EditOptions::new()
        .remove([EditPart::Crs, EditPart::Transform])
        .without_nodata()
        .remove_items([(None, "A".to_owned())]);
    let removed: Vec<_> =
        case.edit(&edit).changes.iter().filter(|change| change.after.is_none()).map(|change| change.tag).collect();
    for tag in [Tag::GDAL_NODATA, Tag::MODEL_PIXEL_SCALE, Tag::MODEL_TIEPOINT, Tag::GEO_KEY_DIRECTORY] {
        assert!(removed.contains(&tag), "{tag:?}");
    }
    let source = case.source();
    assert!(
        source.geo().is_empty() && source.spec().nodata.is_none() && source.metadata().items().is_empty()
            || source.metadata().items().iter().all(|item| item.name != "A")
    );
    let error = cogsmith::edit(&case.cog, &EditOptions::new().remove_items([(None, "A".to_owned())])).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::InvalidOption { .. }), "{error}");
}

#[test]
fn a_failed_edit_leaves_the_file_alone() {
    let case = case(&options());
    let before = case.bytes();
    let scale = vec![BandValue { band: Some(5), value: 2.0 }];
    for options in [
        EditOptions::new().nodata(-1i64),
        EditOptions::new().overrides(Overrides::new().scale(scale)),
        EditOptions::new().icc_profile(b"no profile".to_vec()),
    ] {
        let error = cogsmith::edit(&case.cog, &options).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::InvalidOption { .. }), "{error}");
    }
    let flag = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    let error = cogsmith::edit(&case.cog, &EditOptions::new().nodata(3u64).cancel(flag)).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Cancelled), "{error}");
    assert_eq!(case.bytes(), before);
    assert_eq!(std::fs::read_dir(case.folder.path()).unwrap().count(), 1, "a temporary file is left");
}

#[test]
fn outputs_are_replaced_only_when_asked() {
    let case = case(&options());
    let error = cogsmith::repack(&case.cog, &case.cog, &RepackOptions::new()).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::TargetExists { .. }), "{error}");
    let before = case.bytes();
    let overwrite = RepackOptions::new().file(FileOptions::new().overwrite(true));
    cogsmith::repack(&case.cog, &case.cog, &overwrite).unwrap();
    assert_eq!(case.bytes(), before);
    let error = cogsmith::repack_to(&case.cog, Vec::new(), &overwrite).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::InvalidOption { .. }), "{error}");
}

/// Every byte of the header in turn is damaged: the file is refused or copied, without a panic and without more memory than
/// the file justifies.
#[test]
fn damaged_headers_do_no_harm() {
    let case = case(&options());
    let bytes = case.bytes();
    let damaged = case.path("damaged.tif");
    let target = case.path("out.tif");
    let options = RepackOptions::new().file(FileOptions::new().overwrite(true));
    let (mut refused, mut copied) = (0, 0);
    for index in (0..1500).step_by(11) {
        for value in [0, 1, 0x7f, 0xff] {
            let mut changed = bytes.clone();
            changed[index] = value;
            std::fs::write(&damaged, changed).unwrap();
            match cogsmith::repack(&damaged, &target, &options) {
                Ok(_) => copied += 1,
                Err(_) => refused += 1,
            }
            let _ = cogsmith::edit(&damaged, &EditOptions::new().nodata(5u64));
        }
    }
    assert!(refused > 20 && copied > 20, "{refused} refused, {copied} copied");
}
