//! Errors of the system in the middle of a sentence.

/// The system's words without the number behind them.
pub(crate) fn os_reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    let words = text.split(" (os error").next().unwrap_or_default();
    let mut letters = words.chars();
    // "Is a directory" stands in the middle of a sentence here.
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}
