//! Predictors: a tile is decoded by other means, the prediction undone plainly, and the samples are those of the image.

use std::io::Read;

use cogsmith::{
    CogPlan, Compression, DataType, EncodeOptions, GeoRef, ImageSpec, Metadata, Overviews, Predictor, TileSize,
};

use super::Choices;
use super::image::Image;
use super::parse::Tiff;

pub fn run(data: &[u8]) {
    let choices = &mut Choices::new(data);
    let data_type = choices.pick(&DataType::ALL[..11]);
    let bands = 1 + choices.below(6) as u16;
    let tile_size = TileSize { width: 16 * (1 + choices.below(5) as u32), height: 16 };
    let spec = ImageSpec::new(1 + choices.below(100) as u32, 1 + choices.below(20) as u32, bands, data_type);
    let options = EncodeOptions::new()
        .compression(Compression::Deflate { level: 1 + choices.byte() % 9 })
        .predictor(choices.pick(&[Predictor::Horizontal, Predictor::FloatingPoint, Predictor::Auto]))
        .tile_size(tile_size)
        .overviews(Overviews::None);
    let Ok(plan) = CogPlan::new(&spec, &GeoRef::default(), &Metadata::default(), &options) else { return };
    let mut image = Image::new(spec, choices);
    let file = image.encode(&plan, 1);
    let tiff = Tiff::parse(&file);
    let ifd = &tiff.ifds[0];
    let (offsets, sizes) = (ifd.numbers(324), ifd.numbers(325));
    let predictor = ifd.number(317);
    let size = data_type.size();
    let (pixel, samples) = (size * usize::from(bands), usize::from(bands));
    let (width, height) = (image.spec.width as usize, image.spec.height as usize);
    let (columns, rows) = (tile_size.width as usize, tile_size.height as usize);
    for (index, (&offset, &length)) in offsets.iter().zip(&sizes).enumerate() {
        let across = width.div_ceil(columns);
        let (left, top) = (index % across * columns, index / across * rows);
        let mut tile = Vec::new();
        let payload = &file[offset as usize..][..length as usize];
        flate2::read::ZlibDecoder::new(payload).read_to_end(&mut tile).expect("zlib-rs inflates");
        assert_eq!(tile.len(), columns * rows * pixel);
        for (row, bytes) in tile.chunks_mut(columns * pixel).enumerate().take(height.saturating_sub(top)) {
            let bytes = match predictor {
                1 => bytes.to_vec(),
                2 => horizontal(bytes, samples, size),
                3 => floating(bytes, samples, size),
                other => panic!("predictor {other}"),
            };
            let count = columns.min(width - left) * pixel;
            let mut expected = image.pixels[((top + row) * width + left) * pixel..][..count].to_vec();
            if cfg!(target_endian = "big") {
                expected.chunks_mut(size).for_each(<[u8]>::reverse);
            }
            assert!(bytes[..count] == expected, "{data_type}, predictor {predictor}, row {row} of tile {index}");
        }
    }
}

/// TIFF 6.0 section 14: sums, in little-endian samples.
fn horizontal(row: &[u8], samples: usize, size: usize) -> Vec<u8> {
    let mut out = row.to_vec();
    for at in samples * size..row.len() {
        // A carry goes from byte to byte of a sample.
        if at % size == 0 {
            let mut carry = 0;
            for byte in at..at + size {
                let sum = u16::from(out[byte]) + u16::from(out[byte - samples * size]) + carry;
                out[byte] = sum as u8;
                carry = sum >> 8;
            }
        }
    }
    out
}

/// Adobe Photoshop TIFF Technical Note 3: sums of bytes, then planes of bytes, the most significant first.
fn floating(row: &[u8], samples: usize, size: usize) -> Vec<u8> {
    let mut sums = row.to_vec();
    for at in samples..row.len() {
        sums[at] = sums[at].wrapping_add(sums[at - samples]);
    }
    let count = row.len() / size;
    (0..row.len()).map(|at| sums[(size - 1 - at % size) * count + at / size]).collect()
}
