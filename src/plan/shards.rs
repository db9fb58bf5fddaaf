//! Division of an image into shards that are encoded independently, on any machine and in any order.
//!
//! Shards are organized in tiers. A shard of the first tier receives a rectangle of full-resolution pixels, encodes its
//! tiles of the first few levels, and returns its pixels of the level after those. A shard of the next tier receives a
//! rectangle of that level, assembled from the results of several shards, and continues in the same way, until one
//! shard holds everything that is left. So no shard ever holds more than a rectangle. The pixels that a shard needs,
//! halo included, follow from the plan alone; this module never looks at pixels.

use std::fmt;
use std::ops::Range;

use crate::error::{Error, OptionField, Result};
use crate::grid::{Level, Rectangle};
use crate::message::{Kind, Message, Reader, digest};

use super::{CogPlan, ShardOptions, Share};

const SHARD_PLAN: Kind = Kind { code: 2, name: "a shard plan" };

/// Identifies a shard. Displayed as `tier/row/column`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShardId {
    /// 0 = shards of full resolution.
    pub tier: u32,
    /// Row in its tier, from the top.
    pub row: u32,
    /// Column in its tier, from the left.
    pub column: u32,
}

impl fmt::Display for ShardId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.tier, self.row, self.column)
    }
}

/// A [`CogPlan`] and its division into shards. Cheap to clone.
///
/// ```
/// use cogsmith::distributed::{ShardId, ShardOptions, ShardPlan};
/// use cogsmith::{CogPlan, DataType, EncodeOptions, GeoRef, ImageSpec, Metadata};
/// let spec = ImageSpec::new(20_000, 20_000, 1, DataType::U16);
/// let plan = CogPlan::new(&spec, &GeoRef::default(), &Metadata::default(), &EncodeOptions::default())?;
/// // Or `encode::settle_predictor`, which looks at the first pixels.
/// let shards = ShardPlan::new(plan.with_predictor_by_type(), &ShardOptions::default())?;
/// // 5x5 shards of full resolution, and one that assembles their results.
/// assert_eq!((0..shards.tiers()).map(|tier| shards.shards(tier).count()).collect::<Vec<_>>(), [25, 1]);
/// let shard = shards.shard(ShardId { tier: 0, row: 0, column: 1 })?;
/// // Its own columns are 4096 to 8191; the kernel (cubic) needs a few more on either side.
/// assert_eq!(shard.source().columns, 4051..8237);
/// # Ok::<(), cogsmith::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct ShardPlan {
    plan: CogPlan,
    options: ShardOptions,
    tiers: Vec<Tier>,
}

/// Shards that encode the same levels.
#[derive(Debug, Clone, Copy)]
struct Tier {
    /// The level whose pixels the shards receive, and the first one that they encode.
    base: usize,
    /// One past the last encoded level.
    end: usize,
    /// Columns and rows of a shard, in pixels of the base level.
    width: u32,
    height: u32,
    /// Columns and rows of the grid of shards.
    columns: u32,
    rows: u32,
}

/// Inputs, tiles, and result of a shard.
#[derive(Debug, Clone)]
pub struct Shard {
    id: ShardId,
    base: usize,
    tiles: Vec<Rectangle>,
    result: Option<(usize, Rectangle)>,
    share: Share,
}

impl Shard {
    /// Returns the shard's ID.
    #[must_use]
    pub fn id(&self) -> ShardId {
        self.id
    }

    /// Returns the level whose pixels the shard receives; 0 = full resolution.
    #[must_use]
    pub fn source_level(&self) -> usize {
        self.base
    }

    /// Returns exactly the pixels of [`source_level`](Self::source_level) that the shard needs, halo included.
    #[must_use]
    pub fn source(&self) -> Rectangle {
        self.share.levels[0].window.clone()
    }

    /// Returns the tiles that the shard encodes in each level, counted in tiles; empty if it has none in a level.
    pub fn tiles(&self) -> impl Iterator<Item = (usize, &Rectangle)> {
        (self.base..).zip(&self.tiles)
    }

    /// Returns the level and the pixels of it that the shard passes on to the next tier; `None` in the last tier.
    #[must_use]
    pub fn result(&self) -> Option<(usize, &Rectangle)> {
        self.result.as_ref().map(|(level, pixels)| (*level, pixels))
    }

