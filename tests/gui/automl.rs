//! The AutoML-Zero tab, by the names of its widgets.

use std::time::Duration;

use egui::accesskit::Role;
use egui::{Event, Key};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use serde_json::Value;
use vitrine::demos::automl_zero::starts::LINEAR;
use vitrine::demos::automl_zero::text::parse;
use vitrine::gui::Command;
use vitrine::store::{Session, Settings};

use super::window::{CTRL, Drive as _, Home, Window, labels};

const VIEWS: [&str; 6] = [
    "Search",
    "Program",
    "Learning",
    "Lineage",
    "Hall of fame",
    "Edit",
];

fn settings() -> Settings {
    Settings {
        last_tab: "automl".into(),
        ..Settings::default()
    }
}

fn open(home: &Home) -> Window {
    home.open_with(settings(), None)
}

fn saved(window: &Window) -> Value {
    window.state().session().tabs["automl"].clone()
}

/// A choice among others, such as a page.
fn turn_to(window: &mut Window, view: &str) {
    window.get_by_role_and_label(Role::Button, view).click();
    window.run_steps(4);
}

/// Sets a number as a screen reader does.
fn set(window: &mut Window, name: &str, value: f64) {
    window
        .get_by_role_and_label(Role::SpinButton, name)
        .set_value_accesskit(value);
    window.run_steps(3);
}

/// A search that is solved within a moment.
fn solve(window: &mut Window) {
    window.click("Linear regression");
    window.command(Command::Run);
    window.wait("a solved search", |w| {
        let saved = saved(w);
        !w.is_busy() && saved["record"]["ended"]["solved"] == true
    });
}

#[test]
fn the_first_open_shows_a_stored_search_and_rests() {
    let home = Home::new();
    let mut window = open(&home);
    assert!(window.reads("Stored search"));
    for name in ["The living by age", "Fitness over the search"] {
        window.get_by_role_and_label(Role::Image, name);
    }
    assert!(!window.is_busy());
    window.wait("the last repaint", |w| w.next_frame() == Duration::MAX);
    assert!(
        !home.paths().autosave_file().exists(),
        "nothing has changed"
    );
}

#[test]
fn every_page_opens_and_names_its_widgets() {
    let mut window = open(&Home::new());
    for view in VIEWS {
        turn_to(&mut window, view);
        window.wait("what the page works out", |w| !w.is_busy());
        window.run_steps(4);
        assert_eq!(window.unnamed_widgets(), Vec::<String>::new(), "{view}");
    }
}

#[test]
fn the_stored_program_is_read_and_judged() {
    let mut window = open(&Home::new());
    turn_to(&mut window, "Program");
    window.wait("the judgement", |w| w.reads("on unseen tasks;"));
    assert!(window.reads("the prediction: "));
    assert!(window.reads("the error"));
    let worth: Vec<String> = labels(&window)
        .into_iter()
        .filter(|label| label.starts_with("Without this line"))
        .collect();
    assert!(worth.len() >= 4, "{worth:?}");
    // A line's values.
    let line = labels(&window)
        .into_iter()
        .find(|label| label.trim_start().starts_with("s1 = "))
        .expect("a line");
    window.wait("the values", |w| !w.is_busy());
    window.get_by_label(&line).click();
    window.run_steps(4);
    window.get_by_role_and_label(Role::Image, line.trim());
}

#[test]
fn a_search_is_solved_looked_into_and_exported() {
    let home = Home::new();
    let mut window = open(&home);
    solve(&mut window);
    assert!(window.reads("On unseen tasks"));
    let record = saved(&window)["record"].clone();
    assert!(
        record["ended"]["unseen_fitness"]
            .as_f64()
            .expect("a number")
            > 0.9999
    );
    assert!(record["course"].as_array().expect("moments").len() > 1);
    turn_to(&mut window, "Learning");
    window.wait("the study", |w| !w.is_busy() && w.reads("After "));
    for name in ["Plane of predictions", "Learning curve", "Predictions"] {
        window.get_by_role_and_label(Role::Image, name);
    }
    turn_to(&mut window, "Lineage");
    assert!(window.reads("1. begins at "));
    window.click("Play");
    window.wait("the next step of the film", |w| !w.reads("Ancestor 1 of "));
    turn_to(&mut window, "Hall of fame");
    window.get_by_role_and_label(Role::Image, "Length against fitness");
    let exports = [
        ("course.csv", "fitness over the search", "programs,seconds"),
        ("hall.csv", "the hall of fame", "instructions,fitness"),
        ("found.py", "Python", "import numpy"),
        ("found.rs", "for Rust", "pub struct Algorithm"),
        ("found.txt", "as text", "def Setup()"),
        ("figure.svg", "the figure on the stage, as lines", "<svg"),
    ];
    for (name, format, begins) in exports {
        let path = home.file(name);
        window.export(format, &path);
        let text = std::fs::read_to_string(&path).expect("written");
        assert!(text.contains(begins), "{name}: {text:.200}");
    }
    let path = home.file("search.json");
    window.export("to be opened here again", &path);
    let mut other = open(&Home::new());
    other.command(Command::OpenFile);
    other.choose(&path, "Open");
    other.wait("the search", |w| w.reads("On unseen tasks"));
    assert_eq!(saved(&other)["record"], record);
}

