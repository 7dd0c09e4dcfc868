//! A board in layers: ground, tints, heat, pieces, marks, cursor.

use egui::{Color32, Rect, Vec2, vec2};

use super::super::Shape;
use super::ground::ground;
use super::layout::Layout;
use super::pieces::{GHOST, over, piece};
use super::{Attention, BoardColors, BoardLook, BoardPicture, Surface};

/// Heat below this draws nothing.
const LEAST_HEAT: f32 = 0.004;

/// The board's shapes, from the lowest to the highest.
pub(super) fn shapes(
    layout: &Layout,
    picture: &BoardPicture,
    colors: &BoardColors,
    attention: Attention,
) -> Vec<Shape> {
    let mut drawing = Drawing {
        shapes: ground(layout, picture.look, colors),
        layout,
        picture,
        colors,
        hovered: attention.hovered,
    };
    drawing.tints();
    drawing.heat();
    drawing.pieces();
    drawing.ghost();
    drawing.targets();
    drawing.last();
    drawing.winning();
    if let Some(cell) = attention.cursor {
        let rect = layout.rect(cell).shrink(1.0);
        let width = (layout.side * 0.05).clamp(2.0, 4.0);
        drawing.shapes.push(
            Shape::rect(rect, layout.side * 0.10, Color32::TRANSPARENT)
                .bordered(width, colors.accent),
        );
    }
    drawing.shapes
}

/// The colour of a heat, and how much of it lets the ground through.
pub(super) fn heat_color(surface: &Surface, heat: f32) -> Option<Color32> {
    // Not `heat < LEAST_HEAT`, which lets NaN through.
    (heat >= LEAST_HEAT).then(|| {
        // Small shares are told apart by the root; the map's darkest part looks like dirt on wood.
        let heat = heat.min(1.0).sqrt();
        let opacity = 0.46 + 0.50 * heat;
        let [low, high] = surface.heat_range;
        surface
            .heat
            .color(low + (high - low) * heat)
            .gamma_multiply(opacity)
    })
}

/// Where the next move of a pointer at a cell goes: in a standing board to its column's target.
pub(super) fn aimed(picture: &BoardPicture, hovered: usize) -> Option<usize> {
    let standing = picture.look == BoardLook::ConnectFour;
    let columns = picture.columns.max(1);
    (picture.targets.iter().copied())
        .find(|&cell| cell == hovered || (standing && cell % columns == hovered % columns))
}

struct Drawing<'a> {
    shapes: Vec<Shape>,
    layout: &'a Layout,
    picture: &'a BoardPicture,
    colors: &'a BoardColors,
    hovered: Option<usize>,
}

