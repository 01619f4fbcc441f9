//! What a client is made from, kept so that it can be made again when credentials run out.

use std::path::PathBuf;
use std::time::Duration;

use http::header::AUTHORIZATION;
use http::{HeaderValue, Uri};
use jiff::Timestamp;
use kube::config::AuthProviderConfig;
use rustls::pki_types::ServerName;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value, json};

use super::credential::{self, Identity, basic, bearer, certificates, read_pem, read_setting, read_token};
use super::document::Entry;
use super::endpoint::{Endpoint, Origin};
use super::fault::{ConnectError, KubeconfigError};
use super::impersonation;
use super::kubeconfig::{Chosen, Files};
use super::plugin::{Credential, Plugin};
use crate::cluster::environment::Environment;
use crate::config::{ClusterSettings, InlineCluster, InlineUser, KubeconfigSource};
use crate::inventory::excerpt;
use crate::remote::{Proxy, install_crypto_provider, os_reason};

/// No connection takes longer than this to open, however patient the deadline of a request is.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// What kube's client speaks to.
const PROXIES: &[&str] = &["http", "https", "socks5"];

/// A client's configuration before its credentials are fetched.
#[derive(Debug, Clone)]
pub(in crate::cluster) struct Recipe {
    pub(in crate::cluster) endpoint: Endpoint,
    pub(in crate::cluster) cluster_name: Option<String>,
    config: kube::Config,
    login: Login,
}

/// How kai shows who it is, besides a client certificate.
#[derive(Debug, Clone)]
enum Login {
    /// It does not, or by a certificate alone, or kube asks an OpenID provider.
    Nothing,
    /// By the same header for ever.
    Fixed(HeaderValue),
    /// By a token that is read anew for each client. When the file cannot be read, the token beside it counts.
    File {
        setting: String,
        path: PathBuf,
        otherwise: Option<SecretString>,
    },
    Plugin(Plugin),
}

/// A client, its credentials, and how long they are good for.
pub(in crate::cluster) struct FreshClient {
    pub(in crate::cluster) client: kube::Client,
    pub(in crate::cluster) expires: Option<Timestamp>,
    /// What the token file gave.
    token: Option<HeaderValue>,
}

impl Recipe {
    /// Reads the settings and the files that they name.
    pub(in crate::cluster) fn read(
        settings: &ClusterSettings,
        environment: &Environment,
    ) -> Result<Self, KubeconfigError> {
        let mut recipe = match &settings.source {
            KubeconfigSource::Path(path) => Self::of_files(&Files::read(path)?, settings, environment)?,
            KubeconfigSource::Inline(inline) => Self::inline(inline, environment)?,
            KubeconfigSource::InCluster => {
                Self::in_cluster(environment).map_err(|reason| KubeconfigError::NotInCluster { reason })?
            }
            KubeconfigSource::Search => match Files::search(environment)? {
                Ok(files) => Self::of_files(&files, settings, environment)?,
                Err(searched) => Self::after_search(&searched, settings, environment)?,
            },
        };
        impersonation::of_flags(&mut recipe.config, &settings.impersonation)?;
        recipe.config.connect_timeout = Some(CONNECT_TIMEOUT.min(settings.request_timeout));
        // Each request has a deadline of its own here; kube's would also count the time that a connection was idle.
        recipe.config.read_timeout = None;
        // kube would retry fifteen times before it reports anything.
        recipe.config.default_retry = false;
        Ok(recipe)
    }

    fn after_search(
        searched: &str,
        settings: &ClusterSettings,
        environment: &Environment,
    ) -> Result<Self, KubeconfigError> {
        if let Some(context) = &settings.context {
            let context = excerpt(context).to_string();
            let found = format!("none is at {searched}");
            return Err(KubeconfigError::ContextWithoutKubeconfig { context, found });
        }
        Self::in_cluster(environment)
            .map_err(|in_cluster| KubeconfigError::NothingFound { searched: searched.to_owned(), in_cluster })
    }

