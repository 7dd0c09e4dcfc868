//! Where the nodes of a tree lie: the tidy drawing of Reingold and Tilford (1981), in linear time
//! by Buchheim, Jünger and Leipert, "Improving Walker's Algorithm to Run in Linear Time" (2002).
//!
//! Nodes of a level lie on a line, in the order of their numbers and no closer than half their
//! widths together; a parent is in the middle above its first and last child; equal subtrees look
//! equal, and the mirrored tree is drawn mirrored.

/// How much farther apart than siblings neighbours of different parents are, in their widths.
const COUSINS: f32 = 1.25;

/// The horizontal place of every node, with the first root at zero, and its level, with roots at
/// level 0.
///
/// `parents` gives a node's parent, which must have a smaller number; what has none, or a later
/// one, is a root. `width` is the room a node takes; positive and finite.
#[must_use]
pub fn tidy(parents: &[Option<usize>], width: impl Fn(usize) -> f32) -> Vec<(f32, usize)> {
    let mut walk = Walk::new(parents, width);
    // Children have greater numbers than their parents, so this sees them first; last the node
    // above the roots.
    for parent in (0..parents.len()).rev() {
        walk.place_children(parent);
    }
    walk.place_children(parents.len());
    walk.places()
}

struct Walk {
    /// The children of node `p`, in their order: `order[first[p]..first[p + 1]]`. One more node,
    /// the last, stands above all roots.
    order: Vec<usize>,
    first: Vec<usize>,
    parent: Vec<usize>,
    width: Vec<f32>,
    /// Which child of its parent a node is.
    number: Vec<usize>,
    // The paper's names from here on.
    prelim: Vec<f32>,
    modifier: Vec<f32>,
    thread: Vec<Option<usize>>,
    ancestor: Vec<usize>,
    change: Vec<f32>,
    shift: Vec<f32>,
    /// The middle above a node's children, from their preliminary places.
    middle: Vec<f32>,
}

/// A contour that is followed downwards, and the sum of the modifiers above it.
#[derive(Clone, Copy)]
struct Contour {
    node: usize,
    sum: f32,
}

impl Walk {
    fn new(parents: &[Option<usize>], width: impl Fn(usize) -> f32) -> Self {
        let top = parents.len();
        let parent: Vec<usize> = (parents.iter().enumerate())
            .map(|(node, &parent)| parent.filter(|&parent| parent < node).unwrap_or(top))
            .collect();
        let mut first = vec![0; top + 2];
        for &parent in &parent {
            first[parent + 1] += 1;
        }
        for p in 0..=top {
            first[p + 1] += first[p];
        }
        let mut number = vec![0; top + 1];
        let mut order = vec![0; top];
        let mut placed = vec![0; top + 1];
        for (node, &parent) in parent.iter().enumerate() {
            number[node] = placed[parent];
            order[first[parent] + placed[parent]] = node;
            placed[parent] += 1;
        }
        Self {
            order,
            first,
            parent,
            width: (0..top).map(width).collect(),
            number,
            prelim: vec![0.0; top + 1],
            modifier: vec![0.0; top + 1],
            thread: vec![None; top + 1],
            ancestor: (0..=top).collect(),
            change: vec![0.0; top + 1],
            shift: vec![0.0; top + 1],
            middle: vec![0.0; top + 1],
        }
    }

    fn children(&self, node: usize) -> &[usize] {
        &self.order[self.first[node]..self.first[node + 1]]
    }

    fn apart(&self, left: usize, right: usize) -> f32 {
        let least = (self.width[left] + self.width[right]) * 0.5;
        if self.parent[left] == self.parent[right] {
            least
        } else {
            least * COUSINS
        }
    }

