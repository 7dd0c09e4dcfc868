//! The notebook with the real model: completing, stopping, undo, colours.

use std::time::{Duration, Instant};

use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable as _;
use serde_json::json;
use vitrine::gui::Command;

use super::window::{CTRL, CTRL_SHIFT, Drive as _, Home, Window, model_or_skip};

const CAPITALS: &str = "France: Paris\nJapan: Tokyo\nEgypt: Cairo\nItaly:";

/// A window whose settings are those of the preset Capitals, and which has read its prompt.
fn capitals() -> Option<Window> {
    let model = model_or_skip()?;
    let mut window = Home::new().open_with_model(&model);
    window.click("Capitals");
    assert_eq!(window.text(), CAPITALS);
    assert_eq!(window.saved()["config"]["temperature"], json!(0.0));
    window.wait("the reading", |w| w.spans() > 10 && !w.is_busy());
    Some(window)
}

fn complete(window: &mut Window) {
    window.press(CTRL, Key::Enter);
    window.wait("the completion", |w| {
        !w.is_busy()
            && w.query_by_role_and_label(Role::Button, "Complete")
                .is_some()
    });
}

#[test]
fn typing_and_completing() {
    let Some(mut window) = capitals() else { return };
    window.write("");
    window.write("France: Paris\nJapan: Tokyo\nEgypt: Cairo\n");
    window.type_in("Italy:");
    assert_eq!(window.text(), CAPITALS, "typing appends at the cursor");
    complete(&mut window);
    assert_eq!(window.text(), format!("{CAPITALS} Rome"));
    assert!(!window.reads("A stored run"), "the banner is gone");
    assert!(window.reads("wrote 2 at"), "tokens a second are shown");
    assert!(window.reads("/s"));
    assert_eq!(
        window.saved()["document"]["generated"],
        json!([{"start": CAPITALS.len(), "end": CAPITALS.len() + 5}])
    );
    assert!(
        window.has_focus(Role::MultilineTextInput, "Notebook"),
        "one can go on typing"
    );
    window.type_in("\u{20}is");
    assert_eq!(window.text(), format!("{CAPITALS} Rome is"));
}

#[test]
fn undo_takes_a_completion_back_and_redo_brings_it_again() {
    let Some(mut window) = capitals() else { return };
    window.focus_notebook();
    complete(&mut window);
    let completed = window.text();
    assert_ne!(completed, CAPITALS);
    // Also after the colours were worked out anew.
    for rest in [0, 1500] {
        window.rest(Duration::from_millis(rest));
        window.press(CTRL, Key::Z);
        assert_eq!(window.text(), CAPITALS);
        window.rest(Duration::from_millis(rest));
        window.press(CTRL_SHIFT, Key::Z);
        assert_eq!(window.text(), completed);
        assert_ne!(window.saved()["document"]["generated"], json!([]));
        window.rest(Duration::from_millis(rest));
        window.press(CTRL, Key::Z);
        assert_eq!(window.text(), CAPITALS);
        window.press(CTRL, Key::Y);
        assert_eq!(window.text(), completed);
    }
}

#[test]
fn every_undo_changes_the_text() {
    let Some(mut window) = capitals() else { return };
    let start = Home::new().open().text();
    window.focus_notebook();
    for word in [" one", " two"] {
        window.type_in(word);
        // Long enough for an undo point and for the colours.
        window.rest(Duration::from_millis(1500));
        window.wait("the reading", |w| !w.is_busy());
    }
    for expected in [&format!("{CAPITALS} one"), CAPITALS, &start, &start, &start] {
        window.press(CTRL, Key::Z);
        assert_eq!(&window.text(), expected);
        window.rest(Duration::from_millis(600));
    }
    for expected in [
        CAPITALS,
        &format!("{CAPITALS} one"),
        &format!("{CAPITALS} one two"),
    ] {
        window.press(CTRL_SHIFT, Key::Z);
        assert_eq!(&window.text(), expected);
        window.rest(Duration::from_millis(600));
    }
    window.press(CTRL_SHIFT, Key::Z);
    assert_eq!(window.text(), format!("{CAPITALS} one two"));
}

#[test]
fn undo_in_another_text_field_leaves_the_notebook_alone() {
    let mut window = Home::new().open();
    window.focus_notebook();
    window.type_in(" more");
    window.rest(Duration::from_millis(1200));
    let text = window.text();
    let field = "Stop before, one text a line";
    let stops = |w: &Window| w.saved()["config"]["stop"].clone();
    let before = stops(&window);
    window
        .get_by_role_and_label(Role::MultilineTextInput, field)
        .focus();
    window.run_steps(2);
    window.type_in("###");
    assert_ne!(stops(&window), before);
    window.rest(Duration::from_millis(1200));
    window.press(CTRL, Key::Z);
    assert_eq!(window.text(), text);
    assert_eq!(stops(&window), before, "the field's own text went back");
}

