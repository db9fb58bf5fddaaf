//! Every byte of the layout, seen by a parser that shares no code with the writer.

mod support;

use cogsmith::Overviews;
use cogsmith::{BigTiff, Compression, DataType, EncodeOptions, Executor, ImageSpec, Interleave, TileSize};
use support::images::encode;
use support::parse::Tiff;

fn spec(width: u32, height: u32, bands: u16, mask: bool) -> ImageSpec {
    ImageSpec::new(width, height, bands, DataType::U16).mask(mask)
}

#[test]
fn every_tile_of_every_level_is_where_it_should_be() {
    let sizes = [(1, 1), (1, 700), (700, 1), (127, 129), (128, 128), (257, 131), (509, 503)];
    let codecs = [Compression::None, Compression::Lzw, Compression::DEFLATE, Compression::ZSTD];
    for (width, height) in sizes {
        for (case, interleave) in [Interleave::Pixel, Interleave::Band, Interleave::Tile].into_iter().enumerate() {
            for (bands, mask) in [(1, false), (1, true), (3, false), (3, true)] {
                for big_tiff in [BigTiff::Auto, BigTiff::Yes] {
                    let compression = codecs[(case + usize::from(bands) + usize::from(mask)) % codecs.len()];
                    let options = EncodeOptions::new()
                        .tile_size(TileSize { width: 64, height: 48 })
                        .interleave(interleave)
                        .compression(compression)
                        .big_tiff(big_tiff);
                    let bytes = encode(&spec(width, height, bands, mask), &options, &Executor::serial());
                    let tiff = Tiff::parse(&bytes);
                    assert_eq!(tiff.big, big_tiff == BigTiff::Yes);
                    tiff.check_layout();
                }
            }
        }
    }
}

#[test]
fn overviews_may_have_tiles_of_their_own_size() {
    let options = EncodeOptions::new()
        .tile_size(TileSize::square(256))
        .overview_tile_size(TileSize::square(64))
        .overviews(Overviews::Factors(vec![2, 3, 16]));
    let bytes = encode(&spec(601, 401, 1, true), &options, &Executor::serial());
    let tiff = Tiff::parse(&bytes);
    tiff.check_layout();
    let images = tiff.ifds.iter().filter(|ifd| !ifd.is_mask());
    let sizes: Vec<_> = images.map(|ifd| [256, 257, 322, 323].map(|tag| ifd.number(tag))).collect();
    assert_eq!(sizes, [[601, 401, 256, 256], [301, 201, 64, 64], [201, 134, 64, 64], [38, 26, 64, 64]]);
}

#[test]
fn the_header_is_that_of_gdal() {
    // 1300x1100 u16, DEFLATE, predictor 2, 512-pixel tiles: the offsets that GDAL gives directories and arrays.
    let bytes = encode(&spec(1300, 1100, 1, false), &EncodeOptions::default(), &Executor::serial());
    assert_eq!(&bytes[..16], b"II\x2A\0\xC0\0\0\0GDAL_STR");
    let tiff = Tiff::parse(&bytes);
    let tags: Vec<_> = tiff.ifds[1].tags.keys().copied().collect();
    assert_eq!(tags, [254, 256, 257, 258, 259, 262, 277, 284, 317, 322, 323, 324, 325, 339]);
    assert_eq!(tiff.ifds[0].number(317), 2);
    assert_eq!(tiff.ifds[0].tags[&324].field_type, 4);
    assert!(!tiff.ifds[0].tags.contains_key(&254));
}

#[test]
fn many_bands_are_no_limit() {
    for (interleave, bands) in [(Interleave::Pixel, u16::MAX), (Interleave::Band, 4099), (Interleave::Tile, 4099)] {
        let image = ImageSpec::new(20, 17, bands, DataType::U8);
        let options =
            EncodeOptions::new().interleave(interleave).tile_size(TileSize::square(16)).compression(Compression::Lzw);
        let bytes = encode(&image, &options, &Executor::serial());
        Tiff::parse(&bytes).check_layout();
    }
}
