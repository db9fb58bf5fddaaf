//! Requests as the servers of the tests read them.

use std::collections::BTreeMap;
use std::io::{BufRead, Result};

/// The start of a request, up to its body.
pub struct Head {
    pub method: String,
    /// The path with the query; with a proxy, the address with the host.
    pub target: String,
    /// Values by names in lowercase.
    pub headers: BTreeMap<String, String>,
}

impl Head {
    /// Reads the start of the next request; `None` at the end of the connection.
    pub fn read(reader: &mut impl BufRead) -> Result<Option<Self>> {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let mut words = line.split_whitespace().map(str::to_owned);
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let mut headers = BTreeMap::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let Some((name, value)) = line.split_once(':') else { break };
            headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        }
        Ok(Some(Self { method, target, headers }))
    }

    /// The bytes of the body.
    #[allow(dead_code, reason = "not every server takes bodies")]
    pub fn content_len(&self) -> usize {
        self.headers.get("content-length").and_then(|len| len.parse().ok()).unwrap_or(0)
    }
}
