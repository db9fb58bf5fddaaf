//! Pixels that pass from one tier of shards to the next.

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

/// The pixels of an overview that a shard passes to the next tier.
#[derive(Debug, Clone, PartialEq)]
pub struct ShardPixels {
    id: ShardId,
    /// The digest of the shard plan.
    plan: u64,
    data_type: DataType,
    /// Samples per pixel in a plane.
    samples: usize,
    level: usize,
    part: Rectangle,
    /// Samples in native byte order: (row, column, band) in one plane, or one plane per band.
    pub(super) planes: Vec<Vec<u8>>,
    mask: Option<Vec<u8>>,
}

impl ShardPixels {
    /// Creates an instance without rows.
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

    /// Returns the shard that produced the pixels.
    #[must_use]
    pub fn id(&self) -> ShardId {
        self.id
    }

    /// Returns the level of the pixels.
    #[must_use]
    pub fn level(&self) -> usize {
        self.level
    }

    /// Returns the part of the level that the pixels cover; empty if the shard has no pixels at this level.
    #[must_use]
    pub fn part(&self) -> &Rectangle {
        &self.part
    }

    /// Returns the number of bytes of all samples and the mask.
    #[must_use]
    pub fn byte_count(&self) -> usize {
        self.planes.iter().chain(&self.mask).map(Vec::len).sum()
    }

    /// Serializes the pixels, for another process or machine of any byte order.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut message = Message::new(PIXELS);
        put_id(&mut message, self.id);
        message.u64(self.plan);
        message.one_of(DataType::ALL, &self.data_type);
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

    /// Deserializes the output of [`to_bytes`](Self::to_bytes).
    ///
    /// # Errors
    /// Returns [`ErrorKind::Corrupt`] if the bytes are incomplete, damaged, or from another version of this library.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::open(PIXELS, bytes)?;
        let (id, plan, data_type) = (take_id(&mut reader)?, reader.u64()?, reader.one_of(DataType::ALL)?);
        let number = |reader: &mut Reader<'_>| {
            usize::try_from(reader.u64()?).map_err(|_| reader.damaged("a number is out of range"))
        };
        let (samples, level) = (number(&mut reader)?, number(&mut reader)?);
        let part = Rectangle { columns: reader.u32()?..reader.u32()?, rows: reader.u32()?..reader.u32()? };
        let planes = reader.list(|reader| Ok(little_endian(data_type, reader.bytes()?).into_owned()))?;
        let mask = reader.option(|reader| Ok(reader.bytes()?.to_vec()))?;
        reader.end()?;
        Ok(Self { id, plan, data_type, samples, level, part, planes, mask })
    }

    /// Returns the first row of the level that is still missing.
    pub(super) fn next_row(&self) -> u32 {
        let rows = self.planes.first().map_or(0, |plane| plane.len() / self.row_bytes().max(1));
        self.part.rows.start.saturating_add(u32::try_from(rows).unwrap_or(u32::MAX))
    }

    /// Appends `rows` rows from the start of each plane and of the mask.
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

    /// Returns the bytes in a row of a plane.
    fn row_bytes(&self) -> usize {
        self.part.width() as usize * self.samples * self.data_type.size()
    }

    /// Checks that the pixels are the ones that the plan expects from the shard.
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
            return wrong("they are not the ones that the plan expects");
        }
        Ok(())
    }
}

/// The pixels of a shard's window, assembled from shards of the previous tier: the source of
/// [`encode_shard`](super::encode_shard) for every tier except the first.
#[derive(Debug)]
pub struct Mosaic<'a> {
    spec: ImageSpec,
    window: Rectangle,
    pieces: Vec<&'a ShardPixels>,
}

impl<'a> Mosaic<'a> {
    /// Combines the pixels of the shards that [`ShardPlan::inputs`] lists, in any order. Duplicates must be equal;
    /// pixels that are not needed are ignored.
    ///
    /// # Errors
    /// Returns [`ErrorKind::Shards`] if the plan has no such shard, if pixels are missing or belong to another plan, or
    /// if two results of one shard differ.
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
                let reason = "two attempts gave different pixels; the source or a machine is unreliable";
                return Err(Error::shards(format!("shard {input}"), reason));
            }
            pieces.push(first);
        }
        if !missing.is_empty() {
            return Err(super::assemble::missing(&missing, &format!("pixels needed by shard {id} are missing")));
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

/// Converts samples from native to little-endian byte order, or back.
fn little_endian(data_type: DataType, bytes: &[u8]) -> std::borrow::Cow<'_, [u8]> {
    if cfg!(target_endian = "little") {
        return bytes.into();
    }
    let part = data_type.size() / if data_type.is_complex() { 2 } else { 1 };
    bytes.chunks(part).flat_map(|part| part.iter().rev().copied()).collect()
}
