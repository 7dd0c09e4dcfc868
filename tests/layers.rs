//! The arrows between the parts of the program, as ARCHITECTURE.md draws them, read from the
//! sources: `use` declarations and paths written out in code.

use std::collections::BTreeSet;
use std::path::Path;

/// Who may use what of this crate, besides itself.
const MAY_USE: &[(&str, &[&str])] = &[
    ("error", &[]),
    ("rng", &["error"]),
    ("store", &["error", "rng"]),
    ("data", &["error", "rng", "store"]),
    ("human", &["error", "rng", "store", "data"]),
    ("nn", &["error", "rng", "store", "data", "compute"]),
    ("compute", &["error", "rng", "store"]),
    ("view", &["error", "rng", "store", "data", "human"]),
    ("cli", &["error", "rng", "store", "compute", "nn"]),
    (
        "gui",
        &["error", "rng", "store", "data", "compute", "view", "cli"],
    ),
    ("main", &["error", "nn", "compute", "cli", "gui", "demos"]),
    ("lib", &["error"]),
];
/// What every part of a demo may use.
const SCIENCE: &[&str] = &["error", "rng", "store", "data", "human", "nn", "compute"];
/// What a demo's drawing may use.
const DRAWING: &[&str] = &["error", "rng", "store", "data", "compute", "gui", "view"];

/// Single paths that are let through, each with its reason.
const EXCEPTIONS: &[(&str, &str)] = &[
    // `vitrine doctor` names the graphics adapters, in builds that can draw.
    ("cli::doctor", "view::adapter_names"),
];

/// What is wrong with a use of `path`, of this crate or another, in a module.
fn violation(module: &str, path: &str) -> Option<String> {
    let used: Vec<&str> = path.split("::").collect();
    let own: Vec<&str> = module.split("::").collect();
    let is_ui = own[0] == "demos" && own.get(2).is_some_and(|part| part.starts_with("ui"));
    let wrong = |why: &str| Some(format!("{module} uses {path}: {why}"));
    let Some(top) = used.first().and_then(|name| name.strip_prefix("crate ")) else {
        let draws =
            ["egui", "eframe", "epaint", "wgpu"].contains(&used[0]) || used[0].starts_with("egui_");
        if draws && !is_ui && !["gui", "view", "main"].contains(&own[0]) {
            return wrong("only gui, view and the demos' ui draw");
        }
        if used[0].starts_with("candle") && (is_ui || ["gui", "view", "cli"].contains(&own[0])) {
            return wrong("no tensors where results are shown");
        }
        return None;
    };
    let written = path.trim_start_matches("crate ");
    if own[0] == top || EXCEPTIONS.contains(&(module, written)) {
        let other_demo = top == "demos" && own.len() > 1 && used.len() > 1 && own[1] != used[1];
        // The list of demos is for `main` and itself.
        return if other_demo {
            wrong("no demo uses another")
        } else {
            None
        };
    }
    let allowed = if own[0] != "demos" {
        let row = MAY_USE.iter().find(|(name, _)| *name == own[0]);
        match row {
            Some((_, allowed)) => allowed.contains(&top),
            None => return wrong("no row tells what this part may use"),
        }
    } else if is_ui {
        DRAWING.contains(&top)
    } else {
        let registers = own.len() <= 2;
        let acts = registers || own[2] == "actions";
        SCIENCE.contains(&top) || (acts && top == "cli") || (registers && top == "gui")
    };
    if allowed {
        None
    } else {
        wrong("this arrow is not in the picture")
    }
}

// --- Reading sources ------------------------------------------------------------------------------

