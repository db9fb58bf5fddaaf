//! Reads rows of pixels: decodes each chunk (tile or strip) once, on the thread pool, directly to its destination.

use std::io::{self, Read};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use super::layout::ImageLayout;
use crate::buffer::Pool;
use crate::codec::decode::{self, DecodeError, stream};
use crate::error::{Error, ErrorKind, Result};
use crate::executor::Executor;
use crate::read::RangeReader;
use crate::source::file::read_full;
use crate::tiff::file::TiffFile;
use crate::view::{BlankArea, Stripe, StripeWindow};

/// Strips that decode to more than this are decoded piece by piece, if the codec supports it.
const TALL_BYTES: usize = 8 << 20;
/// Decoded bytes of a piece of a tall strip.
const PIECE_BYTES: usize = 4 << 20;
/// Bytes of the file that are read at once for tall strips.
const INPUT_BYTES: u64 = 1 << 18;

/// A run of samples of one row of a window, starting at its left edge.
pub(super) struct Run<'a> {
    /// The band, if bands have separate planes.
    pub(super) plane: Option<usize>,
    /// The row, counted from the top of the window.
    pub(super) row: usize,
    /// Whole pixels, or samples of the band, in native byte order.
    pub(super) samples: &'a [u8],
}

/// Stores a run in a window, from several threads at once. By default, copies it unchanged.
pub(super) type Put<'a> = Option<&'a (dyn Fn(&mut StripeWindow<'_>, Run<'_>) + Sync)>;

fn put_run(put: Put<'_>, window: &mut StripeWindow<'_>, run: Run<'_>) {
    match (put, run.plane) {
        (Some(put), _) => put(window, run),
        (None, Some(band)) => window.put_band(band, run.row, run.samples),
        (None, None) => window.put_pixels(run.row, run.samples),
    }
}

/// Reads the rows of one image.
pub(super) struct RowReader {
    file: TiffFile,
    layout: Arc<ImageLayout>,
    /// The first column of chunks to read; stripes have as many columns as they are wide.
    first_column: u32,
    /// The sample that fills chunks that are not stored.
    fill: Vec<u8>,
    /// Chunks that reach beyond the rows requested last, from left to right.
    pending: Vec<Pending>,
    /// One per plane, if strips are tall.
    tall: Vec<TallStrip>,
    /// At most two per thread, and those of pending chunks.
    buffers: Pool<Vec<u8>>,
}

/// The decoded pixels of a chunk; `None` if it is not stored in the file.
type Chunk = Option<Vec<u8>>;

/// The chunks of all planes at one position.
struct Pending {
    row: u32,
    column: u32,
    chunks: Vec<Chunk>,
}

/// A position in the grid of chunks, and the destination of the requested part.
struct Job<'a> {
    row: u32,
    column: u32,
    window: StripeWindow<'a>,
    /// The chunks, if they are already decoded.
    known: Option<Pending>,
}

