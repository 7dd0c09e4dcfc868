//! What a person meets first: a stored run, a quiet window, names on everything.

use std::time::Duration;

use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use vitrine::gui::Command;
use vitrine::store::{Settings, Theme};

use super::window::{Drive as _, Home, Window, model_or_skip};

/// Nothing moves: no frame is wanted, now or later.
#[track_caller]
fn assert_idle(window: &mut Window) {
    window.wait("the last repaint", |w| w.next_frame() == Duration::MAX);
    for _ in 0..10 {
        window.step();
        assert_eq!(
            window.next_frame(),
            Duration::MAX,
            "{:?}",
            window.ctx.repaint_causes()
        );
    }
}

#[test]
fn a_notebook_that_has_the_keyboard_rests_too() {
    let home = Home::new();
    let mut window = home.open();
    window.get_by_label("Notebook").focus();
    window.run_steps(2);
    assert!(window.get_by_label("Notebook").is_focused());
    assert_idle(&mut window);
}

#[test]
fn the_first_open_shows_a_stored_run_and_then_rests() {
    let home = Home::new();
    let mut window = home.open();
    let text = window.get_by_label("Notebook").value().unwrap_or_default();
    assert!(text.ends_with(" She went to the market."), "{text}");
    assert_eq!(text, window.text());
    window.get_by_label("A stored run");
    assert!(window.reads("SmolLM2"), "the banner names the model");
    assert!(window.spans() > 50, "the run's probabilities are there");
    assert!(!window.is_busy());
    assert_idle(&mut window);
    assert!(!window.is_busy());
    assert!(
        !home.paths().autosave_file().exists(),
        "nothing has changed"
    );
}

#[test]
fn the_window_rests_again_after_work() {
    let Some(model) = model_or_skip() else { return };
    let home = Home::new();
    let mut window = home.open_with_model(&model);
    window.write("One two three four");
    window.wait("the reading", |w| w.spans() >= 4);
    window.command(Command::Step);
    window.wait("the step", |w| !w.is_busy());
    // The autosave is the last thing that wants a frame.
    assert_idle(&mut window);
    assert!(home.paths().autosave_file().exists());
}

#[track_caller]
fn assert_named(window: &Harness<'_, vitrine::gui::App>) {
    assert_eq!(window.unnamed_widgets(), Vec::<String>::new());
    let inputs = window
        .root()
        .children_recursive()
        .filter(|n| egui::accessibility::is_input(n.accesskit_node().role()));
    assert!(inputs.count() > 20, "the tree is there");
}

#[test]
fn everything_that_can_be_used_has_a_name() {
    let home = Home::new();
    let settings = Settings {
        theme: Theme::Dark,
        show_log: true,
        ..Settings::default()
    };
    let mut window = home.open_with(settings, None);
    assert_named(&window);
    for (role, name) in [
        (Role::Button, "Complete"),
        (Role::Button, "Step"),
        (Role::MultilineTextInput, "Notebook"),
        (Role::Slider, "Temperature"),
        (Role::Slider, "Top-k"),
        (Role::Slider, "Top-p"),
        (Role::Slider, "Min-p"),
        (Role::SpinButton, "Length"),
        (Role::SpinButton, "Seed"),
        (Role::CheckBox, "Probability of each token"),
        (Role::CheckBox, "Also while typing"),
        (Role::TextInput, "Filter"),
    ] {
        window.get_by_role_and_label(role, name);
    }
    window.click("Surprise");
    assert_named(&window);
    for command in [Command::Settings, Command::OpenFile, Command::Export] {
        window.command(command);
        assert_named(&window);
        window.press(Modifiers::NONE, Key::Escape);
    }
    window.command(Command::Palette);
    assert_named(&window);
}

#[test]
fn everything_has_a_name_while_it_runs() {
    let Some(model) = model_or_skip() else { return };
    let mut window = Home::new().open_with_model(&model);
    window.click("A poem");
    window.command(Command::Run);
    window.wait("the first tokens", |w| {
        w.saved()["document"]["generated"] != serde_json::json!([])
    });
    assert_named(&window);
    window.get_by_role_and_label(Role::Button, "Stop");
    window.get_by_role_and_label(Role::Button, "Pause");
    window.press(Modifiers::NONE, Key::Escape);
    window.wait("the stop", |w| !w.is_busy());
}

#[test]
fn the_tab_key_reaches_the_button_and_the_notebook() {
    let mut window = Home::new().open();
    let (mut button, mut notebook) = (None, None);
    for presses in 0..80 {
        window.press(Modifiers::NONE, Key::Tab);
        if window.has_focus(Role::Button, "Complete") {
            button.get_or_insert(presses);
        }
        if window.has_focus(Role::MultilineTextInput, "Notebook") {
            notebook.get_or_insert(presses);
            break;
        }
    }
    assert!(
        button.is_some() && button < notebook,
        "{button:?} {notebook:?}"
    );
}
