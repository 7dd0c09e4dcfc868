//! A part's bank as a map, with the place of what is drawn: clicking puts another person's part in
//! its place.

use egui::{Pos2, Rect, Response, Role, Sense, Stroke, Ui, Vec2, WidgetInfo, pos2};

use crate::demos::face_drawing::parts::PerPart;
use crate::gui::theme;

/// People that are drawn as points; of more, every few are.
const POINTS: usize = 2_000;
/// The side of the map, points.
const SIDE: f32 = 208.0;

/// The maps of all parts.
#[derive(Default)]
pub(super) struct Maps {
    points: Option<Box<PerPart<Vec<[f32; 2]>>>>,
}

/// What is shown on a map.
pub(super) struct Shown<'a> {
    /// Which part's map.
    pub(super) part: usize,
    /// What it is called.
    pub(super) name: &'a str,
    /// Where the part lies as it was drawn and as it is painted.
    pub(super) places: [[f32; 2]; 2],
    /// Its neighbours.
    pub(super) people: &'a [usize],
}

impl Maps {
    /// Takes the maps.
    pub(super) fn set(&mut self, points: Box<PerPart<Vec<[f32; 2]>>>) {
        self.points = Some(points);
    }

    /// Whether they are known.
    pub(super) fn are_known(&self) -> bool {
        self.points.is_some()
    }

    /// Draws a map. The person that was clicked.
    pub(super) fn ui(&self, ui: &mut Ui, shown: &Shown<'_>) -> Option<usize> {
        let points = &self.points.as_ref()?[shown.part];
        let (rect, response) = ui.allocate_exact_size(Vec2::splat(SIDE), Sense::click());
        let enabled = ui.is_enabled();
        let label = format!("Map of known parts: {}", shown.name);
        response.widget_info(|| WidgetInfo::labeled(Role::Button, enabled, &label));
        let scale = Scale::new(rect, points, shown.places);
        paint(ui, rect, points, &scale, shown);
        clicked(&response, points, &scale)
    }
}

fn clicked(response: &Response, points: &[[f32; 2]], scale: &Scale) -> Option<usize> {
    let hovered = response.hover_pos().map(|at| nearest(points, scale, at));
    if let Some(Some(person)) = hovered {
        response
            .clone()
            .on_hover_text(format!("Click for the part of person {person} of the bank"));
    }
    let at = response
        .interact_pointer_pos()
        .filter(|_| response.clicked())?;
    nearest(points, scale, at)
}

/// The person nearest to a place on the screen.
fn nearest(points: &[[f32; 2]], scale: &Scale, at: Pos2) -> Option<usize> {
    let square = |person: usize| scale.place(points[person]).distance_sq(at);
    (0..points.len()).min_by(|&a, &b| square(a).total_cmp(&square(b)))
}

/// From the map to the screen.
struct Scale {
    middle: Pos2,
    by: f32,
}

impl Scale {
    fn new(rect: Rect, points: &[[f32; 2]], places: [[f32; 2]; 2]) -> Self {
        let mut reach: Vec<f32> = points.iter().map(|[x, y]| x.abs().max(y.abs())).collect();
        let far = reach.len().saturating_sub(1) * 99 / 100;
        reach.sort_by(f32::total_cmp);
        let usual = reach.get(far).copied().unwrap_or(1.0);
        let drawn = places
            .iter()
            .flatten()
            .fold(0.0_f32, |most, v| most.max(v.abs()));
        Self {
            middle: rect.center(),
            by: rect.width() * 0.46 / usual.max(drawn).max(1e-3),
        }
    }

    fn place(&self, [x, y]: [f32; 2]) -> Pos2 {
        pos2(self.middle.x + self.by * x, self.middle.y - self.by * y)
    }
}

fn paint(ui: &Ui, rect: Rect, points: &[[f32; 2]], scale: &Scale, shown: &Shown<'_>) {
    let tokens = theme::tokens(ui);
    let painter = ui.painter().with_clip_rect(rect);
    painter.rect_filled(rect, 4.0, tokens.card);
    let dot = Vec2::splat(1.6);
    let faint = tokens.faint.gamma_multiply(0.45);
    for point in points.iter().step_by(points.len().div_ceil(POINTS).max(1)) {
        painter.rect_filled(Rect::from_center_size(scale.place(*point), dot), 0.0, faint);
    }
    for &person in shown.people {
        if let Some(point) = points.get(person) {
            painter.circle_filled(scale.place(*point), 2.6, tokens.good);
        }
    }
    let [drawn, painted] = shown.places.map(|place| scale.place(place));
    painter.line_segment([drawn, painted], Stroke::new(1.5, tokens.accent));
    painter.circle_stroke(drawn, 4.5, Stroke::new(1.5, tokens.accent));
    painter.circle_filled(painted, 4.0, tokens.accent);
}
