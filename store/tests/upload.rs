//! Uploads to a server with the interface of S3 that fails on demand.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use cogsmith::conformance::{SinkHarness, check_sink};
use cogsmith::ndarray;
use cogsmith::{CogOptions, CogPlan, Compression, ErrorKind, Interleave, Summary, TileSize, to_vec, write_to_sink};
use cogsmith_store::object_store::ObjectStoreExt;
use cogsmith_store::object_store::memory::InMemory;
use cogsmith_store::{
    ObjectSink, StorageOptions, Store, StoreError, StoreErrorKind, Target, UploadOptions, WriteOptions, write,
};
use support::{Fault, Random, Server};

/// The minimum part size of the servers, in bytes.
const MIN_PART: usize = 1000;
const KEY: &str = "folder/a.tif";
const SECRET: &str = "wJalrXUtnFEMIsecret";

fn storage(server: &Server) -> StorageOptions {
    StorageOptions::new()
        .use_environment(false)
        .endpoint(&server.url)
        .option("access_key_id", "AKIA")
        .option("secret_access_key", SECRET)
        .retries(12, Duration::from_secs(4))
}

fn target() -> Target {
    Target::parse(&format!("s3://bucket/{KEY}")).unwrap()
}

fn store(server: &Server) -> Store {
    Store::open(&target(), &storage(server)).unwrap()
}

/// Parts of 4000 bytes, so that small images have many.
fn upload() -> UploadOptions {
    UploadOptions::new().min_part_size(MIN_PART as u64).part_size(4000)
}

/// Pixels that hardly compress.
fn pixels(seed: u64, rows: usize, columns: usize) -> ndarray::Array2<u16> {
    let mut random = Random(seed);
    ndarray::Array2::from_shape_fn((rows, columns), |_| (random.next() >> 55) as u16)
}

fn cog() -> CogOptions {
    CogOptions::new().tile_size(TileSize::square(64)).threads(2)
}

fn send(
    store: &Store,
    upload: &UploadOptions,
    pixels: &ndarray::Array2<u16>,
    cog: &CogOptions,
) -> cogsmith::Result<Summary> {
    let sink = |plan: &CogPlan| ObjectSink::new(store, &target(), plan, upload);
    write_to_sink(sink, pixels, cog).map(|(summary, _)| summary)
}

struct Harness {
    server: Server,
    upload: UploadOptions,
}

impl SinkHarness for Harness {
    type Sink = ObjectSink;

    fn make(&mut self, plan: &CogPlan) -> cogsmith::Result<ObjectSink> {
        ObjectSink::new(&store(&self.server), &target(), plan, &self.upload)
    }

    fn file(&mut self, sink: ObjectSink) -> cogsmith::Result<Option<Vec<u8>>> {
        drop(sink);
        assert!(self.server.state().uploads.is_empty(), "an upload is still open");
        Ok(self.server.take(KEY))
    }
}

#[test]
fn parts_with_gaps_make_the_local_file() {
    let mut harness = Harness { server: Server::start(MIN_PART), upload: upload() };
    check_sink(&mut harness);
    let log = harness.server.state().log.clone();
    assert!(log.iter().filter(|(kind, _)| *kind == "part").count() > 1000, "hardly any parts");
}

#[test]
fn contiguous_parts_make_the_local_file() {
    let server = Server::start(MIN_PART);
    server.state().needs_equal_parts = true;
    check_sink(&mut Harness { server, upload: upload().contiguous_parts(true) });
}

#[test]
fn small_files_are_written_in_one_request() {
    for contiguous in [false, true] {
        let server = Server::start(MIN_PART);
        let (pixels, cog) = (pixels(1, 20, 30), cog());
        send(&store(&server), &UploadOptions::new().contiguous_parts(contiguous), &pixels, &cog).unwrap();
        assert_eq!(server.object(KEY), Some(to_vec(&pixels, &cog).unwrap()));
        let kinds: Vec<_> = server.state().log.iter().map(|(kind, _)| *kind).collect();
        assert_eq!(kinds, ["head", "put"]);
        let content_type = &server.state().types[KEY];
        assert_eq!(content_type, "image/tiff; application=geotiff; profile=cloud-optimized");
    }
}

