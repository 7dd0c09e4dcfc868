//! A shot of a search, ready to be drawn: moves by name, and which nodes the rules allow.

use std::sync::Arc;

use egui::Ui;

use super::super::super::game::Game;
use super::super::super::live::LiveShot;
use crate::view::tree::TreeNode;

/// A move at the root.
pub struct RootMove {
    /// The action.
    pub action: usize,
    /// Its name.
    pub name: String,
    /// The network's policy.
    pub prior: f32,
    /// How often the search took it.
    pub visits: u32,
    /// What it is worth.
    pub q: Option<f32>,
    /// The policy that the search found.
    pub policy: f32,
    /// Whether it is the one to play.
    pub best: bool,
}

/// A tree to be drawn.
pub struct Forest {
    /// What it was made of.
    pub shot: Arc<LiveShot>,
    /// As the view takes them.
    pub nodes: Vec<TreeNode>,
    /// Whether legal moves lead to each node.
    pub real: Vec<bool>,
    /// The root's legal moves, the most visited first.
    pub roots: Vec<RootMove>,
}

impl Forest {
    /// The tree of this position.
    pub fn new(shot: Arc<LiveShot>, game: &dyn Game) -> Self {
        let mut games: Vec<Option<Box<dyn Game>>> = vec![game.boxed_clone().ok()];
        let mut nodes: Vec<TreeNode> = Vec::with_capacity(shot.tree.nodes.len());
        let survivors = shot.tree.rounds.last().map(|round| &round.survivors);
        for (number, node) in shot.tree.nodes.iter().enumerate() {
            let sign = if node.depth.is_multiple_of(2) {
                1.0
            } else {
                -1.0
            };
            let mut label = String::new();
            if let Some(parent) = node.parent {
                let above = games[parent].as_ref();
                label = match above {
                    Some(above) => above.action_name(node.action),
                    None => name_beyond(&shot, &games, parent, node.action, game),
                };
                let next = above.and_then(|above| {
                    let mut next = above.boxed_clone().ok()?;
                    next.step(node.action).ok()?;
                    Some(next)
                });
                debug_assert_eq!(games.len(), number, "children come after their parents");
                games.push(next);
            }
            let marked = node.depth == 1 && survivors.is_some_and(|s| s.contains(&node.action));
            nodes.push(TreeNode {
                parent: node.parent,
                label,
                visits: node.visits,
                prior: node.prior,
                value: sign * node.value,
                marked,
            });
        }
        let real = games.iter().map(Option::is_some).collect();
        let roots = root_moves(&shot, game);
        Self {
            shot,
            nodes,
            real,
            roots,
        }
    }

    /// The actions that lead to a node.
    pub fn path(&self, node: usize) -> Vec<usize> {
        let nodes = &self.shot.tree.nodes;
        let mut path = Vec::new();
        let mut at = node;
        while let Some(parent) = nodes.get(at).and_then(|node| node.parent) {
            path.push(nodes[at].action);
            at = parent;
        }
        path.reverse();
        path
    }

    /// Their names.
    pub fn path_names(&self, node: usize) -> Vec<&str> {
        let mut names = Vec::new();
        let mut at = node;
        while let Some(parent) = self.nodes.get(at).and_then(|node| node.parent) {
            names.push(self.nodes[at].label.as_str());
            at = parent;
        }
        names.reverse();
        names
    }

    /// The node of a root's move.
    pub fn root_child(&self, action: usize) -> Option<usize> {
        let nodes = &self.shot.tree.nodes;
        nodes
            .iter()
            .position(|node| node.parent == Some(0) && node.action == action)
    }

    /// What stands by the pointer.
    pub fn card_ui(&self, ui: &mut Ui, node: usize) {
        let Some(shown) = self.nodes.get(node) else {
            return;
        };
        let names = self.path_names(node);
        let line = if names.is_empty() {
            "The position".to_owned()
        } else {
            names.join(" ")
        };
        ui.strong(line);
        ui.label(format!(
            "{} visits, value {:+.2}, prior {:.1} %",
            shown.visits,
            shown.value,
            shown.prior * 100.0
        ));
        if !self.real.get(node).copied().unwrap_or(true) {
            ui.label("The rules do not allow this line");
        }
    }

    /// The root's moves as a table.
    pub fn table_text(&self) -> String {
        let mut text = "move\tprior\tvisits\tvalue\tpolicy\n".to_owned();
        for root in &self.roots {
            let q = root.q.map_or(String::new(), |q| format!("{q:.4}"));
            let (name, prior, visits, policy) = (&root.name, root.prior, root.visits, root.policy);
            text += &format!("{name}\t{prior:.4}\t{visits}\t{q}\t{policy:.4}\n");
        }
        text
    }
}

/// The name of a move where no legal moves lead: in the nearest position above with the same player
/// to move, for in some games a move's name depends on that.
fn name_beyond(
    shot: &LiveShot,
    games: &[Option<Box<dyn Game>>],
    parent: usize,
    action: usize,
    root: &dyn Game,
) -> String {
    let nodes = &shot.tree.nodes;
    let turn = nodes[parent].depth % 2;
    let mut at = Some(parent);
    while let Some(node) = at {
        if let Some(game) = games[node]
            .as_ref()
            .filter(|_| nodes[node].depth % 2 == turn)
        {
            return game.action_name(action);
        }
        at = nodes[node].parent;
    }
    root.action_name(action)
}

fn root_moves(shot: &LiveShot, game: &dyn Game) -> Vec<RootMove> {
    let decision = &shot.decision;
    let mut legal = vec![false; game.spec().actions];
    game.legal(&mut legal);
    let count = legal.len().min(shot.prior.len());
    let mut roots: Vec<RootMove> = (0..count)
        .filter(|&action| legal[action])
        .map(|action| RootMove {
            action,
            name: game.action_name(action),
            prior: shot.prior[action],
            visits: decision.visits[action],
            q: decision.values[action],
            policy: decision.policy[action],
            best: decision.action == action,
        })
        .collect();
    roots.sort_by(|a, b| {
        let by_visits = b.visits.cmp(&a.visits);
        by_visits.then(b.policy.total_cmp(&a.policy))
    });
    roots
}
