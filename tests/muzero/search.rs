//! The tree search against recordings of mctx 0.0.71 (`tests/data/muzero/record_search.py`), against
//! games that are solved, and against examples worked out by hand.

use std::path::Path;

use serde::Deserialize;
use vitrine::demos::muzero::search::{
    Algorithm, Answers, Decision, GumbelConfig, Model, PuctConfig, QNormalisation, Request, Root,
    Search, SearchConfig, TreeShot, gumbel_noise,
};
use vitrine::error::Result;
use vitrine::rng::Rng;

/// A recorded search with its settings.
#[derive(Deserialize)]
struct Case {
    name: String,
    algorithm: String,
    states: Vec<u32>,
    actions: usize,
    simulations: usize,
    illegal: Vec<Vec<usize>>,
    considered: usize,
    scale: f32,
    value_scale: f32,
    max_visit_init: f32,
    discount: f32,
    reward: f32,
    end: f32,
    #[serde(default)]
    fraction: f32,
    #[serde(default)]
    alpha: f32,
    #[serde(default)]
    c1: f32,
    #[serde(default)]
    c2: f32,
    trees: Vec<RecordedTree>,
}

#[derive(Deserialize)]
struct RecordedTree {
    noise: Vec<f32>,
    action: usize,
    weights: Vec<f32>,
    nodes: Vec<RecordedNode>,
}

/// A list in the file. Parent and action of a root are -1.
#[derive(Deserialize)]
struct RecordedNode {
    parent: i64,
    action: i64,
    visits: u32,
    value: f32,
    raw_value: f32,
    reward: f32,
    discount: f32,
    prior: f32,
}

impl RecordedNode {
    fn q(&self) -> f32 {
        self.reward + self.discount * self.value
    }
}

fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/muzero/search");
    let mut cases: Vec<Case> = std::fs::read_dir(folder)
        .expect("the recordings")
        .map(|entry| std::fs::read(entry.expect("a file").path()).expect("a recording"))
        .map(|text| serde_json::from_slice(&text).expect("a sound recording"))
        .collect();
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    cases
}

/// The recording's model: everything follows from a hash of the state.
struct Hashed {
    actions: usize,
    simulations: usize,
    discount: f32,
    reward: f32,
    end: f32,
    /// State, and whether the game is over, of each node of each tree.
    states: Vec<(u32, bool)>,
}

fn mix(mut x: u32) -> u32 {
    x ^= x >> 16;
    x = x.wrapping_mul(0x85EB_CA6B);
    x ^= x >> 13;
    x = x.wrapping_mul(0xC2B2_AE35);
    x ^ (x >> 16)
}

fn unit(state: u32, salt: u32) -> f32 {
    let hashed = mix(state.wrapping_add(0x9E37_79B9_u32.wrapping_mul(salt)));
    (hashed >> 8) as f32 / (1 << 24) as f32
}

impl Hashed {
    fn new(case: &Case) -> Self {
        let width = case.simulations + 1;
        let mut states = vec![(0, false); width * case.states.len()];
        for (tree, &state) in case.states.iter().enumerate() {
            states[tree * width].0 = state;
        }
        Self {
            actions: case.actions,
            simulations: case.simulations,
            discount: case.discount,
            reward: case.reward,
            end: case.end,
            states,
        }
    }

    fn logits(state: u32, actions: usize) -> impl Iterator<Item = f32> {
        (0..actions as u32).map(move |action| 4.0 * unit(state, 10 + action) - 2.0)
    }
}

impl Model for Hashed {
    fn expand(&mut self, requests: &[Request], answers: &mut Answers) -> Result<()> {
        for request in requests {
            let row = request.tree * (self.simulations + 1);
            let (parent, was_over) = self.states[row + request.parent];
            let key = parent
                .wrapping_mul(31)
                .wrapping_add(request.action as u32 + 1);
            let state = mix(key);
            let over = was_over || unit(state, 3) < self.end;
            self.states[row + request.node] = (state, over);
            let reward = self.reward * (2.0 * unit(state, 2) - 1.0);
            answers.rewards.push(if was_over { 0.0 } else { reward });
            answers
                .discounts
                .push(if over { 0.0 } else { self.discount });
            answers.logits.extend(Self::logits(state, self.actions));
            let value = 2.0 * unit(state, 1) - 1.0;
            answers.values.push(if over { 0.0 } else { value });
        }
        Ok(())
    }
}

