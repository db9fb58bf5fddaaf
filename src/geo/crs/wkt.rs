//! Well-known text as a tree, the common form of all textual definitions.
//!
//! WKT 1 (OGC 01-009, as written by GDAL and Esri) and WKT 2 (ISO 19162:2015 and 2019) share their grammar: a keyword
//! and, in brackets or parentheses, texts, numbers, words, and nested elements.

/// Maximum nesting depth; the WKT of a CRS has about ten levels.
const DEEPEST: usize = 32;
/// Maximum length in bytes; the longest EPSG definitions, with all areas of use, have about ten thousand.
pub(super) const LONGEST: usize = 1 << 20;

/// An element: `KEYWORD["text",1.5,word,ELEMENT[…]]`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    /// In upper case.
    pub(super) keyword: String,
    pub(super) values: Vec<Value>,
}

/// A value between commas.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Text(String),
    Number(f64),
    /// An unquoted word, such as the direction of an axis, in lower case.
    Word(String),
    Node(Node),
}

impl Node {
    /// Makes an element whose first value is its name.
    pub(super) fn named(keyword: &str, name: &str) -> Self {
        Self { keyword: keyword.to_owned(), values: vec![Value::Text(name.to_owned())] }
    }

    /// Parses a text.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.len() > LONGEST {
            return Err(format!("the text has {} bytes, over the limit of {LONGEST}", text.len()));
        }
        let mut parser = Parser { text, at: 0 };
        let node = parser.node(0)?;
        parser.blank();
        if parser.at < text.len() {
            return Err(parser.problem("nothing may follow the closing bracket"));
        }
        Ok(node)
    }

    /// Formats the whole element as WKT.
    pub(super) fn text(&self) -> String {
        let values: Vec<String> = self
            .values
            .iter()
            .map(|value| match value {
                Value::Text(text) => format!("\"{}\"", text.replace('"', "\"\"")),
                Value::Number(number) => number.to_string(),
                Value::Word(word) => word.clone(),
                Value::Node(node) => node.text(),
            })
            .collect();
        format!("{}[{}]", self.keyword, values.join(","))
    }

    /// Adds an element.
    pub(super) fn push(&mut self, node: Node) {
        self.values.push(Value::Node(node));
    }

    /// Returns the name: the first value, if it is a text.
    pub(super) fn name(&self) -> &str {
        match self.values.first() {
            Some(Value::Text(name)) => name,
            _ => "",
        }
    }

    /// Returns the number at an index among all values, even if it is quoted.
    pub(super) fn number(&self, place: usize) -> Option<f64> {
        match self.values.get(place)? {
            Value::Number(number) => Some(*number),
            Value::Text(text) => text.trim().parse().ok().filter(|number: &f64| number.is_finite()),
            _ => None,
        }
    }

    /// Returns the direct child elements.
    pub(super) fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.values.iter().filter_map(|value| match value {
            Value::Node(node) => Some(node),
            _ => None,
        })
    }

    /// Returns the child elements that have one of these keywords.
    pub(super) fn children<'a>(&'a self, keywords: &'a [&str]) -> impl Iterator<Item = &'a Node> {
        self.nodes().filter(|node| keywords.contains(&node.keyword.as_str()))
    }

    /// Returns the first such child element.
    pub(super) fn child(&self, keywords: &[&str]) -> Option<&Node> {
        self.nodes().find(|node| keywords.contains(&node.keyword.as_str()))
    }

    /// Returns the EPSG code of the element: `AUTHORITY["EPSG","4326"]` or `ID["EPSG",4326]`.
    pub(super) fn epsg(&self) -> Option<u16> {
        self.children(&["ID", "AUTHORITY"]).find_map(|id| {
            if !id.name().eq_ignore_ascii_case("EPSG") {
                return None;
            }
            let code = id.number(1)?;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
            let code = (code.fract() == 0.0 && (0.0..65536.0).contains(&code)).then_some(code as u16);
            code
        })
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn blank(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    fn problem(&self, what: &str) -> String {
        let place: String = self.rest().chars().take(20).collect();
        if place.is_empty() { format!("{what}, but the text ends") } else { format!("{what}, at '{place}'") }
    }

    /// Consumes the next letter if it is one of these.
    fn take(&mut self, letters: &[char]) -> Option<char> {
        self.blank();
        let next = self.rest().chars().next().filter(|letter| letters.contains(letter))?;
        self.at += next.len_utf8();
        Some(next)
    }

    /// Consumes the letters, digits, signs, and points that come next.
    fn word(&mut self) -> String {
        self.blank();
        let is_part = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '+' | '-' | '.');
        let word: String = self.rest().chars().take_while(|letter| is_part(*letter)).collect();
        self.at += word.len();
        word
    }

    fn node(&mut self, depth: usize) -> Result<Node, String> {
        let keyword = self.word();
        self.values(keyword, depth)
    }

    /// Parses the values after a keyword.
    fn values(&mut self, keyword: String, depth: usize) -> Result<Node, String> {
        if depth > DEEPEST {
            return Err(format!("elements are nested more than {DEEPEST} deep"));
        }
        if !keyword.starts_with(|letter: char| letter.is_ascii_alphabetic()) {
            return Err(self.problem("expected a keyword"));
        }
        let Some(opened) = self.take(&['[', '(']) else { return Err(self.problem("expected an opening bracket")) };
        let closing = if opened == '[' { ']' } else { ')' };
        let mut node = Node { keyword: keyword.to_ascii_uppercase(), values: Vec::new() };
        loop {
            node.values.push(self.value(depth)?);
            match self.take(&[',', closing]) {
                Some(',') => {}
                Some(_) => return Ok(node),
                None => return Err(self.problem("expected a comma or a closing bracket")),
            }
        }
    }

    fn value(&mut self, depth: usize) -> Result<Value, String> {
        if self.take(&['"']).is_some() {
            return self.quoted().map(Value::Text);
        }
        let word = self.word();
        if word.is_empty() {
            return Err(self.problem("expected a value"));
        }
        if word.starts_with(|letter: char| letter.is_ascii_digit() || matches!(letter, '+' | '-' | '.')) {
            let number = word.parse().ok().filter(|number: &f64| number.is_finite());
            // Dates such as 2021-03-01 are not numbers.
            return Ok(number.map_or(Value::Word(word), Value::Number));
        }
        self.blank();
        if self.rest().starts_with(['[', '(']) {
            return self.values(word, depth + 1).map(Value::Node);
        }
        Ok(Value::Word(word.to_ascii_lowercase()))
    }

    /// Parses a text up to its closing quote; a doubled quote is one quote in the text.
    fn quoted(&mut self) -> Result<String, String> {
        let mut text = String::new();
        loop {
            let Some(end) = self.rest().find('"') else { return Err("a quote is not closed".to_owned()) };
            text.push_str(self.rest().get(..end).unwrap_or_default());
            self.at += end + 1;
            if !self.rest().starts_with('"') {
                return Ok(text);
            }
            text.push('"');
            self.at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_becomes_a_tree_and_a_text_again() {
        let text = "PROJCS[\"a, \"\"b\"\" [c\",UNIT[\"m\",1.5],AXIS[\"x\",east],ID[\"EPSG\",32633]]";
        let node = Node::parse(text).unwrap();
        assert_eq!(node.name(), "a, \"b\" [c");
        assert_eq!(node.child(&["UNIT"]).unwrap().number(1), Some(1.5));
        assert_eq!(node.epsg(), Some(32633));
        assert_eq!(node.text(), text);
        assert_eq!(
            Node::parse(" projcs ( \"a, \"\"b\"\" [c\" , UNIT(\"m\",1.5),\nAXIS[\"x\",EAST] ,ID[\"EPSG\",32633])\n"),
            Ok(node)
        );
    }

    #[test]
    fn what_is_no_wkt_is_refused_with_its_place() {
        for text in ["", "[", "A", "A[", "A[\"x", "A[\"x\"]]", "A[,]", "A[1 2]", "1[2]", "A[\"x\")", "A[]"] {
            assert!(Node::parse(text).is_err(), "{text}");
        }
        assert!(Node::parse("A[\"x\"] more").unwrap_err().contains("more"));
        let deep = "A[".repeat(100_000);
        assert!(Node::parse(&deep).unwrap_err().contains("deep"));
    }
}
