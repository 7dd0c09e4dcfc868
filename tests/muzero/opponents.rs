//! Opponents: beside brute force over the rules, published values, and engines that misbehave.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use vitrine::demos::muzero::arena::{
    Finished, GameResult, Match, MatchOptions, Opponents, Position,
};
use vitrine::demos::muzero::game::{Game, GameId, Outcome, Scene, open as open_game};
use vitrine::demos::muzero::opponent::{
    AlphaBeta, GnuGo, Minimax, Opponent, OpponentId, Program, Random, Solver, Uci, available,
    legal_actions, open, outcomes,
};
use vitrine::error::Error;
use vitrine::rng::Rng;

fn game(id: &GameId) -> Box<dyn Game> {
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

/// A stand-in for an engine: a script that writes its process id down, then does as told.
struct Double {
    folder: TempDir,
    program: Program,
}

impl Double {
    fn new(script: &str) -> Self {
        Self::with_patience(script, Duration::from_secs(20))
    }

    /// One that is soon given up.
    fn hurried(script: &str) -> Self {
        Self::with_patience(script, Duration::from_millis(500))
    }

    fn with_patience(script: &str, patience: Duration) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("engine.sh");
        let script = format!(
            "echo $$ >> '{}'\n{script}",
            folder.path().join("pids").display()
        );
        vitrine::store::atomic_write(&path, script.as_bytes()).expect("the script is written");
        let program = Program {
            file: "sh".into(),
            arguments: vec![path.display().to_string()],
            remedy: "none".to_owned(),
            patience,
        };
        Self { folder, program }
    }

    fn gnu_go(&self) -> GnuGo {
        GnuGo::with_program(1, self.program.clone())
    }

    fn uci(&self) -> Uci {
        Uci::with_program("double".to_owned(), 0, self.program.clone())
    }

    /// How often it was started, and that nothing is left of it, not even an entry in the table of
    /// processes.
    fn started_and_gone(&self) -> usize {
        let pids =
            std::fs::read_to_string(self.folder.path().join("pids")).expect("it was started");
        for pid in pids.lines() {
            assert!(
                !Path::new("/proc").join(pid).exists(),
                "process {pid} is left"
            );
        }
        pids.lines().count()
    }
}

/// Answers every question with success, except for moves.
fn gtp(genmove: &str) -> String {
    format!(
        "while read -r word rest; do case $word in\n  genmove) {genmove};;\n  *) printf '= \\n\\n';;\nesac; done"
    )
}

/// The message of an engine that fails, and how long that took.
fn failure(opponent: &mut dyn Opponent) -> (String, Duration) {
    let begun = Instant::now();
    let game = game(&GameId::Go);
    let failed = opponent.choose(game.as_ref(), &[]).expect_err("no answer");
    assert!(matches!(failed, Error::Input(_)), "{failed:?}");
    (failed.to_string(), begun.elapsed())
}

#[test]
fn an_engine_that_is_late_is_given_up() {
    let double = Double::hurried(&gtp("exec sleep 20"));
    let mut engine = double.gnu_go();
    let (message, took) = failure(&mut engine);
    assert_eq!(message, "sh did not answer \"genmove black\" within 0.5 s");
    assert!(took < Duration::from_secs(10), "{took:?}");
    assert_eq!(double.started_and_gone(), 1);
    let double = Double::hurried("exec sleep 20");
    let (message, _) = failure(&mut double.uci());
    assert_eq!(message, "sh did not answer \"uci\" within 0.5 s");
    assert_eq!(double.started_and_gone(), 1);
}

#[test]
fn an_engine_that_talks_without_end_is_given_up() {
    let double = Double::hurried(&gtp("yes talk"));
    let (message, took) = failure(&mut double.gnu_go());
    assert!(message.contains("did not answer"), "{message}");
    assert!(took < Duration::from_secs(10), "{took:?}");
    let double = Double::hurried("tr '\\0' x < /dev/zero");
    let (message, _) = failure(&mut double.gnu_go());
    assert!(message.contains("did not answer"), "{message}");
}

#[test]
fn an_engine_that_dies_is_reported_and_started_again() {
    let double = Double::new(&gtp("exit 3"));
    let mut engine = double.gnu_go();
    let (message, _) = failure(&mut engine);
    assert!(
        message.starts_with("sh ended before it answered \"genmove black\""),
        "{message}"
    );
    assert!(message.contains("exit status: 3"), "{message}");
    failure(&mut engine);
    assert_eq!(double.started_and_gone(), 2);
    // The first process dies, the next one answers.
    let marker = double.folder.path().join("died");
    let marker = marker.display();
    let double = Double::new(&gtp(&format!(
        "if [ -e '{marker}' ]; then printf '= C4\\n\\n'; else : > '{marker}'; exit 1; fi"
    )));
    let mut engine = double.gnu_go();
    failure(&mut engine);
    let answer = engine
        .choose(game(&GameId::Go).as_ref(), &[])
        .expect("an answer");
    assert_eq!(answer, 5 * 9 + 2, "C4 on 9 by 9, counted from the top left");
    drop(engine);
    assert_eq!(double.started_and_gone(), 2);
}

