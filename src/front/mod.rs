//! The usual ways to write a COG: [`CogOptions`] and the functions that take them.

#[cfg(all(feature = "geotiff", feature = "mosaic"))]
mod inputs;
mod options;

use std::io::Write;
use std::path::Path;

#[cfg(feature = "ndarray")]
use ndarray::{Array2, Array3, ArrayView2, ArrayView3};

#[cfg(feature = "ndarray")]
use crate::array::ArraySource;
use crate::encode::{Summary, TileSink};
use crate::error::{Error, ErrorKind, OptionField, Result};
use crate::executor::Executor;
use crate::options::MaskPolicy;
use crate::pixels::PixelOptions;
use crate::plan::CogPlan;
use crate::sample::Sample;
use crate::sink::writer::{CogWriter, file_sink};
use crate::sink::{MemorySink, SpooledSink};
use crate::source::RasterSource;
#[cfg(all(feature = "geotiff", not(feature = "mosaic")))]
use crate::source::geotiff::GeoTiffSource;
use crate::spec::ImageSpec;
use crate::view::PixelSource;

#[cfg(all(feature = "geotiff", feature = "mosaic"))]
pub use inputs::{InputOptions, mosaic, stack};
pub use options::CogOptions;

/// Pixels that can be written: any [`RasterSource`], and with the feature `ndarray` arrays of two axes, (row, column), or
/// three, (band, row, column), and references to them.
pub trait IntoSource {
    /// The source that it becomes.
    type Source: RasterSource;

    /// Makes the source.
    ///
    /// # Errors
    /// Whatever keeps the pixels from being an image, such as an empty array.
    fn into_source(self) -> Result<Self::Source>;
}

impl<S: RasterSource> IntoSource for S {
    type Source = S;

    fn into_source(self) -> Result<S> {
        Ok(self)
    }
}

#[cfg(feature = "ndarray")]
impl<'a, T: Sample> IntoSource for ArrayView2<'a, T> {
    type Source = ArraySource<'a, T>;

    fn into_source(self) -> Result<Self::Source> {
        ArraySource::new(self)
    }
}

#[cfg(feature = "ndarray")]
impl<'a, T: Sample> IntoSource for ArrayView3<'a, T> {
    type Source = ArraySource<'a, T>;

    fn into_source(self) -> Result<Self::Source> {
        ArraySource::bands_first(self)
    }
}

#[cfg(feature = "ndarray")]
impl<'a, T: Sample> IntoSource for &'a Array2<T> {
    type Source = ArraySource<'a, T>;

    fn into_source(self) -> Result<Self::Source> {
        ArraySource::new(self.view())
    }
}

#[cfg(feature = "ndarray")]
impl<'a, T: Sample> IntoSource for &'a Array3<T> {
    type Source = ArraySource<'a, T>;

    fn into_source(self) -> Result<Self::Source> {
        ArraySource::bands_first(self.view())
    }
}

/// Converts a GeoTIFF file, or a VRT file with the feature `mosaic` ([`open`](crate::open)), to a COG, which appears complete or not at all. Georeferencing, metadata, and nodata are carried
/// over unless the options replace them; see [`Summary::warnings`] for what could not be.
///
/// ```no_run
/// use cogsmith::{CogOptions, Compression};
/// cogsmith::convert("scene.tif", "scene-cog.tif", &CogOptions::new().compression(Compression::ZSTD))?;
/// # Ok::<(), cogsmith::Error>(())
/// ```
///
/// # Errors
/// The errors of [`GeoTiffSource::open`](crate::GeoTiffSource::open) and [`write()`].
#[cfg(feature = "geotiff")]
pub fn convert(input: impl AsRef<Path>, output: impl AsRef<Path>, options: &CogOptions) -> Result<Summary> {
    #[cfg(feature = "mosaic")]
    return write_source(output, crate::vrt::open(input, &options.reading())?, options);
    #[cfg(not(feature = "mosaic"))]
    write_source(output, GeoTiffSource::open(input, &options.reading())?, options)
}

/// Writes an array, or any other source, to a COG file, which appears complete or not at all.
///
/// ```
/// use cogsmith::{CogOptions, Crs, Transform};
/// # let path = std::env::temp_dir().join(format!("cogsmith-front-{}.tif", std::process::id()));
/// let pixels = ndarray::Array3::<u16>::zeros((4, 600, 800)); // bands, rows, columns
/// let options = CogOptions::new()
///     .crs(Crs::epsg(32633)?)
///     .transform(Transform::north_up(300_000.0, 5_000_000.0, 10.0, 10.0)?)
///     .nodata(0u64);
/// cogsmith::write(&path, &pixels, &options)?;
/// # std::fs::remove_file(path).unwrap();
/// # Ok::<(), cogsmith::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::TargetExists`] if the file exists and [`overwrite`](CogOptions::overwrite) is not set;
/// [`ErrorKind::InvalidOption`], [`ErrorKind::InvalidImage`], and [`ErrorKind::Limit`] if the options contradict the image
/// or each other, or can have no effect, such as [`read_options`](CogOptions::read_options) that select an image; [`ErrorKind::Cancelled`]; and whatever goes wrong in reading, encoding, or writing. The file is then
/// unchanged.
pub fn write(path: impl AsRef<Path>, source: impl IntoSource, options: &CogOptions) -> Result<Summary> {
    options.check_read_options()?;
    write_source(path, source.into_source()?, options)
}

