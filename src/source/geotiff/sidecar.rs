//! Files beside a raster.

use std::path::Path;

use crate::geo::GeoRef;

/// Takes from the files beside `path` what the file itself doesn't say.
pub(super) fn apply(_path: &Path, _geo: &mut GeoRef, _warnings: &mut Vec<String>) {}
