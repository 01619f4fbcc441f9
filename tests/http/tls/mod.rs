//! Serving over TLS: who is let in, certificates that change, clients that stall, the address of the probes, the end.

mod running;

use std::io::Write as _;
use std::time::{Duration, Instant};

use self::running::{
    Secret, any_port, blocking, connect, connection, get, get_at_last, read_to_end, server, start, trusting,
};
use crate::certificates::Identity;
use crate::http_support::{Cluster, DEADLINE, OBSERVED, PODS, deps};
use crate::log::Log;
use http::{StatusCode, Version};
use kai::cluster::install_crypto_provider;
use kai::config::ServerTls;
use kai::feed::feed;
use kai::http::{Listeners, serve};
use reqwest::Client;
use rstest::rstest;
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn both_versions_of_http_are_agreed_on() {
    let identity = server();
    let secret = Secret::new(&identity);
    let server = start(secret.tls(), |_| {});
    let url = format!("{}/inventory", server.url);
    let newest = get(trusting(&identity.authority), &url).await.expect("an answer");
    assert_eq!((newest.version(), newest.status()), (Version::HTTP_2, StatusCode::OK));
    let report: serde_json::Value = serde_json::from_str(&newest.text().await.expect("text")).expect("JSON");
    assert_eq!(report["inventory_type"], "kubernetes");
    let older = get(trusting(&identity.authority).http1_only(), &url).await.expect("an answer");
    assert_eq!((older.version(), older.status()), (Version::HTTP_11, StatusCode::OK));
    let plain = get(Client::builder().no_proxy(), &url.replace("https:", "http:")).await;
    assert!(plain.is_err(), "{plain:?}");
    server.stop().await;
}

#[tokio::test]
async fn a_secret_that_changes_is_in_use_without_a_restart() {
    let (first, second) = (server(), server());
    let mut secret = Secret::new(&first);
    let server = start(secret.tls(), |_| {});
    let url = format!("{}/livez", server.url);
    let open = trusting(&first.authority).build().expect("client");
    open.get(&url).send().await.expect("an answer");
    secret.change(&second.certificate, &second.key, &second.authority);
    get_at_last(&second.authority, &url).await;
    assert!(get(trusting(&first.authority), &url).await.is_err(), "the old certificate is still shown");
    open.get(&url).send().await.expect("the connection that was open stays");
    server.stop().await;
}

#[tokio::test]
async fn files_that_cannot_be_used_leave_the_last_pair_and_one_warning() {
    let (first, second) = (server(), server());
    let mut secret = Secret::new(&first);
    let server = start(secret.tls(), |_| {});
    let url = format!("{}/livez", server.url);
    let log = Log::start();

    // The new certificate with the old key.
    secret.change(&second.certificate, &first.key, &second.authority);
    let begun = Instant::now();
    let mut said = log.take();
    while said.is_empty() {
        assert!(begun.elapsed() < DEADLINE, "nothing is said");
        tokio::time::sleep(Duration::from_millis(50)).await;
        said = log.take();
    }
    let path = secret.path("tls.key");
    let expected = format!(
        "WARN server.tls.private-key ({}): the key in it does not belong to the first certificate of \
         server.tls.certificate; name a file with the certificate's key in PEM (BEGIN PRIVATE KEY); the previous files stay in use",
        path.display()
    );
    assert_eq!(said, [expected]);
    get(trusting(&first.authority), &url).await.expect("the last pair is in use");

    // Not with the next pair at once: the same files are looked at once more, and nothing more is said of them.
    tokio::time::sleep(Duration::from_secs(5)).await;
    secret.change(&second.certificate, &second.key, &second.authority);
    get_at_last(&second.authority, &url).await;
    assert_eq!(log.take(), [""; 0]);
    server.stop().await;
}

