//! From points in space to triangles on the grid of samples.

use super::Surface;
use crate::human::geometry::{Mat3, Vec3, rotate, round, sub};

/// How a figure is looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct Camera {
    /// The point that the figure is turned about, decimetres.
    pub target: Vec3,
    /// How the figure is turned before the camera.
    pub turn: Mat3,
    /// From the camera to the target, decimetres.
    pub distance: f32,
    /// Picture widths that a decimetre at the target takes.
    pub scale: f32,
    /// Where the target is seen, in picture widths from the upper left.
    pub place: [f32; 2],
}

impl Camera {
    /// A point as the camera sees it: x right, y up, z towards the camera, null at the target.
    #[inline]
    #[must_use]
    pub fn view(&self, point: Vec3) -> Vec3 {
        rotate(&self.turn, sub(point, self.target))
    }

    /// Where a point of [`Camera::view`] falls, in picture widths from the upper left.
    #[inline]
    #[must_use]
    pub fn place(&self, view: Vec3) -> [f32; 2] {
        let k = self.scale * self.distance / (self.distance - view[2]);
        [self.place[0] + view[0] * k, self.place[1] - view[1] * k]
    }
}

/// Parts of a sample's side that corners are rounded to.
pub const FINE: i64 = 256;
/// Corners further out than this many samples are not drawn.
const FAR: f32 = 1e6;

/// A triangle on the grid.
#[derive(Clone, Copy, Debug)]
pub struct Face {
    /// Corners, in 1 / [`FINE`] of a sample, y down; clockwise as they are seen.
    pub x: [i64; 3],
    /// The same.
    pub y: [i64; 3],
    /// Nearness of the corners, linear on the grid: 1 / distance, or the height towards the light.
    pub near: [f32; 3],
    /// What attributes are divided by before they are linear on the grid.
    pub weight: [f32; 3],
    /// The surface it belongs to.
    pub surface: u16,
    /// Its number in the surface.
    pub number: u32,
    /// Which corners of the surface's face its corners are.
    pub order: [u8; 3],
}

impl Face {
    /// A face of three corners `[x, y]` in samples, as it is drawn; none when it has no area.
    #[must_use]
    pub fn new(
        corners: [[f32; 2]; 3],
        near: [f32; 3],
        weight: [f32; 3],
        (surface, number): (u16, u32),
        two_sided: bool,
    ) -> Option<Self> {
        if corners
            .iter()
            .flatten()
            .any(|value| value.is_nan() || value.abs() > FAR)
        {
            return None;
        }
        let fine = |value: f32| round(value * FINE as f32);
        let x = corners.map(|corner| fine(corner[0]));
        let y = corners.map(|corner| fine(corner[1]));
        let area = (x[1] - x[0]) * (y[2] - y[0]) - (x[2] - x[0]) * (y[1] - y[0]);
        // Counter-clockwise with y up is clockwise with y down: a negative area here is the front.
        let order: [u8; 3] = match area {
            0 => return None,
            area if area < 0 => [0, 2, 1],
            _ if two_sided => [0, 1, 2],
            _ => return None,
        };
        let of = |k: u8| usize::from(k);
        Some(Self {
            x: order.map(|k| x[of(k)]),
            y: order.map(|k| y[of(k)]),
            near: order.map(|k| near[of(k)]),
            weight: order.map(|k| weight[of(k)]),
            surface,
            number,
            order,
        })
    }

    /// The rows of samples it can touch, first and one beyond the last, before any border.
    #[must_use]
    pub fn rows(&self) -> [i64; 2] {
        let [low, high] = ends(self.y);
        [low, high]
    }

    /// The columns of samples it can touch, as [`Face::rows`].
    #[must_use]
    pub fn columns(&self) -> [i64; 2] {
        ends(self.x)
    }
}

/// The samples whose centres lie between the least and the greatest of three coordinates.
fn ends(values: [i64; 3]) -> [i64; 2] {
    let low = values[0].min(values[1]).min(values[2]);
    let high = values[0].max(values[1]).max(values[2]);
    let half = FINE / 2;
    [
        (low - half + FINE - 1).div_euclid(FINE),
        (high - half).div_euclid(FINE) + 1,
    ]
}

/// All surfaces as a camera sees them.
pub struct Projected {
    /// The points of each surface as [`Camera::view`] gives them.
    pub views: Vec<Vec<Vec3>>,
    /// The faces that are seen.
    pub faces: Vec<Face>,
    /// Samples in a side of the grid.
    pub side: usize,
    /// How the camera turns the figure.
    pub turn: Mat3,
}

impl Projected {
    pub fn new(surfaces: &[Surface], camera: &Camera, side: usize) -> Self {
        let views: Vec<Vec<Vec3>> = surfaces
            .iter()
            .map(|surface| surface.points.iter().map(|&p| camera.view(p)).collect())
            .collect();
        let mut faces = Vec::new();
        for (at, (surface, views)) in surfaces.iter().zip(&views).enumerate() {
            let seen: Vec<([f32; 2], f32)> = views
                .iter()
                .map(|&view| {
                    let [x, y] = camera.place(view);
                    let corner = [x * side as f32, y * side as f32];
                    (corner, 1.0 / (camera.distance - view[2]))
                })
                .collect();
            for (number, triangle) in surface.triangles.iter().enumerate() {
                let corners = triangle.points.map(|p| seen[usize::from(p)]);
                let near = corners.map(|c| c.1);
                // Behind the camera, or nearer than a hundredth of a millimetre.
                if near.iter().any(|&near| !(0.0..1e4).contains(&near)) {
                    continue;
                }
                faces.extend(Face::new(
                    corners.map(|c| c.0),
                    near,
                    near,
                    (at as u16, number as u32),
                    surface.cutout.is_some(),
                ));
            }
        }
        Self {
            views,
            faces,
            side,
            turn: camera.turn,
        }
    }
}
