//! Image references against the reference grammar's own parser.
//!
//! `tests/cases/references.jsonl` holds strings with what `ParseNormalizedNamed` of `github.com/distribution/reference`
//! v0.6.0 makes of them; the table below holds the corners of the grammar, each answer checked with that parser too.

use std::collections::BTreeSet;

use kai::inventory::ImageRef;
use rstest::rstest;
use serde::Deserialize;

const REFERENCES: &str = include_str!("../cases/references.jsonl");

/// 64 hex digits.
const H: &str = "b9b4fa9b3e13e1d02583fe3bf0e8578f78e8b257dbafc9cbed599cacc7bb6628";

/// A line of the file, and what kai makes of its input.
#[derive(Debug, PartialEq, Eq, Deserialize)]
struct Reading {
    input: String,
    valid: bool,
    error: Option<String>,
    domain: Option<String>,
    path: Option<String>,
    tag: Option<String>,
    digest: Option<String>,
    canonical: Option<String>,
}

impl Reading {
    fn of(input: &str) -> Self {
        let image = ImageRef::parse(input);
        let valid = image.problem().is_none();
        let when_valid = |text: Option<&str>| text.filter(|_| valid).map(str::to_owned);
        Self {
            input: input.to_owned(),
            valid,
            error: image.problem().map(|problem| problem.to_string()),
            domain: when_valid(image.registry()),
            path: when_valid(image.repository()),
            tag: when_valid(image.tag().filter(|_| !image.is_tag_implied())),
            digest: when_valid(image.digest().map(kai::inventory::Digest::as_str)),
            canonical: valid.then(|| image.to_string()),
        }
    }
}

#[test]
fn every_line_of_the_reference_cases_agrees() {
    let lines: Vec<Reading> =
        REFERENCES.lines().map(|line| serde_json::from_str(line).expect("a line of references.jsonl")).collect();
    assert_eq!(lines.len(), 300, "the file has lost or gained lines");
    let disagreements: Vec<_> = lines.iter().filter(|line| Reading::of(&line.input) != **line).collect();
    assert!(disagreements.is_empty(), "{disagreements:#?}");
}

#[test]
fn every_error_word_occurs_in_the_reference_cases() {
    let words: BTreeSet<_> = REFERENCES
        .lines()
        .filter_map(|line| serde_json::from_str::<Reading>(line).expect("a line of references.jsonl").error)
        .collect();
    let all = [
        "digest-format",
        "digest-length",
        "digest-unsupported",
        "empty",
        "format",
        "hex-identifier",
        "name-too-long",
        "tag-too-long",
        "uppercase",
    ];
    assert_eq!(words, all.map(String::from).into());
}

/// `{H}` stands for 64 hex digits, `{C*n}` for `n` times the character `C`.
fn fill(template: &str) -> String {
    let mut text = template.replace("{H}", H);
    while let Some((before, rest)) = text.split_once('{') {
        let Some((run, after)) = rest.split_once('}') else { break };
        let Some((unit, count)) = run.split_once('*') else { break };
        text = format!("{before}{}{after}", unit.repeat(count.parse().expect("a count")));
    }
    text
}

