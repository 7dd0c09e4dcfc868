//! Seaquest: a submarine saves divers from fish and hostile submarines before its air runs out.
//!
//! Each fish or submarine that is shot earns 1. Divers are taken on board by touching them, six at
//! most. The air lasts 200 frames under water and is filled at the surface, which costs a diver;
//! whoever surfaces with none has lost, and whoever surfaces with six hands them all over and
//! earns the tenths of the air that are left. Each time at the surface makes it harder. The game
//! is lost to touch, bullets, and lack of air. Trails lie behind what moves; the gauges of air and
//! divers are in the last row, where nobody swims.
//!
//! In the package a submarine that hands over six divers pays for the surfacing as well, and goes
//! on with one less than none: it may surface once more with nobody on board. So it is here.

use super::machine::{Chance, END, Key, Rules, ahead};

pub(super) const CHANNELS: &[&str] = &[
    "bow",
    "stern",
    "own bullet",
    "trail",
    "enemy's bullet",
    "fish",
    "enemy submarine",
    "air gauge",
    "diver gauge",
    "diver",
];

/// Frames that the air lasts.
const AIR: i32 = 200;
const FULL: i32 = 6;
/// Frames from one shot to the next, and from one diver to the next.
const RELOAD: u8 = 5;
const ENEMY_RELOAD: u8 = 10;
const DIVER_EVERY: u8 = 30;
/// Frames that a diver rests between two cells.
const DIVER_REST: u8 = 5;
/// At first: frames from one enemy to the next, and that one rests between two cells.
const SPAWN_EVERY: u8 = 20;
const ENEMY_REST: u8 = 5;
/// The least rest that enemies come to.
const LEAST_REST: u8 = 2;
/// The deepest row of the sea.
const DEEPEST: usize = 8;

/// What swims straight ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Swimmer {
    row: usize,
    column: usize,
    rightwards: bool,
    /// Frames until it moves.
    wait: u8,
    /// Frames until it shoots; for enemy submarines only.
    reload: u8,
}

impl Swimmer {
    fn place(&self) -> (usize, usize) {
        (self.row, self.column)
    }
}

#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "directions and states of a game, none of which implies another"
)]
pub(super) struct Seaquest {
    row: usize,
    column: usize,
    rightwards: bool,
    /// Below zero only where the player was brought back to life.
    air: i32,
    /// Less than none after six were handed over.
    divers_on_board: i32,
    at_surface: bool,
    reload: u8,
    shots: Vec<Swimmer>,
    torpedoes: Vec<Swimmer>,
    fish: Vec<Swimmer>,
    submarines: Vec<Swimmer>,
    divers: Vec<Swimmer>,
    spawn_every: u8,
    spawn_in: u8,
    diver_in: u8,
    enemy_rest: u8,
    ramping: bool,
    /// How often it became harder.
    level: u32,
    over: bool,
}

impl Seaquest {
    pub(super) fn new(ramping: bool) -> Self {
        Self {
            row: 0,
            column: 5,
            rightwards: false,
            air: AIR,
            divers_on_board: 0,
            at_surface: true,
            reload: 0,
            shots: Vec::with_capacity(4),
            torpedoes: Vec::with_capacity(16),
            fish: Vec::with_capacity(32),
            submarines: Vec::with_capacity(32),
            divers: Vec::with_capacity(4),
            spawn_every: SPAWN_EVERY,
            spawn_in: SPAWN_EVERY,
            diver_in: DIVER_EVERY,
            enemy_rest: ENEMY_REST,
            ramping,
            level: 0,
            over: false,
        }
    }

    fn here(&self) -> (usize, usize) {
        (self.row, self.column)
    }

    fn spawn_due(&mut self, chance: &mut impl Chance) {
        if self.spawn_in == 0 {
            self.spawn_in = self.spawn_every;
            let rightwards = chance.happens(1.0 / 2.0);
            let submarine = chance.happens(1.0 / 3.0);
            let enemy = newcomer(rightwards, self.enemy_rest, chance);
            // Two that meet head-on would block the row.
            let mut others = self.submarines.iter().chain(&self.fish);
            if !others.any(|it| it.row == enemy.row && it.rightwards != rightwards) {
                let herd = if submarine {
                    &mut self.submarines
                } else {
                    &mut self.fish
                };
                herd.push(enemy);
            }
        }
        if self.diver_in == 0 {
            self.diver_in = DIVER_EVERY;
            let rightwards = chance.happens(1.0 / 2.0);
            self.divers.push(newcomer(rightwards, DIVER_REST, chance));
        }
    }

