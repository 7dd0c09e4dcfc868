//! What pointer, touch and keys do to the canvas.

use egui::{Event, Key, PointerButton, Pos2, Response, TouchPhase, Ui, Vec2};

use super::Canvas;
use super::pen::{Live, Tool};
use crate::demos::face_drawing::drawing::Stroke;

/// What happened to the ink in a frame.
#[derive(Clone, Copy, Default)]
pub(super) struct Happened {
    /// It is not what it was, also in the middle of a stroke.
    pub(super) changed: bool,
    /// A stroke was finished.
    pub(super) finished: bool,
    /// There was no room for a stroke.
    pub(super) full: bool,
}

impl Canvas {
    /// Takes the frame's events in their order: a pointer reports several times in a frame, and every
    /// place counts.
    pub(super) fn take_events(&mut self, ui: &Ui, response: &Response) -> Happened {
        let mut happened = Happened::default();
        let events = ui.input(|input| input.events.clone());
        let hands = Hands::of(ui, response);
        if self.two_fingers(ui, response) {
            happened.changed |= self.live.take().is_some();
            self.panning = None;
            return happened;
        }
        for event in &events {
            self.take_event(event, ui, response, &hands, &mut happened);
        }
        // A button that was let go elsewhere.
        if ui.input(|input| !input.pointer.any_down()) {
            self.panning = None;
            self.finish(&mut happened);
        }
        if let Some(live) = &mut self.live
            && live.straight != hands.shift
        {
            live.straight = hands.shift;
            happened.changed = true;
        }
        self.take_keys(ui, response, &mut happened);
        self.take_wheel(ui, response);
        happened
    }

    fn take_event(
        &mut self,
        event: &Event,
        ui: &Ui,
        response: &Response,
        hands: &Hands,
        happened: &mut Happened,
    ) {
        match event {
            Event::PointerButton {
                pos,
                button,
                pressed: true,
                ..
            } if is_reached(ui, response, *pos) => {
                response.request_focus();
                self.put_down(*button, *pos, response, hands, happened);
            }
            Event::PointerMoved(pos) => {
                if let Some((button, last)) = self.panning {
                    self.view.drag(*pos - last, response.rect);
                    self.panning = Some((button, *pos));
                } else if let Some(live) = &mut self.live {
                    let point = self.view.transform(response.rect).units(*pos);
                    happened.changed |= live.push(point);
                }
            }
            Event::Touch { phase, force, .. } => self.take_touch(*phase, *force, happened),
            Event::PointerButton {
                button,
                pressed: false,
                ..
            } => {
                if self.panning.is_some_and(|(held, _)| held == *button) {
                    self.panning = None;
                }
                if self.live.as_ref().is_some_and(|l| l.button == *button) {
                    self.finish(happened);
                }
            }
            Event::WindowFocused(false) => self.finish(happened),
            _ => {}
        }
    }

    /// A touch comes beside what it does as a pointer, and before it.
    fn take_touch(&mut self, phase: TouchPhase, force: Option<f32>, happened: &mut Happened) {
        match phase {
            TouchPhase::Start => self.force = force,
            TouchPhase::Move => {
                if let (Some(live), Some(force)) = (&mut self.live, force) {
                    live.press(force);
                    happened.changed = true;
                }
            }
            TouchPhase::End => self.force = None,
            TouchPhase::Cancel => {
                self.force = None;
                happened.changed |= self.live.take().is_some();
            }
        }
    }

    fn put_down(
        &mut self,
        button: PointerButton,
        pos: Pos2,
        response: &Response,
        hands: &Hands,
        happened: &mut Happened,
    ) {
        if self.live.is_some() || self.panning.is_some() {
            return;
        }
        let draws = matches!(button, PointerButton::Primary | PointerButton::Secondary);
        if button == PointerButton::Middle || draws && hands.space {
            self.panning = Some((button, pos));
        } else if draws {
            let point = self.view.transform(response.rect).units(pos);
            let mut live = Live::new(point, &self.pen, button);
            if let Some(force) = self.force {
                live.press(force);
            }
            self.live = Some(live);
            happened.changed = true;
        }
    }

