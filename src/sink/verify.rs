//! Verification of the written file, before it appears.

use std::path::Path;

#[cfg(feature = "geotiff")]
use crate::check::{self, Expected};
use crate::encode::TileSink;
use crate::error::{Error, OptionField, Result};
use crate::executor::Executor;
use crate::plan::{CogPlan, TileChecksums};
#[cfg(feature = "geotiff")]
use crate::read::DiskFile;

/// The path at which the output can be read back, or the reason why it can't be.
pub(super) fn readable(sink: &dyn TileSink) -> Result<&Path> {
    if cfg!(not(feature = "geotiff")) {
        return Err(Error::option(OptionField::Verify, "verification needs the feature 'geotiff'"));
    }
    sink.readable().ok_or_else(|| {
        Error::option(
            OptionField::Verify,
            "a stream of bytes, a device or a FIFO can't be read back; write to a regular file",
        )
    })
}

/// Compares the pixels of all tiles in the file with those that were encoded. All bytes must have been passed to the
/// system. Calls `step` from time to time.
#[cfg(feature = "geotiff")]
pub(super) fn verify(
    sink: &dyn TileSink,
    plan: &CogPlan,
    checksums: &TileChecksums,
    executor: &Executor,
    step: &mut dyn FnMut() -> Result<()>,
) -> Result<()> {
    let path = readable(sink)?;
    let levels: Vec<_> = plan
        .levels()
        .iter()
        .map(|level| {
            let (image, mask) = checksums.level(level.index);
            Expected { width: level.width, height: level.height, image, mask }
        })
        .collect();
    check::verify(&DiskFile::open(path)?, &levels, plan.absent_sample(), executor, step)
}

/// Never called: [`refuse`] returns an error first.
#[cfg(not(feature = "geotiff"))]
pub(super) fn verify(
    sink: &dyn TileSink,
    _plan: &CogPlan,
    _checksums: &TileChecksums,
    _executor: &Executor,
    _step: &mut dyn FnMut() -> Result<()>,
) -> Result<()> {
    readable(sink).map(drop)
}
