//! Options that say what the raster is about.

use clap::Args;
use cogsmith::{ColorInterpretation, Error, GeoRef, ImageSpec, Metadata};

/// Heading of these options in the help.
const HEADING: &str = "Metadata";

/// What is said about the raster, beside or in place of what the input says.
#[derive(Debug, Args)]
pub(crate) struct DescribeArguments {
    /// Name of a band, first = 1; once for each band, no text: no name
    #[arg(long, value_name = "BAND=TEXT", value_parser = description, help_heading = HEADING)]
    band_description: Vec<ForBand<String>>,

    /// By what samples are multiplied to become quantities, of a band or of all; pixels stay as they are
    #[arg(long, value_name = "[BAND=]NUMBER", value_parser = scale, allow_hyphen_values = true, help_heading = HEADING)]
    scale: Vec<ForBand<f64>>,

    /// What is added to samples once they are multiplied, of a band or of all; pixels stay as they are
    #[arg(long, value_name = "[BAND=]NUMBER", value_parser = offset, allow_hyphen_values = true, help_heading = HEADING)]
    offset: Vec<ForBand<f64>>,

    /// Unit of the quantities, of a band or of all; no text: no unit
    #[arg(long, value_name = "[BAND=]TEXT", value_parser = unit, help_heading = HEADING)]
    unit: Vec<ForBand<String>>,

    /// What bands are shown as, one for each band, such as red,green,blue,alpha or nir,red,green
    #[arg(long, value_name = "COLOR,…", value_parser = color, value_delimiter = ',', help_heading = HEADING)]
    color_interpretation: Vec<ColorInterpretation>,

    /// Compute statistics of every band in the same pass: minimum, maximum, mean, standard deviation, valid percent
    #[arg(long, help_heading = HEADING)]
    pub(crate) stats: bool,

    /// An item of metadata, in a domain if one is given; TIFFTAG_SOFTWARE and its like set texts of tags
    #[arg(long, value_name = "[DOMAIN:]KEY=VALUE", value_parser = item, help_heading = HEADING)]
    metadata: Vec<Item>,

    /// Leave out the input's metadata but for what pixels mean: scale, offset, unit, names and colours of bands
    #[arg(long, help_heading = HEADING)]
    strip_metadata: bool,
}

/// A value for one band, counted from 1, or for all.
#[derive(Debug, Clone)]
struct ForBand<T> {
    band: Option<u16>,
    value: T,
}

/// The value of `--metadata`.
#[derive(Debug, Clone)]
struct Item {
    domain: Option<String>,
    key: String,
    value: String,
}

impl DescribeArguments {
    /// Refuses options that contradict each other.
    pub(crate) fn check(&self) -> Result<(), String> {
        once("--band-description", self.band_description.iter().map(|one| one.band))?;
        once("--scale", self.scale.iter().map(|one| one.band))?;
        once("--offset", self.offset.iter().map(|one| one.band))?;
        once("--unit", self.unit.iter().map(|one| one.band))?;
        for (index, item) in self.metadata.iter().enumerate() {
            if self.metadata[..index].iter().any(|other| other.key == item.key && other.domain == item.domain) {
                return Err(format!("--metadata {} is given twice; give it once", item.key));
            }
        }
        Ok(())
    }

    /// The metadata of the output, and heights of a vertical CRS, which GDAL takes from the georeferencing.
    pub(crate) fn apply(&self, metadata: &mut Metadata, geo: GeoRef, spec: &ImageSpec) -> Result<GeoRef, Error> {
        if self.strip_metadata {
            metadata.strip();
        }
        for ForBand { band, value } in &self.band_description {
            bands(*band, spec, "band-description")?.try_for_each(|band| metadata.set_description(band, value))?;
        }
        for ForBand { band, value } in &self.scale {
            bands(*band, spec, "scale")?.try_for_each(|band| metadata.set_scale(band, *value))?;
        }
        for ForBand { band, value } in &self.offset {
            bands(*band, spec, "offset")?.try_for_each(|band| metadata.set_offset(band, *value))?;
        }
        for ForBand { band, value } in &self.unit {
            bands(*band, spec, "unit")?.try_for_each(|band| metadata.set_unit(band, value))?;
        }
        if !self.color_interpretation.is_empty() {
            let (given, wanted) = (self.color_interpretation.len(), usize::from(spec.bands));
            if given != wanted {
                let reason = format!("{given} for {wanted} bands; give one for each");
                return Err(refused("color-interpretation", reason));
            }
            (0..).zip(&self.color_interpretation).for_each(|(band, c)| metadata.set_color_interpretation(band, *c));
        }
        for Item { domain, key, value } in &self.metadata {
            let text = cogsmith::geo::metadata::TEXTS.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(key));
            match text.filter(|_| domain.is_none()) {
                Some((_, tag)) => metadata.set_text(tag, value)?,
                None => metadata.set_item(domain.as_deref(), key, value)?,
            }
        }
        let said = !(self.scale.is_empty() && self.offset.is_empty());
        let vertical = geo.keys().is_some_and(cogsmith::GeoKeys::is_vertical);
        if said && vertical && spec.bands == 1 && geo.transform().is_some() {
            return geo.with_vertical_scale(metadata.scale(0), metadata.offset(0));
        }
        Ok(geo)
    }
}

