//! What every board game promises.

use std::collections::HashSet;

use vitrine::demos::muzero::game::{Board, BoardStyle, Game, GameId, Outcome, Player, open};
use vitrine::rng::Rng;

use super::{BOARDS, after, begin, board, legal, observe, play, random_game};

/// All that can be seen of a game.
#[derive(Debug, PartialEq)]
struct Seen {
    planes: Vec<f32>,
    legal: Vec<usize>,
    board: Board,
    to_play: Player,
    outcome: Option<Outcome>,
}

fn seen(game: &dyn Game) -> Seen {
    Seen {
        planes: observe(game),
        legal: legal(game),
        board: board(game),
        to_play: game.to_play(),
        outcome: game.outcome(),
    }
}

/// Every game, with how many random games are played of it.
fn games() -> impl Iterator<Item = (&'static str, u64)> {
    BOARDS
        .into_iter()
        .map(|name| (name, if name == "chess" { 3 } else { 10 }))
}

#[test]
fn exactly_the_legal_actions_are_taken_and_the_others_change_nothing() {
    for (name, seeds) in games() {
        for seed in 0..seeds {
            random_game(name, seed, |game| {
                let before = seen(game);
                let legal: HashSet<usize> = before.legal.iter().copied().collect();
                assert_eq!(game.is_over(), legal.is_empty(), "{name}");
                let mut copy = game.boxed_clone().expect("a copy");
                let actions = game.spec().actions;
                for action in (0..actions + 3).chain([usize::MAX]) {
                    if !legal.contains(&action) {
                        assert!(copy.step(action).is_err(), "{name}, action {action}");
                    }
                }
                assert_eq!(
                    seen(copy.as_ref()),
                    before,
                    "{name}: refused moves change nothing"
                );
            });
        }
    }
}

#[test]
fn a_copy_goes_on_alone() {
    for (name, seeds) in games() {
        for seed in 0..seeds {
            random_game(name, seed, |game| {
                let before = seen(game);
                for &action in before.legal.iter().take(3) {
                    let next = after(game, action);
                    assert_ne!(seen(next.as_ref()), before, "{name}");
                }
                assert_eq!(seen(game), before, "{name}");
            });
        }
    }
}

#[test]
fn rewards_turns_and_ends_agree() {
    let mut outcomes = HashSet::new();
    for (name, seeds) in games() {
        for seed in 100..100 + 4 * seeds {
            let mut rng = Rng::new(seed);
            let mut game = begin(name);
            let mut steps = 0;
            let mut reward = 0.0;
            let mut mover = Player::First;
            assert_eq!(game.to_play(), mover);
            while !game.is_over() {
                assert_eq!(game.outcome(), None);
                assert!(reward == 0.0, "{name}: nothing is earned before the end");
                let moves = legal(game.as_ref());
                mover = game.to_play();
                reward = game.step(moves[rng.below(moves.len())]).expect("legal");
                assert_eq!(
                    game.to_play(),
                    mover.other(),
                    "{name}: every move passes the turn"
                );
                steps += 1;
            }
            assert!(steps <= game.spec().max_steps, "{name}: {steps}");
            let outcome = game.outcome().expect("the end of a game for two");
            let earned = match outcome {
                Outcome::Drawn => 0.0,
                Outcome::Won(winner) if winner == mover => 1.0,
                Outcome::Won(_) => -1.0,
            };
            assert!(
                (reward - earned).abs() < 1e-6,
                "{name}: {reward}, {outcome:?}"
            );
            outcomes.insert((name, outcome == Outcome::Drawn));
            game.reset(Rng::new(seed)).expect("begins anew");
            assert_eq!(seen(game.as_ref()), seen(begin(name).as_ref()), "{name}");
        }
    }
    assert!(outcomes.len() > BOARDS.len(), "{outcomes:?}: draws too");
}

