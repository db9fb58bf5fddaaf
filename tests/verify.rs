//! Verification on write: what is written is read back, and what is not the same never appears.

#![cfg(feature = "geotiff")]

mod support;

use std::fs::{self, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::ops::ControlFlow;
use std::path::Path;

use cogsmith::{
    CogPlan, CogWriter, Compression, DataType, EncodeOptions, ErrorKind, Executor, FileOptions, GeoRef, ImageSpec,
    Interleave, Metadata, OptionField, OutputFile, StoreOptions, TileSize, encode, encode_to_output,
};
use support::images::Computed;

fn plan(spec: &ImageSpec, options: &EncodeOptions) -> CogPlan {
    CogPlan::new(spec, &GeoRef::default(), &Metadata::default(), options).unwrap()
}

fn verifying() -> StoreOptions {
    StoreOptions::new().verify(true)
}

/// Writes to a file and verifies it; `meddle` gets the folder after every step.
fn write(
    folder: &Path,
    plan: &CogPlan,
    threads: usize,
    meddle: &mut dyn FnMut(&Path),
) -> cogsmith::Result<cogsmith::Summary> {
    let mut source = Computed { spec: plan.spec().clone() };
    let mut output = OutputFile::create(&folder.join("out.tif"), &FileOptions::default())?;
    let executor = Executor::threads(threads)?;
    let mut step = |_| {
        meddle(folder);
        ControlFlow::Continue(())
    };
    let summary = encode_to_output(&mut source, plan, &executor, &verifying(), &mut output, &mut step)?;
    output.commit()?;
    Ok(summary)
}

#[test]
fn what_is_written_is_what_was_encoded() {
    for &data_type in DataType::ALL {
        for (mask, bands) in [(false, 1), (true, 3), (false, 3)] {
            for (compression, interleave) in [
                (Compression::None, Interleave::Pixel),
                (Compression::DEFLATE, Interleave::Band),
                (Compression::ZSTD, Interleave::Tile),
                (Compression::Lzw, Interleave::Pixel),
                (Compression::PackBits, Interleave::Pixel),
                (Compression::JPEG, Interleave::Pixel),
                (Compression::JPEG, Interleave::Band),
            ] {
                if !compression.codec().lossless && data_type != DataType::U8 {
                    continue;
                }
                let folder = tempfile::tempdir().unwrap();
                let spec = ImageSpec::new(211, 157, bands, data_type).mask(mask);
                let tile_size = TileSize { width: 48, height: 80 };
                let options = EncodeOptions::new().tile_size(tile_size).compression(compression).interleave(interleave);
                let written = write(folder.path(), &plan(&spec, &options), 3, &mut |_| {});
                assert!(written.is_ok(), "{data_type} {compression:?} {interleave:?} {mask}: {written:?}");
            }
        }
    }
}

#[test]
fn samples_of_unusual_width_are_verified_too() {
    for (bits, data_type) in [(1, DataType::U8), (5, DataType::U8), (12, DataType::U16), (24, DataType::U32)] {
        let folder = tempfile::tempdir().unwrap();
        let spec = ImageSpec::new(70, 90, 1, data_type).bits_per_sample(bits);
        let plan = plan(&spec, &EncodeOptions::new().tile_size(TileSize::square(32)));
        let pixels = vec![0u8; 70 * 90 * data_type.size()];
        let output = OutputFile::create(&folder.path().join("out.tif"), &FileOptions::default()).unwrap();
        let mut writer = CogWriter::to_file(plan, Executor::serial(), verifying(), output).unwrap();
        match data_type {
            DataType::U8 => writer.push_rows(&pixels, None).unwrap(),
            DataType::U16 => writer.push_rows(&vec![(1u16 << bits) - 1; 70 * 90], None).unwrap(),
            _ => writer.push_rows(&vec![(1u32 << bits) - 1; 70 * 90], None).unwrap(),
        }
        writer.finish().unwrap();
        assert!(folder.path().join("out.tif").exists());
    }
}

/// Flips a bit in the middle of the temporary file, once it is longer than so many bytes.
fn flip(folder: &Path, at: u64, done: &mut bool) {
    let Some(path) = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).next() else { return };
    if *done || fs::metadata(&path).unwrap().len() < at + 1000 {
        return;
    }
    let mut file = OpenOptions::new().read(true).write(true).open(path).unwrap();
    let mut byte = [0];
    file.seek(SeekFrom::Start(at)).unwrap();
    file.read_exact(&mut byte).unwrap();
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(&[byte[0] ^ 4]).unwrap();
    *done = true;
}

#[test]
fn a_flipped_bit_is_found_and_nothing_appears() {
    // Without compression tiles go to their places at once, and overviews come first: full resolution starts at 2 MB.
    for (compression, data_type, at) in [
        (Compression::None, DataType::U16, 2_100_000),
        (Compression::ZSTD, DataType::U16, 500_000),
        (Compression::JPEG, DataType::U8, 100_000),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let spec = ImageSpec::new(1000, 1000, 3, data_type);
        let tile_size = TileSize::square(128);
        let plan = plan(&spec, &EncodeOptions::new().tile_size(tile_size).compression(compression));
        let mut done = false;
        let result = write(folder.path(), &plan, 1, &mut |folder| flip(folder, at, &mut done));
        assert!(done, "{compression:?}: there was nothing to flip");
        let error = result.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Verification { .. }), "{compression:?}: {error}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left");
    }
}

#[test]
fn what_cannot_be_read_back_is_refused_before_anything_is_written() {
    let spec = ImageSpec::new(100, 100, 1, DataType::U8);
    let plan = plan(&spec, &EncodeOptions::default());
    let mut bytes = Vec::new();
    let go_on = &mut |_| ControlFlow::Continue(());
    let mut source = Computed { spec: spec.clone() };
    let error = encode(&mut source, &plan, &Executor::serial(), &verifying(), &mut bytes, go_on).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::InvalidOption { option: OptionField::Verify, .. }), "{error}");
    let error = CogWriter::to_writer(plan.clone(), Executor::serial(), verifying(), &mut bytes).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::InvalidOption { option: OptionField::Verify, .. }), "{error}");
    assert!(bytes.is_empty());
    #[cfg(unix)]
    {
        let mut output = OutputFile::create(Path::new("/dev/null"), &FileOptions::default()).unwrap();
        let result = encode_to_output(&mut source, &plan, &Executor::serial(), &verifying(), &mut output, go_on);
        assert!(matches!(result.unwrap_err().kind(), ErrorKind::InvalidOption { option: OptionField::Verify, .. }));
    }
}
