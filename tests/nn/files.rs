//! Files of weights and checkpoints: strict, safe against damage, and whole after `kill -9`.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use candle_core::Device;
use serde_json::json;
use vitrine::nn::checkpoint::{Checkpoint, Checkpoints};
use vitrine::nn::weights::{self, Precision};
use vitrine::nn::{Init, Params};
use vitrine::rng::Rng;

use crate::teacher::trainer;

/// A model with weights of these names and shapes.
fn model(arrays: &[(&str, &[usize])]) -> Params {
    let mut params = Params::new(&Device::Cpu, &Rng::new(4));
    for (name, shape) in arrays {
        params
            .root()
            .param(name, shape, Init::Normal { std: 1.0 })
            .expect("a new name");
    }
    params
}

/// Two layers and a running mean.
fn small() -> Params {
    let mut params = model(&[("0.bias", &[3]), ("0.weight", &[3, 2])]);
    params
        .root()
        .buffer("mean", &[3], Init::ONES)
        .expect("a new name");
    params
}

/// Sets all numbers to zero, so that it shows whether a file was loaded.
fn clear(params: &Params) {
    for (_, param) in params.iter() {
        let count = param.shape().iter().product();
        param.set(&vec![0.0; count]).expect("set");
    }
}

#[allow(clippy::disallowed_methods, reason = "a test damages files on purpose")]
fn write_plainly(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).expect("written");
}

#[test]
fn weights_come_back_bit_for_bit_and_in_half_precision_rounded() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("new/weights.safetensors");
    let params = small();
    let before = params.snapshot().expect("weights");
    let mut sizes = Vec::new();
    for precision in [Precision::Single, Precision::Half] {
        weights::save(&params, &path, precision).expect("saved");
        let size = std::fs::metadata(&path).expect("there").len();
        clear(&params);
        weights::load(&params, &path).expect("loaded");
        let after = params.snapshot().expect("weights");
        for (name, values) in &before {
            for (x, y) in values.iter().zip(&after[name]) {
                let expected = match precision {
                    Precision::Single => *x,
                    Precision::Half => half::f16::from_f32(*x).to_f32(),
                };
                assert_eq!(expected.to_bits(), y.to_bits(), "{name}");
            }
        }
        params.restore(&before).expect("restored");
        sizes.push(size);
    }
    assert!(
        sizes[1] + 24 <= sizes[0],
        "twelve numbers of two bytes less: {sizes:?}"
    );
    params
        .get("mean")
        .and_then(|mean| mean.set(&[1.0, 65_520.0, 2.0]))
        .expect("set");
    let message = weights::save(&params, &path, Precision::Half)
        .expect_err("it would become infinite")
        .to_string();
    assert_eq!(
        message,
        "mean has numbers beyond half precision: store single precision"
    );
    weights::save(&params, &path, Precision::Single).expect("saved");
    let bytes = std::fs::read(&path).expect("read");
    weights::save(&params, &path, Precision::Single).expect("saved");
    assert_eq!(bytes, std::fs::read(&path).expect("read"), "the same bytes");
}

#[test]
fn files_of_another_model_are_refused_by_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("weights.safetensors");
    let shown = path.display();
    let params = small();
    let before = params.snapshot().expect("weights");
    for (other, complaint) in [
        (
            model(&[("0.bias", &[3]), ("0.weight", &[3, 2])]),
            "missing mean",
        ),
        (
            model(&[
                ("0.bias", &[3]),
                ("0.weight", &[2, 3]),
                ("mean", &[3]),
                ("zebra", &[1]),
            ]),
            "unexpected zebra; 0.weight has shape [2, 3] and not [3, 2]",
        ),
        (
            model(&[
                ("a", &[1]),
                ("b", &[1]),
                ("c", &[1]),
                ("d", &[1]),
                ("e", &[1]),
            ]),
            "missing 0.bias, 0.weight, mean; unexpected a, b, c and 2 more",
        ),
    ] {
        weights::save(&other, &path, Precision::Single).expect("saved");
        let message = weights::load(&params, &path).expect_err("refused");
        assert_eq!(
            message.to_string(),
            format!("these are weights of another model: {complaint}: {shown}")
        );
        assert_eq!(params.snapshot().expect("weights"), before);
    }
    let doubles = candle_core::Tensor::zeros(3, candle_core::DType::F64, &Device::Cpu);
    let doubles = doubles.expect("zeros");
    let all = ["0.bias", "0.weight", "mean"].map(|name| (name, doubles.clone()));
    candle_core::safetensors::save(&all.into_iter().collect(), &path).expect("saved");
    let message = weights::load(&params, &path)
        .expect_err("refused")
        .to_string();
    assert!(
        message.contains("0.bias has another type than f32 or f16"),
        "{message}"
    );
}

