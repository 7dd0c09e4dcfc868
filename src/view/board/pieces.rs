//! Stones, discs, crosses, circles and chess pieces.

use egui::{Color32, Pos2, vec2};

use super::super::Shape;
use super::{BoardColors, BoardLook, BoardPiece};

/// How much is seen of a piece that is not there yet.
pub(super) const GHOST: f32 = 0.45;
/// Below this a piece has no shadow.
const SOLID: f32 = 0.98;

/// Draws a piece in the middle of a cell with this side. One that is seen through has no shadow.
pub(super) fn piece(
    shapes: &mut Vec<Shape>,
    (look, colors): (BoardLook, &BoardColors),
    (middle, side): (Pos2, f32),
    piece: BoardPiece,
    opacity: f32,
) {
    let is_solid = opacity >= SOLID;
    let own = &colors.surface(look).pieces[piece.side.min(1)];
    let (fill, edge) = (
        own.fill.gamma_multiply(opacity),
        own.edge.gamma_multiply(opacity),
    );
    let shadow = |shape: Shape, down: f32, blur: f32| {
        shape
            .moved(vec2(side * down * 0.35, side * down))
            .blurred((side * blur).max(2.0))
    };
    match look {
        BoardLook::TicTacToe => shapes.push(if piece.side == 0 {
            Shape::cross(middle, side * 0.235, side * 0.115, fill)
        } else {
            Shape::ring(middle, side * 0.265, side * 0.115, fill)
        }),
        BoardLook::ConnectFour => {
            let at = middle + vec2(0.0, side * 0.015);
            shapes.push(
                Shape::disc(at, side * 0.40, fill)
                    .bordered(side * 0.05, edge)
                    .shaded(0.30),
            );
            shapes.push(Shape::ring(at, side * 0.245, side * 0.035, edge));
        }
        BoardLook::Othello | BoardLook::Stones => {
            let radius = side
                * if look == BoardLook::Stones {
                    0.47
                } else {
                    0.40
                };
            if is_solid {
                let disc = Shape::disc(middle, radius, colors.shadow);
                shapes.push(shadow(disc, 0.055, 0.16));
            }
            shapes.push(
                Shape::disc(middle, radius, fill)
                    .bordered((side * 0.02).max(1.0), edge)
                    .shaded(if piece.side == 0 { 0.50 } else { 0.34 }),
            );
        }
        BoardLook::Chess => {
            let Some(figure) = piece.figure else {
                shapes.push(Shape::disc(middle, side * 0.3, fill).bordered(1.5, edge));
                return;
            };
            let size = side;
            if is_solid {
                let cast = Shape::figure(middle, size, figure, colors.shadow);
                shapes.push(shadow(cast, 0.03, 0.10));
            }
            shapes.push(
                Shape::figure(middle, size, figure, fill)
                    .bordered((side * 0.032).max(1.2), edge)
                    .shaded(-0.14),
            );
        }
    }
}

/// A colour over another, both in gamma space as egui blends them.
pub(super) fn over(top: Color32, below: Color32) -> Color32 {
    below.blend(top)
}
