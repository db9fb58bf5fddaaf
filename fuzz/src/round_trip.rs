//! Round trips: whatever is planned is written, laid out as it should be, and reads back equal.

use cogsmith::{
    CogPlan, Compression, DataType, GeoTiffSource, Interleave, Metadata, MetadataItem, Photometric, PixelSource,
    RasterSource, ReadOptions, SampleKind,
};

use super::Choices;
use super::image::{Image, Scale, geo, metadata, options, other_codecs, read, spec};
use super::parse::Tiff;
use super::validate;

pub fn run(data: &[u8]) {
    let choices = &mut Choices::new(data);
    let spec = spec(choices, Scale::Small);
    let mut options = options(choices, Scale::Small, spec.bands);
    other_codecs(choices, &spec, &mut options);
    let (geo, metadata) = (geo(choices), metadata(choices));
    let Ok(plan) = CogPlan::new(&spec, &geo, &metadata, &options) else { return };
    let mut image = Image::new(spec.clone(), choices);
    if !image.is_decided(&plan, options.mask) {
        return;
    }
    let file = image.encode(&plan, 1);
    assert!(file == image.encode(&plan, u64::MAX), "the size of batches decides nothing");
    Tiff::parse(&file).check_layout();
    // GeoKeys are written as they are given.
    validate::sound(&file, "geotiff-", &(&spec, &options));

    let mut source = GeoTiffSource::from_reader(file.clone(), &ReadOptions::default()).expect("our reader opens it");
    assert!(source.warnings().is_empty(), "{:?}", source.warnings());
    let found = source.spec().clone();
    assert_eq!((found.width, found.height, found.bands), (spec.width, spec.height, spec.bands));
    assert_eq!((found.data_type, found.bits_per_sample), (spec.data_type, spec.bits_per_sample));
    let (source_spec, spec) = (spec, plan.spec());
    assert_eq!((found.mask, found.photometric), (spec.mask, spec.photometric));
    // With other bands, it only has a meaning in palettes.
    if spec.photometric == Photometric::Palette || spec.bands == 1 {
        assert_eq!(found.color_map, spec.color_map);
    }
    assert_eq!(found.nodata.is_some(), spec.nodata.is_some());
    if let (Some(found), Some(planned)) = (found.nodata, spec.nodata) {
        // The text in the file is a value of the type.
        let is_single = matches!(spec.data_type, DataType::F32 | DataType::CF32);
        let single = |value: f64| if is_single { f64::from(value as f32) } else { value };
        let (found, planned) = (single(found.as_f64()), single(planned.as_f64()));
        assert!(found == planned || found.is_nan() && planned.is_nan(), "nodata {found}, not {planned}");
    }
    // NaN is not equal to itself.
    assert_eq!(format!("{:?}", source.geo()), format!("{geo:?}"));
    let drops = options.statistics || *spec != source_spec;
    let computed = |item: &&MetadataItem| drops && item.name.starts_with("STATISTICS_");
    let items =
        |metadata: &Metadata| -> Vec<_> { metadata.items().iter().filter(|item| !computed(item)).cloned().collect() };
    assert_eq!(items(source.metadata()), items(&metadata));
    for (tag, value) in metadata.tags() {
        let found = source.metadata().tags().iter().find(|(found, _)| found == tag);
        assert_eq!(found.map(|(_, found)| found), Some(value), "{tag:?}");
    }
    let (pixels, mask) = read(&mut source, spec.height).expect("our reader reads it");
    assert!(pixels == image.pixels || !options.compression.codec().lossless, "pixels");
    if spec.mask == source_spec.mask && spec.nodata == source_spec.nodata {
        assert!(mask == image.mask, "mask");
    } else if spec.data_type == DataType::U8 {
        let mask: Vec<u8> = mask.iter().map(|byte| u8::from(*byte != 0)).collect();
        assert!(mask == image.expected_mask(options.mask), "mask from nodata");
    }

    // The `tiff` crate has no complex samples, no odd widths, and one plane alone.
    let whole = spec.bits_per_sample.is_none() && spec.data_type != DataType::F16;
    let real = matches!(spec.data_type.kind(), SampleKind::Unsigned | SampleKind::Signed | SampleKind::Float);
    let codec = !matches!(options.compression, Compression::Zstd { .. } | Compression::Jpeg { .. });
    if whole && real && codec && (options.interleave == Interleave::Pixel || spec.bands == 1) {
        foreign(&file, &image);
    }
}

/// Reads the tiles of full resolution with the `tiff` crate.
fn foreign(file: &[u8], image: &Image) {
    use tiff::decoder::{Decoder, DecodingResult};
    // It rejects colors that it does not know, omits bands next to known ones, and turns white into black.
    let Ok(mut decoder) = Decoder::new(std::io::Cursor::new(file)) else { return };
    let whole = decoder.colortype().is_ok_and(|color| color.num_samples() == image.spec.bands);
    if !whole || image.spec.photometric == Photometric::MinIsWhite {
        return;
    }
    let (columns, rows) = decoder.chunk_dimensions();
    let (width, pixel) = (image.spec.width, usize::from(image.spec.bands) * image.spec.data_type.size());
    let across = width.div_ceil(columns);
    for index in 0..across * image.spec.height.div_ceil(rows) {
        let (columns_here, rows_here) = decoder.chunk_data_dimensions(index);
        let samples = match decoder.read_chunk(index) {
            // Some colors it refuses only now.
            Err(tiff::TiffError::UnsupportedError(_)) => return,
            // tiff 0.11.3 with weezl 0.2.1, on streams that libtiff's encoder makes byte by byte the same.
            Err(tiff::TiffError::IoError(error)) if error.to_string() == "no lzw end code found" => return,
            samples => {
                samples.unwrap_or_else(|error| panic!("the tiff crate, chunk {index}: {error}, {:?}", image.spec))
            }
        };
        let bytes = match samples {
            DecodingResult::U8(samples) => samples,
            DecodingResult::I8(samples) => bytemuck::cast_slice(&samples).to_vec(),
            DecodingResult::U16(samples) => bytemuck::cast_slice(&samples).to_vec(),
            DecodingResult::I16(samples) => bytemuck::cast_slice(&samples).to_vec(),
            DecodingResult::U32(samples) => bytemuck::cast_slice(&samples).to_vec(),
            DecodingResult::I32(samples) => bytemuck::cast_slice(&samples).to_vec(),
            DecodingResult::U64(samples) => bytemuck::cast_slice(&samples).to_vec(),
            DecodingResult::I64(samples) => bytemuck::cast_slice(&samples).to_vec(),
            DecodingResult::F32(samples) => bytemuck::cast_slice(&samples).to_vec(),
            DecodingResult::F64(samples) => bytemuck::cast_slice(&samples).to_vec(),
            DecodingResult::F16(_) => panic!("left out"),
        };
        let (left, top) = (index % across * columns, index / across * rows);
        let length = columns_here as usize * pixel;
        for (row, bytes) in bytes.chunks(length).enumerate().take(rows_here as usize) {
            let start = ((top as usize + row) * width as usize + left as usize) * pixel;
            assert!(
                *bytes == image.pixels[start..start + length],
                "the tiff crate, chunk {index}, row {row}, {:?}",
                image.spec
            );
        }
    }
}
