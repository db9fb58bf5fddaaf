//! `repack` on arbitrary bytes: refused, or copied to a file in the layout, which is its own copy.

use cogsmith::{BigTiff, RepackOptions};

/// The largest copy of a few bytes: entries may share tiles.
const MOST: usize = 64 << 20;

pub fn run(data: &[u8]) {
    let room = u32::from(data.last().copied().unwrap_or(0)) * 16;
    for big_tiff in [BigTiff::Auto, BigTiff::Yes] {
        let options = RepackOptions::new().big_tiff(big_tiff).header_room(room);
        let mut copy = Bounded(Vec::new());
        if cogsmith::repack_from(data.to_vec(), &mut copy, &options).is_err() {
            continue;
        }
        let mut again = Bounded(Vec::new());
        cogsmith::repack_from(copy.0.clone(), &mut again, &options).expect("a file in the layout");
        assert!(copy.0 == again.0, "the copy of a copy differs");
    }
}

/// A vector that fails before it is too large.
struct Bounded(Vec<u8>);

impl std::io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0.len() + bytes.len() > MOST {
            return Err(std::io::ErrorKind::StorageFull.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
