//! The sheet of the `DeepFaceDrawing` tab: pen, eraser, touch and keys as a person uses them.

use std::path::Path;
use std::sync::Arc;

use egui::accesskit::Role;
use egui::{
    ColorImage, Event, Key, Modifiers, MouseWheelUnit, PointerButton, Pos2, Theme, TouchDeviceId,
    TouchId, TouchPhase, pos2, vec2,
};
use egui_kittest::HarnessBuilder;
use egui_kittest::kittest::Queryable as _;
use serde_json::{Value, json};
use vitrine::data::Image;
use vitrine::demos::face_drawing::TAB;
use vitrine::demos::face_drawing::drawing::{Drawing, MAX_STROKES, Point, svg};
use vitrine::gui::{App, Command};
use vitrine::store::Settings;

use super::common::adapter_or_skip;
use super::window::{CTRL, Drive as _, Home, Window, bench, build, labels};

const SHEET: &str = "The sheet to draw on";

fn open(home: &Home) -> Window {
    open_on(home, bench())
}

fn open_on(home: &Home, bench: HarnessBuilder<App>) -> Window {
    let settings = Settings {
        last_tab: TAB.id.into(),
        ..Settings::default()
    };
    let mut setup = home.setup(settings, None);
    if setup.tabs.iter().all(|tab| tab.id != TAB.id) {
        setup.tabs.push(TAB);
    }
    let mut window = build(bench, setup, Arc::default());
    window.run_steps(2);
    // A sketch lies there at first.
    window.click("Clear");
    window
}

fn saved(window: &Window) -> Value {
    window.state().session().tabs[TAB.id]["canvas"].clone()
}

fn drawn(window: &Window) -> Drawing {
    serde_json::from_value(saved(window)["sketch"]["drawing"].clone()).expect("a drawing")
}

/// Where a place of the sheet lies in the window, while the whole sheet is seen.
fn place(window: &Window, [x, y]: [f32; 2]) -> Pos2 {
    let canvas = window.get_by_label(SHEET).rect();
    let side = canvas.size().min_elem() - 20.0;
    canvas.center() + (vec2(x, y) - vec2(256.0, 256.0)) * (side / 512.0)
}

fn button(pos: Pos2, button: PointerButton, pressed: bool) -> Event {
    Event::PointerButton {
        pos,
        button,
        pressed,
        modifiers: Modifiers::NONE,
    }
}

/// Draws through these places of the sheet, all of them reported in a single frame.
fn draw_with(window: &mut Window, held: PointerButton, places: &[[f32; 2]]) {
    let places: Vec<Pos2> = places.iter().map(|&at| place(window, at)).collect();
    let events = &mut window.input_mut().events;
    events.push(Event::PointerMoved(places[0]));
    events.push(button(places[0], held, true));
    window.step();
    let events = &mut window.input_mut().events;
    events.extend(places[1..].iter().map(|&at| Event::PointerMoved(at)));
    window.step();
    let events = &mut window.input_mut().events;
    events.push(button(places[places.len() - 1], held, false));
    window.run_steps(2);
}

fn draw(window: &mut Window, places: &[[f32; 2]]) {
    draw_with(window, PointerButton::Primary, places);
}

#[track_caller]
fn near(point: Point, [x, y]: [f32; 2]) {
    let off = point.distance(Point::new(x, y));
    assert!(off < 0.8, "{point:?} is {off} from {x}, {y}");
}

#[test]
fn every_place_that_the_pointer_reports_is_on_the_line() {
    let mut window = open(&Home::new());
    let places = [
        [100.0, 100.0],
        [180.0, 300.0],
        [260.0, 100.0],
        [340.0, 300.0],
    ];
    draw(&mut window, &places);
    let strokes = drawn(&window).strokes;
    assert_eq!(strokes.len(), 1);
    let stroke = &strokes[0];
    near(stroke.points[0], places[0]);
    near(stroke.points[stroke.points.len() - 1], places[3]);
    for place in places {
        // A corner is one of the line's points.
        let distance = |p: &Point| p.distance(Point::from(place));
        let nearest = stroke.points.iter().map(distance);
        let nearest = nearest.fold(f32::INFINITY, f32::min);
        assert!(nearest < 0.8, "{nearest} from {place:?}");
    }
    assert!(!stroke.eraser);
}

