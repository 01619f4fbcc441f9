//! Each transition of a watcher.

use super::*;
use rstest::rstest;

fn version(number: u64) -> Option<ResourceVersion> {
    ResourceVersion::parse(&number.to_string())
}

fn frame(number: u64) -> Happened {
    Happened::Frame(version(number))
}

fn bookmark(number: u64, ends_initial_events: bool) -> Happened {
    Happened::Bookmark { version: version(number), ends_initial_events }
}

fn failed(fault: Fault) -> Happened {
    Happened::Failed(fault)
}

fn forbidden() -> Fault {
    Fault::Forbidden("missing right: watch pods".to_owned())
}

/// A watcher and its clock.
struct Course {
    watcher: Watcher,
    now: Instant,
}

impl Course {
    fn new(fallback: Fallback, offers_initial_events: bool) -> Self {
        Self { watcher: Watcher::new(fallback, offers_initial_events), now: Instant::now() }
    }

    /// One that has listed up to version 7 and watches from there, and has had a frame or not.
    fn watching(fallback: Fallback, has_frames: bool) -> Self {
        let mut course = Self::new(fallback, false);
        assert_eq!(course.step(Happened::Waited), "list");
        assert_eq!(course.step(Happened::Listed(version(7))), "watch from 7");
        if has_frames {
            assert_eq!(course.step(frame(8)), "read");
        }
        course
    }

    /// What it does next, ten seconds later; half of each wait is drawn.
    fn step(&mut self, happened: Happened) -> String {
        self.after(10_000, happened)
    }

    fn after(&mut self, millis: u64, happened: Happened) -> String {
        self.now += Duration::from_millis(millis);
        match self.watcher.next(happened, self.now, 0.5) {
            Next::List => "list".to_owned(),
            Next::Watch(Request { from: Some(version), .. }) => format!("watch from {version}"),
            Next::Watch(Request { from: None, .. }) => "watch from the beginning".to_owned(),
            Next::Read => "read".to_owned(),
            Next::EndRelist => "end the relist".to_owned(),
            Next::Renew => "renew".to_owned(),
            Next::Wait(wait) => format!("wait {}", wait.as_millis()),
            Next::Stall { reason, wait } => format!("stall {}: {reason}", wait.as_millis()),
            Next::Poll(reason) => format!("poll: {reason}"),
        }
    }

    fn steps(&mut self, happened: impl IntoIterator<Item = Happened>) -> Vec<String> {
        happened.into_iter().map(|happened| self.step(happened)).collect()
    }
}

#[rstest]
#[case::a_stream_that_ends(true, Happened::Ended, &["watch from 8"])]
#[case::silence(true, Happened::Silent, &["watch from 8"])]
#[case::silence_from_the_beginning(false, Happened::Silent, &["watch from 7"])]
#[case::no_connection(true, failed(Fault::Transport), &["wait 400", "watch from 8"])]
#[case::busy(true, failed(Fault::Busy(None)), &["wait 400", "watch from 8"])]
#[case::busy_until(true, failed(Fault::Busy(Some(Duration::from_secs(7)))), &["wait 7400", "watch from 8"])]
#[case::busy_for_too_long(true, failed(Fault::Busy(Some(Duration::from_secs(99)))), &["wait 30400", "watch from 8"])]
#[case::an_error_of_the_server(true, failed(Fault::Server), &["wait 400", "watch from 8"])]
#[case::no_stream(true, failed(Fault::Unusable("a page".to_owned())), &["wait 400", "watch from 8"])]
#[case::a_replica_that_lags(true, failed(Fault::TooLargeVersion), &["wait 400", "list"])]
#[case::expired(true, failed(Fault::Expired), &["list"])]
#[case::unauthorized(true, failed(Fault::Unauthorized), &["renew", "watch from 8"])]
#[case::forbidden(true, failed(forbidden()), &["poll: missing right: watch pods"])]
fn a_watch_that_fails_goes_on_from_where_it_was_or_lists(
    #[case] has_frames: bool,
    #[case] happened: Happened,
    #[case] expected: &[&str],
) {
    let mut course = Course::watching(Fallback::Poll, has_frames);
    let after = if expected[0] == "renew" { Happened::Renewed } else { Happened::Waited };
    assert_eq!(course.steps([happened, after].into_iter().take(expected.len())), expected);
}

