//! The handlers of `/v1`: which images, which containers.

use std::io::Write;
use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use jiff::Timestamp;

use super::App;
use super::failures::{OfImage, OfRows};
use super::generation::Generation;
use super::history::images_between;
use super::params::Params;
use super::problem::{Problem, ProblemKind};
use super::question::{Lane, Question};
use super::reply::Asked;
use super::row_params::{RowParams, Wanted};
use super::rows::Rows;
use super::whole::Whole;
use crate::snapshot::Snapshot;
use crate::views::{
    ContainerPage, ContainerSort, Filter, Format, GroupSort, ImagePage, ImageSort, ImageUse, PageRequest, RegistryPage,
    RepositoryPage, Sort,
};

/// Images
///
/// One row for each reference, as manifests write it, and the digest that runs, with how much it is used. Parameters that
/// filter may be repeated: values of one are alternatives, and all that are given must hold. Pods in every phase count;
/// excluded namespaces do not. While an update is pending, the image that runs and the one that is requested are two rows.
///
/// With `since`, `until` or `at` there are also rows of images that are gone and were there at some time of that window, as
/// far as kai's history goes; `gaps` tells when nobody looked. Each row is from `first_seen` to `last_seen`: an image may have
/// been away in between. Filters by kind, state, owner, node and flag, and CycloneDX, are for what is there now alone.
#[utoipa::path(
    get,
    path = "/v1/images",
    operation_id = "list_images",
    tag = "images",
    params(RowParams<ImageSort>),
    responses((status = 200, description = "A page of images.", body = ImagePage, content_type = "application/json", example = json!({
        "generation": 42, "observed_at": "2026-11-24T09:30:00Z", "pin": "1f6b22c9-42", "complete": true, "missing": [], "total": 1, "next": null,
        "images": [{
            "image": "quay.io/acme/cart:1.25", "registry": "quay.io", "repository": "acme/cart", "tag": "1.25",
            "digest": "sha256:b9b4fa9b3e13e1d02583fe3bf0e8578f78e8b257dbafc9cbed599cacc7bb6628", "digest_kind": "running",
            "containers": 3, "pods": 3, "namespaces": 1, "owners": 1, "flags": [],
            "first_seen": "2026-11-24T09:14:01.312Z", "last_seen": null, "first_seen_exact": true, "running": true,
        }],
    })), OfRows),
)]
pub(super) async fn list_images(
    State(app): State<Arc<App>>,
    Params(params): Params<RowParams<ImageSort>>,
    asked: Asked,
) -> Result<Response, Problem> {
    let wanted = params.wanted(|offered| asked.format(offered))?;
    match wanted.window.window(Timestamp::now())? {
        Some(window) => images_between(&app, wanted, window, asked).await,
        None => answer_now(&app, wanted, asked, |_, asked| Ok(Rows::Images(asked.into()))).await,
    }
}

