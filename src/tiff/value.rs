//! Values of tags, and their encoding.

/// The value of a tag: a field type (TIFF 6.0 section 2, BigTIFF for the 64-bit ones) and its items.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum TagValue {
    /// Type 1, BYTE.
    Byte(Vec<u8>),
    /// Type 2, ASCII: the bytes of the text; encoding adds the terminating NUL.
    Ascii(Vec<u8>),
    /// Type 3, SHORT.
    Short(Vec<u16>),
    /// Type 4, LONG.
    Long(Vec<u32>),
    /// Type 5, RATIONAL: numerators and denominators.
    Rational(Vec<[u32; 2]>),
    /// Type 6, SBYTE.
    SByte(Vec<i8>),
    /// Type 7, UNDEFINED.
    Undefined(Vec<u8>),
    /// Type 8, SSHORT.
    SShort(Vec<i16>),
    /// Type 9, SLONG.
    SLong(Vec<i32>),
    /// Type 10, SRATIONAL: numerators and denominators.
    SRational(Vec<[i32; 2]>),
    /// Type 11, FLOAT.
    Float(Vec<f32>),
    /// Type 12, DOUBLE.
    Double(Vec<f64>),
    /// Type 16, LONG8 (BigTIFF only).
    Long8(Vec<u64>),
}

impl TagValue {
    /// Returns the number of the field type.
    #[must_use]
    pub const fn field_type(&self) -> u16 {
        match self {
            Self::Byte(_) => 1,
            Self::Ascii(_) => 2,
            Self::Short(_) => 3,
            Self::Long(_) => 4,
            Self::Rational(_) => 5,
            Self::SByte(_) => 6,
            Self::Undefined(_) => 7,
            Self::SShort(_) => 8,
            Self::SLong(_) => 9,
            Self::SRational(_) => 10,
            Self::Float(_) => 11,
            Self::Double(_) => 12,
            Self::Long8(_) => 16,
        }
    }

    /// Returns the number of items; for text, the number of bytes including the terminating NUL.
    #[must_use]
    pub fn count(&self) -> usize {
        match self {
            Self::Byte(items) | Self::Undefined(items) => items.len(),
            Self::Ascii(text) => text.len() + 1,
            Self::Short(items) => items.len(),
            Self::Long(items) => items.len(),
            Self::Rational(items) => items.len(),
            Self::SByte(items) => items.len(),
            Self::SShort(items) => items.len(),
            Self::SLong(items) => items.len(),
            Self::SRational(items) => items.len(),
            Self::Float(items) => items.len(),
            Self::Double(items) => items.len(),
            Self::Long8(items) => items.len(),
        }
    }

    /// Returns the encoded size of the items in bytes.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        let size = match self {
            Self::Byte(_) | Self::Ascii(_) | Self::SByte(_) | Self::Undefined(_) => 1,
            Self::Short(_) | Self::SShort(_) => 2,
            Self::Long(_) | Self::SLong(_) | Self::Float(_) => 4,
            Self::Rational(_) | Self::SRational(_) | Self::Double(_) | Self::Long8(_) => 8,
        };
        self.count() * size
    }

    /// Appends the items in little-endian order.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Byte(items) | Self::Undefined(items) => out.extend_from_slice(items),
            Self::Ascii(text) => {
                out.extend_from_slice(text);
                out.push(0);
            }
            Self::Short(items) => out.extend(items.iter().flat_map(|item| item.to_le_bytes())),
            Self::Long(items) => out.extend(items.iter().flat_map(|item| item.to_le_bytes())),
            Self::Rational(items) => out.extend(items.iter().flatten().flat_map(|part| part.to_le_bytes())),
            Self::SByte(items) => out.extend(items.iter().flat_map(|item| item.to_le_bytes())),
            Self::SShort(items) => out.extend(items.iter().flat_map(|item| item.to_le_bytes())),
            Self::SLong(items) => out.extend(items.iter().flat_map(|item| item.to_le_bytes())),
            Self::SRational(items) => out.extend(items.iter().flatten().flat_map(|part| part.to_le_bytes())),
            Self::Float(items) => out.extend(items.iter().flat_map(|item| item.to_le_bytes())),
            Self::Double(items) => out.extend(items.iter().flat_map(|item| item.to_le_bytes())),
            Self::Long8(items) => out.extend(items.iter().flat_map(|item| item.to_le_bytes())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_len_is_the_length_of_encode() {
        let values = [
            TagValue::Byte(vec![1, 2, 3]),
            TagValue::Ascii(b"text".to_vec()),
            TagValue::Short(vec![1, 2]),
            TagValue::Long(vec![1, 2]),
            TagValue::Rational(vec![[1, 2]]),
            TagValue::SByte(vec![-1]),
            TagValue::Undefined(vec![0; 5]),
            TagValue::SShort(vec![-1, 1]),
            TagValue::SLong(vec![-1]),
            TagValue::SRational(vec![[-1, 2]]),
            TagValue::Float(vec![1.5; 3]),
            TagValue::Double(vec![1.5; 3]),
            TagValue::Long8(vec![1 << 40]),
        ];
        for value in values {
            let mut bytes = Vec::new();
            value.encode(&mut bytes);
            assert_eq!(bytes.len(), value.encoded_len(), "{value:?}");
        }
    }
}
