//! Traits of a face that go two ways: one number of -1 to 1 and the shapes at its ends.

use std::collections::BTreeMap;

use super::kit::Kit;

/// The names that ends of one axis have in the kit, lesser and greater.
const ENDS: [(&str, &str); 7] = [
    ("-decr", "-incr"),
    ("-down", "-up"),
    ("-in", "-out"),
    ("-backward", "-forward"),
    ("-concave", "-convex"),
    ("-compress", "-uncompress"),
    ("-l", "-r"),
];

/// One trait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Axis {
    /// Its name, such as `nose/nose-hump`; both eyes, ears and cheeks move together.
    pub name: String,
    /// Shapes at -1; none where the kit has one end only.
    pub less: Vec<String>,
    /// Shapes at 1.
    pub more: Vec<String>,
}

/// All traits of faces of a kit: made once for many people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Axes {
    /// Those of [`details`].
    pub details: Vec<Axis>,
    /// Those of [`asymmetries`].
    pub asymmetries: Vec<Axis>,
}

impl Axes {
    /// The traits of a kit.
    #[must_use]
    pub fn new(kit: &Kit) -> Self {
        Self {
            details: details(kit),
            asymmetries: asymmetries(kit),
        }
    }
}

/// The traits of faces that a kit has shapes for, in the order of their names.
#[must_use]
pub fn details(kit: &Kit) -> Vec<Axis> {
    axes(kit, |folder, file| {
        // Shifts of whole features belong to few faces; pointed ears to none.
        folder != "expression"
            && folder != "macrodetails"
            && folder != "asym"
            && !file.contains("-trans-")
            && !file.contains("ear-shape")
            && !file.contains("head-angle")
    })
}

/// The traits that make the sides of a face differ, -1 left and 1 right.
#[must_use]
pub fn asymmetries(kit: &Kit) -> Vec<Axis> {
    axes(kit, |folder, _| folder == "asym")
}

fn axes(kit: &Kit, wanted: impl Fn(&str, &str) -> bool) -> Vec<Axis> {
    let mut axes: BTreeMap<String, Axis> = BTreeMap::new();
    for target in kit.targets.keys() {
        let Some((folder, file)) = target.rsplit_once('/') else {
            continue;
        };
        if !wanted(folder.split('/').next().unwrap_or_default(), file) {
            continue;
        }
        let both = file
            .strip_prefix("l-")
            .or_else(|| file.strip_prefix("r-"))
            .unwrap_or(file);
        let (stem, is_more) = end(both);
        let name = format!("{folder}/{stem}");
        let axis = axes.entry(name.clone()).or_insert_with(|| Axis {
            name,
            less: Vec::new(),
            more: Vec::new(),
        });
        let shapes = if is_more {
            &mut axis.more
        } else {
            &mut axis.less
        };
        shapes.push(target.clone());
    }
    axes.into_values().collect()
}

/// A name without its end, and whether that is the greater one.
fn end(file: &str) -> (&str, bool) {
    for (less, more) in ENDS {
        if let Some(stem) = file.strip_suffix(less) {
            return (stem, false);
        }
        if let Some(stem) = file.strip_suffix(more) {
            return (stem, true);
        }
    }
    (file, true)
}
