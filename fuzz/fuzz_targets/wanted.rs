//! What `kai where -f` reads: no file panics, and whatever is asked for can be looked for.

#![no_main]

use kai::cli::Wanted;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for Wanted { asked, digests, images } in Wanted::read(bytes).unwrap_or_default() {
        assert!(!digests.is_empty() || !images.is_empty(), "{asked:?}");
    }
});
