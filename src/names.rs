//! Names that were meant.

/// The name most like `name` (Jaro and Winkler's measure; case does not count), the last of equals; empty where none is
/// known.
pub(crate) fn nearest<S: AsRef<str>>(name: &str, known: impl IntoIterator<Item = S>) -> String {
    let name = name.to_lowercase();
    let mut best: Option<(f64, S)> = None;
    for known in known {
        let likeness = strsim::jaro_winkler(&name, &known.as_ref().to_lowercase());
        if best.as_ref().is_none_or(|(most, _)| likeness >= *most) {
            best = Some((likeness, known));
        }
    }
    best.map_or_else(String::new, |(_, known)| known.as_ref().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_is_the_likest_in_any_case_and_the_last_of_equals() {
        let known = ["darts", "chain", "chain-vgg16", "NASNET-A"];
        for (name, expected) in
            [("dart", "darts"), ("CHAIN_VGG16", "chain-vgg16"), ("nasnet", "NASNET-A"), ("?", "NASNET-A")]
        {
            assert_eq!(nearest(name, known), expected);
        }
        assert_eq!(nearest("darts", [""; 0]), "");
    }
}
