//! How boards, grids and trees look, compared with stored pictures.

use egui::{Theme, UiBuilder, Vec2, pos2, vec2};
use egui_kittest::{SnapshotOptions, image_snapshot_options};
use vitrine::gui::theme;
use vitrine::view::board::{BoardLook, BoardPicture, BoardView};
use vitrine::view::grid::{GridPicture, GridView};
use vitrine::view::tree::TreeView;

use super::board::{board, chess};
use super::common::adapter_or_skip;
use super::tree::searched;
use super::window::window;

/// Shares in some cells, and their numbers.
fn thoughts(picture: &mut BoardPicture, shares: &[(usize, f32)]) {
    picture.heat = vec![0.0; picture.rows * picture.columns];
    picture.notes = vec![String::new(); picture.rows * picture.columns];
    for &(cell, share) in shares {
        picture.heat[cell] = share;
        picture.notes[cell] = format!("{:.0}", share * 100.0);
    }
}

fn boards() -> Vec<BoardPicture> {
    let mut noughts = board(BoardLook::TicTacToe, &["xo.", ".x.", "o.x"]);
    noughts.winning = vec![0, 4, 8];
    let mut four = board(
        BoardLook::ConnectFour,
        &[
            ".......", ".......", "...o...", "..ox...", ".xxo.o.", "oxoxxx.",
        ],
    );
    four.last = vec![17];
    thoughts(
        &mut four,
        &[
            (28, 0.03),
            (22, 0.08),
            (16, 0.12),
            (10, 0.42),
            (32, 0.22),
            (41, 0.13),
        ],
    );
    let mut othello = board(
        BoardLook::Othello,
        &["......", ".xo...", ".xxo..", ".oxxx.", "..oo..", "......"],
    );
    othello.last = vec![7];
    othello.targets = vec![3, 9, 16, 30];
    othello.show_targets = true;
    let mut go = board(
        BoardLook::Stones,
        &[
            ".........",
            "..x...o..",
            ".xo.xxo..",
            ".xoooxxo.",
            "..x.ox...",
            ".xxo.ox..",
            ".oo..o...",
            "..o......",
            ".........",
        ],
    );
    go.last = vec![24];
    thoughts(
        &mut go,
        &[
            (39, 0.02),
            (26, 0.05),
            (43, 0.38),
            (44, 0.12),
            (49, 0.28),
            (61, 0.06),
        ],
    );
    let mut men = chess();
    men.last = vec![52, 36];
    men.check = Some(4);
    men.selected = Some(57);
    men.targets = vec![40, 42];
    men.show_targets = true;
    men.coordinates = false;
    vec![noughts, four, othello, go, men]
}

fn breakout() -> GridPicture {
    let mut values = vec![0.0; 400];
    (values[94], values[166], values[255]) = (1.0, 1.0, 0.6);
    for cell in 10..40 {
        values[300 + cell] = f32::from(u8::from(cell % 9 != 5));
    }
    GridPicture {
        rows: 10,
        columns: 10,
        names: ["paddle", "ball", "trail", "brick"]
            .map(str::to_owned)
            .to_vec(),
        values,
        legend: true,
    }
}

fn compare_boards(name: &str, theme: Theme) {
    if !adapter_or_skip() {
        return;
    }
    let boards = boards();
    let views: Vec<BoardView> = (0..boards.len())
        .map(|i| BoardView::new(format!("board {i}")))
        .collect();
    let state = (views, GridView::new("grid"));
    let size = Vec2::splat(280.0);
    let (mut harness, _) = window(vec2(900.0, 600.0), theme, state, move |ui, state| {
        let (board_colors, grid_colors) = (theme::boards(ui.visuals()), theme::grid(ui.visuals()));
        let stage = theme::tokens(ui).stage;
        ui.painter().rect_filled(egui::Rect::EVERYTHING, 0.0, stage);
        for i in 0..6_u8 {
            let corner = pos2(f32::from(i % 3), f32::from(i / 3)) * 300.0 + Vec2::splat(10.0);
            let place = egui::Rect::from_min_size(corner, size);
            ui.scope_builder(UiBuilder::new().max_rect(place), |ui| {
                let number = usize::from(i);
                match boards.get(number) {
                    Some(board) => {
                        state.0[number].show(ui, size, board, &board_colors);
                    }
                    None => {
                        state.1.show(ui, size, &breakout(), &grid_colors);
                    }
                }
            });
        }
    });
    harness.run_steps(3);
    let picture = harness.render().expect("renders");
    image_snapshot_options(&picture, name, &SnapshotOptions::new());
}

fn compare_tree(name: &str, theme: Theme) {
    if !adapter_or_skip() {
        return;
    }
    let mut view = TreeView::new("search");
    view.selected = Some(3);
    let nodes = searched(200, 7, 1);
    let (mut harness, _) = window(vec2(800.0, 500.0), theme, view, move |ui, view| {
        ui.style_mut().animation_time = 0.0;
        let colors = theme::tree(ui.visuals());
        let ground = ui.max_rect().expand(50.0);
        ui.painter().rect_filled(ground, 0.0, colors.ground);
        view.show(ui, ui.available_size(), &nodes, &colors, |_, _| {});
    });
    harness.run_steps(3);
    let picture = harness.render().expect("renders");
    image_snapshot_options(&picture, name, &SnapshotOptions::new());
}

#[test]
fn boards_look_as_stored_in_the_dark() {
    compare_boards("boards_dark", Theme::Dark);
}

#[test]
fn boards_look_as_stored_in_the_light() {
    compare_boards("boards_light", Theme::Light);
}

#[test]
fn a_tree_looks_as_stored_in_the_dark() {
    compare_tree("tree_dark", Theme::Dark);
}

#[test]
fn a_tree_looks_as_stored_in_the_light() {
    compare_tree("tree_light", Theme::Light);
}
