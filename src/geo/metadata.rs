//! Metadata of a raster, in the form that GDAL stores in a GeoTIFF.

use std::collections::BTreeMap;

use crate::error::{Error, OptionField, Result};
use crate::tiff::{Tag, TagValue};

use super::ColorInterpretation;
use super::text::{escape, is_xml, shortest, unescape};

/// Metadata of a raster, apart from its georeferencing.
///
/// Values set here are checked and written in GDAL's form; values read from a file are passed through unchanged. Bands
/// are counted from 0.
///
/// ```
/// use cogsmith::{Metadata, Tag};
/// let mut metadata = Metadata::default();
/// metadata.set_item(None, "PROCESSING_LEVEL", "L2A")?;
/// metadata.set_description(0, "B04 & red")?;
/// metadata.set_scale(0, 0.0001)?;
/// metadata.set_offset(0, -0.1)?;
/// metadata.set_text(Tag::DATE_TIME, "2024:06:01 10:30:31")?;
/// assert_eq!((metadata.scale(0), metadata.description(0).as_deref()), (0.0001, Some("B04 & red")));
/// # Ok::<(), cogsmith::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Metadata {
    /// Items of GDAL's XML (tag 42112), in order.
    pub(crate) items: Vec<MetadataItem>,
    /// Tags passed through unchanged: texts such as `Software` and `Copyright`, resolution, ICC profile, XMP.
    pub(crate) tags: Vec<(Tag, TagValue)>,
    /// Color interpretations that were set; the plan turns them into items and tags.
    pub(crate) colors: BTreeMap<u16, ColorInterpretation>,
    /// One more than the highest band for which something was set.
    pub(crate) bands_named: u16,
}

impl PartialEq for Metadata {
    /// Compares the contents; `bands_named` does not count.
    fn eq(&self, other: &Self) -> bool {
        self.items == other.items && self.tags == other.tags && self.colors == other.colors
    }
}

/// An item of GDAL's XML (tag 42112).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MetadataItem {
    /// The name, such as `STATISTICS_MEAN`.
    pub name: String,
    /// The metadata domain, such as `RPC`; `None` is the default domain.
    pub domain: Option<String>,
    /// The band that the item describes, counted from 0; `None` for the whole raster.
    pub sample: Option<u32>,
    /// The item's meaning to GDAL, such as `scale`, `offset`, `unittype`, `description`, or `colorinterp`.
    pub role: Option<String>,
    /// The text between the tags, with one level of XML escaping undone. GDAL escapes values twice, so values from GDAL
    /// still contain `&amp;` for `&`; [`text`](Self::text) undoes that too.
    pub value: String,
}

/// Tags that are derived from image, georeferencing, and layout, and cannot be passed through.
const NOT_CARRIED: [Tag; 32] = [
    Tag::NEW_SUBFILE_TYPE,
    Tag::SUBFILE_TYPE,
    Tag::IMAGE_WIDTH,
    Tag::IMAGE_LENGTH,
    Tag::BITS_PER_SAMPLE,
    Tag::COMPRESSION,
    Tag::PHOTOMETRIC_INTERPRETATION,
    Tag::FILL_ORDER,
    Tag::STRIP_OFFSETS,
    Tag::ORIENTATION,
    Tag::SAMPLES_PER_PIXEL,
    Tag::ROWS_PER_STRIP,
    Tag::STRIP_BYTE_COUNTS,
    Tag::PLANAR_CONFIGURATION,
    Tag::PREDICTOR,
    Tag::COLOR_MAP,
    Tag::TILE_WIDTH,
    Tag::TILE_LENGTH,
    Tag::TILE_OFFSETS,
    Tag::TILE_BYTE_COUNTS,
    Tag::SUB_IFDS,
    Tag::EXTRA_SAMPLES,
    Tag::SAMPLE_FORMAT,
    Tag::MODEL_PIXEL_SCALE,
    Tag::MODEL_TIEPOINT,
    Tag::MODEL_TRANSFORMATION,
    Tag::GEO_KEY_DIRECTORY,
    Tag::GEO_DOUBLE_PARAMS,
    Tag::GEO_ASCII_PARAMS,
    Tag::GDAL_METADATA,
    Tag::GDAL_NODATA,
    Tag::RPC_COEFFICIENTS,
];

