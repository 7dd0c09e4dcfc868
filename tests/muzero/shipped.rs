//! The shipped networks are as strong as the manifest says: each row's figure ends with the command
//! that measures it, and that command is run.

use std::process::Command;

use serde_json::Value;
use vitrine::store::Manifest;

/// How far a figure may lie from what is measured on another machine, where sums in another order
/// choose another move now and then: percentage points, or lines of play.
const POINTS: f64 = 1.5;

/// What a command of the program prints last.
fn result(arguments: &[&str]) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_vitrine"))
        .args(arguments)
        .arg("--json")
        .output()
        .expect("it starts");
    let printed = String::from_utf8(output.stdout).expect("text");
    assert!(output.status.success(), "{arguments:?}: {printed}");
    let last = printed.lines().last().expect("a result");
    serde_json::from_str(last).expect("JSON")
}

fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

#[test]
fn the_figures_of_the_shipped_networks_are_measured_again() {
    let manifest = Manifest::embedded().expect("sound");
    let folder = "weights/muzero";
    let rows = manifest.assets.iter();
    let rows: Vec<_> = rows.filter(|row| row.path.starts_with(folder)).collect();
    assert!(rows.len() >= 3, "there are {} networks", rows.len());
    for row in rows {
        let figure = row.figure.as_deref().expect("a figure");
        let (said, command) = figure.rsplit_once(": vitrine ").expect("a command");
        let claimed: f64 = said
            .split(|c: char| !(c.is_ascii_digit() || c == '.'))
            .find_map(|word| word.parse().ok())
            .expect("a number");
        let arguments: Vec<&str> = command.split_whitespace().collect();
        let result = result(&arguments);
        let measured = &result["measured"][0];
        let measured = if measured.is_null() {
            &result
        } else {
            measured
        };
        if let Some(kept) = measured["kept"].as_array() {
            let found = number(&kept[0]) * 100.0;
            assert!((found - claimed).abs() < POINTS, "{figure}: {found}");
        } else if measured["score"].is_object() {
            let found = number(&measured["score"]["mean"]);
            // Both are means of as many episodes, which part when a single move differs.
            let interval = &measured["score"]["interval"];
            let width = number(&interval["high"]) - number(&interval["low"]);
            assert!((found - claimed).abs() < width, "{figure}: {found}");
        } else {
            assert!(said.contains("lost"), "{said}");
            let found = number(&measured["losses"]);
            assert!((found - claimed).abs() < POINTS, "{figure}: {found}");
        }
    }
}
