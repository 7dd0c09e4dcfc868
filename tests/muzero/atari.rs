//! The arcade: its child process when it misbehaves, and the real environment where Python has it.

#![expect(
    clippy::float_cmp,
    reason = "rewards are small whole numbers, and equal inputs give equal bits"
)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use vitrine::demos::muzero::game::atari::{self, AtariGame, AtariSettings, Launcher, Shrink};
use vitrine::demos::muzero::game::{Game, GameId, Scene, open};
use vitrine::error::Error;
use vitrine::rng::Rng;

fn python_can(import: &str) -> bool {
    let python = Launcher::default().programs[0].clone();
    let found = Command::new(python)
        .args(["-c", &format!("import {import}")])
        .stderr(Stdio::null())
        .status();
    let can = found.is_ok_and(|status| status.success());
    if !can {
        println!("skipped: there is no Python with the module {import}");
    }
    can
}

/// Answers as the real server does, with screens of 4 by 6 pixels; the fifth action goes wrong.
fn fake(wrong: &str) -> Launcher {
    let script = format!(
        "
import os, struct, sys, time
read, out = sys.stdin.buffer, sys.stdout.buffer
acts = 0
def reply(body):
    out.write(struct.pack('<I', len(body)) + body)
    out.flush()
while True:
    length = read.read(4)
    if not length:
        sys.exit()
    request = read.read(struct.unpack('<I', length)[0])
    if request[:1] == b'O':
        reply(b'+' + struct.pack('<HH', 4, 6) + bytes([0, 1, 3]))
        continue
    acts += request[:1] == b'A'
    if acts == 5:
        {wrong}
    reply(b'+' + struct.pack('<iiB', -2 * acts, 3, 0) + bytes([acts] * 72))
"
    );
    Launcher {
        script,
        patience: Duration::from_millis(400),
        ..Launcher::default()
    }
}

fn is_running(id: u32) -> bool {
    // A zombie is still there, which is what has to be noticed too.
    Path::new(&format!("/proc/{id}")).exists()
}

/// The end of a process that nobody waits for is not seen at once.
fn ends_soon(id: u32) -> bool {
    let begun = Instant::now();
    while is_running(id) && begun.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(20));
    }
    !is_running(id)
}

fn begun(rom: &str, settings: AtariSettings) -> AtariGame {
    let mut game = AtariGame::new(rom, settings).expect("opens");
    game.reset(Rng::new(1)).expect("begins");
    game
}

#[test]
fn a_child_that_misbehaves_loses_its_game_and_is_replaced() {
    if !python_can("struct") {
        return;
    }
    let wrongs = [
        ("os._exit(1)", "has ended"),
        ("time.sleep(1000)", "did not answer"),
        ("out.write(b'\\xff' * 100); out.flush()", "nonsense"),
        ("reply(b'+short'); continue", "nonsense"),
        ("reply(b''); continue", "nonsense"),
        ("reply(b'what' * 50); continue", "nonsense"),
        ("reply(b'!out of quarters'); continue", "out of quarters"),
        (
            "out.write(struct.pack('<I', 90) + b'+cut'); out.flush(); os._exit(0)",
            "has ended",
        ),
    ];
    for (wrong, says) in wrongs {
        let mut game =
            AtariGame::launched("fake", AtariSettings::default(), fake(wrong)).expect("opens");
        let mut children = Vec::new();
        for episode in 0..2 {
            game.reset(Rng::new(episode)).expect("begins");
            assert!(!game.is_over() && !game.is_lost(), "{wrong}");
            let child = game.process_id().expect("runs");
            assert!(!children.contains(&child), "{wrong}: a new one");
            children.push(child);
            for step in 1..=4_u8 {
                assert_eq!(game.step(2).expect(wrong), -2.0 * f32::from(step));
                assert_eq!(game.lives(), 3);
            }
            let asked = Instant::now();
            let error = game.step(0).expect_err(wrong).to_string();
            assert!(error.contains(says), "{wrong}: {error}");
            assert!(asked.elapsed() < Duration::from_secs(10), "{wrong}");
            assert!(game.is_over() && game.is_lost(), "{wrong}");
            let again = game.step(0).expect_err("over").to_string();
            assert_eq!(again, "the game is over", "said once");
            assert!(ends_soon(child), "{wrong}: the old child is gone");
        }
    }
}