    fn steer(&mut self, key: Key) {
        match key {
            Key::Fire if self.reload == 0 => {
                self.shots.push(Swimmer {
                    row: self.row,
                    column: self.column,
                    rightwards: self.rightwards,
                    wait: 0,
                    reload: 0,
                });
                self.reload = RELOAD;
            }
            Key::Left | Key::Right => {
                self.rightwards = key == Key::Right;
                self.column = ahead(self.column, self.rightwards).unwrap_or(self.column);
            }
            Key::Up => self.row = self.row.saturating_sub(1),
            Key::Down => self.row = (self.row + 1).min(DEEPEST),
            Key::Noop | Key::Fire => {}
        }
    }

    /// Own bullets fly on; gives how many enemies they hit.
    fn move_shots(&mut self) -> u8 {
        let mut hits = 0;
        for next in (0..self.shots.len()).rev() {
            let mut shot = self.shots[next];
            let Some(column) = ahead(shot.column, shot.rightwards) else {
                self.shots.remove(next);
                continue;
            };
            shot.column = column;
            self.shots[next] = shot;
            if remove_at(&mut self.fish, shot.place())
                || remove_at(&mut self.submarines, shot.place())
            {
                remove_equal(&mut self.shots, shot);
                hits += 1;
            }
        }
        hits
    }

    fn move_divers(&mut self) {
        for next in (0..self.divers.len()).rev() {
            let mut diver = self.divers[next];
            let mut gone = self.takes(diver);
            if !gone && diver.wait == 0 {
                diver.wait = DIVER_REST;
                match ahead(diver.column, diver.rightwards) {
                    None => gone = true,
                    Some(column) => {
                        diver.column = column;
                        gone = self.takes(diver);
                    }
                }
            } else {
                diver.wait = diver.wait.saturating_sub(1);
            }
            if gone {
                self.divers.remove(next);
            } else {
                self.divers[next] = diver;
            }
        }
    }

    /// Takes a diver on board who is touched, if there is room.
    fn takes(&mut self, diver: Swimmer) -> bool {
        let taken = diver.place() == self.here() && self.divers_on_board < FULL;
        self.divers_on_board += i32::from(taken);
        taken
    }

    /// Moves one enemy of a herd. Gives it with its place in the herd now, without a place where
    /// it was hit; nothing where it left.
    fn move_enemy(
        &mut self,
        herd: &mut Vec<Swimmer>,
        next: usize,
        hits: &mut u8,
    ) -> Option<(Swimmer, Option<usize>)> {
        let mut enemy = herd[next];
        self.over |= enemy.place() == self.here();
        if enemy.wait > 0 {
            enemy.wait -= 1;
            herd[next] = enemy;
            return Some((enemy, Some(next)));
        }
        enemy.wait = self.enemy_rest;
        let Some(column) = ahead(enemy.column, enemy.rightwards) else {
            herd.remove(next);
            return None;
        };
        enemy.column = column;
        herd[next] = enemy;
        if enemy.place() == self.here() {
            self.over = true;
        } else if remove_at(&mut self.shots, enemy.place()) {
            *hits += 1;
            let gone = remove_equal(herd, enemy);
            return Some((enemy, (gone < next).then(|| next - 1)));
        }
        Some((enemy, Some(next)))
    }

    fn move_submarines(&mut self, hits: &mut u8) {
        let mut herd = std::mem::take(&mut self.submarines);
        for next in (0..herd.len()).rev() {
            // What one shoots that has left the sea never comes back to it.
            let Some((mut enemy, place)) = self.move_enemy(&mut herd, next, hits) else {
                continue;
            };
            if enemy.reload == 0 {
                enemy.reload = ENEMY_RELOAD;
                self.torpedoes.push(enemy);
            } else {
                enemy.reload -= 1;
            }
            if let Some(place) = place {
                herd[place] = enemy;
            }
        }
        self.submarines = herd;
    }

    fn move_torpedoes(&mut self) {
        for next in (0..self.torpedoes.len()).rev() {
            let torpedo = &mut self.torpedoes[next];
            let here = (self.row, self.column);
            self.over |= torpedo.place() == here;
            if let Some(column) = ahead(torpedo.column, torpedo.rightwards) {
                torpedo.column = column;
                self.over |= torpedo.place() == here;
            } else {
                self.torpedoes.remove(next);
            }
        }
    }

