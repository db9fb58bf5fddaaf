//! Verification of the written file, before it appears.

#[cfg(feature = "geotiff")]
use crate::check::{self, Expected};
use crate::error::{Error, Result};
use crate::executor::Executor;
use crate::plan::{CogPlan, TileChecksums};
#[cfg(feature = "geotiff")]
use crate::read::DiskFile;

use super::file::OutputFile;

/// Returns an error if the output cannot be read back.
pub(super) fn refuse(output: Option<&OutputFile>) -> Result<()> {
    if cfg!(not(feature = "geotiff")) {
        return Err(Error::option("verify", "verification needs the feature 'geotiff'"));
    }
    match output.map(OutputFile::readable) {
        Some(Some(_)) => Ok(()),
        Some(None) => Err(Error::option("verify", "a device or a FIFO cannot be read back; write to a regular file")),
        None => Err(Error::option("verify", "a stream cannot be read back; write to a file")),
    }
}

/// Compares the pixels of all tiles in the file with those that were encoded. All bytes must have been passed to the
/// system. Calls `step` from time to time.
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

/// Never called: [`refuse`] returns an error first.
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
