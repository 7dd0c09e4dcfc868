//! Breakout: a paddle keeps a ball in play that knocks bricks out of a wall.
//!
//! The ball moves one cell along a diagonal each frame and earns 1 for each brick. A brick throws
//! it back, but not two frames running: then it flies through. Three rows of bricks come again
//! when the ball reaches the paddle's row with the wall gone. The game is lost when it gets past
//! the paddle. The trail is where the ball was.

use super::machine::{Cells, Chance, END, Key, Rules, SIZE, ahead};

pub(super) const CHANNELS: &[&str] = &["paddle", "ball", "trail", "brick"];

#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "directions and states of a game, none of which implies another"
)]
pub(super) struct Breakout {
    paddle: usize,
    /// Row and column.
    ball: (usize, usize),
    trail: (usize, usize),
    rightwards: bool,
    downwards: bool,
    bricks: Cells,
    /// The ball was in the wall in the frame before.
    in_wall: bool,
    over: bool,
}

impl Breakout {
    pub(super) fn new(chance: &mut impl Chance) -> Self {
        // From the left edge to the right, or from the right to the left.
        let from_right = chance.below(2) == 1;
        let ball = (3, if from_right { END } else { 0 });
        Self {
            paddle: 4,
            ball,
            trail: ball,
            rightwards: !from_right,
            downwards: true,
            bricks: wall(),
            in_wall: false,
            over: false,
        }
    }
}

fn wall() -> Cells {
    let mut bricks = Cells::default();
    bricks.fill(1..4, 0..SIZE);
    bricks
}

impl Rules for Breakout {
    fn step(&mut self, key: Key, _chance: &mut impl Chance) -> f32 {
        match key {
            Key::Left => self.paddle = self.paddle.saturating_sub(1),
            Key::Right => self.paddle = (self.paddle + 1).min(END),
            _ => {}
        }
        let (row, column) = self.ball;
        self.trail = self.ball;

        let next_column = ahead(column, self.rightwards).unwrap_or_else(|| {
            self.rightwards = !self.rightwards;
            column
        });
        let mut reward = 0.0;
        let mut in_wall = false;
        // Row and column of the grid are as long, so the same step serves for both.
        let mut next_row = ahead(row, self.downwards);
        match next_row {
            None => {
                next_row = Some(0);
                self.downwards = true;
            }
            Some(hit) if self.bricks.has(hit, next_column) => {
                in_wall = true;
                if !self.in_wall {
                    reward = 1.0;
                    self.bricks.clear(hit, next_column);
                    self.downwards = !self.downwards;
                    next_row = Some(row);
                }
            }
            Some(END) => {
                if self.bricks.is_empty() {
                    self.bricks = wall();
                }
                if column == self.paddle || next_column == self.paddle {
                    // Met by an edge of the paddle only, the ball goes back where it came from.
                    self.rightwards ^= column != self.paddle;
                    self.downwards = !self.downwards;
                    next_row = Some(row);
                } else {
                    self.over = true;
                }
            }
            Some(_) => {}
        }
        self.in_wall = in_wall;
        self.ball = (next_row.unwrap_or(row), next_column);
        reward
    }

    fn is_over(&self) -> bool {
        self.over
    }

    fn revive(&mut self) {}

    fn draw(&self, mut plot: impl FnMut(usize, usize, usize)) {
        plot(0, END, self.paddle);
        plot(1, self.ball.0, self.ball.1);
        plot(2, self.trail.0, self.trail.1);
        self.bricks.each(|row, column| plot(3, row, column));
    }
}
