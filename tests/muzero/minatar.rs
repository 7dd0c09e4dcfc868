//! `MinAtar`'s games against games of the `PyPI` package, recorded by
//! `tests/data/muzero/record_minatar.py`, and against the package itself where it is installed.

#![expect(
    clippy::float_cmp,
    reason = "rewards are small whole numbers, and equal inputs give equal bits"
)]

use std::process::Command;
use std::time::Instant;

use vitrine::demos::muzero::game::minatar::{Chance, Machine, MinAtarGame, STICKY};
use vitrine::demos::muzero::game::{ActionCells, Game, GameId, MinAtar, Player, Scene, open};
use vitrine::rng::Rng;

const RECORDED: &str = include_str!("../data/muzero/minatar.txt");

const KINDS: [MinAtar; 5] = [
    MinAtar::Breakout,
    MinAtar::Freeway,
    MinAtar::Asterix,
    MinAtar::SpaceInvaders,
    MinAtar::Seaquest,
];

/// Draws that were written down.
struct Script<'a>(std::str::Chars<'a>);

impl Chance for Script<'_> {
    fn happens(&mut self, probability: f64) -> bool {
        let bucket = match self.0.next().expect("a draw more than the package's") {
            'A' => 0.0,
            'B' => 0.1,
            'C' => 1.0 / 3.0,
            'D' => 0.5,
            other => panic!("the package drew a whole number here: {other}"),
        };
        // A hair less than 0.1 in f32 is a hair more in f64.
        bucket < probability - 1e-6
    }

    fn below(&mut self, end: usize) -> usize {
        let letter = self.0.next().expect("a draw more than the package's");
        let expected = char::from(b'a' + u8::try_from(end - 1).expect("small"));
        assert_eq!(letter, expected, "a whole number below another end");
        let digit = self.0.next().and_then(|digit| digit.to_digit(10));
        digit.expect("a digit") as usize
    }
}

/// The CRC-32 of the grid, packed into bits.
fn crc(machine: &Machine) -> u32 {
    let mut bytes = vec![0_u8; (machine.channels().len() * 100).div_ceil(8)];
    machine.draw(|cell| bytes[cell / 8] |= 0x80 >> (cell % 8));
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = crc >> 1 ^ (0xedb8_8320 * (crc & 1));
        }
    }
    !crc
}

/// What the recorded games held, so that a test can say that it saw enough.
#[derive(Default, Debug)]
struct Seen {
    frames: usize,
    games: usize,
    ended: usize,
    reward: f32,
    best: f32,
}

/// Replays recorded games of one kind, and compares grid, reward and end at every frame.
fn replay(recorded: &str, kind: MinAtar) -> Seen {
    let mut seen = Seen::default();
    let mut machine = None;
    let mut total = 0.0;
    let mut endless = false;
    let name = GameId::MinAtar(kind).to_string();
    for (number, line) in recorded.lines().enumerate() {
        let at = || format!("{name}, line {}: {line}", number + 1);
        let words: Vec<&str> = line.split(' ').collect();
        if let ["game", game, ramping, lives, draws, expected] = words[..] {
            endless = lives != "1";
            machine = None;
            if name != format!("minatar:{game}") {
                continue;
            }
            let mut chance = Script(draws.trim_matches('-').chars());
            let fresh = Machine::new(kind, ramping == "1", &mut chance);
            assert_eq!(chance.0.as_str(), "", "draws are left: {}", at());
            assert_eq!(format!("{:08x}", crc(&fresh)), expected, "{}", at());
            machine = Some(fresh);
            seen.games += 1;
            total = 0.0;
            continue;
        }
        let Some(machine) = &mut machine else {
            continue;
        };
        let mut chance = Script(words[1].chars());
        let key = machine.keys()[words[0].parse::<usize>().expect("an action")];
        let reward = machine.step(key, f64::from(STICKY), &mut chance);
        assert_eq!(chance.0.as_str(), "", "draws are left: {}", at());
        assert_eq!(format!("{:08x}", crc(machine)), words[2], "{}", at());
        let expected = words.get(3).and_then(|word| word.parse().ok());
        assert_eq!(reward, expected.unwrap_or(0.0), "reward, {}", at());
        assert_eq!(machine.is_over(), line.ends_with("over"), "end, {}", at());
        total += reward;
        seen.frames += 1;
        seen.ended += usize::from(machine.is_over());
        if endless {
            machine.revive();
        }
        seen.reward += reward;
        seen.best = seen.best.max(total);
    }
    seen
}

