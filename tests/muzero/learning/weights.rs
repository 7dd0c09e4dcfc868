//! Files of weights: what was stored comes back, and nothing else is taken for it.

use std::path::Path;

use candle_core::Device;
use half::f16;
use vitrine::demos::muzero::game::GameId;
use vitrine::demos::muzero::net::Net;
use vitrine::demos::muzero::training::Counters;
use vitrine::demos::muzero::weights_file::{About, about, load, save};
use vitrine::demos::muzero::who::networks;
use vitrine::nn::Params;
use vitrine::rng::Rng;

use super::settings;

/// Networks whose weights are exact in half precision, stored in a file.
fn stored(path: &Path) -> (Params, Net, About) {
    let about = About {
        settings: settings(&GameId::TicTacToe),
        counters: Counters {
            steps: 123,
            games: 45,
            ..Counters::default()
        },
    };
    let mut params = Params::new(&Device::Cpu, &Rng::new(11));
    let net = Net::new(&mut params.root(), &about.settings.net).expect("possible sizes");
    for (_, param) in params.iter() {
        let values = param.values().expect("numbers");
        let halves: Vec<f32> = values.iter().map(|&x| f16::from_f32(x).to_f32()).collect();
        param.set(&halves).expect("as many");
    }
    save(path, &params, &about).expect("a file");
    (params, net, about)
}

#[test]
fn weights_come_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("weights.safetensors");
    let (params, net, told) = stored(&path);
    assert_eq!(about(&path).expect("the header"), told);
    let back = load(&path, &Device::Cpu).expect("the networks");
    assert_eq!(back.about, told);
    let size = std::fs::metadata(&path).expect("a file").len();
    assert!(
        size < 2 * params.count_trained() as u64 + 16_384,
        "two bytes a weight: {size}"
    );
    let seen = candle_core::Tensor::ones((1, 2, 3, 3), candle_core::DType::F32, &Device::Cpu)
        .expect("an observation");
    let out = |net: &Net| -> Vec<u32> {
        let state = net.represent(&seen).expect("h");
        let prediction = net.predict(&state).expect("f");
        let value: Vec<f32> = prediction
            .value
            .flatten_all()
            .and_then(|x| x.to_vec1())
            .expect("f");
        value.iter().map(|x| x.to_bits()).collect()
    };
    assert_eq!(out(&back.net), out(&net.detached()), "to the bit");
    let (playing, warning) = networks(&GameId::TicTacToe, Some(&path), &Device::Cpu).expect("its");
    assert!(warning.is_none() && playing.about == told);
}

#[test]
fn other_files_are_refused_with_a_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("weights.safetensors");
    let (params, _, told) = stored(&path);
    let error =
        networks(&GameId::ConnectFour, Some(&path), &Device::Cpu).expect_err("another game");
    let text = error.to_string();
    assert!(
        text.contains("tictactoe") && text.contains("not of connect4"),
        "{text}"
    );

    // Weights of no networks of ours.
    let foreign = folder.path().join("foreign.safetensors");
    let half = vitrine::nn::weights::Precision::Half;
    vitrine::nn::weights::save(&params, &foreign, half).expect("a file");
    let text = load(&foreign, &Device::Cpu)
        .expect_err("no header")
        .to_string();
    assert!(text.contains("foreign.safetensors"), "{text}");
    assert!(load(&folder.path().join("none"), &Device::Cpu).is_err());

    // The header tells of other networks than the weights are of, and of impossible ones.
    for change in [
        (|about: &mut About| about.settings.net.channels = 9) as fn(&mut About),
        |about| about.settings.net.channels = usize::MAX,
        |about| about.settings.net.channels = 0,
        |about| about.settings.net.actions = 8000,
        |about| about.settings.net.dynamics_blocks = 3,
        |about| about.settings.net.value.bins = 1,
        |about| about.settings.net.downsample = true,
        |about| about.settings.net.observation = [2, 8192, 8192],
    ] {
        let mut told = told.clone();
        change(&mut told);
        let path = folder.path().join("changed.safetensors");
        save(&path, &params, &told).expect("a file");
        let text = load(&path, &Device::Cpu)
            .expect_err("not these")
            .to_string();
        assert!(text.contains("changed.safetensors"), "{text}");
    }
}

#[test]
fn damaged_files_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("weights.safetensors");
    stored(&path);
    let whole = std::fs::read(&path).expect("a file");
    let damaged = folder.path().join("damaged.safetensors");
    let try_bytes = |bytes: &[u8]| {
        vitrine::store::atomic_write(&damaged, bytes).expect("a file");
        load(&damaged, &Device::Cpu).map_err(|error| error.to_string())
    };
    for part in 0..40 {
        let text = try_bytes(&whole[..whole.len() * part / 40]).expect_err("cut off");
        assert!(text.contains("damaged.safetensors"), "{text}");
    }
    // A changed byte of the header is refused, or changes a number that does not matter; in no
    // case does it panic or take a machine's memory.
    let header = u64::from_le_bytes(whole[..8].try_into().expect("eight")) as usize + 8;
    let mut rng = Rng::new(12);
    let mut refused = 0;
    for _ in 0..300 {
        let mut bytes = whole.clone();
        bytes[rng.below(header)] = rng.next_u64() as u8;
        refused += usize::from(try_bytes(&bytes).is_err());
    }
    assert!(refused > 200, "{refused}");
}
