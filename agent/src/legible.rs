//! What of a foreign text may be shown to a person: names come from plugins, pages, tokens and certificates.

/// Whether a character cannot be seen, or changes how its neighbours are shown: controls,
/// line separators, bidirectional controls, joiners, tags, fillers.
pub fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// `text` with every such character replaced by U+FFFD, so that no text looks like another.
pub fn legible(text: &str) -> String {
    let seen = |c| {
        if is_deceptive(c) {
            char::REPLACEMENT_CHARACTER
        } else {
            c
        }
    };
    text.chars().map(seen).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_or_moves_its_neighbours_is_marked() {
        assert_eq!(
            legible("Иванов 王 a\u{1b}[2J\u{202e}b\n"),
            "Иванов 王 a\u{fffd}[2J\u{fffd}b\u{fffd}"
        );
    }
}
