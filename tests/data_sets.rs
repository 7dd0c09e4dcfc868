//! Data sets: known counts and checksums, files that mean harm, batches that resume.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use flate2::{Compression, write::GzEncoder};
use proptest::prelude::*;
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use vitrine::Error;
use vitrine::data::{
    Batches, Dataset, DatasetSource, Datasets, Idx, MAX_BYTES, Scale, Shape, Split,
};
use vitrine::rng::Rng;
use vitrine::store::{Paths, atomic_write};

fn assets_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("assets")
}

static MNIST: LazyLock<Datasets> = LazyLock::new(|| {
    let paths = Paths::under(Path::new("/absent"));
    let began = std::time::Instant::now();
    let sets = DatasetSource::Mnist.load(None, &assets_dir(), &paths);
    println!("MNIST loaded in {:?}", began.elapsed());
    sets.expect("MNIST ships")
});

/// An idx file as it lies on the disk.
fn idx(dims: &[u32], bytes: &[u8]) -> Vec<u8> {
    let count = u8::try_from(dims.len()).expect("few");
    let mut file = vec![0, 0, 8, count];
    file.extend(dims.iter().flat_map(|dim| dim.to_be_bytes()));
    file.extend_from_slice(bytes);
    file
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).expect("packed");
    encoder.finish().expect("packed")
}

fn decode(bytes: &[u8]) -> Result<Idx, Error> {
    Idx::decode(bytes, Path::new("folder/file"))
}

/// The message of a refusal, which has to name the file.
fn refused(bytes: &[u8]) -> String {
    match decode(bytes) {
        Err(error @ Error::BadFile { .. }) => {
            let said = error.to_string();
            assert!(said.ends_with(": folder/file"), "{said}");
            said
        }
        other => panic!("not refused: {other:?}"),
    }
}

fn counts(labels: &[u8]) -> Vec<usize> {
    let mut counts = vec![0; 10];
    for label in labels {
        counts[usize::from(*label)] += 1;
    }
    counts
}

// --- MNIST ----------------------------------------------------------------------------------------

#[test]
fn mnist_is_byte_for_byte_the_published_one() {
    // Of the raw files whose MD5 are the published ones (assets/data/pack-mnist checks those).
    let sums = [
        (
            Split::Train,
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        ),
        (
            Split::Test,
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        ),
    ];
    for (split, images, labels) in sums {
        let set = MNIST.split(split);
        let count = u32::try_from(set.len()).expect("few");
        let sum = |file: Vec<u8>| {
            let hex = |byte: &u8| format!("{byte:02x}");
            Sha256::digest(file).iter().map(hex).collect::<String>()
        };
        assert_eq!(
            sum(idx(&[count, 28, 28], set.images())),
            images,
            "{split:?}"
        );
        assert_eq!(sum(idx(&[count], set.labels())), labels, "{split:?}");
    }
}

#[test]
fn mnist_has_its_known_counts() {
    let (train, test) = (&MNIST.train, &MNIST.test);
    assert_eq!((train.len(), test.len()), (60_000, 10_000));
    let shape = Shape {
        channels: 1,
        height: 28,
        width: 28,
    };
    assert_eq!((train.shape(), test.shape()), (shape, shape));
    let digits: Vec<String> = (0..10).map(|digit| digit.to_string()).collect();
    assert_eq!(train.classes(), digits);
    let known = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949];
    assert_eq!(counts(train.labels()), known);
    let known = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009];
    assert_eq!(counts(test.labels()), known);
    // The famous first sample is a five.
    assert_eq!(train.labels()[0], 5);
    assert!(train.image(59_999).is_some() && train.image(60_000).is_none());
}

#[test]
fn mnist_s_published_mean_and_deviation_are_measured() {
    // 0.1307 and 0.3081: what PyTorch's example and open_lth normalise MNIST by.
    let normalised = MNIST.test.normalised(&Scale::standard(&MNIST.train));
    let of_byte = |byte: f64| (byte / 255.0 - 0.1307) / 0.3081;
    for (byte, value) in MNIST.test.images().iter().zip(&normalised).step_by(97) {
        let expected = of_byte(f64::from(*byte));
        assert!(
            (f64::from(*value) - expected).abs() < 1e-3,
            "{byte}: {value}, not {expected}"
        );
    }
}

