//! The tab: a sheet on the left, the face that follows the pen on the right.

mod answer;
mod asking;
mod canvas;
mod map;
mod samples;
mod settings;
mod task;

use std::path::Path;
use std::sync::Arc;

use egui::{Context, RichText, Ui, Vec2, vec2};
use serde_json::{Value, json};

use self::answer::{Answer, AnswerView, Swap};
use self::asking::Asking;
use self::canvas::Canvas;
use self::samples::SAMPLES;
use self::settings::{Incoming, Settings};
use self::task::Model;
use crate::data::image::{beside, read_file};
use crate::data::{Image, gif};
use crate::demos::face_drawing::drawing::{Drawing, Scan, Sketch, film, read_sketch, svg};
use crate::demos::face_drawing::job::Heard;
use crate::demos::face_drawing::parts::{PARTS, SIDE};
use crate::error::{Error, Result};
use crate::gui::controls::capitalised;
use crate::gui::{Command, Export, Tab, TabCx, theme};

/// Opens the tab.
pub fn open() -> Box<dyn Tab> {
    let mut tab = FaceTab {
        canvas: Canvas::default(),
        settings: Settings::default(),
        answer: Answer::default(),
        view: AnswerView::new(),
        asking: Asking::default(),
        model: Model::new(),
        seen: false,
        stale: false,
        revision: 0,
    };
    match samples::stored() {
        Ok((sketch, face)) => {
            tab.canvas.load(sketch);
            tab.answer.face = Some(Arc::new(face));
            tab.view.set(&tab.answer);
        }
        Err(error) => tracing::error!("{error}"),
    }
    Box::new(tab)
}

struct FaceTab {
    canvas: Canvas,
    settings: Settings,
    answer: Answer,
    view: AnswerView,
    asking: Asking,
    model: Model,
    /// The tab was in front.
    seen: bool,
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
/// What is not written on a button.
const HINT: &str =
    "Secondary button or E: erase, Shift: straight line, Ctrl and wheel: zoom, Space: move";
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

    /// Asks what the sheet shows now.
    fn ask(&mut self) {
        let ink = self.canvas.ink(SIDE).values;
        let maps = !self.view.maps_mut().are_known();
        let moving = self.canvas.is_drawing();
        self.asking.want(self.settings.question(ink, moving, maps));
    }

    /// Takes in what the worker answered.
    fn hear(&mut self, heard: Vec<Heard>) {
        if heard.is_empty() {
            return;
        }
        for heard in heard {
            if let Heard::Maps(points) = heard {
                self.view.maps_mut().set(points);
            } else {
                self.answer.hear(heard);
            }
        }
        self.view.set(&self.answer);
        self.canvas.set_shadow(&self.answer.shadow, SIDE);
    }

    fn swap(&mut self, swap: &Swap) {
        self.settings.swapped[swap.part] = swap.person;
        self.touch();
    }

    /// Draws which parts are other people's, and lets them go.
    fn swapped_ui(&mut self, ui: &mut Ui) -> bool {
        let mut changed = false;
        for (part, place) in self.settings.swapped.iter_mut().zip(&PARTS) {
            if let Some(person) = *part {
                ui.horizontal(|ui| {
                    let text = format!("{} of person {person}", capitalised(place.name));
                    ui.label(text);
                    if ui.small_button("As drawn").clicked() {
                        *part = None;
                        changed = true;
                    }
                });
            }
        }
        changed
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
    fn logic(&mut self, _: &Context, cx: &mut TabCx<'_>) {
        if std::mem::take(&mut self.stale) {
            self.ask();
        }
        let heard = self.asking.logic(cx);
        self.hear(heard);
        self.model.logic(cx);
    }

    fn controls_ui(&mut self, ui: &mut Ui, cx: &mut TabCx<'_>) {
        ui.add_space(4.0);
        ui.strong("Sheet");
        let mut changed = self.canvas.tools_ui(ui, cx.commands);
        self.sources_ui(ui, cx);
        ui.separator();
        changed |= self.settings.refinement_ui(ui);
        changed |= self.swapped_ui(ui);
        ui.separator();
        changed |= self.settings.painter_ui(ui);
        ui.separator();
        changed |= self.settings.appearance_ui(ui, &self.answer.appearance);
        ui.separator();
        if let Some(drawing) = self.model.controls_ui(ui, cx) {
            self.load(Sketch {
                scan: None,
                drawing,
            });
        }
        ui.add_space(8.0);
        if changed {
            self.touch();
        }
    }

    fn stage_ui(&mut self, ui: &mut Ui, cx: &mut TabCx<'_>) {
        // The stored face is there at once; how it was understood follows when somebody looks.
        if !std::mem::replace(&mut self.seen, true) && !cx.still {
            self.stale = true;
        }
        let room = ui.available_size();
        let gap = 12.0;
        let half = vec2((room.x - gap) * 0.5, room.y);
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = gap;
            ui.vertical(|ui| {
                ui.set_width(half.x);
                // A square at the top, beside the face.
                let line = ui.text_style_height(&egui::TextStyle::Small) + 6.0;
                let height = (half.y - 2.0 * line).min(half.x).max(80.0);
                self.sheet_ui(ui, vec2(half.x, height), cx);
                let faint = theme::tokens(ui).faint;
                ui.label(RichText::new(HINT).small().color(faint));
            });
            ui.vertical(|ui| {
                ui.set_width(half.x);
                if let Some(swap) = self.view.ui(ui, &self.answer, &mut self.model) {
                    self.swap(&swap);
                }
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
