//! The bands of many rasters as the bands of one image: [`StackSource`].

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use crate::error::{Error, ErrorKind, OptionField, Result};
use crate::executor::Executor;
use crate::geo::{GeoRef, Metadata};
use crate::spec::{ExtraSample, ImageSpec, Photometric};
use crate::view::{PixelSource, Stripe, StripeLayout};

use super::super::RasterSource;
use super::agree::{Described, crs_difference, nodata_difference};
use super::inputs::{InputRows, Inputs, SourceInput, Wanted};
use super::{MosaicOptions, READ_BYTES, describe, grid};

/// The bands of many rasters of one size and place as the bands of one image, in the order of the inputs.
///
/// Inputs have the same columns and rows, data type, nodata value, CRS, and transform (within a thousandth of a pixel). A
/// band without a description gets the name of its input without folder and extension, and its number if the input has
/// several. Metadata of the raster that all inputs share are kept, and those of bands. There is one mask for all bands, so
/// masks must be the same in all inputs that have one.
///
/// At most [`MosaicOptions::max_open`] inputs are open at once; beyond that number, some are opened for each group of rows.
pub struct StackSource<'a> {
    spec: ImageSpec,
    geo: GeoRef,
    metadata: Metadata,
    warnings: Vec<String>,
    inputs: Inputs<'a>,
    names: Vec<String>,
    /// The spec of each input, and its first band in this image.
    parts: Vec<(ImageSpec, usize)>,
}

impl std::fmt::Debug for StackSource<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StackSource")
            .field("spec", &self.spec)
            .field("geo", &self.geo)
            .field("inputs", &self.parts.len())
            .finish_non_exhaustive()
    }
}

impl<'a> StackSource<'a> {
    /// Reads the headers of all inputs. Of the options, only [`max_open`](MosaicOptions::max_open) applies.
    ///
    /// # Errors
    /// [`ErrorKind::Mismatch`] for inputs that do not fit together, [`ErrorKind::InvalidImage`] for no inputs, more than
    /// 65,535 bands, and palettes, and whatever goes wrong in opening an input.
    pub fn new(inputs: Vec<SourceInput<'a>>, options: &MosaicOptions, executor: &Executor) -> Result<Self> {
        let described = executor.map(inputs.iter().collect(), describe);
        let described = described.into_iter().collect::<Result<Vec<_>>>()?;
        let Some(first) = described.first() else { return Err(Error::image("a stack needs at least one input")) };
        let (mut bands, mut parts, mut warnings) = (0usize, Vec::new(), Vec::new());
        let mut metadata = raster_items(&first.metadata);
        metadata.bands_named = 0;
        let mut left_out = Vec::new();
        for input in &described {
            check(first, input, described.len())?;
            left_out.extend(metadata.keep_common(&raster_items(&input.metadata)));
            warnings.extend(input.warnings.iter().map(|warning| format!("'{}': {warning}", input.name)));
            if input.spec.alpha_band().is_some() && described.len() > 1 {
                warnings.push(format!("'{}': the alpha band is a band like any other in a stack", input.name));
            }
            parts.push((input.spec.clone(), bands));
            bands += usize::from(input.spec.bands);
        }
        let bands = u16::try_from(bands).map_err(|_| Error::limit("bands of the stack", bands as u64, 65535))?;
        if !left_out.is_empty() {
            left_out.sort();
            left_out.dedup();
            let names = left_out.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
            warnings.push(format!("metadata that differs between the inputs is left out: {names}"));
        }
        let mut spec = ImageSpec {
            bands,
            overviews: Vec::new(),
            mask: described.iter().any(|input| input.spec.mask),
            ..first.spec.clone()
        };
        if described.len() > 1 {
            spec.photometric = Photometric::MinIsBlack;
            spec.extra_samples = vec![ExtraSample::Unspecified; usize::from(bands) - 1];
        }
        for (input, (_, start)) in described.iter().zip(&parts) {
            add_bands(&mut metadata, input, u16::try_from(*start).unwrap_or(u16::MAX))?;
        }
        let (geo, names) = (first.geo.clone(), described.iter().map(|input| input.name.clone()).collect());
        Ok(Self { spec, geo, metadata, warnings, inputs: Inputs::new(inputs, options.max_open), names, parts })
    }

    /// Returns the end of the inputs from `start` on that are read at once.
    fn batch(&self, start: usize, rows: usize) -> usize {
        let mut bytes = 0usize;
        let fits = self.parts[start..].iter().take(self.inputs.max_open()).take_while(|(spec, _)| {
            bytes = bytes.saturating_add(Inputs::bytes(spec, rows));
            bytes <= READ_BYTES
        });
        start + fits.count().max(1)
    }

    /// Copies rows of inputs to their bands.
    fn put(&self, read: &[InputRows], stripe: &mut Stripe<'_>, executor: &Executor) {
        let parts = &self.parts;
        let whole = read.len() == parts.len();
        stripe.fill(executor, |row, window, window_row| {
            let bands = read.iter().flat_map(|one| {
                let (spec, start) = &parts[one.input];
                (0..usize::from(spec.bands)).map(move |band| (start + band, one.plane_row(band, row)))
            });
            if whole {
                // All bands in order, which are interleaved at once.
                window.put_bands(window_row, &bands.map(|(_, samples)| samples).collect::<Vec<_>>());
            } else {
                bands.for_each(|(band, samples)| window.put_band(band, window_row, samples));
            }
        });
    }

