//! Runs from files: those that ship with the program, and those a person opens.
//!
//! The stored ones are the `record.json` files of runs of `vitrine lottery train`, one after another
//! in a list; the manifest has the commands.

use std::path::Path;

use super::record::RunRecord;
use crate::error::{Error, Result};

const STORED: &str = include_str!("../../../assets/samples/lottery.json");
const STORED_PATH: &str = "assets/samples/lottery.json";
/// Larger files are not opened.
const MOST_BYTES: u64 = 64 << 20;

/// The runs that ship with the program.
///
/// # Errors
/// When the file does not hold runs, which a test excludes.
pub fn stored() -> Result<Vec<RunRecord>> {
    parse(STORED.as_bytes(), STORED_PATH.as_ref())
}

/// The runs of a file: a list of them, or a single one.
///
/// # Errors
/// When it cannot be read, is too large, or does not hold runs.
pub fn read(path: &Path) -> Result<Vec<RunRecord>> {
    let meta = path
        .metadata()
        .map_err(Error::io("cannot read the file", path))?;
    if !meta.is_file() || meta.len() > MOST_BYTES {
        return Err(Error::bad_file(path, "not a file of at most 64 MB"));
    }
    let bytes = std::fs::read(path).map_err(Error::io("cannot read the file", path))?;
    parse(&bytes, path)
}

fn parse(bytes: &[u8], path: &Path) -> Result<Vec<RunRecord>> {
    let single = bytes.trim_ascii_start().starts_with(b"{");
    let records: serde_json::Result<Vec<RunRecord>> = if single {
        serde_json::from_slice(bytes).map(|record| vec![record])
    } else {
        serde_json::from_slice(bytes)
    };
    let records =
        records.map_err(|e| Error::bad_file(path, format!("it holds no lottery runs: {e}")))?;
    for record in &records {
        check(record).map_err(|e| Error::bad_file(path, e))?;
    }
    Ok(records)
}

/// Whether a record hangs together, as those of the program's own runs do.
///
/// # Errors
/// What is wrong with it.
pub fn check(record: &RunRecord) -> std::result::Result<(), String> {
    let layers = record.layers.len();
    for (number, stage) in record.stages.iter().enumerate() {
        let wrong = |what: &str| Err(format!("stage {number} of a run {what}"));
        if stage.kept.len() != layers || stage.alive_units.len() != layers {
            return wrong("does not have a number for each layer");
        }
        if !(0.0..=1.0).contains(&stage.weights_remaining) {
            return wrong("has a share of weights that is none");
        }
        if !stage.points.is_sorted_by(|a, b| a.step <= b.step) {
            return wrong("has points that are not in order");
        }
        let measured = |p: &super::record::Point| {
            p.flops.is_finite() && p.cpu_seconds.is_finite() && p.test_accuracy.is_finite()
        };
        if !stage.points.iter().all(measured) {
            return wrong("has points that are no numbers");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{check, parse, stored};

    #[test]
    fn the_stored_runs_are_whole() {
        let records = stored().expect("they can be read");
        assert!(records.iter().all(|r| r.finished && !r.stages.is_empty()));
    }

    #[test]
    fn what_is_no_run_is_refused_in_words() {
        for text in ["", "[1, 2]", "{\"a\": 3}", "hello"] {
            let found = parse(text.as_bytes(), Path::new("runs.json"));
            let told = found.expect_err("no run").to_string();
            assert!(
                told.contains("runs.json") && told.contains("no lottery runs"),
                "{told}"
            );
        }
        let mut record = stored().expect("runs").remove(0);
        record.stages[0].kept.push(1);
        assert!(check(&record).is_err());
        record.stages[0].kept.pop();
        assert!(check(&record).is_ok());
        record.stages[0].weights_remaining = f64::NAN;
        assert!(check(&record).is_err());
    }
}