impl Job<'_> {
    /// Reads the requested part of chunks whose bytes are plain samples directly to its destination; false if that is
    /// not possible.
    fn read_in_place(&mut self, file: &TiffFile, layout: &ImageLayout, first_row: u32) -> Result<bool> {
        let format = &layout.format;
        let (Some(row_bytes @ 1..), true) = (format.row_bytes(), format.is_plain()) else { return Ok(false) };
        for plane in 0..layout.planes() {
            let index = layout.chunk_index(plane, self.row, self.column);
            let needed = u64::from(layout.chunk_rows(self.row)) * row_bytes as u64;
            let range = layout.chunk_range(index, self.row)?.filter(|&(_, count)| count >= needed);
            let (Some((offset, _)), Some(rows)) = (range, self.window.rows_mut(layout.planar.then_some(plane.into())))
            else {
                return Ok(false);
            };
            if rows.iter().any(|row| row.len() != row_bytes) {
                return Ok(false);
            }
            let skipped = u64::from(first_row - self.row * layout.chunk_height) * row_bytes as u64;
            if !file.rows_into(rows, offset + skipped, || layout.chunk_place(index))? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Returns whether no chunk at the position is stored.
    fn is_absent(&self, layout: &ImageLayout) -> Result<bool> {
        for plane in 0..layout.planes() {
            if layout.chunk_range(layout.chunk_index(plane, self.row, self.column), self.row)?.is_some() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Decodes the chunks at a position and stores the requested part; returns the chunks if they are still needed.
    fn run(
        mut self,
        (file, layout, fill, buffers): (&TiffFile, &ImageLayout, &[u8], &Pool<Vec<u8>>),
        first_row: u32,
        keep: bool,
        put: Put<'_>,
    ) -> Result<Option<Pending>> {
        let top = self.row.saturating_mul(layout.chunk_height);
        // The first requested row of the chunk.
        let skipped = first_row.saturating_sub(top) as usize;
        let column = self.column as usize * layout.format.width;
        let columns = layout.format.width.min(layout.width as usize - column);
        let pixel_bytes = layout.format.samples * layout.format.data_type.size();
        let row_bytes = layout.format.width * pixel_bytes;
        if put.is_none() && self.known.is_none() && self.read_in_place(file, layout, first_row.max(top))? {
            return Ok(None);
        }
        let mut known = self.known.map(|known| known.chunks.into_iter());
        let mut chunks = Vec::new();
        for plane in 0..layout.planes() {
            let chunk = match known.as_mut().and_then(Iterator::next) {
                Some(chunk) => chunk,
                None => {
                    decode_chunk(file, layout, buffers, layout.chunk_index(plane, self.row, self.column), self.row)?
                }
            };
            let fill = if chunk.is_none() { repeat(fill, columns * pixel_bytes)? } else { Vec::new() };
            for row in 0..self.window.rows() {
                let samples = match &chunk {
                    None => Some(&fill[..]),
                    Some(pixels) => {
                        let start = (skipped + row) * row_bytes;
                        pixels.get(start..start + columns * pixel_bytes)
                    }
                };
                let place = || layout.chunk_place(layout.chunk_index(plane, self.row, self.column));
                let samples = samples.ok_or_else(|| Error::corrupt(place(), "it has too few rows"))?;
                let run = Run { plane: layout.planar.then_some(plane.into()), row, samples };
                put_run(put, &mut self.window, run);
            }
            if keep {
                chunks.push(chunk);
            } else if let Some(pixels) = chunk {
                buffers.give(pixels);
            }
        }
        Ok(keep.then_some(Pending { row: self.row, column: self.column, chunks }))
    }
}

impl RowReader {
    pub(super) fn new(file: TiffFile, layout: Arc<ImageLayout>, fill: Vec<u8>) -> Self {
        let rows = layout.chunk_height as usize;
        let chunk_bytes = layout.format.row_bytes().and_then(|bytes| bytes.checked_mul(rows)).unwrap_or(usize::MAX);
        let streams = layout.format.compression.streams() && layout.format.ycbcr.is_none();
        let is_tall = !layout.tiled && streams && chunk_bytes > TALL_BYTES && rows > 1;
        let planes = if is_tall { usize::from(layout.planes()) } else { 0 };
        let tall = (0..planes).map(TallStrip::new).collect();
        Self { file, layout, first_column: 0, fill, pending: Vec::new(), tall, buffers: Pool::default() }
    }

    /// Limits reading to the columns from the left edge of a chunk on. Stripes end at the edge of a chunk, too, or of the image.
    #[cfg(feature = "mosaic")]
    pub(super) fn start_at(&mut self, column: u32) {
        self.first_column = column / u32::try_from(self.layout.format.width).unwrap_or(u32::MAX).max(1);
        self.pending.clear();
    }

    /// Replaces the place of a chunk, and makes the file at least long enough for it.
    #[cfg(feature = "mosaic")]
    pub(super) fn replace_chunk(&mut self, index: usize, offset: u64, count: u64) {
        let layout = Arc::make_mut(&mut self.layout);
        layout.replace_chunk(index, offset, count);
        self.file.length = self.file.length.max(offset.saturating_add(count));
    }

    /// Returns the layout of the image.
    pub(super) fn layout(&self) -> &ImageLayout {
        &self.layout
    }

    /// Sets the sample that fills chunks that are not stored.
    pub(super) fn set_fill(&mut self, fill: Vec<u8>) {
        self.fill = fill;
    }

    /// Returns the columns and rows of the image.
    pub(super) fn size(&self) -> (u32, u32) {
        (self.layout.width, self.layout.height)
    }

    /// Returns the sample that fills chunks that are not stored.
    pub(super) fn fill(&self) -> &[u8] {
        &self.fill
    }

    /// Reads the rows of a stripe that starts at row `first_row` of the image, and stores them with `put`.
    pub(super) fn read(
        &mut self,
        first_row: u32,
        stripe: &mut Stripe<'_>,
        executor: &Executor,
        put: Put<'_>,
    ) -> Result<()> {
        self.read_stored(first_row, stripe, executor, put, false).map(drop)
    }

    /// Like [`read`](Self::read); if `skips`, leaves out the chunks that are not stored, and returns their areas.
    pub(super) fn read_stored(
        &mut self,
        first_row: u32,
        stripe: &mut Stripe<'_>,
        executor: &Executor,
        put: Put<'_>,
        skips: bool,
    ) -> Result<Vec<BlankArea>> {
        let rows = u32::try_from(stripe.rows).unwrap_or(u32::MAX);
        let end = first_row.saturating_add(rows).min(self.layout.height);
        if first_row >= end {
            return Ok(Vec::new());
        }
        if self.tall.is_empty() {
            self.read_chunks(first_row..end, stripe, executor, put, skips)
        } else {
            self.read_tall(first_row, end, stripe, executor, put).map(|()| Vec::new())
        }
    }

    fn read_chunks(
        &mut self,
        Range { start: first_row, end }: Range<u32>,
        stripe: &mut Stripe<'_>,
        executor: &Executor,
        put: Put<'_>,
        skips: bool,
    ) -> Result<Vec<BlankArea>> {
        let layout = Arc::clone(&self.layout);
        let chunk_rows = first_row / layout.chunk_height..=(end - 1) / layout.chunk_height;
        // Those of later rows, too: while these rows are decoded and encoded, a remote file is fetched.
        let ahead = (*chunk_rows.start()..layout.chunks_down).flat_map(|row| layout.ranges_of(row));
        self.file.reader.read_ahead(&mut { ahead });
        let row_end = |row: u32| (row.saturating_add(1)).saturating_mul(layout.chunk_height).min(end);
        let row_ends: Vec<usize> = chunk_rows.clone().map(|row| (row_end(row) - first_row) as usize).collect();
        let column_end = |column: usize| (column + 1).saturating_mul(layout.format.width);
        let across = stripe.width.div_ceil(layout.format.width.max(1));
        let column_ends: Vec<usize> = (0..across).map(|column| column_end(column).min(stripe.width)).collect();
        let mut pending = std::mem::take(&mut self.pending).into_iter().peekable();
        let columns = self.first_column..layout.chunks_across;
        let columns = columns.start..columns.end.min(columns.start + u32::try_from(across).unwrap_or(u32::MAX));
        let places = chunk_rows.clone().flat_map(|row| columns.clone().map(move |column| (row, column)));
        let windows = stripe.windows(&row_ends, &column_ends);
        let jobs = places.zip(windows).map(|((row, column), window)| {
            let known = pending.next_if(|known| (known.row, known.column) == (row, column));
            Job { row, column, window, known }
        });
        // Only the last row of chunks can reach beyond the end.
        let last_row = *chunk_rows.end();
        let reaches_on = u64::from(last_row) * u64::from(layout.chunk_height) + u64::from(layout.chunk_rows(last_row))
            > u64::from(end);
        let image = (&self.file, &*layout, &self.fill[..], &self.buffers);
        let results: Vec<Result<(Option<Pending>, Option<BlankArea>)>> = executor.map(jobs.collect(), |job| {
            let keep = reaches_on && job.row == last_row;
            if skips && job.is_absent(&layout)? {
                let top = job.row.saturating_mul(layout.chunk_height).max(first_row);
                let (start, left) = ((top - first_row) as usize, job.column as usize * layout.format.width);
                let columns = left..(left + layout.format.width).min(layout.width as usize);
                return Ok((None, Some(BlankArea { rows: start..start + job.window.rows(), columns })));
            }
            Ok((job.run(image, first_row, keep, put)?, None))
        });
        let mut areas = Vec::new();
        for result in results {
            let (kept, area) = result?;
            self.pending.extend(kept);
            areas.extend(area);
        }
        Ok(areas)
    }

    fn read_tall(
        &mut self,
        first_row: u32,
        end: u32,
        stripe: &mut Stripe<'_>,
        executor: &Executor,
        put: Put<'_>,
    ) -> Result<()> {
        let Some(mut window) = stripe.windows(&[stripe.rows], &[stripe.width]).pop() else { return Ok(()) };
        let layout = Arc::clone(&self.layout);
        let row_bytes = layout.format.row_bytes().unwrap_or(usize::MAX).max(1);
        let piece_rows = PIECE_BYTES / row_bytes.saturating_mul(self.tall.len());
        let piece_rows = u32::try_from(piece_rows).unwrap_or(u32::MAX).max(1);
        let mut row = first_row;
        while row < end {
            let strip_end = (row / layout.chunk_height + 1).saturating_mul(layout.chunk_height);
            let piece_end = end.min(strip_end).min(row.saturating_add(piece_rows));
            let (file, fill) = (&self.file, &self.fill);
            let planes: Vec<&mut TallStrip> = self.tall.iter_mut().collect();
            let pieces = executor.map(planes, |strip| strip.read(file, &layout, fill, row..piece_end));
            for (plane, piece) in pieces.into_iter().enumerate() {
                let plane = layout.planar.then_some(plane);
                for (index, samples) in piece?.chunks_exact(row_bytes).enumerate() {
                    let run = Run { plane, row: (row - first_row) as usize + index, samples };
                    put_run(put, &mut window, run);
                }
            }
            row = piece_end;
        }
        Ok(())
    }
}

fn decode_chunk(file: &TiffFile, layout: &ImageLayout, buffers: &Pool<Vec<u8>>, index: u64, row: u32) -> Result<Chunk> {
    let Some((offset, count)) = layout.chunk_range(index, row)? else { return Ok(None) };
    let (mut bytes, mut pixels) = (buffers.take(), buffers.take_empty());
    file.bytes_into(&mut bytes, offset, count, || layout.chunk_place(index))?;
    let rows = layout.chunk_rows(row) as usize;
    let needed = layout.height.saturating_sub(row.saturating_mul(layout.chunk_height)) as usize;
    let decoded = layout.format.decode(&mut bytes, &mut pixels, rows, needed);
    decoded.map_err(|error| located(error, layout, index))?;
    buffers.give(bytes);
    Ok(Some(pixels))
}

/// Adds the location to the error of a codec.
fn located(error: DecodeError, layout: &ImageLayout, index: u64) -> Error {
    match error {
        DecodeError::Damaged(reason) => Error::corrupt(layout.chunk_place(index), reason),
        DecodeError::Unsupported(feature) => Error::unsupported(format!("{feature} (image {})", layout.number)),
        DecodeError::Memory(bytes) => ErrorKind::OutOfMemory { what: "the pixels of a tile or strip", bytes }.into(),
    }
}

/// Returns `length` bytes of repeated copies of a sample.
fn repeat(sample: &[u8], length: usize) -> Result<Vec<u8>> {
    let mut bytes = crate::tiff::file::allocate(length, "the pixels of a tile or strip")?;
    for to in bytes.chunks_mut(sample.len().max(1)) {
        to.iter_mut().zip(sample).for_each(|(to, from)| *to = *from);
    }
    Ok(bytes)
}

/// The strip of a plane that is being decoded piece by piece.
struct TallStrip {
    plane: u16,
    /// The next row of the image, and its strip.
    next: Option<(u32, u32)>,
    /// `None` if the strip is not stored in the file.
    reader: Option<Box<dyn Read + Send>>,
    /// The error of the last read that failed.
    failure: Arc<Mutex<Option<io::Error>>>,
}

impl TallStrip {
    fn new(plane: usize) -> Self {
        Self { plane: u16::try_from(plane).unwrap_or(u16::MAX), next: None, reader: None, failure: Arc::default() }
    }

    /// Reads the samples of some rows of one strip.
    fn read(
        &mut self,
        file: &TiffFile,
        layout: &ImageLayout,
        fill: &[u8],
        rows: std::ops::Range<u32>,
    ) -> Result<Vec<u8>> {
        let strip = rows.start / layout.chunk_height;
        let index = layout.chunk_index(self.plane, strip, 0);
        // Uncompressed rows can be read directly; compressed ones only after all rows before them.
        let direct = matches!(layout.format.compression, decode::Compression::None);
        let reachable = |row: u32| if direct { row == rows.start } else { row <= rows.start };
        if self.next.is_none_or(|(row, of)| of != strip || !reachable(row)) {
            let top = strip.saturating_mul(layout.chunk_height);
            let first = if direct { rows.start } else { top };
            self.reader = self.open(file, layout, index, (strip, first - top))?;
            self.next = Some((first, strip));
        }
        let count = (rows.end - rows.start) as usize;
        let size = |bytes: Option<usize>| bytes.and_then(|bytes| bytes.checked_mul(count)).unwrap_or(usize::MAX);
        let Some(reader) = &mut self.reader else {
            return repeat(fill, size(layout.format.row_bytes()));
        };
        let mut row = self.next.map_or(rows.start, |(row, _)| row);
        let mut packed = crate::tiff::file::allocate(size(layout.format.packed_row_bytes()), "rows of a strip")?;
        let row_bytes = packed.len() / count.max(1);
        loop {
            // Rows that were not requested are decoded one by one and dropped.
            let skip = row < rows.start;
            let end = if skip { row_bytes } else { packed.len() };
            let target = packed.get_mut(..end).unwrap_or(&mut []);
            let filled = match stream::fill(&mut **reader, target) {
                Ok(filled) => filled,
                Err(error) => return Err(self.located(error, layout, index)),
            };
            if filled < end {
                return Err(Error::corrupt(layout.chunk_place(index), format!("its data ends in row {row}")));
            }
            if !skip {
                break;
            }
            row += 1;
        }
        self.next = Some((rows.end, strip));
        layout.format.unpack(packed, count).map_err(|error| located(error, layout, index))
    }

    fn open(
        &self,
        file: &TiffFile,
        layout: &ImageLayout,
        index: u64,
        (strip, skipped_rows): (u32, u32),
    ) -> Result<Option<Box<dyn Read + Send>>> {
        let Some((offset, count)) = layout.chunk_range(index, strip)? else { return Ok(None) };
        let needed = layout.format.packed_bytes(layout.chunk_rows(strip) as usize).unwrap_or(usize::MAX);
        let compression = layout.format.compression;
        compression.check_size(count, needed as u64).map_err(|error| located(error, layout, index))?;
        let end = offset.saturating_add(count);
        let skipped = layout.format.packed_bytes(skipped_rows as usize).unwrap_or(usize::MAX) as u64;
        let (file, reversed_bits) = (file.clone(), layout.format.reversed_bits);
        let failure = Arc::clone(&self.failure);
        let range = RangeReader::new(offset.saturating_add(skipped).min(end)..end, INPUT_BYTES, move |at, buffer| {
            let filled = read_full(&*file.reader, at, buffer).map_err(|error| {
                let kind = error.kind();
                *failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                io::Error::from(kind)
            })?;
            if reversed_bits {
                decode::bits::reverse(buffer);
            }
            Ok(filled)
        });
        let reader = stream::open(compression, range);
        reader.map(Some).map_err(|error| self.located(error, layout, index))
    }

    /// Adds the location to the error of a decoder. A read error is not damage, although the decoder returns it as if it
    /// were.
    fn located(&self, error: io::Error, layout: &ImageLayout, index: u64) -> Error {
        match self.failure.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(error) => Error::io("read the file", error),
            None => Error::corrupt(layout.chunk_place(index), error.to_string()),
        }
    }
}
