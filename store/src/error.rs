//! Errors of object stores in plain words, without secrets.

use std::fmt;
use std::io;
use std::path::PathBuf;

use cogsmith::{ErrorKind, redact};

use crate::parts::Misfit;

/// The result of calls that only concern a store.
pub type Result<T> = std::result::Result<T, StoreError>;

/// An error of an object store: what is wrong, and what to do about it.
///
/// Messages contain no credentials, and no user information or query strings of URLs. As the cause of a
/// [`cogsmith::Error`], it is the custom error inside of [`ErrorKind::Io`]; [`StoreError::of`] finds it.
#[derive(Debug, Clone)]
pub struct StoreError {
    kind: StoreErrorKind,
    message: String,
}

/// The kinds of [`StoreError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// The target is not the address of an object.
    InvalidTarget,
    /// An option is unknown, or its value is not valid.
    InvalidOption,
    /// The object exists, and overwriting is off.
    Exists,
    /// The bucket or container does not exist.
    NoBucket,
    /// The object to read does not exist.
    NotFound,
    /// The object changed while it was read.
    Changed,
    /// The server does not send parts of a file.
    NoRanges,
    /// The credentials do not permit the request.
    AccessDenied,
    /// No credentials were found.
    NoCredentials,
    /// The credentials are expired or not valid.
    InvalidCredentials,
    /// The bucket is in another region.
    WrongRegion,
    /// The clock of this machine is wrong.
    ClockSkew,
    /// The server did not answer, even after retries.
    Unreachable,
    /// HTTPS is not available on this machine.
    NoTls,
    /// The file does not fit the limits of the store.
    TooLarge,
    /// The store does not accept parts of different sizes, or numbers with gaps.
    PartsRefused,
    /// The work was canceled.
    Cancelled,
    /// Anything else.
    Other,
}

impl StoreError {
    /// Makes an error. The message must not contain secrets.
    pub(crate) fn new(kind: StoreErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// Returns the kind of error.
    #[must_use]
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }

    /// Finds the store's error in an error of the library.
    #[must_use]
    pub fn of(error: &cogsmith::Error) -> Option<&Self> {
        match error.kind() {
            ErrorKind::Io { source, .. } => source.get_ref()?.downcast_ref(),
            _ => None,
        }
    }

    /// Returns the error of the library for the work on an object, such as "write" and `s3://bucket/key`.
    #[must_use]
    pub fn at(self, action: &'static str, object: &str) -> cogsmith::Error {
        let path = PathBuf::from(object);
        match self.kind {
            StoreErrorKind::Exists => ErrorKind::TargetExists { path },
            StoreErrorKind::Cancelled => ErrorKind::Cancelled,
            StoreErrorKind::NotFound => {
                ErrorKind::Io { action, path: Some(path), source: io::Error::new(io::ErrorKind::NotFound, self) }
            }
            _ => ErrorKind::Io { action, path: Some(path), source: io::Error::other(self) },
        }
        .into()
    }

    /// Adds a sentence to the message.
    pub(crate) fn and(mut self, more: &str) -> Self {
        self.message = format!("{}; {more}", self.message);
        self
    }

