//! Results of the library as JavaScript values: what they serialize, with the names of fields in camel case.

use std::fmt::{self, Display};

use js_sys::{Array, Object, Reflect};
use serde_core::ser::{self, Impossible, Serialize, Serializer};
use wasm_bindgen::JsValue;

use crate::object::camel_case;

/// Returns a result as a JavaScript value.
pub(crate) fn value(result: &impl Serialize) -> Result<JsValue, JsValue> {
    result.serialize(Values).map_err(|error| error.to_string().into())
}

/// A kind of value that no result contains.
#[derive(Debug)]
pub(crate) struct Unexpected(String);

impl Display for Unexpected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unexpected {}

impl ser::Error for Unexpected {
    fn custom<T: Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

type Value<T = JsValue> = Result<T, Unexpected>;

fn unexpected<T>(kind: &str) -> Value<T> {
    Err(Unexpected(format!("cannot pass {kind} to JavaScript")))
}

/// Makes values.
struct Values;

/// Implements methods for numbers; integers are exact up to 2^53.
macro_rules! numbers {
    ($($method:ident: $type:ty),+) => {
        $(
            #[allow(clippy::cast_precision_loss, clippy::cast_lossless, reason = "no file has 2^53 bytes")]
            fn $method(self, number: $type) -> Value {
                Ok((number as f64).into())
            }
        )+
    };
}

impl Serializer for Values {
    type Ok = JsValue;
    type Error = Unexpected;
    type SerializeSeq = Items;
    type SerializeTuple = Impossible<JsValue, Unexpected>;
    type SerializeTupleStruct = Impossible<JsValue, Unexpected>;
    type SerializeTupleVariant = Impossible<JsValue, Unexpected>;
    type SerializeMap = Entries;
    type SerializeStruct = Entries;
    type SerializeStructVariant = Impossible<JsValue, Unexpected>;

    numbers!(
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64, serialize_u8: u8,
        serialize_u16: u16, serialize_u32: u32, serialize_u64: u64, serialize_f32: f32, serialize_f64: f64
    );

    fn serialize_bool(self, flag: bool) -> Value {
        Ok(flag.into())
    }

    fn serialize_str(self, text: &str) -> Value {
        Ok(text.into())
    }

    fn serialize_none(self) -> Value {
        Ok(JsValue::NULL)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Value {
        value.serialize(self)
    }

    fn serialize_seq(self, _: Option<usize>) -> Value<Items> {
        Ok(Items(Array::new()))
    }

    fn serialize_map(self, _: Option<usize>) -> Value<Entries> {
        Ok(Entries { object: Object::new(), key: JsValue::NULL })
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Value<Entries> {
        self.serialize_map(None)
    }

    fn serialize_char(self, _: char) -> Value {
        unexpected("a character")
    }

    fn serialize_bytes(self, _: &[u8]) -> Value {
        unexpected("bytes")
    }

    fn serialize_unit(self) -> Value {
        unexpected("a unit")
    }

    fn serialize_unit_struct(self, name: &'static str) -> Value {
        unexpected(name)
    }

    fn serialize_unit_variant(self, name: &'static str, _: u32, _: &'static str) -> Value {
        unexpected(name)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, _: &T) -> Value {
        unexpected(name)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Value {
        unexpected(name)
    }

    fn serialize_tuple(self, _: usize) -> Value<Self::SerializeTuple> {
        unexpected("a tuple")
    }

    fn serialize_tuple_struct(self, name: &'static str, _: usize) -> Value<Self::SerializeTupleStruct> {
        unexpected(name)
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Value<Self::SerializeTupleVariant> {
        unexpected(name)
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Value<Self::SerializeStructVariant> {
        unexpected(name)
    }
}

/// Items of an array.
struct Items(Array);

impl ser::SerializeSeq for Items {
    type Ok = JsValue;
    type Error = Unexpected;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, item: &T) -> Value<()> {
        self.0.push(&item.serialize(Values)?);
        Ok(())
    }

    fn end(self) -> Value {
        Ok(self.0.into())
    }
}

/// Entries of an object.
struct Entries {
    object: Object,
    /// The key of the next value.
    key: JsValue,
}

impl Entries {
    fn set(&self, key: &JsValue, value: &JsValue) {
        // Setting a property of a plain object cannot fail.
        let _ = Reflect::set(&self.object, key, value);
    }
}

/// Keys are data, such as `tiff-tag-order`, and stay as they are.
impl ser::SerializeMap for Entries {
    type Ok = JsValue;
    type Error = Unexpected;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Value<()> {
        self.key = key.serialize(Values)?;
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Value<()> {
        self.set(&self.key, &value.serialize(Values)?);
        Ok(())
    }

    fn end(self) -> Value {
        Ok(self.object.into())
    }
}

impl ser::SerializeStruct for Entries {
    type Ok = JsValue;
    type Error = Unexpected;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Value<()> {
        self.set(&camel_case(name, '_').into(), &value.serialize(Values)?);
        Ok(())
    }

    fn end(self) -> Value {
        Ok(self.object.into())
    }
}
