//! Invariants of every overview kernel, and the cases that GDAL gets wrong.

mod support;

use cogsmith::{CogPlan, EncodeOptions, GeoRef, ImageSpec, Metadata, Resampling};
use support::raster::{Image, Level};

const SIDE: usize = 64;

fn noise(row: usize, column: usize) -> usize {
    let mixed = (row * 2_654_435_761 + column * 40_503 + 17) ^ (row * column * 97);
    (mixed >> 7) % 251
}

fn hole(row: usize, column: usize) -> bool {
    noise(row, column) < 20 || (row.abs_diff(30) < 12 && column.abs_diff(25) < 14)
}

fn nans(level: &Level<f32>) -> usize {
    level.pixels.iter().filter(|value| value.is_nan()).count()
}

#[test]
fn a_constant_stays() {
    for &resampling in Resampling::ALL {
        for (width, height) in [(64, 64), (61, 37), (1, 9), (5, 1)] {
            let name = format!("{} {width}x{height}", resampling.name());
            for value in [0u8, 1, 77, 255] {
                let levels = Image::new(width, height, |_, _| value).levels(&[resampling], 3);
                assert!(levels.iter().all(|level| level.pixels.iter().all(|&got| got == value)), "{name} {value}");
            }
            for value in [i16::MIN, -3, i16::MAX] {
                let levels = Image::new(width, height, |_, _| value).nodata(12.0).levels(&[resampling], 3);
                let want = if resampling == Resampling::Rms { value.saturating_abs() } else { value };
                assert!(levels[1..].iter().all(|level| level.pixels.iter().all(|&got| got == want)), "{name} {value}");
            }
            for value in [0.1f32, 3.4e38, 1e-30, -7.7] {
                let levels = Image::new(width, height, |_, _| value).levels(&[resampling], 3);
                let want = if resampling == Resampling::Rms { value.abs() } else { value };
                assert!(levels[1..].iter().all(|level| level.pixels.iter().all(|&got| got == want)), "{name} {value}");
            }
            for value in [0.1f64, 1e300] {
                let levels = Image::new(width, height, |_, _| value).levels(&[resampling], 3);
                let near = |got: f64| (got - value).abs() <= 4.0 * f64::EPSILON * value;
                assert!(levels.iter().all(|level| level.pixels.iter().all(|&got| near(got))), "{name} {value}");
            }
        }
    }
}

#[test]
fn a_mean_of_four_is_that_of_those_that_are_there() {
    const NODATA: f32 = -9999.0;
    let value = |row: usize, column: usize| match noise(row, column) {
        0..60 => NODATA,
        60..70 => f32::NAN,
        70..73 if row > 40 => f32::INFINITY,
        73..76 if row > 40 => f32::NEG_INFINITY,
        other => other as f32 * 0.7 - 80.0,
    };
    let level = Image::new(SIDE, SIDE, value).nodata(NODATA.into()).overview(Resampling::Average);
    for (index, got) in level.pixels.iter().enumerate() {
        let (row, column) = (index / (SIDE / 2) * 2, index % (SIDE / 2) * 2);
        let four = [(0, 0), (0, 1), (1, 0), (1, 1)].map(|(down, right)| value(row + down, column + right));
        let there: Vec<f64> = four.iter().filter(|v| **v != NODATA && !v.is_nan()).map(|v| f64::from(*v)).collect();
        let want = if there.is_empty() { NODATA } else { (there.iter().sum::<f64>() / there.len() as f64) as f32 };
        assert!(*got == want || got.is_nan() && want.is_nan(), "{four:?}: {got}, not {want}");
    }
}

