//! Random search with weight sharing (Li & Talwalkar 2019, "Random search and reproducibility for neural architecture
//! search"): its loop is [`one_shot`](crate::search::one_shot).

use super::Method;

/// Random search with weight sharing.
pub const METHOD: Method = Method {
    name: "rsps",
    paper: "Random search with weight sharing (Li & Talwalkar 2019)",
    weighs: "uniform architectures",
    runs: "one path",
    learns: "nothing",
    stops: "after its epochs",
    chooses: "best of random architectures with shared weights",
    settings: None,
    without: &[],
};