fn config(case: &Case) -> SearchConfig {
    let algorithm = if case.algorithm == "gumbel" {
        Algorithm::Gumbel(GumbelConfig {
            considered: case.considered,
            value_scale: case.value_scale,
            max_visit_init: case.max_visit_init,
            scale: case.scale,
            least_range: 1e-8,
        })
    } else {
        Algorithm::Puct(PuctConfig {
            c1: case.c1,
            c2: case.c2,
            dirichlet_alpha: case.alpha,
            dirichlet_fraction: case.fraction,
            temperature: 0.0,
            normalisation: QNormalisation::Siblings,
        })
    };
    SearchConfig {
        simulations: case.simulations,
        algorithm,
    }
}

fn root(case: &Case, tree: usize) -> Root {
    let state = case.states[tree];
    let mut legal = vec![true; case.actions];
    for &action in &case.illegal[tree] {
        legal[action] = false;
    }
    Root {
        logits: Hashed::logits(state, case.actions).collect(),
        value: 2.0 * unit(state, 1) - 1.0,
        legal,
        noise: case.trees[tree].noise.clone(),
    }
}

fn run(config: &SearchConfig, actions: usize, roots: Vec<Root>, model: &mut dyn Model) -> Search {
    let mut search = Search::new(config, actions, roots).expect("sound roots");
    while !search.is_done() {
        search.simulate(model).expect("a simulation");
    }
    search
}

fn run_case(case: &Case) -> Search {
    let roots = (0..case.states.len()).map(|tree| root(case, tree));
    let mut model = Hashed::new(case);
    run(&config(case), case.actions, roots.collect(), &mut model)
}

#[track_caller]
fn near(found: f32, expected: f32, what: &str) {
    let off = (found - expected).abs();
    assert!(off <= 1e-5, "{what}: {found}, mctx {expected}");
}

#[test]
fn trees_are_those_of_mctx() {
    let cases = cases();
    assert_eq!(cases.len(), 16, "all recordings");
    for case in &cases {
        let search = run_case(case);
        for (tree, recorded) in case.trees.iter().enumerate() {
            compare_tree(
                &search.shot(tree),
                recorded,
                &format!("{} {tree}", case.name),
            );
        }
    }
}

fn compare_tree(shot: &TreeShot, recorded: &RecordedTree, name: &str) {
    assert_eq!(shot.nodes.len(), recorded.nodes.len(), "{name}");
    for (index, (node, expected)) in shot.nodes.iter().zip(&recorded.nodes).enumerate() {
        let name = format!("{name} node {index}");
        let parent = usize::try_from(expected.parent).ok();
        assert_eq!(node.parent, parent, "{name} parent");
        assert_eq!(node.visits, expected.visits, "{name} visits");
        near(node.value, expected.value, &format!("{name} value"));
        near(
            node.raw_value,
            expected.raw_value,
            &format!("{name} raw value"),
        );
        near(node.prior, expected.prior, &format!("{name} prior"));
        if let Some(parent) = node.parent {
            let action = usize::try_from(expected.action).ok();
            assert_eq!(Some(node.action), action, "{name} action");
            assert_eq!(node.depth, shot.nodes[parent].depth + 1, "{name} depth");
            near(node.reward, expected.reward, &format!("{name} reward"));
            near(node.q, expected.q(), &format!("{name} q"));
        }
    }
}

