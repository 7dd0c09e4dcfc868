//! Games for one player, live: with the keyboard, or while `MuZero` plays.

use std::sync::Arc;

use egui::{Context, EventFilter, Key, Response, RichText, Ui, Vec2};

use super::super::super::arcade::{ArcadeStep, Frame, Hand};
use super::super::super::game::{Game, GameId, Scene, open};
use super::super::page::Shared;
use super::super::scene;
use crate::compute::{Ending, Event, Lane, Run};
use crate::data::Image;
use crate::gui::controls::{RunState, capitalised, next_seed};
use crate::gui::{TabCx, theme};
use crate::rng::Rng;
use crate::view::ImageView;
use crate::view::grid::{GridPicture, GridView};

/// What is seen of the game.
#[derive(Default)]
enum Seen {
    #[default]
    Nothing,
    Grid(GridPicture),
    Screen(Arc<Image>),
}

/// Whether decisions are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Going {
    Held,
    Once,
    On,
}

/// One game that is being played.
pub struct Arcade {
    /// Which game this is about.
    id: Option<GameId>,
    game: Option<Box<dyn Game>>,
    run: Option<Run<Frame>>,
    seen: Seen,
    grid: GridView,
    screen: ImageView,
    going: Going,
    /// `MuZero` plays.
    pub watch: bool,
    /// Decisions a second, of the grids and of the arcade.
    pub pace: [u32; 2],
    held: usize,
    score: f32,
    steps: u32,
    last: Option<(String, f32)>,
    value: Option<f32>,
    over: bool,
    failure: Option<String>,
    untrained: Option<String>,
    /// Of the game under way.
    seed: u64,
    next_at: f64,
}

impl Default for Arcade {
    fn default() -> Self {
        Self {
            id: None,
            game: None,
            run: None,
            seen: Seen::Nothing,
            grid: GridView::new("Game"),
            screen: ImageView::new("Game"),
            going: Going::Held,
            watch: false,
            pace: [10, 15],
            held: 0,
            score: 0.0,
            steps: 0,
            last: None,
            value: None,
            over: false,
            failure: None,
            untrained: None,
            seed: 1,
            next_at: 0.0,
        }
    }
}

impl Arcade {
    /// Begins anew with the next chances.
    pub fn restart(&mut self) {
        self.seed = next_seed(self.seed);
        self.forget();
    }

    fn forget(&mut self) {
        let seed = self.seed;
        let id = self.id.take();
        *self = Self {
            id,
            seed,
            watch: self.watch,
            pace: self.pace,
            ..Self::default()
        };
    }

    /// Ends what runs; for another game.
    pub fn close(&mut self) {
        if self.id.is_some() {
            self.forget();
            self.id = None;
        }
    }

    pub fn state(&self) -> RunState {
        if self.going == Going::On {
            RunState::Running
        } else {
            RunState::Idle
        }
    }

    pub fn can_run(&self) -> bool {
        self.going != Going::On && !self.over && self.failure.is_none()
    }

    pub fn run(&mut self) {
        if self.can_run() {
            self.going = Going::On;
        }
    }

    pub fn pause(&mut self) {
        self.going = Going::Held;
    }

    pub fn step(&mut self) {
        if self.can_run() {
            self.going = Going::Once;
        }
    }

