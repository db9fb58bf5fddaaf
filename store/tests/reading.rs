//! Inputs from web servers and stores that fail on demand.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use cogsmith::check::{self, CheckOptions};
use cogsmith::{
    CogOptions, Error, Executor, InputFiles, MosaicOptions, ReadAt, ReadOptions, TileSize, ndarray, to_vec,
};
use cogsmith_store::{Object, Objects, ReaderOptions, StoreError, StoreErrorKind};
use support::Random;
use support::web::{Reply, Web, numbers, options, s3};

const KIB: usize = 1024;

/// Bytes that differ everywhere.
fn noise(len: usize) -> Vec<u8> {
    let mut random = Random(7);
    (0..len).map(|_| (random.next() >> 56) as u8).collect()
}

/// A COG of noise.
fn cog(side: usize, tile: u32) -> Vec<u8> {
    let mut random = Random(side as u64);
    let pixels = ndarray::Array2::from_shape_fn((side, side), |_| (random.next() >> 52) as u16);
    to_vec(&pixels, &CogOptions::new().tile_size(TileSize::square(tile)).threads(2)).unwrap()
}

fn read(object: &Object, start: usize, len: usize) -> Result<Vec<u8>, std::io::Error> {
    let mut bytes = vec![0; len];
    let mut filled = 0;
    while filled < len {
        match object.read_at((start + filled) as u64, &mut bytes[filled..])? {
            0 => break,
            count => filled += count,
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

fn kind(error: &Error) -> StoreErrorKind {
    StoreError::of(error).unwrap_or_else(|| panic!("{error}")).kind()
}

fn kind_of(error: &std::io::Error) -> StoreErrorKind {
    error.get_ref().unwrap().downcast_ref::<StoreError>().unwrap().kind()
}

#[test]
fn any_bytes_are_those_of_the_file() {
    let file = noise(3_000_000);
    let web = Web::of(file.clone());
    let object = Object::open(&format!("{}/a.tif", web.url), &options()).unwrap();
    assert_eq!((object.len(), web.count()), (file.len() as u64, 1));
    let mut random = Random(3);
    for _ in 0..200 {
        let (start, len) = (random.below(3_000_100) as usize, random.below(300_000) as usize);
        let found = read(&object, start, len).unwrap();
        let end = (start + len).min(file.len());
        assert!(found == file[start.min(end)..end], "{len} bytes at {start}");
    }
    let (requests, bytes) = numbers(object.traffic());
    assert_eq!(requests, web.count() as u64);
    // Nothing is fetched twice, since all of it fits in memory.
    assert!(bytes <= file.len() as u64, "{bytes} bytes");
    for asked in web.log().iter().skip(1) {
        assert_eq!(asked.header("if-match"), Some("\"1\""));
    }
}

#[test]
fn a_header_takes_two_requests_and_pixels_few() {
    // 40,000 tiles of 16 pixels: a header of some 320 KiB.
    for (side, tile, most) in [(1500, 256, 1), (800, 16, 2), (1600, 16, 2)] {
        let file = cog(side, tile);
        let web = Web::of(file.clone());
        let object = Object::open(&web.url, &options()).unwrap();
        let info = check::inspect(&object).unwrap();
        assert_eq!(info, check::inspect(&file).unwrap());
        assert!(web.count() <= most, "{side}/{tile}: {} requests for a header", web.count());
        let before = web.count();
        let report = check::validate(&object, &CheckOptions::full(), &Executor::threads(2).unwrap()).unwrap();
        assert!(report.is_valid(false));
        let least = file.len() / (4 << 20) + 1;
        // Each level is read by itself.
        assert!(web.count() - before <= 3 * (least + info.levels.len()), "{} requests", web.count() - before);
    }
}

#[test]
fn a_quick_check_takes_the_header_and_a_few_tiles() {
    let file = cog(3000, 256);
    let web = Web::of(file);
    let object = Object::open(&web.url, &options()).unwrap();
    let quick = CheckOptions::quick().sample_bytes(CheckOptions::REMOTE_SAMPLE);
    let report = check::validate(&object, &quick, &Executor::serial()).unwrap();
    assert!(report.is_valid(false) && report.tiles_decoded > 0);
    let (_, bytes) = numbers(object.traffic());
    assert!(bytes < 64 * 1024 + CheckOptions::REMOTE_SAMPLE + 200_000, "{bytes} bytes");
}

#[test]
fn what_a_server_cannot_do_is_an_error() {
    let file = noise(100 * KIB);
    let body = file.clone();
    for (reply, expected) in [
        (Reply { status: 200, body: body.clone(), ..Reply::default() }, StoreErrorKind::NoRanges),
        (Reply { status: 206, body: body.clone(), ..Reply::default() }, StoreErrorKind::NoRanges),
        (
            Reply {
                status: 206,
                headers: vec![("content-range", "bytes 5-9/10".into())],
                body: noise(5),
                ..Reply::default()
            },
            StoreErrorKind::NoRanges,
        ),
        (Reply::status(404), StoreErrorKind::NotFound),
        (Reply::status(403), StoreErrorKind::AccessDenied),
        (Reply::status(401), StoreErrorKind::AccessDenied),
        (Reply::status(500), StoreErrorKind::Unreachable),
        (Reply::status(418), StoreErrorKind::Other),
        (
            Reply {
                cut: Some(5),
                ..Reply {
                    status: 206,
                    headers: vec![("content-range", "bytes 0-9/10".into())],
                    body: noise(10),
                    ..Reply::default()
                }
            },
            StoreErrorKind::Unreachable,
        ),
    ] {
        let status = reply.status;
        let web = Web::start(move |_| reply.clone());
        let address = format!("{}/a.tif?sig=SECRET", web.url.replace("://", "://user:SECRET@"));
        let error = Object::open(&address, &options()).unwrap_err();
        assert_eq!(kind(&error), expected, "{status}: {error}");
        assert!(!error.to_string().contains("SECRET") && error.to_string().contains("/a.tif'"), "{error}");
        assert!(!format!("{error:?}").contains("SECRET"), "{error:?}");
        // Only what may pass by itself is asked for again.
        assert_eq!(web.count(), if expected == StoreErrorKind::Unreachable { 5 } else { 1 });
    }
    let web = Web::of(Vec::new());
    assert_eq!(Object::open(&web.url, &options()).unwrap().len(), 0);
    let closed = { std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap() };
    let error = Object::open(&format!("http://{closed}/a.tif?SECRET"), &options()).unwrap_err();
    assert!(kind(&error) == StoreErrorKind::Unreachable && !error.to_string().contains("SECRET"), "{error}");
}

#[test]
fn an_object_that_changes_is_an_error() {
    let file = noise(1000 * KIB);
    for (tag, other, is_if_match) in [("\"1\"", "\"2\"", true), ("W/\"1\"", "W/\"2\"", false)] {
        for scheme in ["http", "s3"] {
            let (own, served) = (file.clone(), Arc::new(AtomicBool::new(false)));
            let changed = Arc::clone(&served);
            let web = Web::start(move |asked| {
                Reply::range(asked, &own, if changed.load(Ordering::Relaxed) { other } else { tag })
            });
            let address = if scheme == "s3" { "s3://bucket/a.tif".to_owned() } else { format!("{}/a.tif", web.url) };
            let object = Object::open(&address, &s3(&web)).unwrap();
            assert!(read(&object, 100 * KIB, 10).is_ok());
            served.store(true, Ordering::Relaxed);
            for _ in 0..2 {
                let error = read(&object, 900 * KIB, 10).unwrap_err();
                assert_eq!(kind_of(&error), StoreErrorKind::Changed, "{error}");
            }
            assert_eq!(web.log().last().unwrap().header("if-match").is_some(), is_if_match);
            // What is in memory is of the object that was opened.
            assert!(read(&object, 0, 64 * KIB).unwrap() == file[..64 * KIB]);
        }
    }
    // Without an ETag, the date tells; without both, the size.
    let longer = Web::start(move |asked| {
        let mut reply = Reply::range(asked, &noise(if asked.number == 0 { 400_000 } else { 400_001 }), "");
        reply.headers.truncate(1);
        reply
    });
    let object = Object::open(&longer.url, &options()).unwrap();
    assert_eq!(kind_of(&read(&object, 300_000, 10).unwrap_err()), StoreErrorKind::Changed);
}

#[test]
fn redirects_are_followed_without_credentials() {
    let file = noise(400 * KIB);
    let target = Web::of(file.clone());
    let to = format!("{}/moved.tif?sig=SECRET", target.url);
    for hops in [0, 1, 5, 6] {
        let to = to.clone();
        let web = Web::start(move |asked| {
            let next: usize = asked.path.trim_start_matches('/').parse().unwrap();
            Reply::redirect(302, &if next + 1 < hops { format!("/{}", next + 1) } else { to.clone() })
        });
        let before = target.count();
        let address = format!("{}/0?token=SECRET", web.url.replace("://", "://me:SECRET@"));
        let address = address.replace("?token=SECRET", "");
        let opened = Object::open(&address, &options());
        if hops > 5 {
            let error = opened.unwrap_err().to_string();
            assert!(error.contains("more than 5 times") && !error.contains("SECRET"), "{error}");
            continue;
        }
        let object = opened.unwrap();
        assert!(read(&object, 300 * KIB, 1000).unwrap() == file[300 * KIB..300 * KIB + 1000]);
        assert!(web.log().iter().all(|asked| asked.header("authorization") == Some("Basic bWU6U0VDUkVU")));
        assert!(target.log()[before..].iter().all(|asked| asked.header("authorization").is_none()));
        // The end of the redirects is remembered.
        assert_eq!((web.count(), target.count() - before), (hops.max(1), 2));
    }
    let web = Web::start(|_| Reply::redirect(301, "ftp://host/a.tif"));
    assert!(Object::open(&web.url, &options()).unwrap_err().to_string().contains("neither http nor https"));
}

#[test]
fn an_expired_redirect_is_asked_for_again() {
    let file = noise(400 * KIB);
    let bytes = file.clone();
    let target = Web::start(move |asked| match asked.number {
        1 => Reply::status(403),
        _ => Reply::range(asked, &bytes, "\"1\""),
    });
    let to = target.url.clone();
    let web = Web::start(move |asked| Reply::redirect(307, &format!("{to}/{}", asked.number)));
    let object = Object::open(&web.url, &options()).unwrap();
    assert!(read(&object, 300 * KIB, 1000).unwrap() == file[300 * KIB..300 * KIB + 1000]);
    let paths: Vec<_> = target.log().iter().map(|asked| asked.path.clone()).collect();
    assert_eq!(paths, ["/0", "/0", "/1"]);
}

#[test]
fn conversions_survive_faults_and_give_the_local_file() {
    let folder = tempfile::tempdir().unwrap();
    let (input, local, remote) =
        (folder.path().join("in.tif"), folder.path().join("a.tif"), folder.path().join("b.tif"));
    for (side, tile, tall) in [(1700, 128, false), (1300, 0, true)] {
        if tall {
            // A strip of more than 8 MiB is decoded piece by piece.
            std::fs::write(&input, strip(side, 8000)).unwrap();
        } else {
            std::fs::write(&input, cog(side, tile)).unwrap();
        }
        let bytes = std::fs::read(&input).unwrap();
        let expected = cogsmith::convert(&input, &local, &CogOptions::new().overwrite(true)).unwrap();
        for scheme in ["http", "s3"] {
            let (bytes, failures) = (bytes.clone(), Arc::new(AtomicUsize::new(0)));
            let failed = Arc::clone(&failures);
            let web = Web::start(move |asked| {
                let reply = Reply::range(asked, &bytes, "\"1\"");
                // One fault for every second request, and never two in a row of the same.
                if asked.number % 2 == 1 {
                    return reply;
                }
                failed.fetch_add(1, Ordering::Relaxed);
                match asked.number / 2 % 5 {
                    0 => Reply::status(503),
                    1 => Reply { cut: Some(reply.body.len() / 2), ..reply },
                    2 => Reply::status(429),
                    3 => Reply::default(),
                    _ => Reply::status(500),
                }
            });
            let address =
                if scheme == "s3" { "/vsis3/bucket/a b.tif".to_owned() } else { format!("/vsicurl/{}/a.tif", web.url) };
            let many = s3(&web).retries(50, Duration::from_secs(60));
            let objects = Objects::new(&ReaderOptions::new().storage(many)).unwrap();
            let read = ReadOptions::new().addresses(objects.addresses());
            let cog = CogOptions::new().read_options(read).overwrite(true);
            let summary = cogsmith::convert(&address, &remote, &cog).unwrap();
            assert_eq!(summary.bytes, expected.bytes);
            assert!(std::fs::read(&remote).unwrap() == std::fs::read(&local).unwrap(), "{scheme}, tall: {tall}");
            assert!(failures.load(Ordering::Relaxed) > 0);
            assert_eq!(objects.traffic().requests, web.count() as u64);
        }
    }
}

/// A TIFF of bytes in one strip.
fn strip(columns: usize, rows: usize) -> Vec<u8> {
    let mut file = vec![b'I', b'I', 42, 0, 8, 0, 0, 0];
    let entries: [(u16, u16, u32); 8] = [
        (256, 4, columns as u32),
        (257, 4, rows as u32),
        (258, 3, 8),
        (259, 3, 1),
        (262, 3, 1),
        (273, 4, 8 + 2 + 8 * 12 + 4),
        (278, 4, rows as u32),
        (279, 4, (columns * rows) as u32),
    ];
    file.extend((entries.len() as u16).to_le_bytes());
    for (tag, kind, value) in entries {
        file.extend(tag.to_le_bytes());
        file.extend(kind.to_le_bytes());
        file.extend(1u32.to_le_bytes());
        file.extend(value.to_le_bytes());
    }
    file.extend([0; 4]);
    file.extend(noise(columns * rows));
    file
}

#[test]
fn requests_in_flight_and_memory_are_bounded() {
    let file = noise(20 << 20);
    let bytes = file.clone();
    let web =
        Web::start(move |asked| Reply { delay: Duration::from_millis(20), ..Reply::range(asked, &bytes, "\"1\"") });
    let reader = ReaderOptions::new().storage(options()).in_flight(3).memory(4 << 20);
    let object = Objects::new(&reader).unwrap().open(&web.url).unwrap();
    let tile = 100_000u64;
    let ranges = || (0..200).map(move |index| index * tile..(index + 1) * tile);
    for index in 0..200usize {
        object.read_ahead(&mut ranges().skip(index));
        let found = read(&object, index * tile as usize, tile as usize).unwrap();
        assert!(found == file[index * tile as usize..(index + 1) * tile as usize]);
    }
    let (requests, bytes) = numbers(object.traffic());
    // Announced ranges are fetched once, next to each other, and ahead.
    assert!(bytes <= 200 * tile + 70_000, "{bytes} bytes");
    assert!(requests <= 202, "{requests} requests");
    let most = web.most_at_once.load(Ordering::SeqCst);
    assert!((2..=3).contains(&most), "{most} at once");
}

#[test]
fn a_flag_ends_the_wait() {
    let file = noise(400 * KIB);
    let web = Web::start(move |asked| Reply {
        delay: Duration::from_secs(if asked.number == 0 { 0 } else { 30 }),
        ..Reply::range(asked, &file, "\"1\"")
    });
    let flag = Arc::new(AtomicBool::new(false));
    let reader = ReaderOptions::new().storage(options()).cancelled_by(Arc::clone(&flag));
    let object = Objects::new(&reader).unwrap().open(&web.url).unwrap();
    let began = Instant::now();
    let setter = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(100));
        flag.store(true, Ordering::Relaxed);
    });
    assert_eq!(kind_of(&read(&object, 300 * KIB, 10).unwrap_err()), StoreErrorKind::Cancelled);
    assert!(began.elapsed() < Duration::from_secs(10));
    setter.join().unwrap();
}

