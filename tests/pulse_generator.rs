//! The generator of faces: its layers against their definitions, its gradients against differences,
//! its training, and that a run goes on as if it had never stopped.

use std::path::Path;

use candle_core::{Device, Tensor, Var};
use vitrine::compute::{Event, WorkerOptions, run_to_end};
use vitrine::demos::pulse::backdrop::Backdrops;
use vitrine::demos::pulse::features::Features;
use vitrine::demos::pulse::generator::{
    Basis, CHOICES, Faces, FacesConfig, FacesJob, FacesOptions, Generator, Kind, Output, People,
    Sizes, evaluate, file, metrics, sheet,
};
use vitrine::human::sampler::HAIR;
use vitrine::human::{Extent, Kit, Quality, Sampler};
use vitrine::nn::optim::OptimizerConfig;
use vitrine::nn::train::{TrainConfig, Trainer};
use vitrine::nn::{Init, ModulatedConv2d, Params};
use vitrine::rng::Rng;
use vitrine::store::assets_dir;

/// As `tests/pulse_generator.py` prints them.
const SSIM_1: f64 = -0.332_320_976_000_056_94;
const SSIM_5: f64 = -0.028_698_496_126_823_327;
const SSIM_BLEND: f64 = 0.949_689_222_117_627_3;

const CPU: Device = Device::Cpu;

fn kit() -> Kit {
    Kit::head(&assets_dir()).expect("the kit ships")
}

fn normal(shape: &[usize], rng: &mut Rng) -> Tensor {
    let count = shape.iter().product();
    let values: Vec<f32> = (0..count).map(|_| rng.normal() as f32).collect();
    Tensor::from_vec(values, shape, &CPU).expect("the shape fits")
}

fn flat(x: &Tensor) -> Vec<f32> {
    x.flatten_all()
        .and_then(|x| x.to_vec1())
        .expect("numbers on the processor")
}

/// Scales the kernels of each example, brings them to norm one, and slides them over the picture:
/// Karras et al. 2020, equations 1 to 3, one number after another in double precision.
fn by_definition(x: &Tensor, w: &Tensor, style: &Tensor, bias: &Tensor, gain: f64) -> Vec<f64> {
    let (batch, inputs, height, width) = x.dims4().expect("planes");
    let outputs = w.dims()[0];
    let (x, w, style, bias) = (flat(x), flat(w), flat(style), flat(bias));
    let mut out = Vec::new();
    for b in 0..batch {
        for o in 0..outputs {
            let kernel: Vec<f64> = (0..inputs * 9)
                .map(|at| f64::from(w[o * inputs * 9 + at]) * f64::from(style[b * inputs + at / 9]))
                .collect();
            let norm = (kernel.iter().map(|k| k * k).sum::<f64>() + 1e-8).sqrt();
            for y in 0..height {
                for column in 0..width {
                    let mut sum = 0.0;
                    for (at, weight) in kernel.iter().enumerate() {
                        let (i, dy, dx) = (at / 9, at % 9 / 3, at % 3);
                        let (row, col) = (y + dy, column + dx);
                        if (1..=height).contains(&row) && (1..=width).contains(&col) {
                            let place = ((b * inputs + i) * height + row - 1) * width + col - 1;
                            sum += weight / norm * f64::from(x[place]);
                        }
                    }
                    out.push(gain * sum + f64::from(bias[o]));
                }
            }
        }
    }
    out
}

#[test]
fn a_modulated_convolution_is_one_with_scaled_kernels() {
    let mut rng = Rng::new(4);
    let mut params = Params::new(&CPU, &rng);
    let mut layer =
        ModulatedConv2d::new(&mut params.root(), 7, [5, 6], 3, Init::Normal { std: 0.3 })
            .expect("a layer");
    layer.gain = Some(1.5);
    layer.bias = normal(&[6], &mut rng);
    let (x, w) = (normal(&[3, 5, 8, 9], &mut rng), normal(&[3, 7], &mut rng));
    let style = layer.style.forward(&w).expect("styles");
    let expected = by_definition(&x, &layer.weight, &style, &layer.bias, 1.5);
    let found = flat(&layer.forward(&x, &w).expect("forward"));
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(&expected) {
        assert!(
            (f64::from(*found) - expected).abs() < 1e-4,
            "{found} {expected}"
        );
    }
}

