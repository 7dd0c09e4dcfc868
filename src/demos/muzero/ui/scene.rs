//! From positions to pictures, and from clicks to moves.

use super::super::game::{Board, BoardStyle, Game, GameId, Grid, Kind, Player, Scene};
use super::super::live::Imagined;
use crate::view::Figure;
use crate::view::board::{BoardLook, BoardPicture, BoardPiece};
use crate::view::grid::GridPicture;

/// Whether two play it on a board.
pub fn is_board(game: &GameId) -> bool {
    !matches!(game, GameId::MinAtar(_) | GameId::Atari(_))
}

/// What the two sides are called, first the one who begins.
pub fn sides(game: &GameId) -> [&'static str; 2] {
    match game {
        GameId::TicTacToe => ["Crosses", "Circles"],
        GameId::ConnectFour => ["Red", "Yellow"],
        GameId::Chess => ["White", "Black"],
        _ => ["Black", "White"],
    }
}

/// How a position is looked at.
#[derive(Clone, Copy, Default)]
pub struct Sight<'a> {
    /// The cell that was picked up from.
    pub selected: Option<usize>,
    /// A number for each action, shown as colours and shares.
    pub heat: Option<&'a [f32]>,
    /// An action that is recommended.
    pub hint: Option<usize>,
    /// Seen from the other side.
    pub turned: bool,
    /// Whether a move may be made.
    pub can_move: bool,
    /// Whether letters and numbers stand around.
    pub coordinates: bool,
}

/// The picture of a position on a board.
pub fn picture(game: &dyn Game, sight: &Sight<'_>) -> Option<BoardPicture> {
    let Scene::Board(board) = game.scene() else {
        return None;
    };
    let mut picture = plain(&board, game.is_over());
    picture.coordinates = sight.coordinates;
    picture.turned = sight.turned;
    if sight.can_move && !game.is_over() {
        picture.selected = sight.selected;
        picture.targets = targets(game, sight.selected);
        picture.show_targets = match board.style {
            // The colours of a heat map say it already.
            BoardStyle::Othello => sight.heat.is_none(),
            BoardStyle::Chess => sight.selected.is_some(),
            _ => false,
        };
        if board.style != BoardStyle::Chess {
            picture.ghost = Some(BoardPiece::plain(game.to_play() as usize));
        }
    }
    if let Some(heat) = sight.heat {
        warm(&mut picture, game, heat, sight.selected);
    }
    if let Some(hint) = sight.hint {
        let cells = game.cells(hint);
        picture
            .notes
            .resize(picture.rows * picture.columns, String::new());
        if let Some(note) = cells.to.and_then(|to| picture.notes.get_mut(to)) {
            "Hint".clone_into(note);
        }
        picture.selected = picture.selected.or(cells.from);
    }
    Some(picture)
}

/// The picture of a board alone.
pub fn plain(board: &Board, is_over: bool) -> BoardPicture {
    let look = match board.style {
        BoardStyle::TicTacToe => BoardLook::TicTacToe,
        BoardStyle::ConnectFour => BoardLook::ConnectFour,
        BoardStyle::Othello => BoardLook::Othello,
        BoardStyle::Stones => BoardLook::Stones,
        BoardStyle::Chess => BoardLook::Chess,
    };
    let piece = |piece: super::super::game::Piece| BoardPiece {
        side: piece.player as usize,
        figure: figure(piece.kind),
    };
    let is_chess = board.style == BoardStyle::Chess;
    BoardPicture {
        look,
        rows: board.rows,
        columns: board.columns,
        cells: board.cells.iter().map(|cell| cell.map(piece)).collect(),
        last: board.last.clone(),
        winning: if is_over && !is_chess {
            board.marked.clone()
        } else {
            Vec::new()
        },
        check: board.marked.first().copied().filter(|_| is_chess),
        ..BoardPicture::default()
    }
}

fn figure(kind: Kind) -> Option<Figure> {
    Some(match kind {
        Kind::Stone => return None,
        Kind::Pawn => Figure::Pawn,
        Kind::Knight => Figure::Knight,
        Kind::Bishop => Figure::Bishop,
        Kind::Rook => Figure::Rook,
        Kind::Queen => Figure::Queen,
        Kind::King => Figure::King,
    })
}