impl Drawing<'_> {
    fn is_empty(&self, cell: usize) -> bool {
        !matches!(self.picture.cells.get(cell), Some(Some(_)))
    }

    fn inside(&self, cell: usize) -> bool {
        cell < self.layout.count()
    }

    /// Fills a cell, with round corners where cells have no edges of their own.
    fn tint(&mut self, cell: usize, color: Color32) {
        if !self.inside(cell) {
            return;
        }
        let rect = self.layout.rect(cell);
        let side = self.layout.side;
        let (rect, corner) = match self.picture.look {
            BoardLook::TicTacToe => (rect.shrink(side * 0.06), side * 0.12),
            _ => (rect, 0.0),
        };
        self.shapes.push(Shape::rect(rect, corner, color));
    }

    fn tints(&mut self) {
        let picture = self.picture;
        if matches!(picture.look, BoardLook::Chess | BoardLook::TicTacToe) {
            let opacity = if picture.look == BoardLook::Chess {
                0.52
            } else {
                0.16
            };
            for &cell in &picture.last {
                self.tint(cell, self.colors.last.gamma_multiply(opacity));
            }
        }
        if let Some(cell) = picture.selected {
            self.tint(cell, self.colors.accent.gamma_multiply(0.50));
        }
        if let Some(cell) = picture.check.filter(|&cell| self.inside(cell)) {
            let side = self.layout.side;
            let glow = self.layout.rect(cell).shrink(side * 0.14);
            let glow = Shape::rect(glow, side * 0.3, self.colors.danger.gamma_multiply(0.92));
            self.shapes.push(glow.blurred(side * 0.28));
        }
        let aimed = self.hovered.and_then(|cell| aimed(picture, cell));
        match picture.look {
            BoardLook::ConnectFour => {
                if let (Some(_), Some(cell)) = (aimed, self.hovered) {
                    self.column(cell);
                }
            }
            BoardLook::Stones => {}
            _ => {
                if let Some(cell) = aimed {
                    self.tint(cell, self.colors.accent.gamma_multiply(0.20));
                }
            }
        }
    }

    /// The column over which a disc is held.
    fn column(&mut self, cell: usize) {
        let rect = self.layout.rect(cell);
        let cells = self.layout.cells();
        let column = Rect::from_x_y_ranges(rect.x_range(), cells.y_range());
        let side = self.layout.side;
        let width = (side * 0.035).max(1.5);
        self.shapes.push(
            Shape::rect(
                column.expand2(vec2(0.0, side * 0.06)),
                side * 0.22,
                Color32::TRANSPARENT,
            )
            .bordered(width, self.colors.ink[0].gamma_multiply(0.55)),
        );
    }

    fn heat(&mut self) {
        let side = self.layout.side;
        let surface = self.colors.surface(self.picture.look);
        for (cell, &heat) in self.picture.heat.iter().enumerate() {
            let Some(color) = heat_color(surface, heat).filter(|_| self.inside(cell)) else {
                continue;
            };
            let middle = self.layout.middle(cell);
            match self.picture.look {
                BoardLook::TicTacToe | BoardLook::Chess => {
                    let rect = self.layout.rect(cell).shrink(side * 0.06);
                    self.shapes.push(Shape::rect(rect, side * 0.12, color));
                }
                BoardLook::ConnectFour => {
                    let at = middle + vec2(0.0, side * 0.015);
                    self.shapes.push(Shape::disc(at, side * 0.36, color));
                }
                BoardLook::Othello | BoardLook::Stones if self.is_empty(cell) => {
                    // A number is not to be read across the lines of the board.
                    let ground = self.colors.surface(self.picture.look).ground;
                    self.shapes
                        .push(Shape::disc(middle, side * 0.40, over(color, ground)));
                }
                BoardLook::Othello | BoardLook::Stones => {}
            }
        }
    }

    fn pieces(&mut self) {
        let kind = (self.picture.look, self.colors);
        for (cell, on) in self.picture.cells.iter().enumerate() {
            if let Some(on) = *on
                && self.inside(cell)
            {
                let place = (self.layout.middle(cell), self.layout.side);
                let opacity = self.picture.opacity.get(cell).copied().unwrap_or(1.0);
                piece(&mut self.shapes, kind, place, on, opacity.clamp(0.0, 1.0));
            }
        }
    }

    fn ghost(&mut self) {
        let aimed = self.hovered.and_then(|cell| aimed(self.picture, cell));
        if let (Some(ghost), Some(cell)) = (self.picture.ghost, aimed)
            && self.is_empty(cell)
            && self.inside(cell)
        {
            let kind = (self.picture.look, self.colors);
            let place = (self.layout.middle(cell), self.layout.side);
            piece(&mut self.shapes, kind, place, ghost, GHOST);
        }
    }

    fn targets(&mut self) {
        if !self.picture.show_targets {
            return;
        }
        let side = self.layout.side;
        let aimed = self.hovered.and_then(|cell| aimed(self.picture, cell));
        let color = self.colors.accent.gamma_multiply(0.80);
        for &cell in self.picture.targets.iter().filter(|&&c| Some(c) != aimed) {
            let middle = self.layout.middle(cell);
            self.shapes.push(if self.is_empty(cell) {
                Shape::disc(middle, side * 0.13, color)
            } else {
                Shape::ring(middle, side * 0.445, side * 0.07, color)
            });
        }
    }

    /// The last move's mark on a piece.
    fn last(&mut self) {
        let side = self.layout.side;
        for &cell in self
            .picture
            .last
            .iter()
            .filter(|&&cell| cell < self.layout.count())
        {
            let middle = self.layout.middle(cell);
            let mark = match self.picture.look {
                BoardLook::TicTacToe | BoardLook::Chess => continue,
                BoardLook::ConnectFour => {
                    let at = middle + vec2(0.0, side * 0.015);
                    Shape::ring(at, side * 0.385, side * 0.045, self.colors.ink[0])
                }
                BoardLook::Othello => Shape::disc(middle, side * 0.085, self.colors.last),
                BoardLook::Stones => {
                    Shape::ring(middle, side * 0.235, side * 0.065, self.colors.last)
                }
            };
            self.shapes.push(mark);
        }
    }

    fn winning(&mut self) {
        let cells: Vec<usize> = (self.picture.winning.iter().copied())
            .filter(|&cell| self.inside(cell))
            .collect();
        let side = self.layout.side;
        let color = self.colors.surface(self.picture.look).win;
        if self.picture.look == BoardLook::TicTacToe {
            let ends = cells.first().zip(cells.last());
            if let Some((&first, &last)) = ends {
                let [from, to] = [first, last].map(|cell| self.layout.middle(cell));
                let along = to - from;
                let beyond = along.normalized() * side * 0.34;
                let beyond = if beyond.is_finite() {
                    beyond
                } else {
                    Vec2::ZERO
                };
                self.shapes
                    .push(Shape::line(from - beyond, to + beyond, side * 0.06, color));
            }
            return;
        }
        for cell in cells {
            let down = match self.picture.look {
                BoardLook::ConnectFour => vec2(0.0, side * 0.015),
                _ => Vec2::ZERO,
            };
            let middle = self.layout.middle(cell) + down;
            self.shapes
                .push(Shape::ring(middle, side * 0.40, side * 0.075, color));
        }
    }
}
