//! The pen: its settings, and the stroke that it is drawing.

use egui::PointerButton;
use serde::{Deserialize, Serialize};

use crate::demos::face_drawing::drawing::{Point, Stroke, Trail};

/// The widths of the pen and of the eraser, in units.
pub(super) const PEN_WIDTHS: std::ops::RangeInclusive<f32> = 1.0..=40.0;
pub(super) const ERASER_WIDTHS: std::ops::RangeInclusive<f32> = 2.0..=160.0;

/// What the primary button does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in super::super) enum Tool {
    #[default]
    Pen,
    Eraser,
}

/// How one draws.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Pen {
    pub(super) tool: Tool,
    /// In units.
    pub(super) width: f32,
    pub(super) eraser_width: f32,
    /// Every stroke is drawn on the other side of the face too.
    pub(super) mirror: bool,
    /// The boxes of the face's parts are shown.
    pub(super) guides: bool,
    /// The shadow is shown.
    pub(super) shadow: bool,
}

impl Default for Pen {
    fn default() -> Self {
        Self {
            tool: Tool::Pen,
            width: 3.0,
            eraser_width: 28.0,
            mirror: false,
            guides: false,
            shadow: true,
        }
    }
}

impl Pen {
    /// The settings of a session with what is impossible made possible.
    pub(super) fn checked(mut self) -> Self {
        let near = |v: f32, range: std::ops::RangeInclusive<f32>| {
            // What is not a number stays so when it is clamped.
            let v = if v.is_finite() { v } else { *range.start() };
            v.clamp(*range.start(), *range.end())
        };
        self.width = near(self.width, PEN_WIDTHS);
        self.eraser_width = near(self.eraser_width, ERASER_WIDTHS);
        self
    }

    /// The width of a tool.
    pub(super) fn width_of(&self, tool: Tool) -> f32 {
        match tool {
            Tool::Pen => self.width,
            Tool::Eraser => self.eraser_width,
        }
    }

    /// Makes the tool in hand wider or narrower, by so many steps.
    pub(super) fn widen(&mut self, steps: i32) {
        let (width, range) = match self.tool {
            Tool::Pen => (&mut self.width, PEN_WIDTHS),
            Tool::Eraser => (&mut self.eraser_width, ERASER_WIDTHS),
        };
        for _ in 0..steps.abs() {
            let step = (*width * 0.2).max(0.5);
            let to = *width + step * steps.signum() as f32;
            *width = ((to * 2.0).round() / 2.0).clamp(*range.start(), *range.end());
        }
    }

    /// The tool that a button holds.
    pub(super) fn tool_of(&self, button: PointerButton) -> Tool {
        if button == PointerButton::Secondary {
            Tool::Eraser
        } else {
            self.tool
        }
    }
}

/// A stroke under way.
pub(super) struct Live {
    trail: Trail,
    pub(super) tool: Tool,
    /// The button that is down.
    pub(super) button: PointerButton,
    /// A straight line from where it began.
    pub(super) straight: bool,
    width: f32,
    /// How hard the pen was pressed at most, where that is known.
    force: Option<f32>,
    mirror: bool,
}

impl Live {
    pub(super) fn new(start: Point, pen: &Pen, button: PointerButton) -> Self {
        let tool = pen.tool_of(button);
        Self {
            trail: Trail::new(start),
            tool,
            button,
            straight: false,
            width: pen.width_of(tool),
            force: None,
            mirror: pen.mirror,
        }
    }

    /// The pen is here now. True when it has moved.
    pub(super) fn push(&mut self, point: Point) -> bool {
        self.trail.push(point)
    }

    /// It is pressed so hard, from 0 to 1. A stroke has one width, that of its hardest point, so that
    /// it never becomes thinner again.
    pub(super) fn press(&mut self, force: f32) {
        if force.is_finite() {
            let before = self.force.unwrap_or(0.0);
            self.force = Some(before.max(force.clamp(0.0, 1.0)));
        }
    }

    fn stroke(&self, points: Vec<Point>) -> Stroke {
        // Half of the force is the width that was chosen.
        let by_force = self.force.map_or(1.0, |force| 0.5 + force);
        let widths = match self.tool {
            Tool::Pen => PEN_WIDTHS,
            Tool::Eraser => ERASER_WIDTHS,
        };
        Stroke {
            points,
            width: (self.width * by_force).clamp(*widths.start(), *widths.end()),
            eraser: self.tool == Tool::Eraser,
        }
    }

    fn ends(&self) -> Vec<Point> {
        let points = self.trail.points();
        match points {
            [first, .., last] => vec![*first, *last],
            _ => points.to_vec(),
        }
    }

    fn with_mirrored(&self, stroke: Stroke) -> Vec<Stroke> {
        if self.mirror {
            let other = stroke.mirrored();
            vec![stroke, other]
        } else {
            vec![stroke]
        }
    }

    /// What to show of it now.
    pub(super) fn shown(&self) -> Vec<Stroke> {
        let points = if self.straight {
            self.ends()
        } else {
            self.trail.points().to_vec()
        };
        self.with_mirrored(self.stroke(points))
    }

    /// What stays of it.
    pub(super) fn finished(&self) -> Vec<Stroke> {
        let points = if self.straight {
            self.ends()
        } else {
            self.trail.finish()
        };
        self.with_mirrored(self.stroke(points))
    }
}
