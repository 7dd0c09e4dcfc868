//! The parametric person against independent sources: positions computed from the kit's own files
//! by `data/human/make_fixture.py`, closed forms for the rasteriser, published values of the normal
//! distribution; and packs that were damaged on purpose.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use serde::Deserialize;
use vitrine::human::fit::{Fitted, Tie};
use vitrine::human::geometry::{IDENTITY, Vec3, floor, normalise, round, sub};
use vitrine::human::mesh::{Group, Mesh, Triangle};
use vitrine::human::normal::{cdf, quantile};
use vitrine::human::packer::parse;
use vitrine::human::raster::cover::{Face, NONE, Samples};
use vitrine::human::raster::{Backdrop, Camera, Lights, Surface, render};
use vitrine::human::rig::{Bone, Pose, Rig};
use vitrine::human::target::Target;
use vitrine::human::texture::Texture;
use vitrine::human::{Extent, Kit, Part, Quality, Sampler, Wardrobe, axis, pack};
use vitrine::rng::Rng;

static KIT: LazyLock<Kit> = LazyLock::new(|| {
    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets");
    Kit::whole(&assets).expect("the packs are sound")
});

#[derive(Deserialize)]
struct Fixture {
    person: BTreeMap<String, serde_json::Value>,
    details: BTreeMap<String, f32>,
    smile: f32,
    pose: Pose,
    points: usize,
    shaped: Vec<(usize, f32, f32, f32)>,
    posed: Vec<(usize, f32, f32, f32)>,
}

fn near(found: &[Vec3], expected: &[(usize, f32, f32, f32)], tolerance: f32) {
    assert!(expected.len() > 150);
    for &(number, x, y, z) in expected {
        let off = sub(found[number], [x, y, z]).map(f32::abs);
        assert!(
            off.iter().all(|&off| off < tolerance),
            "point {number}: {:?}, not {:?}",
            found[number],
            [x, y, z]
        );
    }
}

#[test]
fn a_shaped_and_posed_person_has_the_points_that_the_sources_give() {
    let text = include_str!("data/human/person.json");
    let fixture: Fixture = serde_json::from_str(text).expect("the fixture");
    let kit = &*KIT;
    assert_eq!(kit.mesh.points.len(), fixture.points);
    let mut person = Sampler::new(kit).portrait(&[]).person;
    let number = |name: &str| fixture.person[name].as_f64().expect("a number") as f32;
    person.origin = serde_json::from_value(fixture.person["origin"].clone()).expect("three");
    person.sex = number("sex");
    person.age = number("age");
    person.muscle = number("muscle");
    person.weight = number("weight");
    person.height = number("height");
    person.proportions = number("proportions");
    let set = |values: &mut Vec<f32>, axes: Vec<axis::Axis>| {
        *values = axes
            .iter()
            .map(|axis| fixture.details.get(&axis.name).copied().unwrap_or(0.0))
            .collect();
        values.iter().filter(|value| **value != 0.0).count()
    };
    let details = set(&mut person.details, axis::details(kit));
    let asymmetries = set(&mut person.asymmetries, axis::asymmetries(kit));
    assert_eq!((details, asymmetries), (2, 1), "every trait was found");
    person.expressions = [fixture.smile, 0.0, 0.0, 0.0, 0.0, 0.0];
    let points = person.points(kit);
    // Half of the mesh's last decimal, and single precision.
    near(&points, &fixture.shaped, 2e-4);
    let rig = kit.rig.as_ref().expect("the body pack has a skeleton");
    // Weights of 14 bits move a hand, ten decimetres from the joint, by less than this.
    near(&rig.pose(&points, &fixture.pose), &fixture.posed, 3e-3);
}

