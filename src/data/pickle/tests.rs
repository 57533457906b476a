//! Pickles as Python 2 and 3 write them, assembled by hand.

use super::super::array::ArrayError;
use super::error::MOST_OBJECTS;
use super::*;

/// `text` with its length in one byte before it.
fn short(code: u8, text: &[u8]) -> Vec<u8> {
    [&[code, text.len() as u8], text].concat()
}

/// A batch as Python 2 wrote CIFAR's (protocol 2): `labels` under `key`, and rows of `width` bytes.
pub(crate) fn batch(labels: &[(&str, &[u8])], width: u16, pixels: &[u8]) -> Vec<u8> {
    let rows = (pixels.len() / usize::from(width)) as u16;
    let mut file = b"\x80\x02}q\x01(".to_vec();
    file.extend(short(b'U', b"data"));
    file.extend(b"cnumpy.core.multiarray\n_reconstruct\nq\x02cnumpy\nndarray\nq\x03K\x00\x85U\x01b\x87Rq\x04(K\x01");
    file.extend([b'M', rows as u8, (rows >> 8) as u8, b'M', width as u8, (width >> 8) as u8, 0x86]);
    file.extend(
        b"cnumpy\ndtype\nq\x05U\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89T",
    );
    file.extend((pixels.len() as u32).to_le_bytes());
    file.extend(pixels);
    file.extend(b"tb");
    for (key, values) in labels {
        file.extend(short(b'U', key.as_bytes()));
        file.extend(b"](");
        values.iter().for_each(|&value| file.extend([b'K', value]));
        file.push(b'e');
    }
    file.extend(short(b'U', b"batch_label"));
    file.extend(short(b'U', b"training batch 1 of 5"));
    file.extend(b"u.");
    file
}

