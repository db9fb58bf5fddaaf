//! Metadata in the form that GDAL keeps in a GeoTIFF: tag 42112 holds XML, tag 42113 the nodata value.

use crate::error::{Error, Result};
use crate::sample::{DataType, Nodata};
use crate::tiff::{Tag, TagValue};

/// What is said about a raster beside where it lies.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metadata {
    /// The items of GDAL's XML (tag 42112), in order.
    pub items: Vec<MetadataItem>,
    /// Tags that are carried as they are: texts such as `Software` and `Copyright`, resolution, ICC profile, XMP.
    pub tags: Vec<(Tag, TagValue)>,
}

/// One item of GDAL's XML (tag 42112).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetadataItem {
    /// The name, such as `STATISTICS_MEAN`.
    pub name: String,
    /// The metadata domain, such as `RPC`; `None` is the default domain.
    pub domain: Option<String>,
    /// The band that the item is about, counted from 0; `None` is the whole raster.
    pub sample: Option<u32>,
    /// What GDAL takes the item for, such as `scale`, `offset`, `unittype`, `description` or `colorinterp`.
    pub role: Option<String>,
    /// The text between the tags, with one level of XML escaping undone. GDAL escapes values twice, so values that
    /// come from GDAL still hold `&amp;` for `&`.
    pub value: String,
}

/// Tags that follow from image, georeference and layout: none can be carried.
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
    /// Checks that everything can be written, and read again as it was; LONG8 values are for BigTIFF alone.
    pub(crate) fn validate(&self, always_big: bool) -> Result<()> {
        let refuse = |reason: String| Err(Error::image(format!("metadata: {reason}")));
        for item in &self.items {
            let texts = [Some(&item.name), item.domain.as_ref(), item.role.as_ref(), Some(&item.value)];
            let bad = texts.into_iter().flatten().flat_map(|text| text.chars()).find(|&character| !is_xml(character));
            if let Some(bad) = bad {
                return refuse(format!("item {:?} holds {bad:?}, which XML cannot; leave it out", item.name));
            }
        }
        for (index, (tag, value)) in self.tags.iter().enumerate() {
            let name = tag.name().unwrap_or("unknown");
            if NOT_CARRIED.contains(tag) {
                return refuse(format!("tag {} ({name}) follows from the image and can't be carried", tag.0));
            }
            if self.tags.iter().take(index).any(|(other, _)| other == tag) {
                return refuse(format!("tag {} ({name}) stands twice", tag.0));
            }
            if value.count() == 0 {
                return refuse(format!("tag {} ({name}) has no value", tag.0));
            }
            if matches!(value, TagValue::Long8(_)) && !always_big {
                return refuse(format!("tag {} ({name}) has LONG8 values, which need a BigTIFF; ask for one", tag.0));
            }
        }
        Ok(())
    }

    /// The value of tag 42112, `None` where there is no item: two-space indent, a closing line feed, as GDAL writes.
    pub(crate) fn xml<'a>(items: impl Iterator<Item = &'a MetadataItem>) -> Option<TagValue> {
        let mut text = String::from("<GDALMetadata>\n");
        let empty = text.len();
        for item in items {
            text.push_str("  <Item");
            attribute(&mut text, "name", &item.name);
            if let Some(domain) = &item.domain {
                attribute(&mut text, "domain", domain);
            }
            if let Some(sample) = item.sample {
                attribute(&mut text, "sample", &sample.to_string());
            }
            if let Some(role) = &item.role {
                attribute(&mut text, "role", role);
            }
            text.push('>');
            escape(&mut text, &item.value);
            text.push_str("</Item>\n");
        }
        if text.len() == empty {
            return None;
        }
        text.push_str("</GDALMetadata>\n");
        Some(TagValue::Ascii(text.into_bytes()))
    }
}

/// Whether XML 1.0 has the character (production 2, `Char`).
fn is_xml(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | '\u{20}'..='\u{FFFD}' | '\u{10000}'..)
}

