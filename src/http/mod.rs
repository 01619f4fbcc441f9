//! HTTP: routes on one page, layers on one page.
