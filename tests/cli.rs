//! The real program, from the outside: what it prints where, and how it ends.

mod common;

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use common::model_or_skip;
use common::tiny::{self, Tiny};
use serde_json::Value;
use tempfile::TempDir;

/// A home folder of its own, with a small model in it.
struct Home {
    folder: TempDir,
}

impl Home {
    fn new() -> Self {
        let folder = TempDir::new().expect("a folder");
        let home = Self { folder };
        let small = Tiny {
            context: 4096,
            untied: true,
            ..Tiny::new(tiny::Q8_0)
        };
        common::write(&home.small(), &small.build().writer.bytes());
        home
    }

    /// A home that has the default model too.
    #[cfg(unix)]
    fn with_model(model: &Path) -> Self {
        let home = Self::new();
        let models = home.folder.path().join("data/models");
        std::fs::create_dir_all(&models).expect("a folder");
        let name = model.file_name().expect("a name");
        std::os::unix::fs::symlink(model, models.join(name)).expect("a link");
        home
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A model with a context of 4096 tokens, every byte being one.
    fn small(&self) -> PathBuf {
        self.file("small.gguf")
    }

    fn command<A: AsRef<OsStr>>(&self, args: &[A]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vitrine"));
        command
            .args(args)
            .env("VITRINE_HOME", self.folder.path())
            .env_remove("VITRINE_ASSETS")
            .env_remove("RUST_LOG")
            .env("RUST_BACKTRACE", "0")
            // Without one, graphics drivers complain on the standard error.
            .env("XDG_RUNTIME_DIR", self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn run(&self, args: &[&str]) -> Ran {
        Ran::from(self.command(args).output().expect("it starts"))
    }

    /// Runs with this on the standard input.
    fn run_with(&self, args: &[&str], input: &[u8]) -> Ran {
        let mut command = self.command(args);
        let mut child = command.stdin(Stdio::piped()).spawn().expect("it starts");
        let mut stdin = child.stdin.take().expect("its input");
        // A program that fails early closes its input; its own message says why.
        let _ = stdin.write_all(input);
        drop(stdin);
        Ran::from(child.wait_with_output().expect("it ends"))
    }

    /// `gpt complete` with the small model.
    fn complete(&self, prompt: &str, flags: &[&str]) -> Ran {
        let small = self.small();
        let small = small.to_str().expect("UTF-8");
        let args = [&["gpt", "complete", "--model", small, prompt][..], flags].concat();
        self.run(&args)
    }
}

/// What came of a run.
struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).expect("UTF-8"),
            err: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }
}

impl Ran {
    #[track_caller]
    fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "{}", self.err);
        self
    }

    /// Asserts that it failed with one line on the standard error, and returns that.
    #[track_caller]
    fn failed(self) -> String {
        assert_eq!(self.code, Some(1), "{}{}", self.out, self.err);
        let line = self.err.strip_suffix('\n').expect("a whole line");
        assert_eq!(line.lines().count(), 1, "{line}");
        let message = line.strip_prefix("vitrine: ").expect("the program's name");
        message.to_owned()
    }

    /// Every line as JSON; the last one is the result, and the only one.
    #[track_caller]
    fn events(&self) -> Vec<Value> {
        let parse = |line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        let events: Vec<Value> = self.out.lines().map(parse).collect();
        let (last, before) = events.split_last().expect("a result");
        assert_eq!(last["event"], "result", "{last}");
        assert!(
            before.iter().all(|e| e["event"] == "progress"),
            "{}",
            self.out
        );
        events
    }

    #[track_caller]
    fn result(&self) -> Value {
        self.events().pop().expect("a result")
    }
}