/// Where an image runs
///
/// The images of one manifest digest, under each reference that has it, and a page of their containers. A node reports the
/// digest of the index of a multi-platform image, or that of its platform: they are different digests.
#[utoipa::path(
    get,
    path = "/v1/images/{digest}",
    operation_id = "get_image",
    tag = "images",
    params(
        ("digest" = String, Path, description = "A manifest digest: `sha256:` and 64 hex digits, or the first 12 or more.", example = "sha256:b9b4fa9b3e13"),
        RowParams<ContainerSort>,
    ),
    responses((status = 200, description = "The image, and a page of its containers.", body = ImageUse, content_type = "application/json", example = json!({
        "generation": 42, "observed_at": "2026-11-24T09:30:00Z", "pin": "1f6b22c9-42", "complete": true, "missing": [], "total": 1, "next": null,
        "images": [{
            "image": "quay.io/acme/cart:1.25", "registry": "quay.io", "repository": "acme/cart", "tag": "1.25",
            "digest": "sha256:b9b4fa9b3e13e1d02583fe3bf0e8578f78e8b257dbafc9cbed599cacc7bb6628", "digest_kind": "running",
            "containers": 1, "pods": 1, "namespaces": 1, "owners": 1, "flags": [],
            "first_seen": "2026-11-24T09:14:01.312Z", "last_seen": null, "first_seen_exact": true, "running": true,
        }],
        "containers": [{
            "namespace": "shop", "pod": "cart-7d4b9c6f5-x2x8q", "container": "cart", "kind": "container",
            "image": "quay.io/acme/cart:1.25", "digest": "sha256:b9b4fa9b3e13e1d02583fe3bf0e8578f78e8b257dbafc9cbed599cacc7bb6628",
            "digest_kind": "running", "image_id": null, "state": "running", "reason": null, "started_at": "2026-11-24T09:14:02Z", "node": "eu1-pool-a-1",
            "owner_kind": "Deployment", "owner_name": "cart", "owner_inferred": true, "flags": [],
            "first_seen": "2026-11-24T09:14:01.312Z", "first_seen_exact": true,
        }],
    })), OfImage),
)]
pub(super) async fn get_image(
    State(app): State<Arc<App>>,
    digest: Result<Path<String>, PathRejection>,
    Params(params): Params<RowParams<ContainerSort>>,
    asked: Asked,
) -> Result<Response, Problem> {
    let params = params.in_path("digest", digest)?;
    answer(&app, params, asked, |snapshot, (filter, request)| {
        check_reported(snapshot, &filter)?;
        Ok(Rows::Image((filter, request).into()))
    })
    .await
}

/// Containers
///
/// One row for each container of each pod, in every phase, and each image volume. Parameters that filter may be repeated:
/// values of one are alternatives, and all that are given must hold.
#[utoipa::path(
    get,
    path = "/v1/containers",
    operation_id = "list_containers",
    tag = "images",
    params(RowParams<ContainerSort>),
    responses((status = 200, description = "A page of containers.", body = ContainerPage, content_type = "application/json", example = json!({
        "generation": 42, "observed_at": "2026-11-24T09:30:00Z", "pin": "1f6b22c9-42", "complete": true, "missing": [], "total": 1, "next": null,
        "containers": [{
            "namespace": "shop", "pod": "cart-7d4b9c6f5-x2x8q", "container": "cart", "kind": "container",
            "image": "quay.io/acme/cart:1.25", "digest": "sha256:b9b4fa9b3e13e1d02583fe3bf0e8578f78e8b257dbafc9cbed599cacc7bb6628",
            "digest_kind": "running", "image_id": null, "state": "running", "reason": null, "started_at": "2026-11-24T09:14:02Z", "node": "eu1-pool-a-1",
            "owner_kind": "Deployment", "owner_name": "cart", "owner_inferred": true, "flags": [],
            "first_seen": "2026-11-24T09:14:01.312Z", "first_seen_exact": true,
        }],
    })), OfRows),
)]
pub(super) async fn list_containers(
    State(app): State<Arc<App>>,
    Params(params): Params<RowParams<ContainerSort>>,
    asked: Asked,
) -> Result<Response, Problem> {
    answer(&app, params, asked, |_, asked| Ok(Rows::Containers(asked.into()))).await
}

/// Registries
///
/// One row for each registry that images come from, with what would break if it went away. Parameters that filter may be
/// repeated: values of one are alternatives, and all that are given must hold.
#[utoipa::path(
    get,
    path = "/v1/registries",
    operation_id = "list_registries",
    tag = "images",
    params(RowParams<GroupSort>),
    responses((status = 200, description = "A page of registries.", body = RegistryPage, content_type = "application/json", example = json!({
        "generation": 42, "observed_at": "2026-11-24T09:30:00Z", "pin": "1f6b22c9-42", "complete": true, "missing": [], "total": 1, "next": null,
        "registries": [{
            "registry": "quay.io", "repositories": 4, "images": 9, "containers": 31, "pods": 12, "namespaces": 2, "owners": 5,
        }],
    })), OfRows),
)]
pub(super) async fn list_registries(
    State(app): State<Arc<App>>,
    Params(params): Params<RowParams<GroupSort>>,
    asked: Asked,
) -> Result<Response, Problem> {
    answer(&app, params, asked, |_, asked| Ok(Rows::Registries(asked.into()))).await
}

