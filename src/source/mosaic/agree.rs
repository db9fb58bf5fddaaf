//! The properties that inputs must have in common, and those that a mosaic takes from them.

use crate::error::{ErrorKind, OptionField, Result};
use crate::geo::{GeoRef, Metadata, colors};
use crate::spec::{ImageSpec, Photometric};

/// Names that a warning lists.
const MAX_NAMES: usize = 5;
/// Different warnings of inputs that are passed on.
const MAX_WARNINGS: usize = 20;

/// An input's name and description, as the header says.
pub(crate) struct Described {
    pub(crate) name: String,
    pub(crate) spec: ImageSpec,
    pub(crate) geo: GeoRef,
    pub(crate) metadata: Metadata,
    pub(crate) warnings: Vec<String>,
}

/// The description of the first input, and what all others share with it.
pub(super) struct Agreement {
    pub(super) first: Described,
    /// True if any input has a mask.
    pub(super) has_mask: bool,
    /// Names of metadata that not all inputs have.
    left_out: Vec<String>,
    /// Warnings, the input that has each, and the number of others that have it too.
    warnings: Vec<(String, String, usize)>,
    count: usize,
}

impl Agreement {
    /// Begins with the first input.
    pub(super) fn new(mut first: Described) -> Self {
        let (has_mask, warnings) = (first.spec.mask, std::mem::take(&mut first.warnings));
        let mut agreement = Self { first, has_mask, left_out: Vec::new(), warnings: Vec::new(), count: 1 };
        let name = agreement.first.name.clone();
        agreement.collect(&name, warnings);
        agreement
    }

    /// Adds an input.
    ///
    /// # Errors
    /// [`ErrorKind::Mismatch`] if it does not fit the first one.
    pub(super) fn add(&mut self, other: &mut Described) -> Result<()> {
        if let Some((reason, option)) = difference(&self.first, other) {
            let (first, second) = (self.first.name.clone(), other.name.clone());
            return Err(ErrorKind::Mismatch { first, second, reason, option }.into());
        }
        if self.count == 1 {
            // They are those of one input.
            self.first.metadata.drop_statistics();
        }
        self.count += 1;
        other.metadata.drop_statistics();
        self.has_mask |= other.spec.mask;
        for name in self.first.metadata.keep_common(&other.metadata) {
            if !self.left_out.contains(&name) {
                self.left_out.push(name);
            }
        }
        self.collect(&other.name, std::mem::take(&mut other.warnings));
        Ok(())
    }

    fn collect(&mut self, name: &str, warnings: Vec<String>) {
        for warning in warnings {
            if let Some((.., count)) = self.warnings.iter_mut().find(|(known, ..)| *known == warning) {
                *count += 1;
            } else if self.warnings.len() < MAX_WARNINGS {
                self.warnings.push((warning, name.to_owned(), 0));
            }
        }
    }

    /// Returns the warnings of all inputs, and one about metadata that was left out.
    pub(super) fn warnings(&self) -> Vec<String> {
        let others = |count: usize| match count {
            0 => String::new(),
            1 => " (1 other input has the same warning)".to_owned(),
            count => format!(" ({count} other inputs have the same warning)"),
        };
        let of_inputs = self.warnings.iter().map(|(text, name, count)| format!("'{name}': {text}{}", others(*count)));
        let mut all: Vec<String> = of_inputs.collect();
        if !self.left_out.is_empty() {
            let names = self.left_out.iter().take(MAX_NAMES).cloned().collect::<Vec<_>>().join(", ");
            let more = self.left_out.len().saturating_sub(MAX_NAMES);
            let more = if more == 0 { String::new() } else { format!(", and {more} more") };
            all.push(format!("metadata that differs between the inputs is left out: {names}{more}"));
        }
        all
    }
}

/// Returns how the nodata values of two inputs differ.
pub(super) fn nodata_difference(one: &ImageSpec, two: &ImageSpec) -> Option<String> {
    let text = |spec: &ImageSpec| spec.nodata.map_or("none".to_owned(), |nodata| nodata.as_f64().to_string());
    let is_same = super::super::overridden::same_nodata(one.nodata, two.nodata);
    (!is_same).then(|| format!("nodata values {} and {}", text(one), text(two)))
}

