//! What came from outside, made fit to be read: one line, of bounded length,
//! in the order it is written.

/// `text` with every character that could break the line, turn the direction of
/// reading or hide itself replaced by `�`, and cut to `most` characters with `…`.
pub(crate) fn clean(text: &str, most: usize) -> String {
    let mut shown: String = text.trim().chars().take(most).map(visible).collect();
    if text.trim().chars().count() > most {
        shown.pop();
        shown.push('…');
    }
    shown
}

fn visible(c: char) -> char {
    match c {
        '\t' | '\u{a0}' => ' ',
        // Some windows take what looks like markup for markup.
        '<' => '‹',
        '>' => '›',
        _ if c.is_control() || is_deceptive(c) => '\u{fffd}',
        _ => c,
    }
}

/// Line and paragraph separators, bidirectional controls (Unicode TR 9), and
/// characters without a width of their own.
fn is_deceptive(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// A long word broken into pieces of at most `width` characters, each break marked on
/// both sides, so that no piece can pass for the whole.
pub(crate) fn break_long(word: &str, width: usize) -> String {
    if word.chars().count() <= width {
        return word.to_owned();
    }
    let characters: Vec<char> = word.chars().collect();
    let pieces: Vec<String> = characters
        .chunks(width - 2)
        .map(|piece| piece.iter().collect())
        .collect();
    pieces.join("…\n…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_outside_breaks_a_line_or_turns_it() {
        let nasty = "<b>Иванов\r\nИван\u{202e}moc.live\u{2066}\u{2028}a\0b\u{1b}[31m\u{200b}\u{feff}\tc";
        let shown = clean(nasty, 100);
        assert_eq!(shown, "‹b›Иванов��Иван�moc.live��a�b�[31m�� c");
    }

    #[test]
    fn length_is_counted_in_characters_and_marked() {
        assert_eq!(clean("абвгд", 5), "абвгд");
        assert_eq!(clean("абвгде", 5), "абвг…");
        assert_eq!(clean("  a  ", 5), "a");
    }

    #[test]
    fn breaks_are_marked_and_lose_nothing() {
        let host = format!("https://{}.example", "a".repeat(70));
        let broken = break_long(&host, 60);
        assert!(broken.lines().all(|line| line.chars().count() <= 60));
        assert_eq!(broken.replace("…\n…", ""), host);
        assert_eq!(break_long("https://a.example", 60), "https://a.example");
    }
}