/// Words, `::` and single signs, without comments and literals.
fn tokens(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let mut out: Vec<String> = Vec::new();
    let at_is = |at: usize, what: &str| {
        what.chars()
            .enumerate()
            .all(|(i, c)| chars.get(at + i) == Some(&c))
    };
    let mut at = 0;
    while at < chars.len() {
        let c = chars[at];
        if at_is(at, "//") {
            while at < chars.len() && chars[at] != '\n' {
                at += 1;
            }
        } else if at_is(at, "/*") {
            let mut depth = 0;
            loop {
                if at_is(at, "/*") {
                    (depth, at) = (depth + 1, at + 2);
                } else if at_is(at, "*/") {
                    (depth, at) = (depth - 1, at + 2);
                } else {
                    at += 1;
                }
                if depth == 0 || at >= chars.len() {
                    break;
                }
            }
        } else if c == '"' {
            // A raw string's sign and its hashes have come as tokens of their own.
            let hashes = out.iter().rev().take_while(|t| *t == "#").count();
            let sign = out.len().checked_sub(hashes + 1).map(|i| out[i].as_str());
            let raw = matches!(sign, Some("r" | "br" | "cr"));
            at += 1;
            if raw {
                let end = format!("\"{}", "#".repeat(hashes));
                while at < chars.len() && !at_is(at, &end) {
                    at += 1;
                }
                at += end.len();
            } else {
                while at < chars.len() && chars[at] != '"' {
                    at += if chars[at] == '\\' { 2 } else { 1 };
                }
                at += 1;
            }
            out.push("\"\"".into());
        } else if c == '\''
            && (chars.get(at + 2) == Some(&'\'') || chars.get(at + 1) == Some(&'\\'))
        {
            // A character; anything else behind this sign is a lifetime.
            at += 2;
            while at < chars.len() && chars[at] != '\'' {
                at += 1;
            }
            at += 1;
        } else if c.is_alphanumeric() || c == '_' {
            let start = at;
            while at < chars.len() && (chars[at].is_alphanumeric() || chars[at] == '_') {
                at += 1;
            }
            out.push(chars[start..at].iter().collect());
        } else if at_is(at, "::") {
            out.push("::".into());
            at += 2;
        } else {
            if !c.is_whitespace() {
                out.push(c.into());
            }
            at += 1;
        }
    }
    out
}

fn is_word(token: &str) -> bool {
    token
        .chars()
        .next()
        .is_some_and(|c| c.is_alphanumeric() || c == '_')
}

