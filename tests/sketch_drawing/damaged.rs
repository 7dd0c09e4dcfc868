//! Damaged files, and those that ask for too much.

use std::path::Path;

use vitrine::demos::face_drawing::drawing::{Drawing, Ink, MAX_POINTS, MAX_STROKES, svg};
use vitrine::rng::Rng;

use super::support::{drawing, read, stroke, wild_drawing};

#[track_caller]
fn refused(text: &str, words: &str) {
    match read(text) {
        Err(error) => {
            let said = error.to_string();
            assert!(said.contains(words), "{said:?} does not say {words:?}");
            assert!(said.ends_with(": drawn.svg"), "{said:?} names its file");
        }
        Ok(drawing) => panic!("{} strokes instead of {words:?}", drawing.strokes.len()),
    }
}

#[test]
fn bad_files_are_refused_in_words() {
    let svg = |inside: &str| {
        format!(
            "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 512 512' stroke='black'>\n{inside}</svg>"
        )
    };
    refused("", "the SVG cannot be read");
    refused(
        "<html></html>",
        "this is no SVG, its first element is <html>",
    );
    refused("<svg><g></svg>", "the SVG cannot be read");
    refused(&svg("<text>a</text>"), "has no lines");
    refused(
        &svg("<path d='L1 2'/>"),
        "<path> in line 2: it does not begin with M",
    );
    refused(
        &svg("<path d='M1 2 L3'/>"),
        "it ends where a number was expected",
    );
    refused(
        &svg("<path d='M1 2 L3 x'/>"),
        "'x' stands where a number was expected, at character 9",
    );
    refused(&svg("<path d='M1 2 B3 4'/>"), "the command B is unknown");
    refused(&svg("<path d='M1 2 Z 3 4'/>"), "a command was expected");
    refused(&svg("<path d='M1 2 L1e99 0'/>"), "out of range");
    refused(&svg("<path d='M1 2 L90000 0'/>"), "far outside");
    refused(&svg("<path d='M1 2 A1e7 1e7 0 1 1 9 9'/>"), "far outside");
    refused(
        &svg("<path d='M1 2 A5 5 0 2 1 9 9'/>"),
        "0 or 1 was expected",
    );
    refused(&svg("<line x2='4furlongs'/>"), "unknown unit");
    refused(
        &svg("<path d='M0 0H1' transform='turn(9)'/>"),
        "the transform turn with 1 numbers",
    );
    refused(
        &svg("<path d='M0 0H1' transform='scale'/>"),
        "has no brackets",
    );
    refused(
        &svg("<path d='M0 0H1' stroke-width='wide'/>"),
        "stroke-width: 'w' stands",
    );
    refused(
        "<svg viewBox='0 0 0 9'><path d='M0 0H1'/></svg>",
        "the page is 0 by 9 large",
    );
    refused(
        "<svg viewBox='0 0 9'><path d='M0 0H1'/></svg>",
        "the viewBox has 3 numbers, not 4",
    );
    let deep = format!(
        "{}<path d='M0 0H1'/>{}",
        "<g>".repeat(70),
        "</g>".repeat(70)
    );
    refused(&svg(&deep), "more than 64 deep");
    let bomb = "<!DOCTYPE svg [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;'>]>";
    refused(&format!("{bomb}{}", svg("<path d='&b;'/>")), "DTD");
}

#[test]
fn files_that_ask_for_too_much_are_refused() {
    let svg = |inside: &str| format!("<svg viewBox='0 0 512 512'>{inside}</svg>");
    refused(
        &svg(&"<path d='M0 0H9'/>".repeat(MAX_STROKES + 1)),
        "more than 5000 lines",
    );
    let long = format!("<path d='M0 0{}'/>", "h1h-1".repeat(MAX_POINTS / 2 + 5));
    refused(&svg(&long), "more than 200000");
    // Arcs have more points than they have signs.
    let arcs = "A1000 1000 0 1 1 9 9A1000 1000 0 1 0 1 1".repeat(2000);
    refused(
        &svg(&format!("<path d='M0 0{arcs}'/>")),
        "more than 200000 points",
    );
    refused(&svg(&" ".repeat((8 << 20) + 1)), "at most 8 MiB");
    refused(&svg(&"<g/>".repeat(250_000)), "cannot be read");
    // Very deep, without the page's end: no stack runs over.
    refused(&"<g>".repeat(300_000), "cannot be read");
}

