//! The packages' files in memory: a wheel is a zip, an npm package a tar packed with gzip.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use flate2::read::GzDecoder;

use super::parse::Damage;

/// The most bytes that one file of a package may have, and all of them together.
const MAX_FILE: u64 = 64 << 20;
const MAX_ALL: u64 = 1 << 30;
/// Bytes in a block of a tar file.
const BLOCK: usize = 512;

/// Files by their path.
pub struct Files {
    package: &'static str,
    files: BTreeMap<String, Vec<u8>>,
}

impl Files {
    /// The wanted files of a wheel; `want` gives the path a file is kept by.
    ///
    /// # Errors
    /// When the bytes are no zip, or a file is too large.
    pub fn of_wheel(
        package: &'static str,
        bytes: &[u8],
        want: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Damage> {
        let damage = |error| format!("{package} is no wheel ({error})");
        let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(damage)?;
        let mut files = BTreeMap::new();
        for number in 0..archive.len() {
            let member = archive.by_index(number).map_err(damage)?;
            let name = member.name().map_err(damage)?.into_owned();
            if let Some(name) = want(&name) {
                files.insert(name, read(member, package)?);
            }
        }
        Ok(Self { package, files })
    }

    /// The wanted files of an npm package.
    ///
    /// # Errors
    /// When the bytes are no tar packed with gzip, or a file is too large.
    pub fn of_npm(
        package: &'static str,
        bytes: &[u8],
        want: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Damage> {
        let mut stream = GzDecoder::new(bytes).take(MAX_ALL);
        let mut files = BTreeMap::new();
        let damage = |error| format!("{package} is no npm package ({error})");
        loop {
            let mut head = [0; BLOCK];
            stream.read_exact(&mut head).map_err(damage)?;
            // Two blocks of zeros end it.
            if head.iter().all(|&byte| byte == 0) {
                return Ok(Self { package, files });
            }
            let text = |field: &[u8]| {
                let end = field.iter().position(|&b| b == 0).unwrap_or(field.len());
                String::from_utf8_lossy(&field[..end]).trim().to_owned()
            };
            let size = u64::from_str_radix(&text(&head[124..136]), 8)
                .ok()
                .filter(|&size| size <= MAX_FILE * 4)
                .ok_or_else(|| format!("{package} has a file without a size"))?;
            let prefix = text(&head[345..500]);
            let name = match prefix.as_str() {
                "" => text(&head[..100]),
                prefix => format!("{prefix}/{}", text(&head[..100])),
            };
            let mut body = (&mut stream).take(size.next_multiple_of(BLOCK as u64));
            match want(&name).filter(|_| matches!(head[156], 0 | b'0')) {
                Some(name) => {
                    let mut kept = read(&mut body, package)?;
                    kept.truncate(size as usize);
                    files.insert(name, kept);
                }
                None => {
                    std::io::copy(&mut body, &mut std::io::sink()).map_err(damage)?;
                }
            }
        }
    }

    /// A file.
    ///
    /// # Errors
    /// When the package has none of that path.
    pub fn get(&self, path: &str) -> Result<&[u8], Damage> {
        self.files
            .get(path)
            .map(Vec::as_slice)
            .ok_or_else(|| format!("{} has no file {path}", self.package))
    }

    /// All files in the order of their paths.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.files.iter().map(|(k, v)| (k.as_str(), v.as_slice()))
    }
}

fn read(from: impl Read, package: &str) -> Result<Vec<u8>, Damage> {
    let mut bytes = Vec::new();
    from.take(MAX_FILE + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| format!("cannot unpack {package} ({error})"))?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(format!("{package} has a file that is too large"));
    }
    Ok(bytes)
}
