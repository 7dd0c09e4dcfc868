//! Where the cells of a board lie in the window.

use egui::{Pos2, Rect, Vec2, pos2, vec2};

use super::{BoardLook, BoardPicture};

/// The room for a letter or a number beside the board, in cells, and its bounds in points.
const LABEL: f32 = 0.42;
const LABEL_BOUNDS: [f32; 2] = [14.0, 26.0];

/// The cells, all of them square and on whole pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    /// The board with its rim.
    pub(super) board: Rect,
    /// The side of a cell in points.
    pub(super) side: f32,
    /// The room for letters and numbers, zero without them.
    pub(super) label: f32,
    cells: Rect,
    columns: usize,
    rows: usize,
    turned: bool,
    /// Pixels of the window in a point.
    pixels: f32,
}

/// The rim around the cells, in cells.
fn rim(look: BoardLook) -> f32 {
    match look {
        BoardLook::TicTacToe | BoardLook::Chess => 0.0,
        BoardLook::ConnectFour => 0.12,
        BoardLook::Othello => 0.14,
        BoardLook::Stones => 0.10,
    }
}

impl Layout {
    pub(super) fn new(rect: Rect, picture: &BoardPicture, pixels: f32) -> Self {
        let (columns, rows) = (picture.columns, picture.rows);
        let rim = rim(picture.look);
        let size = vec2(columns as f32, rows as f32);
        // The foot and the numbers of a standing board are only below it.
        let beside = picture.look != BoardLook::ConnectFour;
        let labels = if picture.coordinates { LABEL } else { 0.0 };
        let whole = size + Vec2::splat(2.0 * rim) + vec2(labels * f32::from(beside), labels);
        let snap = |length: f32| (length * pixels).floor() / pixels;
        let side = snap((rect.size() / whole.max(Vec2::splat(1.0))).min_elem()).max(1.0 / pixels);
        let label = if picture.coordinates {
            (side * LABEL).clamp(LABEL_BOUNDS[0], LABEL_BOUNDS[1])
        } else {
            0.0
        };
        let board_size = (size + Vec2::splat(2.0 * rim)) * side;
        let room = board_size + vec2(label * f32::from(beside), label);
        // Where labels were widened to their least, cells give way.
        let side = snap(side * (rect.size() / room).min_elem().min(1.0)).max(1.0 / pixels);
        let board_size = (size + Vec2::splat(2.0 * rim)) * side;
        let room = board_size + vec2(label * f32::from(beside), label);
        let corner = rect.center() - room * 0.5 + vec2(label * f32::from(beside), 0.0);
        let cells = ((corner + Vec2::splat(rim * side)).to_vec2() * pixels).round() / pixels;
        let cells = Rect::from_min_size(cells.to_pos2(), size * side);
        Self {
            board: cells.expand(rim * side),
            side,
            label,
            cells,
            columns,
            rows,
            turned: picture.turned,
            pixels,
        }
    }

    /// A straight line along an axis on whole pixels, so that it is sharp.
    pub(super) fn rule(&self, from: Pos2, to: Pos2, width: f32) -> Rect {
        let thick = (width * self.pixels).round().max(1.0) / self.pixels;
        let snap = |at: f32| ((at - thick * 0.5) * self.pixels).round() / self.pixels;
        let across = if to.x > from.x {
            vec2(0.0, snap(from.y) - from.y)
        } else {
            vec2(snap(from.x) - from.x, 0.0)
        };
        let size = if to.x > from.x {
            vec2(to.x - from.x, thick)
        } else {
            vec2(thick, to.y - from.y)
        };
        Rect::from_min_size(from + across, size)
    }

    pub(super) fn count(&self) -> usize {
        self.columns * self.rows
    }

    /// Columns and rows.
    pub(super) fn size(&self) -> [usize; 2] {
        [self.columns, self.rows]
    }

    /// The column and row where a cell is seen.
    pub(super) fn place(&self, cell: usize) -> (isize, isize) {
        let seen = if self.turned {
            self.count().saturating_sub(1 + cell)
        } else {
            cell
        };
        let columns = self.columns.max(1);
        (
            (seen % columns).cast_signed(),
            (seen / columns).cast_signed(),
        )
    }

    /// The cell that is seen at a column and row inside.
    pub(super) fn cell(&self, column: isize, row: isize) -> usize {
        let seen = row as usize * self.columns + column as usize;
        if self.turned {
            self.count() - 1 - seen
        } else {
            seen
        }
    }

    pub(super) fn cell_at(&self, pos: Pos2) -> Option<usize> {
        let at = ((pos - self.cells.min) / self.side).floor();
        let inside = at.x >= 0.0 && at.y >= 0.0;
        let (column, row) = (at.x as usize, at.y as usize);
        (inside && column < self.columns && row < self.rows)
            .then(|| self.cell(column.cast_signed(), row.cast_signed()))
    }

    pub(super) fn rect(&self, cell: usize) -> Rect {
        let (column, row) = self.place(cell);
        let corner = self.cells.min + vec2(column as f32, row as f32) * self.side;
        Rect::from_min_size(corner, Vec2::splat(self.side))
    }

    pub(super) fn middle(&self, cell: usize) -> Pos2 {
        self.rect(cell).center()
    }

    /// A place in cells from the first cell's upper left corner, as seen.
    pub(super) fn at(&self, column: f32, row: f32) -> Pos2 {
        self.cells.min + vec2(column, row) * self.side
    }

    /// All cells, without the rim.
    pub(super) fn cells(&self) -> Rect {
        self.cells
    }

    /// Where the label of a column and of a row stands.
    pub(super) fn labels(&self) -> (f32, f32) {
        let gap = self.label * 0.5;
        (self.board.bottom() + gap, self.board.left() - gap)
    }

    /// The middle of a cell that is seen at a column and row.
    pub(super) fn seen_middle(&self, column: usize, row: usize) -> Pos2 {
        pos2(
            self.at(column as f32 + 0.5, 0.0).x,
            self.at(0.0, row as f32 + 0.5).y,
        )
    }
}
