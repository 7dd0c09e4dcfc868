//! Other programs that bring files: run in a folder of their own, cancelled, and asked what went
//! wrong.

use std::fs::{self, File, OpenOptions};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::{Meter, POLL};
use crate::{Error, Result};

/// A folder for one download, removed with all it holds.
///
/// It lies beside the file, where there is room for it, and has a fixed name, so that one left by
/// a killed process is removed by the next. The lock makes sure that nobody uses it.
pub(super) struct Scratch(PathBuf);

impl Scratch {
    pub(super) fn create(folder: PathBuf) -> Result<Self> {
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(Error::io("cannot remove the folder", &folder)(error));
            }
            _ => {}
        }
        fs::create_dir(&folder).map_err(Error::io("cannot create the folder", &folder))?;
        Ok(Self(folder))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// The first file with an extension, wherever it lies in the folder.
    pub(super) fn find(&self, extension: &str) -> Option<PathBuf> {
        files_below(&self.0)
            .into_iter()
            .map(|(path, _)| path)
            .find(|path| path.extension().is_some_and(|ext| ext == extension))
    }

    /// The size in bytes of the largest file, which is what is being brought.
    pub(super) fn largest(&self) -> u64 {
        let sizes = files_below(&self.0).into_iter().map(|(_, len)| len);
        sizes.max().unwrap_or(0)
    }

    fn log(&self) -> PathBuf {
        self.0.join("complaints.log")
    }

    /// What the last program said that went wrong: the last line that begins with `sign`, else the
    /// last one.
    pub(super) fn complaint(&self, program: &str, sign: &str) -> String {
        let text = match read_text(&self.log()) {
            Ok(text) => text,
            Err(error) => return format!("{program} failed, and its log cannot be read: {error}"),
        };
        let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
        match lines()
            .rfind(|line| line.starts_with(sign))
            .or(lines().next_back())
        {
            Some(line) => format!("{program} says: {line}"),
            None => format!("{program} failed without a word"),
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            tracing::warn!("cannot remove the folder: {error}: {}", self.0.display());
        }
    }
}

/// A command that runs in the folder, and leaves its complaints and temporary files there.
pub(super) fn command(words: &[String], scratch: &Scratch) -> Result<Option<Command>> {
    let Some((program, args)) = words.split_first() else {
        return Ok(None);
    };
    let log = scratch.log();
    // A file rather than a pipe: nobody has to read while it writes.
    let log = OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(true)
        .open(&log)
        .map_err(Error::io("cannot create the log", &log))?;
    let mut command = Command::new(program);
    command
        .args(args)
        .current_dir(&scratch.0)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log);
    for variable in ["TMPDIR", "TEMP", "TMP"] {
        command.env(variable, &scratch.0);
    }
    Ok(Some(command))
}

/// A child process that does not outlive its owner.
pub(super) struct Running(Child);

impl Running {
    /// Starts it; fails where there is no such program.
    pub(super) fn start(command: &mut Command) -> std::io::Result<Self> {
        command.spawn().map(Self)
    }

    /// Waits for the end, and says whether it was a good one.
    pub(super) fn wait(
        mut self,
        meter: &mut Meter,
        done_bytes: &mut dyn FnMut() -> u64,
    ) -> Result<bool> {
        loop {
            let ended = self.0.try_wait();
            let ended = ended
                .map_err(|error| Error::Fetch(format!("cannot wait for a program: {error}")))?;
            if let Some(status) = ended {
                return Ok(status.success());
            }
            meter.done(done_bytes())?;
            meter.pause(POLL)?;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only where it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The first megabyte of a file.
pub(super) fn read_text(path: &Path) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?.take(1 << 20).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Every file below a folder with its size in bytes. What vanishes meanwhile is left out.
fn files_below(folder: &Path) -> Vec<(PathBuf, u64)> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.metadata() {
                Ok(meta) if meta.is_dir() => folders.push(entry.path()),
                Ok(meta) if meta.is_file() => files.push((entry.path(), meta.len())),
                _ => {}
            }
        }
    }
    files
}
