//! The lanes have the bits of the reference interpreter, and no shortcut changes a fitness.

use std::sync::Arc;

use proptest::prelude::*;
use vitrine::demos::automl_zero::analysis::Analysis;
use vitrine::demos::automl_zero::compile::Code;
use vitrine::demos::automl_zero::evaluator::{Evaluator, Shortcuts};
use vitrine::demos::automl_zero::instruction::{Instruction, Kind};
use vitrine::demos::automl_zero::lanes::{LANES, Lanes, Loss};
use vitrine::demos::automl_zero::program::{Function, Program};
use vitrine::demos::automl_zero::scalar::{Examples, Machine};
use vitrine::demos::automl_zero::task::TaskSet;
use vitrine::rng::Rng;

use crate::support::{everything, tasks};

fn same(a: f32, b: f32) -> bool {
    a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan()
}

/// Runs a program on every task in both ways, example by example.
fn compare(program: &Program, set: &TaskSet) -> Result<(), TestCaseError> {
    let features = set.size.features;
    let mut code = Code::default();
    code.compile(program, &Analysis::of(program), features);
    for (number, block) in set.blocks().iter().enumerate() {
        let mut lanes = Lanes::new(features, set.rules.loss, set.rules.max_error);
        lanes.begin(&code, &block.seeds);
        let tasks = &set.tasks()[number * LANES..][..block.seeds.len()];
        let mut machines: Vec<_> = tasks
            .iter()
            .map(|task| {
                let mut machine = Machine::<f32>::new(program, features, task.seed);
                machine.run(Function::Setup, 0, |_, _| {});
                machine
            })
            .collect();
        let mut going = vec![true; tasks.len()];
        for index in 0..set.size.train + set.size.valid {
            let step = 1 + index as u32;
            let learn = index < set.size.train;
            let at = if learn { index } else { index - set.size.train };
            let examples = if learn {
                block.train(at, at + 1, step)
            } else {
                block.valid(at, at + 1, step)
            };
            // After learning `s1` may hold what dead code left there, so both predict first.
            let mut predicts = lanes.clone();
            predicts.validate(&code, examples);
            if learn {
                lanes.train(&code, examples);
            } else {
                lanes.validate(&code, examples);
            }
            for (lane, (machine, task)) in machines.iter_mut().zip(tasks).enumerate() {
                let all = if learn { task.train() } else { task.valid() };
                let one = Examples {
                    features: &all.features[at * features..][..features],
                    labels: &all.labels[at..=at],
                };
                let mut expected = f32::NAN;
                machine
                    .clone()
                    .validate(one, set.rules, step, |prediction| expected = prediction);
                let outcome = if learn {
                    machine.train(one, set.rules, step)
                } else {
                    machine.validate(one, set.rules, step, |_| {})
                };
                going[lane] &= outcome.going;
                let got = predicts.memory()[1][lane];
                prop_assert!(
                    same(got, expected),
                    "example {index}, lane {lane}: {got} for {expected}"
                );
                prop_assert!(
                    same(lanes.sums()[lane], outcome.sum),
                    "loss of example {index}"
                );
                prop_assert_eq!(lanes.is_going(lane), going[lane]);
            }
        }
    }
    Ok(())
}

fn plain(set: &Arc<TaskSet>, program: &Program, dead_code: bool) -> f32 {
    let shortcuts = Shortcuts {
        dead_code,
        ..Shortcuts::NONE
    };
    Evaluator::new(Arc::clone(set), shortcuts)
        .evaluate(program, 0.0)
        .fitness
}

