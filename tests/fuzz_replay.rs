//! Replay of kept fuzzing inputs: every file of `fuzz/corpus` and `fuzz/crashes`, without libFuzzer.
//! Then as many changed files as `COGSMITH_FUZZ_ROUNDS` says (30 unless it is set), the same ones every time unless
//! `COGSMITH_FUZZ_SEED` is a number: no search, but at full speed.

#![cfg(all(feature = "geotiff", feature = "mosaic", feature = "spool"))]

#[path = "../fuzz/src/lib.rs"]
mod fuzz;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use fuzz::{Choices, TARGETS};

/// Files of a folder, by name.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> =
        fs::read_dir(folder).into_iter().flatten().map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
}

fn replay(name: &str) {
    let (_, run) = TARGETS.iter().find(|(target, _)| *target == name).expect("a target");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let corpus = files(&root.join("corpus").join(name));
    assert!(corpus.len() >= 10, "fuzz/corpus/{name} has {} files", corpus.len());
    let crashes = root.join("crashes").join(name);
    let mut failed = Vec::new();
    let mut known = Vec::new();
    for file in corpus.into_iter().chain(files(&crashes)) {
        let bytes = fs::read(&file).expect("a readable file");
        if catch_unwind(AssertUnwindSafe(|| run(&bytes))).is_err() {
            failed.push(file);
        }
        known.push(bytes);
    }
    let number = |name, default| std::env::var(name).map_or(default, |value| value.parse().expect("a number"));
    let mut random = Random(number("COGSMITH_FUZZ_SEED", 1));
    for _ in 0..number("COGSMITH_FUZZ_ROUNDS", 30) {
        let bytes = changed(&known, &mut random);
        if catch_unwind(AssertUnwindSafe(|| run(&bytes))).is_err() {
            fs::create_dir_all(&crashes).expect("a folder for crashes");
            let file = crashes.join(format!("changed-{:016x}", random.0));
            fs::write(&file, &bytes).expect("a crash that is kept");
            failed.push(file);
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit.max(1)
    }
}

/// One of the files with a few changes.
fn changed(known: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut bytes = known[random.below(known.len())].clone();
    for _ in 0..=random.below(6) {
        let at = random.below(bytes.len());
        let end = (at + 1 + random.below(40)).min(bytes.len());
        match random.below(6) {
            0 if !bytes.is_empty() => bytes[at] ^= 1 << random.below(8),
            1 if !bytes.is_empty() => bytes[at] = [0, 1, 0x7F, 0x80, 0xFF][random.below(5)],
            2 if !bytes.is_empty() => bytes[at] = random.below(256) as u8,
            3 if at < end => bytes.extend_from_within(at..end),
            4 if at < end => drop(bytes.drain(at..end)),
            _ => bytes.extend((0..random.below(20)).map(|_| random.below(256) as u8).collect::<Vec<_>>()),
        }
    }
    bytes
}

macro_rules! targets {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            replay(stringify!($name));
        })*

        #[test]
        fn every_target_is_replayed_and_fuzzed() {
            let names = [$(stringify!($name)),*];
            assert_eq!(TARGETS.map(|(name, _)| name), names);
            let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
            let programs = files(&root.join("fuzz_targets"));
            let programs: Vec<_> = programs.iter().filter_map(|path| path.file_stem()?.to_str()).collect();
            assert_eq!(programs, names);
        }
    };
}

targets! { deflate lerc lzw plan predictor reader repack round_trip shards validate vrt zstd }

#[test]
fn choices_reach_every_manner_of_bytes() {
    let mut random = 1u32;
    let bytes: Vec<u8> = (0..4000)
        .map(|_| {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            random.to_be_bytes()[0]
        })
        .collect();
    let made = Choices::new(&bytes).structured(500_000);
    assert!(made.len() > 100_000, "{}", made.len());
    assert!((0..=255u8).all(|value| made.contains(&value)));
    assert_eq!(Choices::new(&[]).filled(7), [0; 7]);
}
