//! A server whose answers a function gives, which keeps the requests that arrived.

use std::collections::BTreeMap;
use std::io::{BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

mod http;

use http::Head;

/// A request that arrived.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Method and address; with a proxy, the address has a host.
    pub line: String,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

impl Seen {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

/// The answer to a request: status and body.
pub type Answer = fn(&Seen) -> (u16, String);

pub struct Server {
    pub url: String,
    pub seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    pub fn start(answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&seen);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let seen = Arc::clone(&shared);
                std::thread::spawn(move || {
                    let mut reader = BufReader::new(stream);
                    while let Some(request) = read(&mut reader) {
                        seen.lock().unwrap().push(request.clone());
                        let (status, body) = answer(&request);
                        let text = format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\n\r\n{body}", body.len());
                        if reader.get_mut().write_all(text.as_bytes()).is_err() {
                            break;
                        }
                    }
                });
            }
        });
        Self { url, seen }
    }

    /// Returns the requests whose line contains a text.
    pub fn seen(&self, text: &str) -> Vec<Seen> {
        self.seen.lock().unwrap().iter().filter(|request| request.line.contains(text)).cloned().collect()
    }

    /// Returns the only request to the store.
    pub fn to_store(&self) -> Seen {
        let seen = self.seen("HEAD ");
        assert_eq!(seen.len(), 1, "{:#?}", self.seen.lock().unwrap());
        seen[0].clone()
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Seen> {
    let head = Head::read(reader).ok()??;
    let mut body = vec![0; head.content_len()];
    reader.read_exact(&mut body).ok()?;
    let line = format!("{} {} HTTP/1.1", head.method, head.target);
    Some(Seen { line, headers: head.headers, body: String::from_utf8_lossy(&body).into_owned() })
}

/// Returns a home folder with these files.
pub fn home(files: &[(&str, &str)]) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = home.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    home
}
