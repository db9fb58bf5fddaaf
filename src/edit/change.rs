//! The tags that an edit changes. The image is described before and after, as the tags of a new file would; only tags that
//! differ are replaced, so all others stay as they are stored.

use std::collections::BTreeMap;
use std::fmt;

use crate::error::{Error, OptionField, Result};
use crate::geo::text::{gdal_xml, nodata_text};
use crate::geo::{GeoRef, Metadata, MetadataItem, PixelIs, colors};
use crate::source::geotiff::{GeoTiffSource, ReadOptions, metadata_items};
use crate::source::{RasterSource, set_nodata};
use crate::spec::ImageSpec;
use crate::tiff::{Tag, TagValue};
use crate::view::PixelSource;

use super::options::{CopyPart, EditOptions, EditPart};
use super::pyramid::Pyramid;

/// Tags that all levels share.
const ALL_LEVELS: [Tag; 3] = [Tag::GDAL_NODATA, Tag::PHOTOMETRIC_INTERPRETATION, Tag::EXTRA_SAMPLES];

/// The domain of GDAL's items about the structure of the file.
const STRUCTURE: &str = "IMAGE_STRUCTURE";

/// A tag of full resolution that an edit changes.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct TagChange {
    /// The tag.
    pub tag: Tag,
    /// The value before; `None` if the tag is added.
    pub before: Option<TagValue>,
    /// The value after; `None` if the tag is removed.
    pub after: Option<TagValue>,
}

impl fmt::Display for TagChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.tag.name().unwrap_or("unknown");
        match (&self.before, &self.after) {
            (None, Some(after)) => write!(f, "add {name} ({}): {}", self.tag.0, shown(after)),
            (Some(before), None) => write!(f, "remove {name} ({}): {}", self.tag.0, shown(before)),
            (before, after) => {
                let [before, after] = [before, after].map(|value| value.as_ref().map(shown).unwrap_or_default());
                write!(f, "change {name} ({}): {before} to {after}", self.tag.0)
            }
        }
    }
}

/// Returns a value on one line.
fn shown(value: &TagValue) -> String {
    match value {
        TagValue::Ascii(text) if text.len() <= 80 => format!("{:?}", String::from_utf8_lossy(text)),
        value if value.count() > 16 => format!("{} values", value.count()),
        TagValue::Short(items) => format!("{items:?}"),
        TagValue::Long(items) => format!("{items:?}"),
        TagValue::Double(items) => format!("{items:?}"),
        value => format!("{} values", value.count()),
    }
}

/// The description of an image.
#[derive(Debug, Clone)]
pub(super) struct Described {
    pub(super) spec: ImageSpec,
    pub(super) geo: GeoRef,
    pub(super) metadata: Metadata,
}

impl Described {
    /// Applies an edit.
    ///
    /// # Errors
    /// The errors of the options, such as a nodata value that the samples cannot have.
    pub(super) fn edited(mut self, options: &EditOptions) -> Result<Self> {
        if let Some((path, parts)) = &options.copy_from {
            let other = GeoTiffSource::open(path, &ReadOptions::new())?;
            parts.iter().try_for_each(|part| self.copy(&other, *part))?;
        }
        let Self { spec, geo, metadata } = &mut self;
        if let Some(nodata) = options.nodata {
            set_nodata(spec, metadata, nodata)?;
        }
        for part in &options.remove {
            match part {
                EditPart::Crs => remove_crs(geo),
                EditPart::Transform => geo.placement = crate::geo::Placement::None,
                EditPart::Rpc => geo.rpc = None,
                EditPart::IccProfile => metadata.set_icc_profile(&[])?,
                EditPart::Xmp => metadata.set_xmp(""),
            }
        }
        if let Some(crs) = &options.crs {
            *geo = std::mem::take(geo).with_crs(crs)?;
        }
        for (domain, name) in &options.remove_items {
            let before = (metadata.items.len(), metadata.tags.len());
            let is_meant = |item: &MetadataItem| {
                item.role.is_none() && item.domain.as_deref() == domain.as_deref() && item.name == *name
            };
            metadata.items.retain(|item| !is_meant(item));
            if let (None, Some((_, tag))) =
                (domain, crate::geo::metadata::TEXTS.iter().find(|(text, _)| text.eq_ignore_ascii_case(name)))
            {
                metadata.tags.retain(|(other, _)| other != tag);
            }
            if before == (metadata.items.len(), metadata.tags.len()) {
                return Err(Error::option(OptionField::Metadata, format!("there is no item {name} to remove")));
            }
        }
        if let Some(profile) = &options.icc_profile {
            metadata.set_icc_profile(profile)?;
        }
        *geo = options.overrides.apply(std::mem::take(geo), metadata, (spec.width, spec.height), spec.bands)?;
        colors::settle(spec, metadata)?;
        Ok(self)
    }

