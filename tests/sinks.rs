//! Sources and sinks that misbehave: an error comes back, and nothing else happens.

mod support;

use std::io::{self, Write};
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use cogsmith::conformance::{SinkHarness, check_sink};
use cogsmith::file_sink;
use cogsmith::{
    BigTiff, CogPlan, Compression, DataType, EncodeOptions, ErrorKind, Executor, FileOptions, GeoRef, ImageSpec,
    Interleave, MemorySink, Metadata, OutputFile, Overviews, PixelSource, SpooledSink, StoreOptions, Stripe, TileSink,
    TileSize,
};
use support::images::{Computed, encode};

fn spec() -> ImageSpec {
    ImageSpec::new(200, 150, 2, DataType::U16).mask(true)
}

fn options() -> EncodeOptions {
    EncodeOptions::new().tile_size(TileSize::square(64))
}

fn encode_into(writer: &mut dyn Write, source: &mut dyn PixelSource) -> cogsmith::Result<()> {
    let plan = CogPlan::new(&spec(), &GeoRef::default(), &Metadata::default(), &options())?;
    let store = StoreOptions::new().memory(10_000);
    let go_on = &mut |_| ControlFlow::Continue(());
    cogsmith::encode(source, &plan, &Executor::serial(), &store, writer, go_on).map(|_| ())
}

/// Takes a few bytes at a time, with interruptions.
struct Hesitant {
    bytes: Vec<u8>,
    calls: usize,
}

impl Write for Hesitant {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.calls += 1;
        if self.calls.is_multiple_of(5) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let count = bytes.len().min(1 + self.calls % 3);
        self.bytes.extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn short_writes_lose_nothing() {
    let expected = encode(&spec(), &options(), &Executor::serial());
    let mut writer = Hesitant { bytes: Vec::new(), calls: 0 };
    encode_into(&mut writer, &mut Computed { spec: spec() }).unwrap();
    assert!(writer.bytes == expected);
}

/// Fails at a given byte.
struct Full {
    left: usize,
}

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let count = bytes.len().min(self.left);
        self.left -= count;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn an_error_at_any_byte_comes_back() {
    let length = encode(&spec(), &options(), &Executor::serial()).len();
    let places = (0..64).chain((64..length).step_by(997)).chain([length - 1]);
    for left in places {
        let error = encode_into(&mut Full { left }, &mut Computed { spec: spec() }).unwrap_err();
        match error.kind() {
            ErrorKind::Io { source, .. } => assert_eq!(source.kind(), io::ErrorKind::StorageFull, "at byte {left}"),
            other => panic!("at byte {left}: {other:?}"),
        }
    }
}

/// Writes nothing and says so.
struct Stuck;

impl Write for Stuck {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Ok(0)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_sink_that_takes_nothing_is_an_error() {
    let error = encode_into(&mut Stuck, &mut Computed { spec: spec() }).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Io { source, .. } if source.kind() == io::ErrorKind::WriteZero));
}

/// Fails from a given row on.
struct Broken {
    inner: Computed,
    row: u32,
}

impl PixelSource for Broken {
    fn spec(&self) -> &ImageSpec {
        self.inner.spec()
    }

    fn read_rows(&mut self, first_row: u32, stripe: &mut Stripe<'_>, executor: &Executor) -> cogsmith::Result<()> {
        if first_row + stripe.rows as u32 > self.row {
            let source = io::Error::from(io::ErrorKind::UnexpectedEof);
            return Err(ErrorKind::Io { action: "read", path: None, source }.into());
        }
        self.inner.read_rows(first_row, stripe, executor)
    }
}

#[test]
fn an_error_of_the_source_comes_back_and_nothing_is_written() {
    for row in [0, 1, 64, 149] {
        let mut bytes = Vec::new();
        let error = encode_into(&mut bytes, &mut Broken { inner: Computed { spec: spec() }, row }).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Io { .. }), "{error}");
        assert!(bytes.is_empty());
    }
}

#[test]
fn a_source_of_another_shape_is_refused() {
    let mut source = Computed { spec: spec().width(201) };
    let error = encode_into(&mut Vec::new(), &mut source).unwrap_err();
    assert!(error.to_string().contains("201x150"), "{error}");
}

#[test]
fn the_caller_can_stop() {
    let plan = CogPlan::new(&spec(), &GeoRef::default(), &Metadata::default(), &options()).unwrap();
    let mut bytes = Vec::new();
    let mut source = Computed { spec: spec() };
    let stop = &mut |_| ControlFlow::Break(());
    let result = cogsmith::encode(&mut source, &plan, &Executor::serial(), &StoreOptions::default(), &mut bytes, stop);
    assert!(matches!(result.unwrap_err().kind(), ErrorKind::Cancelled));
    assert!(bytes.is_empty());
}

