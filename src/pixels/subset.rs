//! A window and some of the bands of a source.

use crate::error::{Error, OptionField, Result};
use crate::executor::Executor;
use crate::geo::{ColorInterpretation, GeoRef, Metadata};
use crate::grid::Rectangle;
use crate::source::RasterSource;
use crate::spec::{ExtraSample, ImageSpec, Photometric};
use crate::view::{PixelSource, Stripe, StripeLayout};

use super::BandChoice;
use super::buffer::{RowBuffer, rows_of};

/// A source with a window and some of the bands of another one.
pub(super) struct SubsetSource<S> {
    inner: S,
    spec: ImageSpec,
    geo: GeoRef,
    metadata: Metadata,
    window: Rectangle,
    /// The inner source's bands, in the order of this one's; `None` for all of them.
    bands: Option<Vec<u16>>,
    /// The row of the inner source after the last one that was read.
    next_row: u32,
    rows: RowBuffer,
}

impl<S: RasterSource> SubsetSource<S> {
    /// Selects a window, which must lie within the image, and bands; `None` or an empty list selects all.
    pub(super) fn new(inner: S, window: Option<Rectangle>, bands: &[BandChoice]) -> Result<Self> {
        let all = inner.spec();
        let (mut spec, mut metadata) = (all.clone().overviews([]), inner.metadata().clone());
        let mut geo = inner.geo().clone();
        let window = match window {
            Some(window) => {
                (spec.width, spec.height) = (window.width(), window.height());
                geo.crop(window.columns.start, window.rows.start);
                metadata.crop(window.columns.start, window.rows.start);
                window
            }
            None => Rectangle { columns: 0..spec.width, rows: 0..spec.height },
        };
        let bands = if bands.is_empty() { None } else { Some(numbers(bands, all, &metadata)?) };
        if let Some(bands) = &bands {
            select(&mut spec, &mut metadata, bands)?;
        }
        Ok(Self { inner, spec, geo, metadata, window, bands, next_row: 0, rows: RowBuffer::default() })
    }

    /// Reads and drops the rows before `row`, unless the source can leave them out.
    fn skip_to(&mut self, row: u32, executor: &Executor) -> Result<()> {
        while self.next_row < row && !self.inner.can_skip_rows() {
            let spec = self.inner.spec().clone();
            let rows = RowBuffer::rows_at_once(&spec, (row - self.next_row) as usize);
            let mut stripe = self.rows.stripe(&spec, StripeLayout::Chunky, rows)?;
            self.inner.read_rows(self.next_row, &mut stripe, executor)?;
            self.next_row = self.next_row.saturating_add(u32::try_from(rows).unwrap_or(u32::MAX));
        }
        self.next_row = row;
        Ok(())
    }
}

impl<S: RasterSource> PixelSource for SubsetSource<S> {
    fn spec(&self) -> &ImageSpec {
        &self.spec
    }

    fn can_skip_rows(&self) -> bool {
        self.inner.can_skip_rows()
    }

    fn read_rows(&mut self, first_row: u32, stripe: &mut Stripe<'_>, executor: &Executor) -> Result<()> {
        let all = self.inner.spec().clone();
        let rows = |rows: usize| u32::try_from(rows).unwrap_or(u32::MAX);
        let first = self.window.rows.start.saturating_add(first_row);
        self.skip_to(first, executor)?;
        if self.bands.is_none() && self.window.columns == (0..all.width) {
            self.inner.read_rows(first, stripe, executor)?;
            self.next_row = first.saturating_add(rows(stripe.rows));
            return Ok(());
        }
        let at_once = RowBuffer::rows_at_once(&all, stripe.rows);
        let layout = if self.bands.is_some() { StripeLayout::Planar } else { stripe.layout };
        for start in (0..stripe.rows).step_by(at_once) {
            let count = at_once.min(stripe.rows - start);
            let mut read = self.rows.stripe(&all, layout, count)?;
            self.inner.read_rows(first.saturating_add(rows(start)), &mut read, executor)?;
            copy(&read, self.window.columns.start as usize, self.bands.as_deref(), stripe, start, executor);
        }
        self.next_row = first.saturating_add(rows(stripe.rows));
        Ok(())
    }
}

