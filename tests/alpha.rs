//! Alpha in overviews: transparent pixels never show, half-transparent ones count by half, and nothing leaves seams.

mod support;

use cogsmith::ExtraSample::{AssociatedAlpha, UnassociatedAlpha};
use cogsmith::{
    CogPlan, Compression, DataType, EncodeOptions, ExtraSample, GeoRef, ImageSpec, Metadata, Overviews, Photometric,
    Resampling, SliceSource, TileSize,
};
use support::raster::{Image, Level};

const SIZES: [(usize, usize); 4] = [(64, 64), (61, 57), (7, 5), (1, 9)];

fn noise(row: usize, column: usize) -> usize {
    let mixed = (row * 2_654_435_761 + column * 40_503 + 17) ^ (row * column * 97);
    (mixed >> 7) % 251
}

fn hole(row: usize, column: usize) -> bool {
    noise(row, column) < 40 || (row.abs_diff(30) < 12 && column.abs_diff(25) < 14)
}

/// Two bands of color and one of alpha.
fn image(
    (width, height): (usize, usize),
    kind: ExtraSample,
    alpha: impl Fn(usize, usize) -> u8,
    color: impl Fn(usize, usize, u8) -> [u8; 2],
) -> Image<u8> {
    let mut image = Image::new(width, height, |_, _| 0);
    let places = (0..height).flat_map(|row| (0..width).map(move |column| (row, column)));
    image.pixels = places
        .flat_map(|(row, column)| {
            let alpha = alpha(row, column);
            let [first, second] = color(row, column, alpha);
            [first, second, alpha]
        })
        .collect();
    image.bands = 3;
    image.alpha = Some(kind);
    image
}

fn pixels(level: &Level<u8>) -> impl Iterator<Item = [u8; 3]> + '_ {
    level.pixels.chunks_exact(3).map(|pixel| [pixel[0], pixel[1], pixel[2]])
}

fn shades(row: usize, column: usize) -> u8 {
    if hole(row, column) { 0 } else { (noise(column, row) % 255 + 1) as u8 }
}

#[test]
fn what_is_transparent_never_shows() {
    let by = |unseen: u8, kind, alpha: fn(usize, usize) -> u8, size| {
        image(
            size,
            kind,
            alpha,
            move |row, column, alpha| {
                if alpha == 0 { [unseen, 255 - unseen] } else { [noise(row, column) as u8, 9] }
            },
        )
    };
    for resampling in Resampling::ALL.iter().copied().filter(|resampling| *resampling != Resampling::Nearest) {
        for (kind, size) in [UnassociatedAlpha, AssociatedAlpha].into_iter().flat_map(|kind| SIZES.map(|s| (kind, s))) {
            for alpha in [shades, |row, column| if hole(row, column) { 0 } else { 255 }] {
                let levels = [3, 250].map(|unseen| by(unseen, kind, alpha, size).levels(&[resampling], 4));
                assert!(levels[0][1..] == levels[1][1..], "{} {size:?}", resampling.name());
            }
        }
    }
}

#[test]
fn an_area_without_anything_is_transparent_and_black_and_others_are_not() {
    let alpha = |row: usize, _| if row < 32 { 0 } else { 200 };
    for resampling in Resampling::ALL.iter().copied().filter(|resampling| *resampling != Resampling::Nearest) {
        for kind in [UnassociatedAlpha, AssociatedAlpha] {
            let levels = image((64, 64), kind, alpha, |_, _, _| [77, 77]).levels(&[resampling], 2);
            let rows: Vec<_> = pixels(&levels[1]).collect();
            // Two rows of an overview are more than any kernel without negative weights reaches over the edge.
            assert!(rows[..14 * 32].iter().all(|pixel| *pixel == [0, 0, 0]), "{}", resampling.name());
            assert!(rows[16 * 32..].iter().all(|pixel| *pixel == [77, 77, 200]), "{}", resampling.name());
        }
    }
}

#[test]
fn one_color_stays_one_color_under_any_alpha() {
    use Resampling::{Average, Bilinear, Cubic, CubicSpline, Gauss, Lanczos, Rms};
    for resampling in [Average, Rms, Gauss, Bilinear, Cubic, CubicSpline, Lanczos] {
        for size in SIZES {
            let straight =
                image(size, UnassociatedAlpha, shades, |_, _, alpha| if alpha == 0 { [0, 255] } else { [201, 13] });
            for level in &straight.levels(&[resampling], 4)[1..] {
                let fits = |[first, second, alpha]: [u8; 3]| alpha == 0 || (first, second) == (201, 13);
                assert!(pixels(level).all(fits), "{} {size:?}", resampling.name());
            }
        }
    }
    // Premultiplied colors stay premultiplied, except for rounding.
    for resampling in [Average, Gauss, Bilinear, CubicSpline] {
        for size in SIZES {
            let times = |alpha: u8| ((u32::from(alpha) * 2 + 1) / 3) as u8;
            let multiplied = image(size, AssociatedAlpha, shades, |_, _, alpha| [times(alpha), alpha]);
            for (step, level) in multiplied.levels(&[resampling], 4)[1..].iter().enumerate() {
                let fits = |[first, second, alpha]: [u8; 3]| {
                    usize::from(first.abs_diff(times(alpha))) <= step + 1 && second == alpha
                };
                assert!(pixels(level).all(fits), "{} {size:?}", resampling.name());
            }
        }
    }
}