impl Metadata {
    /// Checks that everything can be written and read back unchanged; LONG8 values require BigTIFF.
    pub(crate) fn validate(&self, always_big: bool) -> Result<()> {
        let refuse = |reason: String| Err(Error::image(format!("metadata: {reason}")));
        for item in &self.items {
            let texts = [Some(&item.name), item.domain.as_ref(), item.role.as_ref(), Some(&item.value)];
            let bad = texts.into_iter().flatten().flat_map(|text| text.chars()).find(|&character| !is_xml(character));
            if let Some(bad) = bad {
                return refuse(format!("item {:?} contains {bad:?}, which XML does not allow; remove it", item.name));
            }
        }
        for (index, (tag, value)) in self.tags.iter().enumerate() {
            let name = tag.name().unwrap_or("unknown");
            if NOT_CARRIED.contains(tag) {
                return refuse(format!("tag {} ({name}) is derived from the image and cannot be set", tag.0));
            }
            if self.tags.iter().take(index).any(|(other, _)| other == tag) {
                return refuse(format!("tag {} ({name}) appears twice", tag.0));
            }
            if value.count() == 0 {
                return refuse(format!("tag {} ({name}) has no value", tag.0));
            }
            if matches!(value, TagValue::Long8(_)) && !always_big {
                return refuse(format!("tag {} ({name}) has LONG8 values, which need BigTIFF; turn it on", tag.0));
            }
        }
        Ok(())
    }

    /// Returns the items of GDAL's XML, in order.
    #[must_use]
    pub fn items(&self) -> &[MetadataItem] {
        &self.items
    }

    /// Returns the tags passed through unchanged.
    #[must_use]
    pub fn tags(&self) -> &[(Tag, TagValue)] {
        &self.tags
    }

    /// Sets an item of the raster in a domain, or in the default one (`None`), replacing any item of the same name.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidOption`](crate::ErrorKind::InvalidOption) for an empty name, characters that XML does not
    /// allow, and values that belong elsewhere: `AREA_OR_POINT`
    /// ([`GeoRef::with_pixel_is`](super::GeoRef::with_pixel_is)), `TIFFTAG_…` ([`set_text`](Self::set_text)), and the
    /// domains `IMAGE_STRUCTURE`, `RPC`, `COLOR_PROFILE`, `xml:XMP`.
    pub fn set_item(&mut self, domain: Option<&str>, name: &str, value: &str) -> Result<()> {
        let refuse = |reason: String| Err(Error::option(OptionField::Metadata, reason));
        let domain = domain.filter(|domain| !domain.is_empty());
        match domain.map(str::to_ascii_uppercase).as_deref() {
            None if name.eq_ignore_ascii_case("AREA_OR_POINT") => {
                return refuse(format!("{name} is part of the georeferencing; set the raster type instead"));
            }
            None if name.to_ascii_uppercase().starts_with("TIFFTAG_") => {
                return refuse(format!("{name} cannot be set here; only texts such as TIFFTAG_SOFTWARE can"));
            }
            Some(domain @ ("IMAGE_STRUCTURE" | "RPC" | "COLOR_PROFILE" | "XML:XMP")) => {
                return refuse(format!("the domain {domain} is derived from other parts of the file"));
            }
            _ => {}
        }
        self.put(Item { domain, sample: None, role: None, name, value })
    }

    /// Sets an item of a band in the default domain, replacing any item of the same name.
    ///
    /// # Errors
    /// As [`set_item`](Self::set_item).
    pub fn set_band_item(&mut self, band: u16, name: &str, value: &str) -> Result<()> {
        self.put(Item { domain: None, sample: Some(band), role: None, name, value })
    }