#[test]
fn a_watch_goes_on_from_the_last_version_it_saw() {
    let mut course = Course::watching(Fallback::Poll, false);
    let read = ["read", "read", "read", "read", "watch from 12"];
    // A frame without a version, and one that goes back, change nothing.
    assert_eq!(course.steps([frame(9), bookmark(12, false), Happened::Frame(None), frame(11), Happened::Ended]), read);
}

#[test]
fn a_server_that_ends_each_watch_at_once_is_not_asked_without_end() {
    let mut course = Course::watching(Fallback::Poll, false);
    assert_eq!(course.after(10, Happened::Ended), "wait 400");
    assert_eq!(course.step(Happened::Waited), "watch from 7");
    assert_eq!(course.after(10, Happened::Ended), "wait 800");
    assert_eq!(course.step(Happened::Waited), "watch from 7");
    course.after(10, frame(8));
    assert_eq!(course.after(10, Happened::Ended), "watch from 8");
}

#[test]
fn versions_that_expire_as_soon_as_they_are_listed_are_listed_more_and_more_rarely() {
    let mut course = Course::watching(Fallback::Poll, true);
    let expired = || failed(Fault::Expired);
    assert_eq!(course.steps([expired(), Happened::Listed(version(20))]), ["list", "watch from 20"]);
    assert_eq!(
        course.steps([expired(), Happened::Waited, Happened::Listed(version(30))]),
        ["wait 400", "list", "watch from 30"]
    );
    assert_eq!(course.steps([expired(), Happened::Waited]), ["wait 800", "list"]);
    // A frame ends the row.
    course.steps([Happened::Listed(version(40)), frame(41)]);
    assert_eq!(course.step(expired()), "list");
}

#[test]
fn a_server_that_fails_again_and_again_from_one_version_is_listed() {
    let mut course = Course::watching(Fallback::Poll, true);
    for _ in 1..SAME_VERSION_TRIES {
        assert!(course.step(failed(Fault::Server)).starts_with("wait "));
        assert_eq!(course.step(Happened::Waited), "watch from 8");
    }
    assert!(course.step(failed(Fault::Server)).starts_with("wait "));
    assert_eq!(course.step(Happened::Waited), "list");
}

#[test]
fn a_server_that_is_away_for_hours_is_watched_from_where_it_was() {
    let mut course = Course::watching(Fallback::Poll, true);
    for _ in 0..1_000 {
        assert!(course.step(failed(Fault::Transport)).starts_with("wait "));
        assert_eq!(course.step(Happened::Waited), "watch from 8");
    }
}

#[test]
fn answers_that_are_no_stream_make_it_poll() {
    let mut course = Course::watching(Fallback::Poll, true);
    let unusable = || failed(Fault::Unusable("an HTML page".to_owned()));
    for _ in 1..SAME_VERSION_TRIES {
        course.steps([unusable(), Happened::Waited]);
    }
    assert_eq!(course.step(unusable()), "poll: an HTML page");
}

#[test]
fn credentials_are_renewed_once_at_once_and_then_after_waits() {
    let mut course = Course::watching(Fallback::Poll, true);
    let unauthorized = || failed(Fault::Unauthorized);
    assert_eq!(course.steps([unauthorized(), Happened::Renewed]), ["renew", "watch from 8"]);
    let again = [unauthorized(), Happened::Waited, Happened::Renewed];
    assert_eq!(course.steps(again.clone()), ["wait 400", "renew", "watch from 8"]);
    assert_eq!(course.steps(again), ["wait 800", "renew", "watch from 8"]);
    assert_eq!(course.steps([frame(9), unauthorized()]), ["read", "renew"]);
}

#[test]
fn a_list_that_fails_is_read_again_after_waits() {
    let mut course = Course::new(Fallback::Poll, false);
    let happened =
        [Happened::Waited, failed(Fault::Transport), Happened::Waited, failed(Fault::Server), Happened::Waited];
    assert_eq!(course.steps(happened), ["list", "wait 400", "list", "wait 800", "list"]);
    let happened = [failed(Fault::Busy(Some(Duration::from_secs(2)))), Happened::Waited, failed(Fault::Unauthorized)];
    assert_eq!(course.steps(happened), ["wait 2400", "list", "renew"]);
    assert_eq!(course.step(Happened::Renewed), "list");
}

#[test]
fn initial_events_are_a_relist_up_to_the_bookmark_that_ends_them() {
    let mut course = Course::new(Fallback::Poll, true);
    assert_eq!(course.step(Happened::Waited), "watch from the beginning");
    // They come in no order: none of their versions is one to go on from.
    assert_eq!(course.steps([frame(90), bookmark(60, false), bookmark(70, true)]), ["read", "read", "end the relist"]);
    assert_eq!(course.steps([Happened::Silent]), ["watch from 70"]);
    assert_eq!(course.step(failed(Fault::Expired)), "watch from the beginning");
}

