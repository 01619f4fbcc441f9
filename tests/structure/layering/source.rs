//! Finds the paths that a source file names: what it imports, and what it refers to in full.
//!
//! A scan of tokens, not of the grammar: comments and texts are left out, groups of a `use` are taken apart, `super` is
//! resolved through inline modules. That is enough to tell which module speaks of which. Unit tests (`mod tests`) are
//! left out: they may build what they feed the code with.

use std::collections::BTreeSet;

/// The first names of the paths in a source.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Named {
    /// Modules at the top of this crate.
    pub(crate) modules: BTreeSet<String>,
    /// What other paths begin with: crates, but also types and modules in scope.
    pub(crate) roots: BTreeSet<String>,
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    PathSep,
    Mark(char),
}

/// What the source of the module at `place` names; `["http", "cache"]` for `src/http/cache.rs`, `["http"]` for its
/// `mod.rs`.
pub(crate) fn named(place: &[&str], source: &str) -> Named {
    let tokens = tokens(source);
    let mut named = Named::default();
    // One entry for each open brace: the inline module that begins there.
    let mut braces: Vec<Option<&str>> = Vec::new();
    for (position, token) in tokens.iter().enumerate() {
        match token {
            Token::Mark('{') => braces.push(opened_module(&tokens[..position])),
            Token::Mark('}') => drop(braces.pop()),
            Token::Word(_) if !braces.contains(&Some("tests")) && begins_path(&tokens[..position]) => {
                let inline = braces.iter().flatten().count();
                let mut paths = Vec::new();
                read_tree(&tokens[position..], &mut Vec::new(), &mut paths);
                for path in paths {
                    named.take(place, inline, &path);
                }
            }
            Token::Word(_) | Token::PathSep | Token::Mark(_) => {}
        }
    }
    named
}

impl Named {
    fn take(&mut self, place: &[&str], inline: usize, path: &[&str]) {
        let supers = path.iter().take_while(|name| **name == "super").count();
        let rest = &path[supers..];
        match path.first().copied() {
            Some("crate" | "kai") => self.modules.extend(path.get(1).map(|name| (*name).to_owned())),
            // As many steps up as there are levels lead to the top of the crate.
            Some("super") if supers == place.len() + inline => {
                self.modules.extend(rest.first().map(|name| (*name).to_owned()));
            }
            Some("super" | "self" | "Self") | None => {}
            Some(root) => drop(self.roots.insert(root.to_owned())),
        }
    }
}

/// The name of the inline module whose brace follows: `mod name {`.
fn opened_module(before: &[Token]) -> Option<&str> {
    match before {
        [.., Token::Word(keyword), Token::Word(name)] if keyword == "mod" => Some(name),
        _ => None,
    }
}

/// Whether a word that follows these tokens is the first of a path, and not one in the middle, a field or a method.
fn begins_path(before: &[Token]) -> bool {
    match before {
        [.., Token::Word(keyword), Token::PathSep] if matches!(&**keyword, "use" | "as" | "dyn" | "impl") => true,
        [.., Token::Word(_) | Token::Mark('>'), Token::PathSep] | [.., Token::Mark('.')] => false,
        _ => true,
    }
}

/// Reads `a::b::{c, d::e}` into its paths; gives how many tokens it took. A single word is no path, unless a group has it.
fn read_tree<'t>(tokens: &'t [Token], prefix: &mut Vec<&'t str>, paths: &mut Vec<Vec<&'t str>>) -> usize {
    let depth = prefix.len();
    let mut taken = 0;
    while let Some(Token::Word(name)) = tokens.get(taken) {
        prefix.push(name);
        taken += 1;
        if tokens.get(taken) != Some(&Token::PathSep) {
            break;
        }
        taken += 1;
    }
    if tokens.get(taken) == Some(&Token::Mark('{')) && taken > 0 && tokens[taken - 1] == Token::PathSep {
        taken += 1;
        while let Some(token) = tokens.get(taken) {
            match token {
                Token::Mark('}') => {
                    taken += 1;
                    break;
                }
                Token::Word(_) => taken += read_tree(&tokens[taken..], prefix, paths),
                Token::PathSep | Token::Mark(_) => taken += 1,
            }
        }
    } else if prefix.len() > 1 {
        paths.push(prefix.clone());
    }
    prefix.truncate(depth);
    taken.max(1)
}

/// The tokens of a source without comments and texts.
fn tokens(source: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment(rest)
        } else if let Some(length) = text(rest) {
            length
        } else if first.is_alphabetic() || first == '_' {
            let length = rest.find(|next: char| !next.is_alphanumeric() && next != '_').unwrap_or(rest.len());
            tokens.push(Token::Word(rest[..length].to_owned()));
            length
        } else if rest.starts_with("::") {
            tokens.push(Token::PathSep);
            2
        } else {
            if !first.is_whitespace() {
                tokens.push(Token::Mark(first));
            }
            first.len_utf8()
        };
        rest = &rest[length..];
    }
    tokens
}

/// Length of the block comment, those within it included.
fn block_comment(source: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < source.len() {
        let rest = &source[at..];
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    source.len()
}

/// Length of the text or character that begins here, if one does.
fn text(source: &str) -> Option<usize> {
    let prefix = source.len() - source.trim_start_matches(['b', 'c']).len();
    let body = &source[prefix.min(1)..];
    if let Some(raw) = body.strip_prefix('r') {
        let marks = raw.len() - raw.trim_start_matches('#').len();
        if raw[marks..].starts_with('"') {
            let end = format!("\"{}", "#".repeat(marks));
            let start = prefix.min(1) + 1 + marks + 1;
            return Some(source[start..].find(&end).map_or(source.len(), |at| start + at + end.len()));
        }
    }
    if let Some(inside) = body.strip_prefix('"') {
        return Some(prefix.min(1) + 1 + until_unescaped(inside, '"'));
    }
    // A character ends in a quote; a lifetime does not.
    let mut characters = body.strip_prefix('\'')?.chars();
    match (characters.next(), characters.next()) {
        (Some('\\'), _) => Some(prefix.min(1) + 1 + until_unescaped(&body[1..], '\'')),
        (Some(character), Some('\'')) => Some(prefix.min(1) + 1 + character.len_utf8() + 1),
        _ => None,
    }
}

/// Length up to and with the closing mark.
fn until_unescaped(text: &str, mark: char) -> usize {
    let mut escaped = false;
    for (at, character) in text.char_indices() {
        if !escaped && character == mark {
            return at + character.len_utf8();
        }
        escaped = !escaped && character == '\\';
    }
    text.len()
}
