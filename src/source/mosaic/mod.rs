//! Many rasters on one grid as one image: [`MosaicSource`].

mod agree;
mod grid;
mod inputs;
mod overlap;
#[cfg(feature = "geotiff")]
pub(crate) mod patch;
mod stack;

use crate::error::{Error, Result};
use crate::executor::Executor;
use crate::geo::{GeoRef, Metadata};
use crate::grid::Rectangle;
use crate::sample::Nodata;
use crate::spec::ImageSpec;
use crate::view::{PixelSource, Stripe, StripeLayout, StripeWindow};

use self::agree::{Agreement, Described};
use self::grid::Placed;
use self::inputs::{Inputs, Wanted};
use self::overlap::{Rules, Tally};

pub(crate) use self::overlap::Cover;
use super::RasterSource;

pub use inputs::SourceInput;
pub use overlap::Overlap;
pub use stack::StackSource;

/// Headers that are in memory at once while inputs are compared.
const HEADERS: usize = 256;
/// Bytes of rows of inputs that are in memory at once, if a single input does not take more.
const READ_BYTES: usize = 32 << 20;
/// Bytes of sums and counts.
const TALLY_BYTES: usize = 32 << 20;
/// Bytes of a piece of the mosaic that one thread composes.
const PIECE_BYTES: usize = 256 << 10;

/// Options for a mosaic.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub struct MosaicOptions {
    /// Rule for pixels that several inputs have. Default: [`Overlap::Last`].
    pub overlap: Overlap,
    /// Largest number of inputs that are open at once. Default: 120, so that 250 files suffice if each input has a mask
    /// file next to it. If more inputs lie side by side, some are opened several times.
    pub max_open: usize,
}

impl Default for MosaicOptions {
    fn default() -> Self {
        Self { overlap: Overlap::default(), max_open: 120 }
    }
}

/// Each method sets one option and returns the options, so that they can be chained.
impl MosaicOptions {
    /// Returns the default options.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the rule for pixels that several inputs have. Default: [`Overlap::Last`].
    pub fn overlap(mut self, overlap: Overlap) -> Self {
        self.overlap = overlap;
        self
    }

    /// Sets the largest number of inputs that are open at once; at least 1. Default: 120.
    pub fn max_open(mut self, max_open: usize) -> Self {
        self.max_open = max_open;
        self
    }
}

/// Rasters on one grid as one image, which covers all of them.
///
/// Inputs have the same bands, data type, nodata value, colors, CRS, and pixel size, and their pixels are aligned within a
/// thousandth of a pixel. Where several have data, [`Overlap`] decides. Pixels count as data by the rules of overviews:
/// a mask decides instead of nodata, transparent pixels and NaN are no data. Pixels of no input are nodata, masked, or
/// transparent; if the inputs have none of these, nodata becomes NaN for floats, and other types get a mask. Metadata that
/// all inputs have in common are kept.
///
/// An input is open only while its rows are read, and at most [`MosaicOptions::max_open`] are open at once. Memory is
/// needed for 24 bytes per input, the chunks of open inputs that extend beyond the requested rows, and 64 MiB.
///
/// ```
/// use cogsmith::{ArraySource, Executor, GeoRef, MosaicOptions, MosaicSource, OverriddenSource, SourceInput};
/// use cogsmith::{PixelSource, Transform};
/// let pixels = ndarray::array![[1u8, 2, 3]];
/// let input = |name: &str, columns: std::ops::Range<usize>| {
///     let x = columns.start as f64;
///     let part = pixels.slice(ndarray::s![.., columns]);
///     SourceInput::new(name, move || {
///         let mut source = OverriddenSource::new(ArraySource::new(part.clone())?);
///         source.set_geo(GeoRef::default().with_transform(Transform::north_up(x, 0.0, 1.0, 1.0)?));
///         Ok(Box::new(source))
///     })
/// };
/// let inputs = vec![input("left", 0..2), input("right", 2..3)];
/// let mosaic = MosaicSource::new(inputs, &MosaicOptions::new(), &Executor::serial())?;
/// assert_eq!((mosaic.spec().width, mosaic.spec().height), (3, 1));
/// # Ok::<(), cogsmith::Error>(())
/// ```
pub struct MosaicSource<'a> {
    spec: ImageSpec,
    geo: GeoRef,
    metadata: Metadata,
    warnings: Vec<String>,
    inputs: Inputs<'a>,
    rules: Rules,
    rectangles: Vec<Rectangle>,
    /// True for inputs with a mask of their own.
    masks: Vec<bool>,
    /// The pixels of each input that count.
    covers: Vec<Cover>,
    /// Inputs by their first row.
    by_top: Vec<usize>,
}

