//! Text, data and addresses within pages and pictures: what comes from outside stays text there.

use serde::Serialize;
use std::fmt::Write as _;

/// Text in HTML or in an attribute's value. What no document can hold becomes U+FFFD.
pub fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\'' => out += "&#39;",
            '\u{2028}' => out += "&#8232;",
            '\u{2029}' => out += "&#8233;",
            '\n' | '\t' => out.push(character),
            other => out.push(printable(other)),
        }
    }
    out
}

/// JSON that ends no `script` element, begins no comment there, and steers no terminal. Nothing of what cannot be written as JSON.
pub fn json(value: &impl Serialize) -> String {
    let json = serde_json::to_string(value).unwrap_or_default();
    let is_escaped = |c: char| matches!(c, '<' | '>' | '\u{2028}' | '\u{2029}') || c.is_control();
    let mut out = String::with_capacity(json.len());
    for character in json.chars() {
        match is_escaped(character) {
            // Writing to a String cannot fail.
            true => _ = write!(out, "\\u{:04x}", u32::from(character)),
            false => out.push(character),
        }
    }
    out
}

/// A path with `/` between its parts as an address from where the page is, of plain letters: nothing in it is a scheme, a query or a way
/// upwards, and a comma is none of it.
pub fn address(path: &str) -> String {
    let mut address = String::with_capacity(path.len());
    for (at, part) in path.split('/').enumerate() {
        if at > 0 {
            address.push('/');
        }
        for byte in part.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => address.push(char::from(byte)),
                // A name of dots alone would be taken for a way upwards; in others they are as good.
                b'.' if !part.bytes().all(|byte| byte == b'.') => address.push('.'),
                // Writing to a String cannot fail.
                _ => _ = write!(address, "%{byte:02X}"),
            }
        }
    }
    address
}

/// The character, or what stands for it where XML 1.0 cannot hold it.
pub fn printable(c: char) -> char {
    match c {
        '\n' | '\t' | '\r' => ' ',
        // Those from U+007F on could be held, but steer terminals that show the file.
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' => '\u{fffd}',
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_addresses_of_plain_letters() {
        assert_eq!(address("suite/darts-seed0.b"), "suite/darts-seed0.b");
        assert_eq!(address("a b/<\"ü,\n%"), "a%20b/%3C%22%C3%BC%2C%0A%25");
        assert_eq!((address("..."), address("javascript:x")), ("%2E%2E%2E".to_owned(), "javascript%3Ax".to_owned()));
    }

    #[test]
    fn nothing_ends_the_element_that_it_is_in() {
        let odd = "</script><!-- \"'&\u{2028}\u{1b}[31m\u{9b}\nü";
        assert_eq!(text(odd), "&lt;/script&gt;&lt;!-- &quot;&#39;&amp;&#8232;\u{fffd}[31m\u{fffd}\nü");
        let data = json(&[odd]);
        assert!(!data.contains(['<', '>', '\u{2028}']) && !data.contains(char::is_control), "{data}");
        assert_eq!(serde_json::from_str::<Vec<String>>(&data).unwrap(), [odd]);
    }
}
