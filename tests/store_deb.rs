//! The route through Debian's packages, with shell scripts in the place of its programs.
#![cfg(unix)]

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use flate2::{Compression, write::GzEncoder};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use vitrine::Error;
use vitrine::store::{
    Apt, Asset, DebPackage, Fetch, Kind, Manifest, Paths, Progress, Routes, Status, atomic_write,
    fetch, verify,
};

const FOLDER: &str = "usr/share/datasets/numbers";

fn content(count: u32) -> Vec<u8> {
    (0..count).flat_map(u32::to_le_bytes).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("packed");
    encoder.finish().expect("packed")
}

/// A row of a file in the package; `end` is `.gz` or nothing.
fn row(name: &str, bytes: &[u8], end: &str) -> Asset {
    let hex = |byte: &u8| format!("{byte:02x}");
    Asset {
        name: name.to_owned(),
        kind: Kind::Fetched,
        path: PathBuf::from(format!("numbers/{name}")),
        bytes: bytes.len() as u64,
        sha256: Sha256::digest(bytes).iter().map(hex).collect(),
        licence: "CC0-1.0".to_owned(),
        source: "made here".to_owned(),
        about: "Numbers".to_owned(),
        made_by: None,
        seed: None,
        machine: None,
        figure: None,
        fetch: Some(Fetch {
            deb: Some(DebPackage {
                package: "numbers".to_owned(),
                member: PathBuf::from(format!("{FOLDER}/{name}{end}")),
            }),
            ..Fetch::default()
        }),
    }
}

/// A user's folders, three rows of one package, and scripts that answer as `apt-get` and
/// `dpkg-deb` would.
struct Bench {
    folder: TempDir,
    paths: Paths,
    rows: [Asset; 3],
    routes: Routes,
    cancel: AtomicBool,
}

const DOWNLOAD: &str = "head -c 777 /dev/zero > numbers_1_all.deb";
const UNPACK: &str = "mkdir -p \"$3\" && cp -r \"$HERE/package/.\" \"$3\"";

impl Bench {
    fn new(download: &str, unpack: &str) -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let at = |name: &str| folder.path().join(name);
        let big = content(200_000);
        let small = content(10);
        let plain = content(500);
        let put = |name: &str, bytes: &[u8]| {
            let file = at("package").join(FOLDER).join(name);
            atomic_write(&file, bytes).expect("written");
        };
        put("big.gz", &gzip(&big));
        put("small.gz", &gzip(&small));
        put("plain", &plain);
        let here = folder.path().display();
        let apt_get = format!(
            "HERE='{here}'\n\
             echo \"$@\" >> \"$HERE/args\"\n\
             if [ \"$2\" = --print-uris ]; then\n\
             [ \"$3\" = numbers ] || {{ echo \"E: Unable to locate package $3\" >&2; exit 100; }}\n\
             echo \"'http://example.org/numbers_1_all.deb' numbers_1_all.deb 777 SHA256:00\"\n\
             exit 0\n\
             fi\n\
             {download}\n"
        );
        atomic_write(&at("apt-get.sh"), apt_get.as_bytes()).expect("written");
        let dpkg_deb = format!("HERE='{here}'\n{unpack}\n");
        atomic_write(&at("dpkg-deb.sh"), dpkg_deb.as_bytes()).expect("written");
        let script = |name: &str| vec!["sh".to_owned(), at(name).display().to_string()];
        let rows = [
            row("big", &big, ".gz"),
            row("small", &small, ".gz"),
            row("plain", &plain, ""),
        ];
        Self {
            paths: Paths::under(&at("home")),
            routes: Routes {
                apt: Apt {
                    apt_get: script("apt-get.sh"),
                    dpkg_deb: script("dpkg-deb.sh"),
                    root: at("system"),
                },
                companions: rows.to_vec(),
                ..Routes::default()
            },
            rows,
            cancel: AtomicBool::new(false),
            folder,
        }
    }

    fn fetch_seeing(&self, row: usize, see: &mut dyn FnMut(Progress)) -> Result<PathBuf, Error> {
        fetch(
            &self.rows[row],
            &self.paths,
            &self.routes,
            &self.cancel,
            see,
        )
    }

    /// What is there of each file; nothing else lies there but locks.
    fn states(&self) -> [Status; 3] {
        let models = self.paths.models_dir();
        for entry in fs::read_dir(models.join("numbers")).expect("readable") {
            let name = entry.expect("entry").file_name();
            let name = name.to_string_lossy();
            let known = name.ends_with(".lock") || self.rows.iter().any(|row| row.name == *name);
            assert!(known, "{name} was left");
        }
        self.rows
            .each_ref()
            .map(|row| verify(row, &models.join(&row.path)).expect("readable"))
    }

    /// What `apt-get` was called with, a line each time.
    fn calls(&self) -> String {
        fs::read_to_string(self.folder.path().join("args")).unwrap_or_default()
    }

    /// Fetches, and returns the message it failed with.
    fn refused(&self) -> String {
        let error = self.fetch_seeing(0, &mut |_| {}).expect_err("fails");
        assert!(matches!(error, Error::Fetch(_)), "{error:?}");
        assert_eq!(self.states()[0], Status::Absent);
        error.to_string()
    }
}