/// The own pieces come first, and the board is drawn the same whoever moves.
#[test]
fn the_observation_is_that_of_the_player_to_move() {
    for (name, seeds) in games() {
        for seed in 0..seeds {
            random_game(name, seed, |game| {
                let planes = observe(game);
                assert!(planes.iter().all(|x| (0.0..=1.0).contains(x)), "{name}");
                let board = board(game);
                let [_, rows, columns] = game.spec().observation;
                let cells = rows * columns;
                assert_eq!(
                    (board.rows, board.columns, board.cells.len()),
                    (rows, columns, cells)
                );
                let kinds = if board.style == BoardStyle::Chess {
                    6
                } else {
                    1
                };
                let mirrored = kinds == 6 && game.to_play() == Player::Second;
                for cell in 0..cells {
                    let (row, column) = (cell / columns, cell % columns);
                    let shown = if mirrored {
                        (rows - 1 - row) * columns + column
                    } else {
                        cell
                    };
                    let on = |plane: usize| planes[plane * cells + cell] > 0.5;
                    let own = (0..kinds).find(|&kind| on(kind));
                    let other = (0..kinds).find(|&kind| on(kinds + kind));
                    let piece = board.cells[shown];
                    let known = |player| {
                        let piece = piece.filter(|piece| piece.player == player)?;
                        Some(if kinds == 1 {
                            0
                        } else {
                            piece.kind as usize - 1
                        })
                    };
                    assert_eq!(own, known(game.to_play()), "{name}");
                    assert_eq!(other, known(game.to_play().other()), "{name}");
                }
            });
        }
    }
}

#[test]
fn moves_are_named_and_found_again() {
    for (name, seeds) in games() {
        for seed in 0..seeds {
            random_game(name, seed, |game| {
                let moves = legal(game);
                let names: HashSet<String> = moves
                    .iter()
                    .map(|&action| game.action_name(action))
                    .collect();
                assert_eq!(names.len(), moves.len(), "{name}: names differ");
                for &action in &moves {
                    let written = game.action_name(action);
                    for spelling in [format!(" {written} "), written.to_uppercase()] {
                        let read = game.parse_action(&spelling).expect("a name");
                        assert_eq!(read, action, "{name}: {written}");
                    }
                    let cells = game.cells(action);
                    let next = after(game, action);
                    let board = board(next.as_ref());
                    assert_eq!(cells.to.is_none(), written == "pass", "{name}");
                    if let Some(to) = cells.to {
                        let piece = board.cells[to].expect("the piece that moved");
                        assert_eq!(piece.player, game.to_play(), "{name}");
                        assert!(board.last.contains(&to), "{name}");
                    } else {
                        assert!(board.last.is_empty(), "{name}");
                    }
                    assert!(cells.from.is_none_or(|from| board.cells[from].is_none()));
                }
            });
        }
    }
}

#[test]
fn what_is_no_name_is_refused() {
    let wrong = [
        "",
        " ",
        "x",
        "a0",
        "a10",
        "I5",
        "j10",
        "é",
        "1a",
        "a1a",
        "-1",
        "+1",
        "0",
        "01",
        "99999999999999999999",
        "e2e4e5",
        "passs",
        "\u{1F600}",
    ];
    for name in BOARDS {
        let game = begin(name);
        for text in wrong {
            assert!(game.parse_action(text).is_err(), "{name}: {text:?}");
        }
    }
    assert!(begin("connect4").parse_action("8").is_err());
    assert_eq!(begin("tictactoe").parse_action("5").expect("the middle"), 4);
    assert_eq!(
        begin("tictactoe").parse_action("b2").expect("the middle"),
        4
    );
    assert_eq!(begin("othello8").parse_action("d3").expect("a square"), 19);
    assert_eq!(begin("go9").parse_action("A9").expect("a crossing"), 0);
    assert_eq!(begin("go9").parse_action("J1").expect("a crossing"), 80);
    assert_eq!(begin("gomoku").parse_action("e5").expect("a crossing"), 40);
}

#[test]
fn lines_that_win_are_marked() {
    let cases = [
        ("tictactoe", "1 4 2 5 3", vec![0, 1, 2], Player::First),
        ("tictactoe", "1 3 2 5 9 7", vec![2, 4, 6], Player::Second),
        (
            "connect4",
            "1 2 1 2 1 2 1",
            vec![14, 21, 28, 35],
            Player::First,
        ),
        (
            "connect4",
            "1 4 4 5 5 6 6 7",
            vec![38, 39, 40, 41],
            Player::Second,
        ),
        (
            "gomoku",
            "A9 A1 B9 A2 D9 A3 E9 A4 C9",
            vec![0, 1, 2, 3, 4],
            Player::First,
        ),
    ];
    for (name, moves, marked, winner) in cases {
        let mut game = begin(name);
        play(game.as_mut(), moves);
        let mut found = board(game.as_ref()).marked;
        found.sort_unstable();
        assert_eq!(found, marked, "{name} {moves}");
        assert_eq!(game.outcome(), Some(Outcome::Won(winner)), "{name} {moves}");
    }
}

