//! Files that cannot be read, and what is said of them.

use super::file::{File, int, ints, small, text, value};
use cellwright::export::onnx::proto::{AttributeProto, TensorProto, dtype};
use cellwright::export::onnx::read;

#[test]
fn what_cannot_be_read_is_refused_and_named() {
    let pooled = || File::new(13, [2, 4, 4]).node("GlobalAveragePool", &["x"], "y", &[]);
    let one = |operator: &str, attributes: &[AttributeProto]| {
        File::new(13, [2, 4, 4]).node(operator, &["x"], "y", attributes)
    };
    let edited = |edit: &dyn Fn(&mut File)| {
        let mut file = pooled();
        edit(&mut file);
        file
    };
    let cases: Vec<(File, &str)> = vec![
        (one("Erf", &[]), "node `erf0` (Erf): there is no operation that does this"),
        (one("Softmax", &[]), "is over dimension 1 of 2x4x4"),
        (one("Softmax", &[int("axis", 3)]), "is over dimension 3"),
        (
            File::new(13, [2, 4, 4])
                .node("GlobalAveragePool", &["x"], "g", &[])
                .node("Softmax", &["g"], "s", &[int("axis", 1)])
                .node("Relu", &["s"], "y", &[]),
            "stands within the network",
        ),
        (small(13).node("Div", &["w", "x"], "y", &[]), "divides by what is no constant"),
        (small(13).numbers("k", &[2], &[1.0, 0.0]).node("Mul", &["x", "k"], "y", &[]), "has a constant of shape [2]"),
        (small(13).numbers("k", &[], &[0.0]).node("Div", &["x", "k"], "y", &[]), "divides by zero"),
        (File::new(13, [2, 4, 3]).node("GlobalMaxPool", &["x"], "y", &[]), "only of squares"),
        (one("Relu", &[int("alpha", 1)]), "node `relu0` (Relu): its attribute `alpha` is not read here"),
        (
            small(13).list("s", &[0, -1]).node("Reshape", &["x", "s"], "y", &[int("allowzero", 1)]),
            "has allowzero = 1; only 0 can be represented",
        ),
        (one("Flatten", &[int("axis", 2)]), "flattens from dimension 2"),
        (one("Flatten", &[]), "is a map of 2x4x4 made flat"),
        (one("Concat", &[int("axis", 0)]), "joins along dimension 0"),
        (one("Transpose", &[ints("perm", &[0, 2, 3, 1])]), "only channel shuffles"),
        (one("Pad", &[text("mode", "reflect"), ints("pads", &[0; 8])]), "has mode = reflect"),
        (one("Pad", &[ints("pads", &[0, 1, 0, 0, 0, 0, 0, 0])]), "pads something else than rows and columns"),
        (one("Pad", &[ints("pads", &[0, 0, -4, 0, 0, 0, 0, 0])]), "leaves nothing of the map"),
        (one("MaxPool", &[]), "has no kernel_shape"),
        (one("MaxPool", &[ints("kernel_shape", &[0, 0])]), "needed are 2 numbers from 1 to 65536"),
        (one("MaxPool", &[ints("kernel_shape", &[2])]), "needed are 2 numbers"),
        (one("MaxPool", &[ints("kernel_shape", &[9, 9])]), "does not fit"),
        (small(13).node("Conv", &["x", "w"], "y", &[int("group", 2)]), "in 2 groups for 2x6x5"),
        (small(13).node("Conv", &["x", "w"], "y", &[int("group", i64::MIN)]), "has no groups"),
        (small(13).node("Conv", &["x", "x"], "y", &[]), "computes its input 1, which has to be a constant"),
        (small(13).node("Conv", &["x"], "y", &[]), "has no weight"),
        (
            small(13).numbers("0", &[4, 2, 0, 3], &[]).node(
                "Conv",
                &["x", "0"],
                "y",
                &[text("auto_pad", "SAME_UPPER")],
            ),
            "has kernel_shape [0, 3]",
        ),
        (
            small(13).node("Conv", &["x", "w"], "c", &[]).node("Mul", &["c", "x"], "y", &[]),
            "node `mul1` (Mul): mul1: multiply cannot multiply 2x6x5 and 4x4x3",
        ),
        (
            File::new(13, [2, 4, 4]).node("MaxPool", &["x"], "y indices", &[ints("kernel_shape", &[1, 1])]).node(
                "Relu",
                &["indices"],
                "z",
                &[],
            ),
            "",
        ),
        (edited(&|f| f.model.opset_import[0].version = 6), "uses operator set 6; 7 to 28 are read"),
        (edited(&|f| f.model.opset_import.clear()), "does not say which operators it uses"),
        (edited(&|f| f.model.graph = None), "has no graph"),
        (edited(&|f| f.graph().node[0].domain = "com.example".into()), "of the domain `com.example`"),
        (edited(&|f| f.graph().input.clear()), "has 0 inputs"),
        (edited(&|f| f.graph().output.clear()), "it has 0 outputs"),
        (edited(&|f| f.graph().node[0].input[0] = "z".into()), "reads `z`, which no node before it makes"),
        (edited(&|f| f.graph().node[0].input[0] = "y".into()), "reads `y`, which no node before it makes"),
        (
            edited(&|f| {
                let again = f.graph().node[0].clone();
                f.graph().node.push(again);
            }),
            "the value `y` is made twice",
        ),
        (edited(&|f| f.graph().node[0].output[0] = "x".into()), "the value `x` is given and made as well"),
        (
            edited(&|f| f.graph().initializer = vec![TensorProto { name: "a".into(), ..Default::default() }; 2]),
            "the array `a` is there twice",
        ),
        (edited(&|f| f.graph().sparse_initializer = vec![Default::default()]), "stored sparsely"),
        (
            edited(&|f| f.graph().input[0] = value("x", &[None, Some(1 << 40), Some(1), Some(1)])),
            "has size 1099511627776 in dimension 1",
        ),
        (
            edited(&|f| f.graph().input[0] = value("x", &[None, Some(65_536), Some(65_536), Some(65_536)])),
            "is larger than 2147483648 values",
        ),
        (
            edited(&|f| f.graph().input[0] = value("x", &[None, None, Some(1), Some(1)])),
            "leaves the size of dimension 1",
        ),
        (edited(&|f| f.graph().input[0] = value("x", &[None, Some(3)])), "reads a vector as input 0"),
        (
            edited(&|f| {
                let tensor = f.graph().input[0].r#type.as_mut().unwrap().tensor_type.as_mut().unwrap();
                tensor.elem_type = dtype::INT64;
            }),
            "has values of type int64",
        ),
    ];
    for (file, problem) in &cases {
        if problem.is_empty() {
            // A further result that nobody needs.
            file.read();
            continue;
        }
        assert!(file.error().contains(problem), "{} for {problem}", file.error());
    }
    for (raw, problem) in [(&b"not protobuf"[..], "not an ONNX file"), (b"", "has no graph")] {
        assert!(read(raw).unwrap_err().to_string().contains(problem));
    }
    let external = |f: &mut File| {
        let external_data = vec![Default::default()];
        f.graph().initializer = vec![TensorProto { name: "w".into(), external_data, ..Default::default() }];
    };
    let mut file = small(13).node("Conv", &["x", "w"], "y", &[]);
    external(&mut file);
    assert!(file.error().contains("array `w`: lies in another file"));
}

#[test]
fn a_small_file_does_not_become_a_large_network() {
    // Channels double again and again, then something needs as many numbers.
    let mut file = File::new(13, [64, 1, 1]);
    let mut last = "x".to_owned();
    for i in 0..24 {
        let next = format!("c{i}");
        file = file.node("Concat", &[&last, &last], &next, &[int("axis", 1)]);
        last = next;
    }
    let file =
        file.node("Pad", &[&last], "p", &[ints("pads", &[0, 0, 1, 1, 0, 0, 1, 1])]).node("Relu", &["p"], "y", &[]);
    let error = file.error();
    assert!(error.contains("more than the file can hold") || error.contains("is larger than"), "{error}");
    let deeper = (0..40).fold(File::new(13, [2, 1, 1]), |file, i| {
        let (from, to) = (if i == 0 { "x".to_owned() } else { format!("c{i}") }, format!("c{}", i + 1));
        file.node("Concat", &[&from, &from], &to, &[int("axis", 1)])
    });
    assert!(deeper.node("Relu", &["c40"], "y", &[]).error().contains("is larger than"));
}