#[test]
fn escape_stops_a_long_completion_and_keeps_what_came() {
    let Some(mut window) = capitals() else { return };
    window.click("A poem");
    let prompt = window.text();
    window.focus_notebook();
    window.press(CTRL, Key::Enter);
    window.wait("some words", |w| w.text().len() > prompt.len() + 12);
    let begun = Instant::now();
    window.press(Modifiers::NONE, Key::Escape);
    window.wait("the stop", |w| !w.is_busy());
    assert!(
        begun.elapsed() < Duration::from_secs(2),
        "{:?}",
        begun.elapsed()
    );
    let kept = window.text();
    assert!(kept.len() > prompt.len() + 12 && kept.starts_with(&prompt));
    window.rest(Duration::from_millis(500));
    assert_eq!(window.text(), kept, "nothing comes after");
    window.get_by_role_and_label(Role::Button, "Complete");
    window.press(CTRL, Key::Z);
    assert_eq!(window.text(), prompt);
}

#[test]
fn a_pause_holds_and_a_held_run_can_be_stopped() {
    let Some(mut window) = capitals() else { return };
    window.click("A poem");
    let prompt = window.text();
    window.click("Complete");
    window.wait("a word", |w| w.text().len() > prompt.len());
    window.click("Pause");
    window.rest(Duration::from_millis(300));
    let held = window.text();
    window.rest(Duration::from_millis(500));
    assert_eq!(window.text(), held);
    window.click("Go on");
    window.wait("more", |w| w.text().len() > held.len());
    window.click("Pause");
    window.click("Stop");
    window.wait("the stop", |w| !w.is_busy());
    window.get_by_role_and_label(Role::Button, "Complete");
}

#[test]
fn a_step_gives_one_token() {
    let Some(mut window) = capitals() else { return };
    let spans = window.spans();
    window.focus_notebook();
    window.press(CTRL_SHIFT, Key::Enter);
    window.wait("the step", |w| !w.is_busy());
    assert_eq!(window.text(), format!("{CAPITALS} Rome"));
    assert_eq!(window.spans(), spans + 1);
    window.press(CTRL, Key::Z);
    window.click("Step");
    window.wait("the step", |w| !w.is_busy());
    assert_eq!(window.text(), format!("{CAPITALS} Rome"));
}

#[test]
fn an_edit_clears_the_colours_behind_it_until_typing_rests() {
    let Some(mut window) = capitals() else { return };
    let spans = window.spans();
    let edited = CAPITALS.replace("Tokyo", "Kyoto");
    window.focus_notebook();
    window.press(CTRL, Key::A);
    window.event(egui::Event::Paste(edited.clone()));
    window.step();
    let known = window.saved()["document"]["spans"].clone();
    let known = known.as_array().expect("a list");
    assert!(
        !known.is_empty() && known.len() < spans,
        "{} of {spans}",
        known.len()
    );
    let end = known.last().and_then(|s| s["range"]["end"].as_u64());
    assert!(
        end <= Some(edited.find("Kyoto").unwrap_or(0) as u64 + 1),
        "{end:?}"
    );
    window.wait("the reading", |w| w.spans() >= spans && !w.is_busy());
    assert_eq!(window.text(), edited);
}

#[test]
fn colours_never_belong_to_an_older_text() {
    let Some(mut window) = capitals() else { return };
    let long = "The quick brown fox jumps over the lazy dog and comes back. ".repeat(80);
    window.write(&long);
    window.wait("the reading to begin", |w| w.spans() > 30);
    // While it reads, the text's beginning changes, so nothing is known of the rest any more.
    window.focus_notebook();
    window.press(CTRL, Key::Home);
    window.type_in("X");
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(300) {
        assert_eq!(window.spans(), 0, "after {:?}", begun.elapsed());
        std::thread::sleep(Duration::from_millis(5));
        window.step();
    }
    assert!(window.text().starts_with('X'));
}

#[test]
fn a_prompt_longer_than_the_context_is_refused_and_kept() {
    let Some(mut window) = capitals() else { return };
    let long = "one two three ".repeat(3000);
    window.write(&long);
    complete(&mut window);
    assert!(
        window.state().toasts().shows("shorten it by"),
        "it says how"
    );
    assert!(window.reads("tokens long and the model reads at most 8192"));
    assert_eq!(window.text(), long);
    // And the tab goes on.
    window.write(CAPITALS);
    complete(&mut window);
    assert_eq!(window.text(), format!("{CAPITALS} Rome"));
}

#[test]
fn nothing_can_be_asked_of_an_empty_notebook() {
    let mut window = Home::new().open();
    window.write("");
    let node = window.get_by_role_and_label(Role::Button, "Complete");
    assert!(egui_kittest::kittest::NodeT::accesskit_node(&node).is_disabled());
    window.press(CTRL, Key::Enter);
    assert_eq!(window.text(), "", "the key is not a line break");
    window.command(Command::Run);
    assert!(!window.is_busy());
}

#[test]
fn a_text_in_another_script_does_not_end_the_window() {
    let Some(mut window) = capitals() else { return };
    // Every character here is in the fonts, and several tokens long.
    window.write("\u{416}\u{401} \u{e9}\u{df} \u{3a9} \u{2192}");
    window.wait("the reading", |w| w.spans() > 5 && !w.is_busy());
    complete(&mut window);
    assert!(window.saved()["document"]["text"].is_string());
}