    fn of_files(files: &Files, settings: &ClusterSettings, environment: &Environment) -> Result<Self, KubeconfigError> {
        let Chosen { context, cluster_name, cluster, user_name, user } = files.choose(settings.context.as_deref())?;
        let files = files.describe();
        let server = cluster.text("server")?.ok_or_else(|| KubeconfigError::Cluster {
            cluster: excerpt(&cluster_name).to_string(),
            context: excerpt(&context).to_string(),
            files: files.clone(),
            problem: "has no server; set its URL".to_owned(),
        })?;
        let origin = Origin::Kubeconfig { files, context, cluster: cluster_name.clone(), user: user_name };
        let mut endpoint = Endpoint { address: server.trim().to_owned(), origin, proxy: None };
        let uri = parse_server(&endpoint.address, &endpoint.server_setting())?;
        let proxy_url = cluster.text("proxy-url")?;
        endpoint.proxy = match &proxy_url {
            // Written for this cluster, so it wins over NO_PROXY.
            Some(url) => Some(Proxy::parse(url, "proxy-url of the cluster in the kubeconfig", PROXIES)?),
            None => environment.proxies().choose(&uri, PROXIES)?,
        };
        let mut config = kube::Config::new(uri);
        let authority = read_pem(&cluster, "certificate-authority-data", "certificate-authority")?;
        config.root_cert = authority.as_ref().map(|(setting, pem)| root_certificates(setting, pem)).transpose()?;
        config.accept_invalid_certs = cluster.switch("insecure-skip-tls-verify")?;
        config.disable_compression = cluster.switch("disable-compression")?;
        config.tls_server_name = server_name(&cluster)?;
        config.proxy_url = endpoint.proxy.as_ref().map(|proxy| proxy.uri.clone());
        if let Some(identity) = client_identity(&user)? {
            credential::apply(&identity, &mut config.auth_info);
        }
        impersonation::of_user(&mut config, &user)?;
        let login = login(&user, &mut config, environment.interactive, || {
            cluster_info(&cluster, &endpoint.address, authority.as_ref().map(|(_, pem)| pem.as_slice()))
        })?;
        Ok(Self { endpoint, cluster_name: Some(cluster_name), config, login })
    }

    fn inline(inline: &InlineCluster, environment: &Environment) -> Result<Self, KubeconfigError> {
        let InlineCluster { server, cluster_cert, user } = inline;
        let uri = parse_server(server, "kubeconfig.server")?;
        let proxy = environment.proxies().choose(&uri, PROXIES)?;
        let endpoint = Endpoint { address: server.clone(), origin: Origin::Inline, proxy };
        let mut config = kube::Config::new(uri);
        config.proxy_url = endpoint.proxy.as_ref().map(|proxy| proxy.uri.clone());
        let authority = cluster_cert.as_deref().map(|pem| root_certificates("kubeconfig.cluster-cert", pem));
        config.root_cert = authority.transpose()?;
        let login = match user {
            InlineUser::Token(token) => Login::Fixed(bearer("kubeconfig.user.token", token.expose_secret())?),
            InlineUser::PrivateKey { client_cert, private_key } => {
                let key = private_key.expose_secret().as_bytes();
                let certificate = ("kubeconfig.user.client-cert", client_cert.as_slice());
                let identity = Identity::new(certificate, ("kubeconfig.user.private-key", key))?;
                credential::apply(&identity, &mut config.auth_info);
                Login::Nothing
            }
        };
        Ok(Self { endpoint, cluster_name: None, config, login })
    }

    /// The pod's service account; `Err` has the reason why this is no pod. Proxies are for what is outside of the cluster.
    fn in_cluster(environment: &Environment) -> Result<Self, String> {
        let variable = |name: &str, value: &Option<String>| value.clone().ok_or_else(|| format!("{name} is not set"));
        let host = variable("KUBERNETES_SERVICE_HOST", &environment.service_host)?;
        let port = variable("KUBERNETES_SERVICE_PORT", &environment.service_port)?;
        let host = if host.contains(':') { format!("[{host}]") } else { host };
        let address = format!("https://{host}:{port}");
        let uri = parse_server(&address, "KUBERNETES_SERVICE_HOST").map_err(|error| error.to_string())?;
        let token = environment.service_account.join("token");
        let authority = environment.service_account.join("ca.crt");
        if let Err(error) = std::fs::File::open(&token) {
            return Err(format!("{} cannot be read: {}", token.display(), os_reason(&error)));
        }
        let mut config = kube::Config::new(uri);
        // The file is read again every minute, so that a rotation needs no restart. The bytes are given as well:
        // without them kube would ask for the system's authorities, which an image may not have.
        let setting = "ca.crt of the pod's service account";
        let pem = read_setting(setting, &authority).map_err(|error| error.to_string())?;
        config.root_cert = Some(root_certificates(setting, &pem).map_err(|error| error.to_string())?);
        config.root_cert_file = Some(authority);
        let endpoint = Endpoint { address, origin: Origin::InCluster, proxy: None };
        let login = Login::File { setting: endpoint.user_setting(), path: token, otherwise: None };
        Ok(Self { endpoint, cluster_name: None, config, login })
    }