/// The legal actions.
pub fn legal(game: &dyn Game) -> Vec<usize> {
    let mut legal = vec![false; game.spec().actions];
    game.legal(&mut legal);
    (0..legal.len()).filter(|&action| legal[action]).collect()
}

/// Where one may click: on pieces that can move, or where the selected one can go.
fn targets(game: &dyn Game, selected: Option<usize>) -> Vec<usize> {
    let mut cells: Vec<usize> = legal(game)
        .into_iter()
        .filter_map(|action| {
            let cells = game.cells(action);
            match (cells.from, selected) {
                (Some(from), Some(selected)) => cells.to.filter(|_| from == selected),
                (Some(from), None) => Some(from),
                (None, _) => cells.to,
            }
        })
        .collect();
    cells.sort_unstable();
    cells.dedup();
    cells
}

/// Colours cells by what a policy gives to the moves that come to them, or, with pieces that move,
/// leave them.
fn warm(picture: &mut BoardPicture, game: &dyn Game, policy: &[f32], selected: Option<usize>) {
    let count = picture.rows * picture.columns;
    let mut shares = vec![0.0_f32; count];
    for action in legal(game) {
        let cells = game.cells(action);
        let cell = match (cells.from, selected) {
            (Some(from), Some(selected)) => cells.to.filter(|_| from == selected),
            (Some(from), None) => Some(from),
            (None, _) => cells.to,
        };
        let share = policy.get(action).copied().unwrap_or(0.0);
        if let Some(cell) = cell.and_then(|cell| shares.get_mut(cell)) {
            *cell += share;
        }
    }
    let most = shares.iter().copied().fold(0.0, f32::max).max(1e-6);
    let note = |&share: &f32| {
        if share >= 0.005 {
            format!("{:.0}", share * 100.0)
        } else {
            String::new()
        }
    };
    picture.notes = shares.iter().map(note).collect();
    picture.heat = shares.iter().map(|share| share / most).collect();
}

/// What a click on a cell means.
#[derive(Debug, PartialEq, Eq)]
pub enum Click {
    /// Nothing.
    Nothing,
    /// This move.
    Play(usize),
    /// Another piece is picked up, or none.
    Select(Option<usize>),
    /// One of these promotions.
    Promote(Vec<usize>),
}

/// What a click means in a position.
pub fn click(game: &dyn Game, selected: Option<usize>, cell: usize) -> Click {
    let Scene::Board(board) = game.scene() else {
        return Click::Nothing;
    };
    let standing = board.style == BoardStyle::ConnectFour;
    let columns = board.columns.max(1);
    let hits = |to: usize| to == cell || (standing && to % columns == cell % columns);
    let actions = legal(game);
    if board.style != BoardStyle::Chess {
        let found = actions
            .into_iter()
            .find(|&action| game.cells(action).to.is_some_and(hits));
        return found.map_or(Click::Nothing, Click::Play);
    }
    let ends = |action: &usize| game.cells(*action);
    if let Some(from) = selected {
        let goes =
            |action: &usize| ends(action).from == Some(from) && ends(action).to == Some(cell);
        let found: Vec<usize> = actions.iter().copied().filter(goes).collect();
        match found.as_slice() {
            [] => {}
            [action] => return Click::Play(*action),
            _ => return Click::Promote(found),
        }
    }
    let can_leave = actions.iter().any(|action| ends(action).from == Some(cell));
    let next = (can_leave && selected != Some(cell)).then_some(cell);
    if next.is_some() || selected.is_some() {
        Click::Select(next)
    } else {
        Click::Nothing
    }
}

/// The legal pass, where there is one.
pub fn pass(game: &dyn Game) -> Option<usize> {
    let has_cells = matches!(game.scene(), Scene::Board(_));
    let mut actions = legal(game).into_iter();
    actions.find(|&action| has_cells && game.cells(action).to.is_none())
}

/// The picture of objects on a grid.
pub fn grid(grid: &Grid) -> GridPicture {
    GridPicture {
        rows: grid.rows,
        columns: grid.columns,
        names: grid
            .channels
            .iter()
            .map(|name| name.replace('_', " "))
            .collect(),
        values: grid
            .cells
            .iter()
            .map(|&on| f32::from(u8::from(on)))
            .collect(),
        legend: true,
    }
}

