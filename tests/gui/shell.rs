//! What surrounds the tabs: palette, settings, help, log, shortcuts.

use egui::accesskit::Role;
use egui::{Key, Modifiers, Theme};
use egui_kittest::kittest::Queryable as _;
use vitrine::gui::Command;
use vitrine::store::Settings;

use super::window::{CTRL, CTRL_SHIFT, Drive as _, Home, Window, labels, model_or_skip};

fn palette_is_open(window: &Window) -> bool {
    window
        .query_by_role_and_label(Role::TextInput, "Find a command")
        .is_some()
}

#[test]
fn the_palette_finds_and_does() {
    let mut window = Home::new().open();
    for (letters, theme) in [("light", Theme::Light), ("dark", Theme::Dark)] {
        window.focus_notebook();
        window.press(CTRL, Key::P);
        assert!(palette_is_open(&window));
        let text = window.text();
        window.type_in(letters);
        window.press(Modifiers::NONE, Key::Enter);
        assert_eq!(window.ctx.theme(), theme);
        assert!(!palette_is_open(&window));
        assert_eq!(window.text(), text, "the letters went to the palette");
        assert!(
            window.has_focus(Role::MultilineTextInput, "Notebook"),
            "the keyboard goes back to where it was"
        );
    }
}

#[test]
fn the_palette_follows_the_arrow_keys() {
    let mut window = Home::new().open();
    window.press(CTRL, Key::P);
    window.type_in("colours");
    // Three commands have it: dark, light, the desktop's.
    window.press(Modifiers::NONE, Key::ArrowDown);
    window.press(Modifiers::NONE, Key::Enter);
    assert_eq!(window.ctx.theme(), Theme::Light);
    window.press(CTRL, Key::P);
    window.type_in("colours");
    for _ in 0..3 {
        window.press(Modifiers::NONE, Key::ArrowUp);
    }
    window.press(Modifiers::NONE, Key::Enter);
    assert_eq!(
        window.ctx.theme(),
        Theme::Dark,
        "up from the first is the last"
    );
    window.press(CTRL, Key::P);
    window.type_in("zzzz");
    assert!(window.reads("No command has these letters"));
    window.press(Modifiers::NONE, Key::Enter);
    assert!(!palette_is_open(&window));
}

