//! Files that go in and out, good and bad, and the model's download.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use egui::accesskit::Role;
use egui::{DroppedFile, Key, Modifiers};
use egui_kittest::kittest::Queryable as _;
use serde_json::Value;
use vitrine::gui::Command;

use super::window::{CTRL, Drive as _, Home, Window, labels, model_or_skip, settings_with_model};

/// A file as the desktop lets it fall.
#[derive(Debug)]
struct Dropped(PathBuf);

impl DroppedFile for Dropped {
    fn path(&self) -> &Path {
        &self.0
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        fs::read(&self.0).map_err(|e| e.to_string())
    }
}

fn let_fall(window: &mut Window, paths: &[&Path]) {
    for path in paths {
        let file = Arc::new(Dropped(path.to_path_buf()));
        window.input_mut().dropped_files.push(file);
    }
    window.run_steps(3);
}

/// A header that promises a model and breaks the promise.
fn broken_gguf() -> Vec<u8> {
    let mut bytes = b"GGUF".to_vec();
    bytes.extend(3_u32.to_le_bytes());
    bytes.extend(u64::MAX.to_le_bytes());
    bytes.extend(u64::MAX.to_le_bytes());
    bytes
}

#[test]
fn a_broken_model_is_named_and_the_tab_goes_on() {
    let home = Home::new();
    let bad = home.with_file("broken.gguf", &broken_gguf());
    let empty = home.with_file("empty.gguf", b"");
    let mut window = home.open();
    let text = window.text();
    for path in [&bad, &empty] {
        let name = path
            .file_name()
            .and_then(|n| n.to_str())
            .unwrap_or_default();
        let_fall(&mut window, &[path]);
        assert!(window.state().toasts().shows(name), "dropped: {name}");
        assert!(window.reads(name), "it is on the screen");
        window.click("Close");
        assert!(!window.state().toasts().shows(name));
        window.press(CTRL, Key::O);
        window.choose(path, "Open");
        assert!(window.state().toasts().shows(name), "chosen: {name}");
        window.click("Close");
    }
    assert_eq!(window.text(), text);
    assert!(window.reads("A stored run"), "nothing was taken over");
    window.click("Capitals");
    assert!(window.text().ends_with("Italy:"));
}

#[test]
fn a_broken_model_in_the_settings_fails_the_run_only() {
    let home = Home::new();
    let bad = home.with_file("broken.gguf", &broken_gguf());
    for path in [bad, home.file("missing.gguf")] {
        let mut window = home.open_with(settings_with_model(&path), None);
        let text = window.text();
        window.click("Complete");
        let name = path
            .file_name()
            .and_then(|n| n.to_str())
            .unwrap_or_default();
        window.wait("the error", |w| w.state().toasts().shows(name));
        assert_eq!(window.text(), text);
        window.get_by_role_and_label(Role::Button, "Complete");
        window.click("Use the default");
        assert!(window.query_by_label("Use the default").is_none());
    }
}

#[test]
fn a_bad_file_does_not_disturb_a_run() {
    let Some(model) = model_or_skip() else { return };
    let home = Home::new();
    let bad = home.with_file("broken.gguf", &broken_gguf());
    let mut window = home.open_with_model(&model);
    window.click("A poem");
    let prompt = window.text();
    window.command(Command::Run);
    window.wait("a word", |w| w.text().len() > prompt.len());
    let_fall(&mut window, &[&bad]);
    assert!(window.state().toasts().shows("broken.gguf"));
    window.get_by_role_and_label(Role::Button, "Stop");
    window.rest(Duration::from_millis(300));
    assert!(window.is_busy(), "the run goes on");
    window.press(Modifiers::NONE, Key::Escape);
    window.wait("the stop", |w| !w.is_busy());
}

#[test]
fn a_good_model_can_be_dropped() {
    let Some(model) = model_or_skip() else { return };
    let home = Home::new();
    let mut window = home.open();
    let_fall(&mut window, &[&model]);
    window.wait("the reading", |w| w.reads("30 layers") && !w.is_busy());
    window.click("Capitals");
    window.command(Command::Run);
    window.wait("the completion", |w| w.text().ends_with(" Rome"));
}

#[test]
fn a_text_file_becomes_the_prompt() {
    let home = Home::new();
    let text = home.with_file("prompt.txt", "Once upon a time".as_bytes());
    let not_text = home.with_file("picture.txt", &[0xff, 0xfe, 0x00, 0x80]);
    let mut window = home.open();
    let stored = window.text();
    let_fall(&mut window, &[&text]);
    assert_eq!(window.text(), "Once upon a time");
    window.press(CTRL, Key::Z);
    assert_eq!(window.text(), stored);
    let_fall(&mut window, &[&not_text]);
    assert!(window.state().toasts().shows("picture.txt"));
    assert_eq!(window.text(), stored);
    let_fall(&mut window, &[&text, &not_text]);
    assert!(window.state().toasts().shows("2 files at once"));
    let_fall(&mut window, &[&home.file("nowhere.txt")]);
    assert!(window.state().toasts().shows("nowhere.txt"));
    let_fall(&mut window, &[home.paths().data.as_path()]);
    assert!(
        window.state().toasts().shows("data"),
        "a folder is refused too"
    );
    #[cfg(unix)]
    {
        let_fall(&mut window, &["/dev/zero".as_ref()]);
        assert!(
            window
                .state()
                .toasts()
                .shows("This is not a file: /dev/zero")
        );
    }
    assert_eq!(window.text(), stored);
}

