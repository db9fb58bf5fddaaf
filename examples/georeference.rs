//! Makes a COG from an array: a rotated image with a CRS, rational polynomials, metadata, and statistics.
//!
//! `cargo run --release --example georeference -- OUTPUT.tif`

use std::path::PathBuf;
use std::process::ExitCode;

use cogsmith::{
    ArraySource, CogPlan, ColorInterpretation, EncodeOptions, Executor, FileOptions, GeoKeys, GeoRef, Metadata,
    PixelIs, PixelSource, Result, Rpc, Tag, Transform, encode_to_file,
};

fn main() -> ExitCode {
    let Some(output) = std::env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("usage: georeference OUTPUT.tif");
        return ExitCode::FAILURE;
    };
    match write(&output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn write(output: &std::path::Path) -> Result<()> {
    let pixels =
        ndarray::Array3::from_shape_fn((600, 700, 3), |(row, column, band)| ((row + 2 * column) * (band + 1)) as u16);
    let mut source = ArraySource::bands_last(pixels.view())?;
    let utm =
        GeoKeys { directory: vec![1, 1, 0, 3, 1024, 0, 1, 1, 1025, 0, 1, 1, 3072, 0, 1, 32633], ..GeoKeys::default() };
    let geo = GeoRef::default()
        .with_keys(utm)?
        .with_transform(Transform::from_gdal([431_020.5, 0.03, 0.04, 5_413_870.25, 0.04, -0.03])?)
        .with_pixel_is(PixelIs::Point)
        .with_rpc(Rpc::from_numbers(&std::array::from_fn(|index| index as f64 / 8.0)))?;
    let mut metadata = Metadata::default();
    metadata.set_item(None, "PLATFORM", "drone <7> & \"co\"")?;
    metadata.set_item(Some("FLIGHT"), "HEADING", "53.13")?;
    metadata.set_text(Tag::DATE_TIME, "2024:06:01 10:30:31")?;
    metadata.set_text(Tag::COPYRIGHT, "nobody")?;
    metadata.set_xmp("<x:xmpmeta xmlns:x='adobe:ns:meta/'/>");
    let bands = [ColorInterpretation::Nir, ColorInterpretation::Red, ColorInterpretation::Green];
    for (band, color) in (0..).zip(bands) {
        metadata.set_color_interpretation(band, color);
        metadata.set_description(band, color.name())?;
        metadata.set_scale(band, 0.0001)?;
        metadata.set_offset(band, -0.1)?;
        metadata.set_unit(band, "1")?;
    }
    let options = EncodeOptions::new().statistics(true);
    let plan = CogPlan::new(source.spec(), &geo, &metadata, &options)?;
    encode_to_file(&mut source, &plan, &Executor::all_cores()?, output, &FileOptions::default())?;
    Ok(())
}