#[test]
fn all_valid_stays_valid_and_all_missing_stays_missing() {
    for &resampling in Resampling::ALL {
        for (width, height) in [(64, 64), (61, 37), (3, 200)] {
            let name = format!("{} {width}x{height}", resampling.name());
            let image = Image::new(width, height, |row, column| noise(row, column) as f32);
            let masked = image.clone().mask(|_, _| true).levels(&[resampling], 4);
            assert!(masked.iter().all(|level| level.mask.iter().flatten().all(|&valid| valid)), "{name}");
            let none = image.clone().mask(|_, _| false).levels(&[resampling], 4);
            assert!(none.iter().all(|level| level.mask.iter().flatten().all(|&valid| !valid)), "{name}");
            let computed = resampling != Resampling::Nearest;
            assert!(!computed || none[1..].iter().all(|level| level.pixels.iter().all(|&got| got == 0.0)), "{name}");

            let with_value = image.nodata(-9999.0).levels(&[resampling], 4);
            assert!(with_value.iter().all(|level| level.pixels.iter().all(|&got| got != -9999.0)), "{name}");
            let nodata = Image::new(width, height, |_, _| -9999i32).nodata(-9999.0).levels(&[resampling], 4);
            assert!(nodata.iter().all(|level| level.pixels.iter().all(|&got| got == -9999)), "{name}");
            let nan = Image::new(width, height, |_, _| f32::NAN);
            assert!(nan.levels(&[resampling], 4).iter().all(|level| nans(level) == level.pixels.len()), "{name}");
            let nodata = nan.nodata(-1.0).levels(&[resampling], 4);
            let computed = &nodata[1..];
            let sampled = resampling == Resampling::Nearest;
            assert!(sampled || computed.iter().all(|level| level.pixels.iter().all(|&got| got == -1.0)), "{name}");
        }
    }
}

/// Missing pixels have values far outside the range of the valid ones: none of them may show.
#[test]
fn missing_pixels_never_show() {
    for &resampling in Resampling::ALL {
        for (width, height) in [(64, 64), (61, 57)] {
            let name = format!("{} {width}x{height}", resampling.name());
            let value = |row, column| 1000 + noise(row, column);
            // Weights below zero overshoot, but not by more than the range of the values.
            let slack = if matches!(resampling, Resampling::Cubic | Resampling::Lanczos) { 251 } else { 0 };
            let fits = |value: usize| (1000 - slack..=1251 + slack).contains(&value);

            let pixel = |row, column| if hole(row, column) { 60_000 } else { value(row, column) as u16 };
            let nodata = Image::new(width, height, pixel).nodata(60_000.0).levels(&[resampling], 4);
            let mut pixels = nodata.iter().flat_map(|level| &level.pixels);
            assert!(pixels.all(|&got| got == 60_000 || fits(got.into())), "{name}, nodata");

            let masked = Image::new(width, height, pixel).mask(|row, column| !hole(row, column));
            for level in masked.levels(&[resampling], 4) {
                let valid = level.mask.as_ref().unwrap();
                assert!(
                    level.pixels.iter().zip(valid).all(|(&got, &valid)| !valid || fits(got.into())),
                    "{name}, mask"
                );
                assert!(level.width < 30 || valid.contains(&true) && valid.contains(&false), "{name}");
            }

            let pixel = |row, column| if hole(row, column) { f32::NAN } else { value(row, column) as f32 };
            let bare = Image::new(width, height, pixel);
            for image in [bare.clone(), bare.clone().nodata(f64::NAN), bare.nodata(-1e30)] {
                for level in &image.levels(&[resampling], 4)[1..] {
                    let gone = |got: f32| got.is_nan() || got == -1e30;
                    assert!(level.pixels.iter().all(|&got| gone(got) || fits(got.round() as usize)), "{name}, NaN");
                }
            }
        }
    }
}

#[test]
fn values_stay_within_the_range_of_the_source() {
    use Resampling::{Average, Max, Median, Min, Mode, Nearest};
    for resampling in [Average, Mode, Nearest, Min, Max, Median] {
        for (width, height) in [(64, 64), (61, 57), (7, 5)] {
            let image = Image::new(width, height, |row, column| i64::MAX - noise(row, column) as i64);
            for pair in image.levels(&[resampling], 3).windows(2) {
                let (low, high) = (pair[0].pixels.iter().min().unwrap(), pair[0].pixels.iter().max().unwrap());
                let inside = pair[1].pixels.iter().all(|value| (low..=high).contains(&value));
                assert!(inside, "{}", resampling.name());
            }
        }
    }
}