#[test]
fn all_frames_are_those_of_the_package() {
    for kind in KINDS {
        let seen = replay(RECORDED, kind);
        println!("{kind:?}: {seen:?}");
        assert!(seen.games >= 5 && seen.frames > 900, "{kind:?}: {seen:?}");
        // More than one wall of bricks, and the last speed of the aliens.
        let late = match kind {
            MinAtar::Breakout => 31.0,
            MinAtar::SpaceInvaders => 24.0 * 7.0,
            _ => 30.0,
        };
        assert!(seen.ended >= 1 && seen.best >= late, "{kind:?}: {seen:?}");
    }
}

#[test]
fn new_games_of_the_package_itself_agree() {
    let script = "tests/data/muzero/record_minatar.py";
    let seed = u32::try_from(Rng::new(u64::from(std::process::id())).below(1 << 20)).expect("fits");
    let imports = Command::new("python3")
        .args(["-c", "import minatar"])
        .output();
    if !imports.is_ok_and(|output| output.status.success()) {
        println!("skipped: there is no python3 with the package minatar");
        return;
    }
    let output = Command::new("python3")
        .args([script, "live", &seed.to_string()])
        .output()
        .expect("python3 runs");
    assert!(output.status.success(), "{output:?}");
    let recorded = String::from_utf8(output.stdout).expect("text");
    for kind in KINDS {
        let seen = replay(&recorded, kind);
        assert!(seen.games == 4 && seen.frames > 20, "seed {seed}: {seen:?}");
    }
}

/// The mean return of random play, with its standard error.
fn random_return(kind: MinAtar, games: u32) -> (f64, f64) {
    let mut game = MinAtarGame::new(kind, STICKY, true);
    let rng = Rng::new(11);
    let mut player = rng.split("player");
    let actions = game.spec().actions;
    let mut totals = Vec::new();
    for number in 0..games {
        game.reset(rng.split(&format!("game {number}")))
            .expect("begins");
        let mut total = 0.0;
        while !game.is_over() {
            total += game.step(player.below(actions)).expect("is legal");
        }
        totals.push(f64::from(total));
    }
    let n = f64::from(games);
    let mean = totals.iter().sum::<f64>() / n;
    let variance = totals.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (mean, (variance / n).sqrt())
}

#[test]
fn random_play_earns_what_it_earns_in_the_package() {
    // Mean and standard error of 1000 games (Freeway: 100) of the package itself, with the minimal
    // actions, by `record_minatar.py random`.
    let package = [
        (0.38, 0.021),
        (0.33, 0.057),
        (0.481, 0.029),
        (4.041, 0.102),
        (0.115, 0.014),
    ];
    for (kind, (expected, its_error)) in KINDS.into_iter().zip(package) {
        let games = if kind == MinAtar::Freeway { 100 } else { 1000 };
        let (mean, error) = random_return(kind, games);
        println!("{kind:?}: {mean:.3} +- {error:.3}, the package {expected} +- {its_error}");
        let allowed = 4.0 * error.hypot(its_error) + 1e-3;
        assert!(
            (mean - expected).abs() < allowed,
            "{kind:?}: {mean} +- {error}"
        );
    }
}