    /// Sets the band's scale factor (default 1). Pixel values are unchanged. Numbers are written as the shortest
    /// decimals that read back as the same value.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidOption`](crate::ErrorKind::InvalidOption) for 0 and numbers that are not finite.
    pub fn set_scale(&mut self, band: u16, scale: f64) -> Result<()> {
        check_scale(scale)?;
        self.set_quantity(band, scale, self.offset(band))
    }

    /// Sets the band's offset, which is added to scaled samples (default 0).
    ///
    /// # Errors
    /// [`ErrorKind::InvalidOption`](crate::ErrorKind::InvalidOption) for numbers that are not finite.
    pub fn set_offset(&mut self, band: u16, offset: f64) -> Result<()> {
        check_offset(offset)?;
        self.set_quantity(band, self.scale(band), offset)
    }

    /// GDAL writes both or neither.
    #[expect(clippy::float_cmp, reason = "the defaults are these numbers and no others")]
    fn set_quantity(&mut self, band: u16, scale: f64, offset: f64) -> Result<()> {
        let number = |value: f64| if scale == 1.0 && offset == 0.0 { String::new() } else { shortest(value) };
        self.put_role(band, ("OFFSET", "offset"), &number(offset))?;
        self.put_role(band, ("SCALE", "scale"), &number(scale))
    }

    /// Sets the unit of the band's quantities, such as `m`; an empty text removes it.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidOption`](crate::ErrorKind::InvalidOption) for characters that XML does not allow.
    pub fn set_unit(&mut self, band: u16, unit: &str) -> Result<()> {
        self.put_role(band, ("UNITTYPE", "unittype"), unit)
    }

    /// Sets the band's description, which is its name; an empty text removes it.
    ///
    /// # Errors
    /// As [`set_unit`](Self::set_unit).
    pub fn set_description(&mut self, band: u16, description: &str) -> Result<()> {
        self.put_role(band, ("DESCRIPTION", "description"), description)
    }

    /// Sets the band's color interpretation. The plan derives photometric interpretation and extra samples from it:
    /// `u8` and `u16` images that start with red, green, and blue become RGB, and an alpha band is tagged as alpha.
    pub fn set_color_interpretation(&mut self, band: u16, color: ColorInterpretation) {
        self.bands_named = self.bands_named.max(band.saturating_add(1));
        self.colors.insert(band, color);
        if color == ColorInterpretation::Alpha {
            // They counted pixels that are now transparent.
            self.drop_statistics();
        }
    }

    /// Sets the text of a tag: `DOCUMENT_NAME`, `IMAGE_DESCRIPTION`, `SOFTWARE`, `DATE_TIME` (as
    /// `2024:06:01 10:30:31`), `ARTIST`, `HOST_COMPUTER`, or `COPYRIGHT`. An empty text removes it.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidOption`](crate::ErrorKind::InvalidOption) for any other tag, a text that contains NUL, and a
    /// time in another format (TIFF 6.0 section 8).
    pub fn set_text(&mut self, tag: Tag, text: &str) -> Result<()> {
        if !TEXTS.iter().any(|(_, known)| *known == tag) {
            return Err(Error::option(OptionField::Metadata, format!("tag {} is not a text that can be set", tag.0)));
        }
        if text.contains('\0') {
            return Err(Error::option(OptionField::Metadata, "the text contains a NUL, which would end it; remove it"));
        }
        let is_time = text.len() == 19
            && text.bytes().zip(b"0000:00:00 00:00:00").all(|(byte, form)| match form {
                b'0' => byte.is_ascii_digit(),
                other => byte == *other,
            });
        if tag == Tag::DATE_TIME && !text.is_empty() && !is_time {
            return Err(Error::option(
                OptionField::Metadata,
                format!("'{text}' is not a time such as 2024:06:01 10:30:31"),
            ));
        }
        self.put_tag(tag, (!text.is_empty()).then(|| TagValue::Ascii(text.as_bytes().to_vec())));
        Ok(())
    }

