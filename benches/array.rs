//! One array in memory to one file, once: what `benches/compare` times against other writers.
//!
//! `array RAW WIDTH HEIGHT BANDS TYPE CODEC THREADS OUTPUT`: RAW has the samples by band, then row, then column. Prints
//! seconds of the call that writes, and nothing else.

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use cogsmith::{
    CogPlan, Compression, DataType, EncodeOptions, Executor, FileOptions, GeoRef, ImageSpec, Metadata, Photometric,
    Resampling, Sample, SliceSource, encode_to_file,
};

fn write<T: Sample>(bytes: &[u8], spec: &ImageSpec, codec: &str, threads: usize, path: &Path) -> cogsmith::Result<f64> {
    let mut pixels = vec![T::zeroed(); bytes.len() / size_of::<T>()];
    bytemuck::cast_slice_mut(&mut pixels).copy_from_slice(bytes);
    let executor = Executor::threads(threads)?;
    let start = Instant::now();
    let compression = match codec {
        "none" => Compression::None,
        "lzw" => Compression::Lzw,
        _ => Compression::DEFLATE,
    };
    let options = EncodeOptions::new().compression(compression).resampling(Resampling::Average);
    let plan = CogPlan::new(spec, &GeoRef::default(), &Metadata::default(), &options)?;
    let mut source = SliceSource::planar(spec.clone(), &pixels)?;
    encode_to_file(&mut source, &plan, &executor, path, &FileOptions::new().overwrite(true))?;
    Ok(start.elapsed().as_secs_f64())
}

fn main() -> Result<(), Box<dyn Error>> {
    // `cargo bench` adds options of its own.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let [raw, width, height, bands, data_type, codec, threads, output] = &arguments[..] else {
        println!("array RAW WIDTH HEIGHT BANDS TYPE CODEC THREADS OUTPUT: for benches/compare; nothing to do");
        return Ok(());
    };
    let bytes = std::fs::read(raw)?;
    let (width, height, threads) = (width.parse()?, height.parse()?, threads.parse()?);
    let bands: u16 = bands.parse()?;
    // Four bands are four bands here, not three colors and alpha.
    let photometric = if bands == 3 { Photometric::Rgb } else { Photometric::MinIsBlack };
    let spec = |data_type| {
        let extra_samples = Vec::new();
        ImageSpec::new(width, height, bands, data_type).photometric(photometric).extra_samples(extra_samples)
    };
    let output = Path::new(output);
    let seconds = match data_type.as_str() {
        "uint8" => write::<u8>(&bytes, &spec(DataType::U8), codec, threads, output)?,
        "uint16" => write::<u16>(&bytes, &spec(DataType::U16), codec, threads, output)?,
        "float32" => {
            let spec = spec(DataType::F32).nodata(-9999.0);
            write::<f32>(&bytes, &spec, codec, threads, output)?
        }
        other => return Err(format!("no such type here: {other}").into()),
    };
    println!("{seconds:.4}");
    Ok(())
}
