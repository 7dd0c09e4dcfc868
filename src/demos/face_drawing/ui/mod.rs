//! The tab: a sheet on the left, the face that follows the pen on the right.

mod answer;
mod canvas;
mod samples;
mod settings;

use std::path::Path;

use egui::{Context, RichText, Ui, Vec2, vec2};
use serde_json::{Value, json};

use self::answer::{Answer, AnswerView};
use self::canvas::Canvas;
use self::samples::SAMPLES;
use self::settings::{Incoming, Settings};
use crate::data::image::{beside, read_file};
use crate::data::{Image, gif};
use crate::demos::face_drawing::drawing::{Drawing, Scan, Sketch, film, read_sketch, svg};
use crate::demos::face_drawing::parts::SIDE;
use crate::error::{Error, Result};
use crate::gui::controls::capitalised;
use crate::gui::{Command, Export, Tab, TabCx, theme};

/// Opens the tab.
pub fn open() -> Box<dyn Tab> {
    Box::new(FaceTab {
        canvas: Canvas::default(),
        settings: Settings::default(),
        answer: Answer::default(),
        view: AnswerView::new(),
        stale: false,
        revision: 0,
    })
}

struct FaceTab {
    canvas: Canvas,
    settings: Settings,
    answer: Answer,
    view: AnswerView,
    /// The drawing or a setting is not what the answer was found for.
    stale: bool,
    revision: u64,
}

const PNG: Export = Export {
    extension: "png",
    about: "the drawing and its face side by side",
};
const SVG: Export = Export {
    extension: "svg",
    about: "the strokes of the drawing",
};
const GIF: Export = Export {
    extension: "gif",
    about: "the drawing being made, stroke by stroke",
};
/// Less ink than this, in pixels of the networks' pictures, is an empty sheet.
const LEAST_INK: f32 = 1.0;
/// Pixels in a side of exported pictures and films.
const EXPORTED: usize = 512;
const FILMED: usize = 320;

impl FaceTab {
    /// Something was changed that another face may follow from.
    fn touch(&mut self) {
        self.stale = true;
        self.revision += 1;
    }

    fn load(&mut self, sketch: Sketch) {
        self.canvas.load(sketch);
        self.touch();
    }

    /// Shows the answer as it is now.
    fn show_answer(&mut self) {
        self.view.set(&self.answer);
        self.canvas.set_shadow(&self.answer.shadow, SIDE);
    }

    fn sources_ui(&mut self, ui: &mut Ui, cx: &mut TabCx<'_>) {
        ui.horizontal_wrapped(|ui| {
            if ui
                .button("Open…")
                .on_hover_text("An SVG or a picture; they can be dropped and pasted too")
                .clicked()
            {
                cx.commands.push(Command::OpenFile);
            }
            let before = self.settings.incoming;
            ui.label("Pictures are");
            for (incoming, name, about) in [
                (
                    Incoming::Sketch,
                    "sketches",
                    "Dark lines on light paper become the ink of the sheet",
                ),
                (
                    Incoming::Tracing,
                    "traced",
                    "A picture lies below the sheet, to be drawn after",
                ),
            ] {
                ui.selectable_value(&mut self.settings.incoming, incoming, name)
                    .on_hover_text(about);
            }
            if before != self.settings.incoming {
                self.revision += 1;
            }
        });
        ui.horizontal_wrapped(|ui| {
            ui.label("Samples");
            for sample in &SAMPLES {
                if ui
                    .button(sample.title)
                    .on_hover_text("Put this sketch on the sheet; undo brings yours back")
                    .clicked()
                {
                    match sample.read() {
                        Ok(sketch) => self.load(sketch),
                        Err(error) => cx.toasts.error(capitalised(&error.to_string())),
                    }
                }
            }
        });
    }

    fn take_picture(&mut self, image: &Image) -> Result<()> {
        match self.settings.incoming {
            Incoming::Sketch => {
                let scan = Scan::of(image)?;
                self.load(Sketch {
                    scan: Some(scan.into()),
                    drawing: Drawing::default(),
                });
                Ok(())
            }
            Incoming::Tracing => self.canvas.trace(image),
        }
    }

    fn sheet_ui(&mut self, ui: &mut Ui, size: Vec2, cx: &mut TabCx<'_>) {
        let happened = self.canvas.show(ui, size);
        if happened.full {
            let text = "The sheet is full: clear it, or take strokes back";
            cx.toasts.warning(text);
        }
        if happened.changed {
            self.stale = true;
        }
        if happened.finished_stroke {
            self.touch();
        }
    }
}

impl Tab for FaceTab {
    fn logic(&mut self, _: &Context, _: &mut TabCx<'_>) {
        if std::mem::take(&mut self.stale) {
            let ink = self.canvas.ink(SIDE);
            if ink.values.iter().sum::<f32>() < LEAST_INK {
                self.answer = Answer::default();
            }
            self.show_answer();
        }
    }