#[tokio::test]
async fn clients_of_the_authority_alone_are_let_in_and_probes_have_their_own_address() {
    let (identity, mine, other) = (server(), Identity::new("dashboard", 2999), Identity::new("dashboard", 2999));
    let mut secret = Secret::new(&identity);
    secret.change(&identity.certificate, &identity.key, &mine.authority);
    let tls = ServerTls { client_ca: Some(secret.path("ca.crt")), ..secret.tls() };
    let server = start(tls, |settings| settings.probe_listen = any_port());
    let url = format!("{}/inventory", server.url);
    let showing = |client: &Identity| {
        let pem = format!("{}{}", client.certificate, client.key);
        trusting(&identity.authority).identity(reqwest::Identity::from_pem(pem.as_bytes()).expect("PEM"))
    };
    assert_eq!(get(showing(&mine), &url).await.expect("an answer").status(), StatusCode::OK);
    let none = get(trusting(&identity.authority), &url).await.expect_err("no certificate");
    assert!(format!("{none:?}").contains("CertificateRequired"), "{none:?}");
    let wrong = get(showing(&other), &url).await.expect_err("another authority");
    assert!(format!("{wrong:?}").contains("received fatal alert"), "{wrong:?}");

    let probe = format!("{}/readyz", server.probe_url.as_deref().expect("an address"));
    let answer = get(Client::builder().no_proxy(), &probe).await.expect("an answer");
    assert_eq!((answer.status(), answer.text().await.expect("text").as_str()), (StatusCode::OK, "ok"));

    // The authority may change as well.
    secret.change(&identity.certificate, &identity.key, &other.authority);
    let begun = Instant::now();
    while get(showing(&other), &url).await.is_err() {
        assert!(begun.elapsed() < DEADLINE, "the new authority does not count");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(get(showing(&mine), &url).await.is_err(), "the old authority still counts");
    server.stop().await;
}

/// Whoever has the request refused while it writes must still be told why, and not of a broken pipe.
#[tokio::test]
async fn a_client_without_a_certificate_that_writes_on_hears_why_it_is_refused() {
    let identity = server();
    let secret = Secret::new(&identity);
    let tls = ServerTls { client_ca: Some(secret.path("ca.crt")), ..secret.tls() };
    let server = start(tls, |_| {});
    let mut stream = server.agreed(&identity.authority).await;
    let (written, read) = blocking(move || {
        let written = [b"GET /livez HTTP/1.1\r\n", b"Host: kai.example\r\n\r\n"].map(|half| {
            std::thread::sleep(Duration::from_millis(100));
            // Not through the stream, which reads as well.
            stream.conn.writer().write_all(half).expect("room");
            stream.conn.write_tls(&mut stream.sock).map_err(|error| error.kind())
        });
        (written, std::io::Read::read(&mut stream, &mut [0; 1]).map_err(|error| error.to_string()))
    })
    .await;
    assert!(written.iter().all(Result::is_ok), "{written:?}");
    assert_eq!(read, Err("received fatal alert: CertificateRequired".to_owned()));
    server.stop().await;
}

#[rstest]
#[case::nothing(0)]
#[case::a_byte(1)]
#[case::half_a_hello(100)]
#[tokio::test]
async fn a_client_that_stalls_in_the_handshake_is_closed_and_holds_nobody_up(#[case] sent: usize) {
    let identity = server();
    let secret = Secret::new(&identity);
    let server = start(secret.tls(), |settings| settings.request_timeout = Duration::from_millis(400));
    let (address, authority) = (server.address(), identity.authority.clone());
    let started = Instant::now();
    let stalling = spawn_blocking(move || {
        let mut hello = Vec::new();
        connection(&authority).write_tls(&mut hello).expect("a hello");
        assert!(hello.len() > sent);
        let mut stream = connect(address);
        stream.write_all(&hello[..sent]).expect("write");
        read_to_end(&mut stream);
        started.elapsed()
    });
    let other = get(trusting(&identity.authority), &format!("{}/livez", server.url)).await.expect("an answer");
    assert_eq!(other.status(), StatusCode::OK);
    let closed = timeout(DEADLINE, stalling).await.expect("in time").expect("no panic");
    assert!(closed >= Duration::from_millis(350), "{closed:?}");
    server.stop().await;
}

#[rstest]
#[case::nothing(b"")]
#[case::half_a_head(b"GET /inventory HTTP/1.1\r\nHost: localhost\r\n")]
#[case::half_a_second_head(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\nGET /inventory HTTP/1.1\r\n")]
#[case::half_of_http_2(b"PRI * HTTP/2.0\r\n\r\nSM\r\n")]
#[tokio::test]
async fn a_client_that_stalls_behind_the_handshake_is_closed(#[case] request: &'static [u8]) {
    let identity = server();
    let secret = Secret::new(&identity);
    let server = start(secret.tls(), |settings| settings.request_timeout = Duration::from_millis(400));
    let mut stream = server.agreed(&identity.authority).await;
    let started = Instant::now();
    let reply = blocking(move || {
        stream.write_all(request).expect("write");
        read_to_end(&mut stream)
    })
    .await;
    assert!(started.elapsed() >= Duration::from_millis(350), "{:?}", started.elapsed());
    assert!(!reply.contains("inventory_type"), "{reply}");
    server.stop().await;
}

#[tokio::test]
async fn a_request_under_way_is_finished_while_the_probes_say_that_kai_stops() {
    let identity = server();
    let secret = Secret::new(&identity);
    let server = start(secret.tls(), |settings| settings.probe_listen = any_port());
    let readyz = format!("{}/readyz", server.probe_url.as_deref().expect("an address"));
    let mut stream = server.agreed(&identity.authority).await;
    stream = blocking(move || {
        let half = b"GET /namespaces HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nha";
        stream.write_all(half).expect("write");
        stream
    })
    .await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    server.shutdown.cancel();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!server.task.is_finished());
    let answer = get(Client::builder().no_proxy(), &readyz).await.expect("the probes still answer");
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    let reply = blocking(move || {
        stream.write_all(b"lf").expect("write");
        read_to_end(&mut stream)
    })
    .await;
    assert!(reply.starts_with("HTTP/1.1 200 "), "{reply}");
    server.stop().await;
    assert!(get(Client::builder().no_proxy(), &readyz).await.is_err(), "nothing listens any more");
}

