//! The lottery tab, by the names of its widgets.

use std::path::Path;
use std::time::Duration;

use egui::accesskit::Role;
use egui::{Event, Modifiers, PointerButton};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use serde_json::Value;
use vitrine::demos::lottery::record::RunRecord;
use vitrine::gui::Command;
use vitrine::store::{Session, Settings};

use super::common::adapter_or_skip;
use super::window::{Drive as _, Home, Window, bench, build, labels};

const VIEWS: [&str; 7] = [
    "Curves",
    "Early stop",
    "Ledger",
    "Net",
    "Theory",
    "Rewinding",
    "Draw a digit",
];

fn settings() -> Settings {
    Settings {
        last_tab: "lottery".into(),
        ..Settings::default()
    }
}

fn open(home: &Home) -> Window {
    home.open_with(settings(), None)
}

fn saved(window: &Window) -> Value {
    window.state().session().tabs["lottery"].clone()
}

/// Names of the runs on the bench.
fn runs(window: &Window) -> Vec<String> {
    let saved = saved(window);
    let entries = saved["bench"]["entries"].as_array().expect("a list");
    let name = |entry: &Value| entry["name"].as_str().expect("a name").to_owned();
    entries.iter().map(name).collect()
}

/// Sets a number as a screen reader does.
fn set(window: &mut Window, role: Role, name: &str, value: f64) {
    window
        .get_by_role_and_label(role, name)
        .set_value_accesskit(value);
    window.run_steps(3);
}

/// A run that is over in a moment.
fn run_a_little(window: &mut Window) {
    window.click("The whole net");
    set(window, Role::SpinButton, "Steps", 100.0);
    window.command(Command::Run);
    window.wait("the end of the run", |w| {
        let saved = saved(w);
        let last = saved["bench"]["entries"]
            .as_array()
            .and_then(|e| e.last().cloned());
        !w.is_busy() && last.is_some_and(|e| e["record"]["finished"] == true)
    });
}

#[test]
fn the_first_open_shows_stored_runs_and_rests() {
    let home = Home::new();
    let mut window = open(&home);
    assert!(!runs(&window).is_empty());
    assert!(window.reads("Stored runs"));
    window.get_by_label("Test accuracy while training");
    assert!(!window.is_busy());
    window.wait("the last repaint", |w| w.next_frame() == Duration::MAX);
    assert!(
        !home.paths().autosave_file().exists(),
        "nothing has changed"
    );
}

#[test]
fn every_view_opens_and_names_its_widgets() {
    let mut window = open(&Home::new());
    for view in VIEWS {
        window.click(view);
        assert_eq!(window.unnamed_widgets(), Vec::<String>::new(), "{view}");
    }
    for (view, name) in [
        ("Curves", "Test accuracy while training"),
        ("Early stop", "Early-stopping step"),
        ("Early stop", "Accuracy at the early stop"),
        ("Ledger", "What an accuracy costs"),
        ("Theory", "Error of the nearest subset sum"),
        ("Theory", "Width a random net needs"),
        ("Draw a digit", "What the net sees"),
        ("Draw a digit", "Sheet to draw on"),
    ] {
        window.click(view);
        let found = window.query_all_by_label(name).count();
        assert!(found > 0, "{view}: {name}; {:?}", labels(&window));
    }
}

#[test]
fn only_what_matters_for_the_method_is_shown() {
    let mut window = open(&Home::new());
    let shows = |window: &Window, name: &str| window.query_all_by_label(name).next().is_some();
    for (method, own) in [
        (
            "Magnitude pruning",
            &["Levels", "Rewind to", "Controls", "One-shot"][..],
        ),
        ("Gates", &["Budget"]),
        ("Edge-popup", &["k", "Also k", "Scaled weights", "Normal"]),
        ("Subset sums", &["n"]),
        ("Dense", &[]),
    ] {
        window.click(method);
        for name in [
            "Levels",
            "Rewind to",
            "Controls",
            "One-shot",
            "Budget",
            "k",
            "Also k",
            "n",
        ] {
            let expected = own.contains(&name);
            assert_eq!(shows(&window, name), expected, "{method}: {name}");
        }
        for name in ["Net", "Width", "Steps", "Repetitions", "Seed"] {
            assert!(shows(&window, name), "{method}: {name}");
        }
        assert_eq!(window.unnamed_widgets(), Vec::<String>::new(), "{method}");
    }
}

#[test]
fn presets_and_controls_change_the_settings() {
    let mut window = open(&Home::new());
    window.click("Nothing trained");
    assert_eq!(saved(&window)["config"]["method"], "edge-popup");
    let field = window.get_by_role_and_label(Role::TextInput, "Also k");
    field.focus();
    window.run_steps(2);
    window.type_in("10, 30, x, 400");
    assert_eq!(
        saved(&window)["config"]["k_sweep"],
        serde_json::json!([0.1, 0.3])
    );
    window.click("Ladder of the paper");
    let config = saved(&window)["config"].clone();
    assert_eq!(
        (&config["method"], &config["controls"]),
        (&"imp".into(), &true.into())
    );
    set(&mut window, Role::Slider, "Levels", 3.0);
    assert_eq!(saved(&window)["config"]["levels"], 3);
    window.command(Command::NewSeed);
    assert_ne!(saved(&window)["config"]["seed"], 0);
}