/// Returns how the coordinate reference systems of two inputs differ.
pub(super) fn crs_difference(one: &GeoRef, two: &GeoRef) -> Option<String> {
    let is_same = match (one.keys(), two.keys()) {
        (Some(one), Some(two)) => one.same_crs(two),
        (one, two) => one.is_none() && two.is_none(),
    };
    let code = |geo: &GeoRef| match geo.keys() {
        None => "none".to_owned(),
        Some(keys) => keys.crs_code().map_or("one without an EPSG code".to_owned(), |code| format!("EPSG:{code}")),
    };
    (!is_same).then(|| format!("coordinate reference systems {} and {}", code(one), code(two)))
}

/// Returns how the samples of two images differ in number or type, and the option that settles it.
pub(super) fn sample_difference(one: &ImageSpec, two: &ImageSpec) -> Option<(String, Option<OptionField>)> {
    if one.bands != two.bands {
        return Some((format!("{} and {} bands", one.bands, two.bands), Some(OptionField::Bands)));
    }
    if one.data_type != two.data_type {
        let reason = format!("data types {} and {}", one.data_type, two.data_type);
        return Some((reason, Some(OptionField::DataType)));
    }
    let reason = || format!("{} and {} bits per sample", one.bits(), two.bits());
    (one.bits() != two.bits()).then(|| (reason(), Some(OptionField::BitsPerSample)))
}

/// Returns how the palettes of two images differ.
pub(super) fn palette_difference(one: &ImageSpec, two: &ImageSpec) -> Option<&'static str> {
    let reason = match (one.has_color_map(), two.has_color_map()) {
        (true, true) => "their palettes have other colors",
        _ => "one has a palette and the other does not",
    };
    (one.color_map != two.color_map).then_some(reason)
}

/// Returns what keeps two inputs from being parts of one image, and the option that settles it.
fn difference(first: &Described, other: &Described) -> Option<(String, Option<OptionField>)> {
    let (one, two) = (&first.spec, &other.spec);
    if let Some(difference) = sample_difference(one, two) {
        return Some(difference);
    }
    if let Some(reason) = nodata_difference(one, two) {
        return Some((reason, Some(OptionField::Nodata)));
    }
    if let Some(reason) = palette_difference(one, two) {
        return Some((reason.to_owned(), Some(OptionField::ExpandPalette)));
    }
    if let Some(reason) = crs_difference(&first.geo, &other.geo) {
        return Some((reason, Some(OptionField::Crs)));
    }
    let colors = |input: &Described| colors::of(&input.spec, &input.metadata);
    // RGB or not is also in the interpretation of bands.
    let photometric = |spec: &ImageSpec| match spec.photometric {
        Photometric::Rgb => Photometric::MinIsBlack,
        other => other,
    };
    if colors(first) != colors(other) || photometric(one) != photometric(two) {
        let text = |input: &Described| {
            let names: Vec<_> = colors(input).iter().map(|color| color.name().to_ascii_lowercase()).collect();
            names.join(",")
        };
        let reason = if colors(first) == colors(other) {
            format!("photometric interpretations {:?} and {:?}", one.photometric, two.photometric)
        } else {
            format!("color interpretations {} and {}", text(first), text(other))
        };
        return Some((reason, Some(OptionField::ColorInterpretation)));
    }
    (0..one.bands).find_map(|band| {
        let number = u32::from(band) + 1;
        let (own, others) = (&first.metadata, &other.metadata);
        let differ = |one: f64, two: f64| one.to_bits() != two.to_bits();
        if differ(own.scale(band), others.scale(band)) {
            let reason = format!("scales {} and {} of band {number}", own.scale(band), others.scale(band));
            return Some((reason, Some(OptionField::Scale)));
        }
        if differ(own.offset(band), others.offset(band)) {
            let reason = format!("offsets {} and {} of band {number}", own.offset(band), others.offset(band));
            return Some((reason, Some(OptionField::Offset)));
        }
        let unit = |metadata: &Metadata| metadata.unit(band).unwrap_or_default();
        (unit(own) != unit(others)).then(|| {
            let reason = format!("units '{}' and '{}' of band {number}", unit(own), unit(others));
            (reason, Some(OptionField::Unit))
        })
    })
}