#[test]
fn full_resolution_is_sent_before_the_last_row_is_read() {
    let server = Server::start(MIN_PART);
    let (image, cog) = (pixels(2, 2000, 300), cog().row_memory(1));
    let (first, last) = (AtomicUsize::new(usize::MAX), AtomicUsize::new(0));
    let watching = Watching { inner: owned(image.clone()), server: &server, first: &first, last: &last };
    let sink = |plan: &CogPlan| ObjectSink::new(&store(&server), &target(), plan, &upload());
    write_to_sink(sink, watching, &cog).unwrap();
    assert_eq!(server.object(KEY), Some(to_vec(&image, &cog).unwrap()));
    let parts = server.state().log.iter().filter(|(kind, _)| *kind == "part").count();
    let (first, last) = (first.into_inner(), last.into_inner());
    assert!(first == 0 && last > parts / 2, "{last} of {parts} parts before the last row");
}

/// Counts the parts that have been sent when the first and the last row are read.
struct Watching<'a> {
    inner: Owned,
    server: &'a Server,
    first: &'a AtomicUsize,
    last: &'a AtomicUsize,
}

impl cogsmith::PixelSource for Watching<'_> {
    fn spec(&self) -> &cogsmith::ImageSpec {
        self.inner.spec()
    }

    fn read_rows(
        &mut self,
        first_row: u32,
        stripe: &mut cogsmith::Stripe<'_>,
        executor: &cogsmith::Executor,
    ) -> cogsmith::Result<()> {
        let parts = self.server.state().log.iter().filter(|(kind, _)| *kind == "part").count();
        self.first.fetch_min(parts, Ordering::Relaxed);
        self.last.fetch_max(parts, Ordering::Relaxed);
        self.inner.read_rows(first_row, stripe, executor)
    }
}

impl cogsmith::RasterSource for Watching<'_> {}

#[test]
fn objects_are_replaced_only_on_request() {
    let server = Server::start(MIN_PART);
    let (old, new) = (pixels(3, 200, 200), pixels(4, 210, 200));
    send(&store(&server), &upload(), &old, &cog()).unwrap();
    let error = send(&store(&server), &upload(), &new, &cog()).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::TargetExists { .. }), "{error}");
    assert_eq!(error.to_string(), "'s3://bucket/folder/a.tif' already exists");
    assert_eq!(server.object(KEY), Some(to_vec(&old, &cog()).unwrap()));
    send(&store(&server), &upload().overwrite(true), &new, &cog()).unwrap();
    assert_eq!(server.object(KEY), Some(to_vec(&new, &cog()).unwrap()));
    assert!(server.state().uploads.is_empty());
}

#[test]
fn of_two_writers_one_wins() {
    for contiguous in [false, true] {
        let server = Server::start(MIN_PART);
        let store = store(&server);
        let upload = upload().contiguous_parts(contiguous);
        let outcomes: Vec<_> = std::thread::scope(|scope| {
            let writers: Vec<_> = (0..4u64)
                .map(|seed| {
                    let (store, upload) = (&store, &upload);
                    // Without compression, all files have the same size.
                    scope.spawn(move || {
                        send(store, upload, &pixels(seed, 300, 200), &cog().compression(Compression::None))
                    })
                })
                .collect();
            writers.into_iter().map(|writer| writer.join().unwrap()).collect()
        });
        let won: Vec<_> = (0..4).filter(|seed| outcomes[*seed].is_ok()).collect();
        assert_eq!(won.len(), 1, "{outcomes:?}");
        let expected = to_vec(&pixels(won[0] as u64, 300, 200), &cog().compression(Compression::None)).unwrap();
        assert_eq!(server.object(KEY), Some(expected));
        for error in outcomes.into_iter().filter_map(Result::err) {
            assert!(matches!(error.kind(), ErrorKind::TargetExists { .. }), "{error}");
        }
        assert!(server.state().uploads.is_empty());
    }
}

#[test]
fn lost_answers_and_error_bodies_of_the_completion_are_survived() {
    let image = pixels(5, 300, 200);
    let expected = to_vec(&image, &cog()).unwrap();
    for faults in [
        vec![Fault::Lost],
        vec![Fault::ErrorBody],
        vec![Fault::Status(500), Fault::Lost],
        vec![Fault::Cut, Fault::ErrorBody, Fault::Lost],
        vec![Fault::Lost; 3],
    ] {
        for overwrite in [false, true] {
            let server = Server::start(MIN_PART);
            server.state().planned = faults.iter().map(|fault| ("complete", *fault)).collect();
            send(&store(&server), &upload().overwrite(overwrite), &image, &cog()).unwrap();
            assert_eq!(server.object(KEY).as_ref(), Some(&expected), "{faults:?}");
            assert!(server.state().uploads.is_empty());
        }
    }
    // The answer to a single request, too.
    let (server, image) = (Server::start(MIN_PART), pixels(6, 20, 20));
    server.state().planned = vec![("put", Fault::Lost)];
    send(&store(&server), &UploadOptions::new(), &image, &cog()).unwrap();
    assert_eq!(server.object(KEY), Some(to_vec(&image, &cog()).unwrap()));
}

