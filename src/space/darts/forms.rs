//! Genotypes read from whatever form they are given in, and written in all of them.

use super::{Genotype, GenotypeError, nni, published, text};
use crate::names::nearest;
use crate::space::Form;
use std::fmt;
use std::str::FromStr;

impl Genotype {
    /// Reads a genotype: the name of a [published](super::published) one, the reference's text, one list a node as pt.darts
    /// and AutoDL write it, FairDARTS' triples, or a dictionary (JSON); with whatever stands before and behind it, and with
    /// comments and line breaks anywhere. Of several that a text assigns to one name the last counts.
    ///
    /// ```
    /// use cellwright::space::darts::Genotype;
    ///
    /// let text = "Genotype(normal=[('sep_conv_3x3', 1), ('skip_connect', 0)], normal_concat=[2], \
    ///     reduce=[('max_pool_3x3', 0), ('skip_connect', 1)], reduce_concat=[2])";
    /// let genotype = Genotype::read(text)?;
    /// assert_eq!(genotype.normal.edges().count(), 2);
    /// assert_eq!(Genotype::read(&genotype.json().to_string())?, genotype);
    /// assert_eq!(Genotype::read("darts-v2")?, Genotype::read("DARTS_V2")?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`GenotypeError`] saying what is wrong, and where.
    pub fn read(text: &str) -> Result<Self, GenotypeError> {
        let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
        if let Some(published) = published::find(text) {
            return Ok(published.genotype.clone());
        }
        let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
        if !text.is_empty() && text != "Genotype" && text.chars().all(is_name) {
            let names: Vec<&str> = published::all().iter().map(|cell| cell.name.as_str()).collect();
            return Err(GenotypeError::Unknown {
                kind: "genotype",
                name: text.to_owned(),
                nearest: nearest(text, &names),
            });
        }
        text::parse(text)
    }

    /// As other programs write it: `darts` (the reference's pairs), `nested` (pt.darts), `autodl` (AutoDL-Projects), `triples`
    /// (FairDARTS), `nni` (NNI's exported architectures).
    pub fn forms(&self) -> Vec<Form> {
        let mut pairs = Form::new("darts", text::pairs(self));
        if let Some((kind, _)) =
            [("normal", &self.normal), ("reduction", &self.reduce)].iter().find(|(_, c)| !c.has_pairs())
        {
            let problem =
                format!("not all nodes of the {kind} cell have two edges: write it `nested`, `autodl` or `triples`");
            pairs.text = Err(problem);
        }
        let nni = nni::write(self).ok_or_else(|| "not all nodes have two edges and are joined".to_owned());
        vec![
            pairs,
            Form::new("nested", text::nested(self)),
            Form::new("autodl", text::autodl(self)),
            Form::new("triples", text::triples(self)),
            Form { name: "nni", text: nni },
        ]
    }
}

impl fmt::Display for Genotype {
    /// The reference's text; with a list for each node where not all have two edges.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&if self.normal.has_pairs() && self.reduce.has_pairs() {
            text::pairs(self)
        } else {
            text::nested(self)
        })
    }
}

impl FromStr for Genotype {
    type Err = GenotypeError;

    fn from_str(text: &str) -> Result<Self, GenotypeError> {
        Self::read(text)
    }
}

impl TryFrom<serde_json::Value> for Genotype {
    type Error = GenotypeError;

    fn try_from(value: serde_json::Value) -> Result<Self, GenotypeError> {
        text::parse(&value.to_string())
    }
}
