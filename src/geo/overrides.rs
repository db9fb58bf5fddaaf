//! Georeferencing and metadata set by the caller that replace those of a raster.

use std::ops::Range;

use crate::error::{Error, OptionField, Result};

use super::metadata::{TEXTS, check_offset, check_scale};
use super::points::tiepoints;
use super::{Bounds, ColorInterpretation, Gcp, GeoKeys, GeoRef, Metadata, PixelIs, Transform};

/// Georeferencing and metadata that replace those of a raster. Pixels are unchanged. By default nothing is replaced.
///
/// ```
/// use cogsmith::{BandValue, GeoRef, Metadata, Overrides};
/// let overrides = Overrides::new().scale([BandValue { band: None, value: 0.0001 }]);
/// let mut metadata = Metadata::default();
/// overrides.apply(GeoRef::default(), &mut metadata, (512, 512), 3)?;
/// assert_eq!(metadata.scale(2), 0.0001);
/// # Ok::<(), cogsmith::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct Overrides {
    /// Transform; contradicts `bounds` and `gcps`.
    pub transform: Option<Transform>,
    /// Outer edges of the image; contradicts `transform` and `gcps`.
    pub bounds: Option<Bounds>,
    /// Ground control points; contradicts `transform` and `bounds`.
    pub gcps: Vec<Gcp>,
    /// Raster type; the raster does not move.
    pub pixel_is: Option<PixelIs>,
    /// Remove all metadata except what affects the meaning of pixels; see [`Metadata::strip`].
    pub strip_metadata: bool,
    /// Remove the statistics of bands (`STATISTICS_…`).
    pub strip_statistics: bool,
    /// Band descriptions, which are the names of bands; an empty text removes one.
    pub description: Vec<BandValue<String>>,
    /// Scale factors.
    pub scale: Vec<BandValue<f64>>,
    /// Offsets.
    pub offset: Vec<BandValue<f64>>,
    /// Units; an empty text removes one.
    pub unit: Vec<BandValue<String>>,
    /// Color interpretations: empty, or one per band.
    pub color_interpretation: Vec<ColorInterpretation>,
    /// Metadata items, set after everything else.
    pub items: Vec<MetadataOverride>,
}

/// A value for one band or for all bands.
#[derive(Debug, Clone, PartialEq)]
pub struct BandValue<T> {
    /// The band, counted from 0; `None` for all bands.
    pub band: Option<u16>,
    /// The value.
    pub value: T,
}

/// A metadata item to set.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MetadataOverride {
    /// The domain; `None` for the default domain, where the names in [`TEXTS`] set tags of their own.
    pub domain: Option<String>,
    /// The name.
    pub name: String,
    /// The text.
    pub value: String,
}

impl MetadataOverride {
    /// Returns an item of the default domain.
    #[must_use]
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { domain: None, name: name.into(), value: value.into() }
    }

    /// Sets the domain. Default (`None`): the default domain.
    #[must_use]
    pub fn domain(mut self, domain: impl Into<Option<String>>) -> Self {
        self.domain = domain.into();
        self
    }
}

/// Each method sets one field and returns the overrides, so that they can be chained.
impl Overrides {
    /// Returns overrides that replace nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Replaces the transform.
    pub fn transform(mut self, transform: impl Into<Option<Transform>>) -> Self {
        self.transform = transform.into();
        self
    }

    /// Replaces the transform by the outer edges of the image.
    pub fn bounds(mut self, bounds: impl Into<Option<Bounds>>) -> Self {
        self.bounds = bounds.into();
        self
    }

    /// Replaces the transform by ground control points.
    pub fn gcps(mut self, gcps: impl Into<Vec<Gcp>>) -> Self {
        self.gcps = gcps.into();
        self
    }

    /// Sets the raster type; the raster does not move.
    pub fn pixel_is(mut self, pixel_is: impl Into<Option<PixelIs>>) -> Self {
        self.pixel_is = pixel_is.into();
        self
    }

    /// Sets whether all metadata is removed first, except what affects the meaning of pixels. Default: `false`.
    pub fn strip_metadata(mut self, strip_metadata: bool) -> Self {
        self.strip_metadata = strip_metadata;
        self
    }

    /// Removes the statistics of bands.
    pub fn strip_statistics(mut self, strip_statistics: bool) -> Self {
        self.strip_statistics = strip_statistics;
        self
    }

    /// Sets band descriptions.
    pub fn description(mut self, description: impl Into<Vec<BandValue<String>>>) -> Self {
        self.description = description.into();
        self
    }

    /// Sets scale factors.
    pub fn scale(mut self, scale: impl Into<Vec<BandValue<f64>>>) -> Self {
        self.scale = scale.into();
        self
    }

    /// Sets offsets.
    pub fn offset(mut self, offset: impl Into<Vec<BandValue<f64>>>) -> Self {
        self.offset = offset.into();
        self
    }

    /// Sets units.
    pub fn unit(mut self, unit: impl Into<Vec<BandValue<String>>>) -> Self {
        self.unit = unit.into();
        self
    }

