//! Options about compression, of full resolution and of the overviews.

use clap::Args;
use cogsmith::{Compression, JpegPhotometric, ParameterRange, ParameterValue, Predictor, Subsampling};

use crate::values::named;

#[derive(Debug, Args)]
pub(crate) struct CompressionArguments {
    /// Compression codec
    #[arg(long, value_parser = named(Compression::ALL, Compression::name, codec_help), ignore_case = true, value_name = "CODEC",
          default_value_t = Compression::DEFLATE, help_heading = "Compression")]
    compress: Compression,

    #[arg(long, value_name = "N", help = level_help(), long_help = long_level_help(), help_heading = "Compression")]
    level: Option<u8>,

    #[arg(long, value_name = "N", help = quality_help(), help_heading = "Compression")]
    quality: Option<u8>,

    /// Lossless WebP; the same as --quality 100
    #[arg(long, conflicts_with = "quality", help_heading = "Compression")]
    lossless: bool,

    /// Largest error of LERC in any sample, in units of the samples [default: 0]
    ///
    /// Integers need at least 1 for a loss. Overviews have the error on top of resampling. Example: --compress lerc_zstd
    /// --max-z-error 0.01
    #[arg(long, value_name = "ERROR", allow_hyphen_values = true, help_heading = "Compression")]
    max_z_error: Option<f64>,

    /// Chroma subsampling of JPEG: 420 makes smaller files, 444 keeps colored detail sharp [default: auto]
    ///
    /// 420 averages the color of two by two pixels, not their brightness. auto is 420 for red, green, and blue, as in GDAL;
    /// other bands are never subsampled.
    #[arg(long, value_parser = named(Subsampling::ALL, Subsampling::name, |_| ""), ignore_case = true, value_name = "SAMPLING",
          help_heading = "Compression")]
    jpeg_subsampling: Option<Subsampling>,

    /// Color space in which JPEG stores three bands [default: auto]
    ///
    /// auto is ycbcr for bands tagged as red, green, and blue; other bands are stored as they are. ycbcr makes false-color
    /// composites smaller, but smears detail of one band into the others; readers then show them as red, green, and blue.
    #[arg(long, value_parser = named(JpegPhotometric::ALL, JpegPhotometric::name, |_| ""), ignore_case = true,
          value_name = "SPACE", help_heading = "Compression")]
    photometric: Option<JpegPhotometric>,

    /// Transform applied to samples before compression, to make files smaller
    #[arg(long, value_parser = named(Predictor::ALL, Predictor::name, predictor_help), ignore_case = true, value_name = "PREDICTOR",
          default_value_t = Predictor::Auto, help_heading = "Compression")]
    pub(crate) predictor: Predictor,

    /// Codec of overviews [default: that of --compress]
    #[arg(long, value_parser = named(Compression::ALL, Compression::name, |_| ""), ignore_case = true, value_name = "CODEC",
          help_heading = "Overviews")]
    overview_compress: Option<Compression>,

    /// Compression level of overviews [default: that of --level if the codec is the same]
    #[arg(long, value_name = "N", help_heading = "Overviews")]
    overview_level: Option<u8>,

    /// Quality of overviews [default: that of --quality if the codec is the same]
    #[arg(long, value_name = "N", help_heading = "Overviews")]
    overview_quality: Option<u8>,

    /// Largest error of LERC in overviews [default: that of --max-z-error if the codec is the same]
    #[arg(long, value_name = "ERROR", allow_hyphen_values = true, help_heading = "Overviews")]
    overview_max_z_error: Option<f64>,

    /// Predictor of overviews [default: that of --predictor]
    ///
    /// If the codec of full resolution takes no predictor, the default follows from the type of the samples.
    #[arg(long, value_parser = named(Predictor::ALL, Predictor::name, |_| ""), ignore_case = true, value_name = "PREDICTOR",
          help_heading = "Overviews")]
    pub(crate) overview_predictor: Option<Predictor>,
}