/// What a model imagines as a picture of this board; how sure it is of each piece is its heat.
pub fn imagined(game: &dyn Game, imagined: &Imagined) -> Option<BoardPicture> {
    let Scene::Board(board) = game.scene() else {
        return None;
    };
    let count = board.rows * board.columns;
    let is_chess = board.style == BoardStyle::Chess;
    let kinds = if is_chess { 6 } else { 1 };
    let turned = is_chess && imagined.to_play == Player::Second;
    let mut cells = vec![None; count];
    let mut notes = vec![String::new(); count];
    for (cell, drawn) in cells.iter_mut().enumerate() {
        // Black sees the chess board upside down.
        let seen = if turned { cell ^ 0o70 } else { cell };
        let likelihood = |plane: usize| imagined.planes.get(plane * count + seen).copied();
        let planes = (0..2 * kinds).filter_map(|plane| Some((plane, likelihood(plane)?)));
        let best = planes.max_by(|a, b| a.1.total_cmp(&b.1));
        let Some((plane, sure)) = best.filter(|(_, sure)| *sure > 0.25) else {
            continue;
        };
        let own = plane < kinds;
        let player = if own {
            imagined.to_play
        } else {
            imagined.to_play.other()
        };
        if sure < 0.5 {
            notes[cell] = format!("{:.0}%", sure * 100.0);
            continue;
        }
        let figure = is_chess.then(|| FIGURES[plane % kinds]);
        let side = player as usize;
        *drawn = Some(BoardPiece { side, figure });
        if sure < 0.9 {
            notes[cell] = format!("{:.0}%", sure * 100.0);
        }
    }
    Some(BoardPicture {
        cells,
        notes,
        last: Vec::new(),
        winning: Vec::new(),
        check: None,
        ..plain(&board, false)
    })
}

/// In the order of the observation's planes.
const FIGURES: [Figure; 6] = [
    Figure::Pawn,
    Figure::Knight,
    Figure::Bishop,
    Figure::Rook,
    Figure::Queen,
    Figure::King,
];

#[cfg(test)]
mod tests {
    use super::super::super::game::{Chess, ConnectFour, Game, Othello};
    use super::{Click, Sight, click, pass, picture};

    #[test]
    fn a_click_anywhere_in_a_column_drops_a_disc() {
        let mut game = ConnectFour::new();
        assert_eq!(click(&game, None, 3), Click::Play(3));
        game.step(3).expect("legal");
        let shown = picture(&game, &Sight::default()).expect("a board");
        assert_eq!(shown.last, [38], "the lowest cell of the fourth column");
        assert_eq!(shown.cells[38].map(|piece| piece.side), Some(0));
        for _ in 0..5 {
            game.step(3).expect("legal");
        }
        assert_eq!(click(&game, None, 3), Click::Nothing, "the column is full");
    }

    #[test]
    fn a_chessman_is_picked_up_and_put_down() {
        let mut game = Chess::new();
        // e2 is drawn in row 6 from the top, e4 in row 4.
        assert_eq!(click(&game, None, 52), Click::Select(Some(52)));
        let to = game.parse_action("e2e4").expect("a move");
        assert_eq!(click(&game, Some(52), 36), Click::Play(to));
        assert_eq!(click(&game, Some(52), 20), Click::Select(None));
        for name in [
            "a2a4", "b7b5", "a4b5", "h7h5", "b5b6", "h5h4", "b6a7", "h4h3",
        ] {
            let action = game.parse_action(name).expect("a move");
            game.step(action).expect("legal");
        }
        // a7 takes on b8 and is promoted.
        let Click::Promote(choices) = click(&game, Some(8), 1) else {
            panic!("no choice");
        };
        let mut names: Vec<String> = choices.iter().map(|&a| game.action_name(a)).collect();
        names.sort();
        assert_eq!(names, ["a7b8b", "a7b8n", "a7b8q", "a7b8r"]);
    }

    #[test]
    fn there_is_no_pass_where_one_must_move() {
        assert_eq!(pass(&Othello::<6>::new()), None);
        assert_eq!(pass(&super::super::super::game::Go::new()), Some(81));
    }
}
