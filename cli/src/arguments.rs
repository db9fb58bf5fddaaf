//! The command line: every option, its values, and what contradicts what.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;
use cogsmith::geo::Overrides;
use cogsmith::{
    BigTiff, Compression, Crs, EncodeOptions, ErrorKind, Interleave, MaskPolicy, Nodata, Overviews, Predictor,
    Resampling, TileSize,
};

use crate::describe::DescribeArguments;
use crate::info::InfoArguments;
use crate::place::PlaceArguments;
use crate::validate::ValidateArguments;

/// Beyond any machine of today; starting a number of threads given by mistake can take minutes.
const MOST_THREADS: usize = 1024;

const EXAMPLES: &str = "\
Examples:
  cogsmith create scene.tif scene-cog.tif
  cogsmith create --compress zstd --level 15 --threads 4 scene.tif scene-cog.tif
  cogsmith create --overview-resampling mode --nodata 0 landcover.tif landcover-cog.tif
  cogsmith create --overwrite scene.tif scene.tif
  cogsmith create --quiet scene.tif - | upload-somewhere";

const EXIT_CODES: &str = "Exit codes: 0 done, 1 failed (no output file is left), 2 wrong usage.";

/// Create and check Cloud Optimized GeoTIFFs.
#[derive(Debug, Parser)]
#[command(name = "cogsmith", version, arg_required_else_help = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Create(Box<CreateArguments>),
    Validate(ValidateArguments),
    Info(InfoArguments),
    /// Print a script that completes commands and options in a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// Write a GeoTIFF again as a Cloud Optimized GeoTIFF