#[test]
fn failures_leave_nothing() {
    let image = pixels(7, 300, 200);
    for kind in ["head", "create", "part", "complete"] {
        let server = Server::start(MIN_PART);
        server.state().planned = vec![(kind, Fault::Status(403))];
        let result = send(&store(&server), &upload(), &image, &cog());
        if kind == "head" {
            // Without the right to list, the question has no answer; the completion asks it again.
            result.unwrap();
            continue;
        }
        let error = result.unwrap_err();
        assert_eq!(StoreError::of(&error).map(StoreError::kind), Some(StoreErrorKind::AccessDenied), "{error}");
        assert!(error.to_string().starts_with("cannot write 's3://bucket/folder/a.tif': access is denied"), "{error}");
        assert!(server.object(KEY).is_none() && server.state().uploads.is_empty(), "{kind}");
    }
    // An abort that fails says what is left.
    let server = Server::start(MIN_PART);
    server.state().planned = vec![("part", Fault::Status(403)), ("abort", Fault::Status(403))];
    let error = send(&store(&server), &upload(), &image, &cog()).unwrap_err().to_string();
    let command = "aws s3api abort-multipart-upload --bucket bucket --key folder/a.tif --upload-id upload-1";
    assert!(error.contains(command), "{error}");
}

#[test]
fn random_faults_give_the_file_or_nothing() {
    let runs: u64 = std::env::var("COGSMITH_FAULT_RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(40);
    let (image, options) = (pixels(8, 260, 200), cog());
    let expected = to_vec(&image, &options).unwrap();
    let written = std::sync::atomic::AtomicU64::new(0);
    std::thread::scope(|scope| {
        for lane in 0..4 {
            let (image, options, expected, written) = (&image, &options, &expected, &written);
            scope.spawn(move || {
                for run in (lane..runs).step_by(4) {
                    let server = Server::start(MIN_PART);
                    server.state().random = Random(run);
                    // From many faults to few.
                    server.state().fault_one_in = 2 + run % 10;
                    let upload = upload().contiguous_parts(run % 3 == 0).overwrite(run % 2 == 0);
                    let outcome = send(&store(&server), &upload, image, options);
                    server.state().fault_one_in = 0;
                    match outcome {
                        Ok(_) => {
                            assert_eq!(server.object(KEY).as_ref(), Some(expected), "run {run}");
                            written.fetch_add(1, Ordering::Relaxed);
                        }
                        Err(error) => {
                            let is_clean = server.state().uploads.is_empty() || error.to_string().contains("abort");
                            assert!(server.object(KEY).is_none() && is_clean, "run {run}: {error}");
                        }
                    }
                }
            });
        }
    });
    let written = written.into_inner();
    assert!(written > runs / 2, "only {written} of {runs} files were written");
}

#[test]
fn refused_parts_have_a_hint_to_contiguous_ones() {
    let server = Server::start(MIN_PART);
    server.state().needs_equal_parts = true;
    let error = send(&store(&server), &upload(), &pixels(9, 300, 200), &cog()).unwrap_err();
    assert_eq!(StoreError::of(&error).map(StoreError::kind), Some(StoreErrorKind::PartsRefused), "{error}");
    assert!(server.state().uploads.is_empty());
}

#[test]
fn problems_of_buckets_and_servers_are_named() {
    let server = Server::start(MIN_PART);
    let image = pixels(10, 300, 200);
    let other = Target::parse("s3://other/a.tif").unwrap();
    let missing = Store::open(&other, &storage(&server)).unwrap();
    let sink = |plan: &CogPlan| ObjectSink::new(&missing, &other, plan, &upload());
    let error = write_to_sink(sink, &image, &cog()).unwrap_err();
    assert_eq!(StoreError::of(&error).map(StoreError::kind), Some(StoreErrorKind::NoBucket), "{error}");

    let down = storage(&server).endpoint("http://127.0.0.1:9").retries(1, Duration::from_secs(1));
    let error = send(&Store::open(&target(), &down).unwrap(), &upload(), &image, &cog()).unwrap_err();
    assert_eq!(StoreError::of(&error).map(StoreError::kind), Some(StoreErrorKind::Unreachable), "{error}");
    assert!(!error.to_string().contains(SECRET) && !error.to_string().contains('?'), "{error}");
}

#[test]
fn anonymous_requests_have_no_signature() {
    let server = Server::start(MIN_PART);
    let options = StorageOptions::new().use_environment(false).endpoint(&server.url).anonymous();
    let image = pixels(11, 300, 200);
    send(&Store::open(&target(), &options).unwrap(), &upload(), &image, &cog()).unwrap();
    assert_eq!(server.object(KEY), Some(to_vec(&image, &cog()).unwrap()));
    assert!(server.state().auth.is_empty());
}

#[test]
fn a_flag_stops_the_wait_for_a_store() {
    let server = Server::start(MIN_PART);
    server.state().planned = vec![("part", Fault::Status(503)); 1000];
    let flag = Arc::new(AtomicBool::new(false));
    let storage = storage(&server).retries(1000, Duration::from_secs(600));
    let store = Store::open(&target(), &storage).unwrap();
    let options = upload().cancelled_by(Arc::clone(&flag));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(300));
            flag.store(true, Ordering::Relaxed);
        });
        let error = send(&store, &options, &pixels(12, 2000, 200), &cog()).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Cancelled), "{error}");
    });
    assert!(server.object(KEY).is_none() && server.state().uploads.is_empty());
}