impl std::fmt::Debug for MosaicSource<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MosaicSource")
            .field("spec", &self.spec)
            .field("geo", &self.geo)
            .field("inputs", &self.rectangles.len())
            .finish_non_exhaustive()
    }
}

impl<'a> MosaicSource<'a> {
    /// Reads the headers of all inputs, and places them on their common grid.
    ///
    /// # Errors
    /// [`ErrorKind::Mismatch`](crate::ErrorKind::Mismatch) for inputs that do not fit together,
    /// [`ErrorKind::InvalidImage`](crate::ErrorKind::InvalidImage) for no inputs, and inputs without a transform,
    /// [`ErrorKind::InvalidOption`](crate::ErrorKind::InvalidOption) for an overlap rule without a meaning for the inputs,
    /// and whatever goes wrong in opening an input.
    pub fn new(inputs: Vec<SourceInput<'a>>, options: &MosaicOptions, executor: &Executor) -> Result<Self> {
        let (mut placed, mut masks) = (Vec::with_capacity(inputs.len()), Vec::with_capacity(inputs.len()));
        let mut agreement: Option<Agreement> = None;
        for some in inputs.chunks(HEADERS) {
            for described in executor.map(some.iter().collect(), describe) {
                let mut described = described?;
                let Some(transform) = described.geo.transform() else {
                    let reason = "there is no transform to place it by";
                    return Err(Error::image(reason).in_input(&described.name));
                };
                let size = (described.spec.width, described.spec.height);
                placed.push(Placed { name: described.name.clone(), size, transform });
                masks.push(described.spec.mask);
                match &mut agreement {
                    None => agreement = Some(Agreement::new(described)),
                    Some(agreement) => agreement.add(&mut described)?,
                }
            }
        }
        let Some(agreement) = agreement else { return Err(Error::image("a mosaic needs at least one input")) };
        let grid = grid::place(&placed)?;
        let mut spec =
            ImageSpec { width: grid.width, height: grid.height, overviews: Vec::new(), ..agreement.first.spec.clone() };
        spec.mask = agreement.has_mask;
        options.overlap.check(&spec)?;
        let is_marked = spec.mask || spec.nodata.is_some() || spec.alpha_band().is_some();
        if !is_marked && grid::has_gaps(grid.width, grid.height, &grid.rectangles) {
            if spec.data_type.is_float() {
                spec.nodata = Some(Nodata::from(f64::NAN));
            } else {
                spec.mask = true;
            }
        }
        let mut by_top: Vec<usize> = (0..grid.rectangles.len()).collect();
        by_top.sort_by_key(|input| grid.rectangles[*input].rows.start);
        Ok(Self {
            rules: Rules::new(options.overlap, &spec),
            spec,
            geo: agreement.first.geo.placed_at(grid.transform),
            warnings: agreement.warnings(),
            metadata: agreement.first.metadata,
            inputs: Inputs::new(inputs, options.max_open),
            covers: vec![Cover::Data; grid.rectangles.len()],
            rectangles: grid.rectangles,
            masks,
            by_top,
        })
    }

    /// Puts inputs at known places of an image, the last one on top. Nothing is opened yet.
    #[cfg(feature = "geotiff")]
    pub(crate) fn placed(spec: ImageSpec, inputs: Vec<PlacedInput<'a>>, max_open: usize) -> Self {
        let mut by_top: Vec<usize> = (0..inputs.len()).collect();
        by_top.sort_by_key(|input| inputs[*input].rectangle.rows.start);
        Self {
            rules: Rules::new(Overlap::Last, &spec),
            spec,
            geo: GeoRef::default(),
            metadata: Metadata::default(),
            warnings: Vec::new(),
            rectangles: inputs.iter().map(|input| input.rectangle.clone()).collect(),
            masks: inputs.iter().map(|input| input.has_mask).collect(),
            covers: inputs.iter().map(|input| input.cover).collect(),
            inputs: Inputs::new(inputs.into_iter().map(|input| input.input).collect(), max_open),
            by_top,
        }
    }

