//! Pixels that go from one tier of shards to the next.

use crate::error::{Error, ErrorKind, Result};
use crate::executor::Executor;
use crate::grid::Rectangle;
use crate::message::{Kind, Message, Reader};
use crate::plan::{ShardId, ShardPlan};
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
    /// Samples of a pixel in a plane.
    samples: usize,
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
            samples: plan.samples_per_plane(),
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
        message.u64(self.samples as u64);
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
        let number = |reader: &mut Reader<'_>| {
            usize::try_from(reader.u64()?).map_err(|_| reader.damaged("a number is too large"))
        };
        let (samples, level) = (number(&mut reader)?, number(&mut reader)?);
        let part = Rectangle { columns: reader.u32()?..reader.u32()?, rows: reader.u32()?..reader.u32()? };
        let planes = reader.list(|reader| Ok(little_endian(data_type, reader.bytes()?).into_owned()))?;
        let mask = reader.option(|reader| Ok(reader.bytes()?.to_vec()))?;
        reader.end()?;
        Ok(Self { id, plan, data_type, samples, level, part, planes, mask })
    }

    /// The first row of the level that is not there yet.
    pub(super) fn next_row(&self) -> u32 {
        let rows = self.planes.first().map_or(0, |plane| plane.len() / self.row_bytes().max(1));
        self.part.rows.start.saturating_add(u32::try_from(rows).unwrap_or(u32::MAX))
    }

    /// Takes `rows` rows from the start of each plane and of the mask.
    pub(super) fn push(&mut self, planes: &[&[u8]], mask: Option<&[u8]>, rows: usize) -> Result<()> {
        let (row_bytes, width) = (self.row_bytes(), self.part.width() as usize);
        let taken = self.planes.iter_mut().zip(planes).map(|(to, from)| (to, from, row_bytes));
        for (to, from, row_bytes) in taken.chain(self.mask.iter_mut().zip(&mask).map(|(to, from)| (to, from, width))) {
            let bytes = rows * row_bytes;
            let out_of_memory = |_| ErrorKind::OutOfMemory { what: "pixels for the next tier", bytes: bytes as u64 };
            to.try_reserve(bytes).map_err(out_of_memory)?;
            to.extend_from_slice(&from[..bytes]);
        }
        Ok(())
    }

    /// Bytes of a row of a plane.
    fn row_bytes(&self) -> usize {
        self.part.width() as usize * self.samples * self.data_type.size()
    }

    /// Checks that they are what the plan has a shard give.
    fn check(&self, shards: &ShardPlan) -> Result<()> {
        let wrong = |reason: &str| Err(Error::shards(format!("pixels of shard {}", self.id), reason));
        if self.plan != shards.digest() {
            return wrong("they belong to another plan");
        }
        let expected = Self::empty(shards, self.id, (self.level, self.part.clone()));
        let (rows, row_bytes) = (self.part.height() as usize, expected.row_bytes());
        let whole = |plane: &Vec<u8>| Some(plane.len()) == rows.checked_mul(row_bytes);
        let masked = self.mask.as_ref().map(Vec::len) == expected.mask.map(|_| rows * self.part.width() as usize);
        let same = (self.data_type, self.samples) == (expected.data_type, expected.samples);
        let result = shards.shard(self.id)?.result().map(|(level, part)| (level, part.clone()));
        let place = result == Some((self.level, self.part.clone()));
        if !same || !place || self.planes.len() != expected.planes.len() || !self.planes.iter().all(whole) || !masked {
            return wrong("they are not those that the plan has it give");
        }
        Ok(())
    }
}

/// The pixels of a shard's window, put together from what shards of the tier before gave: the source of
/// [`encode_shard`](super::encode_shard) for every tier but the first.
#[derive(Debug)]
pub struct Mosaic<'a> {
    spec: ImageSpec,
    window: Rectangle,
    pieces: Vec<&'a ShardPixels>,
}

impl<'a> Mosaic<'a> {
    /// Puts together what [`ShardPlan::inputs`] names, in any order. What is there twice must be equal; what is not
    /// needed is left aside.
    ///
    /// # Errors
    /// [`ErrorKind::Shards`] where the plan has no such shard, where pixels are missing, those of one shard are there
    /// twice and differ, or they belong to another plan.
    pub fn new(shards: &ShardPlan, id: ShardId, pixels: &'a [ShardPixels]) -> Result<Self> {
        let window = shards.shard(id)?.source();
        let (mut pieces, mut missing) = (Vec::new(), Vec::new());
        for input in shards.inputs(id)? {
            let mut found = pixels.iter().filter(|pixels| pixels.id == input);
            let Some(first) = found.next() else {
                missing.push(input);
                continue;
            };
            first.check(shards)?;
            if found.any(|other| other != first) {
                let reason = "two attempts gave different pixels: its source or the machine can't be trusted";
                return Err(Error::shards(format!("shard {input}"), reason));
            }
            pieces.push(first);
        }
        if !missing.is_empty() {
            return Err(super::assemble::missing(&missing, &format!("their pixels have not come to shard {id}")));
        }
        let spec = ImageSpec { width: window.width(), height: window.height(), ..shards.plan().spec().clone() };
        Ok(Self { spec, window, pieces })
    }
}

impl PixelSource for Mosaic<'_> {
    fn spec(&self) -> &ImageSpec {
        &self.spec
    }

    fn read_rows(&mut self, first_row: u32, stripe: &mut Stripe<'_>, _: &Executor) -> Result<()> {
        for row in 0..stripe.rows {
            // Rows of a level are numbered with 32 bits.
            let at =
                self.window.rows.start.saturating_add(first_row).saturating_add(u32::try_from(row).unwrap_or(u32::MAX));
            for piece in self.pieces.iter().filter(|piece| piece.part.rows.contains(&at)) {
                let common = piece.part.common(&self.window).columns;
                let (down, across) =
                    ((at - piece.part.rows.start) as usize, (common.start - piece.part.columns.start) as usize);
                let (left, count) = ((common.start - self.window.columns.start) as usize, common.len());
                let pixel = piece.samples * piece.data_type.size();
                for (band, plane) in piece.planes.iter().enumerate() {
                    let samples = &plane[down * piece.row_bytes() + across * pixel..][..count * pixel];
                    match stripe.layout {
                        StripeLayout::Chunky => stripe.put_pixels(row, left, samples),
                        StripeLayout::Planar => stripe.put_band(band, row, left, samples),
                    }
                }
                if let Some(mask) = &piece.mask {
                    stripe.put_mask(row, left, &mask[down * piece.part.width() as usize + across..][..count]);
                }
            }
        }
        Ok(())
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