    /// A client with the credentials as they are now. Sends nothing to the API server; a credential plugin may take as
    /// long as one request.
    pub(in crate::cluster) async fn client(&self, deadline: Duration) -> Result<FreshClient, ConnectError> {
        let mut config = self.config.clone();
        let (mut expires, mut token) = (None, None);
        let authorization = match &self.login {
            Login::Nothing => None,
            Login::Fixed(header) => Some(header.clone()),
            Login::File { .. } => {
                token = self.file_token()?;
                token.clone()
            }
            Login::Plugin(plugin) => {
                let Credential { authorization, identity, expires: end } = plugin.run(&self.endpoint, deadline).await?;
                expires = end;
                if let Some(identity) = identity {
                    credential::apply(&identity, &mut config.auth_info);
                }
                authorization
            }
        };
        // Set here and not by kube, which panics on a token that no header can carry.
        config.headers.extend(authorization.map(|value| (AUTHORIZATION, value)));
        install_crypto_provider();
        let client = kube::Client::try_from(config).map_err(|error| self.unusable(&error))?;
        Ok(FreshClient { client, expires, token })
    }

    /// The header for the token file as it is now.
    fn file_token(&self) -> Result<Option<HeaderValue>, KubeconfigError> {
        let Login::File { setting, path, otherwise } = &self.login else { return Ok(None) };
        let token = match (read_token(setting, path), otherwise) {
            (Ok(Some(token)), _) => Some(token),
            (Ok(None) | Err(_), Some(token)) => Some(token.clone()),
            (Ok(None), None) => None,
            (Err(error), None) => return Err(error),
        };
        token.map(|token| bearer(setting, token.expose_secret())).transpose()
    }

    /// Whether the token file holds another token than the one that the client was made with.
    pub(in crate::cluster) fn has_new_token(&self, fresh: &FreshClient) -> bool {
        self.file_token().is_ok_and(|now| now != fresh.token)
    }

    fn unusable(&self, error: &kube::Error) -> KubeconfigError {
        let setting = match error {
            kube::Error::RustlsTls(
                kube::client::RustlsTlsError::AddRootCertificate(_)
                | kube::client::RustlsTlsError::NoValidNativeRootCA(_),
            ) => self.endpoint.authority_setting(),
            _ => self.endpoint.user_setting(),
        };
        // kube's errors show their source, so the outermost text is the whole of it.
        KubeconfigError::Credential { setting, reason: excerpt(&error.to_string()).to_string() }
    }

    /// Whether making the client again may give other credentials.
    pub(in crate::cluster) fn is_renewable(&self) -> bool {
        matches!(self.login, Login::File { .. } | Login::Plugin(_))
    }
}

/// How the user of a kubeconfig logs in. The order of precedence is kubectl's: a plugin is asked only when nothing simpler
/// is there.
fn login(
    user: &Entry,
    config: &mut kube::Config,
    has_terminal: bool,
    cluster: impl FnOnce() -> Result<Value, KubeconfigError>,
) -> Result<Login, KubeconfigError> {
    if let Some(name) = user.text("username")? {
        let password = user.text("password")?.unwrap_or_default();
        return Ok(Login::Fixed(basic(&user.setting("username"), &name, &password)?));
    }
    let token = user.text("token")?;
    if let Some(path) = user.file("tokenFile")? {
        let setting = user.setting("tokenFile");
        return Ok(Login::File { setting, path, otherwise: token.map(SecretString::from) });
    }
    if let Some(token) = token {
        return Ok(Login::Fixed(bearer(&user.setting("token"), &token)?));
    }
    if let Some(provider) = user.entry("auth-provider")?
        && let Some(provider) = auth_provider(user, &provider)?
    {
        config.auth_info.auth_provider = Some(provider);
        return Ok(Login::Nothing);
    }
    match user.entry("exec")?.filter(|exec| !exec.is_empty()) {
        Some(exec) => Ok(Login::Plugin(Plugin::read(&exec, cluster()?, has_terminal)?)),
        None => Ok(Login::Nothing),
    }
}