/// A small generator none of whose numbers is zero.
fn small(size: usize, sampler: &Sampler) -> (Params, Generator) {
    let sizes = Sizes {
        size,
        hidden: 24,
        latent: 16,
        pictures: 8,
    };
    let mut rng = Rng::new(11);
    let (params, net) = file::build(sizes, sampler, &CPU, &rng).expect("a generator");
    for (name, param) in params.iter() {
        let count: usize = param.shape().iter().product();
        let around = if name.ends_with("style.bias") {
            1.0
        } else {
            0.0
        };
        let values: Vec<f32> = (0..count)
            .map(|_| around + 0.15 * rng.normal() as f32)
            .collect();
        param.set(&values).expect("as many numbers");
    }
    (params, net)
}

#[test]
fn gradients_of_every_latent_are_those_of_differences() {
    let sampler = Sampler::new(&kit());
    for size in [64, 128] {
        let (_, net) = small(size, &sampler);
        let mut rng = Rng::new(size as u64);
        let upstream = normal(&[2, 4, size, size], &mut rng);
        let latents: Vec<Var> = (0..net.layers())
            .map(|_| Var::from_tensor(&normal(&[2, 16], &mut rng)).expect("a latent"))
            .collect();
        let value = |latents: &[Tensor]| -> Tensor {
            let picture = net.synthesize(latents).expect("a picture");
            assert_eq!(picture.dims(), [2, 4, size, size]);
            (picture * &upstream)
                .and_then(|x| x.sum_all())
                .expect("a sum")
        };
        let given: Vec<Tensor> = latents.iter().map(|l| l.as_tensor().clone()).collect();
        let gradients = value(&given).backward().expect("backward");
        for (layer, latent) in latents.iter().enumerate() {
            let gradient = flat(gradients.get(latent).expect("every latent counts"));
            let start = flat(&given[layer]);
            let check = |way: &[f32], what: &str| {
                compare(
                    &gradient,
                    way,
                    5e-3,
                    &format!("{size} px, layer {layer}, {what}"),
                    |by| {
                        let to: Vec<f32> = start.iter().zip(way).map(|(s, w)| s + by * w).collect();
                        let mut latents = given.clone();
                        latents[layer] = Tensor::from_vec(to, (2, 16), &CPU).expect("fits");
                        f64::from(value(&latents).to_scalar::<f32>().expect("one number"))
                    },
                );
            };
            check(&unit(gradient.clone()), "steepest");
            check(&unit(flat(&normal(&[32], &mut rng))), "any way");
        }
    }
}

fn unit(way: Vec<f32>) -> Vec<f32> {
    let length = way.iter().map(|w| w * w).sum::<f32>().sqrt();
    way.into_iter().map(|w| w / length).collect()
}

/// A gradient against the difference `by` to both sides along a way of length one. Between the two
/// points some activations change sides, so they agree within a part of the gradient's length only.
fn compare(gradient: &[f32], way: &[f32], by: f32, what: &str, value: impl Fn(f32) -> f64) {
    let along: f64 = gradient
        .iter()
        .zip(way)
        .map(|(g, w)| f64::from(g * w))
        .sum();
    let length = gradient
        .iter()
        .map(|g| f64::from(g * g))
        .sum::<f64>()
        .sqrt();
    let difference = (value(by) - value(-by)) / (2.0 * f64::from(by));
    assert!(length > 1e-3, "{what}: no gradient");
    assert!(
        (difference - along).abs() < 0.03 * length,
        "{what}: {difference} by differences, {along}, of {length}"
    );
}

