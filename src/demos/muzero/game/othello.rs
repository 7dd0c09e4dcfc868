//! Othello on 8 by 8 and on 6 by 6.
//!
//! Actions are the cells, row by row from the top left, then the pass, which is legal only for who
//! has no other move. The game ends when neither has one; more discs win. An observation is the
//! mover's discs and the other's.
//!
//! A board is kept as bits, rows of eight also on the smaller board. A disc on an edge column is
//! never turned by a line that runs along a row or diagonally, so such discs are left out of what
//! is shifted sideways and nothing wraps around.

use super::board::{Bits, check_action, illegal, no_name, parse_square_from_top, square_from_top};
use super::{
    ActionCells, ActionCoding, Board, BoardStyle, Game, Kind, Outcome, Piece, Player, Scene, Spec,
};
use crate::error::Result;
use crate::rng::Rng;

/// Bits of a row.
const STRIDE: usize = 8;

/// A game of Othello on `N` by `N` squares, where `N` is 6 or 8.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Othello<const N: usize> {
    /// The first player's discs and the second's.
    discs: [u64; 2],
    to_play: Player,
    /// Where the player whose turn it is may put a disc.
    moves: u64,
    /// What the last move put down and turned.
    placed: u64,
    turned: u64,
    over: bool,
}

impl<const N: usize> Othello<N> {
    const SPEC: Spec = Spec {
        observation: [2, N, N],
        actions: N * N + 1,
        players: 2,
        // All cells but four are filled, with at most one pass before each move.
        max_steps: 2 * (N * N - 4),
        coding: ActionCoding::Cell,
    };
    const PASS: usize = N * N;
    const BOARD: u64 = Self::columns(0, N);
    /// The board without its first and last column.
    const INNER: u64 = Self::columns(1, N - 1);

    /// The squares of some columns.
    const fn columns(from: usize, to: usize) -> u64 {
        let mut bits = 0;
        let mut cell = 0;
        while cell < N * N {
            if cell % N >= from && cell % N < to {
                bits |= 1 << Self::bit(cell);
            }
            cell += 1;
        }
        bits
    }

    const fn bit(cell: usize) -> usize {
        cell / N * STRIDE + cell % N
    }

    const fn cell(bit: usize) -> usize {
        bit / STRIDE * N + bit % STRIDE
    }

    /// The usual four discs, the first player to move.
    #[must_use]
    pub fn new() -> Self {
        let low = N / 2 - 1;
        let at = |row: usize, column: usize| 1 << (row * STRIDE + column);
        let first = at(low, low + 1) | at(low + 1, low);
        let second = at(low, low) | at(low + 1, low + 1);
        Self {
            discs: [first, second],
            to_play: Player::First,
            moves: Self::moves(first, second),
            placed: 0,
            turned: 0,
            over: false,
        }
    }

    /// The discs of `other` in straight lines from `start`, one direction after the other: the
    /// run of discs, and the square after it.
    #[inline]
    fn runs(start: u64, other: u64, mut each: impl FnMut(u64, u64)) {
        let inner = other & Self::INNER;
        let directions = [
            (1, inner),
            (STRIDE - 1, inner),
            (STRIDE, other),
            (STRIDE + 1, inner),
        ];
        for (step, through) in directions {
            let mut up = start << step & through;
            let mut down = start >> step & through;
            for _ in 3..N {
                up |= up << step & through;
                down |= down >> step & through;
            }
            each(up, up << step);
            each(down, down >> step);
        }
    }

    /// Where a disc of `own` turns some of `other`.
    fn moves(own: u64, other: u64) -> u64 {
        let mut moves = 0;
        Self::runs(own, other, |_, after| moves |= after);
        moves & Self::BOARD & !(own | other)
    }

    /// What a disc of `own` on `square` turns.
    fn turned(square: u64, own: u64, other: u64) -> u64 {
        let mut turned = 0;
        Self::runs(square, other, |run, after| {
            if after & own != 0 {
                turned |= run;
            }
        });
        turned
    }

