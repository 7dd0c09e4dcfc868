//! Which nodes are shown, which are gathered, and where they lie.

use std::collections::BTreeSet;

use super::super::tidy::tidy;
use super::{TreeItem, TreeNode};

/// The least and the largest radius of a node, in points at no zoom.
pub(super) const RADIUS: [f32; 2] = [4.0, 19.0];
/// Between the rings of neighbours, in points at no zoom.
const GAP: f32 = 9.0;
/// Radii are laid out in so many steps, so that not every visit moves the tree.
const STEPS: f32 = 8.0;

/// A node that is shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Shown {
    pub(super) item: TreeItem,
    /// Its parent's number among what is shown.
    pub(super) parent: Option<usize>,
    /// How many are gathered in it.
    pub(super) gathered: usize,
    pub(super) x: f32,
    pub(super) level: usize,
    /// Whether it is on the line of most visits.
    pub(super) is_best: bool,
}

/// What is shown of a tree. Laid out again only where its form changed.
#[derive(Default)]
pub(super) struct Visible {
    pub(super) shown: Vec<Shown>,
    /// What the layout was made of.
    form: Vec<(TreeItem, Option<usize>, u8)>,
    places: Vec<(f32, usize)>,
    /// The number among what is shown, for each node.
    number: Vec<Option<usize>>,
}

/// The line of most visits from the root on, the root first; the first of equals.
#[must_use]
pub fn principal_variation(nodes: &[TreeNode]) -> Vec<usize> {
    let mut best: Vec<Option<usize>> = vec![None; nodes.len()];
    for (i, node) in nodes.iter().enumerate() {
        if let Some(parent) = node.parent.filter(|&parent| parent < i)
            && best[parent].is_none_or(|old| nodes[old].visits < node.visits)
            && node.visits > 0
        {
            best[parent] = Some(i);
        }
    }
    std::iter::successors((!nodes.is_empty()).then_some(0), |&node| best[node]).collect()
}

/// The share of the root's visits.
pub(super) fn share(nodes: &[TreeNode], visits: u32) -> f32 {
    let all = nodes.first().map_or(1, |root| root.visits.max(1));
    (visits as f32 / all as f32).min(1.0)
}

/// A node's radius at no zoom: its area grows with its share.
pub(super) fn radius(share: f32) -> f32 {
    RADIUS[0] + (RADIUS[1] - RADIUS[0]) * share.sqrt()
}

impl Visible {
    pub(super) fn update(
        &mut self,
        nodes: &[TreeNode],
        least: u32,
        selected: Option<usize>,
        opened: &BTreeSet<usize>,
    ) {
        let mut is_best = vec![false; nodes.len()];
        for node in principal_variation(nodes) {
            is_best[node] = true;
        }
        let hidden = hidden(nodes, least, selected, opened, &is_best);
        let mut form = Vec::with_capacity(nodes.len());
        let mut gathered = vec![0; nodes.len()];
        self.number.clear();
        self.number.resize(nodes.len(), None);
        for (i, node) in nodes.iter().enumerate() {
            let parent = node.parent.filter(|&parent| parent < i);
            if let Some(above) = hidden[i] {
                gathered[above] += 1;
                continue;
            }
            let parent = parent.and_then(|parent| self.number[parent]);
            self.number[i] = Some(form.len());
            let step = (share(nodes, node.visits).sqrt() * STEPS).round() as u8;
            form.push((TreeItem::Node(i), parent, step));
        }
        // After all nodes, so that they are the last of their siblings.
        for (parent, &count) in gathered.iter().enumerate() {
            if count > 0 {
                form.push((TreeItem::Gathered(parent), self.number[parent], 2));
            }
        }
        if form != self.form {
            let parents: Vec<_> = form.iter().map(|&(_, parent, _)| parent).collect();
            self.places = tidy(&parents, |i| {
                let step = f32::from(form[i].2) / STEPS;
                2.0 * radius(step * step) + GAP
            });
            self.form = form;
        }
        self.shown.clear();
        for (&(item, parent, _), &(x, level)) in self.form.iter().zip(&self.places) {
            let (gathered, is_best) = match item {
                TreeItem::Node(node) => (0, is_best[node]),
                TreeItem::Gathered(parent) => (gathered[parent], false),
            };
            self.shown.push(Shown {
                item,
                parent,
                gathered,
                x,
                level,
                is_best,
            });
        }
    }

    /// The most visited child that is shown; the first of equals.
    pub(super) fn most_visited(&self, node: usize, nodes: &[TreeNode]) -> Option<usize> {
        let parent = self.number.get(node).copied().flatten()?;
        let mut best: Option<usize> = None;
        for shown in &self.shown {
            if let TreeItem::Node(child) = shown.item
                && shown.parent == Some(parent)
                && best.is_none_or(|old| nodes[old].visits < nodes[child].visits)
            {
                best = Some(child);
            }
        }
        best
    }