    /// Returns the inputs with rows among these, in the order in which they are composed.
    fn active(&self, rows: &std::ops::Range<u32>) -> Vec<usize> {
        let begun = self.by_top.partition_point(|input| self.rectangles[*input].rows.start < rows.end);
        let mut active: Vec<usize> = self.by_top[..begun]
            .iter()
            .copied()
            .filter(|input| self.rectangles[*input].rows.end > rows.start)
            .collect();
        active.sort_unstable();
        if self.rules.overlap == Overlap::First {
            active.reverse();
        }
        active
    }

    /// Fills rows, all inputs in turn.
    fn compose(&mut self, first_row: u32, stripe: &mut Stripe<'_>, executor: &Executor) -> Result<()> {
        self.fill(stripe);
        self.compose_over(first_row, stripe, executor)
    }

    /// Puts all inputs in turn over the pixels of a stripe.
    pub(crate) fn compose_over(&mut self, first_row: u32, stripe: &mut Stripe<'_>, executor: &Executor) -> Result<()> {
        let count = u32::try_from(stripe.rows).unwrap_or(u32::MAX);
        let rows = first_row..first_row.saturating_add(count).min(self.spec.height);
        let layout = stripe.layout;
        let row_samples = stripe.width * stripe.bands;
        let counted = if self.rules.overlap.is_by_order() { 0 } else { stripe.rows * row_samples };
        let summed = if self.rules.needs_sums() { counted } else { 0 };
        let (mut counts, mut sums) = (vec![0u32; counted], vec![0f64; summed]);
        let active = self.active(&rows);
        let mut rest = &active[..];
        while !rest.is_empty() {
            let (batch, after) = rest.split_at(self.batch(rest, &rows));
            rest = after;
            let wanted = batch.iter().map(|&input| {
                let own = &self.rectangles[input].rows;
                let part = rows.start.max(own.start)..rows.end.min(own.end);
                Wanted { input, rows: part.start - own.start..part.end - own.start }
            });
            let (rectangles, masks, spec) = (&self.rectangles, &self.masks, &self.spec);
            let expected = |input: usize| described(spec, &rectangles[input], masks[input]);
            let read = self.inputs.read(wanted.collect(), layout, expected, executor)?;
            let (rules, rectangles, covers) = (&self.rules, &self.rectangles, &self.covers);
            pieces(stripe, &mut sums, &mut counts, executor, |row, window, window_row, tally| {
                let row = rows.start + row;
                let mut tally = tally;
                for one in &read {
                    let own = &rectangles[one.input];
                    if own.rows.contains(&row) {
                        let start = rows.start.max(own.rows.start);
                        let place = (window_row, own.columns.start as usize);
                        let from = (one, (row - start) as usize, covers[one.input]);
                        rules.put(from, (&mut *window, layout), place, tally.as_mut());
                    }
                }
                Ok(())
            })?;
            self.inputs.give_back(read);
        }
        if counted > 0 {
            let rules = &self.rules;
            pieces(stripe, &mut sums, &mut counts, executor, |_, window, window_row, tally| {
                tally.map_or(Ok(()), |tally| rules.finish(&tally, (window, layout), window_row))
            })?;
        }
        self.inputs.close(|input| self.rectangles[input].rows.end <= rows.end);
        Ok(())
    }

    /// Fills rows with what pixels of no input have.
    fn fill(&self, stripe: &mut Stripe<'_>) {
        let sample = self.rules.fill();
        let size = sample.len();
        let is_zero = sample.iter().all(|byte| *byte == 0);
        let (bands, layout) = (stripe.bands, stripe.layout);
        for (index, plane) in stripe.planes.iter_mut().enumerate() {
            if is_zero {
                plane.fill(0);
                continue;
            }
            for (number, to) in plane.chunks_exact_mut(size).enumerate() {
                let band = if layout == StripeLayout::Planar { index } else { number % bands };
                if self.rules.alpha() == Some(band) {
                    to.fill(0);
                } else {
                    to.copy_from_slice(&sample);
                }
            }
        }
        if let Some(mask) = &mut stripe.mask {
            mask.fill(0);
        }
    }

