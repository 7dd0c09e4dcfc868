//! The route by https, which takes up a download where it broke off.
//!
//! Bytes are collected in a `.part` file whose name holds the start of the checksum, so that a
//! part of another version is never taken up. A second thread reads from the network: that can
//! block for long, and cancelling should not.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use sha2::{Digest, Sha256};

use super::{Job, Meter, POLL, Routes, beside};
use crate::store::atomic::publish;
use crate::store::manifest::{hash_into, hex};
use crate::{Error, Result};

const CHUNK_BYTES: usize = 128 * 1024;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);

/// Puts the file of a url in its place.
pub(super) fn fetch(url: &str, job: &Job, meter: &mut Meter) -> Result<()> {
    let url = match &job.routes.base_url {
        Some(base) => format!("{base}{}", path_of(url)),
        None => url.to_owned(),
    };
    let part = beside(job.file, &format!("{}.part", &job.asset.sha256[..8]));
    let mut arrived = 0;
    for retry in 0.. {
        match attempt(&url, &part, job, meter, &mut arrived) {
            Ok(()) => return publish(&part, job.file),
            Err(Failure::Stop(error)) => return Err(error),
            // Without a byte the server is away; with some it was there and is worth another try.
            Err(Failure::Cut(reason)) if arrived == 0 || retry == job.routes.retries => {
                return Err(Error::Fetch(reason));
            }
            Err(Failure::Cut(reason)) => {
                tracing::info!("taking the download up again: {reason}");
                meter.stage("connecting again")?;
                let pauses = job.routes.retry_wait.as_millis() / POLL.as_millis();
                for _ in 0..pauses {
                    meter.pause(POLL)?;
                }
            }
        }
    }
    unreachable!("the loop returns")
}

/// Why an attempt ended.
enum Failure {
    /// Another attempt will not help.
    Stop(Error),
    /// The connection broke.
    Cut(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Stop(error)
    }
}

fn stop(reason: impl Into<String>) -> Failure {
    Failure::Stop(Error::Fetch(reason.into()))
}

/// One connection. Afterwards `part` is the whole file, or what came of it.
fn attempt(
    url: &str,
    part: &Path,
    job: &Job,
    meter: &mut Meter,
    arrived: &mut u64,
) -> Result<(), Failure> {
    let asset = job.asset;
    let (mut hash, mut have) = take_up(part, &asset.sha256, asset.bytes)?;
    let resumed = have > 0;
    if have == asset.bytes && resumed {
        return Ok(()); // Ended between the last byte and the rename; the hash was checked.
    }
    meter.stage("connecting")?;
    let events = connect(url.to_owned(), have, job.routes)?;
    let head = match next(&events, meter, have)? {
        Event::Head(head) => head,
        Event::Failed(reason) => return Err(Failure::Cut(reason)),
        Event::Chunk(_) | Event::End => return Err(stop("the server sent no head")),
    };
    let first = head.starts_at(have, asset.bytes).inspect_err(|_| {
        // What the server cannot complete would be in the way of every later attempt.
        if matches!(head.status, 200 | 206 | 416) {
            remove(part);
        }
    })?;
    if first == 0 {
        (hash, have) = (Sha256::new(), 0);
    }
    meter.stage("downloading")?;
    let mut file = open_part(part, have)?;
    loop {
        match next(&events, meter, have)? {
            Event::Chunk(bytes) => {
                have += bytes.len() as u64;
                *arrived += bytes.len() as u64;
                if have > asset.bytes {
                    remove(part);
                    return Err(stop(format!(
                        "the server sent more than the {} bytes of the file",
                        asset.bytes
                    )));
                }
                hash.update(&bytes);
                file.write_all(&bytes)
                    .map_err(Error::io("cannot write", part))?;
                meter.done(have)?;
            }
            Event::End if have == asset.bytes => break,
            Event::End => {
                let total = asset.bytes;
                return Err(Failure::Cut(format!(
                    "the connection ended after {have} of {total} bytes"
                )));
            }
            Event::Failed(reason) => {
                return Err(Failure::Cut(format!("{reason} (after {have} bytes)")));
            }
            Event::Head(_) => return Err(stop("the server sent two heads")),
        }
    }
    let found = hex(&hash.finalize());
    if found == asset.sha256 {
        return Ok(());
    }
    remove(part);
    let reason = format!(
        "the file arrived with the SHA-256 {found}, not {}, and was deleted",
        asset.sha256
    );
    // A part from an earlier day may be to blame, which is gone now.
    Err(if resumed {
        Failure::Cut(reason)
    } else {
        stop(reason)
    })
}

/// The hash and length of what is there from an earlier attempt. A part that cannot be right is
/// removed.
fn take_up(part: &Path, sha256: &str, total: u64) -> Result<(Sha256, u64)> {
    let failed = || Error::io("cannot take up the download", part);
    let mut hash = Sha256::new();
    let mut file = match File::open(part) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok((hash, 0)),
        outcome => outcome.map_err(failed())?,
    };
    let len = file.metadata().map_err(failed())?.len();
    if len <= total {
        let len = hash_into(&mut hash, &mut file).map_err(failed())?;
        if len < total || hex(&hash.clone().finalize()) == sha256 {
            return Ok((hash, len));
        }
    }
    fs::remove_file(part).map_err(failed())?;
    Ok((Sha256::new(), 0))
}

/// Opens the part for appending at `have`, emptied where that is 0.
fn open_part(part: &Path, have: u64) -> Result<File> {
    let failed = || Error::io("cannot write", part);
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(part)
        .map_err(failed())?;
    file.set_len(have).map_err(failed())?;
    Ok(file)
}

