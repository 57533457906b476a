//! Reads the genotype text of the reference implementation, as people paste it.
//!
//! ```text
//! [NAME =] Genotype( part=value, … )
//! value:    list of ('primitive', state) | list of states | range(end) | range(start, end)
//! ```
//! Parts come in any order, quotes may be single or double, brackets round or square, a comma may
//! follow the last item.

use super::{CELL_INPUTS, CellGenotype, Edge, Genotype, GenotypeError, MOST_NODES, Primitive};
use crate::space::error::nearest;

/// More than any valid genotype has: a list is refused before it is stored without end.
const MOST_ITEMS: usize = 2 * (MOST_NODES + CELL_INPUTS);
const PARTS: [&str; 4] = ["normal", "normal_concat", "reduce", "reduce_concat"];

pub(super) fn parse(text: &str) -> Result<Genotype, GenotypeError> {
    let mut reader = Reader { characters: text.chars().collect(), at: 0 };
    let mut name = reader.word("`Genotype(`")?;
    if name != "Genotype" && reader.take('=') {
        name = reader.word("`Genotype(`")?;
    }
    if name != "Genotype" {
        reader.at -= name.chars().count();
        return Err(reader.expected("`Genotype(`"));
    }
    reader.need('(', "`(`")?;

    let mut edges: [Option<Vec<Edge>>; 2] = [None, None];
    let mut concats: [Option<Vec<usize>>; 2] = [None, None];
    while !reader.take(')') {
        let part = reader.word("a part (normal, normal_concat, reduce, reduce_concat) or `)`")?;
        let Some(i) = PARTS.iter().position(|p| *p == part) else {
            return Err(GenotypeError::Unknown { kind: "part", nearest: nearest(&part, &PARTS), name: part });
        };
        reader.need('=', "`=`")?;
        let twice = if i % 2 == 0 {
            edges[i / 2].replace(reader.list(Reader::edge)?).is_some()
        } else {
            concats[i / 2].replace(reader.states()?).is_some()
        };
        if twice {
            return Err(GenotypeError::Part { part: PARTS[i], problem: "given twice" });
        }
        if !reader.take(',') {
            reader.need(')', "`,` or `)`")?;
            break;
        }
    }
    if reader.peek().is_some() {
        return Err(reader.expected("nothing after the closing `)`"));
    }
    let missing = |i: usize| GenotypeError::Part { part: PARTS[i], problem: "missing" };
    let [normal, reduce] = edges;
    let [normal_concat, reduce_concat] = concats;
    let genotype = Genotype {
        normal: CellGenotype {
            edges: normal.ok_or_else(|| missing(0))?,
            concat: normal_concat.ok_or_else(|| missing(1))?,
        },
        reduce: CellGenotype {
            edges: reduce.ok_or_else(|| missing(2))?,
            concat: reduce_concat.ok_or_else(|| missing(3))?,
        },
    };
    genotype.check()?;
    Ok(genotype)
}

struct Reader {
    characters: Vec<char>,
    at: usize,
}

impl Reader {
    /// The next character that is not white space.
    fn peek(&mut self) -> Option<char> {
        while self.characters.get(self.at).is_some_and(|c| c.is_whitespace()) {
            self.at += 1;
        }
        self.characters.get(self.at).copied()
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    fn need(&mut self, wanted: char, expected: &str) -> Result<(), GenotypeError> {
        if self.take(wanted) { Ok(()) } else { Err(self.expected(expected)) }
    }

    fn expected(&mut self, expected: &str) -> GenotypeError {
        let found = match self.peek() {
            None => "the end".to_owned(),
            Some(_) => {
                let rest = &self.characters[self.at..];
                let shown: String = rest.iter().take(20).collect();
                format!("`{shown}{}`", if rest.len() > 20 { "…" } else { "" })
            }
        };
        GenotypeError::Syntax { position: self.at + 1, expected: expected.to_owned(), found }
    }

    fn run(&mut self, belongs: impl Fn(char) -> bool) -> String {
        let run: String = self.characters[self.at..].iter().copied().take_while(|c| belongs(*c)).collect();
        self.at += run.chars().count();
        run
    }

    fn word(&mut self, expected: &str) -> Result<String, GenotypeError> {
        self.peek();
        let word = self.run(|c| c.is_alphanumeric() || c == '_');
        if word.is_empty() { Err(self.expected(expected)) } else { Ok(word) }
    }

    fn number(&mut self) -> Result<usize, GenotypeError> {
        self.peek();
        let start = self.at;
        let digits = self.run(|c| c.is_ascii_digit());
        digits.parse().map_err(|_| {
            self.at = start;
            self.expected("a state: a number from 0")
        })
    }

    /// Items in round or square brackets.
    fn list<T>(&mut self, item: impl Fn(&mut Self) -> Result<T, GenotypeError>) -> Result<Vec<T>, GenotypeError> {
        let close = if self.take('[') {
            ']'
        } else if self.take('(') {
            ')'
        } else {
            return Err(self.expected("a list in `[…]`"));
        };
        let mut items = Vec::new();
        while !self.take(close) {
            if items.len() == MOST_ITEMS {
                return Err(self.expected(&format!("`{close}` after at most {MOST_ITEMS} items")));
            }
            items.push(item(self)?);
            if !self.take(',') {
                self.need(close, &format!("`,` or `{close}`"))?;
                break;
            }
        }
        Ok(items)
    }

    /// `('sep_conv_3x3', 0)`.
    fn edge(&mut self) -> Result<Edge, GenotypeError> {
        let close = if self.take('(') {
            ')'
        } else if self.take('[') {
            ']'
        } else {
            return Err(self.expected("an edge like `('sep_conv_3x3', 0)`"));
        };
        let quote = if self.take('\'') {
            '\''
        } else if self.take('"') {
            '"'
        } else {
            return Err(self.expected("a primitive in quotes"));
        };
        let name = self.run(|c| c != quote && c != '\n');
        if self.characters.get(self.at) != Some(&quote) {
            return Err(self.expected("the closing quote of a primitive"));
        }
        self.at += 1;
        let Ok(primitive) = name.parse::<Primitive>() else {
            let known = Primitive::ALL.map(Primitive::name);
            return Err(GenotypeError::Unknown { kind: "primitive", nearest: nearest(&name, &known), name });
        };
        self.need(',', "`,` and a state")?;
        let input = self.number()?;
        self.take(',');
        self.need(close, &format!("`{close}`"))?;
        Ok(Edge { primitive, input })
    }

    /// `[2, 3, 4, 5]`, `range(6)` or `range(2, 6)`.
    fn states(&mut self) -> Result<Vec<usize>, GenotypeError> {
        if self.peek() != Some('r') {
            return self.list(Self::number);
        }
        let start = self.at;
        if self.word("`range(`")? != "range" {
            self.at = start;
            return Err(self.expected("a list of states or `range(`"));
        }
        let bounds = self.list(Self::number)?;
        let (low, high) = match bounds[..] {
            [high] => (0, high),
            [low, high] => (low, high),
            _ => {
                self.at = start;
                return Err(self.expected("`range(end)` or `range(start, end)`"));
            }
        };
        if high.saturating_sub(low) > MOST_ITEMS {
            self.at = start;
            return Err(self.expected(&format!("a range of at most {MOST_ITEMS} states")));
        }
        Ok((low..high).collect())
    }
}