    /// `FirstWalk` for the children of a node whose own subtrees are done.
    fn place_children(&mut self, parent: usize) {
        let range = self.first[parent]..self.first[parent + 1];
        let Some(&leftmost) = self.order[range.clone()].first() else {
            return;
        };
        let mut default_ancestor = leftmost;
        for i in range.clone() {
            let node = self.order[i];
            if i == range.start {
                self.prelim[node] = self.middle[node];
            } else {
                let left = self.order[i - 1];
                self.prelim[node] = self.prelim[left] + self.apart(left, node);
                self.modifier[node] = self.prelim[node] - self.middle[node];
                default_ancestor = self.apportion(node, left, leftmost, default_ancestor);
            }
        }
        self.execute_shifts(range.clone());
        let rightmost = self.order[range.end - 1];
        self.middle[parent] = (self.prelim[leftmost] + self.prelim[rightmost]) * 0.5;
    }

    fn next_left(&self, node: usize) -> Option<usize> {
        self.children(node).first().copied().or(self.thread[node])
    }

    fn next_right(&self, node: usize) -> Option<usize> {
        self.children(node).last().copied().or(self.thread[node])
    }

    /// Moves the subtree of `node` away from what lies left of it.
    fn apportion(&mut self, node: usize, left: usize, leftmost: usize, default: usize) -> usize {
        let start = |node: usize| Contour {
            node,
            sum: self.modifier[node],
        };
        let mut inner_right = start(node);
        let mut outer_right = start(node);
        let mut inner_left = start(left);
        let mut outer_left = start(leftmost);
        let mut default = default;
        loop {
            let next = (
                self.next_right(inner_left.node),
                self.next_left(inner_right.node),
            );
            let (Some(on_left), Some(on_right)) = next else {
                break;
            };
            inner_left.node = on_left;
            inner_right.node = on_right;
            // The outer contours reach at least as deep as the inner ones.
            outer_left.node = self.next_left(outer_left.node).unwrap_or(outer_left.node);
            outer_right.node = self
                .next_right(outer_right.node)
                .unwrap_or(outer_right.node);
            self.ancestor[outer_right.node] = node;
            let gap = (self.prelim[on_left] + inner_left.sum)
                - (self.prelim[on_right] + inner_right.sum)
                + self.apart(on_left, on_right);
            if gap > 0.0 {
                let above = self.ancestor[on_left];
                let is_sibling = self.parent[above] == self.parent[node];
                self.move_subtree(if is_sibling { above } else { default }, node, gap);
                inner_right.sum += gap;
                outer_right.sum += gap;
            }
            for contour in [
                &mut inner_left,
                &mut inner_right,
                &mut outer_left,
                &mut outer_right,
            ] {
                contour.sum += self.modifier[contour.node];
            }
        }
        if let Some(next) = self.next_right(inner_left.node)
            && self.next_right(outer_right.node).is_none()
        {
            self.thread[outer_right.node] = Some(next);
            self.modifier[outer_right.node] += inner_left.sum - outer_right.sum;
        }
        if let Some(next) = self.next_left(inner_right.node)
            && self.next_left(outer_left.node).is_none()
        {
            self.thread[outer_left.node] = Some(next);
            self.modifier[outer_left.node] += inner_right.sum - outer_left.sum;
            default = node;
        }
        default
    }

    /// Moves `node`, and notes that the subtrees between `from` and it share the new room.
    fn move_subtree(&mut self, from: usize, node: usize, by: f32) {
        let between = self.number[node] as f32 - self.number[from] as f32;
        self.change[node] -= by / between;
        self.shift[node] += by;
        self.change[from] += by / between;
        self.prelim[node] += by;
        self.modifier[node] += by;
    }

    fn execute_shifts(&mut self, children: std::ops::Range<usize>) {
        let (mut shift, mut change) = (0.0, 0.0);
        for i in children.rev() {
            let node = self.order[i];
            self.prelim[node] += shift;
            self.modifier[node] += shift;
            change += self.change[node];
            shift += self.shift[node] + change;
        }
    }

