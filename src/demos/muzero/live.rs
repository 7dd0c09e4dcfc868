//! One search that is watched while it grows, and what the model imagines along a line of moves.
//!
//! A search goes on for some milliseconds a step and then shows its tree. What the model's policy
//! gives to illegal moves is measured beside it, with the true rules: in the tree the search knows
//! legality at the root only.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::agent::{self, legal_policy};
use super::config::{Agent, Settings};
use super::game::{Game, GameId, Player};
use super::kept::networks;
use super::planning::{Planner, Resting, Sight, observations};
use super::player::{PlayOptions, observe};
use super::search::{
    Algorithm, Answers, Decision, GumbelConfig, Model, PuctConfig, QNormalisation, Request, Search,
    SearchConfig, TreeShot, TrueRules,
};
use super::think::position;
use super::weights_file::Trained;
use super::who;
use crate::compute::{Flow, Job, StepCx};
use crate::error::{Error, Result};

/// A step takes about so long.
const STEP: Duration = Duration::from_millis(16);
/// Illegal moves are counted to this depth.
const MAX_DEPTH: usize = 64;

/// How the tree grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rule {
    /// As the networks were trained.
    #[default]
    AsTrained,
    /// Gumbel `MuZero`.
    Gumbel,
    /// The first paper's search.
    Puct,
}

impl Rule {
    /// The search without noise.
    #[must_use]
    pub fn algorithm(self, settings: &Settings) -> Algorithm {
        let own = PlayOptions::best(settings, 0).algorithm;
        let two = settings.players == 2;
        match (self, own) {
            (Self::Gumbel, Algorithm::Puct(_)) => Algorithm::Gumbel(GumbelConfig {
                scale: 0.0,
                ..if two {
                    GumbelConfig::board()
                } else {
                    GumbelConfig::default()
                }
            }),
            (Self::Puct, Algorithm::Gumbel(_)) => Algorithm::Puct(PuctConfig {
                dirichlet_fraction: 0.0,
                temperature: 0.0,
                normalisation: QNormalisation::Tree,
                ..PuctConfig::default()
            }),
            (_, own) => own,
        }
    }
}

/// What is to be searched.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveRequest {
    /// The game.
    pub game: GameId,
    /// Weights in place of the shipped ones.
    pub weights: Option<PathBuf>,
    /// The moves that lead to the position.
    pub moves: Vec<usize>,
    /// Simulations that the search is planned for.
    pub simulations: usize,
    /// Simulations after which it is held, to look at it; `None` does all.
    pub until: Option<usize>,
    /// How the tree grows.
    pub rule: Rule,
}

/// A search as it stands.
#[derive(Clone, Debug)]
pub struct LiveShot {
    /// What was asked.
    pub request: LiveRequest,
    /// The tree.
    pub tree: TreeShot,
    /// What it says of the root so far.
    pub decision: Decision,
    /// The network's own policy over the legal moves.
    pub prior: Vec<f32>,
    /// What playing the search's policy is worth for the player whose turn it is.
    pub value: f32,
    /// Simulations done.
    pub simulations: usize,
    /// Measured, without loading the networks.
    pub sims_per_second: Option<f64>,
    /// Whether the search has done what was asked.
    pub done: bool,
    /// What the model's policy gives to illegal moves at each depth, the mean over the nodes that
    /// legal moves lead to; ends with the depth that has such nodes. Board games only.
    pub illegal: Vec<f32>,
    /// Nodes that only illegal moves or moves after the end lead to, of all below the root.
    pub dreamt: usize,
    /// Whether the search is Gumbel's.
    pub is_gumbel: bool,
    /// Training steps of the networks.
    pub trained_steps: u64,
    /// Says that the networks are untrained.
    pub untrained: Option<String>,
}

/// Searches one position and shows the tree as it grows.
pub struct LiveJob {
    request: LiveRequest,
    state: Option<State>,
}

struct State {
    trained: Arc<Trained>,
    untrained: Option<String>,
    search: Search,
    resting: Resting,
    rules: Rules,
    prior: Vec<f32>,
    until: usize,
    spent: Duration,
}

/// The true rules beside the tree: which nodes are real, and what the policy gives to illegal moves.
struct Rules {
    /// The position of each node; `None` where no legal moves lead.
    games: Vec<Option<Box<dyn Game>>>,
    depths: Vec<usize>,
    /// Sum and number for each depth.
    mass: Vec<(f64, u32)>,
    dreamt: usize,
}

impl Rules {
    fn new(root: &dyn Game, logits: &[f32]) -> Self {
        let two = root.spec().players == 2;
        let copy = if two { root.boxed_clone().ok() } else { None };
        let mut rules = Self {
            games: Vec::new(),
            depths: Vec::new(),
            mass: Vec::new(),
            dreamt: 0,
        };
        rules.add(copy, 0, logits);
        rules
    }