/// Refuses a band that is named twice, and one beside all.
fn once(option: &str, bands: impl Iterator<Item = Option<u16>>) -> Result<(), String> {
    let bands: Vec<_> = bands.collect();
    if bands.len() > 1 && bands.contains(&None) {
        return Err(format!("{option} for all bands contradicts another {option}; name the band of each"));
    }
    match bands.iter().enumerate().find(|(index, band)| bands[..*index].contains(band)) {
        Some((_, Some(band))) => Err(format!("{option} is given twice for band {band}; give it once")),
        _ => Ok(()),
    }
}

/// The bands that are meant, counted from 0.
fn bands(band: Option<u16>, spec: &ImageSpec, option: &'static str) -> Result<std::ops::Range<u16>, Error> {
    match band {
        None => Ok(0..spec.bands),
        Some(band) if band <= spec.bands => Ok(band - 1..band),
        Some(band) => Err(refused(option, format!("there is no band {band}; the output has {}", spec.bands))),
    }
}

fn refused(option: &'static str, reason: String) -> Error {
    cogsmith::ErrorKind::InvalidOption { option, reason }.into()
}

/// A band and what is behind it; `None` where the text does not begin with a number and `=`.
fn with_band(text: &str) -> Result<(Option<u16>, &str), String> {
    match text.split_once('=') {
        Some((band, value)) if !band.is_empty() && band.bytes().all(|byte| byte.is_ascii_digit()) => {
            let number = band.parse().ok().filter(|band| *band > 0);
            number.map(|band| (Some(band), value)).ok_or(format!("'{band}' is no band; they count from 1 to 65535"))
        }
        _ => Ok((None, text)),
    }
}

fn description(text: &str) -> Result<ForBand<String>, String> {
    match with_band(text)? {
        (None, _) => Err("expected the band, first = 1, and its name, such as 1=red".into()),
        (band, value) => Ok(ForBand { band, value: value.to_owned() }),
    }
}

fn unit(text: &str) -> Result<ForBand<String>, String> {
    let (band, value) = with_band(text)?;
    Ok(ForBand { band, value: value.to_owned() })
}

fn scale(text: &str) -> Result<ForBand<f64>, String> {
    let number = offset(text)?;
    if number.value == 0.0 { Err("a scale of 0 makes all samples the same".into()) } else { Ok(number) }
}

fn offset(text: &str) -> Result<ForBand<f64>, String> {
    let (band, value) = with_band(text)?;
    let value = value.parse().ok().filter(|value: &f64| value.is_finite());
    let value = value.ok_or("expected a number, or a band and a number, such as 0.0001 or 1=0.0001")?;
    Ok(ForBand { band, value })
}

fn color(text: &str) -> Result<ColorInterpretation, String> {
    ColorInterpretation::parse(text).ok_or_else(|| {
        let names: Vec<_> = ColorInterpretation::ALL.iter().map(|color| color.name().to_ascii_lowercase()).collect();
        format!("expected one of {}", names.join(", "))
    })
}

fn item(text: &str) -> Result<Item, String> {
    let expected = "expected KEY=VALUE or DOMAIN:KEY=VALUE";
    let (name, value) = text.split_once('=').ok_or(expected)?;
    // Domains such as xml:NAME have a colon of their own.
    let (domain, key) = match name.rsplit_once(':') {
        Some((domain, key)) => (Some(domain.to_owned()), key),
        None => (None, name),
    };
    if key.is_empty() || domain.as_deref() == Some("") {
        return Err(expected.into());
    }
    Ok(Item { domain, key: key.to_owned(), value: value.to_owned() })
}
