//! Metadata of a raster: GDAL's XML (tag 42112), and tags that are carried over unchanged.

use crate::error::Result;
use crate::geo::{Metadata, MetadataItem};
use crate::tiff::file::{Directory, TiffFile};
use crate::tiff::{Tag, TagValue};

/// The forms of values of carried tags.
#[derive(Clone, Copy)]
enum Form {
    Text,
    /// Texts separated by NUL.
    Texts,
    Short,
    Rational,
    Bytes,
    Undefined,
}

/// Tags that are read elsewhere, but cause a warning here if they cannot be read.
const CARRIED_ELSEWHERE: [Tag; 9] = [
    Tag::GDAL_METADATA,
    Tag::GDAL_NODATA,
    Tag::GEO_KEY_DIRECTORY,
    Tag::GEO_DOUBLE_PARAMS,
    Tag::GEO_ASCII_PARAMS,
    Tag::MODEL_PIXEL_SCALE,
    Tag::MODEL_TIEPOINT,
    Tag::MODEL_TRANSFORMATION,
    Tag::RPC_COEFFICIENTS,
];

/// The carried tags, and the forms of their values in their specifications.
const CARRIED: [(Tag, Form); 23] = [
    (Tag::DOCUMENT_NAME, Form::Text),
    (Tag::IMAGE_DESCRIPTION, Form::Text),
    (Tag::MAKE, Form::Text),
    (Tag::MODEL, Form::Text),
    (Tag::MIN_SAMPLE_VALUE, Form::Short),
    (Tag::MAX_SAMPLE_VALUE, Form::Short),
    (Tag::X_RESOLUTION, Form::Rational),
    (Tag::Y_RESOLUTION, Form::Rational),
    (Tag::RESOLUTION_UNIT, Form::Short),
    (Tag::TRANSFER_FUNCTION, Form::Short),
    (Tag::SOFTWARE, Form::Text),
    (Tag::DATE_TIME, Form::Text),
    (Tag::ARTIST, Form::Text),
    (Tag::HOST_COMPUTER, Form::Text),
    (Tag::WHITE_POINT, Form::Rational),
    (Tag::PRIMARY_CHROMATICITIES, Form::Rational),
    (Tag::INK_SET, Form::Short),
    (Tag::INK_NAMES, Form::Texts),
    (Tag::COPYRIGHT, Form::Text),
    (Tag::ICC_PROFILE, Form::Undefined),
    (Tag::XMP, Form::Bytes),
    (Tag::TIFF_RSID, Form::Text),
    (Tag::GEO_METADATA, Form::Bytes),
];

/// Reads all carried metadata; anything unreadable becomes a warning.
pub(super) fn read(file: &TiffFile, directory: &Directory, warnings: &mut Vec<String>) -> Result<Metadata> {
    let mut metadata = Metadata::default();
    if let Some(text) = directory.text(file, Tag::GDAL_METADATA)? {
        match items(&text) {
            Ok(items) => metadata.items = items,
            Err(reason) => {
                warnings.push(format!("the XML in tag 42112 (GDAL_METADATA) is ignored: {reason}"));
            }
        }
    }
    for tag in CARRIED.into_iter().map(|(tag, _)| tag).chain(CARRIED_ELSEWHERE) {
        if let Some(reason) = directory.broken(tag) {
            warnings.push(format!("tag {} ({}) is ignored: {reason}", tag.0, tag.name().unwrap_or("unknown")));
        }
    }
    if directory.contains(Tag::EXIF_IFD) || directory.contains(Tag::GPS_IFD) {
        warnings.push("EXIF metadata is ignored".to_owned());
    }
    for (tag, form) in CARRIED {
        let Some(value) = directory.value(file, tag)? else { continue };
        match shape(value, form) {
            Some(value) if value.count() == 0 => {}
            Some(value) => metadata.tags.push((tag, value)),
            None => warnings.push(format!(
                "tag {} ({}) is ignored: its value has an unexpected type",
                tag.0,
                tag.name().unwrap_or("unknown")
            )),
        }
    }
    Ok(metadata)
}