#[test]
fn only_mnist_is_there_without_fetching_or_a_folder() {
    let paths = Paths::under(Path::new("/absent"));
    for (source, part) in [
        (DatasetSource::Fashion, "vitrine fetch fashion-mnist"),
        (DatasetSource::Cifar10, "data_batch_1.bin"),
    ] {
        let said = match source.load(None, &assets_dir(), &paths) {
            Err(Error::Missing(said)) => said,
            other => panic!("{other:?}"),
        };
        assert!(
            said.starts_with(source.title()) && said.contains(part),
            "{said}"
        );
    }
    let manifest = vitrine::store::Manifest::embedded().expect("sound");
    for name in DatasetSource::ALL.iter().flat_map(|source| source.needs()) {
        let asset = manifest.get(name).expect("a row");
        assert!(asset.path.starts_with("fashion-mnist"), "{name}");
    }
}

/// Needs `apt-get` or a connection.
#[test]
#[ignore = "downloads 31 MB"]
fn fashion_mnist_can_be_fetched_and_has_its_known_counts() {
    let folder = tempfile::tempdir().expect("folder");
    let paths = Paths::under(folder.path());
    let manifest = vitrine::store::Manifest::embedded().expect("sound");
    for name in DatasetSource::Fashion.needs() {
        let asset = manifest.get(name).expect("a row");
        vitrine::store::fetch_blocking(asset, &paths, &mut |_| {}).expect("fetched");
    }
    let sets = DatasetSource::Fashion
        .load(None, &assets_dir(), &paths)
        .expect("there");
    assert_eq!(counts(sets.train.labels()), [6000; 10]);
    assert_eq!(counts(sets.test.labels()), [1000; 10]);
    assert_eq!(sets.train.classes()[9], "Ankle boot");
    assert_eq!(sets.train.labels()[0], 9);
}

// --- Idx files ------------------------------------------------------------------------------------

#[test]
fn an_idx_file_is_read_plain_gzipped_and_xz() {
    let file = idx(&[10], &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    let expected = Idx {
        dims: vec![10],
        bytes: (0..10).collect(),
    };
    let xz = include_bytes!("data/idx/digits.xz");
    for packed in [&file[..], &gzip(&file), &xz[..]] {
        assert_eq!(decode(packed).expect("sound"), expected);
    }
    // One gzip file may be several behind each other.
    let parts = [gzip(&file[..9]), gzip(&file[9..])].concat();
    assert_eq!(decode(&parts).expect("sound"), expected);
}

#[test]
fn hostile_idx_files_are_refused_with_a_reason() {
    let sound = idx(&[2, 3], &[7; 6]);
    let mut of_floats = sound.clone();
    of_floats[2] = 0x0d;
    let mut of_nothing_known = sound.clone();
    of_nothing_known[2] = 0x42;
    let longer = [&sound[..], b"x"].concat();
    let most = u32::try_from(MAX_BYTES).expect("fits");
    let cases = [
        (vec![], "not an idx file"),
        (vec![0, 0, 8], "not an idx file"),
        (b"\x89PNG\r\n\x1a\n".to_vec(), "not an idx file"),
        (of_floats, "32-bit floats"),
        (of_nothing_known, "0x42"),
        (vec![0, 0, 8, 0], "0 dimensions"),
        (idx(&[1; 5], &[1]), "5 dimensions"),
        (vec![0, 0, 8, 255], "255 dimensions"),
        (sound[..11].to_vec(), "cut off within the sizes"),
        (idx(&[0, 28, 28], &[]), "holds nothing"),
        (idx(&[u32::MAX; 4], &[1; 9]), "asks for"),
        (idx(&[most, 1, 2], &[1; 9]), "asks for"),
        (idx(&[1 << 31, 1 << 31, 4, 1], &[]), "asks for"),
        (idx(&[most], &[1; 9]), "9 of the 268435456 bytes"),
        (sound[..17].to_vec(), "5 of the 6 bytes for 2 × 3"),
        (longer.clone(), "more in it than the 6 bytes"),
        // The same, packed: nothing is known of the length before.
        (gzip(&idx(&[most], &[1; 9])), "9 of the 268435456 bytes"),
        (gzip(&idx(&[u32::MAX; 4], &[1; 9])), "asks for"),
        (gzip(&longer), "more in it"),
        (gzip(&sound)[..20].to_vec(), "cannot be unpacked"),
        (gzip(&sound)[..10].to_vec(), "cannot be unpacked"),
        (
            [&gzip(&sound)[..], b"behind"].concat(),
            "cannot be unpacked",
        ),
        (gzip(&gzip(&sound)), "not an idx file"),
        (b"\xfd7zXZ\0".to_vec(), "cannot be unpacked"),
    ];
    for (bytes, expected) in cases {
        let said = refused(&bytes);
        assert!(said.contains(expected), "{expected}: {said}");
    }
}

#[test]
fn a_wrong_checksum_is_noticed() {
    let file = idx(&[10], &(0..10).collect::<Vec<u8>>());
    let mut packed = gzip(&file);
    let crc = packed.len() - 8;
    packed[crc] ^= 1;
    assert!(refused(&packed).contains("cannot be unpacked"));
    let mut packed = include_bytes!("data/idx/digits.xz").to_vec();
    let digit = packed.windows(4).position(|w| w == [4, 5, 6, 7]);
    packed[digit.expect("stored as it is")] ^= 1;
    assert!(refused(&packed).contains("cannot be unpacked"));
}

#[test]
fn a_bomb_is_not_unpacked() {
    // 10 bytes are promised and 64 MiB would come. The bombs are cut off, so that whoever unpacks
    // all of one finds it damaged.
    let mut bomb = idx(&[10], &[]);
    bomb.resize(64 << 20, 0);
    let gzip_bomb = gzip(&bomb);
    for bomb in [&gzip_bomb[..], include_bytes!("data/idx/bomb.xz")] {
        let said = refused(&bomb[..bomb.len() / 2]);
        assert!(said.contains("more in it than the 10 bytes"), "{said}");
    }
    let greedy = include_bytes!("data/idx/greedy.xz");
    assert!(refused(greedy).contains("memory"), "{}", refused(greedy));
}

#[test]
fn what_is_no_file_is_refused() {
    let folder = tempfile::tempdir().expect("folder");
    let said = Idx::read(folder.path()).expect_err("a folder").to_string();
    assert!(said.contains("not a file"), "{said}");
    let absent = Idx::read(&folder.path().join("absent"));
    assert!(matches!(absent, Err(Error::Io { .. })));
    // Holes cost no room on the disk.
    let large = folder.path().join("large");
    let file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&large);
    file.and_then(|file| file.set_len(MAX_BYTES + 1))
        .expect("made");
    let said = Idx::read(&large).expect_err("large").to_string();
    assert!(said.contains("257 MiB where at most 256 MiB"), "{said}");
}