#[test]
fn meshes_and_shapes_are_read_as_their_formats_say() {
    let obj = b"v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nvt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\ng a\nf 1/1 2/2 3/3 4/4\ng b\nf 1/1 2/2 3/3\n";
    let mesh = parse::obj(obj).expect("a mesh");
    assert_eq!(mesh.points.len(), 4);
    let corners: Vec<[u16; 3]> = mesh.group("a").iter().map(|t| t.points).collect();
    assert_eq!(corners, [[0, 1, 2], [0, 2, 3]]);
    assert_eq!(mesh.group("b").len(), 1);
    for wrong in [
        &b"v 0 0\n"[..],
        b"v 0 0 x\n",
        b"v 0 0 0\nvt 0 0\nf 1/1 2/1 1/1\n",
        b"\xff",
    ] {
        assert!(parse::obj(wrong).is_err());
    }
    // One triangle, and one quad with a material, of three.js format 3.1.
    let json = br#"{"metadata":{"ref_vIdxs":[[0,1,2],[1,2,3],[0,0,3],[3,2,1]],
        "weights":[[0.5,0.25,0.25],[1,0,0],[0.5,0,0.5],[0,1,0]],
        "offsets":[[0,0,1],[0,0,0],[0,0,0],[0,0,0]]},
        "uvs":[[0,0,1,0,1,1,0,1]],"faces":[8,0,1,2,0,1,2,11,0,1,2,3,7,0,1,2,3]}"#;
    let fitted = parse::proxy(json, "x", 4).expect("a model");
    assert_eq!(fitted.triangles.len(), 3);
    assert_eq!(fitted.triangles[2].points, [0, 2, 3]);
    let off = sub(fitted.fit(&mesh.points)[0], [0.5, 0.25, 1.0]);
    assert!(off.iter().all(|off| off.abs() < 1e-6), "{off:?}");
    assert!(parse::proxy(json, "x", 3).is_err(), "tied beyond the mesh");
}

#[test]
fn the_packs_hold_nothing_beyond_the_white_list() {
    let names: Vec<&String> = KIT.fitted.keys().chain(KIT.textures.keys()).collect();
    let count = |kind: &str| KIT.textures.keys().filter(|n| n.starts_with(kind)).count();
    assert_eq!(count("skin/"), 18);
    // Eight of the release, and two browns made of one of them.
    assert_eq!(
        (
            count("hair/"),
            count("brow/"),
            count("lash/"),
            count("iris/")
        ),
        (10, 12, 4, 10)
    );
    let provenance = include_str!("../assets/human/PROVENANCE.md");
    for forbidden in [
        "curly",
        "minoan",
        "jungle",
        "southern",
        "alpha7",
        "Wig_bun",
        "headband",
        "Hawk",
        "beard",
        "Moustache",
        "Eyebrows_01",
        "Eyelashes_01",
        "glasses",
        "brown_eye.png",
        "clothes",
    ] {
        assert!(!provenance.contains(forbidden), "{forbidden}");
        assert!(
            !names.iter().any(|name| name.contains(forbidden)),
            "{forbidden}"
        );
    }
}

#[test]
fn every_sample_of_a_fan_belongs_to_one_face() {
    let mut rng = Rng::new(3);
    let side = 40.0_f32;
    for _ in 0..200 {
        let middle = [0, 1].map(|_| side * rng.uniform() as f32);
        let corners = [[0.0, 0.0], [0.0, side], [side, side], [side, 0.0]];
        let mut counts = vec![0; 40 * 40];
        for k in 0..4 {
            let face = [middle, corners[k], corners[(k + 1) % 4]];
            let Some(face) = Face::new(face, [1.0; 3], [1.0; 3], (0, 0), true) else {
                continue;
            };
            let mut samples = Samples::new(40, 0, 40);
            samples.draw(&[face], &[]);
            for (count, &face) in counts.iter_mut().zip(&samples.face) {
                *count += usize::from(face != NONE);
            }
        }
        assert!(counts.iter().all(|&count| count == 1));
    }
}

