//! The table of codecs, which `_options.py` reads.

use std::collections::BTreeMap;

use cogsmith::Compression;
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// The properties of a codec that options depend on.
#[pyclass(frozen, get_all, module = "cogsmith._native")]
pub(crate) struct Codec {
    /// The minimum, maximum, and default of each parameter.
    parameters: BTreeMap<&'static str, (u8, u8, u8)>,
    takes_predictor: bool,
}

/// Returns all codecs by their names.
pub(crate) fn all(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let codecs = PyDict::new(py);
    for compression in Compression::ALL {
        let codec = compression.codec();
        let parameters = codec.parameter.iter().map(|one| (one.name, (one.min, one.max, one.default)));
        let described = Codec { parameters: parameters.collect(), takes_predictor: codec.takes_predictor };
        codecs.set_item(codec.name, Py::new(py, described)?)?;
    }
    Ok(codecs)
}
