//! Boards of games: crosses and circles, discs, stones, chess pieces; with marks, legal moves, a
//! cursor for the keyboard, and a heat map of what a program thinks.
//!
//! A [`BoardPicture`] says what is on the board, a [`BoardView`] draws it with [`Shapes`] and
//! answers what was pointed at and chosen. It knows no rules.

mod draw;
mod ground;
mod layout;
mod names;
mod pieces;
mod text;

use egui::{Color32, EventFilter, Key, Rect, Response, Role, Sense, Ui, Vec2, WidgetInfo};

use self::layout::Layout;
use super::speak::{Part, is_heard};
use super::{ColorMap, Figure, Shapes};

/// How a board looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum BoardLook {
    /// Crosses and circles between lines.
    #[default]
    TicTacToe,
    /// Discs behind round holes of a standing frame; a whole column is pointed at.
    ConnectFour,
    /// Discs on squares of felt.
    Othello,
    /// Stones on the crossings of lines, with star points where the size has any.
    Stones,
    /// Chess pieces on squares of two colours.
    Chess,
}

/// A piece and whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BoardPiece {
    /// 0 for who moves first, 1 for the other.
    pub side: usize,
    /// Which chess piece; `None` on other boards.
    pub figure: Option<Figure>,
}

impl BoardPiece {
    /// A stone, disc, cross or circle of this side.
    #[must_use]
    pub fn plain(side: usize) -> Self {
        Self { side, figure: None }
    }

    /// A chess piece of this side.
    #[must_use]
    pub fn chess(side: usize, figure: Figure) -> Self {
        Self {
            side,
            figure: Some(figure),
        }
    }
}

/// What is on a board. Cells are numbered row by row from the top left.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BoardPicture {
    /// How it looks.
    pub look: BoardLook,
    /// Rows.
    pub rows: usize,
    /// Columns.
    pub columns: usize,
    /// The pieces, one entry a cell; what is missing is empty.
    pub cells: Vec<Option<BoardPiece>>,
    /// How sure each piece is, in `[0, 1]`: less is seen through, as on a board that a net
    /// imagines. Empty where all are certain.
    pub opacity: Vec<f32>,
    /// Cells that the last move touched.
    pub last: Vec<usize>,
    /// A line that won, in order; it is struck through where that is the custom.
    pub winning: Vec<usize>,
    /// A king in check.
    pub check: Option<usize>,
    /// The piece that the next move puts down, shown under the pointer on a target.
    pub ghost: Option<BoardPiece>,
    /// The cell that was picked up from.
    pub selected: Option<usize>,
    /// Where one may move now.
    pub targets: Vec<usize>,
    /// Whether targets have a dot.
    pub show_targets: bool,
    /// A value in `[0, 1]` for each cell, drawn as a colour; `NaN` and zero draw nothing. Empty for
    /// no heat map.
    pub heat: Vec<f32>,
    /// A short text for each cell, such as its share of visits; empty for none.
    pub notes: Vec<String>,
    /// Whether letters and numbers stand around the board.
    pub coordinates: bool,
    /// Turned by half, for who sits on the other side.
    pub turned: bool,
}

/// A piece's colours.
#[derive(Clone, Copy, Debug)]
pub struct PieceColors {
    /// Its body.
    pub fill: Color32,
    /// Its outline, and what is drawn on it.
    pub edge: Color32,
}

/// The colours of one kind of board.
#[derive(Clone, Copy, Debug)]
pub struct Surface {
    /// The ground, or the light squares.
    pub ground: Color32,
    /// The dark squares, or what shows through holes.
    pub second: Color32,
    /// Lines and points on it.
    pub line: Color32,
    /// Its rim.
    pub rim: Color32,
    /// A line that won.
    pub win: Color32,
    /// The heat map's colours on it.
    pub heat: ColorMap,
    /// Where in those colours the heat map begins and ends, 0 to 1.
    pub heat_range: [f32; 2],
    /// The first and the second player's pieces.
    pub pieces: [PieceColors; 2],
}

/// The colours of all boards; whoever shows one fills it from the theme.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the first five are the names of the looks")]
pub struct BoardColors {
    pub tic_tac_toe: Surface,
    pub connect_four: Surface,
    pub othello: Surface,
    pub stones: Surface,
    pub chess: Surface,
    /// Below raised things; transparent enough to lie on any ground.
    pub shadow: Color32,
    /// The cursor, what is selected, where one may move.
    pub accent: Color32,
    /// What the last move touched.
    pub last: Color32,
    /// A king in check.
    pub danger: Color32,
    /// Letters and numbers around the board.
    pub label: Color32,
    /// Text on a dark and on a light ground.
    pub ink: [Color32; 2],
}

impl BoardColors {
    /// The colours of a kind of board.
    #[must_use]
    pub fn surface(&self, look: BoardLook) -> &Surface {
        match look {
            BoardLook::TicTacToe => &self.tic_tac_toe,
            BoardLook::ConnectFour => &self.connect_four,
            BoardLook::Othello => &self.othello,
            BoardLook::Stones => &self.stones,
            BoardLook::Chess => &self.chess,
        }
    }
}