#[test]
fn a_press_alone_is_a_dot() {
    let mut window = open(&Home::new());
    draw(&mut window, &[[200.0, 210.0]]);
    let strokes = drawn(&window).strokes;
    assert_eq!((strokes.len(), strokes[0].points.len()), (1, 1));
    near(strokes[0].points[0], [200.0, 210.0]);
    // Pressed and let go within one frame.
    let there = place(&window, [50.0, 60.0]);
    let events = &mut window.input_mut().events;
    events.push(Event::PointerMoved(there));
    events.push(button(there, PointerButton::Primary, true));
    events.push(button(there, PointerButton::Primary, false));
    window.run_steps(2);
    assert_eq!(drawn(&window).strokes.len(), 2);
}

#[test]
fn the_eraser_is_a_stroke_that_undo_takes_back() {
    let mut window = open(&Home::new());
    draw(&mut window, &[[100.0, 100.0], [300.0, 100.0]]);
    window.press(Modifiers::NONE, Key::E);
    draw(&mut window, &[[200.0, 50.0], [200.0, 150.0]]);
    window.press(Modifiers::NONE, Key::B);
    draw_with(
        &mut window,
        PointerButton::Secondary,
        &[[250.0, 50.0], [250.0, 150.0]],
    );
    let erasers = |window: &Window| -> Vec<bool> {
        let strokes = drawn(window).strokes;
        strokes.iter().map(|stroke| stroke.eraser).collect()
    };
    assert_eq!(erasers(&window), [false, true, true]);
    assert!(drawn(&window).strokes[1].width > 10.0);
    window.press(CTRL, Key::Z);
    assert_eq!(erasers(&window), [false, true]);
    window.click("Undo");
    assert_eq!(erasers(&window), [false]);
    window.command(Command::Redo);
    assert_eq!(erasers(&window), [false, true]);
}

#[test]
fn a_mirrored_pair_is_one_step() {
    let mut window = open(&Home::new());
    window.get_by_label("Mirror").click();
    window.run_steps(3);
    draw(
        &mut window,
        &[[100.0, 100.0], [140.0, 120.0], [190.0, 100.0]],
    );
    let strokes = drawn(&window).strokes;
    assert_eq!(strokes.len(), 2);
    for (a, b) in strokes[0].points.iter().zip(&strokes[1].points) {
        near(a.mirrored(), [b.x, b.y]);
    }
    window.command(Command::Undo);
    assert_eq!(drawn(&window).strokes.len(), 0);
    window.command(Command::Redo);
    assert_eq!(drawn(&window).strokes.len(), 2);
}

#[test]
fn a_cleared_sheet_comes_back() {
    let mut window = open(&Home::new());
    draw(&mut window, &[[100.0, 100.0], [300.0, 100.0]]);
    draw(&mut window, &[[100.0, 200.0], [300.0, 200.0]]);
    let before = drawn(&window);
    window.click("Clear");
    assert!(drawn(&window).strokes.is_empty());
    window.command(Command::Undo);
    assert_eq!(drawn(&window), before);
}

#[test]
fn brackets_change_the_width_of_the_tool_in_hand() {
    let mut window = open(&Home::new());
    let there = place(&window, [200.0, 200.0]);
    window.event(Event::PointerMoved(there));
    window.run_steps(2);
    let width =
        |window: &Window, name: &str| saved(window)["pen"][name].as_f64().expect("a number");
    let (pen, eraser) = (width(&window, "width"), width(&window, "eraser_width"));
    window.press(Modifiers::NONE, Key::CloseBracket);
    window.press(Modifiers::NONE, Key::CloseBracket);
    assert!(width(&window, "width") > pen);
    draw(&mut window, &[[100.0, 100.0], [300.0, 100.0]]);
    let stroke = &drawn(&window).strokes[0];
    assert!((f64::from(stroke.width) - width(&window, "width")).abs() < 1e-6);
    for _ in 0..60 {
        window.press(Modifiers::NONE, Key::OpenBracket);
    }
    assert!((width(&window, "width") - 1.0).abs() < 1e-6);
    assert!((width(&window, "eraser_width") - eraser).abs() < 1e-6);
}

