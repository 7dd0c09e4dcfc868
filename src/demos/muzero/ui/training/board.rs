//! The newest game of self-play, on a small board.

use egui::{RichText, Ui, vec2};

use super::super::super::game::{GameId, Outcome, Player, Scene, open};
use super::super::scene;
use crate::gui::theme;
use crate::view::board::{BoardPicture, BoardView};

/// A board with what it was made from.
pub struct LiveBoard {
    view: BoardView,
    made: Option<(GameId, Vec<u16>)>,
    picture: BoardPicture,
    caption: String,
}

impl Default for LiveBoard {
    fn default() -> Self {
        Self {
            view: BoardView::new("Newest game of self-play"),
            made: None,
            picture: BoardPicture::default(),
            caption: String::new(),
        }
    }
}

impl LiveBoard {
    /// Draws the end of a game, within a width.
    pub fn ui(&mut self, ui: &mut Ui, id: &GameId, line: &[u16], width: f32) {
        let is_it = |(game, moves): &(GameId, Vec<u16>)| game == id && moves == line;
        if !self.made.as_ref().is_some_and(is_it) {
            self.made = Some((id.clone(), line.to_vec()));
            if let Some((picture, caption)) = last_position(id, line) {
                self.picture = picture;
                self.caption = caption;
            }
        }
        let colors = theme::boards(ui.visuals());
        ui.vertical(|ui| {
            ui.set_width(width);
            ui.label(RichText::new("Newest game of self-play").strong());
            let rows = self.picture.rows as f32 / self.picture.columns.max(1) as f32;
            let size = vec2(width, width * rows.clamp(0.5, 1.2));
            self.view.show(ui, size, &self.picture, &colors);
            let faint = theme::tokens(ui).faint;
            ui.label(RichText::new(&self.caption).small().color(faint));
        });
    }
}

/// The board after all moves, and how it ended.
fn last_position(id: &GameId, line: &[u16]) -> Option<(BoardPicture, String)> {
    let mut game = open(id).ok()?;
    for &action in line {
        game.step(usize::from(action)).ok()?;
    }
    let Scene::Board(board) = game.scene() else {
        return None;
    };
    let end = match game.outcome() {
        Some(Outcome::Won(Player::First)) => "won by the first player",
        Some(Outcome::Won(Player::Second)) => "won by the second player",
        Some(Outcome::Drawn) => "drawn",
        None => "under way",
    };
    Some((
        scene::plain(&board, game.is_over()),
        format!("{} moves, {end}", line.len()),
    ))
}

#[cfg(test)]
mod tests {
    use super::last_position;
    use crate::demos::muzero::game::GameId;

    #[test]
    fn the_end_of_a_game_is_shown() {
        let (picture, caption) =
            last_position(&GameId::TicTacToe, &[0, 3, 1, 4, 2]).expect("a board");
        assert_eq!(caption, "5 moves, won by the first player");
        assert_eq!(picture.cells.iter().flatten().count(), 5);
        assert_eq!(picture.winning.len(), 3);
        assert!(last_position(&GameId::TicTacToe, &[0, 0]).is_none());
    }
}