#[test]
fn several_inputs_share_connections_and_keep_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let tiles: Vec<_> = (0..2)
        .map(|index| {
            let pixels = ndarray::Array2::<u8>::from_elem((300, 300), 1 + index as u8);
            let transform = cogsmith::Transform::north_up(f64::from(index) * 300.0, 0.0, 1.0, 1.0).unwrap();
            to_vec(&pixels, &CogOptions::new().transform(transform)).unwrap()
        })
        .collect();
    let (first, second) = (tiles[0].clone(), tiles[1].clone());
    let web = Web::start(move |asked| {
        let file = if asked.path.contains("/tiles/B1") { &first } else { &second };
        Reply::range(asked, file, "\"1\"")
    });
    let addresses: Vec<_> = [1, 2].iter().map(|band| format!("{}/tiles/B{band}.tif?sig=SECRET", web.url)).collect();
    let list = folder.path().join("list.txt");
    std::fs::write(&list, addresses.join("\n")).unwrap();
    let at = format!("@{}", list.display());
    let objects = Objects::new(&options().into()).unwrap();
    let read = ReadOptions::new().addresses(objects.addresses());
    let cog = CogOptions::new().read_options(read).overwrite(true);
    let error = InputFiles::find([&at], None).unwrap_err();
    assert!(!error.to_string().contains("SECRET"), "{error}");
    let files = InputFiles::find([&at], Some(format!("{}/tiles", web.url).as_ref())).unwrap();
    let (mosaic, stack) = (folder.path().join("mosaic.tif"), folder.path().join("stack.tif"));
    let summary = cogsmith::mosaic(&files, &mosaic, &MosaicOptions::new(), &cog).unwrap();
    assert_eq!((summary.width, summary.height), (600, 300));
    // An input is opened twice, and its header requested once.
    assert_eq!(web.count(), 2);
    let error = cogsmith::stack(&files, &stack, &cog).unwrap_err();
    assert!(error.to_string().contains("B2.tif") && !error.to_string().contains("SECRET"), "{error}");
    let one = InputFiles::find([&addresses[0]], None).unwrap();
    cogsmith::stack(&one, &stack, &cog).unwrap();
    let bytes = std::fs::read(&stack).unwrap();
    assert!(!bytes.windows(6).any(|bytes| bytes == b"SECRET"));
    let names = check::inspect(&bytes).unwrap().metadata;
    assert!(names.iter().any(|item| item.value == "B1"), "{names:?}");
}

