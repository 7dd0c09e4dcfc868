//! Go on 9 by 9, by the rules of Tromp and Taylor with one exception: suicide is forbidden.
//!
//! No stone may recreate an earlier position, whoever was to move then (positional superko); a pass
//! may. Two passes in a row end the game, and so does the 162nd move; stones and the empty regions
//! that touch one colour only are counted as they lie, dead stones included. White, who moves
//! second, gets 7.5 more, so nobody draws.
//!
//! Actions are the crossings, row by row from the top left, then the pass. An observation is the
//! mover's stones and the other's now and before the last three moves, and a plane of ones where
//! black is to move, because the 7.5 are white's.

use super::board::nine::{BOARD, CELLS, SIZE, STRIDE, bit, cell};
use super::board::{WideBits, check_action, illegal, no_name, parse_vertex, vertex};
use super::{
    ActionCells, ActionCoding, Board, BoardStyle, Game, Kind, Outcome, Piece, Player, Scene, Spec,
};
use crate::error::Result;
use crate::rng::Rng;

/// What white gets for moving second.
pub const KOMI: f32 = 7.5;
/// Boards in an observation.
const BOARDS: usize = 4;
const PASS: usize = CELLS;
const MAX_STEPS: usize = 2 * CELLS;

const SPEC: Spec = Spec {
    observation: [2 * BOARDS + 1, SIZE, SIZE],
    actions: CELLS + 1,
    players: 2,
    max_steps: MAX_STEPS,
    coding: ActionCoding::Cell,
};

/// A game of Go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Go {
    /// Black's stones and white's: now, before the last move, and so on.
    boards: [[u128; 2]; BOARDS],
    to_play: Player,
    /// Where the player whose turn it is may put a stone.
    moves: u128,
    seen: Seen,
    hash: u64,
    passes: u8,
    steps: u16,
    last: Option<u8>,
}

impl Default for Go {
    fn default() -> Self {
        Self::new()
    }
}

impl Go {
    /// An empty board.
    #[must_use]
    pub fn new() -> Self {
        Self {
            boards: [[0; 2]; BOARDS],
            to_play: Player::First,
            moves: BOARD,
            seen: Seen::new(),
            hash: 0,
            passes: 0,
            steps: 0,
            last: None,
        }
    }

    /// What black and white have now, stones and surrounded crossings, without the 7.5.
    #[must_use]
    pub fn areas(&self) -> [u32; 2] {
        let [black, white] = self.boards[0];
        let empty = BOARD & !(black | white);
        let [by_black, by_white] = [black, white].map(|stones| grow(stones, stones | empty));
        let black = by_black & !by_white;
        let white = by_white & !by_black;
        [black.count_ones(), white.count_ones()]
    }

    /// Who would win if the game ended now.
    fn leader(&self) -> Player {
        let [black, white] = self.areas().map(|area| area as f32);
        if black > white + KOMI {
            Player::First
        } else {
            Player::Second
        }
    }

    /// Puts a stone down and takes away what it captures.
    fn put(&mut self, action: usize) {
        let (own, other) = (self.to_play as usize, 1 - self.to_play as usize);
        let place = bit(action);
        let stones = &mut self.boards[0];
        stones[own] |= 1 << place;
        self.hash ^= KEYS[own][place];
        let empty = BOARD & !(stones[0] | stones[1]);
        let mut around = neighbours(1 << place) & stones[other];
        while around != 0 {
            let group = grow(around & around.wrapping_neg(), stones[other]);
            around &= !group;
            if neighbours(group) & empty == 0 {
                stones[other] &= !group;
                self.hash ^= hash_of(group, other);
            }
        }
    }

    /// Where the player whose turn it is may put a stone.
    fn find_moves(&self) -> u128 {
        let (own, other) = (self.to_play as usize, 1 - self.to_play as usize);
        let stones = self.boards[0];
        let empty = BOARD & !(stones[0] | stones[1]);
        // A stone lives where it has an empty neighbour, joins a group with another liberty, or
        // captures.
        let mut alive = empty & neighbours(empty);
        for_groups(stones[own], |group| {
            let liberties = neighbours(group) & empty;
            if liberties & liberties.wrapping_sub(1) != 0 {
                alive |= liberties;
            }
        });
        let mut captures = 0;
        let mut captured = [0u64; 128];
        for_groups(stones[other], |group| {
            let liberties = neighbours(group) & empty;
            if liberties.is_power_of_two() {
                captures |= liberties;
                captured[liberties.trailing_zeros() as usize] ^= hash_of(group, other);
            }
        });
        let mut moves = alive | captures;
        for place in WideBits(moves) {
            let next = self.hash ^ KEYS[own][place] ^ captured[place];
            if self.seen.contains(next) {
                moves &= !(1 << place);
            }
        }
        moves
    }
}

/// The crossings beside some, and perhaps some of these.
#[inline]
fn neighbours(stones: u128) -> u128 {
    (stones << 1 | stones >> 1 | stones << STRIDE | stones >> STRIDE) & BOARD
}

/// All of `within` that is connected with `seed`, which is part of it.
#[inline]
fn grow(seed: u128, within: u128) -> u128 {
    let mut group = seed;
    loop {
        let wider = group | neighbours(group) & within;
        if wider == group {
            return group;
        }
        group = wider;
    }
}

