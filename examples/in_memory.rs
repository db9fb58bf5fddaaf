//! Converts an image in memory to a COG in memory, and to a file if one is named.
//!
//! `cargo run --example in_memory [-- OUTPUT.tif]`

use cogsmith::{CogPlan, DataType, EncodeOptions, Executor, FileOptions, GeoRef, ImageSpec, Metadata, SliceSource};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (width, height) = (1300u32, 1100u32);
    let pixels: Vec<u16> = (0..height)
        .flat_map(|row| (0..width).map(move |column| ((row * row + 3 * column) / 64 % 4096) as u16))
        .collect();

    let spec = ImageSpec::new(width, height, 1, DataType::U16);
    let plan = CogPlan::new(&spec, &GeoRef::default(), &Metadata::default(), &EncodeOptions::default())?;
    let mut source = SliceSource::new(spec, &pixels)?;
    let bytes = cogsmith::encode_to_vec(&mut source, &plan)?;

    println!("{} levels, {} bytes", plan.levels().len(), bytes.len());
    if let Some(path) = std::env::args().nth(1) {
        let options = FileOptions::new().overwrite(true);
        let summary = cogsmith::encode_to_file(&mut source, &plan, &Executor::all_cores()?, path.as_ref(), &options)?;
        println!("{path}: {} bytes", summary.bytes);
    }
    Ok(())
}