/// Corners of the grammar that are accepted: `domain path tag digest`, `-` for an absent one.
#[rstest]
#[case::single_name_is_official("nginx", "docker.io library/nginx - -")]
#[case::hub_name_that_is_alone_is_a_name("docker.io", "docker.io library/docker.io - -")]
#[case::hub_alias("index.docker.io/x/y", "docker.io x/y - -")]
#[case::hub_alias_with_one_element("index.docker.io/x", "docker.io library/x - -")]
#[case::hub_with_port_is_another_registry("index.docker.io:443/x", "index.docker.io:443 x - -")]
#[case::upper_case_hub_is_another_registry("DOCKER.IO/x", "DOCKER.IO x - -")]
#[case::upper_case_host_without_dot("FOO/bar", "FOO bar - -")]
#[case::lower_case_host_without_dot_is_a_path("foo/bar", "docker.io foo/bar - -")]
#[case::localhost_alone_is_a_name("localhost", "docker.io library/localhost - -")]
#[case::localhost_with_a_number_is_a_tag("localhost:5000", "docker.io library/localhost 5000 -")]
#[case::localhost_is_a_registry("localhost/x", "localhost x - -")]
#[case::localhost_with_port("localhost:5000/x:1", "localhost:5000 x 1 -")]
#[case::upper_case_localhost("LOCALHOST/x", "LOCALHOST x - -")]
#[case::port_of_any_length("r:0099999/x", "r:0099999 x - -")]
#[case::ipv6("[fd00::1]/x", "[fd00::1] x - -")]
#[case::ipv6_with_port("[FD00::1]:5000/x:1", "[FD00::1]:5000 x 1 -")]
#[case::ipv6_of_colons("[:]/x", "[:] x - -")]
#[case::no_host_with_a_dot_gives_no_domain("a_b.example.com/x", " a_b.example.com/x - -")]
#[case::no_host_without_a_dot_is_hubs("a_b/x", "docker.io a_b/x - -")]
#[case::separators("a.b_c__d-e---f/g", " a.b_c__d-e---f/g - -")]
#[case::tag_of_one_underscore("x:_", "docker.io library/x _ -")]
#[case::tag_that_ends_in_a_dot("x:a.", "docker.io library/x a. -")]
#[case::tag_of_128("x:{t*128}", "docker.io library/x {t*128} -")]
#[case::path_of_255_with_library("{a*247}", "docker.io library/{a*247} - -")]
#[case::path_of_255_without_library("quay.io/{a*255}", "quay.io {a*255} - -")]
#[case::path_of_255_without_domain("a_b.c/{a*249}", " a_b.c/{a*249} - -")]
#[case::hex_name_with_a_tag("{H}:1", "docker.io library/{H} 1 -")]
#[case::hex_name_with_a_path("a/{H}", "docker.io a/{H} - -")]
#[case::hex_name_with_a_digest("{H}@sha256:{H}", "docker.io library/{H} - sha256:{H}")]
#[case::hex_name_of_63("{a*63}", "docker.io library/{a*63} - -")]
#[case::image_id_reads_like_a_tag("sha256:{H}", "docker.io library/sha256 {H} -")]
#[case::tag_and_digest("r.io/c:v1@sha256:{H}", "r.io c v1 sha256:{H}")]
#[case::sha384("x@sha384:{a*96}", "docker.io library/x - sha384:{a*96}")]
#[case::sha512("x@sha512:{a*128}", "docker.io library/x - sha512:{a*128}")]
#[case::sha_as_a_name("SHA256/x@sha256:{H}", "SHA256 x - sha256:{H}")]
fn accepted(#[case] input: &str, #[case] expected: &str) {
    let reading = Reading::of(&fill(input));
    let part = |part: &Option<String>| part.clone().unwrap_or_else(|| "-".into());
    let Reading { domain, path, tag, digest, .. } = &reading;
    let said = format!("{} {} {} {}", part(domain), part(path), part(tag), part(digest));
    assert_eq!((said, reading.error), (fill(expected), None));
}