#[test]
fn one_download_brings_every_file_of_the_package() {
    let bench = Bench::new(DOWNLOAD, UNPACK);
    let mut seen = Vec::new();
    let file = bench.fetch_seeing(1, &mut |progress| seen.push(progress));
    assert!(fs::read(file.expect("fetched")).expect("there") == content(10));
    assert_eq!(bench.states(), [const { Status::Ok }; 3]);
    let calls = "download --print-uris numbers\ndownload --quiet=2 numbers\n";
    assert_eq!(bench.calls(), calls);
    for row in 0..3 {
        bench.fetch_seeing(row, &mut |_| {}).expect("there");
    }
    assert_eq!(bench.calls(), calls, "nothing more was asked for");

    let mut stages: Vec<_> = seen.iter().map(|progress| progress.stage).collect();
    stages.dedup();
    let expected = [
        "checking",
        "asking apt-get",
        "downloading with apt-get",
        "unpacking with dpkg-deb",
        "unpacking",
    ];
    assert_eq!(stages, expected);
    let sized = |p: &Progress| p.stage == "downloading with apt-get" && p.total_bytes == 777;
    assert!(seen.iter().any(sized), "the size apt-get told: {seen:?}");
}

#[test]
fn a_package_that_is_installed_is_not_downloaded() {
    let bench = Bench::new("exit 1", "exit 1");
    let [package, system] = ["package", "system"].map(|name| bench.folder.path().join(name));
    fs::rename(package, system).expect("installed");
    bench.fetch_seeing(0, &mut |_| {}).expect("fetched");
    assert_eq!(bench.states(), [const { Status::Ok }; 3]);
    assert_eq!(bench.calls(), "");
}

#[test]
fn progress_follows_the_growing_package() {
    let download = "head -c 400 /dev/zero > numbers_1_all.deb; sleep 0.5";
    let bench = Bench::new(download, UNPACK);
    let mut seen = Vec::new();
    let file = bench.fetch_seeing(0, &mut |progress| seen.push(progress));
    file.expect("fetched");
    let growing = |p: &Progress| p.stage == "downloading with apt-get" && p.done_bytes == 400;
    assert!(seen.iter().any(growing), "{seen:?}");
}

#[test]
fn a_companion_that_is_not_as_expected_is_left_out() {
    let spoil = format!("{UNPACK}; echo x > \"$3/{FOLDER}/plain\"");
    let bench = Bench::new(DOWNLOAD, &spoil);
    bench.fetch_seeing(0, &mut |_| {}).expect("fetched");
    assert_eq!(bench.states(), [Status::Ok, Status::Ok, Status::Absent]);
}

