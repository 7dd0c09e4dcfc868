//! Every step of an atomic write made to fail, one at a time.

use std::cell::Cell;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::{
    AtomicFile, CHUNK_BYTES, Disk, Files, STALE_AFTER, atomic_write, remove_stale_temp_files,
    write_through,
};
use crate::Error;

/// How the file system behaves from the chosen step on.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Fault {
    /// That step fails, having done nothing.
    Refused,
    /// That step fails, and a write has stored half of its bytes.
    Torn,
    /// As `Torn`, and nothing works afterwards, not even the clean-up: the power is gone.
    PowerCut,
}

struct Faulty<'a> {
    fault: Fault,
    fail_at: usize,
    step: &'a Cell<usize>,
    renamed: &'a Cell<bool>,
}

impl Faulty<'_> {
    fn step(&self) -> io::Result<()> {
        let step = self.step.get();
        self.step.set(step + 1);
        let fails = match self.fault {
            Fault::PowerCut => step >= self.fail_at,
            Fault::Refused | Fault::Torn => step == self.fail_at,
        };
        if fails {
            Err(io::Error::other("injected"))
        } else {
            Ok(())
        }
    }
}

impl Files for Faulty<'_> {
    type Handle = fs::File;

    fn create_folders(&self, folder: &Path) -> io::Result<()> {
        self.step()?;
        Disk.create_folders(folder)
    }

    fn create(&self, path: &Path) -> io::Result<fs::File> {
        self.step()?;
        Disk.create(path)
    }

    fn write(&self, file: &mut fs::File, bytes: &[u8]) -> io::Result<()> {
        let step = self.step.get();
        if let Err(error) = self.step() {
            if self.fault != Fault::Refused && step == self.fail_at {
                Disk.write(file, &bytes[..bytes.len() / 2])?;
            }
            return Err(error);
        }
        Disk.write(file, bytes)
    }

    fn sync(&self, file: &fs::File) -> io::Result<()> {
        self.step()?;
        Disk.sync(file)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step()?;
        self.renamed.set(true);
        Disk.rename(from, to)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        self.step()?;
        Disk.sync_folder(folder)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        if self.fault == Fault::PowerCut {
            return Err(io::Error::other("injected"));
        }
        Disk.remove(path)
    }
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .expect("readable")
        .map(|entry| entry.expect("entry").file_name().to_string_lossy().into())
        .collect();
    names.sort();
    names
}

/// Fails each step in turn until the write succeeds; returns how many steps could fail.
fn fail_every_step(fault: Fault, old: Option<&[u8]>) -> usize {
    let new = vec![7_u8; 24 * CHUNK_BYTES + 5];
    for fail_at in 0.. {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("file");
        if let Some(old) = old {
            atomic_write(&path, old).expect("the old file");
        }
        let (step, renamed) = (Cell::new(0), Cell::new(false));
        let files = Faulty {
            fault,
            fail_at,
            step: &step,
            renamed: &renamed,
        };
        let outcome = write_through(files, &path, &new);
        let found = fs::read(&path).ok();
        if outcome.is_ok() {
            assert_eq!(found.as_deref(), Some(&new[..]), "{fault:?}: written");
            return fail_at;
        }
        let expected = if renamed.get() { Some(&new[..]) } else { old };
        assert!(
            found.as_deref() == expected,
            "{fault:?} at step {fail_at}: the file changed"
        );
        if fault != Fault::PowerCut {
            let left: &[&str] = if expected.is_some() { &["file"] } else { &[] };
            assert_eq!(names(folder.path()), left, "{fault:?} at step {fail_at}");
        }
    }
    unreachable!("some count of steps succeeds")
}

#[test]
fn a_fault_at_any_step_keeps_the_old_bytes() {
    for fault in [Fault::Refused, Fault::Torn, Fault::PowerCut] {
        for old in [Some(&b"old bytes"[..]), None] {
            let steps = fail_every_step(fault, old);
            // Folders, create, 25 writes, flush, rename, flush of the folder.
            assert_eq!(steps, 30, "{fault:?}");
        }
    }
}

#[test]
fn an_error_names_the_file() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("settings.toml");
    for fail_at in 0..6 {
        let (step, renamed) = (Cell::new(0), Cell::new(false));
        let files = Faulty {
            fault: Fault::Refused,
            fail_at,
            step: &step,
            renamed: &renamed,
        };
        let error = write_through(files, &path, b"x").expect_err("injected");
        let named = if fail_at == 0 { folder.path() } else { &path };
        let text = error.to_string();
        assert!(text.contains("injected"), "{text}");
        assert!(text.ends_with(&named.display().to_string()), "{text}");
    }
}

