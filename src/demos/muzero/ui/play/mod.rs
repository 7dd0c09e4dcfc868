//! Playing: a board to click, opponents, the game as a list of moves, and what the search thinks.

mod arcade;
mod controls;
mod seats;
mod side;
mod stage;
mod values;

use std::sync::Arc;

use egui::{Context, Ui};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use self::arcade::Arcade;
use self::seats::Seat;
use self::values::Values;
use super::super::game::{Format, GameId, Outcome, Player, Record};
use super::super::live::{LiveRequest, LiveShot, Rule};
use super::super::move_job::OpponentMove;
use super::super::search::sample;
use super::in_sight::InSight;
use super::page::{Page, Shared};
use super::scene;
use crate::compute::{Ending, Event, Lane, Run};
use crate::error::{Error, Result};
use crate::gui::controls::{RunState, capitalised};
use crate::gui::{Command, Export, TabCx};
use crate::rng::Rng;
use crate::view::board::BoardView;

/// Between the moves of two that are not people.
const PAUSE_SECS: f64 = 0.4;
/// Most simulations a move.
const MAX_SIMULATIONS: usize = 800;

/// Of a picture that waits for nothing.
const STILL_SIMULATIONS: usize = 48;

const SGF: Export = Export {
    extension: "sgf",
    about: "the game, as Go programs read it",
};
const PGN: Export = Export {
    extension: "pgn",
    about: "the game, as chess programs read it",
};
const MOVES: Export = Export {
    extension: "txt",
    about: "the moves, to be opened here again",
};

/// What colours the board.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Heat {
    #[default]
    Off,
    Prior,
    Search,
    Visits,
}

const HEATS: [(Heat, &str, &str); 4] = [
    (Heat::Off, "Off", "Only the board"),
    (
        Heat::Prior,
        "Prior",
        "The network's own policy, without search",
    ),
    (
        Heat::Search,
        "Search",
        "The policy that the search found better",
    ),
    (
        Heat::Visits,
        "Visits",
        "How often the search took each move",
    ),
];

/// What a session stores.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Options {
    seats: [Seat; 2],
    simulations: usize,
    temperature: f32,
    heat: Heat,
    think_along: bool,
    turned: bool,
    rom: String,
    watch: bool,
    pace: [u32; 2],
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seats: [Seat::You, Seat::Machine],
            simulations: 200,
            temperature: 0.0,
            heat: Heat::Off,
            think_along: true,
            turned: false,
            rom: "breakout".into(),
            watch: false,
            pace: [10, 15],
        }
    }
}

/// The page.
pub struct PlayPage {
    options: Options,
    board: BoardView,
    /// The cell that was picked up from.
    selected: Option<usize>,
    /// The promotions to choose from.
    promotions: Vec<usize>,
    /// Others may move when it is their turn; only after somebody has done something.
    going: bool,
    /// An opponent that thinks, and after how many moves.
    asked: Option<(Vec<usize>, Run<usize>)>,
    /// Show the best move as soon as it is known.
    hint: bool,
    /// Why the game does not go on.
    message: Option<String>,
    values: Values,
    arcade: Arcade,
    in_sight: InSight,
    not_before: f64,
    /// The moves by name, and of which line they are.
    names: Vec<String>,
    names_of: Option<(GameId, Vec<usize>)>,
    /// The list of moves shows this one.
    scrolled_to: usize,
    /// Nothing measured may be shown.
    is_still: bool,
    /// A copy, for what has no access to the shared part.
    game: GameId,
    revision: u64,
}

/// What is known of the position on the table.
struct Table {
    to_play: Player,
    is_over: bool,
    outcome: Option<Outcome>,
}

impl PlayPage {
    pub fn new() -> Self {
        Self {
            options: Options::default(),
            board: BoardView::new("Board"),
            selected: None,
            promotions: Vec::new(),
            going: false,
            asked: None,
            hint: false,
            message: None,
            values: Values::default(),
            arcade: Arcade::default(),
            in_sight: InSight::default(),
            not_before: 0.0,
            names: Vec::new(),
            names_of: None,
            scrolled_to: 0,
            is_still: false,
            game: GameId::ConnectFour,
            revision: 0,
        }
    }

    fn table(shared: &mut Shared) -> Option<Table> {
        let game = shared.position().ok()?;
        Some(Table {
            to_play: game.to_play(),
            is_over: game.is_over(),
            outcome: game.outcome(),
        })
    }

