//! The page after the one that is being read: asked for as soon as its token is known.
//!
//! A list names its next page before its items. Half of the time of a page passes in the server before its first byte: asked
//! for in time, the next page is made while this one is carried and decoded. Never more than one page is read ahead.

use std::convert::Infallible;
use std::future::pending;

use futures::future::BoxFuture;
use tokio::sync::watch;

use super::page::Page;
use super::request::Failed;

/// A page that was asked for. It moves only while it is polled, and ends when it is dropped.
pub(super) struct Asked<'a> {
    pub(super) path: String,
    /// What asked for it; `None` for the first page.
    pub(super) token: Option<String>,
    /// What asks for the page after it. Another try may say something else.
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
    /// the last token that was announced: whoever takes it compares it with what the page says at its end.
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