#[test]
fn folders_are_created_and_the_file_is_replaced() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("a/b/file");
    atomic_write(&path, b"one").expect("first");
    atomic_write(&path, b"").expect("second");
    assert_eq!(fs::read(&path).expect("reads"), b"");
    assert_eq!(names(path.parent().expect("folder")), ["file"]);
}

#[test]
fn a_folder_in_the_way_is_an_error_and_stays() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("file");
    fs::create_dir(&path).expect("folder");
    assert!(matches!(atomic_write(&path, b"x"), Err(Error::Io { .. })));
    assert_eq!(names(folder.path()), ["file"], "no temporary file");
}

#[cfg(unix)]
#[test]
fn permissions_and_links_are_kept() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().expect("folder");
    let real = folder.path().join("dotfiles/settings.toml");
    let link = folder.path().join("settings.toml");
    atomic_write(&real, b"old").expect("old");
    fs::set_permissions(&real, fs::Permissions::from_mode(0o600)).expect("mode");
    std::os::unix::fs::symlink(&real, &link).expect("link");
    atomic_write(&link, b"new").expect("through the link");
    assert_eq!(fs::read(&real).expect("reads"), b"new");
    assert!(
        fs::symlink_metadata(&link).expect("meta").is_symlink(),
        "still a link"
    );
    let mode = fs::metadata(&real).expect("meta").permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "still private");
}

#[test]
fn a_streamed_file_appears_at_commit_only() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("file");
    let mut file = AtomicFile::create(&path).expect("created");
    file.write_all(b"one ").expect("written");
    assert!(!path.exists(), "not before the commit");
    file.write_all(b"two").expect("written");
    file.commit().expect("committed");
    assert_eq!(fs::read(&path).expect("reads"), b"one two");

    let mut dropped = AtomicFile::create(&path).expect("created");
    dropped.write_all(b"never").expect("written");
    drop(dropped);
    assert_eq!(fs::read(&path).expect("reads"), b"one two", "old bytes");
    assert_eq!(names(folder.path()), ["file"], "removed when dropped");
}

#[test]
fn only_stale_temporary_files_are_swept() {
    let folder = tempfile::tempdir().expect("folder");
    let long_ago = SystemTime::now() - STALE_AFTER - Duration::from_mins(1);
    for (name, old) in [
        (".a.1-0.vitrine-tmp", true),
        (".b.1-0.vitrine-tmp", false),
        ("mine.vitrine-tmp", true),
        ("notes.txt", true),
    ] {
        let path = folder.path().join(name);
        atomic_write(&path, b"x").expect("written");
        if old {
            let file = fs::OpenOptions::new().write(true).open(&path);
            file.and_then(|file| file.set_modified(long_ago))
                .expect("aged");
        }
    }
    remove_stale_temp_files(folder.path());
    let left = [".b.1-0.vitrine-tmp", "mine.vitrine-tmp", "notes.txt"];
    assert_eq!(names(folder.path()), left);
    remove_stale_temp_files(&folder.path().join("absent"));
}

/// A file system of 1 MiB, unmounted when dropped.
#[cfg(target_os = "linux")]
struct SmallDisk(PathBuf);

#[cfg(target_os = "linux")]
impl SmallDisk {
    fn mount(at: &Path) -> Option<Self> {
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=1m", "none"])
            .arg(at)
            .stderr(std::process::Stdio::null())
            .status();
        mounted
            .is_ok_and(|status| status.success())
            .then(|| Self(at.to_path_buf()))
    }
}

#[cfg(target_os = "linux")]
impl Drop for SmallDisk {
    fn drop(&mut self) {
        let unmounted = std::process::Command::new("umount").arg(&self.0).status();
        assert!(unmounted.is_ok_and(|status| status.success()), "unmounted");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_keeps_the_old_bytes() {
    let folder = tempfile::tempdir().expect("folder");
    let Some(disk) = SmallDisk::mount(folder.path()) else {
        println!("skipped: mounting a small file system needs root");
        return;
    };
    let path = disk.0.join("file");
    let old = vec![1_u8; 300_000];
    atomic_write(&path, &old).expect("fits");
    let error = atomic_write(&path, &vec![2_u8; 2_000_000]).expect_err("does not fit");
    match &error {
        Error::Io { source, .. } => assert_eq!(source.kind(), io::ErrorKind::StorageFull),
        other => panic!("unexpected: {other}"),
    }
    assert!(error.to_string().ends_with(&path.display().to_string()));
    assert_eq!(fs::read(&path).expect("reads"), old, "old bytes");
    assert_eq!(names(&disk.0), ["file"], "no temporary file");
    atomic_write(&path, &vec![3_u8; 600_000]).expect("the room was given back");
}
