//! The tab: pages for playing, for looking into the search and the imagination, for training and
//! for measuring.

mod analysis;
mod games;
mod imagine;
mod in_sight;
mod networks;
mod page;
mod play;
mod scaling;
mod scene;
mod training;
mod tree_page;

use std::path::Path;

use egui::{Context, Ui};
use serde_json::{Map, Value, json};

use self::networks::Networks;
use self::page::{Page, Shared};
use crate::error::{Error, Result};
use crate::gui::{Command, Export, Tab, TabCx};

/// Opens the tab.
pub fn open() -> Box<dyn Tab> {
    Box::new(MuZeroTab::new())
}

struct MuZeroTab {
    shared: Shared,
    pages: Vec<Box<dyn Page>>,
    networks: Networks,
    /// The page in front.
    front: usize,
    revision: u64,
}

impl MuZeroTab {
    fn new() -> Self {
        Self {
            shared: Shared::default(),
            pages: page::all(),
            networks: Networks::default(),
            front: 0,
            revision: 0,
        }
    }

    fn page(&self) -> &dyn Page {
        &*self.pages[self.front]
    }

    fn bring_to_front(&mut self, id: &str) {
        if let Some(place) = self.pages.iter().position(|page| page.id() == id)
            && place != self.front
        {
            self.front = place;
            self.revision += 1;
        }
    }

    fn head_ui(&mut self, ui: &mut Ui) {
        let mut chosen = None;
        ui.horizontal_wrapped(|ui| {
            for (place, page) in self.pages.iter().enumerate() {
                let label = ui.selectable_label(self.front == place, page.name());
                if label.on_hover_text(page.about()).clicked() {
                    chosen = Some(page.id());
                }
            }
        });
        if let Some(id) = chosen {
            self.bring_to_front(id);
        }
    }
}

impl Tab for MuZeroTab {
    fn logic(&mut self, ctx: &Context, cx: &mut TabCx<'_>) {
        for (place, page) in self.pages.iter_mut().enumerate() {
            page.logic(ctx, &mut self.shared, place == self.front, cx);
        }
        if let Some(id) = self.shared.wanted.take() {
            self.bring_to_front(id);
        }
    }

    fn controls_ui(&mut self, ui: &mut Ui, cx: &mut TabCx<'_>) {
        self.pages[self.front].controls_ui(ui, &mut self.shared, cx);
    }

    fn stage_ui(&mut self, ui: &mut Ui, cx: &mut TabCx<'_>) {
        self.head_ui(ui);
        ui.add_space(2.0);
        self.pages[self.front].stage_ui(ui, &mut self.shared, cx);
    }

    fn can(&self, command: Command) -> bool {
        self.page().can(command, &self.shared)
    }

    fn perform(&mut self, command: Command, cx: &mut TabCx<'_>) {
        self.pages[self.front].perform(command, &mut self.shared, cx);
    }

    fn help(&mut self) -> Option<&str> {
        Some(self.networks.text(&self.shared))
    }

    fn opens(&self) -> &'static str {
        "a recorded game (SGF, PGN or moves), or weights of these networks"
    }

    fn open_file(&mut self, path: &Path, cx: &mut TabCx<'_>) -> Result<()> {
        self.shared.open_file(path, cx)
    }

    fn copy_text(&self) -> Option<String> {
        self.page().copy_text(&self.shared)
    }

    fn exports(&self) -> &'static [Export] {
        self.page().exports()
    }

    fn export(&self, format: Export) -> Result<Vec<u8>> {
        self.page().export(format, &self.shared)
    }

    fn save(&self) -> Value {
        let pages: Map<String, Value> = self
            .pages
            .iter()
            .map(|page| (page.id().to_owned(), page.save()))
            .collect();
        json!({ "page": self.page().id(), "shared": self.shared.save(), "pages": pages })
    }

    fn restore(&mut self, state: Value) -> Result<()> {
        let missing = |what: &str| Error::Input(format!("the session has no {what}"));
        self.shared
            .restore(state.get("shared").ok_or_else(|| missing("game"))?)?;
        for page in &mut self.pages {
            if let Some(state) = state.get("pages").and_then(|pages| pages.get(page.id())) {
                page.restore(state.clone())?;
            }
        }
        if let Some(id) = state.get("page").and_then(Value::as_str) {
            self.bring_to_front(id);
        }
        self.revision += 1;
        Ok(())
    }

    fn revision(&self) -> u64 {
        let pages: u64 = self.pages.iter().map(|page| page.revision()).sum();
        self.revision + self.shared.revision + pages
    }
}
