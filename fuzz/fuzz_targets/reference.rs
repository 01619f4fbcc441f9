//! Image references: no text panics, and a canonical name is its own canonical name.

#![no_main]

use kai::inventory::ImageRef;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let image = ImageRef::parse(text);
    assert_eq!(image.written(), text);
    if image.has_parts() {
        let again = ImageRef::parse(&image.canonical_name());
        assert!(again.is_same_repository(&image), "{text:?}");
        assert_eq!(again.canonical_name(), image.canonical_name(), "{text:?}");
    }
});
