//! What can go wrong, by name.

use std::time::Duration;

/// Which requests go wrong.
#[derive(Debug, Clone)]
pub(crate) enum On {
    /// Every request.
    Everything,
    /// Every request with this path but a watch.
    Path(&'static str),
    /// Every watch with this path, and no list.
    Watch(&'static str),
    /// The page of this list that begins at that item, 0 for the first.
    Page(&'static str, usize),
}

/// How they go wrong.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// 401 with a `Status`.
    Unauthorized,
    /// 403 with a `Status`.
    Forbidden,
    /// 410 with a `Status`: the continue token is too old.
    Gone,
    /// This status with a `Status`, and `Retry-After` in seconds.
    Busy(u16, Option<u64>),
    /// A body that stops half-way and never goes on.
    Stall,
    /// The right answer, after that long.
    Slow(Duration),
    /// A body that stops half-way because the connection breaks.
    Cut,
    /// A body that stops half-way and ends in good order.
    EndsEarly,
    /// 200 and this body, as JSON.
    Body(&'static str),
    /// 200 and a login page.
    LoginPage,
    /// A redirect to a login page.
    Redirect,
    /// This status and text, as a server that is no Kubernetes says it.
    Bare(u16, &'static str),
    /// This status and a web page, as a load balancer sends it.
    ErrorPage(u16),
    /// Pages without items, each with a continue token made from its own: tokens that never get anywhere.
    Tokens(fn(usize) -> usize),
}