#[test]
fn an_engine_that_talks_nonsense_is_reported() {
    for (answer, shown) in [
        ("= Z99", "Z99"),
        ("= I3", "I3"),
        ("= A0", "A0"),
        ("= A10", "A10"),
        ("= resign", "resign"),
        ("=", ""),
        ("? cannot", "? cannot"),
        ("= \\303\\251", "é"),
    ] {
        let double = Double::new(&gtp(&format!("printf '{answer}\\n\\n'")));
        let (message, _) = failure(&mut double.gnu_go());
        assert_eq!(
            message,
            format!("sh answered \"genmove black\" with {shown:?}")
        );
        assert_eq!(double.started_and_gone(), 1);
    }
    for answer in ["bestmove (none)", "bestmove", "bestmove e9e4"] {
        let double = Double::new(&uci(answer));
        let (message, _) = failure(&mut double.uci());
        assert!(message.ends_with(&format!("with {answer:?}")), "{message}");
    }
}

fn uci(answer: &str) -> String {
    format!(
        "while read -r word rest; do case $word in\n  uci) echo id name double; echo uciok;;\n  isready) echo readyok;;\n  go) echo info depth 1; echo '{answer}';;\nesac; done"
    )
}

/// Who plays an illegal move, or none, loses that game; the others go on.
#[test]
fn illegal_moves_and_failures_lose_the_game() {
    let options = MatchOptions {
        games: 4,
        at_once: 4,
        opening_plies: 0,
    };
    let played = |engine: Box<dyn Opponent>| {
        let start = game(&GameId::ConnectFour);
        let mut a = Opponents::one(engine);
        let mut b = Opponents::one(Box::new(Random::new(Rng::new(1))));
        let mut started = Match::new(start.as_ref(), options, &Rng::new(2)).expect("a match");
        started.play(&mut a, &mut b).expect("played")
    };
    // The fourth column is full after six discs.
    let double = Double::new(&uci("bestmove 4"));
    let games = played(Box::new(double.uci()));
    assert_eq!(games.len(), 4);
    for finished in &games {
        let full = finished.moves.iter().filter(|&&column| column == 3).count() == 6;
        let message = finished.message.as_deref();
        match message {
            Some(message) => {
                assert_eq!(
                    message,
                    "double played an illegal move: 4 is not a legal move here"
                );
                assert_eq!(finished.result, GameResult::Lost);
                assert!(full, "{finished:?}");
            }
            None => assert!(!full || finished.moves.last() == Some(&3), "{finished:?}"),
        }
    }
    let double = Double::new(&uci("bestmove x"));
    let games = played(Box::new(double.uci()));
    for finished in &games {
        assert_eq!(finished.result, GameResult::Lost);
        assert_eq!(
            finished.moves.len(),
            usize::from(!finished.a_first),
            "at its first move"
        );
        let message = finished.message.as_deref().expect("a message");
        assert!(message.ends_with("with \"bestmove x\""), "{message}");
    }
    assert_eq!(double.started_and_gone(), 4);
}

#[test]
fn what_is_not_installed_ends_the_match_with_the_command() {
    let program = Program::packaged("no-such-engine", &[]);
    let mut engine = GnuGo::with_program(1, program);
    let start = game(&GameId::Go);
    let failed = engine
        .choose(start.as_ref(), &[])
        .expect_err("not installed");
    assert!(matches!(failed, Error::Missing(_)), "{failed:?}");
    assert_eq!(
        failed.to_string(),
        "no-such-engine is not installed, install it with: sudo apt-get install -y no-such-engine"
    );
    let options = MatchOptions {
        games: 2,
        at_once: 2,
        opening_plies: 0,
    };
    let mut a = Opponents::one(Box::new(engine));
    let mut b = Opponents::one(Box::new(Random::new(Rng::new(1))));
    let mut started = Match::new(start.as_ref(), options, &Rng::new(2)).expect("a match");
    let failed = started.play(&mut a, &mut b).expect_err("cannot go on");
    assert!(matches!(failed, Error::Missing(_)), "{failed:?}");
}

/// The words that reach the engine, in their order.
#[test]
fn engines_are_told_what_was_played() {
    let folder = tempfile::tempdir().expect("a folder");
    let log: PathBuf = folder.path().join("said");
    let log_text = log.display();
    let double = Double::new(&format!(
        "while read -r line; do echo \"$line\" >> '{log_text}'; case $line in\n  genmove*) printf '= D3\\n\\n';;\n  *) printf '=\\n\\n';;\nesac; done"
    ));
    let mut engine = double.gnu_go();
    let mut position = Position::new(game(&GameId::Go));
    for name in ["D4", "J9", "pass"] {
        let action = position.game.parse_action(name).expect("a crossing");
        position.play(action).expect("legal");
    }
    engine
        .choose(position.game.as_ref(), &position.moves)
        .expect("an answer");
    let said = std::fs::read_to_string(&log).expect("it was told");
    let said: Vec<&str> = said.lines().collect();
    let expected = [
        "boardsize 9",
        "komi 7.5",
        "clear_board",
        "play black D4",
        "play white J9",
        "play black pass",
        "genmove white",
    ];
    assert_eq!(said, expected);
    // The game goes on as the engine played it: only what is new is told.
    for name in ["D3", "E5"] {
        let action = position.game.parse_action(name).expect("a crossing");
        position.play(action).expect("legal");
    }
    engine
        .choose(position.game.as_ref(), &position.moves)
        .expect("an answer");
    let said_now = std::fs::read_to_string(&log).expect("it was told");
    let more: Vec<&str> = said_now.lines().skip(said.len()).collect();
    assert_eq!(more, ["play black E5", "genmove white"]);
    let said: Vec<&str> = said_now.lines().collect();
    // Another game: the board is cleared.
    engine
        .choose(game(&GameId::Go).as_ref(), &[])
        .expect("an answer");
    let said_now = std::fs::read_to_string(&log).expect("it was told");
    let more: Vec<&str> = said_now.lines().skip(said.len()).collect();
    assert_eq!(more, ["clear_board", "genmove black"]);
}