    fn add(&mut self, game: Option<Box<dyn Game>>, depth: usize, logits: &[f32]) {
        if let Some(game) = game.as_ref().filter(|game| !game.is_over())
            && depth < MAX_DEPTH
        {
            self.mass.resize(self.mass.len().max(depth + 1), (0.0, 0));
            self.mass[depth].0 += f64::from(illegal_mass(&**game, logits));
            self.mass[depth].1 += 1;
        }
        self.games.push(game);
        self.depths.push(depth);
    }

    /// Follows what the model was asked.
    fn follow(&mut self, request: Request, logits: &[f32]) {
        let above = self.games.get(request.parent).and_then(Option::as_ref);
        let was_known = self.games.first().is_some_and(Option::is_some);
        let game = above.and_then(|game| {
            let mut game = game.boxed_clone().ok()?;
            game.step(request.action).ok()?;
            Some(game)
        });
        self.dreamt += usize::from(was_known && game.is_none());
        let depth = self.depths.get(request.parent).map_or(0, |depth| depth + 1);
        self.add(game, depth, logits);
    }

    fn illegal(&self) -> Vec<f32> {
        let mean = |&(sum, count): &(f64, u32)| (sum / f64::from(count.max(1))) as f32;
        self.mass.iter().map(mean).collect()
    }
}

/// The probability that a policy gives to moves that are not legal.
fn illegal_mass(game: &dyn Game, logits: &[f32]) -> f32 {
    let mut legal = vec![false; logits.len()];
    game.legal(&mut legal);
    let all = legal_policy(logits, &vec![true; logits.len()]);
    let outside = all.iter().zip(&legal).filter(|(_, legal)| !**legal);
    outside.map(|(p, _)| p).sum()
}

/// A model whose answers the rules look at.
struct Watched<'a, 'n> {
    planner: &'a mut Planner<'n>,
    rules: &'a mut Rules,
}

impl Model for Watched<'_, '_> {
    fn expand(&mut self, requests: &[Request], answers: &mut Answers) -> Result<()> {
        self.planner.expand(requests, answers)?;
        let actions = answers.logits.len() / requests.len().max(1);
        for (request, logits) in requests
            .iter()
            .zip(answers.logits.chunks_exact(actions.max(1)))
        {
            self.rules.follow(*request, logits);
        }
        Ok(())
    }
}

impl LiveJob {
    /// A search that has not begun.
    #[must_use]
    pub fn new(request: LiveRequest) -> Self {
        Self {
            request,
            state: None,
        }
    }
}

fn planner<'a>(trained: &'a Trained, device: &Device) -> Planner<'a> {
    let settings = &trained.about.settings;
    Planner::new(&trained.net, device, settings.players, settings.discount)
}

impl State {
    fn begin(
        request: &LiveRequest,
        (trained, untrained): (Arc<Trained>, Option<String>),
        device: &Device,
    ) -> Result<Self> {
        let game = position(&request.game, &request.moves)?;
        let settings = &trained.about.settings;
        let seen = observe(&[&*game], settings.net.observation);
        let legal = agent::legal(&[&*game], settings.net.actions);
        let simulations = match settings.agent {
            Agent::ActorCritic => 0,
            Agent::MuZero | Agent::AlphaZero => request.simulations,
        };
        let config = SearchConfig {
            simulations,
            algorithm: request.rule.algorithm(settings),
        };
        let mut planner = planner(&trained, device);
        let looked = planner.begin(&seen, simulations)?;
        let prior = legal_policy(&looked.logits, &legal[0]);
        let rules = Rules::new(&*game, &looked.logits);
        let mut search = Search::new(&config, settings.net.actions, looked.roots(legal))?;
        let resting = planner.rest();
        let until = request.until.unwrap_or(simulations).min(simulations);
        let begun = Instant::now();
        if settings.agent == Agent::AlphaZero {
            // With the true rules the whole search is one step: its games live as long as it.
            let mut sight = Sight::new(&trained.net, device);
            let games: [&dyn Game; 1] = [&*game];
            let mut model = TrueRules::new(&games, settings.discount, &mut sight)?;
            while search.simulations() < until {
                search.simulate(&mut model)?;
            }
        }
        Ok(Self {
            untrained,
            search,
            resting,
            rules,
            prior,
            until,
            spent: begun.elapsed(),
            trained,
        })
    }

    /// Simulates for a while.
    fn go_on(mut self, device: &Device) -> Result<Self> {
        let begun = Instant::now();
        let mut planner = planner(&self.trained, device).resume(self.resting);
        while self.search.simulations() < self.until && begun.elapsed() < STEP {
            let mut model = Watched {
                planner: &mut planner,
                rules: &mut self.rules,
            };
            self.search.simulate(&mut model)?;
        }
        self.resting = planner.rest();
        self.spent += begun.elapsed();
        Ok(self)
    }