#[test]
fn the_palette_lists_what_can_be_done() {
    let mut window = Home::new().open();
    window.focus_notebook();
    window.type_in("x");
    window.press(CTRL, Key::P);
    let shown = labels(&window);
    for command in Command::ALL {
        let possible = match command {
            // Nothing runs, nothing was undone, no session was closed.
            Command::Pause | Command::Stop | Command::Redo | Command::ReopenLastSession => false,
            Command::Tab(number) => usize::from(*number) < super::window::tabs().len(),
            _ => true,
        };
        // A button reads its shortcut after its name.
        let text = command.text();
        let listed = shown.iter().any(|label| {
            label
                .strip_prefix(text.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        });
        if possible {
            assert!(listed, "{text} is missing: {shown:?}");
        } else if !matches!(command, Command::Stop) {
            assert!(!listed, "{text} cannot be done now");
        }
    }
}

#[test]
fn escape_closes_the_palette_and_stops_nothing() {
    let Some(model) = model_or_skip() else { return };
    let mut window = Home::new().open_with_model(&model);
    window.click("A poem");
    let prompt = window.text();
    window.command(Command::Run);
    window.wait("a word", |w| w.text().len() > prompt.len());
    window.press(CTRL, Key::P);
    assert!(palette_is_open(&window));
    window.press(Modifiers::NONE, Key::Escape);
    assert!(!palette_is_open(&window));
    assert!(window.is_busy(), "the run goes on");
    window.press(Modifiers::NONE, Key::Escape);
    window.wait("the stop", |w| !w.is_busy());
}

#[test]
fn keys_pressed_in_the_palette_do_nothing_behind_it() {
    let mut window = Home::new().open();
    window.focus_notebook();
    window.type_in(" more");
    let text = window.text();
    window.press(CTRL, Key::P);
    window.press(CTRL, Key::Z);
    window.press(CTRL, Key::O);
    assert_eq!(window.text(), text);
    assert!(palette_is_open(&window));
    assert!(
        window.query_by_label("Path").is_none(),
        "no dialog opened behind it"
    );
}

#[test]
fn the_zoom_follows_keys_and_the_settings_window() {
    let home = Home::new();
    let mut window = home.open();
    window.press(CTRL, Key::Plus);
    assert!((window.ctx.zoom_factor() - 1.1).abs() < 1e-3);
    window.press(CTRL, Key::Minus);
    window.press(CTRL, Key::Minus);
    assert!((window.ctx.zoom_factor() - 0.9).abs() < 1e-3);
    window.press(CTRL, Key::Num0);
    assert!((window.ctx.zoom_factor() - 1.0).abs() < 1e-3);

    window.press(CTRL, Key::Comma);
    window
        .get_by_role_and_label(Role::Slider, "Zoom")
        .set_value_accesskit(1.5);
    window.run_steps(3);
    assert!(
        (window.ctx.zoom_factor() - 1.5).abs() < 1e-3,
        "a value that was not dragged applies too"
    );
    let (stored, notice) = Settings::load(&home.paths().settings_file());
    assert_eq!(notice, None);
    assert!((stored.zoom - 1.5).abs() < 1e-3, "it is remembered");
    window.press(CTRL, Key::Comma);
    assert!(
        window
            .query_by_role_and_label(Role::Slider, "Zoom")
            .is_none()
    );
}

#[test]
fn the_colours_change_in_the_settings_window() {
    let home = Home::new();
    let mut window = home.open();
    window.click("Settings");
    window.get_by_label("Light").click();
    window.run_steps(3);
    assert_eq!(window.ctx.theme(), Theme::Light);
    let stored = Settings::load(&home.paths().settings_file()).0;
    assert_eq!(stored.theme, vitrine::store::Theme::Light);
}

#[test]
fn help_and_log_come_and_go() {
    let mut window = Home::new().open();
    let help = "Language Models are Few-Shot Learners";
    assert!(window.reads(help));
    window.press(Modifiers::NONE, Key::F1);
    assert!(!window.reads(help));
    window.press(Modifiers::NONE, Key::F1);
    assert!(window.reads(help));
    let filter = |w: &Window| {
        w.query_by_role_and_label(Role::TextInput, "Filter")
            .is_some()
    };
    assert!(!filter(&window));
    window.press(CTRL_SHIFT, Key::L);
    assert!(filter(&window));
    window.press(CTRL_SHIFT, Key::L);
    assert!(!filter(&window));
}

#[test]
fn a_seed_can_be_drawn_anew() {
    let mut window = Home::new().open();
    let seed = |w: &Window| w.saved()["config"]["seed"].clone();
    let first = seed(&window);
    window.click("New");
    let second = seed(&window);
    assert_ne!(first, second);
    window.command(Command::NewSeed);
    assert_ne!(seed(&window), second);
}

#[test]
fn copying_takes_what_the_model_wrote() {
    let mut window = Home::new().open();
    window.focus_notebook();
    // In one frame, so that its output can be looked at.
    let events = &mut window.input_mut().events;
    events.push(egui::Event::ModifiersChanged(CTRL_SHIFT));
    events.push(egui::Event::Key {
        key: Key::C,
        physical_key: None,
        pressed: true,
        repeat: false,
        modifiers: CTRL_SHIFT,
    });
    window.step();
    let commands = &window.output().platform_output.commands;
    let copied = egui::OutputCommand::CopyText(" She went to the market.".into());
    assert!(commands.contains(&copied), "{commands:?}");
    assert!(window.state().toasts().shows("Copied"));
}

#[test]
fn quitting_asks_the_desktop_to_close_the_window() {
    let mut window = Home::new().open();
    window.state_mut().send(Command::Quit);
    window.step();
    let commands = &window.output().viewport_output[&egui::ViewportId::ROOT].commands;
    assert!(
        commands.contains(&egui::ViewportCommand::Close),
        "{commands:?}"
    );
}

#[test]
fn the_file_menu_opens_a_dialog() {
    let mut window = Home::new().open();
    window.click("File");
    window.get_by_label_contains("Export the result").click();
    window.run_steps(3);
    window.get_by_label("Export the result");
    window.press(Modifiers::NONE, Key::Escape);
    assert!(window.query_by_label("Export the result").is_none());
}
