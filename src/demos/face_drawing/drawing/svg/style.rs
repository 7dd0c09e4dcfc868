//! How an element is drawn: its own attributes, the file's style sheet, its `style`, and what it takes
//! over from the groups around it.

use roxmltree::Node;

use super::scan::length;

/// What of the style matters to lines.
#[derive(Clone, Debug)]
pub(super) struct Style {
    stroke: Option<String>,
    fill: Option<String>,
    /// In the element's own units.
    pub(super) width: f64,
    hidden: bool,
}

impl Default for Style {
    fn default() -> Self {
        Self {
            stroke: None,
            fill: None,
            width: 1.0,
            hidden: false,
        }
    }
}

/// Rules of a style sheet: a simple selector and its declarations.
#[derive(Default)]
pub(super) struct Sheet {
    rules: Vec<(String, String)>,
}

impl Sheet {
    /// The rules of all `<style>` elements whose selectors are one name, class or id.
    pub(super) fn of(root: Node<'_, '_>) -> Self {
        let mut rules = Vec::new();
        let sheets = root.descendants().filter(|n| n.has_tag_name_of("style"));
        for text in sheets.filter_map(|node| node.text()) {
            for rule in text.split('}') {
                let Some((selectors, declarations)) = rule.split_once('{') else {
                    continue;
                };
                for selector in selectors.split(',') {
                    rules.push((selector.trim().to_owned(), declarations.to_owned()));
                }
            }
        }
        Self { rules }
    }

    fn of_node<'a>(&'a self, node: Node<'_, '_>) -> impl Iterator<Item = &'a str> {
        let name = node.tag_name().name().to_owned();
        let id = node.attribute("id").unwrap_or("").to_owned();
        let classes: Vec<String> = node
            .attribute("class")
            .unwrap_or("")
            .split_whitespace()
            .map(str::to_owned)
            .collect();
        let applies = move |selector: &str| {
            if let Some(class) = selector.strip_prefix('.') {
                classes.iter().any(|c| c == class)
            } else if let Some(wanted) = selector.strip_prefix('#') {
                wanted == id
            } else {
                selector == name || selector == "*"
            }
        };
        self.rules
            .iter()
            .filter(move |(selector, _)| applies(selector))
            .map(|(_, declarations)| declarations.as_str())
    }
}

/// Names without regard to prefixes such as `svg:`.
pub(super) trait Named {
    /// Whether it is an element of this name.
    fn has_tag_name_of(&self, name: &str) -> bool;
}

impl Named for Node<'_, '_> {
    fn has_tag_name_of(&self, name: &str) -> bool {
        self.is_element() && self.tag_name().name() == name
    }
}

impl Style {
    /// The style of an element in a group of this style; `whole` is what 100 % of a width are.
    pub(super) fn inside(
        &self,
        node: Node<'_, '_>,
        sheet: &Sheet,
        whole: f64,
    ) -> Result<Self, String> {
        let mut style = self.clone();
        for name in ["stroke", "fill", "stroke-width", "display", "visibility"] {
            if let Some(value) = node.attribute(name) {
                style.set(name, value, whole)?;
            }
        }
        let own = node.attribute("style");
        for declarations in sheet.of_node(node).chain(own) {
            for declaration in declarations.split(';') {
                if let Some((name, value)) = declaration.split_once(':') {
                    style.set(name.trim(), value, whole)?;
                }
            }
        }
        Ok(style)
    }

    fn set(&mut self, name: &str, value: &str, whole: f64) -> Result<(), String> {
        let value = value.trim().trim_end_matches("!important").trim();
        if value == "inherit" {
            return Ok(());
        }
        match name {
            "stroke" => self.stroke = Some(value.to_ascii_lowercase()),
            "fill" => self.fill = Some(value.to_ascii_lowercase()),
            "stroke-width" => {
                let width =
                    length(value, whole).map_err(|error| format!("stroke-width: {error}"))?;
                self.width = width.max(0.0);
            }
            "display" => self.hidden |= value == "none",
            "visibility" => self.hidden = value != "visible",
            _ => {}
        }
        Ok(())
    }

    /// Whether it draws a line. Where nothing tells how a shape is painted, it does: files written by
    /// hand leave it out.
    pub(super) fn has_line(&self) -> bool {
        let drawn = match (self.stroke.as_deref(), self.fill.as_deref()) {
            (Some(stroke), _) => !matches!(stroke, "none" | "transparent"),
            (None, Some(fill)) => fill == "none",
            (None, None) => true,
        };
        drawn && !self.hidden && self.width > 0.0
    }

    /// Whether its line is as white as paper.
    pub(super) fn is_white(&self) -> bool {
        let stroke = self.stroke.as_deref().unwrap_or("");
        let packed: String = stroke.chars().filter(|c| !c.is_whitespace()).collect();
        matches!(
            packed.as_str(),
            "white"
                | "#fff"
                | "#ffffff"
                | "#ffff"
                | "#ffffffff"
                | "rgb(255,255,255)"
                | "rgb(100%,100%,100%)"
        )
    }
}
