//! Pages from their templates: `{{name}}` is text and always escaped, `[[name]]` is a piece of HTML made here.

use super::language::Language;

/// A piece of HTML: only [`fill`] makes it, from a file of ours.
pub(super) struct Html(String);

impl Html {
    /// No HTML.
    pub(super) fn none() -> Self {
        Self(String::new())
    }

    /// One after the other.
    pub(super) fn all(pieces: impl IntoIterator<Item = Self>) -> Self {
        Self(pieces.into_iter().map(|piece| piece.0).collect())
    }

    /// As it goes to the browser.
    pub(super) fn into_string(self) -> String {
        self.0
    }
}

/// A template filled: texts by `values` first, then by the language's words; pieces by `pieces`.
pub(super) fn fill(
    template: &'static str,
    language: Language,
    values: &[(&str, &str)],
    pieces: &[(&str, Html)],
) -> Html {
    let mut out = String::with_capacity(2 * template.len());
    let mut rest = template;
    while let Some(at) = rest.find(['{', '[']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some((name, after)) = place(rest, "{{", "}}") {
            escape(text(name, language, values), &mut out);
            rest = after;
        } else if let Some((name, after)) = place(rest, "[[", "]]") {
            let piece = pieces.iter().find(|(known, _)| *known == name);
            debug_assert!(piece.is_some(), "no piece {name}");
            out.push_str(piece.map_or("", |(_, html)| &html.0));
            rest = after;
        } else {
            out.push_str(&rest[..1]);
            rest = &rest[1..];
        }
    }
    out.push_str(rest);
    Html(out)
}

fn place<'a>(text: &'a str, open: &str, close: &str) -> Option<(&'a str, &'a str)> {
    text.strip_prefix(open)?.split_once(close)
}

fn text<'a>(name: &str, language: Language, values: &[(&str, &'a str)]) -> &'a str {
    let value = values.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
    let text = value.unwrap_or_else(|| language.say(name));
    debug_assert!(value.is_some() || !text.is_empty(), "no text {name}");
    text
}

/// Safe between tags and in quoted attributes.
fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_and_never_read_as_a_template() {
        let evil = "<b>\"'&{{skip}}[[piece]]";
        let piece = fill("<i>{{x}}</i>", Language::English, &[("x", "1 < 2")], &[]);
        let all = fill(
            "{a}[b]<p title=\"{{evil}}\">[[piece]]{",
            Language::English,
            &[("evil", evil)],
            &[("piece", piece)],
        );
        let expected = "{a}[b]<p title=\"&lt;b&gt;&quot;&#39;&amp;{{skip}}[[piece]]\"><i>1 &lt; 2</i>{";
        assert_eq!(all.into_string(), expected);
    }
}