/// Copies the columns of a stripe from column `left` on, and the bands, to the rows of another one from row `start` on.
fn copy(
    read: &Stripe<'_>,
    left: usize,
    bands: Option<&[u16]>,
    stripe: &mut Stripe<'_>,
    start: usize,
    executor: &Executor,
) {
    let (row_bytes, size) = (read.row_bytes(), read.sample_size);
    let (width, samples) = (stripe.width, if read.layout == StripeLayout::Chunky { read.bands } else { 1 });
    let run = left * samples * size..(left + width) * samples * size;
    let of_plane = |plane: usize, row: usize| &read.planes[plane][row * row_bytes..][run.clone()];
    let all: Vec<u16>;
    let bands = match bands {
        Some(bands) => bands,
        None => {
            all = (0..u16::try_from(read.bands).unwrap_or(u16::MAX)).collect();
            &all
        }
    };
    let mut target = rows_of(stripe, start, read.rows);
    target.fill(executor, |row, window, window_row| {
        if read.layout == StripeLayout::Chunky {
            window.put_pixels(window_row, of_plane(0, row));
        } else {
            window.put_bands(window_row, &bands.iter().map(|band| of_plane((*band).into(), row)).collect::<Vec<_>>());
        }
        if let (Some(mask), Some(target)) = (&read.mask, window.mask_row(window_row)) {
            target.copy_from_slice(&mask[row * read.width + left..][..width]);
        }
    });
}

impl<S: RasterSource> RasterSource for SubsetSource<S> {
    fn geo(&self) -> &GeoRef {
        &self.geo
    }

    fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    fn warnings(&self) -> &[String] {
        self.inner.warnings()
    }
}

/// Returns the numbers of the chosen bands.
fn numbers(choices: &[BandChoice], spec: &ImageSpec, metadata: &Metadata) -> Result<Vec<u16>> {
    if u16::try_from(choices.len()).is_err() {
        return Err(Error::option(
            OptionField::Bands,
            format!("{} are more than the {} of a file", choices.len(), u16::MAX),
        ));
    }
    let descriptions: Vec<_> = (0..spec.bands).map(|band| metadata.description(band).unwrap_or_default()).collect();
    let find = |name: &str, equal: fn(&str, &str) -> bool| -> Vec<u16> {
        (0..).zip(&descriptions).filter(|(_, own)| equal(own, name)).map(|(band, _)| band).collect()
    };
    let number = |choice: &BandChoice| match choice {
        BandChoice::Number(band) if *band < spec.bands => Ok(*band),
        BandChoice::Number(band) => {
            // People count bands from 1.
            Err(Error::option(
                OptionField::Bands,
                format!("there is no band {}, only {}", u32::from(*band) + 1, spec.bands),
            ))
        }
        BandChoice::Description(name) => {
            let exact = find(name, |own, name| own == name);
            let found = if exact.is_empty() { find(name, |own, name| own.eq_ignore_ascii_case(name)) } else { exact };
            match found[..] {
                [band] => Ok(band),
                [] if descriptions.iter().all(String::is_empty) => Err(Error::option(
                    OptionField::Bands,
                    format!("there is no band '{name}'; bands have numbers, but no names"),
                )),
                [] => {
                    let named: Vec<_> = descriptions.iter().filter(|own| !own.is_empty()).map(String::as_str).collect();
                    let named = named.join(", ");
                    Err(Error::option(OptionField::Bands, format!("there is no band '{name}'; the bands are {named}")))
                }
                _ => Err(Error::option(
                    OptionField::Bands,
                    format!("several bands have the name '{name}'; use their numbers"),
                )),
            }
        }
    };
    choices.iter().map(number).collect()
}

/// Changes the description of the image to that of some of its bands.
fn select(spec: &mut ImageSpec, metadata: &mut Metadata, bands: &[u16]) -> Result<()> {
    let all = spec.clone();
    let colors = crate::geo::colors::of(&all, metadata);
    let first = |count: u16| bands.iter().copied().take(count.into()).eq(0..count);
    let color_bands = all.photometric.color_bands();
    spec.bands = u16::try_from(bands.len()).unwrap_or(u16::MAX);
    if !first(color_bands) {
        spec.photometric = Photometric::MinIsBlack;
    }
    if bands.first() != Some(&0) {
        spec.color_map.clear();
    }
    let extra = all.all_extra_samples();
    let mut extra: Vec<ExtraSample> = bands
        .iter()
        .skip(spec.photometric.color_bands().into())
        .map(|band| band.checked_sub(color_bands).map_or(ExtraSample::Unspecified, |band| extra[usize::from(band)]))
        .collect();
    // A file has one alpha band at most.
    let mut seen = false;
    for kind in extra.iter_mut().filter(|kind| **kind != ExtraSample::Unspecified) {
        if std::mem::replace(&mut seen, true) {
            *kind = ExtraSample::Unspecified;
        }
    }
    spec.extra_samples = extra;
    metadata.select_bands(bands);
    let shown = crate::geo::colors::of(spec, metadata);
    for (band, (source, shown)) in (0..).zip(bands.iter().zip(shown)) {
        use ColorInterpretation::{Alpha, Gray, Palette, Undefined};
        let color = colors[usize::from(*source)];
        // The description of the image says these; the first band of an image without colors is gray.
        if matches!(color, Alpha | Palette | Gray | Undefined) {
            continue;
        }
        if color != shown {
            metadata.set_color_interpretation(band, color);
        }
    }
    Ok(())
}
