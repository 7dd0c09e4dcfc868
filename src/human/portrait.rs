//! A person before a camera, in a light, in front of something.

use serde::{Deserialize, Serialize};

use super::figure::{Extent, Figure, Wardrobe};
use super::geometry::{Mat3, add, compose, length, rotation, scale, sub};
use super::person::Person;
use super::raster::{Backdrop, Camera, Lights, Picture, Quality, render};
use super::rig::Pose;

/// How a figure is turned and framed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct View {
    /// To the side, radians; positive shows the figure's right cheek.
    pub yaw: f32,
    /// Up and down, radians; positive looks down.
    pub pitch: f32,
    /// Sideways, radians.
    pub roll: f32,
    /// Size in the picture; 1 is usual.
    pub zoom: f32,
}

/// Everything that a picture of a person shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Portrait {
    /// Who.
    pub person: Person,
    /// From where.
    pub view: View,
    /// In which light.
    pub lights: Lights,
    /// Before what.
    pub backdrop: Backdrop,
}

impl View {
    /// The turn as a matrix: yaw, then pitch, then roll.
    #[must_use]
    pub fn turn(&self) -> Mat3 {
        let yaw = rotation([0.0, self.yaw, 0.0]);
        let pitch = rotation([self.pitch, 0.0, 0.0]);
        compose(&rotation([0.0, 0.0, self.roll]), &compose(&pitch, &yaw))
    }

    /// A camera that frames a head by its eyes, which lie in the same place for every head.
    #[must_use]
    pub fn of_head(&self, figure: &Figure) -> Camera {
        let [left, right] = figure.eyes();
        let between = length(sub(left, right)).max(1e-3);
        let middle = scale(add(left, right), 0.5);
        Camera {
            target: add(middle, [0.0, -0.30 * between, -0.9 * between]),
            turn: self.turn(),
            distance: 11.0 * between,
            scale: 0.265 * self.zoom / between,
            place: [0.5, 0.52],
        }
    }

    /// A camera that frames a whole body.
    #[must_use]
    pub fn of_body(&self, figure: &Figure) -> Camera {
        let ends = |axis: usize| {
            // The body's own points; helpers lie around it.
            figure.points()[..13_380.min(figure.points().len())]
                .iter()
                .map(|p| p[axis])
                .fold([f32::INFINITY, f32::NEG_INFINITY], |[low, high], value| {
                    [low.min(value), high.max(value)]
                })
        };
        let [x, y, z] = [ends(0), ends(1), ends(2)];
        let middle = |ends: [f32; 2]| f32::midpoint(ends[0], ends[1]);
        let tall = (y[1] - y[0]).max((x[1] - x[0]) * 0.9).max(1e-3);
        Camera {
            target: [middle(x), middle(y), middle(z)],
            turn: self.turn(),
            distance: 4.0 * tall,
            scale: 0.86 * self.zoom / tall,
            place: [0.5, 0.5],
        }
    }
}

impl Portrait {
    /// Draws it. A body stands in `pose`, which a head does without.
    #[must_use]
    pub fn draw(
        &self,
        wardrobe: &Wardrobe,
        extent: Extent,
        pose: Option<&Pose>,
        quality: Quality,
    ) -> Picture {
        let figure = wardrobe.figure(&self.person, pose);
        let camera = match extent {
            Extent::Head => self.view.of_head(&figure),
            Extent::Body => self.view.of_body(&figure),
        };
        let surfaces = figure.surfaces();
        render(&surfaces, &camera, &self.lights, &self.backdrop, quality)
    }
}
