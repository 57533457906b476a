//! The machine that a pickle is a program for.

use super::super::array::Element;
use super::error::{MOST_OBJECTS, PickleError};
use super::object::{Built, Id, Name, Object, Span};

use std::collections::HashMap;

pub(super) struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Where the instruction at work begins, for errors.
    begin: usize,
    objects: Vec<Object>,
    stack: Vec<Id>,
    /// Heights of the stack at the marks.
    marks: Vec<usize>,
    memo: HashMap<u64, Id>,
    /// Bytes of texts made rather than found in the file.
    made: usize,
}

type Step<T> = Result<T, PickleError>;

impl<'a> Machine<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let (objects, stack, marks, memo) = (Vec::new(), Vec::new(), Vec::new(), HashMap::new());
        Self { bytes, at: 0, begin: 0, objects, stack, marks, memo, made: 0 }
    }

    /// Runs the program to its end: all objects, and which of them is the result.
    pub(super) fn run(mut self) -> Step<(Vec<Object>, Id)> {
        loop {
            self.begin = self.at;
            let code = self.take(1)?[0];
            if code == b'.' {
                let root = self.pop()?;
                return Ok((self.objects, root));
            }
            self.step(code)?;
            for (what, count) in [
                ("objects", self.objects.len()),
                ("values on its stack", self.stack.len() + self.marks.len()),
                ("entries in its memo", self.memo.len()),
            ] {
                if count > MOST_OBJECTS {
                    return Err(PickleError::TooMuch { what, limit: MOST_OBJECTS });
                }
            }
        }
    }

    fn step(&mut self, code: u8) -> Step<()> {
        match code {
            // The protocol's version.
            0x80 => {
                if self.take(1)?[0] > 5 {
                    return Err(self.wrong("a protocol above 5"));
                }
            }
            // A frame: only a hint how much to read at once.
            0x95 => drop(self.take(8)?),
            b'(' => self.marks.push(self.stack.len()),
            b'0' => drop(self.pop()?),
            b'1' => drop(self.pop_to_mark()?),
            b'2' => {
                let top = self.top()?;
                self.stack.push(top);
            }
            b'N' => self.push(Object::Other),
            0x88 => self.push(Object::Bool(true)),
            0x89 => self.push(Object::Bool(false)),
            b'G' => {
                self.take(8)?;
                self.push(Object::Other);
            }
            b'F' => {
                self.line()?;
                self.push(Object::Other);
            }
            b'I' => {
                let line = self.line()?;
                match line {
                    b"00" => self.push(Object::Bool(false)),
                    b"01" => self.push(Object::Bool(true)),
                    _ => self.push_decimal(line)?,
                }
            }
            b'L' => {
                let line = self.line()?;
                self.push_decimal(line.strip_suffix(b"L").unwrap_or(line))?;
            }
            b'J' => {
                let value = self.number(4)? as u32 as i32;
                self.push(Object::Int(value.into()));
            }
            b'K' | b'M' => {
                let value = self.number(if code == b'K' { 1 } else { 2 })?;
                self.push(Object::Int(value as i64));
            }
            0x8a => self.long()?,
            b'U' | b'C' | b'T' | b'B' | 0x8e | 0x96 => {
                let span = self.counted(match code {
                    b'U' | b'C' => 1,
                    b'T' | b'B' => 4,
                    _ => 8,
                })?;
                self.push(Object::Bytes(span));
            }
            0x8c | b'X' | 0x8d => {
                let span = self.counted(match code {
                    0x8c => 1,
                    b'X' => 4,
                    _ => 8,
                })?;
                self.push(Object::Text(span));
            }
            // Bytes made read-only, as these are.
            0x98 => drop(self.top()?),
            b'S' => {
                let line = self.line()?;
                let text = quoted(line).ok_or_else(|| self.wrong("a text without quotes"))?;
                let span = self.own(text)?;
                self.push(Object::Bytes(span));
            }
            b'V' => {
                let line = self.line()?;
                let text = unescaped(line).ok_or_else(|| self.wrong("a wrong escape in a text"))?;
                let span = self.own(text.into_bytes())?;
                self.push(Object::Text(span));
            }
            b']' => self.push(Object::List(Vec::new())),
            b')' => self.push(Object::Tuple(Vec::new())),
            b'}' => self.push(Object::Dict(Vec::new())),
            b'l' | b't' => {
                let items = self.pop_to_mark()?;
                self.push(if code == b'l' { Object::List(items) } else { Object::Tuple(items) });
            }
            0x85..=0x87 => {
                let count = usize::from(code - 0x84);
                let begin = self.stack.len().checked_sub(count).filter(|&begin| begin >= self.floor());
                let begin = begin.ok_or_else(|| self.wrong("an empty stack"))?;
                let items = self.stack.split_off(begin);
                self.push(Object::Tuple(items));
            }
            b'd' => {
                let items = self.pop_to_mark()?;
                let entries = self.pairs(&items)?;
                self.push(Object::Dict(entries));
            }
            b'a' => {
                let item = self.pop()?;
                self.extend_list(vec![item])?;
            }
            b'e' => {
                let items = self.pop_to_mark()?;
                self.extend_list(items)?;
            }
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                self.extend_dict(vec![(key, value)])?;
            }
            b'u' => {
                let items = self.pop_to_mark()?;
                let entries = self.pairs(&items)?;
                self.extend_dict(entries)?;
            }
            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                self.push_name(module, name)?;
            }
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                let [Object::Text(module), Object::Text(name)] = [self.get(module), self.get(name)] else {
                    return Err(self.wrong("a name that is no text"));
                };
                let (module, name) = (module.clone(), name.clone());
                self.push_name(module.of(self.bytes), name.of(self.bytes))?;
            }
            b'R' => {
                let (arguments, function) = (self.pop()?, self.pop()?);
                let made = self.reduce(function, arguments)?;
                self.push(made);
            }
            b'b' => {
                let (state, object) = (self.pop()?, self.top()?);
                self.build(object, state)?;
            }
            b'p' | b'q' | b'r' | 0x94 => {
                let key = match code {
                    b'p' => self.decimal_key()?,
                    b'q' => self.number(1)?,
                    b'r' => self.number(4)?,
                    _ => self.memo.len() as u64,
                };
                let top = self.top()?;
                self.memo.insert(key, top);
            }
            b'g' | b'h' | b'j' => {
                let key = match code {
                    b'g' => self.decimal_key()?,
                    b'h' => self.number(1)?,
                    _ => self.number(4)?,
                };
                let Some(&id) = self.memo.get(&key) else { return Err(self.wrong("a memo that was never set")) };
                self.stack.push(id);
            }
            _ => return Err(PickleError::Instruction { at: self.begin, code }),
        }
        Ok(())
    }

    fn wrong(&self, problem: &'static str) -> PickleError {
        PickleError::Wrong { at: self.begin, problem }
    }

    /// The next bytes of the file.
    fn take(&mut self, count: usize) -> Step<&'a [u8]> {
        let taken = self.at.checked_add(count).and_then(|end| self.bytes.get(self.at..end));
        let taken = taken.ok_or(PickleError::Cut { at: self.bytes.len() })?;
        self.at += count;
        Ok(taken)
    }

    /// The rest of the line.
    fn line(&mut self) -> Step<&'a [u8]> {
        let length = self.bytes[self.at..].iter().position(|&byte| byte == b'\n');
        let length = length.ok_or(PickleError::Cut { at: self.bytes.len() })?;
        let line = self.take(length + 1)?;
        let line = &line[..length];
        Ok(line.strip_suffix(b"\r").unwrap_or(line))
    }

    /// A little-endian number of so many bytes, at most eight.
    fn number(&mut self, bytes: usize) -> Step<u64> {
        Ok(self.take(bytes)?.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte)))
    }

    /// Bytes after their count.
    fn counted(&mut self, bytes: usize) -> Step<Span> {
        let count = usize::try_from(self.number(bytes)?).unwrap_or(usize::MAX);
        let begin = self.at;
        self.take(count)?;
        Ok(Span::File(begin..self.at))
    }

    /// Bytes made may be so many: those of an honest file are made at most three times, one of them in UTF-8.
    fn most_made(&self) -> usize {
        6 * self.bytes.len()
    }

    /// Bytes that are not in the file as they are. Made from the file they cannot be much more than it, unless
    /// they are made again and again.
    fn own(&mut self, bytes: Vec<u8>) -> Step<Span> {
        let limit = self.most_made();
        self.made += bytes.len();
        if self.made > limit {
            return Err(PickleError::TooMuch { what: "bytes", limit });
        }
        Ok(Span::Own(bytes))
    }

    fn push(&mut self, object: Object) {
        // Fewer than `MOST_OBJECTS`, which `run` makes sure of after each step.
        self.stack.push(self.objects.len() as Id);
        self.objects.push(object);
    }

    /// Where the stack may be emptied to.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    fn top(&self) -> Step<Id> {
        let top = self.stack.last().filter(|_| self.stack.len() > self.floor());
        top.copied().ok_or_else(|| self.wrong("an empty stack"))
    }

    fn pop(&mut self) -> Step<Id> {
        let top = self.top()?;
        self.stack.pop();
        Ok(top)
    }

    fn pop_to_mark(&mut self) -> Step<Vec<Id>> {
        let mark = self.marks.pop().ok_or_else(|| self.wrong("no mark"))?;
        Ok(self.stack.split_off(mark.min(self.stack.len())))
    }

    fn pairs(&self, items: &[Id]) -> Step<Vec<(Id, Id)>> {
        let (pairs, []) = items.as_chunks::<2>() else { return Err(self.wrong("a key without a value")) };
        Ok(pairs.iter().map(|&[key, value]| (key, value)).collect())
    }

    /// Every number on the stack is that of an object.
    fn get(&self, id: Id) -> &Object {
        self.objects.get(id as usize).unwrap_or(&Object::Other)
    }

    fn push_decimal(&mut self, line: &[u8]) -> Step<()> {
        let value = std::str::from_utf8(line).ok().and_then(|text| text.parse().ok());
        let value = value.ok_or_else(|| self.wrong("a number that cannot be read"))?;
        self.push(Object::Int(value));
        Ok(())
    }

    fn decimal_key(&mut self) -> Step<u64> {
        let line = self.line()?;
        let key = std::str::from_utf8(line).ok().and_then(|text| text.parse().ok());
        key.ok_or_else(|| self.wrong("a number that cannot be read"))
    }

    /// A number of up to eight bytes, with sign.
    fn long(&mut self) -> Step<()> {
        let length = usize::from(self.take(1)?[0]);
        if length > 8 {
            return Err(self.wrong("a number of more than 64 bits"));
        }
        let value = self.number(length)?;
        let unused = 64 - 8 * length as u32;
        let value = if length == 0 { 0 } else { (value << unused) as i64 >> unused };
        self.push(Object::Int(value));
        Ok(())
    }

    fn extend_list(&mut self, items: Vec<Id>) -> Step<()> {
        let list = self.top()?;
        match self.objects.get_mut(list as usize) {
            Some(Object::List(list)) => list.extend(items),
            _ => return Err(self.wrong("items for what is no list")),
        }
        Ok(())
    }

    fn extend_dict(&mut self, entries: Vec<(Id, Id)>) -> Step<()> {
        let dict = self.top()?;
        match self.objects.get_mut(dict as usize) {
            Some(Object::Dict(dict)) => dict.extend(entries),
            _ => return Err(self.wrong("entries for what is no dictionary")),
        }
        Ok(())
    }

    fn push_name(&mut self, module: &[u8], name: &[u8]) -> Step<()> {
        let Some(known) = Name::parse(module, name) else {
            let text = |bytes: &[u8]| String::from_utf8_lossy(&bytes[..bytes.len().min(60)]).into_owned();
            return Err(PickleError::Global { name: format!("{}.{}", text(module), text(name)) });
        };
        self.push(Object::Name(known));
        Ok(())
    }

    /// What a function that is known gives.
    fn reduce(&mut self, function: Id, arguments: Id) -> Step<Object> {
        let (&Object::Name(function), Object::Tuple(arguments)) = (self.get(function), self.get(arguments)) else {
            return Err(self.wrong("a call of what is no function"));
        };
        let arguments: Vec<&Object> = arguments.iter().map(|&id| self.get(id)).collect();
        let wrong = || self.wrong("a call with other arguments than numpy's");
        match (function, &arguments[..]) {
            (Name::Encode, [Object::Text(text), Object::Text(coding)])
                if matches!(coding.of(self.bytes), b"latin1" | b"latin-1" | b"iso-8859-1") =>
            {
                let text = std::str::from_utf8(text.of(self.bytes)).map_err(|_| wrong())?;
                // As much as it may make; checked before it is made.
                if self.made + text.len() > self.most_made() {
                    return Err(PickleError::TooMuch { what: "bytes", limit: self.most_made() });
                }
                let bytes = text.chars().map(|c| u8::try_from(u32::from(c))).collect::<Result<Vec<u8>, _>>();
                let bytes = bytes.map_err(|_| wrong())?;
                Ok(Object::Bytes(self.own(bytes)?))
            }
            (Name::Reconstruct, [Object::Name(Name::Array), ..]) => Ok(Object::Array(None)),
            (Name::Type, [Object::Text(name) | Object::Bytes(name), ..]) => {
                let name = String::from_utf8_lossy(name.of(self.bytes));
                Ok(Object::Type(self.element(&name)?))
            }
            (Name::Scalar, [Object::Type(element), Object::Bytes(data)]) => {
                let data = data.of(self.bytes);
                if data.len() != element.size() {
                    return Err(wrong());
                }
                i64::try_from(element.value(data)).map(Object::Int).map_err(|_| wrong())
            }
            (
                Name::FromBuffer,
                [Object::Bytes(data), Object::Type(element), Object::Tuple(shape), Object::Text(order)],
            ) => {
                let (shape, element, data) = (self.shape(shape)?, *element, data.clone());
                let fortran = order.of(self.bytes) == b"F";
                Ok(Object::Array(Some(self.built(shape, element, fortran, data)?)))
            }
            _ => Err(wrong()),
        }
    }

    /// Sets the state of an array or of the type of its values.
    fn build(&mut self, object: Id, state: Id) -> Step<()> {
        let Object::Tuple(state) = self.get(state) else { return Err(self.wrong("a state that is no tuple")) };
        let state: Vec<&Object> = state.iter().map(|&id| self.get(id)).collect();
        let built = match (self.get(object), &state[..]) {
            (Object::Type(element), [_, Object::Text(order) | Object::Bytes(order), ..]) => {
                Object::Type(element.ordered(order.of(self.bytes) == b">"))
            }
            // An array's state may begin with its version.
            (
                Object::Array(None),
                [Object::Tuple(shape), Object::Type(element), fortran, Object::Bytes(data)]
                | [_, Object::Tuple(shape), Object::Type(element), fortran, Object::Bytes(data)],
            ) => {
                let fortran = match fortran {
                    Object::Bool(fortran) => *fortran,
                    Object::Int(fortran) => *fortran != 0,
                    _ => return Err(self.wrong("an array whose order is not told")),
                };
                let (shape, element, data) = (self.shape(shape)?, *element, data.clone());
                Object::Array(Some(self.built(shape, element, fortran, data)?))
            }
            _ => return Err(self.wrong("a state that is not numpy's")),
        };
        if let Some(object) = self.objects.get_mut(object as usize) {
            *object = built;
        }
        Ok(())
    }

    /// An array. Bytes made are counted again, since they are copied.
    fn built(&mut self, shape: Vec<usize>, element: Element, fortran: bool, data: Span) -> Step<Built> {
        let data = match data {
            Span::Own(bytes) => self.own(bytes)?,
            file => file,
        };
        Ok(Built { shape, element, fortran, data })
    }

    fn shape(&self, lengths: &[Id]) -> Step<Vec<usize>> {
        let length = |&id: &Id| match self.get(id) {
            Object::Int(length) => usize::try_from(*length).ok(),
            _ => None,
        };
        lengths
            .iter()
            .map(length)
            .collect::<Option<_>>()
            .ok_or_else(|| self.wrong("a shape that is not of whole numbers"))
    }

    fn element(&self, name: &str) -> Step<Element> {
        // Only the keys of arrays that are looked at matter, but the files known have no others.
        Element::parse(name).map_err(|_| self.wrong("an array of something other than whole numbers"))
    }
}

