//! How a figure is turned and enlarged by hand.

use std::f32::consts::{PI, TAU};

use crate::human::geometry::{compose, rotation};
use crate::human::raster::Camera;

/// The most that a figure is tipped, radians: from steeper it is a crown or two soles.
const MAX_PITCH: f32 = 1.2;
/// The least and the greatest enlargement.
const ZOOMS: [f32; 2] = [0.5, 12.0];

/// A turn on top of the camera that a figure came with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Orbit {
    /// To the side in radians, `-PI` to `PI`; positive shows the figure's right side, as
    /// [`crate::human::View::yaw`].
    pub yaw: f32,
    /// Up and down in radians; positive looks down on it.
    pub pitch: f32,
    /// Enlargement; 1 is as the figure came.
    pub zoom: f32,
    /// How far the picture is moved to the right and down, in its sides.
    pub shift: [f32; 2],
}

impl Default for Orbit {
    fn default() -> Self {
        Self {
            yaw: 0.0,
            pitch: 0.0,
            zoom: 1.0,
            shift: [0.0; 2],
        }
    }
}

impl Orbit {
    /// Turns it by radians: all the way around to the sides, a little beyond 68 degrees up and down.
    pub fn turn(&mut self, yaw: f32, pitch: f32) {
        self.yaw = (self.yaw + yaw + PI).rem_euclid(TAU) - PI;
        self.pitch = (self.pitch + pitch).clamp(-MAX_PITCH, MAX_PITCH);
    }

    /// Turns it as a hand that drags its surface, by shares of the picture's side: a whole side
    /// is half a turn.
    pub fn drag(&mut self, by: [f32; 2]) {
        self.turn(by[0] * PI, by[1] * PI);
    }

    /// Enlarges it so that what is seen at `at`, in picture sides from the picture's middle, stays
    /// there. Once it is no larger than it came, it is in its place again.
    pub fn zoom_at(&mut self, factor: f32, at: [f32; 2]) {
        let zoom = (self.zoom * factor).clamp(ZOOMS[0], ZOOMS[1]);
        let grown = zoom / self.zoom;
        self.zoom = zoom;
        // The middle may be moved as far as keeps the picture filled.
        let room = 0.5 * (zoom - 1.0).max(0.0);
        for (shift, at) in self.shift.iter_mut().zip(at) {
            *shift = (at + (*shift - at) * grown).clamp(-room, room);
        }
    }

    /// The camera that sees a figure so.
    #[must_use]
    pub fn camera(&self, camera: &Camera) -> Camera {
        let yaw = rotation([0.0, self.yaw, 0.0]);
        let pitch = rotation([self.pitch, 0.0, 0.0]);
        let place = |k: usize| 0.5 + (camera.place[k] - 0.5) * self.zoom + self.shift[k];
        Camera {
            target: camera.target,
            turn: compose(&pitch, &compose(&camera.turn, &yaw)),
            distance: camera.distance,
            scale: camera.scale * self.zoom,
            place: [place(0), place(1)],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::human::geometry::IDENTITY;

    fn camera() -> Camera {
        Camera {
            target: [1.0, 2.0, 3.0],
            turn: IDENTITY,
            distance: 10.0,
            scale: 0.1,
            place: [0.5, 0.52],
        }
    }

    #[test]
    fn at_rest_the_camera_is_the_figures_own() {
        assert_eq!(Orbit::default().camera(&camera()), camera());
    }

    #[test]
    fn a_quarter_turn_shows_the_side_and_a_whole_one_the_front_again() {
        let mut orbit = Orbit::default();
        orbit.turn(PI / 2.0, 0.0);
        // What is in front comes to the right.
        let front = orbit.camera(&camera()).view([1.0, 2.0, 4.0]);
        assert!((front[0] - 1.0).abs() < 1e-6 && front[2].abs() < 1e-6);
        for _ in 0..3 {
            orbit.turn(PI / 2.0, 0.0);
        }
        assert!(orbit.yaw.abs() < 1e-5, "{orbit:?}");
        orbit.turn(PI + 0.1, 0.0);
        assert!((orbit.yaw - (0.1 - PI)).abs() < 1e-5, "{orbit:?}");
    }

    #[test]
    fn dragging_down_tips_the_front_down_and_ends_before_the_pole() {
        let mut orbit = Orbit::default();
        orbit.drag([0.0, 0.1]);
        let front = orbit.camera(&camera()).view([1.0, 2.0, 4.0]);
        assert!((front[1] + (0.1 * PI).sin()).abs() < 1e-6, "{front:?}");
        orbit.drag([0.0, 9.0]);
        assert!((orbit.pitch - MAX_PITCH).abs() < 1e-6);
        orbit.drag([0.0, -9.0]);
        assert!((orbit.pitch + MAX_PITCH).abs() < 1e-6);
    }

    #[test]
    fn what_is_under_the_pointer_stays_there_while_it_grows() {
        let mut orbit = Orbit::default();
        orbit.turn(0.3, 0.2);
        let point = [1.4, 2.9, 3.3];
        let place = |orbit: &Orbit| {
            let camera = orbit.camera(&camera());
            camera.place(camera.view(point))
        };
        let before = place(&orbit);
        for _ in 0..5 {
            orbit.zoom_at(1.3, before.map(|v| v - 0.5));
            let now = place(&orbit);
            assert!((now[0] - before[0]).abs() < 1e-5, "{now:?}, {before:?}");
            assert!((now[1] - before[1]).abs() < 1e-5, "{now:?}, {before:?}");
        }
        orbit.zoom_at(1e9, [0.0; 2]);
        assert!((orbit.zoom - ZOOMS[1]).abs() < 1e-4);
        orbit.zoom_at(1.0 / ZOOMS[1], [0.4, -0.4]);
        assert!(
            orbit.shift.iter().all(|s| s.abs() < 1e-6),
            "in its place again"
        );
        orbit.zoom_at(1e-9, [0.4, -0.4]);
        assert!((orbit.zoom - ZOOMS[0]).abs() < 1e-6);
        assert!(orbit.shift.iter().all(|s| s.abs() < 1e-6));
    }
}
