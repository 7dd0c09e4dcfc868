//! What leaves the tab.

use crate::gui::Export;
use crate::gui::figure::{PNG, SVG};

pub const TEXT: Export = Export {
    extension: "txt",
    about: "the text",
};
pub const RUN: Export = Export {
    extension: "json",
    about: "the text, the settings, and every token with its alternatives",
};
pub const TOKENS: Export = Export {
    extension: "csv",
    about: "one line for each token: text, probability, rank",
};
pub const CURVES: Export = Export {
    extension: "csv",
    about: "the curves of learning in context, one line for each point",
};
pub const ALL: &[Export] = &[TEXT, RUN, TOKENS, CURVES, SVG, PNG];