#[test]
fn hostile_files_are_refused_without_harm() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("weights.safetensors");
    let params = small();
    let before = params.snapshot().expect("weights");
    weights::save(&params, &path, Precision::Single).expect("saved");
    let good = std::fs::read(&path).expect("read");
    let refused = |bytes: &[u8]| {
        write_plainly(&path, bytes);
        let outcome = weights::load(&params, &path).map_err(|error| error.to_string());
        assert_eq!(params.snapshot().expect("weights"), before);
        outcome.expect_err("refused")
    };
    for len in 0..good.len() {
        refused(&good[..len]);
    }
    let mut huge = good.clone();
    huge[..8].copy_from_slice(&(50_u64 << 20).to_le_bytes());
    assert!(refused(&huge).contains("its header claims 52428800 bytes"));
    huge[..8].copy_from_slice(&u64::MAX.to_le_bytes());
    assert!(refused(&huge).contains("its header claims"));
    let mut longer = good.clone();
    longer.push(0);
    refused(&longer);

    let with_header = |header: &str, data: usize| {
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.as_bytes());
        bytes.extend(vec![0; data]);
        bytes
    };
    let entry = |name: &str, shape: &str, from: u64, to: u64| {
        format!(r#""{name}":{{"dtype":"F32","shape":{shape},"data_offsets":[{from},{to}]}}"#)
    };
    for header in [
        // Two arrays on the same bytes.
        format!(
            "{{{},{}}}",
            entry("a", "[3]", 0, 12),
            entry("b", "[3]", 0, 12)
        ),
        // Beyond the end.
        format!("{{{}}}", entry("a", "[30]", 0, 120)),
        // A count that overflows.
        format!("{{{}}}", entry("a", "[4294967296,4294967296,4]", 0, 12)),
        // Offsets the wrong way round.
        format!("{{{}}}", entry("a", "[3]", 12, 0)),
        "[".repeat(5000),
        "{}".into(),
    ] {
        refused(&with_header(&header, 12));
    }
    let sparse = std::fs::OpenOptions::new().write(true).open(&path);
    sparse
        .and_then(|file| file.set_len(1 << 40))
        .expect("a file of a terabyte that takes no room");
    let message = weights::load(&params, &path)
        .expect_err("refused")
        .to_string();
    assert!(message.contains("are expected"), "{message}");
    assert!(weights::load(&params, folder.path()).is_err(), "a folder");
    std::fs::remove_file(&path).expect("removed");
    assert!(weights::load(&params, &path).is_err(), "no file");
}

/// A run's state with this step.
fn state(step: u64) -> Checkpoint {
    let mut rng = Rng::new(step);
    rng.uniform();
    let mut checkpoint = Checkpoint::new(step, &rng, json!({"note": [step, 0.1]}));
    checkpoint.put_params(&small()).expect("weights");
    checkpoint
}

fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let name = |entry: std::io::Result<std::fs::DirEntry>| {
        entry
            .expect("an entry")
            .file_name()
            .to_string_lossy()
            .into_owned()
    };
    let mut names: Vec<String> = entries.map(name).collect();
    names.sort();
    names
}

#[test]
fn the_last_two_checkpoints_are_kept_and_come_back_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let checkpoints = Checkpoints::new(folder.path().join("run"));
    let (none, notice) = checkpoints.load_latest().expect("no folder is no error");
    assert!(none.is_none() && notice.is_none());
    for step in [5, 30, 200] {
        checkpoints.save(&state(step)).expect("saved");
    }
    assert_eq!(
        files(checkpoints.folder()),
        [
            "step-000000000030.safetensors",
            "step-000000000200.safetensors"
        ]
    );
    let (found, notice) = checkpoints.load_latest().expect("loaded");
    assert_eq!(notice, None);
    assert!(found.expect("the newest") == state(200));

    // A run that was wound back stores an earlier step: what came later is not its past.
    checkpoints.save(&state(100)).expect("saved");
    let (found, _) = checkpoints.load_latest().expect("loaded");
    assert_eq!(found.expect("the newest").step, 100);
    checkpoints.clear().expect("cleared");
    assert_eq!(files(checkpoints.folder()), [""; 0]);
}

