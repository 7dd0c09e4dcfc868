//! The command line: every demo's actions, and what concerns the program as a whole.
//!
//! It runs the same jobs as the window. With `--json` every line of the standard output is one
//! object with an `event`, the last one `result`; without it the output is for people and
//! progress goes to the standard error. Exit codes: 0 done, 1 failed, 2 wrong usage, 130
//! interrupted, with what was done until then printed.

mod assets;
mod bench;
mod doctor;
mod drive;
mod interrupt;
mod report;

use std::path::PathBuf;

use clap::{ArgMatches, Args, FromArgMatches, Subcommand};

pub use assets::fetch_asset;
pub use drive::drive;
pub use interrupt::interrupted;
pub use report::Report;

use crate::compute::{DeviceChoice, WorkerOptions};
use crate::error::{Error, Result};

/// A demo as the command line sees it.
#[derive(Clone, Copy)]
pub struct DemoActions {
    /// The name it is called by.
    pub id: &'static str,
    /// The system it shows.
    pub title: &'static str,
    /// The paper it follows.
    pub paper: &'static str,
    /// Names of the assets it needs.
    pub needs: &'static [&'static str],
    /// Its actions with their flags.
    pub command: fn() -> clap::Command,
    /// Runs the action that was parsed.
    pub run: fn(&ArgMatches, &Globals) -> Result<()>,
    /// What it adds to `vitrine train`, for networks that serve more than the demo itself.
    pub trains: &'static [TrainAction],
}

/// One network that `vitrine train` trains.
#[derive(Clone, Copy)]
pub struct TrainAction {
    /// The name it is called by, unlike that of any other.
    pub name: &'static str,
    /// Its flags; the command has this name.
    pub command: fn() -> clap::Command,
    /// Trains it.
    pub run: fn(&ArgMatches, &Globals) -> Result<()>,
}

/// The name of the command under which networks are trained.
const TRAIN: &str = "train";

/// Flags that every command takes.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Options of every command")]
pub struct Globals {
    /// Where random numbers begin
    #[arg(long, global = true, default_value_t = 0)]
    pub seed: u64,
    /// Threads to compute with; all processors if not given
    #[arg(long, global = true, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub threads: Option<u16>,
    /// The device to compute on; the CPU stands in for one that is missing
    #[arg(long, global = true, value_enum, default_value_t = DeviceChoice::Auto)]
    pub device: DeviceChoice,
    /// Print one JSON object a line
    #[arg(long, global = true)]
    pub json: bool,
}

impl Globals {
    /// The worker these flags ask for.
    #[must_use]
    pub fn worker_options(&self) -> WorkerOptions {
        WorkerOptions {
            device: self.device,
            threads: self.threads.map(usize::from),
        }
    }

    /// Where results go.
    #[must_use]
    pub fn report(&self) -> Report {
        Report::new(self.json)
    }
}

/// What concerns the program as a whole.
#[derive(Subcommand)]
enum Shared {
    /// List the demos, their actions and the files they need
    List,
    /// Tell what this machine has, and how to get what it lacks
    Doctor,
    /// Fetch a file that a demo needs, by its name in `vitrine list` or the demo's
    Fetch {
        /// The beginning of a name is enough
        name: String,
    },
    /// Check every file against its size and checksum
    Verify,
    /// Draw a tab into a PNG file, without a window
    Screenshot(ScreenshotArgs),
    /// Measure how fast this machine computes
    #[command(subcommand)]
    Bench(bench::Bench),
}

/// Flags of `vitrine screenshot`.
#[derive(Clone, Debug, Args)]
pub struct ScreenshotArgs {
    /// The tab
    pub demo: String,
    /// The PNG file to write
    #[arg(long)]
    pub out: PathBuf,
    /// Width and height in points
    #[arg(long, default_value = "1280x800", value_parser = parse_size)]
    pub size: [u16; 2],
    /// The colours
    #[arg(long, value_enum, default_value_t = ScreenshotTheme::Dark)]
    pub theme: ScreenshotTheme,
}

/// The colours of a screenshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ScreenshotTheme {
    /// Light on dark.
    Dark,
    /// Dark on light.
    Light,
}

fn parse_size(text: &str) -> Result<[u16; 2], String> {
    let size = text
        .split_once('x')
        .and_then(|(w, h)| Some([w.parse().ok()?, h.parse().ok()?]));
    match size {
        Some([w, h]) if (320..=8192).contains(&w) && (240..=8192).contains(&h) => Ok([w, h]),
        Some([w, h]) => Err(format!("{w}x{h} lies outside 320x240 to 8192x8192")),
        None => Err("write it as WIDTHxHEIGHT, such as 1280x800".into()),
    }
}

/// Draws a tab into a file; handed in by `main`, because the command line knows no window.
pub type Screenshot = fn(&ScreenshotArgs, &Globals) -> Result<()>;

