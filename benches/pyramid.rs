//! Overview kernels alone, on one thread, compared with GDAL's: MB/s of full-resolution pixels.
//!
//!     cargo bench --bench pyramid -- [WORDS]      cases whose line has all words, such as `u8 odd`
//!
//! Ours is the time of an encoder with one overview, less the time of one without; both store tiles uncompressed and drop
//! them. GDAL's is `BuildOverviews` with a factor of 2 on a dataset in memory, in a process that is asked for a run each
//! time we have made one. Medians of `ROUNDS`. The Python with GDAL is `GDAL_PYTHON`, or that which `scripts/test.sh build judges` makes; without one the column stays empty.

mod support;

use std::io::{BufRead, BufReader, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

use cogsmith::{
    CogPlan, Compression, EncodeOptions, Executor, ExtraSample, FinishedFile, GeoRef, ImageSpec, Metadata, Nodata,
    Overviews, Predictor, Resampling, Sample, SectionId, SliceSource, StoreOptions, TileSink, encode_to_sink,
};
use support::Terrain;

/// Runs of every case on either side.
const ROUNDS: usize = 5;
/// Columns and rows of an image of one band; one less where they are odd.
const SIDE: u32 = 3072;
/// The nodata value.
const NODATA: u16 = 3;

/// A type that the terrain is made of.
trait Height: Sample {
    fn from_terrain(height: u16) -> Self;
}

impl Height for u8 {
    fn from_terrain(height: u16) -> Self {
        // Three bits of noise are left.
        (height >> 2) as u8
    }
}

impl Height for u16 {
    fn from_terrain(height: u16) -> Self {
        height
    }
}

impl Height for f32 {
    fn from_terrain(height: u16) -> Self {
        f32::from(height)
    }
}

/// A disc of a fifth of the image, and one of a thousand other pixels.
fn missing(side: u32, row: u32, column: u32) -> bool {
    let [x, y] = [column, row].map(|place| u64::from(place.abs_diff(side / 2)));
    let mixed = (row.wrapping_mul(0x9E37_79B1) ^ column.wrapping_mul(0x85EB_CA77)).wrapping_mul(0x2C1B_3C6D) >> 12;
    x * x + y * y < u64::from(side / 4).pow(2) || mixed.is_multiple_of(1000)
}

#[derive(Clone, Copy, PartialEq)]
enum Gaps {
    None,
    Nodata,
    Mask,
}

/// An image in memory, and in files for GDAL.
struct Image<T> {
    spec: ImageSpec,
    pixels: Vec<T>,
    mask: Vec<u8>,
    files: [PathBuf; 2],
}

impl<T: Height> Image<T> {
    /// Terrain, or patches of a few classes.
    fn new(directory: &Path, side: u32, bands: u32, gaps: Gaps, classes: bool) -> Self {
        let mut spec = ImageSpec::new(side, side, u16::try_from(bands).expect("few bands"), T::DATA_TYPE);
        spec.nodata = (gaps == Gaps::Nodata).then_some(Nodata::Integer(NODATA.into()));
        spec.mask = gaps == Gaps::Mask;
        // Four bands are just that, not colors and alpha.
        spec.extra_samples.fill(ExtraSample::Unspecified);
        let places = || (0..side).flat_map(|row| (0..side).map(move |column| (row, column)));
        let sample = |row, column, band| match Terrain::sample(row, column, band) {
            _ if gaps == Gaps::Nodata && missing(side, row, column) => NODATA,
            _ if classes => 10 + (Terrain::sample(row / 5, column / 5, band) >> 4) % 12,
            height => height,
        };
        // Nodata is the same in every type.
        let value = |height: u16| if height == NODATA { T::from_terrain(NODATA << 2) } else { T::from_terrain(height) };
        let value = |height| if size_of::<T>() == 1 { value(height) } else { T::from_terrain(height) };
        let pixels: Vec<T> = places()
            .flat_map(|(row, column)| (0..bands).map(move |band| (row, column, band)))
            .map(|(row, column, band)| value(sample(row, column, band)))
            .collect();
        let mask: Vec<u8> = places().map(|(row, column)| if missing(side, row, column) { 0 } else { 255 }).collect();
        let files = ["pixels", "mask"].map(|name| directory.join(format!("{classes}.{name}")));
        std::fs::write(&files[0], bytemuck::cast_slice(&pixels)).expect("a temporary file");
        std::fs::write(&files[1], &mask).expect("a temporary file");
        Self { spec, pixels, mask, files }
    }

    /// Seconds for the first overview.
    fn ours(&self, resampling: Resampling) -> f64 {
        let options = EncodeOptions::new().compression(Compression::None).predictor(Predictor::None);
        let without = self.seconds(&options.clone().overviews(Overviews::None));
        self.seconds(&options.overviews(Overviews::Count(1)).resampling(resampling)) - without
    }

    /// Seconds from rows in memory to tiles.
    fn seconds(&self, options: &EncodeOptions) -> f64 {
        let plan = CogPlan::new(&self.spec, &GeoRef::default(), &Metadata::default(), options).expect("a valid plan");
        let source = SliceSource::new(self.spec.clone(), &self.pixels).expect("pixels of this size");
        let mut source =
            if self.spec.mask { source.with_mask(&self.mask).expect("a mask of this size") } else { source };
        let (executor, store) = (Executor::serial(), StoreOptions::in_memory());
        let go_on = &mut |_| ControlFlow::Continue(());
        let began = Instant::now();
        encode_to_sink(&mut source, &plan, &executor, &store, &mut Dropped, go_on).expect("nothing can fail");
        began.elapsed().as_secs_f64()
    }

    /// The request to GDAL.
    fn question(&self, resampling: Resampling) -> String {
        let files = self.files.each_ref().map(|file| file.display().to_string());
        let mask = if self.spec.mask { &files[1] } else { "-" };
        let nodata = self.spec.nodata.map_or("-".to_owned(), |_| NODATA.to_string());
        let ImageSpec { width, height, bands, .. } = self.spec;
        format!("{}\t{mask}\t{}\t{width}\t{height}\t{bands}\t{nodata}\t{}", files[0], T::DATA_TYPE, resampling.name())
    }
}

/// Drops all tiles.
struct Dropped;

impl TileSink for Dropped {
    fn append(&mut self, _: SectionId, _: &[u8]) -> cogsmith::Result<()> {
        Ok(())
    }

    fn finish(&mut self, _: &FinishedFile, _: &mut dyn FnMut() -> cogsmith::Result<()>) -> cogsmith::Result<()> {
        Ok(())
    }
}

/// The process that runs GDAL.
struct Gdal {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Gdal {
    /// Starts it; says on standard output which version there is, or that there is none.
    fn start() -> Option<Self> {
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
        let python =
            std::env::var_os("GDAL_PYTHON").map_or_else(|| target.join("judges-venv/bin/python"), PathBuf::from);
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/support/gdal_overviews.py");
        let found = Self::run(&python, &script);
        if found.is_none() {
            println!("GDAL: MISSING. {} has no osgeo.gdal; set GDAL_PYTHON, or run", python.display());
            println!("`scripts/test.sh build judges`. Its columns stay empty.");
        }
        found
    }

    fn run(python: &Path, script: &Path) -> Option<Self> {
        let mut child = Command::new(python).arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
        let questions = child.stdin.take()?;
        let mut gdal = Self { questions, answers: BufReader::new(child.stdout.take()?), child };
        let version = gdal.answer();
        if version.is_empty() {
            return None;
        }
        println!("{version}, one thread, {}", python.display());
        Some(gdal)
    }

    fn answer(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("an answer of GDAL's process");
        line.trim().to_owned()
    }

    /// Seconds for the first overview; `None` where GDAL has no such kernel.
    fn seconds(&mut self, question: &str) -> Option<f64> {
        writeln!(self.questions, "{question}").expect("GDAL's process runs");
        let answer = self.answer();
        if answer == "-" { None } else { Some(answer.parse().expect("seconds of GDAL's process")) }
    }
}

impl Drop for Gdal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn median(mut seconds: Vec<f64>) -> Option<f64> {
    seconds.sort_by(f64::total_cmp);
    seconds.get(seconds.len() / 2).copied()
}

/// Runs the kernels on one image and prints a line for each.
fn cases<T: Height>(gdal: &mut Option<Gdal>, words: &[String], side: u32, bands: u32, gaps: Gaps) {
    let kind = match gaps {
        Gaps::None => "none",
        Gaps::Nodata => "nodata",
        Gaps::Mask => "mask",
    };
    let size = if side.is_multiple_of(2) { "even" } else { "odd" };
    let name = |method: Resampling| {
        let bands = if bands == 1 { "1 band".to_owned() } else { format!("{bands} bands") };
        format!("{:<4} {bands:<8} {size:<5} {kind:<7} {:<12}", T::DATA_TYPE.name(), method.name())
    };
    let picked = |method: Resampling| {
        let name = name(method);
        words.iter().all(|word| name.split_whitespace().any(|part| part == word))
    };
    let directory = tempfile::tempdir().expect("a temporary directory");
    for classes in [false, true] {
        let methods = Resampling::ALL.iter().copied().filter(|method| (*method == Resampling::Mode) == classes);
        let methods: Vec<_> = methods.filter(|method| picked(*method)).collect();
        if methods.is_empty() {
            continue;
        }
        let image = Image::<T>::new(directory.path(), side, bands, gaps, classes);
        let megabytes = size_of_val(&image.pixels[..]) as f64 / 1e6;
        for method in methods {
            let (mut ours, mut theirs) = (Vec::new(), Vec::new());
            for _ in 0..ROUNDS {
                ours.push(image.ours(method));
                theirs.extend(gdal.as_mut().and_then(|gdal| gdal.seconds(&image.question(method))));
            }
            let (ours, theirs) = (median(ours).unwrap_or(f64::NAN), median(theirs));
            let beside = theirs.map_or(format!("{:>9} {:>9}", "-", "-"), |theirs| {
                format!("{:>9.0} {:>8.1}x", megabytes / theirs, theirs / ours)
            });
            println!("{} {:>9.0} {beside}", name(method), megabytes / ours);
        }
    }
}

fn main() {
    // Cargo adds an option of its own.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    println!("cogsmith {}, one thread; MB/s of input, medians of {ROUNDS} runs", env!("CARGO_PKG_VERSION"));
    let gdal = &mut Gdal::start();
    println!("{:<40} {:>9} {:>9} {:>9}", "type bands    size  gaps    kernel", "MB/s", "GDAL", "ratio");
    for side in [SIDE, SIDE - 1] {
        for gaps in [Gaps::None, Gaps::Nodata, Gaps::Mask] {
            cases::<u8>(gdal, &words, side, 1, gaps);
            cases::<u16>(gdal, &words, side, 1, gaps);
            cases::<f32>(gdal, &words, side, 1, gaps);
        }
        let side = side - SIDE / 2;
        cases::<u8>(gdal, &words, side, 3, Gaps::None);
        cases::<u8>(gdal, &words, side, 3, Gaps::Nodata);
        cases::<u16>(gdal, &words, side, 4, Gaps::None);
        cases::<f32>(gdal, &words, side, 3, Gaps::None);
    }
}
