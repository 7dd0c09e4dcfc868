//! Opponents: beside brute force over the rules and published values.

use vitrine::demos::muzero::arena::Position;
use vitrine::demos::muzero::game::{Game, GameId, Outcome, Scene, open as open_game};
use vitrine::demos::muzero::opponent::{
    AlphaBeta, Minimax, Opponent, OpponentId, Random, Solver, available, legal_actions, open,
    outcomes,
};
use vitrine::error::Error;
use vitrine::rng::Rng;

pub(crate) fn game(id: &GameId) -> Box<dyn Game> {
    open_game(id).expect("the game is built in")
}

/// A position after some random moves, none of which ends the game.
fn random_position(id: &GameId, plies: usize, rng: &mut Rng) -> Position {
    loop {
        let mut position = Position::new(game(id));
        while position.moves.len() < plies && !position.game.is_over() {
            let legal = legal_actions(position.game.as_ref());
            let action = legal[rng.below(legal.len())];
            position.play(action).expect("a legal move");
        }
        if !position.game.is_over() {
            return position;
        }
    }
}

fn after(game: &dyn Game, action: usize) -> Box<dyn Game> {
    let mut next = game.boxed_clone().expect("boards can be copied");
    next.step(action).expect("a legal move");
    next
}

/// 1, 0 or -1 for the player to move, by trying everything; 0 beyond the depth.
fn brute_force(game: &dyn Game, depth: u32) -> i32 {
    match game.outcome() {
        Some(Outcome::Drawn) => 0,
        Some(Outcome::Won(winner)) if winner == game.to_play() => 1,
        Some(Outcome::Won(_)) => -1,
        None if depth == 0 => 0,
        None => {
            let values = legal_actions(game).into_iter();
            let values = values.map(|action| -brute_force(after(game, action).as_ref(), depth - 1));
            values.max().expect("a move, as the game is not over")
        }
    }
}

/// Discs of the player to move less those of the other at the end of best play.
fn best_difference(game: &dyn Game) -> i32 {
    if game.is_over() {
        let Scene::Board(board) = game.scene() else {
            panic!("Othello is a board");
        };
        let own = |piece: &vitrine::demos::muzero::game::Piece| {
            if piece.player == game.to_play() {
                1
            } else {
                -1
            }
        };
        return board.cells.iter().flatten().map(own).sum();
    }
    let values = legal_actions(game).into_iter();
    let values = values.map(|action| -best_difference(after(game, action).as_ref()));
    values.max().expect("a move, as the game is not over")
}

#[test]
fn random_moves_are_legal_and_equally_likely() {
    let rng = Rng::new(1);
    let mut position = Position::new(game(&GameId::Othello6));
    position
        .play(legal_actions(position.game.as_ref())[0])
        .expect("legal");
    let legal = legal_actions(position.game.as_ref());
    let mut counts = vec![0; position.game.spec().actions];
    let mut random = Random::new(rng.split("one"));
    for _ in 0..3000 {
        counts[random
            .choose(position.game.as_ref(), &position.moves)
            .expect("a move")] += 1;
    }
    assert_eq!(
        legal.iter().map(|&action| counts[action]).sum::<i32>(),
        3000,
        "only legal ones"
    );
    // Five standard deviations.
    let mean = 3000.0 / legal.len() as f64;
    for action in legal {
        assert!(
            (f64::from(counts[action]) - mean).abs() < 5.0 * mean.sqrt(),
            "{counts:?}"
        );
    }
}

#[test]
fn minimax_knows_tic_tac_toe() {
    let mut minimax = Minimax::new(Rng::new(1));
    let start = game(&GameId::TicTacToe);
    assert_eq!(
        minimax.value(start.as_ref()).expect("solved"),
        0,
        "it is a draw"
    );
    // 5,478 positions, of which 958 are over.
    assert_eq!(minimax.positions(), 5478 - 958);
    let keeps = |minimax: &mut Minimax, opening| {
        let values = minimax
            .action_values(after(start.as_ref(), opening).as_ref())
            .expect("solved");
        let drawn = values.iter().filter(|&&(_, value)| value == 0);
        drawn.map(|&(action, _)| action).collect::<Vec<_>>()
    };
    assert_eq!(
        keeps(&mut minimax, 0),
        [4],
        "a corner is answered in the centre"
    );
    assert_eq!(
        keeps(&mut minimax, 4),
        [0, 2, 6, 8],
        "the centre in a corner"
    );
    let mut rng = Rng::new(2);
    for plies in [1, 2, 3, 4, 5, 6, 7] {
        let position = random_position(&GameId::TicTacToe, plies, &mut rng);
        let value = minimax.value(position.game.as_ref()).expect("solved");
        assert_eq!(i32::from(value), brute_force(position.game.as_ref(), 9));
    }
}

