//! Damaged model files: whatever a header says, loading ends with an error that names the file or
//! with a model that can be used, and never with a panic or a memory full of nothing.

mod common;

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::Instant;

use common::gguf::Fields;
use common::model_or_skip;
use common::tiny::{self, Tiny};
use tempfile::TempDir;
use vitrine::Error;
use vitrine::demos::gpt::engine::Engine;
use vitrine::rng::Rng;

/// What may be changed in a file.
struct Target {
    name: &'static str,
    /// The file's beginning, at least its header.
    header: Vec<u8>,
    /// The file's length; behind `header` there are zeros.
    len: u64,
    fields: Fields,
}

/// A changed file: some bytes of the header are others, or the file ends early.
#[derive(Debug)]
struct Damage {
    what: String,
    patches: Vec<(usize, Vec<u8>)>,
    cut: Option<u64>,
}

impl Target {
    fn new(name: &'static str, header: Vec<u8>, len: u64) -> Self {
        let fields = Fields::of(&header);
        Self {
            name,
            header,
            len,
            fields,
        }
    }

    /// The `n`th way to damage it.
    fn damage(&self, n: usize) -> Damage {
        let mut rng = Rng::new(n as u64).split(self.name);
        let mut pick = |list: &[usize]| list[rng.below(list.len())];
        let fields = &self.fields;
        let mut cut = None;
        let (what, patches) = match n % 8 {
            0 => {
                let at = rng.below(fields.end);
                let bit = 1 << rng.below(8);
                ("bit", vec![(at, vec![self.header[at] ^ bit])])
            }
            1 => {
                // Most of a large header is its vocabulary; these are in what comes after it.
                let at = fields.tensors_from + rng.below(fields.end - fields.tensors_from);
                let bit = 1 << rng.below(8);
                (
                    "bit of the directory",
                    vec![(at, vec![self.header[at] ^ bit])],
                )
            }
            2 => {
                let at = pick(&fields.lengths);
                (
                    "length",
                    vec![(at, self.odd_length(at, &mut rng).to_le_bytes().into())],
                )
            }
            3 => {
                let last = fields.lengths.iter().copied();
                let last: Vec<usize> = last.filter(|at| *at >= fields.tensors_from).collect();
                let at = last[rng.below(last.len())];
                (
                    "dimension or offset",
                    vec![(at, self.odd_length(at, &mut rng).to_le_bytes().into())],
                )
            }
            4 => {
                let at = pick(&fields.types);
                let other = (rng.below(40) as u32).to_le_bytes();
                ("type", vec![(at, other.into())])
            }
            5 => {
                let (one, other) = (pick(&fields.types), pick(&fields.types));
                let copy = |at: usize| self.header[at..at + 4].to_vec();
                (
                    "swapped types",
                    vec![(one, copy(other)), (other, copy(one))],
                )
            }
            6 => {
                let number = fields.numbers[rng.below(fields.numbers.len().min(40))].clone();
                let fill = [0, 0xff, 0x7f, 0x80, 1][rng.below(5)];
                ("number", vec![(number.start, vec![fill; number.len()])])
            }
            _ => {
                // Early cuts, cuts anywhere in the header, and cuts in the data.
                let end = [200, fields.end, self.len as usize][rng.below(3)];
                cut = Some(rng.below(end) as u64);
                ("cut", Vec::new())
            }
        };
        Damage {
            what: format!("{} {n}: {what}", self.name),
            patches,
            cut,
        }
    }

    fn odd_length(&self, at: usize, rng: &mut Rng) -> u64 {
        let old = u64::from_le_bytes(self.header[at..at + 8].try_into().expect("8 bytes"));
        let odd = [
            0,
            1,
            old.wrapping_sub(1),
            old + 1,
            old.wrapping_mul(2),
            self.len,
            self.len / 24,
            u64::from(u32::MAX),
            1 << 40,
            1 << 62,
            1 << 63,
            u64::MAX,
            rng.next_u64(),
        ];
        odd[rng.below(odd.len())]
    }
}

/// One file that takes each damage in turn and is mended after it.
struct Patient {
    _folder: TempDir,
    path: PathBuf,
    file: File,
}

