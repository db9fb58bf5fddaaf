//! The choice of pixels: a window, bands, another data type, palette colors, a smaller size.

use cogsmith::{
    BandChoice, Bounds, GeoTiffSource, Nodata, OptionField, PaletteColors, PixelOptions, RasterSource, Rectangle,
    Resampling, Rescale,
};

use crate::object::{Given, Result};

/// Names of the options, in the order of docs/command.md.
pub(crate) const NAMES: [&str; 10] = [
    "wrapLongitude",
    "window",
    "bbox",
    "bands",
    "expandPalette",
    "unscale",
    "rescale",
    "dtype",
    "size",
    "sizeResampling",
];

/// Returns the property of an option of the library that chooses pixels.
pub(crate) const fn property(option: OptionField) -> Option<&'static str> {
    Some(match option {
        OptionField::WrapLongitude => "wrapLongitude",
        OptionField::Window => "window",
        OptionField::Bbox => "bbox",
        OptionField::Bands => "bands",
        OptionField::ExpandPalette => "expandPalette",
        OptionField::Unscale => "unscale",
        OptionField::Rescale => "rescale",
        OptionField::DataType => "dtype",
        OptionField::Size => "size",
        OptionField::SizeResampling => "sizeResampling",
        _ => return None,
    })
}

/// Returns whether this module lacks an option that chooses pixels.
pub(crate) const fn is_absent(_: OptionField) -> bool {
    false
}

/// The pixels of a file that are written, and as what.
#[derive(Debug, Default)]
pub(crate) struct PixelChoice {
    options: PixelOptions,
    is_reduced: bool,
}

impl PixelChoice {
    /// Reads one of the options.
    pub(crate) fn take(&mut self, given: &Given) -> Result<()> {
        let options = std::mem::take(&mut self.options);
        self.options = match given.option() {
            "wrapLongitude" => options.wrap_longitude(given.finite()?),
            "window" => {
                let items = given.items().unwrap_or_default();
                let [column, row, width, height] = items.as_slice() else {
                    return given.refuse("expected column, row, width, and height in pixels, such as [0, 0, 512, 512]");
                };
                let (column, row) = (column.whole()?, row.whole()?);
                let (right, bottom) = (column.saturating_add(width.whole()?), row.saturating_add(height.whole()?));
                options.window(Rectangle { columns: column..right, rows: row..bottom })
            }
            "bbox" => {
                let expected = "expected left, bottom, right, top, such as [10, 50, 20, 60]";
                let [left, bottom, right, top] = given.numbers(expected)?;
                options.bbox(Bounds { left, bottom, right, top })
            }
            "bands" => {
                let items = given.items().unwrap_or_else(|| vec![given.clone()]);
                options.bands(items.iter().map(band).collect::<Result<Vec<_>>>()?)
            }
            "expandPalette" => options.expand_palette(given.named(PaletteColors::names())?),
            "unscale" => options.unscale(given.flag()?),
            "rescale" => options.rescale(mappings(given)?),
            "dtype" => options.data_type(given.text()?.parse()?),
            "size" => {
                let items = given.items().unwrap_or_default();
                let [width, height] = items.as_slice() else {
                    return given.refuse("expected columns and rows, such as [1024, 768]");
                };
                self.is_reduced = true;
                options.size(width.whole()?, height.whole()?)
            }
            _ => options.size_resampling(given.named(Resampling::names())?),
        };
        Ok(())
    }

    /// Checks what needs no raster.
    pub(crate) fn validate(&self) -> Result<()> {
        Ok(self.options.validate()?)
    }

    /// Returns whether all pixels are written as they are.
    pub(crate) fn is_all(&self) -> bool {
        self.options == PixelOptions::default()
    }

    /// Returns whether the first rows are read with the last ones, so that shards would read them again.
    pub(crate) fn reads_rows_together(&self) -> bool {
        self.is_reduced
    }

    /// Returns the chosen pixels of a file. A nodata value of the caller is that of the result if values are converted.
    pub(crate) fn apply(
        &self,
        mut source: GeoTiffSource,
        nodata: Option<Option<Nodata>>,
    ) -> Result<Box<dyn RasterSource>> {
        let mut options = self.options.clone();
        match nodata {
            Some(Some(nodata)) if options.converts() => options = options.converted_nodata(nodata),
            Some(nodata) => source.set_nodata(nodata)?,
            None => {}
        }
        Ok(options.apply(source)?)
    }
}

/// Reads a band: a number, counted from 1, or a description.
fn band(given: &Given) -> Result<BandChoice> {
    if let Some(text) = given.value().as_string() {
        return Ok(BandChoice::Description(text));
    }
    let number = given.whole()?.checked_sub(1).and_then(|number| u16::try_from(number).ok());
    let expected = "expected numbers of bands, counted from 1, or descriptions, such as [3, 2, 1] or 'red'";
    number.map_or_else(|| given.refuse(expected), |number| Ok(BandChoice::Number(number)))
}

/// Reads one mapping for all bands, or an array with one for each.
fn mappings(given: &Given) -> Result<Vec<Rescale>> {
    let items = given.items().unwrap_or_default();
    let of_bands = items.iter().all(|item| item.items().is_some()) && !items.is_empty();
    let mapping = |given: &Given| {
        let numbers = given.items().unwrap_or_default().iter().map(Given::finite).collect::<Result<Vec<_>>>()?;
        match numbers.as_slice() {
            &[low, high] => Ok(Rescale { from: (low, high), to: None }),
            &[low, high, first, last] => Ok(Rescale { from: (low, high), to: Some((first, last)) }),
            _ => given.refuse("expected minimum and maximum, and optionally the two values that they become"),
        }
    };
    if of_bands { items.iter().map(mapping).collect() } else { Ok(vec![mapping(given)?]) }
}