    /// Takes in what came, and asks for the next decision when it is time.
    pub fn logic(
        &mut self,
        ctx: &Context,
        shared: &Shared,
        simulations: usize,
        visible: bool,
        cx: &mut TabCx<'_>,
    ) {
        if self.id.as_ref() != Some(&shared.game) {
            self.forget();
            self.id = Some(shared.game.clone());
        }
        self.poll(cx);
        if !visible || self.failure.is_some() || self.run.is_some() {
            return;
        }
        if self.game.is_none() {
            self.begin(shared, cx);
            return;
        }
        if self.over || self.going == Going::Held {
            return;
        }
        let now = ctx.input(|input| input.time);
        if now < self.next_at && self.going == Going::On {
            let left = std::time::Duration::from_secs_f64(self.next_at - now);
            ctx.request_repaint_after(left);
            return;
        }
        let pace = self.pace[usize::from(matches!(shared.game, GameId::Atari(_)))];
        let pause = 1.0 / f64::from(pace.max(1));
        self.next_at = (self.next_at + pause).max(now + pause * 0.5);
        if self.going == Going::Once {
            self.going = Going::Held;
        }
        let hand = if self.watch {
            Hand::Machine {
                weights: shared.weights.clone(),
                simulations,
            }
        } else {
            Hand::Person(self.held)
        };
        let go_on = self.game.take().map(|game| (game, hand));
        self.submit(shared, go_on, cx);
    }

    fn begin(&mut self, shared: &Shared, cx: &TabCx<'_>) {
        if matches!(shared.game, GameId::MinAtar(_)) {
            // At once, so that there is something to see in the first frame.
            let begun = open(&shared.game).and_then(|mut game| {
                game.reset(Rng::new(self.seed))?;
                Ok(game)
            });
            match begun {
                Ok(game) => self.look(game),
                Err(error) => self.failure = Some(capitalised(&error.to_string())),
            }
        } else if cx.still {
            self.failure = Some("The arcade is not started for a picture".into());
        } else {
            self.submit(shared, None, cx);
        }
    }

    fn submit(&mut self, shared: &Shared, go_on: Option<(Box<dyn Game>, Hand)>, cx: &TabCx<'_>) {
        let job = ArcadeStep {
            id: shared.game.clone(),
            seed: self.seed,
            go_on,
        };
        let lane = Lane::Interactive("muzero arcade");
        let name = format!("MuZero: {}", shared.game.title());
        self.run = Some(cx.worker.submit(lane, name, job));
    }

    fn poll(&mut self, cx: &mut TabCx<'_>) {
        let Some(run) = &mut self.run else {
            return;
        };
        let (mut frames, mut over) = (Vec::new(), false);
        while let Some(event) = run.poll() {
            match event {
                Event::Output(frame) => frames.push(frame),
                Event::Warning(text) => cx.toasts.warning(text),
                Event::Ended(Ending::Failed(error)) => {
                    over = true;
                    self.failure = Some(capitalised(&error.to_string()));
                }
                Event::Ended(_) => over = true,
            }
        }
        if over {
            self.run = None;
        }
        for frame in frames {
            if let Some(action) = frame.action {
                self.steps += 1;
                self.score += frame.reward;
                self.last = Some((frame.game.action_name(action), frame.reward));
            }
            self.value = frame.value;
            self.untrained = frame.untrained;
            self.look(frame.game);
        }
    }

    fn look(&mut self, game: Box<dyn Game>) {
        match game.scene() {
            Scene::Grid(grid) => self.seen = Seen::Grid(scene::grid(&grid)),
            Scene::Screen(image) => self.seen = Seen::Screen(Arc::new(image)),
            Scene::Board(_) => {}
        }
        self.over = game.is_over();
        if self.over {
            self.going = Going::Held;
        }
        self.game = Some(game);
    }

    /// The game with its score; keys act while it has the keyboard.
    pub fn stage_ui(&mut self, ui: &mut Ui) {
        let tokens = theme::tokens(ui);
        if let Some(failure) = &self.failure {
            let height = ui.available_height();
            ui.vertical_centered(|ui| {
                ui.add_space(height * 0.3);
                ui.label(RichText::new("The game cannot be played").strong());
                ui.label(failure);
                ui.label(RichText::new("Then press New game").color(tokens.faint));
            });
            return;
        }
        self.head_ui(ui);
        let size = ui.available_size() - Vec2::new(0.0, 30.0);
        let response = match &self.seen {
            Seen::Nothing => {
                ui.label("Starting the game…");
                return;
            }
            Seen::Grid(picture) => {
                let colors = theme::grid(ui.visuals());
                self.grid.show(ui, size, picture, &colors).response
            }
            Seen::Screen(image) => {
                self.screen.set(image);
                self.screen.show(ui, size).response
            }
        };
        self.keys(ui, &response);
        self.foot_ui(ui, &response);
    }

