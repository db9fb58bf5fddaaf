//! Converts the bytes of a GeoTIFF to those of a COG. The module imports nothing: no threads, no clock, no files.

use std::cell::RefCell;

use cogsmith::{CogPlan, EncodeOptions, GeoTiffSource, PixelSource, RasterSource, ReadOptions};

thread_local! {
    static INPUT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static OUTPUT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

fn to_cog(geotiff: Vec<u8>) -> cogsmith::Result<Vec<u8>> {
    let mut source = GeoTiffSource::from_reader(geotiff, &ReadOptions::default())?;
    let plan = CogPlan::new(source.spec(), source.geo(), source.metadata(), &EncodeOptions::default())?;
    cogsmith::encode_to_vec(&mut source, &plan)
}

/// Returns where the host writes `len` bytes of a GeoTIFF.
#[unsafe(no_mangle)]
pub extern "C" fn input(len: usize) -> *mut u8 {
    INPUT.set(vec![0; len]);
    INPUT.with_borrow_mut(|bytes| bytes.as_mut_ptr())
}

/// Converts the input and returns the length of the output: the COG, or, if negative, an error message.
#[unsafe(no_mangle)]
pub extern "C" fn convert() -> isize {
    let result = to_cog(INPUT.take());
    let sign = if result.is_ok() { 1 } else { -1 };
    OUTPUT.set(result.unwrap_or_else(|error| error.to_string().into_bytes()));
    OUTPUT.with_borrow(|bytes| sign * bytes.len() as isize)
}

/// Returns where the output starts.
#[unsafe(no_mangle)]
pub extern "C" fn output() -> *const u8 {
    OUTPUT.with_borrow(|bytes| bytes.as_ptr())
}