/// The same as Python 3 writes it anew (protocol 4, numpy 2), with one list of labels.
pub(crate) fn batch_4(key: &str, values: &[u8], width: u16, pixels: &[u8]) -> Vec<u8> {
    let rows = (pixels.len() / usize::from(width)) as u16;
    let text = |text: &str| short(0x8c, text.as_bytes());
    let mut file = b"\x80\x04\x95\x00\x00\x00\x00\x00\x00\x00\x00}\x94(".to_vec();
    for part in [short(b'C', b"data"), vec![0x94], text("numpy._core.multiarray"), text("_reconstruct"), vec![0x93]] {
        file.extend(part);
    }
    file.extend([text("numpy"), vec![0x94], text("ndarray"), b"\x93K\x00\x85C\x01b\x87R\x94(K\x01".to_vec()].concat());
    file.extend([b'M', rows as u8, (rows >> 8) as u8, b'M', width as u8, (width >> 8) as u8, 0x86]);
    // `numpy` is the third thing remembered.
    file.extend(
        [b"h\x02".to_vec(), text("dtype"), b"\x93".to_vec(), text("u1"), b"\x89\x88\x87R\x94(K\x03".to_vec()].concat(),
    );
    file.extend([text("|"), b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89B".to_vec()].concat());
    file.extend((pixels.len() as u32).to_le_bytes());
    file.extend([pixels, b"t\x94b"].concat());
    file.extend([short(b'C', key.as_bytes()), b"\x94]\x94(".to_vec()].concat());
    values.iter().for_each(|&value| file.extend([b'K', value]));
    file.extend(b"eu.");
    file
}

fn check(file: &[u8], key: &'static str) {
    let pickle = Pickle::read(file).unwrap();
    assert_eq!(pickle.labels(key).unwrap(), [3, 1]);
    assert_eq!(pickle.array("data").unwrap().shape(), [2, 3]);
    assert_eq!(pickle.array("data").unwrap().rows(3).unwrap(), [0, 1, 2, 250, 251, 252]);
    assert!(pickle.has("data") && !pickle.has("fine_labels"));
}

const PIXELS: [u8; 6] = [0, 1, 2, 250, 251, 252];

#[test]
fn what_python_2_and_3_write_is_read_alike() {
    check(&batch(&[("labels", &[3, 1])], 3, &PIXELS), "labels");
    check(&batch_4("labels", &[3, 1], 3, &PIXELS), "labels");
    // Protocol 5, the bytes in place.
    let five = b"\x80\x05\x95\xc8\0\0\0\0\0\0\0}\x94(C\x04data\x94\x8c\x13numpy._core.numeric\x94\x8c\x0b_frombuffer\x94\x93\
        \x94(\x96\x06\0\0\0\0\0\0\0\x00\x01\x02\xfa\xfb\xfc\x94\x8c\x05numpy\x94\x8c\x05dtype\x94\x93\x94\x8c\x02u1\x94\x89\
        \x88\x87\x94R\x94(K\x03\x8c\x01|\x94NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0t\x94bK\x02K\x03\x86\x94\x8c\x01C\x94t\
        \x94R\x94\x8c\x06labels\x94]\x94(K\x03K\x01eu.";
    check(five, "labels");
    // Protocol 2 by Python 3: bytes are texts that are encoded.
    let two = b"\x80\x02}q\0(X\x04\0\0\0dataq\x02cnumpy.core.multiarray\n_reconstruct\nq\x06cnumpy\nndarray\nq\x07K\0\x85\
        c_codecs\nencode\nq\x01X\x01\0\0\0bX\x06\0\0\0latin1q\x03\x86R\x87R(K\x01K\x02K\x03\x86cnumpy\ndtype\nX\x02\0\0\0u1\
        \x89\x88\x87R(K\x03X\x01\0\0\0|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb\x89h\x01X\x09\0\0\0\0\x01\x02\xc3\xba\xc3\
        \xbb\xc3\xbch\x03\x86Rtbh\x01X\x06\0\0\0labelsh\x03\x86R]q\x1c(K\x03K\x01eu.";
    check(two, "labels");
    // Protocol 0, by Python 2.
    let zero = b"(dp1\nS'data'\np2\ncnumpy.core.multiarray\n_reconstruct\np3\n(cnumpy\nndarray\np4\n(I0\ntS'b'\ntR(I1\n(I2\n\
        I3\ntcnumpy\ndtype\n(S'u1'\nI0\nI1\ntR(I3\nS'|'\nNNNI-1\nI-1\nI0\ntbI00\nS'\\x00\\x01\\x02\\xfa\\xfb\\xfc'\ntbsS'labels'\
        \n(lp5\nI3\naL1L\nas.";
    check(zero, "labels");
}

#[test]
fn labels_may_be_numpys() {
    // [numpy.int64(3)], then an array ">i2" of (2).
    let file = b"\x80\x02}(X\x01\0\0\0a](cnumpy.core.multiarray\nscalar\ncnumpy\ndtype\nq\x01X\x02\0\0\0i8\x89\x88\x87R(K\x03X\
        \x01\0\0\0<NNNK\0tbC\x08\x03\0\0\0\0\0\0\0\x86ReX\x01\0\0\0bcnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n\
        K\0\x85C\x01b\x87R(K\x01K\x02\x85h\x01X\x02\0\0\0i2\x89\x88\x87R(K\x03X\x01\0\0\0>NNNK\0tb\x89C\x04\x01\0\0\x02tbu.";
    let pickle = Pickle::read(file).unwrap();
    assert_eq!((pickle.labels("a").unwrap(), pickle.labels("b").unwrap()), (vec![3], vec![256, 2]));
    assert_eq!(pickle.labels("c").unwrap_err().to_string(), "the pickle has no `c`; it holds a, b");
    assert!(pickle.array("a").is_err());
}

#[test]
fn nothing_is_run() {
    for (file, name) in [
        (&b"cos\nsystem\n(S'true'\ntR."[..], "os.system"),
        (b"\x80\x04\x8c\x08builtins\x8c\x04eval\x93\x8c\x011\x85R.", "builtins.eval"),
        (b"\x80\x02cnumpy\nload\n.", "numpy.load"),
        (b"c__builtin__\ngetattr\n.", "__builtin__.getattr"),
    ] {
        assert_eq!(Pickle::read(file).unwrap_err(), PickleError::Global { name: name.into() });
    }
    // Other ways to make objects, persistent names, extensions, buffers from elsewhere.
    for code in [b'i', b'o', 0x81, 0x92, b'P', b'Q', 0x82, 0x97, 0x8b] {
        let file = [b'N', code, b'.'];
        assert_eq!(Pickle::read(&file).unwrap_err(), PickleError::Instruction { at: 1, code });
    }
    assert!(matches!(Pickle::read(b"cnumpy\nndarray\n)R."), Err(PickleError::Wrong { .. })), "an array is not called");
}

#[test]
fn every_cut_is_noticed() {
    for file in [batch(&[("labels", &[3, 1])], 3, &PIXELS), batch_4("labels", &[3, 1], 3, &PIXELS)] {
        for cut in 0..file.len() {
            assert!(Pickle::read(&file[..cut]).is_err(), "cut at {cut}");
        }
    }
}

#[test]
fn sizes_that_lie_take_no_memory() {
    for file in [&b"B\xff\xff\xff\xff."[..], b"\x8e\xff\xff\xff\xff\xff\xff\xff\xff.", b"\x96\0\0\0\0\0\0\0\x01."] {
        assert!(matches!(Pickle::read(file), Err(PickleError::Cut { .. })));
    }
    // The shape says more than the bytes.
    let mut file = batch(&[("labels", &[3, 1])], 3, &PIXELS);
    let rows = file.iter().position(|&byte| byte == b'M').unwrap() + 2;
    file[rows] = 0xff;
    let pickle = Pickle::read(&file).unwrap();
    assert!(matches!(pickle.array("data"), Err(PickleError::Array { source: ArrayError::Size { .. }, .. })));
}

#[test]
fn building_without_end_is_stopped() {
    let error = Pickle::read(&vec![b'N'; MOST_OBJECTS + 2]).unwrap_err();
    assert!(matches!(error, PickleError::TooMuch { what: "objects", .. }), "{error}");
    assert!(Pickle::read(&vec![b'('; MOST_OBJECTS + 2]).is_err());
    // One text encoded again and again.
    let text = "x".repeat(10_000);
    let mut file = b"c_codecs\nencode\nq\0X\x10\x27\0\0".to_vec();
    file.extend(text.as_bytes());
    file.extend(b"q\x01X\x06\0\0\0latin1q\x02");
    (0..1000).for_each(|_| file.extend(b"h\0h\x01h\x02\x86R"));
    assert!(matches!(Pickle::read(&file), Err(PickleError::TooMuch { what: "bytes", .. })));
}

#[test]
fn a_stack_is_not_emptied_below_a_mark() {
    for file in [&b"N(0."[..], b"N(\x85.", b".", b"a.", b"e.", b"}(Nu.", b"h\0.", b"K\x01b.", b"]K\x01s."] {
        assert!(Pickle::read(file).is_err(), "{file:?}");
    }
}
