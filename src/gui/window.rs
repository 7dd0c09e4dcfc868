//! Opens the window, and says in words why it could not.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use super::app::{App, AppSetup, Mode};
use super::log::LogBuffer;
use super::tab::DemoTab;
use crate::cli::Globals;
use crate::compute::DeviceChoice;
use crate::error::{ADAPTER_REMEDY, Error, Result};
use crate::store::{Paths, Settings, atomic_write};

/// What a person can do where no window opens.
const WITHOUT_A_WINDOW: &str = "the command line works without a window: `vitrine list` shows what there is, `vitrine gpt complete \"Once upon a time\"` continues a text, `vitrine doctor` tells what is missing";

/// Opens the window and returns when it is closed.
///
/// # Errors
/// [`Error::Graphics`] with what to do when there is no display or no adapter, or when the
/// graphics device was lost.
pub fn run_window(tabs: Vec<DemoTab>, globals: &Globals, started: Instant) -> Result<()> {
    let log = LogBuffer::default();
    let stderr = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .with_filter(
            EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("vitrine=error")),
        );
    let kept = log.layer().with_filter(EnvFilter::new(
        "info,egui=warn,wgpu=warn,naga=warn,winit=warn",
    ));
    // A second subscriber in one process, as in tests, is refused; the first stays.
    let _ = tracing_subscriber::registry()
        .with(stderr)
        .with(kept)
        .try_init();

    let paths = Paths::discover()?;
    report_panics(&paths);
    let (settings, notice) = Settings::load(&paths.settings_file());
    let mut worker = globals.worker_options();
    worker.threads = worker.threads.or(settings.threads);
    if worker.device == DeviceChoice::Auto {
        worker.device = clap::ValueEnum::from_str(&settings.device, true).unwrap_or_default();
    }
    let viewport = egui::ViewportBuilder::default()
        .with_title("Vitrine")
        .with_app_id("vitrine")
        .with_inner_size(settings.window_size)
        .with_min_inner_size([760.0, 520.0]);
    let options = eframe::NativeOptions {
        viewport,
        ..Default::default()
    };
    let setup = AppSetup {
        tabs,
        worker,
        paths,
        settings,
        notice,
        log,
        started,
        mode: Mode::Live,
    };
    let failure = Arc::new(Mutex::new(None));
    let theirs = Arc::clone(&failure);
    let result = eframe::run_native(
        "vitrine",
        options,
        Box::new(move |cc| Ok(Box::new(App::new(cc, setup, theirs)?))),
    );
    if let Some(error) = failure
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take()
    {
        return Err(error);
    }
    result.map_err(|e| Error::Graphics(explain(&e)))
}

fn explain(error: &eframe::Error) -> String {
    match error {
        eframe::Error::Wgpu(e) => format!(
            "no graphics adapter could be used ({e}); on Debian `{ADAPTER_REMEDY}` brings one in software; {WITHOUT_A_WINDOW}"
        ),
        eframe::Error::WinitEventLoop(e) => {
            // Its text quotes source files.
            tracing::debug!("{e}");
            format!("there is no display to open a window on; {WITHOUT_A_WINDOW}")
        }
        other => format!("the window could not be opened ({other}); {WITHOUT_A_WINDOW}"),
    }
}

/// Leaves a report of a panic in a file. A panic of the compute thread is caught and shown as a
/// failed job, so it only goes to the log.
fn report_panics(paths: &Paths) {
    let dir = paths.crash_report_dir();
    std::panic::set_hook(Box::new(move |info| {
        let thread = std::thread::current();
        let name = thread.name().unwrap_or("unnamed");
        tracing::error!("the thread {name} panicked: {info}");
        if name.starts_with("compute") {
            return;
        }
        let trace = std::backtrace::Backtrace::force_capture();
        let report = format!(
            "vitrine {}\nthread {name}\n{info}\n\n{trace}\n",
            env!("CARGO_PKG_VERSION")
        );
        let path = dir.join(format!("{}.txt", std::process::id()));
        match atomic_write(&path, report.as_bytes()) {
            Ok(()) => eprintln!(
                "vitrine: internal error, a report was written: {}",
                path.display()
            ),
            Err(e) => eprintln!("vitrine: internal error: {info} ({e})"),
        }
    }));
}
