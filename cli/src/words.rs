//! The words of gdal_translate and rio-cogeo for options, rewritten to the command's own before it parses them.

use std::ffi::{OsStr, OsString};

use cogsmith::{CreationOption, ErrorKind, OptionField};

use crate::tools::Tool;
use crate::{creation, flags};

/// The words of a command line in the command's own terms.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Rewritten {
    pub(crate) words: Vec<OsString>,
    /// One sentence for each option that was rewritten.
    pub(crate) notes: Vec<String>,
    /// Number of words that were added after the name of the command.
    added: usize,
}

/// The numbers of words that follow an option: the least and the most.
type Count = (usize, usize);

/// Makes an option and its value from the words that follow an option of GDAL; `None` leaves it out.
type Rewrite = fn(&[&str]) -> Result<Option<(&'static str, String)>, String>;

/// An option of another tool: its name, the words that follow it, and their meaning.
pub(crate) type Entry = (&'static str, Count, Rewrite);

/// Options of gdal_translate, apart from `-co`, `-b`, and `-r`.
const OPTIONS: &[Entry] = &[
    ("-a_srs", (1, 1), |words| own("--crs", words)),
    ("-a_nodata", (1, 1), |words| own("--nodata", words)),
    ("-a_ullr", (4, 4), |words| Ok(Some(("--bounds", reorder(words))))),
    ("-a_gt", (6, 6), |words| Ok(Some(("--transform", words.join(","))))),
    ("-a_scale", (1, 1), |words| own("--band-scale", words)),
    ("-a_offset", (1, 1), |words| own("--band-offset", words)),
    ("-gcp", (4, 5), |words| Ok(Some(("--gcp", words.join(","))))),
    ("-mo", (1, 1), |words| own("--metadata", words)),
    ("-nomd", (0, 0), |words| own("--strip-metadata", words)),
    ("-stats", (0, 0), |words| own("--stats", words)),
    ("-colorinterp", (1, 1), |words| own("--color-interpretation", words)),
    ("-ot", (1, 1), |words| own("--dtype", words)),
    ("-srcwin", (4, 4), |words| Ok(Some(("--window", words.join(","))))),
    ("-projwin", (4, 4), |words| Ok(Some(("--bbox", reorder(words))))),
    ("-unscale", (0, 0), |words| own("--unscale", words)),
    ("-scale", (0, 4), |words| match words.len() {
        2 | 4 => Ok(Some(("--rescale", words.join(",")))),
        _ => Err("-scale needs the smallest and the largest value of the input: '-scale MIN MAX' or \
                  '--rescale MIN,MAX'"
            .into()),
    }),
    ("-expand", (1, 1), |words| own("--expand-palette", words)),
    ("-outsize", (2, 2), |words| {
        if words.iter().any(|word| word.ends_with('%') || *word == "0") {
            return Err("-outsize takes columns and rows here: '--size WIDTHxHEIGHT'".into());
        }
        Ok(Some(("--size", words.join("x"))))
    }),
    ("-of", (1, 1), |words| match words {
        [format] if format.eq_ignore_ascii_case("COG") => Ok(None),
        _ => Err(format!("-of {}: the output is always a COG; leave it out", words.join(" "))),
    }),
    // rio-cogeo's names of codecs.
    ("--profile", (1, 1), profile),
    ("--cog-profile", (1, 1), profile),
    ("-p", (1, 1), profile),
    ("--bidx", (1, 1), |words| own("--bands", words)),
];

/// Returns an option with at most one value, which is the same for both.
pub(crate) fn own(option: &'static str, words: &[&str]) -> Result<Option<(&'static str, String)>, String> {
    Ok(Some((option, words.concat())))
}

fn profile(words: &[&str]) -> Result<Option<(&'static str, String)>, String> {
    let name = words.concat().to_ascii_lowercase();
    Ok(Some(("--compress", if name == "raw" { "none".to_owned() } else { name })))
}

/// Upper left and lower right corner as left, bottom, right, top.
fn reorder(words: &[&str]) -> String {
    match words {
        [left, top, right, bottom] => [*left, *bottom, *right, *top].join(","),
        _ => words.join(","),
    }
}

/// Rewrites a command line, whose first word is the name of the program.
pub(crate) fn rewrite(words: Vec<OsString>) -> Result<Rewritten, String> {
    let Some((tool, len)) = Tool::find(&words) else { return rewrite_for(None, words) };
    tool.check(&words)?;
    let create = std::iter::once(OsString::from("create"));
    let words: Vec<_> =
        words.iter().take(1).cloned().chain(create).chain(words.iter().skip(1 + len).cloned()).collect();
    let mut rewritten = rewrite_for(Some(tool), words)?;
    let defaults = tool.defaults(&rewritten.words);
    rewritten.notes.push(format!("the tool's defaults are '{}' here", defaults.join(" ")));
    rewritten.words.splice(2..2, defaults.into_iter().map(OsString::from));
    Ok(rewritten)
}

/// Rewrites a command line of the command itself, or of another tool after its name has become `create`.
fn rewrite_for(tool: Option<Tool>, words: Vec<OsString>) -> Result<Rewritten, String> {
    if words.get(1).is_none_or(|command| {
        ![OsStr::new("create"), OsStr::new("mosaic"), OsStr::new("stack")].contains(&command.as_os_str())
    }) {
        return Ok(Rewritten { words, ..Rewritten::default() });
    }
    let mut rewritten = Rewritten::default();
    let mut bands = Vec::new();
    let mut resampling = [None, None];
    let mut kernel = None;
    let mut warp = GdalWarp::default();
    let reduces = words.iter().any(|word| word == "--size" || word == "-outsize");
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        let ahead = rest.as_slice();
        let text = word.to_str().unwrap_or_default();
        if text == "--" {
            rewritten.words.push(word.clone());
            break;
        }
        let take = |(least, most): Count| -> Result<Vec<&str>, String> {
            let follow = ahead.iter().take(most).map_while(|word| word.to_str());
            let values: Vec<&str> = if least == most {
                follow.collect()
            } else {
                follow.take_while(|word| word.parse::<f64>().is_ok()).collect()
            };
            if values.len() < least {
                return Err(format!("{text} needs {least} values"));
            }
            Ok(values)
        };
        let (taken, setting) = match text {
            _ if text == "-co" || text == "--co" || tool.is_some_and(|tool| tool.takes_creation_option(text)) => {
                let values = take((1, 1))?;
                let pair = values.concat();
                let setting = creation_option(&pair)?;
                if let Some((flag, _)) = &setting {
                    warp.see(flag);
                }
                if let Some(("--overview-resampling", value)) = &setting {
                    // GDAL prefers the more specific of two options.
                    let specific = pair.to_ascii_uppercase().starts_with("OVERVIEW_");
                    if !specific {
                        warp.kernel = Some((format!("{text} {pair}"), value.clone()));
                    }
                    resampling[usize::from(!specific)] = Some((format!("{text} {pair}"), value.clone()));
                    rest = rest.as_slice().get(1..).unwrap_or_default().iter();
                    continue;
                }
                (values, setting)
            }
            "-b" => {
                let values = take((1, 1))?;
                bands.push(values.concat());
                rest = rest.as_slice().get(1..).unwrap_or_default().iter();
                continue;
            }
            "-r" => {
                let values = take((1, 1))?;
                kernel = Some(values.concat());
                rest = rest.as_slice().get(1..).unwrap_or_default().iter();
                continue;
            }
            _ => match tool
                .and_then(|tool| tool.option(text))
                .or_else(|| OPTIONS.iter().find(|(name, ..)| *name == text))
            {
                Some((_, count, rewrite)) => {
                    let values = take(*count)?;
                    let setting = rewrite(&values)?;
                    (values, setting)
                }
                None => {
                    rewritten.words.push(word.clone());
                    continue;
                }
            },
        };
        let written = std::iter::once(text).chain(taken.iter().copied()).collect::<Vec<_>>().join(" ");
        let count = taken.len();
        rewritten.set(&written, setting);
        rest = rest.as_slice().get(count..).unwrap_or_default().iter();
    }
    rewritten.words.extend(rest.cloned());
    if !bands.is_empty() {
        let written = bands.iter().map(|band| format!("-b {band}")).collect::<Vec<_>>().join(" ");
        rewritten.set(&written, Some(("--bands", bands.join(","))));
    }
    if let Some((written, value)) = resampling.into_iter().flatten().next() {
        rewritten.set(&written, Some(("--overview-resampling", value)));
    }
    warp.set(&mut rewritten);
    if let Some(kernel) = kernel {
        let option = if reduces { "--size-resampling" } else { "--overview-resampling" };
        rewritten.set(&format!("-r {kernel}"), Some((option, kernel)));
    }
    Ok(rewritten)
}

/// The creation options of a warp, and what GDAL's defaults for the others mean.
#[derive(Default)]
struct GdalWarp {
    has_scheme: bool,
    has_target: bool,
    has_levels: bool,
    has_kernel: bool,
    /// RESAMPLING, as it was written, and the kernel.
    kernel: Option<(String, String)>,
}

impl GdalWarp {
    fn see(&mut self, flag: &str) {
        self.has_scheme |= flag == "--tiling-scheme";
        self.has_target |= flag == "--tiling-scheme" || flag == "--dst-crs";
        self.has_levels |= flag == "--aligned-levels";
        self.has_kernel |= flag == "--warp-resampling";
    }

    /// Adds what GDAL would do by default.
    fn set(self, rewritten: &mut Rewritten) {
        if self.has_scheme && !self.has_levels {
            rewritten.set("-co ALIGNED_LEVELS=0, GDAL's default,", Some(("--aligned-levels", "0".into())));
        }
        if let Some((written, kernel)) = self.kernel.filter(|_| self.has_target && !self.has_kernel) {
            rewritten.set(&written, Some(("--warp-resampling", kernel)));
        }
    }
}

impl Rewritten {
    /// Adds an option after the name of the command, and says how it was written.
    fn set(&mut self, written: &str, setting: Option<(&'static str, String)>) {
        let Some((option, value)) = setting else {
            self.notes.push(format!("'{written}' asks for what happens anyway"));
            return;
        };
        // One word, so that a negative number is not taken for an option.
        let word = if value.is_empty() { option.to_owned() } else { format!("{option}={value}") };
        self.notes.push(format!("'{written}' is '{}' here", word.replacen('=', " ", 1)));
        let at = self.words.len().min(2 + self.added);
        self.words.insert(at, word.into());
        self.added += 1;
    }
}

/// Returns the option and the value for a creation option, `NAME=VALUE`.
fn creation_option(pair: &str) -> Result<Option<(&'static str, String)>, String> {
    let Some((name, value)) = pair.split_once('=') else {
        return Err(format!("-co {pair}: expected NAME=VALUE"));
    };
    let Some(option) = CreationOption::find(name) else {
        let hint = creation::hint(name).unwrap_or_else(|| "GDAL's COG driver has no such option".to_owned());
        return Err(format!("-co {pair}: {hint}"));
    };
    let setting = option.setting(value).map_err(|error| match error.kind() {
        ErrorKind::InvalidOption { reason, .. } => format!("-co {reason}"),
        _ => error.to_string(),
    })?;
    let Some((field, value)) = setting else { return Ok(None) };
    let flag = flags::flag(field).ok_or_else(|| format!("-co {pair}: the command does not have this option"))?;
    let is_switch = matches!(field, OptionField::Statistics | OptionField::StripMetadata | OptionField::Sparse);
    Ok(Some((flag, if is_switch && value == "yes" { String::new() } else { value })))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(line: &str) -> Result<String, String> {
        let words = rewrite(line.split(' ').map(OsString::from).collect())?.words;
        Ok(words.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" "))
    }

    fn refused(line: &str) -> String {
        rewritten(line).err().unwrap_or_default()
    }

    #[test]
    fn command_lines_of_gdal_are_understood() {
        for (line, expected) in [
            ("cogsmith create in out", "cogsmith create in out"),
            ("cogsmith create -of COG -co COMPRESS=LZW in out", "cogsmith create --compress=lzw in out"),
            (
                "cogsmith create -a_srs EPSG:3035 -a_nodata -9999 in out",
                "cogsmith create --crs=EPSG:3035 --nodata=-9999 in out",
            ),
            ("cogsmith create -b 3 -b 1 in out", "cogsmith create --bands=3,1 in out"),
            ("cogsmith create -srcwin 1 2 3 4 in out", "cogsmith create --window=1,2,3,4 in out"),
            ("cogsmith create -projwin 0 9 8 -1 in out", "cogsmith create --bbox=0,-1,8,9 in out"),
            (
                "cogsmith create -ot Byte -scale 0 3000 1 255 in out",
                "cogsmith create --dtype=Byte --rescale=0,3000,1,255 in out",
            ),
            ("cogsmith create -r average in out", "cogsmith create --overview-resampling=average in out"),
            ("cogsmith create -outsize 9 8 -r mode in out", "cogsmith create --size=9x8 --size-resampling=mode in out"),
            ("cogsmith create in out -co SPARSE_OK=NO", "cogsmith create in out"),
            ("cogsmith create in out -co SPARSE_OK=TRUE", "cogsmith create --sparse in out"),
            ("cogsmith create -co STATISTICS=YES in out", "cogsmith create --stats in out"),
            (
                "cogsmith create -co RESAMPLING=CUBIC -co OVERVIEW_RESAMPLING=MODE in out",
                "cogsmith create --overview-resampling=mode in out",
            ),
            (
                "cogsmith create -co TILING_SCHEME=GoogleMapsCompatible -co RESAMPLING=NEAREST in out",
                "cogsmith create --tiling-scheme=googlemapscompatible --overview-resampling=nearest --aligned-levels=0 \
                 --warp-resampling=nearest in out",
            ),
            (
                "cogsmith create -co TARGET_SRS=EPSG:3035 -co RES=10 -co EXTENT=0,0,9,9 in out",
                "cogsmith create --dst-crs=EPSG:3035 --resolution=10 --extent=0,0,9,9 in out",
            ),
            ("cogsmith create -p raw in out", "cogsmith create --compress=none in out"),
            ("cogsmith create -- -co out", "cogsmith create -- -co out"),
            ("cogsmith info -co x", "cogsmith info -co x"),
        ] {
            assert_eq!(rewritten(line).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn command_lines_of_other_tools_get_their_defaults() {
        for (line, expected) in [
            (
                "cogsmith gdal_translate -of COG in out",
                "cogsmith create --overwrite --compress=lzw --predictor=none --overviews=existing in out",
            ),
            (
                "cogsmith gdal_translate in out -of COG -co COMPRESS=JPEG -co OVERVIEWS=NONE",
                "cogsmith create --overwrite --compress=jpeg --overviews=none in out",
            ),
            (
                "cogsmith rio cogeo create in out",
                "cogsmith create --overwrite --predictor=none --overview-resampling=nearest in out",
            ),
            (
                "cogsmith rio-cogeo create -p zstd -b 2,1 -t uint8 --overview-level 3 -r average --profile LEVEL=3 in out",
                "cogsmith create --overwrite --predictor=none --compress=zstd --dtype=uint8 --overview-count=3 --level=3 \
                 --bands=2,1 --overview-resampling=average in out",
            ),
            (
                "cogsmith rio-cogeo create --add-mask -i --threads ALL_CPUS --overview-level 0 in out",
                "cogsmith create --overwrite --predictor=none --mask=nodata --threads=all --overviews=none in out",
            ),
        ] {
            assert_eq!(rewritten(line).as_deref(), Ok(expected));
        }
        assert!(refused("cogsmith gdal_translate in out").contains("add it"));
        assert!(refused("cogsmith rio-cogeo create -w in out").contains("--tiling-scheme"));
        assert_eq!(rewritten("cogsmith rio-cogeo info x").as_deref(), Ok("cogsmith rio-cogeo info x"));
    }

    #[test]
    fn what_has_no_meaning_is_refused_by_name() {
        assert!(refused("cogsmith create -co SPARSE_OK=MAYBE in out").contains("SPARSE_OK=MAYBE is not supported"));
        assert!(refused("cogsmith create -co TILED=YES in out").contains("always tiled"));
        assert!(refused("cogsmith create -co NONSENSE=1 in out").contains("no such option"));
        assert!(refused("cogsmith create -co COMPRESS in out").contains("NAME=VALUE"));
        assert!(refused("cogsmith create -of PNG in out").contains("always a COG"));
        assert!(refused("cogsmith create -scale in out").contains("--rescale MIN,MAX"));
        assert!(refused("cogsmith create in out -srcwin 1 2").contains("needs 4 values"));
    }
}
