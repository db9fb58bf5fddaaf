//! The predictors of full resolution and the overviews.

use crate::error::{Error, OptionField, Result};
use crate::options::{EncodeOptions, Predictor};
use crate::sample::SampleKind;
use crate::spec::ImageSpec;

/// Returns the predictor of full resolution: `Auto` is settled by the type of the samples.
pub(super) fn resolve(spec: &ImageSpec, options: &EncodeOptions) -> Result<Predictor> {
    check(spec, options.predictor, OptionField::Predictor)?;
    let takes_predictor = options.compression.codec().takes_predictor;
    Ok(match options.predictor {
        Predictor::Auto if takes_predictor => by_type(spec),
        Predictor::Auto => Predictor::None,
        given => given,
    })
}

/// Returns the predictor of overviews with a codec that takes one. `full` is that of full resolution.
pub(super) fn of_overviews(spec: &ImageSpec, options: &EncodeOptions, full: Predictor) -> Predictor {
    match options.overview_predictor {
        None | Some(Predictor::Auto) if options.compression.codec().takes_predictor => full,
        None | Some(Predictor::Auto) => by_type(spec),
        Some(given) => given,
    }
}

/// Rejects predictors that are not defined for the samples.
pub(super) fn check(spec: &ImageSpec, predictor: Predictor, option: OptionField) -> Result<()> {
    let whole_width = spec.bits() == spec.data_type.bits();
    let refuse = |reason: String| Err(Error::option(option, reason));
    match predictor {
        Predictor::Horizontal if spec.data_type.is_complex() => {
            refuse(format!("few readers support horizontal prediction of {} samples", spec.data_type))
        }
        Predictor::Horizontal if !whole_width => refuse(format!(
            "horizontal prediction needs samples of 8, 16, 32, or 64 bits, not {}; widen them first",
            spec.bits()
        )),
        Predictor::FloatingPoint if !spec.data_type.is_float() => {
            refuse(format!("the floating-point predictor needs floats, not {}", spec.data_type))
        }
        _ => Ok(()),
    }
}

/// Returns the predictor for the type of the samples.
fn by_type(spec: &ImageSpec) -> Predictor {
    if spec.bits() != spec.data_type.bits() || spec.has_color_map() {
        return Predictor::None;
    }
    match spec.data_type.kind() {
        SampleKind::Unsigned | SampleKind::Signed => Predictor::Horizontal,
        SampleKind::Float => Predictor::FloatingPoint,
        SampleKind::ComplexInteger | SampleKind::ComplexFloat => Predictor::None,
    }
}