#[test]
fn a_run_comes_onto_the_bench_and_is_not_done_twice() {
    let home = Home::new();
    let mut window = open(&home);
    let before = runs(&window).len();
    run_a_little(&mut window);
    assert_eq!(runs(&window).len(), before + 1);
    assert!(!window.reads("Stored runs"));
    let first = saved(&window);
    // The same settings again: it is read from its folder, not trained.
    let begun = std::time::Instant::now();
    window.command(Command::Run);
    window.wait("the second end", |w| !w.is_busy());
    assert!(begun.elapsed() < Duration::from_secs(20));
    assert_eq!(runs(&window).len(), before + 1);
    assert_eq!(
        first["bench"]["entries"][before]["record"]["stages"],
        saved(&window)["bench"]["entries"][before]["record"]["stages"],
        "the same to the last bit"
    );
    for view in VIEWS {
        window.click(view);
        assert_eq!(window.unnamed_widgets(), Vec::<String>::new(), "{view}");
    }
    window.click("Net");
    assert!(
        window.reads("235,200 of 235,200 weights left"),
        "{:?}",
        labels(&window)
    );
    window.click("Connections");
    window.get_by_label("Strongest connections");
    // The weights of what ran here can be taken away.
    let path = home.file("net.safetensors");
    window.export("SAFETENSORS", &path);
    let bytes = std::fs::read(&path).expect("it was written");
    let file = safetensors::SafeTensors::deserialize(&bytes).expect("a sound file");
    let weights = file.tensor("fc1.weight").expect("the first layer");
    assert_eq!(weights.shape(), [300, 784]);
}

#[test]
fn a_run_can_be_held_stepped_and_stopped() {
    let mut window = open(&Home::new());
    window.click("Ladder of the paper");
    window.command(Command::Step);
    let points = |w: &Window| {
        let saved = saved(w);
        let entries = saved["bench"]["entries"]
            .as_array()
            .expect("a list")
            .clone();
        let stages = entries.last().expect("the run")["record"]["stages"].clone();
        let of = |s: &Value| s["points"].as_array().map_or(0, Vec::len);
        stages
            .as_array()
            .map_or(0, |all| all.iter().map(of).sum::<usize>())
    };
    window.wait("the first held point", |w| {
        w.query_by_role_and_label(Role::Button, "Go on").is_some() && points(w) > 0
    });
    window.rest(Duration::from_millis(300));
    let held = points(&window);
    window.rest(Duration::from_millis(300));
    assert_eq!(points(&window), held, "it is held");
    window.command(Command::Step);
    window.wait("the next point", |w| points(w) > held);
    window.command(Command::Stop);
    window.wait("the stop", |w| !w.is_busy());
    window.get_by_role_and_label(Role::Button, "Run");
}

#[test]
fn runs_are_renamed_hidden_and_removed() {
    let mut window = open(&Home::new());
    window.click("Ledger");
    let before = runs(&window);
    let names: Vec<_> = window.query_all_by_label("Name of the run").collect();
    names[0].focus();
    window.run_steps(2);
    window.type_in("!");
    let after = runs(&window);
    assert_ne!(after[0], before[0]);
    assert!(after[0].contains('!') && after[1..] == before[1..]);
    window
        .query_all_by_role(Role::CheckBox)
        .find(|n| {
            n.accesskit_node()
                .label()
                .is_some_and(|l| l.starts_with("Show "))
        })
        .expect("a box for the first row")
        .click();
    window.run_steps(3);
    assert_eq!(saved(&window)["bench"]["entries"][0]["hidden"], true);
    for left in (0..before.len()).rev() {
        let buttons = window.query_all_by_role_and_label(Role::Button, "Remove");
        buttons.collect::<Vec<_>>()[0].click();
        window.run_steps(3);
        assert_eq!(runs(&window).len(), left);
    }
    for view in VIEWS.into_iter().filter(|v| *v != "Theory") {
        window.click(view);
        assert!(
            window.reads("No run on the bench") || window.reads("No siblings"),
            "{view}"
        );
    }
    assert!(window.query_by_label("Of the run").is_none());
}

