//! Overviews that are finished already are kept as they come.

#![cfg(feature = "geotiff")]

mod support;

use std::ops::ControlFlow;

use cogsmith::distributed::{ShardOptions, ShardPlan};
use cogsmith::{
    CogPlan, CogWriter, Compression, DataType, EncodeOptions, ErrorKind, Executor, FileOptions, GeoRef, GeoTiffSource,
    ImageSpec, Interleave, Metadata, OptionField, OutputFile, Overviews, PixelSource, ReadOptions, Resampling,
    SliceSource, StoreOptions, TileSize,
};
use support::images::{Computed, encode};

fn plan(spec: &ImageSpec, options: &EncodeOptions) -> CogPlan {
    CogPlan::new(spec, &GeoRef::default(), &Metadata::default(), options).unwrap()
}

/// The levels of a file, the image first.
fn levels(file: &[u8], count: usize) -> Vec<GeoTiffSource> {
    let read = ReadOptions::default();
    let overviews = (0..count - 1).map(|index| GeoTiffSource::overview(file.to_vec(), &read, index).unwrap());
    std::iter::once(GeoTiffSource::from_reader(file.to_vec(), &read).unwrap()).chain(overviews).collect()
}

fn borrowed(sources: &mut [GeoTiffSource]) -> Vec<&mut dyn PixelSource> {
    sources.iter_mut().map(|source| source as &mut dyn PixelSource).collect()
}

fn cases() -> Vec<(ImageSpec, EncodeOptions)> {
    let mut cases = Vec::new();
    for data_type in [DataType::U8, DataType::F32, DataType::CF64] {
        for (mask, interleave) in [(false, Interleave::Band), (true, Interleave::Pixel), (true, Interleave::Tile)] {
            for compression in [Compression::None, Compression::DEFLATE, Compression::Lzw] {
                let spec = ImageSpec::new(133, 217, 3, data_type).mask(mask);
                let options = EncodeOptions::new()
                    .tile_size(TileSize { width: 64, height: 32 })
                    .overview_tile_size(TileSize::square(48))
                    .overviews(Overviews::Factors(vec![2, 3, 10]))
                    .resampling(Resampling::Nearest)
                    .interleave(interleave)
                    .compression(compression)
                    .statistics(!data_type.is_complex());
                cases.push((spec, options));
            }
        }
    }
    cases
}

#[test]
fn levels_as_they_were_computed_give_the_same_bytes() {
    for (spec, options) in cases() {
        let name = format!("{} {:?} {:?} {}", spec.data_type, options.interleave, options.compression, spec.mask);
        let expected = encode(&spec, &options, &Executor::serial());
        let finished = Overviews::Finished(vec![(67, 109), (45, 73), (14, 22)]);
        let plan = plan(&spec, &options.overviews(finished));
        assert_eq!(plan.levels().len(), 4);
        for threads in [1, 3] {
            let executor = Executor::threads(threads).unwrap();
            let mut bytes = Vec::new();
            let store = StoreOptions::new().memory(10_000).batch(1);
            let mut told = Vec::new();
            let go_on = &mut |progress: cogsmith::Progress| {
                told.push(progress.rows_done);
                ControlFlow::Continue(())
            };
            let sources = &mut levels(&expected, 4);
            cogsmith::encode_levels(&mut borrowed(sources), &plan, &executor, &store, &mut bytes, go_on).unwrap();
            assert!(bytes == expected, "{name}, {threads} threads");
            assert!(told.is_sorted() && told.last() == Some(&217), "{name}: {told:?}");

            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("out.tif");
            let mut output = OutputFile::create(&path, &FileOptions::default()).unwrap();
            let store = StoreOptions::new().verify(true);
            let go_on = &mut |_| ControlFlow::Continue(());
            let sources = &mut levels(&expected, 4);
            cogsmith::encode_levels_to_output(&mut borrowed(sources), &plan, &executor, &store, &mut output, go_on)
                .unwrap();
            output.commit().unwrap();
            assert!(std::fs::read(path).unwrap() == expected, "{name}, to a file");
        }
    }
}

