//! Planes of numbers as pictures: what the probe draws, and what was there.

use std::sync::Arc;

use egui::{Rect, Stroke, StrokeKind, Ui, Vec2, vec2};

use super::super::super::game::{BoardStyle, GameId, Scene};
use super::super::super::imagination::piece_planes;
use crate::data::Image;
use crate::gui::theme;
use crate::view::ImageView;
use crate::view::board::{BoardLook, BoardPicture, BoardPiece, BoardView};
use crate::view::grid::{GridPicture, GridView};

/// Pieces that are less sure are not drawn.
const LEAST: f32 = 0.06;
/// The order of chess's planes.
const MEN: [crate::view::Figure; 6] = [
    crate::view::Figure::Pawn,
    crate::view::Figure::Knight,
    crate::view::Figure::Bishop,
    crate::view::Figure::Rook,
    crate::view::Figure::Queen,
    crate::view::Figure::King,
];

/// What pictures of a game look like.
#[derive(Clone, Debug, PartialEq)]
pub struct Style {
    game: GameId,
    look: Option<BoardLook>,
    channels: Vec<String>,
}

impl Style {
    /// That of a game, by a scene of it.
    pub fn new(game: &GameId, scene: &Scene) -> Self {
        let look = match scene {
            Scene::Board(board) => Some(match board.style {
                BoardStyle::TicTacToe => BoardLook::TicTacToe,
                BoardStyle::ConnectFour => BoardLook::ConnectFour,
                BoardStyle::Othello => BoardLook::Othello,
                BoardStyle::Stones => BoardLook::Stones,
                BoardStyle::Chess => BoardLook::Chess,
            }),
            Scene::Grid(_) | Scene::Screen(_) => None,
        };
        let channels = match scene {
            Scene::Grid(grid) => grid.channels.iter().map(|&name| name.to_owned()).collect(),
            _ => Vec::new(),
        };
        Self {
            game: game.clone(),
            look,
            channels,
        }
    }

    /// Whether cells can be clicked on to make a move.
    pub fn is_board(&self) -> bool {
        self.look.is_some()
    }

    /// A picture of planes, `[planes, rows, columns]`, in the first player's view.
    pub fn view(&self, name: String, shape: [usize; 3], planes: &[f32]) -> PictureView {
        let [_, rows, columns] = shape;
        if let Some(look) = self.look {
            return PictureView::Board(BoardView::new(name), self.board(look, shape, planes));
        }
        if self.channels.is_empty() {
            let grey = |&x: &f32| {
                let level = (x * 255.0).round() as u8;
                [level, level, level, u8::MAX]
            };
            let rgba: Vec<u8> = planes.iter().flat_map(grey).collect();
            let mut view = ImageView::new(name);
            if let Ok(image) = Image::new(columns as u32, rows as u32, rgba) {
                view.set(&Arc::new(image));
            }
            return PictureView::Screen(view);
        }
        let picture = GridPicture {
            rows,
            columns,
            names: self.channels.clone(),
            values: planes.to_vec(),
            legend: false,
        };
        PictureView::Grid(GridView::new(name), picture)
    }

    fn board(&self, look: BoardLook, shape: [usize; 3], planes: &[f32]) -> BoardPicture {
        let [count, rows, columns] = shape;
        let cells = rows * columns;
        let shown = piece_planes(&self.game, count);
        let best = |cell: usize| {
            let sure = (0..shown).map(|plane| (plane, planes[plane * cells + cell]));
            sure.max_by(|a, b| a.1.total_cmp(&b.1))
                // Not `< LEAST` to leave out, which lets NaN through.
                .filter(|(_, sure)| *sure >= LEAST)
        };
        let piece = |plane: usize| match look {
            BoardLook::Chess => BoardPiece::chess(plane / MEN.len(), MEN[plane % MEN.len()]),
            _ => BoardPiece::plain(plane),
        };
        let found: Vec<Option<(usize, f32)>> = (0..cells).map(best).collect();
        BoardPicture {
            look,
            rows,
            columns,
            opacity: (found.iter())
                .map(|on| on.map_or(0.0, |(_, sure)| if sure > 0.97 { 1.0 } else { sure }))
                .collect(),
            cells: (found.iter())
                .map(|on| on.map(|(plane, _)| piece(plane)))
                .collect(),
            ..BoardPicture::default()
        }
    }
}

/// A picture with the view that shows it.
pub enum PictureView {
    Board(BoardView, BoardPicture),
    Grid(GridView, GridPicture),
    Screen(ImageView),
}

impl PictureView {
    /// Draws it; the cell that was clicked on. `wrong` cells get a frame.
    pub fn show(&mut self, ui: &mut Ui, size: Vec2, wrong: &[usize]) -> Option<usize> {
        let stroke = Stroke::new(1.6, theme::tokens(ui).bad);
        let frame = |ui: &Ui, rect: Rect, side: f32| {
            let corner = side * 0.14;
            let rect = rect.shrink(1.0);
            (ui.painter()).rect_stroke(rect, corner, stroke, StrokeKind::Inside);
        };
        match self {
            Self::Board(view, picture) => {
                let shown = view.show(ui, size, picture, &theme::boards(ui.visuals()));
                for rect in wrong.iter().filter_map(|&cell| shown.cells.get(cell)) {
                    frame(ui, *rect, rect.width());
                }
                shown.clicked
            }
            Self::Grid(view, picture) => {
                let shown = view.show(ui, size, picture, &theme::grid(ui.visuals()));
                let side = shown.cells.width() / picture.columns.max(1) as f32;
                for &cell in wrong {
                    let place = vec2(
                        (cell % picture.columns) as f32,
                        (cell / picture.columns) as f32,
                    );
                    let corner = shown.cells.min + place * side;
                    frame(ui, Rect::from_min_size(corner, Vec2::splat(side)), side);
                }
                None
            }
            Self::Screen(view) => {
                view.show(ui, size);
                None
            }
        }
    }

    /// The cell that is picked up, on a board.
    pub fn select(&mut self, cell: Option<usize>) {
        if let Self::Board(_, picture) = self {
            picture.selected = cell;
        }
    }

    /// Height of a picture of this width, in the shape of its cells.
    pub fn height(shape: [usize; 3], width: f32) -> f32 {
        width * shape[1] as f32 / shape[2].max(1) as f32
    }
}

/// The cells that show something else; none of a screen, where too many do.
pub fn wrong_cells(game: &GameId, shape: [usize; 3], a: &[f32], b: &[f32]) -> Vec<usize> {
    if matches!(game, GameId::Atari(_)) {
        return Vec::new();
    }
    let cells = shape[1] * shape[2];
    let shown = piece_planes(game, shape[0]);
    let differs = |at: usize| (a[at] >= 0.5) != (b[at] >= 0.5);
    (0..cells)
        .filter(|cell| (0..shown).any(|plane| differs(plane * cells + cell)))
        .collect()
}
