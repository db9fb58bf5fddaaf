//! JavaScript objects: inputs are read by name, and unknown names are rejected.

use std::str::FromStr;

use js_sys::{Array, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};

use crate::error::Failure;

/// The result type of this module, unless another error type is named.
pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

/// An object passed to JavaScript.
#[derive(Debug, Default)]
pub(crate) struct Out(Object);

impl Out {
    /// Adds a value.
    pub(crate) fn with(self, name: &str, value: impl Into<JsValue>) -> Self {
        // Setting a property of a plain object cannot fail.
        let _ = Reflect::set(&self.0, &name.into(), &value.into());
        self
    }

    /// Adds all entries of an object.
    pub(crate) fn with_all(self, object: &JsValue) -> Self {
        Self(Object::assign(&self.0, object.unchecked_ref()))
    }

    /// Adds a value, or `null` for `None`.
    pub(crate) fn with_option<T: Into<JsValue>>(self, name: &str, value: Option<T>) -> Self {
        self.with(name, value.map_or(JsValue::NULL, Into::into))
    }
}

impl From<Out> for JsValue {
    fn from(out: Out) -> Self {
        out.0.into()
    }
}

/// Returns an array for JavaScript.
pub(crate) fn list<T: Into<JsValue>>(items: impl IntoIterator<Item = T>) -> Array {
    items.into_iter().map(Into::into).collect()
}

/// Converts a name to camel case: `big_tiff` becomes `bigTiff`.
pub(crate) fn camel_case(name: &str, separator: char) -> String {
    let mut words = name.split(separator);
    let mut camel = words.next().unwrap_or_default().to_owned();
    for word in words {
        let (first, rest) = word.split_at(word.len().min(1));
        camel += &first.to_ascii_uppercase();
        camel += rest;
    }
    camel
}

/// Converts a 64-bit integer to a JavaScript number, exact up to 2^53.
#[expect(clippy::cast_precision_loss, reason = "offsets and counts; no file has 2^53 bytes")]
pub(crate) fn number(value: u64) -> f64 {
    value as f64
}

/// A value from JavaScript, with the name of its option.
#[derive(Debug, Clone)]
pub(crate) struct Given {
    option: &'static str,
    value: JsValue,
}

impl Given {
    pub(crate) fn refuse<T>(&self, reason: impl Into<String>) -> Result<T> {
        Err(refused(self.option, reason))
    }

    pub(crate) fn option(&self) -> &'static str {
        self.option
    }

    pub(crate) fn value(&self) -> &JsValue {
        &self.value
    }

    /// Returns a string.
    pub(crate) fn text(&self) -> Result<String> {
        self.value.as_string().map_or_else(|| self.refuse("expected a string"), Ok)
    }

    /// Returns the value for a string that is one of `names`.
    pub(crate) fn one_of<T: Copy>(&self, names: &[(&str, T)]) -> Result<T> {
        let given = self.value.as_string();
        let found = names.iter().find(|(name, _)| Some(*name) == given.as_deref());
        found.map_or_else(
            || {
                let names: Vec<_> = names.iter().map(|(name, _)| *name).collect();
                self.refuse(format!("expected one of {}", names.join(", ")))
            },
            |(_, value)| Ok(*value),
        )
    }

    /// Parses a string that is one of the library's names of a value, in either case.
    pub(crate) fn named<T: FromStr>(&self, mut names: impl Iterator<Item = &'static str>) -> Result<T> {
        let given = self.value.as_string().and_then(|name| name.parse().ok());
        given.map_or_else(
            || {
                let first = names.next().unwrap_or_default().to_owned();
                let names = names.fold(first, |names, name| names + ", " + name);
                self.refuse(format!("expected one of {names}"))
            },
            Ok,
        )
    }

    /// Returns a finite number.
    pub(crate) fn finite(&self) -> Result<f64> {
        let number = self.value.as_f64().filter(|number| number.is_finite());
        number.map_or_else(|| self.refuse("expected a finite number"), Ok)
    }

    /// Returns an unsigned integer of at most 32 bits.
    pub(crate) fn whole(&self) -> Result<u32> {
        let whole = self.value.as_f64().filter(|n| n.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(n));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole and in range")]
        whole.map_or_else(
            || self.refuse("expected a non-negative integer of at most 32 bits"),
            |number| Ok(number as u32),
        )
    }

    /// Returns `true` or `false`.
    pub(crate) fn flag(&self) -> Result<bool> {
        self.value.as_bool().map_or_else(|| self.refuse("expected true or false"), Ok)
    }

    /// Returns the items of an array, or `None` for other values.
    pub(crate) fn items(&self) -> Option<Vec<Self>> {
        let array = self.value.dyn_ref::<Array>()?;
        Some(array.iter().map(|value| Self { option: self.option, value }).collect())
    }

    /// Returns `N` finite numbers.
    pub(crate) fn numbers<const N: usize>(&self, expected: &str) -> Result<[f64; N]> {
        let numbers = self.items().map(|items| items.iter().map(Self::finite).collect::<Result<Vec<_>>>());
        let numbers = numbers.transpose()?.and_then(|numbers| <[f64; N]>::try_from(numbers).ok());
        numbers.map_or_else(|| self.refuse(expected), Ok)
    }
}

/// Returns an error about an option.
pub(crate) fn refused(option: &'static str, reason: impl Into<String>) -> Failure {
    Failure::Option { option, reason: reason.into() }
}

/// Returns the hint for names that could mean a change of pixel values, which `gdal_translate -scale` makes.
fn of_scaling(name: &str, names: &[&str]) -> Option<String> {
    let (option, thing) = match name {
        "scale" => ("bandScale", "a scale factor"),
        "offset" => ("bandOffset", "an offset"),
        "unit" => ("bandUnit", "a unit"),
        _ => return None,
    };
    names.contains(&option).then(|| {
        format!(
            "{option} records {thing} in the metadata; pixel values are not rescaled, as gdal_translate -scale does"
        )
    })
}

/// Returns the entries of an options object, except those that are `undefined`; every name must be known.
pub(crate) fn entries(object: &JsValue, what: &'static str, names: &[&'static str]) -> Result<Vec<Given>> {
    if object.is_undefined() {
        return Ok(Vec::new());
    }
    let object = object.dyn_ref::<Object>().filter(|object| !object.is_function() && !Array::is_array(object));
    let object = object.ok_or_else(|| refused(what, "expected an object"))?;
    let mut given = Vec::new();
    for entry in Object::entries(object).iter() {
        let entry: Array = entry.unchecked_into();
        let (name, value) = (entry.get(0).as_string().unwrap_or_default(), entry.get(1));
        let Some(option) = names.iter().find(|known| **known == name) else {
            let advice = of_scaling(&name, names).unwrap_or_else(|| format!("expected one of {}", names.join(", ")));
            return Err(refused(what, format!("unknown name '{name}'; {advice}")));
        };
        if !value.is_undefined() {
            given.push(Given { option, value });
        }
    }
    Ok(given)
}
