//! The subset-sum theory of lottery tickets: errors against n, and a network pruned out of a random
//! one.

use std::time::Instant;

use vitrine::demos::lottery::subset_sum::construction::Construction;
use vitrine::demos::lottery::subset_sum::error_curve::{CurveConfig, ErrorCurve};
use vitrine::demos::lottery::subset_sum::gap::Law;
use vitrine::demos::lottery::subset_sum::layer::Layer;
use vitrine::demos::lottery::subset_sum::network::PrunedLayer;
use vitrine::demos::lottery::subset_sum::solver::Solver;
use vitrine::rng::Rng;

/// Layers with weights as Glorot's initialisation draws them, and small biases.
fn random_layers(sizes: &[usize], seed: u64) -> Vec<Layer> {
    let mut rng = Rng::new(seed);
    let pairs = sizes.windows(2);
    pairs
        .map(|pair| {
            let (inputs, outputs) = (pair[0], pair[1]);
            let std = (2.0 / (inputs + outputs) as f64).sqrt();
            let mut draw = |count: usize| (0..count).map(|_| (std * rng.normal()) as f32).collect();
            let weight = draw(inputs * outputs);
            Layer::new(inputs, weight, draw(outputs)).expect("the lengths fit")
        })
        .collect()
}

/// The plain network in f64.
fn forward(layers: &[Layer], x: &[f32]) -> Vec<f64> {
    let mut x: Vec<f64> = x.iter().map(|&x| f64::from(x)).collect();
    for (index, layer) in layers.iter().enumerate() {
        if index > 0 {
            for x in &mut x {
                *x = x.max(0.0);
            }
        }
        let rows = layer
            .weight()
            .chunks_exact(layer.inputs())
            .zip(layer.bias());
        x = rows
            .map(|(row, &bias)| {
                let products = row.iter().zip(&x).map(|(&w, x)| f64::from(w) * x);
                f64::from(bias) + products.sum::<f64>()
            })
            .collect();
    }
    x
}

fn finish(mut construction: Construction, step: usize) -> Construction {
    while !construction.advance(step).finished() {}
    construction
}

fn in_pool<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    pool.expect("threads can be started").install(work)
}

#[test]
fn medians_are_those_of_an_independent_program_and_of_the_theory() {
    // Another program, in another language, 40 draws for each n (research of 2026).
    let recorded = [
        (4, 7.7e-2),
        (8, 3.2e-3),
        (10, 1.1e-3),
        (12, 3.1e-4),
        (14, 7.0e-5),
        (16, 1.6e-5),
        (18, 4.4e-6),
        (20, 1.5e-6),
    ];
    let mut curve = ErrorCurve::new(CurveConfig {
        trials: 2000,
        largest: 24,
        ..CurveConfig::default()
    })
    .expect("a valid range");
    while curve.advance(500) < 1.0 {}
    let rows = curve.rows();
    for (n, median) in recorded {
        let ratio = rows[n - 2].median() / median;
        assert!((0.5..2.0).contains(&ratio), "n = {n}: ratio {ratio}");
    }
    for row in &rows {
        println!(
            "n {:2}  median {:.2e}  expected {:.2e}  largest {:.2e}",
            row.n,
            row.median(),
            row.expected[2],
            row.largest()
        );
        // Quartiles and median, where there are sums enough for the theory.
        for level in 1..4 {
            let ratio = row.quantiles[level] / row.expected[level];
            assert!(row.n < 8 || (0.85..1.18).contains(&ratio), "{row:?}");
        }
    }
}

#[test]
fn the_theory_holds_for_paths_of_a_random_network_too() {
    let mut curve = ErrorCurve::new(CurveConfig {
        smallest: 12,
        largest: 20,
        trials: 2000,
        law: Law::Path,
        ..CurveConfig::default()
    })
    .expect("a valid range");
    curve.advance(usize::MAX);
    for row in curve.rows() {
        let ratio = row.median() / row.expected[2];
        assert!((0.8..1.25).contains(&ratio), "{row:?}");
    }
}

#[test]
fn the_pruned_random_network_computes_what_its_effective_weights_do() {
    let target = random_layers(&[20, 16, 12, 5], 1);
    let built = finish(Construction::new(target.clone(), 22, 7).expect("fits"), 100);
    let effective = built.effective();
    let mut rng = Rng::new(2);
    let mut largest = 0.0_f64;
    for _ in 0..50 {
        let x: Vec<f32> = (0..20).map(|_| rng.uniform() as f32).collect();
        let pruned = built.forward(&x).expect("no negative input");
        for (p, e) in pruned.iter().zip(forward(&effective, &x)) {
            assert!((f64::from(*p) - e).abs() < 2e-6, "{p} and {e}");
        }
        for (p, t) in pruned.iter().zip(forward(&target, &x)) {
            largest = largest.max((f64::from(*p) - t).abs());
        }
    }
    // 22 paths bring a weight to a median of some 1e-7 of the layer's largest.
    assert!(
        largest < 0.02,
        "target and pruned network differ by {largest}"
    );
    assert!(largest > 1e-9, "no subset sum is exact");
}