#[test]
fn a_gradient_reaches_the_vector_through_its_choices() {
    let sampler = Sampler::new(&kit());
    let (_, net) = small(64, &sampler);
    let mut rng = Rng::new(2);
    let z = Var::from_tensor(&normal(&[1, sampler.dims()], &mut rng)).expect("a vector");
    let upstream = normal(&[1, 3, 64, 64], &mut rng);
    let value = |z: &Tensor| {
        let picture = net.detached().forward(z).expect("a picture");
        (picture * &upstream)
            .and_then(|x| x.sum_all())
            .expect("a sum")
    };
    let gradients = value(z.as_tensor()).backward().expect("backward");
    let gradient = flat(gradients.get(&z).expect("a gradient"));
    assert!(gradient.iter().all(|g| g.is_finite()));
    let start = flat(&z);
    for way in [
        unit(gradient.clone()),
        unit(flat(&normal(&[sampler.dims()], &mut rng))),
    ] {
        // The bounds of choices are steep: the difference comes near from 5e-4 on.
        compare(&gradient, &way, 5e-4, "the vector", |by| {
            let to: Vec<f32> = start.iter().zip(&way).map(|(z, w)| z + by * w).collect();
            let z = Tensor::from_vec(to, (1, sampler.dims()), &CPU).expect("fits");
            f64::from(value(&z).to_scalar::<f32>().expect("one number"))
        });
    }
}

#[test]
fn features_say_which_hair_the_kit_takes() {
    let sampler = Sampler::new(&kit());
    let features = Features::new(&sampler, CHOICES, &CPU).expect("features");
    let rng = Rng::new(3);
    let (people, dims) = (1000, sampler.dims());
    let vectors: Vec<Vec<f64>> = (0..people)
        .map(|i: usize| sampler.draw(&mut rng.split(&i.to_string())))
        .collect();
    let z: Vec<f32> = vectors.iter().flatten().map(|v| *v as f32).collect();
    let z = Tensor::from_vec(z, (people, dims), &CPU).expect("fits");
    let found = features.of(&z).expect("features");
    assert_eq!(found.dims(), [people, features.count()]);
    // Choices come last, the hair first among them.
    let options: usize = sampler.choices().iter().map(|c| c.often.len()).sum();
    let belongs = found
        .narrow(1, features.count() - options, HAIR.len())
        .and_then(|b| b.to_vec2::<f32>())
        .expect("options");
    let agree = vectors
        .iter()
        .zip(belongs)
        .filter(|(z, belongs)| {
            let style = belongs.iter().position(|belongs| *belongs > 0.5);
            let style = style.unwrap_or_default();
            let hair = sampler.portrait(z).person.hair.unwrap_or_default();
            hair.trim_start_matches("hair/") == HAIR[style].0
        })
        .count();
    // A person at an option's soft end may belong to none.
    assert!(agree >= people - 4, "{agree} of {people}");
}

#[test]
fn noise_ratios_are_those_of_hand() {
    let a = [0.25_f32; 300];
    let b = [0.35_f32; 300];
    assert!((metrics::psnr(&a, &b) - 20.0).abs() < 1e-4);
    assert!((metrics::mean_absolute(&a, &b) - 0.1).abs() < 1e-6);
    let c: Vec<f32> = (0..300)
        .map(|i| if i % 3 == 0 { 0.75 } else { 0.25 })
        .collect();
    // A third of the numbers is off by a half: 1/12, which is 10.7918 dB.
    assert!((metrics::psnr(&a, &c) - 10.0 * 12.0_f64.log10()).abs() < 1e-6);
    assert!(metrics::psnr(&a, &a).is_infinite());
}

/// Two planes of waves, by whole numbers, so that every language makes the same.
fn waves(side: usize, phase: usize) -> Vec<f32> {
    (0..2 * side * side)
        .map(|at| {
            let (plane, y, x) = (at / (side * side), at / side % side, at % side);
            let value = (x * x + 3 * y * y + 7 * x * y + phase * (x + 2 * y) + 31 * plane) % 97;
            value as f32 / 96.0
        })
        .collect()
}