proptest! {
    #[test]
    fn any_idx_file_comes_back(
        dims in prop::collection::vec(1_u32..7, 1..5),
        seed in any::<u64>(),
        packed in any::<bool>(),
    ) {
        let mut rng = Rng::new(seed);
        let len: u32 = dims.iter().product();
        let bytes: Vec<u8> = (0..len).map(|_| rng.next_u64().to_le_bytes()[0]).collect();
        let file = idx(&dims, &bytes);
        let back = decode(&if packed { gzip(&file) } else { file }).expect("sound");
        let dims: Vec<usize> = dims.iter().map(|dim| *dim as usize).collect();
        prop_assert_eq!(back, Idx { dims, bytes });
    }

    #[test]
    fn no_bytes_make_the_reader_panic_or_lie(
        start in 0_usize..5,
        tail in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let starts: [&[u8]; 5] = [b"", b"\0\0\x08\x01\0\0\0", b"\0\0\x08", b"\x1f\x8b\x08\0", b"\xfd7zXZ\0\0"];
        if let Ok(read) = decode(&[starts[start], &tail].concat()) {
            prop_assert_eq!(read.dims.iter().product::<usize>(), read.bytes.len());
        }
    }

    #[test]
    fn a_damaged_file_is_refused_or_harmless(
        which in 0_usize..3,
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<prop::sample::Index>(),
        cuts in any::<bool>(),
    ) {
        let file = idx(&[4, 5, 5], &(0..100).collect::<Vec<u8>>());
        let xz = include_bytes!("data/idx/digits.xz");
        let mut bytes = [file.clone(), gzip(&file), xz.to_vec()][which].clone();
        for (at, flip) in flips {
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
        }
        if cuts {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok(read) = decode(&bytes) {
            prop_assert_eq!(read.dims.iter().product::<usize>(), read.bytes.len());
        }
    }
}

// --- Folders --------------------------------------------------------------------------------------

/// A folder with a tiny set in MNIST's format, 4 samples to learn from and 2 to test on.
fn tiny_folder() -> TempDir {
    let folder = tempfile::tempdir().expect("folder");
    let put = |name: &str, bytes: &[u8]| {
        atomic_write(&folder.path().join(name), bytes).expect("written");
    };
    let pixels: Vec<u8> = (0..24).collect();
    put("train-images-idx3-ubyte", &idx(&[4, 2, 3], &pixels));
    put(
        "train-labels-idx1-ubyte.gz",
        &gzip(&idx(&[4], &[0, 1, 2, 1])),
    );
    put("t10k-images.idx3-ubyte", &idx(&[2, 2, 3], &pixels[..12]));
    put("t10k-labels-idx1-ubyte", &idx(&[2], &[2, 0]));
    folder
}

#[test]
fn a_folder_of_idx_files_is_a_data_set() {
    let folder = tiny_folder();
    let sets = Datasets::from_folder(folder.path()).expect("sound");
    assert_eq!(sets.train.labels(), [0, 1, 2, 1]);
    assert_eq!(sets.train.image(1), Some(&[6, 7, 8, 9, 10, 11][..]));
    assert_eq!(sets.train.shape().len(), 6);
    assert_eq!(sets.test.labels(), [2, 0]);
    assert_eq!(sets.test.classes(), ["0", "1", "2"]);
    // Under another name the classes are known.
    let paths = Paths::under(Path::new("/absent"));
    let fashion = DatasetSource::Fashion.load(Some(folder.path()), &assets_dir(), &paths);
    assert_eq!(fashion.expect("sound").train.classes()[2], "Pullover");
}

#[test]
fn a_folder_that_does_not_fit_says_what_is_wrong() {
    let said = |change: &dyn Fn(&Path)| {
        let folder = tiny_folder();
        change(folder.path());
        let paths = Paths::under(Path::new("/absent"));
        let read = DatasetSource::Fashion.load(Some(folder.path()), &assets_dir(), &paths);
        read.expect_err("refused").to_string()
    };
    let put = |name: &'static str, bytes: Vec<u8>| {
        move |folder: &Path| atomic_write(&folder.join(name), &bytes).expect("written")
    };
    let text = said(&|folder| {
        fs::remove_file(folder.join("t10k-images.idx3-ubyte")).expect("removed");
        fs::remove_file(folder.join("t10k-labels-idx1-ubyte")).expect("removed");
    });
    let expected = "lacks t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte (each";
    assert!(text.contains(expected), "{text}");
    let text = said(&put("train-labels-idx1-ubyte", idx(&[3], &[0; 3])));
    assert!(text.contains("3 labels for 4 pictures"), "{text}");
    let text = said(&put("train-images-idx3-ubyte", idx(&[4], &[0; 4])));
    assert!(
        text.contains("1 dimensions where pictures have 3"),
        "{text}"
    );
    let text = said(&put("train-labels-idx1-ubyte", idx(&[2, 2], &[0; 4])));
    assert!(text.contains("2 dimensions where labels have 1"), "{text}");
    let text = said(&put("t10k-images-idx3-ubyte", idx(&[2, 3, 2], &[0; 12])));
    assert!(text.contains("different sizes"), "{text}");
    let text = said(&put("train-labels-idx1-ubyte", idx(&[4], &[0, 1, 10, 1])));
    assert!(text.contains("a label 10 where 10 classes"), "{text}");
    let text = said(&|folder| fs::remove_dir_all(folder).expect("removed"));
    assert!(text.contains("no such folder"), "{text}");
}

