//! Validation and description of files, as the command prints them with `--json`.

use std::path::{Path, PathBuf};

use cogsmith::check::{self, CheckOptions, Class, LevelInfo, Report, Requests, Severity};
use cogsmith::{DiskFile, ReadAt};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyDict;

use crate::error::raise;
use crate::supervise::{Audience, supervise};

/// Creates a dict with these keys.
macro_rules! dict {
    ($py:expr, $($key:ident: $value:expr),* $(,)?) => {{
        let dict = PyDict::new($py);
        $(dict.set_item(stringify!($key), $value)?;)*
        dict
    }};
}

/// A file to read: its bytes, or its path.
#[derive(FromPyObject)]
pub(crate) enum Subject {
    Bytes(PyBackedBytes),
    Path(PathBuf),
}

impl Subject {
    fn external_overviews(&self) -> bool {
        let Self::Path(path) = self else { return false };
        [".ovr", ".OVR"].iter().any(|extension| {
            let mut name = path.as_os_str().to_owned();
            name.push(extension);
            Path::new(&name).is_file()
        })
    }

    fn with_reader<R>(&self, look: impl FnOnce(&dyn ReadAt) -> cogsmith::Result<R>) -> cogsmith::Result<R> {
        match self {
            Self::Bytes(bytes) => {
                let bytes: &[u8] = bytes;
                look(&bytes)
            }
            Self::Path(path) => look(&DiskFile::open(path)?),
        }
    }
}

/// Validates a file.
#[pyfunction]
pub(crate) fn validate<'py>(
    py: Python<'py>,
    subject: Subject,
    strict: bool,
    quick: bool,
    threads: Option<usize>,
) -> PyResult<Bound<'py, PyDict>> {
    let options = if quick { CheckOptions::quick() } else { CheckOptions::full() };
    let options = options.external_overviews(subject.external_overviews());
    let nobody = Audience { callback: None, rows: 0 };
    let report = supervise(py, threads, &nobody, |supervisor| {
        subject.with_reader(|reader| check::validate(reader, &options, supervisor.executor()))
    })?;
    verdict(py, &report, strict, quick)
}

fn verdict<'py>(py: Python<'py>, report: &Report, strict: bool, quick: bool) -> PyResult<Bound<'py, PyDict>> {
    let classes = PyDict::new(py);
    for class in Class::ALL {
        classes.set_item(class.name(), report.conforms(class))?;
    }
    let findings: PyResult<Vec<_>> = report
        .findings
        .iter()
        .map(|finding| {
            let (rule, place) = (finding.rule, finding.place);
            Ok(dict!(py,
                rule: rule.id,
                severity: rule.severity.name(),
                class: rule.class.name(),
                directory: place.directory,
                tile: place.tile,
                byte: place.byte,
                message: &finding.message,
                required: rule.title,
                source: rule.source,
                remedy: rule.remedy,
            ))
        })
        .collect();
    let valid = report.is_valid(strict);
    Ok(dict!(py,
        verdict: if valid { "valid" } else { "invalid" },
        strict: strict,
        quick: quick,
        errors: report.count(Severity::Error),
        warnings: report.count(Severity::Warning),
        notes: report.count(Severity::Note),
        directories: report.directories,
        tiles: report.tiles,
        tiles_decoded: report.tiles_decoded,
        cells_compared: report.cells_compared,
        classes: classes,
        counts: report.counts.clone(),
        findings: findings?,
    ))
}

/// Returns uncompressed bytes divided by compressed bytes, to three decimals; `None` without tiles.
#[expect(clippy::cast_precision_loss, reason = "byte counts are below 2^53")]
fn ratio(level: &LevelInfo) -> Option<f64> {
    let ratio = level.uncompressed_bytes as f64 / level.bytes as f64;
    (level.bytes > 0).then(|| (ratio * 1000.0).round() / 1000.0)
}

/// Describes a file.
#[pyfunction]
pub(crate) fn info(py: Python<'_>, subject: Subject) -> PyResult<Bound<'_, PyDict>> {
    let info = py.detach(|| subject.with_reader(|reader| check::inspect(reader))).map_err(raise)?;
    let levels: PyResult<Vec<_>> = info
        .levels
        .iter()
        .map(|level| {
            Ok(dict!(py,
                directory: level.directory,
                width: level.width,
                height: level.height,
                tiled: level.tiled,
                tile_width: level.tile_width,
                tile_height: level.tile_height,
                tiles: level.tiles,
                sparse_tiles: level.sparse_tiles,
                compression: &level.compression,
                predictor: &level.predictor,
                bytes: level.bytes,
                mask_bytes: level.mask_bytes,
                uncompressed_bytes: level.uncompressed_bytes,
                ratio: ratio(level),
            ))
        })
        .collect();
    let metadata: PyResult<Vec<_>> = info
        .metadata
        .iter()
        .map(|item| {
            Ok(dict!(py,
                name: &item.name,
                domain: &item.domain,
                // Users count bands from 1.
                band: item.band.map(|band| band.saturating_add(1)),
                role: &item.role,
                value: &item.value,
            ))
        })
        .collect();
    let cost = |cost: &Requests| -> PyResult<Bound<'_, PyDict>> {
        Ok(dict!(py, requests: cost.requests, bytes: cost.bytes, tiles: cost.tiles))
    };
    Ok(dict!(py,
        bytes: info.bytes,
        big_tiff: info.big_tiff,
        byte_order: if info.big_endian { "big" } else { "little" },
        gdal_layout: info.gdal_layout,
        width: info.width,
        height: info.height,
        bands: info.bands,
        data_type: &info.data_type,
        bits: info.bits,
        color: &info.color,
        alpha_band: info.alpha.map(|band| band + 1),
        interleave: &info.interleave,
        nodata: info.nodata.as_deref(),
        mask: info.mask,
        levels: levels?,
        other_images: info.other_images,
        crs: info.crs.as_deref(),
        crs_name: info.crs_name.as_deref(),
        crs_kind: info.crs_kind.as_deref(),
        vertical_crs: info.vertical_crs.as_deref(),
        transform: info.transform,
        pixel_is_point: info.pixel_is_point,
        control_points: info.control_points,
        bounds: info.bounds.map(|bounds| [bounds.left, bounds.bottom, bounds.right, bounds.top]),
        metadata: metadata?,
        open: cost(&info.open)?,
        whole_view: cost(&info.whole_view)?,
        detail_view: cost(&info.detail_view)?,
    ))
}
