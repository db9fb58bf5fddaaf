//! Options for the metadata of the output.

use clap::Args;
use cogsmith::ColorInterpretation;
use cogsmith::{BandValue, MetadataOverride, Overrides};

/// Heading of these options in the help.
const HEADING: &str = "Metadata";

/// Metadata that is added to the input's, or replaces it.
#[derive(Debug, Args)]
pub(crate) struct DescribeArguments {
    /// Description of a band (repeatable); bands count from 1 [default: the input's]
    ///
    /// Empty text removes the description. Example: --band-description 1=red
    #[arg(long, value_name = "BAND=TEXT", value_parser = description, help_heading = HEADING)]
    band_description: Vec<BandValue<String>>,

    /// Scale factor recorded in the metadata, for one band or all; pixel values are unchanged [default: the input's]
    ///
    /// Repeatable, once per band. The quantity is sample * scale + offset. Examples: --band-scale 0.0001,
    /// --band-scale 1=0.0001
    #[arg(long, value_name = "[BAND=]NUMBER", value_parser = number, allow_hyphen_values = true, help_heading = HEADING)]
    band_scale: Vec<BandValue<f64>>,

    /// Offset recorded in the metadata, for one band or all; pixel values are unchanged [default: the input's]
    ///
    /// Repeatable, once per band. Added after scaling. Examples: --band-offset -273.15, --band-offset 1=100
    #[arg(long, value_name = "[BAND=]NUMBER", value_parser = number, allow_hyphen_values = true, help_heading = HEADING)]
    band_offset: Vec<BandValue<f64>>,

    /// Unit of the scaled values, for one band or all, such as m [default: the input's]
    ///
    /// Repeatable, once per band. Empty text removes the unit. Example: --band-unit 1=m
    #[arg(long, value_name = "[BAND=]TEXT", value_parser = unit, help_heading = HEADING)]
    band_unit: Vec<BandValue<String>>,

    /// Color interpretation of each band, such as red,green,blue,alpha [default: the input's]
    ///
    /// GDAL's names, such as gray, red, nir, alpha, or undefined. red,green,blue makes u8 and u16 images RGB. A band
    /// that is alpha also counts as alpha in overviews and statistics. Example: --color-interpretation nir,red,green
    #[arg(long, value_name = "COLOR,…", value_parser = color, value_delimiter = ',', help_heading = HEADING)]
    color_interpretation: Vec<ColorInterpretation>,

    /// Compute statistics of every band and store them in the metadata; no leaves out the input's
    ///
    /// Minimum, maximum, mean, standard deviation, and the percentage of valid pixels, computed in the same pass. They
    /// replace the input's statistics. Examples: --stats, --stats=no
    #[arg(long, value_name = "yes|no", value_parser = yes_or_no, num_args = 0..=1, require_equals = true, default_missing_value = "yes", help_heading = HEADING)]
    stats: Option<bool>,

    /// Metadata item (repeatable), such as AREA=north
    ///
    /// The domain is the part of the name before its last colon. TIFFTAG_SOFTWARE, TIFFTAG_DATETIME, and the like set
    /// TIFF tags; empty text removes those. Example: --metadata TIFFTAG_ARTIST=me
    #[arg(long, value_name = "[DOMAIN:]KEY=VALUE", value_parser = item, help_heading = HEADING)]
    metadata: Vec<MetadataOverride>,

    /// Leave out the input's metadata, except scale, offset, unit, description, and color interpretation of bands
    ///
    /// Georeferencing, nodata, and the ICC profile stay, and options such as --metadata still apply.
    #[arg(long, help_heading = HEADING)]
    strip_metadata: bool,
}

impl DescribeArguments {
    /// Adds the options to the overrides.
    pub(crate) fn add_to(&self, overrides: &mut Overrides) {
        overrides.strip_metadata = self.strip_metadata;
        overrides.strip_statistics = self.stats == Some(false);
        overrides.description.clone_from(&self.band_description);
        overrides.scale.clone_from(&self.band_scale);
        overrides.offset.clone_from(&self.band_offset);
        overrides.unit.clone_from(&self.band_unit);
        overrides.color_interpretation.clone_from(&self.color_interpretation);
        overrides.items.clone_from(&self.metadata);
    }

    /// Returns whether statistics are computed.
    pub(crate) fn computes_statistics(&self) -> bool {
        self.stats == Some(true)
    }
}

/// Splits a text into a band, counted from 0, and the rest; `None` if it does not start with a number and `=`.
fn with_band(text: &str) -> Result<(Option<u16>, &str), String> {
    match text.split_once('=') {
        Some((band, value)) if !band.is_empty() && band.bytes().all(|byte| byte.is_ascii_digit()) => {
            // People count bands from 1, the library from 0.
            let index = band.parse::<u16>().ok().and_then(|number| number.checked_sub(1));
            index
                .map(|index| (Some(index), value))
                .ok_or(format!("'{band}' is not a band; bands count from 1 to 65535"))
        }
        _ => Ok((None, text)),
    }
}

fn yes_or_no(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err("expected yes or no".into()),
    }
}

fn description(text: &str) -> Result<BandValue<String>, String> {
    match with_band(text)? {
        (None, _) => Err("expected a band, counting from 1, and its description, such as 1=red".into()),
        (band, value) => Ok(BandValue { band, value: value.to_owned() }),
    }
}

fn unit(text: &str) -> Result<BandValue<String>, String> {
    let (band, value) = with_band(text)?;
    Ok(BandValue { band, value: value.to_owned() })
}

fn number(text: &str) -> Result<BandValue<f64>, String> {
    let (band, value) = with_band(text)?;
    let value = value.parse().ok();
    let value = value.ok_or("expected a number, or a band and a number, such as 0.0001 or 1=0.0001")?;
    Ok(BandValue { band, value })
}

fn color(text: &str) -> Result<ColorInterpretation, String> {
    ColorInterpretation::parse(text).ok_or_else(|| {
        let names: Vec<_> = ColorInterpretation::ALL.iter().map(|color| color.name().to_ascii_lowercase()).collect();
        format!("expected one of {}", names.join(", "))
    })
}

fn item(text: &str) -> Result<MetadataOverride, String> {
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
    Ok(MetadataOverride::new(key, value).domain(domain))
}
