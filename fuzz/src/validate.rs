//! `validate` and `info`: a verdict on any bytes, within bounds; what they call valid can be read, and so can what we write.

use std::fmt::Debug;

use cogsmith::check::{self, CheckOptions, Depth, Report, Severity};
use cogsmith::{CogPlan, ErrorKind, Executor, GeoRef, GeoTiffSource, Metadata, PixelSource, ReadOptions};

use super::Choices;
use super::image::{Image, Scale, options, other_codecs, read, spec};

/// Bytes of tiles that are decoded, and the most that one may have: libFuzzer is told how much memory that is at most.
const DECODED: u64 = 4 << 20;
/// Images of more bytes are judged, but not read.
const MOST: u64 = 1 << 18;

/// A TIFF file unchanged; other bytes make a file of ours with a few bytes changed.
pub fn run(data: &[u8]) {
    if data.starts_with(b"II") || data.starts_with(b"MM") {
        return judge(data);
    }
    let choices = &mut Choices::new(data);
    let spec = spec(choices, Scale::Small);
    let mut options = options(choices, Scale::Small, spec.bands);
    other_codecs(choices, &spec, &mut options);
    let changes: Vec<_> = (0..choices.below(6)).map(|_| (choices.u32() as usize, choices.byte())).collect();
    let near = choices.flag();
    let Ok(plan) = CogPlan::new(&spec, &GeoRef::default(), &Metadata::default(), &options) else { return };
    let mut image = Image::new(spec, choices);
    if !image.is_decided(&plan, options.mask) {
        return;
    }
    let mut file = image.encode(&plan, 1);
    sound(&file, "none", &(&image.spec, &options));
    for (at, value) in changes {
        // Header and directories, or anything.
        let most = if near { file.len().min(1500) } else { file.len() };
        file[at % most] = value;
    }
    judge(&file);
}

/// A file of a plan: valid, whatever the plan, except for rules whose names start like this. `what` describes the plan in a
/// failure.
pub fn sound(file: &[u8], but: &str, what: &dyn Debug) {
    for depth in [Depth::Full, Depth::Quick] {
        let options = CheckOptions::full().depth(depth);
        let report = check::validate(&file, &options, &Executor::serial()).expect("a TIFF file");
        let wrong = report.findings.iter().filter(|finding| finding.rule.severity == Severity::Error);
        let wrong: Vec<_> = wrong.filter(|finding| !finding.rule.id.starts_with(but)).collect();
        assert!(wrong.is_empty(), "{depth:?}: {wrong:?} {what:?}");
        let unjudged = report.counts.contains_key("tile-unjudged");
        assert!(!unjudged && (depth == Depth::Quick || report.tiles_decoded == report.tiles), "{:?}", report.findings);
    }
    check::inspect(&file).expect("it can be inspected");
}

fn judge(file: &[u8]) {
    let of = |depth| {
        let options = CheckOptions::full().depth(depth).decode_limit(DECODED);
        match check::validate(&file, &options, &Executor::serial()) {
            Ok(report) => Some(report),
            // In memory nothing else can fail.
            Err(error) => {
                assert!(matches!(error.kind(), ErrorKind::Corrupt { .. } | ErrorKind::NotTiff { .. }), "{error}");
                None
            }
        }
    };
    let (full, quick, info) = (of(Depth::Full), of(Depth::Quick), check::inspect(&file));
    assert_eq!(full.is_some(), quick.is_some());
    let (Some(full), Some(quick)) = (full, quick) else { return assert!(info.is_err()) };
    [&full, &quick].into_iter().for_each(adds_up);
    let judged = !full.counts.contains_key("tile-unjudged");
    // A sample sees no more than everything; but it compares overviews of some damaged files where the other does not.
    let missed = quick.counts.keys().find(|rule| !full.counts.contains_key(*rule) && **rule != "overview-content");
    assert!(missed.is_none() || !judged, "only a sample finds {missed:?}");
    if let Ok(info) = &info {
        assert_eq!(info.bytes, file.len() as u64);
        for view in [info.open, info.whole_view, info.detail_view] {
            assert!(view.bytes <= info.bytes && view.requests <= info.bytes.div_ceil(16_384), "{view:?}");
        }
    }
    if full.is_valid(false) {
        info.expect("what is valid can be inspected");
        if judged {
            readable(file);
        }
    }
}

/// Counts and findings agree.
fn adds_up(report: &Report) {
    for (rule, count) in &report.counts {
        let kept = report.findings.iter().filter(|finding| finding.rule.id == *rule).count() as u64;
        assert_eq!(kept, (*count).min(20), "{rule}");
    }
    let all: u64 = report.counts.values().sum();
    let severities = [Severity::Note, Severity::Warning, Severity::Error];
    assert_eq!(severities.map(|severity| report.count(severity)).iter().sum::<u64>(), all);
    assert!(report.tiles_decoded <= report.tiles, "{} of {}", report.tiles_decoded, report.tiles);
}

/// Our reader takes what is valid, or says which feature it lacks.
fn readable(file: &[u8]) {
    let mut source = match GeoTiffSource::from_reader(file.to_vec(), &ReadOptions::default()) {
        Ok(source) => source,
        Err(error) => {
            return assert!(!matches!(error.kind(), ErrorKind::Corrupt { .. } | ErrorKind::NotTiff { .. }), "{error}");
        }
    };
    let spec = source.spec();
    let row = u64::from(spec.width) * u64::from(spec.bands) * spec.data_type.size() as u64;
    if row * u64::from(spec.height) <= MOST {
        let height = spec.height;
        read(&mut source, height).expect("what is valid can be read");
    }
}
