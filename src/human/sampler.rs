//! A vector of standard normal numbers and the portrait it stands for.
//!
//! Each number goes through one fixed, monotone transform, so that a small step is a small change
//! and the vector can be found again from the portrait. Choices (hair, brows, irises) are intervals
//! of one number each, ordered so that neighbours look alike; how wide an interval is may depend
//! on traits read before it. What the numbers mean follows from [`Sampler::names`].
//!
//! One pass over the traits serves both ways: a `Walk` either reads the next number and gives
//! the trait, or is given the trait and writes the number.

use super::axis::{asymmetries, details};
use super::kit::Kit;
use super::normal::{cdf, quantile};
use super::person::{AGES, EXPRESSIONS, Person};
use super::portrait::{Portrait, View};
use super::raster::{Backdrop, Lights};
use crate::rng::Rng;

/// Hair from none to long: its name, and how often the kit's female and male
/// figure wear it. Styles that hang over an eye (bob01, bob02, braid01, short03) are rare.
pub const HAIR: [(&str, [f64; 2]); 11] = [
    ("", [0.01, 0.13]),
    ("short04", [0.07, 0.25]),
    ("short02", [0.06, 0.22]),
    ("short01", [0.04, 0.22]),
    ("short03", [0.006, 0.01]),
    ("afro01", [0.10, 0.12]),
    ("bob02", [0.008, 0.002]),
    ("bob01", [0.008, 0.002]),
    ("braid01", [0.03, 0.002]),
    ("ponytail01", [0.32, 0.01]),
    ("long01", [0.33, 0.01]),
];
/// Irises from dark to light: the kit's name, and how often eyes have it with dark and with light
/// hair.
pub const IRISES: [(&str, [f64; 2]); 9] = [
    ("darkbrown", [0.50, 0.06]),
    ("brown", [0.36, 0.14]),
    ("brownlight", [0.10, 0.14]),
    ("green", [0.02, 0.12]),
    ("grey", [0.01, 0.14]),
    ("bluegreen", [0.005, 0.12]),
    ("deepblue", [0.002, 0.06]),
    ("blue", [0.002, 0.12]),
    ("lightblue", [0.001, 0.10]),
];
/// Brows from thin to thick. The kit's steepest ones look angry on every face and are left out.
pub const BROWS: [&str; 8] = ["12", "07", "04", "01", "03", "06", "09", "10"];
/// Lashes from thin to thick.
pub const LASHES: [&str; 4] = ["04", "01", "03", "02"];

/// How steeply the three numbers of origin become shares: the softmax of this times them, so that
/// most people have mostly one.
pub const ORIGIN_STEEPNESS: f64 = 4.0;
/// How steeply the number of sex-shape becomes its place between 0 and 1: the logistic function of
/// this times it.
pub const SEX_STEEPNESS: f64 = 2.6;

/// How the three numbers of a colour of the backdrop spread its logarithm (brightness, hue), and the
/// grey they spread it around.
pub const BACKDROP: ([f64; 2], f64) = ([0.8, 0.25], 0.16);
/// How much less a colour's green moves against the others than its red against blue.
pub const GREEN: f64 = 0.6;
/// The greatest linear value of a colour.
pub const BRIGHTEST: f32 = 0.95;

/// Options that are taken less often are rare.
const RARE: f64 = 0.004;

/// What a choice's frequencies depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mix {
    /// On nothing: both frequencies are the same.
    Nothing,
    /// From 0 to 1 on the axis of sex-shape.
    Sex,
    /// On the share of the third axis of origin.
    ThirdOrigin,
}

/// A choice that one number makes: `cdf(z)` falls into one of the intervals that lie side by side
/// from 0 to 1, as wide as the options are frequent.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// The number's place in the vector.
    pub at: usize,
    /// How often each option is taken where the mix is 0, and where it is 1; not normalised.
    pub often: Vec<[f64; 2]>,
    /// What lies between.
    pub by: Mix,
}

