//! The page of the GPT tab that measures learning in context.

use egui::accesskit::Role;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use vitrine::gui::Command;

use super::window::{Drive as _, Home, model_or_skip};

const FIGURE: &str = "Right answers by examples in the prompt";

#[test]
fn the_page_names_its_widgets_and_waits_to_be_run() {
    let mut window = Home::new().open();
    window.click("Learning in context");
    assert!(window.reads("No curve yet"));
    assert_eq!(window.unnamed_widgets(), Vec::<String>::new());
    let clear = window.get_by_role_and_label(Role::Button, "Clear the curves");
    assert!(clear.accesskit_node().is_disabled());
}

#[test]
fn curves_are_measured_compared_stored_and_exported() {
    let Some(model) = model_or_skip() else {
        return;
    };
    let home = Home::new();
    let mut window = home.open_with_model(&model);
    window.click("Learning in context");
    let queries = window.get_by_role_and_label(Role::SpinButton, "Queries");
    queries.set_value_accesskit(3.0);
    window.run_steps(3);
    for _ in 0..2 {
        window.command(Command::Run);
        window.wait("the end of the curve", |w| !w.is_busy());
    }
    window.get_by_role_and_label(Role::Image, FIGURE);
    let saved = window.saved();
    let curves = saved["in_context"]["curves"]
        .as_array()
        .expect("curves")
        .clone();
    assert_eq!(curves.len(), 2);
    assert_eq!(curves[0]["points"], curves[1]["points"], "the same seed");
    assert_eq!(curves[0]["points"].as_array().map(Vec::len), Some(6));
    assert_eq!(curves[0]["points"][5]["n"], 3);
    let path = home.file("curves.csv");
    window.export("the curves of learning in context", &path);
    let csv = std::fs::read_to_string(&path).expect("written");
    assert_eq!(csv.lines().count(), 13, "{csv}");
    let session = home.file("session.json");
    window.state().session().save(&session).expect("written");
    let mut window = home.open_with_model(&model);
    window.command(Command::OpenSession);
    window.choose(&session, "Open");
    window.get_by_role_and_label(Role::Image, FIGURE);
    assert_eq!(window.saved()["in_context"], saved["in_context"]);
    window.click("Clear the curves");
    assert!(window.reads("No curve yet"));
}