fn attribute(text: &mut String, name: &str, value: &str) {
    text.push(' ');
    text.push_str(name);
    text.push_str("=\"");
    let mut escaped = String::new();
    escape(&mut escaped, value);
    // Readers of XML would make spaces of them.
    text.push_str(&escaped.replace('\n', "&#10;").replace('\t', "&#9;"));
    text.push('"');
}

/// One level of XML escaping, as GDAL's `CPLEscapeString(CPLES_XML)` does it.
fn escape(text: &mut String, value: &str) {
    for character in value.chars() {
        match character {
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '&' => text.push_str("&amp;"),
            '"' => text.push_str("&quot;"),
            // Readers of XML would make a line feed of it.
            '\r' => text.push_str("&#13;"),
            _ => text.push(character),
        }
    }
}

/// The text of tag 42113, as GDAL writes it: whole numbers of 64-bit integer types in full, everything else as C's
/// `%.17g`, `nan` for NaN.
pub(crate) fn nodata_text(nodata: &Nodata, data_type: DataType) -> String {
    match (*nodata, data_type) {
        (Nodata::Integer(value), DataType::I64 | DataType::U64) => value.to_string(),
        (_, DataType::F32) => format_g17(near_largest_f32(nodata.as_f64())),
        _ => format_g17(nodata.as_f64()),
    }
}

/// The largest or smallest single-precision number for what rounds to it from beyond the range: readers refuse a value
/// that the type of the pixels cannot hold.
fn near_largest_f32(value: f64) -> f64 {
    let largest = f64::from(f32::MAX);
    #[expect(clippy::cast_possible_truncation, reason = "the rounding is what is asked about")]
    let rounds_to_largest = (value.abs() as f32).to_bits() == f32::MAX.to_bits();
    if rounds_to_largest { largest.copysign(value) } else { value }
}

/// C's `printf("%.17g")`.
pub(crate) fn format_g17(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    // 17 significant digits, as "d.dddde±x".
    let scientific = format!("{value:.16e}");
    let Some((digits, exponent)) = scientific.split_once('e') else { return scientific };
    let Ok(exponent) = exponent.parse::<i32>() else { return scientific };
    let trim = |text: &str| {
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text.to_owned() }
    };
    if (-4..17).contains(&exponent) {
        let decimals = usize::try_from(16 - exponent).unwrap_or(0);
        trim(&format!("{value:.decimals$}"))
    } else {
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{}e{sign}{:02}", trim(digits), exponent.abs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_printed_as_c_prints_them() {
        for (value, text) in [
            (0.0, "0"),
            (-9999.0, "-9999"),
            (0.1, "0.10000000000000001"),
            (0.0001, "0.0001"),
            (0.00001, "1.0000000000000001e-05"),
            (3.402_823_466_385_288_6e38, "3.4028234663852886e+38"),
            (1e17, "1e+17"),
            (12_345_678_901_234_567.0, "12345678901234568"),
            (f64::NAN, "nan"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(format_g17(value), text);
        }
    }

    #[test]
    fn nodata_of_64_bit_integers_is_exact() {
        let nodata = Nodata::Integer(-9_007_199_254_740_993);
        assert_eq!(nodata_text(&nodata, DataType::I64), "-9007199254740993");
        assert_eq!(nodata_text(&Nodata::Integer(255), DataType::U8), "255");
        let rounded = Nodata::Float(-3.402_823_466e38);
        assert_eq!(nodata_text(&rounded, DataType::F32), "-3.4028234663852886e+38");
    }

    #[test]
    fn xml_is_laid_out_as_gdal_does() {
        let items = [MetadataItem {
            name: "SCALE".into(),
            domain: None,
            sample: Some(1),
            role: Some("scale".into()),
            value: "a&amp;b".into(),
        }];
        let expected =
            "<GDALMetadata>\n  <Item name=\"SCALE\" sample=\"1\" role=\"scale\">a&amp;amp;b</Item>\n</GDALMetadata>\n";
        assert_eq!(Metadata::xml(items.iter()), Some(TagValue::Ascii(expected.as_bytes().to_vec())));
        assert_eq!(Metadata::xml([].iter()), None);
    }
}
