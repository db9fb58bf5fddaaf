//! An encoding: an open raster and its plan. One worker makes the plan and the header; all of them encode shards.

use std::io::{self, Write};
use std::ops::ControlFlow;

use cogsmith::distributed::{Assembler, Mosaic, ShardPixels, ShardRecord, encode_shard, settle_predictor};
use cogsmith::distributed::{ShardId, ShardOptions, ShardPlan};
use cogsmith::{BandStatistics, CogPlan, ErrorKind, Executor, PixelSource, Predictor, StoreOptions};
use js_sys::{Array, Function, Uint8Array};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::thrown;
use crate::object::{Out, Result, list, number};
use crate::options::Options;
use crate::reader::Reader;
use crate::source::{Raster, Rows};

/// Maximum size of a shard's uncompressed pixels in bytes, unless a row of tiles is larger.
const SHARD_BYTES: u64 = 192 << 20;
/// Maximum number of tile rows in a shard: with eight, a shard yields three overviews.
const SHARD_TILE_ROWS: u32 = 8;
/// Shards per worker, so that none waits long for another.
const SHARDS_PER_WORKER: u32 = 3;
/// Memory limit of an encoder in bytes; a module has at most 4 GiB.
const MEMORY: u64 = 2 << 30;
/// Memory limit for finished tiles in bytes if a single encoder makes all tiles.
const TILES: u64 = 1 << 30;

/// An open raster and its encoding plan.
#[wasm_bindgen]
pub struct Encoding {
    raster: Raster,
    plan: CogPlan,
    shards: Option<ShardPlan>,
}

#[wasm_bindgen]
impl Encoding {
    /// Opens a GeoTIFF of `length` bytes, read by `read(offset, length)`.
    #[wasm_bindgen(js_name = openFile)]
    pub fn open_file(read: Function, length: f64, options: &JsValue) -> Result<Self, JsValue> {
        let open = || {
            let options = Options::read(options)?;
            Self::of(Raster::file(Reader::new(read, length), &options)?, &options)
        };
        open().map_err(thrown)
    }

    /// Opens an array of `length` bytes, read by `read(offset, length)`.
    #[wasm_bindgen(js_name = openArray)]
    pub fn open_array(read: Function, length: f64, image: &JsValue, options: &JsValue) -> Result<Self, JsValue> {
        let open = || {
            let options = Options::read(options)?;
            Self::of(Raster::array(Reader::new(read, length), image, &options)?, &options)
        };
        open().map_err(thrown)
    }

    fn of(mut raster: Raster, options: &Options) -> Result<Self> {
        let plan = CogPlan::new(raster.pixels.spec(), &raster.geo, &raster.metadata, &options.encode)?;
        raster.warnings.extend_from_slice(plan.warnings());
        let spec = plan.spec();
        let row_bytes = u64::from(spec.width) * u64::from(spec.bands) * spec.data_type.size() as u64;
        let tiles = row_bytes.saturating_mul(plan.levels()[0].tile_size.height.into());
        // Two rows of tiles of all levels, and the rows buffered for the kernel.
        let needed = tiles.saturating_mul(3);
        if needed > MEMORY {
            let what = "the memory for rows of tiles, in bytes (use a smaller blocksize),".to_owned();
            return Err(ErrorKind::Limit { what, value: needed, limit: MEMORY }.into());
        }
        Ok(Self { raster, plan, shards: None })
    }

    /// Returns the warnings, as texts.
    #[wasm_bindgen(getter)]
    pub fn warnings(&self) -> Array {
        list(self.raster.warnings.iter().map(String::as_str))
    }

    /// Returns the size of all pixels before compression, in bytes.
    #[wasm_bindgen(getter, js_name = pixelBytes)]
    pub fn pixel_bytes(&self) -> f64 {
        number(self.plan.uncompressed_bytes())
    }

    /// Returns the number of full-resolution rows.
    #[wasm_bindgen(getter)]
    pub fn rows(&self) -> u32 {
        self.plan.spec().height
    }

    /// Returns whether the image can be split into shards. It cannot if so many rows are decoded together that they
    /// would be decoded again for many shards.
    #[wasm_bindgen(getter, js_name = canShard)]
    pub fn can_shard(&self) -> bool {
        self.raster.chunk_rows.saturating_mul(self.row_bytes()) <= SHARD_BYTES
    }

    /// Returns the size of a full-resolution row in bytes.
    fn row_bytes(&self) -> u64 {
        let spec = self.plan.spec();
        u64::from(spec.width) * u64::from(spec.bands) * spec.data_type.size() as u64
    }

