//! The arcade machine: games of the Arcade Learning Environment, played by a child process.
//!
//! Bellemare et al. 2013 and Machado et al. 2018. The environment and its ROMs come with the
//! Python package `ale-py`, which the user installs; a small script of ours
//! (`assets/muzero/ale_server.py`) runs in that Python and is spoken to over pipes, so that
//! neither the emulator's licence nor its crashes are ours. Where it is missing, all other games
//! work.
//!
//! As in `MuZero` (appendix E): an action is held for four frames, of the last two of which the
//! brighter pixels are seen; actions stick with probability 0.25; a game begins with up to 30
//! frames of doing nothing, and lasts 30 minutes (108,000 frames) at most. An observation has
//! four grey pictures of 96 by 96 pixels, the oldest first, and then for each of them a plane that
//! holds everywhere the action that led to it, as a part of the number of actions. The paper has
//! 32 pictures in colour; four in grey (as in DQN) are what two processor cores can learn from.
//! Before the first picture there are copies of it, after action 0.
//!
//! A child that dies or hangs is lost with its episode: the step that finds out fails, the game is
//! over, and the next reset starts another child.

mod screen;
mod server;

pub use screen::Shrink;
pub use server::Launcher;

use super::{ActionCells, ActionCoding, Game, Outcome, Player, Scene, Spec};
use crate::data::Image;
use crate::error::{Error, Result};
use crate::rng::Rng;
use server::{Server, gone};

/// Pictures in an observation.
pub const STACK: usize = 4;

/// What the Arcade Learning Environment calls its actions; the place is its number.
const ACTIONS: [&str; 18] = [
    "noop",
    "fire",
    "up",
    "right",
    "left",
    "down",
    "upright",
    "upleft",
    "downright",
    "downleft",
    "upfire",
    "rightfire",
    "leftfire",
    "downfire",
    "uprightfire",
    "upleftfire",
    "downrightfire",
    "downleftfire",
];

/// How the arcade is played.
#[derive(Clone, Debug, PartialEq)]
pub struct AtariSettings {
    /// Frames that an action is held.
    pub frame_skip: u8,
    /// How likely a frame keeps the action before.
    pub sticky: f32,
    /// A game begins with at most so many frames of doing nothing.
    pub noops: u8,
    /// Frames after which a game is stopped.
    pub max_frames: usize,
    /// Rows and columns of the grey pictures; the papers have 84 and 96.
    pub size: usize,
    /// Only the sign of a reward is given, as DQN has it; `MuZero` scales its targets instead.
    pub clip_rewards: bool,
}

impl Default for AtariSettings {
    fn default() -> Self {
        Self {
            frame_skip: 4,
            sticky: 0.25,
            noops: 30,
            max_frames: 108_000,
            size: 96,
            clip_rewards: false,
        }
    }
}

/// The names of the ROMs that can be played, in alphabetical order.
///
/// # Errors
/// [`Error::Missing`] where Python or `ale-py` is, or when the child process fails.
pub fn roms() -> Result<Vec<String>> {
    let (_, reply) = Launcher::default().start(b"L")?;
    let names = String::from_utf8(reply).map_err(|_| gone("answers nonsense"))?;
    Ok(names.lines().map(str::to_owned).collect())
}

/// A game of the arcade.
#[derive(Debug)]
pub struct AtariGame {
    rom: String,
    settings: AtariSettings,
    launcher: Launcher,
    /// `None` where the last child was lost.
    server: Option<Server>,
    spec: Spec,
    /// The environment's numbers of the actions.
    actions: Vec<u8>,
    shrink: Shrink,
    screen: Screen,
    history: History,
    lives: i32,
    steps: usize,
    over: bool,
    lost: bool,
}

/// The screen as it is sent.
#[derive(Clone, Debug)]
struct Screen {
    height: usize,
    width: usize,
    /// Rows of red, green, blue.
    rgb: Vec<u8>,
}

/// The last pictures and the actions that led to them, the oldest first.
#[derive(Clone, Debug)]
struct History {
    pictures: [Vec<u8>; STACK],
    actions: [usize; STACK],
}

