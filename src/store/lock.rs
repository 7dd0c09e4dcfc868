//! A folder that one job at a time may write to, whatever process it runs in.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::error::{Error, Result};

/// How long a lock may linger: a process that is started at this moment holds, for the blink of an
/// eye, copies of all open files, locks among them.
const LINGERS: Duration = Duration::from_millis(500);

/// The lock of a folder, held until it is dropped.
#[derive(Debug)]
pub struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Locks a folder, which is made if it is not there.
    ///
    /// # Errors
    /// When the folder is locked elsewhere, or cannot be written.
    pub fn take(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder).map_err(Error::io("cannot make the run's folder", folder))?;
        let path = folder.join("lock");
        // Never written to, so there is nothing to lose.
        let file = File::options()
            .create(true)
            .write(true)
            .truncate(false)
            .open(&path)
            .map_err(Error::io("cannot lock the run", &path))?;
        let since = Instant::now();
        while file.try_lock().is_err() {
            if since.elapsed() > LINGERS {
                return Err(Error::bad_file(
                    folder,
                    "this run is under way in another window or terminal: wait for it, or stop it",
                ));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(Self { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::FolderLock;

    #[test]
    fn a_folder_is_locked_once_and_free_afterwards() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = folder.path().join("run");
        let held = FolderLock::take(&place).expect("free");
        let refused = FolderLock::take(&place).expect_err("taken").to_string();
        assert!(refused.contains("under way in another window"), "{refused}");
        drop(held);
        FolderLock::take(&place).expect("free again");
    }
}
