//! What holds for image references of every kind: made from the grammar, nearly of the grammar, and of any characters.

use kai::inventory::ImageRef;
use oci_spec::distribution::Reference;
use proptest::prelude::*;
use proptest::strategy::ValueTree;

/// References of the grammar: each part now and then left out, hosts of every form.
fn of_the_grammar() -> impl Strategy<Value = String> {
    let component = "[a-zA-Z0-9]([a-zA-Z0-9-]{0,5}[a-zA-Z0-9])?";
    let host = prop_oneof![
        Just("docker.io".to_owned()),
        Just("index.docker.io".to_owned()),
        Just("localhost".to_owned()),
        "(a_b|x__y)\\.example\\.com",
        "\\[[0-9a-f]{0,4}:[0-9a-fA-F:]{0,7}\\](:[0-9]{1,5})?",
        matching(&format!("{component}(\\.{component}){{0,3}}(:[0-9]{{1,5}})?")),
    ];
    let element = "[a-z0-9]{1,4}((\\.|_|__|-{1,3})[a-z0-9]{1,4}){0,3}";
    let path = matching(&format!("{element}(/{element}){{0,3}}"));
    let tag = "[A-Za-z0-9_][A-Za-z0-9_.-]{0,12}";
    let digest = prop_oneof!["sha256:[0-9a-f]{64}", "sha384:[0-9a-f]{96}", "sha512:[0-9a-f]{128}"];
    let part = |lead: &'static str, text: Option<String>| text.map_or(String::new(), |text| format!("{lead}{text}"));
    (proptest::option::of(host), path, proptest::option::of(tag), proptest::option::of(digest)).prop_map(
        move |(host, path, tag, digest)| {
            let host = host.map_or(String::new(), |host| format!("{host}/"));
            format!("{host}{path}{}{}", part(":", tag), part("@", digest))
        },
    )
}

fn matching(expression: &str) -> impl Strategy<Value = String> + use<> {
    proptest::string::string_regex(expression).expect("a regular expression")
}

/// Texts that look like references: a reference with a few characters put in the wrong place.
fn nearly_of_the_grammar() -> impl Strategy<Value = String> {
    (of_the_grammar(), proptest::collection::vec((any::<prop::sample::Index>(), "[:/@._A-Z -]|\\PC"), 0..3)).prop_map(
        |(text, inserted)| {
            let mut characters: Vec<char> = text.chars().collect();
            for (position, text) in inserted {
                let position = position.index(characters.len());
                characters.splice(position..position, text.chars());
            }
            characters.into_iter().collect()
        },
    )
}

fn anything() -> impl Strategy<Value = String> {
    prop_oneof![of_the_grammar(), nearly_of_the_grammar(), any::<String>()]
}

/// A first element of upper-case letters without a dot or a colon: a registry by the grammar, which oci-spec takes for a
/// user of Docker Hub.
fn is_host_by_its_case_alone(text: &str) -> bool {
    text.split_once('/').is_some_and(|(first, _)| {
        !first.contains(['.', ':']) && first.contains(|character: char| character.is_ascii_uppercase())
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1000) })]

    #[test]
    fn what_is_made_from_the_grammar_is_valid(text in of_the_grammar()) {
        prop_assert_eq!(ImageRef::parse(&text).problem(), None);
    }

    #[test]
    fn written_is_the_input_whatever_it_is(text in anything()) {
        let image = ImageRef::parse(&text);
        prop_assert_eq!(image.written(), &text);
        prop_assert!(text.starts_with(image.name()));
        prop_assert_eq!(image.has_parts(), image.registry().is_some());
        prop_assert_eq!(image.problem().is_none(), image.has_parts() && !image.is_digest_unsupported());
    }

    #[test]
    fn the_canonical_form_is_its_own_canonical_form(text in anything()) {
        let image = ImageRef::parse(&text);
        let again = ImageRef::parse(&image.to_string());
        prop_assert_eq!(again.to_string(), image.to_string());
        if image.has_parts() {
            prop_assert_eq!(again.canonical_name(), image.canonical_name());
            prop_assert_eq!((again.registry(), again.repository()), (image.registry(), image.repository()));
            prop_assert_eq!((again.tag(), again.digest()), (image.tag(), image.digest()));
            prop_assert!(again.is_same_repository(&image));
        }
    }

    #[test]
    fn name_tag_and_digest_put_together_are_the_text(text in of_the_grammar()) {
        let image = ImageRef::parse(&text);
        let tag = image.tag().filter(|_| !image.is_tag_implied()).map_or(String::new(), |tag| format!(":{tag}"));
        let digest = image.digest().map_or(String::new(), |digest| format!("@{digest}"));
        prop_assert_eq!(format!("{}{tag}{digest}", image.name()), text);
    }

    /// oci-spec adds `latest` where neither tag nor digest is written, as [`ImageRef::tag`] does.
    #[test]
    fn oci_spec_agrees_where_both_accept(text in anything()) {
        let image = ImageRef::parse(&text);
        let Ok(theirs) = text.parse::<Reference>() else { return Ok(()) };
        if image.problem().is_some() || is_host_by_its_case_alone(&text) {
            return Ok(());
        }
        prop_assert_eq!(image.canonical_name(), format!("{}/{}", theirs.registry(), theirs.repository()));
        prop_assert_eq!(image.tag(), theirs.tag());
        prop_assert_eq!(image.digest().map(kai::inventory::Digest::as_str), theirs.digest());
    }
}

/// Without this the property above could hold for want of anything that both accept.
#[test]
fn oci_spec_accepts_much_of_the_grammar() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let strategy = of_the_grammar();
    let accepted = (0..200)
        .filter(|_| {
            let text = strategy.new_tree(&mut runner).expect("a reference").current();
            text.parse::<Reference>().is_ok() && !is_host_by_its_case_alone(&text)
        })
        .count();
    assert!(accepted > 100, "only {accepted} of 200");
}