#[test]
fn turning_the_image_turns_the_overview() {
    use Resampling::{Average, Bilinear, Cubic, CubicSpline, Lanczos, Max, Min, Rms};
    for resampling in [Average, Rms, Bilinear, Cubic, CubicSpline, Lanczos, Min, Max] {
        let name = resampling.name();
        let image = Image::new(SIDE, SIDE, |row, column| noise(row, column) as u8);
        for image in [image.clone(), image.clone().nodata(9.0), image.mask(|row, column| !hole(row, column))] {
            let (straight, turned) = (image.overview(resampling), image.turned().overview(resampling));
            assert!(straight.pixels.iter().eq(turned.pixels.iter().rev()), "{name}");
            assert!(straight.mask.iter().flatten().eq(turned.mask.iter().flatten().rev()), "{name}");
        }
        let image = Image::new(SIDE, SIDE, |row, column| noise(row, column) as f64 / 7.0 + 1.0);
        let (straight, turned) = (image.overview(resampling), image.turned().overview(resampling));
        let near = |a: &f64, b: &f64| (a - b).abs() <= 4.0 * f64::EPSILON * 40.0;
        assert!(straight.pixels.iter().zip(turned.pixels.iter().rev()).all(|(a, b)| near(a, b)), "{name}");
    }
}

#[test]
fn small_windows_are_as_one_would_compute_them() {
    let image = Image::new(2, 2, |row, column| [[1u8, 2], [2, 9]][row][column]);
    for (resampling, want) in [
        (Resampling::Nearest, 1),
        (Resampling::Average, 4),
        (Resampling::Rms, 5),
        (Resampling::Mode, 2),
        (Resampling::Min, 1),
        (Resampling::Max, 9),
        (Resampling::Median, 2),
        // (1 * 1 + 2 * 2 + 2 * 2 + 9 * 4) / 9: the weights that lie within the image.
        (Resampling::Gauss, 5),
    ] {
        assert_eq!(image.overview(resampling).pixels, [want], "{}", resampling.name());
    }
    // Of an even count of valid values the lower one of the middle, which is a value of the source.
    assert_eq!(image.nodata(9.0).overview(Resampling::Median).pixels, [2]);
    let image = Image::new(2, 2, |row, column| [[1u8, 4], [2, 9]][row][column]);
    assert_eq!(image.overview(Resampling::Median).pixels, [2]);
    // A mean that happens to be nodata moves by one, also where it only becomes nodata by rounding.
    let image = Image::new(2, 2, |row, column| [[4i16, 6], [5, 6]][row][column]);
    assert_eq!(image.nodata(5.0).overview(Resampling::Average).pixels, [6]);
}

#[test]
fn every_band_has_the_kernel_it_was_given() {
    use Resampling::{Cubic, Max, Mode, Nearest};
    let bands = [Cubic, Mode, Mode, Max, Nearest];
    let pixel = |row: usize, column: usize, band: usize| (noise(row + 3 * band, column) / 9) as u16;
    let mut image = Image::new(61, 57, |_, _| 0u16);
    let places = (0..57).flat_map(|row| (0..61).map(move |column| (row, column)));
    image.pixels = places.flat_map(|(row, column)| (0..5).map(move |band| pixel(row, column, band))).collect();
    image.bands = 5;
    let together = image.levels(&bands, 3);
    for (band, resampling) in bands.into_iter().enumerate() {
        let alone = Image::new(61, 57, |row, column| pixel(row, column, band)).levels(&[resampling], 3);
        for (together, alone) in together.iter().zip(&alone) {
            assert!(together.pixels.iter().skip(band).step_by(5).eq(&alone.pixels), "band {band}");
        }
    }
}

