//! Text and data within pages and pictures: what comes from outside stays text there.

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
    fn nothing_ends_the_element_that_it_is_in() {
        let odd = "</script><!-- \"'&\u{2028}\u{1b}[31m\u{9b}\nü";
        assert_eq!(text(odd), "&lt;/script&gt;&lt;!-- &quot;&#39;&amp;&#8232;\u{fffd}[31m\u{fffd}\nü");
        let data = json(&[odd]);
        assert!(!data.contains(['<', '>', '\u{2028}']) && !data.contains(char::is_control), "{data}");
        assert_eq!(serde_json::from_str::<Vec<String>>(&data).unwrap(), [odd]);
    }
}
