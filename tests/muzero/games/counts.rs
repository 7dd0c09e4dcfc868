//! Published counts of lines of play and positions.

use std::collections::HashSet;

use vitrine::demos::muzero::game::Game;

use super::{after, begin, legal, observe, perft};

/// Finished games below a position.
fn games(game: &dyn Game) -> u64 {
    if game.is_over() {
        return 1;
    }
    let below = |action: &usize| games(after(game, *action).as_ref());
    legal(game).iter().map(below).sum()
}

/// Different positions after so many moves, for games in which the pieces say who moves.
fn positions(name: &str, most: usize) -> Vec<usize> {
    let mut layer = vec![begin(name)];
    let mut counts = vec![1];
    while counts.len() <= most {
        let mut seen = HashSet::new();
        let mut next = Vec::new();
        for game in &layer {
            for action in legal(game.as_ref()) {
                let game = after(game.as_ref(), action);
                let planes = observe(game.as_ref());
                let key: Vec<bool> = planes.iter().map(|&x| x > 0.5).collect();
                if seen.insert(key) {
                    next.push(game);
                }
            }
        }
        counts.push(next.len());
        layer = next;
    }
    counts
}

/// 255,168 games and 5,478 positions are the figures that every text about the game gives.
#[test]
fn tic_tac_toe_has_the_known_number_of_games_and_positions() {
    assert_eq!(games(begin("tictactoe").as_ref()), 255_168);
    assert_eq!(positions("tictactoe", 9).iter().sum::<usize>(), 5_478);
}

/// John Tromp's counts of the positions after n moves (OEIS A212693).
#[test]
fn connect_four_has_the_known_number_of_positions() {
    let known = [
        1, 7, 49, 238, 1_120, 4_263, 16_422, 54_859, 184_275, 558_186,
    ];
    assert_eq!(positions("connect4", 9), known);
}

/// Aart Bik's counts of lines of play of the first moves.
#[test]
fn othello_has_the_known_number_of_lines() {
    let known = [4, 12, 56, 244, 1_396, 8_200, 55_092, 390_216, 3_005_288];
    for (depth, count) in (1..).zip(known) {
        assert_eq!(
            perft(begin("othello8").as_ref(), depth),
            count,
            "depth {depth}"
        );
    }
}