#[test]
fn two_masked_random_matrices_with_relu_between_are_the_target() {
    // The construction with nothing of it left out: A and B as matrices, y = B relu(A x).
    let target = random_layers(&[9, 6], 12).remove(0);
    let built = Construction::new(vec![target.clone()], 20, 3).expect("fits");
    let built = finish(built, 64);
    let layer = &built.layers()[0];
    let (a, b) = layer.matrices();
    let neurons = b.len() / 6;
    assert_eq!(a.len(), neurons * 10);
    assert!(
        a.iter().all(|a| (0.0..1.0).contains(a)),
        "silent neurons are pruned"
    );
    assert!(b.iter().all(|b| b.abs() <= layer.scale()));
    let kept = a.iter().chain(&b).filter(|w| w.abs() > 0.0).count();
    assert_eq!(kept as u64, built.counts().kept);
    let mut rng = Rng::new(4);
    for _ in 0..20 {
        let x: Vec<f32> = (0..9).map(|_| rng.uniform() as f32).collect();
        let y = built.forward(&x).expect("no negative input");
        let wanted = forward(std::slice::from_ref(&target), &x);
        let product = |matrix: &[f32], v: &[f64]| -> Vec<f64> {
            let rows = matrix.chunks_exact(v.len());
            rows.map(|row| row.iter().zip(v).map(|(&m, v)| f64::from(m) * v).sum())
                .collect()
        };
        let x: Vec<f64> = x.into_iter().map(f64::from).chain([1.0]).collect();
        let z: Vec<f64> = product(&a, &x).into_iter().map(|z| z.max(0.0)).collect();
        for ((matrix, y), wanted) in product(&b, &z).into_iter().zip(y).zip(wanted) {
            assert!((matrix - f64::from(y)).abs() < 1e-6, "{matrix} and {y}");
            assert!((matrix - wanted).abs() < 1e-3, "{matrix} and {wanted}");
        }
    }
}

#[test]
fn a_network_with_everything_pruned_gives_zeros_and_negative_inputs_are_refused() {
    let target = random_layers(&[6, 4], 3);
    let random = PrunedLayer::new(&target[0], 12, &Rng::new(1)).expect("12 paths are allowed");
    let zeros = random.forward(&[1.0; 6]).expect("no negative input");
    assert!(zeros.iter().all(|&y| y.abs() <= 0.0), "{zeros:?}");
    assert!(
        random.forward(&[-1.0; 6]).is_err(),
        "negative inputs have no paths"
    );
    assert!(
        random.forward(&[1.0; 5]).is_err(),
        "a length that does not fit"
    );
}

#[test]
fn errors_masks_and_counts_belong_together() {
    let target = random_layers(&[30, 11, 3], 4);
    let built = finish(Construction::new(target.clone(), 13, 5).expect("fits"), 64);
    let mut kept_paths = 0;
    for ((layer, target), effective) in built.layers().iter().zip(&target).zip(built.effective()) {
        let columns = target.inputs() + 1;
        let of = |layer: &Layer, index: usize| match (index / columns, index % columns) {
            (row, column) if column == layer.inputs() => layer.bias()[row],
            (row, column) => layer.weight()[row * layer.inputs() + column],
        };
        for (index, error) in layer.errors().iter().enumerate() {
            let difference = of(&effective, index) - of(target, index);
            assert!(
                (difference - error).abs() < 1e-6,
                "{index}: {difference} {error}"
            );
        }
        let bits = layer.mask_bits();
        for (index, &kept) in layer.kept().iter().enumerate() {
            for k in 0..13 {
                let bit = index * 13 + k;
                let exported = u32::from(bits[bit / 8]) >> (bit % 8) & 1;
                assert_eq!(exported, kept >> k & 1);
                kept_paths += u64::from(exported);
            }
        }
    }
    let counts = built.counts();
    assert_eq!(counts.target, 31 * 11 + 12 * 3);
    assert_eq!(counts.paths, 13 * counts.target);
    assert_eq!(counts.kept_paths, kept_paths);
    // About half of the paths, and a first weight for each neuron that is read.
    assert!((0.35..0.6).contains(&(kept_paths as f64 / counts.paths as f64)));
    let first = counts.kept - counts.kept_paths;
    assert!((1..=13 * (31 + 12)).contains(&first), "{first}");
    // Twice as many neurons as usable ones, since half of the first weights are negative.
    let neurons = counts.random as f64 / (13.0 * (31.0 * 12.0 + 12.0 * 4.0));
    assert!((1.7..2.3).contains(&neurons), "{neurons}");
    assert_eq!(built.statistics().count as u64, counts.target);
    assert_eq!(
        built.statistics().histogram.iter().sum::<usize>() as u64,
        counts.target
    );
}

