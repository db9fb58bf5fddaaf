//! Places of inputs: objects of stores, and files on web servers.

use cogsmith::redact;
use url::Url;

use crate::error::{Result, StoreError, StoreErrorKind};
use crate::target::Target;

/// GDAL's prefix of web addresses.
const VSICURL: &str = "/vsicurl/";

/// The place of an input.
#[derive(Debug, Clone)]
pub(crate) enum Location {
    /// An object, through the interface of its store.
    Object(Target),
    /// A file on a web server.
    Web(Url),
}

impl Location {
    /// Parses the address of an input: `https://…`, `http://…`, `/vsicurl/…`, or that of an object.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let url = text.strip_prefix(VSICURL).unwrap_or(text);
        if !is_web(url) {
            return Target::parse(text).map(Self::Object);
        }
        let invalid =
            |problem: &str| StoreError::new(StoreErrorKind::InvalidTarget, format!("'{}' {problem}", redact(text)));
        let url = Url::parse(url).map_err(|error| invalid(&format!("is not a valid URL: {error}")))?;
        if url.host_str().is_none_or(str::is_empty) {
            return Err(invalid("names no host"));
        }
        Ok(Self::Web(url))
    }

    /// Returns whether a text looks like the address of an input, valid or not.
    pub(crate) fn is_address(text: &str) -> bool {
        is_web(text.strip_prefix(VSICURL).unwrap_or(text)) || text.starts_with(VSICURL) || Target::is_address(text)
    }
}

fn is_web(text: &str) -> bool {
    let starts = |start: &str| text.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start));
    starts("https://") || starts("http://")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_are_objects_or_files_on_web_servers() {
        for (text, expected) in [
            ("https://host/a.tif?sig=x", "https://host/a.tif?sig=x"),
            ("HTTP://host:81/a b.tif", "http://host:81/a%20b.tif"),
            ("/vsicurl/https://host/a.tif", "https://host/a.tif"),
            // Most files with such addresses are public, or have their signature in the query.
            ("https://acc.blob.core.windows.net/c/k.tif?sig=x", "https://acc.blob.core.windows.net/c/k.tif?sig=x"),
        ] {
            let Location::Web(url) = Location::parse(text).unwrap() else { panic!("{text}") };
            assert_eq!(url.as_str(), expected);
            assert!(Location::is_address(text));
        }
        for (text, expected) in [("/vsis3/b/k.tif", "s3://b/k.tif"), ("abfs://c@a.dfs.core.windows.net/k", "az://c/k")]
        {
            let Location::Object(target) = Location::parse(text).unwrap() else { panic!("{text}") };
            assert_eq!(target.to_string(), expected);
            assert!(Location::is_address(text));
        }
        for text in ["ftp://host/secret", "/vsicurl/ftp://host/secret", "https://", "/vsicurl?url=secret", "a.tif"] {
            let error = Location::parse(text).unwrap_err();
            assert_eq!(error.kind(), StoreErrorKind::InvalidTarget, "{text}");
        }
        assert!(!Location::is_address("a.tif") && !Location::is_address("ftp://host/a"));
    }
}
