//! The `MuZero` tab, by the names of its widgets.

use std::time::Duration;

use egui_kittest::kittest::Queryable as _;
use serde_json::{Value, json};
use vitrine::gui::Command;
use vitrine::store::Settings;

use super::window::{Drive as _, Home, Window, labels};

fn open(home: &Home) -> Window {
    let settings = Settings {
        last_tab: "muzero".into(),
        ..Settings::default()
    };
    home.open_with(settings, None)
}

fn saved(window: &Window) -> Value {
    window.state().session().tabs["muzero"].clone()
}

/// The moves on the table.
fn moves(window: &Window) -> Vec<u64> {
    let saved = saved(window);
    let moves = saved["shared"]["moves"].as_array().expect("a list");
    moves
        .iter()
        .map(|m| m.as_u64().expect("a number"))
        .collect()
}

/// Opens a window on a session with this state of the tab.
fn restored(home: &Home, game: &str, moves: &[u64], play: &Value) -> Window {
    let tab = json!({
        "page": "play",
        "shared": { "game": game, "moves": moves },
        "pages": { "play": play },
    });
    let session = json!({"vitrine_session": 1, "active": "muzero", "tabs": {"muzero": tab}});
    let path = home.with_file("game.json", session.to_string().as_bytes());
    let mut window = open(home);
    window.command(Command::OpenSession);
    window.choose(&path, "Open");
    window.run_steps(4);
    window
}

/// Without searches that nobody asked for.
fn quiet(seats: [&str; 2]) -> Value {
    let seat = |seat: &str| match seat {
        "you" | "machine" => json!(seat),
        other => json!({ "opponent": other }),
    };
    json!({ "seats": seats.map(seat), "simulations": 4, "think_along": false })
}

#[test]
fn the_first_open_shows_a_board_with_names_for_all() {
    let mut window = open(&Home::new());
    window.get_by_label("Board");
    assert!(window.reads("Red: your move"), "{:?}", labels(&window));
    assert_eq!(window.unnamed_widgets(), Vec::<String>::new());
    window.wait("the last repaint", |w| w.next_frame() == Duration::MAX);
}

#[test]
fn a_click_plays_and_undo_takes_it_back() {
    let mut window = restored(&Home::new(), "connect4", &[], &quiet(["you", "you"]));
    window.click("column 4, row 1, empty");
    assert_eq!(moves(&window), [3]);
    assert!(window.reads("Yellow: your move"));
    window.click("column 4, row 2, empty");
    assert_eq!(moves(&window), [3, 3]);
    window.command(Command::Undo);
    assert_eq!(moves(&window), [3]);
    window.command(Command::Redo);
    assert_eq!(moves(&window), [3, 3]);
    window.click("Start");
    assert_eq!(moves(&window), Vec::<u64>::new());
}

#[test]
fn a_random_opponent_answers() {
    let mut window = restored(&Home::new(), "connect4", &[], &quiet(["you", "random"]));
    window.click("column 1, row 1, empty");
    window.wait("the answer", |w| moves(w).len() == 2);
    assert!(window.reads("Red: your move"));
    // One's own last turn, not the other's.
    window.command(Command::Undo);
    assert_eq!(moves(&window), Vec::<u64>::new());
}

#[test]
fn the_result_is_told() {
    let play = quiet(["you", "minimax"]);
    let mut window = restored(&Home::new(), "tictactoe", &[0, 4, 1, 2, 6, 3, 5, 7], &play);
    window.click("c1, empty");
    assert!(window.reads("A draw"), "{:?}", labels(&window));
}

#[test]
fn muzero_answers_and_gives_a_hint() {
    let mut window = restored(&Home::new(), "tictactoe", &[], &quiet(["you", "machine"]));
    window.click("Hint");
    window.wait("the hint", |w| w.reads("Hint: "));
    window.click("b2, empty");
    window.wait("the answer", |w| moves(w).len() == 2);
}

#[test]
fn an_engine_that_fails_ends_the_game_with_a_message() {
    // It does not know this game: the same way as one that is not installed.
    let play = quiet(["you", "gnugo:1"]);
    let mut window = restored(&Home::new(), "connect4", &[], &play);
    window.click("column 1, row 1, empty");
    window.wait("the message", |w| w.reads("does not play connect4"));
    assert_eq!(moves(&window), [0]);
    window.click("New game");
    assert!(window.reads("Red: your move"));
}

#[test]
fn a_game_comes_back_with_its_session() {
    let home = Home::new();
    let first = restored(&home, "othello6", &[], &quiet(["you", "random"]));
    let before = saved(&first)["pages"]["play"].clone();
    let second = restored(&home, "othello6", &[], &before);
    assert_eq!(saved(&second)["pages"]["play"], before);
    assert!(second.reads("Black: your move"));
}

#[test]
fn a_game_is_exported_and_opened_again() {
    let home = Home::new();
    let mut window = restored(&home, "chess", &[], &quiet(["you", "you"]));
    window.click("e2, white pawn");
    window.click("e4, empty");
    let played = moves(&window);
    assert_eq!(played.len(), 1);
    let path = home.file("game.pgn");
    window.export("as chess programs read it", &path);
    let mut other = open(&home);
    other.command(Command::OpenFile);
    other.choose(&path, "Open");
    other.run_steps(4);
    assert_eq!(moves(&other), played);
}

#[test]
fn the_tree_shows_the_search() {
    let mut window = restored(&Home::new(), "tictactoe", &[4], &quiet(["you", "you"]));
    window.click("Tree");
    window.wait("the tree", |w| w.reads("50 simulations"));
    assert!(window.reads("Moves of the position"));
    assert_eq!(window.unnamed_widgets(), Vec::<String>::new());
    window.command(Command::Step);
    window.wait("the beginning", |w| {
        w.reads("0 simulations") && !w.reads("50 simulations")
    });
    window.command(Command::Step);
    window.wait("one step", |w| w.reads("1 simulations"));
}