#[test]
fn kernels_that_do_not_go_together_are_refused() {
    let mut spec = ImageSpec::new(600, 600, 2, cogsmith::DataType::U8);
    let refused = |spec: &ImageSpec, resampling: Option<Resampling>, bands: &[Resampling]| {
        let options = EncodeOptions::new().resampling(resampling).band_resampling(bands.to_vec());
        CogPlan::new(spec, &GeoRef::default(), &Metadata::default(), &options).err().map(|error| error.to_string())
    };
    use Resampling::{Average, Cubic, Mode};
    assert_eq!(refused(&spec, None, &[Cubic, Mode]), None);
    assert!(refused(&spec, None, &[Cubic]).unwrap().contains("1 for 2 bands"));
    assert!(refused(&spec, Some(Mode), &[Cubic, Mode]).unwrap().contains("contradict"));
    spec.mask = true;
    assert_eq!(refused(&spec, None, &[Average, Mode]), None);
    assert!(refused(&spec, None, &[Cubic, Mode]).unwrap().contains("different masks"));
    spec = ImageSpec::new(600, 600, 1, cogsmith::DataType::CF32);
    assert_eq!(refused(&spec, Some(Average), &[]), None);
    assert!(refused(&spec, Some(Cubic), &[]).unwrap().contains("not defined"));
}

/// Cases that GDAL 3.10 and 3.12 get wrong, with the right answers.
mod as_it_should_be {
    use super::*;

    fn with_nan(resampling: Resampling, nan: impl Fn(usize, usize) -> bool) -> Vec<Level<f32>> {
        let pixel = |row, column| if nan(row, column) { f32::NAN } else { noise(row, column) as f32 };
        Image::new(SIDE, SIDE, pixel).nodata(f64::NAN).levels(&[resampling], 2)
    }

    #[test]
    fn one_nan_stays_one_nan_at_most() {
        for &resampling in Resampling::ALL {
            let levels = with_nan(resampling, |row, column| (row, column) == (31, 33));
            assert_eq!(levels[1..].iter().map(nans).sum::<usize>(), 0, "{}", resampling.name());
        }
    }

    #[test]
    fn a_hole_does_not_grow() {
        for &resampling in Resampling::ALL {
            let in_hole = |row: usize, column: usize| (12..32).contains(&row) && (20..44).contains(&column);
            let level = &with_nan(resampling, in_hole)[1];
            assert!(nans(level) > 0, "{}", resampling.name());
            for (index, value) in level.pixels.iter().enumerate() {
                let (row, column) = (index / level.width * 2, index % level.width * 2);
                assert!(!value.is_nan() || in_hole(row, column), "{} {row} {column}", resampling.name());
            }
        }
    }

    #[test]
    fn the_mode_of_nothing_is_nothing() {
        let levels = with_nan(Resampling::Mode, |row, _| row < 32);
        assert_eq!(levels[1..].iter().map(nans).collect::<Vec<_>>(), [512, 128]);
        let negative = Image::new(4, 4, |row, _| if row < 2 { -9999i16 } else { 3 }).nodata(-9999.0);
        assert_eq!(negative.overview(Resampling::Mode).pixels, [-9999, -9999, 3, 3]);
        let image = Image::new(2, 2, |row, _| if row == 0 { f32::NAN } else { 1.0 });
        assert_eq!(image.overview(Resampling::Mode).pixels, [1.0]);
    }