/// Corners of the grammar that are refused, with the word for what is objected to first.
#[rstest]
#[case::nothing("", "empty")]
#[case::hub_without_a_name("docker.io/", "format")]
#[case::localhost_without_a_name("localhost/", "format")]
#[case::no_first_element("/x", "format")]
#[case::empty_element("a//b", "format")]
#[case::port_without_digits("r:/x", "format")]
#[case::port_of_letters("r:tag/x", "format")]
#[case::two_ports("r:1:2/x", "format")]
#[case::ipv6_without_brackets("::1/x", "format")]
#[case::ipv6_empty("[]/x", "format")]
#[case::ipv6_with_a_name("[fd00::1]", "format")]
#[case::host_that_ends_in_a_dash("a-.b/x", "format")]
#[case::no_host_with_upper_case("a_B.example.com/x", "uppercase")]
#[case::scheme("https://quay.io/x", "format")]
#[case::docker_prefix("docker-pullable://nginx@sha256:{H}", "format")]
#[case::three_underscores("a___b", "format")]
#[case::two_dots("a..b", "format")]
#[case::mixed_separators("a.-b", "format")]
#[case::leading_separator("-a", "format")]
#[case::trailing_separator("a-", "format")]
#[case::upper_case_name("Foo:1", "uppercase")]
#[case::upper_case_path("quay.io/Foo", "uppercase")]
#[case::upper_case_second_element("FOO/Bar", "uppercase")]
#[case::unexpanded_variable("${IMG}", "uppercase")]
#[case::unexpanded_variable_of_lower_case("${img}", "format")]
#[case::upper_case_wins_over_a_bad_tag("Foo:{t*129}", "uppercase")]
#[case::empty_tag("x:", "format")]
#[case::tag_that_begins_with_a_dot("x:.a", "format")]
#[case::tag_of_129("x:{t*129}", "tag-too-long")]
#[case::tag_of_129_with_digest("x:{t*129}@sha256:{H}", "tag-too-long")]
#[case::tag_of_129_with_another_error("x:-{t*129}", "format")]
#[case::tag_of_129_with_foreign_bytes("x:{t*128}+", "format")]
#[case::path_of_256_with_library("{a*248}", "name-too-long")]
#[case::path_of_256_on_the_hub("docker.io/library/{a*248}", "name-too-long")]
#[case::path_of_256_without_library("quay.io/{a*256}", "name-too-long")]
#[case::path_of_256_without_domain("a_b.c/{a*250}", "name-too-long")]
#[case::long_name_wins_over_a_bad_digest("{a*248}@md5:{a*32}", "name-too-long")]
#[case::hex_identifier("{H}", "hex-identifier")]
#[case::arn("arn:aws:ecr:eu-west-1:123456789012:repository/acme/x", "format")]
#[case::digest_alone("@sha256:{H}", "format")]
#[case::two_digests("x@sha256:{H}@sha256:{H}", "format")]
#[case::digest_before_tag("x@sha256:{H}:1", "format")]
#[case::digest_of_31("x@sha256:{a*31}", "format")]
#[case::digest_of_32("x@sha256:{a*32}", "digest-length")]
#[case::digest_of_65("x@sha256:{a*65}", "digest-length")]
#[case::digest_of_no_hex("x@sha256:{g*64}", "format")]
#[case::digest_of_upper_case_hex("x@sha256:{A*64}", "digest-format")]
#[case::upper_case_hex_of_a_wrong_length("x@sha256:{A*32}", "digest-length")]
#[case::upper_case_algorithm_is_taken_for_the_name("x@SHA256:{H}", "uppercase")]
#[case::upper_case_algorithm_behind_a_tag("x:1@SHA256:{H}", "digest-format")]
#[case::upper_case_foreign_algorithm_behind_a_tag("x:1@BLAKE3:{H}", "digest-format")]
#[case::md5("x@md5:{a*32}", "digest-unsupported")]
#[case::md5_of_31("x@md5:{a*31}", "format")]
#[case::combined_algorithm("x@sha256+b64u:{H}", "digest-unsupported")]
#[case::combined_algorithm_of_no_hex("x@sha256+b64u:{Z*43}", "format")]
#[case::algorithm_that_begins_with_a_digit("x@1a:{H}", "format")]
#[case::algorithm_with_an_empty_component("x@a..b:{H}", "format")]
#[case::dotted_capital_i_becomes_a_plain_one("\u{130}/x", "uppercase")]
#[case::dotted_capital_i_behind_a_host("a.b/\u{130}", "uppercase")]
#[case::kelvin_sign("\u{212a}ube", "uppercase")]
#[case::kelvin_sign_in_a_tag_becomes_a_letter("x:\u{212a}", "uppercase")]
#[case::letter_without_case("中/x", "format")]
#[case::sharp_s_is_lower_case("ß", "format")]
#[case::nul("a\0b", "format")]
#[case::space_before(" nginx", "format")]
#[case::space_behind("nginx ", "format")]
#[case::line_feed_behind("nginx\n", "format")]
fn refused(#[case] input: &str, #[case] expected: &str) {
    let reading = Reading::of(&fill(input));
    assert_eq!(reading.error.as_deref(), Some(expected));
    assert_eq!((reading.domain, reading.path, reading.canonical), (None, None, None));
}

/// A digest of a foreign algorithm (`name[:tag]@algorithm:encoded`): no valid reference, and its parts are kept.
#[rstest]
#[case::hex("r/a@blake3:{H}", "docker.io/r/a@blake3:{H}", "digest-unsupported")]
#[case::no_hex("r/a:1@sha256+b64u:{Z*43}", "docker.io/r/a:1@sha256+b64u:{Z*43}", "format")]
#[case::hex_name("{H}@blake3:{H}", "docker.io/library/{H}@blake3:{H}", "digest-unsupported")]
#[case::upper_case_foreign("r/a:1@BLAKE3:{H}", "docker.io/r/a:1@BLAKE3:{H}", "digest-format")]
fn foreign_algorithms_keep_their_parts(#[case] input: &str, #[case] canonical: &str, #[case] problem: &str) {
    let image = ImageRef::parse(&fill(input));
    assert!(image.has_parts() && image.is_digest_unsupported());
    assert_eq!(image.to_string(), fill(canonical));
    assert_eq!(image.problem().map(|problem| problem.to_string()).as_deref(), Some(problem));
}

/// What only looks like a digest takes the parts with it: the text stays raw.
#[rstest]
#[case::foreign_of_31("r/a@blake3:{a*31}")]
#[case::known_of_a_wrong_length("r/a:1@sha256:{a*63}")]
#[case::known_in_upper_case("r/a:1@SHA256:{H}")]
#[case::foreign_behind_a_bad_name("R/A@blake3:{H}")]
#[case::two("r/a@blake3:{H}@blake3:{H}")]
fn a_digest_that_is_none_leaves_the_text_raw(#[case] input: &str) {
    let image = ImageRef::parse(&fill(input));
    assert!(!image.has_parts() && !image.is_digest_unsupported());
    assert_eq!((image.name(), image.tag(), image.digest()), (&*fill(input), None, None));
}
