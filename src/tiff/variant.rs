//! The two variants of TIFF files, and their field widths.

/// Classic TIFF with 32-bit offsets, or BigTIFF with 64-bit ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Variant {
    /// Version 42, for files up to 4 GiB.
    Classic,
    /// Version 43.
    Big,
}

impl Variant {
    /// Returns the size of the file header in bytes; GDAL's ghost area starts right after it.
    pub(crate) const fn header_len(self) -> usize {
        match self {
            Self::Classic => 8,
            Self::Big => 16,
        }
    }

    /// Returns the size of an offset in bytes, which is also the size of the values that fit in an entry.
    pub(crate) const fn offset_len(self) -> usize {
        match self {
            Self::Classic => 4,
            Self::Big => 8,
        }
    }

    /// Returns the size of a directory entry in bytes.
    pub(crate) const fn entry_len(self) -> usize {
        match self {
            Self::Classic => 12,
            Self::Big => 20,
        }
    }

    /// Returns the size of a directory with `entries` entries in bytes, without the values stored after it.
    pub(crate) const fn directory_len(self, entries: usize) -> usize {
        let count_len = match self {
            Self::Classic => 2,
            Self::Big => 8,
        };
        count_len + entries * self.entry_len() + self.offset_len()
    }

    /// Returns the largest possible offset.
    pub(crate) const fn max_offset(self) -> u64 {
        match self {
            Self::Classic => u32::MAX as u64,
            Self::Big => u64::MAX,
        }
    }

    /// Returns the file header up to the offset of the first directory.
    pub(crate) fn signature(self) -> &'static [u8] {
        match self {
            Self::Classic => b"II\x2A\x00",
            Self::Big => b"II\x2B\x00\x08\x00\x00\x00",
        }
    }
}