#[test]
fn a_package_that_is_not_as_expected_is_refused() {
    let write = |bytes: &[u8]| {
        let digits = bytes.iter().map(|byte| format!("\\{byte:03o}"));
        let text: String = digits.collect();
        format!("{UNPACK}; printf '{text}' > \"$3/{FOLDER}/big.gz\"")
    };
    for (unpack, expected) in [
        (
            format!("{UNPACK}; rm \"$3/{FOLDER}/big.gz\""),
            "cannot find usr/share",
        ),
        (write(b"no gzip"), "cannot unpack"),
        (write(&gzip(b"short")), "has 5 bytes, not 800000"),
        (
            format!(
                "{UNPACK}; gzip -dc \"$3/{FOLDER}/big.gz\" | tr '\\001' '\\002' | gzip > x; mv x \"$3/{FOLDER}/big.gz\""
            ),
            "SHA-256",
        ),
        (
            format!(
                "{UNPACK}; (gzip -dc \"$3/{FOLDER}/big.gz\"; echo) | gzip > x; mv x \"$3/{FOLDER}/big.gz\""
            ),
            "has more than 800000 bytes",
        ),
        (
            "echo 'dpkg-deb: error: not a Debian archive' >&2; exit 2".to_owned(),
            "dpkg-deb says: dpkg-deb: error: not a Debian archive",
        ),
    ] {
        let said = Bench::new(DOWNLOAD, &unpack).refused();
        assert!(said.contains("- with apt-get: "), "{said}");
        assert!(said.contains(expected), "{expected}: {said}");
    }
}

#[test]
fn what_apt_says_is_passed_on_with_what_to_do_by_hand() {
    let mut bench = Bench::new(DOWNLOAD, UNPACK);
    let ways = bench.rows[0].fetch.as_mut().expect("ways");
    ways.deb.as_mut().expect("a package").package = "letters".to_owned();
    let said = bench.refused();
    let expected =
        "apt-get says: E: Unable to locate package letters; `sudo apt-get update` may help";
    assert!(said.contains(expected), "{said}");
    let by_hand = format!(
        "To do it by hand on a machine with a connection:\n  \
         apt-get download letters\n  \
         dpkg-deb --fsys-tarfile letters_*.deb | tar -xO ./{FOLDER}/big.gz | gunzip > \"{}\"",
        bench.paths.models_dir().join("numbers/big").display()
    );
    assert!(said.ends_with(&by_hand), "{said}");

    let said = Bench::new("exit 3", UNPACK).refused();
    assert!(said.contains("apt-get failed without a word"), "{said}");
    let said = Bench::new("exit 0", UNPACK).refused();
    assert!(said.contains("apt-get brought no package"), "{said}");
    let mut bench = Bench::new(DOWNLOAD, UNPACK);
    bench.routes.apt.apt_get = vec!["no-such-program-as-this".to_owned()];
    assert!(
        bench
            .refused()
            .contains("there is no apt-get: this is not Debian")
    );
    bench.routes.apt.apt_get.clear();
    assert!(bench.refused().contains("not to be used"));
}

#[test]
fn cancelling_kills_apt() {
    let bench = Bench::new("echo $$ > \"$HERE/pid\"; exec sleep 60", UNPACK);
    let pid_file = bench.folder.path().join("pid");
    let read_pid = || fs::read_to_string(&pid_file).unwrap_or_default();
    let mut cancelled = None;
    let outcome = bench.fetch_seeing(0, &mut |_| {
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
    assert!(!alive.expect("kill runs").success(), "apt-get lives on");
    assert_eq!(
        bench.states(),
        [const { Status::Absent }; 3],
        "nothing is left"
    );
}

#[test]
fn rows_that_name_impossible_packages_are_refused() {
    let manifest = |package: &str, member: &str, sha256: &str| {
        Manifest::parse(&format!(
            "[[asset]]\nname = \"abc\"\nkind = \"fetched\"\npath = \"abc\"\nbytes = 3\n\
             sha256 = \"{0}\"\nlicence = \"CC0-1.0\"\nsource = \"made here\"\nabout = \"abc\"\n\
             fetch.deb = {{ package = \"{package}\", member = \"{member}\" }}\n\
             fetch.gzip = {{ bytes = 3, sha256 = \"{sha256}\" }}\n",
            "0".repeat(64)
        ))
    };
    let sum = "0".repeat(64);
    assert!(manifest("a-package", "usr/abc", &sum).is_ok());
    for (package, member) in [
        ("--option", "usr/abc"),
        ("", "usr/abc"),
        ("a b", "usr/abc"),
        ("a", "/usr/abc"),
        ("a", "../abc"),
        ("a", ""),
    ] {
        let said = manifest(package, member, &sum)
            .expect_err("refused")
            .to_string();
        assert!(said.contains("names a Debian package"), "{said}");
    }
    let said = manifest("a", "b", "00").expect_err("refused").to_string();
    assert!(said.contains("sha256"), "{said}");
}