#[test]
fn a_stopped_search_goes_on_after_a_restart() {
    let home = Home::new();
    let mut window = open(&home);
    window.click("Beyond linear");
    window.command(Command::Run);
    let born = |w: &Window| {
        let counts = saved(w)["record"]["last"]["counts"].clone();
        counts["individuals"].as_u64().unwrap_or(0)
    };
    window.wait("some programs", |w| born(w) > 5000);
    assert!(window.reads("No estimate"));
    window.command(Command::Pause);
    window.wait("the pause", |w| w.query_by_label("Go on").is_some());
    window.command(Command::Pause);
    window.command(Command::Stop);
    window.wait("the end", |w| !w.is_busy());
    let before = born(&window);
    window.get_by_role_and_label(Role::Button, "Go on");
    let path = home.file("session.json");
    window
        .state()
        .session()
        .save(&path)
        .expect("it can be written");
    let mut window = open(&home);
    window.command(Command::OpenSession);
    window.choose(&path, "Open");
    assert_eq!(born(&window), before);
    window.click("Go on");
    window.wait("more programs", |w| born(w) > before + 5000);
    window.command(Command::Stop);
    window.wait("the end", |w| !w.is_busy());
}

#[test]
fn a_program_is_written_judged_pinned_and_begun_with() {
    let mut window = open(&Home::new());
    turn_to(&mut window, "Edit");
    let edit = "A program as text: Setup once, then Predict and Learn for each example";
    let write = |window: &mut Window, text: &str| {
        window
            .get_by_role_and_label(Role::MultilineTextInput, edit)
            .focus();
        window.run_steps(2);
        window.press(CTRL, Key::A);
        window.event(Event::Paste(text.to_owned()));
        window.run_steps(3);
    };
    write(
        &mut window,
        "def Setup():\n  s2 = 0.1\ndef Predict():\n  s1 = dt(v0, v1)\n",
    );
    assert!(window.reads("line 4, column"), "{:?}", labels(&window));
    let evaluate = window.get_by_role_and_label(Role::Button, "Evaluate");
    assert!(evaluate.accesskit_node().is_disabled());
    write(&mut window, LINEAR);
    assert!(window.reads("reads well: 6 instructions"));
    window.click("Evaluate");
    window.wait("the judgement", |w| w.reads("on unseen tasks;"));
    assert!(window.reads("a step of gradient descent"));
    window.click("Pin");
    turn_to(&mut window, "Hall of fame");
    assert!(window.reads("Written by hand"));
    let pins = saved(&window)["pins"].clone();
    let text = pins[0]["text"].as_str().expect("a text");
    assert_eq!(parse(text), parse(LINEAR));
    turn_to(&mut window, "Edit");
    window.click("Begin a search with it");
    window.wait("the search", |w| {
        let record = saved(w)["record"].clone();
        record["last"]["populations"][0]["best"]
            .as_f64()
            .unwrap_or(0.0)
            > 0.5
    });
    window.command(Command::Stop);
    window.wait("the end", |w| !w.is_busy());
    assert_eq!(
        saved(&window)["config"]["start_text"],
        parse(LINEAR)
            .map(|p| { vitrine::demos::automl_zero::text::print(&p) })
            .map_or(Value::Null, Value::from)
    );
}

#[test]
fn a_table_of_ones_own_is_learnt_and_bad_files_are_told() {
    let home = Home::new();
    let mut rows = "a,b,y\n".to_owned();
    for index in 0..200 {
        let (a, b) = (
            f64::from(index % 17) / 8.0 - 1.0,
            f64::from(index % 23) / 11.0 - 1.0,
        );
        rows += &format!("{a},{b},{}\n", 2.0 * a - b);
    }
    let path = home.with_file("plane.csv", rows.as_bytes());
    let mut window = open(&home);
    window.command(Command::OpenFile);
    window.choose(&path, "Open");
    assert!(window.reads("plane.csv"));
    set(&mut window, "Population", 200.0);
    window.command(Command::Run);
    window.wait("a search", |w| {
        saved(w)["record"]["course"]
            .as_array()
            .is_some_and(|c| c.len() > 1)
    });
    window.command(Command::Stop);
    window.wait("the end", |w| !w.is_busy());
    for (name, bytes, told) in [
        (
            "bad.json",
            &b"{\"config\": 3}"[..],
            "the record of a search",
        ),
        ("bad.csv", &b"a,b\n1,x\n"[..], "at least 20 make tasks"),
        ("bad.txt", &b"def Nothing():\n"[..], "column"),
    ] {
        let path = home.with_file(name, bytes);
        window.command(Command::OpenFile);
        window.choose(&path, "Open");
        window.run_steps(4);
        let all = labels(&window);
        assert!(window.state().toasts().shows(told), "{name}: {all:?}");
    }
}

#[test]
fn a_damaged_session_changes_nothing() {
    let home = Home::new();
    let mut window = open(&home);
    let mut session: Session = window.state().session();
    let tab = session.tabs.get_mut("automl").expect("the tab");
    tab["pins"] = serde_json::json!([{ "title": "x", "text": "def Learn():\n  v1 = ?\n" }]);
    let path = home.file("session.json");
    session.save(&path).expect("it can be written");
    let before = saved(&window);
    window.command(Command::OpenSession);
    window.choose(&path, "Open");
    assert!(window.state().toasts().shows("ine 2, column"));
    assert_eq!(saved(&window), before);
}