    fn shot(&self, request: &LiveRequest) -> LiveShot {
        let decision = self.search.decide(0);
        let simulations = self.search.simulations();
        let settings = &self.trained.about.settings;
        let measured = simulations > 0 && !self.spent.is_zero();
        LiveShot {
            tree: self.search.shot(0),
            value: agent::expected(&decision),
            decision,
            prior: self.prior.clone(),
            simulations,
            sims_per_second: measured.then(|| simulations as f64 / self.spent.as_secs_f64()),
            done: simulations >= self.until,
            illegal: self.rules.illegal(),
            dreamt: self.rules.dreamt,
            is_gumbel: matches!(request.rule.algorithm(settings), Algorithm::Gumbel(_)),
            trained_steps: self.trained.about.counters.steps,
            untrained: self.untrained.clone(),
            request: request.clone(),
        }
    }
}

/// Searches at once, on this thread: for pictures, which wait for nothing.
///
/// # Errors
/// When the networks cannot be loaded, or the game is over.
pub fn search_now(request: &LiveRequest) -> Result<LiveShot> {
    let device = &Device::Cpu;
    let nets = who::networks(&request.game, request.weights.as_deref(), device)?;
    let mut state = State::begin(request, nets, device)?;
    loop {
        state = state.go_on(device)?;
        let shot = state.shot(request);
        if shot.done {
            return Ok(shot);
        }
    }
}

impl Job for LiveJob {
    type Output = LiveShot;

    fn step(&mut self, cx: &mut StepCx<'_, LiveShot>) -> Result<Flow> {
        let state = if let Some(state) = self.state.take() {
            state
        } else {
            let request = &self.request;
            let nets = networks(cx, &request.game, request.weights.as_deref())?;
            State::begin(request, nets, cx.device())?
        };
        let state = state.go_on(cx.device())?;
        let shot = state.shot(&self.request);
        let done = shot.done;
        cx.progress(
            shot.simulations as u64,
            Some(state.until as u64),
            "simulations",
        );
        if done {
            cx.emit(shot);
            return Ok(Flow::Finished);
        }
        cx.show(shot);
        self.state = Some(state);
        Ok(Flow::Continue)
    }
}

/// What the model imagines after some moves.
#[derive(Clone, Debug, PartialEq)]
pub struct Imagined {
    /// Planes, rows and columns of what the probe draws.
    pub shape: [usize; 3],
    /// What the probe sees in the state, as probabilities, for the player whose turn it is.
    pub planes: Vec<f32>,
    /// Whose turn it is.
    pub to_play: Player,
}

/// Asks what the model imagines along a line of moves, from the position of a search on.
pub struct ImagineJob {
    /// The search.
    pub request: LiveRequest,
    /// The moves from its root; they need not be legal.
    pub path: Vec<usize>,
}

impl Job for ImagineJob {
    /// The root, then what follows each move.
    type Output = Vec<Imagined>;

    fn step(&mut self, cx: &mut StepCx<'_, Vec<Imagined>>) -> Result<Flow> {
        let request = &self.request;
        let (trained, _) = networks(cx, &request.game, request.weights.as_deref())?;
        let game = position(&request.game, &request.moves)?;
        cx.emit(imagine(&trained, &*game, &self.path, cx.device())?);
        Ok(Flow::Finished)
    }
}

/// What networks imagine in a position and after each of some moves, legal or not.
///
/// # Errors
/// When the networks do not fit the game, or there is no such action.
pub fn imagine(
    trained: &Trained,
    game: &dyn Game,
    path: &[usize],
    device: &Device,
) -> Result<Vec<Imagined>> {
    let config = trained.net.config();
    if path.iter().any(|&action| action >= config.actions) {
        return Err(Error::Input("there is no such action".into()));
    }
    let seen = observe(&[game], config.observation);
    let mut state = trained
        .net
        .represent(&observations(config, &seen, device)?)?;
    let mut to_play = game.to_play();
    let mut line = vec![drawn(trained, &state, to_play)?];
    for &action in path {
        let action = Tensor::from_slice(&[action as u32], 1, device)?;
        state = trained.net.dynamics(&state, &action)?.1;
        if game.spec().players == 2 {
            to_play = to_play.other();
        }
        line.push(drawn(trained, &state, to_play)?);
    }
    Ok(line)
}

fn drawn(trained: &Trained, state: &Tensor, to_play: Player) -> Result<Imagined> {
    let logits: Vec<f32> = trained.net.probe(state)?.flatten_all()?.to_vec1()?;
    Ok(Imagined {
        shape: trained.net.config().probe_shape(),
        planes: logits.iter().map(|x| 1.0 / (1.0 + (-x).exp())).collect(),
        to_play,
    })
}
