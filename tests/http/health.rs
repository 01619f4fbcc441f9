//! What liveness and readiness follow from.

use std::time::Duration;

use jiff::Timestamp;
use kai::feed::{SnapshotWriter, feed};
use kai::health::{Health, PushBoard};
use kai::testing::cluster;

const OBSERVED: &str = "2026-11-24T09:30:00Z";

fn time(text: &str) -> Timestamp {
    text.parse().expect("timestamp")
}

fn publish(writer: &SnapshotWriter) {
    writer.publish(cluster().at(OBSERVED).snapshot());
}

#[test]
fn readiness_waits_for_the_first_snapshot_and_ends_with_the_drain() {
    let (writer, reader) = feed();
    let health = Health::new(reader, None, Duration::from_mins(1), PushBoard::default());
    assert!(!health.report(time(OBSERVED)).is_ready);
    publish(&writer);
    assert!(health.report(time("2030-01-01T00:00:00Z")).is_ready);
    health.drain();
    let report = health.report(time(OBSERVED));
    assert!(!report.is_ready && report.is_live);
}

#[test]
fn readiness_falls_for_age_only_with_a_limit() {
    let (writer, reader) = feed();
    publish(&writer);
    let health = Health::new(reader, Some(Duration::from_mins(1)), Duration::from_mins(1), PushBoard::default());
    assert!(health.report(time("2026-11-24T09:31:00Z")).is_ready);
    assert!(!health.report(time("2026-11-24T09:31:01Z")).is_ready);
}

#[test]
fn a_clock_behind_the_snapshot_makes_no_age() {
    let (writer, reader) = feed();
    publish(&writer);
    let health = Health::new(reader, None, Duration::from_mins(1), PushBoard::default());
    assert_eq!(health.report(time("2026-11-24T09:29:00Z")).age, Duration::ZERO);
}

#[test]
fn liveness_falls_when_the_loop_stands_still_and_returns_with_a_turn() {
    let (_writer, reader) = feed();
    let health = Health::new(reader, None, Duration::from_millis(500), PushBoard::default());
    assert!(health.report(time(OBSERVED)).is_live);
    std::thread::sleep(Duration::from_millis(600));
    assert!(!health.report(time(OBSERVED)).is_live);
    health.heartbeat();
    assert!(health.report(time(OBSERVED)).is_live);
}

#[test]
fn a_failed_poll_is_told_with_its_reason_and_is_no_reason_to_be_unready() {
    let (writer, reader) = feed();
    publish(&writer);
    let health = Health::new(reader, None, Duration::from_mins(1), PushBoard::default());
    health.poll_failed("connection refused");
    let report = health.report(time(OBSERVED));
    let poll = report.readiness.iter().find(|check| check.name == "poll").expect("poll");
    assert!(report.is_ready && !poll.ok);
    assert!(poll.detail.contains("connection refused"), "{}", poll.detail);
    health.poll_succeeded();
    assert!(health.report(time(OBSERVED)).readiness.iter().all(|check| check.ok));
}
