//! Size of the shards: [`ShardOptions`].

/// Default columns and rows of a shard, in pixels: eight tiles of the default size, so that one shard yields three
/// overviews.
pub const DEFAULT_SHARD_SIDE: u32 = 4096;

/// Size of the shards.
///
/// While encoding, a shard takes the memory that [`CogEncoder`](crate::CogEncoder) takes for an image of its width,
/// plus its compressed tiles and up to about a quarter of its pixels for the next tier.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub struct ShardOptions {
    /// Columns of a shard, in pixels of its first level, rounded up to whole tiles. The tile side times a power of two
    /// is best, since the shard's overviews are then whole tiles as well. Default: [`DEFAULT_SHARD_SIDE`].
    pub width: u32,
    /// Rows of a shard, likewise.
    pub height: u32,
    /// Maximum number of levels that a shard encodes. Default (`None`): all whose tiles fit in the shard. A shard that
    /// holds a whole level always encodes all remaining levels.
    pub levels: Option<u32>,
}

impl Default for ShardOptions {
    fn default() -> Self {
        Self { width: DEFAULT_SHARD_SIDE, height: DEFAULT_SHARD_SIDE, levels: None }
    }
}

/// Each method sets one option and returns the options, so that they can be chained.
impl ShardOptions {
    /// Returns the default options.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the columns of a shard, in pixels of its first level. Default: [`DEFAULT_SHARD_SIDE`].
    pub fn width(mut self, width: u32) -> Self {
        self.width = width;
        self
    }

    /// Sets the rows of a shard, in pixels of its first level. Default: [`DEFAULT_SHARD_SIDE`].
    pub fn height(mut self, height: u32) -> Self {
        self.height = height;
        self
    }

    /// Sets the maximum number of levels that a shard encodes. Default (`None`): all whose tiles fit in the shard.
    pub fn levels(mut self, levels: impl Into<Option<u32>>) -> Self {
        self.levels = levels.into();
        self
    }
}