impl CompressionArguments {
    /// Returns the codec with its parameters.
    pub(crate) fn codec(&self) -> Result<Compression, cogsmith::Error> {
        let given: [(_, Option<ParameterValue<'_>>); 5] = [
            ("level", self.level.map(Into::into)),
            ("quality", if self.lossless { Some(100u8.into()) } else { self.quality.map(Into::into) }),
            ("max-z-error", self.max_z_error.map(Into::into)),
            ("jpeg-subsampling", self.jpeg_subsampling.map(|one| one.name().into())),
            ("photometric", self.photometric.map(|one| one.name().into())),
        ];
        let given = given.into_iter().filter_map(|(name, value)| Some((name, value?)));
        given.into_iter().try_fold(self.compress, |codec, (name, value)| codec.with_parameter(name, value))
    }

    /// Returns the codec of the overviews, if it differs from that of full resolution.
    pub(crate) fn of_overviews(&self, full: Compression) -> Result<Option<Compression>, cogsmith::Error> {
        let given: [(_, Option<ParameterValue<'_>>); 3] = [
            ("level", self.overview_level.map(Into::into)),
            ("quality", self.overview_quality.map(Into::into)),
            ("max-z-error", self.overview_max_z_error.map(Into::into)),
        ];
        let given = given.into_iter().filter_map(|(name, value)| Some((name, value?)));
        full.for_overviews(self.overview_compress, given)
    }
}

fn codec_help(codec: Compression) -> &'static str {
    match codec {
        Compression::None => "No compression",
        Compression::Lzw => "LZW: every reader has it",
        Compression::PackBits => "PackBits: every reader has it; runs of equal bytes",
        Compression::Deflate { .. } => "DEFLATE: every reader has it",
        Compression::Zstd { .. } => "Zstandard: smaller files, faster; not read by browsers or GDAL before 2.3",
        Compression::Jpeg { .. } => "JPEG: lossy, for 8-bit imagery; nodata stays exact, in a mask",
        Compression::WebP { .. } => {
            "WebP: three or four 8-bit bands; lossless with --lossless, lossy only in builds with the feature webp-c"
        }
        Compression::LERC => "LERC: within --max-z-error, for elevation and measurements; nodata stays exact",
        Compression::LERC_DEFLATE => "LERC, compressed with DEFLATE",
        Compression::LERC_ZSTD => "LERC, compressed with Zstandard",
        _ => "",
    }
}

fn predictor_help(predictor: Predictor) -> &'static str {
    match predictor {
        Predictor::Auto => {
            "float for floats; horizontal or none for integers of 8 to 64 bits, by trying both on a few tiles; otherwise \
             none"
        }
        Predictor::None => "No predictor; often best for classes",
        Predictor::Horizontal => "Difference from the sample to the left",
        Predictor::FloatingPoint => "Bytes of floats, grouped by significance",
        _ => "",
    }
}

/// Returns the help of `--level`, with the levels of each codec that has them.
fn level_help() -> String {
    format!("Compression level: {}", range_help("level", "fastest"))
}

/// Returns the help of `--quality`, with the codecs that have one.
fn quality_help() -> String {
    format!("Quality of lossy compression: {}", range_help("quality", "smallest"))
}

/// Returns the range and default of a parameter for each codec that has it.
fn range_help(name: &str, lowest: &str) -> String {
    let parameters = Compression::ALL.iter().flat_map(|codec| codec.parameters().map(move |one| (codec.name(), one)));
    let texts = parameters.filter_map(|(codec, (parameter, default))| {
        let (true, ParameterRange::Integers { min, max }, ParameterValue::Integer(default)) =
            (parameter.name == name, parameter.range, default)
        else {
            return None;
        };
        Some((min, format!(" to {max} for {codec} [default: {default}]")))
    });
    let texts = texts.enumerate().map(|(index, (min, rest))| {
        let lowest = if index == 0 { format!(" ({lowest})") } else { String::new() };
        format!("{min}{lowest}{rest}")
    });
    texts.collect::<Vec<_>>().join(", ")
}

fn long_level_help() -> String {
    format!(
        "{}\n\nHigher levels make smaller files and take longer. At deflate level 6, images of up to 1 MiB of pixels are \
         compressed at level 7. Example: --compress zstd --level 15",
        level_help()
    )
}
