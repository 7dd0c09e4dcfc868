//! The tree in the window: links, nodes, rings and labels.

use egui::{Align2, Color32, FontId, Pos2, Rect, Ui, vec2};

use super::super::Shape;
use super::camera::Lens;
use super::motion::Motion;
use super::visible::{Shown, Visible, radius, share};
use super::{TreeColors, TreeItem, TreeNode};

/// The least radius in the window, in points: what is there is seen.
const LEAST: f32 = 1.6;
/// Rings are drawn from this radius on, labels from that one on.
const RING_FROM: f32 = 4.5;
const LABEL_FROM: f32 = 7.5;
/// The height of a node that gathers others is twice this, at no zoom.
const GATHERED: f32 = 7.6;
/// From this half height on it says how many.
const NUMBER_FROM: f32 = 5.0;
/// The pointer may miss a node by this much.
const REACH: f32 = 4.0;

/// A node in the window.
struct Spot {
    shown: Shown,
    at: Pos2,
    radius: f32,
    share: f32,
}

/// What is shown, where, and how large.
pub(super) struct Scene<'a> {
    rect: Rect,
    scale: f32,
    nodes: &'a [TreeNode],
    spots: Vec<Spot>,
}

impl<'a> Scene<'a> {
    pub(super) fn new(
        rect: Rect,
        lens: Lens,
        visible: &Visible,
        motion: &Motion,
        nodes: &'a [TreeNode],
    ) -> Self {
        let spots = (visible.shown.iter())
            .map(|&shown| {
                let place = motion.place(shown.item).unwrap_or_default();
                let share = match shown.item {
                    TreeItem::Node(node) => share(nodes, nodes[node].visits),
                    TreeItem::Gathered(_) => 0.0,
                };
                let size = match shown.item {
                    TreeItem::Node(_) => radius(share),
                    TreeItem::Gathered(_) => GATHERED,
                };
                // What was visited most stays large enough to be read when all else shrinks.
                let scale = lens.scale.max((0.18 + 0.48 * share.sqrt()).min(1.0));
                let scale = if share > 0.02 { scale } else { lens.scale };
                Spot {
                    shown,
                    at: lens.window(place),
                    radius: (size * scale).max(LEAST),
                    share,
                }
            })
            .collect();
        Self {
            rect,
            scale: lens.scale,
            nodes,
            spots,
        }
    }

    pub(super) fn places(&self) -> Vec<(TreeItem, Pos2, f32)> {
        (self.spots.iter())
            .map(|spot| (spot.shown.item, spot.at, spot.radius))
            .collect()
    }

    /// How many are gathered in an item.
    pub(super) fn gathered(&self, item: TreeItem) -> usize {
        (self.spots.iter())
            .find(|spot| spot.shown.item == item)
            .map_or(0, |spot| spot.shown.gathered)
    }

