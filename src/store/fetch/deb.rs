//! The route through Debian's packages.
//!
//! `apt-get download` needs no right to install anything, and `dpkg-deb` unpacks into a folder
//! without running what the package brings. One package may carry several files of the manifest:
//! whoever asks for one gets the others as well, so that it is downloaded once.

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};

use super::place::{Origin, place, place_gunzipped};
use super::program::{Running, Scratch, command, read_text};
use super::{Job, Meter, beside};
use crate::store::Asset;
use crate::store::manifest::{DebPackage, Status, verify};
use crate::{Error, Result};

/// The programs of Debian's package system. The defaults are for users, the rest is for tests.
#[derive(Clone, Debug)]
pub struct Apt {
    /// How to call `apt-get`. Empty: the route is closed.
    pub apt_get: Vec<String>,
    /// How to call `dpkg-deb`.
    pub dpkg_deb: Vec<String>,
    /// Where packages are installed: one that is there already is not downloaded.
    pub root: PathBuf,
}

impl Default for Apt {
    fn default() -> Self {
        Self {
            apt_get: vec!["apt-get".to_owned()],
            dpkg_deb: vec!["dpkg-deb".to_owned()],
            root: PathBuf::from("/"),
        }
    }
}

impl DebPackage {
    /// The shell commands that bring the file.
    pub(super) fn by_hand(&self, file: &Path) -> String {
        let gunzip = if self.is_gzip() { " | gunzip" } else { "" };
        format!(
            "  apt-get download {0}\n  dpkg-deb --fsys-tarfile {0}_*.deb | tar -xO ./{1}{gunzip} > \"{2}\"",
            self.package,
            self.member.display(),
            file.display()
        )
    }

    fn is_gzip(&self) -> bool {
        self.member.extension().is_some_and(|ext| ext == "gz")
    }
}

/// Puts the file of a package in its place, and those of other rows that it carries too.
pub(super) fn fetch(package: &DebPackage, job: &Job, meter: &mut Meter) -> Result<()> {
    let apt = &job.routes.apt;
    if apt.apt_get.is_empty() {
        return Err(Error::Missing("apt-get is not to be used".to_owned()));
    }
    let scratch = Scratch::create(beside(job.file, "fetch"))?;
    let root = if apt.root.join(&package.member).is_file() {
        apt.root.clone()
    } else {
        meter.stage("asking apt-get")?;
        let size = size_of(package, apt, &scratch, meter)?;
        meter.total(size.unwrap_or(job.asset.bytes));
        meter.stage("downloading with apt-get")?;
        download(package, apt, &scratch, meter)?;
        extract(apt, &scratch, meter)?
    };
    meter.total(job.asset.bytes);
    meter.stage("unpacking")?;
    take(&root, package, job.asset, job.file, meter)?;
    take_companions(&root, package, job, meter)
}

/// The size of the package in bytes, if `apt-get` tells.
///
/// Asked first, because it is answered at once if the package is not known.
fn size_of(
    package: &DebPackage,
    apt: &Apt,
    scratch: &Scratch,
    meter: &mut Meter,
) -> Result<Option<u64>> {
    let answer = scratch.path().join("answer");
    let stdout = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&answer)
        .map_err(Error::io("cannot create the file", &answer))?;
    let args = ["download", "--print-uris", &package.package];
    let Some(mut command) = command(&apt.apt_get, scratch)? else {
        return Ok(None);
    };
    let running = Running::start(command.args(args).stdout(stdout)).map_err(|_| {
        Error::Missing("there is no apt-get: this is not Debian or a relative of it".to_owned())
    })?;
    if !running.wait(meter, &mut || 0)? {
        return Err(Error::Fetch(format!(
            "{}; `sudo apt-get update` may help",
            scratch.complaint("apt-get", "E:")
        )));
    }
    let text = read_text(&answer).map_err(Error::io("cannot read", &answer))?;
    Ok(size_in(&text))
}

/// The size in `'address' name size hash`.
fn size_in(line: &str) -> Option<u64> {
    line.split_whitespace().nth(2)?.parse().ok()
}

