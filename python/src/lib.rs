//! The native module of the Python package `cogsmith`: writes Cloud Optimized GeoTIFFs from arrays, without the GIL.
//!
//! The public API is Python (`package/cogsmith`), which interprets xarray objects and the names of options. This module
//! takes plain data: NumPy arrays with the axes (row, column, band), and the data classes of `_plan.py`.

#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod array;
mod check;
mod choose;
mod codecs;
mod create;
mod edit;
mod encode;
mod error;
mod patch;
mod plan;
mod preview;
mod remote;
mod shard;
mod store;
mod supervise;
mod target;
mod writer;

use std::collections::BTreeMap;

use pyo3::prelude::*;

/// The module `cogsmith._native`.
#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("CODECS", codecs::all(module.py())?)?;
    let keywords = cogsmith::OptionField::ALL.iter().map(|&option| {
        let keywords = error::keywords(option);
        (option.name(), (keywords.create, keywords.array))
    });
    module.add("KEYWORDS", keywords.collect::<BTreeMap<_, _>>())?;
    module.add("INTERLEAVES", cogsmith::Interleave::names().collect::<Vec<_>>())?;
    module.add("MASKS", cogsmith::MaskPolicy::names().collect::<Vec<_>>())?;
    module.add("SPARSE", cogsmith::Sparse::names().collect::<Vec<_>>())?;
    module.add("PALETTE_COLORS", cogsmith::PaletteColors::names().collect::<Vec<_>>())?;
    module.add("OVERLAPS", cogsmith::Overlap::names().collect::<Vec<_>>())?;
    module.add("RESAMPLINGS", cogsmith::Resampling::names().collect::<Vec<_>>())?;
    let colors = cogsmith::ColorInterpretation::ALL.iter().map(|color| color.name()).collect::<Vec<_>>();
    module.add("COLOR_INTERPRETATIONS", colors.to_vec())?;
    let texts = cogsmith::METADATA_TEXTS.iter().chain(cogsmith::METADATA_NUMBERS);
    module.add("METADATA_TAGS", texts.map(|(name, _)| *name).collect::<Vec<_>>())?;
    module.add_class::<codecs::Codec>()?;
    module.add_class::<plan::Plan>()?;
    module.add_class::<writer::Writer>()?;
    module.add_class::<shard::Shards>()?;
    module.add_class::<shard::Layout>()?;
    module.add_class::<store::Connection>()?;
    module.add_function(wrap_pyfunction!(plan::crs_code, module)?)?;
    module.add_function(wrap_pyfunction!(plan::crs_unit, module)?)?;
    module.add_function(wrap_pyfunction!(choose::choose, module)?)?;
    module.add_function(wrap_pyfunction!(encode::encode, module)?)?;
    module.add_function(wrap_pyfunction!(encode::check_stream, module)?)?;
    module.add_function(wrap_pyfunction!(store::is_object, module)?)?;
    module.add_function(wrap_pyfunction!(remote::is_address, module)?)?;
    module.add_function(wrap_pyfunction!(remote::redact, module)?)?;
    module.add_function(wrap_pyfunction!(create::create, module)?)?;
    module.add_function(wrap_pyfunction!(create::join, module)?)?;
    module.add_function(wrap_pyfunction!(edit::repack, module)?)?;
    module.add_function(wrap_pyfunction!(edit::edit, module)?)?;
    module.add_function(wrap_pyfunction!(patch::patch, module)?)?;
    module.add_function(wrap_pyfunction!(check::validate, module)?)?;
    module.add_function(wrap_pyfunction!(check::info, module)?)?;
    module.add_function(wrap_pyfunction!(check::explain, module)?)?;
    module.add_function(wrap_pyfunction!(preview::preview, module)?)?;
    Ok(())
}
