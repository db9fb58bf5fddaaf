//! Parameters of codecs: their names, values, and ranges.

use crate::error::{Error, OptionField, Result};
use crate::names::any_of;

use super::compression::Compression;
use super::table::Codec;

/// The value of a codec's parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ParameterValue<'a> {
    /// A whole number, such as a level.
    Integer(u32),
    /// One of a few names, such as a chroma subsampling.
    Name(&'a str),
}

impl From<u8> for ParameterValue<'_> {
    fn from(value: u8) -> Self {
        Self::Integer(value.into())
    }
}

impl From<u32> for ParameterValue<'_> {
    fn from(value: u32) -> Self {
        Self::Integer(value)
    }
}

impl<'a> From<&'a str> for ParameterValue<'a> {
    fn from(name: &'a str) -> Self {
        Self::Name(name)
    }
}

impl ParameterValue<'_> {
    /// Returns the number, if it is one of at most 255.
    pub(super) fn byte(self) -> Option<u8> {
        match self {
            Self::Integer(value) => u8::try_from(value).ok(),
            Self::Name(_) => None,
        }
    }

    /// Returns the value with a name, in either case.
    pub(super) fn parse<T: std::str::FromStr>(self) -> Option<T> {
        match self {
            Self::Integer(_) => None,
            Self::Name(name) => name.parse().ok(),
        }
    }
}

/// The possible values of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParameterRange {
    /// Whole numbers.
    Integers {
        /// The smallest value.
        min: u8,
        /// The largest value.
        max: u8,
    },
    /// Names, in either case.
    Names(&'static [&'static str]),
}

/// A parameter of a codec.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct CodecParameter {
    /// The name of the option, such as `level`.
    pub name: &'static str,
    /// The option that errors are about.
    pub field: OptionField,
    /// The possible values.
    pub range: ParameterRange,
    /// The default value.
    pub default: ParameterValue<'static>,
    /// Returns the value of the parameter; `None` for other codecs.
    pub(super) get: fn(Compression) -> Option<ParameterValue<'static>>,
    /// Returns the codec with another value; `None` for other codecs and values of the wrong kind.
    pub(super) set: fn(Compression, ParameterValue<'_>) -> Option<Compression>,
}

impl CodecParameter {
    /// Checks that a value is in the range.
    pub(super) fn check(&self, codec: &Codec, value: ParameterValue<'_>) -> Result<()> {
        let refuse = |reason: String| Err(Error::option(self.field, reason));
        match (self.range, value) {
            (ParameterRange::Integers { min, max }, ParameterValue::Integer(value)) => {
                if (min.into()..=max.into()).contains(&value) {
                    return Ok(());
                }
                refuse(format!("{value} is out of range for {} ({min} to {max})", codec.name))
            }
            (ParameterRange::Names(names), ParameterValue::Name(name)) => {
                if names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                    return Ok(());
                }
                refuse(format!("'{name}' is not one of {}", names.join(", ")))
            }
            (ParameterRange::Integers { min, max }, ParameterValue::Name(name)) => {
                refuse(format!("'{name}' is not a number from {min} to {max}"))
            }
            (ParameterRange::Names(names), ParameterValue::Integer(value)) => {
                refuse(format!("{value} is a number; use {}", any_of(names)))
            }
        }
    }

    /// Returns the value as a number that [`value_of`](Self::value_of) accepts.
    pub(crate) fn code(&self, value: ParameterValue<'_>) -> u32 {
        match (self.range, value) {
            (_, ParameterValue::Integer(value)) => value,
            (ParameterRange::Names(names), ParameterValue::Name(name)) => {
                let index = names.iter().position(|known| *known == name);
                index.and_then(|index| u32::try_from(index).ok()).unwrap_or(u32::MAX)
            }
            (ParameterRange::Integers { .. }, ParameterValue::Name(_)) => u32::MAX,
        }
    }

    /// Returns the value with a code; `None` if there is no such name. Numbers are not checked.
    pub(crate) fn value_of(&self, code: u32) -> Option<ParameterValue<'static>> {
        match self.range {
            ParameterRange::Integers { .. } => Some(ParameterValue::Integer(code)),
            ParameterRange::Names(names) => Some(ParameterValue::Name(names.get(usize::try_from(code).ok()?)?)),
        }
    }
}