impl Choice {
    /// Where the options end, from 0 to 1, for a mix.
    fn ends(&self, mix: f64) -> Vec<f64> {
        let often = |o: &[f64; 2]| o[0] + (o[1] - o[0]) * mix;
        let sum: f64 = self.often.iter().map(often).sum();
        let mut end = 0.0;
        self.often
            .iter()
            .map(|o| {
                end += often(o) / sum;
                end
            })
            .collect()
    }

    fn settled(&self, share: f64, mix: f64, margin: f64) -> f64 {
        let ends = self.ends(mix);
        let start = |option: usize| if option == 0 { 0.0 } else { ends[option - 1] };
        let width = |option: usize| ends[option] - start(option);
        let mut option = ends
            .partition_point(|end| *end <= share)
            .min(ends.len() - 1);
        // Step by step to the wider side, until there is room.
        while width(option) < RARE {
            let left = if option > 0 { width(option - 1) } else { 0.0 };
            let right = if option + 1 < ends.len() {
                width(option + 1)
            } else {
                0.0
            };
            if width(option) >= left.max(right) {
                break;
            }
            option = if left > right { option - 1 } else { option + 1 };
        }
        let inner = margin.min(width(option) / 2.0);
        // The outermost options have no neighbour on one side.
        let low = if option == 0 {
            1e-4
        } else {
            start(option) + inner
        };
        let high = if option + 1 == ends.len() {
            1.0 - 1e-4
        } else {
            ends[option] - inner
        };
        share.clamp(low.min(high), high.max(low))
    }
}

/// The transform between vectors and portraits of one kit.
#[derive(Clone, Debug)]
pub struct Sampler {
    details: Vec<String>,
    asymmetries: Vec<String>,
    names: Vec<String>,
}

/// One way through the traits.
enum Walk<'a> {
    Read { z: &'a [f64], at: usize },
    Write { z: Vec<f64> },
    Name { names: Vec<String> },
}

impl Sampler {
    /// The transform for a kit.
    #[must_use]
    pub fn new(kit: &Kit) -> Self {
        let names = |axes: Vec<super::axis::Axis>| axes.into_iter().map(|axis| axis.name).collect();
        let mut sampler = Self {
            details: names(details(kit)),
            asymmetries: names(asymmetries(kit)),
            names: Vec::new(),
        };
        let mut walk = Walk::Name { names: Vec::new() };
        let mut portrait = sampler.blank();
        sampler.walk(&mut walk, &mut portrait);
        if let Walk::Name { names } = walk {
            sampler.names = names;
        }
        sampler
    }

    /// How many numbers a portrait takes.
    #[must_use]
    pub fn dims(&self) -> usize {
        self.names.len()
    }

