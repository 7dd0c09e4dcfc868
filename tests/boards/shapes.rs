//! Shapes cover what geometry says, and are uploaded once.

use egui::{Color32, Pos2, Rect, Theme, Vec2, pos2, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use vitrine::view::{Figure, Shape, Shapes, Views};

use super::common::adapter_or_skip;
use super::window::{bare, crop, window};

const SIDE: f32 = 200.0;

struct State {
    view: Option<Shapes>,
    shapes: Vec<Shape>,
    corner: Pos2,
}

/// Shapes on black ground, from this corner of the window on.
fn drawn(shapes: Vec<Shape>) -> (Harness<'static, State>, Views) {
    let state = State {
        view: Some(Shapes::default()),
        shapes,
        corner: Pos2::ZERO,
    };
    window(Vec2::splat(300.0), Theme::Dark, state, |ui, state| {
        let rect = Rect::from_min_size(state.corner, Vec2::splat(SIDE));
        ui.set_clip_rect(Rect::EVERYTHING);
        ui.painter()
            .rect_filled(Rect::EVERYTHING, 0.0, Color32::BLACK);
        if let Some(view) = &mut state.view {
            view.show(ui, rect, state.shapes.clone());
        }
    })
}

/// The pixels of these shapes.
fn pixels(shapes: Vec<Shape>) -> image::RgbaImage {
    let (mut harness, _) = drawn(shapes);
    crop(
        &mut harness,
        Rect::from_min_size(Pos2::ZERO, Vec2::splat(SIDE)),
    )
}

/// The covered area in pixels, of white shapes on black ground.
fn area(shapes: Vec<Shape>) -> f64 {
    (pixels(shapes).pixels())
        .map(|pixel| f64::from(pixel.0[0]) / 255.0)
        .sum()
}

#[track_caller]
fn assert_area(shape: Shape, expected: f64) {
    let area = area(vec![shape]);
    let off = (area - expected).abs() / expected;
    assert!(off < 0.01, "{area:.1} pixels instead of {expected:.1}");
}

#[test]
fn areas_are_those_of_geometry() {
    use std::f64::consts::PI;

    if !adapter_or_skip() {
        return;
    }
    let (middle, white) = (pos2(101.3, 98.6), Color32::WHITE);
    assert_area(Shape::disc(middle, 60.0, white), PI * 3600.0);
    assert_area(Shape::ring(middle, 60.0, 10.0, white), 2.0 * PI * 600.0);
    let rect = Rect::from_center_size(middle, vec2(120.0, 70.0));
    let corners = (4.0 - PI) * 400.0;
    assert_area(Shape::rect(rect, 20.0, white), 8400.0 - corners);
    // Length 100, at a slope of 3 to 4.
    let line = Shape::line(pos2(50.5, 60.2), pos2(110.5, 140.2), 12.0, white);
    assert_area(line, 1200.0 + PI * 36.0);
    let straight = Shape::link(pos2(80.0, 40.0), pos2(80.0, 140.0), 12.0, white);
    assert_area(straight, 1200.0 + PI * 36.0);
    // A third of a ring with two half discs at its ends.
    let arc = Shape::arc(middle, 60.0, 10.0, 1.0 / 3.0, white);
    assert_area(arc, 2.0 * PI * 600.0 / 3.0 + PI * 25.0);
    // Two strokes of length 100·√2 and width 14 that share a square.
    let strokes = 2.0 * (2.0_f64.sqrt() * 100.0 * 14.0 + PI * 49.0);
    assert_area(Shape::cross(middle, 50.0, 14.0, white), strokes - 196.0);
}

#[test]
fn an_arc_runs_clockwise_from_the_top() {
    if !adapter_or_skip() {
        return;
    }
    let at = |drawn: &image::RgbaImage, degrees: f32| {
        let turn = degrees.to_radians();
        let place = vec2(100.0, 100.0) + 60.0 * vec2(turn.sin(), -turn.cos());
        drawn.get_pixel(place.x as u32, place.y as u32).0[0] > 128
    };
    for part in [0.1_f32, 0.25, 0.5, 0.6, 0.9] {
        let arc = Shape::arc(pos2(100.0, 100.0), 60.0, 8.0, part, Color32::WHITE);
        let drawn = pixels(vec![arc]);
        for degrees in (0..360_u16).step_by(5).map(f32::from) {
            let inside = degrees < part * 360.0;
            let near = [0.0, 360.0, part * 360.0]
                .iter()
                .any(|end| (degrees - end).abs() < 9.0);
            assert!(
                near || at(&drawn, degrees) == inside,
                "{part} at {degrees}°"
            );
        }
    }
}

#[test]
fn borders_fills_and_transparency_have_the_colors_that_were_given() {
    if !adapter_or_skip() {
        return;
    }
    let rect = Rect::from_min_max(pos2(20.0, 20.0), pos2(120.0, 120.0));
    let half_black = Color32::from_black_alpha(128);
    let drawn = pixels(vec![
        Shape::rect(rect, 0.0, Color32::ORANGE).bordered(10.0, Color32::LIGHT_BLUE),
        Shape::rect(rect.translate(vec2(0.0, 50.0)), 0.0, half_black),
    ]);
    let at = |x, y| drawn.get_pixel(x, y).0;
    assert_eq!(at(70, 65), Color32::ORANGE.to_array(), "inside");
    assert_eq!(at(25, 65), Color32::LIGHT_BLUE.to_array(), "the border");
    assert_eq!(at(19, 65), Color32::BLACK.to_array(), "outside");
    let under = at(70, 90);
    for (got, full) in under.into_iter().zip(Color32::ORANGE.to_array()).take(3) {
        let expected = f32::from(full) * (127.0 / 255.0);
        assert!((f32::from(got) - expected).abs() <= 1.0, "{under:?}");
    }
}

#[test]
fn pieces_of_chess_stand_in_their_square() {
    if !adapter_or_skip() {
        return;
    }
    let mut areas = Vec::new();
    for figure in [
        Figure::Pawn,
        Figure::Knight,
        Figure::Bishop,
        Figure::Rook,
        Figure::Queen,
        Figure::King,
    ] {
        let drawn = pixels(vec![Shape::figure(
            pos2(100.0, 100.0),
            160.0,
            figure,
            Color32::WHITE,
        )]);
        let on: Vec<(u32, u32)> = (drawn.enumerate_pixels())
            .filter(|(_, _, pixel)| pixel.0[0] > 128)
            .map(|(x, y, _)| (x, y))
            .collect();
        let inside = |&(x, y): &(u32, u32)| (20..180).contains(&x) && (20..180).contains(&y);
        assert!(on.iter().all(inside), "{figure:?}");
        let lowest = on.iter().map(|place| place.1).max().expect("it is drawn");
        assert!(
            (160..172).contains(&lowest),
            "{figure:?} stands at {lowest}"
        );
        if figure != Figure::Knight {
            let left: f64 = on
                .iter()
                .map(|place| f64::from(place.0) + 0.5 - 100.0)
                .sum();
            assert!(
                (left / on.len() as f64).abs() < 1.0,
                "{figure:?} is symmetric"
            );
        }
        areas.push(on.len());
    }
    assert!(areas.iter().all(|&area| area > 4000), "{areas:?}");
    assert!(areas[1..].iter().all(|&area| area > areas[0]), "{areas:?}");
}

#[test]
fn equal_shapes_are_uploaded_once_and_leave_nothing_behind() {
    if !adapter_or_skip() {
        return;
    }
    let disc = |x| Shape::disc(pos2(x, 50.0), 20.0, Color32::WHITE);
    let (mut harness, views) = drawn(vec![disc(50.0)]);
    let frame = |harness: &mut Harness<'_, State>| {
        harness.step();
        harness.render().expect("renders");
        (views.uploads(), views.live())
    };
    assert_eq!(frame(&mut harness), (1, 1));
    assert_eq!(frame(&mut harness), (1, 1));
    harness.state_mut().corner = pos2(40.0, 30.0);
    assert_eq!(frame(&mut harness), (1, 1), "moved as a whole");
    let picture = harness.render().expect("renders");
    assert_eq!(picture.get_pixel(90, 80).0[0], 255);
    harness.state_mut().shapes = vec![disc(60.0)];
    assert_eq!(frame(&mut harness), (2, 1));
    harness.state_mut().shapes = (0..5000_u16).map(|i| disc(f32::from(i % 200))).collect();
    assert_eq!(frame(&mut harness), (3, 1), "a larger buffer");
    harness.state_mut().view = None;
    harness.step();
    assert_eq!(views.live(), 0);
}

#[test]
fn shapes_half_outside_the_window_are_not_squeezed() {
    if !adapter_or_skip() {
        return;
    }
    let disc = Shape::disc(pos2(100.0, 100.0), 60.0, Color32::WHITE);
    let (mut harness, _) = drawn(vec![disc]);
    harness.state_mut().corner = pos2(-100.0, 220.0);
    harness.step();
    let picture = harness.render().expect("renders");
    // The middle lies at (0, 320), below the window; its top is seen.
    for (x, y, white) in [
        (0, 259, false),
        (0, 262, true),
        (50, 299, true),
        (58, 299, false),
    ] {
        assert_eq!(picture.get_pixel(x, y).0[0] > 128, white, "{x}, {y}");
    }
}

#[test]
fn without_a_graphics_adapter_a_line_says_so() {
    let harness = bare(Vec2::splat(300.0), Shapes::default(), |ui, view| {
        let rect = Rect::from_min_size(Pos2::ZERO, Vec2::splat(SIDE));
        view.show(
            ui,
            rect,
            vec![Shape::disc(pos2(9.0, 9.0), 5.0, Color32::WHITE)],
        );
    });
    harness.get_by_label("no graphics adapter to draw this with");
}