#[test]
fn any_number_of_threads_and_any_steps_give_the_same_network() {
    let target = random_layers(&[25, 17, 6], 6);
    let build = |threads, step| {
        let start = Construction::new(target.clone(), 15, 11).expect("fits");
        in_pool(threads, || finish(start, step))
    };
    let first = build(1, 64);
    let curve = |threads| {
        in_pool(threads, || {
            let mut curve = ErrorCurve::new(CurveConfig {
                trials: 40,
                largest: 14,
                ..CurveConfig::default()
            })
            .expect("a valid range");
            curve.advance(usize::MAX);
            curve.rows()
        })
    };
    for (threads, step) in [(2, 1), (5, usize::MAX), (1, 300)] {
        let other = build(threads, step);
        assert_eq!(first.effective(), other.effective(), "{threads} threads");
        assert_eq!(first.statistics(), other.statistics());
        for (a, b) in first.layers().iter().zip(other.layers()) {
            assert_eq!(a.mask_bits(), b.mask_bits());
        }
        assert_eq!(curve(1), curve(threads));
    }
    let other_seed = finish(Construction::new(target.clone(), 15, 12).expect("fits"), 64);
    assert_ne!(first.effective(), other_seed.effective());
}

#[test]
fn large_and_zero_layers_are_met_in_their_own_scale() {
    let plain = random_layers(&[12, 8], 8).remove(0);
    let scaled = |factor: f32| {
        let weight = plain.weight().iter().map(|w| w * factor).collect();
        let bias = plain.bias().iter().map(|w| w * factor).collect();
        let layer = Layer::new(12, weight, bias).expect("fits");
        finish(Construction::new(vec![layer], 14, 3).expect("fits"), 64)
    };
    // Powers of two, so the same subsets, and errors larger by just the factor.
    let (one, large) = (scaled(1.0), scaled(1024.0));
    assert_eq!(one.layers()[0].kept(), large.layers()[0].kept());
    let ratio = large.statistics().median / one.statistics().median;
    assert!((ratio / 1024.0 - 1.0).abs() < 1e-5, "{ratio}");
    let zero = scaled(0.0);
    assert!(zero.statistics().largest <= 0.0, "0 is the sum of nothing");
}

#[test]
fn networks_that_do_not_fit_are_refused() {
    let layers = random_layers(&[4, 3, 2], 9);
    assert!(Construction::new(Vec::new(), 8, 0).is_err());
    assert!(Construction::new(vec![layers[1].clone(), layers[0].clone()], 8, 0).is_err());
    assert!(Construction::new(layers.clone(), 0, 0).is_err());
    assert!(Construction::new(layers, 31, 0).is_err());
    assert!(Layer::new(2, vec![0.0; 3], vec![0.0; 2]).is_err());
    assert!(Layer::new(1, vec![f32::NAN], vec![0.0]).is_err());
}

#[test]
fn a_tolerance_is_kept_in_a_network() {
    let target = random_layers(&[40, 10], 10);
    let start = Construction::new(target, 20, 1).expect("fits");
    let nearest = finish(start.clone(), 64).statistics();
    let enough = finish(start.with_tolerance(1e-3), 64).statistics();
    assert_eq!(enough.unreachable, nearest.unreachable);
    assert!(enough.percentile_99 <= 1e-3 + 1e-9, "{enough:?}");
    assert!(enough.median > 3.0 * nearest.median, "it should stop early");
}

/// Not a bound: prints what the solver and a network of `LeNet`'s size take on this machine.
#[test]
fn timings() {
    let mut rng = Rng::new(1);
    let mut solver = Solver::new();
    for n in [16, 20, 21, 24] {
        let weights = 500;
        let coefficients: Vec<f64> = (0..n * weights).map(|_| Law::Path.draw(&mut rng)).collect();
        let start = Instant::now();
        let mut total = 0.0;
        for c in coefficients.chunks(n) {
            total += solver.nearest(c, 0.1).error.abs();
        }
        let micros = start.elapsed().as_secs_f64() * 1e6 / f64::from(weights as u32);
        println!("n {n}: {micros:.1} us a weight");
        assert!(total > 0.0);
    }
    let target = random_layers(&[784, 300, 100, 10], 1);
    let built = finish(Construction::new(target, 21, 1).expect("fits"), 4096);
    let (counts, statistics) = (built.counts(), built.statistics());
    println!(
        "LeNet-300-100: {:.2} s on {} threads; {} of {} paths, {:.2} weights for each; median {:.2e}, \
         largest {:.2e}, {} out of reach",
        built.cost().wall_secs,
        rayon::current_num_threads(),
        counts.kept_paths,
        counts.paths,
        counts.kept_for_each(),
        statistics.median,
        statistics.largest,
        statistics.unreachable
    );
    assert_eq!(counts.target, 266_610);
}
