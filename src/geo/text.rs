//! GDAL's texts: the XML of tag 42112 and the nodata value of tag 42113.

use crate::sample::{DataType, Nodata};

use super::MetadataItem;

/// Returns the text of tag 42112, `None` without items: two-space indent and a final line feed, as GDAL writes it.
pub(crate) fn gdal_xml<'a>(items: impl Iterator<Item = &'a MetadataItem>) -> Option<String> {
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
    Some(text)
}

/// Undoes one level of escaping; anything that is not an escape stays.
pub(super) fn unescape(text: &str) -> String {
    let (mut plain, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, after)) = rest.split_once('&') {
        plain.push_str(before);
        let character = after.split_once(';').and_then(|(name, rest)| {
            let character = match name {
                "lt" => '<',
                "gt" => '>',
                "amp" => '&',
                "quot" => '"',
                "apos" => '\'',
                _ => {
                    let digits = name.strip_prefix('#')?;
                    let hexadecimal = digits.strip_prefix('x').map(|digits| u32::from_str_radix(digits, 16));
                    char::from_u32(hexadecimal.unwrap_or_else(|| digits.parse()).ok()?)?
                }
            };
            Some((character, rest))
        });
        (rest, _) = match character {
            Some((character, rest)) => (rest, plain.push(character)),
            None => (after, plain.push('&')),
        };
    }
    plain + rest
}

fn attribute(text: &mut String, name: &str, value: &str) {
    text.push(' ');
    text.push_str(name);
    text.push_str("=\"");
    let mut escaped = String::new();
    escape(&mut escaped, value);
    // XML readers would turn them into spaces.
    text.push_str(&escaped.replace('\n', "&#10;").replace('\t', "&#9;"));
    text.push('"');
}

/// Returns whether XML 1.0 allows the character (production 2, `Char`).
pub(super) fn is_xml(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | '\u{20}'..='\u{FFFD}' | '\u{10000}'..)
}

/// Applies one level of XML escaping, like GDAL's `CPLEscapeString(CPLES_XML)`.
pub(super) fn escape(text: &mut String, value: &str) {
    for character in value.chars() {
        match character {
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '&' => text.push_str("&amp;"),
            '"' => text.push_str("&quot;"),
            // XML readers would turn it into a line feed.
            '\r' => text.push_str("&#13;"),
            _ => text.push(character),
        }
    }
}

/// Returns the text of tag 42113 as GDAL writes it: integers of 64-bit types in full, everything else as C's `%.17g` of
/// the value rounded to the sample type, and `nan` for NaN.
pub(crate) fn nodata_text(nodata: &Nodata, data_type: DataType) -> String {
    match (*nodata, data_type) {
        (Nodata::Integer(value), DataType::I64 | DataType::U64) => value.to_string(),
        _ => format_g17(nodata.rounded_to(data_type)),
    }
}

/// Returns the shortest decimal that reads back as the same double, with an exponent if it would be long otherwise.
pub(crate) fn shortest(value: f64) -> String {
    let magnitude = value.abs();
    if value.is_nan() {
        "nan".to_owned()
    } else if magnitude != 0.0 && magnitude.is_finite() && !(1e-5..1e17).contains(&magnitude) {
        format!("{value:e}")
    } else {
        value.to_string()
    }
}

/// Formats a number like C's `printf("%.17g")`.
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
    }

    #[test]
    fn nodata_of_floats_is_a_value_of_the_type() {
        // Text that GDAL 3.13 writes for the same inputs.
        for (text, single, double) in [
            ("-3.402823e+38", "-3.4028230607370965e+38", "-3.4028229999999999e+38"),
            ("-3.4e38", "-3.3999999521443642e+38", "-3.4e+38"),
            ("-3.4028235e38", "-3.4028234663852886e+38", "-3.4028234999999999e+38"),
            ("3.40282347e+38", "3.4028234663852886e+38", "3.4028234699999998e+38"),
            ("1e39", "inf", "9.9999999999999994e+38"),
            ("0.1", "0.10000000149011612", "0.10000000000000001"),
            ("1e-40", "9.9999461011147596e-41", "9.9999999999999993e-41"),
            ("1e-50", "0", "1e-50"),
            ("1e16", "10000000272564224", "10000000000000000"),
            ("-0", "-0", "-0"),
        ] {
            let nodata = Nodata::parse(text).unwrap();
            assert_eq!(nodata_text(&nodata, DataType::F32), single);
            assert_eq!(nodata_text(&nodata, DataType::F64), double);
        }
        assert_eq!(nodata_text(&Nodata::Float(0.1), DataType::F16), "0.0999755859375");
    }

    #[test]
    fn escapes_are_undone_once() {
        assert_eq!(unescape("a&lt;&amp;lt;&#65;&#x42;&nbsp;& &"), "a<&lt;AB&nbsp;& &");
    }

    #[test]
    fn decimals_are_the_shortest() {
        let values = [0.0001, -0.1, 1e-7, 1e300, 123_456.789, 1e17, 5e-324];
        let texts = ["0.0001", "-0.1", "1e-7", "1e300", "123456.789", "1e17", "5e-324"];
        assert_eq!(values.map(shortest), texts);
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
        assert_eq!(gdal_xml(items.iter()).as_deref(), Some(expected));
        assert_eq!(gdal_xml([].iter()), None);
    }
}
