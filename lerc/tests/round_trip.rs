//! Every image decodes to samples within the bound.

mod support {
    pub mod rasters;
    pub mod round_trip;
}

use cogsmith_lerc::{Encoder, Error, Image, MAX_BYTES};
use support::rasters::{KINDS, Value, cases};
use support::round_trip::check;

/// Checks all images of a type.
fn check_all<T>()
where
    T: Value + lerc::Sample + Into<f64> + std::fmt::Display,
{
    let encoder = &mut Encoder::new();
    for case in KINDS.into_iter().flat_map(cases) {
        let samples: Vec<T> = case.samples();
        let image = Image { width: case.width, height: case.height, bands: case.bands, samples: &samples };
        check(encoder, &image, case.mask.as_deref(), case.max_z_error);
    }
}

macro_rules! types {
    ($($type:ident)*) => {
        $(#[test]
        fn $type() {
            check_all::<$type>();
        })*
    };
}

types! { i8 u8 i16 u16 i32 u32 f32 f64 }

#[test]
fn extreme_values_survive() {
    let encoder = &mut Encoder::new();
    let floats = [f32::MAX, f32::MIN, 0.0, -0.0, f32::INFINITY, f32::NEG_INFINITY, f32::MIN_POSITIVE, 1.0, 1e-45];
    let doubles = [f64::MAX, f64::MIN, 0.0, -0.0, f64::INFINITY, f64::MIN_POSITIVE, 1e300, 5e-324, 1e-300];
    let integers = [i32::MIN, i32::MAX, 0, -1, 1, i32::MIN, i32::MIN, i32::MIN, i32::MIN];
    for max_z_error in [0.0, 0.25, 1e6, 1e300] {
        for width in [1, 3, 9] {
            let height = 9 / width;
            check(encoder, &Image { width, height, bands: 1, samples: &floats }, None, max_z_error);
            check(encoder, &Image { width, height, bands: 1, samples: &doubles }, None, max_z_error);
            check(encoder, &Image { width, height, bands: 1, samples: &integers }, None, max_z_error);
        }
    }
}

#[test]
fn all_nan_is_an_empty_blob() {
    let mut blob = Vec::new();
    let image = Image { width: 4, height: 2, bands: 1, samples: &[f64::NAN; 8] };
    Encoder::new().encode(&image, None, 0.1, &mut blob).expect("a blob");
    assert_eq!(blob.len(), 70);
    check(&mut Encoder::new(), &image, None, 0.1);
}

#[test]
fn wrong_arguments_are_named() {
    let mut out = vec![1];
    let mut encode = |width, height, bands, samples: &[u16], mask: Option<&[u8]>, error| {
        Encoder::new().encode(&Image { width, height, bands, samples }, mask, error, &mut out)
    };
    assert_eq!(encode(0, 2, 1, &[], None, 0.0), Err(Error::Empty { width: 0, height: 2, bands: 1 }));
    assert_eq!(encode(2, 2, 1, &[0; 3], None, 0.0), Err(Error::SampleCount { expected: 4, found: 3 }));
    assert_eq!(encode(2, 2, 1, &[0; 4], Some(&[1; 5]), 0.0), Err(Error::MaskLen { expected: 4, found: 5 }));
    let huge = MAX_BYTES / 2 + 1;
    assert_eq!(encode(huge, 1, 1, &[], None, 0.0), Err(Error::TooLarge { width: huge, height: 1, bands: 1 }));
    assert!(matches!(encode(usize::MAX, 2, 2, &[], None, 0.0), Err(Error::TooLarge { .. })));
    for error in [-0.1, f64::INFINITY, f64::NAN, f64::MAX] {
        let found = encode(2, 2, 1, &[0; 4], None, error).expect_err("a wrong bound");
        assert!(found.to_string().contains("is not a number from 0 to 8.98"), "{found}");
    }
    assert_eq!(out, [1]);
}
