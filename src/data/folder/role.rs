//! What the parts of a dataset are called.

/// What pictures are for, by the name of the folder, table or column entry that holds them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// `train`, `training`.
    Train,
    /// `val`, `valid`, `validation`.
    Validation,
    /// `test`, `testing`.
    Test,
}

impl Role {
    /// The role that a name means, in any letter case; `train_images`, `test-set` and `trainLabels` mean one too.
    pub fn of(name: &str) -> Option<Self> {
        let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
        // Nothing but letters and what joins words: `train é` is another name.
        if !name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ' ')) {
            return None;
        }
        let stem = ["images", "labels", "set"].iter().find_map(|end| plain.strip_suffix(end)).unwrap_or(&plain);
        match stem {
            "train" | "training" => Some(Self::Train),
            "val" | "valid" | "validation" => Some(Self::Validation),
            "test" | "testing" => Some(Self::Test),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_parts_are_known_in_any_letter_case() {
        for (name, role) in [
            ("train", Some(Role::Train)),
            ("Training", Some(Role::Train)),
            ("trainLabels", Some(Role::Train)),
            ("VAL", Some(Role::Validation)),
            ("Valid", Some(Role::Validation)),
            ("validation", Some(Role::Validation)),
            ("TEST", Some(Role::Test)),
            ("testing", Some(Role::Test)),
            ("test_images", Some(Role::Test)),
            ("trains", None),
            ("dataset", None),
            ("", None),
            ("trainé", None),
        ] {
            assert_eq!(Role::of(name), role, "{name}");
        }
    }
}
