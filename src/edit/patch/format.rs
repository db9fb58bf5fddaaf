//! The plan of a file, from its header: codec, predictor, tiles, levels, and the kernel of its overviews.

use crate::error::{Error, OptionField, Result};
use crate::geo::{GeoRef, Metadata};
use crate::grid::TileSize;
use crate::options::{Compression, EncodeOptions, Overviews, Predictor, Resampling};
use crate::plan::CogPlan;
use crate::source::geotiff::metadata_items;
use crate::spec::ImageSpec;
use crate::tiff::stored::StoredImage;
use crate::tiff::{Tag, TagValue};

use super::super::pyramid::{Pyramid, StoredLevel};

/// The remedy for files whose tiles are not those that this library makes.
const CREATE: &str = "write the whole file with 'create', or 'mosaic' for several inputs";
/// DEFLATE before Adobe's code was registered; the tiles are the same.
const OLD_DEFLATE: u64 = 32946;

/// The options that a file was made with, as far as its header says.
pub(super) struct Format {
    spec: ImageSpec,
    options: EncodeOptions,
}

impl Format {
    /// Reads the options from the header. `spec` describes the image.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) for lossy codecs, and tiles that this library does not write;
    /// [`ErrorKind::InvalidOption`](crate::ErrorKind::InvalidOption) if the kernel is unknown, or not that of the file.
    pub(super) fn read(pyramid: &Pyramid, spec: &ImageSpec, resampling: &[Resampling]) -> Result<Self> {
        let [full, overviews @ ..] = pyramid.levels.as_slice() else {
            return Err(Error::corrupt("file header", "there is no image"));
        };
        let mut spec = spec.clone().overviews([]);
        spec.mask = pyramid.grid.mask;
        pyramid.levels.iter().filter_map(|level| level.mask.as_ref()).try_for_each(check_mask)?;
        let sizes = overviews.iter().map(|one| (one.level.width, one.level.height)).collect();
        let (tile_size, compression, predictor) = tiles(full)?;
        check_samples(&full.image, &spec)?;
        let mut options = EncodeOptions::new()
            .tile_size(tile_size)
            .compression(compression)
            .predictor(predictor)
            .interleave(pyramid.grid.interleave)
            .overviews(if overviews.is_empty() { Overviews::None } else { Overviews::Finished(sizes) });
        if let Some(first) = overviews.first() {
            let of_first = tiles(first)?;
            for other in overviews {
                if tiles(other)? != of_first {
                    return Err(refused(format!("overviews with different codecs or tile sizes; {CREATE}")));
                }
            }
            let (tile_size, compression, predictor) = of_first;
            options.overview_tile_size = Some(tile_size);
            options.overview_compression = Some(compression);
            options.overview_predictor = compression.codec().takes_predictor.then_some(predictor);
            (options.resampling, options.band_resampling) = match kernels(&full.image, resampling)?.as_slice() {
                [one] => (Some(*one), Vec::new()),
                all => (None, all.to_vec()),
            };
        } else if !resampling.is_empty() {
            let reason = "has no effect, since the file has no overviews; leave it out";
            return Err(Error::option(OptionField::Resampling, reason));
        }
        Ok(Self { spec, options })
    }

    /// Returns the codec of full resolution, and that of the overviews if there are any.
    pub(super) fn codecs(&self) -> (Compression, Option<Compression>) {
        (self.options.compression, self.options.overview_compression)
    }

    /// Returns the plan with these codecs.
    pub(super) fn plan(&self, compression: Compression, overviews: Option<Compression>) -> Result<CogPlan> {
        let options = self.options.clone().compression(compression).overview_compression(overviews);
        CogPlan::new(&self.spec, &GeoRef::default(), &Metadata::default(), &options)
    }
}

/// Checks that samples have the width of their type, or that of the description, and are not stored as other colors.
fn check_samples(image: &StoredImage, spec: &ImageSpec) -> Result<()> {
    let bits = image.number(Tag::BITS_PER_SAMPLE).unwrap_or(1);
    if bits != u64::from(spec.bits()) {
        return Err(refused(format!("{bits}-bit samples of this type; {CREATE}")));
    }
    if image.number(Tag::PHOTOMETRIC_INTERPRETATION) == Some(6) {
        return Err(refused(format!("colors that are stored as YCbCr; {CREATE}")));
    }
    Ok(())
}

