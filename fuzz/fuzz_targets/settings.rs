//! `kai.yaml` of any bytes: never a panic, problems stay printable, and what is printed is a file that means the same.
//!
//! `config/kai.yaml` is the corpus to begin with.

#![no_main]

use kai::config::{ConfigErrors, Environment, Flags, Loaded, load};
use kai_fuzz::{assert_message, file};
use libfuzzer_sys::fuzz_target;

fn read(text: &[u8]) -> Result<Loaded, ConfigErrors> {
    let flags = Flags { config: Some(file(text)), ..Flags::default() };
    load(&flags, &Environment::default())
}

fuzz_target!(|text: &[u8]| {
    let loaded = match read(text) {
        Ok(loaded) => loaded,
        Err(errors) => return errors.problems().iter().for_each(|problem| assert_message(problem)),
    };
    loaded.warnings.iter().for_each(|warning| assert_message(warning));
    let printed = loaded.to_yaml();
    // What stands in place of a secret is another value, and may be none that its key takes.
    if printed.contains("[REDACTED]") {
        return;
    }
    let again = read(printed.as_bytes()).unwrap_or_else(|errors| panic!("{errors}\n{printed}"));
    assert_eq!(format!("{:?}", again.settings), format!("{:?}", loaded.settings), "{printed}");
    // From here on every value comes from a line of the file, so the comments are the same too.
    let once_more = read(again.to_yaml().as_bytes()).unwrap_or_else(|errors| panic!("{errors}\n{printed}"));
    assert_eq!(once_more.to_yaml(), again.to_yaml());
});