#[test]
fn list_names_demos_files_and_how_to_get_them() {
    let home = Home::new();
    let text = home.run(&["list"]).ok();
    for part in [
        "gpt ",
        "Language models are few-shot learners",
        "actions: complete, tokenize, curve, bench",
        "smollm2-135m-instruct-q4_1",
        "98 MB, Apache-2.0, not fetched: vitrine fetch smollm2-135m-instruct-q4_1",
    ] {
        assert!(text.out.contains(part), "{part}: {}", text.out);
    }
    assert_eq!(text.err, "");

    let result = home.run(&["list", "--json"]).ok().result();
    assert_eq!(result["demos"][0]["id"], "gpt");
    assert_eq!(
        result["demos"][0]["actions"],
        serde_json::json!(["complete", "tokenize", "curve", "bench"])
    );
    let model = &result["assets"][0];
    assert_eq!(model["bytes"], 98_362_432);
    assert_eq!(model["present"], false);
    let path = model["path"].as_str().expect("a path");
    assert!(Path::new(path).starts_with(home.folder.path()), "{path}");
}

#[test]
fn verify_without_a_model_finds_nothing_wrong() {
    let home = Home::new();
    let text = home.run(&["verify"]).ok();
    assert!(
        text.out
            .contains("not fetched  smollm2-135m-instruct-q4_1: "),
        "{}",
        text.out
    );
    assert!(text.out.contains("ok           gpt-help: "), "{}", text.out);
    let result = home.run(&["--json", "verify"]).ok().result();
    assert_eq!(result["ok"], true);
}

#[test]
fn verify_tells_what_is_damaged() {
    let home = Home::new();
    let model = home.file("data/models/SmolLM2-135M-Instruct.Q4_1.gguf");
    std::fs::create_dir_all(model.parent().expect("a folder")).expect("a folder");
    common::write(&model, b"GGUF");
    let ran = home.run(&["verify", "--json"]);
    let result = ran.result();
    assert_eq!(result["ok"], false);
    assert_eq!(result["assets"][0]["state"], "4 bytes, not 98362432");
    assert_eq!(ran.failed(), "1 file is missing or damaged, see above");
}

#[cfg(unix)]
#[test]
fn verify_reads_the_whole_model() {
    let Some(model) = model_or_skip() else { return };
    let home = Home::with_model(&model);
    let result = home.run(&["verify", "--json"]).ok().result();
    assert_eq!(result["assets"][0]["state"], "ok");
    // Fetching what is there is done at once and says where it is.
    let fetched = home.run(&["fetch", "gpt"]).ok();
    let name = model.file_name().expect("a name").to_str().expect("UTF-8");
    assert!(fetched.out.trim_end().ends_with(name), "{}", fetched.out);
    assert_eq!(fetched.err, "");
}

#[test]
fn doctor_looks_at_everything_and_gives_a_remedy_for_what_is_missing() {
    let home = Home::new();
    let text = home.run(&["doctor"]).ok();
    let result = home.run(&["doctor", "--json"]).ok().result();
    assert_eq!(result["version"], env!("CARGO_PKG_VERSION"));
    let checks = result["checks"].as_array().expect("checks");
    for name in [
        "graphics",
        "display",
        "processor",
        "compute device",
        "CUDA",
        "model",
        "pip",
        "camera",
        "ffmpeg",
    ] {
        let check = checks.iter().find(|c| c["name"] == name).expect(name);
        assert!(text.out.contains(name), "{name}: {}", text.out);
        let ok = check["ok"].as_bool().expect("yes or no");
        assert_eq!(ok, check["remedy"].is_null(), "{check}");
        if let Some(remedy) = check["remedy"].as_str() {
            assert!(text.out.contains(remedy), "{remedy}");
        }
    }
    let model = checks.iter().find(|c| c["name"] == "model").expect("model");
    assert_eq!(model["remedy"], "vitrine fetch smollm2-135m-instruct-q4_1");
}

