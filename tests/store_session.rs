//! Sessions and the autosave: round trips, damage, bad ends, two windows.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use proptest::prelude::*;
use serde_json::json;
use vitrine::Error;
use vitrine::store::{Autosave, Paths, Session, atomic_write};

fn session(prompt: &str) -> Session {
    let state = json!({"prompt": prompt, "seed": u64::MAX, "temperature": 0.7, "tokens": [1, 2]});
    Session {
        active: "gpt".to_owned(),
        tabs: BTreeMap::from([("gpt".to_owned(), state), ("pulse".to_owned(), json!(null))]),
    }
}

/// Files that are no session, and a part of what is said about each.
fn damage() -> Vec<(Vec<u8>, &'static str)> {
    let deep = format!(
        r#"{{"vitrine_session":1,"active":"","tabs":{{"a":{}"#,
        "[".repeat(100_000)
    );
    let utf16: Vec<u8> = "{}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let texts = [
        ("", "empty"),
        (" \n ", "empty"),
        (r#"{"vitrine_session":1,"active":"g"#, "EOF"),
        (
            r#"{"vitrine_session":1,"active":"gpt","tabs":{"gpt":{}}"#,
            "EOF",
        ),
        (
            r#"{"vitrine_session":1,"active":"","tabs":{}} {}"#,
            "trailing",
        ),
        (
            r#"{"vitrine_session":1,"active":"","tabs":{"a":NaN}}"#,
            "damaged",
        ),
        (
            r#"{"vitrine_session":1,"active":"","tabs":{"a":1e999}}"#,
            "range",
        ),
        ("[]", "not a Vitrine session"),
        ("\"text\"", "not a Vitrine session"),
        ("1", "not a Vitrine session"),
        ("null", "not a Vitrine session"),
        ("{}", "not a Vitrine session"),
        (r#"{"active":"gpt","tabs":{}}"#, "not a Vitrine session"),
        ("zoom = 1.0", "damaged"),
        (
            r#"{"vitrine_session":"1","active":"","tabs":{}}"#,
            "vitrine_session",
        ),
        (
            r#"{"vitrine_session":0,"active":"","tabs":{}}"#,
            "vitrine_session",
        ),
        (
            r#"{"vitrine_session":-1,"active":"","tabs":{}}"#,
            "vitrine_session",
        ),
        (
            r#"{"vitrine_session":1.5,"active":"","tabs":{}}"#,
            "vitrine_session",
        ),
        (
            r#"{"vitrine_session":2,"pages":[]}"#,
            "newer Vitrine (version 2",
        ),
        (r#"{"vitrine_session":1,"tabs":{}}"#, "no `active`"),
        (r#"{"vitrine_session":1,"active":7,"tabs":{}}"#, "`active`"),
        (r#"{"vitrine_session":1,"active":""}"#, "no `tabs`"),
        (r#"{"vitrine_session":1,"active":"","tabs":[]}"#, "`tabs`"),
        (r#"{"vitrine_session":1,"active":"","tabs":null}"#, "`tabs`"),
        (deep.as_str(), "recursion limit"),
    ];
    let mut cases: Vec<(Vec<u8>, &str)> = texts
        .iter()
        .map(|(text, expected)| (text.as_bytes().to_vec(), *expected))
        .collect();
    cases.push(((0..=255).collect(), "damaged"));
    cases.push((vec![0; 4096], "damaged"));
    cases.push((
        b"{\"vitrine_session\":1,\"active\":\"\xff\"}".to_vec(),
        "damaged",
    ));
    cases.push((utf16, "damaged"));
    cases
}

fn grow(path: &Path, len: u64) {
    let file = fs::OpenOptions::new().write(true).open(path);
    file.and_then(|file| file.set_len(len)).expect("grown");
}

#[test]
fn a_session_comes_back_as_it_was_saved() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("sessions/my session.json");
    session("hello").save(&path).expect("saved");
    assert_eq!(Session::open(&path).expect("opens"), session("hello"));

    let text = fs::read(&path).expect("reads");
    let value: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
    assert_eq!(value["vitrine_session"], 1);
    assert_eq!(value["active"], "gpt");
    assert_eq!(value["tabs"]["gpt"]["seed"], u64::MAX);
    let saved = value["saved_unix_secs"].as_u64().expect("a time");
    assert!(saved > 1_700_000_000, "after 2023: {saved}");

    let with_mark = [b"\xef\xbb\xbf", &text[..]].concat();
    atomic_write(&path, &with_mark).expect("written");
    assert_eq!(Session::open(&path).expect("opens"), session("hello"));
}

#[test]
fn damage_is_an_error_that_names_cause_and_file() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("session.json");
    for (bytes, expected) in damage() {
        atomic_write(&path, &bytes).expect("written");
        let error = Session::open(&path).expect_err(expected);
        assert!(matches!(error, Error::BadFile { .. }), "{error:?}");
        let text = error.to_string();
        assert!(text.contains(expected), "{expected}: {text}");
        assert!(text.ends_with(&path.display().to_string()), "{text}");
    }
    grow(&path, 64 * 1024 * 1024 + 1);
    let text = Session::open(&path).expect_err("too large").to_string();
    assert!(text.contains("too large, 65 MiB"), "{text}");

    let text = Session::open(folder.path()).expect_err("a folder");
    assert!(text.to_string().contains("not a file"), "{text}");
    let absent = Session::open(&folder.path().join("absent"));
    assert!(matches!(absent, Err(Error::Io { .. })));
}

#[test]
fn a_session_that_could_not_be_opened_is_not_saved() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("session.json");
    session("old").save(&path).expect("saved");
    let huge = session(&"x".repeat(64 * 1024 * 1024));
    let text = huge.save(&path).expect_err("too large").to_string();
    assert!(text.contains("too large"), "{text}");
    assert_eq!(Session::open(&path).expect("intact"), session("old"));
}

#[test]
fn a_clean_end_starts_afresh_and_keeps_the_last_session() {
    let folder = tempfile::tempdir().expect("folder");
    let paths = Paths::under(folder.path());
    let (mut autosave, restored, notice) = Autosave::claim(&paths);
    assert!(autosave.is_active());
    assert_eq!((restored, notice), (None, None), "the first window ever");
    autosave.store(&session("one")).expect("stored");
    autosave.close_cleanly().expect("closed");

    let (autosave, restored, notice) = Autosave::claim(&paths);
    assert_eq!((restored, notice), (None, None), "after a clean end");
    let last = Session::open(&paths.last_session_file()).expect("kept");
    assert_eq!(last, session("one"));

    // This window ends badly before it stored anything: the session of yesterday is not its own.
    drop(autosave);
    let (_autosave, restored, _) = Autosave::claim(&paths);
    assert_eq!(restored, None);
}

#[test]
fn a_bad_end_restores_the_session() {
    let folder = tempfile::tempdir().expect("folder");
    let paths = Paths::under(folder.path());
    let (mut autosave, _, _) = Autosave::claim(&paths);
    autosave.store(&session("one")).expect("stored");
    autosave.store(&session("two")).expect("stored");
    drop(autosave);

    let (autosave, restored, notice) = Autosave::claim(&paths);
    assert_eq!(restored, Some(session("two")), "the latest");
    let said = notice.expect("a notice").to_string();
    assert!(said.contains("restored"), "{said}");
    autosave.close_cleanly().expect("closed");
    let (_, restored, notice) = Autosave::claim(&paths);
    assert_eq!((restored, notice), (None, None), "the end was clean");
}

#[test]
fn a_session_that_ends_the_program_each_time_is_set_aside() {
    let folder = tempfile::tempdir().expect("folder");
    let paths = Paths::under(folder.path());
    let (mut autosave, _, _) = Autosave::claim(&paths);
    autosave.store(&session("deadly")).expect("stored");
    drop(autosave);
    for _ in 0..2 {
        let (autosave, restored, _) = Autosave::claim(&paths);
        assert_eq!(restored, Some(session("deadly")));
        drop(autosave);
    }
    // Living long enough to store it counts as a fresh start.
    let (mut autosave, restored, _) = Autosave::claim(&paths);
    autosave
        .store(&restored.expect("restored"))
        .expect("stored");
    drop(autosave);
    for _ in 0..3 {
        let (autosave, restored, _) = Autosave::claim(&paths);
        assert_eq!(restored, Some(session("deadly")));
        drop(autosave);
    }
    let (autosave, restored, notice) = Autosave::claim(&paths);
    assert_eq!(restored, None, "not once more");
    let said = notice.expect("a notice").to_string();
    assert!(said.contains("autosave.json.bak"), "{said}");
    let backup = paths.data.join("autosave.json.bak");
    assert_eq!(Session::open(&backup).expect("kept"), session("deadly"));
    assert!(autosave.is_active());
}

#[test]
fn a_second_window_does_not_touch_the_autosave() {
    let folder = tempfile::tempdir().expect("folder");
    let paths = Paths::under(folder.path());
    let (mut first, _, _) = Autosave::claim(&paths);
    first.store(&session("first")).expect("stored");

    let (mut second, restored, notice) = Autosave::claim(&paths);
    assert!(!second.is_active());
    assert_eq!(restored, None, "it is the first one's");
    let said = notice.expect("a notice").to_string();
    assert!(said.contains("Another Vitrine window"), "{said}");
    second.store(&session("second")).expect("does nothing");
    let stored = Session::open(&paths.autosave_file()).expect("opens");
    assert_eq!(stored, session("first"));
    second.close_cleanly().expect("closed");

    drop(first);
    let (_, restored, _) = Autosave::claim(&paths);
    assert_eq!(
        restored,
        Some(session("first")),
        "the marker was the first's"
    );
}

#[test]
fn a_damaged_autosave_is_kept_and_named_once() {
    for (bytes, expected) in damage() {
        let folder = tempfile::tempdir().expect("folder");
        let paths = Paths::under(folder.path());
        drop(Autosave::claim(&paths));
        atomic_write(&paths.autosave_file(), &bytes).expect("written");

        let (mut autosave, restored, notice) = Autosave::claim(&paths);
        assert!(autosave.is_active(), "{expected}");
        assert_eq!(restored, None, "{expected}");
        let said = notice.expect("a notice").to_string();
        assert!(said.contains(expected), "{expected}: {said}");
        let backup = paths.data.join("autosave.json.bak");
        assert!(said.contains(&backup.display().to_string()), "{said}");
        assert_eq!(fs::read(&backup).expect("the copy"), bytes, "{expected}");
        assert!(!paths.autosave_file().exists(), "not met again");

        autosave.store(&session("after")).expect("stored");
        drop(autosave);
        let (_, restored, _) = Autosave::claim(&paths);
        assert_eq!(restored, Some(session("after")), "{expected}");
    }
}

#[test]
fn an_autosave_of_another_kind_than_a_file_is_named() {
    let folder = tempfile::tempdir().expect("folder");
    let paths = Paths::under(folder.path());
    drop(Autosave::claim(&paths));
    atomic_write(&paths.autosave_file(), b"").expect("written");
    grow(&paths.autosave_file(), 1 << 40);
    let (_, restored, notice) = Autosave::claim(&paths);
    assert_eq!(restored, None);
    assert!(notice.expect("a notice").to_string().contains("too large"));
    assert!(!paths.autosave_file().exists(), "renamed");

    fs::create_dir_all(paths.autosave_file()).expect("a folder");
    let (mut autosave, restored, notice) = Autosave::claim(&paths);
    assert_eq!(restored, None);
    assert!(notice.expect("a notice").to_string().contains("not a file"));
    assert!(autosave.store(&session("x")).is_err(), "said, not hidden");
}

#[test]
fn a_damaged_marker_is_still_a_marker() {
    let folder = tempfile::tempdir().expect("folder");
    let paths = Paths::under(folder.path());
    let (mut autosave, _, _) = Autosave::claim(&paths);
    autosave.store(&session("one")).expect("stored");
    drop(autosave);
    for bytes in [&b""[..], b"\xff", b"-1", b"99999999999", &[b'1'; 1000]] {
        atomic_write(&paths.data.join("autosave.running"), bytes).expect("written");
        let (_, restored, _) = Autosave::claim(&paths);
        assert_eq!(restored, Some(session("one")));
    }
}

#[test]
fn without_a_data_folder_autosave_is_off_and_says_why() {
    let folder = tempfile::tempdir().expect("folder");
    let paths = Paths::under(folder.path());
    atomic_write(&paths.data, b"a file in the way").expect("written");
    let (mut autosave, restored, notice) = Autosave::claim(&paths);
    assert!(!autosave.is_active());
    assert_eq!(restored, None);
    let said = notice.expect("a notice").to_string();
    assert!(said.contains("Autosave is off"), "{said}");
    assert!(said.contains(&paths.data.display().to_string()), "{said}");
    autosave.store(&session("x")).expect("does nothing");
}

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|x| json!(x)),
        any::<i64>().prop_map(|x| json!(x)),
        any::<u64>().prop_map(|x| json!(x)),
        any::<f32>().prop_map(|x| json!(x)),
        ".*".prop_map(|x| json!(x)),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(|x| json!(x)),
            proptest::collection::btree_map(".*", inner, 0..4).prop_map(|x| json!(x)),
        ]
    })
}

proptest! {
    #[test]
    fn any_state_of_a_tab_comes_back(active in ".*", state in any_json()) {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("session.json");
        let tabs = BTreeMap::from([(active.clone(), state)]);
        let session = Session { active, tabs };
        session.save(&path).expect("saved");
        prop_assert_eq!(Session::open(&path).expect("opens"), session);
    }

    #[test]
    fn a_changed_session_never_panics(
        at in 0_usize..200,
        removed in 0_usize..8,
        inserted in proptest::collection::vec(any::<u8>(), 0..8),
    ) {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("session.json");
        session("x").save(&path).expect("saved");
        let mut bytes = fs::read(&path).expect("reads");
        let at = at.min(bytes.len());
        let end = (at + removed).min(bytes.len());
        bytes.splice(at..end, inserted);
        atomic_write(&path, &bytes).expect("written");
        if let Err(error) = Session::open(&path) {
            let text = error.to_string();
            prop_assert!(text.ends_with("session.json"), "{}", text);
        }
    }
}