/// The bytes of a text as Python 2 shows it: in quotes, with escapes.
fn quoted(line: &[u8]) -> Option<Vec<u8>> {
    let (&quote, rest) = line.split_first()?;
    let inner = rest.strip_suffix(&[quote]).filter(|_| matches!(quote, b'\'' | b'"'))?;
    let mut bytes = Vec::new();
    let mut inner = inner.iter();
    while let Some(&byte) = inner.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        bytes.push(match inner.next()? {
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'x' => {
                let mut digit = || inner.next().and_then(|&c| char::from(c).to_digit(16));
                (digit()? << 4 | digit()?) as u8
            }
            same @ (b'\\' | b'\'' | b'"') => *same,
            _ => return None,
        });
    }
    Some(bytes)
}

/// A text of protocol 0: Latin-1, and `\uXXXX` for what is not.
fn unescaped(line: &[u8]) -> Option<String> {
    let mut text = String::new();
    let mut at = 0;
    while at < line.len() {
        let digits = match line.get(at..at + 2) {
            Some(b"\\u") => 4,
            Some(b"\\U") => 8,
            _ => {
                text.push(char::from(line[at]));
                at += 1;
                continue;
            }
        };
        let code = std::str::from_utf8(line.get(at + 2..at + 2 + digits)?).ok()?;
        text.push(char::from_u32(u32::from_str_radix(code, 16).ok()?)?);
        at += 2 + digits;
    }
    Some(text)
}