#[tokio::test]
async fn an_idle_server_stops_at_once() {
    let identity = server();
    let secret = Secret::new(&identity);
    let server = start(secret.tls(), |settings| settings.probe_listen = any_port());
    let open = trusting(&identity.authority).build().expect("client");
    open.get(format!("{}/livez", server.url)).send().await.expect("an answer");
    let address = server.address();
    let silent = blocking(move || connect(address)).await;
    let took = server.stop().await;
    assert!(took < Duration::from_secs(1), "{took:?}");
    drop(silent);
}

#[tokio::test]
async fn the_address_of_the_probes_has_metrics_too_and_no_route_of_the_inventory() {
    install_crypto_provider();
    let (writer, reader) = feed();
    writer.publish(Cluster::new().relist(OBSERVED, &PODS));
    // Without any other address, as where an inventory is pushed and not read.
    let deps = deps(reader, |settings| settings.probe_listen = any_port());
    let listeners = Listeners::open(&deps.settings).expect("listening");
    assert_eq!(listeners.url(), None);
    let url = listeners.probe_url().expect("an address");
    let shutdown = CancellationToken::new();
    let task = tokio::spawn(serve(listeners, deps, shutdown.clone()));
    let client = Client::builder().no_proxy().build().expect("client");
    for path in ["/healthz", "/livez", "/readyz", "/readyz?verbose", "/metrics"] {
        let answer = client.get(format!("{url}{path}")).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
    }
    // Twice: what was asked for once may be in a cache.
    let data = ["/inventory", "/inventory", "/namespaces", "/namespaces/shop/images", "/openapi.json", "/docs", "/"];
    for path in data {
        let answer = client.get(format!("{url}{path}")).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
        let problem: serde_json::Value = serde_json::from_str(&answer.text().await.expect("text")).expect("JSON");
        let detail = problem["detail"].as_str().expect("detail");
        assert!(detail.contains("server.probe-listen"), "{detail}");
    }
    shutdown.cancel();
    timeout(DEADLINE, task).await.expect("in time").expect("no panic").expect("served");
}

