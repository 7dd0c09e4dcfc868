//! The `PULSE` tab, by the names of its widgets.

use std::sync::Arc;

use egui::accesskit::Role;
use egui::{ColorImage, Event, PointerButton, Pos2, vec2};
use egui_kittest::kittest::Queryable as _;
use serde_json::{Value, json};
use vitrine::gui::Command;
use vitrine::store::Settings;

use super::window::{Drive as _, Home, Window, labels};

fn open(home: &Home) -> Window {
    let settings = Settings {
        last_tab: "pulse".into(),
        ..Settings::default()
    };
    let mut window = home.open_with(settings, None);
    window.run_steps(2);
    window
}

fn saved(window: &Window) -> Value {
    window.state().session().tabs["pulse"].clone()
}

/// Opens a window whose tab differs from the first one in this.
fn changed(home: &Home, change: impl Fn(&mut Value)) -> Window {
    let mut window = open(home);
    let mut tab = saved(&window);
    change(&mut tab);
    let session = json!({"vitrine_session": 1, "active": "pulse", "tabs": {"pulse": tab}});
    let path = home.with_file("faces.json", session.to_string().as_bytes());
    window.command(Command::OpenSession);
    window.choose(&path, "Open");
    window.run_steps(4);
    window
}

/// A search that ends soon.
fn short(tab: &mut Value) {
    let options = &mut tab["answers"]["options"];
    options["samples"] = json!(2);
    options["search"]["steps"] = json!(8);
    options["search"]["starts"] = json!(2);
    options["search"]["retries"] = json!(0);
}

/// Presses the primary button at one place of a widget and lets it go at another, both in its size.
fn drag(window: &mut Window, label: &str, from: [f32; 2], to: [f32; 2]) {
    let rect = window.get_by_label(label).rect();
    let place = |[x, y]: [f32; 2]| -> Pos2 { rect.min + vec2(x, y) * rect.size() };
    let button = |pos, pressed| Event::PointerButton {
        pos,
        button: PointerButton::Primary,
        pressed,
        modifiers: egui::Modifiers::NONE,
    };
    window.event(Event::PointerMoved(place(from)));
    window.event(button(place(from), true));
    window.run_steps(2);
    window.event(Event::PointerMoved(place([
        f32::midpoint(from[0], to[0]),
        f32::midpoint(from[1], to[1]),
    ])));
    window.run_steps(2);
    window.event(Event::PointerMoved(place(to)));
    window.run_steps(2);
    window.event(button(place(to), false));
    window.run_steps(2);
}

#[test]
fn the_first_open_shows_answers_with_names_for_all() {
    let mut window = open(&Home::new());
    window.get_by_label("The small picture");
    window.get_by_role_and_label(Role::Image, "The true face");
    window.get_by_label("Answer 6");
    assert!(window.reads("5 of 6 shrink"), "{:?}", labels(&window));
    assert_eq!(window.unnamed_widgets(), Vec::<String>::new());
    for page in ["Learned generator", "Bias"] {
        window.click(page);
        assert_eq!(window.unnamed_widgets(), Vec::<String>::new(), "{page}");
    }
}

#[test]
fn a_painted_pixel_is_searched_for_at_once_and_is_nobody() {
    let mut window = changed(&Home::new(), short);
    window.wait("the person of the session", |w| !w.is_busy());
    let before = saved(&window)["answers"]["low"].clone();
    drag(&mut window, "The small picture", [0.1, 0.1], [0.4, 0.1]);
    let after = saved(&window)["answers"].clone();
    assert_eq!(after["source"], json!("Paint"));
    let differ = |plane: usize| {
        let of = |low: &Value, at: usize| low["planes"][at].as_f64().expect("a number");
        (0..256)
            .filter(|at| {
                let at = plane * 256 + at;
                (of(&before, at) - of(&after["low"], at)).abs() > 1e-6
            })
            .count()
    };
    let painted = differ(0).max(differ(1)).max(differ(2));
    assert!((3..=6).contains(&painted), "a stroke of {painted} pixels");
    window.wait("the answers", |w| !w.is_busy());
    assert!(window.reads("There is no true face"));
    window.get_by_label("Answer 2");
    assert!(window.query_by_label("Answer 3").is_none());
}

