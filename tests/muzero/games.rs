//! Board games.

mod chess;
mod contract;
mod counts;
mod damage;
mod go;
mod record;
mod symmetry;

use vitrine::demos::muzero::game::{Board, Game, GameId, Scene, open};
use vitrine::rng::Rng;

fn begin(name: &str) -> Box<dyn Game> {
    let id: GameId = name.parse().expect("a game's name");
    open(&id).expect("board games need nothing else")
}

fn legal(game: &dyn Game) -> Vec<usize> {
    let mut legal = vec![false; game.spec().actions];
    game.legal(&mut legal);
    (0..legal.len()).filter(|&action| legal[action]).collect()
}

fn after(game: &dyn Game, action: usize) -> Box<dyn Game> {
    let mut next = game.boxed_clone().expect("boards are copied");
    next.step(action).expect("a legal move");
    next
}

/// Lines of play of `depth` moves.
fn perft(game: &dyn Game, depth: u32) -> u64 {
    match depth {
        0 => 1,
        1 => legal(game).len() as u64,
        _ => {
            let next = |action: &usize| perft(after(game, *action).as_ref(), depth - 1);
            legal(game).iter().map(next).sum()
        }
    }
}

/// All games for two, by name.
const BOARDS: [&str; 7] = [
    "tictactoe",
    "connect4",
    "othello6",
    "othello8",
    "gomoku",
    "go9",
    "chess",
];

/// What is seen of a game.
fn observe(game: &dyn Game) -> Vec<f32> {
    let mut planes = vec![-1.0; game.spec().observation.iter().product()];
    game.observe(&mut planes);
    planes
}

fn board(game: &dyn Game) -> Board {
    match game.scene() {
        Scene::Board(board) => board,
        Scene::Grid(_) | Scene::Screen(_) => unreachable!("a board game"),
    }
}

/// Plays moves by their names.
fn play(game: &mut dyn Game, moves: &str) {
    for name in moves.split_whitespace() {
        let action = game.parse_action(name).expect("a move's name");
        game.step(action)
            .unwrap_or_else(|error| panic!("{error} in {moves}"));
    }
}

/// Plays at random and calls `each` before every move and once at the end.
fn random_game(name: &str, seed: u64, mut each: impl FnMut(&dyn Game)) {
    let mut rng = Rng::new(seed);
    let mut game = begin(name);
    for _ in 0..=game.spec().max_steps {
        each(game.as_ref());
        if game.is_over() {
            return;
        }
        let moves = legal(game.as_ref());
        game.step(moves[rng.below(moves.len())]).expect("legal");
    }
    panic!("{name} does not end");
}