    fn head_ui(&self, ui: &mut Ui) {
        let tokens = theme::tokens(ui);
        ui.horizontal(|ui| {
            ui.label(
                RichText::new(format!("Score {}", self.score))
                    .strong()
                    .size(17.0),
            );
            let faint = |text: String| RichText::new(text).color(tokens.faint);
            if let Some(lives) = self.game.as_ref().and_then(|game| game.lives()) {
                ui.label(format!("Lives {lives}"));
            }
            ui.label(faint(format!("{} decisions", self.steps)));
            if let Some((action, _)) = &self.last {
                ui.label(faint(format!("last: {action}")));
            }
            if let Some(value) = self.value {
                ui.label(faint(format!("value {value:.1}")));
            }
            if self.untrained.is_some() {
                ui.label(RichText::new("untrained networks").color(tokens.warning));
            }
            if self.over {
                ui.label(
                    RichText::new("The game is over")
                        .strong()
                        .color(tokens.accent),
                );
            }
        });
    }

    fn keys(&mut self, ui: &Ui, response: &Response) {
        if response.clicked() {
            response.request_focus();
        }
        self.held = 0;
        if !response.has_focus() || self.watch {
            return;
        }
        ui.memory_mut(|memory| {
            let filter = EventFilter {
                horizontal_arrows: true,
                vertical_arrows: true,
                ..EventFilter::default()
            };
            memory.set_focus_lock_filter(response.id, filter);
        });
        let down = |key| ui.input(|input| input.key_down(key));
        let way = |back: Key, forth: Key, names: [&'static str; 2]| match (down(back), down(forth))
        {
            (true, false) => names[0],
            (false, true) => names[1],
            _ => "",
        };
        let across = way(Key::ArrowLeft, Key::ArrowRight, ["left", "right"]);
        let along = way(Key::ArrowUp, Key::ArrowDown, ["up", "down"]);
        let fire = if down(Key::Space) { "fire" } else { "" };
        let names = [
            format!("{along}{across}{fire}"),
            format!("{across}{fire}"),
            format!("{along}{fire}"),
            format!("{along}{across}"),
            fire.to_owned(),
            across.to_owned(),
            along.to_owned(),
            "noop".to_owned(),
        ];
        let Some(game) = &self.game else {
            return;
        };
        let mut wanted = names.iter().filter(|name| !name.is_empty());
        let found = wanted.find_map(|name| game.parse_action(name).ok());
        self.held = found.unwrap_or(0);
        if self.held != 0 && self.can_run() {
            self.run();
        }
    }

    fn foot_ui(&self, ui: &mut Ui, response: &Response) {
        let tokens = theme::tokens(ui);
        let text = if self.watch {
            "MuZero plays".to_owned()
        } else if self.over {
            "Press New game to play again".to_owned()
        } else if !response.has_focus() {
            "Click the game, then play with the arrow keys and space".to_owned()
        } else {
            let names = self.game.as_ref().map(|game| {
                let all = 0..game.spec().actions;
                let names: Vec<String> = all.map(|action| game.action_name(action)).collect();
                names
            });
            let has = |name: &str| {
                names
                    .as_ref()
                    .is_some_and(|all| all.iter().any(|n| n == name))
            };
            let mut keys = String::new();
            for name in ["left", "right", "up", "down"] {
                if has(name) {
                    keys += name;
                    keys += " ";
                }
            }
            keys += "move";
            if has("fire") {
                keys += ", space fires";
            }
            keys
        };
        ui.vertical_centered(|ui| ui.label(RichText::new(text).color(tokens.faint)));
    }
}