#[test]
fn damaged_files_are_refused_or_read_but_never_end_the_program() {
    let own = svg::write(&wild_drawing(2, 4));
    let foreign = "<svg viewBox='0 0 100 100' width='10cm'><style>.a{stroke:red}</style>\
        <g transform='rotate(10 5 5) scale(2)'><path class='a' d='M1 1c2 3 4 5 6 7s1 1 2 2q1 2 3 4t5 \
        5a5 3 20 1 0 9 9zm3 3H9V8'/><circle cx='5' cy='5' r='4' stroke-width='.5mm'/><polygon \
        points='1,2 3,4 5,6'/><rect x='1' y='1' width='9' height='8' rx='2'/></g></svg>";
    let mut rng = Rng::new(11);
    let mut read_well = 0;
    for round in 0..2000 {
        let mut bytes = if round % 2 == 0 {
            own.clone()
        } else {
            foreign.into()
        }
        .into_bytes();
        for _ in 0..=rng.below(6) {
            let at = rng.below(bytes.len());
            match rng.below(4) {
                0 => bytes[at] = rng.below(256) as u8,
                1 => bytes[at] = b"0123456789.-eMLCSQTAZzmlc<>/'\" "[rng.below(31)],
                2 => drop(bytes.remove(at)),
                _ => {
                    let end = (at + rng.below(40)).min(bytes.len());
                    let piece = bytes[at..end].to_vec();
                    let to = rng.below(bytes.len());
                    bytes.splice(to..to, piece);
                }
            }
        }
        if let Ok(drawing) = svg::read(&bytes, Path::new("mutated.svg")) {
            drawing.check().expect("what is read is sound");
            let ink = Ink::of(&drawing, 32);
            assert!(ink.values.iter().all(|v| v.is_finite()));
            read_well += 1;
        }
    }
    assert!((100..1900).contains(&read_well), "{read_well}");
}

#[test]
fn impossible_drawings_are_not_deserialised() {
    let parse = |text: &str| serde_json::from_str::<Drawing>(text).map_err(|e| e.to_string());
    let good = r#"{"strokes":[{"points":[[1,2],[3,4]],"width":3}]}"#;
    let read = parse(good).expect("reads");
    let text = serde_json::to_string(&read).expect("writes");
    assert_eq!(parse(&text).expect("reads back"), read);
    for (bad, words) in [
        (r#"{"strokes":[{"points":[],"width":3}]}"#, "no points"),
        (
            r#"{"strokes":[{"points":[[1,2]],"width":0}]}"#,
            "0 units wide",
        ),
        (
            r#"{"strokes":[{"points":[[1,2]],"width":1e30}]}"#,
            "units wide",
        ),
        (
            r#"{"strokes":[{"points":[[1,1e30]],"width":3}]}"#,
            "far from the sheet",
        ),
    ] {
        let said = parse(bad).expect_err("is refused");
        assert!(said.contains(words), "{said}");
    }
    let many = Drawing {
        strokes: vec![stroke(&[[1.0, 1.0]], 1.0); MAX_STROKES + 1],
    };
    assert!(parse(&serde_json::to_string(&many).expect("writes")).is_err());
    let nan = drawing(&[stroke(&[[f32::NAN, 1.0]], 1.0)]);
    assert!(nan.check().is_err());
    assert!(drawing(&[stroke(&[[1.0, 1.0]], f32::NAN)]).check().is_err());
}
