//! Masks made from nodata.

use crate::error::{Error, OptionField, Result};
use crate::sample::{DataType, Nodata, NodataRange, dispatch};
use crate::spec::ImageSpec;
use crate::validity::lacks_data;

use super::{Stripe, StripeLayout};

/// The bands that must be nodata for a pixel to be masked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NodataRule {
    /// All of them.
    All,
    /// Any of them.
    Any,
    /// All of them; if only some are, that is an error.
    Agreeing,
}

/// Returns whether a sample of this type can be nodata.
pub(crate) fn can_be_nodata(data_type: DataType, nodata: &Nodata) -> bool {
    dispatch!(data_type, T => NodataRange::<T>::of(nodata).is_some() || nodata.as_f64().is_nan() && data_type.is_float())
}

/// Masks the pixels of a stripe that are nodata or NaN, in addition to those that its mask already excludes. `(column,
/// row)` is the position of the stripe in the image.
///
/// # Errors
/// [`ErrorKind::InvalidOption`](crate::ErrorKind::InvalidOption) for a pixel whose bands disagree, if the rule says so.
pub(crate) fn mask_nodata(
    spec: &ImageSpec,
    rule: NodataRule,
    (column, row): (u32, u32),
    stripe: &mut Stripe<'_>,
) -> Result<()> {
    let samples = match stripe.layout {
        StripeLayout::Chunky => stripe.bands,
        StripeLayout::Planar => 1,
    };
    let Some(mask) = &mut stripe.mask else { return Ok(()) };
    // The number of bands with data.
    let mut counts = vec![0u16; mask.len()];
    dispatch!(spec.data_type, T => {
        let nodata = spec.nodata_in_range().as_ref().and_then(NodataRange::<T>::of);
        let has_data = |value: &T| !lacks_data(*value, nodata);
        for plane in &stripe.planes {
            let values: &[T] = bytemuck::cast_slice(plane);
            for (count, pixel) in counts.iter_mut().zip(values.chunks_exact(samples)) {
                *count += pixel.iter().map(|value| u16::from(has_data(value))).sum::<u16>();
            }
        }
    });
    let least = match rule {
        NodataRule::All | NodataRule::Agreeing => 1,
        NodataRule::Any => spec.bands,
    };
    if rule == NodataRule::Agreeing {
        let mut pixels = counts.iter().zip(&**mask);
        if let Some(index) = pixels.position(|(count, valid)| (1..spec.bands).contains(count) && *valid != 0) {
            let [x, y] = [index % stripe.width, index / stripe.width].map(|place| place as u64);
            return Err(disagreement(spec, u64::from(column) + x, u64::from(row) + y, counts[index]));
        }
    }
    for (valid, count) in mask.iter_mut().zip(counts) {
        if count < least {
            *valid = 0;
        }
    }
    Ok(())
}

fn disagreement(spec: &ImageSpec, column: u64, row: u64, with_data: u16) -> Error {
    let nodata = spec.nodata.map_or(f64::NAN, |nodata| nodata.as_f64());
    let (some, bands) = (spec.bands - with_data, spec.bands);
    let reason = format!(
        "{some} of {bands} bands are nodata ({nodata}) at column {column}, row {row}, but a lossy codec keeps nodata in one \
         mask for all bands; choose nodata to mask pixels without data in any band, where other samples become data, or \
         any-nodata to mask this pixel too"
    );
    Error::option(OptionField::Mask, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(rule: NodataRule, layout: StripeLayout, mask: [u8; 3]) -> Result<[u8; 3]> {
        let spec = ImageSpec { nodata: Some(Nodata::from(0u64)), mask: true, ..ImageSpec::new(3, 1, 2, DataType::U8) };
        let mut chunky = [0, 0, 0, 7, 8, 9];
        let (mut first, mut second) = ([0, 0, 8], [0, 7, 9]);
        let mut mask = mask;
        let planes: Vec<&mut [u8]> = match layout {
            StripeLayout::Chunky => vec![&mut chunky],
            StripeLayout::Planar => vec![&mut first, &mut second],
        };
        let mut stripe =
            Stripe { width: 3, rows: 1, bands: 2, sample_size: 1, layout, planes, mask: Some(&mut mask), blanks: None };
        mask_nodata(&spec, rule, (10, 20), &mut stripe)?;
        Ok(mask)
    }

    #[test]
    fn rules_decide_about_pixels_with_some_nodata() {
        for layout in [StripeLayout::Chunky, StripeLayout::Planar] {
            assert_eq!(masked(NodataRule::All, layout, [255; 3]).unwrap(), [0, 255, 255]);
            assert_eq!(masked(NodataRule::Any, layout, [255; 3]).unwrap(), [0, 0, 255]);
            let error = masked(NodataRule::Agreeing, layout, [255; 3]).unwrap_err().to_string();
            assert!(error.contains("1 of 2 bands are nodata (0) at column 11, row 20"), "{error}");
            assert_eq!(masked(NodataRule::Agreeing, layout, [255, 0, 0]).unwrap(), [0, 0, 0]);
        }
    }

    #[test]
    fn types_limit_what_can_be_nodata() {
        let can = |data_type, text| can_be_nodata(data_type, &Nodata::parse(text).unwrap());
        assert!(can(DataType::U8, "0") && can(DataType::F32, "nan") && can(DataType::F32, "-9999"));
        assert!(!can(DataType::U8, "-9999") && !can(DataType::U8, "nan") && !can(DataType::U8, "1.5"));
    }
}
