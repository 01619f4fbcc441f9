//! `kai explain`: how kai reads an image name.

use std::io::{self, BufRead, BufWriter, Write, stdin, stdout};

use anyhow::Context as _;
use serde::Serialize;

use super::Exit;
use super::print::NOT_WRITTEN;
use crate::inventory::{Digest, ImageRef};
use crate::output::is_closed_pipe;

/// The argument that stands for standard input.
const STDIN: &str = "-";

const EXAMPLES: &str = "\
Examples:
  kai explain nginx
  kai explain registry:5000/team/app 'repo/app:v1@sha256:…'
  kubectl get pods -A -o jsonpath='{range .items[*].spec.containers[*]}{.image}{\"\\n\"}{end}' | kai explain -

Each line is one JSON object: input, valid, reason, registry, repository, tag, tag_implied, digest, canonical.
Write names that begin with a dash after --.";

/// Arguments of `kai explain`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Explain {
    /// Image references; `-` reads one per line from standard input
    #[arg(required = true, value_name = "REFERENCE")]
    references: Vec<String>,
}

/// One line of the answer. When the reference is not valid every part is null.
#[derive(Serialize)]
struct Explanation<'a> {
    input: &'a str,
    valid: bool,
    reason: Option<String>,
    registry: Option<&'a str>,
    repository: Option<&'a str>,
    tag: Option<&'a str>,
    tag_implied: Option<bool>,
    digest: Option<&'a str>,
    canonical: Option<String>,
}

impl Explain {
    /// Prints a line for each reference; fails after all of them when one was invalid.
    pub(super) fn run(&self) -> anyhow::Result<Exit> {
        let mut output = BufWriter::new(stdout().lock());
        match self.print(&mut stdin().lock(), &mut output) {
            Ok(true) => Ok(Exit::Done),
            Ok(false) => Ok(Exit::Failed),
            Err(Stopped::Output(error)) if is_closed_pipe(&error) => Ok(Exit::Done),
            Err(Stopped::Output(error)) => Err(error).context(NOT_WRITTEN),
            Err(Stopped::Input(error)) => Err(error).context("standard input could not be read"),
        }
    }

    fn print(&self, input: &mut impl BufRead, output: &mut impl Write) -> Result<bool, Stopped> {
        let mut all_valid = true;
        for reference in &self.references {
            if reference == STDIN {
                all_valid &= explain_lines(input, output)?;
            } else {
                all_valid &= explain(reference, output).map_err(Stopped::Output)?;
            }
        }
        output.flush().map_err(Stopped::Output)?;
        Ok(all_valid)
    }
}

/// What ended the answers before their end.
#[derive(Debug)]
enum Stopped {
    Input(io::Error),
    Output(io::Error),
}

/// Lines end at `\n` alone and nothing is trimmed: blanks and carriage returns are part of what is asked about.
fn explain_lines(input: &mut impl BufRead, output: &mut impl Write) -> Result<bool, Stopped> {
    let mut all_valid = true;
    let mut line = Vec::new();
    while input.read_until(b'\n', &mut line).map_err(Stopped::Input)? > 0 {
        if line.last() == Some(&b'\n') {
            line.pop();
        }
        all_valid &= explain(&String::from_utf8_lossy(&line), output).map_err(Stopped::Output)?;
        line.clear();
    }
    Ok(all_valid)
}

fn explain(reference: &str, output: &mut impl Write) -> io::Result<bool> {
    let image = ImageRef::parse(reference);
    let problem = image.problem();
    let valid = problem.is_none();
    // Parts of a text that no runtime takes would only look like an answer.
    let explanation = Explanation {
        input: reference,
        valid,
        reason: problem.map(|problem| problem.to_string()),
        registry: image.registry().filter(|_| valid),
        repository: image.repository().filter(|_| valid),
        tag: image.tag().filter(|_| valid),
        tag_implied: valid.then(|| image.is_tag_implied()),
        digest: image.digest().filter(|_| valid).map(Digest::as_str),
        canonical: valid.then(|| image.to_string()),
    };
    serde_json::to_writer(&mut *output, &explanation)?;
    output.write_all(b"\n")?;
    Ok(valid)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(references: &[&str], input: &str) -> (bool, Vec<serde_json::Value>) {
        let explain = Explain { references: references.iter().map(|text| (*text).to_owned()).collect() };
        let mut output = Vec::new();
        let valid = explain.print(&mut input.as_bytes(), &mut output).unwrap();
        let lines = String::from_utf8(output).unwrap();
        (valid, lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
    }

    #[test]
    fn a_name_alone_is_the_latest_of_the_hub() {
        let (valid, lines) = explained(&["nginx"], "");
        assert!(valid);
        assert_eq!(
            lines,
            [serde_json::json!({
                "input": "nginx", "valid": true, "reason": null, "registry": "docker.io",
                "repository": "library/nginx", "tag": "latest", "tag_implied": true, "digest": null,
                "canonical": "docker.io/library/nginx",
            })]
        );
    }

    #[test]
    fn every_part_of_an_invalid_name_is_null() {
        let unsupported = "a@blake3:50e5dd93daab372984af41e00c7aa40ab8f3862d394ab318a30460876ac704f4";
        let (valid, lines) = explained(&["Nginx", unsupported], "");
        assert!(!valid);
        for (line, reason) in lines.iter().zip(["uppercase", "digest-unsupported"]) {
            assert_eq!((&line["valid"], &line["reason"]), (&false.into(), &reason.into()));
            for part in ["registry", "repository", "tag", "tag_implied", "digest", "canonical"] {
                assert!(line[part].is_null(), "{part} of {line}");
            }
        }
    }

    #[test]
    fn lines_end_at_newlines_alone_and_none_is_skipped_or_trimmed() {
        let (_, lines) = explained(&["-"], "nginx\n\n redis\r\nlast");
        let inputs: Vec<_> = lines.iter().map(|line| line["input"].as_str().unwrap()).collect();
        assert_eq!(inputs, ["nginx", "", " redis\r", "last"]);
        assert_eq!(lines[1]["reason"], "empty");
        assert_eq!(explained(&["-"], "").1.len(), 0);
    }

    #[test]
    fn an_implied_tag_is_not_that_of_a_pinned_digest() {
        let digest = format!("sha256:{}", "0".repeat(64));
        let (_, lines) = explained(&[&format!("reg:5000/a@{digest}")], "");
        assert_eq!((&lines[0]["tag"], &lines[0]["tag_implied"]), (&serde_json::Value::Null, &false.into()));
        assert_eq!(lines[0]["digest"], digest);
    }
}
