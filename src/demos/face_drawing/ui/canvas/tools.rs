//! The controls of the canvas: tools, width, what is shown.

use egui::{Button, Slider, Ui};

use super::Canvas;
use super::pen::{ERASER_WIDTHS, PEN_WIDTHS, Tool};
use crate::gui::Command;

impl Canvas {
    /// Draws the controls. Undo and redo are asked for as commands; true when the ink has changed.
    pub(in super::super) fn tools_ui(&mut self, ui: &mut Ui, commands: &mut Vec<Command>) -> bool {
        let before = (self.pen.clone(), self.tracing_opacity());
        let cleared = self.buttons_ui(ui, commands);
        self.width_ui(ui);
        ui.horizontal_wrapped(|ui| {
            ui.checkbox(&mut self.pen.mirror, "Mirror")
                .on_hover_text("Draw every stroke on the other side of the face too, M");
            ui.checkbox(&mut self.pen.guides, "Parts")
                .on_hover_text("Show the boxes in which the parts of the face are seen");
            ui.checkbox(&mut self.pen.shadow, "Shadow")
                .on_hover_text("Show what the strokes could become, below them");
        });
        self.tracing_ui(ui);
        if before != (self.pen.clone(), self.tracing_opacity()) {
            self.revision += 1;
        }
        cleared
    }

    fn tracing_opacity(&self) -> Option<f32> {
        self.tracing.as_ref().map(|tracing| tracing.opacity)
    }

    fn buttons_ui(&mut self, ui: &mut Ui, commands: &mut Vec<Command>) -> bool {
        let mut cleared = false;
        ui.horizontal_wrapped(|ui| {
            for (tool, name, about) in [
                (Tool::Pen, "Pen", "Draw, B"),
                (
                    Tool::Eraser,
                    "Eraser",
                    "Rub out, E; the secondary button does so with any tool",
                ),
            ] {
                ui.selectable_value(&mut self.pen.tool, tool, name)
                    .on_hover_text(about);
            }
            let keys = |ui: &Ui, command: Command| {
                command
                    .shortcut()
                    .map_or(String::new(), |keys| ui.ctx().format_shortcut(&keys))
            };
            for (command, can) in [
                (Command::Undo, self.can_undo()),
                (Command::Redo, self.can_redo()),
            ] {
                let hover = keys(ui, command);
                let button = ui.add_enabled(can, Button::new(command.text()));
                if button.on_hover_text(hover).clicked() {
                    commands.push(command);
                }
            }
            let clear = ui.add_enabled(!self.sketch.is_empty(), Button::new("Clear"));
            if clear
                .on_hover_text("Take everything off the sheet; undo brings it back")
                .clicked()
            {
                self.clear();
                cleared = true;
            }
        });
        cleared
    }

    fn width_ui(&mut self, ui: &mut Ui) {
        ui.horizontal(|ui| {
            let label = ui.label("Width");
            let (width, range) = match self.pen.tool {
                Tool::Pen => (&mut self.pen.width, PEN_WIDTHS),
                Tool::Eraser => (&mut self.pen.eraser_width, ERASER_WIDTHS),
            };
            ui.add(Slider::new(width, range).step_by(0.5).logarithmic(true))
                .labelled_by(label.id)
                .on_hover_text("Of 512 units across the sheet, [ and ]");
        });
        ui.horizontal(|ui| {
            ui.label(format!("Zoom {:.0} %", self.view.percent()));
            let whole = ui.add_enabled(!self.view.is_whole(), Button::new("Whole sheet"));
            if whole
                .on_hover_text(
                    "0; Ctrl and wheel or a pinch zooms, Space or the middle button moves the sheet",
                )
                .clicked()
            {
                self.reset_view();
            }
        });
    }

    fn tracing_ui(&mut self, ui: &mut Ui) {
        let Some(tracing) = &mut self.tracing else {
            return;
        };
        let removed = ui
            .horizontal(|ui| {
                let label = ui.label("Tracing");
                ui.add(
                    Slider::new(&mut tracing.opacity, 0.0..=1.0)
                        .custom_formatter(|v, _| format!("{:.0} %", v * 100.0))
                        .custom_parser(|text| {
                            let number: f64 = text.trim_end_matches([' ', '%']).parse().ok()?;
                            Some(number / 100.0)
                        }),
                )
                .labelled_by(label.id);
                ui.button("Remove")
                    .on_hover_text("Take the picture to trace away")
                    .clicked()
            })
            .inner;
        if removed {
            self.tracing = None;
        }
    }
}
