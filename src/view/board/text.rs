//! Letters and numbers: around the board and in its cells.

use egui::{Align2, Color32, FontId, Rect, Ui, pos2, vec2};

use super::super::is_light;
use super::draw::heat_color;
use super::layout::Layout;
use super::pieces::over;
use super::{BoardColors, BoardLook, BoardPicture, names};

pub(super) fn paint(ui: &Ui, layout: &Layout, picture: &BoardPicture, colors: &BoardColors) {
    if picture.coordinates {
        coordinates(ui, layout, picture, colors);
    }
    for (cell, note) in picture.notes.iter().enumerate().take(layout.count()) {
        if !note.is_empty() {
            self::note(ui, layout, picture, colors, (cell, note));
        }
    }
}

fn coordinates(ui: &Ui, layout: &Layout, picture: &BoardPicture, colors: &BoardColors) {
    let (below, beside) = layout.labels();
    let font = FontId::proportional((layout.label * 0.62).clamp(10.0, 14.0));
    let painter = ui.painter();
    let text = |pos, text: String| {
        painter.text(pos, Align2::CENTER_CENTER, text, font.clone(), colors.label);
    };
    let [columns, rows] = layout.size();
    let turned = |at: usize, count: usize| if picture.turned { count - 1 - at } else { at };
    for column in 0..columns {
        let x = layout.seen_middle(column, 0).x;
        let name = names::column(picture.look, turned(column, columns));
        text(pos2(x, below), name);
    }
    if picture.look == BoardLook::ConnectFour {
        return;
    }
    for row in 0..rows {
        let y = layout.seen_middle(0, row).y;
        let name = names::row(picture.look, turned(row, rows), rows);
        text(pos2(beside, y), name);
    }
}

/// A note in the middle of an empty cell, or on a plate in the corner of one with a piece.
fn note(
    ui: &Ui,
    layout: &Layout,
    picture: &BoardPicture,
    colors: &BoardColors,
    (cell, note): (usize, &str),
) {
    let rect = layout.rect(cell);
    let size = layout.side * if note.chars().count() > 3 { 0.24 } else { 0.28 };
    if size < 6.5 {
        return;
    }
    let font = FontId::proportional(size.min(17.0));
    let empty = !matches!(picture.cells.get(cell), Some(Some(_)));
    let painter = ui.painter();
    if empty {
        let ink = ink(colors, ground(picture, colors, cell, layout));
        painter.text(rect.center(), Align2::CENTER_CENTER, note, font, ink);
        return;
    }
    let galley = painter.layout_no_wrap(note.to_owned(), font, colors.ink[0]);
    let room = galley.size() + vec2(layout.side * 0.10, layout.side * 0.02);
    let corner = rect.right_bottom() - vec2(layout.side, layout.side) * 0.03;
    let plate = Rect::from_min_max(corner - room, corner);
    painter.rect_filled(plate, room.y * 0.4, colors.ink[1].gamma_multiply(0.82));
    painter.galley(plate.center() - galley.size() * 0.5, galley, colors.ink[0]);
}

/// What a note on an empty cell is read against.
fn ground(picture: &BoardPicture, colors: &BoardColors, cell: usize, layout: &Layout) -> Color32 {
    let surface = colors.surface(picture.look);
    let (column, row) = layout.place(cell);
    let below = match picture.look {
        BoardLook::ConnectFour => surface.second,
        BoardLook::Chess if (column + row) % 2 == 1 => surface.second,
        _ => surface.ground,
    };
    let heat = picture.heat.get(cell).copied().unwrap_or(0.0);
    match heat_color(surface, heat) {
        Some(heat) => over(heat, below),
        None => below,
    }
}

/// Light text on a dark ground, dark text on a light one.
fn ink(colors: &BoardColors, ground: Color32) -> Color32 {
    colors.ink[usize::from(is_light(ground))]
}
