//! Engines in processes of their own: stand-ins that misbehave, and the real ones where they are
//! installed.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use vitrine::demos::muzero::arena::{
    Finished, GameResult, Match, MatchOptions, Opponents, Position,
};
use vitrine::demos::muzero::game::GameId;
use vitrine::demos::muzero::opponent::{GnuGo, Opponent, OpponentId, Program, Random, Uci};
use vitrine::error::Error;
use vitrine::rng::Rng;

use super::opponents::game;

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
