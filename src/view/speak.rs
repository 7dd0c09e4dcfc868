//! Parts of a painted view for screen readers, each a node with a name.

use egui::accesskit::{self, Action, Role};
use egui::{Id, Rect, Response, Sense, Ui, WidgetInfo};

/// Whether anybody reads along; without them there is no tree to write into.
pub(super) fn is_heard(ui: &Ui, view: &Response) -> bool {
    (ui.ctx().accesskit_node_builder(view.id, |_| ())).is_some()
}

/// A part of a view: what it is, where, and what is said of it.
pub(super) struct Part {
    pub(super) id: Id,
    pub(super) role: Role,
    pub(super) rect: Rect,
    pub(super) name: String,
    pub(super) value: Option<String>,
    pub(super) can_choose: bool,
}

impl Part {
    /// Adds the part to the tree of this frame; whether a screen reader has chosen it.
    pub(super) fn add(self, ui: &Ui) -> bool {
        // Nowhere to the pointer, which the view as a whole listens to.
        let node = ui.interact(Rect::NOTHING, self.id, Sense::hover());
        let enabled = ui.is_enabled();
        node.widget_info(|| {
            let mut info = WidgetInfo::labeled(self.role, enabled, self.name.clone());
            info.current_text_value.clone_from(&self.value);
            info
        });
        ui.ctx().accesskit_node_builder(self.id, |builder| {
            builder.set_bounds(accesskit::Rect {
                x0: self.rect.min.x.into(),
                y0: self.rect.min.y.into(),
                x1: self.rect.max.x.into(),
                y1: self.rect.max.y.into(),
            });
            if self.can_choose {
                builder.add_action(Action::Click);
            }
        });
        let asked = ui.input(|input| input.has_accesskit_action_request(self.id, Action::Click));
        asked && self.can_choose && enabled
    }
}
