//! The value of the game so far, move by move.

use egui::{Pos2, Rect, Role, Sense, Shape, Stroke, Ui, WidgetInfo, pos2, vec2};

use crate::gui::theme;

/// Values of the positions of one game, for the player who began.
#[derive(Default)]
pub struct Values {
    moves: Vec<usize>,
    /// After so many moves; one more than moves.
    known: Vec<Option<f32>>,
}

impl Values {
    /// Keeps what belongs to this line of moves and forgets the rest.
    pub fn follow(&mut self, line: &[usize]) {
        if self.moves == line {
            return;
        }
        let common = self.moves.iter().zip(line).take_while(|(a, b)| a == b);
        let common = common.count();
        self.known.truncate(common + 1);
        self.known.resize(line.len() + 1, None);
        self.moves = line.to_vec();
    }

    /// Sets the value after so many moves.
    pub fn set(&mut self, ply: usize, value: f32) {
        if self.known.len() <= ply {
            self.known.resize(ply + 1, None);
        }
        self.known[ply] = Some(value.clamp(-1.0, 1.0));
    }

    /// The value after so many moves.
    pub fn at(&self, ply: usize) -> Option<f32> {
        self.known.get(ply).copied().flatten()
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Draws the values as a line; a click goes to its position.
    pub fn ui(&self, ui: &mut Ui, height: f32, now: usize, sides: [&str; 2]) -> Option<usize> {
        let tokens = theme::tokens(ui);
        let size = vec2(ui.available_width(), height);
        let (rect, response) = ui.allocate_exact_size(size, Sense::click());
        let value = self.at(now);
        response.widget_info(|| {
            let mut info = WidgetInfo::labeled(Role::Image, true, "Value over the game");
            info.current_text_value = value.map(|value| format!("{value:+.2}"));
            info
        });
        let count = self.known.len().max(12) - 1;
        let plot = rect.shrink2(vec2(6.0, 6.0));
        let place = |ply: usize, value: f32| {
            let x = plot.left() + plot.width() * ply as f32 / count as f32;
            pos2(x, plot.center().y - value * plot.height() * 0.5)
        };
        let painter = ui.painter_at(rect);
        painter.rect_filled(rect, 4.0, tokens.card);
        let middle = plot.center().y;
        let line = Stroke::new(1.0, tokens.faint.gamma_multiply(0.5));
        painter.hline(plot.x_range(), middle, line);
        let small = egui::FontId::proportional(10.5);
        for (side, align, y) in [
            (sides[0], egui::Align2::RIGHT_TOP, rect.top() + 3.0),
            (sides[1], egui::Align2::RIGHT_BOTTOM, rect.bottom() - 3.0),
        ] {
            let at = pos2(rect.right() - 6.0, y);
            painter.text(at, align, side, small.clone(), tokens.faint);
        }
        let cursor = place(now.min(count), 0.0).x;
        let stroke = Stroke::new(1.0, tokens.accent.gamma_multiply(0.6));
        painter.vline(cursor, plot.y_range(), stroke);
        let points: Vec<Pos2> = (0..self.known.len())
            .filter_map(|ply| Some(place(ply, self.at(ply)?)))
            .collect();
        let stroke = Stroke::new(1.8, tokens.line(0));
        if points.len() > 1 {
            painter.add(Shape::line(points.clone(), stroke));
        }
        for point in &points {
            painter.circle_filled(*point, 2.4, tokens.line(0));
        }
        if let Some(value) = value {
            painter.circle_filled(place(now, value), 4.0, tokens.accent);
        }
        let pointer = response
            .interact_pointer_pos()
            .filter(|_| response.clicked());
        response.on_hover_text("Above the middle the side on top is ahead");
        pointer.map(|at| {
            let share = ((at.x - plot.left()) / plot.width()).clamp(0.0, 1.0);
            let ply = (share * count as f32).round() as usize;
            ply.min(self.known.len().saturating_sub(1))
        })
    }
}

/// A bar beside the board: who is ahead. The part of the side at the bottom grows upwards.
pub fn bar_ui(ui: &Ui, rect: Rect, value: Option<f32>, colors: [egui::Color32; 2], turned: bool) {
    let tokens = theme::tokens(ui);
    let response = ui.interact(rect, ui.scope_id().with("value bar"), Sense::hover());
    response.widget_info(|| {
        let mut info = WidgetInfo::labeled(Role::Meter, true, "Value");
        info.current_text_value = value.map(|value| format!("{value:+.2}"));
        info
    });
    let painter = ui.painter();
    painter.rect_filled(rect, 3.0, tokens.card);
    if let Some(value) = value {
        let own = if turned { -value } else { value };
        let middle = rect.bottom() - rect.height() * (own * 0.5 + 0.5).clamp(0.02, 0.98);
        let [bottom, top] = if turned {
            [colors[1], colors[0]]
        } else {
            colors
        };
        let upper = Rect::from_min_max(rect.min, pos2(rect.right(), middle));
        let lower = Rect::from_min_max(pos2(rect.left(), middle), rect.max);
        let round = egui::CornerRadius::same(3);
        let (up, down) = (
            egui::CornerRadius {
                sw: 0,
                se: 0,
                ..round
            },
            egui::CornerRadius {
                nw: 0,
                ne: 0,
                ..round
            },
        );
        painter.rect_filled(upper, up, top);
        painter.rect_filled(lower, down, bottom);
        let text = format!("The value for who began is {value:+.2}, from -1 to 1");
        response.on_hover_text(text);
    }
    let stroke = Stroke::new(1.0, tokens.faint.gamma_multiply(0.6));
    let inside = egui::StrokeKind::Inside;
    painter.rect_stroke(rect, 3.0, stroke, inside);
    let tick = Stroke::new(1.0, tokens.faint);
    painter.hline(rect.x_range(), rect.center().y, tick);
}

#[cfg(test)]
mod tests {
    use super::Values;

    #[test]
    fn values_stay_with_the_moves_they_belong_to() {
        let mut values = Values::default();
        values.follow(&[1, 2, 3]);
        for ply in 0..4 {
            values.set(ply, ply as f32 * 0.1);
        }
        values.follow(&[1, 2, 4, 5]);
        let kept: Vec<bool> = (0..5).map(|ply| values.at(ply).is_some()).collect();
        assert_eq!(kept, [true, true, true, false, false]);
    }
}