    fn request(&self, shared: &Shared) -> LiveRequest {
        LiveRequest {
            game: shared.game.clone(),
            weights: shared.weights.clone(),
            moves: shared.moves.clone(),
            simulations: self.options.simulations,
            until: None,
            rule: Rule::AsTrained,
        }
    }

    fn seat(&self, player: Player) -> Seat {
        self.options.seats[player as usize]
    }

    /// Whether a person may move now.
    fn is_your_turn(&self, table: &Table) -> bool {
        !table.is_over && self.message.is_none() && self.seat(table.to_play) == Seat::You
    }

    /// Somebody's move, which lets the others answer.
    fn play(&mut self, action: usize, shared: &mut Shared) {
        if let Err(error) = shared.play(action) {
            self.message = Some(capitalised(&error.to_string()));
            self.going = false;
            return;
        }
        self.settle();
    }

    /// What was picked up or asked belongs to the position before.
    fn settle(&mut self) {
        self.selected = None;
        self.promotions.clear();
        self.hint = false;
        self.asked = None;
    }

    /// Stops what goes on by itself.
    fn halt(&mut self, shared: &mut Shared) {
        self.going = false;
        self.settle();
        shared.analysis.cancel();
    }

    fn new_game(&mut self, game: GameId, shared: &mut Shared) {
        self.halt(shared);
        self.message = None;
        self.values.clear();
        shared.analysis.forgive();
        if scene::is_board(&game) {
            self.arcade.close();
            for seat in &mut self.options.seats {
                if !seat.plays(&game) {
                    *seat = Seat::Machine;
                }
            }
        } else {
            self.arcade.restart();
        }
        // One's own turn comes by itself, another's too: a new game is an act.
        self.going = self.options.seats.contains(&Seat::You);
        shared.begin(game);
        self.revision += 1;
    }

    /// Back to one's own last turn.
    fn undo(&mut self, shared: &mut Shared) {
        self.halt(shared);
        self.message = None;
        let has_person = self.options.seats.contains(&Seat::You);
        while shared.undo() {
            let table = Self::table(shared);
            if !has_person || table.is_none_or(|table| self.seat(table.to_play) == Seat::You) {
                break;
            }
        }
    }

    fn redo(&mut self, shared: &mut Shared) {
        self.halt(shared);
        let has_person = self.options.seats.contains(&Seat::You);
        while shared.redo() {
            let table = Self::table(shared);
            let own = |table: &Table| table.is_over || self.seat(table.to_play) == Seat::You;
            if !has_person || table.is_none_or(|table| own(&table)) {
                break;
            }
        }
    }

    fn go_to(&mut self, ply: usize, shared: &mut Shared) {
        self.halt(shared);
        self.message = None;
        shared.go_to(ply);
    }

    /// Takes in the opponent's move.
    fn hear_opponent(&mut self, shared: &mut Shared, cx: &mut TabCx<'_>) {
        let Some((moves, run)) = &mut self.asked else {
            return;
        };
        let is_now = *moves == shared.moves;
        let (mut chosen, mut over) = (None, false);
        while let Some(event) = run.poll() {
            match event {
                Event::Output(action) => chosen = Some(action),
                Event::Warning(text) => cx.toasts.warning(text),
                Event::Ended(Ending::Failed(error)) => {
                    over = true;
                    self.going = false;
                    self.message = Some(capitalised(&error.to_string()));
                }
                Event::Ended(_) => over = true,
            }
        }
        if over || !is_now {
            self.asked = None;
        }
        if let Some(action) = chosen.filter(|_| is_now) {
            self.play(action, shared);
        }
    }

    /// Remembers the value of a position whose search is done.
    fn note_value(&mut self, shared: &mut Shared) {
        let line = shared.line();
        self.values.follow(&line);
        let ply = shared.moves.len();
        let Some(table) = Self::table(shared) else {
            return;
        };
        let value = match table.outcome {
            Some(Outcome::Won(Player::First)) => Some(1.0),
            Some(Outcome::Won(Player::Second)) => Some(-1.0),
            Some(Outcome::Drawn) => Some(0.0),
            None => shared
                .analysis
                .of(&shared.game, &shared.moves)
                .filter(|shot| shot.done)
                .map(|shot| of_first(shot.value, table.to_play)),
        };
        if let Some(value) = value {
            self.values.set(ply, value);
        }
    }

