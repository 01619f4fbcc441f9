//! What a client is made from, kept so that it can be made again when credentials run out.

use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::Uri;
use jiff::Timestamp;
use kube::config::AuthInfo;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use secrecy::ExposeSecret as _;

use super::endpoint::{Endpoint, Origin};
use super::fault::KubeconfigError;
use super::kubeconfig::{Chosen, Files, read_setting};
use super::plugin::Plugin;
use crate::cluster::{ClusterError, Environment};
use crate::config::{ClusterSettings, InlineCluster, InlineUser, KubeconfigSource};
use crate::inventory::excerpt;
use crate::remote::{Proxy, os_reason};

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
    /// A token file of the kubeconfig.
    token_file: Option<PathBuf>,
    plugin: Option<Plugin>,
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
        recipe.config.connect_timeout = Some(CONNECT_TIMEOUT.min(settings.request_timeout));
        // Each request has a deadline of its own here; kube's would also count the time that a connection was idle.
        recipe.config.read_timeout = None;
        // kube would retry fifteen times before it says anything.
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
        let Chosen { context, cluster_name, cluster, user_name, mut user } =
            files.choose(settings.context.as_deref())?;
        let files = files.describe();
        let server =
            cluster.server.as_deref().filter(|server| !server.is_empty()).ok_or_else(|| KubeconfigError::Cluster {
                cluster: excerpt(&cluster_name).to_string(),
                context: excerpt(&context).to_string(),
                files: files.clone(),
                problem: "has no server; set its URL".to_owned(),
            })?;
        let origin = Origin::Kubeconfig { files, context, cluster: cluster_name.clone(), user: user_name };
        let mut endpoint = Endpoint { address: server.to_owned(), origin, proxy: None };
        let uri = parse_server(server, &endpoint.server_setting())?;
        endpoint.proxy = match cluster.proxy_url.as_deref().filter(|url| !url.is_empty()) {
            // Said of this cluster, so it wins over NO_PROXY.
            Some(url) => Some(Proxy::parse(url, "proxy-url of the cluster in the kubeconfig", PROXIES)?),
            None => environment.proxies().choose(&uri, PROXIES)?,
        };
        if let Some(provider) = user.auth_provider.as_ref().filter(|provider| provider.name != "oidc") {
            let setting = format!("auth-provider \"{}\" of {}", excerpt(&provider.name), endpoint.user_setting());
            let reason = "Kubernetes has removed it; let the provider's own tool write the kubeconfig anew, with a \
                          credential plugin (gke-gcloud-auth-plugin, kubelogin)";
            return Err(KubeconfigError::Credential { setting, reason: reason.to_owned() });
        }
        // The order of precedence is kubectl's: a plugin is asked only when nothing simpler is there.
        let has_token = user.token.is_some() || user.token_file.is_some() || user.username.is_some();
        let exec = user.exec.take().filter(|_| !has_token && user.auth_provider.is_none());
        let plugin = exec.map(|exec| Plugin::new(exec, &cluster, environment.interactive)).transpose();
        let plugin =
            plugin.map_err(|reason| KubeconfigError::Credential { setting: endpoint.authority_setting(), reason })?;
        let mut config = kube::Config::new(uri);
        let setting = endpoint.authority_setting();
        config.root_cert = match (&cluster.certificate_authority_data, &cluster.certificate_authority) {
            (Some(data), _) if !data.is_empty() => Some(authorities(&setting, &decode_base64(&setting, data)?)?),
            (_, Some(path)) if !path.is_empty() => {
                let setting = endpoint.authority_file_setting();
                Some(authorities(&setting, &read_setting(&setting, Path::new(path))?)?)
            }
            _ => None,
        };
        config.accept_invalid_certs = cluster.insecure_skip_tls_verify.unwrap_or(false);
        config.disable_compression = cluster.disable_compression.unwrap_or(false);
        config.tls_server_name = cluster.tls_server_name.filter(|name| !name.is_empty());
        config.proxy_url = endpoint.proxy.as_ref().map(|proxy| proxy.uri.clone());
        let token_file = user.token_file.take().filter(|file| !file.is_empty() && user.token.is_none());
        config.auth_info = user;
        let token_file = token_file.map(PathBuf::from);
        Ok(Self { endpoint, cluster_name: Some(cluster_name), config, token_file, plugin })
    }

    fn inline(inline: &InlineCluster, environment: &Environment) -> Result<Self, KubeconfigError> {
        let InlineCluster { server, cluster_cert, user } = inline;
        let uri = parse_server(server, "kubeconfig.server")?;
        let proxy = environment.proxies().choose(&uri, PROXIES)?;
        let endpoint = Endpoint { address: server.clone(), origin: Origin::Inline, proxy };
        let mut config = kube::Config::new(uri);
        config.proxy_url = endpoint.proxy.as_ref().map(|proxy| proxy.uri.clone());
        config.root_cert =
            cluster_cert.as_deref().map(|pem| authorities("kubeconfig.cluster-cert", pem)).transpose()?;
        match user {
            InlineUser::Token(token) => config.auth_info.token = Some(token.clone()),
            InlineUser::PrivateKey { client_cert, private_key } => {
                config.auth_info.client_certificate_data = Some(BASE64.encode(client_cert));
                config.auth_info.client_key_data = Some(BASE64.encode(private_key.expose_secret()).into());
            }
        }
        Ok(Self { endpoint, cluster_name: None, config, token_file: None, plugin: None })
    }

    /// The pod's service account; `Err` says why this is no pod. Proxies are for what is outside of the cluster.
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
        // Both files are read again every minute, so that a rotation needs no restart. The bytes are given as well:
        // without them kube would ask for the system's authorities, which an image may not have.
        let setting = "ca.crt of the pod's service account";
        let pem = read_setting(setting, &authority).map_err(|error| error.to_string())?;
        config.root_cert = Some(authorities(setting, &pem).map_err(|error| error.to_string())?);
        config.root_cert_file = Some(authority);
        config.auth_info = AuthInfo { token_file: token.to_str().map(str::to_owned), ..AuthInfo::default() };
        let endpoint = Endpoint { address, origin: Origin::InCluster, proxy: None };
        Ok(Self { endpoint, cluster_name: None, config, token_file: None, plugin: None })
    }

    /// A client with the credentials as they are now. Sends nothing to the API server; a credential plugin may take as
    /// long as one request.
    pub(in crate::cluster) async fn client(&self, deadline: Duration) -> Result<FreshClient, ClusterError> {
        let mut config = self.config.clone();
        let mut expires = None;
        if let Some(path) = &self.token_file {
            config.auth_info.token = Some(self.token(path)?.into());
        }
        if let Some(plugin) = &self.plugin {
            let credential = plugin.run(&self.endpoint, deadline).await?;
            expires = credential.expires;
            credential.apply(&mut config.auth_info);
        }
        crate::cluster::install_crypto_provider();
        let client = kube::Client::try_from(config).map_err(|error| self.unusable(&error))?;
        Ok(FreshClient { client, expires })
    }

    /// A token file is read here: kube would send its last line break too, and be refused by its own header check.
    fn token(&self, path: &Path) -> Result<String, KubeconfigError> {
        let setting = format!("tokenFile of {}", self.endpoint.user_setting());
        let bytes = read_setting(&setting, path)?;
        let token = String::from_utf8(bytes)
            .map_err(|_| KubeconfigError::Credential { setting, reason: "it is not text".to_owned() })?;
        Ok(token.trim().to_owned())
    }

    fn unusable(&self, error: &kube::Error) -> KubeconfigError {
        let setting = match error {
            kube::Error::RustlsTls(
                kube::client::RustlsTlsError::AddRootCertificate(_)
                | kube::client::RustlsTlsError::NoValidNativeRootCA(_)
                | kube::client::RustlsTlsError::InvalidServerName(_),
            ) => self.endpoint.authority_setting(),
            _ => self.endpoint.user_setting(),
        };
        // kube's errors show their source, so the outermost text is the whole of it.
        KubeconfigError::Credential { setting, reason: excerpt(&error.to_string()).to_string() }
    }

    /// Whether making the client again may give other credentials.
    pub(in crate::cluster) fn is_renewable(&self) -> bool {
        self.token_file.is_some() || self.plugin.is_some()
    }
}

