//! A document as HTML.

use super::document::{Block, Document, Drawing, Figure, Form, Number, Placed, Plot, Table};
use super::written;
use crate::export::markup;
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use std::fmt::Write as _;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The most rows of a table that are there without a script.
const ROWS: usize = 100;
/// The longest text that a table does not break.
const SHORT: usize = 28;

/// A page that reaches for nothing: no network, no other file.
///
/// The same document gives the same bytes.
pub fn html(document: &Document) -> String {
    whole(document, "", "").text
}

/// The same page, followed by a script of one's own, which may fetch from where the page comes from and call
/// `cellwright.render(document)` with newer data.
pub fn live_html(document: &Document, script: &str) -> Page {
    whole(document, script, " connect-src 'self';")
}

/// A page, and the policy that it names, for a server to name it too.
#[derive(Clone, Debug)]
pub struct Page {
    /// The page.
    pub text: String,
    /// Its Content-Security-Policy.
    pub policy: String,
}

/// The page. Its scripts and its style sheet are told from what does not belong there by the hash of all of them and of the data: what
/// the data hold could not have known it.
fn whole(document: &Document, more: &str, connects: &str) -> Page {
    let data = markup::json(document);
    let mut hasher = blake3::Hasher::new();
    [STYLE, SCRIPT, more, &data].iter().for_each(|part| _ = hasher.update(part.as_bytes()));
    let nonce = BASE64_URL_SAFE_NO_PAD.encode(&hasher.finalize().as_bytes()[..18]);
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}';{connects} base-uri 'none'; form-action 'none'"
    );
    let title = markup::text(&document.title);
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n<title>{title} – Cellwright</title>\n\
         <style nonce=\"{nonce}\">\n{STYLE}</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#main\">To the content</a>\n\
         <header>\n<div class=\"bar\"><span class=\"mark\">Cellwright</span><span id=\"tools\"></span></div>\n\
         <h1 id=\"title\">{title}</h1>\n<p id=\"subtitle\">{}</p>\n</header>\n<nav aria-label=\"Sections\"><ul id=\"contents\">\n",
        markup::text(&document.subtitle)
    );
    for section in &document.sections {
        // Writing to a String cannot fail.
        let _ = writeln!(page, "<li><a href=\"#{}\">{}</a></li>", section.id, markup::text(&section.title));
    }
    page += "</ul></nav>\n<main id=\"main\" tabindex=\"-1\">\n";
    for section in &document.sections {
        let (id, title) = (section.id, markup::text(&section.title));
        let _ =
            writeln!(page, "<section id=\"{id}\" aria-labelledby=\"{id}-title\">\n<h2 id=\"{id}-title\">{title}</h2>");
        section.blocks.iter().for_each(|block| page += &written_block(block));
        page += "</section>\n";
    }
    let script = if more.is_empty() { String::new() } else { format!("<script nonce=\"{nonce}\">\n{more}</script>\n") };
    page += &format!(
        "</main>\n<noscript><p class=\"note\">Plots need JavaScript; words, tables and captions are all here.</p></noscript>\n\
         <p id=\"said\" class=\"unseen\" role=\"status\"></p>\n<div id=\"tip\" hidden></div>\n\
         <script type=\"application/json\" id=\"document\">{data}</script>\n\
         <script nonce=\"{nonce}\">\n{SCRIPT}</script>\n{script}</body>\n</html>\n"
    );
    Page { text: page, policy }
}

fn written_block(block: &Block) -> String {
    match block {
        Block::Words { text } => format!("<p>{}</p>\n", markup::text(text)),
        Block::Warning { text } => {
            format!("<p class=\"warning\"><strong>Warning.</strong> {}</p>\n", markup::text(text))
        }
        Block::Code { caption, text } => format!(
            "<figure class=\"code\"><figcaption>{}</figcaption><pre tabindex=\"0\"><code>{}</code></pre></figure>\n",
            markup::text(caption),
            markup::text(text)
        ),
        Block::Table(table) => written_table(table),
        Block::Figure(figure) => written_figure(figure),
    }
}

