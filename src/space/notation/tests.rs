use super::*;
use proptest::prelude::*;

fn value(text: &str) -> Kind {
    plain(read(text, 0).unwrap().0)
}

/// Without places, which tests of values do not care for.
fn plain(value: Value) -> Kind {
    let strip = |v: Value| Value { at: 0, kind: plain(v) };
    match value.kind {
        Kind::List(items) => Kind::List(items.into_iter().map(strip).collect()),
        Kind::Map(pairs) => Kind::Map(pairs.into_iter().map(|(k, v)| (strip(k), strip(v))).collect()),
        Kind::Call { name, arguments } => {
            Kind::Call { name, arguments: arguments.into_iter().map(|(k, v)| (k, strip(v))).collect() }
        }
        other => other,
    }
}

#[test]
fn what_only_dresses_a_value_is_left_out() {
    let wanted = value("[2, 3, 4, 5]");
    for text in [
        "range(2, 6)",
        "list(range(2, 6))",
        "(2,3,4,5,)",
        "np.array([2, 3, 4, 5])",
        "array([2, 3, 4, 5], dtype=int64)",
        "[np.int64(2), numpy.int32(3), int(4), 5]",
        "[2, # first\n 3,\n\t4, \\\n 5]",
        "\u{feff} {2, 3, 4, 5}",
    ] {
        assert_eq!(value(text), wanted, "{text}");
    }
    assert_eq!(value("u'sep' \"_conv\""), Kind::Text("sep_conv".into()));
    assert_eq!(value("'sep_\nconv'"), Kind::Text("sep_conv".into()));
    assert_eq!(value("1e-3"), Kind::Float(1e-3));
    assert_eq!(value("{'a': None}"), value("{\"a\": null}"));
}

#[test]
fn places_are_counted_in_characters_and_lines() {
    let error = read("[1, é, ~]", 0).unwrap_err().to_string();
    assert_eq!(error, "character 8: expected a value, found `~]`");
    let error = read("[1,\n 2\n 3]", 0).unwrap_err().to_string();
    assert_eq!(error, "line 3, character 2: expected `,` or `]`, found `3]`");
    let deep = "[".repeat(10_000);
    assert!(read(&deep, 0).unwrap_err().to_string().contains("nested at most"));
    let many = format!("[{}]", "1,".repeat(MOST_VALUES));
    assert!(read(&many, 0).unwrap_err().to_string().contains("at most 20000 values"));
    assert!(read("range(1000000000)", 0).is_err());
}

#[test]
fn calls_are_found_with_the_name_before_them_and_not_in_comments() {
    let text = "from x import Genotype\n# OLD = Genotype(1)\nA = Genotype(2)\nB: Genotype = g.Genotype (3)\n\
                07:11 INFO genotype = Genotype(4)\n 3: Genotype(5)\nGenotype(6) # Genotype(7)\nMyGenotype(8)\n";
    let found: Vec<_> = calls(text, "Genotype").iter().map(|e| (e.label(), e.assigned)).collect();
    let wanted = [("A", true), ("B", true), ("genotype", true), ("3 (line 6)", false), ("line 7", false)];
    assert_eq!(found, wanted.map(|(label, assigned)| (label.to_owned(), assigned)));
    assert_eq!(calls("# Genotype(1)", "Genotype").len(), 1);
}

#[test]
fn a_name_is_looked_up_in_a_file_and_through_other_names() {
    let text =
        "import x\nFIRST = (1, 2)  # one\nSECOND = [3,\n  4]\nBEST = SECOND  # the last\nCELL: |a~0|\nFIRST = (5,)\n";
    assert_eq!(assigned(text, "SECOND").unwrap(), "[3,\n  4]");
    assert_eq!(assigned(text, "BEST").unwrap(), "[3,\n  4]");
    assert_eq!(assigned(text, "FIRST").unwrap(), "(5,)");
    assert_eq!(assigned(text, "CELL").unwrap(), "|a~0|");
    let error = assigned(text, "SECND").unwrap_err().to_string();
    assert!(
        error.contains("nothing is called `SECND`: did you mean `SECOND`? (names in it: FIRST, SECOND, BEST, CELL"),
        "{error}"
    );
    assert!(assigned("A = A\nB = C\nC = B\n", "B").is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_a_reader_panic(text in "[-a-zé0-9='\"\\[\\](){}:,|~#\\\\ \n.]{0,80}") {
        let _ = read(&text, 0);
        let _ = calls(&text, "a");
        let _ = assigned(&text, "a");
    }
}