#[test]
fn a_triangle_covers_its_area_and_hides_what_is_behind() {
    // Half of a square of 100 samples, and one nearer that takes its left tenth.
    let whole = [[0.0, 0.0], [0.0, 100.0], [100.0, 100.0]];
    let far = Face::new(whole, [1.0; 3], [1.0; 3], (0, 0), false).expect("seen");
    let strip = [[0.0, 0.0], [0.0, 100.0], [10.0, 100.0]];
    let close = Face::new(strip, [2.0; 3], [1.0; 3], (0, 1), false).expect("seen");
    let turned = [whole[0], whole[2], whole[1]];
    assert!(Face::new(turned, [1.0; 3], [1.0; 3], (0, 0), false).is_none());
    for faces in [[far, close], [close, far]] {
        let mut samples = Samples::new(100, 0, 100);
        samples.draw(&faces, &[]);
        let count = |near: f32| {
            let is_it = |n: &&f32| (**n - near).abs() < 1e-6;
            samples.near.iter().filter(is_it).count()
        };
        assert!((count(1.0) + count(2.0)).abs_diff(5000) <= 50);
        assert!(count(2.0).abs_diff(500) <= 50, "{}", count(2.0));
    }
}

/// A ball as a net of rings.
fn ball(radius: f32) -> (Vec<Vec3>, Vec<Triangle>) {
    let (rings, spokes) = (96_u16, 128_u16);
    let mut points = Vec::new();
    for ring in 0..=rings {
        for spoke in 0..spokes {
            let a = std::f32::consts::PI * f32::from(ring) / f32::from(rings);
            let b = std::f32::consts::TAU * f32::from(spoke) / f32::from(spokes);
            points.push([a.sin() * b.sin(), a.cos(), a.sin() * b.cos()].map(|x| x * radius));
        }
    }
    let at = |ring: u16, spoke: u16| ring * spokes + spoke % spokes;
    let mut triangles = Vec::new();
    for ring in 0..rings {
        for spoke in 0..spokes {
            let (a, b) = (at(ring, spoke), at(ring + 1, spoke));
            let (c, d) = (at(ring + 1, spoke + 1), at(ring, spoke + 1));
            for points in [[a, b, c], [a, c, d]] {
                triangles.push(Triangle {
                    points,
                    uvs: [0; 3],
                });
            }
        }
    }
    (points, triangles)
}

#[test]
fn a_lit_ball_is_as_large_deep_and_bright_as_geometry_says() {
    let (radius, distance, scale) = (2.0_f32, 9.0_f32, 0.15_f32);
    let (points, triangles) = ball(radius);
    let surface = Surface {
        normals: points.iter().map(|&p| normalise(p)).collect(),
        canonical: points.clone(),
        points,
        triangles: &triangles,
        uvs: &[[0.25, 0.75]],
        texture: None,
        tint: [0.5; 3],
        part: Part::Garment,
        cutout: None,
        shadows: true,
    };
    let camera = Camera {
        target: [0.0; 3],
        turn: IDENTITY,
        distance,
        scale,
        place: [0.5, 0.5],
    };
    let dark = [0.0; 3];
    let lights = Lights {
        key_direction: [0.0, 0.0, 1.0],
        key: [0.5; 3],
        fill_direction: [0.0, 1.0, 0.0],
        fill: dark,
        rim_direction: [0.0, 0.0, -1.0],
        rim: dark,
        sky: dark,
        ground: dark,
        softness: 1.0,
        oil: 1.0,
        exposure: 1.0,
    };
    let backdrop = Backdrop {
        from: dark,
        to: dark,
        angle: 0.0,
    };
    let quality = Quality {
        size: 129,
        samples: 2,
    };
    let picture = render(&[surface], &camera, &lights, &backdrop, quality);
    // A ball's outline from near: its tangent cone.
    let outline = scale * distance * radius / (distance * distance - radius * radius).sqrt();
    let area = std::f32::consts::PI * outline * outline * 129.0 * 129.0;
    let seen = picture
        .parts
        .iter()
        .filter(|p| **p == Part::Garment)
        .count() as f32;
    assert!(
        (seen / area - 1.0).abs() < 0.01,
        "{seen} pixels, not {area}"
    );
    let middle = 64 * 129 + 64;
    assert!((picture.depth[middle] - (distance - radius)).abs() < 0.01);
    assert!(picture.depth[0].is_infinite() && picture.parts[0] == Part::Backdrop);
    assert!(picture.normals[middle][2] > 0.999);
    let [u, v] = picture.uvs[middle];
    assert!((u - 0.25).abs() < 1e-6 && (v - 0.75).abs() < 1e-6);
    assert!((picture.canonical[middle][2] - radius).abs() < 0.01);
    // Where the light comes from: diffuse wrapped by 0.2, highlight 0.01, sRGB of the standard.
    let light = 0.5 * (1.2 / 1.44) * 0.5 + 0.01 * 0.5;
    let expected = (1.055 * f32::powf(light, 1.0 / 2.4) - 0.055) * 255.0;
    let found = f32::from(picture.color[middle][0]);
    assert!((found - expected).abs() <= 1.5, "{found}, not {expected}");
    // Sixty degrees off the light.
    let up = 64 - (scale * 129.0 * radius * 0.866 * distance / (distance - radius * 0.5)) as usize;
    let light = 0.5 * ((picture.normals[up * 129 + 64][2] + 0.2) / 1.44) * 0.5;
    let expected = (1.055 * f32::powf(light, 1.0 / 2.4) - 0.055) * 255.0;
    let found = f32::from(picture.color[up * 129 + 64][0]);
    assert!((found - expected).abs() <= 8.0, "{found}, not {expected}");
}