#[test]
fn levels_that_no_kernel_would_make_are_kept() {
    let spec = ImageSpec::new(100, 90, 1, DataType::U16);
    let options = EncodeOptions::new().overviews(Overviews::Finished(vec![(33, 90), (20, 1)]));
    let pixels = [vec![1u16; 100 * 90], vec![2u16; 33 * 90], (0..20).collect()];
    let sizes = [(100, 90), (33, 90), (20, 1)];
    let mut sources: Vec<_> = pixels
        .iter()
        .zip(sizes)
        .map(|(pixels, (width, height))| SliceSource::new(spec.clone().width(width).height(height), pixels).unwrap())
        .collect();
    let mut sources: Vec<_> = sources.iter_mut().map(|source| source as &mut dyn PixelSource).collect();
    let (mut file, go_on) = (Vec::new(), &mut |_| ControlFlow::Continue(()));
    let (executor, store) = (Executor::serial(), StoreOptions::default());
    cogsmith::encode_levels(&mut sources, &plan(&spec, &options), &executor, &store, &mut file, go_on).unwrap();
    let text = String::from_utf8_lossy(&file);
    assert!(!text.contains("OVERVIEW_RESAMPLING"), "nobody knows how they were made");
    for ((source, expected), (width, height)) in levels(&file, 3).iter_mut().zip(&pixels).zip(sizes) {
        let spec = source.spec().clone();
        assert_eq!((spec.width, spec.height), (width, height));
        let options = EncodeOptions::new().overviews(Overviews::None);
        let again = cogsmith::encode_to_vec(source, &plan(&spec, &options)).unwrap();
        let direct =
            cogsmith::encode_to_vec(&mut SliceSource::new(spec.clone(), expected).unwrap(), &plan(&spec, &options));
        assert!(again == direct.unwrap(), "{width}x{height}");
    }
}

#[test]
fn a_plan_of_finished_overviews_travels() {
    let spec = ImageSpec::new(100, 90, 1, DataType::U16);
    let options = EncodeOptions::new().overviews(Overviews::Finished(vec![(33, 90), (20, 1)]));
    let plan = plan(&spec, &options);
    let arrived = CogPlan::from_bytes(&plan.to_bytes()).unwrap();
    assert_eq!(arrived.levels(), plan.levels());
    assert_eq!(arrived.to_bytes(), plan.to_bytes());
}

#[test]
fn levels_that_do_not_fit_the_plan_are_refused() {
    let spec = ImageSpec::new(100, 90, 1, DataType::U16);
    let options = EncodeOptions::new().overviews(Overviews::Finished(vec![(50, 45)]));
    let plan = plan(&spec, &options);
    let half = spec.clone().width(50).height(45);
    let wrong = [
        vec![spec.clone()],
        vec![spec.clone(), half.clone(), half.clone()],
        vec![half.clone(), spec.clone()],
        vec![spec.clone(), half.clone().height(46)],
        vec![spec.clone(), half.clone().bands(2)],
        vec![spec.clone(), half.clone().data_type(DataType::I16)],
        vec![spec, half.mask(true)],
    ];
    for specs in wrong {
        let mut sources: Vec<_> = specs.iter().map(|spec| Computed { spec: spec.clone() }).collect();
        let mut sources: Vec<_> = sources.iter_mut().map(|source| source as &mut dyn PixelSource).collect();
        let (mut bytes, go_on) = (Vec::new(), &mut |_| ControlFlow::Continue(()));
        let (executor, store) = (Executor::serial(), StoreOptions::default());
        let result = cogsmith::encode_levels(&mut sources, &plan, &executor, &store, &mut bytes, go_on);
        let error = result.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::InvalidImage { .. }), "{specs:?}: {error}");
        assert!(bytes.is_empty());
    }
}

#[test]
fn finished_overviews_and_computed_ones_are_not_mixed_up() {
    let spec = ImageSpec::new(100, 90, 1, DataType::U16);
    let options = EncodeOptions::new().overviews(Overviews::Finished(vec![(50, 45)]));
    let finished = plan(&spec, &options);
    let (executor, store) = (Executor::serial(), StoreOptions::default());
    let shards = ShardPlan::new(finished.clone(), &ShardOptions::new().width(64).height(64));
    let writer = CogWriter::to_writer(finished.clone(), executor.clone(), store.clone(), std::io::sink()).map(|_| ());
    let vector = cogsmith::encode_to_vec(&mut Computed { spec: spec.clone() }, &finished).map(|_| ());
    let computed = plan(&spec, &options.overviews(Overviews::Factors(vec![2])));
    let (mut bytes, go_on) = (Vec::new(), &mut |_| ControlFlow::Continue(()));
    let mut full = Computed { spec: spec.clone() };
    let mut half = Computed { spec: spec.width(50).height(45) };
    let sources: &mut [&mut dyn PixelSource] = &mut [&mut full, &mut half];
    let levels = cogsmith::encode_levels(sources, &computed, &executor, &store, &mut bytes, go_on).map(|_| ());
    for result in [shards.map(|_| ()), writer, vector, levels] {
        let error = result.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::InvalidOption { option: OptionField::Overviews, .. }), "{error}");
    }
}

