//! What came from outside, made fit to be read: one line, of bounded length,
//! in the order it is written.

use crate::legible::is_deceptive;

/// `text` with every character that could break the line, turn the direction of
/// reading or hide itself replaced by `�`, runs of blanks made one, and cut to
/// `most` characters with `…`.
pub(crate) fn clean(text: &str, most: usize) -> String {
    let mut shown = String::new();
    for c in text.chars().map(visible) {
        // A run of blanks could push what follows to a line of its own.
        if c != ' ' || !(shown.is_empty() || shown.ends_with(' ')) {
            shown.push(c);
        }
    }
    let shown = shown.trim_end();
    match shown.char_indices().nth(most) {
        None => shown.to_owned(),
        Some(_) => shown.chars().take(most - 1).chain(['…']).collect(),
    }
}

fn visible(c: char) -> char {
    match c {
        '\t' => ' ',
        // Some windows take what looks like markup for markup.
        '<' => '‹',
        '>' => '›',
        _ if is_deceptive(c) => '\u{fffd}',
        _ if c.is_whitespace() => ' ',
        _ => c,
    }
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

/// `text` with lines of at most `columns` characters, broken at spaces; longer words stay whole.
///
/// What goes on is set in, so that no text from outside can begin a line.
pub(crate) fn wrap_lines(text: &str, columns: usize) -> String {
    let mut lines = Vec::new();
    for line in text.lines() {
        let mut current = String::new();
        for word in line.split(' ') {
            let longer = current.chars().count() + 1 + word.chars().count();
            if !current.is_empty() && longer > columns {
                lines.push(std::mem::replace(&mut current, " ".to_owned()));
            }
            if !current.is_empty() {
                current.push(' ');
            }
            current.push_str(word);
        }
        lines.push(current);
    }
    lines.join("\n")
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
        assert_eq!(clean(&format!("a{}\u{a0}\u{3000}b", " ".repeat(90)), 5), "a b");
    }

    #[test]
    fn breaks_are_marked_and_lose_nothing() {
        let host = format!("https://{}.example", "a".repeat(70));
        let broken = break_long(&host, 60);
        assert!(broken.lines().all(|line| line.chars().count() <= 60));
        assert_eq!(broken.replace("…\n…", ""), host);
        assert_eq!(break_long("https://a.example", 60), "https://a.example");
    }

    #[test]
    fn terminal_lines_are_broken_at_spaces() {
        let long = "слово ".repeat(40);
        let wrapped = wrap_lines(long.trim(), 72);
        assert!(wrapped.lines().all(|line| line.chars().count() <= 72));
        assert_eq!(wrapped.replace("\n  ", " "), long.trim());
        assert_eq!(wrap_lines("a\nb", 72), "a\nb");
    }
}