#[test]
fn rewards_can_be_clipped_and_games_cut() {
    if !python_can("struct") {
        return;
    }
    let settings = AtariSettings {
        clip_rewards: true,
        max_frames: 12,
        size: 3,
        ..AtariSettings::default()
    };
    let mut game = AtariGame::launched("fake", settings, fake("pass")).expect("opens");
    game.reset(Rng::new(1)).expect("begins");
    assert_eq!(game.spec().observation, [8, 3, 3]);
    assert_eq!(game.spec().max_steps, 3);
    let mut planes = [0.5; 72];
    for step in 1..=3_u8 {
        assert!(!game.is_over());
        assert_eq!(game.step(2).expect("is legal"), -1.0);
        game.observe(&mut planes);
        // Screens are of the grey `step`; before the first action they were 0.
        let greys: Vec<f32> = planes[..36].iter().step_by(9).map(|x| x * 255.0).collect();
        let expected = [
            step.saturating_sub(3),
            step.saturating_sub(2),
            step - 1,
            step,
        ];
        for (grey, expected) in greys.iter().zip(expected) {
            assert!(
                (grey - f32::from(expected)).abs() < 1e-4,
                "{greys:?} at {step}"
            );
        }
        let acted = |ago: u8| if ago < step { 2.0 / 3.0 } else { 0.0 };
        assert_eq!(
            [planes[36], planes[45], planes[54], planes[63]],
            [3, 2, 1, 0].map(acted)
        );
        assert_eq!(planes[71], planes[63], "planes are even");
    }
    assert!(game.is_over() && !game.is_lost());
    game.step(0).expect_err("over");
    let Scene::Screen(image) = game.scene() else {
        panic!("a screen")
    };
    assert_eq!((image.width, image.height), (6, 4));
    assert_eq!(image.rgba[..4], [3, 3, 3, 255]);
}

#[test]
fn what_is_missing_is_named_with_its_remedy() {
    let nowhere = Launcher {
        programs: vec!["/nowhere/python".into()],
        ..Launcher::default()
    };
    let error = AtariGame::launched("pong", AtariSettings::default(), nowhere).expect_err("none");
    assert!(
        matches!(&error, Error::Missing(text) if text.contains("pip install ale-py")),
        "{error}"
    );
    if !python_can("struct") {
        return;
    }
    let mut without = Launcher::default();
    without.script = format!(
        "import sys; sys.modules['ale_py'] = None\n{}",
        without.script
    );
    let error = AtariGame::launched("pong", AtariSettings::default(), without).expect_err("none");
    assert!(
        matches!(&error, Error::Missing(text) if text.contains("pip install ale-py")),
        "{error}"
    );
    for settings in [
        AtariSettings {
            frame_skip: 0,
            ..AtariSettings::default()
        },
        AtariSettings {
            size: 0,
            ..AtariSettings::default()
        },
        AtariSettings {
            sticky: f32::NAN,
            ..AtariSettings::default()
        },
    ] {
        let error = AtariGame::new("pong", settings).expect_err("no sense");
        assert!(matches!(error, Error::Input(_)), "{error}");
    }
    if python_can("ale_py") {
        let error = AtariGame::new("no_such_game", AtariSettings::default()).expect_err("none");
        assert!(
            matches!(&error, Error::Missing(text) if text.contains("no_such_game")),
            "{error}"
        );
    }
}

