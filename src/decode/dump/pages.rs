//! Lists that are one page of several.

use crate::decode::objects::ListMeta;

/// As many unfinished lists are remembered each for itself.
const OPEN_MAX: usize = 100;

/// The pages whose next one has not come.
#[derive(Debug, Default)]
pub(super) struct Pages {
    open: Vec<Page>,
    more: u64,
}

#[derive(Debug)]
struct Page {
    kind: String,
    /// The pages of one list have one and the same.
    resource_version: String,
    remaining: Option<u64>,
    document: u64,
}

impl Pages {
    /// A list of so many items ended.
    pub(super) fn note(&mut self, kind: &str, metadata: &ListMeta, items: u64, document: u64) {
        let resource_version = metadata.resource_version.as_deref().unwrap_or_default();
        let remaining = metadata.remaining_item_count.and_then(|count| u64::try_from(count).ok());
        let with_rest = items.saturating_add(remaining.unwrap_or(0));
        // The page after one that is known takes its place, unless others are missing between them.
        self.open.retain(|page| {
            let is_next = !resource_version.is_empty()
                && page.resource_version == resource_version
                && page.kind == kind
                && page.remaining.is_none_or(|remaining| with_rest >= remaining);
            !is_next
        });
        if metadata.continue_token.as_deref().unwrap_or_default().is_empty() {
            return;
        }
        if self.open.len() >= OPEN_MAX {
            self.more += 1;
            return;
        }
        let (kind, resource_version) = (kind.to_owned(), resource_version.to_owned());
        self.open.push(Page { kind, resource_version, remaining, document });
    }

    /// What is missing, list by list.
    pub(super) fn unfinished(&self) -> Vec<String> {
        let page = |page: &Page| {
            let rest = page
                .remaining
                .map_or("further items".to_owned(), |count| format!("{count} further items (remainingItemCount)"));
            format!(
                "document {} is one page of a list (metadata.continue is set) and lacks {rest}; \
                 save the whole list, without `limit`",
                page.document
            )
        };
        let mut reasons: Vec<String> = self.open.iter().map(page).collect();
        reasons.extend((self.more > 0).then(|| format!("{} more lists lack their further pages", self.more)));
        reasons
    }
}
