//! Evaluation: intervals and ratings beside published tables and closed forms, matches and lines of
//! play beside plain enumeration.

use std::path::{Path, PathBuf};

use vitrine::demos::muzero::arena::{
    Anchor, Choice, EloCurve, Exhaustive, Faced, Finished, GameResult, Graded, Grader, Match,
    MatchOptions, Opponents, Player, Position, Tally, anchors, calibrate, mean_return,
    opening_plies, positions, rate, share_kept, wilson,
};
use vitrine::demos::muzero::game::{Game, GameId, Player as Side, open as open_game};
use vitrine::demos::muzero::opponent::{Minimax, OpponentId, Random, legal_actions, outcomes};
use vitrine::error::Error;
use vitrine::rng::Rng;

fn game(id: &GameId) -> Box<dyn Game> {
    open_game(id).expect("the game is built in")
}

fn tally(wins: u64, draws: u64, losses: u64) -> Tally {
    Tally {
        wins,
        draws,
        losses,
    }
}

fn close(a: f64, b: f64, tolerance: f64) {
    assert!((a - b).abs() <= tolerance, "{a} is not {b}");
}

/// Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I, method 3.
#[test]
fn wilson_intervals_are_the_published_ones() {
    for (successes, trials, low, high) in [
        (81.0, 263, 0.2553, 0.3662),
        (15.0, 148, 0.0624, 0.1605),
        (0.0, 20, 0.0, 0.1611),
        (1.0, 29, 0.0061, 0.1718),
    ] {
        let interval = wilson(successes, trials);
        close(interval.low, low, 5e-5);
        close(interval.high, high, 5e-5);
    }
    assert_eq!((wilson(0.0, 0).low, wilson(0.0, 0).high), (0.0, 1.0));
    let result = tally(6, 3, 1);
    close(result.score(), 0.75, 0.0);
    close(result.win_rate(), 0.6, 0.0);
    assert_eq!(result.score_interval(), wilson(7.5, 10));
    assert_eq!(result.win_interval(), wilson(6.0, 10));
}

/// The quantiles of Student's t that any table has.
#[test]
fn mean_returns_have_the_interval_of_student() {
    for (freedom, quantile) in [
        (1, 12.706),
        (2, 4.303),
        (3, 3.182),
        (4, 2.776),
        (5, 2.571),
        (7, 2.365),
        (10, 2.228),
        (30, 2.042),
        (100, 1.984),
    ] {
        // One off the rest: n numbers of which the last is n have mean 1 and variance n.
        let n = freedom + 1;
        let mut returns = vec![0.0; n];
        returns[n - 1] = n as f64;
        let mean = mean_return(&returns).expect("episodes");
        close(mean.mean, 1.0, 1e-12);
        close(mean.deviation, (n as f64).sqrt(), 1e-12);
        let interval = mean.interval.expect("more than one episode");
        close(interval.high - 1.0, quantile, 6e-4);
        close(1.0 - interval.low, quantile, 6e-4);
    }
    assert_eq!(mean_return(&[]), None);
    let single = mean_return(&[3.0]).expect("an episode");
    assert_eq!((single.mean, single.interval), (3.0, None));
}

/// 400 / ln 10.
const SCALE: f64 = 173.717_792_761_248_5;

#[test]
fn elo_has_its_closed_forms() {
    // Three of four points are 400 log10(3) more.
    for result in [tally(30, 0, 10), tally(20, 20, 0), tally(25, 10, 5)] {
        let faced = Faced {
            elo: 1000.0,
            tally: result,
        };
        let rating = rate(&[faced]).expect("games");
        close(rating.elo.expect("a peak"), 1_190.848_501_887_864_8, 1e-6);
    }
    // As much against a stronger as lost against a weaker one.
    let faced = [(-150.0, tally(7, 2, 3)), (150.0, tally(3, 2, 7))];
    let faced = faced.map(|(elo, tally)| Faced { elo, tally });
    let rating = rate(&faced).expect("games");
    close(rating.elo.expect("a peak"), 0.0, 1e-6);
    close(
        rating.low.expect("an end"),
        -rating.high.expect("an end"),
        1e-6,
    );
    // Many games: the curvature of the likelihood, 1.96 SCALE / sqrt(n p q).
    let rating = rate(&[Faced {
        elo: 0.0,
        tally: tally(60_000, 0, 40_000),
    }])
    .expect("games");
    let half = 1.959_964 * SCALE / (100_000.0_f64 * 0.6 * 0.4).sqrt();
    close(
        rating.high.expect("an end") - rating.elo.expect("a peak"),
        half,
        0.01 * half,
    );
    close(
        rating.elo.expect("a peak") - rating.low.expect("an end"),
        half,
        0.01 * half,
    );
}

