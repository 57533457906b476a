//! Without the feature `images` nothing encodes pictures.

/// None of any.
pub fn encode(_: &[u8], _: usize, _: usize) -> Option<Vec<u8>> {
    None
}
