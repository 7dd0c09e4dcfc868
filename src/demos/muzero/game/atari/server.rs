//! The child process that plays, and how it is spoken to.
//!
//! A request is written, a thread reads the reply and passes it on, and whoever asked waits for it
//! no longer than its patience. A child that answers too late, too much or nothing is useless from
//! then on: it is ended, and the owner starts another one. It ends by itself when its standard
//! input does, so that none is left behind even if this program is killed.

use std::env;
use std::io::{ErrorKind, Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use crate::error::{Error, Result};

const SERVER: &str = include_str!("../../../../../assets/muzero/ale_server.py");

/// What has to be done where there is no arcade.
const REMEDY: &str = "the Atari games need Python 3 and the Arcade Learning Environment: \
    pip install ale-py";

/// Longer replies are a mistake; a screen has 120,000 bytes at most.
const LONGEST_REPLY: usize = 1 << 20;

/// How the child is started, and how long it is waited for.
#[derive(Clone, Debug)]
pub struct Launcher {
    /// Python interpreters, the first that has the environment is taken.
    pub programs: Vec<PathBuf>,
    /// What is run by it.
    pub script: String,
    /// For the first answer of a child, which has to load its libraries, and to open a game.
    pub start_patience: Duration,
    /// For any other answer.
    pub patience: Duration,
}

impl Default for Launcher {
    /// The variable `VITRINE_PYTHON` names the interpreter; without it that is `python3` or
    /// `python`, also the one of a virtual environment that is active.
    fn default() -> Self {
        let named = env::var_os("VITRINE_PYTHON").filter(|name| !name.is_empty());
        Self {
            programs: match named {
                Some(name) => vec![name.into()],
                None => vec!["python3".into(), "python".into()],
            },
            script: SERVER.to_owned(),
            start_patience: Duration::from_mins(1),
            patience: Duration::from_secs(10),
        }
    }
}

impl Launcher {
    /// Starts a child and asks it something, with the next interpreter where one lacks something.
    ///
    /// # Errors
    /// [`Error::Missing`] where no interpreter can do it.
    pub(super) fn start(&self, request: &[u8]) -> Result<(Server, Vec<u8>)> {
        let mut missing = None;
        for program in &self.programs {
            let started = self.spawn(program).and_then(|mut server| {
                let reply = server.ask(request, self.start_patience)?;
                server.patience = self.patience;
                Ok((server, reply))
            });
            match started {
                Err(error @ Error::Missing(_)) => missing = missing.or(Some(error)),
                other => return other,
            }
        }
        Err(missing.unwrap_or_else(|| Error::Missing(REMEDY.into())))
    }

    fn spawn(&self, program: &PathBuf) -> Result<Server> {
        let spawned = Command::new(program)
            .args(["-c", &self.script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let mut child = spawned.map_err(|error| match error.kind() {
            ErrorKind::NotFound => Error::Missing(REMEDY.into()),
            _ => Error::Missing(format!("{REMEDY} ({error}: {})", program.display())),
        })?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        // From here on the child is ended where it is dropped.
        let (sender, replies) = bounded(1);
        let mut server = Server {
            child,
            requests: None,
            replies,
            patience: self.patience,
        };
        let (requests, output) = pipes.ok_or_else(|| gone("has no pipes"))?;
        server.requests = Some(requests);
        thread::Builder::new()
            .name("arcade reader".into())
            .spawn(move || read_replies(output, &sender))
            .map_err(|error| gone(&format!("has no reader: {error}")))?;
        Ok(server)
    }
}

/// A child that runs.
#[derive(Debug)]
pub(super) struct Server {
    child: Child,
    /// `None` once it failed.
    requests: Option<ChildStdin>,
    replies: Receiver<Result<Vec<u8>>>,
    patience: Duration,
}

impl Server {
    /// Asks for something; an error other than [`Error::Input`] and [`Error::Missing`] means that
    /// the child is of no use any more.
    pub(super) fn request(&mut self, request: &[u8]) -> Result<Vec<u8>> {
        self.ask(request, self.patience)
    }

    fn ask(&mut self, request: &[u8], patience: Duration) -> Result<Vec<u8>> {
        let asked = self.send(request).and_then(|()| self.receive(patience));
        let mut reply = asked.inspect_err(|_| self.end())?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        match reply.first() {
            Some(b'+') => {
                reply.remove(0);
                Ok(reply)
            }
            Some(b'?') => Err(Error::Missing(text(&reply[1..]))),
            Some(b'!') => Err(Error::Input(format!(
                "the arcade says: {}",
                text(&reply[1..])
            ))),
            _ => {
                self.end();
                Err(gone("answers nonsense"))
            }
        }
    }

    fn send(&mut self, request: &[u8]) -> Result<()> {
        let pipe = self.requests.as_mut().ok_or_else(|| gone("has ended"))?;
        // Requests are far shorter than what a pipe holds, so this does not block.
        let mut framed = u32::try_from(request.len())
            .unwrap_or(u32::MAX)
            .to_le_bytes()
            .to_vec();
        framed.extend_from_slice(request);
        let sent = pipe.write_all(&framed).and_then(|()| pipe.flush());
        sent.map_err(|_| gone("has ended"))
    }

    fn receive(&mut self, patience: Duration) -> Result<Vec<u8>> {
        self.replies.recv_timeout(patience).unwrap_or_else(|error| {
            Err(match error {
                RecvTimeoutError::Timeout => {
                    gone(&format!("did not answer in {} s", patience.as_secs_f32()))
                }
                RecvTimeoutError::Disconnected => gone("has ended"),
            })
        })
    }

    /// The child's number.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    fn end(&mut self) {
        self.requests = None;
        // Both fail only where it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

/// The child failed in some way.
pub(super) fn gone(how: &str) -> Error {
    Error::Io {
        action: "the arcade's process failed",
        source: std::io::Error::other(how.to_owned()),
        path: PathBuf::from("ale_server.py"),
    }
}

/// Passes replies on until the pipe closes or nobody wants them.
fn read_replies(mut output: ChildStdout, replies: &Sender<Result<Vec<u8>>>) {
    loop {
        let reply = read_reply(&mut output);
        let last = reply.is_err();
        if replies.send(reply).is_err() || last {
            return;
        }
    }
}

fn read_reply(output: &mut impl Read) -> Result<Vec<u8>> {
    let mut length = [0; 4];
    output
        .read_exact(&mut length)
        .map_err(|_| gone("has ended"))?;
    let length = u32::from_le_bytes(length) as usize;
    if length == 0 || length > LONGEST_REPLY {
        return Err(gone("answers nonsense"));
    }
    let mut reply = vec![0; length];
    output
        .read_exact(&mut reply)
        .map_err(|_| gone("has ended"))?;
    Ok(reply)
}
