//! What leaves the tab.

use super::super::hall::Famed;
use super::super::record::Record;
use super::super::text::print;
use crate::data::csv::field;
use crate::gui::Export;
use crate::gui::figure::{PNG, SVG};

pub const RECORD: Export = Export {
    extension: "json",
    about: "the search with its lineage, to be opened here again",
};
pub const TEXT: Export = Export {
    extension: "txt",
    about: "the program in sight as text",
};
pub const PYTHON: Export = Export {
    extension: "py",
    about: "the program in sight for Python with numpy",
};
pub const RUST: Export = Export {
    extension: "rs",
    about: "the program in sight for Rust",
};
pub const COURSE: Export = Export {
    extension: "csv",
    about: "fitness over the search, one line for each moment",
};
pub const HALL: Export = Export {
    extension: "csv",
    about: "the hall of fame, one line for each length",
};
pub const ALL: &[Export] = &[RECORD, TEXT, PYTHON, RUST, COURSE, HALL, SVG, PNG];

/// One line for each moment.
pub fn course_csv(record: &Record) -> String {
    let mut csv =
        "programs,seconds,experiment,best,mean,tenth,median,nine_tenths,random_search\n".to_owned();
    for moment in &record.course {
        let [low, middle, high] = moment.percentiles;
        let control = moment
            .control
            .map_or(String::new(), |control| control.to_string());
        csv += &format!(
            "{},{},{},{},{},{low},{middle},{high},{control}\n",
            moment.individuals, moment.seconds, moment.experiment, moment.best, moment.mean
        );
    }
    csv
}

/// One line for each length.
pub fn hall_csv(hall: &[Famed]) -> String {
    let mut csv = "instructions,fitness,program\n".to_owned();
    for famed in hall {
        let program = field(&print(&famed.program));
        csv += &format!("{},{},{program}\n", famed.instructions, famed.fitness);
    }
    csv
}