    /// Puts an error of a client into words.
    pub(crate) fn from_client(error: &object_store::Error) -> Self {
        use object_store::Error as E;
        if let Some(own) = own(error) {
            return own;
        }
        let text = chain(error);
        let kind = match error {
            E::AlreadyExists { .. } => StoreErrorKind::Exists,
            E::PermissionDenied { .. } => StoreErrorKind::AccessDenied,
            E::Unauthenticated { .. } => StoreErrorKind::InvalidCredentials,
            E::UnknownConfigurationKey { .. } => StoreErrorKind::InvalidOption,
            _ => StoreErrorKind::Other,
        };
        let answer = text.find("status code: ").map(|at| &text[at + "status code: ".len()..]);
        if let Some(answer) = answer {
            let status = answer.get(..3).and_then(|status| status.parse().ok()).unwrap_or(0);
            return Self::from_answer(status, answer);
        }
        let lower = text.to_ascii_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
        let kind = match kind {
            StoreErrorKind::Other if has(&["without location"]) => StoreErrorKind::WrongRegion,
            StoreErrorKind::Other
                if has(&["169.254.169.254", "169.254.170.2", "metadata.google", "instance credential"]) =>
            {
                StoreErrorKind::NoCredentials
            }
            StoreErrorKind::Other
                if has(&[
                    "error sending request",
                    "connect",
                    "timed out",
                    "timeout",
                    "dns",
                    "http error",
                    "connection",
                ]) =>
            {
                StoreErrorKind::Unreachable
            }
            kind => kind,
        };
        let message = match kind {
            StoreErrorKind::NoCredentials => "no credentials were found".to_owned(),
            StoreErrorKind::WrongRegion => "the bucket is in another region".to_owned(),
            StoreErrorKind::Unreachable => return Self::unreachable(error),
            _ => redact(&text),
        };
        Self::new(kind, message)
    }

    /// Puts an error of a client that was reading into words.
    pub(crate) fn from_reading(error: &object_store::Error) -> Self {
        use object_store::Error as E;
        let text = chain(error);
        match error {
            E::Precondition { .. } => return Self::changed(),
            E::NotFound { .. } if !text.contains("NoSuchBucket") && !text.contains("ContainerNotFound") => {
                return Self::new(StoreErrorKind::NotFound, "the object does not exist (HTTP 404)");
            }
            E::NotFound { .. } => return Self::new(StoreErrorKind::NoBucket, "the bucket does not exist"),
            _ => {}
        }
        if text.contains("non-partial response") || text.contains("Content-Range header") {
            return Self::no_ranges();
        }
        Self::from_client(error)
    }

    /// Makes the error for an object that changed.
    pub(crate) fn changed() -> Self {
        Self::new(StoreErrorKind::Changed, "it changed while it was read")
    }

    /// Makes the error for a server that sends whole files only.
    pub(crate) fn no_ranges() -> Self {
        let message = "the server ignores Range requests and would send the whole file for each of its parts";
        Self::new(StoreErrorKind::NoRanges, message)
    }

    /// Makes the error for a server that does not answer, with the innermost cause.
    pub(crate) fn unreachable(error: &dyn std::error::Error) -> Self {
        let message = format!("the server cannot be reached ({})", redact(&last_cause(error)));
        Self::new(StoreErrorKind::Unreachable, message)
    }

    /// Puts an error answer of a server into words: its status, and a body that may be XML.
    pub(crate) fn from_answer(status: u16, body: &str) -> Self {
        use StoreErrorKind as K;
        let code = element(body, "Code").unwrap_or_default();
        let said = element(body, "Message").unwrap_or_default();
        let (kind, message) = match code {
            "NoSuchBucket" | "ContainerNotFound" => (K::NoBucket, "the bucket does not exist"),
            "ExpiredToken" | "ExpiredTokenException" => (K::InvalidCredentials, "the credentials are expired"),
            "InvalidAccessKeyId" | "InvalidToken" | "AuthenticationFailed" | "InvalidAuthenticationInfo" => {
                (K::InvalidCredentials, "the credentials are not valid")
            }
            "SignatureDoesNotMatch" => (K::InvalidCredentials, "the secret key does not belong to the access key"),
            "RequestTimeTooSkewed" => (K::ClockSkew, "the clock of this machine is wrong"),
            "AuthorizationHeaderMalformed" | "PermanentRedirect" | "IllegalLocationConstraintException" => {
                (K::WrongRegion, "the bucket is in another region")
            }
            "EntityTooSmall" | "InvalidPart" | "InvalidPartOrder" => (K::PartsRefused, "the store refuses the parts"),
            "PreconditionFailed" | "BlobAlreadyExists" => (K::Exists, "the object already exists"),
            _ => match status {
                301 | 307 => (K::WrongRegion, "the bucket is in another region"),
                401 => (K::InvalidCredentials, "the credentials are not valid"),
                403 => (K::AccessDenied, "access is denied"),
                404 => (K::NoBucket, "the bucket does not exist"),
                412 => (K::Exists, "the object already exists"),
                429 | 500..=599 => (K::Unreachable, "the server keeps failing"),
                _ => (K::Other, "the server refuses the request"),
            },
        };
        let mut message = message.to_owned();
        let details = [
            (status > 0).then(|| format!("HTTP {status}")),
            (!code.is_empty()).then(|| redact(code)),
            (!said.is_empty()).then(|| redact(said)),
        ];
        let details: Vec<_> = details.into_iter().flatten().collect();
        if !details.is_empty() {
            message = format!("{message} ({})", details.join(", "));
        }
        Self::new(kind, message)
    }
}