#[test]
fn tokenize_takes_the_bytes_as_they_are() {
    let home = Home::new();
    let small = home.small();
    let args = [
        "gpt",
        "tokenize",
        "--model",
        small.to_str().expect("UTF-8"),
        "--json",
    ];
    for (input, expected) in [
        // Nothing is added at the end and nothing taken away.
        (&b"x"[..], vec![120]),
        (b"x\n", vec![120, 10]),
        (b"\r\n", vec![13, 10]),
        (b"", vec![]),
        (b"a\x00b", vec![97, 0, 98]),
        // A byte that begins no character is read as U+FFFD.
        (b"x\xff", vec![120, 0xef, 0xbf, 0xbd]),
        (b"abc<|turn|>", vec![257, tiny::TURN]),
    ] {
        let result = home.run_with(&args, input).ok().result();
        assert_eq!(
            result["ids"],
            serde_json::json!(expected),
            "{}",
            input.escape_ascii()
        );
    }
    let text = home.run_with(&args[..4], b"abc\n").ok();
    assert_eq!(text.out, "     257 \"abc\"\n      10 \"\\n\"\n");
    assert_eq!(text.err, "");
}

#[test]
fn complete_gives_the_text_and_its_figures() {
    let home = Home::new();
    let ran = home.complete("ab", &["-n", "5", "--json"]).ok();
    let result = ran.result();
    assert_eq!(result["tokens"], 5);
    assert_eq!(result["ids"].as_array().map(Vec::len), Some(5));
    assert_eq!(result["reason"], "length");
    assert_eq!(result["prompt"], "ab");
    assert_eq!(result["prompt_tokens"], 1);
    assert_eq!(result["seed"], 0);
    assert!(result["decode_tokens_per_sec"].as_f64().expect("a rate") > 0.0);
    let events = ran.events();
    let pieces = events.iter().filter(|e| e["unit"] == "tokens");
    let text: String = pieces.filter_map(|e| e["text"].as_str()).collect();
    assert_eq!(result["text"], text, "the pieces make up the text");
    assert_eq!(ran.err, "");

    // For people the text is all there is on the standard output.
    let plain = home.complete("ab", &["-n", "5"]).ok();
    assert_eq!(plain.out, format!("{text}\n"));
    assert!(
        plain
            .err
            .starts_with("5 tokens, ended by the length asked for; "),
        "{}",
        plain.err
    );
    assert_eq!(plain.err.lines().count(), 1);

    // From the standard input, the same.
    let small = home.small();
    let args = [
        "gpt",
        "complete",
        "-",
        "--model",
        small.to_str().expect("UTF-8"),
        "-n",
        "5",
    ];
    assert_eq!(home.run_with(&args, b"ab").ok().out, plain.out);

    let explained = home
        .complete("abx", &["-n", "2", "--json", "--explain"])
        .ok()
        .result();
    assert_eq!(
        explained["prompt_positions"].as_array().map(Vec::len),
        Some(2)
    );
    assert_eq!(
        explained["positions"][0]["top"].as_array().map(Vec::len),
        Some(10)
    );
    assert_eq!(
        explained["config"]["model"],
        Value::Null,
        "no path of this machine"
    );
}

#[cfg(unix)]
#[test]
fn the_default_model_answers_the_papers_prompt() {
    let Some(model) = model_or_skip() else { return };
    let home = Home::with_model(&model);
    let prompt = vitrine::demos::gpt::presets::PRESETS[0].prompt;
    let result = home
        .run(&[
            "gpt",
            "complete",
            prompt,
            "--stop",
            r"\n",
            "--json",
            "--threads",
            "2",
        ])
        .ok()
        .result();
    assert_eq!(result["text"], " She went to the market.");
    assert_eq!(result["reason"], serde_json::json!({ "stop_string": "\n" }));
}

#[test]
fn a_seed_is_the_same_text_every_time() {
    let home = Home::new();
    let text = |seed: &str| {
        home.complete(
            "ab",
            &["-n", "20", "--temperature", "0.8", "--seed", seed, "--json"],
        )
        .ok()
        .result()["ids"]
            .clone()
    };
    assert_eq!(text("3"), text("3"));
    assert_ne!(text("3"), text("4"));
}