/// `auth-provider`, of which kube speaks OpenID Connect alone.
fn auth_provider(user: &Entry, provider: &Entry) -> Result<Option<AuthProviderConfig>, KubeconfigError> {
    let settings = provider.entry("config")?;
    let Some(name) = provider.text("name")? else {
        if settings.is_none_or(|settings| settings.is_empty()) {
            return Ok(None);
        }
        return Err(provider.fault("name", "is not set; write the name of the provider".to_owned()));
    };
    if name != "oidc" {
        let setting = user.setting(&format!("auth-provider \"{}\"", excerpt(&name)));
        let reason = "Kubernetes has removed it; let the provider's own tool write the kubeconfig anew, with a credential \
                      plugin (gke-gcloud-auth-plugin, kubelogin)";
        return Err(KubeconfigError::Credential { setting, reason: reason.to_owned() });
    }
    let settings = settings.iter().flat_map(Entry::pairs);
    let config = settings.map(|(key, value)| (key.to_owned(), value.trim().to_owned()));
    Ok(Some(AuthProviderConfig { name, config: config.collect(), ..AuthProviderConfig::default() }))
}

/// A client certificate with its key. As for kubectl, a key without a certificate is passed over.
fn client_identity(user: &Entry) -> Result<Option<Identity>, KubeconfigError> {
    let Some(certificate) = read_pem(user, "client-certificate-data", "client-certificate")? else { return Ok(None) };
    let Some(key) = read_pem(user, "client-key-data", "client-key")? else {
        let problem =
            "is not set, and there is a client certificate; set it or client-key-data, or leave the certificate out";
        return Err(user.fault("client-key", problem.to_owned()));
    };
    Identity::new((&certificate.0, &certificate.1), (&key.0, &key.1)).map(Some)
}

/// What a plugin learns of the cluster.
fn cluster_info(cluster: &Entry, server: &str, authority: Option<&[u8]>) -> Result<Value, KubeconfigError> {
    let mut info = Map::new();
    info.insert("server".to_owned(), json!(server));
    for field in ["tls-server-name", "proxy-url"] {
        info.extend(cluster.text(field)?.map(|text| (field.to_owned(), json!(text))));
    }
    for field in ["insecure-skip-tls-verify", "disable-compression"] {
        if cluster.switch(field)? {
            info.insert(field.to_owned(), json!(true));
        }
    }
    info.extend(authority.map(|pem| ("certificate-authority-data".to_owned(), json!(credential::base64(pem)))));
    let extensions = cluster.entries("extensions")?;
    for extension in extensions {
        if extension.text("name").ok().flatten().as_deref() == Some("client.authentication.k8s.io/exec") {
            info.extend(extension.raw("extension").map(|value| ("config".to_owned(), value.clone())));
        }
    }
    Ok(info.into())
}

fn parse_server(value: &str, setting: &str) -> Result<Uri, KubeconfigError> {
    let (scheme, rest) = value.split_once("://").unwrap_or(("", value));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let fault = |problem: &str| KubeconfigError::Server {
        setting: setting.to_owned(),
        // What stands in front of an `@` may be a password.
        shown: if value.contains('@') { String::new() } else { format!(" is \"{}\", which", excerpt(value)) },
        problem: problem.to_owned(),
    };
    if value.contains('@') {
        return Err(fault(
            "has an @, and a URL must not have a user or password in it; write them to username and password of the user",
        ));
    }
    if authority.matches(':').count() > 1 && !authority.contains('[') {
        return Err(fault("has an IPv6 address without brackets; write it as https://[ADDRESS]:PORT"));
    }
    if scheme.is_empty() {
        return Err(fault("has no scheme; write it as https://HOST:PORT"));
    }
    let uri: Uri = value.parse().map_err(|error: http::uri::InvalidUri| fault(&format!("is no URL: {error}")))?;
    match (uri.scheme_str(), uri.host()) {
        (Some("https" | "http"), Some(host)) if !host.is_empty() => Ok(uri),
        _ => Err(fault("is not the URL of an API server; write it as https://HOST:PORT")),
    }
}

/// `tls-server-name`: the name that the server's certificate has, when it is not the one of the URL.
fn server_name(cluster: &Entry) -> Result<Option<String>, KubeconfigError> {
    const FIELD: &str = "tls-server-name";
    let name = cluster.text(FIELD)?;
    match &name {
        Some(wrong) if ServerName::try_from(wrong.as_str()).is_err() => {
            let advice = "write a DNS name or an IP address that the server's certificate has";
            Err(cluster.fault(FIELD, format!("is \"{}\", which no server can be named; {advice}", excerpt(wrong))))
        }
        _ => Ok(name),
    }
}

/// The certificates of a PEM text, as kube takes them.
fn root_certificates(setting: &str, pem: &[u8]) -> Result<Vec<Vec<u8>>, KubeconfigError> {
    Ok(certificates(setting, pem)?.into_iter().map(|certificate| certificate.to_vec()).collect())
}