/// Converts a value to the form in its specification; `None` if it has another type.
fn shape(value: TagValue, form: Form) -> Option<TagValue> {
    Some(match (form, value) {
        (Form::Text, TagValue::Ascii(mut bytes) | TagValue::Byte(mut bytes) | TagValue::Undefined(mut bytes)) => {
            let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
            bytes.truncate(end);
            TagValue::Ascii(bytes)
        }
        (Form::Texts, TagValue::Ascii(mut bytes) | TagValue::Byte(mut bytes) | TagValue::Undefined(mut bytes)) => {
            while bytes.last() == Some(&0) {
                bytes.pop();
            }
            TagValue::Ascii(bytes)
        }
        (Form::Short, value @ TagValue::Short(_)) | (Form::Rational, value @ TagValue::Rational(_)) => value,
        (Form::Short, TagValue::Byte(items)) => TagValue::Short(items.into_iter().map(u16::from).collect()),
        (Form::Short, TagValue::Long(items)) => {
            TagValue::Short(items.into_iter().map(u16::try_from).collect::<std::result::Result<_, _>>().ok()?)
        }
        (Form::Bytes, TagValue::Byte(bytes) | TagValue::Undefined(bytes) | TagValue::Ascii(bytes)) => {
            TagValue::Byte(bytes)
        }
        (Form::Undefined, TagValue::Byte(bytes) | TagValue::Undefined(bytes) | TagValue::Ascii(bytes)) => {
            TagValue::Undefined(bytes)
        }
        _ => return None,
    })
}

/// Parses the items of GDAL's XML, without those that describe how the source is stored.
fn items(text: &str) -> std::result::Result<Vec<MetadataItem>, String> {
    let mut items = all_items(text)?;
    items.retain(|item| item.domain.as_deref() != Some("IMAGE_STRUCTURE"));
    Ok(items)
}

/// Parses the items of GDAL's XML.
///
/// # Errors
/// The reason why the text is not GDAL's XML.
pub(crate) fn all_items(text: &str) -> std::result::Result<Vec<MetadataItem>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(Vec::new());
    }
    // XML parsers turn a carriage return into a line feed unless it is written as a reference.
    let text = &text.replace('\r', "&#13;");
    let document = crate::xml::parse(text)?;
    let root = document.root_element();
    if root.tag_name().name() != "GDALMetadata" {
        return Err(format!("its root element is '{}', not 'GDALMetadata'", root.tag_name().name()));
    }
    let item = |node: roxmltree::Node<'_, '_>| {
        let attribute = |name: &str| node.attribute(name).map(str::to_owned);
        Some(MetadataItem {
            name: attribute("name")?,
            domain: attribute("domain").filter(|domain| !domain.is_empty()),
            // Text that is not a number counts as 0, as in GDAL.
            sample: node.attribute("sample").map(|sample| sample.trim().parse().unwrap_or(0)),
            role: attribute("role").filter(|role| !role.is_empty()),
            // Comments may separate parts of the text.
            value: node.children().filter(roxmltree::Node::is_text).filter_map(|part| part.text()).collect(),
        })
    };
    let nodes = root.children().filter(|node| node.has_tag_name("Item"));
    Ok(nodes.filter_map(item).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_keep_one_level_of_escapes() {
        let text = "<GDALMetadata>\n <Item name=\"A\" sample=\"2\" role=\"scale\">1 &amp;lt; 2</Item>\n \
                    <Item name=\"B\" domain=\"IMAGE_STRUCTURE\">x</Item><Item name=\"C\" domain=\"D\"/></GDALMetadata>\n";
        let items = items(text).unwrap();
        assert_eq!(items.len(), 2);
        assert_eq!(items[0].value, "1 &lt; 2");
        assert_eq!((items[0].sample, items[0].role.as_deref()), (Some(2), Some("scale")));
        assert_eq!((items[1].domain.as_deref(), items[1].value.as_str()), (Some("D"), ""));
        assert!(super::items("<GDALMetadata><Item").is_err());
        let text = "<GDALMetadata><Item name=\"A\" sample=\"x\">1<!-- c -->2\r\n3</Item></GDALMetadata>";
        let item = &super::items(text).unwrap()[0];
        assert_eq!((item.value.as_str(), item.sample), ("12\r\n3", Some(0)));
    }

    #[test]
    fn values_take_the_form_of_their_specification() {
        assert_eq!(shape(TagValue::Byte(b"ab\0c".to_vec()), Form::Text), Some(TagValue::Ascii(b"ab".to_vec())));
        // TIFF 6.0 section 16: the names of all inks, each closed by a NUL.
        let inks = TagValue::Ascii(b"Gold\0Silver\0".to_vec());
        assert_eq!(shape(inks, Form::Texts), Some(TagValue::Ascii(b"Gold\0Silver".to_vec())));
        assert_eq!(shape(TagValue::Long(vec![70_000]), Form::Short), None);
    }
}
