//! Results of encoding that the header needs: the sizes of tiles.

use crate::codec::TileLoss;
use crate::error::{Error, ErrorKind, Result};
use crate::grid::{Plane, TileId};
use crate::statistics::{BandStatistics, BandSums, no_sums};

use super::{CogPlan, TileLen, TileLens};

/// Actual sizes of all tiles in bytes; takes four bytes per tile. Together with the plan, it determines the header.
#[derive(Debug, Clone)]
pub(crate) struct TileIndex {
    levels: Vec<LevelSizes>,
    /// Sums of each band's pixels; empty unless the plan asks for statistics.
    sums: Vec<BandSums>,
    /// The losses of lossy codecs.
    losses: Losses,
}

/// The losses of lossy codecs, and of tiles that are left out.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Losses {
    /// The loss of each level's tiles that were compared; levels at the end may be missing.
    pub(crate) levels: Vec<TileLoss>,
    /// Samples that equal nodata and became data.
    pub(crate) nodata_samples: u64,
    /// Tiles that were left out although their samples under the mask differ from what readers return.
    pub(crate) masked_tiles: u64,
}

impl Losses {
    /// Adds the loss of tiles of a level.
    pub(crate) fn add(&mut self, level: usize, loss: &TileLoss) {
        if self.levels.len() <= level {
            self.levels.resize(level + 1, TileLoss::default());
        }
        self.levels[level].merge(loss);
    }

    /// Adds other tiles.
    pub(crate) fn merge(&mut self, other: &Self) {
        other.levels.iter().enumerate().for_each(|(level, loss)| self.add(level, loss));
        self.nodata_samples = self.nodata_samples.saturating_add(other.nodata_samples);
        self.masked_tiles = self.masked_tiles.saturating_add(other.masked_tiles);
    }
}

/// Checksums of the pixels of all tiles, taken during encoding, in the order of the index; takes eight bytes per tile.
#[derive(Debug, Clone)]
pub(crate) struct TileChecksums {
    levels: Vec<(Vec<u64>, Vec<u64>)>,
}

impl TileChecksums {
    /// Allocates checksums for all tiles of an index.
    ///
    /// # Errors
    /// [`ErrorKind::OutOfMemory`](crate::ErrorKind::OutOfMemory) if there are too many tiles.
    pub(crate) fn new(index: &TileIndex) -> Result<Self> {
        let room = |sizes: &TileLens| zeros(sizes.len());
        let levels = index.levels.iter().map(|level| Ok((room(&level.image)?, room(&level.mask)?)));
        Ok(Self { levels: levels.collect::<Result<_>>()? })
    }

    /// Records the checksum of the tile at index `place` in the arrays of its plane.
    pub(crate) fn set(&mut self, tile: TileId, place: usize, checksum: u64) {
        let (image, mask) = &mut self.levels[tile.level];
        match tile.plane {
            Plane::Image(_) => image[place] = checksum,
            Plane::Mask => mask[place] = checksum,
        }
    }

    /// Returns the checksums of a level's image tiles and mask tiles, in the order of the TIFF arrays.
    #[cfg_attr(not(feature = "geotiff"), expect(dead_code, reason = "what is written is read back by the checks"))]
    pub(crate) fn level(&self, level: usize) -> (&[u64], &[u64]) {
        let (image, mask) = &self.levels[level];
        (image, mask)
    }
}

/// Sizes in the order of the TIFF arrays: plane by plane, row by row within each.
#[derive(Debug, Clone)]
struct LevelSizes {
    columns: usize,
    tiles_per_plane: usize,
    image: TileLens,
    mask: TileLens,
}

impl TileIndex {
    /// Makes an index without any sizes.
    ///
    /// # Errors
    /// [`ErrorKind::OutOfMemory`](crate::ErrorKind::OutOfMemory) if there are too many tiles.
    pub(crate) fn new(plan: &CogPlan) -> Result<Self> {
        let grid = plan.grid();
        let levels = plan
            .levels()
            .iter()
            .map(|level| {
                let tiles_per_plane = to_usize(level.tiles_per_plane())?;
                Ok(LevelSizes {
                    columns: to_usize(level.tile_columns().into())?,
                    tiles_per_plane,
                    image: TileLens::unknown(tiles_per_plane.saturating_mul(grid.planes.into()))?,
                    mask: TileLens::unknown(if grid.mask { tiles_per_plane } else { 0 })?,
                })
            })
            .collect::<Result<_>>()?;
        let spec = plan.spec();
        let sums = if plan.statistics() { no_sums(spec) } else { Vec::new() };
        Ok(Self { levels, sums, losses: Losses::default() })
    }