#[test]
fn any_number_of_threads_draws_the_same_picture() {
    let sampler = Sampler::new(&KIT);
    let wardrobe = Wardrobe::new(&KIT, Extent::Head);
    let portrait = sampler.portrait(&sampler.draw(&mut Rng::new(5)));
    let quality = Quality {
        size: 61,
        samples: 2,
    };
    let drawn = [1, 2, 5].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.expect("a pool")
            .install(|| portrait.draw(&wardrobe, Extent::Head, None, quality))
    });
    assert!(drawn[0] == drawn[1] && drawn[0] == drawn[2]);
    let parts = |part: Part| drawn[0].parts.iter().filter(|p| **p == part).count();
    assert!(parts(Part::Skin) > 61 * 61 / 8, "a face fills the picture");
    assert!(parts(Part::Eye) > 0 && parts(Part::Garment) > 0);
}

#[test]
fn a_portrait_leads_back_to_a_vector_that_gives_it_again() {
    let sampler = Sampler::new(&KIT);
    assert_eq!(
        sampler.portrait(&[]),
        sampler.portrait(&vec![0.0; sampler.dims()])
    );
    for seed in 0..50 {
        let z = sampler.draw(&mut Rng::new(seed));
        let portrait = sampler.portrait(&z);
        let back = sampler.vector(&portrait);
        assert_eq!(back.len(), sampler.dims());
        let again = serde_json::to_value(sampler.portrait(&back)).expect("plain data");
        same(
            &again,
            &serde_json::to_value(&portrait).expect("plain data"),
            "portrait",
        );
        let origin = portrait.person.origin;
        assert!((origin.iter().sum::<f32>() - 1.0).abs() < 1e-5);
    }
}

fn same(found: &serde_json::Value, expected: &serde_json::Value, at: &str) {
    use serde_json::Value::{Array, Number, Object};
    match (found, expected) {
        (Object(a), Object(b)) => b.iter().for_each(|(k, v)| same(&a[k], v, k)),
        (Array(a), Array(b)) => a.iter().zip(b).for_each(|(a, b)| same(a, b, at)),
        (Number(a), Number(b)) => {
            let (a, b) = (a.as_f64().expect("finite"), b.as_f64().expect("finite"));
            assert!(
                (a - b).abs() < 2e-3 * b.abs().max(1.0),
                "{at}: {a}, not {b}"
            );
        }
        (a, b) => assert_eq!(a, b, "{at}"),
    }
}

#[test]
fn the_normal_distribution_has_its_published_values() {
    // Abramowitz and Stegun, table 26.1, and the upper tail at 4.
    for (z, p) in [
        (0.0, 0.5),
        (1.0, 0.841_344_746_068_543),
        (1.96, 0.975_002_104_851_780),
        (3.0, 0.998_650_101_968_370),
        (4.0, 1.0 - 3.167_124_183_311_986e-5),
    ] {
        assert!((cdf(z) - p).abs() < 1e-12, "cdf({z}) = {}", cdf(z));
        assert!((cdf(-z) - (1.0 - p)).abs() < 1e-12);
        assert!(
            (quantile(p) - z).abs() < 1e-9,
            "quantile({p}) = {}",
            quantile(p)
        );
    }
}

