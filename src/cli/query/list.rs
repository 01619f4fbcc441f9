//! Whole lists for programs, as HTTP has them.

use clap::Args;

use super::filters::Filters;
use super::output::to_stdout;
use super::source::{Source, request, sorted};
use crate::cli::Exit;
use crate::cli::start::Failure;
use crate::inventory::excerpt;
use crate::views::{
    ContainerSort, CycloneDxVersion, Format, ImageSort, List, ListOptions, PageHead, PageRequest, Reference, Sort,
};

/// Flags of lists of images.
#[derive(Debug, Args)]
pub(super) struct Listing {
    /// How text, skopeo, hauler and zarf name images: written, canonical or pinned
    #[arg(long, value_name = "HOW")]
    reference: Option<String>,

    /// Version of CycloneDX: 1.6 or 1.7 [default: 1.6]
    #[arg(long, value_name = "VERSION")]
    spec_version: Option<String>,
}

/// Rows of which there is a list.
pub(super) trait Listed: Sort {
    /// Where HTTP has them.
    const PATH: &'static str;

    fn list(request: PageRequest<Self>) -> List;
}

impl Listed for ImageSort {
    const PATH: &'static str = "/v1/images";

    fn list(request: PageRequest<Self>) -> List {
        List::Images(request)
    }
}

impl Listed for ContainerSort {
    const PATH: &'static str = "/v1/containers";

    fn list(request: PageRequest<Self>) -> List {
        List::Containers(request)
    }
}

impl Listing {
    /// What the flags say, where the format has it.
    pub(super) fn options(&self, format: Format) -> anyhow::Result<ListOptions> {
        let has_names = matches!(format, Format::Text | Format::Skopeo | Format::Hauler | Format::Zarf);
        for (flag, is_misplaced) in [
            ("--reference", self.reference.is_some() && !has_names),
            ("--spec-version", self.spec_version.is_some() && format != Format::CycloneDx),
        ] {
            if is_misplaced {
                let message = format!("{flag} has no meaning with -o {}; leave one of them out", format.name());
                return Err(Failure { exit: Exit::Usage, message }.into());
            }
        }
        Ok(ListOptions {
            reference: one_of("--reference", self.reference.as_deref(), &Reference::ALL)?,
            version: one_of("--spec-version", self.spec_version.as_deref(), &CycloneDxVersion::ALL)?,
        })
    }
}

fn one_of<T: Copy + Default>(flag: &str, word: Option<&str>, known: &[(T, &str)]) -> anyhow::Result<T> {
    let Some(word) = word else { return Ok(T::default()) };
    known.iter().find(|(_, name)| *name == word).map(|(known, _)| *known).ok_or_else(|| {
        let words: Vec<&str> = known.iter().map(|(_, name)| *name).collect();
        let message = format!("{flag} \"{}\": it must be {}", excerpt(word), words.join(" or "));
        Failure { exit: Exit::Usage, message }.into()
    })
}

impl Source {
    /// Prints every row that the filters want. What of the whole is missing, if anything.
    pub(super) async fn list<S: Listed>(
        &self,
        filters: &Filters,
        sort: Option<&str>,
        format: Format,
        options: ListOptions,
    ) -> anyhow::Result<Option<String>> {
        match self {
            Self::Snapshot { snapshot, .. } => {
                let (filter, list) = (filters.parse()?, S::list(request::<S>(sort)?));
                to_stdout(|out| list.write(snapshot, &filter, format, options, out))?;
                Ok(self.lacking(&PageHead::new(snapshot, None, 0, None)))
            }
            Self::Server { server, .. } => {
                let ListOptions { reference, version } = options;
                let word = Reference::ALL.iter().find(|(known, _)| *known == reference);
                let number = CycloneDxVersion::ALL.iter().find(|(known, _)| *known == version);
                let mut query = sorted::<S>(filters, sort)?.with("format", format.name());
                if let (Format::CycloneDx, Some((_, number))) = (format, number) {
                    query = query.with("version", *number);
                } else if let (Format::Text | Format::Skopeo | Format::Hauler | Format::Zarf, Some((_, word))) =
                    (format, word)
                {
                    query = query.with("reference", *word);
                }
                let is_complete = server.copy(S::PATH, &query).await?;
                Ok((!is_complete)
                    .then(|| "the server could not read everything, as its /readyz?verbose says".to_owned()))
            }
        }
    }
}
