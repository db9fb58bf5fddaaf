//! The choice of pixels, which only the module with every codec has.

use cogsmith::{GeoTiffSource, Nodata};

use crate::object::{Given, Result};

/// All pixels, as they are.
#[derive(Debug, Default)]
pub(crate) struct PixelChoice;

impl PixelChoice {
    pub(crate) fn take(&mut self, given: &Given) -> Result<()> {
        given.refuse("the module with every codec has this option: import from 'cogsmith/full'")
    }

    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "as in the other module")]
    pub(crate) fn validate(&self) -> Result<()> {
        Ok(())
    }

    #[expect(clippy::unused_self, reason = "as in the other module")]
    pub(crate) fn is_all(&self) -> bool {
        true
    }

    #[expect(clippy::unused_self, reason = "as in the other module")]
    pub(crate) fn reads_rows_together(&self) -> bool {
        false
    }

    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "as in the other module")]
    pub(crate) fn apply(&self, mut source: GeoTiffSource, nodata: Option<Option<Nodata>>) -> Result<GeoTiffSource> {
        if let Some(nodata) = nodata {
            source.set_nodata(nodata)?;
        }
        Ok(source)
    }
}