#[test]
fn elo_of_who_won_everything_has_one_end() {
    let all = |tally| rate(&[Faced { elo: 500.0, tally }]).expect("games");
    // n ln p = -1.9207 at the end.
    let p = (-1.920_729_4_f64 / 20.0).exp();
    let distance = SCALE * (p / (1.0 - p)).ln();
    let won = all(tally(20, 0, 0));
    assert_eq!((won.elo, won.high), (None, None));
    close(won.low.expect("an end"), 500.0 + distance, 1e-4);
    let lost = all(tally(0, 0, 20));
    assert_eq!((lost.elo, lost.low), (None, None));
    close(lost.high.expect("an end"), 500.0 - distance, 1e-4);
    assert_eq!(rate(&[]), None);
}

#[test]
fn elo_follows_a_run() {
    let anchors = [("random", 0.0), ("alphabeta:4", 800.0)];
    let anchors = anchors.map(|(name, elo)| Anchor {
        name: name.to_owned(),
        elo,
    });
    let mut curve = EloCurve::new(anchors.to_vec());
    let first = curve
        .add(0, "random", tally(10, 0, 10))
        .expect("an anchor")
        .expect("games");
    close(first.elo.expect("a peak"), 0.0, 1e-6);
    curve
        .add(100, "random", tally(18, 0, 2))
        .expect("an anchor");
    let both = curve
        .add(100, "alphabeta:4", tally(2, 0, 18))
        .expect("an anchor")
        .expect("games");
    close(both.elo.expect("a peak"), 400.0, 1e-6);
    assert_eq!(curve.points().len(), 2);
    assert_eq!(curve.points()[0].rating, Some(first));
    assert!(matches!(
        curve.add(50, "random", tally(1, 0, 0)),
        Err(Error::Input(_))
    ));
    assert!(matches!(
        curve.add(200, "nobody", tally(1, 0, 0)),
        Err(Error::Input(_))
    ));
    let text = serde_json::to_string(&curve).expect("serialises");
    assert_eq!(
        serde_json::from_str::<EloCurve>(&text).expect("reads back"),
        curve
    );
}

/// Results that are what the model expects give back its ratings.
#[test]
fn anchors_are_calibrated_from_their_games() {
    let step = 400.0 * 3.0_f64.log10();
    let results = [
        (0, 1, tally(10, 0, 30)),
        (2, 1, tally(20, 20, 0)),
        (0, 2, tally(10, 0, 90)),
    ];
    let elos = calibrate(3, &results).expect("fixed");
    close(elos[0], 0.0, 0.0);
    close(elos[1], step, 1e-5);
    close(elos[2], 2.0 * step, 1e-5);
    assert!(
        calibrate(2, &[(0, 1, tally(0, 0, 5))]).is_err(),
        "everything won"
    );
    assert!(calibrate(2, &[]).is_err(), "no games");
}

/// Ratings of opponents, the first at 0, from games of every pair.
fn measured(id: &GameId, names: &[String], games: usize) -> Vec<f64> {
    let start = game(id);
    let options = MatchOptions {
        games,
        at_once: 64,
        opening_plies: opening_plies(id),
    };
    let mut results = Vec::new();
    for one in 0..names.len() {
        for other in 0..one {
            let rng = Rng::new(1).split(&format!("{one} {other}"));
            let player = |place: usize, label| {
                let opponent: OpponentId = names[place].parse().expect("an opponent");
                Opponents::open(&opponent, id, 4, &rng.split(label)).expect("opened")
            };
            let (mut a, mut b) = (player(one, "a"), player(other, "b"));
            let mut played = Match::new(start.as_ref(), options, &rng).expect("a match");
            played.play(&mut a, &mut b).expect("played");
            results.push((one, other, played.tally()));
        }
    }
    calibrate(names.len(), &results).expect("the results fix the ratings")
}

