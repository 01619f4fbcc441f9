//! What the user may have meant by a name that kai does not know.

use super::keys::{self, ACCOUNT_ROUTES, KEYS, ROUTE_KEYS};

/// A half sentence that follows "unknown key `section.name`": the nearest key, else the known ones of that section.
pub(super) fn for_key(section: &str, name: &str) -> String {
    let known = keys::children(section);
    let same = known.iter().find(|child| letters(child) == letters(name));
    // A key in the wrong section: its own name has the section that it belongs to.
    let elsewhere: Vec<&str> = KEYS.iter().map(|key| key.path).filter(|path| ends_with_name(path, name)).collect();
    if same.is_none()
        && let [path] = elsewhere[..]
    {
        return format!("did you mean `{path}`?");
    }
    match same.copied().or_else(|| nearest(name, known.iter().copied())) {
        Some(near) => format!("did you mean `{}`?", join(section, near)),
        None if section.is_empty() => format!("known keys are {}", known.join(", ")),
        None => format!("known keys of `{section}` are {}", known.join(", ")),
    }
}

/// The same for a key of one account's route.
pub(super) fn for_route_key(account_path: &str, name: &str) -> String {
    match nearest(name, ROUTE_KEYS.into_iter()) {
        Some(near) => format!("did you mean `{account_path}.{near}`?"),
        None => format!("known keys of `{account_path}` are {}", ROUTE_KEYS.join(", ")),
    }
}

/// What a `KAI_` variable that names no key may have meant.
pub(super) fn for_variable(name: &str) -> String {
    if name.starts_with(&keys::variable(ACCOUNT_ROUTES)) {
        return format!("`{ACCOUNT_ROUTES}` is read from the file only");
    }
    let known: Vec<String> = KEYS.iter().map(|key| keys::variable(key.path)).collect();
    match nearest(name, known.iter().map(String::as_str)) {
        Some(near) => format!("did you mean {near}?"),
        None => "it is ignored; see `kai config` for the keys".to_owned(),
    }
}

fn ends_with_name(path: &str, name: &str) -> bool {
    let last = path.rsplit('.').next().unwrap_or_default();
    [letters(last), letters(path)].contains(&letters(name))
}

fn join(section: &str, name: &str) -> String {
    if section.is_empty() { name.to_owned() } else { format!("{section}.{name}") }
}

/// The candidate that differs in the fewest letters, when that is at most a third of them.
pub(crate) fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = letters(name);
    candidates
        .map(|candidate| (strsim::osa_distance(&wanted, &letters(candidate)), candidate))
        .filter(|(distance, _)| distance * 3 <= wanted.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// `anchoreUrl`, `anchore-url` and `anchore.url` are the same letters. Bounded, because the name is
/// a stranger's and the comparison takes time with the square of its length.
fn letters(name: &str) -> String {
    name.chars()
        .filter(|character| !matches!(character, '-' | '_' | '.'))
        .flat_map(char::to_lowercase)
        .take(100)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::typo("anchore", "pasword", "did you mean `anchore.password`?")]
    #[case::camel_case("", "ignoreNotRunning", "did you mean `ignore-not-running`?")]
    #[case::wrong_section("", "ignore-empty", "did you mean `namespace-selectors.ignore-empty`?")]
    #[case::flattened("", "anchore-url", "did you mean `anchore.url`?")]
    #[case::later(
        "collection",
        "page",
        "known keys of `collection` are method, cycle-timeout-seconds, verify-interval-seconds, stale-after-seconds"
    )]
    #[case::nothing_near("log", "zzz", "known keys of `log` are structured, level, file")]
    fn the_nearest_key_is_suggested(#[case] section: &str, #[case] name: &str, #[case] expected: &str) {
        assert_eq!(for_key(section, name), expected);
    }

    #[test]
    fn at_the_root_all_known_keys_are_listed() {
        let text = for_key("", "zzz");
        assert!(text.starts_with("known keys are output, quiet, "), "{text}");
        assert!(text.ends_with(", account-routes"), "{text}");
    }

    #[rstest]
    #[case("KAI_ANCHORE_PASWORD", "did you mean KAI_ANCHORE_PASSWORD?")]
    #[case("KAI_ACCOUNT_ROUTES_TEAM_USER", "`account-routes` is read from the file only")]
    #[case("KAI_XYZ", "it is ignored; see `kai config` for the keys")]
    fn the_nearest_variable_is_suggested(#[case] name: &str, #[case] expected: &str) {
        assert_eq!(for_variable(name), expected);
    }
}
