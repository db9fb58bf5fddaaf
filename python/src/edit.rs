//! Changes to files that leave their tiles as they are, as in the command.

use std::path::PathBuf;

use cogsmith::{BigTiff, CopyPart, Crs, EditOptions, EditPart, FileOptions, RepackOptions};
use pyo3::prelude::*;

use crate::create::{FileOverrides, Input};
use crate::error::raise_for_create;
use crate::plan::nodata;
use crate::supervise::{Audience, supervise};

/// The summary of a repacked file: bytes, whether it is a BigTIFF, levels, tiles, and warnings.
type Repacked = (u64, bool, Vec<(u32, u32)>, u64, Vec<String>);

/// Arranges the tiled TIFF `source` as the COG `target`.
#[pyfunction]
pub(crate) fn repack(
    py: Python<'_>,
    source: PathBuf,
    target: PathBuf,
    big_tiff: &str,
    header_room: u32,
    overwrite: bool,
    sync: bool,
) -> PyResult<Repacked> {
    let options = RepackOptions::new()
        .big_tiff(big_tiff.parse::<BigTiff>().map_err(raise_for_create)?)
        .header_room(header_room)
        .file(FileOptions::new().overwrite(overwrite).sync(sync));
    let nobody = Audience { callback: None, rows: 0 };
    let made = supervise(py, Some(1), &nobody, |supervisor| {
        cogsmith::repack(&source, &target, &options.clone().cancel(supervisor.flag()))
    })?;
    Ok((made.bytes, made.big_tiff, made.levels, made.tiles, made.warnings))
}

/// Parts of an edit that `create` does not have: `_plan.EditChoice`.
#[derive(FromPyObject)]
pub(crate) struct EditChoice {
    icc_profile: Option<Vec<u8>>,
    remove: Vec<String>,
    /// A file, and the parts to copy of it.
    copy_from: Option<(PathBuf, Vec<String>)>,
    /// Domain and name.
    remove_metadata: Vec<(Option<String>, String)>,
    statistics: bool,
    header_room: Option<u32>,
    dry_run: bool,
    sync: bool,
}

/// The summary of an edit: changes, whether the file is written, and in place, its bytes, and warnings.
type Edited = (Vec<String>, bool, bool, u64, Vec<String>);

/// Changes the georeference and metadata of a file.
#[pyfunction]
pub(crate) fn edit(
    py: Python<'_>,
    path: PathBuf,
    input: Input,
    overrides: FileOverrides,
    choice: EditChoice,
) -> PyResult<Edited> {
    let parts = choice.remove.iter().map(|part| part.parse::<EditPart>().map_err(raise_for_create));
    let mut options = EditOptions::new()
        .crs(Crs::parse_option(input.crs.as_deref(), input.crs_wkt).map_err(raise_for_create)?)
        .overrides(overrides.overrides()?)
        .icc_profile(choice.icc_profile)
        .remove(parts.collect::<PyResult<Vec<_>>>()?)
        .remove_items(choice.remove_metadata)
        .statistics(choice.statistics)
        .header_room(choice.header_room)
        .dry_run(choice.dry_run)
        .sync(choice.sync);
    if let Some((path, parts)) = choice.copy_from {
        let parts = parts.iter().map(|part| part.parse::<CopyPart>().map_err(raise_for_create));
        options = options.copy_from(path, parts.collect::<PyResult<Vec<_>>>()?);
    }
    options = match input.nodata.as_deref() {
        None => options,
        Some("none") => options.without_nodata(),
        Some(text) => options.nodata(nodata(text)?),
    };
    let nobody = Audience { callback: None, rows: 0 };
    let done = supervise(py, Some(1), &nobody, |supervisor| {
        cogsmith::edit(&path, &options.clone().cancel(supervisor.flag()))
    })?;
    let changes = done.changes.iter().map(ToString::to_string).collect();
    Ok((changes, done.is_written, done.in_place, done.bytes, done.warnings))
}
