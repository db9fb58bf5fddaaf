//! Pixels that go from one tier of shards to the next.

use crate::error::{Error, ErrorKind, Result};
use crate::executor::Executor;
use crate::grid::Rectangle;
use crate::message::{Kind, Message, Reader};
use crate::plan::{CogPlan, ShardId, ShardPlan};
use crate::sample::DataType;
use crate::spec::ImageSpec;
use crate::view::{PixelSource, Stripe, StripeLayout};

use super::shard::{put_id, take_id};

const PIXELS: Kind = Kind { code: 4, name: "pixels of a shard" };

/// The pixels of an overview that a shard gives to the next tier.
#[derive(Debug, Clone, PartialEq)]
pub struct ShardPixels {
    id: ShardId,
    /// The plan of shards that they belong to.
    plan: u64,
    data_type: DataType,
    level: usize,
    part: Rectangle,
    /// Samples in native byte order: (row, column, band) in one plane, or one plane a band.
    pub(super) planes: Vec<Vec<u8>>,
    mask: Option<Vec<u8>>,
}

impl ShardPixels {
    /// No rows yet.
    pub(super) fn empty(shards: &ShardPlan, id: ShardId, (level, part): (usize, Rectangle)) -> Self {
        let plan = shards.plan();
        Self {
            id,
            plan: shards.digest(),
            data_type: plan.spec().data_type,
            level,
            part,
            planes: vec![Vec::new(); plan.grid().planes.into()],
            mask: plan.spec().mask.then(Vec::new),
        }
    }

    /// The shard that gives them.
    #[must_use]
    pub fn id(&self) -> ShardId {
        self.id
    }

    /// Their level.
    #[must_use]
    pub fn level(&self) -> usize {
        self.level
    }

    /// Which pixels of the level they are; none where the level has none for this shard.
    #[must_use]
    pub fn part(&self) -> &Rectangle {
        &self.part
    }

    /// Bytes of all samples and the mask.
    #[must_use]
    pub fn byte_count(&self) -> usize {
        self.planes.iter().chain(&self.mask).map(Vec::len).sum()
    }

    /// The pixels as bytes, for another process or machine, of whatever byte order.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut message = Message::new(PIXELS);
        put_id(&mut message, self.id);
        message.u64(self.plan);
        message.one_of(&DataType::ALL, &self.data_type);
        message.u64(self.level as u64);
        for range in [&self.part.columns, &self.part.rows] {
            message.u32(range.start);
            message.u32(range.end);
        }
        message.list(&self.planes, |message, plane| message.bytes(&little_endian(self.data_type, plane)));
        message.option(self.mask.as_ref(), |message, mask| message.bytes(mask));
        message.seal()
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`] where the bytes are not whole or come from another version of this library.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::open(PIXELS, bytes)?;
        let (id, plan, data_type) = (take_id(&mut reader)?, reader.u64()?, reader.one_of(&DataType::ALL)?);
        let level = usize::try_from(reader.u64()?).map_err(|_| reader.damaged("a level beyond all"))?;
        let part = Rectangle { columns: reader.u32()?..reader.u32()?, rows: reader.u32()?..reader.u32()? };
        let planes = reader.list(|reader| Ok(little_endian(data_type, reader.bytes()?).into_owned()))?;
        let mask = reader.option(|reader| Ok(reader.bytes()?.to_vec()))?;
        reader.end()?;
        Ok(Self { id, plan, data_type, level, part, planes, mask })
    }

    /// The row of the level that comes next.
    pub(super) fn next_row(&self) -> u32 {
        let row_bytes = self.row_bytes();
        let rows = self.planes.first().map_or(0, |plane| plane.len() / row_bytes.max(1));
        self.part.rows.start.saturating_add(u32::try_from(rows).unwrap_or(u32::MAX))
    }

    /// Bytes of a row of a plane, once there is one; all planes have the same.
    fn row_bytes(&self) -> usize {
        self.planes.first().map_or(0, |plane| plane.capacity().min(plane.len())) / self.rows_held().max(1)
    }

    fn rows_held(&self) -> usize {
        0
    }
}

/// Samples of native byte order in little-endian order, or back.
fn little_endian(data_type: DataType, bytes: &[u8]) -> std::borrow::Cow<'_, [u8]> {
    if cfg!(target_endian = "little") {
        return bytes.into();
    }
    let part = data_type.size() / if data_type.is_complex() { 2 } else { 1 };
    bytes.chunks(part).flat_map(|part| part.iter().rev().copied()).collect()
}
