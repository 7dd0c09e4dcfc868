//! The search tree answers the pointer and the keyboard, stays where it is looked at, and is quick.

use std::time::{Duration, Instant};

use egui::{Event, Key, Pos2, Vec2, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use egui_kittest::wgpu::{create_render_state, default_wgpu_setup};
use egui_wgpu::RendererOptions;
use vitrine::gui::theme;
use vitrine::rng::Rng;
use vitrine::view::Views;
use vitrine::view::shader::Sources;
use vitrine::view::tree::{TreeItem, TreeNode, TreeView};

use super::common::adapter_or_skip;
use super::window::{bare, click_at, key};

struct State {
    view: TreeView,
    nodes: Vec<TreeNode>,
    size: Vec2,
    motion: bool,
    hovered: Option<TreeItem>,
    chosen: Vec<usize>,
    places: Vec<(TreeItem, Pos2, f32)>,
}

impl State {
    fn new(nodes: Vec<TreeNode>) -> Self {
        Self {
            view: TreeView::new("search"),
            nodes,
            size: vec2(600.0, 400.0),
            motion: false,
            hovered: None,
            chosen: Vec::new(),
            places: Vec::new(),
        }
    }

    fn place(&self, item: TreeItem) -> Pos2 {
        let found = self.places.iter().find(|place| place.0 == item);
        found.expect("it is shown").1
    }

    fn node(&self, number: usize) -> Pos2 {
        self.place(TreeItem::Node(number))
    }
}

fn show(ui: &mut egui::Ui, state: &mut State) {
    ui.style_mut().animation_time = if state.motion { 1.0 / 12.0 } else { 0.0 };
    let colors = theme::tree(ui.visuals());
    let shown = (state.view).show(ui, state.size, &state.nodes, &colors, |ui, node| {
        ui.label(format!("card of {node}"));
    });
    state.hovered = shown.hovered;
    state.chosen.extend(shown.chosen);
    state.places = shown.places;
}

fn bare_tree(nodes: Vec<TreeNode>) -> Harness<'static, State> {
    let mut harness = bare(vec2(640.0, 440.0), State::new(nodes), show);
    harness.run_steps(2);
    harness
}

pub fn node(parent: Option<usize>, label: &str, visits: u32) -> TreeNode {
    TreeNode {
        parent,
        label: label.to_owned(),
        visits,
        prior: 0.25,
        value: 0.5,
        marked: false,
    }
}

fn small() -> Vec<TreeNode> {
    vec![
        node(None, "", 30),
        node(Some(0), "a", 8),
        node(Some(0), "b", 14),
        node(Some(0), "c", 1),
        node(Some(0), "d", 1),
        node(Some(0), "e", 1),
        node(Some(2), "f", 6),
        node(Some(2), "g", 7),
    ]
}

/// A tree as a search leaves it: every simulation goes down by a made-up score and adds a node.
pub fn searched(simulations: usize, actions: usize, seed: u64) -> Vec<TreeNode> {
    let mut rng = Rng::new(seed);
    let mut nodes = vec![node(None, "", 0)];
    let mut appeal = vec![1.0_f32];
    let mut children: Vec<Vec<usize>> = vec![Vec::new()];
    for _ in 0..simulations {
        let mut path = vec![0];
        loop {
            let at = path[path.len() - 1];
            let kids = &children[at];
            // Progressive widening: few good actions are followed deep, the others stay rare.
            let wide = (1.0 + (nodes[at].visits as f32).sqrt()) as usize;
            if kids.len() < actions.min(wide) {
                break;
            }
            let score = |&kid: &usize| appeal[kid] / (1.0 + nodes[kid].visits as f32);
            let best = kids.iter().max_by(|a, b| score(a).total_cmp(&score(b)));
            path.push(*best.expect("has children"));
        }
        let parent = path[path.len() - 1];
        let action = children[parent].len();
        let letter = char::from(b'a' + u8::try_from(action % 26).unwrap_or(0));
        let mut new = node(Some(parent), &format!("{letter}{}", action / 26 + 1), 0);
        let luck = rng.normal() as f32;
        new.prior = (0.5_f32).powf(action as f32 + 1.0);
        new.value = (luck * 0.4).clamp(-1.0, 1.0);
        new.marked = parent == 0 && action < 4;
        path.push(nodes.len());
        children[parent].push(nodes.len());
        children.push(Vec::new());
        appeal.push((luck * 0.9 - action as f32 * 0.35).exp());
        nodes.push(new);
        for &seen in &path {
            nodes[seen].visits += 1;
        }
    }
    nodes
}

