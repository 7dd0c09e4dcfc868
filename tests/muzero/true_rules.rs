//! The search in the true rules, against exhaustive search.

use std::collections::HashMap;

use vitrine::demos::muzero::game::{Game, GameId, open};
use vitrine::demos::muzero::search::{
    Algorithm, Decision, Evaluator, GumbelConfig, PuctConfig, Search, SearchConfig, TreeShot,
    TrueRules,
};
use vitrine::error::Result;

fn begin(name: &str) -> Box<dyn Game> {
    let id: GameId = name.parse().expect("a game's name");
    open(&id).expect("board games need nothing else")
}

fn legal(game: &dyn Game) -> Vec<usize> {
    let mut legal = vec![false; game.spec().actions];
    game.legal(&mut legal);
    (0..legal.len()).filter(|&action| legal[action]).collect()
}

fn after(game: &dyn Game, action: usize) -> (Box<dyn Game>, i8) {
    let mut next = game.boxed_clone().expect("boards are copied");
    let reward = next.step(action).expect("a legal move");
    (next, reward as i8)
}

/// What tells positions apart: what the mover sees.
fn key(game: &dyn Game) -> Vec<u8> {
    let [planes, rows, columns] = game.spec().observation;
    let mut seen = vec![0.0; planes * rows * columns];
    game.observe(&mut seen);
    seen.iter().map(|&x| u8::from(x > 0.5)).collect()
}

/// The value for the mover if both play well within `plies`; 0 where that does not decide it.
fn minimax(game: &dyn Game, plies: usize, known: &mut HashMap<(Vec<u8>, usize), i8>) -> i8 {
    if game.is_over() || plies == 0 {
        return 0;
    }
    let key = (key(game), plies);
    if let Some(&value) = known.get(&key) {
        return value;
    }
    let values = legal(game).into_iter().map(|action| {
        let (next, reward) = after(game, action);
        reward - minimax(next.as_ref(), plies - 1, known)
    });
    let value = values.max().expect("a legal move");
    known.insert(key, value);
    value
}

/// Knows nothing, and likes what is not legal best.
struct Ignorant;

impl Evaluator for Ignorant {
    fn evaluate(
        &mut self,
        games: &[&dyn Game],
        logits: &mut Vec<f32>,
        values: &mut Vec<f32>,
    ) -> Result<()> {
        for game in games {
            assert!(!game.is_over(), "a finished game is not evaluated");
            let mut legal = vec![false; game.spec().actions];
            game.legal(&mut legal);
            logits.extend(legal.iter().map(|&legal| if legal { 0.0 } else { 9.0 }));
            values.push(0.0);
        }
        Ok(())
    }
}

fn search(
    games: &[Box<dyn Game>],
    simulations: usize,
    algorithm: &Algorithm,
) -> Vec<(Decision, TreeShot)> {
    let mut evaluator = Ignorant;
    let games: Vec<&dyn Game> = games.iter().map(AsRef::as_ref).collect();
    let mut rules = TrueRules::new(&games, 1.0, &mut evaluator).expect("games that go on");
    let roots = rules.roots().expect("roots");
    let config = SearchConfig {
        simulations,
        algorithm: algorithm.clone(),
    };
    let actions = games[0].spec().actions;
    let mut search = Search::new(&config, actions, roots).expect("sound roots");
    while !search.is_done() {
        search.simulate(&mut rules).expect("a simulation");
    }
    let trees = 0..games.len();
    trees
        .map(|tree| (search.decide(tree), search.shot(tree)))
        .collect()
}

/// The app's two. Normalised among siblings alone, where tiny differences count as much as a win,
/// pUCT needs many more simulations here.
fn algorithms() -> [Algorithm; 2] {
    [
        Algorithm::Gumbel(GumbelConfig::default()),
        Algorithm::Puct(PuctConfig::default()),
    ]
}

/// Plays one side by search against every line of play of the other. Gives losses and positions.
fn against_all(algorithm: &Algorithm, searcher_begins: bool) -> (usize, usize) {
    let (mut losses, mut searched) = (0, 0);
    let mut layer = vec![begin("tictactoe")];
    let mut own_turn = searcher_begins;
    while !layer.is_empty() {
        let mut moves: Vec<(usize, usize)> = Vec::new();
        if own_turn {
            searched += layer.len();
            let decided = search(&layer, 3200, algorithm).into_iter().enumerate();
            moves.extend(decided.map(|(index, (decision, _))| (index, decision.action)));
        } else {
            for (index, game) in layer.iter().enumerate() {
                moves.extend(
                    legal(game.as_ref())
                        .into_iter()
                        .map(|action| (index, action)),
                );
            }
        }
        let mut next = HashMap::new();
        for (index, action) in moves {
            let (game, reward) = after(layer[index].as_ref(), action);
            losses += usize::from(!own_turn && reward > 0);
            if !game.is_over() {
                next.insert(key(game.as_ref()), game);
            }
        }
        let mut sorted: Vec<_> = next.into_iter().collect();
        sorted.sort_by(|a, b| a.0.cmp(&b.0));
        layer = sorted.into_iter().map(|(_, game)| game).collect();
        own_turn = !own_turn;
    }
    (losses, searched)
}

