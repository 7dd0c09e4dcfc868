//! Programs as text: exact both ways, with errors that say where.

use proptest::prelude::*;
use vitrine::demos::automl_zero::program::Function;
use vitrine::demos::automl_zero::starts::{LINEAR, NETWORK};
use vitrine::demos::automl_zero::text::{parse, print};
use vitrine::rng::Rng;

use crate::support::{everything, program};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn what_is_printed_reads_back_bit_for_bit(seed in any::<u64>(), changes in 0_usize..40) {
        let (space, mut rng) = (everything(), Rng::new(seed));
        let mut program = space.random_program(&mut rng);
        for _ in 0..changes {
            space.mutate(&mut program, &mut rng);
        }
        let text = print(&program);
        let back = parse(&text).map_err(|error| TestCaseError::fail(format!("{error} in\n{text}")))?;
        for (a, b) in program.code().iter().zip(back.code()) {
            prop_assert_eq!(a.data.map(f32::to_bits), b.data.map(f32::to_bits));
        }
        prop_assert_eq!(&back, &program);
        prop_assert_eq!(print(&back), text);
    }
}

#[test]
fn the_listing_of_the_released_read_me_is_the_linear_model() {
    // As its human author wrote it, comments and all.
    let listing = "\
def Setup():
  s2 = 0.001  # Init learning rate.

def Predict():  # v0 = features
  s1 = dot(v0, v1)  # Apply weights

def Learn():  # v0 = features; s0 = label
  s3 = s0 - s1  # Compute error.
  s4 = s3 * s2  # Apply learning rate.
  v2 = v0 * s4  # Compute gradient.
  v1 = v1 + v2  # Update weights.
";
    let read = program(listing);
    let expected = "\
def Setup():
  s2 = 0.001
def Predict():
  s1 = dot(v0, v1)
def Learn():
  s3 = s0 - s1
  s4 = s3 * s2
  v2 = s4 * v0
  v1 = v1 + v2
";
    assert_eq!(print(&read), expected);
    for text in [LINEAR, NETWORK] {
        assert_eq!(print(&program(text)), text);
    }
    assert_eq!(program(NETWORK).len_of(Function::Learn), 11);
}

#[test]
fn errors_say_where_they_are() {
    let cases = [
        ("", 1, 1, "no function"),
        ("s1 = 2\n", 1, 1, "outside a function"),
        ("def Setup():\n  s0 = 1.0\n", 2, 3, "label"),
        ("def Setup():\n  v0 = bcast(s1)\n", 2, 3, "features"),
        ("def Setup():\n  s2 = s20 + s1\n", 2, 8, "20 registers"),
        ("def Setup():\n  s2 = s3 ? s1\n", 2, 8, "'?'"),
        (
            "def Setup():\n  s2 = s3 + v1\n",
            2,
            8,
            "no such instruction",
        ),
        ("def Setup():\n  s2 = 1e99\n", 2, 8, "too large"),
        ("def Setup():\n  s2 = sinh(s1)\n", 2, 8, "sinh"),
        ("def Setup():\n  v2[1.5] = 0.1\n", 2, 6, "below 1"),
        ("def Setup():\n  s2 = dot(v1, v2\n", 2, 18, "')'"),
        ("def Sleep():\n", 1, 5, "Sleep"),
        ("def Setup():\ndef Setup():\n", 2, 1, "twice"),
        ("def Setup():\n  s2 = s3 + s4 s5\n", 2, 16, "behind"),
        (
            "def Setup():\n  v1 = gaussian(0.0, 1.0, (n_features, n_features))\n",
            2,
            27,
            "n_features",
        ),
        (
            "def Setup():\n  m0 = norm(m0, axis=1)\n",
            2,
            8,
            "no such instruction",
        ),
    ];
    for (text, line, column, says) in cases {
        let error = parse(text).expect_err(text);
        assert!(error.message.contains(says), "{error} for {text:?}");
        assert_eq!(
            (error.line, error.column),
            (line, column),
            "{error} for {text:?}"
        );
    }
    let long = format!("def Learn():\n{}", "  NoOp()\n".repeat(65));
    assert_eq!(parse(&long).expect_err("too many").line, 66);
}

#[test]
fn ten_thousand_damaged_programs_are_read_or_refused() {
    let (space, mut rng) = (everything(), Rng::new(8));
    let (mut refused, mut read) = (0, 0);
    for _ in 0..10_000 {
        let mut text: Vec<char> = print(&space.random_program(&mut rng)).chars().collect();
        for _ in 0..=rng.below(2) {
            damage(&mut text, &mut rng);
        }
        let text: String = text.into_iter().collect();
        match parse(&text) {
            Ok(program) => {
                read += 1;
                assert_eq!(parse(&print(&program)).as_ref(), Ok(&program));
            }
            Err(error) => {
                refused += 1;
                let lines = text.lines().count().max(1);
                assert!((1..=lines).contains(&error.line), "{error}");
                let width = text
                    .lines()
                    .nth(error.line - 1)
                    .map_or(0, |line| line.chars().count());
                assert!(
                    (1..=width + 1).contains(&error.column),
                    "{error} in a line of {width}"
                );
            }
        }
    }
    assert!(
        refused > 1000 && read > 300,
        "{refused} refused, {read} read"
    );
}

/// Changes, removes, doubles or moves a few characters.
pub fn damage(text: &mut Vec<char>, rng: &mut Rng) {
    const ODD: [char; 24] = [
        's', 'v', 'm', '0', '9', '=', '+', '-', '*', '/', '(', ')', '[', ']', ',', '.', 'e', '#',
        '\n', ' ', '"', 'é', '\0', '∞',
    ];
    let at = rng.below(text.len() + 1);
    let odd = ODD[rng.below(ODD.len())];
    match rng.below(5) {
        0 => text.insert(at, odd),
        1 if at < text.len() => text[at] = odd,
        2 if at < text.len() => {
            let end = (at + 1 + rng.below(6)).min(text.len());
            text.drain(at..end);
        }
        3 => {
            let end = (at + rng.below(20)).min(text.len());
            let part: Vec<char> = text[at..end].to_vec();
            let to = rng.below(text.len() + 1);
            text.splice(to..to, part);
        }
        _ => text.truncate(at.max(1)),
    }
}
