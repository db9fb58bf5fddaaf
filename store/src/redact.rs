//! Removal of secrets from texts: that of the library.

pub(crate) use cogsmith::redact;
