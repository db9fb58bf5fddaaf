//! The table of codecs, which `_options.py` reads.

use std::collections::BTreeMap;

use cogsmith::{Compression, ParameterRange, ParameterValue};
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// The properties of a codec that options depend on.
#[pyclass(frozen, get_all, module = "cogsmith._native")]
pub(crate) struct Codec {
    /// The minimum, maximum, and default of each parameter that is a number.
    parameters: BTreeMap<&'static str, (u8, u8, u8)>,
    takes_predictor: bool,
}

/// Returns all codecs by their names.
pub(crate) fn all(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let codecs = PyDict::new(py);
    for compression in Compression::ALL {
        let codec = compression.codec();
        let parameters = codec.parameters.iter().filter_map(|one| match (one.range, one.default) {
            (ParameterRange::Integers { min, max }, ParameterValue::Integer(default)) => {
                Some((one.name, (min, max, u8::try_from(default).unwrap_or(max))))
            }
            _ => None,
        });
        let described = Codec { parameters: parameters.collect(), takes_predictor: codec.takes_predictor };
        codecs.set_item(codec.name, Py::new(py, described)?)?;
    }
    Ok(codecs)
}