#[test]
fn any_damage_is_found_and_the_checkpoint_before_is_taken() {
    let folder = tempfile::tempdir().expect("a folder");
    let checkpoints = Checkpoints::new(folder.path());
    checkpoints.save(&state(1)).expect("saved");
    let newest = checkpoints.save(&state(2)).expect("saved");
    let good = std::fs::read(&newest).expect("read");
    let mut damaged: Vec<Vec<u8>> = Vec::new();
    for at in (0..good.len()).step_by(7) {
        damaged.push(good[..at].to_vec());
        let mut flipped = good.clone();
        flipped[at] ^= 4;
        damaged.push(flipped);
    }
    for bytes in damaged {
        write_plainly(&newest, &bytes);
        let (found, notice) = checkpoints.load_latest().expect("not an error");
        assert!(found.expect("the one before") == state(1));
        let notice = notice.expect("the user is told");
        assert_eq!(
            notice.text,
            "The newest checkpoint is damaged, going on from step 1"
        );
        assert!(
            notice
                .details
                .is_some_and(|d| d.contains("step-000000000002"))
        );
        assert_eq!(
            files(folder.path()),
            [
                "step-000000000001.safetensors",
                "step-000000000002.safetensors.bak"
            ]
        );
    }
    // Later checkpoints take its place, and the damaged one does not count.
    for step in [2, 3] {
        checkpoints.save(&state(step)).expect("saved");
    }
    let (found, notice) = checkpoints.load_latest().expect("loaded");
    assert_eq!((found.map(|c| c.step), notice), (Some(3), None));

    for name in files(folder.path()) {
        write_plainly(&folder.path().join(name), b"nothing");
    }
    let (found, notice) = checkpoints.load_latest().expect("not an error");
    assert!(found.is_none());
    assert_eq!(
        notice.expect("the user is told").text,
        "No checkpoint could be read, starting anew"
    );
}

#[test]
fn a_checkpoint_of_another_model_is_an_error_and_not_damage() {
    let folder = tempfile::tempdir().expect("a folder");
    let checkpoints = Checkpoints::new(folder.path());
    checkpoints.save(&state(1)).expect("saved");
    let (found, _) = checkpoints.load_latest().expect("loaded");
    let mut run = trainer(10);
    let before = run.params().snapshot().expect("weights");
    let mut found = found.expect("stored");
    found.meta = json!({"watch": {"best": null, "waited": 0, "stop": null}, "seconds": 0.0});
    let message = run.resume(&found).expect_err("refused").to_string();
    assert!(
        message.starts_with("these are weights of another model: missing layers.0.bias"),
        "{message}"
    );
    assert_eq!(run.params().snapshot().expect("weights"), before);
}

// --- kill -9 --------------------------------------------------------------------------------------

const FOLDER: &str = "VITRINE_TEST_CHECKPOINTS";
const STEPS: u64 = 150;

/// Goes on from the newest checkpoint and stores one after each step, to the end.
fn train_in(folder: &Path) -> Vec<u32> {
    let checkpoints = Checkpoints::new(folder);
    let mut run = trainer(STEPS);
    let (found, notice) = checkpoints.load_latest().expect("loaded");
    assert_eq!(notice, None, "no kill leaves a damaged checkpoint");
    if let Some(checkpoint) = found {
        run.resume(&checkpoint).expect("the same model");
    }
    while run.steps() < STEPS {
        run.step().expect("a step");
        let checkpoint = run.checkpoint().expect("finite");
        checkpoints.save(&checkpoint).expect("saved");
    }
    let end = run.params().snapshot().expect("weights");
    end.values().flatten().map(|x| x.to_bits()).collect()
}

/// Not a test of its own: what the next test starts as a process.
#[test]
fn child_that_is_killed() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        train_in(Path::new(&folder));
    }
}

#[test]
fn a_killed_process_goes_on_and_ends_with_the_same_bits() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut rng = Rng::new(8);
    let mut reached = Vec::new();
    for _ in 0..6 {
        let program = std::env::current_exe().expect("this program");
        let mut child = Command::new(program)
            .args(["--exact", "files::child_that_is_killed"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::null())
            .spawn()
            .expect("a process");
        std::thread::sleep(Duration::from_millis(60 + rng.below(150) as u64));
        child.kill().expect("killed");
        child.wait().expect("gone");
        let (found, notice) = Checkpoints::new(folder.path())
            .load_latest()
            .expect("loaded");
        assert_eq!(notice, None);
        reached.extend(found.map(|checkpoint| checkpoint.step));
    }
    assert!(reached.is_sorted(), "{reached:?}");
    assert!(!reached.is_empty(), "each was killed before its first step");
    let resumed = train_in(folder.path());
    let whole = tempfile::tempdir().expect("a folder");
    assert!(resumed == train_in(whole.path()), "the weights differ");
}
