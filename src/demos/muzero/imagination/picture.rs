//! Pictures of a position as the probe draws them: turned to one player's view, and compared.

use serde::{Deserialize, Serialize};

use super::super::game::{GameId, Player};

/// A pixel of a screen is wrong when it is off by more than this part of the way from black to
/// white; cells of boards and grids are on or off.
const OFF: f32 = 0.1;
/// Chess: planes of one side's men; then two castling rights of each side.
const MEN: usize = 6;

/// How far two pictures lie apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// The mean absolute difference over all planes.
    pub mean: f32,
    /// The share of cells that show something else: where any plane of pieces or objects is on in
    /// one and off in the other; on a screen, the share of pixels that are off by more than a
    /// tenth.
    pub wrong: f32,
}

/// How many of a picture's first planes show what lies on the board or the grid.
#[must_use]
pub fn piece_planes(game: &GameId, planes: usize) -> usize {
    match game {
        GameId::MinAtar(_) | GameId::Atari(_) => planes,
        GameId::Chess => 2 * MEN,
        _ => 2,
    }
}

/// Turns a picture, `[planes, rows, columns]`, from the view of the player whose turn it is to the
/// first player's. Nothing is turned in games for one.
pub fn fixed_view(game: &GameId, shape: [usize; 3], mover: Player, picture: &mut [f32]) {
    if mover == Player::First {
        return;
    }
    let [planes, rows, columns] = shape;
    let cells = rows * columns;
    let mut swap = |a: usize, b: usize, count: usize| {
        let (low, high) = picture.split_at_mut(b * cells);
        low[a * cells..(a + count) * cells].swap_with_slice(&mut high[..count * cells]);
    };
    match game {
        GameId::MinAtar(_) | GameId::Atari(_) => {}
        GameId::Chess => {
            swap(0, MEN, MEN);
            swap(2 * MEN, 2 * MEN + 2, 2);
            // Black sees the board from the other side.
            for plane in picture.chunks_exact_mut(cells) {
                for row in 0..rows / 2 {
                    let (upper, lower) = plane.split_at_mut((rows - 1 - row) * columns);
                    upper[row * columns..(row + 1) * columns]
                        .swap_with_slice(&mut lower[..columns]);
                }
            }
        }
        // Pairs of own and other stones, one for each remembered board; Go's last plane is the
        // colour.
        _ => (0..planes / 2).for_each(|pair| swap(2 * pair, 2 * pair + 1, 1)),
    }
}

/// Compares two pictures of the same shape, `[planes, rows, columns]`.
///
/// # Panics
/// When a picture is of another shape.
#[must_use]
pub fn difference(game: &GameId, shape: [usize; 3], a: &[f32], b: &[f32]) -> Difference {
    let [planes, rows, columns] = shape;
    let cells = rows * columns;
    assert_eq!((a.len(), b.len()), (planes * cells, planes * cells));
    let apart = |at: usize| (a[at] - b[at]).abs();
    let is_off = |at: usize| match game {
        GameId::Atari(_) => apart(at) > OFF,
        _ => (a[at] >= 0.5) != (b[at] >= 0.5),
    };
    let shown = piece_planes(game, planes);
    let wrong = (0..cells).filter(|cell| (0..shown).any(|plane| is_off(plane * cells + cell)));
    Difference {
        mean: (0..a.len()).map(apart).sum::<f32>() / a.len() as f32,
        wrong: wrong.count() as f32 / cells as f32,
    }
}