/// What a shown [`BoardView`] answers.
pub struct BoardResponse {
    /// The board as a whole; it has the keyboard's focus.
    pub response: Response,
    /// The cell under the pointer.
    pub hovered: Option<usize>,
    /// The cell that was chosen by a click, by Enter or Space at the cursor, or by a screen reader.
    pub clicked: Option<usize>,
    /// Where each cell lies, in points, for overlays and tests.
    pub cells: Vec<Rect>,
}

/// Shows a [`BoardPicture`]. Kept between frames.
///
/// A click chooses a cell. With the keyboard's focus arrows move a cursor, Home and End go to the
/// ends of its row, Enter or Space chooses its cell. For screen readers every cell is a button with its
/// coordinate and content.
pub struct BoardView {
    label: String,
    cursor: usize,
    shapes: Shapes,
}

/// What the pointer and the keyboard are at.
#[derive(Clone, Copy, Default)]
struct Attention {
    hovered: Option<usize>,
    cursor: Option<usize>,
}

impl BoardView {
    /// A view named to screen readers and tests.
    #[must_use]
    pub fn new(label: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            cursor: 0,
            shapes: Shapes::default(),
        }
    }

    /// Draws the board as large as it fits into `size` points, in the middle.
    pub fn show(
        &mut self,
        ui: &mut Ui,
        size: Vec2,
        picture: &BoardPicture,
        colors: &BoardColors,
    ) -> BoardResponse {
        let (rect, response) = ui.allocate_exact_size(size, Sense::click());
        let enabled = ui.is_enabled();
        response.widget_info(|| WidgetInfo::labeled(Role::Grid, enabled, &self.label));
        let layout = Layout::new(rect, picture, ui.ctx().pixels_per_point());
        let count = layout.count();
        let hovered = (response.hover_pos()).and_then(|pos| layout.cell_at(pos));
        let mut clicked = hovered.filter(|_| response.clicked());
        if let Some(cell) = clicked {
            response.request_focus();
            self.cursor = cell;
        }
        clicked = clicked.or_else(|| self.keys(ui, &response, &layout));
        let spoken = speak(ui, &response, &layout, picture);
        clicked = clicked.or(spoken);

        let attention = Attention {
            hovered: hovered.filter(|_| enabled),
            cursor: (response.has_focus() && count > 0).then_some(self.cursor),
        };
        if ui.is_rect_visible(rect) && count > 0 {
            let shapes = draw::shapes(&layout, picture, colors, attention);
            let shapes = shapes
                .into_iter()
                .map(|shape| shape.moved(-rect.min.to_vec2()))
                .collect();
            self.shapes.show(ui, rect, shapes);
            text::paint(ui, &layout, picture, colors);
        }
        BoardResponse {
            response,
            hovered,
            clicked,
            cells: (0..count).map(|cell| layout.rect(cell)).collect(),
        }
    }

    /// Moves the cursor; the cell that was chosen at it.
    fn keys(&mut self, ui: &Ui, response: &Response, layout: &Layout) -> Option<usize> {
        let count = layout.count();
        if count == 0 || !response.has_focus() {
            return None;
        }
        self.cursor = self.cursor.min(count - 1);
        ui.memory_mut(|memory| {
            let filter = EventFilter {
                horizontal_arrows: true,
                vertical_arrows: true,
                ..EventFilter::default()
            };
            memory.set_focus_lock_filter(response.id, filter);
        });
        ui.input(|input| {
            let by = |key: Key| input.num_presses(key).cast_signed();
            let [columns, rows] = layout.size();
            let (mut column, mut row) = layout.place(self.cursor);
            column += by(Key::ArrowRight) - by(Key::ArrowLeft);
            row += by(Key::ArrowDown) - by(Key::ArrowUp);
            if by(Key::Home) > 0 {
                column = 0;
            }
            if by(Key::End) > 0 {
                column = isize::MAX;
            }
            self.cursor = layout.cell(
                column.clamp(0, columns.cast_signed() - 1),
                row.clamp(0, rows.cast_signed() - 1),
            );
            (by(Key::Enter) + by(Key::Space) > 0).then_some(self.cursor)
        })
    }
}

/// One node a cell for screen readers; the cell that one of them chose.
fn speak(ui: &Ui, response: &Response, layout: &Layout, picture: &BoardPicture) -> Option<usize> {
    if !is_heard(ui, response) {
        return None;
    }
    // All are added, whichever was chosen.
    let mut chosen = None;
    for cell in 0..layout.count() {
        let part = Part {
            id: response.id.with(cell),
            role: Role::Button,
            rect: layout.rect(cell),
            name: names::name(picture, cell),
            value: names::value(picture, cell),
            can_choose: true,
        };
        if part.add(ui) {
            chosen = Some(cell);
        }
    }
    chosen
}