impl Patient {
    fn new(target: &Target) -> Self {
        let folder = TempDir::new().expect("a folder");
        let path = folder.path().join("damaged.gguf");
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&path)
            .expect("a file");
        file.write_all(&target.header).expect("the header");
        // What is behind it takes no space on the disk.
        file.set_len(target.len).expect("the length");
        Self {
            _folder: folder,
            path,
            file,
        }
    }

    fn put(&mut self, at: usize, bytes: &[u8]) {
        self.file.seek(SeekFrom::Start(at as u64)).expect("seeks");
        self.file.write_all(bytes).expect("writes");
    }

    fn hurt(&mut self, damage: &Damage) {
        for (at, bytes) in &damage.patches {
            self.put(*at, bytes);
        }
        if let Some(cut) = damage.cut {
            self.file.set_len(cut).expect("cuts");
        }
    }

    fn mend(&mut self, damage: &Damage, target: &Target) {
        for (at, bytes) in &damage.patches {
            self.put(*at, &target.header[*at..*at + bytes.len()]);
        }
        if let Some(cut) = damage.cut {
            let kept = (cut as usize).min(target.header.len());
            self.put(kept, &target.header[kept..]);
            self.file.set_len(target.len).expect("the length");
        }
    }
}

/// Loads a file and, if that works, reads three tokens. True if it loaded.
fn try_out(path: &Path) -> Result<bool, String> {
    let mut engine = match Engine::load(path) {
        Ok(engine) => engine,
        Err(e) => {
            let said = e.to_string();
            let one_line = !said.contains('\n');
            return if one_line && said.ends_with(&path.display().to_string()) {
                Ok(false)
            } else {
                Err(format!("does not end with the file's name: {said}"))
            };
        }
    };
    let last = engine.card().vocabulary as u32 - 1;
    match engine.read(&[0, last / 2, last], true) {
        Ok(positions) if positions.len() == 3 => Ok(true),
        Ok(positions) => Err(format!("{} positions", positions.len())),
        // A context of one or two tokens.
        Err(Error::Input(_)) if engine.card().context < 3 => Ok(true),
        Err(e) => Err(format!("loads but does not read: {e}")),
    }
}

/// The most memory this process ever used and ever asked for, in bytes.
fn peaks() -> Option<[u64; 2]> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let field = |name: &str| -> Option<u64> {
        let line = status.lines().find(|line| line.starts_with(name))?;
        Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? * 1024)
    };
    Some([field("VmHWM:")?, field("VmPeak:")?])
}

/// Memory that a sound file of this size may take, and never more.
const MEMORY_LIMIT: u64 = 300 << 20;
/// Address space also counts what threads reserve.
const ADDRESS_LIMIT: u64 = 1 << 30;

/// Tries this many damages; returns how many of the files still load.
fn try_all(target: &Target, count: usize) -> usize {
    let started = Instant::now();
    let mut patient = Patient::new(target);
    assert_eq!(try_out(&patient.path), Ok(true), "the sound file");
    let before = peaks();
    let mut loaded = 0;
    for n in 0..count {
        let damage = target.damage(n);
        patient.hurt(&damage);
        let outcome = catch_unwind(AssertUnwindSafe(|| try_out(&patient.path)));
        let Ok(outcome) = outcome else {
            panic!("it panicked: {} {damage:?}", damage.what);
        };
        match outcome {
            Ok(loads) => loaded += usize::from(loads),
            Err(why) => panic!("{} {damage:?}: {why}", damage.what),
        }
        if let (Some(before), Some(now)) = (before, peaks()) {
            let grown = [now[0] - before[0], now[1] - before[1]];
            assert!(
                grown[0] < MEMORY_LIMIT && grown[1] < ADDRESS_LIMIT,
                "{grown:?} bytes more: {} {damage:?}",
                damage.what
            );
        }
        patient.mend(&damage, target);
    }
    assert_eq!(
        try_out(&patient.path),
        Ok(true),
        "the file was mended each time"
    );
    let secs = started.elapsed().as_secs_f64();
    println!("{}: {loaded} of {count} load, {secs:.1} s", target.name);
    assert!(secs < 60.0, "{secs:.1} s");
    loaded
}