#[test]
fn failures_are_one_line_that_names_the_file() {
    let home = Home::new();
    let missing = home.file("no_such_model.gguf");
    let picture = home.file("picture.png");
    common::write(&picture, b"\x89PNG\r\n\x1a\n and so on");
    let cut = home.file("cut.gguf");
    let whole = std::fs::read(home.small()).expect("the small model");
    common::write(&cut, &whole[..whole.len() - 100]);
    for action in ["complete", "tokenize"] {
        for (path, part) in [
            (&missing, "No such file"),
            (&picture, "does not begin with the letters GGUF"),
            (&home.folder.path().to_path_buf(), "a folder"),
        ] {
            let name = path.to_str().expect("UTF-8");
            let mut args = vec!["gpt", action, "--model", name];
            if action == "complete" {
                args.push("x");
            }
            let said = home.run(&args).failed();
            assert!(said.ends_with(name) && said.contains(part), "{said}");
        }
    }
    let name = cut.to_str().expect("UTF-8");
    let said = home
        .run(&["gpt", "complete", "--model", name, "x"])
        .failed();
    assert!(
        said.ends_with("cut.gguf") && said.contains("cut off"),
        "{said}"
    );

    let long = home.complete(&"x".repeat(5000), &[]).failed();
    assert_eq!(
        long,
        "the prompt is 5000 tokens long and the model reads at most 4096, with room for its answer; shorten it by 905 tokens"
    );
    let said = home.complete("", &[]).failed();
    assert!(said.contains("the prompt is empty"), "{said}");
    let said = home.complete("x", &["--top-p", "7"]).failed();
    assert_eq!(said, "top-p is 7, it must lie between 0 and 1");
    let said = home.run(&["fetch", "gpt-5"]).failed();
    assert!(
        said.starts_with(
            "nothing to fetch is called gpt-5, there is: smollm2-135m-instruct-q4_1, "
        ),
        "{said}"
    );
}

