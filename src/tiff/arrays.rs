//! The arrays of tile offsets and byte counts, in the types that libtiff gives them.

use super::TagValue;
use super::variant::Variant;

/// A tile before compression.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RawTile {
    /// True if the codec stores tiles as they are.
    pub(crate) is_stored: bool,
    /// Size in bytes.
    pub(crate) bytes: u64,
}

/// Returns the value of TileOffsets.
pub(crate) fn offsets(variant: Variant, offsets: impl Iterator<Item = u64>) -> TagValue {
    match variant {
        // Checked against the variant's largest offset before values are filled in.
        #[expect(clippy::cast_possible_truncation, reason = "offsets of a classic file fit 32 bits")]
        Variant::Classic => TagValue::Long(offsets.map(|offset| offset as u32).collect()),
        Variant::Big => TagValue::Long8(offsets.collect()),
    }
}

/// Returns the value of TileByteCounts.
pub(crate) fn byte_counts(
    variant: Variant,
    raw: RawTile,
    counts: impl ExactSizeIterator<Item = u32> + Clone,
) -> TagValue {
    let width = match width(variant, counts.len(), raw) {
        // The rule guarantees that every size fits, unless another writer made the tiles.
        Width::Short if counts.clone().any(|count| count > u16::MAX.into()) => Width::Long,
        width => width,
    };
    match width {
        #[expect(clippy::cast_possible_truncation, reason = "sizes were checked above")]
        Width::Short => TagValue::Short(counts.map(|count| count as u16).collect()),
        Width::Long => TagValue::Long(counts.collect()),
        Width::Long8 => TagValue::Long8(counts.map(u64::from).collect()),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Width {
    Short,
    Long,
    Long8,
}

/// Returns the type of TileByteCounts, from the uncompressed size of a tile: libtiff `tif_dirwrite.c`, `_WriteAsType`,
/// which assumes that compression makes a tile at most ten times as large.
fn width(variant: Variant, count: usize, raw: RawTile) -> Width {
    let exceeds = |limit: u64| if raw.is_stored { raw.bytes > limit } else { raw.bytes >= limit / 10 };
    match (variant, count) {
        (Variant::Classic, 1) => Width::Long,
        (Variant::Big, 1) => Width::Long8,
        (Variant::Big, _) if exceeds(u32::MAX.into()) => Width::Long8,
        _ if exceeds(u16::MAX.into()) => Width::Long,
        _ => Width::Short,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn byte_counts_take_the_width_that_libtiff_gives_them() {
        let packed = |bytes| RawTile { is_stored: false, bytes };
        assert_eq!(width(Variant::Classic, 1, packed(100)), Width::Long);
        assert_eq!(width(Variant::Classic, 2, packed(6552)), Width::Short);
        assert_eq!(width(Variant::Classic, 2, packed(6553)), Width::Long);
        assert_eq!(width(Variant::Classic, 2, RawTile { is_stored: true, bytes: 65_535 }), Width::Short);
        assert_eq!(width(Variant::Big, 1, packed(100)), Width::Long8);
        assert_eq!(width(Variant::Big, 2, packed(100)), Width::Short);
        assert_eq!(width(Variant::Big, 2, packed(429_496_729)), Width::Long8);
    }

    #[test]
    fn tiles_of_other_writers_may_be_larger_than_the_rule_assumes() {
        let raw = RawTile { is_stored: false, bytes: 100 };
        let counts = byte_counts(Variant::Classic, raw, [7, 70_000].into_iter());
        assert_eq!(counts, TagValue::Long(vec![7, 70_000]));
    }
}
