//! The pages of the `MuZero` tab that train and measure, by the names of their widgets.

use std::path::{Path, PathBuf};

use egui::accesskit::Role;
use egui_kittest::kittest::Queryable as _;
use serde_json::Value;
use vitrine::demos::muzero::record::RunRecord;
use vitrine::gui::Command;
use vitrine::store::Settings;

use super::window::{Drive as _, Home, Window};

fn settings() -> Settings {
    Settings {
        last_tab: "muzero".into(),
        ..Settings::default()
    }
}

/// The window with a page in front.
fn open(home: &Home, page: &str) -> Window {
    let mut window = home.open_with(settings(), None);
    window.click(page);
    window
}

fn saved(window: &Window, page: &str) -> Value {
    window.state().session().tabs["muzero"]["pages"][page].clone()
}

fn set(window: &mut Window, role: Role, name: &str, value: f64) {
    window
        .get_by_role_and_label(role, name)
        .set_value_accesskit(value);
    window.run_steps(3);
}

/// Folders of the person's own runs on the bench, oldest first.
fn folders(window: &Window) -> Vec<PathBuf> {
    let saved = saved(window, "training");
    let entries = saved["bench"]["entries"].as_array().expect("a list");
    let own = entries.iter().filter_map(|entry| entry["folder"].as_str());
    own.map(PathBuf::from).collect()
}

fn record(folder: &Path) -> RunRecord {
    let found = RunRecord::load(folder).expect("it can be read");
    found.expect("there is one")
}

/// A run of tic-tac-toe that goes on until it is stopped.
fn begin(window: &mut Window) {
    window.click("Learn a game in a minute");
    set(window, Role::Slider, "Simulations", 2.0);
    window.command(Command::Run);
    window.wait("the first point", |w| w.reads("Newest game of self-play"));
}

fn stop(window: &mut Window) {
    window.command(Command::Stop);
    window.wait("the end", |w| !w.is_busy());
}

#[test]
fn every_view_and_setting_is_named() {
    let mut window = open(&Home::new(), "Train");
    for view in ["Strength", "Self-play", "Losses", "Unroll", "Speed"] {
        window.click(view);
        assert_eq!(window.unnamed_widgets(), Vec::<String>::new(), "{view}");
    }
    for name in [
        "Simulations",
        "Reanalyse",
        "Learning rate",
        "Unroll",
        "Seed",
    ] {
        let found = window.query_all_by_label(name).count();
        assert!(found > 0, "{name}");
    }
    // Without a search there is nothing to set of it.
    window.click("Actor-critic");
    assert_eq!(
        window.query_all_by_label("Simulations").count(),
        1,
        "the axis"
    );
    assert_eq!(window.query_all_by_label("Reanalyse").count(), 0);
}

#[test]
fn a_run_is_held_stopped_continued_and_branched() {
    let home = Home::new();
    let mut window = open(&home, "Train");
    begin(&mut window);
    window.command(Command::Pause);
    let folder = folders(&window).pop().expect("a run");
    window.wait("the checkpoint", |_| folder.join("record.json").exists());
    window.command(Command::Pause);
    stop(&mut window);
    let before = record(&folder);
    assert_eq!(before.settings.search.simulations, 2);
    // Run goes on with the same run, and with another learning rate.
    set(&mut window, Role::Slider, "Learning rate", 0.001);
    window.command(Command::Run);
    window.wait("the change", |w| w.reads("learning rate 0.005 to 0.001"));
    stop(&mut window);
    assert_eq!(folders(&window).len(), 1);
    let after = record(&folder);
    assert!(after.steps() >= before.steps());
    assert_eq!(after.changes.len(), 1, "{:?}", after.changes);
    // A branch is a run of its own.
    window.click("Branch off");
    window.command(Command::Run);
    window.wait("the branch", |w| w.reads("Branched off"));
    stop(&mut window);
    let branch = record(&folders(&window)[1]);
    let origin = branch.origin.expect("it is a branch");
    assert_eq!(Some(origin.run.as_ref()), folder.file_name());
    assert_eq!(window.unnamed_widgets(), Vec::<String>::new());
}

#[test]
fn a_session_brings_runs_back_and_deleting_removes_them() {
    let home = Home::new();
    let mut window = open(&home, "Train");
    begin(&mut window);
    stop(&mut window);
    let folder = folders(&window).pop().expect("a run");
    let path = home.file("session.json");
    window
        .state()
        .session()
        .save(&path)
        .expect("it can be stored");
    let mut other = open(&home, "Train");
    // A window that begins anew finds the run in its folder.
    assert_eq!(folders(&other), std::slice::from_ref(&folder));
    other.command(Command::OpenSession);
    other.choose(&path, "Open");
    assert_eq!(saved(&other, "training"), saved(&window, "training"));
    other.click("Delete…");
    other.click("Keep");
    assert!(folder.exists());
    other.click("Delete…");
    other.click("Delete its files");
    assert!(!folder.exists());
    assert!(folders(&other).is_empty());
}

#[test]
fn strength_is_measured_at_each_number_of_simulations() {
    let mut window = open(&Home::new(), "Thinking time");
    set(&mut window, Role::Slider, "Simulations", 5.0);
    window.command(Command::Stop);
    assert_eq!(window.unnamed_widgets(), Vec::<String>::new());
    // Tic-tac-toe is measured within seconds, also with untrained networks.
    window.get_by_role_and_label(Role::ComboBox, "Game").click();
    window.run_steps(3);
    window.get_by_label("Tic-tac-toe").click();
    window.run_steps(3);
    window.command(Command::Run);
    window.wait("the measurements", |w| {
        let saved = saved(w, "scaling");
        let results = saved["results"].as_array().cloned().unwrap_or_default();
        let ours = results.iter().find(|r| r["game"] == "tictactoe");
        ours.is_some_and(|r| r["measured"].as_array().is_some_and(|m| m.len() == 3))
    });
    window.wait("the end", |w| !w.is_busy());
    assert!(window.reads("Tic-tac-toe: strength against simulations"));
    assert_eq!(window.unnamed_widgets(), Vec::<String>::new());
}
