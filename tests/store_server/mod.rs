//! An HTTP server for tests: one file, and a script of how to answer.

use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

/// How to answer one request; the script's last answer is used for all that follow.
#[derive(Clone, Copy)]
pub enum Reply {
    /// The whole file, whatever was asked for.
    Whole,
    /// The whole file in so many pieces, 60 ms apart.
    Slow(usize),
    /// What was asked for.
    Ranged,
    /// As `Ranged`, closed after so many bytes of body.
    CutAfter(usize),
    /// As `Ranged`, and after so many bytes of body nothing more.
    SilentAfter(usize),
    /// The whole file without a length, ended by closing.
    NoLength,
    /// A range that starts one byte later than asked.
    WrongRange,
    /// A status without a body.
    Status(u16),
    /// The path to go to.
    Redirect(&'static str),
}

/// A request and what became of it.
#[derive(Clone, Debug)]
pub struct Request {
    pub path: String,
    /// The first byte that was asked for.
    pub start: Option<usize>,
    /// How many bytes of body were meant to be sent.
    pub sent: usize,
}

struct Shared {
    content: Vec<u8>,
    script: Vec<Reply>,
    requests: Mutex<Vec<Request>>,
    stop: AtomicBool,
}

/// The server; it ends when dropped.
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub fn start(content: Vec<u8>, script: Vec<Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared {
            content,
            script,
            requests: Mutex::default(),
            stop: AtomicBool::new(false),
        });
        let theirs = Arc::clone(&shared);
        let thread = Builder::new()
            .name("test-server".to_owned())
            .spawn(move || {
                std::thread::scope(|scope| {
                    for stream in listener.incoming() {
                        if theirs.stop.load(Ordering::Relaxed) {
                            return;
                        }
                        let (shared, stream) = (&theirs, stream.expect("a connection"));
                        // A client that went away is no failure of the server.
                        scope.spawn(move || drop(shared.answer(&stream)));
                    }
                });
            })
            .expect("a thread");
        Self {
            address,
            shared,
            thread: Some(thread),
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn requests(&self) -> Vec<Request> {
        self.shared.requests.lock().expect("no panic").clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(ended.is_ok() || std::thread::panicking(), "no panic");
        }
    }
}

impl Shared {
    fn answer(&self, stream: &TcpStream) -> std::io::Result<()> {
        let Some((path, start)) = read_request(stream)? else {
            return Ok(());
        };
        let total = self.content.len();
        let (index, reply) = {
            let mut requests = self.requests.lock().expect("no panic");
            let index = requests.len();
            let last = self.script.len() - 1;
            let reply = self.script[index.min(last)];
            let sent = 0;
            requests.push(Request { path, start, sent });
            (index, reply)
        };
        let (status, from, with_length) = match (reply, start) {
            (Reply::Status(status), _) => (status, total, true),
            (Reply::Redirect(_), _) => (302, total, true),
            (Reply::NoLength, _) => (200, 0, false),
            (Reply::WrongRange, start) => (206, start.unwrap_or(0) + 1, true),
            (Reply::Whole | Reply::Slow(_), _) | (_, None) => (200, 0, true),
            (_, Some(start)) if start >= total => (416, total, true),
            (_, Some(start)) => (206, start, true),
        };
        let mut body = &self.content[from..];
        let mut head = vec![
            format!("HTTP/1.1 {status} Because"),
            "Connection: close".to_owned(),
        ];
        if with_length {
            head.push(format!("Content-Length: {}", body.len()));
        }
        if status == 206 {
            head.push(format!("Content-Range: bytes {from}-{}/{total}", total - 1));
        }
        if let Reply::Redirect(path) = reply {
            head.push(format!("Location: {path}"));
        }
        if let Reply::CutAfter(len) | Reply::SilentAfter(len) = reply {
            body = &body[..len.min(body.len())];
        }
        self.requests.lock().expect("no panic")[index].sent = body.len();
        let mut out = stream;
        write!(out, "{}\r\n\r\n", head.join("\r\n"))?;
        if let Reply::Slow(pieces) = reply {
            for piece in body.chunks(body.len().div_ceil(pieces)) {
                out.write_all(piece)?;
                std::thread::sleep(Duration::from_millis(60));
            }
        } else {
            out.write_all(body)?;
        }
        if let Reply::SilentAfter(_) = reply {
            while !self.stop.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        stream.shutdown(Shutdown::Write)
    }
}

/// The path and the first byte asked for.
fn read_request(stream: &TcpStream) -> std::io::Result<Option<(String, Option<usize>)>> {
    let mut lines = BufReader::new(stream).lines();
    let Some(first) = lines.next().transpose()? else {
        return Ok(None);
    };
    let path = first.split(' ').nth(1).unwrap_or("/").to_owned();
    let mut start = None;
    for line in lines {
        let line = line?.to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(range) = line.strip_prefix("range: bytes=") {
            start = range.strip_suffix('-').and_then(|text| text.parse().ok());
        }
    }
    Ok(Some((path, start)))
}
