//! Games as text: round trips, other programs' files, and what is refused.

use proptest::prelude::*;
use serde::Deserialize;
use vitrine::demos::muzero::game::{Chess, Format, Game, GameId, Outcome, Player, Record};
use vitrine::error::Error;
use vitrine::store::atomic_write;

use super::{BOARDS, begin, board, legal, play};

pub(super) fn id(name: &str) -> GameId {
    name.parse().expect("a game's name")
}

fn read(text: &str) -> Record {
    Record::read(text, None).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[derive(Deserialize)]
pub(super) struct ChessGame {
    pub san: String,
    fen: String,
    end: String,
}

pub(super) fn chess_games() -> Vec<ChessGame> {
    let text = include_str!("../../data/muzero/python_chess.json");
    serde_json::from_str(text).expect("recorded games")
}

/// The moves without numbers, tags and result.
fn san_of(pgn: &str) -> String {
    let (_, moves) = pgn.split_once("\n\n").expect("tags, then moves");
    let is_move = |word: &&str| !word.ends_with('.');
    let words: Vec<&str> = moves.split_whitespace().filter(is_move).collect();
    words[..words.len() - 1].join(" ")
}

#[test]
fn chess_is_read_and_written_as_another_program_does() {
    let mut ends = std::collections::HashSet::new();
    for game in chess_games() {
        let record = read(&format!("[Event \"random\"]\n\n{} *", game.san));
        let mut chess = Chess::new();
        for &action in &record.moves {
            assert!(!chess.is_over());
            chess.step(action).expect("legal");
        }
        assert_eq!(chess.fen(), game.fen);
        let last = chess.to_play().other();
        let outcome = match game.end.as_str() {
            "CHECKMATE" => Outcome::Won(last),
            _ => Outcome::Drawn,
        };
        assert_eq!(chess.outcome(), Some(outcome), "{}", game.end);
        assert_eq!(record.outcome, Some(outcome));
        let pgn = record.write(Format::Pgn).expect("written");
        assert_eq!(san_of(&pgn), game.san);
        assert!(pgn.lines().all(|line| line.len() <= 80));
        assert_eq!(read(&pgn), record);
        ends.insert(game.end);
    }
    assert_eq!(ends.len(), 5, "{ends:?}");
}

/// Morphy's game at the opera, Paris 1858, with all that a PGN may hold.
#[test]
fn a_pgn_with_comments_and_variations_is_read() {
    let text = r#"% an escaped line
[Event "A \"casual\" game"]
[Site "Paris"] [Date "1858.??.??"]
[White "Paul  Morphy"]
[Black "Duke Karl / Count Isouard"]
[Result "1-0"]

1.e4 e5 2. Nf3 $1 d6 {Philidor's ( defence } 3.d4 Bg4?! (3... exd4 4. Nxd4 (4. Qxd4 {also } a6)
4... Nf6 ; a comment with ) to the end of the line
5. Nc3) 4.dxe5 Bxf3 5.Qxf3 dxe5 6.Bc4 Nf6 7.Qb3 Qe7 8.Nc3 c6 9.Bg5 b5 10.Nxb5! cxb5 11.Bxb5+
Nbd7 12.0-0-0 Rd8 13.Rxd7 Rxd7 14.Rd1 Qe6 15 Bxd7+ Nxd7 16.Qb8+!! Nxb8 17.Rd8# 1-0

[Event "The next game"]
1. a4 *
"#;
    let record = read(text);
    let [white, black] = &record.players;
    assert_eq!(
        (white.as_str(), black.as_str()),
        ("Paul Morphy", "Duke Karl / Count Isouard")
    );
    assert_eq!(record.outcome, Some(Outcome::Won(Player::First)));
    let mut chess = Chess::new();
    for &action in &record.moves {
        chess.step(action).expect("legal");
    }
    assert_eq!(
        chess.fen(),
        "1n1Rkb1r/p4ppp/4q3/4p1B1/4P3/8/PPP2PPP/2K5 b k - 1 17"
    );
    let spelled = "1.e2e4 e7-e5 2.Ng1f3 d7d6 3.Pd4 c8g4 4.d4:e5 Bg4xf3 5.Qd1xf3 d6xe5";
    let moves = Record::read(spelled, None).expect("long forms").moves;
    assert_eq!(moves, record.moves[..10]);
}

