//! The boards themselves: frames, squares, lines and points.

use egui::{Pos2, Rect, vec2};

use super::super::Shape;
use super::layout::Layout;
use super::{BoardColors, BoardLook, Surface};

/// What lies below marks and pieces.
pub(super) fn ground(layout: &Layout, look: BoardLook, colors: &BoardColors) -> Vec<Shape> {
    let surface = colors.surface(look);
    match look {
        BoardLook::TicTacToe => noughts(layout, surface),
        BoardLook::ConnectFour => frame(layout, surface, colors),
        BoardLook::Othello => felt(layout, surface, colors),
        BoardLook::Stones => wood(layout, surface, colors),
        BoardLook::Chess => squares(layout, surface, colors),
    }
}

/// The shadow that a board throws on the stage.
fn shadow(layout: &Layout, corner: f32, colors: &BoardColors) -> Shape {
    let below = layout.board.translate(vec2(0.0, layout.side * 0.06));
    let blur = (layout.side * 0.24).clamp(6.0, 22.0);
    Shape::rect(below, corner + blur * 0.25, colors.shadow).blurred(blur)
}

fn noughts(layout: &Layout, surface: &Surface) -> Vec<Shape> {
    let [columns, rows] = layout.size();
    let (width, inset) = ((layout.side * 0.032).max(2.0), 0.06);
    let (right, bottom) = (columns as f32 - inset, rows as f32 - inset);
    let mut lines = Vec::new();
    for column in 1..columns {
        let x = column as f32;
        lines.push(layout.rule(layout.at(x, inset), layout.at(x, bottom), width));
    }
    for row in 1..rows {
        let y = row as f32;
        lines.push(layout.rule(layout.at(inset, y), layout.at(right, y), width));
    }
    let corner = width * 0.5;
    (lines.into_iter())
        .map(|line| Shape::rect(line, corner, surface.line))
        .collect()
}

fn frame(layout: &Layout, surface: &Surface, colors: &BoardColors) -> Vec<Shape> {
    let side = layout.side;
    let corner = side * 0.28;
    let rim = (side * 0.03).max(1.0);
    let mut shapes = vec![
        shadow(layout, corner, colors),
        Shape::rect(layout.board, corner, surface.ground)
            .bordered(rim, surface.rim)
            .shaded(-0.22),
    ];
    for cell in 0..layout.count() {
        let middle = layout.middle(cell);
        // The hole's lower edge catches the light, the upper one lies in shade.
        shapes.push(Shape::disc(
            middle + vec2(0.0, side * 0.02),
            side * 0.425,
            surface.line,
        ));
        shapes.push(Shape::disc(middle, side * 0.42, surface.rim));
        shapes.push(Shape::disc(
            middle + vec2(0.0, side * 0.015),
            side * 0.40,
            surface.second,
        ));
    }
    shapes
}

fn felt(layout: &Layout, surface: &Surface, colors: &BoardColors) -> Vec<Shape> {
    let side = layout.side;
    let corner = side * 0.14;
    let cells = layout.cells();
    let mut shapes = vec![
        shadow(layout, corner, colors),
        Shape::rect(layout.board, corner, surface.rim).shaded(-0.18),
        Shape::rect(cells, 0.0, surface.ground).shaded(-0.08),
    ];
    let [columns, rows] = layout.size();
    let width = (side * 0.02).max(1.0);
    let lines = (0..=columns)
        .map(|x| (layout.at(x as f32, 0.0), layout.at(x as f32, rows as f32)))
        .chain((0..=rows).map(|y| {
            (
                layout.at(0.0, y as f32),
                layout.at(columns as f32, y as f32),
            )
        }));
    for (from, to) in lines {
        shapes.push(Shape::rect(layout.rule(from, to, width), 0.0, surface.line));
    }
    if columns >= 6 && rows >= 6 {
        for x in [2, columns - 2] {
            for y in [2, rows - 2] {
                let at = layout.at(x as f32, y as f32);
                shapes.push(Shape::disc(at, (side * 0.06).max(2.0), surface.line));
            }
        }
    }
    shapes
}

fn wood(layout: &Layout, surface: &Surface, colors: &BoardColors) -> Vec<Shape> {
    let side = layout.side;
    let corner = side * 0.10;
    let mut shapes = vec![
        shadow(layout, corner, colors),
        Shape::rect(layout.board, corner, surface.ground)
            .bordered(1.0, surface.rim)
            .shaded(-0.10),
    ];
    let [columns, rows] = layout.size();
    let end = |from: Pos2, to: Pos2, edge: bool| {
        let width = side * if edge { 0.036 } else { 0.020 };
        let least = if edge { 1.5 } else { 1.0 };
        let rule: Rect = layout.rule(from, to, width.max(least));
        Shape::rect(rule, 0.0, surface.line)
    };
    for x in 0..columns {
        let (from, to) = (layout.seen_middle(x, 0), layout.seen_middle(x, rows - 1));
        shapes.push(end(from, to, x == 0 || x + 1 == columns));
    }
    for y in 0..rows {
        let (from, to) = (layout.seen_middle(0, y), layout.seen_middle(columns - 1, y));
        shapes.push(end(from, to, y == 0 || y + 1 == rows));
    }
    for (x, y) in stars(columns, rows) {
        let at = layout.seen_middle(x, y);
        shapes.push(Shape::disc(at, (side * 0.085).max(2.0), surface.line));
    }
    shapes
}

/// The star points of the usual sizes of a board.
fn stars(columns: usize, rows: usize) -> Vec<(usize, usize)> {
    let lines: &[usize] = match columns {
        9 => &[2, 6],
        13 => &[3, 9],
        15 => &[3, 11],
        19 => &[3, 9, 15],
        _ => &[],
    };
    if columns != rows || lines.is_empty() {
        return Vec::new();
    }
    let mut stars: Vec<_> = (lines.iter())
        .flat_map(|&x| lines.iter().map(move |&y| (x, y)))
        .collect();
    if columns < 19 {
        stars.push((columns / 2, rows / 2));
    }
    stars
}

fn squares(layout: &Layout, surface: &Surface, colors: &BoardColors) -> Vec<Shape> {
    let mut shapes = vec![
        shadow(layout, 0.0, colors),
        Shape::rect(layout.board.expand(2.0), 3.0, surface.rim),
        Shape::rect(layout.cells(), 0.0, surface.ground),
    ];
    for cell in 0..layout.count() {
        let (column, row) = layout.place(cell);
        if (column + row) % 2 == 1 {
            shapes.push(Shape::rect(layout.rect(cell), 0.0, surface.second));
        }
    }
    shapes
}