#[test]
fn colors_count_by_their_alpha() {
    // Red 10 a quarter opaque, 200 fully: (10 * 50 + 200 * 200) / 250 = 162; alpha is the mean of what is there.
    let alpha = [[50, 200], [0, 0]];
    let color = [[10, 200], [99, 99]];
    let image = image((2, 2), UnassociatedAlpha, |r, c| alpha[r][c], |r, c, _| [color[r][c]; 2]);
    assert_eq!(image.levels(&[Resampling::Average], 1)[1].pixels, [162, 162, 125]);
    // The square root of (100 * 50 + 40000 * 200) / 250.
    assert_eq!(image.levels(&[Resampling::Rms], 1)[1].pixels[0], 179);
    // What is picked is not weighed.
    assert_eq!(image.levels(&[Resampling::Min], 1)[1].pixels, [10, 10, 50]);
    assert_eq!(image.levels(&[Resampling::Max], 1)[1].pixels, [200, 200, 200]);
}

#[test]
fn alpha_that_is_there_does_not_vanish_by_rounding() {
    // A hundredth of alpha 1, by the wide kernel of a large factor; cubic would even go below zero.
    let alpha = |row: usize, column: usize| if (row, column) == (20, 20) { 255 } else { 1 };
    for resampling in [Resampling::Average, Resampling::Cubic, Resampling::Lanczos] {
        let image = image((64, 64), UnassociatedAlpha, alpha, |row, column, _| [noise(row, column) as u8; 2]);
        for level in image.levels(&[resampling], 4) {
            assert!(pixels(&level).all(|pixel| pixel[2] > 0), "{}", resampling.name());
        }
    }
}

fn rgba(width: u32, height: u32) -> ImageSpec {
    ImageSpec::new(width, height, 4, DataType::U8).photometric(Photometric::Rgb).extra_samples([UnassociatedAlpha])
}

#[test]
fn alpha_is_never_guessed() {
    for &data_type in DataType::ALL {
        for bands in 1..6 {
            let spec = ImageSpec::new(5, 4, bands, data_type);
            assert!(spec.extra_samples.is_empty());
            let is_rgb = bands == 3 && data_type == DataType::U8;
            assert_eq!(spec.photometric, if is_rgb { Photometric::Rgb } else { Photometric::MinIsBlack });
        }
    }
}

#[test]
fn a_tag_for_readers_alone_does_not_weigh() {
    let (width, height) = (64, 64);
    let pixels: Vec<u8> = (0..width * height * 4).map(|index| (noise(index as usize, 3) % 256) as u8).collect();
    let file = |spec: &ImageSpec| {
        let options = EncodeOptions::new()
            .overviews(Overviews::Count(1))
            .resampling(Resampling::Average)
            .tile_size(TileSize::square(32))
            .compression(Compression::None);
        let plan = CogPlan::new(spec, &GeoRef::default(), &Metadata::default(), &options).unwrap();
        // As a worker on another machine has it.
        let plan = CogPlan::from_bytes(&plan.to_bytes()).unwrap();
        cogsmith::encode_to_vec(&mut SliceSource::new(spec.clone(), &pixels).unwrap(), &plan).unwrap()
    };
    let tagged = rgba(width, height);
    let [weighs, shown, none] =
        [tagged.clone(), tagged.clone().alpha_weighs(false), tagged.extra_samples(Vec::new())].map(|spec| file(&spec));
    assert_eq!(shown.len(), weighs.len());
    let overview = 32 * 32 * 4;
    let first_tile = |file: &[u8]| file[file.len() - pixels.len() - 4 * 8 - overview - 4..][..overview].to_vec();
    assert_eq!(first_tile(&shown), first_tile(&none), "the same means");
    assert_ne!(first_tile(&shown), first_tile(&weighs));
    let header = |file: &[u8]| file[..file.len() - pixels.len() - 4 * 8 - overview - 8].to_vec();
    assert_eq!(header(&shown), header(&weighs), "the same tags");
    assert_ne!(header(&shown), header(&none));
}

#[test]
fn padding_is_transparent_for_readers() {
    let (width, height) = (20, 17);
    let pixels = vec![255u8; width as usize * height as usize * 4];
    let spec = rgba(width, height).alpha_weighs(false);
    let options =
        EncodeOptions::new().overviews(Overviews::None).tile_size(TileSize::square(32)).compression(Compression::None);
    let plan = CogPlan::new(&spec, &GeoRef::default(), &Metadata::default(), &options).unwrap();
    let file = cogsmith::encode_to_vec(&mut SliceSource::new(spec, &pixels).unwrap(), &plan).unwrap();
    let tile = &file[file.len() - 4 - 32 * 32 * 4..file.len() - 4];
    for (index, pixel) in tile.chunks_exact(4).enumerate() {
        let inside = index % 32 < width as usize && index / 32 < height as usize;
        assert_eq!(pixel[3], if inside { 255 } else { 0 }, "pixel {index}");
    }
}

#[test]
fn kernels_beside_alpha_share_one_rule_of_validity() {
    let spec = rgba(600, 600);
    let plan = |bands: [Resampling; 4]| {
        let options = EncodeOptions::new().band_resampling(bands.to_vec());
        CogPlan::new(&spec, &GeoRef::default(), &Metadata::default(), &options).map(drop)
    };
    use Resampling::{Average, Cubic, Mode};
    assert!(plan([Average, Average, Mode, Average]).is_ok());
    let error = plan([Cubic, Cubic, Cubic, Average]).unwrap_err().to_string();
    assert!(error.contains("alpha"), "{error}");
}