#[test]
fn a_result_that_was_agreed_on_is_kept() {
    let resigned = read("[Result \"0-1\"]\n1. e4 e5 0-1");
    assert_eq!(resigned.outcome, Some(Outcome::Won(Player::Second)));
    assert!(
        resigned
            .write(Format::Pgn)
            .expect("written")
            .ends_with("1. e4 e5 0-1\n")
    );
    assert_eq!(
        read("[Result \"*\"]\n1. e4 1/2-1/2").outcome,
        Some(Outcome::Drawn)
    );
    assert_eq!(read("[Result \"*\"]\n1. e4").outcome, None);
    let mated = read("[Result \"1-0\"]\n1. f3 e5 2. g4 Qh4# 1-0");
    assert_eq!(
        mated.outcome,
        Some(Outcome::Won(Player::Second)),
        "the rules know better"
    );
    assert_eq!(
        read("(;SZ[9]RE[W+R];B[aa])").outcome,
        Some(Outcome::Won(Player::Second))
    );
    assert_eq!(
        read("(;SZ[9]RE[B+0.5];B[aa])").outcome,
        Some(Outcome::Won(Player::First))
    );
    assert_eq!(
        read("(;GM[4]SZ[9]RE[Draw];B[aa])").outcome,
        Some(Outcome::Drawn)
    );
    assert_eq!(read("(;SZ[9]RE[Void];B[aa])").outcome, None);
}

/// Written by GNU Go 3.8 (`--mode ascii -o`), and the board as it printed it.
#[test]
fn a_file_of_gnu_go_is_read() {
    let record = read(include_str!("../../data/muzero/gnugo.sgf"));
    assert_eq!(record.game, GameId::Go);
    let game = record.replay().expect("legal");
    let cells = board(game.as_ref()).cells;
    for (player, names) in [
        (Player::First, "C7 G7 E5 C3 F3"),
        (Player::Second, "G5 C4 D4 F4 E2 G2"),
    ] {
        let mut wanted: Vec<usize> = names
            .split(' ')
            .map(|name| game.parse_action(name).expect("a crossing"))
            .collect();
        wanted.sort_unstable();
        let own = |&cell: &usize| cells[cell].is_some_and(|piece| piece.player == player);
        assert_eq!((0..81).filter(own).collect::<Vec<_>>(), wanted);
    }
}

/// After the specification of FF 4 at red-bean.com/sgf.
#[test]
fn an_sgf_with_variations_escapes_and_unknown_properties_is_read() {
    let text = "a letter before? no: \u{feff}";
    assert!(Record::read(text, None).is_err());
    let text = "\u{feff}\n (;FF[4]GM[1]SZ[9:9]PB[A \\] B\\\\ \\\nC\nD]PW[]C[( ; \\] )]\n\
        ;B[ee]N[x]XX[1][2] [3]\n;White[ed]C[])";
    let record = read(text);
    assert_eq!(record.players, ["A ] B\\ C D".to_owned(), String::new()]);
    assert_eq!(record.moves, [40, 31]);
    let text = "(;SZ[9];B[aa](;W[bb];B[cc](;W[dd])(;W[ee]))(;W[ff];B[gg]))(;SZ[9];B[ii])";
    assert_eq!(
        read(text).moves,
        [0, 10, 20, 30],
        "the first of all variations"
    );
    assert_eq!(
        read("(;SZ[9];B[aa];W[];B[tt])").moves,
        [0, 81, 81],
        "both spellings of a pass"
    );
    assert_eq!(
        read("(;SZ[9];B[];W[];B[];W[])").moves,
        [81, 81],
        "passes after the end"
    );
    let discs = "(;GM[2]AB[ed][de]AW[dd][ee]PL[B];B[dc];W[ec])";
    assert_eq!(
        read(discs).moves.len(),
        2,
        "Othello's first discs may be set up"
    );
    assert_eq!(read(discs).game, GameId::Othello8);
    let written = read(discs).write(Format::Sgf).expect("written");
    assert!(written.contains(";B[dc];W[ec])"), "{written}");
}

/// The shortest games of Othello with a pass in them need no pass in the file.
#[test]
fn passes_of_othello_may_be_left_out() {
    let mut with_pass = 0;
    for seed in 0..40 {
        let record = random_record("othello6", seed, 100);
        let sgf = record.write(Format::Sgf).expect("written");
        let without = sgf.replace(";B[]", "").replace(";W[]", "");
        with_pass += usize::from(without != sgf);
        assert_eq!(read(&without).moves, record.moves);
    }
    assert!(with_pass > 3);
}

