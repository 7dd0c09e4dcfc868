//! `list`, `fetch` and `verify`.

use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::json;

use super::{DemoActions, Globals, Report, interrupt};
use crate::compute;
use crate::error::{Error, Result};
use crate::store::{self, Asset, Kind, Manifest, Paths, Routes, Status};

pub(super) fn list(demos: &[DemoActions], globals: &Globals) -> Result<()> {
    let (manifest, paths) = (Manifest::embedded()?, Paths::discover()?);
    let mut text = String::from("Demos\n");
    let mut rows = Vec::new();
    for demo in demos {
        let actions: Vec<String> = (demo.command)()
            .get_subcommands()
            .map(|action| action.get_name().to_owned())
            .collect();
        let _ = writeln!(
            text,
            "  {:<14}{}\n{:16}{}\n{:16}actions: {}",
            demo.id,
            demo.title,
            "",
            demo.paper,
            "",
            actions.join(", ")
        );
        rows.push(json!({
            "id": demo.id, "title": demo.title, "paper": demo.paper, "actions": actions, "needs": demo.needs,
        }));
    }
    text += "\nFiles\n";
    let mut files = Vec::new();
    for asset in &manifest.assets {
        let path = asset.location(&store::assets_dir(), &paths);
        let present = path.is_file();
        let state = match (asset.kind, present) {
            (Kind::Shipped, true) => "shipped".into(),
            (Kind::Shipped, false) => "missing".into(),
            (Kind::Fetched, true) => "fetched".into(),
            (Kind::Fetched, false) => format!("not fetched: vitrine fetch {}", asset.name),
        };
        let _ = writeln!(
            text,
            "  {}\n{:16}{}\n{:16}{} MB, {}, {state}",
            asset.name,
            "",
            asset.about,
            "",
            megabytes(asset.bytes),
            asset.licence
        );
        files.push(json!({
            "name": asset.name, "about": asset.about, "bytes": asset.bytes, "licence": asset.licence,
            "source": asset.source, "path": path, "present": present,
        }));
    }
    let mut report = globals.report();
    report.text(&text);
    report.event("result", &json!({ "demos": rows, "assets": files }));
    Ok(())
}

pub(super) fn verify(globals: &Globals) -> Result<()> {
    let (manifest, paths) = (Manifest::embedded()?, Paths::discover()?);
    let mut report = globals.report();
    let mut rows = Vec::new();
    let mut bad = 0;
    for asset in &manifest.assets {
        let path = asset.location(&store::assets_dir(), &paths);
        let status = store::verify(asset, &path)?;
        let (word, is_bad) = match (&status, asset.kind) {
            (Status::Ok, _) => ("ok".to_owned(), false),
            (Status::Absent, Kind::Fetched) => ("not fetched".to_owned(), false),
            (Status::Absent, Kind::Shipped) => ("missing".to_owned(), true),
            (Status::WrongSize { expected, found }, _) => {
                (format!("{found} bytes, not {expected}"), true)
            }
            (Status::WrongHash { .. }, _) => ("the checksum differs".to_owned(), true),
        };
        bad += usize::from(is_bad);
        report.text(&format!(
            "{:<12} {}: {}\n",
            word,
            asset.name,
            path.display()
        ));
        rows.push(json!({ "name": asset.name, "path": path, "ok": !is_bad, "state": word }));
    }
    report.event("result", &json!({ "ok": bad == 0, "assets": rows }));
    if bad > 0 {
        let files = if bad == 1 { "file is" } else { "files are" };
        return Err(Error::Fetch(format!(
            "{bad} {files} missing or damaged, see above"
        )));
    }
    Ok(())
}

pub(super) fn fetch(demos: &[DemoActions], name: &str, globals: &Globals) -> Result<()> {
    let manifest = Manifest::embedded()?;
    let fetched = || manifest.assets.iter().filter(|a| a.kind == Kind::Fetched);
    let wanted: Vec<&Asset> = match demos.iter().find(|demo| demo.id == name) {
        Some(demo) => fetched()
            .filter(|a| demo.needs.contains(&a.name.as_str()))
            .collect(),
        None => fetched().filter(|a| a.name == name).collect(),
    };
    let wanted = if wanted.is_empty() {
        fetched().filter(|a| a.name.starts_with(name)).collect()
    } else {
        wanted
    };
    if wanted.is_empty() {
        let names: Vec<&str> = fetched().map(|a| a.name.as_str()).collect();
        return Err(Error::Input(format!(
            "nothing to fetch is called {name}, there is: {}",
            names.join(", ")
        )));
    }
    let mut report = globals.report();
    let mut files = Vec::new();
    for asset in wanted {
        let path = fetch_asset(asset, &mut report)?;
        report.text(&format!("{}\n", path.display()));
        files.push(json!({ "name": asset.name, "path": path }));
    }
    report.event("result", &json!({ "files": files }));
    Ok(())
}

/// Fetches a file if it is not there, showing progress; Ctrl-C stops it and keeps what came.
///
/// # Errors
/// When no way of getting it worked; the message says how to do it by hand.
pub fn fetch_asset(asset: &Asset, report: &mut Report) -> Result<PathBuf> {
    let paths = Paths::discover()?;
    let target = asset.location(&store::assets_dir(), &paths);
    // The checksum was compared when it was fetched; `vitrine verify` compares it again.
    if target
        .metadata()
        .is_ok_and(|m| m.is_file() && m.len() == asset.bytes)
    {
        return Ok(target);
    }
    let mut last = None;
    let path = store::fetch(
        asset,
        &paths,
        &Routes::default(),
        interrupt::flag(),
        &mut |progress| {
            let percent = progress.done_bytes * 100 / progress.total_bytes.max(1);
            if last != Some((percent, progress.stage)) {
                if last.is_none() {
                    eprintln!(
                        "fetching {}, {} MB, {}",
                        asset.name,
                        megabytes(asset.bytes),
                        asset.licence
                    );
                }
                last = Some((percent, progress.stage));
                report.progress(&compute::Progress {
                    done: progress.done_bytes,
                    total: Some(progress.total_bytes),
                    unit: "bytes",
                    rate: None,
                    eta_secs: None,
                });
            }
        },
    );
    report.clear();
    path
}

fn megabytes(bytes: u64) -> String {
    let mb = bytes as f64 / 1e6;
    if mb < 10.0 {
        format!("{mb:.1}")
    } else {
        format!("{mb:.0}")
    }
}
