//! The page's result in files.

use serde_json::json;

use super::super::super::imagination::{Drift, Roll};
use super::figures::figures;
use crate::error::{Error, Result};
use crate::gui::Export;
use crate::gui::figure::{PNG, SVG, to_png, to_svg};

const LINE: Export = Export {
    extension: "csv",
    about: "the imagined line beside the true one, a step a row",
};
const RESULT: Export = Export {
    extension: "json",
    about: "the line and the measured error at each depth",
};
/// All formats.
pub const ALL: &[Export] = &[LINE, RESULT, SVG, PNG];

/// The result in one of them.
///
/// # Errors
/// When a figure cannot be drawn.
pub fn export(format: Export, roll: &Roll, drift: Option<&Drift>) -> Result<Vec<u8>> {
    let plots = || figures(Some(roll), drift);
    Ok(match format {
        RESULT => {
            let result = json!({ "line": roll, "drift": drift });
            serde_json::to_vec_pretty(&result).map_err(|e| Error::Input(e.to_string()))?
        }
        SVG => to_svg(&plots())?.into_bytes(),
        PNG => to_png(&plots())?.encode_png()?,
        _ => line_table(roll, ",").into_bytes(),
    })
}

/// A step a row.
pub fn line_table(roll: &Roll, separator: &str) -> String {
    let heads = [
        "step",
        "move",
        "error",
        "wrong_share",
        "value",
        "true_value",
        "reward",
        "true_reward",
        "forbidden_share",
        "over",
    ];
    let mut text = heads.join(separator) + "\n";
    let number = |number: Option<f32>| number.map_or(String::new(), |x| x.to_string());
    for (k, step) in roll.steps.iter().enumerate() {
        let cells = [
            k.to_string(),
            step.name.clone(),
            number(step.difference.map(|d| d.mean)),
            number(step.difference.map(|d| d.wrong)),
            step.value.to_string(),
            number(step.true_value),
            number(step.reward),
            number(step.true_reward),
            number(step.illegal),
            step.over.to_string(),
        ];
        text += &(cells.join(separator) + "\n");
    }
    text
}
