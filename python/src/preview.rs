//! Small pictures of rasters, as in the command.

use std::collections::BTreeMap;
use std::path::PathBuf;

use cogsmith::{BandChoice, Preview, PreviewFormat, PreviewOptions, ReadOptions};
use pyo3::prelude::*;

use crate::create::Band;
use crate::remote::Remote;
use crate::supervise::{Audience, supervise};

/// Returns a picture of a raster as a file, whose ending is `.format`, and the warnings.
#[pyfunction]
pub(crate) fn preview(
    py: Python<'_>,
    source: PathBuf,
    size: u32,
    bands: Vec<Band>,
    image: Option<usize>,
    format: &str,
    storage_options: BTreeMap<String, String>,
) -> PyResult<(Vec<u8>, Vec<String>)> {
    let bands: Vec<_> = bands.into_iter().map(BandChoice::from).collect();
    let nobody = Audience { callback: None, rows: 0 };
    supervise(py, None, &nobody, |supervisor| {
        let format = PreviewFormat::of(&PathBuf::from(format!("preview.{format}")))?;
        let remote = Remote::new([source.as_path()], &storage_options, supervisor.flag())?;
        let options = PreviewOptions::new()
            .size(size)
            .bands(&bands[..])
            .read_options(ReadOptions::new().image(image).addresses(remote.addresses()))
            .cancel(supervisor.flag());
        let preview = Preview::read(&source, &options)?;
        Ok((preview.encode(format)?, preview.warnings))
    })
}
