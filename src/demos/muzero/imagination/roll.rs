//! One line of moves, imagined and played.

use std::path::PathBuf;
use std::sync::Arc;

use candle_core::Device;
use serde::{Deserialize, Serialize};

use super::super::agent;
use super::super::game::{Game, GameId, Outcome, Player, open};
use super::super::planning::Planner;
use super::super::player::{PlayOptions, observe};
use super::super::search::Search;
use super::super::self_play::random_action;
use super::super::weights_file::Trained;
use super::super::who::networks;
use super::{Difference, Dream, Look, difference, fixed_view};
use crate::compute::{Flow, Job, StepCx};
use crate::error::{Error, Result};
use crate::rng::Rng;

/// Longest line.
pub const MOST_STEPS: usize = 20;
/// Likely moves that are told of a policy.
const LIKELY: usize = 3;

/// Where the moves come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Along {
    /// These, legal or not: where one is not, the true game stands still and only the imagined one
    /// goes on.
    Given(Vec<usize>),
    /// Legal moves at random.
    Random,
    /// What a search of so many simulations in the learned model holds best for both sides.
    Principal(usize),
}

/// What is to be imagined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RollConfig {
    /// The game.
    pub game: GameId,
    /// The moves that lead to where imagining begins.
    pub moves: Vec<usize>,
    /// The moves after it.
    pub along: Along,
    /// Most of them, up to 20.
    pub depth: usize,
    /// Weights in place of the shipped ones.
    pub weights: Option<PathBuf>,
    /// Where random moves begin.
    pub seed: u64,
}

/// A move and what a policy gives it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Likely {
    /// Its name.
    #[serde(rename = "move")]
    pub name: String,
    /// Its probability.
    pub probability: f32,
}

/// A moment of a line. Values are the first player's in games for two.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// The action that leads here; `None` at the beginning.
    pub action: Option<usize>,
    /// Its name.
    pub name: String,
    /// Whose turn it is.
    pub first_to_play: bool,
    /// What the probe draws of the imagined state, in the first player's view; thousandths in
    /// files.
    #[serde(with = "thousandths")]
    pub imagined: Vec<f32>,
    /// What was there in truth; `None` after a move that the rules forbid.
    pub seen: Option<Vec<f32>>,
    /// How far the two lie apart.
    pub difference: Option<Difference>,
    /// The value of the imagined state.
    pub value: f32,
    /// That of the state that `h` makes of the true observation; how the game ended, once it has.
    pub true_value: Option<f32>,
    /// The imagined reward of the action that leads here, in games that have some on the way.
    pub reward: Option<f32>,
    /// What it earned in truth.
    pub true_reward: Option<f32>,
    /// The likeliest moves of the imagined state's policy.
    pub likely: Vec<Likely>,
    /// The likeliest moves by the true observation.
    pub true_likely: Vec<Likely>,
    /// How much of the imagined policy lies on moves that the rules forbid; `None` where nothing
    /// can be played.
    pub illegal: Option<f32>,
    /// Whether the game is over in truth.
    pub over: bool,
}

/// Pictures in files: three digits are more than is seen, and short.
mod thousandths {
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(numbers: &[f32], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(numbers.iter().map(|x| (x * 1000.0).round() as u32))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f32>, D::Error> {
        let thousandths = Vec::<u32>::deserialize(deserializer)?;
        Ok(thousandths.iter().map(|&x| x as f32 / 1000.0).collect())
    }
}

/// A line, imagined and played.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Roll {
    /// The game.
    pub game: GameId,
    /// Planes, rows and columns of the pictures.
    pub shape: [usize; 3],
    /// Whether the networks are trained ones.
    pub trained: bool,
    /// Training steps that they had.
    pub training_steps: u64,
    /// Steps that the model was unrolled in training.
    pub unroll: usize,
    /// The moments, the beginning first.
    pub steps: Vec<Step>,
}

/// Imagines one line.
pub struct RollJob {
    config: RollConfig,
}

impl RollJob {
    /// A line to imagine.
    #[must_use]
    pub fn new(config: RollConfig) -> Self {
        Self { config }
    }
}

