//! Wire format for data sent between machines: numbers, text, and lists as little-endian bytes, with the kind of
//! message, the version of this library, and a checksum.

use crate::error::{Error, Result};

/// The first bytes of every message.
const SIGNATURE: &[u8; 8] = b"cogsmith";
/// Length of the checksum, one 32-bit word.
const CHECKSUM_LEN: usize = 4;

/// The kind of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kind {
    /// The byte that identifies it.
    pub(crate) code: u8,
    /// Its name in errors.
    pub(crate) name: &'static str,
}

/// Returns the CRC-32 of bytes.
pub(crate) fn checksum(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

/// Returns a number that distinguishes messages (FNV-1a, 64 bits).
pub(crate) fn digest(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3))
}

/// A message being written.
pub(crate) struct Message {
    bytes: Vec<u8>,
}

impl Message {
    /// Starts a message.
    pub(crate) fn new(kind: Kind) -> Self {
        let mut message = Self { bytes: SIGNATURE.to_vec() };
        message.u8(kind.code);
        message.text(env!("CARGO_PKG_VERSION"));
        message
    }

    /// Starts a part of a message, which is sealed with the whole message.
    pub(crate) fn part() -> Self {
        Self { bytes: Vec::new() }
    }

    pub(crate) fn u8(&mut self, value: u8) {
        self.bytes.push(value);
    }

    pub(crate) fn u16(&mut self, value: u16) {
        self.raw(&value.to_le_bytes());
    }

    pub(crate) fn u32(&mut self, value: u32) {
        self.raw(&value.to_le_bytes());
    }

    pub(crate) fn u64(&mut self, value: u64) {
        self.raw(&value.to_le_bytes());
    }

    pub(crate) fn f64(&mut self, value: f64) {
        self.raw(&value.to_le_bytes());
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Writes the length of what follows.
    fn length(&mut self, length: usize) {
        self.u64(length as u64);
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.length(bytes.len());
        self.raw(bytes);
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    pub(crate) fn list<T>(&mut self, items: &[T], put: impl Fn(&mut Self, &T)) {
        self.length(items.len());
        items.iter().for_each(|item| put(self, item));
    }

    pub(crate) fn option<T>(&mut self, item: Option<&T>, put: impl FnOnce(&mut Self, &T)) {
        self.u8(item.is_some().into());
        if let Some(item) = item {
            put(self, item);
        }
    }

    /// Writes one of a few values as its index in a list.
    pub(crate) fn one_of<T: PartialEq>(&mut self, all: &[T], value: &T) {
        let place = all.iter().position(|one| one == value).and_then(|place| u8::try_from(place).ok());
        // A value missing from the list is rejected on reading; a test covers all of them.
        self.u8(place.unwrap_or(u8::MAX));
    }

    /// Returns the bytes of a part.
    pub(crate) fn into_part(self) -> Vec<u8> {
        self.bytes
    }

    /// Appends the checksum and returns the message.
    pub(crate) fn seal(mut self) -> Vec<u8> {
        let sum = checksum(&self.bytes);
        self.u32(sum);
        self.bytes
    }
}

/// A message being read.
pub(crate) struct Reader<'a> {
    name: &'static str,
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Opens a message.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) if the bytes are not a message of this kind, were modified, or
    /// come from another version of this library, whose files may differ.
    pub(crate) fn open(kind: Kind, bytes: &'a [u8]) -> Result<Self> {
        let name = kind.name;
        let damaged = |reason: &str| Error::corrupt(name, reason);
        let (content, sum) = bytes
            .len()
            .checked_sub(CHECKSUM_LEN)
            .map(|at| bytes.split_at(at))
            .ok_or_else(|| damaged("it is truncated"))?;
        let rest = content.strip_prefix(SIGNATURE).ok_or_else(|| damaged("its signature is missing"))?;
        if checksum(content).to_le_bytes() != sum {
            return Err(damaged("checksum mismatch: it was modified or truncated"));
        }
        let mut reader = Self { name, rest };
        if reader.u8()? != kind.code {
            return Err(damaged("it is another kind of message"));
        }
        let version = reader.text()?;
        if version != env!("CARGO_PKG_VERSION") {
            return Err(damaged(&format!(
                "it was written by version {version}, but this is {}; all machines need the same version",
                env!("CARGO_PKG_VERSION")
            )));
        }
        Ok(reader)
    }