    /// Adds the sums of more pixels of each band, in any order.
    pub(crate) fn add_sums(&mut self, more: Vec<BandSums>) {
        for (sums, more) in self.sums.iter_mut().zip(more) {
            sums.merge(more);
        }
    }

    /// Adds the losses of more tiles.
    pub(crate) fn add_losses(&mut self, more: &Losses) {
        self.losses.merge(more);
    }

    /// Returns the losses of lossy codecs.
    pub(crate) fn losses(&self) -> &Losses {
        &self.losses
    }

    /// Computes the statistics of each band; empty unless the plan asks for them.
    pub(crate) fn statistics(&self) -> Vec<BandStatistics> {
        self.sums.iter().map(BandSums::statistics).collect()
    }

    /// Returns the sizes in an uncompressed file; `None` if they are not known, since masks are always compressed, and some
    /// tiles may be left out.
    pub(crate) fn uncompressed(plan: &CogPlan) -> Result<Option<Self>> {
        let stored = plan.levels().iter().all(|level| plan.compression_of(level).codec().is_stored());
        if !stored || plan.spec().mask || plan.absent_sample().is_some() {
            return Ok(None);
        }
        let mut index = Self::new(plan)?;
        for (level, sizes) in plan.levels().iter().zip(&mut index.levels) {
            let bytes = plan.tile_format(level, Plane::Image(0)).tile_bytes();
            let size = bytes.and_then(|bytes| TileLen::new(u32::try_from(bytes).ok()?));
            let Some(size) = size else { return Ok(None) };
            sizes.image.fill(size);
        }
        Ok(Some(index))
    }

    /// Records the size of a tile.
    pub(crate) fn set(&mut self, tile: TileId, size: TileLen) {
        let level = &mut self.levels[tile.level];
        let place = level.place(tile);
        match tile.plane {
            Plane::Image(_) => level.image.set(place, size),
            Plane::Mask => level.mask.set(place, size),
        }
    }

    /// Returns the size of a tile.
    pub(crate) fn size(&self, tile: TileId) -> TileLen {
        let level = &self.levels[tile.level];
        match tile.plane {
            Plane::Image(_) => level.image.get(level.place(tile)),
            Plane::Mask => level.mask.get(level.place(tile)),
        }
    }

    /// Returns the sizes of all tiles, in no particular order.
    pub(crate) fn all_sizes(&self) -> impl Iterator<Item = TileLen> {
        self.levels.iter().flat_map(|level| level.image.iter().chain(level.mask.iter()))
    }

    /// Checks that the sizes of all tiles are known.
    pub(crate) fn check_complete(&self) -> Result<()> {
        let (mut expected, mut got) = (0, 0);
        for size in self.all_sizes() {
            expected += 1;
            got += u64::from(size != TileLen::Unknown);
        }
        if got == expected {
            Ok(())
        } else {
            Err(ErrorKind::PixelCount { what: "encoded tiles", expected, got }.into())
        }
    }

    /// Returns the index of a tile in the TIFF arrays of its plane.
    pub(crate) fn array_place(&self, tile: TileId) -> usize {
        self.levels[tile.level].place(tile)
    }

    /// Returns the sizes of the image's tiles (`mask` = false) or of the mask's, in the order of the TIFF arrays.
    pub(crate) fn sizes(&self, level: usize, mask: bool) -> &TileLens {
        let level = &self.levels[level];
        if mask { &level.mask } else { &level.image }
    }
}

impl LevelSizes {
    fn place(&self, tile: TileId) -> usize {
        let in_plane = tile.row as usize * self.columns + tile.column as usize;
        match tile.plane {
            Plane::Image(plane) => usize::from(plane) * self.tiles_per_plane + in_plane,
            Plane::Mask => in_plane,
        }
    }
}

fn to_usize(count: u64) -> Result<usize> {
    usize::try_from(count).map_err(|_| Error::limit("the number of tiles", count, usize::MAX as u64))
}

pub(super) fn zeros<T: Clone + Default>(count: usize) -> Result<Vec<T>> {
    let mut sizes = Vec::new();
    sizes.try_reserve_exact(count).map_err(|_| ErrorKind::OutOfMemory {
        what: "the index of tiles",
        bytes: (count as u64).saturating_mul(size_of::<T>() as u64),
    })?;
    sizes.resize(count, T::default());
    Ok(sizes)
}