#[test]
fn zoom_and_pan_move_what_the_pen_draws_on() {
    let mut window = open(&Home::new());
    let there = place(&window, [256.0, 256.0]);
    window.event(Event::PointerMoved(there));
    window.run_steps(2);
    for _ in 0..4 {
        window.event_modifiers(
            Event::MouseWheel {
                unit: MouseWheelUnit::Line,
                delta: vec2(0.0, 1.0),
                phase: TouchPhase::Move,
                source: egui::MouseWheelSource::Unknown,
                modifiers: CTRL,
            },
            CTRL,
        );
        window.run_steps(6);
    }
    draw(&mut window, &[[156.0, 256.0], [356.0, 256.0]]);
    let stroke = drawn(&window).strokes.remove(0);
    let ends = [stroke.points[0], stroke.points[stroke.points.len() - 1]];
    let length = ends[0].distance(ends[1]);
    assert!(length < 190.0, "{length} of 200 units when zoomed in");
    // The place under the pointer stays.
    near(ends[0].toward(ends[1], 0.5), [256.0, 256.0]);

    // Space and a drag move the sheet and draw nothing.
    window.key_down(Key::Space);
    window.step();
    draw(&mut window, &[[200.0, 200.0], [230.0, 240.0]]);
    window.key_up(Key::Space);
    window.step();
    draw_with(
        &mut window,
        PointerButton::Middle,
        &[[230.0, 240.0], [260.0, 240.0]],
    );
    assert_eq!(drawn(&window).strokes.len(), 1);
    draw(&mut window, &[[256.0 + 60.0, 256.0 + 40.0]]);
    let dot = drawn(&window).strokes[1].points[0];
    near(dot, [256.0, 256.0]);

    window.click("Whole sheet");
    draw(&mut window, &[[80.0, 90.0]]);
    near(drawn(&window).strokes[2].points[0], [80.0, 90.0]);
}

#[test]
fn shift_draws_a_straight_line_and_escape_none() {
    let mut window = open(&Home::new());
    let [a, b, c] = [[100.0, 100.0], [150.0, 300.0], [300.0, 100.0]].map(|p| place(&window, p));
    window.event(Event::PointerMoved(a));
    window.event(button(a, PointerButton::Primary, true));
    window.event(Event::ModifiersChanged(Modifiers::SHIFT));
    window.event(Event::PointerMoved(b));
    window.event(Event::PointerMoved(c));
    window.event(button(c, PointerButton::Primary, false));
    window.event(Event::ModifiersChanged(Modifiers::NONE));
    window.run_steps(2);
    let strokes = drawn(&window).strokes;
    assert_eq!(strokes[0].points.len(), 2, "{:?}", strokes[0]);
    window.event(Event::PointerMoved(a));
    window.event(button(a, PointerButton::Primary, true));
    window.event(Event::PointerMoved(b));
    window.run_steps(1);
    window.press(Modifiers::NONE, Key::Escape);
    window.event(button(b, PointerButton::Primary, false));
    window.run_steps(2);
    assert_eq!(drawn(&window).strokes.len(), 1);
}

/// A finger or a pen on the screen, as the desktop reports it: both as a touch and as a pointer.
fn touch(window: &mut Window, phase: TouchPhase, at: Pos2, force: Option<f32>) {
    let events = &mut window.input_mut().events;
    events.push(Event::Touch {
        device_id: TouchDeviceId(1),
        id: TouchId(1),
        phase,
        pos: at,
        force,
    });
    match phase {
        TouchPhase::Start => {
            events.push(Event::PointerMoved(at));
            events.push(button(at, PointerButton::Primary, true));
        }
        TouchPhase::Move => events.push(Event::PointerMoved(at)),
        TouchPhase::End | TouchPhase::Cancel => {
            events.push(button(at, PointerButton::Primary, false));
            events.push(Event::PointerGone);
        }
    }
    window.step();
}

