//! The page that runs a network in a browser: one file, with all that it needs in it.

use crate::export::markup;
use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::{Value, json};

/// What runs it.
const SCRIPT: &str = include_str!("page.js");
const STYLE: &str = include_str!("page.css");

/// The page, with shaders and weights in it.
pub(super) fn page(name: &str, manifest: &Value, sources: &[&str], weights: &[u8]) -> String {
    let name = markup::text(name);
    let (manifest, sources) = (markup::json(manifest), markup::json(&json!(sources)));
    let weights = BASE64_STANDARD.encode(weights);
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\">\n<title>{name}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <main>\n<h1>{name}</h1>\n<p>Runs on this machine's GPU by WebGPU; no picture leaves it.</p>\n\
         <p><label>Picture <input type=\"file\" id=\"file\" accept=\"image/*\"></label> \
         <label><input type=\"checkbox\" id=\"invert\"> exchange dark and bright</label></p>\n\
         <canvas id=\"seen\" role=\"img\" aria-label=\"What the network is given\"></canvas>\n\
         <table><caption>Classes</caption><thead><tr><th scope=\"col\">class</th><th scope=\"col\">probability</th></tr></thead>\
         <tbody id=\"classes\"></tbody></table>\n<p id=\"state\" role=\"status\">loading</p>\n</main>\n\
         <script type=\"application/json\" id=\"manifest\">{manifest}</script>\n\
         <script type=\"application/json\" id=\"shaders\">{sources}</script>\n\
         <script type=\"text/plain\" id=\"weights\">{weights}</script>\n<script>\n{SCRIPT}</script>\n</body>\n</html>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_end_no_element() {
        let name = "</script><script>alert(1)</script>\u{2028}";
        let page = page(name, &json!({ "classes": [name] }), &["// <b>"], &[1, 2, 3]);
        assert_eq!(page.matches("<script").count(), 4);
        assert_eq!(page.matches("</script>").count(), 4);
        assert!(!page.contains("alert(1)</script") && page.contains("AQID"));
    }
}