#[rstest]
#[case::silence(Happened::Silent, false)]
#[case::its_end(Happened::Ended, false)]
#[case::no_version_at_their_end(Happened::Bookmark { version: None, ends_initial_events: true }, false)]
#[case::an_invalid_request(failed(Fault::Refused("HTTP 422".to_owned())), false)]
#[case::no_stream(failed(Fault::Unusable("a page".to_owned())), false)]
#[case::no_right(failed(forbidden()), false)]
#[case::an_error_of_the_server(failed(Fault::Server), true)]
#[case::no_connection(failed(Fault::Transport), true)]
#[case::expired(failed(Fault::Expired), true)]
fn initial_events_that_do_not_end_are_listed(#[case] happened: Happened, #[case] is_tried_again: bool) {
    let mut course = Course::new(Fallback::Poll, true);
    assert_eq!(course.steps([Happened::Waited, frame(3), happened]), ["watch from the beginning", "read", "list"]);
    assert_eq!(course.step(Happened::Listed(version(7))), "watch from 7");
    let relist = if is_tried_again { "watch from the beginning" } else { "list" };
    assert_eq!(course.step(failed(Fault::Expired)), relist);
}

#[test]
fn a_busy_server_is_asked_for_initial_events_later() {
    let mut course = Course::new(Fallback::Poll, true);
    let happened = [Happened::Waited, failed(Fault::Busy(Some(Duration::from_secs(1)))), Happened::Waited];
    assert_eq!(course.steps(happened), ["watch from the beginning", "wait 1400", "watch from the beginning"]);
}

#[test]
fn without_the_right_to_watch_it_polls_and_tries_again_after_each_poll() {
    let mut course = Course::watching(Fallback::Poll, true);
    for poll in 10..15 {
        assert_eq!(course.step(failed(forbidden())), "poll: missing right: watch pods");
        assert_eq!(course.step(Happened::Listed(version(poll))), format!("watch from {poll}"));
    }
    assert_eq!(course.step(frame(20)), "read");
}

#[test]
fn a_watcher_that_never_polls_is_not_ready_for_a_reason_and_tries_again() {
    let mut course = Course::watching(Fallback::Never, true);
    assert_eq!(course.step(failed(forbidden())), "stall 400: missing right: watch pods");
    assert_eq!(course.step(Happened::Waited), "watch from 8");
    assert_eq!(course.step(failed(forbidden())), "stall 800: missing right: watch pods");
}

#[rstest]
#[case::poll(Fallback::Poll, "poll: the list has no resourceVersion to watch from")]
#[case::never(Fallback::Never, "stall 400: the list has no resourceVersion to watch from")]
fn a_list_without_a_version_cannot_be_watched_from(#[case] fallback: Fallback, #[case] expected: &str) {
    let mut course = Course::new(fallback, false);
    course.step(Happened::Waited);
    assert_eq!(course.step(Happened::Listed(None)), expected);
}

#[test]
fn silence_is_noticed_sooner_where_bookmarks_come() {
    let mut course = Course::new(Fallback::Poll, true);
    course.step(Happened::Waited);
    assert_eq!(course.watcher.silence(), Duration::from_secs(10));
    let mut course = Course::watching(Fallback::Poll, true);
    assert_eq!(course.watcher.silence(), Duration::from_secs(460), "a timeout of 450 seconds");
    course.step(bookmark(9, false));
    assert_eq!(course.watcher.silence(), Duration::from_secs(150));
    course.step(Happened::Ended);
    assert_eq!(course.watcher.silence(), Duration::from_secs(150), "the server is the same");
}

#[test]
fn a_request_has_bookmarks_and_a_random_timeout() {
    let query = |from: Option<ResourceVersion>, draw: f64| {
        let mut watcher = Watcher::new(Fallback::Poll, from.is_none());
        watcher.next(Happened::Waited, Instant::now(), draw);
        let next = if from.is_some() { Happened::Listed(from) } else { Happened::Waited };
        match watcher.next(next, Instant::now(), draw) {
            Next::Watch(request) => request.query(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(query(version(7), 0.0), "watch=true&allowWatchBookmarks=true&resourceVersion=7&timeoutSeconds=300");
    assert_eq!(
        query(None, 1.0),
        "watch=true&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&timeoutSeconds=600"
    );
}
