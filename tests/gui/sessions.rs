//! What comes back: sessions saved by hand, after a crash, after a clean end, after damage.

use std::fs;
use std::path::Path;
use std::time::Duration;

use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable as _;
use serde_json::{Value, json};
use vitrine::gui::Command;
use vitrine::store::{Settings, atomic_write};

use super::window::{CTRL, CTRL_SHIFT, Drive as _, Home, Window};

const RESTORED: &str = "Vitrine ended unexpectedly; the session was restored";

/// The end of a window that was closed in good order.
fn close(mut window: Window) {
    eframe::App::on_exit(window.state_mut());
}

/// Waits until the changes are on the disk.
fn wait_for_autosave(window: &mut Window, home: &Home, text: &str) {
    let file = home.paths().autosave_file();
    window.wait("the autosave", |_| {
        fs::read_to_string(&file).is_ok_and(|stored| stored.contains(text))
    });
}

#[test]
fn a_session_comes_back_from_its_file() {
    let home = Home::new();
    let file = home.file("mine.json");
    let mut window = home.open();
    window.command(Command::NewSeed);
    let saved = window.saved();
    window.press(CTRL, Key::S);
    window.choose(&file, "Save");
    assert!(window.state().toasts().shows("Session saved"));

    window.write("Something else");
    window.command(Command::NewSeed);
    window.click("Surprise");
    assert_ne!(window.saved(), saved);
    window.press(CTRL_SHIFT, Key::O);
    window.choose(&file, "Open");
    assert!(window.state().toasts().shows("Session opened"));
    let back = window.saved();
    for key in ["document", "config", "look", "summary", "recorded_by"] {
        assert_eq!(back[key], saved[key], "{key}");
    }
    // Opening is a change like any other.
    window.press(CTRL, Key::Z);
    assert_eq!(window.text(), "Something else");
}

#[test]
fn a_session_that_was_changed_by_hand_is_refused_or_shown() {
    let home = Home::new();
    let mut window = home.open();
    let good = window.saved();
    let refused: [(&str, Value); 4] = [
        ("/document/text", json!("short")),
        ("/config/temperature", json!(-1.0)),
        ("/document/spans/0/range/start", json!(1_000_000)),
        ("/look", json!(7)),
    ];
    let with = |pointer: &str, value: &Value| {
        let mut state = good.clone();
        *state.pointer_mut(pointer).expect(pointer) = value.clone();
        json!({"vitrine_session": 1, "active": "gpt", "tabs": {"gpt": state}}).to_string()
    };
    for (pointer, value) in &refused {
        let file = home.with_file("changed.json", with(pointer, value).as_bytes());
        window.press(CTRL_SHIFT, Key::O);
        window.choose(&file, "Open");
        assert!(
            window.state().toasts().shows("could not be read"),
            "{pointer}"
        );
        assert_eq!(window.saved()["document"], good["document"], "{pointer}");
        window
            .get_all_by_label("Close")
            .last()
            .expect("a toast")
            .click();
        window.run_steps(3);
    }
    // Figures that cannot be are only figures.
    let summary = json!({
        "text": "", "ids": [1, 2], "reason": "length", "prompt_tokens": 3, "reused_tokens": 9,
        "prefill_secs": -1.0, "decode_secs": 0.0,
    });
    let file = home.with_file("changed.json", with("/summary", &summary).as_bytes());
    window.press(CTRL_SHIFT, Key::O);
    window.choose(&file, "Open");
    assert!(window.state().toasts().shows("Session opened"));
    window.run_steps(3);
}

#[test]
fn after_a_crash_the_session_is_there_again() {
    let home = Home::new();
    let mut window = home.open();
    window.focus_notebook();
    window.type_in(" Then it rained.");
    let saved = window.saved();
    assert!(!home.paths().autosave_file().exists(), "not at every key");
    wait_for_autosave(&mut window, &home, "Then it rained.");
    drop(window);

    let window = home.open();
    assert!(window.state().toasts().shows(RESTORED));
    assert!(window.reads(RESTORED));
    assert_eq!(window.saved()["document"], saved["document"]);
    close(window);
    let window = home.open();
    assert!(!window.state().toasts().shows(RESTORED), "once is enough");
}

#[test]
fn after_a_clean_end_the_session_can_be_reopened() {
    let home = Home::new();
    let mut window = home.open();
    assert!(!home.paths().last_session_file().exists());
    window.focus_notebook();
    window.type_in(" Then it rained.");
    let text = window.text();
    close(window);

    let mut window = home.open();
    assert!(window.reads("A stored run"), "a new start is a new start");
    assert!(window.text().ends_with("market."));
    assert!(!window.state().toasts().shows(RESTORED));
    window.press(CTRL, Key::P);
    window.type_in("reopen");
    window.press(Modifiers::NONE, Key::Enter);
    assert!(window.state().toasts().shows("Session opened"));
    assert_eq!(window.text(), text);
}

#[test]
fn a_second_window_stores_nothing() {
    let home = Home::new();
    let mut first = home.open();
    let mut second = home.open();
    assert!(
        second
            .state()
            .toasts()
            .shows("Another Vitrine window is open")
    );
    second.write("of the second");
    first.write("of the first");
    wait_for_autosave(&mut first, &home, "of the first");
    second.rest(Duration::from_millis(3500));
    let stored = fs::read_to_string(home.paths().autosave_file()).expect("it is there");
    assert!(!stored.contains("of the second"));
    close(second);
    drop(first);
    assert_eq!(home.open().text(), "of the first");
}

fn backup(path: &Path) -> std::path::PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".bak");
    name.into()
}

#[test]
fn damaged_settings_are_set_aside() {
    for damage in [
        &b"zoom = \"large\""[..],
        b"\xff\xfe\x00 not text",
        b"theme = [",
    ] {
        let home = Home::new();
        let file = home.paths().settings_file();
        atomic_write(&file, damage).expect("it can be written");
        let mut window = home.open();
        assert!(window.reads("The settings could not be read, so the defaults are used"));
        assert_eq!(fs::read(backup(&file)).expect("a copy"), damage);
        window.press(Modifiers::NONE, Key::F1);
        let (settings, notice) = Settings::load(&file);
        assert_eq!(notice, None, "they are whole again");
        assert!(!settings.show_help);
    }
}

#[test]
fn a_damaged_autosave_is_set_aside() {
    let other = json!({"vitrine_session": 1, "active": "gpt", "tabs": []}).to_string();
    for damage in [
        &b"{\"vitrine_session\":1,"[..],
        b"\0\0\0\0",
        other.as_bytes(),
    ] {
        let home = Home::new();
        drop(home.open()); // It leaves its marker.
        let file = home.paths().autosave_file();
        atomic_write(&file, damage).expect("it can be written");
        let mut window = home.open();
        assert!(window.reads("its session could not be restored"));
        assert!(window.reads("A stored run"));
        assert_eq!(fs::read(backup(&file)).expect("it was kept"), damage);
        window.get_by_label("Details").click();
        window.run_steps(3);
        assert!(window.reads("autosave.json.bak"), "it says where");
    }
}

#[test]
fn a_session_of_which_the_tab_understands_nothing_leaves_the_stored_run() {
    let home = Home::new();
    drop(home.open());
    let session =
        json!({"vitrine_session": 1, "active": "nobody", "tabs": {"gpt": {"document": 3}}});
    atomic_write(
        &home.paths().autosave_file(),
        session.to_string().as_bytes(),
    )
    .expect("written");
    let window = home.open();
    assert!(window.reads("The session's part for"));
    assert!(window.text().ends_with("market."));
}
