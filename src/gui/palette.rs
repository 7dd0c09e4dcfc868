//! Ctrl+P: find a command by typing a part of its name.

use egui::{Context, Id, Key, Modal, Modifiers, RichText, ScrollArea, TextEdit};
use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

use super::command::Command;
use super::theme;

/// The palette's state while it is open.
#[derive(Default)]
pub(super) struct Palette {
    open: bool,
    query: String,
    selected: usize,
}

impl Palette {
    pub fn open(&mut self) {
        *self = Self {
            open: true,
            ..Self::default()
        };
    }

    pub fn is_open(&self) -> bool {
        self.open
    }

    /// Draws it; returns the command that was chosen.
    pub fn ui(&mut self, ctx: &Context, is_available: impl Fn(Command) -> bool) -> Option<Command> {
        if !self.open {
            return None;
        }
        let matches: Vec<Command> = find(&self.query)
            .into_iter()
            .filter(|c| is_available(*c))
            .collect();
        let (up, down, enter) = ctx.input_mut(|i| {
            (
                i.consume_key(Modifiers::NONE, Key::ArrowUp),
                i.consume_key(Modifiers::NONE, Key::ArrowDown),
                i.consume_key(Modifiers::NONE, Key::Enter),
            )
        });
        let last = matches.len().saturating_sub(1);
        self.selected = self.selected.min(last);
        if up {
            self.selected = self.selected.checked_sub(1).unwrap_or(last);
        }
        if down {
            self.selected = if self.selected == last {
                0
            } else {
                self.selected + 1
            };
        }
        let mut chosen = enter.then(|| matches.get(self.selected).copied()).flatten();
        let modal = Modal::new(Id::unique("palette")).show(ctx, |ui| {
            ui.set_width(440.0);
            let hint = TextEdit::singleline(&mut self.query)
                .hint_text("Type a command")
                .desired_width(f32::INFINITY);
            let edit = ui.add(hint).on_hover_text("Find a command");
            edit.request_focus();
            if edit.changed() {
                self.selected = 0;
            }
            ScrollArea::vertical().max_height(360.0).show(ui, |ui| {
                if matches.is_empty() {
                    ui.label(
                        RichText::new("No command has these letters")
                            .color(theme::tokens(ui).faint),
                    );
                }
                for (i, command) in matches.iter().enumerate() {
                    let keys = command
                        .shortcut()
                        .map_or(String::new(), |keys| ui.ctx().format_shortcut(&keys));
                    let row = egui::Button::new(command.text())
                        .shortcut_text(keys)
                        .selected(i == self.selected)
                        .frame(i == self.selected);
                    let row = ui.add_sized([ui.available_width(), 0.0], row);
                    if i == self.selected && (up || down) {
                        row.scroll_to_me(None);
                    }
                    if row.clicked() {
                        chosen = Some(*command);
                    }
                }
            });
        });
        if modal.should_close() || chosen.is_some() || enter {
            self.open = false;
        }
        chosen
    }
}

/// The commands whose names have the letters of a query in order, best first; all in their own
/// order for an empty one.
fn find(query: &str) -> Vec<Command> {
    let pattern = Pattern::parse(query, CaseMatching::Ignore, Normalization::Smart);
    let mut matcher = Matcher::new(Config::DEFAULT);
    let mut buffer = Vec::new();
    let mut found: Vec<(Command, u32)> = Command::ALL
        .iter()
        .filter_map(|command| {
            let text = command.text();
            let score = pattern.score(Utf32Str::new(&text, &mut buffer), &mut matcher)?;
            Some((*command, score))
        })
        .collect();
    // Stable: equals keep the list's order.
    found.sort_by_key(|(_, score)| std::cmp::Reverse(*score));
    found.into_iter().map(|(command, _)| command).collect()
}

#[cfg(test)]
mod tests {
    use super::{Command, find};

    #[test]
    fn letters_in_order_find_a_command() {
        assert_eq!(find(""), Command::ALL);
        assert_eq!(find("exprt").first(), Some(&Command::Export));
        assert_eq!(find("dark").first(), Some(&Command::DarkTheme));
        assert!(find("zzzz").is_empty());
    }
}
