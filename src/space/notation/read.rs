//! Reads one value by recursive descent.

use super::{Kind, MOST_DEPTH, MOST_VALUES, SyntaxError, Value};

/// Longest list that `range(…)` stands for.
const MOST_RANGE: i64 = 10_000;

/// Reads the value that begins at byte `at` of a text, behind blanks and comments. Returns it with the byte behind it.
///
/// # Errors
/// [`SyntaxError`] where the text is no value, is nested deeper than [`MOST_DEPTH`] or has more than [`MOST_VALUES`] values.
pub fn read(text: &str, at: usize) -> Result<(Value, usize), SyntaxError> {
    let mut reader = Reader { text, at, values: 0 };
    let value = reader.value(0)?;
    Ok((value, reader.at))
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    values: usize,
}

impl Reader<'_> {
    /// The next character that is neither blank nor comment; stands before it.
    fn peek(&mut self) -> Option<char> {
        loop {
            let rest = self.text.get(self.at..)?;
            let next = rest.chars().next()?;
            match next {
                '#' => self.at += rest.find('\n').unwrap_or(rest.len()),
                // A line that goes on on the next.
                '\\' if rest[1..].trim_start_matches(['\r', ' ']).starts_with('\n') => self.at += 1,
                _ if next.is_whitespace() || next == '\u{feff}' => self.at += next.len_utf8(),
                _ => return Some(next),
            }
        }
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += if found { wanted.len_utf8() } else { 0 };
        found
    }

    fn expected(&self, at: usize, expected: impl Into<String>) -> SyntaxError {
        SyntaxError::new(self.text, at, expected)
    }

    fn value(&mut self, depth: usize) -> Result<Value, SyntaxError> {
        let next = self.peek();
        let at = self.at;
        self.values += 1;
        if depth > MOST_DEPTH || self.values > MOST_VALUES {
            let most = format!("at most {MOST_VALUES} values, nested at most {MOST_DEPTH} deep");
            return Err(self.expected(at, most));
        }
        let kind = match next {
            Some('[') => self.list(']', depth)?,
            Some('(') => self.list(')', depth)?,
            Some('{') => self.map(depth)?,
            Some('\'' | '"') => self.text()?,
            Some('-' | '+' | '0'..='9' | '.') => self.number()?,
            Some(c) if c.is_alphabetic() || c == '_' => self.word(depth)?,
            _ => return Err(self.expected(at, "a value")),
        };
        Ok(Value { at, kind })
    }

    /// Items up to the closing bracket; the opening one comes next.
    fn list(&mut self, close: char, depth: usize) -> Result<Kind, SyntaxError> {
        self.at += 1;
        let mut items = Vec::new();
        while !self.take(close) {
            items.push(self.value(depth + 1)?);
            self.comma(close)?;
        }
        Ok(Kind::List(items))
    }

    /// A comma, unless the closing bracket comes next.
    fn comma(&mut self, close: char) -> Result<(), SyntaxError> {
        if self.take(',') || self.peek() == Some(close) {
            return Ok(());
        }
        Err(self.expected(self.at, format!("`,` or `{close}`")))
    }

    fn map(&mut self, depth: usize) -> Result<Kind, SyntaxError> {
        self.at += 1;
        let (mut pairs, mut items) = (Vec::new(), Vec::new());
        while !self.take('}') {
            let key = self.value(depth + 1)?;
            if self.take(':') {
                pairs.push((key, self.value(depth + 1)?));
            } else {
                items.push(key);
            }
            self.comma('}')?;
        }
        match items.first() {
            None => Ok(Kind::Map(pairs)),
            // A set.
            Some(_) if pairs.is_empty() => Ok(Kind::List(items)),
            Some(item) => Err(self.expected(item.at, "a key with `:` behind it")),
        }
    }

    /// A text in quotes, and those right behind it. A line break within is one of the paste, not of the text.
    fn text(&mut self) -> Result<Kind, SyntaxError> {
        let mut text = String::new();
        while let Some(quote @ ('\'' | '"')) = self.peek() {
            let start = self.at;
            self.at += 1;
            loop {
                let Some(c) = self.text[self.at..].chars().next() else {
                    return Err(self.expected(start, format!("a text that ends in {quote}")));
                };
                self.at += c.len_utf8();
                match c {
                    _ if c == quote => break,
                    '\n' | '\r' => {}
                    '\\' => {
                        let Some(escaped) = self.text[self.at..].chars().next() else { continue };
                        self.at += escaped.len_utf8();
                        text.extend((escaped != '\n').then_some(escaped));
                    }
                    _ => text.push(c),
                }
            }
        }
        Ok(Kind::Text(text))
    }

    fn number(&mut self) -> Result<Kind, SyntaxError> {
        let rest = &self.text[self.at..];
        let belongs = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '+' | '-');
        let word = &rest[..rest.find(|c| !belongs(c)).unwrap_or(rest.len())];
        // Python 2 marks long integers.
        let digits = word.trim_end_matches(['L', 'l']);
        let kind = match (digits.parse().map(Kind::Integer), word.parse::<f64>()) {
            (Ok(integer), _) => integer,
            (_, Ok(float)) if float.is_finite() => Kind::Float(float),
            _ => return Err(self.expected(self.at, "a number")),
        };
        self.at += word.len();
        Ok(kind)
    }

    /// A name, what it stands for, or a call of it.
    fn word(&mut self, depth: usize) -> Result<Kind, SyntaxError> {
        let at = self.at;
        let rest = &self.text[at..];
        let belongs = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
        let name = rest[..rest.find(|c| !belongs(c)).unwrap_or(rest.len())].to_owned();
        self.at += name.len();
        // Prefixes of Python's texts.
        if matches!(&*name, "u" | "b" | "r" | "U" | "B" | "R") && self.text[self.at..].starts_with(['\'', '"']) {
            return self.text();
        }
        match &*name {
            "None" | "null" => return Ok(Kind::Nothing),
            "True" | "true" => return Ok(Kind::Boolean(true)),
            "False" | "false" => return Ok(Kind::Boolean(false)),
            _ if self.peek() != Some('(') => return Ok(Kind::Name(name)),
            _ => self.at += 1,
        }
        let mut arguments = Vec::new();
        while !self.take(')') {
            let value = self.value(depth + 1)?;
            arguments.push(match value.kind {
                Kind::Name(key) if self.take('=') => (Some(key), self.value(depth + 1)?),
                kind => (None, Value { at: value.at, kind }),
            });
            self.comma(')')?;
        }
        self.plain(at, name, arguments)
    }

    /// A call, or the plain value it only dresses.
    fn plain(&self, at: usize, name: String, mut arguments: Vec<(Option<String>, Value)>) -> Result<Kind, SyntaxError> {
        let function = name.rsplit('.').next().unwrap_or_default();
        let is_number = ["int", "uint", "float", "intc", "long"].iter().any(|kind| function.starts_with(kind));
        let positional = arguments.iter().filter(|(key, _)| key.is_none()).count();
        match (function, positional) {
            ("range", 1..=3) if arguments.len() == positional => {
                return range(&arguments)
                    .ok_or_else(|| self.expected(at, format!("a range of at most {MOST_RANGE} numbers")));
            }
            // Behind the items may stand what type they have.
            ("list" | "tuple" | "array" | "asarray" | "tensor" | "set" | "frozenset", 1)
                if arguments[0].1.list().is_some() =>
            {
                if let (None, Value { kind: Kind::List(items), .. }) = &mut arguments[0] {
                    return Ok(Kind::List(std::mem::take(items)));
                }
            }
            // Of key and value, in order; or by keyword.
            ("dict" | "OrderedDict", 0) => {
                let pair = |(key, value): (Option<String>, Value)| {
                    let at = value.at;
                    key.map(|key| (Value { at, kind: Kind::Text(key) }, value))
                };
                return Ok(Kind::Map(arguments.into_iter().filter_map(pair).collect()));
            }
            ("dict" | "OrderedDict", 1) => {
                let pairs = arguments[0].1.list().unwrap_or_default().iter();
                let pairs: Option<Vec<_>> = pairs
                    .map(|pair| match pair.list() {
                        Some([key, value]) => Some((key.clone(), value.clone())),
                        _ => None,
                    })
                    .collect();
                if let Some(pairs) = pairs.filter(|pairs| !pairs.is_empty()) {
                    return Ok(Kind::Map(pairs));
                }
            }
            ("tensor" | "asarray" | "array", 1) => {
                if let (None, Value { kind: kind @ (Kind::Integer(_) | Kind::Float(_)), .. }) = &arguments[0] {
                    return Ok(kind.clone());
                }
            }
            (_, 1) if is_number && arguments.len() == 1 => {
                if let (_, Value { kind: kind @ (Kind::Integer(_) | Kind::Float(_)), .. }) = &arguments[0] {
                    return Ok(kind.clone());
                }
            }
            _ => {}
        }
        Ok(Kind::Call { name, arguments })
    }
}

/// The list that `range` stands for; none if it is too long or its bounds are no numbers.
fn range(arguments: &[(Option<String>, Value)]) -> Option<Kind> {
    let bounds: Vec<i64> = arguments
        .iter()
        .map(|(_, value)| if let Kind::Integer(n) = value.kind { Some(n) } else { None })
        .collect::<Option<_>>()?;
    let (start, end, step) = match bounds[..] {
        [end] => (0, end, 1),
        [start, end] => (start, end, 1),
        [start, end, step] => (start, end, step),
        _ => return None,
    };
    let length = end.checked_sub(start)?;
    if step < 1 || length > MOST_RANGE {
        return None;
    }
    let at = arguments.first().map_or(0, |(_, value)| value.at);
    let numbers = (start..end).step_by(usize::try_from(step).ok()?);
    Some(Kind::List(numbers.map(|n| Value { at, kind: Kind::Integer(n) }).collect()))
}
