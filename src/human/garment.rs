//! Garments cut from the shell around the body: straight hems, where whole faces would leave teeth.

use std::collections::HashMap;

use super::fit::{Fitted, Tie};
use super::geometry::Vec3;
use super::mesh::{Mesh, Triangle};

/// A hem of the neutral figure: what lies on the wrong side of it is cut off.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hem {
    /// Which coordinate it cuts: 0, 1 or 2.
    pub axis: usize,
    /// Where, decimetres.
    pub at: f32,
    /// 1 where the greater side is kept, -1 where the lesser is.
    pub side: f32,
}

impl Hem {
    fn over(&self, point: Vec3) -> f32 {
        self.side * (point[self.axis] - self.at)
    }
}

/// Corners while they are put together; neighbouring faces share them.
struct Cut<'a> {
    mesh: &'a Mesh,
    garment: Fitted,
    points: HashMap<[i32; 3], u16>,
    uvs: HashMap<[i32; 2], u16>,
}

/// The part of a shell within its hems. Its points hang on the base mesh, so that it follows every
/// shape and pose.
#[must_use]
pub fn cut(mesh: &Mesh, shell: &[Triangle], hems: &[Hem]) -> Fitted {
    let mut cut = Cut {
        mesh,
        garment: Fitted {
            name: String::new(),
            ties: Vec::new(),
            uvs: Vec::new(),
            triangles: Vec::new(),
        },
        points: HashMap::new(),
        uvs: HashMap::new(),
    };
    for triangle in shell {
        let corners = triangle.points.map(|n| mesh.points[usize::from(n)]);
        let mut outline = vec![[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
        for hem in hems {
            outline = within(&outline, corners, *hem);
        }
        cut.add(triangle, &outline);
    }
    cut.garment
}

/// A convex outline in weights of a face's corners, cut at a hem (Sutherland and Hodgman).
fn within(outline: &[Vec3], corners: [Vec3; 3], hem: Hem) -> Vec<Vec3> {
    let over = |weights: Vec3| hem.over(mix(weights, corners));
    let mut kept = Vec::with_capacity(outline.len() + 1);
    for (k, &from) in outline.iter().enumerate() {
        let to = outline[(k + 1) % outline.len()];
        let (a, b) = (over(from), over(to));
        if a >= 0.0 {
            kept.push(from);
        }
        if (a >= 0.0) != (b >= 0.0) {
            let share = a / (a - b);
            kept.push([0, 1, 2].map(|k| from[k] + (to[k] - from[k]) * share));
        }
    }
    kept
}

/// The weighted sum of a face's corners.
fn mix<const N: usize>(weights: Vec3, corners: [[f32; N]; 3]) -> [f32; N] {
    std::array::from_fn(|axis| (0..3).map(|k| weights[k] * corners[k][axis]).sum())
}

impl Cut<'_> {
    /// Takes up what is left of a face as a fan.
    fn add(&mut self, triangle: &Triangle, outline: &[Vec3]) {
        let corners: Vec<(u16, u16)> = outline
            .iter()
            .map(|&weights| (self.point(triangle, weights), self.uv(triangle, weights)))
            .collect();
        for pair in corners.get(1..).unwrap_or_default().windows(2) {
            let fan = [corners[0], pair[0], pair[1]];
            let points = fan.map(|corner| corner.0);
            let uvs = fan.map(|corner| corner.1);
            // A sliver whose corners fell together.
            if points[0] != points[1] && points[1] != points[2] && points[2] != points[0] {
                self.garment.triangles.push(Triangle { points, uvs });
            }
        }
    }

    fn point(&mut self, triangle: &Triangle, weights: Vec3) -> u16 {
        let corners = triangle.points.map(|n| self.mesh.points[usize::from(n)]);
        // The same to a hundredth of a millimetre is the same.
        let place = mix(weights, corners).map(|v| (v * 1e4).round() as i32);
        let ties = &mut self.garment.ties;
        *self.points.entry(place).or_insert_with(|| {
            ties.push(Tie {
                points: triangle.points,
                weights,
                offset: [0.0; 3],
            });
            (ties.len() - 1) as u16
        })
    }

    fn uv(&mut self, triangle: &Triangle, weights: Vec3) -> u16 {
        let corners = triangle.uvs.map(|n| self.mesh.uvs[usize::from(n)]);
        let uv = mix(weights, corners);
        let uvs = &mut self.garment.uvs;
        *self
            .uvs
            .entry(uv.map(|v| (v * 1e6).round() as i32))
            .or_insert_with(|| {
                uvs.push(uv);
                (uvs.len() - 1) as u16
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::human::geometry::{cross, length, sub};

    #[test]
    fn a_square_is_cut_straight_and_keeps_its_area_on_the_one_side() {
        let mesh = Mesh {
            points: vec![[0.0; 3], [2.0, 0.0, 0.0], [2.0, 2.0, 0.0], [0.0, 2.0, 0.0]],
            uvs: vec![[0.0; 2], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]],
            groups: Vec::new(),
        };
        let face = |points| Triangle {
            points,
            uvs: points,
        };
        let shell = [face([0, 1, 2]), face([0, 2, 3])];
        let hem = |axis, at, side| Hem { axis, at, side };
        let garment = cut(&mesh, &shell, &[hem(1, 0.5, 1.0), hem(0, 1.5, -1.0)]);
        let points = garment.fit(&mesh.points);
        let area: f32 = garment
            .triangles
            .iter()
            .map(|t| {
                let [a, b, c] = t.points.map(|n| points[usize::from(n)]);
                0.5 * length(cross(sub(b, a), sub(c, a)))
            })
            .sum();
        assert!((area - 1.5 * 1.5).abs() < 1e-5, "{area}");
        assert!(
            points
                .iter()
                .all(|p| p[1] >= 0.5 - 1e-6 && p[0] <= 1.5 + 1e-6)
        );
        for (triangle, k) in garment
            .triangles
            .iter()
            .flat_map(|t| [(t, 0), (t, 1), (t, 2)])
        {
            let [x, y, _] = points[usize::from(triangle.points[k])];
            let [u, v] = garment.uvs[usize::from(triangle.uvs[k])];
            assert!((u - x / 2.0).abs() < 1e-5 && (v - y / 2.0).abs() < 1e-5);
        }
    }
}