/// The stated ratings are those that come out: all of them for tic-tac-toe, and about them from
/// fewer games of the quicker opponents of Othello.
#[test]
fn anchors_are_rated_as_stated() {
    for (id, count, games, tolerance) in [
        (GameId::TicTacToe, 2, 400, 0.5),
        (GameId::Othello6, 4, 200, 100.0),
    ] {
        let stated = &anchors(&id)[..count];
        let names: Vec<String> = stated.iter().map(|anchor| anchor.name.clone()).collect();
        for (anchor, elo) in stated.iter().zip(measured(&id, &names, games)) {
            assert!((anchor.elo - elo).abs() <= tolerance, "{anchor:?}: {elo}");
        }
    }
}

/// Prints the ratings of all anchors: `cargo test --test muzero -- --ignored --nocapture
/// measure_the_anchors`.
#[test]
#[ignore = "it takes minutes"]
fn measure_the_anchors() {
    for id in GameId::built_in() {
        let stated = anchors(&id);
        let names: Vec<String> = stated.iter().map(|anchor| anchor.name.clone()).collect();
        if !names.is_empty() {
            println!("{id} {names:?} {:?}", measured(&id, &names, 400));
        }
    }
}

/// Takes the legal action that comes first.
struct FirstLegal;

impl Player for FirstLegal {
    fn name(&self) -> String {
        "first legal".to_owned()
    }

    fn choose(&mut self, games: &[&Position]) -> vitrine::error::Result<Vec<Choice>> {
        let choices = games
            .iter()
            .map(|position| Ok(legal_actions(position.game.as_ref())[0]));
        Ok(choices.collect())
    }
}

fn after(game: &dyn Game, action: usize) -> Box<dyn Game> {
    let mut next = game.boxed_clone().expect("boards can be copied");
    next.step(action).expect("a legal move");
    next
}

/// Every line below a position, one after the other.
fn enumerate(game: &dyn Game, side: Side, counted: &mut Tally) {
    if game.is_over() {
        counted.add(GameResult::of(game.outcome(), side), 1);
        return;
    }
    let legal = legal_actions(game);
    let tried = if game.to_play() == side {
        &legal[..1]
    } else {
        &legal
    };
    for &action in tried {
        enumerate(after(game, action).as_ref(), side, counted);
    }
}

#[test]
fn lines_of_play_are_those_of_plain_enumeration() {
    let start = game(&GameId::TicTacToe);
    for merges in [true, false] {
        for batch in [1, 7, 1000] {
            let mut lines = Exhaustive::new(start.as_ref(), merges).expect("a game for two");
            lines.play(&mut FirstLegal, batch).expect("played");
            for (side, counted) in [Side::First, Side::Second].into_iter().zip(lines.by_side()) {
                let mut expected = Tally::default();
                enumerate(start.as_ref(), side, &mut expected);
                assert_eq!(
                    counted, expected,
                    "merges {merges}, batch {batch}, {side:?}"
                );
                assert!(expected.losses > 0 && expected.wins > 0);
            }
        }
    }
    // Connect Four with 26 free cells, where merged positions differ much from lines.
    let mut position = game(&GameId::ConnectFour);
    for name in "2577713147446472".chars() {
        let action = position.parse_action(&name.to_string()).expect("a column");
        position.step(action).expect("legal");
    }
    let mut lines = Exhaustive::new(position.as_ref(), true).expect("a game for two");
    lines.play(&mut FirstLegal, 64).expect("played");
    for (side, counted) in [Side::First, Side::Second].into_iter().zip(lines.by_side()) {
        let mut expected = Tally::default();
        enumerate(position.as_ref(), side, &mut expected);
        assert_eq!(counted, expected, "{side:?}");
        assert!(expected.games() > 1000);
    }
}

/// Takes the first of the best actions, so that it always answers the same.
struct Perfect(Minimax);

impl Player for Perfect {
    fn name(&self) -> String {
        "perfect".to_owned()
    }

    fn choose(&mut self, games: &[&Position]) -> vitrine::error::Result<Vec<Choice>> {
        let best = |position: &&Position| {
            let values = self.0.action_values(position.game.as_ref())?;
            let best = values.iter().rev().max_by_key(|&&(_, value)| value);
            Ok(best
                .map(|&(action, _)| action)
                .ok_or_else(|| "over".to_owned()))
        };
        games.iter().map(best).collect()
    }
}

#[test]
fn perfect_play_loses_no_line() {
    let start = game(&GameId::TicTacToe);
    let mut lines = Exhaustive::new(start.as_ref(), true).expect("a game for two");
    let mut perfect = Perfect(Minimax::new(Rng::new(1)));
    let counted = lines.play(&mut perfect, 64).expect("played");
    assert_eq!(counted.losses, 0, "{counted:?}");
    assert!(counted.wins > 100 && counted.draws > 0, "{counted:?}");
}