impl Job for RollJob {
    type Output = Roll;

    fn step(&mut self, cx: &mut StepCx<'_, Roll>) -> Result<Flow> {
        let config = &self.config;
        let (trained, warning) = networks(&config.game, config.weights.as_deref(), cx.device())?;
        let is_trained = warning.is_none();
        let roll = roll(&trained, config, cx.device())?;
        cx.emit(Roll {
            trained: is_trained,
            ..roll
        });
        Ok(Flow::Finished)
    }
}

/// The true side of a line: the game, until a move that its rules forbid.
struct Truth {
    game: Box<dyn Game>,
    possible: bool,
    earned: Option<f32>,
}

impl Truth {
    fn step(&mut self, action: usize) {
        self.earned = None;
        if !self.possible || self.game.is_over() {
            // A finished game stays what it is, whatever is done.
            self.earned = self.possible.then_some(0.0);
            return;
        }
        match self.game.step(action) {
            Ok(reward) => self.earned = Some(reward),
            Err(_) => self.possible = false,
        }
    }
}

fn roll(trained: &Arc<Trained>, config: &RollConfig, device: &Device) -> Result<Roll> {
    let settings = &trained.about.settings;
    let mut game = open(&config.game)?;
    for &action in &config.moves {
        game.step(action)?;
    }
    let depth = config.depth.min(MOST_STEPS);
    let mut teller = Teller {
        trained,
        device,
        mover: game.to_play(),
    };
    let given = match &config.along {
        Along::Given(actions) => Some(actions.clone()),
        Along::Random => None,
        Along::Principal(simulations) => Some(principal(trained, &*game, *simulations, device)?),
    };
    if let Some(action) = (given.iter().flatten()).find(|&&a| a >= settings.net.actions) {
        return Err(Error::Input(format!("there is no action {action}")));
    }
    let mut rng = Rng::new(config.seed).split("imagined moves");
    let seen = observe(&[&*game], settings.net.observation);
    let mut dream = Dream::begin(&trained.net, &seen, device)?;
    let mut truth = Truth {
        game,
        possible: true,
        earned: None,
    };
    let mut steps = vec![teller.tell(&dream, &truth, None, None)?];
    for k in 0..depth {
        let action = match &given {
            Some(actions) => match actions.get(k) {
                Some(&action) => action,
                None => break,
            },
            // Beyond the end anything may be done.
            None if truth.game.is_over() => rng.below(settings.net.actions),
            None => random_action(&*truth.game, settings.net.actions, &mut rng),
        };
        let name = truth.game.action_name(action);
        let reward = dream.step(&[action])?.map(|rewards| rewards[0]);
        truth.step(action);
        if settings.players == 2 {
            teller.mover = teller.mover.other();
        }
        steps.push(teller.tell(&dream, &truth, Some((action, name)), reward)?);
    }
    Ok(Roll {
        game: config.game.clone(),
        shape: trained.net.config().probe_shape(),
        trained: true,
        training_steps: trained.about.counters.steps,
        unroll: settings.unroll,
        steps,
    })
}

/// The moves that a search in the learned model holds best, as deep as its tree goes.
fn principal(
    trained: &Trained,
    game: &dyn Game,
    simulations: usize,
    device: &Device,
) -> Result<Vec<usize>> {
    let settings = &trained.about.settings;
    if game.is_over() || simulations == 0 {
        return Ok(Vec::new());
    }
    let games = [game];
    let config = PlayOptions::best(settings, simulations).search();
    let seen = observe(&games, settings.net.observation);
    let mut planner = Planner::new(&trained.net, device, settings.players, settings.discount);
    let looked = planner.begin(&seen, config.simulations)?;
    let roots = looked.roots(agent::legal(&games, settings.net.actions));
    let mut search = Search::new(&config, settings.net.actions, roots)?;
    while !search.is_done() {
        search.simulate(&mut planner)?;
    }
    let shot = search.shot(0);
    let mut line = vec![search.decide(0).action];
    let below = |parent: usize| {
        let nodes = shot.nodes.iter().enumerate();
        nodes.filter(move |(_, node)| node.parent == Some(parent))
    };
    let mut at = below(0).find(|(_, node)| node.action == line[0]);
    while let Some((parent, _)) = at {
        // The first of equals, which the search tried first.
        at = below(parent).rev().max_by_key(|(_, node)| node.visits);
        line.extend(at.map(|(_, node)| node.action));
    }
    Ok(line)
}