/// Within its depth alpha-beta finds what plain search finds: forced wins, and moves that do not
/// lose.
#[test]
fn alpha_beta_misses_nothing_within_its_depth() {
    let mut rng = Rng::new(3);
    let (mut won, mut lost) = (0, 0);
    for case in 0..120 {
        let position = random_position(&GameId::ConnectFour, 8 + case % 20, &mut rng);
        let game = position.game.as_ref();
        let depth = 4;
        let (chosen, value) = AlphaBeta::new(depth, Rng::new(1))
            .best(game)
            .expect("a move");
        let forced = brute_force(game, depth);
        assert_eq!(
            forced == 1,
            value >= 1_000_000,
            "{:?}: {value}",
            position.moves
        );
        assert_eq!(
            forced == -1,
            value <= -1_000_000,
            "{:?}: {value}",
            position.moves
        );
        won += i32::from(forced == 1);
        for action in chosen {
            let kept = -brute_force(after(game, action).as_ref(), depth - 1);
            assert_eq!(kept, forced, "{:?} then {action}", position.moves);
            let can_lose = legal_actions(game).into_iter();
            let can_lose =
                can_lose.map(|action| -brute_force(after(game, action).as_ref(), depth - 1));
            lost += i32::from(forced == 0 && can_lose.min() == Some(-1));
        }
    }
    assert!(
        won > 10 && lost > 10,
        "{won} to win, {lost} where a move would lose"
    );
}

#[test]
fn alpha_beta_plays_the_end_of_othello_exactly() {
    let mut rng = Rng::new(4);
    let mut seen = 0;
    while seen < 25 {
        let position = random_position(&GameId::Othello6, 27, &mut rng);
        let Scene::Board(board) = position.game.scene() else {
            panic!("Othello is a board");
        };
        if board.cells.iter().flatten().count() < 30 {
            continue;
        }
        seen += 1;
        let best = best_difference(position.game.as_ref());
        // Deeper than the moves and passes that are left.
        let (chosen, value) = AlphaBeta::new(12, Rng::new(1))
            .best(position.game.as_ref())
            .expect("a move");
        assert_eq!(value, best * 1_000_000, "{:?}", position.moves);
        for action in chosen {
            assert_eq!(
                -best_difference(after(position.game.as_ref(), action).as_ref()),
                best
            );
        }
    }
}

/// Each square and each side counts the same after turning the board.
#[test]
fn alpha_beta_passes_in_othello() {
    let mut rng = Rng::new(5);
    let mut passes = 0;
    for _ in 0..300 {
        let mut position = Position::new(game(&GameId::Othello8));
        while !position.game.is_over() {
            let legal = legal_actions(position.game.as_ref());
            if legal == [64] {
                passes += 1;
                let mut player = AlphaBeta::new(3, Rng::new(1));
                let chosen = player.choose(position.game.as_ref(), &position.moves);
                assert_eq!(chosen.expect("a pass"), 64);
            }
            position.play(legal[rng.below(legal.len())]).expect("legal");
        }
    }
    assert!(passes > 50, "{passes}");
}

