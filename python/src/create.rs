//! A GeoTIFF file to a COG: what the command does.

use std::path::PathBuf;

use cogsmith::{
    CogPlan, FileOptions, GeoTiffSource, MaskPolicy, MaskedSource, OutputFile, PixelSource, RasterSource, ReadOptions,
    encode_to_output,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::encode::Work;
use crate::error::raise;
use crate::plan::{Options, nodata, summary};
use crate::supervise::{Audience, supervise};

/// What is taken from the input: `_plan.Input`.
#[derive(FromPyObject)]
pub(crate) struct Input {
    /// Counted from 1.
    image: Option<usize>,
    /// A number, or `none`.
    nodata: Option<String>,
    mask: String,
    widen: bool,
}

/// Writes the GeoTIFF `source` as the COG `target`; what was written, and warnings about the input.
#[pyfunction]
pub(crate) fn create<'py>(
    py: Python<'py>,
    source: PathBuf,
    target: PathBuf,
    input: Input,
    options: Options,
    work: Work,
) -> PyResult<(Bound<'py, PyDict>, Vec<String>)> {
    let policy = match input.mask.as_str() {
        "auto" => MaskPolicy::Auto,
        "none" => MaskPolicy::None,
        "nodata" => MaskPolicy::Nodata,
        "alpha" => MaskPolicy::Alpha,
        other => {
            return Err(PyValueError::new_err(format!(
                "mask={other:?} is unknown; it takes auto, none, nodata, alpha"
            )));
        }
    };
    let image = match input.image {
        Some(0) => return Err(PyValueError::new_err("image=0: images are counted from 1")),
        image => image.map(|image| image - 1),
    };
    let options = options.encode_options()?;
    let value = match input.nodata.as_deref() {
        None => None,
        Some("none") => Some(None),
        Some(text) => Some(Some(nodata(text)?)),
    };
    let mut source = GeoTiffSource::open(&source, &ReadOptions { image, ..ReadOptions::default() }).map_err(raise)?;
    if let Some(value) = value {
        source.set_nodata(value).map_err(raise)?;
    }
    if input.widen {
        source.widen();
    }
    let mut source = MaskedSource::with_metadata(source, policy).map_err(raise)?;
    let plan = CogPlan::new(source.spec(), source.geo(), source.metadata(), &options).map_err(raise)?;
    let warnings = [source.inner().warnings(), plan.warnings()].concat();
    let audience = Audience { callback: work.progress.as_ref(), rows: plan.spec().height };
    let file_options: FileOptions = work.file_options();
    let written = supervise(py, work.threads, &audience, |supervisor| {
        let mut output = OutputFile::create(&target, &file_options)?;
        let store = work.store(Some(output.directory().to_path_buf()));
        let progress = &mut supervisor.progress();
        let written = encode_to_output(&mut source, &plan, supervisor.executor(), &store, &mut output, progress)?;
        supervisor.check()?;
        output.commit()?;
        Ok(written)
    })?;
    Ok((summary(py, &plan, &written)?, warnings))
}
