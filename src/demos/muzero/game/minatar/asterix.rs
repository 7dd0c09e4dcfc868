//! Asterix: gold is collected among enemies that cross the grid.
//!
//! Each of eight rows holds at most one thing, a third of them gold, which comes in at one side
//! and leaves at the other. Gold earns 1 when touched, an enemy ends the game. With time things
//! come more often and move faster. The trail lies behind a thing.

use super::machine::{Chance, END, Key, Rules, ahead};

pub(super) const CHANNELS: &[&str] = &["player", "enemy", "trail", "gold"];

const LANES: usize = 8;
/// Frames from one step of the difficulty to the next, less the two on which its clock stands.
const RAMP: u8 = 100;

#[derive(Clone, Copy, Debug)]
struct Thing {
    column: usize,
    rightwards: bool,
    gold: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Asterix {
    row: usize,
    column: usize,
    /// What is in rows 1 to 8.
    lanes: [Option<Thing>; LANES],
    /// Frames from one thing to the next.
    spawn_every: u8,
    spawn_in: u8,
    /// Frames from one move to the next.
    move_every: u8,
    move_in: u8,
    ramping: bool,
    /// Frames until it becomes harder; the frame after 0 is the one.
    ramp_in: Option<u8>,
    /// How often it became harder.
    level: u32,
    over: bool,
}

impl Asterix {
    pub(super) fn new(ramping: bool) -> Self {
        Self {
            row: 5,
            column: 5,
            lanes: [None; LANES],
            spawn_every: 10,
            spawn_in: 10,
            move_every: 5,
            move_in: 5,
            ramping,
            ramp_in: Some(RAMP),
            level: 0,
            over: false,
        }
    }

    fn spawn(&mut self, chance: &mut impl Chance) {
        let rightwards = chance.happens(1.0 / 2.0);
        let gold = chance.happens(1.0 / 3.0);
        let free = self.lanes.iter().filter(|lane| lane.is_none()).count();
        if free == 0 {
            return;
        }
        let chosen = chance.below(free);
        let mut free = self.lanes.iter_mut().filter(|lane| lane.is_none());
        if let Some(lane) = free.nth(chosen) {
            *lane = Some(Thing {
                column: if rightwards { 0 } else { END },
                rightwards,
                gold,
            });
        }
    }

    /// What the player's touch of a row does: gives the reward.
    fn touch(&mut self, lane: usize) -> f32 {
        let here = self.row == lane + 1;
        let Some(thing) = self.lanes[lane].filter(|it| here && it.column == self.column) else {
            return 0.0;
        };
        if thing.gold {
            self.lanes[lane] = None;
            return 1.0;
        }
        self.over = true;
        0.0
    }

    fn move_things(&mut self) -> f32 {
        let mut reward = 0.0;
        for lane in 0..LANES {
            self.lanes[lane] = self.lanes[lane].and_then(|thing| {
                let column = ahead(thing.column, thing.rightwards)?;
                Some(Thing { column, ..thing })
            });
            reward += self.touch(lane);
        }
        reward
    }

    fn ramp(&mut self) {
        if !self.ramping || (self.spawn_every == 1 && self.move_every == 1) {
            return;
        }
        if let Some(left) = self.ramp_in {
            self.ramp_in = left.checked_sub(1);
            return;
        }
        if self.level % 2 == 1 {
            self.move_every = (self.move_every - 1).max(1);
        }
        self.spawn_every = (self.spawn_every - 1).max(1);
        self.level += 1;
        self.ramp_in = Some(RAMP);
    }
}

impl Rules for Asterix {
    fn step(&mut self, key: Key, chance: &mut impl Chance) -> f32 {
        if self.spawn_in == 0 {
            self.spawn(chance);
            self.spawn_in = self.spawn_every;
        }
        match key {
            Key::Left => self.column = self.column.saturating_sub(1),
            Key::Right => self.column = (self.column + 1).min(END),
            Key::Up => self.row = (self.row - 1).max(1),
            Key::Down => self.row = (self.row + 1).min(LANES),
            Key::Noop | Key::Fire => {}
        }
        let mut reward = self.touch(self.row - 1);
        if self.move_in == 0 {
            self.move_in = self.move_every;
            reward += self.move_things();
        }
        self.spawn_in -= 1;
        self.move_in -= 1;
        self.ramp();
        reward
    }

    fn is_over(&self) -> bool {
        self.over
    }

    fn revive(&mut self) {
        self.over = false;
    }

    fn draw(&self, mut plot: impl FnMut(usize, usize, usize)) {
        plot(0, self.row, self.column);
        for (lane, thing) in self.lanes.iter().enumerate() {
            let Some(thing) = thing else { continue };
            plot(if thing.gold { 3 } else { 1 }, lane + 1, thing.column);
            if let Some(behind) = ahead(thing.column, !thing.rightwards) {
                plot(2, lane + 1, behind);
            }
        }
    }
}
