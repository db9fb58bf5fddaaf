//! A server with the interface of S3, in memory, that follows the rules for parts and fails on demand.

#![allow(dead_code, reason = "each test uses some of it")]

use std::collections::BTreeMap;
use std::io::{BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};

mod http;
pub mod web;

use md5::{Digest, Md5};

use http::Head;

/// A small generator (splitmix64).
#[derive(Debug, Clone)]
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }
}

/// A fault that a request meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// An error answer, before anything is done.
    Status(u16),
    /// The connection ends before the request has been read.
    Cut,
    /// The request is carried out, and the connection ends before the answer.
    Lost,
    /// Status 200 with an error as the body, before anything is done (completion only).
    ErrorBody,
}

/// The rules of the server, and what it has.
#[derive(Debug)]
pub struct State {
    pub objects: BTreeMap<String, (Vec<u8>, String)>,
    pub uploads: BTreeMap<String, Upload>,
    /// Content types of objects.
    pub types: BTreeMap<String, String>,
    pub min_part: usize,
    pub needs_equal_parts: bool,
    pub random: Random,
    /// One of this many requests fails; none if 0.
    pub fault_one_in: u64,
    /// Faults for the next requests of a kind: `complete`, `part`, `create`, `put`, `head`, `abort`.
    pub planned: Vec<(&'static str, Fault)>,
    /// Kinds of all requests, in order.
    pub log: Vec<(&'static str, usize)>,
    /// Headers with secrets that arrived.
    pub auth: Vec<String>,
    next_upload: u32,
}

#[derive(Debug, Default)]
pub struct Upload {
    key: String,
    content_type: String,
    parts: BTreeMap<u32, (Vec<u8>, String)>,
}

/// A running server; it ends with the process.
pub struct Server {
    pub url: String,
    state: Arc<Mutex<State>>,
}

impl Server {
    pub fn start(min_part: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State {
            objects: BTreeMap::new(),
            uploads: BTreeMap::new(),
            types: BTreeMap::new(),
            min_part,
            needs_equal_parts: false,
            random: Random(1),
            fault_one_in: 0,
            planned: Vec::new(),
            log: Vec::new(),
            auth: Vec::new(),
            next_upload: 0,
        }));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                std::thread::spawn(move || while serve(&stream, &state).unwrap_or(false) {});
            }
        });
        Self { url, state }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub fn object(&self, key: &str) -> Option<Vec<u8>> {
        self.state().objects.get(key).map(|(bytes, _)| bytes.clone())
    }

    pub fn take(&self, key: &str) -> Option<Vec<u8>> {
        self.state().objects.remove(key).map(|(bytes, _)| bytes)
    }
}

fn hash(bytes: &[u8]) -> [u8; 16] {
    Md5::digest(bytes).into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Serves one request. Returns false at the end of the connection.
fn serve(stream: &TcpStream, state: &Mutex<State>) -> std::io::Result<bool> {
    let mut reader = BufReader::new(stream);
    let Some(head) = Head::read(&mut reader)? else { return Ok(false) };
    let length = head.content_len();
    let Head { method, target: path, headers } = head;
    let (path, query) = path.split_once('?').unwrap_or((&path, ""));
    let query: BTreeMap<_, _> = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, ""))).collect();
    let kind = match (method.as_str(), query.contains_key("partNumber"), query.contains_key("uploadId")) {
        ("POST", false, false) => "create",
        ("PUT", true, true) => "part",
        ("POST", false, true) => "complete",
        ("DELETE", false, true) => "abort",
        ("PUT", ..) => "put",
        ("HEAD", ..) => "head",
        _ => "get",
    };
    let fault = {
        let mut state = state.lock().unwrap();
        let planned = state.planned.iter().position(|(planned, _)| *planned == kind);
        let one_in = state.fault_one_in;
        match planned {
            Some(index) => Some(state.planned.remove(index).1),
            None if one_in > 0 && state.random.below(one_in) == 0 => Some(match state.random.below(7) {
                0 => Fault::Status(500),
                1 => Fault::Status(503),
                2 => Fault::Status(429),
                3 => Fault::Cut,
                // The identifier of an upload whose creation is not answered is lost, and nobody can abort it.
                4 | 5 if kind != "create" => Fault::Lost,
                _ if kind == "complete" => Fault::ErrorBody,
                _ => Fault::Status(502),
            }),
            None => None,
        }
    };
    if fault == Some(Fault::Cut) {
        return Ok(false);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let (status, mut answer, extra) = match fault {
        Some(Fault::Status(status)) => (status, error("Fault"), String::new()),
        Some(Fault::ErrorBody) => (200, error("InternalError"), String::new()),
        _ => carry_out(&mut state.lock().unwrap(), kind, path, &query, &headers, body),
    };
    if fault == Some(Fault::Lost) {
        return Ok(false);
    }
    let length =
        if extra.contains("content-length") { String::new() } else { format!("content-length: {}\r\n", answer.len()) };
    if method == "HEAD" {
        answer.clear();
    }
    let head = format!("HTTP/1.1 {status} X\r\n{length}{extra}\r\n");
    let mut stream = stream;
    stream.write_all(&[head.as_bytes(), &answer].concat())?;
    Ok(true)
}

fn error(code: &str) -> Vec<u8> {
    format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>a message</Message></Error>").into_bytes()
}

