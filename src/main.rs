//! Vitrine's entry point: parse, then open the window or run the same job without one.

use std::process::ExitCode;

use vitrine::cli::{self, Asked};
use vitrine::demos::DEMOS;

fn main() -> ExitCode {
    let started = std::time::Instant::now();
    vitrine::nn::cpu::keep_freed_memory();
    vitrine::nn::cpu::keep_candle_single_threaded();
    let actions: Vec<_> = DEMOS.iter().map(|demo| demo.actions).collect();
    let result = match cli::parse(&actions) {
        Asked::Window(globals) => window::run(&globals, started),
        Asked::Command(globals, matches) => {
            cli::run(&actions, &globals, &matches, window::screenshot)
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("vitrine: {error}");
            ExitCode::from(cli::exit_code(&error))
        }
    }
}

#[cfg(feature = "gui")]
mod window {
    use std::time::Instant;

    use vitrine::cli::{Globals, ScreenshotArgs};
    use vitrine::compute::prepare_threads;
    use vitrine::demos::DEMOS;
    use vitrine::nn::cpu::give_way;
    use vitrine::{Result, gui};

    fn tabs() -> Vec<gui::DemoTab> {
        DEMOS.iter().filter_map(|demo| demo.tab).collect()
    }

    pub fn run(globals: &Globals, started: Instant) -> Result<()> {
        prepare_threads(give_way);
        gui::run_window(tabs(), globals, started)
    }

    pub fn screenshot(args: &ScreenshotArgs, globals: &Globals) -> Result<()> {
        gui::screenshot(tabs(), args, globals)
    }
}

#[cfg(not(feature = "gui"))]
mod window {
    use std::time::Instant;

    use vitrine::cli::{Globals, ScreenshotArgs};
    use vitrine::{Error, Result};

    fn missing() -> Error {
        Error::Missing("this program was built without the window: cargo build --release".into())
    }

    pub fn run(_: &Globals, _: Instant) -> Result<()> {
        Err(missing())
    }

    pub fn screenshot(_: &ScreenshotArgs, _: &Globals) -> Result<()> {
        Err(missing())
    }
}