/// Whether a program is here; says so if it is not.
fn is_installed(id: OpponentId) -> bool {
    let remedy = id.remedy();
    if let Some(remedy) = &remedy {
        eprintln!("skipped, {id} is not installed: {remedy}");
    }
    remedy.is_none()
}

/// Plays a match between two opponents and checks that no game ended by a mistake.
fn fair_match(
    id: &GameId,
    a: OpponentId,
    b: OpponentId,
    options: MatchOptions,
) -> (Match, Vec<Finished>) {
    let rng = Rng::new(8);
    let mut players = [("a", a), ("b", b)]
        .map(|(label, player)| Opponents::open(&player, id, 2, &rng.split(label)).expect("opened"));
    let [a, b] = &mut players;
    let start = game(id);
    let mut started = Match::new(start.as_ref(), options, &rng).expect("a match");
    let games = started.play(a, b).expect("played");
    for finished in &games {
        assert_eq!(finished.message, None, "{finished:?}");
    }
    (started, games)
}

/// By our count, where dead stones are alive, GNU Go wins against random moves on either side, and
/// agrees with all captures and superko on the way.
#[test]
fn gnu_go_plays_by_our_rules() {
    if !is_installed(OpponentId::GnuGo(1)) {
        return;
    }
    let options = MatchOptions {
        games: 2,
        at_once: 2,
        opening_plies: 6,
    };
    let level = OpponentId::GnuGo(1);
    let (played, _) = fair_match(&GameId::Go, level, OpponentId::Random, options);
    assert_eq!(played.tally().wins, 2, "{:?}", played.tally());
    // Between two of them our count of who won is GNU Go's own.
    let (_, games) = fair_match(&GameId::Go, level, level, options);
    for finished in games {
        let black_won = finished.a_first == (finished.result == GameResult::Won);
        let expected = if black_won { "= B+" } else { "= W+" };
        let score = gnu_go_score(&finished.moves);
        assert!(score.starts_with(expected), "{score}: {finished:?}");
    }
}

/// What GNU Go says of the end of a game.
fn gnu_go_score(moves: &[usize]) -> String {
    let go = game(&GameId::Go);
    let mut commands = "boardsize 9\nkomi 7.5\n".to_owned();
    for (place, &action) in moves.iter().enumerate() {
        let colour = ["black", "white"][place % 2];
        commands += &format!("play {colour} {}\n", go.action_name(action));
    }
    commands += "final_score\nquit\n";
    let file = Program::packaged("gnugo", &[])
        .find()
        .expect("it is installed");
    let mut child = std::process::Command::new(file)
        .args(["--mode", "gtp", "--chinese-rules", "--positional-superko"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut input = child.stdin.take().expect("a pipe");
    std::io::Write::write_all(&mut input, commands.as_bytes()).expect("it listens");
    drop(input);
    let output = child.wait_with_output().expect("it ends").stdout;
    let output = String::from_utf8(output).expect("text");
    let score = output.lines().find(|line| line.contains('+'));
    score.expect("a score").to_owned()
}

/// Castling, promotions and captures in passing are told and understood in games between the two
/// engines and random moves.
#[test]
fn chess_engines_play_by_our_rules() {
    for strong in [OpponentId::Stockfish(3), OpponentId::Fairy(0)] {
        if !is_installed(strong) {
            continue;
        }
        let options = MatchOptions {
            games: 2,
            at_once: 2,
            opening_plies: 2,
        };
        let (played, _) = fair_match(&GameId::Chess, strong, OpponentId::Random, options);
        assert_eq!(played.tally().losses, 0, "{strong}: {:?}", played.tally());
        assert!(played.tally().wins >= 1, "{strong}: {:?}", played.tally());
    }
    let pair = [OpponentId::Stockfish(0), OpponentId::Fairy(-5)];
    if pair.iter().all(|&id| is_installed(id)) {
        let options = MatchOptions {
            games: 2,
            at_once: 2,
            opening_plies: 2,
        };
        let (played, _) = fair_match(&GameId::Chess, pair[0], pair[1], options);
        assert_eq!(played.tally().games(), 2);
    }
}
