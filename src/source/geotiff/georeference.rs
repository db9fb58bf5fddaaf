//! Georeferencing from the tags of a GeoTIFF (OGC 19-008).

use crate::error::Result;
use crate::geo::{GeoKeys, GeoRef, Placement, Rpc};
use crate::tiff::Tag;
use crate::tiff::file::{Directory, TiffFile};

/// Reads the georeferencing tags; invalid ones are ignored with a warning.
pub(super) fn read(file: &TiffFile, directory: &Directory, warnings: &mut Vec<String>) -> Result<GeoRef> {
    let rpc = directory.doubles(file, Tag::RPC_COEFFICIENTS)?;
    let rpc = rpc.and_then(|numbers| {
        let found = <&[f64; Rpc::NUMBERS]>::try_from(&numbers[..]).ok().map(Rpc::from_numbers);
        if found.is_none() {
            let (count, wanted) = (numbers.len(), Rpc::NUMBERS);
            warnings.push(format!("the RPC tag is ignored: it has {count} of {wanted} numbers"));
        }
        found
    });
    Ok(GeoRef { placement: placement(file, directory, warnings)?, keys: keys(file, directory, warnings)?, rpc })
}

fn placement(file: &TiffFile, directory: &Directory, warnings: &mut Vec<String>) -> Result<Placement> {
    let scale = directory.doubles(file, Tag::MODEL_PIXEL_SCALE)?.unwrap_or_default();
    let mut tiepoints = directory.doubles(file, Tag::MODEL_TIEPOINT)?.unwrap_or_default();
    tiepoints.truncate(tiepoints.len() / 6 * 6);
    let matrix = directory.doubles(file, Tag::MODEL_TRANSFORMATION)?.unwrap_or_default();
    // GDAL also writes and reads scales of two numbers.
    let scale = match scale[..] {
        [x, y] => Some([x, y, 0.0]),
        [x, y, z, ..] => Some([x, y, z]),
        _ => None,
    };
    if let Some(scale) = scale
        && scale[0] != 0.0
        && scale[1] != 0.0
        && let Some(&tiepoint) = tiepoints.first_chunk::<6>()
    {
        return Ok(scaled(scale, tiepoint, tiepoints, warnings));
    }
    if let Some(matrix) = matrix.first_chunk::<16>() {
        return Ok(Placement::Matrix(Box::new(*matrix)));
    }
    if scale.is_some() && tiepoints.is_empty() {
        warnings.push("there is a pixel scale but no tiepoint; the raster is read without a transform".to_owned());
    }
    if !tiepoints.is_empty() {
        return Ok(Placement::Tiepoints(tiepoints));
    }
    Ok(Placement::None)
}

/// Returns the placement of a pixel scale as GDAL reads it. GeoTIFF 1.1 (section 7.3.2) only defines positive scales,
/// and readers interpret others differently; the result is unambiguous.
fn scaled(scale: [f64; 3], tiepoint: [f64; 6], tiepoints: Vec<f64>, warnings: &mut Vec<String>) -> Placement {
    let [x, y, z] = scale;
    if y < 0.0 {
        warnings.push(format!(
            "the pixel scale of y, {y}, is negative; rows are read as going down (north up), as in GDAL"
        ));
    }
    let y = y.abs();
    if x.is_nan() || x > 0.0 {
        return Placement::ScaleAndTiepoint { scale: [x, y, z], tiepoints };
    }
    warnings.push(format!("the pixel scale of x, {x}, is negative; columns are read as going left, as in GDAL"));
    let [column, row, depth, east, north, height] = tiepoint;
    let (left, top, base) = (east - column * x, north + row * y, height - depth * z);
    Placement::Matrix(Box::new([x, 0.0, 0.0, left, 0.0, -y, 0.0, top, 0.0, 0.0, z, base, 0.0, 0.0, 0.0, 1.0]))
}

fn keys(file: &TiffFile, directory: &Directory, warnings: &mut Vec<String>) -> Result<Option<GeoKeys>> {
    let Some(numbers) = directory.integers(file, Tag::GEO_KEY_DIRECTORY)? else { return Ok(None) };
    let mut directory_numbers: Vec<u16> = numbers.iter().map(|number| u16::try_from(*number).unwrap_or(0)).collect();
    let Some(&[_, _, _, claimed]) = directory_numbers.first_chunk::<4>() else {
        warnings.push("the GeoKeyDirectory is ignored: it has no header".to_owned());
        return Ok(None);
    };
    let held = directory_numbers.len() / 4 - 1;
    let count = usize::from(claimed).min(held);
    if usize::from(claimed) > held {
        warnings.push(format!("the GeoKeyDirectory declares {claimed} keys but contains {held}; only those are read"));
    }
    directory_numbers.truncate(4 + 4 * count);
    if let (Some(number), Ok(count)) = (directory_numbers.get_mut(3), u16::try_from(count)) {
        *number = count;
    }
    let doubles = directory.doubles(file, Tag::GEO_DOUBLE_PARAMS)?.unwrap_or_default();
    let mut ascii = directory.byte_string(file, Tag::GEO_ASCII_PARAMS)?.unwrap_or_default();
    while ascii.last() == Some(&0) {
        ascii.pop();
    }
    if count == 0 {
        return Ok(None);
    }
    Ok(Some(GeoKeys { directory: directory_numbers, doubles, ascii }))
}