#[test]
fn a_click_selects_a_node_and_opens_gathered_ones() {
    let mut harness = bare_tree(small());
    // c, d and e have one visit each.
    assert_eq!(harness.state().places.len(), 6);
    let at = harness.state().node(2);
    click_at(&mut harness, at);
    assert_eq!(harness.state().chosen, [2]);
    assert_eq!(harness.state().view.selected, Some(2));
    assert_eq!(harness.state().hovered, Some(TreeItem::Node(2)));
    let at = harness.state().place(TreeItem::Gathered(0));
    click_at(&mut harness, at);
    assert_eq!(harness.state().places.len(), 8, "opened");
    assert_eq!(harness.state().chosen, [2], "nothing new is selected");
    harness.hover_at(harness.get_by_label("search").rect().left_bottom() + vec2(4.0, -4.0));
    harness.run_steps(2);
    assert_eq!(harness.state().hovered, None);
}

#[test]
fn arrows_go_through_the_tree() {
    let mut harness = bare_tree(small());
    harness.get_by_label("search").focus();
    harness.run_steps(2);
    key(&mut harness, Key::ArrowDown);
    assert_eq!(harness.state().view.selected, Some(0), "the root first");
    key(&mut harness, Key::ArrowDown);
    assert_eq!(harness.state().view.selected, Some(2), "the most visited");
    key(&mut harness, Key::ArrowLeft);
    assert_eq!(harness.state().view.selected, Some(1));
    key(&mut harness, Key::ArrowLeft);
    assert_eq!(harness.state().view.selected, Some(1), "nothing beyond");
    key(&mut harness, Key::ArrowRight);
    key(&mut harness, Key::ArrowDown);
    assert_eq!(harness.state().view.selected, Some(7));
    key(&mut harness, Key::ArrowUp);
    key(&mut harness, Key::ArrowUp);
    assert_eq!(harness.state().view.selected, Some(0));
    key(&mut harness, Key::Enter);
    assert_eq!(harness.state().places.len(), 8, "Enter opens");
    key(&mut harness, Key::Enter);
    assert_eq!(harness.state().places.len(), 6, "and gathers again");
}

#[test]
fn screen_readers_hear_what_is_in_sight() {
    let mut nodes = small();
    nodes[1].marked = true;
    nodes[1].value = -0.25;
    let mut harness = bare_tree(nodes);
    harness.get_by_label("root, 30 visits, value +0.50, prior 25 %");
    harness.get_by_label("3 more");
    harness
        .get_by_label("a, 8 visits, value -0.25, prior 25 %, marked")
        .click_accesskit();
    harness.run_steps(2);
    assert_eq!(harness.state().chosen, [1]);
}

#[test]
fn zooming_keeps_what_is_under_the_pointer_and_dragging_moves_it() {
    let mut harness = bare_tree(small());
    let before = harness.state().node(7);
    harness.hover_at(before);
    harness.run_steps(2);
    for _ in 0..3 {
        harness.event(Event::Zoom(1.4));
        harness.run_steps(2);
        assert!(harness.state().node(7).distance(before) < 0.5);
    }
    let root = harness.state().node(0);
    harness.drag_at(before);
    harness.step();
    harness.hover_at(before + vec2(40.0, -30.0));
    harness.run_steps(2);
    let moved = harness.state().node(0) - root;
    assert!((moved - vec2(40.0, -30.0)).length() < 0.5, "{moved}");
    harness.drop_at(before + vec2(40.0, -30.0));
    harness.run_steps(2);
    // Zoomed in, a larger window shows more around the same middle.
    let middle = harness.get_by_label("search").rect().center();
    let off = harness.state().node(7) - middle;
    harness.state_mut().size = vec2(500.0, 300.0);
    harness.run_steps(2);
    let middle = harness.get_by_label("search").rect().center();
    assert!((harness.state().node(7) - middle - off).length() < 1.0);
    harness.state_mut().view.fit();
    harness.run_steps(2);
    assert_fits(&harness);
}

/// Everything lies inside the view, and fills its width or its height.
#[track_caller]
fn assert_fits(harness: &Harness<'_, State>) {
    let rect = harness.get_by_label("search").rect();
    let mut taken = egui::Rect::NOTHING;
    for (item, place, radius) in &harness.state().places {
        assert!(rect.shrink(*radius).contains(*place), "{item:?} at {place}");
        taken.extend_with(*place);
    }
    // A tree of a few nodes is not blown up.
    let few = harness.state().places.len() < 20;
    let full = taken.size() + Vec2::splat(100.0) - rect.size();
    assert!(few || full.max_elem() >= 0.0, "{taken} in {rect}");
}