#[test]
fn a_search_stops_when_it_is_told() {
    let mut window = changed(&Home::new(), |tab| {
        tab["answers"]["options"]["search"]["steps"] = json!(10_000);
        tab["answers"]["source"] = json!("Paint");
    });
    window.command(Command::Run);
    window.wait("a first step", |w| w.reads("The surrogate's pictures"));
    window.command(Command::Stop);
    window.wait("the end", |w| !w.is_busy());
    // Another one begins as if nothing had been.
    window.command(Command::Run);
    window.wait("another search", Window::is_busy);
    window.command(Command::Stop);
    window.wait("its end", |w| !w.is_busy());
}

#[test]
fn a_pasted_picture_is_cropped_by_a_drag() {
    let mut window = changed(&Home::new(), short);
    let pixels: Vec<u8> = (0..60 * 120)
        .flat_map(|at| [(at % 120 * 2) as u8, (at / 120 * 4) as u8, 90, 255])
        .collect();
    let image = ColorImage::from_rgba_unmultiplied([120, 60], &pixels);
    window.event(Event::PasteImage(Arc::new(image)));
    window.run_steps(4);
    assert!(window.reads("Drag on it"), "{:?}", labels(&window));
    let low = saved(&window)["answers"]["low"].clone();
    assert_eq!(saved(&window)["answers"]["source"], json!("Picture"));
    let name = "Your picture, with the square that is shrunk";
    // From the right of the middle square, which begins at a quarter and ends at three.
    drag(&mut window, name, [0.80, 0.2], [0.95, 0.9]);
    let now = saved(&window)["answers"]["low"].clone();
    assert_ne!(low, now);
    // The new square is further right, so redder everywhere.
    let red = |low: &Value| low["planes"][0].as_f64().expect("a number");
    assert!(
        red(&now) > 0.7 && red(&low) < 0.4,
        "{}, {}",
        red(&low),
        red(&now)
    );
    window.command(Command::Stop);
    window.wait("the end", |w| !w.is_busy());
}

#[test]
fn the_learned_generator_answers_and_shows_what_it_has_of_the_truth() {
    let mut window = changed(&Home::new(), |tab| {
        short(tab);
        tab["front"] = json!("learned");
        tab["learned"]["samples"] = json!(2);
        tab["learned"]["search"]["steps"] = json!(3);
        tab["learned"]["search"]["epsilon"] = json!(0.5);
    });
    window.wait("the person of the session", |w| !w.is_busy());
    assert!(window.reads("Not searched yet"), "{:?}", labels(&window));
    window.command(Command::Run);
    window.wait("the answers", |w| w.reads("2 of 2 shrink"));
    window.get_by_label("The network's picture of the true person");
    window.get_by_label("Answer 2");
    assert!(window.reads("From the true vector: error"));
}

#[test]
fn the_bias_of_a_few_people_is_measured() {
    let mut window = changed(&Home::new(), |tab| {
        tab["front"] = json!("bias");
        let config = &mut tab["bias"]["config"];
        config["per_group"] = json!(1);
        config["samples"] = json!(1);
        config["side"] = json!(8);
        config["search"]["steps"] = json!(4);
        config["search"]["starts"] = json!(1);
        config["search"]["retries"] = json!(0);
        let settings = config["settings"].as_array_mut().expect("a list");
        settings.truncate(1);
    });
    window.command(Command::Run);
    window.wait("the rows", |w| {
        !w.is_busy() && saved(w)["bias"]["rows"].as_array().map(Vec::len) == Some(3)
    });
    for row in saved(&window)["bias"]["rows"].as_array().expect("a list") {
        assert_eq!(row["answers"], json!(1), "{row}");
    }
}

#[test]
fn a_damaged_session_is_refused_in_words() {
    let damages: [fn(&mut Value); 3] = [
        |tab| tab["answers"]["low"]["side"] = json!(3),
        |tab| tab["answers"]["options"]["search"]["steps"] = json!(0),
        |tab| tab["learned"]["search"]["learning_rate"] = json!(-1.0),
    ];
    for damage in damages {
        let window = changed(&Home::new(), damage);
        assert!(
            window.state().toasts().shows("PULSE"),
            "{:?}",
            labels(&window)
        );
    }
}
