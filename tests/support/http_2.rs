//! HTTP/2 by hand, for clients that take answers and read nothing.

/// The start of a connection that gives its streams no window: no answer can be written.
const WITHOUT_WINDOW: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x06\x04\0\0\0\0\0\0\x04\0\0\0\0";

/// Asks for each path on a stream of its own, whose answers have no window.
pub(crate) fn requests_without_window<P: AsRef<str>>(paths: &[P]) -> Vec<u8> {
    let mut bytes = WITHOUT_WINDOW.to_vec();
    for (number, path) in (0_u32..).zip(paths.iter().map(AsRef::as_ref)) {
        // GET, http, and path and authority as literals without an index.
        let mut fields = vec![0x82, 0x86, 0x04, u8::try_from(path.len()).expect("short")];
        fields.extend(path.as_bytes());
        fields.extend(b"\x01\x09localhost");
        bytes.extend([0, 0, u8::try_from(fields.len()).expect("short"), 0x01, 0x05]);
        bytes.extend((2 * number + 1).to_be_bytes());
        bytes.extend(fields);
    }
    bytes
}