#[test]
fn exports_hold_what_is_on_the_screen() {
    let home = Home::new();
    let mut window = home.open();
    window.focus_notebook();
    let export = |window: &mut Window, format: Option<&str>, name: &str| -> String {
        window.press(CTRL, Key::E);
        if let Some(format) = format {
            window.get_by_label_contains(format).click();
            window.run_steps(2);
            window
                .get_by_role_and_label(Role::TextInput, "Path")
                .focus();
        }
        let path = home.file(name);
        window.choose(&path, "Save");
        assert!(window.state().toasts().shows(name), "it says where");
        fs::read_to_string(path).expect("the file is there")
    };
    assert_eq!(export(&mut window, None, "out.txt"), window.text());

    let json: Value =
        serde_json::from_str(&export(&mut window, Some("JSON:"), "out.json")).expect("json");
    assert_eq!(json["text"], Value::from(window.text()));
    assert_eq!(json["generated"], " She went to the market.");
    assert_eq!(json["config"]["max_tokens"], 32);
    assert_eq!(
        json["tokens"].as_array().map(Vec::len),
        Some(window.spans())
    );
    assert_eq!(
        json["tokens"][1]["position"]["top"]
            .as_array()
            .map(Vec::len),
        Some(10)
    );

    let csv = export(&mut window, Some("one line for each token"), "out.csv");
    let rows = csv_rows(&csv);
    assert_eq!(rows.len(), window.spans() + 1);
    assert_eq!(
        rows[0].join(","),
        "token,text,logprob,probability,rank,generated"
    );
    assert!(rows.iter().all(|row| row.len() == 6));
    let text: String = rows[1..].iter().map(|row| row[1].as_str()).collect();
    assert_eq!(text, window.text(), "the tokens make up the text");
    assert_eq!(rows.last().map(|row| row[5].as_str()), Some("true"));
    assert!(
        window.has_focus(Role::MultilineTextInput, "Notebook"),
        "the keyboard goes back to where it was"
    );
}

/// RFC 4180: a quoted field may hold commas, quotes and line breaks.
fn csv_rows(csv: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut field) = (Vec::new(), Vec::new(), String::new());
    let (mut quoted, mut chars) = (false, csv.chars().peekable());
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => field.extend(chars.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut field)),
            '\n' if !quoted => {
                row.push(std::mem::take(&mut field));
                rows.push(std::mem::take(&mut row));
            }
            c => field.push(c),
        }
    }
    rows
}

#[test]
fn the_enter_key_is_enough_in_a_dialog() {
    let home = Home::new();
    let path = home.with_file("prompt.txt", b"Once upon a time");
    let mut window = home.open();
    window.focus_notebook();
    window.press(CTRL, Key::O);
    window.type_in(&path.display().to_string());
    window.press(Modifiers::NONE, Key::Enter);
    assert_eq!(window.text(), "Once upon a time");
    // Without a path it stays, with the keyboard in its place.
    window.press(CTRL, Key::O);
    window.press(Modifiers::NONE, Key::Enter);
    window.run_steps(2);
    assert!(window.has_focus(Role::TextInput, "Path"));
    window.press(Modifiers::NONE, Key::Escape);
    assert!(
        window
            .query_by_role_and_label(Role::TextInput, "Path")
            .is_none()
    );
    assert_eq!(window.text(), "Once upon a time");
}

#[test]
fn an_export_that_cannot_be_written_says_so() {
    let home = Home::new();
    home.with_file("file", b"in the way");
    let mut window = home.open();
    window.press(CTRL, Key::E);
    window.choose(&home.file("file").join("out.txt"), "Save");
    let message = labels(&window).into_iter().find(|l| l.contains("annot"));
    assert!(
        message.is_some_and(|m| m.ends_with("file")),
        "it names what is in the way"
    );
    assert!(window.reads("Failed"));
}

#[test]
fn a_download_that_fails_says_why() {
    let home = Home::new();
    // Where the models' folder should be lies a file, so nothing is fetched over the network.
    let models = home.paths().models_dir();
    vitrine::store::atomic_write(&models, b"in the way").expect("it can be written");
    let mut window = home.open();
    let fetch = window
        .get_all_by_label("Fetch the model")
        .next()
        .expect("a button");
    fetch.click();
    window.wait("the error", |w| w.state().toasts().shows("models"));
    assert!(
        window
            .query_all_by_label("Fetch the model")
            .next()
            .is_some(),
        "it can be tried again"
    );
    // Asking for text is the other way to a download.
    window.click("Close");
    window.press(CTRL, Key::Enter);
    window.wait("the error", |w| w.state().toasts().shows("models"));
    assert!(window.text().ends_with(" She went to the market."));
}

#[test]
fn a_download_never_holds_the_window_and_can_be_stopped() {
    let home = Home::new();
    // Another Vitrine seems to fetch it, so this one waits and touches no network.
    let lock = home
        .paths()
        .models_dir()
        .join(".SmolLM2-135M-Instruct.Q4_1.gguf.lock");
    vitrine::store::atomic_write(&lock, b"").expect("it can be written");
    let held = File::open(&lock).expect("it opens");
    held.lock().expect("it locks");
    let mut window = home.open();
    window
        .get_all_by_label("Fetch the model")
        .next()
        .expect("a button")
        .click();
    window.wait("the progress", |w| w.reads("waiting for another Vitrine"));
    assert!(window.reads("of 98 MB"));
    let mut slowest = Duration::ZERO;
    for _ in 0..60 {
        let begun = Instant::now();
        window.step();
        slowest = slowest.max(begun.elapsed());
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(
        slowest < Duration::from_millis(500),
        "a frame took {slowest:?}"
    );
    window.focus_notebook();
    window.type_in(" And");
    assert!(
        window.text().ends_with("market. And"),
        "the tab is usable meanwhile"
    );
    window.click("Stop the download");
    window.wait("the stop", |w| {
        w.state().toasts().shows("The download was stopped")
    });
    assert!(window.query_by_label("Stop the download").is_none());
    drop(held);
}
