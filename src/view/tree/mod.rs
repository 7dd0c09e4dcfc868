//! A search tree as nodes and links, which can be zoomed and panned, and grows while it is watched.
//!
//! A node is as large as it was visited, and its colour is its value; the ring around it is the
//! prior, as a part of the whole circle; links are as wide as they were followed. The line of most
//! visits stands out. Children with few visits are gathered in one node with their number.
//!
//! Places come from [`super::tidy`], once for each shape of the tree; nodes then glide to new places,
//! unless egui's `animation_time` is zero, which is how motion is reduced.

mod camera;
mod draw;
mod motion;
mod visible;

use std::collections::BTreeSet;

use egui::{Color32, EventFilter, Key, Pos2, Rect, Response, Role, Sense, Ui, Vec2, WidgetInfo};

use self::camera::Camera;
use self::motion::Motion;
use self::visible::Visible;
pub use self::visible::principal_variation;
use super::speak::{Part, is_heard};
use super::{ColorMap, Shapes};

/// A node of a search tree.
#[derive(Clone, Debug, PartialEq)]
pub struct TreeNode {
    /// Its parent, which has a smaller number; `None` for the root.
    pub parent: Option<usize>,
    /// The action that led here.
    pub label: String,
    /// How often it was visited.
    pub visits: u32,
    /// The policy's probability of the action, in `[0, 1]`.
    pub prior: f32,
    /// How good it is, from -1 to 1.
    pub value: f32,
    /// Whether it is marked, such as what is left in a halving.
    pub marked: bool,
}

/// The colours of a tree; whoever shows one fills it from the theme.
#[derive(Clone, Copy, Debug)]
pub struct TreeColors {
    /// Behind the tree.
    pub ground: Color32,
    /// Links, and nodes that gather others.
    pub line: Color32,
    /// Around nodes.
    pub edge: Color32,
    /// The line of most visits, what is selected, marks.
    pub accent: Color32,
    /// Labels.
    pub text: Color32,
    /// Numbers below labels.
    pub faint: Color32,
    /// Values, from -1 to 1.
    pub values: ColorMap,
    /// How far into the map's ends they reach, up to 1; its ends may be too dark for the ground.
    pub reach: f32,
    /// Text on a dark and on a light node.
    pub ink: [Color32; 2],
}

/// What can be pointed at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TreeItem {
    /// A node by its number.
    Node(usize),
    /// The children of this node that are not shown one by one.
    Gathered(usize),
}

/// What a shown [`TreeView`] answers.
pub struct TreeResponse {
    /// The view as a whole; it has the keyboard's focus.
    pub response: Response,
    /// What is under the pointer.
    pub hovered: Option<TreeItem>,
    /// The node that was selected just now, by a click, a key or a screen reader.
    pub chosen: Option<usize>,
    /// Where what is shown lies: its middle and its radius, in points.
    pub places: Vec<(TreeItem, Pos2, f32)>,
}

/// Shows a tree of up to some thousand nodes. Kept between frames.
///
/// Ctrl and wheel, or a pinch, zooms at the pointer; dragging pans; a double click fits the tree. A
/// click selects a node, or opens gathered ones. With the keyboard's focus arrows go to the parent,
/// the most visited child and the neighbours, Enter opens and gathers again what is below the
/// selected node; `+`, `-` and `0` zoom.
pub struct TreeView {
    /// Nodes with fewer visits are gathered, unless they are marked, selected or on the line of
    /// most visits.
    pub least_visits: u32,
    /// The selected node.
    pub selected: Option<usize>,
    label: String,
    /// Nodes whose children are shown however few their visits.
    opened: BTreeSet<usize>,
    visible: Visible,
    motion: Motion,
    camera: Camera,
    shapes: Shapes,
}

impl TreeView {
    /// A view named to screen readers and tests.
    #[must_use]
    pub fn new(label: impl Into<String>) -> Self {
        Self {
            least_visits: 2,
            selected: None,
            label: label.into(),
            opened: BTreeSet::new(),
            visible: Visible::default(),
            motion: Motion::default(),
            camera: Camera::default(),
            shapes: Shapes::default(),
        }
    }

    /// Shows the whole tree.
    pub fn fit(&mut self) {
        self.camera.fit();
    }

    /// Forgets what was selected, opened and zoomed, for another tree.
    pub fn reset(&mut self) {
        self.selected = None;
        self.opened.clear();
        self.motion = Motion::default();
        self.camera = Camera::default();
    }