    /// Lets whoever's turn it is move.
    fn go_on(&mut self, ctx: &Context, shared: &mut Shared, cx: &mut TabCx<'_>) {
        let Some(table) = Self::table(shared) else {
            return;
        };
        if table.is_over {
            self.going = false;
            return;
        }
        if !self.going || self.message.is_some() {
            return;
        }
        let seat = self.seat(table.to_play);
        let now = ctx.input(|input| input.time);
        let alone = !self.options.seats.contains(&Seat::You);
        if alone && now < self.not_before {
            let left = std::time::Duration::from_secs_f64(self.not_before - now);
            ctx.request_repaint_after(left);
            return;
        }
        match seat {
            Seat::Machine => self.machine_move(now, shared, cx),
            Seat::Opponent(opponent) if self.asked.is_none() => {
                let job = OpponentMove {
                    opponent,
                    game: shared.game.clone(),
                    moves: shared.moves.clone(),
                };
                let name = format!("MuZero: {} thinks", seat.name());
                let lane = Lane::Interactive("muzero opponent");
                self.not_before = now + PAUSE_SECS;
                self.asked = Some((shared.moves.clone(), cx.worker.submit(lane, name, job)));
            }
            Seat::You | Seat::Opponent(_) => {}
        }
    }

    fn machine_move(&mut self, now: f64, shared: &mut Shared, cx: &mut TabCx<'_>) {
        let request = self.request(shared);
        if let Some(shot) = shared.analysis.result(&request) {
            let action = self.choose(&Arc::clone(shot));
            self.not_before = now + PAUSE_SECS;
            self.note_value(shared);
            self.play(action, shared);
            return;
        }
        let failure = shared.analysis.failure(&shared.game, &shared.moves);
        if let Some(text) = failure {
            self.message = Some(text.to_owned());
            self.going = false;
            return;
        }
        shared.analysis.want(&request, cx);
    }

    /// The best move, or a draw; the same one in the same position.
    fn choose(&self, shot: &LiveShot) -> usize {
        if self.options.temperature <= 0.0 {
            return shot.decision.action;
        }
        let moves = &shot.request.moves;
        let mut seed = 0x5eed_u64;
        for &action in moves {
            seed = seed.wrapping_mul(0x0100_0000_01b3) ^ action as u64;
        }
        let mut rng = Rng::new(seed);
        sample(&shot.decision.policy, self.options.temperature, &mut rng)
    }

    fn think_along(&mut self, shared: &mut Shared, visible: bool, cx: &TabCx<'_>) {
        let Some(table) = Self::table(shared) else {
            return;
        };
        let wanted = self.hint || (self.options.think_along && visible);
        let searched = shared.analysis.of(&shared.game, &shared.moves).is_some()
            || shared.analysis.is_searching(&shared.game, &shared.moves);
        let failed = shared.analysis.failure(&shared.game, &shared.moves);
        if !wanted || table.is_over || searched || failed.is_some() || self.asked.is_some() {
            return;
        }
        let request = self.request(shared);
        if cx.still {
            // The same picture on a slow machine.
            shared.analysis.search_now(&LiveRequest {
                simulations: STILL_SIMULATIONS,
                ..request
            });
        } else {
            shared.analysis.want(&request, cx);
        }
    }

    fn state(&self, shared: &Shared) -> RunState {
        if !scene::is_board(&shared.game) {
            return self.arcade.state();
        }
        if self.asked.is_some() || shared.analysis.is_searching(&shared.game, &shared.moves) {
            RunState::Running
        } else {
            RunState::Idle
        }
    }

    fn record(&self, shared: &Shared) -> Result<Record> {
        let line = shared.line();
        if line.is_empty() {
            return Err(Error::Input("no move has been made yet".into()));
        }
        let mut record = Record::new(shared.game.clone(), line, None)?;
        record.players = self.options.seats.map(Seat::name);
        Ok(record)
    }
}

/// A value for who moves as one for who began.
fn of_first(value: f32, to_play: Player) -> f32 {
    match to_play {
        Player::First => value,
        Player::Second => -value,
    }
}