    /// What is at a place: the nearest of what is in reach.
    pub(super) fn at(&self, pos: Pos2) -> Option<TreeItem> {
        (self.spots.iter())
            .map(|spot| (spot.at.distance(pos) - spot.radius, spot))
            .filter(|(off, _)| *off <= REACH)
            .min_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, spot)| spot.shown.item)
    }

    /// The shapes from the view's upper left corner, those out of sight left out.
    pub(super) fn shapes(
        &self,
        colors: &TreeColors,
        selected: Option<usize>,
        hovered: Option<TreeItem>,
    ) -> Vec<Shape> {
        let mut shapes = Vec::with_capacity(self.spots.len() * 3);
        // The line of most visits lies over the other links, nodes over all of them.
        for best in [false, true] {
            for spot in self.spots.iter().filter(|spot| spot.shown.is_best == best) {
                shapes.extend(self.link(spot, colors));
            }
        }
        for spot in &self.spots {
            let around =
                Rect::from_center_size(spot.at, vec2(1.0, 1.0) * (spot.radius + 12.0) * 2.0);
            if self.rect.intersects(around) {
                self.node(&mut shapes, spot, colors, selected, hovered);
            }
        }
        let back = -self.rect.min.to_vec2();
        shapes.into_iter().map(|shape| shape.moved(back)).collect()
    }

    fn link(&self, spot: &Spot, colors: &TreeColors) -> Option<Shape> {
        let above = &self.spots[spot.shown.parent?];
        let covered = Rect::from_two_pos(above.at, spot.at).expand(6.0);
        if !self.rect.intersects(covered) {
            return None;
        }
        let zoom = self.scale.clamp(0.35, 1.6);
        let width = (0.9 + 7.0 * spot.share.sqrt() * zoom).min(2.0 * spot.radius);
        let color = if spot.shown.is_best {
            colors.accent
        } else {
            colors.line.gamma_multiply(0.55 + 0.45 * spot.share.sqrt())
        };
        Some(Shape::link(above.at, spot.at, width.max(1.0), color))
    }

    fn node(
        &self,
        shapes: &mut Vec<Shape>,
        spot: &Spot,
        colors: &TreeColors,
        selected: Option<usize>,
        hovered: Option<TreeItem>,
    ) {
        let (at, radius) = (spot.at, spot.radius);
        let is_hovered = hovered == Some(spot.shown.item);
        let TreeItem::Node(number) = spot.shown.item else {
            let written = radius >= NUMBER_FROM;
            let wide = if written { 2.9 } else { 2.1 };
            let pill = Rect::from_center_size(at, vec2(radius * wide, radius * wide * 0.65));
            let color = match (is_hovered, written) {
                (true, _) => colors.faint,
                (false, true) => colors.line,
                (false, false) => colors.line.gamma_multiply(0.7),
            };
            shapes.push(Shape::rect(pill.expand(1.5), radius * 1.2, colors.ground));
            shapes.push(Shape::rect(pill, radius, color));
            return;
        };
        let node = &self.nodes[number];
        let ring = (radius * 0.17).clamp(1.2, 4.0);
        let has_ring = radius >= RING_FROM && spot.shown.parent.is_some();
        let outer = if has_ring {
            radius + ring * 1.9
        } else {
            radius
        };
        if node.marked {
            let halo = colors.accent.gamma_multiply(0.32);
            shapes.push(Shape::disc(at, outer + 3.0 + radius * 0.15, halo));
        }
        // The ground between links and node, as the links end in its middle.
        if radius >= 3.0 {
            shapes.push(Shape::disc(at, outer + 1.2, colors.ground));
        }
        let fill = value_color(colors, node.value);
        let edge = if spot.shown.is_best {
            colors.accent
        } else {
            colors.edge
        };
        let border = if radius >= RING_FROM {
            1.0
        } else {
            radius * 0.25
        };
        shapes.push(Shape::disc(at, radius, fill).bordered(border, edge));
        if has_ring {
            let middle = radius + ring * 1.25;
            shapes.push(Shape::ring(
                at,
                middle,
                ring,
                colors.line.gamma_multiply(0.55),
            ));
            if node.prior > 0.002 {
                shapes.push(Shape::arc(
                    at,
                    middle,
                    ring,
                    node.prior,
                    colors.text.gamma_multiply(0.85),
                ));
            }
        }
        if selected == Some(number) || is_hovered {
            let color = if selected == Some(number) {
                colors.accent
            } else {
                colors.faint
            };
            shapes.push(Shape::ring(at, outer + 2.6, 2.2, color));
        }
    }

    /// Labels where nodes are large enough for them.
    pub(super) fn labels(&self, ui: &Ui, colors: &TreeColors) {
        let painter = ui
            .painter()
            .with_clip_rect(self.rect.intersect(ui.clip_rect()));
        for spot in &self.spots {
            let around = Rect::from_center_size(spot.at, vec2(120.0, 60.0));
            if !self.rect.intersects(around) {
                continue;
            }
            let radius = spot.radius;
            let TreeItem::Node(number) = spot.shown.item else {
                if radius >= NUMBER_FROM {
                    let text = format!("+{}", spot.shown.gathered);
                    let font = FontId::proportional((radius * 1.15).clamp(8.0, 15.0));
                    painter.text(spot.at, Align2::CENTER_CENTER, text, font, colors.text);
                }
                continue;
            };
            let node = &self.nodes[number];
            let size = label_size(radius, &node.label);
            if radius >= LABEL_FROM && size >= 7.5 {
                let ink = ink(colors, value_color(colors, node.value));
                let font = FontId::proportional(size);
                painter.text(spot.at, Align2::CENTER_CENTER, &node.label, font, ink);
            } else if (spot.shown.is_best || node.marked) && radius >= RING_FROM * 0.6 {
                // Beside the link, in the room between two levels.
                let at = spot.at + vec2(radius * 0.8 + 3.0, -radius - 2.0);
                let font = FontId::proportional(10.5);
                let galley = painter.layout_no_wrap(node.label.clone(), font, colors.text);
                let at = at - vec2(0.0, galley.size().y);
                let plate = Rect::from_min_size(at, galley.size());
                painter.rect_filled(plate, 3.0, colors.ground.gamma_multiply(0.75));
                painter.galley(at, galley, colors.text);
            }
            if radius >= 15.0 {
                let below = spot.at + vec2(0.0, radius * 1.45 + 2.0);
                let font = FontId::proportional((radius * 0.6).clamp(9.5, 13.0));
                let text = node.visits.to_string();
                let galley = painter.layout_no_wrap(text, font, colors.faint);
                let plate = Rect::from_center_size(
                    below + vec2(0.0, galley.size().y * 0.5),
                    galley.size() + vec2(6.0, 0.0),
                );
                painter.rect_filled(plate, 3.0, colors.ground.gamma_multiply(0.82));
                painter.galley(plate.center() - galley.size() * 0.5, galley, colors.faint);
            }
        }
    }
}

/// The colour of a value from -1 to 1; of none where it is not a number.
fn value_color(colors: &TreeColors, value: f32) -> Color32 {
    if value.is_nan() {
        return colors.line;
    }
    let reach = colors.reach * 0.5;
    colors.values.color(0.5 + value.clamp(-1.0, 1.0) * reach)
}

/// As large as a label fits into the disc.
fn label_size(radius: f32, label: &str) -> f32 {
    let longest = label.chars().count().max(2) as f32;
    (radius * 0.95).clamp(8.0, 22.0).min(radius * 3.1 / longest)
}

fn ink(colors: &TreeColors, ground: Color32) -> Color32 {
    colors.ink[usize::from(super::super::is_light(ground))]
}