    /// Sets the ICC profile (tag 34675); an empty one removes it.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidOption`](crate::ErrorKind::InvalidOption) if the bytes are not a profile: the first four
    /// bytes must be its size, and `acsp` must be at byte 36 (ICC.1 section 7.2).
    pub fn set_icc_profile(&mut self, profile: &[u8]) -> Result<()> {
        let size = profile.first_chunk().map(|size| u32::from_be_bytes(*size) as usize);
        let is_profile = profile.get(36..40) == Some(b"acsp") && profile.len() >= 128 && size == Some(profile.len());
        if !(profile.is_empty() || is_profile) {
            return Err(Error::option(OptionField::IccProfile, "not an ICC profile"));
        }
        self.put_tag(Tag::ICC_PROFILE, (!profile.is_empty()).then(|| TagValue::Undefined(profile.to_vec())));
        Ok(())
    }

    /// Sets the XMP packet (tag 700); an empty text removes it.
    pub fn set_xmp(&mut self, packet: &str) {
        self.put_tag(Tag::XMP, (!packet.is_empty()).then(|| TagValue::Byte(packet.as_bytes().to_vec())));
    }

    /// Returns the band's scale factor; 1 if none is set.
    #[must_use]
    pub fn scale(&self, band: u16) -> f64 {
        self.role(band, "scale").and_then(|item| item.value.trim().parse().ok()).unwrap_or(1.0)
    }

    /// Returns the band's offset; 0 if none is set.
    #[must_use]
    pub fn offset(&self, band: u16) -> f64 {
        self.role(band, "offset").and_then(|item| item.value.trim().parse().ok()).unwrap_or(0.0)
    }

    /// Returns the unit of the band's quantities.
    #[must_use]
    pub fn unit(&self, band: u16) -> Option<String> {
        self.role(band, "unittype").map(MetadataItem::text)
    }

    /// Returns the band's description, which is its name.
    #[must_use]
    pub fn description(&self, band: u16) -> Option<String> {
        self.role(band, "description").map(MetadataItem::text)
    }

    /// Removes everything that does not affect the meaning of pixels. Keeps scale, offset, unit, description, and color
    /// interpretation of bands, the ICC profile, and other tags that define colors and inks.
    pub fn strip(&mut self) {
        self.items.retain(|item| item.role.is_some());
        self.tags.retain(|(tag, _)| COLOR_TAGS.contains(tag));
    }

    /// Removes statistics that were computed over different pixels.
    pub(crate) fn drop_statistics(&mut self) {
        self.items.retain(|item| !item.is_statistic());
    }

    fn role(&self, band: u16, role: &str) -> Option<&MetadataItem> {
        let is_meant = |item: &&MetadataItem| item.sample == Some(band.into()) && item.role.as_deref() == Some(role);
        self.items.iter().find(is_meant)
    }

    /// Sets an item with a role, or removes it if the value is empty.
    fn put_role(&mut self, band: u16, (name, role): (&str, &str), value: &str) -> Result<()> {
        let item = Item { domain: None, sample: Some(band), role: Some(role), name, value };
        if !value.is_empty() {
            return self.put(item);
        }
        self.bands_named = self.bands_named.max(band.saturating_add(1));
        self.items.retain(|other| !item.replaces(other));
        Ok(())
    }

    /// Puts an item in place of the one that it replaces, or after those of its band and the bands before it.
    pub(super) fn put(&mut self, item: Item<'_>) -> Result<()> {
        let unspeakable = |text: &str| text.contains(|character| !is_xml(character));
        if item.name.is_empty() || [item.domain.unwrap_or_default(), item.name, item.value].into_iter().any(unspeakable)
        {
            let reason = "names must not be empty, and neither names nor values may contain control characters";
            return Err(Error::option(OptionField::Metadata, format!("'{}': {reason}", item.name.escape_debug())));
        }
        if let Some(band) = item.sample {
            self.bands_named = self.bands_named.max(band.saturating_add(1));
        }
        let mut value = String::new();
        escape(&mut value, item.value);
        let made = MetadataItem {
            name: item.name.to_owned(),
            domain: item.domain.map(str::to_owned),
            sample: item.sample.map(u32::from),
            role: item.role.map(str::to_owned),
            value,
        };
        if let Some(found) = self.items.iter_mut().find(|other| item.replaces(other)) {
            *found = made;
        } else {
            let place = self.items.iter().rposition(|other| other.sample <= made.sample).map_or(0, |place| place + 1);
            self.items.insert(place, made);
        }
        Ok(())
    }