///
/// The output appears whole or not at all: it is written beside OUTPUT under a hidden name and renamed at the end.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES, after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub(crate) struct CreateArguments {
    /// The GeoTIFF to read
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) input: PathBuf,

    /// The COG to write; - is standard output
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) output: PathBuf,

    /// Codec; all are lossless
    #[arg(long, value_parser = named::<Compression>(Compression::names()), ignore_case = true, value_name = "CODEC",
          default_value_t = Compression::DEFLATE, help_heading = "Compression")]
    compress: Compression,

    #[arg(long, value_name = "N", help = level_help(), help_heading = "Compression")]
    level: Option<u8>,

    /// Arithmetic before compression; auto: float for floats, horizontal for integers of 8 to 64 bits, none for the rest
    #[arg(long, value_parser = named::<Predictor>(Predictor::names()), ignore_case = true, value_name = "PREDICTOR",
          default_value_t = Predictor::Auto, help_heading = "Compression")]
    predictor: Predictor,

    /// Size of tiles in pixels: one side or columns x rows, multiples of 16
    #[arg(long, value_name = "N|WxH", value_parser = tile_size, default_value = "512", help_heading = "Layout")]
    blocksize: TileSize,

    /// Order of bands: together in a tile, one after the other, or tile by tile
    #[arg(long, value_parser = named::<Interleave>(Interleave::names()), ignore_case = true,
          default_value_t = Interleave::Pixel, help_heading = "Layout")]
    interleave: Interleave,

    /// Whether the file is a BigTIFF; auto: only if its finished size needs it (over 4 GiB)
    #[arg(long, value_parser = named::<BigTiff>(BigTiff::names()), ignore_case = true, value_name = "WHEN",
          default_value_t = BigTiff::Auto, help_heading = "Layout")]
    bigtiff: BigTiff,

    /// Overviews; auto: halves until one tile holds all; or factors of full resolution such as 2,4,8
    #[arg(long, value_name = "auto|none|LIST", value_parser = overviews, default_value = "auto", help_heading = "Overviews")]
    overviews: Overviews,

    /// Number of overviews, each half of the one before, instead of as many as auto makes
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Overviews")]
    overview_count: Option<u32>,

    /// How overviews are computed: one kernel, or one for each band such as cubic,cubic,mode [default: cubic; nearest
    /// for palettes and complex samples]
    #[arg(long, value_parser = resampling(), ignore_case = true, value_name = "KERNEL|LIST", value_delimiter = ',', action = ArgAction::Set,
          num_args = 1, help_heading = "Overviews")]
    overview_resampling: Option<Vec<KernelChoice>>,

    /// Size of the overviews' tiles in pixels, as --blocksize [default: that of --blocksize]
    #[arg(long, value_name = "N|WxH", value_parser = tile_size, help_heading = "Overviews")]
    overview_blocksize: Option<TileSize>,

    /// Which image of a file with several to read, first = 1 [default: the first of full resolution]
    #[arg(long, value_name = "N", value_parser = image_number, help_heading = "Input")]
    pub(crate) image: Option<NonZeroUsize>,

    /// Leave out the .aux.xml file next to INPUT, GDAL's auxiliary metadata, which otherwise wins over what INPUT says
    #[arg(long, help_heading = "Input")]
    pub(crate) ignore_aux: bool,

    /// Value of pixels without data, instead of what the input says; none: no such value [default: the input's]
    #[arg(long, value_name = "VALUE|none", value_parser = nodata, allow_hyphen_values = true, help_heading = "Input")]
    pub(crate) nodata: Option<NodataChoice>,

    /// Coordinate reference system, instead of what the input says: EPSG:n, WKT, PROJJSON or a PROJ string; the place
    /// of the pixels stays
    #[arg(long, value_name = "CRS", allow_hyphen_values = true, help_heading = "Georeferencing")]
    crs: Option<String>,

    /// Write what GeoKeys can't say of --crs as WKT into their citation, which GDAL reads, instead of refusing it
    #[arg(long, requires = "crs", help_heading = "Georeferencing")]
    crs_wkt: bool,

    /// Where the mask of the output comes from; auto: the input's, if it has one
    #[arg(long, value_parser = named::<MaskPolicy>(MaskPolicy::names()), ignore_case = true, value_name = "SOURCE",
          default_value_t = MaskPolicy::Auto, help_heading = "Input")]
    pub(crate) mask: MaskPolicy,

    /// Samples of unusual width, such as 12 bits: keep their width or widen them to the next type
    #[arg(long, value_enum, ignore_case = true, value_name = "WIDTH", default_value_t = BitsChoice::Keep, help_heading = "Input")]
    pub(crate) nbits: BitsChoice,

    #[command(flatten)]
    pub(crate) place: PlaceArguments,

    #[command(flatten)]
    pub(crate) describe: DescribeArguments,

    /// Number of threads; all: one for each core
    #[arg(long, value_name = "N|all", value_parser = threads, default_value = "all", help_heading = "Running")]
    pub(crate) threads: Threads,

    /// Bytes of finished tiles that are kept in memory, more wait in a temporary file: a number, or with K, M, G
    /// [default: 16M]
    #[arg(long, value_name = "SIZE", value_parser = bytes, help_heading = "Running")]
    pub(crate) tile_memory: Option<u64>,

    /// Bytes of pixels that are read at once, if that is more than one row of tiles [default: 16M]
    #[arg(long, value_name = "SIZE", value_parser = bytes, help_heading = "Running")]
    pub(crate) row_memory: Option<u64>,

    /// Directory for finished tiles that memory cannot hold [default: that of OUTPUT; the system's for -]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, help_heading = "Running")]
    pub(crate) temp_dir: Option<PathBuf>,

    /// Wait until the output is safe on the disk; slower
    #[arg(long, help_heading = "Running")]
    pub(crate) sync: bool,

    /// Read the output back before it appears, and compare the pixels of every tile with those that were encoded
    #[arg(long, help_heading = "Running")]
    pub(crate) verify: bool,

    /// Replace OUTPUT if it exists; it may be the same file as INPUT
    #[arg(long, help_heading = "Running")]
    pub(crate) overwrite: bool,

    /// Print no progress, no warnings and no summary
    #[arg(long, short, help_heading = "Messages")]
    pub(crate) quiet: bool,

    /// Print the summary as one JSON object (standard output, or standard error if OUTPUT is -)
    #[arg(long, help_heading = "Messages")]
    pub(crate) json: bool,
}

/// What becomes of samples with fewer bits than their type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum BitsChoice {
    Keep,
    Widen,
}

/// The value of `--nodata`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum NodataChoice {
    None,
    Value(Nodata),
}

/// The value of `--threads`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Threads {
    All,
    Count(NonZeroUsize),
}

