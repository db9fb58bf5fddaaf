//! The two variants of TIFF files and their widths.

/// Classic TIFF with 32-bit offsets, or BigTIFF with 64-bit ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Variant {
    /// Version 42, files up to 4 GiB.
    Classic,
    /// Version 43.
    Big,
}

impl Variant {
    /// Bytes of the file header; GDAL's ghost area starts there.
    pub(crate) const fn header_len(self) -> usize {
        match self {
            Self::Classic => 8,
            Self::Big => 16,
        }
    }

    /// Bytes of an offset, which is also how many bytes of value an entry holds inline.
    pub(crate) const fn offset_len(self) -> usize {
        match self {
            Self::Classic => 4,
            Self::Big => 8,
        }
    }

    /// Bytes of a directory entry.
    pub(crate) const fn entry_len(self) -> usize {
        match self {
            Self::Classic => 12,
            Self::Big => 20,
        }
    }

    /// Bytes of a directory with `entries` entries, without out-of-line values.
    pub(crate) const fn directory_len(self, entries: usize) -> usize {
        let count_len = match self {
            Self::Classic => 2,
            Self::Big => 8,
        };
        count_len + entries * self.entry_len() + self.offset_len()
    }

    /// The largest offset that can be written.
    pub(crate) const fn max_offset(self) -> u64 {
        match self {
            Self::Classic => u32::MAX as u64,
            Self::Big => u64::MAX,
        }
    }

    /// The file header up to the offset of the first directory.
    pub(crate) fn signature(self) -> &'static [u8] {
        match self {
            Self::Classic => b"II\x2A\x00",
            Self::Big => b"II\x2B\x00\x08\x00\x00\x00",
        }
    }
}