    /// Copies a part of another image's description.
    fn copy(&mut self, other: &GeoTiffSource, part: CopyPart) -> Result<()> {
        let Self { spec, geo, metadata } = self;
        let theirs = other.spec();
        match part {
            CopyPart::Crs => match other.geo().keys.clone() {
                Some(keys) => geo.keys = Some(keys.with_pixel_is(geo.pixel_is())),
                None => remove_crs(geo),
            },
            CopyPart::Transform => {
                if (theirs.width, theirs.height) != (spec.width, spec.height) {
                    let reason = format!(
                        "the other file has {}x{} pixels, this one {}x{}, so its transform does not fit",
                        theirs.width, theirs.height, spec.width, spec.height
                    );
                    return Err(Error::option(OptionField::Transform, reason));
                }
                geo.placement = other.geo().clone().with_pixel_is(geo.pixel_is()).placement;
            }
            CopyPart::Rpc => geo.rpc.clone_from(&other.geo().rpc),
            CopyPart::Nodata => set_nodata(spec, metadata, theirs.nodata)?,
            CopyPart::Metadata => {
                if theirs.bands != spec.bands {
                    let reason = format!("the other file and this one have {} and {} bands", theirs.bands, spec.bands);
                    return Err(Error::option(OptionField::Metadata, reason));
                }
                let is_copied =
                    |item: &MetadataItem| !item.is_statistic() && item.role.as_deref() != Some("colorinterp");
                metadata.items.retain(|item| !is_copied(item));
                metadata.items.extend(other.metadata().items.iter().filter(|item| is_copied(item)).cloned());
                let is_text = |tag| crate::geo::metadata::TEXTS.iter().any(|(_, text)| *text == tag);
                copy_tags(metadata, other.metadata(), is_text);
            }
            CopyPart::IccProfile => copy_tags(metadata, other.metadata(), |tag| tag == Tag::ICC_PROFILE),
            CopyPart::Xmp => copy_tags(metadata, other.metadata(), |tag| tag == Tag::XMP),
        }
        Ok(())
    }

    /// Returns the tags of full resolution that describe the image.
    fn tags(&self, structure: &[MetadataItem]) -> BTreeMap<Tag, TagValue> {
        let Self { spec, geo, metadata } = self;
        let mut tags: BTreeMap<Tag, TagValue> = geo.tags().into_iter().collect();
        tags.extend(metadata.tags.iter().cloned());
        if let Some(xml) = gdal_xml(metadata.items.iter().chain(structure)) {
            tags.insert(Tag::GDAL_METADATA, TagValue::Ascii(xml.into_bytes()));
        }
        if let Some(nodata) = &spec.nodata {
            tags.insert(Tag::GDAL_NODATA, TagValue::Ascii(nodata_text(nodata, spec.data_type).into_bytes()));
        }
        tags.insert(Tag::PHOTOMETRIC_INTERPRETATION, TagValue::Short(vec![spec.photometric.code()]));
        let extra: Vec<u16> = spec.all_extra_samples().iter().map(|extra| extra.code()).collect();
        if !extra.is_empty() {
            tags.insert(Tag::EXTRA_SAMPLES, TagValue::Short(extra));
        }
        tags
    }
}