/// Reads both sides of a moment.
struct Teller<'a> {
    trained: &'a Trained,
    device: &'a Device,
    /// Whose turn it is, as the networks count: they know no end.
    mover: Player,
}

impl Teller<'_> {
    fn tell(
        &self,
        dream: &Dream,
        truth: &Truth,
        action: Option<(usize, String)>,
        reward: Option<f32>,
    ) -> Result<Step> {
        let Look {
            mut pictures,
            values,
            policies,
        } = dream.look()?;
        self.turn(&mut pictures);
        let game = &*truth.game;
        let side = self.side();
        let over = truth.possible && game.is_over();
        let mut step = Step {
            first_to_play: self.mover == Player::First,
            value: side * values[0],
            reward,
            true_reward: truth.earned.filter(|_| action.is_some()),
            likely: likely(game, &policies),
            illegal: None,
            over,
            name: action.as_ref().map_or(String::new(), |(_, n)| n.clone()),
            action: action.map(|(action, _)| action),
            imagined: pictures,
            seen: None,
            difference: None,
            true_value: None,
            true_likely: Vec::new(),
        };
        if truth.possible {
            self.compare(dream, game, &policies, &mut step)?;
        }
        Ok(step)
    }

    /// Fills in the true side.
    fn compare(
        &self,
        dream: &Dream,
        game: &dyn Game,
        policies: &[f32],
        step: &mut Step,
    ) -> Result<()> {
        let settings = &self.trained.about.settings;
        let seen = observe(&[game], settings.net.observation);
        let mut picture = dream.target(&seen)?;
        // A finished game's observation is that of its last mover's opponent for ever.
        self.turn_from(game.to_play(), &mut picture);
        let shape = self.trained.net.config().probe_shape();
        step.difference = Some(difference(&settings.game, shape, &step.imagined, &picture));
        step.seen = Some(picture);
        if game.is_over() {
            step.true_value = Some(match game.outcome() {
                Some(Outcome::Won(Player::First)) => 1.0,
                Some(Outcome::Won(Player::Second)) => -1.0,
                Some(Outcome::Drawn) | None => 0.0,
            });
            return Ok(());
        }
        let look = Dream::begin(&self.trained.net, &seen, self.device)?.look()?;
        step.true_value = Some(self.side() * look.values[0]);
        step.true_likely = likely(game, &look.policies);
        if settings.players == 2 {
            let mut legal = vec![false; settings.net.actions];
            game.legal(&mut legal);
            let forbidden = policies.iter().zip(&legal).filter(|(_, legal)| !**legal);
            step.illegal = Some(forbidden.map(|(p, _)| p).sum());
        }
        Ok(())
    }

    /// What a value counts for the first player.
    fn side(&self) -> f32 {
        match self.mover {
            Player::First => 1.0,
            Player::Second => -1.0,
        }
    }

    fn turn(&self, picture: &mut [f32]) {
        self.turn_from(self.mover, picture);
    }

    fn turn_from(&self, mover: Player, picture: &mut [f32]) {
        let shape = self.trained.net.config().probe_shape();
        fixed_view(&self.trained.about.settings.game, shape, mover, picture);
    }
}

/// The likeliest moves of a policy.
fn likely(game: &dyn Game, policy: &[f32]) -> Vec<Likely> {
    let mut order: Vec<usize> = (0..policy.len()).collect();
    order.sort_by(|&a, &b| policy[b].total_cmp(&policy[a]));
    let one = |&action: &usize| Likely {
        name: game.action_name(action),
        probability: policy[action],
    };
    order.iter().take(LIKELY).map(one).collect()
}
