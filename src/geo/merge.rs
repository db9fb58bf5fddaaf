//! Merging of metadata from a second source that takes precedence, as GDAL merges auxiliary metadata.

use crate::error::Result;
use crate::tiff::{Tag, TagValue};

use super::Metadata;
use super::metadata::{Item, TEXTS};

impl Metadata {
    /// Sets an item of the raster or of a band. As in GDAL, names and domains are case-insensitive. Returns the old
    /// text if it was different.
    pub(crate) fn merge_item(
        &mut self,
        domain: Option<&str>,
        band: Option<u16>,
        name: &str,
        value: &str,
    ) -> Result<Option<String>> {
        let same = |text: Option<&str>, other: Option<&str>| match (text, other) {
            (Some(text), Some(other)) => text.eq_ignore_ascii_case(other),
            (text, other) => text == other,
        };
        let found = self.items.iter().position(|item| {
            item.role.is_none()
                && item.sample == band.map(u32::from)
                && same(item.domain.as_deref(), domain)
                && item.name.eq_ignore_ascii_case(name)
        });
        let old = found.map(|index| self.items.remove(index).text());
        self.put(Item { domain, sample: band, role: None, name, value })?;
        Ok(old.filter(|old| old != value))
    }

    /// Sets the text of a tag by GDAL's name for it, such as `TIFFTAG_SOFTWARE`, and returns the old text if it was
    /// different. `None` if no tag has that name.
    pub(crate) fn merge_text(&mut self, name: &str, value: &str) -> Option<Option<String>> {
        let &(_, tag) = TEXTS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        let new = TagValue::Ascii(value.as_bytes().to_vec());
        let old = self.tags.iter().find(|(other, old)| *other == tag && *old != new);
        let old = old.and_then(|(_, old)| match old {
            TagValue::Ascii(text) => Some(String::from_utf8_lossy(text).into_owned()),
            _ => None,
        });
        self.put_tag(tag, Some(new));
        Some(old)
    }

    /// Returns whether a domain of the raster or of a band has an item.
    pub(crate) fn has_domain(&self, domain: &str, band: Option<u16>) -> bool {
        let is_in = |own: &str| own.eq_ignore_ascii_case(domain);
        self.items.iter().any(|item| item.sample == band.map(u32::from) && item.domain.as_deref().is_some_and(is_in))
    }

    /// Returns whether a tag is present.
    pub(crate) fn has_tag(&self, tag: Tag) -> bool {
        self.tags.iter().any(|(other, _)| *other == tag)
    }
}