    pub(super) fn put_tag(&mut self, tag: Tag, value: Option<TagValue>) {
        self.tags.retain(|(other, _)| *other != tag);
        self.tags.extend(value.map(|value| (tag, value)));
    }
}

/// Text tags, by the names that GDAL gives them as metadata.
pub const TEXTS: &[(&str, Tag)] = &[
    ("TIFFTAG_DOCUMENTNAME", Tag::DOCUMENT_NAME),
    ("TIFFTAG_IMAGEDESCRIPTION", Tag::IMAGE_DESCRIPTION),
    ("TIFFTAG_SOFTWARE", Tag::SOFTWARE),
    ("TIFFTAG_DATETIME", Tag::DATE_TIME),
    ("TIFFTAG_ARTIST", Tag::ARTIST),
    ("TIFFTAG_HOSTCOMPUTER", Tag::HOST_COMPUTER),
    ("TIFFTAG_COPYRIGHT", Tag::COPYRIGHT),
];

/// Tags that define colors and inks.
const COLOR_TAGS: [Tag; 6] = [
    Tag::ICC_PROFILE,
    Tag::WHITE_POINT,
    Tag::PRIMARY_CHROMATICITIES,
    Tag::TRANSFER_FUNCTION,
    Tag::INK_SET,
    Tag::INK_NAMES,
];

/// An item to set, with its unescaped value.
pub(super) struct Item<'a> {
    pub(super) domain: Option<&'a str>,
    pub(super) sample: Option<u16>,
    pub(super) role: Option<&'a str>,
    pub(super) name: &'a str,
    pub(super) value: &'a str,
}

impl Item<'_> {
    /// Returns whether an item has the same meaning for the same band: by its role, or else by its name and domain.
    fn replaces(&self, other: &MetadataItem) -> bool {
        let same_name = self.name == other.name && self.domain == other.domain.as_deref();
        other.sample == self.sample.map(u32::from)
            && self.role == other.role.as_deref()
            && (self.role.is_some() || same_name)
    }
}

impl MetadataItem {
    /// Returns the unescaped value.
    #[must_use]
    pub fn text(&self) -> String {
        unescape(&self.value)
    }

    /// Returns whether the item is one of GDAL's statistics.
    pub(crate) fn is_statistic(&self) -> bool {
        self.domain.is_none() && self.name.starts_with("STATISTICS_")
    }
}

/// Checks a band's scale factor.
pub(super) fn check_scale(scale: f64) -> Result<()> {
    if scale.is_finite() && scale != 0.0 {
        return Ok(());
    }
    Err(Error::option(OptionField::Scale, format!("must be finite and nonzero, got {scale}")))
}