#[test]
fn rounding_is_that_of_the_standard_library() {
    let mut rng = Rng::new(3);
    let edges = [0.0, -0.0, 0.5, -0.5, 1.5, -1.5, 0.499_999_97, 8_388_607.5];
    let drawn = (0..20_000).map(|k| {
        let value = rng.normal() as f32 * 10_f32.powi(k % 8);
        // Halves, too, and their neighbours.
        [value, (value * 2.0).round() / 2.0, value.trunc()][k as usize % 3]
    });
    for value in edges.into_iter().chain(drawn) {
        assert_eq!(round(value), value.round() as i64, "{value}");
        assert_eq!(floor(value) as i64, value.floor() as i64, "{value}");
    }
}

/// A kit of a few points with one thing of every kind.
fn small_kit() -> Kit {
    let triangle = Triangle {
        points: [0, 1, 2],
        uvs: [0, 1, 2],
    };
    let tie = Tie {
        points: [0, 1, 2],
        weights: [0.5, 0.25, 0.25],
        offset: [0.0, 0.125, -0.125],
    };
    let uvs = vec![[0.0, 0.0], [1.0, 0.0], [0.5, 1.0]];
    let bone = |name: &str, parent| Bone {
        name: name.into(),
        parent,
        head: vec![0],
        tail: vec![1, 2],
        points: vec![0, 2],
        weights: vec![16_384, 8_192],
    };
    let fitted = Fitted {
        name: "hair/x".into(),
        ties: vec![tie; 3],
        uvs: uvs.clone(),
        triangles: vec![triangle],
    };
    let target = Target {
        name: "a/b".into(),
        points: vec![1, 2],
        offsets: vec![[1, -2, 3], [400, 5, -6]],
    };
    let pixels = (0..64_u8).map(|k| [k, 255 - k, k * 3, 128 + k]).collect();
    Kit {
        mesh: Mesh {
            points: vec![[0.0, 0.5, -1.0], [1.0, 2.0, 3.0], [-4.0, 0.25, 0.125]],
            uvs,
            groups: vec![Group {
                name: "body".into(),
                triangles: vec![triangle],
            }],
        },
        targets: BTreeMap::from([(target.name.clone(), target)]),
        fitted: BTreeMap::from([(fitted.name.clone(), fitted)]),
        textures: BTreeMap::from([(
            "hair/x".into(),
            Texture {
                width: 8,
                height: 8,
                pixels,
            },
        )]),
        rig: Some(Rig {
            bones: vec![bone("root", None), bone("arm", Some(0))],
        }),
    }
}

#[test]
fn a_pack_comes_back_and_damaged_ones_are_refused_without_a_panic() {
    let path = Path::new("x.pack");
    let kit = small_kit();
    let mut sections = kit.sections().expect("encodes");
    let bytes = pack::encode(&sections).expect("encodes");
    let mut back = Kit::default();
    back.take_up(&bytes, path).expect("sound");
    assert_eq!(back, kit);
    // Not packed, so that damage gets past xz's checksum.
    for section in &mut sections {
        section.coding = pack::Coding::Plain;
    }
    let plain = pack::encode(&sections).expect("encodes");
    let mut rng = Rng::new(9);
    let mut refused = 0;
    for (round, sound) in [&bytes, &plain].into_iter().cycle().take(6_000).enumerate() {
        let mut damaged = sound.clone();
        for _ in 0..=rng.below(3) {
            let at = rng.below(damaged.len());
            match round % 3 {
                0 => damaged[at] = rng.next_u64() as u8,
                1 => damaged[at] ^= 1 << rng.below(8),
                _ => damaged.truncate(at.max(1)),
            }
        }
        let mut kit = Kit::default();
        if let Err(error) = kit.take_up(&damaged, path) {
            assert!(error.to_string().contains("x.pack"), "{error}");
            refused += 1;
        } else {
            // What is read all the same can be used.
            let fits = kit.fitted.values().map(|f| f.fit(&kit.mesh.points).len());
            assert!(fits.sum::<usize>() <= damaged.len());
        }
    }
    assert!(refused > 3_000, "{refused}");
}
