//! The tab: a page that searches for answers to a small picture, one that does so through a learned
//! generator, and one that measures the bias of doing so.

mod answers;
mod bias;
mod canvas;
mod crop;
mod learned;
mod nearest;
mod question;
mod settings;
mod shown;
mod turn;

use std::path::Path;

use egui::{Context, Ui};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use self::answers::Answers;
use self::bias::Bias;
use self::learned::Learned;
use crate::data::Image;
use crate::demos::pulse::samples;
use crate::error::{Error, Result};
use crate::gui::{Command, Export, Tab, TabCx};

/// Opens the tab.
pub fn open() -> Box<dyn Tab> {
    let mut answers = Answers::new();
    let mut rows = Vec::new();
    match samples::stored() {
        Ok(stored) => {
            rows = stored.bias;
            answers.take_stored(stored.truth, stored.answers);
        }
        Err(error) => tracing::error!("{error}"),
    }
    Box::new(PulseTab {
        answers,
        learned: Learned::new(),
        bias: Bias::new(rows),
        front: Front::Answers,
        revision: 0,
    })
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Front {
    #[default]
    Answers,
    Learned,
    Bias,
}

struct PulseTab {
    answers: Answers,
    learned: Learned,
    bias: Bias,
    front: Front,
    revision: u64,
}

impl Tab for PulseTab {
    fn logic(&mut self, _: &Context, cx: &mut TabCx<'_>) {
        self.answers.logic(cx);
        self.learned.logic(cx);
        self.bias.logic(cx);
    }

    fn controls_ui(&mut self, ui: &mut Ui, cx: &mut TabCx<'_>) {
        match self.front {
            Front::Answers => self.answers.controls_ui(ui, cx),
            Front::Learned => self.learned.controls_ui(ui, cx),
            Front::Bias => self.bias.controls_ui(ui, cx),
        }
    }

    fn stage_ui(&mut self, ui: &mut Ui, cx: &mut TabCx<'_>) {
        ui.horizontal_wrapped(|ui| {
            for (front, name, about) in [
                (
                    Front::Answers,
                    "Answers",
                    "Faces that shrink to a small picture",
                ),
                (
                    Front::Learned,
                    "Learned generator",
                    "The paper's own search, through the layers of a network that learned faces",
                ),
                (
                    Front::Bias,
                    "Bias",
                    "What becomes of people of each group, against the truth",
                ),
            ] {
                let label = ui.selectable_label(self.front == front, name);
                if label.on_hover_text(about).clicked() && self.front != front {
                    self.front = front;
                    self.revision += 1;
                }
            }
        });
        ui.add_space(2.0);
        match self.front {
            Front::Answers => self.answers.stage_ui(ui, cx),
            Front::Learned => self.learned.stage_ui(ui, self.answers.question()),
            Front::Bias => self.bias.stage_ui(ui),
        }
    }

    fn can(&self, command: Command) -> bool {
        match self.front {
            Front::Answers => self.answers.state().allows(command),
            Front::Learned => self.learned.state().allows(command),
            Front::Bias => self.bias.state().allows(command),
        }
    }

    fn perform(&mut self, command: Command, cx: &mut TabCx<'_>) {
        match self.front {
            Front::Answers => self.answers.perform(command, cx),
            Front::Learned => {
                let (low, truth) = self.answers.question();
                self.learned.perform(command, low, truth, cx);
            }
            Front::Bias => self.bias.perform(command, cx),
        }
    }

    fn opens(&self) -> &'static str {
        "a picture (PNG, JPEG, WebP, GIF), of which a square is shrunk"
    }

    fn paste_picture(&mut self, image: Image, cx: &mut TabCx<'_>) -> Option<Result<()>> {
        self.front = Front::Answers;
        Some(self.answers.take_picture(image, cx))
    }

    fn open_file(&mut self, path: &Path, cx: &mut TabCx<'_>) -> Result<()> {
        self.front = Front::Answers;
        self.answers.open_file(path, cx)
    }

    fn copy_text(&self) -> Option<String> {
        match self.front {
            Front::Answers => self.answers.copy_text(),
            Front::Learned => self.learned.copy_text(),
            Front::Bias => self.bias.table(),
        }
    }

    fn exports(&self) -> &'static [Export] {
        match self.front {
            Front::Answers => answers::EXPORTS,
            Front::Learned => learned::EXPORTS,
            Front::Bias => bias::EXPORTS,
        }
    }

    fn export(&self, format: Export) -> Result<Vec<u8>> {
        match self.front {
            Front::Answers => self.answers.export(format),
            Front::Learned => self.learned.export(),
            Front::Bias => self
                .bias
                .table()
                .map(String::into_bytes)
                .ok_or_else(|| Error::Input("no bias is measured yet".into())),
        }
    }

    fn save(&self) -> Value {
        json!({
            "front": self.front,
            "answers": self.answers.save(),
            "learned": self.learned.save(),
            "bias": self.bias.save(),
        })
    }

    fn restore(&mut self, state: Value) -> Result<()> {
        let part = |name: &str| state.get(name).cloned().unwrap_or(Value::Null);
        self.answers.restore(part("answers"))?;
        self.bias.restore(part("bias"))?;
        self.learned.restore(part("learned"))?;
        self.front = serde_json::from_value(part("front")).unwrap_or_default();
        self.revision += 1;
        Ok(())
    }

    fn revision(&self) -> u64 {
        self.revision + self.answers.revision() + self.learned.revision() + self.bias.revision()
    }
}
