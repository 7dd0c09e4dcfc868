//! The kit: everything that a person is built from, read from the packs.
//!
//! The head pack stands alone: the mesh, the shapes as far as they move the head, hair, brows,
//! lashes and textures. The body pack adds what the rest of the body needs: the other points of
//! the same shapes, height and proportions, and the skeleton.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rayon::prelude::*;

use super::fit::Fitted;
use super::mesh::Mesh;
use super::pack::wire::{Damage, Reader, Writer};
use super::pack::{self, Coding, Section, damaged};
use super::rig::Rig;
use super::target::Target;
use super::texture::Texture;
use crate::error::{Error, Result};

/// The head's pack below the folder of assets.
pub const HEAD_PACK: &str = "human/head.pack";
/// The body's pack below the folder of assets.
pub const BODY_PACK: &str = "human/body.pack";

const TEXTURE: &str = "texture/";

/// What people are built from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Kit {
    /// The net of points that all people share; empty before a head pack was read.
    pub mesh: Mesh,
    /// Blend shapes by name.
    pub targets: BTreeMap<String, Target>,
    /// Hair, brows and lashes by name.
    pub fitted: BTreeMap<String, Fitted>,
    /// Textures by name.
    pub textures: BTreeMap<String, Texture>,
    /// The skeleton, of the body pack.
    pub rig: Option<Rig>,
}

impl Kit {
    /// Reads the head pack of a folder of assets.
    ///
    /// # Errors
    /// When it cannot be read or is damaged.
    pub fn head(assets: &Path) -> Result<Self> {
        let mut kit = Self::default();
        kit.read(&assets.join(HEAD_PACK))?;
        Ok(kit)
    }

    /// Reads both packs of a folder of assets.
    ///
    /// # Errors
    /// When one cannot be read or is damaged.
    pub fn whole(assets: &Path) -> Result<Self> {
        let mut kit = Self::head(assets)?;
        kit.read(&assets.join(BODY_PACK))?;
        Ok(kit)
    }

    /// Takes up the pack in a file.
    ///
    /// # Errors
    /// When it cannot be read or is damaged.
    pub fn read(&mut self, path: &Path) -> Result<()> {
        let failed = || Error::io("cannot read the pack of people", path);
        if fs::metadata(path).map_err(failed())?.len() > pack::MAX_BYTES {
            return Err(damaged(path, "it is too large"));
        }
        self.take_up(&fs::read(path).map_err(failed())?, path)
    }

    /// Takes up a pack's bytes; `path` only names them in errors.
    ///
    /// # Errors
    /// [`Error::BadFile`] when they are damaged; the kit is to be thrown away then.
    pub fn take_up(&mut self, bytes: &[u8], path: &Path) -> Result<()> {
        let sections = pack::decode(bytes, path)?;
        let damage = |damage: Damage| damaged(path, &damage);
        let (textures, numbers): (Vec<_>, Vec<_>) = sections
            .into_iter()
            .partition(|section| section.name.starts_with(TEXTURE));
        for section in &numbers {
            self.add_numbers(section).map_err(damage)?;
        }
        let decoded: Vec<_> = textures
            .par_iter()
            .map(|section| {
                let name = section.name[TEXTURE.len()..].to_owned();
                Texture::decode(&section.bytes).map(|texture| (name, texture))
            })
            .collect::<Result<_, Damage>>()
            .map_err(damage)?;
        self.textures.extend(decoded);
        Ok(())
    }

    fn add_numbers(&mut self, section: &Section) -> Result<(), Damage> {
        let mut from = Reader::new(&section.bytes);
        let points = self.mesh.points.len();
        match section.name.as_str() {
            "mesh" => self.mesh = Mesh::decode(&mut from)?,
            "targets" => {
                for _ in 0..from.count(2)? {
                    let target = Target::decode(&mut from, points)?;
                    match self.targets.get_mut(&target.name) {
                        Some(known) => known.extend(&target),
                        None => {
                            self.targets.insert(target.name.clone(), target);
                        }
                    }
                }
            }
            "fitted" => {
                for _ in 0..from.count(2)? {
                    let fitted = Fitted::decode(&mut from, points)?;
                    self.fitted.insert(fitted.name.clone(), fitted);
                }
            }
            "rig" => self.rig = Some(Rig::decode(&mut from, points)?),
            _ => return Err("it has a section of an unknown name".into()),
        }
        from.finish()
    }

    /// The kit as sections of a pack; the same kit gives the same sections.
    ///
    /// # Errors
    /// When a texture cannot be written.
    pub fn sections(&self) -> Result<Vec<Section>, Damage> {
        let packed = |name: &str, write: &dyn Fn(&mut Writer)| {
            let mut to = Writer::default();
            write(&mut to);
            Section {
                name: name.to_owned(),
                coding: Coding::Xz,
                bytes: to.bytes,
            }
        };
        let mut sections = Vec::new();
        if !self.mesh.points.is_empty() {
            sections.push(packed("mesh", &|to| self.mesh.encode(to)));
        }
        if !self.targets.is_empty() {
            sections.push(packed("targets", &|to| {
                to.number(self.targets.len() as u32);
                self.targets.values().for_each(|target| target.encode(to));
            }));
        }
        if !self.fitted.is_empty() {
            sections.push(packed("fitted", &|to| {
                to.number(self.fitted.len() as u32);
                self.fitted.values().for_each(|fitted| fitted.encode(to));
            }));
        }
        if let Some(rig) = &self.rig {
            sections.push(packed("rig", &|to| rig.encode(to)));
        }
        for (name, texture) in &self.textures {
            sections.push(Section {
                name: format!("{TEXTURE}{name}"),
                coding: Coding::Plain,
                bytes: texture.encode()?,
            });
        }
        Ok(sections)
    }
}
