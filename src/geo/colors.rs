//! Color interpretation of bands. Where it was set, photometric interpretation, extra samples, and GDAL's items follow
//! from it, as in GDAL's own writer.

use crate::error::{Error, OptionField, Result};
use crate::sample::DataType;
use crate::spec::{ExtraSample, ImageSpec, Photometric};

use super::{ColorInterpretation, Metadata, MetadataItem};

/// Applies the color interpretations that were set; other bands keep theirs.
pub(crate) fn settle(spec: &mut ImageSpec, metadata: &mut Metadata) -> Result<()> {
    let bands = usize::from(spec.bands);
    if usize::from(metadata.bands_named) > bands {
        return Err(Error::image(format!(
            "the metadata describes band {}, but there are only {bands}",
            metadata.bands_named
        )));
    }
    if metadata.colors.is_empty() {
        return Ok(());
    }
    let mut wanted = stored(spec, metadata);
    for (band, color) in std::mem::take(&mut metadata.colors) {
        wanted[usize::from(band)] = color;
    }
    let refuse = |reason: &str| Err(Error::option(OptionField::ColorInterpretation, reason));
    let palette = wanted.iter().position(|color| *color == ColorInterpretation::Palette);
    if spec.has_color_map() != (palette == Some(0)) || wanted.iter().skip(1).any(|c| *c == ColorInterpretation::Palette)
    {
        return refuse("the first band must be palette if there is a color table, and no band otherwise");
    }
    let is_rgb = wanted.starts_with(&[ColorInterpretation::Red, ColorInterpretation::Green, ColorInterpretation::Blue]);
    spec.photometric = match (is_rgb, spec.photometric) {
        (true, Photometric::MinIsBlack) if matches!(spec.data_type, DataType::U8 | DataType::U16) => Photometric::Rgb,
        (false, Photometric::Rgb) => Photometric::MinIsBlack,
        (_, photometric) => photometric,
    };
    let colors = usize::from(spec.photometric.color_bands()).min(bands);
    let alpha: Vec<usize> = (0..bands).filter(|&band| wanted[band] == ColorInterpretation::Alpha).collect();
    if alpha.len() > 1 || alpha.first().is_some_and(|&band| band < colors) {
        return refuse("only one band can be alpha, and it must follow the first band or the color bands");
    }
    let known = spec.tagged_alpha();
    spec.extra_samples = (colors..bands)
        .map(|band| match (alpha.contains(&band), known) {
            (false, _) => ExtraSample::Unspecified,
            (true, Some((same, kind))) if same == band => kind,
            (true, _) => ExtraSample::UnassociatedAlpha,
        })
        .collect();
    metadata.items.retain(|item| item.role.as_deref() != Some("colorinterp"));
    if implied(spec) != wanted {
        for (band, color) in (0..).zip(wanted) {
            metadata.put_color(band, color);
        }
    }
    Ok(())
}

/// Returns the color interpretation of every band: the one that was set, else that of the items, else GDAL's default.
pub(crate) fn of(spec: &ImageSpec, metadata: &Metadata) -> Vec<ColorInterpretation> {
    let mut colors = stored(spec, metadata);
    for (band, color) in &metadata.colors {
        if let Some(own) = colors.get_mut(usize::from(*band)) {
            *own = *color;
        }
    }
    colors
}

/// Returns the color interpretation of every band without those that were set.
fn stored(spec: &ImageSpec, metadata: &Metadata) -> Vec<ColorInterpretation> {
    let mut colors = implied(spec);
    for item in metadata.items.iter().filter(|item| item.role.as_deref() == Some("colorinterp")) {
        let band = item.sample.and_then(|band| usize::try_from(band).ok());
        let Some(color) = band.and_then(|band| colors.get_mut(band)) else { continue };
        *color = ColorInterpretation::parse(item.value.trim()).unwrap_or(*color);
    }
    colors
}

