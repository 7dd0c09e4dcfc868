//! A person as numbers, and the figure that they give.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::axis::{Axes, Axis};
use super::geometry::Vec3;
use super::kit::Kit;
use super::packer::sources::{ORIGINS, SEXES};

/// The ages of the kit's two grown figures, in years.
pub const AGES: [f32; 2] = [25.0, 90.0];

/// The expressions that are used, with the kit's units that make each of them.
pub const EXPRESSIONS: [(&str, &[(&str, f32)]); 6] = [
    (
        "smile",
        &[
            ("mouth-corner-puller", 0.75),
            ("mouth-part-later", 0.25),
            ("eye-left-slit", 0.1),
            ("eye-right-slit", 0.1),
        ],
    ),
    ("open mouth", &[("mouth-open", 0.45)]),
    (
        "raised brows",
        &[("eyebrows-left-up", 1.0), ("eyebrows-right-up", 1.0)],
    ),
    (
        "worried brows",
        &[
            ("eyebrows-left-inner-up", 1.0),
            ("eyebrows-right-inner-up", 1.0),
        ],
    ),
    ("squint", &[("eye-left-slit", 0.8), ("eye-right-slit", 0.8)]),
    ("pursed lips", &[("mouth-pursing", 0.5)]),
];

/// Everything about a person but where they look and stand.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Person {
    /// Shares of the kit's three axes of origin (african, asian, caucasian), 1 together. They are
    /// labels of a 3D kit.
    pub origin: [f32; 3],
    /// The axis of sex-shape: 0 the kit's female figure, 1 its male one.
    pub sex: f32,
    /// Years, within [`AGES`].
    pub age: f32,
    /// 0 to 1, usual at 0.5; as [`Person::weight`], [`Person::height`] and [`Person::proportions`].
    pub muscle: f32,
    /// From thin to heavy.
    pub weight: f32,
    /// From short to tall.
    pub height: f32,
    /// From uncommon to ideal, as the kit calls it.
    pub proportions: f32,
    /// One for each of the kit's [`super::axis::details`], -1 to 1.
    pub details: Vec<f32>,
    /// One for each of the kit's [`super::axis::asymmetries`], -1 to 1.
    pub asymmetries: Vec<f32>,
    /// One for each of [`EXPRESSIONS`], 0 to 1.
    pub expressions: [f32; 6],
    /// What the skin's colour is multiplied by, linear light.
    pub skin_tint: Vec3,
    /// The hair's name in the kit; none without hair.
    pub hair: Option<String>,
    /// Whether the hair is parted on the other side.
    pub hair_mirrored: bool,
    /// The hair's colour, linear light.
    pub hair_color: Vec3,
    /// The brows' name in the kit.
    pub brow: String,
    /// The lashes' name in the kit.
    pub lash: String,
    /// How dense lashes look, 0 to 1.
    pub lash_density: f32,
    /// The iris' name in the kit.
    pub iris: String,
    /// The upper garment's colour, linear light.
    pub top: Vec3,
    /// The lower garment's colour, linear light.
    pub bottom: Vec3,
    /// Whether the lower garment is a skirt.
    pub skirt: bool,
}

impl Person {
    /// How much of each blend shape the person has, by the shapes' names.
    ///
    /// The kit's figures are blended: origin, sex-shape and age multiply, so do muscle and weight;
    /// everything else is added.
    #[must_use]
    pub fn shapes(&self, kit: &Kit) -> BTreeMap<String, f32> {
        self.shapes_by(&Axes::new(kit))
    }

    /// As [`Person::shapes`], with the kit's traits made before.
    #[must_use]
    pub fn shapes_by(&self, axes: &Axes) -> BTreeMap<String, f32> {
        let mut shapes = BTreeMap::new();
        let mut add = |name: String, weight: f32| {
            if weight.abs() > 1e-4 {
                *shapes.entry(name).or_insert(0.0) += weight;
            }
        };
        let old = ((self.age - AGES[0]) / (AGES[1] - AGES[0])).clamp(0.0, 1.0);
        let muscles = thirds(self.muscle, "muscle");
        let weights = thirds(self.weight, "weight");
        for (sex, sex_share) in SEXES.iter().zip([1.0 - self.sex, self.sex]) {
            for (age, age_share) in [("young", 1.0 - old), ("old", old)] {
                let share = sex_share * age_share;
                for (origin, of_origin) in ORIGINS.iter().zip(self.origin) {
                    add(
                        format!("macrodetails/{origin}-{sex}-{age}"),
                        share * of_origin,
                    );
                }
                for (muscle, of_muscle) in &muscles {
                    for (weight, of_weight) in &weights {
                        add(
                            format!("macrodetails/universal-{sex}-{age}-{muscle}-{weight}"),
                            share * of_muscle * of_weight,
                        );
                    }
                }
                for (kind, value, ends) in [
                    ("height", self.height, ["minheight", "maxheight"]),
                    (
                        "proportions",
                        self.proportions,
                        ["uncommonproportions", "idealproportions"],
                    ),
                ] {
                    let signed = 2.0 * value - 1.0;
                    let end = ends[usize::from(signed > 0.0)];
                    let name = format!(
                        "macrodetails/{kind}/{sex}-{age}-averagemuscle-averageweight-{end}"
                    );
                    add(name, share * signed.abs());
                }
            }
        }
        self.add_details(axes, &mut add);
        shapes
    }

    fn add_details(&self, axes: &Axes, add: &mut impl FnMut(String, f32)) {
        let mut two_ways = |axes: &[Axis], values: &[f32]| {
            for (axis, &value) in axes.iter().zip(values) {
                for shape in if value > 0.0 { &axis.more } else { &axis.less } {
                    add(shape.clone(), value.abs());
                }
            }
        };
        two_ways(&axes.details, &self.details);
        two_ways(&axes.asymmetries, &self.asymmetries);
        for ((_, units), value) in EXPRESSIONS.iter().zip(self.expressions) {
            for (unit, share) in *units {
                for (origin, of_origin) in ORIGINS.iter().zip(self.origin) {
                    let name = format!("expression/units/{origin}/{unit}");
                    add(name, value * share * of_origin);
                }
            }
        }
    }

    /// The base mesh in this person's shape, standing as the kit's figure stands. With the head
    /// pack alone only the head has its shape.
    #[must_use]
    pub fn points(&self, kit: &Kit) -> Vec<Vec3> {
        self.points_by(kit, &Axes::new(kit))
    }

    /// As [`Person::points`], with the kit's traits made before.
    #[must_use]
    pub fn points_by(&self, kit: &Kit, axes: &Axes) -> Vec<Vec3> {
        let mut points = kit.mesh.points.clone();
        for (name, weight) in self.shapes_by(axes) {
            if let Some(target) = kit.targets.get(&name) {
                target.apply(&mut points, weight);
            }
        }
        points
    }
}

/// The shares of an axis' least, average and greatest figure.
fn thirds(value: f32, of: &str) -> [(String, f32); 3] {
    [
        (format!("min{of}"), (1.0 - 2.0 * value).max(0.0)),
        (format!("average{of}"), 1.0 - (2.0 * value - 1.0).abs()),
        (format!("max{of}"), (2.0 * value - 1.0).max(0.0)),
    ]
}