fn download(package: &DebPackage, apt: &Apt, scratch: &Scratch, meter: &mut Meter) -> Result<()> {
    let args = ["download", "--quiet=2", &package.package];
    run(&apt.apt_get, &args, scratch, meter, "apt-get", "E:")
}

/// Unpacks what was downloaded, and returns the folder that stands for the system's root.
fn extract(apt: &Apt, scratch: &Scratch, meter: &mut Meter) -> Result<PathBuf> {
    let deb = scratch
        .find("deb")
        .ok_or_else(|| Error::Fetch("apt-get brought no package".to_owned()))?;
    let root = scratch.path().join("root");
    meter.stage("unpacking with dpkg-deb")?;
    let args = ["-x".as_ref(), deb.as_os_str(), root.as_os_str()];
    run(
        &apt.dpkg_deb,
        &args,
        scratch,
        meter,
        "dpkg-deb",
        "dpkg-deb: error",
    )?;
    Ok(root)
}

fn run(
    words: &[String],
    args: &[impl AsRef<std::ffi::OsStr>],
    scratch: &Scratch,
    meter: &mut Meter,
    name: &str,
    sign: &str,
) -> Result<()> {
    let not_there = || Error::Missing(format!("{name} is not installed"));
    let mut command = command(words, scratch)?.ok_or_else(not_there)?;
    let running = Running::start(command.args(args)).map_err(|_| not_there())?;
    if running.wait(meter, &mut || scratch.largest())? {
        Ok(())
    } else {
        Err(Error::Fetch(scratch.complaint(name, sign)))
    }
}

/// Puts one file of the package in its place.
fn take(
    root: &Path,
    package: &DebPackage,
    asset: &Asset,
    file: &Path,
    meter: &mut Meter,
) -> Result<()> {
    let member = root.join(&package.member);
    let what = format!("{} in the package", package.member.display());
    if !member.is_file() {
        return Err(Error::Fetch(format!("cannot find {what}")));
    }
    if package.is_gzip() {
        return place_gunzipped(&member, &what, asset, file, meter);
    }
    let origin = Origin {
        path: &member,
        action: "cannot read",
        what: &what,
    };
    let opened = File::open(&member).map_err(Error::io("cannot read", &member))?;
    place(opened, &origin, asset, file, meter)
}

/// Puts the other files of the package in their places.
///
/// The one that was asked for is there, so nothing of this is a failure but being stopped. A file
/// that another process fetches is left to it.
fn take_companions(root: &Path, package: &DebPackage, job: &Job, meter: &mut Meter) -> Result<()> {
    for asset in &job.routes.companions {
        let Some(deb) = asset.fetch.as_ref().and_then(|ways| ways.deb.as_ref()) else {
            continue;
        };
        if deb.package != package.package || asset.name == job.asset.name {
            continue;
        }
        meter.total(asset.bytes);
        meter.stage("unpacking")?;
        match take_companion(root, deb, asset, job, meter) {
            Err(Error::Cancelled) => return Err(Error::Cancelled),
            Err(error) => tracing::warn!("{} was not taken as well: {error}", asset.name),
            Ok(()) => {}
        }
    }
    Ok(())
}

fn take_companion(
    root: &Path,
    package: &DebPackage,
    asset: &Asset,
    job: &Job,
    meter: &mut Meter,
) -> Result<()> {
    let file = job.models_dir.join(&asset.path);
    let folder = file.parent().unwrap_or(&file);
    fs::create_dir_all(folder).map_err(Error::io("cannot create the folder", folder))?;
    let lock = super::open_lock(&beside(&file, "lock"))?;
    if lock.try_lock().is_err() || verify(asset, &file)? == Status::Ok {
        return Ok(());
    }
    take(root, package, asset, &file, meter)
}

#[cfg(test)]
mod tests {
    use super::size_in;

    #[test]
    fn the_size_is_the_third_word() {
        // What apt-get 2.6 of Debian 12 prints.
        let line =
            "'http://example.org/pool/a_1%2bb-1_all.deb' a_1+b-1_all.deb 30900652 SHA256:00\n";
        assert_eq!(size_in(line), Some(30_900_652));
        for line in ["", "'http://example.org/a.deb' a.deb", "a b c d"] {
            assert_eq!(size_in(line), None, "{line}");
        }
    }
}
