//! Windows of time: how they are asked for, and what a history has to say of them.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use crate::history::{Kept, Query, StoreError, Unreadable};
use crate::http::App;
use crate::http::problem::{Problem, ProblemKind};
use crate::inventory::excerpt;
use crate::snapshot::{Gap, Sighting, gaps, leave_out_unreported};
use crate::views::{Filter, PastImages, PastWindow, Window};

/// What a moment may be.
const MOMENT: &str = "a duration before now such as 30d or 12h, or a time such as 2026-11-24T09:30:00Z";

/// A moment as it is asked for.
#[derive(Debug, Clone)]
pub(super) enum Moment {
    /// So long before now.
    Ago(Span),
    At(Timestamp),
}

/// The parameters `since`, `until` and `at`.
#[derive(Debug, Clone, Default)]
pub(in crate::http) struct WindowParams {
    since: Option<Moment>,
    until: Option<Moment>,
    at: Option<Moment>,
    /// As they were given.
    pub(in crate::http) text: String,
}

impl Moment {
    /// Reads a duration or a time; an error says what is allowed.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        if let Ok(time) = text.parse::<Timestamp>() {
            return Ok(Self::At(time));
        }
        let span = text.parse::<Span>().ok().filter(|span| !span.is_negative());
        span.map(Self::Ago).ok_or(MOMENT)
    }

    /// `None` when it is before all times.
    pub(super) fn resolve(&self, now: Timestamp) -> Option<Timestamp> {
        let time = match self {
            Self::At(time) => Some(*time),
            // A day has 24 hours there.
            Self::Ago(span) => now.to_zoned(TimeZone::UTC).checked_sub(*span).ok().map(|time| time.timestamp()),
        };
        // A history knows no more than milliseconds.
        time.and_then(|time| Timestamp::from_millisecond(time.as_millisecond()).ok())
    }
}

impl WindowParams {
    pub(in crate::http) const NAMES: [&'static str; 3] = ["since", "until", "at"];

    /// Takes one of them.
    pub(in crate::http) fn read(&mut self, name: &str, text: &str) -> Result<(), &'static str> {
        let moment = Moment::parse(text)?;
        self.text.extend(["&", name, "=", text]);
        match name {
            "since" => self.since = Some(moment),
            "until" => self.until = Some(moment),
            _ => self.at = Some(moment),
        }
        Ok(())
    }

    /// The window that they mean; `None` without any.
    pub(in crate::http) fn window(&self, now: Timestamp) -> Result<Option<Window>, Problem> {
        let Self { since, until, at, .. } = self;
        let bad = |detail: &str| Problem::new(ProblemKind::BadParameter, detail);
        let resolve = |moment: &Option<Moment>| {
            let resolved = moment.as_ref().map(|moment| moment.resolve(now));
            resolved
                .map(|time| time.ok_or_else(|| bad("A duration reaches back before all times; write a shorter one.")))
                .transpose()
        };
        let (since, until, at) = (resolve(since)?, resolve(until)?, resolve(at)?);
        if let Some((name, _)) =
            [("since", since), ("at", at)].iter().find(|(_, time)| time.is_some_and(|time| time > now))
        {
            return Err(bad(&format!(
                "The parameter \"{name}\" is later than now ({now}); of the future nothing is known."
            )));
        }
        match (since, until, at) {
            (None, None, None) => Ok(None),
            (None, None, Some(at)) => Ok(Some(Window { since: Some(at), until: Some(at) })),
            (_, _, Some(_)) => Err(bad("The parameter \"at\" is an instant; leave \"since\" and \"until\" out.")),
            (Some(since), Some(until), None) if since > until => {
                Err(bad("The parameter \"since\" is later than \"until\"; exchange them."))
            }
            (since, until, None) => Ok(Some(Window { since, until })),
        }
    }
}

impl App {
    /// What the history knows of a window, for a filter.
    pub(super) async fn past(&self, window: Window, filter: &Filter) -> Result<PastWindow, Problem> {
        if let Some(name) = filter.about_pods() {
            let detail = format!(
                "The parameter \"{name}\" is about pods that are there now; with since, until or at leave it out: a history \
                 keeps images and namespaces."
            );
            return Err(Problem::new(ProblemKind::BadParameter, detail));
        }
        let filter = filter.clone();
        self.ask_history(move |kept| {
            let sightings = sightings(kept, window, &filter)?;
            let gaps = gaps_of(kept, window, &filter)?;
            let dropped_until = kept.dropped()?.until;
            let since = window.since.unwrap_or(Timestamp::MIN);
            Ok(PastWindow { since, past: PastImages { window, sightings, gaps }, dropped_until })
        })
        .await
    }

    pub(super) async fn ask_history<R: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Kept<'_>) -> Result<R, StoreError> + Send + 'static,
    ) -> Result<R, Problem> {
        let failed = |error: Unreadable| {
            if matches!(error, Unreadable::Store(StoreError::Alone)) {
                let detail =
                    "This kai keeps the history of its own cluster alone; set history.postgres.url to share one.";
                return Problem::new(ProblemKind::NoFleet, detail);
            }
            let detail = format!("The history cannot be read: {}; try again later.", excerpt(&error.to_string()));
            Problem::new(ProblemKind::UnreadableHistory, detail).retry_after(&self.retry_after)
        };
        self.history.ask(question).await.map_err(failed)
    }
}

/// What is asked of a store for a filter, of any time. Digests are looked up, and names are compared.
pub(super) fn query_of(filter: &Filter) -> Query {
    if !filter.digests.is_empty() {
        return Query { digests: filter.digests.iter().map(ToString::to_string).collect(), ..Query::default() };
    }
    let wanted = filter.clone();
    Query { image: Some(Box::new(move |image| wanted.may_want(image))), ..Query::default() }
}

/// The rows of a window that the filter wants. One that pins a digest may run with another: names are compared.
fn sightings(kept: &mut Kept<'_>, window: Window, filter: &Filter) -> Result<Vec<Sighting>, StoreError> {
    let Window { since, until } = window;
    let names = Filter { digests: BTreeSet::new(), ..filter.clone() };
    read(kept, &Query { since, until, ..query_of(&names) }, filter)
}

pub(super) fn read(kept: &mut Kept<'_>, query: &Query, filter: &Filter) -> Result<Vec<Sighting>, StoreError> {
    let mut found = Vec::new();
    kept.read(query, |sighting| {
        if filter.wants_key(&sighting.key) {
            found.push(sighting);
        }
    })?;
    leave_out_unreported(&mut found);
    Ok(found)
}

/// When nobody looked at the namespaces that are asked for. Without a beginning, the window begins when kai did.
fn gaps_of(kept: &mut Kept<'_>, window: Window, filter: &Filter) -> Result<Vec<Gap>, StoreError> {
    let (periods, now) = (kept.periods()?, kept.now());
    let since = window.since.or_else(|| periods.first().map(|first| first.start)).unwrap_or(now);
    let until = window.until.unwrap_or(now).min(now);
    let of = |namespace: Option<&str>| {
        if since < until {
            return gaps(&periods, since, until, namespace);
        }
        // The gaps of an instant are those that it lies in.
        let all = gaps(&periods, Timestamp::MIN, now, namespace);
        all.into_iter().filter(|gap| gap.from < since && since < gap.to).collect()
    };
    if filter.namespaces.is_empty() {
        return Ok(of(None));
    }
    let mut found: Vec<Gap> = filter.namespaces.iter().flat_map(|namespace| of(Some(namespace))).collect();
    found.sort_unstable_by_key(|gap| (gap.from, gap.to));
    found.dedup();
    Ok(found)
}