fn remove(part: &Path) {
    if let Err(error) = fs::remove_file(part)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        tracing::warn!("cannot remove: {error}: {}", part.display());
    }
}

/// What the network thread has to say, in this order.
enum Event {
    Head(Head),
    Chunk(Vec<u8>),
    End,
    Failed(String),
}

struct Head {
    status: u16,
    /// The length of the body in bytes, where the server says it.
    length: Option<u64>,
    /// First byte and size of the whole file, out of `Content-Range`.
    range: Option<(u64, Option<u64>)>,
}

impl Head {
    /// The byte that the body starts at, having asked for the rest from `asked` of `total`.
    fn starts_at(&self, asked: u64, total: u64) -> Result<u64, Failure> {
        let (first, size) = match (self.status, self.range) {
            // The whole file, be it asked for or not.
            (200, _) => (0, self.length),
            (206, Some((first, size))) if first == asked => (first, size),
            (206, _) => return Err(stop("the server sent another part than it was asked for")),
            (429 | 500.., _) => {
                return Err(Failure::Cut(format!(
                    "the server is busy or broken (status {})",
                    self.status
                )));
            }
            (status, _) => return Err(stop(format!("the server refused (status {status})"))),
        };
        match size {
            Some(size) if size != total => Err(stop(format!(
                "the server's file has {size} bytes, not {total}"
            ))),
            _ => Ok(first),
        }
    }
}

/// `bytes 100-199/200` as (100, 200); the size may be `*`.
fn parse_content_range(text: &str) -> Option<(u64, Option<u64>)> {
    let (range, size) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (first, last): (u64, u64) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
    let size = match size.trim() {
        "*" => None,
        size => Some(size.parse().ok()?),
    };
    (first <= last && size.is_none_or(|size| last < size)).then_some((first, size))
}

/// Everything of a url after its host.
fn path_of(url: &str) -> &str {
    let after_scheme = url.find("://").map_or(0, |at| at + 3);
    url[after_scheme..]
        .find('/')
        .map_or("/", |at| &url[after_scheme + at..])
}

/// Waits for the next event, looking at the cancel flag meanwhile.
fn next(events: &Receiver<Event>, meter: &mut Meter, have: u64) -> Result<Event> {
    loop {
        match events.recv_timeout(POLL) {
            Ok(event) => return Ok(event),
            Err(RecvTimeoutError::Timeout) => meter.done(have)?,
            Err(RecvTimeoutError::Disconnected) => {
                return Ok(Event::Failed("the connection was lost".to_owned()));
            }
        }
    }
}

/// Starts the network thread, which ends when the receiver is dropped or its time is out.
fn connect(url: String, from: u64, routes: &Routes) -> Result<Receiver<Event>> {
    let mut config = ureq::Agent::config_builder()
        .https_only(true)
        .http_status_as_error(false)
        .timeout_resolve(Some(CONNECT_TIMEOUT))
        .timeout_connect(Some(CONNECT_TIMEOUT))
        .timeout_per_read(Some(routes.read_timeout));
    if routes.base_url.is_some() {
        config = config.https_only(false).proxy(None);
    }
    let agent = config.build().new_agent();
    let (sender, receiver) = bounded(8);
    thread::Builder::new()
        .name("vitrine-http".to_owned())
        .spawn(move || {
            let last = transfer(&agent, &url, from, &sender)
                .map_or_else(|error| Event::Failed(error.to_string()), |()| Event::End);
            // Nobody listens any more after a cancel.
            let _ = sender.send(last);
        })
        .map_err(|error| Error::Fetch(format!("cannot start a network thread: {error}")))?;
    Ok(receiver)
}

/// Sends the head and the chunks of one response.
fn transfer(
    agent: &ureq::Agent,
    url: &str,
    from: u64,
    sender: &Sender<Event>,
) -> Result<(), ureq::Error> {
    let mut request = agent.get(url).header("Accept-Encoding", "identity");
    if from > 0 {
        request = request.header("Range", format!("bytes={from}-"));
    }
    let response = request.call()?;
    let header = |name| response.headers().get(name).and_then(|v| v.to_str().ok());
    let head = Head {
        status: response.status().as_u16(),
        length: header("Content-Length").and_then(|text| text.parse().ok()),
        range: header("Content-Range").and_then(parse_content_range),
    };
    if sender.send(Event::Head(head)).is_err() {
        return Ok(());
    }
    let mut body = response.into_body().into_reader();
    loop {
        let mut chunk = vec![0; CHUNK_BYTES];
        let len = body.read(&mut chunk)?;
        chunk.truncate(len);
        if len == 0 || sender.send(Event::Chunk(chunk)).is_err() {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{parse_content_range, path_of};

    #[test]
    fn content_ranges_are_read_strictly() {
        for (text, expected) in [
            ("bytes 100-199/200", Some((100, Some(200)))),
            ("bytes 0-0/*", Some((0, None))),
            ("bytes 5-4/10", None),
            ("bytes 5-10/10", None),
            ("bytes */200", None),
            ("items 0-1/2", None),
            ("bytes 0-1", None),
            ("bytes -1-1/2", None),
            ("bytes 0-99999999999999999999/*", None),
            ("", None),
        ] {
            assert_eq!(parse_content_range(text), expected, "{text}");
        }
    }

    #[test]
    fn the_path_of_a_url_is_what_follows_the_host() {
        assert_eq!(path_of("https://host/a/b.gguf"), "/a/b.gguf");
        assert_eq!(path_of("https://host"), "/");
    }
}
