//! Moves as actions, seen from the mover's side.
//!
//! The board is turned upside down for black, so that the mover's pawns always go up. Cells count
//! row by row from the top of what the mover sees: for white cell 0 is a8, for black a1. Files keep
//! their order, so a king's side stays the king's side. Observations and actions share this frame.
//!
//! Action `from * 64 + to` moves a piece; a king that castles moves two files; a pawn that reaches
//! the last row becomes a queen. After these 4096 come promotions to less: for knight, bishop and
//! rook, for each file of the pawn, to the left, straight on and to the right.

use cozy_chess::{Board, Color, File, Move, Piece, Square};

/// Squares of the board.
pub(super) const CELLS: usize = 64;
/// Actions that say where from and where to.
const PLAIN: usize = CELLS * CELLS;
/// What a pawn may become other than a queen, in the order of the actions.
const LESS: [Piece; 3] = [Piece::Knight, Piece::Bishop, Piece::Rook];
/// Promotions to one piece: 8 files, 3 directions.
const WAYS: usize = 24;
/// All actions.
pub(super) const ACTIONS: usize = PLAIN + LESS.len() * WAYS;

/// An action taken apart, in the mover's frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends {
    /// The cell a piece leaves.
    pub from: usize,
    /// The cell it comes to.
    pub to: usize,
    /// For promotions to less than a queen: 0 knight, 1 bishop, 2 rook.
    pub promotion: Option<usize>,
}

/// Takes an action of chess apart; `None` where there is no such action, or where a pawn would
/// leave the board sideways.
#[must_use]
pub fn chess_ends(action: usize) -> Option<Ends> {
    if action < PLAIN {
        return Some(Ends {
            from: action / CELLS,
            to: action % CELLS,
            promotion: None,
        });
    }
    let (piece, way) = ((action - PLAIN) / WAYS, (action - PLAIN) % WAYS);
    let (file, direction) = (way / 3, way % 3);
    let to = (file + direction).checked_sub(1).filter(|&to| to < 8)?;
    (piece < LESS.len()).then_some(Ends {
        from: 8 + file,
        to,
        promotion: Some(piece),
    })
}

/// The square of a cell the mover sees.
pub(super) fn square(cell: usize, mover: Color) -> Square {
    let square = Square::index(cell);
    match mover {
        Color::White => square.flip_rank(),
        Color::Black => square,
    }
}

/// The cell of a square as the mover sees it.
pub(super) fn cell(square: Square, mover: Color) -> usize {
    match mover {
        Color::White => square.flip_rank() as usize,
        Color::Black => square as usize,
    }
}

/// Whether a pawn could go from one cell to the other and be promoted there.
pub(super) fn is_promotion(from: usize, to: usize) -> bool {
    from / 8 == 1 && to / 8 == 0 && (from % 8).abs_diff(to % 8) <= 1
}

/// The action of a move between squares, or `None` where nothing can be promoted.
pub(super) fn action(
    from: Square,
    to: Square,
    promotion: Option<Piece>,
    mover: Color,
) -> Option<usize> {
    let (from, to) = (cell(from, mover), cell(to, mover));
    if promotion.is_some() && !is_promotion(from, to) {
        return None;
    }
    let less = LESS.iter().position(|&piece| Some(piece) == promotion);
    Some(less.map_or(from * CELLS + to, |piece| {
        PLAIN + piece * WAYS + from % 8 * 3 + (to + 1 - from % 8)
    }))
}

/// The action of a legal move.
pub(super) fn action_of_move(board: &Board, step: Move) -> Option<usize> {
    let mover = board.side_to_move();
    // The crate writes castling as the king taking its own rook.
    let to = if board.colors(mover).has(step.to) {
        let file = if step.from.file() < step.to.file() {
            File::G
        } else {
            File::C
        };
        Square::new(file, step.from.rank())
    } else {
        step.to
    };
    action(step.from, to, step.promotion, mover)
}

/// The move of an action in a position, legal or not; `None` where it cannot be one.
pub(super) fn move_of_action(board: &Board, action: usize) -> Option<Move> {
    let mover = board.side_to_move();
    let ends = chess_ends(action)?;
    let (from, to) = (square(ends.from, mover), square(ends.to, mover));
    let piece = board.piece_on(from)?;
    let mut step = Move {
        from,
        to,
        promotion: ends.promotion.map(|piece| LESS[piece]),
    };
    let files = (from.file() as usize).abs_diff(to.file() as usize);
    if piece == Piece::King && files == 2 && from.rank() == to.rank() {
        let rights = board.castle_rights(mover);
        let rook = if from.file() < to.file() {
            rights.short
        } else {
            rights.long
        };
        step.to = Square::new(rook?, from.rank());
    } else if board.colors(mover).has(to) {
        return None;
    }
    if piece == Piece::Pawn && is_promotion(ends.from, ends.to) {
        step.promotion = step.promotion.or(Some(Piece::Queen));
    }
    Some(step)
}