/// What the arguments ask for.
pub enum Asked {
    /// To open the window.
    Window(Globals),
    /// A command, already parsed.
    Command(Globals, Box<ArgMatches>),
}

/// The whole command line.
#[must_use]
pub fn command(demos: &[DemoActions]) -> clap::Command {
    // Afterwards, because the two would put their own descriptions in place of the program's.
    let command = Shared::augment_subcommands(Globals::augment_args(clap::Command::new("vitrine")))
        .version(env!("CARGO_PKG_VERSION"))
        .about("The landmark AI systems of 2020, to be used rather than looked at")
        .long_about(None)
        .after_help("Without a command the window opens");
    command
        .subcommands(train_command(demos))
        .subcommands(demos.iter().map(|demo| {
            (demo.command)()
                .about(format!("{}: {}", demo.title, demo.paper))
                .subcommand_required(true)
        }))
        .subcommand_required(false)
}

/// `train` with what the demos add to it, if they add anything.
fn train_command(demos: &[DemoActions]) -> Option<clap::Command> {
    let actions: Vec<_> = demos.iter().flat_map(|demo| demo.trains).collect();
    (!actions.is_empty()).then(|| {
        clap::Command::new(TRAIN)
            .about("Train a network that ships with the program")
            .subcommand_required(true)
            .subcommands(actions.iter().map(|action| (action.command)()))
    })
}

/// Parses the arguments; on wrong usage or `--help` prints and exits with clap's codes.
#[must_use]
pub fn parse(demos: &[DemoActions]) -> Asked {
    let matches = command(demos).get_matches();
    let globals = Globals::from_arg_matches(&matches).unwrap_or_else(|e| e.exit());
    if matches.subcommand_name().is_none() {
        return Asked::Window(globals);
    }
    Asked::Command(globals, Box::new(matches))
}

/// Runs a command.
///
/// # Errors
/// What the command failed with; [`Error::Cancelled`] when it was interrupted.
pub fn run(
    demos: &[DemoActions],
    globals: &Globals,
    matches: &ArgMatches,
    screenshot: Screenshot,
) -> Result<()> {
    interrupt::listen()?;
    if let Some((name, matches)) = matches.subcommand()
        && let Some(demo) = demos.iter().find(|demo| demo.id == name)
    {
        return (demo.run)(matches, globals);
    }
    if let Some((TRAIN, matches)) = matches.subcommand()
        && let Some((name, matches)) = matches.subcommand()
        && let Some(action) = demos
            .iter()
            .flat_map(|demo| demo.trains)
            .find(|action| action.name == name)
    {
        return (action.run)(matches, globals);
    }
    match Shared::from_arg_matches(matches).unwrap_or_else(|e| e.exit()) {
        Shared::List => assets::list(demos, globals),
        Shared::Doctor => doctor::run(globals),
        Shared::Fetch { name } => assets::fetch(demos, &name, globals),
        Shared::Verify => assets::verify(globals),
        Shared::Screenshot(args) => screenshot(&args, globals),
        Shared::Bench(bench) => bench::run(&bench, globals),
    }
}

/// The exit code that tells of an error.
#[must_use]
pub fn exit_code(error: &Error) -> u8 {
    if matches!(error, Error::Cancelled) {
        130
    } else {
        1
    }
}

#[cfg(test)]
mod tests {
    use super::{DemoActions, Globals, TrainAction, command, parse_size};

    #[test]
    fn clap_finds_the_command_line_consistent() {
        command(&[]).debug_assert();
    }

    #[test]
    fn demos_add_to_train() {
        #[expect(clippy::unnecessary_wraps, reason = "the table asks for this shape")]
        fn nothing(_: &clap::ArgMatches, _: &Globals) -> crate::error::Result<()> {
            Ok(())
        }
        const DEMO: DemoActions = DemoActions {
            id: "one",
            title: "One",
            paper: "",
            needs: &[],
            command: || clap::Command::new("one"),
            run: nothing,
            trains: &[TrainAction {
                name: "net",
                command: || clap::Command::new("net"),
                run: nothing,
            }],
        };
        let parse = |demos: &[DemoActions], args: &[&str]| {
            let args = ["vitrine"].iter().chain(args);
            command(demos).try_get_matches_from(args).is_ok()
        };
        assert!(parse(&[DEMO], &["train", "net", "--seed", "3"]));
        for (demos, args) in [(&[][..], ["train", "net"]), (&[DEMO], ["train", "other"])] {
            assert!(!parse(demos, &args), "{args:?}");
        }
        assert!(!parse(&[DEMO], &["train"]));
    }

    #[test]
    fn sizes_are_checked() {
        assert_eq!(parse_size("1280x800"), Ok([1280, 800]));
        assert!(parse_size("10x10").is_err_and(|e| e.contains("outside")));
        assert!(parse_size("big").is_err_and(|e| e.contains("WIDTHxHEIGHT")));
    }
}