#[test]
fn structural_similarity_is_that_of_scikit_image() {
    // tests/pulse_generator.py prints these with scikit-image.
    for (phase, expected) in [(1, SSIM_1), (5, SSIM_5)] {
        let found = metrics::ssim(&waves(24, 0), &waves(24, phase), 24);
        assert!((found - expected).abs() < 1e-6, "{phase}: {found}");
    }
    let blend: Vec<f32> = waves(24, 0)
        .iter()
        .zip(waves(24, 5))
        .map(|(a, b)| 0.8 * a + 0.2 * b)
        .collect();
    let found = metrics::ssim(&waves(24, 0), &blend, 24);
    assert!((found - SSIM_BLEND).abs() < 1e-6, "{found}");
    let same = waves(24, 0);
    assert!((metrics::ssim(&same, &same, 24) - 1.0).abs() < 1e-12);
    // Flat pictures differ in their means only: (2ab + C1) / (a² + b² + C1).
    let flat = metrics::ssim(&[0.2; 400], &[0.6; 400], 20);
    assert!((flat - 0.2401 / 0.4001).abs() < 1e-5, "{flat}");
}

#[test]
fn a_file_of_weights_is_small_and_gives_the_same_pictures() {
    let folder = tempfile::tempdir().expect("a folder");
    let sampler = Sampler::new(&kit());
    for size in [64, 128] {
        let path = folder.path().join(format!("{size}.safetensors"));
        let (params, net) =
            file::build(Sizes::new(size), &sampler, &CPU, &Rng::new(1)).expect("a generator");
        let about = file::About {
            sizes: Sizes::new(size),
            names: sampler.names().to_vec(),
            steps: 0,
            people: 0,
            seed: 1,
            evaluation: None,
        };
        file::save(&path, &params, &about).expect("stored");
        let bytes = std::fs::metadata(&path).expect("there").len();
        assert!(bytes < 6_000_000, "{size}: {bytes}");
        let (back, found) = file::load(&path, &sampler, &CPU).expect("loaded");
        assert_eq!(found, about);
        let z = normal(&[2, sampler.dims()], &mut Rng::new(5));
        let (a, b) = (net.forward(&z), back.forward(&z));
        let (a, b) = (flat(&a.expect("one")), flat(&b.expect("other")));
        assert!(metrics::mean_square(&a, &b) < 1e-6);
        // Vectors of other people are refused.
        let mut names = about.names.clone();
        names.swap(0, 1);
        file::save(&path, &params, &file::About { names, ..about }).expect("stored");
        let error = file::load(&path, &sampler, &CPU)
            .expect_err("refused")
            .to_string();
        assert!(error.contains("other people"), "{error}");
    }
}

#[test]
fn people_are_the_same_on_any_number_of_threads_and_from_their_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("people.bin");
    let new = || People::new(kit(), Rng::new(7), 64, Kind::CutOut).expect("people");
    let on = |threads: usize, mut people: People| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.expect("threads").install(|| {
            people.draw(7).expect("drawn");
            people
        })
    };
    let one = on(1, new());
    let kept = on(3, new().kept_in(&path).expect("a file"));
    let all = |people: &People| {
        (0..7)
            .map(|n| people.picture(n).to_vec())
            .collect::<Vec<_>>()
    };
    assert_eq!(all(&one), all(&kept));
    drop(kept);
    // A killed program leaves half a record, a failing disk a wrong byte.
    let mut bytes = std::fs::read(&path).expect("the file");
    let record = bytes.len() / 7;
    bytes.truncate(6 * record - 100);
    bytes[4 * record + 500] ^= 1;
    vitrine::store::atomic_write(&path, &bytes).expect("damaged");
    let back = new().kept_in(&path).expect("read");
    assert_eq!(back.count(), 4, "those before the damage");
    let back = on(2, back);
    assert_eq!(all(&one), all(&back));
    assert_eq!(std::fs::read(&path).expect("the file").len(), 7 * record);
}