    /// Returns the work of the shard's encoder.
    pub(crate) fn share(&self) -> &Share {
        &self.share
    }
}

impl ShardPlan {
    /// Divides an image into shards. The predictor must be settled first, by
    /// [`settle_predictor`](crate::distributed::settle_predictor), or by type ([`CogPlan::with_predictor_by_type`]): no shard
    /// sees the pixels that decide.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidOption`](crate::ErrorKind::InvalidOption) for shards of 0 pixels or levels, for tiers of more
    /// than 2^32 shards, and for a predictor that the pixels have yet to settle.
    pub fn new(plan: CogPlan, options: &ShardOptions) -> Result<Self> {
        if options.width == 0 || options.height == 0 || options.levels == Some(0) {
            return Err(Error::option(OptionField::Shards, "width, height, and levels must be at least 1"));
        }
        plan.check_computes_overviews()?;
        if plan.predictor_is_open() {
            let reason = "'auto' depends on the first row of tiles, which no shard sees as a whole; settle it first";
            return Err(Error::option(OptionField::Predictor, reason));
        }
        let mut tiers: Vec<Tier> = Vec::new();
        while tiers.last().is_none_or(|tier| tier.end < plan.levels().len()) {
            let base = tiers.last().map_or(0, |tier| tier.end);
            let tier = Tier::new(plan.levels(), base, options);
            if tier.columns.checked_mul(tier.rows).is_none() {
                let reason = format!("{}x{} shards are too many; make them larger", tier.columns, tier.rows);
                return Err(Error::option(OptionField::Shards, reason));
            }
            tiers.push(tier);
        }
        Ok(Self { plan, options: options.clone(), tiers })
    }

    /// Returns the plan of the file.
    #[must_use]
    pub fn plan(&self) -> &CogPlan {
        &self.plan
    }

    /// Returns the number of tiers, at least 1.
    #[must_use]
    pub fn tiers(&self) -> u32 {
        // Each tier has at least one level of its own, and there are few levels.
        u32::try_from(self.tiers.len()).unwrap_or(u32::MAX)
    }

    /// Returns columns and rows of a shard of a tier, in pixels of its first level and without the halo; shards at the
    /// right and bottom edges may be smaller. `None` for a tier that does not exist.
    #[must_use]
    pub fn shard_size(&self, tier: u32) -> Option<(u32, u32)> {
        self.tiers.get(tier as usize).map(|tier| (tier.width, tier.height))
    }

    /// Returns the shards of a tier, row by row; none for a tier that does not exist.
    pub fn shards(&self, tier: u32) -> impl Iterator<Item = ShardId> + use<> {
        let (rows, columns) = self.tiers.get(tier as usize).map_or((0, 0), |tier| (tier.rows, tier.columns));
        (0..rows).flat_map(move |row| (0..columns).map(move |column| ShardId { tier, row, column }))
    }

    /// Returns the shards of all tiers.
    pub fn all_shards(&self) -> impl Iterator<Item = ShardId> {
        (0..self.tiers()).flat_map(|tier| self.shards(tier))
    }

    /// Returns the inputs, tiles, and result of a shard.
    ///
    /// # Errors
    /// [`ErrorKind::Shards`](crate::ErrorKind::Shards) if there is no such shard.
    pub fn shard(&self, id: ShardId) -> Result<Shard> {
        let tier = self.tier(id)?;
        let levels = self.plan.levels();
        let tiles: Vec<_> = (tier.base..tier.end).map(|level| self.tiles(id, tier, level)).collect();
        let encoded = levels[tier.base..].iter().zip(&tiles);
        let mut made: Vec<_> = encoded.map(|(level, tiles)| (tiles.clone(), level.pixels_of(tiles))).collect();
        let result = levels.get(tier.end).map(|next| (tier.end, tier.pixels(levels, next, id)));
        if let Some((_, pixels)) = &result {
            made.push((Rectangle { columns: 0..0, rows: 0..0 }, pixels.clone()));
        }
        let share = Share::of(&self.plan, tier.base, made);
        Ok(Shard { id, base: tier.base, tiles, result, share })
    }