impl From<Misfit> for StoreError {
    fn from(misfit: Misfit) -> Self {
        match misfit {
            Misfit::TooLarge => Self::new(
                StoreErrorKind::TooLarge,
                "the file may need more parts than an upload can have, because its pixels are so many before compression",
            ),
            Misfit::TooLong(bytes) => Self::new(
                StoreErrorKind::TooLarge,
                format!("the file has {bytes} bytes or more, which no object can have"),
            ),
            Misfit::BoundExceeded(section) | Misfit::UnknownSection(section) => Self::new(
                StoreErrorKind::Other,
                format!("the tiles of section {}/{} do not follow the plan", section.level, section.part),
            ),
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for StoreError {}

/// Returns the texts of an error and its causes that add something.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}

/// Returns an error of this crate among the causes of a client's error: those of its providers of credentials.
fn own(error: &object_store::Error) -> Option<StoreError> {
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        if let Some(own) = error.downcast_ref::<StoreError>() {
            return Some(own.clone());
        }
        cause = error.source();
    }
    None
}

/// Returns the text of the innermost cause.
fn last_cause(error: &dyn std::error::Error) -> String {
    let mut last = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    last.to_string()
}

/// Returns the text of the first element of a name. Answers of stores are flat, and an answer that is not only makes a
/// message less precise.
pub(crate) fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    Some(rest.split_once("</")?.0.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_become_words() {
        let xml = |code: &str| format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>m</Message></Error>");
        for (status, code, kind) in [
            (404, "NoSuchBucket", StoreErrorKind::NoBucket),
            (404, "ContainerNotFound", StoreErrorKind::NoBucket),
            (403, "AccessDenied", StoreErrorKind::AccessDenied),
            (400, "ExpiredToken", StoreErrorKind::InvalidCredentials),
            (403, "SignatureDoesNotMatch", StoreErrorKind::InvalidCredentials),
            (403, "RequestTimeTooSkewed", StoreErrorKind::ClockSkew),
            (400, "AuthorizationHeaderMalformed", StoreErrorKind::WrongRegion),
            (301, "PermanentRedirect", StoreErrorKind::WrongRegion),
            (400, "EntityTooSmall", StoreErrorKind::PartsRefused),
            (412, "PreconditionFailed", StoreErrorKind::Exists),
            (503, "SlowDown", StoreErrorKind::Unreachable),
            (418, "Teapot", StoreErrorKind::Other),
        ] {
            let error = StoreError::from_answer(status, &xml(code));
            assert_eq!(error.kind(), kind, "{error}");
            assert!(error.to_string().contains(code) && error.to_string().contains(&status.to_string()), "{error}");
        }
        assert_eq!(StoreError::from_answer(403, "").to_string(), "access is denied (HTTP 403)");
    }

    #[test]
    fn the_error_of_a_store_is_found_again() {
        let error = StoreError::new(StoreErrorKind::NoBucket, "the bucket does not exist").at("write", "s3://b/k");
        assert_eq!(error.to_string(), "cannot write 's3://b/k': the bucket does not exist");
        assert_eq!(StoreError::of(&error).map(StoreError::kind), Some(StoreErrorKind::NoBucket));
        let error = StoreError::new(StoreErrorKind::Exists, "").at("write", "s3://b/k");
        assert!(matches!(error.kind(), ErrorKind::TargetExists { .. }));
    }
}
