//! Where the cells of a view lie in the window.

use egui::{Pos2, Rect, Vec2, vec2};

/// Where a picture's pixels or a matrix's cells lie: for overlays and for the pointer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Placement {
    /// The top left corner of the first cell, in points, on a whole pixel of the window.
    pub origin: Pos2,
    /// The size of a cell in points.
    pub cell: Vec2,
    /// Columns and rows.
    pub size: [usize; 2],
}

impl Placement {
    /// Centres `size` cells of `cell` points around `center`, on a whole pixel of the window.
    #[expect(clippy::cast_precision_loss, reason = "sides are far below 2^24")]
    pub(super) fn centered(center: Pos2, cell: Vec2, size: [usize; 2], pixels: f32) -> Self {
        let extent = cell * vec2(size[0] as f32, size[1] as f32);
        let origin = ((center - extent * 0.5).to_vec2() * pixels).round() / pixels;
        Self {
            origin: origin.to_pos2(),
            cell,
            size,
        }
    }

    /// The rectangle of all cells, in points.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "sides are far below 2^24")]
    pub fn rect(&self) -> Rect {
        let size = vec2(self.size[0] as f32, self.size[1] as f32);
        Rect::from_min_size(self.origin, self.cell * size)
    }

    /// A place in cells (column, row; a cell's middle is at one half) as a place in the window.
    #[must_use]
    pub fn window_from_cells(&self, cells: Vec2) -> Pos2 {
        self.origin + cells * self.cell
    }

    /// A place in the window as a place in cells.
    #[must_use]
    pub fn cells_from_window(&self, pos: Pos2) -> Vec2 {
        (pos - self.origin) / self.cell
    }

    /// The column and row under a place in the window; `None` outside.
    #[must_use]
    pub fn cell_at(&self, pos: Pos2) -> Option<[usize; 2]> {
        let cells = self.cells_from_window(pos).floor();
        let index = |value: f32, size: usize| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "not negative, and a float too large saturates"
            )]
            (value >= 0.0)
                .then_some(value as usize)
                .filter(|&i| i < size)
        };
        Some([index(cells.x, self.size[0])?, index(cells.y, self.size[1])?])
    }
}