    /// Splits the image into shards for `workers` workers. Returns the plan for the other workers, and the shards in an
    /// order in which they can be encoded: `[{ tier, row, column, rows, inputs: [index, …] }, …]`.
    pub fn shard(&mut self, workers: u32) -> Result<JsValue, JsValue> {
        self.cut(workers).map_err(thrown)
    }

    fn cut(&mut self, workers: u32) -> Result<JsValue> {
        let plan = settle_predictor(&self.plan, &mut *self.raster.pixels, &Executor::serial())?;
        let spec = plan.spec();
        let tile_rows = plan.levels()[0].tile_size.height;
        let row_bytes = self.row_bytes();
        let mut rows = tile_rows.saturating_mul(SHARD_TILE_ROWS);
        let suits = |rows: u32| {
            let busy = workers == 1 || spec.height.div_ceil(rows) >= SHARDS_PER_WORKER * workers;
            busy && row_bytes.saturating_mul(rows.into()) <= SHARD_BYTES
        };
        while rows > tile_rows && !suits(rows) {
            // Halving eight rows of tiles always gives whole rows of tiles.
            rows /= 2;
        }
        let chunk_rows = u32::try_from(self.raster.chunk_rows).unwrap_or(u32::MAX);
        let options = ShardOptions::new().width(spec.width).height(rows.max(tile_rows).max(chunk_rows));
        let shards = ShardPlan::new(plan, &options)?;
        let all: Vec<ShardId> = shards.all_shards().collect();
        let described = Array::new();
        for &id in &all {
            let inputs = shards.inputs(id)?;
            let inputs = inputs.iter().filter_map(|input| all.binary_search(input).ok());
            let source = shards.shard(id)?.source();
            let out = Out::default()
                .with("tier", id.tier)
                .with("row", id.row)
                .with("column", id.column)
                .with("rows", source.height())
                .with("inputs", list(inputs.map(|index| number(index as u64))));
            described.push(&out.into());
        }
        let plan = Uint8Array::from(&shards.to_bytes()[..]);
        self.shards = Some(shards);
        Ok(Out::default().with("plan", plan).with("shards", described).into())
    }

    /// Sets the plan that another worker made for the same raster.
    #[wasm_bindgen(js_name = usePlan)]
    pub fn use_plan(&mut self, plan: &[u8]) -> Result<(), JsValue> {
        self.shards = Some(ShardPlan::from_bytes(plan).map_err(thrown)?);
        Ok(())
    }

    /// Encodes a shard. `pixels` are those of its inputs; `progress(rows)` gets the number of rows read so far. Returns
    /// `{ record, fragment, pixels }`; `pixels` is `null` unless another shard needs them.
    #[wasm_bindgen(js_name = encodeShard)]
    pub fn encode_shard(
        &mut self,
        tier: u32,
        row: u32,
        column: u32,
        pixels: &Array,
        progress: &Function,
    ) -> Result<JsValue, JsValue> {
        self.encode(ShardId { tier, row, column }, pixels, progress).map_err(thrown)
    }

    fn encode(&mut self, id: ShardId, pixels: &Array, progress: &Function) -> Result<JsValue> {
        let shards = self.shards.as_ref().ok_or(ErrorKind::Cancelled)?;
        let mut read = |rows: u32| {
            // The callback cannot stop an encoding: the worker is terminated instead.
            let _ = progress.call1(&JsValue::NULL, &rows.into());
        };
        let output = if id.tier == 0 {
            let window = shards.shard(id)?.source();
            let spec = self.raster.pixels.spec().clone().height(window.height());
            let mut rows = Rows { raster: &mut *self.raster.pixels, spec, first: window.rows.start, read: &mut read };
            encode_shard(shards, id, &mut rows, &Executor::serial())?
        } else {
            let pixels: Vec<ShardPixels> = pixels
                .iter()
                .map(|pixels| ShardPixels::from_bytes(&Uint8Array::new(&pixels).to_vec()))
                .collect::<cogsmith::Result<_>>()?;
            encode_shard(shards, id, &mut Mosaic::new(shards, id, &pixels)?, &Executor::serial())?
        };
        let bytes = |bytes: &[u8]| Uint8Array::from(bytes);
        let out = Out::default()
            .with("record", bytes(&output.record.to_bytes()))
            .with("fragment", bytes(&output.fragment))
            .with_option("pixels", output.pixels.map(|pixels| bytes(&pixels.to_bytes())));
        Ok(out.into())
    }

