//! Settings that were damaged in every way we could think of.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use vitrine::store::{Settings, Theme, atomic_write};

fn backup_of(path: &Path) -> PathBuf {
    path.with_file_name("settings.toml.bak")
}

fn load(bytes: &[u8]) -> (Settings, bool) {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("settings.toml");
    atomic_write(&path, bytes).expect("written");
    let (settings, notice) = Settings::load(&path);
    (settings, notice.is_some())
}

#[test]
fn no_file_means_defaults_without_a_word() {
    let folder = tempfile::tempdir().expect("folder");
    let (settings, notice) = Settings::load(&folder.path().join("settings.toml"));
    assert_eq!(settings, Settings::default());
    assert_eq!(notice, None);
}

#[test]
fn settings_come_back_as_they_were_saved() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("config/settings.toml");
    let settings = Settings {
        theme: Theme::Light,
        zoom: 1.1,
        window_size: [900.0, 700.5],
        last_tab: "muzero".to_owned(),
        threads: Some(3),
        device: "cpu".to_owned(),
        show_help: false,
        show_log: true,
        models: BTreeMap::from([("gpt".to_owned(), PathBuf::from("/models/ä b.gguf"))]),
        ..Settings::default()
    };
    settings.save(&path).expect("saved");
    assert_eq!(Settings::load(&path), (settings, None));
    let text = fs::read_to_string(&path).expect("text");
    assert!(text.contains("version = 1"), "{text}");
    assert!(text.contains("zoom = 1.1\n"), "{text}");
}

#[test]
fn damage_gives_defaults_a_notice_and_a_copy() {
    let utf16: Vec<u8> = "\u{feff}zoom = 1.0\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let binary: Vec<u8> = (0..=255).collect();
    let cases: [(&[u8], &str); 26] = [
        (b"", "empty"),
        (b" \n\t\n", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"version = 1\nzoom = ", "value"),
        (b"version = 1\ndevice = \"aut", "string"),
        (b"version = 1\n[models", "table"),
        (&binary, "not text"),
        (b"\0\0\0\0\0\0\0\0", ""),
        (b"theme = \"\xff\xfe\"", "not text"),
        (&utf16, "not text"),
        (b"zoom = \"big\"", "big"),
        (b"zoom = true", "boolean"),
        (b"theme = 3", ""),
        (b"theme = \"purple\"", "purple"),
        (b"window_size = [100.0]", "length"),
        (b"window_size = [1.0, 2.0, 3.0]", ""),
        (b"window_size = 5", "5"),
        (b"threads = -1", "-1"),
        (b"threads = 1.5", "1.5"),
        (b"show_help = \"yes\"", "yes"),
        (b"models = 1", "1"),
        (b"models = { gpt = 1 }", "1"),
        (b"version = \"one\"", "one"),
        (b"zoom = 1.0\nzoom = 2.0", "duplicate"),
        (b"{\"zoom\": 1.0}", ""),
        (b"version = 2\nzoom = 2.0", "newer Vitrine"),
    ];
    for (bytes, expected) in cases {
        let shown = String::from_utf8_lossy(bytes);
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("settings.toml");
        atomic_write(&path, bytes).expect("written");

        let (settings, notice) = Settings::load(&path);
        assert_eq!(settings, Settings::default(), "{shown}");
        let said = notice.expect("a notice").to_string();
        assert!(said.contains("defaults"), "{shown}: {said}");
        assert!(said.contains(expected), "{shown}: {said}");
        let backup = backup_of(&path);
        let named = said.contains(&backup.display().to_string());
        assert!(named, "the copy is named: {said}");
        assert_eq!(fs::read(&backup).expect("the copy"), bytes, "{shown}");

        settings.save(&path).expect("saved");
        assert_eq!(Settings::load(&path), (settings, None), "healed: {shown}");
    }
}

#[test]
fn a_huge_file_is_refused_unread_and_moved_out_of_the_way() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("settings.toml");
    atomic_write(&path, b"zoom = 2.0").expect("written");
    let file = fs::OpenOptions::new().write(true).open(&path);
    // A terabyte of nothing: reading it would not end well.
    file.and_then(|file| file.set_len(1 << 40)).expect("grown");
    let (settings, notice) = Settings::load(&path);
    assert_eq!(settings, Settings::default());
    let said = notice.expect("a notice").to_string();
    assert!(said.contains("too large"), "{said}");
    assert!(!path.exists(), "out of the way");
    let kept = fs::metadata(backup_of(&path)).expect("kept").len();
    assert_eq!(kept, 1 << 40);
}

#[test]
fn a_folder_in_its_place_stays_and_is_named() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("settings.toml");
    atomic_write(&path.join("precious"), b"x").expect("written");
    let (settings, notice) = Settings::load(&path);
    assert_eq!(settings, Settings::default());
    let said = notice.expect("a notice").to_string();
    assert!(said.contains("move it away"), "{said}");
    assert!(said.contains(&path.display().to_string()), "{said}");
    assert!(path.join("precious").exists(), "untouched");
    assert!(settings.save(&path).is_err());
}