/// Repositories of a registry
///
/// One row for each repository of the registry that images come from; none for a registry that nothing comes from.
#[utoipa::path(
    get,
    path = "/v1/registries/{registry}/repositories",
    operation_id = "list_repositories",
    tag = "images",
    params(
        ("registry" = String, Path, description = "A registry: a host, with its port if it has one.", example = "quay.io"),
        RowParams<GroupSort>,
    ),
    responses((status = 200, description = "A page of repositories.", body = RepositoryPage, content_type = "application/json", example = json!({
        "generation": 42, "observed_at": "2026-11-24T09:30:00Z", "pin": "1f6b22c9-42", "complete": true, "missing": [], "total": 1, "next": null,
        "repositories": [{
            "repository": "acme/cart", "images": 2, "containers": 6, "pods": 6, "namespaces": 1, "owners": 1,
        }],
    })), OfRows),
)]
pub(super) async fn list_repositories(
    State(app): State<Arc<App>>,
    registry: Result<Path<String>, PathRejection>,
    Params(params): Params<RowParams<GroupSort>>,
    asked: Asked,
) -> Result<Response, Problem> {
    let params = params.in_path("registry", registry)?;
    answer(&app, params, asked, |_, asked| Ok(Rows::Repositories(asked.into()))).await
}

async fn answer<S: Sort>(
    app: &Arc<App>,
    params: RowParams<S>,
    asked: Asked,
    of: impl FnOnce(&Snapshot, (Filter, PageRequest<S>)) -> Result<Rows, Problem>,
) -> Result<Response, Problem> {
    let wanted = params.wanted(|offered| asked.format(offered))?;
    answer_now(app, wanted, asked, of).await
}

async fn answer_now<S: Sort>(
    app: &Arc<App>,
    wanted: Wanted<S>,
    asked: Asked,
    of: impl FnOnce(&Snapshot, (Filter, PageRequest<S>)) -> Result<Rows, Problem>,
) -> Result<Response, Problem> {
    let Wanted { filter, request, pin, format, options, .. } = wanted;
    let generation = app.pinned(pin)?;
    let rows = of(&generation.snapshot, (filter, request))?;
    app.pins.hold(&generation);
    if format == Format::Json {
        return asked.answer_of(app, &generation, &Question::Rows(rows)).await;
    }
    let (name, snapshot) = (rows.name(), Arc::clone(&generation.snapshot));
    let write = move |writer: &mut dyn Write| {
        let (filter, list) = rows.list();
        list.write(&snapshot, filter, format, options, writer)
    };
    asked.whole(app, Whole { generation, format, name, is_lacking: false, write: Box::new(write) }).await
}

impl App {
    /// The generation of a pin, or the one that is served.
    pub(super) fn pinned(&self, pin: Option<String>) -> Result<Arc<Generation>, Problem> {
        let current = self.answers.current(Lane::Short).ok_or_else(|| self.not_yet())?;
        match pin {
            Some(pin) => self.pins.find(&pin, &current),
            None => Ok(current),
        }
    }
}

fn check_reported(snapshot: &Snapshot, filter: &Filter) -> Result<(), Problem> {
    let unreported = filter.digests.iter().find(|digest| !digest.is_reported(snapshot));
    unreported.map_or(Ok(()), |digest| {
        let lacking =
            if snapshot.is_complete() { "" } else { "; not everything could be read, as /readyz?verbose says" };
        let detail = format!(
            "No pod reports the digest \"{digest}\"{lacking}. Of a multi-platform image nodes report the digest of the \
             index, or that of their platform."
        );
        Err(Problem::new(ProblemKind::UnknownDigest, detail))
    })
}
