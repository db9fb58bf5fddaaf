//! Parsing of untrusted XML in time and memory bounded by its length, and lookup of elements by name, as in GDAL.

use roxmltree::{Document, Node, ParsingOptions};

/// Limit on the attributes of an element, and on the total over all elements that declare namespaces: the parser
/// compares each attribute of an element with the others, and copies all namespaces into every element that declares
/// one. GDAL writes at most five attributes and no namespaces.
const MOST_ATTRIBUTES: usize = 256;
/// Limit on the nodes of a document: nine items for each of 65535 bands are 1.8 million.
const MOST_NODES: u32 = 1 << 22;

/// Parses a document. DTDs are rejected, since entities that expand to others can turn a short document into a bomb.
pub(crate) fn parse(text: &str) -> Result<Document<'_>, String> {
    if is_crowded(text) {
        return Err(format!("more than {MOST_ATTRIBUTES} attributes in an element, or in all with namespaces"));
    }
    let options = ParsingOptions { allow_dtd: false, nodes_limit: MOST_NODES, ..ParsingOptions::default() };
    Document::parse_with_options(text, options).map_err(|error| error.to_string())
}

/// Returns whether an element has too many attributes, or elements with namespaces do in total. Every tag starts with
/// `<`, which never occurs in its attributes. Comments and the like may contain more of them, which does no harm.
fn is_crowded(text: &str) -> bool {
    let mut namespaces = 0;
    text.split('<').skip(1).any(|piece| {
        let (mut attributes, mut quote) = (0, None);
        let mut end = piece.len();
        for (at, byte) in piece.bytes().enumerate() {
            match (quote, byte) {
                (None, b'"' | b'\'') => quote = Some(byte),
                (None, b'>') => {
                    end = at;
                    break;
                }
                (Some(open), byte) if open == byte => (attributes, quote) = (attributes + 1, None),
                _ => {}
            }
        }
        namespaces += if piece.get(..end).is_some_and(|tag| tag.contains("xmlns")) { attributes } else { 0 };
        attributes > MOST_ATTRIBUTES || namespaces > MOST_ATTRIBUTES
    })
}

/// Returns whether an element has a name; ignores case, as GDAL does.
pub(crate) fn is(node: Node<'_, '_>, name: &str) -> bool {
    node.is_element() && node.tag_name().name().eq_ignore_ascii_case(name)
}

/// Returns the children of an element with a name.
pub(crate) fn children<'a, 'i: 'a>(node: Node<'a, 'i>, name: &'static str) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(move |child| is(*child, name))
}

/// Returns the first child of an element with a name.
pub(crate) fn child<'a, 'i: 'a>(node: Node<'a, 'i>, name: &'static str) -> Option<Node<'a, 'i>> {
    children(node, name).next()
}

/// Returns the value of an attribute, whose name is compared as those of elements are.
pub(crate) fn attribute<'a>(node: Node<'a, '_>, name: &str) -> Option<&'a str> {
    node.attributes().find(|attribute| attribute.name().eq_ignore_ascii_case(name)).map(|attribute| attribute.value())
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;
    use std::time::{Duration, Instant};

    use super::*;

    fn refused(text: &str) {
        let began = Instant::now();
        assert!(parse(text).is_err(), "{} bytes", text.len());
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    }

    #[test]
    fn metadata_of_many_bands_are_parsed() {
        let mut text = "<GDALMetadata>\n".to_owned();
        for sample in 0..20_000 {
            let _ = writeln!(text, "  <Item name=\"a > b\" sample=\"{sample}\" role='scale'>\"1\" = 'x'</Item>");
        }
        text.push_str("</GDALMetadata>");
        assert_eq!(parse(&text).unwrap().root_element().children().count(), 40_001);
    }

    #[test]
    fn what_would_take_hours_is_refused() {
        // A million attributes, all of which would be compared with each other.
        let attributes: String = (0..1_000_000).fold(String::new(), |mut text, number| {
            let _ = write!(text, " a{number}='>'");
            text
        });
        refused(&format!("<a{attributes}/>"));
        refused(&format!("<!-- \" --><a{attributes}/>"));
        // Namespaces that would be copied into each of many elements.
        let namespaces: String = (0..200).fold(String::new(), |mut text, number| {
            let _ = write!(text, " xmlns:a{number}=''");
            text
        });
        refused(&format!("<a{namespaces}>{}</a>", "<b xmlns:b=''/>".repeat(1_000_000)));
        // Entities that expand, and tags that are never closed.
        refused("<!DOCTYPE a [<!ENTITY b \"bb\">]><a>&b;</a>");
        refused(&"<a>".repeat(1_000_000));
        refused(&"<".repeat(1_000_000));
    }
}
