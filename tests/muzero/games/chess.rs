//! Chess: published counts of positions, draws, and how moves are coded.

use vitrine::demos::muzero::game::{Chess, Game, Kind, Outcome, Piece, Player, chess_ends};

use super::{begin, board, legal, observe, perft, play};

fn from_fen(fen: &str) -> Chess {
    Chess::from_fen(fen).expect("a position")
}

/// Counts of the chess programming wiki's page of perft results.
#[test]
fn chess_has_the_known_number_of_lines() {
    let known: [(&str, &[u64]); 6] = [
        (
            "rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 0 1",
            &[20, 400, 8_902, 197_281],
        ),
        (
            "r3k2r/p1ppqpb1/bn2pnp1/3PN3/1p2P3/2N2Q1p/PPPBBPPP/R3K2R w KQkq - 0 1",
            &[48, 2_039, 97_862],
        ),
        (
            "8/2p5/3p4/KP5r/1R3p1k/8/4P1P1/8 w - - 0 1",
            &[14, 191, 2_812, 43_238],
        ),
        (
            "r3k2r/Pppp1ppp/1b3nbN/nP6/BBP1P3/q4N2/Pp1P2PP/R2Q1RK1 w kq - 0 1",
            &[6, 264, 9_467],
        ),
        (
            "rnbq1k1r/pp1Pbppp/2p5/8/2B5/8/PPP1NnPP/RNBQK2R w KQ - 1 8",
            &[44, 1_486, 62_379],
        ),
        (
            "r4rk1/1pp1qppp/p1np1n2/2b1p1B1/2B1P1b1/P1NP1N2/1PP1QPPP/R4RK1 w - - 0 10",
            &[46, 2_079, 89_890],
        ),
    ];
    for (fen, counts) in known {
        for (depth, &count) in (1..).zip(counts) {
            assert_eq!(
                perft(&from_fen(fen), depth),
                count,
                "depth {depth} of {fen}"
            );
        }
    }
}

#[test]
fn mate_wins_and_the_king_is_marked() {
    let mut game = Chess::new();
    play(&mut game, "f2f3 e7e5 g2g4");
    let reward = game.step(game.parse_action("d8h4").expect("a move"));
    assert!(reward.expect("legal") > 0.5);
    assert_eq!(game.outcome(), Some(Outcome::Won(Player::Second)));
    assert!(legal(&game).is_empty());
    assert_eq!(board(&game).marked, [7 * 8 + 4], "e1");
    assert_eq!(board(&game).last, [3, 4 * 8 + 7], "d8 and h4");
}

#[test]
fn draws_are_found() {
    let mut thrice = Chess::new();
    play(&mut thrice, "g1f3 g8f6 f3g1 f6g8 g1f3 g8f6 f3g1");
    assert_eq!(thrice.outcome(), None);
    play(&mut thrice, "f6g8");
    assert_eq!(thrice.outcome(), Some(Outcome::Drawn), "the third time");

    // The first time the pawn may be taken in passing, so that was another position.
    let there_and_back = "e8d8 e1d1 d8e8 d1e1 e8d8 e1d1 d8e8 d1e1";
    let mut passing = from_fen("4k3/8/8/8/3p4/8/4P3/4K2R w - - 0 1");
    play(&mut passing, &format!("e2e4 {there_and_back}"));
    assert_eq!(
        passing.outcome(),
        None,
        "once with a capture in passing, twice without"
    );
    play(&mut passing, "e8d8");
    assert_eq!(passing.outcome(), Some(Outcome::Drawn));
    let mut alone = from_fen("4k3/8/8/8/8/8/4P3/4K2R w - - 0 1");
    play(&mut alone, &format!("e2e4 {there_and_back}"));
    assert_eq!(
        alone.outcome(),
        Some(Outcome::Drawn),
        "nothing could take it"
    );
    // A pawn that may not take because its king would be in check makes no difference either.
    let mut pinned = from_fen("3k4/8/8/8/3p4/8/4P3/3RK3 w - - 0 1");
    play(&mut pinned, "e2e4 d8c8 e1f1 c8d8 f1e1 d8c8 e1f1 c8d8 f1e1");
    assert_eq!(pinned.outcome(), Some(Outcome::Drawn));

    let mut fifty = from_fen("4k3/8/8/8/8/8/8/4K2R w - - 98 80");
    play(&mut fifty, "h1h2");
    assert_eq!(fifty.outcome(), None);
    play(&mut fifty, "e8d8");
    assert_eq!(fifty.outcome(), Some(Outcome::Drawn), "50 moves");
    let mut mate = from_fen("k7/8/1K6/8/8/8/8/7R w - - 99 80");
    play(&mut mate, "h1h8");
    assert_eq!(
        mate.outcome(),
        Some(Outcome::Won(Player::First)),
        "mate goes first"
    );

    let stalemate = from_fen("k7/8/1Q6/8/8/8/8/K7 b - - 0 1");
    assert_eq!(stalemate.outcome(), Some(Outcome::Drawn));
}

