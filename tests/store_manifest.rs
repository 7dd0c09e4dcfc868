//! The manifest against the files, and the refusal of unsound rows.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use vitrine::store::{Kind, Manifest, Paths, Status, atomic_write, verify};

fn assets_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("assets")
}

/// Every file below a folder.
fn walk(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("readable") {
        let path = entry.expect("entry").path();
        if path.is_dir() {
            files.extend(walk(&path));
        } else {
            files.push(path);
        }
    }
    files
}

#[test]
fn every_row_says_size_hash_licence_and_source() {
    let manifest = Manifest::embedded().expect("sound");
    assert!(!manifest.assets.is_empty());
    for asset in &manifest.assets {
        let name = &asset.name;
        assert!(asset.bytes > 0, "{name}: bytes");
        assert_eq!(asset.sha256.len(), 64, "{name}: sha256");
        assert!(
            asset.sha256.bytes().all(|b| b.is_ascii_hexdigit()),
            "{name}"
        );
        for text in [&asset.licence, &asset.source, &asset.about] {
            assert!(!text.trim().is_empty(), "{name}: an empty text");
        }
        let weights = asset.path.starts_with("weights");
        if weights {
            assert!(asset.made_by.is_some(), "{name}: weights without a command");
            assert!(asset.figure.is_some(), "{name}: weights without a figure");
        }
    }
}

#[test]
fn every_shipped_file_has_a_row_and_matches_it() {
    let manifest = Manifest::embedded().expect("sound");
    let paths = Paths::under(Path::new("/absent"));
    let mut known = BTreeSet::from([assets_dir().join("manifest.toml")]);
    for asset in &manifest.assets {
        if asset.kind == Kind::Shipped {
            let file = asset.location(&assets_dir(), &paths);
            let status = verify(asset, &file).expect("readable");
            assert_eq!(status, Status::Ok, "{}", asset.name);
            known.insert(file);
        }
    }
    for file in walk(&assets_dir()) {
        assert!(known.contains(&file), "no row: {}", file.display());
    }
}

#[test]
fn a_fetched_asset_lies_in_the_models_folder() {
    let manifest = Manifest::embedded().expect("sound");
    let paths = Paths::under(Path::new("/root-of-all"));
    let asset = manifest.get("smollm2-135m-instruct-q4_1").expect("there");
    assert_eq!(asset.bytes, 98_362_432);
    let file = asset.location(&assets_dir(), &paths);
    assert_eq!(
        file,
        paths.models_dir().join("SmolLM2-135M-Instruct.Q4_1.gguf")
    );
    assert!(manifest.get("absent").is_err());
}

const ROW: &str = r#"
[[asset]]
name = "abc"
kind = "shipped"
path = "data/abc.txt"
bytes = 3
sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
licence = "CC0-1.0"
source = "made here"
about = "The first three letters"
"#;

#[test]
fn unsound_rows_are_refused_by_name() {
    assert!(Manifest::parse(ROW).is_ok(), "the row itself is sound");
    let twice = format!("{ROW}{ROW}");
    let fetch = format!("{ROW}fetch = {{ url = \"https://example.org/abc\" }}\n");
    let cases = [
        (ROW.replace("data/abc.txt", "../abc.txt"), "leaves"),
        (ROW.replace("data/abc.txt", "data/../../x"), "leaves"),
        (ROW.replace("data/abc.txt", "/etc/passwd"), "leaves"),
        (ROW.replace("data/abc.txt", ""), "leaves"),
        (ROW.replace("ba7816", "BA7816"), "sha256"),
        (ROW.replace("ba7816", ""), "sha256"),
        (ROW.replace("CC0-1.0", " "), "licence"),
        (ROW.replace("made here", ""), "source"),
        (ROW.replace("\"abc\"", "\"a/c\""), "name"),
        (ROW.replace("\"abc\"", "\"\""), "name"),
        (ROW.replace("shipped", "fetched"), "does not say how"),
        (
            fetch
                .replace("shipped", "fetched")
                .replace("url = \"https://example.org/abc\"", ""),
            "does not say how",
        ),
        (fetch.clone(), "shipped"),
        (twice, "twice"),
        (ROW.replace("bytes = 3", "bytes = -3"), "-3"),
        (ROW.replace("bytes = 3", ""), "bytes"),
        (ROW.replace("licence", "license"), "license"),
        ("assets = 1".to_owned(), "assets"),
    ];
    for (text, expected) in cases {
        let error = Manifest::parse(&text).expect_err(expected).to_string();
        assert!(error.contains(expected), "{expected}: {error}");
        assert!(error.ends_with("assets/manifest.toml"), "{error}");
    }
    let fetched = fetch.replace("shipped", "fetched");
    assert!(Manifest::parse(&fetched).is_ok(), "a fetched row");
}

#[test]
fn a_file_is_checked_for_presence_size_and_bytes() {
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("abc.txt");
    let manifest = Manifest::parse(ROW).expect("sound");
    let asset = &manifest.assets[0];
    assert_eq!(verify(asset, &file).expect("checked"), Status::Absent);

    // The published SHA-256 of `abc` (FIPS 180-2, appendix B.1).
    atomic_write(&file, b"abc").expect("written");
    assert_eq!(verify(asset, &file).expect("checked"), Status::Ok);

    atomic_write(&file, b"abcd").expect("written");
    let expected = Status::WrongSize {
        expected: 3,
        found: 4,
    };
    assert_eq!(verify(asset, &file).expect("checked"), expected);

    atomic_write(&file, b"abd").expect("written");
    match verify(asset, &file).expect("checked") {
        Status::WrongHash { expected, found } => {
            assert_eq!(expected, asset.sha256);
            assert_eq!(
                found,
                "a52d159f262b2c6ddb724a61840befc36eb30c88877a4030b65cbe86298449c9"
            );
        }
        other => panic!("unexpected: {other:?}"),
    }
    assert!(verify(asset, folder.path()).is_err(), "a folder");
}
