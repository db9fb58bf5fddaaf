//! Removal of secrets from texts: user information and query strings of URLs.

/// Returns a text without the user information and the query strings of the URLs in it, for messages and metadata.
///
/// ```
/// let text = "cannot read 'https://user:secret@example.com/a.tif?sig=secret'";
/// assert_eq!(cogsmith::redact(text), "cannot read 'https://example.com/a.tif'");
/// ```
#[must_use]
pub fn redact(text: &str) -> String {
    text.split_inclusive(char::is_whitespace).map(word).collect()
}

/// Redacts one word, with the white space after it.
fn word(word: &str) -> String {
    // GDAL's `/vsicurl?url=...` and `/vsicurl/` with options in front of the URL.
    if let Some((before, _)) = word.split_once("/vsicurl?") {
        return format!("{before}/vsicurl");
    }
    let Some((before, after)) = word.split_once("://") else { return word.to_owned() };
    let end = after.find(|letter: char| letter.is_whitespace() || "'\"<>)".contains(letter)).unwrap_or(after.len());
    let (url, rest) = after.split_at(end);
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let (authority, path) = url.find('/').map_or((url, ""), |slash| url.split_at(slash));
    let host = authority.rsplit('@').next().unwrap_or_default();
    format!("{before}://{host}{path}{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_in_urls_disappear() {
        for (text, expected) in [
            ("no URL here", "no URL here"),
            ("error for (https://user:secret@host/a/b?sig=secret#f): no", "error for (https://host/a/b): no"),
            ("https://host?token=secret\nnext", "https://host\nnext"),
            ("'s3://key:secret@bucket/k' fails", "'s3://bucket/k' fails"),
            ("az://a@b/c@d", "az://b/c@d"),
            ("/vsicurl/https://u:secret@host/a.tif?b=secret", "/vsicurl/https://host/a.tif"),
            ("'/vsicurl?url=https%3A%2F%2Fhost%2Fa%3Fsecret'", "'/vsicurl"),
        ] {
            assert_eq!(redact(text), expected);
            assert!(!redact(text).contains("secret"));
        }
    }
}
