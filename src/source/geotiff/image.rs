//! The meaning of an image's pixels: colors, extra samples, nodata.

use super::layout::ImageLayout;
use crate::error::{Error, Result};
use crate::sample::{Nodata, SampleKind, Value, dispatch};
use crate::spec::{ExtraSample, ImageSpec, Photometric};
use crate::tiff::Tag;
use crate::tiff::file::{Directory, TiffFile};

/// Reads the description of an image.
pub(super) fn spec(
    file: &TiffFile,
    directory: &Directory,
    layout: &ImageLayout,
    warnings: &mut Vec<String>,
) -> Result<ImageSpec> {
    let data_type = layout.format.data_type;
    let bits = layout.format.bits;
    let narrow = data_type.kind() == SampleKind::Unsigned && bits < data_type.bits();
    let mut spec = ImageSpec::new(layout.width, layout.height, layout.samples, data_type);
    spec.bits_per_sample = narrow.then_some(bits);
    spec.nodata = nodata(file, directory, warnings)?;
    spec.photometric = photometric(layout)?;
    if spec.photometric.color_bands() > spec.bands {
        warnings.push(format!(
            "photometric interpretation {:?} needs {} bands, but there are {}; the image is read as grayscale",
            spec.photometric,
            spec.photometric.color_bands(),
            spec.bands
        ));
        spec.photometric = Photometric::MinIsBlack;
    }
    if spec.photometric == Photometric::Palette {
        match color_map(file, directory, bits, spec.data_type.kind()) {
            Ok(map) => spec.color_map = map,
            Err(reason) => {
                warnings.push(format!("the palette is ignored: {reason}"));
                spec.photometric = Photometric::MinIsBlack;
            }
        }
    } else if spec.bands == 1 && directory.contains(Tag::COLOR_MAP) {
        // TIFF gives a color map no meaning here, but GDAL treats it as a palette.
        spec.color_map = color_map(file, directory, bits, spec.data_type.kind()).unwrap_or_default();
    }
    spec.extra_samples = extra_samples(file, directory, &spec)?;
    Ok(spec)
}

fn photometric(layout: &ImageLayout) -> Result<Photometric> {
    let name = match layout.photometric {
        0 => return Ok(Photometric::MinIsWhite),
        // A mask that is an image of its own is grayscale.
        1 | 4 => return Ok(Photometric::MinIsBlack),
        // YCbCr is converted during decoding.
        2 => return Ok(Photometric::Rgb),
        6 if layout.samples >= 3 => return Ok(Photometric::Rgb),
        6 => return Ok(Photometric::MinIsBlack),
        3 => return Ok(Photometric::Palette),
        5 => return Ok(Photometric::Separated),
        8 => return Ok(Photometric::CieLab),
        9 => return Ok(Photometric::IccLab),
        10 => "ITU L*a*b*",
        32803 => "color filter array",
        32844 => "LogL",
        32845 => "LogLuv",
        34892 => "linear raw",
        _ => "unknown",
    };
    Err(Error::unsupported(format!("photometric interpretation {} ({name})", layout.photometric)))
}

fn nodata(file: &TiffFile, directory: &Directory, warnings: &mut Vec<String>) -> Result<Option<Nodata>> {
    let text = directory.text(file, Tag::GDAL_NODATA)?.unwrap_or_default();
    if text.trim().is_empty() {
        return Ok(None);
    }
    let nodata = Nodata::parse(&text);
    if nodata.is_none() {
        warnings.push(format!("the nodata value '{}' is ignored: not a number", text.trim()));
    }
    Ok(nodata)
}

/// Widens samples to all bits of their type. A palette grows accordingly: entries that the file doesn't have are black.
pub(in crate::source) fn widen(spec: &mut ImageSpec) {
    let Some(bits) = spec.bits_per_sample.take() else { return };
    if spec.color_map.is_empty() {
        return;
    }
    let entries = 1usize << bits;
    let all = 1usize << spec.data_type.bits();
    let colors = std::mem::take(&mut spec.color_map);
    for color in colors.chunks(entries) {
        spec.color_map.extend_from_slice(color);
        spec.color_map.resize(spec.color_map.len() + all - color.len(), 0);
    }
}

/// Returns one sample for chunks that are not stored: nodata if the type can hold it, otherwise 0.
pub(super) fn fill_sample(spec: &ImageSpec) -> Vec<u8> {
    dispatch!(spec.data_type, T => {
        let value = spec.nodata_in_range().as_ref().and_then(<T as Value>::from_nodata).unwrap_or(<T as Value>::ZERO);
        bytemuck::bytes_of(&value).to_vec()
    })
}

fn color_map(
    file: &TiffFile,
    directory: &Directory,
    bits: u16,
    kind: SampleKind,
) -> std::result::Result<Vec<u16>, String> {
    if kind != SampleKind::Unsigned || bits > 16 {
        return Err(format!("samples of this type ({bits} bits) cannot be palette indices"));
    }
    let values = directory.integers(file, Tag::COLOR_MAP).map_err(|error| error.to_string())?;
    let values = values.ok_or("there is no ColorMap")?;
    let expected = 3usize << bits;
    let values = values.get(..expected).ok_or(format!("ColorMap has {} of {expected} values", values.len()))?;
    let map: Vec<u16> = values.iter().map(|value| u16::try_from(*value).unwrap_or(u16::MAX)).collect();
    // Some software writes 8-bit colors; GDAL and libtiff scale such a map.
    if map.iter().all(|value| *value < 256) && map.iter().any(|value| *value > 0) {
        return Ok(map.into_iter().map(|value| value * 257).collect());
    }
    Ok(map)
}

fn extra_samples(file: &TiffFile, directory: &Directory, spec: &ImageSpec) -> Result<Vec<ExtraSample>> {
    let extra = spec.bands.saturating_sub(spec.photometric.color_bands());
    let values = directory.integers(file, Tag::EXTRA_SAMPLES)?.unwrap_or_default();
    // If there are too many or too few, the last one belongs to the last band, as in GDAL.
    let missing = usize::from(extra).saturating_sub(values.len());
    let values = values.get(values.len().saturating_sub(extra.into())..).unwrap_or(&[]);
    let missing = if values.is_empty() { 0 } else { missing };
    let meaning = |value: &u64| match value {
        1 => ExtraSample::AssociatedAlpha,
        // Corel Draw writes 999; libtiff reads it like this.
        2 | 999 => ExtraSample::UnassociatedAlpha,
        _ => ExtraSample::Unspecified,
    };
    Ok(std::iter::repeat_n(ExtraSample::Unspecified, missing).chain(values.iter().map(meaning)).collect())
}