#[test]
fn two_thousand_damaged_small_files() {
    let formats = [tiny::Q4_1, tiny::F32, tiny::Q4_0, tiny::Q4_K];
    for (name, stored) in ["Q4_1", "F32", "Q4_0", "Q4_K"].into_iter().zip(formats) {
        let model = Tiny {
            layers: 1,
            untied: true,
            rope_factors: true,
            rope_divisor: Some(2.0),
            ..Tiny::new(stored)
        };
        let bytes = model.build().writer.bytes();
        let len = bytes.len() as u64;
        let loaded = try_all(&Target::new(name, bytes, len), 500);
        // Some harm nothing, such as a bit of a token's text; most do.
        assert!((10..250).contains(&loaded), "{loaded} of 500 load");
    }
}

#[test]
fn damaged_headers_of_a_real_model() {
    let Some(model) = model_or_skip() else { return };
    let mut header = Vec::new();
    let file = File::open(&model).expect("the model");
    let len = file.metadata().expect("its length").len();
    file.take(4 << 20)
        .read_to_end(&mut header)
        .expect("the header");
    let fields = Fields::of(&header);
    header.truncate(fields.end);
    // Its weights are zeros here, which the disk need not hold.
    try_all(&Target::new("SmolLM2", header, len), 200);
}

#[test]
fn what_is_no_model_is_told_apart() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("other.bin");
    let said = |bytes: &[u8]| {
        common::write(&path, bytes);
        let e = Engine::load(&path).err().expect("no model");
        let said = e.to_string();
        assert!(said.ends_with("other.bin"), "{said}");
        said
    };
    assert!(said(b"").contains("cut off"));
    assert!(said(b"GGU").contains("cut off"));
    assert!(said(b"\x89PNG\r\n\x1a\n").contains("does not begin with the letters GGUF"));
    assert!(said(b"GGUF\x01\0\0\0").contains("version 1 is not supported"));
    assert!(said(b"GGUF\0\0\0\x03").contains("big-endian"));
    let e = Engine::load(folder.path()).err().expect("a folder");
    assert!(
        e.to_string().contains("a folder, not a GGUF model file"),
        "{e}"
    );
}

/// What the file asks for and this program cannot do is said, not computed wrong.
#[test]
fn what_cannot_be_computed_is_refused_by_name() {
    use common::gguf::{GgufWriter, Meta};
    type Change = fn(&mut GgufWriter);
    let cases: [(&str, Change); 9] = [
        ("`gemma3`", |w| {
            w.set("general.architecture", Meta::text("gemma3"));
        }),
        ("mixture of experts", |w| {
            w.set("llama.expert_count", Meta::U32(8));
        }),
        ("`yarn`", |w| {
            w.set("llama.rope.scaling.type", Meta::text("yarn"));
        }),
        ("`blk.0.attn_q.bias`", |w| {
            w.tensor("blk.0.attn_q.bias", &[64], 0, vec![0; 256]);
        }),
        ("I32", |w| {
            w.tensor("output.weight", &[64, 300], 26, vec![0; 64 * 300 * 4]);
        }),
        ("3 heads do not divide", |w| {
            w.set("llama.attention.head_count", Meta::U32(3))
                .unset("llama.attention.key_length")
                .unset("llama.attention.value_length");
        }),
        ("4 heads cannot share 3 keys", |w| {
            w.set("llama.attention.head_count_kv", Meta::U32(3));
        }),
        ("`blk.2.attn_norm.weight` is missing", |w| {
            w.set("llama.block_count", Meta::U32(3));
        }),
        ("`llama.attention.layer_norm_rms_epsilon` is NaN", |w| {
            w.set(
                "llama.attention.layer_norm_rms_epsilon",
                Meta::F32(f32::NAN),
            );
        }),
    ];
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("asks_too_much.gguf");
    for (named, change) in cases {
        let mut writer = Tiny::new(tiny::F32).build().writer;
        change(&mut writer);
        common::write(&path, &writer.bytes());
        let said = Engine::load(&path).err().expect("refused").to_string();
        assert!(
            said.contains(named) && said.ends_with("asks_too_much.gguf"),
            "{named}: {said}"
        );
    }
}
