//! What leaves the tab: curves and ledger as CSV, records as JSON, figures as SVG and PNG.

use super::super::ledger;
use super::super::record::RunRecord;
use super::bench::Bench;
use super::ledger::Row;
use crate::data::csv::field;
use crate::error::{Error, Result};
use crate::gui::Export;
use crate::gui::figure::{PNG, SVG};

pub const CURVES: Export = Export {
    extension: "csv",
    about: "the curves of all runs, one line for each point",
};
pub const LEDGER: Export = Export {
    extension: "csv",
    about: "the ledger, one line for each result",
};
pub const RECORDS: Export = Export {
    extension: "json",
    about: "all runs with their settings, to be opened here again",
};
pub const WEIGHTS: Export = Export {
    extension: "safetensors",
    about: "weights and masks of the last finished stage",
};
pub const ALL: &[Export] = &[CURVES, LEDGER, RECORDS, SVG, PNG, WEIGHTS];

/// A number as a field; empty where there is none.
fn number(value: f64) -> String {
    if value.is_finite() {
        value.to_string()
    } else {
        String::new()
    }
}

/// One line for each point of every curve, behind the name of its run.
pub fn curves_csv(bench: &Bench) -> String {
    let head = ledger::curves_csv([]);
    let mut csv = format!("run,{head}");
    for entry in bench.entries() {
        let name = field(&entry.name);
        for line in ledger::curves_csv([&entry.record]).lines().skip(1) {
            csv += &format!("{name},{line}\n");
        }
    }
    csv
}

/// The ledger with this between two fields of a line.
pub fn ledger_table(rows: &[Row], target: f64, between: &str) -> String {
    let reached = format!("{:.1}_percent", target * 100.0);
    let head = [
        "run".to_owned(),
        "result".into(),
        "weights_remaining".into(),
        "stored_bytes".into(),
        "flops".into(),
        "cpu_seconds".into(),
        "test_accuracy".into(),
        format!("flops_until_{reached}"),
        format!("cpu_seconds_until_{reached}"),
    ];
    let mut table = head.join(between);
    table.push('\n');
    for row in rows {
        let text = |text: &str| {
            if between == "," {
                field(text)
            } else {
                text.replace(['\t', '\n'], " ")
            }
        };
        let until = |which: usize| row.until.map_or(String::new(), |both| number(both[which]));
        let fields = [
            text(&row.run),
            text(&row.result),
            number(row.left),
            row.stored.map_or(String::new(), |b| b.to_string()),
            number(row.flops),
            number(row.cpu_seconds),
            number(row.accuracy),
            until(0),
            until(1),
        ];
        table += &fields.join(between);
        table.push('\n');
    }
    table
}

/// All runs as a file that the tab opens again.
pub fn records_json(bench: &Bench) -> Result<Vec<u8>> {
    let records: Vec<&RunRecord> = bench.entries().iter().map(|e| &e.record).collect();
    serde_json::to_vec(&records).map_err(|e| Error::Input(format!("cannot write the runs: {e}")))
}

#[cfg(test)]
mod tests {
    use super::{curves_csv, field, ledger_table, records_json};
    use crate::demos::lottery::record::RunRecord;
    use crate::demos::lottery::ui::bench::Bench;
    use crate::demos::lottery::ui::ledger::Ledger;
    use crate::demos::lottery::ui::stages::samples::imp;

    #[test]
    fn every_point_is_a_line_with_all_fields() {
        let bench = Bench::with_records(vec![imp()]);
        let csv = curves_csv(&bench);
        let lines: Vec<&str> = csv.lines().collect();
        let points: usize = imp().stages.iter().map(|s| s.points.len()).sum();
        assert_eq!(lines.len(), points + 1);
        assert!(lines.iter().all(|l| l.matches(',').count() == 13));
        assert!(lines[1].starts_with("Magnitude pruning,imp,dense,0,0,1,0,"));
        assert_eq!(field("a, \"b\""), "\"a, \"\"b\"\"\"");
    }

    #[test]
    fn the_ledger_and_the_records_come_back() {
        let bench = Bench::with_records(vec![imp()]);
        let rows = Ledger::default().table(&bench);
        let table = ledger_table(&rows, 0.97, "\t");
        assert_eq!(table.lines().count(), 2);
        assert!(table.lines().all(|l| l.matches('\t').count() == 8));
        let json = records_json(&bench).expect("it can be written");
        let back: Vec<RunRecord> = serde_json::from_slice(&json).expect("it can be read");
        assert_eq!(back.len(), 1);
        assert_eq!(back[0].stages.len(), imp().stages.len());
    }
}