#[test]
fn a_pen_that_is_pressed_harder_draws_wider() {
    let mut widths = Vec::new();
    for force in [None, Some(0.2), Some(0.5), Some(1.0)] {
        let mut window = open(&Home::new());
        let [a, b] = [[100.0, 100.0], [200.0, 140.0]].map(|p| place(&window, p));
        touch(&mut window, TouchPhase::Start, a, force);
        touch(&mut window, TouchPhase::Move, b, force);
        touch(&mut window, TouchPhase::End, b, None);
        window.run_steps(2);
        let strokes = drawn(&window).strokes;
        assert_eq!(strokes.len(), 1, "{force:?}");
        widths.push(strokes[0].width);
    }
    assert!((widths[0] - widths[2]).abs() < 1e-6, "{widths:?}");
    assert!(widths[1] < widths[2] && widths[2] < widths[3], "{widths:?}");
}

/// Exports in a format by its line in the dialog.
fn export(window: &mut Window, format: &str, path: &Path) -> Vec<u8> {
    window.command(Command::Export);
    window.get_by_label_contains(format).click();
    window.run_steps(2);
    window.choose(path, "Save");
    window.run_steps(4);
    std::fs::read(path).expect("it was written")
}

/// The pixels of a GIF's frames.
fn frames(film: &[u8]) -> Vec<Vec<u8>> {
    use image::AnimationDecoder as _;

    let decoder = image::codecs::gif::GifDecoder::new(std::io::Cursor::new(film)).expect("a GIF");
    let frames = decoder
        .into_frames()
        .collect_frames()
        .expect("whole frames");
    frames
        .into_iter()
        .map(|frame| frame.into_buffer().into_raw())
        .collect()
}

#[test]
fn samples_and_pictures_come_onto_the_sheet() {
    let mut window = open(&Home::new());
    for (name, strokes) in [("Round", 19), ("Long hair", 46), ("Beard", 23)] {
        window.click(name);
        assert_eq!(drawn(&window).strokes.len(), strokes, "{name}");
    }
    // A picture of a dark line.
    let pixels: Vec<u8> = (0..64 * 64)
        .flat_map(|at| {
            if at / 64 == 32 {
                [0, 0, 0, 255]
            } else {
                [255; 4]
            }
        })
        .collect();
    let picture = || {
        let image = ColorImage::from_rgba_unmultiplied([64, 64], &pixels);
        Event::PasteImage(Arc::new(image))
    };
    window.event(picture());
    window.run_steps(3);
    assert!(drawn(&window).strokes.is_empty());
    assert!(saved(&window)["sketch"]["scan"].is_string());
    let told = window.get_by_label(SHEET).value();
    assert_eq!(told.as_deref(), Some("0 strokes, over a scan"));
    window.command(Command::Undo);
    assert_eq!(drawn(&window).strokes.len(), 23, "the beard is back");

    window.click("traced");
    window.event(picture());
    window.run_steps(3);
    assert_eq!(drawn(&window).strokes.len(), 23, "below the drawing");
    window.get_by_role_and_label(Role::Slider, "Tracing");
    let stored = saved(&window)["tracing"].clone();
    assert!(stored["jpeg"].is_string());
    // It is there after a session was opened, and can be taken away.
    let tab = window.state().session().tabs[TAB.id].clone();
    let session = json!({"vitrine_session": 1, "active": TAB.id, "tabs": {TAB.id: tab}});
    let home = Home::new();
    let path = home.with_file("session.json", session.to_string().as_bytes());
    let mut other = open(&home);
    other.command(Command::OpenSession);
    other.choose(&path, "Open");
    other.run_steps(4);
    assert_eq!(saved(&other)["tracing"], stored);
    other.click("Remove");
    assert!(saved(&other)["tracing"].is_null());
}