/// Checks a band's offset.
pub(super) fn check_offset(offset: f64) -> Result<()> {
    if offset.is_finite() {
        return Ok(());
    }
    Err(Error::option(OptionField::Offset, format!("must be finite, got {offset}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geo::text::gdal_xml;

    fn item(name: &str, value: &str) -> MetadataItem {
        MetadataItem { name: name.to_owned(), domain: None, sample: None, role: None, value: value.to_owned() }
    }

    #[test]
    fn what_no_file_can_hold_is_refused() {
        let said = |items: Vec<MetadataItem>, tags: Vec<(Tag, TagValue)>, always_big| {
            Metadata { items, tags, ..Metadata::default() }
                .validate(always_big)
                .err()
                .map(|error| error.to_string())
                .unwrap_or_default()
        };
        let text = || TagValue::Ascii(b"x".to_vec());
        assert!(said(vec![item("A", "bell \u{7}")], vec![], false).contains("item \"A\""));
        assert_eq!(said(vec![item("A\n\t", "\u{10FFFF} \r\n")], vec![(Tag::SOFTWARE, text())], false), "");
        assert!(said(vec![], vec![(Tag::TILE_OFFSETS, text())], false).contains("TileOffsets"));
        assert!(said(vec![], vec![(Tag::SOFTWARE, text()), (Tag::SOFTWARE, text())], false).contains("twice"));
        assert!(said(vec![], vec![(Tag::ICC_PROFILE, TagValue::Undefined(vec![]))], false).contains("no value"));
        let long = || vec![(Tag(65_000), TagValue::Long8(vec![1]))];
        assert!(said(vec![], long(), false).contains("BigTIFF"));
        assert_eq!(said(vec![], long(), true), "");
    }

    #[test]
    fn breaks_in_attributes_stay() {
        let text = gdal_xml([item("a\n\tb", "c\nd")].iter()).unwrap();
        assert!(text.contains("<Item name=\"a&#10;&#9;b\">c\nd</Item>"));
    }

    #[test]
    fn what_is_set_stands_as_gdal_writes_it() {
        let mut metadata = Metadata::default();
        metadata.set_unit(1, "m & s").unwrap();
        metadata.set_item(None, "A", "1 < 2\r\n").unwrap();
        metadata.set_scale(0, 0.0001).unwrap();
        metadata.set_band_item(0, "K", "old").unwrap();
        metadata.set_band_item(0, "K", "new").unwrap();
        metadata.set_item(Some("D"), "A", "").unwrap();
        let expected = "<GDALMetadata>\n  <Item name=\"A\">1 &amp;lt; 2&amp;#13;\n</Item>\n  \
                        <Item name=\"A\" domain=\"D\"></Item>\n  \
                        <Item name=\"OFFSET\" sample=\"0\" role=\"offset\">0</Item>\n  \
                        <Item name=\"SCALE\" sample=\"0\" role=\"scale\">0.0001</Item>\n  \
                        <Item name=\"K\" sample=\"0\">new</Item>\n  \
                        <Item name=\"UNITTYPE\" sample=\"1\" role=\"unittype\">m &amp;amp; s</Item>\n</GDALMetadata>\n";
        assert_eq!(gdal_xml(metadata.items.iter()).as_deref(), Some(expected));
        assert_eq!((metadata.scale(0), metadata.offset(0), metadata.scale(1)), (0.0001, 0.0, 1.0));
        assert_eq!((metadata.unit(1).as_deref(), metadata.bands_named), (Some("m & s"), 2));
        assert_eq!(metadata.items[0].text(), "1 < 2\r\n");
        metadata.set_scale(0, 1.0).unwrap();
        metadata.set_unit(1, "").unwrap();
        assert_eq!(metadata.items.len(), 3);
        metadata.set_description(2, "\u{e9}").unwrap();
        metadata.strip();
        assert_eq!(metadata.description(2).as_deref(), Some("\u{e9}"));
        assert_eq!(metadata.items.len(), 1);
    }

    #[test]
    fn what_has_another_place_or_none_is_refused() {
        let mut metadata = Metadata::default();
        for (domain, name, value) in [
            (None, "", "x"),
            (None, "A", "\u{1}"),
            (None, "AREA_OR_POINT", "Point"),
            (None, "TIFFTAG_XRESOLUTION", "72"),
            (Some("RPC"), "LINE_OFF", "1"),
            (Some("IMAGE_STRUCTURE"), "COMPRESSION", "LZW"),
        ] {
            assert!(metadata.set_item(domain, name, value).is_err(), "{name}");
        }
        assert!(metadata.set_scale(0, 0.0).is_err() && metadata.set_offset(0, f64::NAN).is_err());
        assert!(metadata.set_text(Tag::DATE_TIME, "2024-06-01").is_err());
        assert!(metadata.set_text(Tag::IMAGE_WIDTH, "7").is_err());
        assert!(metadata.set_icc_profile(b"profile").is_err());
        assert_eq!(metadata, Metadata::default());
    }
}
