//! Numeric tags that GDAL shows as metadata: the resolution.

use crate::error::{Error, OptionField, Result};
use crate::tiff::{Tag, TagValue};

use super::Metadata;

/// Numeric tags, by the names that GDAL gives them as metadata.
pub const NUMBERS: &[(&str, Tag)] = &[
    ("TIFFTAG_XRESOLUTION", Tag::X_RESOLUTION),
    ("TIFFTAG_YRESOLUTION", Tag::Y_RESOLUTION),
    ("TIFFTAG_RESOLUTIONUNIT", Tag::RESOLUTION_UNIT),
];

impl Metadata {
    /// Sets a numeric tag: `X_RESOLUTION` or `Y_RESOLUTION`, in pixels per unit, or `RESOLUTION_UNIT` (1 none, 2 inch,
    /// 3 centimeter).
    ///
    /// # Errors
    /// [`ErrorKind::InvalidOption`](crate::ErrorKind::InvalidOption) for any other tag, a resolution that is not
    /// between 0 and 2^32, and any other unit.
    pub fn set_number(&mut self, tag: Tag, number: f64) -> Result<()> {
        let value = if tag == Tag::RESOLUTION_UNIT {
            let unit = [1u16, 2, 3].into_iter().find(|unit| (f64::from(*unit) - number).abs() < 0.5);
            TagValue::Short(vec![unit.ok_or_else(|| refused(tag, number))?])
        } else if tag == Tag::X_RESOLUTION || tag == Tag::Y_RESOLUTION {
            TagValue::Rational(vec![rational(number).ok_or_else(|| refused(tag, number))?])
        } else {
            return Err(Error::option(OptionField::Metadata, format!("tag {} is not a number that can be set", tag.0)));
        };
        self.put_tag(tag, Some(value));
        Ok(())
    }
}

fn refused(tag: Tag, number: f64) -> Error {
    Error::option(
        OptionField::Metadata,
        format!("{number} is out of range for tag {} ({})", tag.0, tag.name().unwrap_or("unknown")),
    )
}

/// Returns the fraction of two 32-bit numbers closest to a number, from its continued fraction.
fn rational(number: f64) -> Option<[u32; 2]> {
    if !(number > 0.0 && number <= f64::from(u32::MAX)) {
        return None;
    }
    let (mut before, mut last) = ([0u64, 1], [1u64, 0]);
    let mut rest = number;
    loop {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "at most the number, or its fraction"
        )]
        let whole = rest.floor().min(1e18) as u64;
        let step = |index: usize| whole.checked_mul(last[index])?.checked_add(before[index]);
        let (Some(above), Some(below)) = (step(0), step(1)) else { break };
        if above.max(below) > u32::MAX.into() {
            break;
        }
        (before, last) = (last, [above, below]);
        let fraction = rest - rest.floor();
        if fraction < 1e-9 {
            break;
        }
        rest = fraction.recip();
    }
    Some([u32::try_from(last[0]).ok()?, u32::try_from(last[1]).ok()?]).filter(|[above, below]| *above > 0 && *below > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolutions_become_fractions() {
        for (number, expected) in [
            (72.0, [72, 1]),
            (118.11, [11_811, 100]),
            (0.5, [1, 2]),
            (f64::from(u32::MAX), [u32::MAX, 1]),
            (1e-9, [1, 1_000_000_000]),
        ] {
            assert_eq!(rational(number), Some(expected), "{number}");
        }
        for number in [0.0, -1.0, f64::NAN, f64::INFINITY, 5e9] {
            assert_eq!(rational(number), None, "{number}");
        }
        let near = rational(std::f64::consts::PI).map(|[above, below]| f64::from(above) / f64::from(below));
        assert!((near.unwrap_or(0.0) - std::f64::consts::PI).abs() < 1e-9);
    }

    #[test]
    fn numbers_have_their_tags() {
        let mut metadata = Metadata::default();
        metadata.set_number(Tag::X_RESOLUTION, 300.0).unwrap();
        metadata.set_number(Tag::RESOLUTION_UNIT, 2.0).unwrap();
        metadata.set_number(Tag::X_RESOLUTION, 72.0).unwrap();
        let expected =
            [(Tag::RESOLUTION_UNIT, TagValue::Short(vec![2])), (Tag::X_RESOLUTION, TagValue::Rational(vec![[72, 1]]))];
        assert_eq!(metadata.tags(), expected);
        for (tag, number) in [(Tag::RESOLUTION_UNIT, 4.0), (Tag::Y_RESOLUTION, 0.0), (Tag::SOFTWARE, 1.0)] {
            assert!(metadata.set_number(tag, number).is_err(), "{tag:?}");
        }
    }
}
