//! Pictures in the first player's view, against the boards that are drawn.

use vitrine::demos::muzero::game::{Game, GameId, Kind, Scene, open};
use vitrine::demos::muzero::imagination::{difference, fixed_view, piece_planes};
use vitrine::demos::muzero::self_play::random_action;
use vitrine::rng::Rng;

/// The first player's view of a position, made from the board that is drawn.
fn drawn(game: &dyn Game, planes: usize) -> Vec<f32> {
    let Scene::Board(board) = game.scene() else {
        panic!("a board");
    };
    let cells = board.rows * board.columns;
    let mut picture = vec![0.0; planes * cells];
    for (cell, piece) in board.cells.iter().enumerate() {
        let Some(piece) = piece else { continue };
        let kind = match piece.kind {
            Kind::Stone | Kind::Pawn => 0,
            Kind::Knight => 1,
            Kind::Bishop => 2,
            Kind::Rook => 3,
            Kind::Queen => 4,
            Kind::King => 5,
        };
        let plane = piece.player as usize * planes / 2 + kind;
        picture[plane * cells + cell] = 1.0;
    }
    picture
}

#[test]
fn the_view_is_that_of_the_board_whoever_moves() {
    for id in GameId::built_in().filter(|id| !matches!(id, GameId::MinAtar(_))) {
        let mut game = open(&id).expect("built in");
        let shape = game.spec().observation;
        let (size, cells) = (shape.iter().product(), shape[1] * shape[2]);
        let shown = piece_planes(&id, shape[0]);
        let mut rng = Rng::new(7);
        for _ in 0..30 {
            if game.is_over() {
                break;
            }
            let mut picture = vec![0.0; size];
            game.observe(&mut picture);
            fixed_view(&id, shape, game.to_play(), &mut picture);
            let picture = &picture[..shown * cells];
            assert_eq!(picture, drawn(&*game, shown), "{id}");
            let actions = game.spec().actions;
            let action = random_action(&*game, actions, &mut rng);
            game.step(action).expect("legal");
        }
    }
}

#[test]
fn differences_are_counted_by_cells() {
    let shape = [2, 1, 4];
    let a = [0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0];
    let b = [0.9, 0.4, 0.0, 0.0, 0.2, 0.0, 0.0, 0.6];
    // Cell 0 is wrong in both planes, cell 3 in one.
    let found = difference(&GameId::TicTacToe, shape, &a, &b);
    assert!((found.wrong - 0.5).abs() < 1e-6, "{found:?}");
    assert!((found.mean - 2.7 / 8.0).abs() < 1e-6, "{found:?}");
    let screen = difference(&GameId::Atari("pong".into()), shape, &a, &b);
    assert!((screen.wrong - 0.75).abs() < 1e-6, "{screen:?}");
}
