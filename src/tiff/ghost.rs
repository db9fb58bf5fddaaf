//! GDAL's structural metadata block ("ghost area"), and the tile leaders and trailers that it promises.
//!
//! The block is between the file header and the first directory. It tells GDAL that directories come before data, and
//! that each tile is preceded by its size and followed by a copy of its last bytes, so that a reader can fetch a tile
//! without its entry in the arrays. Source: GDAL `frmts/gtiff/gtiffdataset_write.cpp`, `WriteGhostArea`.

use super::ifd::even;
use super::variant::Variant;

/// The variable contents of the block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ghost {
    /// There is more than one band, each in separate tiles.
    pub(crate) planar: bool,
    /// Every tile is followed by the mask tile of the same position.
    pub(crate) mask_interleaved: bool,
}

impl Ghost {
    /// Returns the bytes of the block.
    pub(crate) fn encode(self) -> Vec<u8> {
        let mut lines = String::from(
            "LAYOUT=IFDS_BEFORE_DATA\n\
             BLOCK_ORDER=ROW_MAJOR\n\
             BLOCK_LEADER=SIZE_AS_UINT4\n\
             BLOCK_TRAILER=LAST_4_BYTES_REPEATED\n",
        );
        if self.planar {
            lines.push_str("INTERLEAVE=BAND\n");
        }
        // The trailing space lets an editor that breaks the layout write "YES\n" over "NO\n ".
        lines.push_str("KNOWN_INCOMPATIBLE_EDITION=NO\n ");
        if self.mask_interleaved {
            lines.push_str("MASK_INTERLEAVED_WITH_IMAGERY=YES\n");
        }
        format!("GDAL_STRUCTURAL_METADATA_SIZE={:06} bytes\n{lines}", lines.len()).into_bytes()
    }
}

/// Returns the bytes before the first directory: the file header, which points to it, and the block.
pub(crate) fn file_start(variant: Variant, ghost: Ghost) -> Vec<u8> {
    let mut bytes = variant.signature().to_vec();
    let ghost = ghost.encode();
    let first_directory = even(variant.header_len() + ghost.len());
    let offset = (first_directory as u64).to_le_bytes();
    bytes.extend_from_slice(&offset[..variant.offset_len()]);
    bytes.extend_from_slice(&ghost);
    bytes.resize(first_directory, 0);
    bytes
}

/// Length of the leader before a tile: its size as a 32-bit number.
pub(crate) const LEADER_LEN: usize = 4;
/// Length of the trailer after a tile: a copy of its last four bytes.
pub(crate) const TRAILER_LEN: usize = 4;
/// Length of both.
pub(crate) const FRAME_LEN: u64 = (LEADER_LEN + TRAILER_LEN) as u64;

/// Fills in the leader of the tile that starts at `start` of `out` (including space for the leader) and ends at the end
/// of `out`, and appends its trailer. Returns the size of the tile, or `None` if it doesn't fit in 32 bits.
pub(crate) fn frame(out: &mut Vec<u8>, start: usize) -> Option<u32> {
    let payload = start + LEADER_LEN;
    let size = u32::try_from(out.len() - payload).ok()?;
    out[start..payload].copy_from_slice(&size.to_le_bytes());
    let trailer = trailer(&out[payload..]);
    out.extend_from_slice(&trailer);
    Some(size)
}

/// Returns the trailer of a tile. That of a tile shorter than four bytes is padded with zeros at the end, as in GDAL.
pub(crate) fn trailer(tile: &[u8]) -> [u8; TRAILER_LEN] {
    let mut trailer = [0; TRAILER_LEN];
    let last = tile.get(tile.len().saturating_sub(TRAILER_LEN)..).unwrap_or_default();
    trailer.iter_mut().zip(last).for_each(|(to, from)| *to = *from);
    trailer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stated_size_counts_from_the_second_line() {
        for (planar, mask_interleaved, size) in [(false, false, 140), (false, true, 174), (true, false, 156)] {
            let bytes = Ghost { planar, mask_interleaved }.encode();
            assert_eq!(bytes.len(), 43 + size);
            assert!(bytes.starts_with(format!("GDAL_STRUCTURAL_METADATA_SIZE={size:06} bytes\n").as_bytes()));
        }
    }

    #[test]
    fn short_tiles_have_their_trailer_padded_at_the_end() {
        let mut out = vec![9, 0, 0, 0, 0, 1, 2];
        assert_eq!(frame(&mut out, 1), Some(2));
        assert_eq!(out, [9, 2, 0, 0, 0, 1, 2, 1, 2, 0, 0]);
    }

    #[test]
    fn trailers_repeat_the_last_four_bytes() {
        let mut out = vec![0, 0, 0, 0, 1, 2, 3, 4, 5];
        assert_eq!(frame(&mut out, 0), Some(5));
        assert_eq!(out, [5, 0, 0, 0, 1, 2, 3, 4, 5, 2, 3, 4, 5]);
    }
}
