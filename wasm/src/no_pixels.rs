//! The choice of pixels, which only the module with every codec has.

use cogsmith::{GeoTiffSource, Nodata, OptionField};

use crate::object::{Given, Result};

/// Names of the options.
pub(crate) const NAMES: [&str; 0] = [];

/// Returns the property of an option of the library that chooses pixels.
pub(crate) const fn property(_: OptionField) -> Option<&'static str> {
    None
}

/// Returns whether this module lacks an option that chooses pixels.
pub(crate) const fn is_absent(option: OptionField) -> bool {
    matches!(
        option,
        OptionField::WrapLongitude
            | OptionField::Window
            | OptionField::Bbox
            | OptionField::Bands
            | OptionField::ExpandPalette
            | OptionField::Unscale
            | OptionField::Rescale
            | OptionField::DataType
            | OptionField::Size
            | OptionField::SizeResampling
    )
}

/// All pixels, as they are.
#[derive(Debug, Default)]
pub(crate) struct PixelChoice;

impl PixelChoice {
    pub(crate) fn take(&mut self, given: &Given) -> Result<()> {
        given.refuse("unknown")
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