/// People cut out and put before their backdrops, against the renderer's pictures of them.
#[test]
fn a_person_cut_out_before_the_backdrop_is_the_picture() {
    let draw = |kind| {
        let mut people = People::new(kit(), Rng::new(21), 64, kind).expect("people");
        people.draw(4).expect("drawn");
        people
    };
    let (whole, cut_out) = (draw(Kind::Whole), draw(Kind::CutOut));
    let backdrops = Backdrops::new(whole.sampler(), 64, &CPU).expect("backdrops");
    let numbers = [0, 1, 2, 3];
    let z = cut_out.vectors(&numbers, &CPU).expect("vectors");
    assert_eq!(
        flat(&z),
        flat(&whole.vectors(&numbers, &CPU).expect("vectors"))
    );
    let behind = flat(&backdrops.of(&z).expect("backdrops"));
    let people = flat(&cut_out.pictures(&numbers, 64, &CPU).expect("people"));
    let truth = flat(&whole.pictures(&numbers, 64, &CPU).expect("pictures"));
    let area = 64 * 64;
    for person in 0..4 {
        let planes = &people[person * 4 * area..][..4 * area];
        let placed: Vec<f32> = (0..3 * area)
            .map(|at| {
                let open = 1.0 - planes[3 * area + at % area];
                // They are cut out before a grey of 0.437.
                planes[at] + open * (behind[person * 3 * area + at] - 0.437)
            })
            .collect();
        let near = metrics::psnr(&placed, &truth[person * 3 * area..][..3 * area]);
        assert!(near > 43.0, "person {person}: {near} dB");
    }
    assert!(evaluate_with(&cut_out).is_err(), "nothing to compare with");
}

fn evaluate_with(people: &People) -> vitrine::Result<vitrine::demos::pulse::generator::Evaluation> {
    let (_, net) = small(64, people.sampler());
    evaluate(&net, people, &CPU)
}

/// The vector of a mirror's person, drawn, against the picture in the mirror.
#[test]
fn a_person_in_a_mirror_is_nearly_the_persons_picture_turned_around() {
    let mut people = People::new(kit(), Rng::new(22), 64, Kind::CutOut).expect("people");
    people.draw(6).expect("drawn");
    let kit = kit();
    let wardrobe = vitrine::human::Wardrobe::new(&kit, Extent::Head);
    let mut nearness = Vec::new();
    for number in 0..6 {
        let some = [(number, true)];
        let z = flat(&people.seen_vectors(&some, &CPU).expect("a vector"));
        let z: Vec<f64> = z.into_iter().map(f64::from).collect();
        let mut portrait = people.sampler().portrait(&z);
        portrait.backdrop.from = [0.158; 3];
        portrait.backdrop.to = [0.158; 3];
        let quality = Quality {
            size: 128,
            samples: 2,
        };
        let drawn = portrait.draw(&wardrobe, Extent::Head, None, quality);
        let drawn = drawn.shrunk(2);
        let seen = flat(&people.seen(&some, 64, &CPU).expect("a picture"));
        let drawn: Vec<f32> = (0..3)
            .flat_map(|c| drawn.iter().map(move |p| f32::from(p[c]) / 255.0))
            .collect();
        nearness.push(metrics::psnr(&seen[..3 * 64 * 64], &drawn));
    }
    let mean = nearness.iter().sum::<f64>() / 6.0;
    assert!(mean > 33.0, "{nearness:?}");
}

const FIRST: u32 = 336;

fn config(steps: u64) -> FacesConfig {
    FacesConfig {
        size: 64,
        minutes: None,
        steps: Some(steps),
        people: FIRST + 6,
        first_people: FIRST,
        fresh_people: 2,
        evaluate_every: 2,
        seed: 5,
    }
}

/// Runs until its end, or until the first measurement.
fn run(folder: &Path, steps: u64, stops: bool, sheet: Option<&Path>) -> (Vec<Output>, bool) {
    let options = FacesOptions {
        folder: folder.to_owned(),
        sheet: sheet.map(Path::to_owned),
        ..FacesOptions::default()
    };
    let job = FacesJob::new(config(steps), options).expect("a job");
    let mut outputs = Vec::new();
    let mut measured = false;
    let worker = WorkerOptions {
        threads: Some(1),
        ..WorkerOptions::default()
    };
    let ended = run_to_end(worker, job, |event, _| {
        if let Some(Event::Output(output)) = event {
            measured |= matches!(output, Output::Evaluated { .. });
            outputs.push(output);
        }
        !(stops && measured)
    });
    (outputs, ended.is_ok())
}

