//! Nodes glide to new places when a tree grows.

use std::collections::HashMap;

use egui::{Rect, Ui, Vec2, pos2, vec2};

use super::visible::Visible;
use super::{TreeItem, TreeNode};

/// From level to level, in points at no zoom.
pub(super) const LEVEL: f32 = 74.0;
/// A place this near to where it should be is there, in points at no zoom.
const THERE: f32 = 0.3;

/// Where what is shown lies now, in points at no zoom, the root at zero.
#[derive(Default)]
pub(super) struct Motion {
    places: HashMap<TreeItem, Vec2>,
    bounds: Option<Rect>,
    /// The root's label and the number of nodes, to notice another tree.
    tree: Option<(String, usize)>,
}

impl Motion {
    pub(super) fn place(&self, item: TreeItem) -> Option<Vec2> {
        self.places.get(&item).copied()
    }

    /// The room that the tree takes when all is in place.
    pub(super) fn bounds(&self) -> Option<Rect> {
        self.bounds
    }

    /// Goes a step towards the places that were laid out; whether more steps are to come.
    pub(super) fn follow(&mut self, ui: &Ui, visible: &Visible, nodes: &[TreeNode]) -> bool {
        let step = step(ui);
        let same = self.is_same_tree(nodes);
        let mut bounds: Option<Rect> = None;
        let mut places = HashMap::with_capacity(visible.shown.len());
        let mut moving = false;
        for shown in &visible.shown {
            let target = vec2(shown.x, shown.level as f32 * LEVEL);
            let point = Rect::from_min_max(target.to_pos2(), target.to_pos2());
            bounds = Some(bounds.map_or(point, |bounds| bounds.union(point)));
            // A new node comes out of its parent.
            let parent = shown.parent.map(|parent| visible.shown[parent].item);
            let old = (self.places.get(&shown.item).copied())
                .or_else(|| places.get(&parent?).copied())
                .filter(|_| same);
            let place = match old {
                Some(old) if (target - old).length() > THERE && step < 1.0 => {
                    moving = true;
                    old + (target - old) * step
                }
                _ => target,
            };
            places.insert(shown.item, place);
        }
        self.places = places;
        self.bounds = bounds;
        moving
    }

    /// A search that goes on keeps its root and only adds nodes.
    fn is_same_tree(&mut self, nodes: &[TreeNode]) -> bool {
        let root = nodes.first().map_or("", |root| &root.label);
        let same =
            (self.tree.as_ref()).is_some_and(|(old, count)| old == root && nodes.len() >= *count);
        self.tree = Some((root.to_owned(), nodes.len()));
        same
    }
}

/// The part of the way that is gone in this frame; 1 where motion is reduced.
pub(super) fn step(ui: &Ui) -> f32 {
    let time = ui.style().animation_time;
    if time <= 0.0 {
        return 1.0;
    }
    let passed = ui.input(|input| input.stable_dt.min(0.1));
    1.0 - (-passed / time).exp()
}

/// A rectangle around nothing.
pub(super) fn nothing() -> Rect {
    Rect::from_min_max(pos2(0.0, 0.0), pos2(0.0, 0.0))
}
