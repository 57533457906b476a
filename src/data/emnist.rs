//! What is peculiar to EMNIST: its files hold rows as columns, and its letters are counted from 1.

use super::DataError;

/// Classes of the balanced split: digits, capitals, and the small letters that look unlike their capitals.
pub const BALANCED: [&str; 47] = [
    "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L", "M",
    "N", "O", "P", "Q", "R", "S", "T", "U", "V", "W", "X", "Y", "Z", "a", "b", "d", "e", "f", "g", "h", "n", "q", "r",
    "t",
];

/// Classes of the letters: small and capital ones are one class.
pub const LETTERS: [&str; 26] = [
    "A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L", "M", "N", "O", "P", "Q", "R", "S", "T", "U", "V", "W",
    "X", "Y", "Z",
];

/// Labels counted from 1, counted from 0.
///
/// # Errors
/// If one is 0: then they are not what they are taken for.
pub fn from_one(mut labels: Vec<u32>) -> Result<Vec<u32>, DataError> {
    for (index, label) in labels.iter_mut().enumerate() {
        *label = label.checked_sub(1).ok_or(DataError::LabelZero { index })?;
    }
    Ok(labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_counted_from_one() {
        assert_eq!(from_one(vec![1, 26]).unwrap(), [0, 25]);
        assert!(matches!(from_one(vec![1, 0]), Err(DataError::LabelZero { index: 1 })));
    }
}
