//! Engines in processes of their own, spoken to line by line.
//!
//! A thread reads what the engine says into a bounded channel, so that every wait has an end. Who
//! does not answer in time, or dies, is killed; the next question starts the engine anew. Nothing
//! is left behind: the process is killed and waited for when its owner goes.

use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use crate::error::{Error, Result};

/// Where Debian installs games, which is not always on the path.
const GAMES: &str = "/usr/games";
/// Lines that may wait to be read.
const WAITING: usize = 1024;
/// A longer line is cut.
const LONGEST_LINE: u64 = 1 << 16;
/// How long a process may take to end once its input is closed, before it is killed.
const GRACE: Duration = Duration::from_millis(200);

/// A program that speaks over its standard input and output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// A file name that is looked for, or a path.
    pub file: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// The one command that installs it.
    pub remedy: String,
    /// How long an answer may take.
    pub patience: Duration,
}

impl Program {
    /// A program of a Debian package of the same name.
    #[must_use]
    pub fn packaged(package: &str, arguments: &[&str]) -> Self {
        Self {
            file: package.into(),
            arguments: arguments.iter().map(|&word| word.to_owned()).collect(),
            remedy: format!("sudo apt-get install -y {package}"),
            patience: Duration::from_secs(30),
        }
    }

    /// Where it is: on the path, or where Debian puts games.
    #[must_use]
    pub fn find(&self) -> Option<PathBuf> {
        if self.file.components().count() > 1 {
            return self.file.is_file().then(|| self.file.clone());
        }
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::env::split_paths(&path).chain([PathBuf::from(GAMES)]);
        folders
            .map(|folder| folder.join(&self.file))
            .find(|path| path.is_file())
    }

    fn name(&self) -> String {
        let name = self.file.file_name().unwrap_or(self.file.as_os_str());
        name.to_string_lossy().into_owned()
    }

    fn missing(&self) -> Error {
        Error::Missing(format!(
            "{} is not installed, install it with: {}",
            self.name(),
            self.remedy
        ))
    }
}

/// A program that runs.
pub(super) struct Process {
    name: String,
    patience: Duration,
    child: Child,
    /// `None` once it was told to end.
    input: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Process {
    /// Starts it.
    ///
    /// # Errors
    /// When it is not installed or cannot be run.
    pub(super) fn start(program: &Program) -> Result<Self> {
        let path = program.find().ok_or_else(|| program.missing())?;
        let mut command = Command::new(&path);
        command
            .args(&program.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        // Ctrl+C in a terminal is ours to answer: what was played so far is kept.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.spawn().map_err(|source| match source.kind() {
            ErrorKind::NotFound => program.missing(),
            _ => Error::io("cannot start the engine", &path)(source),
        })?;
        let (sender, lines) = bounded(WAITING);
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let process = Self {
            name: program.name(),
            patience: program.patience,
            child,
            input,
            lines,
        };
        if let Some(output) = output {
            // Not joined: it ends when the pipe closes, and a grandchild may hold that open.
            std::thread::Builder::new()
                .name(format!("reads {}", process.name))
                .spawn(move || read(output, &sender))
                .map_err(Error::io("cannot start a thread for the engine", &path))?;
        }
        Ok(process)
    }

    /// Says a line.
    ///
    /// # Errors
    /// When the engine has ended.
    pub(super) fn say(&mut self, line: &str) -> Result<()> {
        let said = match &mut self.input {
            Some(input) => input
                .write_all(format!("{line}\n").as_bytes())
                .and_then(|()| input.flush()),
            None => Err(ErrorKind::BrokenPipe.into()),
        };
        said.map_err(|_| self.died(line))
    }

    /// The first line of the answer to `question` for which `wanted` gives something. What comes
    /// before is ignored.
    ///
    /// # Errors
    /// When the engine dies or does not say it in time.
    pub(super) fn wait_for<T>(
        &mut self,
        question: &str,
        mut wanted: impl FnMut(&str) -> Option<T>,
    ) -> Result<T> {
        let deadline = Instant::now() + self.patience;
        loop {
            match self.lines.recv_deadline(deadline) {
                Ok(line) => {
                    if let Some(answer) = wanted(line.trim_end()) {
                        return Ok(answer);
                    }
                    // A flood of other lines is no answer either.
                    if Instant::now() >= deadline {
                        return Err(self.late(question));
                    }
                }
                Err(RecvTimeoutError::Timeout) => return Err(self.late(question)),
                Err(RecvTimeoutError::Disconnected) => return Err(self.died(question)),
            }
        }
    }

    /// An answer that makes no sense.
    pub(super) fn nonsense(&self, question: &str, answer: &str) -> Error {
        let shown: String = answer.chars().take(80).collect();
        Error::Input(format!(
            "{} answered {question:?} with {shown:?}",
            self.name
        ))
    }

    fn late(&self, question: &str) -> Error {
        let secs = self.patience.as_secs_f64();
        let name = &self.name;
        Error::Input(format!(
            "{name} did not answer {question:?} within {secs} s"
        ))
    }

    fn died(&mut self, question: &str) -> Error {
        let status = match self.ended() {
            Some(status) => status.to_string(),
            None => "its output is closed".to_owned(),
        };
        let name = &self.name;
        Error::Input(format!(
            "{name} ended before it answered {question:?}: {status}"
        ))
    }

    /// How it ended, if it does within a moment.
    fn ended(&mut self) -> Option<ExitStatus> {
        let deadline = Instant::now() + GRACE;
        loop {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Some(status);
            }
            if Instant::now() >= deadline {
                return None;
            }
            // The reader may wait for room.
            while self.lines.try_recv().is_ok() {}
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Without input it may end by itself, and then leaves none of its own children.
        self.input = None;
        if self.ended().is_some() {
            return;
        }
        // Both fail only where it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends the lines on until the pipe closes or nobody listens.
fn read(output: ChildStdout, lines: &Sender<String>) {
    let mut output = BufReader::new(output);
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = output
            .by_ref()
            .take(LONGEST_LINE)
            .read_until(b'\n', &mut line);
        if !matches!(read, Ok(bytes) if bytes > 0) {
            return;
        }
        let text = String::from_utf8_lossy(&line).into_owned();
        if lines.send(text).is_err() {
            return;
        }
    }
}