    /// Draws the tree, `size` points large. `card` fills the card that stands by the pointer when it
    /// rests on a node.
    pub fn show(
        &mut self,
        ui: &mut Ui,
        size: Vec2,
        nodes: &[TreeNode],
        colors: &TreeColors,
        card: impl FnOnce(&mut Ui, usize),
    ) -> TreeResponse {
        let (rect, response) = ui.allocate_exact_size(size, Sense::click_and_drag());
        let enabled = ui.is_enabled();
        response.widget_info(|| WidgetInfo::labeled(Role::Tree, enabled, &self.label));
        ui.painter().rect_filled(rect, 0.0, colors.ground);
        self.selected = self.selected.filter(|&node| node < nodes.len());
        if (self.opened.last()).is_some_and(|&node| node >= nodes.len()) {
            self.opened.clear();
        }
        self.visible
            .update(nodes, self.least_visits, self.selected, &self.opened);
        let anchor = self.selected.map(TreeItem::Node);
        let before = anchor.and_then(|item| self.motion.place(item));
        let moving = self.motion.follow(ui, &self.visible, nodes);
        if let (Some(before), Some(after)) =
            (before, anchor.and_then(|item| self.motion.place(item)))
        {
            self.camera.keep(after - before);
        }
        let drawn = self.camera.follow(ui, &response, self.motion.bounds());
        if moving || self.camera.is_moving() {
            ui.request_repaint();
        }

        let scene = draw::Scene::new(rect, drawn, &self.visible, &self.motion, nodes);
        let hovered = (response.hover_pos()).and_then(|pos| scene.at(pos));
        let mut chosen = None;
        if response.clicked() {
            response.request_focus();
            match hovered {
                Some(TreeItem::Node(node)) => chosen = Some(node),
                Some(TreeItem::Gathered(parent)) => {
                    self.opened.insert(parent);
                    ui.request_repaint();
                }
                None => {}
            }
        }
        chosen = chosen.or_else(|| self.keys(ui, &response, nodes));
        chosen = chosen.or(speak(ui, &response, &scene, nodes));
        if let Some(node) = chosen {
            self.selected = Some(node);
            if let Some(place) = self.motion.place(TreeItem::Node(node)) {
                self.camera.bring_into(rect, place);
            }
        }

        if ui.is_rect_visible(rect) {
            let shapes = scene.shapes(colors, self.selected, hovered);
            self.shapes.show(ui, rect, shapes);
            scene.labels(ui, colors);
            if response.has_focus() {
                let stroke = ui.visuals().selection.stroke;
                ui.painter()
                    .rect_stroke(rect, 0.0, stroke, egui::StrokeKind::Inside);
            }
        }
        let places = scene.places();
        let response = match hovered {
            Some(TreeItem::Node(node)) => response.on_hover_ui_at_pointer(|ui| card(ui, node)),
            _ => response,
        };
        TreeResponse {
            response,
            hovered,
            chosen,
            places,
        }
    }

    /// Goes from node to node; the node that was gone to.
    fn keys(&mut self, ui: &Ui, response: &Response, nodes: &[TreeNode]) -> Option<usize> {
        if !response.has_focus() || nodes.is_empty() {
            return None;
        }
        ui.memory_mut(|memory| {
            let filter = EventFilter {
                horizontal_arrows: true,
                vertical_arrows: true,
                ..EventFilter::default()
            };
            memory.set_focus_lock_filter(response.id, filter);
        });
        let pressed = |key| ui.input(|input| input.key_pressed(key));
        let arrows = [
            Key::ArrowUp,
            Key::ArrowDown,
            Key::ArrowLeft,
            Key::ArrowRight,
        ];
        let Some(at) = self.selected else {
            return arrows.into_iter().any(pressed).then_some(0);
        };
        if pressed(Key::Enter) || pressed(Key::Space) {
            if !self.opened.remove(&at) {
                self.opened.insert(at);
            }
            ui.request_repaint();
        }
        if pressed(Key::ArrowUp) {
            nodes[at].parent
        } else if pressed(Key::ArrowDown) {
            self.visible.most_visited(at, nodes)
        } else if pressed(Key::ArrowLeft) {
            self.visible.beside(at, -1)
        } else if pressed(Key::ArrowRight) {
            self.visible.beside(at, 1)
        } else {
            None
        }
    }
}

/// One node for screen readers for each that is in sight; the one that was chosen by one of them.
fn speak(
    ui: &Ui,
    response: &Response,
    scene: &draw::Scene<'_>,
    nodes: &[TreeNode],
) -> Option<usize> {
    if !is_heard(ui, response) {
        return None;
    }
    let mut chosen = None;
    for (item, middle, radius) in scene.places() {
        let area = Rect::from_center_size(middle, Vec2::splat(2.0 * radius));
        if !response.rect.intersects(area) {
            continue;
        }
        let (name, number) = match item {
            TreeItem::Node(node) => (spoken(&nodes[node]), Some(node)),
            TreeItem::Gathered(_) => (format!("{} more", scene.gathered(item)), None),
        };
        let part = Part {
            id: response.id.with(item),
            role: Role::TreeItem,
            rect: area.intersect(response.rect),
            name,
            value: None,
            can_choose: number.is_some(),
        };
        if part.add(ui) {
            chosen = number;
        }
    }
    chosen
}

fn spoken(node: &TreeNode) -> String {
    let label = if node.parent.is_none() && node.label.is_empty() {
        "root"
    } else {
        &node.label
    };
    let mark = if node.marked { ", marked" } else { "" };
    format!(
        "{label}, {} visits, value {:+.2}, prior {:.0} %{mark}",
        node.visits,
        node.value,
        node.prior * 100.0
    )
}
