//! A kubeconfig of any bytes: never a panic, messages stay printable, each context that is listed is there when it is asked
//! for, and UTF-16 means the same as UTF-8. No credential plugin is run.

#![no_main]

use std::time::Duration;

use kai::cluster::{Environment, contexts, describe_connection};
use kai::config::{ClusterSettings, Impersonation, KubeconfigSource};
use kai_fuzz::{assert_message, file};
use libfuzzer_sys::fuzz_target;

fn describe(bytes: &[u8], context: Option<String>) -> Result<String, String> {
    let settings = ClusterSettings {
        source: KubeconfigSource::Path(file(bytes)),
        context,
        impersonation: Impersonation::default(),
        name: None,
        request_timeout: Duration::from_secs(1),
        page_size: 1,
        workers: 1,
    };
    let described = describe_connection(&settings, &Environment::default());
    assert_message(described.as_ref().unwrap_or_else(|message| message));
    described
}

fn listed(bytes: &[u8]) -> Vec<String> {
    contexts(&KubeconfigSource::Path(file(bytes)), &Environment::default())
}

fuzz_target!(|bytes: &[u8]| {
    let (described, names) = (describe(bytes, None), listed(bytes));
    for name in names.iter().filter(|name| !name.is_empty()) {
        if let Err(message) = describe(bytes, Some(name.clone())) {
            // So begins a message about a context that is not there.
            assert!(!message.starts_with("context \""), "{message}");
        }
    }
    // A mark of the byte order, or what looks like one, is the same in one encoding alone.
    let Some(text) = std::str::from_utf8(bytes).ok().filter(|text| !text.starts_with('\u{feff}')) else { return };
    let wide: Vec<u8> = [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    assert_eq!((describe(&wide, None), listed(&wide)), (described, names));
});
