//! Boards answer the pointer, the keyboard and screen readers.

use egui::{Key, Theme, Vec2, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use vitrine::gui::theme;
use vitrine::view::Figure;
use vitrine::view::board::{BoardLook, BoardPicture, BoardPiece, BoardView};
use vitrine::view::grid::{GridPicture, GridView};

use super::common::adapter_or_skip;
use super::window::{bare, click_at, crop, key, window};

pub struct State {
    pub view: BoardView,
    pub picture: BoardPicture,
    pub hovered: Option<usize>,
    pub clicked: Vec<usize>,
    pub cells: Vec<egui::Rect>,
    pub size: Vec2,
}

impl State {
    pub fn new(picture: BoardPicture) -> Self {
        Self {
            view: BoardView::new("board"),
            picture,
            hovered: None,
            clicked: Vec::new(),
            cells: Vec::new(),
            size: Vec2::splat(400.0),
        }
    }
}

fn show(ui: &mut egui::Ui, state: &mut State) {
    let colors = theme::boards(ui.visuals());
    let shown = state.view.show(ui, state.size, &state.picture, &colors);
    state.hovered = shown.hovered;
    state.clicked.extend(shown.clicked);
    state.cells = shown.cells;
}

fn bare_board(picture: BoardPicture) -> Harness<'static, State> {
    bare(Vec2::splat(440.0), State::new(picture), show)
}

/// A board from lines of signs: `x` and `o`, or the letters of chess; anything else is empty.
pub fn board(look: BoardLook, lines: &[&str]) -> BoardPicture {
    let piece = |sign: char| match (look, sign) {
        (BoardLook::Chess, sign) => {
            let figure = match sign.to_ascii_lowercase() {
                'p' => Figure::Pawn,
                'n' => Figure::Knight,
                'b' => Figure::Bishop,
                'r' => Figure::Rook,
                'q' => Figure::Queen,
                'k' => Figure::King,
                _ => return None,
            };
            let side = usize::from(sign.is_ascii_lowercase());
            Some(BoardPiece::chess(side, figure))
        }
        (_, 'x') => Some(BoardPiece::plain(0)),
        (_, 'o') => Some(BoardPiece::plain(1)),
        _ => None,
    };
    BoardPicture {
        look,
        rows: lines.len(),
        columns: lines[0].chars().count(),
        cells: lines
            .iter()
            .flat_map(|line| line.chars().map(piece))
            .collect(),
        coordinates: true,
        ..BoardPicture::default()
    }
}

pub fn chess() -> BoardPicture {
    board(
        BoardLook::Chess,
        &[
            "rnbqkbnr", "pppppppp", "........", "........", "....P...", "........", "PPPP.PPP",
            "RNBQKBNR",
        ],
    )
}

#[test]
fn the_pointer_finds_the_cell_in_every_size_and_from_both_sides() {
    for turned in [false, true] {
        for size in [vec2(400.0, 400.0), vec2(400.0, 180.0), vec2(90.0, 300.0)] {
            let mut picture = chess();
            picture.turned = turned;
            let mut harness = bare_board(picture);
            harness.state_mut().size = size;
            harness.run_steps(2);
            let cells = harness.state().cells.clone();
            let board = harness.get_by_label("board").rect();
            assert_eq!(cells.len(), 64);
            for cell in [0, 7, 36, 63] {
                assert!(board.contains_rect(cells[cell]), "{size} {cell}");
                click_at(&mut harness, cells[cell].center());
                assert_eq!(harness.state().hovered, Some(cell));
            }
            assert_eq!(harness.state().clicked, [0, 7, 36, 63]);
            let below = cells[63].min.y > cells[0].min.y;
            assert_eq!(below, !turned);
            harness.hover_at(board.min - vec2(3.0, 3.0));
            harness.run_steps(2);
            assert_eq!(harness.state().hovered, None);
        }
    }
}

#[test]
fn a_board_is_played_with_the_keyboard() {
    let mut harness = bare_board(board(BoardLook::TicTacToe, &["...", "...", "..."]));
    harness.get_by_label("board").focus();
    harness.run_steps(2);
    key(&mut harness, Key::Enter);
    key(&mut harness, Key::ArrowRight);
    key(&mut harness, Key::ArrowDown);
    key(&mut harness, Key::Space);
    // At the edge it stays; the focus does not leave the board.
    for _ in 0..4 {
        key(&mut harness, Key::ArrowDown);
    }
    key(&mut harness, Key::End);
    key(&mut harness, Key::Enter);
    assert_eq!(harness.state().clicked, [0, 4, 8]);
    harness.state_mut().picture.turned = true;
    key(&mut harness, Key::Home);
    key(&mut harness, Key::Enter);
    // The last cell is at the upper left now, and so is the cursor.
    assert_eq!(harness.state().clicked, [0, 4, 8, 8]);
    key(&mut harness, Key::ArrowRight);
    key(&mut harness, Key::Enter);
    assert_eq!(harness.state().clicked.last(), Some(&7));
}

