//! `vitrine gpt curve`.

use serde_json::json;

use super::model_path;
use crate::cli::{Globals, drive};
use crate::demos::gpt::in_context::curve::{CurveConfig, CurveJob, Heard};
use crate::error::{Error, Result};

pub(super) fn run(mut config: CurveConfig, globals: &Globals) -> Result<()> {
    let mut report = globals.report();
    config.seed = globals.seed;
    config.check().map_err(Error::Input)?;
    config.model = Some(model_path(config.model.take(), &mut report)?);
    let (mut points, mut model) = (Vec::new(), String::new());
    let job = CurveJob::new(config.clone())?;
    let ended = drive(globals, &mut report, job, |heard, _| match heard {
        Heard::Loaded(name) => model = name,
        Heard::Points(now, _) => points = now,
    });
    // What was measured until Ctrl-C is told too.
    if !matches!(ended, Ok(()) | Err(Error::Cancelled)) || points.is_empty() {
        return ended;
    }
    report.event(
        "result",
        &json!({ "task": config.task, "model": model, "points": points }),
    );
    report.text(&format!("{}, {model}\n", config.task.title()));
    for point in &points {
        report.text(&format!(
            "{:>4} examples: {:5.1} % right ({:.1} to {:.1}, {} queries)\n",
            point.shots,
            point.accuracy * 100.0,
            point.low * 100.0,
            point.high * 100.0,
            point.n
        ));
    }
    ended
}