    /// The neighbour on the same level, to the left or to the right.
    pub(super) fn beside(&self, node: usize, by: isize) -> Option<usize> {
        let at = self.shown[self.number.get(node).copied().flatten()?];
        let side = |shown: &Shown| (shown.x - at.x) * by as f32;
        let beside = self.shown.iter().filter(|shown| {
            shown.level == at.level && side(shown) > 0.0 && matches!(shown.item, TreeItem::Node(_))
        });
        let nearest = beside.min_by(|a, b| side(a).total_cmp(&side(b)))?;
        match nearest.item {
            TreeItem::Node(node) => Some(node),
            TreeItem::Gathered(_) => None,
        }
    }
}

/// For each node that is not shown, the shown one above it.
fn hidden(
    nodes: &[TreeNode],
    least: u32,
    selected: Option<usize>,
    opened: &BTreeSet<usize>,
    is_best: &[bool],
) -> Vec<Option<usize>> {
    // What must be seen takes its ancestors with it.
    let mut needed = vec![false; nodes.len()];
    for (i, node) in nodes.iter().enumerate().rev() {
        needed[i] |= node.marked || is_best[i] || selected == Some(i);
        if let Some(parent) = node.parent.filter(|&parent| parent < i) {
            needed[parent] |= needed[i];
        }
    }
    let mut hidden: Vec<Option<usize>> = vec![None; nodes.len()];
    let mut below = vec![0_usize; nodes.len()];
    for (i, node) in nodes.iter().enumerate() {
        let Some(parent) = node.parent.filter(|&parent| parent < i) else {
            continue;
        };
        let few = node.visits < least && !opened.contains(&parent) && !needed[i];
        hidden[i] = hidden[parent].or(few.then_some(parent));
        if let Some(above) = hidden[i] {
            below[above] += 1;
        }
    }
    // One alone takes no more room than the node that would stand for it.
    for place in &mut hidden {
        if place.is_some_and(|above| below[above] == 1) {
            *place = None;
        }
    }
    hidden
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Visible, principal_variation};
    use crate::view::tree::{TreeItem, TreeNode};

    fn node(parent: Option<usize>, visits: u32) -> TreeNode {
        TreeNode {
            parent,
            label: String::new(),
            visits,
            prior: 0.1,
            value: 0.0,
            marked: false,
        }
    }

    #[test]
    fn rarely_visited_nodes_are_gathered() {
        let mut nodes = vec![
            node(None, 20),
            node(Some(0), 12),
            node(Some(0), 1),
            node(Some(0), 1),
            node(Some(2), 1),
            node(Some(1), 1),
        ];
        assert_eq!(principal_variation(&nodes), [0, 1, 5]);
        let mut visible = Visible::default();
        let items = |visible: &Visible| -> Vec<(TreeItem, usize)> {
            visible.shown.iter().map(|s| (s.item, s.gathered)).collect()
        };
        let none = BTreeSet::new();
        visible.update(&nodes, 2, None, &none);
        let node_items = |numbers: &[usize]| -> Vec<(TreeItem, usize)> {
            numbers.iter().map(|&n| (TreeItem::Node(n), 0)).collect()
        };
        let mut expected = node_items(&[0, 1, 5]);
        expected.push((TreeItem::Gathered(0), 3));
        assert_eq!(items(&visible), expected);
        // Selected, marked and opened ones show, and what is above them; one alone shows itself.
        visible.update(&nodes, 2, Some(4), &none);
        assert_eq!(items(&visible), node_items(&[0, 1, 2, 3, 4, 5]));
        nodes[3].marked = true;
        visible.update(&nodes, 2, None, &none);
        let mut expected = node_items(&[0, 1, 3, 5]);
        expected.push((TreeItem::Gathered(0), 2));
        assert_eq!(items(&visible), expected);
        visible.update(&nodes, 2, None, &BTreeSet::from([0]));
        assert_eq!(items(&visible), node_items(&[0, 1, 2, 3, 4, 5]));
    }

    #[test]
    fn places_stay_while_only_numbers_grow() {
        let mut nodes = vec![node(None, 800), node(Some(0), 400), node(Some(0), 390)];
        let mut visible = Visible::default();
        visible.update(&nodes, 2, None, &BTreeSet::new());
        let places =
            |visible: &Visible| -> Vec<f32> { visible.shown.iter().map(|s| s.x).collect() };
        let before = places(&visible);
        for (node, visits) in nodes.iter_mut().zip([803, 402, 391]) {
            node.visits = visits;
        }
        visible.update(&nodes, 2, None, &BTreeSet::new());
        assert_eq!(before, places(&visible));
    }
}