    /// Returns the shards of the previous tier whose pixels a shard needs; none for the first tier.
    ///
    /// # Errors
    /// As [`shard`](Self::shard).
    pub fn inputs(&self, id: ShardId) -> Result<Vec<ShardId>> {
        let shard = self.shard(id)?;
        let Some(before) = id.tier.checked_sub(1) else { return Ok(Vec::new()) };
        let window = shard.source();
        let tier = self.tiers[before as usize];
        let next = &self.plan.levels()[tier.end];
        let place = |row, column| tier.pixels(self.plan.levels(), next, ShardId { tier: before, row, column });
        let rows = overlapping(tier.rows, &window.rows, |row| place(row, 0).rows);
        let columns = overlapping(tier.columns, &window.columns, |column| place(0, column).columns);
        let all = rows.flat_map(|row| columns.clone().map(move |column| ShardId { tier: before, row, column }));
        Ok(all.filter(|id| !place(id.row, id.column).is_empty()).collect())
    }

    /// Serializes the plan and its shards for workers; see [`CogPlan::to_bytes`].
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut message = Message::new(SHARD_PLAN);
        self.plan.put(&mut message);
        message.u32(self.options.width);
        message.u32(self.options.height);
        message.option(self.options.levels.as_ref(), |message, levels| message.u32(*levels));
        message.seal()
    }

    /// Makes the shard plan from the bytes of [`to_bytes`](Self::to_bytes).
    ///
    /// # Errors
    /// As [`CogPlan::from_bytes`] and [`new`](Self::new).
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::open(SHARD_PLAN, bytes)?;
        let plan = CogPlan::take(&mut reader)?;
        let options = ShardOptions { width: reader.u32()?, height: reader.u32()?, levels: reader.option(Reader::u32)? };
        reader.end()?;
        Self::new(plan, &options)
    }

    /// Returns a number that identifies the plan. Results of workers contain it, so that those of another file are
    /// rejected.
    pub(crate) fn digest(&self) -> u64 {
        digest(&self.to_bytes())
    }

    /// Returns the tier that encodes a level, and its rows and columns of shards.
    pub(crate) fn tier_of(&self, level: usize) -> (u32, Range<u32>, Range<u32>) {
        let tier = self.tiers.partition_point(|tier| tier.end <= level);
        let (rows, columns) = self.tiers.get(tier).map_or((0, 0), |tier| (tier.rows, tier.columns));
        (u32::try_from(tier).unwrap_or(u32::MAX), 0..rows, 0..columns)
    }

    /// Returns the tiles of a level that a shard encodes.
    pub(crate) fn shard_tiles(&self, id: ShardId, level: usize) -> Result<Rectangle> {
        Ok(self.tiles(id, self.tier(id)?, level))
    }

    /// Returns the levels that a shard encodes.
    pub(crate) fn levels_of(&self, id: ShardId) -> Result<Range<usize>> {
        self.tier(id).map(|tier| tier.base..tier.end)
    }

    fn tiles(&self, id: ShardId, tier: &Tier, level: usize) -> Rectangle {
        let level = &self.plan.levels()[level];
        tier.part(self.plan.levels(), level, id, [level.tile_size.width, level.tile_size.height])
    }

    fn tier(&self, id: ShardId) -> Result<&Tier> {
        let tier = self.tiers.get(id.tier as usize);
        tier.filter(|tier| id.row < tier.rows && id.column < tier.columns)
            .ok_or_else(|| Error::shards(format!("shard {id}"), "the plan has no such shard"))
    }
}

impl Tier {
    fn new(levels: &[Level], base: usize, options: &ShardOptions) -> Self {
        let level = &levels[base];
        let whole_tiles = |side: u32, tile: u32| side.div_ceil(tile).saturating_mul(tile);
        let width = whole_tiles(options.width, level.tile_size.width);
        let height = whole_tiles(options.height, level.tile_size.height);
        let (columns, rows) = (level.width.div_ceil(width), level.height.div_ceil(height));
        let most = options.levels.map_or(usize::MAX, |levels| levels as usize);
        // A tile of a coarser level must not need much more than the shard; a few additional pixels at odd sizes are
        // fine.
        let fits = |shards: u32, side: u32, from: u32, tile: u32, to: u32| {
            let wide = |a: u32, b: u32| u128::from(a) * u128::from(b);
            shards == 1 || 7 * wide(tile, from) <= 8 * wide(side, to)
        };
        let fitting = levels[base + 1..].iter().take_while(|next| {
            fits(columns, width, level.width, next.tile_size.width, next.width)
                && fits(rows, height, level.height, next.tile_size.height, next.height)
        });
        let end = if columns == 1 && rows == 1 { levels.len() } else { base + (1 + fitting.count()).min(most) };
        Self { base, end, width, height, columns, rows }
    }