    /// Makes the header from the records of all shards, in their order. Returns `{ header, pieces, summary }`: pieces
    /// are three numbers each, the index of a shard and a range of its fragment, in file order.
    pub fn assemble(&self, records: &Array) -> Result<JsValue, JsValue> {
        self.put_together(records).map_err(thrown)
    }

    fn put_together(&self, records: &Array) -> Result<JsValue> {
        let shards = self.shards.as_ref().ok_or(ErrorKind::Cancelled)?;
        let mut assembler = Assembler::new(shards);
        for record in records.iter() {
            assembler.add(ShardRecord::from_bytes(&Uint8Array::new(&record).to_vec())?)?;
        }
        let assembly = assembler.finish()?;
        let all: Vec<ShardId> = shards.all_shards().collect();
        // Pieces that are adjacent both in a fragment and in the file are merged.
        let mut pieces: Vec<(usize, u64, u64)> = Vec::new();
        for piece in assembly.pieces() {
            let shard = all.binary_search(&piece.shard).unwrap_or(usize::MAX);
            let range = piece.range;
            match pieces.last_mut() {
                Some((last, _, end)) if *last == shard && *end == range.start => *end = range.end,
                _ => pieces.push((shard, range.start, range.end)),
            }
        }
        let pieces =
            pieces.into_iter().flat_map(|(shard, start, end)| [number(shard as u64), number(start), number(end)]);
        let header = assembly.header();
        // The version number of BigTIFF, after two bytes of byte order.
        let big_tiff = header.get(2) == Some(&43);
        let plan = assembly.plan();
        let summary = summary(plan, assembly.bytes(), big_tiff, plan.predictor(), assembly.statistics());
        let out = Out::default()
            .with("header", Uint8Array::from(header))
            .with("pieces", list(pieces))
            .with("summary", summary);
        Ok(out.into())
    }

    /// Encodes the whole image at once, and passes the file to `write(bytes)` piece by piece. Finished tiles are kept
    /// in the module's memory.
    #[wasm_bindgen(js_name = encodeWhole)]
    pub fn encode_whole(&mut self, write: &Function, progress: &Function) -> Result<JsValue, JsValue> {
        self.whole(write, progress).map_err(thrown)
    }

    fn whole(&mut self, write: &Function, progress: &Function) -> Result<JsValue> {
        let store = StoreOptions::in_memory().memory(TILES);
        let mut said = u32::MAX;
        let mut step = |at: cogsmith::Progress| {
            if at.rows_done != said {
                said = at.rows_done;
                let _ = progress.call1(&JsValue::NULL, &said.into());
            }
            ControlFlow::Continue(())
        };
        let (pixels, executor) = (&mut *self.raster.pixels, Executor::serial());
        let made = cogsmith::encode(pixels, &self.plan, &executor, &store, &mut Sink { write }, &mut step)?;
        Ok(summary(&self.plan, made.bytes, made.big_tiff, made.predictor, &made.statistics).into())
    }
}

/// Returns the summary of a finished file.
fn summary(plan: &CogPlan, bytes: u64, big_tiff: bool, predictor: Predictor, statistics: &[BandStatistics]) -> Out {
    let levels =
        plan.levels().iter().map(|level| Out::default().with("width", level.width).with("height", level.height));
    let summary = Out::default()
        .with("bytes", number(bytes))
        .with("uncompressedBytes", number(plan.uncompressed_bytes()))
        .with("bigTiff", big_tiff)
        .with("compression", plan.compression().name())
        .with("predictor", predictor.name())
        .with("overviewResampling", plan.resampling_names())
        .with("levels", list(levels));
    if statistics.is_empty() {
        return summary;
    }
    let bands = statistics.iter().map(|band| {
        Out::default()
            .with("minimum", band.minimum)
            .with("maximum", band.maximum)
            .with("mean", band.mean)
            .with("standardDeviation", band.standard_deviation)
            .with("validPercent", band.valid_percent)
    });
    summary.with("statistics", list(bands))
}

/// A writer that passes bytes to a JavaScript function.
struct Sink<'a> {
    write: &'a Function,
}

impl Write for Sink<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.write.call1(&JsValue::NULL, &Uint8Array::from(bytes)) {
            Ok(_) => Ok(bytes.len()),
            Err(_) => Err(io::Error::other("the output does not accept more bytes")),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
