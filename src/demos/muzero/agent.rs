//! How an agent comes to a move: by search in its learned model, by search with the true rules, or
//! straight from its policy.

use candle_core::Device;

use super::config::{Agent, Settings};
use super::game::Game;
use super::net::Net;
use super::planning::{Planner, Seen, Sight};
use super::search::{
    Algorithm, Decision, Model, Root, Search, SearchConfig, TrueRules, dirichlet_noise,
    gumbel_noise, sample,
};
use crate::error::Result;
use crate::rng::Rng;

/// What came of thinking about a position.
#[derive(Clone, Debug, PartialEq)]
pub struct Thought {
    /// The move.
    pub action: usize,
    /// The policy that the search found better than the network's own.
    pub policy: Vec<f32>,
    /// The value after the search, for the player whose turn it is.
    pub value: f32,
}

/// A position to think about.
pub struct Asked<'a> {
    /// Where it is to be played.
    pub game: &'a dyn Game,
    /// Whether the move is drawn with noise; otherwise it is the best that is found.
    pub noisy: bool,
    /// Whether whoever is behind may pass, in games that know it ([`Game::pass`]).
    pub gives_up: bool,
}

impl<'a> Asked<'a> {
    /// As self-play asks at the beginning: with noise, every move thought of.
    #[must_use]
    pub fn noisy(game: &'a dyn Game) -> Self {
        Self {
            game,
            noisy: true,
            gives_up: true,
        }
    }

    fn legal(&self, actions: usize) -> Vec<bool> {
        let mut legal = legal_in(self.game, actions);
        if let Some(pass) = self.game.pass()
            && !self.gives_up
            && self.game.is_behind()
        {
            legal[pass] = false;
            // Who has nothing else must pass.
            legal[pass] = !legal.contains(&true);
        }
        legal
    }
}

/// Thinks about a batch of positions with the noise of self-play. `seen` holds their observations,
/// `rngs` the random numbers of each.
///
/// # Errors
/// When the network fails, or a game cannot be copied for a search with its rules.
pub fn think(
    net: &Net,
    settings: &Settings,
    device: &Device,
    asked: &[Asked<'_>],
    seen: &[f32],
    rngs: Vec<&mut Rng>,
) -> Result<Vec<Thought>> {
    let config = &settings.search;
    let actions = settings.net.actions;
    let legal: Vec<Vec<bool>> = asked.iter().map(|asked| asked.legal(actions)).collect();
    let noisy: Vec<bool> = asked.iter().map(|asked| asked.noisy).collect();
    let mut planner = Planner::new(net, device, settings.players, settings.discount);
    let looked = planner.begin(seen, config.simulations)?;
    if settings.agent == Agent::ActorCritic || config.simulations == 0 {
        return Ok(from_policy(&looked, &legal, rngs));
    }
    let mut rngs = rngs;
    let mut roots = looked.roots(legal);
    add_noise(&mut roots, config, &noisy, &mut rngs);
    if settings.agent == Agent::AlphaZero {
        let mut sight = Sight::new(net, device);
        let games: Vec<&dyn Game> = asked.iter().map(|asked| asked.game).collect();
        let mut rules = TrueRules::new(&games, settings.discount, &mut sight)?;
        search(config, roots, &mut rules, &noisy, &mut rngs)
    } else {
        search(config, roots, &mut planner, &noisy, &mut rngs)
    }
}

/// What may be done in each game.
#[must_use]
pub fn legal(games: &[&dyn Game], actions: usize) -> Vec<Vec<bool>> {
    games.iter().map(|game| legal_in(*game, actions)).collect()
}

fn legal_in(game: &dyn Game, actions: usize) -> Vec<bool> {
    let mut legal = vec![false; actions];
    game.legal(&mut legal);
    legal
}

/// A network's policy over what is legal.
#[must_use]
pub fn legal_policy(logits: &[f32], legal: &[bool]) -> Vec<f32> {
    let greatest = logits
        .iter()
        .zip(legal)
        .filter_map(|(logit, legal)| legal.then_some(*logit))
        .fold(f32::NEG_INFINITY, f32::max);
    let weight = |(logit, legal): (&f32, &bool)| {
        if *legal {
            (logit - greatest).exp()
        } else {
            0.0
        }
    };
    let mut policy: Vec<f32> = logits.iter().zip(legal).map(weight).collect();
    let total: f32 = policy.iter().sum();
    for p in &mut policy {
        *p /= total;
    }
    policy
}

fn from_policy(looked: &Seen, legal: &[Vec<bool>], rngs: Vec<&mut Rng>) -> Vec<Thought> {
    let actions = legal.first().map_or(1, Vec::len);
    let rows = looked.logits.chunks_exact(actions);
    rows.zip(&looked.values)
        .zip(legal)
        .zip(rngs)
        .map(|(((logits, &value), legal), rng)| {
            let policy = legal_policy(logits, legal);
            let action = sample(&policy, 1.0, rng);
            Thought {
                action,
                policy,
                value,
            }
        })
        .collect()
}

fn add_noise(roots: &mut [Root], config: &SearchConfig, noisy: &[bool], rngs: &mut [&mut Rng]) {
    for ((root, rng), noisy) in roots.iter_mut().zip(rngs).zip(noisy) {
        root.noise = match &config.algorithm {
            // Gumbel's noise is the draw itself; Dirichlet's widens the search.
            Algorithm::Gumbel(_) if !noisy => Vec::new(),
            Algorithm::Gumbel(_) => gumbel_noise(rng, root.logits.len()),
            Algorithm::Puct(puct) => dirichlet_noise(rng, &root.legal, puct.dirichlet_alpha),
        };
    }
}

/// The value of playing the search's policy: the root's own mean also counts what was only tried.
#[must_use]
pub fn expected(decision: &Decision) -> f32 {
    let visited = decision.policy.iter().zip(&decision.values);
    let (mut sum, mut total) = (0.0, 0.0);
    for (policy, value) in visited.filter_map(|(p, value)| Some((p, (*value)?))) {
        sum += policy * value;
        total += policy;
    }
    if total > 0.0 {
        sum / total
    } else {
        decision.value
    }
}

fn search(
    config: &SearchConfig,
    roots: Vec<Root>,
    model: &mut dyn Model,
    noisy: &[bool],
    rngs: &mut [&mut Rng],
) -> Result<Vec<Thought>> {
    let (trees, actions) = (roots.len(), roots.first().map_or(0, |r| r.logits.len()));
    let mut search = Search::new(config, actions, roots)?;
    while !search.is_done() {
        search.simulate(model)?;
    }
    let thought = |tree: usize| {
        let decision = search.decide(tree);
        // Gumbel's move is already a draw; pUCT draws from its visits.
        let action = match &config.algorithm {
            Algorithm::Gumbel(_) => decision.action,
            Algorithm::Puct(puct) => {
                let temperature = if noisy[tree] { puct.temperature } else { 0.0 };
                sample(&decision.policy, temperature, rngs[tree])
            }
        };
        Thought {
            action,
            value: expected(&decision),
            policy: decision.policy,
        }
    };
    Ok((0..trees).map(thought).collect())
}