#[test]
fn tictactoe_is_never_lost_without_knowledge() {
    for algorithm in algorithms() {
        for searcher_begins in [true, false] {
            let (losses, searched) = against_all(&algorithm, searcher_begins);
            assert_eq!(losses, 0, "{algorithm:?}, begins: {searcher_begins}");
            assert!(searched > 50, "every line of play: {searched} positions");
        }
    }
}

/// Every position of the game that is not over.
fn positions() -> Vec<Box<dyn Game>> {
    let mut all = HashMap::new();
    let mut open_ones = vec![begin("tictactoe")];
    while let Some(game) = open_ones.pop() {
        for action in legal(game.as_ref()) {
            let (next, _) = after(game.as_ref(), action);
            if !next.is_over() && !all.contains_key(&key(next.as_ref())) {
                let copy = next.boxed_clone().expect("boards are copied");
                all.insert(key(next.as_ref()), copy);
                open_ones.push(next);
            }
        }
    }
    let mut all: Vec<_> = all.into_iter().collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all.into_iter().map(|(_, game)| game).collect()
}

#[test]
fn forced_wins_within_three_plies_are_found() {
    let mut known = HashMap::new();
    let mut forced = positions();
    // 4519 without the empty board, from the published 5478 positions less 958 that are over.
    assert_eq!(forced.len(), 4519);
    forced.retain(|game| minimax(game.as_ref(), 3, &mut known) == 1);
    assert!(forced.len() > 1000, "{}", forced.len());
    // Some of them, to save time.
    let forced: Vec<_> = forced.into_iter().step_by(5).collect();
    for algorithm in algorithms() {
        let decided = search(&forced, 800, &algorithm);
        for (game, (decision, _)) in forced.iter().zip(decided) {
            let (next, reward) = after(game.as_ref(), decision.action);
            let kept = reward == 1 || minimax(next.as_ref(), 8, &mut known) == -1;
            assert!(kept, "{algorithm:?}: {:?} {decision:?}", game.scene());
            let value = decision.values[decision.action].expect("a visited action");
            assert!(value > 0.0, "{algorithm:?}: {decision:?}");
        }
    }
}

/// Below the end nothing is legal or earned; before it illegal actions are never tried, however
/// the evaluator likes them. `Game::step` would refuse either, and the search would fail.
#[test]
fn only_legal_actions_are_tried_and_ends_are_final() {
    for name in ["tictactoe", "connect4", "othello6"] {
        let mut game = begin(name);
        for algorithm in algorithms() {
            let games = vec![game.boxed_clone().expect("boards are copied")];
            let (decision, shot) = search(&games, 300, &algorithm).remove(0);
            let mut replayed: Vec<Option<Box<dyn Game>>> = vec![games[0].boxed_clone().ok()];
            for node in &shot.nodes[1..] {
                let parent = node.parent.expect("not the root");
                let running = replayed[parent].as_ref().filter(|game| !game.is_over());
                let next = running.map(|game| {
                    assert!(legal(game.as_ref()).contains(&node.action), "{name}");
                    let (next, reward) = after(game.as_ref(), node.action);
                    assert!((node.reward - f32::from(reward)).abs() < 1e-6, "{name}");
                    next
                });
                if next.is_none() {
                    assert!(
                        node.reward.abs() + node.q.abs() < 1e-6,
                        "{name}: after the end"
                    );
                }
                replayed.push(next);
            }
            assert!(legal(game.as_ref()).contains(&decision.action), "{name}");
        }
        // Not only from the beginning.
        let action = legal(game.as_ref())[0];
        game.step(action).expect("a legal move");
    }
}

#[test]
fn games_that_are_over_are_refused() {
    let mut game = begin("tictactoe");
    for action in [0, 3, 1, 4, 2] {
        game.step(action).expect("a legal move");
    }
    assert!(game.is_over());
    let mut evaluator = Ignorant;
    assert!(TrueRules::new(&[game.as_ref()], 1.0, &mut evaluator).is_err());
}