impl AtariGame {
    /// A game of this ROM, on a child process of its own. Until the first [`Game::reset`] the
    /// chances are those of seed 0.
    ///
    /// # Errors
    /// [`Error::Missing`] where Python, `ale-py` or the ROM is, [`Error::Input`] for settings that
    /// make no sense, or when the child process fails.
    pub fn new(rom: &str, settings: AtariSettings) -> Result<Self> {
        Self::launched(rom, settings, Launcher::default())
    }

    /// A game whose child processes are started in this way.
    ///
    /// # Errors
    /// As [`AtariGame::new`].
    pub fn launched(rom: &str, settings: AtariSettings, launcher: Launcher) -> Result<Self> {
        if settings.frame_skip == 0
            || !(1..=256).contains(&settings.size)
            || !(0.0..=1.0).contains(&settings.sticky)
        {
            return Err(Error::Input(format!(
                "the arcade cannot be played with {settings:?}"
            )));
        }
        let (server, opened) = launcher.start(&open_request(rom, &settings))?;
        let [h0, h1, w0, w1, actions @ ..] = &opened[..] else {
            return Err(gone("answers nonsense"));
        };
        let height = usize::from(u16::from_le_bytes([*h0, *h1]));
        let width = usize::from(u16::from_le_bytes([*w0, *w1]));
        let known = |&action: &u8| usize::from(action) < ACTIONS.len();
        if height * width == 0 || actions.is_empty() || !actions.iter().all(known) {
            return Err(gone("answers nonsense"));
        }
        let size = settings.size;
        let mut game = Self {
            rom: rom.to_owned(),
            spec: Spec {
                observation: [2 * STACK, size, size],
                actions: actions.len(),
                players: 1,
                max_steps: settings
                    .max_frames
                    .div_ceil(usize::from(settings.frame_skip)),
                coding: ActionCoding::Planes,
            },
            actions: actions.to_vec(),
            shrink: Shrink::new(height, width, size),
            screen: Screen {
                height,
                width,
                rgb: vec![0; height * width * 3],
            },
            history: History {
                pictures: std::array::from_fn(|_| vec![0; size * size]),
                actions: [0; STACK],
            },
            settings,
            launcher,
            server: Some(server),
            lives: 0,
            steps: 0,
            over: true,
            lost: false,
        };
        game.reset(Rng::new(0))?;
        Ok(game)
    }

    /// The name of the ROM.
    #[must_use]
    pub fn rom(&self) -> &str {
        &self.rom
    }

    /// Lives that are left; 0 in games without lives.
    #[must_use]
    pub fn lives(&self) -> i32 {
        self.lives
    }

    /// Whether the episode ended because the child process failed: its return means nothing.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.lost
    }

    /// The child process's number; `None` where it was lost.
    #[must_use]
    pub fn process_id(&self) -> Option<u32> {
        self.server.as_ref().map(Server::id)
    }

    /// The screen in colour.
    fn image(&self) -> Image {
        let pixels = self.screen.rgb.chunks_exact(3);
        let rgba = pixels.flat_map(|rgb| [rgb[0], rgb[1], rgb[2], u8::MAX]);
        Image {
            width: self.screen.width as u32,
            height: self.screen.height as u32,
            rgba: rgba.collect(),
        }
    }

    /// Asks the child; where it fails it is given up.
    fn ask(&mut self, request: &[u8]) -> Result<f32> {
        let server = self.server.as_mut().ok_or_else(|| gone("has ended"))?;
        let reply = server.request(request);
        let seen = reply.and_then(|reply| self.look(&reply));
        seen.inspect_err(|_| self.server = None)
    }

    /// Takes over what a reply shows, and gives its reward.
    fn look(&mut self, reply: &[u8]) -> Result<f32> {
        let Some((state, rgb)) = reply.split_at_checked(9) else {
            return Err(gone("answers nonsense"));
        };
        if rgb.len() != self.screen.rgb.len() {
            return Err(gone("answers nonsense"));
        }
        let number = |at: usize| {
            i32::from_le_bytes([state[at], state[at + 1], state[at + 2], state[at + 3]])
        };
        self.screen.rgb.copy_from_slice(rgb);
        self.lives = number(4);
        self.over = state[8] != 0;
        let reward = number(0);
        Ok(if self.settings.clip_rewards {
            reward.signum()
        } else {
            reward
        } as f32)
    }

    /// Puts the screen at the end of the history, as what this action led to.
    fn remember(&mut self, action: usize) {
        self.history.pictures.rotate_left(1);
        self.history.actions.rotate_left(1);
        self.history.actions[STACK - 1] = action;
        self.shrink
            .run(&self.screen.rgb, &mut self.history.pictures[STACK - 1]);
    }
}