#[test]
fn the_solver_knows_published_values() {
    // Allis 1988: the centre wins, its neighbours draw, all else loses.
    let first = outcomes(&[]).expect("the beginning");
    assert_eq!(first, [-1, -1, 0, 1, 0, -1, -1].map(Some));
    let mut rng = Rng::new(6);
    for _ in 0..30 {
        let position = random_position(&GameId::ConnectFour, 32, &mut rng);
        let game = position.game.as_ref();
        let graded = outcomes(&position.moves).expect("a game");
        let mut expected = [None; 7];
        for action in legal_actions(game) {
            expected[action] = Some(-brute_force(after(game, action).as_ref(), 42) as i8);
        }
        assert_eq!(graded, expected, "{:?}", position.moves);
        let mut solver = Solver::new(rng.split("ties"));
        let chosen = solver.choose(game, &position.moves).expect("a move");
        assert_eq!(
            expected[chosen],
            expected.iter().flatten().copied().max(),
            "{:?}",
            position.moves
        );
    }
    assert!(matches!(outcomes(&[7]), Err(Error::Input(_))), "no column");
    assert!(
        matches!(outcomes(&[0; 7]), Err(Error::Input(_))),
        "a full column"
    );
    assert!(
        matches!(outcomes(&[0, 1, 0, 1, 0, 1, 0, 1]), Err(Error::Input(_))),
        "after the end"
    );
}

/// From the empty board the solver wins as the first player, whoever plays against it.
#[test]
fn the_solver_wins_when_it_begins() {
    let rng = Rng::new(7);
    let mut position = Position::new(game(&GameId::ConnectFour));
    let mut players: [Box<dyn Opponent>; 2] = [
        Box::new(Solver::new(rng.split("solver"))),
        Box::new(AlphaBeta::new(6, rng.split("other"))),
    ];
    while !position.game.is_over() {
        let player = &mut players[position.moves.len() % 2];
        let action = player
            .choose(position.game.as_ref(), &position.moves)
            .expect("a move");
        position.play(action).expect("legal");
    }
    let won = Outcome::Won(vitrine::demos::muzero::game::Player::First);
    assert_eq!(position.game.outcome(), Some(won), "{:?}", position.moves);
}

#[test]
fn names_are_read_as_they_are_written() {
    for name in [
        "random",
        "minimax",
        "solver",
        "alphabeta:6",
        "gnugo:10",
        "stockfish:0",
        "fairy:-20",
    ] {
        let id: OpponentId = name.parse().expect("a name");
        assert_eq!(id.to_string(), name);
        let json = serde_json::to_string(&id).expect("serialises");
        assert_eq!(json, format!("{name:?}"));
        assert_eq!(
            serde_json::from_str::<OpponentId>(&json).expect("reads back"),
            id
        );
    }
    assert_eq!(
        "gnugo".parse::<OpponentId>().expect("a name"),
        OpponentId::GnuGo(1)
    );
    assert_eq!(
        "fairy".parse::<OpponentId>().expect("a name"),
        OpponentId::Fairy(-20)
    );
    for name in [
        "",
        "human",
        "random:1",
        "alphabeta:0",
        "alphabeta:13",
        "gnugo:x",
        "stockfish:-1",
        "fairy:21",
        "gnugo:",
    ] {
        let message = name.parse::<OpponentId>().expect_err(name).to_string();
        assert!(message.contains("alphabeta:1..12"), "{message}");
    }
}

#[test]
fn who_does_not_know_a_game_is_refused() {
    let rng = Rng::new(1);
    let refused = |id, game| {
        let opened = open(&id, &game, &rng);
        opened
            .err()
            .map(|error| error.to_string())
            .expect("refused")
    };
    let message = refused(OpponentId::Solver, GameId::Othello6);
    assert_eq!(
        message,
        "solver does not play othello6, these do: random, alphabeta:4"
    );
    let message = refused(OpponentId::Minimax, GameId::Atari("pong".to_owned()));
    assert_eq!(message, "minimax does not play atari:pong, nobody does");
    let all = available(&GameId::ConnectFour);
    assert_eq!(
        all,
        [
            OpponentId::Random,
            OpponentId::Solver,
            OpponentId::AlphaBeta(4)
        ]
    );
    // Whoever is offered plays.
    for id in [
        GameId::TicTacToe,
        GameId::ConnectFour,
        GameId::Othello6,
        GameId::Othello8,
    ] {
        for opponent in available(&id) {
            let mut made = open(&opponent, &id, &rng).expect("built in");
            let game = game(&id);
            let action = made.choose(game.as_ref(), &[]).expect("a move");
            assert!(
                legal_actions(game.as_ref()).contains(&action),
                "{opponent} in {id}"
            );
            assert_eq!(made.name(), opponent.to_string());
        }
    }
}