    fn put(&mut self, square: u64) {
        let own = self.to_play as usize;
        let turned = Self::turned(square, self.discs[own], self.discs[1 - own]);
        self.discs[own] |= square | turned;
        self.discs[1 - own] &= !turned;
        self.placed = square;
        self.turned = turned;
    }
}

impl<const N: usize> Default for Othello<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> Game for Othello<N> {
    fn spec(&self) -> &Spec {
        const { &Self::SPEC }
    }

    fn boxed_clone(&self) -> Result<Box<dyn Game>> {
        Ok(Box::new(self.clone()))
    }

    fn reset(&mut self, _rng: Rng) -> Result<()> {
        *self = Self::new();
        Ok(())
    }

    fn to_play(&self) -> Player {
        self.to_play
    }

    fn is_over(&self) -> bool {
        self.over
    }

    fn outcome(&self) -> Option<Outcome> {
        let [first, second] = self.discs.map(u64::count_ones);
        self.over.then(|| match first.cmp(&second) {
            std::cmp::Ordering::Greater => Outcome::Won(Player::First),
            std::cmp::Ordering::Equal => Outcome::Drawn,
            std::cmp::Ordering::Less => Outcome::Won(Player::Second),
        })
    }

    fn legal(&self, legal: &mut [bool]) {
        legal.fill(false);
        for bit in Bits(self.moves) {
            legal[Self::cell(bit)] = true;
        }
        legal[Self::PASS] = self.moves == 0 && !self.over;
    }

    fn step(&mut self, action: usize) -> Result<f32> {
        check_action(action, Self::SPEC.actions)?;
        let is_legal = if action == Self::PASS {
            self.moves == 0 && !self.over
        } else {
            self.moves >> Self::bit(action) & 1 == 1
        };
        if !is_legal {
            return Err(illegal(&self.action_name(action)));
        }
        if action == Self::PASS {
            self.placed = 0;
            self.turned = 0;
        } else {
            self.put(1 << Self::bit(action));
        }
        let mover = self.to_play;
        let [own, other] = [mover, mover.other()].map(|player| self.discs[player as usize]);
        self.to_play = mover.other();
        self.moves = Self::moves(other, own);
        self.over = self.moves == 0 && Self::moves(own, other) == 0;
        Ok(match self.outcome() {
            None | Some(Outcome::Drawn) => 0.0,
            Some(Outcome::Won(winner)) if winner == mover => 1.0,
            Some(Outcome::Won(_)) => -1.0,
        })
    }

    fn observe(&self, planes: &mut [f32]) {
        let mover = self.to_play as usize;
        planes.fill(0.0);
        for (plane, player) in planes.chunks_exact_mut(N * N).zip([mover, 1 - mover]) {
            for bit in Bits(self.discs[player]) {
                plane[Self::cell(bit)] = 1.0;
            }
        }
    }

    /// The last move's cells are the disc that was put down, then those it turned.
    fn scene(&self) -> Scene {
        let mut cells = vec![None; N * N];
        for player in [Player::First, Player::Second] {
            for bit in Bits(self.discs[player as usize]) {
                let kind = Kind::Stone;
                cells[Self::cell(bit)] = Some(Piece { player, kind });
            }
        }
        let touched = Bits(self.placed).chain(Bits(self.turned));
        Scene::Board(Board {
            style: BoardStyle::Othello,
            rows: N,
            columns: N,
            cells,
            last: touched.map(Self::cell).collect(),
            marked: Vec::new(),
        })
    }

    fn action_name(&self, action: usize) -> String {
        if action == Self::PASS {
            "pass".to_owned()
        } else {
            square_from_top(action, N)
        }
    }

    fn parse_action(&self, name: &str) -> Result<usize> {
        let name = name.trim();
        if name.eq_ignore_ascii_case("pass") {
            return Ok(Self::PASS);
        }
        parse_square_from_top(name, N, N)
            .ok_or_else(|| no_name(name, "squares such as d3, or pass"))
    }

    fn cells(&self, action: usize) -> ActionCells {
        ActionCells {
            from: None,
            to: (action < Self::PASS).then_some(action),
        }
    }
}
