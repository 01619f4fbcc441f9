//! The page after the one that is being read: asked for as soon as its token is known.
//!
//! A list names its next page before its items. Half of the time of a page passes in the server before its first byte: asked
//! for in time, the next page is made while this one is carried and decoded. Never more than one page is read ahead.

use std::convert::Infallible;
use std::future::pending;

use futures::future::BoxFuture;
use tokio::sync::watch;

use super::failure::Failed;
use super::page::Page;

/// A page that was asked for. It moves only while it is polled, and ends when it is dropped.
pub(super) struct Asked<'a> {
    pub(super) path: String,
    /// What asked for it; `None` for the first page.
    pub(super) token: Option<String>,
    /// What asks for the page after it. Another try may have another one.
    announced: watch::Receiver<String>,
    answer: BoxFuture<'a, Result<Page, Failed>>,
    /// The answer, when it came before its turn.
    early: Option<Result<Page, Failed>>,
}

impl<'a> Asked<'a> {
    pub(super) fn new(
        path: String,
        token: Option<String>,
        announced: watch::Receiver<String>,
        answer: BoxFuture<'a, Result<Page, Failed>>,
    ) -> Self {
        Self { path, token, announced, answer, early: None }
    }

    /// Reads the page to its end, and begins with the next one when `reads_ahead`. The one that is handed back belongs to
    /// the last token that was announced: whoever takes it compares it with the one at the end of the page.
    pub(super) async fn read(
        mut self,
        reads_ahead: bool,
        ask: impl Fn(String) -> Asked<'a>,
    ) -> (Result<Page, Failed>, Option<Asked<'a>>) {
        if let Some(answer) = self.early {
            let token = answer.as_ref().ok().and_then(|page| page.end.continue_token.clone());
            let ahead = token.filter(|token| reads_ahead && self.token.as_ref() != Some(token)).map(ask);
            return (answer, ahead);
        }
        let mut ahead: Option<Self> = None;
        loop {
            tokio::select! {
                // In this order: what is due comes first.
                biased;
                answer = &mut self.answer => return (answer, ahead),
                token = next(&mut self.announced), if reads_ahead => {
                    let is_new = self.token.as_ref() != Some(&token)
                        && ahead.as_ref().is_none_or(|ahead| ahead.token.as_ref() != Some(&token));
                    if is_new {
                        ahead = Some(ask(token));
                    }
                }
                never = go_on(ahead.as_mut()) => match never {},
            }
        }
    }
}

/// Does `work` while the page ahead goes on: left alone it would run into its deadline.
pub(super) async fn meanwhile<T>(ahead: Option<&mut Asked<'_>>, work: impl Future<Output = T>) -> T {
    tokio::select! {
        biased;
        done = work => done,
        never = go_on(ahead) => match never {},
    }
}

async fn go_on(ahead: Option<&mut Asked<'_>>) -> Infallible {
    if let Some(ahead) = ahead
        && ahead.early.is_none()
    {
        ahead.early = Some((&mut ahead.answer).await);
    }
    pending().await
}

async fn next(announced: &mut watch::Receiver<String>) -> String {
    match announced.changed().await {
        Ok(()) => announced.borrow_and_update().clone(),
        Err(_) => pending().await,
    }
}

#[cfg(test)]
mod tests {
    use futures::future::FutureExt as _;
    use std::sync::Mutex;

    use super::*;
    use crate::decode::PageEnd;

    fn page(token: Option<&str>) -> Page {
        let end = PageEnd { continue_token: token.map(str::to_owned), ..PageEnd::default() };
        Page { events: Vec::new(), end }
    }

    /// A page that announces these tokens, one a poll, and ends with the last.
    fn asked<'a>(token: Option<&str>, tokens: &'a [&'a str]) -> Asked<'a> {
        let (sender, receiver) = watch::channel(String::new());
        let answer = async move {
            for token in tokens {
                sender.send_replace((*token).to_owned());
                tokio::task::yield_now().await;
            }
            Ok(page(tokens.last().copied()))
        };
        Asked::new(String::new(), token.map(str::to_owned), receiver, answer.boxed())
    }

    #[tokio::test]
    async fn the_next_page_is_asked_for_before_the_page_ends_and_only_once() {
        let tokens = Mutex::new(Vec::new());
        let ask = |token: String| {
            tokens.lock().unwrap().push(token.clone());
            asked(Some(&token), &["c"])
        };
        let (answer, ahead) = asked(None, &["b", "b", "b"]).read(true, ask).await;
        assert_eq!(answer.unwrap().end.continue_token.as_deref(), Some("b"));
        assert_eq!(ahead.unwrap().token.as_deref(), Some("b"));
        assert_eq!(*tokens.lock().unwrap(), ["b"]);
    }

    #[tokio::test]
    async fn another_try_that_says_another_token_drops_what_was_begun() {
        let (_, ahead) = asked(None, &["b", "other"]).read(true, |token| asked(Some(&token), &["c"])).await;
        assert_eq!(ahead.unwrap().token.as_deref(), Some("other"));
    }

    #[tokio::test]
    async fn a_page_that_offers_itself_is_not_asked_for_again() {
        let (_, ahead) = asked(Some("a"), &["a", "a"]).read(true, |token| asked(Some(&token), &["c"])).await;
        assert!(ahead.is_none());
    }

    #[tokio::test]
    async fn nothing_is_asked_for_when_nothing_is_to_be_read_ahead() {
        let (answer, ahead) = asked(None, &["b", "b"]).read(false, |token| asked(Some(&token), &["c"])).await;
        assert!(answer.is_ok() && ahead.is_none());
    }

    #[tokio::test]
    async fn a_page_that_came_before_its_turn_is_kept_and_the_one_after_it_begun() {
        let mut early = asked(Some("b"), &["c"]);
        let work = async {
            for _ in 0..5 {
                tokio::task::yield_now().await;
            }
            "done"
        };
        assert_eq!(meanwhile(Some(&mut early), work).await, "done");
        assert!(early.early.is_some());
        let (answer, ahead) = early.read(true, |token| asked(Some(&token), &["d"])).await;
        assert_eq!(answer.unwrap().end.continue_token.as_deref(), Some("c"));
        assert_eq!(ahead.unwrap().token.as_deref(), Some("c"));
    }
}