#[test]
fn the_whole_tree_is_fitted_at_any_size() {
    for size in [vec2(600.0, 400.0), vec2(200.0, 400.0), vec2(600.0, 120.0)] {
        for nodes in [small(), searched(200, 7, 1), searched(300, 60, 2)] {
            let mut harness = bare_tree(nodes);
            harness.state_mut().size = size;
            harness.run_steps(2);
            assert_fits(&harness);
        }
    }
}

fn repaint_delay(harness: &Harness<'_, State>) -> Duration {
    harness.output().viewport_output[&egui::ViewportId::ROOT].repaint_delay
}

#[test]
fn a_growing_tree_glides_and_then_rests() {
    let nodes = searched(120, 5, 3);
    let mut harness = bare_tree(nodes[..60].to_vec());
    harness.state_mut().motion = true;
    harness.run_steps(10);
    assert_eq!(repaint_delay(&harness), Duration::MAX, "nothing to draw");
    let before = harness.state().node(1);
    harness.state_mut().nodes = nodes.clone();
    harness.step();
    let first = harness.state().node(1);
    assert!(first.distance(before) < 60.0, "no jump");
    assert!(
        repaint_delay(&harness) < Duration::from_millis(50),
        "it moves"
    );
    harness.run_steps(90);
    let rested = harness.state().node(1);
    assert_eq!(repaint_delay(&harness), Duration::MAX, "it came to rest");
    assert!(rested != first);
    // The same without motion is there at once.
    let mut still = bare_tree(nodes[..60].to_vec());
    still.state_mut().nodes = nodes;
    still.step();
    assert!(still.state().node(1).distance(rested) < 1.0);
    still.step();
    assert_eq!(repaint_delay(&still), Duration::MAX);
}

#[test]
fn a_selected_node_stays_under_the_eye_while_the_tree_grows() {
    let nodes = searched(200, 6, 4);
    let mut harness = bare_tree(nodes[..50].to_vec());
    harness.state_mut().view.selected = Some(5);
    harness.run_steps(2);
    harness.hover_at(harness.state().node(5));
    harness.run_steps(2);
    harness.event(Event::Zoom(2.0));
    harness.run_steps(2);
    let before = harness.state().node(5);
    for count in [80, 120, 200] {
        harness.state_mut().nodes = nodes[..count].to_vec();
        harness.run_steps(2);
        assert!(harness.state().node(5).distance(before) < 0.5, "{count}");
    }
}

#[test]
fn odd_trees_are_drawn_too() {
    let nan = TreeNode {
        value: f32::NAN,
        prior: f32::NAN,
        ..node(Some(0), "x", 3)
    };
    for nodes in [
        vec![],
        vec![node(None, "", 0)],
        vec![node(None, "", 5), nan],
        // Parents that come later or are missing are roots.
        vec![node(Some(9), "p", 1), node(Some(1), "q", 2)],
    ] {
        let count = nodes.len();
        let harness = bare_tree(nodes);
        assert_eq!(harness.state().places.len(), count);
        assert!(
            harness
                .state()
                .places
                .iter()
                .all(|place| place.1.is_finite())
        );
    }
}

/// Runs frames of a window without anybody who reads it aloud, as most windows are.
#[test]
fn a_frame_of_a_thousand_nodes_is_quick() {
    if !adapter_or_skip() {
        return;
    }
    let render_state = create_render_state(default_wgpu_setup(), RendererOptions::PREDICTABLE);
    let ctx = egui::Context::default();
    Views::install_from(&render_state, &ctx, Sources::Embedded).expect("installs");
    let nodes = searched(1002, 7, 5);
    let mut state = State::new(Vec::new());
    state.size = vec2(1200.0, 800.0);
    state.view.least_visits = 1;
    let mut best = [Duration::MAX; 2];
    for round in 0..60_u32 {
        // Every other frame the tree has another form and is laid out again.
        let count = 1000 + (round as usize % 4) / 2;
        state.nodes.clear();
        state.nodes.extend_from_slice(&nodes[..count]);
        let mut spent = Duration::ZERO;
        let mut output = ctx.run_ui(egui::RawInput::default(), |ui| {
            let start = Instant::now();
            show(ui, &mut state);
            spent = start.elapsed();
        });
        output.textures_delta.clear();
        assert_eq!(state.places.len(), count);
        if round > 3 {
            let index = usize::from(round % 2 == 0);
            best[index] = best[index].min(spent);
        }
    }
    println!(
        "1000 nodes: {:?} a frame, {:?} with a new layout",
        best[0], best[1]
    );
    assert!(best[0] < Duration::from_millis(4), "{best:?}");
    assert!(best[1] < Duration::from_millis(6), "{best:?}");
}
