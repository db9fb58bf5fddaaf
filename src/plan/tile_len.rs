//! Lengths of encoded tiles.

use std::num::NonZeroU32;

use crate::error::Result;
use crate::message::{Message, Reader};
use crate::tiff::ghost::FRAME_LEN;

use super::index::zeros;

/// The length of an encoded tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TileLen {
    /// The tile is not encoded yet.
    Unknown,
    /// The tile has no bytes in the file: its offset and its byte count are 0.
    Sparse,
    /// The payload length, without leader and trailer; at most [`MAX`](Self::MAX).
    Bytes(NonZeroU32),
}

impl TileLen {
    /// The maximum payload length.
    const MAX: u32 = SPARSE - 1;

    /// Returns the length of a tile of `bytes` bytes; `None` if it is 0 or too large.
    pub(crate) fn new(bytes: u32) -> Option<Self> {
        NonZeroU32::new(bytes).filter(|bytes| bytes.get() <= Self::MAX).map(Self::Bytes)
    }

    /// Returns an upper bound of `bytes` bytes, clamped to the range of a tile's length.
    pub(crate) fn at_most(bytes: u64) -> Self {
        Self::new(u32::try_from(bytes).unwrap_or(Self::MAX).clamp(1, Self::MAX)).unwrap_or(Self::Unknown)
    }

    /// Returns the value in TileByteCounts.
    pub(crate) fn byte_count(self) -> u32 {
        match self {
            Self::Unknown | Self::Sparse => 0,
            Self::Bytes(bytes) => bytes.get(),
        }
    }

    /// Returns the bytes of the tile in its section, with leader and trailer; 0 if unknown or sparse.
    pub(crate) fn framed_len(self) -> u64 {
        match self {
            Self::Unknown | Self::Sparse => 0,
            Self::Bytes(bytes) => u64::from(bytes.get()) + FRAME_LEN,
        }
    }
}

/// [`TileLen::Unknown`] in a list.
const UNKNOWN: u32 = 0;
/// [`TileLen::Sparse`] in a list.
const SPARSE: u32 = u32::MAX;

/// A list of lengths, four bytes each.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct TileLens(Vec<u32>);

impl TileLens {
    /// Returns `count` unknown lengths.
    ///
    /// # Errors
    /// Returns [`ErrorKind::OutOfMemory`](crate::ErrorKind::OutOfMemory) if there are too many tiles.
    pub(crate) fn unknown(count: usize) -> Result<Self> {
        zeros(count).map(Self)
    }

    /// Returns the number of tiles.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns the length at an index.
    pub(crate) fn get(&self, index: usize) -> TileLen {
        unpack(self.0[index])
    }

    /// Sets the length at an index.
    pub(crate) fn set(&mut self, index: usize, len: TileLen) {
        self.0[index] = pack(len);
    }

    /// Sets all lengths to one value.
    pub(crate) fn fill(&mut self, len: TileLen) {
        self.0.fill(pack(len));
    }

    /// Appends a length.
    pub(crate) fn push(&mut self, len: TileLen) {
        self.0.push(pack(len));
    }

    /// Appends the lengths of another list.
    pub(crate) fn append(&mut self, other: &Self) {
        self.0.extend_from_slice(&other.0);
    }

    /// Returns all lengths.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = TileLen> + Clone {
        self.0.iter().map(|&packed| unpack(packed))
    }

    /// Writes the lengths to a message.
    pub(crate) fn put(&self, message: &mut Message) {
        message.list(&self.0, |message, packed| message.u32(*packed));
    }

    /// Reads what [`put`](Self::put) wrote.
    pub(crate) fn take(reader: &mut Reader<'_>) -> Result<Self> {
        reader.list(Reader::u32).map(Self)
    }
}

fn pack(len: TileLen) -> u32 {
    match len {
        TileLen::Unknown => UNKNOWN,
        TileLen::Sparse => SPARSE,
        TileLen::Bytes(bytes) => bytes.get(),
    }
}

fn unpack(packed: u32) -> TileLen {
    match NonZeroU32::new(packed) {
        None => TileLen::Unknown,
        Some(bytes) if bytes.get() == SPARSE => TileLen::Sparse,
        Some(bytes) => TileLen::Bytes(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_come_back_from_their_four_bytes() {
        let bytes = [1, 2, 512 << 10, TileLen::MAX].map(|bytes| TileLen::new(bytes).unwrap());
        let lens = [[TileLen::Unknown, TileLen::Sparse].as_slice(), &bytes].concat();
        let mut list = TileLens::unknown(lens.len()).unwrap();
        assert!(list.iter().all(|len| len == TileLen::Unknown));
        for (index, &len) in lens.iter().enumerate() {
            list.set(index, len);
            assert_eq!(list.get(index), len);
        }
        assert_eq!(list.iter().collect::<Vec<_>>(), lens);
        assert_eq!(size_of_val(list.0.as_slice()), 4 * lens.len());
    }

    #[test]
    fn lengths_have_bounds() {
        assert_eq!((TileLen::new(0), TileLen::new(u32::MAX)), (None, None));
        assert_eq!(TileLen::at_most(7), TileLen::new(7).unwrap());
        assert_eq!(TileLen::at_most(u64::MAX), TileLen::new(TileLen::MAX).unwrap());
    }

    #[test]
    fn only_tiles_with_bytes_have_leader_and_trailer() {
        assert_eq!(TileLen::new(1).unwrap().framed_len(), 9);
        assert_eq!(TileLen::new(TileLen::MAX).unwrap().framed_len(), u64::from(u32::MAX) + 7);
        for none in [TileLen::Unknown, TileLen::Sparse] {
            assert_eq!((none.framed_len(), none.byte_count()), (0, 0));
        }
    }
}
