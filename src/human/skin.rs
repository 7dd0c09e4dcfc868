//! Skins. All of them share one layout, so that any convex blend of them is a skin.

use std::collections::BTreeMap;

use super::kit::Kit;
use super::packer::sources::{ORIGINS, SEXES};
use super::person::{AGES, Person};
use super::texture::Texture;

/// Shares below this are left out: they would cost time and change no pixel by a step.
const LEAST: f32 = 0.01;

/// The skins that a person's is blended of, with their shares, 1 together.
#[must_use]
pub fn shares(person: &Person) -> BTreeMap<String, f32> {
    let old = ((person.age - AGES[0]) / (AGES[1] - AGES[0])).clamp(0.0, 1.0);
    let ages = [
        ("young", (1.0 - 2.0 * old).max(0.0)),
        ("middleage", 1.0 - (2.0 * old - 1.0).abs()),
        ("old", (2.0 * old - 1.0).max(0.0)),
    ];
    let mut shares = BTreeMap::new();
    for (origin, of_origin) in ORIGINS.iter().zip(person.origin) {
        for (age, of_age) in ages {
            for (sex, of_sex) in SEXES.iter().zip([1.0 - person.sex, person.sex]) {
                let share = of_origin * of_age * of_sex;
                if share > LEAST {
                    shares.insert(format!("skin/{origin}/{age}/{sex}"), share);
                }
            }
        }
    }
    let sum: f32 = shares.values().sum();
    for share in shares.values_mut() {
        *share /= sum;
    }
    shares
}

/// A person's skin, blended where `bounds` says it is seen (least and greatest u and v); nothing
/// where the kit has no skin.
#[must_use]
pub fn blend(kit: &Kit, person: &Person, bounds: [[f32; 2]; 2]) -> Option<Texture> {
    let shares = shares(person);
    let skins: Vec<(&Texture, u32)> = shares
        .iter()
        .filter_map(|(name, share)| Some((kit.textures.get(name)?, (share * 65_536.0) as u32)))
        .collect();
    let (width, height) = skins.first().map(|(skin, _)| (skin.width, skin.height))?;
    if skins
        .iter()
        .any(|(skin, _)| skin.width != width || skin.height != height)
    {
        return None;
    }
    let edge = |value: f32, size: usize| ((value * size as f32).max(0.0) as usize).min(size);
    let [u, v] = bounds;
    let left = edge(u[0] - 0.01, width);
    let right = edge(u[1] + 0.01, width);
    let top = edge(0.99 - v[1], height);
    let bottom = edge(1.01 - v[0], height);
    let mut pixels = vec![[128, 128, 128, 255]; width * height];
    let mut sums = vec![0_u32; 4 * (right - left)];
    for row in top..bottom {
        let range = row * width + left..row * width + right;
        // Half a step, so that the cut below rounds.
        sums.fill(1 << 15);
        for (skin, share) in &skins {
            let from = skin.pixels[range.clone()].as_flattened();
            for (sum, &value) in sums.iter_mut().zip(from) {
                *sum += share * u32::from(value);
            }
        }
        let to = pixels[range].as_flattened_mut();
        for (value, sum) in to.iter_mut().zip(&sums) {
            *value = (sum >> 16) as u8;
        }
    }
    Some(Texture {
        width,
        height,
        pixels,
    })
}
