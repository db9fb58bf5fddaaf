//! A web server that sends ranges of files, and fails on demand.

use std::collections::BTreeMap;
use std::io::{BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cogsmith_store::{StorageOptions, Traffic};

use super::http::Head;

/// A request.
#[derive(Debug, Clone)]
pub struct Asked {
    /// With the query.
    pub path: String,
    pub headers: BTreeMap<String, String>,
    /// The number of the request, counted from 0.
    pub number: usize,
}

impl Asked {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// The bytes that are asked for.
    pub fn range(&self) -> (usize, usize) {
        let range = self.header("range").unwrap().strip_prefix("bytes=").unwrap();
        let (first, last) = range.split_once('-').unwrap();
        (first.parse().unwrap(), last.parse::<usize>().unwrap() + 1)
    }
}

/// An answer.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    /// The connection ends after this many bytes of the body.
    pub cut: Option<usize>,
    pub delay: Duration,
}

impl Reply {
    pub fn status(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    pub fn redirect(status: u16, to: &str) -> Self {
        Self { status, headers: vec![("location", to.to_owned())], ..Self::default() }
    }

    /// A range of a file, with its ETag.
    pub fn range(asked: &Asked, file: &[u8], etag: &str) -> Self {
        let (start, end) = asked.range();
        if start >= file.len() {
            return Self {
                status: 416,
                headers: vec![("content-range", format!("bytes */{}", file.len()))],
                ..Self::default()
            };
        }
        if asked.header("if-match").is_some_and(|condition| condition != etag) {
            return Self::status(412);
        }
        let end = end.min(file.len());
        let range = format!("bytes {start}-{}/{}", end - 1, file.len());
        let modified = "Mon, 30 Nov 2026 12:00:00 GMT".to_owned();
        let headers = vec![("content-range", range), ("etag", etag.to_owned()), ("last-modified", modified)];
        Self { status: 206, headers, body: file[start..end].to_vec(), ..Self::default() }
    }
}

type Handler = dyn Fn(&Asked) -> Reply + Send + Sync;

/// A running server; it ends with the process.
pub struct Web {
    pub url: String,
    log: Arc<Mutex<Vec<Asked>>>,
    pub most_at_once: Arc<AtomicUsize>,
}

impl Web {
    pub fn start(handler: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (log, most_at_once): (Arc<Mutex<Vec<Asked>>>, Arc<AtomicUsize>) = Default::default();
        let handler: Arc<Handler> = Arc::new(handler);
        let shared = (Arc::clone(&log), Arc::clone(&most_at_once), Arc::new(AtomicUsize::new(0)), handler);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (log, most, now, handler) = shared.clone();
                std::thread::spawn(move || while serve(&stream, &log, (&most, &now), &*handler).unwrap_or(false) {});
            }
        });
        Self { url, log, most_at_once }
    }

    /// A server of one file.
    pub fn of(file: Vec<u8>) -> Self {
        Self::start(move |asked| Reply::range(asked, &file, "\"1\""))
    }

    pub fn log(&self) -> Vec<Asked> {
        self.log.lock().unwrap().clone()
    }

    pub fn count(&self) -> usize {
        self.log.lock().unwrap().len()
    }
}

fn serve(
    stream: &TcpStream,
    log: &Mutex<Vec<Asked>>,
    (most, now): (&AtomicUsize, &AtomicUsize),
    handler: &Handler,
) -> std::io::Result<bool> {
    let mut reader = BufReader::new(stream);
    let Some(Head { target: path, headers, .. }) = Head::read(&mut reader)? else { return Ok(false) };
    let asked = {
        let mut log = log.lock().unwrap();
        let asked = Asked { path, headers, number: log.len() };
        log.push(asked.clone());
        asked
    };
    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
    let reply = handler(&asked);
    std::thread::sleep(reply.delay);
    now.fetch_sub(1, Ordering::SeqCst);
    if reply.status == 0 {
        return Ok(false);
    }
    let mut head = format!("HTTP/1.1 {} X\r\ncontent-length: {}\r\n", reply.status, reply.body.len());
    for (name, value) in &reply.headers {
        head += &format!("{name}: {value}\r\n");
    }
    let body = &reply.body[..reply.cut.unwrap_or(reply.body.len())];
    let mut stream = stream;
    stream.write_all(&[format!("{head}\r\n").as_bytes(), body].concat())?;
    Ok(reply.cut.is_none())
}

/// Options without the environment, which give up soon.
pub fn options() -> StorageOptions {
    StorageOptions::new().use_environment(false).retries(4, Duration::from_secs(3))
}

/// The options for the interface of S3 at a server.
pub fn s3(server: &Web) -> StorageOptions {
    let keys = options().option("access_key_id", "AKIA").option("secret_access_key", "SECRET");
    keys.endpoint(&server.url)
}

pub fn numbers(traffic: Traffic) -> (u64, u64) {
    (traffic.requests, traffic.bytes)
}