    fn move_fish(&mut self, hits: &mut u8) {
        let mut herd = std::mem::take(&mut self.fish);
        for next in (0..herd.len()).rev() {
            self.move_enemy(&mut herd, next, hits);
        }
        self.fish = herd;
    }

    /// Uses up air, or comes to the surface; gives the reward for the divers.
    fn breathe(&mut self) -> i32 {
        self.over |= self.air <= 0;
        if self.row > 0 {
            self.air -= 1;
            self.at_surface = false;
            return 0;
        }
        if self.at_surface {
            return 0;
        }
        if self.divers_on_board == 0 {
            self.over = true;
            return 0;
        }
        self.at_surface = true;
        let mut reward = 0;
        if self.divers_on_board == FULL {
            self.divers_on_board = 0;
            reward = tenths(self.air);
        }
        self.divers_on_board -= 1;
        self.air = AIR;
        self.ramp();
        reward
    }

    fn ramp(&mut self) {
        if !self.ramping || (self.spawn_every == 1 && self.enemy_rest == LEAST_REST) {
            return;
        }
        if self.level % 2 == 1 {
            self.enemy_rest = (self.enemy_rest - 1).max(LEAST_REST);
        }
        self.spawn_every = (self.spawn_every - 1).max(1);
        self.level += 1;
    }
}

/// Tenths of the full air, rounded down.
fn tenths(air: i32) -> i32 {
    air.div_euclid(AIR / 10)
}

/// One that comes in at a random row.
fn newcomer(rightwards: bool, wait: u8, chance: &mut impl Chance) -> Swimmer {
    Swimmer {
        row: 1 + chance.below(DEEPEST),
        column: if rightwards { 0 } else { END },
        rightwards,
        wait,
        reload: ENEMY_RELOAD,
    }
}

/// Removes the first of a herd that is at this place; says whether there was one.
fn remove_at(herd: &mut Vec<Swimmer>, place: (usize, usize)) -> bool {
    let found = herd.iter().position(|it| it.place() == place);
    if let Some(found) = found {
        herd.remove(found);
    }
    found.is_some()
}

/// Removes the first of a herd that equals this one, and says where it was.
///
/// Late in a game two can swim at one place. Which of them goes decides the order in which the
/// others move, so it is the one that goes in the package.
fn remove_equal(herd: &mut Vec<Swimmer>, gone: Swimmer) -> usize {
    let found = herd.iter().position(|&it| it == gone).unwrap_or(0);
    herd.remove(found);
    found
}

impl Rules for Seaquest {
    fn step(&mut self, key: Key, chance: &mut impl Chance) -> f32 {
        self.spawn_due(chance);
        self.steer(key);
        let mut reward = self.move_shots();
        self.move_divers();
        self.move_submarines(&mut reward);
        self.move_torpedoes();
        self.move_fish(&mut reward);
        self.spawn_in = self.spawn_in.saturating_sub(1);
        self.diver_in = self.diver_in.saturating_sub(1);
        self.reload = self.reload.saturating_sub(1);
        f32::from(reward) + self.breathe() as f32
    }

    fn is_over(&self) -> bool {
        self.over
    }

    fn revive(&mut self) {
        self.over = false;
    }

    fn draw(&self, mut plot: impl FnMut(usize, usize, usize)) {
        plot(0, self.row, self.column);
        if let Some(stern) = ahead(self.column, !self.rightwards) {
            plot(1, self.row, stern);
        }
        for column in 0..usize::try_from(tenths(self.air)).unwrap_or(0) {
            plot(7, END, column);
        }
        for column in 0..usize::try_from(self.divers_on_board).unwrap_or(0) {
            plot(8, END, END - 1 - column);
        }
        let herds = [
            (2, &self.shots),
            (4, &self.torpedoes),
            (5, &self.fish),
            (6, &self.submarines),
            (9, &self.divers),
        ];
        for (channel, herd) in herds {
            for it in herd {
                plot(channel, it.row, it.column);
                let behind = ahead(it.column, !it.rightwards);
                if let Some(behind) = behind.filter(|_| !matches!(channel, 2 | 4)) {
                    plot(3, it.row, behind);
                }
            }
        }
    }
}