#[test]
fn an_unusable_spool_folder_is_named() {
    let plan = CogPlan::new(&spec(), &GeoRef::default(), &Metadata::default(), &options()).unwrap();
    let store = StoreOptions::new().memory(0).directory("/nowhere/at/all");
    let go_on = &mut |_| ControlFlow::Continue(());
    let mut source = Computed { spec: spec() };
    let error = cogsmith::encode(&mut source, &plan, &Executor::serial(), &store, &mut Vec::new(), go_on).unwrap_err();
    assert!(error.to_string().contains("/nowhere/at/all"), "{error}");
}

#[test]
fn a_file_gets_the_bytes_that_a_stream_gets() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("out.tif");
    // With overviews the file is begun before its end is known, without any at once.
    let alone = options().overviews(Overviews::None).big_tiff(BigTiff::Yes).statistics(true);
    let cases = [options().compression(Compression::None), options().compression(Compression::DEFLATE), alone];
    for case in cases {
        for (interleave, mask) in
            [Interleave::Pixel, Interleave::Band, Interleave::Tile].map(|i| [(i, false), (i, true)]).concat()
        {
            // Everything in memory, everything in the temporary file, and a bit of both.
            for memory in [u64::MAX, 0, 5_000] {
                let spec = spec().mask(mask);
                let options = case.clone().interleave(interleave);
                let expected = encode(&spec, &options, &Executor::serial());
                let plan = CogPlan::new(&spec, &GeoRef::default(), &Metadata::default(), &options).unwrap();
                for executor in [Executor::serial(), Executor::threads(3).unwrap()] {
                    let store = StoreOptions::new().memory(memory).batch(1).directory(directory.path());
                    let mut output = OutputFile::create(&path, &FileOptions::new().overwrite(true)).unwrap();
                    let (mut source, go_on) = (Computed { spec: spec.clone() }, &mut |_| ControlFlow::Continue(()));
                    let summary =
                        cogsmith::encode_to_output(&mut source, &plan, &executor, &store, &mut output, go_on).unwrap();
                    output.commit().unwrap();
                    let name = format!("{options:?} mask {mask} memory {memory}");
                    assert!(std::fs::read(&path).unwrap() == expected, "{name}");
                    assert_eq!(summary.bytes, expected.len() as u64, "{name}");
                    let waits = mask || options.compression != Compression::None;
                    assert_eq!(summary.spooled > 0, waits && memory <= 5_000, "{name}");
                }
            }
        }
    }
}

/// The bytes of a file that other code can still see when the writer is gone.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct InMemory;

impl SinkHarness for InMemory {
    type Sink = MemorySink;

    fn make(&mut self, _: &CogPlan) -> cogsmith::Result<MemorySink> {
        Ok(MemorySink::new())
    }

    fn file(&mut self, sink: MemorySink) -> cogsmith::Result<Option<Vec<u8>>> {
        Ok(Some(sink.into_bytes()).filter(|bytes| !bytes.is_empty()))
    }

    fn is_atomic(&self) -> bool {
        false
    }
}

struct Spooled {
    memory: u64,
    written: Shared,
}

impl SinkHarness for Spooled {
    type Sink = SpooledSink<Shared>;

    fn make(&mut self, _: &CogPlan) -> cogsmith::Result<Self::Sink> {
        self.written = Shared::default();
        let options = StoreOptions::new().memory(self.memory);
        Ok(SpooledSink::new(self.written.clone(), options))
    }

    fn file(&mut self, sink: Self::Sink) -> cogsmith::Result<Option<Vec<u8>>> {
        drop(sink);
        Ok(Some(self.written.0.lock().unwrap().clone()).filter(|bytes| !bytes.is_empty()))
    }

    fn is_atomic(&self) -> bool {
        false
    }
}

struct ToFile {
    memory: u64,
    folder: tempfile::TempDir,
}

impl SinkHarness for ToFile {
    type Sink = Box<dyn TileSink + Send>;

    fn make(&mut self, plan: &CogPlan) -> cogsmith::Result<Self::Sink> {
        let output = OutputFile::create(&self.folder.path().join("out.tif"), &FileOptions::default())?;
        let options = StoreOptions::new().memory(self.memory);
        file_sink(plan, &options, output)
    }

    /// Nothing but the whole file is ever seen in the folder.
    fn file(&mut self, sink: Self::Sink) -> cogsmith::Result<Option<Vec<u8>>> {
        drop(sink);
        let files: Vec<_> = std::fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        let [path] = files.as_slice() else {
            assert!(files.is_empty(), "{files:?}");
            return Ok(None);
        };
        let bytes = std::fs::read(path).unwrap();
        std::fs::remove_file(path).unwrap();
        Ok(Some(bytes))
    }
}

#[test]
fn every_sink_conforms() {
    check_sink(&mut InMemory);
    for memory in [0, 5_000, u64::MAX] {
        check_sink(&mut Spooled { memory, written: Shared::default() });
        check_sink(&mut ToFile { memory, folder: tempfile::tempdir().unwrap() });
    }
}
