//! Parameters of codecs: their names, values, and ranges.

use std::fmt;

use crate::error::{Error, OptionField, Result};
use crate::names::any_of;

use super::compression::Compression;
use super::table::Codec;

/// The value of a codec's parameter.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum ParameterValue<'a> {
    /// A whole number, such as a level.
    Integer(u32),
    /// Any number, such as an error.
    Number(f64),
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

impl From<f64> for ParameterValue<'_> {
    fn from(value: f64) -> Self {
        Self::Number(value)
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
            Self::Number(_) | Self::Name(_) => None,
        }
    }

    /// Returns the number.
    pub(super) fn number(self) -> Option<f64> {
        match self {
            Self::Integer(value) => Some(value.into()),
            Self::Number(value) => Some(value),
            Self::Name(_) => None,
        }
    }

    /// Returns the value with a name, in either case.
    pub(super) fn parse<T: std::str::FromStr>(self) -> Option<T> {
        match self {
            Self::Integer(_) | Self::Number(_) => None,
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
    /// Finite numbers of at least 0.
    NotNegative,
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
            (ParameterRange::NotNegative, value) => match value.number() {
                Some(number) if number.is_finite() && number >= 0.0 => Ok(()),
                _ => refuse(format!("{value} is not a finite number of at least 0")),
            },
            (ParameterRange::Names(names), ParameterValue::Name(name)) => {
                if names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                    return Ok(());
                }
                refuse(format!("'{name}' is not one of {}", names.join(", ")))
            }
            (ParameterRange::Integers { min, max }, ParameterValue::Name(_) | ParameterValue::Number(_)) => {
                refuse(format!("{value} is not a number from {min} to {max}"))
            }
            (ParameterRange::Names(names), ParameterValue::Integer(_) | ParameterValue::Number(_)) => {
                refuse(format!("{value} is a number; use {}", any_of(names)))
            }
        }
    }

    /// Returns the value as a number that [`value_of`](Self::value_of) accepts.
    pub(crate) fn code(&self, value: ParameterValue<'_>) -> u64 {
        match (self.range, value) {
            (ParameterRange::NotNegative, value) => value.number().unwrap_or(f64::NAN).to_bits(),
            (_, ParameterValue::Integer(value)) => value.into(),
            (ParameterRange::Names(names), ParameterValue::Name(name)) => {
                let index = names.iter().position(|known| *known == name);
                index.and_then(|index| u64::try_from(index).ok()).unwrap_or(u64::MAX)
            }
            (_, ParameterValue::Name(_) | ParameterValue::Number(_)) => u64::MAX,
        }
    }

    /// Returns the value with a code; `None` if there is no such name. Numbers are not checked.
    pub(crate) fn value_of(&self, code: u64) -> Option<ParameterValue<'static>> {
        match self.range {
            ParameterRange::Integers { .. } => Some(ParameterValue::Integer(u32::try_from(code).ok()?)),
            ParameterRange::NotNegative => Some(ParameterValue::Number(f64::from_bits(code))),
            ParameterRange::Names(names) => Some(ParameterValue::Name(names.get(usize::try_from(code).ok()?)?)),
        }
    }
}

/// The value as text; names in quotes.
impl fmt::Display for ParameterValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(value) => write!(f, "{value}"),
            Self::Number(value) => write!(f, "{value}"),
            Self::Name(name) => write!(f, "'{name}'"),
        }
    }
}
