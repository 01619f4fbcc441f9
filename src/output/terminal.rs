//! What standard output is, when it is a terminal.

use console::Term;

/// How many characters a line has room for; `None` when nobody looks at it.
#[must_use]
pub(crate) fn terminal_width() -> Option<usize> {
    let terminal = Term::stdout();
    let (_, columns) = terminal.is_term().then(|| terminal.size_checked())??;
    Some(usize::from(columns))
}

/// Whether colors are wanted there. `NO_COLOR` and `TERM=dumb` forbid them.
#[must_use]
pub(crate) fn has_color() -> bool {
    let terminal = Term::stdout();
    let is_forbidden = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    terminal.is_term() && terminal.features().colors_supported() && !is_forbidden
}
