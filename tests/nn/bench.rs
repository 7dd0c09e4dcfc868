//! The benchmark's rows: their operations are those of the `PyTorch` program, and they run.

use vitrine::nn::bench::{self, Options, ROWS};

/// The table "FLOP a row" in the text of `benches/nn_torch.py`.
fn table() -> Vec<(String, u64)> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/nn_torch.py");
    let text = std::fs::read_to_string(path).expect("the program is there");
    let rows = text
        .lines()
        .skip_while(|line| !line.starts_with("FLOP a row"))
        .skip(1)
        .map_while(|line| {
            let (name, flops) = line.trim().split_once(' ')?;
            Some((name.to_owned(), flops.trim().replace(',', "").parse().ok()?))
        });
    rows.collect()
}

#[test]
fn the_nets_have_the_operations_of_those_in_pytorch() {
    let table = table();
    let names: Vec<&str> = table.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ROWS);
    for (name, flops) in &table {
        let (ours, samples) = bench::cost(name).expect("a row");
        assert_eq!(ours, *flops, "{name}");
        assert_eq!(flops % samples as u64, 0, "{name}");
    }
    assert!(bench::cost("conv9").is_err());
}

fn options(portable: bool) -> Options {
    Options {
        seconds: 0.05,
        threads: 1,
        portable,
        seed: 0,
    }
}

#[test]
fn rows_run_in_both_bodies() {
    let names = ["muzero_32x2_6x7_eval_b1", "lenet_300_100_train"];
    for portable in [false, true] {
        let mut rows = Vec::new();
        bench::run(&names, &options(portable), &|| false, &mut |row| {
            rows.push(row);
        })
        .expect("they run");
        let found: Vec<&str> = rows.iter().map(|row| row.name).collect();
        assert_eq!(found, names);
        for row in rows {
            assert!(
                row.best_cpu_ms > 0.0 && row.best_cpu_ms <= row.cpu_ms,
                "{row:?}"
            );
            let gflops = row.flops as f64 / row.cpu_ms / 1e6;
            assert!((row.gflops / gflops - 1.0).abs() < 1e-9, "{row:?}");
            let rate = row.samples as f64 / row.cpu_ms * 1e3;
            assert!((row.per_cpu_second / rate - 1.0).abs() < 1e-9, "{row:?}");
        }
    }
}

#[test]
fn every_row_takes_a_step() {
    let mut options = options(false);
    options.seconds = 0.0;
    options.threads = 2;
    let mut count = 0;
    bench::run(&ROWS, &options, &|| false, &mut |_| count += 1).expect("they run");
    assert_eq!(count, ROWS.len());
}

#[test]
fn it_can_be_stopped() {
    let error = bench::run(&ROWS, &options(false), &|| true, &mut |_| {});
    assert!(matches!(error, Err(vitrine::Error::Cancelled)));
}