#[test]
fn a_screen_is_averaged_over_areas() {
    for (height, width, size) in [
        (210, 160, 96),
        (250, 160, 84),
        (7, 5, 3),
        (4, 4, 4),
        (2, 3, 5),
    ] {
        let mut rng = Rng::new(3);
        let rgb: Vec<u8> = (0..height * width * 3)
            .map(|_| rng.next_u64() as u8)
            .collect();
        let mut square = vec![0; size * size];
        Shrink::new(height, width, size).run(&rgb, &mut square);
        for (at, &pixel) in square.iter().enumerate() {
            // The definition: the mean of all points of a lattice that every pixel side divides.
            let (row, column) = (at / size, at % size);
            let mut sum = 0.0;
            for y in 0..height {
                for x in 0..width {
                    let (y, x) = (row * height + y, column * width + x);
                    let old = (y / size * width + x / size) * 3;
                    let [r, g, b] = [rgb[old], rgb[old + 1], rgb[old + 2]].map(f64::from);
                    sum += 0.299 * r + 0.587 * g + 0.114 * b;
                }
            }
            let mean = sum / (height * width) as f64;
            assert!(
                (f64::from(pixel) - mean).abs() < 0.501,
                "{pixel} is not {mean}"
            );
            if at > 40 && size > 80 {
                break;
            }
        }
        let mut even = vec![0; size * size];
        Shrink::new(height, width, size).run(&vec![77; height * width * 3], &mut even);
        assert!(
            even.iter().all(|&pixel| pixel == 77),
            "an even screen stays even"
        );
    }
}

/// A digest of all that is seen and earned in one game with random actions.
fn digest(game: &mut AtariGame, seed: u64, steps: usize) -> Vec<u8> {
    game.reset(Rng::new(seed)).expect("begins");
    let mut actions = Rng::new(77);
    let mut planes = vec![0.0; game.spec().observation.iter().product()];
    let mut hash = Sha256::new();
    for _ in 0..steps {
        if game.is_over() {
            break;
        }
        let reward = game
            .step(actions.below(game.spec().actions))
            .expect("is legal");
        hash.update(reward.to_le_bytes());
        game.observe(&mut planes);
        for x in &planes {
            hash.update(x.to_le_bytes());
        }
    }
    hash.finalize().to_vec()
}

#[test]
fn a_seed_gives_the_same_game_in_any_process() {
    if !python_can("ale_py") {
        return;
    }
    let settings = AtariSettings::default();
    for rom in ["breakout", "seaquest"] {
        let mut game = AtariGame::new(rom, settings.clone()).expect("opens");
        let first = digest(&mut game, 5, 150);
        let other = digest(&mut game, 6, 150);
        assert_ne!(first, other, "{rom}, another seed");
        assert_eq!(first, digest(&mut game, 5, 150), "{rom}, the same process");
        let mut fresh = AtariGame::new(rom, settings.clone()).expect("opens");
        assert_eq!(other, digest(&mut fresh, 6, 150), "{rom}, another process");
    }
}

/// Plays actions in the environment itself, with its own frame skip for what is earned.
const ORACLE: &str = "
import sys, zlib, numpy as np
from ale_py import ALEInterface, LoggerMode, roms
ALEInterface.setLoggerMode(LoggerMode.Error)
def load(skip):
    ale = ALEInterface()
    ale.setInt('random_seed', 0)
    ale.setInt('frame_skip', skip)
    ale.setFloat('repeat_action_probability', 0.0)
    ale.loadROM(roms.get_rom_path(sys.argv[1]))
    return ale
four, one = load(4), load(1)
actions = four.getMinimalActionSet()
print(*[a.name.lower() for a in actions])
for a in sys.argv[2].split(','):
    a = actions[int(a)]
    reward = four.act(a)
    for _ in range(4):
        before = one.getScreenRGB()
        one.act(a)
        if one.game_over():
            before = one.getScreenRGB()
            break
    screen = np.maximum(before, one.getScreenRGB())
    print(reward, four.lives(), int(four.game_over()), zlib.crc32(screen.tobytes()))
    if four.game_over(): break
";

fn crc(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for &byte in bytes {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = crc >> 1 ^ (0xedb8_8320 * (crc & 1));
        }
    }
    !crc
}

