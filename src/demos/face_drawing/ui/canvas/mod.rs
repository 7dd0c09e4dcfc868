//! The sheet to draw on.
//!
//! Everything on it is kept by a [`Canvas`]: the sketch with its history, the pen, what part is seen,
//! a picture to trace, the shadow. It is drawn in this order: paper, picture to trace, shadow, guides,
//! ink, the pen's ring.

mod backdrop;
mod input;
mod layer;
mod pen;
mod tools;
mod view;

use egui::{
    Align2, CursorIcon, FontId, Pos2, Response, Role, Sense, Shape, Ui, Vec2, WidgetInfo, vec2,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use self::backdrop::{Shadow, Stored, Tracing};
use self::layer::Layer;
pub(super) use self::pen::Tool;
use self::pen::{Live, Pen};
use self::view::{Transform, View};
use crate::data::Image;
use crate::demos::face_drawing::drawing::{Drawing, History, Ink, Point, SIDE, Sketch};
use crate::demos::face_drawing::parts::{PARTS, SCALE};
use crate::error::{Error, Result};
use crate::gui::controls::capitalised;
use crate::gui::theme::{self, SheetColors};

/// The sheet and all that belongs to drawing on it.
#[derive(Default)]
pub(super) struct Canvas {
    sketch: Sketch,
    history: History,
    pen: Pen,
    live: Option<Live>,
    /// How hard a pen or a finger was pressed when it touched.
    force: Option<f32>,
    view: View,
    /// The button that moves the sheet, and where it was last.
    panning: Option<(egui::PointerButton, Pos2)>,
    layer: Layer,
    tracing: Option<Tracing>,
    shadow: Shadow,
    /// Counts the changes of what had been drawn before.
    generation: u64,
    /// Counts the changes of what is stored.
    revision: u64,
}

/// What a shown [`Canvas`] answers.
pub(super) struct CanvasResponse {
    /// The ink is not what it was, also in the middle of a stroke.
    pub(super) changed: bool,
    /// A stroke was finished.
    pub(super) finished_stroke: bool,
    /// There was no room for a stroke, which is gone.
    pub(super) full: bool,
}

/// A canvas in a session.
#[derive(Serialize, Deserialize)]
struct Saved {
    sketch: Sketch,
    pen: Pen,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tracing: Option<Stored>,
}

impl Canvas {
    /// Draws the canvas, `size` points large, and takes what the pen does.
    pub(super) fn show(&mut self, ui: &mut Ui, size: Vec2) -> CanvasResponse {
        let (rect, response) = ui.allocate_exact_size(size, Sense::click_and_drag());
        let enabled = ui.is_enabled();
        let told = self.told();
        response.widget_info(|| {
            let mut info = WidgetInfo::labeled(Role::Canvas, enabled, "The sheet to draw on");
            info.current_text_value = Some(told.clone());
            info
        });
        let happened = self.take_events(ui, &response);
        let transform = self.view.transform(rect);
        let colors = theme::sheet(ui.visuals());
        self.paint(ui, &response, &transform, &colors);
        self.cursor(ui, &response, &transform, &colors);
        CanvasResponse {
            changed: happened.changed,
            finished_stroke: happened.finished,
            full: happened.full,
        }
    }

    fn told(&self) -> String {
        let strokes = self.sketch.drawing.strokes.len();
        let scan = if self.sketch.scan.is_some() {
            ", over a scan"
        } else {
            ""
        };
        match strokes {
            1 => format!("1 stroke{scan}"),
            _ => format!("{strokes} strokes{scan}"),
        }
    }

    fn paint(&mut self, ui: &Ui, response: &Response, transform: &Transform, colors: &SheetColors) {
        let painter = ui.painter_at(response.rect);
        let sheet = transform.sheet();
        let below = sheet.translate(vec2(0.0, 2.0)).expand(3.0);
        painter.rect_filled(below, 4.0, colors.below);
        painter.rect_filled(sheet, 1.0, colors.paper);
        let on_sheet = painter.with_clip_rect(sheet.intersect(painter.clip_rect()));
        if let Some(tracing) = &mut self.tracing {
            tracing.paint(&on_sheet, transform);
        }
        if self.pen.shadow {
            self.shadow.paint(&on_sheet, transform, colors.shadow);
        }
        if self.pen.guides {
            guides(&on_sheet, transform);
        }
        if self.pen.mirror {
            let middle = |y: f32| transform.window(Point::new(SIDE * 0.5, y));
            let line = [middle(0.0), middle(SIDE)];
            let stroke = egui::Stroke::new(1.0, theme::for_paper().accent.gamma_multiply(0.55));
            on_sheet.extend(Shape::dashed_line(&line, stroke, 6.0, 5.0));
        }
        let live = self.live.as_ref().map(Live::shown).unwrap_or_default();
        let sketch = (&self.sketch, self.generation);
        self.layer
            .paint(&painter, transform, sketch, &live, colors.ink);
        let (edge, kind) = if response.has_focus() {
            (ui.visuals().selection.stroke, egui::StrokeKind::Outside)
        } else {
            (
                egui::Stroke::new(1.0, colors.edge),
                egui::StrokeKind::Outside,
            )
        };
        painter.rect_stroke(sheet, 1.0, edge, kind);
    }

    /// The pen's ring, or the hand that moves the sheet.
    fn cursor(&self, ui: &Ui, response: &Response, transform: &Transform, colors: &SheetColors) {
        let hands = input::Hands::of(ui, response);
        let ctx = ui.ctx();
        if self.panning.is_some() {
            ctx.set_cursor_icon(CursorIcon::Grabbing);
            return;
        }
        let Some(pointer) = ui
            .input(|input| input.pointer.latest_pos())
            .filter(|_| response.hovered() || self.live.is_some())
        else {
            return;
        };
        if hands.space {
            ctx.set_cursor_icon(CursorIcon::Grab);
            return;
        }
        ctx.set_cursor_icon(CursorIcon::None);
        let tool = self.live.as_ref().map_or(self.pen.tool, |live| live.tool);
        let radius = (0.5 * self.pen.width_of(tool) * transform.scale).max(2.5);
        let painter = ui.painter_at(response.rect);
        if self.pen.mirror {
            let other = transform.window(transform.units(pointer).mirrored());
            painter.circle_stroke(other, radius, egui::Stroke::new(1.0, colors.shadow));
        }
        painter.circle_stroke(pointer, radius + 1.0, egui::Stroke::new(1.0, colors.paper));
        painter.circle_stroke(pointer, radius, egui::Stroke::new(1.2, colors.ink));
    }

    /// What the networks see: the ink on `side * side` pixels, with the stroke under way.
    pub(super) fn ink(&self, side: usize) -> Ink {
        let mut ink = self.sketch.ink(side);
        if let Some(live) = &self.live {
            for stroke in live.shown() {
                ink.stroke(&stroke);
            }
        }
        ink
    }

    /// The strokes that are finished.
    pub(super) fn drawing(&self) -> &Drawing {
        &self.sketch.drawing
    }

    /// Everything on the sheet that is finished.
    pub(super) fn sketch(&self) -> &Sketch {
        &self.sketch
    }

    /// Puts another sketch on the sheet, as one step that can be taken back.
    pub(super) fn load(&mut self, sketch: Sketch) {
        self.live = None;
        self.history.replace(&mut self.sketch, sketch);
        self.generation += 1;
        self.touch();
    }

    /// Takes everything off the sheet, as one step that can be taken back.
    pub(super) fn clear(&mut self) {
        self.load(Sketch::default());
    }

    /// Takes the last step back. False when there is none.
    pub(super) fn undo(&mut self) -> bool {
        self.stepped(History::undo)
    }

    /// Takes the last step that was taken back again. False when there is none.
    pub(super) fn redo(&mut self) -> bool {
        self.stepped(History::redo)
    }

    fn stepped(&mut self, step: impl Fn(&mut History, &mut Sketch) -> bool) -> bool {
        if self.live.is_some() || !step(&mut self.history, &mut self.sketch) {
            return false;
        }
        self.generation += 1;
        self.touch();
        true
    }

    /// Whether a stroke is under way.
    pub(super) fn is_drawing(&self) -> bool {
        self.live.is_some()
    }

    /// Whether there is a step to take back.
    pub(super) fn can_undo(&self) -> bool {
        self.live.is_none() && self.history.can_undo()
    }

    /// Whether there is a step to take again.
    pub(super) fn can_redo(&self) -> bool {
        self.live.is_none() && self.history.can_redo()
    }

    /// Takes a tool into the hand.
    pub(super) fn choose(&mut self, tool: Tool) {
        if self.pen.tool != tool {
            self.pen.tool = tool;
            self.revision += 1;
        }
    }

    /// Shows the whole sheet.
    pub(super) fn reset_view(&mut self) {
        self.view = View::default();
    }

    /// Lays a picture below the ink, to be traced.
    ///
    /// # Errors
    /// When the picture is damaged.
    pub(super) fn trace(&mut self, image: &Image) -> Result<()> {
        self.tracing = Some(Tracing::new(image)?);
        self.revision += 1;
        Ok(())
    }

    /// Another shadow, of `side * side` numbers from 0 to 1; an empty one is none.
    pub(super) fn set_shadow(&mut self, values: &[f32], side: usize) {
        self.shadow.set(values, side);
    }

    fn touch(&mut self) {
        self.revision += 1;
    }

    /// What a session stores.
    pub(super) fn save(&self) -> Value {
        json!(Saved {
            sketch: self.sketch.clone(),
            pen: self.pen.clone(),
            tracing: self.tracing.as_ref().map(Tracing::stored),
        })
    }

    /// Takes up what a session stored.
    ///
    /// # Errors
    /// When it is damaged; the canvas stays as it was.
    pub(super) fn restore(&mut self, state: Value) -> Result<()> {
        let saved: Saved =
            serde_json::from_value(state).map_err(|error| Error::Input(error.to_string()))?;
        let tracing = saved.tracing.map(Tracing::restored).transpose()?;
        self.sketch = saved.sketch;
        self.history = History::default();
        self.pen = saved.pen.checked();
        self.tracing = tracing;
        self.live = None;
        self.generation += 1;
        self.touch();
        Ok(())
    }

    /// Changes whenever [`Self::save`] would give something else.
    pub(super) fn revision(&self) -> u64 {
        self.revision
    }
}

/// The boxes of the face's parts.
fn guides(painter: &egui::Painter, transform: &Transform) {
    let tokens = theme::for_paper();
    for (at, part) in PARTS.iter().enumerate() {
        let units = |pixels: usize| (pixels * SCALE) as f32;
        let corner = [part.left, part.top].map(units);
        let rect = transform.square(corner, units(part.side));
        let color = tokens.line(at);
        let stroke = egui::Stroke::new(1.0, color.gamma_multiply(0.6));
        painter.rect_stroke(rect, 3.0, stroke, egui::StrokeKind::Inside);
        painter.text(
            rect.left_top() + vec2(5.0, 3.0),
            Align2::LEFT_TOP,
            capitalised(part.name),
            FontId::proportional(11.0),
            color.gamma_multiply(0.8),
        );
    }
}