    /// The stroke under way becomes one of the sketch, unless it lies beside the sheet.
    fn finish(&mut self, happened: &mut Happened) {
        let Some(live) = self.live.take() else {
            return;
        };
        happened.changed = true;
        let mut strokes = live.finished();
        strokes.retain(Stroke::is_on_sheet);
        if strokes.is_empty() {
            return;
        }
        if self.sketch.drawing.has_room(&strokes) {
            self.history.add(&mut self.sketch, strokes);
            self.touch();
            happened.finished = true;
        } else {
            happened.full = true;
        }
    }

    fn two_fingers(&mut self, ui: &Ui, response: &Response) -> bool {
        let Some(touch) = ui.input(egui::InputState::multi_touch) else {
            return false;
        };
        if !response.rect.contains(touch.center_pos) {
            return false;
        }
        self.view
            .zoom_by(touch.zoom_delta, touch.center_pos, response.rect);
        self.view.drag(touch.translation_delta, response.rect);
        true
    }

    fn take_wheel(&mut self, ui: &Ui, response: &Response) {
        let Some(pointer) = response.hover_pos().filter(|_| self.live.is_none()) else {
            return;
        };
        let (zoom, scroll) = ui.input(|input| (input.zoom_delta(), input.smooth_scroll_delta()));
        #[expect(clippy::float_cmp, reason = "exactly 1 unless something was turned")]
        if zoom != 1.0 {
            self.view.zoom_by(zoom, pointer, response.rect);
        } else if scroll != Vec2::ZERO && !self.view.is_whole() {
            self.view.drag(scroll, response.rect);
        }
    }

    fn take_keys(&mut self, ui: &Ui, response: &Response, happened: &mut Happened) {
        if ui.ctx().text_edit_focused() || !(response.has_focus() || response.hovered()) {
            return;
        }
        let presses = |key: Key| {
            ui.input(|input| {
                // Keys with Ctrl or Alt are commands.
                let plain = !input.modifiers.command && !input.modifiers.alt;
                if plain { input.num_presses(key) } else { 0 }
            })
        };
        let steps = |key: Key| i32::try_from(presses(key)).unwrap_or(0);
        // Brackets lie behind Alt on many keyboards.
        let brackets = ui.input(|input| {
            let count = |key| i32::try_from(input.num_presses(key)).unwrap_or(0);
            count(Key::CloseBracket) - count(Key::OpenBracket)
        });
        if brackets != 0 {
            self.pen.widen(brackets.clamp(-20, 20));
            self.revision += 1;
        }
        if presses(Key::B) + presses(Key::P) > 0 {
            self.choose(Tool::Pen);
        }
        if presses(Key::E) > 0 {
            let other = match self.pen.tool {
                Tool::Pen => Tool::Eraser,
                Tool::Eraser => Tool::Pen,
            };
            self.choose(other);
        }
        if presses(Key::M) % 2 == 1 {
            self.pen.mirror ^= true;
            self.revision += 1;
        }
        let middle = response.rect.center();
        let zoom = steps(Key::Plus) + steps(Key::Equals) - steps(Key::Minus);
        if zoom != 0 {
            self.view
                .zoom_by(1.25_f32.powi(zoom), middle, response.rect);
        }
        if presses(Key::Num0) > 0 {
            self.reset_view();
        }
        if presses(Key::Escape) > 0 && self.live.take().is_some() {
            happened.changed = true;
        }
    }
}

/// Keys that are held while the pointer does something.
pub(super) struct Hands {
    pub(super) space: bool,
    shift: bool,
}

impl Hands {
    pub(super) fn of(ui: &Ui, response: &Response) -> Self {
        let typing = ui.ctx().text_edit_focused();
        let near = response.hovered() || response.has_focus();
        ui.input(|input| Self {
            space: !typing && near && input.key_down(Key::Space),
            shift: input.modifiers.shift,
        })
    }
}

/// Whether the canvas is what the pointer touches at this place.
fn is_reached(ui: &Ui, response: &Response, place: Pos2) -> bool {
    let inside = response.rect.contains(place) && ui.clip_rect().contains(place);
    let in_front = ui.ctx().layer_id_at(place) == Some(ui.layer_id());
    inside && in_front && ui.is_enabled()
}
