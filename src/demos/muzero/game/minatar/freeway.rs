//! Freeway: a chicken crosses eight lanes of cars.
//!
//! The chicken takes a step at most every third frame and earns 1 at the far side; it begins again
//! at the near side then, as after being hit, and all cars get new speeds. A car moves every second
//! frame to every sixth; its trail lies behind it, in the channel of its speed. The game lasts as
//! long as the time, whatever happens.

use super::machine::{Chance, END, Key, Rules, SIZE, ahead};

pub(super) const CHANNELS: &[&str] = &[
    "chicken", "car", "speed 1", "speed 2", "speed 3", "speed 4", "speed 5",
];

/// Frames of a game: the clock counts 2500 down to zero, and then once more.
pub(super) const FRAMES: usize = 2501;

/// The chicken's column.
const PATH: usize = 4;
/// Frames between steps of the chicken.
const STRIDE: u8 = 3;
const LANES: usize = 8;

#[derive(Clone, Copy, Debug, Default)]
struct Car {
    column: usize,
    /// Frames it stands still between two cells, 1 to 5.
    rest: u8,
    /// Frames until it moves.
    wait: u8,
    rightwards: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Freeway {
    /// The chicken's row.
    chicken: usize,
    /// Frames until it can take a step.
    stride: u8,
    /// From the far side to the near one.
    cars: [Car; LANES],
    frames: usize,
}

impl Freeway {
    pub(super) fn new(chance: &mut impl Chance) -> Self {
        let mut game = Self {
            chicken: END,
            stride: STRIDE,
            cars: [Car::default(); LANES],
            frames: 0,
        };
        game.change_speeds(chance);
        game
    }

    fn change_speeds(&mut self, chance: &mut impl Chance) {
        for car in &mut self.cars {
            car.rest = [1, 2, 3, 4, 5][chance.below(5)];
            car.wait = car.rest;
        }
        for car in &mut self.cars {
            car.rightwards = !chance.happens(0.5);
        }
    }
}

impl Rules for Freeway {
    fn step(&mut self, key: Key, chance: &mut impl Chance) -> f32 {
        if self.stride == 0 && matches!(key, Key::Up | Key::Down) {
            self.stride = STRIDE;
            self.chicken = ahead(self.chicken, key == Key::Down).unwrap_or(self.chicken);
        }
        let mut reward = 0.0;
        if self.chicken == 0 {
            reward = 1.0;
            self.change_speeds(chance);
            self.chicken = END;
        }
        for (lane, car) in self.cars.iter_mut().enumerate() {
            // A car is asked before and after it moves: the chicken may have run into it.
            let row = lane + 1;
            let mut hit = row == self.chicken && car.column == PATH;
            if car.wait == 0 {
                car.wait = car.rest;
                car.column = around(car.column, car.rightwards);
                hit |= row == self.chicken && car.column == PATH;
            } else {
                car.wait -= 1;
            }
            if hit {
                self.chicken = END;
            }
        }
        self.stride = self.stride.saturating_sub(1);
        self.frames += 1;
        reward
    }

    fn is_over(&self) -> bool {
        self.frames >= FRAMES
    }

    fn revive(&mut self) {}

    fn draw(&self, mut plot: impl FnMut(usize, usize, usize)) {
        plot(0, self.chicken, PATH);
        for (lane, car) in self.cars.iter().enumerate() {
            plot(1, lane + 1, car.column);
            let behind = around(car.column, !car.rightwards);
            plot(1 + usize::from(car.rest), lane + 1, behind);
        }
    }
}

/// The next cell of a lane, whose ends are joined.
fn around(column: usize, rightwards: bool) -> usize {
    ahead(column, rightwards).unwrap_or(if rightwards { 0 } else { SIZE - 1 })
}