    /// What each number stands for.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The place of a number by its name.
    #[must_use]
    pub fn place(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|n| n == name)
    }

    /// The choices that change a picture most: hair, its side, brows, irises.
    #[must_use]
    pub fn choices(&self) -> Vec<Choice> {
        let often = |often: &[[f64; 2]]| often.to_vec();
        [
            ("hair style", often(&HAIR.map(|(_, often)| often)), Mix::Sex),
            ("hair side", vec![[0.5; 2]; 2], Mix::Nothing),
            ("brows", vec![[1.0; 2]; BROWS.len()], Mix::Nothing),
            (
                "iris",
                often(&IRISES.map(|(_, often)| often)),
                Mix::ThirdOrigin,
            ),
        ]
        .into_iter()
        .filter_map(|(name, often, by)| {
            let at = self.place(name)?;
            Some(Choice { at, often, by })
        })
        .collect()
    }

    /// The vector with one of [`Sampler::choices`] made: its number is put in the middle of the
    /// option's interval. Rare options are left to chance.
    #[must_use]
    pub fn chosen(&self, z: &[f64], choice: &Choice, option: usize) -> Vec<f64> {
        let mut z = z.to_vec();
        let ends = choice.ends(self.mix(choice, &z));
        let start = if option == 0 { 0.0 } else { ends[option - 1] };
        if ends[option] - start >= RARE {
            z[choice.at] = quantile(f64::midpoint(start, ends[option]));
        }
        z
    }

    /// What a vector's frequencies of a choice depend on, 0 to 1.
    fn mix(&self, choice: &Choice, z: &[f64]) -> f64 {
        let person = self.portrait(z).person;
        match choice.by {
            Mix::Nothing => 0.0,
            Mix::Sex => f64::from(person.sex),
            Mix::ThirdOrigin => f64::from(person.origin[2]),
        }
    }

    /// The vector with its choices' numbers at least `margin` (in probability) away from the ends of
    /// their intervals, in the middle of those that are not so wide. Options that hardly anybody has
    /// (1 in 250) give way to the more usual of their neighbours.
    #[must_use]
    pub fn settled(&self, z: &[f64], margin: f64) -> Vec<f64> {
        let mut z = z.to_vec();
        for choice in self.choices() {
            let mix = self.mix(&choice, &z);
            let share = choice.settled(cdf(z[choice.at]), mix, margin);
            z[choice.at] = quantile(share);
        }
        z
    }

    /// A vector drawn from a stream.
    pub fn draw(&self, rng: &mut Rng) -> Vec<f64> {
        (0..self.dims()).map(|_| rng.normal()).collect()
    }

    /// The portrait of a vector; numbers that are missing count as 0.
    #[must_use]
    pub fn portrait(&self, z: &[f64]) -> Portrait {
        let mut portrait = self.blank();
        self.walk(&mut Walk::Read { z, at: 0 }, &mut portrait);
        portrait
    }

    /// A vector that gives this portrait. For a choice it is the middle of the choice's interval;
    /// for the three shares of origin, the one whose numbers sum to 0.
    #[must_use]
    pub fn vector(&self, portrait: &Portrait) -> Vec<f64> {
        let mut walk = Walk::Write { z: Vec::new() };
        self.walk(&mut walk, &mut portrait.clone());
        match walk {
            Walk::Write { z } => z,
            Walk::Read { .. } | Walk::Name { .. } => Vec::new(),
        }
    }

    /// Every trait in the order of the numbers.
    fn walk(&self, walk: &mut Walk, portrait: &mut Portrait) {
        let Portrait {
            person,
            view,
            lights,
            backdrop,
        } = portrait;
        walk.shares("origin", &mut person.origin);
        walk.squashed("sex-shape", &mut person.sex, [0.0, 1.0], SEX_STEEPNESS, 0.0);
        walk.uniform("age", &mut person.age, AGES);
        walk.squashed("muscle", &mut person.muscle, [0.0, 1.0], 0.7, 0.0);
        walk.squashed("weight", &mut person.weight, [0.0, 1.0], 0.9, 0.0);
        walk.squashed("height", &mut person.height, [0.0, 1.0], 0.9, 0.0);
        walk.squashed("proportions", &mut person.proportions, [0.0, 1.0], 0.6, 0.5);
        for (name, value) in self.details.iter().zip(&mut person.details) {
            // Brows that fall to the middle look angry: the mean face has them raised there.
            let mean = if name.ends_with("eyebrows-angle") {
                1.1
            } else {
                0.0
            };
            walk.squashed(name, value, [-0.8, 0.8], 0.45, mean);
        }
        for (name, value) in self.asymmetries.iter().zip(&mut person.asymmetries) {
            walk.squashed(name, value, [-0.5, 0.5], 0.4, 0.0);
        }
        let usual = [
            (1.5, -0.2),
            (1.2, -2.6),
            (1.2, -0.9),
            (1.2, -1.2),
            (1.0, -2.6),
            (1.0, -3.2),
        ];
        for (((name, _), value), (spread, mean)) in
            EXPRESSIONS.iter().zip(&mut person.expressions).zip(usual)
        {
            walk.squashed(name, value, [0.0, 1.0], spread, mean);
        }
        Self::walk_look(walk, person);
        Self::walk_scene(walk, view, lights, backdrop);
    }

    fn walk_look(walk: &mut Walk, person: &mut Person) {
        walk.color("skin", &mut person.skin_tint, [0.10, 0.03], 1.0);
        // The kit's third figure has light hair and eyes at times, the others seldom.
        let light = f64::from(person.origin[2]);
        let sex = f64::from(person.sex);
        let mix = |ends: [f64; 2], at: f64| ends[0] + (ends[1] - ends[0]) * at;
        let hair = HAIR.map(|(_, often)| mix(often, sex));
        let named = |name: &str| (!name.is_empty()).then(|| format!("hair/{name}"));
        let of = |person: &Person| {
            HAIR.iter()
                .position(|(name, _)| named(name) == person.hair)
                .unwrap_or(0)
        };
        person.hair = named(HAIR[walk.choice("hair style", of(person), &hair)].0);
        let side = usize::from(person.hair_mirrored);
        person.hair_mirrored = walk.choice("hair side", side, &[0.5, 0.5]) == 1;
        Self::walk_hair_color(walk, person, light);
        let brow = find(&BROWS, &person.brow);
        let brow = walk.choice("brows", brow, &[1.0; BROWS.len()]);
        person.brow = format!("brow/{}", BROWS[brow]);
        let lash = find(&LASHES, &person.lash);
        let lash = walk.choice("lashes", lash, &[1.0; LASHES.len()]);
        person.lash = format!("lash/{}", LASHES[lash]);
        let dense = 0.3 + 0.3 * (1.0 - person.sex);
        walk.squashed(
            "lash density",
            &mut person.lash_density,
            [0.0, dense],
            0.6,
            0.8,
        );
        let iris = find(&IRISES.map(|(name, _)| name), &person.iris);
        let often = IRISES.map(|(_, often)| mix(often, light));
        let iris = walk.choice("iris", iris, &often);
        person.iris = format!("iris/{}", IRISES[iris].0);
        walk.color("top", &mut person.top, [0.9, 0.35], 0.22);
        walk.color("bottom", &mut person.bottom, [0.8, 0.25], 0.10);
        let skirt = 0.05 + 0.4 * (1.0 - sex);
        let is = usize::from(person.skirt);
        person.skirt = walk.choice("skirt", is, &[1.0 - skirt, skirt]) == 1;
    }

    /// From black over brown and red to blond, and to grey with age: three numbers for how dark, how
    /// red and how grey, which the three linear colours hold.
    fn walk_hair_color(walk: &mut Walk, person: &mut Person, light: f64) {
        let old = ((person.age - AGES[0]) / (AGES[1] - AGES[0])).clamp(0.0, 1.0);
        // The brightness of green; red and blue follow as ratios of it.
        let green = &mut person.hair_color[1];
        let mut bright = green.max(1e-6).ln();
        let mean = -4.2 + 2.3 * light as f32 * 0.6 + 2.6 * (old - 0.45).max(0.0);
        let top = 0.26_f32.ln();
        walk.squashed("hair brightness", &mut bright, [-4.9, top], 0.9, {
            let share = ((mean + 4.9) / (top + 4.9)).clamp(0.05, 0.9);
            f64::from((share / (1.0 - share)).ln())
        });
        let green = bright.exp();
        // Grey hair has no colour of its own.
        let vivid = (1.0 - 1.6 * (old - 0.4).max(0.0)).clamp(0.06, 1.0);
        let ratio = |color: f32| (color / green).max(1e-6).ln();
        let mut red = ratio(person.hair_color[0]);
        let reach = 0.9 * vivid * (1.0 - 0.25 * (bright + 1.4).max(0.0));
        walk.squashed("hair red", &mut red, [0.05 * vivid, reach], 1.0, 0.0);
        let mut blue = ratio(person.hair_color[2]);
        walk.squashed("hair blue", &mut blue, [-vivid, -0.1 * vivid], 0.8, 0.0);
        person.hair_color = [green * red.exp(), green, green * blue.exp()];
    }

    fn walk_scene(walk: &mut Walk, view: &mut View, lights: &mut Lights, backdrop: &mut Backdrop) {
        walk.linear("yaw", &mut view.yaw, 0.0, 0.22);
        walk.linear("pitch", &mut view.pitch, 0.0, 0.07);
        walk.linear("roll", &mut view.roll, 0.0, 0.03);
        walk.squashed("zoom", &mut view.zoom, [0.88, 1.12], 0.8, 0.0);
        // Directions are stored as vectors; the angles are what the numbers set.
        let key = lights.key_direction;
        let mut side = key[0].atan2(key[2]);
        let mut height = key[1].clamp(-1.0, 1.0).asin();
        walk.uniform("light from the side", &mut side, [-1.1, 1.1]);
        walk.uniform("light from above", &mut height, [0.15, 0.9]);
        lights.key_direction = [
            side.sin() * height.cos(),
            height.sin(),
            side.cos() * height.cos(),
        ];
        walk.color("key light", &mut lights.key, [0.14, 0.05], 0.86);
        walk.grey("fill light", &mut lights.fill, 0.18, 0.3);
        walk.grey("rim light", &mut lights.rim, 0.16, 0.6);
        let away = if side > 0.0 { -1.0 } else { 1.0 };
        lights.fill_direction = super::geometry::normalise([-0.9 * side.sin(), 0.1, 0.8]);
        lights.rim_direction = super::geometry::normalise([away * 0.8, 0.35, -0.5]);
        walk.grey("light of the sky", &mut lights.sky, 0.40, 0.2);
        walk.grey("light of the ground", &mut lights.ground, 0.17, 0.25);
        walk.squashed("softness", &mut lights.softness, [0.4, 2.0], 0.8, 0.0);
        walk.squashed("oil", &mut lights.oil, [0.4, 1.4], 0.8, 0.0);
        let mut stops = lights.exposure.max(1e-3).ln();
        walk.linear("exposure", &mut stops, 0.0, 0.08);
        lights.exposure = stops.exp();
        let (spreads, grey) = BACKDROP;
        walk.color("backdrop, one end", &mut backdrop.from, spreads, grey);
        walk.color("backdrop, other end", &mut backdrop.to, spreads, grey);
        walk.uniform(
            "backdrop's slope",
            &mut backdrop.angle,
            [0.0, std::f32::consts::TAU],
        );
    }

    /// A portrait to be filled in.
    fn blank(&self) -> Portrait {
        Portrait {
            person: Person {
                origin: [1.0 / 3.0; 3],
                sex: 0.5,
                age: 40.0,
                muscle: 0.5,
                weight: 0.5,
                height: 0.5,
                proportions: 0.5,
                details: vec![0.0; self.details.len()],
                asymmetries: vec![0.0; self.asymmetries.len()],
                expressions: [0.1; 6],
                skin_tint: [1.0; 3],
                hair: None,
                hair_mirrored: false,
                hair_color: [0.05; 3],
                brow: String::new(),
                lash: String::new(),
                lash_density: 0.3,
                iris: String::new(),
                top: [0.2; 3],
                bottom: [0.1; 3],
                skirt: false,
            },
            view: View {
                yaw: 0.0,
                pitch: 0.0,
                roll: 0.0,
                zoom: 1.0,
            },
            lights: Lights {
                key_direction: [0.0, 0.5, 0.86],
                key: [1.0; 3],
                fill_direction: [0.0, 0.0, 1.0],
                fill: [0.2; 3],
                rim_direction: [0.0, 0.0, -1.0],
                rim: [0.2; 3],
                sky: [0.4; 3],
                ground: [0.2; 3],
                softness: 1.0,
                oil: 1.0,
                exposure: 1.0,
            },
            backdrop: Backdrop {
                from: [0.2; 3],
                to: [0.2; 3],
                angle: 0.0,
            },
        }
    }
}