/// Answers with an action that is never legal.
struct Illegal;

impl Player for Illegal {
    fn name(&self) -> String {
        "illegal".to_owned()
    }

    fn choose(&mut self, games: &[&Position]) -> vitrine::error::Result<Vec<Choice>> {
        Ok(games.iter().map(|_| Ok(100)).collect())
    }
}

#[test]
fn an_illegal_answer_loses_its_lines() {
    let start = game(&GameId::TicTacToe);
    let mut lines = Exhaustive::new(start.as_ref(), false).expect("a game for two");
    let counted = lines.play(&mut Illegal, 64).expect("played");
    // One line where it begins, nine where it answers.
    assert_eq!(counted, tally(0, 0, 10));
    assert_eq!(lines.messages().len(), 10);
    assert!(lines.messages()[0].starts_with("illegal played an illegal move"));
}

fn random_match(options: MatchOptions, seed: u64) -> (Vec<Finished>, [Tally; 2]) {
    let rng = Rng::new(seed);
    let open = |label| {
        Opponents::open(
            &OpponentId::Random,
            &GameId::TicTacToe,
            3,
            &rng.split(label),
        )
        .expect("opened")
    };
    let (mut a, mut b) = (open("a"), open("b"));
    let start = game(&GameId::TicTacToe);
    let mut started = Match::new(start.as_ref(), options, &rng).expect("a match");
    let games = started.play(&mut a, &mut b).expect("played");
    (games, started.by_side())
}

/// Random play wins 58.5 % for who begins, draws 12.7 % (737/1260 and 8/63 exactly).
#[test]
fn random_matches_have_the_known_results() {
    let games = 20_000;
    let options = MatchOptions {
        games,
        at_once: 500,
        opening_plies: 0,
    };
    let (finished, [first, second]) = random_match(options, 1);
    assert_eq!(finished.len(), games);
    assert_eq!((first.games(), second.games()), (10_000, 10_000));
    let share = |count: u64, expected: f64| {
        let deviation = (expected * (1.0 - expected) / games as f64).sqrt();
        close(count as f64 / games as f64, expected, 4.0 * deviation);
    };
    share(first.wins + second.losses, 737.0 / 1260.0);
    share(first.draws + second.draws, 8.0 / 63.0);
    share(first.losses + second.wins, 121.0 / 420.0);
    for (index, game) in finished.iter().enumerate() {
        assert_eq!((game.index, game.a_first), (index, index % 2 == 0));
    }
}

#[test]
fn pairs_of_games_share_their_opening() {
    let options = MatchOptions {
        games: 40,
        at_once: 7,
        opening_plies: 4,
    };
    let (games, _) = random_match(options, 2);
    let opening = |game: &Finished| game.moves[..game.opening].to_vec();
    for pair in games.chunks(2) {
        assert_eq!(pair[0].opening, 4);
        assert_eq!(opening(&pair[0]), opening(&pair[1]));
        assert!(pair[0].a_first && !pair[1].a_first);
    }
    let mut openings: Vec<_> = games.iter().map(opening).collect();
    openings.sort();
    openings.dedup();
    assert!(openings.len() > 15, "{} of 20", openings.len());
    // Replayed, the moves end as reported.
    for finished in &games {
        let mut replayed = game(&GameId::TicTacToe);
        for &action in &finished.moves {
            replayed.step(action).expect("legal");
        }
        let side = if finished.a_first {
            Side::First
        } else {
            Side::Second
        };
        assert!(replayed.is_over());
        assert_eq!(finished.result, GameResult::of(replayed.outcome(), side));
    }
    // Nobody can play five random moves of a game that is over after them.
    let options = MatchOptions {
        games: 1,
        at_once: 1,
        opening_plies: 9,
    };
    let start = game(&GameId::TicTacToe);
    assert!(Match::new(start.as_ref(), options, &Rng::new(1)).is_err());
}

#[test]
fn matches_do_not_depend_on_threads() {
    let options = MatchOptions {
        games: 100,
        at_once: 16,
        opening_plies: 1,
    };
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .expect("threads");
        pool.install(|| random_match(options, 3))
    };
    let one = with(1);
    assert_eq!(one, with(2));
    assert_eq!(one, with(5));
    assert_ne!(one.0, random_match(options, 4).0, "another seed");
}