/// A folder of CIFAR-10's six files, each with two records.
fn cifar_folder(below: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("folder");
    let record = |label: u8| {
        let mut record = vec![label];
        for color in 0..3_u8 {
            record.extend([label * 10 + color; 1024]);
        }
        record
    };
    for (at, name) in (0..).zip(["1", "2", "3", "4", "5"]) {
        let bytes = [record(at), record(9 - at)].concat();
        let name = format!("{below}data_batch_{name}.bin");
        atomic_write(&folder.path().join(name), &bytes).expect("written");
    }
    let bytes = [record(3), record(8)].concat();
    let name = format!("{below}test_batch.bin");
    atomic_write(&folder.path().join(name), &bytes).expect("written");
    folder
}

fn load_cifar(folder: &Path) -> Result<Datasets, Error> {
    let paths = Paths::under(Path::new("/absent"));
    DatasetSource::Cifar10.load(Some(folder), &assets_dir(), &paths)
}

#[test]
fn cifar_is_read_in_order_from_the_folder_or_the_one_in_it() {
    for below in ["", "cifar-10-batches-bin/"] {
        let folder = cifar_folder(below);
        let sets = load_cifar(folder.path()).expect("sound");
        assert_eq!(sets.train.labels(), [0, 9, 1, 8, 2, 7, 3, 6, 4, 5]);
        assert_eq!(sets.test.labels(), [3, 8]);
        assert_eq!(sets.train.classes()[8], "ship");
        let image = sets.test.image(1).expect("there");
        assert_eq!((image[0], image[1024], image[3071]), (80, 81, 82), "planes");
        // Each channel by its own mean: one colour on all pixels of a channel of two pictures.
        let values = sets.test.normalised(&Scale::standard(&sets.test));
        for (at, expected) in [(0, -1.0), (1024, -1.0), (3072, 1.0), (6143, 1.0)] {
            assert!((values[at] - expected).abs() < 1e-5, "{at}: {}", values[at]);
        }
    }
}