#[test]
fn what_was_set_is_kept_and_checked() {
    let settings = |window: &Window| window.state().session().tabs[TAB.id]["settings"].clone();
    let mut window = open(&Home::new());
    let first = settings(&window);
    assert!(
        first["appearance"]
            .as_array()
            .expect("numbers")
            .iter()
            .all(Value::is_null)
    );
    window.command(Command::NewSeed);
    let thrown = settings(&window);
    let set = thrown["appearance"].as_array().expect("numbers").iter();
    assert_eq!(set.filter(|v| v.is_number()).count(), 10);
    window.click("Free Age");
    window.click("Free all");
    assert_eq!(settings(&window)["appearance"], first["appearance"]);
    window.click("Network");
    assert_eq!(settings(&window)["painter"], json!("net"));
    let mut tab = window.state().session().tabs[TAB.id].clone();
    tab["settings"]["refinement"][2] = json!(7.0);
    let session = json!({"vitrine_session": 1, "active": TAB.id, "tabs": {TAB.id: tab}});
    let home = Home::new();
    let path = home.with_file("session.json", session.to_string().as_bytes());
    window.command(Command::OpenSession);
    window.choose(&path, "Open");
    window.run_steps(4);
    assert!(window.state().toasts().shows("refinement is impossible"));
}

#[test]
fn what_lies_beside_the_sheet_is_no_step() {
    let mut window = open(&Home::new());
    draw(&mut window, &[[-8.0, 100.0], [-8.0, 300.0]]);
    assert!(drawn(&window).strokes.is_empty());
    draw(&mut window, &[[-8.0, 100.0], [40.0, 300.0]]);
    assert_eq!(drawn(&window).strokes.len(), 1, "it comes in from the side");
}

#[test]
fn a_full_sheet_says_so() {
    let home = Home::new();
    let mut window = open(&home);
    let lines = "<path d='M9 9h9'/>".repeat(MAX_STROKES);
    let svg = format!("<svg viewBox='0 0 512 512'>{lines}</svg>");
    let path = home.with_file("full.svg", svg.as_bytes());
    window.command(Command::OpenFile);
    window.choose(&path, "Open");
    window.run_steps(4);
    draw(&mut window, &[[100.0, 100.0], [300.0, 100.0]]);
    assert_eq!(drawn(&window).strokes.len(), MAX_STROKES);
    assert!(window.state().toasts().shows("The sheet is full"));
}

#[test]
fn a_drawing_is_opened_exported_and_kept_in_a_session() {
    let home = Home::new();
    let mut window = open(&home);
    draw(
        &mut window,
        &[[100.0, 100.0], [120.0, 180.0], [300.0, 100.0]],
    );
    let out = home.file("drawn.svg");
    let bytes = export(&mut window, "SVG: ", &out);
    let read = svg::read(&bytes, &out).expect("it reads back");
    assert_eq!(read, drawn(&window));
    let png = home.file("drawn.png");
    let picture = Image::decode(&export(&mut window, "PNG: ", &png), &png).expect("a picture");
    // The face, where there is one, stands beside the drawing.
    let sides = (picture.width, picture.height);
    assert!(sides == (512, 512) || sides == (1024, 512), "{sides:?}");
    assert!(picture.rgba.contains(&0), "there is ink on it");
    let film = export(&mut window, "GIF: ", &home.file("drawn.gif"));
    assert!(film.starts_with(b"GIF89a"));
    let frames = frames(&film);
    let ink = |frame: &[u8]| frame.chunks(4).filter(|pixel| pixel[0] < 128).count();
    let inks: Vec<usize> = frames.iter().map(|frame| ink(frame)).collect();
    assert!(frames.len() > 10 && inks[0] == 0, "{inks:?}");
    assert!(inks.windows(2).all(|pair| pair[0] <= pair[1]), "{inks:?}");
    assert!(
        inks[inks.len() / 2] * 4 < inks[inks.len() - 1] * 3,
        "{inks:?}"
    );

    let mut other = open(&Home::new());
    draw(&mut other, &[[50.0, 50.0]]);
    other.command(Command::OpenFile);
    other.choose(&out, "Open");
    other.run_steps(4);
    assert_eq!(drawn(&other), read);
    other.command(Command::Undo);
    assert_eq!(drawn(&other).strokes.len(), 1, "opening is one step");

    let session = json!({
        "vitrine_session": 1,
        "active": TAB.id,
        "tabs": {TAB.id: window.state().session().tabs[TAB.id]},
    });
    let path = home.with_file("session.json", session.to_string().as_bytes());
    other.command(Command::OpenSession);
    other.choose(&path, "Open");
    other.run_steps(4);
    assert_eq!(drawn(&other), read);
}