fn graded_file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/data/connect4-graded.txt")
}

fn stored() -> Vec<Graded> {
    let text = std::fs::read_to_string(graded_file()).expect("the graded positions");
    text.lines()
        .map(|line| Graded::from_line(line).expect(line))
        .collect()
}

#[test]
fn stored_positions_are_right() {
    let graded = stored();
    assert_eq!(graded.len(), 1000);
    let mut seen = std::collections::HashSet::new();
    for position in &graded {
        assert!(position.matters(), "{position:?}");
        assert!(seen.insert(position.to_line()), "twice: {position:?}");
        let made = position.position().expect("a game");
        assert!(!made.game.is_over());
        let legal = legal_actions(made.game.as_ref());
        let known: Vec<usize> = (0..7).filter(|&c| position.outcomes[c].is_some()).collect();
        assert_eq!(legal, known);
        // Those with many stones are solved in no time.
        if position.moves.len() >= 16 {
            assert_eq!(
                position.outcomes,
                outcomes(&position.moves).expect("solved")
            );
        }
    }
    // The same seed finds the same ones.
    let mut grader = Grader::new(&Rng::new(1));
    let mut found = Vec::new();
    while found.len() < 3 {
        found.extend(grader.step().expect("a position"));
    }
    assert_eq!(found, graded[..3]);
}

/// Writes the stored positions anew, which takes minutes:
/// `cargo test --test muzero -- --ignored write_the_graded_positions`.
#[test]
#[ignore = "it takes minutes and changes a fixture"]
fn write_the_graded_positions() {
    let graded = positions(1000, &Rng::new(1)).expect("positions");
    let lines: String = graded
        .iter()
        .map(|position| position.to_line() + "\n")
        .collect();
    vitrine::store::atomic_write(&graded_file(), lines.as_bytes()).expect("written");
}

#[test]
fn moves_are_graded() {
    let graded = stored();
    let kept = |choose: &mut dyn FnMut(&Graded) -> Choice| {
        let choices: Vec<Choice> = graded.iter().map(choose).collect();
        share_kept(&graded, &choices)
    };
    let perfect = kept(&mut |position| {
        let best = position.outcomes.iter().flatten().max();
        let column = (0..7).find(|&c| position.outcomes[c].as_ref() == best);
        column.ok_or_else(|| "no column".to_owned())
    });
    assert_eq!((perfect.kept, perfect.positions), (1000, 1000));
    close(perfect.interval.low, 0.9962, 1e-4);
    let none = kept(&mut |_| Err("no answer".to_owned()));
    assert_eq!(none.kept, 0);
    assert_eq!(kept(&mut |_| Ok(7)).kept, 0, "no column");
    // Chance keeps as much as the share of columns that do, on average.
    let mut random = Random::new(Rng::new(5));
    let chance = kept(&mut |position| {
        let made = position.position().expect("a game");
        let game = made.game.as_ref();
        let action = vitrine::demos::muzero::opponent::Opponent::choose(&mut random, game, &[]);
        Ok(action.expect("a move"))
    });
    let each = graded.iter().map(|position| {
        let legal: Vec<usize> = (0..7).filter(|&c| position.outcomes[c].is_some()).collect();
        legal.iter().filter(|&&c| position.keeps(c)).count() as f64 / legal.len() as f64
    });
    close(chance.share, each.sum::<f64>() / 1000.0, 0.05);
}

#[test]
fn graded_positions_are_read_as_written() {
    let line = "4444443 wdl-lwd";
    let graded = Graded::from_line("4444442 lll-dww").expect("a position");
    assert_eq!(graded.moves, [3, 3, 3, 3, 3, 3, 1]);
    assert_eq!(
        graded.outcomes,
        [
            Some(-1),
            Some(-1),
            Some(-1),
            None,
            Some(0),
            Some(1),
            Some(1)
        ]
    );
    assert_eq!(graded.to_line(), "4444442 lll-dww");
    assert!(graded.keeps(5) && !graded.keeps(4) && !graded.keeps(3) && !graded.keeps(9));
    for wrong in [
        "",
        "44",
        "8 wwwwwww",
        "0 wwwwwww",
        "4 wwwwww",
        "4 wwwwwwx",
        "4444444 wwwwwww",
    ] {
        assert!(
            matches!(Graded::from_line(wrong), Err(Error::Input(_))),
            "{wrong:?}"
        );
    }
    assert!(Graded::from_line(line).is_ok());
}