    /// Returns the pixels that a shard passes on, of the level after the last encoded one.
    fn pixels(&self, levels: &[Level], next: &Level, id: ShardId) -> Rectangle {
        self.part(levels, next, id, [1, 1])
    }

    /// Returns the part of a level that belongs to a shard, in units of so many columns and rows.
    fn part(&self, levels: &[Level], level: &Level, id: ShardId, [column_unit, row_unit]: [u32; 2]) -> Rectangle {
        let base = &levels[self.base];
        let columns = Cuts { side: self.width, base: base.width, level: level.width, unit: column_unit };
        let rows = Cuts { side: self.height, base: base.height, level: level.height, unit: row_unit };
        Rectangle {
            columns: columns.before(id.column)..columns.before(id.column + 1),
            rows: rows.before(id.row)..rows.before(id.row + 1),
        }
    }
}

/// Boundaries between shards along an axis of a level.
struct Cuts {
    /// Pixels of a shard in the base level of its tier.
    side: u32,
    /// Pixels of the base level, and of the level that is divided.
    base: u32,
    level: u32,
    /// Pixels of a unit of the level that is divided; only whole units belong to a shard.
    unit: u32,
}

impl Cuts {
    /// Returns the number of units before a shard: its position rounded to the nearest integer, so that rounding of
    /// sizes, up or down, does not move a tile to a neighboring shard.
    fn before(&self, shard: u32) -> u32 {
        let units = self.level.div_ceil(self.unit);
        let at = u64::from(shard) * u64::from(self.side);
        if at >= u64::from(self.base) {
            return units;
        }
        // Sides have 31 bits and units 16, so no product overflows.
        let (place, per_unit) = (at * u64::from(self.level), u64::from(self.base) * u64::from(self.unit));
        let nearest = (place + per_unit / 2) / per_unit;
        u32::try_from(nearest).unwrap_or(u32::MAX).min(units)
    }
}

