//! People who are drawn already, in files: drawing them takes longer than reading them again.

use std::path::Path;

use super::gallery::Gallery;
use crate::demos::face_drawing::landmarks;
use crate::demos::face_drawing::lines::{Kind, Line};
use crate::demos::face_drawing::parts::SIDE;
use crate::error::{Error, Result};
use crate::nn::arrays::{self, Array, Arrays, Data};
use crate::store::atomic_write;

/// The most bytes of a file.
const MAX_BYTES: u64 = 512 << 20;
/// Bytes of a picture.
const PICTURE: usize = 3 * SIDE * SIDE;

impl Gallery {
    /// Writes everybody from this number on.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, from: usize, path: &Path) -> Result<()> {
        let lines = &self.lines[from..];
        let each = || lines.iter().flatten();
        let numbers = |values: Vec<f32>| Array::f32(&[values.len()], values);
        let bytes = |values: Vec<u8>| Array::u8(&[values.len()], values);
        let pictured = (from * PICTURE).min(self.color.len());
        let kind = |line: &Line| Kind::ALL.iter().position(|&kind| kind == line.kind);
        let places = 2 * landmarks::COUNT;
        let all = [
            ("z", numbers(self.z[from * self.dims..].to_vec())),
            (
                "landmarks",
                numbers(self.landmarks[from * places..].to_vec()),
            ),
            ("color", bytes(self.color[pictured..].to_vec())),
            (
                "lines",
                numbers(lines.iter().map(|lines| lines.len() as f32).collect()),
            ),
            (
                "kinds",
                bytes(each().map(|line| kind(line).unwrap_or(0) as u8).collect()),
            ),
            (
                "lengths",
                numbers(each().map(|line| line.points.len() as f32).collect()),
            ),
            (
                "points",
                numbers(
                    each()
                        .flat_map(|line| &line.points)
                        .flatten()
                        .copied()
                        .collect(),
                ),
            ),
        ];
        let all: Arrays = all
            .into_iter()
            .map(|(name, array)| (name.to_owned(), array))
            .collect();
        atomic_write(path, &arrays::to_bytes(&all, None, false))
    }

    /// Takes in the people of a file, who come after those there are, with vectors of so many numbers.
    ///
    /// # Errors
    /// When the file is missing, damaged or none of people.
    pub fn take_in(&mut self, path: &Path, dims: usize) -> Result<()> {
        let mut all = arrays::load(path, MAX_BYTES)?;
        let more = read(&mut all, dims)
            .ok_or_else(|| Error::bad_file(path, "these are no people who are drawn"))?;
        self.dims = dims;
        self.z.extend(more.z);
        self.landmarks.extend(more.landmarks);
        self.color.extend(more.color);
        self.lines.extend(more.lines);
        Ok(())
    }
}

/// The people of a file's arrays, if they fit together.
fn read(all: &mut Arrays, dims: usize) -> Option<Gallery> {
    let mut numbers = |name: &str| all.remove(name)?.into_f32();
    let (z, landmarks) = (numbers("z")?, numbers("landmarks")?);
    let [counts, lengths] = [numbers("lines")?, numbers("lengths")?];
    let points = numbers("points")?;
    let mut bytes = |name: &str| match all.remove(name)?.data {
        Data::U8(values) => Some(values),
        _ => None,
    };
    let (color, kinds) = (bytes("color")?, bytes("kinds")?);
    let people = counts.len();
    let sum = |counts: &[f32]| counts.iter().map(|&count| count as usize).sum::<usize>();
    let fits = z.len() == people * dims
        && landmarks.len() == people * 2 * landmarks::COUNT
        && color.len() % PICTURE == 0
        && color.len() <= people * PICTURE
        && kinds.len() == lengths.len()
        && sum(&counts) == lengths.len()
        && 2 * sum(&lengths) == points.len();
    if !fits {
        return None;
    }
    let mut points = points.as_chunks::<2>().0;
    let mut every = Vec::with_capacity(kinds.len());
    for (&kind, &length) in kinds.iter().zip(&lengths) {
        let (these, rest) = points.split_at(length as usize);
        points = rest;
        every.push(Line {
            kind: *Kind::ALL.get(usize::from(kind))?,
            points: these.to_vec(),
        });
    }
    let mut every = every.into_iter();
    let lines = counts
        .iter()
        .map(|&count| every.by_ref().take(count as usize).collect())
        .collect();
    Some(Gallery {
        dims,
        z,
        landmarks,
        color,
        lines,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gallery() -> Gallery {
        let line = |kind, from: f32, count: usize| Line {
            kind,
            points: (0..count)
                .map(|at| [from + at as f32, 2.5 * from])
                .collect(),
        };
        let number = |count: usize| (0..count).map(|at| at as f32 * 0.37).collect();
        Gallery {
            dims: 7,
            z: number(3 * 7),
            landmarks: number(3 * 2 * landmarks::COUNT),
            color: (0..2 * PICTURE).map(|at| (at % 251) as u8).collect(),
            lines: vec![
                vec![line(Kind::Outline, 1.0, 5), line(Kind::Garment, 9.0, 2)],
                Vec::new(),
                vec![line(Kind::Nose, 3.0, 1)],
            ],
        }
    }

    #[test]
    fn people_who_are_drawn_come_back_from_their_files() {
        let folder = tempfile::tempdir().expect("a folder");
        let [first, rest] = ["a", "b"].map(|name| folder.path().join(name));
        let people = gallery();
        people.save(1, &rest).expect("it is written");
        let mut one = gallery();
        one.lines.truncate(1);
        one.z.truncate(7);
        one.landmarks.truncate(2 * landmarks::COUNT);
        one.color.truncate(PICTURE);
        one.save(0, &first).expect("it is written");
        let mut back = Gallery::default();
        for path in [&first, &rest] {
            back.take_in(path, 7).expect("it is read");
        }
        assert_eq!(back.z, people.z);
        assert_eq!(back.landmarks, people.landmarks);
        assert_eq!(back.color, people.color);
        assert_eq!(back.lines, people.lines);
        assert!(back.take_in(&rest, 8).is_err(), "vectors of another kit");
    }
}