#[test]
fn cifar_files_that_are_not_whole_or_not_cifar_are_refused() {
    let refused = |name: &str, bytes: Option<&[u8]>| {
        let folder = cifar_folder("");
        match bytes {
            Some(bytes) => atomic_write(&folder.path().join(name), bytes).expect("written"),
            None => fs::remove_file(folder.path().join(name)).expect("removed"),
        }
        load_cifar(folder.path()).expect_err("refused").to_string()
    };
    let mut wrong_label = vec![0; 2 * 3073];
    wrong_label[3073] = 10;
    let bomb = gzip(&vec![0; usize::try_from(MAX_BYTES).expect("fits") + 1]);
    for (name, bytes, expected) in [
        (
            "data_batch_2.bin",
            None,
            "lacks data_batch_2.bin of CIFAR-10",
        ),
        (
            "data_batch_3.bin",
            Some(&[0; 3072][..]),
            "3072 bytes are not whole records",
        ),
        ("test_batch.bin", Some(b""), "0 bytes are not whole records"),
        (
            "data_batch_5.bin",
            Some(&wrong_label),
            "record 1 has the label 10",
        ),
        (
            "test_batch.bin",
            Some(&bomb),
            "unpacks to more than 256 MiB",
        ),
    ] {
        let said = refused(name, bytes);
        assert!(said.contains(expected), "{expected}: {said}");
    }
}

// --- Sets and batches -----------------------------------------------------------------------------

fn small_set() -> Dataset {
    let shape = Shape {
        channels: 1,
        height: 1,
        width: 3,
    };
    let images = vec![0, 51, 255, 1, 2, 3, 10, 20, 30, 40, 50, 60];
    let classes = vec!["a".to_owned(), "b".to_owned()];
    Dataset::new(images, vec![0, 1, 1, 0], shape, classes).expect("fits")
}

#[test]
fn sets_that_do_not_fit_are_refused() {
    let shape = small_set().shape();
    let classes = || vec!["a".to_owned()];
    let huge = Shape {
        channels: usize::MAX,
        height: 2,
        width: 2,
    };
    for (images, labels, shape) in [
        (vec![0; 5], vec![0, 0], shape),
        (vec![], vec![], shape),
        (vec![0; 3], vec![1], shape),
        (vec![0; 4], vec![0], huge),
    ] {
        let set = Dataset::new(images, labels, shape, classes());
        assert!(matches!(set, Err(Error::Input(_))), "{set:?}");
    }
}

#[test]
fn a_batch_holds_the_pixels_and_labels_of_its_samples() {
    let set = small_set();
    let (mut pixels, mut labels) = ([9.0; 6], [9; 2]);
    set.gather(&[2, 0], &Scale::unit(), &mut pixels, &mut labels);
    let expected = [10.0 / 255.0, 20.0 / 255.0, 30.0 / 255.0, 0.0, 0.2, 1.0];
    assert_eq!(pixels.map(f32::to_bits), expected.map(f32::to_bits));
    assert_eq!(labels, [1, 0]);
    let all = set.normalised(&Scale::unit());
    assert_eq!((all.len(), all[2], all[6]), (12, 1.0, 10.0 / 255.0));
}