#[test]
fn results_leave_in_every_format_and_come_back() {
    let home = Home::new();
    let mut window = open(&home);
    let count = runs(&window).len();
    for (format, name, start) in [
        ("CSV: the curves", "curves.csv", &b"run,method,stage"[..]),
        ("CSV: the ledger", "ledger.csv", b"run,result,"),
        ("SVG", "figure.svg", b"<svg"),
        ("PNG", "figure.png", b"\x89PNG"),
        ("JSON", "runs.json", b"[{"),
    ] {
        let path = home.file(name);
        window.export(format, &path);
        let bytes = std::fs::read(&path).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(bytes.starts_with(start), "{name}");
    }
    let json = std::fs::read(home.file("runs.json")).expect("it is there");
    let records: Vec<RunRecord> = serde_json::from_slice(&json).expect("runs");
    assert_eq!(records.len(), count);
    window.command(Command::OpenFile);
    window.choose(&home.file("runs.json"), "Open");
    assert_eq!(runs(&window).len(), 2 * count);
    let wrong = home.with_file("wrong.json", b"{\"no\": \"run\"}");
    window.command(Command::OpenFile);
    window.choose(&wrong, "Open");
    assert!(window.state().toasts().shows("no lottery runs"));
    assert_eq!(runs(&window).len(), 2 * count);
}

#[test]
fn a_session_brings_everything_back_and_refuses_nonsense() {
    let home = Home::new();
    let mut window = open(&home);
    window.click("Ledger");
    window.click("CPU seconds");
    window.click("Sum of subsets");
    let before = saved(&window);
    let path = home.file("session.json");
    window
        .state()
        .session()
        .save(&path)
        .expect("it can be written");
    let other = Home::new();
    let mut window = open(&other);
    window.command(Command::OpenSession);
    window.choose(&path, "Open");
    assert_eq!(saved(&window), before);
    let mut broken = Session::open(&path).expect("it can be read");
    let tab = broken.tabs.get_mut("lottery").expect("the tab");
    tab["bench"]["entries"][0]["record"]["stages"][0]["kept"] = serde_json::json!([1]);
    broken.save(&path).expect("it can be written");
    window.command(Command::OpenSession);
    window.choose(&path, "Open");
    assert!(window.state().toasts().shows("a number for each layer"));
    assert_eq!(saved(&window), before, "the tab stays as it was");
}

/// Draws an upright line with the pointer.
fn draw_a_one(window: &mut Window) {
    let sheet = window.get_by_label("Sheet to draw on").rect();
    let at = |y: f32| sheet.min + egui::vec2(0.5, y) * sheet.width();
    let button = |window: &mut Window, pos, pressed| {
        window.event(Event::PointerButton {
            pos,
            button: PointerButton::Primary,
            pressed,
            modifiers: Modifiers::NONE,
        });
        window.run_steps(1);
    };
    window.event(Event::PointerMoved(at(0.2)));
    window.run_steps(1);
    button(window, at(0.2), true);
    for step in 1..10_u8 {
        window.event(Event::PointerMoved(at(0.2 + 0.06 * f32::from(step))));
        window.run_steps(1);
    }
    button(window, at(0.74), false);
    window.run_steps(2);
}

#[test]
fn a_digit_can_be_drawn_and_taken_back() {
    let mut window = open(&Home::new());
    window.click("Draw a digit");
    draw_a_one(&mut window);
    let strokes = |w: &Window| saved(w)["drawing"].as_array().map_or(0, Vec::len);
    assert_eq!(strokes(&window), 1);
    let places = saved(&window)["drawing"][0].as_array().map_or(0, Vec::len);
    assert!(places >= 9, "{places}");
    window.command(Command::Undo);
    assert_eq!(strokes(&window), 0);
    window.command(Command::Redo);
    assert_eq!(strokes(&window), 1);
    window.click("Clear");
    assert_eq!(strokes(&window), 0);
}

#[test]
fn a_net_that_was_trained_here_answers_a_drawing() {
    let mut window = open(&Home::new());
    run_a_little(&mut window);
    window.click("Draw a digit");
    draw_a_one(&mut window);
    window.wait("the answer", |w| w.reads("Dense net: 1, "));
    let shown = labels(&window);
    let shares: Vec<f32> = (0..10)
        .map(|class| {
            let start = format!("Dense net: {class}, ");
            let found = shown.iter().find_map(|l| l.strip_prefix(start.as_str()));
            let text = found.expect("a bar for each class").trim_end_matches(" %");
            text.parse().expect("a number")
        })
        .collect();
    assert!(
        (shares.iter().sum::<f32>() - 100.0).abs() < 1.0,
        "{shares:?}"
    );
    let best = (0..10).max_by(|a, b| shares[*a].total_cmp(&shares[*b]));
    assert_eq!(best, Some(1), "an upright line is a one: {shares:?}");
}

#[test]
fn every_view_can_be_drawn() {
    if !adapter_or_skip() {
        return;
    }
    let setup = Home::new().setup(settings(), None);
    let mut window = build(bench().wgpu(), setup, std::sync::Arc::default());
    for view in VIEWS {
        window.click(view);
        let picture = window.render().expect("it can be drawn");
        if let Some(folder) = std::env::var_os("VITRINE_TEST_PICTURES") {
            let file = Path::new(&folder).join(format!("{}.png", view.replace(' ', "_")));
            picture.save(file).expect("it can be written");
        }
        let colours: std::collections::HashSet<_> = picture.pixels().map(|p| p.0).collect();
        assert!(colours.len() > 60, "{view}: the picture is not empty");
    }
}
