//! Vitrine's entry point: parse, then open the window or run the same job without one.

use std::process::ExitCode;

use vitrine::cli::{self, Asked};
use vitrine::demos::DEMOS;

fn main() -> ExitCode {
    vitrine::nn::cpu::keep_freed_memory();
    let actions: Vec<_> = DEMOS.iter().map(|demo| demo.actions).collect();
    let result = match cli::parse(&actions) {
        Asked::Window(_) => Ok(()),
        Asked::Command(globals, matches) => cli::run(&actions, &globals, &matches, |_, _| Ok(())),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("vitrine: {error}");
            ExitCode::from(cli::exit_code(&error))
        }
    }
}
