//! Names of option values: one table per option for printing and parsing.

use crate::error::{Error, OptionField, Result};

/// Implements `ALL`, `name`, `names`, `Display`, and `FromStr` for an enum. `$option` is the [`OptionField`] that errors
/// report.
macro_rules! named {
    ($type:ident, $option:ident, { $($variant:ident => $name:literal),+ $(,)? }) => {
        impl $type {
            /// All values.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Returns the name, in lowercase.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name),+
                }
            }

            /// Returns the names of all values, in the order of [`ALL`](Self::ALL).
            pub fn names() -> impl ExactSizeIterator<Item = &'static str> + Clone {
                Self::ALL.iter().map(|value| value.name())
            }
        }

        impl ::std::fmt::Display for $type {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(self.name())
            }
        }

        /// Parses a name in either case.
        impl ::std::str::FromStr for $type {
            type Err = crate::error::Error;

            fn from_str(text: &str) -> crate::error::Result<Self> {
                crate::names::parse(crate::error::OptionField::$option, text, Self::ALL, Self::name)
            }
        }
    };
}
pub(crate) use named;

/// Returns the value with a name, in either case.
///
/// # Errors
/// Returns [`ErrorKind::InvalidOption`](crate::ErrorKind::InvalidOption) that lists all names.
pub(crate) fn parse<T: Copy>(
    option: OptionField,
    text: &str,
    all: &[T],
    name: impl Fn(T) -> &'static str,
) -> Result<T> {
    all.iter().copied().find(|&value| name(value).eq_ignore_ascii_case(text)).ok_or_else(|| {
        let names: Vec<_> = all.iter().map(|&value| name(value)).collect();
        Error::option(option, format!("'{text}' is not one of {}", names.join(", ")))
    })
}

/// Joins names for a sentence: `lzw, deflate, or zstd`.
pub(crate) fn any_of(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [one, other] => format!("{one} or {other}"),
        [first @ .., last] => format!("{}, or {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::{Debug, Display};
    use std::str::FromStr;

    use super::*;
    use crate::options::{BigTiff, Compression, Interleave, MaskPolicy, Predictor, Resampling};

    fn check<T>(all: &[T], names: &[&str])
    where
        T: Copy + Debug + Display + PartialEq + FromStr<Err = Error>,
    {
        assert_eq!(all.iter().map(T::to_string).collect::<Vec<_>>(), names);
        for (&value, name) in all.iter().zip(names) {
            assert_eq!(name.parse::<T>().unwrap(), value);
            assert_eq!(name.to_ascii_uppercase().parse::<T>().unwrap(), value);
        }
        let error = "nonsense".parse::<T>().unwrap_err().to_string();
        assert!(error.contains(&names.join(", ")), "{error}");
        assert!("".parse::<T>().is_err());
    }

    #[test]
    fn names_are_parsed_in_either_case() {
        let codecs =
            ["none", "lzw", "packbits", "deflate", "zstd", "jpeg", "webp", "lerc", "lerc_deflate", "lerc_zstd"];
        check(Compression::ALL, &codecs);
        check(Predictor::ALL, &["auto", "none", "horizontal", "float"]);
        check(Interleave::ALL, &["pixel", "band", "tile"]);
        check(BigTiff::ALL, &["auto", "yes", "no"]);
        check(MaskPolicy::ALL, &["auto", "none", "nodata", "any-nodata", "alpha"]);
        check(Resampling::ALL, &Resampling::names().collect::<Vec<_>>());
    }

    #[test]
    fn names_pad() {
        assert_eq!(format!("{:>6}", Interleave::Band), "  band");
    }
}