#[test]
fn too_few_pieces_are_a_draw() {
    let drawn = [
        "K6k/8/8/8/8/8/8/8",
        "K6k/8/8/8/8/8/8/N7",
        "K6k/8/8/8/8/8/8/b7",
        "K6k/8/8/8/8/8/8/2B1b3",
    ];
    let going_on = [
        "K6k/8/8/8/8/8/8/NN6",
        "K6k/8/8/8/8/8/8/2Bb4",
        "K6k/8/8/8/8/8/7p/8",
        "K6k/8/8/8/8/8/8/R7",
        "K6k/8/8/8/8/8/8/Nb6",
    ];
    let outcome = |fen: &&str| from_fen(&format!("{fen} w - - 0 1")).outcome();
    assert!(drawn.iter().all(|fen| outcome(fen) == Some(Outcome::Drawn)));
    assert!(going_on.iter().all(|fen| outcome(fen).is_none()));
}

/// The same position for black, upside down, is the same to the mover: observation and actions.
#[test]
fn black_sees_what_white_sees_in_the_mirrored_position() {
    let pairs = [
        (
            "r3k2r/p1ppqpb1/bn2pnp1/3PN3/1p2P3/2N2Q1p/PPPBBPPP/R3K2R w KQkq - 0 1",
            "r3k2r/pppbbppp/2n2q1P/1P2p3/3pn3/BN2PNP1/P1PPQPB1/R3K2R b KQkq - 0 1",
        ),
        (
            "8/1P2k3/8/8/3pPp2/8/8/4K2R b - e3 7 30",
            "4k2r/8/8/3PpP2/8/8/1p2K3/8 w - e6 7 30",
        ),
        (
            "4k3/P6P/8/8/8/8/8/R3K3 w Q - 3 9",
            "r3k3/8/8/8/8/8/p6p/4K3 b q - 3 9",
        ),
    ];
    for (white, black) in pairs {
        let (white, black) = (from_fen(white), from_fen(black));
        assert_eq!(observe(&white), observe(&black));
        assert_eq!(legal(&white), legal(&black));
        assert!(legal(&white).len() > 3);
    }
}

#[test]
fn the_planes_of_the_first_position() {
    let planes = observe(begin("chess").as_ref());
    let ones: Vec<usize> = (0..64 * 19).filter(|&i| planes[i] > 0.0).collect();
    let count = |plane: usize| ones.iter().filter(|&&i| i / 64 == plane).count();
    let counts: Vec<usize> = (0..19).map(count).collect();
    assert_eq!(
        counts,
        [8, 2, 2, 2, 1, 1, 8, 2, 2, 2, 1, 1, 64, 64, 64, 64, 0, 0, 0]
    );
    assert!(ones.contains(&(5 * 64 + 60)), "the own king below");
    assert!(ones.contains(&(11 * 64 + 4)), "the other's above");
    let mut later = begin("chess");
    play(later.as_mut(), "g1f3 g8f6 f3g1 f6g8");
    let planes = observe(later.as_ref());
    assert!((planes[17 * 64] - 0.04).abs() < 1e-6, "4 of 100 half moves");
    assert!(
        planes[18 * 64..].iter().all(|&x| x > 0.5),
        "it was there before"
    );
}

#[test]
fn promotions_and_castling_have_their_actions() {
    let game = from_fen("1n2k3/P7/8/8/8/8/8/R3K2R w KQ - 0 1");
    let named = |name: &str| game.parse_action(name).expect("a move");
    assert_eq!(named("a7a8q"), named("a7a8"));
    let less = ["n", "b", "r"].map(|piece| named(&format!("a7b8{piece}")));
    assert_eq!(
        less.map(|action| game.action_name(action)),
        ["a7b8n", "a7b8b", "a7b8r"]
    );
    for (piece, action) in less.into_iter().enumerate() {
        let ends = chess_ends(action).expect("an action");
        assert_eq!((ends.from, ends.to, ends.promotion), (8, 1, Some(piece)));
    }
    for (name, kind) in [
        ("a7b8", Kind::Queen),
        ("a7b8r", Kind::Rook),
        ("a7a8n", Kind::Knight),
    ] {
        let mut next = game.clone();
        play(&mut next, name);
        let to = next.cells(0).to;
        assert!(to.is_some());
        let cells = board(&next).cells;
        let player = Player::First;
        assert!(cells[..2].contains(&Some(Piece { player, kind })), "{name}");
    }
    for (name, rook) in [("e1g1", 61), ("e1c1", 59)] {
        let mut next = game.clone();
        play(&mut next, name);
        let piece = board(&next).cells[rook].expect("the rook");
        assert_eq!(piece.kind, Kind::Rook, "{name}");
    }
    let taken = game.parse_action("e1h1").expect("squares");
    assert!(
        !legal(&game).contains(&taken),
        "the king does not take its rook"
    );
    assert!(game.clone().step(taken).is_err());
    for wrong in [
        "e2e4q", "e7e8k", "e1", "e1e9", "e1e2e3", "", "é1e2", "a7a8qq", "0000",
    ] {
        assert!(game.parse_action(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn positions_that_cannot_be_are_refused() {
    for wrong in [
        "",
        "8/8/8/8/8/8/8/8 w - - 0 1",
        "k7/8/8/8/8/8/8/K7 w KQ - 0 1",
        "k7/8/8 w",
    ] {
        assert!(Chess::from_fen(wrong).is_err(), "{wrong}");
    }
    let fen = "rnbqkbnr/pppp1ppp/8/4p3/4P3/8/PPPP1PPP/RNBQKBNR w KQkq e6 0 2";
    assert_eq!(from_fen(fen).fen(), fen);
}
