//! Go: hand-made positions, and games recorded from GNU Go.

use serde::Deserialize;
use vitrine::demos::muzero::game::{Game, Go, KOMI, Outcome, Player};

use super::{begin, board, legal, observe, play};

const PASS: usize = 81;

fn after_moves(moves: &str) -> Box<dyn Game> {
    let mut game = begin("go9");
    play(game.as_mut(), moves);
    game
}

fn is_legal(game: &dyn Game, name: &str) -> bool {
    let action = game.parse_action(name).expect("a crossing");
    legal(game).contains(&action)
}

/// Whose stone lies on a crossing.
fn stone(game: &dyn Game, name: &str) -> Option<Player> {
    let cell = game.parse_action(name).expect("a crossing");
    board(game).cells[cell].map(|piece| piece.player)
}

#[test]
fn a_stone_without_liberties_is_taken() {
    let game = after_moves("D5 E5 E6 A1 F5 A2 E4");
    assert_eq!(stone(game.as_ref(), "E5"), None, "in the middle");
    assert_eq!(stone(game.as_ref(), "E4"), Some(Player::First));
    let game = after_moves("A2 A1 B1");
    assert_eq!(stone(game.as_ref(), "A1"), None, "in the corner");
}

#[test]
fn a_group_is_taken_whole_and_two_groups_at_once() {
    let game = after_moves("A2 A1 B2 B1 C1");
    assert!(
        ["A1", "B1"]
            .iter()
            .all(|name| stone(game.as_ref(), name).is_none())
    );
    // White on D9 and F9 both breathe at E9 only.
    let game = after_moves("C9 D9 D8 F9 F8 A1 G9 A2 E9");
    assert!(
        ["D9", "F9"]
            .iter()
            .all(|name| stone(game.as_ref(), name).is_none())
    );
}

#[test]
fn suicide_is_refused_unless_it_captures() {
    let alone = after_moves("A2 E5 B1");
    assert!(!is_legal(alone.as_ref(), "A1"), "one stone");
    let pair = after_moves("A3 A2 B2 E5 B1");
    assert!(!is_legal(pair.as_ref(), "A1"), "with its own group");
    assert_eq!(stone(pair.as_ref(), "A2"), Some(Player::Second));
    // A1 has no liberty, but it is the last one of the stones on A2 and B1.
    let mut taking = after_moves("A2 B2 B1 A3 E5 C1 E6");
    play(taking.as_mut(), "A1");
    assert!(
        ["A2", "B1"]
            .iter()
            .all(|name| stone(taking.as_ref(), name).is_none())
    );
}

#[test]
fn a_ko_may_not_be_retaken_at_once() {
    // Black takes E5 from D5; white may take back only after moves elsewhere.
    let mut game = after_moves("D6 E6 C5 F5 D4 E4 A1 D5 E5");
    assert_eq!(stone(game.as_ref(), "D5"), None, "taken");
    assert!(!is_legal(game.as_ref(), "D5"), "the ko");
    assert!(
        game.step(game.parse_action("D5").expect("a crossing"))
            .is_err()
    );
    play(game.as_mut(), "J9 J8");
    assert!(
        is_legal(game.as_ref(), "D5"),
        "after a threat and its answer"
    );
    play(game.as_mut(), "D5");
    assert_eq!(stone(game.as_ref(), "E5"), None);
    assert!(!is_legal(game.as_ref(), "E5"), "the other way round");
}

/// Sending two, returning one: white adds a second stone on A1, black takes both from C1, and white
/// taking C1 back from B1 would make the board what it was before A1, with the other to move. A rule
/// that looks back one move only, or also at who moves, would allow that.
#[test]
fn superko_sees_longer_cycles_whoever_is_to_move() {
    let game = after_moves("A2 C2 B2 D1 J9 B1 J8 A1 C1");
    assert!(
        ["A1", "B1"]
            .iter()
            .all(|name| stone(game.as_ref(), name).is_none())
    );
    assert!(!is_legal(game.as_ref(), "B1"));
    let mut later = after_moves("A2 C2 B2 D1 J9 B1 J8 A1 C1 J1 J2");
    play(later.as_mut(), "B1");
    assert_eq!(
        stone(later.as_ref(), "C1"),
        None,
        "taken, other stones lie elsewhere"
    );
    let mut passed = after_moves("A2 C2 B2 D1 J9 B1 J8 A1 C1 pass J7");
    play(passed.as_mut(), "B1");
}

