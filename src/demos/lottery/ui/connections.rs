//! The net as units and the strongest connections between them.

use egui::{Align2, FontId, Mesh, Pos2, Role, Sense, Shape, Ui, Vec2, WidgetInfo, pos2};

use super::super::record::Shot;
use crate::gui::theme;

/// A connection that is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Edge {
    /// The layer's number.
    pub layer: usize,
    /// Where it begins and ends among the units, 0 to 1.
    pub from: f32,
    pub to: f32,
    /// Its weight against what is usual in its layer.
    pub strength: f32,
}

/// The `most` strongest connections.
///
/// Weights are compared with the size that random ones begin with, one over the root of a unit's
/// inputs: else the small last layer would fill the picture.
pub fn strongest(shot: &Shot, most: usize) -> Vec<Edge> {
    let mut all: Vec<(usize, usize, f32)> = Vec::new();
    for (number, layer) in shot.layers.iter().enumerate() {
        let scale = (layer.cols as f32).sqrt();
        let here = layer.weights.iter().zip(&layer.mask).enumerate();
        let kept = here.filter(|(_, (w, keep))| **keep && **w != 0.0);
        let mut strong: Vec<(usize, usize, f32)> =
            kept.map(|(i, (w, _))| (number, i, w * scale)).collect();
        keep_most(&mut strong, most);
        all.append(&mut strong);
    }
    keep_most(&mut all, most);
    // Weak ones first, so that strong ones lie over them.
    all.sort_by(|a, b| a.2.abs().total_cmp(&b.2.abs()));
    let edge = |(number, index, strength): (usize, usize, f32)| {
        let layer = shot.layers.get(number)?;
        // A convolution's inputs are kernel entries of a channel, a unit each.
        let below = number.checked_sub(1).and_then(|n| shot.layers.get(n));
        let inputs = below
            .map_or(layer.cols, |l| l.rows)
            .clamp(1, layer.cols.max(1));
        let (row, col) = (index / layer.cols, index % layer.cols);
        let unit = col * inputs / layer.cols;
        Some(Edge {
            layer: number,
            from: (unit as f32 + 0.5) / inputs as f32,
            to: (row as f32 + 0.5) / layer.rows.max(1) as f32,
            strength,
        })
    };
    all.into_iter().filter_map(edge).collect()
}

fn keep_most(edges: &mut Vec<(usize, usize, f32)>, most: usize) {
    if most < edges.len() {
        edges.select_nth_unstable_by(most, |a, b| b.2.abs().total_cmp(&a.2.abs()));
        edges.truncate(most);
    }
}

/// Draws units as columns and edges between them.
pub fn show(ui: &mut Ui, edges: &[Edge], names: &[String], size: Vec2) {
    let tokens = theme::tokens(ui);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    let enabled = ui.is_enabled();
    response.widget_info(|| WidgetInfo::labeled(Role::Image, enabled, "Strongest connections"));
    let columns = names.len() + 1;
    if columns < 2 || !ui.is_rect_visible(rect) {
        return;
    }
    let inner = rect.shrink2(egui::vec2(34.0, 14.0));
    let x = |column: usize| inner.left() + inner.width() * column as f32 / (columns - 1) as f32;
    let y = |place: f32| inner.top() + 8.0 + (inner.height() - 8.0) * place;
    let most = edges
        .iter()
        .map(|e| e.strength.abs())
        .fold(f32::MIN_POSITIVE, f32::max);
    let mut mesh = Mesh::default();
    for edge in edges {
        let color = if edge.strength > 0.0 {
            tokens.line(1)
        } else {
            tokens.line(0)
        };
        let share = edge.strength.abs() / most;
        let (from, to) = (
            pos2(x(edge.layer), y(edge.from)),
            pos2(x(edge.layer + 1), y(edge.to)),
        );
        add_line(
            &mut mesh,
            from,
            to,
            0.6 + 1.2 * share,
            color.gamma_multiply(0.2 + 0.8 * share),
        );
    }
    let painter = ui.painter_at(rect);
    painter.add(Shape::mesh(mesh));
    let heads = std::iter::once("input").chain(names.iter().map(String::as_str));
    for (column, name) in heads.enumerate() {
        let line = [
            pos2(x(column), inner.top() + 4.0),
            pos2(x(column), inner.bottom()),
        ];
        painter.line_segment(
            line,
            egui::Stroke::new(2.0, tokens.faint.gamma_multiply(0.6)),
        );
        painter.text(
            pos2(x(column), rect.top() + 2.0),
            Align2::CENTER_TOP,
            name,
            FontId::proportional(11.5),
            tokens.faint,
        );
    }
}

/// A straight line as two triangles: thousands of them are one shape.
fn add_line(mesh: &mut Mesh, from: Pos2, to: Pos2, width: f32, color: egui::Color32) {
    let along = (to - from).normalized();
    let side = along.rot90() * (width * 0.5);
    let first = mesh.vertices.len() as u32;
    for corner in [from + side, from - side, to + side, to - side] {
        mesh.colored_vertex(corner, color);
    }
    mesh.add_triangle(first, first + 1, first + 2);
    mesh.add_triangle(first + 1, first + 2, first + 3);
}

#[cfg(test)]
mod tests {
    use super::strongest;
    use crate::demos::lottery::record::{LayerShot, Shot};

    #[test]
    fn the_strongest_are_found_and_placed() {
        let layer = |rows: usize, cols: usize, weights: Vec<f32>| LayerShot {
            rows,
            cols,
            mask: weights.iter().map(|w| *w != 0.0).collect(),
            weights,
        };
        let shot = Shot {
            stage: 0,
            step: 0,
            layers: vec![
                // Two units of four inputs: scale 2.
                layer(2, 4, vec![0.1, 0.0, -0.9, 0.2, 0.3, 0.0, 0.0, 0.05]),
                // One unit, two kernel entries for each of two inputs: scale 2.
                layer(1, 4, vec![0.5, 0.01, 0.02, 0.8]),
            ],
        };
        let edges = strongest(&shot, 3);
        let found: Vec<(usize, f32, f32)> = edges.iter().map(|e| (e.layer, e.from, e.to)).collect();
        assert_eq!(found, [(1, 0.25, 0.5), (1, 0.75, 0.5), (0, 0.625, 0.25)]);
        assert!((edges[2].strength + 1.8).abs() < 1e-6);
        assert_eq!(strongest(&shot, 100).len(), 9, "pruned ones are not drawn");
        assert!(strongest(&shot, 0).is_empty());
    }
}