/// Longer lines win too, in every direction, and nothing wraps around an edge.
#[test]
fn lines_are_those_of_their_definition() {
    for (name, len, seeds) in [
        ("tictactoe", 3, 40),
        ("connect4", 4, 300),
        ("gomoku", 5, 60),
    ] {
        let mut won = 0;
        for seed in 0..seeds {
            random_game(name, seed, |game| {
                let board = board(game);
                let mut marked = line_cells(&board, len);
                let is_won = matches!(game.outcome(), Some(Outcome::Won(_)));
                assert_eq!(is_won, !marked.is_empty(), "{name}, seed {seed}");
                marked.sort_unstable();
                marked.dedup();
                let mut found = board.marked;
                found.sort_unstable();
                found.dedup();
                assert_eq!(found, marked, "{name}, seed {seed}");
                won += u64::from(is_won);
            });
        }
        assert!(won > seeds / 3, "{name}: {won}");
    }
}

fn int(number: usize) -> i32 {
    i32::try_from(number).expect("a small number")
}

/// All cells of lines of one player's pieces.
fn line_cells(board: &Board, len: i32) -> Vec<usize> {
    let (rows, columns) = (int(board.rows), int(board.columns));
    let mut all = Vec::new();
    for cell in 0..rows * columns {
        for (down, right) in [(0, 1), (1, 0), (1, 1), (1, -1)] {
            let line = (0..len).map(|i| (cell / columns + i * down, cell % columns + i * right));
            let inside = |&(row, column): &(i32, i32)| {
                (0..rows).contains(&row) && (0..columns).contains(&column)
            };
            let line: Vec<usize> = line
                .filter(inside)
                .map(|(row, column)| (row * columns + column) as usize)
                .collect();
            let owner = board.cells[cell as usize];
            let same = line.iter().all(|&other| board.cells[other] == owner);
            if owner.is_some() && line.len() == len as usize && same {
                all.extend(line);
            }
        }
    }
    all
}

/// The plain definition, a square and a direction at a time.
#[test]
fn othello_turns_what_its_definition_says() {
    for name in ["othello6", "othello8"] {
        for seed in 0..20 {
            random_game(name, seed, |game| {
                let before = board(game);
                for action in 0..before.cells.len() {
                    let turned = turned(&before, action, game.to_play());
                    let is_legal = legal(game).contains(&action);
                    assert_eq!(is_legal, !turned.is_empty() && !game.is_over(), "{name}");
                    if is_legal {
                        let after = board(after(game, action).as_ref());
                        let mut touched: HashSet<usize> = turned.into_iter().collect();
                        touched.insert(action);
                        for cell in 0..before.cells.len() {
                            let changed = after.cells[cell] != before.cells[cell];
                            assert_eq!(changed, touched.contains(&cell), "{name}");
                        }
                        assert_eq!(after.last.into_iter().collect::<HashSet<_>>(), touched);
                    }
                }
            });
        }
    }
}

fn turned(board: &Board, cell: usize, player: Player) -> Vec<usize> {
    let size = int(board.rows);
    let mut all = Vec::new();
    if board.cells[cell].is_some() {
        return all;
    }
    for (down, right) in (0..9)
        .map(|i| (i / 3 - 1, i % 3 - 1))
        .filter(|&d| d != (0, 0))
    {
        let mut run = Vec::new();
        let (mut row, mut column) = (int(cell) / size, int(cell) % size);
        loop {
            row += down;
            column += right;
            if !(0..size).contains(&row) || !(0..size).contains(&column) {
                break;
            }
            let place = (row * size + column) as usize;
            match board.cells[place] {
                Some(piece) if piece.player == player => {
                    all.append(&mut run);
                    break;
                }
                Some(_) => run.push(place),
                None => break,
            }
        }
    }
    all
}

#[test]
fn the_list_of_games_and_the_list_of_boards_agree() {
    let boards: Vec<GameId> = GameId::built_in()
        .filter(|id| !matches!(id, GameId::MinAtar(_)))
        .collect();
    let named: Vec<GameId> = BOARDS
        .iter()
        .map(|name| name.parse().expect("a name"))
        .collect();
    assert_eq!(boards, named);
    assert!(boards.iter().all(|id| open(id).is_ok()));
}
