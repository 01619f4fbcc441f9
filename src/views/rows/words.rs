//! The words that rows have, and that filters take.

use crate::inventory::{ContainerKind, ContainerState};

/// Every kind of container with its word.
pub const KINDS: [(ContainerKind, &str); 5] = [
    (ContainerKind::Container, "container"),
    (ContainerKind::Init, "init"),
    (ContainerKind::Sidecar, "sidecar"),
    (ContainerKind::Ephemeral, "ephemeral"),
    (ContainerKind::Volume, "volume"),
];

/// Every state with its word.
pub const STATES: [(ContainerState, &str); 4] = [
    (ContainerState::Running, "running"),
    (ContainerState::Waiting, "waiting"),
    (ContainerState::Terminated, "terminated"),
    (ContainerState::Pending, "pending"),
];

pub(super) fn kind_word(kind: ContainerKind) -> &'static str {
    word_of(&KINDS, kind)
}

pub(super) fn state_word(state: ContainerState) -> &'static str {
    word_of(&STATES, state)
}

fn word_of<T: Copy + PartialEq>(table: &[(T, &'static str)], value: T) -> &'static str {
    table.iter().find(|(known, _)| *known == value).map_or("", |(_, word)| word)
}