/// Returns those of `count` consecutive parts that may overlap a range.
fn overlapping(count: u32, range: &Range<u32>, part: impl Fn(u32) -> Range<u32>) -> Range<u32> {
    let first_where = |found: &dyn Fn(Range<u32>) -> bool| {
        let (mut low, mut high) = (0, count);
        while low < high {
            let middle = low + (high - low) / 2;
            if found(part(middle)) { high = middle } else { low = middle + 1 }
        }
        low
    };
    first_where(&|part| part.end > range.start)..first_where(&|part| part.start >= range.end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geo::{GeoRef, Metadata};
    use crate::options::{EncodeOptions, Overviews, Resampling, TileSize};
    use crate::sample::DataType;
    use crate::spec::ImageSpec;

    fn shards(side: u32, overviews: Overviews, shard: u32) -> ShardPlan {
        let spec = ImageSpec::new(side, side, 1, DataType::U8);
        let options = EncodeOptions { tile_size: TileSize::square(64), overviews, ..EncodeOptions::default() };
        let plan = CogPlan::new(&spec, &GeoRef::default(), &Metadata::default(), &options).unwrap();
        let sides = ShardOptions { width: shard, height: shard, levels: None };
        ShardPlan::new(plan.with_predictor_by_type(), &sides).unwrap()
    }

    #[test]
    fn every_tile_belongs_to_one_shard() {
        let factors = [vec![2, 4, 8], vec![3, 9, 27], vec![7], vec![2, 100]];
        let overviews = factors.into_iter().map(Overviews::Factors).chain([Overviews::Auto, Overviews::Count(9)]);
        for overviews in overviews {
            for side in [1, 63, 64, 65, 1023, 1024, 1025, 2049, 10_007] {
                for shard in [64, 100, 256, 512, 5000] {
                    let shards = shards(side, overviews.clone(), shard);
                    for level in shards.plan().levels() {
                        let (tier, rows, columns) = shards.tier_of(level.index);
                        let part =
                            |row, column| shards.shard_tiles(ShardId { tier, row, column }, level.index).unwrap();
                        let mut last = 0;
                        for row in rows {
                            assert_eq!(part(row, 0).rows.start, last);
                            last = part(row, 0).rows.end;
                        }
                        assert_eq!(last, level.tile_rows());
                        last = 0;
                        for column in columns {
                            assert_eq!(part(0, column).columns.start, last);
                            last = part(0, column).columns.end;
                        }
                        assert_eq!(last, level.tile_columns());
                    }
                }
            }
        }
    }

    #[test]
    fn inputs_give_all_that_a_shard_needs() {
        for overviews in
            [Overviews::Auto, Overviews::Factors(vec![3, 9, 27]), Overviews::Factors(vec![2, 4, 8, 16, 32])]
        {
            let shards = shards(2049, overviews, 128);
            assert!(shards.tiers() > 1);
            for id in shards.all_shards().filter(|id| id.tier > 0) {
                let needed = shards.shard(id).unwrap().source();
                let inputs = shards.inputs(id).unwrap();
                let parts =
                    inputs.iter().map(|&input| shards.shard(input).unwrap().result().unwrap().1.common(&needed));
                let pixels = |part: Rectangle| u64::from(part.width()) * u64::from(part.height());
                let parts: Vec<u64> = parts.map(pixels).collect();
                assert!(parts.iter().all(|&part| part > 0), "{id} asks for {inputs:?}");
                assert_eq!(parts.iter().sum::<u64>(), pixels(needed), "{id}");
            }
        }
    }

    #[test]
    fn shards_of_whole_tiles_have_whole_tiles_of_overviews() {
        // 2049 becomes 1024, so the ratio is slightly above 2.
        let shards = shards(2049, Overviews::Auto, 256);
        let shard = shards.shard(ShardId { tier: 0, row: 1, column: 2 }).unwrap();
        let tiles: Vec<_> = shard.tiles().map(|(_, tiles)| tiles.clone()).collect();
        assert_eq!(tiles.iter().map(Rectangle::width).collect::<Vec<_>>(), [4, 2, 1]);
        assert_eq!(tiles.iter().map(|tiles| tiles.rows.start).collect::<Vec<_>>(), [4, 2, 1]);
        assert_eq!(shard.result().unwrap().0, 3);
    }

    #[test]
    fn the_window_has_what_the_kernels_of_all_levels_look_at() {
        let spec = ImageSpec::new(4096, 4096, 1, DataType::U8);
        let window = |resampling| {
            let options = EncodeOptions {
                tile_size: TileSize::square(64),
                resampling: Some(resampling),
                ..EncodeOptions::default()
            };
            let plan = CogPlan::new(&spec, &GeoRef::default(), &Metadata::default(), &options).unwrap();
            let options = ShardOptions { width: 256, height: 256, levels: Some(2) };
            let shards = ShardPlan::new(plan.with_predictor_by_type(), &options).unwrap();
            shards.shard(ShardId { tier: 0, row: 3, column: 4 }).unwrap().source()
        };
        assert_eq!(window(Resampling::Average), Rectangle { columns: 1024..1280, rows: 768..1024 });
        // Two levels down: 3 pixels of level 1, and for those, twice 3 and 3 more.
        assert_eq!(window(Resampling::Cubic), Rectangle { columns: 1015..1289, rows: 759..1033 });
    }

    #[test]
    fn a_shard_that_does_not_exist_is_named() {
        let shards = shards(1024, Overviews::Auto, 256);
        let error = shards.shard(ShardId { tier: 0, row: 4, column: 0 }).unwrap_err();
        assert_eq!(error.to_string(), "shard 0/4/0: the plan has no such shard");
        let options = ShardOptions { width: 0, ..ShardOptions::default() };
        assert!(ShardPlan::new(shards.plan().clone(), &options).is_err());
    }
}