fn find(names: &[&str], path: &str) -> usize {
    let name = path.rsplit('/').next().unwrap_or_default();
    names.iter().position(|n| *n == name).unwrap_or(0)
}

impl Walk<'_> {
    /// One number: `set` is the trait of a number, `get` the number of a trait.
    fn one(
        &mut self,
        name: &str,
        value: &mut f32,
        set: impl Fn(f64) -> f64,
        get: impl Fn(f64) -> f64,
    ) {
        match self {
            Walk::Read { z, at } => {
                *value = set(z.get(*at).copied().unwrap_or(0.0)) as f32;
                *at += 1;
            }
            Walk::Write { z } => z.push(get(f64::from(*value))),
            Walk::Name { names } => names.push(name.to_owned()),
        }
    }

    /// `mean + spread * z`.
    fn linear(&mut self, name: &str, value: &mut f32, mean: f64, spread: f64) {
        self.one(name, value, |z| mean + spread * z, |v| (v - mean) / spread);
    }

    /// The logistic function of `mean + spread * z` between two ends.
    fn squashed(&mut self, name: &str, value: &mut f32, ends: [f32; 2], spread: f64, mean: f64) {
        let [low, high] = ends.map(f64::from);
        self.one(
            name,
            value,
            |z| low + (high - low) / (1.0 + (-mean - spread * z).exp()),
            |v| {
                let share = ((v - low) / (high - low)).clamp(1e-7, 1.0 - 1e-7);
                ((share / (1.0 - share)).ln() - mean) / spread
            },
        );
    }

    /// Alike everywhere between two ends.
    fn uniform(&mut self, name: &str, value: &mut f32, ends: [f32; 2]) {
        let [low, high] = ends.map(f64::from);
        self.one(
            name,
            value,
            |z| low + (high - low) * cdf(z),
            |v| quantile(((v - low) / (high - low)).clamp(0.0, 1.0)),
        );
    }

    /// A grey: `base * e^(spread z)`.
    fn grey(&mut self, name: &str, value: &mut [f32; 3], base: f64, spread: f64) {
        let mut log = f64::from(value[0].max(1e-6)).ln() as f32;
        self.linear(name, &mut log, base.ln(), spread);
        if matches!(self, Walk::Read { .. }) {
            *value = [log.exp(); 3];
        }
    }

    /// A colour around a grey: brightness, red against blue, green against both, in logarithms.
    fn color(&mut self, name: &str, value: &mut [f32; 3], [bright, hue]: [f64; 2], base: f64) {
        let [r, g, b] = value.map(|v| v.max(1e-6).ln());
        let mut parts = [(r + g + b) / 3.0, (r - b) / 2.0, (2.0 * g - r - b) / 6.0];
        let base = base.ln();
        for (part, (what, mean, spread)) in parts.iter_mut().zip([
            ("bright", base, bright),
            ("warm", 0.0, hue),
            ("green", 0.0, hue * GREEN),
        ]) {
            self.linear(&format!("{name}, {what}"), part, mean, spread);
        }
        if matches!(self, Walk::Read { .. }) {
            let [mean, warm, green] = parts;
            *value = [mean - green + warm, mean + 2.0 * green, mean - green - warm]
                .map(|log| log.exp().min(BRIGHTEST));
        }
    }

    /// Shares that sum to 1: the softmax of three numbers.
    fn shares(&mut self, name: &str, value: &mut [f32; 3]) {
        let logs = value.map(|share| f64::from(share.max(1e-9)).ln());
        let mean = logs.iter().sum::<f64>() / 3.0;
        let mut raised = logs.map(|log| (log - mean) as f32);
        for (k, part) in raised.iter_mut().enumerate() {
            self.linear(&format!("{name} {}", k + 1), part, 0.0, ORIGIN_STEEPNESS);
        }
        if matches!(self, Walk::Read { .. }) {
            let most = raised.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let parts = raised.map(|log| (log - most).exp());
            let sum: f32 = parts.iter().sum();
            *value = parts.map(|part| part / sum);
        }
    }

    /// One of several, as likely as `often` says: the interval that the number's share falls into.
    fn choice(&mut self, name: &str, now: usize, often: &[f64]) -> usize {
        let sum: f64 = often.iter().sum();
        let before = |k: usize| often[..k].iter().sum::<f64>() / sum;
        let mut middle = (f64::midpoint(before(now), before(now + 1))) as f32;
        self.uniform(name, &mut middle, [0.0, 1.0]);
        if matches!(self, Walk::Read { .. }) {
            let share = f64::from(middle);
            (0..often.len() - 1)
                .find(|&k| share < before(k + 1))
                .unwrap_or(often.len() - 1)
        } else {
            now
        }
    }
}
