//! ENAS (Pham et al. 2018, "Efficient neural architecture search via parameter sharing"): its loop is
//! [`enas`](crate::search::enas).

use super::Method;

/// ENAS.
pub const METHOD: Method = Method {
    name: "enas",
    paper: "ENAS (Pham et al. 2018)",
    weighs: "architectures written by an LSTM controller",
    runs: "one path",
    learns: "REINFORCE on accuracy with shared weights, moving-average baseline, entropy bonus",
    stops: "after its epochs",
    chooses: "best of the controller's samples with shared weights; random ones beside it",
    settings: None,
    without: &[],
};