#[test]
fn decisions_are_those_of_mctx() {
    for case in &cases() {
        let search = run_case(case);
        for (tree, recorded) in case.trees.iter().enumerate() {
            let name = format!("{} {tree}", case.name);
            let decision = search.decide(tree);
            for (found, &expected) in decision.policy.iter().zip(&recorded.weights) {
                near(*found, expected, &format!("{name} policy"));
            }
            if case.algorithm == "gumbel" {
                assert_eq!(decision.action, recorded.action, "{name}");
            } else {
                // mctx draws among the most visited.
                let most = decision.visits[recorded.action];
                assert_eq!(decision.visits[decision.action], most, "{name}");
            }
            near(decision.value, recorded.nodes[0].value, &name);
            near(decision.raw_value, recorded.nodes[0].raw_value, &name);
            compare_root(&decision, recorded, &name);
        }
    }
}

fn compare_root(decision: &Decision, recorded: &RecordedTree, name: &str) {
    let mut visited = 0;
    for node in recorded.nodes.iter().filter(|node| node.parent == 0) {
        let action = usize::try_from(node.action).expect("an action");
        assert_eq!(decision.visits[action], node.visits, "{name} visits");
        let q = decision.values[action].expect("a visited action");
        near(q, node.q(), name);
        visited += 1;
    }
    let known = decision.values.iter().filter(|q| q.is_some()).count();
    assert_eq!(known, visited, "{name}");
}

#[test]
fn a_tree_is_the_same_alone_and_in_a_batch() {
    for case in cases().iter().filter(|case| case.states.len() > 1) {
        let together = run_case(case);
        for tree in 0..case.states.len() {
            let mut model = Hashed::new(case);
            let width = case.simulations + 1;
            model.states = model.states.split_off(tree * width);
            let roots = vec![root(case, tree)];
            let alone = run(&config(case), case.actions, roots, &mut model);
            assert_eq!(alone.shot(0), together.shot(tree), "{} {tree}", case.name);
            assert_eq!(
                alone.decide(0),
                together.decide(tree),
                "{} {tree}",
                case.name
            );
        }
    }
}

#[test]
fn survivors_are_halved_and_the_move_is_one_of_them() {
    let mut rng = Rng::new(4);
    let case = cases().into_iter().find(|case| case.name == "wide");
    let mut case = case.expect("a recording");
    (case.considered, case.simulations) = (16, 200);
    case.illegal = vec![Vec::new(); 2];
    case.trees[0].noise = gumbel_noise(&mut rng, 30);
    let roots = vec![root(&case, 0)];
    let mut search = Search::new(&config(&case), 30, roots).expect("a root");
    let mut model = Hashed::new(&case);
    let first = search.shot(0).rounds;
    assert_eq!(first.len(), 1, "the first round is known before it begins");
    assert_eq!(first[0].survivors.len(), 16);
    while !search.is_done() {
        search.simulate(&mut model).expect("a simulation");
    }
    let rounds = search.shot(0).rounds;
    assert_eq!(rounds[0], first[0], "the sampled actions do not change");
    let sizes: Vec<_> = rounds
        .iter()
        .map(|r| (r.after, r.survivors.len()))
        .collect();
    assert_eq!(sizes, [(0, 16), (48, 8), (96, 4), (144, 2)]);
    for pair in rounds.windows(2) {
        let stays = |action| pair[0].survivors.contains(action);
        assert!(pair[1].survivors.iter().all(stays), "{rounds:?}");
    }
    assert!(rounds[3].survivors.contains(&search.decide(0).action));
}

/// Nim with one heap: two players take one to three in turn, and who takes the last one wins. The
/// player to move loses exactly when the heap is a multiple of four.
struct Nim {
    /// What is left at each node; `None` where more was taken than there was.
    heaps: Vec<Vec<Option<usize>>>,
    /// Without a sign the search would think that one player plays alone.
    discount: f32,
}