/// A client and how long its credentials are good for.
pub(in crate::cluster) struct FreshClient {
    pub(in crate::cluster) client: kube::Client,
    pub(in crate::cluster) expires: Option<Timestamp>,
}

fn parse_server(value: &str, setting: &str) -> Result<Uri, KubeconfigError> {
    let fault = |problem: &str| KubeconfigError::Server {
        setting: setting.to_owned(),
        value: excerpt(value).to_string(),
        problem: problem.to_owned(),
    };
    if !value.contains("://") {
        return Err(fault("has no scheme; write it as https://HOST:PORT"));
    }
    let uri: Uri = value.parse().map_err(|error: http::uri::InvalidUri| fault(&format!("is no URL: {error}")))?;
    match (uri.scheme_str(), uri.host()) {
        (Some("https" | "http"), Some(host)) if !host.is_empty() => Ok(uri),
        _ => Err(fault("is not the URL of an API server; write it as https://HOST:PORT")),
    }
}

fn decode_base64(setting: &str, data: &str) -> Result<Vec<u8>, KubeconfigError> {
    let text: String = data.split_whitespace().collect();
    BASE64.decode(text).map_err(|error| KubeconfigError::Credential {
        setting: setting.to_owned(),
        reason: format!("it is not base64 ({error})"),
    })
}

/// The certificates of a PEM text.
fn authorities(setting: &str, pem: &[u8]) -> Result<Vec<Vec<u8>>, KubeconfigError> {
    let fault = |reason: String| KubeconfigError::Credential { setting: setting.to_owned(), reason };
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let certificates = certificates.map_err(|error| fault(format!("it is not PEM ({error})")))?;
    if certificates.is_empty() {
        return Err(fault("there is no certificate in it; it must be PEM with BEGIN CERTIFICATE".to_owned()));
    }
    Ok(certificates.into_iter().map(|certificate| certificate.to_vec()).collect())
}