/// Checks that a mask has one bit per pixel and DEFLATE.
fn check_mask(mask: &StoredImage) -> Result<()> {
    let number = |tag| mask.number(tag).unwrap_or(1);
    let codec = number(Tag::COMPRESSION);
    if number(Tag::BITS_PER_SAMPLE) != 1 || !matches!(codec, 8 | OLD_DEFLATE) || number(Tag::PREDICTOR) != 1 {
        return Err(refused(format!("a mask that is not one bit per pixel in DEFLATE; {CREATE}")));
    }
    Ok(())
}

/// Returns tile size, codec, and predictor of a level.
fn tiles(level: &StoredLevel) -> Result<(TileSize, Compression, Predictor)> {
    let compression = compression(&level.image)?;
    let predictor = match level.image.number(Tag::PREDICTOR).unwrap_or(1) {
        _ if !compression.codec().takes_predictor => Predictor::None,
        1 => Predictor::None,
        2 => Predictor::Horizontal,
        3 => Predictor::FloatingPoint,
        other => return Err(refused(format!("predictor {other}; {CREATE}"))),
    };
    Ok((level.level.tile_size, compression, predictor))
}

/// Returns the codec of an image, with the default values of its parameters, and without loss.
fn compression(image: &StoredImage) -> Result<Compression> {
    let code = image.number(Tag::COMPRESSION).unwrap_or(1);
    let compression = match code {
        OLD_DEFLATE => Compression::DEFLATE,
        50001 => Compression::WEBP_LOSSLESS,
        34887 => match image.tags.get(&Tag::LERC_PARAMETERS) {
            Some(TagValue::Long(parameters)) => match parameters.get(1) {
                None | Some(0) => Compression::LERC,
                Some(1) => Compression::LERC_DEFLATE,
                Some(2) => Compression::LERC_ZSTD,
                Some(other) => return Err(refused(format!("LERC with compression {other}; {CREATE}"))),
            },
            _ => Compression::LERC,
        },
        code => {
            let known = Compression::ALL.iter().find(|known| u64::from(known.code()) == code);
            *known.ok_or_else(|| refused(format!("compression {code}; {CREATE}")))?
        }
    };
    if !compression.codec().lossless && code != 34887 {
        return Err(lossy(compression));
    }
    compression.check_available()?;
    Ok(compression)
}

/// Returns the kernel of the overviews: the one that the metadata name, or the one that was given.
fn kernels(full: &StoredImage, given: &[Resampling]) -> Result<Vec<Resampling>> {
    let Some(named) = named_kernels(full) else {
        if given.is_empty() {
            let names: Vec<_> = Resampling::names().collect();
            let reason = format!(
                "the metadata of the file do not say how its overviews were computed; name the kernel ({})",
                names.join(", ")
            );
            return Err(Error::option(OptionField::Resampling, reason));
        }
        return Ok(given.to_vec());
    };
    let parsed: Option<Vec<Resampling>> =
        named.split(',').map(|name| name.trim().replace('_', "").parse().ok()).collect();
    match parsed {
        Some(known) if given.is_empty() || given == known || given.iter().all(|one| [*one] == *known) => Ok(known),
        Some(_) => {
            let named = named.to_ascii_lowercase();
            let reason = format!("the overviews of the file were computed by {named}; leave the option out");
            Err(Error::option(OptionField::Resampling, reason))
        }
        None if given.is_empty() => Err(refused(format!("overviews that were computed by {named}; {CREATE}"))),
        None => Ok(given.to_vec()),
    }
}

/// Returns the names of the kernels in the metadata of GDAL's COG driver and of this library, or of rio-cogeo, whose names are
/// rasterio's (`CUBIC_SPLINE`).
fn named_kernels(full: &StoredImage) -> Option<String> {
    let Some(TagValue::Ascii(text)) = full.tags.get(&Tag::GDAL_METADATA) else { return None };
    let items = metadata_items(&String::from_utf8_lossy(text)).ok()?;
    let named = |domain: Option<&str>, name: &str| {
        let item = items.iter().find(|item| {
            item.domain.as_deref() == domain && item.sample.is_none() && item.name.eq_ignore_ascii_case(name)
        });
        item.map(|item| item.text().trim().to_owned())
    };
    named(Some("IMAGE_STRUCTURE"), "OVERVIEW_RESAMPLING")
        .or_else(|| named(None, "OVERVIEW_RESAMPLING"))
        .or_else(|| named(None, "OVR_RESAMPLING_ALG"))
}

/// Returns the error for a codec that loses something.
pub(super) fn lossy(compression: Compression) -> Error {
    refused(format!(
        "lossy {}, since pixels around the update would change again; write the whole file from its lossless source with \
         'create', or 'mosaic' for several inputs",
        compression.name().to_uppercase()
    ))
}

fn refused(feature: String) -> Error {
    Error::unsupported(format!("patching a file with {feature}"))
}
