use super::*;
use crate::sample::Nodata;
use crate::spec::ExtraSample;

fn of<T: bytemuck::Pod>(spec: &ImageSpec, samples: &[T], mask: Option<&[u8]>) -> Vec<BandStatistics> {
    let pixels = MeasuredPixels { planes: vec![bytemuck::cast_slice(samples)], mask };
    let mut sums = no_sums(spec);
    measure(spec, &pixels, &mut sums);
    sums.iter().map(BandSums::statistics).collect()
}

fn texts(statistics: &BandStatistics) -> Vec<String> {
    statistics.items().into_iter().map(|(_, text)| text).collect()
}

#[test]
fn integers_are_exact_to_the_last_digit() {
    let spec = ImageSpec::new(3, 1, 1, DataType::U64);
    let statistics = of(&spec, &[u64::MAX, u64::MAX - 1, u64::MAX - 2], None)[0];
    let expected = ["18446744073709551615", "18446744073709552000", "18446744073709551613", "0.816496580927726", "100"];
    assert_eq!(texts(&statistics)[0], expected[0]);
    assert_eq!(texts(&statistics)[2..], expected[2..]);
    assert_eq!(statistics.mean, 18_446_744_073_709_551_614f64);
    let spec = ImageSpec::new(2, 1, 1, DataType::I64);
    let statistics = of(&spec, &[i64::MIN, i64::MIN], None)[0];
    assert_eq!((statistics.mean, statistics.standard_deviation), (-(2f64.powi(63)), 0.0));
}

#[test]
fn what_is_missing_does_not_count() {
    let spec = ImageSpec { nodata: Some(Nodata::from(5i64)), ..ImageSpec::new(4, 1, 1, DataType::I16) };
    let statistics = of(&spec, &[-1i16, 5, 5, 3], None)[0];
    assert_eq!((statistics.minimum, statistics.maximum, statistics.mean), (-1.0, 3.0, 1.0));
    assert_eq!((statistics.standard_deviation, statistics.valid_percent), (2.0, 50.0));
    let spec = ImageSpec::new(4, 1, 1, DataType::I16);
    let statistics = of(&spec, &[-1i16, 5, 9, 3], Some(&[1, 0, 0, 255]))[0];
    assert_eq!((statistics.minimum, statistics.maximum, statistics.valid_percent), (-1.0, 3.0, 50.0));
    let extra_samples = vec![ExtraSample::Unspecified, ExtraSample::Unspecified, ExtraSample::UnassociatedAlpha];
    let mut spec = ImageSpec { extra_samples, ..ImageSpec::new(2, 1, 4, DataType::U8) };
    let statistics = of(&spec, &[1u8, 2, 3, 0, 4, 5, 6, 200], None);
    assert_eq!((statistics[0].minimum, statistics[0].valid_percent), (4.0, 50.0));
    assert_eq!((statistics[3].minimum, statistics[3].valid_percent), (0.0, 100.0), "alpha counts where it is 0");
    spec.alpha_weighs = false;
    let statistics = of(&spec, &[1u8, 2, 3, 0, 4, 5, 6, 200], None);
    assert_eq!((statistics[0].minimum, statistics[0].valid_percent), (1.0, 100.0), "a tag for readers alone");
    let spec = ImageSpec::new(3, 1, 1, DataType::F32);
    let statistics = of(&spec, &[f32::NAN, 1.0, f32::INFINITY], None)[0];
    assert_eq!((statistics.maximum, statistics.mean), (f64::INFINITY, f64::INFINITY));
    assert!(statistics.standard_deviation.is_nan());
    assert_eq!(texts(&statistics)[..2], ["inf", "inf"]);
    assert_eq!(texts(&of(&spec, &[f32::NAN; 3], None)[0]), ["0"]);
}

#[test]
fn nodata_goes_before_masks_and_masks_before_alpha() {
    fn valid<T: bytemuck::Pod>(spec: &ImageSpec, nodata: Option<i64>, samples: &[T], mask: Option<&[u8]>) -> Vec<f64> {
        let spec = ImageSpec { nodata: nodata.map(Nodata::from), ..spec.clone() };
        of(&spec, samples, mask).iter().map(|band| band.valid_percent).collect()
    }
    // Counts of GDAL 3.13, checked by tests/judges/nodata.py.
    let mask: Option<&[u8]> = Some(&[0, 1, 1, 1]);
    let spec = ImageSpec::new(4, 1, 1, DataType::I16);
    assert_eq!(valid(&spec, Some(5), &[1i16, 2, 5, 5], mask), [50.0]);
    let spec = ImageSpec::new(4, 1, 1, DataType::F64);
    assert_eq!(valid(&spec, Some(5), &[1.0, 2.0, 5.0, f64::NAN], mask), [50.0]);
    let spec = ImageSpec::new(4, 1, 1, DataType::F32);
    assert_eq!(valid(&spec, Some(5), &[1f32, 2.0, 5.000_001, 5.0], mask), [25.0]);
    let extra_samples = vec![ExtraSample::Unspecified, ExtraSample::Unspecified, ExtraSample::UnassociatedAlpha];
    let rgba = ImageSpec { extra_samples, ..ImageSpec::new(4, 1, 4, DataType::U8) };
    let samples = [[1u8, 2, 3, 0], [1, 2, 5, 9], [1, 5, 5, 9], [1, 2, 3, 9]].concat();
    assert_eq!(valid(&rgba, None, &samples, None), [75.0, 75.0, 75.0, 100.0]);
    assert_eq!(valid(&rgba, None, &samples, Some(&[1, 1, 0, 0])), [50.0, 50.0, 50.0, 100.0]);
    assert_eq!(valid(&rgba, Some(5), &samples, Some(&[1, 0, 0, 0])), [100.0, 75.0, 50.0, 100.0]);
}

#[test]
fn pieces_add_up_to_the_whole() {
    let spec = ImageSpec::new(5, 1, 1, DataType::F64);
    let values = [1e300, -1e300, 1e-300, 3.0, -0.1];
    let mut sums = BandSums::new(DataType::F64);
    for value in values.iter().rev() {
        let pixels = MeasuredPixels { planes: vec![bytemuck::bytes_of(value)], mask: None };
        let mut more = no_sums(&spec);
        measure(&spec, &pixels, &mut more);
        more.into_iter().for_each(|more| sums.merge(more));
    }
    assert_eq!(sums.statistics(), of(&spec, &values, None)[0]);
    assert_eq!(sums.statistics().mean, 2.9 / 5.0);
}

#[test]
fn no_text_is_longer_than_the_room_kept_for_it() {
    for (_, text) in BandStatistics::LONGEST.items() {
        assert_eq!(text.len(), 24);
    }
    for value in [f64::MIN, -f64::MIN_POSITIVE, -1.234_567_890_123_456_7e-5, -12_345_678_901_234_567.0, f64::NAN] {
        assert!(shortest(value).len() <= 24);
        assert!(value.is_nan() || shortest(value).parse::<f64>() == Ok(value));
    }
    assert_eq!(i128::from(i64::MIN).to_string().len(), 20);
}
