//! Where the small picture comes from: a new imaginary person, a picture of one's own, or the brush.

use std::sync::Arc;

use egui::{DragValue, Grid, Slider, Ui};
use serde::{Deserialize, Serialize};

use super::crop::CropView;
use crate::data::Image;
use crate::demos::pulse::answer::Face;
use crate::demos::pulse::input::{self, Crop};
use crate::demos::pulse::pixels::{Pixels, SIDES};
use crate::error::Result;
use crate::gui::theme;

/// The small picture and its source.
pub(super) struct Asked {
    pub(super) source: Source,
    /// Pixels in a side.
    pub(super) side: usize,
    pub(super) low: Pixels,
    /// Who it is, where the kit drew it.
    pub(super) truth: Option<Face>,
    /// A picture of one's own, and the square of it.
    picture: Option<(Arc<Image>, Crop)>,
    view: CropView,
    /// The brush's colour, sRGB.
    brush: [u8; 3],
}

/// Where a small picture comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Source {
    Person,
    Picture,
    Paint,
}

/// What was changed by hand.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Changed {
    Nothing,
    /// The small picture.
    Low,
    /// A new person is wanted.
    Person,
}

impl Asked {
    pub(super) fn new() -> Self {
        Self {
            source: Source::Person,
            side: 16,
            low: Pixels::filled(16, [0.62, 0.62, 0.62]),
            truth: None,
            picture: None,
            view: CropView::new(),
            brush: [196, 148, 120],
        }
    }

    /// A small picture that a session stored.
    pub(super) fn of(source: Source, low: Pixels) -> Self {
        Self {
            source,
            side: low.side,
            low,
            ..Self::new()
        }
    }

    /// Takes a person of the kit.
    pub(super) fn take_person(&mut self, face: Face) -> Result<()> {
        self.low = face.low(self.side)?;
        self.truth = Some(face);
        self.source = Source::Person;
        Ok(())
    }

    /// Takes a picture; its middle square at first.
    pub(super) fn take_picture(&mut self, image: Image) -> Result<()> {
        let crop = Crop::middle(&image);
        let small = SIDES.contains(&(crop.side as usize));
        if small {
            self.side = crop.side as usize;
        }
        self.low = input::shrink(&image, crop, self.side)?;
        self.picture = Some((Arc::new(image), crop));
        self.truth = None;
        self.source = Source::Picture;
        Ok(())
    }

    /// Paints a cell.
    pub(super) fn paint(&mut self, [column, row]: [usize; 2]) -> bool {
        let count = self.low.side * self.low.side;
        let at = row * self.low.side + column;
        let mut changed = false;
        for (channel, value) in self.brush.into_iter().enumerate() {
            let value = f32::from(value) / 255.0;
            let place = &mut self.low.planes[channel * count + at];
            changed |= (*place - value).abs() > 1e-6;
            *place = value;
        }
        if changed {
            // It is no longer the person that it was.
            self.truth = None;
            self.source = Source::Paint;
        }
        changed
    }

    /// Takes the colour under the pointer.
    pub(super) fn pick(&mut self, [column, row]: [usize; 2]) {
        let pixels = self.low.to_rgb();
        self.brush = pixels[row * self.low.side + column];
    }

    fn resize(&mut self) -> Result<()> {
        match (&self.truth, &self.picture, self.source) {
            (Some(face), _, Source::Person) => self.low = face.low(self.side)?,
            (_, Some((image, crop)), Source::Picture) => {
                self.low = input::shrink(image, *crop, self.side)?;
            }
            _ => {
                // Painted pixels are repeated, then averaged.
                let times = self.side;
                let large = enlarged(&self.low, times);
                self.low = large.shrunk(self.side);
            }
        }
        self.side = self.low.side;
        Ok(())
    }

    pub(super) fn controls_ui(&mut self, ui: &mut Ui) -> Result<Changed> {
        let mut changed = Changed::Nothing;
        ui.strong("Small picture");
        ui.horizontal_wrapped(|ui| {
            let person = ui.button("New person");
            if person
                .on_hover_text("An imaginary person of the kit, whose true face is known")
                .clicked()
            {
                changed = Changed::Person;
            }
            if ui
                .button("Blank")
                .on_hover_text("Grey, to be painted on")
                .clicked()
            {
                self.low = Pixels::filled(self.side, [0.62; 3]);
                self.truth = None;
                self.source = Source::Paint;
                changed = Changed::Low;
            }
        });
        let faint = theme::tokens(ui).faint;
        let hint = egui::RichText::new(
            "Paint on it, or open, drop or paste a picture of your own. Secondary button: take a colour",
        );
        ui.label(hint.small().color(faint));
        Grid::new("question")
            .num_columns(2)
            .spacing([12.0, 8.0])
            .show(ui, |ui| {
                let label = ui.label("Pixels a side");
                let side = Slider::new(&mut self.side, SIDES.start..=SIDES.end - 1);
                if ui.add(side).labelled_by(label.id).changed() {
                    changed = Changed::Low;
                }
                ui.end_row();
                let label = ui.label("Brush");
                ui.color_edit_button_srgb(&mut self.brush)
                    .labelled_by(label.id);
                ui.end_row();
            });
        if self.side != self.low.side {
            self.resize()?;
        }
        if self.source == Source::Picture && self.crop_numbers_ui(ui) {
            self.resize()?;
            changed = Changed::Low;
        }
        Ok(changed)
    }

    /// One's own picture, `width` points wide, with the square that is shrunk. True when another one was
    /// drawn on it.
    pub(super) fn crop_ui(&mut self, ui: &mut Ui, width: f32) -> Result<bool> {
        let Some((image, crop)) = &mut self.picture else {
            return Ok(false);
        };
        if self.source != Source::Picture {
            return Ok(false);
        }
        ui.add_space(6.0);
        ui.label(egui::RichText::new("Your picture").strong());
        let changed = self.view.ui(ui, image, crop, width);
        let faint = theme::tokens(ui).faint;
        let text = "Drag on it to choose the face's square";
        ui.label(egui::RichText::new(text).small().color(faint));
        if changed {
            self.resize()?;
        }
        Ok(changed)
    }

    /// The square in numbers. True when it was changed.
    fn crop_numbers_ui(&mut self, ui: &mut Ui) -> bool {
        let Some((image, crop)) = &mut self.picture else {
            return false;
        };
        let before = *crop;
        let most = image.width.min(image.height);
        Grid::new("crop")
            .num_columns(2)
            .spacing([12.0, 8.0])
            .show(ui, |ui| {
                for (name, value, range) in [
                    ("Face square", &mut crop.side, 4..=most),
                    ("From the left", &mut crop.left, 0..=image.width - 1),
                    ("From the top", &mut crop.top, 0..=image.height - 1),
                ] {
                    let label = ui.label(name);
                    let drag = DragValue::new(value).range(range).suffix(" px");
                    ui.add(drag).labelled_by(label.id);
                    ui.end_row();
                }
            });
        *crop = crop.within(image);
        before != *crop
    }
}

/// Each pixel repeated `times` times both ways.
fn enlarged(low: &Pixels, times: usize) -> Pixels {
    let side = low.side * times;
    let planes = low.planes.chunks_exact(low.side * low.side);
    Pixels {
        side,
        planes: planes
            .flat_map(|plane| {
                (0..side * side).map(|at| {
                    let (column, row) = (at % side / times, at / side / times);
                    plane[row * low.side + column]
                })
            })
            .collect(),
    }
}
