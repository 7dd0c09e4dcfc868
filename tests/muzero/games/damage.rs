//! Texts that are no games: what is wrong is said, and nothing panics.

use proptest::prelude::*;
use vitrine::demos::muzero::game::{GameId, Record};
use vitrine::error::Error;

use super::record::{chess_games, id};
use super::{BOARDS, begin};

/// What a text is refused with.
fn refused(text: &str, game: Option<&str>) -> String {
    let game = game.map(id);
    match Record::read(text, game.as_ref()) {
        Err(Error::Input(why)) => why,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn what_is_wrong_is_said() {
    let cases = [
        ("(;SZ[9];B[aa]", "a ) is missing"),
        ("(;SZ[9];B[aa", "a ] is missing"),
        ("()", "there is no game in it"),
        ("(B[aa])", "before the first ;"),
        ("(;SZ[9];B)", "B has no value"),
        ("(;SZ[9]*)", "'*' where a node should be"),
        ("(;;B[aa])", "19 rows"),
        ("(;SZ[nine])", "SZ[nine] is no number"),
        ("(;GM[3])", "GM[3]"),
        ("(;SZ[9]HA[2]AB[aa][bb];W[cc])", "handicap"),
        ("(;SZ[9]AB[aa];W[cc])", "set up"),
        ("(;SZ[9];B[aa];AE[aa];W[bb])", "set up"),
        ("(;SZ[9];W[aa])", "move 1, \"aa\": the other player"),
        ("(;SZ[9];B[aa];W[aa])", "move 2, \"aa\": it is not legal"),
        ("(;SZ[9];B[ja])", "move 1, \"ja\": no such point"),
        ("(;SZ[9];B[];W[];B[aa])", "move 3, \"aa\": the game is over"),
        ("(;GM[4]SZ[9];B[])", "no such point"),
        ("[Event \"x\"]\n1. e4 e4", "move 2, \"e4\": it is not legal"),
        (
            "[Event \"x\"]\n1. e4 hello",
            "move 2, \"hello\": that is no chess move",
        ),
        ("[Event \"x\"]\n1. e4 -- 2. d4", "\"--\""),
        (
            "[Event \"x\"]\n1. Na3 a6 2. Nf3 a5 3. Nb5 a4 4. Nbd4 h6 5. Nb3 h5 6. Nd4",
            "several",
        ),
        (
            "[Event \"x\"]\n1. f3 e5 2. g4 Qh4# 3. a3",
            "move 5, \"a3\": the game is over",
        ),
        ("[FEN \"8/8/8/8/8/8/8/K1k5 w - - 0 1\"]\n1. Ka2", "set up"),
        ("[Variant \"Atomic\"]\n1. e4", "Atomic is not played here"),
        ("[Event \"x]\n1. e4", "no end"),
        ("[Event]\n1. e4", "no value"),
        ("[Event \"x\"\n1. e4", "no ]"),
        ("[Event \"x\"]\n1. e4 {", "a } is missing"),
        ("[Event \"x\"]\n1. e4 (1. d4 (1. c4)", "a ) is missing"),
        ("[Event \"x\"]\n1. e4 )", "closes nothing"),
        ("4453", "of which game"),
        ("# game: ludo\n1", "no game \"ludo\""),
        ("# game: connect4\n48", "move 2: there is no move \"8\""),
        (
            "# game: connect4\n1111111",
            "move 7, \"1\": it is not legal",
        ),
        (
            "# game: connect4\n12121212",
            "move 8, \"2\": the game is over",
        ),
        ("# game: connect4\n# result: won\n1", "the result \"won\""),
        ("# game: connect4\n# seed: -1\n1", "the seed \"-1\""),
    ];
    for (text, part) in cases {
        let why = refused(text, None);
        assert!(why.contains(part), "{text}: {why}");
    }
    let long = " ".repeat(2 << 20);
    assert!(refused(&long, Some("connect4")).contains("2 MiB"));
    let endless = format!("(;SZ[9];B[{}])", "a".repeat(100_000));
    assert!(refused(&endless, None).len() < 200, "messages stay short");
    let deep = format!("[Event \"x\"]\n1. e4 {}", "(".repeat(500_000));
    assert!(refused(&deep, None).contains("a ) is missing"));
    let deep = format!("{};SZ[9];B[aa]", "(".repeat(500_000));
    assert!(refused(&deep, None).contains("a ) is missing"));
}

/// Bits of the formats, and what is none of theirs.
const BITS: &[&str] = &[
    "(",
    ")",
    ";",
    "[",
    "]",
    "{",
    "}",
    "\\",
    "\"",
    "\n",
    " ",
    "#",
    ":",
    "B",
    "W",
    "B[aa]",
    "SZ[9]",
    "GM[1]",
    "GM[2]",
    "GM[4]",
    "AB[",
    "1.",
    "e4",
    "Nf3",
    "exd5",
    "e8=Q",
    "O-O",
    "$1",
    "1-0",
    "0-1",
    "*",
    "%",
    "[Result \"1-0\"]",
    "# game: chess",
    "# game: go9",
    "pass",
    "é",
    "\u{1F600}",
    "=",
    "x",
    "+",
    "Q",
    "a1",
    "h8",
    "--",
    "\u{feff}",
    "\0",
];

/// These in any order.
fn pieces() -> impl Strategy<Value = String> {
    let bit = prop_oneof![
        4 => prop::sample::select(BITS).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(bit, 0..60).prop_map(|bits| bits.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn nothing_that_is_read_panics(text in pieces(), begin in 0_usize..4) {
        let begin = ["(;SZ[9]", "[Event \"x\"]\n", "# game: chess\n", ""][begin];
        for game in [None, Some(&GameId::Chess), Some(&GameId::Go), Some(&GameId::ConnectFour)] {
            match Record::read(&format!("{begin}{text}"), game) {
                Ok(record) => {
                    record.replay().expect("what is read is legal");
                }
                Err(Error::Input(why)) => prop_assert!(why.len() < 400, "{}", why),
                Err(other) => panic!("{other:?}"),
            }
        }
    }

    /// A part of a real file, with one character changed.
    #[test]
    fn damaged_files_are_refused_or_read(
        which in 0_usize..12,
        cut in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        with in any::<char>(),
    ) {
        let pgn = format!("[White \"A\"]\n[Result \"*\"]\n\n{} *", chess_games()[which].san);
        let sgf = include_str!("../../data/muzero/gnugo.sgf");
        for text in [pgn.as_str(), sgf] {
            let mut chars: Vec<char> = text.chars().collect();
            let place = at.index(chars.len());
            chars[place] = with;
            chars.truncate(cut.index(text.len()) + 1);
            let text: String = chars.into_iter().collect();
            if let Ok(record) = Record::read(&text, None) {
                record.replay().expect("what is read is legal");
            }
        }
    }

    #[test]
    fn names_of_moves_never_panic(name in "\\PC{0,8}", square in "[a-jA-J][0-9]{0,3}[a-h]?[1-8]?[a-z]?") {
        for game in BOARDS {
            let game = begin(game);
            for text in [&name, &square] {
                if let Ok(action) = game.parse_action(text) {
                    prop_assert!(action < game.spec().actions);
                    game.action_name(action);
                    game.cells(action);
                }
            }
        }
    }
}