/// All paths a source uses: those into this crate begin with `crate `, then the module.
fn paths(module: &str, text: &str) -> BTreeSet<String> {
    let tokens = tokens(text);
    let mut found = BTreeSet::new();
    // Modules written out in this file, with the depth of braces they began at.
    let mut inner: Vec<(String, usize)> = Vec::new();
    let mut depth = 0;
    let mut at = 0;
    while at < tokens.len() {
        let token = tokens[at].as_str();
        let here = || {
            let mut here: Vec<&str> = module.split("::").filter(|m| *m != "lib").collect();
            here.extend(inner.iter().map(|(name, _)| name.as_str()));
            here.into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        match token {
            "{" => depth += 1,
            "}" => {
                depth -= 1;
                inner.retain(|(_, began)| *began < depth + 1);
            }
            "mod" if tokens.get(at + 2).is_some_and(|t| t == "{") => {
                inner.push((tokens[at + 1].clone(), depth + 1));
                depth += 1;
                at += 2;
            }
            "use" => {
                let mut end = at + 1;
                let here = here();
                let mut all = Vec::new();
                use_tree(&tokens, &mut end, &[], &mut all);
                found.extend(all.iter().filter_map(|path| resolve(&here, path)));
                at = end;
            }
            _ if is_word(token) && tokens.get(at + 1).is_some_and(|t| t == "::") => {
                let mut path = vec![token.to_owned()];
                while tokens.get(at + 1).is_some_and(|t| t == "::")
                    && tokens.get(at + 2).is_some_and(|t| is_word(t))
                {
                    path.push(tokens[at + 2].clone());
                    at += 2;
                }
                found.extend(resolve(&here(), &path));
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// Collects the paths of a `use` tree; ends on its last token.
fn use_tree(tokens: &[String], at: &mut usize, before: &[String], all: &mut Vec<Vec<String>>) {
    let mut path = before.to_vec();
    loop {
        match tokens.get(*at).map(String::as_str) {
            Some("::") => {}
            Some("{") => {
                *at += 1;
                while tokens.get(*at).is_some_and(|t| t != "}") {
                    use_tree(tokens, at, &path, all);
                    if tokens.get(*at).is_some_and(|t| t == ",") {
                        *at += 1;
                    }
                }
                *at += 1;
                return;
            }
            Some("as") => *at += 1,
            Some("*") => path.push("*".into()),
            Some(word) if is_word(word) => path.push(word.into()),
            _ => {
                all.push(path);
                return;
            }
        }
        *at += 1;
    }
}

/// A path as seen from the crate's root, or from another crate's; `None` for names of this module.
fn resolve(here: &[String], path: &[String]) -> Option<String> {
    let mut base = here.to_vec();
    let mut rest = path;
    match path.first()?.as_str() {
        "crate" | "vitrine" => {
            base.clear();
            rest = &path[1..];
        }
        "self" => rest = &path[1..],
        "super" => {
            while rest.first().is_some_and(|part| part == "super") {
                base.pop();
                rest = &rest[1..];
            }
        }
        name if name.chars().next()?.is_lowercase() => return Some(path.join("::")),
        _ => return None,
    }
    base.extend_from_slice(rest);
    // What the root re-exports lies in `error`.
    if base
        .first()
        .is_none_or(|name| name == "Error" || name == "Result")
    {
        base.insert(0, "error".into());
    }
    Some(format!("crate {}", base.join("::")))
}

fn violations(module: &str, text: &str) -> Vec<String> {
    let found = paths(module, text);
    found
        .iter()
        .filter_map(|path| violation(module, path))
        .collect()
}

/// The sources with their modules' names.
fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![root.clone()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder of sources") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            if path.extension().is_none_or(|e| e != "rs") {
                continue;
            }
            let inside = path.strip_prefix(&root).expect("below the root");
            let parts: Vec<String> = inside
                .with_extension("")
                .components()
                .map(|c| c.as_os_str().to_string_lossy().into_owned())
                .filter(|part| part != "mod")
                .collect();
            let text = std::fs::read_to_string(&path).expect("a source");
            found.push((parts.join("::"), text));
        }
    }
    found
}

#[test]
fn every_arrow_is_in_the_picture() {
    let sources = sources();
    assert!(sources.len() > 50, "{} files", sources.len());
    let wrong: Vec<String> = sources
        .iter()
        .flat_map(|(module, text)| violations(module, text))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn arrows_that_are_there_are_seen() {
    let sources = sources();
    let of = |module: &str| {
        let (_, text) = sources.iter().find(|(m, _)| m == module).expect(module);
        paths(module, text)
    };
    assert!(of("demos::gpt::job").contains("crate compute::StepCx"));
    assert!(of("demos::gpt::engine").contains("crate demos::gpt::gguf::Gguf"));
    assert!(of("nn::cpu::attention").contains("crate nn::cpu::has_avx2"));
    assert!(of("demos").contains("crate gui::DemoTab"), "a path in code");
    assert!(of("main").contains("crate gui"), "by the crate's name");
    assert!(of("compute::device").contains("candle_core::Device"));
    assert!(
        of("data::image").contains("crate error::Error"),
        "a re-export"
    );
    // Every exception is still needed.
    for (module, path) in EXCEPTIONS {
        assert!(
            of(module).contains(&format!("crate {path}")),
            "{module} {path}"
        );
    }
}

#[test]
fn modules_inside_a_file_are_one_step_deeper() {
    let text = "mod avx2 { use super::super::quant::sum_lanes; fn f() { if a { b() } } }
                mod tests { use super::attend; mod deep { use super::super::x::y; } }
                use super::z;";
    let expected = [
        "quant::sum_lanes",
        "attention::attend",
        "attention::x::y",
        "z",
    ]
    .map(|path| format!("crate nn::cpu::{path}"));
    assert_eq!(paths("nn::cpu::attention", text), BTreeSet::from(expected));
}

#[test]
fn wrong_arrows_are_found() {
    for (module, text, part) in [
        ("nn::layers", "use egui::Ui;", "egui::Ui"),
        (
            "demos::gpt::job",
            "fn f(c: egui::Color32) {}",
            "egui::Color32",
        ),
        ("compute::worker", "use eframe::{App, egui};", "eframe::App"),
        ("cli::report", "use egui_plot::Plot;", "egui_plot::Plot"),
        (
            "data::image",
            "use wgpu::{self, Device as D};",
            "wgpu::self",
        ),
        (
            "view::mesh",
            "use candle_core::Tensor;",
            "candle_core::Tensor",
        ),
        (
            "gui::tab",
            "type T = candle_core::Tensor;",
            "candle_core::Tensor",
        ),
        (
            "demos::gpt::ui::tokens",
            "use candle_nn::{ops, Module};",
            "candle_nn::Module",
        ),
        ("cli::doctor", "use candle_core as c;", "candle_core"),
        (
            "demos::gpt::job",
            "use crate::demos::muzero::search;",
            "demos::muzero::search",
        ),
        (
            "demos::gpt::job",
            "use super::super::pulse::Face;",
            "demos::pulse::Face",
        ),
        (
            "demos::gpt",
            "use super::{lottery::{self, Mask}};",
            "demos::lottery::Mask",
        ),
        (
            "demos::gpt::job",
            "mod tests { use super::super::super::pulse::Face; }",
            "demos::pulse::Face",
        ),
        ("store::paths", "use crate::cli::Globals;", "cli::Globals"),
        ("rng", "use crate::gui;", "crate gui"),
        ("error", "use crate::view::Views;", "view::Views"),
        (
            "compute",
            "use crate::{error::Error, demos::DEMOS};",
            "demos::DEMOS",
        ),
        ("compute::job", "use crate::nn::cpu;", "nn::cpu"),
        ("nn::train", "use crate::cli::Report;", "cli::Report"),
        ("gui::app", "use crate::demos::DEMOS;", "demos::DEMOS"),
        ("view::board", "use crate::gui::theme;", "gui::theme"),
        (
            "view::board",
            "use crate::demos::gpt::TAB;",
            "demos::gpt::TAB",
        ),
        ("cli", "use crate::gui::run_window;", "gui::run_window"),
        (
            "cli",
            "use crate::view::adapter_names;",
            "view::adapter_names",
        ),
        ("demos::gpt::model", "use crate::gui::theme;", "gui::theme"),
        (
            "demos::gpt::model",
            "use crate::cli::Report;",
            "cli::Report",
        ),
        (
            "demos::gpt::ui",
            "use crate::nn::cpu::matmul;",
            "nn::cpu::matmul",
        ),
        ("sounds::play", "use crate::error::Error;", "no row"),
    ] {
        let found = violations(module, text);
        assert!(
            found
                .iter()
                .any(|v| v.starts_with(module) && v.contains(part)),
            "{module}: {text}: {found:?}"
        );
    }
}

#[test]
fn right_arrows_comments_and_texts_are_let_through() {
    for (module, text) in [
        (
            "gui::app",
            "use egui::Ui; use crate::view::Views; use crate::cli::Globals;",
        ),
        (
            "view::image",
            "use egui_wgpu::wgpu; use crate::data::Image; use crate::Result;",
        ),
        (
            "demos::gpt::ui::tokens",
            "use super::super::engine::Position; use crate::gui::theme; use egui::Ui;",
        ),
        (
            "demos::gpt::job",
            "use crate::compute::Job; use super::engine::Engine; use candle_core::Tensor;",
        ),
        (
            "demos::gpt",
            "pub const TAB: crate::gui::DemoTab = crate::gui::DemoTab { id: \"gpt\" };",
        ),
        ("demos", "use crate::cli::DemoActions; pub mod gpt;"),
        (
            "nn::cpu::quant",
            "mod avx2 { mod deep { use super::super::super::has_avx2; } } use crate::rng::Rng;",
        ),
        (
            "main",
            "use vitrine::{cli, gui}; use vitrine::demos::DEMOS;",
        ),
        (
            "compute::worker",
            "// use egui::Ui;\n/* egui::Ui /* crate::gui */ wgpu::x */ use crate::error::Error;",
        ),
        (
            "compute::worker",
            "const T: &str = \"use egui::Ui; \\\" wgpu::x\"; const R: &str = r#\"a\" egui::Ui\"#;",
        ),
        (
            "compute::worker",
            "fn f<'a>(x: &'a str) -> char { if x == \"\" { '\"' } else { '\\'' } } // egui::Ui\"",
        ),
        (
            "rng",
            "fn egui_like() { self::below(); Self::new(); u32::from(3_u8); }",
        ),
    ] {
        let found = violations(module, text);
        assert!(found.is_empty(), "{text}: {found:?}");
    }
}