#[test]
fn every_decision_is_that_of_the_environment() {
    if !python_can("ale_py") {
        return;
    }
    let settings = AtariSettings {
        sticky: 0.0,
        noops: 0,
        ..AtariSettings::default()
    };
    for (rom, steps) in [
        ("breakout", 1500),
        ("space_invaders", 800),
        ("carnival", 100),
    ] {
        let mut game = begun(rom, settings.clone());
        let mut rng = Rng::new(8);
        let actions: Vec<usize> = (0..steps).map(|_| rng.below(game.spec().actions)).collect();
        let words: Vec<String> = actions.iter().map(ToString::to_string).collect();
        let output = Command::new(&Launcher::default().programs[0])
            .args(["-c", ORACLE, rom, &words.join(",")])
            .output()
            .expect("python runs");
        assert!(output.status.success(), "{output:?}");
        let expected = String::from_utf8(output.stdout).expect("text");
        let mut lines = expected.lines();
        let names: Vec<String> = (0..game.spec().actions)
            .map(|a| game.action_name(a))
            .collect();
        assert_eq!(lines.next(), Some(&names.join(" ")[..]), "{rom}");
        let mut earned = 0.0;
        for (step, action) in actions.into_iter().enumerate() {
            let reward = game.step(action).expect("is legal");
            earned += reward;
            let Scene::Screen(image) = game.scene() else {
                panic!("a screen")
            };
            let rgb: Vec<u8> = image
                .rgba
                .chunks(4)
                .flat_map(|p| [p[0], p[1], p[2]])
                .collect();
            let seen = format!(
                "{reward} {} {} {}",
                game.lives(),
                u8::from(game.is_over()),
                crc(&rgb)
            );
            assert_eq!(lines.next(), Some(&seen[..]), "{rom}, step {step}");
            if game.is_over() {
                break;
            }
        }
        assert_eq!(lines.next(), None);
        assert!(earned > 0.0 || rom == "carnival", "{rom} earned nothing");
    }
}

#[test]
fn an_action_that_always_sticks_is_the_first_one() {
    if !python_can("ale_py") {
        return;
    }
    let settings = AtariSettings {
        sticky: 1.0,
        noops: 0,
        ..AtariSettings::default()
    };
    let mut stuck = begun("breakout", settings.clone());
    let mut still = begun(
        "breakout",
        AtariSettings {
            sticky: 0.0,
            ..settings
        },
    );
    for step in 0..60 {
        stuck.step(1 + step % 3).expect("is legal");
        still.step(0).expect("is legal");
        assert!(stuck.scene() == still.scene(), "step {step}");
    }
    let fired = still.step(1).and_then(|_| stuck.step(1)).expect("is legal");
    assert_eq!(fired, 0.0);
    assert!(
        stuck.scene() != still.scene(),
        "the ball flies in one of them only"
    );
}

#[test]
fn the_contract_of_games_is_kept() {
    if !python_can("ale_py") {
        return;
    }
    let roms = atari::roms().expect("lists");
    assert!(
        roms.len() > 50 && roms.contains(&"pong".to_owned()),
        "{roms:?}"
    );
    assert!(
        !roms.contains(&"combat".to_owned()),
        "cannot be played alone"
    );
    let mut game = begun("breakout", AtariSettings::default());
    assert_eq!(game.spec().observation, [8, 96, 96]);
    assert_eq!(game.spec().max_steps, 27_000);
    for action in 0..game.spec().actions {
        assert_eq!(
            game.parse_action(&game.action_name(action)).expect("known"),
            action
        );
    }
    assert!(game.parse_action("jump").is_err());
    let Err(error) = game.boxed_clone() else {
        panic!("copied")
    };
    assert!(error.to_string().contains("cannot be copied"), "{error}");
    let mut opened = open(&GameId::Atari("breakout".into())).expect("opens");
    assert_eq!(opened.spec(), game.spec());
    assert!(!opened.is_over(), "at its beginning");
    opened.step(0).expect("is legal");
    game.step(4).expect_err("no such action");
    game.step(3).expect("goes on");
    let mut planes = vec![-1.0; 8 * 96 * 96];
    game.observe(&mut planes);
    assert!(planes.iter().all(|x| (0.0..=1.0).contains(x)));
    assert!(
        planes[..96 * 96].iter().any(|&x| x > 0.1),
        "something is seen"
    );
}

#[test]
fn no_child_is_left_after_a_drop_or_a_panic() {
    if !python_can("ale_py") {
        return;
    }
    let game = begun("pong", AtariSettings::default());
    let dropped = game.process_id().expect("runs");
    assert!(is_running(dropped));
    drop(game);
    assert!(!is_running(dropped), "dropped");

    let (sender, receiver) = crossbeam_channel::bounded(1);
    let panicked = std::thread::Builder::new()
        .name("panics".into())
        .spawn(move || {
            let game = begun("pong", AtariSettings::default());
            sender
                .send(game.process_id().expect("runs"))
                .expect("is heard");
            panic!("on purpose");
        })
        .expect("starts")
        .join();
    assert!(panicked.is_err());
    assert!(!is_running(receiver.recv().expect("was sent")), "panicked");
}

