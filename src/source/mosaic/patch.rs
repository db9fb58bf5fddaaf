//! Rasters whose pixels replace those of a larger one on the same grid.

use crate::error::{Error, ErrorKind, OptionField, Result};
use crate::grid::Rectangle;
use crate::spec::ImageSpec;

pub(crate) use super::agree::Described;
use super::agree::{crs_difference, nodata_difference, palette_difference, sample_difference};
use super::grid::{Placed, corner};
use super::{Cover, MosaicSource, PlacedInput, SourceInput, describe};

/// A raster at its place in a larger one.
#[derive(Debug)]
pub(crate) struct Update<'a> {
    input: SourceInput<'a>,
    /// Its description, with its own nodata value.
    spec: ImageSpec,
    /// The pixels of the larger raster that it covers.
    pub(crate) rectangle: Rectangle,
    /// Doubts about it, one sentence each.
    pub(crate) warnings: Vec<String>,
}

impl<'a> Update<'a> {
    /// Reads the header of an input, and places it in `base`.
    ///
    /// # Errors
    /// [`ErrorKind::Mismatch`] if it does not fit; [`ErrorKind::InvalidImage`] without a transform.
    pub(crate) fn place(base: &Described, input: SourceInput<'a>, replace_all: bool) -> Result<Self> {
        let update = describe(&input)?;
        let mismatch = |(reason, option): (String, Option<OptionField>)| -> Error {
            let (first, second) = (base.name.clone(), update.name.clone());
            ErrorKind::Mismatch { first, second, reason, option }.into()
        };
        if let Some(difference) = difference(base, &update, replace_all) {
            return Err(mismatch(difference));
        }
        let placed = |one: &Described| {
            let missing = || Error::image("there is no transform to place it by").in_input(&one.name);
            let transform = one.geo.transform().ok_or_else(missing)?;
            Ok::<_, Error>(Placed { name: one.name.clone(), size: (one.spec.width, one.spec.height), transform })
        };
        let (column, row) = corner(&placed(base)?, &placed(&update)?)?;
        let side = |start: i64, count: u32, limit: u32| {
            let end = u32::try_from(start.checked_add(i64::from(count))?).ok()?;
            (end <= limit).then_some(u32::try_from(start).ok()?..end)
        };
        let (width, height) = (update.spec.width, update.spec.height);
        let (columns, rows) = (side(column, width, base.spec.width), side(row, height, base.spec.height));
        let (Some(columns), Some(rows)) = (columns, rows) else {
            let (right, bottom) = (column + i64::from(width), row + i64::from(height));
            let (all, down) = (base.spec.width, base.spec.height);
            let reason = format!(
                "the second one covers columns {column} to {right} and rows {row} to {bottom} of the first, which has \
                 {all} columns and {down} rows"
            );
            return Err(mismatch((reason, None)));
        };
        let warnings = update.warnings.iter().map(|text| format!("'{}': {text}", update.name)).collect();
        Ok(Self { input, spec: update.spec, rectangle: Rectangle { columns, rows }, warnings })
    }

    /// Returns the update as pixels to put over a window of an image with this description.
    pub(crate) fn over(self, spec: &ImageSpec, window: &Rectangle, replace_all: bool) -> MosaicSource<'a> {
        // Pixels are valid by the update's nodata and mask, and by alpha of the image.
        let (nodata, mask) = (self.spec.nodata, self.spec.mask || spec.mask);
        let spec = ImageSpec { width: window.width(), height: window.height(), nodata, mask, ..spec.clone() };
        let within = |range: &std::ops::Range<u32>, start: u32| range.start - start..range.end - start;
        let rectangle = Rectangle {
            columns: within(&self.rectangle.columns, window.columns.start),
            rows: within(&self.rectangle.rows, window.rows.start),
        };
        let cover = if replace_all { Cover::Replace } else { Cover::Data };
        let input = PlacedInput { input: self.input, rectangle, has_mask: self.spec.mask, cover };
        MosaicSource::placed(spec, vec![input], 1)
    }
}

/// Returns what keeps a raster from replacing pixels of another one, and the option that settles it.
fn difference(base: &Described, update: &Described, replace_all: bool) -> Option<(String, Option<OptionField>)> {
    let (one, two) = (&base.spec, &update.spec);
    if let Some(difference) = sample_difference(one, two) {
        return Some(difference);
    }
    if let Some(reason) = crs_difference(&base.geo, &update.geo) {
        return Some((reason, Some(OptionField::Crs)));
    }
    if let Some(reason) = palette_difference(one, two) {
        return Some((reason.to_owned(), None));
    }
    // A pixel without data has to stay one: a nodata value without one in the other raster means that none of the pixels
    // that replace others has it, unless all pixels do.
    let is_lost = match (one.nodata, two.nodata) {
        (_, None) => false,
        // NaN is never data.
        (_, Some(nodata)) if nodata.as_f64().is_nan() => false,
        (None, Some(_)) => replace_all,
        (Some(_), Some(_)) => true,
    };
    if let Some(reason) = nodata_difference(one, two).filter(|_| is_lost) {
        return Some((reason, Some(OptionField::Nodata)));
    }
    if replace_all && two.mask && !one.mask {
        return Some(("the second one has a mask, and the first does not".to_owned(), Some(OptionField::Mask)));
    }
    (0..one.bands).find_map(|band| {
        let number = u32::from(band) + 1;
        let (own, others) = (&base.metadata, &update.metadata);
        // Rasters without scale and offset have the values as they are stored.
        let differ =
            |one: f64, two: f64, default: f64| one.to_bits() != two.to_bits() && two.to_bits() != default.to_bits();
        if differ(own.scale(band), others.scale(band), 1.0) {
            let reason = format!("scales {} and {} of band {number}", own.scale(band), others.scale(band));
            return Some((reason, Some(OptionField::Scale)));
        }
        differ(own.offset(band), others.offset(band), 0.0).then(|| {
            let reason = format!("offsets {} and {} of band {number}", own.offset(band), others.offset(band));
            (reason, Some(OptionField::Offset))
        })
    })
}
