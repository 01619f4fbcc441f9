//! One event.

use std::sync::Arc;

use super::users::Users;
use crate::inventory::{Digest, ImageRef};
use crate::snapshot::Snapshot;
use crate::views::Filter;

/// What kind of event it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// A namespace has a reference that it had not.
    ImageAppeared,
    /// A namespace has an image no more: the reference, or one of its digests.
    ImageLeft,
    /// A reference that a namespace has runs with a digest that it did not run with there.
    DigestChanged,
    /// The pods of a namespace may not be listed any more.
    NamespaceRefused,
    /// Something is missing that was not, or nothing is any more.
    CompleteChanged,
}

/// Something that changed, and who it concerns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub kind: ChangeKind,
    /// None when it concerns the cluster.
    pub namespace: Option<Arc<str>>,
    pub image: Option<Arc<ImageRef>>,
    pub digest: Option<Digest>,
    /// Of [`ChangeKind::DigestChanged`].
    pub(super) old: Option<OldDigest>,
    /// Who has the image now, or had it before it left.
    pub(super) users: Users,
    /// Of [`ChangeKind::CompleteChanged`].
    pub(super) complete: Option<bool>,
    /// Why a namespace is refused, or what is missing first.
    pub(super) reason: Option<Arc<str>>,
}

/// What a reference ran with before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OldDigest {
    pub(super) digest: Option<Digest>,
    /// Nothing in the namespace runs it any more.
    pub(super) has_left: bool,
}

impl ChangeKind {
    pub const ALL: [Self; 5] =
        [Self::ImageAppeared, Self::ImageLeft, Self::DigestChanged, Self::NamespaceRefused, Self::CompleteChanged];

    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::ImageAppeared => "image-appeared",
            Self::ImageLeft => "image-left",
            Self::DigestChanged => "digest-changed",
            Self::NamespaceRefused => "namespace-refused",
            Self::CompleteChanged => "complete-changed",
        }
    }
}

impl Change {
    pub(super) fn of_image(
        kind: ChangeKind,
        namespace: &Arc<str>,
        image: &Arc<ImageRef>,
        digest: Option<Digest>,
        users: Users,
    ) -> Self {
        let (namespace, image) = (Some(Arc::clone(namespace)), Some(Arc::clone(image)));
        Self { namespace, image, digest, users, ..Self::new(kind) }
    }

    pub(super) fn refused(namespace: &Arc<str>, reason: Option<&str>, users: Users) -> Self {
        let (namespace, reason) = (Some(Arc::clone(namespace)), reason.map(Arc::from));
        Self { namespace, users, reason, ..Self::new(ChangeKind::NamespaceRefused) }
    }

    pub(super) fn complete(snapshot: &Snapshot) -> Self {
        let reason = snapshot.completeness().missing.first().map(|missing| Arc::clone(&missing.reason));
        Self { complete: Some(snapshot.is_complete()), reason, ..Self::new(ChangeKind::CompleteChanged) }
    }

    fn new(kind: ChangeKind) -> Self {
        let users = Users::default();
        Self { kind, namespace: None, image: None, digest: None, old: None, users, complete: None, reason: None }
    }

    /// Whether a client that asks for these images wants to hear of it. What is of no image is wanted by its namespace.
    #[must_use]
    pub fn is_wanted(&self, filter: &Filter) -> bool {
        let Self { namespace, image, digest, old, users, .. } = self;
        if !namespace.as_deref().is_none_or(|name| filter.wants_name(name)) {
            return false;
        }
        let Some(image) = image else { return true };
        let digests = [Some(digest.as_ref()), old.as_ref().map(|old| old.digest.as_ref())];
        digests.into_iter().flatten().any(|digest| filter.wants_image(image, digest))
            && users.are_wanted(filter)
            && filter.wants_flags(users.flags)
    }

    /// About how many bytes it takes.
    #[must_use]
    pub fn size(&self) -> usize {
        let Self { kind: _, namespace, image, digest, old, users, complete: _, reason } = self;
        let text = |text: Option<&str>| text.map_or(0, str::len);
        let digests = [digest.as_ref(), old.as_ref().and_then(|old| old.digest.as_ref())];
        // A reference has its parts besides its text.
        let image = image.as_ref().map_or(0, |image| size_of::<ImageRef>() + 2 * image.written().len());
        size_of::<Self>()
            + image
            + text(namespace.as_deref())
            + text(reason.as_deref())
            + digests.into_iter().map(|digest| text(digest.map(Digest::as_str))).sum::<usize>()
            + users.workloads.iter().map(|name| size_of::<Box<str>>() + name.len()).sum::<usize>()
    }
}