fn random_record(name: &str, seed: u64, most: usize) -> Record {
    let mut rng = vitrine::rng::Rng::new(seed);
    let mut game = begin(name);
    let mut moves = Vec::new();
    while !game.is_over() && moves.len() < most {
        let choices = legal(game.as_ref());
        let action = choices[rng.below(choices.len())];
        game.step(action).expect("legal");
        moves.push(action);
    }
    Record::new(id(name), moves, None).expect("legal moves")
}

#[test]
fn plain_moves_are_read_in_many_spellings() {
    let connect4 = id("connect4");
    for text in ["4453", "4 4 5 3", "44,53", "# a comment\n44\n\n 5\t3\n"] {
        let record = Record::read(text, Some(&connect4)).expect("moves");
        assert_eq!(record.moves, [3, 3, 4, 2], "{text}");
    }
    assert!(
        Record::read("", Some(&connect4))
            .expect("no move")
            .moves
            .is_empty()
    );
    let record = read("# game: othello8\n# first: Ada\n# seed: 7\n# result: 0-1\nD3 c5");
    assert_eq!((record.game, record.seed), (GameId::Othello8, Some(7)));
    assert_eq!(record.players[0], "Ada");
    assert_eq!(record.outcome, Some(Outcome::Won(Player::Second)));
    let chess = Record::read("e2e4 e7e5", Some(&id("chess"))).expect("moves");
    assert_eq!(chess.moves.len(), 2);
}

#[test]
fn files_are_saved_and_loaded() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("game.sgf");
    let record = random_record("gomoku", 1, 20);
    record.save(&path, Format::Sgf).expect("saved");
    assert_eq!(Record::load(&path, None).expect("loaded"), record);
    atomic_write(&path, b"(;SZ[9]PB[M\xfcller];B[aa])").expect("written");
    assert_eq!(Record::load(&path, None).expect("Latin-1").moves, [0]);
    let missing = Record::load(&folder.path().join("none"), None);
    assert!(matches!(missing, Err(Error::Io { .. })));
    atomic_write(&path, &vec![b' '; 2 << 20]).expect("a long file");
    let long = Record::load(&path, None).expect_err("too long").to_string();
    assert!(
        long.contains("more than 1 MiB") && long.ends_with("game.sgf"),
        "{long}"
    );
}

#[test]
fn formats_are_for_their_games() {
    let record = random_record("connect4", 3, 9);
    for format in [Format::Sgf, Format::Pgn] {
        let error = record
            .write(format)
            .expect_err("not for this game")
            .to_string();
        assert!(error.contains("connect4"), "{error}");
    }
    let illegal = Record::new(id("tictactoe"), vec![4, 4], None);
    let why = illegal.expect_err("taken").to_string();
    assert!(why.contains("move 2, \"b2\""), "{why}");
    for name in BOARDS {
        let actions = begin(name).spec().actions;
        for action in [actions, 2 * actions, usize::MAX] {
            let why = Record::new(id(name), vec![action], None).expect_err("no action");
            assert!(why.to_string().contains("no such action"), "{why}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_was_written_is_read_again(
        name in prop::sample::select(&BOARDS[..]),
        seed in any::<u64>(),
        most in 0_usize..200,
        players in prop::array::uniform2("[ -~é\\[\\]\\\\\"]{0,30}"),
        ended in prop::sample::select(&[
            None,
            Some(Outcome::Drawn),
            Some(Outcome::Won(Player::First)),
            Some(Outcome::Won(Player::Second)),
        ][..]),
    ) {
        let mut record = random_record(name, seed, most);
        // Spaces in names are not kept as they are; PGN's `?` means none.
        record.players = players.map(|name| {
            let name = name.replace('?', "");
            name.split_whitespace().collect::<Vec<_>>().join(" ")
        });
        record.outcome = record.outcome.or(ended);
        for &format in Format::of(&record.game) {
            let text = record.write(format).expect("written");
            let back = Record::read(&text, None);
            prop_assert_eq!(&back.expect("read again"), &record, "{}", text);
        }
        let end = record.replay().expect("legal");
        prop_assert_eq!(end.is_over(), legal(end.as_ref()).is_empty());
    }
}

#[test]
fn every_action_has_a_name_and_cells() {
    for name in BOARDS {
        let mut game = begin(name);
        if name == "chess" {
            play(game.as_mut(), "e2e4");
        }
        let [_, rows, columns] = game.spec().observation;
        for action in 0..game.spec().actions {
            assert!(!game.action_name(action).is_empty());
            let cells = game.cells(action);
            assert!(cells.to.is_none_or(|to| to < rows * columns), "{name}");
            assert!(
                cells.from.is_none_or(|from| from < rows * columns),
                "{name}"
            );
        }
    }
}