    #[test]
    fn a_mask_decides_alone_and_values_keep_off_nodata() {
        // All pixels are valid by the mask; half of them equal nodata.
        let pixel = |row: usize, column: usize| if (row + column).is_multiple_of(2) { 4u8 } else { 6 };
        for &resampling in Resampling::ALL {
            let name = resampling.name();
            let image = Image::new(SIDE, SIDE, pixel).nodata(4.0);
            let level = image.clone().mask(|_, _| true).overview(resampling);
            let bare = Image::new(SIDE, SIDE, pixel).mask(|_, _| true).overview(resampling);
            assert_eq!(level.pixels, bare.pixels, "{name}");
            // A mean of 5 that is nodata moves, and nothing is lost; a pixel that is picked stays what it is.
            let level = image.nodata(5.0).mask(|_, _| true).overview(resampling);
            let moved = bare.pixels.iter().map(|&value| if value == 5 { 6 } else { value });
            assert!(level.pixels.iter().copied().eq(moved), "{name}");
            assert!(level.mask.iter().flatten().all(|&valid| valid), "{name}");
        }
        let nan = Image::new(2, 2, |row, _| if row == 0 { f32::NAN } else { 3.0 }).nodata(3.0).mask(|_, _| true);
        let values = nan.overview(Resampling::Average).pixels;
        assert_eq!(values, [2.999_998_6], "NaN is never valid, and the mean is not nodata");
    }

    #[test]
    fn nodata_is_equal_within_the_tolerance_of_gdal() {
        // Esri's text for the smallest number of single precision is two steps off.
        let pixel = |row: usize, column: usize| if row < 32 { f32::MIN } else { (row + column) as f32 };
        let void = -3.402_823e38f32;
        for resampling in Resampling::ALL.iter().copied().filter(|&resampling| resampling != Resampling::Nearest) {
            let level = Image::new(SIDE, SIDE, pixel).nodata(-3.402823e38).overview(resampling);
            assert!(level.pixels.iter().all(|&value| value == void || value >= 0.0), "{}", resampling.name());
            assert!(level.pixels.contains(&void), "{}", resampling.name());
        }
        // A mean that equals nodata moves to the nearest value that does not: the tolerance is smaller towards zero.
        let near =
            |value: f64| Image::new(2, 2, |_, _| value).mask(|_, _| true).nodata(1000.0).overview(Resampling::Average);
        let [below, middle, above] = [999.9999, 1000.0, 1000.0001].map(|value| near(value).pixels[0]);
        assert!(below < 1000.0 - 4.7e-4 && above > 1000.0 + 4.7e-4 && middle == below, "{below} {middle} {above}");
        let equal = |value: f64| (value - 1000.0).abs() < f64::from(f32::EPSILON) * (value + 1000.0) * 2.0;
        assert!(!equal(below) && equal(below.next_up()) && !equal(above) && equal(above.next_down()));
        let largest = Image::new(2, 2, |_, _| f32::INFINITY).mask(|_, _| true).nodata(f64::INFINITY);
        assert_eq!(largest.overview(Resampling::Average).pixels, [f32::MAX]);
    }

    #[test]
    fn the_mode_looks_at_the_mask() {
        let image = Image::new(2, 2, |row, column| if (row, column) == (1, 1) { 3u8 } else { 9 });
        let level = image.mask(|row, column| (row, column) == (1, 1)).overview(Resampling::Mode);
        assert_eq!((level.pixels, level.mask), (vec![3], Some(vec![true])));
    }

    #[test]
    fn finite_nodata_does_not_mix_with_values() {
        for &resampling in Resampling::ALL {
            let pixel = |row: usize, _| if row < 32 { -9999.0f32 } else { 5.0 };
            let level = Image::new(SIDE, SIDE, pixel).nodata(-9999.0).overview(resampling);
            assert!(level.pixels.iter().all(|value| [-9999.0, 5.0].contains(value)), "{}", resampling.name());
            let valid = level.pixels.iter().filter(|&&value| value == 5.0).count();
            // Wide kernels without negative weights reach over the edge.
            let rows_gained = match resampling {
                Resampling::Bilinear => 1,
                Resampling::CubicSpline => 2,
                Resampling::Gauss => 1,
                _ => 0,
            };
            assert_eq!(valid, (16 + rows_gained) * 32, "{}", resampling.name());
        }
    }
}