/// All rewards and observations of some games with random actions, where each step is made by a
/// copy of the game if `copied`.
fn history(kind: MinAtar, seed: u64, copied: bool) -> Vec<(u32, Vec<f32>)> {
    let mut game: Box<dyn Game> = Box::new(MinAtarGame::new(kind, STICKY, true));
    let mut actions = Rng::new(99);
    let mut seen = vec![0.0; game.spec().observation.iter().product()];
    let mut all = Vec::new();
    for number in 0..5 {
        game.reset(Rng::new(seed + 100 * number)).expect("begins");
        while !game.is_over() && all.len() < 500 {
            if copied {
                let copy = game.boxed_clone().expect("can be copied");
                game.step(1).expect("is legal; the original goes astray");
                game = copy;
            }
            let action = actions.below(game.spec().actions);
            let reward = game.step(action).expect("is legal");
            game.observe(&mut seen);
            all.push((reward.to_bits(), seen.clone()));
        }
    }
    all
}

#[test]
fn a_seed_gives_the_same_game_and_a_copy_goes_on_by_itself() {
    for kind in KINDS {
        // Not assert_eq: the histories fill screens.
        let one = history(kind, 5, false);
        assert!(one == history(kind, 5, false), "{kind:?}, same seed");
        assert!(one == history(kind, 5, true), "{kind:?}, copied");
        assert!(one != history(kind, 6, false), "{kind:?}, another seed");
    }
}

#[test]
fn the_contract_of_games_is_kept() {
    for kind in KINDS {
        let mut game = MinAtarGame::new(kind, 0.0, true);
        game.reset(Rng::new(1)).expect("begins");
        let spec = game.spec().clone();
        let opened = open(&GameId::MinAtar(kind)).expect("opens");
        assert_eq!(opened.spec(), &spec);
        assert_eq!(spec.players, 1);
        assert_eq!(game.to_play(), Player::First);
        assert_eq!(game.outcome(), None);
        assert_eq!(game.cells(0), ActionCells::default());
        for action in 0..spec.actions {
            let name = game.action_name(action);
            assert_eq!(game.parse_action(&name).expect("is known"), action);
        }
        assert!(game.parse_action("jump").is_err());
        let error = game.step(spec.actions).expect_err("no such action");
        assert!(error.to_string().contains("no action"), "{error}");

        // The picture and the planes hold the same.
        let mut planes = vec![0.5; spec.observation.iter().product()];
        game.observe(&mut planes);
        let Scene::Grid(grid) = game.scene() else {
            panic!("a grid")
        };
        assert_eq!(grid.channels.len(), spec.observation[0]);
        let cells: Vec<f32> = grid
            .cells
            .iter()
            .map(|&on| f32::from(u8::from(on)))
            .collect();
        assert_eq!(planes, cells, "{kind:?}");

        let mut steps = 0;
        while !game.is_over() {
            game.step(0).expect("is legal");
            steps += 1;
            assert!(steps <= spec.max_steps, "{kind:?} ends");
        }
        let mut legal = vec![true; spec.actions];
        game.legal(&mut legal);
        assert_eq!(legal, vec![false; spec.actions]);
        assert!(game.step(0).is_err(), "{kind:?} is over");
    }
    let game = MinAtarGame::new(MinAtar::Freeway, STICKY, true);
    assert_eq!(game.spec().max_steps, 2501);
}

#[test]
fn games_are_fast() {
    for kind in KINDS {
        let mut game = MinAtarGame::new(kind, STICKY, true);
        let rng = Rng::new(3);
        let mut actions = rng.split("actions");
        let mut planes = vec![0.0; game.spec().observation.iter().product()];
        let steps = 300_000_u32;
        let mut seconds = [0.0; 2];
        for (observed, seconds) in [false, true].into_iter().zip(&mut seconds) {
            let begun = Instant::now();
            for step in 0..steps {
                if game.is_over() {
                    game.reset(rng.split(&step.to_string())).expect("begins");
                }
                game.step(actions.below(game.spec().actions))
                    .expect("is legal");
                if observed {
                    game.observe(&mut planes);
                }
            }
            *seconds = begun.elapsed().as_secs_f64();
        }
        let [alone, observed] = seconds.map(|seconds| f64::from(steps) / seconds);
        println!("{kind:?}: {alone:.0} steps a second, {observed:.0} with observations");
        // A tenth of what one idle core does: other tests run too.
        assert!(observed > 1e5, "{kind:?}: {observed} steps a second");
    }
}