impl CreateArguments {
    /// Whether the COG goes to standard output.
    pub(crate) fn to_standard_output(&self) -> bool {
        self.output == Path::new("-")
    }

    /// Refuses what cannot be meant: options that contradict each other or can never have an effect together.
    pub(crate) fn check(&self) -> Result<(), String> {
        self.overrides().check().map_err(usage)?;
        if self.input == Path::new("-") {
            return Err(
                "INPUT '-' (standard input) cannot be read: the directory of a TIFF may stand at its end, so it \
                        takes a file. Save the input to a file first"
                    .into(),
            );
        }
        if self.to_standard_output() {
            for (given, option) in [(self.overwrite, "--overwrite"), (self.sync, "--sync")] {
                if given {
                    return Err(format!("{option} has no effect on standard output; leave it out"));
                }
            }
            if self.verify {
                return Err("--verify cannot read standard output back; write to a file".into());
            }
        }
        self.encode_options().and_then(|options| options.validate()).map_err(usage)?;
        // Before the input is opened: what can't be written is no reason to read.
        self.crs().and_then(|crs| crs.map(|crs| crs.geo_keys()).transpose()).map_err(usage)?;
        if self.overview_count.is_some() && self.overviews != Overviews::Auto {
            return Err("--overview-count contradicts --overviews none and a list; leave one of them out".into());
        }
        if let Some(kernels @ [_, _, ..]) = self.overview_resampling.as_deref()
            && kernels.iter().any(|kernel| kernel.0.is_none())
        {
            return Err("--overview-resampling auto stands alone; in a list, name a kernel for each band".into());
        }
        if self.overviews == Overviews::None {
            let given = [
                (self.overview_resampling.is_some(), "--overview-resampling"),
                (self.overview_blocksize.is_some(), "--overview-blocksize"),
            ];
            for (given, option) in given {
                if given {
                    return Err(format!("{option} has no effect with --overviews none; leave one of them out"));
                }
            }
        }
        Ok(())
    }

    /// The coordinate reference system that is asked for.
    pub(crate) fn crs(&self) -> Result<Option<Crs>, cogsmith::Error> {
        let Some(text) = &self.crs else { return Ok(None) };
        Ok(Some(Crs::parse(text)?.with_wkt_citation(self.crs_wkt)))
    }

    /// Georeferencing and metadata in place of the input's.
    pub(crate) fn overrides(&self) -> Overrides {
        let mut overrides = Overrides::default();
        self.place.add_to(&mut overrides);
        self.describe.add_to(&mut overrides);
        overrides
    }

    /// How the COG is written, in the library's terms.
    pub(crate) fn encode_options(&self) -> Result<EncodeOptions, cogsmith::Error> {
        Ok(EncodeOptions {
            tile_size: self.blocksize,
            overview_tile_size: self.overview_blocksize,
            compression: match self.level {
                None => self.compress,
                Some(level) => self.compress.with_parameter("level", level.into())?,
            },
            predictor: self.predictor,
            interleave: self.interleave,
            overviews: self.overview_count.map_or_else(|| self.overviews.clone(), Overviews::Count),
            resampling: match self.overview_resampling.as_deref() {
                Some([one]) => one.0,
                _ => None,
            },
            band_resampling: match self.overview_resampling.as_deref() {
                None | Some([_]) => Vec::new(),
                Some(several) => several.iter().filter_map(|kernel| kernel.0).collect(),
            },
            big_tiff: self.bigtiff,
            statistics: self.describe.stats,
        })
    }
}

/// An error of the library about an option, in the words of the command line.
fn usage(error: cogsmith::Error) -> String {
    match error.kind() {
        ErrorKind::InvalidOption { option, reason } => format!("--{option}: {reason}"),
        _ => error.to_string(),
    }
}

fn tile_size(text: &str) -> Result<TileSize, String> {
    let side = |text: &str| match text.parse::<u32>() {
        Ok(side) if side > 0 && side % 16 == 0 && side <= cogsmith::options::MAX_TILE_SIDE => Ok(side),
        Ok(_) => Err(format!("a side is a multiple of 16 from 16 to {}", cogsmith::options::MAX_TILE_SIDE)),
        Err(_) => Err("expected pixels, such as 512 or 512x256".into()),
    };
    match text.split_once(['x', 'X']) {
        Some((width, height)) => Ok(TileSize { width: side(width)?, height: side(height)? }),
        None => Ok(TileSize::square(side(text)?)),
    }
}