#[test]
fn many_inputs_are_opened_at_once() {
    let tile = to_vec(&ndarray::Array2::<u8>::zeros((16, 16)), &CogOptions::new()).unwrap();
    let web =
        Web::start(move |asked| Reply { delay: Duration::from_millis(50), ..Reply::range(asked, &tile, "\"1\"") });
    let addresses: Vec<_> = (0..60).map(|index| format!("{}/{index}.tif", web.url)).collect();
    let objects = Objects::new(&options().into()).unwrap();
    let read = ReadOptions::new().addresses(objects.addresses());
    let files = InputFiles::find(&addresses, None).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let cog = CogOptions::new().read_options(read).threads(1);
    let summary = cogsmith::stack(&files, folder.path().join("a.tif"), &cog).unwrap();
    assert_eq!((summary.bands, web.count()), (60, 60));
    let most = web.most_at_once.load(Ordering::SeqCst);
    assert!((4..=8).contains(&most), "{most} at once");
}

#[test]
fn a_vrt_at_an_address_opens_nothing() {
    let web = Web::start(|asked| {
        let text = b"<VRTDataset rasterXSize=\"1\" rasterYSize=\"1\"><VRTRasterBand/></VRTDataset>";
        Reply::range(asked, text, "\"1\"")
    });
    let objects = Objects::new(&options().into()).unwrap();
    let read = ReadOptions::new().addresses(objects.addresses());
    let Err(error) = cogsmith::open(format!("{}/a.vrt", web.url), &read) else { panic!("it was opened") };
    assert!(error.to_string().contains("a VRT at an address"), "{error}");
    let Err(error) = cogsmith::open("ftp://host/a.tif?SECRET", &read) else { panic!("it was opened") };
    assert!(error.to_string().contains("a web address") && !error.to_string().contains("SECRET"), "{error}");
}