impl Model for Nim {
    fn expand(&mut self, requests: &[Request], answers: &mut Answers) -> Result<()> {
        for request in requests {
            let heaps = &mut self.heaps[request.tree];
            let heap = heaps[request.parent].unwrap_or(0);
            let left = heap.checked_sub(request.action + 1);
            heaps.push(left);
            // Taking more than there is loses at once; after the end nothing happens any more.
            let (reward, discount) = match left {
                _ if heap == 0 => (0.0, 0.0),
                None => (-1.0, 0.0),
                Some(0) => (1.0, 0.0),
                Some(_) => (0.0, self.discount),
            };
            answers.rewards.push(reward);
            answers.discounts.push(discount);
            answers.logits.extend([0.0; 3]);
            answers.values.push(0.0);
        }
        Ok(())
    }
}

fn nim(algorithm: Algorithm, discount: f32) -> Vec<(usize, Decision)> {
    let heaps: Vec<usize> = (1..=11).collect();
    let roots = heaps.iter().map(|&heap| Root {
        logits: vec![0.0; 3],
        value: 0.0,
        legal: (1..=3).map(|taken| taken <= heap).collect(),
        noise: Vec::new(),
    });
    let config = SearchConfig {
        simulations: 600,
        algorithm,
    };
    let mut model = Nim {
        heaps: heaps.iter().map(|&heap| vec![Some(heap)]).collect(),
        discount,
    };
    let search = run(&config, 3, roots.collect(), &mut model);
    let decided = heaps.iter().enumerate();
    decided
        .map(|(tree, &heap)| (heap, search.decide(tree)))
        .collect()
}

fn algorithms() -> Vec<Algorithm> {
    let puct = |normalisation| {
        Algorithm::Puct(PuctConfig {
            normalisation,
            ..PuctConfig::default()
        })
    };
    vec![
        Algorithm::Gumbel(GumbelConfig::default()),
        puct(QNormalisation::Tree),
        puct(QNormalisation::Siblings),
    ]
}

#[test]
fn forced_wins_of_nim_are_found() {
    for algorithm in algorithms() {
        for (heap, decision) in nim(algorithm.clone(), -1.0) {
            let name = format!("{algorithm:?}, heap {heap}: {decision:?}");
            // Not the root's mean value: halving gives bad actions their share of the simulations.
            let found = decision.values[decision.action].expect("a visited action");
            if heap % 4 == 0 {
                assert!(found < 0.0, "a lost position: {name}");
            } else {
                assert_eq!(decision.action + 1, heap % 4, "{name}");
                assert!(found > 0.0, "a won position: {name}");
            }
        }
    }
}

#[test]
fn without_the_sign_nim_is_not_understood() {
    for algorithm in algorithms() {
        let wrong = nim(algorithm, 1.0)
            .into_iter()
            .filter(|(heap, decision)| heap % 4 != 0 && decision.action + 1 != heap % 4);
        assert!(wrong.count() > 0);
    }
}

/// A table of rewards under (parent, action); values and logits are 0, the discount is 1.
struct Rewards(Vec<((usize, usize), f32)>);

impl Model for Rewards {
    fn expand(&mut self, requests: &[Request], answers: &mut Answers) -> Result<()> {
        for request in requests {
            let edge = (request.parent, request.action);
            let found = self.0.iter().find(|(known, _)| *known == edge);
            answers
                .rewards
                .push(found.map_or(0.0, |(_, reward)| *reward));
            answers.discounts.push(1.0);
            answers.logits.extend([0.0; 2]);
            answers.values.push(0.0);
        }
        Ok(())
    }
}

fn first_edges(normalisation: QNormalisation) -> Vec<(usize, usize)> {
    let config = SearchConfig {
        simulations: 5,
        algorithm: Algorithm::Puct(PuctConfig {
            normalisation,
            ..PuctConfig::default()
        }),
    };
    let root = Root {
        logits: vec![0.0; 2],
        value: 0.0,
        legal: vec![true; 2],
        noise: Vec::new(),
    };
    let mut model = Rewards(vec![((0, 0), 10.0), ((1, 0), 0.2), ((1, 1), 0.1)]);
    let shot = run(&config, 2, vec![root], &mut model).shot(0);
    let edges = shot.nodes.iter().skip(1);
    edges
        .map(|node| (node.parent.unwrap_or(0), node.action))
        .collect()
}