#[test]
fn a_stopped_run_ends_with_the_same_bytes_and_training_helps() {
    let folder = tempfile::tempdir().expect("a folder");
    let (whole, parts) = (folder.path().join("whole"), folder.path().join("parts"));
    let sheet_file = folder.path().join("sheet.png");
    let (outputs, finished) = run(&whole, 5, false, Some(&sheet_file));
    assert!(finished);
    let Some(Output::Finished(found)) = outputs.last() else {
        panic!("no figures at the end: {outputs:?}");
    };
    let image =
        vitrine::data::Image::decode(&std::fs::read(&sheet_file).expect("a sheet"), &sheet_file);
    assert!(image.is_ok());
    let about = file::about(&whole.join("weights.safetensors")).expect("a file");
    assert_eq!((about.steps, about.evaluation), (5, Some(*found)));

    // The same people, so that they are not drawn once more, the last of them cut off.
    std::fs::create_dir_all(&parts).expect("a folder");
    for name in ["people.bin", "held-out.bin"] {
        let bytes = std::fs::read(whole.join(name)).expect("people");
        let kept = bytes.len() - 20_000;
        vitrine::store::atomic_write(&parts.join(name), &bytes[..kept]).expect("copied");
    }
    assert!(!run(&parts, 5, true, None).1, "stopped");
    let (outputs, finished) = run(&parts, 5, false, None);
    assert!(finished);
    let resumed = outputs.iter().find_map(|output| match output {
        Output::Began { resumed_at, .. } => Some(*resumed_at),
        _ => None,
    });
    assert!(
        resumed.is_some_and(|step| (2..5).contains(&step)),
        "{resumed:?}"
    );
    let bytes = |folder: &Path| std::fs::read(folder.join("weights.safetensors")).expect("weights");
    assert_eq!(bytes(&whole), bytes(&parts));

    training_helps(&whole);
}

/// Learns from the people of a run, without averages, which a short run would hardly move.
fn training_helps(run: &Path) {
    let people = |name: &str, label: &str, kind| {
        let rng = Rng::new(5).split("faces").split(label);
        let people = People::new(kit(), rng, 64, kind).expect("people");
        people.kept_in(&run.join(name)).expect("drawn before")
    };
    let (learned, held_out) = (
        people("people.bin", "people", Kind::CutOut),
        people("held-out.bin", "held out", Kind::Whole),
    );
    let (params, net) =
        file::build(Sizes::new(64), learned.sampler(), &CPU, &Rng::new(1)).expect("a generator");
    let numbers: Vec<usize> = (0..FIRST as usize).collect();
    let small = learned
        .pictures(&numbers, 32, &CPU)
        .and_then(|p| Ok(p.flatten_from(1)?));
    let basis = Basis::of(&small.expect("pictures"), 256, &Rng::new(1)).expect("a basis");
    net.set_basis(&basis).expect("as many");
    let few = held_out.first(32).expect("drawn");
    let before = evaluate(&net, &few, &CPU).expect("measured");
    let faces = Faces::new(
        net,
        learned,
        held_out,
        ([FIRST as usize, 0, FIRST as usize], 24),
        &CPU,
    );
    let config = TrainConfig::new(24, OptimizerConfig::adam(2e-3));
    let mut trainer = Trainer::new(config, params, faces.expect("faces")).expect("a trainer");
    while trainer.summary().is_none() {
        trainer.step().expect("a step");
    }
    let net = &trainer.objective().net;
    let after = evaluate(net, &few, &CPU).expect("measured");
    assert!(
        after.psnr > before.psnr + 1.0
            && after.l1 < before.l1
            && after.base_psnr > before.base_psnr,
        "{before:?} {after:?}"
    );
    assert!(sheet(net, &few, [0, 1]).is_err());
}