fn written_table(table: &Table) -> String {
    let shown: Vec<usize> = (0..table.columns.len()).filter(|&at| !table.columns[at].hidden).collect();
    let caption = markup::text(&table.caption);
    let mut text = format!(
        "<div class=\"table\" id=\"{}\"><div class=\"scroll\"><table><caption>{caption}</caption>\n<thead><tr>",
        markup::text(&table.id)
    );
    for &at in &shown {
        let _ = write!(text, "<th scope=\"col\">{}</th>", markup::text(&table.columns[at].name));
    }
    text += "</tr></thead>\n<tbody>\n";
    for (number, row) in table.rows.iter().enumerate().take(ROWS) {
        text += if table.marked.contains(&number) { "<tr class=\"marked\">" } else { "<tr>" };
        for (&at, first) in shown.iter().zip(std::iter::once(true).chain(std::iter::repeat(false))) {
            let column = &table.columns[at];
            let value = row.get(at).map_or(String::new(), |cell| markup::text(&written::cell(column, cell)));
            let side = match column.form {
                Form::Text | Form::Choice if value.len() > SHORT => "",
                Form::Text | Form::Choice => " class=\"s\"",
                _ => " class=\"n\"",
            };
            let value = match table.links.get(number).filter(|link| first && !link.is_empty()) {
                Some(link) => format!("<a href=\"{}\">{value}</a>", markup::text(link)),
                None => value,
            };
            let _ = match first {
                true => write!(text, "<th scope=\"row\"{side}>{value}</th>"),
                false => write!(text, "<td{side}>{value}</td>"),
            };
        }
        text += "</tr>\n";
    }
    text += "</tbody></table></div>";
    let more = table.rows.len().saturating_sub(ROWS);
    if more > 0 {
        let _ = write!(text, "<p class=\"note\">And {} more rows.</p>", written::whole(more as f64));
    }
    text + "</div>\n"
}

fn written_figure(figure: &Figure) -> String {
    let Figure { id, title, caption, plot } = figure;
    let drawn = match plot {
        Plot::Cells { shown, drawings, .. } => {
            let last = shown.last().and_then(|at| drawings.get(*at));
            last.map_or(String::new(), |cells| cells.iter().map(svg).collect())
        }
        _ => String::new(),
    };
    let class = match plot {
        Plot::Cells { .. } => "wide cells",
        Plot::Scatter { .. } => "wide scatter",
        Plot::Parallel { .. } => "wide parallel",
        Plot::Intervals { .. } => "intervals",
        Plot::Matrix { .. } => "matrix",
        Plot::Heat { .. } => "heat",
        Plot::Lines { .. } => "lines",
        Plot::Dots { .. } => "dots",
        Plot::Bars { .. } => "bars",
    };
    format!(
        "<figure id=\"{}\" class=\"{class}\"><h3>{}</h3><div class=\"plot\">{drawn}</div><figcaption>{}</figcaption></figure>\n",
        markup::text(id),
        markup::text(title),
        markup::text(caption)
    )
}

/// A drawing, as the script draws it too.
fn svg(drawing: &Drawing) -> String {
    let [Number(width), Number(height)] = drawing.size;
    let mut text = format!(
        "<svg class=\"drawing\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\" aria-label=\"{}\">",
        markup::text(&drawing.title)
    );
    for arrow in &drawing.arrows {
        let tone = arrow.tone;
        let _ = write!(
            text,
            "<path class=\"arrow {tone}\" d=\"{}\"/><path class=\"head {tone}\" d=\"{}\"/>",
            arrow.line, arrow.head
        );
    }
    let labels = drawing.arrows.iter().filter_map(|arrow| arrow.label.as_ref());
    labels.for_each(|label| text += &placed(label, 12.0));
    drawing.boxes.iter().for_each(|block| text += &placed(block, 14.0));
    text + "</svg>"
}

fn placed(Placed { tone, at, text: [base, below] }: &Placed, size: f64) -> String {
    let [x, y, width, height] = at.map(|number| number.0);
    let (middle, baseline) = (x + width / 2.0, y + height / 2.0 + size * 0.35);
    let round = if size < 13.0 { height / 2.0 } else { 7.0 };
    let below = match below.is_empty() {
        true => String::new(),
        false => format!("<tspan dy=\"4\" font-size=\"10\">{}</tspan>", markup::text(below)),
    };
    format!(
        "<rect class=\"box {tone}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"{round}\"/>\
         <text class=\"on {tone}\" x=\"{middle:.1}\" y=\"{baseline:.1}\" text-anchor=\"middle\" font-size=\"{size}\">{}{below}</text>",
        markup::text(base)
    )
}