    /// Sets the color interpretation of every band.
    pub fn color_interpretation(mut self, color_interpretation: impl Into<Vec<ColorInterpretation>>) -> Self {
        self.color_interpretation = color_interpretation.into();
        self
    }

    /// Sets metadata items, after everything else.
    pub fn items(mut self, items: impl Into<Vec<MetadataOverride>>) -> Self {
        self.items = items.into();
        self
    }
}

impl Overrides {
    /// Checks what can be checked without a raster.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidOption`](crate::ErrorKind::InvalidOption) for overrides that contradict each other, for a
    /// band or an item that is set twice, and for bounds, ground control points, scale factors, and offsets that are out
    /// of range.
    pub fn check(&self) -> Result<()> {
        let placements = [
            (self.transform.is_some(), OptionField::Transform),
            (self.bounds.is_some(), OptionField::Bounds),
            (!self.gcps.is_empty(), OptionField::Gcps),
        ];
        let mut placements = placements.into_iter().filter_map(|(is_set, option)| is_set.then_some(option));
        if let (Some(first), Some(second)) = (placements.next(), placements.next()) {
            return Err(Error::conflict(first, second, "each places all pixels; give one of them"));
        }
        check_bands(OptionField::Description, &self.description)?;
        check_bands(OptionField::Scale, &self.scale)?;
        check_bands(OptionField::Offset, &self.offset)?;
        check_bands(OptionField::Unit, &self.unit)?;
        if let Some(bounds) = &self.bounds {
            // The size of the image does not matter to the order of the edges.
            Transform::from_bounds(bounds, 1, 1)?;
        }
        if !self.gcps.is_empty() {
            tiepoints(&self.gcps, 0.0)?;
        }
        self.scale.iter().try_for_each(|one| check_scale(one.value))?;
        self.offset.iter().try_for_each(|one| check_offset(one.value))?;
        for (index, item) in self.items.iter().enumerate() {
            if self.items[..index].iter().any(|other| other.name == item.name && other.domain == item.domain) {
                return Err(Error::option(OptionField::Metadata, format!("{} is set twice; set it once", item.name)));
            }
        }
        Ok(())
    }

    /// Applies the overrides to the georeferencing and metadata of a raster of this size with `bands` bands. Returns
    /// the new georeferencing, which also includes scale and offset if samples are heights.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidOption`](crate::ErrorKind::InvalidOption) as with [`check`](Self::check), for a band that
    /// the raster does not have, and if the number of color interpretations differs from the number of bands; also the
    /// errors of the setters of [`GeoRef`] and [`Metadata`].
    pub fn apply(
        &self,
        geo: GeoRef,
        metadata: &mut Metadata,
        (width, height): (u32, u32),
        bands: u16,
    ) -> Result<GeoRef> {
        self.check()?;
        let geo = self.apply_placement(geo, (width, height))?;
        if self.strip_statistics {
            metadata.drop_statistics();
        }
        if self.strip_metadata {
            metadata.strip();
        }
        for one in &self.description {
            one.bands(bands, OptionField::Description)?
                .try_for_each(|band| metadata.set_description(band, &one.value))?;
        }
        for one in &self.scale {
            one.bands(bands, OptionField::Scale)?.try_for_each(|band| metadata.set_scale(band, one.value))?;
        }
        for one in &self.offset {
            one.bands(bands, OptionField::Offset)?.try_for_each(|band| metadata.set_offset(band, one.value))?;
        }
        for one in &self.unit {
            one.bands(bands, OptionField::Unit)?.try_for_each(|band| metadata.set_unit(band, &one.value))?;
        }
        let colors = &self.color_interpretation;
        if !colors.is_empty() && colors.len() != usize::from(bands) {
            let reason = format!("{} for {bands} bands; give one for each", colors.len());
            return Err(Error::option(OptionField::ColorInterpretation, reason));
        }
        (0..bands).zip(colors).for_each(|(band, color)| metadata.set_color_interpretation(band, *color));
        for MetadataOverride { domain, name, value } in &self.items {
            let text = TEXTS.iter().find(|(text, _)| text.eq_ignore_ascii_case(name));
            match text.filter(|_| domain.is_none()) {
                Some((_, tag)) => metadata.set_text(*tag, value)?,
                None => metadata.set_item(domain.as_deref(), name, value)?,
            }
        }
        let is_scaled = !(self.scale.is_empty() && self.offset.is_empty());
        if is_scaled && bands == 1 && geo.transform().is_some() && geo.keys().is_some_and(GeoKeys::is_vertical) {
            // GDAL reads the scale and offset of heights from the georeferencing.
            return geo.with_vertical_scale(metadata.scale(0), metadata.offset(0));
        }
        Ok(geo)
    }

    fn apply_placement(&self, mut geo: GeoRef, (width, height): (u32, u32)) -> Result<GeoRef> {
        if let Some(transform) = self.transform {
            geo = geo.with_transform(transform);
        }
        if let Some(bounds) = &self.bounds {
            geo = geo.with_bounds(bounds, width, height)?;
        }
        if !self.gcps.is_empty() {
            geo = geo.with_gcps(&self.gcps)?;
        }
        Ok(match self.pixel_is {
            Some(pixel_is) => geo.with_pixel_is(pixel_is),
            None => geo,
        })
    }
}

