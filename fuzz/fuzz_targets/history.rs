//! Lines of a history of any bytes, and a file of any bytes: never a panic, messages stay printable, and what was taken can be written again.

#![no_main]

use kai::history::{Query, SqliteStore, Store, export, import};
use kai_fuzz::{assert_message, file};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let path = file(bytes);
    match SqliteStore::open(&path) {
        Ok(mut store) => {
            let _read = store.load(&mut |_, _| {});
            let _read = store.read(&Query::default(), &mut |row| assert!(row.last.is_none_or(|last| last >= row.first.at)));
        }
        Err(error) => assert_message(&error.to_string()),
    }
    let folder = std::env::temp_dir().join(format!("kai-fuzz-history-{}", std::process::id()));
    let _gone = std::fs::remove_file(&folder);
    let Ok(mut store) = SqliteStore::open(&folder) else { return };
    if let Err(error) = import(&mut store, bytes) {
        assert_message(&error.to_string());
    }
    let mut lines = Vec::new();
    export(&mut store, &mut lines).expect("what was taken is written");
    import(&mut store, &*lines).expect("what was written is read");
});
