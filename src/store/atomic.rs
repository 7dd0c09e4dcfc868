//! Files that are replaced whole or not at all.
//!
//! The new bytes go to a sibling file, are flushed to the disk, and take the old file's place by
//! one rename; then the folder is flushed, so that the rename itself survives a power cut. Until
//! the rename the old file is untouched. The steps go through [`Files`], so that the tests can
//! make every single one of them fail.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use crate::{Error, Result};

/// How much is handed to the operating system at a time.
const CHUNK_BYTES: usize = 64 * 1024;
const TEMP_SUFFIX: &str = ".vitrine-tmp";
/// No write of ours takes this long, so an older temporary file was left by a killed process.
const STALE_AFTER: Duration = Duration::from_hours(24);

/// Replaces a file by `bytes`, creating the folders above it where they are missing.
///
/// The old file's permissions are kept, and a symbolic link keeps pointing to its target.
///
/// # Errors
/// When a step fails. The old file is intact then; only if the very last step failed, flushing
/// the folder, the new bytes are already in its place. No temporary file stays behind.
pub fn atomic_write(path: &Path, bytes: &[u8]) -> Result<()> {
    write_through(Disk, path, bytes)
}

fn write_through(files: impl Files, path: &Path, bytes: &[u8]) -> Result<()> {
    let mut staged = Staged::create(files, path)?;
    staged
        .write_all(bytes)
        .map_err(Error::io("cannot write the file", path))?;
    staged.commit()
}

/// A file that is written piece by piece and appears whole at [`AtomicFile::commit`].
///
/// Dropped before that, it leaves nothing behind and the old file as it was.
pub struct AtomicFile(Staged<Disk>);

impl AtomicFile {
    /// Opens a temporary file beside `path`, creating the folders above it where missing.
    ///
    /// # Errors
    /// When a folder or the file cannot be created.
    pub fn create(path: &Path) -> Result<Self> {
        Staged::create(Disk, path).map(Self)
    }

    /// Flushes what was written to the disk and puts it in the place of the old file.
    ///
    /// # Errors
    /// As [`atomic_write`].
    pub fn commit(self) -> Result<()> {
        self.0.commit()
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Puts a finished file (a completed download) in the place of `path`, flushed to the disk.
pub(super) fn publish(finished: &Path, path: &Path) -> Result<()> {
    let failed = || Error::io("cannot put the file in its place", path);
    OpenOptions::new()
        .append(true)
        .open(finished)
        .and_then(|file| file.sync_all())
        .map_err(failed())?;
    fs::rename(finished, path).map_err(failed())?;
    Disk.sync_folder(folder_of(path)).map_err(failed())
}

/// Removes temporary files that a killed process left in a folder more than a day ago.
pub fn remove_stale_temp_files(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else {
        return; // No folder yet, so nothing was left in it.
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let age = entry
            .metadata()
            .and_then(|meta| meta.modified())
            .ok()
            .and_then(|modified| SystemTime::now().duration_since(modified).ok());
        if name.starts_with('.')
            && name.ends_with(TEMP_SUFFIX)
            && age.is_some_and(|age| age > STALE_AFTER)
            && let Err(error) = fs::remove_file(entry.path())
        {
            tracing::warn!(
                "cannot remove a stale temporary file: {error}: {}",
                entry.path().display()
            );
        }
    }
}

/// The steps of an atomic write, each of which the operating system may refuse.
trait Files {
    type Handle;
    fn create_folders(&self, folder: &Path) -> io::Result<()>;
    /// Creates a file that must not exist yet.
    fn create(&self, path: &Path) -> io::Result<Self::Handle>;
    fn write(&self, file: &mut Self::Handle, bytes: &[u8]) -> io::Result<()>;
    fn sync(&self, file: &Self::Handle) -> io::Result<()>;
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;
    fn remove(&self, path: &Path) -> io::Result<()>;
}

/// The real file system.
struct Disk;

impl Files for Disk {
    type Handle = File;

    fn create_folders(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)
    }

    fn create(&self, path: &Path) -> io::Result<File> {
        OpenOptions::new().write(true).create_new(true).open(path)
    }

    fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        file.write_all(bytes)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    #[cfg(unix)]
    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        match File::open(folder)?.sync_all() {
            // Some network file systems cannot flush a folder: the rename is as safe as it gets.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported
                ) =>
            {
                Ok(())
            }
            outcome => outcome,
        }
    }

    // Other systems cannot open a folder as a file, and write renames through.
    #[cfg(not(unix))]
    fn sync_folder(&self, _folder: &Path) -> io::Result<()> {
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }
}

/// A temporary file on its way to its place.
struct Staged<F: Files> {
    files: F,
    /// Taken when the file is closed, which comes before the rename and the removal.
    handle: Option<F::Handle>,
    temp: PathBuf,
    target: PathBuf,
    renamed: bool,
}

impl<F: Files> Staged<F> {
    fn create(files: F, path: &Path) -> Result<Self> {
        // A rename onto a symbolic link would replace the link; people link their settings.
        let target = match fs::symlink_metadata(path) {
            Ok(meta) if meta.is_symlink() => fs::canonicalize(path).unwrap_or(path.to_path_buf()),
            _ => path.to_path_buf(),
        };
        let folder = folder_of(&target);
        files
            .create_folders(folder)
            .map_err(Error::io("cannot create the folder", folder))?;
        let (temp, handle) = create_temp(&files, &target)
            .map_err(Error::io("cannot create a temporary file beside", path))?;
        let staged = Self {
            files,
            handle: Some(handle),
            temp,
            target,
            renamed: false,
        };
        staged.keep_permissions();
        Ok(staged)
    }

    /// Gives the new file the old one's permissions, so that a private file stays private.
    fn keep_permissions(&self) {
        if let Ok(old) = fs::metadata(&self.target)
            && old.is_file()
            && let Err(error) = fs::set_permissions(&self.temp, old.permissions())
        {
            // Some file systems have no permissions; the bytes matter more.
            tracing::debug!("permissions not kept: {error}: {}", self.target.display());
        }
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let handle = self.handle.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        for chunk in bytes.chunks(CHUNK_BYTES) {
            self.files.write(handle, chunk)?;
        }
        Ok(())
    }

    fn commit(mut self) -> Result<()> {
        let failed = || Error::io("cannot replace the file", &self.target);
        if let Some(handle) = self.handle.take() {
            self.files.sync(&handle).map_err(failed())?;
        }
        self.files
            .rename(&self.temp, &self.target)
            .map_err(failed())?;
        self.renamed = true;
        self.files
            .sync_folder(folder_of(&self.target))
            .map_err(Error::io("cannot flush the folder of", &self.target))
    }
}

impl<F: Files> Drop for Staged<F> {
    fn drop(&mut self) {
        self.handle = None;
        if !self.renamed
            && let Err(error) = self.files.remove(&self.temp)
        {
            tracing::warn!(
                "cannot remove a temporary file: {error}: {}",
                self.temp.display()
            );
        }
    }
}

/// Creates `.name.PID-N.vitrine-tmp` beside the target.
fn create_temp<F: Files>(files: &F, target: &Path) -> io::Result<(PathBuf, F::Handle)> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let name = target.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    loop {
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let mut temp_name = std::ffi::OsString::from(".");
        temp_name.push(name);
        temp_name.push(format!(".{}-{count}{TEMP_SUFFIX}", std::process::id()));
        let temp = folder_of(target).join(temp_name);
        match files.create(&temp) {
            // Left by a killed process that had the same number: take the next name.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            outcome => return outcome.map(|handle| (temp, handle)),
        }
    }
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests;