impl<T> BandValue<T> {
    /// Returns the bands that are meant, counted from 0.
    fn bands(&self, count: u16, option: OptionField) -> Result<Range<u16>> {
        match self.band {
            None => Ok(0..count),
            Some(band) if band < count => Ok(band..band + 1),
            Some(band) => {
                let number = u32::from(band) + 1;
                Err(Error::option(option, format!("there is no band {number}; the output has {count}")))
            }
        }
    }
}

/// Rejects a band that is set twice, and a band along with all bands.
fn check_bands<T>(option: OptionField, values: &[BandValue<T>]) -> Result<()> {
    if values.len() > 1 && values.iter().any(|value| value.band.is_none()) {
        let reason = "a value for all bands contradicts one for a band; give the band of each";
        return Err(Error::option(option, reason));
    }
    let twice =
        values.iter().enumerate().find(|(index, value)| values[..*index].iter().any(|other| other.band == value.band));
    match twice.and_then(|(_, value)| value.band) {
        Some(band) => {
            Err(Error::option(option, format!("is given twice for band {}; give it once", u32::from(band) + 1)))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geo::Crs;

    fn applied(overrides: &Overrides, bands: u16) -> Result<(GeoRef, Metadata)> {
        let mut metadata = Metadata::default();
        let geo = GeoRef::default().with_crs(&Crs::parse("EPSG:32633+5773")?)?;
        let geo = overrides.apply(geo, &mut metadata, (10, 20), bands)?;
        Ok((geo, metadata))
    }

    fn refusal(overrides: &Overrides, bands: u16) -> String {
        applied(overrides, bands).unwrap_err().to_string()
    }

    fn of_band<T>(band: u16, value: T) -> BandValue<T> {
        BandValue { band: Some(band), value }
    }

    #[test]
    fn contradictions_and_bands_that_are_not_there_are_refused() {
        let bounds = Some(Bounds { left: 0.0, bottom: 0.0, right: 10.0, top: 20.0 });
        let transform = Transform::from_gdal([0.0, 1.0, 0.0, 0.0, 0.0, -1.0]).ok();
        let two = refusal(&Overrides { transform, bounds, ..Overrides::default() }, 1);
        assert!(two.contains("'transform' contradicts 'bounds'"), "{two}");
        let scale = vec![of_band(1, 2.0), of_band(1, 3.0)];
        assert!(refusal(&Overrides { scale, ..Overrides::default() }, 2).contains("twice for band 2"));
        let unit = vec![BandValue { band: None, value: "m".into() }, of_band(0, "km".into())];
        assert!(refusal(&Overrides { unit, ..Overrides::default() }, 2).contains("all bands"));
        let description = vec![of_band(2, "red".into())];
        assert!(refusal(&Overrides { description, ..Overrides::default() }, 2).contains("no band 3"));
        let color_interpretation = vec![ColorInterpretation::Red];
        assert!(refusal(&Overrides { color_interpretation, ..Overrides::default() }, 2).contains("1 for 2 bands"));
        let nowhere = Some(Bounds { left: 1.0, bottom: 0.0, right: 0.0, top: 1.0 });
        let early = |overrides: Overrides| overrides.check().unwrap_err().to_string();
        assert!(early(Overrides { bounds: nowhere, ..Overrides::default() }).contains("left must be less than right"));
        let gcps = vec![Gcp { column: f64::NAN, row: 0.0, x: 0.0, y: 0.0, z: 0.0 }];
        assert!(early(Overrides { gcps, ..Overrides::default() }).contains("'gcps': point 1"));
        assert!(early(Overrides { scale: vec![of_band(0, 0.0)], ..Overrides::default() }).contains("nonzero, got 0"));
        let offset = vec![of_band(0, f64::INFINITY)];
        assert!(early(Overrides { offset, ..Overrides::default() }).contains("'offset': must be finite"));
        let item = MetadataOverride { domain: None, name: "A".into(), value: "1".into() };
        assert!(
            refusal(&Overrides { items: vec![item.clone(), item], ..Overrides::default() }, 1)
                .contains("A is set twice")
        );
    }

    #[test]
    fn scales_of_heights_are_part_of_the_georeference() {
        let bounds = Some(Bounds { left: 0.0, bottom: 0.0, right: 10.0, top: 20.0 });
        let scale = vec![BandValue { band: None, value: 0.5 }];
        let overrides = Overrides { bounds, scale, ..Overrides::default() };
        let (scaled, metadata) = applied(&overrides, 1).unwrap();
        let (plain, _) = applied(&Overrides { scale: Vec::new(), ..overrides.clone() }, 1).unwrap();
        assert_eq!(metadata.scale(0), 0.5);
        assert_ne!(scaled, plain);
        // Not with several bands, since they have no common scale.
        assert_eq!(applied(&overrides, 2).unwrap().0, plain);
    }
}