fn open_request(rom: &str, settings: &AtariSettings) -> Vec<u8> {
    let mut request = vec![b'O'];
    // Through decimal digits, so that 0.25 and 0.1 stay what they say.
    let sticky = settings
        .sticky
        .to_string()
        .parse()
        .unwrap_or(f64::from(settings.sticky));
    request.extend_from_slice(&sticky.to_le_bytes());
    request.push(settings.frame_skip);
    request.extend_from_slice(rom.as_bytes());
    request
}

impl Game for AtariGame {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    /// # Errors
    /// Always: a child process cannot be copied.
    fn boxed_clone(&self) -> Result<Box<dyn Game>> {
        Err(Error::Input(format!(
            "a game of {} cannot be copied: it runs in a process of its own",
            self.rom
        )))
    }

    fn reset(&mut self, mut rng: Rng) -> Result<()> {
        let mut request = vec![b'R'];
        request.extend_from_slice(&rng.next_u64().to_le_bytes());
        request.push(rng.below(usize::from(self.settings.noops) + 1) as u8);
        self.over = true;
        self.lost = false;
        self.steps = 0;
        // A child that died since the last game is not worth a word, a second one is.
        if self.server.is_none() || self.ask(&request).is_err() {
            let opened = self
                .launcher
                .start(&open_request(&self.rom, &self.settings))?;
            self.server = Some(opened.0);
            self.ask(&request)?;
        }
        self.remember(0);
        let first = self.history.pictures[STACK - 1].clone();
        self.history.pictures.fill(first);
        self.history.actions.fill(0);
        Ok(())
    }

    fn to_play(&self) -> Player {
        Player::First
    }

    fn is_over(&self) -> bool {
        self.over || self.steps >= self.spec.max_steps
    }

    fn outcome(&self) -> Option<Outcome> {
        None
    }

    fn legal(&self, legal: &mut [bool]) {
        legal.fill(!self.is_over());
    }

    /// As [`Game::step`]; where the child process fails, the game is over and lost.
    fn step(&mut self, action: usize) -> Result<f32> {
        if self.is_over() {
            return Err(Error::Input("the game is over".into()));
        }
        if action >= self.spec.actions {
            return Err(Error::Input(format!(
                "there is no action {action}, there are {}",
                self.spec.actions
            )));
        }
        let reward = self.ask(&[b'A', action as u8]).inspect_err(|_| {
            self.over = true;
            self.lost = true;
        })?;
        self.steps += 1;
        self.remember(action);
        Ok(reward)
    }

    fn observe(&self, planes: &mut [f32]) {
        let cells = self.settings.size * self.settings.size;
        let (pictures, actions) = planes.split_at_mut(STACK * cells);
        for (plane, picture) in pictures.chunks_exact_mut(cells).zip(&self.history.pictures) {
            for (out, &grey) in plane.iter_mut().zip(picture) {
                *out = f32::from(grey) / 255.0;
            }
        }
        for (plane, &action) in actions.chunks_exact_mut(cells).zip(&self.history.actions) {
            plane.fill(action as f32 / self.spec.actions as f32);
        }
    }

    fn scene(&self) -> Scene {
        Scene::Screen(self.image())
    }

    fn action_name(&self, action: usize) -> String {
        let number = self.actions.get(action).map(|&number| usize::from(number));
        number.map_or("", |number| ACTIONS[number]).to_owned()
    }

    fn parse_action(&self, name: &str) -> Result<usize> {
        let mut all = self
            .actions
            .iter()
            .map(|&number| ACTIONS[usize::from(number)]);
        all.clone().position(|known| known == name).ok_or_else(|| {
            let names = all.by_ref().collect::<Vec<_>>().join(", ");
            Error::Input(format!("there is no action {name:?}, there are {names}"))
        })
    }

    fn cells(&self, _action: usize) -> ActionCells {
        ActionCells::default()
    }

    fn lives(&self) -> Option<u32> {
        u32::try_from(self.lives).ok().filter(|&lives| lives > 0)
    }
}
