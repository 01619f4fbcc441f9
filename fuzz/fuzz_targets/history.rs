//! Lines of a history of any bytes, and a file of any bytes: never a panic, messages stay printable, and what was taken can be written again.

#![no_main]

use jiff::Timestamp;
use kai::history::{Batch, Limits, Query, SqliteStore, Store, export, import};
use kai_fuzz::{assert_message, file};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let path = file(bytes);
    match SqliteStore::open(&path) {
        Ok(mut store) => {
            let _read = store.load(&mut |_, _| {});
            let mut rows = Vec::new();
            let _read = store.read(&Query::default(), &mut |row| rows.push(row));
            assert!(rows.iter().all(|row| row.last.is_none_or(|last| last >= row.first.at)));
            let periods = store.periods().unwrap_or_default();
            let _written = store.write(&Batch { sightings: &rows, periods: &periods });
            let _dropped = store.prune(Limits { retention_days: 1, max_rows: 1 }, Timestamp::UNIX_EPOCH);
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