fn overviews(text: &str) -> Result<Overviews, String> {
    match text.to_ascii_lowercase().as_str() {
        "auto" => return Ok(Overviews::Auto),
        "none" => return Ok(Overviews::None),
        _ => {}
    }
    let expected = "expected auto, none, or growing factors from 2 on, such as 2,4,8";
    let factors: Result<Vec<u32>, _> = text.split(',').map(|factor| factor.trim().parse()).collect();
    let factors = factors.map_err(|_| expected)?;
    if factors[0] < 2 || !factors.is_sorted_by(|before, after| before < after) {
        return Err(expected.into());
    }
    Ok(Overviews::Factors(factors))
}

/// A kernel, or what the samples ask for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KernelChoice(Option<Resampling>);

/// The kernels by the names that the library gives them, or `auto`.
fn resampling() -> impl TypedValueParser<Value = KernelChoice> {
    // The names are checked before: what does not parse is `auto`.
    PossibleValuesParser::new(["auto"].into_iter().chain(Resampling::names()))
        .map(|name| KernelChoice(name.parse().ok()))
}

/// The values of an option by the names that the library gives them.
fn named<T>(names: impl Iterator<Item = &'static str>) -> impl TypedValueParser<Value = T>
where
    T: FromStr<Err = cogsmith::Error> + Clone + Send + Sync + 'static,
{
    PossibleValuesParser::new(names).try_map(|name| name.parse::<T>())
}

/// The levels of each codec that has them.
fn level_help() -> String {
    let codecs = Compression::ALL.iter().map(|compression| compression.codec());
    let levels = codecs.filter_map(|codec| Some((codec.name, codec.parameter.filter(|one| one.name == "level")?)));
    let texts = levels.enumerate().map(|(place, (codec, level))| {
        let fastest = if place == 0 { " (fastest)" } else { "" };
        format!("{}{fastest} to {} for {codec} [default: {}]", level.min, level.max, level.default)
    });
    format!("Effort: {}", texts.collect::<Vec<_>>().join(", "))
}

/// A number of bytes: digits alone, or with K, M or G for powers of 1024.
fn bytes(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(['K', 'M', 'G', 'k', 'm', 'g']);
    let shift = match text.strip_prefix(digits).map(str::to_ascii_uppercase).as_deref() {
        Some("") => 0,
        Some("K") => 10,
        Some("M") => 20,
        Some("G") => 30,
        _ => u32::MAX,
    };
    let value = digits.parse::<u64>().ok().and_then(|value| value.checked_mul(1u64.checked_shl(shift)?));
    value.ok_or_else(|| "expected a number of bytes, such as 1000000, 512K, 64M or 2G".into())
}

fn nodata(text: &str) -> Result<NodataChoice, String> {
    if text.eq_ignore_ascii_case("none") {
        return Ok(NodataChoice::None);
    }
    let value = Nodata::parse(text).ok_or("expected a number, nan, inf, -inf, or none")?;
    // Digits that come to nothing, or to infinity, are not the value that was meant.
    let said_infinity = text.to_ascii_lowercase().contains("inf");
    let lost = value.as_f64().is_infinite() && !said_infinity;
    let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
    let vanished = value.as_f64() == 0.0 && mantissa.contains(|digit: char| ('1'..='9').contains(&digit));
    if lost || vanished {
        return Err("a double cannot hold this value".into());
    }
    Ok(NodataChoice::Value(value))
}

pub(crate) fn threads(text: &str) -> Result<Threads, String> {
    if text.eq_ignore_ascii_case("all") {
        return Ok(Threads::All);
    }
    match text.parse::<NonZeroUsize>() {
        Ok(count) if count.get() <= MOST_THREADS => Ok(Threads::Count(count)),
        _ => Err(format!("expected all, or a number from 1 to {MOST_THREADS}")),
    }
}

fn image_number(text: &str) -> Result<NonZeroUsize, String> {
    text.parse().map_err(|_| "expected the number of an image, first = 1".into())
}
