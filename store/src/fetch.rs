//! Requests for ranges of an object or a file, with repetitions.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use object_store::path::Path;
use object_store::{GetOptions, ObjectStore};
use tokio::sync::Semaphore;

use crate::error::{Result, StoreError, StoreErrorKind};
use crate::retry::Retries;
use crate::web::WebFile;

/// Repetitions of the first request for an object if there is no server: the name of the host may be wrong.
const MAX_CONNECTS: usize = 3;

/// Numbers of requests and of bytes received.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    requests: AtomicU64,
    bytes: AtomicU64,
}

impl Counters {
    pub(crate) fn count_request(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_bytes(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Returns the numbers of requests and of bytes.
    pub(crate) fn get(&self) -> (u64, u64) {
        (self.requests.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed))
    }
}

/// Version of an object, which tells its contents from later ones of the same name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Version {
    pub(crate) etag: Option<String>,
    pub(crate) modified: Option<String>,
}

impl Version {
    /// Returns whether an answer comes from the same contents. The servers behind one name may disagree about dates.
    fn is(&self, other: &Self) -> bool {
        match (&self.etag, &other.etag) {
            (Some(one), Some(other)) => one == other,
            (None, None) => self.modified == other.modified,
            _ => false,
        }
    }
}

/// The answer to a request.
pub(crate) struct Answer {
    pub(crate) bytes: Bytes,
    /// Size of the whole object.
    pub(crate) size: u64,
    pub(crate) version: Version,
}

/// Size and version of an object, from the first answer.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) size: u64,
    pub(crate) version: Version,
}

/// The way to an object.
pub(crate) enum Way {
    Object { store: Arc<dyn ObjectStore>, key: Path },
    Web(WebFile),
}

/// The means of requests: how many there are at once, how often one is repeated, and for how long.
pub(crate) struct Means {
    pub(crate) permits: Arc<Semaphore>,
    pub(crate) counters: Counters,
}

impl Way {
    /// Requests a range, again and again if the server fails.
    pub(crate) async fn fetch(
        &self,
        range: Range<u64>,
        known: Option<&Known>,
        retries: Retries,
        means: &Means,
    ) -> Result<Answer> {
        let mut backoff = retries.start();
        loop {
            // Not held while waiting to repeat the request.
            let permit = means.permits.acquire().await;
            let answer = self.once(&range, known, &means.counters).await;
            drop(permit);
            let error = match answer.and_then(|answer| checked(answer, &range, known)) {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            if !backoff.wait(repetitions(&error, known.is_none())).await {
                return Err(error);
            }
        }
    }

    async fn once(&self, range: &Range<u64>, known: Option<&Known>, counters: &Counters) -> Result<Answer> {
        match self {
            Self::Object { store, key } => object(&**store, key, range, known, counters).await,
            Self::Web(file) => file.fetch(range, known.map(|known| &known.version), counters).await,
        }
    }
}

/// Returns how often a request is worth repeating: not at all without trust in the server's certificate, and a few times if
/// at first there is no host of the name, or no server on it.
fn repetitions(error: &StoreError, is_first: bool) -> usize {
    let text = error.to_string().to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    match error.kind() {
        StoreErrorKind::Unreachable if has(&["certificate"]) => 0,
        StoreErrorKind::Unreachable if is_first && has(&["lookup", "dns", "refused"]) => MAX_CONNECTS,
        StoreErrorKind::Unreachable => usize::MAX,
        _ => 0,
    }
}

/// Checks that an answer belongs to the object that was opened.
fn checked(answer: Answer, range: &Range<u64>, known: Option<&Known>) -> Result<Answer> {
    if let Some(known) = known
        && (answer.size != known.size || !answer.version.is(&known.version))
    {
        return Err(StoreError::changed());
    }
    let len = range.end.min(answer.size).saturating_sub(range.start);
    if answer.bytes.len() as u64 != len {
        let message = format!("the answer ended after {} of {len} bytes", answer.bytes.len());
        return Err(StoreError::new(StoreErrorKind::Unreachable, message));
    }
    Ok(answer)
}

/// Requests a range of an object once.
async fn object(
    store: &dyn ObjectStore,
    key: &Path,
    range: &Range<u64>,
    known: Option<&Known>,
    counters: &Counters,
) -> Result<Answer> {
    let etag = known.and_then(|known| known.version.etag.clone()).filter(|etag| !etag.starts_with("W/"));
    let options = GetOptions { range: Some(range.clone().into()), if_match: etag, ..GetOptions::default() };
    counters.count_request();
    let found = match store.get_opts(key, options).await {
        Ok(found) => found,
        // Nothing else lacks its first byte.
        Err(error) if range.start == 0 && StoreError::from_client(&error).to_string().contains("HTTP 416") => {
            return Ok(Answer { bytes: Bytes::new(), size: 0, version: Version::default() });
        }
        Err(error) => return Err(StoreError::from_reading(&error)),
    };
    let size = found.meta.size;
    let version = Version { etag: found.meta.e_tag.clone(), modified: Some(found.meta.last_modified.to_rfc2822()) };
    let bytes = found.bytes().await.map_err(|error| StoreError::unreachable(&error))?;
    counters.count_bytes(bytes.len() as u64);
    Ok(Answer { bytes, size, version })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_pass_by_itself_is_repeated() {
        for (kind, text, is_first, expected) in [
            (StoreErrorKind::Unreachable, "the server keeps failing (HTTP 503)", true, usize::MAX),
            (StoreErrorKind::Unreachable, "connection reset by peer", false, usize::MAX),
            (StoreErrorKind::Unreachable, "failed to lookup address information", true, MAX_CONNECTS),
            (StoreErrorKind::Unreachable, "Connection refused (os error 111)", true, MAX_CONNECTS),
            (StoreErrorKind::Unreachable, "Connection refused (os error 111)", false, usize::MAX),
            (StoreErrorKind::Unreachable, "invalid peer certificate: Expired", true, 0),
            (StoreErrorKind::Changed, "it changed while it was read", false, 0),
            (StoreErrorKind::AccessDenied, "access is denied", true, 0),
        ] {
            assert_eq!(repetitions(&StoreError::new(kind, text), is_first), expected, "{text}");
        }
    }
}