fn write_source(path: impl AsRef<Path>, source: impl RasterSource, options: &CogOptions) -> Result<Summary> {
    let (summary, _) = options.run(source, |plan| {
        let (output, store) = options.create_file(path.as_ref())?;
        file_sink(plan, &store, output)
    })?;
    Ok(summary)
}

/// Writes an array, or any other source, to anything that implements [`Write`], without seeking. Nothing is written before
/// all pixels have been encoded.
///
/// # Errors
/// The errors of [`write()`]; also [`ErrorKind::InvalidOption`] for [`verify`](CogOptions::verify),
/// [`overwrite`](CogOptions::overwrite), and [`sync`](CogOptions::sync), which need a file.
pub fn write_to(writer: impl Write, source: impl IntoSource, options: &CogOptions) -> Result<Summary> {
    options.check_for_stream()?;
    let sink = |_: &CogPlan| Ok(SpooledSink::new(writer, options.store.clone()));
    let (summary, _) = options.run(source.into_source()?, sink)?;
    Ok(summary)
}

/// Writes an array, or any other source, to any sink, and [commits](TileSink::commit) it. `make` makes the sink once all
/// options have been checked.
///
/// ```
/// use cogsmith::{CogOptions, MemorySink};
/// let pixels = ndarray::Array2::<u8>::zeros((600, 800));
/// let (summary, sink) = cogsmith::write_to_sink(|_plan| Ok(MemorySink::new()), &pixels, &CogOptions::new())?;
/// assert_eq!(sink.into_bytes().len() as u64, summary.bytes);
/// # Ok::<(), cogsmith::Error>(())
/// ```
///
/// # Errors
/// The errors of [`write()`], of `make`, and of the sink. Options for files ([`overwrite`](CogOptions::overwrite),
/// [`sync`](CogOptions::sync)) are [`ErrorKind::InvalidOption`]: the sink has its own.
pub fn write_to_sink<K: TileSink>(
    make: impl FnOnce(&CogPlan) -> Result<K>,
    source: impl IntoSource,
    options: &CogOptions,
) -> Result<(Summary, K)> {
    options.check_for_stream()?;
    options.run(source.into_source()?, make)
}

/// Returns an array, or any other source, as the bytes of a COG.
///
/// # Errors
/// The errors of [`write_to`].
pub fn to_vec(source: impl IntoSource, options: &CogOptions) -> Result<Vec<u8>> {
    options.check_for_stream()?;
    let (_, sink) = options.run(source.into_source()?, |_| Ok(MemorySink::new()))?;
    Ok(sink.into_bytes())
}

impl CogWriter<'static> {
    /// Creates a COG file whose rows are pushed as they come; it appears on [`finish`](CogWriter::finish).
    ///
    /// ```
    /// use cogsmith::{CogOptions, CogWriter, Crs, Transform};
    /// # let path = std::env::temp_dir().join(format!("cogsmith-rows-{}.tif", std::process::id()));
    /// let transform = Transform::north_up(300_000.0, 5_000_000.0, 10.0, 10.0)?;
    /// let options = CogOptions::new().crs(Crs::epsg(32633)?).transform(transform).nodata(f64::NAN);
    /// let mut writer = CogWriter::create::<f32>(&path, 1000, 600, 1, &options)?;
    /// for _row in 0..600 {
    ///     writer.push_rows(&[1.5f32; 1000], None)?;
    /// }
    /// writer.finish()?;
    /// # std::fs::remove_file(path).unwrap();
    /// # Ok::<(), cogsmith::Error>(())
    /// ```
    ///
    /// # Errors
    /// The errors of [`create_with`](Self::create_with).
    pub fn create<T: Sample>(
        path: impl AsRef<Path>,
        width: u32,
        height: u32,
        bands: u16,
        options: &CogOptions,
    ) -> Result<Self> {
        Self::create_with(path, &ImageSpec::new(width, height, bands, T::DATA_TYPE), options)
    }

    /// Like [`create`](Self::create), for an image with a mask, a palette, or other traits of a spec.
    ///
    /// # Errors
    /// The errors of [`write()`], and [`ErrorKind::InvalidOption`] for a [`mask`](CogOptions::mask) to be made from
    /// alpha, or dropped: push the mask along with the rows.
    pub fn create_with(path: impl AsRef<Path>, spec: &ImageSpec, options: &CogOptions) -> Result<Self> {
        if matches!(options.encode.mask, MaskPolicy::None | MaskPolicy::Alpha) {
            return Err(Error::option(
                OptionField::Mask,
                "rows are pushed with their mask; no mask or band is dropped",
            ));
        }
        if options.pixels != PixelOptions::default() {
            return Err(Error::option(
                OptionField::Pixels,
                "rows are pushed as they are; select and convert pixels before",
            ));
        }
        options.check_read_options()?;
        let executor = options.make_executor()?;
        let (_, plan) = options.plan(Rowless(spec.clone()))?;
        let (output, store) = options.create_file(path.as_ref())?;
        Self::to_file(plan, executor, store, output)
    }
}

/// An image whose rows are pushed.
struct Rowless(ImageSpec);

impl PixelSource for Rowless {
    fn spec(&self) -> &ImageSpec {
        &self.0
    }

    fn read_rows(&mut self, first_row: u32, _: &mut crate::view::Stripe<'_>, _: &Executor) -> Result<()> {
        let what = "rows of an image whose rows are pushed";
        Err(ErrorKind::PixelCount { what, expected: u64::from(first_row), got: 0 }.into())
    }
}

impl RasterSource for Rowless {}