/// Returns GDAL's default color interpretations, which apply where no item sets one.
fn implied(spec: &ImageSpec) -> Vec<ColorInterpretation> {
    use ColorInterpretation::{Alpha, Black, Blue, Cyan, Gray, Green, Magenta, Palette, Red, Undefined, Yellow};
    let colors: &[_] = match spec.photometric {
        _ if spec.has_color_map() => &[Palette],
        Photometric::Palette => &[Palette],
        Photometric::MinIsWhite | Photometric::MinIsBlack => &[Gray],
        Photometric::Rgb => &[Red, Green, Blue],
        Photometric::Separated => &[Cyan, Magenta, Yellow, Black],
        Photometric::CieLab | Photometric::IccLab => &[Undefined; 3],
    };
    let extra = spec.all_extra_samples().into_iter().map(|extra| match extra {
        ExtraSample::Unspecified => Undefined,
        ExtraSample::AssociatedAlpha | ExtraSample::UnassociatedAlpha => Alpha,
    });
    colors.iter().copied().chain(extra).collect()
}

impl Metadata {
    /// Adds the item of a band's color interpretation after the other items of the band.
    fn put_color(&mut self, band: u32, color: ColorInterpretation) {
        let item = MetadataItem {
            name: "COLORINTERP".to_owned(),
            domain: None,
            sample: Some(band),
            role: Some("colorinterp".to_owned()),
            value: color.name().to_owned(),
        };
        let place = self.items.iter().rposition(|other| other.sample <= item.sample).map_or(0, |place| place + 1);
        self.items.insert(place, item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ColorInterpretation::{Alpha, Blue, Gray, Green, Nir, Palette, Red, Undefined};

    fn settled(spec: &ImageSpec, colors: &[ColorInterpretation]) -> Result<(ImageSpec, Vec<String>)> {
        let (mut spec, mut metadata) = (spec.clone(), Metadata::default());
        (0..).zip(colors).for_each(|(band, color)| metadata.set_color_interpretation(band, *color));
        settle(&mut spec, &mut metadata)?;
        Ok((spec, metadata.items.into_iter().map(|item| item.value).collect()))
    }

    #[test]
    fn tags_follow_what_bands_are_said_to_be() {
        let spec = ImageSpec { photometric: Photometric::MinIsBlack, ..ImageSpec::new(1, 1, 4, DataType::U8) };
        let spec = ImageSpec { extra_samples: Vec::new(), ..spec };
        let (rgba, items) = settled(&spec, &[Red, Green, Blue, Alpha]).unwrap();
        assert_eq!((rgba.photometric, rgba.extra_samples), (Photometric::Rgb, vec![ExtraSample::UnassociatedAlpha]));
        assert!(items.is_empty(), "the tags say it all");
        let (nir, items) = settled(&ImageSpec::new(1, 1, 3, DataType::U16), &[Nir, Green, Alpha]).unwrap();
        assert_eq!(nir.photometric, Photometric::MinIsBlack);
        assert_eq!(nir.extra_samples, [ExtraSample::Unspecified, ExtraSample::UnassociatedAlpha]);
        assert_eq!(items, ["NIR", "Green", "Alpha"]);
        let (floats, items) = settled(&ImageSpec::new(1, 1, 3, DataType::F32), &[Red, Green, Blue]).unwrap();
        assert_eq!((floats.photometric, items.len()), (Photometric::MinIsBlack, 3), "RGB of floats has no tag in GDAL");
        let (gray, items) = settled(&ImageSpec::new(1, 1, 3, DataType::U8), &[Gray, Undefined, Undefined]).unwrap();
        assert_eq!((gray.photometric, items.len()), (Photometric::MinIsBlack, 0));
    }

    #[test]
    fn bands_that_are_not_named_keep_their_items() {
        let (mut spec, mut metadata) = (ImageSpec::new(1, 1, 2, DataType::U16), Metadata::default());
        metadata.put_color(1, Nir);
        metadata.set_color_interpretation(0, Red);
        settle(&mut spec, &mut metadata).unwrap();
        let said: Vec<_> = metadata.items.iter().map(|item| (item.sample, item.value.as_str())).collect();
        assert_eq!(said, [(Some(0), "Red"), (Some(1), "NIR")]);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let spec = ImageSpec::new(1, 1, 2, DataType::U8);
        for colors in [&[Alpha, Gray][..], &[Palette], &[Gray, Palette], &[Gray, Undefined, Alpha]] {
            assert!(settled(&spec, colors).is_err(), "{colors:?}");
        }
        assert!(settled(&ImageSpec::new(1, 1, 3, DataType::F32), &[Gray, Alpha, Alpha]).is_err());
    }
}