impl Page for PlayPage {
    fn id(&self) -> &'static str {
        "play"
    }

    fn name(&self) -> &'static str {
        "Play"
    }

    fn about(&self) -> &'static str {
        "Play against MuZero and other programs, or watch them"
    }

    fn logic(&mut self, ctx: &Context, shared: &mut Shared, front: bool, cx: &mut TabCx<'_>) {
        let visible = self.in_sight.ask() && front;
        self.is_still = cx.still;
        shared.analysis.poll(cx);
        if self.game != shared.game {
            self.game = shared.game.clone();
            self.settle();
            self.message = None;
            self.values.clear();
        }
        if scene::is_board(&shared.game) {
            self.hear_opponent(shared, cx);
            self.note_value(shared);
            self.go_on(ctx, shared, cx);
            self.think_along(shared, visible, cx);
        } else {
            self.arcade.watch = self.options.watch;
            self.arcade.pace = self.options.pace;
            let simulations = self.options.simulations;
            self.arcade.logic(ctx, shared, simulations, visible, cx);
        }
    }

    fn controls_ui(&mut self, ui: &mut Ui, shared: &mut Shared, cx: &mut TabCx<'_>) {
        self.all_controls_ui(ui, shared, cx);
    }

    fn stage_ui(&mut self, ui: &mut Ui, shared: &mut Shared, _cx: &mut TabCx<'_>) {
        self.in_sight.drawn(ui);
        if scene::is_board(&shared.game) {
            self.board_stage_ui(ui, shared);
        } else {
            self.arcade.stage_ui(ui);
        }
    }

    fn can(&self, command: Command, shared: &Shared) -> bool {
        let running = self.state(shared) == RunState::Running;
        if !scene::is_board(&shared.game) {
            return match command {
                Command::Run | Command::Step => self.arcade.can_run(),
                Command::Pause | Command::Stop => running,
                _ => false,
            };
        }
        match command {
            Command::Run => !running && self.message.is_none(),
            Command::Stop => running || (self.going && !self.options.seats.contains(&Seat::You)),
            Command::Undo => !shared.moves.is_empty(),
            Command::Redo => !shared.undone.is_empty(),
            _ => false,
        }
    }

    fn perform(&mut self, command: Command, shared: &mut Shared, cx: &mut TabCx<'_>) {
        if !scene::is_board(&shared.game) {
            match command {
                Command::Run => self.arcade.run(),
                Command::Step => self.arcade.step(),
                Command::Pause | Command::Stop => self.arcade.pause(),
                _ => {}
            }
            return;
        }
        match command {
            Command::Run => {
                self.going = true;
                shared.analysis.forgive();
                let request = self.request(shared);
                if Self::table(shared).is_some_and(|table| self.is_your_turn(&table)) {
                    shared.analysis.want(&request, cx);
                }
            }
            Command::Stop => self.halt(shared),
            Command::Undo => self.undo(shared),
            Command::Redo => self.redo(shared),
            _ => {}
        }
    }

    fn copy_text(&self, shared: &Shared) -> Option<String> {
        let format = *Format::of(&shared.game).first()?;
        self.record(shared).ok()?.write(format).ok()
    }

    fn exports(&self) -> &'static [Export] {
        match Format::of(&self.game) {
            [Format::Sgf, ..] => &[SGF, MOVES],
            [Format::Pgn, ..] => &[PGN, MOVES],
            _ => &[MOVES],
        }
    }

    fn export(&self, format: Export, shared: &Shared) -> Result<Vec<u8>> {
        let format = match format.extension {
            "sgf" => Format::Sgf,
            "pgn" => Format::Pgn,
            _ => Format::Moves,
        };
        Ok(self.record(shared)?.write(format)?.into_bytes())
    }

    fn save(&self) -> Value {
        json!(self.options)
    }

    fn restore(&mut self, state: Value) -> Result<()> {
        let mut options: Options =
            serde_json::from_value(state).map_err(|e| Error::Input(e.to_string()))?;
        options.simulations = options.simulations.min(MAX_SIMULATIONS);
        options.temperature = options.temperature.clamp(0.0, 2.0);
        options.pace = options.pace.map(|pace| pace.clamp(1, 60));
        self.options = options;
        self.settle();
        self.going = false;
        self.message = None;
        self.values.clear();
        self.revision += 1;
        Ok(())
    }

    fn revision(&self) -> u64 {
        self.revision
    }
}