    fn controls_ui(&mut self, ui: &mut Ui, cx: &mut TabCx<'_>) {
        ui.add_space(4.0);
        ui.strong("Sheet");
        let mut changed = self.canvas.tools_ui(ui, cx.commands);
        self.sources_ui(ui, cx);
        ui.separator();
        changed |= self.settings.refinement_ui(ui);
        ui.separator();
        changed |= self.settings.painter_ui(ui);
        changed |= self.settings.appearance_ui(ui, &self.answer.appearance);
        ui.add_space(8.0);
        if changed {
            self.touch();
        }
    }

    fn stage_ui(&mut self, ui: &mut Ui, cx: &mut TabCx<'_>) {
        let room = ui.available_size();
        let gap = 12.0;
        let half = vec2((room.x - gap) * 0.5, room.y);
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = gap;
            ui.vertical(|ui| {
                ui.set_width(half.x);
                let faint = theme::tokens(ui).faint;
                let keys = "Right button or E erases · Shift draws straight · Ctrl and wheel zooms · \
                            Space moves the sheet";
                let line = ui.text_style_height(&egui::TextStyle::Small) + 6.0;
                self.sheet_ui(ui, vec2(half.x, (half.y - line).max(80.0)), cx);
                ui.add(egui::Label::new(RichText::new(keys).small().color(faint)).truncate());
            });
            ui.vertical(|ui| {
                ui.set_width(half.x);
                self.view.ui(ui, &self.answer);
            });
        });
    }

    fn can(&self, command: Command) -> bool {
        match command {
            Command::Undo => self.canvas.can_undo(),
            Command::Redo => self.canvas.can_redo(),
            Command::NewSeed => true,
            _ => false,
        }
    }

    fn perform(&mut self, command: Command, _: &mut TabCx<'_>) {
        match command {
            Command::Undo if self.canvas.undo() => self.touch(),
            Command::Redo if self.canvas.redo() => self.touch(),
            Command::NewSeed => {
                self.settings.throw();
                self.touch();
            }
            _ => {}
        }
    }

    fn opens(&self) -> &'static str {
        "a drawing (SVG) or a picture (PNG, JPEG, WebP, GIF) of lines or to be traced"
    }

    fn open_file(&mut self, path: &Path, _: &mut TabCx<'_>) -> Result<()> {
        if self.settings.incoming == Incoming::Tracing {
            let bytes = read_file(path)?;
            if !svg::is_svg(&bytes) {
                return self.canvas.trace(&Image::decode(&bytes, path)?);
            }
        }
        self.load(read_sketch(path)?);
        Ok(())
    }

    fn paste_picture(&mut self, image: Image, _: &mut TabCx<'_>) -> Option<Result<()>> {
        Some(self.take_picture(&image))
    }

    fn copy_text(&self) -> Option<String> {
        self.can_copy().then(|| svg::write(self.canvas.drawing()))
    }

    fn can_copy(&self) -> bool {
        !self.canvas.drawing().strokes.is_empty()
    }

    fn exports(&self) -> &'static [Export] {
        &[PNG, SVG, GIF]
    }

    fn export(&self, format: Export) -> Result<Vec<u8>> {
        let sketch = self.canvas.sketch();
        if sketch.is_empty() {
            return Err(Error::Input("nothing is drawn yet".into()));
        }
        match format {
            SVG if sketch.drawing.strokes.is_empty() => Err(Error::Input(
                "the sheet has a scan but no strokes, export it as PNG".into(),
            )),
            SVG => Ok(svg::write(&sketch.drawing).into_bytes()),
            GIF => gif::encode(film::making(sketch, FILMED)),
            _ => {
                let side = self
                    .answer
                    .face
                    .as_ref()
                    .map_or(EXPORTED, |face| face.height as usize);
                let mut pictures = vec![film::picture(sketch, side.max(EXPORTED))];
                if let Some(face) = &self.answer.face {
                    pictures.push(face.enlarged(side.max(EXPORTED) as u32));
                }
                beside(&pictures)?.encode_png()
            }
        }
    }

    fn save(&self) -> Value {
        json!({"canvas": self.canvas.save(), "settings": self.settings})
    }

    fn restore(&mut self, state: Value) -> Result<()> {
        let part = |name: &str| state.get(name).cloned();
        let settings: Settings = match part("settings") {
            Some(settings) => {
                serde_json::from_value(settings).map_err(|e| Error::Input(e.to_string()))?
            }
            None => Settings::default(),
        };
        settings.check()?;
        self.canvas.restore(part("canvas").unwrap_or_default())?;
        self.settings = settings;
        self.answer = Answer::default();
        self.touch();
        Ok(())
    }

    fn revision(&self) -> u64 {
        self.revision + self.canvas.revision()
    }
}
