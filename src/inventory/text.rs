//! Foreign text made fit for a message: cut to a bounded length, control characters escaped.

use std::any::Any;
use std::borrow::Cow;
use std::fmt::{self, Write as _};

/// The most characters of a foreign value that a message shows.
const LIMIT: usize = 200;

/// The message of a panic that was caught, fit for a log.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    excerpt(text.unwrap_or("no reason is given")).to_string()
}

/// A foreign value as a message may show it. See [`excerpt`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Excerpt<'a>(&'a str);

/// Shows at most 200 characters of `value`, with control characters escaped.
///
/// Names and values come from manifests that anyone may write: printed raw they could move the cursor of a
/// terminal, forge a log line or fill a disk.
#[must_use]
pub(crate) fn excerpt(value: &str) -> Excerpt<'_> {
    Excerpt(value)
}

impl fmt::Display for Excerpt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut characters = self.0.chars();
        for character in characters.by_ref().take(LIMIT) {
            if is_unprintable(character) {
                write!(f, "{}", character.escape_default())?;
            } else {
                f.write_char(character)?;
            }
        }
        let rest = characters.count();
        if rest > 0 { write!(f, "… ({rest} more characters)") } else { Ok(()) }
    }
}

/// The first names, each as [`excerpt`] shows it, and how many more there are: of foreign names there may be any number.
#[must_use]
pub(crate) fn join_names(names: &[impl fmt::Display], most: usize) -> String {
    let shown = &names[..names.len().min(most)];
    let shown: Vec<String> = shown.iter().map(|name| excerpt(&name.to_string()).to_string()).collect();
    join_first(&shown, ", ", names.len() as u64)
}

/// What is shown of `all`, and how many more there are.
#[must_use]
pub(crate) fn join_first(shown: &[String], separator: &str, all: u64) -> String {
    let text = shown.join(separator);
    match all.saturating_sub(shown.len() as u64) {
        0 => text,
        more => format!("{text} and {more} more"),
    }
}

/// The whole of `value` with control characters escaped: for a table or a CSV cell, where nothing is cut.
#[must_use]
pub(crate) fn escape_controls(value: &str) -> Cow<'_, str> {
    if !value.contains(is_unprintable) {
        return Cow::Borrowed(value);
    }
    let mut escaped = String::with_capacity(value.len() + 8);
    for character in value.chars() {
        if is_unprintable(character) {
            escaped.extend(character.escape_default());
        } else {
            escaped.push(character);
        }
    }
    Cow::Owned(escaped)
}

fn is_unprintable(character: char) -> bool {
    character.is_control() || is_direction_mark(character)
}

/// Characters that reorder or split the text around them on a terminal without being control characters.
fn is_direction_mark(character: char) -> bool {
    matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_shows_the_first_names_and_counts_the_rest() {
        let names: Vec<String> = (0..12).map(|at| format!("c{at}")).collect();
        assert_eq!(join_names(&names[..2], 10), "c0, c1");
        assert_eq!(join_names(&names, 10), "c0, c1, c2, c3, c4, c5, c6, c7, c8, c9 and 2 more");
    }

    #[test]
    fn control_characters_are_escaped() {
        assert_eq!(excerpt("a\u{1b}[2J\n\u{202e}b").to_string(), "a\\u{1b}[2J\\n\\u{202e}b");
    }

    #[test]
    fn long_values_are_cut_on_a_character() {
        let shown = excerpt(&"é".repeat(205)).to_string();
        assert_eq!(shown, format!("{}… (5 more characters)", "é".repeat(200)));
    }
}
