//! Tiles of a raster after the predictor, written plainly and apart from the library's own.

use crate::made::Raster;

const SIDE: usize = 512;

/// A tile as the encoder gets it.
pub struct Tile {
    pub bytes: Vec<u8>,
    pub row_bytes: usize,
}

/// Cuts a raster into tiles of at most 512 x 512 pixels and predicts them.
pub fn tiles(raster: &Raster, predictor: u8) -> Vec<Tile> {
    let pixel = raster.samples * raster.sample_size;
    let mut tiles = Vec::new();
    for top in (0..raster.rows).step_by(SIDE) {
        for left in (0..raster.columns).step_by(SIDE) {
            let (height, width) = (SIDE.min(raster.rows - top), SIDE.min(raster.columns - left));
            // What is left at the edges is a part of a tile elsewhere: only whole tiles and whole small rasters count.
            if (height < SIDE && raster.rows > SIDE) || (width < SIDE && raster.columns > SIDE) {
                continue;
            }
            let mut bytes = Vec::with_capacity(width * height * pixel);
            for row in top..top + height {
                let start = (row * raster.columns + left) * pixel;
                let row = &raster.bytes[start..start + width * pixel];
                match predictor {
                    1 => bytes.extend_from_slice(row),
                    2 => difference(row, raster.samples, raster.sample_size, &mut bytes),
                    3 => planes(row, raster.samples, raster.sample_size, &mut bytes),
                    _ => panic!("predictor {predictor}"),
                }
            }
            tiles.push(Tile { bytes, row_bytes: width * pixel });
        }
    }
    tiles
}

fn difference(row: &[u8], samples: usize, size: usize, out: &mut Vec<u8>) {
    let value = |index: usize| {
        let mut wide = [0; 8];
        wide[..size].copy_from_slice(&row[index * size..][..size]);
        u64::from_le_bytes(wide)
    };
    for index in 0..row.len() / size {
        let left = if index >= samples { value(index - samples) } else { 0 };
        out.extend(&value(index).wrapping_sub(left).to_le_bytes()[..size]);
    }
}

fn planes(row: &[u8], samples: usize, size: usize, out: &mut Vec<u8>) {
    let start = out.len();
    for byte in (0..size).rev() {
        out.extend(row.iter().skip(byte).step_by(size));
    }
    for index in (start + samples..out.len()).rev() {
        out[index] = out[index].wrapping_sub(out[index - samples]);
    }
}