#[test]
fn a_file_where_the_folder_should_be_is_named() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("config/settings.toml");
    atomic_write(&folder.path().join("config"), b"x").expect("written");
    let (settings, notice) = Settings::load(&path);
    assert_eq!(settings, Settings::default());
    let said = notice.expect("a notice").to_string();
    assert!(said.contains(&path.display().to_string()), "{said}");
}

#[cfg(unix)]
#[test]
fn what_cannot_be_read_is_moved_out_of_the_way() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("settings.toml");
    let check = |what: &str| {
        let (settings, notice) = Settings::load(&path);
        assert_eq!(settings, Settings::default(), "{what}");
        let said = notice.expect("a notice").to_string();
        let backup = backup_of(&path);
        assert!(said.contains(&backup.display().to_string()), "{said}");
        assert!(fs::symlink_metadata(&backup).is_ok(), "{what}: kept");
        settings.save(&path).expect("saved");
        assert_eq!(Settings::load(&path), (settings, None), "healed: {what}");
        fs::remove_file(&path).expect("removed");
    };

    std::os::unix::fs::symlink(&path, &path).expect("a link to itself");
    check("a link to itself");

    let made = std::process::Command::new("mkfifo").arg(&path).status();
    if made.is_ok_and(|status| status.success()) {
        check("a pipe that nobody writes to");
    } else {
        println!("skipped: no mkfifo");
    }

    atomic_write(&path, b"zoom = 2.0").expect("written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).expect("mode");
    if fs::File::open(&path).is_ok() {
        println!("skipped: permissions do not bind root");
    } else {
        check("no permission");
    }
}

#[test]
fn when_no_copy_can_be_kept_the_notice_says_so() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("settings.toml");
    atomic_write(&path, b"zoom = ").expect("written");
    fs::create_dir_all(backup_of(&path).join("x")).expect("in the way");
    let (settings, notice) = Settings::load(&path);
    assert_eq!(settings, Settings::default());
    let said = notice.expect("a notice").to_string();
    assert!(said.contains("No copy could be kept"), "{said}");
}

#[test]
fn what_is_odd_but_clear_is_taken_as_it_is_meant() {
    let zoom = |bytes: &[u8]| {
        let (settings, noticed) = load(bytes);
        assert!(!noticed, "{}", String::from_utf8_lossy(bytes));
        settings.zoom
    };
    let close = |found: f32, expected: f32| assert!((found - expected).abs() < 1e-6, "{found}");
    close(zoom(b"\xef\xbb\xbfzoom = 2.0"), 2.0);
    close(zoom(b"version = 1\r\nzoom = 2.0\r\n"), 2.0);
    close(
        zoom(b"zoom = 2.0\nfrom_the_future = [1, 2]\n[more]\nx = 1"),
        2.0,
    );
    close(zoom(b"zoom = 2"), 2.0);
    close(zoom(b"zoom = nan"), 1.0);
    close(zoom(b"zoom = inf"), 3.0);
    close(zoom(b"zoom = -inf"), 0.5);
    close(zoom(b"zoom = 1e300"), 3.0);
    close(zoom(b"zoom = 0.0"), 0.5);

    let sized = |window_size, threads| Settings {
        window_size,
        threads,
        ..Settings::default()
    };
    let (settings, noticed) = load(b"window_size = [nan, 1e9]\nthreads = 0");
    assert!(!noticed);
    assert_eq!(settings, sized([1280.0, 16_384.0], None));
    let (settings, _) = load(b"threads = 1000000\nwindow_size = [-5.0, 0.0]");
    assert_eq!(settings, sized([200.0, 200.0], Some(1024)));
}

#[test]
fn a_value_out_of_range_is_not_saved() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("settings.toml");
    let settings = Settings {
        zoom: f32::NAN,
        ..Settings::default()
    };
    settings.save(&path).expect("saved");
    assert_eq!(Settings::load(&path), (Settings::default(), None));
}

proptest::proptest! {
    /// Whatever was changed in a good file, loading ends in settings that can be saved and loaded.
    #[test]
    fn a_changed_file_never_panics(
        at in 0_usize..200,
        removed in 0_usize..8,
        inserted in proptest::collection::vec(proptest::num::u8::ANY, 0..8),
    ) {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("settings.toml");
        let settings = Settings { threads: Some(2), ..Settings::default() };
        settings.save(&path).expect("saved");
        let mut bytes = fs::read(&path).expect("reads");
        let at = at.min(bytes.len());
        let end = (at + removed).min(bytes.len());
        bytes.splice(at..end, inserted);
        atomic_write(&path, &bytes).expect("written");

        let (settings, _) = Settings::load(&path);
        proptest::prop_assert!((0.5..=3.0).contains(&settings.zoom));
        settings.save(&path).expect("saved");
        proptest::prop_assert_eq!(Settings::load(&path), (settings, None));
    }
}