/// Replaces tags by those of other metadata.
fn copy_tags(metadata: &mut Metadata, other: &Metadata, is_copied: impl Fn(Tag) -> bool) {
    metadata.tags.retain(|(tag, _)| !is_copied(*tag));
    metadata.tags.extend(other.tags.iter().filter(|(tag, _)| is_copied(*tag)).cloned());
}

/// Removes the CRS. The raster stays in place, so a raster type of point stays too.
fn remove_crs(geo: &mut GeoRef) {
    let pixel_is = geo.pixel_is();
    geo.keys = None;
    if pixel_is == PixelIs::Point {
        let placement = std::mem::take(&mut geo.placement);
        *geo = std::mem::take(geo).with_pixel_is(PixelIs::Point);
        geo.placement = placement;
    }
}

/// Returns the changes that turn one description into another.
///
/// # Errors
/// [`ErrorKind::InvalidOption`](crate::ErrorKind::InvalidOption) for colors that the tiles do not have;
/// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) if the XML that would be replaced cannot be read.
pub(super) fn changes(pyramid: &Pyramid, before: &Described, after: &Described) -> Result<Vec<TagChange>> {
    let stored = &pyramid.full().tags;
    let xml = match stored.get(&Tag::GDAL_METADATA) {
        Some(TagValue::Ascii(text)) => metadata_items(&String::from_utf8_lossy(text)),
        _ => Ok(Vec::new()),
    };
    let structure: Vec<_> =
        xml.iter().flatten().filter(|item| item.domain.as_deref() == Some(STRUCTURE)).cloned().collect();
    let (before, after) = (before.tags(&structure), after.tags(&structure));
    let mut tags: Vec<Tag> = before.keys().chain(after.keys()).copied().collect();
    tags.sort_unstable();
    tags.dedup();
    let mut changes = Vec::new();
    for tag in tags.into_iter().filter(|tag| before.get(tag) != after.get(tag)) {
        if tag == Tag::PHOTOMETRIC_INTERPRETATION && pyramid.full().number(tag) == Some(6) {
            let reason = "the tiles store colors as YCbCr, so the first bands are red, green, and blue";
            return Err(Error::option(OptionField::ColorInterpretation, reason));
        }
        if tag == Tag::GDAL_METADATA
            && let Err(reason) = &xml
        {
            return Err(Error::corrupt("tag 42112 (GDAL_METADATA)", reason.clone()));
        }
        let (before, after) = (stored.get(&tag).cloned(), after.get(&tag).cloned());
        if before != after {
            changes.push(TagChange { tag, before, after });
        }
    }
    Ok(changes)
}

/// Fills changed metadata with spaces up to the old length if that was done before, as this library does for statistics whose
/// length it did not know.
#[cfg(feature = "mosaic")]
pub(super) fn keep_lengths(changes: &mut [TagChange]) {
    for change in changes {
        if let (Tag::GDAL_METADATA, Some(TagValue::Ascii(before)), Some(TagValue::Ascii(after))) =
            (change.tag, &change.before, &mut change.after)
            && before.ends_with(b" ")
            && after.len() < before.len()
        {
            after.resize(before.len(), b' ');
        }
    }
}

/// Applies changes to the directories of all levels that they concern.
pub(super) fn apply(changes: &[TagChange], pyramid: &mut Pyramid) {
    for change in changes {
        let levels = if ALL_LEVELS.contains(&change.tag) { pyramid.levels.len() } else { 1 };
        for level in pyramid.levels.iter_mut().take(levels) {
            level.image.set(change.tag, change.after.clone());
        }
    }
}
