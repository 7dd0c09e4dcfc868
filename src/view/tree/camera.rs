//! Which part of a tree is seen.

use egui::{Pos2, Rect, Response, Ui, Vec2, vec2};

use super::super::zoom::{Zooming, zooming};
use super::motion::{nothing, step};
use super::visible::RADIUS;

/// Room around the fitted tree, in points.
const MARGIN: f32 = 26.0;
const SCALES: [f32; 2] = [0.05, 6.0];
/// A small tree is not blown up beyond this.
const FITTED: f32 = 1.7;
/// Levels are stretched up to this when a tree is wide, so that it fills the view.
const STRETCH: f32 = 7.0;

/// How a place in the tree becomes one in the window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Lens {
    /// Points per point at no zoom.
    pub(super) scale: f32,
    /// How much farther apart the levels are.
    pub(super) stretch: f32,
    /// The place in the tree that is in the middle of the view.
    pub(super) center: Vec2,
    pub(super) middle: Pos2,
}

impl Lens {
    pub(super) fn window(&self, place: Vec2) -> Pos2 {
        let off = (place - self.center) * vec2(1.0, self.stretch);
        self.middle + off * self.scale
    }
}

/// The part that is seen: the whole tree until somebody zooms or pans.
#[derive(Default)]
pub(super) struct Camera {
    own: Option<Lens>,
    /// Where the view of the whole tree has glided to.
    fitted: Option<Lens>,
    moving: bool,
}

impl Camera {
    pub(super) fn fit(&mut self) {
        if let Some(own) = self.own.take() {
            self.fitted = Some(own);
        }
    }

    pub(super) fn is_moving(&self) -> bool {
        self.moving
    }

    /// Goes with a node that moved, so that it stays under the eye.
    pub(super) fn keep(&mut self, moved: Vec2) {
        if let Some(own) = &mut self.own {
            own.center += moved;
        }
    }

    /// Pans so far that a place is in sight.
    pub(super) fn bring_into(&mut self, rect: Rect, place: Vec2) {
        if let Some(own) = &mut self.own {
            let inner = rect.shrink(MARGIN.min(rect.size().min_elem() * 0.4));
            let at = own.window(place);
            let off = at - inner.clamp(at);
            own.center += off / own.scale / vec2(1.0, own.stretch);
        }
    }

    /// Takes in wheel, drag and keys.
    pub(super) fn follow(&mut self, ui: &Ui, response: &Response, bounds: Option<Rect>) -> Lens {
        let rect = response.rect;
        let target = whole(rect, bounds.unwrap_or_else(nothing));
        self.glide(ui, target);
        let Zooming { factor, at, fit } = zooming(ui, response);
        if fit {
            self.fit();
        }
        let mut lens = self.own.unwrap_or(self.fitted.unwrap_or(target));
        lens.middle = rect.center();
        let dragged = response.drag_delta();
        #[expect(clippy::float_cmp, reason = "exactly 1 unless something was turned")]
        if factor != 1.0 || dragged != Vec2::ZERO {
            let scale = (lens.scale * factor).clamp(SCALES[0], SCALES[1]);
            // The place at the pointer stays there.
            let axes = vec2(1.0, lens.stretch);
            let from_middle = at - lens.middle;
            lens.center += from_middle / lens.scale / axes - from_middle / scale / axes;
            lens.scale = scale;
            lens.center -= dragged / scale / axes;
            self.own = Some(lens);
        }
        if let Some(own) = &mut self.own {
            own.middle = rect.center();
            self.moving = false;
        }
        lens
    }

    fn glide(&mut self, ui: &Ui, target: Lens) {
        let step = step(ui);
        let now = match self.fitted {
            Some(old) if self.own.is_none() && step < 1.0 && !near(&old, &target) => Lens {
                scale: old.scale + (target.scale - old.scale) * step,
                stretch: old.stretch + (target.stretch - old.stretch) * step,
                center: old.center + (target.center - old.center) * step,
                middle: target.middle,
            },
            _ => target,
        };
        self.moving = now != target && self.own.is_none();
        self.fitted = Some(now);
    }
}

/// Whether the difference is not to be seen.
fn near(a: &Lens, b: &Lens) -> bool {
    let scale = (a.scale - b.scale).abs() / b.scale;
    let stretch = (a.stretch - b.stretch).abs() / b.stretch;
    scale < 2e-3 && stretch < 2e-3 && (a.center - b.center).length() * b.scale < 0.5
}

/// The whole tree. A wide one has its levels drawn apart, up to the view's height.
fn whole(rect: Rect, bounds: Rect) -> Lens {
    let room = (rect.size() - Vec2::splat(2.0 * MARGIN)).max(Vec2::splat(1.0));
    let size = bounds.size() + Vec2::splat(2.0 * RADIUS[1]);
    let scale = (room / size).min_elem().clamp(SCALES[0], FITTED);
    let height = bounds.height().max(1.0);
    let free = room.y / scale - 2.0 * RADIUS[1];
    Lens {
        scale,
        stretch: (free / height).clamp(1.0, STRETCH),
        center: bounds.center().to_vec2(),
        middle: rect.center(),
    }
}