/// Converts a file with the overviews that it has, and returns the levels of the result and the summary.
fn convert_existing(file: &[u8], options: &EncodeOptions) -> (Vec<u8>, cogsmith::Summary) {
    let folder = tempfile::tempdir().unwrap();
    let [from, to] = ["in.tif", "out.tif"].map(|name| folder.path().join(name));
    std::fs::write(&from, file).unwrap();
    let options = cogsmith::CogOptions::new()
        .encode_options(options.clone().overviews(Overviews::Existing).resampling(Resampling::Average))
        .verify(true);
    let summary = cogsmith::convert(&from, &to, &options).unwrap();
    (std::fs::read(to).unwrap(), summary)
}

#[test]
fn overviews_of_the_source_are_taken_where_they_fit() {
    let options = EncodeOptions::new().tile_size(TileSize::square(32)).overviews(Overviews::Factors(vec![2, 4, 8]));
    for (mask, interleave) in [(false, Interleave::Pixel), (true, Interleave::Pixel), (true, Interleave::Band)] {
        let spec = ImageSpec::new(133, 217, 2, DataType::U16).mask(mask);
        let options = options.clone().interleave(interleave);
        let nearest = encode(&spec, &options.clone().resampling(Resampling::Nearest), &Executor::serial());
        let (file, summary) = convert_existing(&nearest, &options);
        assert_eq!(summary.levels.iter().map(|level| level.existing).collect::<Vec<_>>(), [false, true, true, true]);
        assert!(summary.warnings.is_empty(), "{:?}", summary.warnings);
        let sizes = vec![(67, 109), (34, 55), (17, 28)];
        let expected = plan(&spec, &options.clone().overviews(Overviews::Finished(sizes)));
        let (mut bytes, go_on) = (Vec::new(), &mut |_| ControlFlow::Continue(()));
        let sources = &mut levels(&nearest, 4);
        let (executor, store) = (Executor::serial(), StoreOptions::default());
        cogsmith::encode_levels(&mut borrowed(sources), &expected, &executor, &store, &mut bytes, go_on).unwrap();
        assert!(file == bytes, "mask {mask}, {interleave:?}");
    }
}

#[test]
fn overviews_that_the_source_lacks_are_computed_from_the_level_above() {
    let spec = ImageSpec::new(200, 160, 1, DataType::U8);
    let finished = plan(&spec, &EncodeOptions::new().overviews(Overviews::Finished(vec![(66, 53), (50, 40)])));
    let (full, third, quarter) = (vec![1u8; 200 * 160], vec![3u8; 66 * 53], vec![9u8; 50 * 40]);
    let mut sources = [
        SliceSource::new(spec.clone(), &full).unwrap(),
        SliceSource::new(spec.clone().width(66).height(53), &third).unwrap(),
        SliceSource::new(spec.width(50).height(40), &quarter).unwrap(),
    ];
    let mut sources: Vec<_> = sources.iter_mut().map(|source| source as &mut dyn PixelSource).collect();
    let (mut file, go_on) = (Vec::new(), &mut |_| ControlFlow::Continue(()));
    let (executor, store) = (Executor::serial(), StoreOptions::default());
    cogsmith::encode_levels(&mut sources, &finished, &executor, &store, &mut file, go_on).unwrap();

    let (converted, summary) = convert_existing(&file, &EncodeOptions::new().tile_size(TileSize::square(32)));
    let existing: Vec<_> = summary.levels.iter().map(|level| (level.width, level.height, level.existing)).collect();
    assert_eq!(existing, [(200, 160, false), (100, 80, false), (50, 40, true), (25, 20, false)]);
    assert_eq!(summary.warnings, ["overviews that the source does not have are computed: 100x80, 25x20"]);
    let means: Vec<_> = levels(&converted, 4)
        .iter_mut()
        .map(|level| {
            let alone = EncodeOptions::new().overviews(Overviews::None).statistics(true);
            let plan = plan(&level.spec().clone(), &alone);
            let mut sink = cogsmith::MemorySink::new();
            let go_on = &mut |_| ControlFlow::Continue(());
            let summary =
                cogsmith::encode_to_sink(level, &plan, &executor, &StoreOptions::in_memory(), &mut sink, go_on)
                    .unwrap();
            (summary.statistics[0].minimum, summary.statistics[0].maximum)
        })
        .collect();
    assert_eq!(means, [(1.0, 1.0), (1.0, 1.0), (9.0, 9.0), (9.0, 9.0)]);
}

#[test]
fn overviews_of_the_source_are_refused_by_encoders_that_do_not_see_it() {
    let spec = ImageSpec::new(2000, 2000, 1, DataType::U8).overviews([(1000, 1000)]);
    let plan = plan(&spec, &EncodeOptions::new().overviews(Overviews::Existing));
    let refused = CogWriter::to_writer(plan.clone(), Executor::serial(), StoreOptions::default(), Vec::new());
    assert!(matches!(refused.unwrap_err().kind(), ErrorKind::InvalidOption { option: OptionField::Overviews, .. }));
    assert!(ShardPlan::new(plan, &ShardOptions::default()).is_err());
}