#[test]
fn held_out_samples_are_drawn_by_the_seed_and_none_is_lost() {
    let split = |seed| MNIST.train.hold_out(5000, &Rng::new(seed)).expect("fits");
    let (train, validation) = split(1);
    assert_eq!((train.len(), validation.len()), (55_000, 5000));
    let both = [train.labels(), validation.labels()].concat();
    assert_eq!(counts(&both), counts(MNIST.train.labels()));
    // Every picture of MNIST is there once, whichever part it is in.
    let sorted = |sets: &[&Dataset]| {
        let images = sets.iter().flat_map(|set| set.images().chunks_exact(784));
        let mut images: Vec<&[u8]> = images.collect();
        images.sort_unstable();
        images.into_iter().map(<[u8]>::to_vec).collect::<Vec<_>>()
    };
    assert!(sorted(&[&train, &validation]) == sorted(&[&MNIST.train]));
    assert!(split(1).1 == validation, "the same seed");
    assert!(split(2).1 != validation, "another seed");
    // A twelfth of every class is expected; five deviations of a binomial are below 110.
    for (class, count) in counts(validation.labels()).into_iter().enumerate() {
        let expected = counts(MNIST.train.labels())[class] / 12;
        assert!(count.abs_diff(expected) < 110, "class {class}: {count}");
    }
    for held_out in [0, 4, 5] {
        assert!(small_set().hold_out(held_out, &Rng::new(0)).is_err());
    }
    assert!(small_set().subset(&[4]).is_err() && small_set().subset(&[]).is_err());
}

#[test]
fn every_epoch_visits_every_sample_once_in_another_order() {
    for (len, batch, steps) in [(10, 3, 4), (12, 4, 3), (5, 9, 1), (1, 1, 1)] {
        let mut batches = Batches::new(len, batch, &Rng::new(7));
        assert_eq!(batches.steps_per_epoch(), steps);
        for epoch in 0..3 {
            let mut seen = Vec::new();
            for step in 0..steps {
                assert_eq!(batches.epoch(), epoch);
                let indices = batches.next_batch();
                let whole = step + 1 < steps || len % batch == 0;
                assert!(!whole || indices.len() == batch);
                seen.extend_from_slice(indices);
            }
            seen.sort_unstable();
            let all: Vec<u32> = (0..).take(len).collect();
            assert_eq!(seen, all, "{len} samples in batches of {batch}");
        }
    }
    let epoch = |seed, number: u64| {
        let mut batches = Batches::new(100, 100, &Rng::new(seed));
        batches.seek(number);
        batches.next_batch().to_vec()
    };
    assert_ne!(epoch(1, 0), epoch(1, 1), "epochs differ");
    assert_ne!(epoch(1, 0), epoch(2, 0), "seeds differ");
    assert_eq!(epoch(1, 5), epoch(1, 5));
}

#[test]
fn batches_resume_at_any_step() {
    let fresh = || Batches::new(23, 4, &Rng::new(3));
    let mut batches = fresh();
    let whole: Vec<Vec<u32>> = (0..30).map(|_| batches.next_batch().to_vec()).collect();
    for stop in [0, 1, 5, 6, 7, 17, 29] {
        let mut first = fresh();
        for _ in 0..stop {
            first.next_batch();
        }
        let stored = serde_json::to_string(&first.step()).expect("serialises");
        let mut resumed = fresh();
        resumed.seek(serde_json::from_str(&stored).expect("reads back"));
        for (step, expected) in whole.iter().enumerate().skip(stop) {
            assert_eq!(resumed.next_batch(), expected, "{step} from {stop}");
        }
        // Going back is no different.
        resumed.seek(2);
        assert_eq!(resumed.next_batch(), whole[2]);
    }
    // A number that came from a damaged file is far away, not harmful.
    let mut far = fresh();
    far.seek(u64::MAX);
    assert!(!far.next_batch().is_empty());
}

#[test]
fn every_order_is_equally_likely() {
    let mut batches = Batches::new(4, 4, &Rng::new(11));
    let mut seen = std::collections::BTreeMap::new();
    for _ in 0..24_000 {
        *seen.entry(batches.next_batch().to_vec()).or_insert(0_u32) += 1;
    }
    assert_eq!(seen.len(), 24);
    // Chi-squared with 23 degrees of freedom: above 58.6 in one of 15,000 cases.
    let chi: f64 = seen
        .values()
        .map(|count| (f64::from(*count) - 1000.0).powi(2) / 1000.0)
        .sum();
    assert!(chi < 58.6, "{chi}");
}
