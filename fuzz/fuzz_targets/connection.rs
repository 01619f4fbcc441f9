//! A kubeconfig in order, any text in its fields: never a panic in kube's client either, and no message shows a secret.
//!
//! Fields that name a program or a file are left out: what they name would be run or read.

#![no_main]

use std::sync::LazyLock;
use std::time::Duration;

use kai::cluster::{ClusterSource, Environment};
use kai::config::{ClusterSettings, Impersonation, KubeconfigSource};
use kai_fuzz::{assert_message, file};
use libfuzzer_sys::fuzz_target;
use tokio::runtime::{Builder, Runtime};

const SECRET: &str = "hunter2-";

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_current_thread().enable_all().build().expect("a runtime"));

/// The text as YAML, each character by its number.
fn quoted(text: &str) -> String {
    let characters: String = text.chars().map(|one| format!("\\U{:08x}", u32::from(one))).collect();
    format!("\"{characters}\"")
}

fn secret(text: &str) -> String {
    quoted(&format!("{SECRET}{text}"))
}

fuzz_target!(|input: (u8, [&str; 6])| {
    let (bits, [server, name, proxy, user, group, token]) = input;
    let field = |bit: u8, field: String| if bits & bit > 0 { field } else { String::new() };
    let server = if bits & 1 > 0 { server.to_owned() } else { format!("https://{server}") };
    let cluster = [
        format!("server: {}, insecure-skip-tls-verify: true", quoted(&server)),
        field(2, format!(", tls-server-name: {}", quoted(name))),
        field(4, format!(", proxy-url: {}", quoted(&format!("http://{proxy}")))),
    ];
    let credentials = [
        match bits >> 6 {
            0 => format!("token: {}", secret(token)),
            1 => format!("username: {}, password: {}", quoted(user), secret(token)),
            2 => format!("client-key-data: {}, client-certificate-data: {}", secret(token), quoted(name)),
            _ => {
                let config = format!("idp-issuer-url: {}, client-secret: {}", quoted(name), secret(token));
                format!("auth-provider: {{name: oidc, config: {{{config}, refresh-token: {}}}}}", secret(user))
            }
        },
        field(8, format!(", as: {}, as-groups: [{}]", quoted(user), quoted(group))),
        field(16, format!(", as-user-extra: {{{}: [{}]}}", quoted(group), quoted(name))),
    ];
    let text = format!(
        "current-context: x\ncontexts: [{{name: x, context: {{cluster: x, user: x}}}}]\n\
         clusters: [{{name: x, cluster: {{{}}}}}]\nusers: [{{name: x, user: {{{}}}}}]\n",
        cluster.concat(),
        credentials.concat(),
    );
    let settings = ClusterSettings {
        source: KubeconfigSource::Path(file(text.as_bytes())),
        context: None,
        impersonation: Impersonation::default(),
        name: None,
        request_timeout: Duration::from_secs(1),
        page_size: 1,
        workers: 1,
    };
    let shown = match RUNTIME.block_on(ClusterSource::connect(&settings, &Environment::default())) {
        Ok(source) => format!("{source:?}"),
        Err(error) => {
            let message = error.to_string();
            assert_message(&message);
            assert!(error.is_configuration(), "{message}");
            // No authority is written there.
            assert!(!message.contains("certificate-authority"), "{message}");
            message
        }
    };
    assert!(!shown.contains(SECRET), "{shown}");
});