#[rstest]
#[case::no_file(
    "tls.crt",
    None,
    "server.tls.certificate (FOLDER/tls.crt): it cannot be read: No such file or directory (os error 2); name a file with certificates in PEM (BEGIN CERTIFICATE)"
)]
#[case::no_certificate(
    "tls.crt",
    Some("hello"),
    "server.tls.certificate (FOLDER/tls.crt): there is no certificate in it; name a file with certificates in PEM (BEGIN CERTIFICATE)"
)]
#[case::half_a_certificate(
    "tls.crt",
    Some("-----BEGIN CERTIFICATE-----\nAAAA\n"),
    "server.tls.certificate (FOLDER/tls.crt): it is not PEM ("
)]
#[case::no_certificate_inside(
    "tls.crt",
    Some("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
    "server.tls.certificate (FOLDER/tls.crt): the first certificate in it cannot be read ("
)]
#[case::no_key(
    "tls.key",
    Some("s3cr3t"),
    "server.tls.private-key (FOLDER/tls.key): there is no key in it; name a file with the certificate's key in PEM (BEGIN PRIVATE KEY)"
)]
#[case::encrypted(
    "tls.key",
    Some("-----BEGIN ENCRYPTED PRIVATE KEY-----\ns3cr3t\n-----END ENCRYPTED PRIVATE KEY-----\n"),
    "server.tls.private-key (FOLDER/tls.key): the key in it is encrypted, and kai cannot ask for its password; name"
)]
#[case::no_key_inside(
    "tls.key",
    Some("-----BEGIN PRIVATE KEY-----\nczNjcjN0\n-----END PRIVATE KEY-----\n"),
    "server.tls.private-key (FOLDER/tls.key): the key in it cannot be read ("
)]
#[case::no_authority("ca.crt", Some(""), "server.tls.client-ca (FOLDER/ca.crt): there is no certificate in it; name")]
#[case::no_authority_inside(
    "ca.crt",
    Some("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
    "server.tls.client-ca (FOLDER/ca.crt): a certificate in it is not an authority ("
)]
fn a_file_that_cannot_be_used_is_told_by_key_and_path(
    #[case] name: &str,
    #[case] text: Option<&str>,
    #[case] expected: &str,
) {
    let identity = server();
    let folder = tempfile::tempdir().expect("folder");
    let path = |name: &str| folder.path().join(name);
    for (name, text) in [("tls.crt", identity.certificate), ("tls.key", identity.key), ("ca.crt", identity.authority)] {
        std::fs::write(path(name), text).expect("file");
    }
    match text {
        Some(text) => std::fs::write(path(name), text).expect("file"),
        None => std::fs::remove_file(path(name)).expect("file"),
    }
    let (_writer, reader) = feed();
    let settings = deps(reader, |settings| {
        settings.listen = any_port();
        settings.tls = Some(ServerTls {
            certificate: path("tls.crt"),
            private_key: path("tls.key"),
            client_ca: Some(path("ca.crt")),
        });
    })
    .settings;
    let said = Listeners::open(&settings).expect_err("a wrong file").to_string();
    let said = said.replace(&folder.path().display().to_string(), "FOLDER");
    assert!(said.starts_with(expected), "{said}");
    assert!(!said.contains("s3cr3t") && !said.contains("czNjcjN0"), "{said}");
}
