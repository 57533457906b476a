//! Random search with weight sharing (Li & Talwalkar 2019, "Random search and reproducibility for neural architecture
//! search"): its loop is [`one_shot`](crate::search::one_shot).

use super::paths::Paths;
use crate::search::one_shot::Rank;
use crate::search::strategy::About;

/// Random search with weight sharing.
pub static METHOD: Paths = Paths {
    about: About {
        name: "rsps",
        paper: "Random search with weight sharing (Li & Talwalkar 2019)",
        weighs: "uniform architectures",
        runs: "one path",
        learns: "nothing",
        stops: "after its epochs",
        chooses: "best of random architectures with shared weights",
    },
    rank: Rank::Random,
    not_read: "evolution",
};