    /// Opens a part of a message that was opened before; `name` is its name in errors.
    pub(crate) fn part(name: &'static str, bytes: &'a [u8]) -> Self {
        Self { name, rest: bytes }
    }

    /// Makes an error about this message.
    pub(crate) fn damaged(&self, reason: impl Into<String>) -> Error {
        Error::corrupt(self.name, reason)
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or_else(|| self.damaged("it is too short"))?;
        self.rest = rest;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let taken = self.take(N)?;
        <[u8; N]>::try_from(taken).map_err(|_| self.damaged("it is too short"))
    }

    pub(crate) fn u8(&mut self) -> Result<u8> {
        Ok(self.array::<1>()?[0])
    }

    pub(crate) fn u16(&mut self) -> Result<u16> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    pub(crate) fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub(crate) fn u64(&mut self) -> Result<u64> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    pub(crate) fn f64(&mut self) -> Result<f64> {
        Ok(f64::from_le_bytes(self.array()?))
    }

    pub(crate) fn bytes(&mut self) -> Result<&'a [u8]> {
        let length = self.u64()?;
        self.take(usize::try_from(length).unwrap_or(usize::MAX))
    }

    pub(crate) fn text(&mut self) -> Result<String> {
        let bytes = self.bytes()?.to_vec();
        String::from_utf8(bytes).map_err(|_| self.damaged("a text is not UTF-8"))
    }

    /// Reads a list. Items take at least a byte each, so a false length cannot make it allocate memory.
    pub(crate) fn list<T>(&mut self, item: impl Fn(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        let length = usize::try_from(self.u64()?).unwrap_or(usize::MAX);
        if length > self.rest.len() {
            return Err(self.damaged("a list is longer than the message"));
        }
        (0..length).map(|_| item(self)).collect()
    }

    pub(crate) fn option<T>(&mut self, item: impl FnOnce(&mut Self) -> Result<T>) -> Result<Option<T>> {
        match self.u8()? {
            0 => Ok(None),
            1 => item(self).map(Some),
            other => Err(self.damaged(format!("expected 0 or 1, got {other}"))),
        }
    }

    pub(crate) fn one_of<T: Copy>(&mut self, all: &[T]) -> Result<T> {
        let place = self.u8()?;
        all.get(usize::from(place)).copied().ok_or_else(|| self.damaged(format!("unknown value {place}")))
    }

    /// Checks that nothing is left to read.
    pub(crate) fn end(self) -> Result<()> {
        if self.rest.is_empty() { Ok(()) } else { Err(self.damaged("it is too long")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: Kind = Kind { code: 200, name: "a test" };

    #[test]
    fn what_was_put_in_comes_out() {
        let mut message = Message::new(KIND);
        message.list(&[1u32, 2], |message, item| message.u32(*item));
        message.option(Some(&"é"), |message, text| message.text(text));
        message.option(None::<&u8>, |message, byte| message.u8(*byte));
        let bytes = message.seal();
        let mut reader = Reader::open(KIND, &bytes).unwrap();
        assert_eq!(reader.list(Reader::u32).unwrap(), [1, 2]);
        assert_eq!(reader.option(Reader::text).unwrap().as_deref(), Some("é"));
        assert_eq!(reader.option(Reader::u8).unwrap(), None);
        reader.end().unwrap();
    }

    #[test]
    fn every_changed_or_missing_byte_is_noticed() {
        let mut message = Message::new(KIND);
        message.text("some text");
        let bytes = message.seal();
        for index in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[index] ^= 0x10;
            assert!(Reader::open(KIND, &changed).is_err(), "byte {index}");
            assert!(Reader::open(KIND, &bytes[..index]).is_err(), "cut at {index}");
        }
        let other = Reader::open(Kind { code: 201, ..KIND }, &bytes).err().unwrap().to_string();
        assert!(other.contains("another kind"), "{other}");
    }
}