#[test]
fn wrapped_stores_take_contiguous_parts() {
    let memory = Arc::new(InMemory::new());
    let (image, cog) = (pixels(13, 900, 700), cog().interleave(Interleave::Band));
    let store = Store::from_store(Arc::clone(&memory)).unwrap();
    send(&store, &upload(), &image, &cog).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let bytes = runtime.block_on(async { memory.get(&KEY.into()).await.unwrap().bytes().await.unwrap() });
    assert_eq!(bytes, to_vec(&image, &cog).unwrap());
    let error = send(&store, &upload(), &image, &cog).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::TargetExists { .. }), "{error}");
}

/// An image that owns its pixels.
fn owned(image: ndarray::Array2<u16>) -> Owned {
    let (rows, columns) = image.dim();
    let spec = cogsmith::ImageSpec::new(columns as u32, rows as u32, 1, cogsmith::DataType::U16);
    Owned { image, spec, delay: Duration::ZERO }
}

struct Owned {
    image: ndarray::Array2<u16>,
    spec: cogsmith::ImageSpec,
    delay: Duration,
}

impl cogsmith::PixelSource for Owned {
    fn spec(&self) -> &cogsmith::ImageSpec {
        &self.spec
    }

    fn read_rows(
        &mut self,
        first_row: u32,
        stripe: &mut cogsmith::Stripe<'_>,
        executor: &cogsmith::Executor,
    ) -> cogsmith::Result<()> {
        std::thread::sleep(self.delay);
        cogsmith::ArraySource::new(self.image.view())?.read_rows(first_row, stripe, executor)
    }
}

impl cogsmith::RasterSource for Owned {}

#[test]
fn asynchronous_writing_gives_the_same_bytes() {
    let server = Server::start(MIN_PART);
    let image = pixels(14, 500, 300);
    let options = WriteOptions::from(cog()).upload(upload());
    for runtime in [tokio::runtime::Builder::new_current_thread(), tokio::runtime::Builder::new_multi_thread()] {
        let mut runtime = runtime;
        let runtime = runtime.enable_all().build().unwrap();
        let summary = runtime.block_on(write(&store(&server), &target(), owned(image.clone()), &options)).unwrap();
        let written = server.take(KEY).unwrap();
        assert_eq!(written.len() as u64, summary.bytes);
        assert_eq!(written, to_vec(&image, &cog()).unwrap());
    }
}

#[test]
fn a_dropped_future_aborts_the_upload() {
    let server = Server::start(MIN_PART);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let options = WriteOptions::from(cog().row_memory(1)).upload(upload());
    runtime.block_on(async {
        let slow = Owned { delay: Duration::from_millis(30), ..owned(pixels(15, 4000, 300)) };
        let (store, target) = (store(&server), target());
        let writing = write(&store, &target, slow, &options);
        assert!(tokio::time::timeout(Duration::from_millis(500), writing).await.is_err(), "it was too fast");
    });
    // The thread that encodes notices at its next rows.
    for _ in 0..200 {
        let state = server.state();
        if state.log.iter().any(|(kind, _)| *kind == "abort") && state.uploads.is_empty() {
            break;
        }
        drop(state);
        std::thread::sleep(Duration::from_millis(50));
    }
    let state = server.state();
    assert!(state.uploads.is_empty() && state.objects.is_empty());
    assert!(state.log.iter().any(|(kind, _)| *kind == "part"), "nothing was sent before");
}
