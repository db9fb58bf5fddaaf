//! The compression level of a file, which no tag holds: the one with which its tiles get the bytes that they have.

use crate::encode::encode_part;
use crate::error::{Error, Result};
use crate::executor::Executor;
use crate::grid::{Plane, TileId};
use crate::options::Compression;
use crate::plan::{CogPlan, Share};
use crate::read::read_full;
use crate::tiff::ghost::{LEADER_LEN, TRAILER_LEN};

use super::super::pyramid::Pyramid;
use super::format::{Format, lossy};
use super::pixels::{Levels, WindowSource};

/// Bytes of tiles before compression that are tried, at least a few tiles.
const TRIED_BYTES: u64 = 4 << 20;
/// The fewest and the most tiles that are tried. Large ones tell levels apart best.
const TRIED_TILES: std::ops::RangeInclusive<u64> = 3..=64;

/// Tries codecs on the tiles of a file.
pub(super) struct Trial<'a> {
    pub(super) pyramid: &'a Pyramid,
    pub(super) levels: &'a Levels,
    pub(super) format: &'a Format,
    pub(super) executor: &'a Executor,
    pub(super) warnings: &'a mut Vec<String>,
}

impl Trial<'_> {
    /// Returns the plan of the file. `level` is that of new tiles, if it was chosen.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) for codecs with loss;
    /// [`ErrorKind::InvalidOption`](crate::ErrorKind::InvalidOption) if the codec has no level.
    pub(super) fn plan(&mut self, level: Option<u8>) -> Result<CogPlan> {
        let (full, overviews) = self.format.codecs();
        if let Some(level) = level {
            let set = |codec: Compression| codec.with_parameter("level", level);
            self.check_lossless(full, 0)?;
            overviews.map_or(Ok(()), |codec| self.check_lossless(codec, 1))?;
            return self.format.plan(set(full)?, overviews.map(|codec| set(codec).unwrap_or(codec)));
        }
        // Most files have one level for all.
        let shared = overviews.filter(|codec| codec.name() == full.name());
        let mut found = None;
        for codec in with_levels(full) {
            if !self.fits(codec, 0)? {
                continue;
            }
            if shared.is_none() || self.fits(codec, 1)? {
                let overviews = if shared.is_some() { Some(codec) } else { self.find_overviews(overviews)? };
                return self.format.plan(codec, overviews);
            }
            found = found.or(Some(codec));
        }
        if let Some(codec) = found {
            let overviews = self.find_overviews(overviews)?;
            return self.format.plan(codec, overviews);
        }
        self.settle_unknown(full, 0)?;
        overviews.map_or(Ok(()), |codec| self.settle_unknown(codec, 1))?;
        self.format.plan(full, overviews)
    }

    /// Returns the codec of the overviews with its level.
    fn find_overviews(&mut self, codec: Option<Compression>) -> Result<Option<Compression>> {
        let Some(codec) = codec else { return Ok(None) };
        for codec in with_levels(codec) {
            if self.fits(codec, 1)? {
                return Ok(Some(codec));
            }
        }
        self.settle_unknown(codec, 1)?;
        Ok(Some(codec))
    }

    /// Warns about a level that is not known.
    fn settle_unknown(&mut self, codec: Compression, index: usize) -> Result<()> {
        self.check_lossless(codec, index)?;
        if let Some(level) = codec.parameter("level") {
            let text = format!(
                "the {} level of the file is unknown, since no level gives its tiles; new tiles have {level}",
                codec.name().to_uppercase()
            );
            if !self.warnings.contains(&text) {
                self.warnings.push(text);
            }
        }
        Ok(())
    }

    /// Refuses tiles of codecs that may have lost something.
    fn check_lossless(&self, codec: Compression, index: usize) -> Result<()> {
        let is_lossless = match codec {
            Compression::WebP { .. } => match self.largest(index).first() {
                // A RIFF container with a lossless bitstream (RFC 9649, section 2.6).
                Some(tile) => self.stored(*tile)?.get(12..16) == Some(b"VP8L"),
                None => true,
            },
            Compression::Lerc { .. } => {
                let mut fits = false;
                for codec in with_levels(codec) {
                    fits = fits || self.fits(codec, index)?;
                }
                fits
            }
            codec => codec.codec().lossless,
        };
        if is_lossless {
            return Ok(());
        }
        Err(lossy(codec))
    }

    /// Returns whether a codec gives the bytes of the largest tiles of a level.
    fn fits(&self, codec: Compression, index: usize) -> Result<bool> {
        let (full, overviews) = self.format.codecs();
        let plan = if index == 0 { self.format.plan(codec, overviews) } else { self.format.plan(full, Some(codec)) }?;
        for tile in self.largest(index) {
            let share = Share::tile(&plan, tile);
            self.levels.limit(&share)?;
            let Some(window) = share.levels.first().map(|level| level.window.clone()) else { return Ok(false) };
            let mut source = WindowSource::new(plan.spec(), self.levels, (index, &window), None);
            let stored = self.stored(tile)?;
            let mut is_same = false;
            encode_part(&plan, share, &mut source, None, self.executor, &mut |made, bytes| {
                if made == tile {
                    is_same = bytes.get(LEADER_LEN..bytes.len() - TRAILER_LEN) == Some(&stored);
                }
                Ok(())
            })?;
            if !is_same {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Returns the tiles of a level with the most bytes.
    fn largest(&self, index: usize) -> Vec<TileId> {
        let Some(level) = self.pyramid.levels.get(index) else { return Vec::new() };
        let raw = level.raw(Plane::Image(0)).bytes.max(1);
        let count = (TRIED_BYTES / raw).clamp(*TRIED_TILES.start(), *TRIED_TILES.end());
        let mut by_size: Vec<(u32, usize)> =
            level.image.counts.iter().copied().zip(0..).filter(|(count, _)| *count > 0).collect();
        let count = usize::try_from(count).unwrap_or(usize::MAX).min(by_size.len());
        if count > 0 && count < by_size.len() {
            by_size.select_nth_unstable_by_key(count - 1, |(bytes, place)| (std::cmp::Reverse(*bytes), *place));
        }
        by_size.into_iter().take(count).map(|(_, place)| level.tile(place)).collect()
    }

    /// Returns the bytes of a tile.
    fn stored(&self, tile: TileId) -> Result<Vec<u8>> {
        let (file, offset, count) = self.pyramid.tile(tile);
        let mut bytes = vec![0; count as usize];
        let filled = read_full(&*file.reader, offset, &mut bytes);
        bytes.truncate(filled.map_err(|source| Error::io("read the tiles", source))?);
        Ok(bytes)
    }
}

/// Returns a codec with each of its levels, the default one first.
fn with_levels(codec: Compression) -> impl Iterator<Item = Compression> {
    let others = (1u8..).map_while(move |level| codec.with_parameter("level", level).ok());
    std::iter::once(codec).chain(others.filter(move |other| *other != codec))
}