/// The program with its registers under other names.
fn renamed(program: &Program, rng: &mut Rng) -> Program {
    let mut orders = [0_u8, 1, 2].map(|_| (0..20).collect::<Vec<u8>>());
    for (order, fixed) in orders.iter_mut().zip([2, 1, 0]) {
        for last in (fixed + 1..20).rev() {
            order.swap(last, fixed + rng.below(last + 1 - fixed));
        }
    }
    let name = |kind: Kind, index: u8| orders[kind as usize][usize::from(index)];
    let code = Function::ALL.map(|function| {
        let rename = |instruction: &Instruction| {
            let signature = instruction.op.signature();
            let mut renamed = *instruction;
            for (register, &kind) in renamed.ins.iter_mut().zip(signature.ins) {
                *register = name(kind, *register);
            }
            if let Some(kind) = signature.out {
                renamed.out = name(kind, instruction.out);
            }
            if instruction.op.is_commutative() && rng.below(2) == 0 {
                renamed.ins.swap(0, 1);
            }
            renamed
        };
        program
            .function(function)
            .iter()
            .map(rename)
            .collect::<Vec<_>>()
    });
    Program::new([&code[0], &code[1], &code[2]])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn a_lane_has_the_bits_of_the_reference(
        seed in any::<u64>(),
        features in prop::sample::select(vec![2_usize, 3, 4, 5, 8, 16]),
        count in 1_usize..19,
        accuracy in any::<bool>(),
    ) {
        let loss = if accuracy { Loss::Accuracy } else { Loss::Squared };
        let program = everything().random_program(&mut Rng::new(seed));
        compare(&program, &tasks(features, count, loss, seed))?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn dead_code_never_matters(seed in any::<u64>(), accuracy in any::<bool>()) {
        let loss = if accuracy { Loss::Accuracy } else { Loss::Squared };
        let set = tasks(4, 10, loss, seed);
        let program = everything().random_program(&mut Rng::new(seed));
        let whole = plain(&set, &program, false);
        prop_assert_eq!(plain(&set, &program, true).to_bits(), whole.to_bits());
        // What is printed without it is the same program, too.
        let short = program.filtered(Analysis::of(&program).live);
        prop_assert_eq!(plain(&set, &short, false).to_bits(), whole.to_bits());
    }

    #[test]
    fn names_and_the_order_of_summands_do_not_matter(seed in any::<u64>()) {
        let set = tasks(4, 10, Loss::Squared, seed);
        let mut rng = Rng::new(seed);
        let program = everything().random_program(&mut rng);
        let other = renamed(&program, &mut rng);
        prop_assert_eq!(plain(&set, &program, true).to_bits(), plain(&set, &other, true).to_bits());
    }
}

#[test]
fn what_only_differs_in_names_has_one_hash_and_what_differs_has_two() {
    let hash = |program: &Program| Analysis::of(program).canonical_hash(program);
    let linear = crate::support::program(vitrine::demos::automl_zero::starts::LINEAR);
    let renamed = crate::support::program(
        "def Setup():\n  s7 = 0.01\n  s9 = 0.5\ndef Predict():\n  s1 = dot(v0, v6)\ndef Learn():\n  \
         s4 = s0 - s1\n  s4 = s4 * s7\n  v3 = s4 * v0\n  v6 = v3 + v6\n",
    );
    assert_eq!(hash(&linear), hash(&renamed));
    let other = crate::support::program(
        &vitrine::demos::automl_zero::starts::LINEAR.replace("0.01", "0.02"),
    );
    assert_ne!(hash(&linear), hash(&other));
    let minus = crate::support::program(
        &vitrine::demos::automl_zero::starts::LINEAR.replace("s0 - s1", "s1 - s0"),
    );
    assert_ne!(hash(&linear), hash(&minus));
}

#[test]
fn an_evaluator_that_remembers_tells_the_same() {
    let set = tasks(4, 10, Loss::Squared, 3);
    let mut space = everything();
    // Few operations, so that programs repeat and agree.
    let ops: Vec<_> = [
        "scalar_const",
        "scalar_sum",
        "vector_inner_product",
        "scalar_product",
    ]
    .iter()
    .filter_map(|name| vitrine::demos::automl_zero::instruction::Op::by_name(name))
    .collect();
    space.ops = [ops.clone(), ops.clone(), ops];
    let shortcuts = Shortcuts {
        dead_code: true,
        structural: true,
        functional: Some(10),
        ..Shortcuts::NONE
    };
    let mut remembers = Evaluator::new(Arc::clone(&set), shortcuts);
    let mut rng = Rng::new(1);
    let mut program = space.random_program(&mut rng);
    for _ in 0..3000 {
        space.mutate(&mut program, &mut rng);
        let score = remembers.evaluate(&program, 0.0);
        assert_eq!(
            score.fitness.to_bits(),
            plain(&set, &program, true).to_bits()
        );
    }
    let counts = remembers.counts();
    assert!(
        counts.structural > 100 && counts.functional > 10,
        "{counts:?}"
    );
    assert_eq!(
        counts.individuals,
        counts.structural + counts.functional + counts.failed + counts.full,
        "every program went one way"
    );
}

#[test]
fn programs_that_cost_too_much_are_rejected() {
    let set = tasks(4, 10, Loss::Squared, 3);
    let program = crate::support::program(vitrine::demos::automl_zero::starts::NETWORK);
    let cost = vitrine::demos::automl_zero::evaluator::cost(&program, &Analysis::of(&program));
    for (budget, rejected) in [(cost * 0.99, 1), (cost * 1.01, 0)] {
        let shortcuts = Shortcuts {
            dead_code: true,
            budget: Some(budget),
            ..Shortcuts::NONE
        };
        let mut evaluator = Evaluator::new(Arc::clone(&set), shortcuts);
        let score = evaluator.evaluate(&program, 0.0);
        assert_eq!(evaluator.counts().rejected, rejected);
        assert_eq!(score.fitness <= 0.0, rejected == 1);
    }
}
