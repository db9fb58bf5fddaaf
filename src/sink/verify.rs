//! Reading back what was written, before the file appears.

#[cfg(feature = "geotiff")]
use crate::check::{self, Expected};
use crate::error::{Error, Result};
use crate::executor::Executor;
use crate::plan::{CogPlan, TileChecksums};
#[cfg(feature = "geotiff")]
use crate::read::DiskFile;

use super::file::OutputFile;

/// Refuses to verify what can't be read back.
pub(super) fn refuse(output: Option<&OutputFile>) -> Result<()> {
    if cfg!(not(feature = "geotiff")) {
        return Err(Error::option("verify", "reading back needs the feature 'geotiff'"));
    }
    match output.map(OutputFile::readable) {
        Some(Some(_)) => Ok(()),
        Some(None) => Err(Error::option("verify", "a device or a FIFO can't be read back; write to a regular file")),
        None => Err(Error::option("verify", "a stream of bytes can't be read back; write to a file")),
    }
}

/// Compares the pixels of all tiles in the file with those that were encoded. All bytes must have been handed to the
/// system. `step` is called now and then.
#[cfg(feature = "geotiff")]
pub(super) fn verify(
    output: &OutputFile,
    plan: &CogPlan,
    checksums: &TileChecksums,
    executor: &Executor,
    step: &mut dyn FnMut() -> Result<()>,
) -> Result<()> {
    let Some(path) = output.readable() else { return refuse(Some(output)) };
    let levels: Vec<_> = plan
        .levels()
        .iter()
        .map(|level| {
            let (image, mask) = checksums.level(level.index);
            Expected { width: level.width, height: level.height, image, mask }
        })
        .collect();
    check::verify(&DiskFile::open(path)?, &levels, executor, step)
}

/// Never asked for: refused beforehand.
#[cfg(not(feature = "geotiff"))]
pub(super) fn verify(
    output: &OutputFile,
    _plan: &CogPlan,
    _checksums: &TileChecksums,
    _executor: &Executor,
    _step: &mut dyn FnMut() -> Result<()>,
) -> Result<()> {
    refuse(Some(output))
}
