//! How the API server writes lists and watches: the two forms that kai reads.

/// The form of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// `application/json`: every server writes it.
    Json,
    /// `application/vnd.kubernetes.protobuf`: half the work for the server, a third of the bytes.
    Protobuf,
}

/// The media type of [`Encoding::Protobuf`].
const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";

impl Encoding {
    /// The `Accept` of a list or a watch: protobuf, or JSON from a server that has none.
    pub const ACCEPT: &'static str = "application/vnd.kubernetes.protobuf, application/json";

    /// The form that a `Content-Type` names. What is not protobuf is taken for JSON, whose decoder reports what else it is.
    #[must_use]
    pub fn of_content_type(content_type: &str) -> Self {
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        if media_type.eq_ignore_ascii_case(PROTOBUF) { Self::Protobuf } else { Self::Json }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::protobuf("application/vnd.kubernetes.protobuf", Encoding::Protobuf)]
    #[case::with_a_parameter("Application/vnd.Kubernetes.protobuf ; charset=x", Encoding::Protobuf)]
    #[case::a_watch("application/vnd.kubernetes.protobuf;stream=watch", Encoding::Protobuf)]
    #[case::another_that_begins_alike("application/vnd.kubernetes.protobuf-seq", Encoding::Json)]
    #[case::json("application/json", Encoding::Json)]
    #[case::a_page("text/html", Encoding::Json)]
    #[case::nothing("", Encoding::Json)]
    fn only_protobuf_itself_is_read_as_such(#[case] content_type: &str, #[case] expected: Encoding) {
        assert_eq!(Encoding::of_content_type(content_type), expected);
    }
}