/// Run by the test below in a process of its own, which is killed.
#[test]
#[ignore = "holds a game until it is killed"]
fn holds_a_game() {
    let game = begun("pong", AtariSettings::default());
    println!("\nchild {}", game.process_id().expect("runs"));
    std::thread::sleep(Duration::from_secs(100));
}

#[test]
fn no_child_is_left_after_a_kill() {
    if !python_can("ale_py") {
        return;
    }
    let mut parent = Command::new(std::env::current_exe().expect("has a path"))
        .args(["atari::holds_a_game", "--exact", "--ignored", "--nocapture"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("starts");
    let mut lines = BufReader::new(parent.stdout.take().expect("is piped")).lines();
    let child = loop {
        let line = lines.next().expect("a line").expect("reads");
        if let Some(id) = line.strip_prefix("child ") {
            break id.parse().expect("a number");
        }
    };
    assert!(is_running(child));
    parent.kill().expect("is killed");
    parent.wait().expect("ends");
    assert!(ends_soon(child), "the child outlives its killed parent");
}

/// Numbers of all processes that this one has started and not yet waited for.
fn children() -> Vec<u32> {
    let me = std::process::id().to_string();
    let entries = fs::read_dir("/proc").expect("Linux").flatten();
    let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let mine = |id: &u32| {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        // After the name, which may hold anything: state, parent.
        let rest = stat.rsplit(')').next().unwrap_or_default();
        rest.split_whitespace().nth(1) == Some(&me)
    };
    ids.filter(mine).collect()
}

/// Starts and stops games, each fifth in a new process; says how many decisions a second it were.
fn start_and_stop(episodes: u64) -> Vec<u32> {
    let mut all = Vec::new();
    let mut game = None;
    for episode in 0..episodes {
        if episode % 5 == 0 {
            game = None;
        }
        let rom = ["pong", "breakout", "freeway"][(episode / 5 % 3) as usize];
        let game = game
            .get_or_insert_with(|| AtariGame::new(rom, AtariSettings::default()).expect("opens"));
        game.reset(Rng::new(episode)).expect("begins");
        for step in 0..3 {
            game.step(step % 2).expect("is legal");
        }
        all.push(game.process_id().expect("runs"));
    }
    all.dedup();
    all
}

#[test]
fn episodes_leave_no_child() {
    if !python_can("ale_py") {
        return;
    }
    let all = start_and_stop(20);
    assert_eq!(all.len(), 4);
    assert!(!all.into_iter().any(is_running));
}

#[test]
#[ignore = "minutes, and only when no other test runs: counts all children"]
fn a_thousand_episodes_leave_no_child() {
    assert!(python_can("ale_py"));
    let begun = Instant::now();
    let all = start_and_stop(1000);
    println!(
        "1000 episodes in {} processes: {:?}",
        all.len(),
        begun.elapsed()
    );
    assert_eq!(all.len(), 200);
    let left = children();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn it_is_fast_enough_for_play() {
    if !python_can("ale_py") {
        return;
    }
    let mut game = begun("breakout", AtariSettings::default());
    let mut planes = vec![0.0; game.spec().observation.iter().product()];
    let mut actions = Rng::new(4);
    let begun = Instant::now();
    let mut decisions = 0_u32;
    while begun.elapsed() < Duration::from_secs(1) {
        if game.is_over() {
            game.reset(Rng::new(u64::from(decisions))).expect("begins");
        }
        game.step(actions.below(4)).expect("is legal");
        game.observe(&mut planes);
        decisions += 1;
    }
    let a_second = f64::from(decisions) / begun.elapsed().as_secs_f64();
    println!("{a_second:.0} decisions a second");
    // A game runs at 15 decisions a second. Little is asked for, because other tests run too.
    assert!(a_second > 15.0, "{a_second} decisions a second");
}