fn for_groups(stones: u128, mut each: impl FnMut(u128)) {
    let mut rest = stones;
    while rest != 0 {
        let group = grow(rest & rest.wrapping_neg(), stones);
        rest &= !group;
        each(group);
    }
}

fn hash_of(stones: u128, player: usize) -> u64 {
    WideBits(stones).fold(0, |hash, place| hash ^ KEYS[player][place])
}

/// A number for each player's stone on each crossing; a position's hash is the exclusive or of its
/// stones' (Zobrist 1970). Two positions of a game share 64 bits about once in 10^13 games.
static KEYS: [[u64; 128]; 2] = {
    let mut keys = [[0; 128]; 2];
    let mut state: u64 = 9;
    let mut index = 0;
    while index < 256 {
        // SplitMix64 (Steele, Lea and Flood 2014).
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut key = state;
        key = (key ^ (key >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        key = (key ^ (key >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        keys[index / 128][index % 128] = key ^ (key >> 31);
        index += 1;
    }
    keys
};

/// The hashes of all positions so far, and a filter that answers most questions without a look
/// through the list.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    hashes: [u64; MAX_STEPS + 1],
    len: u16,
    filter: [u64; 16],
}

impl Seen {
    /// The empty board, whose hash is 0.
    fn new() -> Self {
        let mut seen = Self {
            hashes: [0; MAX_STEPS + 1],
            len: 0,
            filter: [0; 16],
        };
        seen.insert(0);
        seen
    }

    fn insert(&mut self, hash: u64) {
        self.hashes[usize::from(self.len)] = hash;
        self.len += 1;
        self.filter[hash as usize % 16] |= 1 << (hash >> 58);
    }

    fn contains(&self, hash: u64) -> bool {
        self.filter[hash as usize % 16] >> (hash >> 58) & 1 == 1
            && self.hashes[..usize::from(self.len)].contains(&hash)
    }
}

impl Game for Go {
    fn spec(&self) -> &Spec {
        &SPEC
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
        self.passes == 2 || usize::from(self.steps) == MAX_STEPS
    }

    fn outcome(&self) -> Option<Outcome> {
        self.is_over().then(|| Outcome::Won(self.leader()))
    }

    fn legal(&self, legal: &mut [bool]) {
        legal.fill(false);
        if !self.is_over() {
            for place in WideBits(self.moves) {
                legal[cell(place)] = true;
            }
            legal[PASS] = true;
        }
    }

    fn pass(&self) -> Option<usize> {
        Some(PASS)
    }

    fn is_behind(&self) -> bool {
        self.leader() != self.to_play
    }

    fn step(&mut self, action: usize) -> Result<f32> {
        check_action(action, SPEC.actions)?;
        let is_pass = action == PASS;
        let is_legal = is_pass || self.moves >> bit(action) & 1 == 1;
        if self.is_over() || !is_legal {
            return Err(illegal(&self.action_name(action)));
        }
        self.boards.copy_within(..BOARDS - 1, 1);
        if is_pass {
            self.passes += 1;
            self.last = None;
        } else {
            self.put(action);
            self.seen.insert(self.hash);
            self.passes = 0;
            self.last = Some(action as u8);
        }
        let mover = self.to_play;
        self.to_play = mover.other();
        self.steps += 1;
        self.moves = self.find_moves();
        Ok(match self.outcome() {
            Some(Outcome::Won(winner)) if winner == mover => 1.0,
            Some(Outcome::Won(_)) => -1.0,
            Some(Outcome::Drawn) | None => 0.0,
        })
    }

    fn observe(&self, planes: &mut [f32]) {
        let mover = self.to_play as usize;
        planes.fill(0.0);
        let mut planes = planes.chunks_exact_mut(CELLS);
        for board in self.boards {
            for (player, plane) in [mover, 1 - mover].into_iter().zip(&mut planes) {
                for place in WideBits(board[player]) {
                    plane[cell(place)] = 1.0;
                }
            }
        }
        if let (Some(colour), Player::First) = (planes.next(), self.to_play) {
            colour.fill(1.0);
        }
    }

    fn scene(&self) -> Scene {
        let mut cells = vec![None; CELLS];
        for player in [Player::First, Player::Second] {
            for place in WideBits(self.boards[0][player as usize]) {
                let kind = Kind::Stone;
                cells[cell(place)] = Some(Piece { player, kind });
            }
        }
        Scene::Board(Board {
            style: BoardStyle::Stones,
            rows: SIZE,
            columns: SIZE,
            cells,
            last: self.last.map(usize::from).into_iter().collect(),
            marked: Vec::new(),
        })
    }

    fn action_name(&self, action: usize) -> String {
        if action == PASS {
            "pass".to_owned()
        } else {
            vertex(action, SIZE)
        }
    }

    fn parse_action(&self, name: &str) -> Result<usize> {
        let name = name.trim();
        if name.eq_ignore_ascii_case("pass") {
            return Ok(PASS);
        }
        let cell = parse_vertex(name, SIZE);
        cell.ok_or_else(|| no_name(name, "crossings such as D4, without I, or pass"))
    }

    fn cells(&self, action: usize) -> ActionCells {
        ActionCells {
            from: None,
            to: (action < CELLS).then_some(action),
        }
    }
}