    /// Returns how many of these inputs are read at once.
    fn batch(&self, inputs: &[usize], rows: &std::ops::Range<u32>) -> usize {
        let mut bytes = 0usize;
        let fits = inputs.iter().take(self.inputs.max_open()).take_while(|input| {
            let own = &self.rectangles[**input];
            let count = rows.end.min(own.rows.end) - rows.start.max(own.rows.start);
            bytes = bytes.saturating_add(Inputs::bytes(&described(&self.spec, own, true), count as usize));
            bytes <= READ_BYTES
        });
        fits.count().max(1)
    }
}

/// An input at its place in an image.
#[cfg(feature = "geotiff")]
pub(crate) struct PlacedInput<'a> {
    pub(crate) input: SourceInput<'a>,
    pub(crate) rectangle: Rectangle,
    pub(crate) has_mask: bool,
    pub(crate) cover: Cover,
}

/// Returns the spec of an input.
fn described(spec: &ImageSpec, rectangle: &Rectangle, mask: bool) -> ImageSpec {
    ImageSpec { width: rectangle.width(), height: rectangle.height(), mask, ..spec.clone() }
}

/// Opens an input, and returns what its header says.
fn describe(input: &SourceInput<'_>) -> Result<Described> {
    let source = input.open()?;
    Ok(Described {
        name: input.name().to_owned(),
        spec: source.spec().clone(),
        geo: source.geo().clone(),
        metadata: source.metadata().clone(),
        warnings: source.warnings().to_vec(),
    })
}

/// Calls `work` for every row of a stripe, on all threads: with the row, a window and the row in it, and the row's sums
/// and counts if there are any.
fn pieces(
    stripe: &mut Stripe<'_>,
    sums: &mut [f64],
    counts: &mut [u32],
    executor: &Executor,
    work: impl Fn(u32, &mut StripeWindow<'_>, usize, Option<Tally<'_>>) -> Result<()> + Sync + Send,
) -> Result<()> {
    let (total, width) = (stripe.rows, stripe.width);
    let row_samples = width * stripe.bands;
    let rows = (PIECE_BYTES / (row_samples * stripe.sample_size).max(1)).max(1);
    let ends: Vec<usize> = (1..=total.div_ceil(rows)).map(|piece| (piece * rows).min(total)).collect();
    let piece = (rows * row_samples).max(1);
    let mut sums = sums.chunks_mut(piece);
    let mut counts = counts.chunks_mut(piece);
    let windows = stripe.windows(&ends, &[width]).into_iter().enumerate();
    let jobs = windows.map(|(index, window)| (index, window, sums.next().unwrap_or(&mut []), counts.next())).collect();
    let done = executor.map(jobs, |(index, mut window, sums, mut counts): (_, StripeWindow<'_>, &mut [f64], _)| {
        for row in 0..window.rows() {
            let part = row * row_samples..(row + 1) * row_samples;
            let tally = counts.as_mut().map(|counts: &mut &mut [u32]| Tally {
                sums: sums.get_mut(part.clone()).unwrap_or(&mut []),
                counts: &mut counts[part.clone()],
            });
            work(u32::try_from(index * rows + row).unwrap_or(u32::MAX), &mut window, row, tally)?;
        }
        Ok(())
    });
    done.into_iter().collect()
}

impl PixelSource for MosaicSource<'_> {
    fn spec(&self) -> &ImageSpec {
        &self.spec
    }

    fn can_skip_rows(&self) -> bool {
        true
    }

    fn read_rows(&mut self, first_row: u32, stripe: &mut Stripe<'_>, executor: &Executor) -> Result<()> {
        let row_bytes = if self.rules.overlap.is_by_order() { 0 } else { stripe.width * stripe.bands * 12 };
        let at_once = TALLY_BYTES.checked_div(row_bytes).map_or(stripe.rows, |rows| rows.max(1));
        for start in (0..stripe.rows).step_by(at_once.max(1)) {
            let rows = at_once.min(stripe.rows - start);
            let first = first_row.saturating_add(u32::try_from(start).unwrap_or(u32::MAX));
            self.compose(first, &mut stripe.part(start, rows), executor)?;
        }
        Ok(())
    }
}

impl RasterSource for MosaicSource<'_> {
    fn geo(&self) -> &GeoRef {
        &self.geo
    }

    fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    fn warnings(&self) -> &[String] {
        &self.warnings
    }
}