    /// Copies the mask of an input, or compares it with the one that is there.
    fn put_masks(
        &self,
        read: &[InputRows],
        known: &mut Option<usize>,
        (stripe, first_row): (&mut Stripe<'_>, u32),
        executor: &Executor,
    ) -> Result<()> {
        for one in read.iter().filter(|one| self.parts[one.input].0.mask) {
            let of = *known.get_or_insert(one.input);
            let differs: Mutex<Option<(usize, usize)>> = Mutex::new(None);
            stripe.fill(executor, |row, window, window_row| {
                let (Some(from), Some(to)) = (one.mask_row(row), window.mask_row(window_row)) else { return };
                if of == one.input {
                    to.copy_from_slice(from);
                } else if let Some(column) = to.iter().zip(from).position(|(a, b)| (*a == 0) != (*b == 0)) {
                    let mut differs = differs.lock().unwrap_or_else(PoisonError::into_inner);
                    *differs = Some(differs.map_or((row, column), |place| place.min((row, column))));
                }
            });
            if let Some((row, column)) = differs.into_inner().unwrap_or_else(PoisonError::into_inner) {
                let row = first_row as usize + row;
                let reason = format!(
                    "masks at column {column}, row {row}, but a stack has one mask for all bands; make nodata of the masks \
                     first, or drop them"
                );
                let (first, second) = (self.names[of].clone(), self.names[one.input].clone());
                return Err(ErrorKind::Mismatch { first, second, reason, option: Some(OptionField::Mask) }.into());
            }
        }
        Ok(())
    }
}

/// Checks that an input fits the first one.
fn check(first: &Described, input: &Described, count: usize) -> Result<()> {
    let mismatch = |reason: String, option: Option<OptionField>| -> Result<()> {
        Err(ErrorKind::Mismatch { first: first.name.clone(), second: input.name.clone(), reason, option }.into())
    };
    let (one, two) = (&first.spec, &input.spec);
    if count > 1 && two.has_color_map() {
        let reason = "a palette has no place among other bands; expand the palette first";
        return Err(Error::option(OptionField::ExpandPalette, reason).in_input(&input.name));
    }
    if (one.width, one.height) != (two.width, two.height) {
        let sizes = format!("sizes {}x{} and {}x{}", one.width, one.height, two.width, two.height);
        return mismatch(sizes, None);
    }
    if one.data_type != two.data_type {
        return mismatch(format!("data types {} and {}", one.data_type, two.data_type), Some(OptionField::DataType));
    }
    if one.bits() != two.bits() {
        let reason = format!("{} and {} bits per sample", one.bits(), two.bits());
        return mismatch(reason, Some(OptionField::BitsPerSample));
    }
    if let Some(reason) = nodata_difference(one, two) {
        return mismatch(reason, Some(OptionField::Nodata));
    }
    if let Some(reason) = crs_difference(&first.geo, &input.geo) {
        return mismatch(reason, Some(OptionField::Crs));
    }
    match (first.geo.transform(), input.geo.transform()) {
        (Some(own), Some(other)) => {
            let placed = |input: &Described, transform| grid::Placed {
                name: input.name.clone(),
                size: (input.spec.width, input.spec.height),
                transform,
            };
            let grid = grid::place(&[placed(first, own), placed(input, other)])?;
            if (grid.width, grid.height) != (one.width, one.height) {
                return mismatch(
                    format!(
                        "places; they are {} columns and {} rows apart",
                        grid.width - one.width,
                        grid.height - one.height
                    ),
                    None,
                );
            }
            Ok(())
        }
        (None, None) => Ok(()),
        _ => mismatch("one has a transform and the other does not".into(), None),
    }
}

/// Returns the metadata of the raster alone.
fn raster_items(metadata: &Metadata) -> Metadata {
    let mut metadata = metadata.clone();
    metadata.items.retain(|item| item.sample.is_none());
    metadata.colors.clear();
    metadata
}

/// Adds the metadata of an input's bands, which start at band `start` of the stack.
fn add_bands(metadata: &mut Metadata, input: &Described, start: u16) -> Result<()> {
    let own = &input.metadata;
    let moved = own.items.iter().filter_map(|item| {
        let sample = item.sample?;
        let mut item = item.clone();
        item.sample = Some(sample + u32::from(start));
        (sample < u32::from(input.spec.bands)).then_some(item)
    });
    metadata.items.extend(moved);
    for (band, color) in &own.colors {
        metadata.set_color_interpretation(start + band, *color);
    }
    let stem = Path::new(&input.name).file_stem().unwrap_or_default().to_string_lossy();
    for band in 0..input.spec.bands {
        if own.description(band).is_none_or(|text| text.is_empty()) {
            let name = if input.spec.bands == 1 { stem.to_string() } else { format!("{stem} {}", u32::from(band) + 1) };
            metadata.set_description(start + band, &name)?;
        }
    }
    Ok(())
}

impl PixelSource for StackSource<'_> {
    fn spec(&self) -> &ImageSpec {
        &self.spec
    }

    fn can_skip_rows(&self) -> bool {
        true
    }

    fn read_rows(&mut self, first_row: u32, stripe: &mut Stripe<'_>, executor: &Executor) -> Result<()> {
        let end = first_row.saturating_add(u32::try_from(stripe.rows).unwrap_or(u32::MAX));
        let mut known = None;
        let mut start = 0;
        while start < self.parts.len() {
            let batch_end = self.batch(start, stripe.rows);
            let wanted = (start..batch_end).map(|input| Wanted { input, rows: first_row..end }).collect();
            let parts = &self.parts;
            let expected = |input: usize| parts[input].0.clone();
            let read = self.inputs.read(wanted, StripeLayout::Planar, expected, executor)?;
            self.put(&read, stripe, executor);
            self.put_masks(&read, &mut known, (&mut *stripe, first_row), executor)?;
            self.inputs.give_back(read);
            start = batch_end;
        }
        Ok(())
    }
}

impl RasterSource for StackSource<'_> {
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