type Answer = (u16, Vec<u8>, String);

fn carry_out(
    state: &mut State,
    kind: &'static str,
    path: &str,
    query: &BTreeMap<&str, &str>,
    headers: &BTreeMap<String, String>,
    body: Vec<u8>,
) -> Answer {
    state.log.push((kind, body.len()));
    state.auth.extend(headers.get("authorization").cloned());
    let none = String::new;
    let (bucket, key) = path.trim_start_matches('/').split_once('/').unwrap_or_default();
    if bucket != "bucket" {
        return (404, error("NoSuchBucket"), none());
    }
    let key = key.to_owned();
    let is_conditional = headers.get("if-none-match").is_some_and(|value| value == "*");
    let upload = query.get("uploadId").copied().unwrap_or_default();
    let content_type = headers.get("content-type").cloned().unwrap_or_default();
    match kind {
        "head" | "get" => match state.objects.get(&key) {
            None => (404, error("NoSuchKey"), none()),
            Some((bytes, etag)) => {
                let extra = format!(
                    "content-length: {}\r\netag: \"{etag}\"\r\nlast-modified: Mon, 30 Nov 2026 12:00:00 GMT\r\n",
                    bytes.len()
                );
                (200, bytes.clone(), extra)
            }
        },
        "put" if is_conditional && state.objects.contains_key(&key) => (412, error("PreconditionFailed"), none()),
        "put" => {
            let etag = hex(&hash(&body));
            state.types.insert(key.clone(), content_type);
            state.objects.insert(key, (body, etag.clone()));
            (200, Vec::new(), format!("etag: \"{etag}\"\r\n"))
        }
        "create" => {
            state.next_upload += 1;
            let id = format!("upload-{}", state.next_upload);
            state.uploads.insert(id.clone(), Upload { key: key.clone(), content_type, ..Upload::default() });
            let body = format!(
                "<InitiateMultipartUploadResult><Bucket>{bucket}</Bucket><Key>{key}</Key><UploadId>{id}</UploadId></InitiateMultipartUploadResult>"
            );
            (200, body.into_bytes(), none())
        }
        "part" => {
            let number: u32 = query["partNumber"].parse().unwrap();
            let Some(upload) = state.uploads.get_mut(upload) else { return (404, error("NoSuchUpload"), none()) };
            if !(1..=10_000).contains(&number) {
                return (400, error("InvalidArgument"), none());
            }
            let etag = hex(&hash(&body));
            upload.parts.insert(number, (body, etag.clone()));
            (200, Vec::new(), format!("etag: \"{etag}\"\r\n"))
        }
        "abort" => match state.uploads.remove(upload) {
            Some(_) => (204, Vec::new(), none()),
            None => (404, error("NoSuchUpload"), none()),
        },
        _ => complete(state, &key, upload, is_conditional, &body),
    }
}

/// Completes an upload by the rules of S3.
fn complete(state: &mut State, key: &str, upload: &str, is_conditional: bool, body: &[u8]) -> Answer {
    let none = String::new;
    let Some(found) = state.uploads.get(upload).filter(|upload| upload.key == key) else {
        return (404, error("NoSuchUpload"), none());
    };
    if is_conditional && state.objects.contains_key(key) {
        return (412, error("PreconditionFailed"), none());
    }
    let text = String::from_utf8_lossy(body);
    let element = |text: &str, name: &str| {
        text.split_once(&format!("<{name}>"))
            .and_then(|(_, rest)| rest.split_once("</"))
            .map(|(value, _)| value.to_owned())
    };
    let listed: Vec<(u32, String)> = text
        .split("<Part>")
        .skip(1)
        .map(|part| (element(part, "PartNumber").unwrap().parse().unwrap(), element(part, "ETag").unwrap()))
        .collect();
    if listed.is_empty() || !listed.is_sorted_by(|a, b| a.0 < b.0) {
        return (400, error("InvalidPartOrder"), none());
    }
    let (mut bytes, mut hashes, mut sizes) = (Vec::new(), Vec::new(), Vec::new());
    for (number, etag) in &listed {
        let Some((part, known)) = found.parts.get(number).filter(|(_, known)| *known == etag.trim_matches('"')) else {
            return (400, error("InvalidPart"), none());
        };
        bytes.extend_from_slice(part);
        hashes.extend_from_slice(
            &(0..16).map(|at| u8::from_str_radix(&known[2 * at..2 * at + 2], 16).unwrap()).collect::<Vec<_>>(),
        );
        sizes.push(part.len());
    }
    let (last, others) = sizes.split_last().unwrap();
    if others.iter().any(|size| *size < state.min_part) {
        return (400, error("EntityTooSmall"), none());
    }
    let is_equal = others.iter().all(|size| *size == sizes[0]) && *last <= sizes[0];
    let is_contiguous = listed.iter().map(|(number, _)| *number).eq(1..=u32::try_from(listed.len()).unwrap());
    if state.needs_equal_parts && !(is_equal && is_contiguous) {
        return (400, error("InvalidPart"), none());
    }
    let etag = format!("{}-{}", hex(&hash(&hashes)), listed.len());
    let content_type = found.content_type.clone();
    state.types.insert(key.to_owned(), content_type);
    state.objects.insert(key.to_owned(), (bytes, etag));
    state.uploads.remove(upload);
    let body = "<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>";
    (200, body.as_bytes().to_vec(), none())
}