    /// `SecondWalk`: adds up the modifiers from above.
    fn places(&self) -> Vec<(f32, usize)> {
        let top = self.parent.len();
        let mut sums = vec![0.0; top + 1];
        let mut places: Vec<(f32, usize)> = Vec::with_capacity(top);
        for node in 0..top {
            let parent = self.parent[node];
            let level = if parent == top {
                0
            } else {
                places[parent].1 + 1
            };
            places.push((self.prelim[node] + sums[parent], level));
            sums[node] = sums[parent] + self.modifier[node];
        }
        let zero = places.first().map_or(0.0, |place| place.0);
        for place in &mut places {
            place.0 -= zero;
        }
        places
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::{COUSINS, tidy};
    use crate::rng::Rng;

    /// The places of a tree of nodes as wide as 1.
    fn xs(parents: &[Option<usize>]) -> Vec<f32> {
        tidy(parents, |_| 1.0).iter().map(|place| place.0).collect()
    }

    #[track_caller]
    fn assert_places(parents: &[Option<usize>], expected: &[f32]) {
        let got = xs(parents);
        for (i, (got, expected)) in got.iter().zip(expected).enumerate() {
            assert!(
                (got - expected).abs() < 1e-5,
                "node {i}: {got}, not {expected}"
            );
        }
        assert_eq!(got.len(), expected.len());
    }

    #[test]
    fn small_trees_lie_as_worked_out_by_hand() {
        assert_places(&[], &[]);
        assert_places(&[None], &[0.0]);
        // One child is straight below.
        assert_places(&[None, Some(0), Some(1)], &[0.0, 0.0, 0.0]);
        // Three children: at -1, 0, 1.
        let three = [None, Some(0), Some(0), Some(0)];
        assert_places(&three, &[0.0, -1.0, 0.0, 1.0]);
        // Two children with two each. The inner grandchildren are cousins, 1.25 apart, the children
        // in the middles of (-1.625, -0.625) and (0.625, 1.625).
        assert_places(
            &[None, Some(0), Some(0), Some(1), Some(1), Some(2), Some(2)],
            &[0.0, -1.125, 1.125, -1.625, -0.625, 0.625, 1.625],
        );
        // Five children, of which the outer ones have three each: those push the outer ones apart.
        // Their inner grandchildren are cousins: 1 + 1.25 + 1 from the first child to the last is
        // less than the four widths of the children, so nothing moves.
        let five = [
            None,
            Some(0),
            Some(0),
            Some(0),
            Some(0),
            Some(0),
            Some(1),
            Some(1),
            Some(1),
            Some(5),
            Some(5),
            Some(5),
        ];
        assert_places(
            &five,
            &[
                0.0, -2.0, -1.0, 0.0, 1.0, 2.0, -3.0, -2.0, -1.0, 1.0, 2.0, 3.0,
            ],
        );
        // Three children, the outer ones with three each: 3.25 from the first to the last, and the
        // small one between them goes to the middle rather than to one side.
        let outer = [
            None,
            Some(0),
            Some(0),
            Some(0),
            Some(1),
            Some(1),
            Some(1),
            Some(3),
            Some(3),
            Some(3),
        ];
        let at = (2.0 + COUSINS) * 0.5;
        assert_places(
            &outer,
            &[
                0.0,
                -at,
                0.0,
                at,
                -at - 1.0,
                -at,
                -at + 1.0,
                at - 1.0,
                at,
                at + 1.0,
            ],
        );
    }

    #[test]
    fn widths_are_kept_and_a_forest_lies_side_by_side() {
        let width = |node: usize| if node == 1 { 3.0 } else { 1.0 };
        let places = tidy(&[None, Some(0), Some(0)], width);
        assert_eq!(places, [(0.0, 0), (-1.0, 1), (1.0, 1)]);
        // A parent that comes later is no parent.
        assert_eq!(tidy(&[Some(1), None], |_| 1.0), [(0.0, 0), (1.0, 0)]);
    }

    /// A tree that grows as a search does: a new node hangs anywhere, mostly near the last.
    fn grown(rng: &mut Rng, nodes: usize) -> Vec<Option<usize>> {
        let near = 1 + rng.below(30);
        (0..nodes)
            .map(|i| (i > 0).then(|| i - 1 - rng.below(near.min(i))))
            .collect()
    }

    #[test]
    fn random_trees_are_tidy() {
        let mut rng = Rng::new(8);
        for _ in 0..300 {
            let nodes = 1 + rng.below(200);
            let parents = grown(&mut rng, nodes);
            let widths: Vec<f32> = (0..nodes).map(|_| 0.5 + rng.below(4) as f32).collect();
            let places = tidy(&parents, |i| widths[i]);
            let mut levels: Vec<Vec<usize>> = vec![Vec::new(); nodes];
            for (i, place) in places.iter().enumerate() {
                levels[place.1].push(i);
                let children: Vec<f32> = (0..nodes)
                    .filter(|&c| parents[c] == Some(i))
                    .map(|c| places[c].0)
                    .collect();
                assert!(children.is_sorted(), "the order is kept");
                if let (Some(first), Some(last)) = (children.first(), children.last()) {
                    let middle = (first + last) * 0.5;
                    assert!((place.0 - middle).abs() < 1e-2, "{} {middle}", place.0);
                }
            }
            for mut level in levels {
                level.sort_by(|&a, &b| places[a].0.total_cmp(&places[b].0));
                for pair in level.windows(2) {
                    let [a, b] = [pair[0], pair[1]];
                    let apart = places[b].0 - places[a].0;
                    let least = (widths[a] + widths[b]) * 0.5;
                    assert!(apart > least - 1e-2, "{a} and {b}: {apart} of {least}");
                }
            }
        }
    }

    #[test]
    fn a_mirrored_tree_lies_mirrored() {
        let mut rng = Rng::new(9);
        for _ in 0..100 {
            // Level by level, so that the mirrored tree can be numbered from the other side.
            let mut parents = vec![None];
            let mut level = vec![0];
            while parents.len() < 120 {
                let mut next = Vec::new();
                for &node in &level {
                    for _ in 0..rng.below(4) {
                        next.push(parents.len());
                        parents.push(Some(node));
                    }
                }
                if next.is_empty() {
                    break;
                }
                level = next;
            }
            let places = tidy(&parents, |_| 1.0);
            // A node's number in the mirrored tree: the levels keep theirs, each turned round.
            let mut turned = vec![0; parents.len()];
            let mut start = 0;
            while start < parents.len() {
                let length = places[start..]
                    .iter()
                    .take_while(|place| place.1 == places[start].1)
                    .count();
                for i in 0..length {
                    turned[start + i] = start + length - 1 - i;
                }
                start += length;
            }
            let mut mirrored = vec![None; parents.len()];
            for (node, parent) in parents.iter().enumerate() {
                mirrored[turned[node]] = parent.map(|parent: usize| turned[parent]);
            }
            let other = tidy(&mirrored, |_| 1.0);
            for (node, place) in places.iter().enumerate() {
                let there = other[turned[node]].0;
                assert!((place.0 + there).abs() < 1e-2, "{} {there}", place.0);
            }
        }
    }

    #[test]
    fn a_thousand_nodes_take_less_than_two_milliseconds_and_depth_no_stack() {
        let parents = grown(&mut Rng::new(10), 1000);
        let best = (0..20)
            .map(|_| {
                let start = Instant::now();
                assert_eq!(tidy(&parents, |_| 1.0).len(), 1000);
                start.elapsed()
            })
            .min()
            .expect("twenty times");
        println!("1000 nodes: {best:?}");
        assert!(best.as_secs_f64() < 2e-3, "{best:?}");
        let line: Vec<_> = (0..200_000_usize).map(|i| i.checked_sub(1)).collect();
        assert!(xs(&line).iter().all(|&x| x.abs() < f32::EPSILON));
    }
}