#[test]
fn wrong_usage_is_told_apart_from_failure() {
    let home = Home::new();
    for args in [
        &["--no-such-flag"][..],
        &["no-such-command"],
        &["gpt"],
        &["gpt", "complete"],
        &["gpt", "complete", "x", "-n", "many"],
        &["list", "--threads", "0"],
        &["screenshot", "gpt"],
        &["screenshot", "gpt", "--out", "x.png", "--size", "10x10"],
        &["fetch"],
    ] {
        let ran = home.run(args);
        assert_eq!(ran.code, Some(2), "{args:?}: {}", ran.err);
        assert_eq!(ran.out, "", "{args:?}");
        assert!(
            ran.err.contains("Usage:") || ran.err.contains("--help"),
            "{}",
            ran.err
        );
    }
    let version = home.run(&["--version"]).ok();
    assert_eq!(
        version.out,
        format!("vitrine {}\n", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn every_command_explains_itself() {
    let home = Home::new();
    for args in [
        &[][..],
        &["list"],
        &["doctor"],
        &["fetch"],
        &["verify"],
        &["screenshot"],
        &["bench"],
        &["bench", "nn"],
        &["train"],
        &["train", "faces"],
        &["train", "sketch"],
        &["sketch"],
        &["sketch", "draw"],
        &["gpt"],
        &["gpt", "complete"],
        &["gpt", "tokenize"],
    ] {
        let ran = home.run(&[args, &["--help"]].concat()).ok();
        let name = [&["help"], args].concat().join("_");
        // The program's name has an extension on some systems.
        insta::assert_snapshot!(name, ran.out.replace("vitrine.exe", "vitrine"));
    }
}

/// Waits for a program that was told to end.
fn wait(child: &mut Child) -> Option<i32> {
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("its state") {
            return status.code();
        }
        if started.elapsed() > Duration::from_secs(30) {
            child.kill().expect("it can be killed");
            panic!("it does not end");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_completion_and_keeps_what_was_done() {
    let home = Home::new();
    let small = home.small();
    let model = small.to_str().expect("UTF-8");
    let args = [
        "gpt",
        "complete",
        "ab",
        "--model",
        model,
        "-n",
        "4000",
        "--json",
        "--threads",
        "1",
    ];
    let mut child = home.command(&args).spawn().expect("it starts");
    let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    let mut text = String::new();
    let mut tokens = 0;
    let mut hear = |line: &str| -> Value {
        let event: Value = serde_json::from_str(line).expect("JSON");
        if let Some(more) = event["text"]
            .as_str()
            .filter(|_| event["event"] == "progress")
        {
            text += more;
            tokens += 1;
        }
        event
    };
    for line in lines.by_ref().take(8) {
        hear(&line.expect("a line"));
    }
    let killed = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .expect("kill starts");
    assert!(killed.success());
    let mut last = Value::Null;
    for line in lines {
        last = hear(&line.expect("a line"));
    }
    assert_eq!(wait(&mut child), Some(130));
    assert_eq!(last["event"], "result", "{last}");
    assert_eq!(last["interrupted"], true);
    assert_eq!(last["text"], text);
    assert_eq!(last["tokens"], tokens);
    assert!((5..4000).contains(&tokens), "{tokens}");
    let mut said = String::new();
    child
        .stderr
        .take()
        .expect("its errors")
        .read_to_string(&mut said)
        .expect("UTF-8");
    assert_eq!(said, "vitrine: cancelled\n");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let home = Home::new();
    let small = home.small();
    let model = small.to_str().expect("UTF-8");
    for args in [
        &["gpt", "complete", "ab", "--model", model, "-n", "4000"][..],
        &[
            "gpt", "complete", "ab", "--model", model, "-n", "4000", "--json",
        ],
    ] {
        let mut child = home.command(args).spawn().expect("it starts");
        let mut first = [0; 1];
        let mut out = child.stdout.take().expect("its output");
        out.read_exact(&mut first).expect("a byte");
        drop(out);
        assert_eq!(wait(&mut child), Some(0));
        let mut said = String::new();
        let mut err = child.stderr.take().expect("its errors");
        err.read_to_string(&mut said).expect("UTF-8");
        assert_eq!(said, "", "{args:?}");
    }
}

#[cfg(feature = "gui")]
mod screenshot {
    use super::{Home, common};

    #[test]
    fn a_tab_becomes_a_picture_of_the_size_asked_for() {
        if !common::adapter_or_skip() {
            return;
        }
        let home = Home::new();
        let out = home.file("gpt.png");
        let name = out.to_str().expect("UTF-8");
        let mut colours = Vec::new();
        for theme in ["dark", "light"] {
            let args = [
                "screenshot",
                "gpt",
                "--out",
                name,
                "--size",
                "900x640",
                "--theme",
                theme,
            ];
            let ran = home.run(&args).ok();
            assert_eq!(ran.out, format!("{name}\n"));
            assert_eq!(ran.err, "");
            let picture = image::open(&out).expect("a PNG file").to_rgb8();
            assert_eq!(picture.dimensions(), (900, 640));
            let brightness: u64 = picture.as_raw().iter().map(|v| u64::from(*v)).sum();
            colours.push(brightness / picture.as_raw().len() as u64);
            let first = *picture.get_pixel(450, 320);
            assert!(picture.pixels().any(|p| *p != first), "something is drawn");
        }
        assert!(colours[0] + 60 < colours[1], "dark and light: {colours:?}");
    }

    #[test]
    fn a_picture_that_cannot_be_written_is_a_failure() {
        if !common::adapter_or_skip() {
            return;
        }
        let home = Home::new();
        // Below a file there can be no file, whoever runs this.
        let out = home.small().join("gpt.png");
        let name = out.to_str().expect("UTF-8");
        let said = home.run(&["screenshot", "gpt", "--out", name]).failed();
        assert!(said.contains("small.gguf"), "{said}");
        let said = home.run(&["screenshot", "chess", "--out", name]).failed();
        assert_eq!(
            said,
            "no tab is called chess, there is: gpt, automl, lottery, muzero, sketch, pulse"
        );
    }
}