#[test]
fn screen_readers_hear_every_cell_and_can_choose_it() {
    let mut picture = chess();
    picture.last = vec![52, 36];
    picture.check = Some(4);
    picture.targets = vec![20];
    picture.heat = vec![0.0; 64];
    picture.heat[20] = 0.25;
    let mut harness = bare_board(picture);
    for name in [
        "a8, black rook",
        "e8, black king",
        "e1, white king",
        "d5, empty",
    ] {
        harness.get_by_label(name);
    }
    let value = |name| harness.get_by_label(name).accesskit_node().value();
    assert_eq!(value("e4, white pawn").as_deref(), Some("last move"));
    assert_eq!(value("e8, black king").as_deref(), Some("in check"));
    assert_eq!(value("e6, empty").as_deref(), Some("a legal move, 25 %"));
    assert_eq!(value("d5, empty"), None);
    harness.get_by_label("e6, empty").click_accesskit();
    harness.run_steps(2);
    harness.get_by_label("e4, white pawn").click();
    harness.run_steps(2);
    assert_eq!(harness.state().clicked, [20, 36]);
}

#[test]
fn a_disc_is_held_over_the_column_where_it_will_fall() {
    if !adapter_or_skip() {
        return;
    }
    let mut picture = board(
        BoardLook::ConnectFour,
        &[
            ".......", ".......", ".......", "...o...", "...x...", "..xo...",
        ],
    );
    picture.ghost = Some(BoardPiece::plain(0));
    picture.targets = vec![35, 36, 30, 17, 39, 40, 41];
    let (mut harness, _) = window(Vec2::splat(440.0), Theme::Dark, State::new(picture), show);
    harness.run_steps(2);
    let cells = harness.state().cells.clone();
    let before = harness.render().expect("renders");
    // Anywhere in the column, here at its top.
    harness.hover_at(cells[3].center());
    harness.run_steps(2);
    let after = harness.render().expect("renders");
    for (cell, rect) in cells.iter().enumerate() {
        let [x, y] = [rect.center().x, rect.center().y].map(|v| v.round() as u32);
        let changed = before.get_pixel(x, y) != after.get_pixel(x, y);
        assert_eq!(changed, cell == 17, "cell {cell}");
    }
}

#[test]
fn heat_has_its_color_on_empty_cells_only_where_there_is_some() {
    if !adapter_or_skip() {
        return;
    }
    let mut picture = board(
        BoardLook::Stones,
        &["x....", ".....", ".....", ".....", "....."],
    );
    picture.heat = vec![0.0; 25];
    (picture.heat[0], picture.heat[6], picture.heat[7]) = (1.0, 1.0, f32::NAN);
    let (mut harness, _) = window(Vec2::splat(440.0), Theme::Light, State::new(picture), show);
    harness.run_steps(2);
    let cells = harness.state().cells.clone();
    let colors = theme::boards(&egui::Visuals::light());
    let at = |harness: &mut Harness<'_, State>, cell: usize| {
        let off = cells[cell].center() + vec2(7.0, 7.0);
        crop(harness, egui::Rect::from_min_size(off, Vec2::splat(1.0)))
            .get_pixel(0, 0)
            .0
    };
    let hot = colors.stones.heat.color(1.0).gamma_multiply(0.96);
    let hot = colors.stones.ground.blend(hot).to_array();
    for (got, expected) in at(&mut harness, 6).into_iter().zip(hot) {
        assert!(got.abs_diff(expected) <= 1, "{got} {expected}");
    }
    let [plain, missing] = [12, 7].map(|cell| at(&mut harness, cell));
    assert!(plain[0].abs_diff(missing[0]) <= 6, "{plain:?} {missing:?}");
    let stone = at(&mut harness, 0);
    assert!(
        stone[..3].iter().all(|&v| v < 90),
        "a stone covers it: {stone:?}"
    );
}

#[test]
fn a_grid_finds_its_cells_and_says_what_is_where() {
    let mut values = vec![0.0; 2 * 12];
    values[5] = 1.0;
    values[12..20].fill(1.0);
    let picture = GridPicture {
        rows: 3,
        columns: 4,
        names: vec!["ball".into(), "brick".into()],
        values,
        legend: true,
    };
    let state = (GridView::new("game"), None, egui::Rect::NOTHING);
    let mut harness = bare(Vec2::splat(440.0), state, move |ui, state| {
        let colors = theme::grid(ui.visuals());
        let shown = state.0.show(ui, vec2(400.0, 300.0), &picture, &colors);
        (state.1, state.2) = (shown.hovered, shown.cells);
    });
    let node = harness.get_by_label("game");
    let value = node.accesskit_node().value();
    assert_eq!(value.as_deref(), Some("ball at 2/2, brick in 8 cells"));
    let cells = harness.state().2;
    let side = cells.width() / 4.0;
    harness.hover_at(cells.min + vec2(2.5, 1.5) * side);
    harness.run_steps(2);
    assert_eq!(harness.state().1, Some(6));
    harness.hover_at(cells.right_center() + vec2(5.0, 0.0));
    harness.run_steps(2);
    assert_eq!(harness.state().1, None, "the legend is not a cell");
}