/// With `w(N) = sqrt(N) (1.25 + ln((N + 19653) / 19652))` and priors of a half:
///
/// | Simulation | Q seen before | At the root | At node 1 |
/// |---|---|---|---|
/// | 1 | | both w(1)/2: action 0 | |
/// | 2 | 10 alone: not scaled | 10 + w(2)/4, w(2)/2: 0 | both w(1)/2: 0 |
/// | 3 | 0.2 to 10.1 | 1 + w(3)/6 = 1.361, w(3)/2 = 1.083: 0 | 0 + w(2)/4 = 0.442, w(2)/2 = 0.884: 1 |
/// | 4 | 0.1 to 10.1 | 1 + w(4)/8 = 1.313, w(4)/2 = 1.250: 0 | 0.01 + w(3)/4 = 0.551, w(3)/4 = 0.541: 0 |
/// | 5 | 0 to 10.125 | 1 + w(5)/10 = 1.280, w(5)/2 = 1.398: 1 | |
///
/// Among siblings alone, simulation 3 scores 1 + w(2)/4 = 1.442 for action 0 at node 1, whose Q of
/// 0.2 is higher than the node's value of 0.1.
#[test]
fn q_is_normalised_over_the_tree_or_over_siblings() {
    let tree = first_edges(QNormalisation::Tree);
    assert_eq!(tree, [(0, 0), (1, 0), (1, 1), (2, 0), (0, 1)]);
    let siblings = first_edges(QNormalisation::Siblings);
    assert_eq!(siblings[..3], [(0, 0), (1, 0), (2, 0)]);
}

#[test]
fn before_the_first_simulation_the_prior_decides() {
    for algorithm in algorithms() {
        let config = SearchConfig {
            simulations: 0,
            algorithm,
        };
        let root = Root {
            logits: vec![1.0, 5.0, 2.0],
            value: 0.5,
            legal: vec![true, false, true],
            noise: Vec::new(),
        };
        let search = Search::new(&config, 3, vec![root]).expect("a root");
        assert!(search.is_done());
        let decision = search.decide(0);
        assert_eq!(decision.action, 2);
        let share = 1.0 / (1.0 + (-1.0_f32).exp());
        near(decision.policy[2], share, "softmax over the legal actions");
        near(
            decision.policy[0],
            1.0 - share,
            "softmax over the legal actions",
        );
        assert!(decision.policy[1].abs() < f32::MIN_POSITIVE);
        assert_eq!(decision.visits, [0; 3]);
        assert_eq!(search.shot(0).nodes.len(), 1);
    }
}

#[test]
fn unsound_roots_and_answers_are_refused() {
    let config = SearchConfig {
        simulations: 1,
        algorithm: Algorithm::Gumbel(GumbelConfig::default()),
    };
    let sound = Root {
        logits: vec![0.0; 2],
        value: 0.0,
        legal: vec![true; 2],
        noise: Vec::new(),
    };
    let mut stuck = sound.clone();
    stuck.legal = vec![false; 2];
    let mut short = sound.clone();
    short.logits.pop();
    let mut wrong = sound.clone();
    wrong.value = f32::NAN;
    let mut out = sound.clone();
    out.logits = vec![f32::NEG_INFINITY; 2];
    for root in [stuck, short, wrong, out] {
        let roots = vec![sound.clone(), root];
        assert!(Search::new(&config, 2, roots).is_err());
    }
    let mut search = Search::new(&config, 2, vec![sound]).expect("a sound root");
    let mut broken = Rewards(vec![((0, 0), f32::NAN)]);
    assert!(search.simulate(&mut broken).is_err());
    assert_eq!(search.decide(0).visits, [0; 2], "nothing was added");
    let mut model = Rewards(Vec::new());
    search.simulate(&mut model).expect("the one simulation");
    assert!(search.simulate(&mut model).is_err(), "no room for more");
}