#[test]
fn a_damaged_session_is_refused_in_words() {
    let home = Home::new();
    let mut window = open(&home);
    draw(&mut window, &[[100.0, 100.0], [300.0, 100.0]]);
    let mut tab = window.state().session().tabs[TAB.id].clone();
    tab["canvas"]["sketch"]["drawing"]["strokes"][0]["width"] = json!(-4.0);
    let session = json!({"vitrine_session": 1, "active": TAB.id, "tabs": {TAB.id: tab}});
    let path = home.with_file("session.json", session.to_string().as_bytes());
    window.command(Command::OpenSession);
    window.choose(&path, "Open");
    window.run_steps(4);
    assert!(
        window.state().toasts().shows("units wide"),
        "{:?}",
        labels(&window)
    );
    assert_eq!(drawn(&window).strokes.len(), 1, "it stays as it was");
}

#[test]
fn the_pen_does_not_draw_through_what_lies_over_the_sheet() {
    let mut window = open(&Home::new());
    window.command(Command::Settings);
    draw(&mut window, &[[256.0, 256.0], [300.0, 256.0]]);
    assert!(drawn(&window).strokes.is_empty());
}

#[test]
fn all_controls_have_names() {
    let mut window = open(&Home::new());
    window.get_by_role_and_label(Role::Canvas, SHEET);
    window.get_by_role_and_label(Role::Slider, "Width");
    window.get_by_role_and_label(Role::CheckBox, "Mirror");
    assert_eq!(window.unnamed_widgets(), Vec::<String>::new());
    draw(&mut window, &[[256.0, 256.0], [300.0, 256.0]]);
    let sheet = window.get_by_label(SHEET);
    assert_eq!(sheet.value().as_deref(), Some("1 stroke"));
}

/// How light the window is at a place of the sheet, from 0 to 255.
fn light(window: &mut Window, at: [f32; 2]) -> u8 {
    let there = place(window, at);
    let picture = window.render().expect("it can be drawn");
    let pixel = picture.get_pixel(there.x as u32, there.y as u32);
    pixel.0[1]
}

#[test]
fn ink_is_dark_on_light_paper_and_what_is_erased_is_gone() {
    if !adapter_or_skip() {
        return;
    }
    for theme in [Theme::Dark, Theme::Light] {
        let mut window = open_on(&Home::new(), bench().with_theme(theme).wgpu());
        for _ in 0..9 {
            window.event(Event::PointerMoved(place(&window, [400.0, 400.0])));
            window.press(Modifiers::NONE, Key::CloseBracket);
        }
        assert!(light(&mut window, [200.0, 100.0]) > 220, "{theme:?}: paper");
        // Seen in the frame in which the pen comes there, before it is lifted.
        let [a, b] = [[100.0, 100.0], [300.0, 100.0]].map(|p| place(&window, p));
        let events = &mut window.input_mut().events;
        events.push(Event::PointerMoved(a));
        events.push(button(a, PointerButton::Primary, true));
        events.push(Event::PointerMoved(b));
        window.step();
        assert!(light(&mut window, [200.0, 100.0]) < 60, "{theme:?}: ink");
        window.event(button(b, PointerButton::Primary, false));
        window.run_steps(2);
        assert!(light(&mut window, [200.0, 100.0]) < 60, "{theme:?}: ink");
        draw_with(
            &mut window,
            PointerButton::Secondary,
            &[[200.0, 50.0], [200.0, 150.0]],
        );
        assert!(
            light(&mut window, [200.0, 100.0]) > 220,
            "{theme:?}: erased"
        );
        assert!(light(&mut window, [140.0, 100.0]) < 60, "{theme:?}: left");
        window.command(Command::Undo);
        assert!(light(&mut window, [200.0, 100.0]) < 60, "{theme:?}: undone");
    }
}

/// What is done to the window before a frame that is timed.
type Before = Box<dyn FnMut(&mut Window, usize)>;