#[test]
fn the_passes_end_the_game_and_areas_decide() {
    let mut game = begin("go9");
    play(game.as_mut(), "E5 pass");
    assert!(!game.is_over());
    let reward = game.step(PASS).expect("a pass");
    assert_eq!(game.outcome(), Some(Outcome::Won(Player::First)), "81 to 0");
    assert!(reward > 0.5, "black passed last");
    assert!(legal(game.as_ref()).is_empty());
    let mut empty = begin("go9");
    play(empty.as_mut(), "pass");
    let reward = empty.step(PASS).expect("a pass");
    assert_eq!(
        empty.outcome(),
        Some(Outcome::Won(Player::Second)),
        "7.5 to 0"
    );
    assert!(reward > 0.5, "white passed last");
}

/// A wall of each side: black has columns A to D, white F to J, and E touches both.
#[test]
fn an_empty_region_counts_where_it_touches_one_colour() {
    let mut game = Go::new();
    for row in 1..=9 {
        play(&mut game, &format!("D{row} F{row}"));
    }
    assert_eq!(game.areas(), [36, 36]);
    play(&mut game, "A1 E5");
    assert_eq!(game.areas(), [36, 37], "one of the neutral crossings");
    play(&mut game, "pass H5 pass J5 B5 pass pass");
    assert_eq!(game.outcome(), Some(Outcome::Won(Player::Second)));
}

#[test]
fn a_game_ends_at_its_last_step() {
    let games = recorded().random;
    let long = games
        .iter()
        .find(|game| game.moves.len() == 160)
        .expect("a long game");
    let mut game = after_moves(&long.moves.join(" "));
    let moves = legal(game.as_ref());
    game.step(moves[0]).expect("a stone");
    assert!(moves[0] != PASS && !game.is_over());
    game.step(PASS).expect("the first pass");
    assert!(game.is_over(), "the 162nd move");
    assert!(game.outcome().is_some());
}

#[test]
fn the_mover_sees_own_stones_first_three_past_boards_and_the_colour() {
    let game = after_moves("A9 J9 B9");
    let planes = observe(game.as_ref());
    let ones = |plane: usize| -> Vec<usize> {
        let plane = &planes[plane * 81..][..81];
        (0..81).filter(|&cell| plane[cell] > 0.5).collect()
    };
    let seen: Vec<Vec<usize>> = (0..8).map(ones).collect();
    let [a, b, j] = [0, 1, 8];
    assert_eq!(
        seen,
        [
            vec![j],
            vec![a, b],
            vec![j],
            vec![a],
            vec![],
            vec![a],
            vec![],
            vec![]
        ]
    );
    assert_eq!(ones(8).len(), 0, "white is to move");
    let black = observe(begin("go9").as_ref());
    assert!(black[8 * 81..].iter().all(|&x| x > 0.5));
}

#[derive(Deserialize)]
struct Recorded {
    random: Vec<RandomGame>,
    scored: Vec<ScoredGame>,
}

#[derive(Deserialize)]
struct RandomGame {
    moves: Vec<String>,
    legal: Vec<String>,
    stones: Vec<[String; 2]>,
}

#[derive(Deserialize)]
struct ScoredGame {
    moves: Vec<String>,
    score: String,
}

fn recorded() -> Recorded {
    serde_json::from_str(include_str!("../../data/muzero/gnugo.json")).expect("recorded games")
}

fn bits(hex: &str) -> Vec<usize> {
    let bits = u128::from_str_radix(hex, 16).expect("a hexadecimal number");
    (0..81).filter(|cell| bits >> cell & 1 == 1).collect()
}

#[test]
fn random_games_go_as_gnu_go_says() {
    let mut compared = 0;
    for (number, recorded) in recorded().random.iter().enumerate() {
        let mut game = begin("go9");
        for (step, name) in recorded.moves.iter().enumerate() {
            let mut known = bits(&recorded.legal[step]);
            known.push(PASS);
            assert_eq!(legal(game.as_ref()), known, "game {number}, step {step}");
            play(game.as_mut(), name);
            if step % 8 == 7 {
                let cells = board(game.as_ref()).cells;
                for (player, hex) in [Player::First, Player::Second]
                    .into_iter()
                    .zip(&recorded.stones[step / 8])
                {
                    let own = |&cell: &usize| cells[cell].is_some_and(|p| p.player == player);
                    let stones: Vec<usize> = (0..81).filter(own).collect();
                    assert_eq!(stones, bits(hex), "game {number}, step {step}");
                }
            }
            compared += 1;
        }
    }
    assert!(compared > 800, "{compared} positions");
}

#[test]
fn finished_games_are_counted_as_gnu_go_counts_them() {
    let games = recorded().scored;
    assert!(games.len() >= 6);
    for recorded in games {
        let mut game = Go::new();
        play(&mut game, &recorded.moves.join(" "));
        assert!(game.is_over());
        let [black, white] = game.areas().map(|area| area as f32);
        let lead = black - white - KOMI;
        let score = if lead > 0.0 {
            format!("B+{lead:.1}")
        } else {
            format!("W+{:.1}", -lead)
        };
        assert_eq!(score, recorded.score);
    }
}
