//! A file as the source gives the bytes that the array and the stream give; and another reader reads them.

#![cfg(feature = "geotiff")]

mod support;

use std::io::Cursor;

use cogsmith::{
    CogPlan, Compression, DataType, EncodeOptions, Executor, ExtraSample, GeoKeys, GeoRef, GeoTiffSource, ImageSpec,
    Interleave, Metadata, Nodata, Predictor, RasterSource, ReadOptions, Rpc, StoreOptions, Tag, TileSize, Transform,
};
use support::images::{Computed, encode};

fn from_file(bytes: Vec<u8>, options: &EncodeOptions, threads: usize) -> (GeoTiffSource, Vec<u8>) {
    let mut source = GeoTiffSource::from_reader(bytes, &ReadOptions::default()).unwrap();
    let plan = CogPlan::new(cogsmith::PixelSource::spec(&source), source.geo(), source.metadata(), options).unwrap();
    let executor = Executor::threads(threads).unwrap();
    let mut out = Vec::new();
    let go_on = &mut |_| std::ops::ControlFlow::Continue(());
    cogsmith::encode(&mut source, &plan, &executor, &StoreOptions::default(), &mut out, go_on).unwrap();
    (source, out)
}

#[test]
fn files_give_the_bytes_of_the_stream() {
    let ways = [
        (Compression::None, Interleave::Pixel, Predictor::Auto),
        (Compression::Lzw, Interleave::Band, Predictor::None),
        (Compression::DEFLATE, Interleave::Tile, Predictor::Horizontal),
        (Compression::ZSTD, Interleave::Pixel, Predictor::Auto),
    ];
    for &data_type in DataType::ALL {
        for (mask, bands) in [(false, 1), (true, 3)] {
            // Overviews are computed from the same pixels, whatever the source's own way of storing them was.
            let spec = ImageSpec::new(211, 157, bands, data_type).mask(mask);
            let wanted = EncodeOptions::new().tile_size(TileSize::square(64));
            let expected = encode(&spec, &wanted, &Executor::serial());
            for (compression, interleave, predictor) in ways {
                if predictor == Predictor::Horizontal && data_type.is_complex() {
                    continue;
                }
                let stored = EncodeOptions::new()
                    .tile_size(TileSize { width: 48, height: 80 })
                    .compression(compression)
                    .interleave(interleave)
                    .predictor(predictor);
                let file = encode(&spec, &stored, &Executor::serial());
                for threads in [1, 3] {
                    let (_, bytes) = from_file(file.clone(), &wanted, threads);
                    assert!(bytes == expected, "{data_type} {bands} bands from {compression:?} {interleave:?}");
                }
            }
        }
    }
}

#[test]
fn what_is_known_of_a_raster_survives() {
    let spec = ImageSpec::new(90, 70, 2, DataType::I64)
        .nodata(Nodata::Integer(-9_007_199_254_740_993))
        .extra_samples([ExtraSample::Unspecified]);
    let keys = GeoKeys {
        directory: vec![1, 1, 1, 3, 1024, 0, 1, 1, 1025, 0, 1, 2, 3072, 0, 1, 32633],
        doubles: vec![],
        ascii: b"somewhere|".to_vec(),
    };
    let rpc: [f64; Rpc::NUMBERS] = std::array::from_fn(|index| index as f64);
    let geo = GeoRef::default()
        .with_keys(keys)
        .unwrap()
        .with_transform(Transform::from_affine([1.0, 0.5, 100.0, -0.5, 1.0, 200.0]).unwrap())
        .with_rpc(Rpc::from_numbers(&rpc))
        .unwrap();
    let mut metadata = Metadata::default();
    metadata.set_item(None, "A", "x & \"y\" <z>").unwrap();
    metadata.set_scale(1, 0.5).unwrap();
    metadata.set_text(Tag::COPYRIGHT, "nobody").unwrap();
    let options = EncodeOptions::new().tile_size(TileSize::square(32));
    let plan = CogPlan::new(&spec, &geo, &metadata, &options).unwrap();
    let file = cogsmith::encode_to_vec(&mut Computed { spec: spec.clone() }, &plan).unwrap();
    let (source, again) = from_file(file.clone(), &options, 1);
    assert_eq!(source.geo(), &geo);
    assert_eq!(source.metadata(), &metadata);
    assert_eq!(cogsmith::PixelSource::spec(&source), &spec);
    assert!(again == file, "a COG made of a COG with the same options is the same file");
}

#[test]
fn another_reader_reads_every_level() {
    for (compression, predictor) in [
        (Compression::None, Predictor::None),
        (Compression::Lzw, Predictor::Horizontal),
        (Compression::DEFLATE, Predictor::None),
        (Compression::DEFLATE, Predictor::Horizontal),
    ] {
        let spec = ImageSpec::new(300, 200, 3, DataType::U16);
        let options =
            EncodeOptions::new().tile_size(TileSize::square(64)).compression(compression).predictor(predictor);
        let file = encode(&spec, &options, &Executor::serial());
        let mut decoder = tiff::decoder::Decoder::new(Cursor::new(&file)).unwrap();
        let mut sizes = Vec::new();
        loop {
            sizes.push(decoder.dimensions().unwrap());
            let tiff::decoder::DecodingResult::U16(pixels) = decoder.read_image().unwrap() else {
                panic!("samples of 16 bits")
            };
            if sizes.len() == 1 {
                let byte = |at: usize, index| Computed::byte(at / 900, at / 3 % 300, at % 3, index);
                let expected = (0..pixels.len()).map(|at| u16::from_ne_bytes([byte(at, 0), byte(at, 1)]));
                assert!(expected.eq(pixels.iter().copied()), "{compression:?} {predictor:?}");
            }
            if !decoder.more_images() {
                break;
            }
            decoder.next_image().unwrap();
        }
        assert_eq!(sizes, [(300, 200), (150, 100), (75, 50), (37, 25)]);
    }
}