/// Prints what a frame costs: `cargo test --test gui -- --ignored --nocapture costs_of_the_sheet`.
#[test]
#[ignore = "measures times"]
fn costs_of_the_sheet() {
    let home = Home::new();
    let mut window = open(&home);
    let frames = |window: &mut Window, name: &str, mut before: Before| {
        let mut times: Vec<f64> = (0..60)
            .map(|at| {
                before(window, at);
                let start = std::time::Instant::now();
                window.step();
                start.elapsed().as_secs_f64() * 1e3
            })
            .collect();
        times.sort_by(f64::total_cmp);
        println!("{name}: {:.2} ms, worst {:.2} ms", times[30], times[59]);
    };
    frames(&mut window, "an empty sheet", Box::new(|_, _| ()));
    let strokes: Vec<Value> = (0..200)
        .map(|number| {
            let points: Vec<[f64; 2]> = (0..100)
                .map(|at| {
                    let angle = f64::from(at) * 0.05;
                    let radius = 20.0 + f64::from(number % 20) * 8.0;
                    let middle = 180.0 + f64::from(number / 20) * 15.0;
                    [middle + radius * angle.cos(), middle + radius * angle.sin()]
                })
                .collect();
            json!({"points": points, "width": 3.0})
        })
        .collect();
    let drawing: Drawing =
        serde_json::from_value(json!({ "strokes": strokes })).expect("a drawing");
    let path = home.with_file("many.svg", svg::write(&drawing).as_bytes());
    window.command(Command::OpenFile);
    window.choose(&path, "Open");
    window.run_steps(4);
    frames(
        &mut window,
        "200 strokes of 100 points",
        Box::new(|_, _| ()),
    );
    let middle = place(&window, [256.0, 256.0]);
    window.event(Event::PointerMoved(middle));
    window.event(button(middle, PointerButton::Primary, true));
    window.step();
    frames(
        &mut window,
        "while a stroke is drawn",
        Box::new(move |window, at| {
            let angle = at as f32 * 0.1;
            let there = pos2(angle.cos(), angle.sin()) * 100.0;
            let events = &mut window.input_mut().events;
            events.push(Event::PointerMoved(middle + there.to_vec2()));
        }),
    );
    window.event(button(middle, PointerButton::Primary, false));
    window.run_steps(2);
    frames(
        &mut window,
        "while it is zoomed",
        Box::new(|window, at| {
            let factor = if at % 2 == 0 { 1.1 } else { 0.9 };
            window.input_mut().events.push(Event::Zoom(factor));
        }),
    );
}

/// How long the last answer took, as the window tells it.
fn told(window: &Window) -> Option<String> {
    labels(window)
        .into_iter()
        .find(|label| label.contains("ms from ink to picture"))
}

/// Prints how long it takes from a movement of the pen to the end of the frame that shows the next
/// face: `cargo test --test gui -- --ignored --nocapture the_face_follows_the_pen`.
#[test]
#[ignore = "measures times"]
fn the_face_follows_the_pen() {
    const MOST: std::time::Duration = std::time::Duration::from_secs(1);
    for painter in ["Network", "Kit"] {
        let mut window = open(&Home::new());
        window.click(painter);
        window.click("Round");
        window.wait("a face", |window| told(window).is_some());
        window.wait("all of the answer", |window| !window.is_busy());
        let pen = place(&window, [140.0, 330.0]);
        window.event(Event::PointerMoved(pen));
        window.event(button(pen, PointerButton::Primary, true));
        window.step();
        let mut times = Vec::new();
        for at in 1..=60 {
            window.wait("the face", |window| !window.is_busy());
            let before = told(&window);
            let there = pen + vec2(1.2, 0.3 * (at % 7) as f32) * at as f32;
            let start = std::time::Instant::now();
            window.input_mut().events.push(Event::PointerMoved(there));
            while told(&window) == before && start.elapsed() < MOST {
                window.step();
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
            // An answer that took as long as the one before cannot be told from it.
            if start.elapsed() < MOST {
                times.push(start.elapsed().as_secs_f64() * 1e3);
            }
        }
        times.sort_by(f64::total_cmp);
        assert!(times.len() > 20, "the face does not follow: {times:?}");
        println!(
            "{painter}: median {:.0} ms of {} movements, nine in ten below {:.0} ms",
            times[times.len() / 2],
            times.len(),
            times[times.len() * 9 / 10],
        );
    }
}
